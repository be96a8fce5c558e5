"""How far a pass over a feed has come, and what the next one needs to know: what a cursor holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from connectors import cursors
from connectors.contract import Cursor
from connectors.feed.parse import mark

REMEMBERED = 200
"""How many items of the newest document are remembered, so that the next pass can tell whether it joins."""


class Stream(msgspec.Struct, kw_only=True):
    """One feed: the page's own, or one of comments.

    `answers` is the post that its comments answer. `etag` and `modified` are
    what the address `said_by` said of its newest document. `seen` are marks of the
    items in its newest document at the last finished reading, newest first;
    `read_at` is when that pass began, `documents` how many documents it took.
    The page's own is `complete` where it then showed everything there is. Of
    one of comments: `shown`, whether the page's own still showed the post, and
    `withdrawn`, whether it was told that there is no such feed any more. `shared`
    are marks of links that several of its items bore at once: no item is known by them.
    `faces`, of the page's own: by which ids its newest items were met, by the marks of
    what they bear on their faces.
    """

    address: str
    answers: str | None = None
    etag: str = ""
    modified: str = ""
    said_by: str = ""
    seen: list[str] = []
    read_at: datetime | None = None
    documents: int = 0
    complete: bool = False
    shown: bool = True
    withdrawn: bool = False
    shared: list[str] = []
    faces: dict[str, str] = {}


class Walk(msgspec.Struct, kw_only=True):
    """The reading of one stream under way: the document at which it stands, and what was noticed so far.

    It is `whole` as long as no item can have been missed; it was `broken_off`
    where a part could not be had that the next pass has to ask for again. An
    item was `unread` that the next pass would not come to if it joined what
    this one saw.

    Resuming asks for that document once more, because its items move on to
    the next one whenever something is published.
    """

    at: str
    number: int = 1
    newest: list[str] = []
    joined: bool = False
    whole: bool = True
    broken_off: bool = False
    unread: bool = False
    oldest: datetime | None = None
    etag: str = ""
    modified: str = ""
    said_by: str = ""


class Place(msgspec.Struct, kw_only=True):
    """Where a pass stands. `began` is None between passes; `stream` is the one being read.

    `asked` is what the last pass was to read of what the page's own feed
    names: after another wish an answer that nothing changed would hide it.
    """

    version: int = 1
    page: str = ""
    began: datetime | None = None
    stream: int = 0
    walk: Walk | None = None
    asked: str = ""
    streams: list[Stream] = []

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    def begun(self) -> datetime:
        """When the pass began."""
        assert self.began is not None, "a pass notes its beginning before it asks anything"
        return self.began

    @staticmethod
    def read(cursor: Cursor | None, page: str) -> Place:
        """The place that `cursor` names on `page`.

        One that cannot be read, or is of another address, begins from
        nothing, which misses nothing.
        """
        place, fresh = cursors.read(cursor, Place), Place(page=page, streams=[Stream(address=page)])
        if place is None or (place.version, place.page) != (fresh.version, page):
            return fresh
        return place if 0 <= place.stream < len(place.streams) else fresh


def marks(native_ids: Iterable[str]) -> list[str]:
    """Short marks of items, enough to know them again."""
    return [mark(one) for one in native_ids]
