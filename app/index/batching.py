"""What waits for a commit, for engines that write a batch as one."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from app.index.documents import MOST_RECORDS, Document
from app.index.engine import check


class Batching(ABC):
    """Takes in what is added and removed, and keeps it until the engine commits or gives up."""

    def __init__(self) -> None:
        self._changing = threading.RLock()
        """Held while a batch is taken in or written."""
        self._taken_out: set[int] = set()
        self._added: dict[int, list[Document]] = {}

    def add(self, documents: Sequence[Document]) -> None:
        for document in documents:
            check(document)
        with self._changing:
            self._may_write()
            for document in documents:
                self._added.setdefault(document.record, []).append(document)

    def remove(self, records: Collection[int]) -> None:
        wanted = {record for record in records if 0 < record < MOST_RECORDS}
        if not wanted:
            return
        with self._changing:
            self._may_write()
            self._taken_out |= wanted
            for record in wanted:
                self._added.pop(record, None)

    def _forget(self) -> None:
        """Keep nothing any more: it was written, or given up."""
        self._taken_out, self._added = set(), {}

    @abstractmethod
    def _may_write(self) -> object:
        """Raise `IndexBusy` unless this process may write; whatever it writes with."""
