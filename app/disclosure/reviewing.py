"""Review: what is taken out of records and why, who looked at them, and who looked a second time.

A redaction belongs to its record: made for one request, it stands in the next
one too, until somebody retracts it with a reason. Where it stands and on what
ground is sealed in the ledger's entry, which goes with the record when that is
disposed of; the row beside it has no words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, select, update

from app import officers
from app.capture import deeds, records
from app.db import Tx
from app.db.database import lock_ledger
from app.db.rows import insert_rows
from app.disclosure import assembling, redacting, requests, selecting
from app.disclosure.assembling import Decided
from app.disclosure.redacting import BadRedaction, Field, Read, Redaction, Region, Span, Where, Whole
from app.disclosure.requests import Request
from app.disclosure.suggesting import Suggestion, suggest
from app.index.source import digest
from app.records.errors import Invalid, NotFound, NotPermitted, Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Record, Role
from app.store import quarantine
from app.store.store import Store
from app.store.tables import redactions, review_rules, reviewed, selected, tombstones

REVIEWERS = (Role.RECORDS_OFFICER, Role.ATTORNEY)
"""Who redacts, withholds and looks through."""
TYPE = "redaction"
SPAN, FIELD, REGION, ATTACHMENT, RECORD, LEAVES = "span", "field", "region", "attachment", "record", "leaves"
KEPT = "kept"
"""Words that somebody pointed at and a person let stay; they are suggested no more."""
ASSIGNED, LOOKED, SECOND = "assigned", "looked", "second"
_ASK = 500
_LONGEST = 2_000
_LONGEST_CODE = 60
_REMEMBERED = 300
"""Of so many earlier redactions the words are suggested."""


class NoSuchRedaction(NotFound):
    """No redaction of that id stands."""

    code = "no-such-redaction"


class RedactedAlready(Refused):
    """The same is taken out on the same ground already."""

    code = "redacted-already"


class NotSelected(Invalid):
    """What is reviewed for a request is in its selection."""

    code = "not-selected"


class NoGround(Invalid):
    """Whatever is kept back is kept back on a ground, by its code or citation."""

    code = "no-ground"


class SameReviewer(NotPermitted):
    """The second look is somebody else's."""

    code = "same-reviewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A redaction that stands, as people read it."""

    id: UUID
    record: int
    request: UUID
    kind: str
    where: Where
    code: str
    explanation: str
    only_here: bool
    by: UUID
    why: str
    at: datetime
    entry: int
    approved_by: UUID | None
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """On what something is kept back: its code, citation, title and what it says; `listed` in the law of the request or not."""

    code: str
    citation: str
    title: str
    explanation: str
    listed: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """How far the review of a record is: who has it, who looked through it, who a second time."""

    assigned: UUID | None = None
    first: UUID | None = None
    second: UUID | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the review of a request is, in records."""

    selected: int
    looked: int
    second: int
    redacted: int
    withheld: int
    assigned: Mapping[UUID, int] = field(default_factory=dict)


# -- taking out -------------------------------------------------------------------------------------------


def redact(
    store: Store,
    tx: Tx,
    request: Request,
    record: Record,
    where: Where,
    code: str,
    *,
    explanation: str = "",
    only_here: bool = False,
    by: Officer,
    why: str,
) -> Standing:
    """Take something of a record out of every rendition of it, on a ground of the request's law.

    What is taken out of words is taken out of every record of the request that
    has the same words, unless `only_here` says that it is meant here alone.
    """
    ground = grounds(request, code)
    _must_fit(explanation)
    _must_be_open(tx, request, record)
    read = assembling.one(store, tx, record)
    redacting.check(read, where)
    if any(one.where == where and one.code == ground.code for one in of_record(store, tx, record.key)):
        raise RedactedAlready("the same is taken out on this ground already")
    detail = {
        **_plain(where),
        "code": ground.code,
        "citation": ground.citation,
        "explanation": explanation or ground.explanation,
        "only_here": only_here,
    }
    return _made(store, tx, request, record, _kind(where), detail, by=by, why=why)


def let_leave(
    store: Store, tx: Tx, request: Request, record: Record, attachment: UUID, *, by: Officer, why: str
) -> Standing:
    """Decide that an attachment leaves whole although something else of its record is taken out."""
    _must_be_open(tx, request, record)
    redacting.check(assembling.one(store, tx, record), Whole(attachment))
    if any(one.kind == LEAVES and one.where == Whole(attachment) for one in of_record(store, tx, record.key)):
        raise RedactedAlready("that it leaves whole was decided already")
    return _made(
        store, tx, request, record, LEAVES, {"attachment": str(attachment), "code": ""}, by=by, why=why
    )


def keep_words(
    store: Store, tx: Tx, request: Request, record: Record, where: Span | Field, *, by: Officer, why: str
) -> Standing:
    """Let words or a field stay, whatever reaches them from other records; such words are suggested no more."""
    _must_be_open(tx, request, record)
    redacting.check(assembling.one(store, tx, record), where)
    if any(one.kind == KEPT and one.where == where for one in of_record(store, tx, record.key)):
        raise RedactedAlready("that these words may leave was decided already")
    return _made(store, tx, request, record, KEPT, {**_plain(where), "code": ""}, by=by, why=why)


def earlier(store: Store, tx: Tx, but: int) -> dict[str, str]:
    """The words that stand taken out of other records than `but`, for whatever request, each with its code; the newest few hundred."""
    asked = (
        select(redactions.c.record)
        .outerjoin(tombstones, tombstones.c.record == redactions.c.record)
        .where(
            redactions.c.retracted_entry.is_(None),
            redactions.c.kind.in_((SPAN, FIELD)),
            redactions.c.record != but,
            tombstones.c.record.is_(None),
        )
        .order_by(redactions.c.key.desc())
        .limit(_REMEMBERED)
    )
    keys = list(dict.fromkeys(tx.execute(asked).scalars()))
    made = decided(store, tx, keys, {})
    told: dict[str, str] = {}
    for read in assembling.reading(store, tx, keys, messages=True):
        for one in made[read.record.key].redactions:
            told |= {word: one.code for word in redacting.words(read, [one]) if len(word) > 1}
    return told


def suggestions(
    store: Store,
    read: Read,
    standing: Sequence[Standing],
    *,
    minors: Sequence[str] = (),
    dictionaries: Mapping[str, Sequence[str]] | None = None,
    earlier: Mapping[str, str] | None = None,
) -> dict[int, list[Suggestion]]:
    """What might have to be taken out of each version of a record and was neither taken out nor let stay."""
    settled = [one.where for one in standing if isinstance(one.where, Span)]
    told = {}
    for version in read.versions:
        done = [where for where in settled if where.version == version.number]
        found = suggest(
            version.text("text") or "",
            minors=minors,
            dictionaries=dictionaries,
            earlier=earlier,
            today=store.clock.now().date(),
        )
        left = [one for one in found if not any(_covers(where, one) for where in done)]
        if left:
            told[version.number] = left
    return told


def _covers(where: Span, one: Suggestion) -> bool:
    return where.start <= one.start and one.end <= where.end


def retract(store: Store, tx: Tx, identity: UUID, *, by: Officer, why: str) -> int:
    """Take a redaction back; return the entry. That it stood stays written down."""
    lock_ledger(tx)
    row = _row(tx, identity, by)
    record = records.id_of(tx, row.record)
    entry = store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"redaction": identity.hex, "item": record.hex, "act": "retracted"},
        subject=record,
    )
    tx.execute(update(redactions).where(redactions.c.key == row.key).values(retracted_entry=entry))
    _look_again(tx, row.record, entry)
    return entry


def approve(store: Store, tx: Tx, identity: UUID, *, by: Officer, why: str) -> int:
    """Approve somebody else's redaction, where a request asks for two persons; return the entry."""
    lock_ledger(tx)
    row = _row(tx, identity, by)
    if bytes(row.officer) == by.id.bytes:
        raise SameReviewer("whoever made a redaction cannot approve it", next="Somebody else has to look.")
    if row.approved_entry is not None:
        raise RedactedAlready("it was approved already")
    record = records.id_of(tx, row.record)
    entry = store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"redaction": identity.hex, "item": record.hex, "act": "approved"},
        subject=record,
    )
    tx.execute(update(redactions).where(redactions.c.key == row.key).values(approved_entry=entry))
    return entry


