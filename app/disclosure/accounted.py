"""Selections, redactions, reviews and productions held against the acts that wrote them: what fixity asks of this room.

Of a selection each step states how many records are selected after it, and a
digest of which; so the rows of the newest step are read and digested again. Of
a production its own folder is the proof, and the digest of its seal stands in
the entry that issued it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from app.db import Tx, to_instant
from app.disclosure import produced, reviewing, selecting
from app.store.accounts import ALTERED, Wrong
from app.store.hearing import NOT_ALL, NOT_AS_DONE, NOT_DONE, Heard, by_entry, compared, heard, whole
from app.store.store import Store
from app.store.tables import (
    handovers,
    productions,
    records,
    redactions,
    review_rules,
    reviewed,
    selected,
    selections,
    tombstones,
)
from app.store.tables import produced as documents

LOOK = "disclosure"
"""What fixity calls this look."""
_ROWS = 10_000


def wrong(store: Store) -> Wrong:
    """Whatever the rows of this room say that nobody did, or no longer say although somebody did."""
    with store.database.read() as tx:
        yield from _selections(store, tx)
        yield from _redactions(store, tx)
        yield from _reviews(store, tx)
        yield from _productions(store, tx)


def _read(tx: Tx, asked: Select[Any]) -> Iterator[Any]:
    yield from tx.execution_options(yield_per=_ROWS).execute(asked)


# -- selection ---------------------------------------------------------------------------------------------


def _selections(store: Store, tx: Tx) -> Wrong:
    done: dict[int, dict[str, object]] = {}
    newest: dict[bytes, tuple[int, datetime, str]] = {}
    moved: dict[tuple[str, int], tuple[bytes, int]] = {}
    for act in heard(store, tx, selecting.TYPE):
        request = bytes.fromhex(act.facts["request"])
        done[act.entry] = {
            "request": request,
            "n": act.facts["n"],
            "digest": bytes.fromhex(act.facts["of"]),
            **({} if act.untold else {"how": act.detail["how"], "size": act.detail["size"]}),
        }
        newest[request] = act.entry, act.at, act.facts["of"]
        if not act.untold:
            moved["came", act.entry] = request, act.detail["came"]
            moved["went", act.entry] = request, act.detail["went"]
    yield from compared(
        _read(tx, select(selections).order_by(selections.c.entry)),
        done,
        key=lambda row: row.entry,
        where=by_entry,
        missing=lambda entry: f"entry {entry}",
    )
    counted: dict[tuple[str, int], int] = {}
    for row in _read(tx, select(selected)):
        for how, entry in (("came", row.entry), ("went", row.left_entry)):
            if entry is None:
                continue
            counted[how, entry] = counted.get((how, entry), 0) + 1
            if entry not in done or done[entry]["request"] != bytes(row.request):
                yield ALTERED, NOT_DONE, f"entry {entry}"
    for (how, entry), (_, number) in moved.items():
        if counted.get((how, entry), 0) != number:
            yield ALTERED, NOT_ALL, f"entry {entry}"
    for request, (entry, at, digest) in newest.items():
        if _digest(tx, request, entry, at) != digest:
            yield ALTERED, NOT_ALL, f"entry {entry}"


def _digest(tx: Tx, request: bytes, entry: int, at: datetime) -> str:
    """The digest of what the rows say was selected after a step."""
    asked = (
        select(records.c.id)
        .join(selected, selected.c.record == records.c.key)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(
            selected.c.request == request,
            selected.c.entry <= entry,
            or_(selected.c.left_entry.is_(None), selected.c.left_entry > entry),
            or_(tombstones.c.at.is_(None), tombstones.c.at > to_instant(at)),
        )
        .order_by(records.c.id)
    )
    hashed = hashlib.sha256()
    for row in _read(tx, asked):
        hashed.update(f"{UUID(bytes=bytes(row.id))}\n".encode())
    return hashed.hexdigest()


# -- review ------------------------------------------------------------------------------------------------


def _redactions(store: Store, tx: Tx) -> Wrong:
    done: dict[bytes, dict[str, object]] = {}
    for act in heard(store, tx, reviewing.TYPE):
        identity = bytes.fromhex(act.facts["redaction"])
        match act.act:
            case "made":
                done[identity] = {
                    "item": bytes.fromhex(act.facts["item"]), "entry": act.entry, "approved_entry": None,
                    "retracted_entry": None, **_told(act),
                }  # fmt: skip
            case "approved":
                done.setdefault(identity, {})["approved_entry"] = act.entry
            case _:
                done.setdefault(identity, {})["retracted_entry"] = act.entry
    asked = select(redactions, records.c.id.label("item")).outerjoin(records, records.c.key == redactions.c.record)  # fmt: skip
    yield from compared(
        _read(tx, asked.order_by(redactions.c.key)),
        done,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )


def _told(act: Heard) -> dict[str, object]:
    if act.untold:
        return {}
    return {"request": UUID(act.detail["request"]).bytes, "kind": act.detail["kind"], "officer": act.by}


def _reviews(store: Store, tx: Tx) -> Wrong:
    rules: dict[int, dict[str, object]] = {}
    looks: dict[int, dict[str, object]] = {}
    digests: dict[int, str] = {}
    for act in heard(store, tx, "review"):
        request = bytes.fromhex(act.facts["request"])
        if act.act in ("two persons", "one person"):
            rules[act.entry] = {"request": request, "two_persons": act.act == "two persons"}
        else:
            looks[act.entry] = {"request": request, "act": act.act}
            if not act.untold:
                looks[act.entry]["officer"] = UUID(act.detail["officer"]).bytes
            digests[act.entry] = act.facts["of"]
    yield from compared(
        _read(tx, select(review_rules).order_by(review_rules.c.entry)),
        rules,
        key=lambda row: row.entry,
        where=by_entry,
        missing=lambda entry: f"entry {entry}",
    )
    ends = digests.keys() | {act.entry for act in heard(store, tx, reviewing.TYPE)}
    hashed: dict[int, Any] = {}
    asked = select(reviewed, records.c.id).join(records, records.c.key == reviewed.c.record)
    for row in _read(tx, asked.order_by(reviewed.c.entry, records.c.id)):
        line = f"{UUID(bytes=bytes(row.id))}\n".encode()
        hashed.setdefault(row.entry, hashlib.sha256()).update(line)
        said = looks.get(row.entry)
        if said is None:
            yield ALTERED, NOT_DONE, by_entry(row)
        elif any(_plain(getattr(row, name)) != value for name, value in said.items()):
            yield ALTERED, NOT_AS_DONE, by_entry(row)
        if row.ended_entry is not None and row.ended_entry not in ends:
            yield ALTERED, NOT_DONE, f"entry {row.ended_entry}"
    for entry, digest in digests.items():
        if entry not in hashed or hashed[entry].hexdigest() != digest:
            yield ALTERED, NOT_ALL, f"entry {entry}"


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


# -- productions -------------------------------------------------------------------------------------------


def _productions(store: Store, tx: Tx) -> Wrong:
    done: dict[bytes, dict[str, object]] = {}
    sizes: dict[bytes, tuple[int, str | None, int]] = {}
    given: dict[int, dict[str, object]] = {}
    for act in heard(store, tx, produced.TYPE):
        identity = bytes.fromhex(act.facts["production"])
        row = done.setdefault(identity, {})
        match act.act:
            case "begun":
                row |= {
                    "request": bytes.fromhex(act.facts["request"]), "entry": act.entry, "issued_entry": None,
                    "given_up_entry": None, "clawed_entry": None, "digest": None, "records": None,
                }  # fmt: skip
                if not act.untold:
                    recipe = act.detail["recipe"]
                    row |= {name: recipe[name] for name in ("number", "prefix", "first")}
                    row["size"] = recipe["as_of"]
                    row["made_at"] = to_instant(datetime.fromisoformat(recipe["made_at"]))
            case "issued":
                row |= {
                    "issued_entry": act.entry, "digest": bytes.fromhex(act.facts["of"]), "records": act.facts["n"],
                    **({} if act.untold else {"last": act.detail["last"], "withheld": act.detail["withheld"]}),
                }  # fmt: skip
                sizes[identity] = act.facts["n"], act.detail.get("rows"), act.entry
            case "given up":
                row["given_up_entry"] = act.entry
            case "asked back":
                row["clawed_entry"] = act.entry
            case "given":
                given[act.entry] = {"of": identity, "taken_entry": None}
                if not act.untold:
                    until, link = act.detail["until"], act.detail["link"]
                    given[act.entry]["until"] = to_instant(datetime.fromisoformat(until)) if until else None
                    given[act.entry]["token"] = bytes.fromhex(link) if link else None
            case _:
                given[int(act.detail["given"])]["taken_entry"] = act.entry
    yield from compared(
        _read(tx, select(productions).order_by(productions.c.key)),
        done,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )
    yield from _documents(tx, sizes)
    asked = select(handovers, productions.c.id.label("of")).outerjoin(productions, productions.c.key == handovers.c.production)  # fmt: skip
    yield from compared(
        _read(tx, asked.order_by(handovers.c.key)),
        given,
        key=lambda row: row.entry,
        where=by_entry,
        missing=lambda entry: f"entry {entry}",
    )


def _documents(tx: Tx, sizes: Mapping[bytes, tuple[int, str | None, int]]) -> Wrong:
    counted: dict[bytes, int] = {}
    hashed: dict[bytes, Any] = {}
    asked = select(productions.c.id, documents).join(documents, documents.c.production == productions.c.key)
    for row in _read(tx, asked.order_by(documents.c.production, documents.c.first)):
        mine = bytes(row.id)
        counted[mine] = counted.get(mine, 0) + 1
        line = produced.line(row.record, row.first, row.pages, row.how, bytes(row.decisions))
        hashed.setdefault(mine, hashlib.sha256()).update(line)
    for identity in counted.keys() | sizes.keys():
        number, rows, entry = sizes.get(identity, (0, None, -1))
        told = hashed[identity].hexdigest() if identity in hashed else hashlib.sha256().hexdigest()
        if counted.get(identity, 0) != number or (rows is not None and rows != told):
            yield ALTERED, NOT_ALL, f"entry {entry}" if entry >= 0 else identity.hex()
