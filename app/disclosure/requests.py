"""Requests for records: what was asked, by whom, under which law, what happened since, and what is due.

The law in force on the day of receipt is kept with the request, byte for byte:
another edition, or a corrected file, changes nothing for it. The words, the
requester and the letters stand sealed in the acts; numbers, days and states in
the rows, from which the clocks are reckoned anew each time.

From its opening until a person confirms what answers it, nothing on a
request's pages and dates is disposed of; then what is responsive is held, until
the time for appeals is over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, insert, or_, select, update

from app.capture import deeds
from app.capture.deeds import Told
from app.db import Tx, from_instant, key_of, to_instant
from app.db.database import lock_ledger
from app.disclosure import clock, reading
from app.disclosure.clock import Due, Happened, Hours
from app.disclosure.known import Laws
from app.disclosure.law import LOG, Edition, Exemption, Law, NoSuchExemption
from app.holds import requests as holding
from app.records.errors import IntegrityFailure, Invalid, NotFound, Refused
from app.records.nouns import Officer, Role
from app.retention.calendar import LAST, civil, next_day
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import acts, request_events, request_laws, request_pages
from app.store.tables import pages as pages_table
from app.store.tables import requests as table

TYPE = "request"
"""The type of the entries."""
SELECTING, REVIEWING, CLOSED = "selecting", "reviewing", "closed"
STATES = {
    SELECTING: "open: what answers it is being looked for",
    REVIEWING: "open: what answers it is confirmed",
    CLOSED: "closed",
}
OUTCOMES = {
    "produced": "granted in full",
    "partly": "granted in part",
    "denied": "denied",
    "no_records": "there are no such records",
    "withdrawn": "withdrawn by the requester",
    "abandoned": "given up: not paid, or not answered",
    "discovery": "went on under the rules of court",
    "unstated": "closed without another outcome",
}
WORKERS = (Role.RECORDS_OFFICER, Role.ATTORNEY)
"""Who opens requests and works on them."""
READERS = (*WORKERS, Role.AUDITOR)
"""Who may read them."""
APPEALED_FROM = ("denied", "determined", "no_records", "produced", "instalment")
"""The answers that can be appealed from: each may keep something back."""
PREFIX = "PD"
_ASK = 500
_AHEAD = timedelta(minutes=5)
_FAR = timedelta(days=36_525)
"""A day that is further away than a hundred years was written by mistake."""
"""Clocks of two machines may differ by so much."""


class NoSuchRequest(NotFound):
    """No request of that number or id is there."""

    code = "no-such-request"


class RequestClosed(Refused):
    """The request was closed."""

    code = "request-closed"


class BadRequest(Invalid):
    """What was said of a request cannot be so."""

    code = "bad-request"


class RequestLawAltered(IntegrityFailure):
    """The law that is kept with a request is not what its entry says."""

    code = "request-law-altered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it stands."""

    key: int
    id: UUID
    entry: int
    number: str
    """What people call it: `PD-2026-0001`."""
    law: str
    """The name of the law under which it was received."""
    book: Law = field(repr=False)
    rules: Edition = field(repr=False)
    """The edition that was in force on the day of receipt."""
    track: str
    received_at: datetime
    opened_at: datetime
    opened_by: UUID | None
    why: str
    target: date | None
    litigant: bool | None
    """Whether the requester is a party to litigation with the agency; None: nobody has asked."""
    known_as: bytes | None = field(repr=False)
    """A keyed digest of who asks; None of whom nothing is known."""
    name: str
    email: str
    address: str
    words: str
    """What was asked, in the requester's own words."""
    channel: str
    """How it came: `page`, `mail`, `email`, `oral`, …"""
    since: date | None
    until: date | None
    pages: tuple[UUID, ...]
    state: str
    state_entry: int
    outcome: str
    custodian: UUID | None
    happened: tuple[Happened, ...]
    let_go: bool

    @property
    def open(self) -> bool:
        return self.state != CLOSED

    @property
    def anonymous(self) -> bool:
        return not self.name and not self.email

    @property
    def in_court(self) -> bool:
        """Whether it goes by the rules of court, so that no clock of the records law runs."""
        return bool(self.litigant) and self.rules.litigant is not None

    @property
    def closed_at(self) -> datetime | None:
        if self.open:
            return None
        return next((one.at for one in reversed(self.happened) if one.event == "closed"), None)

    def of(self, event: str) -> list[Happened]:
        """What happened of one kind, in the order in which it was written down."""
        return [one for one in self.happened if one.event == event]

    def waits_for(self, event: str, *, since: str) -> bool:
        """Whether of these two what was written down last is what the other one answers."""
        told = [one.event for one in self.happened if one.event in (event, since)]
        return bool(told) and told[-1] == since


