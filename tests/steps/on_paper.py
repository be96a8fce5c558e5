"""What others make of our papers: whether they are what PDF/A and PDF/UA ask for, and what is read on them."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

IN_EVERY_SCRIPT = (
    "شرطة المدينة",
    "李小龙 東京都",
    "Київська міська рада",
    "Łódź Ærø Þing",
    "עיריית חיפה",
    "नगर निगम",
    "Chief \U0001f600",
)
_READER = shutil.which("pdftotext")
needs_a_reader = pytest.mark.skipif(
    _READER is None, reason="pdftotext is not on this machine (Debian: poppler-utils)"
)
_NUMBER = re.compile(r"⟨U\+([0-9A-F]{4,6})⟩")
_MARKS = re.compile("[\u200e\u200f\u202a-\u202c\u2066-\u2069\\s]")


def is_pdf_a(content: bytes, *, part: int) -> bool:
    """Check what ISO 19005 and ISO 14289 ask most plainly, as far as can be seen without a validator."""
    reader = PdfReader(BytesIO(content))
    root: Any = reader.trailer["/Root"].get_object()
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert f"<pdfaid:part>{part}</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert "/ID" in reader.trailer
    assert "/Encrypt" not in reader.trailer
    assert not {"/AcroForm", "/AA", "/OpenAction"} & set(root)
    kinds = set(_kinds(root["/StructTreeRoot"]))
    assert {"/Document", "/H1", "/P"} <= kinds
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # as typst writes it
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)
            assert "/ToUnicode" in font.get_object()
    return True


def _kinds(node: Any) -> Iterator[str]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            yield from _kinds(one)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node["/S"]
        yield from _kinds(node.get("/K"))


def read_aloud(content: bytes) -> str:
    """The words on a paper, as another program reads them."""
    if _READER is None:
        return "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    done = subprocess.run([_READER, "-", "-"], input=content, check=True, capture_output=True, timeout=60)
    return done.stdout.decode()


def attached(content: bytes) -> dict[str, bytes]:
    """The files that lie in a paper."""
    return {name: files[0] for name, files in PdfReader(BytesIO(content)).attachments.items()}


def stands(wanted: str, told: str) -> bool:
    """Whether `wanted` stands in what was read."""
    return count_of(wanted, told) > 0


def count_of(wanted: str, told: str) -> int:
    """How often `wanted` stands in what was read: sign for sign, or by its number where no font of the machine has it.

    Of what is read from the right, the rarest of its words: the reader has its
    own order for what stands beside it.
    """
    from_right = any(unicodedata.bidirectional(char) in {"R", "AL"} for char in wanted)
    said = _joined(_NUMBER.sub(lambda found: chr(int(found[1], 16)), told))
    return min(said.count(_joined(one)) for one in (wanted.split() if from_right else [wanted]))


def _joined(text: str) -> str:
    return _MARKS.sub("", text)
