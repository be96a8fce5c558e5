"""Whatever forms a production has, for whatever recipient, and whether it replaces another: made whole, it passes; and what must not be shown is met in each form."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from app.disclosure.formats import dat
from app.disclosure.package.recipe import USUAL, Earlier, Form
from app.disclosure.redacting import Whole
from app.disclosure.released import Released
from app.disclosure.verify import checking
from app.disclosure.verify.findings import Report
from app.index.extracting import Extractor
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Author, Kind, Observation
from tests.productions.bad.table import row
from tests.productions.made import Made, edit, rebag
from tests.steps.packing import Town, lay, redaction
from tests.steps.scripted import listing
from tests.steps.test_capture import World

PAGES = frozenset({Form.PDF, Form.IMAGES})
TABLES = frozenset({Form.CSV, Form.XLSX, Form.LOADFILE})


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Town:
    return lay(World(store, clock))


@pytest.mark.parametrize(
    ("profile", "forms"),
    [
        ("relativity", frozenset({Form.TEXT})),
        ("relativity", frozenset({Form.NATIVE, Form.CSV})),
        ("doj-antitrust", USUAL - PAGES),
        ("sec", USUAL - PAGES - {Form.PROOFS}),
    ],
)
def test_it_passes_with_any_forms_for_anybody(
    profile: str, forms: frozenset[Form], town: Town, tmp_path: Path, extractor: Extractor
):
    checkpoint = {} if Form.PROOFS in forms else {"checkpoint": 0}
    built = town.produce(tmp_path, town.recipe(forms=forms, profile=profile, **checkpoint))
    assert checking.check(built.folder, extractor=extractor).findings == []


def test_a_replacement_whose_documents_keep_their_numbers_passes(
    town: Town, tmp_path: Path, extractor: Extractor
):
    first = town.produce(tmp_path / "first", town.recipe(forms=USUAL - PAGES))
    records = [item.id for item in town.items()(0)]
    replaces = {
        record: Earlier("PD-2026-0001-P01", one.first, one.pages, one.revision)
        for record, one in list(zip(records, first.given(), strict=True))[:3]
    }
    recipe = town.recipe(forms=USUAL - PAGES, number="PD-2026-0001-P02", first=first.next, replaces=replaces)
    built = town.produce(tmp_path / "second", recipe)
    assert checking.check(built.folder, extractor=extractor).findings == []


@pytest.mark.parametrize(
    "name",
    [
        "up\vand\fdown",
        "one\u2028two\u2029three\x85four",
        "a\x00b\x14c®dþ\x1b[31m",
        "\u202eturned\u202c \ufeff\u200b=1+1",
        "\r=1+1",
        "Z" + "\u0335" * 40,
        "long\v\u202e" * 5000,
    ],
    ids=["line-ends", "separators", "signs", "hidden", "formula", "marks", "cut"],
)
def test_a_name_that_no_table_holds_alike_passes(
    name: str, town: Town, clock: FixedClock, tmp_path: Path, extractor: Extractor
):
    said = Observation(native_id="odd", kind=Kind.POST, text="Hello", author=Author(id="odd", name=name))
    town.world.capture(listing(clock, said))
    recipe = town.recipe(forms=TABLES, checkpoint=0)
    built = town.produce(tmp_path, recipe, town.items([town.key("odd")]))
    assert checking.check(built.folder, extractor=extractor).findings == []


def test_a_name_that_one_table_has_otherwise_is_found(
    town: Town, clock: FixedClock, tmp_path: Path, extractor: Extractor
):
    said = Observation(
        native_id="odd", kind=Kind.POST, text="Hello", author=Author(id="odd", name="up\vdown")
    )
    town.world.capture(listing(clock, said))
    built = town.produce(tmp_path, town.recipe(forms=TABLES, checkpoint=0), town.items([town.key("odd")]))
    row("csv", "hf-0000001", AUTHOR="up\vdawn")(built.folder)
    rebag(built.folder)
    assert "loadfiles-differ" in codes(checking.check(built.folder, extractor=extractor))


def attachment(town: Town, name: str) -> UUID:
    (item,) = town.items([town.key(name)])(0)
    assert isinstance(item, Released)
    found = item.versions[0].attachments[0].id
    assert found is not None
    return found


def test_a_production_that_keeps_an_attachment_back_passes(town: Town, tmp_path: Path, extractor: Extractor):
    town.decide("p1", redaction(Whole(attachment(town, "p1"))))
    built = town.produce(tmp_path, town.recipe(forms=USUAL - PAGES))
    assert checking.check(built.folder, extractor=extractor).findings == []


# -- what must not be shown --------------------------------------------------------------------------------


@pytest.fixture
def found(made: Made, extractor: Extractor, tmp_path: Path) -> Callable[[Callable[[Path], None]], Report]:
    """What is found of the production after an edit of its maker's."""

    def after(change: Callable[[Path], None]) -> Report:
        folder = made.copied(tmp_path / made.folder.name)
        change(folder)
        made.seal(folder, signed=False, stamped=False)
        return checking.check(folder, extractor=extractor)

    return after


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def test_a_redaction_that_names_another_commitment_is_found(
    made: Made, found: Callable[[Callable[[Path], None]], Report]
):
    told = (made.folder / "bag/data/logs/redaction-log.csv").read_text("utf-8-sig")
    commitment = next(iter(csv.DictReader(io.StringIO(told))))["COMMITMENT"].encode()

    def change(folder: Path) -> None:
        edit(
            folder / "bag/data/logs/redaction-log.csv",
            lambda content: content.replace(commitment, commitment[::-1]),
        )

    assert codes(found(change)) == {"log-differs"}


