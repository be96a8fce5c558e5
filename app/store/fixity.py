"""Fixity: whether everything that is kept is still what it was, and everything agrees with everything else.

The quick check reads every object and every entry and compares rows with rows.
The full check opens every frame with the secrets that exist, and recomputes
every commitment down to the fields.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import msgspec
from sqlalchemy import CompoundSelect, Select, Table, case, func, literal, or_, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import NoResultFound

from app.db import Tx
from app.records.errors import IntegrityFailure, NotFound
from app.store import access, accounts, anchors, disposals, files, keyring, registry, tables
from app.store.evidence import exchange_commitment, piece_commitment
from app.store.keyring import KeyMissing
from app.store.ledger import act_commitment
from app.store.reading import (
    VERSION_COLUMNS,
    Frames,
    Opener,
    PieceRow,
    VersionRow,
    layout_of,
    open_pieces,
    opened,
    version_row,
)
from app.store.sealing import SealBroken, derive, unseal
from app.store.statement import Statement, StatementBroken, check, unpack
from app.store.store import Store
from app.store.tables import (
    acts,
    attachments,
    circle_members,
    circle_parts,
    circles,
    entries,
    exchanges,
    forgotten,
    objects,
    pages,
    pieces,
    records,
    runs,
    tombstones,
    unlinked,
    versions,
)
from app.store.tiles import TileBroken
from app.store.wrapping import circle_mac, open_circle

_PART = 5_000
_MOST = 1_000
_FRAME = list(VERSION_COLUMNS).index(versions.c.size)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was, where, and what to do next."""

    code: str
    what: str
    where: str
    next: str

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what, "where": self.where, "next": self.next}


VERSIONS = "versions"
"""The look that opens every version: half of the full check's work, and fit for a process of its own."""
OBJECTS, PIECES, EXCHANGES, ACTS, ATTACHMENTS = "objects", "pieces", "exchanges", "acts", "attachments"
BY_PARTS = {
    OBJECTS: objects.c.key,
    VERSIONS: versions.c.entry,
    PIECES: pieces.c.key,
    EXCHANGES: exchanges.c.key,
    ACTS: acts.c.entry,
    ATTACHMENTS: attachments.c.key,
}
"""The looks whose cost follows the size of the archive, each with what its rows are numbered by."""
WHOLE = (
    "ledger",
    "entries",
    "keyring",
    "access log",
    "disposals",
    "database",
    "newest versions",
    "last seen",
    "registry",
    "circles",
    "manifests",
    "runs",
    "secrets",
    "timestamps",
)
"""The looks that compare rows with one another, and so are taken as a whole."""


More: TypeAlias = Sequence[tuple[str, Callable[[Store], accounts.Wrong]]]
"""Looks of the rooms above, by their names: each holds the rows of its room against the acts that wrote them."""


class Span(NamedTuple):
    """Rows numbered from beyond `after` up to and with `upto`."""

    after: int
    upto: int


_UNREADABLE = (
    LookupError, TypeError, AttributeError, ValueError, ArithmeticError, MemoryError, NotFound, NoResultFound
)  # fmt: skip
"""What a look meets in rows that nothing of ours wrote: a number where bytes should be asks for that much memory."""
_RESTORE = "Keep this copy as evidence, and restore the newest backup."
_NEXT = {
    KeyMissing.code: "Restore the newest key backup.",
    TileBroken.code: "It was made anew from the entries, which are what was signed unless `ledger-broken` stands beside this. Look at the disk.",
    disposals.NOT_DESTROYED: "Finish the disposal; the disposition that began it does so at the next start or night.",
}


