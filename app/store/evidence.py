"""Cutting a body into pieces that each have an owner, and joining them again. Pure.

One response may carry a hundred comments that live under different series and
holds. The bytes of each item belong to its record; nested items take their own
bytes out of the item around them; bytes that several records need belong to
their circle; what is left belongs to everyone in the exchange. Joined, the
pieces are the body, byte for byte; when one record is disposed of, exactly its
bytes become a hole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.records.errors import Invalid

Owners = frozenset[int]
"""The records, by their place in the batch, to which bytes belong; empty for the rest of the body."""


class SpansOverlap(Invalid):
    """A connector named bytes that lie outside the body, or cross the bounds of another item."""

    code = "spans-overlap"


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes `start` to `end` of a body, and to whom they belong."""

    start: int
    end: int
    owners: Owners


@dataclass(frozen=True, slots=True)
class Ref:
    """A run of bytes of one piece: what a body is joined from."""

    piece: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Hole:
    """Bytes `start` to `end` of a body that can no longer be read."""

    start: int
    end: int
    why: str


def cut(length: int, spans: Iterable[tuple[int, int, int]]) -> list[Slice]:
    """Divide a body of `length` bytes by `(start, end, owner)` spans, in order and without a gap.

    Equal spans of several owners are shared; a span inside another takes its
    bytes out of it. Raises `SpansOverlap` for spans that cross.
    """
    owners: dict[tuple[int, int], set[int]] = {}
    for start, end, owner in spans:
        if not 0 <= start <= end <= length:
            raise SpansOverlap(f"bytes {start} to {end} lie outside a body of {length}")
        if start < end:
            owners.setdefault((start, end), set()).add(owner)
    slices: list[Slice] = []
    stack: list[tuple[int, int, Owners]] = [(0, length, frozenset())]
    place = 0

    def emit(until: int, who: Owners) -> None:
        nonlocal place
        if until > place:
            slices.append(Slice(place, until, who))
            place = until

    for start, end in sorted(owners, key=lambda span: (span[0], -span[1])):
        while stack[-1][1] <= start and len(stack) > 1:
            emit(stack[-1][1], stack.pop()[2])
        if end > stack[-1][1]:
            raise SpansOverlap(f"bytes {start} to {end} cross the bounds of another item")
        emit(start, stack[-1][2])
        stack.append((start, end, frozenset(owners[start, end])))
    while stack:
        emit(stack[-1][1], stack.pop()[2])
    return slices


def gather(body: bytes, slices: Sequence[Slice]) -> tuple[dict[Owners, bytes], list[tuple[Owners, int, int]]]:
    """Put each owner's bytes together as one piece; also say how to join them: owner, start in the piece, length."""
    parts: dict[Owners, list[bytes]] = {}
    sizes: dict[Owners, int] = {}
    order: list[tuple[Owners, int, int]] = []
    for part in slices:
        begun = sizes.get(part.owners, 0)
        parts.setdefault(part.owners, []).append(body[part.start : part.end])
        sizes[part.owners] = begun + part.end - part.start
        order.append((part.owners, begun, part.end - part.start))
    return {who: b"".join(found) for who, found in parts.items()}, order


def join(
    layout: Sequence[Ref], pieces: Mapping[int, bytes], *, why: Mapping[int, str] | None = None
) -> tuple[bytes, list[Hole]]:
    """The body that the pieces give, zeros where a piece is gone, with the list of those holes."""
    parts: list[bytes] = []
    holes: list[Hole] = []
    place = 0
    for ref in layout:
        content = pieces.get(ref.piece)
        if content is None:
            parts.append(bytes(ref.length))
            holes.append(Hole(place, place + ref.length, (why or {}).get(ref.piece, "unreadable")))
        else:
            parts.append(content[ref.start : ref.start + ref.length])
        place += ref.length
    return b"".join(parts), holes


def piece_commitment(salt: bytes, content: bytes) -> bytes:
    r"""The salted commitment to a piece: `SHA-256("piece-commit/v1\n" || salt || SHA-256(content))`."""
    return hashlib.sha256(b"piece-commit/v1\n" + salt + hashlib.sha256(content).digest()).digest()


def exchange_commitment(envelope: bytes, layout: Iterable[tuple[bytes, int, int]]) -> bytes:
    r"""The commitment to an exchange: its envelope's, then each run of bytes as piece commitment, start and length.

    `SHA-256("exchange-commit/v1\n" || envelope || (commitment || u64 start || u64 length)*)`, big-endian.
    """
    digest = hashlib.sha256(b"exchange-commit/v1\n" + envelope)
    for commitment, start, length in layout:
        digest.update(commitment + start.to_bytes(8) + length.to_bytes(8))
    return digest.digest()
