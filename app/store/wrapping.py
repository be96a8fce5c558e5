"""Wrapping: a secret that several records share, wrapped under each one's own, so that it dies with the last of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.store.ledger import keyed
from app.store.sealing import SealBroken, derive

_NONCE = 12


def circle_mac(lookup: bytes, members: Iterable[bytes], parts: Sequence[bytes] = ()) -> bytes:
    """What a circle is found by: keyed over the ids of its records and the digests of the circles in it."""
    if not parts:
        return keyed(lookup, b"circle", *sorted(members))
    return keyed(lookup, b"circle of circles", *sorted(members), b"", *sorted(parts))


def wrap_circle(secret: bytes, circle: bytes, circle_secret: bytes) -> bytes:
    """A circle's secret, wrapped under the own secret of a record, or of a circle in it."""
    return _wrap(derive(secret, b"circle"), circle, circle_secret)


def open_circle(secret: bytes, circle: bytes, wrapped: bytes) -> bytes:
    """A circle's secret, opened by the secret of a record, or of a circle in it."""
    try:
        return _unwrap(derive(secret, b"circle"), circle, wrapped)
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"the secret of circle {circle.hex()} does not open") from error


def wrap_file(secret: bytes, file: bytes, file_secret: bytes) -> bytes:
    """A file's secret, wrapped under the own secret of a record that has it attached."""
    return _wrap(derive(secret, b"file"), file, file_secret)


def open_file(secret: bytes, file: bytes, wrapped: bytes) -> bytes:
    """A file's secret, opened by the secret of a record that has it attached."""
    try:
        return _unwrap(derive(secret, b"file"), file, wrapped)
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"the secret of file {file.hex()} does not open") from error


def _wrap(key: bytes, identity: bytes, shared: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, shared, identity)


def _unwrap(key: bytes, identity: bytes, wrapped: bytes) -> bytes:
    return AESGCM(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], identity)
