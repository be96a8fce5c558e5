"""What YouTube's answers say: JSON bytes in, observations with spans out. Asks nobody.

A video is known by its id, the channel by its own. A comment is known by what
it stands under and its id, `VIDEO/COMMENT`, as it is in its address: YouTube
does not say any more under which video a comment stood that is gone, and
whether it was removed or its video was closed is told by that video alone. What
the channel's people have set is `settings`.

The words of a comment are those that were typed, where YouTube tells them
(to the channel's own people); else those that it shows. How it marks links up
is not taken for words: that changes without anybody having edited anything.

What an item is follows from the item alone, so that it is the same wherever it
was met: a reply where the channel itself comments, else a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors import times
from connectors.contract import Attachment, Author, Kind, Observation, Span, State
from connectors.pieces import Seen
from connectors.text import plain
from connectors.youtube.shapes import Channel, Comment, CommentSnippet, Thread, Video, VideoStatus

SITE = "https://www.youtube.com"

SETTINGS = "settings"

HELD = frozenset({"heldForReview", "likelySpam", "rejected"})
"""What a comment is called that the public does not see."""

_HANDLE = re.compile(r"/(@[^/?#]+)\Z")
_SIZES = ("maxres", "standard", "high", "medium", "default")
_NOT_SET = frozenset({"title", "description"})
"""Members of the branding that the introduction has already."""


def moment(written: object) -> datetime | None:
    """A time as YouTube writes it; None where there is none or it cannot be read."""
    return times.iso(written) if isinstance(written, str) else None


# -- the channel ---------------------------------------------------------------------------------------------


def channel(seen: Seen[Channel]) -> Observation:
    """The channel's introduction, with its picture and its banner."""
    read = seen.what
    statistics = read.statistics if isinstance(read.statistics, dict) else {}
    subscribers = None if statistics.get("hiddenSubscriberCount") else _number(statistics, "subscriberCount")
    status = read.status if isinstance(read.status, dict) else {}
    return Observation(
        native_id=read.id,
        kind=Kind.PROFILE,
        state=State.HIDDEN if status.get("privacyStatus") in ("private", "unlisted") else State.PRESENT,
        author=Author(id=read.id, name=read.snippet.title or None, handle=read.snippet.custom_url),
        text="\n\n".join(told for told in (read.snippet.title, read.snippet.description.strip()) if told),
        url=f"{SITE}/channel/{read.id}",
        language=read.snippet.default_language,
        attachments=tuple(_pictures(read)),
        files_told=_pictures_told(read),
        counts=_counted(
            subscribers=subscribers,
            views=_number(statistics, "viewCount"),
            videos=_number(statistics, "videoCount"),
        ),
        extra=_told(
            created=read.snippet.published_at,
            country=read.snippet.country,
            localizations=read.localizations,
        ),
        evidence=(seen.span,),
    )


def settings(seen: Seen[Channel], evidence: Sequence[Span]) -> Observation:
    """What the channel's people have set: its branding and its status, as one record."""
    read = seen.what
    branding = read.branding_settings if isinstance(read.branding_settings, dict) else {}
    of_channel = branding.get("channel") if isinstance(branding.get("channel"), dict) else {}
    status = read.status if isinstance(read.status, dict) else {}
    told = {name: one for name, one in {**status, **(of_channel or {})}.items() if name not in _NOT_SET}
    return Observation(
        native_id=SETTINGS,
        kind=Kind.PROFILE,
        text="\n".join(f"{name}: {_spelled(one)}" for name, one in sorted(told.items())),
        extra={"settings": told},
        evidence=tuple(evidence),
    )


# -- videos --------------------------------------------------------------------------------------------------


