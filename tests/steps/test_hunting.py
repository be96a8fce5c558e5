"""The hunter finds a withheld string in every form in which one ever leaked, and nothing where there is none."""

from __future__ import annotations

import base64
import bz2
import email.message
import email.policy
import gzip
import io
import json
import lzma
import quopri
import random
import tarfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app.disclosure.matching import LONGEST
from app.disclosure.verify import hunting
from app.disclosure.verify.hunting import Hunter, hunt_bytes

SECRET = "Þórdís Müller-Kim"
OTHER = "Somebody Else Altogether"
HIDER = Callable[[str], bytes]


def found(content: bytes, *words: str) -> set[int]:
    told = hunt_bytes(words or (SECRET,), content)
    assert told.unread == []
    return {hit.word for hit in told.hits}


def bits(word: str, coding: str = "utf-8") -> bytes:
    return word.encode(coding)


def zipped(word: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inner.txt", "much else " * 50 + word)
    return out.getvalue()


def named_in_zip(word: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(f"{word}.txt", "nothing")
    return out.getvalue()


def workbook(word: str) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["a", f"said by {word}!"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def warc(word: str) -> bytes:
    body = gzip.compress(b"x" * 200 + bits(word))
    block = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + body
    record = (
        b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: %d\r\n\r\n" % len(block) + block + b"\r\n\r\n"
    )
    return gzip.compress(record[:40]) + gzip.compress(record[40:])


def message(word: str, encoding: str) -> bytes:
    told = email.message.EmailMessage()
    told["X-RSMF-Version"] = "2.0.0"
    told["Subject"] = "a conversation"
    told.set_content(f"One line.\n{'filler ' * 20}{word}\n", cte=encoding)
    return told.as_bytes()


def rsmf(word: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("rsmf_manifest.json", json.dumps({"events": [{"body": word}]}))
    told = email.message.EmailMessage()
    told["X-RSMF-Version"] = "2.0.0"
    told["X-RSMF-Generator"] = "a test"
    told.set_content("nothing here")
    told.add_attachment(out.getvalue(), maintype="application", subtype="zip", filename="rsmf.zip")
    return told.as_bytes()


def headed(word: str) -> bytes:
    told = email.message.EmailMessage()
    told["X-RSMF-Version"] = "2.0.0"
    told["X-RSMF-Participants"] = f"Pat, {word}"
    told.set_content("nothing here")
    return told.as_bytes()


def pdf(word: str, *, narrow: bool = False) -> bytes:
    size = "width: 60mm, height: 200mm" if narrow else 'paper: "a4"'
    return typeset(f"#set page({size}); Before it #sys.inputs.word and after it", word)


def tarred(content: bytes, name: str = "a.zip") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as packed:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        packed.addfile(info, io.BytesIO(content))
    return out.getvalue()


def encoded_subject(word: str) -> bytes:
    told = email.message.EmailMessage()
    told["From"], told["Subject"] = "a@b.example", word
    told.set_content("hi")
    return told.as_bytes(policy=email.policy.SMTP.clone(cte_type="7bit"))


def pdf_title(word: str) -> bytes:
    return typeset("#set document(title: sys.inputs.word); nothing", word)


def typeset(source: str, word: str) -> bytes:
    made = typst.compile(source.encode(), format="pdf", sys_inputs={"word": word}, ignore_system_fonts=True)
    assert isinstance(made, bytes)
    return made


def png(word: str) -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", word, zip=True)
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "png", pnginfo=told)
    return out.getvalue()


def jpeg(word: str) -> bytes:
    picture = Image.new("RGB", (2, 2))
    exif = picture.getexif()
    exif[0x9C9C] = word.encode("utf-16-le")  # the comment that Windows shows
    out = io.BytesIO()
    picture.save(out, "jpeg", exif=exif)
    return out.getvalue()


FORMS: dict[str, HIDER] = {
    "as it is": lambda word: b"<<" + bits(word) + b">>",
    "in capitals": lambda word: bits(f"x {word.upper()} x"),
    "in UTF-16LE": lambda word: b"\xff\xfe" + bits(f"x {word}", "utf-16-le"),
    "in UTF-16LE, shifted by a byte": lambda word: b"." + bits(f"x {word}", "utf-16-le"),
    "in UTF-16BE": lambda word: bits(f"x {word}", "utf-16-be"),
    "in Windows-1252": lambda word: bits(f"x {word}", "cp1252"),
    "in text between other bytes": lambda word: bytes(range(32)) * 9 + bits(f"...{word}...") + bytes(range(32)) * 9,
    "in an address between other bytes": lambda word: bytes(range(32)) * 9 + urllib.parse.quote(word).encode() + b"\0" * 99,
    "in hex": lambda word: b"x" + bits(word).hex().encode(),
    "in hex capitals": lambda word: b"ABC" + bits(word).hex().upper().encode(),
    "in hex lines": lambda word: b"\n".join(bits(word).hex()[n : n + 8].encode() for n in range(0, 60, 8)),
    "in hex of UTF-16": lambda word: b"<FEFF" + bits(word, "utf-16-be").hex().upper().encode() + b">",
    "in base64": lambda word: base64.b64encode(bits(word)),
    "in base64, one further": lambda word: base64.b64encode(b"a" + bits(word) + b"bc"),
    "in base64, two further": lambda word: base64.b64encode(b"ab" + bits(word) + b"c"),
    "in base64 for addresses": lambda word: base64.urlsafe_b64encode(b"\xfb\xff" + bits(word)).rstrip(b"="),
    "in base64 of UTF-16": lambda word: base64.b64encode(bits(f"ab{word}", "utf-16-le")),
    "in base64 lines": lambda word: base64.encodebytes(b"a" * 50 + bits(word) + b"b" * 50),
    "in a disclosure": lambda word: base64.urlsafe_b64encode(json.dumps(["salt", "text", word]).encode()),
    "in an address": lambda word: b"https://a.example/?q=" + urllib.parse.quote(word).encode(),
    "in an address, every letter": lambda word: "".join(f"%{byte:02x}" for byte in bits(word)).encode(),
    "in JSON escapes": lambda word: json.dumps({"a": word}).encode(),
    "in JSON escapes, every letter": lambda word: "".join(f"\\u{ord(sign):04x}" for sign in word).encode(),
    "in entities": lambda word: "".join(f"&#{ord(sign)};" for sign in word).encode(),
    "in entities in hex": lambda word: "".join(f"&#x{ord(sign):X};" for sign in word).encode(),
    "in named entities": lambda word: bits(word.replace("Þ", "&THORN;").replace("ü", "&uuml;").replace("ó", "&oacute;").replace("í", "&iacute;")),
    "in entities in JSON": lambda word: json.dumps(word.replace("ü", "&uuml;")).encode(),
    "under tags": lambda word: bits(f"<p>{word[:4]}<b>{word[4:9]}</b>{word[9:]}</p>"),
    "over a line end": lambda word: bits(word.replace(" ", "\r\n   ")),
    "with its line end as a load file has it": lambda word: bits(word.replace(" ", "®").replace("Þ", "ÞÞ").replace("ÞÞ", "Þ")),
    "with signs written out": lambda word: bits(word.replace("-", "⟨U+002D⟩")),
    "in a workbook's escapes": lambda word: bits(word.replace("-", "_x002D_")),
    "in quoted-printable": lambda word: quopri.encodestring(bits(f"{'long ' * 13}{word}")),
    "in gzip": lambda word: gzip.compress(bits(word)),
    "in the second member of gzip": lambda word: gzip.compress(b"first") + gzip.compress(bits(word)),
    "in gzip in gzip": lambda word: gzip.compress(gzip.compress(bits(word))),
    "in a ZIP": zipped,
    "in a ZIP behind a picture": lambda word: jpeg("nobody at all") + zipped(word),
    "in a name in a ZIP": named_in_zip,
    "in bzip2": lambda word: bz2.compress(bits(f"{word} {word}")),
    "in the second member of bzip2": lambda word: bz2.compress(b"first") + bz2.compress(bits(word)),
    "in xz": lambda word: lzma.compress(bits(f"{'long ' * 999}{word}"), preset=9),
    "in lzma": lambda word: lzma.compress(bits(f"{'long ' * 999}{word}"), format=lzma.FORMAT_ALONE),
    "in zlib": lambda word: zlib.compress(bits(f"{word} {word}")),
    "in a document in a tar in bzip2": lambda word: bz2.compress(tarred(zipped(word))),
    "in a name in a tar": lambda word: tarred(b"nothing", word),
    "in an address, escaped twice": lambda word: urllib.parse.quote(urllib.parse.quote(word)).encode(),
    "in UTF-32": lambda word: f"x {word}".encode("utf-32"),
    "under tags in UTF-16": lambda word: f"<i>{word[:4]}</i>{word[4:]}".encode("utf-16"),
    "in the words of rich text": lambda word: b"{\\rtf1\\ansi " + b"\\b0 ".join(f"\\u{ord(sign)}?".encode() for sign in word) + b"}",
    "over two captions": lambda word: bits("1\n00:00:01,000 --> 00:00:02,000\n{}\n\n2\n00:00:02,000 --> 00:00:03,000\n{}\n".format(*word.split(" ", 1))),
    "in the heads of the second message of an mbox": lambda word: b"From a Mon Jan 1\nTo: b\nSubject: c\n\nhi\n\nFrom a Mon Jan 1\n" + encoded_subject(word),
    "in a workbook": workbook,
    "in a compressed answer in a WARC": warc,
    "in a message, base64": lambda word: message(word, "base64"),
    "in a message, quoted-printable": lambda word: message(word, "quoted-printable"),
    "in RSMF": rsmf,
    "in the heads of RSMF": headed,
    "in a stream of a PDF": lambda word: b"%PDF-1.7\n1 0 obj <<>> stream\n" + zlib.compress(bits(word)) + b"\nendstream endobj",
    "on a page of a PDF": pdf,
    "on two lines of a PDF": lambda word: pdf(word, narrow=True),
    "in the title of a PDF": pdf_title,
    "in a picture's compressed remark": png,
    "in a picture's EXIF": jpeg,
}  # fmt: skip
ASCII_ONLY = {"in a picture's compressed remark"}
UNREADABLE = {"in a stream of a PDF"}


@pytest.mark.parametrize("form", FORMS)
def test_it_finds_a_string(form: str):
    word = "Thordis Muller-Kim" if form in ASCII_ONLY else SECRET
    told = hunt_bytes([OTHER, word], FORMS[form](word))
    assert {hit.word for hit in told.hits} == {1}
    assert bool(told.unread) == (form in UNREADABLE)


@pytest.mark.parametrize(
    "content",
    [
        b"7z\xbc\xaf\x27\x1c" + bytes(60), b"Rar!\x1a\x07\x01\0" + bytes(60), b"\x28\xb5\x2f\xfd" + bytes(20),
        bz2.compress(b"words" * 99)[:-9], lzma.compress(b"words" * 99)[:-9], zlib.compress(b"words" * 99)[:-9],
        tarred(b"words" * 999)[:2000],
    ],
    ids=["7z", "RAR", "Zstandard", "half of bzip2", "half of xz", "half of zlib", "half of a tar"],
)  # fmt: skip
def test_an_archive_that_cannot_be_opened_is_not_clean(content: bytes):
    told = hunt_bytes([SECRET], content)
    assert (told.hits, bool(told.unread), told.clean) == ([], True, False)


def test_letters_that_begin_as_an_archive_does_are_letters():
    for content in (
        b"x\x9cis no zlib",
        b"x^2 + y^2 = z^2",
        b"]\0\0\x10\0" + b"\xff" * 8 + b"is no lzma",
        b"From here on:",
    ):
        assert hunt_bytes([SECRET], content).clean


@pytest.mark.parametrize("form", FORMS)
def test_it_finds_nothing_where_another_stands(form: str):
    word = "Somebody Else" if form in ASCII_ONLY else OTHER
    told = hunt_bytes([SECRET], FORMS[form](word))
    assert told.hits == []


def test_it_searches_every_file_and_every_name_of_a_folder(tmp_path: Path):
    (tmp_path / "a" / SECRET).mkdir(parents=True)
    (tmp_path / "a" / SECRET / "plain.txt").write_text("nothing")
    (tmp_path / "b.txt").write_text(f"here is {SECRET}")
    (tmp_path / "c.txt").write_text("nothing either")
    told = hunting.hunt([SECRET], tmp_path)
    assert [(hit.word, hit.where) for hit in told.hits] == [(0, f"a/{SECRET}"), (0, "b.txt")]
    assert (told.files, told.words, told.clean) == (3, 1, False)
    assert hunting.hunt([OTHER], tmp_path).clean


def test_a_report_never_says_the_string(tmp_path: Path):
    (tmp_path / "b.txt").write_text(f"here is {SECRET}")
    told = hunting.hunt([SECRET], tmp_path)
    assert told.hits
    assert SECRET not in repr(told)


def test_what_cannot_be_read_is_said_and_is_not_clean(tmp_path: Path):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 5000)[:-20])
    (tmp_path / "link").symlink_to(tmp_path / "cut.gz")
    told = hunting.hunt([SECRET], tmp_path)
    assert [one.where for one in told.unread] == ["cut.gz", "link"]
    assert not told.clean


def test_a_short_string_is_counted_and_not_looked_for():
    hunter = Hunter(["abc", " ab ", "abcd"])
    assert (hunter.count, hunter.too_short) == (1, 2)
    assert [word for word, _ in hunter.content(b"abc ab abcd")] == [2]


SHORT = {
    "a word": b"it was Anna, they say",
    "at its ends": b"Anna",
    "in capitals": b"ANNA!",
    "in a remark": b"<b>Anna</b>",
    "in base64": base64.b64encode(b"it was Anna, they say"),
    "in UTF-16": "it was Anna".encode("utf-16-le"),
    "in entities": b"&#65;nn&#97;",
    "in an escape": b'{"name": "\\u0041nna"}',
}


@pytest.mark.parametrize("form", SHORT)
def test_a_string_of_four_letters_is_found_where_it_is_a_word(form: str):
    assert found(SHORT[form], "Anna") == {0}


def test_a_string_of_four_letters_is_found_in_what_a_picture_tells():
    for content in (picture_saying("Anna", "png"), picture_saying("Anna", "jpeg")):
        assert found(content, "Anna") == {0}
        assert found(content, "Otto") == set()


def picture_saying(word: str, form: str) -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (90, 90), (9, 99, 199))
    if form == "png":
        told = PngImagePlugin.PngInfo()
        told.add_text("Author", word)
        picture.save(out, "png", pnginfo=told)
    else:
        exif = picture.getexif()
        exif[0x013B] = word
        picture.save(out, "jpeg", exif=exif)
    return out.getvalue()


