"""Is told by the server as things happen: what concerns the account becomes a batch.

The owner's stream also carries what the accounts say that it follows. That is
no part of the page: such messages yield nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from connectors.contract import Batch, Client, Cursor, Exchange, Gap, Observation, Sighting, State
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.mastodon import address, parse
from connectors.mastodon.asking import Asking, NotGiven, lacking
from connectors.mastodon.server import find, no_such
from connectors.pieces import Malformed, Seen

T = TypeVar("T")

_CURSOR = Cursor("stream")

_OF_A_STATUS = frozenset({"update", "status.update", "status_update"})
"""A new status, and an edit as Mastodon and as others name it."""


class Listening:
    """One stream, opened with the owner's token."""

    def __init__(self, http: Client, asking: Asking, acct: str) -> None:
        self._http, self._asking, self._acct = http, asking, acct
        self._account = ""

    def run(self) -> Iterator[Batch]:
        """A batch for each message that concerns the account; before the first, one with the introduction."""
        asking = self._asking
        with asking:
            try:
                found = find(asking, self._acct)
            except NotGiven as refused:
                raise no_such(asking, self._acct, refused) from refused
            if found.owner is None:
                raise AccessRevoked(f"Its stream is not known to be the page's: {found.somebody_else}.")
            self._account = found.id
            url = address.streams_of(asking.origin, self._named()) + "/api/v1/streaming/user"
            introduced = False
            for message in self._heard(url):
                if not introduced:
                    yield asking.batch(_CURSOR, [parse.profile(found.account)])
                    introduced = True
                yield from self._told(message)
            raise TryAgainLater(f"{asking.origin} has ended the stream.")

    def _heard(self, url: str) -> Iterator[Exchange]:
        """The messages of the stream; a token that may not hear it is told so."""
        try:
            yield from self._http.listen(url, headers=self._asking.headers())
        except AccessRevoked as revoked:
            last = revoked.exchanges[-1] if revoked.exchanges else None
            words = parse.refusal(decoded(last)) if last is not None and last.status == 403 else None
            if words is None or "scope" not in words.lower():
                raise
            refused = NotGiven(403, words)
            told = lacking(self._asking.origin, "the stream", "read:statuses", refused)
            told.exchanges = revoked.exchanges
            raise told from revoked

    def _named(self) -> str | None:
        """Where the server says that its streams are."""
        for path in ("/api/v2/instance", "/api/v1/instance"):
            try:
                return self._asking.one(path, parse.Instance).what.streams
            except NotGiven:
                continue
        return None

    def _told(self, message: Exchange) -> Iterator[Batch]:
        name, start, end = parse.event(message.body)
        try:
            if name in _OF_A_STATUS:
                yield from self._status(message, parse.told(message.body, start, end, parse.Status))
            elif name == "notification":
                told = parse.told(message.body, start, end, parse.Notification)
                if told.what.type == "mention" and told.what.status is not None:
                    yield from self._status(message, Seen(told.what.status, told.span))
            elif name == "delete":
                identity = message.body[start:end].decode("utf-8", "replace").strip().strip('"')
                sighting = Sighting(
                    native_id=f"status:{identity}", state=State.GONE, exchange=0, reason="stream: delete"
                )
                yield Batch(exchanges=[message], resume_from=_CURSOR, sightings=[sighting])
            elif name == "filters_changed":
                yield self._filters(message)
        except Malformed as fault:
            why = f"{message.url} told “{name}”: {fault}."
            named = parse.named(message.body, start, end, self._account)
            if named is None:
                raise UnexpectedResponse(why, [message]) from fault
            if not named:
                return
            # The stream tells nothing twice: to leave it for one status would cost what follows.
            gap = Gap(
                what="what the stream told", why=f"{why} The next pass reads it.", native_id=f"status:{named}"
            )
            yield Batch(exchanges=[message], resume_from=_CURSOR, gaps=[gap])

    def _status(self, message: Exchange, seen: Seen[parse.Status]) -> Iterator[Batch]:
        if not parse.concerns(seen.what, self._account):
            return
        edits, asked, gaps = self._edits(seen.what) if seen.what.edited_at else (None, (), ())
        observed = parse.status(seen, self._account, edits)
        yield Batch(exchanges=[message, *asked], resume_from=_CURSOR, observations=[observed], gaps=gaps)

    def _edits(
        self, read: parse.Status
    ) -> tuple[list[Seen[parse.Edit]] | None, Sequence[Exchange], Sequence[Gap]]:
        """The earlier texts of a status that was edited, asked for at once; with them the answers that show them.

        Where they are not told now, the edit is kept without them: a pass asks for them again.
        """
        edits: list[Seen[parse.Edit]] | None = None
        gaps: list[Gap] = []
        with self._asking as asking:
            try:
                told, _ = asking.many(f"/api/v1/statuses/{read.id}/history", parse.Edit)
                edits = [_behind(one) for one in told.items]
                gaps += [
                    replace(one, native_id=f"status:{read.id}")
                    for one in asking.gaps_of("earlier texts", told.unread)
                ]
            except NotGiven:
                edits = None
            except (TryAgainLater, UnexpectedResponse) as fault:
                asking.failed(fault)
                gaps.append(Gap(what="earlier texts", why=str(fault), native_id=f"status:{read.id}"))
            return edits, asking.batch(_CURSOR).exchanges, gaps

    def _filters(self, message: Exchange) -> Batch:
        """The owner changed a filter: all of them are read again."""
        observed: list[Observation] = []
        gaps: list[Gap] = []
        with self._asking as asking:
            try:
                filters, _ = asking.many("/api/v2/filters", parse.Filter)
                observed = [parse.word_filter(_behind(one)) for one in filters.items]
                gaps += asking.gaps_of("a word filter", filters.unread, "filter:{}".format)
            except NotGiven as refused:
                gaps.append(Gap(what="word filters", why=f"the server answers {refused}"))
            asked = asking.batch(_CURSOR).exchanges
        return Batch(
            exchanges=[message, *asked], resume_from=_CURSOR, observations=tuple(observed), gaps=tuple(gaps)
        )


def _behind(seen: Seen[T]) -> Seen[T]:
    """The same in a batch whose first exchange is the message of the stream."""
    return replace(seen, span=replace(seen.span, exchange=seen.span.exchange + 1))
