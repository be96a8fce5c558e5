"""Somebody who means ill, has the folder and can seal it anew in their own name: what they take out, put beside or write otherwise is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from app.disclosure.formats import table
from app.disclosure.package.recipe import USUAL, Form
from app.disclosure.verify import checking
from app.disclosure.verify.seal import Trust
from app.index.extracting import Extractor
from app.records.clock import FixedClock
from app.store import Store
from app.store.canonical import canonical
from connectors.contract import Author, Kind, Observation
from tests.productions.bad.table import (
    DATA,
    LONG,
    PROOF,
    REDACTED,
    WHOLE,
    WITHHELD,
    alone,
    changed,
    item,
    mistaken,
    put,
    row,
    sealed_as_it_lies,
)
from tests.productions.made import Made, edit, pem, rebag, replaced
from tests.steps.packing import Town, lay
from tests.steps.scripted import listing
from tests.steps.test_capture import World

Forgery = Callable[[Path], object]
NUMBER = "pd-2026-0001-p01"
SEAL, SIGNATURE = f"{NUMBER}.seal.json", f"{NUMBER}.seal.p7s"


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Town:
    return lay(World(store, clock))


def said_by_all(
    folder: Path, means: Path, extractor: Extractor, trust: Trust | None = None
) -> dict[str, list[tuple[str, str]]]:
    """The code and the place of everything that each of the three finds; nothing where one says that all is well."""
    trust = trust or Trust()
    words = [word for file in trust.agency for word in ("--agency", str(file))]
    words += [word for file in trust.authorities for word in ("--ca", str(file))]
    words += ["--key", str(trust.key)] if trust.key else []
    report = checking.check(folder, trust, extractor=extractor)
    told = {"muniment": [(one.code, one.where) for one in report.findings]}
    programs = {"verify.py": sys.executable, "verify.sh": "sh" if shutil.which("xxd") else ""}
    for name, program in programs.items():
        if program:
            command = [program, str(means / "verify" / name), str(folder), *words]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            lines = [line.split(": ")[1].split(" in ") for line in done.stdout.splitlines() if line.startswith("NOT VERIFIED")]  # fmt: skip
            assert done.returncode == (6 if lines else 0), done.stdout + done.stderr
            told[name] = [(code, where) for code, where in lines]
    return told


def copied(made: Made, to: Path) -> Path:
    return made.copied(to / made.folder.name)


def unproven(folder: Path) -> None:
    """As if it had been asked for without proofs, and sealed anew by nobody."""
    shutil.rmtree(folder / "bag/data/proof")
    rebag(folder)
    sealed_as_it_lies(folder)


def named(made: Made, folder: Path) -> Trust:
    """What a reader got from its owners by another way."""
    agency, authority, key = (folder / name for name in ("agency.pem", "authority.pem", "log.vkey"))
    agency.write_bytes(pem(list(made.signs.chain)))
    authority.write_bytes(made.office.root.read_bytes())
    key.write_bytes((made.folder / "trust/log.vkey").read_bytes())
    return Trust(agency=(agency,), authorities=(authority,), key=key)


# -- the seal, and what is over it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (f"{NUMBER}.seal.tsr", "file-unknown"),
        (f"{NUMBER}.seal.p7s.0.tsr", "file-unknown"),
        (f"{NUMBER}.seal.p7s.1.tsr", "file-unknown"),
        (f"{NUMBER}.seal.p7s.02.tsr", "file-unknown"),
        (f"{NUMBER}.seal.p7s.3.tsr", "file-missing"),
    ],
)
def test_a_file_called_like_a_timestamp_that_is_over_nothing_is_found(
    name: str, place: str, made: Made, extractor: Extractor, tmp_path: Path
):
    folder = copied(made, tmp_path)
    shutil.copyfile(folder / f"{SIGNATURE}.tsr", folder / name)
    where = name if place == "file-unknown" else f"{SIGNATURE}.2.tsr"
    for means, told in said_by_all(folder, made.folder, extractor).items():
        assert (place, where) in told, means


def test_a_signature_that_was_taken_away_with_its_timestamps_is_missed_by_its_certificate(
    made: Made, extractor: Extractor, tmp_path: Path
):
    folder = copied(made, tmp_path)
    for file in folder.glob(f"{SIGNATURE}*"):
        file.unlink()
    for means, told in said_by_all(folder, made.folder, extractor).items():
        assert told == [("file-missing", SIGNATURE)], means


@pytest.mark.parametrize(
    ("who", "forgery", "where"),
    [
        ("agency", sealed_as_it_lies, SIGNATURE),
        ("authorities", unproven, f"{NUMBER}.seal.tsr"),
        ("key", unproven, "bag/data/proof/checkpoint"),
    ],
)
def test_whoever_is_named_and_vouches_for_nothing_is_missed(
    who: str, forgery: Forgery, where: str, made: Made, extractor: Extractor, tmp_path: Path
):
    whole = named(made, tmp_path)
    trust = Trust(**{who: getattr(whole, who)})
    folder = copied(made, tmp_path / "copy")
    told = said_by_all(folder, made.folder, extractor, trust)
    assert not any(told.values())
    forgery(folder)
    for means, found in said_by_all(folder, made.folder, extractor, trust).items():
        assert ("file-missing", where) in found, means


def test_a_seal_of_a_day_that_never_was_is_refused_by_all(made: Made, extractor: Extractor, tmp_path: Path):
    folder = copied(made, tmp_path)
    told = json.loads((folder / SEAL).read_bytes())
    body = (folder / SEAL).read_bytes().replace(told["made_at"].encode(), b"2026-13-45T25:61:61Z")
    replaced(folder / SEAL, body)
    for means, found in said_by_all(folder, made.folder, extractor).items():
        assert ("seal-form", SEAL) in found, means


def test_the_entry_of_another_version_in_a_versions_place_is_found_by_all(
    made: Made, extractor: Extractor, tmp_path: Path
):
    def twice(folder: Path) -> None:
        shutil.rmtree(folder / item(LONG, 2))
        shutil.copytree(folder / item(LONG, 1), folder / item(LONG, 2))

    folder = copied(made, tmp_path)
    mistaken(twice)(made, folder)
    told = said_by_all(folder, made.folder, extractor)
    assert told.pop("muniment") == [("commitment-differs", item(LONG, 2).as_posix())]
    where = (item(LONG, 2) / "entry.json").as_posix()
    assert all(found == [("version-differs", where)] for found in told.values())


@pytest.mark.parametrize(
    ("name", "code"), [("trust/witnesses.vkey", "key-differs"), (PROOF / "history/19", "proof-unknown")]
)
def test_a_list_of_witnesses_or_a_file_that_belongs_to_no_proof_is_found(
    name: str | Path, code: str, made: Made, extractor: Extractor, tmp_path: Path
):
    told = found(made, extractor, copied(made, tmp_path), put(name))
    assert [one for one, _ in told] == [code]


# -- what the tables say -----------------------------------------------------------------------------------


def found(
    made: Made, extractor: Extractor, folder: Path, *changes: Callable[[Path], None]
) -> list[tuple[str, str]]:
    """What is found after changes of the maker's, who seals them."""
    for change in changes:
        mistaken(change)(made, folder)
    return [(one.code, one.where) for one in checking.check(folder, extractor=extractor).findings]


