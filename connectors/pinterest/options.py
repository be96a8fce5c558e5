"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

from connectors.contract import Page
from connectors.errors import ConnectorError
from connectors.options import number, protected

API = "https://api.pinterest.com/v5"

AT_ONCE = 100
MOST_AT_ONCE = 250


def base(page: Page) -> str:
    """Where the interface is asked for; nowhere that a token would travel to in clear."""
    told = page.options.get("api") or API
    return protected(told).rstrip("/")


def at_once(page: Page) -> int:
    """How many boards, sections or pins to ask for in one question."""
    return number(page, "page_size", AT_ONCE, least=1, most=MOST_AT_ONCE)


def metrics(page: Page) -> bool:
    """Whether pins are asked for with what Pinterest counts of them."""
    told = page.options.get("metrics", "yes")
    if told not in {"yes", "no"}:
        raise ConnectorError(f"The option metrics must be yes or no, not “{told}”.")
    return told == "yes"


def ad_account(page: Page) -> str:
    """The advertising account through whose roles the agency's account is read; empty where it signs in itself."""
    told = page.options.get("ad_account", "")
    if told and not (told.isascii() and told.isdecimal()):
        raise ConnectorError(f"The option ad_account must be the account's number, not “{told}”.")
    return told
