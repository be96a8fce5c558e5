"""What others answer to the account's posts, as the app view shows it.

A post whose count says that nobody answers is not asked for its thread. A
thread is asked for to a certain depth, and again from wherever it was cut off.
An answer that is not shown because somebody blocked somebody can still be read
at its own address: it is kept as hidden, since the thread does not show it.

Only where as many answers were shown as the app view counts is anything said
to be complete; where it counts more, that is a gap. So is an answer that is
shown and cannot be read, and a thread at which the app view fails: of what lies
there nothing is said, and the rest is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.bluesky import parse
from connectors.bluesky.address import uri
from connectors.bluesky.asking import NotGiven
from connectors.bluesky.network import Network
from connectors.bluesky.parse import Branch, Listed, Seen, Whose
from connectors.contract import Exchange, Gap, Kind, Listing, Observation, State
from connectors.errors import ConnectorError, TryAgainLater, UnexpectedResponse

AT_ONCE = 25
"""How many posts the app view shows at once (`getPosts`)."""

DEPTH = 100
_PAGE = "100"
_ANSWERS = (Kind.COMMENT, Kind.REPLY)
_STATES = (State.PRESENT, State.HIDDEN)
STRANGE = "the app view shows it, and it has another shape than a post promises"


@dataclass(slots=True)
class Told:
    """What a few questions have shown."""

    observations: list[Observation] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    beside: list[Gap] = field(default_factory=list)
    """Gaps that keep nothing out of a listing: files whose item was shown."""


class Answers:
    """Asks the app view. `records` are the page's own posts as its repository has them."""

    def __init__(
        self,
        network: Network,
        whose: Whose,
        *,
        records: Mapping[str, Mapping[str, Any]],
        hidden: Callable[[parse.View], Collection[str]],
    ) -> None:
        self._network, self._asking, self._whose = network, network.asking, whose
        self._records, self._hidden = records, hidden
        self._hiding: Collection[str] = ()
        self.met: set[str] = set()
        """What was shown in a thread, in this visit."""
        self._unread: set[str] = set()
        """Answers of which we know no more than their addresses."""
        self._silent: set[str] = set()
        """Whose servers could not be asked in this visit."""

    def posts(self, uris: Sequence[str]) -> dict[str, Seen]:
        """These posts as the app view shows them; those that it does not show are left out."""
        told = self.listed(uris)
        if told.unread:
            raise UnexpectedResponse(
                "The app view does not answer as it should: it shows a post that nobody can read."
            )
        return {seen.view.uri: seen for seen in told.items}

    def listed(self, uris: Sequence[str]) -> Listed[Seen]:
        """The same with those that nobody can read."""
        exchange = self._ask("app.bsky.feed.getPosts", {"uris": list(uris)}, "posts")
        return self._asking.read(parse.posts, exchange, self._asking.last)

    def shown(self, seen: Seen, *, blocked: bool = False) -> list[Observation]:
        """One post, with the threadgate that stands inside it; the page's own words as its repository has them."""
        record = self._records.get(seen.view.uri)
        more = {"blocked": True} if blocked else {}
        try:
            item = parse.shown(seen, self._whose, self._hiding, record, **more)
        except parse.Malformed as fault:
            raise UnexpectedResponse(f"The app view does not answer as it should: {fault}.") from fault
        if blocked and item is not None:
            item = replace(item, state=State.HIDDEN)
        if seen.view.threadgate is None:
            return [] if item is None else [item]
        gate = parse.gate(seen, self._asking.body(seen.span.exchange), self._whose, self._records)
        return [one for one in (item, gate) if one is not None]

    def unanswered(self, seen: Seen, began: datetime) -> Listing | None:
        """That nothing answers a post, where the app view says so."""
        if seen.view.reply_count != 0 or seen.view.quote_count not in {0, None}:
            return None
        return self._listing(seen.view.uri, began, seen.span.exchange, 0)

    def below(self, seen: Seen) -> Told:
        """Everything that answers a post, at any depth, and what quotes the page there."""
        told, root = Told(), seen.view.uri
        self._hiding = self._hidden(seen.view)
        began = self._asking.http.now()
        if seen.view.reply_count == 0:
            self._close(told, Branch(seen), began, root)
            return told
        asked: set[str] = set()
        waiting: list[tuple[str, bool]] = [(seen.view.uri, False)]
        hurdles: list[tuple[Branch, datetime]] = []
        while waiting:
            where, blocked = waiting.pop()
            began = self._asking.http.now()
            branch: Branch | str | None = None
            with self._asking.about("answers to a post", root) as asking:
                if where in asked:
                    raise UnexpectedResponse(
                        f"The app view cuts the thread of {root} off at {where} again and again: it has no end."
                    )
                branch = self._thread(where)
            asked.add(where)
            if asking.gap is not None:
                told.gaps.append(asking.gap)
                self._unread.add(where)
                continue
            if not isinstance(branch, Branch):
                said = "blocked" if isinstance(branch, str) else "not found"
                if isinstance(branch, str):
                    self._unread.add(where)
                told.gaps.append(
                    Gap(what="answers to a post", why=f"the app view says: {said}", native_id=where)
                )
                continue
            for one in branch.all():
                self.met.add(one.seen.view.uri)
                self._observe(told, one.seen, blocked=blocked)
                self._unreadable(told, one.unread)
                waiting += [(name, True) for name in one.blocked]
                if one.cut and one.seen.view.reply_count != 0:
                    waiting.append((one.seen.view.uri, blocked))
                else:
                    hurdles.append((one, began))
        for one, since in hurdles:
            self._close(told, one, since, root)
        return told

    def quotes(self, where: str) -> Listed[Seen]:
        """Every post that quotes the one at `where`, as far as the app view shows them."""
        found: Listed[Seen] = Listed()
        cursor: str | None = None
        passed: set[str] = set()
        while True:
            query = {"uri": where, "limit": _PAGE, **({"cursor": cursor} if cursor else {})}
            exchange = self._ask("app.bsky.feed.getQuotes", query, f"the quotations of {where}")
            told = self._asking.read(parse.posts, exchange, self._asking.last)
            found.items += told.items
            found.unread += told.unread
            cursor = told.cursor
            if cursor is None:
                return found
            if cursor in passed:
                raise UnexpectedResponse(
                    f"The app view names the same next page of quotations of {where} again and again: it has no end."
                )
            passed.add(cursor)

    def _ask(self, method: str, query: Mapping[str, object], what: str) -> Exchange:
        try:
            return self._asking.xrpc(self._network.app_view, method, query)
        except NotGiven as refusal:
            raise UnexpectedResponse(
                f"The app view does not show {what}: {refusal.reason} {refusal.message}".rstrip() + "."
            ) from None

    def _thread(self, where: str) -> Branch | str | None:
        query = {"uri": where, "depth": str(DEPTH), "parentHeight": "0"}
        try:
            exchange = self._asking.xrpc(self._network.app_view, "app.bsky.feed.getPostThread", query)
        except NotGiven as refusal:
            if refusal.error != "NotFound":
                raise UnexpectedResponse(
                    f"The app view does not show the thread of {where}: {refusal.reason} {refusal.message}."
                ) from None
            return None
        index = self._asking.last
        return self._asking.read(lambda body: parse.thread(body, index), exchange)

    def _observe(self, told: Told, seen: Seen, *, blocked: bool = False) -> None:
        try:
            found = self.shown(seen, blocked=blocked)
        except UnexpectedResponse:
            found = []
        if all(one.native_id != seen.view.uri for one in found):
            named = seen.view.uri if uri(seen.view.uri) is not None else None
            told.gaps.append(Gap(what="an answer to a post", why=STRANGE, native_id=named))
            self._unread.add(seen.view.uri)
        told.observations += [self._with_files(told, item) for item in found]

    def _unreadable(self, told: Told, names: Sequence[str | None]) -> None:
        """Answers that are shown and have another shape than a post promises: a gap of each."""
        for name in names:
            told.gaps.append(Gap(what="an answer to a post", why=STRANGE, native_id=name))
            self._unread.update([name] if name is not None else [])

    def _with_files(self, told: Told, item: Observation) -> Observation:
        """The same item, with the addresses of files that only their own author's server hands out.

        Whoever writes to the page chooses who says where that is, and must
        not be able to end a pass by it: a failure costs the files alone.
        """
        if all(file.url for file in item.attachments) or item.author is None or item.author.id is None:
            return item
        author = item.author.id
        why = "their author's server was asked before, and did not say where they are"
        try:
            who = None if author in self._silent else self._network.somebody(author)
        except NotGiven:
            return item
        except ConnectorError as fault:
            throttled = isinstance(fault, TryAgainLater) and not self._asking.fails_alone(fault)
            if throttled and not author.startswith("did:web:"):
                raise  # the directory is everybody's
            self._asking.failed(fault)
            self._silent.add(author)
            who, why = None, f"it could not be asked where they are: {fault}"
        if who is None:
            told.beside.append(Gap(what="files of an answer", why=why, native_id=item.native_id))
            return item
        pds = who.pds
        if pds is None:
            return item
        return replace(
            item,
            attachments=tuple(
                file if file.url else replace(file, url=parse.blob_address(pds, who.did, file.id))
                for file in item.attachments
            ),
        )

    def _close(self, told: Told, branch: Branch, began: datetime, root: str) -> None:
        """Say that everything answering one item was shown, if it was; what quotes the page is asked for here."""
        view = branch.seen.view
        place = uri(view.uri)
        own = place is not None and place.did == self._whose.did
        stated = view.reply_count or 0
        shown = len(branch.answers) + len(branch.blocked) + len(branch.missing) + len(branch.unread)
        lacking = _lacking("answers to a post", stated, shown, view.uri)
        exchange = branch.seen.span.exchange
        below = {*(one.seen.view.uri for one in branch.answers), *branch.blocked}
        unread = list(branch.unread)
        if own and view.quote_count:
            quotes: Listed[Seen] = Listed()
            with self._asking.about("quotations of a post", root) as asking:
                quotes = self.quotes(view.uri)
            for seen in quotes.items:
                self._observe(told, seen)
            self._unreadable(told, quotes.unread)
            below |= {seen.view.uri for seen in quotes.items}
            unread += quotes.unread
            stated += view.quote_count
            lacking += (
                _lacking(
                    "quotations of a post",
                    view.quote_count,
                    len(quotes.items) + len(quotes.unread),
                    view.uri,
                )
                if asking.gap is None
                else [asking.gap]
            )
        told.gaps += lacking
        if not lacking and not unread and self._unread.isdisjoint(below):
            told.listings.append(self._listing(view.uri, began, exchange, stated))

    def _listing(self, where: str, began: datetime, exchange: int, stated: int) -> Listing:
        return Listing(
            kinds=_ANSWERS,
            began_at=began,
            exchange=exchange,
            in_reply_to=where,
            states=_STATES,
            stated_total=stated,
        )


def _lacking(what: str, stated: int, shown: int, where: str) -> list[Gap]:
    if shown >= stated:
        return []
    return [Gap(what=what, why=f"the app view counts {stated} and shows {shown}", native_id=where)]


def everything(began: datetime, exchange: int) -> Listing:
    """That every answer on the page was shown since `began`."""
    return Listing(kinds=_ANSWERS, began_at=began, exchange=exchange, states=_STATES)


def chunks(items: Iterable[str]) -> list[list[str]]:
    """As many at once as the app view takes."""
    listed = list(items)
    return [listed[start : start + AT_ONCE] for start in range(0, len(listed), AT_ONCE)]
