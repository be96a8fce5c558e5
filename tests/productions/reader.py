"""A stranger who has the folder alone, and takes out of it whatever can be taken out, by other means than the product's: for hunts.

Every content is taken apart down to its bottom (ZIP with names, comments and
extra fields; gzip with its name; PDF by qpdf and pdftotext; PNG and JPEG by
their parts; e-mails by the standard library), and every text is read in each
spelling that a machine would read: escapes, entities, percent, quoted-printable,
hex, base64 at each alignment, UTF-16.
"""

from __future__ import annotations

import base64
import binascii
import email
import gzip
import hashlib
import html
import io
import quopri
import re
import struct
import subprocess
import tempfile
import unicodedata
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick

Place = tuple[str, bytes]


def everything(folder: Path) -> Iterator[Place]:
    """Every name and every content of a folder, and of whatever lies in it."""
    for path in sorted(folder.rglob("*")):
        where = path.relative_to(folder).as_posix()
        yield f"{where} (name)", where.encode("utf-8", "surrogateescape")
        if path.is_file():
            yield from inside(where, path.read_bytes())


def inside(where: str, content: bytes, depth: int = 0) -> Iterator[Place]:
    assert depth < 8, where
    yield where, content
    if content[:4] == b"PK\x03\x04":
        yield from _zip(where, content, depth)
    elif content[:2] == b"\x1f\x8b":
        yield from _gzip(where, content, depth)
    elif content[:5] == b"%PDF-":
        yield from _pdf(where, content, depth)
    elif content[:8] == b"\x89PNG\r\n\x1a\n":
        yield from _png(where, content)
    elif content[:2] == b"\xff\xd8":
        yield from _jpeg(where, content)
    elif where.endswith((".rsmf", ".eml")) or content[:13] == b"MIME-Version:":
        yield from _mail(where, content, depth)
    for number, told in enumerate(re.findall(rb"data:[a-z]+/[a-z0-9.+-]+;base64,([A-Za-z0-9+/=]+)", content)):
        yield from inside(f"{where} data-{number}", base64.b64decode(told + b"=="), depth + 1)
    if content[:5] == b"WARC/":
        for number, body in enumerate(re.split(rb"\r\n\r\n", content)):
            if body[:2] in (b"\x1f\x8b", b"PK", b"\xff\xd8", b"\x89P") or body[:5] == b"%PDF-":
                yield from inside(f"{where} body-{number}", body, depth + 1)


def _zip(where: str, content: bytes, depth: int) -> Iterator[Place]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        yield f"{where} (comment)", packed.comment
        for one in packed.infolist():
            name = f"{where}!{one.filename}"
            yield f"{name} (name)", one.filename.encode("utf-8", "surrogateescape")
            yield f"{name} (comment)", one.comment
            yield f"{name} (extra)", one.extra
            yield from inside(name, packed.read(one), depth + 1)


def _gzip(where: str, content: bytes, depth: int) -> Iterator[Place]:
    """Member by member, with the name and the remark that each may bear."""
    rest, whole, number = content, b"", 0
    while rest[:2] == b"\x1f\x8b":
        flags, at = rest[3], 10
        if flags & 4:
            length = struct.unpack("<H", rest[at : at + 2])[0]
            yield f"{where} member-{number} (extra)", rest[at + 2 : at + 2 + length]
            at += 2 + length
        for flag in (8, 16):
            if flags & flag:
                end = rest.index(b"\0", at)
                yield f"{where} member-{number} (name)", rest[at:end]
                at = end + 1
        one = zlib.decompressobj(31)
        told = one.decompress(rest)
        whole += told
        rest, number = one.unused_data, number + 1
        yield from inside(f"{where} member-{number}", told, depth + 1)
    assert whole == gzip.decompress(content)


def _pdf(where: str, content: bytes, depth: int) -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name:
        file, plain = Path(name) / "in.pdf", Path(name) / "out.pdf"
        file.write_bytes(content)
        subprocess.run(["qpdf", "--qdf", "--object-streams=disable", "--decode-level=all", file, plain], check=True, capture_output=True)  # fmt: skip
        told = plain.read_bytes()
        yield f"{where} (qdf)", told
        yield f"{where} (strings)", b"\n".join(_pdf_strings(told))
        for options in ([], ["-raw"], ["-layout"]):
            shown = subprocess.run(["pdftotext", *options, file, "-"], check=True, capture_output=True).stdout
            yield f"{where} (pdftotext {options})", shown
        listed = subprocess.run(["pdftotext", "-bbox", file, "-"], check=True, capture_output=True).stdout
        yield f"{where} (bbox)", listed
        held = subprocess.run(["qpdf", "--json", "--json-key=attachments", file], check=False, capture_output=True).stdout  # fmt: skip
        yield f"{where} (attachments)", held
        for number, stream in enumerate(re.findall(rb"stream\n(.*?)\nendstream", told, re.DOTALL)):
            if (
                stream[:2] in (b"PK", b"\x1f\x8b", b"\xff\xd8")
                or stream[:5] == b"%PDF-"
                or stream[:4] == b"\x89PNG"
            ):
                yield from inside(f"{where} stream-{number}", stream, depth + 1)


