"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from connectors.contract import Page
from connectors.errors import AddressRefused, ConnectorError

API = "https://api.flickr.com/services/rest/"

GRANTED = 3600
"""So many questions an hour Flickr permits to one key."""


def base(page: Page) -> str:
    """Where the interface is asked for; nowhere that a key would travel to in clear."""
    told = page.options.get("api") or API
    if not _keeps_secrets(told):
        raise AddressRefused(f"{told} is not protected by TLS: the key would travel in clear.")
    return told


def questions(page: Page) -> int:
    """How many questions this page may ask in an hour."""
    written = page.options.get("questions", str(GRANTED))
    if not (written.isascii() and written.isdecimal()) or not 1 <= int(written) <= GRANTED:
        raise ConnectorError(f"The option questions must be a number from 1 to {GRANTED}, not “{written}”.")
    return int(written)


def _keeps_secrets(told: str) -> bool:
    parts = urlsplit(told)
    if parts.scheme == "https":
        return True
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
