"""A page's markup with the place of everything in it, byte for byte. Pure.

Every byte of evidence has an owner, so elements are found in the bytes as they
were served. The encodings of the web leave the signs of markup alone, whatever
else they do, so the bytes are looked at one by one and each piece of words is
decoded for itself; where an encoding does not (UTF-16, ISO-2022-JP), the page
is read all the same and its parts bear no places of their own.

Reading takes time in proportion to the length, whatever a stranger wrote.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_META = re.compile(rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})""")
_WIDER = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
"""What publishers mean by these names, as browsers read them (WHATWG Encoding)."""

_OPEN_TO_MARKUP = re.compile(
    r"utf-8|cp1(?:25\d|252)|cp874|iso8859-\d+|koi8-[ru]|mac-\w+|shift_jis|cp932|euc[_-]\w+|gb18030|gbk|big5\w*|cp949"
)
"""Encodings in which a byte that looks like markup is markup."""

_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]++)(?:\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'<>`]++)))?""")
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_TAG_END = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")
_QUOTED_TAIL = 4096
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})
VOID = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    }
)


@dataclass(frozen=True, slots=True)
class Token:
    """Text, a start tag or an end tag, and the bytes in which it stands. `element` is the number of a start tag's element."""

    kind: str
    start: int
    end: int
    name: str = ""
    element: int = -1


@dataclass(slots=True)
class Element:
    """An element: its start tag up to `inside`, its content up to `close`, its end tag up to `end`."""

    name: str
    start: int
    inside: int
    close: int
    end: int
    parent: int


@dataclass(slots=True)
class Document:
    """A page's tokens and elements. `placed` says whether their places are those of the bytes that were served."""

    encoding: str
    placed: bool
    broken: int
    """How many characters could not be read and were replaced."""
    tokens: Sequence[Token]
    elements: Sequence[Element]
    _raw: str
    _attributes: dict[int, dict[str, str]] = field(default_factory=dict)

    def written(self, start: int, end: int) -> str:
        """What stands in those bytes, decoded."""
        return self._raw[start:end].encode("latin-1").decode(self.encoding, "replace")

    def attributes(self, number: int) -> dict[str, str]:
        """The attributes of an element's start tag."""
        if number not in self._attributes:
            element = self.elements[number]
            start = element.start + 1 + len(element.name)
            self._attributes[number] = _attributes(self.written(start, element.inside))
        return self._attributes[number]

    def has(self, number: int, attribute: str) -> bool:
        """Whether the start tag may bear that attribute, also one without a value."""
        element = self.elements[number]
        return attribute in self._raw[element.start : element.inside].lower()

    def content(self, number: int, most: int | None = None) -> str:
        """What stands inside an element, as written; of a long one the first `most` bytes."""
        element = self.elements[number]
        end = element.close if most is None else min(element.close, element.inside + most)
        return self.written(element.inside, end)

    def named(self, *names: str) -> Iterator[int]:
        """The elements of these names, in their order."""
        wanted = frozenset(names)
        return (number for number, element in enumerate(self.elements) if element.name in wanted)


def read(body: bytes, content_type: str | None) -> Document:
    """Read a page's bytes; what no encoding explains is replaced and counted."""
    encoding, start = _encoding(body, content_type)
    placed = _OPEN_TO_MARKUP.fullmatch(encoding) is not None
    if not placed:
        body, start = body[start:].decode(encoding, "replace").encode(), 0
        encoding = "utf-8"
    broken = body.decode(encoding, "replace").count("\ufffd") - body.count("\ufffd".encode())
    raw = body.decode("latin-1")
    tokens, elements = _parsed(raw, start)
    return Document(encoding, placed, max(broken, 0), tokens, elements, raw)


def looks_like_html(body: bytes, content_type: str | None) -> bool:
    """Whether an answer is a web page: by its type, and by its first signs where that says nothing."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type in {"text/html", "application/xhtml+xml"}:
        return True
    head = body[:1024].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    return media_type in {"", "text/plain", "application/octet-stream"} and head.startswith(
        (b"<!doctype html", b"<html", b"<head", b"<body")
    )


def _attributes(written: str) -> dict[str, str]:
    """The attributes of a start tag, their names in lower case; the first of a name counts, one without a value is empty."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(written):
        name, *values = match.groups()
        found.setdefault(name.lower(), unescape(next((value for value in values if value), "")))
    return found


