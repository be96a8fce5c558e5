"""Tags held against the acts that gave them and took them off: what fixity asks of this room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from app.capture import tags
from app.db import Tx
from app.store.accounts import Wrong
from app.store.hearing import Heard, compared, heard, whole
from app.store.store import Store
from app.store.tables import records
from app.store.tables import tags as table

LOOK = "tags"
"""What fixity calls this look."""


def wrong(store: Store) -> Wrong:
    """Whatever the rows of tags say that nobody did, or no longer say although somebody did."""
    with store.database.read() as tx:
        done: dict[bytes, dict[str, object]] = {}
        for act in heard(store, tx, "tag"):
            _take(store, done, act)
        yield from compared(
            _rows(tx),
            done,
            key=lambda row: bytes(row.id),
            where=whole,
            missing=lambda one: bytes(one).hex(),
        )


def _rows(tx: Tx) -> Iterable[Any]:
    asked = select(table, records.c.id.label("item")).outerjoin(records, records.c.key == table.c.record)
    return tx.execution_options(yield_per=10_000).execute(asked.order_by(table.c.key))


def _take(store: Store, done: dict[bytes, dict[str, object]], act: Heard) -> None:
    identity = bytes.fromhex(act.facts["tag"])
    if act.act == "taken off":
        done.setdefault(identity, {})["removed_entry"] = act.entry
        return
    said: dict[str, object] = {
        "item": bytes.fromhex(act.facts["item"]),
        "entry": act.entry,
        "removed_entry": None,
    }
    if not act.untold:
        said["mac"] = tags.mac(store, str(act.detail["tag"]))
    done[identity] = said
