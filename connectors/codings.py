"""Content codings, for servers that compress although they are asked not to. Sizes are bounded."""

from __future__ import annotations

import gzip
import zlib

_GZIP, _ZLIB, _DEFLATE = 31, 15, -15
_STEP = 1 << 16


class CannotDecode(ValueError):
    """The coding is not one that we read, its bytes are broken, or they hold more than they may."""


def codings(header: str | None) -> list[str]:
    """The codings of a Content-Encoding header, in the order in which they were applied."""
    named = [part.strip().lower() for part in (header or "").split(",")]
    return [name for name in named if name and name != "identity"]


def decode(body: bytes, applied: list[str], *, most: int, cut: bool = False) -> bytes:
    """Undo `applied`, last first; at most `most` bytes. With `cut`, a body that ends too early gives what it has."""
    for coding in reversed(applied):
        match coding:
            case "gzip" | "x-gzip":
                body = _inflated(body, _GZIP, most, cut=cut)
            case "deflate":
                body = _inflated(body, _ZLIB if _is_zlib(body) else _DEFLATE, most, cut=cut)
            case _:
                raise CannotDecode(f"the coding {coding!r} is not one that we read")
    return body


def encode(body: bytes, applied: list[str]) -> bytes:
    """Apply the codings again, the same way each time."""
    for coding in applied:
        body = zlib.compress(body) if coding == "deflate" else gzip.compress(body, mtime=0)
    return body


def _is_zlib(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0


def _inflated(body: bytes, window: int, most: int, *, cut: bool) -> bytes:
    out, at = bytearray(), 0
    while at < len(body):
        member = zlib.decompressobj(window)
        try:
            while at < len(body) and not member.eof:
                fed = body[at : at + _STEP]
                out += member.decompress(fed, most + 1 - len(out))
                at += len(fed) - len(member.unused_data)
                if len(out) > most:
                    raise CannotDecode(f"decoded, it holds more than {most} bytes")
        except zlib.error as fault:
            if cut and out:
                return bytes(out)
            raise CannotDecode(f"its compressed bytes are broken: {fault}") from None
        if not member.eof:
            if cut:
                return bytes(out)
            raise CannotDecode("its compressed bytes end too early")
        if window != _GZIP or not body[at:].strip(b"\0"):
            break
        # Several gzip members may follow one another (RFC 1952, section 2.2).
    return bytes(out)
