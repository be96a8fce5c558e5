"""The circles of a batch: who shares a piece, found again or made.

A few records make one circle. Many make a circle of circles: sorted by id and
divided where the ids themselves say so, so that a listing that gains or loses
a record finds all its other circles again, and what a night adds follows what
changed, not how much the page shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Select, func, insert, select

from app.db import Tx
from app.records.ids import new_id
from app.store.sealing import derive, new_secret
from app.store.store import Store
from app.store.tables import circle_members, circle_parts, circles, pieces
from app.store.wrapping import circle_mac, open_circle, wrap_circle

FEW = 12
"""Up to so many records are one circle."""
_MOST = 32
_BITS = 0x07
"""One id in eight ends a part."""
_ASK = 500


class Member(Protocol):
    """A record that shares a piece; `key` is None while it is not written yet."""

    @property
    def id(self) -> bytes: ...
    @property
    def secret(self) -> bytes: ...
    @property
    def key(self) -> int | None: ...


@dataclass(slots=True, eq=False)
class Piece:
    """A piece by its commitment; `key` is given when it is written."""

    commitment: bytes
    key: int = 0


@dataclass(slots=True, eq=False)
class Circle:
    """A circle with its secret open."""

    id: bytes
    mac: bytes
    secret: bytes
    salt: bytes
    key: int | None
    pieces: dict[bytes, Piece] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A circle as it is planned: its records and its parts, known by a keyed digest of both."""

    mac: bytes
    records: Sequence[Member]
    parts: Sequence[Node]

    @property
    def label(self) -> bytes:
        return self.mac

    def all(self) -> Iterator[Node]:
        """The parts of the parts first, this one last."""
        for part in self.parts:
            yield from part.all()
        yield self


def plan(lookup: bytes, members: Sequence[Member]) -> Node:
    """Divide records into circles of circles; the same records always make the same ones. Pure."""
    row: list[Member | Node] = [*sorted(members, key=lambda member: member.id)]
    level = 1
    while len(row) > FEW:
        following = [_node(lookup, part) for part in _divided(row, level)]
        if len(following) == len(row):
            break
        row, level = following, level + 1
    top = _node(lookup, row, alone=True)
    assert isinstance(top, Node)
    return top


def _divided(row: Sequence[Member | Node], level: int) -> Iterator[list[Member | Node]]:
    part: list[Member | Node] = []
    for item in row:
        part.append(item)
        if not _label(item)[-level] & _BITS or len(part) == _MOST:
            yield part
            part = []
    if part:
        yield part


def _node(lookup: bytes, part: Sequence[Member | Node], *, alone: bool = False) -> Member | Node:
    if len(part) == 1 and not alone:
        return part[0]
    parts = [item for item in part if isinstance(item, Node)]
    members = [item for item in part if not isinstance(item, Node)]
    mac = circle_mac(lookup, [member.id for member in members], [node.mac for node in parts])
    return Node(mac, members, parts)


def _label(item: Member | Node) -> bytes:
    return item.mac if isinstance(item, Node) else item.id


