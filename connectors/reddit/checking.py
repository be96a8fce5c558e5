"""Says how a page's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.reddit import found
from connectors.reddit.address import Address
from connectors.reddit.asking import Asking
from connectors.reddit.found import Found
from connectors.reddit.refusals import NotGiven

_FOR_MODERATORS: Mapping[str, str] = {
    "about/spam": "what was removed",
    "about/modqueue": "what waits for moderators",
    "about/log": "the moderation log",
    "about/banned": "who may not write",
}


def findings(asking: Asking, named: Address) -> Iterator[Finding]:
    """Application or permission, page, lists, in the order in which one needs the other."""
    try:
        page = found.find(asking, named)
    except NoSuchPage as refused:
        yield Finding(what="page", fine=False, remedy=str(refused))
        return
    except AccessRevoked as refused:
        yield Finding(what="connection", fine=False, remedy=str(refused))
        return
    yield Finding(what=f"{named.path} ({page.id})", fine=True)
    try:
        if not named.is_subreddit:
            yield _list(asking, f"{named.path}/submitted", "submissions")
            yield _list(asking, f"{named.path}/comments", "comments")
            return
        yield _whose(asking, page)
        yield _list(asking, f"{named.path}/new", "submissions")
        for path, what in _FOR_MODERATORS.items():
            if page.moderator:
                yield _list(asking, f"{named.path}/{path}", what)
        if page.moderator:
            yield _list(asking, f"{named.path}/wiki/config/automoderator", "what AutoModerator is told")
    except AccessRevoked as refused:
        yield Finding(what="connection", fine=False, remedy=str(refused))


def _whose(asking: Asking, page: Found) -> Finding:
    if page.moderator:
        return Finding(what=f"signed in as a moderator of r/{page.named.name}", fine=True)
    if asking.signed_in:
        return Finding(
            what="signed in as somebody who does not moderate the subreddit",
            fine=False,
            remedy="What was removed and the moderation log are shown to its moderators alone. Connect the page again, "
            "signed in as one of them.",
        )
    return Finding(
        what="connected as the application alone",
        fine=False,
        remedy="Only what is public is captured. For what was removed and the moderation log, connect the page by "
        "signing in as a moderator of the subreddit.",
    )


def _list(asking: Asking, path: str, what: str) -> Finding:
    try:
        asking.get(path, {} if path.endswith("automoderator") else {"limit": "1"})
    except NotGiven as refused:
        if refused.not_found and path.endswith("automoderator"):
            return Finding(what=f"{what}: nothing", fine=True)
        return Finding(what=what, fine=False, remedy=f"{refused.why}.")
    return Finding(what=what, fine=True)
