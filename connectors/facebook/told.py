"""What is worth looking at after Facebook told of something by itself (webhooks of a page: `feed`, `mention`, `messages`).

The words that a delivery carries are not kept: Facebook tells those of a
comment when it is added or hidden, and not when it is removed. What a delivery
names is observed at once instead, so that a comment which is removed within the
hour was captured all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import Kind
from connectors.webhooks import Change, Entry, Wanted, by_page

_BEFORE = timedelta(hours=1)
"""How far before it was told a thing may have happened."""

_COUNTS_ALONE = ("reaction", "like")
_OF_MESSAGES = frozenset({"delivery", "read", "reaction", "optin", "postback", "referral"})
"""What Messenger tells besides messages: that one was read, that a button was pressed."""


def wanted(entries: Sequence[Entry], now: datetime) -> list[Wanted]:
    """One for each page, in the order in which the entries name them."""
    return [_of_page(page, told, now) for page, told in by_page(entries).items()]


def _of_page(page: str, entries: Sequence[Entry], now: datetime) -> Wanted:
    families: dict[str, None] = {}
    looks: dict[tuple[Kind, str], None] = {}
    since: list[datetime] = []
    for entry in entries:
        for change in entry.changes:
            family, look = _of_post(change) if change.field in {"feed", "mention"} else (None, None)
            if change.field == "mention" and not (_text(change.value, "post_id") or "").startswith(
                f"{page}_"
            ):
                # A pass lists a post of others that names the page; what answers it is no part of the page.
                if look is not None and look[0] is Kind.COMMENT:
                    continue
                family = None
            if family:
                families[family] = None
            if look is not None:
                looks[look] = None
            if family is None and look is None and not _changes_nothing(change):
                since.append((entry.at or now).astimezone(UTC) - _BEFORE)
    return Wanted(
        page=page, families=tuple(families), looks=tuple(looks), since=min(since) if since else None
    )


def _of_post(change: Change) -> tuple[str | None, tuple[Kind, str] | None]:
    """The family that moved, or the item that was removed."""
    value = change.value
    item, removed = value.get("item"), value.get("verb") == "remove"
    post, comment = _text(value, "post_id"), _text(value, "comment_id")
    if item in _COUNTS_ALONE:
        return None, None
    if removed and item == "comment":
        return (None, (Kind.COMMENT, comment)) if comment else (post, None)
    if removed and post:
        return None, (Kind.POST, post)
    return post, None


def _changes_nothing(change: Change) -> bool:
    """Whether no record is touched: a count moved, or a message was merely read."""
    if change.field == "messages":
        return not {"message", "message_edit"} & change.value.keys() and bool(
            _OF_MESSAGES & change.value.keys()
        )
    return change.value.get("item") in _COUNTS_ALONE


def _text(value: Mapping[str, Any], name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) and found else None
