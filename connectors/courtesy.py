"""Whose turn it is to ask a host: one after another, however many pages of it are captured at once."""

from __future__ import annotations

import threading
from datetime import timedelta


class Turns:
    """Hands out moments at which a host may be asked, an interval apart; shared by clients and threads."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, host: str, now: float, interval: timedelta) -> timedelta:
        """Reserve the host's next turn; return how long to wait for it. `now` is the clients' common clock."""
        with self._lock:
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + interval.total_seconds()
        return timedelta(seconds=turn - now)
