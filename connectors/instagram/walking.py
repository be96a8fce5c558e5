"""One pass over an account: introduction, stories, messages, what others tagged it in, then posts with what answers them.

Lists are read by cursors, so that what is added or removed meanwhile shifts
nothing; newest first, so that what comes meanwhile is the next pass's. A cursor
that Instagram no longer knows begins its list anew, which misses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors import graph_passes
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, Sighting
from connectors.errors import AccessRevoked
from connectors.graph import Asking, Edge, NotGiven, advanced, files_kept_back, moment
from connectors.graph_passes import BOTH, NEAR, span, under, without_words
from connectors.instagram import asking as options
from connectors.instagram import parse, shapes
from connectors.instagram.asking import Door, Wanted
from connectors.instagram.place import (
    COMMENTS,
    CONVERSATIONS,
    COUNTED,
    LATELY,
    MEDIA,
    MESSAGES,
    REPLIES,
    STORIES,
    TAGS,
    Place,
)
from connectors.instagram.reading import Walk, counted_and_not_shown, introduction
from connectors.instagram.shapes import Media
from connectors.pieces import Seen

_MOST_SHOWN = 10_000
"""So many of an account's newest posts Instagram lists, and none that are older."""

_TAGGED_LATER = timedelta(days=30)
"""Others may tag the account in what they published before: the list of that is not strictly in order of time."""

_EARLIEST = datetime(2010, 10, 6, tzinfo=UTC)
_WITHIN_A_POST = 25
_LISTED_AT_ONCE = 50
_WHAT: Mapping[str, str] = {
    COMMENTS: "comments",
    COUNTED: "comments",
    LATELY: "comments",
    REPLIES: "replies",
    MESSAGES: "messages of a conversation",
}
_TITLES: Mapping[str, str] = {
    STORIES: "stories",
    CONVERSATIONS: "messages",
    TAGS: "posts that the account is tagged in",
    MEDIA: "posts",
}
_WAYS: Mapping[str, str] = {STORIES: parse.STORY, TAGS: parse.TAGGED}


