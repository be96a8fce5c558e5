"""Matters: litigations, audits and investigations, with those who work on them and those who must keep what they have.

Name, pages, trigger date and notes stand sealed in the ledger's acts. A silent
matter is known to its members alone: to everybody else it does not exist, and
they are answered as about a random id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app import officers
from app.capture import deeds, pages
from app.capture.deeds import Told
from app.db import Tx, key_of
from app.db.database import lock_ledger
from app.holds import acts
from app.records.errors import Invalid, NotFound, NotPermitted, Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store.store import Store
from app.store.tables import custodians, holds, matter_members, matters

READERS = (Role.ATTORNEY, Role.RECORDS_OFFICER, Role.AUDITOR)
"""Who sees matters that are not silent; a silent one needs membership, whatever the role."""
_LONGEST_NAME = 200


class NoSuchMatter(NotFound):
    """No matter of that id or name is there, or none that you may know of."""

    code = "no-such-matter"


class BadMatter(Invalid):
    """The matter cannot be opened as it was described."""

    code = "bad-matter"


class MatterClosed(Refused):
    """The matter was closed."""

    code = "matter-closed"


class MatterHasHolds(Refused):
    """A matter is closed when none of its holds is active any more."""

    code = "matter-has-holds"


class NotYourMatter(NotPermitted):
    """An attorney works on a matter, on a silent one as its member."""

    code = "not-your-matter"


class CustodianWithoutAddress(Invalid):
    """A custodian must be reachable: notices go by e-mail, and each is to be acknowledged."""

    code = "custodian-without-address"


class NoSuchCustodian(NotFound):
    """The matter has no custodian of that id or address."""

    code = "no-such-custodian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Custodian:
    """Somebody who must keep what they have for a matter."""

    key: int
    id: UUID
    name: str
    email: str
    entry: int


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote on a matter."""

    at: datetime
    by: UUID | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """A matter as it stands."""

    key: int
    id: UUID
    name: str
    silent: bool
    entry: int
    opened_at: datetime
    opened_by: UUID | None
    why: str
    trigger: date | None = None
    pages: tuple[UUID, ...] = ()
    notes: tuple[Note, ...] = ()
    members: tuple[UUID, ...] = ()
    custodians: tuple[Custodian, ...] = ()
    closed_at: datetime | None = None
    holds: int = 0
    """How many of its holds are active."""


@dataclass(slots=True)
class _Said:
    """What the acts of a matter say, one after the other."""

    name: str = ""
    trigger: date | None = None
    pages: tuple[UUID, ...] = ()
    notes: list[Note] = field(default_factory=list)
    custodians: dict[int, tuple[str, str]] = field(default_factory=dict)
    closed_at: datetime | None = None


# -- verbs -------------------------------------------------------------------------------------------------


def open(  # noqa: A001 - matters are opened; the module is never imported by star
    store: Store,
    tx: Tx,
    name: str,
    *,
    silent: bool = False,
    trigger: date | None = None,
    notes: str = "",
    members: Iterable[str] = (),
    about: Sequence[UUID] = (),
    by: Officer,
    why: str,
) -> Matter:
    """Open a matter. Whoever opens it is its first member; `members` are e-mails, `about` the pages it is about.

    A silent matter is known to its members only. Whether a name is taken is
    not looked at: the answer could tell of a silent one.
    """
    officers.require(by, Role.ATTORNEY)
    plain = _name(name)
    invited = [_member(tx, email) for email in members]
    for page in about:
        pages.get(tx, str(page))
    lock_ledger(tx)
    identity = new_id()
    belonging = dict.fromkeys([by.id, *(officer.id for officer in invited)])
    entry = store.ledger.act(
        tx,
        acts.TYPE,
        by=by.id,
        why=why,
        detail={
            "act": "matter:opened",
            "matter": str(identity),
            "name": plain,
            "silent": silent,
            "trigger": trigger.isoformat() if trigger else None,
            "pages": [str(page) for page in about],
            "members": [str(one) for one in belonging],
            "note": deeds.words(notes, "the note", needed=False),
        },
        subject=identity,
    )
    made = tx.execute(insert(matters).values(id=identity.bytes, entry=entry, silent=silent))
    key = key_of(made)
    acts.known(tx, entry, key)
    for one in belonging:
        tx.execute(insert(matter_members).values(matter=key, officer=one.bytes, entry=entry))
    return get(store, tx, str(identity), by=by)


