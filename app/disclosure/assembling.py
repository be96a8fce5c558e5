"""From rows to what may leave: records of a selection, in the order in which a production numbers them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast
from uuid import UUID

from sqlalchemy import select

from app.capture import attachments, records
from app.capture.attachments import KEPT, AttachmentRow
from app.db import Tx
from app.disclosure import redacting
from app.disclosure.reaching import Reach
from app.disclosure.redacting import Field, Held, Read, Redaction, Region, Remaker, Span, Where, Whole
from app.disclosure.released import Item, Withheld
from app.records.nouns import Record, Version
from app.store.store import Store
from app.store.tables import classified, pieces
from app.store.tables import records as table

_ASK = 200


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided of a record: what is taken out of it, and which attachments leave whole all the same."""

    redactions: Sequence[Redaction] = ()
    whole: frozenset[UUID] = field(default_factory=frozenset)
    kept: Sequence[Span | Field] = ()
    """Words and fields that a person let stay here, although they may be taken out of other records."""

    def reached(self, more: Sequence[Redaction]) -> list[Redaction]:
        """Of what reaches the record from others, what nobody let stay."""
        return [
            one
            for one in more
            if not any(_lies_in(one.where, kept) for kept in self.kept)
            and not (isinstance(one.where, Region | Whole) and one.where.attachment in self.whole)
        ]


def reading(
    store: Store,
    tx: Tx,
    keys: Sequence[int],
    *,
    size: int | None = None,
    late: frozenset[UUID] = frozenset(),
    messages: bool,
) -> Iterator[Read]:
    """The records of these keys with all that could leave of them, as the ledger had them at `size` entries.

    What was disposed of meanwhile, or is in quarantine, is left out. `late` are
    the attachments whose bytes came afterwards: they are not there.
    """
    for start in range(0, len(keys), _ASK):
        part = keys[start : start + _ASK]
        wrote = _authors(tx, part)
        for record in records.read(store, tx, part, messages=messages):
            told = [record.version] if record.versions == 1 else records.history(store, tx, record)
            then = [one for one in told if size is None or one.entry < size]
            if then:
                yield _read(store, tx, record, then, wrote.get(record.key), told[len(then) :], late)


def one(store: Store, tx: Tx, record: Record) -> Read:
    """A record with all that could leave of it, as it stands now."""
    told = records.history(store, tx, record)
    return _read(store, tx, record, told, _authors(tx, [record.key]).get(record.key))


def items(
    store: Store,
    keys: Sequence[int],
    decided: Callable[[Tx, Sequence[int]], Mapping[int, Decided]],
    *,
    size: int,
    late: frozenset[UUID] = frozenset(),
    messages: bool,
    by: Remaker,
    reach: Reach | None = None,
    clean: bool = True,
) -> Iterator[Item]:
    """What leaves of these records, in their order; each part of them is read in one transaction.

    `reach` has the words that were taken out of others of them, and are taken out of these too. `clean` says that nothing
    is taken out of any or kept back: otherwise the digest of a file that they were received in is not told, because who
    knows the rest of the file could try what is missing.
    """
    for start in range(0, len(keys), _ASK):
        part = keys[start : start + _ASK]
        with store.database.read() as tx:
            told = reading(store, tx, part, size=size, late=late, messages=messages)
            found = {read.record.key: read for read in told}
            made = decided(tx, part)
        for key in part:
            if key in found:
                so = made.get(key, Decided())
                more = so.reached(reach.within(found[key])) if reach is not None else []
                made_of = redacting.release(found[key], [*so.redactions, *more], whole=so.whole, by=by)
                yield made_of if clean else _without_digest(made_of)


def _without_digest(item: Item) -> Item:
    if isinstance(item, Withheld) or item.received is None:
        return item
    return replace(item, received={name: value for name, value in item.received.items() if name != "sha256"})


def in_order(tx: Tx, keys: Sequence[int], *, messages: bool) -> list[int]:
    """These records as a production numbers them: threads by the time of their oldest record, each with its post first.

    Sorted by rows alone: the words of a million records are not read for it.
    """
    ordered = sorted(keys)
    known, at, above = array("q"), array("q"), array("q")
    parent = table.alias("parent")
    for start in range(0, len(ordered), _ASK):
        asked = (
            select(table.c.key, table.c.published_at, table.c.first_seen, table.c.private, parent.c.key.label("above"))
            .outerjoin(parent, parent.c.native_mac == table.c.parent_mac)
            .where(table.c.key.in_(ordered[start : start + _ASK]))
            .order_by(table.c.key)
        )  # fmt: skip
        for row in tx.execute(asked):
            if messages or not row.private:
                known.append(row.key)
                at.append(int(row.published_at if row.published_at is not None else row.first_seen))
                above.append(row.above or 0)
    return threads(known, at, above)


