"""Which channel, as a person wrote it: `https://www.youtube.com/@townpolice`, `/channel/UC…`, `/user/name`, `@townpolice`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from connectors.naming import steps

CHANNEL = re.compile(r"UC[\w-]{22}")
VIDEO = re.compile(r"[\w-]{11}")

_HOSTS = re.compile(r"(?:(?:www|m)\.)?youtube\.com")
_HANDLE = re.compile(r"@[^\s/?#@]{1,60}")
_NAME = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Address:
    """How YouTube is asked for the channel: the parameter of `channels.list`, and its value."""

    by: str
    name: str


def read(written: str) -> Address | None:
    """The channel that `written` names; None where it names none that the interface can be asked for.

    Addresses of the old form `/c/name` are among those: the interface finds
    them by search alone, which may find somebody else.
    """
    text = written.strip()
    if CHANNEL.fullmatch(text):
        return Address("id", text)
    if _HANDLE.fullmatch(text):
        return Address("forHandle", text)
    match [unquote(step) for step in steps(text, _HOSTS) or ()]:
        case ["channel", name, *_] if CHANNEL.fullmatch(name):
            return Address("id", name)
        case ["user", name, *_] if _NAME.fullmatch(name):
            return Address("forUsername", name)
        case [handle, *_] if _HANDLE.fullmatch(handle):
            return Address("forHandle", handle)
        case _:
            return None
