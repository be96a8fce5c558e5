"""Proof of absence: that no string which was withheld stands anywhere in a finished folder, in whatever form.

Every file and every name is read: as it is, out of its containers, and without
its encodings (JSON, HTML and URL escapes, quoted-printable, hex, base64 at
each alignment, UTF-16 in both orders, Windows-1252), without regard to case, accents, characters
that nobody sees and signs that people write for one another, and, where a
string is long enough for it, without regard to blanks, line ends and
punctuation, so that a word wrapped by a PDF or doubled by a load file is met too.

A string is looked for wherever it stands, inside longer words as well, but for
one of fewer than 8 bytes: four letters stand in any base64 and any digest by
chance, so that it counts where no other letter or digit touches it, in bytes
that read as text. Whoever hunts decides which strings must be absent. What is reported names a string by
its place in the list that was given, never by its words, so that a report can
be kept. What could not be looked into is reported too: a hunt that was
hindered shows nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import unquote_to_bytes

from ahocorasick_rs import BytesAhoCorasick

from app.disclosure.matching import folded, long_enough, parts, quickly
from app.disclosure.verify.unpacking import DEEPEST, Inner, Unpacker, Unread
from app.records.folders import below

CERTAIN = 8
"""Bytes from which on a string is met nowhere by chance; a shorter one counts where no letter or digit touches it."""
LOOSE_FROM = 12
"""Bytes that a string must have without its blanks and punctuation to be looked for without them."""
_WINDOW, _OVERLAP = 4 << 20, 32 << 10
_REMEMBERED = 1_000_000
"""So many digests of files that hold nothing are remembered: fonts and pictures come again and again."""
_CONTROL_BYTES = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_TEXTUAL = 0.98
_LETTERS = "[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]"
_RUN, _TOLD = re.compile(_LETTERS + "{8,}"), re.compile(_LETTERS + "{4,}")
_UUID = re.compile(rb"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_BLANK_BYTES = re.compile(rb"[ \t\r\n\f\v]+")
_NO_LETTERS = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_TAG = re.compile(r"<[^<>]*>")
_JSON = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-7]{3})|([\"'\\/()]|[bfnrt]))")
_SHOWN = re.compile(r"⟨U\+([0-9A-F]{4,6})⟩|_x([0-9A-Fa-f]{4})_")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_QUOTED = re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*\r?\n)")
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Hit:
    """A withheld string that stands somewhere: which one by its number in the list, where, and in what form."""

    word: int
    where: str
    form: str


@dataclass(slots=True)
class Hunted:
    """What a hunt found: nothing may be in `hits`; `unread` is for a person to look at."""

    files: int = 0
    words: int = 0
    hits: list[Hit] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was found, and nothing hindered the search."""
        return not self.hits and not self.unread


@dataclass(frozen=True, slots=True)
class _Needles:
    """Strings in the form in which they are looked for, and whose they are; `apart`: only where no letter or digit touches them."""

    owners: Sequence[int]
    engine: BytesAhoCorasick | None
    apart: bool = False

    @classmethod
    def of(cls, patterns: Iterable[tuple[int, bytes]], *, apart: bool = False) -> _Needles:
        kept = [one for one in dict.fromkeys(patterns) if one[1]]
        engine = BytesAhoCorasick([pattern for _, pattern in kept]) if kept else None
        return cls([owner for owner, _ in kept], engine, apart)

    def in_(self, content: bytes) -> set[int]:
        if self.engine is None or not content:
            return set()
        return {
            self.owners[one]
            for one, start, end in self.engine.find_matches_as_indexes(content, overlapping=True)
            if not self.apart or _stands_apart(content, start, end)
        }


def _stands_apart(content: bytes, start: int, end: int) -> bool:
    """Whether no letter or digit touches a place, and it is no part of a random id."""
    if content[max(start - 1, 0) : start].isalnum() or content[end : end + 1].isalnum():
        return False
    beside = content[max(start - 36, 0) : end + 36]
    at = min(start, 36)
    return not any(found.start() <= at < found.end() for found in _UUID.finditer(beside))


def _sorted(patterns: Iterable[tuple[int, bytes]]) -> tuple[_Needles, _Needles]:
    """Those long enough to be met nowhere by chance, and those that only count as words by themselves."""
    known = list(patterns)
    return (
        _Needles.of(one for one in known if len(one[1]) >= CERTAIN),
        _Needles.of((one for one in known if len(one[1]) < CERTAIN), apart=True),
    )


