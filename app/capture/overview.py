"""How the archive stands at a glance: records by page and kind, each page's newest run, runs in pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.capture import pages
from app.capture.runs import CAPTURE, Run
from app.db import Tx, from_instant
from app.records.errors import NotFound
from app.records.nouns import Page
from app.store import quarantine
from app.store.tables import records, runs, tombstones


class NoSuchRun(NotFound):
    """No run of that id is known."""

    code = "no-such-run"


@dataclass(frozen=True, slots=True)
class Standing:
    """A page with what is held of it, by kind, and its newest runs."""

    page: Page
    held: Mapping[str, int]
    newest: Run | None
    captured: Run | None

    @property
    def records(self) -> int:
        """How many records of every kind."""
        return sum(self.held.values())


@dataclass(frozen=True, slots=True)
class RunsPart:
    """Some of the runs; `next` is the number to go on before, None at the end."""

    runs: Sequence[Run]
    total: int
    next: int | None


def standings(tx: Tx, *, messages: bool) -> list[Standing]:
    """Every page, in the order in which they were added; private messages count only where `messages` is set."""
    held: dict[int, dict[str, int]] = {}
    asked = (
        select(records.c.page, records.c.kind, func.count())
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.record.is_(None), quarantine.outside(records.c.key))
        .group_by(records.c.page, records.c.kind)
    )
    if not messages:
        asked = asked.where(records.c.private.is_(False))
    for page, kind, count in tx.execute(asked):
        held.setdefault(page, {})[kind] = count
    newest = _newest(tx)
    captured = _newest(tx, runs.c.kind == CAPTURE)
    return [
        Standing(page, held.get(page.key, {}), newest.get(page.key), captured.get(page.key))
        for page in pages.listed(tx)
    ]


def disposed(tx: Tx) -> int:
    """How many records were disposed of."""
    return int(tx.execute(select(func.count()).select_from(tombstones)).scalar_one())


def run(tx: Tx, identity: UUID) -> Run:
    """The run of that id, or `NoSuchRun`."""
    row = tx.execute(select(runs).where(runs.c.id == identity.bytes)).one_or_none()
    if row is None:
        raise NoSuchRun(f"no run {identity} is known")
    return _run(row)


def runs_before(tx: Tx, page: Page | None = None, *, before: int | None = None, limit: int = 50) -> RunsPart:
    """The runs that began before run number `before`, newest first, of one page or of all."""
    asked: Any = select(runs)
    if page:
        asked = asked.where(runs.c.page == page.key)
    total = tx.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
    if before is not None:
        asked = asked.where(runs.c.key < before)
    rows = tx.execute(asked.order_by(runs.c.key.desc()).limit(limit + 1)).all()
    return RunsPart(
        [_run(row) for row in rows[:limit]], total, rows[limit - 1].key if len(rows) > limit else None
    )


def _newest(tx: Tx, *conditions: Any) -> dict[int, Run]:
    latest = select(func.max(runs.c.key)).where(runs.c.page.is_not(None), *conditions).group_by(runs.c.page)
    return {row.page: _run(row) for row in tx.execute(select(runs).where(runs.c.key.in_(latest)))}


def _run(row: Any) -> Run:
    return Run(
        row.key,
        UUID(bytes=bytes(row.id)),
        row.page,
        row.kind,
        from_instant(row.began_at),
        from_instant(row.ended_at) if row.ended_at else None,
        row.status,
        json.loads(row.tally),
        row.lane,
    )
