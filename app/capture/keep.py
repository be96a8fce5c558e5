"""Keeping a batch: exchanges cut into pieces, observations stated and sealed, entries in the ledger.

The order of writes survives a power cut at any point. Sealed bytes are written
and fsynced; then the keyring commits the new secrets; then one transaction
writes rows, ledger entries and the cursor. A crash leaves at worst an object
and secrets that nothing refers to, which the next start sweeps; what was
observed is observed again, and is then the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import Column, func, insert, select

from app.capture import marks
from app.capture.circles import Circle, Circles, Piece
from app.db import ArchiveBusy, Tx, from_instant, key_of, to_instant
from app.db.database import lock_ledger
from app.db.rows import insert_rows, inserting, update_rows
from app.records.ids import new_ids
from app.store import suppression
from app.store.canonical import Json, canonical, plain, simple
from app.store.evidence import Owners, cut, exchange_commitment, gather, piece_commitment
from app.store.keyring import KeyMissing
from app.store.ledger import keyed, timestamp
from app.store.sealing import derive, new_secret, seal, unseal
from app.store.statement import fields_of, state
from app.store.store import Store
from app.store.tables import (
    attachments,
    counts,
    exchanges,
    layouts,
    objects,
    pieces,
    records,
    tombstones,
    versions,
)
from connectors.contract import Attachment, Kind, Observation, State

_ASK = 500
_TRIES = 5
_LONG_LAYOUT = 64
"""Layouts of fewer bytes are written each time: to refer to one would take as much."""
_layout_encoder = msgspec.msgpack.Encoder()
_ANSWERS = frozenset({Kind.COMMENT, Kind.REPLY, Kind.MESSAGE})
"""Kinds that answer something: where none names it, the platform does not tell."""


@dataclass(frozen=True, slots=True)
class PageRef:
    """What keeping needs to know of a page."""

    key: int
    id: bytes
    platform: str
    name: str


@dataclass(slots=True)
class Seen:
    """An observation on a page, with the spans of its evidence: exchange, start, end."""

    page: PageRef
    observation: Observation
    spans: Sequence[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class ExchangeRef:
    """An exchange that is kept already."""

    key: int
    id: bytes
    at: datetime


@dataclass(slots=True)
class Stood:
    """A known record seen in another state, without its content.

    `exchange` is the place of the exchange in the batch that shows it, or one that is kept already.
    """

    record: bytes
    state: State
    exchange: int | ExchangeRef
    reason: str


@dataclass(slots=True)
class Carried:
    """An exchange to keep: its envelope, its body, and when it was."""

    kind: str
    at: datetime
    status: int
    envelope: bytes
    body: bytes
    shared: bool = True
    """Whether what is nobody's own (the envelope, the rest of the body) goes with the records; else it is the exchange's."""
    concerns: Sequence[bytes] = ()
    """Records that the exchange speaks of although it shows no observation of them: it goes with them too."""


@dataclass(slots=True)
class Tally:
    """What became of a batch; a version that only changes the state counts under that state."""

    new: int = 0
    edited: int = 0
    hidden: int = 0
    absent: int = 0
    gone: int = 0
    restored: int = 0
    suppressed: int = 0
    unchanged: int = 0
    exchanges: int = 0

    def add(self, other: Tally) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class _Known:
    """What is held of one record while its batch is kept."""

    id: bytes
    secret: bytes
    page: PageRef
    key: int | None
    version: int = 0
    state: str = ""
    mark: bytes = b""
    last_seen: int = 0
    by_file: bool = False
    """Whether its newest version was told by a file that was handed in, and nobody saw it."""
    counts: str | None = None
    salt: bytes = b""
    pieces: dict[bytes, Piece] = field(default_factory=dict)
    told: Mapping[bytes, Sequence[int]] = field(default_factory=dict)
    """By their marks, the versions that a history told again may meet."""
    row: _About | None = None
    touched: bool = False
    changed: bool = False
    found: int = 0
    """The newest version when the batch was decided."""
    fields: Mapping[str, Json] | None = None
    """What the newest version states, where this batch made it or opened it."""


@dataclass(frozen=True, slots=True)
class _About:
    """What the row of a new record says besides how it stands."""

    kind: str
    native_mac: bytes
    parent_mac: bytes | None
    published_at: int | None
    first_seen: int
    private: bool


_RECORD = (
    "key", "id", "page", "kind", "native_mac", "parent_mac", "state", "version", "published_at", "first_seen", "last_seen",
    "private", "received", "counts",
)  # fmt: skip
_PIECE = ("key", "record", "circle", "exchange", "commitment", "length", "object", "place", "size")
_VERSION = (
    "record", "number", "entry", "state", "observed_at", "last_seen_before", "exchange", "object", "place", "size", "mark",
)  # fmt: skip


class Keeper:
    """Keeps the batches of one run."""

    def __init__(
        self,
        store: Store,
        run: int,
        reader: str,
        *,
        received: bool,
        again: bool = False,
        held: Callable[[PageRef, Observation], bool] | None = None,
        point: Callable[[str], None] | None = None,
    ) -> None:
        self.store, self.run, self.reader, self.received = store, run, reader, received
        self.held = held or (lambda _page, _observation: False)
        """Whether an active hold covers what was disposed of before and is shown again; it is then a new record."""
        self.again = again
        """Whether all this was received just before, in this order: an older state is then known, and no edit."""
        self.point = point or (lambda _name: None)
        self.exchanges: list[ExchangeRef] = []
        """The exchanges of the batch that was kept last."""
        self.files: Mapping[str, Sequence[Attachment]] = {}
        """The files of items in it whose platform keeps back which they are, as they stood."""

    def keep(
        self,
        carried: Sequence[Carried],
        seen: Sequence[Seen],
        stood: Sequence[Stood] = (),
        *,
        also: Callable[[Tx], None] | None = None,
    ) -> Tally:
        """Keep one batch in one transaction; `also` runs in it (the cursor, the gaps). Return what became of it."""
        for _ in range(_TRIES):
            batch = _Batch(self, carried)
            batch.identify(seen, stood)
            batch.divide(seen, stood)
            batch.state(seen, stood)
            try:
                batch.write(also)
            except _Overtaken:
                continue
            self.exchanges, self.files = batch.kept, batch.files
            return batch.tally
        raise ArchiveBusy(
            "the page is being written by others at the same time",
            next="Capture it again when they are done.",
        )


class _Overtaken(Exception):
    """Somebody else kept one of the batch's records meanwhile; what was decided is to be decided again."""