def change(
    store: Store,
    tx: Tx,
    matter: Matter,
    *,
    trigger: date | None = None,
    about: Sequence[UUID] | None = None,
    note: str = "",
    by: Officer,
    why: str,
) -> Matter:
    """Write down another trigger date, other pages, or a note; what was written before stays."""
    lock_ledger(tx)
    _must_be_open(_may_work_on(store, tx, matter, by))
    for page in about or ():
        pages.get(tx, str(page))
    changed: dict[str, object] = {}
    if trigger is not None:
        changed["trigger"] = trigger.isoformat()
    if about is not None:
        changed["pages"] = [str(page) for page in about]
    if note.strip():
        changed["note"] = deeds.words(note, "the note")
    if not changed:
        raise BadMatter("nothing of the matter would change", next="Give a trigger date, pages or a note.")
    _act(store, tx, matter, "matter:changed", changed, by=by, why=why)
    return get(store, tx, str(matter.id), by=by)


def admit(store: Store, tx: Tx, matter: Matter, email: str, *, by: Officer, why: str) -> Matter:
    """Make somebody a member of a matter."""
    lock_ledger(tx)
    now = _must_be_open(_may_work_on(store, tx, matter, by))
    officer = _member(tx, email)
    if officer.id in now.members:
        raise BadMatter(f"{officer.email} is a member already")
    entry = _act(store, tx, matter, "matter:member", {"member": str(officer.id)}, by=by, why=why)
    tx.execute(insert(matter_members).values(matter=matter.key, officer=officer.id.bytes, entry=entry))
    return get(store, tx, str(matter.id), by=by)


def dismiss(store: Store, tx: Tx, matter: Matter, email: str, *, by: Officer, why: str) -> Matter:
    """Let somebody be a member no more; the last one stays, and of a silent matter the last attorney."""
    lock_ledger(tx)
    now = _may_work_on(store, tx, matter, by)
    officer = officers.find(tx, email)
    if officer.id not in now.members:
        raise BadMatter(f"{officer.email} is no member of this matter")
    if len(now.members) == 1:
        raise BadMatter("a matter keeps one member", next="Make somebody else a member first.")
    if now.silent and not _has_attorney(tx, now, without=officer):
        raise BadMatter(
            "a silent matter keeps one attorney: nobody else could release its holds",
            next="Make another attorney a member first.",
        )
    entry = _act(store, tx, matter, "matter:member-left", {"member": str(officer.id)}, by=by, why=why)
    tx.execute(
        update(matter_members)
        .where(
            matter_members.c.matter == matter.key,
            matter_members.c.officer == officer.id.bytes,
            matter_members.c.ended_entry.is_(None),
        )
        .values(ended_entry=entry)
    )
    return _read(store, tx, [_row(tx, matter.key)])[0]


def name_custodian(
    store: Store, tx: Tx, matter: Matter, name: str, email: str, *, by: Officer, why: str
) -> Custodian:
    """Put somebody on the list of those who must keep what they have; one without an address is refused."""
    lock_ledger(tx)
    now = _must_be_open(_may_work_on(store, tx, matter, by))
    plain = deeds.words(" ".join(name.split()), "the custodian's name")
    if not email.strip():
        raise CustodianWithoutAddress(
            f"{plain} has no address", next="Give an e-mail address: notices and acknowledgements go by it."
        )
    address = officers.plain_email(email)
    if any(one.email == address for one in now.custodians):
        raise BadMatter(f"{address} is a custodian of this matter already")
    identity = new_id()
    detail = {"custodian": str(identity), "name": plain, "email": address}
    entry = _act(store, tx, matter, "matter:custodian", detail, by=by, why=why)
    tx.execute(insert(custodians).values(id=identity.bytes, matter=matter.key, entry=entry))
    return custodian(get(store, tx, str(matter.id), by=by), str(identity))


def excuse_custodian(store: Store, tx: Tx, matter: Matter, which: str, *, by: Officer, why: str) -> Matter:
    """Take somebody off that list; what was sent to them stays written down."""
    lock_ledger(tx)
    now = _may_work_on(store, tx, matter, by)
    gone = custodian(now, which)
    entry = _act(store, tx, matter, "matter:custodian-left", {"custodian": str(gone.id)}, by=by, why=why)
    tx.execute(update(custodians).where(custodians.c.key == gone.key).values(ended_entry=entry))
    return get(store, tx, str(matter.id), by=by)


