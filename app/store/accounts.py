"""Accounts: whether rows and entries speak of one another, and say the same.

An entry without its row means that something was removed; a row that says
something else than its statement, its envelope or its entry was altered. Each
function yields what is wrong: a code, what, and where.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeAlias

import msgspec
from sqlalchemy import Column, ColumnElement, Row, Table, func, select

from app.db import Tx, from_instant, to_instant
from app.store.ledger import keyed, timestamp
from app.store.merkle import Growing, leaf_hash
from app.store.statement import Statement
from app.store.store import Store
from app.store.tables import (
    access_digests,
    acts,
    attachments,
    checkpoints,
    entries,
    exchanges,
    gaps,
    manifests,
    pages,
    pieces,
    records,
    runs,
    tombstones,
    versions,
)

Wrong: TypeAlias = Iterator[tuple[str, str, str]]
"""What is wrong: a stable code, what it is, and where."""

P = ParamSpec("P")

_PART = 5_000
ALTERED, MISSING = "row-altered", "entry-without-row"
_TYPE = re.compile(rb'"type":"([a-z-]+)"')
_ATTACHED = re.compile(rb'"attachment":"([0-9a-f]{32})","c":"([0-9a-f]{64})","item":"([0-9a-f]{32})"')
_OWN_ROWS: Mapping[str, Table] = {
    "exchange": exchanges,
    "gap": gaps,
    "manifest": manifests,
    "access": access_digests,
}
_NOT_ACTS = ("capture", "exchange", "attachment")


def unaccounted(store: Store, size: int) -> Wrong:
    """Every one of the first `size` entries has the rows that it speaks of, and no row speaks of none.

    Versions are compared one by one elsewhere, so they are only counted here.
    """
    found: Counter[str] = Counter()
    attached: dict[bytes, tuple[bytes, bytes]] = {}
    for body in store.ledger.bodies(0, size):
        said = _TYPE.search(body)
        kind = said[1].decode() if said else "without type"
        found[kind] += 1
        if kind == "attachment" and (named := _ATTACHED.search(body)):
            attached[bytes.fromhex(named[1].decode())] = (
                bytes.fromhex(named[2].decode()),
                bytes.fromhex(named[3].decode()),
            )
    with store.database.read() as tx:
        counted = {kind: _rows(tx, table.c.entry, size) for kind, table in _OWN_ROWS.items()}
        counted["capture"] = _rows(tx, versions.c.entry, size)
        for kind, rows in counted.items():
            if rows != found[kind]:
                code = "entry-without-version" if kind == "capture" else MISSING
                yield code, f"{found[kind]} {kind} entries, but {rows} rows", store.ledger.origin
        done, told = (
            _rows(tx, acts.c.entry, size),
            sum(number for kind, number in found.items() if kind not in _NOT_ACTS),
        )
        if done != told:
            yield MISSING, f"{told} entries for what was done, but {done} rows", store.ledger.origin
        yield from _attached(tx, attached)


def _rows(tx: Tx, entry: Column[int], size: int) -> int:
    return int(tx.execute(select(func.count()).where(entry >= 0, entry < size)).scalar_one())


def _attached(tx: Tx, entered: dict[bytes, tuple[bytes, bytes]]) -> Wrong:
    """Every attachment that was entered is kept, with the commitment of its entry; a disposed record's are gone."""
    asked = (
        select(attachments.c.id, attachments.c.state, pieces.c.commitment, records.c.id)
        .join(records, records.c.key == attachments.c.record)
        .outerjoin(pieces, (pieces.c.key == attachments.c.piece) & (pieces.c.record == attachments.c.record))
    )
    disposed = select(records.c.id).join(tombstones, tombstones.c.record == records.c.key)
    gone = {bytes(item) for item in tx.execute(disposed).scalars()} if entered else set()
    left = {identity: told for identity, told in entered.items() if told[1] not in gone}
    for identity, state, commitment, record in tx.execute(asked):
        told = left.pop(bytes(identity), None)
        where = f"attachment {bytes(identity).hex()}"
        if told is None:
            if state not in ("kept", "missing"):
                yield ALTERED, "an attachment is neither kept nor missing", where
            elif state == "kept" and bytes(record) not in gone and bytes(identity) not in entered:
                yield ALTERED, "an attachment is kept, but no entry speaks of it", where
        elif state != "kept" or commitment is None or (bytes(commitment), bytes(record)) != told:
            yield ALTERED, "an attachment is not the one that its entry speaks of", where
    for identity in left:
        yield MISSING, "an attachment was entered, but has no row", f"attachment {identity.hex()}"


