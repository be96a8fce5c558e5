"""Says how an account's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

from connectors import graph_checks
from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.graph import Asking, NotGiven, TooMuch
from connectors.threads.manifest import SCOPES
from connectors.threads.place import GHOSTS, MENTIONS, OWN_REPLIES, POSTS
from connectors.threads.reading import introduction
from connectors.threads.shapes import Media

_BEFORE_ITS_END = timedelta(days=21)
_AGAIN = "Generate a new token and connect the account again."

_FOR: Mapping[str, str] = {
    "threads_basic": "the account and its posts",
    "threads_read_replies": "what answers them",
    "threads_manage_mentions": "posts that name the account",
}
_LISTS: Mapping[str, str] = {
    "posts": POSTS,
    "ghost posts": GHOSTS,
    "posts that name the account": MENTIONS,
    "the account's own answers": OWN_REPLIES,
}


def findings(asking: Asking, name: str, left_out: Collection[str]) -> Iterator[Finding]:
    """Account, token, permissions, lists, in the order in which one needs the other."""
    try:
        account = introduction(asking, name)
    except (AccessRevoked, NoSuchPage) as refused:
        yield Finding(what="account and token", fine=False, remedy=str(refused))
        return
    yield Finding(what=f"account {account.username} ({account.number})", fine=True)
    try:
        yield from _token(asking, left_out)
        yield from _lists(asking, account.number, left_out)
        yield from _answers(asking, account.number)
    except AccessRevoked as refused:
        yield Finding(what="token", fine=False, remedy=str(refused))
        return
    yield graph_checks.proven(asking)


def _token(asking: Asking, left_out: Collection[str]) -> Iterator[Finding]:
    told = asking.token_told()
    if told is None:
        yield Finding(
            what="what the token permits",
            fine=False,
            remedy="Threads does not tell: it does so for testers of the application. Add the account as a tester, or "
            "look it up in Meta's Access Token Debugger.",
        )
        return
    if not told.is_valid:
        yield Finding(what="token", fine=False, remedy=f"Threads says that it is not valid. {_AGAIN}")
        return
    yield Finding(what=f"signed in to {told.application or 'an application'}", fine=True)
    yield graph_checks.ends(
        "token", told.expires_at, asking.now(), f"It ends then. {_AGAIN}", _BEFORE_ITS_END
    )
    for scope in SCOPES:
        if scope == "threads_manage_mentions" and MENTIONS in left_out:
            continue
        yield graph_checks.permits(told, scope, _FOR[scope], "the account")


def _lists(asking: Asking, account: str, left_out: Collection[str]) -> Iterator[Finding]:
    for what, edge in _LISTS.items():
        if edge in left_out:
            continue
        try:
            asking.get(f"{account}/{edge}", {"fields": "id", "limit": "1"})
        except NotGiven as refused:
            yield Finding(what=what, fine=False, remedy=_remedy(refused, edge))
        else:
            yield Finding(what=what, fine=True)


def _remedy(refused: NotGiven, edge: str) -> str:
    if edge == POSTS:
        return graph_checks.said(refused.why)
    if refused.not_offered:
        return f"The interface of Threads does not show it to this application. Set the option `leave_out` to {edge}."
    return f"{refused.why[0].upper()}{refused.why[1:]}, or set the option `leave_out` to {edge}."


def _answers(asking: Asking, account: str) -> Iterator[Finding]:
    """What is shown of a conversation shows what the application may do."""
    try:
        found, _ = asking.edge(f"{account}/{POSTS}", Media, ("id", "has_replies"), {"limit": "25"})
        answered = next((one.what.id for one in found.items if one.what.has_replies), None)
        if answered is None:
            return
        below, _ = asking.edge(f"{answered}/conversation", Media, ("id", "username"), {"limit": "5"})
    except (NotGiven, TooMuch) as refused:
        why = refused.why if isinstance(refused, NotGiven) else "Threads could not gather it"
        yield Finding(what="what answers posts", fine=False, remedy=graph_checks.said(why))
        return
    shown = bool(below.items)
    yield Finding(
        what="what answers posts",
        fine=shown,
        remedy=""
        if shown
        else "Threads says that a post was answered, and shows nothing of it. Generate a token with "
        "threads_read_replies, and connect the account again.",
    )
