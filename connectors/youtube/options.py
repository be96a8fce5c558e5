"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from connectors.contract import Page
from connectors.errors import AddressRefused, ConnectorError
from connectors.youtube import quota

API = "https://www.googleapis.com/youtube/v3"

NO, WRITTEN, ALL = "no", "written", "all"
"""Which captions are read: none, those that a person wrote, the machine's own as well."""

_ANSWERED_WITHIN = 30
_MOST_DAYS = 3650
_MOST_UNITS = 10_000_000


def base(page: Page) -> str:
    """Where the interface is asked for; nowhere that a key would travel to in clear."""
    told = page.options.get("api") or API
    if not _keeps_secrets(told):
        raise AddressRefused(f"{told} is not protected by TLS: the key would travel in clear.")
    return told.rstrip("/")


def units(page: Page) -> int:
    """How many units a pass may spend in a day."""
    return _number(page, "units", quota.GRANTED, least=1, most=_MOST_UNITS)


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still asks what answers a comment."""
    return _number(page, "answered_within", _ANSWERED_WITHIN, least=0, most=_MOST_DAYS)


def captions(page: Page) -> str:
    """Which captions are wanted."""
    told = page.options.get("captions", NO)
    if told not in {NO, WRITTEN, ALL}:
        raise ConnectorError(f"The option captions must be {NO}, {WRITTEN} or {ALL}, not “{told}”.")
    return told


def _number(page: Page, name: str, usual: int, *, least: int, most: int) -> int:
    written = page.options.get(name, str(usual))
    if not (written.isascii() and written.isdecimal()) or not least <= int(written) <= most:
        raise ConnectorError(f"The option {name} must be a number from {least} to {most}, not “{written}”.")
    return int(written)


def _keeps_secrets(told: str) -> bool:
    parts = urlsplit(told)
    if parts.scheme == "https":
        return True
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
