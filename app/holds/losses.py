"""What was lawfully disposed of before a hold was placed, and may have been within its scope.

Of a record that was disposed of, its tombstone keeps page, kind, month of
publication, series and batch. Words and authors are gone with it: whether they
matched cannot be known, and the answer says so.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from app.capture import pages
from app.db import Tx
from app.holds.scopes import Left, Met, may_have_met
from app.index.tree import Tree
from app.records.nouns import Page
from app.store.tables import tombstones

NOT_KNOWN = (
    "Of these records only page, kind, month and series are known. Whether their words, authors or days "
    "met the scope cannot be known."
)


@dataclass(frozen=True, slots=True)
class Loss:
    """Records of one page, kind, month and series that were disposed of, and may have been within a scope."""

    page: str
    page_name: str
    kind: str
    month: str | None
    series: str
    records: int


def possibly_disposed(tx: Tx, tree: Tree | None) -> list[Loss]:
    """What in the scope's pages, kinds and months had been disposed of; records that were named one by one are held."""
    if tree is None:
        return []
    known = {str(page.id): page for page in pages.listed(tx)}
    counted: dict[tuple[str, str, str | None, str], int] = {}
    asked = select(tombstones.c.detail, func.count()).group_by(tombstones.c.detail)
    for detail, number in tx.execute(asked):
        told = json.loads(detail)
        page, kind = str(told.get("page", "")), str(told.get("kind", ""))
        month, series = told.get("month"), str(told.get("series", ""))
        if may_have_met(tree, _left(page, kind, month, known)) is not Met.NO:
            group = (page, kind, month, series)
            counted[group] = counted.get(group, 0) + number
    return [
        Loss(page, known[page].name if page in known else page, kind, month, series, number)
        for (page, kind, month, series), number in sorted(
            counted.items(), key=lambda one: (one[0][0], one[0][2] or "", one[0][1], one[0][3])
        )
    ]


def _left(page: str, kind: str, month: str | None, known: Mapping[str, Page]) -> Left:
    found = known.get(page)
    since, until = _days(month)
    return Left(
        page=page,
        page_name=found.name if found else "",
        platform=found.platform if found else "",
        kind=kind,
        since=since,
        until=until,
    )


def _days(month: str | None) -> tuple[date | None, date | None]:
    if not month:
        return None, None
    year, number = (int(part) for part in month.split("-"))
    return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])


def as_json(lost: Sequence[Loss]) -> dict[str, object]:
    """The answer's `possibly_disposed`."""
    return {
        "records": sum(one.records for one in lost),
        "basis": [
            {
                "page": {"id": one.page, "name": one.page_name},
                "kind": one.kind,
                "month": one.month,
                "series": one.series,
                "records": one.records,
            }
            for one in lost
        ],
        **({"note": NOT_KNOWN} if lost else {}),
    }
