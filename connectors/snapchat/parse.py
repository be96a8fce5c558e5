"""What Snapchat's pages say: their pieces in, observations out. Asks nobody.

A snap of the story is `story/` and its id: each is shown for a day by itself. A
saved story is one record with all of its snaps, `highlight/` and its id, so
that a snap which is added to it or taken out of it is an edit. A spotlight is
`spotlight/` and its id. What introduces the profile is `profile`.

Addresses of files are signed anew at every look. A file is known by its snap.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Attachment, Author, Kind, Observation, Span
from connectors.snapchat.options import SITE
from connectors.snapchat.reading import (
    Piece,
    Profile,
    Spotlight,
    media,
    name_of,
    number,
    saved_id,
    snaps,
    text,
)
from connectors.times import epoch

PROFILE, STORY, SAVED, SPOTLIGHT = "profile", "story", "highlight", "spotlight"

SHOWN_FOR = timedelta(hours=24)
"""So long a snap of the story is shown."""

_MEDIA = {0: "image", 1: "video"}
_WORDS = ("snapTitle", "title", "caption", "snapSubtitles", "description")
"""Where a snap's own words may stand, as far as any are told."""

_FILE = re.compile(r"/d/([^/.?]+)")
_RESIZED = re.compile(r"/bolt(?:_web)?/([A-Za-z0-9_-]{16,})")


def profile(shown: Profile) -> Observation:
    """What the profile says of itself."""
    told = shown.info.what
    name = text(told, "username")
    words = [text(told, part) for part in ("title", "displayName", "bio", "address", "websiteUrl")]
    return Observation(
        native_id=PROFILE,
        kind=Kind.PROFILE,
        author=Author(name=text(told, "title") or text(told, "displayName"), handle=name),
        text="\n\n".join(dict.fromkeys(one for one in words if one)),
        url=f"{SITE}/@{name}",
        attachments=tuple(_pictures(told)),
        # Nought stands for a number that the profile does not show.
        counts=_counted(subscribers=number(told, "subscriberCount") or None),
        extra=_told(
            category=text(told, "categoryStringId"),
            subcategory=text(told, "subcategoryStringId"),
            public=None if shown.public else "no",
        ),
        evidence=(shown.info.span,),
    )


def snap(seen: Piece, author: Author) -> Observation:
    """A snap of the story."""
    name, published = name_of(seen.what, "snapId"), moment(seen.what)
    return Observation(
        native_id=f"{STORY}/{name}",
        kind=Kind.POST,
        author=author,
        text="\n\n".join(_words(seen.what)),
        url=f"{SITE}/@{author.handle}",
        published_at=published,
        attachments=tuple(_files(seen.what)),
        extra=_told(
            media=_MEDIA.get(number(seen.what, "snapMediaType") or 0),
            shown_until=until.isoformat() if (until := runs_out(published)) else None,
        ),
        evidence=(seen.span,),
    )


def saved(seen: Piece, author: Author) -> Observation:
    """A saved story, with all of its snaps in their order."""
    told, inside = seen.what, snaps(seen.what)
    words = [text(told, "storyTitle"), text(told, "title"), *(one for snap in inside for one in _words(snap))]
    times = [at for one in inside if (at := moment(one)) is not None]
    return Observation(
        native_id=f"{SAVED}/{saved_id(told)}",
        kind=Kind.POST,
        author=author,
        text="\n\n".join(dict.fromkeys(one for one in words if one)),
        url=f"{SITE}/@{author.handle}",
        published_at=min(times, default=None),
        attachments=tuple(_each(inside)),
        extra={"snaps": [_told(id=name_of(one, "snapId"), at=_written(one)) for one in inside]},
        evidence=(seen.span,),
    )


def spotlight(shown: Spotlight, author: Author) -> Observation:
    """A spotlight, as the profile's page tells of it."""
    told = shown.told.what if shown.told is not None else {}
    evidence = (shown.seen.span, *((shown.told.span,) if shown.told is not None else ()))
    return _spotlight(shown.id, shown.seen.what, told, author, evidence)


def spotlight_alone(name: str, seen: Piece, author: Author) -> Observation:
    """A spotlight, as its own page tells of it."""
    story, told = seen.what.get("story"), seen.what.get("metadata")
    return _spotlight(
        name,
        story if isinstance(story, dict) else {},
        told if isinstance(told, dict) else {},
        author,
        (seen.span,),
    )