@dataclass(slots=True)
class Checked:
    """What was looked at, and what was found; findings beyond a thousand are counted only."""

    checked: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    def count(self, what: str, number: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + number

    def find_each(self, wrong: accounts.Wrong) -> None:
        for code, what, where in wrong:
            self.find(code, what, where)

    def add(self, other: Checked) -> None:
        """Take in what was checked and found elsewhere."""
        for what, number in other.checked.items():
            self.count(what, number)
        self.findings += other.findings
        self.more += other.more

    def find(self, code: str, what: str, where: str) -> None:
        if len(self.findings) < _MOST:
            self.findings.append(Finding(code, what, where, _NEXT.get(code, _RESTORE)))
        else:
            self.more += 1


def verify(
    store: Store,
    *,
    full: bool,
    progress: Callable[[str, int], None] | None = None,
    wanted: Callable[[str], bool] = bool,
    derived: Sequence[disposals.Purger] = (),
    spans: Mapping[str, Span] = MappingProxyType({}),
    read: Callable[[int], None] = lambda _bytes: None,
    more: More = (),
) -> Checked:
    """Check the store; `full` opens everything. Of the looks, by name, only those that are `wanted` are taken.

    What is written while this looks is left to the next look. Whatever is
    `derived` is asked whether it still holds what was disposed of. The looks
    `more` belong to the full check, and are taken as a whole. A look of
    `BY_PARTS` for which there is a span takes only the rows in it. `read` is
    told of so many bytes of objects after they were read, and may take its
    time.
    """
    told = Checked()
    progress = progress or (lambda _what, _number: None)
    with store.database.read() as tx:
        size = store.ledger.size(tx)
    quick: list[tuple[str, Callable[[], None]]] = [
        (OBJECTS, lambda: _objects(store, told, progress, spans.get(OBJECTS), read)),
        ("ledger", lambda: _ledger(store, told, size)),
        ("entries", lambda: _entries(store, told, progress, size)),
        ("keyring", lambda: _keyring(store, told)),
        ("access log", lambda: _accesses(store, told, full=full)),
        ("disposals", lambda: told.find_each(disposals.wrong(store, size, derived))),
    ]
    thorough: list[tuple[str, Callable[[], None]]] = [
        ("database", lambda: _database(store, told)),
        (VERSIONS, lambda: _versions(store, told, progress, size, spans.get(VERSIONS), read)),
        ("newest versions", lambda: told.find_each(accounts.newest(store))),
        ("last seen", lambda: told.find_each(accounts.seen(store))),
        ("registry", lambda: told.find_each(registry.wrong(store))),
        ("circles", lambda: _circles(store, told)),
        (PIECES, lambda: _pieces(store, told, progress, spans.get(PIECES), read)),
        (EXCHANGES, lambda: _exchanges(store, told, size, spans.get(EXCHANGES))),
        (ACTS, lambda: _acts(store, told, size, spans.get(ACTS))),
        ("manifests", lambda: told.find_each(accounts.manifest_rows(store, size))),
        ("runs", lambda: told.find_each(accounts.run_rows(store))),
        ("secrets", lambda: _every_secret(store, told)),
        (ATTACHMENTS, lambda: _attachments(store, told, spans.get(ATTACHMENTS), read)),
        ("timestamps", lambda: told.find_each(anchors.wrong(store))),
        *((name, partial(_further, store, told, look)) for name, look in more),
    ]
    for what, look in [*quick, *(thorough if full else [])]:
        if not wanted(what):
            continue
        try:
            look()
        except IntegrityFailure as error:
            told.find(error.code, str(error), what)
        except _UNREADABLE as error:
            told.find(accounts.ALTERED, f"a row cannot be read at all: {error!r}", what)
    return told


def _further(store: Store, told: Checked, look: Callable[[Store], accounts.Wrong]) -> None:
    told.find_each(look(store))


# -- the quick check ---------------------------------------------------------------------------------------


def _objects(
    store: Store,
    told: Checked,
    progress: Callable[[str, int], None],
    span: Span | None,
    read: Callable[[int], None],
) -> None:
    """1. Every object that rows speak of is there and holds what its name says, unless it was removed with a disposal."""
    asked = (
        select(objects.c.digest, objects.c.size)
        .outerjoin(unlinked, unlinked.c.object == objects.c.key)
        .where(unlinked.c.object.is_(None))
        .order_by(objects.c.key)
    )
    for number, (digest, size) in enumerate(_all(store, _within(asked, OBJECTS, span)), start=1):
        try:
            if store.objects.check(bytes(digest)) != size:
                told.find(
                    accounts.ALTERED, "an object is of another size than its row says", bytes(digest).hex()
                )
        except IntegrityFailure as error:
            told.find(error.code, str(error), bytes(digest).hex())
        told.count("objects")
        progress("objects", number)
        read(size)


def _ledger(store: Store, told: Checked, size: int) -> None:
    """2. The entries give the tree that every checkpoint ever signed speaks of, and the tiles on disk."""
    examined = store.ledger.examine()
    for wrong in examined.wrong:
        told.find("ledger-broken", wrong, store.ledger.origin)
    for damage in examined.damaged:
        told.find(TileBroken.code, damage.what, damage.name)
    told.find_each(accounts.remembered(store))
    told.count("entries", size)


def _entries(store: Store, told: Checked, progress: Callable[[str, int], None], size: int) -> None:
    """3. Every version has its own entry, and no entry stands without its rows."""
    asked = (
        select(versions.c.entry, versions.c.number, records.c.id, entries.c.body)
        .outerjoin(records, records.c.key == versions.c.record)
        .outerjoin(entries, entries.c.index == versions.c.entry)
        .where(versions.c.entry < size)
        .order_by(versions.c.entry)
    )
    count = 0
    for entry, number, identity, body in _all(store, asked):
        count += 1
        if identity is None:
            told.find(accounts.ALTERED, "a version belongs to no record", f"entry {entry}")
            continue
        expected = b'"item":"%b"' % bytes(identity).hex().encode()
        if (
            body is None
            or expected not in bytes(body)
            or not bytes(body).endswith(b'"type":"capture","v":1,"ver":%d}' % number)
        ):
            told.find(
                "version-without-entry",
                f"version {number} does not match entry {entry}",
                bytes(identity).hex(),
            )
        if count % 10_000 == 0:
            progress("versions", count)
    told.count("versions", count)
    told.find_each(accounts.unaccounted(store, size))


def _keyring(store: Store, told: Checked) -> None:
    """4. Every record that was not disposed of has its secret, and so has every page and every run."""
    asked = (
        select(records.c.id, literal("records").label("what"))
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.record.is_(None))
        .union_all(select(pages.c.id, literal("pages")), select(runs.c.id, literal("runs")))
        .order_by("id")
    )
    held = iter(store.keyring.owners())
    owner = next(held, None)
    for identity, what in _all(store, asked):
        wanted = bytes(identity)
        while owner is not None and owner < wanted:
            owner = next(held, None)
        if owner != wanted:
            told.find("key-missing", "a secret is not in the keyring", wanted.hex())
        told.count(what)