def of_record(store: Store, tx: Tx, key: int) -> list[Standing]:
    """What stands on a record, for whatever request it was made, oldest first."""
    return of_records(store, tx, [key]).get(key, [])


def of_records(store: Store, tx: Tx, keys: Sequence[int]) -> dict[int, list[Standing]]:
    """What stands on these records; a record without anything is left out."""
    found: dict[int, list[Standing]] = {}
    for start in range(0, len(keys), _ASK):
        asked = _standing().where(redactions.c.record.in_(list(keys[start : start + _ASK])))
        for one in _told(store, tx, tx.execute(asked).all()):
            found.setdefault(one.record, []).append(one)
    return found


def get(store: Store, tx: Tx, identity: UUID) -> Standing:
    """One redaction that stands, or `NoSuchRedaction`."""
    return _told(store, tx, [_row(tx, identity)])[0]


def redacted_keys(tx: Tx, request: UUID) -> list[int]:
    """The keys of the selected records on which something stands."""
    asked = _on_selected(request, redactions.c.record).distinct().order_by(redactions.c.record)
    return [int(key) for key in tx.execute(asked).scalars()]


def _on_selected(request: UUID, what: ColumnElement[int]) -> Select[int]:
    """`what` of the redactions that stand on the records of a selection."""
    return (
        select(what)
        .select_from(redactions)
        .join(
            selected,
            (selected.c.record == redactions.c.record)
            & (selected.c.request == request.bytes)
            & selected.c.left_entry.is_(None),
        )
        .outerjoin(tombstones, tombstones.c.record == redactions.c.record)
        .where(redactions.c.retracted_entry.is_(None), tombstones.c.record.is_(None))
    )


