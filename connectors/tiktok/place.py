"""How far a pass has come: what a TikTok cursor holds. No token is in it."""

from __future__ import annotations

import msgspec

from connectors import cursors


class Waits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list that is still to be read: the comments of a video or, with `thread`, what answers one of them.

    `at` is where to go on, and `last` the item that stood before it: where
    another one stands in its place by then, something has slipped. `read`
    counts what was read of the list so far, and `odd` says that something in
    it could not be read.
    """

    video: str
    thread: str = ""
    at: int = 0
    last: str = ""
    read: int = 0
    odd: bool = False

    @property
    def name(self) -> str:
        """The native id of the item whose answers the list holds."""
        return f"{self.video}/{self.thread}" if self.thread else self.video


class Place(cursors.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list of videos, and where in it.

    `way` says by which door the pass was begun: the other one is shown other
    things. `account` is the account's id for the application. `at` is the
    moment before which videos are asked for next, `ended` whether there are
    none, and `posts` whether each of them could be read. `waiting` are the
    lists below them. `total` counts the comments that
    TikTok counts, and `whole` says whether all of them were shown. `one_by_one`
    is set after a pass that met a list which was not shown whole: what answers
    each item is then listed by itself, so that this one does not keep the
    others from being compared.
    """

    way: str = ""
    account: str = ""
    at: str = ""
    ended: bool = False
    posts: bool = True
    waiting: tuple[Waits, ...] = ()
    total: int = 0
    whole: bool = True
    one_by_one: bool = False

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(way=self.way, account=self.account, one_by_one=not self.whole)