ROWS = [
    (WHOLE, "AUTHOR", "Somebody else"),
    (WHOLE, "AUTHOR_ID", "7"),
    (WHOLE, "PERMALINK", "https://elsewhere.example/"),
    (WHOLE, "NATIVE_ID", "c77"),
    (WHOLE, "DOCTYPE", "post"),
    (WHOLE, "DATESENT", "2020-01-01"),
    (WHOLE, "TIMESENT", "11:11:11"),
    (WHOLE, "TIMEZONE", "Asia/Tokyo"),
    (WHOLE, "VISIBILITY", "gone"),
    (WHOLE, "TITLE", "Another"),
    (WHOLE, "TEXT_SNIPPET", "Since then?"),
    (WHOLE, "DATE_LASTSEEN", "2030-01-01T00:00:00Z"),
    (WHOLE, "ORIGIN", "received"),
    (WHOLE, "VERSION_COUNT", "7"),
    (WHOLE, "MD5HASH", "0" * 32),
    (WHOLE, "FILENAME", "hf-0000009.json"),
    (WHOLE, "GROUPID", "HF-0000012"),
    (WHOLE, "REPLYTODOC", "HF-0000012"),
    (WHOLE, "PRODUCTION", "PD-2026-0001-P02"),
    (WHOLE, "VOLUME", "VOL009"),
    (WHOLE, "LOG_SIZE", "999"),
    (WHOLE, "BEGATTACH", "HF-0000099"),
    (WHOLE, "REPLACES", "PD-2020-0001-P01"),
    (WHOLE, "PROOFPATH", ""),
    (REDACTED, "AUTHOR", "Pat"),
    (REDACTED, "PERMALINK", "https://blog.example/2026/weir#c2"),
    (REDACTED, "DATESENT", "2020-01-01"),
    (REDACTED, "REDACTED", "N"),
    (REDACTED, "PROPERTIES", ""),
]