def test_a_web_capture_that_lists_what_is_kept_back_is_found(
    made: Made, found: Callable[[Callable[[Path], None]], Report]
):
    with (made.folder / "bag/data/data/vol001.dat").open("rb") as file:
        read = dat.read(file, "vol001.dat")
        rows = [dict(zip(read.columns, one.values, strict=True)) for one in read.rows]
    (kept_back,) = (one["ITEM_UUID"] for one in rows if one["WITHHELD"] == "Y")

    def change(folder: Path) -> None:
        (file,) = (folder / "bag/data/wacz").glob("*.wacz")
        with zipfile.ZipFile(file) as packed:
            held = {info.filename: packed.read(info) for info in packed.infolist()}
        held["pages/pages.jsonl"] += (
            json.dumps({"id": kept_back, "url": "https://a.example", "ts": "2026-03-01T00:00:00Z"}).encode()
            + b"\n"
        )
        told = json.loads(held["datapackage.json"])
        for one in told["resources"]:
            one["hash"] = f"sha256:{hashlib.sha256(held[one['path']]).hexdigest()}"
            one["bytes"] = len(held[one["path"]])
        held["datapackage.json"] = json.dumps(told).encode()
        said = {
            "path": "datapackage.json",
            "hash": f"sha256:{hashlib.sha256(held['datapackage.json']).hexdigest()}",
        }
        held["datapackage-digest.json"] = json.dumps(said).encode()
        file.unlink()
        with zipfile.ZipFile(file, "w") as packed:
            for name, content in held.items():
                packed.writestr(name, content)

    assert codes(found(change)) == {"withheld-shown"}


def test_a_row_that_tells_of_what_is_withheld_is_found(found: Callable[[Callable[[Path], None]], Report]):
    assert "withheld-shown" in codes(found(row("csv", "hf-0000010", AUTHOR="Somebody")))


def test_a_native_form_of_what_is_redacted_is_found(found: Callable[[Callable[[Path], None]], Report]):
    assert "withheld-shown" in codes(
        found(row("csv", "hf-0000008", NATIVEPATH=".\\natives\\0001\\hf-0000007.json"))
    )


def test_fields_of_a_redacted_record_that_would_tell_are_found(
    found: Callable[[Callable[[Path], None]], Report],
):
    def change(folder: Path) -> None:
        items = folder / "bag/data/proof/items"
        (items / "hf-0000008/1/payload").mkdir()
        (items / "hf-0000008/1/payload/observation-1").write_bytes(b"{}")

    assert codes(found(change)) == {"proof-tells"}


def test_another_text_in_a_conversation_is_found(found: Callable[[Callable[[Path], None]], Report]):
    def change(folder: Path) -> None:
        file = min((folder / "bag/data/rsmf/0001").glob("*.rsmf"))

        def otherwise(content: bytes) -> bytes:
            head, boundary, last = content.rpartition(b'filename="rsmf.zip"\r\n\r\n')
            body, _, tail = last.partition(b"\r\n--")
            with zipfile.ZipFile(io.BytesIO(base64.b64decode(body))) as packed:
                held = {info.filename: packed.read(info) for info in packed.infolist()}
            held["rsmf_manifest.json"] = held["rsmf_manifest.json"].replace(b"Since when?", b"Since then?")
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as packed:
                for name, told in held.items():
                    packed.writestr(name, told)
            return (
                head
                + boundary
                + base64.encodebytes(out.getvalue()).replace(b"\n", b"\r\n").rstrip()
                + b"\r\n--"
                + tail
            )

        edit(file, otherwise)

    assert codes(found(change)) == {"rsmf-form"}


def test_a_line_that_is_nested_without_end_is_found(found: Callable[[Callable[[Path], None]], Report]):
    def change(folder: Path) -> None:
        edit(
            folder / "bag/data/proof/completeness/runs.jsonl",
            lambda content: b"[" * 200_000 + b"\n" + content,
        )

    told = codes(found(change))
    assert told
    assert told <= {"production-form", "completeness-form"}
