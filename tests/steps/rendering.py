"""Records as they are released, for the tests of every form in which they leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from PIL import Image

from app.disclosure.package.recipe import USUAL, Numbered, Recipe
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

NOON = datetime(2026, 3, 2, 19, 0, tzinfo=UTC)
HOSTILE = (
    "Look \u202eere\u202c <script>alert('x')</script> zero\u200bwidth #set text(red) $x^2$ @ref \\u{41} *b* _i_ "
    "{{ 7*7 }} ]] þ®\x14\x00 \ud800 \U0001f600 &amp; \"q\" 'r' =1+1 \x1b[31m\t你好 नमस्ते مرحبا"
)
"""What somebody writes who means no good to whoever shows it."""
PAGE = ReleasedPage(
    id=UUID(int=1), name="Harrow Falls Police", platform="mastodon", address="https://town.example/@police",
    custodian="Police Department",
)  # fmt: skip
GROUND = Made(
    where="text of version 1, characters 5 to 17", code="b(6)", citation="5 U.S.C. 552(b)(6)",
    explanation="A home address", by="Clerk", approved_by="Attorney", on=NOON,
)  # fmt: skip
GONE = Removed("b(6)")


def identity(number: int) -> UUID:
    return UUID(int=0xA000_0000 + number)


def version(number: int = 1, text: str | Passage = "The road is closed.", **facts: Any) -> ReleasedVersion:
    told = {
        "number": number,
        "entry": 100 + number,
        "state": "present",
        "observed_at": NOON + timedelta(hours=number),
        "last_seen_before": NOON + timedelta(hours=number - 1) if number > 1 else None,
        "edited_at": None,
        "text": (text,) if isinstance(text, str) else text,
    }
    return ReleasedVersion(**{**told, **facts})


def a_record(
    number: int = 1, *versions: ReleasedVersion, answers: int | None = None, **facts: Any
) -> Released:
    told = {
        "key": number,
        "id": identity(number),
        "page": PAGE,
        "kind": "post" if answers is None else "comment",
        "root": identity(answers or number),
        "in_reply_to": identity(answers) if answers is not None else None,
        "author": ReleasedAuthor(id="77", name="Jane Doe", handle="@jane"),
        "url": f"https://town.example/{number}",
        "native_id": f"n{number}",
        "published_at": NOON,
        "first_seen": NOON + timedelta(hours=1),
        "last_seen": NOON + timedelta(days=2),
        "language": "en",
        "counts": {"likes": 3},
        "origin": "captured",
        "received": None,
        "series": "COR-03",
        "versions": versions or (version(),),
    }
    return Released(**{**told, **facts})


def a_slip(number: int = 9, **facts: Any) -> Withheld:
    told = {
        "key": number,
        "id": identity(number),
        "page": PAGE,
        "kind": "comment",
        "root": identity(number),
        "in_reply_to": None,
        "day": "2026-03-02",
        "author": "visitor",
        "entries": (7, 8),
        "grounds": (GROUND,),
    }
    return Withheld(**{**told, **facts})


def attached(
    content: bytes | None, media_type: str = "image/png", number: int = 1, **facts: Any
) -> ReleasedAttachment:
    told = {
        "id": UUID(int=0xB000_0000 + number),
        "leaves": Leaves.WHOLE if content is not None else Leaves.MISSING,
        "media_type": media_type,
        "size": len(content) if content is not None else None,
        "chunks": (lambda: iter((content,))) if content is not None else None,
    }
    return ReleasedAttachment(**{**told, **facts})


def a_picture(
    kind: str = "PNG", size: tuple[int, int] = (320, 200), colour: Any = (200, 30, 30), **more: Any
) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **more)
    return out.getvalue()


def a_recipe(**facts: Any) -> Recipe:
    told = {
        "production": UUID(int=7),
        "number": "PD-2026-0001-P01",
        "request": "PD-2026-0001",
        "title": "What was said about the flood",
        "agency": "Town of Harrow Falls",
        "domain": "town.example",
        "timezone": "America/Denver",
        "prefix": "TOWN-",
        "first": 1,
        "volume": "VOL001",
        "made_at": datetime(2026, 4, 1, 12, 30, tzinfo=UTC),
        "as_of": 500,
        "checkpoint": 500,
        "forms": USUAL,
        "exemptions": {},
        "software": "Muniment test",
    }
    return Recipe(**{**told, **facts})


def numbered(item: Item, first: int = 1, pages: int = 1, **facts: Any) -> Numbered:
    told = {
        "item": item,
        "first": first,
        "pages": pages,
        "begins": f"TOWN-{first:07d}",
        "ends": f"TOWN-{first + pages - 1:07d}",
        "volume": "VOL001",
        "thread": "TOWN-0000001",
    }
    return Numbered(**{**told, **facts})


def in_line(items: Sequence[Item]) -> list[Numbered]:
    """Each with one page, in order."""
    return [numbered(item, place) for place, item in enumerate(items, 1)]