# -- reading -----------------------------------------------------------------------------------------------


def get(store: Store, tx: Tx, which: str) -> Request:
    """The request of that number or id, or `NoSuchRequest`."""
    wanted = which.strip()
    asked = select(table)
    year, _, number = wanted.upper().removeprefix(f"{PREFIX}-").partition("-")
    if year.isdecimal() and number.isdecimal() and len(year) == 4 and len(number) <= 9:
        asked = asked.where(table.c.year == int(year), table.c.number == int(number))
    else:
        try:
            asked = asked.where(table.c.id == UUID(wanted).bytes)
        except ValueError:
            raise _none(wanted) from None
    row = tx.execute(asked).one_or_none()
    if row is None:
        raise _none(wanted)
    return _read(store, tx, [row])[0]


def _none(which: str) -> NoSuchRequest:
    return NoSuchRequest(f"no request {which[:80]!r} was opened", next="List them: muniment request list.")


def listed(
    store: Store,
    tx: Tx,
    *,
    states: Iterable[str] = (),
    after: int | None = None,
    limit: int | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Request]:
    """Requests, the newest first; `after` is the key to go on after, `since` and `until` are days of receipt."""
    asked = _narrowed(store, select(table), states, since, until).order_by(table.c.key.desc())
    if after is not None:
        asked = asked.where(table.c.key < after)
    if limit is not None:
        asked = asked.limit(limit)
    return _read(store, tx, tx.execute(asked).all())


def count(store: Store, tx: Tx, *, states: Iterable[str] = ()) -> int:
    asked = _narrowed(store, select(func.count()).select_from(table), states, None, None)
    return int(tx.execute(asked).scalar_one())


def _narrowed(store: Store, asked: Any, states: Iterable[str], since: date | None, until: date | None) -> Any:
    wanted = tuple(states)
    if wanted:
        asked = asked.where(table.c.state.in_(wanted))
    zone = store.agency.zone()
    if since is not None and since.year > 1:
        first = datetime(since.year, since.month, since.day, tzinfo=zone)
        asked = asked.where(table.c.received_at >= to_instant(first))
    if until is not None and until < LAST:
        ends = next_day(until)
        last = datetime(ends.year, ends.month, ends.day, tzinfo=zone)
        asked = asked.where(table.c.received_at < to_instant(last))
    return asked


def closed_and_held(store: Store, tx: Tx) -> list[Request]:
    """The closed requests for which something is held yet, oldest first."""
    asked = select(table).where(table.c.state == CLOSED, table.c.let_go_entry.is_(None)).order_by(table.c.key)
    return _read(store, tx, tx.execute(asked).all())


def closed_under_appeal(store: Store, tx: Tx) -> list[Request]:
    """The closed requests of which an appeal waits for its decision, oldest first.

    Where the law has a denial be its own appeal, it waits from the denial on,
    until it is decided or an officer lets go of what is held.
    """
    received, denied, decided = (_times(event) for event in ("appealed", "denied", "appeal_decided"))
    told = (
        select(request_events.c.request)
        .where(request_events.c.event.in_(("appealed", "denied", "appeal_decided")))
        .group_by(request_events.c.request)
    )
    by_itself = and_(
        table.c.key.in_(told.having(and_(denied > 0, decided == 0))),
        table.c.law.in_(_appealed_by_itself(tx)),
        table.c.let_go_entry.is_(None),
    )
    waiting = or_(table.c.key.in_(told.having(received > decided)), by_itself)
    asked = select(table).where(table.c.state == CLOSED, waiting).order_by(table.c.key)
    return _read(store, tx, tx.execute(asked).all())