class Circles:
    """The circles that one batch needs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._open: dict[bytes, Circle] = {}
        self._whole: set[bytes] = set()
        self._made: list[tuple[Circle, Node]] = []

    def of(self, members: Sequence[Member]) -> Circle:
        """The circle of these records: one that exists, opened through its members, or a new one."""
        top = plan(self.store.lookup, members)
        if top.mac in self._whole:
            return self._open[top.mac]
        with self.store.database.read() as tx:
            if all(member.key for member in members):
                self._find(tx, top)
            if top.mac not in self._open:
                self._make(tx, top)
            circle = self._open[top.mac]
            if circle.key is not None:
                held = select(pieces.c.commitment, pieces.c.key).where(pieces.c.circle == circle.key)
                circle.pieces = {bytes(one): Piece(bytes(one), key) for one, key in tx.execute(held)}
        self._whole.add(top.mac)
        return circle

    def _find(self, tx: Tx, node: Node) -> None:
        """Open a circle that exists, through its first member or its first part."""
        if node.mac in self._open:
            return
        row = tx.execute(select(circles.c.key, circles.c.id).where(circles.c.mac == node.mac)).one_or_none()
        if row is not None:
            self._opened(tx, node, row.key, bytes(row.id))

    def _opened(self, tx: Tx, node: Node, key: int, identity: bytes) -> Circle:
        if node.records:
            member = node.records[0]
            asked = select(circle_members.c.wrapped).where(
                circle_members.c.circle == key, circle_members.c.record == member.key
            )
            return self._known(node.mac, key, identity, open_circle(member.secret, identity, _one(tx, asked)))
        part = node.parts[0]
        self._find(tx, part)
        through = self._open[part.mac]
        asked = select(circle_parts.c.wrapped).where(
            circle_parts.c.circle == key, circle_parts.c.part == through.key
        )
        return self._known(node.mac, key, identity, open_circle(through.secret, identity, _one(tx, asked)))

    def _make(self, tx: Tx, top: Node) -> None:
        """Make the circles that do not exist yet, out of those that do."""
        nodes = {node.mac: node for node in top.all() if node.mac not in self._open}
        macs = list(nodes)
        rows: dict[bytes, tuple[int, bytes]] = {}
        for start in range(0, len(macs), _ASK):
            asked = select(circles.c.mac, circles.c.key, circles.c.id).where(
                circles.c.mac.in_(macs[start : start + _ASK])
            )
            rows |= {bytes(row.mac): (row.key, bytes(row.id)) for row in tx.execute(asked)}
        wanted = {part.mac for node in nodes.values() if node.mac not in rows for part in node.parts}
        found = [nodes[mac] for mac in macs if mac in rows and mac in wanted]
        self._open_many(tx, [node for node in found if node.records], rows)
        for node in found:
            if node.mac not in self._open:
                self._opened(tx, node, *rows[node.mac])
        for mac in macs:
            if mac not in rows:
                secret = new_secret()
                circle = Circle(new_id().bytes, mac, secret, derive(secret, b"piece"), None)
                self._open[mac] = circle
                self._made.append((circle, nodes[mac]))

    def _open_many(self, tx: Tx, nodes: Sequence[Node], rows: dict[bytes, tuple[int, bytes]]) -> None:
        """Open circles through their first members, asking for many at once."""
        for start in range(0, len(nodes), _ASK):
            some = {rows[node.mac][0]: node for node in nodes[start : start + _ASK]}
            asked = select(circle_members.c.circle, circle_members.c.record, circle_members.c.wrapped).where(
                circle_members.c.circle.in_(list(some))
            )
            for key, record, wrapped in tx.execute(asked):
                node = some[key]
                member = node.records[0]
                if member.key == record:
                    identity = rows[node.mac][1]
                    self._known(node.mac, key, identity, open_circle(member.secret, identity, bytes(wrapped)))

    def _known(self, mac: bytes, key: int, identity: bytes, secret: bytes) -> Circle:
        circle = self._open[mac] = Circle(identity, mac, secret, derive(secret, b"piece"), key)
        return circle

    def overtaken(self, tx: Tx) -> bool:
        """Whether somebody else made one of the new circles meanwhile."""
        macs = [circle.mac for circle, _ in self._made]
        return any(
            tx.execute(
                select(circles.c.key).where(circles.c.mac.in_(macs[start : start + _ASK])).limit(1)
            ).first()
            for start in range(0, len(macs), _ASK)
        )

    def write(self, tx: Tx) -> None:
        """Write the new circles, parts before what they are parts of."""
        if not self._made:
            return
        key = (tx.execute(select(func.max(circles.c.key))).scalar() or 0) + 1
        member_rows, part_rows = [], []
        for circle, node in self._made:
            circle.key, key = key, key + 1
            member_rows += [
                {
                    "circle": circle.key,
                    "record": member.key,
                    "wrapped": wrap_circle(member.secret, circle.id, circle.secret),
                }
                for member in node.records
            ]
            part_rows += [
                {
                    "circle": circle.key,
                    "part": self._open[part.mac].key,
                    "wrapped": wrap_circle(self._open[part.mac].secret, circle.id, circle.secret),
                }
                for part in node.parts
            ]
        tx.execute(
            insert(circles),
            [{"key": circle.key, "id": circle.id, "mac": circle.mac} for circle, _ in self._made],
        )
        if member_rows:
            tx.execute(insert(circle_members), member_rows)
        if part_rows:
            tx.execute(insert(circle_parts), part_rows)


def _one(tx: Tx, asked: Select[Any]) -> bytes:
    return bytes(tx.execute(asked).scalar_one())
