"""Records as people read them: one with a version, its versions, its post with everything that answers it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, select

from app.capture import attachments, custody, pages
from app.db import Tx, from_instant
from app.records import clock
from app.records.errors import NotFound
from app.records.nouns import AttachmentKept, Disposed, Page, Record, Version
from app.store import quarantine, series, suppression
from app.store.reading import VERSION_COLUMNS, Frames, VersionRow, fields, version_row
from app.store.store import Store
from app.store.tables import objects, records, suppressed, tombstones, versions

_ASK = 500
_DEEPEST = 200


class NoSuchRecord(NotFound):
    """No record of that id is held, or none that you may know of."""

    code = "no-such-record"


@dataclass(frozen=True, slots=True)
class Stood:
    """How an item of a family stood at a moment: shown, not_shown or uncertain, and between which sightings."""

    record: Record
    shown: str
    last_seen: datetime | None
    first_seen_after: datetime | None


def get(
    store: Store,
    tx: Tx,
    identity: UUID,
    *,
    messages: bool,
    number: int | None = None,
    by: UUID | None = None,
) -> Record | Disposed:
    """A record with its newest version, or version `number`.

    Private messages are found only where `messages` is set; for everyone else
    they do not exist. Nor does a record in quarantine, but for the two who are
    named in it, of whom `by` may be one.
    """
    row = tx.execute(_asked().where(records.c.id == identity.bytes)).one_or_none()
    if row is None or (row.private and not messages) or row.key in quarantine.hidden(tx, by):
        raise NoSuchRecord(f"no record {identity} is held")
    gone = tx.execute(select(tombstones).where(tombstones.c.record == row.key)).one_or_none()
    if gone is not None:
        return Disposed(
            id=identity,
            on=from_instant(gone.at).astimezone(store.agency.zone()),
            detail=json.loads(gone.detail),
        )
    return read(store, tx, [row.key], messages=messages, number=number, by=by)[0]


def there(store: Store, tx: Tx, identity: UUID, *, messages: bool, by: UUID | None = None) -> Record:
    """A record that was not disposed of, or `NoSuchRecord`; whose, as `get` has it."""
    found = get(store, tx, identity, messages=messages, by=by)
    if isinstance(found, Disposed):
        raise NoSuchRecord(f"record {identity} was disposed of")
    return found


def id_of(tx: Tx, key: int) -> UUID:
    """The id of the record of that key."""
    return UUID(bytes=bytes(tx.execute(select(records.c.id).where(records.c.key == key)).scalar_one()))


def keys_of(tx: Tx, identities: Sequence[UUID]) -> dict[UUID, int]:
    """The keys of the records with these ids, as far as there are any."""
    asked = select(records.c.id, records.c.key).where(records.c.id.in_([one.bytes for one in identities]))
    return {UUID(bytes=bytes(row.id)): row.key for row in tx.execute(asked)}


def read(
    store: Store,
    tx: Tx,
    keys: Sequence[int],
    *,
    messages: bool,
    number: int | None = None,
    by: UUID | None = None,
) -> list[Record]:
    """The records of these keys, in that order, each with its newest version or version `number`.

    Disposed ones are left out, and so is what is in quarantine, unless `by` is
    named in it.
    """
    withdrawn = quarantine.hidden(tx, by)
    keys = [key for key in keys if key not in withdrawn] if withdrawn else keys
    found: dict[int, Any] = {}
    opened: dict[int, VersionRow] = {}
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        for row in tx.execute(
            _asked()
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(records.c.key.in_(part), tombstones.c.record.is_(None))
        ):
            if messages or not row.private:
                found[row.key] = row
        wanted = versions.c.number == (records.c.version if number is None else number)
        for row in tx.execute(_versions().where(versions.c.record.in_(part), wanted)):
            opened[row[0]] = version_row(row)
    secrets = store.keyring.secrets(bytes(row.id) for row in found.values())
    frames = Frames(store.objects)
    known = pages.by_key(tx, (row.page for row in found.values()))
    parents = _parents(tx, found.values())
    if withdrawn:
        unseen = _ids(tx, withdrawn)
        parents = {mac: above for mac, above in parents.items() if above[0] not in unseen}
    handed = custody.handed_in(store, tx, (version.exchange for version in opened.values()))
    codes = series.of(tx, list(found))
    told = []
    for key in keys:
        if key not in found:
            continue
        row, version = found[key], opened.get(key)
        if version is None:
            raise NoSuchRecord(f"record {UUID(bytes=bytes(row.id))} has no version {number}")
        record = _record(
            store, tx, row, version, fields(frames, secrets[bytes(row.id)], version), known, parents
        )
        if handed or codes:
            record = replace(record, handed_in=handed.get(version.exchange), series=codes.get(key))
        told.append(record)
    return told


def history(store: Store, tx: Tx, record: Record) -> list[Version]:
    """Every version of a record, oldest first."""
    rows = [
        version_row(row)
        for row in tx.execute(_versions().where(versions.c.record == record.key).order_by(versions.c.number))
    ]
    secret = store.keyring.secret(record.id.bytes)
    frames = Frames(store.objects)
    return [_version(row, fields(frames, secret, row)) for row in rows]


def family(store: Store, tx: Tx, record: Record, *, messages: bool) -> list[Record]:
    """The post at the root of `record` with everything that answers it, parents before children, oldest first."""
    row = tx.execute(
        select(records.c.key, records.c.native_mac, suppressed.c.mac)
        .outerjoin(suppressed, suppressed.c.record == records.c.key)
        .where(records.c.id == record.root.bytes)
    ).one()
    keys, level = [row.key], [bytes(row.mac or row.native_mac)]
    seen = {row.key}
    for _ in range(_DEEPEST):
        found = []
        for start in range(0, len(level), _ASK):
            asked = select(records.c.key, records.c.native_mac).where(
                records.c.parent_mac.in_(level[start : start + _ASK])
            )
            found += [
                child
                for child in tx.execute(asked.order_by(records.c.published_at, records.c.key))
                if child.key not in seen
            ]
        if not found:
            break
        seen |= {child.key for child in found}
        keys += [child.key for child in found]
        level = [bytes(child.native_mac) for child in found]
    return threaded(read(store, tx, keys, messages=messages))


def threaded(found: Sequence[Record]) -> list[Record]:
    """Records in reading order: each followed by what answers it, oldest first."""
    children: dict[UUID | None, list[Record]] = {}
    here = {record.id for record in found}
    for record in found:
        children.setdefault(record.in_reply_to if record.in_reply_to in here else None, []).append(record)
    order: list[Record] = []
    waiting = list(reversed(children.pop(None, [])))
    while waiting:
        record = waiting.pop()
        order.append(record)
        waiting += reversed(children.pop(record.id, []))
    return order


def stood_at(store: Store, tx: Tx, found: Iterable[Record], moment: datetime) -> list[Stood]:
    """How each record stood at `moment`, as far as we saw it: `uncertain` between two sightings that differ.

    Each comes with the version that was the newest then; one that was first
    seen later comes with its first.
    """
    told = []
    for record in found:
        history_ = history(store, tx, record)
        told.append(_stood(record, history_, moment))
    return told


def _stood(record: Record, told: Sequence[Version], moment: datetime) -> Stood:
    before = [version for version in told if version.observed_at <= moment]
    after = [version for version in told if version.observed_at > moment]
    published = record.published_at
    if not before:
        shown = "not_shown" if published is not None and published > moment else "uncertain"
        record = replace(record, version=after[0], state=after[0].state) if after else record
        return Stood(record, shown, None, after[0].observed_at if after else None)
    current = before[-1]
    record = replace(record, version=current, state=current.state)
    shown = "shown" if current.state == "present" else "not_shown"
    if not after:
        if record.last_seen < moment and current.state == "present":
            shown = "uncertain"
        return Stood(record, shown, record.last_seen, None)
    next_seen = after[0]
    if next_seen.last_seen_before is not None and moment <= next_seen.last_seen_before:
        return Stood(record, shown, next_seen.last_seen_before, next_seen.observed_at)
    same = ("shown" if next_seen.state == "present" else "not_shown") == shown
    return Stood(record, shown if same else "uncertain", next_seen.last_seen_before, next_seen.observed_at)


def as_json(record: Record | Disposed) -> dict[str, object]:
    """A record in the shape that the interface promises."""
    if isinstance(record, Disposed):
        return {"id": str(record.id), "disposed": {"on": record.on.date().isoformat(), **record.detail}}
    version = record.version
    author = {name: version.text(f"author_{name}") for name in ("id", "name", "handle")}
    return {
        "id": str(record.id),
        "page": {"id": str(record.page.id), "name": record.page.name, "platform": record.page.platform},
        "kind": record.kind,
        "native_id": version.text("native_id"),
        "url": version.text("url"),
        "state": version.state,
        "in_reply_to": str(record.in_reply_to) if record.in_reply_to else None,
        "root": str(record.root),
        "author": author if any(author.values()) else None,
        "published_at": iso(record.published_at),
        "version": version.number,
        "versions": record.versions,
        "text": version.text("text") or "",
        "html": version.text("html"),
        "attachments": [
            {
                "id": str(item.id) if item.id else None,
                "media_type": item.media_type,
                "bytes": item.bytes,
                "state": item.state,
            }
            for item in record.attachments
        ],
        "counts": dict(record.counts),
        "first_seen": iso(record.first_seen),
        "last_seen": iso(record.last_seen),
        "interval": {
            "last_seen_before": iso(version.last_seen_before),
            "first_seen_after": iso(version.observed_at),
        }
        if version.last_seen_before
        else None,
        "series": record.series,
        "held": record.held,
        "origin": "received" if record.received else "captured",
        "received": dict(record.handed_in) if record.handed_in else None,
        "entry": version.entry,
        "edited_at": version.text("edited_at"),
        "language": version.text("language"),
        "state_reason": version.text("state_reason"),
        "extra": version.fields.get("extra", {}),
    }


def version_json(version: Version) -> dict[str, object]:
    """A version, as `record show --versions` and the API give it."""
    return {
        "version": version.number,
        "state": version.state,
        "observed_at": iso(version.observed_at),
        "last_seen_before": iso(version.last_seen_before),
        "entry": version.entry,
        "text": version.text("text") or "",
        "html": version.text("html"),
        "url": version.text("url"),
        "edited_at": version.text("edited_at"),
        "author": {name: version.text(f"author_{name}") for name in ("id", "name", "handle")},
        "state_reason": version.text("state_reason"),
    }


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else clock.iso(moment)


def _asked() -> Select[Any]:
    return select(records)


def _versions() -> Select[Any]:
    return (
        select(*VERSION_COLUMNS)
        .join(records, records.c.key == versions.c.record)
        .join(objects, objects.c.key == versions.c.object)
    )


def _parents(tx: Tx, rows: Iterable[Any]) -> dict[bytes, tuple[bytes, bytes | None]]:
    """By native mac: the id of the record that bears or bore it and what that one answers, up to the roots."""
    known: dict[bytes, tuple[bytes, bytes | None]] = {}
    level = {bytes(row.parent_mac) for row in rows if row.parent_mac is not None}
    for _ in range(_DEEPEST):
        asked = sorted(level - known.keys())
        if not asked:
            break
        level = set()
        for start in range(0, len(asked), _ASK):
            for row in tx.execute(
                select(records.c.id, records.c.native_mac, records.c.parent_mac).where(
                    records.c.native_mac.in_(asked[start : start + _ASK])
                )
            ):
                parent = bytes(row.parent_mac) if row.parent_mac is not None else None
                known[bytes(row.native_mac)] = (bytes(row.id), parent)
                if parent is not None:
                    level.add(parent)
        known |= _buried(tx, [mac for mac in asked if mac not in known])
    return known


def _ids(tx: Tx, keys: Iterable[int]) -> set[bytes]:
    """The ids of a few records."""
    return {
        bytes(one) for one in tx.execute(select(records.c.id).where(records.c.key.in_(list(keys)))).scalars()
    }


def _buried(tx: Tx, macs: Sequence[bytes]) -> dict[bytes, tuple[bytes, bytes | None]]:
    """What was disposed of and is still answered: its id, and nothing above it any more."""
    by_key = {record: mac for mac, record in suppression.laid(tx, macs).items()}
    found: dict[bytes, tuple[bytes, bytes | None]] = {}
    keys = sorted(by_key)
    for start in range(0, len(keys), _ASK):
        asked = select(records.c.key, records.c.id).where(records.c.key.in_(keys[start : start + _ASK]))
        found |= {by_key[row.key]: (bytes(row.id), None) for row in tx.execute(asked)}
    return found


def _record(
    store: Store,
    tx: Tx,
    row: Any,
    version: VersionRow,
    found: Mapping[str, object],
    known: Mapping[int, Page],
    parents: Mapping[bytes, tuple[bytes, bytes | None]],
) -> Record:
    parent = parents.get(bytes(row.parent_mac)) if row.parent_mac is not None else None
    root, above, steps = bytes(row.id), parent, 0
    while above is not None and steps < _DEEPEST:
        root, steps = above[0], steps + 1
        above = parents.get(above[1]) if above[1] is not None else None
    return Record(
        key=row.key,
        id=UUID(bytes=bytes(row.id)),
        page=known[row.page],
        kind=row.kind,
        state=row.state,
        in_reply_to=UUID(bytes=parent[0]) if parent else None,
        root=UUID(bytes=root),
        published_at=from_instant(row.published_at) if row.published_at is not None else None,
        first_seen=from_instant(row.first_seen),
        last_seen=from_instant(row.last_seen),
        versions=row.version,
        version=_version(version, found),
        counts=json.loads(row.counts) if row.counts else {},
        attachments=_attachments(store, tx, bytes(row.id), found),
        private=bool(row.private),
        received=bool(row.received),
    )


def _version(row: VersionRow, found: Mapping[str, object]) -> Version:
    return Version(
        number=row.number,
        entry=row.entry,
        state=row.state,
        observed_at=from_instant(row.observed_at),
        last_seen_before=from_instant(row.last_seen_before) if row.last_seen_before is not None else None,
        fields=found,
    )


def _attachments(store: Store, tx: Tx, identity: bytes, found: Mapping[str, object]) -> list[AttachmentKept]:
    listed = cast("list[dict[str, str]]", found.get("attachments") or [])
    if not listed:
        return []
    held = attachments.of(store, tx, identity, [item.get("id", "") for item in listed])
    told = []
    for item in listed:
        row = held.get(item.get("id", ""))
        told.append(
            AttachmentKept(
                id=row.id if row else None,
                media_type=item.get("media_type"),
                bytes=row.length if row else None,
                state=row.state if row else "listed",
                url=item.get("url"),
                description=item.get("description"),
                sha256=None,
            )
        )
    return told
