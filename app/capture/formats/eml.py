"""E-mails in which an archive hands out what it holds, one item each: files, a folder, a ZIP, or mailboxes (mbox).

Mailboxes are read as streams, e-mail by e-mail. What an e-mail brings as a
file is received as an attachment; its bytes lie in the e-mail as well, and
belong to the same record.
"""

from __future__ import annotations

import io
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from app.capture.formats import mails
from app.capture.formats.divided import inside
from app.capture.formats.encoding import physical
from app.capture.formats.loose import Loose
from app.capture.formats.mails import LARGEST, Told
from app.capture.formats.mapping import MappingFile
from app.capture.formats.said import Said
from app.capture.formats.source import Left, Line, Mark, Unreadable
from app.capture.lines import BadFile, Stretch

_MAILS, _BOXES = frozenset({".eml", ".email", ".mail"}), frozenset({".mbox", ".mbx"})
_SEPARATOR = re.compile(rb"From \S.*\d\d:\d\d.*\d{4}\s*")
_PART = 4 << 20
_HELD = 80 << 20
"""So many bytes of e-mails with attachments are held until their attachments were asked for."""
_KNOWN = ("Message-ID", "From", "To", "Cc", "Date", "Subject")
_OTHER = {
    ".msg": "Outlook's own form of an e-mail, which is not read: ask for EML",
    ".pst": "Outlook's own form of a mailbox, which is not read: ask for EML",
    ".xml": "XML, whose shape each archive makes for itself",
    ".csv": "a table: import it by itself, as csv or load-file",
    ".dat": "a table: import it by itself, as load-file",
    ".rsmf": "a short-message file: import it by itself, as rsmf",
    ".html": "HTML, which is not read",
    ".htm": "HTML, which is not read",
}


@dataclass(frozen=True, slots=True)
class _Place:
    file: str
    number: int


