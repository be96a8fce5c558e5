"""Says how a page's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors import graph
from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.facebook.manifest import SCOPES
from connectors.facebook.reading import introduction, token_told
from connectors.graph import Asking, NotGiven, TooMuch, moment

_BEFORE_ITS_END = timedelta(days=30)
_BEFORE_A_VERSION_ENDS = timedelta(days=183)
_AGAIN = "Generate a new token and connect the page again."

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
    yield _version(asking)
    try:
        yield from _token(asking)
        yield from _lists(asking, page.native_id, messages=messages)
        yield from _comments(asking, page.native_id)
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
            remedy=f"Facebook answers as {answers}: {asked} has ended. Upgrade Muniment, or set the option `version`.",
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
    told = token_told(asking)
    if told is None:
        yield Finding(
            what="what the token permits",
            fine=False,
            remedy="Facebook does not tell. Look it up in Meta's Access Token Debugger.",
        )
        return
    if not told.is_valid:
        yield Finding(what="token", fine=False, remedy=f"Facebook says that it is not valid. {_AGAIN}")
        return
    yield Finding(
        what=f"signed in as {told.type.lower() or 'somebody'} of {told.application or 'an application'}",
        fine=True,
    )
    yield _ends(f"token ({told.type.lower() or 'of unknown kind'})", told.expires_at, asking.now())
    yield _ends("access to people's data", told.data_access_expires_at, asking.now())
    for scope in SCOPES:
        fine = scope in told.scopes
        remedy = (
            f"The token was made without it. Generate one that has it, and connect the page again: {scope}."
        )
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
    return f"{refused.why[0].upper()}{refused.why[1:]}."


def _comments(asking: Asking, page: str) -> Iterator[Finding]:
    """What is shown of comments shows what the application and whoever connected the page may do."""
    fields = ("id", "comments.filter(stream).limit(5){id,from,can_hide}")
    try:
        found, _ = asking.edge(f"{page}/published_posts", _Below, fields, {"limit": "10"})
    except (NotGiven, TooMuch):
        return
    shown = [
        one
        for seen in found.items
        if isinstance(seen.what.comments, dict)
        for one in seen.what.comments.get("data") or ()
        if isinstance(one, dict)
    ]
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
