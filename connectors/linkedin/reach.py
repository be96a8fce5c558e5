"""What a pass over a span of time asks for: the span itself, and posts from shortly before it that may be answered within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors import reach
from connectors.linkedin.reading import moment
from connectors.linkedin.shapes import Post

KEPT = timedelta(days=60)
"""For so long LinkedIn tells again what it had to tell."""

_OVERLAP = timedelta(hours=1)
"""By how much what is told anew reaches back into what was told already: it may be told late."""


@dataclass(frozen=True, slots=True)
class Reach(reach.Reach):
    """The span of a pass, open on a side that is None, and how far before it a post may have been published."""

    def holds(self, read: Post) -> bool:
        """Whether a post is read; one that bears no time belongs to every pass."""
        at = moment(read.published_at if read.published_at is not None else read.created_at)
        if at is None:
            return True
        return (self.earliest is None or at >= self.earliest) and (self.ends is None or at <= self.ends)

    def is_past(self, items: Sequence[Post]) -> bool:
        """Whether the list, of which the last changed comes first, holds nothing more that is asked for.

        What was published within the reach was changed no earlier.
        """
        told = reach.newest_first([moment(read.last_modified_at) for read in items])
        return self.earliest is not None and bool(told) and told[-1] < self.earliest

    def tells(
        self, began: datetime, told: tuple[datetime, datetime] | None
    ) -> tuple[datetime, datetime] | None:
        """From when until when LinkedIn is asked what it had to tell; `told` is what the passes before have heard.

        None where nothing of that lies within the span. A pass that has no
        beginning reads every post there is, and need not be told of any.
        """
        if self.begins is None and self.ends is not None:
            return None
        oldest = began - KEPT
        since = oldest if self.begins is None else max(oldest, self.begins)
        until = began if self.ends is None else min(began, self.ends)
        if since > until:
            return None
        if told is not None and told[0] <= since <= told[1]:
            since = max(since, told[1] - _OVERLAP)
        return (since, until) if since <= until else None
