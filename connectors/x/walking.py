"""One pass over an account: introduction and lists, messages, posts with what answers and quotes them, who names it.

Lists are read by tokens, newest first, so that what is added or removed
meanwhile shifts nothing and what comes meanwhile is the next pass's. A token
that X no longer knows begins its list anew, which misses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, Sighting, State
from connectors.errors import AccessRevoked, UnexpectedResponse
from connectors.failing import AGAIN
from connectors.pieces import Seen
from connectors.x import parse
from connectors.x.asking import Asking, NotGiven
from connectors.x.conversing import ANSWERED, NAMED_AT_ONCE, Conversing, Step, beside, led
from connectors.x.money import POST, RECENT, Spent, kind_of
from connectors.x.options import ALL, Options
from connectors.x.parse import Answer, Reader
from connectors.x.place import LISTS, MENTIONS, MESSAGES, POSTS, STAGES, UNREAD, Place
from connectors.x.reading import Found, NoAccount, find, no_such
from connectors.x.searching import RECENTLY, span
from connectors.x.shapes import MESSAGES_ASKED, NAMES_ASKED, POSTS_ASKED, Post, User
from connectors.x.standing import is_post
from connectors.x.talk import BOTH

T = TypeVar("T")

_CUT = {POSTS: 3000, MENTIONS: 750}
"""Where a list showed so many, X may have more that it does not show: it keeps to 3,200 and to 800."""

_SHOWN = {POSTS: "3,200 posts", MENTIONS: "800 posts that name the account"}
_TOLD = timedelta(days=29)
"""How far back messages are certain: X tells those of thirty days."""

_NAMED = "posts that name the account"

_CONVERSATION, _QUOTES, _ANSWERED = "c", "q", "a"
_CALLED = {
    _CONVERSATION: "answers in a conversation",
    _QUOTES: "who quotes a post",
    _ANSWERED: "what the account answers",
}
_BELONGS = {_CONVERSATION: frozenset[str](), _QUOTES: frozenset({"quotes"}), _ANSWERED: frozenset({ANSWERED})}
"""The list of the whole page to which what waits belongs: answers in a conversation are listed by themselves."""

_AT_ONCE = (5, 100)
_LISTED_AT_ONCE = (1, 1000)
_PRIVATE = (("blocked", "blocking", "blocked accounts"), ("muted", "muting", "muted accounts"))


class Pass:
    """A pass from `place` on."""

    def __init__(self, asking: Asking, options: Options, page: Page, place: Place) -> None:
        self._asking, self._options, self._page = asking, options, page
        self._fresh = not place.user
        self._place = place if place.began is not None else place.moved(began=asking.now())
        self._later = dict(place.later)
        self._gaps: list[Gap] = []
        self._read: set[str] = set()
        self._talking: Conversing | None = None
        self._at_once = NAMED_AT_ONCE
        """So much of what waits is asked for in one question."""
        self._pinned: str | None = None

    def run(self) -> Iterator[Batch]:
        """What the month's budget allows; where it ends a gap says so, once a month."""
        self._asking.purse.goes_on(self._asking.now())
        try:
            yield from self._ended(self._stages())
        except Spent as spent:
            if not self._asking.purse.told:
                self._asking.purse.told = True
                self._gaps.append(
                    Gap(what="what the page shows", why=str(spent), since=spent.since, until=spent.until)
                )
                yield self._batch()
            raise

    def _stages(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the stages from where it stands."""
        found = yield from self._introduction()
        if found is None:
            return
        talking = Conversing(self._asking, self._options, self._page, found.id, self._later)
        talking.lacking |= {UNREAD} & {*self._place.lacking}
        if found.account.what.protected:
            talking.protected.add(found.id)
        self._talking, self._pinned = talking, found.account.what.pinned_tweet_id
        for stage in STAGES[STAGES.index(self._place.stage) :]:
            if stage == LISTS:
                if found.owner and self._options.lists:
                    yield self._lists()
            elif stage == MESSAGES:
                if found.owner and self._options.messages:
                    yield from self._messages()
            else:
                yield from self._listed(stage, talking)
            if stage != STAGES[-1]:
                self._place = self._place.after(stage)

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass, where everything could be read."""
        last = yield from but_the_last(batches)
        if last is not None:
            yield self._closed(last, self._talking) if self._talking is not None else last

    # -- whose page it is ----------------------------------------------------------------------------------

    def _introduction(self) -> Generator[Batch, None, Found | None]:
        asking, place = self._asking, self._place
        try:
            found = find(asking, self._options.name, place.user)
        except NoAccount as none:
            if self._fresh:
                raise no_such(self._options.name, none) from none
            state = State.GONE if none.problem.not_found and not none.suspended else State.UNKNOWN
            told = Sighting(
                native_id=f"user:{place.user}",
                state=state,
                exchange=asking.last,
                reason=f"200 {none.problem.says}",
            )
            if not none.suspended:
                yield self._batch(sightings=[told])
                raise no_such(self._options.name, none) from none
            why = f"X has suspended the account and shows nothing of it ({none})"
            self._gaps.append(Gap(what="the whole page", why=why))
            self._place = Place(user=place.user, since=place.since, later=place.later)
            yield self._batch(sightings=[told])
            return None
        self._place = place.moved(user=found.id)
        if found.signed_in_as and self._fresh:
            why = (
                f"@{found.signed_in_as} has signed in, and not the page's own account: sign in as @"
                f"{found.account.what.username} and connect the page again"
            )
            self._gaps.append(Gap(what="messages, blocked and muted accounts", why=why))
        if (lacking := parse.untold(found.account.what)) is not None:
            why = f"X does not tell {lacking}. {AGAIN}"
            self._gaps.append(Gap(what="the introduction", why=why, native_id=f"user:{found.id}"))
            yield self._batch()
        else:
            yield self._batch([parse.profile(found.account)])
        return found

    # -- what only the account itself sees -----------------------------------------------------------------

    def _lists(self) -> Batch:
        """Whom the account keeps away, and whom it does not want to hear, each as one record."""
        observed = []
        for native_id, path, called in _PRIVATE:
            first = self._asking.last + 1
            names: list[Seen[User]] | None = None
            try:
                with self._asking.about(called, f"user:{self._place.user}") as asked:
                    names = self._all(f"users/{self._place.user}/{path}", native_id, called)
            except NotGiven as refused:
                self._gaps.append(Gap(what=called, why=refused.why))
                continue
            if asked.gap is not None:
                self._gaps.append(asked.gap)
                continue
            if names is None:
                continue
            observed.append(parse.people(native_id, names, list(self._asking.since(first))))
        self._place = self._place.after(LISTS)
        return self._batch(observed)

    def _all(self, path: str, native_id: str, called: str) -> list[Seen[User]] | None:
        """A list of accounts as a whole; None where not everything of it was told, which is a gap."""
        found: list[Seen[User]] = []
        met: set[str] = set()
        at: dict[str, str] = {}
        while True:
            answer = self._asking.users(path, {**NAMES_ASKED, **at}, _LISTED_AT_ONCE)
            if answer.unread:
                unread = self._asking.gaps_of(called, answer.unread)
                self._gaps += [replace(gap, native_id=native_id) for gap in unread]
                return None
            if answer.amiss is not None or answer.lacking:
                self._gaps.append(Gap(what=called, why="X answers in part"))
                return None
            found += answer.items
            if answer.following is None:
                return found
            at = {"pagination_token": led(answer.following, met, path)}

    def _messages(self) -> Iterator[Batch]:
        met: set[str] = set()
        while not self._place.ended:
            at = {"pagination_token": self._place.at} if self._place.at else {}
            params = {**MESSAGES_ASKED, **at}
            try:
                answer = self._by_itself("private messages", partial(self._asking.messages, params, (1, 100)))
            except NotGiven as refused:
                if self._begun_anew(refused):
                    continue
                self._gaps.append(Gap(what="private messages", why=refused.why))
                yield self._batch()
                return
            if answer is None:
                self._place = self._place.lacks(MESSAGES).moved(ended=True)
                yield self._batch()
                return
            observed, unread = parse.messages(answer)
            if unread:
                self._place = self._place.lacks(MESSAGES)
                self._gaps += self._asking.gaps_of("private messages", unread, lambda one: f"dm:{one}")
            self._gaps += beside(self._asking, answer, "private messages")
            if answer.amiss is not None or answer.lacking:
                self._place = self._place.lacks(MESSAGES)
                self._gaps.append(Gap(what="private messages", why="X answers in part"))
            past = self._page.published_from is not None and self._all_before(
                observed, self._page.published_from
            )
            self._lead(None if past else answer.following, met, "the messages")
            yield self._batch(observed, self._told() if self._place.ended else ())

    def _told(self) -> list[Listing]:
        if MESSAGES in self._place.lacking:
            return []
        reach = self._asking.now() - _TOLD
        begins = self._page.published_from
        since = reach if begins is None or begins < reach else begins
        return [self._of([Kind.MESSAGE], since, self._asking.last)]

    # -- posts and mentions --------------------------------------------------------------------------------

    def _listed(self, stage: str, talking: Conversing) -> Iterator[Batch]:
        path, reach, price = self._asked(stage)
        if stage == POSTS and self._pinned is not None and not self._place.at:
            self._wait([f"{_ANSWERED}:{self._pinned}"])
        yield from self._waiting(talking)
        met: set[str] = set()
        while not self._place.ended:
            at = {"pagination_token": self._place.at} if self._place.at else {}
            params = {**POSTS_ASKED, **span(self._page, reach, self._asking.now()), **at}
            ask = partial(self._asking.posts, path, params, price=price, at_once=_AT_ONCE)
            try:
                answer = ask() if stage == POSTS else self._by_itself(_NAMED, ask)
            except NotGiven as refused:
                if self._begun_anew(refused):
                    continue
                yield self._refused(stage, refused)
                return
            if answer is None:
                self._place = self._place.lacks(stage).moved(ended=True)
                yield self._batch()
                return
            if answer.in_place_of_items is not None:
                yield self._refused(stage, NotGiven(answer.in_place_of_items, 200))
                return
            called = _SHOWN[stage].partition(" ")[2]
            talking.certain(answer, stage, called)
            readers, observed = talking.read(answer, (stage,), called)
            for reader in readers if stage == POSTS else ():
                self._wait(self._to_read(reader, talking))
            self._count(stage, observed, sum(len(reader.unread()) for reader in readers))
            self._lead(answer.following, met, path)
            yield self._batch(observed)
            yield from self._waiting(talking)

    def _asked(self, stage: str) -> tuple[str, timedelta, str]:
        user, price = self._place.user, self._options.own
        if stage == POSTS:
            return f"users/{user}/tweets", self._options.reach, price
        return f"users/{user}/mentions", timedelta(0), POST

    def _refused(self, stage: str, refused: NotGiven) -> Batch:
        if stage == POSTS and refused.forbidden:
            raise AccessRevoked(
                f"The account's posts are not shown: {refused.why}. If the account is protected, connect the page by "
                "signing in as the account itself."
            ) from refused
        if stage == POSTS:
            raise UnexpectedResponse(f"The account's posts are not shown: {refused.why}.") from refused
        self._place = self._place.lacks(stage).moved(ended=True)
        self._gaps.append(Gap(what=_NAMED, why=refused.why))
        return self._batch()

    def _by_itself(self, what: str, ask: Callable[[], Answer[T]]) -> Answer[T] | None:
        """An answer of a list on which no other depends; None where X fails at it, which is a gap."""
        with self._asking.about(what, what) as asked:
            return ask()
        self._gaps += [replace(gap, native_id=None) for gap in (asked.gap,) if gap is not None]
        return None

    def _to_read(self, reader: Reader, talking: Conversing) -> list[str]:
        """What is still to be read of the posts of one answer: conversations, quotations, what they answer."""
        wanted: list[str] = []
        searched = talking.within() is not None
        for seen in reader.newest():
            read = seen.what
            if read.author_id != self._place.user or read.refers("retweeted") is not None:
                continue
            above = read.refers("replied_to")
            if above is not None and read.in_reply_to_user_id != self._place.user:
                wanted.append(f"{_ANSWERED}:{above}")
            versions = [*(one.what for one in reader.earlier(read)), read]
            if searched and above is None and reader.count(read, "reply_count") != 0:
                wanted += [f"{_CONVERSATION}:{one}" for one in read.ids]
            elif searched and above == read.conversation_id and read.in_reply_to_user_id == self._place.user:
                # The account began it: the post that did may be deleted, and what is said below this one is not.
                wanted.append(f"{_CONVERSATION}:{above}")
            if self._options.quotes:
                wanted += [f"{_QUOTES}:{one.id}" for one in versions if _quoted(one)]
        for unread in reader.answer.named:
            # It cannot be read itself; what it answers and what others say of it can.
            if unread.refers("retweeted") is not None:
                continue
            above = unread.refers("replied_to")
            if above is not None and unread.in_reply_to_user_id != self._place.user:
                wanted.append(f"{_ANSWERED}:{above}")
            names = {*unread.ids, self._later.get(unread.id, unread.id)}
            wanted += [f"{_CONVERSATION}:{one}" for one in sorted(names) if searched]
            wanted += [f"{_QUOTES}:{one}" for one in sorted(names) if self._options.quotes]
        return [one for one in wanted if is_post(one.partition(":")[2])]

    def _wait(self, wanted: Sequence[str]) -> None:
        """Read these next; what was read in this visit is not read again."""
        fresh = [one for one in dict.fromkeys(wanted) if one not in self._read]
        self._place = self._place.moved(waiting=tuple(dict.fromkeys((*self._place.waiting, *fresh))))

    def _waiting(self, talking: Conversing) -> Iterator[Batch]:
        """Read what waits, so much at once as one question takes; the cursor leaves out what was read to its end."""
        while self._place.waiting:
            what = self._place.waiting[0].partition(":")[0]
            alike = [one for one in self._place.waiting if one.startswith(f"{what}:")]
            names = [one.partition(":")[2] for one in alike]
            taken = {
                _ANSWERED: NAMED_AT_ONCE,
                _CONVERSATION: talking.fit(names) if what == _CONVERSATION else 0,
                _QUOTES: 1,
            }[what]
            taken = min(taken, self._at_once)
            with self._asking.about(_CALLED[what], names[0]) as asked:
                for step in self._step(what, names[:taken], talking):
                    if not step.more:
                        self._done(alike[:taken])
                    yield self._batch(step.observed, step.listings)
            if asked.gap is None:
                self._at_once = min(2 * self._at_once, NAMED_AT_ONCE)
            elif taken > 1:
                # One search is for several conversations: half of them at once, until the one is found that fails.
                self._at_once = taken // 2
            else:
                self._gaps.append(asked.gap)
                talking.lacking |= _BELONGS[what]
                self._done(alike[:1])
                yield self._batch()

    def _done(self, waited: Sequence[str]) -> None:
        self._read |= {*waited}
        left = tuple(one for one in self._place.waiting if one not in waited)
        self._place = self._place.moved(waiting=left)

    def _step(self, what: str, names: Sequence[str], talking: Conversing) -> Iterator[Step]:
        if what == _CONVERSATION:
            yield from talking.conversations(names)
        elif what == _QUOTES:
            yield from talking.quotes(names[0])
        else:
            yield talking.named(names)

    # -- how a pass goes on and ends -----------------------------------------------------------------------

    def _count(self, stage: str, observed: Sequence[Observation], unread: int) -> None:
        times = [item.published_at for item in observed if item.published_at is not None]
        place, before = self._place, self._place.oldest.get(stage)
        oldest = min([*times, *([before] if before else [])], default=None)
        self._place = place.moved(
            seen={**place.seen, stage: place.seen.get(stage, 0) + len(observed) + unread},
            oldest={**place.oldest, **({stage: oldest} if oldest is not None else {})},
        )

    def _lead(self, following: str | None, met: set[str], what: str) -> None:
        if following is None:
            self._place = self._place.moved(at="", ended=True)
        else:
            self._place = self._place.moved(at=led(following, met, what))

    def _begun_anew(self, refused: NotGiven) -> bool:
        """Whether a list was refused for its token, which X keeps for a time only; it then begins anew."""
        if not refused.token_forgotten or not self._place.at:
            return False
        self._place = self._place.moved(at="")
        return True

    def _all_before(self, observed: Sequence[Observation], begins: datetime) -> bool:
        times = [item.published_at for item in observed]
        return bool(times) and all(at is not None and at < begins for at in times)

    def _closed(self, last: Batch, talking: Conversing) -> Batch:
        """The last batch of a pass, which says of what everything was shown.

        Who quotes or names the account posts too. One that quotes a post from
        before the span is met by another pass, and asked for by its id where
        this one's listing misses it.
        """
        lacking, exchange = set(self._place.lacking), len(last.exchanges) - 1
        listings = list(last.listings)
        if POSTS not in lacking:
            since = self._certain(POSTS)
            listings.append(self._of([Kind.REPLY], since, exchange))
            if not lacking & {MENTIONS, "quotes", ANSWERED}:
                named = self._certain(MENTIONS)
                both = max((one for one in (since, named) if one is not None), default=None)
                listings.append(self._of([Kind.POST], both, exchange))
        if UNREAD not in lacking:
            listings += talking.talk.listings(self._place.begun(), exchange, self._page)
        gaps = [*last.gaps, *self._cut(), *self._unsearched(talking)]
        self._place = self._place.finished()
        cursor = self._place.knowing(self._asking.purse.account(), self._later).cursor()
        return replace(last, listings=tuple(listings), gaps=tuple(gaps), resume_from=cursor)

    def _certain(self, stage: str) -> datetime | None:
        """From when on everything of a list was shown."""
        begins, oldest = self._page.published_from, self._place.oldest.get(stage)
        if self._place.seen.get(stage, 0) < _CUT[stage] or oldest is None:
            return begins
        return oldest if begins is None or begins < oldest else begins

    def _cut(self) -> Iterator[Gap]:
        for stage, most in _CUT.items():
            if self._place.seen.get(stage, 0) >= most:
                yield Gap(
                    what=_SHOWN[stage].partition(" ")[2],
                    why=f"X shows the latest {_SHOWN[stage]}; what is older can be imported from the account's archive",
                    until=self._place.oldest.get(stage),
                )

    def _unsearched(self, talking: Conversing) -> Iterator[Gap]:
        """Days that lie between two passes and too far back to be searched."""
        since, began = self._place.since, self._place.begun()
        if self._options.search == ALL or kind_of(self._page) != RECENT or since is None:
            return
        if began - since > RECENTLY and talking.searches:
            why = "no pass was made for more than seven days, and no longer may conversations be searched"
            yield Gap(
                what="answers that do not name the account", why=why, since=since, until=began - RECENTLY
            )

    def _of(self, kinds: Sequence[Kind], since: datetime | None, exchange: int) -> Listing:
        return self._place.listing(kinds, exchange, BOTH, since, self._page.published_until)

    def _batch(
        self,
        observed: Sequence[Observation] = (),
        listings: Sequence[Listing] = (),
        sightings: Sequence[Sighting] = (),
    ) -> Batch:
        gaps, self._gaps = self._gaps, []
        if self._talking is not None:
            gaps += self._talking.gaps
            self._talking.gaps = []
            for what in sorted(self._talking.lacking):
                self._place = self._place.lacks(what)
        cursor = self._place.knowing(self._asking.purse.account(), self._later).cursor()
        return self._asking.batch(cursor, observed, listings=listings, sightings=sightings, gaps=gaps)


def _quoted(read: Post) -> bool:
    """Whether a post may be quoted somewhere: X counts some, or does not say."""
    metrics = read.public_metrics
    return not isinstance(metrics, dict) or metrics.get("quote_count") != 0
