"""Finds what Snapchat's pages hold: HTML bytes in, pieces of their data with the place of their own bytes out. Pure.

Snapchat's pages are rendered by its servers, and bear the data that they were
rendered from in one script (`__NEXT_DATA__`). None of it is documented. Values
stand there bare or wrapped (`{"value": "12"}`), and both are read; what is not
known is passed over; what has no id is not taken for a record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors import pieces, spans
from connectors.contract import Span
from connectors.pieces import Malformed, Seen

Piece = Seen[dict[str, Any]]

PUBLIC, PERSON = "publicProfileInfo", "userInfo"
"""What introduces a public profile, and what introduces a person who has none."""

_MARK = b"__NEXT_DATA__"
_LONGEST_TAG = 2000
_LONGEST_NUMBER = 16
_NAMED = re.compile(rb"""\bid\s*=\s*["']?__NEXT_DATA__(?:["'\s]|\Z)""", re.IGNORECASE)
_SPOTLIGHT = re.compile(r"spotlight/([A-Za-z0-9_-]{4,200})")
_MOST = 2**53
"""A number from here on is none that anything was counted to, and none that every reader would read alike."""


@dataclass(frozen=True, slots=True)
class Spotlight:
    """A spotlight of the profile, and what the page tells of its words and counts; None where it tells nothing."""

    id: str
    seen: Piece
    told: Piece | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a profile's page shows.

    `lacking` names the parts that the profile says it has and the page does
    not hold: of these nothing can be called missing. `emptied` are saved
    stories that are listed without a snap.
    """

    info: Piece
    public: bool
    story: Sequence[Piece]
    saved: Sequence[Piece]
    spotlights: Sequence[Spotlight]
    lacking: frozenset[str]
    emptied: Sequence[str] = ()

    @property
    def names(self) -> set[str]:
        """The names by which the profile calls itself, in small letters."""
        told = (text(self.info.what, "username"), text(self.info.what, "mutableName"))
        return {name.lower() for name in told if name}


STORY, SAVED, SPOTLIGHTS = "stories", "saved stories", "spotlights"


def data(body: bytes) -> tuple[int, int]:
    """The place of the data in a page; `Malformed` where there is none."""
    at = body.find(_MARK)
    while at >= 0:
        start = body.rfind(b"<", max(0, at - _LONGEST_TAG), at)
        inside = body.find(b">", at, at + _LONGEST_TAG)
        tag = body[start:inside] if 0 <= start < inside else b""
        if tag[:7].lower() == b"<script" and _NAMED.search(tag):
            end = body.find(b"</script", inside)
            if end < 0:
                raise Malformed("the page breaks off")
            return inside + 1, end
        at = body.find(_MARK, at + len(_MARK))
    raise Malformed(
        "the page holds no profile (a form to sign in, a wall, or a page that Snapchat builds in another way now)"
    )


def profile(body: bytes, exchange: int) -> Profile:
    """Read a profile's page; `Malformed` where it is none."""
    try:
        return _profile(body, exchange)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(_why(error)) from error


def spotlight(body: bytes, exchange: int, name: str) -> Piece | None:
    """The spotlight of that id out of its own page; None where the page shows others alone."""
    try:
        at = spans.member(body, data(body), "props", "pageProps", "spotlightFeed", "spotlightStories")
        if at is None:
            raise Malformed("the page holds no spotlights")
        for one in _objects(body, at, exchange):
            story = one.what.get("story")
            if isinstance(story, dict) and name_of(story, "storyId") == name:
                return one
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(_why(error)) from error
    return None


def bare(told: Any) -> Any:
    """A value without what Snapchat may wrap it in."""
    return told.get("value") if isinstance(told, dict) else told


def text(told: Any, name: str) -> str | None:
    """A text inside an object that may be missing, bare or wrapped."""
    found = bare(told.get(name)) if isinstance(told, dict) else None
    return found.strip() or None if isinstance(found, str) else None


def number(told: Any, name: str) -> int | None:
    """A number inside an object, bare or wrapped, as a number or as a text; one below nought stands for none."""
    found = bare(told.get(name)) if isinstance(told, dict) else None
    if isinstance(found, str) and found.isascii() and found.isdecimal() and len(found) <= _LONGEST_NUMBER:
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < _MOST:
        return found
    return None


def name_of(told: Any, name: str) -> str | None:
    """An id inside an object, bare or wrapped, as a text or as a number."""
    found = bare(told.get(name)) if isinstance(told, dict) else None
    if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 2**64:
        return str(found)
    return text(told, name)


def snaps(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The snaps of a story, a saved story or a spotlight; places that hold none are passed over."""
    listed = told.get("snapList")
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [one for one in found if _is_snap(one)]


def media(snap: Mapping[str, Any]) -> str | None:
    """Where the file of a snap lies."""
    return text(snap.get("snapUrls"), "mediaUrl") or text(snap, "mediaUrl")


# -- a profile -----------------------------------------------------------------------------------------------


def _profile(body: bytes, exchange: int) -> Profile:
    props = spans.member(body, data(body), "props", "pageProps")
    told = spans.member(body, props, "userProfile") if props is not None else None
    if props is None or told is None:
        raise Malformed("the page holds no profile")
    kind, at = next(
        (
            (name, at)
            for name in (PUBLIC, PERSON)
            if (at := spans.member(body, told, name)) and not _is_null(body, at)
        ),
        (None, None),
    )
    info = _object(body, at, exchange) if at is not None else None
    if info is None or not text(info.what, "username"):
        raise Malformed("the page names no profile")
    members = spans.object_members(body, props)
    lists = {name: _listed(body, members.get(name), exchange) for name in _LISTS}
    story = members.get("story")
    inside = spans.member(body, story, "snapList") if story is not None else None
    shown = [one for one in _listed(body, inside, exchange) if _is_snap(one.what)]
    stories = [*lists["curatedHighlights"], *lists["savedHighlights"]]
    saved = _once(stories)
    known = {saved_id(one.what) for one in saved}
    emptied = [name for one in stories if (name := saved_id(one.what)) is not None and name not in known]
    strange = {name for name in _LISTS if name in members and not _is_list(body, members[name])}
    lacking = {
        # No story is null; one that is left out, or of another shape, may be any.
        STORY: story is None
        or not (_is_null(body, story) or (inside and body[inside[0] : inside[0] + 1] == b"[")),
        SAVED: bool(strange & {"curatedHighlights", "savedHighlights"})
        or (not saved and not emptied and _flag(info.what, "hasCuratedHighlights")),
        SPOTLIGHTS: "spotlightHighlights" in strange
        or (not lists["spotlightHighlights"] and _flag(info.what, "hasSpotlightHighlights")),
    }
    return Profile(
        info=info,
        public=kind == PUBLIC,
        story=shown,
        saved=saved,
        spotlights=_spotlights(lists["spotlightHighlights"], lists["spotlightStoryMetadata"]),
        lacking=frozenset(part for part, is_lacking in lacking.items() if is_lacking and kind == PUBLIC),
        emptied=tuple(dict.fromkeys(emptied)),
    )


_LISTS = ("curatedHighlights", "savedHighlights", "spotlightHighlights", "spotlightStoryMetadata")


def saved_id(told: Mapping[str, Any]) -> str | None:
    """What a saved story is known by."""
    return name_of(told, "highlightId") or name_of(told, "storyId")


def _once(listed: Sequence[Piece]) -> list[Piece]:
    """The saved stories, each once; what holds no snap is a place that is kept free."""
    found: dict[str, Piece] = {}
    for one in listed:
        if not snaps(one.what):
            continue
        name = saved_id(one.what)
        if name is None:
            raise Malformed("a saved story has no id")
        found.setdefault(name, one)
    return list(found.values())


def _spotlights(listed: Sequence[Piece], told: Sequence[Piece]) -> list[Spotlight]:
    """The spotlights, with what is told of each: under its own id, or else at the same place of the other list.

    Both lists hold places that are kept free, without an id.
    """
    by_id = {name: one for one in told if (name := _meant(one.what)) is not None}
    beside = len(told) == len(listed)
    found: dict[str, Spotlight] = {}
    for place, one in enumerate(listed):
        name = name_of(one.what, "storyId")
        if name is None:
            if snaps(one.what):
                raise Malformed("a spotlight has no id")
            continue
        about = by_id.get(name)
        if about is None and beside and _meant(told[place].what) is None:
            about = told[place]
        if about is not None and not isinstance(about.what.get("videoMetadata"), dict):
            about = None
        found.setdefault(name, Spotlight(name, one, about))
    return list(found.values())


def _meant(told: Mapping[str, Any]) -> str | None:
    """Which spotlight something is told of, where it says so."""
    link = text(told.get("oneLinkParams"), "deepLinkUrl") or ""
    found = _SPOTLIGHT.search(link)
    return found[1] if found else name_of(told, "storyId")


def _is_snap(told: Mapping[str, Any]) -> bool:
    """Whether it is a snap, and not a place that is kept free; `Malformed` where one has no id."""
    if name_of(told, "snapId") is not None:
        return True
    if media(told) is not None:
        raise Malformed("a snap has no id")
    return False


# -- pieces --------------------------------------------------------------------------------------------------


def _is_null(body: bytes, at: tuple[int, int]) -> bool:
    return body[at[0] : at[1]] == b"null"


def _is_list(body: bytes, at: tuple[int, int]) -> bool:
    """Whether a list stands there, or null, which is one without anything."""
    return body[at[0] : at[0] + 1] == b"[" or _is_null(body, at)


def _flag(told: Mapping[str, Any], name: str) -> bool:
    return bare(told.get(name)) in (True, "true")


def _listed(body: bytes, at: tuple[int, int] | None, exchange: int) -> list[Piece]:
    """The objects of the array at `at`; nothing where no array stands there."""
    if at is None or body[at[0] : at[0] + 1] != b"[":
        return []
    return _objects(body, at, exchange)


def _objects(body: bytes, at: tuple[int, int], exchange: int) -> list[Piece]:
    found = []
    for start, end in spans.array_items(body, *at):
        one = _object(body, (start, end), exchange)
        found.append(one if one is not None else Seen(dict[str, Any](), Span(exchange, start, end)))
    return found


def _object(body: bytes, at: tuple[int, int], exchange: int) -> Piece | None:
    if body[at[0] : at[0] + 1] != b"{":
        return None
    return Seen(pieces.value(body[at[0] : at[1]], dict[str, Any]), Span(exchange, *at))


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, Malformed) else f"the page's data cannot be read: {error}"
