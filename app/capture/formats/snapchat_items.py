"""What the items of a Snapchat download say: one JSON item in, observations out. Pure.

Snapchat's items bear no ids; they are made from the second, the conversation
and the words. A file is found by the id that its item names: the names of the
files hold it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from app.capture.formats.divided import decoded, rest
from app.capture.formats.download import short_digest
from app.capture.formats.source import Line, Unreadable
from connectors.contract import Attachment, Author, Kind, Observation, State
from connectors.spans import NotJson

Json = Mapping[str, object]
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
_EARLIEST = datetime(2011, 7, 1, tzinfo=UTC)


@dataclass(slots=True)
class Told:
    """What the download says besides its items."""

    username: str = ""
    name: str = ""
    files: dict[str, list[str]] = field(default_factory=dict)
    """The paths of files by the id that their names hold."""
    odd_times: int = 0


def lines(content: bytes, *, what: str, told: Told, under: str = "") -> Sequence[Line]:
    """The observation of one item, or `Unreadable`."""
    try:
        item = decoded(content)
    except NotJson as error:
        raise Unreadable(str(error)) from error
    if not isinstance(item, dict):
        raise Unreadable("not what stands in such a list")
    match what:
        case "messages" | "sent" | "received":
            found = message(item, told, what, under)
        case "memories":
            found = memory(item, told)
        case "shared":
            found = shared(item, told)
        case _:
            found = profile(item, told)
    return [Line(None, None, found)]


def message(item: Json, told: Told, what: str, under: str) -> Observation:
    """A message that was kept in a chat. What was not kept by either side is not in a download."""
    own = item.get("IsSender") is True or what == "sent"
    other = text(item, "From") or text(item, "To")
    sender = (told.username or "the page itself") if own else other
    words = text(item, "Content") or text(item, "Text")
    conversation = text(item, "Conversation Title") or under or other
    at = text(item, "Created")
    exactly = item.get("Created(microseconds)")
    if not at and not words:
        raise Unreadable("neither words nor a time")
    extra: dict[str, object] = {"conversation": conversation, "with": under or other}
    media = [one for part in text(item, "Media IDs").split("|") if (one := part.strip())]
    return Observation(
        native_id=f"dm:{at}:{short_digest(under or other, sender, words, exactly or '', *media)}",
        kind=Kind.MESSAGE,
        private=True,
        author=Author(name=sender, handle=sender) if sender else None,
        text=words,
        published_at=_moment(at, told, extra),
        attachments=tuple(_attachment(one, told) for one in media),
        extra=extra
        | rest(item, {"From", "To", "Content", "Text", "Conversation Title", "Created", "IsSender"}),
    )


def memory(item: Json, told: Told) -> Observation:
    """A picture or film that the page kept for itself."""
    at = text(item, "Date")
    link = text(item, "Download Link") or text(item, "Media Download Url")
    name = media_id(link)
    if not at and not name:
        raise Unreadable("it bears neither an id nor a time")
    extra: dict[str, object] = {"listed_as": "memories"}
    attachment = (_attachment(name, told),) if name and name in told.files else ()
    return Observation(
        native_id=f"memory:{name or at}",
        kind=Kind.POST,
        state=State.HIDDEN,
        author=_self(told),
        published_at=_moment(at, told, extra),
        attachments=attachment,
        extra=extra | rest(item, {"Date", "Download Link", "Media Download Url"}),
    )


def shared(item: Json, told: Told) -> Observation:
    """A story that the page handed to the public; whether it is still shown is not said."""
    at = text(item, "Created") or text(item, "Story Date")
    link = text(item, "Story Url") or text(item, "Story URL")
    if text(item, "Action Type"):
        raise Unreadable("somebody's story that was looked at, not one that was published")
    if not at and not link:
        raise Unreadable("it bears neither an address nor a time")
    extra: dict[str, object] = {}
    return Observation(
        native_id=f"story:{text(item, 'Story Id') or link or at}",
        kind=Kind.POST,
        state=State.UNKNOWN,
        author=_self(told),
        text=text(item, "Content"),
        url=link or None,
        published_at=_moment(at, told, extra),
        extra=extra | rest(item, {"Content", "Created", "Story Date", "Story Url", "Story URL"}),
    )


def profile(item: Json, told: Told) -> Observation:
    """What the page is called, and whatever else stands beside it."""
    return Observation(
        native_id="profile",
        kind=Kind.PROFILE,
        author=_self(told),
        text=told.name,
        extra=dict(item),
    )


def media_id(link: str) -> str | None:
    """The id of a file, as the address of its download names it."""
    try:
        found = parse_qs(urlsplit(link).query)
    except ValueError:
        return None
    return next((found[name][0] for name in ("mid", "sid") if found.get(name)), None)


def text(item: Json, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _attachment(name: str, told: Told) -> Attachment:
    """A file of the download that bears this id in its name; a gap where there is none, or more than one."""
    paths = told.files.get(name, [])
    return Attachment(id=name, path=paths[0] if len(paths) == 1 else name)


def _self(told: Told) -> Author | None:
    return Author(name=told.name or told.username, handle=told.username or None) if told.username else None


def _moment(at: str, told: Told, extra: dict[str, object]) -> datetime | None:
    found = _TIME.fullmatch(at.strip())
    try:
        if found is not None:
            moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
            if moment >= _EARLIEST:
                return moment
    except ValueError:
        pass
    if at:
        told.odd_times += 1
        extra["written_at"] = at
    return None
