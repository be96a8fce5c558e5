"""The tokens of an XML feed, well-formed or not, and the places of its items.

XML is regular at the level of tokens, so one pass over the characters finds
every tag, comment and marked section of a well-formed document, and as many
as there are of a broken one. The pass takes time in proportion to the length,
whatever a stranger wrote. It never reads a document type declaration: no
entity that a document declares is ever expanded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from html.entities import html5


class Token(Enum):
    """What stands at a "<"."""

    START = "start tag"
    EMPTY = "empty element"
    END = "end tag"
    CDATA = "marked section"
    ASIDE = "comment or processing instruction"
    DOCTYPE = "document type declaration"
    STRAY = "less-than sign that opens nothing"


_BEGINNINGS = (Token.START, Token.EMPTY)
_TAGS = (Token.START, Token.EMPTY, Token.END)

Piece = tuple[Token, int, int, str]
"""A token, its first character, the character behind its last, and the name of its element."""

_TAG = re.compile(r"""</?([^\W\d][^\s/>"'<=]*)(?:[^"'<>]++|"[^"]*"|'[^']*')*+>""")
_NAMESPACE = re.compile(r"""\sxmlns:([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_SUBSET = re.compile(r"""["'\[\]>]|<!--|<\?""")
_DECLARED = re.compile(r"""<!ENTITY\s+([^\s%"'>]+)\s+(?:"([^"]*)"|'([^']*)')?""")
_REFERENCE = re.compile(
    r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z_][A-Za-z0-9._-]{0,63}));|[&\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})

_ITEMS = frozenset({"item", "entry"})
_CONTENT = frozenset(
    {"content", "encoded", "description", "summary", "title", "subtitle", "body", "div", "rights", "source"}
)
"""Inside these an element named `item` is somebody's words, not an item of the feed."""

_FEED_SPACES = (
    "http://www.w3.org/2005/atom", "http://purl.org/atom/ns#", "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple/0.9/", "http://backend.userland.com/rss",
)  # fmt: skip


@dataclass(slots=True)
class Faults:
    """What was wrong with a document, as far as it was mended on the way to the parser."""

    characters: int = 0
    unexpanded: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Outline:
    """The tokens of a document and what they show: its root, its items, its own introduction."""

    pieces: Sequence[Piece]
    root: str
    items: Sequence[tuple[int, int]]
    introduction: Sequence[tuple[int, int]]
    well_formed: bool
    entities: Mapping[str, str]
    unclosed: str | None
    ends: bool
    """Whether the document comes to its end: nothing can be missing behind it."""
    cut: int | None
    """The number of the item in whose midst the document ends; None where it ends in none."""


def outline(text: str) -> Outline:
    """Find the tokens and items of `text`; positions are those of its characters."""
    pieces = list(tokens(text))
    first = next((name for token, _, _, name in pieces if token in _BEGINNINGS), "")
    unclosed = _unclosed(text, pieces)
    well_formed = unclosed is None and _balanced(pieces)
    places = _Places(text, pieces, well_formed=well_formed)
    return Outline(
        pieces=pieces,
        root=local(first),
        items=places.items,
        introduction=places.introduction,
        well_formed=well_formed,
        entities=_entities(text, pieces),
        unclosed=unclosed,
        ends=unclosed is None and _ends(pieces, first),
        cut=places.cut,
    )


def tokens(text: str) -> Iterator[Piece]:
    """Yield what stands at each "<" of `text`, in order; what lies between them is characters."""
    at = text.find("<")
    while at >= 0:
        piece = _token(text, at)
        yield piece
        at = text.find("<", piece[2])


def mended(text: str, seen: Outline, marker: str, faults: Faults) -> str:
    """The document for a parser that must not stumble: same items, same words, no declarations.

    Each item's start tag bears the attribute `marker` with the item's number.
    References to entities that XML does not know become the characters that
    HTML knows by that name; any other name, and any that the document
    declares otherwise, stays as it is written. A character that XML forbids
    becomes U+FFFD. `faults` counts what was mended.
    """
    numbers = {start: number for number, (start, _) in enumerate(seen.items)}
    mend = _Mend(seen.entities, faults)
    parts: list[str] = []
    at = _root_start(seen.pieces)
    for token, start, end, name in seen.pieces:
        if start < at:
            continue
        parts.append(mend.words(text[at:start]))
        if token is Token.CDATA:
            parts.append(mend.section(text[start:end]))
        elif token is Token.STRAY:
            parts.append("&lt;")
        elif start in numbers:
            parts.append(f'<{name} {marker}="{numbers[start]}"' + mend.tag(text[start + 1 + len(name) : end]))
        elif token in _TAGS:
            parts.append("<" + mend.tag(text[start + 1 : end]))
        at = end
    parts.append(mend.words(text[at:]).rstrip())
    return "".join(parts)


def local(name: str) -> str:
    """The name of an element without its prefix, in lower case."""
    return name.rpartition(":")[2].lower()


def _token(text: str, at: int) -> Piece:
    if text.startswith("<!--", at):
        return (Token.ASIDE, at, _behind(text, "-->", at + 4), "")
    if text.startswith("<![CDATA[", at):
        return (Token.CDATA, at, _behind(text, "]]>", at + 9), "")
    if text.startswith("<?", at):
        return (Token.ASIDE, at, _behind(text, "?>", at + 2), "")
    if text[at : at + 9].upper() == "<!DOCTYPE":
        return (Token.DOCTYPE, at, _doctype_end(text, at + 9), "")
    tag = _TAG.match(text, at)
    if tag is None:
        return (Token.STRAY, at, at + 1, "")
    if text[at + 1] == "/":
        return (Token.END, at, tag.end(), tag.group(1))
    kind = Token.EMPTY if text[tag.end() - 2] == "/" else Token.START
    return (kind, at, tag.end(), tag.group(1))


def _behind(text: str, ending: str, at: int) -> int:
    found = text.find(ending, at)
    return len(text) if found < 0 else found + len(ending)


def _doctype_end(text: str, at: int) -> int:
    """Behind the declaration at `at`, its internal subset included; the end of the text if it has no end."""
    depth = 0
    while (mark := _SUBSET.search(text, at)) is not None:
        sign, at = mark.group(), mark.end()
        if sign in {'"', "'"}:
            at = _behind(text, sign, at)
        elif sign == "<!--":
            at = _behind(text, "-->", at)
        elif sign == "<?":
            at = _behind(text, "?>", at)
        elif sign == ">" and depth == 0:
            return at
        else:
            depth = {"[": 1, "]": 0}.get(sign, depth)
    return len(text)


def _unclosed(text: str, pieces: Sequence[Piece]) -> str | None:
    """What began and never ended: it swallows the rest of the document."""
    if not pieces or pieces[-1][2] < len(text):
        return None
    token, start, end, _ = pieces[-1]
    match token:
        case Token.CDATA:
            closed = text.endswith("]]>")
        case Token.ASIDE if text.startswith("<!--", start):
            closed = end - start >= len("<!---->") and text.endswith("-->")
        case Token.ASIDE:
            closed = end - start >= len("<??>") and text.endswith("?>")
        case Token.DOCTYPE:
            closed = text.endswith(">")
        case _:
            closed = True
    return None if closed else token.value


def _balanced(pieces: Sequence[Piece]) -> bool:
    stack: list[str] = []
    roots = 0
    for token, _, _, name in pieces:
        if token in _BEGINNINGS and not stack:
            roots += 1
        if token is Token.START:
            stack.append(name)
        elif token is Token.END and (not stack or stack.pop() != name):
            return False
    return not stack and roots == 1


def _ends(pieces: Sequence[Piece], root: str) -> bool:
    last = next(((token, name) for token, _, _, name in reversed(pieces) if token in _TAGS), None)
    return last is not None and last[0] is not Token.START and last[1] == root


def _entities(text: str, pieces: Sequence[Piece]) -> dict[str, str]:
    """The names that the document declares, with their written values. They are read, never expanded."""
    found: dict[str, str] = {}
    for token, start, end, _ in pieces:
        if token is Token.DOCTYPE:
            for name, double, single in _DECLARED.findall(text[start:end]):
                found.setdefault(name, double or single)
    return found


def _root_start(pieces: Sequence[Piece]) -> int:
    """Where the root element begins. What stands before it is nobody's words, and declarations go no further."""
    return next((start for token, start, _, _ in pieces if token in _BEGINNINGS), 0)


class _Places:
    """Where the items stand, and the elements with which the feed introduces itself."""

    def __init__(self, text: str, pieces: Sequence[Piece], *, well_formed: bool) -> None:
        self.items: list[tuple[int, int]] = []
        self.introduction: list[tuple[int, int]] = []
        self.cut: int | None = None
        self._well_formed = well_formed
        self._prefixes = _feed_prefixes(text, pieces)
        self._stack: list[tuple[str, int, int | None]] = []
        self._names: Counter[str] = Counter()
        self._guarded = 0
        self._walk(pieces, len(text))

    def _walk(self, pieces: Sequence[Piece], end_of_text: int) -> None:
        for token, start, end, name in pieces:
            if token in _BEGINNINGS:
                self._open(name, start)
                if token is Token.EMPTY:
                    self._close(end)
            elif token is Token.END and self._names[name.lower()]:
                while self._stack[-1][0] != name.lower():
                    self._close(start)
                self._close(end)
        self.cut = next((number for _, _, number in reversed(self._stack) if number is not None), None)
        while self._stack:
            self._close(end_of_text)

    def _open(self, name: str, start: int) -> None:
        number = None
        if self._is_item(name):
            if not self._well_formed:
                self._end_open_item(start)
            number = len(self.items)
            self.items.append((start, start))
        lower = name.lower()
        self._stack.append((lower, start, number))
        self._names[lower] += 1
        self._guarded += local(name) in _CONTENT

    def _close(self, end: int) -> None:
        name, start, number = self._stack.pop()
        self._names[name] -= 1
        self._guarded -= local(name) in _CONTENT
        if number is not None:
            self.items[number] = (start, end)
        elif self._well_formed and self._introduces(local(name)):
            self.introduction.append((start, end))

    def _end_open_item(self, start: int) -> None:
        """In a broken document an item that has no end ends where the next one begins."""
        while any(number is not None for _, _, number in self._stack[-64:]):
            self._close(start)

    def _is_item(self, name: str) -> bool:
        prefix, _, _ = name.rpartition(":")
        if local(name) not in _ITEMS or (prefix and prefix not in self._prefixes):
            return False
        return not self._guarded or not self._well_formed

    def _introduces(self, name: str) -> bool:
        if len(self._stack) > 2 or name in {"channel", "deleted-entry"}:
            return False
        above = [local(element) for element, _, _ in self._stack]
        return above in (["feed"], ["rss", "channel"], ["rdf"], ["rdf", "channel"], ["channel"])


def _feed_prefixes(text: str, pieces: Sequence[Piece]) -> set[str]:
    found: set[str] = set()
    for token, start, end, _ in pieces:
        if token in _BEGINNINGS and text.find("xmlns:", start, end) > 0:
            for prefix, double, single in _NAMESPACE.findall(text, start, end):
                if (double or single).lower().startswith(_FEED_SPACES):
                    found.add(prefix)
    return found


class _Mend:
    """Makes characters, marked sections and tags fit for an XML parser."""

    def __init__(self, declared: Mapping[str, str], faults: Faults) -> None:
        self._declared = declared
        self._faults = faults

    def words(self, text: str) -> str:
        mended = _REFERENCE.sub(self._reference, text)
        return mended.replace("]]>", "]]&gt;")

    def tag(self, text: str) -> str:
        return _REFERENCE.sub(self._reference, text).replace("<", "&lt;")

    def section(self, text: str) -> str:
        mended, count = _CONTROL.subn("\ufffd", text)
        self._faults.characters += count
        return mended if mended.endswith("]]>") else mended + "]]>"

    def _reference(self, found: re.Match[str]) -> str:
        decimal, hexadecimal, name = found.groups()
        if decimal or hexadecimal:
            character = int(decimal) if decimal else int(hexadecimal, 16)
            return found.group() if _allowed(character) else self._forbidden()
        if name in _OF_XML and name not in self._declared:
            return found.group()
        if name:
            return self._named(name)
        if found.group() == "&":
            return "&amp;"
        return self._forbidden()

    def _named(self, name: str) -> str:
        meant = html5.get(name + ";")
        if name in _OF_XML:  # XML 1.0, section 4.6, allows declaring these; their meaning is fixed
            return f"&{name};"
        if meant is not None and (name not in self._declared or _same(self._declared[name], meant)):
            return "".join(f"&#{ord(character)};" for character in meant)
        self._faults.unexpanded.add(name)
        return f"&amp;{name};"

    def _forbidden(self) -> str:
        self._faults.characters += 1
        return "\ufffd"


def _allowed(character: int) -> bool:
    """Whether XML 1.0 (section 2.2) admits the character."""
    if character < 0x20:
        return character in {0x9, 0xA, 0xD}
    return character <= 0xD7FF or 0xE000 <= character <= 0xFFFD or 0x10000 <= character <= 0x10FFFF


def _same(declared: str, meant: str) -> bool:
    """Whether a declaration says nothing but what the name means in HTML anyway."""
    if declared == meant:
        return True
    number = re.fullmatch(r"&#(?:([0-9]{1,7})|[xX]([0-9a-fA-F]{1,6}));", declared)
    if number is None or len(meant) != 1:
        return False
    return (int(number.group(1)) if number.group(1) else int(number.group(2), 16)) == ord(meant)
