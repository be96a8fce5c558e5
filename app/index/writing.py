"""What readers of attached files write into, up to the bounds that each file has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

MOST_CHARACTERS = 5_000_000
MOST_PAGES = 3_000
MOST_INSIDE = 4
"""So deep are files read that lie in files: what is attached to a letter that is attached to a letter."""


class Attached(msgspec.Struct, frozen=True, array_like=True):
    """The words of a file; `pages` says where each of its pages, slides or sheets begins, `lacks` what is missing.

    `lacks` is a word of `documents.LACKS`, `media` or `quiet`, or None where
    everything was read. What was read stands, whatever is missing.
    """

    text: str = ""
    pages: tuple[int, ...] = ()
    unit: str = "page"
    lacks: str | None = None


class Enough(Exception):
    """A bound was reached; what was read so far stands."""


class Protected(Exception):
    """The file is locked with a password."""


@dataclass(slots=True)
class Writing:
    """Collects text up to the bounds; `inside` reads a file that lies in the one that is read."""

    now: Callable[[], float]
    until: float
    inside: Callable[[bytes, str, str], Attached]
    parts: list[str] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    unit: str = "page"
    length: int = 0
    lacks: str | None = None

    def page(self) -> None:
        """Begin a page, a slide or a sheet."""
        if len(self.pages) >= MOST_PAGES:
            raise Enough
        if self.length:
            self.say("\n\n")
        self.pages.append(self.length)

    def say(self, text: str) -> None:
        """Write on."""
        self.parts.append(text)
        self.length += len(text)
        if self.length > MOST_CHARACTERS or self.now() > self.until:
            raise Enough

    def lack(self, reason: str | None) -> None:
        """Something is missing; the first reason is told."""
        self.lacks = self.lacks or reason

    def file(self, content: bytes, media_type: str, name: str) -> None:
        """Write the name and the words of a file inside this one; what it lacks, this one lacks."""
        self.say(f"\n{name}\n")
        told = self.inside(content, media_type, name)
        self.say(told.text + "\n")
        self.lack(None if told.lacks == "quiet" else told.lacks)

    def done(self) -> Attached:
        """What was written."""
        text = "".join(self.parts)[:MOST_CHARACTERS].encode("utf-8", "replace").decode()
        return Attached(text, tuple(self.pages), self.unit, self.lacks)
