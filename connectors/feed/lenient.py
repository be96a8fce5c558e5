"""feedparser, driven so that it reads and never reaches out, guesses at bytes or changes words.

It is given characters that were decoded and mended before (`markup.mended`),
so no declaration and no entity comes near it; the XML parser beneath it
refuses both all the same. HTML stays as it was published: sanitising is the
business of whoever shows it. Each entry remembers the number of the item that
it was read from.
"""

from __future__ import annotations

import io
import xml.sax
from typing import Any, cast
from xml.sax import handler, xmlreader

from defusedxml import expatreader
from feedparser import FeedParserDict
from feedparser import api as feedparser_api

Dict = dict[str, Any]

_THREADING = "http://purl.org/syndication/thread/1.0"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
_HISTORY = "http://purl.org/syndication/history/1.0"

_ENCODING = "UTF-8"
"""In capitals, so that feedparser does not take two characters for one misread and correct the publisher."""

_LONGEST_AUTHOR = 1000
"""Beyond this, looking for an e-mail address among the letters takes time with their square."""


_LONGEST_BASE = 4000


class NotReadable(ValueError):
    """Neither reading got to the end of the document."""


class Reading:
    """What feedparser saw in one document."""

    def __init__(self, parser: Any, fault: str | None) -> None:
        self.feed: Dict = parser.feeddata
        self.entries: list[Dict] = parser.entries
        self.version: str = parser.version
        self.items: list[int | None] = parser.items
        """For each entry, the number of the item that it was read from."""
        self.tombstones: list[Dict] = parser.tombstones
        self.fault = fault
        """None, or why the document had to be read as one reads broken HTML."""


class _Ours:
    """What both of feedparser's readings do otherwise for us."""

    marker = ""
    resolve_relative_uris = False
    sanitize_html = False

    def __init__(self, *arguments: Any) -> None:
        self.items: list[int | None] = []
        self.tombstones: list[Dict] = []
        self._known_tags: dict[int, set[tuple[str | None, ...]]] = {}
        super().__init__(*arguments)

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        attrs = [one for one in attrs if one[0].lower() not in {"xml:base", "base"} or self._bearable(one[1])]
        prefix, _, name = tag.rpartition(":")
        if name == "deleted-entry" and self.namespacemap.get(prefix, prefix) == "at":  # type: ignore[attr-defined] # of feedparser's class
            self.tombstones.append(dict(attrs))
            self.insource = 1  # its links and names are not those of the feed
        super().unknown_starttag(tag, attrs)  # type: ignore[misc] # of feedparser's class

    def _bearable(self, base: str) -> bool:
        """Whether a relative base may be followed: one inside another they can grow without end."""
        return len(self.baseuri or "") + len(base) <= _LONGEST_BASE  # type: ignore[attr-defined] # of feedparser's class

    def unknown_endtag(self, tag: str) -> None:
        super().unknown_endtag(tag)  # type: ignore[misc] # of feedparser's class
        if tag.rpartition(":")[2] == "deleted-entry":
            self.insource = 0
            self.sourcedata.clear()  # type: ignore[attr-defined] # of feedparser's class

    def _start_item(self, attrs_d: Dict) -> None:
        number = attrs_d.pop(self.marker, None)
        self.items.append(int(number) if number is not None and number.isdecimal() else None)
        super()._start_item(attrs_d)  # type: ignore[misc] # of feedparser's class

    _start_entry = _start_item

    def _add_tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        """Note a category once. feedparser compares it with every other, which takes time with their square."""
        tags = self._get_context().setdefault("tags", [])  # type: ignore[attr-defined] # of feedparser's class
        known = self._known_tags.setdefault(id(tags), set())
        if (term or scheme or label) and (term, scheme, label) not in known:
            known.add((term, scheme, label))
            tags.append(FeedParserDict(term=term, scheme=scheme, label=label))

    def _sync_author_detail(self, key: str = "author") -> None:
        author = self._get_context().get(key)  # type: ignore[attr-defined] # of feedparser's class
        if author is None or len(author) <= _LONGEST_AUTHOR:
            super()._sync_author_detail(key)  # type: ignore[misc] # of feedparser's class


def _ours(base: Any) -> Any:
    known = base.namespaces | {_THREADING: "thr", _TOMBSTONES: "at", _HISTORY: "fh"}
    members = {
        "namespaces": known,
        "_matchnamespaces": {address.lower(): prefix for address, prefix in known.items()},
        # An id is a name, not an address, even where it looks like half of one.
        "can_be_relative_uri": base.can_be_relative_uri - {"id"},
    }
    return cast("Any", type("FeedParser", (_Ours, base), members))


_Strict = _ours(feedparser_api.StrictFeedParser)
_Loose = _ours(feedparser_api.LooseFeedParser)


def read(text: str, address: str, marker: str) -> Reading:
    """Read a mended document; `marker` is the attribute that numbers its items.

    `address` is what relative addresses are relative to. `NotReadable` where
    even the lenient reading fails.
    """
    strict = _made(_Strict, marker, address, None, _ENCODING)
    try:
        _parse_strictly(strict, text)
    except Exception as fault:  # noqa: BLE001 -- whatever strict reading cannot do, lenient reading may
        return Reading(_read_leniently(text, address, marker), _said(fault))
    return Reading(strict, None)


def _read_leniently(text: str, address: str, marker: str) -> Any:
    loose = _made(_Loose, marker, address, None, _ENCODING, {})
    try:
        loose.feed(text)
    except Exception as fault:
        # A stranger's document makes this parser stumble in more ways than can be named.
        raise NotReadable(_said(fault)) from fault
    return loose


def _made(kind: Any, marker: str, *arguments: Any) -> Any:
    parser = kind(*arguments)
    parser.marker = marker
    return parser


def _parse_strictly(parser: Any, text: str) -> None:
    reader: Any = expatreader.create_parser(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    reader.setFeature(handler.feature_namespaces, True)
    reader.setFeature(handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(handler.ErrorHandler())
    source = xmlreader.InputSource()
    source.setByteStream(io.BytesIO(text.encode("utf-8", "replace")))
    source.setEncoding("utf-8")
    try:
        reader.parse(source)
    finally:
        reader.setContentHandler(handler.ContentHandler())


def _said(fault: Exception) -> str:
    if isinstance(fault, xml.sax.SAXException):
        return fault.getMessage()
    return f"{type(fault).__name__}"
