"""How far a pass has come, and what this month's reading has cost: what a cursor of X holds. No token is in it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from connectors import cursors
from connectors.x.money import Account

LISTS, MESSAGES, POSTS, MENTIONS = "lists", "messages", "posts", "mentions"
STAGES = (LISTS, MESSAGES, POSTS, MENTIONS)
"""In the order in which a pass reads them."""

UNREAD = "unread"
"""Among what was not shown whole: something that cannot be read, whatever it answers."""

_MOST_LATER = 500


class Place(cursors.Staged, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `user` is the account's number and `since` when the last pass of this kind
    began. `at` is what the next answer is asked for with, `ended` whether there
    is none; `waiting` are conversations, quotations and answered posts that are
    still to be read. `seen` counts what each list showed, `oldest` is how far
    back it went, and `lacking` names those that were not shown whole. `later`
    holds, for later ids of edited posts, the id with which each began.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    user: str = ""
    since: datetime | None = None
    stage: str = STAGES[0]
    at: str = ""
    ended: bool = False
    waiting: tuple[str, ...] = ()
    seen: dict[str, int] = msgspec.field(default_factory=dict)
    oldest: dict[str, datetime] = msgspec.field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    later: dict[str, str] = msgspec.field(default_factory=dict)
    account: Account = Account()

    def after(self, stage: str) -> Place:
        """Where to go on once `stage` is read to its end."""
        return self.moved(stage=self.following(stage), at="", ended=False, waiting=())

    def lacks(self, what: str) -> Place:
        """The same pass, which was not shown everything of `what`."""
        return self.moved(lacking=tuple(sorted({*self.lacking, what})))

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(user=self.user, since=self.began, later=self.later, account=self.account)

    def knowing(self, account: Account, later: dict[str, str]) -> Place:
        """The same pass with what was paid so far, and with later ids of posts; the oldest are forgotten beyond some."""
        known = dict(list(later.items())[-_MOST_LATER:])
        return self.moved(account=account, later=known)
