"""What a page says: its words, its times, what it shows and what it links. Pure.

The words are those that a reader meets, with the elements that give them their
order and the addresses that they lead to. How a page is dressed, what it hides
and what its scripts would do stands in the bytes as served and nowhere else.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from connectors import text as words
from connectors.webpage import markup, noise, styles
from connectors.webpage.comments import Remark, moment, remarks, stated_times
from connectors.webpage.places import is_document, is_file, joined, normal, same_site

_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "dd", "details", "dialog", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend", "li", "main",
        "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
_KEPT = (_BLOCKS - {"div", "body", "fieldset", "legend"}) | {
    "a", "abbr", "b", "caption", "cite", "code", "del", "em", "i", "img", "ins", "mark", "q", "s", "strong", "sub", "sup",
    "time", "u",
}  # fmt: skip
_SAYING: Mapping[str, tuple[str, ...]] = {
    "a": ("href",), "img": ("alt",), "time": ("datetime",), "td": ("colspan", "rowspan"), "th": ("colspan", "rowspan"),
    "abbr": ("title",), "blockquote": ("cite",), "q": ("cite",), "ol": ("start",),
}  # fmt: skip
_UNSEEN = frozenset(
    {
        "head",
        "script",
        "style",
        "template",
        "noscript",
        "svg",
        "iframe",
        "object",
        "textarea",
        "title",
        "noembed",
        "noframes",
        "xmp",
    }
)
_SPACES = re.compile(r"[ \t\n\r\f\v\u00a0]+")
_MOST_HEADINGS, _LONG = 5, 300
_LATER = ("data-src", "data-lazy-src", "data-original", "data-lazy")
"""Where the scripts of the web have pages name a picture that is shown only when the reader comes near."""

_CANDIDATE = re.compile(r"[\s,]*([^\s,]\S*?)(?:,+(?=\s|$)|,(?=https?://)|\s+[^,]*(?:,|$)|$)")
"""One picture of several with what it is meant for (WHATWG HTML, srcset): its address may hold commas."""

_ICONS = frozenset({"icon", "apple-touch-icon", "shortcut", "mask-icon"})


@dataclass(frozen=True, slots=True)
class File:
    """A file that a page shows or links. `instead` are other addresses that a browser might choose for it."""

    address: str
    role: str
    """picture, style, font, script, medium, document or frame."""
    description: str | None = None
    instead: tuple[str, ...] = ()


class Adder(Protocol):
    """Notes a file that a page names, as it is written there."""

    def __call__(
        self, written: str | None, role: str, description: str | None = None, instead: tuple[str, ...] = ()
    ) -> None: ...


@dataclass(slots=True)
class Reading:
    """One page, read."""

    title: str = ""
    language: str | None = None
    canonical: str | None = None
    published_at: datetime | None = None
    edited_at: datetime | None = None
    blocks: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    stated_comments: int | None = None
    has_password_field: bool = False
    refresh: str | None = None
    encoding: str = "utf-8"
    broken: int = 0
    of_frames: bool = False
    """Whether the page is nothing but frames, whose words are those of other pages."""
    has_scripts: bool = False

    @property
    def text(self) -> str:
        """The words as a reader meets them."""
        return words.plain("".join(self.blocks))

    def of(self, role: str) -> list[File]:
        """The files of one role."""
        return [file for file in self.files if file.role == role]


def read(body: bytes, content_type: str | None, address: str, ignored: Sequence[str] = ()) -> Reading:
    """Read the page that was served at `address`; what the selectors in `ignored` name is left out of its words."""
    if not markup.looks_like_html(body, content_type):
        return _plain(body, content_type)
    document = markup.read(body, content_type)
    found = Reading(encoding=document.encoding, broken=document.broken)
    base = _head(document, found, address)
    found.remarks, found.stated_comments = remarks(document, address)
    if not document.placed:
        found.remarks = [remark.unplaced() for remark in found.remarks]
    left_out = _regions(document, ignored)
    own = [(remark.start, remark.end) for remark in found.remarks if remark.shown]
    unseen = sorted([*left_out, *own])
    found.blocks = _blocks(document, base, unseen)
    if found.title and found.title not in found.headings:
        found.blocks.insert(0, f"<header>{html.escape(found.title, quote=False)}</header>\n")
    _files(document, found, base, left_out)
    found.of_frames = any(True for _ in document.named("frameset"))
    found.has_scripts = any(True for _ in document.named("script"))
    return found


def _plain(body: bytes, content_type: str | None) -> Reading:
    document = markup.read(b"", content_type)
    text = body.decode(document.encoding, "replace")
    lines = [html.escape(line, quote=False) + "\n" for line in text.splitlines()]
    return Reading(blocks=["<pre>", *lines, "</pre>"], broken=text.count("\ufffd"))


# -- the head ----------------------------------------------------------------------------------------------


def _head(document: markup.Document, found: Reading, address: str) -> str:
    """What the page says of itself; return the address from which its references count."""
    base = address
    said: dict[str, str] = {}
    for number in document.named("html", "title", "base", "link", "meta", "input", "h1", "h2"):
        name = document.elements[number].name
        given = document.attributes(number) if name not in {"title", "h1", "h2"} else {}
        match name:
            case "html":
                found.language = found.language or given.get("lang") or given.get("xml:lang") or None
            case "title":
                found.title = found.title or _line(html.unescape(document.content(number)))
            case "h1" | "h2":
                if len(found.headings) < _MOST_HEADINGS:
                    found.headings.append(_line(words.plain(document.content(number, _LONG))))
            case "base" if base == address:
                base = joined(given.get("href", ""), address) or address
            case "link" if "canonical" in given.get("rel", "").lower().split():
                found.canonical = found.canonical or joined(given.get("href", ""), base)
            case "meta":
                called = (given.get("property") or given.get("name") or given.get("itemprop") or "").lower()
                said.setdefault(called, given.get("content", ""))
                if given.get("http-equiv", "").lower() == "refresh":
                    found.refresh = given.get("content")
            case "input":
                found.has_password_field |= given.get("type", "").lower() == "password"
            case _:
                pass
    published, edited = stated_times(document)
    found.published_at = published or _first(
        said, "article:published_time", "datepublished", "dcterms.created", "dc.date.issued", "date"
    )
    found.edited_at = edited or _first(
        said, "article:modified_time", "og:updated_time", "datemodified", "dcterms.modified", "last-modified"
    )
    return base


def _first(said: Mapping[str, str], *names: str) -> datetime | None:
    return next((at for name in names if (at := moment(said.get(name))) is not None), None)


# -- the words ---------------------------------------------------------------------------------------------


def _blocks(document: markup.Document, base: str, unseen: Sequence[tuple[int, int]]) -> list[str]:
    """The page's words in blocks: one for each element that begins a line."""
    out: list[str] = []
    line: list[str] = []
    skipped, region, preformatted = 0, 0, 0

    def end_line() -> None:
        if written := _SPACES.sub(" ", "".join(line)).strip():
            out.append(written + "\n")
        line.clear()

    for token in document.tokens:
        while region < len(unseen) and unseen[region][0] <= token.start:
            skipped = max(skipped, unseen[region][1])
            region += 1
        if token.start < skipped or token.kind == "raw":
            continue
        if token.kind == "text":
            written = document.written(token.start, token.end)
            line.append(written.replace("\n", "<br>") if preformatted else written)
            continue
        if token.kind == "start" and token.name in _UNSEEN:
            skipped = document.elements[token.element].end
            continue
        if token.name == "pre":
            preformatted = max(0, preformatted + (1 if token.kind == "start" else -1))
        if token.name in _BLOCKS and token.name != "br":
            end_line()
        if token.name == "div":
            line.append("<div>" if token.kind == "start" else "</div>")
            end_line()
        elif token.name in _KEPT:
            if token.kind == "start" and token.name == "time" and (told := _told(document, token.element)):
                line.append(told)
                skipped = document.elements[token.element].end
                continue
            line.append(_tag(document, token, base))
        if token.name == "br":
            end_line()
    end_line()
    return _worded(out)


