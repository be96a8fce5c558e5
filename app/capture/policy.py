"""Policy profiles: what an agency's own policy asks of its pages, each clause with its own force, as data.

A profile is a file in `policies/`. Agencies differ: what one policy demands
another does not mention, so that nothing is looked for that the agency's own
policy does not ask. Without a profile nothing is asked, and nothing missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app.records.errors import Invalid, NotFound
from app.records.nouns import Page

FOLDER = Path(__file__).resolve().parent / "policies"
NONE = "none"
"""What a page's own profile says where no policy applies to it."""
_MACROS_DEEP = 3


class NoSuchPolicy(NotFound):
    """No policy profile bears this name."""

    code = "no-such-policy"


class BadPolicy(Invalid):
    """A policy profile cannot be used as it is written."""

    code = "bad-policy"


class Force(StrEnum):
    """How strongly a clause asks, in the policy's own word."""

    SHALL = "shall"
    SHOULD = "should"
    WHERE_POSSIBLE = "where possible"


class Look(StrEnum):
    """What is looked for."""

    WORDS = "words"
    CONTACT = "contact"
    OFFICIAL_SITE = "official_site"


Phrase = tuple[str, ...]
"""Words that follow one another; one that ends with `*` begins so."""
Group = tuple[Phrase, ...]
"""Phrases that say the same."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Groups that must all be met in one sentence: in any order, or in this one with at most `gap` words between."""

    groups: tuple[Group, ...]
    ordered: bool = False
    gap: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that a statement must say, in any of several wordings.

    A sentence that meets one of the phrases in `unless` does not count. A word
    that is denied ("not monitored") does not count either, unless the part is
    itself a denial.
    """

    says: str
    look: Look = Look.WORDS
    wordings: tuple[Wording, ...] = ()
    unless: Group = ()
    denies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that a page states, as one clause of the policy asks."""

    name: str
    says: str
    force: Force
    citation: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an agency's policy asks of its pages."""

    name: str
    title: str
    designee: bool
    """Whether the chief may let another approve pages."""
    approval_citation: str
    managers_required: bool
    managers_citation: str
    written: bool
    """Whether what is authorised for disclosure must be so in writing."""
    written_citation: str
    violations: str
    """Which postings and pages must be reported."""
    violations_citation: str
    audiences: tuple[str, ...]
    statements: tuple[Statement, ...]

    def statement(self, name: str) -> Statement:
        """The statement of that name, or `NoSuchPolicy`."""
        for one in self.statements:
            if one.name == name:
                return one
        raise NoSuchPolicy(
            f"{self.title} asks for no statement {name}",
            next=f"It asks for {', '.join(one.name for one in self.statements)}.",
        )


@cache
def names() -> tuple[str, ...]:
    """The profiles that there are."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))


def named(name: str) -> Policy:
    """The profile of that name, or `NoSuchPolicy`."""
    if name not in names():
        raise NoSuchPolicy(f"no policy profile is called {name!r}", next=f"There are {', '.join(names())}.")
    return _load(name)


def of_page(page: Page, agency: Policy | None) -> Policy | None:
    """The profile that a page follows: its own, none, or the agency's."""
    if page.policy == NONE:
        return None
    return named(page.policy) if page.policy else agency


@cache
def _load(name: str) -> Policy:
    return read(name, (FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def read(name: str, text: str) -> Policy:
    """A profile as it is written, or `BadPolicy` with what is wrong in it."""
    try:
        told = yaml.safe_load(text)
        words = {key: str(value) for key, value in (told.get("words") or {}).items()}
        statements = tuple(_statement(one, words) for one in told["statements"])
        if len({one.name for one in statements}) != len(statements):
            raise BadPolicy(f"{name}: two statements have one name")
        return Policy(
            name=name,
            title=str(told["title"]),
            designee=bool(told["approval"]["designee"]),
            approval_citation=str(told["approval"]["citation"]),
            managers_required=bool(told["managers"]["required"]),
            managers_citation=str(told["managers"]["citation"]),
            written=bool(told["authorisations"]["written"]),
            written_citation=str(told["authorisations"]["citation"]),
            violations=str(told["violations"]["covers"]),
            violations_citation=str(told["violations"]["citation"]),
            audiences=tuple(map(str, told["audiences"])),
            statements=statements,
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadPolicy(f"{name}: {type(error).__name__}: {error}") from error


def _statement(told: Mapping[str, Any], words: Mapping[str, str]) -> Statement:
    parts = tuple(_part(one, words) for one in told["parts"])
    if not parts:
        raise BadPolicy(f"{told['name']} says nothing that could be looked for")
    return Statement(
        name=str(told["name"]),
        says=str(told["says"]),
        force=Force(told["force"]),
        citation=str(told["citation"]),
        parts=parts,
    )


def _part(told: Mapping[str, Any], words: Mapping[str, str]) -> Part:
    unknown = told.keys() - {"says", "look", "any", "unless", "denies"}
    if unknown:
        raise BadPolicy(f"{told['says']}: {', '.join(sorted(unknown))} is not known")
    look = Look(told.get("look", Look.WORDS))
    wordings = tuple(_wording(one, words) for one in told.get("any", ()))
    if (look is Look.WORDS) != bool(wordings):
        raise BadPolicy(f"{told['says']}: wordings are for words, and words need them")
    return Part(
        says=str(told["says"]),
        look=look,
        wordings=wordings,
        unless=_group(told["unless"], words) if told.get("unless") else (),
        denies=bool(told.get("denies", False)),
    )


def _wording(told: Sequence[str] | Mapping[str, Any], words: Mapping[str, str]) -> Wording:
    if isinstance(told, Mapping):
        groups = tuple(_group(one, words) for one in told["ordered"])
        return Wording(groups, ordered=True, gap=int(told["gap"]))
    return Wording(tuple(_group(one, words) for one in told))


def _group(text: str, words: Mapping[str, str]) -> Group:
    """Phrases with `|` between them; a name in braces stands for the phrases that `words` has for it."""
    for _ in range(_MACROS_DEEP):
        for name, meant in words.items():
            text = text.replace(f"{{{name}}}", meant)
    phrases = tuple(tuple(phrase.casefold().split()) for phrase in text.split("|"))
    if not all(phrases):
        raise BadPolicy(f"an empty phrase in {text!r}")
    return phrases
