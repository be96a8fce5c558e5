"""What an officer should know of a schedule that can be read: where it keeps what one might think it disposes of. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.retention.lines import Problem
from app.retention.schedule import (
    Forever,
    Schedule,
    Series,
    Standing,
    Timed,
    Undefined,
    clauses,
)


def remarks(schedule: Schedule) -> list[Problem]:
    """What is no mistake and may surprise, each with its line."""
    return list(_remarks(schedule))


def _remarks(schedule: Schedule) -> Iterator[Problem]:
    if schedule.placeholder:
        yield Problem(1, f"a placeholder, which cannot be adopted: {schedule.placeholder}")
    elif schedule.effective is None:
        yield Problem(
            1, "the edition does not say from when it applies; it will from the day of its adoption"
        )
    for series in schedule.series:
        for words in _of_series(series):
            yield Problem(series.line, f"{series.code} {words}")
    if schedule.series and not schedule.classify and not schedule.placeholder:
        yield Problem(1, "no rule classifies records: each is kept until an officer assigns it to a series")
    for rule in schedule.classify:
        for note in rule.when.notes if rule.when is not None else ():
            yield Problem(rule.line, note)


def _of_series(series: Series) -> Iterator[str]:
    if not series.verified:
        yield "is not verified: nothing under it is disposed of"
    if series.unconfirmed:
        yield f"is not confirmed, and nothing under it is disposed of: {series.unconfirmed}"
    if series.standing is not Standing.CURRENT:
        yield f"is {series.standing}: nothing under it is disposed of"
    if not series.citation:
        yield "cites no authority: nothing under it is disposed of"
    match series.rule:
        case Undefined(why=why):
            yield f"has no period: {why}"
        case Forever(clock=clock) if clock is not None:
            yield "is permanent: the clock that is written with it ends nothing"
        case Timed(clock=clock):
            for undefined in dict.fromkeys(clause.undefined for clause in clauses(clock)):
                if undefined:
                    yield f"never ends: {undefined}"
        case Forever():
            pass
