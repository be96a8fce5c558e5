"""What Mastodon's answers say: JSON bytes in, observations with spans out. Asks nobody.

Ids are texts, whatever they look like. Those of statuses and of accounts are
counted apart, so native ids carry what they number: `status:12`,
`account:3`, `filter:4`; the lists that only the account's owner sees are
`settings`, `blocks`, `mutes` and `domain-blocks`.

What a status is follows from the status alone, so that it is the same wherever
it was met: a message where it was said to named people only, a post where it
answers nothing, a reply where the account itself answers, else a comment.

Unknown keys are ignored, and what other servers leave out may be missing. What
an observation cannot do without (id, account, the words) is required: an
answer of another shape raises `Malformed` rather than archive an emptied
status. In a list it is told apart from those beside it. What is only named
beside the words (a picture, who is mentioned) costs no status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from connectors import pieces, spans, times
from connectors.contract import Attachment, Author, Kind, Observation, Span, State
from connectors.pieces import Malformed, Seen, Sorted, Unread
from connectors.text import plain

T = TypeVar("T")

TO_EVERYBODY = frozenset({"public", "unlisted", "local"})
_NAMED_LINK = re.compile(r'<([^>]*)>\s*;[^<]*?rel="?([a-z]+)"?')
_NO_PICTURE = re.compile(r"/missing\.png$")
_NEAR = timedelta(minutes=1)
"""How far the time in an id and the time of the status may lie apart."""


class Account(msgspec.Struct):
    """Who publishes, as others see it."""

    id: str
    username: str
    acct: str
    display_name: str = ""
    note: str = ""
    url: str | None = None
    uri: str | None = None
    avatar: str | None = None
    header: str | None = None
    fields: Any = None
    created_at: str | None = None
    followers_count: int | None = None
    following_count: int | None = None
    statuses_count: int | None = None
    locked: bool | None = None
    bot: bool | None = None
    suspended: bool | None = None
    limited: bool | None = None
    moved: Any = None
    source: Any = None


class Writer(msgspec.Struct):
    """The few fields of an account that say who wrote a status; without `acct`, only its number is told."""

    id: str
    acct: str = ""
    display_name: str = ""


class Named(msgspec.Struct):
    """An account in a list of them."""

    id: str
    acct: str
    mute_expires_at: str | None = None


class File(msgspec.Struct):
    """A picture, sound or film of a status."""

    id: str
    type: str | None = None
    url: str | None = None
    remote_url: str | None = None
    description: str | None = None


class Option(msgspec.Struct):
    """One choice of a poll; the votes for it are not always told."""

    title: str
    votes_count: int | None = None


class Poll(msgspec.Struct):
    """A question with choices."""

    id: str | None = None
    expires_at: str | None = None
    multiple: bool | None = None
    votes_count: int | None = None
    voters_count: int | None = None
    options: list[Option] = []


class Emoji(msgspec.Struct):
    """A picture that stands for a word between colons."""

    shortcode: str
    url: str | None = None


class Mentioned(msgspec.Struct):
    """Somebody whom a status names."""

    id: str
    acct: str = ""


class Status(msgspec.Struct):
    """One status. A boost has the boosted one in `reblog`, and no words of its own.

    Not `files_told` is one of whose files some cannot be read.
    """

    id: str
    account: Writer
    content: str
    created_at: str
    uri: str | None = None
    url: str | None = None
    in_reply_to_id: str | None = None
    in_reply_to_account_id: str | None = None
    edited_at: str | None = None
    visibility: str = "public"
    sensitive: bool | None = None
    spoiler_text: str = ""
    language: str | None = None
    replies_count: int | None = None
    reblogs_count: int | None = None
    favourites_count: int | None = None
    quotes_count: int | None = None
    media_attachments: list[File] = []
    mentions: list[Mentioned] = []
    emojis: list[Emoji] = []
    poll: Poll | None = None
    reblog: Status | None = None
    quote: Any = None
    card: Any = None
    application: Any = None
    pinned: bool | None = None
    filtered: Any = None
    files_told: bool = True


class Notification(msgspec.Struct):
    """That something was done towards the account; a mention carries its status."""

    id: str
    type: str
    created_at: str | None = None
    status: Status | None = None


class Conversation(msgspec.Struct):
    """Messages between the same people, known by the newest of them."""

    id: str
    last_status: Status | None = None


class Edit(msgspec.Struct):
    """A text that a status had from `created_at` on."""

    content: str
    created_at: str | None = None
    spoiler_text: str = ""
    sensitive: bool | None = None
    media_attachments: list[File] = []
    poll: Any = None


class Keyword(msgspec.Struct):
    """A word that a filter looks for."""

    keyword: str
    whole_word: bool | None = None


class Filter(msgspec.Struct):
    """A filter of words that the account's owner has set."""

    id: str
    title: str = ""
    context: list[str] = []
    expires_at: str | None = None
    filter_action: str | None = None
    keywords: list[Keyword] = []
    statuses: Any = None


