"""How far a pass has come: what a YouTube cursor holds. No key and no token of a person is in it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from connectors import lists
from connectors.youtube.quota import Spent

HELD, SPAM, PUBLISHED, UPLOADS = "heldForReview", "likelySpam", "published", "uploads"
STAGES = (HELD, SPAM, PUBLISHED, UPLOADS)
"""In the order in which a pass reads them: what is approved while it is read moves from a list to a later one."""

MOST_COUNTED = 2000
"""Of so many videos, and of so many threads, a cursor remembers what was counted."""

UNREAD = -1
"""A number of answers that no thread has: whatever it counts next, it is asked for."""

Below = tuple[str, str, str]
"""What a thread stands under, the thread, and where its list of answers goes on."""

Track = tuple[str, str, str]
"""A track of captions: its id, when it was last updated, and what it is called."""


class Place(lists.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `owner` says as whom the pass was begun: the channel itself is shown more.
    `at` is YouTube's own token for the next answer. `waiting` are threads whose answers are still to be read, `videos`
    videos whose comments are asked for by themselves, each with its token, and
    `films` videos that wait to be read with their captions.
    `tally` counts the comments that were shown of each video in this pass, and
    `total` those that YouTube counts. `uploads` is how many uploads it counted
    last: fewer than before means that the list has shifted, and it is read
    `again`. `shut` says that we are shown no comments at all, and need not ask
    video by video. `threads`, `held` and `posts` say whether everything was shown: of
    the comments, of the held ones, of the videos. `replied` is how many answers
    each thread had that began shortly before the span of a pass, `before` what
    the pass before knew of that; `UNREAD` where not all of them could be read. `captions` are the tracks whose words are kept
    already, by video. `spent` counts units, through all passes of this lane.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    channel: str = ""
    owner: bool | None = None
    stage: str = STAGES[0]
    at: str = ""
    waiting: tuple[Below, ...] = ()
    videos: tuple[tuple[str, str], ...] = ()
    films: tuple[str, ...] = ()
    tally: dict[str, int] = msgspec.field(default_factory=dict)
    total: int = 0
    uploads: int | None = None
    shifted: bool = False
    again: int = 0
    shut: bool = False
    threads: bool = True
    held: bool = True
    posts: bool = True
    replied: dict[str, int] = msgspec.field(default_factory=dict)
    before: dict[str, int] = msgspec.field(default_factory=dict)
    captions: dict[str, tuple[Track, ...]] = msgspec.field(default_factory=dict)
    spent: Spent = Spent()

    def beginning(self, stage: str) -> Place:
        return super().beginning(stage).moved(at="", waiting=(), videos=(), films=())

    def finished(self) -> Place:
        """Where the next pass begins."""
        newest = dict(list(self.replied.items())[-MOST_COUNTED:])
        return Place(channel=self.channel, before=newest, captions=self.captions, spent=self.spent)