def decided(store: Store, tx: Tx, keys: Sequence[int], names: Mapping[UUID, str]) -> dict[int, Decided]:
    """What was decided of these records, as the rules of redaction take it; `names` are those of officers."""
    return {key: as_decided(found, names) for key, found in of_records(store, tx, keys).items()}


def as_decided(found: Iterable[Standing], names: Mapping[UUID, str]) -> Decided:
    """What stands on a record, as the rules of redaction take it."""
    made, whole, kept = [], set(), []
    for one in found:
        if one.kind == KEPT:
            if isinstance(one.where, Span | Field):
                kept.append(one.where)
            continue
        if one.kind == LEAVES:
            if isinstance(one.where, Whole) and one.where.attachment is not None:
                whole.add(one.where.attachment)
            continue
        made.append(
            Redaction(
                where=one.where, code=one.code, citation=one.citation, explanation=one.explanation,
                by=names.get(one.by, str(one.by)), on=one.at, only_here=one.only_here,
                approved_by=names.get(one.approved_by, str(one.approved_by)) if one.approved_by else None,
            )
        )  # fmt: skip
    return Decided(tuple(made), frozenset(whole), tuple(kept))


def names(tx: Tx) -> dict[UUID, str]:
    """What every officer is called in logs."""
    return {one.id: one.name or one.email for one in officers.list_all(tx)}


def grounds(request: Request, code: str) -> Ground:
    """The ground of that code or citation: as the law of the request lists it, or as it was written.

    The lists that come with Muniment are a beginning. Who cites something else
    may well be right; before a production that is pointed out.
    """
    written = " ".join(code.split())
    if not written or len(written) > _LONGEST_CODE or not written.isprintable():
        raise NoGround(
            f"a ground is the code or citation of an exemption, of at most {_LONGEST_CODE} characters",
            next=f"The law of this request lists {', '.join(requests.exemptions(request)) or 'none'}.",
        )
    known = requests.exemption(request, written)
    if known is None:
        return Ground(written, written, written, "", listed=False)
    return Ground(known.code, known.citation, known.title, known.explanation, listed=True)


# -- looking through --------------------------------------------------------------------------------------


def assign(
    store: Store, tx: Tx, request: Request, keys: Sequence[int], to: Officer, *, by: Officer, why: str
) -> int:
    """Give records of the selection to an officer to look through; return how many."""
    requests.must_be_open(request)
    if not to.may(*REVIEWERS):
        raise NotPermitted(
            f"{to.email} does not review", next="Records officers and attorneys do: give them the role first."
        )
    return _mark(store, tx, request, keys, ASSIGNED, to.id, by=by, why=why)


