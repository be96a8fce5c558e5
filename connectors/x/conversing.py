"""Reads what answers posts, what quotes them, and what they answer; shared by passes and families."""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connectors.contract import Gap, Kind, Listing, Observation, Page
from connectors.errors import UnexpectedResponse
from connectors.x.asking import Asking, NotGiven
from connectors.x.options import ALL, NONE, Options
from connectors.x.options import RECENT as LATEST
from connectors.x.parse import Answer, Reader
from connectors.x.place import MENTIONS, POSTS, UNREAD
from connectors.x.searching import Search, in_one_query, search
from connectors.x.shapes import POSTS_ASKED, Post
from connectors.x.standing import is_post
from connectors.x.talk import Talk, under

T = TypeVar("T")

AT_ONCE = (10, 100)
NAMED_AT_ONCE = 100

ANSWERED = "answered"
"""What the account answers elsewhere, among what may not be shown whole."""

_NEWEST = "the last words of edited posts"
_NAMED = "what the account answers"
_CONVERSATIONS = "answers in some conversations"
_QUOTED = "who quotes a post"
_BESIDE = {
    "users": "who wrote them",
    "tweets": "what they quote or answer",
    "media": "their files",
    "polls": "their polls",
    "places": "their places",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What one answer brought: the items, the listings that it allows, whether more of the same follows."""

    observed: Sequence[Observation]
    listings: Sequence[Listing] = ()
    more: bool = False


class Conversing:
    """Asks for one account's conversations, and remembers what it was refused."""

    def __init__(
        self, asking: Asking, options: Options, page: Page, ours: str, later: MutableMapping[str, str]
    ) -> None:
        self.asking, self.options, self.page, self.ours, self.later = asking, options, page, ours, later
        self.talk = Talk()
        self.gaps: list[Gap] = []
        self.lacking: set[str] = set()
        """Lists of which something was refused, left out or not to be read in this visit."""
        self.protected: set[str] = set()
        """Accounts that are protected, as far as this visit met them."""
        self._how = options.search
        self._refused: set[str] = set()

    def read(
        self, answer: Answer[Post], lists: Collection[str], called: str
    ) -> tuple[list[Reader], list[Observation]]:
        """The items of an answer as they read now, and what is to be remembered of them.

        Of a post of which an earlier version alone is shown, the newest is asked for. `lists` are
        those to which the items belong: they were not shown whole where one cannot be read.
        """
        readers = [self._reader(answer)]
        observed = self._met(readers[0], lists, called)
        newer = readers[0].outdated()
        for begin in range(0, len(newer), NAMED_AT_ONCE):
            names = newer[begin : begin + NAMED_AT_ONCE]
            try:
                answers, failed = self.asking.piecemeal(_NEWEST, names, self._by_ids)
            except NotGiven as refused:
                self.lacking |= {POSTS, MENTIONS, "quotes", "comments"}
                self._once("newest", Gap(what=_NEWEST, why=refused.why))
                break
            if failed:
                self.lacking |= {POSTS, MENTIONS, "quotes"}
                self.gaps += failed
            for more in answers:
                readers.append(self._reader(more))
                observed += self._met(readers[-1], (POSTS, MENTIONS, "quotes", "comments"), _NEWEST)
        return readers, observed

    def _reader(self, answer: Answer[Post]) -> Reader:
        self.protected |= {one.what.id for one in answer.users.values() if one.what.protected}
        return Reader(answer, self.ours, self.later, self.protected)

    def _by_ids(self, names: Sequence[str]) -> Answer[Post]:
        return self.asking.posts("tweets", {**POSTS_ASKED, "ids": ",".join(names)}, named=len(names))

    def _met(self, reader: Reader, lists: Collection[str], called: str) -> list[Observation]:
        observed = reader.observed()
        if unread := reader.unread():
            self.lacking |= {*lists, UNREAD}
            self.gaps += self.asking.gaps_of(called, unread, self._native_id)
        self.gaps += beside(self.asking, reader.answer, called)
        self.talk.meet(reader, observed, self.asking.asked_at)
        return observed

    def _native_id(self, identity: str) -> str | None:
        return self.later.get(identity, identity) if is_post(identity) else None

    def fit(self, conversations: Sequence[str]) -> int:
        """How many of these conversations one search takes."""
        return in_one_query(conversations, self.ours)[1]

    @property
    def searches(self) -> bool:
        """Whether conversations are searched at all."""
        return self._how != NONE and LATEST not in self._refused

    def within(self) -> Search | None:
        """How they are searched now; None where the span of the pass lies too far back."""
        return search(self.page, self._how, self.asking.now()) if self.searches else None

    def conversations(self, names: Sequence[str], *, ours: bool = True) -> Iterator[Step]:
        """What others say in these conversations; `ours` leaves out what the account itself says there."""
        began = self.asking.now()
        how = self.within()
        query, taken = in_one_query(names, self.ours if ours else "")
        assert taken == len(names), "more conversations than one search takes"
        met: set[str] = set()
        parents = [self.later.get(name, name) for name in names]
        at: dict[str, str] = {}
        while how is not None:
            params = {**POSTS_ASKED, **how.asked, **at, "query": query}
            try:
                answer = self.asking.posts(how.path, params, at_once=(AT_ONCE[0], how.most))
            except NotGiven as refused:
                how = self._instead(refused)
                at = {}
                continue
            _, observed = self.read(answer, ("comments",), _CONVERSATIONS)
            certain = self.certain(answer, "comments", _CONVERSATIONS)
            parents += [item.native_id for item in observed]
            parents += [item.in_reply_to for item in observed if item.in_reply_to is not None]
            if answer.following is not None:
                at = {"next_token": led(answer.following, met, "a conversation")}
                yield Step(observed, more=True)
                continue
            kinds = [Kind.COMMENT] if ours else [Kind.COMMENT, Kind.REPLY]
            listed = dict.fromkeys(parents) if certain and not self.lacking & {"comments", UNREAD} else ()
            exchange = self.asking.last
            listings = [under(one, began, exchange, self.page, how.since, kinds) for one in listed]
            yield Step(observed, listings)
            return
        yield Step([])

    def quotes(self, name: str) -> Iterator[Step]:
        """Who quotes a post, the newest first, back to where the span of the pass begins."""
        met: set[str] = set()
        at: dict[str, str] = {}
        while True:
            try:
                answer = self.asking.posts(
                    f"tweets/{name}/quote_tweets", {**POSTS_ASKED, **at}, at_once=AT_ONCE
                )
            except NotGiven as refused:
                # Where the post itself was deleted meanwhile, the next pass says so.
                self.lacking.add("quotes")
                if not refused.problem.not_found:
                    self._once("quotes", Gap(what="who quotes the account's posts", why=refused.why))
                yield Step([])
                return
            _, observed = self.read(answer, ("quotes",), _QUOTED)
            self.certain(answer, "quotes", _QUOTED)
            begins = self.page.published_from
            past = (
                begins is not None
                and bool(observed)
                and all(item.published_at is not None and item.published_at < begins for item in observed)
            )
            more = answer.following is not None and not past
            if more:
                at = {"pagination_token": led(answer.following or "", met, _QUOTED)}
            yield Step(observed, more=more)
            if not more:
                return

    def named(self, names: Sequence[str]) -> Step:
        """These posts, asked for by their ids: what the account answers. One that is not shown is left out."""
        try:
            answers, failed = self.asking.piecemeal(_NAMED, names, self._by_ids)
        except NotGiven:
            return Step([])
        if failed:
            self.gaps += failed
            self.lacking.add(ANSWERED)
        return Step([one for answer in answers for one in self.read(answer, (ANSWERED,), _NAMED)[1]])

    def certain(self, answer: Answer[Post], what: str, called: str) -> bool:
        """Whether an answer shows everything that it should; what it could not tell is a gap, and nothing is absent."""
        amiss = answer.amiss
        if amiss is None and not answer.lacking:
            return True
        self.lacking.add(what)
        why = (
            f"X answers in part, and of the rest: {amiss.says}"
            if amiss is not None
            else f"X counts {answer.lacking} more than it shows"
        )
        self._once(what, Gap(what=called, why=why))
        return False

    def _instead(self, refused: NotGiven) -> Search | None:
        """What to search where one search is refused: the last days in place of the whole archive, then nothing."""
        self.lacking.add("comments")
        if self._how == ALL:
            self._how = LATEST
            self._once(ALL, Gap(what="conversations older than seven days", why=refused.why))
            return self.within()
        self._refused.add(LATEST)
        self._once(LATEST, Gap(what="answers that do not name the account", why=refused.why))
        return None

    def _once(self, key: str, gap: Gap) -> None:
        if f"gap:{key}" not in self._refused:
            self._refused.add(f"gap:{key}")
            self.gaps.append(gap)


def beside(asking: Asking, answer: Answer[T], called: str) -> Iterator[Gap]:
    """A gap for each thing that stands beside the items and cannot be read: they are observed without it."""
    for what, unread in answer.beside.items():
        yield from asking.gaps_of(f"{called}: {_BESIDE[what]}", unread, lambda _: None)


def led(following: str, met: set[str], what: str) -> str:
    """What to ask with next; an error where the list has led there before."""
    if following in met:
        raise UnexpectedResponse(f"X leads on to where it has led before: {what} has no end.")
    met.add(following)
    return following
