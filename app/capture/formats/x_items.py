"""What the items of an X archive say: one JSON item in, observations out. Pure.

Ids are X's own, and named as the connector names them, so that a post that was
captured and is received again is one record. An edited post stands in the
archive once for each of its versions, in any order: each of these is read as
the post after its last edit, with the words before it in `extra.edits`, so
that a later archive does not look like somebody editing back and forth. Their
bytes all belong to the one record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from urllib.parse import urlsplit

import msgspec

from app.capture.formats.divided import decoded, rest
from app.capture.formats.download import short_digest
from app.capture.formats.source import Line, Unreadable
from connectors.contract import Attachment, Author, Kind, Observation, State
from connectors.spans import NotJson

SITE = "https://x.com/"
_EPOCH = 1288834974657
"""The millisecond from which X's ids count."""
_FIRST_BORN = 29_700_859_247
"""Smaller ids were given one after the other, and tell no time."""
_WRITTEN = re.compile(r"\w{3} (\w{3}) (\d{1,2}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2}) (\d{4})")
_MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)  # noqa: SIM905 - twelve names read better in a row
}
_KEYS = {"photo": "3", "video": "7", "animated_gif": "16"}
"""How the number of a file's kind stands in the key by which X's interface knows it."""
_NO_LANGUAGE = frozenset({"und", "art", "zxx"})
_SIZE = re.compile(r"_(?:normal|bigger|mini|400x400|200x200|x96)(?=\.\w+(?:\?|$))")
_COUNTS = {"favorite_count": "likes", "retweet_count": "reposts"}
_TAKEN = frozenset(
    (
        "id", "id_str", "full_text", "text", "created_at", "lang", "entities", "extended_entities", "edit_info",
        "in_reply_to_status_id", "in_reply_to_status_id_str", "in_reply_to_user_id", "in_reply_to_user_id_str",
        "in_reply_to_screen_name", "display_text_range", "truncated", "retweeted", "favorited", *_COUNTS,
    )
)  # fmt: skip
_EVENTS = ("messageCreate", "welcomeMessageCreate")
_EARLIEST = datetime(2006, 3, 21, tzinfo=UTC)
"""The day of the first post."""

Json = Mapping[str, object]


@dataclass(slots=True)
class Account:
    """Whose archive it is, as far as it says."""

    id: str | None = None
    handle: str | None = None
    name: str | None = None
    began_at: datetime | None = None


@dataclass(slots=True)
class Told:
    """What the archive says besides its items."""

    account: Account = field(default_factory=Account)
    files: dict[str, str] = field(default_factory=dict)
    """The files of the archive's folders of media: their names begin with the id of what shows them."""
    chains: dict[str, list[Json]] = field(default_factory=dict)
    """The versions of each edited post that the archive holds, oldest first, by the id with which it began."""
    notes: dict[int, list[tuple[str, str, str]]] = field(default_factory=dict)
    """Posts by the second in which they were published: their ids, those of the version, and how its words begin."""
    whole: dict[str, set[str]] = field(default_factory=dict)
    """By the id of a version of a long post, the notes that surely have all of its words."""
    odd_times: int = 0


def lines(content: bytes, what: str, told: Told, conversation: str = "") -> list[Line]:
    """The observation of one item of a list of `what`."""
    try:
        item = decoded(content)
    except NotJson as error:
        raise Unreadable(str(error)) from error
    match what, item:
        case (("posts" | "deleted"), dict()):
            found = post(inner(item, "tweet"), told, deleted=what == "deleted")
        case (("notes" | "notes gone"), dict()):
            found = note(inner(item, "noteTweet"), told, deleted=what == "notes gone")
        case "messages", dict():
            found = message(item, told, conversation)
        case "profile", dict():
            found = profile(inner(item, "profile"), told)
        case (("blocked" | "muted"), list()):
            found = people(what, item)
        case _:
            raise Unreadable("not what stands in such a list")
    return [Line(None, None, found)]


def inner(item: Json, name: str) -> Json:
    """The item within its wrapper, or the item itself where an older archive has none."""
    found = item.get(name)
    return found if isinstance(found, dict) else item


# -- posts -------------------------------------------------------------------------------------------------


def id_of(tweet: Json) -> str:
    """X's own id, or `Unreadable`."""
    found = tweet.get("id_str") or tweet.get("id")
    if not isinstance(found, (str, int)) or isinstance(found, bool) or not str(found).isdecimal():
        raise Unreadable("a post without an id")
    return str(found)


