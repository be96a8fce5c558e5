"""One pass over a page: introduction and settings, messages, events and albums, then posts with their comments.

Lists are read by cursors, so that what is added or removed meanwhile shifts
nothing; newest first, so that what comes meanwhile is the next pass's. A cursor
that Facebook no longer knows begins its list anew, which misses nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from connectors import graph_passes
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, Sighting
from connectors.errors import AccessRevoked
from connectors.facebook import asking as options
from connectors.facebook import parse, shapes
from connectors.facebook.place import BLOCKED, CONVERSATIONS, POSTS, SETTINGS, THINGS, Place
from connectors.facebook.reading import OURS, Walk, introduction, reads_visitors
from connectors.graph import Asking, Edge, NotGiven, advanced, files_kept_back, moment
from connectors.graph_passes import BOTH, NEAR, span, under, without_words
from connectors.pieces import Malformed, Seen

T = TypeVar("T")

OWN = "published_posts"

_RANKED = 500
"""Of so many own posts in a year Facebook may have left some out: it shows about six hundred of each."""

_COMMENTS_WITHIN_A_POST = 25
_LISTED_AT_ONCE = 100

_OF_ITS_PEOPLE = (SETTINGS, BLOCKED)

_TITLES: Mapping[str, str] = {
    SETTINGS: "settings and word filters",
    BLOCKED: "blocked people",
    CONVERSATIONS: "messages",
    "events": "events",
    "albums": "albums",
    "videos": "videos",
    "video_reels": "reels",
    "live_videos": "live videos",
    "ratings": "recommendations",
    "tagged": "posts that name the page",
    "visitor_posts": "posts of visitors",
    OWN: "posts",
}


class Pass(graph_passes.Pass[Place]):
    """A pass from `place` on."""

    def __init__(self, asking: Asking, name: str, page: Page, place: Place) -> None:
        super().__init__(asking, page, place)
        self._name, self._known = name, place.page
        self._reach = timedelta(days=options.answered_within(page))
        self._size = options.at_once(page)
        self._left_out = options.left_out(page)

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the stages from where it stands."""
        introduced = introduction(self._asking, self._name, self._known)
        self._walk = Walk(self._asking, introduced.native_id)
        self._move(page=introduced.native_id)
        self._is_shown_visitors()
        yield self._batch([introduced])
        yield from self._ended(self._stages())

    def _stages(self) -> Iterator[Batch]:
        yield from self._in_turn()
        if self._place.posts or self._place.threads:
            # What was shown of visitors was all of it only where that is permitted still.
            self._is_shown_visitors()
            yield self._batch()

    def _stage(self, stage: str) -> Iterator[Batch]:
        if stage == OWN:
            return self._listed(stage, self._posts)
        what = _TITLES[stage]
        if stage in _OF_ITS_PEOPLE:
            return self._apart(what, stage, self._known_to_its_people(stage))
        if stage == CONVERSATIONS:
            wanted = options.reads_messages(self._page)
            return self._apart(what, stage, self._conversations()) if wanted else iter(())
        if stage in THINGS:
            wanted = stage not in self._left_out
            return self._apart(what, stage, self._listed(stage, self._things)) if wanted else iter(())
        return self._apart(what, stage, self._listed(stage, self._posts))

    def _hides(self, stage: str) -> None:
        if stage in {*THINGS, *POSTS}:
            self._move(posts=False, threads=self._place.threads and stage in THINGS)

    def _is_shown_visitors(self) -> None:
        """A permission that was lost leaves no trace in lists: what visitors write is then simply not in them."""
        token = self._asking.token_told()
        if token is None or reads_visitors(token):
            return
        why = "the token lacks pages_read_engagement or pages_read_user_content: connect the page again and permit it"
        self._walk.gaps.append(Gap(what="posts and comments of visitors", why=why))
        self._move(posts=False, threads=False)

    # -- what only the page's people see -------------------------------------------------------------------

    def _known_to_its_people(self, stage: str) -> Iterator[Batch]:
        """The page's settings, or whom it keeps away, as one record."""
        asking, first = self._asking, self._asking.last + 1
        observed: Observation | None = None
        try:
            if stage == SETTINGS:
                switches = self._all(stage, shapes.Setting, ("setting", "value"))
                if switches is not None:
                    observed = parse.settings(switches, list(asking.since(first)))
            else:
                named = self._all(stage, shapes.Who, ("id", "name"))
                if named is not None:
                    observed = parse.blocked(named, list(asking.since(first)))
        except NotGiven as refused:
            self._lacks(_TITLES[stage], refused)
        yield self._batch([observed] if observed is not None else [])

    def _all(self, edge: str, shape: type[T], fields: Sequence[str]) -> list[Seen[T]] | None:
        """A short list as a whole; None, and a gap, where one of it cannot be read: without that the record would be another."""
        found: list[Seen[T]] = []
        at: Mapping[str, str] = {}
        met: set[str] = set()
        while True:
            told, _ = self._walk.edge(
                f"{self._place.page}/{edge}", shape, lambda _: fields, at, _LISTED_AT_ONCE
            )
            if told.unread:
                gaps = self._asking.gaps_of(_TITLES[edge], told.unread[:1])
                self._walk.gaps += [replace(gap, native_id=edge) for gap in gaps]
                return None
            found += told.items
            if told.following is None:
                return found
            at = advanced(told.following, met, edge, OURS)

    def _conversations(self) -> Iterator[Batch]:
        """Conversations come newest first; of those that were silent since the span began nothing is read."""
        yield from self._waiting("messages of a conversation", self._messages)
        met: set[str] = set()
        path = f"{self._place.page}/conversations"
        while not self._place.ended:
            try:
                found, _ = self._walk.edge(
                    path,
                    shapes.Conversation,
                    lambda _: shapes.CONVERSATION_FIELDS,
                    self._place.at,
                    _LISTED_AT_ONCE,
                    {"platform": "MESSENGER"},
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
            self._walk.gaps += self._asking.gaps_of("messages of a conversation", nameless)
            self._lead(None if silent else found.following, met, path, OURS)
            self._move(waiting=tuple((name, {}) for name in reversed(moved)))
            yield self._batch()
            yield from self._waiting("messages of a conversation", self._messages)

    def _messages(self, conversation: str, at: Mapping[str, str]) -> Iterator[Batch]:
        met: set[str] = set()
        while True:
            try:
                found, _ = self._walk.edge(
                    f"{conversation}/messages",
                    shapes.Message,
                    lambda _: shapes.MESSAGE_FIELDS,
                    at,
                    _LISTED_AT_ONCE,
                )
            except NotGiven as refused:
                if at and refused.cursor_forgotten and not met:
                    at = {}
                    continue
                self._lacks("messages of a conversation", refused)
                self._done(conversation)
                yield self._batch()
                return
            self._walk.gaps += self._asking.gaps_of("messages of a conversation", found.unread)
            told = [(one, parse.message(one, conversation)) for one in found.items]
            bare = without_words([one.what.id for one, seen in told if seen is None], self._asking.last)
            before = parse.times(found.items)
            past = self._begins is not None and bool(before) and max(before) < self._begins
            following = None if past else found.following
            if following is not None:
                at = advanced(following, met, f"the messages of {conversation}", OURS)
                self._wait(conversation, at)
            else:
                self._done(conversation)
            yield self._batch([seen for _, seen in told if seen is not None], sightings=bare)
            if following is None:
                return

    # -- lists of what is published ------------------------------------------------------------------------

    def _listed(self, edge: str, read: Callable[[str], Generator[Batch, None, None]]) -> Iterator[Batch]:
        try:
            yield from read(edge)
        except NotGiven as refused:
            if edge == OWN:
                raise AccessRevoked(f"The page's posts are not shown: {refused.why}.") from refused
            self._lacks(_TITLES[edge], refused)
            self._move(posts=self._place.posts and not self._place.may_hide(edge, refused))
            yield self._batch()

    def _things(self, edge: str) -> Generator[Batch, None, None]:
        def seen(found: Edge[shapes.Thing], _: bytes) -> list[Observation]:
            told = [parse.thing(one, edge, self._place.page) for one in found.items]
            if nameless := told.count(None):
                why = f"Facebook tells {nameless} of them without a number to know them by: look at them in a browser"
                self._walk.gaps.append(Gap(what=_TITLES[edge], why=why))
            return [one for one in told if one is not None]

        fields = shapes.THING_FIELDS[edge]
        shape = shapes.Rating if edge == "ratings" else shapes.Thing
        yield from self._pages(edge, shape, lambda _: fields, _LISTED_AT_ONCE, seen)

    def _posts(self, edge: str) -> Generator[Batch, None, None]:
        yield from self._waiting("comments", self._comments)
        within = None if edge == "tagged" else _COMMENTS_WITHIN_A_POST

        def seen(found: Edge[shapes.Post], body: bytes) -> list[Observation]:
            return self._families(edge, found, body)

        yield from self._pages(
            edge,
            shapes.Post,
            # Where Facebook cannot gather so much at once, fewer posts are asked for with fewer comments each.
            lambda limit: shapes.post_fields(None if within is None else min(within, max(1, limit))),
            self._size,
            seen,
            {"include_hidden": "true", "show_expired": "true"},
        )

    def _pages(
        self,
        edge: str,
        shape: type[T],
        fields: Callable[[int], Sequence[str]],
        limit: int,
        seen: Callable[[Edge[T], bytes], list[Observation]],
        more: Mapping[str, str] | None = None,
    ) -> Generator[Batch, None, None]:
        """Read a list from where the pass stands; after each answer, what waits to be read of its items."""
        path, met = f"{self._place.page}/{edge}", set[str]()
        while not self._place.ended:
            try:
                found, body = self._walk.edge(
                    path, shape, fields, self._place.at, limit, {**(more or {}), **self._asked_span(edge)}
                )
            except NotGiven as refused:
                if self._begun_anew(refused, met):
                    continue
                raise
            past = edge in {*POSTS, "videos", "video_reels", "live_videos"} and self._past(found)
            self._lead(None if past else found.following, met, path, OURS)
            if found.gave:
                self._place = self._place.giving(edge)
            if found.unread:
                self._walk.gaps += self._asking.gaps_of(_TITLES[edge], found.unread, parse.naming(edge))
                self._hides(edge)
            observed = seen(found, body)
            yield self._batch(observed, self._unanswered)
            self._unanswered = []
            yield from self._waiting("comments", self._comments)

    _unanswered: Sequence[Listing] = ()
    """Listings of posts whose comments stood inside them."""

    def _families(self, edge: str, found: Edge[shapes.Post], body: bytes) -> list[Observation]:
        """The posts of one answer, with the comments inside them; of what is not told whole there the rest waits."""
        posts, listed = found.items, self._asking.last
        pictures = self._walk.pictures(posts)
        observed: list[Observation] = []
        waiting: list[tuple[str, dict[str, str]]] = []
        listings: list[Listing] = []
        years, total = Counter(self._place.years), self._place.total
        for one in posts:
            name = one.what.id
            try:
                comments = None if edge == "tagged" else parse.comments_within(body, one)
            except (Malformed, ValueError):
                # They are asked for by themselves; where they cannot be read there either, they alone are a gap.
                comments = None
            counted = comments.total if comments else None
            observed.append(parse.post(one, pictures, counted, tagged=edge == "tagged"))
            at = moment(one.what.created_time)
            if edge == OWN and at is not None:
                years[str(at.year)] += 1
            if edge == "tagged":
                continue
            total = None if counted is None or total is None else total + counted
            below = [parse.comment(two, name, self._place.page) for two in comments.items] if comments else []
            observed += below
            if comments is None or comments.following is not None or comments.unread:
                if self._asks(one.what):
                    # Where one of them cannot be read here, it may be where they are asked for by themselves.
                    leads = comments.following if comments and not comments.unread else None
                    waiting.append((name, dict(leads or {})))
            elif self._one_by_one:
                listings += self._under([name, *(two.native_id for two in below)], listed)
        self._unanswered = listings
        self._move(waiting=tuple(reversed(waiting)), years=dict(years), total=total)
        return observed

    def _comments(self, root: str, at: Mapping[str, str]) -> Iterator[Batch]:
        """The comments of one post from `at` on, and a listing for each item that may have answers."""
        names = [root]
        try:
            for seen, found in self._walk.thread(root, at):
                names += [one.native_id for one in seen]
                if found.unread:
                    self._move(odd=tuple(sorted({*self._place.odd, root})), threads=False)
                if found.following is not None:
                    self._wait(root, found.following)
                    yield self._batch(seen)
                    continue
                self._done(root)
                whole = self._one_by_one and root not in self._place.odd
                self._move(odd=tuple(one for one in self._place.odd if one != root))
                yield self._batch(seen, self._under(names, self._asking.last) if whole else ())
        except NotGiven as refused:
            if at and refused.cursor_forgotten:
                yield from self._comments(root, {})
                return
            if not refused.not_found:
                self._walk.gaps.append(Gap(what="comments", why=refused.why, native_id=root))
            # Else the post was removed since it was listed: the next pass will say how it stands.
            self._done(root)
            self._move(threads=False)
            yield self._batch()

    def _under(self, names: Sequence[str], exchange: int) -> list[Listing]:
        return under(names, self._place.begun(), exchange)

    # -- the span ------------------------------------------------------------------------------------------

    def _asked_span(self, edge: str) -> dict[str, str]:
        """The span in Graph's words, with the days before it whose posts may be answered within it."""
        if edge not in {*POSTS, "video_reels"}:
            return {}
        return span(None if self._begins is None else self._from(edge), self._ends)

    def _from(self, edge: str) -> datetime:
        begins = self._begins or datetime.fromtimestamp(0, UTC)
        reach = self._reach if edge in {"visitor_posts", OWN} else timedelta(0)
        earliest = datetime(2004, 1, 1, tzinfo=UTC)
        return begins - reach if begins - earliest > reach else earliest

    def _past(self, found: Edge[Any]) -> bool:
        """Whether an answer, newest first, lies wholly before the span: Facebook may not keep to `since`."""
        if self._begins is None:
            return False
        at = parse.times(found.items)
        until = self._from(OWN) - NEAR
        return bool(at) and len(at) == found.gave and at == sorted(at, reverse=True) and at[0] < until

    def _asks(self, read: shapes.Post) -> bool:
        """Whether to go on reading the comments of a post: where it lies within the span, or moved since it began.

        Facebook moves `updated_time` with every comment.
        """
        at = moment(read.created_time)
        if not self._spanned or at is None or (self._begins is not None and at >= self._begins):
            return True
        return self._moved_within(read.updated_time)

    # -- how a pass goes on and ends -----------------------------------------------------------------------

    def _waiting(
        self, what: str, read: Callable[[str, Mapping[str, str]], Iterator[Batch]]
    ) -> Iterator[Batch]:
        """Read what waits, one after the other; the cursor leaves out what was read, and what fails alone."""
        while self._place.waiting:
            *others, (name, at) = self._place.waiting
            self._move(waiting=tuple(others))
            with self._asking.about(what, name) as asked:
                yield from read(name, at)
            if asked.gap is not None:
                self._walk.gaps.append(asked.gap)
                self._done(name)
                self._move(threads=self._place.threads and self._place.stage == CONVERSATIONS)
                yield self._batch()

    def _wait(self, name: str, at: Mapping[str, str]) -> None:
        """This one is not read to its end: a pass that is resumed goes on with it."""
        self._done(name)
        self._move(waiting=(*self._place.waiting, (name, dict(at))))

    def _done(self, name: str) -> None:
        self._move(waiting=tuple(one for one in self._place.waiting if one[0] != name))

    def _begun_anew(self, refused: NotGiven, met: set[str]) -> bool:
        """Whether a list was refused for its cursor, which Facebook keeps for a time only; it then begins anew."""
        if not self._forgotten(refused, met):
            return False
        self._move(total=None, years={})
        return True

    @property
    def _gaps(self) -> list[Gap]:
        return self._walk.gaps

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        place, exchange = self._place, len(last.exchanges) - 1
        cut = sorted(int(year) for year, count in place.years.items() if count >= _RANKED)
        threads = place.threads and place.posts and not cut
        listings = list(last.listings)
        if place.posts:
            listings += [
                place.listing([Kind.POST], exchange, BOTH, *certain) for certain in self._certain(cut)
            ]
        if threads and not self._one_by_one:
            listings.append(
                replace(place.listing([Kind.COMMENT, Kind.REPLY], exchange, BOTH), stated_total=place.total)
            )
        gaps = [*last.gaps, *self._walk.gaps, *(_ranked(year) for year in cut)]
        if not threads:
            self._move(threads=False)
        return replace(
            last, listings=tuple(listings), gaps=tuple(gaps), resume_from=self._place.finished().cursor()
        )

    def _certain(self, cut: Sequence[int]) -> Iterator[tuple[datetime | None, datetime | None]]:
        """The span of the pass without the years of which Facebook may have left posts out."""
        begin = self._begins
        for year in cut:
            first = datetime(year, 1, 1, tzinfo=UTC)
            if begin is None or begin < first:
                yield begin, first - timedelta(seconds=1)
            begin = datetime(year + 1, 1, 1, tzinfo=UTC)
        if self._ends is None or begin is None or begin <= self._ends:
            yield begin, self._ends

    def _batch(
        self,
        observed: Sequence[Observation] = (),
        listings: Sequence[Listing] = (),
        sightings: Sequence[Sighting] = (),
    ) -> Batch:
        gaps = [*self._walk.gaps, *files_kept_back(observed)]
        gaps += [*self._walk.fields_dropped(), *self._answered_as(OURS)]
        self._walk.gaps = []
        return self._asking.batch(
            self._place.cursor(), observed, listings=listings, sightings=sightings, gaps=gaps
        )


def _ranked(year: int) -> Gap:
    return Gap(
        what="posts",
        why=f"Facebook shows about 600 posts of a year, and {_RANKED} or more of {year}: some may be left out. Import "
        "the page's own download for that year.",
        since=datetime(year, 1, 1, tzinfo=UTC),
        until=datetime(year + 1, 1, 1, tzinfo=UTC) - timedelta(seconds=1),
    )