def _worded(blocks: list[str]) -> list[str]:
    """Without the shells of elements in which nothing stands: dressing comes and goes."""
    kept: list[str] = []
    for block in blocks:
        if block == "</div>\n" and kept and kept[-1] == "<div>\n":
            kept.pop()
        elif not (block in {"<div>\n", "</div>\n"} and kept and kept[-1] == block):
            kept.append(block)
    return kept


def _tag(document: markup.Document, token: markup.Token, base: str) -> str:
    if token.kind == "end":
        return f"</{token.name}>"
    wanted = _SAYING.get(token.name, ())
    given = document.attributes(token.element) if wanted else {}
    said = []
    for name in wanted:
        value = given.get(name)
        if name in {"href", "cite"} and value is not None:
            value = _lead(value, base)
        if value:
            said.append(f' {name}="{html.escape(_line(value))}"')
    return f"<{token.name}{''.join(said)}>"


def _lead(written: str, base: str) -> str | None:
    """Where a link leads, as far as that says something that lasts."""
    written = written.strip()
    if written.startswith(("mailto:", "tel:")):
        return written
    whole = None if written.startswith(("#", "javascript:")) else joined(written, base)
    return None if whole is None else normal(whole)


def _told(document: markup.Document, number: int) -> str | None:
    """The moment of a `time` that tells it only from where the reader stands."""
    at = document.attributes(number).get("datetime", "").strip()
    element = document.elements[number]
    if not at or element.close - element.inside > _LONG:
        return None
    said = words.plain(document.content(number))
    return f'<time datetime="{html.escape(at)}">{html.escape(at)}</time>' if noise.is_relative(said) else None


def _regions(document: markup.Document, selectors: Sequence[str]) -> list[tuple[int, int]]:
    """Where the elements stand that the selectors name."""
    if not selectors:
        return []
    wanted = [_Selector.read(selector) for selector in selectors]
    return [
        (element.start, element.end)
        for number, element in enumerate(document.elements)
        if any(one.fits(element.name, document, number) for one in wanted)
    ]