def _spotlight(
    name: str,
    story: Mapping[str, Any],
    told: Mapping[str, Any],
    author: Author,
    evidence: tuple[Span, ...],
) -> Observation:
    film = told.get("videoMetadata")
    counted = told.get("engagementStats")
    words = [text(story, "storyTitle"), text(film, "name"), text(film, "description")]
    inside = snaps(story)
    times = [at for one in inside if (at := moment(one)) is not None]
    uploaded = number(film, "uploadDateMs")
    files = list(_each(inside))
    alone = text(film, "contentUrl")
    if not files and alone:
        files = [Attachment(id=f"media:{name}", url=alone)]
    return Observation(
        native_id=f"{SPOTLIGHT}/{name}",
        kind=Kind.POST,
        author=author,
        text="\n\n".join(dict.fromkeys(one for one in words if one)),
        url=f"{SITE}/spotlight/{name}",
        published_at=min(times, default=epoch(uploaded / 1000) if uploaded else None),
        attachments=tuple(files),
        counts=_counted(
            views=_first(number(counted, "viewCount"), number(film, "viewCount")),
            shares=_first(number(counted, "shareCount"), number(film, "shareCount")),
            comments=number(counted, "commentCount"),
            boosts=number(counted, "boostCount"),
        ),
        evidence=evidence,
    )


# -- pieces --------------------------------------------------------------------------------------------------


def author(shown: Profile) -> Author:
    """Whose the profile is."""
    return Author(handle=text(shown.info.what, "username"))


def moment(snap: Mapping[str, Any]) -> datetime | None:
    """When a snap was published; None where the page does not say."""
    seconds = number(snap, "timestampInSec")
    return epoch(seconds) if seconds else None


def runs_out(published: datetime | None) -> datetime | None:
    """When a snap of the story is shown no longer; None where that is not known, or after the end of all times."""
    try:
        return published + SHOWN_FOR if published is not None else None
    except OverflowError:
        return None


def _written(snap: Mapping[str, Any]) -> str | None:
    at = moment(snap)
    return at.isoformat() if at is not None else None


def _words(snap: Mapping[str, Any]) -> Iterator[str]:
    yield from dict.fromkeys(told for name in _WORDS if (told := text(snap, name)))


def _each(inside: list[dict[str, Any]]) -> Iterator[Attachment]:
    """The files of several snaps, each once."""
    yield from {file.id: file for one in inside for file in _files(one)}.values()


def _files(snap: Mapping[str, Any]) -> Iterator[Attachment]:
    """The picture or video of a snap, and what was drawn over it where that is a file of its own."""
    name, file = name_of(snap, "snapId"), media(snap)
    if file:
        yield Attachment(id=f"media:{name}", url=file)
    over = text(snap.get("snapUrls"), "overlayUrl")
    if over:
        yield Attachment(id=f"overlay:{name}", url=over)


def _pictures(told: Mapping[str, Any]) -> Iterator[Attachment]:
    """The profile's picture and the one behind it."""
    for what, name in (("picture", "profilePictureUrl"), ("behind", "squareHeroImageUrl")):
        address = text(told, name)
        if address:
            yield Attachment(id=f"{what}:{_file(address)}", url=address)


def _file(address: str) -> str:
    """What names a file in its address: it stays where the address is signed anew, or leads to another size."""
    try:
        path = urlsplit(address).path
    except ValueError:
        path = address.partition("?")[0]
    resized = _RESIZED.search(path)
    if resized is not None:
        try:
            path = base64.urlsafe_b64decode(resized[1] + "=" * (-len(resized[1]) % 4)).decode()
        except (binascii.Error, ValueError):
            path = resized[1]
    named = _FILE.search(path)
    if named is not None:
        return named[1]
    return hashlib.sha256(path.partition("?")[0].encode("utf-8", "replace")).hexdigest()[:24]


def _first(*counts: int | None) -> int | None:
    return next((one for one in counts if one is not None), None)


def _counted(**counts: int | None) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}


def _told(**told: object) -> dict[str, object]:
    return {name: one for name, one in told.items() if one not in (None, "", [], {})}
