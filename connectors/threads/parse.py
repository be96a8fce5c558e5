"""What the answers of Threads say: JSON bytes in, observations with spans out. Asks nobody.

Posts and what answers them are known by the numbers of Threads. What somebody
else published elsewhere, and names the account, is `mention:` and its number.

What an item is follows from the item alone, so that it is the same wherever it
was met: what answers something is a reply where the account itself wrote it,
else a comment; anything else is a post.

Threads tells neither the time of an edit nor counts of likes and views.

Unknown keys are ignored, and what a permission may leave out (above all, who
wrote an answer) may be missing. Ids are required: an answer of another shape
raises rather than archive an emptied post.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors import graph
from connectors.contract import Attachment, Author, Gap, Kind, Observation, State
from connectors.graph import moment, number, path_of
from connectors.pieces import Seen
from connectors.threads.shapes import Account, Media

SITE = "https://www.threads.com/@"
MENTION = "mention"

_ALBUM = "CAROUSEL_ALBUM"
_WITH_FILES = frozenset({"IMAGE", "VIDEO", "AUDIO"})
_SHOWN = frozenset({"", "NOT_HUSHED", "UNHUSHED"})
"""How an answer stands that nobody has hidden, or that was shown again; all others are kept from the public."""
_OPTIONS = ("option_a", "option_b", "option_c", "option_d")


def naming(*, mention: bool) -> Callable[[str], str]:
    """By what an item of a list is known in the archive, of the number that it bears."""
    return (lambda number: f"{MENTION}:{number}") if mention else str


def account(seen: Seen[Account]) -> Observation:
    """The account's own introduction."""
    read = seen.what
    picture = read.threads_profile_picture_url
    words = (read.name or read.username, read.threads_biography)
    return Observation(
        native_id=read.id,
        kind=Kind.PROFILE,
        author=Author(id=read.id, name=read.name, handle=read.username or None),
        text="\n\n".join(told.strip() for told in words if told and told.strip()),
        url=SITE + read.username if read.username else None,
        attachments=(Attachment(id=f"picture:{_file_name(picture)}", url=picture),) if picture else (),
        extra={"verified": True} if read.is_verified else {},
        evidence=(seen.span,),
    )


def media(
    seen: Seen[Media],
    ours: str,
    username: str,
    *,
    below: str = "",
    mention: bool = False,
    described: bool = False,
) -> Observation:
    """A post, or an answer, seen by the account whose number and name are given.

    `described` says that it was asked what is written for those who cannot see it: none is then told where none stands.

    `below` is the post in whose conversation it stood: it answers that one
    where Threads does not say which. `mention` is what was listed for naming
    the account.
    """
    read = seen.what
    answers = read.replied_to.id if read.replied_to is not None else below or None
    own = bool(read.is_reply_owned_by_me) or (
        read.username is not None and read.username.lower() == username.lower()
    )
    kind = Kind.POST if answers is None else Kind.REPLY if own else Kind.COMMENT
    extra = {
        "media_type": read.media_type,
        "quotes": _identity(read.quoted_post),
        "reposts": _identity(read.reposted_post),
        "topic": read.topic_tag if isinstance(read.topic_tag, str) else None,
        "links": _links(read),
        "who_may_answer": read.reply_audience if isinstance(read.reply_audience, str) else None,
        "spoiler": read.is_spoiler_media or None,
        "root": read.root_post.id if read.root_post is not None else below or None,
        "hide_status": read.hide_status if (read.hide_status or "") not in _SHOWN else None,
        "approval": read.reply_approval_status,
        "ghost": read.ghost_post_status,
        "shown_until": read.ghost_post_expiration_timestamp,
        "mentions": mention or None,
    }
    author = Author(id=ours if own else None, handle=read.username) if own or read.username else None
    return Observation(
        native_id=f"{MENTION}:{read.id}" if mention else read.id,
        kind=kind,
        state=state_of(read),
        author=author,
        text="\n\n".join(_words(read)),
        url=read.permalink,
        in_reply_to=answers,
        published_at=moment(read.timestamp),
        attachments=tuple(_files(read, "" if described else None)),
        files_told=_parts(read)[1],
        extra={name: told for name, told in extra.items() if told},
        evidence=(seen.span,),
    )


