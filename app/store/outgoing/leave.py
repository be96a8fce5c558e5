"""Beginning an export in a folder, or going on with it, and saying what left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.store.outgoing import walk
from app.store.outgoing.custody import Custody, Progress, Tally
from app.store.outgoing.folder import Going, Scope
from app.store.outgoing.replay import LARGEST, Replay
from app.store.outgoing.telling import Teller
from app.store.store import Store

OCFL, WACZ = "ocfl", "wacz"
FORMS = (OCFL, WACZ)


@dataclass(frozen=True, slots=True)
class Left:
    """What an export holds: counts, after how many ledger entries, and the SHA-256 that seals all of it."""

    tally: Tally
    size: int
    digest: str


def scope_of(store: Store, form: str, pages: Sequence[UUID], *, messages: bool, software: str) -> Scope:
    """What is to be exported."""
    return Scope(
        form=form,
        origin=store.agency.origin,
        pages=tuple(sorted(str(page) for page in pages)),
        messages=messages,
        software=software,
    )


def write(
    store: Store,
    teller: Teller,
    going: Going,
    progress: Progress,
    *,
    largest: int = LARGEST,
) -> Left:
    """Write everything of `going` that is not in its folder yet, but for the word that it is done."""
    as_of = walk.as_of(store, going.size)
    software = going.scope.software
    writer: Custody | Replay
    if going.scope.form == OCFL:
        writer = Custody(store, teller, going, as_of, software, progress)
    else:
        writer = Replay(store, teller, going, as_of, software, progress, largest)
    tally, digest = writer.write()
    return Left(tally, as_of.size, digest)


def done(going: Going, left: Left, *, settle: Callable[[], None]) -> None:
    """Say in the folder that it is complete; `settle` first brings to disk whatever was written."""
    going.done({"holds": left.tally.as_dict(), "digest": left.digest}, settle)
