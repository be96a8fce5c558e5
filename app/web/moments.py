"""Dates and times as people and programs write them."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from app.records.errors import Invalid


class BadMoment(Invalid):
    """This is no date and no date with a time."""

    code = "bad-moment"


def moment_of(text: str | None, zone: ZoneInfo, *, end: bool = False) -> datetime | None:
    """A date (its beginning, or its `end`) or a date with a time; without a zone, the agency's is meant."""
    if text is None or not text.strip():
        return None
    text = text.strip()
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            if end:
                return datetime.combine(day, time.max, zone)
            return datetime.combine(day, time(), zone)
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=zone)
    except ValueError as error:
        raise BadMoment(
            f"{text[:40]!r} is no date and time", next="Write 2026-03-01 or 2026-03-01T12:00:00Z."
        ) from error
