"""One pass over an account: introduction, boards, what stands on each of them, then all pins of the account.

What stands on a board is asked for board by board, with its sections, since
others may have put something on a board that is shared, and the account's own
list does not hold it. That list comes last: it holds what the account put on
boards of others, and what moved from a board to one that had been read already.
It is not documented whether a board's list holds the pins of its sections, so
these are asked for as well.

What stands in a list and cannot be read is a gap. A board is then asked for by
its number, or by the number that the account's own pins bear: for a pin is as
public as the board that it stands on, and without knowing that no pin is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Observation, Page, State
from connectors.errors import UnexpectedResponse
from connectors.failing import AGAIN, Asked
from connectors.pieces import Seen
from connectors.pinterest import options, parse
from connectors.pinterest.asking import Asking, Odd, Rows
from connectors.pinterest.place import BOARDS, PINS, Place
from connectors.pinterest.reading import introduction, secret_boards
from connectors.pinterest.refusals import NotGiven
from connectors.pinterest.shapes import Board, Pin, Section

_SECTIONS = "/sections"

_MOST_STALLED = 10
"""So many answers of a list without anything new, one after the other, are taken for a list without an end."""


class Pass:
    """A pass from `place` on."""

    def __init__(self, asking: Asking, name: str, page: Page, place: Place) -> None:
        self._asking, self._name = asking, name
        self._place = place if place.began is not None else place.moved(began=asking.now())
        self._size, self._metrics = options.at_once(page), options.metrics(page)
        self._gaps: list[Gap] = []
        self._met: dict[str, set[str]] = {}
        """Where each list has led so far."""
        self._known: dict[str, set[str]] = {}
        """What each list that is being read has shown so far."""
        self._stalled: Counter[str] = Counter()
        self._anew: set[str] = set()
        self._unclear: set[str] = set()
        """Boards of which it cannot be told who sees them."""

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the lists that wait."""
        seen = introduction(self._asking, self._name, self._place.account)
        self._ours = seen.what
        self._move(account=parse.identity(seen.what))
        if self._place.secret is None:
            self._secret()
        yield self._batch([parse.account(seen)])
        yield from self._ended(self._lists())

    def _secret(self) -> None:
        """Whether secret boards are open to us; what was on one that is not must not be called missing."""
        refused = secret_boards(self._asking)
        self._move(secret=refused is None)
        if refused is not None:
            why = f"{refused} (boards:read_secret and pins:read_secret)"
            self._gaps.append(Gap(what="secret boards, with what stands on them", why=why))

    def _lists(self) -> Iterator[Batch]:
        while self._place.waiting:
            (path, bookmark), *others = self._place.waiting
            try:
                with self._about(path) as asked:
                    observed, following, more = self._read(path, bookmark)
            except NotGiven as refused:
                if bookmark and refused.malformed and path not in self._anew:
                    # The place in the list is forgotten: the list is read anew, which misses nothing.
                    self._anew.add(path)
                    self._forget(path)
                    self._move(waiting=((path, ""), *others))
                    continue
                self._lacks(path, refused)
                self._move(waiting=tuple(others))
                yield self._batch()
                continue
            if asked.gap is not None:
                self._gaps.append(asked.gap)
                self._move(
                    waiting=tuple(others),
                    boards=self._place.boards and not path.endswith(_SECTIONS),
                    posts=False,
                )
                yield self._batch()
                continue
            again = ((path, following),) if following else ()
            # What stands on the boards is read before the account's own list, which is the last that waits.
            waits = (*again, *others[:-1], *more, *others[-1:]) if others else (*again, *more)
            self._move(waiting=waits)
            yield self._batch(observed)

    def _about(self, path: str) -> AbstractContextManager[Asked]:
        """What is asked of one board may fail alone; what is asked of the account may not."""
        if path in {BOARDS, PINS}:
            return nullcontext(Asked())
        what = "sections of a board" if path.endswith(_SECTIONS) else "pins"
        return self._asking.about(what, _above(path))

    def _read(self, path: str, bookmark: str) -> tuple[list[Observation], str | None, list[tuple[str, str]]]:
        """One answer of a list: what it shows, the bookmark that leads on, and the lists that it opens."""
        if path == BOARDS:
            boards = self._asked(path, bookmark, Board)
            following, opened = self._lead(path, boards), self._opened(boards.items)
            observed = self._boards(boards.items)
            for one in boards.unread:
                told, more = self._odd_board(one)
                observed += told
                opened += more
            return observed, following, opened
        if path.endswith(_SECTIONS):
            above = path.removesuffix(_SECTIONS).rpartition("/")[2]
            sections = self._asked(path, bookmark, Section)
            self._lacks_items("a section of a board", sections.unread, f"{parse.SECTION}/{above}/")
            found = [parse.section(one, above, self._place.hidden) for one in sections.items]
            numbers = [one.what.id for one in sections.items]
            numbers += [one.number for one in sections.unread if one.number is not None]
            return found, self._lead(path, sections), [(f"{path}/{one}/pins", "") for one in numbers]
        pins = self._asked(path, bookmark, Pin, self._of_pins(path))
        following, shown = self._lead(path, pins), pins.items
        for odd in pins.unread:
            shared = f"{parse.SHARED}/" if odd.own is False else None
            self._lacks_items("a pin", [odd], "" if odd.own or path == PINS else shared)
        boards_found, opened = self._beyond(shown) if path == PINS and self._place.odd else ([], [])
        shown = [one for one in shown if one.what.board_id not in self._unclear]
        self._move(films=self._place.films + sum(parse.lacks_film(one.what) for one in shown if path == PINS))
        told = [parse.pin(one, self._ours, self._place.hidden) for one in shown]
        return [*boards_found, *told], following, opened

    # -- boards that are told in another shape -------------------------------------------------------------

    def _odd_board(self, odd: Odd) -> tuple[list[Observation], list[tuple[str, str]]]:
        """A board that could not be read in its list: as it is told by its number, and else its gap; with its lists where it is known who sees them."""
        number = odd.number
        seen, _ = self._by_number(number) if number is not None else (None, True)
        if seen is not None:
            return self._boards([seen]), self._opened([seen])
        self._lacks_items("a board", [odd], f"{parse.BOARD}/")
        self._move(odd=True)
        if number is None or odd.privacy is None:
            return [], []
        self._met_board(number, parse.state_of(odd.privacy))
        return [], _lists_of(number)

    def _beyond(self, pins: Sequence[Seen[Pin]]) -> tuple[list[Observation], list[tuple[str, str]]]:
        """Boards that these pins stand on and that no list told in a shape that can be read."""
        observed: list[Observation] = []
        opened: list[tuple[str, str]] = []
        numbers = dict.fromkeys(one.what.board_id for one in pins)
        for number in numbers:
            if number is None or number in self._place.met or number in self._unclear:
                continue
            seen, shown = self._by_number(number)
            if seen is not None:
                told = self._boards([seen])
                if parse.is_shared(seen.what, self._ours):
                    observed += told
                    opened += self._opened([seen])
            elif shown:
                self._unclear.add(number)
                why = "it cannot be told whether the public sees the board that they stand on"
                self._gaps.append(
                    Gap(what="pins", why=f"{why}. {AGAIN}", native_id=f"{parse.BOARD}/{number}")
                )
            else:
                self._move(met=(*self._place.met, number))
        return observed, opened

    def _by_number(self, number: str) -> tuple[Seen[Board] | None, bool]:
        """A board as it is told by its number, where it can be read, and whether it may be shown."""
        with self._asking.about("a board", f"{parse.BOARD}/{number}") as asked:
            try:
                return self._asking.readable(f"boards/{number}", Board), True
            except NotGiven as refused:
                return None, not refused.not_found
        if asked.gap is not None:
            self._gaps.append(asked.gap)
        return None, True

    def _lacks_items(self, what: str, unread: Sequence[Odd], begins: str | None) -> None:
        """Items of a list that cannot be read; their native ids are their numbers behind what they begin with, where that is known."""
        for one in unread:
            name = f"{begins}{one.number}" if begins is not None and one.number is not None else None
            self._gaps += (replace(gap, native_id=name) for gap in self._asking.gaps_of(what, [one.what]))
            self._move(boards=self._place.boards and what == "a pin", posts=False)

    def _asked(
        self, path: str, bookmark: str, shape: type[Any], more: Mapping[str, str] | None = None
    ) -> Rows[Any]:
        asked = {"page_size": str(self._size), **(more or {}), **({"bookmark": bookmark} if bookmark else {})}
        return self._asking.many(path, shape, asked)

    def _of_pins(self, path: str) -> dict[str, str]:
        """What a list of pins is asked for besides: that of a section knows none of it."""
        asked: dict[str, str] = {}
        if self._metrics and _SECTIONS not in path:
            asked["pin_metrics"] = "true"
        if path == PINS:
            asked["include_protected_pins"] = "true"
        return asked

    def _boards(self, items: Sequence[Seen[Board]]) -> list[Observation]:
        observed = [parse.board(one) for one in items]
        for one, told in zip(items, observed, strict=True):
            self._met_board(one.what.id, told.state)
        return observed

    def _met_board(self, number: str, state: State) -> None:
        """Note who sees a board."""
        place, closed = self._place, [number] if state is State.HIDDEN else []
        self._move(
            met=tuple(dict.fromkeys([*place.met, number])),
            hidden=tuple(dict.fromkeys([*place.hidden, *closed])),
        )

    def _opened(self, items: Sequence[Seen[Board]]) -> list[tuple[str, str]]:
        """The lists of these boards."""
        return [one for board in items for one in _lists_of(board.what.id)]

    def _lead(self, path: str, rows: Rows[Any]) -> str | None:
        """What to ask with next; an error where the list has led there before."""
        if rows.bookmark is None:
            self._forget(path)
            return None
        met, known = self._met.setdefault(path, set()), self._known.setdefault(path, set())
        shown = {str(one.what.id) for one in rows.items}
        self._stalled[path] = 0 if shown - known else self._stalled[path] + 1
        known |= shown
        if rows.bookmark in met or self._stalled[path] > _MOST_STALLED:
            raise UnexpectedResponse(f"Pinterest leads on to where it has led before: {path} has no end.")
        met.add(rows.bookmark)
        return rows.bookmark

    def _forget(self, path: str) -> None:
        """Where a list has led, and what it has shown."""
        self._met.pop(path, None)
        self._known.pop(path, None)
        self._stalled.pop(path, None)

    def _lacks(self, path: str, refused: NotGiven) -> None:
        """A list was refused. One whose board was removed since it was listed is none that was missed."""
        if refused.not_found and path not in {BOARDS, PINS} and not self._stands(path):
            return
        if path == BOARDS:
            self._gaps.append(Gap(what="boards", why=refused.why))
            self._move(boards=False, posts=False)
        elif path.endswith(_SECTIONS):
            self._gaps.append(Gap(what="sections of a board", why=refused.why, native_id=_above(path)))
            self._move(boards=False, posts=False)
        else:
            name = None if path == PINS else _above(path)
            self._gaps.append(Gap(what="pins", why=refused.why, native_id=name))
            self._move(posts=False)

    def _stands(self, path: str) -> bool:
        """Whether Pinterest shows the board of a list that it says it does not know; where it fails at that, it may."""
        name = _above(path)
        with self._asking.about("a board", name) as asked:
            try:
                self._asking.one(name.replace(f"{parse.BOARD}/", "boards/"), Board)
            except NotGiven as refused:
                return not refused.not_found
        if asked.gap is not None:
            self._gaps.append(asked.gap)
        return True

    # -- how a pass goes on and ends -----------------------------------------------------------------------

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass."""
        last = yield from but_the_last(batches)
        assert last is not None, "a pass reads at least the account's own pins, or fails"
        yield self._closed(last)

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        place, exchange = self._place, len(last.exchanges) - 1
        states = (State.PRESENT, State.HIDDEN) if place.secret else (State.PRESENT,)
        kinds = [*([Kind.POST] if place.posts else []), *([Kind.PROFILE] if place.boards else [])]
        listings = [place.listing([kind], exchange, states) for kind in kinds]
        gaps = list(last.gaps)
        if place.films:
            gaps.append(
                Gap(
                    what=f"the videos of {place.films} pins",
                    why="Pinterest tells their addresses (video_url) only to applications that it permits; their covers "
                    "were captured. Ask for it at developers.pinterest.com, or keep the files that were published",
                )
            )
        return replace(
            last, listings=tuple(listings), gaps=tuple(gaps), resume_from=place.finished().cursor()
        )

    def _move(self, **changes: Any) -> None:
        self._place = self._place.moved(**changes)

    def _batch(self, observed: Sequence[Observation] = ()) -> Batch:
        gaps, self._gaps = self._gaps, []
        return self._asking.batch(self._place.cursor(), observed, gaps=gaps)


def _lists_of(number: str) -> list[tuple[str, str]]:
    """The lists of a board: its sections, and its pins."""
    return [(f"boards/{number}/{what}", "") for what in ("sections", "pins")]


def _above(path: str) -> str:
    """The board of one of its lists, as it is known."""
    return f"{parse.BOARD}/{path.split('/')[1]}"
