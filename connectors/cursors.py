"""Cursors as text. One that cannot be read begins from nothing, which misses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

import msgspec

from connectors.contract import Cursor, Kind, Listing, State

P = TypeVar("P", bound=msgspec.Struct)


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far a pass has come. Each connector says what else it needs to know of that.

    `began` is when the pass began, None between passes.
    """

    began: datetime | None = None

    def begun(self) -> datetime:
        """When the pass began."""
        assert self.began is not None, "a pass notes its beginning before it asks anything"
        return self.began

    def moved(self, **changes: Any) -> Self:
        """The same pass, further on."""
        return msgspec.structs.replace(self, **changes)

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return written(self)

    def leads_on(self) -> bool:
        """Whether a pass can go on from here."""
        return True

    @classmethod
    def read(cls, cursor: Cursor | None) -> Self:
        """The place that `cursor` names; one that cannot be read begins a pass from nothing, which misses nothing."""
        place = read(cursor, cls)
        return place if place is not None and place.leads_on() else cls()

    def listing(
        self,
        kinds: Sequence[Kind],
        exchange: int,
        states: Sequence[State] = (State.PRESENT,),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Listing:
        """That everything of these kinds was shown, in these states, since the pass began; see `Listing`."""
        return Listing(
            kinds=kinds,
            began_at=self.begun(),
            exchange=exchange,
            published_from=since,
            published_until=until,
            states=states,
        )


class Staged(Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far a pass has come that reads one list after the other: `stage` is the one of `stages` that it reads."""

    stages: ClassVar[tuple[str, ...]] = ()

    stage: str = ""

    def leads_on(self) -> bool:
        return self.stage in self.stages

    def following(self, stage: str) -> str:
        """The stage that is read after `stage`; the last one where none follows."""
        return self.stages[min(self.stages.index(stage) + 1, len(self.stages) - 1)]


def written(place: msgspec.Struct) -> Cursor:
    """A place as text, for the archive to keep."""
    return Cursor(msgspec.json.encode(place).decode())


def read(cursor: Cursor | None, shape: type[P]) -> P | None:
    """The place that `cursor` names; None where there is none, or where it cannot be read."""
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(cursor, type=shape)
    except (msgspec.MsgspecError, UnicodeError):
        return None
