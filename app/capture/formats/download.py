"""A download as a platform hands it out: a ZIP, several that are one, or a folder that they were unpacked into.

Nothing is ever unpacked to disk. A name that leads out of the download, a
symbolic link, an encrypted part and what unfolds into more than it should are
refused or left, and said; files are read one at a time, as streams.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import io
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from app.capture.formats.source import CHUNK, Handed, Left, digest_of, joined, said
from app.capture.lines import BadFile
from app.records.zips import DAMAGED

_MEMBERS = 2_000_000
_SUSPECT, _RATIO = 64 << 20, 200
_TOLD = 10
_STEP = 1 << 12
_PACKED = (
    (b"PK\x03\x04", "ZIP"),
    (b"PK\x05\x06", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)
"""How archives begin, and what they are."""
_NO_ARCHIVES = re.compile(
    r"\.(jpe?g|png|gif|webp|heic|mp4|mov|webm|mp3|m4a|json|js|csv|html?|txt|xml|eml|docx|xlsx|pptx|od[tsp]|epub|apk)"
)
"""Files that are no archives, or whose form is a ZIP only for their programs."""
_MACS = "a note of macOS beside the files, none of the download's"
_MAC = re.compile(r"(?:.*/)?(?:__MACOSX/.*|\._[^/]*|\.DS_Store)", re.DOTALL)
_UTF8 = 1 << 11
_NUMBERED = re.compile(r"(?:[-_ .]?(?:part)?[-_ ]?\d{1,3}|\s*\(\d{1,3}\))$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the download: its path there, its size, and where it lies: in which ZIP, or under which name in the folder."""

    path: str
    size: int
    part: int
    info: zipfile.ZipInfo | None = None
    lies: str = ""


