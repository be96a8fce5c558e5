"""Opening a request: its number, the law in force on the day of receipt, its first events, and the hold.

All of it is one transaction: there is no moment at which a request is open and
something on its pages and dates could be disposed of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select

from app import officers
from app.capture import deeds
from app.capture import pages as registry
from app.db import Tx, key_of, to_instant
from app.db.database import lock_ledger
from app.disclosure import papers, requests
from app.disclosure.clock import Happened
from app.disclosure.known import Laws
from app.disclosure.law import STANDARD, Edition, Law
from app.disclosure.papers import New
from app.disclosure.requests import SELECTING, TYPE, WORKERS, BadRequest, Request
from app.holds import requests as holding
from app.holds.finding import Found
from app.records.errors import Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Page
from app.retention.calendar import civil
from app.store.store import Store
from app.store.tables import request_pages
from app.store.tables import requests as table

MOST_WORDS = 100_000
CHANNELS = ("page", "letter", "mail", "email", "oral", "in_person", "api", "command_line")
"""How a request can come; `mail` is by post without proof of receipt."""
ORAL = "oral"
_AHEAD = timedelta(minutes=5)
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
"""Before and after these nothing of a request happens, and the calendar has no room for its days."""

_COMPARED = 2_000
"""With the messages of so many requests, the newest, a message is compared."""


class OpenedAlready(Refused):
    """A request was opened from this very message."""

    code = "opened-already"


def open(  # noqa: A001 - requests are opened; the module is never imported by star
    store: Store,
    tx: Tx,
    laws: Laws,
    words: str,
    *,
    received: datetime,
    law: str = "",
    track: str = "",
    name: str = "",
    email: str = "",
    address: str = "",
    channel: str = "command_line",
    litigant: bool | None = None,
    pages: Sequence[Page] = (),
    since: date | None = None,
    until: date | None = None,
    target: date | None = None,
    complete: bool = True,
    postmarked: datetime | None = None,
    enclosed: Sequence[New] = (),
    message: str = "",
    found: Found | None = None,
    by: Officer,
    why: str,
) -> Request:
    """Open a request, received at that moment, and hold everything on its pages and dates; none named: the whole archive.

    Whoever asks may stay unknown. `complete` says that nothing is missing
    from it, where the law's clock waits for that. `postmarked` is for what
    came by post without proof of receipt. `found` is what
    `holds.requests.look_for_request` found. Where the law sets no day, the
    agency's own target is set, if it has one.
    """
    officers.require(by, *WORKERS)
    plain = words.strip()
    if not plain or len(plain) > MOST_WORDS:
        raise BadRequest(
            f"a request has words, up to {MOST_WORDS:,} signs", next="Write what was asked, in the requester's own words."
        )  # fmt: skip
    _must_be_possible(store, received, postmarked, target, since, until)
    if channel not in CHANNELS:
        raise BadRequest(
            f"{channel[:40]!r} is no way in which requests come", next=f"Known are {', '.join(CHANNELS)}."
        )
    address_ = officers.plain_email(email) if email.strip() else ""
    lock_ledger(tx)
    _must_be_new(store, tx, message)
    book = laws.get(law)
    zone = store.agency.zone()
    rules = book.on(civil(received, zone))
    kind = _track(rules, book, track, channel)
    identity, now = new_id(), store.clock.now()
    year = civil(now, zone).year
    number = int(tx.execute(select(func.max(table.c.number)).where(table.c.year == year)).scalar() or 0) + 1
    aim = target or _target(laws, book, rules, received, store)
    kept = papers.numbered(*enclosed)
    content = laws.files[book.name]
    answers = _custodian(tx, laws)
    entry = store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"request": identity.hex, "act": "opened"},
        detail={
            "act": "opened",
            "number": requests.number_of(year, number),
            "name": " ".join(name.split())[:200],
            "email": address_,
            "address": address.strip()[:2_000],
            "words": plain,
            "channel": channel,
            "message": message,
            "law": book.name,
            "edition": rules.label,
            "law_sha256": hashlib.sha256(content).hexdigest(),
            "track": kind,
            "received_at": received.isoformat(),
            "litigant": litigant,
            "pages": [str(page.id) for page in pages],
            "from": since.isoformat() if since else None,
            "until": until.isoformat() if until else None,
            "target": aim.isoformat() if aim else None,
            "custodian": str(UUID(bytes=answers)) if answers else None,
            "postmarked": postmarked.isoformat() if postmarked else None,
            "complete": complete,
            "papers": papers.named(kept),
        },
        subject=identity,
    )
    made = tx.execute(
        insert(table).values(
            id=identity.bytes,
            entry=entry,
            year=year,
            number=number,
            law=requests.keep_law(tx, content),
            edition=rules.label,
            track=kind,
            received_at=to_instant(received),
            target_day=aim.isoformat() if aim else None,
            litigant=litigant,
            requester=requests.requester_of(store, name, address_),
            from_day=since.isoformat() if since else None,
            until_day=until.isoformat() if until else None,
            state=SELECTING,
            state_entry=entry,
            custodian=answers,
            custodian_entry=entry if answers else None,
        )
    )
    key = key_of(made)
    for page in {page.key: page for page in pages}.values():
        tx.execute(insert(request_pages).values(request=key, page=page.key))
    if postmarked is not None:
        requests.put(tx, key, entry, Happened(event="postmarked", at=postmarked))
    requests.put(tx, key, entry, Happened(event="received", at=received))
    if complete:
        requests.put(tx, key, entry, Happened(event="complete", at=received))
    papers.keep(store, tx, key, entry, kept)
    holding.open_for_request(
        store, tx, identity, pages, since=since, until=until, found=found, by=by, why=f"{requests.number_of(year, number)}: {why}"
    )  # fmt: skip
    return requests.get(store, tx, str(identity))


def _must_be_new(store: Store, tx: Tx, message: str) -> None:
    """Raise `OpenedAlready` where a request came by the message of this id: its clocks run since then."""
    if not message:
        return
    asked = select(table.c.entry, table.c.year, table.c.number).order_by(table.c.key.desc()).limit(_COMPARED)
    rows = tx.execute(asked).all()
    told = deeds.told(store, tx, [row.entry for row in rows])
    for row in rows:
        if told[row.entry].text("message") == message:
            raise OpenedAlready(
                f"{requests.number_of(row.year, row.number)} was opened from this message",
                next="Look there. Where the message asks for two things apart, open the second one by its words.",
            )


def moment(text: str, zone: ZoneInfo, what: str = "the moment of receipt") -> datetime:
    """A moment as people write it: a day, or a day with a time; without a zone the agency's is meant."""
    written = text.strip()
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        raise BadRequest(
            f"{what} {written[:40]!r} is no day and time", next="Write 2026-03-02 or 2026-03-02T16:30."
        ) from error
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise BadRequest(
            f"{what} {written[:40]!r} is in no year that is meant", next="Look at the year again."
        )
    return found if found.tzinfo else found.replace(tzinfo=zone)


