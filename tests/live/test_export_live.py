"""Exports as other people's tools see them: an OCFL validator, a WACZ validator, WARC checkers and a replay server.

These tools bring libraries that do not go with ours, so that they live in an
environment of their own. `MUNIMENT_EXPORT_TOOLS` names its folder of programs:
one in which ocfl-py, wacz, fastwarc and pywb were installed.
"""

from __future__ import annotations

import gzip
import json
import os
import select
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.records.clock import FixedClock
from app.store import Store
from app.store.outgoing import cdxj, ocfl, walk
from connectors.contract import Attachment
from tests.live.conftest import end_group, free_port, unavailable
from tests.steps.scripted import listing
from tests.steps.test_capture import World, comment, post
from tests.steps.test_destruction import dispose
from tests.steps.test_export import PNG, export, flip, ids, urn

pytestmark = pytest.mark.live

HERON = Attachment(id="a", url="https://blog.example/heron.png", media_type="image/png")
WEIR = "https://blog.example/2026/weir"
ADDRESSES = [
    "http://www.town.example:80/Path/?b=2&a=1",
    "https://town.example/a//b/../c/./d/",
    "https://town.example/?",
    "https://town.example:8443/x?y",
    "https://town.example/%7Euser/%2541?q=%26&q=a%20b",
    "https://town.example/ü/ä?ö=é",
    "https://town.example/a?x=1&x=0&y",
    "https://town.example/?PHPSESSID=0123456789abcdef0123456789abcdef&z=1",
    "https://user:word@town.example/a#part",
    "https://www2.town.example/WWW.",
    "https://192.0.2.7/path",
    "https://town.example/api/v1/statuses?limit=40&max_id=11",
    "urn:uuid:01a1fdd2-5d70-78de-a930-45945df070dd",
]


def tool(name: str) -> Path:
    folder = os.environ.get("MUNIMENT_EXPORT_TOOLS", "")
    program = Path(folder) / name
    if not folder or not program.exists():
        unavailable(
            f"export tools: {name} is not in MUNIMENT_EXPORT_TOOLS; .ci/export.sh installs them and prints where"
        )
    return program