def video(
    seen: Seen[Video],
    more: Sequence[Attachment] = (),
    evidence: Sequence[Span] = (),
    *,
    files_told: bool = True,
) -> Observation:
    """A video: what the agency wrote about it. `more` are its captions, all of them where `files_told`; `evidence` is where else it was read."""
    read, snippet, status = seen.what, seen.what.snippet, seen.what.status
    statistics = read.statistics if isinstance(read.statistics, dict) else None
    counted = statistics or {}
    return Observation(
        native_id=read.id,
        kind=Kind.POST,
        state=state_of(read.status),
        author=Author(id=snippet.channel_id, name=snippet.channel_title or None),
        text="\n\n".join(told for told in (snippet.title.strip(), snippet.description.strip()) if told),
        url=f"{SITE}/watch?v={read.id}",
        published_at=moment(snippet.published_at),
        language=snippet.default_language or snippet.default_audio_language,
        attachments=(*_thumbnail(read), *more),
        files_told=files_told and _is_told(snippet.thumbnails),
        counts=_counted(
            views=_number(counted, "viewCount"),
            likes=_number(counted, "likeCount"),
            comments=_number(counted, "commentCount"),
        ),
        extra=_told(
            privacy=status.privacy_status,
            upload_status=status.upload_status,
            failure=status.failure_reason or status.rejection_reason,
            publish_at=status.publish_at,
            license=status.license,
            made_for_kids=status.made_for_kids,
            synthetic=status.contains_synthetic_media,
            comments="turned off, or not counted" if closed(read) else None,
            duration=read.content_details.duration if read.content_details else None,
            category=snippet.category_id,
            tags=snippet.tags,
            live=None if snippet.live_broadcast_content == "none" else snippet.live_broadcast_content,
            broadcast=_times(read.live_streaming_details),
            localizations=read.localizations,
            file=_uploaded(read.file_details),
        ),
        evidence=(seen.span, *evidence),
    )


def closed(read: Video) -> bool:
    """Whether YouTube tells no number of comments, as it does where they are turned off."""
    return isinstance(read.statistics, dict) and "commentCount" not in read.statistics


def comments_counted(read: Video) -> int | None:
    """How many comments YouTube counts, replies and perhaps held ones among them."""
    return _number(read.statistics, "commentCount") if isinstance(read.statistics, dict) else None


def state_of(status: VideoStatus) -> State:
    """How a video stands: only a public one is shown on the channel; an unlisted one opens for whoever has its address."""
    return State.PRESENT if status.privacy_status == "public" else State.HIDDEN


# -- comments ------------------------------------------------------------------------------------------------


def where(seen: Thread, asked: str) -> str:
    """What a thread stands under: its video, or where it tells none what was `asked` for, a video or the whole channel."""
    return seen.snippet.video_id or seen.snippet.top_level_comment.snippet.video_id or asked


def thread(seen: Seen[Thread], ours: str, status: str = "", under: str = "") -> Observation:
    """The comment that begins a thread. `status` is the list of held ones that it stood in, `under` the video that was asked for."""
    read = seen.what.snippet
    root = where(seen.what, under or ours)
    held = status if status and read.is_public is not True else ""
    # Among those that are held back, the number of answers is another one: only the public's is kept.
    counts = {} if status or read.total_reply_count is None else {"replies": read.total_reply_count}
    first = read.top_level_comment
    return _comment(first.id, first.snippet, seen.span, root, root, ours, held, counts)


def reply(seen: Seen[Comment], root: str, above: str, ours: str) -> Observation:
    """A comment that answers the comment `above`, under `root`."""
    parent = seen.what.snippet.parent_id or above
    return _comment(seen.what.id, seen.what.snippet, seen.span, root, f"{root}/{parent}", ours, "", {})


def state_of_comment(snippet: CommentSnippet, held: str = "") -> State:
    """How a comment stands; `held` is how it was met, where YouTube does not tell with the comment itself."""
    return State.HIDDEN if (snippet.moderation_status or held) in HELD else State.PRESENT


