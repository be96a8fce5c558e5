"""Says how a page's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Finding
from connectors.errors import AccessRevoked
from connectors.mastodon import parse, server
from connectors.mastodon.asking import Asking, NotGiven

_AGAIN = "Connect the page again and permit it."

_PERMISSIONS = (
    ("statuses that name the account, and messages", "read:notifications", "/api/v1/notifications"),
    ("word filters", "read:filters", "/api/v2/filters"),
    ("blocked accounts and servers", "read:blocks", "/api/v1/blocks"),
    ("muted accounts", "read:mutes", "/api/v1/mutes"),
)


def findings(asking: Asking, acct: str) -> Iterator[Finding]:
    """Server, account, token, permissions, stream, in the order in which one needs the other."""
    yield from _server(asking)
    try:
        account = asking.one("/api/v1/accounts/lookup", parse.Account, {"acct": acct}).what
    except NotGiven as refused:
        what = "permission read:accounts" if refused.lacks_permission else "account"
        yield Finding(what=what, fine=False, remedy=str(server.no_such(asking, acct, refused)))
        return
    except AccessRevoked as refused:
        yield Finding(what="token" if asking.connected else "public reading", fine=False, remedy=str(refused))
        return
    yield from _account(account)
    if not asking.connected:
        yield Finding(
            what="connection",
            fine=False,
            remedy="Only what is public is captured, and at most 60 answers of a thread. Connect the page with the "
            "account itself for messages, mentions, filters and what is for followers only.",
        )
        return
    yield from _token(asking, account)


def _server(asking: Asking) -> Iterator[Finding]:
    for path in ("/api/v2/instance", "/api/v1/instance"):
        try:
            told = asking.one(path, parse.Instance, openly=True).what
        except (NotGiven, AccessRevoked):
            continue
        yield Finding(what=f"server {asking.origin}, {told.version or 'which tells no version'}", fine=True)
        return
    yield Finding(
        what=f"server {asking.origin}",
        fine=False,
        remedy="It does not say what it is. If it is no Mastodon server and speaks no compatible interface, the page "
        "cannot be captured with this connector.",
    )


def _account(account: parse.Account) -> Iterator[Finding]:
    yield Finding(
        what=f"account @{account.acct}",
        fine=not account.suspended,
        remedy="The server has suspended the account. Ask its administrator." if account.suspended else "",
    )
    moved = parse.moved_to(account)
    if moved:
        yield Finding(
            what="the account has moved", fine=False, remedy=f"Add {moved} as a page, and keep this one."
        )
    if account.limited:
        yield Finding(
            what="the server has limited the account",
            fine=False,
            remedy="It is shown to fewer people than before. Ask the server's administrator why.",
        )


def _token(asking: Asking, account: parse.Account) -> Iterator[Finding]:
    try:
        me = asking.one("/api/v1/accounts/verify_credentials", parse.Account).what
    except NotGiven as refused:
        yield Finding(what="permission read:accounts", fine=False, remedy=f"{_refused(refused)} {_AGAIN}")
    except AccessRevoked as refused:
        yield Finding(what="token", fine=False, remedy=str(refused))
        return
    else:
        ours = me.id == account.id
        remedy = f"Sign out, sign in as @{account.acct} itself, and connect the page again."
        yield Finding(what=f"token of @{me.acct}", fine=ours, remedy="" if ours else remedy)
    statuses = ("statuses, messages among them", "read:statuses", f"/api/v1/accounts/{account.id}/statuses")
    for what, scope, path in (statuses, *_PERMISSIONS):
        try:
            asking.json(path, {"limit": "1"})
        except NotGiven as refused:
            yield Finding(what=f"{what}: {scope}", fine=False, remedy=f"{_refused(refused)} {_AGAIN}")
        else:
            yield Finding(what=f"{what}: {scope}", fine=True)
    answer = asking.get(asking.url("/api/v1/streaming/health"))
    fine = answer.status == 200 and b"OK" in answer.body[:16]
    remedy = "The server does not tell things as they happen; passes see them later. Its administrator can switch it on."
    yield Finding(what="stream", fine=fine, remedy="" if fine else remedy)


def _refused(refused: NotGiven) -> str:
    return f"The server answers {refused}."