def asked(name: str, *arguments: object, cwd: Path | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [tool(name), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def town(store: Store, clock: FixedClock) -> World:
    world = World(store, clock)
    world.client.files = {HERON.url or "": PNG}
    for words in ("The weir is open", "The weir is closed"):
        shown = post("p1", words, url=WEIR, attachments=(HERON,))
        world.capture(listing(clock, shown, comment("c1", "Since when?"), comment("c2", "Quagga!")))
    dispose(world, "c2")
    return world


@pytest.fixture
def root(town: World, tmp_path: Path) -> Path:
    export(town, "ocfl", tmp_path / "ocfl")
    return tmp_path / "ocfl"


@pytest.fixture
def package(town: World, tmp_path: Path) -> Path:
    export(town, "wacz", tmp_path / "wacz")
    (file,) = (tmp_path / "wacz").glob("*.wacz")
    return file


def test_ocfl_py_accepts_the_root_and_every_object_without_a_warning(root: Path):
    code, said = asked("ocfl-root.py", "validate", "--root", root)
    assert (code, "is VALID" in said) == (0, True), said
    objects = sorted(one.parent for one in root.glob("*/*/*/inventory.json"))
    code, said = asked("ocfl-validate.py", *objects)
    assert (code, said.count("is VALID"), len(objects)) == (0, len(objects), 5), said
    assert "[W" not in said


def test_ocfl_py_refuses_one_flipped_bit(town: World, root: Path):
    there = root / ocfl.place(urn(ids(town)["p1"]))
    for file in (there / "v1/content/record.json", there / "inventory.json"):
        whole = file.read_bytes()
        flip(file, len(whole) - 3)
        code, said = asked("ocfl-validate.py", there)
        assert (code == 0, "INVALID" in said) == (False, True), said
        file.write_bytes(whole)
    assert asked("ocfl-validate.py", there)[0] == 0


def test_py_wacz_accepts_each_file_and_refuses_one_flipped_bit(package: Path, tmp_path: Path):
    code, said = asked("wacz", "validate", "-f", package)
    assert (code, "the passed WACZ is valid" in said) == (0, True), said
    altered = tmp_path / "altered.wacz"
    with zipfile.ZipFile(package) as whole, zipfile.ZipFile(altered, "w") as out:
        for name in whole.namelist():
            content = whole.read(name)
            out.writestr(name, content.replace(b"closed", b"closet") if "pages.jsonl" in name else content)
    code, said = asked("wacz", "validate", "-f", altered)
    assert (code == 0, "the passed WACZ is invalid" in said) == (False, True), said


def test_fastwarc_accepts_the_warc_and_refuses_one_flipped_bit(package: Path, tmp_path: Path):
    with zipfile.ZipFile(package) as whole:
        (name,) = [one for one in whole.namelist() if one.startswith("archive/")]
        archive = Path(whole.extract(name, tmp_path))
    assert asked("fastwarc", "check", archive)[0] == 0
    flip(archive, 1_000)
    assert asked("fastwarc", "check", archive)[0] != 0


def test_the_indexer_of_others_finds_the_same_places(package: Path, tmp_path: Path):
    with zipfile.ZipFile(package) as whole:
        ours = gzip.decompress(whole.read("indexes/index.cdx.gz")).decode().splitlines()
        (name,) = [one for one in whole.namelist() if one.startswith("archive/")]
        archive = Path(whole.extract(name, tmp_path))
    code, said = asked("cdxj-indexer", "--sort", archive)
    assert code == 0, said
    theirs = {
        (key, at, json.loads(told)["offset"])
        for key, at, told in (line.split(" ", 2) for line in said.splitlines() if "{" in line)
    }
    found = {(key, at, json.loads(told)["offset"]) for key, at, told in (line.split(" ", 2) for line in ours)}
    assert found
    assert found <= theirs


def test_addresses_have_the_keys_that_replay_programs_look_for():
    program = "import sys, json, surt; print(json.dumps([surt.surt(one) for one in json.load(sys.stdin)]))"
    told = subprocess.run(
        [tool("python"), "-W", "ignore", "-c", program],
        input=json.dumps(ADDRESSES),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [cdxj.key(one) for one in ADDRESSES] == json.loads(told.stdout)


@contextmanager
def replayed(package: Path, folder: Path) -> Iterator[str]:
    """The package in a pywb of its own on loopback."""
    folder.mkdir()
    assert asked("wb-manager", "init", "town", cwd=folder)[0] == 0
    code, said = asked("wb-manager", "add", "--unpack-wacz", "town", package, cwd=folder)
    assert code == 0, said
    port = free_port()
    server = subprocess.Popen(
        [tool("wayback"), "-b", "127.0.0.1", "-p", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                select.select([], [], [], 0.1)
        yield f"http://127.0.0.1:{port}/town"
    finally:
        end_group(server.pid)
        server.wait()


def test_pywb_replays_a_post_its_picture_and_the_answer_it_was_read_from(
    town: World, package: Path, tmp_path: Path
):
    with replayed(package, tmp_path / "pywb") as server:
        first = httpx.get(f"{server}/20260302120000id_/{WEIR}", trust_env=False)
        later = httpx.get(f"{server}/20260302130000id_/{WEIR}", trust_env=False)
        picture = httpx.get(f"{server}/20260302120000id_/{HERON.url}", trust_env=False)
        answer = httpx.get(f"{server}/20260302120000id_/https://blog.example/posts", trust_env=False)
        lost = httpx.get(f"{server}/20260302120000id_/https://blog.example/other", trust_env=False)
    assert ("The weir is open" in first.text, "The weir is closed" in later.text) == (True, True)
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    assert (b"Quagga" in answer.content, lost.status_code) == (False, 404)
    assert len(walk.pages_of(town.store, [])) == 1
