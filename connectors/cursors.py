"""Cursors as text. One that cannot be read begins from nothing, which misses nothing."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from connectors.contract import Cursor

P = TypeVar("P", bound=msgspec.Struct)


def written(place: msgspec.Struct) -> Cursor:
    """A place as text, for the archive to keep."""
    return Cursor(msgspec.json.encode(place).decode())


def read(cursor: Cursor | None, shape: type[P]) -> P | None:
    """The place that `cursor` names; None where there is none, or where it cannot be read."""
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(cursor, type=shape)
    except (msgspec.MsgspecError, UnicodeError):
        return None
