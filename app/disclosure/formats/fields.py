"""What a load file says of each document: the fields, what each means, and when it is blank. Pure.

Everything is computed from what leaves. Where something was taken out, the
field is blank, and REDACTION_CODES says on what ground; a value that was only
partly taken out appears nowhere but in TEXT_SNIPPET, with its mark. What was
kept back whole has its numbers, its thread and its place in the ledger, and
nothing that a person wrote.

Two fields that recipients sometimes ask for are missing on purpose: what holds
cover a record is privileged, and whether it is confidential is for a court to
say; nothing in the archive knows it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from app.disclosure.package.recipe import Numbered, Recipe
from app.disclosure.released import Marked, Passage, Released, Removed, Withheld
from app.store.canonical import canonical, plain

MULTI = ";"
"""Between the values of a list; inside one it is written `%3B`."""
SNIPPET = 200
SEPARATOR = "\\"
"""Between the folders of a path, as the programs that load such files have it."""
_SPACE = re.compile(r"\s+")
_HASHTAG = re.compile(r"(?<![\w&/#])#(?=\d*[^\W\d])\w+")
_MENTION = re.compile(r"(?<![\w@./])@\w(?:[\w.-]*\w)?(?:@[\w-]+(?:\.[\w-]+)+)?")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_ENDS_SENTENCE = ".,;:!?'\")]}»”’"
_LIKES = ("likes", "favourites", "reactions")
_SHARES = ("shares", "reblogs", "reposts", "retweets")
_ANSWERS = ("replies", "comments")


class Digests(NamedTuple):
    """A file of a production: its size and digests. MD5 is what load programs ask for, and proves nothing."""

    size: int
    sha256: str
    md5: str


class Kind(StrEnum):
    """What the values of a field look like."""

    TEXT = "text"
    NUMBER = "whole number"
    DAY = "date"
    CLOCK = "time"
    MOMENT = "date and time"
    FLAG = "Y or N"
    PATH = "path"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Field:
    """A field by the name that we give it."""

    name: str
    kind: Kind
    meaning: str
    value: Callable[[Facts], str]
    blank: str = "never"


@dataclass(frozen=True, slots=True)
class Facts:
    """A document, the production that it is in, and the files that were written for it."""

    document: Numbered
    recipe: Recipe
    files: Mapping[str, Digests]

    @property
    def record(self) -> Released | None:
        return self.document.released

    @property
    def native(self) -> Digests | None:
        """The native file of a record that leaves whole."""
        name = self.document.names.native
        return self.files.get(name) if name is not None else None


def values(document: Numbered, recipe: Recipe, files: Mapping[str, Digests]) -> dict[str, str]:
    """Every field of a document. `files` are those of its `names` that were written, each by its name."""
    facts = Facts(document, recipe, files)
    return {field.name: field.value(facts) for field in FIELDS}


def path(name: str | None) -> str:
    r"""A file's name below the payload as load files have it: `.\pdf\0001\town-0000001.pdf`."""
    return "" if name is None else SEPARATOR.join((".", *name.split("/")))


def file_of(told: str) -> str:
    """The name below the payload that `path` was given; raises `ValueError` for what it cannot have given."""
    first, *parts = told.split(SEPARATOR)
    if first != "." or not parts or any(part in {"", ".", ".."} or "/" in part for part in parts):
        raise ValueError(f"{told!r} is no path below the payload")
    return "/".join(parts)


def listed(several: Iterable[str]) -> str:
    """A list as one value, each thing in it once, in its order."""
    return MULTI.join(dict.fromkeys(one.replace(MULTI, "%3B") for one in several if one))


def snippet(passage: Passage, most: int = SNIPPET) -> str:
    """How a text begins, on one line; marks of what was taken out are never cut."""
    told, room = "", most
    for run in passage:
        if isinstance(run, Removed):
            told += str(run)
            continue
        part = _SPACE.sub(" ", run)
        if len(part) > room:
            return (told + part[:room]).strip() + "…"
        told += part
        room -= len(part)
    return told.strip()


