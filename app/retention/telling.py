"""Says a decision and a classification to people and programs: what, until when, since which event, and what is missing.

The ids of holds are not told here: who may know of a matter is for the doors
to decide.
"""

from __future__ import annotations

from typing import Any

from app.retention.classify import Assigned, Classification, Classified, Lost, Unclassified
from app.retention.decide import (
    Combined,
    Decision,
    Eligible,
    Grounds,
    Held,
    Keep,
    KeepUntil,
    Permanent,
    Reckoning,
    Review,
)
from app.retention.preview import Ruling, kind
from app.retention.schedule import Classifying, How, Then, sentence

_ACTS = {
    Then.DESTROY: "be destroyed",
    Then.TRANSFER: "be transferred",
    Then.REVIEW: "be reviewed",
    Then.PERMANENT: "stay",
}


def headline(decision: Decision) -> str:
    """The decision in one sentence."""
    match decision:
        case Held(otherwise=otherwise):
            return f"Held: it is kept whatever its schedule says. Without the hold: {headline(otherwise)}"
        case Keep(missing=missing):
            return f"Kept: {'; '.join(one.words for one in missing)}."
        case KeepUntil(until=until, then=then):
            return f"Kept until the end of {until}; after that it may {_ACTS[then]}."
        case Eligible(since=since, then=then):
            return f"Eligible since {since} to {_ACTS[then]}."
        case Review(on=on, due=due):
            return f"{'Due for review since' if due else 'To be reviewed on'} {on}; kept until somebody has."
        case Permanent():
            return "Permanent: it is kept for ever."


def lines(ruling: Ruling) -> list[str]:
    """Everything about one record's retention, as a person reads it."""
    said = [headline(ruling.decision), *_of_classification(ruling.classification)]
    grounds = _grounds(ruling.decision)
    if grounds.edition is not None and grounds.series is not None:
        schedule = grounds.edition.schedule
        said.append(
            f"Series {grounds.series.code}, {grounds.series.title} ({schedule.title}, edition {schedule.edition})."
        )
        said.append(
            f"Authority: {grounds.citation or 'none is cited'}; adopted by {grounds.edition.instrument}."
        )
        said.append(f"The rule: {sentence(schedule, grounds.series.rule)}.")
    if grounds.reckoning is not None:
        said += _of_reckoning(grounds.reckoning, "")
    if grounds.extended_until is not None:
        said.append(f"An officer ordered it kept until {grounds.extended_until}.")
    return [*said, *(f"Note: {notice}." for notice in grounds.notices)]


def as_json(ruling: Ruling) -> dict[str, Any]:
    """The same for programs."""
    decision = ruling.decision
    ruled = decision.otherwise if isinstance(decision, Held) else decision
    grounds = _grounds(decision)
    edition = grounds.edition
    return {
        "decision": kind(decision),
        "held": isinstance(decision, Held),
        "otherwise": kind(ruled) if isinstance(decision, Held) else None,
        "says": headline(decision),
        "until": str(ruled.until) if isinstance(ruled, KeepUntil) else None,
        "since": str(ruled.since) if isinstance(ruled, Eligible) else None,
        "review_on": str(ruled.on) if isinstance(ruled, Review) else None,
        "then": str(ruled.then) if isinstance(ruled, KeepUntil | Eligible) else None,
        "missing": [{"code": one.code, "what": one.words} for one in ruled.missing] if isinstance(ruled, Keep) else [],
        "series": ruling.series or None,
        "title": grounds.series.title if grounds.series else None,
        "citation": grounds.citation or None,
        "schedule": edition.schedule.title if edition else None,
        "edition": edition.schedule.edition if edition else None,
        "authority": edition.schedule.authority if edition else None,
        "instrument": edition.instrument if edition else None,
        "rule": sentence(edition.schedule, grounds.series.rule) if edition and grounds.series else None,
        "clock": None if grounds.reckoning is None else _reckoning_json(grounds.reckoning),
        "extended_until": str(grounds.extended_until) if grounds.extended_until else None,
        "notices": list(grounds.notices),
        "classification": _classification_json(ruling.classification),
    }  # fmt: skip


def _grounds(decision: Decision) -> Grounds:
    return decision.otherwise.grounds if isinstance(decision, Held) else decision.grounds


# -- clocks ------------------------------------------------------------------------------------------------


def _of_reckoning(reckoning: Reckoning, indent: str) -> list[str]:
    if isinstance(reckoning, Combined):
        word = "The latest counts" if reckoning.how is How.ALL else "The earliest counts"
        below = [line for part in reckoning.parts for line in _of_reckoning(part, f"{indent}  ")]
        return [f"{indent}{word}:", *below]
    told = f"{indent}{reckoning.says}"
    if reckoning.missing:
        return [f"{told}: {'; '.join(one.words for one in reckoning.missing)}"]
    started = f"{told}: the clock started on {reckoning.started}"
    if reckoning.cut_off is not None:
        started += f", cut off on {reckoning.cut_off}"
    return [f"{started}, kept until the end of {reckoning.until}"]


def _reckoning_json(reckoning: Reckoning) -> dict[str, Any]:
    if isinstance(reckoning, Combined):
        return {
            "how": str(reckoning.how),
            "until": str(reckoning.until) if reckoning.until else None,
            "parts": [_reckoning_json(part) for part in reckoning.parts],
        }
    return {
        "says": reckoning.says,
        "started": str(reckoning.started) if reckoning.started else None,
        "cut_off": str(reckoning.cut_off) if reckoning.cut_off else None,
        "until": str(reckoning.until) if reckoning.until else None,
        "at_most": str(reckoning.at_most) if reckoning.at_most else None,
        "missing": [{"code": one.code, "what": one.words} for one in reckoning.missing],
    }


# -- classification ----------------------------------------------------------------------------------------


def _of_classification(found: Classification) -> list[str]:
    match found:
        case Assigned(assignment=made, otherwise=otherwise):
            why = f": {made.why}" if made.why else ""
            rules = _of_classification(otherwise)
            return [
                f"{made.by} assigned it to series {made.series}{why}.",
                f"By the rules: {rules[0]}",
                *rules[1:],
            ]
        case Classified(rule=rule, assignment=made, lost=lost):
            return [
                f"The rule of priority {rule.priority} put it into series {made.series}: {made.why}.",
                *_of_lost(lost),
            ]
        case Unclassified(why=why, lost=lost):
            return [f"No series: {why}.", *_of_lost(lost)]


def _of_lost(lost: tuple[Lost, ...]) -> list[str]:
    return [f"  priority {one.rule.priority}, series {one.rule.series}, lost: {one.why}" for one in lost]


def _classification_json(found: Classification) -> dict[str, Any]:
    if isinstance(found, Assigned):
        made = found.assignment
        by_rules = _classification_json(found.otherwise)
        return {
            **by_rules,
            "series": made.series,
            "by": made.by,
            "why": made.why,
            "by_rules": by_rules["series"],
        }
    lost = [{**_rule_json(one.rule), "met": one.met.value, "why": one.why} for one in found.lost]
    if isinstance(found, Unclassified):
        return {"series": None, "by": None, "why": found.why, "won": None, "lost": lost}
    return {
        "series": found.assignment.series,
        "by": found.assignment.by,
        "why": found.assignment.why,
        "won": _rule_json(found.rule),
        "lost": lost,
    }


def _rule_json(rule: Classifying) -> dict[str, Any]:
    return {
        "series": rule.series,
        "priority": rule.priority,
        "when": rule.when.text if rule.when else None,
        "line": rule.line,
    }
