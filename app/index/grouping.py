"""Hits by their families: each post with what answers it stands once, at the place of its first hit."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from app.db import Tx
from app.index.engine import BadCursor
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


def of(hits: Iterable[int], known: Families, limit: int, after: str | None = None) -> Groups:
    """At most `limit` families of these hits, in the order of each family's first hit, after the part that gave `after`.

    Nothing is left out: every hit stands in the list of its family.
    """
    found: dict[int, list[int]] = {}
    for key in hits:
        if key in known.living:
            found.setdefault(known.root[key], []).append(key)
    roots = list(found)
    start = 0
    if after is not None:
        last = _root(after)
        if last not in found:
            raise BadCursor(
                "The family of this cursor has no hits any more.", next="Begin again without one."
            )
        start = roots.index(last) + 1
    shown = roots[start : start + limit]
    return Groups(
        total=len(roots),
        groups=tuple(Group(tuple(found[root]), known.members[root]) for root in shown),
        cursor=_cursor(shown[-1]) if shown and start + limit < len(roots) else None,
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


def _cursor(root: int) -> str:
    return base64.urlsafe_b64encode(f"family:{root}".encode()).decode().rstrip("=")


def _root(cursor: str) -> int:
    try:
        what, root = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(":")
        if what != "family":
            raise ValueError(what)
        return int(root)
    except (ValueError, binascii.Error) as error:
        raise BadCursor(
            "The cursor is none of a list of families.", next="Begin again without one."
        ) from error
