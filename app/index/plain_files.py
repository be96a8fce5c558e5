"""Readers of files that are text by nature: plain text, HTML, rich text, captions, calendars, letters."""

from __future__ import annotations

import codecs
import email
import email.policy
import html
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.message import EmailMessage
from html.parser import HTMLParser

from app.index.writing import Writing

# ---- signs ---------------------------------------------------------------------------------------

_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)|<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE
)  # fmt: skip
_TYPED = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_SEVEN_BITS = ("iso2022", "hz", "utf-7")
"""Writings whose bytes look like plain English ones."""
_BY_NULLS = (("utf-16-le", slice(1, None, 2)), ("utf-16-be", slice(0, None, 2)))


def decoded(content: bytes, media_type: str = "") -> str:
    """Text by its mark, by UTF-8 where it is that, or else by what it says of itself."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    told = _told(content, media_type)
    if told is not None and told.startswith(_SEVEN_BITS):
        return content.decode(told, "replace")
    wide = _wide(content)
    if wide is not None:
        return content.decode(wide, "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(told or "cp1252", "replace")


def _told(content: bytes, media_type: str) -> str | None:
    """The writing that a file claims, by the name that Python has for it."""
    typed, within = _TYPED.search(media_type), _DECLARED.search(content[:4096])
    for name in (typed and typed[1], within and (within[1] or within[2]).decode("ascii")):
        with suppress(LookupError):
            found = codecs.lookup(name or "")
            if found._is_text_encoding and found.name not in ("utf-8", "undefined", "idna", "punycode"):  # noqa: SLF001 - as `bytes.decode` asks
                return "cp1252" if found.name in ("iso8859-1", "ascii") else found.name
    return None


def _wide(content: bytes) -> str | None:
    """UTF-16 without its mark, told by its nulls."""
    head = content[:1024]
    if len(head) < 4 or b"\x00" not in head:
        return None
    for name, nulls in _BY_NULLS:
        every = head[nulls]
        if every.count(0) > 0.7 * len(every) and head.count(0) < 0.6 * len(head):
            return name
    return None


def is_text(content: bytes) -> bool:
    """Whether bytes of no known kind are text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or _wide(content) is not None:
        return True
    try:
        content[:65536].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > 65530  # the bound fell into a character
    return re.search(rb"[\x00-\x08\x0e-\x1a]", content[:65536]) is None


# ---- plain ---------------------------------------------------------------------------------------

_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")


def plain(content: bytes, media_type: str, writing: Writing) -> None:
    """Text as it stands; what JSON and XML write in place of a sign is that sign."""
    text = decoded(content, media_type)
    kind = media_type.partition(";")[0].strip().lower()
    if kind.endswith("json") or text.lstrip()[:1] in ("{", "["):
        text = re.sub(r"\\[nrt]", " ", _ESCAPED.sub(_unescaped, text))
    if kind.endswith("xml") or text.startswith("<?xml"):
        text = html.unescape(text)
    writing.say(text)


def _unescaped(match: re.Match[str]) -> str:
    return str(json.loads(f'"{match[0]}"'))


def calendar(content: bytes, media_type: str, writing: Writing) -> None:
    """Calendars and cards: a line that goes on in the next one is one line."""
    text = re.sub(r"\r?\n[ \t]", "", decoded(content, media_type))
    writing.say(re.sub(r"\\([nN,;\\])", lambda match: "\n" if match[1] in "nN" else match[1], text))


# ---- captions ------------------------------------------------------------------------------------

_TIMES = re.compile(r"\s*(\d+:)?\d+:\d\d[.,]\d+\s*-->.*|\s*\d+:\d\d:\d\d\.\d+,\d+:\d\d:\d\d\.\d+\s*")
_SPEAKER = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]*)>")
_MARKUP = re.compile(r"</?[A-Za-z0-9][^<>]*>|\{\\[^{}]*\}")


def captions(content: bytes, media_type: str, writing: Writing) -> None:
    """What is said, one line after the other, without times and numbers: a sentence goes on in the next caption."""
    for block in re.split(
        r"\n[ \t]*\n", decoded(content, media_type).replace("\r\n", "\n").replace("\r", "\n")
    ):
        lines = block.strip("\n").split("\n")
        if lines[0].startswith(("STYLE", "REGION", "X-TIMESTAMP-MAP")):
            continue
        for number, line in enumerate(lines):
            if _TIMES.fullmatch(line) or line.startswith("WEBVTT"):
                continue
            if line.strip().isdigit() and number + 1 < len(lines) and _TIMES.fullmatch(lines[number + 1]):
                continue
            said = _MARKUP.sub("", _SPEAKER.sub(r"\1: ", line))
            writing.say(html.unescape(said) + "\n")