def _secrets(store: Store, told: Checked, owners: list[bytes]) -> dict[bytes, bytes]:
    """The secrets of these owners; one that does not unwrap is found, and the others are all the same."""
    try:
        return store.keyring.secrets(owners)
    except KeyMissing:
        found: dict[bytes, bytes] = {}
    for owner in dict.fromkeys(owners):
        try:
            found |= store.keyring.secrets([owner])
        except KeyMissing as error:
            told.find(error.code, str(error), owner.hex())
    return found


def _every_secret(store: Store, told: Checked) -> None:
    """13. Every secret in the keyring unwraps, whatever it opens."""
    for part in _parts(iter(store.keyring.owners())):
        _secrets(store, told, part)
        told.count("secrets", len(part))


def _accesses(store: Store, told: Checked, *, full: bool) -> None:
    """5. The access log gives the digest of each day that was closed; in full, every access opens."""
    with store.database.read() as tx:
        for day in access.check_days(store, tx, full=full):
            told.find("access-log-altered", "the accesses of a day are not those that were noted", day)
        told.count("access_days")


# -- the full check ----------------------------------------------------------------------------------------


def _database(store: Store, told: Checked) -> None:
    """6. SQLite's own check of its pages and indexes; PostgreSQL keeps checksums of its own."""
    if not store.database.sqlite:
        return
    for name, database, known in (
        ("archive", store.database, tables.metadata),
        ("keyring", store.keyring.database, keyring.metadata),
    ):
        with database.read() as tx:
            for table in known.sorted_tables:  # its own check does not know what names we call things by
                for row, columns in _of_other_kinds(tx, table):
                    told.find(
                        accounts.ALTERED, f"a value of another kind stands in {', '.join(columns)}", row
                    )
            for (said,) in tx.exec_driver_sql("PRAGMA integrity_check(10)").all():
                if said != "ok":
                    told.find("database-broken", str(said), name)


_KINDS: Mapping[type, str] = {bool: "integer", int: "integer", str: "text", bytes: "blob"}
"""What SQLite calls the values of our columns; it keeps with each value of what kind it is, and would take any."""


def _of_other_kinds(tx: Tx, table: Table) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table, by their keys, in which a value is of another kind than its column's, and which columns these are."""
    keys = len(table.primary_key.columns)
    for row in tx.exec_driver_sql(_strange(table)):
        where = "/".join(map(str, row[:keys]))
        columns = [column.name for column, odd in zip(table.columns, row[keys:], strict=True) if odd]
        yield f"{table.name} {where}", columns