class Eml:
    """Everything that e-mails show."""

    format = "eml"
    reader = "eml/1"
    shared = True
    form = ""

    def __init__(self, files: Sequence[Path], mapping: MappingFile | None = None) -> None:
        self.download = Loose(files, apart=True)
        self.handed = self.download.handed
        self.said = Said(mapping, _KNOWN) if mapping is not None else None
        self.key = mapping.digest if mapping else ""
        self.told = Told()
        self.paths = [path for path in sorted(self.download.members) if _suffix(path) in _MAILS | _BOXES]
        if not self.paths:
            refused = self.download.refusal(
                f"{self.handed.name} holds no e-mail", "Give .eml files, a .mbox, or a ZIP or folder of them."
            )
            self.download.close()
            raise refused
        self.total = sum(self.download.members[path].size for path in self.paths)
        self._done = 0
        self._held: OrderedDict[_Place, bytes] = OrderedDict()
        self._weight = 0

    # -- what an import asks -------------------------------------------------------------------------------

    def stretches(self, after: Mark) -> Iterator[Stretch]:
        """Every e-mail, mailbox by mailbox."""
        self.told = Told()
        number = 0
        for path in self.paths:
            if _suffix(path) in _MAILS and number < after.stretches and not self._large(path):
                number += 1  # it is one stretch whatever it holds
                continue
            for stretch in self._stretches(path):
                if number >= after.stretches:
                    yield stretch
                number += 1
            self._done += self.download.members[path].size
        self._done = self.total

    def read(self, stretch: Stretch) -> Sequence[Line]:
        """One e-mail."""
        place = stretch.found
        if not isinstance(place, _Place):
            return ()
        at = f"{stretch.file}: item {stretch.number}"
        found, fields = mails.read(stretch.content, self.told, at)
        if found.attachments:
            self._hold(place, stretch.content)
            found = replace(
                found,
                attachments=tuple(
                    replace(one, path=f"{place.file}#{place.number}#{one.path}") for one in found.attachments
                ),
            )
        line = Line(None, None, found)
        return (line if self.said is None else self.said.line(line, fields, at),)

    def page(self) -> tuple[str, str] | None:
        """An e-mail does not say whose page it tells of; a mapping may, or the officer."""
        if self.said is not None and self.said.names_page():
            return None
        raise BadFile(
            f"{self.handed.name} does not say whose page it tells of",
            next="Name the page with --page, or in a mapping.",
        )

    def done(self) -> int:
        """Bytes of the files that were read."""
        return self._done

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """A file that an e-mail brings."""
        file, _, rest = path.rpartition("#")
        file, _, number = file.rpartition("#")
        if file not in self.download.members or not (number.isdecimal() and rest.isdecimal()):
            return None
        content = self._content(_Place(file, int(number)))
        try:
            found = mails.attached(content, int(rest)) if content is not None else None
        except Unreadable:
            return None
        return None if found is None else io.BytesIO(found)

    def _why_not(self, path: str) -> str:
        kind = self.download.packing(path)
        return inside(kind) if kind else _OTHER.get(_suffix(path), "no e-mail")

    def left(self) -> Sequence[Left]:
        """Every file that is no e-mail."""
        taken = set(self.paths)
        return [
            *self.download.refused,
            *(
                Left(path, one.size, self._why_not(path))
                for path, one in sorted(self.download.members.items())
                if path not in taken
            ),
        ]

    def remarks(self) -> Sequence[str]:
        """What was noticed, and what each e-mail was taken for."""
        told = []
        for counted, what in (
            (self.told.derived, "e-mails bear no id: it is made from their bytes"),
            (
                self.told.zoneless,
                "e-mails bear a time without a zone: no date was made of it, it stands in `headers`",
            ),
            (self.told.cut, "e-mails end before their last part does"),
            (self.told.broken, "attachments are packed in a way that could not be undone to the end"),
            (self.told.letters, "e-mails hold characters that could not be read"),
            (
                self.told.chats,
                "e-mails are short-message files, which hold many items: call them .rsmf, and import them as rsmf",
            ),
        ):
            if counted.times:
                told.append(f"{counted.times} {what} ({', '.join(counted.places)})")
        if self.download.beside:
            names = ", ".join(self.download.beside)
            told.append(
                f"Beside it lie what may be further parts of this export, which were not given: {names}"
            )
        if self.said is None or "kind" not in self.said.fields:
            told.append(
                "Each e-mail is kept as a private message, because nothing in it says that it was public; a mapping can say otherwise."
            )
        return told

    def close(self) -> None:
        """Give the files back."""
        self._held.clear()
        self.download.close()

    # -- e-mail by e-mail ----------------------------------------------------------------------------------

    def _large(self, path: str) -> bool:
        return self.download.members[path].size > LARGEST

    def _stretches(self, path: str) -> Iterator[Stretch]:
        if _suffix(path) in _BOXES:
            yield from self._mailbox(path)
            return
        try:
            if not self._large(path):
                yield Stretch(1, self.download.read(path, LARGEST), None, path, _Place(path, 1))
                return
            why: str = f"longer than {LARGEST >> 20} MiB"
            with self.download.open(path) as opened:
                while chunk := opened.read(_PART):
                    yield Stretch(1, chunk, why, path)
                    why = ""
        except BadFile as error:
            yield Stretch(1, b"", str(error), path)

    def _mailbox(self, path: str) -> Iterator[Stretch]:
        """The e-mails of a mailbox: each begins with a line `From …` after an empty one."""
        parts: list[bytes] = []
        weight = number = 0
        blank, over = True, False
        try:
            with self.download.open(path) as opened:
                for line in physical(opened, b"\n", _PART):
                    if blank and _SEPARATOR.fullmatch(line):
                        if parts or over:
                            yield from self._mail(path, number, parts, over=over)
                        parts, weight, over = [], 0, False
                        number += 1
                    parts.append(line)
                    weight += len(line)
                    blank = not line.strip()
                    if weight > LARGEST:
                        yield from self._over(path, number, parts, first=not over)
                        parts, weight, over = [], 0, True
        except BadFile as error:
            # What came before the cut is an e-mail's beginning; it is kept, and not read.
            yield Stretch(number, b"".join(parts), str(error), path)
            return
        if parts or over:
            yield from self._mail(path, number, parts, over=over)

    def _mail(self, path: str, number: int, parts: list[bytes], *, over: bool) -> Iterator[Stretch]:
        content = b"".join(parts)
        if over:
            yield from self._over(path, number, parts, first=False)
        elif number == 0:
            yield Stretch(0, content, "no mailbox: it does not begin with a line `From …`", path)
        else:
            yield Stretch(number, content, None, path, _Place(path, number))

    def _over(self, path: str, number: int, parts: list[bytes], *, first: bool) -> Iterator[Stretch]:
        content = b"".join(parts)
        for start in range(0, len(content), _PART):
            why = f"longer than {LARGEST >> 20} MiB" if first and start == 0 else ""
            yield Stretch(number, content[start : start + _PART], why, path)

    # -- what e-mails bring --------------------------------------------------------------------------------

    def _hold(self, place: _Place, content: bytes) -> None:
        if place in self._held:
            return
        self._held[place] = content
        self._weight += len(content)
        while self._weight > _HELD and len(self._held) > 1:
            _, dropped = self._held.popitem(last=False)
            self._weight -= len(dropped)

    def _content(self, place: _Place) -> bytes | None:
        """An e-mail once more: as it is held, or read again."""
        if place not in self._held:
            for stretch in self._stretches(place.file):
                if stretch.found == place:
                    self._hold(place, stretch.content)
                    break
        return self._held.get(place)


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
