"""Settings, read from the environment (prefix `MUNIMENT_`) and from a `.env` file. Every field is documented."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.records.errors import Invalid


class BadSetting(Invalid):
    """A setting cannot be used as it stands."""

    code = "bad-setting"


class Settings(BaseSettings):
    """Where the archive lives and what it may reach."""

    model_config = SettingsConfigDict(env_prefix="MUNIMENT_", env_file=".env", extra="ignore")

    home: Path = Field(
        Path("muniment-data"),
        description="The data folder; everything that has no setting of its own lies in it.",
    )
    database_url: str = Field(
        "", description="The main database, as an SQLAlchemy address. Default: SQLite in HOME."
    )
    keyring_url: str = Field(
        "", description="The keyring's database, kept apart from the main one. Default: SQLite in HOME/keys."
    )
    objects_url: str = Field(
        "", description="Where sealed segments lie: `file:///folder`. Default: HOME/objects."
    )
    search: str = Field(
        "tantivy", description="The search engine: `tantivy`, embedded, with its folder in HOME/index."
    )
    master_key_file: Path | None = Field(
        None, description="The file that holds the epoch keys. Default: HOME/keys/master.key."
    )
    token: str = Field("", description="The token of the officer who acts on the command line.")
    token_file: Path | None = Field(None, description="A file that holds that token.")
    smtp_url: str = Field(
        "",
        description="How mail leaves: `smtp://user:password@host:port` or `smtps://…`; empty: no mail is sent.",
    )
    mail_from: str = Field("", description="The sender of mail. Default: muniment@ and the agency's domain.")
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="The address under which people reach the pages; links in mail begin with it.",
    )
    allow_hosts: str = Field(
        "",
        description="Hosts (or host:port) with private addresses that connectors may ask, separated by commas.",
    )
    apps_file: Path | None = Field(
        None,
        description="A TOML or JSON file with the client id and secret of the application that each platform knows.",
    )
    contact: str = Field(
        "", description="A contact that capture names to the sites it asks, in its User-Agent."
    )
    nightly_at: str = Field(
        "02:30", description="When the nightly capture begins, in the agency's time zone."
    )
    digest_at: str = Field(
        "07:00", description="When the daily letter on what needs doing is sent, in the agency's time zone."
    )
    workers: int = Field(4, ge=1, description="How many pages are captured side by side.")
    every_minutes: int = Field(
        15, ge=0, description="Minutes between two looks for what is new on a page; 0: only at night."
    )
    window_days: int = Field(
        30, ge=1, description="How many days back each night reads again what was published."
    )
    sweep_days: int = Field(
        90, ge=1, description="Within how many days every older record is seen again, a part each night."
    )
    day_budget: int = Field(
        5000, ge=1, description="How many exchanges a day a page may take; a page may have its own."
    )
    max_attachment_mb: int = Field(
        2048, description="The largest attachment that is captured, in MiB; a larger one becomes a gap."
    )

    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home.resolve() / 'archive.db'}"

    def keyring(self) -> str:
        return self.keyring_url or f"sqlite:///{self.keys() / 'keyring.db'}"

    def keys(self) -> Path:
        return self.home.resolve() / "keys"

    def master_key(self) -> Path:
        return self.master_key_file or self.keys() / "master.key"

    def objects(self) -> Path:
        """The folder of sealed segments; raises `BadSetting` for an address that is not a folder."""
        if not self.objects_url:
            return self.home.resolve() / "objects"
        if not self.objects_url.startswith("file:///"):
            raise BadSetting(
                f"MUNIMENT_OBJECTS_URL {self.objects_url!r} is not a folder",
                next="Write file:/// and an absolute folder; this version keeps segments in folders.",
            )
        return Path(self.objects_url.removeprefix("file://"))

    def index(self) -> Path:
        return self.home.resolve() / "index"

    def ledger(self) -> Path:
        return self.home.resolve() / "ledger"
