"""What destruction refuses, and what it must never leave behind."""

from __future__ import annotations

from collections.abc import Sequence

from app.records.errors import IntegrityFailure, Invalid, NotFound, Refused


class NothingToDispose(Invalid):
    """A batch without records, or without what authorises it."""

    code = "nothing-to-dispose"


class UnknownRecord(NotFound):
    """A record was named that the archive does not hold."""

    code = "unknown-record"


class AlreadyDisposed(Refused):
    """A record was disposed of before; nothing is left of it to destroy."""

    code = "already-disposed"


class InAnotherBatch(Refused):
    """A record stands in another batch that was authorised, or the batch itself was authorised before."""

    code = "in-another-batch"


class NotVerified(Refused):
    """A batch has records that were not destroyed yet, or not seen to be."""

    code = "disposal-not-verified"


class KeyBackupsLive(Refused):
    """A copy of the keys that could open the batch has not expired yet."""

    code = "key-backups-live"


class NotDestroyed(IntegrityFailure):
    """Something that was disposed of can still be opened or found."""

    code = "not-destroyed"

    def __init__(self, ways: Sequence[str]) -> None:
        super().__init__(
            f"what was disposed of can still be reached: {'; '.join(ways)}",
            next="Finish the disposal again; if this stays, call whoever runs the archive.",
        )
        self.ways = tuple(ways)
