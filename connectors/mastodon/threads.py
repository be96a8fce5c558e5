"""Reads what answers a status, at any depth, and says of which answers it is certain that all were shown.

A server shows a thread in one answer, and bounds it: 4,096 answers to those
who sign in, to others 60, at most twenty deep. What reaches deeper is asked
for again from there. Where more answers are counted than shown, they may lie
beyond the bound, or be kept from the one who asks: Mastodon leaves out of a
thread whom the page itself blocks or mutes. So the thread is then asked for
once more without the token, as anybody sees it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.contract import Gap
from connectors.errors import AccessRevoked
from connectors.failing import IN_SUCCESSION
from connectors.mastodon.asking import Asking, NotGiven
from connectors.mastodon.parse import Status
from connectors.pieces import Seen, Sorted, Unread

MOST_FOR_OURS, MOST_FOR_ANYBODY = 4096, 60
DEEPEST_FOR_ANYBODY = 20


@dataclass(slots=True)
class Thread:
    """What stands above a status, what answers it, and of which statuses every answer was shown."""

    root: str
    above: list[Seen[Status]] = field(default_factory=list)
    below: dict[str, Seen[Status]] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()
    whole: bool = True
    failed: list[Gap] = field(default_factory=list)
    """Parts of it at which the server fails, and answers that cannot be read."""
    unread_above: list[Gap] = field(default_factory=list)
    """What stands above it and cannot be read."""

    def gaps(self) -> Iterator[Gap]:
        """What was counted and lies beyond what the server shows at once, or at which it fails."""
        yield from self.unread_above
        yield from self.failed
        if not self.whole and not self.failed:
            lacking = sum(one not in self.complete for one in (self.root, *self.below))
            yield Gap(
                what="answers in a long thread",
                why=f"the server shows {len(self.below)} answers of this thread and counts more under {lacking} of "
                f"its statuses: it shows {MOST_FOR_ANYBODY} at once to those who do not sign in, and "
                f"{MOST_FOR_OURS} to those who do",
                native_id=f"status:{self.root}",
            )


def read(asking: Asking, root: str, counted: int | None) -> Thread:
    """Read the thread below `root`, whose server counts so many direct answers (None: it does not say)."""
    thread = Thread(root)
    most = MOST_FOR_OURS if asking.connected else MOST_FOR_ANYBODY
    counts: dict[str, int | None] = {root: counted}
    waiting, asked, cut = [root], set[str](), set[str]()
    failing = 0
    odd: list[Unread] = []
    while waiting and failing < IN_SUCCESSION:
        at = waiting.pop()
        asked.add(at)
        told: Sorted[Status] = Sorted([])
        if at == root:
            above, told = asking.context(at)
            thread.above = above.items
            thread.unread_above = asking.statuses("a status that is answered", above)
        else:
            try:
                with asking.about("answers in a long thread", f"status:{root}") as asks:
                    _, told = asking.context(at)
            except NotGiven:
                # Removed since it was met: what answered it now hangs in the air.
                cut.add(at)
                continue
            if asks.gap is not None:
                thread.failed.append(asks.gap)
                cut.add(at)
                failing += 1
                continue
            failing = 0
        below = told.items
        odd += told.unread
        _take(thread, counts, below)
        shown = _answers(thread)
        branch = {at, *(seen.what.id for seen in below)}
        if asking.connected and _lacking(branch, counts, shown):
            with asking.about("answers that only others see", f"status:{root}") as asks:
                openly = _as_anybody(asking, at)
                odd += openly.unread
                _take(thread, counts, openly.items)
            if asks.gap is not None:
                thread.failed.append(asks.gap)
                cut.add(at)
            shown = _answers(thread)
        lacking = _lacking(branch, counts, shown)
        if len(below) + len(told.unread) + lacking >= most:
            cut.add(at)
            waiting += [one for one in branch - asked - {*waiting} if _lacking({one}, counts, shown)]
        if not asking.connected:
            deepest = _deepest(at, thread)
            waiting += [one for one in deepest - asked - {*waiting} if counts[one] != 0]
    met = {root, *thread.below}
    left = {one.id or one.span: one for one in odd if one.id not in met}
    thread.failed += asking.statuses("an answer", Sorted([], list(left.values())))
    shown = _answers(thread)
    thread.complete = frozenset(
        one
        for one in counts
        if not left  # whom that answers cannot be told
        and (not cut or (one in asked and one not in cut) or _all(counts[one], shown[one]))
    )
    thread.whole = len(thread.complete) == len(counts) and not thread.failed
    return thread


def _take(thread: Thread, counts: dict[str, int | None], below: list[Seen[Status]]) -> None:
    for seen in below:
        thread.below.setdefault(seen.what.id, seen)
        counts.setdefault(seen.what.id, seen.what.replies_count)


def _as_anybody(asking: Asking, at: str) -> Sorted[Status]:
    """The same thread as it is shown to those who do not sign in, where the server shows it to them."""
    try:
        return asking.context(at, openly=True)[1]
    except (AccessRevoked, NotGiven):
        return Sorted([])


def _answers(thread: Thread) -> Counter[str]:
    """How many direct answers to each status were shown."""
    return Counter(seen.what.in_reply_to_id or "" for seen in thread.below.values())


def _lacking(branch: set[str], counts: Mapping[str, int | None], shown: Mapping[str, int]) -> int:
    """How many direct answers are counted under these statuses and not shown."""
    return sum(max(0, (counts.get(one) or 0) - shown[one]) for one in branch)


def _all(counted: int | None, shown: int) -> bool:
    return counted is not None and shown >= counted


def _deepest(at: str, thread: Thread) -> set[str]:
    """The statuses that stand as deep under `at` as a thread is shown."""
    level = {at}
    children: dict[str, set[str]] = {}
    for one, seen in thread.below.items():
        children.setdefault(seen.what.in_reply_to_id or "", set()).add(one)
    for _ in range(DEEPEST_FOR_ANYBODY):
        level = set().union(*(children.get(one, set()) for one in level))
    return level