def look(
    store: Store, tx: Tx, request: Request, keys: Sequence[int], *, by: Officer, why: str
) -> tuple[int, int]:
    """Say that one has looked through these records; a second person's look is told apart. Return first and second looks."""
    requests.must_be_open(request)
    state = looked(tx, request.id, keys)
    first = [key for key in keys if state.get(key, Looked()).first is None]
    second = [
        key
        for key in keys
        if (one := state.get(key)) and one.first not in (None, by.id) and one.second is None
    ]
    if not first and not second and keys:
        raise SameReviewer(
            "you have looked through these already", next="Somebody else has to look a second time."
        )
    done = _mark(store, tx, request, first, LOOKED, by.id, by=by, why=why) if first else 0
    more = _mark(store, tx, request, second, SECOND, by.id, by=by, why=why) if second else 0
    return done, more


def looked(tx: Tx, request: UUID, keys: Sequence[int]) -> dict[int, Looked]:
    """How far the review of these records is."""
    told: dict[int, dict[str, UUID]] = {}
    for start in range(0, len(keys), _ASK):
        asked = (
            select(reviewed.c.record, reviewed.c.act, reviewed.c.officer)
            .where(
                reviewed.c.request == request.bytes,
                reviewed.c.record.in_(list(keys[start : start + _ASK])),
                reviewed.c.ended_entry.is_(None),
            )
            .order_by(reviewed.c.key)
        )
        for row in tx.execute(asked):
            told.setdefault(row.record, {})[row.act] = UUID(bytes=bytes(row.officer))
    return {key: Looked(acts.get(ASSIGNED), acts.get(LOOKED), acts.get(SECOND)) for key, acts in told.items()}


def progress(tx: Tx, request: UUID) -> Progress:
    """How far the review of a request is; what is in quarantine is in no number."""
    there = (
        (selected.c.record == reviewed.c.record)
        & (selected.c.request == request.bytes)
        & selected.c.left_entry.is_(None)
    )
    acts = (
        select(reviewed.c.act, reviewed.c.officer, func.count())
        .join(selected, there)
        .where(
            reviewed.c.request == request.bytes,
            reviewed.c.ended_entry.is_(None),
            quarantine.outside(reviewed.c.record),
        )
        .group_by(reviewed.c.act, reviewed.c.officer)
    )
    counted: dict[str, int] = {}
    assigned: dict[UUID, int] = {}
    for act, officer, number in tx.execute(acts):
        counted[act] = counted.get(act, 0) + number
        if act == ASSIGNED:
            assigned[UUID(bytes=bytes(officer))] = number
    on = (
        (selected.c.record == redactions.c.record)
        & (selected.c.request == request.bytes)
        & selected.c.left_entry.is_(None)
    )
    taken = (
        select(redactions.c.kind, redactions.c.record)
        .distinct()
        .join(selected, on)
        .outerjoin(tombstones, tombstones.c.record == redactions.c.record)
        .where(
            redactions.c.retracted_entry.is_(None),
            redactions.c.kind.not_in((LEAVES, KEPT)),
            tombstones.c.record.is_(None),
            quarantine.outside(redactions.c.record),
        )
    )
    rows = tx.execute(taken).all()
    withheld = {row.record for row in rows if row.kind == RECORD}
    return Progress(
        selected=selecting.count(tx, request),
        looked=counted.get(LOOKED, 0),
        second=counted.get(SECOND, 0),
        redacted=len({row.record for row in rows} - withheld),
        withheld=len(withheld),
        assigned=assigned,
    )


def ask_for_two(store: Store, tx: Tx, request: Request, two: bool, *, by: Officer, why: str) -> int:
    """Ask for a second person's approval of whatever is taken out for a request, or no more; return the entry.

    `SameReviewer` for whoever would so do without the second look at what they
    took out themselves.
    """
    requests.must_be_open(request)
    lock_ledger(tx)
    if not two and needs_two(tx, request.id):
        mine = tx.execute(_on_selected(request.id, func.count()).where(
            redactions.c.officer == by.id.bytes, redactions.c.approved_entry.is_(None), redactions.c.kind.not_in((KEPT, LEAVES))
        )).scalar_one()  # fmt: skip
        if mine:
            raise SameReviewer(
                f"{mine} of what you took out yourself waits for a second person",
                next="Have it approved (`muniment review approve`); or somebody else says that one person is enough.",
            )
    entry = store.ledger.act(
        tx,
        "review",
        by=by.id,
        why=why,
        facts={"request": request.id.hex, "act": "two persons" if two else "one person"},
        subject=request.id,
    )
    tx.execute(insert(review_rules).values(request=request.id.bytes, entry=entry, two_persons=two))
    return entry


