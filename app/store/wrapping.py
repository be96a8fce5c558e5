"""Circles: a secret that several records share, wrapped under each one's own, so that it dies with the last of them."""

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
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(derive(secret, b"circle")).encrypt(nonce, circle_secret, circle)


def open_circle(secret: bytes, circle: bytes, wrapped: bytes) -> bytes:
    """A circle's secret, opened by the secret of a record, or of a circle in it."""
    try:
        return AESGCM(derive(secret, b"circle")).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], circle)
    except InvalidTag as error:
        raise SealBroken(f"the secret of circle {circle.hex()} does not open") from error
