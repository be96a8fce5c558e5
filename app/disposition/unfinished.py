"""What a crash left of a disposal past its point of no return is finished: at a start, and each night."""

from __future__ import annotations

from collections.abc import Sequence

from app.store import Store, destruction
from app.store.disposals import Purger


def finish(store: Store, derived: Sequence[Purger]) -> int:
    """Finish what was begun; nothing is decided here. Returns how many records were seen to be gone."""
    return destruction.finish(store, derived)
