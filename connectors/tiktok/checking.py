"""Says how an account's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.tiktok.doors import COMMENTS, VIDEOS, Accounts, Door, Posted
from connectors.tiktok.refusals import NotGiven

_FOR: Mapping[str, str] = {
    "user.info.basic": "the account",
    "user.info.username": "the account's name",
    "user.info.profile": "what it says of itself",
    "user.info.stats": "how many follow it",
    VIDEOS: "its videos",
    COMMENTS: "what answers them, hidden comments too",
}
_PERMIT = (
    "See in TikTok's portal that the application has it, and connect the page again with it. "
    "TikTok may have to approve it first"
)


def findings(door: Door) -> Iterator[Finding]:
    """Token, account, permissions, lists, in the order in which one needs the other."""
    try:
        account = door.introduced()
    except NotGiven as refused:
        yield Finding(what="token", fine=False, remedy=f"{refused}")
        return
    except (AccessRevoked, NoSuchPage) as refused:
        yield Finding(what="account and token", fine=False, remedy=str(refused))
        return
    yield Finding(what=f"account {door.called}", fine=True)
    if not account.named:
        yield Finding(
            what="whose token it is",
            fine=False,
            remedy="TikTok does not tell the account's name with what was permitted, so nothing shows that the token is "
            "that of this account. Permit user.info.profile (Display API) or user.info.username (API for Business).",
        )
    if isinstance(door, Accounts):
        yield from _permitted(door)
    elif account.lacks:
        yield _lacking(", ".join(account.lacks))
    try:
        yield from _lists(door)
    except AccessRevoked as refused:
        yield Finding(what="connection", fine=False, remedy=str(refused))


def _permitted(door: Accounts) -> Iterator[Finding]:
    if door.granted is None:
        yield Finding(
            what="what the token permits",
            fine=False,
            remedy="TikTok was not asked: enter the application's id (client_id) with the token, and the check says which "
            "permission is lacking.",
        )
        return
    for scope, what in _FOR.items():
        yield Finding(what=f"{what}: {scope}", fine=True) if scope in door.granted else _lacking(scope)


def _lacking(scope: str) -> Finding:
    what = f"{_FOR[scope]}: {scope}" if scope in _FOR else scope
    return Finding(what=what, fine=False, remedy=f"The token was made without it. {_PERMIT}.")


def _lists(door: Door) -> Iterator[Finding]:
    try:
        found = door.videos("")
    except NotGiven as refused:
        yield Finding(what="videos", fine=False, remedy=f"{refused} {_PERMIT}.")
        return
    yield Finding(
        what="videos" if found.observed or found.odd else "videos: TikTok lists none yet", fine=True
    )
    if door.comments is not None and found.observed:
        yield _comments(door.comments, found)
    elif not isinstance(door, Accounts):
        yield Finding(what="comments: the Display API has none", fine=True)


def _comments(door: Accounts, found: Posted) -> Finding:
    try:
        door.below(found.observed[0].native_id, "", 0)
    except NotGiven as refused:
        return Finding(what="comments", fine=False, remedy=f"{refused} The permission is {COMMENTS}.")
    return Finding(what="comments", fine=True)