def needs_two(tx: Tx, request: UUID) -> bool:
    """Whether whatever is taken out for a request needs a second person's approval."""
    asked = (
        select(review_rules.c.two_persons)
        .where(review_rules.c.request == request.bytes)
        .order_by(review_rules.c.entry.desc())
        .limit(1)
    )
    return bool(tx.execute(asked).scalar())


@dataclass(frozen=True, slots=True)
class Queued:
    """A record of a selection as it stands in the queue: `open`, `redacted` or `withheld`, and who looked."""

    key: int
    state: str
    looked: Looked


def queue(
    tx: Tx, request: UUID, *, only: str = "", mine: UUID | None = None, after: int = 0, limit: int = 50
) -> list[Queued]:
    """The records of a selection in the order of their keys, from `after` on.

    `only` narrows it: `unlooked`, `once` (a second look is missing), `mine`
    (assigned to `mine`), `redacted`, `withheld`.
    """
    if only not in ("", "unlooked", "once", "mine", "redacted", "withheld"):
        raise Invalid(f"the queue cannot be narrowed to {only!r}", next="unlooked, once, mine, redacted or withheld.")  # fmt: skip
    told: list[Queued] = []
    keys = [key for key in selecting.of(tx, request) if key > after]
    for start in range(0, len(keys), _ASK):
        part = keys[start : start + _ASK]
        looks, taken = looked(tx, request, part), _taken(tx, part)
        for key in part:
            one = Queued(key, taken.get(key, "open"), looks.get(key, Looked()))
            if _is(one, only, mine):
                told.append(one)
                if len(told) == limit:
                    return told
    return told


def _is(one: Queued, only: str, mine: UUID | None) -> bool:
    match only:
        case "unlooked":
            return one.looked.first is None
        case "once":
            return one.looked.first is not None and one.looked.second is None
        case "mine":
            return one.looked.assigned is not None and one.looked.assigned == mine
        case "":
            return True
        case _:
            return one.state == only


def _taken(tx: Tx, keys: Sequence[int]) -> dict[int, str]:
    asked = select(redactions.c.record, redactions.c.kind).where(
        redactions.c.record.in_(list(keys)),
        redactions.c.retracted_entry.is_(None),
        redactions.c.kind.not_in((LEAVES, KEPT)),
    )
    found: dict[int, str] = {}
    for row in tx.execute(asked):
        if row.kind == RECORD or found.get(row.record) == "withheld":
            found[row.record] = "withheld"
        else:
            found[row.record] = "redacted"
    return found


# -- parts ------------------------------------------------------------------------------------------------


def _must_fit(explanation: str) -> None:
    if len(explanation) > _LONGEST:
        raise BadRedaction(f"an explanation has at most {_LONGEST} characters", next="Say it shorter.")


def _must_be_open(tx: Tx, request: Request, record: Record) -> None:
    requests.must_be_open(request)
    lock_ledger(tx)
    asked = (
        select(selected.c.key)
        .outerjoin(tombstones, tombstones.c.record == selected.c.record)
        .where(
            selected.c.request == request.id.bytes,
            selected.c.record == record.key,
            selected.c.left_entry.is_(None),
            tombstones.c.record.is_(None),
        )
    )
    if tx.execute(asked).first() is None:
        raise NotSelected(
            f"record {record.id} is not in the selection of {request.number}",
            next="`muniment request select` puts it there.",
        )


def _made(
    store: Store,
    tx: Tx,
    request: Request,
    record: Record,
    kind: str,
    detail: Mapping[str, object],
    *,
    by: Officer,
    why: str,
) -> Standing:
    identity = new_id()
    entry = store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"redaction": identity.hex, "item": record.id.hex, "act": "made"},
        detail={"request": str(request.id), "kind": kind, **detail},
        subject=record.id,
    )
    tx.execute(
        insert(redactions).values(
            id=identity.bytes,
            request=request.id.bytes,
            record=record.key,
            kind=kind,
            entry=entry,
            officer=by.id.bytes,
        )
    )
    _look_again(tx, record.key, entry)
    return get(store, tx, identity)


def _look_again(tx: Tx, record: int, entry: int) -> None:
    """What a second person saw is no more what leaves."""
    tx.execute(
        update(reviewed)
        .where(reviewed.c.record == record, reviewed.c.act == SECOND, reviewed.c.ended_entry.is_(None))
        .values(ended_entry=entry)
    )