@cache
def _strange(table: Table) -> str:
    """What SQLite is asked for that, made once: to put so many columns into words takes longer than to look at their values."""
    strange = [
        func.typeof(column).not_in([_KINDS[column.type.python_type], *(["null"] if column.nullable else [])])
        for column in table.columns
    ]
    keys = [
        case((func.typeof(column) == "text", func.hex(column)), else_=func.quote(column))
        for column in table.primary_key.columns
    ]
    asked = select(*keys, *strange).select_from(table).where(or_(*strange))
    return str(asked.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


def _versions(
    store: Store,
    told: Checked,
    progress: Callable[[str, int], None],
    size: int,
    span: Span | None,
    read: Callable[[int], None],
) -> None:
    """7. Every version opens, states its fields, gives the commitment that its entry holds, and its rows say the same."""
    asked = (
        select(*VERSION_COLUMNS, *accounts.RECORD_COLUMNS, entries.c.body)
        .join(records, records.c.key == versions.c.record)
        .join(entries, entries.c.index == versions.c.entry)
        .outerjoin(objects, objects.c.key == versions.c.object)
        .outerjoin(pages, pages.c.key == records.c.page)
        .outerjoin(exchanges, exchanges.c.key == versions.c.exchange)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.record.is_(None), versions.c.entry < size)
        .order_by(versions.c.entry)
    )
    frames = Frames(store.objects)
    count = 0
    for part in _parts(_all(store, _within(asked, VERSIONS, span))):
        secrets = _secrets(store, told, [bytes(row.id) for row in part])
        for row in part:
            if row.digest is None or row.page_id is None:
                told.find(accounts.ALTERED, "a row speaks of what is not there", bytes(row.id).hex())
            elif bytes(row.id) in secrets:
                statement = _version(told, frames, secrets[bytes(row.id)], version_row(row), bytes(row[-1]))
                if statement is not None:
                    told.find_each(accounts.version(store, row, statement, bytes(row[-1])))
        count += len(part)
        progress("versions opened", count)
        read(sum(row[_FRAME] for row in part))
    told.count("versions_opened", count)


def _version(told: Checked, frames: Frames, secret: bytes, row: VersionRow, body: bytes) -> Statement | None:
    where = f"{row.record_id.hex()} version {row.number}"
    try:
        statement = unpack(secret, opened(frames, secret, row), row.number)
        check(secret, statement, row.number)
    except (SealBroken, StatementBroken, IntegrityFailure, msgspec.MsgspecError) as error:
        told.find(getattr(error, "code", "statement-broken"), str(error), where)
        return None
    if b'"c":"%b"' % statement.commitment.hex().encode() not in body:
        told.find("commitment-mismatch", "the statement is not the one that the ledger committed", where)
        return None
    return statement


def _circles(store: Store, told: Checked) -> None:
    """8. Every member that still has its secret opens its circle to the same one."""
    asked = (
        select(circles.c.id, circle_members.c.wrapped, records.c.id, circles.c.mac)
        .outerjoin(circle_members, circle_members.c.circle == circles.c.key)
        .outerjoin(records, records.c.key == circle_members.c.record)
        .order_by(circles.c.key)
    )
    found: dict[bytes, bytes] = {}
    members: dict[tuple[bytes, bytes], list[bytes]] = {}
    for part in _parts(_all(store, asked)):
        secrets = _secrets(store, told, [bytes(member) for _, _, member, _ in part if member is not None])
        for identity, wrapped, member, mac in part:
            where = f"circle {bytes(identity).hex()}"
            together = members.setdefault((bytes(identity), bytes(mac)), [])
            if member is None:
                continue
            together.append(bytes(member))
            if bytes(member) not in secrets:
                continue
            try:
                opens = open_circle(secrets[bytes(member)], bytes(identity), bytes(wrapped))
            except SealBroken as error:
                told.find(error.code, str(error), where)
                continue
            if found.setdefault(bytes(identity), opens) != opens:
                told.find("commitment-mismatch", "two members open a circle to different secrets", where)
        told.count("circles", len(part))
    parts = _circle_parts(store, told, found)
    for (identity, mac), together in members.items():
        # Whoever is disposed of stays a member, and opens nothing.
        if circle_mac(store.lookup, together, parts.get(identity, [])) != mac:
            told.find(
                accounts.ALTERED, "a circle has not the members that it had", f"circle {identity.hex()}"
            )