class Standing(msgspec.Struct):
    """As much of a status, an account or a filter as says how it stands."""

    id: str | int
    visibility: str = "public"
    suspended: bool | None = None


class Instance(msgspec.Struct):
    """What a server says of itself."""

    version: str = ""
    domain: str = ""
    uri: str = ""
    configuration: Any = None
    urls: Any = None

    @property
    def streams(self) -> str | None:
        """Where it says that streams are opened."""
        told = self.configuration.get("urls") if isinstance(self.configuration, dict) else None
        for urls, name in ((told, "streaming"), (self.urls, "streaming_api")):
            if isinstance(urls, dict) and isinstance(urls.get(name), str):
                return str(urls[name])
        return None


class Refusal(msgspec.Struct):
    """Mastodon's own word for why it did not answer."""

    error: str


# -- reading bodies ------------------------------------------------------------------------------------------


def one(body: bytes, exchange: int, shape: type[T]) -> Seen[T]:
    """Read a whole body as one object."""
    return pieces.one(body, exchange, shape, "Mastodon")


def many(body: bytes, exchange: int, shape: type[T]) -> Sorted[T]:
    """Read a body as a list; each item with its own bytes in `exchange`, and which cannot be read.

    Those that carry a status (a notification, a conversation) are called by it.
    """
    try:
        return _sorted_out(body, spans.document(body), exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "Mastodon")) from error


