"""One pass over an account: its introduction, then its videos, newest first, each with every comment and every answer to one.

Videos are listed by the time before which they were published, so that what
is added or removed meanwhile shifts nothing. How comments are read is told in
`below`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, State
from connectors.errors import AccessRevoked, UnexpectedResponse
from connectors.tiktok import options
from connectors.tiktok.below import Below
from connectors.tiktok.doors import COMMENTS, VIDEOS, Accounts, Door, Posted
from connectors.tiktok.place import Place, Waits
from connectors.tiktok.reach import Reach
from connectors.tiktok.refusals import NotGiven

BOTH = (State.PRESENT, State.HIDDEN)
SHOWN = (State.PRESENT,)
SAID = (Kind.COMMENT, Kind.REPLY)

_MOST_STALLED = 10
"""So many answers without a new video, one after the other, are taken for a list without an end."""


class Pass:
    """A pass from `place` on."""

    def __init__(self, door: Door, page: Page, place: Place) -> None:
        self._door, self._asking = door, door.asking
        if place.way not in {"", door.way}:
            # Read by the other door since it was begun: what was shown then is not what is shown now.
            place = Place()
        self._place = place if place.began is not None else place.moved(began=self._asking.now())
        # Where no comments are shown, nothing older than the span can be answered within it.
        before = timedelta(days=options.answered_within(page) if isinstance(door, Accounts) else 0)
        self._reach = Reach(page.published_from, page.published_until, before)
        self._gaps: list[Gap] = []
        self._below: Below | None = None
        self._met: set[str] = set()
        self._known: set[str] = set()
        self._stalled = 0

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the videos from where it stands."""
        account = self._door.introduced(self._place.account)
        self._move(way=self._door.way, account=account.identity)
        if (lacking := account.gap()) is not None:
            self._gaps.append(lacking)
        if (door := self._door.comments) is not None:
            self._below = Below(door, self._reach)
        else:
            self._gaps += not_permitted(self._door)
            self._move(whole=False, waiting=())
        yield self._batch([account.observed])
        yield from self._ended(self._videos())

    # -- videos --------------------------------------------------------------------------------------------

    def _videos(self) -> Iterator[Batch]:
        """The list of videos to its end; after each answer, what waits to be read of those in it."""
        yield from self._waiting()
        while not self._place.ended:
            try:
                found = self._door.videos(self._place.at or self._reach.first_cursor)
            except NotGiven as refused:
                if refused.forbidden:
                    why = (
                        f"The videos of the account are not shown: {refused.why}. The permission is {VIDEOS}."
                    )
                    raise AccessRevoked(why) from refused
                raise
            self._lead(found)
            self._wait_for(found)
            yield self._batch(found.observed)
            yield from self._waiting()

    def _lead(self, found: Posted) -> None:
        if found.gaps:
            # What answers them is not read either.
            self._gaps += found.gaps
            self._move(posts=False, whole=False)
        if found.following is None or self._reach.is_past(found.times):
            self._move(at="", ended=True)
            return
        shown = {one.native_id for one in found.observed}
        self._stalled = 0 if shown - self._known else self._stalled + 1
        self._known |= shown
        if found.following in self._met or self._stalled > _MOST_STALLED:
            raise UnexpectedResponse(
                "TikTok leads on to where it has led before: the account's videos have no end."
            )
        self._met.add(found.following)
        self._move(at=found.following)

    def _wait_for(self, found: Posted) -> None:
        """What answers these videos waits to be read: also where TikTok counts nothing, for its count is a day or two old."""
        if not self._reach.narrowed:
            counted = sum(one.counts.get("comments", 0) for one in found.observed)
            self._move(total=self._place.total + counted)
        if self._below is not None:
            waiting = [
                Waits(one.native_id) for one in found.observed if self._reach.reaches(one.published_at)
            ]
            self._move(waiting=tuple(reversed(waiting)))

    # -- what answers them ---------------------------------------------------------------------------------

    def _waiting(self) -> Iterator[Batch]:
        """Read what waits, one answer after the other; what is left of a list waits again."""
        while self._below is not None and self._place.waiting:
            *others, one = self._place.waiting
            observed, left = self._below.step(one)
            self._gaps += self._below.gaps
            self._move(waiting=(*others, *left), whole=self._place.whole and self._below.whole)
            listed, self._below.gaps, self._below.listed = self._below.listed, [], []
            yield self._batch(observed, self._one_by_one(listed))

    def _one_by_one(self, names: Sequence[str]) -> list[Listing]:
        """Of what answers these items, each by itself where the pass does not promise all of it at its end."""
        if not (self._reach.narrowed or self._place.one_by_one):
            return []
        begins, ends = self._reach.begins, self._reach.ends
        alike = self._place.listing(SAID, self._asking.last, BOTH, begins, ends)
        return [replace(alike, in_reply_to=name) for name in names]

    # -- how a pass goes on and ends -----------------------------------------------------------------------

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass."""
        last = yield from but_the_last(batches)
        # Nothing is left where a pass broke off after its very last answer, and before its end was told.
        yield self._closed(last if last is not None else self._batch())

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        place, exchange = self._place, len(last.exchanges) - 1
        listings = [*last.listings]
        if exchange >= 0 and place.posts:
            listings.append(
                self._place.listing([Kind.POST], exchange, SHOWN, self._reach.begins, self._reach.ends)
            )
        if exchange >= 0 and not self._reach.narrowed:
            if self._below is None and place.posts:
                # It shows none of them and promises nothing of any; but it counts them.
                listings.append(replace(self._place.listing(SAID, exchange, ()), stated_total=place.total))
            elif place.whole and not place.one_by_one:
                listings.append(replace(self._place.listing(SAID, exchange, BOTH), stated_total=place.total))
        return replace(last, listings=tuple(listings), resume_from=place.finished().cursor())

    def _move(self, **changes: Any) -> None:
        self._place = self._place.moved(**changes)

    def _batch(self, observed: Sequence[Observation] = (), listings: Sequence[Listing] = ()) -> Batch:
        gaps, self._gaps = self._gaps, []
        return self._asking.batch(self._place.cursor(), observed, listings=listings, gaps=gaps)


def not_permitted(door: Door) -> list[Gap]:
    """That comments are not permitted where the door would show them; that the other one has none is no gap of a night."""
    if not isinstance(door, Accounts):
        return []
    why = f"the token does not permit {COMMENTS}: see that the application has it, and connect the page again with it"
    return [Gap(what="comments", why=why)]
