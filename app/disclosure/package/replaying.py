"""WACZ of a page with the pieces of those records alone that leave whole; everything else is a hole.

An answer of a platform holds many records, and bytes that belong to none: the
listing around them, and the address by which it was asked for, which may name
others. So of an exchange in a production only those bytes are there that
belong to a record whose very bytes may leave, or that are shared by such
records alone; and nothing of an exchange that was made after the selection was
confirmed. It is a `conversion`, with a `metadata` record that lists the
ranges that are not there, each as long as any other, and never says how it was asked for. Only where
nothing of a whole production was taken out or kept back is there a `response`
with its request: then there is nothing that an address could lead to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.db import Tx, from_instant
from app.disclosure.package.recipe import Recipe
from app.index.keys import Keys
from app.records.clock import iso
from app.store import warc
from app.store.evidence import Hole, Ref
from app.store.outgoing import rendering, walk
from app.store.outgoing.folder import Going, Scope
from app.store.outgoing.replay import Replay, Volume
from app.store.outgoing.telling import AsOf, Json, PageTold, RecordTold, Teller, VersionTold
from app.store.reading import ExchangeKept, layout, layout_of, open_pieces
from app.store.store import Store
from app.store.tables import circle_members, circle_parts, exchanges, pieces

NOT_RELEASED = "not part of this production"
CHANGING = frozenset(("last_seen", "counts", "series"))
"""What goes on changing while nothing of a record does: the other forms tell it, as it was when the record was laid."""
_HOLE = bytes(16)
"""In place of what does not leave: how long it was would tell how much was taken out."""
_ASK = 500
_CIRCLES = 100_000


@dataclass(slots=True)
class Pieces:
    """Which pieces of evidence may leave: those of `released` records, and those shared by such records alone."""

    released: Keys
    _circles: dict[int, bool] = field(default_factory=dict)

    def of(self, tx: Tx, keys: Iterable[int]) -> set[int]:
        """Those of these pieces that may leave."""
        wanted = sorted({key for key in keys if key > 0})
        found: set[int] = set()
        for start in range(0, len(wanted), _ASK):
            asked = select(pieces.c.key, pieces.c.record, pieces.c.circle).where(
                pieces.c.key.in_(wanted[start : start + _ASK])
            )
            for key, record, circle in tx.execute(asked).all():
                if (record is not None and record in self.released) or (
                    circle is not None and self._circle(tx, circle)
                ):
                    found.add(key)
        return found

    def _circle(self, tx: Tx, circle: int) -> bool:
        """Whether every record that shares a circle, and the circles in it, is released."""
        known = self._circles.get(circle)
        if known is None:
            members = select(circle_members.c.record).where(circle_members.c.circle == circle)
            theirs = list(tx.execute(members).scalars())
            parts = list(
                tx.execute(select(circle_parts.c.part).where(circle_parts.c.circle == circle)).scalars()
            )
            known = (
                bool(theirs or parts)
                and all(record in self.released for record in theirs)
                and all(self._circle(tx, part) for part in parts)
            )
            if len(self._circles) >= _CIRCLES:
                self._circles.clear()
            self._circles[circle] = known
        return known


@dataclass(frozen=True, slots=True)
class Package:
    """A page's WACZ: how many records, and how many exchanges that show them."""

    records: int
    exchanges: int