def closed_and_won(store: Store, tx: Tx) -> list[Request]:
    """The closed requests of which an appeal was not upheld, and which were not opened again nor let go of, oldest first."""
    decided = select(request_events.c.request).where(
        request_events.c.event == "appeal_decided", request_events.c.code != "upheld"
    )
    asked = select(table).where(
        table.c.state == CLOSED, table.c.let_go_entry.is_(None), table.c.key.in_(decided)
    )
    found = _read(store, tx, tx.execute(asked.order_by(table.c.key)).all())
    return [one for one in found if won(one) and not _appealed(one)]


def _times(event: str) -> ColumnElement[int]:
    return func.sum(case((request_events.c.event == event, 1), else_=0))


def _appealed_by_itself(tx: Tx) -> list[int]:
    """The laws, by key, under which a denial is its own appeal."""
    books = _books(tx, tx.execute(select(request_laws.c.key)).scalars())
    return [
        key for key, kept in books.items()
        if any("denied" in one.after for edition in kept.law.editions for one in edition.deadlines)
    ]  # fmt: skip


def history(store: Store, tx: Tx, request: Request) -> list[Told]:
    """Everything that was done on a request, oldest first."""
    asked = select(acts.c.entry).where(acts.c.subject == request.id.bytes).order_by(acts.c.entry)
    entries = list(tx.execute(asked).scalars())
    told = deeds.told(store, tx, entries)
    return [told[entry] for entry in entries]