def codes(item: Released | Withheld) -> list[str]:
    """The grounds on which anything of it was taken out or kept back, each once."""
    if isinstance(item, Withheld):
        return list(dict.fromkeys(ground.code for ground in item.grounds))
    kept_back = (one.removed.code for one in item.withheld_from if one.removed is not None)
    return list(dict.fromkeys(chain((made.code for made in item.redactions), kept_back)))


def _deduplicating(facts: Facts) -> str:
    """What two captures of one thing have in common: SHA-256 over canonical JSON of platform, id, version, words and media.

    Never the words alone: two visitors who write the same are two records.
    Blank unless all of it leaves, because a digest of few words tells them.
    """
    record = facts.record
    if record is None or not facts.document.whole or not isinstance(record.native_id, str):
        return ""
    now = {one.id or id(one) for one in record.now.attachments}
    written = {
        one.attachment.id or id(one.attachment): facts.files.get(one.name)
        for one in facts.document.names.attached
    }
    media = [written.get(one) for one in now]
    if None in media:  # the archive never got it, or it does not leave as a file
        return ""
    told = {
        "platform": record.page.platform,
        "native_id": record.native_id,
        "version_no": record.now.number,
        "body": "".join(str(run) for run in record.now.text),
        "media": sorted(one.sha256 for one in media if one is not None),
    }
    try:
        return hashlib.sha256(canonical(plain(told))).hexdigest()
    except UnicodeEncodeError:  # half of a character has no canonical form
        return ""


def _shown(value: Marked | None) -> str:
    return value if isinstance(value, str) else ""


def _of_record(value: Callable[[Released], str]) -> Callable[[Facts], str]:
    """A field that only a record has that leaves."""
    return lambda facts: value(facts.record) if facts.record is not None else ""


def _of_native(value: Callable[[Digests, str], str]) -> Callable[[Facts], str]:
    """A field of the native file."""

    def told(facts: Facts) -> str:
        native, name = facts.native, facts.document.names.native
        return value(native, name) if native is not None and name is not None else ""

    return told


def _family(value: Callable[[Numbered], str]) -> Callable[[Facts], str]:
    """A field of a document with attachments: they are pages of it, and have no numbers of their own."""
    return lambda facts: value(facts.document) if _attachments(facts) else ""


def _attachments(facts: Facts) -> int:
    record = facts.record
    return 0 if record is None else len(_distinct(record))


def _distinct(record: Released) -> set[UUID | int]:
    return {one.id or id(one) for version in record.versions for one in version.attachments}


def _day(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).date().isoformat()


def _clock(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%H:%M:%S}"


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _edited(record: Released) -> str:
    """When the platform says it was edited, in UTC where that can be told."""
    said = record.now.edited_at
    try:
        at = datetime.fromisoformat(said) if said else None
    except ValueError:
        return said or ""
    return _moment(at) if at is None or at.utcoffset() is not None else said or ""


def _count(names: Sequence[str]) -> Callable[[Released], str]:
    def told(record: Released) -> str:
        return next((str(record.counts[name]) for name in names if name in record.counts), "")

    return told


def _found(pattern: re.Pattern[str]) -> Callable[[Released], str]:
    return lambda record: listed(_in(record.now.text, pattern))


def _in(passage: Passage, pattern: re.Pattern[str]) -> Iterable[str]:
    """What `pattern` finds in a text, but for what touches a place where something was taken out: it may be half of it."""
    for place, run in enumerate(passage):
        if isinstance(run, str):
            for found in pattern.finditer(run):
                if found.start() == 0 and place > 0:
                    continue
                if found.end() == len(run) and place + 1 < len(passage):
                    continue
                yield found[0].rstrip(_ENDS_SENTENCE) if pattern is _ADDRESS else found[0]


def _title(record: Released) -> str:
    title = record.extra.get("title")
    return _SPACE.sub(" ", title).strip() if isinstance(title, str) else ""


