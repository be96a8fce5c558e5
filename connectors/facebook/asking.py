"""Where a page is asked for, as which version, and how much at once: what a page's options say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors import graph
from connectors.contract import Client, Page
from connectors.errors import ConnectorError, NoSuchPage
from connectors.facebook import address
from connectors.facebook.place import THINGS
from connectors.graph import Asking
from connectors.options import leaves_out, number, protected

_HOW = (
    "Give its address as it stands in a browser, such as https://www.facebook.com/town.police, or its number."
)
_VERSION = re.compile(r"v\d{1,3}\.\d")
_POSTS_AT_ONCE = 25
_MOST_DAYS = 3650
_ANSWERED_WITHIN = 30


def arrive(http: Client, secret: Mapping[str, str] | None, page: Page) -> tuple[Asking, str]:
    """Whom to ask, and for which page."""
    name = address.read(page.address)
    if name is None:
        raise NoSuchPage(f"“{page.address}” names no page on Facebook. {_HOW}")
    base = protected(page.options.get("graph") or graph.GRAPH)
    version = page.options.get("version") or graph.VERSION
    if not _VERSION.fullmatch(version):
        raise ConnectorError(f"The option version must be written as {graph.VERSION}, not “{version}”.")
    return Asking(http, secret, base, version), name


def at_once(page: Page) -> int:
    """How many posts to ask for in one question."""
    return number(page, "page_size", _POSTS_AT_ONCE, least=1, most=100)


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still asks what answers a post."""
    return number(page, "answered_within", _ANSWERED_WITHIN, least=0, most=_MOST_DAYS)


def reads_messages(page: Page) -> bool:
    """Whether private messages are wanted."""
    return page.options.get("messages", "yes") != "no"


def left_out(page: Page) -> frozenset[str]:
    """Lists that the page's own people do not use, and that need not be asked for at every pass."""
    return leaves_out(page, THINGS)
