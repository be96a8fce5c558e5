"""Documents of a production, built by hand: what is asked for, and everything else as plain as can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from app.disclosure.package.recipe import USUAL, Attached, Ground, Names, Numbered, Recipe
from app.disclosure.released import (
    Item,
    Leaves,
    Made,
    Passage,
    Released,
    ReleasedAttachment,
    ReleasedAuthor,
    ReleasedPage,
    ReleasedVersion,
    Removed,
    Withheld,
)

AT = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
PAGE = ReleasedPage(
    id=UUID(int=7),
    name="Town of Example",
    platform="mastodon",
    address="https://example.org/@town",
    custodian="Clerk",
)
RECIPE = Recipe(
    production=UUID(int=99),
    number="PD-2026-0001-P01",
    request="PD-2026-0001",
    title="Everything on the flood",
    agency="Town of Example",
    domain="example.org",
    timezone="America/Juneau",
    prefix="TOWN-",
    first=1,
    volume="VOL001",
    made_at=datetime(2026, 4, 1, 9, tzinfo=UTC),
    as_of=1_000,
    checkpoint=1_000,
    forms=USUAL,
    exemptions={
        "6C": Ground("AS 40.25.120(a)(6)(C)", "Privacy", "Names a victim."),
        "AC": Ground("Rule 503", "Attorney and client", "Asks counsel for advice."),
    },
    software="Muniment 0.9",
)

SIGNS = "þÞ®\x14\x00\ufeff\u202e\u200b\ud800\udfff\r\n\t\v\u0085\u2028;\\\"',=+-@æðéΩ漢🚒_x0041_<>&"
HOSTILE = st.text(st.one_of(st.sampled_from(SIGNS), st.characters(exclude_categories=())), max_size=40)
"""What strangers may have written, halves of characters among it."""
SHOWN = ("=1+1", "@town", "-2", "+3", "'=4", "''=5", "\t6", "\r7", "'", "＝8", "'tis", "=cmd|' /C calc'!A0")


def version(number: int = 1, text: Passage = ("The road is closed.",), **more: Any) -> ReleasedVersion:
    told: dict[str, Any] = {
        "number": number,
        "entry": 10 * number,
        "state": "present",
        "observed_at": AT + timedelta(hours=number),
        "last_seen_before": AT + timedelta(hours=number - 1) if number > 1 else None,
        "edited_at": None,
        "text": text,
    }
    return ReleasedVersion(**(told | more))


def released(number: int = 1, **more: Any) -> Released:
    """A record that leaves; the `number` stands in its ids."""
    told: dict[str, Any] = {
        "key": number,
        "id": UUID(int=1_000 + number),
        "page": PAGE,
        "kind": "post",
        "root": UUID(int=1_001),
        "in_reply_to": None,
        "author": ReleasedAuthor(id="a1", name="Þórdís Ægisdóttir", handle="@thordis"),
        "url": f"https://example.org/@town/{number}",
        "native_id": f"n{number}",
        "published_at": AT,
        "first_seen": AT + timedelta(minutes=5),
        "last_seen": AT + timedelta(days=3),
        "language": "is",
        "counts": {"likes": 3},
        "origin": "captured",
        "received": None,
        "series": "COR-03",
        "versions": (version(),),
    }
    return Released(**(told | more))


def made(code: str = "6C", where: str = "text of version 1, characters 4 to 11", **more: Any) -> Made:
    told: dict[str, Any] = {
        "where": where,
        "code": code,
        "citation": RECIPE.exemptions[code].citation,
        "explanation": RECIPE.exemptions[code].explanation,
        "by": "Records officer",
        "approved_by": "Counsel",
        "on": AT + timedelta(days=9),
    }
    return Made(**(told | more))


def withheld(number: int = 1, **more: Any) -> Withheld:
    told: dict[str, Any] = {
        "key": number,
        "id": UUID(int=1_000 + number),
        "page": PAGE,
        "kind": "comment",
        "root": UUID(int=1_001),
        "in_reply_to": UUID(int=1_001),
        "day": "2026-03-05",
        "author": "visitor",
        "entries": (10, 20),
        "grounds": (made(where="the whole record"),),
    }
    return Withheld(**(told | more))


def attachment(content: bytes = b"picture", number: int = 1, **more: Any) -> ReleasedAttachment:
    told: dict[str, Any] = {
        "id": UUID(int=5_000 + number),
        "leaves": Leaves.WHOLE,
        "media_type": "image/png",
        "size": len(content),
        "chunks": lambda: iter([content[:3], content[3:]]),
    }
    return ReleasedAttachment(**(told | more))


def kept_back(number: int = 9) -> ReleasedAttachment:
    return ReleasedAttachment(
        id=UUID(int=5_000 + number),
        leaves=Leaves.WITHHELD,
        media_type="video/mp4",
        removed=Removed("6C"),
        explanation="Shows a victim.",
        commitment="ab" * 32,
    )


def numbered(item: Item, first: int = 1, pages: int = 1, **more: Any) -> Numbered:
    """A document with names as a production gives them."""
    begins = RECIPE.bates(first)
    name = begins.lower()
    record = item if isinstance(item, Released) else None
    leaving = (
        [] if record is None else [one for told in record.versions for one in told.attachments if one.chunks]
    )
    whole = record is not None and not record.redacted and not record.withheld_from
    names = Names(
        pdf=f"pdf/0001/{name}.pdf",
        text=f"text/0001/{name}.txt",
        native=f"natives/0001/{name}.json" if whole else None,
        images=(f"pdf/0001/{name}.pdf",),
        attached=tuple(
            Attached(f"natives/0001/{name}-{place}.png", one) for place, one in enumerate(leaving, start=1)
        ),
        rsmf="rsmf/0001/town-0000001-20260305.rsmf",
        proof=f"proof/items/{name}",
    )
    told: dict[str, Any] = {
        "item": item,
        "first": first,
        "pages": pages,
        "begins": begins,
        "ends": RECIPE.bates(first + pages - 1),
        "volume": "VOL001",
        "thread": RECIPE.bates(1),
        "names": names,
    }
    return Numbered(**(told | more))


def recipe(**more: Any) -> Recipe:
    return replace(RECIPE, **more)


def whole(file: BytesIO) -> BytesIO:
    """The same file, to be read from its beginning."""
    return BytesIO(file.getvalue())


def rows(width: int, values: st.SearchStrategy[str] = HOSTILE) -> st.SearchStrategy[list[Sequence[str]]]:
    """Rows of some hostile values."""
    return st.lists(st.lists(values, min_size=width, max_size=width), max_size=5)
