"""The published JSON Schema of a schedule, made from what the reader knows.

Editors complete and check a schedule by it while it is written. The reader
stays the judge: it also knows what names one another, and what a question of
the query language may ask.
"""

from __future__ import annotations

from typing import Any

from app.retention.schedule import EVENTS, Cutoff, Standing, Then
from app.retention.schedules import (
    APPROVERS,
    BLOCK_KEYS,
    CLASSIFY_KEYS,
    CLAUSE_KEYS,
    DIRECTIONS,
    EVENT_NAME,
    FEWEST_APPROVALS,
    JURISDICTION,
    LONGEST_CODE,
    MOST_APPROVALS,
    MOST_DAYS,
    MOST_PRIORITY,
    REQUIRED_KEYS,
    REQUIRED_SERIES_KEYS,
    RULE_KEYS,
    SCHEDULE_KEYS,
    SERIES_KEYS,
)

_TEXT = {"type": ["string", "integer"], "minLength": 1}
_PERIOD = {
    "type": "string",
    "pattern": "^P(?!$)([0-9]+Y)?([0-9]+M)?([0-9]+D)?$|^P[0-9]+W$",
    "description": "An ISO 8601 period of whole years, months, weeks or days: P3Y, P90D.",
}
_DESCRIBED = {
    "jurisdiction": {"type": "string", "pattern": f"^{JURISDICTION}$", "description": "Where it applies: us-ak-juneau."},
    "authority": {**_TEXT, "description": "Who made the schedule."},
    "title": _TEXT,
    "edition": _TEXT,
    "effective": {
        "type": ["string", "null"],
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "description": "The day from which the edition applies; null where its copy does not say.",
    },
    "fiscal_year_starts": {"type": "string", "pattern": "^[0-9]{2}-[0-9]{2}$"},
    "waiting_days": {
        "type": "integer",
        "minimum": 0,
        "maximum": MOST_DAYS,
        "description": "Days between the last approval and execution.",
    },
    "approvals": {
        "type": "array",
        "items": {"enum": [str(role) for role in APPROVERS]},
        "minItems": FEWEST_APPROVALS,
        "maxItems": MOST_APPROVALS,
        "description": "Who approves a disposition, in this order; never the same person twice.",
    },
    "authorisation": {**_TEXT, "description": "The instrument that must be at hand before anything is disposed of."},
    "placeholder": {**_TEXT, "description": "Why this is no schedule yet. It cannot be adopted; everything is kept."},
    "note": _TEXT,
    "events": {
        "type": "object",
        "propertyNames": {"pattern": f"^{EVENT_NAME}$"},
        "additionalProperties": _TEXT,
        "description": "Events of this schedule's own, each with what happened: the court's decision became final.",
    },
    "series": {"type": "array", "items": {"$ref": "#/$defs/series"}},
    "classify": {"type": "array", "items": {"$ref": "#/$defs/classify"}},
}  # fmt: skip
_SERIES = {
    "code": {**_TEXT, "maxLength": LONGEST_CODE, "pattern": "^[^\\t\\r\\n]*$"},
    "title": _TEXT,
    "scope": _TEXT,
    "citation": {**_TEXT, "description": "The authority for the rule. Without one nothing is disposed of."},
    "source": {**_TEXT, "description": "Where its words were read."},
    "verified": {"type": "boolean", "description": "Whether title and period were read there. Unverified retains."},
    "unconfirmed": {**_TEXT, "description": "What of the rule was inferred. While something is, nothing is disposed of."},
    "status": {"enum": [str(one) for one in Standing]},
    "code_is_ours": {"type": "boolean", "description": "The authority gives no number."},
    "note": _TEXT,
    "rule": {"$ref": "#/$defs/rule"},
}  # fmt: skip
_EVENT = {
    "type": "string",
    "pattern": f"^{EVENT_NAME}$",
    "description": f"One of {', '.join(EVENTS)}, or an event of the schedule's own.",
}
_CLAUSE: dict[str, Any] = {
    "after": _EVENT,
    "depends_on": {**_TEXT, "description": "The clock starts when the records of that series were disposed of."},
    "keep": _PERIOD,
    "cutoff": {"enum": [str(one) for one in Cutoff]},
    "anniversary_of": _EVENT,
    "blocks": {
        "type": "object",
        "properties": {
            "years": {"type": "integer", "minimum": 1, "maximum": 100},
            "from": {"type": "integer", "minimum": 1, "maximum": 9000},
        },
        "required": list(BLOCK_KEYS),
        "additionalProperties": False,
        "description": "Years that leave together; one block begins with the year from.",
    },
    "agency_keep": {**_PERIOD, "description": "The agency's own period; the longer counts."},
    "agency_must_set": {
        "type": "boolean",
        "description": "The agency must set agency_keep; until then nothing is disposed of.",
    },
    "at_most": {**_PERIOD, "description": "No longer than. It is told to people and disposes of nothing."},
    "declares": {**_TEXT, "description": "What an officer declares and signs; with after: declared."},
    "all_of": {"type": "array", "items": {"$ref": "#/$defs/clock"}, "minItems": 1, "description": "The latest counts."},
    "any_of": {"type": "array", "items": {"$ref": "#/$defs/clock"}, "minItems": 1, "description": "The earliest counts."},
}  # fmt: skip
_RULE = {
    **_CLAUSE,
    "then": {"enum": [str(one) for one in Then]},
    "instruction": {**_TEXT, "description": "How it is done: appraisal, sampling, weeding."},
    "assigns": {"type": "array", "items": _TEXT, "minItems": 1, "description": "The series of which a review assigns one."},
    "undefined": {**_TEXT, "description": "Why no period is known. It never disposes."},
}  # fmt: skip
_CLASSIFY = {
    "series": _TEXT,
    "when": {**_TEXT, "description": "A question of the query language about what a record is."},
    "answered": {"type": "boolean", "description": "Whether the agency answered it."},
    "direction": {"enum": list(DIRECTIONS)},
    "duplicate": {
        "type": "boolean",
        "description": "Whether an officer found that the same is kept elsewhere as the record.",
    },
    "priority": {
        "type": "integer",
        "minimum": 0,
        "maximum": MOST_PRIORITY,
        "description": "The greater is looked at first; no two are equal.",
    },
    "note": _TEXT,
}
_STARTS: list[dict[str, Any]] = [{"required": [key]} for key in ("after", "depends_on", "all_of", "any_of")]