@dataclass(frozen=True, slots=True)
class _Selector:
    """`name`, `#id`, `.class`, or a name with one of them."""

    name: str
    sign: str
    value: str

    @classmethod
    def read(cls, written: str) -> _Selector:
        found = re.fullmatch(r"([A-Za-z0-9-]*)(?:([#.])(.+))?", written)
        name, sign, value = found.groups() if found else (written, None, None)
        return cls(name.lower(), sign or "", value or "")

    def fits(self, name: str, document: markup.Document, number: int) -> bool:
        if self.name and self.name != name:
            return False
        if not self.sign:
            return bool(self.name)
        given = document.attributes(number)
        return (
            given.get("id") == self.value
            if self.sign == "#"
            else self.value in given.get("class", "").split()
        )


# -- the files ---------------------------------------------------------------------------------------------


def _files(document: markup.Document, found: Reading, base: str, left_out: Sequence[tuple[int, int]]) -> None:
    met: dict[str, File] = {}
    links: dict[str, None] = {}

    def add(
        written: str | None, role: str, description: str | None = None, instead: tuple[str, ...] = ()
    ) -> None:
        address = (
            joined(written, base)
            if written and written.strip() and not written.strip().startswith("data:")
            else None
        )
        if address is not None:
            met.setdefault(address, File(address, role, description or None, instead))

    for number in document.named(
        "a", "area", "audio", "body", "embed", "frame", "iframe", "img", "input", "link", "object", "script", "source", "style",
        "table", "td", "track", "video",
    ):  # fmt: skip
        element = document.elements[number]
        if any(start <= element.start < end for start, end in left_out):
            continue
        given = document.attributes(number) if element.name != "style" else {}
        match element.name:
            case "img":
                _picture(given, base, add)
            case "source":
                above = document.elements[element.parent].name if element.parent >= 0 else ""
                if above in {"audio", "video"}:
                    add(given.get("src"), "medium")
                else:
                    _picture({**given, "src": ""}, base, add)
            case "input" if given.get("type", "").lower() == "image":
                add(given.get("src"), "picture", given.get("alt"))
            case "audio" | "video":
                add(given.get("poster"), "picture")
                add(given.get("src"), "medium")
            case "track":
                add(given.get("src"), "document", given.get("label"))
            case "body" | "table" | "td":
                add(given.get("background"), "picture")
            case "link":
                _linked(given, add)
            case "script" if given.get("src"):
                add(given.get("src"), "script")
            case "iframe" | "frame":
                add(given.get("src"), "frame")
            case "embed" | "object":
                address = given.get("src") or given.get("data")
                add(address, "document" if address and is_document(address) else "frame")
            case "style":
                for address in styles.named(document.content(number), base):
                    add(address, _role_in_style(address))
            case "a" | "area" if given.get("href") and not given["href"].startswith("#"):
                address = joined(given["href"], base)
                if address is None:
                    continue
                if address in met:
                    continue
                if is_document(address) or ("download" in given and same_site(address, base)):
                    add(address, "document", _line(words.plain(document.content(number, _LONG)))[:200])
                elif not is_file(address) and (page := normal(address)) is not None:
                    links.setdefault(page)
            case _:
                pass
    for number in range(len(document.elements)):
        if document.has(number, "style=") and "url(" in document.attributes(number).get("style", ""):
            for address in styles.named(document.attributes(number)["style"], base):
                add(address, "picture")
    found.files = list(met.values())
    found.links = list(links)


def _picture(given: Mapping[str, str], base: str, add: Adder) -> None:
    """One picture: its address, or the first that it offers; what a script would show later is named too."""
    offered = [
        address
        for name in ("srcset", "data-srcset", "data-lazy-srcset")
        for address in _srcset(given.get(name, ""), base)
    ]
    source = given.get("src", "")
    if source and not source.startswith("data:"):
        add(source, "picture", given.get("alt"), tuple(offered))
    elif offered:
        add(offered[0], "picture", given.get("alt"), tuple(offered[1:]))
    for name in _LATER:
        add(given.get(name), "picture", given.get("alt"))


def _srcset(written: str, base: str) -> Iterator[str]:
    for found in _CANDIDATE.finditer(written.strip()):
        address = joined(found[1], base) if not found[1].startswith("data:") else None
        if address is not None:
            yield address


def _linked(given: Mapping[str, str], add: Adder) -> None:
    relations = set(given.get("rel", "").lower().split())
    if "stylesheet" in relations and "alternate" not in relations:
        add(given.get("href"), "style")
    elif relations & _ICONS:
        add(given.get("href"), "picture")
    elif "preload" in relations and given.get("as") in {"style", "font", "image"}:
        add(given.get("href"), {"style": "style", "font": "font", "image": "picture"}[given["as"]])


def _role_in_style(address: str) -> str:
    path = address.partition("?")[0].lower()
    if path.endswith((".woff", ".woff2", ".ttf", ".otf", ".eot")):
        return "font"
    return "style" if path.endswith(".css") else "picture"


def _line(written: str) -> str:
    return _SPACES.sub(" ", written).strip()