def test_a_string_of_four_letters_is_not_met_by_chance():
    chance = random.Random(4)
    noise = chance.randbytes(100_000)
    told = b"\n".join((base64.encodebytes(noise), noise.hex().encode(), zlib.compress(noise)))
    told += b" 0123beef4567 01a1fc99-beef-7348-cafe-bdc97c8c9253 QAnna9 xAb12= Ottoman "
    words = ["Anna", "Otto", "beef", "cafe", "Ab12", "f00d"]
    assert found(noise + b"\x00Anna\x01", *words) == set()
    assert found(told, *words) == set()
    assert found(told + b" beef-steak ", *words) == {2}


def test_a_long_string_is_found_where_it_was_cut_off():
    long = "".join(f"sentence {number}. " for number in range(200))
    assert found(long[: LONGEST + 20].encode(), long) == {0}
    assert found(long[-LONGEST - 20 :].encode(), long) == {0}
    assert found(long[: LONGEST // 2].encode(), long) == set()


def test_a_string_over_the_edge_of_what_is_read_at_once_is_found():
    before = b"." * ((4 << 20) - 7)
    assert found(before + bits(SECRET) + b"." * 100) == {0}


def test_each_of_many_strings_is_told_apart():
    words = [f"person number {number:05d}" for number in range(3000)]
    content = " ".join(words[::7]).encode()
    assert found(content, *words) == set(range(0, 3000, 7))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    word=st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")),
        min_size=8,
        max_size=40,
    ),
    before=st.binary(max_size=9),
)
def test_no_form_hides_any_string(word: str, before: bytes):
    plain = {
        "raw": before + b" " + bits(word),
        "utf-16": bits(word, "utf-16-le"),
        "hex": bits(word).hex().encode(),
        "base64": base64.b64encode(before + bits(word) + b"tail"),
        "url": urllib.parse.quote(word).encode(),
        "gzip": gzip.compress(bits(word)),
    }
    for name, content in plain.items():
        assert {one.word for one in hunt_bytes([word], content).hits} == {0}, name