def ids_of(tweet: Json) -> list[str]:
    """The ids of all versions of a post, as far as it names them, the first one first."""
    found = {id_of(tweet)}
    waiting: list[object] = [tweet.get("edit_info")]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            listed = one.get("editTweetIds")
            found |= (
                {str(each) for each in listed if isinstance(each, str)} if isinstance(listed, list) else set()
            )
            if isinstance(began := one.get("initialTweetId"), str):
                found.add(began)
            waiting += one.values()
    return sorted((one for one in found if one.isdecimal()), key=order)


def words(tweet: Json) -> str:
    """The words as a reader saw them, without HTML's escapes."""
    found = tweet.get("full_text", tweet.get("text"))
    return unescape(found) if isinstance(found, str) else ""


def post(tweet: Json, told: Told, *, deleted: bool) -> Observation:
    """A post of the page, as it read after its last edit."""
    chain = told.chains.get(ids_of(tweet)[0]) or [tweet]
    newest = chain[-1]
    identity, ids = id_of(newest), sorted({one for each in chain for one in ids_of(each)}, key=order)
    first = ids[0]
    extra: dict[str, object] = rest(newest, set(_TAKEN))
    text = words(newest)
    if len(whole := told.whole.get(identity, set())) == 1:
        # Capture is told all of a long post's words: one record, and no edit.
        extra["cut"], text = text, next(iter(whole))
    if links := _links(newest):
        extra["links"] = links
    if len(ids) > 1:
        extra["ids"] = ids
        extra["edits"] = [
            {"id": id_of(one), "since": one.get("created_at"), "text": words(one)} for one in chain[:-1]
        ]
    answers = _number(newest, "in_reply_to_status_id_str") or _number(newest, "in_reply_to_status_id")
    to = {
        name: value
        for name, value in (
            ("id", _number(newest, "in_reply_to_user_id_str")),
            ("handle", newest.get("in_reply_to_screen_name")),
        )
        if value
    }
    if to:
        extra["answers"] = to
    written = _moment(newest.get("created_at"), told, extra, "created_at")
    published = written
    if identity != first:
        began = chain[0] if id_of(chain[0]) == first else None
        published = (moment(began.get("created_at")) if began else None) or born(first) or written
    return Observation(
        native_id=first,
        kind=Kind.REPLY if answers else Kind.POST,
        state=State.GONE if deleted else State.PRESENT,
        author=_ours(told),
        text=text,
        url=f"{SITE}i/status/{identity}",
        in_reply_to=answers,
        published_at=published,
        edited_at=written if identity != first else None,
        language=_language(newest.get("lang")),
        attachments=tuple(files_of(newest, told)),
        counts=_counts(newest),
        extra=extra,
    )


def files_of(tweet: Json, told: Told) -> list[Attachment]:
    """The pictures and films of a post; of a repost, those alone that the archive has."""
    repost = words(tweet).startswith("RT @")
    found: dict[str, Attachment] = {}
    for media in _media(tweet):
        identity = str(media.get("id_str") or media.get("id") or "")
        addresses = _films(media)
        if _is_address(media, "media_url_https"):
            addresses.append(str(media["media_url_https"]))
        if not identity or not addresses:
            continue
        names = [f"{id_of(tweet)}-{basename(one)}" for one in addresses]
        path = next((told.files[name] for name in names if name in told.files), None)
        kind = str(media.get("type"))
        described = media.get("ext_alt_text")
        key = f"media:{_KEYS.get(kind, kind)}_{identity}"
        found[key] = Attachment(
            id=key,
            url=addresses[0],
            path=path or (None if repost else f"tweets_media/{names[0]}"),
            media_type="video/mp4" if addresses[0].partition("?")[0].endswith(".mp4") else None,
            description=described if isinstance(described, str) and described else None,
        )
    return list(found.values())


def _media(tweet: Json) -> Iterator[Json]:
    for name in ("extended_entities", "entities"):
        entities = tweet.get(name)
        listed = entities.get("media") if isinstance(entities, dict) else None
        if isinstance(listed, list) and listed:
            yield from (one for one in listed if isinstance(one, dict))
            return


def _films(media: Json) -> list[str]:
    """The addresses of a film's variants, the best one first. A playlist is no film."""
    told = media.get("video_info")
    variants = told.get("variants") if isinstance(told, dict) else None
    found = []
    for one in variants if isinstance(variants, list) else []:
        if (
            isinstance(one, dict)
            and _is_address(one, "url")
            and "mpegurl" not in str(one.get("content_type")).lower()
        ):
            rate = str(one.get("bitrate", one.get("bit_rate", 0)))
            found.append((int(rate) if rate.isdecimal() else 0, str(one["url"])))
    return [address for _, address in sorted(found, reverse=True)]


