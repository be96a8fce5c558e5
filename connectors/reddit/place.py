"""How far a pass has come: what a cursor of Reddit holds. No token is in it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from connectors import lists

SPAM, QUEUE, EDITED, COMMENTS, NEW, TREES, LOG = (
    "spam",
    "modqueue",
    "edited",
    "comments",
    "new",
    "trees",
    "log",
)
STAGES = (SPAM, QUEUE, EDITED, COMMENTS, NEW, TREES, LOG)
"""In the order in which a pass reads them. Which submissions' comments are read is known after `new`."""


class Place(lists.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `page` is the full name of the subreddit or account: a name may come to be
    another's. `moderator` says as whom the pass was begun: moderators are shown
    more. `at` is after which thing the next answer begins, `listed` how many things the list has shown. `trees` are the
    submissions whose comments are still to be read, and `linked` those that
    somebody has commented on within the span. `reached` says that the list of
    comments goes back to before the span. `since` is when the oldest
    submission was published of a list that Reddit cuts off, and `total` how
    many comments it counts. `posts`, `comments` and `held` say whether
    everything was shown: of the submissions, of the comments, of what is removed.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    page: str = ""
    moderator: bool | None = None
    stage: str = STAGES[0]
    at: str = ""
    listed: int = 0
    trees: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    reached: bool = False
    since: datetime | None = None
    total: int = 0
    posts: bool = True
    comments: bool = True
    held: bool = True

    def beginning(self, stage: str) -> Place:
        return super().beginning(stage).moved(at="", listed=0)

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(page=self.page)
