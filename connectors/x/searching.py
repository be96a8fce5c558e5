"""What is asked of X's search, and how far back its answer is certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.contract import Page
from connectors.x.options import ALL

RECENTLY = timedelta(days=7)
"""How far back everybody may search."""

_NEAR = timedelta(hours=1)
"""By how much less than that an answer is relied on."""

_JUST_NOW = timedelta(minutes=1)
"""X refuses an end that is now, or to come."""

_EDITABLE = timedelta(hours=1)
"""So long a post may be edited; X finds it by the time of its last edit, and the archive by that of its first words."""

_LONGEST = 480
"""X takes queries of 512 characters from every application."""

_EARLIEST = datetime(2010, 11, 6, tzinfo=UTC)
_FIRST_POST = datetime(2006, 3, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Search:
    """One search: where it is asked, for which time, and from when on it shows everything."""

    path: str
    asked: Mapping[str, str]
    since: datetime | None
    most: int


def search(page: Page, how: str, now: datetime) -> Search | None:
    """How the conversations of a pass are searched; None where all of its span lies too far back."""
    end = _end(page, now)
    if how == ALL:
        begin = max(page.published_from or _FIRST_POST, _FIRST_POST)
        asked = {"start_time": written(begin), **end}
        return Search("tweets/search/all", asked, page.published_from, 500)
    reach = now - RECENTLY + _NEAR
    if page.published_until is not None and page.published_until <= reach:
        return None
    within = page.published_from is not None and page.published_from > reach
    begin = page.published_from if within and page.published_from is not None else reach
    start = {"start_time": written(min(begin, now - _JUST_NOW))} if within else {}
    return Search("tweets/search/recent", {**start, **end}, begin, 100)


def span(page: Page, reach: timedelta, now: datetime) -> dict[str, str]:
    """The span of a pass in X's words, and `reach` before it."""
    asked = _end(page, now)
    if page.published_from is not None:
        begin = page.published_from - reach if page.published_from - _EARLIEST > reach else _EARLIEST
        asked["start_time"] = written(min(begin, now - _JUST_NOW))
    return asked


def _end(page: Page, now: datetime) -> dict[str, str]:
    """The end of a span: later than it is, for what was edited after it."""
    until = page.published_until
    if until is None or until + _EDITABLE >= now - _JUST_NOW:
        return {}
    return {"end_time": written(max(until, _EARLIEST) + _EDITABLE + timedelta(seconds=1))}


def written(at: datetime) -> str:
    """A time as X reads it, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_one_query(conversations: Sequence[str], ours: str) -> tuple[str, int]:
    """A query for as many of these conversations as fit into one, without the account's own posts; how many they are."""
    rest = f" -from:{ours}" if ours else ""
    query, taken = "", 0
    for one in conversations:
        longer = f"{query} OR conversation_id:{one}" if query else f"conversation_id:{one}"
        if taken and len(longer) + 2 + len(rest) > _LONGEST:
            break
        query, taken = longer, taken + 1
    return f"({query}){rest}", taken
