"""Times as platforms write them, read into moments in UTC; what cannot be a moment is none, and never an error."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(written: str | None) -> datetime | None:
    """A time in the form of ISO 8601; one that names no zone is UTC. None where there is none or it cannot be read."""
    try:
        read = datetime.fromisoformat(written or "")
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):  # the first hours of the year 1 are before it in another zone
        return None


def epoch(seconds: float) -> datetime | None:
    """A time in seconds since 1970; None where it is outside of the years that can be told."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
