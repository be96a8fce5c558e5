"""Publishing, each night: the ledger and the notes of disposal go into the archive's bucket, where nobody can undo them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from app.capture import diary
from app.store import disposals
from app.store.publish import Publish
from app.store.store import Store

NAME = "publishing"


class Mark(msgspec.Struct, frozen=True):
    """How far notes of disposal are published, by batch, and when everything was last gone through."""

    batch: int = 0
    anew: datetime | None = None


@dataclass(frozen=True, slots=True)
class Publishing:
    """Publishes what is new; twice in the time of a lock, everything is gone through and locks are made longer."""

    store: Store
    publish: Publish

    def tonight(self) -> int:
        """Publish the ledger, then the notes of disposal; return how many files are new or locked for longer."""
        now = self.store.clock.now()
        with self.store.database.begin() as tx:
            noted = diary.noted(tx, NAME)
            diary.began(tx, NAME, now)
        mark = msgspec.json.decode(noted, type=Mark) if noted else Mark()
        anew = mark.anew is None or now - mark.anew >= timedelta(days=max(self.publish.days / 2, 1))
        placed = self.publish.ledger(self.store.ledger, anew=anew).placed
        reached, notes = self._notes(0 if anew else mark.batch)
        with self.store.database.begin() as tx:
            kept = Mark(reached, now if anew else mark.anew)
            diary.ended(tx, NAME, self.store.clock.now(), msgspec.json.encode(kept).decode())
        return placed + notes

    def _notes(self, after: int) -> tuple[int, int]:
        """Publish the notes of the batches beyond `after`; return the last one before any that is still going on."""
        with self.store.database.read() as tx:
            waiting = [one for one in disposals.batches(tx) if one.key > after]
        reached, placed, whole = after, 0, True
        for batch in waiting:
            with self.store.database.read() as tx:
                for note in disposals.notes(tx, batch.id):
                    placed += self.publish.tombstone(note.record, note.as_note()).new
            whole = whole and not (batch.number(disposals.AUTHORISED) or batch.number(disposals.DESTROYED))
            reached = batch.key if whole else reached
        return reached, placed
