"""Settings, read from the environment (prefix `MUNIMENT_`) and from a `.env` file. Every field is documented."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.records.errors import Invalid

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_INDEX_NAME = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_PREFIX = re.compile(r"(?:[\w.-]+(?:/[\w.-]+)*)?", re.ASCII)


class BadSetting(Invalid):
    """A setting cannot be used as it stands."""

    code = "bad-setting"


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """A bucket, and where in it the archive begins."""

    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """A search cluster: where it answers, under which name the archive's index lies there, and how it is asked."""

    address: str
    name: str
    shards: int
    replicas: int
    secret_file: Path | None
    ca_file: Path | None


def _cluster(written: str) -> ClusterAddress:
    """What `MUNIMENT_SEARCH` says of a cluster; raises `BadSetting` without repeating what it says."""
    try:
        address = urlsplit(written)
        port, told = address.port, dict(parse_qsl(address.query, strict_parsing=bool(address.query)))
        shards, replicas = int(told.pop("shards", "1")), int(told.pop("replicas", "1"))
    except ValueError as error:
        raise _bad_cluster("cannot be read") from error
    files = [Path(told.pop(name)) if name in told else None for name in ("secret_file", "ca_file")]
    name = address.path.strip("/") or "muniment"
    if address.username is not None or address.password is not None:
        raise _bad_cluster("holds a password, which belongs into a secret_file")
    if not address.hostname or address.fragment or told:
        raise _bad_cluster("has something that is not known")
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise _bad_cluster("would send the public's words in the clear")
    if not _INDEX_NAME.fullmatch(name):
        raise _bad_cluster("names no index: small letters, digits, hyphens and underscores")
    if not 1 <= shards <= 1024 or not 0 <= replicas <= 100:
        raise _bad_cluster("has no sensible number of shards or replicas")
    host = f"[{address.hostname}]" if ":" in address.hostname else address.hostname
    where = f"{address.scheme}://{host}" + (f":{port}" if port is not None else "")
    return ClusterAddress(where, name, shards, replicas, *files)


def _bad_cluster(why: str) -> BadSetting:
    return BadSetting(
        f"MUNIMENT_SEARCH {why}",
        next="Write https://host:9200/name, and after a question mark secret_file, ca_file, shards or replicas.",
    )


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
        "",
        description="Where sealed segments lie: `file:///folder`, or `s3://bucket/prefix`. Default: HOME/objects.",
    )
    s3_endpoint: str = Field(
        "", description="The address of S3-compatible storage, `https://host:port`. Default: AWS."
    )
    s3_region: str = Field("", description="The storage's region. Default: AWS_DEFAULT_REGION, or us-east-1.")
    s3_governance_days: int = Field(
        3650,
        ge=0,
        le=36500,
        description="For how many days segments are locked in governance mode where the bucket can; 0: not at all.",
    )
    s3_compliance_days: int = Field(
        365,
        ge=0,
        le=36500,
        description="For how many days what is published of the ledger is locked in compliance mode, which nobody can undo; 0: not at all.",
    )
    s3_disposal_profile: str = Field(
        "",
        description="The AWS profile with which destruction asks: the one identity that may bypass governance.",
    )
    search: str = Field(
        "tantivy",
        description="The search engine: `tantivy`, or `whoosh` for small archives where it cannot be installed, both in HOME/index; or the address of an OpenSearch cluster, `https://host:9200/name?secret_file=/…`. After a change, `muniment reindex`.",
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
    timestamp_urls: str = Field(
        "",
        description="The authorities that timestamp the ledger (RFC 3161), separated by commas; each an address, or address#file of its root certificate, or address#file#policy.",
    )
    productions: Path | None = Field(
        None,
        description="The folder in which productions are kept that are asked for over the web, outside of HOME: what lies there is in the clear. Without it they are made by the command line.",
    )
    production_certificate_file: Path | None = Field(
        None,
        description="The agency's certificate for signing productions, PEM, with the chain that leads to its root after it. Without it productions are sealed unsigned, and say so.",
    )
    production_key_file: Path | None = Field(
        None,
        description="The private key of that certificate, PEM without a password, readable by the archive alone.",
    )
    witnesses: str = Field(
        "",
        description="The witnesses that cosign the ledger (C2SP tlog-witness), separated by commas; each address#verifier-key.",
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
    hold_release_days: int = Field(
        7,
        ge=0,
        description="How many days after its approval the release of a hold is carried out; until then it can be cancelled.",
    )
    request_laws: Path | None = Field(
        None,
        description="The folder of the agency's own public-records laws, and of its agency.yaml. Default: HOME/request_laws, if it is there.",
    )
    fixity_days: int = Field(
        30,
        ge=1,
        le=366,
        description="Within how many days everything that is kept is read again, a part each night.",
    )
    fixity_mb_a_second: int = Field(
        20, ge=0, description="How fast it is read at most, in MiB a second; 0: as fast as the machine can."
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
                f"MUNIMENT_OBJECTS_URL {self.objects_url!r} is neither a folder nor a bucket",
                next="Write file:/// and an absolute folder, or s3://bucket/prefix.",
            )
        return Path(self.objects_url.removeprefix("file://"))

    def bucket(self) -> BucketAddress | None:
        """The bucket of sealed segments, or None where they lie in a folder; raises `BadSetting` for what names none."""
        if not self.objects_url.startswith("s3://"):
            return None
        bucket, _, prefix = self.objects_url.removeprefix("s3://").partition("/")
        endpoint = urlsplit(self.s3_endpoint)
        if not _BUCKET.fullmatch(bucket) or not _PREFIX.fullmatch(prefix.strip("/")):
            raise BadSetting(
                f"MUNIMENT_OBJECTS_URL {self.objects_url!r} names no bucket",
                next="Write s3://bucket/prefix: small letters, digits, dots and hyphens; the prefix may be left out.",
            )
        if self.s3_endpoint and (endpoint.scheme not in ("http", "https") or not endpoint.hostname):
            raise BadSetting(
                f"MUNIMENT_S3_ENDPOINT {self.s3_endpoint!r} is no address",
                next="Write https://host or https://host:port.",
            )
        return BucketAddress(bucket, prefix.strip("/"))

    def spool(self) -> Path:
        """Where an object is made ready before it goes to a bucket."""
        return self.home.resolve() / "spool"

    def engine(self) -> Literal["tantivy", "whoosh"] | ClusterAddress:
        """The name of the search engine, or where its cluster is; raises `BadSetting` for what is neither."""
        match self.search:
            case "tantivy" | "whoosh" as known:
                return known
            case address if address.startswith(("https://", "http://")):
                return _cluster(address)
            case unknown:
                raise BadSetting(
                    f"MUNIMENT_SEARCH {unknown!r} names no search engine",
                    next="Write tantivy or whoosh, or https://host:port/name for an OpenSearch cluster.",
                )

    def index(self) -> Path:
        return self.home.resolve() / "index"

    def request_laws_folder(self) -> Path:
        """Where the agency's own public-records laws lie; it need not be there."""
        return self.request_laws or self.home.resolve() / "request_laws"

    def ledger(self) -> Path:
        return self.home.resolve() / "ledger"
