"""One pass over an account: introduction, boards, what stands on each of them, then all pins of the account.

What stands on a board is asked for board by board, with its sections, since
others may have put something on a board that is shared, and the account's own
list does not hold it. That list comes last: it holds what the account put on
boards of others, and what moved from a board to one that had been read already.
It is not documented whether a board's list holds the pins of its sections, so
these are asked for as well.
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
from connectors.failing import Asked
from connectors.pieces import Seen
from connectors.pinterest import options, parse
from connectors.pinterest.asking import Asking, Rows
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
            return self._boards(boards.items), self._lead(path, boards), self._opened(boards.items)
        if path.endswith(_SECTIONS):
            above = path.removesuffix(_SECTIONS).rpartition("/")[2]
            sections = self._asked(path, bookmark, Section)
            found = [parse.section(one, above, self._place.hidden) for one in sections.items]
            inside = [(f"{path}/{one.what.id}/pins", "") for one in sections.items]
            return found, self._lead(path, sections), inside
        pins = self._asked(path, bookmark, Pin, self._of_pins(path))
        self._move(
            films=self._place.films + sum(parse.lacks_film(one.what) for one in pins.items if path == PINS)
        )
        shown = [parse.pin(one, self._ours, self._place.hidden) for one in pins.items]
        return shown, self._lead(path, pins), []

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
        closed = [
            one.what.id for one, told in zip(items, observed, strict=True) if told.state is State.HIDDEN
        ]
        self._move(hidden=tuple(dict.fromkeys([*self._place.hidden, *closed])))
        return observed

    def _opened(self, items: Sequence[Seen[Board]]) -> list[tuple[str, str]]:
        """The lists of a board: its sections, and its pins."""
        return [(f"boards/{one.what.id}/{what}", "") for one in items for what in ("sections", "pins")]

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


def _above(path: str) -> str:
    """The board of one of its lists, as it is known."""
    return f"{parse.BOARD}/{path.split('/')[1]}"
