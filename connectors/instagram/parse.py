"""What Instagram's answers say: JSON bytes in, observations with spans out. Asks nobody.

Posts, comments and messages are known by Instagram's own numbers. What is seen
by another way than the account's own list carries by which: `story:12`,
`tagged:3`, `mention:4`, `mention-comment:5`. The account itself is known by its
number.

A comment of the account itself is a reply, as everywhere in this archive; what
answers what is said by `in_reply_to`. Instagram knows two levels: what answers
a reply hangs on the comment above it.

Instagram tells no time of an edit, neither of captions nor of comments.

Unknown keys are ignored, and what a permission may leave out (above all, who
wrote a comment) may be missing. Ids are required: an answer of another shape
raises rather than archive an emptied post.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors import graph, spans
from connectors.contract import Attachment, Author, Gap, Kind, Observation, Span, State
from connectors.graph import Edge, moment, path_of
from connectors.instagram.place import COMMENTS, REPLIES
from connectors.instagram.shapes import Account, Comment, Media, Message, Standing
from connectors.pieces import Seen

SITE = "https://www.instagram.com/"
STORY = "story"
TAGGED = "tagged"
MENTION = "mention"
MENTION_COMMENT = "mention-comment"

SHOWN_FOR = timedelta(hours=24)
"""So long a story is shown."""

_ALBUM = "CAROUSEL_ALBUM"
_VIDEO = "VIDEO"

# -- observations --------------------------------------------------------------------------------------------


def naming(way: str) -> Callable[[str], str]:
    """By what is known in the archive what was seen by a `way`, of the number that it bears."""
    return (lambda number: f"{way}:{number}") if way else str


def account(seen: Seen[Account]) -> Observation:
    """The account's own introduction."""
    read = seen.what
    words = (read.name or read.username, read.biography, read.website)
    picture = read.profile_picture_url
    return Observation(
        native_id=read.number,
        kind=Kind.PROFILE,
        author=Author(id=read.number, name=read.name, handle=read.username or None),
        text="\n\n".join(told.strip() for told in words if told and told.strip()),
        url=SITE + read.username if read.username else None,
        attachments=(Attachment(id=f"picture:{_file_name(picture)}", url=picture),) if picture else (),
        counts=_counted(followers=read.followers_count, follows=read.follows_count, posts=read.media_count),
        evidence=(seen.span,),
    )


def post(seen: Seen[Media], ours: str, way: str = "", *, described: bool = False) -> Observation:
    """A post of the account whose number is `ours`; or what was seen by another `way`: a story, a tag, a mention.

    `described` says that it was asked what is written for those who cannot see it: none is then told where none stands.
    """
    read = seen.what
    published = moment(read.timestamp)
    extra = {
        "type": read.media_product_type,
        "media_type": read.media_type,
        "comments_off": read.is_comment_enabled is False or None,
        "tagged": way == TAGGED or None,
        "mentions": way == MENTION or None,
        "shown_until": (published + SHOWN_FOR).isoformat() if way == STORY and published else None,
    }
    own = way in {"", STORY}
    return Observation(
        native_id=f"{way}:{read.id}" if way else read.id,
        kind=Kind.POST,
        author=Author(id=ours if own else None, handle=read.username) if own or read.username else None,
        text=(read.caption or "").strip(),
        url=read.permalink,
        published_at=published,
        attachments=tuple(_files(read, "" if described else None)),
        files_told=_parts(read)[1],
        counts=_counted(likes=read.like_count, comments=read.comments_count),
        extra={name: told for name, told in extra.items() if told},
        evidence=(seen.span,),
    )


def comment(seen: Seen[Comment], answers: str, ours: str, username: str) -> Observation:
    """A comment, or a reply, that answers the item `answers` on the account whose number and name are given."""
    read = seen.what
    writer, handle = read.writer, read.username
    identity = writer.id or None if writer is not None else None
    if writer is not None and writer.username:
        handle = writer.username
    own = (
        read.user is not None
        or identity == ours
        or (handle is not None and handle.lower() == username.lower())
    )
    return Observation(
        native_id=read.id,
        kind=Kind.REPLY if own else Kind.COMMENT,
        state=state_of(read),
        author=Author(id=identity, handle=handle) if identity or handle else None,
        text=read.text or "",
        in_reply_to=answers,
        published_at=moment(read.timestamp),
        counts={} if read.like_count is None else {"likes": read.like_count},
        evidence=(seen.span,),
    )


def mention(seen: Seen[Comment], media: str) -> Observation:
    """A comment of somebody's on another account's post, `media`, which names this one."""
    read = seen.what
    return Observation(
        native_id=f"{MENTION_COMMENT}:{read.id}",
        kind=Kind.COMMENT,
        author=Author(handle=read.username) if read.username else None,
        text=read.text or "",
        in_reply_to=f"{MENTION}:{media}",
        published_at=moment(read.timestamp),
        counts=_counted(likes=read.like_count),
        extra={"mentions": True},
        evidence=(seen.span,),
    )


