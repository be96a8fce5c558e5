"""Says how a page's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from connectors import graph_checks
from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.facebook.manifest import SCOPES
from connectors.facebook.reading import introduction
from connectors.graph import Asking, NotGiven, TooMuch

_FOR: Mapping[str, str] = {
    "pages_show_list": "the page is found",
    "pages_read_engagement": "the page's own posts",
    "pages_read_user_content": "posts and comments of visitors",
    "pages_manage_metadata": "settings and blocked people",
    "pages_messaging": "private messages",
}


class _Below(msgspec.Struct):
    """A post with the few fields of its comments that show what we may see of them."""

    id: str
    comments: Any = None


def findings(asking: Asking, name: str, *, messages: bool) -> Iterator[Finding]:
    """Page, version, token, permissions, lists, in the order in which one needs the other."""
    try:
        page = introduction(asking, name)
    except (AccessRevoked, NoSuchPage) as refused:
        yield Finding(what="page and token", fine=False, remedy=str(refused))
        return
    yield Finding(what=f"page {page.author.name if page.author else name} ({page.native_id})", fine=True)
    yield graph_checks.version(asking, "Facebook")
    try:
        yield from graph_checks.token(
            asking, "Facebook", "the page", {scope: _FOR[scope] for scope in SCOPES}
        )
        yield from _lists(asking, page.native_id, messages=messages)
        yield from _comments(asking, page.native_id)
    except AccessRevoked as refused:
        yield Finding(what="token", fine=False, remedy=str(refused))
        return
    yield graph_checks.proven(asking)


def _lists(asking: Asking, page: str, *, messages: bool) -> Iterator[Finding]:
    edges = {
        "posts": ("published_posts", ("id",)),
        "posts of visitors": ("visitor_posts", ("id",)),
        "posts that name the page": ("tagged", ("id",)),
        "settings and word filters": ("settings", ("setting",)),
        "blocked people": ("blocked", ("id",)),
        "recommendations": ("ratings", ("created_time",)),
    }
    if messages:
        edges["messages"] = ("conversations", ("id",))
    for what, (edge, fields) in edges.items():
        try:
            asking.get(f"{page}/{edge}", {"fields": ",".join(fields), "limit": "1"})
        except NotGiven as refused:
            yield Finding(what=what, fine=False, remedy=_remedy(refused))
        else:
            yield Finding(what=what, fine=True)


def _remedy(refused: NotGiven) -> str:
    if refused.not_offered:
        return (
            "This version of Facebook's interface does not show it to any application. Keep it by hand: when it "
            "changes, write down what it is, and import that."
        )
    return graph_checks.said(refused.why)


def _comments(asking: Asking, page: str) -> Iterator[Finding]:
    """What is shown of comments shows what the application and whoever connected the page may do."""
    fields = ("id", "comments.filter(stream).limit(5){id,from,can_hide}")
    try:
        found, _ = asking.edge(f"{page}/published_posts", _Below, fields, {"limit": "10"})
    except (NotGiven, TooMuch):
        return
    shown = graph_checks.comments([one.what.comments for one in found.items])
    if not shown:
        return
    named = any(isinstance(one.get("from"), dict) for one in shown)
    yield Finding(
        what="who wrote comments",
        fine=named,
        remedy=""
        if named
        else "Facebook shows comments without their writers. Give the people who manage the page a role in the "
        "application, or ask Meta for Advanced Access to pages_read_user_content (App Review).",
    )
    moderates = any(one.get("can_hide") for one in shown)
    yield Finding(
        what="the task Moderate on the page",
        fine=moderates,
        remedy=""
        if moderates
        else "Whoever the token speaks for may not moderate, and may not be shown what is hidden. In Business settings, "
        "assign the page to them with Community activity.",
    )
