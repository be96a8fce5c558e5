"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

import re

from connectors.contract import Page
from connectors.errors import ConnectorError, NoSuchPage
from connectors.nextdoor import address, routes
from connectors.nextdoor.address import Address
from connectors.options import protected

_NUMBER = re.compile(r"[0-9]{1,18}")
_PROFILE = re.compile(r"[\w=+/.-]{1,200}", re.ASCII)
_STATE = re.compile(r"[\w-]{1,60}", re.ASCII)
_HOW = (
    "Give its address as it stands in a browser, such as "
    "https://nextdoor.com/agency-detail/ca/harrow-falls/harrow-falls-police/."
)


def named(page: Page) -> Address:
    """Which agency."""
    found = address.read(page.address)
    if found is None:
        raise NoSuchPage(f"“{page.address}” names no agency on Nextdoor. {_HOW}")
    return found


def base(page: Page, where: Address) -> str:
    """Where the interface is asked for: at the host of the agency's country, if nothing else is said."""
    return protected(page.options.get("api") or f"https://{where.host}").rstrip("/")


def auth(page: Page) -> str:
    """Where an application asks for its token."""
    return protected(page.options.get("auth") or routes.AUTH).rstrip("/")


def profile(page: Page) -> str:
    """Which profile of an account that has several; empty for the one it has signed in with."""
    return _matching(page, "profile", _PROFILE, "the id of a profile, as the check lists them")


def reads_areas(page: Page) -> bool:
    """Whether the areas that the agency may address are asked for."""
    told = page.options.get("areas", "yes")
    if told not in {"yes", "no"}:
        raise ConnectorError(f"The option areas must be yes or no, not “{told}”.")
    return told == "yes"


def agency(page: Page) -> str:
    """The agency's number in the public feed; empty where it is found by its address."""
    return _matching(page, "agency", _NUMBER, "a number")


def state(page: Page, where: Address) -> str:
    """The state in whose list of agencies this one stands."""
    found = _matching(page, "state", _STATE, "a state as Nextdoor writes it, such as ca") or where.state
    if not found:
        raise NoSuchPage(f"“{page.address}” does not tell the agency's state. {_HOW}")
    return found


def scope(page: Page) -> str:
    """What an application asks for to read the public feed."""
    return page.options.get("scope") or routes.FEED_SCOPE


def _matching(page: Page, name: str, pattern: re.Pattern[str], what: str) -> str:
    written = page.options.get(name, "")
    if written and not pattern.fullmatch(written):
        raise ConnectorError(f"The option {name} must be {what}, not “{written}”.")
    return written