def _is_address(told: Json, name: str) -> bool:
    found = told.get(name)
    return isinstance(found, str) and found.startswith(("http://", "https://"))


def _links(tweet: Json) -> list[dict[str, object]]:
    """What the shortened addresses in the words lead to."""
    entities = tweet.get("entities")
    listed = entities.get("urls") if isinstance(entities, dict) else None
    return [
        {"url": one["url"], "expanded_url": one.get("expanded_url")}
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and isinstance(one.get("url"), str)
    ]


def _counts(tweet: Json) -> dict[str, int]:
    found = {}
    for name, called in _COUNTS.items():
        value = str(tweet.get(name, ""))
        if value.isdecimal():
            found[called] = int(value[:18])
    return found


def note(item: Json, told: Told, *, deleted: bool) -> Observation:
    """The whole words of a long post, of which the post itself shows the beginning; `extra.post` where that is certain."""
    identity = item.get("noteTweetId")
    core = item.get("core")
    text = core.get("text") if isinstance(core, dict) else None
    if not isinstance(identity, str) or not isinstance(text, str):
        raise Unreadable("a long post without an id or words")
    extra = rest(item, {"noteTweetId", "createdAt", "core"}) | {
        "note": rest(core, {"text"}) if isinstance(core, dict) else {}
    }
    published = _moment(item.get("createdAt"), told, extra, "createdAt")
    if len(begun := {one for one, _ in _begun(text, published, told)}) == 1:
        extra["post"] = begun.pop()
    return Observation(
        native_id=f"note:{identity}",
        kind=Kind.POST,
        state=State.GONE if deleted else State.PRESENT,
        author=_ours(told),
        text=text,
        published_at=published,
        extra=extra,
    )


def _begun(text: str, published: datetime | None, told: Told) -> set[tuple[str, str]]:
    """The posts that begin as these words do and are of their second, each with the id of the version."""
    if published is None:
        return set()
    near = (one for second in (-1, 0, 1) for one in told.notes.get(int(published.timestamp()) + second, ()))
    return {(post, version) for post, version, start in near if start and text.startswith(start)}


def complete(item: Json, told: Told) -> None:
    """Remember the words of a note for the post of which they are the whole, where that is certain."""
    core = item.get("core")
    text = core.get("text") if isinstance(core, dict) else None
    if isinstance(text, str):
        begun = _begun(text, moment(item.get("createdAt")), told)
        if len(begun) == 1:
            _, version = begun.pop()
            told.whole.setdefault(version, set()).add(text)


def beginning(tweet: Json) -> str:
    """How the words of a post begin, as far as they surely stand in its long form too."""
    return words(tweet).partition("https://t.co/")[0].rstrip().rstrip("…")[:200]


# -- messages ------------------------------------------------------------------------------------------------


def message(item: Json, told: Told, conversation: str) -> Observation:
    """A private message; also that somebody joined or left a conversation, or gave it another name."""
    event = next((name for name, value in item.items() if isinstance(value, dict)), None)
    if event is None:
        raise Unreadable("no message that is known")
    read = item[event]
    assert isinstance(read, dict), "an event is an object"
    identity, sender = read.get("id"), read.get("senderId", read.get("initiatingUserId"))
    text = read.get("text", read.get("name"))
    if not isinstance(identity, str) or not identity:
        if event in _EVENTS:
            raise Unreadable("a message without an id")
        whole = msgspec.json.encode(item, order="deterministic").decode()
        identity = f"{conversation}:{event}:{short_digest(whole)}"
    extra: dict[str, object] = {"conversation": conversation}
    if event not in _EVENTS:
        extra["event"] = event
    extra |= rest(read, {"id", "senderId", "text", "createdAt", "mediaUrls"})
    own = isinstance(sender, str) and sender == told.account.id
    author = _ours(told) if own else Author(id=sender) if isinstance(sender, str) and sender else None
    return Observation(
        native_id=f"dm:{identity}",
        kind=Kind.MESSAGE,
        author=author,
        text=unescape(text) if isinstance(text, str) else "",
        published_at=_moment(read.get("createdAt"), told, extra, "createdAt"),
        attachments=tuple(enclosed(read, told)),
        extra=extra,
        private=True,
    )


def enclosed(read: Json, told: Told) -> list[Attachment]:
    """The files of a message: each address ends in the name that the file bears in the archive, after the message's id."""
    listed = read.get("mediaUrls")
    found: dict[str, Attachment] = {}
    for address in listed if isinstance(listed, list) else []:
        if isinstance(address, str) and basename(address):
            name = f"{read.get('id')}-{basename(address)}"
            path = told.files.get(name, f"direct_messages_media/{name}")
            found[address] = Attachment(id=f"file:{basename(address)}", url=address, path=path)
    return list(found.values())


