"""Says how a page's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectors.contract import Finding
from connectors.errors import AccessRevoked
from connectors.x.asking import Asking, NotGiven
from connectors.x.options import ALL, NONE, Options
from connectors.x.reading import Found, NoAccount, find, no_such
from connectors.x.searching import in_one_query
from connectors.x.shapes import Usage

_NEARLY = 90
"""From so many percent of the plan's posts on, somebody should be told."""


def findings(asking: Asking, options: Options) -> Iterator[Finding]:
    """Credentials, account, what is shown of it, plan, budget, in the order in which one needs the other."""
    try:
        found = find(asking, options.name)
        yield from _account(asking, found)
        yield from _lists(asking, options, found)
        if not asking.signed_in:
            yield from _plan(asking)
    except NoAccount as none:
        yield Finding(what="account", fine=False, remedy=str(no_such(options.name, none)))
    except AccessRevoked as refused:
        yield Finding(what="credentials", fine=False, remedy=str(refused))
        return
    yield _budget(options)


def _account(asking: Asking, found: Found) -> Iterator[Finding]:
    handle = found.account.what.username
    yield Finding(what=f"account @{handle} ({found.id})", fine=True)
    if not asking.signed_in:
        yield Finding(
            what="the application's own token",
            fine=False,
            remedy="Only what is public is captured. For private messages, and for whom the account has blocked and "
            "muted, connect the page by signing in as the account itself.",
        )
    elif found.owner:
        yield Finding(what=f"Signed in as @{handle}", fine=True)
    else:
        yield Finding(
            what=f"signed in as @{found.signed_in_as}",
            fine=False,
            remedy=f"That is not the page's account. Sign out at X, sign in as @{handle}, and connect the page again.",
        )
    if found.account.what.protected and not found.owner:
        yield Finding(
            what="the account is protected",
            fine=False,
            remedy="X shows its posts only to those who follow it. Connect the page by signing in as the account.",
        )


def _lists(asking: Asking, options: Options, found: Found) -> Iterator[Finding]:
    number = found.id
    asked: dict[str, tuple[str, dict[str, str]]] = {
        "own posts: tweet.read": (f"users/{number}/tweets", {"max_results": "5"}),
        "posts that name the account": (f"users/{number}/mentions", {"max_results": "5"}),
    }
    query = {"query": in_one_query([number], number)[0], "max_results": "10"}
    if options.search != NONE:
        asked["search of the last seven days"] = ("tweets/search/recent", query)
    if options.search == ALL:
        asked["search of the whole archive"] = ("tweets/search/all", query)
    if found.owner and options.messages:
        asked["private messages: dm.read"] = ("dm_events", {"max_results": "1"})
    if found.owner and options.lists:
        asked["blocked accounts: block.read"] = (f"users/{number}/blocking", {"max_results": "1"})
        asked["muted accounts: mute.read"] = (f"users/{number}/muting", {"max_results": "1"})
    for what, (path, params) in asked.items():
        try:
            asking.get(path, params)
        except NotGiven as refused:
            yield Finding(what=what, fine=False, remedy=f"{refused.why[0].upper()}{refused.why[1:]}.")
        else:
            yield Finding(what=what, fine=True)


def _plan(asking: Asking) -> Iterator[Finding]:
    """What X counts of the posts that this application's project has read."""
    try:
        told = asking.read(asking.get("usage/tweets"), Usage).items
    except NotGiven as refused:
        yield Finding(
            what="what the plan holds", fine=False, remedy=f"{refused.why[0].upper()}{refused.why[1:]}."
        )
        return
    read, most = (
        (_number(told[0].what.project_usage), _number(told[0].what.project_cap)) if told else (None, None)
    )
    if read is None or most is None:
        yield Finding(what="what the plan holds: X does not tell", fine=True)
        return
    fine = most > 0 and read * 100 < most * _NEARLY
    yield Finding(
        what=f"{read} of the {most} posts that the plan holds in a billing month were read",
        fine=fine,
        remedy=""
        if fine
        else "Raise the plan at developer.x.com before it is used up; X shows nothing more then.",
    )


def _budget(options: Options) -> Finding:
    terms = options.terms
    if terms.monthly is None:
        return Finding(
            what="no budget",
            fine=False,
            remedy="Reading costs money, and nothing here limits it. Set the option monthly_budget, or set a limit at X.",
        )
    posts = terms.monthly / terms.prices["post"] if terms.prices["post"] > Decimal(0) else None
    enough = f", about {int(posts)} posts" if posts is not None else ""
    return Finding(what=f"budget of {terms.monthly} a month{enough}", fine=True)


def _number(told: object) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int | str):
        return None
    written = str(told)
    return int(written) if written.isascii() and written.isdecimal() else None