@pytest.mark.parametrize(("document", "column", "value"), ROWS, ids=lambda one: one or "nothing")
def test_a_row_that_says_otherwise_in_every_table_is_found(
    document: str, column: str, value: str, made: Made, extractor: Extractor, tmp_path: Path
):
    told = found(
        made, extractor, copied(made, tmp_path), alone("csv", row("csv", document, **{column: value}))
    )
    assert ("row-differs", document.upper()) in told


@pytest.mark.parametrize("column", ["DATESENT", "LANGUAGE", "HASHTAGS", "COUNTS", "VISIBILITY", "MD5HASH"])
def test_a_row_of_what_is_withheld_says_nothing_of_it(
    column: str, made: Made, extractor: Extractor, tmp_path: Path
):
    change = alone("csv", row("csv", WITHHELD, **{column: "1"}))
    assert ("withheld-shown", WITHHELD.upper()) in found(made, extractor, copied(made, tmp_path), change)


@pytest.mark.parametrize("column", ["TEXTPATH", "PDFPATH", "NATIVEPATH", "PROOFPATH", "ATTACHPATHS"])
@pytest.mark.parametrize("path", [r".\text\..\..\bagit.txt", "/etc/hostname", r"..\x", r".\text\\x"])
def test_a_path_that_leads_out_is_found_and_breaks_nothing_off(
    column: str, path: str, made: Made, extractor: Extractor, tmp_path: Path
):
    change = alone("csv", row("csv", WHOLE, **{column: path}))
    assert ("path-missing", WHOLE.upper()) in found(made, extractor, copied(made, tmp_path), change)


def test_a_proof_that_no_row_names_is_found(made: Made, extractor: Extractor, tmp_path: Path):
    def another(folder: Path) -> None:
        shutil.copytree(folder / item(WHOLE).parent, folder / item("hf-0000099").parent)

    assert found(made, extractor, copied(made, tmp_path), another) == [
        ("path-unlisted", "bag/data/proof/items")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("left_out", [1]),
        ("left_out", "nothing"),
        ("left_out", None),
        ("pages", [{"id": "../../../trust/x", "released": 6, "withheld": 1}]),
        ("pages", [{"id": 1, "released": 6, "withheld": 1}]),
        ("profile", "nobody"),
        ("recipe", None),
    ],
)
def test_an_account_that_nobody_can_have_written_is_refused(
    name: str, value: object, made: Made, extractor: Extractor, tmp_path: Path
):
    def change(folder: Path) -> None:
        content = json.loads((folder / DATA / "production.json").read_bytes())
        (content["recipe"] if name == "profile" else content)[name] = value
        replaced(folder / DATA / "production.json", canonical(content))

    where = (DATA / "production.json").as_posix()
    assert found(made, extractor, copied(made, tmp_path), change) == [("production-form", where)]


# -- what stands beside, before and behind ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("pdf/0001/hf-0000007.pdf", "pdf-form"),
        ("images/0001/hf-0000006.pdf", "pdf-form"),
        ("cert/system-description.pdf", "pdf-form"),
        ("wacz/*.wacz", "wacz-form"),
        ("data/vol001.xlsx", "loadfile-form"),
    ],
)
@pytest.mark.parametrize("behind", [True, False], ids=["behind", "before"])
def test_bytes_that_programs_pass_over_are_found(
    pattern: str, code: str, behind: bool, made: Made, extractor: Extractor, tmp_path: Path
):
    folder = copied(made, tmp_path)
    (file,) = (folder / DATA).glob(pattern)
    where = file.relative_to(folder).as_posix()

    def change(_folder: Path) -> None:
        edit(file, lambda content: content + b"more" if behind else b"more" + content)

    assert (code, where) in found(made, extractor, folder, change)


def test_a_pdf_that_was_added_to_is_found(made: Made, extractor: Extractor, tmp_path: Path):
    name = DATA / f"pdf/0001/{WHOLE}.pdf"

    def added(folder: Path) -> None:
        edit(folder / name, lambda content: content + b"\nstartxref\n0\n%%EOF\n")

    assert found(made, extractor, copied(made, tmp_path), added) == [("pdf-form", name.as_posix())]