def context(body: bytes, exchange: int) -> tuple[Sorted[Status], Sorted[Status]]:
    """Read what a status answers, and what answers it."""
    try:
        members = spans.object_members(body, spans.document(body))
        above, below = (
            _sorted_out(body, members[name], exchange, Status) for name in ("ancestors", "descendants")
        )
    except KeyError as error:
        raise Malformed(f"the answer lacks {error}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "Mastodon")) from error
    return above, below


_CARRIED: Mapping[type, str] = {Notification: "status", Conversation: "last_status"}
"""By which member a status is carried in what is listed."""


def _sorted_out(body: bytes, at: tuple[int, int], exchange: int, shape: type[T]) -> Sorted[T]:
    """The items of the array at `at`, those of another shape beside the others; what can be read without what stands beside its words is."""
    fault: Exception | None = None
    try:
        told = pieces.sorted_out(body, at, exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        fault = error
        told = Sorted(
            [],
            [
                Unread(pieces.called(body[start:end]), Span(exchange, start, end), str(error))
                for start, end in spans.array_items(body, *at)
            ],
        )
    items, unread = list(told.items), []
    for one in told.unread:
        piece = body[one.span.start : one.span.end]
        what = _without_what_stands_beside(piece, shape)
        if what is not None:
            items.append(Seen(what, one.span))
        elif shape in _CARRIED:
            unread.append(Unread(_id_of(piece, _CARRIED[shape]), one.span, one.why))
        else:
            unread.append(one)
    if fault is not None and not items:
        raise fault
    return Sorted(sorted(items, key=lambda seen: seen.span.start), unread)


def _id_of(piece: bytes, name: str) -> str | None:
    """The id of the status that an item carries as `name`, as far as that much can be read."""
    try:
        start, end = spans.member(piece, spans.document(piece), name) or (0, 0)
    except spans.NotJson:
        return None
    return pieces.called(piece[start:end])


def _without_what_stands_beside(piece: bytes, shape: type[T]) -> T | None:
    """An item without those parts of a status that cannot be read and are not its words; None where that does not help."""
    if shape is not Status and shape not in _CARRIED:
        return None
    try:
        told = json.loads(pieces.mended(piece))
        if not isinstance(told, dict):
            return None
        _numbered(told)
        name = _CARRIED.get(shape)
        if name is None or isinstance(told.get(name), dict):
            _lightened(told if name is None else told[name])
        return msgspec.convert(pieces.without_nulls(told), shape)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _lightened(told: dict[str, Any]) -> None:
    """Take out of a status what cannot be read beside its words; an id that is a number is its digits."""
    _numbered(told)
    writer = told.get("account")
    if isinstance(writer, dict):
        _numbered(writer)
        if not all(isinstance(writer.get(name) or "", str) for name in ("acct", "display_name")):
            told["account"] = {"id": writer.get("id")}
    for name, shape in (("media_attachments", File), ("mentions", Mentioned), ("emojis", Emoji)):
        listed = told.get(name) if isinstance(told.get(name), list) else [None] * (told.get(name) is not None)
        told[name] = [one for one in listed or () if _is(one, shape)]
        if name == "media_attachments" and len(told[name]) < len(listed or ()):
            told["files_told"] = False
    for name in ("replies_count", "reblogs_count", "favourites_count", "quotes_count"):
        if not isinstance(told.get(name), int):
            told.pop(name, None)
    if isinstance(told.get("reblog"), dict):
        _lightened(told["reblog"])


def _numbered(told: dict[str, Any]) -> None:
    for name in ("id", "in_reply_to_id", "in_reply_to_account_id"):
        if isinstance(told.get(name), int) and not isinstance(told[name], bool):
            told[name] = str(told[name])


def _is(told: Any, shape: type) -> bool:
    if isinstance(told, dict):
        _numbered(told)
    try:
        msgspec.convert(pieces.without_nulls(told), shape)
    except msgspec.ValidationError:
        return False
    return True


def standing(body: bytes) -> Standing | None:
    """How an item stands that was asked for by its id; None where it is told in another shape."""
    told = one(body, 0, Any).what
    try:
        return msgspec.convert(pieces.without_nulls(told), Standing)
    except msgspec.ValidationError:
        return None


def refusal(body: bytes) -> str | None:
    """Mastodon's own refusal, or None where somebody else answered (a firewall, a proxy)."""
    try:
        return one(body, 0, Refusal).what.error
    except Malformed:
        return None


def self_link(body: bytes) -> str | None:
    """Where a WebFinger answer says that the account itself lives."""
    try:
        links = [one for one in json.loads(body)["links"] if isinstance(one, dict)]
    except (ValueError, KeyError, TypeError):
        return None
    selves = [one.get("href") for one in links if one.get("rel") == "self" and "json" in str(one.get("type"))]
    return next((one for one in selves if isinstance(one, str)), None)


def event(body: bytes) -> tuple[str, int, int]:
    """The name of a server-sent event, and where its data stand in its bytes (one line, as Mastodon sends it)."""
    name, start, end = "message", 0, 0
    at = 0
    for line in body.splitlines(keepends=True):
        field, _, value = line.rstrip(b"\r\n").partition(b":")
        lead = 1 if value.startswith(b" ") else 0
        if field == b"event":
            name = value[lead:].decode("utf-8", "replace")
        elif field == b"data" and not end:
            start = at + len(field) + 1 + lead
            end = start + len(value) - lead
        at += len(line)
    return name, start, end


def told(body: bytes, start: int, end: int, shape: type[T]) -> Seen[T]:
    """Read the data of a server-sent event."""
    try:
        return Seen(pieces.value(body[start:end], shape), Span(0, start, end))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body[start:end], error, "Mastodon")) from error


