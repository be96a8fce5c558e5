"""Circles: a secret that several records share, wrapped under each one's own, so that it dies with the last of them."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.store.sealing import SealBroken, derive

_NONCE = 12


def wrap_circle(secret: bytes, circle: bytes, circle_secret: bytes) -> bytes:
    """A circle's secret, wrapped under one member's own."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(derive(secret, b"circle")).encrypt(nonce, circle_secret, circle)


def open_circle(secret: bytes, circle: bytes, wrapped: bytes) -> bytes:
    """A circle's secret, opened by one member's own."""
    try:
        return AESGCM(derive(secret, b"circle")).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], circle)
    except InvalidTag as error:
        raise SealBroken(f"the secret of circle {circle.hex()} does not open") from error
