"""How far a pass has come: what a Flickr cursor holds. No key, no token and nobody's words are in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor
from connectors.flickr.pace import Asked

PHOTOS, ALBUMS = "photos", "albums"
STAGES = (PHOTOS, ALBUMS)


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `id` is the NSID of the page, `owner` whether the pass was begun as its
    owner, who is shown more. `at` is the number of the list's next answer,
    `total` how many items Flickr counted last: fewer than before means that
    the list has shifted, and it is read `again`; `stated` is how many it counts
    in the lists that were read to their end. `waiting` are photos and
    albums whose comments are still to be read, each with whether it is hidden.
    `posts` and `threads` say whether everything was shown: of photos and
    albums, of comments. `asked` counts questions.
    """

    id: str = ""
    owner: bool | None = None
    began: datetime | None = None
    stage: str = PHOTOS
    at: int = 1
    ended: bool = False
    total: int | None = None
    stated: int = 0
    shifted: bool = False
    again: int = 0
    waiting: tuple[tuple[str, bool], ...] = ()
    posts: bool = True
    threads: bool = True
    asked: Asked = Asked()

    def begun(self) -> datetime:
        """When the pass began."""
        assert self.began is not None, "a pass notes its beginning before it asks anything"
        return self.began

    def moved(self, **changes: Any) -> Place:
        """The same pass, further on."""
        return msgspec.structs.replace(self, **changes)

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(id=self.id, asked=self.asked)

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        place = cursors.read(cursor, Place)
        return place if place and place.stage in STAGES and place.at > 0 else Place()
