"""Reads a listing row by row so that nothing slips away when a row is removed meanwhile.

WordPress counts rows: "the hundred after the first hundred". If one of the
first hundred is removed between two questions, the second answer begins one
item too late. Rows are therefore asked for by number, ascending, so that new
items only come at the end, and each question goes back some rows over what is
already read: an answer that does not begin at or before the highest number
seen is not trusted, and we step back until one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from connectors.errors import UnexpectedResponse
from connectors.pieces import Seen


class Numbered(Protocol):
    """Anything that WordPress lists: it has a number."""

    id: int


N = TypeVar("N", bound=Numbered)

Ask = Callable[[int], tuple[list[Seen[N]], int | None]]
"""Asks for the rows from an offset on; gives the items that the site shows of them, and its total of rows."""


@dataclass(frozen=True, slots=True)
class Leaf(Generic[N]):
    """One answer, with the place to go on from: the next `offset`, and the highest number seen (`last`).

    `fresh` is how many items were not seen before, `finished` whether the
    rows have come to their end, `slipped` whether something may be missing
    that no stepping back brought to light: a long run of rows that the site
    counts and does not show.
    """

    items: list[Seen[N]]
    total: int | None
    offset: int
    last: int
    fresh: int
    finished: bool
    slipped: bool


def leaves(ask: Ask[N], size: int, offset: int = 0, last: int = 0) -> Iterator[Leaf[N]]:
    """Read on from `offset`, `size` rows at a time; MAY repeat items, MUST miss none that stays.

    A site that answers different questions with the same items raises
    `UnexpectedResponse`: it would never end.
    """
    overlap = max(1, size // 20)
    doubted: set[int] = set()
    before: list[int] = []
    while True:
        items, total = ask(offset)
        numbers = [seen.what.id for seen in items]
        if len(numbers) > 1 and numbers == before:
            raise UnexpectedResponse(
                "The site answers page after page with the same items: something before it ignores what is asked."
            )
        reaches_back = offset == 0 or (bool(numbers) and min(numbers) <= last)
        if not reaches_back and offset not in doubted:
            doubted.add(offset)
            before, offset = [], max(0, offset - (size - overlap))
            # What this answer shows is kept, but read again on the way: it does not count as seen yet.
            yield Leaf(items, total, offset, last, 0, finished=False, slipped=False)
            continue
        fresh = sum(number > last for number in numbers)
        finished = offset + size >= total if total is not None else not fresh
        before, offset, last = numbers, offset + size - overlap, max([last, *numbers])
        yield Leaf(items, total, offset, last, fresh, finished, slipped=not reaches_back)
        if finished:
            return
