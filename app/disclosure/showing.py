"""Review and productions as programs and people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.disclosure import redacting
from app.disclosure.redacting import Field, Read, Region, Span, Where, Whole
from app.disclosure.reviewing import Looked, Progress, Standing
from app.disclosure.selecting import Selection
from app.disclosure.suggesting import Suggestion
from app.records.clock import iso


def where(one: Where) -> dict[str, object]:
    """Where a redaction stands."""
    match one:
        case Span(version, start, end):
            return {"span": f"{start}:{end}", "version": version}
        case Field(name):
            return {"field": name}
        case Region(attachment, page, left, top, right, bottom):
            return {"attachment": str(attachment), "region": f"{page}:{left},{top},{right},{bottom}"}
        case Whole(None):
            return {"record": True}
        case Whole(attachment):
            return {"attachment": str(attachment)}


def standing(one: Standing, people: Mapping[UUID, str]) -> dict[str, object]:
    """A redaction, a decision that an attachment leaves, or one that words do."""
    return {
        "id": str(one.id), "kind": one.kind, **where(one.where), "what": redacting.told(one.where),
        "exemption": one.code or None, "citation": one.citation or None, "explanation": one.explanation,
        "only_here": one.only_here, "by": people.get(one.by), "why": one.why, "at": iso(one.at),
        "approved_by": people.get(one.approved_by) if one.approved_by else None, "request": str(one.request), "entry": one.entry,
    }  # fmt: skip


def selection(one: Selection, people: Mapping[UUID, str]) -> dict[str, object]:
    """A step of a selection."""
    return {
        "how": one.how, "selected": one.n, "as_of": one.size, "records_sha256": one.digest, "entry": one.entry,
        "by": people.get(one.by) if one.by else None, "why": one.why, **dict(one.detail),
    }  # fmt: skip


def suggestion(version: int, one: Suggestion, text: str) -> dict[str, object]:
    """What might have to be taken out."""
    return {
        "version": version, "span": f"{one.start}:{one.end}", "words": text[one.start : one.end], "kind": str(one.kind),
        "why": one.why, "exemption": one.code or None,
    }  # fmt: skip


def reviewed(
    read: Read,
    made: Sequence[Standing],
    looked: Looked,
    suggested: Mapping[int, Sequence[Suggestion]],
    people: Mapping[UUID, str],
) -> dict[str, object]:
    """A record under review: its versions, what was decided of it, what is suggested."""
    words = {version.number: version.text("text") or "" for version in read.versions}
    return {
        "record": str(read.record.id),
        "kind": read.record.kind,
        "page": read.record.page.name,
        "author": {name: read.record.version.text(f"author_{name}") for name in ("id", "name", "handle")},
        "versions": [
            {"version": version.number, "state": version.state, "text": words[version.number],
             "attachments": [
                 {"id": str(one.id) if one.id else None, "media_type": one.media_type, "bytes": one.size, "state": one.state}
                 for one in read.attachments.get(version.number, ())
             ]}
            for version in read.versions
        ],
        "decisions": [standing(one, people) for one in made],
        "suggestions": [
            suggestion(number, one, words[number]) for number, found in suggested.items() for one in found
        ],
        "assigned": people.get(looked.assigned) if looked.assigned else None,
        "looked": people.get(looked.first) if looked.first else None,
        "second": people.get(looked.second) if looked.second else None,
    }  # fmt: skip


def progress(one: Progress, people: Mapping[UUID, str], *, two_persons: bool) -> dict[str, object]:
    """How far the review of a request is."""
    return {
        "selected": one.selected, "looked": one.looked, "second": one.second, "redacted": one.redacted,
        "withheld": one.withheld, "two_persons": two_persons,
        "assigned": {people.get(officer, str(officer)): number for officer, number in one.assigned.items()},
    }  # fmt: skip
