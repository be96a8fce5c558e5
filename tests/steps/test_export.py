"""The whole archive in open formats: everything is in it and nothing else, and other people's tools say so."""

from __future__ import annotations

import ast
import errno
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from warcio.archiveiterator import ArchiveIterator

from app import ROOT, main
from app.capture import attachments, importing, pages
from app.capture.leaving import Leaving
from app.db import DiskFull
from app.records.clock import FixedClock
from app.records.nouns import Record
from app.store import Store, proofs, warc
from app.store.outgoing import cdxj, folder, leave, ocfl, walk
from app.store.outgoing.custody import archive_id
from app.store.outgoing.folder import ExportBusy, ExportDone, FolderOfSomethingElse
from app.store.outgoing.leave import Left
from app.store.reading import exchange
from app.store.tables import exchanges
from app.store.tables import records as record_table
from connectors.contract import Attachment, Gap, Kind, Observation
from tests.archives import NOON, close, settings_at
from tests.steps.scripted import Scripted, ScriptedClient, listing
from tests.steps.test_capture import World, comment, post
from tests.steps.test_destruction import dispose

PICTURE = Attachment(
    id="a", url="https://blog.example/heron.png", media_type="image/png", description="a heron"
)
WEIR = "https://blog.example/2026/weir"
PNG = b"\x89PNG a heron, standing " * 4_000
BOTH = pytest.mark.parametrize("form", ["ocfl", "wacz"])


class BrokenOff(Exception):
    """The machine stopped here."""


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    return World(store, clock)


class Reopened(World):
    """A town that was laid once and copied."""

    def __init__(self, store: Store, clock: FixedClock) -> None:
        self.store, self.clock = store, clock
        self.client = ScriptedClient(clock, {PICTURE.url or "": PNG})
        self.connector = Scripted(self.client)
        with store.database.read() as tx:
            self.page = pages.listed(tx)[0]


@dataclass(frozen=True)
class Laid:
    home: Path
    until: datetime
    letters: bytes


