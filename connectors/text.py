"""The words of a piece of HTML, as a reader would see them without pictures or style.

Connectors keep the platform's HTML as it came and set these words beside it,
so that what is searched and quoted does not depend on a browser. The reading
takes time in proportion to the length, whatever a stranger wrote: the
standard library's parser needs minutes for some hundred kilobytes of unclosed
tags, so tags are found here with plain searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

_PARAGRAPHS = frozenset(
    {
        "address", "article", "aside", "blockquote", "details", "dialog", "div", "dl", "fieldset",
        "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
        "main", "nav", "ol", "p", "pre", "section", "summary", "table", "ul",
    }
)  # fmt: skip
_LINES = frozenset({"dd", "dt", "li", "option", "tr"})
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"noscript", "script", "style", "template", "title"})
_UNSEEN_TO_THE_END = frozenset({"script", "style"})
"""Without their end tag they hide what follows, as in a browser; the others are then overlooked."""

_SPACES = re.compile(r"[ \t\n\r\f\v\u00a0]+")
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_TAG_END = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")
_ATTRIBUTE = re.compile(r"""(?<![^\s"'<>/=])([^\s"'<>/=]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""")
_QUOTED_TAIL = 4096
"""How far behind its first `>` a tag may go on because that `>` stood in quotes."""

_PICTURED_CHARACTERS = frozenset({"emoji", "wp-smiley"})
"""Classes of pictures that stand for a character: their description is part of the words."""


def plain(html: str) -> str:
    """Give the words of `html`: paragraphs divided by an empty line, lines by a line break.

    Scripts, styles and comments are left out; what stands in `pre` keeps its
    line breaks. Broken markup is read as far as it goes and never refused.
    """
    words = _Words()
    for name, piece in tokens(html):
        if name is None:
            words.say(unescape(piece))
        else:
            words.mark(name, piece)
    return words.text()


def tokens(html: str) -> Iterator[tuple[str | None, str]]:
    """Yield text as `(None, text)` and tags as `(name, the tag as written)`; an end tag's name begins with "/".

    What browsers never show (comments, scripts, declarations) is left out.
    Text is yielded as written, its character references unresolved.
    """
    at, closing, unclosed = 0, -2, set[str]()  # -2: not looked for yet
    while at < len(html):
        start = html.find("<", at)
        if closing < start:
            closing = html.find(">", start)  # looked for once, however many "<" stand before it
        if start < 0 or closing < 0:
            yield None, html[at:]
            return
        if start > at:
            yield None, html[at:start]
        at = _skipped(html, start, closing)
        if at > start:
            continue
        match = _NAME.match(html, start)
        if match is None:
            yield None, "<"
            at = start + 1
            continue
        at = _tag_end(html, start, closing)
        name = match.group(1).lower()
        if html[start + 1] == "/":
            yield "/" + name, html[start:at]
            continue
        if name in _UNSEEN and name not in unclosed:
            end = re.compile(rf"</{name}[^>]*+>", re.IGNORECASE).search(html, at)
            if end is not None:
                at = end.end()
                continue
            if name in _UNSEEN_TO_THE_END:
                return
            unclosed.add(name)
        yield name, html[start:at]


def attributes(tag: str) -> dict[str, str]:
    """The attributes of one start tag, their names in lower case; the first of a name counts."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(tag):
        found.setdefault(
            match.group(1).lower(), unescape(match.group(2) or match.group(3) or match.group(4) or "")
        )
    return found


def _skipped(html: str, start: int, closing: int) -> int:
    """Where reading goes on after a comment or declaration at `start`; `start` itself if there is none."""
    if html.startswith("<!--", start):
        end = html.find("-->", start + 4)
        return len(html) if end < 0 else end + 3
    if html.startswith(("<!", "<?"), start):
        return closing + 1
    return start


def _tag_end(html: str, start: int, closing: int) -> int:
    match = _TAG_END.match(html, start, closing + 1 + _QUOTED_TAIL)
    return closing + 1 if match is None else match.end()


class _Words:
    """Collects words and the breaks between them; a break counts only between words."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._break = ""
        self._space = False
        self._pre = False

    def say(self, data: str) -> None:
        """Add running text; outside `pre`, white space is one space."""
        if self._pre:
            self._add(data.replace("\r\n", "\n"))
            return
        words = _SPACES.sub(" ", data)
        self._space = self._space or words.startswith(" ")
        if stripped := words.strip(" "):
            self._add(stripped)
            self._space = words.endswith(" ")

    def mark(self, name: str, tag: str) -> None:
        """Note the break that a tag makes, and the words that some tags stand for."""
        element = name.removeprefix("/")
        if element in _PARAGRAPHS:
            self._break = "\n\n"
            if element == "pre":
                self._pre = element == name
        elif name == "br" and self._break != "\n\n":
            # Two breaks in a row are how many writers divide paragraphs.
            self._break += "\n"
        elif name in _LINES:
            self._break = self._break or "\n"
            if name == "li":
                self._add("- ")
        elif name in _CELLS:
            self._space = True
        elif name == "img":
            found = attributes(tag)
            if _PICTURED_CHARACTERS & set(found.get("class", "").split()):
                self._add(found.get("alt", ""))

    def text(self) -> str:
        """Everything said so far, without white space at either end."""
        return "".join(self._parts).strip()

    def _add(self, words: str) -> None:
        if not words:
            return
        if self._parts:
            self._parts.append(self._break or (" " if self._space else ""))
        self._parts.append(words)
        self._break, self._space = "", False
