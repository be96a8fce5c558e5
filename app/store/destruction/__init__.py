"""Destruction: records are destroyed so that proof is left and content is not.

Why this is safe to have in an archive:

- *Nobody reaches it by accident.* Only disposition may import this module; a
  contract in `pyproject.toml` and a test hold that wall. Nothing that keeps,
  reads or searches can destroy.
- *Nothing is destroyed that was not authorised before*, in an entry of its
  own: a batch names its records one by one, with series, citation and
  authority, and what is not in a batch cannot be reached from here.
- *A hold always wins until the last moment.* Each part of a batch is one
  transaction under the ledger's lock, in which holds, schedule and facts are
  looked at again; whoever places a hold writes an entry under the same lock.
  So the hold is there first and is seen, or it comes after the tombstone and
  is told so. What the look returns is withdrawn; where it fails, nothing
  happens.
- *The tombstone's commit is the point of no return*, and the only one. Before
  it nothing is lost, whatever breaks. After it nothing is decided any more:
  what is left to do can be done again and again with the same end, and `finish`
  does it at the next start.
- *What is destroyed are keys.* Ciphertext that nobody can open is harmless
  wherever copies of it lie; segments are never rewritten, and removed only
  when nothing in them can be opened any more. Secrets are removed from the
  keyring, and then the epoch is rotated: what is left is wrapped anew and the
  old epoch's key is destroyed, so that no log, no dead row and no older copy of
  the keyring's database gives a secret back. An old copy of the main database
  opens nothing with today's keys.
- *What is left proves itself.* Entries, commitments and the rows of versions
  and pieces stay: their salts came from the destroyed secret, so they say
  nothing, and the neighbours' exchanges go on verifying. The executed entry
  gives the Merkle root over the ids of what was destroyed, and fixity holds
  every tombstone against it.

What is *not* reached: copies that lawfully left before, backups of the keys
until they expire (`final` is written then), and what officers wrote themselves.
"""

from __future__ import annotations

from app.store.destruction.aftermath import finish
from app.store.destruction.batches import authorise, final, withdraw
from app.store.destruction.execution import Executed, Recheck, execute
from app.store.destruction.refusals import (
    AlreadyDisposed,
    InAnotherBatch,
    KeyBackupsLive,
    NotDestroyed,
    NothingToDispose,
    NotVerified,
    UnknownRecord,
)
from app.store.destruction.seeing import verify

__all__ = [
    "AlreadyDisposed",
    "Executed",
    "InAnotherBatch",
    "KeyBackupsLive",
    "NotDestroyed",
    "NotVerified",
    "NothingToDispose",
    "Recheck",
    "UnknownRecord",
    "authorise",
    "execute",
    "final",
    "finish",
    "verify",
    "withdraw",
]
