"""How far a pass has come, and what this month's reading has cost: what a cursor of X holds. No token is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from connectors import cursors
from connectors.contract import Cursor
from connectors.x.money import Account

LISTS, MESSAGES, POSTS, MENTIONS = "lists", "messages", "posts", "mentions"
STAGES = (LISTS, MESSAGES, POSTS, MENTIONS)
"""In the order in which a pass reads them."""

_MOST_LATER = 500


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `user` is the account's number and `since` when the last pass of this kind
    began. `at` is what the next answer is asked for with, `ended` whether there
    is none; `waiting` are conversations, quotations and answered posts that are
    still to be read. `seen` counts what each list showed, `oldest` is how far
    back it went, and `lacking` names those that were not shown whole. `later`
    holds, for later ids of edited posts, the id with which each began.
    """

    user: str = ""
    began: datetime | None = None
    since: datetime | None = None
    stage: str = STAGES[0]
    at: str = ""
    ended: bool = False
    waiting: tuple[str, ...] = ()
    seen: dict[str, int] = {}
    oldest: dict[str, datetime] = {}
    lacking: tuple[str, ...] = ()
    later: dict[str, str] = {}
    account: Account = Account()

    def begun(self) -> datetime:
        """When the pass began."""
        assert self.began is not None, "a pass notes its beginning before it asks anything"
        return self.began

    def moved(self, **changes: Any) -> Place:
        """The same pass, further on."""
        return msgspec.structs.replace(self, **changes)

    def after(self, stage: str) -> Place:
        """Where to go on once `stage` is read to its end."""
        following = STAGES[min(STAGES.index(stage) + 1, len(STAGES) - 1)]
        return self.moved(stage=following, at="", ended=False, waiting=())

    def lacks(self, what: str) -> Place:
        """The same pass, which was not shown everything of `what`."""
        return self.moved(lacking=tuple(sorted({*self.lacking, what})))

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(user=self.user, since=self.began, later=self.later, account=self.account)

    def cursor(self, account: Account, later: dict[str, str]) -> Cursor:
        """As text, for the archive to keep."""
        known = dict(list(later.items())[-_MOST_LATER:])
        return cursors.written(self.moved(account=account, later=known))

    @staticmethod
    def read(cursor: Cursor | None) -> Place:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        place = cursors.read(cursor, Place)
        return place if place and place.stage in STAGES else Place()
