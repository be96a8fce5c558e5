"""What passes over Meta's platforms share: how far they have come, how their lists go on, and how they end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

import msgspec

from connectors import lists
from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Listing, Page, Sighting, State
from connectors.graph import Asking, NotGiven, advanced, moment

BOTH = (State.PRESENT, State.HIDDEN)

NEAR = timedelta(hours=1)
"""By how much a span is asked for wider than it is."""


class Place(lists.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `page` is the number of the page or account. `at` is what the next answer is
    asked for with; `waiting` are lists below what was read, which are still to
    be read. `posts` and `threads` say whether
    everything was shown: of the posts, and of what answers them. `gave` are the
    lists that gave something in the last pass (None: there was none), and `met`
    in this one. `one_by_one` is set after a pass that met a post whose answers
    were not all shown: they are then listed post by post, so that this one does
    not keep the others from being compared.
    """

    page: str = ""
    at: dict[str, str] = msgspec.field(default_factory=dict)
    waiting: tuple[Any, ...] = ()
    posts: bool = True
    threads: bool = True
    gave: tuple[str, ...] | None = None
    met: tuple[str, ...] = ()
    one_by_one: bool = False

    def beginning(self, stage: str) -> Self:
        return super().beginning(stage).moved(at={}, waiting=())

    def giving(self, stage: str) -> Self:
        """The same pass, in which this list gave something."""
        return self.moved(met=tuple(sorted({*self.met, stage})))

    def may_hide(self, stage: str, refused: NotGiven) -> bool:
        """Whether a list that is refused may hide something that we hold: none does that never gave anything."""
        unheard = not refused.not_offered and self.gave is None
        return unheard or stage in {*(self.gave or ()), *self.met}

    def finished(self) -> Self:
        """Where the next pass begins."""
        gave = tuple(sorted({*(self.gave or ()), *self.met}))
        return type(self)(page=self.page, gave=gave, one_by_one=not self.threads)


P = TypeVar("P", bound=Place)


class Pass(lists.Lists[P]):
    """A pass from `place` on."""

    _asking: Asking

    def __init__(self, asking: Asking, page: Page, place: P) -> None:
        self._asking, self._page = asking, page
        self._place = place if place.began is not None else place.moved(began=asking.now())
        self._begins, self._ends = page.published_from, page.published_until
        self._spanned = self._begins is not None or self._ends is not None
        self._named_version = False
        self._anew: set[str] = set()
        """Lists that were begun anew in this visit."""

    @property
    @abstractmethod
    def _gaps(self) -> list[Gap]:
        """The gaps that the next batch takes along."""

    @abstractmethod
    def _hides(self, stage: str) -> None:
        """A list besides the page's own posts was not shown: note what it may hide."""

    @abstractmethod
    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""

    @property
    def _one_by_one(self) -> bool:
        """Whether what answers each item is listed by itself."""
        return self._spanned or self._place.one_by_one

    # -- the span ------------------------------------------------------------------------------------------

    def _lies_within(self, at: datetime | None) -> bool:
        """Whether what was published then lies within the span; what bears no time does."""
        if at is None:
            return True
        return (self._begins is None or at >= self._begins) and (self._ends is None or at <= self._ends)

    def _moved_within(self, updated: str | int | None) -> bool:
        """Whether it moved since the span began."""
        at = moment(updated)
        return self._begins is None or at is None or at >= self._begins

    def _reaches(self, at: Sequence[datetime]) -> bool:
        """Whether what follows, newest first, can lie within the span."""
        return self._begins is None or not at or min(at) >= self._begins

    # -- how it goes on and ends ---------------------------------------------------------------------------

    def _lead(
        self, following: Mapping[str, str] | None, met: set[str], what: str, whose: str = "Meta"
    ) -> None:
        """The list goes on with `following`, or has ended."""
        if following is None:
            self._move(at={}, ended=True)
        else:
            self._move(at=dict(advanced(following, met, what, whose)))

    def _forgotten(self, refused: NotGiven, met: set[str]) -> bool:
        """Whether a list was refused for its cursor, which Meta keeps for a time only; it then begins anew.

        `met` is where it has led so far: once, it may lead there again.
        """
        if not refused.cursor_forgotten or not self._place.at:
            return False
        if self._place.stage not in self._anew:
            self._anew.add(self._place.stage)
            met.clear()
        self._move(at={})
        return True

    def _misses(self, stage: str, gap: Gap) -> None:
        self._gaps.append(gap)
        self._hides(stage)

    def _lacks(self, what: str, refused: NotGiven) -> None:
        """A list that is refused is a gap; one that the interface does not have is a blind spot, and a check says so."""
        if not refused.not_offered:
            self._gaps.append(Gap(what=what, why=refused.why))

    def _answered_as(self, whose: str) -> Iterator[Gap]:
        """That another version of the interface answers than the one that is asked for, said once in a pass."""
        answers = self._asking.answered_as
        if answers is not None and not self._named_version:
            self._named_version = True
            why = f"{whose} answers as version {answers} of its interface: upgrade Muniment, or set the option `version`"
            yield Gap(what="what that version does not tell", why=why)

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass."""
        last = yield from but_the_last(batches)
        assert last is not None, "a pass reads at least the page's own posts, or fails"
        yield self._closed(last)


def span(begins: datetime | None, ends: datetime | None) -> dict[str, str]:
    """A span of time in Graph's words: a little wider than it is, in seconds since 1970."""
    asked = {}
    if begins is not None:
        asked["since"] = str(int((begins - NEAR).timestamp()))
    if ends is not None:
        asked["until"] = str(int((ends + NEAR).timestamp()))
    return asked


def under(names: Sequence[str], began: datetime, exchange: int) -> list[Listing]:
    """For each of these items, that everything was shown that answers it."""
    return [
        Listing(
            kinds=[Kind.COMMENT, Kind.REPLY], began_at=began, exchange=exchange, in_reply_to=name, states=BOTH
        )
        for name in names
    ]


def without_words(names: Sequence[str], exchange: int) -> list[Sighting]:
    """That these messages are listed, of which Meta tells no more than that they are there."""
    return [
        Sighting(native_id=name, state=State.PRESENT, exchange=exchange, reason="listed without its words")
        for name in names
    ]
