"""One visit to a platform: what is asked is gathered until a batch takes it along."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import ClassVar, Self, TypeVar

from connectors import failing
from connectors.contract import (
    Batch,
    Cursor,
    Exchange,
    Gap,
    Listing,
    Observation,
    Sighting,
    Span,
    State,
)
from connectors.errors import ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.failing import AGAIN, FAMILY, IN_SUCCESSION, Asked, Failing
from connectors.http import decoded
from connectors.pieces import Malformed, Unread, packed

T = TypeVar("T")

_FAILING = 500
_LONG = 300
"""A query of more characters is left out of what a person is told."""


def where(exchange: Exchange) -> str:
    """What was asked, for a person: without a query that is longer than anybody reads. The exchange has it whole."""
    address, _, query = exchange.url.partition("?")
    return f"{address}?…" if len(query) > _LONG else exchange.url


class About:
    """The question about one object, as a context; see `Visit.about`."""

    def __init__(self, visit: Visit, what: str, native_id: str, *, unread: bool) -> None:
        self._visit, self._what, self._native_id, self._unread = visit, what, native_id, unread
        self._asked = Asked()

    def __enter__(self) -> Asked:
        return self._asked

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        return self._visit.weighs(self._asked, error, self._what, self._native_id, unread=self._unread)


class Visit:
    """Gathers exchanges. An error on the way takes along those that led to it."""

    unread_is_apart: ClassVar[bool] = False
    """Whether an answer about one object that cannot be read is a gap of that object: so where every list that it belongs to takes note."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._failing = Failing()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ConnectorError):
            error.exchanges = (*self._exchanges, *self._others(error.exchanges))

    def _others(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Those of `exchanges` that are not gathered yet."""
        return [one for one in exchanges if all(one is not kept for kept in self._exchanges)]

    def about(self, what: str, native_id: str, *, unread: bool = True) -> About:
        """Ask for one object; where the platform fails at it alone, its `gap` is told and nothing raised.

        `what` of it is asked for. The exchanges that show the failure are
        gathered. With `unread`, and where it `unread_is_apart`, an answer that cannot be read is such a
        failure too: not where it is asked how an item stands, for a page to
        sign in is met there first. See `connectors.failing` for what whoever
        asks then owes.
        """
        return About(self, what, native_id, unread=unread)

    def weighs(
        self, asked: Asked, error: BaseException | None, what: str, native_id: str, *, unread: bool = False
    ) -> bool:
        """Whether what came of asking for one object is taken note of, and need not be raised."""
        if isinstance(error, TryAgainLater):
            if not self.is_apart(error):
                return False
        elif not (unread and isinstance(error, UnexpectedResponse) and self.is_apart(error)):
            if error is None or isinstance(error, Exception):
                self._failing.answered()
            return False
        asked.gap = self._failing.passed_over(error, what, native_id)
        if asked.gap is not None:
            self.failed(error)
        return asked.gap is not None

    def failed(self, error: ConnectorError) -> None:
        """Gather the exchanges of an error that the visit outlives."""
        self._exchanges += self._others(error.exchanges)

    def is_apart(self, error: ConnectorError) -> bool:
        """Whether an error can be of one object among those that were asked for: the platform fails at it, or tells of it what cannot be read."""
        if isinstance(error, TryAgainLater):
            return self.fails_alone(error)
        shown = error.exchanges or self._exchanges
        return (
            self.unread_is_apart
            and type(error) is UnexpectedResponse
            and bool(shown)
            # What breaks off on the way says nothing of what was asked for, unless it is for its length.
            and shown[-1].truncated in (None, "length")
        )

    def one_family(self, root: str, batches: Iterator[Batch], resume_from: Cursor) -> Iterator[Batch]:
        """The batches that tell of one post with what answers it; where the platform fails at it, its gap ends them."""
        with self.about(FAMILY, root) as asked:
            yield from batches
        if asked.gap is not None:
            yield self.batch(resume_from, gaps=[asked.gap])

    def piecemeal(
        self, what: str, names: Sequence[str], ask: Callable[[Sequence[str]], T], *, of: str | None = None
    ) -> tuple[list[T], list[Gap]]:
        """Ask for several objects at once; where the platform fails at one of them, by halves until it is found.

        Returns the answers, and a gap for each object that is in none of them.
        `of` is the one object that all of them belong to, and as which they
        fail. Where several fail one after the other, no more halves are made.
        """
        answers: list[T] = []
        gaps: list[Gap] = []
        left, failed = deque([list(names)] if names else []), 0
        while left:
            some = left.popleft()
            with self.about(what, of or some[0], unread=False) as asked:
                answers.append(ask(some))
            if asked.gap is None:
                failed = 0
            elif len(some) > 1 and failed < IN_SUCCESSION:
                half = len(some) // 2
                left.extendleft([some[half:], some[:half]])
            else:
                failed += 1
                gaps += [replace(asked.gap, native_id=one) for one in some]
        return answers, gaps

    def standing(
        self, names: Sequence[str], ask: Callable[[Sequence[str]], Sequence[Sighting]]
    ) -> list[Sighting]:
        """How these items stand, by `ask`; unknown, with the platform's answer, where it fails at one alone."""
        answers, gaps = self.piecemeal("how it stands", names, ask)
        failed = [index for index, one in enumerate(self._exchanges) if one.status >= _FAILING]
        shown = failed[-1] if failed else self.last
        unknown = (
            Sighting(native_id=gap.native_id, state=State.UNKNOWN, exchange=shown, reason=gap.why)
            for gap in gaps
            if gap.native_id is not None
        )
        return [*(one for answer in answers for one in answer), *unknown]

    def fails_alone(self, error: TryAgainLater) -> bool:
        """Whether an error can be of the one object that was asked for; a platform MAY narrow it."""
        return failing.fails_alone(error)

    @property
    def last(self) -> int:
        """The index, in the next batch, of the exchange asked last."""
        return len(self._exchanges) - 1

    def _read(self, exchange: Exchange, reader: Callable[[bytes], T]) -> T:
        """What an answer says, by a reader of bodies; `UnexpectedResponse` where it says `Malformed`."""
        try:
            return reader(decoded(exchange))
        except Malformed as fault:
            raise UnexpectedResponse(f"{where(exchange)}: {fault}.") from fault

    def gaps_of(
        self, what: str, unread: Iterable[Unread], name: Callable[[str], str | None] = str
    ) -> list[Gap]:
        """A gap for each item of a list that cannot be read; `name` makes its native id of the id that it bears.

        See `connectors.failing` for what whoever takes them owes.
        """
        return [
            Gap(
                what=what,
                why=f"{where(self._exchanges[one.span.exchange])}: it is of another shape than its list promises: {one.why}. {AGAIN}",
                native_id=name(one.id) if one.id is not None else None,
            )
            for one in unread
        ]

    def since(self, first: int) -> Iterator[Span]:
        """All bytes of the exchanges from the index `first` on."""
        for index, exchange in enumerate(self._exchanges[first:], start=first):
            if exchange.body:
                yield Span(index, 0, len(exchange.body))

    def everything(self) -> Iterator[Span]:
        """All bytes gathered so far."""
        return self.since(0)

    def batch(
        self,
        resume_from: Cursor,
        observations: Sequence[Observation] = (),
        *,
        sightings: Sequence[Sighting] = (),
        listings: Sequence[Listing] = (),
        gaps: Sequence[Gap] = (),
    ) -> Batch:
        """Hand over what was gathered, and begin to gather anew.

        Where an answer was compressed although we asked not to, no item has
        bytes of its own there: all that were read from it own the whole.
        """
        exchanges, self._exchanges = tuple(self._exchanges), []
        return Batch(
            exchanges=exchanges,
            resume_from=resume_from,
            observations=tuple(packed(observations, exchanges)),
            sightings=tuple(sightings),
            listings=tuple(listings),
            gaps=tuple(gaps),
        )