def _read(store: Store, tx: Tx, rows: Sequence[Any]) -> list[Request]:
    keys = [row.key for row in rows]
    told = deeds.told(store, tx, [row.entry for row in rows])
    happened: dict[int, list[Happened]] = {key: [] for key in keys}
    about: dict[int, list[UUID]] = {key: [] for key in keys}
    for start in range(0, len(keys), _ASK):
        part = keys[start : start + _ASK]
        asked = select(request_events).where(request_events.c.request.in_(part))
        for row in tx.execute(asked.order_by(request_events.c.key)):
            happened[row.request].append(_event(row))
        paged = (
            select(request_pages.c.request, pages_table.c.id)
            .join(pages_table, pages_table.c.key == request_pages.c.page)
            .where(request_pages.c.request.in_(part))
            .order_by(request_pages.c.page)
        )
        for row in tx.execute(paged):
            about[row.request].append(UUID(bytes=bytes(row.id)))
    books = _books(tx, {row.law for row in rows})
    return [_request(row, told[row.entry], happened[row.key], about[row.key], books[row.law]) for row in rows]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A law that is kept with requests, and the SHA-256 of its file."""

    law: Law
    sha256: str


def _books(tx: Tx, keys: Iterable[int]) -> dict[int, _Kept]:
    asked = select(request_laws).where(request_laws.c.key.in_(list(keys)))
    return {row.key: _book(bytes(row.content)) for row in tx.execute(asked)}


@lru_cache(maxsize=128)
def _book(content: bytes) -> _Kept:
    law = reading.of_bytes(content, "the law that the request was received under")
    return _Kept(law, hashlib.sha256(content).hexdigest())


def _event(row: Any) -> Happened:
    return Happened(
        event=row.event,
        at=from_instant(row.at),
        code=row.code,
        rule=row.rule,
        days=row.days,
        on=deeds.of_row(row.on_day),
        number=row.number,
    )


def _request(
    row: Any, told: Told, happened: Sequence[Happened], about: Sequence[UUID], kept: _Kept
) -> Request:
    book = kept.law
    if kept.sha256 != told.text("law_sha256"):
        raise RequestLawAltered(
            "the law that is kept with a request is not the one that it was received under",
            next="Keep this copy as evidence, and restore the newest backup.",
        )
    return Request(
        key=row.key,
        id=UUID(bytes=bytes(row.id)),
        entry=row.entry,
        number=number_of(row.year, row.number),
        law=book.name,
        book=book,
        rules=book.edition(row.edition),
        track=row.track,
        received_at=from_instant(row.received_at),
        opened_at=told.at,
        opened_by=told.by,
        why=told.why,
        target=deeds.of_row(row.target_day),
        litigant=row.litigant,
        known_as=bytes(row.requester) if row.requester is not None else None,
        name=told.text("name"),
        email=told.text("email"),
        address=told.text("address"),
        words=told.text("words"),
        channel=told.text("channel"),
        since=deeds.of_row(row.from_day),
        until=deeds.of_row(row.until_day),
        pages=tuple(about),
        state=row.state,
        state_entry=row.state_entry,
        outcome=row.outcome or "",
        custodian=UUID(bytes=bytes(row.custodian)) if row.custodian is not None else None,
        happened=tuple(happened),
        let_go=row.let_go_entry is not None,
    )


def number_of(year: int, number: int) -> str:
    """What people call a request."""
    return f"{PREFIX}-{year}-{number:04}"


# -- what follows from it ----------------------------------------------------------------------------------


def due(store: Store, laws: Laws, request: Request) -> list[Due]:
    """Everything that is due on a request, the next first; nothing where it goes by the rules of court."""
    if request.in_court:
        return []
    return clock.reckon(
        request.rules, request.happened, hours(store, laws, request), track=request.track, target=request.target
    )  # fmt: skip


def still_due(store: Store, laws: Laws, request: Request) -> list[Due]:
    """What is due on a request and not met: of a closed one only what waits for the decision on an appeal."""
    told = [one for one in due(store, laws, request) if one.met_on is None]
    if request.open:
        return told
    rules = {one.code: one for one in request.rules.deadlines}
    return [one for one in told if one.code in rules and "appeal_decided" in rules[one.code].met_by]


def hours(store: Store, laws: Laws, request: Request) -> Hours:
    """On which days the agency works, for the clocks of a request."""
    return laws.hours(request.book, store.agency.zone())


def next_due(dues: Sequence[Due]) -> Due | None:
    """What is due next: not met yet, and with its day."""
    return next((one for one in dues if one.met_on is None and one.on is not None), None)


def exemption(request: Request, code: str) -> Exemption | None:
    """The exemption of that code in the law of a request, None where it has none."""
    try:
        return request.book.exemption(code)
    except NoSuchExemption:
        return None


def exemptions(request: Request) -> Mapping[str, Exemption]:
    """The exemptions of the law of a request, by code."""
    return {one.code: one for one in request.book.exemptions}


def selecting_since(request: Request) -> datetime | None:
    """Since when everything on its pages and dates is held; None once a person has confirmed what answers it."""
    if request.state != SELECTING:
        return None
    opened = request.of("reopened")
    return opened[-1].at if opened else request.opened_at


def holds_everything(request: Request) -> bool:
    """Whether the whole archive is held for it: nobody has confirmed a selection, and it names no page and no date."""
    return request.state == SELECTING and not (request.pages or request.since or request.until)


def kept_until(store: Store, laws: Laws, request: Request) -> date | None:
    """The last day on which what is responsive is held after the request was closed; None: until an officer ends it.

    The latest of the times for appeals and of what the law wants to be kept.
    Each answer to the requester begins the time for appeals anew. Where the
    law that was read does not say how long that is, or nobody verified what it
    says, or an appeal is not decided, or one was not upheld and the request
    was not opened again since, nobody but an officer can say that it is over.
    """
    if request.closed_at is None or _appealed(request) or won(request):
        return None
    within = hours(store, laws, request)
    windows = [(one.after, one.within if one.verified else None, one.count) for one in request.rules.appeals]
    if request.rules.keep is not None:
        keep = request.rules.keep
        windows.append((keep.after, keep.within if keep.verified else None, keep.count))
    last: list[date] = []
    for event, days, count_ in windows:
        if days is None:
            return None
        begun_by = APPEALED_FROM if event == "denied" else (event,)
        at = [one.at for one in request.happened if one.event in begun_by]
        begun = civil(max(at, default=request.closed_at), within.zone)
        reached = clock.advance(begun, days, count_, within.calendar, ())
        assert reached is not None, "no clock stands still after the closing"
        last.append(reached)
    closed = civil(request.closed_at, within.zone)
    return max([*last, closed]) if last else None


def _appealed(request: Request) -> bool:
    return len(request.of("appealed")) > len(request.of("appeal_decided"))


def under_appeal(request: Request) -> bool:
    """Whether an appeal was received that nobody has decided yet."""
    return _appealed(request)


def won(request: Request) -> bool:
    """Whether the newest appeal was decided otherwise than upheld, and the request was not opened again since."""
    told = [one for one in request.happened if one.event in ("appeal_decided", "reopened")]
    return bool(told) and told[-1].event == "appeal_decided" and told[-1].code != "upheld"


def must_be_open(request: Request) -> Request:
    """The request, unless it was closed."""
    if not request.open:
        raise RequestClosed(
            f"{request.number} was closed",
            next="Open it again where the law has it: muniment request reopen.",
        )
    return request


# -- what every verb here does -----------------------------------------------------------------------------


def fresh(store: Store, tx: Tx, request: Request) -> Request:
    """The request as it stands under the ledger's lock."""
    lock_ledger(tx)
    return get(store, tx, str(request.id))