def state_of(read: Media) -> State:
    """How an item stands: hidden by the account, waiting for its approval, or archived by Threads itself."""
    hidden = (
        (read.hide_status or "").upper() not in _SHOWN
        or read.reply_approval_status is not None
        or read.ghost_post_status == "ARCHIVED"
    )
    return State.HIDDEN if hidden else State.PRESENT


def times(seen: Sequence[Seen[Media]]) -> list[datetime]:
    """When these were published, as far as they say."""
    return [at for one in seen if (at := moment(one.what.timestamp)) is not None]


def without_files(seen: Seen[Media]) -> Gap | None:
    """What Threads shows on its page and gives no address of."""
    read = seen.what
    parts, whole = _parts(read)
    if parts or not whole:
        lacking = sum(not _text(one, "media_url") for one in parts)
    else:
        lacking = int(read.media_type in {*_WITH_FILES, _ALBUM} and not read.media_url)
    if not lacking:
        return None
    what = f"{lacking} of {len(parts)} files of a post" if parts else "the file of a post"
    return Gap(
        what=what,
        why="Threads gives no address for it: it does so for what is claimed by somebody else, or flagged for it. Keep "
        "the file that was published",
        native_id=read.id,
        since=moment(read.timestamp),
        until=moment(read.timestamp),
    )


# -- pieces --------------------------------------------------------------------------------------------------


def _words(read: Media) -> Iterator[str]:
    """What a post says: its text, the long text attached to it, and what a poll asks."""
    for told in (read.text, _text(read.text_attachment, "plaintext")):
        if told and told.strip():
            yield told.strip()
    asked = [told for name in _OPTIONS if (told := _text(read.poll_attachment, name))]
    if asked:
        yield "\n".join(f"- {told}" for told in asked)


def _links(read: Media) -> list[str]:
    told = (read.link_attachment_url, _text(read.text_attachment, "link_attachment_url"))
    return [*dict.fromkeys(link for link in told if link)]


def _files(read: Media, none: str | None) -> Iterator[Attachment]:
    """The pictures, videos and sounds of a post, in their order. Their addresses run out; their ids stay.

    `none` is what it means that no description stands there.
    """
    parts, whole = _parts(read)
    if not parts and whole:
        yield from _file(read.id, read.media_type, read.media_url, read.thumbnail_url, read.alt_text or none)
    for one in parts:
        identity = number(one)
        if identity is not None:
            address, cover = _text(one, "media_url"), _text(one, "thumbnail_url")
            told = _text(one, "alt_text") or none
            yield from _file(identity, _text(one, "media_type"), address, cover, told)
    if read.gif_url:
        yield Attachment(id=f"gif:{_digest(read.gif_url)}", url=read.gif_url)


def _file(
    identity: str, kind: str | None, address: str | None, cover: str | None, described: str | None
) -> Iterator[Attachment]:
    if address:
        yield Attachment(id=f"media:{identity}", url=address, description=described)
    if kind == "VIDEO" and cover:
        yield Attachment(id=f"cover:{identity}", url=cover)


def _identity(told: Any) -> str | None:
    """The number of a post inside another: an object with its id, or the id alone."""
    return told if isinstance(told, str) and told else _text(told, "id")


def _parts(read: Media) -> tuple[list[Mapping[str, Any]], bool]:
    """The pictures and videos of an album that can be read, and whether all can; nothing else has any."""
    return graph.parts(read.children) if read.media_type == _ALBUM else ([], True)


def _digest(address: str) -> str:
    return hashlib.sha256(path_of(address).encode()).hexdigest()[:24]


def _file_name(address: str) -> str:
    """The name of a file in its address: what stays when an address is signed anew."""
    return path_of(address).rpartition("/")[2] or _digest(address)


def _text(told: Any, name: str) -> str | None:
    """A text inside an object that may be missing."""
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None