def _circle_parts(store: Store, told: Checked, found: dict[bytes, bytes]) -> dict[bytes, list[bytes]]:
    """Every circle in a circle opens it to the same secret; what each is made of."""
    part = circles.alias("part")
    asked = (
        select(circles.c.id, circle_parts.c.wrapped, part.c.id, part.c.mac)
        .join(circle_parts, circle_parts.c.circle == circles.c.key)
        .join(part, part.c.key == circle_parts.c.part)
        .order_by(circles.c.key)
    )
    made_of: dict[bytes, list[bytes]] = {}
    for identity, wrapped, through, mac in _all(store, asked):
        made_of.setdefault(bytes(identity), []).append(bytes(mac))
        if bytes(through) not in found:
            continue  # the last of its records was disposed of, or it was told of before
        where = f"circle {bytes(identity).hex()}"
        try:
            opens = open_circle(found[bytes(through)], bytes(identity), bytes(wrapped))
        except SealBroken as error:
            told.find(error.code, str(error), where)
            continue
        if found.setdefault(bytes(identity), opens) != opens:
            told.find("commitment-mismatch", "two members open a circle to different secrets", where)
    return made_of


def _pieces(
    store: Store,
    told: Checked,
    progress: Callable[[str, int], None],
    span: Span | None,
    read: Callable[[int], None],
) -> None:
    """9. Every piece of evidence opens and gives its commitment."""
    asked = (
        select(
            pieces.c.key,
            pieces.c.record,
            pieces.c.circle,
            pieces.c.exchange,
            pieces.c.commitment,
            pieces.c.length,
            objects.c.digest,
            objects.c.size,
            pieces.c.place,
            pieces.c.size,
            attachments.c.key,
            tombstones.c.record,
        )
        .outerjoin(objects, objects.c.key == pieces.c.object)
        .outerjoin(attachments, attachments.c.piece == pieces.c.key)
        .outerjoin(tombstones, tombstones.c.record == pieces.c.record)
        .order_by(pieces.c.key)
    )
    frames = Frames(store.objects)
    count = 0
    for part in _parts(_all(store, _within(asked, PIECES, span))):
        rows = [
            PieceRow(
                row[0], row[1], row[2], row[3], bytes(row[4]), row[5], bytes(row[6]), row[7], row[8], row[9]
            )
            for row in part
            if row[10] is None and row[11] is None and row[6] is not None
        ]
        for row in part:
            if row[6] is None:
                told.find(accounts.ALTERED, "a piece of evidence lies in no object", f"piece {row[0]}")
        with store.database.read() as tx:
            owners = _owners(told, Opener(tx, store.keyring), rows)
            for row in rows:
                if row.circle is not None and owners.get(row.key, ()) is None and not _ended(tx, row.circle):
                    told.find("key-missing", "nobody can open a shared piece of evidence", f"piece {row.key}")
            with_them = _gone_with_exchanges(tx, [row for row in rows if owners.get(row.key, ()) is None])
        rows = [row for row in rows if row.key not in with_them]
        for row in rows:
            if row.key in owners:
                _piece(told, frames, owners[row.key], row)
        count += len(rows)
        progress("pieces opened", count)
        read(sum(row.size for row in rows))
    told.count("pieces_opened", count)


def _gone_with_exchanges(tx: Tx, rows: list[PieceRow]) -> set[int]:
    """Those of these pieces whose exchange named a record that was disposed of, and lost its secret with it."""
    by_exchange = {row.exchange: row.key for row in rows if row.exchange is not None}
    found: set[int] = set()
    for start in range(0, len(by_exchange), 500):
        asked = (
            select(exchanges.c.key)
            .join(forgotten, forgotten.c.owner == exchanges.c.id)
            .where(exchanges.c.key.in_(list(by_exchange)[start : start + 500]))
        )
        found |= set(tx.execute(asked).scalars())
    return {row.key for row in rows if row.exchange in found}


