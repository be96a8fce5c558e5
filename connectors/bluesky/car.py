"""CAR files (version 1): a row of blocks, each under the digest of its own bytes. Pure.

Every block is checked against its digest when it is read, so that a file that
was damaged on the way is noticed, and each says where in the file it stands,
so that a record can name its bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.bluesky.cbor import Cid, NotCbor, Value, decode

_SHA256 = (0x12, 0x20)


class NotCar(ValueError):
    """The bytes are not the CAR file that they should be."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its section, with length and digest, is `body[start:end]`, its own bytes begin at `data`."""

    start: int
    data: int
    end: int


@dataclass(frozen=True, slots=True)
class Car:
    """A file of blocks with the one it begins from."""

    body: bytes
    root: Cid
    blocks: Mapping[Cid, Block]

    def value(self, link: Cid) -> Value:
        """What the block of that digest says; `KeyError` where the file does not have it."""
        block = self.blocks[link]
        try:
            return decode(self.body[block.data : block.end])
        except NotCbor as fault:
            raise NotCar(f"The block {link.text} cannot be read: {fault}") from None


def read(body: bytes) -> Car:
    """Read a whole file; `NotCar` where it is cut, damaged, or something else."""
    size, at = _number(body, 0)
    try:
        head = decode(body[at : at + size])
    except NotCbor as fault:
        raise NotCar(f"It does not begin as a CAR file: {fault}") from None
    roots = head.get("roots") if isinstance(head, dict) else None
    if not isinstance(head, dict) or head.get("version") != 1 or not isinstance(roots, list) or not roots:
        raise NotCar("It does not begin as a CAR file of version 1 with a root.")
    root = roots[0]
    if not isinstance(root, Cid):
        raise NotCar("The root of the file is no link.")
    blocks: dict[Cid, Block] = {}
    at += size
    while at < len(body):
        start = at
        size, at = _number(body, at)
        end = at + size
        if end > len(body):
            raise NotCar(f"The block at byte {start} is cut short.")
        link = _link(body, at, end)
        data = at + len(link)
        if hashlib.sha256(body[data:end]).digest() != link[4:]:
            raise NotCar(f"The block at byte {start} does not have the digest that it stands under.")
        blocks.setdefault(link, Block(start, data, end))
        at = end
    return Car(body, root, blocks)


def _link(body: bytes, at: int, end: int) -> Cid:
    """The digest that a block stands under: version 1, DAG-CBOR or raw, SHA-256."""
    if end - at < 36 or body[at] != 1 or (body[at + 2], body[at + 3]) != _SHA256 or body[at + 1] > 0x7F:
        raise NotCar(f"The block at byte {at} does not stand under a SHA-256 digest.")
    return Cid(body[at : at + 36])


def _number(body: bytes, at: int) -> tuple[int, int]:
    """An unsigned varint (LEB128) of at most 63 bits, and where it ends."""
    number = shift = 0
    while True:
        if at >= len(body) or shift > 56:
            raise NotCar(f"No length stands at byte {at}.")
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
