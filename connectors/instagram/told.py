"""What is worth looking at after Instagram told of something by itself (webhooks of an account).

The words that a delivery carries are not kept: what it names is observed at
once instead, so that a comment which is removed within the hour was captured
all the same. Of removals Instagram tells nothing.

Of a comment on an album Instagram names the picture and not the post, so the
comment is named here, and its post is asked for. What names the account
elsewhere can only be asked for by the number that is told here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.instagram import parse
from connectors.webhooks import Change, Entry, Wanted, by_page

OF_COMMENT = "comment"
"""Before the number of a comment: the post that it stands below, with everything that answers it."""

_BEFORE = timedelta(hours=1)
"""How far before it was told a thing may have happened."""

_CHANGES_NOTHING = frozenset({"live_comments", "story_insights", "messaging_seen", "message_reactions"})
"""A broadcast's comments are shown while it lasts, and to nobody later; the others change no record."""

_OF_MESSAGES = frozenset({"delivery", "read", "reaction", "optin", "postback", "referral"})


def wanted(entries: Sequence[Entry], now: datetime) -> list[Wanted]:
    """One for each account, in the order in which the entries name them."""
    return [_of_account(page, told, now) for page, told in by_page(entries).items()]


def _of_account(page: str, entries: Sequence[Entry], now: datetime) -> Wanted:
    families: dict[str, None] = {}
    since: list[datetime] = []
    for entry in entries:
        for change in entry.changes:
            family = _family(change)
            if family:
                families[family] = None
            elif not _changes_nothing(change):
                since.append((entry.at or now).astimezone(UTC) - _BEFORE)
    return Wanted(page=page, families=tuple(families), since=min(since) if since else None)


def _family(change: Change) -> str | None:
    value = change.value
    if change.field == "comments":
        comment = _text(value, "id")
        return f"{OF_COMMENT}:{comment}" if comment else None
    if change.field == "mentions":
        media, comment = _text(value, "media_id"), _text(value, "comment_id")
        if media and comment:
            return f"{parse.MENTION_COMMENT}:{media}:{comment}"
        return f"{parse.MENTION}:{media}" if media else None
    return None


def _changes_nothing(change: Change) -> bool:
    if change.field == "messages":
        told = change.value.keys()
        return not {"message", "message_edit"} & told and bool(_OF_MESSAGES & told)
    return change.field in _CHANGES_NOTHING


def _text(value: Mapping[str, Any], name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) and found else None
