"""How far a pass has come, and what is remembered of each page and file: what a cursor holds."""

from __future__ import annotations

from datetime import datetime

import msgspec

from connectors import cursors
from connectors.contract import Cursor

MOST_FILES = 3000
"""How many files of a site are remembered; of those beyond, the ones that were met longest ago are looked at anew."""


class Known(msgspec.Struct, kw_only=True):
    """What the last pass made of one page.

    `words` is a digest of what is compared, `files` one of the files that it
    names, `whole` one of the words with what the files hold; `varying` are marks of blocks that change at every look. `renditions`
    are those that belong to this state of the page, each with the SHA-256 of
    what was made, or nothing where it could not be made yet. `title` is what it
    calls itself, None where that was not noted yet. `remarks` are
    the native ids of the comments that it showed: a page that is gone takes
    them out of sight.
    """

    words: str = ""
    files: str = ""
    whole: str = ""
    edited_at: datetime | None = None
    varying: list[str] = []
    renditions: dict[str, str] = {}
    host: str = ""
    title: str | None = None
    remarks: list[str] = []


class Kept(msgspec.Struct, kw_only=True):
    """What the last pass made of one file: what it holds, how to ask whether that changed, what it names itself.

    `late` is what it held when it was first had, where it had been named
    before that: records know it by its address as long as it holds the same.
    """

    digest: str = ""
    size: int = 0
    media_type: str = ""
    etag: str = ""
    modified: str = ""
    varies: bool = False
    heavy: bool = False
    late: str = ""
    broken: bool = False
    names: list[str] = []


class Place(msgspec.Struct, kw_only=True):
    """Where a pass stands. `queue` are the addresses still to be asked for, None between passes."""

    version: int = 1
    page: str = ""
    queue: list[str] | None = None
    linked: list[str] = []
    pages: dict[str, Known] = {}
    files: dict[str, Kept] = {}

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    def remember(self, address: str, kept: Kept) -> None:
        """Keep what was learned of a file; the one that was met longest ago makes room."""
        self.files.pop(address, None)
        self.files[address] = kept
        while len(self.files) > MOST_FILES:
            del self.files[next(iter(self.files))]

    @staticmethod
    def read(cursor: Cursor | None, page: str) -> Place:
        """The place that `cursor` names on `page`; one that cannot be read begins from nothing, which misses nothing."""
        place, fresh = cursors.read(cursor, Place), Place(page=page)
        return place if place and (place.version, place.page) == (fresh.version, page) else fresh
