"""Times as people write them in tables: read in a stated form and zone, and never guessed.

Whether 03/04/2026 is in March or in April, the table's maker knows. The form
is stated by the mapping; while reading, it is counted how many times could be
read in the other order too, and how many prove the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.capture.formats.source import Counted, Unreadable

ISO, EPOCH, EPOCH_MS = "iso", "epoch", "epoch_ms"
NAMED = (ISO, EPOCH, EPOCH_MS)
_NOON = datetime(2001, 2, 3, 16, 5, 6, 789000, tzinfo=UTC)


@dataclass(slots=True)
class Noticed:
    """What was noticed about the times of one column."""

    order_open: Counted = field(default_factory=Counted)
    """Could be read with day and month changed about."""
    order_proven: Counted = field(default_factory=Counted)
    days: Counted = field(default_factory=Counted)
    """A day without a time: read as its first moment."""
    twice: Counted = field(default_factory=Counted)
    """The clocks showed it twice, when they were set back: read as the later."""
    skipped: Counted = field(default_factory=Counted)
    """The clocks never showed it, when they were set forward: read as that much later."""


@dataclass(slots=True)
class Times:
    """Reads the times of one column: `forms` in turn, local ones in `zone`."""

    forms: Sequence[str]
    zone: ZoneInfo | None
    noticed: Noticed = field(default_factory=Noticed)

    def read(self, value: object, place: str) -> datetime:
        """The moment that `value` names, or `Unreadable`."""
        match value:
            case datetime():
                return self._local(value, place)
            case date():
                self.noticed.days.add(place)
                return self._local(datetime.combine(value, time()), place)
            case time() | timedelta():
                raise Unreadable(f"{value} is a time without a day")
            case _:
                return self._written(str(value).strip(), place)

    def _written(self, text: str, place: str) -> datetime:
        for form in self.forms:
            try:
                if form in {EPOCH, EPOCH_MS}:
                    return _epoch(text, 1000 if form == EPOCH_MS else 1)
                moment = datetime.fromisoformat(text) if form == ISO else datetime.strptime(text, form)  # noqa: DTZ007 - its zone is given below
            except (ValueError, OverflowError):
                continue
            self._order(text, form, moment, place)
            if not _tells_time(form, text):
                self.noticed.days.add(place)
            return self._local(moment, place)
        raise Unreadable(f"{text[:60]!r} is not written as {' or '.join(self.forms)}")

    def _order(self, text: str, form: str, moment: datetime, place: str) -> None:
        other = turned(form)
        if other is None:
            return
        try:
            same = datetime.strptime(text, other) == moment  # noqa: DTZ007 - compared with another of the same zone
        except ValueError:
            self.noticed.order_proven.add(place)
            return
        if not same:
            self.noticed.order_open.add(place)

    def _local(self, moment: datetime, place: str) -> datetime:
        if moment.tzinfo is not None:
            return _in_range(moment)
        if self.zone is None:
            raise Unreadable(f"{moment.isoformat()} has no time zone, and the mapping names none")
        later = moment.replace(tzinfo=self.zone, fold=1)
        earlier = moment.replace(tzinfo=self.zone, fold=0)
        if earlier.utcoffset() != later.utcoffset():
            back = _in_range(later).astimezone(self.zone).replace(tzinfo=None) == moment
            (self.noticed.twice if back else self.noticed.skipped).add(place)
            return _in_range(max(earlier, later, key=lambda one: one.astimezone(UTC))).replace(fold=0)
        return _in_range(earlier)


def turned(form: str) -> str | None:
    """The same form with day and month changed about, or None where their order cannot be mistaken."""
    if "%d" not in form or "%m" not in form:
        return None
    if form.startswith("%Y"):
        return None
    return form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


def usable(form: str) -> bool:
    """Whether a form tells a day in full: what it writes, it reads again."""
    if form in NAMED:
        return True
    try:
        again = datetime.strptime(_NOON.strftime(form), form)  # noqa: DTZ007 - a trial of the form
    except ValueError:
        return False
    return again.date() == _NOON.date()


def bears_zone(form: str) -> bool:
    """Whether times in this form always name their zone."""
    return form in {EPOCH, EPOCH_MS} or "%z" in form


def _tells_time(form: str, text: str) -> bool:
    return len(text) > 10 if form == ISO else any(sign in form for sign in ("%H", "%I", "%X", "%c"))


def _epoch(text: str, parts: int) -> datetime:
    number = float(text)
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=number / parts)


def _in_range(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise Unreadable(f"{moment.isoformat()} lies before or after all years") from error
