"""The selection of a request: which records answer it, by which questions and hands, and who confirmed it.

A question is kept as it was asked, with the size of the ledger as of which it
was asked and a digest of what was selected after it, so that it can be run
again and compared. Until a person confirms the selection everything on the
request's pages and dates is held; from then on what was confirmed is, through
the appeal window. What is selected from elsewhere, or after the confirmation,
is held from that step on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, select, update

from app.capture import deeds
from app.db import Tx
from app.db.rows import insert_rows
from app.disclosure import requests
from app.disclosure.requests import Request
from app.holds import requests as holding
from app.index import asof, families
from app.index.engine import Engine, Scope
from app.index.keys import Keys
from app.index.questions import Question
from app.index.source import LedgerSource, digest
from app.records.errors import Invalid, Refused
from app.records.nouns import Officer, Role
from app.store import quarantine
from app.store.store import Store
from app.store.tables import records, selected, selections, tombstones

QUERY, ADDED, REMOVED, CONFIRMED = "query", "added", "removed", "confirmed"
TYPE = "selection"
_ASK = 500


class NothingSelected(Refused):
    """The request has no selection yet, or nobody has confirmed the one that it has."""

    code = "nothing-selected"


class SelectionChanged(Refused):
    """A selection was to be confirmed that somebody had changed after it was looked at."""

    code = "selection-changed"


class UnknownSelection(Invalid):
    """A record that is to be selected is not held, or not selected."""

    code = "selection-names-unknown-record"


@dataclass(frozen=True, slots=True)
class Found:
    """What a question finds as of `size` entries of the ledger, with families where they were asked for."""

    question: Question
    size: int
    keys: Keys
    families: bool
    messages: bool
    not_reached: int = 0
    """Versions that were captured and that the index had not seen: whether they answer the question, nobody knows."""
    undated: int = 0
    """Records that only their missing date kept out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One step of a selection, and how many records were selected after it."""

    entry: int
    how: str
    size: int
    n: int
    digest: str
    by: UUID | None
    why: str
    detail: Mapping[str, object]


def find(
    store: Store,
    engine: Engine,
    question: Question,
    *,
    size: int | None = None,
    whole_families: bool = False,
    messages: bool = False,
) -> Found:
    """What a question finds as of a size of the ledger, or of as much of it as the index has seen.

    `whole_families` takes in everything of the families of the hits. Private
    messages are found only where `messages` is set; what is in quarantine never is.
    """
    query = question.understood()
    scope = Scope(store.agency.zone(), messages=messages)
    size = asof.size_of(engine) if size is None else size
    keys = asof.hits(LedgerSource(store), engine, query.tree, scope, size)
    undated = asof.undated(LedgerSource(store), engine, query.tree, scope, size)
    with store.database.read() as tx:
        late = asof.not_reached(tx, size)
        hidden = Keys.of(quarantine.hidden(tx, None))
        if whole_families and keys:
            told = families.read(tx, size, messages=messages)
            roots = Keys.of(told.root[key] for key in keys)
            keys = Keys.of(key for key in told.living if told.root[key] in roots)
    return Found(question, size, keys - hidden, whole_families, messages, late, len(undated - keys))


def choose(
    store: Store, tx: Tx, request: Request, found: Found, *, add: bool = False, by: Officer, why: str
) -> Selection:
    """Make what was found the selection of a request, or add it to the one that there is."""
    request = requests.must_be_open(requests.fresh(store, tx, request))
    before = Keys.of(of(tx, request.id))
    wanted = before | found.keys if add else found.keys
    detail = {
        "query": found.question.text,
        "filters": found.question.filters.as_json(),
        "understood": found.question.understood().explain()["understood"],
        "families": found.families,
        "messages": found.messages,
        "found": len(found.keys),
        "unsearchable_versions": found.not_reached,
        "undated": found.undated,
    }
    return _changed(store, tx, request, QUERY, found.size, before, wanted, detail, by=by, why=why)


def by_hand(
    store: Store,
    tx: Tx,
    request: Request,
    *,
    add: Iterable[UUID] = (),
    remove: Iterable[UUID] = (),
    by: Officer,
    why: str,
) -> Selection:
    """Take records into the selection one by one, or out of it; each with a reason."""
    coming, going = list(dict.fromkeys(add)), list(dict.fromkeys(remove))
    if bool(coming) == bool(going):
        raise UnknownSelection("name the records to add, or those to remove", next="One of both at a time.")
    request = requests.must_be_open(requests.fresh(store, tx, request))
    before = Keys.of(of(tx, request.id))
    named = _keys(tx, coming or going, messages=by_messages(by))
    if going and (strange := [one for one, key in named.items() if key not in before]):
        raise UnknownSelection(f"{strange[0]} is not selected", next="`muniment request show` lists what is.")
    changed = Keys.of(named.values())
    wanted = before | changed if coming else before - changed
    how = ADDED if coming else REMOVED
    detail = {"records": [str(one) for one in named][:1000]}
    size = store.ledger.size(tx)
    return _changed(store, tx, request, how, size, before, wanted, detail, by=by, why=why)


def confirm(
    store: Store, tx: Tx, request: Request, *, seen: int | None = None, by: Officer, why: str
) -> Selection:
    """Confirm that the selection answers the request: what is selected is held from now on, and all else let go.

    `seen` is the entry of the step that was looked at; where somebody has
    selected something else since, nothing is confirmed.
    """
    request = requests.must_be_open(requests.fresh(store, tx, request))
    keys = of(tx, request.id)
    if seen is not None and seen != (newest := _newest(tx, request.id)):
        raise SelectionChanged(
            f"the selection was changed since you looked at it, by entry {newest or 0}",
            next="Look through it again, and confirm it as it stands.",
        )
    if not keys and not history(store, tx, request.id):
        raise NothingSelected(
            "nothing was selected for this request", next="`muniment request select ID --query Q` first."
        )
    now = Keys.of(keys)
    told = _changed(store, tx, request, CONFIRMED, store.ledger.size(tx), now, now, {}, by=by, why=why)
    requests.confirmed(store, tx, request, keys, by=by, why=why)
    return told


def _newest(tx: Tx, request: UUID) -> int | None:
    """The entry of the newest step."""
    asked = select(func.max(selections.c.entry)).where(selections.c.request == request.bytes)
    return tx.execute(asked).scalar()


def must_be_confirmed(store: Store, tx: Tx, request: Request) -> Selection:
    """The confirmation of the selection as it stands; `NothingSelected` where it changed since, or nobody gave one."""
    told = history(store, tx, request.id)
    if not told or told[-1].how != CONFIRMED:
        raise NothingSelected(
            "nobody has confirmed the selection of this request as it stands",
            next="Look through it, then `muniment request confirm ID`.",
        )
    return told[-1]


def of(tx: Tx, request: UUID) -> list[int]:
    """The keys of what is selected and still there, in their order."""
    asked = (
        select(selected.c.record)
        .outerjoin(tombstones, tombstones.c.record == selected.c.record)
        .where(
            selected.c.request == request.bytes,
            selected.c.left_entry.is_(None),
            tombstones.c.record.is_(None),
        )
        .order_by(selected.c.record)
    )
    return [int(key) for key in tx.execute(asked.execution_options(yield_per=10_000)).scalars()]


def count(tx: Tx, request: UUID) -> int:
    """How many records are selected and still there; what is in quarantine is not counted."""
    asked = (
        select(func.count())
        .select_from(selected)
        .outerjoin(tombstones, tombstones.c.record == selected.c.record)
        .where(
            selected.c.request == request.bytes,
            selected.c.left_entry.is_(None),
            tombstones.c.record.is_(None),
            quarantine.outside(selected.c.record),
        )
    )
    return int(tx.execute(asked).scalar_one())


def history(store: Store, tx: Tx, request: UUID) -> list[Selection]:
    """Every step of the selection of a request, oldest first."""
    asked = select(selections).where(selections.c.request == request.bytes).order_by(selections.c.entry)
    rows = tx.execute(asked).all()
    said = deeds.told(store, tx, [row.entry for row in rows])
    return [
        Selection(
            entry=row.entry,
            how=row.how,
            size=row.size,
            n=row.n,
            digest=bytes(row.digest).hex(),
            by=said[row.entry].by if row.entry in said else None,
            why=said[row.entry].why if row.entry in said else "",
            detail=said[row.entry].detail if row.entry in said else {},
        )
        for row in rows
    ]


def by_messages(officer: Officer) -> bool:
    """Whether an officer may have private messages in a selection."""
    return officer.may(Role.MESSAGES)


def _changed(
    store: Store,
    tx: Tx,
    request: Request,
    how: str,
    size: int,
    before: Keys,
    wanted: Keys,
    detail: Mapping[str, object],
    *,
    by: Officer,
    why: str,
) -> Selection:
    told = digest(tx, list(wanted))
    coming, going = wanted - before, before - wanted
    entry = store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"request": request.id.hex, "n": len(wanted), "of": told},
        detail={"how": how, "size": size, "came": len(coming), "went": len(going), **detail},
        subject=request.id,
    )
    gone = list(going)
    for start in range(0, len(gone), _ASK):
        tx.execute(
            update(selected)
            .where(
                selected.c.request == request.id.bytes,
                selected.c.left_entry.is_(None),
                selected.c.record.in_(gone[start : start + _ASK]),
            )
            .values(left_entry=entry)
        )
    rows = [(request.id.bytes, key, entry) for key in coming]
    insert_rows(tx, selected, ("request", "record", "entry"), rows)
    if coming and not requests.holds_everything(request):
        holding.also_for_request(store, tx, request.id, coming, by=by, why=f"{request.number}: {why}")
    tx.execute(
        insert(selections).values(
            request=request.id.bytes,
            entry=entry,
            how=how,
            size=size,
            n=len(wanted),
            digest=bytes.fromhex(told),
        )
    )
    return Selection(
        entry=entry, how=how, size=size, n=len(wanted), digest=told, by=by.id, why=why, detail=detail
    )


def _keys(tx: Tx, named: Sequence[UUID], *, messages: bool) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    hidden = quarantine.hidden(tx, None)
    for start in range(0, len(named), _ASK):
        asked = (
            select(records.c.key, records.c.id, records.c.private)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(
                records.c.id.in_([one.bytes for one in named[start : start + _ASK]]),
                tombstones.c.record.is_(None),
            )
        )
        for row in tx.execute(asked):
            if (messages or not row.private) and row.key not in hidden:
                found[UUID(bytes=bytes(row.id))] = row.key
    for one in named:
        if one not in found:
            raise UnknownSelection(f"no record {one} is held", next="Take its id from `muniment search`.")
    return found
