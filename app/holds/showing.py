"""Records as lists and pages show them: whether a hold covers them, as far as whoever asks may know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.db import Tx
from app.holds import covering
from app.records.nouns import Disposed, Officer, Record
from app.store.store import Store


def with_holds(store: Store, tx: Tx, found: Sequence[Record], *, by: Officer) -> list[Record]:
    """The same records, each saying whether a hold covers it that `by` may know of."""
    held = covering.shown(store, tx, [one.key for one in found], by=by)
    return [replace(one, held=True) if held[one.key] else one for one in found]


def with_hold(store: Store, tx: Tx, found: Record | Disposed, *, by: Officer) -> Record | Disposed:
    """The same for one record, or for what is left of it."""
    return found if isinstance(found, Disposed) else with_holds(store, tx, [found], by=by)[0]
