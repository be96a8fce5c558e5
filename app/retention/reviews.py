"""Reviews: which records a person is to look at by now, and that somebody did.

A schedule may end in a review instead of a disposal, and whoever reviews a
record may name the day of the next one, of a permanent record too. Until it is
reviewed nothing happens to it but that it is listed here; after that it is kept
as before, unless the reviewer assigns another series. What is in quarantine is
not listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from app.capture.due import Due
from app.db import Tx
from app.retention import judging, known
from app.retention.decide import Review
from app.retention.known import REVIEW_ON, REVIEWED
from app.retention.preview import NO_SERIES
from app.retention.schedule import Then, Timed
from app.retention.standing import Standing
from app.store import quarantine
from app.store.store import Store
from app.store.tables import records, retention_events

MOST = 1_000
"""So many are named; all are counted."""
_ASK = 500


@dataclass(frozen=True, slots=True)
class DueForReview:
    """A record that is to be reviewed: since when, and into which series a reviewer may put it."""

    record: UUID
    key: int
    series: str
    since: date
    assigns: tuple[str, ...] = ()


@dataclass(slots=True)
class Reviews:
    """What is due for review on a day: how many of each series, and the first of them by name."""

    on: date
    by_series: Counter[str] = field(default_factory=Counter)
    named: list[DueForReview] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.by_series.total()

    def add(self, one: DueForReview, most: int) -> None:
        self.by_series[one.series] += 1
        if len(self.named) < most:
            self.named.append(one)


def due(standing: Standing, tx: Tx, *, messages: bool = True, most: int = MOST) -> Reviews:
    """The records that are due for review today: their series ends in one, or a reviewer named the day."""
    today = standing.today(tx)
    found = Reviews(today.day)
    if today.doubt:  # from a clock that stands wrong nothing is concluded
        return found
    private = frozenset() if messages else frozenset(_private(tx))
    named = _dated(tx)
    judge = standing.judge(tx, today)
    ends_so = [
        series.code
        for edition in judge.editions.editions
        for series in edition.schedule.series
        if isinstance(series.rule, Timed) and series.rule.then is Then.REVIEW
    ]
    for code in sorted(ends_so):
        asked = known.of_series(code).where(quarantine.outside(records.c.key))
        for told, stands in judging.judged(tx, judge, asked):
            done = _reviewed(tx, [row.key for row in told])
            for row in told:
                decision = judge.decide(row, code, stands)
                if row.key in named or row.key in private or not isinstance(decision, Review):
                    continue  # where a reviewer named a day, that day counts
                if decision.due and done.get(row.key, date.min) < decision.on:
                    one = DueForReview(UUID(bytes=row.id), row.key, code, decision.on, decision.assigns)
                    found.add(one, most)
    _add_dated(tx, found, named, private, most)
    return found


def _add_dated(tx: Tx, found: Reviews, named: dict[int, date], private: Collection[int], most: int) -> None:
    come = sorted(key for key, on in named.items() if on <= found.on and key not in private)
    hidden = quarantine.hidden(tx)
    done, rows = _reviewed(tx, come), known.rows(tx, come)
    for key in come:
        if key in rows and key not in hidden and done.get(key, date.min) < named[key]:
            row = rows[key]
            one = DueForReview(UUID(bytes=row.id), key, row.series or NO_SERIES, named[key])
            found.add(one, most)


def _dated(tx: Tx) -> dict[int, date]:
    """For which day a reviewer last named each record's next review."""
    asked = (
        select(retention_events.c.record, retention_events.c.by_on)
        .where(retention_events.c.name == REVIEW_ON, retention_events.c.superseded_entry.is_(None))
        .order_by(retention_events.c.key)
    )
    return {record: date.fromisoformat(by) for record, by in tx.execute(asked)}


def _reviewed(tx: Tx, keys: Sequence[int]) -> dict[int, date]:
    """When each of these records was last reviewed."""
    found: dict[int, date] = {}
    for start in range(0, len(keys), _ASK):
        asked = (
            select(retention_events.c.record, func.max(retention_events.c.by_on))
            .where(
                retention_events.c.record.in_(list(keys[start : start + _ASK])),
                retention_events.c.name == REVIEWED,
                retention_events.c.superseded_entry.is_(None),
            )
            .group_by(retention_events.c.record)
        )
        found |= {record: date.fromisoformat(by) for record, by in tx.execute(asked)}
    return found


def _private(tx: Tx) -> Sequence[int]:
    return tx.execute(select(records.c.key).where(records.c.private)).scalars().all()


def to_do(store: Store, tx: Tx) -> list[Due]:
    """What is due for review, for the overview and the daily letter."""
    found = due(Standing(store), tx, most=0)
    return [
        Due(
            f"Series {code}" if code else "Records without a series",
            "/retention/reviews",
            f"{number:,} record{'' if number == 1 else 's'} {'is' if number == 1 else 'are'} due for review:"
            " muniment retention reviews.",
            urgent=False,
        )
        for code, number in sorted(found.by_series.items())
    ]


def as_json(found: Reviews) -> dict[str, object]:
    """What is due for review, as programs read it."""
    return {
        "on": str(found.on),
        "total": found.total,
        "series": [
            {"series": code or None, "records": number} for code, number in sorted(found.by_series.items())
        ],
        "records": [
            {
                "record": str(one.record),
                "series": one.series or None,
                "since": str(one.since),
                "assigns": list(one.assigns),
            }
            for one in found.named
        ],
    }
