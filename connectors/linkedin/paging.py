"""How a list is read that is counted off by places (`start`, `count`), and what becomes of one that shifts meanwhile.

What is removed while a list is read makes everything behind it move up, and one
item slips through between two answers. So answers overlap by one item: the
last one of an answer is to be met in the next. Where it is not, the answer
before is asked for once more. If that shows what it did, then nothing moved,
and LinkedIn merely left something out; else the list begins anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from connectors.errors import UnexpectedResponse
from connectors.linkedin.reading import NAMELESS
from connectors.pieces import Seen, Unread

T = TypeVar("T")

_TIMES_ANEW = 2
"""How often a list begins anew because it has shifted."""

_LONGEST = 200_000
"""No list of LinkedIn's goes on for so long: one that does has no end."""


class Spot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where in a list we are.

    `start` is the place that is asked for next, `last` the item that stood last
    in the answer before, which began at `before` and showed `shown`. While that
    one is asked for again, `checks` is set. `anew` counts how often the list
    began anew; `unsure` says that it shifted each time.
    """

    start: int = 0
    last: str = ""
    before: int = 0
    shown: str = ""
    checks: bool = False
    anew: int = 0
    unsure: bool = False
    ended: bool = False

    @property
    def asks(self) -> int:
        """The place to ask for."""
        return self.before if self.checks else self.start

    def fresh(self, items: Sequence[Seen[T]], name: Callable[[T], str]) -> list[Seen[T]]:
        """Those items of the answer at this place that the answer before did not show already."""
        return [] if self.checks else [seen for seen in items if name(seen.what) != self.last]

    def unmet(self, unread: Sequence[Unread]) -> list[Unread]:
        """Those that cannot be read of the answer at this place which the answer before did not show already."""
        if self.checks:
            return []
        met = next((one for one in unread if (one.id or NAMELESS) == self.last), None)
        return [one for one in unread if one is not met]

    def over(self) -> Spot:
        """The same list, of which nothing more is asked for."""
        return msgspec.structs.replace(self, checks=False, ended=True)


def onward(spot: Spot, ids: Sequence[str], size: int, *, total: int | None, leads: int | None) -> Spot:
    """Where to go on after an answer that showed `ids` of the `size` that were asked for.

    `total` is how many LinkedIn counts, where it says so, `leads` the place to
    which its own next link leads. A list that ends says so by its last answer
    being short, by its total, or by showing nothing and leading nowhere.
    """
    if leads is not None and leads <= spot.asks:
        raise UnexpectedResponse("LinkedIn leads on to where it has led before: a list has no end.")
    if spot.checks:
        return _checked(spot, ids)
    if spot.last and spot.last not in ids:
        return msgspec.structs.replace(spot, checks=True)
    if spot.start > _LONGEST:
        raise UnexpectedResponse(f"LinkedIn lists more than {_LONGEST} items: a list has no end.")
    if not ids and leads is not None:
        # What would have stood here is shown to nobody: the list goes on behind it.
        return msgspec.structs.replace(spot, start=leads, last="", before=spot.start, shown=_digest(ids))
    if not ids or (leads is None and _is_last(spot, ids, size, total)):
        return msgspec.structs.replace(spot, ended=True)
    return msgspec.structs.replace(
        spot,
        start=spot.start + size - 1,
        last=ids[-1],
        before=spot.start,
        shown=_digest(ids),
    )


def _is_last(spot: Spot, ids: Sequence[str], size: int, total: int | None) -> bool:
    return spot.start + size >= total if total is not None else len(ids) < size


def _checked(spot: Spot, ids: Sequence[str]) -> Spot:
    """What the answer before showed, asked for again, says of the list."""
    if _digest(ids) == spot.shown:
        return msgspec.structs.replace(spot, checks=False, last="")
    if spot.anew < _TIMES_ANEW:
        return Spot(anew=spot.anew + 1)
    return msgspec.structs.replace(spot, checks=False, last="", unsure=True)


def _digest(ids: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