class _Batch:
    """One batch on its way: identified, divided into pieces, stated, written."""

    def __init__(self, keeper: Keeper, carried: Sequence[Carried]) -> None:
        self.keeper, self.store, self.carried = keeper, keeper.store, carried
        self.tally = Tally(exchanges=len(carried))
        self.known: list[_Known | None] = []
        self.lost: list[int] = []
        self.disposed: dict[bytes, int] = {}
        self.by_mac: dict[bytes, _Known | None] = {}
        self.frames: list[bytes] = []
        self.place = 0
        self.piece_rows: list[_PieceRow] = []
        self.owned: dict[bytes, bytes] = {}
        self.circles = Circles(self.store)
        self.exchange_ids = new_ids(len(carried))
        self.layouts: list[list[tuple[Piece, int, int]]] = []
        self.envelopes: list[Piece] = []
        self.own: dict[tuple[bytes, int], list[bytes]] = {}
        self.fresh: set[bytes] = set()
        """Records of which bytes came that they did not have."""
        self.version_rows: list[_VersionRow] = []
        self.bodies: list[bytes] = []
        self.count_rows: list[tuple[_Known, int, str]] = []
        self.kept: list[ExchangeRef] = []
        self.files: dict[str, Sequence[Attachment]] = {}
        """By native id, what files an item has whose platform keeps back which they are."""
        self.decided_at = 0

    # 1 -- who is it ---------------------------------------------------------------------------------------

    def identify(self, seen: Sequence[Seen], stood: Sequence[Stood]) -> None:
        """Find the record of each observation, or make it a new one."""
        with self.store.database.read() as tx:
            self.decided_at = self.store.ledger.size(tx)
        lookup = self.store.lookup
        macs = [keyed(lookup, item.page.id, item.observation.native_id.encode()) for item in seen]
        self._load(select_by=records.c.native_mac, values=[*dict.fromkeys(macs)])
        self._suppress(macs, seen)
        missing = [(mac, item.page) for mac, item in zip(macs, seen, strict=True) if mac not in self.by_mac]
        fresh = new_ids(len(missing))
        chance = os.urandom(32 * len(missing))
        for number, (mac, page) in enumerate(missing):
            if mac not in self.by_mac:
                secret = chance[32 * number : 32 * number + 32]
                known = _Known(
                    id=fresh[number], secret=secret, page=page, key=None, salt=derive(secret, b"piece")
                )
                self.by_mac[mac] = known
                self.owned[known.id] = secret
        self.known = [self.by_mac[mac] for mac in macs]
        self.lost = [self.disposed.get(mac, 0) for mac in macs]
        named = dict.fromkeys(
            [item.record for item in stood] + [one for item in self.carried for one in item.concerns]
        )
        # One that is observed as well is the same record, known already.
        if further := [one for one in named if one not in self.by_mac]:
            self._load(select_by=records.c.id, values=further)

    def _suppress(self, macs: Sequence[bytes], seen: Sequence[Seen]) -> None:
        """What was disposed of and is still shown is not kept again, unless an active hold covers it."""
        left = {mac: item for mac, item in zip(macs, seen, strict=True) if mac not in self.by_mac}
        if not left:
            return
        with self.store.database.read() as tx:
            laid = suppression.laid(tx, list(left))
        for mac, record in laid.items():
            item = left[mac]
            if not self.keeper.held(item.page, item.observation):
                self.by_mac[mac], self.disposed[mac] = None, record

    def _load(self, *, select_by: Column[Any], values: list[bytes]) -> None:
        """Read what is held of records: their newest version's mark, their secrets, their pieces."""
        rows: list[Any] = []
        with self.store.database.read() as tx:
            for start in range(0, len(values), _ASK):
                asked = (
                    select(
                        records.c.key,
                        records.c.id,
                        records.c.native_mac,
                        records.c.version,
                        records.c.state,
                        records.c.last_seen,
                        records.c.received,
                        records.c.counts,
                        records.c.page,
                        versions.c.mark,
                        tombstones.c.at,
                    )
                    .join(
                        versions,
                        (versions.c.record == records.c.key) & (versions.c.number == records.c.version),
                    )
                    .outerjoin(tombstones, tombstones.c.record == records.c.key)
                    .where(select_by.in_(values[start : start + _ASK]))
                )
                rows += tx.execute(asked).all()
            if not rows:
                return
            held: dict[int, dict[bytes, Piece]] = {}
            keys = [row.key for row in rows]
            for start in range(0, len(keys), _ASK):
                part = keys[start : start + _ASK]
                of_files = _of_files(tx, part)
                asked_pieces = select(pieces.c.record, pieces.c.commitment, pieces.c.key).where(
                    pieces.c.record.in_(part)
                )
                for owner, commitment, key in tx.execute(asked_pieces):
                    if key not in of_files:
                        held.setdefault(owner, {})[bytes(commitment)] = Piece(
                            commitment=bytes(commitment), key=key
                        )
            told = self._told(tx, keys) if self.keeper.again else {}
            by_file = _by_file(tx, [row.key for row in rows if row.received])
        secrets = self.store.keyring.secrets(bytes(row.id) for row in rows if row.at is None)
        for row in rows:
            mac, identity = bytes(row.native_mac), bytes(row.id)
            if row.at is not None:
                self.by_mac[mac], self.disposed[mac] = None, row.key
                continue
            if identity not in secrets:
                raise KeyMissing(f"the keyring has no secret for record {identity.hex()}")
            secret = secrets[identity]
            known = _Known(
                id=identity,
                secret=secret,
                page=PageRef(row.page, b"", "", ""),
                key=row.key,
                version=row.version,
                found=row.version,
                state=row.state,
                mark=bytes(row.mark),
                last_seen=row.last_seen,
                by_file=row.key in by_file,
                counts=row.counts,
                salt=derive(secret, b"piece"),
                pieces=held.get(row.key, {}),
                told=told.get(row.key, {}),
            )
            self.by_mac[mac] = known
            self.by_mac[identity] = known

    def _told(self, tx: Tx, keys: list[int]) -> dict[int, dict[bytes, list[int]]]:
        """The versions of these records by their marks."""
        found: dict[int, dict[bytes, list[int]]] = {}
        for start in range(0, len(keys), _ASK):
            asked = select(versions.c.record, versions.c.mark, versions.c.number).where(
                versions.c.record.in_(keys[start : start + _ASK])
            )
            for record, mark, number in tx.execute(asked):
                found.setdefault(record, {}).setdefault(bytes(mark), []).append(number)
        return found

    # 2 -- whose bytes are they ----------------------------------------------------------------------------

    def divide(self, seen: Sequence[Seen], stood: Sequence[Stood]) -> None:
        """Cut each body into pieces by owner; a piece that is held already is referred to."""
        numbers: dict[bytes, int] = {}
        members: list[_Known] = []

        def number(known: _Known) -> int:
            if known.id not in numbers:
                numbers[known.id] = len(members)
                members.append(known)
            return numbers[known.id]

        spans: list[list[tuple[int, int, int]]] = [[] for _ in self.carried]
        present: list[set[int]] = [set() for _ in self.carried]
        lost: list[list[tuple[int, int, int]]] = [[] for _ in self.carried]
        for place, item in enumerate(seen):
            known = self.known[place]
            for exchange, start, end in item.spans:
                if known is None:
                    lost[exchange].append((start, end, -self.lost[place]))
                else:
                    spans[exchange].append((start, end, number(known)))
                    present[exchange].add(number(known))
        for one in stood:
            held = self.by_mac.get(one.record)
            if held is not None and isinstance(one.exchange, int):
                present[one.exchange].add(number(held))
        for place, carried in enumerate(self.carried):
            for one_id in carried.concerns:
                concerned = self.by_mac.get(one_id)
                if concerned is not None:
                    present[place].add(number(concerned))
            everyone = frozenset(present[place]) if carried.shared else frozenset()
            parts, order = gather(carried.body, cut(len(carried.body), spans[place] + lost[place]))
            made: dict[Owners, Piece] = {}
            for owners, content in parts.items():
                who = frozenset(owner for owner in owners if owner >= 0)
                if owners and not who:
                    # A hole from the beginning; it names the disposed record, whose tombstone says why.
                    made[owners] = Piece(commitment=bytes(32), key=max(owners))
                else:
                    made[owners] = self._piece(who or everyone, members, content, place, stated=bool(who))
            self.layouts.append([(made[owners], start, length) for owners, start, length in order])
            self.envelopes.append(self._piece(everyone, members, carried.envelope, place, stated=False))

    def _piece(
        self, owners: Owners, members: list[_Known], content: bytes, exchange: int, *, stated: bool
    ) -> Piece:
        """The piece that holds `content` for its owners, made unless they hold it already."""
        if len(owners) == 1:
            known = members[next(iter(owners))]
            commitment = piece_commitment(known.salt, content)
            if stated:
                self.own.setdefault((known.id, exchange), []).append(content)
            if commitment in known.pieces:
                return known.pieces[commitment]
            if stated:
                self.fresh.add(known.id)
            identity, secret = known.id, known.secret
            whose: _Known | Circle | int = known
            piece = known.pieces[commitment] = Piece(commitment=commitment)
        elif owners:
            circle = self.circles.of([members[number] for number in sorted(owners)])
            commitment = piece_commitment(circle.salt, content)
            if commitment in circle.pieces:
                return circle.pieces[commitment]
            if stated:
                self.fresh.update(members[number].id for number in owners)
            identity, secret = circle.id, circle.secret
            whose = circle
            piece = circle.pieces[commitment] = Piece(commitment=commitment)
        else:
            identity = self.exchange_ids[exchange]
            secret = self.owned.get(identity) or self.owned.setdefault(identity, new_secret())
            commitment = piece_commitment(derive(secret, b"piece"), content)
            whose = exchange
            piece = Piece(commitment=commitment)
        frame = seal(secret, b"piece/" + identity + commitment, content)
        place, size = self._frame(frame)
        self.piece_rows.append(_PieceRow(piece, whose, len(content), place, size))
        return piece

    def _frame(self, frame: bytes) -> tuple[int, int]:
        place = self.place
        self.frames.append(frame)
        self.place += len(frame)
        return place, len(frame)

    # 3 -- what is proven of it ----------------------------------------------------------------------------

    def state(self, seen: Sequence[Seen], stood: Sequence[Stood]) -> None:
        """State a version for each observation that is new or differs from the newest version."""
        for place, item in enumerate(seen):
            known = self.known[place]
            if known is None:
                self.tally.suppressed += 1
                continue
            exchange = item.spans[0][0] if item.spans else 0
            at = self.carried[exchange].at
            found = item.observation
            said = marks.seen(item.page.platform, found)
            mark = said.mark(known.secret)
            if mark != known.mark and found.in_reply_to is None and found.kind in _ANSWERS and known.version:
                found = replace(found, in_reply_to=self._answered(known))
                said = marks.seen(item.page.platform, found)
                mark = said.mark(known.secret)
            if mark != known.mark and known.version and not found.files_told:
                files = marks.still_with(found, self._fields(known, known.version))
                self.files[found.native_id] = files
                found = replace(found, attachments=files)
                said = marks.seen(item.page.platform, found)
                mark = said.mark(known.secret)
            if mark != known.mark and known.version and marks.tells_less(found):
                found = marks.as_stood(item.page.platform, found, self._fields(known, known.version))
                said = marks.seen(item.page.platform, found)
                mark = said.mark(known.secret)
            known.touched = True
            if found.counts:
                self._count(known, to_instant(at), found.counts)
            if self._is_known(known, said, mark, profile=found.kind is Kind.PROFILE):
                self.tally.unchanged += 1
                known.last_seen = self._seen_at(known, at)
                continue
            before = self._fields(known, known.version) if known.version else None
            if before is not None and marks.completes(said, before):
                self.tally.unchanged += 1
            else:
                self._tell(known, found.state)
            own = self.own.get((known.id, exchange), [])
            fields = stated_fields(item.page, found, own, self.exchange_ids[exchange])
            if marks.keeps_back(found, before):
                fields["files_told"] = False
            if (
                known.version
                and said.leaves_open
                and marks.carried_on(fields, found, self._fields(known, known.version))
            ):
                mark = said.older_mark(known.secret)
            self._version(known, exchange, at, fields, str(found.state), mark)
            if known.version == 1:
                parent = found.in_reply_to
                known.row = _About(
                    kind=str(found.kind),
                    native_mac=keyed(self.store.lookup, item.page.id, found.native_id.encode()),
                    parent_mac=keyed(self.store.lookup, item.page.id, parent.encode()) if parent else None,
                    published_at=to_instant(found.published_at) if found.published_at else None,
                    first_seen=to_instant(at),
                    private=found.private,
                )
        for one in stood:
            held = self.by_mac.get(one.record)
            if held is not None:
                self._stands(held, one)

    def _is_known(self, known: _Known, said: marks.Said, mark: bytes, *, profile: bool) -> bool:
        """Whether what is shown is what the newest version states, or in a history told again any version.

        Of such a history, what was edited later than the newest version states
        is not told again, but stands. A mark of the older rule stands for no
        words beside the text: the version is then opened. One that seems to have had none is opened only
        if bytes came that the record did not have.
        """
        if not known.version:
            return False
        # An introduction has no history that is told again: as it is shown is how it stands.
        told = {} if profile else known.told
        if mark == known.mark and not (said.denies and known.id in self.fresh and not said.has_words):
            return True
        older = said.older_mark(known.secret)
        if (older == known.mark or said.leaves_open) and self._states(known, known.version, said):
            return True
        if (mark in told or older in told) and not self.keeper.received and self._follows(known, said):
            return False
        if mark in told and mark != older:
            return True
        met = told.get(older, ())
        if mark == older and met and not said.denies:
            return True
        if said.leaves_open:
            met = [number for numbers in told.values() for number in numbers]
        return any(self._states(known, number, said) for number in met if number != known.version)

    def _follows(self, known: _Known, said: marks.Said) -> bool:
        """Whether a state that is held already was made later than what the newest version states.

        So where a platform brings to light an older state once a newer one is
        held: the newer stands again, and is stated once more.
        """
        stood = marks.stated(self._fields(known, known.version)).edited_at
        return said.edited_at is not None and (stood is None or stood < said.edited_at)

    def _answered(self, known: _Known) -> str | None:
        """What a record was last said to answer: its platform names it no longer once that is removed, and nobody edited this."""
        said = self._fields(known, known.version).get("in_reply_to")
        return said if isinstance(said, str) else None

    def _states(self, known: _Known, number: int, said: marks.Said) -> bool:
        """Whether a version states what is shown."""
        return said.is_as(marks.stated(self._fields(known, number)))

    def _stands(self, known: _Known, one: Stood) -> None:
        """State a version that differs from the newest one in the record's state alone."""
        shown = self._shown(one.exchange)
        if one.state is State.UNKNOWN or str(one.state) == known.state:
            if one.state in (State.PRESENT, State.HIDDEN):
                known.touched, known.last_seen = True, self._seen_at(known, shown.at)
            return
        self._tell(known, one.state)
        fields = self._fields(known, known.version)
        fields |= {"state": str(one.state), "seen": shown.id.hex(), "payloads": []}
        fields.pop("state_reason", None)
        if one.reason:
            fields["state_reason"] = one.reason
        known.touched = one.state in (State.PRESENT, State.HIDDEN)
        mark = marks.stated(fields).mark(known.secret)
        self._version(known, one.exchange, shown.at, fields, str(one.state), mark)

    def _seen_at(self, known: _Known, at: datetime) -> int:
        """When a record was last seen. A file that is handed in does not show how something captured stands on that day."""
        if self.keeper.received and known.key is not None and not known.by_file:
            return known.last_seen
        return max(known.last_seen, to_instant(at))

    def _shown(self, exchange: int | ExchangeRef) -> ExchangeRef:
        if isinstance(exchange, ExchangeRef):
            return exchange
        return ExchangeRef(0, self.exchange_ids[exchange], self.carried[exchange].at)

    def _tell(self, known: _Known, now: State) -> None:
        """Count what the version means."""
        if known.version == 0:
            self.tally.new += 1
        elif str(now) == known.state:
            self.tally.edited += 1
        elif now in (State.HIDDEN, State.ABSENT, State.GONE):
            setattr(self.tally, str(now), getattr(self.tally, str(now)) + 1)
        else:
            self.tally.restored += 1

    def _version(
        self,
        known: _Known,
        exchange: int | ExchangeRef,
        at: datetime,
        fields: Mapping[str, Json],
        stands: str,
        mark: bytes,
    ) -> None:
        number = known.version + 1
        # When that stood which only a file told of, nobody saw: no interval begins with it.
        unseen = known.by_file and not self.keeper.received and known.version == known.found
        before = None if unseen else known.last_seen or None
        fields = stating_when_seen(fields, before)
        clear: dict[str, Json] = {
            "item": known.id.hex(),
            "ver": number,
            "observed": timestamp(at),
            "connector": self.keeper.reader,
        }
        stated = state(known.secret, clear, fields, number)
        place, size = self._frame(seal(known.secret, b"version/%d/" % number + known.id, stated.packed()))
        self.version_rows.append(
            _VersionRow(known, number, stands, to_instant(at), exchange, before, place, size, mark)
        )
        self.bodies.append(
            b'{"c":"%b","item":"%b","ts":"%b","type":"capture","v":1,"ver":%d}'
            % (stated.commitment.hex().encode(), known.id.hex().encode(), timestamp(at).encode(), number)
        )
        known.version, known.state, known.mark, known.changed = number, stands, mark, True
        known.fields = fields
        if stands in ("present", "hidden") or number == 1:
            known.last_seen = self._seen_at(known, at)

    def _fields(self, known: _Known, number: int) -> dict[str, Json]:
        """What a version states."""
        if known.fields is not None and number == known.version:
            return dict(known.fields)
        with self.store.database.read() as tx:
            row = tx.execute(
                select(versions.c.place, versions.c.size, objects.c.digest)
                .join(objects, objects.c.key == versions.c.object)
                .where(versions.c.record == known.key, versions.c.number == number)
            ).one()
        frame = self.store.objects.read(bytes(row.digest), row.place, row.size)
        opened = fields_of(unseal(known.secret, b"version/%d/" % number + known.id, frame))
        found = {name: plain(value) for name, value in opened.items()}
        if number == known.version:
            known.fields = found
        return dict(found)

    def _count(self, known: _Known, at: int, seen: Mapping[str, int]) -> None:
        told = json.dumps(
            {str(name): int(value) for name, value in sorted(seen.items())}, separators=(",", ":")
        )
        if told != known.counts:
            known.counts = told
            self.count_rows.append((known, at, told))

    # 4 -- write it ----------------------------------------------------------------------------------------

    def write(self, also: Callable[[Tx], None] | None) -> None:
        """Objects, then keyring, then one transaction."""
        point = self.keeper.point
        point("before-objects")
        kept = self.store.objects.put(self.frames) if self.frames else None
        point("after-objects")
        self.store.keyring.keep(self.owned)
        point("after-keyring")
        with self.store.database.begin() as tx:
            lock_ledger(tx)
            self._still(tx)
            object_key = self._object(tx, kept.digest, kept.size) if kept else 0
            self._records(tx)
            self.circles.write(tx)
            first_exchange = (tx.execute(select(func.max(exchanges.c.key))).scalar() or 0) + 1
            self._pieces(tx, object_key, first_exchange)
            first = self.store.ledger.append(
                tx, self.bodies + [self._exchange_body(place) for place in range(len(self.carried))]
            )
            self._exchanges(tx, first_exchange, first + len(self.bodies))
            self._versions(tx, object_key, first_exchange, first)
            self._seen(tx)
            point("before-commit")
            if also is not None:
                also(tx)
            self.kept = [
                ExchangeRef(first_exchange + place, identity, carried.at)
                for place, (identity, carried) in enumerate(zip(self.exchange_ids, self.carried, strict=True))
            ]
        point("after-commit")

    def _still(self, tx: Tx) -> None:
        """Raise `_Overtaken` where what this batch was decided upon is no longer so: a pass and a stream met."""
        if self.store.ledger.size(tx) == self.decided_at:
            return
        new = [mac for mac, known in self.by_mac.items() if known is not None and known.key is None]
        for start in range(0, len(new), _ASK):
            asked = select(records.c.key).where(records.c.native_mac.in_(new[start : start + _ASK]))
            if tx.execute(asked.limit(1)).first() is not None:
                raise _Overtaken
        held = {known.key: known.found for known in self.by_mac.values() if known is not None and known.key}
        keys = list(held)
        for start in range(0, len(keys), _ASK):
            asked = select(records.c.key, records.c.version).where(
                records.c.key.in_(keys[start : start + _ASK])
            )
            if any(held[key] != version for key, version in tx.execute(asked)):
                raise _Overtaken
            gone = select(tombstones.c.record).where(tombstones.c.record.in_(keys[start : start + _ASK]))
            if tx.execute(gone.limit(1)).first() is not None:
                raise _Overtaken
        if self.circles.overtaken(tx):
            raise _Overtaken

    def _object(self, tx: Tx, digest: bytes, size: int) -> int:
        held = tx.execute(select(objects.c.key).where(objects.c.digest == digest)).scalar()
        if held is not None:
            return int(held)
        return key_of(
            tx.execute(
                insert(objects).values(digest=digest, size=size, kept_at=to_instant(self.store.clock.now()))
            )
        )

    def _records(self, tx: Tx) -> None:
        new = {
            known.id: (known, known.row)
            for known in self.known
            if known is not None and known.key is None and known.row is not None
        }
        if not new:
            return
        key = (tx.execute(select(func.max(records.c.key))).scalar() or 0) + 1
        rows = []
        for known, about in new.values():
            known.key, key = key, key + 1
            rows.append(
                (
                    known.key,
                    known.id,
                    known.page.key,
                    about.kind,
                    about.native_mac,
                    about.parent_mac,
                    known.state,
                    known.version,
                    about.published_at,
                    about.first_seen,
                    known.last_seen,
                    about.private,
                    self.keeper.received,
                    known.counts,
                )
            )
            known.touched = known.changed = False
        insert_rows(tx, records, _RECORD, rows)

    def _pieces(self, tx: Tx, object_key: int, first_exchange: int) -> None:
        if not self.piece_rows:
            return
        key = (tx.execute(select(func.max(pieces.c.key))).scalar() or 0) + 1
        rows = []
        for row in self.piece_rows:
            row.piece.key, key = key, key + 1
            whose = row.whose
            rows.append(
                (
                    row.piece.key,
                    whose.key if isinstance(whose, _Known) else None,
                    whose.key if isinstance(whose, Circle) else None,
                    first_exchange + whose if isinstance(whose, int) else None,
                    row.piece.commitment,
                    row.length,
                    object_key,
                    row.place,
                    row.size,
                )
            )
        insert_rows(tx, pieces, _PIECE, rows)

    def _exchange_body(self, place: int) -> bytes:
        layout = ((piece.commitment, start, length) for piece, start, length in self.layouts[place])
        commitment = exchange_commitment(self.envelopes[place].commitment, layout)
        return canonical(
            {
                "c": commitment.hex(),
                "exchange": self.exchange_ids[place].hex(),
                "ts": timestamp(self.carried[place].at),
                "type": "exchange",
                "v": 1,
            }
        )

    def _exchanges(self, tx: Tx, first_key: int, first_entry: int) -> None:
        if not self.carried:
            return
        made = [
            _layout_encoder.encode([(piece.key, start, length) for piece, start, length in layout])
            for layout in self.layouts
        ]
        alike = self._alike(tx, made, first_key)
        tx.execute(
            insert(exchanges),
            [
                {
                    "key": first_key + place,
                    "id": self.exchange_ids[place],
                    "run": self.keeper.run,
                    "entry": first_entry + place,
                    "kind": carried.kind,
                    "at": to_instant(carried.at),
                    "status": carried.status,
                    "envelope": self.envelopes[place].key,
                    "layout": b"" if place in alike else made[place],
                    "alike": alike.get(place),
                }
                for place, carried in enumerate(self.carried)
            ],
        )
        fresh = {
            layout_digest(made[place]): first_key + place
            for place in range(len(made))
            if place not in alike and len(made[place]) > _LONG_LAYOUT
        }
        if fresh:
            tx.execute(
                insert(layouts), [{"digest": digest, "exchange": key} for digest, key in fresh.items()]
            )

    def _alike(self, tx: Tx, made: Sequence[bytes], first_key: int) -> dict[int, int]:
        """The exchanges whose bodies are cut just as one before them, and which one."""
        digests = {
            place: layout_digest(layout) for place, layout in enumerate(made) if len(layout) > _LONG_LAYOUT
        }
        known: dict[bytes, int] = {}
        wanted = list(dict.fromkeys(digests.values()))
        for start in range(0, len(wanted), _ASK):
            asked = select(layouts.c.digest, layouts.c.exchange).where(
                layouts.c.digest.in_(wanted[start : start + _ASK])
            )
            known |= {bytes(digest): exchange for digest, exchange in tx.execute(asked)}
        alike: dict[int, int] = {}
        for place, digest in digests.items():
            if digest in known:
                alike[place] = known[digest]
            else:
                known[digest] = first_key + place
        return alike

    def _versions(self, tx: Tx, object_key: int, first_exchange: int, first_entry: int) -> None:
        if not self.version_rows:
            return
        rows = []
        for number, row in enumerate(self.version_rows):
            shown = row.exchange
            rows.append(
                (
                    row.known.key,
                    row.number,
                    first_entry + number,
                    row.state,
                    row.observed_at,
                    row.last_seen_before,
                    shown.key if isinstance(shown, ExchangeRef) else first_exchange + shown,
                    object_key,
                    row.place,
                    row.size,
                    row.mark,
                )
            )
        insert_rows(tx, versions, _VERSION, rows)

    def _seen(self, tx: Tx) -> None:
        unique = {
            id(known): known
            for known in self.by_mac.values()
            if known is not None and known.key and (known.touched or known.changed)
        }
        update_rows(
            tx,
            records,
            ("version", "state", "last_seen", "counts"),
            "key",
            [
                (known.version, known.state, known.last_seen, known.counts, known.key)
                for known in unique.values()
            ],
        )
        if self.count_rows:
            latest = {(known.key, at): told for known, at, told in self.count_rows}
            tx.execute(
                # A count that was kept never changes: of two at the same instant the series keeps the first.
                inserting(tx, counts).on_conflict_do_nothing(),
                [{"record": record, "at": at, "counts": told} for (record, at), told in latest.items()],
            )


