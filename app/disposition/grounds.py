"""Why a record is on a list, as plain values that are kept: the rule, its clocks, the day since which it is eligible. Pure."""

from __future__ import annotations

from typing import Any

from app.retention.decide import Combined, Eligible, Reckoning
from app.retention.schedule import sentence
from app.retention.telling import headline


def of_decision(decision: Eligible) -> dict[str, Any]:
    """The decision as it is told to whoever approves."""
    grounds = decision.grounds
    edition, series = grounds.edition, grounds.series
    return {
        "says": headline(decision),
        "since": str(decision.since),
        "then": str(decision.then),
        "rule": sentence(edition.schedule, series.rule) if edition and series else "",
        "clock": _clock(grounds.reckoning) if grounds.reckoning is not None else None,
        "assigned_by": grounds.assignment.by if grounds.assignment else "",
        "assigned_why": grounds.assignment.why if grounds.assignment else "",
        "extended_until": str(grounds.extended_until) if grounds.extended_until else None,
        "notices": list(grounds.notices),
    }


def of_order(instrument: str) -> dict[str, Any]:
    """An order's grounds: its instrument, and no clock."""
    return {"says": f"Ordered to be destroyed: {instrument}", "since": None, "then": "destroy", "clock": None}


def lines(ground: dict[str, Any]) -> list[str]:
    """The same for a person."""
    said = [str(ground.get("says", ""))]
    if ground.get("rule"):
        said.append(f"The rule: {ground['rule']}.")
    if ground.get("clock"):
        said += _clock_lines(ground["clock"], "")
    if ground.get("assigned_by"):
        why = f": {ground['assigned_why']}" if ground.get("assigned_why") else ""
        said.append(f"Its series was assigned by {ground['assigned_by']}{why}.")
    return said


def _clock(reckoning: Reckoning) -> dict[str, Any]:
    if isinstance(reckoning, Combined):
        return {
            "how": str(reckoning.how),
            "until": str(reckoning.until) if reckoning.until else None,
            "parts": [_clock(part) for part in reckoning.parts],
        }
    return {
        "says": reckoning.says,
        "started": str(reckoning.started) if reckoning.started else None,
        "cut_off": str(reckoning.cut_off) if reckoning.cut_off else None,
        "until": str(reckoning.until) if reckoning.until else None,
    }


def _clock_lines(clock: dict[str, Any], indent: str) -> list[str]:
    if "parts" in clock:
        word = "the latest counts" if clock["how"] == "all_of" else "the earliest counts"
        below = [line for part in clock["parts"] for line in _clock_lines(part, f"{indent}  ")]
        return [f"{indent}{word}:", *below]
    cut_off = f", cut off on {clock['cut_off']}" if clock.get("cut_off") else ""
    return [
        f"{indent}{clock['says']}: started on {clock['started']}{cut_off}, kept until the end of {clock['until']}"
    ]
