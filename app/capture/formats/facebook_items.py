"""What the items of a Facebook download say: one JSON item in, observations with their spans out. Pure.

The download bears no ids of posts. One is made from what stays the same from
one download to the next: the second of its publication, and where two share a
second, their content too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath

import msgspec

from app.capture.formats.divided import LISTS, decoded, large_lists
from app.capture.formats.download import short_digest
from app.capture.formats.mended import Mended
from app.capture.formats.seconds import Seconds
from app.capture.formats.source import Line, Unreadable
from connectors.contract import Attachment, Author, Kind, Observation
from connectors.spans import NotJson, array_items, object_members

_EDITION = re.compile(r"\A[^/:]*activity[^/:]*/")
"""`your_facebook_activity/`, `this_profile's_activity_across_facebook/`, `your_instagram_activity/`: the oldest downloads have none."""
_MILLISECONDS = 100_000_000_000
"""From here on a number counts milliseconds: as seconds it would lie after the year 5100."""
_EARLIEST = datetime(2004, 2, 4, tzinfo=UTC)
_MEDIA = ("photos", "videos", "audio_files", "files", "gifs")


@dataclass(slots=True)
class Told:
    """What one file says besides its items, and what they share."""

    what: str
    mended: Mended
    owner: str | None
    thread: str = ""
    title: str = ""
    seconds: Seconds = field(default_factory=Seconds)
    """Which ids several items would have if they were made from the time alone."""
    odd_times: int = 0


def lines(content: bytes, told: Told) -> list[Line]:
    """The observations of one item; the item's own first, then what stands in it."""
    item = _item(content)
    match told.what:
        case "message":
            return [_message(item, told)]
        case "album":
            return _album(content, item, told)
        case "media":
            return _media(content, item, told, (0, len(content)))
        case "profile":
            return [_profile(item, told)]
        case _:
            pass
    line = _labelled(item, told) if "label_values" in item else _activity(item, told)
    made = plain_id(item, told.what, told.thread)
    if made is None or made.endswith(":None"):
        return [line]
    return [replace(line, other=partial(_other, item, made, line.observation.native_id))]


def plain_id(item: Mapping[str, object], what: str, thread: str) -> str | None:
    """The id that an item would have if no other shared its time; None where it has one of its own."""
    if item.get("fbid") is not None or what in {"album", "media", "profile"}:
        return None
    if what == "message":
        return f"message:{thread}:{item.get('timestamp_ms')}:{short_digest(_name(item.get('sender_name'), Mended()))}"
    kind, inner = _said(item)
    return f"{kind}:{_seconds(item, inner)}"


# -- posts, comments, reactions ----------------------------------------------------------------------------


def _activity(item: dict[str, object], told: Told) -> Line:
    """A post, a comment or a reaction, as the page's activity lists it."""
    kind, inner = _said(item)
    mended = told.mended
    before = mended.texts
    texts = [mended.text(one) for one in _texts(item, "post")]
    author: str | None = told.owner if kind == "post" and told.what != "visitors" else None
    extra: dict[str, object] = {}
    if kind == "comment":
        texts = [mended.text(str(inner.get("comment") or ""))]
        author = _name(inner.get("author"), mended)
    elif kind == "reaction":
        texts = [mended.text(str(item.get("title") or inner.get("reaction") or ""))]
        author = _name(inner.get("actor"), mended)
        extra["reaction"] = inner.get("reaction")
    attachments, rest = _attached(item, mended)
    title = item.get("title")
    if isinstance(title, str) and title and kind != "reaction":
        extra["title"] = mended.text(title)
        texts = texts if any(texts) else [str(extra["title"])]
    if rest:
        extra["attached"] = rest
    extra |= _rest(item, {"title", "attachments", "timestamp", "fbid", "data"}, mended)
    if others := _other_data(item, mended):
        extra["data"] = others
    return _line(
        told,
        before,
        native_id=_native(item, told, kind),
        kind=Kind.POST if kind == "post" else Kind.COMMENT,
        author=author,
        text="\n\n".join(text for text in texts if text),
        published_at=_moment(_seconds(item, inner), told, extra, "timestamp"),
        edited_at=_moment(_first(item, "update_timestamp"), told, extra, "update_timestamp"),
        attachments=attachments,
        extra=extra,
    )