def message(seen: Seen[Message], conversation: str) -> Observation | None:
    """A private message; None where Instagram tells no more of it than that it is there."""
    read = seen.what
    if read.message is None and read.writer is None:
        return None
    listed, whole = graph.listed(read.attachments)
    told = [one for one in listed if graph.is_file(one)]
    files = [
        Attachment(
            id=f"file:{one.get('id') or _file_name(address)}",
            url=address,
            media_type=_text(one, "mime_type"),
            description=_text(one, "name"),
        )
        for one in told
        if (address := _where(one)) is not None
    ]
    extra = {
        "conversation": conversation,
        "to": [{name: one[name] for name in ("id", "username") if one.get(name)} for one in _data(read.to)],
        "links": [link for one in _data(read.shares) if (link := _text(one, "link"))],
        "story": read.story,
    }
    writer = read.writer
    return Observation(
        native_id=read.id,
        kind=Kind.MESSAGE,
        author=Author(id=writer.id or None, handle=writer.username)
        if writer is not None and (writer.id or writer.username)
        else None,
        text=read.message or "",
        published_at=moment(read.created_time),
        attachments=tuple(files),
        files_told=whole and len(told) == len(listed),
        extra={name: one for name, one in extra.items() if one},
        private=True,
        evidence=(seen.span,),
    )


def comments_within(body: bytes, seen: Seen[Media]) -> Edge[Comment] | None:
    """The comments that stand inside a post's own bytes; None where none were told."""
    return _within(body, seen, COMMENTS)


def replies_within(body: bytes, seen: Seen[Comment]) -> Edge[Comment] | None:
    """The replies that stand inside a comment's own bytes; None where none were told."""
    return _within(body, seen, REPLIES)


def place_of(body: bytes, seen: Seen[Any], name: str) -> Span | None:
    """The bytes of a member of an object; None where it has none of that name."""
    where = spans.member(body, (seen.span.start, seen.span.end), name)
    return None if where is None else Span(seen.span.exchange, *where)


def state_of(read: Comment | Standing) -> State:
    """How an item stands, by what the account's own people are told of it."""
    return State.HIDDEN if read.hidden else State.PRESENT


def times(seen: Sequence[Seen[Any]]) -> list[datetime]:
    """When these were published, as far as they say."""
    told = (getattr(one.what, "timestamp", None) or getattr(one.what, "created_time", None) for one in seen)
    return [at for one in told if (at := moment(one)) is not None]


def without_files(seen: Seen[Media]) -> Gap | None:
    """What Instagram shows on its page and gives no address of: music under licence, or a claim on the rights."""
    read = seen.what
    parts, whole = _parts(read)
    lacking = (
        sum(not _text(one, "media_url") for one in parts) if parts else int(whole and not read.media_url)
    )
    if not lacking:
        return None
    what = f"{lacking} of {len(parts)} files of a post" if parts else "the file of a post"
    return Gap(
        what=what,
        why="Instagram gives no address for it: it does so for what bears music under licence, or is claimed by "
        "somebody else. Keep the file that was published",
        native_id=read.id,
        since=moment(read.timestamp),
        until=moment(read.timestamp),
    )


# -- pieces --------------------------------------------------------------------------------------------------


def _within(body: bytes, seen: Seen[Any], name: str) -> Edge[Comment] | None:
    where = spans.member(body, (seen.span.start, seen.span.end), name)
    if where is None or body[slice(*where)] == b"null":
        return None
    return graph.edge(body, where, seen.span.exchange, Comment)


def _files(read: Media, none: str | None) -> Iterator[Attachment]:
    """The pictures and videos of a post, in their order. Their addresses run out within days; their ids stay.

    `none` is what it means that no description stands there.
    """
    parts, whole = _parts(read)
    if not parts and whole:
        yield from _file(read.id, read.media_type, read.media_url, read.thumbnail_url, read.alt_text or none)
    for one in parts:
        identity = graph.number(one)
        if identity is not None:
            yield from _file(
                identity,
                _text(one, "media_type"),
                _text(one, "media_url"),
                _text(one, "thumbnail_url"),
                _text(one, "alt_text") or none,
            )


def _file(
    identity: str, kind: str | None, address: str | None, cover: str | None, described: str | None
) -> Iterator[Attachment]:
    if address:
        yield Attachment(id=f"media:{identity}", url=address, description=described)
    if kind == _VIDEO and cover:
        yield Attachment(id=f"cover:{identity}", url=cover)


def _parts(read: Media) -> tuple[list[Mapping[str, Any]], bool]:
    """The pictures and videos of an album that can be read, and whether all can; nothing else has any."""
    return graph.parts(read.children) if read.media_type == _ALBUM else ([], True)


def _data(told: Any) -> list[Mapping[str, Any]]:
    """The objects of a list that stands inside another object."""
    return graph.listed(told)[0]


def _where(one: Mapping[str, Any]) -> str | None:
    """The address of a file in a message."""
    for name in ("image_data", "video_data"):
        found = _text(one.get(name), "url")
        if found is not None:
            return found
    return _text(one, "file_url")


def _file_name(address: str) -> str:
    """The name of a file in its address: what stays when an address is signed anew."""
    return path_of(address).rpartition("/")[2] or hashlib.sha256(address.encode()).hexdigest()[:24]


def _text(told: Any, name: str) -> str | None:
    """A text inside an object that may be missing."""
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None


def _counted(**counts: int | None) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}
