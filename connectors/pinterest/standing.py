"""How single items stand, by the platform's own answer.

A pin of the account's own is *gone* where Pinterest answers the question for it
with 404 in its own words, in a visit in which it showed the account, and its
secret boards were open to us: else it may only have been moved to one of them.
The same holds for a board. A section has no address; it is gone with its board.

Of what others put on a shared board nothing is ever called gone: they may have
left the board, or taken their pin elsewhere. A throttle, a lacking permission
and an outage prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.contract import Gap, Kind, Sighting, State
from connectors.pinterest import parse
from connectors.pinterest.asking import Asking
from connectors.pinterest.options import MOST_AT_ONCE
from connectors.pinterest.reading import secret_boards
from connectors.pinterest.refusals import NotGiven
from connectors.pinterest.shapes import Account, Board, Pin, Section

_AT_ONCE = 50
"""So many items are told of in one batch."""
_MOST_SECTIONS = 20
"""So many answers of a board's list of sections are read to look for one."""


@dataclass(frozen=True, slots=True)
class Told:
    """How something stands, by which answer, and which exchange shows it."""

    state: State
    reason: str
    exchange: int
    odd: bool = False
    """Whether it is told in a shape that cannot be read."""


class Standing:
    """Asks one item after the other; what is asked of a board is asked once in a batch."""

    def __init__(self, asking: Asking, ours: Account) -> None:
        self._asking, self._ours = asking, ours
        self._shown = asking.last
        """The exchange that shows the account."""
        self._boards: dict[str, Told] = {}
        self._open: bool | None = None

    def of(self, wanted: Sequence[tuple[Kind, str]]) -> Iterator[tuple[list[Sighting], list[Gap]]]:
        """How these items stand, and at which of them Pinterest fails. Each pair belongs to one batch."""
        for begin in range(0, len(wanted), _AT_ONCE):
            names = [name for _, name in wanted[begin : begin + _AT_ONCE]]
            told: list[Sighting] = []
            gaps: list[Gap] = []
            for name in dict.fromkeys(names):
                with self._asking.about("how an item stands", name, unread=False) as asked:
                    one = self._one(name)
                if asked.gap is not None:
                    gaps.append(asked.gap)
                elif one is not None:
                    told.append(
                        Sighting(native_id=name, state=one.state, exchange=one.exchange, reason=one.reason)
                    )
            yield told, gaps
            self._boards, self._shown = {}, -1

    def _one(self, name: str) -> Told | None:
        match name.split("/"):
            case [parse.ACCOUNT, _]:
                return self._account(name)
            case [parse.BOARD, number]:
                return self._board(number)
            case [parse.SECTION, board, number]:
                return self._section(board, number)
            case [parse.SHARED, number]:
                return self._pin(number, own=False)
            case [number]:
                return self._pin(number, own=True)
            case _:
                return None

    def _account(self, name: str) -> Told:
        if self._shown < 0:
            self._ours = self._asking.one("user_account", Account).what
            self._shown = self._asking.last
        if name == parse.identity(self._ours):
            return Told(State.PRESENT, "200", self._shown)
        return Told(State.UNKNOWN, "200 for another account", self._shown)

    def _pin(self, number: str, *, own: bool) -> Told:
        try:
            seen = self._asking.readable(f"pins/{number}", Pin)
        except NotGiven as refused:
            if own:
                return self._refused(refused)
            why = f"{refused.fault.says}: removed, or no longer on a board that is shared"
            return Told(State.UNKNOWN, why, self._asking.last)
        if seen is None:
            return self._odd()
        shown, board = self._asking.last, seen.what.board_id
        above = self._board(board) if board else None
        if above is not None and above.state is State.HIDDEN:
            return Told(State.HIDDEN, f"200; its board: {above.reason}", shown)
        if above is not None and above.odd:
            return Told(State.UNKNOWN, f"200; its board: {above.reason}", shown)
        return Told(State.PRESENT, "200", shown)

    def _board(self, number: str) -> Told:
        if number not in self._boards:
            try:
                seen = self._asking.readable(f"boards/{number}", Board)
            except NotGiven as refused:
                self._boards[number] = self._refused(refused)
                return self._boards[number]
            if seen is None:
                self._boards[number] = self._odd()
            else:
                privacy = seen.what.privacy
                says = f"200 {privacy or ''}".rstrip()
                self._boards[number] = Told(parse.state_of(privacy), says, self._asking.last)
        return self._boards[number]

    def _section(self, board: str, number: str) -> Told:
        above = self._board(board)
        if above.state in {State.GONE, State.UNKNOWN}:
            return Told(above.state, f"{above.reason}, of its board", above.exchange)
        bookmark, met, odd = "", set[str](), False
        for _ in range(_MOST_SECTIONS):
            more = {"bookmark": bookmark} if bookmark else {}
            asked = {"page_size": str(MOST_AT_ONCE), **more}
            try:
                rows = self._asking.many(f"boards/{board}/sections", Section, asked)
            except NotGiven as refused:
                return Told(State.UNKNOWN, refused.fault.says, self._asking.last)
            if any(one.what.id == number for one in rows.items):
                return Told(above.state, above.reason, self._asking.last)
            odd = odd or any(one.number in {number, None} for one in rows.unread)
            if rows.bookmark is None or rows.bookmark in met:
                break
            bookmark = rows.bookmark
            met.add(bookmark)
        if odd:
            return self._odd()
        why = "200 without it, of its board: Pinterest tells no more of a section"
        return Told(State.UNKNOWN, why, self._asking.last)

    def _odd(self) -> Told:
        return Told(State.UNKNOWN, "200, in another shape than it promises", self._asking.last, odd=True)

    def _refused(self, refused: NotGiven) -> Told:
        shown, says = self._asking.last, refused.fault.says
        if not refused.not_found:
            return Told(State.UNKNOWN, says, shown)
        if not self._opens():
            why = f"{says}: removed, or on a secret board, which the permission does not open"
            return Told(State.UNKNOWN, why, shown)
        return Told(State.GONE, f"{says}; the account was shown, and its secret boards are open to us", shown)

    def _opens(self) -> bool:
        """Whether secret boards are open to us; asked once in a visit."""
        if self._open is None:
            self._open = secret_boards(self._asking) is None
        return self._open
