"""A production is checked from its folder alone: what is whole passes, what was changed is named, and what is absent by choice is said."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli import door
from app.disclosure.verify import checking, cms, der, hunting
from app.disclosure.verify.checking import NoProduction, ProductionUnreadable
from app.disclosure.verify.seal import Trust
from app.index.extracting import Extractor
from tests.productions.made import Made, Remembering, edit, production, replaced
from tests.steps import packing
from tests.steps.vouching import Office

MEANS = ("sh", "xxd", "openssl", "sha256sum", "sha512sum", "base64", "expr", "comm", "find")
NEEDED = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in MEANS), reason=f"needs {', '.join(MEANS)}"
)


@pytest.fixture(scope="module")
def made(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with production(archive_template, tmp_path_factory.mktemp("production")) as told:
        yield told


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    told = Remembering()
    yield told
    told.close()


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    return made.copied(tmp_path / made.folder.name)


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# -- what is whole -----------------------------------------------------------------------------------------


def test_a_production_passes_with_everything_of_it_looked_at(made: Made, extractor: Extractor):
    report = checking.check(made.folder, extractor=extractor)
    assert report.findings == []
    wanted = {
        "documents",
        "texts",
        "natives",
        "PDF pages",
        "proofs",
        "conversations",
        "web captures",
        "logs",
        "drafts",
    }
    assert wanted | {"seals", "signatures", "timestamps", "anchors", "pages to read"} <= report.checked.keys()
    assert report.checked["documents"] == made.built.counts.documents
    files = sum(path.is_file() for path in made.folder.rglob("*"))
    told = {"outside-sha256.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt"}
    assert report.checked["files"] + len(told) + len(list(made.folder.glob("*.seal.*"))) == files
    codes = {note.code for note in report.notes}
    assert {"signed-by", "timestamped", "witnessed", "anchored", "ledger"} <= codes
    assert not codes & {"unsigned", "no-timestamp", "no-witness", "no-anchor"}


def test_what_the_reader_trusts_can_be_named(made: Made, extractor: Extractor, tmp_path: Path):
    agency, key = tmp_path / "agency.pem", tmp_path / "log.vkey"
    agency.write_bytes(made.signs.pem())
    key.write_text(made.store.ledger.verifier().line() + "\n")
    report = checking.check(made.folder, Trust([agency], [made.office.root], key), extractor=extractor)
    assert report.findings == []
    assert not any("in the folder" in note.what or "folder fits" in note.what for note in report.notes)


def test_what_the_reader_does_not_trust_is_found(made: Made, extractor: Extractor, tmp_path: Path):
    other = Office(tmp_path / "other", "Office of Time").root
    key = tmp_path / "log.vkey"
    key.write_text("harrowfalls.example/records/1+00000000+AAAA\n")
    report = checking.check(made.folder, Trust([other], [other], key), extractor=extractor)
    assert {finding.code for finding in report.findings} == {
        "signature-untrusted", "timestamp-untrusted", "key-differs",
    }  # fmt: skip


def test_a_folder_that_is_none_is_not_found(tmp_path: Path):
    with pytest.raises(NoProduction):
        checking.check(tmp_path / "nothing")


def test_a_folder_without_a_production_is_said_to_be_none(tmp_path: Path):
    report = checking.check(tmp_path)
    assert [finding.code for finding in report.findings] == ["file-missing"]


def test_nothing_is_changed_by_looking(folder: Path, extractor: Extractor):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    checking.check(folder, extractor=extractor)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


# -- what was changed --------------------------------------------------------------------------------------


def test_what_was_altered_is_named_and_its_words_are_not_believed(folder: Path, extractor: Extractor):
    (file,) = (folder / "bag/data/text/0001").glob("hf-0000007.txt")
    edit(file, lambda content: content.replace(b"Since when?", b"Since then?"))
    report = checking.check(folder, extractor=extractor)
    assert [(one.code, one.where) for one in report.findings] == [
        ("bag-altered", "bag/data/text/0001/hf-0000007.txt")
    ]
    assert "contents-not-compared" in {note.code for note in report.notes}


def test_a_flipped_bit_is_found_and_the_file_is_named(made: Made, extractor: Extractor, folder: Path):
    chance = random.Random(7)
    files = sorted(path.relative_to(made.folder) for path in made.folder.rglob("*") if path.is_file())
    sealing = [path for path in files if ".seal." in path.name]
    assert len(sealing) == 3
    for path in [*chance.sample(files, 30), *sealing * 4]:
        content = (made.folder / path).read_bytes()
        bit = chance.randrange(len(content) * 8)
        replaced(folder / path, flipped(content, bit))
        report = checking.check(folder, extractor=extractor)
        assert any(path.name in finding.where for finding in report.findings), (path, bit, report.findings)
        replaced(folder / path, content)
    assert checking.check(folder, extractor=extractor).findings == []


def test_no_bit_of_a_signature_or_timestamp_is_without_meaning(made: Made):
    signature = next(made.folder.glob("*.seal.p7s")).read_bytes()
    seal = next(made.folder.glob("*.seal.json")).read_bytes()
    token = cms.token_of(next(made.folder.glob("*.tsr")).read_bytes())

    def accepted(data: bytes, content: bytes | None) -> bool:
        try:
            told = cms.signed(data)
            if told.content is not None and content is not None:
                return False
            told.check(content if content is not None else told.content or b"")
            return not told.strangers(made.signs.chain if content is not None else [made.office_root()])
        except (cms.NotSigned, cms.Forged):
            return False

    for data, content in ((signature, seal), (token, None)):
        assert accepted(data, content)
        places = range(0, len(data) * 8, 11)
        assert [bit for bit in places if accepted(flipped(data, bit), content)] == []


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x30", b"\x30\x80\x00\x00", b"\x30\x81\x01\x00", b"\x30\x82\x00\x01\x00", b"\x30\x00\x00",
        b"\x02\x02\x00\x01", b"\x02\x02\xff\x80", b"\x02\x00", b"\x05\x01\x00", b"\x03\x00", b"\x30\x02\x02\x05", b"\x1f\x01\x00",
    ],
)  # fmt: skip
def test_what_is_no_der_is_refused(data: bytes):
    with pytest.raises(der.NotDer):
        der.read(data)


def test_the_same_shapes_in_der_are_read():
    assert der.read(b"\x30\x03\x02\x01\x00").parts()[0].integer() == 0
    assert der.read(b"\x02\x02\x00\x80").integer() == 128
    assert der.read(b"\x06\x03\x55\x04\x03").oid() == "2.5.4.3"


# -- the means that go with it -----------------------------------------------------------------------------


def by_python(folder: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, str(folder / "verify/verify.py"), str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def by_shell(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", str(folder / "verify/verify.sh"), str(folder), *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def fewer(folder: Path, *names: str) -> None:
    """Proofs of some documents only, so that a shell has less to do."""
    for path in (folder / "bag/data/proof/items").iterdir():
        if path.name not in (names or ("hf-0000007", "hf-0000010")):
            shutil.rmtree(path)


@NEEDED
def test_both_means_verify_what_was_made_and_say_the_same(made: Made, folder: Path):
    fewer(folder)
    made.seal(folder)
    code, told = by_python(folder)
    assert (code, told) == by_shell(folder)
    assert code == 0, told
    assert told.splitlines()[-1] == f"VERIFIED: {folder.name}"
    assert "proven: 1 versions of records, and the entries of 1 that are withheld" in told
    assert len(re.findall("^timestamped: ", told, flags=re.MULTILINE)) == 2
    assert len(re.findall("^witnessed: ", told, flags=re.MULTILINE)) == 1


BROKEN = {
    "a file of the bag": ("bag/data/html/index.html", "bag-altered"),
    "the seal": ("pd-2026-0001-p01.seal.json", "seal-"),
    "the signature": ("pd-2026-0001-p01.seal.p7s", "timestamp-differs"),
    "the timestamp": ("pd-2026-0001-p01.seal.p7s.tsr", "timestamp-"),
}


@NEEDED
@pytest.mark.parametrize("what", BROKEN)
def test_both_means_refuse_a_changed_file_and_say_the_same(what: str, made: Made, folder: Path):
    name, wanted = BROKEN[what]
    fewer(folder, "hf-0000010")
    made.seal(folder)
    edit(folder / name, lambda content: flipped(content, len(content) * 4))
    code, told = by_python(folder)
    other, said = by_shell(folder)
    found = [
        re.findall(r"^NOT VERIFIED: ([a-z-]+) in (.+?): ", one, flags=re.MULTILINE) for one in (told, said)
    ]
    assert found[0] == found[1]
    assert (code, other) == (6, 6)
    assert any(one.startswith(wanted) for one, _ in found[0]), found


@NEEDED
def test_both_means_find_a_file_too_many_and_a_file_too_few(made: Made, folder: Path):
    fewer(folder)
    made.seal(folder)
    (folder / "bag/data/more.txt").write_text("more")
    (folder / "verify/verify.md").unlink()
    for code, told in (by_python(folder), by_shell(folder)):
        assert code == 6
        assert "file-unknown in bag/data/more.txt" in told
        assert "file-missing in verify/verify.md" in told


@NEEDED
def test_both_means_name_a_proof_that_was_made_wrong(made: Made, folder: Path):
    fewer(folder)
    (salt,) = (folder / "bag/data/proof/items").glob("*/1/salt.hex")
    edit(salt, lambda content: bytes(reversed(content[:64])) + b"\n")
    made.seal(folder, signed=False, stamped=False)
    where = "bag/data/proof/items/hf-0000007/1/"
    for code, told in (by_python(folder), by_shell(folder)):
        assert code == 6
        line = next(line for line in told.splitlines() if "commitment-differs" in line)
        assert f"in {where}entry.json, {where}salt.hex, {where}statement.json: " in line


@NEEDED
def test_the_proof_of_what_is_withheld_is_its_entry_and_nothing_more(made: Made, tmp_path: Path):
    (item,) = (made.folder / "bag/data/proof/items/hf-0000010").iterdir()
    folder = Path(shutil.copytree(item, tmp_path / "proof"))
    for name in ("log.vkey", "witnesses.vkey"):
        shutil.copy(made.folder / "bag/data/proof" / name, folder)
    beside = made.folder / "verify"
    commands = ([sys.executable, str(beside / "proof.py")], ["sh", str(beside / "proof.sh")])

    def said(*words: str) -> list[tuple[int, str]]:
        runs = [
            subprocess.run(
                [*command, str(folder), *words], capture_output=True, text=True, timeout=60, check=False
            )
            for command in commands
        ]
        return [(run.returncode, run.stdout) for run in runs]

    (code, told), other = said("--withheld")
    assert (code, told) == other
    assert code == 0
    assert re.search(
        r"^PROVEN: record [0-9a-f]{32} version 1, withheld, is entry \d+ of \d+ in ", told, flags=re.MULTILINE
    )
    for code, told in said():
        assert (code, told.split(":")[1].split()[0]) == (6, "file-missing")
    (folder / "statement.json").write_text("{}")
    for code, told in said("--withheld"):
        assert (code, told.split(":")[1].split()[0]) == (6, "file-unknown")


@NEEDED
def test_both_means_can_be_given_what_the_reader_trusts(made: Made, folder: Path, tmp_path: Path):
    fewer(folder, "hf-0000010")
    made.seal(folder)
    agency, other = tmp_path / "agency.pem", Office(tmp_path / "other", "Office of Time").root
    agency.write_bytes(made.signs.pem())
    own = ("--agency", str(agency), "--ca", str(made.office.root))
    for run in (by_python, by_shell):
        code, told = run(folder, *own)
        assert code == 0
        assert "came with the production" not in told
        assert run(folder, "--agency", str(other), "--ca", str(other))[0] == 6


def test_they_know_no_library_but_pythons_own(made: Made):
    text = (made.folder / "verify/verify.py").read_text()
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, flags=re.MULTILINE))
    assert imported <= set(sys.stdlib_module_names)
    assert imported


# -- the hunter, on the whole of it ------------------------------------------------------------------------


def test_nothing_that_was_taken_out_is_anywhere_in_a_production_and_what_leaves_is_in_every_form(made: Made):
    words = [packing.SECRET, packing.HIDDEN, packing.KEPT_BACK, "okapi.p", "c2-okapi", "my number is 12"]
    told = hunting.hunt([*words, "The weir is closed"], made.folder)
    assert {hit.word for hit in told.hits} == {len(words)}
    where = {hit.where.removeprefix("bag/data/").partition("/")[0] for hit in told.hits}
    assert {"text", "natives", "pdf", "html", "rsmf", "wacz", "proof", "data"} <= where
    assert told.unread == []
    assert told.files == sum(path.is_file() for path in made.folder.rglob("*"))


# -- the command -------------------------------------------------------------------------------------------


def test_the_command_needs_no_archive_and_no_settings(
    made: Made, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    for name in [name for name in os.environ if name.startswith("MUNIMENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    assert door.main(["disclose", "verify", str(made.folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["findings"] == []
    assert told["production"] == made.folder.name
    assert list(tmp_path.iterdir()) == []


def test_the_command_ends_with_six_where_something_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "notes.txt").write_text("more")
    assert door.main(["disclose", "verify", str(folder), "--json"]) == 6
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding.keys() == {"code", "what", "where", "next"}
    assert (finding["code"], finding["where"]) == ("file-unknown", "notes.txt")
    assert door.main(["disclose", "verify", str(folder)]) == 6
    assert "file-unknown in notes.txt" in capsys.readouterr().out


def test_the_command_says_that_there_is_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert door.main(["disclose", "verify", str(tmp_path / "nothing")]) == 3
    assert "no-production" in capsys.readouterr().err


def test_the_command_says_that_a_certificate_cannot_be_read(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for option in ("--agency", "--ca", "--key"):
        assert door.main(["disclose", "verify", str(folder), option, str(tmp_path / "nothing.pem")]) == 2
        assert "trust-unreadable" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_no_finding(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "bag/data")

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(ProductionUnreadable):
        checking.check(folder)
