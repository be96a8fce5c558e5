"""What comes after a first production: supplements, replacements, and notices that something has to come back.

A number never changes what it stands for. A supplement goes on after the last
number in a volume of its own. A replacement gives documents anew under the
numbers that they have, in a higher revision; nothing else is numbered anew. A
clawback is a letter: it names numbers and grounds, and the recipient returns,
sequesters or destroys them. Whether it must is for the rule that it cites.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.disclosure.package.certifying import BLANK, Document
from app.disclosure.package.recipe import BadRecipe, Earlier, Forms, Recipe
from app.papers.blocks import Block, Heading, Listed, Paragraph, Signature, Table

_NUMBER = re.compile(r"([A-Z]{2,3})([0-9]{3})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What a production that follows another has of its own."""

    production: UUID
    number: str
    made_at: datetime
    as_of: int
    checkpoint: int
    software: str
    title: str | None = None
    forms: Forms | None = None


def following(volume: str) -> str:
    """The volume after this one: VOL002 after VOL001."""
    read = _NUMBER.fullmatch(volume)
    if read is None or read[2] == "999":
        raise BadRecipe(f"no volume follows {volume}", next="Begin with another name: VOM001.")
    return f"{read[1]}{int(read[2]) + 1:03d}"


def supplement(before: Recipe, free: int, again: Again) -> Recipe:
    """The recipe of a production that continues `before`, from the first number that is `free`."""
    return _after(before, free, again, replaces={})


def replacement(
    before: Recipe, free: int, again: Again, given: Iterable[tuple[UUID, int, int, int]]
) -> Recipe:
    """The recipe of a production that gives documents of `before` anew.

    `given` tells of each its record, first number, pages and revision. What
    needs more pages than it had takes numbers from `free` on.
    """
    replaces = {
        record: Earlier(before.number, first, pages, revision) for record, first, pages, revision in given
    }
    if not replaces:
        raise BadRecipe("nothing is to be replaced", next="A supplement gives what was not given before.")
    return _after(before, free, again, replaces=replaces)


def _after(before: Recipe, free: int, again: Again, replaces: Mapping[UUID, Earlier]) -> Recipe:
    return replace(
        before,
        production=again.production,
        number=again.number,
        made_at=again.made_at,
        as_of=again.as_of,
        checkpoint=again.checkpoint,
        software=again.software,
        title=again.title or before.title,
        forms=again.forms or before.forms,
        first=free,
        volume=following(before.volume),
        supplements=before.number,
        replaces=replaces,
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """Numbers that were produced by mistake, and on what ground they must come back."""

    first: int
    last: int
    code: str
    basis: str
    """What the agency says of them, without saying what they hold."""


def clawback(
    recipe: Recipe, claims: Sequence[Claim], *, on: datetime, rule: str, by: str = BLANK
) -> Document:
    """A notice that numbers of a production were given by mistake; raises `BadRecipe` for one that claims nothing of it.

    `rule` is what the notice rests on: a rule of procedure, an order, an
    agreement. It says nothing of what the pages hold.
    """
    if not claims or any(one.last < one.first or one.code not in recipe.exemptions for one in claims):
        raise BadRecipe(
            "a clawback names numbers, from the first to the last, and a ground of the production's law for each"
        )
    rows = [
        (
            recipe.bates(one.first),
            recipe.bates(one.last),
            one.code,
            recipe.exemptions[one.code].citation,
            one.basis,
        )
        for one in sorted(claims, key=lambda it: it.first)
    ]
    blocks: list[Block] = [
        Paragraph(f"{recipe.agency} produced {recipe.number} in answer to {recipe.request}. By mistake it holds what"
                  f" should have been withheld. This notice is given on {on:%Y-%m-%d} under: {rule}."),
        Heading("What is claimed"),
        Table(("From", "To", "Code", "Citation", "Basis"), rows),
        Heading("What you are asked to do"),
        Listed(
            (
                "Stop reading these pages, and do not use or pass on what they hold.",
                "Return, sequester or destroy every copy: of the PDF and text, the images, the native files, the rows of load files and tables, the conversations and web captures, and whatever a review program made of them.",
                "Tell us to whom they were passed on, and ask for them there.",
                "Tell us in writing when it is done, or present them to the court under seal if you dispute the claim.",
            ),
            numbered=True,
        ),
        Paragraph("The numbers stay taken. A replacement bears the same numbers, with a slip-sheet or what is left"
                  " after redaction in their place. Checks of the first production still pass: they say what was"
                  " given, not that it should have been."),
        Signature(("For " + recipe.agency, "Name and title: " + by, "Date")),
    ]  # fmt: skip
    return Document("clawback-notice", f"Notice of clawback: {recipe.number}", blocks)