def _ended(tx: Tx, circle: int) -> bool:
    """Whether a circle is there and the last of its records was disposed of."""
    asked = (
        select(circles.c.key, circle_members.c.record, tombstones.c.record)
        .outerjoin(circle_members, circle_members.c.circle == circles.c.key)
        .outerjoin(tombstones, tombstones.c.record == circle_members.c.record)
        .where(circles.c.key == circle)
    )
    rows = tx.execute(asked).all()
    if not rows or any(member is not None and gone is None for _, member, gone in rows):
        return False
    parts = select(circle_parts.c.part).where(circle_parts.c.circle == circle)
    return all(_ended(tx, part) for part in tx.execute(parts).scalars().all())


def _owners(told: Checked, opener: Opener, rows: list[PieceRow]) -> dict[int, tuple[bytes, bytes] | None]:
    """The owners of pieces; where one cannot be told, the others are all the same."""
    try:
        return opener.owners(rows)
    except (IntegrityFailure, KeyError):
        found: dict[int, tuple[bytes, bytes] | None] = {}
    for row in rows:
        try:
            found |= opener.owners([row])
        except IntegrityFailure as error:
            told.find(error.code, str(error), f"piece {row.key}")
        except KeyError:
            told.find(accounts.ALTERED, "a piece of evidence belongs to nobody", f"piece {row.key}")
    return found


def _piece(told: Checked, frames: Frames, owner: tuple[bytes, bytes] | None, row: PieceRow) -> None:
    if owner is None:
        if row.circle is None:
            told.find(
                "key-missing", "the secret of a piece of evidence is not in the keyring", f"piece {row.key}"
            )
        return
    identity, secret = owner
    try:
        content = unseal(
            secret,
            b"piece/" + identity + row.commitment,
            frames.read(row.digest, row.object_size, row.place, row.size),
        )
    except IntegrityFailure as error:
        told.find(error.code, str(error), f"piece {row.key}")
        return
    if len(content) != row.length or piece_commitment(derive(secret, b"piece"), content) != row.commitment:
        told.find(
            "commitment-mismatch", "a piece of evidence is not the one that was committed", f"piece {row.key}"
        )


def _exchanges(store: Store, told: Checked, size: int, span: Span | None) -> None:
    """10. Every exchange is made of the pieces that its entry commits to, and its row says the same."""
    asked = (
        select(exchanges, entries.c.body)
        .outerjoin(entries, entries.c.index == exchanges.c.entry)
        .where(exchanges.c.entry < size)
        .order_by(exchanges.c.key)
    )
    for row in _all(store, _within(asked, EXCHANGES, span)):
        body = bytes(row.body) if row.body is not None else b""
        with store.database.read() as tx:
            found = _made_of(tx, row)
            envelope = None
            with contextlib.suppress(IntegrityFailure, KeyError):  # found among the pieces
                envelope = open_pieces(store, tx, [row.envelope]).get(row.envelope)
        if found is None or b'"c":"%b"' % found.hex().encode() not in body:
            told.find(
                "commitment-mismatch",
                "an exchange is not made of what the ledger committed",
                bytes(row.id).hex(),
            )
        else:
            told.find_each(accounts.exchange(row, envelope, body))
        told.count("exchanges")


def _made_of(tx: Tx, row: Any) -> bytes | None:
    """The commitment that an exchange's pieces give, or None where one is not there."""
    envelope = row.envelope
    try:
        refs = layout_of(tx, row.layout, row.alike)
    except (msgspec.MsgspecError, NoResultFound):
        return None
    wanted = sorted(piece for piece in {envelope, *(piece for piece, _, _ in refs)} if piece > 0)
    commitments = {piece: bytes(32) for piece, _, _ in refs if piece <= 0}  # never kept: a disposed record's
    for start in range(0, len(wanted), 500):
        asked = select(pieces.c.key, pieces.c.commitment).where(pieces.c.key.in_(wanted[start : start + 500]))
        commitments |= {key: bytes(commitment) for key, commitment in tx.execute(asked)}
    try:
        return exchange_commitment(
            commitments[envelope], ((commitments[piece], start, length) for piece, start, length in refs)
        )
    except (KeyError, OverflowError):
        return None


