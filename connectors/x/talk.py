"""What answers what in one visit, and of which posts it is certain that everything was shown that answers them.

X tells how many answer a post. Where as many were met, all of them were. Besides,
a conversation that was searched to its end was shown from the search's beginning
on. Beyond that nothing is certain, and nothing is promised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from connectors.contract import Kind, Listing, Observation, Page, State
from connectors.x.parse import Reader

BOTH = (State.PRESENT, State.HIDDEN)


class Talk:
    """Gathers what was met in a visit; what an earlier visit met is not known here."""

    def __init__(self) -> None:
        self._counted: dict[str, tuple[int, datetime]] = {}
        self._answers: dict[str, dict[str, datetime | None]] = {}

    def meet(self, reader: Reader, observed: Iterable[Observation], asked_at: datetime) -> None:
        """Take note of the items of one answer, and of what they answer."""
        for seen in reader.newest():
            counted = reader.count(seen.what, "reply_count")
            if counted is not None:
                self._counted[seen.what.first] = counted, asked_at
        for item in observed:
            if item.in_reply_to is not None:
                self._answers.setdefault(item.in_reply_to, {})[item.native_id] = item.published_at

    def whole(self, name: str) -> bool:
        """Whether as many answers were met as X counted; what came after it had counted is not among them."""
        if name not in self._counted:
            return False
        counted, at = self._counted[name]
        answers = self._answers.get(name, {}).values()
        return sum(made is not None and made <= at for made in answers) >= counted

    def listings(self, began: datetime, exchange: int, page: Page) -> Iterator[Listing]:
        """For each post all of whose answers were met, that they were."""
        for name in self._counted:
            if self.whole(name):
                yield under(name, began, exchange, page, page.published_from)


def under(
    name: str,
    began: datetime,
    exchange: int,
    page: Page,
    since: datetime | None,
    kinds: Sequence[Kind] = (Kind.COMMENT, Kind.REPLY),
) -> Listing:
    """That everything of these kinds was shown that answers one item, from `since` on and within the pass's span."""
    return Listing(
        kinds=kinds,
        began_at=began,
        exchange=exchange,
        in_reply_to=name,
        published_from=since,
        published_until=page.published_until,
        states=BOTH,
    )