def make() -> dict[str, Any]:
    """The schema, as `retention_schedules/schedule.schema.json` holds it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "schedule.schema.json",
        "title": "A retention schedule",
        **_object(_DESCRIBED, SCHEDULE_KEYS, REQUIRED_KEYS),
        "$defs": {
            "series": _object(_SERIES, SERIES_KEYS, REQUIRED_SERIES_KEYS),
            "rule": {
                **_object(_RULE, RULE_KEYS, ()),
                "oneOf": [
                    {"required": ["undefined"], "maxProperties": 1},
                    {"required": ["then"], "properties": {"then": {"const": "permanent"}}},
                    {"required": ["then"], "properties": {"then": {"not": {"const": "permanent"}}}, "oneOf": _STARTS},
                ],
            },
            "clock": {**_object(_CLAUSE, CLAUSE_KEYS, ()), "oneOf": _STARTS},
            "classify": {
                **_object(_CLASSIFY, CLASSIFY_KEYS, ("series", "priority")),
                "anyOf": [{"required": [key]} for key in ("when", "answered", "direction", "duplicate")],
            },
        },
    }  # fmt: skip


def _object(described: dict[str, Any], keys: tuple[str, ...], required: tuple[str, ...]) -> dict[str, Any]:
    """A mapping of exactly `keys`: one that is not described here is a fault of ours, and is found at once."""
    assert set(described) == set(keys), set(described) ^ set(keys)
    return {
        "type": "object",
        "properties": {key: described[key] for key in keys},
        "required": list(required),
        "additionalProperties": False,
    }
