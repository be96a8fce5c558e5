"""How many questions were asked within the last minute. TikTok counts over a sliding one, and says in no answer how many are left."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


class Pace:
    """Counts questions, each kind by itself, for as long as the connection lasts: no count outlives its minute."""

    def __init__(self) -> None:
        self._asked: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def until_free(self, kind: str, most: int, now: datetime) -> timedelta | None:
        """How long to wait before another question of this kind; None where it may be asked at once."""
        asked = self._asked[kind]
        while asked and not now - MINUTE < asked[0]:
            asked.popleft()
        return asked[len(asked) - most] + MINUTE - now if len(asked) >= most else None

    def count(self, kind: str, questions: int, now: datetime) -> None:
        """Note that so many were asked."""
        self._asked[kind].extend([now] * questions)
