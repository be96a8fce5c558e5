"""From whom a version was received, in which file: the chain of custody of what was handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import select

from app.db import Tx
from app.store.sealing import unseal
from app.store.store import Store
from app.store.tables import exchanges, runs

_ASK = 500
_FACTS = ("file", "sha256", "from", "at")


def handed_in(store: Store, tx: Tx, seen: Iterable[int]) -> dict[int, Mapping[str, object]]:
    """By exchange: file, SHA-256, from whom and when, as the import noted it; captured exchanges are not among them."""
    wanted = list(dict.fromkeys(seen))
    by_exchange: dict[int, int] = {}
    notes: dict[int, tuple[bytes, bytes]] = {}
    for start in range(0, len(wanted), _ASK):
        asked = (
            select(exchanges.c.key, runs.c.key.label("run"), runs.c.id, runs.c.sealed_note)
            .join(runs, runs.c.key == exchanges.c.run)
            .where(exchanges.c.key.in_(wanted[start : start + _ASK]), exchanges.c.kind == "file")
        )
        for row in tx.execute(asked):
            if row.sealed_note is not None:
                by_exchange[row.key] = row.run
                notes[row.run] = bytes(row.id), bytes(row.sealed_note)
    secrets = store.keyring.secrets(identity for identity, _ in notes.values())
    told: dict[int, Mapping[str, object]] = {}
    for run, (identity, sealed) in notes.items():
        if identity in secrets:
            note = msgspec.json.decode(unseal(secrets[identity], b"run", sealed))
            told[run] = {name: note.get(name) or None for name in _FACTS}
    return {exchange: told[run] for exchange, run in by_exchange.items() if run in told}
