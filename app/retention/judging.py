"""Decides for many records at once: rows stream through, and what decides alike is decided once.

A decision depends on the series, the days of its events and nothing else, so
that an archive of a million records has a few thousand different ones. Rows
are read in parts, and nothing is kept of them but the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select

from app.db import Tx
from app.retention import known
from app.retention.decide import Decision, decide
from app.retention.editions import InForce
from app.retention.facts import Assignment, Event, Facts, Today
from app.retention.known import ACTIONS, LAST_ACTION, OF_VERSIONS, Row
from app.retention.schedule import FIRST_SEEN, PUBLISHED, Timed, clauses

PART = 10_000
"""Rows that are held at a time."""
MOST = 200_000
"""Answers that are remembered; beyond, they are forgotten and given anew."""
_PLAIN = frozenset({PUBLISHED})


class Judged(NamedTuple):
    """A record with its series and what is decided of it."""

    row: Row
    series: str | None
    decision: Decision


@dataclass(slots=True)
class Judge:
    """Decides under certain editions on one day; the same facts always get the same answer.

    `held` says that somebody looked for holds and found none: a preview. Whoever
    disposes asks `Standing.decisions` instead, with the holds.
    """

    editions: InForce
    today: Today
    zone: ZoneInfo
    pages: Mapping[int, str]
    whole: tuple[Event, ...] = ()
    day: Callable[[int], date] = field(init=False)
    _needs: dict[str | None, frozenset[str]] = field(default_factory=dict)
    _answers: dict[tuple[Any, ...], Decision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.day = known.days(self.zone)

    def needs(self, series: str | None) -> frozenset[str]:
        """The events on which the decision for a series can depend."""
        found = self._needs.get(series)
        if found is None:
            found = self._needs[series] = _events_of(self.editions, series)
        return found

    def wants_versions(self, row: Row) -> bool:
        """Whether the rule of a record's series asks for what versions say."""
        return not self.needs(row.series).isdisjoint(OF_VERSIONS)

    def decide(self, row: Row, series: str | None, stands: known.Beside) -> Decision:
        """What is decided of a record, as if it were of `series`."""
        key = self._known_by(row, series, stands)
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= MOST:
                self._answers.clear()
            found = self._answers[key] = self._decided(row, series, stands)
        return found

    def _known_by(self, row: Row, series: str | None, stands: known.Beside) -> tuple[Any, ...]:
        """Everything on which the decision can depend."""
        needs, day = self.needs(series), self.day
        until = stands.until.get(row.key) if stands.until else None
        if not needs:
            return series, until
        published = None if row.published_at is None else day(row.published_at)
        if needs is _PLAIN:
            return series, until, published
        told = tuple(
            event for event in stands.events.get(row.key, ()) if event.name in needs or event.name in ACTIONS
        )
        versions = stands.versions.get(row.key)
        if versions is None:
            return series, until, published, day(row.first_seen), told
        said = tuple(known.of_versions(versions, day))
        last = max((day(version.observed_at) for version in versions[1:]), default=None)
        return series, until, published, day(row.first_seen), told, said, last

    def _decided(self, row: Row, series: str | None, stands: known.Beside) -> Decision:
        facts = known.facts_of(row, stands, self.day, self.pages.get(row.page, ""), self.whole)
        made = None if series is None else Assignment(series=series, by="rule")
        return decide(facts, made, self.editions, holds=False, today=self.today)

    def facts(self, row: Row, stands: known.Beside) -> Facts:
        """Everything that is known of a record."""
        return known.facts_of(row, stands, self.day, self.pages.get(row.page, ""), self.whole)


def judged(
    tx: Tx, judge: Judge, asked: Select[Any] | None = None, *, after: int = 0, part: int = PART
) -> Iterator[tuple[list[Row], known.Beside]]:
    """The living records behind key `after` in the order of keys, in parts, with what stands beside them.

    Unless something else is `asked`, those in quarantine are left out.
    """
    wanted = known.shown() if asked is None else asked
    spans = asked is None
    while True:
        told = known.read(tx, wanted, after=after, limit=part)
        if not told:
            return
        yield told, known.beside(tx, told, with_versions=judge.wants_versions, spans=spans)
        after = told[-1].key


def every(tx: Tx, judge: Judge, asked: Select[Any] | None = None, *, after: int = 0) -> Iterator[Judged]:
    """Each living record with its decision."""
    for told, stands in judged(tx, judge, asked, after=after):
        for row in told:
            series = row.series
            yield Judged(row, series, judge.decide(row, series, stands))


def identity(row: Row) -> str:
    """The id of a record as the doors give it."""
    return str(UUID(bytes=row.id))


def _events_of(editions: InForce, series: str | None) -> frozenset[str]:
    found = None if series is None else editions.series(series)
    if found is None or not isinstance(found[1].rule, Timed):
        return frozenset()
    told = list(clauses(found[1].rule.clock))
    names = {clause.after for clause in told} | {one.anniversary_of for one in told if one.anniversary_of}
    if names == {PUBLISHED}:
        return _PLAIN
    return frozenset(names | {PUBLISHED, FIRST_SEEN} | ({LAST_ACTION} & names))
