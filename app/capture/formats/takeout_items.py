"""What the rows of a YouTube takeout say: named cells in, observations out. Pure.

Ids are YouTube's own, and named as the connector names them, so that what was
captured and is received again is one record. Which column is which is told by
its English name; of comments and of live chat, where the names are in another
language, by what stands in the cells, and otherwise not at all.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath

from app.capture.formats.source import Line, Unreadable
from connectors.contract import Attachment, Author, Kind, Observation, State

SITE = "https://www.youtube.com"
_EARLIEST = datetime(2005, 2, 14, tzinfo=UTC)
_COMMENT = re.compile(r"[\w-]{18,}(\.[\w-]+)?", re.ASCII)
_CHANNEL = re.compile(r"UC[\w-]{22}", re.ASCII)
_VIDEO = re.compile(r"[\w-]{11}", re.ASCII)
_SHORTENED = 40
"""A file's name of so many letters may be the beginning of a longer title."""

COMMENTS, CHAT, VIDEOS, POSTS, CHANNELS = "comments", "live chat", "videos", "posts", "channels"
_MARKS = {
    COMMENTS: {"comment id", "comment text"},
    CHAT: {"live chat id", "live chat text"},
    VIDEOS: {"video id", "video title (original)"},
    POSTS: {"post id", "post text"},
    CHANNELS: {"channel id", "channel title (original)"},
}
"""The columns by which a table is known."""
_ORDERED = {
    COMMENTS: (
        "comment id",
        "channel id",
        "comment create timestamp",
        "price",
        "parent comment id",
        "video id",
        "comment text",
    ),
    CHAT: ("live chat id", "channel id", "live chat create timestamp", "price", "video id", "live chat text"),
}
"""The columns of these in the order in which they have stood in every language."""


@dataclass(slots=True)
class Channel:
    """One of the channels whose takeout this is."""

    id: str
    title: str


@dataclass(slots=True)
class Told:
    """What the takeout says besides its rows."""

    channels: dict[str, Channel] = field(default_factory=dict)
    titles: Counter[str] = field(default_factory=Counter)
    """How many videos have a title that a file could bear."""
    films: dict[str, list[str]] = field(default_factory=dict)
    """The files of films, by their name as it can be compared."""
    film_starts: dict[str, list[str]] = field(default_factory=dict)
    title_starts: dict[str, list[str]] = field(default_factory=dict)
    """Long names and titles by how they begin: a file's name may be the beginning of a longer title."""
    pictures: dict[str, str] = field(default_factory=dict)
    """The pictures of the channel's posts, by their name."""
    by_title: int = 0
    odd_times: int = 0


