"""How far a pass has come: what a Mastodon cursor holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from connectors import cursors

LISTS, STATUSES, MENTIONS, CONVERSATIONS = "lists", "statuses", "mentions", "conversations"
STAGES = (LISTS, STATUSES, MENTIONS, CONVERSATIONS)


class Place(cursors.Staged, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The stage that is read, and where in it.

    `at` is the id after which (statuses) or before which (mentions,
    conversations) the next answer begins; `waiting` are statuses whose answers are still to be read.
    `since` is when the last pass began: what was edited before it has been
    kept with its earlier texts. `seen` counts the account's own statuses, and
    `before` is what the last pass counted. `whole`, `threads` and `profile`
    say whether everything was shown: of the statuses and mentions, of what
    answers them, of the lists; `messages` whether every conversation was. `one_by_one` is set after a pass that met a
    thread too long to be shown whole: threads are then listed one by one, so
    that this one does not keep the others from being compared. `texts` says
    whether all earlier texts were told that were asked for; `elsewhere` are
    those that wait and answer something, which their thread alone shows.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    account: str = ""
    moved_to: str = ""
    since: datetime | None = None
    stage: str = STAGES[0]
    at: str = ""
    waiting: tuple[tuple[str, int | None], ...] = ()
    seen: int = 0
    before: int = 0
    whole: bool = True
    threads: bool = True
    messages: bool = True
    profile: bool = True
    one_by_one: bool = False
    texts: bool = True
    elsewhere: tuple[str, ...] = ()

    def finished(self, margin: timedelta) -> Place:
        """Where the next pass begins."""
        return Place(
            account=self.account,
            moved_to=self.moved_to,
            since=self.begun() - margin if self.texts else self.since,
            before=self.seen,
            one_by_one=not self.threads,
        )
