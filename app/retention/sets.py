"""Rules answered by the search engine for the whole archive at once, as sets of records.

An engine says yes or no. Where a fact may be missing (a date, an author, a
language), or where the engine has not come as far as the record, the record
is read by itself, and the third answer is given that nobody can tell. What an
engine cannot answer is refused when the schedule is adopted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from app.index import judging
from app.index.engine import Engine, QueryNotSupported, Scope, Sort
from app.index.keys import Keys
from app.index.tree import DateRange, Field, Tree, everything_in
from app.retention.classify import Classification, decided, in_order
from app.retention.editions import InForce
from app.retention.known import Row
from app.retention.lines import Problem
from app.retention.meeting import Met, every
from app.retention.schedule import Classifying, Schedule
from app.retention.schedules import BadSchedule

_REMEDY = "Ask for words, dates, author, page, platform, kind, state, language or origin; or write answered:, direction: or duplicate:."
_MEMBER = (1, 2, 4, 8, 16, 32, 64, 128)
T: TypeAlias = tuple[str | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the rules in force ask, the greatest priority first, and which facts may be missing for it."""

    rules: tuple[Classifying, ...]
    dates: bool
    authors: bool
    languages: bool
    answers: bool
    duplicates: bool


def asked_of(editions: InForce) -> Asked:
    """What the rules of these editions ask."""
    rules = tuple(in_order(editions))
    parts = [part for rule in rules if rule.when is not None for part in everything_in(rule.when.tree)]
    fields = {part.name for part in parts if isinstance(part, Field)}
    return Asked(
        rules=rules,
        dates=any(isinstance(part, DateRange) for part in parts),
        authors="author" in fields,
        languages="lang" in fields,
        answers=any(rule.answered is not None for rule in rules),
        duplicates=any(rule.duplicate is not None for rule in rules),
    )


@dataclass(slots=True)
class RuleSets:
    """Which records meet the question of each rule, as of the entries that the index has seen."""

    asked: Asked
    seen: int
    held: Mapping[int, bytes]
    """By priority: one bit for each key."""
    late: frozenset[int] = frozenset()
    """Records with a version that the index has not seen."""
    size: int = 0
    """How many entries the ledger had when that was looked for."""
    _memo: dict[tuple[Any, ...], Classification] = field(default_factory=dict)

    @classmethod
    def ask(cls, engine: Engine, asked: Asked, zone: ZoneInfo) -> RuleSets:
        """Ask the engine every question once. Private messages are classified like everything else."""
        position = engine.position()
        scope = Scope(zone, messages=True)
        held = {
            rule.priority: _bits(Keys.of(engine.ask(rule.when.tree, scope).every(Sort.CAPTURED)))
            for rule in asked.rules
            if rule.when is not None
        }
        return cls(asked, -1 if position is None else position.entry, held)

    def cannot_tell(self, row: Row) -> bool:
        """Whether a record must be read by itself, because a fact is missing or the index has not come so far."""
        asks = self.asked
        return bool(
            row.key in self.late
            or (asks.dates and row.published_at is None)
            or (asks.authors and not row.authored)
            or (asks.languages and not row.spoken)
        )

    def place(
        self,
        key: int,
        incoming: bool | None,
        answered: bool | None,
        *,
        duplicate: bool,
        place_of: Callable[[Classification], T],
    ) -> T:
        """Where the rules put a record of which nothing that they ask is missing but who sent and who answered it."""
        place, bit = key >> 3, _MEMBER[key & 7]
        hits = tuple(place < len(held) and bool(held[place] & bit) for held in self.held.values())
        known = (hits, incoming, answered, duplicate)
        found = self._memo.get(known)
        if found is None:
            met = dict(zip(self.held, hits, strict=True))
            found = self._memo[known] = decided(
                self.asked.rules,
                lambda rule: (_meets(rule, met, incoming, answered, duplicate=duplicate), ""),
                thorough=False,
            )
        return place_of(found)


def _meets(
    rule: Classifying,
    met: Mapping[int, bool],
    incoming: bool | None,
    answered: bool | None,
    *,
    duplicate: bool,
) -> Met:
    parts = []
    if rule.answered is not None:
        parts.append(Met.of(None if answered is None else answered == rule.answered))
    if rule.incoming is not None:
        parts.append(Met.of(None if incoming is None else incoming == rule.incoming))
    if rule.duplicate is not None:
        parts.append(Met.of(duplicate == rule.duplicate))
    if rule.when is not None:
        parts.append(Met.of(met[rule.priority]))
    return every(parts)


def _bits(keys: Keys) -> bytes:
    return keys.bits.to_bytes((keys.bits.bit_length() + 7) // 8, "little")


# -- what engines cannot answer ----------------------------------------------------------------------------


def must_be_answerable(schedule: Schedule, engine: Engine | None, zone: ZoneInfo) -> None:
    """Raise `BadSchedule`, with the line of each rule whose question no engine answers, or this one does not."""
    problems = []
    for rule in schedule.classify:
        if rule.when is None:
            continue
        try:
            _must_answer(rule.when.tree, engine, zone)
        except QueryNotSupported as error:
            problems.append(Problem(rule.line, f"when: {error}", _REMEDY))
    if problems:
        raise BadSchedule(schedule.file or "schedule", problems)


def _must_answer(tree: Tree, engine: Engine | None, zone: ZoneInfo) -> None:
    for part in everything_in(tree):
        if isinstance(part, Field) and part.name in ("tag", "series", "hold"):
            raise QueryNotSupported(
                f"{part.name}:{part.value}",
                "it changes without a capture, and says nothing of what a record is",
            )
    judging.must_be_known(tree)
    if engine is not None:
        engine.ask(tree, Scope(zone, messages=True))
