"""What answers a comment: all of it by its own list, and what stands inside a thread that is held back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from connectors import failing
from connectors.contract import Gap, Observation
from connectors.errors import UnexpectedResponse
from connectors.pieces import Malformed, Seen
from connectors.youtube import parse, reading
from connectors.youtube.asking import Asking
from connectors.youtube.reading import Answer
from connectors.youtube.shapes import Comment, Thread

_INSIDE = 5
"""So many answers stand inside a thread at most."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The answers that stand inside a thread, and whether there may be more of them that are held back."""

    seen: list[Observation]
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer of what answers a thread: what was shown, what of it could not be read, and what leads on."""

    seen: list[Observation]
    gaps: list[Gap]
    following: str | None


def unread(asking: Asking, found: Answer[Thread], root: str = "") -> list[Gap]:
    """A gap for each thread that cannot be read; `root` is the video that was asked for.

    In a list over the whole channel a thread is known only where it still tells under which video it stands.
    """
    gaps = []
    for one in found.unread:
        video = root or reading.told(found.body, one.span, "snippet", "videoId")
        name = one.id or reading.told(found.body, one.span, "snippet", "topLevelComment", "id")
        why = one.why if video or name is None else f"{one.why}; it bears the id {name}"
        told = replace(one, id=name if video else None, why=why)
        gaps += asking.gaps_of("a comment", [told], f"{video}/{{}}".format)
    return gaps


def below(asking: Asking, body: bytes, seen: Seen[Thread], root: str, ours: str) -> Inside:
    """What stands inside a thread that was listed among those held back.

    Answers that are held back are shown nowhere else, and only a few of them.
    """
    name, count = f"{root}/{seen.what.id}", seen.what.snippet.total_reply_count
    what = "answers that are held back"
    try:
        inside = reading.within(body, seen.span, Comment, "replies", "comments")
    except Malformed as fault:
        error = UnexpectedResponse(f"The answers inside the thread {seen.what.id}: {fault}.")
        return Inside([], [failing.gap(error, what, name)])
    observed = [parse.reply(one, root, seen.what.id, ours) for one in inside.items]
    gaps = asking.gaps_of("an answer that is held back", inside.unread, f"{root}/{{}}".format)
    shown = len(inside.items) + len(inside.unread)
    if shown >= _INSIDE and (count is None or count > shown):
        of = "an unknown number" if count is None else count
        why = f"YouTube shows {shown} of {of} answers, and those that are held back nowhere else"
        gaps.append(Gap(what=what, why=why, native_id=name))
    return Inside(observed, gaps)


class Answers:
    """What answers one thread, read to its end."""

    def __init__(self, asking: Asking, root: str, thread: str, ours: str) -> None:
        self._asking, self._root, self._thread, self._ours = asking, root, thread, ours

    def read(self, token: str) -> Iterator[Shown]:
        """Answer by answer from `token` on."""
        met: set[str] = set()
        while True:
            found = self._asking.replies(self._thread, token)
            following = found.following
            if following is not None and following in met:
                raise UnexpectedResponse(
                    f"YouTube leads on to where it has led before: the answers to {self._thread} have no end."
                )
            seen = [parse.reply(one, self._root, self._thread, self._ours) for one in found.items]
            gaps = self._asking.gaps_of("an answer", found.unread, f"{self._root}/{{}}".format)
            yield Shown(seen, gaps, following)
            if following is None:
                return
            met.add(following)
            token = following
