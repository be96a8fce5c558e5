"""The names of those who comment, where the page's option asks for them. LinkedIn names people by URN alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from connectors.contract import Author, Gap, Span
from connectors.linkedin.asking import Asking
from connectors.linkedin.shapes import Person
from connectors.linkedin.urns import PERSON, coded


@dataclass(frozen=True, slots=True)
class People:
    """Who people are, by URN, with the bytes that said so."""

    told: Mapping[str, tuple[Author, Span]] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()


def named(asking: Asking, urns: Iterable[str]) -> People:
    """Ask for these people. Whom LinkedIn does not show keeps the URN alone."""
    wanted: dict[str, str] = {}
    whose: dict[str, str] = {}
    for urn in dict.fromkeys(urns):
        if (found := PERSON.fullmatch(urn)) is not None:
            wanted[f"(id:{found[1]})"] = f"(id:{coded(found[1])})"
            whose[f"(id:{found[1]})"] = urn
    if not wanted:
        return People()
    people = asking.by_ids("people", Person, wanted)
    told: dict[str, tuple[Author, Span]] = {}
    for name, seen in people.items.items():
        if name in whose:
            urn = whose[name]
            words = (seen.what.localized_first_name.strip(), seen.what.localized_last_name.strip())
            full = " ".join(word for word in words if word)
            told[urn] = (Author(id=urn, name=full or None, handle=seen.what.vanity_name), seen.span)
    gaps = tuple(
        replace(one, what="the name of someone who comments", native_id=None) for one in people.failed
    )
    if people.refused is not None:
        gaps += (Gap(what="names of those who comment", why=people.refused.why),)
    return People(told, gaps)