def _encoding(body: bytes, content_type: str | None) -> tuple[str, int]:
    """A byte-order mark first, then what the server says, then what the page says; UTF-8 where nothing is said."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return encoding, len(mark)
    said = _CHARSET.search(content_type or "")
    stated = _META.search(body[:4096]) or _DECLARED.match(body[:1024])
    for name in (said and said.group(1), stated and stated.group(1).decode("ascii"), "utf-8"):
        found = _known(name)
        if found is not None and _fits(body, found):
            return found, 0
    return ("utf-8", 0) if _mostly_utf8(body) else ("cp1252", 0)


def _known(name: str | None) -> str | None:
    if not name:
        return None
    try:
        found = codecs.lookup(name.strip()).name
        b"<".decode(found, "replace")  # refuses what turns bytes into bytes, such as "zip"
    except (LookupError, ValueError):
        return None
    found = _WIDER.get(found, found)
    if found in {"utf-8-sig", "utf-16"}:  # without its mark, a page that calls itself UTF-16 is not
        return "utf-8"
    return (
        None
        if found in {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined"}
        else found
    )


def _fits(body: bytes, encoding: str) -> bool:
    text = body.decode(encoding, "replace")
    return text.count("\ufffd") <= body.count(b"\xef\xbf\xbd") and ("<" in text or not body.strip())


def _mostly_utf8(body: bytes) -> bool:
    text = body.decode("utf-8", "replace")
    faults = text.count("\ufffd")
    return sum(1 for sign in text if sign > "\x7f") - faults > faults


def _parsed(raw: str, start: int) -> tuple[list[Token], list[Element]]:
    tokens: list[Token] = []
    elements: list[Element] = []
    stack: list[int] = []
    open_names: Counter[str] = Counter()

    def shut(close: int, end: int) -> None:
        number = stack.pop()
        elements[number].close, elements[number].end = close, end
        open_names[elements[number].name] -= 1

    for token in _tokens(raw, start):
        if token.kind == "start":
            number = len(elements)
            parent = stack[-1] if stack else -1
            elements.append(Element(token.name, token.start, token.end, token.end, token.end, parent))
            token = Token("start", token.start, token.end, token.name, number)  # noqa: PLW2901 - now it knows its element
            if token.name not in VOID:
                stack.append(number)
                open_names[token.name] += 1
        elif token.kind == "end" and open_names[token.name]:
            while elements[stack[-1]].name != token.name:
                shut(token.start, token.start)
            shut(token.start, token.end)
        tokens.append(token)
    while stack:
        shut(len(raw), len(raw))
    return tokens, elements


def _tokens(raw: str, at: int) -> Iterator[Token]:
    closing = -2  # not looked for yet
    ends: dict[str, int] = {}
    while at < len(raw):
        start = raw.find("<", at)
        if closing < start:
            closing = raw.find(">", start)
        if start < 0 or closing < 0:
            yield Token("text", at, len(raw))
            return
        if start > at:
            yield Token("text", at, start)
        at = _aside(raw, start, closing)
        if at > start:
            continue
        match = _NAME.match(raw, start)
        if match is None:
            yield Token("text", start, start + 1)
            at = start + 1
            continue
        tail = _TAG_END.match(raw, start, closing + 1 + _QUOTED_TAIL)
        at = closing + 1 if tail is None else tail.end()
        name = match.group(1).lower()
        if raw[start + 1] == "/":
            yield Token("end", start, at, name)
            continue
        yield Token("start", start, at, name)
        if name in _RAW and raw[at - 2] != "/":
            end = _raw_end(raw, name, at, ends)
            if end > at:
                yield Token("raw", at, end, name)
            at = end


def _raw_end(raw: str, name: str, at: int, ends: dict[str, int]) -> int:
    """Where the end tag of a script, a style or a title stands; the end of the page where there is none."""
    if ends.get(name) == len(raw):
        return at if name in {"title", "textarea"} else len(raw)
    found = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(raw, at)
    if found is None:
        ends[name] = len(raw)
        return at if name in {"title", "textarea"} else len(raw)
    return found.start()


def _aside(raw: str, start: int, closing: int) -> int:
    """Where reading goes on after a comment or declaration at `start`; `start` itself if there is none."""
    if raw.startswith("<!--", start):
        end = raw.find("-->", start + 4)
        return len(raw) if end < 0 else end + 3
    if raw.startswith(("<!", "<?"), start):
        return closing + 1
    return start
