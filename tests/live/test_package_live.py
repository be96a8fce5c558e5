"""A production as other people's tools see it: bagit.py, a WACZ validator, WARC checkers, a replay server, and PDF readers.

They stand in the environment of the export tools: `MUNIMENT_EXPORT_TOOLS` names its folder of programs.
"""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import httpx
import pytest
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject

from app.disclosure.package.building import Built
from app.records.clock import FixedClock
from app.store import Store
from tests.live.conftest import unavailable
from tests.live.test_export_live import asked, replayed
from tests.steps.packing import HERON, SECRET, WEIR, Town, lay, picture
from tests.steps.test_capture import World
from tests.steps.test_export import flip

pytestmark = pytest.mark.live


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Town:
    return lay(World(store, clock))


@pytest.fixture
def built(town: Town, tmp_path: Path) -> Built:
    return town.produce(tmp_path / "out")


@pytest.fixture
def capture(built: Built) -> Path:
    (file,) = (built.folder / "bag/data/wacz").iterdir()
    return file


def test_bagit_finds_the_bag_whole_and_one_with_a_file_more_or_a_bit_less_not(built: Built):
    bag = built.folder / "bag"
    code, said = asked("bagit.py", "--validate", bag)
    assert code == 0, said
    more = bag / "data/text/0001/more.txt"
    more.write_text("more")
    assert asked("bagit.py", "--validate", bag)[0] != 0
    more.unlink()
    flip(bag / "data/production.json", 40)
    assert asked("bagit.py", "--validate", bag)[0] != 0


def test_wacz_and_both_warc_checkers_find_nothing_wrong_with_a_capture_full_of_holes(
    capture: Path, tmp_path: Path
):
    code, said = asked("wacz", "validate", "-f", capture)
    assert code == 0, said
    with zipfile.ZipFile(capture) as package:
        (name,) = [one for one in package.namelist() if one.endswith(".warc.gz")]
        (tmp_path / "page.warc.gz").write_bytes(package.read(name))
    for program in ("warcio", "fastwarc"):
        code, said = asked(program, "check", tmp_path / "page.warc.gz")
        assert code == 0, said


def test_pywb_replays_what_leaves_whole_and_nothing_that_does_not(capture: Path, tmp_path: Path):
    with replayed(capture, tmp_path / "pywb") as server:
        later = httpx.get(f"{server}/20260302140000id_/{WEIR}", trust_env=False)
        shown = httpx.get(f"{server}/20260302140000id_/{HERON.url}", trust_env=False)
        lost = httpx.get(f"{server}/20260302140000id_/https://blog.example/2026/bags", trust_env=False)
        listing = httpx.get(f"{server}/20260302140000id_/https://blog.example/posts", trust_env=False)
    assert "The weir is closed" in later.text
    assert shown.content == picture()
    assert (lost.status_code, listing.status_code) == (404, 404)


def test_pdftotext_reads_every_word_that_leaves_and_none_that_does_not(built: Built):
    program = shutil.which("pdftotext")
    if program is None:
        unavailable("pdftotext is not on this machine (Debian: poppler-utils)")
    told = ""
    for file in sorted((built.folder / "bag/data/pdf").rglob("*.pdf")):
        told += subprocess.run([program, file, "-"], capture_output=True, text=True, check=True).stdout
    assert "The weir is closed" in told
    assert "for sandbags" in told
    assert "[REDACTED P-1]" in told
    assert SECRET not in told


def test_x_ray_finds_nothing_under_any_box(built: Built, tmp_path: Path):
    boxed = 0
    for file in sorted((built.folder / "bag/data/pdf").rglob("*.pdf")):
        code, said = asked("xray", file)
        assert (code, said.strip()) in {(0, "{}"), (0, "")}, file.name
        boxed += (
            b"REDACTED" in subprocess.run(["pdftotext", file, "-"], capture_output=True, check=True).stdout
        )
    assert boxed > 0, "something was taken out of a document"


def test_x_ray_would_have_found_a_box_that_only_covers_words(tmp_path: Path):
    writer = PdfWriter()
    page = writer.add_blank_page(400, 200)
    font = DictionaryObject({NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"), NameObject("/BaseFont"): NameObject("/Helvetica")})  # fmt: skip
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})})  # fmt: skip
    drawn = StreamObject()
    drawn.set_data(f"BT /F1 12 Tf 50 100 Td ({SECRET}) Tj ET 0 g 48 96 120 16 re f".encode())
    page[NameObject("/Contents")] = writer._add_object(drawn)
    writer.write(tmp_path / "covered.pdf")
    code, said = asked("xray", tmp_path / "covered.pdf")
    assert code == 0
    assert SECRET in said
