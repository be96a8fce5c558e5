"""`custody.premis.xml`: what happened to each record from its capture to its leaving, as archives read it (PREMIS 3.0).

The order of elements in the standard is fixed, and stands here as data: the
writer follows it, and `check` holds a file against it. Objects come first, then
events, then agents; every link leads to something in the file. Event types are
those of the Library of Congress vocabulary.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from app.disclosure.formats.logs import where
from app.disclosure.formats.shape import Malformed
from app.disclosure.package.recipe import Numbered, Recipe
from app.disclosure.released import Released
from app.papers import words

NAMESPACE = "http://www.loc.gov/premis/v3"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
VOCABULARY = "http://id.loc.gov/vocabulary/preservation/eventType"

EVENTS: Mapping[str, str] = {
    "cap": "capture",
    "ing": "ingestion",
    "mes": "message digest calculation",
    "fix": "fixity check",
    "ren": "rendering",
    "red": "redaction",
    "dsg": "digital signature generation",
    "ipc": "information package creation",
    "dis": "dissemination",
}
"""The types of events that a production tells of, by their codes."""

# `?` may be there once, `*` any number of times, `+` at least once; without a sign, exactly once.
ORDER: Mapping[str, Sequence[str]] = {
    "premis": ("object+", "event+", "agent+"),
    "object": ("objectIdentifier+", "significantProperties*", "originalName?", "relationship*"),
    "objectIdentifier": ("objectIdentifierType", "objectIdentifierValue"),
    "significantProperties": ("significantPropertiesType", "significantPropertiesValue"),
    "event": (
        "eventIdentifier", "eventType", "eventDateTime", "eventDetailInformation*", "eventOutcomeInformation*",
        "linkingAgentIdentifier*", "linkingObjectIdentifier*",
    ),
    "eventIdentifier": ("eventIdentifierType", "eventIdentifierValue"),
    "eventDetailInformation": ("eventDetail",),
    "eventOutcomeInformation": ("eventOutcome",),
    "linkingAgentIdentifier": ("linkingAgentIdentifierType", "linkingAgentIdentifierValue", "linkingAgentRole?"),
    "linkingObjectIdentifier": ("linkingObjectIdentifierType", "linkingObjectIdentifierValue", "linkingObjectRole?"),
    "agent": ("agentIdentifier+", "agentName*", "agentType?", "agentVersion?"),
    "agentIdentifier": ("agentIdentifierType", "agentIdentifierValue"),
}  # fmt: skip
"""The elements of each element, in the order of the standard, as far as a production uses them."""
_PARTS = ("object", "event", "agent")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_SOFTWARE, _AGENCY = "software", "agency"


class Event(NamedTuple):
    """Something that happened: its type by code, when, in words, with what came of it, and to what."""

    code: str
    at: datetime
    detail: str
    objects: Sequence[str]
    outcome: str = ""
    people: Sequence[tuple[str, str]] = ()
    """Who did it, and as what: `implementer`, `authorizer`."""


class Writer:
    """Writes the file to an open binary file: objects, then events, then agents. Refuses (`ValueError`) another order."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.part = 0
        self.events = 0
        self.people: dict[str, int] = {}
        out.write(
            (
                '<?xml version="1.0" encoding="UTF-8"?>\n'
                f'<premis xmlns="{NAMESPACE}" xmlns:xsi="{INSTANCE}" version="3.0">\n'
            ).encode()
        )

    def object(
        self, identity: str, *, names: Sequence[tuple[str, str]] = (), about: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Something that leaves: its id, what else it is called, by kind of name, and what is said of it."""
        self._goes("object")
        told = "".join(
            _pair("objectIdentifier", kind, value)
            for kind, value in [("id", identity), *names]
            if words.line(value)
        )
        told += "".join(
            _pair("significantProperties", kind, value) for kind, value in about if words.line(value)
        )
        self.out.write(f'<object xsi:type="intellectualEntity">{told}</object>\n'.encode())

    def event(self, event: Event) -> None:
        """Something that happened; its number is given here."""
        self._goes("event")
        self.events += 1
        kind = EVENTS[event.code]
        uri = quoteattr(f"{VOCABULARY}/{event.code}")
        agents = [
            (_SOFTWARE, "executing program"),
            *((self._person(name), role) for name, role in event.people),
        ]
        told = (
            _pair("eventIdentifier", "local", f"E{self.events}")
            + f'<eventType authority="eventType" authorityURI="{VOCABULARY}" valueURI={uri}>{kind}</eventType>'
            + _element("eventDateTime", _moment(event.at))
            + (f"<eventDetailInformation>{_element('eventDetail', event.detail)}</eventDetailInformation>" if event.detail else "")
            + (f"<eventOutcomeInformation>{_element('eventOutcome', event.outcome)}</eventOutcomeInformation>" if event.outcome else "")
            + "".join(_link("linkingAgentIdentifier", "local", value, role) for value, role in agents)
            + "".join(_link("linkingObjectIdentifier", "id", value) for value in event.objects)
        )  # fmt: skip
        self.out.write(f"<event>{told}</event>\n".encode())

    def close(self, recipe: Recipe) -> None:
        """End the file with whoever took part."""
        self._goes("agent")
        for identity, name, kind, version in (
            (_SOFTWARE, recipe.software.partition(" ")[0] or recipe.software, "software", recipe.software),
            (_AGENCY, recipe.agency, "organization", ""),
            *((f"person-{number}", name, "person", "") for name, number in self.people.items()),
        ):
            told = _pair("agentIdentifier", "local", identity) + _element("agentName", name)
            told += _element("agentType", kind) + (_element("agentVersion", version) if version else "")
            self.out.write(f"<agent>{told}</agent>\n".encode())
        self.out.write(b"</premis>\n")

    def _person(self, name: str) -> str:
        """The agent of this name; the agency, where somebody has none."""
        known = words.line(name)
        return f"person-{self.people.setdefault(known, len(self.people) + 1)}" if known else _AGENCY

    def _goes(self, part: str) -> None:
        place = _PARTS.index(part)
        if place < self.part:
            raise ValueError(f"an {part} cannot come after an {_PARTS[self.part]}")
        self.part = place


def write(out: BinaryIO, recipe: Recipe, documents: Callable[[], Iterator[Numbered]]) -> int:
    """Write the custody of a whole production; `documents` is read twice. Returns how many events there are."""
    writer = Writer(out)
    production = str(recipe.production)
    writer.object(
        production,
        names=[("production", recipe.number)],
        about=[("title", recipe.title), ("request", recipe.request)],
    )
    for document in documents():
        item = document.item
        writer.object(
            str(item.id),
            names=[("number", document.begins)],
            about=[("kind", item.kind), ("page", item.page.name), ("platform", item.page.platform)],
        )
    for document in documents():
        for event in of_document(document):
            writer.event(event)
    made = recipe.made_at
    writer.event(
        Event(
            "ipc",
            made,
            f"Production {recipe.number} made, as of {recipe.as_of} ledger entries",
            [production],
            people=[("", "implementer")],
        )
    )
    writer.event(
        Event(
            "dis", made, f"Produced for request {recipe.request}", [production], people=[("", "implementer")]
        )
    )
    writer.close(recipe)
    return writer.events


def of_document(document: Numbered) -> Iterator[Event]:
    """What happened to a record that leaves: how it came, each change that was seen, what was taken out. Of others, nothing but that they are kept back."""
    record = document.released
    identity = [str(document.item.id)]
    if not isinstance(record, Released):
        withheld = document.withheld
        assert withheld is not None, "an item leaves or does not"
        for made in withheld.grounds:
            yield Event(
                "red",
                made.on,
                f"Withheld in full: {made.code}, {made.citation}",
                identity,
                "withheld",
                _by(made.by, made.approved_by),
            )
        return
    code, how = ("ing", "Received in a file") if record.origin == "received" else ("cap", "Captured")
    for version in record.versions:
        detail = f"{how}: version {version.number}, {version.state}, ledger entry {version.entry}"
        yield Event(code, version.observed_at, detail, identity)
    for made in record.redactions:
        yield Event(
            "red",
            made.on,
            f"{where(made.where)}: {made.code}, {made.citation}",
            identity,
            "released in part",
            _by(made.by, made.approved_by),
        )


def check(file: BinaryIO, name: str) -> int:
    """Hold the file against the order of elements, its ids and its links; the number of its events.

    Raises `Malformed`. Memory is needed for ids alone.
    """
    ids: dict[str, set[str]] = {"object": set(), "event": set(), "agent": set()}
    links: dict[str, set[str]] = {"object": set(), "agent": set()}
    found: list[str] = []
    count: Counter[str] = Counter()
    try:
        for tag, element in _parts(file):
            count[tag] += 1
            _ordered(name, tag, element, count[tag])
            if found[-1:] != [tag]:
                found.append(tag)
            _ids(name, tag, element, ids, links)
    except (ParseError, DefusedXmlException) as error:
        raise Malformed(name, "", f"it is not well-formed: {error}") from error
    if found != list(_PARTS):
        raise Malformed(
            name,
            "premis",
            f"it has {', '.join(found) or 'nothing'}, and not objects, events and agents, in this order",
        )
    for kind, linked in links.items():
        for one in sorted(linked - ids[kind]):
            raise Malformed(name, f"a link to {one}", f"there is no such {kind}")
    return len(ids["event"])


def _parts(file: BinaryIO) -> Iterator[tuple[str, Element]]:
    """Objects, events and agents as they come, each forgotten when the next is asked for."""
    above: list[Element] = []
    for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            above.append(element)
            if len(above) == 1 and (_tag(element) != "premis" or element.get("version") != "3.0"):
                raise ParseError("it is no PREMIS 3.0")
            continue
        above.pop()
        if len(above) == 1:
            yield _tag(element), element
            above[0].remove(element)


def _ordered(name: str, tag: str, element: Element, number: int) -> None:
    for one in element.iter():
        here = _tag(one)
        at = f"{tag} {number}, {here}"
        if here not in ORDER:
            if len(one) or not (one.text or "").strip():
                raise Malformed(name, at, "it is empty, or holds what it cannot hold")
            continue
        if (one.text or "").strip():
            raise Malformed(name, at, "there are words between its elements")
        _follows(name, at, ORDER[here], [_tag(below) for below in one])


def _follows(name: str, at: str, wanted: Sequence[str], tags: Sequence[str]) -> None:
    pattern = "".join(f"(?:{one.rstrip('?*+')} ){one[len(one.rstrip('?*+')) :]}" for one in wanted)
    if not re.fullmatch(pattern, "".join(f"{tag} " for tag in tags)):
        raise Malformed(
            name, at, f"its elements are {', '.join(tags) or 'none'}, and should be {', '.join(wanted)}"
        )


def _ids(name: str, tag: str, element: Element, ids: dict[str, set[str]], links: dict[str, set[str]]) -> None:
    for one in element:
        here = _tag(one)
        if here == f"{tag}Identifier":
            kind, value = (below.text or "" for below in one)
            if tag == "object" and kind != "id":
                continue
            if value in ids[tag]:
                raise Malformed(name, f"{tag} {value}", "it is there twice")
            ids[tag].add(value)
        elif here in {"linkingAgentIdentifier", "linkingObjectIdentifier"}:
            links["agent" if here == "linkingAgentIdentifier" else "object"].add(one[1].text or "")
        elif here == "eventDateTime" and not _MOMENT.fullmatch(one.text or ""):
            raise Malformed(name, f"{tag}, {here}", f"{one.text!r} is no time in UTC")
        elif here == "eventType" and one.text not in EVENTS.values():
            raise Malformed(name, f"{tag}, {here}", f"{one.text!r} is no type of an event")


def _tag(element: Element) -> str:
    namespace, _, tag = element.tag.rpartition("}")
    if namespace != f"{{{NAMESPACE}":
        raise ParseError(f"{element.tag} is of another namespace")
    return tag


def _element(tag: str, text: str) -> str:
    return f"<{tag}>{escape(words.line(text))}</{tag}>"


def _pair(tag: str, kind: str, value: str) -> str:
    return f"<{tag}>{_element(f'{tag}Type', kind)}{_element(f'{tag}Value', value)}</{tag}>"


def _link(tag: str, kind: str, value: str, role: str = "") -> str:
    told = _element(f"{tag}Type", kind) + _element(f"{tag}Value", value)
    return f"<{tag}>{told}{_element(tag.replace('Identifier', 'Role'), role) if role else ''}</{tag}>"


def _by(one: str, other: str | None) -> list[tuple[str, str]]:
    return [(one, "implementer"), *([(other, "authorizer")] if other else [])]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"
