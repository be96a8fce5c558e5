"""Where what is received meets what was captured: no file edits what the archive saw for itself.

A file that was handed in does not say how an item stands now, nor when it stood
as it tells. What it does not tell of a record that was captured stands as it
was captured: who wrote it, its address, its state, its files, words that belong
to it. That an item is there brings nothing back that capture knows to be gone,
words that capture has seen replaced are no edit, and counts of a day that
nobody knows are no counts. Whatever it tells otherwise (other words, a file
that capture does not have, that the item is gone) is a record of its own beside
the captured one, received and never captured: `RECEIVED` stands behind its id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import cast

from sqlalchemy import or_, select

from app.capture import marks, records
from app.capture.formats.source import Source
from app.capture.keep import Seen
from app.capture.lines import BadFile
from app.db import Tx
from app.records.nouns import Record
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import exchanges, versions
from app.store.tables import records as record_table
from connectors.contract import Attachment, Author, Observation, State

_ASK = 500
RECEIVED = " (received)"
"""Behind the id of what a file tells otherwise than it was captured."""

Other = Callable[[], str]


def as_held(
    store: Store, source: Source, seen: Sequence[tuple[Seen, Other | None]], claimed: dict[bytes, str]
) -> list[Seen]:
    """What is received, each item under the id by which it is held, and told as it was captured wherever the file tells less.

    `claimed` are the records that this import has found an item to be under another id.
    """
    with store.database.read() as tx:
        named = _named(store, tx, seen, claimed)
        macs = [_mac(store, one, one.observation.native_id) for one in named]
        held = _captured(store, tx, macs)
        return [
            replace(one, observation=_met(store, tx, source, one.observation, held[mac]))
            if mac in held
            else one
            for one, mac in zip(named, macs, strict=True)
        ]


def _mac(store: Store, one: Seen, native_id: str) -> bytes:
    return keyed(store.lookup, one.page.id, native_id.encode())


def _named(
    store: Store, tx: Tx, seen: Sequence[tuple[Seen, Other | None]], claimed: dict[bytes, str]
) -> list[Seen]:
    """Items whose id is made from their second, under the one that they have: how many share a second varies by download.

    An id that holds the content is known by that. One that does not is the
    item's where what is held says the same.
    """
    others = {place: other() for place, (_, other) in enumerate(seen) if other is not None}
    if not others:
        return [one for one, _ in seen]
    own = {place: _mac(store, seen[place][0], seen[place][0].observation.native_id) for place in others}
    macs = {place: _mac(store, seen[place][0], name) for place, name in others.items()}
    held = _keys(tx, [*own.values(), *macs.values()])
    maybe = {
        mac: held[mac]
        for place, mac in macs.items()
        if mac in held and (_by_content(seen[place][0], others[place]) or own[place] not in held)
    }
    found = {one.key: one for one in records.read(store, tx, list(maybe.values()), messages=True)}
    named = []
    for place, (one, _) in enumerate(seen):
        known = found.get(maybe.get(macs.get(place, b""), -1))
        same = known is not None and _is(one, others[place], known, claimed, macs[place])
        named.append(
            replace(one, observation=replace(one.observation, native_id=others[place])) if same else one
        )
    return named


def _by_content(one: Seen, other: str) -> bool:
    return other.startswith(f"{one.observation.native_id}:")


def _is(one: Seen, other: str, held: Record, claimed: dict[bytes, str], mac: bytes) -> bool:
    """Whether an item is the record that is held under its other id."""
    if _by_content(one, other):
        return True
    found, stood = one.observation, held.version.fields
    listed = cast("list[dict[str, object]]", stood.get("attachments") or [])
    same = found.text == (stood.get("text") or "") and [part.id for part in found.attachments] == [
        part.get("id") for part in listed
    ]
    return same and claimed.setdefault(mac, found.native_id) == found.native_id


def _keys(tx: Tx, macs: Sequence[bytes]) -> dict[bytes, int]:
    """The keys of the records that are held, by their marks."""
    found: dict[bytes, int] = {}
    table = record_table.c
    for start in range(0, len(macs), _ASK):
        asked = select(table.key, table.native_mac).where(table.native_mac.in_(macs[start : start + _ASK]))
        found |= {bytes(row.native_mac): row.key for row in tx.execute(asked)}
    return found


def _captured(store: Store, tx: Tx, macs: Sequence[bytes]) -> dict[bytes, Record]:
    """The records that capture saw first, or saw otherwise than the file that told of them, by their marks."""
    keys: dict[int, bytes] = {}
    table = record_table.c
    newest = (versions.c.record == table.key) & (versions.c.number == table.version)
    seen = or_(table.received.is_(False), exchanges.c.kind != "file")
    for start in range(0, len(macs), _ASK):
        asked = (
            select(table.key, table.native_mac)
            .join(versions, newest)
            .join(exchanges, exchanges.c.key == versions.c.exchange)
            .where(table.native_mac.in_(macs[start : start + _ASK]), seen)
        )
        keys |= {row.key: bytes(row.native_mac) for row in tx.execute(asked)}
    found = records.read(store, tx, list(keys), messages=True) if keys else []
    return {keys[one.key]: one for one in found}


def _met(store: Store, tx: Tx, source: Source, found: Observation, held: Record) -> Observation:
    """What a file tells of a captured record: as that stands, or beside it."""
    stood = held.version.fields
    same = found.text == (stood.get("text") or "")
    if not same and held.versions > 1:
        # Words that capture has seen before are those of an earlier day.
        same = any(one.text("text") == found.text for one in records.history(store, tx, held))
    if same:
        edited = marks.text(stood.get("edited_at"))
        met = replace(
            found,
            text=marks.text(stood.get("text")) or "",
            html=marks.text(stood.get("html")),
            url=marks.text(stood.get("url")) or found.url,
            edited_at=datetime.fromisoformat(edited) if edited else None,
            author=_author(found.author, stood),
            state=_state(found.state, held.state),
            in_reply_to=found.in_reply_to or marks.text(stood.get("in_reply_to")),
            attachments=_files(source, found.attachments, stood),
            extra={**_own_words(held.page.platform, stood), **found.extra},
            counts={},
        )
        if marks.seen(held.page.platform, met).is_as(marks.stated(stood)):
            return met
    return replace(found, native_id=f"{found.native_id}{RECEIVED}")


def _author(told: Author | None, stood: Mapping[str, object]) -> Author | None:
    """Who wrote it, as capture knows them, unless the file names somebody else by id."""
    known = Author(*(marks.text(stood.get(f"author_{name}")) for name in ("id", "name", "handle")))
    if not (known.id or known.name or known.handle):
        return told
    return told if told and told.id and known.id and told.id != known.id else known


def _state(told: State, stands: str) -> State:
    """A file shows that an item is there without saying when: that takes nothing back."""
    return State(stands) if told in (State.PRESENT, State.UNKNOWN) else told


def _files(source: Source, told: Sequence[Attachment], stood: Mapping[str, object]) -> tuple[Attachment, ...]:
    """The files as captured, and behind them those that were handed in and that capture does not know."""
    listed = cast("list[dict[str, object]]", stood.get("attachments") or [])
    given = {one.id: one for one in told}
    known = []
    for one in listed:
        name = marks.text(one.get("id")) or ""
        own = given.pop(name, None)
        known.append(
            Attachment(
                id=name,
                url=marks.text(one.get("url")),
                path=own.path if own else None,
                media_type=marks.text(one.get("media_type")),
                description=own.description if own else None,
                caption=own.caption if own else None,
            )
        )
    return (*known, *(one for one in given.values() if one.path and _is_there(source, one.path)))


def _is_there(source: Source, path: str) -> bool:
    """Whether a file was handed in; one that is damaged is."""
    opened = source.attachment(path)
    if opened is None:
        return False
    with suppress(BadFile), opened:
        pass
    return True


def _own_words(platform: str, stood: Mapping[str, object]) -> dict[str, object]:
    """The author's own words that stand beside the text."""
    extra = stood.get("extra")
    if isinstance(extra, str):
        extra = json.loads(extra)
    if not isinstance(extra, Mapping):
        return {}
    return {name: extra[name] for name in marks.OWN_WORDS.get(platform, ()) if name in extra}