RECORD_COLUMNS = (
    records.c.kind,
    records.c.native_mac,
    records.c.parent_mac,
    records.c.state.label("record_state"),
    records.c.version.label("record_version"),
    records.c.published_at,
    records.c.first_seen,
    pages.c.id.label("page_id"),
    pages.c.platform.label("page_platform"),
    pages.c.name.label("page_name"),
    records.c.received,
    records.c.private,
    exchanges.c.id.label("exchange_id"),
    exchanges.c.at.label("exchange_at"),
    exchanges.c.kind.label("exchange_kind"),
)
"""What a version's own row, its record's, its page's and its exchange's say of it, beside `VERSION_COLUMNS`."""


_MOMENTS = range(to_instant(datetime.min.replace(tzinfo=UTC)), to_instant(datetime.max.replace(tzinfo=UTC)))
"""Every whole number that is kept lies within them, though few are moments."""


def _of_its_kind(
    what: str, where: Callable[[Any], str], *columns: ColumnElement[Any]
) -> Callable[[Callable[P, Wrong]], Callable[P, Wrong]]:
    """A judge of rows that also tells one whose value is of another kind than its column's.

    A database keeps with each value of what kind it is; where that was altered
    in the file, a number comes as bytes, or so large that no moment is meant.
    An error that no such value explains is the judge's own, and stays one.
    """
    kinds = {column.key: column.type.python_type for column in columns}

    def strange(name: str, value: object) -> bool:
        if value is None or name not in kinds:
            return False
        return not isinstance(value, kinds[name]) or (isinstance(value, int) and value not in _MOMENTS)

    def judging(judge: Callable[P, Wrong]) -> Callable[P, Wrong]:
        @wraps(judge)
        def judged(*given: P.args, **named: P.kwargs) -> Wrong:
            try:
                yield from judge(*given, **named)
            except (TypeError, AttributeError, OverflowError):
                row = next(one for one in given if isinstance(one, Row))
                if not any(strange(name, value) for name, value in row._asdict().items()):
                    raise
                yield ALTERED, f"{what} holds a value of another kind", where(row)

        return judged

    return judging


def _entered(row: Any) -> str:
    return f"entry {row.entry}"


@_of_its_kind(
    "a version's rows",
    lambda row: f"{bytes(row.id).hex()} version {row.number}",
    *versions.columns,
    *RECORD_COLUMNS,
)
def version(store: Store, row: Any, statement: Statement, body: bytes) -> Wrong:
    """The rows of a version say what its statement says: `row` has `RECORD_COLUMNS` and the version's own."""
    clear, fields = msgspec.json.decode(statement.body), statement.values()
    observed = timestamp(from_instant(row.observed_at))
    same = {
        "item": clear.get("item") == bytes(row.id).hex(),
        "number": clear.get("ver") == row.number,
        "time": (clear.get("observed"), row.observed_at) == (observed, row.exchange_at)
        and b'"ts":"%b"' % observed.encode() in body,
        "state": fields.get("state") == row.state,
        "exchange": row.exchange_id is not None and fields.get("seen") == bytes(row.exchange_id).hex(),
    }
    if row.number == 1:
        page, parent, published = bytes(row.page_id), fields.get("in_reply_to"), fields.get("published_at")
        same |= {
            "page": (fields.get("platform"), fields.get("page")) == (row.page_platform, row.page_name),
            "kind": fields.get("kind") == row.kind,
            "native id": _mac(store, page, fields.get("native_id")) == bytes(row.native_mac),
            "what it answers": _mac(store, page, parent)
            == (bytes(row.parent_mac) if row.parent_mac is not None else None),
            "when published": (row.published_at is None) == (published is None)
            and (published is None or _moment(published) == from_instant(row.published_at)),
            "when first seen": row.first_seen == row.observed_at,
            "who may read it": row.private == fields.get("private", row.kind == "message"),
            "where from": row.received == (row.exchange_kind == "file"),
        }
    stated_before = fields.get("last_seen_before")
    if stated_before is not None or row.number == 1:
        same["when last seen before"] = (
            None if row.last_seen_before is None else from_instant(row.last_seen_before)
        ) == (None if stated_before is None else _moment(stated_before))
    if row.number == row.record_version:
        same["the record's state"] = row.record_state == row.state
    wrong = [name for name, right in same.items() if not right]
    if wrong:
        where = f"{bytes(row.id).hex()} version {row.number}"
        yield ALTERED, f"rows and statement differ in: {', '.join(wrong)}", where