def named(body: bytes, start: int, end: int, account: str) -> str | None:
    """The id of a status that cannot be read otherwise; empty where it is plainly nothing of the account's, None where nobody can tell."""
    try:
        said = pieces.value(body[start:end], dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    status = said.get("status", said)
    if not isinstance(status, dict) or not isinstance(identity := status.get("id"), str):
        return None
    mentions = status.get("mentions")
    about = [status.get("account"), *(mentions if isinstance(mentions, list) else [None])]
    names = [one.get("id") if isinstance(one, dict) else None for one in about]
    if account in (*names, status.get("in_reply_to_account_id")):
        return identity
    return None if None in names else ""


def link(headers: Sequence[tuple[str, str]], rel: str, name: str) -> str | None:
    """The parameter `name` of the link `rel` in a `Link` header: all of it that we follow, never its host."""
    for key, value in headers:
        if key.lower() != "link":
            continue
        for address, relation in _NAMED_LINK.findall(value):
            found = parse_qs(urlsplit(address).query).get(name) if relation == rel else None
            if found:
                return str(found[0])
    return None


def moment(written: str | None) -> datetime | None:
    """A time as Mastodon writes it; None where there is none or it cannot be read."""
    return times.iso(written)


def order(identity: str) -> tuple[int, str]:
    """Ids in their order: numbers by their size, texts of one length by their letters."""
    return len(identity), identity


def id_at(at: datetime) -> str:
    """The least id that Mastodon gives to a status of that time: milliseconds, then sixteen bits."""
    return str(max(0, int(at.timestamp() * 1000)) << 16)


def bears_time(status: Status) -> bool:
    """Whether the server's ids hold the time, as Mastodon's do; other servers number otherwise."""
    made = moment(status.created_at)
    if made is None or not status.id.isdecimal() or len(status.id) > 20:
        return False
    try:
        held = datetime.fromtimestamp((int(status.id) >> 16) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return False
    return abs(held - made) <= _NEAR


# -- observations --------------------------------------------------------------------------------------------


def profile(seen: Seen[Account]) -> Observation:
    """The account's introduction: its name, its words, its fields, its two pictures."""
    read = seen.what
    fields = list(_fields(read.fields))
    lines = [f"{name}: {value}" for name, value, _ in fields]
    parts = (read.display_name.strip() or read.username, plain(read.note), "\n".join(lines))
    moved = read.moved if isinstance(read.moved, dict) else None
    return Observation(
        native_id=f"account:{read.id}",
        kind=Kind.PROFILE,
        state=State.HIDDEN if read.suspended else State.PRESENT,
        author=Author(id=read.id, name=read.display_name.strip() or read.username, handle=read.acct),
        text="\n\n".join(part for part in parts if part),
        html=read.note or None,
        url=read.url or read.uri,
        published_at=moment(read.created_at),
        attachments=tuple(
            Attachment(id=f"{name}:{urlsplit(address).path.rpartition('/')[2]}", url=address)
            for name, address in (("avatar", read.avatar), ("header", read.header))
            if address and not _NO_PICTURE.search(urlsplit(address).path)
        ),
        counts=_counted(
            followers=read.followers_count, following=read.following_count, statuses=read.statuses_count
        ),
        extra={
            "name": read.display_name,
            "fields": [{"name": name, "value": value, "verified_at": at} for name, value, at in fields],
            "locked": bool(read.locked),
            "bot": bool(read.bot),
            "suspended": bool(read.suspended),
            "limited": bool(read.limited),
            "moved_to": moved_to(read) or None,
            "moved_to_id": str(moved["id"]) if moved and "id" in moved else None,
        },
        evidence=(seen.span,),
    )


def moved_to(read: Account) -> str:
    """Where an account says that it has moved; empty where it says nothing."""
    moved = read.moved if isinstance(read.moved, dict) else {}
    return str(moved.get("url") or moved.get("uri") or moved.get("acct") or "")


def settings(seen: Seen[Account]) -> Observation:
    """What only its owner sees of an account: its words as written, and how it publishes unless told otherwise."""
    source = seen.what.source if isinstance(seen.what.source, dict) else {}
    written = [source.get("note")] + [f"{name}: {value}" for name, value, _ in _fields(source.get("fields"))]
    return Observation(
        native_id="settings",
        kind=Kind.PROFILE,
        text="\n".join(part for part in written if isinstance(part, str) and part),
        extra={
            "privacy": source.get("privacy"),
            "sensitive": source.get("sensitive"),
            "language": source.get("language"),
            "quote_policy": source.get("quote_policy"),
            "discoverable": source.get("discoverable"),
        },
        private=True,
        evidence=(seen.span,),
    )


def word_filter(seen: Seen[Filter]) -> Observation:
    """A filter: its title, and below it the words that it looks for."""
    read = seen.what
    return Observation(
        native_id=f"filter:{read.id}",
        kind=Kind.PROFILE,
        text="\n".join([read.title, *(one.keyword for one in read.keywords)]).strip(),
        extra={
            "title": read.title,
            "keywords": [{"keyword": one.keyword, "whole_word": one.whole_word} for one in read.keywords],
            "where": read.context,
            "action": read.filter_action,
            "expires_at": read.expires_at,
            "statuses": [str(one.get("status_id")) for one in read.statuses if isinstance(one, dict)]
            if isinstance(read.statuses, list)
            else [],
        },
        private=True,
        evidence=(seen.span,),
    )


def people(native_id: str, seen: Sequence[Seen[Named]], evidence: Sequence[Span]) -> Observation:
    """A list of accounts (blocks, mutes) as one record, in the order of their handles."""
    listed = sorted((item.what for item in seen), key=lambda one: (one.acct, one.id))
    return Observation(
        native_id=native_id,
        kind=Kind.PROFILE,
        text="\n".join(f"@{one.acct}" for one in listed),
        counts={"accounts": len(listed)},
        extra={
            "accounts": [
                {"id": one.id, "handle": one.acct}
                | ({"until": one.mute_expires_at} if one.mute_expires_at else {})
                for one in listed
            ]
        },
        private=True,
        evidence=tuple(evidence),
    )


def domains(seen: Sequence[str], evidence: Sequence[Span]) -> Observation:
    """The servers that the account's owner has blocked, as one record."""
    return Observation(
        native_id="domain-blocks",
        kind=Kind.PROFILE,
        text="\n".join(sorted(seen)),
        counts={"domains": len(seen)},
        private=True,
        evidence=tuple(evidence),
    )


def kind_of(read: Status, account: str) -> Kind:
    """What a status is on the page of `account`."""
    ours = read.account.id == account
    if read.visibility == "direct" or (read.visibility not in TO_EVERYBODY and not ours):
        return Kind.MESSAGE
    if read.in_reply_to_id is None and read.in_reply_to_account_id is None:
        return Kind.POST
    return Kind.REPLY if ours else Kind.COMMENT


def status(seen: Seen[Status], account: str, edits: Sequence[Seen[Edit]] | None = None) -> Observation:
    """A status on the page of `account`; `edits`, where they were asked for, are the texts it has had.

    A boost shows the words of the boosted status on the page, so they are its
    text; `extra.boosts` names whose they are. What only some may read is
    private; where it is no message, it is hidden, as the public sees it.
    """
    read = seen.what
    kind = kind_of(read, account)
    shown = read.reblog or read
    poll = shown.poll
    writer = read.account
    extra: dict[str, object] = {"visibility": read.visibility}
    if shown.sensitive:
        extra["sensitive"] = True
    if shown.spoiler_text:
        extra["content_warning"] = shown.spoiler_text
    if read.reblog is not None:
        extra["boosts"] = _named(read.reblog)
    if poll is not None:
        extra["poll"] = {
            "id": poll.id,
            "expires_at": poll.expires_at,
            "multiple": poll.multiple,
            "options": [option.title for option in poll.options],
        }
    if shown.emojis:
        extra["emoji"] = {one.shortcode: one.url for one in shown.emojis}
    if read.in_reply_to_account_id is not None:
        extra["answers_account"] = read.in_reply_to_account_id
    if read.pinned:
        extra["pinned"] = True
    if quoted := _quoted(read.quote):
        extra["quotes"] = quoted
    if isinstance(shown.card, dict) and shown.card.get("url"):
        extra["card"] = {name: shown.card.get(name) for name in ("url", "title", "description")}
    if isinstance(read.application, dict) and read.application.get("name"):
        extra["application"] = read.application["name"]
    if isinstance(read.filtered, list) and read.filtered:
        extra["filtered_by"] = [
            str(one["filter"].get("id"))
            for one in read.filtered
            if isinstance(one, dict) and isinstance(one.get("filter"), dict)
        ]
    evidence: tuple[Span, ...] = (seen.span,)
    if edits is not None:
        extra["edits"] = [_edit(one.what) for one in edits]
        evidence += tuple(one.span for one in edits)
    private = read.visibility not in TO_EVERYBODY
    return Observation(
        native_id=f"status:{read.id}",
        kind=kind,
        state=State.HIDDEN if private and kind is not Kind.MESSAGE else State.PRESENT,
        author=Author(
            id=writer.id,
            name=(writer.display_name.strip() or None) if writer.acct else None,
            handle=writer.acct or None,
        ),
        text=_words(
            shown.spoiler_text, shown.content, [option.title for option in poll.options] if poll else ()
        ),
        html=shown.content,
        url=read.url or read.uri,
        in_reply_to=f"status:{read.in_reply_to_id}" if read.in_reply_to_id is not None else None,
        published_at=moment(read.created_at),
        edited_at=moment(shown.edited_at),
        language=shown.language or None,
        attachments=tuple(
            Attachment(id=f"media:{one.id}", url=one.url or one.remote_url, description=one.description or "")
            for one in shown.media_attachments
        ),
        files_told=shown.files_told,
        counts=_status_counts(read, poll),
        extra=extra,
        private=private,
        evidence=evidence,
    )


def concerns(read: Status, account: str) -> bool:
    """Whether a status that passed by is the account's own, names it or answers it."""
    return account in {read.account.id, read.in_reply_to_account_id} or any(
        one.id == account for one in read.mentions
    )


# -- parts ---------------------------------------------------------------------------------------------------


def _words(warning: str, content: str, options: Sequence[str] = ()) -> str:
    """The words as a reader sees them: the warning first, then the text, then what may be voted for."""
    parts = (
        warning.strip(),
        plain(content) if content else "",
        "\n".join(f"- {option}" for option in options),
    )
    return "\n\n".join(part for part in parts if part)


def _status_counts(read: Status, poll: Poll | None) -> Mapping[str, int]:
    counts = _counted(
        replies=read.replies_count,
        boosts=read.reblogs_count,
        favourites=read.favourites_count,
        quotes=read.quotes_count,
    )
    if poll is not None:
        counts |= _counted(votes=poll.votes_count, voters=poll.voters_count)
        for number, option in enumerate(poll.options, start=1):
            counts |= _counted(**{f"votes_{number}": option.votes_count})
    return counts


def _counted(**counts: int | None) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}


def _fields(fields: Any) -> Iterator[tuple[str, str, str | None]]:
    """The lines that an account sets beside its introduction: name, words, when a link was verified."""
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict) and isinstance(field.get("name"), str):
            yield field["name"], plain(str(field.get("value") or "")), field.get("verified_at")


