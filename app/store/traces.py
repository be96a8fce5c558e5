"""Traces: what else, beside a record's own bytes, names it, and is machine-made and sealed under another secret.

A gap names the item that could not be read; the entry of a run repeats what
its gaps say; the check of a page's statements quotes the introduction; a
request that failed has the item's address, and an answer that nobody could
read may hold all of it. When the record is disposed of, the secrets of these
go with it. What officers wrote (reasons, searches, registers, exports) is
theirs, has a series of its own, and stays.

Nothing here destroys. A trace is found by the record's ids where rows bear
them, and otherwise by what only this record is called: its address, its native
id where that is more than a small number, the first words of its text.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from sqlalchemy import or_, select

from app.db import Tx
from app.store.reading import VERSION_COLUMNS, Frames, fields, layout_of, open_pieces, version_row
from app.store.sealing import SealBroken, unseal
from app.store.store import Store
from app.store.tables import (
    acts,
    exchanges,
    gaps,
    objects,
    pieces,
    records,
    runs,
    statement_answers,
    tombstones,
    versions,
)
from app.store.tables import pages as page_table

ACT, EXCHANGE = "act", "exchange"
_ASK = 500
_SHORTEST_ID, _SHORTEST_BARE = 4, 6
_WORDS, _FEWEST_SIGNS = 48, 24
_TOKEN = re.compile(r"\w+")
_LAST_WORD = re.compile(r".*\W", re.DOTALL)
_SAYS_WHAT_WAS_FOUND = ("found", "not_found", "cannot_tell")
_MACHINE_MADE = ("gap", "run")
_PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Trace:
    """A secret that goes with any of `records`: of an act, or of an exchange that shows no record."""

    owner: bytes
    kind: str
    records: frozenset[int]


@dataclass(slots=True)
class Names:
    """What only certain records are called, to be looked for in any text."""

    by_token: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    """Every name under its longest word, with the records that are called so."""
    beginnings: dict[str, set[int]] = field(default_factory=dict)
    """How texts begin that were cut inside a word: in scripts without spaces."""

    def add(self, record: int, name: str) -> None:
        token = max(_TOKEN.findall(name), key=len, default="")
        if token:
            self.by_token.setdefault(token, {}).setdefault(name, set()).add(record)

    def begins(self, record: int, text: str) -> None:
        """Remember how a text begins, cut behind a word where there are words."""
        if len(text) <= _WORDS:
            self.add(record, text)
        elif (cut := _LAST_WORD.match(text[:_WORDS])) and len(cut[0]) >= _FEWEST_SIGNS:
            self.add(record, cut[0])
        else:
            self.beginnings.setdefault(text[:_WORDS], set()).add(record)

    def __bool__(self) -> bool:
        return bool(self.by_token or self.beginnings)

    def found_in(self, content: bytes) -> set[int]:
        """The records that `content` names, however it is escaped."""
        found: set[int] = set()
        for text in _readings(content):
            for token in self.by_token.keys() & set(_TOKEN.findall(text)):
                for name, called in self.by_token[token].items():
                    if not called <= found and _stands_in(name, text):
                        found |= called
            for name, called in self.beginnings.items():
                if name in text:
                    found |= called
        return found


def names_of(store: Store, tx: Tx, keys: Sequence[int]) -> Names:
    """What the living records of these keys are called, in all their versions."""
    names = Names()
    frames = Frames(store.objects)
    for start in range(0, len(keys), _ASK):
        asked = (
            select(*VERSION_COLUMNS)
            .join(records, records.c.key == versions.c.record)
            .join(objects, objects.c.key == versions.c.object)
            .outerjoin(tombstones, tombstones.c.record == records.c.key)
            .where(versions.c.record.in_(list(keys[start : start + _ASK])), tombstones.c.record.is_(None))
        )
        rows = [version_row(row) for row in tx.execute(asked)]
        secrets = store.keyring.secrets(row.record_id for row in rows)
        for row in rows:
            if row.record_id in secrets:
                _learn(names, row.record, fields(frames, secrets[row.record_id], row))
    return names


def _learn(names: Names, record: int, found: Mapping[str, object]) -> None:
    """What an item is called by its platform, and how its text begins.

    A profile is called as its page is, in the address of every request: only
    its text tells of it.
    """
    native, url, text = (found.get(name) for name in ("native_id", "url", "text"))
    if isinstance(text, str) and len(text.strip()) >= _FEWEST_SIGNS:
        names.begins(record, text.strip())
    if found.get("kind") == _PROFILE:
        return
    for address in (native, url):
        if isinstance(address, str) and (path := address.partition("://")[2]) and "/" in path.strip("/"):
            names.add(record, path)
    if isinstance(native, str) and "://" not in native:
        bare = native.rpartition(":")[2]
        if len(native) >= (_SHORTEST_BARE if native.isdigit() else _SHORTEST_ID):
            names.add(record, native)
        if len(bare) >= _SHORTEST_BARE:
            names.add(record, bare)


def of(store: Store, tx: Tx, keys: Sequence[int], names: Names, *, after: int = -1) -> list[Trace]:
    """The traces of these records in whatever was written after entry `after`."""
    told: dict[tuple[bytes, str], set[int]] = {}
    for owner, kind, concerned in (
        *_by_rows(tx, keys),
        *_in_acts(store, tx, keys, names, after),
        *_in_exchanges(store, tx, keys, names, after),
    ):
        told.setdefault((owner, kind), set()).update(concerned)
    return [Trace(owner, kind, frozenset(concerned)) for (owner, kind), concerned in told.items()]


def _by_rows(tx: Tx, keys: Sequence[int]) -> Iterator[tuple[bytes, str, set[int]]]:
    """Gaps that name a record by its keyed native id, and answers that were read from it."""
    for start in range(0, len(keys), _ASK):
        part = list(keys[start : start + _ASK])
        named = (
            select(acts.c.secret, records.c.key)
            .join(gaps, gaps.c.entry == acts.c.entry)
            .join(records, records.c.native_mac == gaps.c.native_mac)
            .where(records.c.key.in_(part))
        )
        for secret, record in tx.execute(named):
            yield bytes(secret), ACT, {record}
        ids = {
            bytes(row.id).hex(): row.key
            for row in tx.execute(select(records.c.id, records.c.key).where(records.c.key.in_(part)))
        }
        concerned = select(records.c.page).where(records.c.key.in_(part))
        read = (
            select(acts.c.secret, statement_answers.c.source)
            .join(statement_answers, statement_answers.c.entry == acts.c.entry)
            .where(
                statement_answers.c.page.in_(concerned), statement_answers.c.answer.in_(_SAYS_WHAT_WAS_FOUND)
            )
        )
        for secret, source in tx.execute(read):
            from_ = {ids[one.partition(":")[0]] for one in source.split(",") if one.partition(":")[0] in ids}
            if from_:
                yield bytes(secret), ACT, from_


def _pages(tx: Tx, keys: Sequence[int]) -> list[Any]:
    found: dict[int, Any] = {}
    for start in range(0, len(keys), _ASK):
        asked = (
            select(page_table.c.key, page_table.c.id)
            .join(records, records.c.page == page_table.c.key)
            .where(records.c.key.in_(list(keys[start : start + _ASK])))
            .distinct()
        )
        found |= {row.key: row for row in tx.execute(asked)}
    return list(found.values())


def _in_acts(
    store: Store, tx: Tx, keys: Sequence[int], names: Names, after: int
) -> Iterator[tuple[bytes, str, set[int]]]:
    """What the machine wrote of the page: gaps, runs, and what it did without an officer."""
    subjects = [bytes(row.id) for row in _pages(tx, keys)]
    if not subjects or not names:
        return
    asked = (
        select(acts.c.secret, acts.c.sealed)
        .where(
            acts.c.subject.in_(subjects),
            acts.c.entry > after,
            or_(acts.c.type.in_(_MACHINE_MADE), acts.c.officer.is_(None)),
        )
        .order_by(acts.c.entry)
    )
    for part in _parts(tx.execute(asked)):
        secrets = store.keyring.secrets(bytes(row.secret) for row in part)
        for row in part:
            if bytes(row.secret) in secrets:
                found = names.found_in(unseal(secrets[bytes(row.secret)], b"act", bytes(row.sealed)))
                if found:
                    yield bytes(row.secret), ACT, found


def _in_exchanges(
    store: Store, tx: Tx, keys: Sequence[int], names: Names, after: int
) -> Iterator[tuple[bytes, str, set[int]]]:
    """Requests that show no record: they failed, were repeated, or nobody could read what came.

    A file that was received is not looked through: what is nobody's own line
    there is the file's.
    """
    theirs = [row.key for row in _pages(tx, keys)]
    if not theirs or not names:
        return
    asked = (
        select(exchanges.c.id, exchanges.c.envelope, exchanges.c.layout, exchanges.c.alike)
        .join(runs, runs.c.key == exchanges.c.run)
        .join(pieces, pieces.c.key == exchanges.c.envelope)
        .where(
            runs.c.page.in_(theirs),
            pieces.c.exchange == exchanges.c.key,
            exchanges.c.kind == "http",
            exchanges.c.entry > after,
        )
        .order_by(exchanges.c.key)
    )
    for row in tx.execute(asked).all():
        wanted = {row.envelope, *(piece for piece, _, _ in layout_of(tx, row.layout, row.alike) if piece > 0)}
        try:
            opened = open_pieces(store, tx, wanted)
        except SealBroken:
            continue  # fixity tells of it
        found = set().union(*(names.found_in(content) for content in opened.values()))
        if found:
            yield bytes(row.id), EXCHANGE, found


def _parts(rows: Iterable[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == _ASK:
            yield part
            part = []
    if part:
        yield part


def _readings(content: bytes) -> Collection[str]:
    """A text as it stands, and as it reads where it is JSON, part of an address, or HTML."""
    text = content.decode("utf-8", "replace")
    told = [text, unquote(text), html.unescape(text)]
    try:
        told.append("\n".join(_strings(json.loads(text))))
    except ValueError:
        told.append(text.replace("\\/", "/"))
    return dict.fromkeys(told)


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
            yield unquote(value)
        case dict():
            for name, item in value.items():
                yield str(name)
                yield from _strings(item)
        case list():
            for item in value:
                yield from _strings(item)
        case int() | float():
            yield str(value)
        case _:
            return


def _stands_in(name: str, text: str) -> bool:
    """Whether a name stands in a text as a whole, not as part of a longer word."""
    place = text.find(name)
    while place >= 0:
        end = place + len(name)
        if not (_joins(text[place - 1 : place], name[0]) or _joins(name[-1], text[end : end + 1])):
            return True
        place = text.find(name, place + 1)
    return False


def _joins(left: str, right: str) -> bool:
    return bool(left and right) and (left.isalnum() or left == "_") and (right.isalnum() or right == "_")
