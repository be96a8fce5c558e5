"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

from urllib.parse import urlsplit

from connectors.contract import Page
from connectors.errors import AddressRefused

SITE = "https://www.snapchat.com"


def site(page: Page) -> str:
    """Where the profile's page is asked for."""
    told = (page.options.get("site") or SITE).rstrip("/")
    try:
        parts = urlsplit(told)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressRefused(f"The option site must be an address such as {SITE}, not “{told}”.")
    return told
