"""An account's repository: a signed commit over a tree of records. Pure.

The tree is a Merkle search tree: whoever has the commit and the nodes on the
way to a key can tell for certain what stands there, or that nothing does. That
is why a whole repository proves its own completeness, and why an answer of
`com.atproto.sync.getRecord` proves that a record is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from connectors.bluesky.car import Car, NotCar
from connectors.bluesky.cbor import Cid, Value, encode

_CURVES: Mapping[bytes, type[ec.EllipticCurve]] = {b"\xe7\x01": ec.SECP256K1, b"\x80\x24": ec.SECP256R1}
_OLD_TYPES: Mapping[str, type[ec.EllipticCurve]] = {
    "EcdsaSecp256k1VerificationKey2019": ec.SECP256K1,
    "EcdsaSecp256r1VerificationKey2019": ec.SECP256R1,
}
_ORDERS: Mapping[type[ec.EllipticCurve], int] = {
    ec.SECP256K1: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    ec.SECP256R1: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DEEPEST = 128


class Unproven(Exception):
    """The blocks that were given do not reach to where the key would stand."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a repository was at `rev`, signed by its account."""

    did: str
    rev: str
    data: Cid
    signature: bytes
    unsigned: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """A key that an account signs with, as its DID document names it."""

    curve: type[ec.EllipticCurve]
    point: bytes

    def signed(self, commit: Commit) -> bool:
        """Whether the commit bears this key's signature: SHA-256, r and s of 32 bytes each, s in its lower half."""
        if len(commit.signature) != 64:
            return False
        r, s = int.from_bytes(commit.signature[:32]), int.from_bytes(commit.signature[32:])
        if s > _ORDERS[self.curve] // 2:
            return False
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(self.curve(), self.point)
            key.verify(encode_dss_signature(r, s), commit.unsigned, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


def key(kind: str, multibase: str) -> Key | None:
    """The key of a DID document's verification method; None where it is of a kind that signs no repository."""
    content = _base58(multibase.removeprefix("z")) if multibase.startswith("z") else None
    if content is None:
        return None
    if kind in _OLD_TYPES:
        return Key(_OLD_TYPES[kind], content)
    curve = _CURVES.get(content[:2])
    return None if curve is None else Key(curve, content[2:])


def commit(car: Car) -> Commit:
    """The commit that a file of blocks begins from; `NotCar` where it does not begin from one."""
    try:
        said = car.value(car.root)
    except KeyError:
        raise NotCar("The file does not hold the commit that it names as its root.") from None
    if not isinstance(said, dict):
        raise NotCar("The root of the file is no commit.")
    did, rev, data, signature = (said.get(name) for name in ("did", "rev", "data", "sig"))
    if not (
        isinstance(did, str)
        and isinstance(rev, str)
        and isinstance(data, Cid)
        and isinstance(signature, bytes)
    ):
        raise NotCar("The root of the file is no signed commit.")
    unsigned = encode({name: value for name, value in said.items() if name != "sig"})
    return Commit(did, rev, data, signature, unsigned)


def records(car: Car, root: Cid, *, changes: bool = False) -> Iterator[tuple[str, Cid]]:
    """Every key of the tree under `root` with its record's digest, in order.

    `NotCar` where a node or a record is missing: the file is then not the
    whole repository. With `changes` the file holds only what changed, and
    what it does not hold is passed over.
    """
    for path, link in _walk(car, root, 0, changes):
        if link in car.blocks:
            yield path, link
        elif not changes:
            raise NotCar(f"The file does not hold the record {path}, which its tree names.")


def find(car: Car, root: Cid, wanted: str) -> Cid | None:
    """The digest of the record at that key; None where the tree proves that there is none.

    `Unproven` where a node on the way is missing.
    """
    sought, here = wanted.encode(), root
    for _ in range(_DEEPEST):
        left, entries = _node(car, here)
        below = left
        for name, link, right in entries:
            if name == sought:
                return link
            if name > sought:
                break
            below = right
        if below is None:
            return None
        here = below
    raise NotCar("The tree is deeper than any repository's.")


def _walk(car: Car, here: Cid, depth: int, changes: bool) -> Iterator[tuple[str, Cid]]:
    if depth > _DEEPEST:
        raise NotCar("The tree is deeper than any repository's.")
    try:
        left, entries = _node(car, here)
    except Unproven as fault:
        if changes:
            return
        raise NotCar(str(fault)) from None
    if left is not None:
        yield from _walk(car, left, depth + 1, changes)
    for name, link, right in entries:
        yield name.decode("ascii", "replace"), link
        if right is not None:
            yield from _walk(car, right, depth + 1, changes)


def _node(car: Car, here: Cid) -> tuple[Cid | None, Sequence[tuple[bytes, Cid, Cid | None]]]:
    """A node: the tree left of its first entry, and each entry with the tree to its right."""
    try:
        said = car.value(here)
    except KeyError:
        raise Unproven(f"The node {here.text} of the tree is not there.") from None
    if not isinstance(said, dict) or not isinstance(said.get("e"), list):
        raise NotCar(f"{here.text} is no node of a tree.")
    left, listed = said.get("l"), said["e"]
    assert isinstance(listed, list)
    entries: list[tuple[bytes, Cid, Cid | None]] = []
    name = b""
    for entry in listed:
        name, link, right = _entry(entry, name)
        entries.append((name, link, right))
    return (left if isinstance(left, Cid) else None), entries


def _entry(entry: Value, before: bytes) -> tuple[bytes, Cid, Cid | None]:
    if isinstance(entry, dict):
        shared, rest, link, right = (entry.get(name) for name in ("p", "k", "v", "t"))
        if not isinstance(shared, int) or not isinstance(rest, bytes) or not isinstance(link, Cid):
            raise NotCar("An entry of the tree has another shape.")
        if 0 <= shared <= len(before) and (right is None or isinstance(right, Cid)):
            return before[:shared] + rest, link, right
    raise NotCar("An entry of the tree has another shape.")


def _base58(text: str) -> bytes | None:
    number = 0
    for sign in text:
        place = _BASE58.find(sign)
        if place < 0:
            return None
        number = number * 58 + place
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
