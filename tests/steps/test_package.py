"""The package of a production: everything that was asked for, nothing that was taken out, and whoever is handed it can check it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from warcio.archiveiterator import ArchiveIterator

from app import main
from app.disclosure.formats import dat, opt, table
from app.disclosure.package.building import Built
from app.disclosure.package.recipe import recalled
from app.disclosure.package.sealing import Signer
from app.disclosure.verify import checking, hunting
from app.records.clock import FixedClock
from app.store import anchors, bag, merkle
from app.store.anchors import Authority, authorities
from tests.archives import close, settings_at
from tests.steps.packing import HIDDEN, KEPT_BACK, SECRET, Town, certificates, lay, picture
from tests.steps.test_capture import World
from tests.steps.vouching import Office, TimestampServer, asking, serving

WITHHELD_WORDS = [SECRET, HIDDEN, KEPT_BACK, "okapi.p", "c2-okapi", "my number is 12"]


@dataclass(frozen=True)
class Produced:
    """A production of everything, signed and timestamped, and what it was made of."""

    town: Town
    built: Built
    office: Office
    signer: Signer
    authorities: list[Authority]

    @property
    def folder(self) -> Path:
        return self.built.folder

    @property
    def data(self) -> Path:
        return self.folder / "bag" / "data"

    def begins(self, name: str) -> str:
        """How the document of a record begins, as its files are named."""
        key = self.town.key(name)
        (first,) = [one.first for one in self.built.given() if one.key == key]
        return f"hf-{first:07d}"


@pytest.fixture(scope="module")
def produced(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Produced]:
    folder = tmp_path_factory.mktemp("produced")
    clock = FixedClock(datetime.now(UTC).replace(microsecond=0))  # openssl timestamps with no other
    store = main.open_store(settings_at(shutil.copytree(archive_template, folder / "home")), clock)
    town = lay(World(store, clock))
    office = Office(folder / "authority", "Office of Time")
    server = TimestampServer(office)
    signer = certificates(folder / "agency")
    with serving(server), asking() as ask:
        asked = authorities(server.setting)
        clock.at = datetime.now(UTC)
        anchors.anchor(store, asked, ask, by=None, why="test")
        built = town.produce(folder / "out", signer=signer, authorities=asked, ask=ask)
    yield Produced(town, built, office, signer, asked)
    close(store)


# -- what is in it -----------------------------------------------------------------------------------------


def test_a_production_checks_itself_and_has_no_findings(produced: Produced):
    told = checking.check(produced.folder)
    assert told.findings == []
    assert told.checked["documents"] == produced.built.counts.documents == 7


def test_no_word_that_was_taken_out_or_kept_back_is_anywhere_in_it(produced: Produced):
    told = hunting.hunt(WITHHELD_WORDS, produced.folder)
    assert (told.hits, told.unread) == ([], [])
    assert told.files > 60


def test_the_hunt_would_have_found_what_does_leave(produced: Produced):
    assert hunting.hunt(["Says who?"], produced.folder).hits


def test_its_counts_are_those_of_what_was_selected(produced: Produced):
    counts = produced.built.counts
    assert (counts.documents, counts.released, counts.redacted, counts.withheld) == (7, 6, 2, 1)
    assert (counts.versions, counts.attachments, counts.compared, counts.kept_back) == (7, 1, 3, 1)
    assert counts.pages == sum(one.pages for one in produced.built.given())
    assert produced.built.next == counts.pages + 1


def test_the_numbers_are_for_the_rows_of_whoever_asked(produced: Produced):
    keys = [one.key for one in produced.built.given()]
    assert keys == produced.town.keys()


def test_every_document_is_a_pdf_of_as_many_pages_as_it_has_numbers_each_stamped(produced: Produced):
    for one in produced.built.given():
        pdf = PdfReader(produced.data / "pdf" / "0001" / f"hf-{one.first:07d}.pdf")
        assert len(pdf.pages) == one.pages
        for place, page in enumerate(pdf.pages):
            assert f"HF-{one.first + place:07d}" in page.extract_text()


def test_load_file_table_and_pages_name_the_same_documents_and_every_path_leads_to_a_file(produced: Produced):
    with (produced.data / "data/vol001.dat").open("rb") as file:
        told = dat.read(file, "dat")
        rows = [dict(zip(told.columns, row.values, strict=True)) for row in told.rows]
    with (produced.data / "data/vol001.csv").open("rb") as file:
        assert [row.values[0] for row in table.read(file, "csv").rows] == [row["BEGDOC"] for row in rows]
    with (produced.data / "data/vol001.opt").open("rb") as file:
        assert [one.pages[0].number for one in opt.read(file, "opt")] == [row["BEGDOC"] for row in rows]
    paths = [value for row in rows for name, value in row.items() if name.endswith("PATH") and value]
    assert paths
    for path in paths:
        assert (produced.data / path.removeprefix(".\\").replace("\\", "/")).exists(), path


def test_what_leaves_whole_has_native_files_and_what_does_not_has_none(produced: Produced):
    natives = {file.name.split(".")[0] for file in (produced.data / "natives/0001").iterdir()}
    assert natives == {produced.begins(name) for name in ("p1", "c1", "c4", "c5")} | {
        produced.begins("p1") + "-1"
    }
    assert (produced.data / "natives/0001" / (produced.begins("p1") + "-1.png")).read_bytes() == picture()


def test_the_production_says_what_it_was_made_by_and_what_it_has_not(produced: Produced):
    told = json.loads((produced.data / "production.json").read_bytes())
    assert recalled(told["recipe"]).number == "PD-2026-0001-P01"
    assert told["counts"]["withheld"] == 1
    assert {one["what"] for one in told["left_out"]} == {"disposals", "cosignatures"}


def test_the_logs_say_on_what_ground_and_by_whom(produced: Produced):
    def rows(name: str) -> list[dict[str, str]]:
        with (produced.data / "logs" / name).open("rb") as file:
            told = table.read(file, name)
            return [dict(zip(told.columns, row.values, strict=True)) for row in told.rows]

    assert {(one["CODE"], one["REDACTED_BY"]) for one in rows("redaction-log.csv")} == {("P-1", "Ada Clerk")}
    (kept,) = rows("withheld-log.csv")
    (claimed,) = rows("privilege-log.csv")
    assert kept["COMMITMENT"] == claimed["COMMITMENT"] != ""
    assert (claimed["PRIVILEGE_BASIS"], claimed["ATTORNEY"]) == ("Attorney-client privilege", "Bo Attorney")
    assert [one["WHAT"] for one in rows("gaps.csv")] == ["page 2"]


def test_the_papers_are_drafts_and_leave_to_a_person_what_only_a_person_can_say(produced: Produced):
    def words(file: Path) -> str:
        return " ".join("".join(page.extract_text() for page in PdfReader(file).pages).split())

    draft = words(produced.data / "cert/902-certification.pdf")
    for part in ("DRAFT, NOT SIGNED", "902(14)", "28 U.S.C. § 1746", "____", "What is not claimed"):
        assert part in draft
    digest = hashlib.sha256((produced.data / "data/vol001.csv").read_bytes()).hexdigest()
    assert digest in draft.replace(" ", "")
    (earlier,) = (produced.data / "proof/history").iterdir()
    assert f"Existed by Attested by {earlier.name} 20" in draft
    assert "the server was busy" in words(produced.data / "cert/fixity-and-incidents.pdf")
    assert "What it sees" in words(produced.data / "cert/system-description.pdf")
    assert "HF-0000001" in words(produced.folder / "read-me-first.pdf")


# -- the web captures --------------------------------------------------------------------------------------


def warc_records(produced: Produced) -> list[tuple[str, bytes]]:
    (file,) = (produced.data / "wacz").iterdir()
    with zipfile.ZipFile(file) as package:
        (name,) = [one for one in package.namelist() if one.endswith(".warc.gz")]
        content = package.read(name)
    return [(one.rec_type, one.content_stream().read()) for one in ArchiveIterator(BytesIO(content))]


def test_web_captures_hold_the_bytes_of_whole_records_and_holes_for_everything_else(produced: Produced):
    told = warc_records(produced)
    assert {kind for kind, _ in told} == {"warcinfo", "conversion", "resource", "metadata"}
    bodies = [body for kind, body in told if kind == "conversion"]
    assert len(bodies) == 2
    for body in bodies:
        assert b"\0" in body
        assert b"The weir is" in body
        assert b"Poor you" not in body, "it answers what is withheld, and its bytes name that"
    holes = [json.loads(body) for kind, body in told if kind == "metadata" and b'"holes"' in body]
    assert all(hole["why"] == "not part of this production" for one in holes for hole in one["holes"])


def test_web_captures_show_attachments_and_renderings_of_whole_records(produced: Produced):
    resources = [body for kind, body in warc_records(produced) if kind == "resource"]
    assert picture() in resources
    assert any(b"Since when?" in body for body in resources)


# -- proofs ------------------------------------------------------------------------------------------------


def proof(produced: Produced, name: str, version: int = 1) -> Path:
    return produced.data / "proof/items" / produced.begins(name) / str(version)


def disclosed(folder: Path) -> dict[str, Any]:
    found = {}
    for line in (folder / "disclosures.txt").read_text().splitlines():
        _, name, value = json.loads(base64.urlsafe_b64decode(line + "=" * (-len(line) % 4)))
        found[name] = value
    return found


def test_a_record_that_leaves_whole_shows_every_field_and_the_bytes_it_was_read_from(produced: Produced):
    told = proof(produced, "p1", 2)
    fields = disclosed(told)
    assert fields["text"] == "The weir is closed"
    assert {"payloads", "native_id", "author_name", "attachments", "seen"} <= fields.keys()
    (payload,) = (told / "payload").iterdir()
    assert hashlib.sha256(payload.read_bytes()).hexdigest() == fields["payloads"][0]["sha256"]


def test_of_a_redacted_record_only_those_fields_are_shown_that_can_be_read_in_what_leaves(produced: Produced):
    part = disclosed(proof(produced, "p2"))
    assert {"platform", "page", "kind", "native_id", "url", "state", "published_at"} == part.keys()
    unnamed = disclosed(proof(produced, "c2-okapi"))
    assert unnamed["text"] == "I live there"
    assert not {"author_name", "author_id", "author_handle", "native_id", "url", "payloads"} & unnamed.keys()
    assert not (proof(produced, "p2") / "payload").exists()


def test_of_a_withheld_record_there_is_its_entry_and_its_place_in_the_ledger_and_nothing_else(
    produced: Produced,
):
    assert {file.name for file in proof(produced, "c3").iterdir()} == {"entry.json", "item.tlog-proof"}


@pytest.mark.parametrize("name", ["c4", "c5"])
def test_what_answers_a_hidden_record_leaves_without_the_bytes_that_name_it(produced: Produced, name: str):
    fields = disclosed(proof(produced, name))
    assert "text" in fields
    assert not {"in_reply_to", "payloads", "extra"} & fields.keys()
    assert not (proof(produced, name) / "payload").exists()


def test_timestamps_over_earlier_checkpoints_stand_beside_with_the_way_to_the_shared_one(produced: Produced):
    folder = produced.data / "proof"
    (earlier,) = (folder / "history").iterdir()
    old, new = ((one / "checkpoint").read_text().splitlines() for one in (earlier, folder))
    path = [base64.b64decode(line) for line in (earlier / "consistency").read_text().splitlines()]
    roots = [base64.b64decode(lines[2]) for lines in (old, new)]
    assert merkle.check_consistency(int(old[1]), int(new[1]), roots[0], roots[1], path)
    assert not merkle.check_consistency(int(old[1]), int(new[1]), roots[1], roots[0], path)
    (token,) = earlier.glob("*.tsr")
    words = ["openssl", "ts", "-verify", "-in", token, "-CAfile", produced.office.root]
    assert ask(*words, "-data", earlier / "checkpoint")[0] == 0
    assert ask(*words, "-data", folder / "checkpoint")[0] != 0


def test_manifests_close_every_capture_of_the_page_and_the_count_and_root_can_be_recomputed(
    produced: Produced,
):
    folder = produced.data / "proof/completeness"
    (page,) = {file.name.split(".")[0] for file in folder.glob("*.captures.txt")}
    captures = [line.split() for line in (folder / f"{page}.captures.txt").read_text().splitlines()]
    manifests = [json.loads(line) for line in (folder / "manifests.jsonl").read_text().splitlines()]
    size, root = (produced.data / "proof/checkpoint").read_text().splitlines()[1:3]
    through = -1
    for line in manifests:
        entry = json.loads(line["entry"])
        tree = merkle.Growing()
        for index, captured in captures:
            if through < int(index) <= entry["through"]:
                tree.add(bytes.fromhex(captured))
        assert (tree.count, tree.root().hex()) == (entry["n"], entry["root"])
        through = entry["through"]
        path = [base64.b64decode(part) for part in line["proof"]]
        leaf = merkle.leaf_hash(line["entry"].encode())
        assert merkle.check_inclusion(leaf, line["index"], int(size), path, base64.b64decode(root))
    listed = {int(index) for index, _ in captures}
    for file in (produced.data / "proof/items").rglob("item.tlog-proof"):
        assert int(file.read_text().splitlines()[1].removeprefix("index ")) in listed


def test_the_account_of_the_page_says_what_was_covered_and_what_was_not(produced: Produced):
    folder = produced.data / "proof/completeness"
    (told,) = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    assert told["in_this_production"] == {"released": 6, "withheld": 1}
    assert told["counts"]["held"] == {"comment": 5, "post": 2}
    assert [one["cover"] for one in told["windows"]] == ["uncovered"]
    (gap,) = [json.loads(line) for line in (folder / "gaps.jsonl").read_text().splitlines()]
    assert (gap["what"], gap["why"]) == ("page 2", "the server was busy")
    assert "native_id" not in gap


# -- whoever is handed it ----------------------------------------------------------------------------------


def ask(*command: object, cwd: Path | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def test_sha256sum_finds_the_bag_as_it_was_sealed(produced: Produced):
    bag.check(produced.folder / "bag")
    for folder, files in (
        ("bag", ("manifest-sha256.txt", "tagmanifest-sha256.txt")),
        (".", ("outside-sha256.txt",)),
    ):
        code, said = ask("sha256sum", "--check", "--strict", "--quiet", *files, cwd=produced.folder / folder)
        assert code == 0, said


def test_openssl_verifies_the_agencys_signature_over_the_seal_and_over_nothing_else(
    produced: Produced, tmp_path: Path
):
    stem = produced.folder / "pd-2026-0001-p01.seal"
    seal = stem.with_suffix(".seal.json")
    words = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", stem.with_suffix(".seal.p7s")]
    words += ["-CAfile", produced.folder / "trust/agency-chain.pem", "-purpose", "any", "-out", "/dev/null"]
    code, said = ask(*words, "-content", seal)
    assert code == 0, said
    other = tmp_path / "other"
    other.write_bytes(seal.read_bytes().replace(b"P01", b"P02"))
    assert ask(*words, "-content", other)[0] != 0


def test_openssl_verifies_when_it_was_signed_at_the_latest(produced: Produced):
    signature = produced.folder / "pd-2026-0001-p01.seal.p7s"
    words = [
        "openssl",
        "ts",
        "-verify",
        "-in",
        f"{signature}.tsr",
        "-CAfile",
        produced.folder / "trust/tsa-1.pem",
    ]
    code, said = ask(*words, "-data", signature)
    assert code == 0, said
    assert ask(*words, "-data", produced.folder / "pd-2026-0001-p01.seal.json")[0] != 0


def test_the_seal_names_the_bag_and_what_lies_beside_it(produced: Produced):
    told = json.loads((produced.folder / "pd-2026-0001-p01.seal.json").read_bytes())
    sealed = produced.built.sealed
    assert told["production"] == "PD-2026-0001-P01"
    assert told["tagmanifest_sha256"] == sealed.tagmanifest.hex() == bag.digest(produced.folder / "bag").hex()
    assert told["outside_sha256"] == sealed.outside.hex()
    assert (sealed.signed_by, len(sealed.timestamps)) == ("CN=Harrow Falls records", 1)


@pytest.mark.parametrize("program", [("python3", "verify.py"), ("sh", "verify.sh")])
def test_the_programs_that_go_with_it_verify_it_and_say_what_was_expected(
    produced: Produced, program: tuple[str, str]
):
    code, said = ask(program[0], produced.folder / "verify" / program[1], produced.folder)
    assert code == 0, said
    expected = (produced.folder / "verify/expected-output.txt").read_text().splitlines()
    lines = said.splitlines()
    for line in expected:
        assert line.startswith("…") or "…" in line or line in lines, line


def test_qpdf_finds_nothing_wrong_with_any_pdf(produced: Produced):
    program = shutil.which("qpdf")
    if program is None:
        pytest.skip("qpdf is not on this machine")
    files = sorted(produced.folder.rglob("*.pdf"))
    assert len(files) > 10
    for file in files:
        code, said = ask(program, "--check", file)
        assert code == 0, said
