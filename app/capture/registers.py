"""Two registers: who may disclose what on the chief's word, and postings that violate the policy.

Both are plain lists. Their words stand sealed in the ledger's entries; an
authorisation ends and a report is answered by another entry, and nothing is
taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app.capture import approvals, deeds, pages, records
from app.capture.deeds import Told
from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.records.errors import Invalid, NotFound, Refused
from app.records.ids import new_id
from app.records.nouns import Page
from app.store.store import Store
from app.store.tables import authorisations, violations


class NotInWriting(Invalid):
    """The policy asks for a written authorisation."""

    code = "not-in-writing"


class NoSuchAuthorisation(NotFound):
    """No authorisation of that id is in the register."""

    code = "no-such-authorisation"


class NoSuchReport(NotFound):
    """No violation report of that id is in the register."""

    code = "no-such-report"


class NothingReported(Invalid):
    """A report names what it is about: an address, the words of an attachment, or a captured record."""

    code = "nothing-reported"


class OwnReport(Refused):
    """A report is answered by a supervisor, not by whoever made it."""

    code = "own-report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """What somebody may disclose, by whose word, from which day to which."""

    id: UUID
    who: str
    what: str
    given_by: str
    instrument: str
    written: bool
    given_on: date
    until: date | None
    page: UUID | None
    record: UUID | None
    entry: int
    recorded_at: datetime
    recorded_by: UUID | None
    why: str
    ended_at: datetime | None = None
    ended_by: UUID | None = None
    ended_why: str = ""

    def runs(self, today: date) -> bool:
        """Whether it counts on that day."""
        return (
            self.ended_at is None and self.given_on <= today and (self.until is None or today <= self.until)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A posting or page that somebody says violates the policy; open until it is answered."""

    id: UUID
    at: datetime
    by: UUID | None
    what: str
    address: str
    attachment: str
    page: UUID | None
    record: UUID | None
    entry: int
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    answer: str = ""


# -- authorisations ----------------------------------------------------------------------------------------


def authorise(
    store: Store,
    tx: Tx,
    *,
    who: str,
    what: str,
    given_by: str,
    given_on: date | None = None,
    until: date | None = None,
    instrument: str = "",
    page: Page | None = None,
    record: UUID | None = None,
    messages: bool = False,
    by: UUID,
    why: str,
) -> Authorisation:
    """Write down that the chief let somebody disclose something; in writing, where the policy asks for it.

    `instrument` is the written authorisation: its words, or what it is called
    and where it lies. A private message is linked only where `messages` is set.
    """
    asked = approvals.of_agency(tx)
    text = deeds.words(instrument, "the instrument", needed=False)
    if asked is not None and asked.written and not text:
        raise NotInWriting(
            f"{asked.title} ({asked.written_citation}) asks for a written authorisation",
            next="Give its words, or what it is called and where it lies, as the instrument.",
        )
    begins = given_on or deeds.today(store)
    if until is not None and until < begins:
        raise deeds.BadDate(f"{until} is before {begins}")
    linked, place = _linked(store, tx, page, record, messages=messages)
    detail = {
        "who": deeds.words(who, "who may disclose"),
        "what": deeds.words(what, "what may be disclosed"),
        "given_by": deeds.words(given_by, "who gave it"),
        "instrument": text,
        "given_on": begins.isoformat(),
        "until": until.isoformat() if until else None,
        **_links(place, linked),
    }
    identity = new_id()
    lock_ledger(tx)
    entry = store.ledger.act(
        tx,
        "authorisation",
        by=by,
        why=why,
        facts={"authorisation": identity.hex, "act": "given"},
        detail=detail,
        subject=identity,
    )
    tx.execute(
        insert(authorisations).values(
            id=identity.bytes,
            entry=entry,
            page=place.key if place else None,
            record=linked.bytes if linked else None,
            given_on=begins.isoformat(),
            until=until.isoformat() if until else None,
            written=bool(text),
        )
    )
    return authorisation(store, tx, identity)


def end_authorisation(store: Store, tx: Tx, identity: UUID, *, by: UUID, why: str) -> Authorisation:
    """End an authorisation before its time."""
    lock_ledger(tx)
    if authorisation(store, tx, identity).ended_at is not None:
        raise Refused("this authorisation was ended already")
    entry = store.ledger.act(
        tx,
        "authorisation",
        by=by,
        why=why,
        facts={"authorisation": identity.hex, "act": "ended"},
        subject=identity,
    )
    mine = authorisations.c.id == identity.bytes
    tx.execute(update(authorisations).where(mine).values(ended_entry=entry))
    return authorisation(store, tx, identity)


def authorisation(store: Store, tx: Tx, identity: UUID) -> Authorisation:
    """The authorisation of that id, or `NoSuchAuthorisation`."""
    for one in authorised(store, tx):
        if one.id == identity:
            return one
    raise NoSuchAuthorisation(f"no authorisation {identity} is in the register")


def authorised(store: Store, tx: Tx, *, record: UUID | None = None) -> list[Authorisation]:
    """Every authorisation, newest first, or those of one record."""
    asked = select(authorisations).order_by(authorisations.c.key.desc())
    if record is not None:
        asked = asked.where(authorisations.c.record == record.bytes)
    rows = tx.execute(asked).all()
    said = deeds.told(store, tx, [entry for row in rows for entry in (row.entry, row.ended_entry)])
    known = _pages(tx)
    return [_authorisation(row, said[row.entry], said.get(row.ended_entry), known) for row in rows]


