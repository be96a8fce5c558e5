"""Says a proposal to people and programs: the list with its grounds, who approved it, how it stands, what comes next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.disposition import proposals
from app.disposition.approving import authority
from app.disposition.grounds import lines as ground_lines
from app.disposition.proposals import PROPOSED, TRANSFER, Listed, Proposal
from app.disposition.proposing import Eligibles
from app.disposition.refusals import WITHDRAWN_ON_RECHECK
from app.records.clock import iso
from app.store.disposals import WITHDRAWN

Who = Callable[[UUID], str]
"""What somebody is called."""


def as_json(found: Proposal, who: Who) -> dict[str, Any]:
    """A proposal as programs read it; its list is asked for by itself."""
    waits = found.waits_for if found.state == PROPOSED else None
    return {
        "id": str(found.id),
        "kind": found.kind,
        "state": found.state,
        "records": found.shown,
        "stayed": found.stayed,
        "left_out": found.left_out,
        "series": found.series,
        "title": found.detail.get("title", ""),
        "citation": found.detail["citation"],
        "authority": authority(found),
        "edition": found.detail.get("edition"),
        "instrument": found.detail.get("instrument"),
        "on": str(found.on),
        "proposed_by": who(found.by),
        "proposed_at": iso(found.at),
        "why": found.why,
        "chain": [[str(role) for role in step.roles] for step in found.steps],
        "first_step_is_the_proposal": found.proposed_first_step,
        "waits_for": [str(role) for role in waits.roles] if waits else None,
        "demands": found.detail.get("demands") or None,
        "approvals": [
            {
                "by": who(one.officer),
                "role": str(one.role),
                "at": iso(one.at),
                "why": one.why,
                "instrument": one.instrument or None,
                "counts": one.counts,
                "entry": one.entry,
            }
            for one in found.approvals
        ],
        "waiting_days": found.waiting_days,
        "opens_on": str(found.opens_on) if found.opens_on else None,
        "transfer": None
        if found.transfer is None
        else {
            "bag_sha256": found.transfer.bag.hex(),
            "records": found.transfer.records,
            "receipt_sha256": found.transfer.receipt.hex() if found.transfer.receipt else None,
        },
        "disposed": proposals.destroyed(found.batch),
        "excluded": found.batch.number(WITHDRAWN) if found.batch else 0,
        "final": found.final,
        "entry": found.entry,
    }


BECAME = {
    "authorised": "approved",
    "destroyed": "disposed of, and being verified",
    "verified": "disposed of",
    WITHDRAWN: WITHDRAWN_ON_RECHECK.replace("_", " "),
}


def became(one: Listed) -> str:
    """What became of a record of a list, in words; empty while it waits for its approvals."""
    if one.left_out:
        return "left out"
    return BECAME.get(one.became or "", one.became or "")


def of_listed(one: Listed) -> str:
    """A record of a list for a person at a terminal."""
    ground = ground_lines(dict(one.grounds))[0] if one.grounds else ""
    return "  ".join(filter(None, [str(one.id), became(one), ground]))


def listed_json(one: Listed) -> dict[str, Any]:
    """A record of a list."""
    return {
        "record": str(one.id),
        "left_out": one.left_out,
        "became": None
        if one.became is None
        else WITHDRAWN_ON_RECHECK
        if one.became == WITHDRAWN
        else one.became,
        "grounds": dict(one.grounds),
    }


def preview_json(found: Eligibles) -> dict[str, Any]:
    """What would be proposed."""
    return {
        "series": found.series.code,
        "title": found.series.title,
        "citation": found.series.citation,
        "edition": found.edition.schedule.edition,
        "on": str(found.on),
        "then": str(found.then),
        "records": len(found.keys),
        "stayed": found.stayed,
        "more": found.more,
        "grounds": found.grounds,
    }


def lines(found: Proposal, who: Who, zone: ZoneInfo) -> list[str]:
    """A proposal for a person at a terminal, with the days of the agency's time zone."""
    told = [
        f"{found.kind} {found.id}: {found.state}",
        f"Series {found.series} {found.detail.get('title', '')}".rstrip() + f", {found.detail['citation']}",
        f"{found.shown:,} records on the list; {found.stayed:,} whose day has come stay",
        *([f"{found.left_out:,} left out by name"] if found.left_out else []),
        f"Proposed by {who(found.by)} on {found.at.astimezone(zone):%Y-%m-%d}: {found.why}",
    ]
    told += [
        f"Approved by {who(one.officer)} as {str(one.role).replace('_', ' ')}: {one.why}"
        + (f" ({one.instrument})" if one.instrument else "")
        + ("" if one.counts else "; the list changed since, and this counts no more")
        for one in found.approvals
    ]
    return [*told, next_step(found)]


def next_step(found: Proposal) -> str:
    """What comes next, in a sentence."""
    match found.state:
        case "proposed":
            step = found.waits_for
            return f"It waits for the approval of: {step.words() if step else 'nobody'}."
        case "approved" if found.kind == TRANSFER and found.transfer is None:
            return (
                f"Approved; open from {found.opens_on} on. Next it is packed: muniment disposition transfer."
            )
        case "approved" if found.kind == TRANSFER and found.transfer and found.transfer.receipt is None:
            return "Packed. Next the archives' receipt is taken down: muniment disposition accept."
        case "approved":
            return f"Approved; it may be executed from {found.opens_on} on."
        case "executing":
            return "It was broken off, and goes on where it stopped when it is executed again."
        case "executed":
            standing = "final" if found.final else "executed"
            number = proposals.destroyed(found.batch)
            if not number:
                return "Everything on its list stayed; nothing was disposed of."
            gone = "One record was" if number == 1 else f"{number:,} records were"
            return f"{gone} disposed of; its certificate is {standing}."
        case _:
            return "It is at its end; its records may be proposed again."


def of_preview(found: Eligibles) -> list[str]:
    """What would be proposed, for a person."""
    more = "; there may be more" if found.more else ""
    told = [
        f"{len(found.keys):,} records of series {found.series.code} may be proposed ({found.then}){more}",
        f"{found.stayed:,} whose day has come stay",
        f"Citation: {found.series.citation}",
    ]
    return [*told, *(f"  {line}" for ground in found.grounds[:10] for line in ground_lines(ground))]
