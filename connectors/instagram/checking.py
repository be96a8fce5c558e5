"""Says how an account's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from connectors import graph_checks
from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.graph import Asking, NotGiven, TooMuch
from connectors.instagram.asking import Door, Wanted
from connectors.instagram.manifest import SCOPES
from connectors.instagram.place import STORIES, TAGS
from connectors.instagram.reading import Introduced, introduction

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
    yield graph_checks.version(asking, "Instagram")
    try:
        if wanted.door is Door.FACEBOOK:
            yield from graph_checks.token(
                asking, "Meta", "the account", {scope: _FOR[scope] for scope in SCOPES[Door.FACEBOOK]}
            )
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
    yield graph_checks.proven(asking)


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
    return graph_checks.said(refused.why)


def _comments(asking: Asking, account: str) -> Iterator[Finding]:
    """What is shown of comments shows what the application may do."""
    fields = ("id", "comments_count", "comments.limit(5){id,username,from}")
    try:
        found, _ = asking.edge(f"{account}/media", _Below, fields, {"limit": "10"})
    except (NotGiven, TooMuch):
        return
    counted = any(one.what.comments_count for one in found.items)
    shown = graph_checks.comments([one.what.comments for one in found.items])
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
