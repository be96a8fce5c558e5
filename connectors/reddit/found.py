"""The page as we reach it: which subreddit or account it is, and whether we are shown what its moderators see."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.contract import Observation
from connectors.errors import ConnectorError, NoSuchPage, UnexpectedResponse
from connectors.http import decoded
from connectors.pieces import Malformed
from connectors.reddit import parse, reading, refusals
from connectors.reddit.address import Address
from connectors.reddit.asking import Asking
from connectors.reddit.refusals import NotGiven
from connectors.reddit.shapes import T2, T5

HOW = (
    "Give its address as it stands in a browser, such as https://www.reddit.com/r/townpolice for a subreddit, or "
    "https://www.reddit.com/user/townpolice for an account."
)


@dataclass(frozen=True, slots=True)
class Found:
    """The page; `moderator` says that whoever connected it moderates the subreddit."""

    named: Address
    id: str
    moderator: bool
    introduction: Observation


def find(asking: Asking, named: Address, known: str = "") -> Found:
    """Ask for the page's introduction.

    `known` is its full name as it was. That Reddit does not show it makes
    nothing gone: it may be private, banned, or suspended.
    """
    try:
        exchange = asking.get(f"{named.path}/about")
    except NotGiven as refused:
        raise refusals.of_the_page(refused, _called(named), HOW) from refused
    body = decoded(exchange)
    try:
        found = _subreddit(asking, named, body) if named.is_subreddit else _account(asking, named, body)
    except Malformed as fault:
        if reading.is_listing(body):
            raise NoSuchPage(f"Reddit knows no {_called(named)}. {HOW}") from fault
        raise UnexpectedResponse(f"{exchange.url}: {fault}.") from fault
    if known and found.id != known:
        raise NoSuchPage(
            f"{_called(named)} is another one by now ({found.id}, it was {known}). Add it as a page of its own."
        )
    return found


def _subreddit(asking: Asking, named: Address, body: bytes) -> Found:
    seen = reading.one(body, asking.last, T5)
    told = seen.what.data
    return Found(named, told.name, asking.signed_in and bool(told.user_is_moderator), parse.subreddit(seen))


def _account(asking: Asking, named: Address, body: bytes) -> Found:
    seen = reading.one(body, asking.last, T2)
    if seen.what.data.is_suspended or not seen.what.data.id:
        raise _suspended(named)
    return Found(named, f"t2_{seen.what.data.id}", False, parse.account(seen))


def _suspended(named: Address) -> ConnectorError:
    return NoSuchPage(
        f"Reddit has suspended {_called(named)}, and shows nothing of it. That proves no deletion of what it published."
    )


def _called(named: Address) -> str:
    return f"r/{named.name}" if named.is_subreddit else f"u/{named.name}"
