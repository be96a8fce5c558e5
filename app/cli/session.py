"""Who acts on the command line: the officer whose token is in the environment, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app import officers
from app.main import Archive, open_archive
from app.records.errors import Invalid, NotPermitted
from app.records.nouns import Officer, Role
from app.settings import Settings

EVERYONE = (
    Role.RECORDS_OFFICER,
    Role.ATTORNEY,
    Role.APPROVER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
    Role.CUSTODIAN_OF_EVIDENCE,
)
READERS = (Role.RECORDS_OFFICER, Role.ATTORNEY, Role.AUDITOR, Role.CUSTODIAN_OF_EVIDENCE)
KEEPERS = (Role.RECORDS_OFFICER, Role.ADMINISTRATOR, Role.INGEST)


class NoToken(NotPermitted):
    """Nobody's token is in the environment."""

    code = "no-token"


class WhyMissing(Invalid):
    """A command that changes something was not told why."""

    code = "why-missing"


@dataclass(frozen=True, slots=True)
class Session:
    """The archive, and who acts in it."""

    archive: Archive
    officer: Officer

    @property
    def messages(self) -> bool:
        """Whether the officer may read private messages."""
        return self.officer.may(Role.MESSAGES)


@contextmanager
def session(*roles: Role) -> Iterator[Session]:
    """Open the archive as the officer of `MUNIMENT_TOKEN`, who must hold one of `roles`."""
    settings = Settings()
    archive = open_archive(settings)
    try:
        token = settings.token
        if not token and settings.token_file:
            try:
                token = settings.token_file.read_text().strip()
            except OSError as error:
                raise NoToken(
                    f"{settings.token_file} cannot be read: {error.strerror}",
                    next="Set MUNIMENT_TOKEN_FILE to the file that holds your token.",
                ) from error
        if not token:
            raise NoToken(
                "nobody's token is in the environment",
                next="Set MUNIMENT_TOKEN or MUNIMENT_TOKEN_FILE; `muniment init` and `muniment user accept` print one.",
            )
        with archive.store.database.begin() as tx:
            officer = officers.token(archive.store, tx, token)
        officers.require(officer, *roles)
        yield Session(archive, officer)
    finally:
        archive.close()


def reason(why: str) -> str:
    """The reason that a change must have, or `WhyMissing`."""
    if not why.strip():
        raise WhyMissing("a change needs a reason", next='Add --why "…".')
    return why.strip()
