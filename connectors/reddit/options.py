"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from connectors.contract import Page
from connectors.errors import AddressRefused, ConnectorError

API, SITE = "https://oauth.reddit.com", "https://www.reddit.com"
ANSWERED_WITHIN = 30
_MOST_DAYS = 3650


def base(page: Page) -> str:
    """Where the interface is asked for; nowhere that a token would travel to in clear."""
    return _protected(page.options.get("api") or API)


def site(page: Page) -> str:
    """Where an application asks for its token."""
    return _protected(page.options.get("site") or SITE)


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still reads what answers a submission."""
    written = page.options.get("answered_within", str(ANSWERED_WITHIN))
    if not (written.isascii() and written.isdecimal()) or int(written[:9]) > _MOST_DAYS:
        raise ConnectorError(
            f"The option answered_within must be a number from 0 to {_MOST_DAYS}, not “{written}”."
        )
    return int(written)


def speakers(page: Page) -> frozenset[str]:
    """The names of those who speak for the agency, in lower case."""
    told = page.options.get("accounts", "").split(",")
    return frozenset(name.strip().lower().removeprefix("u/") for name in told if name.strip())


def _protected(told: str) -> str:
    if not _keeps_secrets(told):
        raise AddressRefused(f"{told} is not protected by TLS: the token would travel in clear.")
    return told.rstrip("/")


def _keeps_secrets(told: str) -> bool:
    parts = urlsplit(told)
    if parts.scheme == "https":
        return True
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
