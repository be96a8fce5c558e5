"""What stands below a video: its comments, and what answers each of them, answer by answer.

Comments are counted off by places: one that is removed while they are read
makes another one slip through. So each answer is asked for from the last item
of the one before. Where another item stands there, the list has shifted and is
read again.

TikTok promises its order for the first five hundred comments of a video. What
lies beyond is read as far as it is shown, and nothing there is called missing.

A comment that stands in a list and cannot be read is a gap; what answers it is
not asked for, and the list that it stands in is not promised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from connectors.contract import Gap, Observation
from connectors.errors import UnexpectedResponse
from connectors.failing import Asked
from connectors.tiktok import parse
from connectors.tiktok.doors import Accounts, Said
from connectors.tiktok.place import Waits
from connectors.tiktok.reach import Reach
from connectors.tiktok.refusals import NotGiven

_IN_ORDER = 500
"""So many comments of a video are listed in the order that was asked for."""

_MOST_STALLED = 20
"""So many answers of a list without anything new, one after the other, are taken for a list without an end."""

_TIMES_AGAIN = 2
"""How often a list is read again because it has shifted."""

_LONGEST_PLACE = 15


class Below:
    """Reads lists of comments one answer at a time, and notes what it was not shown.

    `gaps` are what is known to be missing, `listed` the items of which
    everything was shown that answers them, `whole` whether that is so of all.
    Whoever reads takes them out.
    """

    def __init__(self, door: Accounts, reach: Reach) -> None:
        self._door, self._reach = door, reach
        self.gaps: list[Gap] = []
        self.listed: list[str] = []
        self.whole = True
        self._again: Counter[str] = Counter()
        self._met: dict[str, set[str]] = {}
        self._known: dict[str, set[str]] = {}
        self._stalled: Counter[str] = Counter()
        self._odd: set[str] = set()
        """Comments that cannot be read, and were said to be: a list may tell one again."""

    def step(self, one: Waits) -> tuple[list[Observation], list[Waits]]:
        """What the next answer of a list shows, and what is to be read after it, the last one first."""
        what, asking, asked = "answers" if one.thread else "comments", self._door.asking, Asked()
        try:
            with asking.about(what, one.name) as asked:
                return self._read(one)
        except NotGiven as refused:
            if not refused.not_found or self._stands(one):
                self._lacks(what, refused.why, one.name)
            # Else it was removed since it was listed: the next pass will say how it stands.
        if asked.gap is not None:
            self.gaps.append(asking.lacking(asked.gap))
        self.whole = False
        return [], []

    def _stands(self, one: Waits) -> bool:
        """Whether TikTok shows what a list stands below, which it says that it does not know; something that cannot be read may be it."""
        try:
            if one.thread:
                return bool({one.thread, ""} & {*self._door.picked(one.video, [one.thread]).shown})
            found = self._door.named([one.video])
            return bool({one.video, ""} & {*found.odd, *(seen.native_id for seen in found.observed)})
        except NotGiven as refused:
            return not refused.not_found

    def _read(self, one: Waits) -> tuple[list[Observation], list[Waits]]:
        at = one.at - 1 if one.last else one.at
        found = self._door.below(one.video, one.thread, at)
        self._notes(found)
        # What stands first and cannot be read may be the one that was last.
        may_be = {*found.shown, one.last if found.shown[:1] == [""] else ""}
        if one.last and one.last not in may_be and self._begins_anew(one):
            return found.observed, [Waits(one.video, one.thread)]
        left: list[Waits] = []
        if found.following is not None and not self._reach.is_past(found.times):
            left.append(self._next(one, at, found))
        else:
            self._ends(one, found)
        if one.thread:
            return found.observed, left
        left += (Waits(one.video, name) for name in reversed(self._within(found, found.answered)))
        self.listed += self._unanswered(one.video, found)
        return parse.once([*found.observed, *self._covered(one.video, found)]), left

    def _begins_anew(self, one: Waits) -> bool:
        """Whether a list that has shifted is read again; after some times it is said to be uncertain, and read on."""
        self._again[one.name] += 1
        self._forget(one)
        if self._again[one.name] <= _TIMES_AGAIN:
            return True
        self._lacks("comments", "some were removed each time while they were read", one.name)
        return False

    def _next(self, one: Waits, at: int, found: Said) -> Waits:
        """Where a list goes on: with the last item again where its places can be counted, else where TikTok says."""
        leads, met = found.following or "", self._met.setdefault(one.name, set())
        known = self._known.setdefault(one.name, set())
        self._stalled[one.name] = 0 if set(found.names) - known else self._stalled[one.name] + 1
        known.update(found.names)
        if leads in met or self._stalled[one.name] > _MOST_STALLED:
            raise UnexpectedResponse(
                f"TikTok leads on to where it has led before: what answers {one.name} has no end."
            )
        if not (leads.isdecimal() and len(leads) <= _LONGEST_PLACE):
            raise UnexpectedResponse(f"TikTok leads on to no place of a list, below {one.name}.")
        met.add(leads)
        counted = bool(found.shown) and int(leads) == at + len(found.shown)
        read = one.read + len(found.shown)
        last = found.shown[-1] if counted and read < _IN_ORDER else ""
        return Waits(one.video, one.thread, int(leads), last, read, one.odd or found.odd)

    def _ends(self, one: Waits, found: Said) -> None:
        """The list is read as far as it is wanted."""
        self._forget(one)
        if one.read + len(found.shown) > _IN_ORDER:
            why = f"TikTok lists only the first {_IN_ORDER} in their order: of those beyond, some may be left out"
            self._lacks("comments", why, one.name)
        elif self._again[one.name] <= _TIMES_AGAIN and not (one.odd or found.odd):
            self.listed.append(one.name)

    def _within(self, found: Said, names: Sequence[str]) -> list[str]:
        """Those of these comments that may be answered within the span."""
        return [name for name in names if self._reach.reaches(found.times[found.names.index(name)])]

    def _unanswered(self, video: str, found: Said) -> list[str]:
        """Those that have no answers: that is everything that answers them."""
        answered = {*found.answered, *found.covered}
        return [f"{video}/{name}" for name in found.names if name not in answered]

    def _covered(self, video: str, found: Said) -> list[Observation]:
        """What answers comments that are hidden: TikTok has no list of it, and tells up to three with the comment."""
        names = self._within(found, found.covered)
        if not names:
            return []
        with self._door.asking.about("answers to hidden comments", video) as asked:
            told = self._door.picked(video, names, inside=True)
            self._notes(told)
        if asked.gap is not None:
            self.gaps.append(self._door.asking.lacking(asked.gap))
            self.whole = False
            return []
        odd = {*told.shown} - {*told.names}
        for name in names:
            if name in told.names and name not in {*told.short, *told.within}:
                self.listed.append(f"{video}/{name}")
            elif name in told.within or (name not in told.names and {name, ""} & odd):
                self.whole = False  # and it is a gap already
            else:
                why = "the comment is hidden, and TikTok tells at most three answers to a hidden one"
                self._lacks("answers", why, f"{video}/{name}")
        return told.observed

    def _forget(self, one: Waits) -> None:
        """Where a list has led, and what it has shown."""
        self._met.pop(one.name, None)
        self._known.pop(one.name, None)
        self._stalled.pop(one.name, None)

    def _notes(self, found: Said) -> None:
        """Take along what is said of comments that cannot be read, of each once."""
        self.gaps += [one for one in found.gaps if one.native_id is None or one.native_id not in self._odd]
        self._odd |= {one.native_id for one in found.gaps if one.native_id is not None}
        self.whole = self.whole and not found.gaps

    def _lacks(self, what: str, why: str, name: str) -> None:
        self.gaps.append(Gap(what=what, why=why, native_id=name))
        self.whole = False
