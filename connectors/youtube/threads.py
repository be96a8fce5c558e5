"""What answers a comment: all of it by its own list, and what stands inside a thread that is held back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.contract import Gap, Observation
from connectors.errors import UnexpectedResponse
from connectors.pieces import Malformed, Seen
from connectors.youtube import parse, reading
from connectors.youtube.asking import Asking
from connectors.youtube.shapes import Comment, Thread

_INSIDE = 5
"""So many answers stand inside a thread at most."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The answers that stand inside a thread, and whether there may be more of them that are held back."""

    seen: list[Observation]
    gaps: list[Gap]


def below(body: bytes, seen: Seen[Thread], root: str, ours: str) -> Inside:
    """What stands inside a thread that was listed among those held back.

    Answers that are held back are shown nowhere else, and only a few of them.
    """
    try:
        items = reading.within(body, seen.span, Comment, "replies", "comments")
    except Malformed as fault:
        raise UnexpectedResponse(f"The answers inside the thread {seen.what.id}: {fault}.") from fault
    observed = [parse.reply(one, root, seen.what.id, ours) for one in items]
    gaps = []
    if len(items) >= _INSIDE and seen.what.snippet.total_reply_count > len(items):
        why = f"YouTube shows {len(items)} of {seen.what.snippet.total_reply_count} answers, and those that are held back nowhere else"
        gaps.append(Gap(what="answers that are held back", why=why, native_id=f"{root}/{seen.what.id}"))
    return Inside(observed, gaps)


class Answers:
    """What answers one thread, read to its end."""

    def __init__(self, asking: Asking, root: str, thread: str, ours: str) -> None:
        self._asking, self._root, self._thread, self._ours = asking, root, thread, ours

    def read(self, token: str) -> Iterator[tuple[list[Observation], str | None]]:
        """Answer by answer from `token` on: what was shown, and what leads on."""
        met: set[str] = set()
        while True:
            found = self._asking.replies(self._thread, token)
            following = found.following
            if following is not None and following in met:
                raise UnexpectedResponse(
                    f"YouTube leads on to where it has led before: the answers to {self._thread} have no end."
                )
            yield [parse.reply(one, self._root, self._thread, self._ours) for one in found.items], following
            if following is None:
                return
            met.add(following)
            token = following
