"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

from connectors.contract import Page
from connectors.errors import ConnectorError
from connectors.options import number, protected
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
    return protected(told, "key").rstrip("/")


def units(page: Page) -> int:
    """How many units a pass may spend in a day."""
    return number(page, "units", quota.GRANTED, least=1, most=_MOST_UNITS)


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still asks what answers a comment."""
    return number(page, "answered_within", _ANSWERED_WITHIN, least=0, most=_MOST_DAYS)


def captions(page: Page) -> str:
    """Which captions are wanted."""
    told = page.options.get("captions", NO)
    if told not in {NO, WRITTEN, ALL}:
        raise ConnectorError(f"The option captions must be {NO}, {WRITTEN} or {ALL}, not “{told}”.")
    return told
