"""Hits by their families: each post with what answers it stands once, at the place of its first hit."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from app.db import Tx
from app.index.engine import Answer, BadCursor, Place, Sort
from app.index.families import Families
from app.index.source import identities


@dataclass(frozen=True, slots=True)
class Group:
    """A family: its hits in their order, and of how many records it consists."""

    hits: tuple[int, ...]
    members: int


@dataclass(frozen=True, slots=True)
class Groups:
    """A part of the families that have hits, and how many there are in all; `cursor` is None where none follows."""

    total: int
    groups: tuple[Group, ...]
    cursor: str | None


def of(answer: Answer, sort: Sort, known: Families, limit: int, after: str | None = None) -> Groups:
    """At most `limit` families of these hits, in the order of each family's first hit, after the part that gave `after`.

    Nothing is left out: every hit stands in the list of its family. A family
    that had hits when the first part was given stands in one part, whatever
    is captured or disposed of in between: what came since moves no family.
    """
    goes_on = None if after is None else _Place.of(after, sort)
    passed = 0
    if goes_on is not None:
        passed = answer.total() - len(answer.page(sort, max(1, answer.total()), goes_on.cursor).records)
    last = None if goes_on is None else goes_on.last
    found: dict[int, list[int]] = {}
    begins: dict[int, int] = {}
    newest = 0
    for at, key in enumerate(answer.every(sort)):
        newest = max(newest, key)
        if key not in known.living:
            continue
        root = known.root[key]
        found.setdefault(root, []).append(key)
        if last is None or key <= last:
            begins.setdefault(root, at)
    ahead = sorted((at, root) for root, at in begins.items() if at >= passed)
    shown, more = ahead[:limit], len(ahead) > limit
    cursor = None
    if shown and more:
        cursor = answer.page(sort, shown[-1][0] + 1).cursor
    return Groups(
        total=len(found),
        groups=tuple(Group(tuple(found[root]), known.members[root]) for _, root in shown),
        cursor=None if cursor is None else _Place(newest if last is None else last, cursor).written(),
    )


def first_hits(groups: Groups) -> list[int]:
    """The hit that stands for each family."""
    return [one.hits[0] for one in groups.groups]


def as_json(tx: Tx, groups: Groups) -> dict[str, object]:
    """The families as programs read them: of each, how many records it has and the ids of its hits."""
    return {
        "total": groups.total,
        "families": [
            {"records": one.members, "hits": [str(hit) for hit in identities(tx, one.hits)]}
            for one in groups.groups
        ],
    }


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part ended: the cursor after the first hit of its last family, and the newest record that was a hit at first."""

    last: int
    cursor: str

    def written(self) -> str:
        return base64.urlsafe_b64encode(f"family:{self.last}:{self.cursor}".encode()).decode().rstrip("=")

    @classmethod
    def of(cls, written: str, sort: Sort) -> _Place:
        try:
            what, last, cursor = (
                base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode().split(":")
            )
            if what != "family":
                raise ValueError(what)
            place = cls(int(last), cursor)
        except (ValueError, binascii.Error) as error:
            raise BadCursor(
                "The cursor is none of a list of families.", next="Begin again without one."
            ) from error
        Place.of(place.cursor, sort)
        return place