class Pass(graph_passes.Pass[Place]):
    """A pass from `place` on."""

    def __init__(self, asking: Asking, wanted: Wanted, page: Page, place: Place) -> None:
        super().__init__(asking, page, place)
        self._wanted, self._known = wanted, place
        self._reach = timedelta(days=options.answered_within(page))
        self._size = options.at_once(page)
        self._left_out = options.left_out(page)
        self._met: dict[str, set[str]] = {}
        """Where each list has led so far."""
        self._unlisted: list[Listing] = []
        """Listings of items whose answers stood inside them; the next batch takes them along."""

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the stages from where it stands."""
        account = introduction(self._asking, self._wanted, self._known.page, self._known.owner)
        self._walk = Walk(self._asking, account)
        self._move(page=account.number, owner=account.owner)
        self._may_read_comments()
        yield self._batch([account.observed])
        yield from self._ended(self._stages())

    def _stages(self) -> Iterator[Batch]:
        yield from self._in_turn()
        if self._place.threads and self._wanted.door is Door.FACEBOOK:
            # What was shown of comments was all of it only where that is permitted still.
            self._may_read_comments()
            yield self._batch()

    def _stage(self, stage: str) -> Iterator[Batch]:
        if stage == MEDIA:
            return self._listed(stage, self._posts)
        if stage == CONVERSATIONS:
            wanted, read = options.reads_messages(self._page), self._conversations()
        else:
            wanted, read = self._asks_for(stage), self._listed(stage, self._others)
        return self._apart(_TITLES[stage], stage, read) if wanted else iter(())

    def _hides(self, stage: str) -> None:
        self._move(
            posts=self._place.posts and stage == CONVERSATIONS, threads=self._place.threads and stage != MEDIA
        )

    def _asks_for(self, stage: str) -> bool:
        """Whether a list is wanted, is had by this door, and can hold anything of the span."""
        if stage in self._left_out or (stage == TAGS and self._wanted.door is Door.INSTAGRAM):
            return False
        shown_since = self._asking.now() - parse.SHOWN_FOR - NEAR
        return stage != STORIES or self._ends is None or self._ends >= shown_since

    def _may_read_comments(self) -> None:
        """A permission that was lost may leave no trace in lists: what others write is then simply not in them."""
        token = self._asking.token_told() if self._wanted.door is Door.FACEBOOK else None
        if token is None or {"instagram_basic", "instagram_manage_comments"} <= {*token.scopes}:
            return
        why = "the token lacks instagram_basic or instagram_manage_comments: connect the page again and permit it"
        self._walk.gaps.append(Gap(what="comments", why=why))
        self._move(threads=False)

    # -- messages ------------------------------------------------------------------------------------------

    def _conversations(self) -> Iterator[Batch]:
        """Conversations come newest first; of those that were silent since the span began nothing is read."""
        yield from self._waiting()
        met: set[str] = set()
        path = f"{self._place.owner or self._place.page}/conversations"
        while not self._place.ended:
            try:
                found, _ = self._asking.gathered(
                    path,
                    shapes.Conversation,
                    lambda _: shapes.CONVERSATION_FIELDS,
                    {"platform": "instagram", **self._place.at},
                    _LISTED_AT_ONCE,
                )
            except NotGiven as refused:
                if self._begun_anew(refused, met):
                    continue
                self._lacks("messages", refused)
                yield self._batch()
                return
            moved = [one.what.id for one in found.items if self._moved_within(one.what.updated_time)]
            silent = bool(found.items) and not moved
            # Its number is all that a conversation is read by.
            moved += [one.id for one in found.unread if one.id is not None]
            nameless = [one for one in found.unread if one.id is None]
            self._walk.gaps += self._asking.gaps_of(_WHAT[MESSAGES], nameless)
            self._lead(None if silent else found.following, met, path)
            self._move(waiting=tuple((MESSAGES, name, {}) for name in reversed(moved)))
            yield self._batch()
            yield from self._waiting()

    def _messages(self, conversation: str, at: Mapping[str, str]) -> Batch:
        """One answer of a conversation, newest first."""
        try:
            found, _ = self._asking.gathered(
                f"{conversation}/messages",
                shapes.Message,
                lambda _: shapes.MESSAGE_FIELDS,
                at,
                _LISTED_AT_ONCE,
            )
        except NotGiven as refused:
            if at and refused.cursor_forgotten:
                return self._messages(conversation, {})
            self._lacks("messages of a conversation", refused)
            return self._batch()
        self._walk.gaps += self._asking.gaps_of(_WHAT[MESSAGES], found.unread)
        told = [(one, parse.message(one, conversation)) for one in found.items]
        bare = without_words([one.what.id for one, seen in told if seen is None], self._asking.last)
        before = parse.times(found.items)
        past = self._begins is not None and bool(before) and max(before) < self._begins
        if found.following is not None and not past:
            self._goes_on(MESSAGES, conversation, found.following)
        return self._batch([seen for _, seen in told if seen is not None], bare)

    # -- lists of what is published ------------------------------------------------------------------------

    def _listed(self, stage: str, read: Callable[[str], Generator[Batch, None, None]]) -> Iterator[Batch]:
        try:
            yield from read(stage)
        except NotGiven as refused:
            if stage == MEDIA:
                raise AccessRevoked(f"The account's posts are not shown: {refused.why}.") from refused
            self._lacks(_TITLES[stage], refused)
            self._move(posts=self._place.posts and not self._place.may_hide(stage, refused))
            yield self._batch()

    def _others(self, stage: str) -> Generator[Batch, None, None]:
        """Stories, or what others published: nothing that answers it is told."""
        way, fields, margin = (
            (parse.STORY, shapes.STORY_FIELDS, timedelta(0))
            if stage == STORIES
            else (parse.TAGGED, shapes.OTHERS_FIELDS, _TAGGED_LATER)
        )

        def ask(path: str) -> tuple[Edge[Media], bytes]:
            return self._asking.gathered(path, Media, lambda _: fields, self._place.at, _LISTED_AT_ONCE)

        def seen(found: Edge[Media], _: bytes) -> list[Observation]:
            if stage == STORIES:
                self._note_files(found.items)
            return [parse.post(one, self._place.page, way) for one in found.items]

        yield from self._pages(stage, ask, seen, margin)

    def _posts(self, stage: str) -> Generator[Batch, None, None]:
        yield from self._waiting()

        def ask(path: str) -> tuple[Edge[Media], bytes]:
            at = {**self._asked_span(), **self._place.at}
            return self._walk.posts(path, at, self._size, _WITHIN_A_POST)

        yield from self._pages(stage, ask, self._families, self._reach)

    def _pages(
        self,
        stage: str,
        ask: Callable[[str], tuple[Edge[Media], bytes]],
        seen: Callable[[Edge[Media], bytes], list[Observation]],
        margin: timedelta,
    ) -> Generator[Batch, None, None]:
        """Read a list from where the pass stands; after each answer, what waits to be read of its items."""
        path, met = f"{self._place.page}/{stage}", set[str]()
        while not self._place.ended:
            try:
                found, body = ask(path)
            except NotGiven as refused:
                if self._begun_anew(refused, met):
                    continue
                raise
            self._lead(None if self._past(found, margin) else found.following, met, path)
            if found.gave:
                self._place = self._place.giving(stage)
            if found.unread:
                naming = parse.naming(_WAYS.get(stage, ""))
                self._walk.gaps += self._asking.gaps_of(_TITLES[stage], found.unread, naming)
                self._hides(stage)
            observed = seen(found, body)
            yield self._batch(observed)
            yield from self._waiting()

    def _families(self, found: Edge[Media], body: bytes) -> list[Observation]:
        """The posts of one answer, with the comments inside them; of what is not told whole there the rest waits."""
        observed: list[Observation] = []
        waiting: list[tuple[str, str, dict[str, str]]] = []
        complete: list[str] = []
        total, at = self._place.total, parse.times(found.items)
        for one in found.items:
            counted = one.what.comments_count
            total = None if counted is None or total is None else total + counted
            below = self._walk.below(one, body)
            observed += [self._walk.post(one), *below.seen]
            complete += below.complete
            left = (self._left(one, each, below.seen) for each in below.waiting)
            waiting += [each for each in left if each is not None]
        self._note_files(found.items)
        self._list(complete)
        oldest = min([*at, *([self._place.oldest] if self._place.oldest else [])], default=None)
        count = self._place.count + found.gave
        self._move(waiting=tuple(reversed(waiting)), total=total, count=count, oldest=oldest)
        return observed

    def _note_files(self, items: Sequence[Seen[Media]]) -> None:
        told = (parse.without_files(one) for one in items if self._lies_within(moment(one.what.timestamp)))
        self._walk.gaps += [gap for gap in told if gap is not None]

    # -- what answers posts --------------------------------------------------------------------------------

    def _comments(self, post: str, at: Mapping[str, str]) -> Batch:
        return self._below(COMMENTS, post, at)

    def _counted(self, post: str, at: Mapping[str, str]) -> Batch:
        return self._below(COUNTED, post, at)

    def _lately(self, post: str, at: Mapping[str, str]) -> Batch:
        return self._below(LATELY, post, at)

    def _below(self, edge: str, post: str, at: Mapping[str, str]) -> Batch:
        """One answer of the comments of a post, newest first."""
        try:
            found, told = self._walk.comments(post, at)
        except NotGiven as refused:
            return self._refused(edge, post, at, refused)
        if told.unread:
            self._move(odd=tuple(sorted({*self._place.odd, post})), threads=False)
        if told.following is not None:
            if edge != LATELY or self._reaches(parse.times(told.items)):
                self._goes_on(edge if edge == LATELY else COMMENTS, post, told.following)
        elif edge == COUNTED and not told.gave:
            self._walk.gaps.append(counted_and_not_shown(post))
            self._move(threads=False)
        elif self._shown_whole(post):
            found.complete.append(post)
        self._move(waiting=(*self._place.waiting, *reversed(found.waiting)))
        self._list(found.complete)
        return self._batch(found.seen)

    def _replies(self, comment: str, at: Mapping[str, str]) -> Batch:
        """One answer of the replies to a comment."""
        try:
            found, told = self._walk.replies(comment, at)
        except NotGiven as refused:
            return self._refused(REPLIES, comment, at, refused)
        if told.unread:
            self._move(odd=tuple(sorted({*self._place.odd, comment})), threads=False)
        if told.following is not None:
            self._goes_on(REPLIES, comment, told.following)
        elif self._shown_whole(comment):
            self._list([comment])
        return self._batch(found.seen)

    def _shown_whole(self, name: str) -> bool:
        """Whether all that answers an item could be read, now that its list has come to its end."""
        whole = name not in self._place.odd
        self._move(odd=tuple(one for one in self._place.odd if one != name))
        return whole

    def _refused(self, edge: str, name: str, at: Mapping[str, str], refused: NotGiven) -> Batch:
        if at and refused.cursor_forgotten:
            return self._read_next(edge, name, {})
        if not refused.not_found:
            self._walk.gaps.append(Gap(what="comments", why=refused.why, native_id=name))
        # Else it was removed since it was listed: the next pass will say how it stands.
        self._move(threads=False)
        return self._batch()

    def _left(
        self, post: Seen[Media], left: tuple[str, str, dict[str, str]], shown: Sequence[Observation]
    ) -> tuple[str, str, dict[str, str]] | None:
        """What to read of what answers a post: all of it where the post lies within the span.

        Of an older post, comments are read as far as they lie within it: they
        come newest first, and nothing else tells of a new one.
        """
        published = moment(post.what.timestamp)
        edge, name, at = left
        if self._begins is None or published is None or published >= self._begins or edge == REPLIES:
            return left
        tops = [one.published_at for one in shown if one.in_reply_to == name and one.published_at]
        return (LATELY, name, at) if not at or self._reaches(tops) else None

    def _list(self, names: Sequence[str]) -> None:
        """Of these items everything was shown that answers them; the next batch says so where they are told one by one."""
        if names and self._one_by_one:
            self._unlisted += under(names, self._place.begun(), 0)

    # -- the span ------------------------------------------------------------------------------------------

    def _asked_span(self) -> dict[str, str]:
        """The span in Graph's words, with the days before it whose posts may be answered within it."""
        return span(None if self._begins is None else self._from(self._reach), self._ends)

    def _from(self, margin: timedelta) -> datetime:
        begins = self._begins or _EARLIEST
        return begins - margin if begins - _EARLIEST > margin else _EARLIEST

    def _past(self, found: Edge[Media], margin: timedelta) -> bool:
        """Whether an answer, newest first, lies wholly before the span: Instagram may not keep to `since`."""
        if self._begins is None:
            return False
        at = parse.times(found.items)
        return bool(at) and len(at) == found.gave and max(at) < self._from(margin) - NEAR

    # -- how a pass goes on and ends -----------------------------------------------------------------------

    def _waiting(self) -> Iterator[Batch]:
        """Read what waits, one answer after the other; what is left of a list waits again, behind what it led to."""
        while self._place.waiting:
            *others, (edge, name, at) = self._place.waiting
            self._move(waiting=tuple(others))
            batch: Batch | None = None
            with self._asking.about(_WHAT[edge], name) as asked:
                batch = self._read_next(edge, name, at)
            if asked.gap is not None:
                self._walk.gaps.append(asked.gap)
                self._move(threads=self._place.threads and edge == MESSAGES)
            yield batch if batch is not None else self._batch()

    def _read_next(self, edge: str, name: str, at: Mapping[str, str]) -> Batch:
        read = {
            COMMENTS: self._comments,
            COUNTED: self._counted,
            LATELY: self._lately,
            REPLIES: self._replies,
            MESSAGES: self._messages,
        }
        return read[edge](name, at)

    def _goes_on(self, edge: str, name: str, following: Mapping[str, str]) -> None:
        """This list is not read to its end: it waits, also for a pass that is resumed."""
        met = self._met.setdefault(f"{edge} {name}", set())
        at = dict(advanced(following, met, f"the {edge} of {name}"))
        self._move(waiting=(*self._place.waiting, (edge, name, at)))

    def _begun_anew(self, refused: NotGiven, met: set[str]) -> bool:
        """Whether a list was refused for its cursor, which Instagram keeps for a time only; it then begins anew."""
        if not self._forgotten(refused, met):
            return False
        self._move(total=None, count=0, oldest=None)
        return True

    @property
    def _gaps(self) -> list[Gap]:
        return self._walk.gaps

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        place, exchange = self._place, len(last.exchanges) - 1
        cut = place.oldest if place.count >= _MOST_SHOWN else None
        threads = place.threads and place.posts and cut is None
        listings, gaps = list(last.listings), [*last.gaps, *self._walk.gaps]
        if place.posts:
            begins = max(filter(None, (self._begins, cut)), default=None)
            if begins is None or self._ends is None or begins <= self._ends:
                listings.append(place.listing([Kind.POST], exchange, BOTH, begins, self._ends))
        if cut is not None and (self._begins is None or self._begins < cut):
            gaps.append(_older(cut, self._begins))
        if threads and not self._one_by_one:
            listings.append(
                replace(place.listing([Kind.COMMENT, Kind.REPLY], exchange, BOTH), stated_total=place.total)
            )
        if not threads:
            self._move(threads=False)
        return replace(
            last, listings=tuple(listings), gaps=tuple(gaps), resume_from=self._place.finished().cursor()
        )

    def _batch(self, observed: Sequence[Observation] = (), sightings: Sequence[Sighting] = ()) -> Batch:
        gaps = [*self._walk.gaps, *files_kept_back(observed)]
        gaps += [*self._walk.fields_dropped(), *self._answered_as("Instagram")]
        self._walk.gaps = []
        listings = [replace(one, exchange=self._asking.last) for one in self._unlisted]
        self._unlisted = []
        return self._asking.batch(
            self._place.cursor(), observed, listings=listings, sightings=sightings, gaps=gaps
        )


def _older(cut: datetime, begins: datetime | None) -> Gap:
    return Gap(
        what="posts",
        why=f"Instagram lists the newest {_MOST_SHOWN} posts of an account, and there may be older ones. Import the "
        "account's own download for them",
        since=begins,
        until=cut,
    )
