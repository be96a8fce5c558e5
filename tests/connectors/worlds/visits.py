"""What tests of connectors begin with: a visit to a page, and what the passes of a visit yielded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Generic, Protocol, TypeVar, cast

import pytest

from connectors.contract import (
    Batch,
    Checks,
    Connector,
    Cursor,
    Families,
    Kind,
    Listing,
    Observation,
    Page,
    Sighting,
    Span,
)
from connectors.errors import ConnectorError

Visiting = TypeVar("Visiting", bound=Connector)


class PageVisit(ABC, Generic[Visiting]):
    """One connector at one page, with the page's options; which page that is, each platform's own visit says."""

    looks_for: ClassVar[Kind] = Kind.COMMENT
    """The kind of what a test looks for without naming one."""

    def __init__(self, connector: Visiting, options: dict[str, str]) -> None:
        self.connector, self.options = connector, options

    @abstractmethod
    def page(self, **span: datetime | None) -> Page:
        """The page, whole or narrowed to a span of time."""

    def observe(self, since: Cursor | None = None, **span: datetime | None) -> list[Batch]:
        return list(self.connector.observe(self.page(**span), since))

    def fails(self) -> ConnectorError:
        """How a pass fails that cannot end well."""
        with pytest.raises(ConnectorError) as caught:
            self.observe()
        return caught.value

    def look(self, *names: str, kind: Kind | None = None) -> dict[str, Sighting]:
        batches = list(self.connector.look(self.page(), [(kind or self.looks_for, name) for name in names]))
        assert all(0 <= one.exchange < len(batch.exchanges) for batch in batches for one in batch.sightings)
        return sighted(batches)

    def family(self, root: str) -> list[Batch]:
        return list(cast(Families, self.connector).family(self.page(), root))

    def check(self) -> dict[str, str]:
        """What was found wanting, with what to do."""
        found = cast(Checks, self.connector).check(self.page())
        return {one.what: one.remedy for one in found if not one.fine}


class _Asked(Protocol):
    """A world that remembers what it was asked for."""

    asked: list[str]


def asked(world: _Asked, part: str) -> int:
    """How often a world was asked for an address with this in it."""
    return sum(part in target for target in world.asked)


def seen(batches: Sequence[Batch]) -> dict[str, Observation]:
    return {one.native_id: one for batch in batches for one in batch.observations}


def sighted(batches: Sequence[Batch]) -> dict[str, Sighting]:
    return {one.native_id: one for batch in batches for one in batch.sightings}


def listings(batches: Sequence[Batch]) -> list[Listing]:
    return [one for batch in batches for one in batch.listings]


def gaps(batches: Sequence[Batch]) -> dict[str, str]:
    return {one.what: one.why for batch in batches for one in batch.gaps}


def kinds(batches: Sequence[Batch]) -> set[Kind]:
    """What a pass says that it was shown all of."""
    return {kind for one in listings(batches) if one.in_reply_to is None for kind in one.kinds}


def bytes_at(batch: Batch, span: Span) -> bytes:
    """What was answered at a place."""
    return batch.exchanges[span.exchange].body[span.start : span.end]
