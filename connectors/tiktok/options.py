"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

import re
from enum import StrEnum

from connectors.contract import Page
from connectors.errors import ConnectorError
from connectors.options import number, protected


class Way(StrEnum):
    """The two interfaces that an account can be read by. Each has a portal, an application and a permission of its own."""

    ACCOUNTS = "accounts"
    """The TikTok API for Business: videos, comments with their answers, hidden ones among them."""
    DISPLAY = "display"
    """The Display API: what is public of the account and its videos, and no comments."""


BASES = {
    Way.ACCOUNTS: "https://business-api.tiktok.com/open_api/v1.3",
    Way.DISPLAY: "https://open.tiktokapis.com/v2",
}

RATE = 600
"""So many questions TikTok permits an application in any one minute, unless more was granted."""

_ANSWERED_WITHIN = 30
_MOST_DAYS = 3650
_IDENTITY = re.compile(r"[\w-]{8,128}", re.ASCII)


def way(page: Page) -> Way:
    """By which interface the account is read."""
    told = page.options.get("door", Way.ACCOUNTS)
    if told not in set(Way):
        raise ConnectorError(f"The option door must be {' or '.join(Way)}, not “{told}”.")
    return Way(told)


def base(page: Page) -> str:
    """Where the interface is asked for; nowhere that a token would travel to in clear."""
    told = page.options.get("api") or BASES[way(page)]
    return protected(told).rstrip("/")


def rate(page: Page) -> int:
    """How many questions may be asked in a minute."""
    return number(page, "rate", RATE, least=1, most=1_000_000)


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still asks what answers a video or a comment."""
    return number(page, "answered_within", _ANSWERED_WITHIN, least=0, most=_MOST_DAYS)


def business(page: Page) -> str:
    """The account's id for the application, where somebody entered it; else TikTok is asked."""
    told = page.options.get("business_id", "")
    if told and not _IDENTITY.fullmatch(told):
        raise ConnectorError(
            f"The option business_id must be the open_id that came with the token, not “{told}”."
        )
    return told