def _mark(
    store: Store,
    tx: Tx,
    request: Request,
    keys: Sequence[int],
    act: str,
    officer: UUID,
    *,
    by: Officer,
    why: str,
) -> int:
    lock_ledger(tx)
    there = set(selecting.of(tx, request.id))
    wanted = [key for key in dict.fromkeys(keys) if key in there]
    if not wanted:
        raise NotSelected(
            "none of these records is in the selection", next="`muniment request select` puts them there."
        )
    entry = store.ledger.act(
        tx,
        "review",
        by=by.id,
        why=why,
        facts={
            "request": request.id.hex,
            "act": act,
            "n": len(wanted),
            "of": digest(tx, wanted),
        },
        detail={"officer": str(officer)},
        subject=request.id,
    )
    for start in range(0, len(wanted), _ASK):
        tx.execute(
            update(reviewed)
            .where(
                reviewed.c.request == request.id.bytes,
                reviewed.c.record.in_(wanted[start : start + _ASK]),
                reviewed.c.act == act,
                reviewed.c.ended_entry.is_(None),
            )
            .values(ended_entry=entry)
        )
    rows = [(request.id.bytes, key, entry, act, officer.bytes) for key in wanted]
    insert_rows(tx, reviewed, ("request", "record", "entry", "act", "officer"), rows)
    return len(wanted)


def _standing() -> Any:
    return (
        select(redactions)
        .outerjoin(tombstones, tombstones.c.record == redactions.c.record)
        .where(redactions.c.retracted_entry.is_(None), tombstones.c.record.is_(None))
        .order_by(redactions.c.entry)
    )


def _row(tx: Tx, identity: UUID, by: Officer | None = None) -> Any:
    """The row of a redaction that stands; to `by` what is in quarantine is not there, unless they are one of the two."""
    row = tx.execute(_standing().where(redactions.c.id == identity.bytes)).one_or_none()
    if row is None or (by is not None and row.record in quarantine.hidden(tx, by.id)):
        raise NoSuchRedaction(
            f"no redaction {identity} stands", next="`muniment review show REQUEST RECORD`."
        )
    return row


def _told(store: Store, tx: Tx, rows: Sequence[Any]) -> list[Standing]:
    said = deeds.told(store, tx, [one for row in rows for one in (row.entry, row.approved_entry)])
    return list(_each(rows, said))


def _each(rows: Sequence[Any], said: Mapping[int, deeds.Told]) -> Iterator[Standing]:
    for row in rows:
        told = said[row.entry]
        approved = said.get(row.approved_entry) if row.approved_entry is not None else None
        yield Standing(
            id=UUID(bytes=bytes(row.id)),
            record=row.record,
            request=UUID(bytes=bytes(row.request)),
            kind=row.kind,
            where=_where(row.kind, told.detail),
            code=told.text("code"),
            citation=told.text("citation"),
            explanation=told.text("explanation"),
            only_here=told.detail.get("only_here") is True,
            by=UUID(bytes=bytes(row.officer)),
            why=told.why,
            at=told.at,
            entry=row.entry,
            approved_by=approved.by if approved else None,
        )


def _kind(where: Where) -> str:
    match where:
        case Span():
            return SPAN
        case Field():
            return FIELD
        case Region():
            return REGION
        case Whole(None):
            return RECORD
        case Whole():
            return ATTACHMENT


def _plain(where: Where) -> dict[str, object]:
    match where:
        case Span(version, start, end):
            return {"version": version, "start": start, "end": end}
        case Field(name):
            return {"field": name}
        case Region(attachment, page, left, top, right, bottom):
            return {"attachment": str(attachment), "page": page, "box": [left, top, right, bottom]}
        case Whole(attachment):
            return {"attachment": str(attachment)} if attachment is not None else {}


def _where(kind: str, detail: Mapping[str, Any]) -> Where:
    match kind:
        case "kept" if "field" in detail:
            return Field(detail["field"])
        case "span" | "kept":
            return Span(detail["version"], detail["start"], detail["end"])
        case "field":
            return Field(detail["field"])
        case "region":
            return Region(UUID(detail["attachment"]), detail["page"], *detail["box"])
        case "record":
            return Whole()
        case _:
            return Whole(UUID(detail["attachment"]))
