"""What the items of an Instagram download say: one JSON item in, observations out. Pure.

The download bears no ids. One is made from what stays the same from one
download to the next: the second of publication, and where two share a second,
the files that are shown too, or without any, the words. Labels of comments and
of the introduction are in the language of whoever asked; where one is not
known, all words are taken with their labels, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from app.capture.formats.divided import decoded, rest
from app.capture.formats.download import short_digest
from app.capture.formats.facebook_items import path_of, texts_in
from app.capture.formats.mended import Mended
from app.capture.formats.seconds import Seconds
from app.capture.formats.source import Line, Unreadable
from connectors.contract import Attachment, Author, Kind, Observation, State
from connectors.spans import NotJson

SHOWN_FOR = timedelta(hours=24)
"""So long a story is shown."""
_EARLIEST = datetime(2010, 10, 6, tzinfo=UTC)
"""The day on which Instagram began."""
_MILLISECONDS = 100_000_000_000
_LABELS_DEEP = 20

_WORDS = frozenset({"comment", "opmerking", "kommentar", "commentaire", "comentario", "commento"})
_WHOSE = frozenset({"media owner", "media-eigenaar"})
_NAMES = frozenset(
    {
        "username",
        "gebruikersnaam",
        "benutzername",
        "nom d’utilisateur",
        "nom d'utilisateur",
        "nombre de usuario",
        "nome utente",
        "nome de usuário",
    }
)
"""What the page's name is called, in languages in which a download may be asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the items of a list are: the beginning of their ids, how they stand, and what else is to be said."""

    prefix: str
    state: State
    listed: str = ""


POSTS = Shown("post", State.PRESENT)
STORIES = Shown("story", State.UNKNOWN)
ARCHIVED = Shown("post", State.HIDDEN, "archived")
TRASHED = Shown("post", State.HIDDEN, "trashed")
OTHERS = Shown("post", State.UNKNOWN, "other content")
PICTURES = Shown("picture", State.UNKNOWN, "profile pictures")
COMMENTS = Shown("comment", State.PRESENT)
PROFILE = Shown("profile", State.PRESENT)


@dataclass(slots=True)
class Told:
    """What one file says besides its items, and what the items of all files share."""

    shown: Shown
    mended: Mended
    owner: str | None
    place: str = ""
    seconds: Seconds = field(default_factory=Seconds)
    """Which ids several items would have if they were made from the time alone."""
    odd_times: int = 0


def lines(content: bytes, told: Told) -> list[Line]:
    """The observation of one item."""
    try:
        item = decoded(content)
    except NotJson as error:
        raise Unreadable(str(error)) from error
    if not isinstance(item, dict):
        raise Unreadable("not a JSON object")
    before = told.mended.texts
    if told.shown is PROFILE:
        made = _profile(item, told)
    elif "label_values" in item:
        made = _labelled(item, told)
    elif told.shown is COMMENTS:
        made = _comment(item, told)
    else:
        made = _post(item, told)
    if told.mended.texts > before:
        made.extra["encoding_put_right"] = told.mended.texts - before
    line, plain = made.line(), plain_id(item, told.shown)
    if plain is None or plain.endswith(":None"):
        return [line]
    return [replace(line, other=partial(_other, item, plain, made.native_id))]


@dataclass(slots=True, kw_only=True)
class _Made:
    """An observation that is being put together."""

    native_id: str
    kind: Kind
    state: State
    author: Author | None
    text: str
    extra: dict[str, object]
    published_at: datetime | None = None
    url: str | None = None
    attachments: Sequence[Attachment] = ()

    def line(self) -> Line:
        unique = {one.id: one for one in self.attachments}
        return Line(
            None,
            None,
            Observation(
                native_id=self.native_id,
                kind=self.kind,
                state=self.state,
                author=self.author,
                text=self.text,
                url=self.url,
                published_at=self.published_at,
                attachments=tuple(unique.values()),
                extra=self.extra,
            ),
        )


# -- ids ---------------------------------------------------------------------------------------------------


def plain_id(item: Mapping[str, object], shown: Shown) -> str | None:
    """The id that an item would have if no other shared its time; None where it has one of its own."""
    if shown is PROFILE or item.get("fbid") is not None:
        return None
    return f"{shown.prefix}:{_second(item)}"


def _native(item: Mapping[str, object], told: Told) -> str:
    if (own := item.get("fbid")) is not None:
        return f"{told.shown.prefix}:{own}"
    made = plain_id(item, told.shown)
    assert made is not None, "an item without an id of its own has one that is made"
    if not told.seconds.shared(made) and not made.endswith(":None"):
        return made
    return _apart(made, item)


def _apart(made: str, item: Mapping[str, object]) -> str:
    """An id that tells items of one second apart."""
    named = sorted(path_of(str(one["uri"])) for one in _media(item))
    whole = Mended().value(named or dict(item))
    return f"{made}:{short_digest(msgspec.json.encode(whole, order='deterministic').decode())}"


