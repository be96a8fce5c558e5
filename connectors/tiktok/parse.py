"""What TikTok's answers say: JSON bytes in, observations with spans out. Asks nobody.

A video is known by its id, the account as `profile`: its id is another one for
each application. A comment is known by its video and its id, `VIDEO/COMMENT`,
since TikTok is asked for it only so.

Whatever becomes of a comment without its words being changed is a count:
likes, answers, whether the account pinned or liked it. A status other than
`PUBLIC` says that the public does not see it.

What an item is follows from the item alone, so that it is the same wherever it
was met: a reply where the account itself wrote it, else a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Attachment, Author, Kind, Observation, State
from connectors.pieces import Seen
from connectors.tiktok.reading import name_of
from connectors.tiktok.shapes import Business, Comment, Film, Item, Person

SITE = "https://www.tiktok.com/@"
PROFILE = "profile"
PUBLIC = "PUBLIC"

_LATEST = 253402300799
"""The last second that a time can name."""

_MOST = 2**53
"""From here on a number is none that anything was counted to, and none that every reader would read alike."""


def moment(told: Any) -> datetime | None:
    """A time in seconds since 1970, as a number or as a text of one; None where there is none."""
    seconds = number(told)
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds <= _LATEST else None


def number(told: Any) -> int | None:
    """A count, however TikTok writes it."""
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) <= 18:
        told = int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < _MOST else None


# -- the account ---------------------------------------------------------------------------------------------


def business(seen: Seen[Business], called: str) -> Observation:
    """The introduction, as the door for businesses tells it. `called` is the account's name in its address."""
    read = seen.what
    return _introduction(
        seen,
        handle=read.username or called,
        name=read.display_name,
        bio=read.bio_description,
        picture=read.profile_image,
        counts=_counted(
            followers=read.followers_count,
            following=read.following_count,
            likes=read.total_likes,
            videos=read.videos_count,
        ),
        extra={"verified": read.is_verified, "business": read.is_business_account},
    )


def person(seen: Seen[Person], called: str) -> Observation:
    """The introduction, as the Display API tells it."""
    read = seen.what
    return _introduction(
        seen,
        handle=read.username or called,
        name=read.display_name,
        bio=read.bio_description,
        picture=read.avatar_url,
        counts=_counted(
            followers=read.follower_count,
            following=read.following_count,
            likes=read.likes_count,
            videos=read.video_count,
        ),
        extra={"verified": read.is_verified},
    )


def _introduction(
    seen: Seen[Business] | Seen[Person],
    *,
    handle: str,
    name: str | None,
    bio: str | None,
    picture: str | None,
    counts: dict[str, int],
    extra: dict[str, object],
) -> Observation:
    return Observation(
        native_id=PROFILE,
        kind=Kind.PROFILE,
        author=Author(name=name or None, handle=handle),
        text="\n\n".join(told.strip() for told in (name, bio) if told and told.strip()),
        url=SITE + handle,
        attachments=(Attachment(id=f"picture:{_file(picture)}", url=picture),) if picture else (),
        counts=counts,
        extra={each: True for each, told in extra.items() if told is True},
        evidence=(seen.span,),
    )


# -- videos --------------------------------------------------------------------------------------------------


def item(seen: Seen[Item], called: str) -> Observation:
    """What the account posted, as the door for businesses tells it."""
    read = seen.what
    return _video(
        seen,
        name_of(read.item_id),
        called,
        at=read.create_time,
        text=(read.caption or "").strip(),
        share=read.share_url,
        cover=read.thumbnail_url,
        counts=_counted(
            views=read.video_views,
            likes=read.likes,
            comments=read.comments,
            shares=read.shares,
            favorites=read.favorites,
        ),
        extra={
            "media_type": read.media_type if isinstance(read.media_type, str) else None,
            "advertised": read.is_ad is True or None,
            "seconds": _seconds(read.video_duration),
        },
    )


def film(seen: Seen[Film], called: str) -> Observation:
    """What the account posted, as the Display API tells it."""
    read = seen.what
    return _video(
        seen,
        name_of(read.id),
        called,
        at=read.create_time,
        text=_worded(read.title, read.video_description),
        share=read.share_url,
        cover=read.cover_image_url,
        counts=_counted(
            views=read.view_count,
            likes=read.like_count,
            comments=read.comment_count,
            shares=read.share_count,
        ),
        extra={"ai_generated": read.is_aigc is True or None, "seconds": _seconds(read.duration)},
    )