def _id(value: UUID | None) -> str:
    return "" if value is None else str(value)


def _entries(facts: Facts) -> str:
    match facts.document.item:
        case Released(versions=versions):
            return MULTI.join(str(one.entry) for one in versions)
        case Withheld(entries=entries):
            return MULTI.join(str(one) for one in entries)


def _properties(facts: Facts) -> str:
    if facts.document.withheld is not None:
        return "Document Withheld"
    return "Redacted" if codes(facts.document.item) else ""


_NONE = "where it was withheld"
_TAKEN = "where it was withheld or taken out"
_WHOLE = "unless the record leaves whole"

FIELDS: Sequence[Field] = (
    Field("BEGDOC", Kind.TEXT, "Number of the first page", lambda it: it.document.begins),
    Field("ENDDOC", Kind.TEXT, "Number of the last page", lambda it: it.document.ends),
    Field("BEGATTACH", Kind.TEXT, "First number of the document with its attachments, which are pages of it", _family(lambda it: it.begins), "without attachments"),
    Field("ENDATTACH", Kind.TEXT, "Last number of the document with its attachments", _family(lambda it: it.ends), "without attachments"),
    Field("ATTACHRANGE", Kind.TEXT, "First and last number of the document with its attachments", _family(lambda it: f"{it.begins} - {it.ends}"), "without attachments"),
    Field("PARENTID", Kind.TEXT, "Number of the document that this one is attached to; an answer is no attachment, and attachments have no documents of their own", lambda _: "", "always"),
    Field("ATTACHIDS", Kind.TEXT, "Numbers of attached documents; attachments have no documents of their own", lambda _: "", "always"),
    Field("ATTACHCOUNT", Kind.NUMBER, "How many attachments the record has, those kept back among them", _of_record(lambda it: str(len(_distinct(it)))), _NONE),
    Field("ATTACHPATHS", Kind.LIST, "Where the attachments lie that leave as files", lambda it: listed(path(one.name) for one in it.document.names.attached), "where none leaves"),
    Field("GROUPID", Kind.TEXT, "First number of the family: a post and what answers it", lambda it: it.document.thread),
    Field("PGCOUNT", Kind.NUMBER, "How many pages, and so how many numbers", lambda it: str(it.document.pages)),
    Field("VOLUME", Kind.TEXT, "Volume", lambda it: it.document.volume),
    Field("PRODUCTION", Kind.TEXT, "Number of the production", lambda it: it.recipe.number),
    Field("REPLACES", Kind.TEXT, "The production in which it stood under this number before", lambda it: it.document.replaced or "", "where it replaces nothing"),
    Field("AGENCY", Kind.TEXT, "Who produces it", lambda it: it.recipe.agency),
    Field("CUSTODIAN", Kind.TEXT, "Person or office answerable for the page", lambda it: it.document.item.page.custodian or it.document.item.page.name),
    Field("ALLCUSTODIANS", Kind.LIST, "The same: a record has one page, and a page one custodian", lambda it: listed([it.document.item.page.custodian or it.document.item.page.name])),
    Field("DOCTYPE", Kind.TEXT, "post, comment, reply, message or profile", lambda it: it.document.item.kind),
    Field("PLATFORM", Kind.TEXT, "Where the page is", lambda it: it.document.item.page.platform),
    Field("ACCOUNT", Kind.TEXT, "Name of the agency's page", lambda it: it.document.item.page.name),
    Field("ACCOUNTURL", Kind.TEXT, "Address of the agency's page", lambda it: it.document.item.page.address),
    Field("AUTHOR", Kind.TEXT, "Who wrote it, as the platform named them; nobody claims that the name is theirs", _of_record(lambda it: _shown(it.author.name)), _TAKEN),
    Field("AUTHOR_HANDLE", Kind.TEXT, "The name by which the platform addresses them", _of_record(lambda it: _shown(it.author.handle)), _TAKEN),
    Field("AUTHOR_ID", Kind.TEXT, "The platform's id of them", _of_record(lambda it: _shown(it.author.id)), _TAKEN),
    Field("PERMALINK", Kind.TEXT, "Its address on the platform", _of_record(lambda it: _shown(it.url)), _TAKEN),
    Field("NATIVE_ID", Kind.TEXT, "The platform's id of it", _of_record(lambda it: _shown(it.native_id)), _TAKEN),
    Field("THREAD_ID", Kind.TEXT, "Id of the post that the family begins with", lambda it: _id(it.document.item.root)),
    Field("IN_REPLY_TO", Kind.TEXT, "Id of the record that it answers", lambda it: _id(it.document.item.in_reply_to), "where it answers nothing"),
    Field("REPLYTODOC", Kind.TEXT, "First number of the document that it answers", lambda it: it.document.parent or "", "where that is not in this production"),
    Field("DATESENT", Kind.DAY, "Day of publication, in the time zone of TIMEZONE", _of_record(lambda it: _day(it.published_at)), "where it was withheld (withheld-log.csv has its day) or the platform gives no date"),
    Field("TIMESENT", Kind.CLOCK, "Time of publication, in the time zone of TIMEZONE", _of_record(lambda it: _clock(it.published_at)), "where it was withheld or the platform gives no date"),
    Field("TIMEZONE", Kind.TEXT, "Of every date and time here: always UTC", lambda _: "UTC"),
    Field("DATE_OBSERVED", Kind.MOMENT, "When it was observed as it stands here", _of_record(lambda it: _moment(it.now.observed_at)), _NONE),
    Field("DATE_EDITED", Kind.MOMENT, "When it was edited, as the platform says", _of_record(_edited), "where the platform does not say"),
    Field("DATE_FIRSTSEEN", Kind.MOMENT, "When it was first observed", _of_record(lambda it: _moment(it.first_seen)), _NONE),
    Field("DATE_LASTSEEN", Kind.MOMENT, "When it was last observed", _of_record(lambda it: _moment(it.last_seen)), _NONE),
    Field("VERSION_NO", Kind.NUMBER, "Which of its versions stands here", _of_record(lambda it: str(it.now.number)), _NONE),
    Field("VERSION_COUNT", Kind.NUMBER, "How many versions there are; the others stand in text/ and in the PDF", _of_record(lambda it: str(len(it.versions))), _NONE),
    Field("VISIBILITY", Kind.TEXT, "present, hidden, absent (missing where it should be listed), gone (as the platform itself says) or unknown", _of_record(lambda it: it.state), _NONE),
    Field("TITLE", Kind.TEXT, "Its title", _of_record(_title), "without a title, and " + _WHOLE),
    Field("TEXT_SNIPPET", Kind.TEXT, f"How its words begin: {SNIPPET} characters, on one line; all of them stand in text/", _of_record(lambda it: snippet(it.now.text)), _NONE),
    Field("LANGUAGE", Kind.TEXT, "Language, as the platform says", _of_record(lambda it: it.language or ""), "where the platform does not say"),
    Field("HASHTAGS", Kind.LIST, "Hashtags in its words", _of_record(_found(_HASHTAG)), "without any"),
    Field("MENTIONS", Kind.LIST, "Mentions in its words", _of_record(_found(_MENTION)), "without any"),
    Field("URLS", Kind.LIST, "Addresses in its words", _of_record(_found(_ADDRESS)), "without any"),
    Field("LIKE_COUNT", Kind.NUMBER, "Likes when it was last observed", _of_record(_count(_LIKES)), "where the platform does not count them"),
    Field("SHARE_COUNT", Kind.NUMBER, "Shares when it was last observed", _of_record(_count(_SHARES)), "where the platform does not count them"),
    Field("REPLY_COUNT", Kind.NUMBER, "Answers when it was last observed, as the platform counts them", _of_record(_count(_ANSWERS)), "where the platform does not count them"),
    Field("COUNTS", Kind.LIST, "Everything that the platform counts: name=count", _of_record(lambda it: listed(f"{name}={count}" for name, count in sorted(it.counts.items()))), "where the platform counts nothing"),
    Field("ORIGIN", Kind.TEXT, "captured, or received in somebody's file", _of_record(lambda it: it.origin), _NONE),
    Field("FILENAME", Kind.TEXT, "Name of the native file", _of_native(lambda _, name: name.rpartition("/")[2]), _WHOLE),
    Field("FILEEXT", Kind.TEXT, "What that name ends with", _of_native(lambda _, name: name.rpartition(".")[2]), _WHOLE),
    Field("MIMETYPE", Kind.TEXT, "Type of the native file", _of_native(lambda *_: "application/json"), _WHOLE),
    Field("FILESIZE", Kind.NUMBER, "Size of the native file in bytes", _of_native(lambda it, _: str(it.size)), _WHOLE),
    Field("MD5HASH", Kind.TEXT, "MD5 of the native file, for programs that ask for it; it proves nothing", _of_native(lambda it, _: it.md5), _WHOLE),
    Field("SHA256", Kind.TEXT, "SHA-256 of the native file", _of_native(lambda it, _: it.sha256), _WHOLE),
    Field("DEDUPHASH", Kind.TEXT, "SHA-256 over platform, native id, version, words and media: equal for two captures of one thing", _deduplicating, _WHOLE),
    Field("TEXTPATH", Kind.PATH, "Its words, whole, in UTF-8", lambda it: path(it.document.names.text), "where the production has no text"),
    Field("PDFPATH", Kind.PATH, "Its pages", lambda it: path(it.document.names.pdf), "where the production has no PDF"),
    Field("NATIVEPATH", Kind.PATH, "The record as JSON", lambda it: path(it.document.names.native), _WHOLE),
    Field("HTMLPATH", Kind.PATH, "The page on which it can be read with its family", lambda it: path(it.document.names.html), "where the production has no pages to read"),
    Field("RSMFPATH", Kind.PATH, "The short-message file of its family and day", lambda it: path(it.document.names.rsmf), "where the production has no such files"),
    Field("WACZPATH", Kind.PATH, "The web capture of its page", lambda it: path(it.document.names.wacz), _WHOLE),
    Field("REDACTED", Kind.FLAG, "Whether anything was taken out of it, or an attachment of it is kept back", lambda it: "Y" if it.record is not None and codes(it.record) else "N"),
    Field("REDACTION_CODES", Kind.LIST, "The grounds; redaction-log.csv and withheld-log.csv explain them", lambda it: listed(codes(it.document.item)), "where nothing was taken out or kept back"),
    Field("WITHHELD", Kind.FLAG, "Whether it is kept back whole, and a slip-sheet stands in its place", lambda it: "N" if it.document.withheld is None else "Y"),
    Field("PROPERTIES", Kind.TEXT, "Redacted, or Document Withheld", _properties, "where it leaves whole"),
    Field("RETENTION_SERIES", Kind.TEXT, "Series of the retention schedule", _of_record(lambda it: it.series or ""), "where it was withheld or has none"),
    Field("ITEM_UUID", Kind.TEXT, "The archive's id of it", lambda it: _id(it.document.item.id)),
    Field("LOG_INDEX", Kind.LIST, "Where the ledger holds its versions, the oldest first", _entries),
    Field("LOG_SIZE", Kind.NUMBER, "How many entries the checkpoint speaks of under which it is proven", lambda it: str(it.recipe.checkpoint or ""), "where the production has no proofs"),
    Field("PROOFPATH", Kind.PATH, "The folder of its proofs", lambda it: path(it.document.names.proof), "where the production has no proofs"),
)  # fmt: skip
"""In their order. Every one is in every load file whose profile does not choose."""

BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}
NUMBERS = frozenset(field.name for field in FIELDS if field.kind is Kind.NUMBER)
