"""Comments that a page marks up as such (schema.org), each with the bytes in which it stands. Pure.

Two forms are read. JSON-LD stands in a script beside the words that are shown;
a comment's bytes are then those of its JSON object. Microdata marks the shown
words themselves; a comment's bytes are its element, and its words are its own
and no longer the page's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec

from connectors import text as words
from connectors.contract import Author
from connectors.spans import NotJson, array_items, object_members
from connectors.spans import document as json_document
from connectors.webpage import markup
from connectors.webpage.places import joined

_COMMENT = frozenset({"Comment", "UserComments", "CorrectionComment"})
_PEOPLE = ("author", "creator")
_DEEPEST = 60
_SPARE = 65_536
_COUNTERS = {"upvoteCount": "upvotes", "downvoteCount": "downvotes"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One comment: `start` and `end` are its bytes, -1 where they cannot be told. `shown`: they are the words on the page."""

    id: str
    text: str
    html: str | None
    author: Author | None
    published_at: datetime | None
    edited_at: datetime | None
    url: str | None
    answers: str | None
    start: int
    end: int
    shown: bool
    counts: Mapping[str, int] = field(default_factory=dict)

    def unplaced(self) -> Remark:
        """The same, of a page whose bytes cannot be told apart."""
        return replace(self, start=-1, end=-1, shown=False)


def remarks(document: markup.Document, address: str) -> tuple[list[Remark], int | None]:
    """The comments of a page, each before those that answer it, and how many the page says there are."""
    linked = _Linked(document, address)
    linked.read()
    shown = _Shown(document, address)
    shown.read()
    found: dict[str, Remark] = {}
    for remark in (*shown.found, *linked.found):
        found.setdefault(remark.id, remark)
    alike = {_alike(remark) for remark in shown.found}
    kept = [one for one in found.values() if one.shown or _alike(one) not in alike]
    return kept, linked.stated if linked.stated is not None else shown.stated


def stated_times(document: markup.Document) -> tuple[datetime | None, datetime | None]:
    """When the page says, in JSON-LD, that it was published and modified."""
    for _, text in _scripts(document):
        if b'"datePublished"' not in text and b'"dateModified"' not in text:
            continue
        for item in _graph(text):
            published, edited = moment(item.get("datePublished")), moment(item.get("dateModified"))
            if (published or edited) and not _types(item) & _COMMENT:
                return published, edited
    return None, None


def moment(written: object) -> datetime | None:
    """A time as pages write it (ISO 8601); a day is its beginning in UTC, and no zone means UTC."""
    if not isinstance(written, str):
        return None
    text = written.strip()
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        read = datetime.fromisoformat(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text))
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _alike(remark: Remark) -> tuple[str, str]:
    return " ".join(remark.text.split()), (remark.author.name or "") if remark.author else ""


# -- JSON-LD -----------------------------------------------------------------------------------------------


def _scripts(document: markup.Document) -> Iterator[tuple[int, bytes]]:
    """Each JSON-LD script: where its content begins, and its bytes as UTF-8."""
    for number in document.named("script"):
        if "ld+json" in document.attributes(number).get("type", "").lower():
            element = document.elements[number]
            yield element.inside, document.content(number).encode()


def _graph(text: bytes) -> Iterator[dict[str, Any]]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return
    for top in value if isinstance(value, list) else [value]:
        if isinstance(top, dict):
            inner = top.get("@graph")
            yield from (
                one for one in [top, *(inner if isinstance(inner, list) else [])] if isinstance(one, dict)
            )


class _Linked:
    """Comments in JSON-LD."""

    def __init__(self, document: markup.Document, address: str) -> None:
        self.document, self.address = document, address
        self.found: list[Remark] = []
        self.stated: int | None = None
        self._body, self._at = b"", 0

    def read(self) -> None:
        for start, text in _scripts(self.document):
            if b"omment" not in text:
                continue
            self._body = text
            # Where the page is not UTF-8, the bytes of the script are not those of its words.
            self._at = start if self.document.encoding == "utf-8" else -1
            try:
                self._value(json_document(text), None, 0)
            except (NotJson, RecursionError, UnicodeError):
                continue

    def _value(self, span: tuple[int, int], answers: str | None, depth: int) -> None:
        opening = self._body[span[0] : span[0] + 1]
        if depth > _DEEPEST:
            return
        if opening == b"[":
            for item in array_items(self._body, *span):
                self._value(item, answers, depth + 1)
        elif opening == b"{":
            members = object_members(self._body, span)
            if b"omment" in self._body[span[0] : span[1]]:
                self._object(span, members, answers, depth)

    def _object(
        self, span: tuple[int, int], members: Mapping[str, tuple[int, int]], answers: str | None, depth: int
    ) -> None:
        types = _types({"@type": self._of(members.get("@type"))})
        if types & _COMMENT:
            remark = self._remark(span, members, answers)
            self.found.append(remark)
            answers = remark.id
        elif "commentCount" in members and self.stated is None:
            stated = self._of(members["commentCount"])
            self.stated = int(stated) if isinstance(stated, (int, str)) and str(stated).isdecimal() else None
        for name, inner in members.items():
            if self._body[inner[0] : inner[0] + 1] in {b"[", b"{"} and name not in {
                "author",
                "creator",
                "parentItem",
            }:
                self._value(inner, answers, depth + 1)

    def _remark(
        self, span: tuple[int, int], members: Mapping[str, tuple[int, int]], answers: str | None
    ) -> Remark:
        said = {
            name: self._of(inner) for name, inner in members.items() if name not in {"comment", "replyTo"}
        }
        written = _text(said.get("text") or said.get("description") or said.get("commentText"))
        author = next((one for name in _PEOPLE if (one := _author(said.get(name))) is not None), None)
        published = moment(said.get("dateCreated") or said.get("datePublished") or said.get("commentTime"))
        url = joined(_text(said.get("url")), self.address) if said.get("url") else None
        parent = said.get("parentItem")
        named = _text(parent.get("@id") or parent.get("url")) if isinstance(parent, dict) else _text(parent)
        placed = self._at >= 0 and self.document.placed
        return Remark(
            id=_text(said.get("@id") or said.get("identifier") or said.get("url"))
            or _made(author, published, written),
            text=words.plain(written),
            html=written or None,
            author=author,
            published_at=published,
            edited_at=moment(said.get("dateModified")),
            url=url,
            answers=named or answers,
            start=self._at + span[0] if placed else -1,
            end=self._at + span[1] if placed else -1,
            shown=False,
            counts=_counts(said),
        )

    def _of(self, span: tuple[int, int] | None) -> Any:
        if span is None:
            return None
        try:
            return msgspec.json.decode(self._body[span[0] : span[1]])
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return None


