"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

import re

from connectors.contract import Page
from connectors.errors import ConnectorError
from connectors.linkedin import versions
from connectors.options import number, protected

API = "https://api.linkedin.com/rest"

YES, NO = "yes", "no"

_ANSWERED_WITHIN = 30
_MOST_DAYS = 3650
_PAGE_SIZE = 100
_VERSION = re.compile(r"20\d{2}(?:0[1-9]|1[0-2])")


def base(page: Page) -> str:
    """Where the interface is asked for; nowhere that a token would travel to in clear."""
    told = page.options.get("api") or API
    return protected(told).rstrip("/")


def version(page: Page) -> str:
    """As which version the interface is asked."""
    told = page.options.get("version") or versions.OURS
    if not _VERSION.fullmatch(told):
        raise ConnectorError(
            f"The option version must be a year and a month, such as {versions.OURS}, not “{told}”."
        )
    return told


def page_size(page: Page) -> int:
    """How many items of a list are asked for at once; two at least, since answers overlap by one."""
    return number(page, "page_size", _PAGE_SIZE, least=2, most=_PAGE_SIZE)


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still asks what answers a post."""
    return number(page, "answered_within", _ANSWERED_WITHIN, least=0, most=_MOST_DAYS)


def names(page: Page) -> bool:
    """Whether the names of those who comment are asked for."""
    return _whether(page, "names", NO)


def notices(page: Page) -> bool:
    """Whether LinkedIn is asked what it has to tell by itself."""
    return _whether(page, "notices", YES)


def drafts(page: Page) -> bool:
    """Whether posts that are not published are read as well."""
    return _whether(page, "drafts", NO)


def _whether(page: Page, name: str, usual: str) -> bool:
    told = page.options.get(name, usual)
    if told not in {YES, NO}:
        raise ConnectorError(f"The option {name} must be {YES} or {NO}, not “{told}”.")
    return told == YES
