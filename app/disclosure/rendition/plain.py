"""A record as text, for search, for review programs and for whoever reads nothing else. UTF-8, lines end in a line feed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from zoneinfo import ZoneInfo

from app.disclosure.package.recipe import Numbered
from app.disclosure.released import Passage, Released, Withheld, plain
from app.disclosure.rendition import telling
from app.papers import words


def text(numbered: Numbered, zone: tzinfo | str) -> bytes:
    """A document as text: what is told of it, then the words of every version, oldest first.

    Words stand as they were written, with a mark where something was taken out;
    only NUL and halves of characters, which are no text, are shown by their
    numbers. What stands before the words is on lines of its own, and no name
    can add one.
    """
    where = ZoneInfo(zone) if isinstance(zone, str) else zone
    item = numbered.item
    lines = _withheld(item) if isinstance(item, Withheld) else _released(item, where, numbered.parent)
    numbers = numbered.begins if numbered.pages == 1 else f"{numbered.begins} to {numbered.ends}"
    return words.valid("\n".join((numbers, *lines)) + "\n").encode()


def _released(item: Released, zone: tzinfo, parent: str | None) -> Iterator[str]:
    yield telling.title(item)
    yield from _facts(telling.facts(item, zone, parent))
    if item.redactions:
        yield from ("", "TAKEN OUT, AND ON WHAT GROUND")
        yield from _facts(telling.grounds(item.redactions))
    leaving = telling.attachments(item)
    for place, version in enumerate(item.versions):
        of_it = leaving.get(version.number, ())
        yield from ("", f"VERSION {version.number}: {telling.happened(item.versions, place, zone)}")
        if version.edited_at:
            yield _line(f"The platform says that it was edited {version.edited_at}.")
        for one in of_it:
            file = f"attachment {one.number}" if one.number else "an attachment"
            about = _said(one.attachment.description)
            yield _line(f"{file}: {telling.attached(one.attachment)}{': ' + about if about else ''}")
            if one.attachment.explanation:
                yield _line(one.attachment.explanation)
        yield ""
        yield plain(version.text) or "[no words]"


def _withheld(item: Withheld) -> Iterator[str]:
    yield f"WITHHELD IN FULL: {'; '.join(dict.fromkeys(one.code for one in item.grounds))}"
    yield from _facts(telling.withheld(item))
    yield from ("", "ON WHAT GROUND")
    yield from _facts(telling.grounds(item.grounds))


def _facts(facts: Iterator[telling.Fact]) -> Iterator[str]:
    for name, values in facts:
        yield _line(f"{name}: {'; '.join(_said(value) for value in values)}")


def _said(passage: Passage | Sequence[str]) -> str:
    return plain(passage)


def _line(text: str) -> str:
    return " ".join(text.splitlines())
