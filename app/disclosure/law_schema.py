"""The published JSON Schema of a law's file, made from the forms that the reader goes by.

Editors complete and check a file by it while it is written. The reader stays
the judge: it also knows what names one another.
"""

from __future__ import annotations

from typing import Any

from app.disclosure.law import EVENTS
from app.disclosure.reading import FORMS, MOST, NAME, WORD, Form, Key

_TEXT: dict[str, Any] = {"type": ["string", "integer"], "minLength": 1}


def make() -> dict[str, Any]:
    """The schema, as `laws/law.schema.json` holds it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "law.schema.json",
        "title": "A public-records law",
        **_object(FORMS["law"]),
        "$defs": {name: _object(form) for name, form in FORMS.items() if name != "law"},
    }


def _object(form: Form) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key: _described(about) for key, about in form.keys.items()},
        "required": [key for key, about in form.keys.items() if about.needed],
        "additionalProperties": False,
    }


def _described(about: Key) -> dict[str, Any]:
    says = {"description": about.says} if about.says else {}
    return {**_value(about), **says}


def _value(about: Key) -> dict[str, Any]:
    kind, _, of = about.kind.partition(":")
    event = {"enum": list(EVENTS)}
    match kind:
        case "table":
            return {"$ref": f"#/$defs/{of}"}
        case "tables":
            return {"type": "array", "items": {"$ref": f"#/$defs/{of}"}}
        case "flag":
            return {"type": "boolean"}
        case "whole":
            return {"type": "integer", "minimum": about.least, "maximum": MOST}
        case "day":
            return {"type": ["string", "null"], "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
        case "choice":
            return {"enum": [str(one) for one in about.known]}
        case "name" | "code":
            return {"type": "string", "pattern": f"^{NAME if kind == 'name' else WORD}$"}
        case "words_known":
            return {"type": "array", "items": {"enum": list(about.known)}}
        case "texts" | "words_of":
            return {"type": "array", "items": _TEXT}
        case "events":
            return {"anyOf": [event, {"type": "array", "items": event, "minItems": 1}]}
        case "mapping":
            return {
                "type": "object",
                "propertyNames": {"pattern": f"^{WORD}$"},
                "additionalProperties": _TEXT,
            }
        case _:
            return _TEXT