def kind_of(header: Sequence[str], first: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """What a table holds and what its columns are called, or None where that is not known."""
    names = tuple(name.strip().casefold() for name in header)
    for what, marks in _MARKS.items():
        if marks <= set(names):
            return what, names
    for what, ordered in _ORDERED.items():
        if len(header) == len(first) == len(ordered) and _fits(dict(zip(ordered, first, strict=True))):
            return what, ordered
    return None


def _fits(row: Mapping[str, str]) -> bool:
    """Whether the cells are what such columns hold: ids, a time, and words in YouTube's own form."""
    when = row.get("comment create timestamp", row.get("live chat create timestamp", ""))
    text = row.get("comment text", row.get("live chat text", ""))
    identity = row.get("comment id", row.get("live chat id", ""))
    return bool(
        _COMMENT.match(identity)
        and _CHANNEL.fullmatch(row["channel id"])
        and moment(when)
        and _VIDEO.fullmatch(row["video id"])
        and text.startswith("{")
    )


def lines(what: str, row: Mapping[str, str], told: Told) -> list[Line]:
    """The observation of one row."""
    match what:
        case "comments":
            found = comment(row, told)
        case "live chat":
            found = chat(row, told)
        case "videos":
            found = video(row, told)
        case "posts":
            found = post(row, told)
        case _:
            found = channel(row, told)
    if len(told.channels) < 2:
        return [Line(None, None, found)]
    owner = told.channels.get(row.get("channel id", ""))
    if owner is None:
        raise Unreadable("it names none of the channels whose takeout this is")
    return [Line("youtube", owner.title, found)]


# -- comments ------------------------------------------------------------------------------------------------


def comment(row: Mapping[str, str], told: Told) -> Observation:
    """A comment that the channel wrote, under whatever it stands."""
    identity, under = _id(row, "comment id"), row.get("video id") or row.get("post id") or ""
    parent = row.get("parent comment id") or row.get("top-level comment id") or ""
    text, extra = _words(row, "comment text")
    extra |= _rest(row, "comment id", "channel id", "comment create timestamp", "video id", "comment text")
    root = f"{under}/" if under else ""
    page = f"watch?v={under}&lc=" if row.get("video id") else f"post/{under}?lc="
    return Observation(
        native_id=f"{root}{identity}",
        kind=Kind.REPLY,
        author=_author(row, told),
        text=text,
        url=f"{SITE}/{page}{identity}" if under else None,
        in_reply_to=f"{root}{parent}" if parent and parent != identity else under or None,
        published_at=_moment(row, "comment create timestamp", told, extra),
        extra=extra,
    )


def chat(row: Mapping[str, str], told: Told) -> Observation:
    """What the channel wrote in a live chat."""
    identity, under = _id(row, "live chat id"), row.get("video id") or ""
    text, extra = _words(row, "live chat text")
    extra |= _rest(
        row, "live chat id", "channel id", "live chat create timestamp", "video id", "live chat text"
    )
    extra["live_chat"] = True
    return Observation(
        native_id=f"chat:{identity}",
        kind=Kind.REPLY,
        author=_author(row, told),
        text=text,
        in_reply_to=under or None,
        published_at=_moment(row, "live chat create timestamp", told, extra),
        extra=extra,
    )


def _words(row: Mapping[str, str], name: str) -> tuple[str, dict[str, object]]:
    """The words of a comment, with what they link to: pieces of JSON in one form or another, or plain words."""
    told = row.get(name, "")
    pieces = _segments(told)
    if pieces is None:
        return told, {}
    text = "".join(str(one.get("text", "")) for one in pieces if isinstance(one.get("text", ""), str))
    more = [one for one in pieces if one.keys() - {"text"}]
    return text, {"segments": more} if more else {}


def _segments(told: str) -> list[Mapping[str, object]] | None:
    """`{"takeoutSegments": [{"text": …}]}`, or `{"text": …},{"text": …}`; None where it is neither."""
    if not told.lstrip().startswith("{"):
        return None
    decoder = json.JSONDecoder(strict=False)
    found: list[Mapping[str, object]] = []
    at = len(told) - len(told.lstrip())
    try:
        while at < len(told):
            value, at = decoder.raw_decode(told, at)
            listed = value.get("takeoutSegments", [value]) if isinstance(value, dict) else None
            if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
                return None
            found += listed
            after = re.compile(r"\s*,?\s*").match(told, at)
            at = after.end() if after else at
    except (ValueError, RecursionError):
        return None
    texts = [one["text"] for one in found if "text" in one]
    return found if texts and all(isinstance(one, str) for one in texts) else None


# -- videos and posts ----------------------------------------------------------------------------------------


def video(row: Mapping[str, str], told: Told) -> Observation:
    """A video: what the channel wrote about it, and its file where only one can be meant."""
    identity = _id(row, "video id")
    title, described = (
        row.get("video title (original)", "").strip(),
        row.get("video description (original)", "").strip(),
    )
    privacy = row.get("privacy", "").strip().casefold()
    extra = _rest(
        row, "video id", "channel id", "video title (original)", "video description (original)",
        "video publish timestamp", "video audio language",
    )  # fmt: skip
    published = _moment(row, "video publish timestamp", told, extra)
    path = film_of(title, told)
    if path is not None:
        extra["file_known_by"] = "its name, which is the title's"
        told.by_title += 1
    return Observation(
        native_id=identity,
        kind=Kind.POST,
        state={"public": State.PRESENT, "unlisted": State.HIDDEN, "private": State.HIDDEN}.get(
            privacy, State.UNKNOWN
        ),
        author=_author(row, told),
        text="\n\n".join(part for part in (title, described) if part),
        url=f"{SITE}/watch?v={identity}",
        published_at=published,
        language=row.get("video audio language") or None,
        attachments=(Attachment(id=f"film:{identity}", path=path),) if path else (),
        extra=extra,
    )


def film_of(title: str, told: Told) -> str | None:
    """The file of a video: the only one that bears its title, if no other video could bear the same."""
    wanted = comparable(title)
    if not wanted or told.titles[wanted] != 1:
        return None
    found = told.films.get(wanted, [])
    if not found:
        start = wanted[:_SHORTENED]
        names = [name for name in told.film_starts.get(start, ()) if wanted.startswith(name)]
        if len(names) != 1:
            return None
        fitting = [other for other in told.title_starts.get(start, ()) if other.startswith(names[0])]
        found = told.films[names[0]] if fitting == [wanted] else []
    return found[0] if len(found) == 1 else None


def know_title(title: str, told: Told) -> None:
    """Remember the title of a video, so that files are put to the only one that they fit."""
    wanted = comparable(title)
    told.titles[wanted] += 1
    if len(wanted) >= _SHORTENED and told.titles[wanted] == 1:
        told.title_starts.setdefault(wanted[:_SHORTENED], []).append(wanted)


def know_film(path: str, told: Told) -> None:
    """Remember a file of a film by its name."""
    name = comparable(PurePosixPath(path).stem)
    if name not in told.films and len(name) >= _SHORTENED:
        told.film_starts.setdefault(name[:_SHORTENED], []).append(name)
    told.films.setdefault(name, []).append(path)


def comparable(name: str) -> str:
    """A title or a file's name with nothing left that a file's name cannot hold."""
    folded = unicodedata.normalize("NFC", name).casefold()
    return re.sub(r"[\W_]+", "_", folded).strip("_")


def post(row: Mapping[str, str], told: Told) -> Observation:
    """What the channel published in words and pictures."""
    identity = _id(row, "post id")
    text, extra = _words(row, "post text")
    names = [value for name, value in row.items() if name.startswith("image name") and value]
    taken = [name for name in row if name.startswith("image name")]
    extra |= _rest(row, "post id", "channel id", "post create timestamp", "post text", *taken)
    return Observation(
        native_id=identity,
        kind=Kind.POST,
        author=_author(row, told),
        text=text,
        url=f"{SITE}/post/{identity}",
        published_at=_moment(row, "post create timestamp", told, extra),
        attachments=tuple(
            Attachment(id=f"picture:{PurePosixPath(name).name}", path=told.pictures.get(name, name))
            for name in dict.fromkeys(names)
        ),
        extra=extra,
    )


def channel(row: Mapping[str, str], told: Told) -> Observation:
    """The channel's name, and how it is shown."""
    identity = _id(row, "channel id")
    extra = _rest(row, "channel id", "channel title (original)", "channel create timestamp")
    hidden = row.get("channel visibility", "").strip().casefold() in {"private", "unlisted"}
    return Observation(
        native_id=identity,
        kind=Kind.PROFILE,
        state=State.HIDDEN if hidden else State.PRESENT,
        author=_author(row, told),
        text=row.get("channel title (original)", "").strip(),
        url=f"{SITE}/channel/{identity}",
        extra=extra | _rest({"created": row.get("channel create timestamp", "")}),
    )


# -- pieces --------------------------------------------------------------------------------------------------


def moment(written: str) -> datetime | None:
    """A time as YouTube writes it in tables; None where there is none or it cannot be read."""
    told = written.strip()
    if told.endswith(" UTC"):
        told = told.removesuffix(" UTC") + "+00:00"
    try:
        read = datetime.fromisoformat(told)
        if read.tzinfo is None:
            return None
        return read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(row: Mapping[str, str], name: str, told: Told, extra: dict[str, object]) -> datetime | None:
    """A moment; one that cannot be is kept as it is, in `extra`."""
    written = row.get(name, "")
    if not written.strip():
        return None
    found = moment(written)
    if found is None or found < _EARLIEST:
        told.odd_times += 1
        extra[f"{name}_as_given"] = written
        return None
    return found


def _id(row: Mapping[str, str], name: str) -> str:
    found = row.get(name, "").strip()
    if not found:
        raise Unreadable(f"a row without {name}")
    return found


def _author(row: Mapping[str, str], told: Told) -> Author | None:
    identity = row.get("channel id", "").strip()
    if not identity:
        return None
    owner = told.channels.get(identity)
    return Author(id=identity, name=owner.title if owner else None)


def _rest(row: Mapping[str, str], *taken: str) -> dict[str, object]:
    """Whatever has no field of its own, under its own name."""
    return {name: value for name, value in row.items() if value and name not in taken}
