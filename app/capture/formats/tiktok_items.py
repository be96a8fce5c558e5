"""What the items of a TikTok download say: one JSON item in, observations out. Pure.

TikTok has changed the names of its lists and of their values from year to
year, capital letters among them; here a value is found whatever its letters'
case. Where an item bears an id (in the address of a video), it is TikTok's
own, named as the connector names it; others are made from the second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from app.capture.formats.divided import decoded, rest
from app.capture.formats.download import short_digest
from app.capture.formats.seconds import Seconds
from app.capture.formats.source import Line, Unreadable
from connectors.contract import Author, Kind, Observation, State
from connectors.spans import NotJson

Json = Mapping[str, object]
SITE = "https://www.tiktok.com/@"
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*", re.ASCII)
"""A time, and not a day alone, of which no moment is made."""
_VIDEO = re.compile(r"/(?:video|photo|v)/(\d{15,25})(?:\D|\Z)")
_HOSTS = (".tiktok.com", ".tiktokv.com")
_EARLIEST = datetime(2014, 1, 1, tzinfo=UTC)
_NOTHING = frozenset({"", "N/A", "None", "none", "null"})
_SHOWN, _KEPT_BACK = (
    frozenset({"public", "everyone", "public to everyone"}),
    frozenset({"private", "only me", "only you", "friends", "followers", "mutual friends", "self only"}),
)


@dataclass(slots=True)
class Told:
    """What the download says besides its items."""

    handle: str = ""
    seconds: Seconds = field(default_factory=Seconds)
    """Which seconds several items without an id of their own fall on."""
    odd_times: int = 0


def lines(content: bytes, *, what: str, told: Told, under: str = "") -> Sequence[Line]:
    """The observation of one item, or `Unreadable`."""
    try:
        item = decoded(content)
    except NotJson as error:
        raise Unreadable(str(error)) from error
    match what, item:
        case "posts" | "deleted", dict():
            found = post(item, told, deleted=what == "deleted")
        case "comments", dict():
            found = comment(item, told)
        case "messages", dict():
            found = message(item, under)
        case "lives", dict():
            found = live(item, told)
        case "live words", dict():
            found = live_words(item, told, under)
        case "profile", dict():
            found = profile(item, told)
        case "blocked", list():
            found = blocked(item)
        case _:
            raise Unreadable("not what stands in such a list")
    return [Line(None, None, found)]


# -- posts -----------------------------------------------------------------------------------------------------


def mark(what: str, item: Json) -> str | None:
    """The second by which an item without an id is known; None where it has one, or no time."""
    if what in {"posts", "deleted"} and _video_of(text(item, "Link")):
        return None
    at = _second(text(item, "Date"))
    return f"{what}:{at}" if at else None


def post(item: Json, told: Told, *, deleted: bool) -> Observation:
    """A video or a set of pictures that the page published."""
    link = text(item, "Link")
    at = text(item, "Date")
    extra: dict[str, object] = {}
    published = _moment(at, told, extra)
    title = text(item, "Title") or text(item, "Description") or text(item, "Caption")
    ours = _is_page(link)
    taken = {"Date", "Likes", "Title" if text(item, "Title") else "Description"} | (
        {"Link"} if ours else set()
    )
    extra |= _rest(item, taken)
    likes = text(item, "Likes")
    return Observation(
        native_id=_video_of(link) or _made("posts" if not deleted else "deleted", item, told, title),
        kind=Kind.POST,
        state=State.GONE if deleted else _state(text(item, "WhoCanView")),
        author=Author(handle=told.handle or None) if told.handle else None,
        text=title,
        url=link if ours else None,
        published_at=published,
        counts={"likes": int(likes)} if likes.isascii() and likes.isdecimal() and len(likes) < 16 else {},
        extra=extra,
    )


def _state(word: str) -> State:
    """Who can see it, in TikTok's words; other words are kept, and not guessed at."""
    if word.casefold() in _SHOWN:
        return State.PRESENT
    return State.HIDDEN if word.casefold() in _KEPT_BACK else State.UNKNOWN


def _second(at: str) -> str:
    """A time as ids hold it: some editions name its zone, which is the same in all."""
    return at.strip().removesuffix(" UTC")


def _made(what: str, item: Json, told: Told, words: str) -> str:
    at = _second(text(item, "Date"))
    if not at:
        raise Unreadable("it bears neither an id nor a time")
    shared = told.seconds.shared(f"{what}:{at}")
    name = {"posts": "post", "deleted": "deleted", "comments": "comment"}[what]
    return f"{name}:{at}" + (
        f":{short_digest(words, text(item, 'Sound'), text(item, 'Url'))}" if shared else ""
    )


# -- what the page wrote ---------------------------------------------------------------------------------------


def comment(item: Json, told: Told) -> Observation:
    """A comment that the page wrote; below which video, where the download says so."""
    extra: dict[str, object] = {}
    address = text(item, "Url")
    words = text(item, "Comment")
    return Observation(
        native_id=_made("comments", item, told, words),
        kind=Kind.REPLY,
        author=Author(handle=told.handle or None) if told.handle else None,
        text=words,
        in_reply_to=_video_of(address),
        published_at=_moment(text(item, "Date"), told, extra),
        extra=extra | ({"on": address} if address else {}) | _rest(item, {"Date", "Comment", "Url"}),
    )


