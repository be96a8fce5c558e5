"""Short-message files (RSMF 2.0): a family of records as review tools show conversations, one file for each of its days.

A file is a mail whose one attachment is a ZIP, whose one description is
`rsmf_manifest.json`; its text says the same in the same order, because that is
what gets searched. An edit that was observed is an edit, a record that is gone
is marked so, a record that is kept back is a notice with its number and
ground. An answer names what it answers only where that lies in the same file:
nothing points at what is not there.

Whoever was taken out of a record is somebody else in each record, so that
nobody can tell which of them are of one person.

Events go through a temporary file, attachments straight into the ZIP, so that
a family of a million records needs memory for their ids alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, NamedTuple
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from app.disclosure.formats.fields import Digests, codes
from app.disclosure.package.recipe import Attached, Numbered, Recipe
from app.disclosure.released import Marked, Released, ReleasedAuthor, Removed, Withheld, plain
from app.papers import words

VERSION = "2.0.0"
MANIFEST = "rsmf_manifest.json"
ARCHIVE = "rsmf.zip"
GONE = "gone"
"""The state in which the platform itself says that there is no such item any more."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_NAMED = 200
"""So many participants are named in the head of the mail; all of them stand in the manifest."""
_REACTION = 30
"""What something that is counted may be called at most."""
_CHUNK = 57 * 1024
"""A multiple of what one line of base64 holds."""
_CONVERSATION = "C1"


class Told(NamedTuple):
    """What was written into a file: its name below the payload, and how much it holds."""

    name: str
    events: int
    attachments: int


Into = Callable[[str], AbstractContextManager[BinaryIO]]
"""Opens the file of a name, to be written from its beginning."""


def write(
    family: Iterable[Numbered],
    recipe: Recipe,
    into: Into,
    *,
    files: Mapping[str, Digests],
    scratch: Path,
) -> list[Told]:
    """Write the files of one family, whose documents come in their order, each day under its own name.

    A day's file is what its documents name as their `rsmf`; those that name
    none are in none. `files` are the native files that were written, whose
    digests stand beside their events. `scratch` is where temporary files may lie.
    """
    with TemporaryFile(dir=scratch) as spool:
        days: dict[str, _Day] = {}
        for document in family:
            name = document.names.rsmf
            if name is not None:
                if name not in days:
                    days[name] = _Day(name, document, spool)
                days[name].add(document, files)
        return [day.write(recipe, into, scratch) for day in days.values()]