@dataclass(slots=True, eq=False)
class _PieceRow:
    """A piece to be written: whose it is (an exchange by its place in the batch), and where its frame lies."""

    piece: Piece
    whose: _Known | Circle | int
    length: int
    place: int
    size: int


@dataclass(slots=True, eq=False)
class _VersionRow:
    """A version to be written."""

    known: _Known
    number: int
    state: str
    observed_at: int
    exchange: int | ExchangeRef
    last_seen_before: int | None
    place: int
    size: int
    mark: bytes


def _of_files(tx: Tx, keys: Sequence[int]) -> set[int]:
    """The pieces of these records that are attachments: of the same commitment as evidence of the same bytes, and sealed otherwise."""
    asked = select(attachments.c.piece).where(
        attachments.c.record.in_(keys), attachments.c.piece.is_not(None)
    )
    return set(tx.execute(asked).scalars())


def _by_file(tx: Tx, keys: Sequence[int]) -> set[int]:
    """Those of these records whose newest version was told by a file."""
    found: set[int] = set()
    for start in range(0, len(keys), _ASK):
        asked = (
            select(records.c.key)
            .join(versions, (versions.c.record == records.c.key) & (versions.c.number == records.c.version))
            .join(exchanges, exchanges.c.key == versions.c.exchange)
            .where(records.c.key.in_(keys[start : start + _ASK]), exchanges.c.kind == "file")
        )
        found |= set(tx.execute(asked).scalars())
    return found


