"""How far a pass has come: what a TikTok cursor holds. No token is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor


class Waits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list that is still to be read: the comments of a video or, with `thread`, what answers one of them.

    `at` is where to go on, and `last` the item that stood before it: where
    another one stands in its place by then, something has slipped. `read`
    counts what was read of the list so far.
    """

    video: str
    thread: str = ""
    at: int = 0
    last: str = ""
    read: int = 0

    @property
    def name(self) -> str:
        """The native id of the item whose answers the list holds."""
        return f"{self.video}/{self.thread}" if self.thread else self.video


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list of videos, and where in it.

    `way` says by which door the pass was begun: the other one is shown other
    things. `account` is the account's id for the application. `at` is the
    moment before which videos are asked for next, `ended` whether there are
    none. `waiting` are the lists below them. `total` counts the comments that
    TikTok counts, and `whole` says whether all of them were shown. `one_by_one`
    is set after a pass that met a list which was not shown whole: what answers
    each item is then listed by itself, so that this one does not keep the
    others from being compared.
    """

    way: str = ""
    account: str = ""
    began: datetime | None = None
    at: str = ""
    ended: bool = False
    waiting: tuple[Waits, ...] = ()
    total: int = 0
    whole: bool = True
    one_by_one: bool = False

    def begun(self) -> datetime:
        """When the pass began."""
        assert self.began is not None, "a pass notes its beginning before it asks anything"
        return self.began

    def moved(self, **changes: Any) -> Place:
        """The same pass, further on."""
        return msgspec.structs.replace(self, **changes)

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(way=self.way, account=self.account, one_by_one=not self.whole)

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        return cursors.read(cursor, Place) or Place()