@dataclass(slots=True)
class _Day:
    """What is known of one file while its documents come."""

    name: str
    first: Numbered
    spool: IO[bytes]
    events: list[tuple[int, int]] = field(default_factory=list)
    said: list[tuple[int, int]] = field(default_factory=list)
    known: set[UUID] = field(default_factory=set)
    people: dict[tuple[str, ...], str] = field(default_factory=dict)
    participants: list[dict[str, object]] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    moments: tuple[str, str] | None = None

    def add(self, document: Numbered, files: Mapping[str, Digests]) -> None:
        event, said = (
            self._event(document, document.item, files)
            if isinstance(document.item, Released)
            else _notice(document, document.item)
        )
        if document.item.in_reply_to in self.known:
            event["parent"] = str(document.item.in_reply_to)
        self.known.add(document.item.id)
        self.events.append(self._kept(_json(event)))
        self.said.append(self._kept(f"{said}\r\n\r\n".encode()))

    def _event(
        self, document: Numbered, record: Released, files: Mapping[str, Digests]
    ) -> tuple[dict[str, object], str]:
        participant = self._participant(record.author, document.begins)
        body = words.valid(plain(record.now.text))
        event: dict[str, object] = {
            "id": str(record.id),
            "type": "message",
            "conversation": _CONVERSATION,
            "participant": participant,
            "body": body,
            "deleted": record.state == GONE,
            "custom": _custom(_particulars(document, record, files)),
        }
        if record.published_at is not None:
            event["timestamp"] = self._at(record.published_at)
        if edits := _edits(record, participant):
            event["edits"] = edits
        if document.names.attached:
            event["attachments"] = [_attachment(one) for one in document.names.attached]
            self.attached += document.names.attached
        if reactions := [
            {"value": name, "count": count}
            for name, count in sorted(
                (words.line(name, _REACTION), count) for name, count in record.counts.items()
            )
            if name and count > 0
        ]:
            event["reactions"] = reactions
        who = self.participants[int(participant[1:]) - 1]["display"]
        return event, f"{event.get('timestamp', 'undated')} {document.begins} {who}:\r\n{body}"

    def _at(self, at: datetime) -> str:
        told = _moment(at)
        begin, end = self.moments or (told, told)
        self.moments = min(begin, told), max(end, told)
        return told

    def _participant(self, author: ReleasedAuthor, begins: str) -> str:
        """The id of whoever wrote it; two records have the same only where something that is released says so."""
        hidden = (
            isinstance(author.id, Removed)
            or isinstance(author.handle, Removed)
            or isinstance(author.name, Removed)
        )
        known = [(kind, value) for kind, value in _parts(author) if isinstance(value, str) and value]
        if hidden:  # a name alone is not a person: others bear it too
            known = [(kind, value) for kind, value in known if kind != "name"]
        key = known[0] if known else ("document", begins)
        if key not in self.people:
            self.people[key] = f"P{len(self.people) + 1}"
            self.participants.append(_person(self.people[key], author))
        return self.people[key]

    def _kept(self, content: bytes) -> tuple[int, int]:
        at = self.spool.seek(0, 2)
        self.spool.write(content)
        return at, len(content)

    def _read(self, places: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        for at, length in places:
            self.spool.seek(at)
            yield self.spool.read(length)

    # -- writing -------------------------------------------------------------------------------------------

    def write(self, recipe: Recipe, into: Into, scratch: Path) -> Told:
        with TemporaryFile(dir=scratch) as packed:
            with ZipFile(packed, "w") as archive:
                with archive.open(_member(MANIFEST, ZIP_DEFLATED), "w") as manifest:
                    for part in self._manifest(recipe):
                        manifest.write(part)
                for one in self.attached:
                    _pack(archive, one)
            packed.seek(0)
            with into(self.name) as out:
                for part in self._mail(recipe, packed):
                    out.write(part)
        return Told(self.name, len(self.events), len(self.attached))

    def _manifest(self, recipe: Recipe) -> Iterator[bytes]:
        page = self.first.item.page
        conversation = {
            "id": _CONVERSATION,
            "platform": words.line(page.platform),
            "type": "channel",
            "display": words.line(page.name) or self.first.thread,
            "participants": [one["id"] for one in self.participants],
            "custom": _custom(
                [
                    ("CUSTODIAN", page.custodian or page.name),
                    ("GROUPID", self.first.thread),
                    ("THREAD_ID", str(self.first.item.root)),
                    ("ACCOUNTURL", page.address),
                ]
            ),
        }
        yield (
            b'{"conversations":['
            + _json(conversation)
            + b'],"eventcollectionid":'
            + _json(self._together(recipe))
        )
        yield b',"events":['
        for number, event in enumerate(self._read(self.events)):
            yield b"," + event if number else event
        yield b'],"participants":' + _json(self.participants) + b',"version":' + _json(VERSION) + b"}"

    def _together(self, recipe: Recipe) -> str:
        """What the files of one family have in common, whatever their days."""
        return f"{recipe.number}.{self.first.thread}"

    def _mail(self, recipe: Recipe, packed: IO[bytes]) -> Iterator[bytes]:
        boundary = f"=_{hashlib.sha256(f'{recipe.production} {self.name}'.encode()).hexdigest()[:40]}"
        yield "".join(_header(name, value) for name, value in self._headers(recipe) if value).encode("ascii")
        yield (
            "MIME-Version: 1.0\r\n"
            f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
            f"--{boundary}\r\n"
            'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        ).encode()
        yield from _encoded(self._read(self.said))
        yield (
            f"--{boundary}\r\n"
            f'Content-Type: application/zip; name="{ARCHIVE}"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="{ARCHIVE}"\r\n\r\n'
        ).encode()
        yield from _encoded(iter(lambda: packed.read(_CHUNK), b""))
        yield f"--{boundary}--\r\n".encode()

    def _headers(self, recipe: Recipe) -> Iterator[tuple[str, str]]:
        page, name = self.first.item.page, self.name.rpartition("/")[2]
        display = [str(one["display"]).replace(",", " ") for one in self.participants]
        more = len(display) - _NAMED
        yield "X-RSMF-Version", VERSION
        yield "X-RSMF-Generator", words.line(recipe.software)
        if self.moments is not None:
            yield "X-RSMF-BeginDate", self.moments[0]
            yield "X-RSMF-EndDate", self.moments[1]
        yield "X-RSMF-EventCount", str(len(self.events))
        yield "X-RSMF-AttachmentCount", str(len(self.attached))
        yield "X-RSMF-EventCollectionID", self._together(recipe)
        yield "X-RSMF-Application", words.line(page.platform)
        yield "X-RSMF-Custodian", words.line(page.custodian or page.name)
        if display:
            yield (
                "X-RSMF-Participants",
                ", ".join([*display[:_NAMED], *([f"and {more} more"] if more > 0 else [])]),
            )
        # A mail has to have an author, and this one was written by none. The domain is one that there can never be.
        yield "From", str(Address(words.line(recipe.agency), "production", "muniment.invalid"))
        yield "Date", format_datetime(recipe.made_at.astimezone(UTC))
        yield "Subject", f"{words.line(page.name)}, {self.first.thread}, {name}"
        yield "Message-ID", f"<{recipe.number}.{name.removesuffix('.rsmf')}@muniment.invalid>"


def _notice(document: Numbered, withheld: Withheld) -> tuple[dict[str, object], str]:
    body = f"Withheld in full: {', '.join(codes(withheld))}"
    event: dict[str, object] = {
        "id": str(withheld.id),
        "type": "disclaimer",
        "conversation": _CONVERSATION,
        "body": body,
        "custom": _custom(
            [
                ("BEGDOC", document.begins),
                ("ENDDOC", document.ends),
                ("ITEM_UUID", str(withheld.id)),
                ("DOCTYPE", withheld.kind),
                ("DATE", withheld.day),
                ("WITHHELD", "Y"),
                ("LOG_INDEX", ";".join(str(entry) for entry in withheld.entries)),
            ]
        ),
    }
    return event, f"{withheld.day} {document.begins}:\r\n{body}"


def _particulars(
    document: Numbered, record: Released, files: Mapping[str, Digests]
) -> Iterator[tuple[str, str]]:
    """What leads from an event to the document, to its proof, and to how long it stood so."""
    native = files.get(document.names.native) if document.names.native is not None else None
    yield "BEGDOC", document.begins
    yield "ENDDOC", document.ends
    yield "ITEM_UUID", str(record.id)
    yield "DOCTYPE", record.kind
    yield "LOG_INDEX", ";".join(str(one.entry) for one in record.versions)
    yield "SHA256", native.sha256 if native is not None else ""
    yield "VISIBILITY", record.state
    yield "VERSION_NO", str(record.now.number)
    yield "DATE_OBSERVED", _moment(record.now.observed_at)
    yield "LAST_SEEN_BEFORE", _moment(record.now.last_seen_before) if record.now.last_seen_before else ""
    yield "PERMALINK", record.url if isinstance(record.url, str) else ""
    yield "IN_REPLY_TO", str(record.in_reply_to) if record.in_reply_to is not None else ""
    yield "REPLYTODOC", document.parent or ""
    yield "REDACTION_CODES", ";".join(codes(record))
    yield "ATTACHMENTS_NOT_HERE", str(_not_here(document, record) or "")


def _not_here(document: Numbered, record: Released) -> int:
    """How many attachments were withheld, never had, or leave in another way."""
    every = {one.id or id(one) for version in record.versions for one in version.attachments}
    return len(every - {one.attachment.id or id(one.attachment) for one in document.names.attached})


def _edits(record: Released, participant: str) -> list[dict[str, object]]:
    """Each time the words were seen changed; when, as the platform says, or else when it was first seen so."""
    told: list[dict[str, object]] = []
    for before, after in pairwise(record.versions):
        was, now = words.valid(plain(before.text)), words.valid(plain(after.text))
        if was != now:
            told.append(
                {
                    "participant": participant,
                    "timestamp": _said(after.edited_at) or _moment(after.observed_at),
                    "previous": was,
                    "new": now,
                }
            )
    return told


def _attachment(one: Attached) -> dict[str, object]:
    name = one.name.rpartition("/")[2]
    told: dict[str, object] = {"id": name, "display": name}
    if one.attachment.size is not None:
        told["size"] = one.attachment.size
    return told


def _parts(author: ReleasedAuthor) -> tuple[tuple[str, Marked | None], ...]:
    return ("id", author.id), ("handle", author.handle), ("name", author.name)


def _person(identity: str, author: ReleasedAuthor) -> dict[str, object]:
    shown = [value for _, value in reversed(_parts(author)) if isinstance(value, str) and value.strip()]
    removed = [value for _, value in _parts(author) if isinstance(value, Removed)]
    display = words.line(shown[0]) if shown else str(removed[0]) if removed else "Unknown"
    told: dict[str, object] = {"id": identity, "display": display or "Unknown"}
    if isinstance(author.id, str) and author.id:
        told["account_id"] = words.valid(author.id)
    if isinstance(author.handle, str) and author.handle:
        told["custom"] = _custom([("AUTHOR_HANDLE", author.handle)])
    return told


def _custom(several: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Particulars that have a value; the format has no empty ones."""
    return [{"name": name, "value": words.valid(value)} for name, value in several if value]


def _pack(archive: ZipFile, one: Attached) -> None:
    member = _member(one.name.rpartition("/")[2], ZIP_STORED)
    member.file_size = one.attachment.size or 0  # tells in advance whether it needs the form for large files
    assert one.attachment.chunks is not None, "an attachment with a name has content"
    with archive.open(member, "w") as file:
        for chunk in one.attachment.chunks():
            file.write(chunk)


def _member(name: str, method: int) -> ZipInfo:
    member = ZipInfo(name, _EARLIEST)
    member.compress_type = method
    member.external_attr = 0o644 << 16
    member.create_system = 3
    return member


def _encoded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Base64 in lines of 76, whatever the chunks are."""
    held = b""
    for chunk in chunks:
        held += chunk
        whole = len(held) - len(held) % _CHUNK
        if whole:
            yield base64.encodebytes(held[:whole]).replace(b"\n", b"\r\n")
            held = held[whole:]
    yield base64.encodebytes(held).replace(b"\n", b"\r\n")


def _header(name: str, value: str) -> str:
    """A line of the head, folded, with what is not ASCII encoded as mail has it."""
    return str(SMTP.header_factory(name, value).fold(policy=SMTP))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _said(edited_at: str | None) -> str | None:
    """The platform's word for when it was edited, if it is a moment."""
    try:
        at = datetime.fromisoformat(edited_at) if edited_at else None
    except ValueError:
        return None
    return _moment(at) if at is not None and at.utcoffset() is not None else None
