"""Bringing a database to the form that this version of the program expects."""

from __future__ import annotations

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import ROOT
from app.db.database import Database
from app.records.errors import Refused, Unavailable


class NeedsUpgrade(Unavailable):
    """The database is of another version than the program."""

    code = "needs-upgrade"


class NoWayBack(Refused):
    """An archive is not taken back to an older form: what the newer one holds would be lost."""

    code = "no-way-back"

    def __init__(self) -> None:
        super().__init__(
            "An archive is not taken back to an older form.",
            next="Restore the backup that was made before the upgrade, with the program of that version.",
        )


def bring_up(database: Database, *, keyring: bool = False) -> None:
    """Apply the migrations that the database lacks, if it lacks any."""
    try:
        check(database, keyring=keyring)
    except NeedsUpgrade:
        upgrade(database, keyring=keyring)


def upgrade(database: Database, *, keyring: bool = False, to: str = "head") -> None:
    """Apply the migrations that the database lacks, in one transaction."""
    config = _config(keyring=keyring)
    with database.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, to)


def check(database: Database, *, keyring: bool = False) -> None:
    """Raise `NeedsUpgrade` unless the database has exactly the newest form."""
    newest = _newest(keyring=keyring)
    with database.read() as tx:
        context = MigrationContext.configure(
            tx, opts={"version_table": "alembic_version_keyring" if keyring else "alembic_version"}
        )
        heads = [str(head) for head in context.get_current_heads()]  # an altered row may hold anything
    if set(heads) != set(newest):
        raise NeedsUpgrade(
            f"the {'keyring' if keyring else 'archive'} database is at {', '.join(heads) or 'nothing'}, this program expects {', '.join(newest)}",
            next="Make a backup, then run `muniment upgrade`.",
        )


@cache
def _newest(*, keyring: bool) -> tuple[str, ...]:
    """The newest migrations that this program brings; they do not change while it runs."""
    return tuple(ScriptDirectory.from_config(_config(keyring=keyring)).get_heads())


def leads_on_from(revision: str, *, keyring: bool = False) -> bool:
    """Whether this program knows the form of a database at `revision`, and brings it to its own."""
    return revision in _known(keyring=keyring)


@cache
def _known(*, keyring: bool) -> frozenset[str]:
    """Every form that this program leads on from."""
    script = ScriptDirectory.from_config(_config(keyring=keyring))
    return frozenset(one.revision for one in script.walk_revisions())


def _config(*, keyring: bool) -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(ROOT / "migrations" / ("keyring" if keyring else "")).rstrip("/")
    )
    config.set_main_option("path_separator", "os")
    return config