def _other(item: Mapping[str, object], made: str, native: str) -> str:
    """The id of the item where it shares its second, if it does not, and the other way round."""
    return _apart(made, item) if native == made else made


def _second(item: Mapping[str, object]) -> object:
    """When an item was published, as it stands there."""
    for name in ("creation_timestamp", "timestamp"):
        if item.get(name) is not None:
            return item[name]
    for one in _media(item):
        if one.get("creation_timestamp") is not None:
            return one["creation_timestamp"]
    times: list[object] = []
    for _, entry in _entries(item):
        times.append(entry.get("timestamp"))
    _labels(item.get("label_values"), Mended(), [], times, [])
    return next((one for one in times if one), None)


# -- posts, reels, stories -----------------------------------------------------------------------------------


def _post(item: dict[str, object], told: Told) -> _Made:
    """What was published with pictures or videos: its words, its time, its files in their order."""
    mended, shown = told.mended, told.shown
    listed = _media(item)
    if not listed and not isinstance(item.get("title"), str):
        raise Unreadable("neither words nor files that are known")
    own = item.get("title")
    titles = [one["title"] for one in listed if isinstance(one.get("title"), str) and one["title"]]
    words = [own] if isinstance(own, str) and own else titles
    extra = rest(item, {"title", "media", "creation_timestamp"} | ({"uri"} if "media" not in item else set()))
    extra = {mended.text(name): mended.value(value) for name, value in extra.items()}
    inside = item.get("media")
    if isinstance(inside, list):
        parts = []
        for one in (part for part in inside if isinstance(part, dict)):
            kept = _kept(one, mended, {"title"} if one.get("title") in words else set())
            if kept.keys() - {"uri"}:
                parts.append(kept)
        if parts:
            extra["media"] = parts
    if shown.listed:
        extra["listed_as"] = shown.listed
    published = _moment(_second(item), told, extra)
    if shown is STORIES and published is not None:
        extra["shown_until"] = (published + SHOWN_FOR).isoformat()
    return _Made(
        native_id=_native(item, told),
        kind=Kind.POST,
        state=shown.state,
        author=_owner(told),
        text="\n\n".join(dict.fromkeys(mended.text(str(one)) for one in words)),
        published_at=published,
        attachments=[_file(one, mended) for one in listed],
        extra=extra,
    )


