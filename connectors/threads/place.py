"""How far a pass has come: what a Threads cursor holds. No token is in it."""

from __future__ import annotations

from typing import ClassVar

from connectors import graph_passes

GHOSTS = "ghost_posts"
MENTIONS = "mentions"
OWN_REPLIES = "replies"
POSTS = "threads"
STAGES = (GHOSTS, MENTIONS, OWN_REPLIES, POSTS)
"""In the order in which a pass reads them: the account's own posts last, because their end closes the pass."""

CONVERSATION = "conversation"
"""Everything that answers a post, at any depth, in the order in which it was written."""
ANSWERED = "answered"
"""The same, of a post of which Threads says that it was answered: an empty list is then none that was shown whole."""
LATELY = "lately"
"""What answers a post that is older than the span of the pass: newest first, as far as it lies within the span."""
PENDING = "pending_replies"
"""What waits for the account's approval, or was ignored by it."""


class Place(graph_passes.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it; see `graph_passes.Place` for what is not said here.

    `waiting` are lists below posts, each by its kind (`CONVERSATION` and those
    that follow it), whose it is and what to ask for next; `odd` are the posts of
    what answers which one cannot be read.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    stage: str = STAGES[0]
    waiting: tuple[tuple[str, str, dict[str, str]], ...] = ()
    odd: tuple[str, ...] = ()
