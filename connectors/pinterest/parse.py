"""What Pinterest's answers say: objects with their places in, observations out. Asks nobody.

A pin is known by its number. What others put on a board that they share with
the agency is `shared/` and the pin's number, since only of its own pins
Pinterest tells the account whether they were removed. Boards are
`board/NUMBER`, their sections `section/BOARD/NUMBER`: the agency's public
words too, and records of what introduces it.

Pinterest tells neither the time of an edit nor one comment; it counts them.

The words of a pin are its title, its description, and where it leads to: an
edit of any of them is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors import times
from connectors.contract import Attachment, Author, Kind, Observation, State
from connectors.pieces import Seen
from connectors.pinterest.shapes import Account, Board, Pin, Section

SITE = "https://www.pinterest.com"
ACCOUNT, BOARD, SECTION, SHARED = "account", "board", "section", "shared"

_ALL_TIME = ("all_time", "lifetime_metrics", "lifetime")
_COUNTS: Mapping[str, str] = {
    "comment": "comments",
    "total_comments": "comments",
    "reaction": "reactions",
    "total_reactions": "reactions",
    "save": "saves",
    "impression": "impressions",
    "pin_click": "clicks",
    "clickthrough": "outbound_clicks",
    "outbound_click": "outbound_clicks",
    "video_mrc_view": "views",
}
"""What Pinterest counts of a pin, by the names that its answers have had."""


def moment(written: str | None) -> datetime | None:
    """A time as Pinterest writes it, which is UTC though it seldom says so; None where there is none."""
    return times.iso(written)


def identity(read: Account) -> str:
    """What the account is known by: its number, or its name where Pinterest tells no number."""
    return f"{ACCOUNT}/{read.id or read.username.lower()}"


def account(seen: Seen[Account]) -> Observation:
    """The account's own introduction."""
    read = seen.what
    words = (read.business_name or read.username, read.about, read.website_url)
    picture = read.profile_image
    return Observation(
        native_id=identity(read),
        kind=Kind.PROFILE,
        author=Author(id=read.id, name=read.business_name, handle=read.username),
        text="\n\n".join(told.strip() for told in words if told and told.strip()),
        url=f"{SITE}/{read.username}/",
        attachments=(Attachment(id=f"picture:{_name(picture)}", url=picture),) if picture else (),
        counts=_counted(
            pins=read.pin_count,
            boards=read.board_count,
            followers=read.follower_count,
            following=read.following_count,
            monthly_views=read.monthly_views,
        ),
        extra=_told(account_type=read.account_type),
        evidence=(seen.span,),
    )


def board(seen: Seen[Board]) -> Observation:
    """A board: its name and what is written about it."""
    read = seen.what
    owner = read.owner.username if read.owner is not None else None
    return Observation(
        native_id=f"{BOARD}/{read.id}",
        kind=Kind.PROFILE,
        state=state_of(read.privacy),
        author=Author(handle=owner) if owner else None,
        text="\n\n".join(told.strip() for told in (read.name, read.description) if told and told.strip()),
        published_at=moment(read.created_at),
        counts=_counted(
            pins=read.pin_count, followers=read.follower_count, collaborators=read.collaborator_count
        ),
        extra=_told(privacy=read.privacy, ads_only=read.is_ads_only is True),
        evidence=(seen.span,),
    )


def section(seen: Seen[Section], above: str, hidden: Collection[str]) -> Observation:
    """A section of the board `above`; `hidden` are the boards that the public does not see."""
    return Observation(
        native_id=f"{SECTION}/{above}/{seen.what.id}",
        kind=Kind.PROFILE,
        state=State.HIDDEN if above in hidden else State.PRESENT,
        text=seen.what.name.strip(),
        extra={"board": above},
        evidence=(seen.span,),
    )


def pin(seen: Seen[Pin], ours: Account, hidden: Collection[str]) -> Observation:
    """A pin, on a board that may be one of those that are `hidden` from the public."""
    read = seen.what
    own = read.is_owner is not False
    return Observation(
        native_id=read.id if own else f"{SHARED}/{read.id}",
        kind=Kind.POST,
        state=State.HIDDEN if read.board_id in hidden else State.PRESENT,
        author=Author(id=ours.id, handle=ours.username) if own else None,
        text="\n\n".join(_words(read)),
        url=f"{SITE}/pin/{read.id}/",
        published_at=moment(read.created_at),
        attachments=tuple(_files(read)),
        files_told=_tells_files(read.media),
        counts=_metrics(read.pin_metrics),
        extra=_told(
            board=read.board_id,
            board_of=_text(read.board_owner, "username"),
            section=read.board_section_id,
            creative_type=read.creative_type,
            link=read.link,
            saved_from=read.parent_pin_id,
            note=read.note,
            promoted=read.has_been_promoted is True,
        ),
        evidence=(seen.span,),
    )


def state_of(privacy: str | None) -> State:
    """How a board stands: secret ones are seen by those who were invited, protected ones as advertisements alone."""
    return State.PRESENT if (privacy or "PUBLIC").upper() == "PUBLIC" else State.HIDDEN