# ---- HTML ----------------------------------------------------------------------------------------

_APART = frozenset(
    "address article aside blockquote body br button canvas caption center col dd details dialog dir div dl dt fieldset "  # noqa: SIM905 - one word a line would be fifty lines
    "figcaption figure footer form frame h1 h2 h3 h4 h5 h6 header hr iframe input label legend li main menu nav ol "
    "optgroup option p pre section select summary table tbody td textarea tfoot th thead title tr ul video audio".split()
)
_UNREAD = frozenset(("script", "style", "template", "noscript"))


class _Html(HTMLParser):
    def __init__(self, writing: Writing) -> None:
        super().__init__(convert_charrefs=True)
        self.writing, self.inside = writing, 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self.inside += 1
        elif tag in _APART:
            self.writing.say("\n")
        for name, value in attrs:
            if name in ("alt", "title") and value and not self.inside:
                self.writing.say(f"\n{value}\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self.inside = max(0, self.inside - 1)
        elif tag in _APART:
            self.writing.say("\n")

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.writing.say(data)


def page(content: bytes, media_type: str, writing: Writing) -> None:
    """The words of a web page as a reader sees them, with the alt texts of its pictures."""
    parser = _Html(writing)
    text = decoded(content, media_type)
    for start in range(0, len(text), 65536):
        parser.feed(text[start : start + 65536])
    parser.close()


# ---- letters -------------------------------------------------------------------------------------

_SHOWN = ("from", "to", "cc", "bcc", "reply-to", "date", "subject")


def letter(content: bytes, media_type: str, writing: Writing) -> None:  # noqa: ARG001 - the shape of a reader
    """An e-mail: its headers, what is written in it, and the files attached to it."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage), "the policy makes these"
    for name in _SHOWN:
        for value in message.get_all(name, ()):
            writing.say(f"{name.capitalize()}: {value}\n")
    writing.say("\n")
    for part in _parts(message):
        name, kind = part.get_filename() or "", part.get_content_type()
        if kind == "message/rfc822":
            for inner in part.iter_parts():
                writing.file(inner.as_bytes(policy=email.policy.SMTP.clone(cte_type="8bit")), kind, name)
            continue
        held = part.get_payload(decode=True)
        if isinstance(held, bytes) and held:
            writing.file(held, str(part.get("content-type", kind)), name)


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    if not message.is_multipart() or message.get_content_type() == "message/rfc822":
        yield message
        return
    for part in message.iter_parts():
        if isinstance(part, EmailMessage):
            yield from _parts(part)


def is_letter(head: bytes) -> bool:
    """Whether a file begins as an e-mail does."""
    if re.match(rb"[A-Za-z][A-Za-z-]{1,60}:[ \t]?", head) is None:
        return False
    lines = b"\n" + head.lower().replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return b"\nmime-version:" in lines or (
        b"\nfrom:" in lines and b"\nsubject:" in lines and b"\ndate:" in lines
    )


# ---- rich text -----------------------------------------------------------------------------------

_RTF = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_HIDDEN = frozenset(
    b"fonttbl colortbl stylesheet info pict objdata themedata colorschememapping datastore latentstyles listtable "
    b"listoverridetable revtbl rsidtbl generator filetbl xmlnstbl fldinst bkmkstart bkmkend blipuid shppict nonshppict "
    b"panose falt atnid atnref atndate sp objclass mmathPr ud formfield".split()
)
_STARRED = frozenset(b"annotation shpinst shptxt shprslt footnote upr".split())
_BREAKS = {
    b"par": "\n", b"line": "\n", b"page": "\n", b"sect": "\n", b"row": "\n", b"cell": "\t", b"nestcell": "\t",
    b"nestrow": "\n", b"tab": " ", b"emspace": " ", b"enspace": " ", b"emdash": "\u2014", b"endash": "\u2013",
    b"lquote": "\u2018", b"rquote": "\u2019", b"ldblquote": "\u201c", b"rdblquote": "\u201d", b"bullet": "\u2022",
    b"footnote": " ", b"annotation": " ", b"shptxt": " ", b"field": "", b"header": "\n", b"footer": "\n",
}  # fmt: skip
_CHARSETS = {
    0: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip


def rich_text(content: bytes, media_type: str, writing: Writing) -> None:  # noqa: ARG001 - the shape of a reader
    """The words of a rich text, without what says how they look."""
    _Rich(writing).read(content)


class _Rich:
    """Walks through a rich text; each group has its own font, and may be one that nobody sees."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.page = "cp1252"
        self.fonts: dict[int, str] = {}
        self.naming: int | None = None
        self.groups: list[tuple[bool, str | None, int]] = []
        self.hidden, self.font, self.after = False, None, 1
        self.held = bytearray()
        self.half = 0
        self.skip, self.starred, self.in_fonts = 0, False, 0

    hidden: bool
    font: str | None
    after: int

    def read(self, content: bytes) -> None:
        at = 0
        while (match := _RTF.match(content, at)) is not None:
            at = match.end()
            word, number, byte, sign, bracket, text = match.groups()
            if word is not None:
                if word == b"bin" and number:
                    at += max(0, int(number))
                self._word(word, None if number is None else int(number))
            elif byte is not None:
                self._bytes(bytes.fromhex(byte.decode()))
            elif sign is not None:
                self._sign(sign)
            elif bracket is not None:
                self._bracket(opens=bracket == b"{")
            elif text is not None:
                self._bytes(text)
        self._flush()
        if self.groups:
            self.writing.lack("unreadable")

    def _bracket(self, *, opens: bool) -> None:
        self._flush()
        self.starred, self.skip = False, 0
        if opens:
            self.groups.append((self.hidden, self.font, self.after))
        elif self.groups:
            self.hidden, self.font, self.after = self.groups.pop()
            if len(self.groups) < self.in_fonts:
                self.in_fonts = 0

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self.starred = True
        elif sign in b"\r\n":
            self._say("\n")
        elif sign == b"~":
            self._say("\u00a0")
        elif sign == b"_":
            self._say("\u2011")
        elif sign in b"\\{}":
            self._bytes(sign)

    def _word(self, word: bytes, number: int | None) -> None:
        if self.starred:
            self.hidden = self.hidden or word not in _STARRED
            self.starred = False
        match word, number:
            case b"fonttbl", _:
                self._flush()
                self.in_fonts = len(self.groups)
            case b"f", int():
                self._flush()
                self.naming = number if self.in_fonts else None
                self.font = None if self.in_fonts else self.fonts.get(number)
            case b"fcharset", int() if self.naming is not None:
                self.fonts[self.naming] = _CHARSETS.get(number, self.page)
            case b"plain", _:
                self._flush()
                self.font = None
            case b"ansicpg", int():
                with suppress(LookupError):
                    self.page = codecs.lookup(f"cp{number}").name
            case b"mac", _:
                self.page = "mac-roman"
            case b"uc", int():
                self.after = max(0, number)
            case b"u", int():
                self._flush()
                if not self.hidden:
                    self._keep(number % 65536)
                self.skip = self.after
            case _:
                """Another word says how it looks, or is one of those below."""
        if word in _HIDDEN:
            self._flush()
            self.hidden = True
        elif word in _BREAKS:
            self._say(_BREAKS[word])

    def _keep(self, unit: int) -> None:
        """A sign by its number; one beyond the first 65,536 comes in two halves."""
        half, self.half = self.half, 0
        if 0xD800 <= unit < 0xDC00:
            self.half = unit
        elif 0xDC00 <= unit < 0xE000:
            self.writing.say(chr(0x10000 + (half - 0xD800) * 1024 + unit - 0xDC00) if half else "\ufffd")
        else:
            self.writing.say(chr(unit))

    def _bytes(self, said: bytes) -> None:
        passed = min(self.skip, len(said))
        self.skip -= passed
        if not self.hidden:
            self.held += said[passed:]

    def _say(self, text: str) -> None:
        self._flush()
        if not self.hidden:
            self.writing.say(text)

    def _flush(self) -> None:
        if self.held:
            self.writing.say(self.held.decode(self.font or self.page, "replace"))
            self.held.clear()
