"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

from connectors.contract import Page
from connectors.options import number, protected

API, SITE = "https://oauth.reddit.com", "https://www.reddit.com"
ANSWERED_WITHIN = 30
_MOST_DAYS = 3650


def base(page: Page) -> str:
    """Where the interface is asked for; nowhere that a token would travel to in clear."""
    return protected(page.options.get("api") or API).rstrip("/")


def site(page: Page) -> str:
    """Where an application asks for its token."""
    return protected(page.options.get("site") or SITE).rstrip("/")


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still reads what answers a submission."""
    return number(page, "answered_within", ANSWERED_WITHIN, least=0, most=_MOST_DAYS)


def speakers(page: Page) -> frozenset[str]:
    """The names of those who speak for the agency, in lower case."""
    told = page.options.get("accounts", "").split(",")
    return frozenset(name.strip().lower().removeprefix("u/") for name in told if name.strip())