def is_shared(read: Board, ours: Account) -> bool:
    """Whether a board is the account's own, or one that several people share."""
    owner = read.owner.username if read.owner is not None else None
    return (owner or "").lower() == ours.username.lower() or bool(_number(read.collaborator_count))


def lacks_film(read: Pin) -> bool:
    """Whether a pin shows a video of which Pinterest gives no address."""
    return any(_is_film(one) and not _text(one, "video_url") for one in _parts(read.media))


# -- pieces --------------------------------------------------------------------------------------------------


def _words(read: Pin) -> Iterator[str]:
    """What a pin says: title and description, those of each of its pictures, and where it leads to."""
    told = [read.title, read.description]
    for one in _items(read.media):
        told += [_text(one, "title"), _text(one, "description"), _text(one, "link")]
    told.append(read.link)
    yield from dict.fromkeys(one.strip() for one in told if one and one.strip())


def _files(read: Pin) -> Iterator[Attachment]:
    """The pictures and videos of a pin, in their order, each once."""
    met: set[str] = set()
    told = read.alt_text
    described = told if isinstance(told, str) else "" if told is None else None
    for one in _parts(read.media):
        for file in _part(one, described):
            if file.id not in met:
                met.add(file.id)
                yield file


def _tells_files(media: Any) -> bool:
    """Whether Pinterest tells which files a pin has: each part of it is told, and has one."""
    listed = media.get("items") if isinstance(media, dict) else None
    parts = _parts(media)
    whole = not isinstance(listed, list) or len(parts) == len(listed)
    return (
        bool(parts)
        and whole
        and all(
            any(_part(one, None)) and _is_text(one, "video_url") and _is_text(one, "cover_image_url")
            for one in parts
        )
    )


def _part(one: Mapping[str, Any], described: str | None) -> Iterator[Attachment]:
    """A picture in its largest size, or a video with its cover. The same file has the same name in each size."""
    film, still = _text(one, "video_url"), _largest(one.get("images"))
    if not _is_film(one):
        if still:
            yield Attachment(id=f"image:{_name(still)}", url=still, description=described)
        return
    if film:
        yield Attachment(id=f"video:{_name(film)}", url=film, description=described)
    cover = _text(one, "cover_image_url") or (still if _is_text(one, "cover_image_url") else None)
    if cover:
        yield Attachment(id=f"cover:{_name(cover)}", url=cover)


def _parts(media: Any) -> list[Mapping[str, Any]]:
    """What a pin shows: itself, or the several things that it consists of."""
    several = _items(media)
    if several or not isinstance(media, dict):
        return several
    return [media]


def _items(media: Any) -> list[Mapping[str, Any]]:
    listed = media.get("items") if isinstance(media, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _is_film(one: Mapping[str, Any]) -> bool:
    kind = _text(one, "item_type") or _text(one, "media_type")
    return kind == "video" or _text(one, "video_url") is not None


def _largest(sizes: Any) -> str | None:
    """The address of the largest of the sizes; the original where it is given."""
    found: list[tuple[int, str]] = []
    for name, one in sizes.items() if isinstance(sizes, dict) else ():
        address = _text(one, "url")
        if address:
            width = one.get("width")
            known = width if isinstance(width, int) and not isinstance(width, bool) else 0
            found.append((2**31 if name in {"originals", "original"} else known, address))
    return max(found, default=(0, ""))[1] or None


def _name(address: str) -> str:
    """The name of a file in its address, without its ending: it stays when the address is another size's."""
    try:
        path = urlsplit(address).path
    except ValueError:
        path = address.partition("?")[0]
    name = path.rpartition("/")[2].partition(".")[0]
    return name or hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:24]


def _metrics(told: Any) -> dict[str, int]:
    """What Pinterest counts of a pin since it was made; what it counts of ninety days alone is none of its counts."""
    counted = (
        next((told[name] for name in _ALL_TIME if name in told), None) if isinstance(told, dict) else None
    )
    found: dict[str, int] = {}
    for name, count in counted.items() if isinstance(counted, dict) else ():
        known = _COUNTS.get(str(name).lower())
        if known and isinstance(count, (int, float)) and not isinstance(count, bool) and 0 <= count < 2**53:
            found[known] = int(count)
    return found


def _counted(**counts: Any) -> dict[str, int]:
    return {name: count for name, told in counts.items() if (count := _number(told)) is not None}


def _number(told: Any) -> int | None:
    """A count, as a number or as a text of one."""
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) <= 16:
        told = int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < 2**53 else None


def _told(**told: object) -> dict[str, object]:
    return {name: one for name, one in told.items() if one}


def _text(told: Any, name: str) -> str | None:
    """A text inside an object that may be missing."""
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None


def _is_text(told: Mapping[str, Any], name: str) -> bool:
    """Whether a text stands inside an object, or nothing."""
    return told.get(name) is None or isinstance(told[name], str)
