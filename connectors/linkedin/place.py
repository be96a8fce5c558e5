"""How far a pass has come: what a LinkedIn cursor holds. No token and no name of a person is in it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from connectors import cursors
from connectors.linkedin.paging import Spot

POSTS, CHANGED, NOTICES, LATE = "posts", "changed", "notices", "late"
STAGES = (POSTS, CHANGED, NOTICES, LATE)
"""In the order in which a pass reads them: the posts, what changed while they were read, what LinkedIn has to tell by
itself, and older posts of which it told."""

MOST_KNOWN = 3000
"""Of so many posts a cursor remembers under which names LinkedIn knows them."""


class Below(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A list of comments that is to be read: of what answers the item `name` under `post`.

    `target` is what LinkedIn is asked for it with. `counted` is how many comments
    LinkedIn counts there, `answers` how many of those answer other comments and
    are not accounted for yet; both are None where it does not say. `partly` says
    that something which may stand there could not be read.
    """

    post: str
    name: str
    target: str
    counted: int | None = None
    answers: int | None = None
    partly: bool = False
    at: Spot = Spot()

    @property
    def top(self) -> bool:
        """Whether it is the post itself that is answered."""
        return self.name == self.post


class Place(cursors.Staged, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `page` is the organisation's number. `waiting` are lists of comments, the
    last one next; `late` posts that are read because LinkedIn told of them, and
    `met` those that a pass over a span of time has read. `aliases` say by which
    activity LinkedIn knows a post. `told` is from when until when the passes
    before have heard what LinkedIn had to tell. `posts` and `threads` say
    whether everything was shown; `shut` that we are shown no comments at all.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    page: str = ""
    stage: str = STAGES[0]
    at: Spot = Spot()
    several: bool = False
    waiting: tuple[Below, ...] = ()
    late: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    aliases: dict[str, str] = msgspec.field(default_factory=dict)
    told: tuple[datetime, datetime] | None = None
    heard: tuple[datetime, datetime] | None = None
    posts: bool = True
    threads: bool = True
    shut: bool = False
    total: int = 0

    def after(self, stage: str) -> Place:
        """Where to go on once `stage` is read to its end."""
        return self.moved(stage=self.following(stage), at=Spot(), waiting=())

    def knowing(self, aliases: dict[str, str]) -> Place:
        """The same pass, which knows these names of posts too; the oldest are forgotten beyond `MOST_KNOWN`."""
        if aliases.items() <= self.aliases.items():
            return self
        known = {**self.aliases, **aliases}
        return self.moved(aliases=dict(list(known.items())[-MOST_KNOWN:]))

    def finished(self) -> Place:
        """Where the next pass begins."""
        told, heard = self.told, self.heard
        if told is not None and heard is not None and told[0] <= heard[1] and heard[0] <= told[1]:
            heard = (min(told[0], heard[0]), max(told[1], heard[1]))
        return Place(page=self.page, aliases=self.aliases, told=heard or told)