def close(store: Store, tx: Tx, matter: Matter, *, by: Officer, why: str) -> Matter:
    """Close a matter; refused while one of its holds is active."""
    lock_ledger(tx)
    now = _must_be_open(_may_work_on(store, tx, matter, by))
    if now.holds:
        raise MatterHasHolds(
            f"{now.holds} hold{'' if now.holds == 1 else 's'} of this matter {'is' if now.holds == 1 else 'are'} active",
            next="Release them first: muniment hold release ID.",
        )
    entry = _act(store, tx, matter, "matter:closed", {}, by=by, why=why)
    tx.execute(update(matters).where(matters.c.key == matter.key).values(closed_entry=entry))
    return get(store, tx, str(matter.id), by=by)


# -- reading -----------------------------------------------------------------------------------------------


def listed(store: Store, tx: Tx, *, by: Officer) -> list[Matter]:
    """The matters that `by` may know of, the newest first."""
    rows = tx.execute(select(matters).order_by(matters.c.key.desc())).all()
    mine = _of_member(tx, by)
    return _read(store, tx, [row for row in rows if row.key in mine or (not row.silent and by.may(*READERS))])


def get(store: Store, tx: Tx, which: str, *, by: Officer) -> Matter:
    """The matter of that id, or of that name where only one bears it, or `NoSuchMatter`."""
    wanted = which.strip()
    found = listed(store, tx, by=by)
    exact = [one for one in found if wanted.lower() in (str(one.id), one.id.hex)]
    named = exact or [one for one in found if one.name.casefold() == wanted.casefold()]
    if len(named) != 1:
        raise NoSuchMatter(
            f"{len(named)} matters are called {wanted}" if named else f"no matter {wanted} is there",
            next="See muniment matter list, and name it by its id." if named else "See muniment matter list.",
        )
    return named[0]


def of_key(store: Store, tx: Tx, key: int, *, by: Officer) -> Matter:
    """The matter of that key, or `NoSuchMatter`."""
    found = next((one for one in listed(store, tx, by=by) if one.key == key), None)
    if found is None:
        raise NoSuchMatter("no such matter is there")
    return found


def known_to_work(store: Store, tx: Tx, key: int) -> Matter:
    """The matter of that key, for the night's own work, whoever may know of it."""
    return _read(store, tx, [_row(tx, key)])[0]


def custodian(matter: Matter, which: str) -> Custodian:
    """The custodian of that id, that address, or that name where only one bears it; otherwise `NoSuchCustodian`."""
    wanted = which.strip().casefold()
    for one in matter.custodians:
        if wanted in (str(one.id), one.id.hex, one.email.casefold()):
            return one
    named = [one for one in matter.custodians if one.name.casefold() == wanted]
    if len(named) > 1:
        raise NoSuchCustodian(
            f"{len(named)} custodians are called {which.strip()[:80]}", next="Name them by their address."
        )
    if not named:
        raise NoSuchCustodian(f"{which.strip()[:80]} is no custodian of this matter", next="Name them first.")
    return named[0]


def may_work_on(store: Store, tx: Tx, matter: Matter, by: Officer) -> Matter:
    """The matter as it stands, if `by` may place and release its holds; otherwise `NotYourMatter`, or not there at all."""
    return _may_work_on(store, tx, matter, by)


def must_be_open(matter: Matter) -> Matter:
    """The matter, unless it was closed."""
    return _must_be_open(matter)


def in_short(matter: Matter) -> dict[str, object]:
    """A matter as lists tell it."""
    return {
        "id": str(matter.id),
        "name": matter.name,
        "silent": matter.silent,
        "state": "closed" if matter.closed_at else "open",
        "opened_at": matter.opened_at.isoformat(),
        "closed_at": matter.closed_at.isoformat() if matter.closed_at else None,
        "trigger": matter.trigger.isoformat() if matter.trigger else None,
        "holds": matter.holds,
        "custodians": len(matter.custodians),
    }


def as_json(matter: Matter, people: dict[UUID, str]) -> dict[str, object]:
    """A matter with everything that stands in it; `people` are e-mails by id."""
    return {
        **in_short(matter),
        "opened_by": people.get(matter.opened_by) if matter.opened_by else None,
        "why": matter.why,
        "pages": [str(page) for page in matter.pages],
        "notes": [
            {"at": one.at.isoformat(), "by": people.get(one.by) if one.by else None, "text": one.text}
            for one in matter.notes
        ],
        "members": sorted(people.get(one, str(one)) for one in matter.members),
        "custodians": [
            {"id": str(one.id), "name": one.name, "email": one.email} for one in matter.custodians
        ],
        "entry": matter.entry,
    }


