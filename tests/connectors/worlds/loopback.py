"""The evidence client, allowed to ask this machine, with a clock that stands and pauses that take no time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from app.records.clock import FixedClock
from connectors.http import EvidenceClient

ALLOWED = ("127.0.0.1", "localhost")


class Passing:
    """Time as the client feels it: it passes only by waiting, and waiting is instant."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, pause: timedelta) -> None:
        self.seconds += pause.total_seconds()


def evidence_client(
    secrets: Mapping[str, str] | None = None, now: datetime = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
) -> EvidenceClient:
    """A client for one page on loopback."""
    passing = Passing()
    return EvidenceClient(
        clock=FixedClock(now),
        monotonic=passing.monotonic,
        wait=passing.wait,
        contact="records@town.example",
        secrets=secrets,
        allow_hosts=ALLOWED,
    )