class Hunter:
    """Looks for the strings that it was made with; those of too few letters stand anywhere by chance: they are counted."""

    def __init__(self, words: Iterable[str]) -> None:
        given = list(words)
        wanted = [
            (place, word)
            for place, word in enumerate(given)
            if long_enough(word.strip()) or long_enough(folded(word))
        ]
        told = [(place, part) for place, word in wanted for part in parts(word)]
        self.count = len(wanted)
        self.too_short = len(given) - len(wanted)
        self._clean: set[bytes] = set()
        self._raw, self._raw_short = _sorted((place, one) for place, part in told for one in _coded(part))
        self._text, self._text_short = _sorted((place, _encoded(_folded(part))) for place, part in told)
        loose = ((place, _loose(_encoded(_folded(part)))) for place, part in told)
        self._loose = _Needles.of((place, one) for place, one in loose if len(one) >= LOOSE_FROM)
        least = min((len(one) for _, part in told for one in _coded(part)), default=CERTAIN)
        self._hex = re.compile(rb"[0-9A-Fa-f]{%d,}" % (2 * least))
        self._base64 = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % -(-4 * least // 3))

    def folder(self, folder: Path) -> Hunted:
        """Search a folder: every file, every name."""
        told = Hunted(words=self.count)
        with closing(Unpacker()) as unpacker:
            for path in below(folder):
                where = path.relative_to(folder).as_posix()
                name = path.name.encode("utf-8", "surrogateescape")
                told.hits += [Hit(word, where, f"{form} of its name") for word, form in self.content(name)]
                if path.is_symlink() or not (path.is_file() or path.is_dir()):
                    told.unread.append(Unread(where, "it is neither a file nor a folder"))
                elif path.is_file():
                    told.files += 1
                    with path.open("rb") as content:
                        self._file(content, where, told, unpacker, 0)
        return told

    def file(self, content: IO[bytes], where: str) -> Hunted:
        """Search one file, and whatever lies inside it."""
        told = Hunted(files=1, words=self.count)
        with closing(Unpacker()) as unpacker:
            self._file(content, where, told, unpacker, 0)
        return told

    def content(self, content: bytes, *, told: bool = False) -> Iterator[tuple[int, str]]:
        """Which strings stand in these bytes, and in what form; each once, in the first form that shows it.

        `told` says that the bytes are there to tell something, as a picture's
        remarks are: then the shortest run of letters in them counts.
        """
        met: set[int] = set()
        for form, found in self._looks(content, _TOLD if told else _RUN):
            for word in sorted(found - met):
                yield word, form
            met |= found

    def _file(
        self,
        content: IO[bytes],
        where: str,
        told: Hunted,
        unpacker: Unpacker,
        depth: int,
        *,
        tells: bool = False,
    ) -> None:
        """Search a file, and what lies inside it; bytes that were searched before and held nothing are passed over."""
        digest = _digest(content)
        if digest in self._clean:
            return
        before = len(told.hits) + len(told.unread)
        self._searched(content, where, told, unpacker, depth, tells=tells)
        if len(told.hits) + len(told.unread) == before and len(self._clean) < _REMEMBERED:
            self._clean.add(digest)

    def _searched(
        self,
        content: IO[bytes],
        where: str,
        told: Hunted,
        unpacker: Unpacker,
        depth: int,
        *,
        tells: bool,
    ) -> None:
        met: dict[int, str] = {}
        for window in _windows(content):
            for word, form in self.content(window, told=tells):
                met.setdefault(word, form)
        told.hits += [Hit(word, where, form) for word, form in met.items()]
        for inner in unpacker.inside(content, where):
            if isinstance(inner, Unread):
                told.unread.append(inner)
            elif depth >= DEEPEST:
                told.unread.append(Unread(inner.where, "it lies deeper than is looked into"))
            else:
                with inner.content as held:
                    self._file(held, inner.where, told, unpacker, depth + 1, tells=inner.tells)

    def _looks(self, content: bytes, runs: re.Pattern[str]) -> Iterator[tuple[str, set[int]]]:
        yield "bytes", self._raw.in_(content)
        content = _textual(content, runs)
        yield "bytes", self._raw_short.in_(content)
        text = content.decode("utf-8", "ignore")
        yield from self._texts(text, "text")
        yield from self._turned(text, "")
        if b"%" in content and (unquoted := unquote_to_bytes(content)) != content:
            yield from self._bytes(unquoted, "URL encoding")
            if (twice := unquote_to_bytes(unquoted)) != unquoted:
                yield from self._bytes(twice, "URL encoding, twice")
        if b"=" in content and (unquoted := _QUOTED.sub(_unquoted, content)) != content:
            yield from self._bytes(unquoted, "quoted-printable")
        yield from self._digits(content)

    def _texts(self, text: str, name: str) -> Iterator[tuple[str, set[int]]]:
        folded = _encoded(_folded(text))
        yield name, self._text.in_(folded) | self._text_short.in_(folded)
        if self._loose.engine is not None:
            yield f"{name} without blanks", self._loose.in_(_loose(folded))

    def _turned(self, text: str, name: str) -> Iterator[tuple[str, set[int]]]:
        """The text without what a format makes of it: its escapes, then its markup as well."""
        plain = _characters(_entities(_json(text)))
        if plain != text:
            yield from self._texts(plain, f"{name}, escapes" if name else "escapes")
        bare = _TAG.sub("", plain) if "<" in plain else plain
        if bare != plain:
            yield from self._texts(bare, f"{name}, markup" if name else "markup")
            yield from self._texts(_TAG.sub(" ", plain), f"{name}, markup" if name else "markup")

    def _bytes(self, content: bytes, name: str) -> Iterator[tuple[str, set[int]]]:
        """Bytes that were decoded once: as they are, and once more without the escapes of a text."""
        yield name, self._raw.in_(content)
        content = _textual(content, _RUN)
        yield name, self._raw_short.in_(content)
        text = content.decode("utf-8", "ignore")
        yield from self._texts(text, name)
        yield from self._turned(text, name)

    def _digits(self, content: bytes) -> Iterator[tuple[str, set[int]]]:
        """Hex and base64: run by run, and with the line ends taken out. All runs are decoded at once."""
        squeezed = _BLANK_BYTES.sub(b"", content)
        for whole in (content,) if squeezed == content else (content, squeezed):
            runs = self._hex.findall(whole)
            for shift in (0, 1):
                digits = b"0a".join(run[shift : len(run) - (len(run) - shift) % 2] for run in runs)
                yield from self._bytes(binascii.unhexlify(digits), "hex")
            runs = [run.translate(_STANDARD) for run in self._base64.findall(whole)]
            for shift in range(4):
                told = b"CgoK".join(run[shift:] + b"A" * (-(len(run) - shift) % 4) for run in runs)
                decoded = base64.b64decode(told)
                if shift == 0:
                    yield from self._bytes(decoded, "base64")
                else:
                    yield "base64", self._raw.in_(decoded) | self._raw_short.in_(_textual(decoded, _RUN))


_STANDARD = bytes.maketrans(b"-_", b"+/")


def _coded(word: str) -> Iterator[bytes]:
    """The bytes of a string in each coding, in its own and in the two other cases."""
    for said in dict.fromkeys((word, word.lower(), word.upper())):
        for coding in ("utf-8", "utf-16-le", "utf-16-be"):
            yield said.encode(coding, "surrogatepass")
        with suppress(UnicodeEncodeError):
            yield said.encode("cp1252")


def _folded(text: str) -> str:
    """As people read it: signs that are written for one another are one, and what nobody sees is not there."""
    said = text.casefold().replace("`", "'") if text.isascii() else quickly(text)
    return " ".join(said.split())


def _loose(text: bytes) -> bytes:
    return text.translate(None, _NO_LETTERS)


def _textual(content: bytes, runs: re.Pattern[str]) -> bytes:
    """What reads as text in some bytes: all of it where most does, else the runs that do; the rest is no letters."""
    if len(content.translate(None, _CONTROL_BYTES)) < len(content) * _TEXTUAL:
        return "\n".join(runs.findall(content.decode("utf-8", "replace"))).encode("utf-8", "surrogatepass")
    return content


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _unescaped(found: re.Match[str]) -> str:
    four, two, octal, one = found.groups()
    if octal:
        return chr(int(octal, 8))
    return chr(int(four or two, 16)) if four or two else _CONTROLS.get(one, one)


def _json(text: str) -> str:
    """Without the escapes of JSON, of PDF strings and of programs."""
    if "\\" not in text:
        return text
    told = _JSON.sub(_unescaped, text)
    return _SURROGATES.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), told)