def _read(store: Store, tx: Tx, rows: Sequence[Any]) -> list[Matter]:
    keys = [row.key for row in rows]
    if not keys:
        return []
    told = acts.of_matters(store, tx, keys)
    members: dict[int, list[UUID]] = {}
    for row in tx.execute(
        select(matter_members)
        .where(matter_members.c.matter.in_(keys), matter_members.c.ended_entry.is_(None))
        .order_by(matter_members.c.key)
    ):
        members.setdefault(row.matter, []).append(UUID(bytes=bytes(row.officer)))
    kept: dict[int, list[Any]] = {}
    for row in tx.execute(
        select(custodians)
        .where(custodians.c.matter.in_(keys), custodians.c.ended_entry.is_(None))
        .order_by(custodians.c.key)
    ):
        kept.setdefault(row.matter, []).append(row)
    active: dict[int, int] = {}
    asked = select(holds.c.matter).where(holds.c.matter.in_(keys), holds.c.released_entry.is_(None))
    for key in tx.execute(asked).scalars():
        active[key] = active.get(key, 0) + 1
    return [
        _matter(row, told[row.key], members.get(row.key, []), kept.get(row.key, []), active.get(row.key, 0))
        for row in rows
    ]


def _matter(
    row: Any, told: Sequence[Told], members: Sequence[UUID], kept: Sequence[Any], active: int
) -> Matter:
    said = _Said()
    for one in told:
        _hear(said, one)
    opened = told[0]
    return Matter(
        key=row.key,
        id=UUID(bytes=bytes(row.id)),
        name=said.name,
        silent=bool(row.silent),
        entry=row.entry,
        opened_at=opened.at,
        opened_by=opened.by,
        why=opened.why,
        trigger=said.trigger,
        pages=said.pages,
        notes=tuple(said.notes),
        members=tuple(members),
        custodians=tuple(
            Custodian(
                key=one.key,
                id=UUID(bytes=bytes(one.id)),
                name=said.custodians[one.entry][0],
                email=said.custodians[one.entry][1],
                entry=one.entry,
            )
            for one in kept
        ),
        closed_at=said.closed_at,
        holds=active,
    )


def _hear(said: _Said, told: Told) -> None:
    """Take in what one act says."""
    detail = told.detail
    match told.text("act"):
        case "matter:opened" | "matter:changed":
            said.name = told.text("name") or said.name
            said.trigger = deeds.of_row(told.text("trigger")) if told.text("trigger") else said.trigger
            named = detail.get("pages")
            if isinstance(named, list):
                said.pages = tuple(UUID(str(page)) for page in named)
            if told.text("note"):
                said.notes.append(Note(told.at, told.by, told.text("note")))
        case "matter:custodian":
            said.custodians[told.entry] = (told.text("name"), told.text("email"))
        case "matter:closed":
            said.closed_at = told.at
        case _:
            pass


def _act(
    store: Store, tx: Tx, matter: Matter, act: str, detail: Mapping[str, object], *, by: Officer, why: str
) -> int:
    return acts.note(store, tx, act, matter=matter.key, by=by.id, why=why, detail=detail, subject=matter.id)


def _row(tx: Tx, key: int) -> Any:
    return tx.execute(select(matters).where(matters.c.key == key)).one()


def _has_attorney(tx: Tx, matter: Matter, *, without: Officer) -> bool:
    """Whether an attorney who still works here is left among the members."""
    left = set(matter.members) - {without.id}
    return any(one.id in left and one.may(Role.ATTORNEY) for one in officers.list_all(tx))


def _of_member(tx: Tx, by: Officer) -> set[int]:
    if not by.active:
        return set()
    asked = select(matter_members.c.matter).where(
        matter_members.c.officer == by.id.bytes, matter_members.c.ended_entry.is_(None)
    )
    return set(tx.execute(asked).scalars())


def _may_work_on(store: Store, tx: Tx, matter: Matter, by: Officer) -> Matter:
    now = of_key(store, tx, matter.key, by=by)
    if not by.may(Role.ATTORNEY):
        raise NotYourMatter("this needs the role attorney", next="Ask an attorney who works on the matter.")
    return now


def _must_be_open(matter: Matter) -> Matter:
    if matter.closed_at is not None:
        raise MatterClosed("this matter was closed", next="Open another one that names it.")
    return matter


def _member(tx: Tx, email: str) -> Officer:
    officer = officers.find(tx, email)
    if not officer.active:
        raise BadMatter(f"{officer.email} is no longer active here")
    return officer


def _name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > _LONGEST_NAME or not plain.isprintable():
        raise BadMatter(
            f"a matter has a name of 1 to {_LONGEST_NAME} characters",
            next="Give it the name that counsel uses.",
        )
    return plain