def newest(store: Store) -> Wrong:
    """Every record's newest version is the one that its row names.

    One that was kept and disposed of after the data were copied that a restore
    put back has no version here, and its row says so.
    """
    last = select(versions.c.record, func.max(versions.c.number).label("number")).group_by(versions.c.record)
    held = last.subquery()
    asked = (
        select(records.c.id, records.c.version, held.c.number)
        .outerjoin(held, held.c.record == records.c.key)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where((held.c.number.is_(None)) | (held.c.number != records.c.version))
        .where((records.c.version != 0) | tombstones.c.record.is_(None) | held.c.number.is_not(None))
    )
    with store.database.read() as tx:
        for identity, said, number in tx.execute(asked).all():
            yield (
                ALTERED,
                f"its newest version is {number or 'none'}, its row says {said}",
                bytes(identity).hex(),
            )


def seen(store: Store) -> Wrong:
    """Every record was seen last when something was received, and not before its newest sighting was stated."""
    received = select(exchanges.c.at).distinct().subquery()
    asked = (
        select(records.c.id)
        .outerjoin(received, received.c.at == records.c.last_seen)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(received.c.at.is_(None), tombstones.c.record.is_(None))
    )
    with store.database.read() as tx:
        for identity in tx.execute(asked).scalars().all():
            yield (
                ALTERED,
                "nothing was received when it is said to have been seen last",
                bytes(identity).hex(),
            )


@_of_its_kind("an exchange's row", lambda row: bytes(row.id).hex(), *exchanges.columns)
def exchange(row: Any, envelope: bytes | None, body: bytes) -> Wrong:
    """An exchange's row says what its entry says, and what its envelope says where that can still be opened."""
    at = timestamp(from_instant(row.at)).encode()
    same = (
        b'"exchange":"%b"' % bytes(row.id).hex().encode() in body
        and b'"ts":"%b"' % at in body
        and b'"type":"exchange"' in body
    )
    if same and envelope is not None:
        head = msgspec.json.decode(envelope)
        same = (
            row.kind == ("file" if "file" in head else "http")
            and row.status == head.get("status", 0)
            and _moment(head["at"]) == from_instant(row.at)
        )
    if not same:
        yield ALTERED, "an exchange's row does not say what its entry and envelope say", bytes(row.id).hex()


@_of_its_kind("an act's row", _entered, *acts.columns)
def act(row: Any, told: bytes, body: bytes) -> Wrong:
    """An act's row says what its entry and its sealed detail say."""
    by = msgspec.json.decode(told)["by"]
    if (
        b'"type":"%b"' % row.type.encode() not in body
        or b'"ts":"%b"' % timestamp(from_instant(row.at)).encode() not in body
        or by != (bytes(row.officer).hex() if row.officer else None)
    ):
        yield ALTERED, "an act's row does not say what its entry says", f"entry {row.entry}"


def gap_rows(tx: Tx) -> dict[int, Any]:
    """The rows of gaps by their entry, with the run and the page that they name."""
    asked = (
        select(gaps, runs.c.id.label("run_id"), pages.c.id.label("page_id"))
        .outerjoin(runs, runs.c.key == gaps.c.run)
        .outerjoin(pages, pages.c.key == gaps.c.page)
    )
    return {row.entry: row for row in tx.execute(asked)}


@_of_its_kind("a gap's row", _entered, *gaps.columns, runs.c.id.label("run_id"), pages.c.id.label("page_id"))
def gap(store: Store, row: Any, told: bytes, body: bytes) -> Wrong:
    """A gap's row says what its entry and its sealed detail say."""
    said, detail = msgspec.json.decode(body), msgspec.json.decode(told)["detail"]
    page = bytes(row.page_id) if row.page_id is not None else None
    native = detail.get("native_id") if page is not None else None
    same = (
        (said.get("type"), said.get("run")) == ("gap", bytes(row.run_id).hex() if row.run_id else None)
        and said.get("page") == (page.hex() if page else None)
        and all(
            (row_at is None) == (detail.get(name) is None)
            and (row_at is None or _moment(detail[name]) == from_instant(row_at))
            for name, row_at in (("since", row.since), ("until", row.until))
        )
        and (_mac(store, page or b"", native) if native else None)
        == (bytes(row.native_mac) if row.native_mac is not None else None)
    )
    if not same:
        yield ALTERED, "a gap's row does not say what its entry says", f"entry {row.entry}"


