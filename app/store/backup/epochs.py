"""Whether a restored ledger may go on, or begins a new epoch because a signed checkpoint would be forked.

A checkpoint that was signed is a promise to everybody who holds it: the ledger
of that name goes on from there. A restored ledger that lacks entries under it
cannot keep the promise, so it never signs under that name again. Its entries
stay what they are, at their places, and go on under the next name; the first
entry of the new epoch says what the old one had signed, and what was lost.

That nothing was signed after a backup can be known to be false, and never to
be true. It is taken for granted only of a backup that was made just now and
that nothing contradicts, or where a person says so.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert

from app.db import Tx, to_instant
from app.db.database import lock_ledger
from app.records.errors import Invalid
from app.store.backup.sets import Log, number_of
from app.store.ledger import Ledger, LedgerBroken
from app.store.note import Checkpoint, NoteBroken, Verifier, opened, parts_of
from app.store.store import Store, rename
from app.store.tables import ledger_epochs

JUST_NOW = timedelta(minutes=10)
"""How old a backup may be for it to be taken for granted that nothing was signed after it."""


_SUCCESSION = "muniment-epoch/1"


class NotACheckpoint(Invalid):
    """What was named as a checkpoint is none of this archive's ledger."""

    code = "not-a-checkpoint"


@dataclass(frozen=True, slots=True)
class Known:
    """A checkpoint that is known to have been signed, and whence; one of a later epoch says that there was one."""

    origin: str
    size: int
    root: bytes
    whence: str


@dataclass(frozen=True, slots=True)
class GoesOn:
    """The ledger goes on under its name: it holds everything that it ever signed."""


@dataclass(frozen=True, slots=True)
class Begins:
    """A new epoch begins. The old one is here up to `lost_from`; what it signed reaches to `lost_to`, where that is known."""

    number: int
    last: Known
    lost_from: int
    lost_to: int | None
    why: str


Fate = GoesOn | Begins


def decide(
    log: Log,
    reached: int,
    root: Callable[[int], bytes],
    known: Sequence[Known],
    *,
    age: timedelta,
    nothing_since: bool,
    has_key: bool = True,
) -> Fate:
    """Say whether the ledger `log`, of which `reached` entries are here, may go on.

    `known` are the checkpoints that are known of; `age` is how long ago the
    ledger was last seen; without its key it cannot go on anyway. Raises `LedgerBroken` where the entries contradict
    what was signed over them: then they were altered.
    """
    ours = [one for one in known if one.origin == log.origin]
    later = [number_of(one.origin) for one in known if one.origin != log.origin]
    for one in ours:
        if one.size <= reached and root(one.size) != one.root:
            raise LedgerBroken(
                f"the first {one.size} entries are not those that were signed, says {one.whence}",
                next="Keep this set as evidence, and restore another one.",
            )
    nothing = Known(log.origin, 0, hashlib.sha256(b"").digest(), "nobody")
    last = max(ours, key=lambda one: one.size, default=nothing)
    number = max([log.number, *later]) + 1
    if last.size > reached:
        return Begins(number, last, reached, last.size, f"{last.whence} knows a checkpoint beyond it")
    if any(one > log.number for one in later):
        return Begins(number, last, reached, None, "a later epoch has begun elsewhere")
    if not has_key:
        return Begins(number, last, reached, None, "the keys set does not hold the key of that epoch")
    if nothing_since or age <= JUST_NOW:
        return GoesOn()
    return Begins(number, last, reached, None, "nothing shows that no checkpoint was signed after the backup")


def begin(
    store: Store, log: Log, fate: Begins, told: dict[str, object], *, by: UUID | None, why: str
) -> Store:
    """End the epoch of the ledger and begin the next; the store that is returned writes and signs under its name.

    The first entry commits to the last known checkpoint of the epoch before,
    and to the statement of what happened. The last thing that the key of the
    epoch signs is the key of the next, where it is there; then it is destroyed,
    and its public half is kept.
    """
    before, name = store.ledger, f"ledger/{log.origin}"
    agency = replace(store.agency, origin=f"{store.agency.domain}/records/{fate.number}")
    ledger = Ledger(store.database, store.keyring, before.folder, agency.origin, store.clock)
    with store.database.begin() as tx:
        lock_ledger(tx)
        entry = ledger.act(
            tx,
            "epoch",
            by=by,
            why=why,
            facts={
                "epoch": fate.number,
                "origin": agency.origin,
                "after": log.origin,
                "reached": fate.lost_from,
                "size": fate.last.size,
                "root": fate.last.root.hex(),
            },
            detail=told
            | {
                "lost": {"from": fate.lost_from, "to": fate.lost_to},
                "known_from": fate.last.whence,
                "because": fate.why,
            },
        )
        succession = ""
        if store.keyring.has_named(name):
            succession = before.signer().sign(f"{_SUCCESSION}\n{ledger.verifier().line()}\n")
        _note(store, tx, log, fate, entry, succession)
        rename(tx, agency, store.lookup)
    store.keyring.forget_named(name)
    return replace(store, ledger=ledger, agency=agency)


def _note(store: Store, tx: Tx, log: Log, fate: Begins, entry: int, succession: str) -> None:
    tx.execute(
        insert(ledger_epochs).values(
            number=log.number,
            origin=log.origin,
            vkey=log.vkey,
            reached=fate.lost_from,
            size=fate.last.size,
            root=fate.last.root,
            ended_at=to_instant(store.clock.now()),
            entry=entry,
            succession=succession,
        )
    )


def succeeded(logs: Sequence[Log], successions: Sequence[str]) -> list[Log]:
    """The epochs that are known, with those that the last of them named as its successors, each signed by the one before."""
    found = list(logs)
    for note in successions:
        with contextlib.suppress(NoteBroken):
            first, line, _ = opened(note, Verifier.parse(found[-1].vkey)).split("\n")
            named = Verifier.parse(line)
            if first == _SUCCESSION and number_of(named.name) > found[-1].number:
                found.append(Log(named.name, line))
    return found


def read(note: str, logs: Sequence[Log], domain: str, whence: str) -> Known:
    """A checkpoint that somebody holds, of this archive's ledger or of a later epoch of it; else `NotACheckpoint`.

    One of an epoch that the sets do not know cannot be verified: it is only
    told from it that the epoch was there.
    """
    with contextlib.suppress(NoteBroken):
        text, _ = parts_of(note)
        said = Checkpoint.parse(text)
        for log in logs:
            if log.origin == said.origin:
                opened(note, Verifier.parse(log.vkey))
                return Known(said.origin, said.size, said.root, whence)
        prefix = f"{domain}/records/"
        if said.origin == f"{prefix}{number_of(said.origin)}" and number_of(said.origin) > logs[-1].number:
            return Known(said.origin, said.size, said.root, whence)
    raise NotACheckpoint(
        f"{whence} holds no checkpoint of {logs[-1].origin}",
        next="Name a file with a signed checkpoint, as `muniment ledger checkpoint` prints it.",
    )
