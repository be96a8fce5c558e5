"""One pass over an account: introduction and lists, statuses with what answers them, who names it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.closing import but_the_last
from connectors.contract import Batch, Exchange, Gap, Kind, Listing, Observation, Page, Sighting, Span, State
from connectors.errors import ConnectorError, NoSuchPage, UnexpectedResponse
from connectors.mastodon import parse, threads
from connectors.mastodon.asking import Asking, NotGiven, lacking
from connectors.mastodon.place import CONVERSATIONS, LISTS, MENTIONS, STATUSES, Place
from connectors.mastodon.server import Found, find, no_such
from connectors.pieces import Seen, Sorted

_EDITED_LATELY = timedelta(days=1)
"""How far before a pass its successor asks for earlier texts: more than two clocks should differ."""

_NEAR = timedelta(minutes=1)
"""How far the time in an id and the time of the status may lie apart."""

_ANSWERED_WITHIN = 7
_MOST_DAYS = 3650
_STATUSES = "40"
_NOTIFICATIONS = "80"
_CONVERSATIONS = "40"
_MENTIONED = "messages and mentions"
_UNTOLD = "messages of which nobody was told"
_NAMES = "80"
_MOST_LISTED = 500
"""Answers of one list of names that are read: forty thousand names."""


class Pass:
    """A pass from `place` on."""

    def __init__(self, asking: Asking, acct: str, page: Page, place: Place) -> None:
        self._asking, self._acct, self._page = asking, acct, page
        self._fresh = not place.account
        self._place = place if place.began is not None else place.moved(began=asking.now())
        self._spanned = page.published_from is not None or page.published_until is not None
        self._reach = timedelta(days=_days(page))
        self._covered: set[str] = set()
        self._met: set[str] = set()
        """What was observed in this visit, by its native id."""
        self._gaps: list[Gap] = []
        self._no_history = False

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the stages from where it stands."""
        found = yield from self._introduction()
        if found is None:
            return
        self._account, self._owner = found.id, found.owner is not None
        if self._place.stage == LISTS:
            if self._owner:
                yield self._lists()
            self._move(stage=STATUSES)
        if self._place.stage == STATUSES:
            yield from self._statuses()
        if self._place.stage == MENTIONS and self._owner:
            yield from self._mentions()
        if self._place.stage == CONVERSATIONS and self._owner:
            yield from self._ended(self._conversations())
        elif self._place.stage in {MENTIONS, CONVERSATIONS}:
            # The pass began with the owner's token, and has lost it: nothing is listed that could not be read.
            self._move(whole=False)
            yield self._closing(0)

    # -- introduction and lists ----------------------------------------------------------------------------

    def _introduction(self) -> Generator[Batch, None, Found | None]:
        asking, place = self._asking, self._place
        try:
            found = find(asking, self._acct)
        except NotGiven as refused:
            if not self._fresh and refused.not_found:
                told = Sighting(
                    native_id=f"account:{place.account}",
                    state=State.GONE,
                    exchange=asking.last,
                    reason=str(refused),
                )
                yield asking.batch(place.cursor(), sightings=[told])
            raise no_such(asking, self._acct, refused) from refused
        read = found.account.what
        if not self._fresh and place.account != read.id:
            raise NoSuchPage(
                f"Another account now answers to “{self._acct}” on {asking.origin} (number {read.id} instead of "
                f"{place.account}). Ask its administrator what became of the page's own; if this one is the "
                "agency's, add it as a page of its own."
            )
        moved = parse.moved_to(read)
        if moved and moved != place.moved_to:
            why = f"the account says that it has moved to {moved}: add that as a page"
            self._gaps.append(Gap(what="what the account publishes from now on", why=why))
        if asking.connected and found.owner is None:
            what = "messages, filters, and what is for followers only"
            self._gaps.append(Gap(what=what, why=found.somebody_else))
        self._move(account=read.id, moved_to=moved)
        observed = [parse.profile(found.account)]
        if found.owner is not None:
            observed.append(parse.settings(found.owner))
        if not read.suspended:
            yield self._batch(observed)
            return found
        self._gaps.append(
            Gap(what="the whole page", why="the server has suspended the account and shows nothing of it")
        )
        self._place = Place(
            account=read.id,
            moved_to=moved,
            since=place.since,
            before=place.before,
            one_by_one=place.one_by_one,
        )
        yield self._batch(observed)
        return None

    def _lists(self) -> Batch:
        """What only the owner sees: word filters, blocked and muted accounts, blocked servers."""
        asking = self._asking
        observed: list[Observation] = []
        with self._given("word filters"):
            filters, _ = asking.many("/api/v2/filters", parse.Filter)
            observed += [parse.word_filter(one) for one in filters.items]
            self._without(asking.gaps_of("a word filter", filters.unread, "filter:{}".format))
        for native_id, path in (("blocks", "/api/v1/blocks"), ("mutes", "/api/v1/mutes")):
            with self._given(native_id):
                names, evidence = self._names(path, parse.Named)
                if not self._lacks(native_id, names):
                    observed.append(parse.people(native_id, names.items, evidence))
        with self._given("blocked servers"):
            hosts, evidence = self._names("/api/v1/domain_blocks", str)
            if not self._lacks("domain-blocks", hosts):
                observed.append(parse.domains([one.what for one in hosts.items], evidence))
        listings = []
        if self._place.profile:
            states = (State.PRESENT, State.HIDDEN)
            listings = [
                Listing(
                    kinds=[Kind.PROFILE], began_at=self._place.begun(), exchange=asking.last, states=states
                )
            ]
        self._move(stage=STATUSES)
        return self._batch(observed, listings)

    def _lacks(self, native_id: str, names: Sorted[Any]) -> bool:
        """Whether a list that is one record has a name that cannot be read: without it, it would be another list."""
        gaps = self._asking.gaps_of("a list that is one record", names.unread)
        self._without([replace(one, native_id=native_id) for one in gaps])
        return bool(gaps)

    def _without(self, gaps: Sequence[Gap]) -> None:
        self._gaps += gaps
        self._move(profile=self._place.profile and not gaps)

    def _names(self, path: str, shape: Any) -> tuple[Sorted[Any], list[Span]]:
        """A list of names as a whole; its answers are led on by numbers of their own, which the header names."""
        first = self._asking.last + 1
        found: Sorted[Any] = Sorted([])
        params = {"limit": _NAMES}
        visited: set[str] = set()
        while True:
            told, exchange = self._asking.many(path, shape, params)
            found = Sorted([*found.items, *told.items], [*found.unread, *told.unread])
            following = parse.link(exchange.response_headers, "next", "max_id")
            if following is None or (not told.items and following in visited):
                return found, list(self._asking.since(first))
            if following in visited or len(visited) == _MOST_LISTED:
                raise UnexpectedResponse(f"{path} leads on and on: the list has no end.")
            visited.add(following)
            params = {"limit": _NAMES, "max_id": following}

    @contextmanager
    def _given(self, what: str) -> Iterator[None]:
        """Ask for one of the lists; one that is refused, or at which the server fails alone, is a gap."""
        try:
            with self._asking.about(what, f"account:{self._account}") as asked:
                yield
        except NotGiven as refused:
            self._move(profile=False)
            self._gaps.append(Gap(what=what, why=f"the server answers {refused}: connect the page again"))
        else:
            if asked.gap is not None:
                self._move(profile=False)
                self._gaps.append(asked.gap)

    # -- statuses ------------------------------------------------------------------------------------------

    def _statuses(self) -> Iterator[Batch]:
        asking = self._asking
        yield from self._threads()
        if not self._place.at:
            self._move(at=self._beginning())
        while True:
            at = self._place.at
            told, exchange = self._of_the_account({"limit": _STATUSES, "min_id": at})
            items, listed = told.items, asking.last
            self._unread(asking.statuses("a status", told))
            following = parse.link(exchange.response_headers, "prev", "min_id")
            if not items:
                # Empty, it may lead on: what stood there is shown no more. Where it leads to itself, nothing follows.
                following = following or max(
                    (one.id for one in told.unread if one.id is not None), key=parse.order, default=None
                )
                if following is None or parse.order(following) <= parse.order(at):
                    break
                self._move(
                    at=following,
                    seen=self._place.seen + len(told.unread),
                    waiting=tuple((one.id, None) for one in told.unread if one.id is not None),
                )
                yield from self._threads()
                continue
            if self._beyond(items):
                break
            highest = max((seen.what.id for seen in items), key=parse.order)
            if parse.order(highest) <= parse.order(at):
                raise UnexpectedResponse(
                    f"{exchange.url} answers with what was asked for before: the listing has no end."
                )
            if told.unread and following is not None:
                highest = max(
                    highest, following, key=parse.order
                )  # the newest may be one that cannot be read
            wanted = [seen for seen in items if self._spans(seen.what)]
            observed = [parse.status(seen, self._account, self._edits(seen.what)) for seen in wanted]
            answered = [seen.what for seen in items if self._asks(seen.what)]
            asks = {one.id for one in answered}
            # What answers a status that cannot be read, and what that answers, can be.
            named = self._named(told, at)
            listings = [
                self._under(seen.what.id, listed)
                for seen in wanted
                if self._one_by_one and seen.what.id not in asks and seen.what.replies_count == 0
            ]
            self._move(
                at=highest,
                seen=self._place.seen + len(wanted) + len(told.unread),
                waiting=(
                    *((one, None) for one in named),
                    *((one.id, one.replies_count) for one in answered),
                ),
                elsewhere=tuple(one.id for one in answered if one.in_reply_to_id is not None),
            )
            yield self._batch(observed, listings)
            yield from self._threads()
        if not self._place.seen and self._place.before and not self._spanned:
            why = "the server shows no status, and showed some before; that alone makes nothing absent"
            self._gaps.append(Gap(what="statuses", why=why))
            self._move(whole=False, threads=False)
        if self._owner:
            self._move(stage=MENTIONS, at="")
            yield self._batch()
        else:
            yield self._closing(listed)

    def _named(self, told: Sorted[parse.Status], at: str) -> list[str]:
        """The ids of those statuses of an answer that cannot be read; `at` is the id behind which it begins.

        Where one bears none it is asked for alone: the header that leads on from it tells its id.
        """
        read = {seen.span: seen.what.id for seen in told.items} | {one.span: one.id for one in told.unread}
        names: list[str] = []
        for span, identity in sorted(read.items(), key=lambda one: one[0].start, reverse=True):
            known = self._alone(at) if identity is None else identity
            if known is None or parse.order(known) <= parse.order(at):
                continue
            at = known
            names += [known] if any(one.span == span for one in told.unread) else []
        return names

    def _alone(self, at: str) -> str | None:
        """The id of the status that follows the id `at`, as the header has it; None where it is not told."""
        with self._asking.about("a status", f"account:{self._account}"):
            _, exchange = self._of_the_account({"limit": "1", "min_id": at})
            return parse.link(exchange.response_headers, "prev", "min_id")
        return None

    def _unread(self, gaps: Sequence[Gap]) -> None:
        """Take along which statuses cannot be read: each may be of any kind, and nothing below it is asked for."""
        if gaps:
            self._gaps += gaps
            self._move(whole=False, threads=False, messages=False, texts=False)

    def _of_the_account(self, params: dict[str, str]) -> tuple[Sorted[parse.Status], Exchange]:
        """One answer of the account's statuses."""
        try:
            return self._asking.many(f"/api/v1/accounts/{self._account}/statuses", parse.Status, params)
        except NotGiven as refused:
            if refused.lacks_permission:
                raise lacking(self._asking.origin, "statuses", "read:statuses", refused) from refused
            raise UnexpectedResponse(
                f"{self._asking.origin} shows the account and not its statuses ({refused}). If it was removed just now, "
                "the next pass says so; else ask the server's administrator."
            ) from refused

    def _beginning(self) -> str:
        """The id after which a pass begins: where ids hold the time, that of the beginning of its span."""
        begins = self._page.published_from
        if begins is None:
            return "0"
        newest, _ = self._of_the_account({"limit": "1"})
        if not newest.items or not parse.bears_time(newest.items[0].what):
            return "0"
        return parse.id_at(begins - self._reach - _NEAR)

    def _spans(self, read: parse.Status) -> bool:
        """Whether a status belongs to this pass; one without a time belongs to every one."""
        at = parse.moment(read.created_at)
        begins, ends = self._page.published_from, self._page.published_until
        return at is None or ((begins is None or at >= begins) and (ends is None or at <= ends))

    def _reaches(self, read: parse.Status) -> bool:
        """Whether a status was published shortly before the span: what answers it may lie within."""
        at, begins = parse.moment(read.created_at), self._page.published_from
        return at is not None and begins is not None and begins - self._reach <= at < begins

    def _beyond(self, items: Sequence[Seen[parse.Status]]) -> bool:
        """Whether all of an answer was published after the span, ids being the order of time."""
        ends = self._page.published_until
        if ends is None or not all(parse.bears_time(seen.what) for seen in items):
            return False
        return all((parse.moment(seen.what.created_at) or ends) > ends + _NEAR for seen in items)

    def _edits(self, read: parse.Status) -> list[Seen[parse.Edit]] | None:
        """The texts that a status has had, where it was edited since the last pass; None where they were not asked for."""
        edited, since = parse.moment(read.edited_at), self._place.since
        if edited is None or self._no_history or (not self._spanned and since is not None and edited < since):
            return None
        return self._history(read.id)

    def _history(self, identity: str) -> list[Seen[parse.Edit]] | None:
        edits: list[Seen[parse.Edit]] | None = None
        gaps: list[Gap] = []
        try:
            with self._asking.about("earlier texts", f"status:{identity}") as asked:
                told, _ = self._asking.many(f"/api/v1/statuses/{identity}/history", parse.Edit)
                edits = told.items
                gaps = _untold(self._asking, identity, told)
        except NotGiven as refused:
            if not refused.not_found:
                self._no_history = True
                self._gaps.append(Gap(what="earlier texts", why=f"the server answers {refused}"))
            # Else it was removed between the listing and this question: the next pass will say how it stands.
            return None
        gaps += filter(None, [asked.gap])
        if gaps:
            # The next pass asks for all that was edited since the one before this.
            self._gaps += gaps
            self._move(texts=False)
        return edits

    # -- what answers them ---------------------------------------------------------------------------------

    @property
    def _one_by_one(self) -> bool:
        return self._spanned or self._place.one_by_one

    def _asks(self, read: parse.Status) -> bool:
        """Whether to ask for the thread of a status: where it is answered, and where it answers somebody else.

        What answers the account itself stands in the thread of the status
        that it answers, which came before it. A pass over a span of time asks
        for the threads of the days before it too.
        """
        if read.reblog is not None or read.id in self._covered:
            return False
        if not self._spans(read):
            return read.replies_count != 0 and self._reaches(read)
        if read.replies_count != 0 or self._page.options.get("answers") == "all":
            return True
        if self._owner and read.visibility not in parse.TO_EVERYBODY:
            # A server counts what everybody may read, and none of the answers that only some may.
            return True
        if read.in_reply_to_id is None:
            return False
        return self._spanned or read.in_reply_to_account_id != self._account

    def _threads(self) -> Iterator[Batch]:
        """Read the threads that wait, the oldest first, each as one batch whose cursor leaves it out of those that wait."""
        while self._place.waiting:
            *others, (identity, counted) = self._place.waiting
            self._move(waiting=tuple(others))
            if identity in self._covered:
                continue
            thread: threads.Thread | None = None
            try:
                with self._asking.about("answers", f"status:{identity}") as asked:
                    thread = threads.read(self._asking, identity, counted)
            except NotGiven:
                # Removed since it was listed: what answered it now hangs in the air, and is not listed by this pass.
                pass
            else:
                if asked.gap is not None:
                    self._gaps.append(asked.gap)
                    self._move(whole=self._place.whole and identity not in self._place.elsewhere)
            if thread is None:
                self._move(threads=False, messages=self._place.messages and not self._owner)
                yield self._batch()
                continue
            exchange = self._asking.last
            self._covered |= {identity, *thread.below}
            begin = thread.above[0].what if thread.above else None
            if (
                self._spanned
                and begin
                and begin.account.id == self._account
                and begin.id not in self._covered
            ):
                self._move(waiting=(*others, (begin.id, begin.replies_count)))
            self._gaps += thread.gaps()
            self._move(
                threads=self._place.threads and thread.whole,
                messages=self._place.messages and not thread.failed,
                whole=self._place.whole and not thread.unread_above,
                texts=self._place.texts and not (thread.failed or thread.unread_above),
            )
            seen = [*thread.above, *thread.below.values()]
            observed = [parse.status(one, self._account, self._edits(one.what)) for one in seen]
            listings = [
                self._under(one, exchange)
                for one in sorted(thread.complete, key=parse.order)
                if self._one_by_one
            ]
            yield self._batch(observed, listings)

    def _under(self, identity: str, exchange: int) -> Listing:
        return Listing(
            kinds=[Kind.COMMENT, Kind.REPLY],
            began_at=self._place.begun(),
            exchange=exchange,
            in_reply_to=f"status:{identity}",
        )

    # -- who names the account -----------------------------------------------------------------------------

    def _mentions(self) -> Iterator[Batch]:
        """Read the mentions downwards: what comes meanwhile comes on top, and is the next pass's."""
        asking = self._asking
        yield from self._threads()
        while True:
            at = self._place.at
            params = {"types[]": "mention", "limit": _NOTIFICATIONS, "include_filtered": "true"}
            told: Sorted[parse.Notification] = Sorted([])
            following: str | None = None
            try:
                with asking.about(_MENTIONED, f"account:{self._account}") as listed:
                    told, exchange = asking.many(
                        "/api/v1/notifications", parse.Notification, params | ({"max_id": at} if at else {})
                    )
                    following = parse.link(exchange.response_headers, "next", "max_id")
            except NotGiven as refused:
                self._gaps.append(Gap(what=_MENTIONED, why=f"the server answers {refused}"))
                self._move(whole=False)
            else:
                if listed.gap is not None:
                    self._gaps.append(replace(listed.gap, native_id=None))
                    self._move(whole=False, messages=False)
            items = (
                told.items
            )  # one without a status is of a status that was deleted: so real servers tell it
            self._unread(asking.statuses(_MENTIONED, told))
            if not items and following is not None and (not at or parse.order(following) < parse.order(at)):
                self._move(at=following)
                continue
            lowest = min((seen.what.id for seen in items), key=parse.order, default="")
            if items and told.unread and following is not None:
                lowest = min(lowest, following, key=parse.order)  # the oldest may be one that cannot be read
            if at and items and parse.order(lowest) >= parse.order(at):
                raise UnexpectedResponse(
                    f"{asking.origin} answers with the notifications that it gave before: their listing has no end."
                )
            named = [
                Seen(seen.what.status, seen.span)
                for seen in items
                if seen.what.status is not None and self._spans(seen.what.status)
            ]
            observed = [parse.status(seen, self._account, self._edits(seen.what)) for seen in named]
            if not items or self._before(items):
                self._move(stage=CONVERSATIONS, at="")
                yield self._batch(observed)
                return
            answers = [
                (one.what.id, one.what.replies_count)
                for one in named
                if self._spanned
                and one.what.in_reply_to_account_id == self._account
                and one.what.id not in self._covered
            ]
            self._move(at=lowest, waiting=tuple(answers))
            yield self._batch(observed)
            yield from self._threads()

    def _conversations(self) -> Iterator[Batch]:
        """Read the conversations downwards: their messages are found here where nobody was told of them.

        That is so of what was muted or dismissed. A conversation shows its newest
        message; it is read as a thread where that one, or what it answers, was
        not met before.
        """
        asking = self._asking
        yield from self._threads()
        while True:
            at = self._place.at
            params = {"limit": _CONVERSATIONS} | ({"max_id": at} if at else {})
            told: Sorted[parse.Conversation] = Sorted([])
            following: str | None = None
            try:
                with asking.about(_UNTOLD, f"account:{self._account}") as asked:
                    told, exchange = asking.many("/api/v1/conversations", parse.Conversation, params)
                    following = parse.link(exchange.response_headers, "next", "max_id")
            except NotGiven as refused:
                if not refused.not_found:  # else it lists none
                    self._gaps.append(Gap(what=_UNTOLD, why=f"the server answers {refused}"))
                    self._move(messages=False)
            else:
                if asked.gap is not None:
                    self._gaps.append(replace(asked.gap, native_id=None))
                    self._move(messages=False)
            items = told.items
            if told.unread:
                self._gaps += asking.statuses(_UNTOLD, told)
                self._move(messages=False, texts=False)
            newest = [
                Seen(seen.what.last_status, seen.span) for seen in items if seen.what.last_status is not None
            ]
            unmet = [one for one in newest if self._spans(one.what) and not self._was_met(one.what)]
            observed = [parse.status(one, self._account, self._edits(one.what)) for one in unmet]
            waiting = tuple((one.what.id, one.what.replies_count) for one in reversed(unmet))
            begins = self._page.published_from
            times = [parse.moment(one.what.created_at) for one in newest]
            past = begins is not None and bool(times) and all(time and time < begins for time in times)
            if following is None or past or (not items and at and parse.order(following) >= parse.order(at)):
                self._move(waiting=waiting)
                yield self._batch(observed)
                yield from self._threads()
                return
            if at and parse.order(following) >= parse.order(at):
                raise UnexpectedResponse(
                    f"{asking.origin} leads on to conversations that it gave before: their listing has no end."
                )
            self._move(at=following, waiting=waiting)
            yield self._batch(observed)
            yield from self._threads()

    def _was_met(self, read: parse.Status) -> bool:
        """Whether a message and what it answers were observed in this visit."""
        names = [read.id, *([read.in_reply_to_id] if read.in_reply_to_id is not None else [])]
        return all(f"status:{name}" in self._met for name in names)

    def _before(self, items: Sequence[Seen[parse.Notification]]) -> bool:
        """Whether all of an answer was told before the span began: nothing is told before it is published."""
        begins = self._page.published_from
        if begins is None:
            return False
        times = [parse.moment(seen.what.created_at) for seen in items]
        return all(at is not None and at < begins for at in times)

    # -- ends ----------------------------------------------------------------------------------------------

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass."""
        last = yield from but_the_last(batches)
        assert last is not None, "conversations are asked for, whatever the answer"
        listings = self._seen_whole(len(last.exchanges) - 1)
        self._place = self._place.finished(_EDITED_LATELY)
        yield replace(last, listings=(*last.listings, *listings), resume_from=self._place.cursor())

    def _closing(self, exchange: int) -> Batch:
        """The last batch of a pass that reads no conversations."""
        listings = self._seen_whole(exchange)
        self._place = self._place.finished(_EDITED_LATELY)
        return self._batch((), listings)

    def _seen_whole(self, exchange: int) -> list[Listing]:
        """Of what everything was seen.

        Statuses of others that the account answered, or that name it, are
        posts too; one that is met no more, because the account's answer was
        deleted or its notification dismissed, is asked for by its id.
        """
        place = self._place
        kinds: list[Kind] = []
        if place.whole:
            kinds += [Kind.POST, Kind.REPLY]
            kinds += [Kind.COMMENT] if place.threads and not self._one_by_one else []
            kinds += [Kind.MESSAGE] if self._owner and place.messages else []
        if not kinds:
            return []
        return [
            Listing(
                kinds=kinds,
                began_at=place.begun(),
                exchange=exchange,
                published_from=self._page.published_from,
                published_until=self._page.published_until,
                states=(State.PRESENT, State.HIDDEN) if self._owner else (State.PRESENT,),
            )
        ]

    def _move(self, **changes: Any) -> None:
        self._place = self._place.moved(**changes)

    def _batch(self, observed: Sequence[Observation] = (), listings: Sequence[Listing] = ()) -> Batch:
        gaps, self._gaps = self._gaps, []
        self._met |= {one.native_id for one in observed}
        return self._asking.batch(self._place.cursor(), observed, listings=listings, gaps=gaps)


def _days(page: Page) -> int:
    written = page.options.get("answered_within", str(_ANSWERED_WITHIN))
    if not written.isdecimal() or int(written) > _MOST_DAYS:
        raise ConnectorError(
            f"The option answered_within must be a number of days from 0 to {_MOST_DAYS}, not “{written}”."
        )
    return int(written)


def _untold(asking: Asking, identity: str, told: Sorted[parse.Edit]) -> list[Gap]:
    """Which earlier texts of a status cannot be read."""
    gaps = asking.gaps_of("earlier texts", told.unread)
    return [replace(one, native_id=f"status:{identity}") for one in gaps]


def thread_of(
    asking: Asking, account: str, thread: threads.Thread, root: Seen[parse.Status]
) -> tuple[list[Observation], list[Gap]]:
    """A thread with its root, as observations; earlier texts are asked for of every one that was edited."""
    gaps = list(thread.gaps())
    observed = []
    for seen in (*thread.above, root, *thread.below.values()):
        edits = None
        if seen.what.edited_at:
            try:
                with asking.about("earlier texts", f"status:{seen.what.id}") as asked:
                    told, _ = asking.many(f"/api/v1/statuses/{seen.what.id}/history", parse.Edit)
                    edits = told.items
                    gaps += _untold(asking, seen.what.id, told)
                gaps += filter(None, [asked.gap])
            except NotGiven:
                edits = None
        observed.append(parse.status(seen, account, edits))
    return observed, gaps
