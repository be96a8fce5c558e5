"""Rounds of fixity: everything that is kept is read again within so many days, a part each night, at a set pace.

A round is as many parts as it has days. Each night takes the part that is due,
or the next few where nights were missed; it reads the objects and opens the
versions, pieces, exchanges, acts and attachments of its part, and takes some of
the looks that compare rows with one another. What it found is an entry of the
ledger. What was found wrong is looked at again every night, and the doctor, the
overview and a letter say so until a look finds it well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from app.capture import diary
from app.capture.due import Due
from app.db import Tx
from app.records.errors import IntegrityFailure
from app.store import fixity
from app.store.disposals import Purger
from app.store.fixity import Checked, Span
from app.store.store import Store

NAME = "fixity"
_AT_MOST = 3
"""So many parts are read in one night, where nights were missed."""
_NAMED = 20
_NEXT = "Keep this copy as evidence, and call `muniment verify --full`."
_LATE = timedelta(days=3)


class NotWhatItWas(IntegrityFailure):
    """A night's part of fixity found something that is not as it was."""

    code = "not-what-it-was"


class Told(msgspec.Struct, frozen=True):
    """A finding, as far as it is kept until a look finds that place well: by which look, its code and place."""

    look: str
    code: str
    where: str


class Round(msgspec.Struct, frozen=True):
    """How far a round has come; what an earlier round or night found and nobody mended yet goes with it."""

    began: datetime
    parts: int
    done: int = 0
    marks: dict[str, int] = {}
    at: datetime | None = None
    """When the last part was read."""
    before: datetime | None = None
    """When the round before this one was read to its end."""
    wrong: tuple[Told, ...] = ()
    more: int = 0
    since: datetime | None = None
    """Since when something is wrong."""


def due(known: Round | None, now: datetime, zone: ZoneInfo) -> int:
    """How many parts are to be read now: those of the days that have begun, three at most, none twice a day."""
    today = now.astimezone(zone).date()
    if known is None or known.at is None:
        return 1
    if known.done >= known.parts:
        return int(known.at.astimezone(zone).date() < today)
    begun = (today - known.began.astimezone(zone).date()).days + 1
    return max(0, min(begun - known.done, _AT_MOST))


