"""Says how an account's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors import graph
from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.graph import Asking, NotGiven, TooMuch, moment
from connectors.instagram.asking import Door, Wanted
from connectors.instagram.manifest import SCOPES
from connectors.instagram.place import STORIES, TAGS
from connectors.instagram.reading import Introduced, introduction

_BEFORE_ITS_END = timedelta(days=30)
_BEFORE_A_VERSION_ENDS = timedelta(days=183)
_AGAIN = "Generate a new token and connect the account again."

_FOR: Mapping[str, str] = {
    "instagram_basic": "the account and its posts",
    "instagram_manage_comments": "comments",
    "instagram_manage_messages": "private messages",
    "pages_show_list": "the page on Facebook is found",
    "pages_read_engagement": "the account is reached through its page",
}


class _Below(msgspec.Struct):
    """A post with the few fields of its comments that show what we may see of them."""

    id: str
    comments_count: int | None = None
    comments: Any = None


def findings(asking: Asking, wanted: Wanted, *, messages: bool) -> Iterator[Finding]:
    """Account, version, token, permissions, lists, in the order in which one needs the other."""
    try:
        account = introduction(asking, wanted)
    except (AccessRevoked, NoSuchPage) as refused:
        yield Finding(what="account and token", fine=False, remedy=str(refused))
        return
    yield Finding(what=f"account {account.username} ({account.number})", fine=True)
    yield _version(asking)
    try:
        if wanted.door is Door.FACEBOOK:
            yield from _token(asking)
        else:
            what = (
                "token of the account: it ends sixty days after it was made, and Instagram does not tell when"
            )
            yield Finding(what=what, fine=True)
        yield from _lists(asking, account, wanted.door, messages=messages)
        yield from _comments(asking, account.number)
    except AccessRevoked as refused:
        yield Finding(what="token", fine=False, remedy=str(refused))
        return
    yield Finding(
        what="application's secret",
        fine=asking.proves,
        remedy=""
        if asking.proves
        else "Enter the application's secret too (App settings > Basic), and then switch on “Require app secret”: a "
        "token that was stolen is then worth nothing.",
    )


def _version(asking: Asking) -> Finding:
    asked, answers = asking.version, asking.answered_as
    what = f"version {asked} of the interface"
    if answers is not None:
        return Finding(
            what=what,
            fine=False,
            remedy=f"Instagram answers as {answers}: {asked} has ended. Upgrade Muniment, or set the option `version`.",
        )
    ends = graph.ENDS.get(asked)
    if ends is not None and ends - asking.now().date() < _BEFORE_A_VERSION_ENDS:
        return Finding(
            what=what,
            fine=False,
            remedy=f"Meta ends it on {ends}. Upgrade Muniment before, or set `version`.",
        )
    return Finding(what=what, fine=True)


def _token(asking: Asking) -> Iterator[Finding]:
    told = asking.token_told()
    if told is None:
        yield Finding(
            what="what the token permits",
            fine=False,
            remedy="Meta does not tell. Look it up in Meta's Access Token Debugger.",
        )
        return
    if not told.is_valid:
        yield Finding(what="token", fine=False, remedy=f"Meta says that it is not valid. {_AGAIN}")
        return
    yield Finding(
        what=f"signed in as {told.type.lower() or 'somebody'} of {told.application or 'an application'}",
        fine=True,
    )
    yield _ends(f"token ({told.type.lower() or 'of unknown kind'})", told.expires_at, asking.now())
    yield _ends("access to people's data", told.data_access_expires_at, asking.now())
    for scope in SCOPES[Door.FACEBOOK]:
        fine = scope in told.scopes
        remedy = f"The token was made without it. Generate one that has it, and connect the account again: {scope}."
        yield Finding(what=f"{_FOR[scope]}: {scope}", fine=fine, remedy="" if fine else remedy)


def _ends(what: str, at: int | None, now: datetime) -> Finding:
    """When something ends; 0 stands for never."""
    until = moment(at) if at else None
    if until is None:
        return Finding(what=f"{what}, without an end", fine=True)
    if until - now > _BEFORE_ITS_END:
        return Finding(what=f"{what}, until {until:%Y-%m-%d}", fine=True)
    return Finding(
        what=f"{what}, until {until:%Y-%m-%d}",
        fine=False,
        remedy=f"It ends then. {_AGAIN} One of a system user can be made so that it does not end.",
    )


def _lists(asking: Asking, account: Introduced, door: Door, *, messages: bool) -> Iterator[Finding]:
    edges: dict[str, tuple[str, dict[str, str]]] = {
        "posts": (f"{account.number}/media", {}),
        "stories": (f"{account.number}/{STORIES}", {}),
    }
    if door is Door.FACEBOOK:
        edges["posts that the account is tagged in"] = (f"{account.number}/{TAGS}", {})
    if messages:
        edges["messages"] = (f"{account.owner or account.number}/conversations", {"platform": "instagram"})
    for what, (path, more) in edges.items():
        try:
            asking.get(path, {**more, "fields": "id", "limit": "1"})
        except NotGiven as refused:
            yield Finding(what=what, fine=False, remedy=_remedy(refused))
        else:
            yield Finding(what=what, fine=True)


def _remedy(refused: NotGiven) -> str:
    if refused.not_offered:
        return (
            "This version of Instagram's interface does not show it by this door. Where the agency needs it, connect the "
            "account by the other one (option `door`)."
        )
    return f"{refused.why[0].upper()}{refused.why[1:]}."


def _comments(asking: Asking, account: str) -> Iterator[Finding]:
    """What is shown of comments shows what the application may do."""
    fields = ("id", "comments_count", "comments.limit(5){id,username,from}")
    try:
        found, _ = asking.edge(f"{account}/media", _Below, fields, {"limit": "10"})
    except (NotGiven, TooMuch):
        return
    counted = any(one.what.comments_count for one in found.items)
    shown = [
        one
        for seen in found.items
        if isinstance(seen.what.comments, dict)
        for one in seen.what.comments.get("data") or ()
        if isinstance(one, dict)
    ]
    if not counted:
        return
    yield Finding(
        what="comments are shown",
        fine=bool(shown),
        remedy=""
        if shown
        else "Instagram counts comments and shows none. Give whoever manages the account a role in the application, or "
        "ask Meta for Advanced Access to instagram_manage_comments (App Review).",
    )
    if shown:
        named = any(one.get("username") or isinstance(one.get("from"), dict) for one in shown)
        yield Finding(
            what="who wrote comments",
            fine=named,
            remedy=""
            if named
            else "Instagram shows comments without their writers. Generate a token with instagram_manage_comments, and "
            "connect the account again.",
        )