def manifest_rows(store: Store, size: int) -> Wrong:
    """Every manifest says what its entry says, and has the root of what was captured of its page since the last one."""
    with store.database.read() as tx:
        asked = (
            select(
                manifests, manifests.c.count.label("captured"), pages.c.id.label("page_id"), entries.c.body
            )
            .outerjoin(pages, pages.c.key == manifests.c.page)
            .outerjoin(entries, entries.c.index == manifests.c.entry)
            .where(manifests.c.entry < size)
            .order_by(manifests.c.entry)
        )
        through: dict[int, int] = {}
        for row in tx.execute(asked).all():
            captured = (
                select(entries.c.body)
                .join(versions, versions.c.entry == entries.c.index)
                .join(records, records.c.key == versions.c.record)
                .where(
                    records.c.page == row.page,
                    versions.c.entry > through.get(row.page, -1),
                    versions.c.entry <= row.through,
                )
                .order_by(versions.c.entry)
            )
            tree = Growing()
            for body in tx.execute(captured).yield_per(_PART).scalars():
                tree.add(leaf_hash(bytes(body)))
            through[row.page] = row.through
            said = msgspec.json.decode(bytes(row.body)) if row.body is not None else {}
            stated = [said.get(name) for name in ("page", "day", "n", "root", "through", "prev")]
            page = bytes(row.page_id).hex() if row.page_id is not None else None
            held = [page, row.day, row.captured, bytes(row.root).hex(), row.through, row.previous]
            if stated != held or (row.captured, bytes(row.root)) != (tree.count, tree.root()):
                yield ALTERED, "a manifest does not say what was captured of its page", f"entry {row.entry}"


def run_rows(store: Store) -> Wrong:
    """Every run that ended says what its entry says: of which page, of what kind, how it ended, what it counted."""
    with store.database.read() as tx:
        asked = (
            select(entries.c.body)
            .join(acts, acts.c.entry == entries.c.index)
            .where(acts.c.type == "run")
            .order_by(acts.c.entry)
        )
        said = {told["run"]: told for told in map(msgspec.json.decode, tx.execute(asked).scalars())}
        held = select(runs, pages.c.id.label("page_id")).outerjoin(pages, pages.c.key == runs.c.page)
        for row in tx.execute(held.where(runs.c.ended_at.is_not(None))):
            told = said.pop(bytes(row.id).hex(), None)
            page = bytes(row.page_id).hex() if row.page_id is not None else None
            counted = {name: number for name, number in (told or {}).items() if _is_counter(name, number)}
            tally = msgspec.json.decode(row.tally)
            if (
                told is None
                or [told.get(name) for name in ("kind", "status", "page")] != [row.kind, row.status, page]
                or {name: tally.get(name) for name in counted} != counted
            ):
                yield ALTERED, "a run's row does not say what its entry says", f"run {bytes(row.id).hex()}"


def _is_counter(name: str, number: object) -> bool:
    return isinstance(number, int) and name != "v" and not name.startswith(("stated ", "held "))


def remembered(store: Store) -> Wrong:
    """The keyring remembers the newest checkpoint that the database has, or a larger one."""
    with store.database.read() as tx:
        notes = tx.execute(select(checkpoints).order_by(checkpoints.c.size.desc())).all()
    newest = next((row for row in notes if str(row.note).startswith(f"{store.ledger.origin}\n")), None)
    known = store.keyring.largest_signed(store.ledger.origin)
    if newest is not None and (known is None or known < (newest.size, bytes(newest.root))):
        yield ALTERED, "the keyring does not remember the newest checkpoint that was signed", "keyring"


def _mac(store: Store, page: bytes, native_id: object) -> bytes | None:
    return keyed(store.lookup, page, native_id.encode()) if isinstance(native_id, str) else None


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value))