def write(
    store: Store,
    teller: Teller,
    recipe: Recipe,
    page: UUID,
    released: Keys,
    out: Path,
    scratch: Path,
    *,
    late: frozenset[UUID] = frozenset(),
    clean: bool = False,
) -> Package | None:
    """Write the WACZ of a page to `out`; None where none of the released records is of that page.

    `clean` says that nothing of the whole production is taken out or kept back;
    `late` are the attachments whose bytes came after the selection was confirmed.
    """
    reading = walk.remembering(store)
    (told,) = walk.pages_of(reading, [page])
    of_page = [key for part in _records(reading, told, released) for key in part]
    if not of_page:
        return None
    stands = AsOf(size=recipe.as_of, at=recipe.made_at, note="")
    scratch.mkdir(parents=True, exist_ok=True)
    scope = Scope(
        form="wacz", origin=store.agency.origin, pages=(str(page),), messages=True, software=recipe.software
    )
    going = Going(scratch, scope, recipe.as_of, resumed=False)
    going.coming.mkdir(exist_ok=True)
    replay = Replay(reading, teller, going, stands, recipe.software, lambda _what, _number: None)
    volume = Volume(replay, told, 1)
    shown = 0
    try:
        allowed = Pieces(released)
        for key in _exchanges(reading, of_page):
            shown += _exchange(reading, key, allowed, volume, size=recipe.as_of, clean=clean)
        for start in range(0, len(of_page), walk.PART):
            with reading.database.read() as tx:
                records = teller.records(tx, of_page[start : start + walk.PART], stands, messages=True)
            for one in records:
                if isinstance(one, RecordTold):
                    _record(_without(one, late, clean=clean), volume)
        volume.close()
    except BaseException:
        volume.abandon()
        raise
    out.parent.mkdir(parents=True, exist_ok=True)
    volume.file.replace(out)
    return Package(volume.tally.records, shown)


def _records(store: Store, page: PageTold, released: Keys) -> Iterator[list[int]]:
    """The released records of a page by their keys; `record_keys` leaves out what is in quarantine."""
    everything = AsOf(size=1 << 62, at=store.clock.now(), note="")
    for part in walk.record_keys(store, page, everything):
        yield [key for key in part if key in released]


def _exchanges(store: Store, records: Sequence[int]) -> list[int]:
    """The exchanges that show these records, each once, in the order in which they were made."""
    found: set[int] = set()
    for start in range(0, len(records), walk.PART):
        with store.database.read() as tx:
            for key in records[start : start + walk.PART]:
                found.update(warc.exchanges_of(tx, key))
    return sorted(found)


def _exchange(store: Store, key: int, allowed: Pieces, volume: Volume, *, size: int, clean: bool) -> int:
    """What may leave of an exchange, with holes for the rest; return whether anything was left.

    Nothing leaves of one that was made after the ledger had `size` entries: it
    shows records as nobody has reviewed them.
    """
    with store.database.read() as tx:
        row = tx.execute(select(exchanges).where(exchanges.c.key == key)).one()
        if row.entry >= size:
            return 0
        refs = [Ref(*ref) for ref in layout_of(tx, row.layout, row.alike)]
        may = allowed.of(tx, [*(ref.piece for ref in refs), row.envelope])
        told = ExchangeKept(
            key=key, id=UUID(bytes=bytes(row.id)), entry=row.entry, kind=row.kind, at=row.at, status=row.status,
            page=None, envelope=None, body=b"", holes=(),
        )  # fmt: skip
        if row.kind == "file":
            return _lines(store, tx, row.envelope, told, may, volume, clean=clean)
        shown = may & {ref.piece for ref in refs}
        if not shown:
            return 0
        content = open_pieces(store, tx, shown | ({row.envelope} & may if clean else set()))
    body, holes = _closed(refs, content)
    warc.put_exchange(
        volume.warc,
        ExchangeKept(
            key=told.key, id=told.id, entry=told.entry, kind=told.kind, at=told.at, status=told.status,
            page=None, envelope=content.get(row.envelope) if clean else None, body=body, holes=holes,
        ),
    )  # fmt: skip
    return 1


def _closed(refs: Iterable[Ref], content: Mapping[int, bytes]) -> tuple[bytes, list[Hole]]:
    """What is left of a body, and where something is missing: each hole as long as any other, however many pieces it was."""
    parts: list[bytes] = []
    holes: list[Hole] = []
    place, missing = 0, False
    for ref in refs:
        told = content.get(ref.piece)
        if told is None and missing:
            continue
        missing = told is None
        part = _HOLE if told is None else told[ref.start : ref.start + ref.length]
        if missing:
            holes.append(Hole(place, place + len(part), NOT_RELEASED))
        parts.append(part)
        place += len(part)
    return b"".join(parts), holes