def _authorisation(row: Any, made: Told, ended: Told | None, known: dict[int, UUID]) -> Authorisation:
    return Authorisation(
        id=UUID(bytes=bytes(row.id)),
        who=made.text("who"),
        what=made.text("what"),
        given_by=made.text("given_by"),
        instrument=made.text("instrument"),
        written=bool(row.written),
        given_on=date.fromisoformat(row.given_on),
        until=deeds.of_row(row.until),
        page=known.get(row.page),
        record=UUID(bytes=bytes(row.record)) if row.record is not None else None,
        entry=row.entry,
        recorded_at=made.at,
        recorded_by=made.by,
        why=made.why,
        ended_at=ended.at if ended else None,
        ended_by=ended.by if ended else None,
        ended_why=ended.why if ended else "",
    )


# -- violation reports -------------------------------------------------------------------------------------


def report(
    store: Store,
    tx: Tx,
    *,
    what: str,
    address: str = "",
    attachment: str = "",
    page: Page | None = None,
    record: UUID | None = None,
    messages: bool = False,
    by: UUID,
) -> Report:
    """Tell the supervisors of a posting or page that violates the policy; what is told is the reason as well."""
    told = deeds.words(what, "what was seen")
    where = deeds.words(address, "the address", needed=False)
    attached = deeds.words(attachment, "the attachment", needed=False)
    linked, place = _linked(store, tx, page, record, messages=messages)
    if not (where or attached or linked or place):
        raise NothingReported(
            "the report names nothing that could be looked at",
            next="Give an address, the words of an attachment, a page, or a captured record.",
        )
    identity = new_id()
    lock_ledger(tx)
    entry = store.ledger.act(
        tx,
        "violation",
        by=by,
        why=told,
        facts={"violation": identity.hex, "act": "reported"},
        detail={"what": told, "address": where, "attachment": attached, **_links(place, linked)},
        subject=identity,
    )
    tx.execute(
        insert(violations).values(
            id=identity.bytes,
            entry=entry,
            at=to_instant(store.clock.now()),
            page=place.key if place else None,
            record=linked.bytes if linked else None,
        )
    )
    return reported_one(store, tx, identity)


def answer(store: Store, tx: Tx, identity: UUID, text: str, *, by: UUID) -> Report:
    """Answer a report, which closes it; whoever made it does not answer it."""
    lock_ledger(tx)
    one = reported_one(store, tx, identity)
    if one.answered_at is not None:
        raise Refused("this report was answered already")
    if one.by == by:
        raise OwnReport("you made this report yourself", next="Another supervisor answers it.")
    told = deeds.words(text, "the answer")
    entry = store.ledger.act(
        tx,
        "violation",
        by=by,
        why=told,
        facts={"violation": identity.hex, "act": "answered"},
        detail={"answer": told},
        subject=identity,
    )
    tx.execute(update(violations).where(violations.c.id == identity.bytes).values(answer_entry=entry))
    return reported_one(store, tx, identity)


def reported_one(store: Store, tx: Tx, identity: UUID) -> Report:
    """The report of that id, or `NoSuchReport`."""
    for one in reported(store, tx):
        if one.id == identity:
            return one
    raise NoSuchReport(f"no violation report {identity} is in the register")


def reported(store: Store, tx: Tx) -> list[Report]:
    """Every report, newest first."""
    rows = tx.execute(select(violations).order_by(violations.c.key.desc())).all()
    said = deeds.told(store, tx, [entry for row in rows for entry in (row.entry, row.answer_entry)])
    known = _pages(tx)
    return [_report(row, said[row.entry], said.get(row.answer_entry), known) for row in rows]


def open_reports(tx: Tx) -> list[tuple[int | None, datetime]]:
    """The reports that nobody answered, oldest first: the key of their page where they name one, and when."""
    asked = select(violations.c.page, violations.c.at).where(violations.c.answer_entry.is_(None))
    return [(row.page, from_instant(row.at)) for row in tx.execute(asked.order_by(violations.c.key))]


def _report(row: Any, made: Told, answered: Told | None, known: dict[int, UUID]) -> Report:
    return Report(
        id=UUID(bytes=bytes(row.id)),
        at=made.at,
        by=made.by,
        what=made.text("what"),
        address=made.text("address"),
        attachment=made.text("attachment"),
        page=known.get(row.page),
        record=UUID(bytes=bytes(row.record)) if row.record is not None else None,
        entry=row.entry,
        answered_at=answered.at if answered else None,
        answered_by=answered.by if answered else None,
        answer=answered.text("answer") if answered else "",
    )


def _linked(
    store: Store, tx: Tx, page: Page | None, record: UUID | None, *, messages: bool
) -> tuple[UUID | None, Page | None]:
    """The record and the page that an entry is about; a record that the officer may not know of is none."""
    if record is None:
        return None, page
    found = records.get(store, tx, record, messages=messages)
    return found.id, getattr(found, "page", page)


def _links(page: Page | None, record: UUID | None) -> dict[str, str | None]:
    return {"page": page.id.hex if page else None, "record": record.hex if record else None}


def _pages(tx: Tx) -> dict[int, UUID]:
    return {page.key: page.id for page in pages.listed(tx)}
