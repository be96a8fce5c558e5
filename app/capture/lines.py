"""The lines of a file that was received, plain or gzip: numbered, in bounded memory, every byte accounted for."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from app.records.errors import Invalid

LONGEST = 32 * 1024 * 1024
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


class BadFile(Invalid):
    """The file to import cannot be read, or is of no known format."""

    code = "bad-file"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of the file that stand in line `number`.

    `why` is None for a whole line. Of a line that is too long to be read, or
    that the file's end cuts off, it says so at its first bytes and is empty
    for those that follow. `file` names the file within a download; `found` is
    what the format knows of the bytes already.
    """

    number: int
    content: bytes
    why: str | None = None
    file: str = ""
    found: object = None


def opened(file: Path) -> tuple[BinaryIO, BinaryIO]:
    """The file as it lies, and what it holds; the second is the first unless the file is gzip."""
    try:
        raw = file.open("rb")
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}") from error
    start = raw.read(len(_GZIP))
    raw.seek(0)
    if start == _GZIP:
        return raw, cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    if file.suffix == ".gz":
        raw.close()
        raise BadFile(f"{file} is not gzip", next="Rename it, or pack it again.")
    return raw, raw


def stretches(content: BinaryIO, number: int) -> Iterator[Stretch]:
    """Everything from here on, the line at hand being `number`. Where gzip data ends too early, the last one says so."""
    rest, inside, broken = b"", False, ""
    while True:
        try:
            chunk = content.read1(_CHUNK)  # type: ignore[attr-defined]  # both kinds of file have it
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            broken = f"the file is cut or damaged here: {error}"
            break
        if not chunk:
            break
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield Stretch(number, line + b"\n", "" if inside else None)
            number, inside = number + 1, False
        if len(rest) >= LONGEST:
            yield Stretch(number, rest, "" if inside else f"longer than {LONGEST >> 20} MiB")
            rest, inside = b"", True
    if broken:
        yield Stretch(number, rest, broken)
    elif rest:
        yield Stretch(number, rest, "" if inside else None)