def _lines(
    store: Store, tx: Tx, envelope: int, told: ExchangeKept, may: set[int], volume: Volume, *, clean: bool
) -> int:
    """Of a file that was received: the lines of released records, and where in which file they stood.

    Unless the production is clean neither the place nor the file's digest: they
    would tell how long what lies between them is, and let it be tried.
    """
    if not may:
        return 0
    asked = select(pieces.c.key, pieces.c.record).where(
        pieces.c.key.in_(sorted(may)), pieces.c.record.is_not(None)
    )
    own = {row.key: row.record for row in tx.execute(asked)}
    head = open_pieces(store, tx, [envelope]).get(envelope) if envelope > 0 else None
    if not clean:
        _bare_lines(store, tx, told, set(own), head, volume)
        return 1
    kept = ExchangeKept(
        key=told.key, id=told.id, entry=told.entry, kind=told.kind, at=told.at, status=told.status,
        page=None, envelope=head, body=b"", holes=(),
    )  # fmt: skip
    warc.put_lines(store, tx, volume.warc, kept, sorted(set(own.values())))
    return 1


def _bare_lines(
    store: Store, tx: Tx, told: ExchangeKept, own: set[int], head: bytes | None, volume: Volume
) -> None:
    refs = [Ref(*ref) for ref in layout(tx, told.key)]
    content = open_pieces(store, tx, own & {ref.piece for ref in refs})
    said = msgspec.json.decode(head or b"{}")
    lines = (content[ref.piece][ref.start : ref.start + ref.length] for ref in refs if ref.piece in content)
    for number, line in enumerate(lines, 1):
        at, url = from_instant(told.at), f"urn:uuid:{told.id}#{number}"
        volume.warc.put("resource", at, {"WARC-Target-URI": url}, "application/json", line)
        known = {
            "received_in": said.get("file"), "format": said.get("format"), "exchange": str(told.id),
            "ledger_entry": told.entry,
        }  # fmt: skip
        body = json.dumps(known, ensure_ascii=False).encode()
        volume.warc.put("metadata", at, {"WARC-Refers-To": volume.warc.last}, "application/json", body)


def _without(told: RecordTold, late: frozenset[UUID], *, clean: bool) -> RecordTold:
    """A record without the bytes of these attachments and without what is `CHANGING`; unless the production is clean, without the digest of its file."""
    versions = [
        replace(
            version,
            attachments=[one for one in version.attachments if one.id not in late],
            json=_lasting(version.json, clean=clean),
        )
        for version in told.versions
    ]
    return replace(told, versions=versions)


def _lasting(told: Json, *, clean: bool) -> Json:
    lasting = {name: value for name, value in told.items() if name not in CHANGING}
    received = lasting.get("received")
    if clean or not isinstance(received, Mapping):
        return lasting
    return {**lasting, "received": {name: value for name, value in received.items() if name != "sha256"}}


def _record(told: RecordTold, volume: Volume) -> None:
    """A record's versions and attachments, its line among the pages, and a rendering of each version under its address."""
    newest = told.versions[-1]
    for version in told.versions:
        volume.told("versions", version.json)
    attached = {
        one.id: (version.observed_at, one) for version in told.versions for one in version.attachments
    }
    for at, one in attached.values():
        volume.warc.put_attachment(at, one)
    url = str(newest.json.get("url") or "")
    if url.startswith(("http://", "https://")):
        for version in told.versions:
            if version.state == "present":
                volume.warc.put_rendering(url, told.id, version)
    volume.told("pages" if told.kind == "post" else "extraPages", _line(told, newest, url))
    volume.tally.records += 1
    volume.tally.versions += len(told.versions)
    volume.tally.attachments += len(attached)


def _line(told: RecordTold, newest: VersionTold, url: str) -> dict[str, object]:
    return {
        "id": str(told.id),
        "url": url or f"urn:uuid:{told.id}",
        "ts": iso(newest.observed_at),
        "title": rendering.title(newest),
        "text": str(newest.json.get("text") or ""),
    }
