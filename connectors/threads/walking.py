"""One pass over an account: introduction, ghost posts, mentions, its own answers elsewhere, then posts with what answers them.

Lists are read by cursors, so that what is added or removed meanwhile shifts
nothing. A cursor that Threads no longer knows begins its list anew, which
misses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors import graph_passes
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page
from connectors.errors import AccessRevoked
from connectors.graph import Asking, Edge, NotGiven, advanced, files_kept_back, moment
from connectors.graph_passes import BOTH, NEAR, span, under
from connectors.pieces import Seen
from connectors.threads import asking as options
from connectors.threads import parse, shapes
from connectors.threads.place import (
    ANSWERED,
    CONVERSATION,
    GHOSTS,
    LATELY,
    MENTIONS,
    OWN_REPLIES,
    PENDING,
    POSTS,
    Place,
)
from connectors.threads.reading import (
    LISTED_AT_ONCE,
    Walk,
    answered_and_not_shown,
    following,
    introduction,
    reads_answers,
)
from connectors.threads.shapes import Media

_EARLIEST = datetime(2023, 7, 5, tzinfo=UTC)
_TITLES: Mapping[str, str] = {
    GHOSTS: "ghost posts",
    MENTIONS: "posts that name the account",
    OWN_REPLIES: "the account's own answers",
    POSTS: "posts",
}
_FIELDS: Mapping[str, Sequence[str]] = {
    GHOSTS: shapes.POST_FIELDS,
    MENTIONS: shapes.MENTION_FIELDS,
    OWN_REPLIES: shapes.REPLY_FIELDS,
    POSTS: shapes.POST_FIELDS,
}


class Pass(graph_passes.Pass[Place]):
    """A pass from `place` on."""

    def __init__(self, asking: Asking, name: str, page: Page, place: Place) -> None:
        super().__init__(asking, page, place)
        self._name, self._known = name, place.page
        self._reach = timedelta(days=options.answered_within(page))
        self._size = options.at_once(page)
        self._left_out = options.left_out(page)
        self._approves = options.approves(page)
        self._met: dict[str, set[str]] = {}
        """Where each list has led so far."""
        self._ours: dict[str, bool] = {}
        """Posts that were asked for to see whose they are."""
        self._shown: dict[str, list[str]] = {}
        """What was seen so far of what answers a post that is not read to its end."""
        self._unlisted: list[str] = []
        """Items of which everything was shown that answers them; the next batch says so."""

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the stages from where it stands."""
        account = introduction(self._asking, self._name, self._known)
        self._walk = Walk(self._asking, account)
        self._move(page=account.number)
        self._may_read_answers()
        yield self._batch([account.observed])
        yield from self._ended(self._stages())

    def _may_read_answers(self) -> None:
        """A permission that was lost may leave no trace in lists: what others write is then simply not in them."""
        if reads_answers(self._asking.token_told()):
            return
        why = "the token lacks threads_basic or threads_read_replies: connect the page again and permit it"
        self._walk.gaps.append(Gap(what="answers", why=why))
        self._move(threads=False)

    def _stages(self) -> Iterator[Batch]:
        yield from self._in_turn()
        if self._place.threads:
            # What was shown of answers was all of it only where that is permitted still.
            self._may_read_answers()
            yield self._batch()

    def _stage(self, stage: str) -> Iterator[Batch]:
        if stage == POSTS:
            return self._listed(stage)
        wanted = stage not in self._left_out
        return self._apart(_TITLES[stage], stage, self._listed(stage)) if wanted else iter(())

    def _hides(self, stage: str) -> None:
        self._move(threads=False, posts=self._place.posts and stage == OWN_REPLIES)

    # -- lists ---------------------------------------------------------------------------------------------

    def _listed(self, stage: str) -> Iterator[Batch]:
        try:
            yield from self._pages(stage)
        except NotGiven as refused:
            if stage == POSTS:
                raise AccessRevoked(f"The account's posts are not shown: {refused.why}.") from refused
            self._lacks(_TITLES[stage], refused)
            if self._place.may_hide(stage, refused):
                self._move(threads=False, posts=self._place.posts and stage == OWN_REPLIES)
            yield self._batch()

    def _pages(self, stage: str) -> Iterator[Batch]:
        """Read a list from where the pass stands; after each answer, what waits to be read of its items."""
        path = f"{self._place.page}/{stage}"
        yield from self._waiting()
        while not self._place.ended:
            at = {**(self._asked_span(stage) if stage != MENTIONS else {}), **self._place.at}
            size = self._size if stage == POSTS else LISTED_AT_ONCE
            try:
                found = self._walk.listed(path, _FIELDS[stage], at, size)
            except NotGiven as refused:
                if self._forgotten(refused, self._met.setdefault(path, set())):
                    continue
                raise
            leads = None if self._past(found, stage) else following(found)
            self._lead(leads, self._met.setdefault(path, set()), path)
            if found.gave:
                self._place = self._place.giving(stage)
            if found.unread:
                naming = parse.naming(mention=stage == MENTIONS)
                self._walk.gaps += self._asking.gaps_of(_TITLES[stage], found.unread, naming)
                self._hides(stage)
            if stage == POSTS:
                self._wait_for(found)
            self._note_files(found.items)
            yield self._batch(self._seen(stage, found))
            yield from self._waiting()

    def _seen(self, stage: str, found: Edge[Media]) -> list[Observation]:
        described = self._walk.describes(_FIELDS[stage])
        if stage != MENTIONS:
            return self._walk.posts(found, described=described)
        # What names the account below one of its own posts is seen there, with how it stands.
        elsewhere = [one for one in found.items if not self._stands_below_ours(one.what)]
        return self._walk.posts(replace(found, items=elsewhere), mentions=True, described=described)

    def _stands_below_ours(self, read: Media) -> bool:
        if (read.username or "").lower() == self._walk.account.username.lower():
            return True
        if not read.is_reply or read.root_post is None:
            return False
        root = read.root_post.id
        if root not in self._ours:
            try:
                with self._asking.about("what names the account below a post", root) as asked:
                    seen, _ = self._asking.one(root, Media, ("id", "owner"))
                    self._ours[root] = seen.what.owner is not None
            except NotGiven:
                self._ours[root] = False  # posts of others are given to few applications; its own to each
            else:
                if asked.gap is not None:
                    # Whose it is decides under which name it is kept: it is not observed before that is known.
                    self._ours[root] = True
                    self._walk.gaps.append(asked.gap)
                    self._move(posts=False)
        return self._ours[root]

    def _note_files(self, items: Sequence[Seen[Media]]) -> None:
        told = (parse.without_files(one) for one in items if self._lies_within(moment(one.what.timestamp)))
        self._walk.gaps += [gap for gap in told if gap is not None]

    # -- what answers posts --------------------------------------------------------------------------------

    def _wait_for(self, found: Edge[Media]) -> None:
        """What answers these posts waits to be read: all of it where a post lies within the span.

        Of an older post, it is read newest first, as far as it lies within the
        span. Nothing answers a ghost post, or somebody else's that was posted again.
        """
        waiting: list[tuple[str, str, dict[str, str]]] = []
        for one in found.items:
            read, at = one.what, moment(one.what.timestamp)
            older = self._begins is not None and at is not None and at < self._begins
            if read.ghost_post_status or read.media_type == "REPOST_FACADE":
                continue
            if read.has_replies is not False:
                whole = ANSWERED if read.has_replies else CONVERSATION
                waiting.append((LATELY if older else whole, read.id, {}))
            elif not self._approves:
                self._unlisted.append(read.id)
            if self._approves and not older:
                waiting.append((PENDING, read.id, {}))
        self._move(waiting=tuple(reversed(waiting)))

    def _waiting(self) -> Iterator[Batch]:
        """Read what waits, one answer after the other; what is left of a list waits again."""
        while self._place.waiting:
            *others, (kind, post, at) = self._place.waiting
            self._move(waiting=tuple(others))
            batch: Batch | None = None
            with self._asking.about("answers", post) as asked:
                batch = self._below(kind, post, at)
            if asked.gap is not None:
                self._walk.gaps.append(asked.gap)
                self._not_shown(post)
            yield batch if batch is not None else self._batch()

    def _below(self, kind: str, post: str, at: Mapping[str, str]) -> Batch:
        """One answer of what answers a post."""
        try:
            found = self._walk.below(kind, post, at)
        except NotGiven as refused:
            return self._refused(kind, post, at, refused)
        observed = self._walk.answers(found, post)
        self._shown.setdefault(post, []).extend(one.native_id for one in observed)
        if found.unread:
            self._move(threads=False, odd=tuple(sorted({*self._place.odd, post})))
        leads = following(found)
        if leads is None and kind == ANSWERED and not found.gave and not at:
            self._walk.gaps.append(answered_and_not_shown(post))
            left = tuple(one for one in self._place.waiting if one[1] != post)
            self._move(threads=False, waiting=left)
        elif leads is None:
            self._complete(kind, post)
        elif kind != LATELY or self._reaches(parse.times(found.items)):
            on = dict(self._advanced(f"{post}/{kind}", leads))
            self._move(waiting=(*self._place.waiting, (kind, post, on)))
        return self._batch(observed)

    def _complete(self, kind: str, post: str) -> None:
        """All of this list was shown; with it all that answers the post, unless some of it waits for approval."""
        shown = self._shown.get(post, [])
        if self._approves and (
            kind == LATELY or any(one[:2] == (PENDING, post) for one in self._place.waiting)
        ):
            return
        if post not in self._place.odd:
            self._unlisted += [post, *shown]
        self._move(odd=tuple(one for one in self._place.odd if one != post))
        self._shown.pop(post, None)

    def _refused(self, kind: str, post: str, at: Mapping[str, str], refused: NotGiven) -> Batch:
        if at and refused.cursor_forgotten:
            return self._below(kind, post, {})
        if kind == PENDING and not (refused.forbidden or refused.not_found):
            self._complete(kind, post)  # the answers to this post are not approved one by one
            return self._batch()
        if not refused.not_found:
            self._walk.gaps.append(Gap(what="answers", why=refused.why, native_id=post))
        # Else the post was removed since it was listed: the next pass will say how it stands.
        self._not_shown(post)
        return self._batch()

    def _not_shown(self, post: str) -> None:
        """Nothing more is read of what answers a post, and nothing promised of it."""
        left = tuple(one for one in self._place.waiting if one[1] != post)
        self._move(threads=False, waiting=left)
        self._shown.pop(post, None)

    # -- the span ------------------------------------------------------------------------------------------

    def _asked_span(self, stage: str) -> dict[str, str]:
        """The span in seconds since 1970, with the days before it whose posts may be answered within it."""
        return span(None if self._begins is None else self._from(stage), self._ends)

    def _from(self, stage: str) -> datetime:
        begins = self._begins or _EARLIEST
        reach = self._reach if stage == POSTS else timedelta(0)
        return begins - reach if begins - _EARLIEST > reach else min(begins, _EARLIEST)

    def _past(self, found: Edge[Media], stage: str) -> bool:
        """Whether an answer, newest first, lies wholly before the span: Threads may not keep to `since`."""
        if self._begins is None:
            return False
        at = parse.times(found.items)
        return bool(at) and len(at) == found.gave and max(at) < self._from(stage) - NEAR

    # -- how a pass goes on and ends -----------------------------------------------------------------------

    def _advanced(self, what: str, leads: Mapping[str, str]) -> Mapping[str, str]:
        return advanced(leads, self._met.setdefault(what, set()), what)

    @property
    def _gaps(self) -> list[Gap]:
        return self._walk.gaps

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        place, exchange = self._place, len(last.exchanges) - 1
        threads = place.threads and place.posts
        listings = list(last.listings)
        if place.posts:
            listings.append(place.listing([Kind.POST], exchange, BOTH, self._begins, self._ends))
        if threads and not self._one_by_one:
            listings.append(place.listing([Kind.COMMENT, Kind.REPLY], exchange, BOTH))
        if not threads:
            self._move(threads=False)
        return replace(
            last,
            listings=tuple(listings),
            gaps=(*last.gaps, *self._walk.gaps),
            resume_from=self._place.finished().cursor(),
        )

    def _batch(self, observed: Sequence[Observation] = ()) -> Batch:
        gaps = [*self._walk.gaps, *files_kept_back(observed), *self._walk.fields_dropped()]
        self._walk.gaps = []
        listings: list[Listing] = []
        if self._one_by_one:
            listings = under(self._unlisted, self._place.begun(), self._asking.last)
        self._unlisted = []
        return self._asking.batch(self._place.cursor(), observed, listings=listings, gaps=gaps)