def note(
    store: Store,
    tx: Tx,
    request: Request,
    act: str,
    *,
    event: Happened | None = None,
    detail: Mapping[str, object] | None = None,
    by: Officer | None,
    why: str,
) -> int:
    """Write one entry for something that was done on a request, and the event that its clocks take note of."""
    if event is not None:
        must_have_been(store, request, event.at)
    entry = store.ledger.act(
        tx,
        TYPE,
        by=by.id if by else None,
        why=why,
        facts={"request": request.id.hex, "act": act},
        detail={"act": act, **(_told(event) if event else {}), **(detail or {})},
        subject=request.id,
    )
    if event is not None:
        put(tx, request.key, entry, event)
    return entry


def put(tx: Tx, request: int, entry: int, event: Happened) -> None:
    """Write down what happened."""
    tx.execute(
        insert(request_events).values(
            request=request,
            entry=entry,
            event=event.event,
            at=to_instant(event.at),
            code=event.code,
            rule=event.rule,
            days=event.days,
            on_day=event.on.isoformat() if event.on else None,
            number=event.number,
        )
    )


def _told(event: Happened) -> dict[str, object]:
    told = {"event": event.event, "at": event.at.isoformat(), "code": event.code, "rule": event.rule}
    numbers = {"days": event.days, "number": event.number, "on": event.on.isoformat() if event.on else None}
    return {**told, **{name: value for name, value in numbers.items() if value}}


def must_have_been(store: Store, request: Request, at: datetime) -> None:
    """Raise unless something can have happened at that moment: not before the receipt, and not in time to come."""
    if at > store.clock.now() + _AHEAD:
        raise BadRequest(f"{at:%Y-%m-%d %H:%M} is still to come", next="Write it down when it has happened.")
    if at < request.received_at:
        raise BadRequest(
            f"{at:%Y-%m-%d %H:%M} is before the request was received",
            next="Give the moment at which it happened.",
        )


def must_be_near(on: date, today: date) -> None:
    """Raise where a day lies so far ahead, or back, that it can only be a slip of the pen."""
    if not -_FAR <= on - today <= _FAR:
        raise BadRequest(f"{on} is more than a hundred years away", next="Look at the year again.")


def move(tx: Tx, request: Request, state: str, entry: int, *, outcome: str | None = None) -> None:
    """Let a request stand otherwise."""
    tx.execute(
        update(table)
        .where(table.c.key == request.key)
        .values(state=state, state_entry=entry, outcome=outcome)
    )


