"""One pass over a page: its introduction, what its moderators see, the newest comments, the submissions, and every tree.

Reddit cuts every list off after about a thousand things, newest first, and
says nothing of it. Where the list of submissions is cut off, only what is
younger is promised, and comments are promised item by item, for the trees that
were read. The list of the newest comments shows what is said below
submissions that are listed no more; their trees are read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, Sighting, Span, State
from connectors.errors import UnexpectedResponse
from connectors.lists import Lists
from connectors.pieces import Seen, Unread
from connectors.reddit import found, options, parse
from connectors.reddit.address import Address
from connectors.reddit.asking import AT_ONCE, Asking
from connectors.reddit.parse import moment
from connectors.reddit.place import (
    COMMENTS,
    EDITED,
    LOG,
    NEW,
    QUEUE,
    SPAM,
    TREES,
    Place,
)
from connectors.reddit.reach import Reach
from connectors.reddit.reading import Answer
from connectors.reddit.refusals import NotGiven
from connectors.reddit.shapes import T1, T3, Action, Comment, Person, Rules, Submission, Thing, Wiki
from connectors.reddit.trees import Tree

BOTH = (State.PRESENT, State.HIDDEN)
SHOWN = (State.PRESENT,)
ANSWERS = (Kind.COMMENT, Kind.REPLY)

LISTED_AT_MOST = 1000
_CUT_OFF = 900
"""A list that ends after so many things was cut off: what is removed is taken out after a thousand were counted."""

_LOG_AT_ONCE = 500
_MOST_BARREN = 20
"""After so many answers of a list without anything new it is taken to have no end."""

_OF_A_SUBREDDIT: Mapping[str, str] = {
    SPAM: "about/spam",
    QUEUE: "about/modqueue",
    EDITED: "about/edited",
    COMMENTS: "comments",
    NEW: "new",
    LOG: "about/log",
}
_OF_AN_ACCOUNT: Mapping[str, str] = {COMMENTS: "comments", NEW: "submitted"}

_TITLES: Mapping[str, str] = {
    SPAM: "what was removed",
    QUEUE: "what waits for moderators",
    EDITED: "what was edited lately",
    COMMENTS: "the newest comments",
    NEW: "submissions",
    LOG: "the moderation log",
}


class Pass(Lists[Place]):
    """A pass from `place` on."""

    _asking: Asking

    def __init__(self, asking: Asking, named: Address, page: Page, place: Place) -> None:
        self._asking, self._named = asking, named
        self._place = place if place.began is not None else place.moved(began=asking.now())
        before = timedelta(days=options.answered_within(page))
        self._reach = Reach(page.published_from, page.published_until, before)
        self._speakers = speakers(page, named)
        self._gaps: list[Gap] = []

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the lists from where it stands."""
        self._found = found.find(self._asking, self._named, self._place.page)
        if self._place.moderator not in {None, self._found.moderator}:
            # Connected otherwise since it was begun: what was read then is not all that is shown now.
            self._place = self._place.finished().moved(began=self._asking.now())
        self._move(page=self._found.id, moderator=self._found.moderator)
        yield self._batch([self._found.introduction])
        if self._named.is_subreddit:
            yield from self._about()
        yield from self._ended(self._in_turn())

    @property
    def _states(self) -> Sequence[State]:
        return BOTH if self._found.moderator else SHOWN

    def _stage(self, stage: str) -> Iterator[Batch]:
        if stage == TREES:
            yield from self._trees()
        elif stage == NEW:
            yield from self._list(stage)
        elif self._reads(stage):
            yield from self._apart(_TITLES[stage], stage, self._list(stage))
            if self._place.late:
                yield from self._trees()  # of what it has named only now

    def _reads(self, stage: str) -> bool:
        """Whether a list is read in this pass. What was edited lately is read again with its tree, where it is in the span."""
        if stage in {COMMENTS, NEW}:
            return True
        return self._found.moderator and not (stage == EDITED and self._reach.narrowed)

    # -- the page itself -----------------------------------------------------------------------------------

    def _about(self) -> Iterator[Batch]:
        """Rules and, for those who moderate, who else does, what AutoModerator is told, and who may not write."""
        yield from self._record(
            "rules", lambda: parse.rules(self._asking.one(f"{self._named.path}/about/rules", Rules))
        )
        if not self._found.moderator:
            return
        wiki = f"{self._named.path}/wiki/config/automoderator"
        yield from self._record("moderators", lambda: self._people("moderators"))
        yield from self._record(
            "what AutoModerator is told", lambda: parse.automoderator(self._asking.one(wiki, Wiki))
        )
        yield from self._record("who may not write", lambda: self._people("banned"))

    def _record(self, what: str, read: Callable[[], Observation]) -> Iterator[Batch]:
        observed = []
        try:
            with self._asking.about(what, self._found.id) as asked:
                observed = [read()]
        except NotGiven as refused:
            if not refused.not_found:
                self._gaps.append(Gap(what=what, why=refused.why))
        else:
            self._gaps += filter(None, [asked.gap])
        yield self._batch(observed)

    def _people(self, which: str) -> Observation:
        listed: list[Person] = []
        evidence: list[Span] = []
        after, met = "", set[str]()
        while True:
            shown, following = self._asking.people(f"{self._named.path}/about/{which}", after)
            listed += shown
            evidence.append(self._asking.whole_of_last())
            if following is None:
                return parse.people(which, listed, evidence)
            after = advanced(following, met, which)

    # -- lists ---------------------------------------------------------------------------------------------

    def _list(self, stage: str) -> Iterator[Batch]:
        """One list to its end, or to where it lies before everything that is asked for."""
        paths = _OF_A_SUBREDDIT if self._named.is_subreddit else _OF_AN_ACCOUNT
        more = {} if self._named.is_subreddit else {"sort": "new"}
        met, shown, barren = set[str](), set[str](), 0
        while not self._place.ended:
            try:
                answer = self._asking.listing(
                    f"{self._named.path}/{paths[stage]}",
                    self._place.at,
                    _LOG_AT_ONCE if stage == LOG else AT_ONCE,
                    **more,
                )
            except NotGiven as refused:
                self._lacks(stage, refused)
                yield self._batch()
                return
            names = {name for one in answer.items if (name := _name(one.what))}
            barren = 0 if names - shown else barren + 1
            shown |= names
            if barren >= _MOST_BARREN:
                raise UnexpectedResponse(
                    f"Reddit leads on and on, and shows nothing new: {_TITLES[stage]} have no end."
                )
            self._move(listed=self._place.listed + len(answer.items) + len(answer.unread))
            self._strange(stage, answer.unread)
            listings = self._noted(stage, answer)
            self._lead(stage, answer, met)
            yield self._batch(self._observed(answer.items), listings, self._sighted(answer.items))

    def _lead(self, stage: str, answer: Answer[Thing], met: set[str]) -> None:
        """Where the list goes on; where it ends, what that means."""
        times = [_time(one.what) for one in answer.items]
        widely = stage == NEW and not self._place.reached
        if self._reach.is_before(times, widely=widely):
            self._move(at="", ended=True, reached=self._place.reached or self._says_all(stage))
            return
        if answer.following is not None:
            self._move(at=advanced(answer.following, met, _TITLES[stage]))
            return
        self._move(at="", ended=True)
        if self._place.listed < _CUT_OFF:
            self._move(reached=self._place.reached or self._says_all(stage))
        elif stage == NEW:
            self._cut_off([one for one in times if one is not None])
        elif stage in {SPAM, QUEUE}:
            self._gaps.append(Gap(what=_TITLES[stage], why=_cut_off_why(stage)))
            self._move(held=False)
        elif stage == COMMENTS and not self._named.is_subreddit:
            self._gaps.append(Gap(what="comments of the account", why=_cut_off_why(stage)))
            self._move(comments=False)

    def _says_all(self, stage: str) -> bool:
        """Whether the end of this list says that every comment of the span was met: those of an account are its own alone.

        What was told in another shape is not met: it may stand in any tree.
        """
        return stage == COMMENTS and self._named.is_subreddit and self._place.comments

    def _cut_off(self, times: Sequence[datetime]) -> None:
        """Reddit lists no older submissions, though there are some."""
        oldest = min(times) if times else None
        self._move(since=oldest, posts=self._place.posts and oldest is not None)
        begins = self._reach.begins
        if oldest is None or begins is None or begins < oldest:
            self._gaps.append(Gap(what="submissions", why=_cut_off_why(NEW), until=oldest))

    def _noted(self, stage: str, answer: Answer[Thing]) -> list[Listing]:
        """Which trees are to be read, by what one answer of a list shows; of submissions without comments, that they have none."""
        listings: list[Listing] = []
        for one in answer.items:
            what = one.what
            if isinstance(what, T3) and stage in {SPAM, QUEUE, NEW}:
                listings += self._submission(stage, what.data)
            elif isinstance(what, T1) and stage == COMMENTS and self._named.is_subreddit:
                self._link(what.data)
        return listings

    def _submission(self, stage: str, read: Submission) -> list[Listing]:
        at = moment(read.created_utc)
        counted = read.num_comments
        if stage == NEW and counted:
            self._move(total=self._place.total + counted)
        wanted = self._reach.holds(at) or (
            stage == NEW and not self._place.reached and self._reach.may_be_answered(at)
        )
        if not wanted:
            return []
        if counted == 0:
            return [self._under(read.name)] if self._reach.narrowed and stage == NEW else []
        self._waits(read.name)
        return []

    def _link(self, read: Comment) -> None:
        if (
            read.link_id
            and read.link_id not in self._place.linked
            and self._reach.holds(moment(read.created_utc))
        ):
            self._move(linked=(*self._place.linked, read.link_id))

    def _waits(self, name: str) -> None:
        if name not in self._place.trees:
            self._move(trees=(*self._place.trees, name))

    def _strange(self, stage: str, unread: Sequence[Unread]) -> None:
        """Things of a list are told in another shape: each of them may be whatever that list shows, and what it shows of that thing."""
        if not unread:
            return
        self._gaps += self._asking.gaps_of(_TITLES[stage], unread)
        if stage != LOG:
            # The list of comments holds no submissions.
            posts = self._place.posts and stage == COMMENTS
            self._move(posts=posts, comments=False, held=False)

    def _lacks(self, stage: str, refused: NotGiven) -> None:
        self._misses(stage, Gap(what=_TITLES[stage], why=refused.why))

    def _misses(self, stage: str, gap: Gap) -> None:
        self._gaps.append(gap)
        if stage == NEW:
            self._move(posts=False, comments=False)
        elif stage in {SPAM, QUEUE}:
            self._move(held=False)
        elif stage == COMMENTS and not self._named.is_subreddit:
            self._move(comments=False)

    # -- trees ---------------------------------------------------------------------------------------------

    def _trees(self) -> Iterator[Batch]:
        """The comments of every submission that waits. One that is broken off begins anew."""
        if self._place.linked:
            for name in self._place.linked:
                self._waits(name)
            self._move(linked=())
        while self._place.trees:
            name, *others = self._place.trees
            tree = Tree(self._asking, name, self._speakers)
            try:
                with self._asking.about("comments", name) as asked:
                    for step in tree.read():
                        self._gaps += step.gaps
                        listings: list[Listing] = []
                        if step.last:
                            self._move(trees=tuple(others), comments=self._place.comments and tree.whole)
                            if tree.whole and (self._reach.narrowed or self._place.since is not None):
                                listings = [self._under(one) for one in tree.met]
                        yield self._batch(step.observations, listings, step.sightings)
            except NotGiven as refused:
                self._move(trees=tuple(others))
                if not refused.not_found:
                    self._gaps.append(Gap(what="comments", why=refused.why, native_id=name))
                    self._move(comments=False)
                yield self._batch()
                continue
            if asked.gap is not None:
                self._gaps.append(asked.gap)
                self._move(trees=tuple(others), comments=False)
                yield self._batch()

    # -- how a pass ends -----------------------------------------------------------------------------------

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass."""
        last = yield from but_the_last(batches)
        if last is None:
            # Resumed at its very end: there is nothing left to ask, and nothing to show a promise with.
            self._asking.get(f"{self._named.path}/about")
            last = self._batch()
        yield self._closed(last)

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        place, listings = self._place, list(last.listings)
        exchange = len(last.exchanges) - 1
        states = self._states if place.held else SHOWN
        begins, ends = self._reach.begins, self._reach.ends
        if place.since is not None:
            begins = place.since if begins is None else max(begins, place.since)
        if place.posts and not (begins is not None and ends is not None and ends < begins):
            listings.append(
                replace(
                    self._place.listing([Kind.POST], exchange, states),
                    published_from=begins,
                    published_until=ends,
                )
            )
        if place.comments and place.since is None and not self._reach.narrowed:
            counted = place.total if self._named.is_subreddit else None
            listings.append(replace(self._place.listing(ANSWERS, exchange, states), stated_total=counted))
        return replace(last, listings=tuple(listings), resume_from=place.finished().cursor())

    def _under(self, name: str) -> Listing:
        return replace(self._place.listing(ANSWERS, self._asking.last, self._states), in_reply_to=name)

    def _observed(self, items: Sequence[Seen[Thing]]) -> list[Observation]:
        told = (parse.told(one, self._speakers) for one in items)
        observed = [one for one in told if isinstance(one, Observation)]
        self._gaps += [parse.without_files(one) for one in observed if not one.files_told]
        return observed

    def _sighted(self, items: Sequence[Seen[Thing]]) -> list[Sighting]:
        told = (parse.told(one, self._speakers) for one in items)
        return [one for one in told if isinstance(one, Sighting)]

    def _batch(
        self,
        observed: Sequence[Observation] = (),
        listings: Sequence[Listing] = (),
        sightings: Sequence[Sighting] = (),
    ) -> Batch:
        gaps, self._gaps = self._gaps, []
        return self._asking.batch(
            self._place.cursor(), observed, sightings=sightings, listings=listings, gaps=gaps
        )


def speakers(page: Page, named: Address) -> frozenset[str]:
    """Who speaks for the agency: those that are named so and, where the page is an account, that account."""
    own = set() if named.is_subreddit else {named.name.lower()}
    return options.speakers(page) | own


def advanced(following: str, met: set[str], what: str) -> str:
    """After what to ask on; an error where the list has led there before."""
    if following in met:
        raise UnexpectedResponse(f"Reddit leads on to where it has led before: {what} have no end.")
    met.add(following)
    return following


def _time(what: Thing) -> datetime | None:
    return moment(what.data.created_utc) if isinstance(what, (T1, T3, Action)) else None


def _name(what: Thing) -> str:
    return str(what.data.id) if isinstance(what, Action) else getattr(what.data, "name", "")


def _cut_off_why(stage: str) -> str:
    return (
        f"Reddit lists about {LISTED_AT_MOST} things of each list and no more, and {_TITLES[stage]} reach that: older "
        "ones are observed again one by one, where the archive has them"
    )