def layout_digest(layout: bytes) -> bytes:
    """What a layout is found by; it holds the numbers of pieces, and no content."""
    return hashlib.sha256(layout).digest()[:16]


def stated_fields(
    page: PageRef, found: Observation, own: Sequence[bytes], exchange: bytes
) -> dict[str, Json]:
    """The fields of a version's statement; what the platform did not say is not a field."""
    author = found.author
    fields: dict[str, Json] = {
        "platform": page.platform,
        "page": page.name,
        "native_id": found.native_id,
        "kind": str(found.kind),
        "state": str(found.state),
        "text": found.text,
        "seen": exchange.hex(),
        "payloads": [
            {
                "name": f"observation-{number}",
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for number, content in enumerate(own, start=1)
        ],
    }
    if author:
        if author.id:
            fields["author_id"] = author.id
        if author.name:
            fields["author_name"] = author.name
        if author.handle:
            fields["author_handle"] = author.handle
    if found.html is not None:
        fields["html"] = found.html
    if found.url:
        fields["url"] = found.url
    if found.in_reply_to:
        fields["in_reply_to"] = found.in_reply_to
    if found.published_at:
        fields["published_at"] = found.published_at.isoformat()
    if found.edited_at:
        fields["edited_at"] = found.edited_at.isoformat()
    if found.language:
        fields["language"] = found.language
    if found.attachments:
        fields["attachments"] = [
            {
                name: value
                for name, value in (
                    ("id", item.id),
                    ("url", item.url),
                    ("media_type", item.media_type),
                    ("description", item.description),
                    ("caption", item.caption),
                )
                if value or name == "id"
            }
            for item in found.attachments
        ]
    if found.extra:
        fields["extra"] = _stated(found.extra)
    if found.private != (
        found.kind is Kind.MESSAGE
    ):  # messages are private, and nothing else, unless it is said
        fields["private"] = found.private
    return fields


def stating_when_seen(fields: Mapping[str, Json], before: int | None) -> Mapping[str, Json]:
    """The same fields, with when the record was last seen before this version: the beginning of its interval."""
    told = {name: value for name, value in fields.items() if name != "last_seen_before"}
    if before is not None:
        told["last_seen_before"] = from_instant(before).isoformat()
    return told


def _stated(extra: Mapping[str, object]) -> Json:
    """What else the platform said, as it can stand in a statement; as JSON text where a name is not ASCII."""
    if simple(extra):
        return cast("Json", extra)
    return (
        plain(dict(extra))
        if _ascii(extra)
        else json.dumps(extra, ensure_ascii=False, sort_keys=True, default=str)
    )


def _ascii(value: object) -> bool:
    """Whether every name inside is ASCII."""
    match value:
        case dict():
            return all(str(key).isascii() and _ascii(item) for key, item in value.items())
        case list() | tuple():
            return all(_ascii(item) for item in value)
        case _:
            return True
