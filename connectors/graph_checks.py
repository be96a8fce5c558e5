"""What checks of a connection to Meta share: its version, its token, its proof, and what is shown of comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors import graph
from connectors.contract import Finding
from connectors.graph import Asking, Token, moment

_BEFORE_ITS_END = timedelta(days=30)
_BEFORE_A_VERSION_ENDS = timedelta(days=183)


def version(asking: Asking, whose: str) -> Finding:
    """As which version the interface is asked, and whether that goes on."""
    asked, answers = asking.version, asking.answered_as
    what = f"version {asked} of the interface"
    if answers is not None:
        return Finding(
            what=what,
            fine=False,
            remedy=f"{whose} answers as {answers}: {asked} has ended. Upgrade Muniment, or set the option `version`.",
        )
    ends, today = graph.ENDS.get(asked), asking.now().date()
    if ends is not None and ends - today < _BEFORE_A_VERSION_ENDS:
        remedy = f"Meta ends it on {ends}. Upgrade Muniment before, or set `version`."
        if ends <= today:
            remedy = f"Meta ended it on {ends}. Upgrade Muniment, or set the option `version`."
        return Finding(what=what, fine=False, remedy=remedy)
    return Finding(what=what, fine=True)


def token(asking: Asking, whose: str, ours: str, needs: Mapping[str, str]) -> Iterator[Finding]:
    """Whose the token is, when it ends, and what it permits.

    `ours` is what is connected with it ("the page"), `needs` what each
    permission is for, and `whose` interface says so.
    """
    told = asking.token_told()
    if told is None:
        yield Finding(
            what="what the token permits",
            fine=False,
            remedy=f"{whose} does not tell. Look it up in Meta's Access Token Debugger.",
        )
        return
    again = f"Generate a new token and connect {ours} again."
    if not told.is_valid:
        yield Finding(what="token", fine=False, remedy=f"{whose} says that it is not valid. {again}")
        return
    now = asking.now()
    yield Finding(
        what=f"signed in as {told.type.lower() or 'somebody'} of {told.application or 'an application'}",
        fine=True,
    )
    remedy = f"It ends then. {again} One of a system user can be made so that it does not end."
    yield ends(f"token ({told.type.lower() or 'of unknown kind'})", told.expires_at, now, remedy)
    yield ends("access to people's data", told.data_access_expires_at, now, remedy)
    for scope, what_for in needs.items():
        yield permits(told, scope, what_for, ours)


def ends(
    what: str, at: int | None, now: datetime, remedy: str, before: timedelta = _BEFORE_ITS_END
) -> Finding:
    """When something ends, and what to do where it ends soon; 0 stands for never."""
    until = moment(at) if at else None
    if until is None:
        return Finding(what=f"{what}, without an end", fine=True)
    soon = until - now <= before
    return Finding(what=f"{what}, until {until:%Y-%m-%d}", fine=not soon, remedy=remedy if soon else "")


def permits(told: Token, scope: str, what_for: str, ours: str) -> Finding:
    """Whether a token has a permission; `ours` is what is connected with it ("the page")."""
    fine = scope in told.scopes
    remedy = f"The token was made without it. Generate one that has it, and connect {ours} again: {scope}."
    return Finding(what=f"{what_for}: {scope}", fine=fine, remedy="" if fine else remedy)


def said(why: str) -> str:
    """A reason as a sentence."""
    return f"{why[0].upper()}{why[1:]}."


def comments(within: Sequence[Any]) -> list[dict[str, Any]]:
    """The comments that stand in these lists, which may be missing."""
    return [
        one
        for told in within
        if isinstance(told, dict)
        for one in told.get("data") or ()
        if isinstance(one, dict)
    ]


def proven(asking: Asking) -> Finding:
    """Whether the application's secret is at hand."""
    return Finding(
        what="application's secret",
        fine=asking.proves,
        remedy=""
        if asking.proves
        else "Enter the application's secret too (App settings > Basic), and then switch on “Require app secret”: a "
        "token that was stolen is then worth nothing.",
    )
