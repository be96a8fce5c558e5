"""A short-message file taken apart as the mail that it is: its head, what it says, and its one attachment.

Line by line, so that an attachment of any size passes through; a mail reader
that holds everything would need the memory for it several times.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import IO, BinaryIO

from app.disclosure.formats.rsmf import ARCHIVE

VERSIONS = frozenset({"2.0.0"})
LONGEST_HEAD = 4 << 20
LONGEST_LINE = 1 << 20
FIRST_FIELDS = 5
"""Among so many fields the version must stand, so that programs need not read further to know the form."""

Find = Callable[[str, str, str], None]
"""Takes what is wrong: the code of the rule, the place, the fact."""


class Mail:
    """A file that is read as a mail: its head at once, what it says and what is attached to it with `unpack`."""

    def __init__(self, file: BinaryIO, find: Find) -> None:
        self.find = find
        self.lines = iter(lambda: file.readline(LONGEST_LINE), b"")
        self.head = _fields(self.lines)
        self.text = ""
        boundary = self.head.get_boundary()
        several = self.head.get_content_maintype() == "multipart" and bool(boundary)
        self.division = f"--{boundary}".encode() if several else b""
        self.end = self.division + b"--"

    def unpack(self, packed: IO[bytes]) -> bool:
        """Write the one ZIP to `packed`, and keep what the mail says in `text`. False where there is no ZIP."""
        if not self.division:
            self.find("rsmf-not-mail", "head", "the mail is not in several parts")
            return False
        self._version()
        line = next((line for line in self.lines if self._ends(line)), b"")
        attached = number = 0
        while line.rstrip() == self.division:
            number += 1
            part = _fields(self.lines)
            if part.get_content_disposition() != "attachment" and part.get_filename() is None:
                line = self._said(part, number)
                continue
            attached += 1
            if attached == 1:
                self._named(part, number)
                line = self._decoded(part, packed.write, number)
            else:
                self.find(
                    "rsmf-attachment", f"part {number}", f"a second attachment, {part.get_filename()!r}"
                )
                line = self._passed()
        if line.rstrip() != self.end:
            self.find("rsmf-not-mail", f"after part {number}", "the mail does not end")
        elif any(line.strip() for line in self.lines):
            self.find("rsmf-not-mail", f"after part {number}", "something follows the end of the mail")
        if not attached:
            self.find("rsmf-attachment", "mail", "it has no attachment")
        return attached > 0

    def _version(self) -> None:
        names = [name.lower() for name in self.head.keys()]  # noqa: SIM118 - a message is no mapping: it may have a field twice
        for name in {one for one in names if one.startswith("x-rsmf-") and names.count(one) > 1}:
            self.find("rsmf-head", name, "the field is there twice")
        version = str(self.head.get("X-RSMF-Version", "")).strip()
        if not version:
            self.find("rsmf-version", "head", "there is no X-RSMF-Version")
        elif "x-rsmf-version" not in names[:FIRST_FIELDS]:
            self.find("rsmf-version", "head", f"X-RSMF-Version is not among the first {FIRST_FIELDS} fields")
        elif version not in VERSIONS:
            self.find("rsmf-version", "head", f"version {version} is not known")

    def _named(self, part: EmailMessage, number: int) -> None:
        if part.get_filename() != ARCHIVE:
            told = f"the attachment is called {part.get_filename()!r}, not {ARCHIVE}"
            self.find("rsmf-attachment", f"part {number}", told)
        if part.get_content_disposition() != "attachment":
            self.find("rsmf-attachment", f"part {number}", "it is not marked as an attachment")

    def _decoded(self, part: EmailMessage, write: Callable[[bytes], object], number: int) -> bytes:
        """Write what a part in base64 holds; the line that divides it from the next."""
        where = f"part {number}"
        if not _in_base64(part):
            self.find("rsmf-attachment", where, "it is not in base64")
            return self._passed()
        held, ended = b"", False
        for line in self.lines:
            if self._ends(line):
                if held:
                    self.find("rsmf-attachment", where, "its base64 breaks off")
                return line
            held += line.strip()
            whole = len(held) - len(held) % 4
            try:
                if whole and ended:
                    raise binascii.Error("it goes on after its end")
                write(binascii.a2b_base64(held[:whole], strict_mode=True))
            except binascii.Error as error:
                self.find("rsmf-attachment", where, f"its base64 cannot be read: {error}")
                return self._passed()
            ended = ended or held[:whole].endswith(b"=")
            held = held[whole:]
        return b""

    def _said(self, part: EmailMessage, number: int) -> bytes:
        """Add what a part says to the text of the mail; the line that divides it from the next."""
        if part.get_content_type() != "text/plain" or not _in_base64(part):
            return self._passed()  # others write their text in other ways; it says what the description says
        parts: list[bytes] = []
        line = self._decoded(part, parts.append, number)
        try:
            self.text += b"".join(parts).decode(part.get_content_charset() or "utf-8")
        except (UnicodeDecodeError, LookupError) as error:
            self.find("rsmf-not-mail", f"part {number}", f"its text cannot be read: {error}")
        return line

    def _passed(self) -> bytes:
        return next((line for line in self.lines if self._ends(line)), b"")

    def _ends(self, line: bytes) -> bool:
        return line.rstrip() in {self.division, self.end}


def _in_base64(part: EmailMessage) -> bool:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64"


def _fields(lines: Iterator[bytes]) -> EmailMessage:
    """The fields up to the next empty line."""
    taken: list[bytes] = []
    room = LONGEST_HEAD
    for line in lines:
        if not line.strip() or (room := room - len(line)) < 0:
            break
        taken.append(line)
    message = BytesParser(policy=default).parsebytes(b"".join(taken), headersonly=True)
    assert isinstance(message, EmailMessage), "that is what the policy makes"
    return message