def _acts(store: Store, told: Checked, size: int, span: Span | None) -> None:
    """11. Every act opens and gives the commitment that its entry holds, and its rows say the same."""
    asked = (
        select(acts, entries.c.body)
        .outerjoin(entries, entries.c.index == acts.c.entry)
        .where(acts.c.entry < size)
        .order_by(acts.c.entry)
    )
    with store.database.read() as tx:
        gaps = accounts.gap_rows(tx)
    if span is not None:
        gaps = {entry: gap for entry, gap in gaps.items() if span.after < entry <= span.upto}
    for part in _parts(_all(store, _within(asked, ACTS, span))):
        secrets = _secrets(store, told, [bytes(row.secret) for row in part])
        with store.database.read() as tx:
            went = disposals.gone(tx, [owner for row in part if (owner := bytes(row.secret)) not in secrets])
        for row in part:
            if bytes(row.secret) in went:
                gaps.pop(row.entry, None)  # it named what was disposed of, and nobody can read it any more
                continue
            body = bytes(row.body) if row.body is not None else b""
            text = _act(told, secrets.get(bytes(row.secret)), row, body)
            if text is None:
                continue
            told.find_each(accounts.act(row, text, body))
            if row.entry in gaps:
                told.find_each(accounts.gap(store, gaps.pop(row.entry), text, body))
        told.count("acts", len(part))
    for entry in gaps:
        if entry < size:
            told.find(accounts.ALTERED, "a gap's row names an entry that is no act", f"entry {entry}")


def _act(told: Checked, secret: bytes | None, row: Any, body: bytes) -> bytes | None:
    where = f"entry {row.entry}"
    if secret is None:
        told.find("key-missing", "the secret of an act is not in the keyring", where)
        return None
    try:
        text = unseal(secret, b"act", bytes(row.sealed))
    except SealBroken as error:
        told.find(error.code, str(error), where)
        return None
    if b'"c":"%b"' % act_commitment(secret, text).hex().encode() not in body:
        told.find("commitment-mismatch", "an act is not the one that the ledger committed", where)
        return None
    return text


def _attachments(store: Store, told: Checked, span: Span | None, read: Callable[[int], None]) -> None:
    """12. Every attachment opens to its end and gives its commitment."""
    asked = (
        select(
            attachments.c.id,
            attachments.c.file,
            attachments.c.wrapped,
            attachments.c.content_mac,
            records.c.id,
            pieces.c.commitment,
            pieces.c.length,
            objects.c.digest,
            pieces.c.place,
            pieces.c.size,
        )
        .join(records, records.c.key == attachments.c.record)
        .join(pieces, pieces.c.key == attachments.c.piece)
        .join(objects, objects.c.key == pieces.c.object)
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.record.is_(None))
        .order_by(attachments.c.key)
    )
    rows = _all(store, _within(asked, ATTACHMENTS, span))
    for identity, file, wrapped, mac, record, commitment, length, digest, place, size in rows:
        content, opened_bytes = hashlib.sha256(), 0
        sealed = files.Sealed(bytes(identity), file, wrapped, bytes(digest), place, size)
        try:
            secret = store.keyring.secret(bytes(record))
            for chunk in files.opened(store, secret, sealed):
                content.update(chunk)
                opened_bytes += len(chunk)
                read(len(chunk))
        except (IntegrityFailure, KeyMissing) as error:
            told.find(error.code, str(error), f"attachment {bytes(identity).hex()}")
            continue
        committed = files.commitment(secret, content.digest())
        if committed != bytes(commitment) or opened_bytes != length:
            told.find(
                "commitment-mismatch",
                "an attachment is not the one that was committed",
                f"attachment {bytes(identity).hex()}",
            )
        elif mac != (files.content_mac(store, content.digest()) if wrapped is not None else None):
            told.find(
                accounts.ALTERED,
                "an attachment's row does not say which file it is",
                f"attachment {bytes(identity).hex()}",
            )
        told.count("attachments")


# -- reading everything in bounded memory ------------------------------------------------------------------


def newest(store: Store) -> dict[str, int]:
    """The number of the newest row for each look of `BY_PARTS`; 0 where there is none."""
    with store.database.read() as tx:
        return {look: tx.execute(select(func.max(column))).scalar() or 0 for look, column in BY_PARTS.items()}


def _within(asked: Select[Any], look: str, span: Span | None) -> Select[Any]:
    if span is None:
        return asked
    column = BY_PARTS[look]
    return asked.where(column > span.after, column <= span.upto)


def _all(store: Store, asked: Select[Any] | CompoundSelect[Any]) -> Iterator[Any]:
    with store.database.read() as tx:
        yield from tx.execution_options(yield_per=_PART).execute(asked)


def _parts(rows: Iterator[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == _PART:
            yield part
            part = []
    if part:
        yield part
