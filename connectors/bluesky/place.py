"""How far a pass has come: what a cursor holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors import cursors

MOST_KNOWN = 2_000
_FRESH = timedelta(hours=20)
"""How long changes are read on top of a repository that was read whole."""


class Place(cursors.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The account that is read, the pass that is under way, and what the next pass can build on.

    `began` is when the pass under way began, None between passes; `after` the
    last of the account's own posts whose answers it has read; `whole` whether
    everything was shown so far. `rev` is the repository's revision that was
    read last and `read_at` when it was read whole; `known` holds, for a pass
    that is narrowed, when its posts were published, by record key, and `span`
    the span of time that they are of; `name` is what the account calls itself. `noted` is the newest notification that was
    read. `connected` says whether it was ever read with credentials, `due` whether
    what only the account's own people see is still to be read.
    """

    did: str | None = None
    after: str = ""
    whole: bool = True
    rev: str | None = None
    read_at: datetime | None = None
    known: dict[str, int] | None = None
    span: tuple[datetime | None, datetime | None] | None = None
    name: str | None = None
    noted: str | None = None
    connected: bool = False
    due: bool = False

    def ended(self) -> Place:
        """Where the next pass begins."""
        return self.moved(began=None, after="", whole=True)

    def builds_on(self, now: datetime, since: datetime | None, until: datetime | None) -> bool:
        """Whether only what changed has to be read of the repository, for a pass over this span.

        It was read whole within the day, and the posts that are known from then are those of the span: a
        sweep goes on with another one each time.
        """
        return (
            self.rev is not None
            and self.known is not None
            and self.read_at is not None
            and now - self.read_at < _FRESH
            and self._knows(since, until)
        )

    def _knows(self, since: datetime | None, until: datetime | None) -> bool:
        if self.span is None:
            return False
        first, last = self.span
        return (first is None or (since is not None and since >= first)) and (
            last is None or (until is not None and until <= last)
        )
