"""One pass over a page: its introduction, its posts with what answers them, and what LinkedIn has to tell by itself.

Posts come a hundred at a time, the last changed first; what LinkedIn counts of
them says which of them were answered. What is edited while the list is read
moves to its head, so the head is read once more in the end. A pass over a span
of time reads the posts of the span and of some weeks before, and asks LinkedIn
for notices: those name older posts on which something was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, Sighting, State
from connectors.errors import AccessRevoked
from connectors.linkedin import comments, notices, options, organisation, posts
from connectors.linkedin.address import Address
from connectors.linkedin.asking import Asking
from connectors.linkedin.organisation import Found
from connectors.linkedin.paging import Spot
from connectors.linkedin.parse import Ours
from connectors.linkedin.place import CHANGED, LATE, NOTICES, POSTS, STAGES, Place
from connectors.linkedin.reach import Reach
from connectors.linkedin.reading import moment
from connectors.linkedin.refusals import NotGiven
from connectors.linkedin.shapes import Notice, Post
from connectors.linkedin.urns import coded, posted
from connectors.pieces import Seen

_TOLD = "what LinkedIn tells by itself"

_BEFORE = timedelta(minutes=10)
"""By how much LinkedIn's clock may be behind ours: what was changed since the pass began is looked for from then on."""