def _pdf_strings(told: bytes) -> Iterator[bytes]:
    for found in re.findall(rb"<([0-9A-Fa-f\s]{4,})>", told):
        digits = re.sub(rb"\s", b"", found)
        said = binascii.unhexlify(digits + b"0" * (len(digits) % 2))
        yield said.decode("utf-16", "ignore").encode("utf-8", "surrogatepass") if said[:2] in (b"\xfe\xff", b"\xff\xfe") else said  # fmt: skip
    for found in re.findall(rb"\(((?:[^()\\]|\\.)*)\)", told, re.DOTALL):
        said = re.sub(rb"\\([0-7]{3})", lambda one: bytes([int(one[1], 8) & 255]), found)
        said = re.sub(rb"\\(.)", rb"\1", said, flags=re.DOTALL)
        yield said.decode("utf-16", "ignore").encode("utf-8", "surrogatepass") if said[:2] in (b"\xfe\xff", b"\xff\xfe") else said  # fmt: skip


def _png(where: str, content: bytes) -> Iterator[Place]:
    at = 8
    while at + 8 <= len(content):
        length = struct.unpack(">I", content[at : at + 4])[0]
        kind, body = content[at + 4 : at + 8].decode("latin-1"), content[at + 8 : at + 8 + length]
        yield f"{where} {kind}", body
        if kind in ("zTXt", "iTXt", "iCCP", "IDAT") and b"\0" in body[:80]:
            for start in range(len(body)):
                if body[start : start + 1] == b"\x78":
                    try:
                        yield f"{where} {kind} unpacked", zlib.decompress(body[start:])
                    except zlib.error:
                        continue
                    break
        at += 12 + length


def _jpeg(where: str, content: bytes) -> Iterator[Place]:
    at = 2
    while content[at : at + 1] == b"\xff" and content[at + 1] not in (0xDA, 0xD9):
        length = struct.unpack(">H", content[at + 2 : at + 4])[0]
        yield f"{where} {content[at + 1]:x}", content[at + 4 : at + 2 + length]
        at += 2 + length


def _mail(where: str, content: bytes, depth: int) -> Iterator[Place]:
    told = email.message_from_bytes(content)
    for part in told.walk():
        for name, value in part.items():
            words = email.header.decode_header(value)
            yield f"{where} {name}", b" ".join(one if isinstance(one, bytes) else one.encode() for one, _ in words)  # fmt: skip
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            yield from inside(f"{where} {part.get_content_type()} {part.get_filename()}", body, depth + 1)


def spellings(content: bytes) -> Iterator[bytes]:
    """A content in each spelling of it that may be there: itself first."""
    yield content
    text = content.decode("utf-8", "replace")
    plain = _escapes(text)
    for said in (
        html.unescape(text),
        plain,
        html.unescape(plain),
        re.sub(r"<[^<>]*>", "", html.unescape(plain)),
    ):
        if said != text:
            yield said.encode("utf-8", "replace")
    if b"%" in content:
        yield urllib.parse.unquote_to_bytes(content)
        yield urllib.parse.unquote_to_bytes(urllib.parse.unquote_to_bytes(content))
    if b"=" in content:
        yield quopri.decodestring(content)
    squeezed = re.sub(rb"\s", b"", content)
    yield squeezed
    for form in (content, squeezed) if squeezed != content else (content,):
        digits = re.findall(rb"[0-9A-Fa-f]{16,}", form)
        for start in (0, 1):
            yield b"\n".join(
                binascii.unhexlify(run[start : start + (len(run) - start) // 2 * 2]) for run in digits
            )
        runs = [
            run.translate(bytes.maketrans(b"-_", b"+/")) for run in re.findall(rb"[A-Za-z0-9+/_-]{12,}", form)
        ]
        for start in range(4):
            yield b"\n".join(base64.b64decode(run[start:] + b"A" * (-(len(run) - start) % 4)) for run in runs)


def _escapes(text: str) -> str:
    """Without the escapes of JSON, its pairs of surrogates joined."""

    def one(found: re.Match[str]) -> str:
        return chr(int(found[1], 16))

    told = re.sub(r"\\u([0-9A-Fa-f]{4})", one, text)
    told = re.sub(r"\\([\"\\/])", r"\1", told)
    return re.sub("[\ud800-\udbff][\udc00-\udfff]", lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), told)  # fmt: skip


def codings(word: str) -> set[bytes]:
    """A word as bytes, however it may be composed, cased and coded."""
    forms = {unicodedata.normalize(form, case) for form in ("NFC", "NFD", "NFKC", "NFKD") for case in (word, word.lower(), word.upper(), word.casefold(), word.title())}  # fmt: skip
    told: set[bytes] = set()
    for one in forms:
        for coding in ("utf-8", "utf-16-le", "utf-16-be", "cp1252", "utf-7"):
            try:
                told.add(one.encode(coding))
            except UnicodeEncodeError:
                continue
    return told


def met(words: Iterable[str], folder: Path) -> list[tuple[str, str]]:
    """Which of the words stand where in a folder."""
    wanted = [(word, one) for word in words for one in codings(word)]
    every = BytesAhoCorasick([one for _, one in wanted])
    seen: set[bytes] = set()
    told: set[tuple[str, str]] = set()
    for where, content in everything(folder):
        for said in spellings(content):
            digest = hashlib.blake2b(said, digest_size=16).digest()
            if digest not in seen:
                found = every.find_matches_as_indexes(said, overlapping=True)
                told |= {(wanted[one][0], where) for one, _, _ in found}
                if not found:
                    seen.add(digest)
    return sorted(told)