def threads(keys: Sequence[int], at: Sequence[int], above: Sequence[int]) -> list[int]:
    """Keys in the order of a production: of each, the lowest first, when it was published and which it answers. Pure.

    A record whose parent is not among them (or is 0) begins a thread of its
    own. A few numbers for each are held, so that a million are no burden.
    """
    number = len(keys)
    by_time = sorted(range(number), key=at.__getitem__)  # where two are of one moment, the lower key is first
    first, following = array("q", [-1]) * number, array("q", [-1]) * number
    parents = array("q", [-1]) * number
    for place in reversed(by_time):
        found = bisect_left(keys, above[place])
        if found < number and keys[found] == above[place] and found != place:
            parents[place] = found
            following[place], first[found] = first[found], place
    told: list[int] = []
    seen = bytearray(number)

    def lay(top: int) -> None:
        waiting = [top]
        while waiting:
            place = waiting.pop()
            if seen[place]:
                continue
            seen[place] = 1
            told.append(keys[place])
            below, child = [], first[place]
            while child >= 0:
                below.append(child)
                child = following[child]
            waiting.extend(reversed(below))

    for place in by_time:
        if parents[place] < 0:
            lay(place)
    for place in by_time:  # records that answer one another in a ring
        if not seen[place]:
            lay(place)
    return told


def _lies_in(where: Where, kept: Span | Field) -> bool:
    if isinstance(kept, Field):
        return where == kept
    return (
        isinstance(where, Span)
        and where.version == kept.version
        and kept.start <= where.start
        and where.end <= kept.end
    )


def _authors(tx: Tx, keys: Sequence[int]) -> dict[int, str]:
    """Who wrote each of these records, as a category, as far as the night has read them."""
    asked = select(classified.c.record, classified.c.incoming).where(classified.c.record.in_(list(keys)))
    return {
        row.record: "visitor" if row.incoming else "agency"
        for row in tx.execute(asked)
        if row.incoming is not None
    }


def _read(
    store: Store,
    tx: Tx,
    record: Record,
    told: Sequence[Version],
    author: str | None,
    later: Sequence[Version] = (),
    late: frozenset[UUID] = frozenset(),
) -> Read:
    at = record.published_at or record.first_seen
    return Read(
        record=record,
        versions=told,
        attachments={version.number: _held(store, tx, record, version, late) for version in told},
        author=author or "unknown",
        day=at.astimezone(store.agency.zone()).date().isoformat(),
        later=later,
    )


def _held(store: Store, tx: Tx, record: Record, version: Version, late: frozenset[UUID]) -> list[Held]:
    listed = cast("list[dict[str, str]]", version.fields.get("attachments") or [])
    if not listed:
        return []
    rows = attachments.of(store, tx, record.id.bytes, [item.get("id", "") for item in listed])
    rows = {name: row for name, row in rows.items() if row.id not in late}
    proven = _commitments(tx, [row.piece for row in rows.values() if row.piece is not None])
    return [_one(store, item, rows.get(item.get("id", "")), proven) for item in listed]


def _one(store: Store, item: Mapping[str, str], row: AttachmentRow | None, proven: Mapping[int, str]) -> Held:
    kept = row is not None and row.state == KEPT
    return Held(
        id=row.id if row is not None else None,
        state=row.state if row is not None else "listed",
        media_type=item.get("media_type"),
        size=row.length if row is not None and kept else None,
        description=item.get("description") or item.get("caption") or "",
        chunks=partial(attachments.stream, store, row) if row is not None and kept else None,
        commitment=proven.get(row.piece) if row is not None and row.piece is not None else None,
    )


def _commitments(tx: Tx, keys: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(keys), _ASK):
        asked = select(pieces.c.key, pieces.c.commitment).where(
            pieces.c.key.in_(list(keys[start : start + _ASK]))
        )
        found |= {row.key: bytes(row.commitment).hex() for row in tx.execute(asked)}
    return found
