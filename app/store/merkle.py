"""The Merkle tree of RFC 6962, section 2.1: hashes, proofs and their checks. Pure.

A tree is read through `Hashes`, which gives the hash of any complete subtree,
so that proofs cost the logarithm of the ledger's size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

EMPTY_ROOT = hashlib.sha256(b"").digest()


class Hashes(Protocol):
    """Gives the hash of the complete subtree of 2**level leaves that begins at leaf index * 2**level."""

    def __call__(self, level: int, index: int) -> bytes: ...


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Iterable[bytes]) -> bytes:
    """The root over a row of hashes: pair upward, promote an odd last one."""
    row = list(hashes)
    if not row:
        return EMPTY_ROOT
    while len(row) > 1:
        paired = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = paired + row[len(paired) * 2 :]
    return row[0]


class Growing:
    """A Merkle root over hashes that come one by one, in memory that grows with the logarithm of their number."""

    def __init__(self) -> None:
        self.count = 0
        self._stack: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        level = 0
        while self._stack and self._stack[-1][0] == level:
            leaf = node_hash(self._stack.pop()[1], leaf)
            level += 1
        self._stack.append((level, leaf))
        self.count += 1

    def root(self) -> bytes:
        if not self._stack:
            return EMPTY_ROOT
        found = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            found = node_hash(left, found)
        return found


def root(hashes: Hashes, size: int) -> bytes:
    """The root of the first `size` entries."""
    return EMPTY_ROOT if size == 0 else _range(hashes, 0, size)


def inclusion(hashes: Hashes, index: int, size: int) -> list[bytes]:
    """The proof that entry `index` is in the tree of `size` entries, from the leaf's sibling upward."""
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not in a ledger of {size}")
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range(hashes, middle, high))
            high = middle
        else:
            proof.append(_range(hashes, low, middle))
            low = middle
    proof.reverse()
    return proof


def consistency(hashes: Hashes, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `new` entries begins with the tree of `old` entries (RFC 6962, 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof leads from {old} to {new}")
    proof: list[bytes] = []
    low, high, whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range(hashes, middle, high))
            high = middle
        else:
            proof.append(_range(hashes, low, middle))
            low, whole = middle, False
    if not whole:
        proof.append(_range(hashes, low, high))
    proof.reverse()
    return proof


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether `proof` shows that `leaf` stands at `index` under the root `expected` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or any(len(part) != 32 for part in (leaf, expected, *proof)):
        return False
    place, last, found = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(part, found)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = node_hash(found, part)
        place >>= 1
        last >>= 1
    return last == 0 and found == expected


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new or any(len(part) != 32 for part in (old_root, new_root, *proof)):
        return False
    if old == new:
        return not proof and old_root == new_root
    if not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = path[0]
    for part in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(part, first), node_hash(part, second)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, part)
        place >>= 1
        last >>= 1
    return first == old_root and second == new_root and last == 0


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range(hashes: Hashes, low: int, high: int) -> bytes:
    count = high - low
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return hashes(level, low >> level)
    middle = low + _split(count)
    return node_hash(_range(hashes, low, middle), _range(hashes, middle, high))