def pages_of(tx: Tx, named: Sequence[str]) -> list[Page]:
    """The pages of these names or ids."""
    return [registry.get(tx, one) for one in dict.fromkeys(named)]


def _must_be_possible(
    store: Store,
    received: datetime,
    postmarked: datetime | None,
    target: date | None,
    since: date | None,
    until: date | None,
) -> None:
    if received.tzinfo is None:
        raise BadRequest("the moment of receipt has no zone", next="Write it as 2026-03-02T16:30:00-09:00.")
    today, zone = deeds.today(store), store.agency.zone()
    for one in (received, postmarked):
        if one is not None:
            requests.must_be_near(one.date(), today)
    if target is not None:
        requests.must_be_near(target, today)
        if target < civil(received, zone):
            raise BadRequest(f"the target {target} is before the receipt", next="Give a later day.")
    if received > store.clock.now() + _AHEAD:
        raise BadRequest(
            f"{received.isoformat()} is still to come", next="A request is opened when it was received."
        )
    if postmarked is not None and postmarked > received:
        raise BadRequest("it was postmarked after it was received", next="Look at the two days again.")
    if since and until and until < since:
        raise BadRequest(f"{until} is before {since}", next="Give the first day, and then the last.")


def _track(rules: Edition, book: Law, asked: str, channel: str) -> str:
    known = rules.known_tracks()
    wanted = asked.strip() or (ORAL if channel == ORAL and ORAL in known else STANDARD)
    if wanted not in known:
        raise BadRequest(
            f"{book.title} has no requests of the track {wanted[:40]!r}",
            next=f"Known are {', '.join(f'{word} ({says})' for word, says in known.items())}.",
        )
    return wanted


def _target(laws: Laws, book: Law, rules: Edition, received: datetime, store: Store) -> date | None:
    """The agency's own target where the law sets no day."""
    if rules.deadlines or not laws.house.target_days:
        return None
    hours = laws.hours(book, store.agency.zone())
    return hours.calendar.after(civil(received, hours.zone), laws.house.target_days)


def _custodian(tx: Tx, laws: Laws) -> bytes | None:
    """Who answers requests where nobody else is named."""
    if not laws.house.custodian:
        return None
    found: UUID = officers.find(tx, laws.house.custodian).id
    return found.bytes
