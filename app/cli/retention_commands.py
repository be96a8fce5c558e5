"""Retention schedules: reading them before they are adopted."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from app.cli.answer import Answer
from app.retention import schedules
from app.retention.remarks import remarks
from app.retention.schedule import Schedule, sentence
from app.retention.schedules import BadSchedule

INVALID = 2


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    schedule = commands.add_parser("schedule", help="retention schedules").add_subparsers(
        dest="schedule", required=True, metavar="ACT"
    )
    check = schedule.add_parser(
        "check",
        parents=[common],
        help="read schedules and tell everything that is wrong in them; needs no archive",
    )
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.set_defaults(run=_check)


def _check(asked: argparse.Namespace) -> Answer:
    """Every file is read, so that one mistake does not hide those of the next."""
    told: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    refused: list[BadSchedule] = []
    lines: list[str] = []
    for file in asked.files:
        try:
            schedule = schedules.load(file)
        except BadSchedule as bad:
            refused.append(bad)
            found = [_problem(bad, place) for place in range(len(bad.problems))]
            errors += found
            told.append({"file": str(file), "valid": False, "errors": found})
            lines += [f"{one['file']}:{one['line']}: {one['message']}\n    {one['remedy']}" for one in found]
        else:
            told.append(_shown(file, schedule))
            lines += _lines(file, schedule)
    value: dict[str, Any] = {"valid": not errors, "files": told, "errors": errors}
    if refused:  # in the shape of every other refusal, the first one
        first = refused[0]
        value["error"] = {"code": first.code, "message": str(first), "next": first.next}
    return Answer(value, lines, INVALID if errors else 0)


def _problem(bad: BadSchedule, place: int) -> dict[str, Any]:
    one = bad.problems[place]
    return {"code": bad.code, "file": bad.file, "line": one.line, "message": one.what, "remedy": one.remedy}


def _shown(file: Path, schedule: Schedule) -> dict[str, Any]:
    return {
        "file": str(file),
        "valid": True,
        "errors": [],
        "jurisdiction": schedule.jurisdiction,
        "authority": schedule.authority,
        "title": schedule.title,
        "edition": schedule.edition,
        "effective": str(schedule.effective) if schedule.effective else None,
        "placeholder": schedule.placeholder or None,
        "series": [
            {
                "code": one.code,
                "title": one.title,
                "verified": one.verified,
                "rule": sentence(schedule, one.rule),
                "line": one.line,
            }
            for one in schedule.series
        ],
        "rules": len(schedule.classify),
        "notes": [{"line": one.line, "message": one.what} for one in remarks(schedule)],
    }


def _lines(file: Path, schedule: Schedule) -> list[str]:
    verified = Counter(one.verified for one in schedule.series)
    head = (
        f"{file}: {schedule.title}, edition {schedule.edition} ({schedule.authority}): "
        f"{len(schedule.series)} series, {verified[True]} verified, "
        f"{len(schedule.classify)} rule{'s' * (len(schedule.classify) != 1)} of classification"
    )
    series = [f"  {one.code}  {one.title}: {sentence(schedule, one.rule)}" for one in schedule.series]
    return [head, *series, *(f"{file}:{one.line}: note: {one.what}" for one in remarks(schedule))]