def _named(read: Status) -> dict[str, object]:
    """Whose words another status is."""
    return {
        "id": f"status:{read.id}",
        "uri": read.uri,
        "url": read.url,
        "author": {"id": read.account.id, "name": read.account.display_name, "handle": read.account.acct},
        "published_at": read.created_at,
    }


def _quoted(quote: Any) -> dict[str, object] | None:
    """What a status quotes, and how that stands: its author may have refused or revoked it."""
    if not isinstance(quote, dict):
        return None
    quoted = quote.get("quoted_status")
    found: dict[str, object] = {"state": quote.get("state")}
    if isinstance(quoted, dict) and quoted.get("id"):
        account = quoted.get("account")
        found |= {"id": f"status:{quoted['id']}", "uri": quoted.get("uri"), "url": quoted.get("url")}
        found |= {"author": {"handle": account.get("acct")} if isinstance(account, dict) else None}
        found |= {"text": plain(str(quoted.get("content") or ""))}
    elif quote.get("quoted_status_id"):
        found["id"] = f"status:{quote['quoted_status_id']}"
    return found


def _edit(read: Edit) -> dict[str, object]:
    options = read.poll.get("options") if isinstance(read.poll, dict) else None
    titles = [
        str(one["title"])
        for one in options or ()
        if isinstance(one, dict) and isinstance(one.get("title"), str)
    ]
    return {
        "since": read.created_at,
        "text": _words(read.spoiler_text, read.content, titles),
        "html": read.content,
        "content_warning": read.spoiler_text or None,
        "sensitive": bool(read.sensitive),
        "attachments": [
            {"id": f"media:{one.id}", "description": one.description} for one in read.media_attachments
        ],
    }
