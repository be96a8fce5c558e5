"""Where an account is asked for, and how much at once: what a page's options say."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.contract import Client, Page
from connectors.errors import NoSuchPage
from connectors.graph import Asking
from connectors.options import leaves_out, number, protected
from connectors.threads import address
from connectors.threads.place import GHOSTS, MENTIONS, OWN_REPLIES

THREADS = "https://graph.threads.net"
VERSION = "v1.0"
LISTS = (GHOSTS, MENTIONS, OWN_REPLIES)
"""Lists that need not be asked for."""

_HOW = (
    "Give its address as it stands in a browser, such as https://www.threads.com/@town.police, or its name."
)
_POSTS_AT_ONCE = 50
_MOST_DAYS = 3650
_ANSWERED_WITHIN = 30


def arrive(http: Client, secret: Mapping[str, str] | None, page: Page) -> tuple[Asking, str]:
    """Whom to ask, and for which account."""
    name = address.read(page.address)
    if name is None:
        raise NoSuchPage(f"“{page.address}” names no account on Threads. {_HOW}")
    base = protected(page.options.get("graph") or THREADS)
    return Asking(http, secret, base, VERSION), name


def at_once(page: Page) -> int:
    """How many posts to ask for in one question."""
    return number(page, "page_size", _POSTS_AT_ONCE, least=1, most=100)


def answered_within(page: Page) -> int:
    """How many days before its span a pass over a span of time still asks what answers a post."""
    return number(page, "answered_within", _ANSWERED_WITHIN, least=0, most=_MOST_DAYS)


def approves(page: Page) -> bool:
    """Whether the account approves answers before they are shown, so that those which wait are to be asked for."""
    return page.options.get("approvals", "no") == "yes"


def left_out(page: Page) -> frozenset[str]:
    """Lists that the account's people do not use, and that need not be asked for at every pass."""
    return leaves_out(page, LISTS)