class Download:
    """Every file of a download, by its path."""

    def __init__(self, files: Sequence[Path], *, apart: bool = False) -> None:
        """Open it; where several ZIPs are no parts of one, `apart` puts each one's files below its own name."""
        self._apart = apart and len(files) > 1
        self._open = ExitStack()
        self.members: dict[str, Member] = {}
        self.refused: list[Left] = []
        self.beside: list[str] = []
        """Files that look like further parts of the same download and were not given."""
        try:
            self._take(list(files))
        except BaseException:
            self._open.close()
            raise

    def close(self) -> None:
        """Give the files back."""
        self._open.close()

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """A file of the download, as a stream; `BadFile` where it is cut or damaged."""
        member = self.members[path]
        with ExitStack() as stack:
            try:
                inside: IO[bytes]
                if member.info is None:
                    opened = os.open(self.folder / (member.lies or member.path), os.O_RDONLY | os.O_NOFOLLOW)
                    inside = stack.enter_context(os.fdopen(opened, "rb"))
                else:
                    inside = stack.enter_context(self.packed[member.part].open(member.info))
            except DAMAGED as error:
                raise self._cut(path, error) from error
            # What goes wrong while somebody else writes what is read here is not the download's fault.
            yield cast("BinaryIO", _Whole(inside, member, lambda error: self._cut(path, error)))

    def _cut(self, path: str, error: Exception) -> BadFile:
        return BadFile(f"{path} in {self.handed.name} is cut or damaged: {error}")

    def read(self, path: str, most: int) -> bytes:
        """A whole file of at most `most` bytes."""
        with self.open(path) as opened:
            content = opened.read(most + 1)
        if len(content) > most:
            raise BadFile(f"{path} is larger than {most >> 20} MiB")
        return content

    def readable(self, path: str, most: int) -> bytes:
        """As much of a file that is cut or damaged as can be read; its checksum does not count."""
        member = self.members[path]
        parts: list[bytes] = []
        left = most
        with contextlib.suppress(*DAMAGED), ExitStack() as stack:
            inside: IO[bytes]
            if member.info is None:
                inside = cast("IO[bytes]", stack.enter_context(self.open(path)))
            else:
                unchecked = copy.copy(member.info)
                del unchecked.CRC
                inside = stack.enter_context(self.packed[member.part].open(unchecked))
            while left > 0 and (part := inside.read(min(left, _STEP))):
                parts.append(part)
                left -= len(part)
        return b"".join(parts)

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """A file by its path, or None where the download holds none."""
        return self.open(path) if path in self.members else None

    def packing(self, path: str) -> str | None:
        """How a file of the download is packed, where it is an archive itself; None where it is none."""
        if _NO_ARCHIVES.fullmatch(PurePosixPath(path).suffix.lower()):
            return None
        try:
            with self.open(path) as opened:
                return packing(opened.read(8))
        except BadFile:
            return None

    def refusal(self, why: str, advice: str, faults: Mapping[str, str] | None = None) -> BadFile:
        """What is said where nothing of the download is understood: which files there are, and why each was not.

        `advice` is what to do where no archive lies in it that should be taken out.
        """
        packed = {path: kind for path in sorted(self.members) if (kind := self.packing(path))}
        told = {path: f"another archive, {kind}, which is not opened" for path, kind in packed.items()}
        told |= faults or {}
        told |= {one.name: one.why for one in self.refused}
        listed = "; ".join(f"{said(path)}: {reason[:200]}" for path, reason in list(told.items())[:_TOLD])
        more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
        if packed:
            advice = f"Take {'it' if len(packed) == 1 else 'them'} out, and give what you took out."
        return BadFile(f"{why} ({listed}{more})" if told else why, next=advice)

    def _take(self, files: list[Path]) -> None:
        self.packed: list[zipfile.ZipFile] = []
        self.folder = files[0]
        if len(files) == 1 and files[0].is_dir():
            inside = sorted(files[0].glob("*.zip"))
            if not inside or any(one.is_dir() for one in files[0].iterdir()):
                self._folder(files[0])
                return
            files = inside
        for file in files:
            if file.is_dir():
                raise BadFile(f"{file} is a folder; give one folder, or the ZIP files of one download")
        self._zips(files)

    # -- ZIP files -----------------------------------------------------------------------------------------

    def _zips(self, files: list[Path]) -> None:
        handed = [digest_of(file) for file in files]
        doubled = {one.sha256 for one in handed}
        if len(doubled) != len(handed):
            raise BadFile("one of these files was given twice")
        if self._apart and len({one.name for one in handed}) != len(handed):
            raise BadFile("two of these files bear one name", next="Import them one after the other.")
        for number, file in enumerate(files):
            try:
                packed = self._open.enter_context(zipfile.ZipFile(file))
            except DAMAGED as error:
                kind = _kind(file)
                raise BadFile(
                    f"{file} is no ZIP file that can be read: {f'it is packed as {kind}' if kind else error}",
                    next="Unpack it, and give the folder."
                    if kind
                    else "Download it again. If it stays so, unpack it with another program, and give the folder.",
                ) from error
            self.packed.append(packed)
            members = packed.infolist()
            if len(members) > _MEMBERS or sum(one.compress_size for one in members) > file.stat().st_size:
                raise BadFile(f"{file.name} claims to hold more than it does, and is not read")
            for info in members:
                self._member(info, number, file.name)
        self.handed = (
            handed[0]
            if len(handed) == 1
            else joined(_stem(files[0]), [(one.name, one.sha256, one.bytes) for one in handed])
        )
        if len(files) == 1:
            given = {file.resolve() for file in files}
            self.beside = [
                other.name
                for other in sorted(files[0].parent.glob("*.zip"))
                if other.resolve() not in given and _stem(other) == _stem(files[0])
            ]

    def _member(self, info: zipfile.ZipInfo, part: int, file: str) -> None:
        told = _as_packed(info)
        name = composed(told)
        if "/" not in name:  # programs on Windows that pack it anew divide paths so
            name = name.replace("\\", "/")
        if info.is_dir() or (name.endswith("/") and not info.file_size):
            return
        why = None
        if not within(name) or "\0" in info.orig_filename:
            why = "its path leads out of the download"
        elif stat.S_ISLNK(info.external_attr >> 16):
            why = "a symbolic link, which is not followed"
        elif _MAC.fullmatch(name):
            why = _MACS
        elif info.flag_bits & 1:
            why = "encrypted"
        elif info.file_size > _SUSPECT and info.file_size > _RATIO * max(info.compress_size, 1):
            why = f"it would unfold into {info.file_size >> 20} MiB out of {info.compress_size >> 10} KiB"
        elif info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            why = "packed in a way that is not read"
        elif (held := self.members.get(f"{said(file)}/{name}" if self._apart else name)) is not None:
            if held.info is not None and (held.info.CRC, held.size) == (info.CRC, info.file_size):
                return
            why = "another file of the download bears this path, and is taken"
        if why is not None:
            self.refused.append(
                Left(
                    told if len(self.packed) < 2 else f"{file}: {told}",
                    info.file_size,
                    why,
                )
            )
            return
        path = f"{said(file)}/{name}" if self._apart else name
        self.members[path] = Member(path, info.file_size, part, info)

    # -- a folder ------------------------------------------------------------------------------------------

    def _folder(self, folder: Path) -> None:
        parts: list[tuple[str, str, int]] = []
        for at, folders, names in os.walk(folder, followlinks=False):
            folders.sort()
            for name in sorted([*names, *[one for one in folders if Path(at, one).is_symlink()]]):
                file = Path(at, name)
                path = file.relative_to(folder).as_posix()
                if file.is_symlink() or not file.is_file():
                    self.refused.append(Left(path, 0, "a symbolic link or no file, which is not followed"))
                    continue
                told = digest_of(file)
                parts.append((path, told.sha256, told.bytes))
                if _MAC.fullmatch(path):
                    self.refused.append(Left(path, told.bytes, _MACS))
                    continue
                self.members[path] = Member(path, told.bytes, 0, lies=path)
        if not parts:
            raise BadFile(f"{folder} is empty")
        for path in list(self.members):
            if (known := composed(path)) not in self.members:
                self.members[known] = replace(self.members.pop(path), path=known)
        whole = joined(folder.resolve().name, parts)
        # A folder has too many files to name each; the digest of their list, as `sha256sum` prints it, binds them.
        self.handed = Handed(whole.name, whole.sha256, whole.bytes)