def _said(item: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
    """What an item of the activity is, and the part that says so."""
    for part in _data(item):
        for kind in ("comment", "reaction"):
            inner = part.get(kind)
            if isinstance(inner, dict):
                return kind, inner
    return "post", {}


def _data(item: Mapping[str, object]) -> list[dict[str, object]]:
    data = item.get("data")
    return [part for part in data if isinstance(part, dict)] if isinstance(data, list) else []


def _other_data(item: Mapping[str, object], mended: Mended) -> list[object]:
    """What an item's data says besides what has a field."""
    taken = {"comment": {"comment", "author", "timestamp"}, "reaction": {"reaction", "actor", "timestamp"}}
    told: list[object] = []
    for part in _data(item):
        rest = _rest(part, {"post", "update_timestamp", *taken}, mended)
        for kind, fields in taken.items():
            inner = part.get(kind)
            if isinstance(inner, dict):
                rest |= _rest(inner, fields, mended)
        if rest:
            told.append(rest)
    return told


def _texts(item: Mapping[str, object], name: str) -> list[str]:
    return [value for part in _data(item) if isinstance(value := part.get(name), str)]


def _first(item: Mapping[str, object], name: str) -> object:
    return next((part[name] for part in _data(item) if name in part), None)


def _seconds(item: Mapping[str, object], inner: Mapping[str, object]) -> object:
    return item.get("timestamp", inner.get("timestamp"))


def _native(item: Mapping[str, object], told: Told, kind: str) -> str:
    """The platform's own id where the download has it; else one from time, and from content where times are shared."""
    if (own := item.get("fbid")) is not None:
        return f"{kind}:{own}"
    made = plain_id(item, told.what, told.thread)
    assert made is not None, "an item without an id of its own has one that is made"
    alone = not told.seconds.shared(made) and not made.endswith(":None")
    return made if alone else _apart(made, item)


def _apart(made: str, item: Mapping[str, object]) -> str:
    """An id that tells items of one second apart."""
    return f"{made}:{short_digest(_canonical(item))}"


def _other(item: Mapping[str, object], made: str, native: str) -> str:
    """The id of the item where it shares its second, if it does not, and the other way round."""
    return _apart(made, item) if native == made else made


def _canonical(item: Mapping[str, object]) -> str:
    """What an item says, in the same letters whether its download was broken or not, and of whatever edition it is."""
    whole = _of_any_edition(Mended().value(dict(item)))
    return msgspec.json.encode(whole, order="deterministic").decode()


def _of_any_edition(value: object, name: str = "") -> object:
    """A value with the paths of its files as `path_of` has them."""
    if isinstance(value, dict):
        return {key: _of_any_edition(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_of_any_edition(one, name) for one in value]
    return path_of(value) if name == "uri" and isinstance(value, str) else value


def path_of(uri: str) -> str:
    """The path of a file without the folder of its edition: Meta has put one before all others, and renamed it since."""
    return _EDITION.sub("", uri)


def _attached(item: Mapping[str, object], mended: Mended) -> tuple[list[Attachment], list[object]]:
    """The files of an item, and what else was attached: addresses, places, polls."""
    files: list[Attachment] = []
    rest: list[object] = []
    listed = item.get("attachments")
    for group in listed if isinstance(listed, list) else []:
        parts = group.get("data") if isinstance(group, dict) else None
        for part in parts if isinstance(parts, list) else [group]:
            media = part.get("media") if isinstance(part, dict) else None
            if isinstance(media, dict) and _has_file(media):
                files.append(_file(media, mended))
                kept = _rest(media, {"uri", "description", "title"}, mended)
                if isinstance(media.get("title"), str):
                    kept["title"] = mended.text(media["title"])
                if kept:
                    rest.append({"media": mended.text(media["uri"]), **kept})
            else:
                rest.append(mended.value(part))
    return files, rest


def _has_file(media: Mapping[str, object]) -> bool:
    return isinstance(uri := media.get("uri"), str) and uri != ""


def _file(media: Mapping[str, object], mended: Mended) -> Attachment:
    """A picture, sound, video or document; its path in the download is what it is known by."""
    uri = mended.text(str(media["uri"]))
    described = media.get("description")
    abroad = "://" in uri
    return Attachment(
        id=path_of(uri),
        url=uri if abroad else None,
        path=None if abroad else uri,
        media_type=None,
        description=mended.text(described) if isinstance(described, str) and described else None,
    )


# -- the newer form, whose labels are in the language of whoever asked ---------------------------------------


def _labelled(item: dict[str, object], told: Told) -> Line:
    """An item that lists labels with values: all of its words are taken, because labels are in any language."""
    mended = told.mended
    before = mended.texts
    words: list[str] = []
    times: list[object] = []
    addresses: list[str] = []
    _labels(item.get("label_values"), mended, words, times, addresses)
    media = item.get("media")
    files = [
        _file(one, mended)
        for one in (media if isinstance(media, list) else [])
        if isinstance(one, dict) and _has_file(one)
    ]
    extra = _rest(item, {"label_values", "fbid"}, mended)
    extra["label_values"] = mended.value(item.get("label_values"))
    when = item.get("timestamp", times[0] if len(set(map(str, times))) == 1 else None)
    own = [one for one in addresses if "facebook.com/" in one]
    return _line(
        told,
        before,
        native_id=_native(item, told, "comment" if told.what == "comments" else "post"),
        kind=Kind.COMMENT if told.what == "comments" else Kind.POST,
        author=None if told.what == "visitors" else told.owner,
        text="\n".join(words),
        url=own[0] if len(own) == 1 else None,
        published_at=_moment(when, told, extra, "timestamp"),
        attachments=files,
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
    for one in listed if isinstance(listed, list) and depth < 20 else []:
        if not isinstance(one, dict):
            continue
        if "timestamp_value" in one:
            times.append(one["timestamp_value"])
        value, href = one.get("value"), one.get("href")
        addresses += [text for text in (value, href) if isinstance(text, str) and text.startswith("https://")]
        if isinstance(value, str) and value and not value.startswith("https://"):
            label = one.get("label") or one.get("title")
            words.append(
                f"{mended.text(label)}: {mended.text(value)}"
                if isinstance(label, str)
                else mended.text(value)
            )
        for inner in ("dict", "vec"):
            _labels(one.get(inner), mended, words, times, addresses, depth + 1)


# -- messages ----------------------------------------------------------------------------------------------


def _message(item: dict[str, object], told: Told) -> Line:
    mended = told.mended
    before = mended.texts
    content = item.get("content")
    sticker = item.get("sticker")
    listed = [one for name in _MEDIA if isinstance(found := item.get(name), list) for one in found]
    files = [_file(one, mended) for one in [*listed, sticker] if isinstance(one, dict) and _has_file(one)]
    extra: dict[str, object] = {"thread": told.thread}
    if told.title:
        extra["thread_title"] = told.title
    extra |= _rest(item, {"content", "sender_name", "timestamp_ms", *_MEDIA}, mended)
    return _line(
        told,
        before,
        native_id=_native(item, told, "message"),
        kind=Kind.MESSAGE,
        author=_name(item.get("sender_name"), mended),
        text=mended.text(content) if isinstance(content, str) else "",
        published_at=_moment(item.get("timestamp_ms"), told, extra, "timestamp_ms"),
        attachments=files,
        extra=extra,
        private=True,
    )


# -- albums, pictures, videos ------------------------------------------------------------------------------


def _album(content: bytes, item: dict[str, object], told: Told) -> list[Line]:
    """An album, each picture in it, and what was said below them."""
    mended = told.mended
    before = mended.texts
    photos = item.get("photos")
    uris = (
        [one["uri"] for one in photos if isinstance(one, dict) and isinstance(one.get("uri"), str)]
        if isinstance(photos, list)
        else []
    )
    cover = item.get("cover_photo")
    known = cover.get("uri") if isinstance(cover, dict) else None
    folder = PurePosixPath(known or (uris[0] if uris else "")).parent.name
    native = f"album:{folder or short_digest(item.get('name'))}"
    words = [
        mended.text(value)
        for name in ("name", "description")
        if isinstance(value := item.get(name), str) and value
    ]
    extra = _rest(item, {"name", "description", "photos", "comments", "last_modified_timestamp"}, mended)
    album = _line(
        told,
        before,
        native_id=native,
        kind=Kind.POST,
        author=told.owner,
        text="\n\n".join(words),
        edited_at=_moment(item.get("last_modified_timestamp"), told, extra, "last_modified_timestamp"),
        extra=extra,
    )
    found = [album, *_answers(content, item, told, (0, len(content)), native)]
    for span in _elements(content, (0, len(content)), "photos"):
        found += _media(content, _item(content[slice(*span)]), told, span)
    return found


def _media(content: bytes, item: dict[str, object], told: Told, span: tuple[int, int]) -> list[Line]:
    """A picture or a video by itself, and what was said below it."""
    mended = told.mended
    before = mended.texts
    uri = item.get("uri")
    if not isinstance(uri, str) or not uri:
        raise Unreadable("a picture or video without a uri")
    path = PurePosixPath(mended.text(uri))
    native = f"media:{path.parent.name}/{path.stem}"
    words = [
        mended.text(value)
        for name in ("title", "description")
        if isinstance(value := item.get(name), str) and value
    ]
    extra = _rest(item, {"uri", "title", "description", "comments", "creation_timestamp"}, mended)
    media = _line(
        told,
        before,
        native_id=native,
        kind=Kind.POST,
        author=told.owner,
        text="\n\n".join(dict.fromkeys(words)),
        published_at=_moment(item.get("creation_timestamp"), told, extra, "creation_timestamp"),
        attachments=[_file(item, mended)],
        extra=extra,
        span=span,
    )
    return [media, *_answers(content, item, told, span, native)]


def _answers(
    content: bytes, item: Mapping[str, object], told: Told, span: tuple[int, int], native: str
) -> Iterator[Line]:
    """The comments that stand in an album, a picture or a video, whoever wrote them."""
    listed = item.get("comments")
    spans = _elements(content, span, "comments")
    inside = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if len(inside) != len(spans):
        raise Unreadable("its comments are not a list of comments")
    made = []
    for one in inside:
        author = short_digest(_name(one.get("author"), Mended()))
        made.append(f"comment:{native}:{one.get('timestamp')}:{author}")
    often = Counter(made)
    for one, own, where in zip(inside, made, spans, strict=True):
        mended = told.mended
        before = mended.texts
        extra = _rest(one, {"timestamp", "comment", "author"}, mended)
        yield _line(
            told,
            before,
            native_id=own if often[own] == 1 else f"{own}:{short_digest(_canonical(one))}",
            kind=Kind.COMMENT,
            author=_name(one.get("author"), mended),
            text=mended.text(str(one.get("comment") or "")),
            in_reply_to=native,
            published_at=_moment(one.get("timestamp"), told, extra, "timestamp"),
            extra=extra,
            span=where,
        )


def _elements(content: bytes, span: tuple[int, int], name: str) -> list[tuple[int, int]]:
    try:
        found = object_members(content, span).get(name)
        return array_items(content, *found) if found else []
    except NotJson:
        return []


# -- the page itself ---------------------------------------------------------------------------------------


def _profile(item: dict[str, object], told: Told) -> Line:
    """What the page said of itself: every text with the names under which it stands."""
    mended = told.mended
    before = mended.texts
    words = [f"{name}: {text}" for name, text in texts_in(mended.value(item))]
    return _line(
        told,
        before,
        native_id=f"profile:{told.thread}",
        kind=Kind.PROFILE,
        author=told.owner,
        text="\n".join(words),
        extra={},
    )


def thread_of(found: Mapping[str, object], path: str) -> str:
    """The name of a conversation, as it stands there: its own, or its folder's."""
    told = found.get("thread_path")
    named = told if next(large_lists(told), None) is None else None
    return str(named or PurePosixPath(path).parent.name)


def texts_in(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside a JSON value, with the names under which it stands."""
    if isinstance(value, str):
        if value:
            yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts_in(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, LISTS):
        for inner in value:
            yield from texts_in(inner, name)


# -- what all of them need ---------------------------------------------------------------------------------


def _line(
    told: Told,
    before: int,
    *,
    native_id: str,
    kind: Kind,
    author: str | None,
    extra: dict[str, object],
    text: str = "",
    url: str | None = None,
    in_reply_to: str | None = None,
    published_at: datetime | None = None,
    edited_at: datetime | None = None,
    attachments: Sequence[Attachment] = (),
    private: bool = False,
    span: tuple[int, int] | None = None,
) -> Line:
    if told.mended.texts > before:
        extra["encoding_put_right"] = told.mended.texts - before
    unique = {item.id: item for item in attachments}
    return Line(
        None,
        None,
        Observation(
            native_id=native_id,
            kind=kind,
            author=Author(name=author) if author else None,
            text=text,
            url=url,
            in_reply_to=in_reply_to,
            published_at=published_at,
            edited_at=edited_at,
            attachments=tuple(unique.values()),
            extra=extra,
            private=private,
        ),
        span,
    )


def _item(content: bytes) -> dict[str, object]:
    try:
        found = decoded(content)
    except NotJson as error:
        raise Unreadable(str(error)) from error
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return found


def _name(value: object, mended: Mended) -> str | None:
    if isinstance(value, dict):
        value = value.get("name")
    return mended.text(value) if isinstance(value, str) and value else None


def _rest(item: Mapping[str, object], taken: set[str], mended: Mended) -> dict[str, object]:
    """Whatever has no field of its own goes into `extra`, under its own name."""
    return {
        mended.text(name): mended.value(value)
        for name, value in item.items()
        if name not in taken and value not in ("", None) and value not in ([], {})
    }


def _moment(value: object, told: Told, extra: dict[str, object], name: str) -> datetime | None:
    """A moment in UTC out of seconds or milliseconds since 1970; one that cannot be is kept as it is, in `extra`."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
            moment = datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            moment = None
        if moment is not None and moment >= _EARLIEST:
            return moment
    told.odd_times += 1
    extra[f"{name}_as_given"] = value if isinstance(value, (str, int)) else str(value)
    return None