def live(item: Json, told: Told) -> Observation:
    """A live stream that the page held; whether it can still be seen, a download does not say."""
    extra: dict[str, object] = {"live": True}
    begins, room = text(item, "LiveStartTime"), text(item, "RoomId")
    if not begins and not room:
        raise Unreadable("it bears neither an id nor a time")
    return Observation(
        native_id=f"live:{room or begins}",
        kind=Kind.POST,
        state=State.UNKNOWN,
        author=Author(handle=told.handle or None) if told.handle else None,
        text=text(item, "RoomTitle"),
        published_at=_moment(begins, told, extra),
        extra=extra | _rest(item, {"RoomTitle", "LiveStartTime"}),
    )


def live_words(item: Json, told: Told, under: str) -> Observation:
    """What the page wrote, or asked, in somebody's live stream."""
    extra: dict[str, object] = {"live": under}
    words = text(item, "CommentContent") or text(item, "QuestionContent")
    at = text(item, "CommentTime") or text(item, "QuestionTime")
    if not words and not at:
        raise Unreadable("neither words nor a time")
    taken = {"CommentContent", "QuestionContent", "CommentTime", "QuestionTime"}
    return Observation(
        native_id=f"live-comment:{under}:{_second(at)}:{short_digest(words)}",
        kind=Kind.REPLY,
        author=Author(handle=told.handle or None) if told.handle else None,
        text=words,
        in_reply_to=f"live:{under}",
        published_at=_moment(at, told, extra),
        extra=extra | _rest(item, taken),
    )


def message(item: Json, under: str) -> Observation:
    """A private message, with the conversation in which it stands."""
    extra: dict[str, object] = {"conversation": under}
    sender, words, at = text(item, "From"), text(item, "Content"), text(item, "Date")
    published = _moment(at, Told(), extra)
    return Observation(
        native_id=f"dm:{_second(at)}:{short_digest(under, sender, words)}",
        kind=Kind.MESSAGE,
        private=True,
        author=Author(name=sender, handle=sender) if sender else None,
        text=words,
        published_at=published,
        extra=extra | _rest(item, {"From", "Content", "Date"}),
    )


# -- the page itself -------------------------------------------------------------------------------------------


def profile(item: Json, told: Told) -> Observation:
    """What the page says of itself, with everything that TikTok knows of it."""
    handle = text(item, "userName") or told.handle
    return Observation(
        native_id="profile",
        kind=Kind.PROFILE,
        author=Author(name=text(item, "displayName") or handle or None, handle=handle or None),
        text=text(item, "bioDescription"),
        url=f"{SITE}{handle}" if handle else None,
        extra=_rest(item, {"userName", "bioDescription"}),
    )


def blocked(listed: Sequence[object]) -> Observation:
    """Whom the page has blocked: the list is one record."""
    people = [one for one in listed if isinstance(one, dict)]
    names = sorted({name for one in people if (name := text(one, "UserName"))})
    return Observation(
        native_id="blocked",
        kind=Kind.PROFILE,
        text="\n".join(names),
        counts={"accounts": len(people)},
        extra={"accounts": [dict(one) for one in people]},
        private=True,
    )


# -- pieces ----------------------------------------------------------------------------------------------------


def text(item: Json, name: str) -> str:
    """A value as text, whatever the case of its name; what TikTok writes for nothing is nothing."""
    value = item.get(name)
    if value is None:
        wanted = name.casefold()
        value = next((one for key, one in item.items() if key.casefold() == wanted), None)
    told = value if isinstance(value, str) else str(value) if type(value) is int else ""
    return "" if told.strip() in _NOTHING else told


def _rest(item: Json, taken: set[str]) -> dict[str, object]:
    names = {name.casefold() for name in taken}
    more = rest(item, {key for key in item if key.casefold() in names})
    return {
        name: value for name, value in more.items() if value not in _NOTHING or not isinstance(value, str)
    }


def _moment(at: str, told: Told, extra: dict[str, object]) -> datetime | None:
    """A time, which TikTok writes in UTC; one that cannot be is kept as it stands."""
    if not at:
        return None
    try:
        written = at.removesuffix(" UTC").removesuffix(" (UTC)").strip()
        found = datetime.fromisoformat(written if _WRITTEN.fullmatch(written) else "")
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if found >= _EARLIEST:
            return found
    except (ValueError, OverflowError):
        pass
    told.odd_times += 1
    extra["written_at"] = at
    return None


def _video_of(link: str) -> str | None:
    """The id of the video that an address of TikTok names."""
    found = _VIDEO.search(link) if _is_page(link) else None
    return found[1] if found else None


def _is_page(link: str) -> bool:
    try:
        host = (urlsplit(link).hostname or "").lower()
    except ValueError:
        return False
    return f".{host}".endswith(_HOSTS)
