"""How far a pass has come: what a Pinterest cursor holds. No token is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor

BOARDS, PINS = "boards", "pins"

Way = tuple[str, str]
"""A list by its path, and the bookmark with which it goes on."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The lists that wait to be read.

    `account` is what the account is known by. The pins of the account come
    last in `waiting`, after those of each board. `hidden` are the boards that
    the public does not see, and `secret` says whether the permission opens
    secret ones (None: not asked yet). `boards` and `posts` say whether
    everything was shown: of the boards with their sections, and of the pins.
    `films` counts the pins whose video Pinterest gave no address of.
    """

    account: str = ""
    began: datetime | None = None
    waiting: tuple[Way, ...] = ((BOARDS, ""), (PINS, ""))
    hidden: tuple[str, ...] = ()
    secret: bool | None = None
    boards: bool = True
    posts: bool = True
    films: int = 0

    def begun(self) -> datetime:
        """When the pass began."""
        assert self.began is not None, "a pass notes its beginning before it asks anything"
        return self.began

    def moved(self, **changes: Any) -> Place:
        """The same pass, further on."""
        return msgspec.structs.replace(self, **changes)

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(account=self.account)

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        place = cursors.read(cursor, Place)
        return place if place and place.waiting else Place()
