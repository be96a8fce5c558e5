"""Canonical JSON (RFC 8785), for everything that is hashed.

Statements hold strings, whole numbers that a double holds exactly, true,
false, null, lists and objects. A fraction or a larger number is refused here
and written as a string by whoever states it, so that every JSON library
agrees on the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, Union

import msgspec

_LARGEST = 2**53 - 1
_SIMPLE = frozenset({str, bool, type(None)})
_encoder = msgspec.json.Encoder(order="deterministic")

Json: TypeAlias = Union[str, int, bool, list["Json"], dict[str, "Json"], None]  # noqa: UP007 - recursive


def canonical(value: object) -> bytes:
    """The one way to write `value` as JSON; names are sorted, nothing is escaped that need not be.

    Raises `ValueError` for what has no single canonical form here.
    """
    _check(value)
    return _encoder.encode(value)


def written(value: object) -> bytes:
    """The same, for a value that is known to have a canonical form; nothing is looked at twice."""
    return _encoder.encode(value)


def simple(value: Mapping[str, object]) -> bool:
    """Whether an object holds only texts, flags and small whole numbers under ASCII names: most do, and need no more looking."""
    return all(
        (type(item) in _SIMPLE or (type(item) is int and -_LARGEST <= item <= _LARGEST)) and name.isascii()
        for name, item in value.items()
    )


def plain(value: object) -> Json:
    """`value` in a form that `canonical` accepts: fractions and huge numbers become their decimal string."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -_LARGEST <= value <= _LARGEST else str(value)
        case float():
            return repr(value)
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return str(value)


def _check(value: object) -> None:
    match value:
        case None | bool():
            return
        case str():
            value.encode()
        case int():
            if not -_LARGEST <= value <= _LARGEST:
                raise ValueError(f"{value} is larger than a double holds exactly")
        case dict():
            for key, item in value.items():
                if not key.isascii():
                    raise ValueError(f"the name {key!r} is not ASCII")
                _check(item)
        case list() | tuple():
            for item in value:
                _check(item)
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical form")
