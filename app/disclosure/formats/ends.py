"""Whether a file holds nothing but what it is: programs that read ZIP and PDF look for their ends, and pass over what stands before, between and behind."""

from __future__ import annotations

import re
import zipfile
from typing import IO

_LOCAL, _END = 30, 22
_END_LARGE = 56 + 20
"""What stands before the end of a ZIP that is too large for its fields."""
_PDF_END = re.compile(rb"startxref\r?\n[0-9]{1,20}\r?\n%%EOF\r?\n?\Z")


def of_zip(packed: zipfile.ZipFile) -> str:
    """What is in a ZIP beside its files and its list of them; empty where nothing is."""
    file = packed.fp
    assert file is not None
    place = 0
    for one in sorted(packed.infolist(), key=lambda info: info.header_offset):
        if one.header_offset != place or one.flag_bits & 8:
            return f"something stands before {one.filename} that is none of its files"
        place += _LOCAL + _lengths(file, place) + one.compress_size
    size = file.seek(0, 2)
    file.seek(max(0, size - _END))
    end = file.read(_END)
    if packed.start_dir != place or not end.startswith(b"PK\x05\x06") or end[-2:] != b"\0\0":
        return "something stands before or behind the list of its files"
    length = int.from_bytes(end[12:16], "little")
    large = length == 0xFFFFFFFF or end[16:20] == b"\xff" * 4 or end[10:12] == b"\xff" * 2
    if not large and place + length + _END != size:
        return "something stands behind the list of its files"
    if large and size - place < _END_LARGE + _END:
        return "its list of files is cut"
    return ""


def _lengths(file: IO[bytes], place: int) -> int:
    """How long name and further fields of a file are, where it begins."""
    file.seek(place + 26)
    told = file.read(4)
    return int.from_bytes(told[:2], "little") + int.from_bytes(told[2:], "little")


def of_pdf(document: bytes) -> str:
    """What is in a PDF beside the one document that was written; empty where nothing is."""
    if not document.startswith(b"%PDF-"):
        return "something stands before it"
    if _PDF_END.search(document[-64:]) is None:
        return "something stands behind it"
    if document.count(b"startxref") != 1:
        return "something was written into it after it was made"
    return ""