class _Whole:
    """A file of the download, whose end is reached only if its checksum agrees and it is as long as it claimed."""

    def __init__(self, inside: IO[bytes], member: Member, cut: Callable[[Exception], BadFile]) -> None:
        self.inside, self.member, self.cut, self.count = inside, member, cut, 0

    def read(self, most: int = -1) -> bytes:
        read = io.BytesIO()  # which grows in its place, where parts would be there twice when they are joined
        wanted = most if most >= 0 else self.member.size + 1
        try:
            while wanted > 0 and (chunk := self.inside.read(min(wanted, CHUNK))):
                self.count, wanted = self.count + len(chunk), wanted - len(chunk)
                read.write(chunk)
        except DAMAGED as error:
            raise self.cut(error) from error
        if wanted > 0 and self.count != self.member.size:
            raise self.cut(EOFError(f"{self.count} bytes where {self.member.size} were promised"))
        return read.getvalue()


def composed(path: str) -> str:
    """A path with its letters composed, as platforms write them: a Mac takes accents apart in the names of files."""
    return unicodedata.normalize("NFC", path)


def _as_packed(info: zipfile.ZipInfo) -> str:
    """The name of a file in a ZIP; macOS writes it in UTF-8 and does not say so."""
    if info.flag_bits & _UTF8 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def within(path: str) -> bool:
    """Whether a path stays inside the download whatever machine reads it."""
    return bool(path) and not (
        path.startswith(("/", "\\", "~"))
        or "\\" in path
        or "\0" in path
        or re.match(r"[A-Za-z]:", path)
        or any(step in {"..", "."} for step in path.split("/"))
    )


def packing(begins: bytes) -> str | None:
    """What kind of archive begins so; None where none does."""
    return next((kind for mark, kind in _PACKED if begins.startswith(mark)), None)


def _kind(file: Path) -> str | None:
    """How a file that is no ZIP is packed."""
    try:
        with file.open("rb") as opened:
            kind = packing(opened.read(8))
    except OSError:
        return None
    return kind if kind != "ZIP" else None


def _stem(file: Path) -> str:
    """The name that all parts of one download share."""
    return _NUMBERED.sub("", file.stem) or file.stem


def short_digest(*parts: object) -> str:
    """Enough of a digest to tell items of one second apart."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:12]
