"""What is handed out as a download, or as files one by one; and a ZIP that lies inside a file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from app.capture.formats.download import Download, Member, composed
from app.capture.formats.source import Handed, digest_of, joined
from app.capture.lines import BadFile
from app.records.zips import DAMAGED

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


class Loose(Download):
    """A ZIP, several ZIPs, a folder; or files that lie in one folder, by their names."""

    def _take(self, files: list[Path]) -> None:
        if any(file.is_dir() or _is_zip(file) for file in files):
            super()._take(files)
            return
        self.packed = []
        self.folder = files[0].parent
        if any(file.parent.resolve() != self.folder.resolve() for file in files):
            raise BadFile("these files lie in several folders", next="Give the folder that holds them all.")
        told = [digest_of(file) for file in files]
        if len({one.name for one in told}) != len(told):
            raise BadFile("one of these files was given twice")
        self.members = {
            composed(one.name): Member(composed(one.name), one.bytes, 0, lies=file.name)
            for one, file in zip(told, files, strict=True)
        }
        self.handed = (
            told[0]
            if len(told) == 1
            else joined(told[0].name, [(one.name, one.sha256, one.bytes) for one in told])
        )


class Inside(Download):
    """A ZIP that lies inside a file of a download, held in memory; the same is refused in it as in any other."""

    def __init__(self, content: bytes, handed: Handed) -> None:
        self._content, self.handed = content, handed
        super().__init__(())

    def _take(self, files: list[Path]) -> None:
        assert not files, "it is handed in as bytes"
        self.folder = Path()
        try:
            packed = self._open.enter_context(zipfile.ZipFile(io.BytesIO(self._content)))
        except DAMAGED as error:
            raise BadFile(f"the ZIP in {self.handed.name} cannot be read: {error}") from error
        self.packed = [packed]
        members = packed.infolist()
        if sum(one.compress_size for one in members) > len(self._content):
            raise BadFile(f"the ZIP in {self.handed.name} claims to hold more than it does, and is not read")
        for info in members:
            self._member(info, 0, self.handed.name)


def _is_zip(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(4) in _ZIP
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}") from error