# -- the account ---------------------------------------------------------------------------------------------


def profile(item: Json, told: Told) -> Observation:
    """The page's introduction: its name, its words, where it is, its two pictures."""
    described = item.get("description")
    told_of = described if isinstance(described, dict) else {}
    account = told.account
    parts = (
        account.name or account.handle,
        told_of.get("bio"),
        told_of.get("location"),
        told_of.get("website"),
    )
    return Observation(
        native_id=f"user:{account.id}" if account.id else "profile",
        kind=Kind.PROFILE,
        author=_ours(told),
        text="\n\n".join(unescape(part).strip() for part in parts if isinstance(part, str) and part.strip()),
        url=f"{SITE}i/user/{account.id}" if account.id else None,
        published_at=account.began_at,
        attachments=tuple(pictures(item, told)),
        extra=rest(item, {"description", "avatarMediaUrl", "headerMediaUrl"})
        | rest(told_of, {"bio", "location", "website"}),
    )


def pictures(item: Json, told: Told) -> list[Attachment]:
    """The picture and the banner of the page."""
    found = []
    for name, field_name in (("picture", "avatarMediaUrl"), ("banner", "headerMediaUrl")):
        if _is_address(item, field_name):
            address = str(item[field_name])
            file = f"{told.account.id}-{basename(address)}"
            whole = _SIZE.sub("", urlsplit(address).path).strip("/").replace("/", "-")
            found.append(Attachment(id=f"{name}:{whole}", url=address, path=told.files.get(file)))
    return found


def people(what: str, listed: Sequence[object]) -> Observation:
    """A list of accounts (blocked, muted) as one record, in the order of their numbers; an archive tells no names."""
    found = set()
    for one in listed:
        entry = (
            next((value for value in one.values() if isinstance(value, dict)), {})
            if isinstance(one, dict)
            else {}
        )
        if isinstance(entry.get("accountId"), str):
            found.add(entry["accountId"])
    ordered = sorted(found, key=order)
    return Observation(
        native_id=what,
        kind=Kind.PROFILE,
        text="\n".join(ordered),
        counts={"accounts": len(ordered)},
        extra={"accounts": [{"id": one} for one in ordered]},
        private=True,
    )


# -- pieces --------------------------------------------------------------------------------------------------


def moment(value: object) -> datetime | None:
    """A time as X writes it, in posts or elsewhere; None where it cannot be read."""
    if not isinstance(value, str):
        return None
    found = _WRITTEN.fullmatch(value)
    try:
        if found is None:
            if value.isdecimal():
                return datetime.fromtimestamp(int(value) / 1000, UTC)
            read = datetime.fromisoformat(value)
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        month, day, hour, minute, second, sign, hours, minutes, year = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
        zone = timezone(offset)
        return datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=zone
        ).astimezone(UTC)
    except (ValueError, KeyError, OverflowError, OSError):
        return None


def born(identity: str) -> datetime | None:
    """When X gave an id, to the second; None where it was given before ids told that."""
    if not identity.isdecimal() or int(identity) < _FIRST_BORN:
        return None
    try:
        return datetime.fromtimestamp(((int(identity) >> 22) + _EPOCH) // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def basename(address: str) -> str:
    """The last step of an address, without what follows a question mark."""
    return urlsplit(address).path.rpartition("/")[2]


def _moment(value: object, told: Told, extra: dict[str, object], name: str) -> datetime | None:
    """A moment; one that cannot be is kept as it is, in `extra`."""
    if value is None:
        return None
    found = moment(value)
    if found is None or found < _EARLIEST:
        told.odd_times += 1
        extra[f"{name}_as_given"] = value if isinstance(value, str) else str(value)
        return None
    return found


def _ours(told: Told) -> Author | None:
    account = told.account
    known = account.id or account.handle or account.name
    return Author(id=account.id, name=account.name, handle=account.handle) if known else None


def _number(told: Json, name: str) -> str | None:
    found = told.get(name)
    return str(found) if isinstance(found, (str, int)) and str(found).isdecimal() else None


def order(identity: str) -> tuple[int, str]:
    """Ids in their order: numbers by their size."""
    return len(identity), identity


def _language(told: object) -> str | None:
    """The language, where it is one: X also says that there are no words, or only tags or links."""
    if not isinstance(told, str) or not told or told in _NO_LANGUAGE or told.startswith("q"):
        return None
    return told