# -- microdata ---------------------------------------------------------------------------------------------


class _Shown:
    """Comments in microdata."""

    def __init__(self, document: markup.Document, address: str) -> None:
        self.document, self.address = document, address
        self.found: list[Remark] = []
        self.stated: int | None = None
        size = document.elements[-1].end if document.elements else 0
        self._left = 4 * size + _SPARE
        """How many bytes of content may still be read: elements that stand in one another are read more than once."""

    def read(self) -> None:
        document = self.document
        scopes: dict[int, set[str]] = {}
        around: list[int] = []
        """For each element, the item in which it stands; elements stand before what is in them."""
        properties: dict[int, list[int]] = {}
        for number, element in enumerate(document.elements):
            outer = around[element.parent] if element.parent >= 0 else -1
            around.append(outer)
            if not document.has(number, "item"):
                continue
            given = document.attributes(number)
            if "itemprop" in given:
                properties.setdefault(outer, []).append(number)
            if "itemtype" in given:
                scopes[number] = {kind.rstrip("/").rpartition("/")[2] for kind in given["itemtype"].split()}
                around[number] = number
        names: dict[int, str] = {}
        for number, kinds in scopes.items():
            parent = document.elements[number].parent
            outer = around[parent] if parent >= 0 else -1
            if not kinds & _COMMENT:
                if outer in names:
                    names[number] = names[outer]
                continue
            said = self._said(properties.get(number, []), scopes, properties)
            remark = self._remark(number, said, names.get(outer))
            names[number] = remark.id
            self.found.append(remark)
        for numbers in properties.values():
            for number in numbers:
                if document.attributes(number)["itemprop"] == "commentCount" and self.stated is None:
                    value = self._value(number).strip()
                    self.stated = int(value) if value.isdecimal() else None

    def _said(
        self, own: list[int], scopes: Mapping[int, set[str]], properties: Mapping[int, list[int]]
    ) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for number in own:
            for name in self.document.attributes(number)["itemprop"].split():
                if number in scopes and not scopes[number] & _COMMENT:
                    said.setdefault(name, self._said(properties.get(number, []), scopes, {}))
                elif number not in scopes and name not in said:
                    said[name] = self._value(number)
                    said[f"{name}/html"] = self._content(number)
        return said

    def _value(self, number: int) -> str:
        given = self.document.attributes(number)
        for name in ("content", "datetime", "href", "src"):
            if name in given:
                return given[name]
        return words.plain(self._content(number))

    def _content(self, number: int) -> str:
        content = self.document.content(number, self._left)
        self._left -= len(content)
        return content

    def _remark(self, number: int, said: Mapping[str, Any], around: str | None) -> Remark:
        element = self.document.elements[number]
        given = self.document.attributes(number)
        name = next((one for one in ("text", "commentText", "description") if one in said), "")
        text, html = _text(said.get(name)), said.get(f"{name}/html")
        author = next((one for key in _PEOPLE if (one := _author(said.get(key))) is not None), None)
        published = moment(said.get("dateCreated") or said.get("datePublished") or said.get("commentTime"))
        url = joined(_text(said.get("url")), self.address) if said.get("url") else None
        return Remark(
            id=given.get("itemid") or given.get("id") or url or _made(author, published, text),
            text=text,
            html=html if isinstance(html, str) else None,
            author=author,
            published_at=published,
            edited_at=moment(said.get("dateModified")),
            url=url,
            answers=_text(said.get("parentItem")) or around,
            start=element.start,
            end=element.end,
            shown=True,
            counts=_counts(said),
        )


# -- what both say -----------------------------------------------------------------------------------------


def _types(item: Mapping[str, Any]) -> set[str]:
    kinds = item.get("@type")
    return {str(kind).rpartition("/")[2] for kind in (kinds if isinstance(kinds, list) else [kinds])}


def _author(value: object) -> Author | None:
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        name = _text(first.get("name")) or None
        identity = _text(first.get("@id") or first.get("url")) or None
        handle = _text(first.get("alternateName")) or None
        return Author(id=identity, name=name, handle=handle) if name or identity else None
    alone = _text(first)
    return Author(name=alone) if alone else None


def _counts(said: Mapping[str, Any]) -> dict[str, int]:
    found = {}
    for name, ours in _COUNTERS.items():
        value = str(said.get(name, "")).strip()
        if value.isascii() and value.isdecimal() and len(value) < 16:
            found[ours] = int(value)
    return found


def _made(author: Author | None, published: datetime | None, text: str) -> str:
    """A name for a comment that bears none: by who wrote it when; by its words where that is not said either."""
    who = (author.id or author.name or "") if author else ""
    told = [who, published.isoformat()] if published else [who, text]
    return "unnamed-" + hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) else ""
