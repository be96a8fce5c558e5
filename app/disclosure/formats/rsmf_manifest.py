"""The description in a short-message file, as the format has it (RSMF 2.0): what may stand where, and nothing of what must lead where."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

_Id = Annotated[str, Meta(min_length=1)]
_Word = Annotated[str, Meta(min_length=1)]


class Custom(Struct):
    """A particular that the format has no name for."""

    name: _Word
    value: _Word


class Participant(Struct):
    """Somebody who takes part."""

    id: _Id
    display: str | None = None
    email: str | None = None
    avatar: str | None = None
    account_id: str | None = None
    custom: list[Custom] = []


class Conversation(Struct):
    """Where they speak."""

    id: _Id
    platform: _Word
    participants: list[_Id]
    display: str | None = None
    type: Literal["direct", "channel"] | None = None
    custodian: str | None = None
    icon: str | None = None
    custom: list[Custom] = []


class Attachment(Struct):
    """A file that is said with an event; its id is its name in the ZIP."""

    id: _Id
    display: str | None = None
    size: Annotated[int, Meta(ge=0)] | None = None


class Reaction(Struct):
    """What was shown beside an event, and by how many."""

    value: _Word
    count: Annotated[int, Meta(ge=0)] | None = None
    participants: list[_Id] = []


class Edit(Struct):
    """A change of what an event says."""

    participant: _Id
    timestamp: str | None = None
    previous: str | None = None
    new: str | None = None


class Receipt(Struct):
    """Who was shown an event, and when."""

    participant: _Id
    timestamp: str | None = None
    action: Literal["read", "delivered"] | None = None


class Event(Struct):
    """Something that was said or done."""

    type: Literal["message", "disclaimer", "join", "leave", "history", "unknown"]
    id: _Id | None = None
    parent: _Id | None = None
    body: str | None = None
    participant: _Id | None = None
    conversation: _Id | None = None
    timestamp: str | None = None
    deleted: bool | None = None
    importance: Literal["normal", "high"] | None = None
    direction: Literal["incoming", "outgoing"] | None = None
    reactions: list[Reaction] = []
    attachments: list[Attachment] = []
    edits: list[Edit] = []
    read_receipts: list[Receipt] = []
    custom: list[Custom] = []


class Manifest(Struct):
    """The description of a conversation."""

    version: str
    participants: list[Participant]
    conversations: list[Conversation]
    events: list[Event]
    eventcollectionid: str | None = None