def _entities(text: str) -> str:
    return html.unescape(text) if "&" in text else text


def _characters(text: str) -> str:
    """With the characters that a rendition, a workbook or a load file writes out, or doubles."""
    told = _SHOWN.sub(lambda found: chr(min(int(found[1] or found[2], 16), 0x10FFFF)), text)
    return told.replace("®", "\n").replace("þþ", "þ").replace('""', '"')


def _unquoted(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode("ascii")) if found[1] else b""


def _digest(content: IO[bytes]) -> bytes:
    told = hashlib.blake2b(digest_size=16)
    content.seek(0)
    while chunk := content.read(_WINDOW):
        told.update(chunk)
    return told.digest()


def _windows(content: IO[bytes]) -> Iterator[bytes]:
    """The content in parts that overlap by more than any string is long in any form."""
    content.seek(0)
    kept = b""
    while chunk := content.read(_WINDOW):
        yield kept + chunk
        kept = (kept + chunk)[-_OVERLAP:]


def hunt(words: Sequence[str], folder: Path) -> Hunted:
    """Search `folder` for each of `words`."""
    return Hunter(words).folder(folder)


def hunt_bytes(words: Sequence[str], content: bytes, where: str = "content") -> Hunted:
    """Search a file that is at hand."""
    return Hunter(words).file(BytesIO(content), where)


__all__ = ["Hit", "Hunted", "Hunter", "Inner", "Unread", "hunt", "hunt_bytes"]