def test_other_words_on_a_page_to_read_are_found(made: Made, extractor: Extractor, tmp_path: Path):
    name = DATA / "html/hf-0000005.html"
    for number, (old, new) in enumerate([(b"Since when?", b"Since then?"), (b"<article", b"<section")]):
        told = found(made, extractor, copied(made, tmp_path / str(number)), changed(name, old, new))
        assert ("html-form", name.as_posix()) in told


@pytest.mark.parametrize(
    ("log", "old", "new"), [("redaction", b",P-1,", b",P-9,"), ("withheld", b",A-C,", b",P-1,")]
)
def test_another_ground_in_a_log_than_in_the_tables_is_found(
    log: str, old: bytes, new: bytes, made: Made, extractor: Extractor, tmp_path: Path
):
    name = DATA / f"logs/{log}-log.csv"
    told = found(made, extractor, copied(made, tmp_path), changed(name, old, new))
    assert told == [("log-differs", name.as_posix())]


def test_a_gap_that_is_left_out_is_found(made: Made, extractor: Extractor, tmp_path: Path):
    def listed(folder: Path) -> None:
        edit(folder / DATA / "logs/gaps.csv", lambda content: content.splitlines(keepends=True)[0])

    def proven(folder: Path) -> None:
        edit(folder / PROOF / "completeness/gaps.jsonl", lambda _content: b"")

    for number, change in enumerate((listed, proven)):
        told = found(made, extractor, copied(made, tmp_path / str(number)), change)
        assert {code for code, _ in told} == {"completeness-differs"}


def test_a_capture_beyond_the_checkpoint_is_found(made: Made, extractor: Extractor, tmp_path: Path):
    def further(folder: Path) -> None:
        (file,) = (folder / PROOF / "completeness").glob("*.captures.txt")
        edit(file, lambda content: content + b"999 " + b"0" * 64 + b"\n")

    told = found(made, extractor, copied(made, tmp_path), further)
    assert [code for code, _ in told] == ["completeness-differs"]


# -- what is as it was made, however odd -------------------------------------------------------------------

ODD = [
    "up\vand\fdown",
    "one\u2028two\u2029three\x85four",
    "a\x00b\x14c®dþ\x1b[31m",
    "\u202eturned\u202c \ufeff\u200b=1+1",
    "\r=1+1; and\tmore",
    "'=1",
    "Z" + "\u0335" * 40,
    "  spaced   out  ",
    "<b>bold</b> &amp; &lt;script&gt;",
    "👩‍👩‍👧‍👦 👍🏽 🏴‍☠️",
    "السلام عليكم 123 שלום",
    "ไทยไม่มีช่องว่าง क्षत्रिय 漢字かな",
    "half \ud83d of one",
    "\ufe0f\u0301 begins with a mark",
    "long " * 4000,
    "",
]


def test_whatever_people_write_every_form_of_it_is_accepted(
    town: Town, clock: FixedClock, tmp_path: Path, extractor: Extractor
):
    """A check that knows more must not find fault with what was made rightly."""
    names = [f"odd{number}" for number in range(len(ODD))]
    for name, words in zip(names, ODD, strict=True):
        town.world.capture(
            listing(
                clock,
                Observation(
                    native_id=name,
                    kind=Kind.POST,
                    text=words,
                    author=Author(id=name, name=words[:200] or None, handle=words[:50] or None),
                    extra={"title": words[:300]},
                    counts={"likes": 3, "odd;name": 1},
                ),
            )
        )
    for number, profile in enumerate(("relativity", "everlaw", "doj-antitrust", "sec", "ftc")):
        recipe = town.recipe(forms=USUAL - {Form.PDF, Form.IMAGES, Form.PROOFS, Form.COMPLETENESS}, checkpoint=0, profile=profile)  # fmt: skip
        built = town.produce(tmp_path / str(number), recipe, town.items([town.key(name) for name in names]))
        assert checking.check(built.folder, extractor=extractor).findings == []


def test_a_table_of_an_earlier_edition_is_still_read():
    values = ("HF-0000005", "1;14", "=1", "two\nlines", 'a "word"', "\u200b=1", "tab\there")
    lines = b'\xef\xbb\xbfA,B,C,D,E,F,G\r\nHF-0000005,1;14,\'=1,"two\nlines","a ""word""",\xe2\x80\x8b=1,tab\there\r\n'
    (told,) = table.read(BytesIO(lines), "vol001.csv").rows
    assert told.values == values