def _comment(
    name: str,
    told: CommentSnippet,
    span: Span,
    root: str,
    above: str,
    ours: str,
    held: str,
    counts: dict[str, int],
) -> Observation:
    writer = told.author_channel_id.value if told.author_channel_id is not None else ""
    moderated = told.moderation_status or held
    if told.like_count is not None:
        counts["likes"] = told.like_count
    published, updated = moment(told.published_at), moment(told.updated_at)
    page = f"watch?v={root}&lc=" if root != ours else f"channel/{ours}?lc="
    return Observation(
        native_id=f"{root}/{name}",
        kind=Kind.REPLY if writer == ours else Kind.COMMENT,
        state=state_of_comment(told, held),
        author=_author(told, writer),
        text=plain(told.text_display) if told.text_original is None else told.text_original,
        url=f"{SITE}/{page}{name}",
        in_reply_to=above,
        published_at=published,
        edited_at=updated if published is not None and updated != published else None,
        counts=counts,
        extra={"moderation": moderated} if moderated in HELD else {},
        evidence=(span,),
    )


def _author(told: CommentSnippet, writer: str) -> Author | None:
    name, address = told.author_display_name, told.author_channel_url
    if not name:
        # By its id alone whoever wrote it keeps the name that is known.
        return Author(id=writer) if writer else None
    handle = name if name.startswith("@") else None
    if handle is None and address and (found := _HANDLE.search(address)):
        handle = found[1]
    return Author(id=writer or None, name=name, handle=handle)


# -- pieces --------------------------------------------------------------------------------------------------


def _pictures(read: Channel) -> Iterator[Attachment]:
    """The channel's picture and banner. Their addresses end in a size; what stands before it names the file."""
    address = _best(read.snippet.thumbnails)
    if address is not None:
        yield Attachment(id=f"picture:{_file(address)}", url=address)
    branding = read.branding_settings if isinstance(read.branding_settings, dict) else {}
    image = branding.get("image")
    banner = image.get("bannerExternalUrl") if isinstance(image, dict) else None
    if isinstance(banner, str) and banner:
        yield Attachment(id=f"banner:{_file(banner)}", url=banner)


def _thumbnail(read: Video) -> Iterator[Attachment]:
    """The picture that stands for a video. Its address names the video and not the picture."""
    address = _best(read.snippet.thumbnails)
    if address is not None:
        yield Attachment(id=f"thumbnail:{read.id}", url=address)


def _is_told(thumbnails: Any) -> bool:
    """Whether it is told which picture there is, or that there is none."""
    return isinstance(thumbnails, dict) and (not thumbnails or _best(thumbnails) is not None)


def _pictures_told(read: Channel) -> bool:
    if not isinstance(read.branding_settings, dict):
        return False
    image = read.branding_settings.get("image", {})
    banner = image.get("bannerExternalUrl", "") if isinstance(image, dict) else None
    return _is_told(read.snippet.thumbnails) and isinstance(banner, str)


def _best(told: Any) -> str | None:
    sizes = told if isinstance(told, dict) else {}
    for name in _SIZES:
        one = sizes.get(name)
        if isinstance(one, dict) and isinstance(one.get("url"), str) and one["url"]:
            return str(one["url"])
    return None


def _file(address: str) -> str:
    return urlsplit(address).path.rpartition("/")[2].partition("=")[0]


def _times(told: Any) -> dict[str, object] | None:
    """When a broadcast was to begin, began and ended; how many watched is a counter that nobody needs twice."""
    if not isinstance(told, dict):
        return None
    return {name: one for name, one in told.items() if name.endswith("Time")} or None


def _uploaded(told: Any) -> dict[str, object]:
    """Which file was uploaded, as far as a person would know it again: how it is encoded is left to its bytes."""
    if not isinstance(told, dict):
        return {}
    return _told(
        name=told.get("fileName"),
        size=_number(told, "fileSize"),
        container=told.get("container"),
        recorded=told.get("creationTime"),
    )


def _number(told: Mapping[str, Any], name: str) -> int | None:
    """A counter: YouTube writes them as texts."""
    found = told.get(name)
    if isinstance(found, str) and found.isascii() and found.isdecimal():
        return int(found[:18])
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _counted(**counts: int | None) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}


def _told(**told: object) -> dict[str, object]:
    return {name: one for name, one in told.items() if one not in (None, "", [], {})}


def _spelled(told: Any) -> str:
    if isinstance(told, list):
        return ", ".join(str(one) for one in told)
    return str(told).lower() if isinstance(told, bool) else str(told)