@pytest.fixture(scope="module")
def laid(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Laid:
    """A post that was edited and has a picture, its comments, a message, a gap, received letters, and a disposal."""
    home = tmp_path_factory.mktemp("town") / "home"
    shutil.copytree(archive_template, home)
    clock = FixedClock(NOON)
    store = main.open_store(settings_at(home), clock)
    world = World(store, clock)
    world.client.files = {PICTURE.url or "": PNG}

    def shown(words: str) -> Observation:
        return post(
            "p1",
            words,
            url=WEIR,
            attachments=(PICTURE,),
            counts={"likes": len(words)},
            published_at=NOON,
        )

    world.capture(
        listing(clock, shown("The weir is open"), comment("c1", "Since when?"), comment("c2", "Quagga!"))
    )
    world.capture(
        listing(clock, shown("The weir is closed"), gaps=[Gap(what="page 2", why="the server was busy")])
    )
    world.capture(
        listing(clock, Observation(native_id="m1", kind=Kind.MESSAGE, text="My number is 12", private=True))
    )
    file = home.parent / "letters.jsonl"
    lines = [
        {"platform": "mail", "page": "letters", "native_id": f"n{n}", "kind": "post", "text": f"Letter {n}"}
        for n in range(3)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    importing.observations(store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0)
    dispose(world, "c2")
    close(store)
    return Laid(home, clock.at, file.read_bytes())


@pytest.fixture
def town(laid: Laid, tmp_path: Path) -> Iterator[World]:
    clock = FixedClock(laid.until)
    store = main.open_store(settings_at(shutil.copytree(laid.home, tmp_path / "town")), clock)
    yield Reopened(store, clock)
    close(store)


def export(
    world: World,
    form: str,
    out: Path,
    *,
    messages: bool = True,
    of: Sequence[UUID] = (),
    progress: Callable[[str, int], None] = lambda _what, _number: None,
    largest: int = 1 << 30,
) -> Left:
    store = walk.remembering(world.store)
    scope = leave.scope_of(store, form, of, messages=messages, software="a test")
    with folder.opened(out, scope, lambda: walk.signed_now(store)) as going:
        left = leave.write(store, Leaving(store), going, progress, largest=largest)
        leave.done(going, left, settle=lambda: None)
    return left


def tree(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()
    }


def everything(root: Path) -> bytes:
    """Every byte of an export as somebody would read it: packages unpacked, compression undone."""
    parts = []
    for content in tree(root).values():
        parts.append(content)
        if content[:2] == b"PK":
            with zipfile.ZipFile(BytesIO(content)) as package:
                for name in package.namelist():
                    inside = package.read(name)
                    parts.append(gzip.decompress(inside) if name.endswith(".gz") else inside)
    return b"\n".join(parts)


def ids(world: World) -> dict[str, UUID]:
    return {name: record.id for name, record in world.records().items()}


# -- OCFL as a stranger reads it ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """An object of the root, read with nothing but the specification."""

    id: str
    versions: list[dict[str, bytes]]
    heads: list[Mapping[str, Any]]


def ask_sha512sum(root: Path) -> str:
    """What coreutils says of every file that an inventory names, and of the inventories; empty when nothing is wrong."""
    said = ""
    for inventory in sorted(root.glob("*/*/*/inventory.json")):
        lines = [(inventory.parent / "inventory.json.sha512").read_text().replace(" ", "  ").strip()]
        try:
            manifest = json.loads(inventory.read_bytes())["manifest"]
        except ValueError:
            manifest = {}  # its own digest tells
        lines += [f"{digest}  {path}" for digest, paths in manifest.items() for path in paths]
        checked = subprocess.run(
            ["sha512sum", "--check", "--quiet", "--strict"],
            cwd=inventory.parent,
            input="\n".join(lines) + "\n",
            text=True,
            capture_output=True,
            check=False,
        )
        said += checked.stdout
    return said


def read_root(root: Path) -> dict[str, Held]:
    """Every object of a storage root; fails where the root is not as OCFL 1.1 and extension 0003 have it."""
    assert (root / "0=ocfl_1.1").read_text() == "ocfl_1.1\n"
    layout = json.loads((root / "ocfl_layout.json").read_text())["extension"]
    config = json.loads((root / "extensions" / layout / "config.json").read_text())
    assert config["extensionName"] == layout == "0003-hash-and-id-n-tuple-storage-layout"
    above = [one for one in root.iterdir() if one.is_dir() and one.name != "extensions"]
    assert not [one for one in root.rglob("*") if one.is_dir() and not any(one.iterdir())], "empty folders"
    found = {}
    for there in sorted(two for one in above for half in one.iterdir() for two in half.iterdir()):
        held = read_object(there)
        digest = hashlib.sha256(held.id.encode()).hexdigest()
        name = held.id.replace(":", "%3a")
        assert there.relative_to(root).as_posix() == f"{digest[:2]}/{digest[2:4]}/{name}"
        found[held.id] = held
    files = {one.name for one in root.iterdir() if one.is_file()}
    assert files == {"0=ocfl_1.1", "ocfl_layout.json", "README.md", "muniment-export.json"}
    return found


def read_object(there: Path) -> Held:
    assert (there / "0=ocfl_object_1.1").read_text() == "ocfl_object_1.1\n"
    told = json.loads((there / "inventory.json").read_bytes())
    assert (told["type"], told["digestAlgorithm"]) == ("https://ocfl.io/1.1/spec/#inventory", "sha512")
    numbers = [f"v{n}" for n in range(1, len(told["versions"]) + 1)]
    assert (list(told["versions"]), told["head"]) == (numbers, numbers[-1])
    assert (there / told["head"] / "inventory.json").read_bytes() == (there / "inventory.json").read_bytes()
    stored = {path: digest for digest, paths in told["manifest"].items() for path in paths}
    content = {file.relative_to(there).as_posix() for file in there.glob("v*/content/**/*") if file.is_file()}
    assert content == stored.keys()
    fixity = {path: digest for digest, paths in told["fixity"]["sha256"].items() for path in paths}
    assert fixity == {path: hashlib.sha256((there / path).read_bytes()).hexdigest() for path in content}
    versions = []
    for name in numbers:
        version = told["versions"][name]
        assert version["user"] == {"name": "Harrow Falls", "address": "https://harrowfalls.example"}
        versions.append(
            {
                path: (there / told["manifest"][digest][0]).read_bytes()
                for digest, paths in version["state"].items()
                for path in paths
            }
        )
    return Held(told["id"], versions, [told["versions"][name] for name in numbers])


def urn(identity: UUID) -> str:
    return f"urn:uuid:{identity}"


def catalog(root: Path, world: World) -> list[dict[str, Any]]:
    held = read_object(root / ocfl.place(archive_id(world.store)))
    return [json.loads(line) for line in held.versions[-1]["catalog.jsonl"].splitlines()]


def test_every_record_version_attachment_page_and_tombstone_is_in_the_root_and_nothing_else(
    town: World, tmp_path: Path
):
    left = export(town, "ocfl", tmp_path / "out")
    found = read_root(tmp_path / "out")
    with town.store.database.read() as tx:
        rows = tx.execute(select(record_table.c.id, record_table.c.version)).all()
    told = {urn(UUID(bytes=bytes(identity))): number for identity, number in rows}
    kept = {urn(page.id) for page in walk.pages_of(town.store, [])}
    assert len(kept) == 2
    assert found.keys() == told.keys() | kept | {archive_id(town.store)}
    gone = [one for one, held in found.items() if held.versions[-1].keys() == {"tombstone.json"}]
    assert len(gone) == 1
    assert all(len(found[one].versions) == told[one] for one in told if one not in gone)
    held = {name: found[urn(one)] for name, one in ids(town).items()}
    assert any(path.startswith("attachments/") for path in held["p1"].versions[0])
    assert {len(one.versions) for one in held.values()} == {1, 2}
    assert left.tally.as_dict() == {
        "records": 6,
        "versions": 7,
        "attachments": 1,
        "tombstones": 1,
        "pages": 2,
    }
    listed = catalog(tmp_path / "out", town)
    assert [one["what"] for one in listed].count("tombstone") == 1
    assert {one["id"] for one in listed} == found.keys() - {archive_id(town.store)}
    for one in listed:
        inventory = (tmp_path / "out" / one["path"] / "inventory.json").read_bytes()
        assert hashlib.sha512(inventory).hexdigest() == one["inventory_sha512"]


def test_a_version_holds_its_record_its_proof_its_evidence_and_its_files(town: World, tmp_path: Path):
    export(town, "ocfl", tmp_path / "out")
    record = town.records()["p1"]
    held = read_root(tmp_path / "out")[urn(record.id)]
    size = json.loads((tmp_path / "out" / folder.MARKER).read_text())["size"]
    for number, version in enumerate(held.versions, start=1):
        with town.store.database.read() as tx:
            proofs.write(town.store, tx, record.id, tmp_path / f"proof{number}", number=number, signed=size)
        proof = tree(tmp_path / f"proof{number}")
        means = {file.name for file in proofs.means()}
        ours = {path[6:]: content for path, content in version.items() if path.startswith("proof/")}
        assert ours == {path: content for path, content in proof.items() if path not in means}
        told = json.loads(version["record.json"])
        assert (told["version"], told["versions"], "held" in told) == (number, 2, False)
        listed = json.loads(version["attachments.json"])
        assert listed[0]["description"] == "a heron"
        assert version[listed[0]["file"]] == PNG
        assert listed[0]["file"].endswith(".png")
    assert [json.loads(one["record.json"])["text"] for one in held.versions] == [
        "The weir is open",
        "The weir is closed",
    ]
    assert [one["created"] for one in held.heads] == ["2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z"]
    counted = json.loads(held.versions[-1]["counts.json"])
    assert [one["counts"] for one in counted] == [{"likes": 16}, {"likes": 18}]
    assert "counts.json" not in held.versions[0]


def test_the_bytes_of_an_exchange_stand_where_the_export_says(town: World, tmp_path: Path):
    export(town, "ocfl", tmp_path / "out")
    found = read_root(tmp_path / "out")
    seen = 0
    for identity in ids(town).values():
        for version in found[urn(identity)].versions:
            for path in [path for path in version if path.endswith("/exchange.json")]:
                told = json.loads(version[path])
                with town.store.database.read() as tx:
                    key = tx.execute(
                        select(exchanges.c.key).where(exchanges.c.id == UUID(told["exchange"]).bytes)
                    ).scalar_one()
                    body = exchange(town.store, tx, key).body
                assert told["body_bytes"] == len(body)
                for one in told["own"]:
                    own = version[path.replace("exchange.json", "bytes")][one["from"] : one["to"]]
                    assert own == body[one["start"] : one["end"]]
                    seen += 1
                assert told["envelope"] is not None
    assert seen >= 7


def test_no_object_holds_a_neighbours_words(town: World, tmp_path: Path):
    export(town, "ocfl", tmp_path / "out")
    held = read_root(tmp_path / "out")[urn(ids(town)["c1"])]
    assert b"Since when?" in b"".join(held.versions[0].values())
    assert not any(b"weir" in content for content in held.versions[0].values())


def test_each_proof_in_the_root_is_accepted_by_the_verifier_in_it(town: World, tmp_path: Path):
    export(town, "ocfl", tmp_path / "out")
    found = read_root(tmp_path / "out")
    archive = found[archive_id(town.store)].versions[-1]
    (tmp_path / "verify.py").write_bytes(archive["verify/verify.py"])
    (tmp_path / "agency.vkey").write_bytes(archive["ledger/log.vkey"])
    for number, version in enumerate(found[urn(ids(town)["p1"])].versions):
        for path, content in version.items():
            if path.startswith("proof/"):
                file = tmp_path / str(number) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        asked = [sys.executable, "verify.py", f"{number}/proof", "--key", "agency.vkey"]
        checked = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (checked.returncode, "PROVEN" in checked.stdout) == (0, True), checked.stdout + checked.stderr


def test_the_archives_own_object_tells_its_ledger_runs_and_gaps(town: World, tmp_path: Path):
    left = export(town, "ocfl", tmp_path / "out")
    held = read_root(tmp_path / "out")[archive_id(town.store)].versions[-1]
    assert json.loads(held["archive.json"])["as_of"]["entries"] == left.size
    entries = held["ledger/entries.jsonl"].splitlines()
    assert entries == list(town.store.ledger.bodies(0, left.size))
    assert held["ledger/checkpoint"].decode().splitlines()[1] == str(left.size)
    gaps = [json.loads(line) for line in held["gaps.jsonl"].splitlines()]
    assert [(one["what"], one["why"]) for one in gaps] == [("page 2", "the server was busy")]
    runs = [json.loads(line) for line in held["runs.jsonl"].splitlines()]
    assert [one["kind"] for one in runs] == ["capture", "capture", "capture", "import"]
    assert len(held["manifests.jsonl"].splitlines()) == 2


def test_a_page_tells_its_registry_its_coverage_and_its_introduction(town: World, tmp_path: Path):
    export(town, "ocfl", tmp_path / "out")
    held = read_root(tmp_path / "out")[urn(town.page.id)].versions[-1]
    assert json.loads(held["page.json"])["address"] == "https://blog.example"
    covered = json.loads(held["coverage.json"])
    assert (len(covered["partly"]), covered["covered"] != []) == (1, True)
    assert json.loads(held["introduction.json"])["read_from"] == []


def test_a_stranger_with_sha512sum_finds_one_flipped_bit_of_any_file(town: World, tmp_path: Path):
    export(town, "ocfl", tmp_path / "out")
    assert ask_sha512sum(tmp_path / "out") == ""
    object_ = tmp_path / "out" / ocfl.place(urn(ids(town)["p1"]))
    files = [file for file in sorted(object_.rglob("*")) if file.is_file() and "/content/" in str(file)]
    assert len(files) > 15
    for file in [*files[:: len(files) // 4], object_ / "inventory.json"]:
        whole = file.read_bytes()
        flip(file, len(whole) - 2)
        assert f"{file.name}: FAILED" in ask_sha512sum(tmp_path / "out")
        assert ocfl.whole(tmp_path / "out", urn(ids(town)["p1"])) is None
        file.write_bytes(whole)
    assert ask_sha512sum(tmp_path / "out") == ""


@pytest.mark.parametrize(
    ("identity", "place"),
    [
        ("object-01", "3c/0f/object-01"),
        ("..hor/rib:le-$id", "48/73/%2e%2ehor%2frib%3ale-%24id"),
        (
            "abcdefghij" * 26,
            "55/b4/"
            + "abcdefghij" * 10
            + "-55b432806f4e270da0cf23815ed338742179002153cd8d896f23b3e2d8a14359",
        ),
    ],
)
def test_objects_stand_where_extension_0003_puts_them(identity: str, place: str):
    """The extension's own examples, with two levels of two signs."""
    assert ocfl.place(identity) == place


# -- WACZ as a stranger reads it ---------------------------------------------------------------------------


def flip(file: Path, place: int) -> None:
    """Alter one bit of a file."""
    whole = file.read_bytes()
    assert place < len(whole)
    file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])


@dataclass(frozen=True)
class Told:
    kind: str
    url: str
    content: bytes
    head: Mapping[str, str]


@dataclass(frozen=True)
class Opened:
    """A WACZ file, read with nothing but a ZIP reader and warcio."""

    names: list[str]
    records: list[Told]
    index: list[tuple[str, str, dict[str, Any]]]
    pages: list[dict[str, Any]]
    more: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    tombstones: list[dict[str, Any]]
    warc: bytes

    def of(self, kind: str) -> list[Told]:
        return [one for one in self.records if one.kind == kind]


def read_wacz(file: Path) -> Opened:
    """What a WACZ file holds; fails where it is not as WACZ 1.1.1 has it."""
    with zipfile.ZipFile(file) as package:
        assert {one.compress_type for one in package.infolist()} == {zipfile.ZIP_STORED}
        inside = {name: package.read(name) for name in package.namelist()}
    told = json.loads(inside["datapackage.json"])
    said = json.loads(inside["datapackage-digest.json"])
    assert said["hash"] == "sha256:" + hashlib.sha256(inside["datapackage.json"]).hexdigest()
    assert (told["profile"], told["wacz_version"]) == ("data-package", "1.1.1")
    named = {one["path"]: (one["hash"], one["bytes"]) for one in told["resources"]}
    assert named == {
        name: ("sha256:" + hashlib.sha256(content).hexdigest(), len(content))
        for name, content in inside.items()
        if not name.startswith("datapackage")
    }
    (archive,) = [name for name in inside if name.startswith("archive/")]
    lines = (
        gzip.decompress(inside["indexes/index.cdx.gz"]).splitlines() if inside["indexes/index.cdx.gz"] else []
    )
    assert lines == sorted(lines)
    index = []
    for line in lines:
        key, at, about = line.decode().split(" ", 2)
        index.append((key, at, json.loads(about)))
        assert index[-1][2]["filename"] == archive.removeprefix("archive/")
    return Opened(
        names=sorted(inside),
        records=list(read_warc(inside[archive])),
        index=index,
        pages=json_lines(inside["pages/pages.jsonl"])[1:],
        more=json_lines(inside["pages/extraPages.jsonl"])[1:],
        versions=json_lines(inside.get("records/versions.jsonl", b"")),
        tombstones=json_lines(inside.get("records/tombstones.jsonl", b"")),
        warc=inside[archive],
    )


def read_warc(content: bytes) -> Iterator[Told]:
    for one in ArchiveIterator(BytesIO(content), check_digests="raise"):
        head = dict(one.rec_headers.headers)
        yield Told(one.rec_type, head.get("WARC-Target-URI", ""), one.content_stream().read(), head)


def json_lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def wacz_of(root: Path, page: UUID) -> list[Opened]:
    return [read_wacz(file) for file in sorted(root.glob(f"{page}-*.wacz"))]


def test_every_record_version_attachment_and_tombstone_is_in_the_files_and_nothing_else(
    town: World, laid: Laid, tmp_path: Path
):
    left = export(town, "wacz", tmp_path / "out")
    blog, letters = walk.pages_of(town.store, [])
    (opened,) = wacz_of(tmp_path / "out", blog.id)
    (received,) = wacz_of(tmp_path / "out", letters.id)
    known = ids(town)
    assert [(one["id"], one["version"]) for one in opened.versions] == [
        (str(known["p1"]), 1),
        (str(known["p1"]), 2),
        (str(known["c1"]), 1),
        (str(known["m1"]), 1),
    ]
    assert [one["id"] for one in received.versions] == [str(known[f"n{n}"]) for n in range(3)]
    assert [one["disposed"]["citation"] for one in opened.tombstones] == ["Resolution 12, item 3"]
    assert [one["id"] for one in opened.pages] == [str(known["p1"])]
    assert [one["id"] for one in opened.more] == [str(known["c1"]), str(known["m1"])]
    assert opened.pages[0]["text"] == "The weir is closed"
    assert [one.content for one in opened.of("resource") if one.url == PICTURE.url] == [PNG]
    assert b"".join(one.content for one in received.of("resource")) == laid.letters
    assert left.tally.as_dict() == {
        "records": 6,
        "versions": 7,
        "attachments": 1,
        "tombstones": 1,
        "pages": 2,
    }
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == sorted(
        [f"{blog.id}-001.wacz", f"{letters.id}-001.wacz", "README.md", "catalog.json", folder.MARKER]
    )


def test_each_exchange_leaves_once_and_is_what_record_evidence_gives(town: World, tmp_path: Path):
    export(town, "wacz", tmp_path / "out")
    (opened,) = wacz_of(tmp_path / "out", town.page.id)
    whole = {(one.kind, one.url, one.content) for one in opened.records}
    for name in ("p1", "c1", "m1"):
        coming = BytesIO()
        with town.store.database.read() as tx:
            warc.write(town.store, tx, ids(town)[name], coming, software="a test")
        for one in read_warc(coming.getvalue()):
            if one.kind != "warcinfo":
                assert (one.kind, one.url, one.content) in whole
    exchanged = [json.loads(one.content).get("exchange") for one in opened.of("metadata")]
    named = [one for one in exchanged if one is not None]
    assert len(named) == len(set(named))
    with town.store.database.read() as tx:
        made = tx.execute(select(exchanges.c.id).where(exchanges.c.kind == "http")).scalars().all()
    assert set(named) == {str(UUID(bytes=bytes(one))) for one in made}


def test_what_was_disposed_of_is_a_hole_with_its_reason_and_never_a_response(town: World, tmp_path: Path):
    export(town, "wacz", tmp_path / "out")
    (opened,) = wacz_of(tmp_path / "out", town.page.id)
    (left,) = opened.of("conversion")
    (about,) = [
        json.loads(one.content)
        for one in opened.of("metadata")
        if one.head.get("WARC-Refers-To") == left.head["WARC-Record-ID"]
    ]
    (hole,) = about["holes"]
    assert hole["why"].startswith("disposed of in batch ")
    assert left.content[hole["start"] : hole["end"]] == bytes(hole["end"] - hole["start"])
    assert b"Since when?" in left.content
    assert not any(b"Since when?" in one.content for one in opened.of("response"))


def test_each_line_of_the_index_leads_to_the_answer_it_names(town: World, tmp_path: Path):
    export(town, "wacz", tmp_path / "out")
    for page in walk.pages_of(town.store, []):
        (opened,) = wacz_of(tmp_path / "out", page.id)
        assert opened.index
        for key, at, about in opened.index:
            start, end = int(about["offset"]), int(about["offset"]) + int(about["length"])
            (one,) = read_warc(opened.warc[start:end])
            assert (one.kind in ("response", "resource"), one.url) == (True, about["url"])
            assert (
                one.head["WARC-Date"][:19].translate({ord("-"): None, ord(":"): None, ord("T"): None}) == at
            )
            assert cdxj.key(about["url"]) == key
    keys = {key for key, _, _ in wacz_of(tmp_path / "out", town.page.id)[0].index}
    assert {"example,blog)/posts", "example,blog)/heron.png", "example,blog)/2026/weir"} <= keys


def test_a_post_has_a_rendering_that_says_what_it_is(town: World, tmp_path: Path):
    export(town, "wacz", tmp_path / "out")
    (opened,) = wacz_of(tmp_path / "out", town.page.id)
    rendered = [one for one in opened.of("resource") if one.url == WEIR]
    assert [b"The weir is open" in rendered[0].content, b"The weir is closed" in rendered[1].content] == [
        True,
        True,
    ]
    assert all(b"It is not what the platform served." in one.content for one in rendered)


def test_a_post_that_the_platform_served_as_a_page_has_no_rendering(world: World, tmp_path: Path):
    url = "https://blog.example/2026/served"
    batch = listing(world.clock, post("p9", "served", url=url))
    (shown,) = batch.exchanges
    served = replace(shown, url=url, response_headers=[("Content-Type", "text/html; charset=utf-8")])
    world.capture(replace(batch, exchanges=[served]))
    export(world, "wacz", tmp_path / "out")
    (opened,) = wacz_of(tmp_path / "out", world.page.id)
    assert [one.kind for one in opened.records if one.url == url and one.kind != "metadata"] == [
        "response",
        "request",
    ]


def test_words_of_a_post_cannot_break_out_of_its_rendering(world: World, tmp_path: Path):
    harm = '</div><script src="https://elsewhere.example/x.js"></script>'
    world.capture(listing(world.clock, post("p1", harm, url="https://blog.example/1")))
    export(world, "wacz", tmp_path / "out")
    (opened,) = wacz_of(tmp_path / "out", world.page.id)
    (rendered,) = opened.of("resource")
    assert b"<script" not in rendered.content
    assert b"&lt;script" in rendered.content


def test_warcio_finds_a_flipped_bit_and_so_does_the_package(town: World, tmp_path: Path):
    export(town, "wacz", tmp_path / "out")
    (file,) = (tmp_path / "out").glob(f"{town.page.id}-*.wacz")
    with zipfile.ZipFile(file) as package:
        package.extractall(tmp_path / "inside")
    (archive,) = (tmp_path / "inside" / "archive").iterdir()
    assert checked_by_warcio(archive) == 0
    flip(archive, 1_000)
    assert checked_by_warcio(archive) != 0
    flip(file, file.read_bytes().index(b"\x1f\x8b") + 1_000)
    with pytest.raises(zipfile.BadZipFile):
        read_wacz(file)


def checked_by_warcio(archive: Path) -> int:
    asked = [sys.executable, "-m", "warcio.cli", "check", str(archive)]
    return subprocess.run(asked, check=False, capture_output=True).returncode


def test_a_large_page_leaves_in_volumes_and_nothing_is_lost_between_them(town: World, tmp_path: Path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    export(town, "wacz", whole)
    export(town, "wacz", parts, largest=2_000)
    (one,) = wacz_of(whole, town.page.id)
    several = wacz_of(parts, town.page.id)
    assert len(several) > 3

    def all_of(volumes: Sequence[Opened]) -> list[tuple[str, str, bytes]]:
        return sorted(
            (told.kind, told.url, told.content)
            for volume in volumes
            for told in volume.records
            if told.kind != "warcinfo"
        )

    assert all_of(several) == all_of([one])
    assert [told["id"] for volume in several for told in volume.versions] == [
        told["id"] for told in one.versions
    ]
    assert len({name for volume in several for name in volume.names if name.startswith("archive/")}) == len(
        several
    )


# -- both --------------------------------------------------------------------------------------------------


@BOTH
def test_nothing_of_what_was_disposed_of_is_anywhere(town: World, tmp_path: Path, form: str):
    export(town, form, tmp_path / "out")
    said = everything(tmp_path / "out")
    assert b"Since when?" in said
    assert b"Quagga" not in said


@BOTH
def test_what_is_disposed_of_while_it_is_written_is_a_tombstone_in_the_end(
    town: World, tmp_path: Path, form: str
):
    gone = ids(town)["c1"]
    asked: list[str] = []

    def progress(what: str, number: int) -> None:
        if what == "records" and "c1" not in asked:
            asked.append("c1")
            dispose(town, "c1")

    left = export(town, form, tmp_path / "out", progress=progress)
    assert asked == ["c1"]
    assert left.tally.tombstones == 2
    said = everything(tmp_path / "out")
    assert (b"Since when?" in said, str(gone).encode() in said) == (False, True)


@BOTH
def test_what_is_kept_after_the_export_began_is_not_in_it(town: World, tmp_path: Path, form: str):
    with pytest.raises(BrokenOff):
        export(town, form, tmp_path / "out", progress=broken_at(1))
    size = json.loads((tmp_path / "out" / folder.MARKER).read_text())["size"]
    town.capture(listing(town.clock, post("p1", "Said afterwards"), post("p2", "Said afterwards, too")))
    left = export(town, form, tmp_path / "out")
    assert (left.size, left.tally.records, left.tally.versions) == (size, 6, 7)
    assert b"Said afterwards" not in everything(tmp_path / "out")
    export(town, form, tmp_path / "anew")
    assert b"Said afterwards" in everything(tmp_path / "anew")


@BOTH
def test_the_same_archive_gives_the_same_bytes(town: World, tmp_path: Path, form: str):
    first = export(town, form, tmp_path / "first")
    town.clock.at += timedelta(days=40)
    second = export(town, form, tmp_path / "second")
    assert first == second
    assert tree(tmp_path / "first") == tree(tmp_path / "second")
    town.capture(listing(town.clock, post("p1", "Another word")))
    assert export(town, form, tmp_path / "third").digest != first.digest


def broken_at(number: int) -> Callable[[str, int], None]:
    """Stops the machine when progress is told for the nth time."""
    told: list[str] = []

    def progress(what: str, _number: int) -> None:
        told.append(what)
        if len(told) == number:
            raise BrokenOff

    return progress


@BOTH
def test_an_export_that_was_broken_off_anywhere_goes_on_to_the_same_bytes(
    town: World, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(walk, "PART", 1)
    export(town, form, tmp_path / "whole", largest=2_000)
    whole = tree(tmp_path / "whole")
    for number in (2, 8):
        out = tmp_path / f"broken{number}"
        with pytest.raises(BrokenOff):
            export(town, form, out, largest=2_000, progress=broken_at(number))
        assert json.loads((out / folder.MARKER).read_text())["state"] == "under way"
        export(town, form, out, largest=2_000)
        assert tree(out) == whole


def test_a_finished_object_is_not_made_again_and_a_damaged_one_is(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(walk, "PART", 1)
    with pytest.raises(BrokenOff):
        export(town, "ocfl", tmp_path / "out", progress=broken_at(3))
    known = ids(town)
    sound = tmp_path / "out" / ocfl.place(urn(known["p1"])) / "inventory.json"
    damaged = tmp_path / "out" / ocfl.place(urn(known["c1"]))
    before = sound.stat().st_ino
    half = min(damaged.rglob("record.json"))
    half.write_bytes(half.read_bytes()[:10])
    export(town, "ocfl", tmp_path / "out")
    assert sound.stat().st_ino == before
    assert ask_sha512sum(tmp_path / "out") == ""
    assert len(read_root(tmp_path / "out")) == 10


def test_a_damaged_volume_is_made_again_with_all_that_came_after_it(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(walk, "PART", 1)
    export(town, "wacz", tmp_path / "whole", largest=2_000)
    with pytest.raises(BrokenOff):
        export(town, "wacz", tmp_path / "out", largest=2_000, progress=broken_at(7))
    volumes = sorted((tmp_path / "out").glob("*.wacz"))
    assert len(volumes) > 1
    volumes[0].write_bytes(volumes[0].read_bytes()[:-9])
    export(town, "wacz", tmp_path / "out", largest=2_000)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


@BOTH
def test_private_messages_leave_only_with_somebody_who_may_read_them(town: World, tmp_path: Path, form: str):
    message = str(ids(town)["m1"]).encode()
    export(town, form, tmp_path / "with", messages=True)
    left = export(town, form, tmp_path / "without", messages=False)
    said, unsaid = everything(tmp_path / "with"), everything(tmp_path / "without")
    assert (b"My number is 12" in said, message in said) == (True, True)
    assert (b"My number is 12" in unsaid, message in unsaid) == (False, False)
    assert (b"Since when?" in unsaid, left.tally.records) == (True, 5)


@BOTH
def test_a_gap_that_names_a_private_message_leaves_only_with_it(town: World, tmp_path: Path, form: str):
    about = Gap(what="what answers a message", why="the server was away", native_id="m1")
    town.capture(listing(town.clock, post("p1", "The weir is closed", url=WEIR), gaps=[about]))
    export(town, form, tmp_path / "without", messages=False)
    assert b'"native_id": "m1"' not in everything(tmp_path / "without")
    export(town, form, tmp_path / "with", messages=True)
    assert b'"native_id": "m1"' in everything(tmp_path / "with")


def tables_read(source: str) -> set[str]:
    """The tables that a module imports."""
    return {
        name.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == "app.store.tables"
        for name in node.names
    }


def test_no_table_is_read_that_could_tell_of_holds_matters_or_who_did_what():
    """`acts` is read for the words of gaps alone: the type of an act on a hold or a matter is never asked for."""
    modules = [*(ROOT / "app" / "store" / "outgoing").glob("*.py"), ROOT / "app" / "capture" / "leaving.py"]
    read = {name for module in modules for name in tables_read(module.read_text())}
    assert read == {
        "acts",
        "anchors",
        "checkpoints",
        "circle_members",
        "circle_parts",
        "counts",
        "exchanges",
        "gaps",
        "manifests",
        "pages",
        "pieces",
        "records",
        "runs",
        "stated",
        "tombstones",
        "versions",
    }
    assert tables_read("from app.store.tables import accesses, officers") == {"accesses", "officers"}


@BOTH
def test_only_the_pages_that_were_named_leave(town: World, tmp_path: Path, form: str):
    letters = walk.pages_of(town.store, [])[1]
    left = export(town, form, tmp_path / "out", of=[letters.id])
    said = everything(tmp_path / "out")
    assert (left.tally.records, left.tally.pages, left.tally.tombstones) == (3, 1, 0)
    assert (b"Letter 2" in said, b"weir" in said, b"the server was busy" in said) == (True, False, False)


@BOTH
def test_an_empty_page_leaves_too(world: World, tmp_path: Path, form: str):
    left = export(world, form, tmp_path / "out")
    assert (left.tally.pages, left.tally.records) == (1, 0)
    assert str(world.page.id).encode() in everything(tmp_path / "out")


@BOTH
def test_an_archive_on_either_database_leaves(anywhere: Store, clock: FixedClock, tmp_path: Path, form: str):
    world = World(anywhere, clock)
    world.capture(listing(clock, post("p1", "stays"), comment("c1", "goes"), gaps=[Gap(what="a", why="b")]))
    dispose(world, "c1")
    left = export(world, form, tmp_path / "out")
    assert (left.tally.records, left.tally.tombstones) == (1, 1)
    assert ask_sha512sum(tmp_path / "out") == ""


@BOTH
def test_a_folder_of_something_else_is_refused_and_left_as_it_is(town: World, tmp_path: Path, form: str):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "holiday.jpg").write_bytes(b"a beach")
    with pytest.raises(FolderOfSomethingElse):
        export(town, form, tmp_path / "out")
    assert tree(tmp_path / "out") == {"holiday.jpg": b"a beach"}
    with pytest.raises(FolderOfSomethingElse):
        export(town, form, tmp_path / "out" / "holiday.jpg")
    (tmp_path / "empty").mkdir()
    export(town, form, tmp_path / "empty")


def test_an_export_of_something_else_is_not_gone_on_with(town: World, tmp_path: Path):
    with pytest.raises(BrokenOff):
        export(town, "ocfl", tmp_path / "out", progress=broken_at(1))
    before = tree(tmp_path / "out")
    for more in ({"form": "wacz"}, {"messages": False}, {"of": [town.page.id]}):
        with pytest.raises(FolderOfSomethingElse):
            export(town, **{"form": "ocfl", "out": tmp_path / "out", **more})  # type: ignore[arg-type]  # a test names what it asks for
    (tmp_path / "out" / folder.MARKER).write_text("{")
    with pytest.raises(FolderOfSomethingElse):
        export(town, "ocfl", tmp_path / "out")
    (tmp_path / "out" / folder.MARKER).write_bytes(before[folder.MARKER])
    export(town, "ocfl", tmp_path / "out")
    with pytest.raises(ExportDone):
        export(town, "ocfl", tmp_path / "out")


@BOTH
def test_a_full_disk_is_said_and_the_export_goes_on_afterwards(town: World, tmp_path: Path, form: str):
    def full(_what: str, _number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull, match="is full"):
        export(town, form, tmp_path / "out", progress=full)
    assert export(town, form, tmp_path / "out").tally.records == 6


def test_two_do_not_write_one_export_at_once(town: World, tmp_path: Path):
    scope = leave.scope_of(town.store, "ocfl", [], messages=True, software="a test")
    with (
        folder.opened(tmp_path / "out", scope, lambda: 1),
        pytest.raises(ExportBusy),
        folder.opened(tmp_path / "out", scope, lambda: 1),
    ):
        pass


# -- the index's keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://blog.example/Posts/1/", "example,blog)/posts/1"),
        ("http://www.town.example:80/?b=2&a=1", "example,town)/?a=1&b=2"),
        ("https://town.example:8443/a//b/../c", "example,town:8443)/a/c"),
        ("https://town.example", "example,town)/"),
        ("https://town.example/a%20b?q=%41%2541#part", "example,town)/a%20b?q=aa"),
        ("https://bücher.example/ü", "example,xn--bcher-kva)/%c3%bc"),
        ("https://town.example/?sid=0123456789abcdef0123456789abcdef&x=1", "example,town)/?x=1"),
        ("https://town.example/?", "example,town)/"),
        ("urn:uuid:ABC", "urn:uuid:abc"),
    ],
)
def test_an_address_has_one_key_however_it_is_spelt(address: str, key: str):
    assert cdxj.key(address) == key


@given(st.text(max_size=60))
def test_every_address_has_a_key_without_spaces(text: str):
    assert " " not in cdxj.key(f"https://town.example/{text}")


def test_more_lines_than_are_held_come_out_sorted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cdxj, "_SORTED", 7)
    monkeypatch.setattr(cdxj, "_BLOCK", 10)
    sorter = cdxj.Sorter(tmp_path)
    wanted = [b"%04d 20260302 {}\n" % (n * 7919 % 101) for n in range(101)]
    for line in wanted:
        sorter.add(line)
    blocks = BytesIO()
    index = cdxj.write_blocks(sorter.merged(), blocks, "index.cdx.gz").splitlines()
    assert gzip.decompress(blocks.getvalue()) == b"".join(sorted(wanted))
    assert list(tmp_path.iterdir()) == []
    assert len(index) == 12
    for line in index[1:]:
        first, about = line.split(b" {", 1)
        told = json.loads(b"{" + about)
        block = gzip.decompress(blocks.getvalue()[told["offset"] : told["offset"] + told["length"]])
        assert block.startswith(first)


def test_attachments_of_a_record_are_those_that_the_store_gives(town: World, tmp_path: Path):
    record: Record = town.records()["p1"]
    (one,) = record.attachments
    assert one.id is not None
    with town.store.database.read() as tx:
        row = attachments.get(tx, one.id)
    assert row is not None
    export(town, "ocfl", tmp_path / "out")
    held = read_root(tmp_path / "out")[urn(record.id)].versions
    assert {version[f"attachments/{one.id}.png"] for version in held} == {
        b"".join(attachments.stream(town.store, row))
    }