def _media(item: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The files that an item names: those of its list, or the item itself where it is one."""
    listed = item.get("media", item.get("media_list_data"))
    if not isinstance(listed, list):
        listed = [item]
    return [one for one in listed if isinstance(one, dict) and isinstance(one.get("uri"), str) and one["uri"]]


def _file(media: Mapping[str, object], mended: Mended) -> Attachment:
    """A picture or a video; its path in the download is what it is known by."""
    uri = mended.text(str(media["uri"]))
    abroad = "://" in uri
    return Attachment(id=path_of(uri), url=uri if abroad else None, path=None if abroad else uri)


# -- comments ------------------------------------------------------------------------------------------------


def _comment(item: dict[str, object], told: Told) -> _Made:
    """A comment that the page wrote; on whose post stands in `extra`, on which post is not told."""
    mended = told.mended
    extra = _kept(
        item, mended, {"string_map_data", "string_list_data", "media_list_data", "title", "timestamp"}
    )
    words: list[str] = []
    whose = item.get("title")
    times = [item.get("timestamp")]
    entries = _entries(item)
    known = any(_called(label) in _WORDS for label, _ in entries)
    for label, entry in entries:
        times.append(entry.get("timestamp") or None)
        value = entry.get("value")
        if not isinstance(value, str) or not value:
            continue
        if _called(mended.text(label)) in _WHOSE:
            whose = value
        elif not label or _called(label) in _WORDS or len(_valued(entries)) == 1:
            words.append(mended.text(value))
        elif known:
            extra[mended.text(label)] = mended.text(value)
        else:
            words.append(f"{mended.text(label)}: {mended.text(value)}")
        if isinstance(address := entry.get("href"), str) and address:
            extra.setdefault("link", address)
    if not words and not _media(item):
        raise Unreadable("a comment without words that are known")
    if isinstance(whose, str) and whose:
        extra["on_a_post_of"] = mended.text(whose)
    return _Made(
        native_id=_native(item, told),
        kind=Kind.REPLY,
        state=told.shown.state,
        author=_owner(told),
        text="\n".join(words),
        published_at=_moment(next((one for one in times if one), None), told, extra),
        attachments=[_file(one, mended) for one in _media(item)],
        extra=extra,
    )


def _entries(item: Mapping[str, object]) -> list[tuple[str, Mapping[str, object]]]:
    """The labelled values of an item, in their order; those of a list bear no label."""
    found: list[tuple[str, Mapping[str, object]]] = []
    mapped, listed = item.get("string_map_data"), item.get("string_list_data")
    if isinstance(mapped, dict):
        found += [(str(label), entry) for label, entry in mapped.items() if isinstance(entry, dict)]
    if isinstance(listed, list):
        found += [("", entry) for entry in listed if isinstance(entry, dict)]
    return found


def _valued(entries: Sequence[tuple[str, Mapping[str, object]]]) -> list[Mapping[str, object]]:
    return [entry for _, entry in entries if entry.get("value")]


def _called(label: str) -> str:
    return label.strip().casefold()


# -- the newer form, whose labels are in the language of whoever asked ---------------------------------------


def _labelled(item: dict[str, object], told: Told) -> _Made:
    """An item that lists labels with values: all of its words are taken, because labels are in any language."""
    mended = told.mended
    words: list[str] = []
    times: list[object] = []
    addresses: list[str] = []
    _labels(item.get("label_values"), mended, words, times, addresses)
    extra = _kept(item, mended, {"label_values", "fbid", "timestamp", "media"})
    extra["label_values"] = mended.value(item.get("label_values"))
    if told.shown.listed:
        extra["listed_as"] = told.shown.listed
    own = [one for one in dict.fromkeys(addresses) if "instagram.com/" in one]
    when = item.get("timestamp") or (times[0] if len(set(map(str, times))) == 1 else None)
    return _Made(
        native_id=_native(item, told),
        kind=Kind.REPLY if told.shown is COMMENTS else Kind.POST,
        state=told.shown.state,
        author=_owner(told),
        text="\n".join(words),
        url=own[0] if len(own) == 1 and told.shown is not COMMENTS else None,
        published_at=_moment(when, told, extra),
        attachments=[_file(one, mended) for one in _media(item)],
        extra=extra,
    )


def _labels(
    listed: object,
    mended: Mended,
    words: list[str],
    times: list[object],
    addresses: list[str],
    depth: int = 0,
) -> None:
    """Walk through labelled values at any depth that people have met, and beyond it no further."""
    for one in listed if isinstance(listed, list) and depth < _LABELS_DEEP else []:
        if not isinstance(one, dict):
            continue
        if one.get("timestamp_value"):
            times.append(one["timestamp_value"])
        value, href = one.get("value"), one.get("href")
        addresses += [text for text in (value, href) if isinstance(text, str) and text.startswith("https://")]
        if isinstance(value, str) and value and not value.startswith("https://"):
            label = one.get("label") or one.get("title")
            told = mended.text(value)
            words.append(f"{mended.text(label)}: {told}" if isinstance(label, str) else told)
        for inner in ("dict", "vec"):
            _labels(one.get(inner), mended, words, times, addresses, depth + 1)


# -- the introduction ----------------------------------------------------------------------------------------


def _profile(item: dict[str, object], told: Told) -> _Made:
    """What the page says of itself: every value with its label."""
    mended = told.mended
    words = [
        f"{mended.text(label)}: {mended.text(str(entry['value']))}"
        for label, entry in _entries(item)
        if entry.get("value")
    ]
    mapped = item.get("media_map_data")
    pictures = [
        one
        for one in (mapped.values() if isinstance(mapped, dict) else [])
        if isinstance(one, dict) and isinstance(one.get("uri"), str) and one["uri"]
    ]
    extra = _kept(item, mended, {"string_map_data", "media_map_data"})
    if not words:
        words = [f"{name}: {text}" for name, text in texts_in(mended.value(item))]
    return _Made(
        native_id=f"profile:{told.place}",
        kind=Kind.PROFILE,
        state=told.shown.state,
        author=_owner(told),
        text="\n".join(words),
        attachments=[_file(one, mended) for one in pictures],
        extra=extra,
    )


def username(item: Mapping[str, object], mended: Mended) -> str | None:
    """The page's name in its introduction, where its label is one that is known."""
    for label, entry in _entries(item):
        value = entry.get("value")
        if _called(mended.text(label)) in _NAMES and isinstance(value, str) and value.strip():
            return mended.text(value).strip()
    return None


# -- what all of them need -----------------------------------------------------------------------------------


def _owner(told: Told) -> Author | None:
    return Author(handle=told.owner) if told.owner else None


def _kept(item: Mapping[str, object], mended: Mended, taken: set[str]) -> dict[str, object]:
    return {mended.text(name): mended.value(value) for name, value in rest(item, taken).items()}


def _moment(value: object, told: Told, extra: dict[str, object]) -> datetime | None:
    """A moment in UTC out of seconds since 1970; one that cannot be is kept as it is, in `extra`."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            moment = datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS else value, UTC)
        except (ValueError, OverflowError, OSError):
            moment = None
        if moment is not None and moment >= _EARLIEST:
            return moment
    told.odd_times += 1
    extra["timestamp_as_given"] = value if isinstance(value, (str, int)) else str(value)
    return None
