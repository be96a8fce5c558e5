"""What the events of a short-message file say: one event's JSON in, an observation out. Pure.

An event's id is its own within one conversation of one file, and many have
none. An id that holds from file to file is made: of what names the
conversation (the collection to which the file says that it belongs, or the
conversation's platform, name and people), of the event's own id, its time, and
where it has no id, of who wrote it and what.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.capture.formats.divided import decoded, rest
from app.capture.formats.said import Said
from app.capture.formats.source import Counted, Line, Unreadable
from connectors.contract import Attachment, Author, Kind, Observation, State
from connectors.spans import NotJson

Json = Mapping[str, object]
TYPES = frozenset({"message", "disclaimer", "join", "leave", "history", "unknown"})
_TAKEN = {
    "id", "type", "parent", "body", "participant", "conversation", "timestamp", "deleted", "attachments",
    "reactions", "edits", "custom", "read_receipts",
}  # fmt: skip
NAMES = (
    "Platform", "Conversation", "Conversation id", "Conversation type", "Custodian", "Application", "Event type",
    "Event id", "Timestamp", "Participant", "Participant id", "Direction", "Importance",
)  # fmt: skip
"""What a mapping may call by name; custom properties have their own names."""


@dataclass(slots=True)
class Noticed:
    """What was noticed in all of the files."""

    zoneless: Counted = field(default_factory=Counted)
    odd: Counted = field(default_factory=Counted)
    strangers: Counted = field(default_factory=Counted)
    """Written by a participant whom the file does not have."""
    orphans: Counted = field(default_factory=Counted)
    """In a conversation, or below an event, that the file does not have."""


@dataclass(slots=True)
class Manifest:
    """What a file says besides its events, and the ids that are made for these."""

    file: str
    version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    collection: str = ""
    participants: dict[str, Json] = field(default_factory=dict)
    conversations: dict[str, Json] = field(default_factory=dict)
    ids: list[str | None] = field(default_factory=list)
    """The id of each event, in their order."""
    by_event: dict[tuple[str, str], str] = field(default_factory=dict)
    """Conversation and event id, and the id that was made."""
    files: frozenset[str] = frozenset()
    """The files that lie beside the description."""


def manifest(found: object, file: str, headers: Mapping[str, str], files: frozenset[str]) -> Manifest:
    """Take a description in, as far as it is one, or `NotJson`."""
    if not isinstance(found, dict) or not isinstance(found.get("events"), list):
        raise NotJson("no description of short messages: it lists no events")
    told = Manifest(file, _text(found, "version"), headers, _text(found, "eventcollectionid"), files=files)
    told.participants = _by_id(found.get("participants"))
    told.conversations = _by_id(found.get("conversations"))
    told.collection = told.collection or headers.get("x-rsmf-eventcollectionid", "")
    scopes = {one: _scope(told, one) for one in told.conversations}
    seen: Counter[str] = Counter()
    for event in found["events"]:
        if not isinstance(event, dict):
            told.ids.append(None)
            continue
        conversation, own = _text(event, "conversation"), _text(event, "id")
        parts: list[str] = [
            scopes.get(conversation) or _scope(told, conversation),
            own,
            str(event.get("timestamp") or ""),
        ]
        if not own:
            who = told.participants.get(_text(event, "participant"), {})
            parts += [*_who(who), _text(event, "type"), _text(event, "body")]
        made = _digest(parts)
        seen[made] += 1
        if seen[made] > 1 and not own:
            made = _digest([*parts, str(seen[made])])
        told.ids.append(f"rsmf:{made}")
        if own:
            told.by_event.setdefault((conversation, own), f"rsmf:{made}")
    return told


def read(
    content: bytes, *, number: int, told: Manifest, noticed: Noticed, said: Said | None
) -> Sequence[Line]:
    """The observation of one event, or `Unreadable`."""
    try:
        event = decoded(content)
    except NotJson as error:
        raise Unreadable(str(error)) from error
    identity = told.ids[number]
    if not isinstance(event, dict) or identity is None:
        raise Unreadable("an event that is no object")
    kind = event.get("type")
    if kind not in TYPES:
        raise Unreadable(f"an event of the type {kind!r}, which the format does not have")
    place = f"{told.file}: event {number + 1}"
    conversation = told.conversations.get(_text(event, "conversation"), {})
    writer = _text(event, "participant")
    who = told.participants.get(writer)
    if writer and who is None:
        noticed.strangers.add(place)
    parent = _text(event, "parent")
    above = told.by_event.get((_text(event, "conversation"), parent)) if parent else None
    if (parent and above is None) or (event.get("conversation") and not conversation):
        noticed.orphans.add(place)
    # What a mapping reads of the time, its own remarks tell.
    times = Noticed() if said is not None and "published_at" in said.fields else noticed
    edits = [one for one in _listed(event, "edits") if isinstance(one, dict)]
    moments = [moment for one in edits if (moment := _moment(one.get("timestamp"), place, noticed))]
    line = Line(
        None,
        None,
        Observation(
            native_id=identity,
            kind=Kind.MESSAGE,
            private=True,
            state=State.GONE if event.get("deleted") is True else State.PRESENT,
            author=_author(writer, who),
            text=_text(event, "body"),
            in_reply_to=above,
            published_at=_moment(event.get("timestamp"), place, times),
            edited_at=max(moments) if moments else None,
            attachments=tuple(_attachments(event, told)),
            counts=_reactions(event),
            extra=_extra(event, conversation, edits, told),
        ),
    )
    if said is None:
        return (line,)
    return (said.line(line, _values(event, conversation, who or {}, told), place),)


def wanted(events: Sequence[object], told: Manifest) -> list[str]:
    """The paths of the files that events name."""
    return [
        one.path
        for event in events
        if isinstance(event, dict)
        for one in _attachments(event, told)
        if one.path is not None
    ]


def _extra(event: Json, conversation: Json, edits: Sequence[Json], told: Manifest) -> dict[str, object]:
    """Everything that has no field: where it was said, who else was there, what was changed, how people answered."""
    people = [_name(told, one) for one in _listed(conversation, "participants") if isinstance(one, str)]
    more: dict[str, object] = {
        "event": event.get("type"),
        "event_id": event.get("id"),
        "reply_to_event": event.get("parent"),
        "written_at": event.get("timestamp"),
        "platform": conversation.get("platform"),
        "conversation": conversation.get("display") or conversation.get("id") or event.get("conversation"),
        "conversation_type": conversation.get("type"),
        "conversation_custodian": _name(told, _text(conversation, "custodian")),
        "conversation_custom": conversation.get("custom"),
        "participants": people,
        "edits": [
            {**one, "participant": _name(told, _text(one, "participant"))} if one.get("participant") else one
            for one in edits
        ],
        "reactions": [
            {**one, "participants": [_name(told, str(who)) for who in _listed(one, "participants")]}
            for one in _listed(event, "reactions")
            if isinstance(one, dict)
        ],
        "read_receipts": [
            {**one, "participant": _name(told, _text(one, "participant"))}
            for one in _listed(event, "read_receipts")
            if isinstance(one, dict)
        ],
        "custom": event.get("custom"),
        "collection": told.collection,
        "application": told.headers.get("x-rsmf-application"),
        "custodian": told.headers.get("x-rsmf-custodian"),
        "generator": told.headers.get("x-rsmf-generator"),
        "rsmf_version": told.version,
    }
    return {
        name: value for name, value in more.items() if value not in ("", None) and value not in ([], {})
    } | rest(event, _TAKEN)


def _values(event: Json, conversation: Json, who: Json, told: Manifest) -> dict[str, str]:
    """What a mapping may call by name, in small letters; the event's own custom properties before its conversation's."""
    found = [
        _text(conversation, "platform"),
        _text(conversation, "display"),
        _text(event, "conversation"),
        _text(conversation, "type"),
        _name(told, _text(conversation, "custodian")) or told.headers.get("x-rsmf-custodian", ""),
        told.headers.get("x-rsmf-application", ""),
        _text(event, "type"),
        _text(event, "id"),
        _text(event, "timestamp"),
        _text(who, "display"),
        _text(who, "account_id"),
        _text(event, "direction"),
        _text(event, "importance"),
    ]
    named = dict(zip((name.casefold() for name in NAMES), found, strict=True))
    for holder in (event, conversation):
        for one in _listed(holder, "custom"):
            if isinstance(one, dict) and _text(one, "name"):
                named.setdefault(_text(one, "name").casefold(), str(one.get("value", "")))
    return named


def _attachments(event: Json, told: Manifest) -> list[Attachment]:
    """The files that an event names; each lies beside the description, under its id or the name that it shows."""
    found = []
    for one in _listed(event, "attachments"):
        if not isinstance(one, dict) or not (name := _text(one, "id")):
            continue
        shown = _text(one, "display")
        path = shown if name not in told.files and shown in told.files else name
        found.append(Attachment(id=name, path=f"{told.file}/{path}", caption=shown or None))
    return found


def _reactions(event: Json) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in _listed(event, "reactions"):
        if isinstance(one, dict) and (value := _text(one, "value")):
            stated = one.get("count")
            number = stated if type(stated) is int and stated >= 0 else len(_listed(one, "participants"))
            counts[value[:60]] = counts.get(value[:60], 0) + min(number, 2**53)
    return counts


def _moment(value: object, place: str, noticed: Noticed) -> datetime | None:
    """A time that names its zone; another is kept in `extra` as it stands, and no date is made of it."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            noticed.zoneless.add(place)
            return None
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        noticed.odd.add(place)
        return None


