"""DAG-CBOR, read strictly and written as far as a signature needs it.

DAG-CBOR is CBOR (RFC 8949) kept to what has one form only: definite lengths,
texts as names, 64-bit floats, and one tag, 42, for links. Whatever else comes
is refused, because it is not what the protocol promises. Pure.
"""

from __future__ import annotations

import struct
from base64 import b32encode

_LINK = 42
_DEEPEST = 128
_float = struct.Struct(">d").unpack_from


class NotCbor(ValueError):
    """The bytes are not the DAG-CBOR that they should be."""


class Cid(bytes):
    """A link: the binary form of a content identifier."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """As it is written in addresses and JSON: Base32 with the prefix b."""
        return "b" + b32encode(self).decode().rstrip("=").lower()


Value = None | bool | int | float | str | bytes | list["Value"] | dict[str, "Value"]


def decode(data: bytes) -> Value:
    """The one value that `data` is; `NotCbor` where it is none, or where bytes are left over."""
    value, end = decode_at(data, 0)
    if end != len(data):
        raise NotCbor(f"{len(data) - end} bytes follow the value.")
    return value


def decode_at(data: bytes, start: int) -> tuple[Value, int]:
    """The value that begins at `start`, and where it ends."""
    try:
        return _value(data, start, 0)
    except (IndexError, struct.error, UnicodeDecodeError) as fault:
        raise NotCbor(f"The value at byte {start} is broken: {fault}.") from None


def encode(value: Value) -> bytes:
    """`value` in its one form: names by length, then by their bytes."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str():
            said = value.encode()
            return _head(3, len(said)) + said
        case Cid():
            return _head(6, _LINK) + _head(2, len(value) + 1) + b"\0" + value
        case bytes():
            return _head(2, len(value)) + value
        case list():
            return _head(4, len(value)) + b"".join(encode(item) for item in value)
        case dict():
            named = sorted((name.encode(), item) for name, item in value.items())
            named.sort(key=lambda pair: len(pair[0]))
            return _head(5, len(named)) + b"".join(
                _head(3, len(name)) + name + encode(item) for name, item in named
            )


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for more, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | more]) + number.to_bytes(size)
    raise NotCbor(f"{number} is no 64-bit number.")


def _value(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    first = data[at]
    major, number = first >> 5, first & 31
    at += 1
    if major == 7:
        return _simple(data, at, number)
    if number >= 24:
        if number > 27:
            raise NotCbor(f"Byte {at - 1} begins a value of no definite length.")
        size = 1 << (number - 24)
        if at + size > len(data):
            raise NotCbor(f"The number at byte {at} is cut short.")
        number = int.from_bytes(data[at : at + size])
        at += size
    match major:
        case 3:
            end = _end(data, at, number)
            return data[at:end].decode(), end
        case 5:
            return _map(data, at, number, depth)
        case 0:
            return number, at
        case 4:
            if depth > _DEEPEST:
                raise NotCbor("The value is nested too deeply.")
            items: list[Value] = []
            for _ in range(number):
                item, at = _value(data, at, depth + 1)
                items.append(item)
            return items, at
        case 2:
            end = _end(data, at, number)
            return data[at:end], end
        case 1:
            return -1 - number, at
        case _:
            return _link(data, at, number, depth)


def _map(data: bytes, at: int, size: int, depth: int) -> tuple[dict[str, Value], int]:
    if depth > _DEEPEST:
        raise NotCbor("The value is nested too deeply.")
    found: dict[str, Value] = {}
    for _ in range(size):
        name, at = _value(data, at, depth + 1)
        if not isinstance(name, str) or name in found:
            raise NotCbor(f"The name before byte {at} is no text, or stands twice.")
        found[name], at = _value(data, at, depth + 1)
    return found, at


def _link(data: bytes, at: int, tag: int, depth: int) -> tuple[Cid, int]:
    content, end = _value(data, at, depth + 1)
    if tag != _LINK or not isinstance(content, bytes) or content[:1] != b"\0":
        raise NotCbor(f"The tag before byte {at} is no link.")
    return Cid(content[1:]), end


def _simple(data: bytes, at: int, number: int) -> tuple[Value, int]:
    match number:
        case 20:
            return False, at
        case 21:
            return True, at
        case 22:
            return None, at
        case 27:
            return _float(data, at)[0], at + 8
        case _:
            raise NotCbor(f"Byte {at - 1} begins a value that DAG-CBOR does not have.")


def _end(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise NotCbor(f"The text or bytes at byte {at} are cut short.")
    return at + size
