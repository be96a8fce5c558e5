"""What a short-message file (RSMF 2.0) must be, beyond what its schema sees: every rule has a code.

The schema of the format passes a file with a second attachment, an answer to
an event that is not there, an author whom nobody names, or a time that is none.
Programs that load such files then fail, or show something else than was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, NamedTuple
from zipfile import ZipFile, ZipInfo

import msgspec

from app.disclosure.formats.rsmf import ARCHIVE, MANIFEST
from app.disclosure.formats.rsmf_mail import VERSIONS, Mail
from app.disclosure.formats.rsmf_manifest import Conversation, Event, Manifest, Participant
from app.records.zips import DAMAGED

__all__ = ["CODES", "Event", "Manifest", "Problem", "Read", "check"]

LARGEST_MANIFEST = 1 << 30
_CHUNK = 1 << 20
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_FLAT = re.compile(r"[^/\\\x00-\x1f]+")
_EXPANDED = 1 << 40

CODES = {
    "rsmf-not-mail": "It is no mail in several parts.",
    "rsmf-head": "A field in the head of the mail is missing, twice there, or says something else than the file.",
    "rsmf-version": "It does not say in time that it is a short-message file, or names a version that is not known.",
    "rsmf-attachment": "It does not have one attachment, a ZIP of the right name in base64.",
    "rsmf-zip": "The ZIP cannot be read, lacks its description, or holds folders or two files of one name.",
    "rsmf-shape": "The description is not shaped as the format has it.",
    "rsmf-twice": "Two things of one kind have one id.",
    "rsmf-dangling": "Something is pointed at that is not there.",
    "rsmf-parent": "An event answers itself, or one that answers it.",
    "rsmf-moment": "A time is none.",
    "rsmf-file": "A file in the ZIP belongs to nothing, is of another size than is said, or cannot be read.",
}
"""Every code of this module, with what it means."""


class Problem(NamedTuple):
    """Something that a short-message file should not be: the code of the rule, the place and the fact."""

    code: str
    where: str
    what: str


@dataclass(slots=True)
class Read:
    """A file as it was read, as far as it could be: its head, its text, its description, and what is wrong with it."""

    problems: list[Problem] = field(default_factory=list)
    head: EmailMessage = field(default_factory=EmailMessage)
    text: str = ""
    manifest: Manifest | None = None

    def find(self, code: str, where: str, what: str) -> None:
        assert code in CODES, "every rule has a code that is explained"
        self.problems.append(Problem(code, where, what))


def check(file: BinaryIO, *, scratch: Path, look: Callable[[str, IO[bytes]], None] | None = None) -> Read:
    """Read a short-message file and hold it against every rule; what is wrong stands in `problems`.

    `scratch` is where its ZIP may lie meanwhile. `look` is handed each attachment
    by its name, to read it; whatever it leaves is read here, so that its sum is checked.
    """
    read = Read()
    with TemporaryFile(dir=scratch) as packed:
        mail = Mail(file, read.find)
        read.head = mail.head
        there = mail.unpack(packed)
        read.text = mail.text
        if there:
            _archive(packed, read, look)
    return read


# -- the ZIP -------------------------------------------------------------------------------------------------


def _archive(packed: IO[bytes], read: Read, look: Callable[[str, IO[bytes]], None] | None) -> None:
    try:
        with ZipFile(packed) as archive:
            members = _members(archive, read)
            if MANIFEST not in members:
                read.find("rsmf-zip", ARCHIVE, f"there is no {MANIFEST}")
                return
            if members[MANIFEST].file_size > LARGEST_MANIFEST:
                read.find("rsmf-zip", MANIFEST, "it is too large to be read")
                return
            try:
                read.manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                read.find("rsmf-shape", MANIFEST, str(error))
                return
            sizes = {name: one.file_size for name, one in members.items() if name != MANIFEST}
            _rules(read.manifest, sizes, read)
            _heads(read.manifest, read)
            for name in sizes:
                _whole(archive, name, read, look)
    except DAMAGED as error:
        read.find("rsmf-zip", ARCHIVE, str(error))


def _members(archive: ZipFile, read: Read) -> dict[str, ZipInfo]:
    members: dict[str, ZipInfo] = {}
    for one in archive.infolist():
        if not _FLAT.fullmatch(one.filename):
            read.find(
                "rsmf-zip",
                one.filename,
                "it lies in a folder, and all files of the ZIP must lie beside one another",
            )
        if one.filename in members:
            read.find("rsmf-zip", one.filename, "two files have this name")
        if one.file_size > _EXPANDED:
            read.find("rsmf-zip", one.filename, "it is too large to be read")
        members[one.filename] = one
    return members


def _whole(archive: ZipFile, name: str, read: Read, look: Callable[[str, IO[bytes]], None] | None) -> None:
    try:
        with archive.open(name) as file:
            if look is not None:
                look(name, file)
            while file.read(_CHUNK):
                pass
    except DAMAGED as error:
        read.find("rsmf-file", name, f"it cannot be read: {error}")


# -- what it says ---------------------------------------------------------------------------------------------


def _rules(manifest: Manifest, sizes: dict[str, int], read: Read) -> None:
    if manifest.version not in VERSIONS:
        read.find("rsmf-version", "$.version", f"version {manifest.version} is not known")
    elif manifest.version != str(read.head.get("X-RSMF-Version", "")).strip():
        read.find("rsmf-version", "$.version", "the head of the mail names another version")
    people = _unique(manifest.participants, "participants", read)
    places = _unique(manifest.conversations, "conversations", read)
    events = _unique([one for one in manifest.events if one.id is not None], "events", read)
    used: set[str] = set()
    for number, participant in enumerate(manifest.participants):
        _there(participant.avatar, sizes, f"$.participants[{number}].avatar", read)
        used |= {participant.avatar} if participant.avatar is not None else set()
    for number, conversation in enumerate(manifest.conversations):
        for one in conversation.participants:
            _there(one, people, f"$.conversations[{number}].participants", read)
        _there(conversation.custodian, people, f"$.conversations[{number}].custodian", read)
        _there(conversation.icon, sizes, f"$.conversations[{number}].icon", read)
        used |= {conversation.icon} if conversation.icon is not None else set()
    for number, event in enumerate(manifest.events):
        _event(event, f"$.events[{number}]", people, places, events, sizes, used, read)
    _no_ring(manifest.events, read)
    for name in sorted(sizes.keys() - used):
        read.find("rsmf-file", name, "nothing in the description speaks of it")


def _event(
    event: Event,
    at: str,
    people: dict[str, int],
    places: dict[str, int],
    events: dict[str, int],
    sizes: dict[str, int],
    used: set[str],
    read: Read,
) -> None:
    _there(event.participant, people, f"{at}.participant", read)
    _there(event.conversation, places, f"{at}.conversation", read)
    _there(event.parent, events, f"{at}.parent", read)
    _time(event.timestamp, f"{at}.timestamp", read)
    for one in event.attachments:
        _there(one.id, sizes, f"{at}.attachments", read)
        if one.size is not None and one.id in sizes and sizes[one.id] != one.size:
            read.find("rsmf-file", one.id, f"it is said to have {one.size} bytes, and has {sizes[one.id]}")
        used.add(one.id)
    for reaction in event.reactions:
        for name in reaction.participants:
            _there(name, people, f"{at}.reactions", read)
    for edit in event.edits:
        _there(edit.participant, people, f"{at}.edits", read)
        _time(edit.timestamp, f"{at}.edits", read)
    for receipt in event.read_receipts:
        _there(receipt.participant, people, f"{at}.read_receipts", read)
        _time(receipt.timestamp, f"{at}.read_receipts", read)


def _unique(several: Iterable[Participant | Conversation | Event], what: str, read: Read) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, one in enumerate(several):
        assert one.id is not None, "those without one were left out"
        if one.id in found:
            read.find("rsmf-twice", f"$.{what}[{number}].id", f"{one.id!r} is there before")
        found[one.id] = number
    return found


def _there(name: str | None, known: dict[str, int], where: str, read: Read) -> None:
    if name is not None and name not in known:
        read.find("rsmf-dangling", where, f"{name!r} is not in the file")


def _time(said: str | None, where: str, read: Read) -> None:
    if said is None:
        return
    if not _is_moment(said):
        read.find("rsmf-moment", where, f"{said!r} is no time with a zone")


def _no_ring(events: Sequence[Event], read: Read) -> None:
    above = {event.id: event.parent for event in events if event.id is not None and event.parent is not None}
    safe: set[str] = set()
    for begin in above:
        path: set[str] = set()
        at: str | None = begin
        while at is not None and at not in safe:
            if at in path:
                read.find("rsmf-parent", f"event {at}", "it answers itself, or what answers it")
                break
            path.add(at)
            at = above.get(at)
        safe |= path


def _heads(manifest: Manifest, read: Read) -> None:
    """What the head of the mail says of the description, where it says it."""
    attachments = len({one.id for event in manifest.events for one in event.attachments})
    moments = sorted(
        (datetime.fromisoformat(event.timestamp.upper()), event.timestamp)
        for event in manifest.events
        if event.timestamp is not None and _is_moment(event.timestamp)
    )
    told = {
        "X-RSMF-EventCount": str(len(manifest.events)),
        "X-RSMF-AttachmentCount": str(attachments),
        "X-RSMF-EventCollectionID": manifest.eventcollectionid,
    }
    for name, value in told.items():
        said = read.head.get(name)
        if said is not None and value is not None and str(said).strip() != value:
            read.find("rsmf-head", name, f"it says {str(said).strip()}, and the description has {value}")
    if moments:
        for name, (at, value) in (("X-RSMF-BeginDate", moments[0]), ("X-RSMF-EndDate", moments[-1])):
            said = read.head.get(name)
            if said is None:
                continue
            if not _is_moment(str(said).strip()):
                read.find("rsmf-moment", name, f"{said} is no time with a zone")
            elif datetime.fromisoformat(str(said).strip().upper()) != at:
                read.find("rsmf-head", name, f"it says {said}, and the description has {value}")


def _is_moment(said: str) -> bool:
    try:
        return _MOMENT.fullmatch(said) is not None and datetime.fromisoformat(said.upper()) is not None
    except ValueError:
        return False