def _author(writer: str, who: Json | None) -> Author | None:
    if not writer:
        return None
    if who is None:
        return Author(name=writer)
    handle = _text(who, "account_id") or _text(who, "email") or None
    return Author(
        id=_text(who, "account_id") or None, name=_text(who, "display") or handle or writer, handle=handle
    )


def _name(told: Manifest, who: str) -> str:
    """A participant as people know them."""
    found = told.participants.get(who, {})
    return _text(found, "display") or _text(found, "account_id") or _text(found, "email") or who


def _who(who: Json) -> tuple[str, str, str]:
    return _text(who, "account_id"), _text(who, "email"), _text(who, "display")


def _scope(told: Manifest, conversation: str) -> str:
    """What names a conversation from file to file."""
    found = told.conversations.get(conversation, {})
    people = sorted(
        "\0".join(_who(told.participants.get(str(one), {}))) for one in _listed(found, "participants")
    )
    # People join and leave a channel: they name a conversation only where nothing else does.
    shown = _text(found, "display")
    return json.dumps(
        [
            told.collection,
            "" if told.collection else _text(found, "platform"),
            conversation if told.collection else "",
            "" if told.collection else shown,
            [] if told.collection or shown else people,
        ],
        ensure_ascii=False,
    )


def _digest(parts: Sequence[str]) -> str:
    told = json.dumps(list(parts)).encode()
    return hashlib.sha256(told).hexdigest()[:32]


def _by_id(listed: object) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and (name := _text(one, "id")):
            found.setdefault(name, one)
    return found


def _listed(found: Json, name: str) -> list[object]:
    value = found.get(name)
    return value if isinstance(value, list) else []


def _text(found: Json, name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""
