"""The account as we reach it: on which server it lives, whose token we bear, what that may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.contract import Client, Page
from connectors.errors import AccessRevoked, AddressRefused, NoSuchPage
from connectors.http import decoded
from connectors.mastodon import address, parse
from connectors.mastodon.asking import Asking, NotGiven, lacking
from connectors.pieces import Seen

_HOW = "Give it as it stands in a browser, such as https://town.example/@police, or as @police@town.example."


@dataclass(frozen=True, slots=True)
class Found:
    """The account, and as whom we read it: `owner` is the account itself where we are signed in as it.

    `signed_in_as` is whose the token is, empty where the server does not say.
    """

    account: Seen[parse.Account]
    owner: Seen[parse.Account] | None
    signed_in_as: str = ""

    @property
    def somebody_else(self) -> str:
        """For an officer, where it is not known that the token is the account's own: what is wrong, and what to do."""
        if self.signed_in_as:
            return (
                f"the token is that of @{self.signed_in_as}, not of the page's own account: connect the page with the "
                "account itself"
            )
        return (
            "the server does not say whose the token is: connect the page with the account itself, and permit "
            "read:accounts"
        )

    @property
    def id(self) -> str:
        return self.account.what.id


def arrive(http: Client, secret: Mapping[str, str] | None, page: Page) -> tuple[Asking, str]:
    """Where to ask, and for whom: the server of the page's address, and the account's name there.

    A handle may name a domain whose server bears another name; the domain
    itself says which. Our token goes only to an origin that somebody wrote down.
    """
    where = address.read(page.address)
    if where is None:
        raise NoSuchPage(f"“{page.address}” names no account. {_HOW}")
    asking = Asking(http, where.origin, secret)
    if asking.connected and not where.keeps_secrets:
        raise AddressRefused(
            f"{where.origin} is not protected by TLS: the token would travel in clear. Give the https address."
        )
    if where.by_handle:
        _ask_the_domain(asking, where)
    return asking, where.acct


def _ask_the_domain(asking: Asking, where: address.Address) -> None:
    with asking:
        answer = asking.get(where.webfinger, openly=True)
        named = parse.self_link(decoded(answer)) if answer.status == 200 else None
        origin = address.origin_of(named) if named else None
        if origin is None or origin == where.origin:
            return
        if asking.connected:
            raise AddressRefused(
                f"{where.origin} says that the account lives on {origin}. If that is right, give its address there as "
                "the page's own: the token is not sent to a host that nobody named."
            )
        asking.origin = origin


def find(asking: Asking, acct: str) -> Found:
    """Ask for the account and, with a token, for whom it was made. `NotGiven` where there is no such account."""
    account = asking.one("/api/v1/accounts/lookup", parse.Account, {"acct": acct})
    if not asking.connected:
        return Found(account, None)
    try:
        me = asking.one("/api/v1/accounts/verify_credentials", parse.Account)
    except NotGiven:
        # Somebody else's would show that one's messages, and hide what is for the account's followers.
        return Found(account, None)
    return Found(account, me if me.what.id == account.what.id else None, me.what.acct)


def no_such(asking: Asking, acct: str, refused: NotGiven) -> NoSuchPage | AccessRevoked:
    """That the account is not shown, and what an officer can do about it."""
    if refused.lacks_permission:
        return lacking(asking.origin, "the account", "read:accounts", refused)
    return NoSuchPage(f"{asking.origin} has no account “{acct}” ({refused.status} {refused.words}). {_HOW}")
