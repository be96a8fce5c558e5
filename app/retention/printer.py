"""Writes a schedule as YAML. Reading what was written gives the same schedule."""

from __future__ import annotations

from typing import Any

import yaml

from app.retention.schedule import (
    Block,
    Classifying,
    Clause,
    Clock,
    Cutoff,
    Forever,
    Rule,
    Schedule,
    Series,
    Several,
    Standing,
    Timed,
    Undefined,
)


def as_yaml(schedule: Schedule) -> str:
    """The schedule in the form in which people write it."""
    written: str = yaml.safe_dump(as_dict(schedule), sort_keys=False, allow_unicode=True, width=110)
    return written


def as_dict(schedule: Schedule) -> dict[str, Any]:
    """The schedule as JSON would hold it: what is left out is not written."""
    return _without_empty(
        {
            "jurisdiction": schedule.jurisdiction,
            "authority": schedule.authority,
            "title": schedule.title,
            "edition": schedule.edition,
        }
    ) | {
        "effective": None if schedule.effective is None else str(schedule.effective),
        "fiscal_year_starts": str(schedule.fiscal_year_starts),
        "waiting_days": schedule.waiting_days,
        "approvals": [str(role) for role in schedule.approvals],
        **_without_empty(
            {
                "authorisation": schedule.authorisation,
                "placeholder": schedule.placeholder,
                "note": schedule.note,
                "events": dict(schedule.events),
            }
        ),
        "series": [_series(one) for one in schedule.series],
        **_without_empty({"classify": [_classifying(one) for one in schedule.classify]}),
    }


def _without_empty(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value not in ("", None, False, [], {})}


def _series(series: Series) -> dict[str, Any]:
    return _without_empty(
        {
            "code": series.code,
            "title": series.title,
            "scope": series.scope,
            "citation": series.citation,
            "source": series.source,
            "verified": series.verified,
            "unconfirmed": series.unconfirmed,
            "status": "" if series.standing is Standing.CURRENT else str(series.standing),
            "code_is_ours": series.ours,
            "note": series.note,
        }
    ) | {"rule": rule_as_dict(series.rule)}


def rule_as_dict(rule: Rule) -> dict[str, Any]:
    """A rule as YAML writes it."""
    match rule:
        case Undefined(why=why):
            return {"undefined": why}
        case Forever(instruction=instruction, clock=clock):
            timed = {} if clock is None else _clock(clock)
            return timed | {"then": "permanent"} | _without_empty({"instruction": instruction})
        case Timed(clock=clock, then=then, instruction=instruction, assigns=assigns):
            more = _without_empty({"instruction": instruction, "assigns": list(assigns)})
            return _clock(clock) | {"then": str(then)} | more


def _clock(clock: Clock) -> dict[str, Any]:
    if isinstance(clock, Several):
        return {str(clock.how): [_clock(part) for part in clock.parts]}
    return _clause(clock)


def _clause(clause: Clause) -> dict[str, Any]:
    begins = {"depends_on": clause.series} if clause.series else {"after": clause.after}
    return begins | _without_empty(
        {
            "keep": None if clause.keep is None else str(clause.keep),
            "cutoff": "" if clause.cutoff is Cutoff.NONE else str(clause.cutoff),
            "anniversary_of": clause.anniversary_of,
            "blocks": None if clause.block is None else _block(clause.block),
            "agency_keep": None if clause.agency_keep is None else str(clause.agency_keep),
            "agency_must_set": clause.agency_must_set,
            "at_most": None if clause.at_most is None else str(clause.at_most),
            "declares": clause.declares,
        }
    )


def _block(block: Block) -> dict[str, int]:
    return {"years": block.years, "from": block.first}


def _classifying(rule: Classifying) -> dict[str, Any]:
    told: dict[str, Any] = {"series": rule.series}
    if rule.when is not None:
        told["when"] = rule.when.text
    if rule.answered is not None:
        told["answered"] = rule.answered
    if rule.incoming is not None:
        told["direction"] = "incoming" if rule.incoming else "outgoing"
    if rule.duplicate is not None:
        told["duplicate"] = rule.duplicate
    return told | {"priority": rule.priority} | _without_empty({"note": rule.note})
