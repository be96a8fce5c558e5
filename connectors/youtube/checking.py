"""Says how a channel's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.youtube import channel
from connectors.youtube.address import Address
from connectors.youtube.asking import Asking
from connectors.youtube.channel import Found
from connectors.youtube.manifest import SCOPE
from connectors.youtube.place import HELD, PUBLISHED, SPAM
from connectors.youtube.refusals import NotGiven
from connectors.youtube.shapes import Named

_LISTS: Mapping[str, str] = {
    PUBLISHED: "comments",
    HELD: "comments that are held for review",
    SPAM: "comments that are held as likely spam",
}


def findings(asking: Asking, named: Address) -> Iterator[Finding]:
    """Key or permission, channel, whose it is, lists, in the order in which one needs the other."""
    try:
        found = channel.find(asking, named)
    except NoSuchPage as refused:
        yield Finding(what="channel", fine=False, remedy=str(refused))
        return
    except AccessRevoked as refused:
        what = "permission" if asking.signed_in else "key"
        yield Finding(what=what, fine=False, remedy=str(refused))
        return
    title = found.seen.what.snippet.title
    yield Finding(what=f"channel {title} ({found.id})", fine=True)
    yield _whose(asking, found)
    try:
        yield _uploads(asking, found)
        for status, what in _LISTS.items():
            if found.owner or status == PUBLISHED:
                yield _comments(asking, found, status, what)
    except AccessRevoked as refused:
        yield Finding(what="connection", fine=False, remedy=str(refused))


def _whose(asking: Asking, found: Found) -> Finding:
    if found.owner:
        return Finding(what=f"Signed in as {found.seen.what.snippet.title}", fine=True)
    if found.gaps:
        return Finding(what="signed in", fine=False, remedy=found.gaps[0].why)
    if asking.signed_in:
        return Finding(
            what="signed in as somebody else",
            fine=False,
            remedy="What is held back is shown to the channel itself alone. Connect the page again, and choose the "
            "channel where Google asks which account or channel it shall be.",
        )
    return Finding(
        what="connected with a key",
        fine=False,
        remedy="Only what is public is captured, and what is missing cannot be told to be removed. For held comments, "
        "private videos and captions, connect the page by signing in as the channel.",
    )


def _uploads(asking: Asking, found: Found) -> Finding:
    asked = {"part": "id", "playlistId": found.uploads, "maxResults": "1"}
    try:
        told = asking.many("playlistItems", "playlistItemListResponse", Named, asked)
    except NotGiven as refused:
        if refused.not_found:
            return Finding(what="videos: YouTube lists none yet", fine=True)
        return Finding(what="videos", fine=False, remedy=f"{refused.why}.")
    return Finding(what=f"videos, {told.total} of them" if told.total is not None else "videos", fine=True)


def _comments(asking: Asking, found: Found, status: str, what: str) -> Finding:
    asked = {"part": "id", "allThreadsRelatedToChannelId": found.id, "maxResults": "1"}
    if status != PUBLISHED:
        asked["moderationStatus"] = status
    try:
        asking.many("commentThreads", "commentThreadListResponse", Named, asked)
    except NotGiven as refused:
        if refused.comments_disabled:
            return Finding(what=f"{what}: turned off on the channel", fine=True)
        needs = f" The permission that shows them is {SCOPE}." if refused.forbidden else ""
        return Finding(what=what, fine=False, remedy=f"{refused.why}.{needs}")
    return Finding(what=what, fine=True)
