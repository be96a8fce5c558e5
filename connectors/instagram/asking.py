"""Where an account is asked for, by which of the two doors, and how much at once: what a page's options say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connectors import graph
from connectors.contract import Client, Page
from connectors.errors import ConnectorError, NoSuchPage
from connectors.graph import Asking
from connectors.instagram import address
from connectors.instagram.place import STORIES, TAGS
from connectors.options import leaves_out, number, protected

INSTAGRAM = "https://graph.instagram.com"
LISTS = (STORIES, TAGS)
"""Lists that need not be asked for."""

_HOW = (
    "Give its address as it stands in a browser, such as https://www.instagram.com/town.police, or its name."
)
_VERSION = re.compile(r"v\d{1,3}\.\d")
_POSTS_AT_ONCE = 25
_MOST_DAYS = 3650
_ANSWERED_WITHIN = 30


class Door(StrEnum):
    """Who signed in: somebody who manages the page on Facebook that the account belongs to, or the account itself."""

    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which account is asked for, and how: its name or number, the door, and the page on Facebook where one was named."""

    name: str
    door: Door
    facebook_page: str = ""


def arrive(http: Client, secret: Mapping[str, str] | None, page: Page) -> tuple[Asking, Wanted]:
    """Whom to ask, and for which account."""
    name = address.read(page.address)
    if name is None:
        raise NoSuchPage(f"“{page.address}” names no account on Instagram. {_HOW}")
    written = page.options.get("door", Door.FACEBOOK)
    if written not in set(Door):
        raise ConnectorError(f"The option door must be one of {', '.join(Door)}, not “{written}”.")
    door = Door(written)
    base = protected(page.options.get("graph") or (graph.GRAPH if door is Door.FACEBOOK else INSTAGRAM))
    version = page.options.get("version") or graph.VERSION
    if not _VERSION.fullmatch(version):
        raise ConnectorError(f"The option version must be written as {graph.VERSION}, not “{version}”.")
    facebook_page = page.options.get("facebook_page", "").strip()
    if facebook_page and not re.fullmatch(r"[\w.-]+", facebook_page):
        raise ConnectorError(
            f"The option facebook_page names a page by its name or number, not “{facebook_page}”."
        )
    return Asking(http, secret, base, version), Wanted(name, door, facebook_page)


def at_once(page: Page) -> int:
    """How many posts to ask for in one question."""
    return number(page, "page_size", _POSTS_AT_ONCE, least=1, most=50)


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still asks what answers a post."""
    return number(page, "answered_within", _ANSWERED_WITHIN, least=0, most=_MOST_DAYS)


def reads_messages(page: Page) -> bool:
    """Whether private messages are wanted."""
    return page.options.get("messages", "yes") != "no"


def left_out(page: Page) -> frozenset[str]:
    """Lists that the account's people do not use, and that need not be asked for at every pass."""
    return leaves_out(page, LISTS)