def confirmed(
    store: Store, tx: Tx, request: Request, responsive: Iterable[int], *, by: Officer, why: str
) -> Request:
    """A person has confirmed what answers a request: that is held, and the rest of its pages and dates is let go."""
    now = must_be_open(fresh(store, tx, request))
    keys = list(responsive)
    held = holding.confirm_for_request(store, tx, now.id, keys, by=by, why=why)
    detail = {"n": len(keys), "hold": str(held.id) if held else None}
    entry = note(store, tx, now, "confirmed", detail=detail, by=by, why=why)
    move(tx, now, REVIEWING, entry)
    return get(store, tx, str(now.id))


def requester_of(store: Store, name: str, email: str) -> bytes | None:
    """A keyed digest by which requests of one person are told; None of whom nothing is known."""
    said = email.strip().casefold() or " ".join(name.casefold().split())
    return keyed(store.lookup, b"requester", said.encode("utf-8", "replace")) if said else None


def keep_law(tx: Tx, content: bytes) -> int:
    """Keep a law's file, once; return its key."""
    digest = hashlib.sha256(content).digest()
    known = tx.execute(select(request_laws.c.key).where(request_laws.c.digest == digest)).scalar()
    if known is not None:
        return int(known)
    return key_of(tx.execute(insert(request_laws).values(digest=digest, content=content)))


# -- telling -----------------------------------------------------------------------------------------------


def due_json(one: Due, today: date) -> dict[str, object]:
    """Something that is due, as programs read it."""
    return {
        "what": one.what,
        "on": one.on.isoformat() if one.on else None,
        "citation": one.citation,
        "code": one.code,
        "at": one.at.isoformat() if one.at else None,
        "state": one.standing(today),
        "statutory": one.statutory,
        "verified": one.verified,
        "met_on": one.met_on.isoformat() if one.met_on else None,
        "waits_for": one.waits_for or None,
        "if_missed": one.missed or None,
        "stands_on": list(one.stands_on),
    }


def in_short(request: Request, dues: Sequence[Due], today: date) -> dict[str, object]:
    """A request as lists tell it, with what is due."""
    return {
        "id": str(request.id),
        "number": request.number,
        "state": request.state,
        "outcome": request.outcome or None,
        "received_at": request.received_at.isoformat(),
        "from": request.name or None,
        "law": request.law,
        "track": request.track,
        "clock": "court" if request.in_court else "none_statutory" if request.rules.no_clock else "statutory",
        "due": [due_json(one, today) for one in dues if one.met_on is None],
    }


def as_json(
    request: Request, dues: Sequence[Due], today: date, people: Mapping[UUID, str]
) -> dict[str, object]:
    """A request with everything that stands in it; `people` are e-mails by id."""
    told = in_short(request, dues, today)
    told["due"] = [due_json(one, today) for one in dues]
    return {
        **told,
        "text": request.words,
        "email": request.email or None,
        "address": request.address or None,
        "anonymous": request.anonymous,
        "channel": request.channel,
        "litigant": request.litigant,
        "pages": [str(page) for page in request.pages],
        "since": request.since.isoformat() if request.since else None,
        "until": request.until.isoformat() if request.until else None,
        "edition": request.rules.label,
        "no_clock": request.rules.no_clock or None,
        "duties": [{"what": one.what, "citation": one.citation} for one in request.rules.duties],
        "target": request.target.isoformat() if request.target else None,
        "opened_at": request.opened_at.isoformat(),
        "opened_by": people.get(request.opened_by) if request.opened_by else None,
        "why": request.why,
        "custodian": people.get(request.custodian) if request.custodian else None,
        "holding_everything_since": since.isoformat() if (since := selecting_since(request)) else None,
        "happened": [
            {"event": one.event, "at": one.at.isoformat(), "code": one.code or None, "number": one.number or None,
             "on": one.on.isoformat() if one.on else None}
            for one in request.happened
        ],
        "entry": request.entry,
    }  # fmt: skip


def must_log(request: Request) -> tuple[str, ...]:
    """What the log must show of a request, by the words of `LOG`; where the law asks nothing, everything."""
    return request.rules.log.needs if request.rules.log is not None else tuple(LOG)