def part_of(known: Round, newest: Mapping[str, int]) -> dict[str, Span]:
    """The rows of the round's next part: of what has not been read, one part of as many as are left."""
    left = known.parts - known.done
    spans = {}
    for look, last in newest.items():
        after = known.marks.get(look, -1)
        spans[look] = Span(after, after + -(-max(last - after, 0) // left))
    return spans


def looks_of(known: Round, more: fixity.More = ()) -> list[str]:
    """Which of the looks that are taken as a whole belong to the round's next part."""
    whole = (*fixity.WHOLE, *(name for name, _ in more))
    return [look for place, look in enumerate(whole) if place * known.parts // len(whole) == known.done]


@dataclass(slots=True)
class Throttle:
    """Reads no more than so many bytes a second: whoever is ahead of that waits."""

    bytes_a_second: int
    """0: as fast as the machine can."""
    tick: Callable[[], float]
    wait: Callable[[float], None]
    read: int = 0
    _began: float | None = field(default=None)

    def __call__(self, count: int) -> None:
        now = self.tick()
        if self._began is None:
            self._began = now
        self.read += count
        if not self.bytes_a_second:
            return
        ahead = self.read / self.bytes_a_second - (now - self._began)
        if ahead > 0:
            self.wait(ahead)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Makes the rounds of an archive: all of it within `days`, each part no faster than `pace` lets it."""

    store: Store
    days: int
    pace: Callable[[], Throttle]
    derived: Callable[[], Sequence[Purger]] = tuple
    more: fixity.More = ()
    """The looks of the rooms above the store."""

    def tonight(self) -> int:
        """Read the parts that are due; return how many. Raises `NotWhatItWas` after the last where something is wrong."""
        with self.store.database.read() as tx:
            number = due(state(tx), self.store.clock.now(), self.store.agency.zone())
        for _ in range(number):
            self._part()
        check(self.store)
        return number

    def _part(self) -> None:
        store, now = self.store, self.store.clock.now()
        with store.database.read() as tx:
            known = state(tx)
        if known is None or known.done >= known.parts:
            known = Round(
                began=now,
                parts=self.days,
                before=known.at if known else None,
                wrong=known.wrong if known else (),
                more=known.more if known else 0,
                since=known.since if known else None,
            )
        spans, looks, pace = part_of(known, fixity.newest(store)), looks_of(known, self.more), self.pace()
        wrong: list[Told] = []
        # 1. What was wrong is looked at again, as a whole.
        again = {one.look for one in known.wrong}
        checked = self._look(again, {}, pace, wrong)
        # 2. The part that is due.
        rest = {*spans, *looks} - again
        checked.add(self._look(rest, spans, pace, wrong))
        # 3. What it found, in the ledger and for the next night.
        kept = msgspec.structs.replace(
            known,
            done=known.done + 1,
            marks={look: span.upto for look, span in spans.items()},
            at=now,
            wrong=tuple(_named(wrong)),
            more=max(len(wrong) - _NAMED, 0) + checked.more,
            since=(known.since or now) if wrong else None,
        )
        with store.database.begin() as tx:
            diary.began(tx, NAME, now)
            diary.ended(tx, NAME, store.clock.now(), msgspec.json.encode(kept).decode())
            store.ledger.act(
                tx,
                NAME,
                by=None,
                why=f"part {kept.done} of {kept.parts} of the round that began on {kept.began:%Y-%m-%d}",
                facts={"part": kept.done, "parts": kept.parts, "findings": len(wrong) + checked.more},
                detail={
                    "bytes": pace.read,
                    "checked": checked.checked,
                    "findings": [msgspec.to_builtins(one) for one in kept.wrong],
                },
            )

    def _look(self, looks: set[str], spans: Mapping[str, Span], pace: Throttle, wrong: list[Told]) -> Checked:
        told = Checked()
        for look in (*fixity.BY_PARTS, *fixity.WHOLE, *(name for name, _ in self.more)):
            if look not in looks:
                continue
            found = fixity.verify(
                self.store,
                full=True,
                wanted=look.__eq__,
                derived=self.derived(),
                spans=spans,
                read=pace,
                more=self.more,
            )
            wrong += [Told(look, one.code, one.where) for one in found.findings]
            told.add(found)
        return told


def _named(wrong: Sequence[Told]) -> list[Told]:
    """The findings that are kept by name: the first of each look, so that each is looked at again, then others."""
    by_look: dict[str, Told] = {}
    for one in wrong:
        by_look.setdefault(one.look, one)
    first = list(by_look.values())
    return [*first, *(one for one in wrong if one not in first)][:_NAMED]


def state(tx: Tx) -> Round | None:
    """How far the round has come that is under way; None before the first."""
    noted = diary.noted(tx, NAME)
    return msgspec.json.decode(noted, type=Round) if noted else None


def late(known: Round | None, founded: datetime | None, now: datetime) -> bool:
    """Whether a night's part is missing for three days."""
    last = known.at if known is not None else founded
    return last is not None and now - last > _LATE


def says(known: Round) -> str:
    """What is wrong, in a sentence: how many things, and the first of them."""
    count, first = len(known.wrong) + known.more, known.wrong[0]
    return f"{count} thing{'' if count == 1 else 's'} kept here {'is' if count == 1 else 'are'} not what {'it was' if count == 1 else 'they were'}; the first: {first.code}, {first.where}"


def check(store: Store) -> None:
    """Raise `NotWhatItWas` while something that was found wrong is not mended."""
    with store.database.read() as tx:
        known = state(tx)
    if known is not None and known.wrong:
        raise NotWhatItWas(says(known), next=_NEXT)


def to_do(tx: Tx) -> Sequence[Due]:
    """What the rounds need somebody to do: for the overview and for the daily letter."""
    known = state(tx)
    if known is None or not known.wrong:
        return ()
    what = f"{says(known)}. Keep this copy as evidence, and call muniment verify --full."
    return (Due("Fixity", "/audit?type=fixity", what, urgent=True),)


Standing = Literal["well", "late", "wrong"]


def standing(known: Round | None, founded: datetime | None, now: datetime) -> Standing:
    """How the rounds stand: `wrong` before `late`."""
    if known is not None and known.wrong:
        return "wrong"
    return "late" if late(known, founded, now) else "well"