def _video(
    seen: Seen[Item] | Seen[Film],
    name: str,
    called: str,
    *,
    at: Any,
    text: str,
    share: str | None,
    cover: Any,
    counts: dict[str, int],
    extra: dict[str, object],
) -> Observation:
    return Observation(
        native_id=name,
        kind=Kind.POST,
        author=Author(handle=called),
        text=text,
        url=_address(share, called, name),
        published_at=moment(at),
        attachments=_file_at(f"cover:{name}", cover),
        # Each has one.
        files_told=bool(cover) and _tells(cover),
        counts=counts,
        extra={each: told for each, told in extra.items() if told is not None},
        evidence=(seen.span,),
    )


def _worded(title: str | None, description: str | None) -> str:
    """What was written about a video. The Display API tells its beginning twice, as title and as description."""
    first, second = (title or "").strip(), (description or "").strip()
    if not first or second.startswith(first.removesuffix("...").removesuffix("…").rstrip()):
        return second
    return f"{first}\n\n{second}" if second else first


def _address(share: str | None, called: str, name: str) -> str:
    """The address of a video, without what TikTok adds to it for whoever asked."""
    if share and share.startswith("https://"):
        with suppress(ValueError):
            parts = urlsplit(share)
            return f"https://{parts.netloc}{parts.path}"
    return f"{SITE}{called}/video/{name}"


# -- comments ------------------------------------------------------------------------------------------------


def comment(seen: Seen[Comment], video: str, thread: str = "") -> Observation:
    """A comment below a video; `thread` is the comment that it stood below."""
    read = seen.what
    above = thread or (name_of(read.parent_comment_id) if read.parent_comment_id else "")
    name = name_of(read.comment_id)
    return Observation(
        native_id=f"{video}/{name}",
        kind=Kind.REPLY if read.owner is True else Kind.COMMENT,
        state=state_of(read),
        author=_author(read),
        text=read.text or "",
        in_reply_to=f"{video}/{above}" if above and above != name else video,
        published_at=moment(read.create_time),
        attachments=_file_at(f"image:{name}", read.image_url),
        files_told=_tells(read.image_url),
        counts=_counted(
            likes=read.likes,
            replies=read.replies,
            pinned=_yes(read.pinned),
            liked_by_account=_yes(read.liked),
        ),
        extra={"status": read.status} if read.status and read.status != PUBLIC else {},
        evidence=(seen.span,),
    )


def state_of(read: Comment) -> State:
    """How a comment stands; whatever TikTok calls it that is not public, the public does not see it."""
    return State.PRESENT if read.status in {None, "", PUBLIC} else State.HIDDEN


def answered(read: Comment) -> bool:
    """Whether a comment has answers, or TikTok does not say that it has none."""
    return number(read.replies) != 0


def once(observed: Iterable[Observation]) -> list[Observation]:
    """Each item once: one answer may tell the same comment twice, and both places are its own."""
    found: dict[str, Observation] = {}
    for one in observed:
        known = found.get(one.native_id)
        found[one.native_id] = (
            one if known is None else replace(known, evidence=(*known.evidence, *one.evidence))
        )
    return list(found.values())


# -- pieces --------------------------------------------------------------------------------------------------


def _author(read: Comment) -> Author | None:
    who = str(read.unique_identifier or read.user_id or "") or None
    if not read.named:
        return Author(id=who)
    if not (who or read.display_name or read.username):
        return None
    return Author(id=who, name=read.display_name or None, handle=read.username or None)


def _file_at(name: str, address: Any) -> tuple[Attachment, ...]:
    return (Attachment(id=name, url=address),) if address and isinstance(address, str) else ()


def _tells(address: Any) -> bool:
    """Whether TikTok tells where a file is, or that there is none."""
    return address is None or isinstance(address, str)


def _file(address: str) -> str:
    """What names a picture in its address: its size and its signature stand behind."""
    try:
        path = urlsplit(address).path
    except ValueError:
        path = address.partition("?")[0]
    return path.rpartition("/")[2].partition("~")[0] or "unnamed"


def _seconds(told: Any) -> int | None:
    """How long a video is, in whole seconds."""
    if isinstance(told, float):
        return int(told) if 0 < told < 1e9 else None
    return number(told)


def _yes(told: Any) -> int | None:
    return int(told) if isinstance(told, bool) else None


def _counted(**counts: Any) -> dict[str, int]:
    return dict(_numbers(counts))


def _numbers(counts: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for name, told in counts.items():
        count = number(told)
        if count is not None:
            yield name, count
