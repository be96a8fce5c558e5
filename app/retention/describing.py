"""What rules ask of a record and no row says: who sent it, whether the agency answered, whether that can be told at all.

An author is the agency's own where the platform gives the same id to the
author and to the page's own introduction. Names and handles prove nothing:
anybody may take one. Where the page's own id is not known, nobody can tell
who sent a comment, and rules that ask for it decide nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, literal, or_, select

from app.capture import pages, records
from app.db import Tx
from app.index.documents import Document
from app.records.nouns import Page
from app.retention.known import ANSWERED
from app.retention.meeting import Described
from app.retention.schedule import DUPLICATED
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import classified, page_authors, retention_events, to_classify, tombstones
from app.store.tables import records as table

PROFILE, POST = "profile", "post"
PUBLISHES_ALONE = frozenset({"feed", "nixle", "webpage", "wordpress"})
"""Connectors of sites on which nobody but the agency posts; what answers there is the public's or the agency's."""
_ASK = 500


@dataclass(frozen=True, slots=True)
class Marks:
    """What is kept beside a record's series: who sent it, and whether each version names an author and a language."""

    incoming: bool | None
    authored: bool
    spoken: bool


@dataclass(frozen=True, slots=True)
class Publishers:
    """As whom each page publishes: the ids that the platform gives its own introduction."""

    pages: Mapping[int, Page]
    own: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def marks(self, page: int, versions: Sequence[Document]) -> Marks:
        """Who sent a record, and what its versions do not say."""
        return Marks(
            incoming=self._incoming(page, versions[-1]),
            authored=all(version.author for version in versions),
            spoken=all(version.language is not None for version in versions),
        )

    def _incoming(self, page: int, newest: Document) -> bool | None:
        if newest.kind == PROFILE:
            return False
        own = self.own.get(page, frozenset())
        if newest.author and own:
            return newest.author[0] not in own
        if newest.kind == POST and self.pages[page].connector in PUBLISHES_ALONE:
            return False
        return None


def publishers(store: Store, tx: Tx) -> Publishers:
    """As whom each page publishes, from the public introductions that are held of it."""
    asked = (
        select(table.c.key, table.c.page)
        .outerjoin(tombstones, tombstones.c.record == table.c.key)
        .where(
            table.c.kind == PROFILE,
            table.c.private.is_(False),
            table.c.parent_mac.is_(None),
            tombstones.c.record.is_(None),
        )
        .order_by(table.c.key)
    )
    found = tx.execute(asked).all()
    own: dict[int, set[str]] = {}
    for record in records.read(store, tx, [row.key for row in found], messages=False) if found else []:
        identity = record.version.text("author_id")
        if identity:
            own.setdefault(record.page.key, set()).add(identity)
    known = {page.key: page for page in pages.listed(tx)}
    return Publishers(known, {page: frozenset(ids) for page, ids in own.items()})


def learn(store: Store, tx: Tx, told: Publishers) -> int:
    """Have every record of a page read anew where the page publishes as somebody else than before; return how many pages."""
    before = {row.page: bytes(row.authors) for row in tx.execute(select(page_authors))}
    changed = 0
    for page in told.pages.values():
        ids = sorted(told.own.get(page.key, ()))
        now = keyed(store.lookup, b"authors", page.id.bytes, *(one.encode() for one in ids))
        if before.get(page.key, keyed(store.lookup, b"authors", page.id.bytes)) == now:
            continue
        changed += 1
        tx.execute(delete(page_authors).where(page_authors.c.page == page.key))
        tx.execute(insert(page_authors).values(page=page.key, authors=now))
        queue_all(tx, table.c.page == page.key)
    return changed


# -- what is to be read anew -------------------------------------------------------------------------------


def queue_all(tx: Tx, which: Any) -> None:
    """Put records that were classified already on the list of those that are classified anew."""
    waiting = select(literal(1)).where(to_classify.c.record == table.c.key).exists()
    known = select(literal(1)).where(classified.c.record == table.c.key).exists()
    tx.execute(insert(to_classify).from_select(["record"], select(table.c.key).where(which, known, ~waiting)))


def queue(tx: Tx, keys: Iterable[int]) -> None:
    """The same for these records, whether they were classified or not."""
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), _ASK):
        part = wanted[start : start + _ASK]
        there = set(tx.execute(select(to_classify.c.record).where(to_classify.c.record.in_(part))).scalars())
        new = [{"record": key} for key in part if key not in there]
        if new:
            tx.execute(insert(to_classify), new)


# -- what happened below a record --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Below:
    """What is known of answers and duplicates, for some records."""

    answered: frozenset[int]
    untold: frozenset[int]
    """Those of which nobody can tell whether the agency answered: of an answer nobody knows who sent it."""
    duplicates: frozenset[int]

    @staticmethod
    def nothing() -> Below:
        """Where no rule asks."""
        return Below(frozenset(), frozenset(), frozenset())

    def answer(self, key: int, *, known: bool) -> bool | None:
        """Whether the agency answered a record; `known`: whether it is known as whom its page publishes."""
        if key in self.answered:
            return True
        return None if key in self.untold or not known else False


def below(tx: Tx, keys: Sequence[int]) -> Below:
    """What is known of answers to these records, and which of them are duplicates."""
    found: dict[str, set[int]] = {ANSWERED: set(), DUPLICATED: set()}
    untold: set[int] = set()
    child = table.alias("child")
    parent = table
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        asked = select(retention_events.c.record, retention_events.c.name).where(
            retention_events.c.record.in_(part),
            retention_events.c.name.in_((ANSWERED, DUPLICATED)),
            retention_events.c.superseded_entry.is_(None),
        )
        for record, name in tx.execute(asked):
            found[name].add(record)
        children = (
            select(parent.c.key)
            .join(child, child.c.parent_mac == parent.c.native_mac)
            .outerjoin(classified, classified.c.record == child.c.key)
            .outerjoin(tombstones, tombstones.c.record == child.c.key)
            .where(
                parent.c.key.in_(part),
                tombstones.c.record.is_(None),
                or_(classified.c.record.is_(None), classified.c.incoming.is_(None)),
            )
            .distinct()
        )
        untold |= set(tx.execute(children).scalars())
    return Below(frozenset(found[ANSWERED]), frozenset(untold), frozenset(found[DUPLICATED]))


def described(
    store: Store, key: int, versions: Sequence[Document], marks: Marks, told: Below, *, known: bool
) -> Described:
    """A record as rules see it. Tags are not looked at: rules cannot ask for them."""
    return Described(
        versions=tuple(versions),
        zone=store.agency.zone(),
        answered=told.answer(key, known=known),
        incoming=marks.incoming,
        duplicate=key in told.duplicates,
    )


def parents(tx: Tx, keys: Collection[int]) -> dict[int, int]:
    """What these records answer, as far as it is held: key by key."""
    found: dict[int, int] = {}
    above = table.alias("above")
    wanted = sorted(keys)
    for start in range(0, len(wanted), _ASK):
        asked = (
            select(table.c.key, above.c.key)
            .join(above, above.c.native_mac == table.c.parent_mac)
            .where(table.c.key.in_(wanted[start : start + _ASK]))
        )
        found |= {row[0]: row[1] for row in tx.execute(asked)}
    return found
