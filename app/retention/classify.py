"""Puts a record into one series by the rules of the schedules in force, and explains it. Pure.

The rule of the greatest priority that is met wins. A rule that cannot be told
apart from met, with a fact missing, stops the search: a lower rule might put
into a shorter series what belongs to a longer one. The record then has no
series, and is kept until the fact is known or an officer assigns one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.retention.editions import InForce
from app.retention.facts import Assignment
from app.retention.meeting import Described, Met, every, lacking, meets
from app.retention.schedule import Classifying

BY_RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A rule that did not win, and why."""

    rule: Classifying
    met: Met
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """A rule won."""

    assignment: Assignment
    rule: Classifying
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclassified:
    """No rule won: the record has no series, and is kept."""

    why: str
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """An officer decided; `otherwise` is what the rules would have said."""

    assignment: Assignment
    otherwise: Classified | Unclassified


Classification: TypeAlias = Classified | Unclassified | Assigned


def classify(
    record: Described, editions: InForce, assigned: Assignment | None = None, *, thorough: bool = True
) -> Classification:
    """The series of a record, the rule that won and those that lost.

    An officer's assignment outranks the rules. Without `thorough`, rules
    behind the winner are not read: the answer is the same, and says less.
    """
    found = _by_rules(record, editions, thorough=thorough)
    return found if assigned is None else Assigned(assignment=assigned, otherwise=found)


def assignment_of(classification: Classification) -> Assignment | None:
    """The assignment, or None where there is none."""
    return None if isinstance(classification, Unclassified) else classification.assignment


def _by_rules(record: Described, editions: InForce, *, thorough: bool) -> Classified | Unclassified:
    return decided(in_order(editions), lambda rule: _read(rule, record), thorough=thorough)


def decided(
    rules: Sequence[Classifying], read: Callable[[Classifying], tuple[Met, str]], *, thorough: bool
) -> Classified | Unclassified:
    """Which of the rules, the greatest priority first, wins; `read` says of each whether it is met, and if not, why."""
    lost: list[Lost] = []
    undecided: list[Classifying] = []
    winner: Classifying | None = None
    for rule in rules:
        if winner is not None and not thorough:
            break
        met, why = read(rule)
        if winner is not None:
            after = f"comes after priority {winner.priority}" if met is Met.YES else why
            lost.append(Lost(rule=rule, met=met, why=after))
        elif met is Met.YES and all(one.series == rule.series for one in undecided):
            winner = rule
        elif met is Met.YES:
            lost.append(
                Lost(
                    rule=rule,
                    met=met,
                    why=f"priority {undecided[0].priority} comes before it, and cannot be told",
                )
            )
        else:
            lost.append(Lost(rule=rule, met=met, why=why))
            undecided += [rule] * (met is Met.UNKNOWN)
    if winner is not None:
        made = Assignment(series=winner.series, by=BY_RULE, why=asks(winner))
        return Classified(assignment=made, rule=winner, lost=tuple(lost))
    if undecided:
        why = f"whether it belongs to series {undecided[0].series} cannot be told"
    else:
        why = "no rule is met" if lost else "no schedule in force has a rule"
    return Unclassified(why=why, lost=tuple(lost))


def in_order(editions: InForce) -> list[Classifying]:
    """The rules of the editions in force, the greatest priority first."""
    rules = [rule for edition in editions.editions for rule in edition.schedule.classify]
    return sorted(rules, key=lambda rule: -rule.priority)


def _read(rule: Classifying, record: Described) -> tuple[Met, str]:
    """Whether a rule is met, and if not, what is missing."""
    told = list(_parts(rule, record))
    met = every(part for part, _ in told)
    return met, "" if met is Met.YES else next(why for part, why in told if part is met)


def _parts(rule: Classifying, record: Described) -> Iterator[tuple[Met, str]]:
    if rule.answered is not None:
        met = Met.of(None if record.answered is None else record.answered == rule.answered)
        yield met, _says(met, "the agency answered it" if rule.answered else "the agency did not answer it")
    if rule.incoming is not None:
        met = Met.of(None if record.incoming is None else record.incoming == rule.incoming)
        yield met, _says(met, "the public sent it" if rule.incoming else "the agency published it")
    if rule.duplicate is not None:
        met = Met.of(record.duplicate == rule.duplicate)
        yield met, _says(met, "it is a duplicate" if rule.duplicate else "it is no duplicate")
    if rule.when is not None:
        met = meets(rule.when.tree, record)
        yield met, _says(met, lacking(rule.when.tree, record))


def _says(met: Met, asked: str) -> str:
    return f"cannot be told: {asked}" if met is Met.UNKNOWN else f"not so: {asked}"


def asks(rule: Classifying) -> str:
    """What a rule asks, in one line."""
    asked = []
    if rule.when is not None:
        asked.append(rule.when.text)
    if rule.answered is not None:
        asked.append("answered" if rule.answered else "not answered")
    if rule.incoming is not None:
        asked.append("incoming" if rule.incoming else "outgoing")
    if rule.duplicate is not None:
        asked.append("duplicate" if rule.duplicate else "no duplicate")
    return ", ".join(asked)