class Pass:
    """A pass from `place` on."""

    def __init__(self, asking: Asking, named: Address, page: Page, place: Place) -> None:
        self._asking, self._named = asking, named
        self._place = place if place.began is not None else place.moved(began=asking.now())
        before = timedelta(days=options.answered_within(page))
        self._reach = Reach(page.published_from, page.published_until, before)
        self._names, self._notices = options.names(page), options.notices(page)
        self._drafts = options.drafts(page)
        self._gaps: list[Gap] = []

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the lists from where it stands."""
        found = organisation.find(self._asking, self._named, self._place.page)
        self._ours: Ours = found.ours
        self._move(page=found.ours.number)
        yield self._introduced(found)
        yield from self._ended(self._stages())

    def _stages(self) -> Iterator[Batch]:
        for stage in STAGES[STAGES.index(self._place.stage) :]:
            if stage == POSTS:
                yield from self._posts()
            elif stage == CHANGED and self._place.several:
                yield from self._changed()
            elif stage == NOTICES and self._notices:
                yield from self._heard()
            elif stage == LATE:
                yield from self._late()
            if stage != STAGES[-1]:
                self._place = self._place.after(stage)

    # -- posts ---------------------------------------------------------------------------------------------

    def _posts(self) -> Iterator[Batch]:
        """The list of posts to its end, or until nothing more of it is asked for."""
        yield from self._below()
        while not self._place.at.ended:
            items, spot = self._listed(self._place.at)
            past = not spot.checks and self._reach.is_past([seen.what for seen in items])
            wanted = [seen for seen in self._place.at.fresh(items, _name) if self._reach.holds(seen.what)]
            several = self._place.several or self._place.at.start > 0
            observed, listings = self._read(items, wanted)
            self._move(at=spot.over() if past else spot, several=several)
            if spot.unsure and self._place.posts:
                self._gaps.append(
                    Gap(what="posts", why="posts were removed each time while their list was read")
                )
                self._move(posts=False)
            yield self._batch(observed, listings)
            yield from self._below()

    def _changed(self) -> Iterator[Batch]:
        """The head of the list once more: what was edited while it was read has moved there."""
        yield from self._below()
        since = self._place.begun() - _BEFORE
        while not self._place.at.ended:
            items, spot = self._listed(self._place.at)
            fresh = [seen for seen in items if _changed_since(seen.what, since)]
            wanted = [seen for seen in fresh if self._reach.holds(seen.what)]
            observed, listings = self._read(items, wanted)
            self._move(at=spot.over() if len(fresh) < len(items) else spot)
            yield self._batch(observed, listings)
            yield from self._below()

    def _listed(self, spot: Spot) -> tuple[list[Seen[Post]], Spot]:
        """One answer of the list of posts. Of one that cannot be read nobody knows when it was published, nor what answers it."""
        path = f"posts?q=author&author={coded(self._ours.urn)}&sortBy=LAST_MODIFIED"
        if self._drafts:
            path += "&viewContext=AUTHOR"
        try:
            answer, onward = self._asking.onward(path, Post, spot, _name)
        except NotGiven as refused:
            if refused.forbidden:
                raise AccessRevoked(f"The page's posts are not shown. {refused}") from refused
            raise
        if odd := spot.unmet(answer.unread):
            self._gaps += self._asking.gaps_of("a post", odd, posted)
            self._move(posts=False, threads=False)
        return answer.items, onward

    def _read(
        self, items: Sequence[Seen[Post]], wanted: Sequence[Seen[Post]]
    ) -> tuple[list[Observation], list[Listing]]:
        """Observe posts. The comments below those that are wanted wait, and of those without any it is said."""
        names = [seen.what.id for seen in wanted]
        told = posts.read(self._asking, self._ours, items, names)
        self._gaps += told.gaps
        self._place = self._place.knowing(told.aliases)
        self._move(total=self._place.total + told.counted)
        if not self._place.shut:
            self._move(waiting=tuple(reversed(told.below)))
        if not self._reach.narrowed:
            return told.observed, []
        self._move(met=tuple(dict.fromkeys((*self._place.met, *names))))
        return told.observed, [self._under(name) for name in told.unanswered]

    # -- comments ------------------------------------------------------------------------------------------

    def _below(self) -> Iterator[Batch]:
        """Read the lists of comments that wait, the last one first, with what answers each comment."""
        while self._place.waiting:
            *others, place = self._place.waiting
            told = comments.Read(whole=False)
            with self._asking.about("comments", place.name) as asked:
                told = comments.read(self._asking, self._ours, place, names=self._names)
            if asked.gap is not None:
                self._gaps.append(asked.gap)
            if asked.gap is not None or told.odd:
                self._hears_again()
            self._gaps += told.gaps
            if told.shut:
                self._move(waiting=(), shut=True, threads=False)
                yield self._batch()
                return
            further = (told.further,) if told.further is not None else ()
            self._move(waiting=(*others, *further, *reversed(told.below)))
            if told.further is None and not told.whole:
                self._move(threads=False)
            listed = self._reach.narrowed and told.further is None and told.whole
            yield self._batch(told.observed, [self._under(place.name)] if listed else [])

    # -- what LinkedIn has to tell -------------------------------------------------------------------------

    def _heard(self) -> Iterator[Batch]:
        """Notices of the time of the pass: removals are told of, and older posts on which something happened wait."""
        span = self._place.heard or self._reach.tells(self._place.begun(), self._place.told)
        if span is None:
            return
        if self._place.at == Spot():
            # Behind the beginning it was noted, but where something was not told that the next pass asks for.
            self._move(heard=span)
        while not self._place.at.ended:
            why, spot = "", self._place.at
            items: list[Seen[Notice]] = []
            odd: list[Gap] = []
            try:
                with self._asking.about(_TOLD, self._ours.urn) as asked:
                    answer, spot = notices.asked(self._asking, self._ours, *span, self._place.at)
                    items = answer.items
                    odd = self._asking.gaps_of(_TOLD, self._place.at.unmet(answer.unread), _of_nothing_kept)
            except NotGiven as refused:
                why = refused.why
            else:
                why = asked.gap.why if asked.gap is not None else ""
            if why:
                # The next pass asks for what this one was not told.
                self._gaps.append(Gap(what=_TOLD, why=why, since=span[0]))
                self._move(at=self._place.at.over(), heard=None)
                yield self._batch()
                return
            if odd:
                self._gaps += (replace(one, since=span[0]) for one in odd)
                self._move(heard=None)
            told = notices.read(items, self._place.aliases, self._asking.last)
            self._place = self._place.knowing(told.aliases)
            if self._reach.narrowed:
                self._gaps += told.gaps
                known = {*self._place.met, *self._place.late}
                later = [post for post in dict.fromkeys(told.posts) if post not in known]
                self._move(late=(*self._place.late, *later))
            self._move(at=spot)
            yield self._batch(sightings=told.sightings)

    def _late(self) -> Iterator[Batch]:
        """Posts that are older than the reach of the pass, and on which something happened."""
        yield from self._below()
        while self._place.late:
            post, *others = self._place.late
            self._move(late=tuple(others))
            observed: list[Observation] = []
            listings: list[Listing] = []
            seen: Seen[Post] | None = None
            try:
                with self._asking.about("a post that was answered", post) as asked:
                    seen = self._asking.one(f"posts/{coded(post)}", Post)
            except NotGiven as refused:
                if not refused.not_found:
                    self._gaps.append(Gap(what="a post that was answered", why=refused.why, native_id=post))
            else:
                if asked.gap is not None:
                    self._gaps.append(asked.gap)
                    self._hears_again()
            if seen is not None:
                told = posts.read(self._asking, self._ours, [seen])
                self._gaps += told.gaps
                observed, listings = told.observed, [self._under(name) for name in told.unanswered]
                self._move(waiting=tuple(told.below) if not self._place.shut else ())
            yield self._batch(observed, listings)
            yield from self._below()

    def _hears_again(self) -> None:
        """What LinkedIn told of a post that could not be read is to be heard by the next pass once more."""
        if self._place.stage == LATE:
            self._move(heard=None)

    # -- how a pass ends -----------------------------------------------------------------------------------

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass."""
        last = yield from but_the_last(batches)
        # Resumed behind everything that there was to ask, a pass has nothing more to show than its end.
        yield self._closed(last if last is not None else self._again())

    def _again(self) -> Batch:
        """The introduction once more, for a pass that was resumed at its very end."""
        return self._introduced(organisation.find(self._asking, self._named, self._place.page))

    def _introduced(self, found: Found) -> Batch:
        introduced, gaps = found.observed(self._asking)
        self._gaps += gaps
        return self._batch([introduced])

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        threads = self._place.threads or self._place.shut or self._reach.narrowed
        if not (self._place.posts and threads):
            # What LinkedIn told of a post that was missed, no post was read for: it is to be heard again.
            self._move(heard=None)
        place, listings = self._place, list(last.listings)
        exchange = len(last.exchanges) - 1
        states = (State.PRESENT, State.HIDDEN) if self._drafts else (State.PRESENT,)
        if place.posts:
            of_posts = self._place.listing([Kind.POST], exchange, states)
            listings.append(
                replace(of_posts, published_from=self._reach.begins, published_until=self._reach.ends)
            )
        if place.threads and not self._reach.narrowed:
            of_comments = self._place.listing([Kind.COMMENT, Kind.REPLY], exchange)
            listings.append(replace(of_comments, stated_total=place.total if place.posts else None))
        return replace(last, listings=tuple(listings), resume_from=place.finished().cursor())

    def _under(self, name: str) -> Listing:
        return replace(self._place.listing([Kind.COMMENT, Kind.REPLY], self._asking.last), in_reply_to=name)

    def _move(self, **changes: Any) -> None:
        self._place = self._place.moved(**changes)

    def _batch(
        self,
        observed: Sequence[Observation] = (),
        listings: Sequence[Listing] = (),
        sightings: Sequence[Sighting] = (),
    ) -> Batch:
        gaps, self._gaps = self._gaps, []
        return self._asking.batch(
            self._place.cursor(), observed, listings=listings, sightings=sightings, gaps=gaps
        )


def _name(read: Post) -> str:
    return read.id


def _of_nothing_kept(_notice: str) -> None:
    """A notice bears a number of its own, by which nothing is kept."""


def _changed_since(read: Post, since: datetime) -> bool:
    at = moment(read.last_modified_at)
    return at is None or at >= since
