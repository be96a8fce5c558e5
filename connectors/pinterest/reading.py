"""The account as we reach it: which one it is, and whether its secret boards are open to us."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.contract import Client, Page
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.pieces import Seen
from connectors.pinterest import address, options, parse
from connectors.pinterest.asking import Asking
from connectors.pinterest.refusals import NotGiven
from connectors.pinterest.shapes import Account, Board

_HOW = (
    "Give its address as it stands in a browser, such as https://www.pinterest.com/townpolice/, or its name. Addresses "
    "of a pin or a board name no account."
)


def arrive(http: Client, secret: Mapping[str, str] | None, page: Page) -> tuple[Asking, str]:
    """Whom to ask, and for which account."""
    name = address.read(page.address)
    if name is None:
        raise NoSuchPage(f"“{page.address}” names no account on Pinterest. {_HOW}")
    ad_account = options.ad_account(page)
    more = {"ad_account_id": ad_account} if ad_account else {}
    return Asking(http, secret, options.base(page), more), name


def introduction(asking: Asking, name: str, known: str = "") -> Seen[Account]:
    """Ask for the account that signed in; `known` is what it was known by, since a name may change."""
    try:
        seen = asking.one("user_account", Account)
    except NotGiven as refused:
        if refused.forbidden:
            raise AccessRevoked(f"The account is not shown: {refused.why}.") from refused
        raise
    read = seen.what
    if read.username.lower() != name and parse.identity(read) != known:
        raise NoSuchPage(
            f"The permission is that of “{read.username}”, and not of “{name}”. Sign in as the account that is meant, or "
            "correct the page's address; where the account is reached through an advertising account, set the option "
            "ad_account."
        )
    return seen


def secret_boards(asking: Asking) -> str | None:
    """Why secret boards are not shown to us; None where they are, or would be if there were any.

    It is asked after the account was shown: a refusal is then of this
    permission alone, also where Pinterest answers as it does to a dead one.
    """
    try:
        asking.many("boards", Board, {"privacy": "SECRET", "page_size": "1"})
    except NotGiven as refused:
        return refused.why
    except AccessRevoked:
        return "Pinterest refuses it (401) and shows the account: connect the page again and permit it"
    return None
