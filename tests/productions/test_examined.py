"""Somebody who means to read what was taken out, with means of their own: random archives, every kind of redaction, every form."""

from __future__ import annotations

import base64
import io
import json
import random
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from app.capture.leaving import Leaving
from app.disclosure import assembling, produced, producing, reviewing
from app.disclosure.package.building import Sources
from app.disclosure.package.recipe import USUAL, Form
from app.disclosure.redacting import Field, Region, Span, Whole
from app.disclosure.rendition.remaking import Remakes
from app.disclosure.requests import Request
from app.disclosure.verify import checking
from app.records.clock import FixedClock
from app.store import Store
from app.store.outgoing import walk
from connectors.contract import Attachment, Author, Batch, Cursor, Exchange, Kind, Observation
from connectors.contract import Span as Bytes
from tests.productions import reader
from tests.steps.test_producing import Producer
from tests.steps.test_review import WHY
from tests.steps.test_words_beside import a_pdf

PLACES = (
    "words", "html", "name", "handle", "author", "avatar", "alt", "caption", "file", "body", "exif", "chunk", "quoted", "title",
    "link", "native", "before", "tag",
)  # fmt: skip
LETTERS = ("Þórdís", "Żaba", "ñandú", "Жираф", "🦓zebra", "Ünal", "plain", "straße", "O'Neill")


@dataclass
class Secrets:
    """What one record says, each place in words that stand nowhere else."""

    number: int
    chance: random.Random
    of: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place in PLACES:
            letters = "".join(self.chance.choice("bcdfghjklmnpqrstvwxz") for _ in range(9))
            plain = place in {"handle", "author", "avatar", "file", "link", "native", "chunk"}
            stem = "" if plain else f"{self.chance.choice(LETTERS)} "
            self.of[place] = f"{stem}{letters}{self.number}{place[0]}"

    def __getitem__(self, place: str) -> str:
        return self.of[place]


def jpeg(told: str) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E], exif[0x9286] = told, told.encode()
    Image.new("RGB", (40, 30), (9, 120, 60)).save(out, "JPEG", exif=exif, comment=told.encode())
    return out.getvalue()


def png(told: str) -> bytes:
    out, more = io.BytesIO(), PngImagePlugin.PngInfo()
    more.add_text("Comment", told)
    more.add_text("Title", told, zip=True)
    more.add_itxt("XML:com.adobe.xmp", f"<x>{told}</x>")
    Image.new("RGB", (40, 30), (120, 9, 60)).save(out, "PNG", pnginfo=more)
    return out.getvalue()


def packed(name: str, told: str, part: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.comment = told.encode()
        file.writestr(f"{name}.xml", f"<w xmlns='w'>{told}</w>")
        file.writestr(part, f"<p xmlns='w'>{told}</p>")
    return out.getvalue()


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES = (
    "image/jpeg",
    "image/png",
    "application/pdf",
    DOCX,
    XLSX,
    "text/plain",
    "text/csv",
    "application/zip",
)


def content(kind: str, one: Secrets) -> bytes:
    match kind:
        case "image/jpeg":
            return jpeg(one["exif"])
        case "image/png":
            return png(one["chunk"])
        case "application/pdf":
            return a_pdf(one["chunk"])
        case "text/plain" | "text/csv":
            return f'who,what\r\n"{one["body"]}",=1+1\r\n'.encode("utf-16" if kind == "text/csv" else "utf-8")
        case _:
            part = "word/document.xml" if kind == DOCX else "xl/sharedStrings.xml"
            return packed(one["file"], one["body"], part)


def observed(one: Secrets, kind: str | None, answers: Secrets | None, *, later: bool, at: Any) -> Observation:
    words = f"So it was: {one['words']}, said {'then ' + one['before'] if not later else 'now'}."
    files: tuple[Attachment, ...] = ()
    if kind is not None:
        url = f"https://cdn.example/{one['file']}"
        files = (Attachment(id=f"f{one.number}", url=url, media_type=kind, description=f"shows {one['alt']}", caption=f"({one['caption']})"),)  # fmt: skip
    return Observation(
        native_id=one["native"],
        kind=Kind.POST if answers is None else Kind.COMMENT,
        text=words,
        html=f"<p data-x='{one['html']}'>{words}</p>",
        in_reply_to=answers["native"] if answers is not None else None,
        author=Author(id=one["author"], name=one["name"], handle=one["handle"]),
        url=f"https://blog.example/{one['native']}/{one['link']}",
        published_at=at,
        edited_at=at + timedelta(hours=1) if later else None,
        attachments=files,
        extra={
            "avatar": f"https://cdn.example/{one['avatar']}.png", "quoted": {"text": one["quoted"]},
            "card": {"title": one["title"]}, "tags": [one["tag"]],
        },
    )  # fmt: skip


def batch(clock: FixedClock, shown: Sequence[Observation]) -> Batch:
    """An answer that tells of each record all that is known of it, and of who wrote them beside."""
    body, spans = b'{"asked": "https://blog.example/all", "items": [', list[list[Bytes]]()
    for one in shown:
        told = json.dumps(
            {
                "id": one.native_id, "text": one.text, "html": one.html, "url": one.url, "more": dict(one.extra),
                "files": [[each.url, each.description, each.caption] for each in one.attachments],
            },
            ensure_ascii=len(spans) % 2 == 0,
        ).encode()  # fmt: skip
        spans.append([Bytes(0, len(body), len(body) + len(told))])
        body += told + b", "
    body += b'], "users": ['
    for number, one in enumerate(shown):
        assert one.author is not None
        told = json.dumps([one.author.id, one.author.name, one.author.handle]).encode()
        spans[number].append(Bytes(0, len(body), len(body) + len(told)))
        body += told + b", "
    names = ",".join(one.native_id for one in shown)
    exchange = Exchange(method="GET", url=f"https://blog.example/all?ids={names}", started_at=clock.now(), seconds=0.1, status=200, body=body + b"]}")  # fmt: skip
    placed = [replace(one, evidence=tuple(spans[number])) for number, one in enumerate(shown)]
    return Batch(exchanges=[exchange], observations=placed, resume_from=Cursor("c"))


class Examined(Producer):
    """An office that makes productions in every form."""

    def make_all(self, request: Request, out: Path) -> Path:
        with closing(Remakes()) as remaking:
            plan = producing.plan(self.store, request)
            size = walk.signed_now(self.store)
            with self.store.database.begin() as tx:
                production = producing.begin(
                    self.store, tx, plan, prefix="HF-", forms=USUAL | {Form.DISPOSALS}, software="Muniment 1", checkpoint=size,
                    by=self.admin, why=WHY,
                )  # fmt: skip
            sources = Sources(store=self.store, teller=Leaving(self.store))
            built = producing.build(plan, production, out, sources, remaking)
            with self.store.database.begin() as tx:
                producing.issue(self.store, tx, production, plan, built, by=self.admin, why=WHY)
            built.settle()
        with self.store.database.read() as tx:
            assert produced.get(self.store, tx, production.number).state == "issued"
        return built.folder


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Examined]:
    made = Examined(store, clock, tmp_path / "index")
    yield made
    made.engine.settle()


BESIDE = {"html", "avatar", "quoted", "title", "tag"}
"""What goes of a record with whatever else is taken out of it."""
WRITER = {"name", "handle", "author", "native", "link"}
IN_FILE = {"exif", "chunk", "body"}


def decide(desk: Examined, request: Request, one: Secrets, how: str, kind: str | None) -> set[str]:
    """Take something of a record out, and return the places whose words may be nowhere then."""
    name = one["native"]
    record = desk.records()[name]
    with desk.store.database.read() as tx:
        read = assembling.one(desk.store, tx, record)
    held = next((each.id for listed in read.attachments.values() for each in listed), None)
    match how:
        case "record":
            desk.redact(request, name, Whole())
            return set(PLACES)
        case "author":
            desk.redact(request, name, Field("author"))
            gone = WRITER | BESIDE
        case "details":
            desk.redact(request, name, Field("details"))
            gone = BESIDE | {"alt", "caption", "file"}
        case "attachment" if held is not None:
            desk.redact(request, name, Whole(held))
            return BESIDE | IN_FILE | {"alt", "caption", "file"}
        case "region" if held is not None and kind in ("image/jpeg", "image/png"):
            desk.redact(request, name, Region(held, 1, 0, 0, 5000, 5000))
            return BESIDE | IN_FILE | {"file"}
        case "whole":
            return set()
        case _:
            for version in read.versions:
                text = str(version.fields["text"])
                start = text.index(one["words"])
                desk.redact(request, name, Span(version.number, start, start + len(one["words"])))
            gone = BESIDE | {"words"}
    if held is not None:
        if kind in ("image/jpeg", "image/png", "application/pdf"):
            gone = gone | {"exif", "file"} | ({"chunk"} if kind == "image/png" else set())
        else:
            with desk.store.database.begin() as tx:
                reviewing.let_leave(desk.store, tx, request, record, held, by=desk.admin, why=WHY)
    return gone - (
        {"file"} if "file" in gone and kind in (DOCX, XLSX, "application/zip") else set()
    )  # it stands in the file too, which leaves


NEEDS = pytest.mark.skipif(
    not (shutil.which("qpdf") and shutil.which("pdftotext")), reason="needs qpdf and pdftotext"
)
HOWS = ("whole", "words", "author", "details", "attachment", "region", "record")


@NEEDS
@pytest.mark.parametrize("kind", FILES)
def test_this_reader_reads_what_is_hidden_in_files(kind: str, tmp_path: Path):
    one = Secrets(7, random.Random(7))
    (tmp_path / "a.bin").write_bytes(content(kind, one))
    with zipfile.ZipFile(tmp_path / "b.bin", "w") as packed:
        packed.writestr("inner", content(kind, one))
    place = {"image/jpeg": "exif", "image/png": "chunk", "application/pdf": "chunk"}.get(kind, "body")
    (tmp_path / "c.json").write_text(json.dumps({"it": base64.b64encode(one[place].encode()).decode()}))
    (tmp_path / "d.html").write_text("".join(f"&#{ord(char)};" for char in one[place]))
    met = {where.partition("!")[0].partition(" ")[0] for _, where in reader.met([one[place]], tmp_path)}
    assert met == {"a.bin", "b.bin", "c.json", "d.html"}


@NEEDS
@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.faults) for seed in range(2, 20))]
)
def test_nothing_that_was_taken_out_can_be_read_by_any_means(seed: int, desk: Examined, tmp_path: Path):
    chance = random.Random(seed)
    told = [Secrets(number, chance) for number in range(14)]
    kinds = [chance.choice([None, *FILES]) for _ in told]
    answers = [told[chance.randrange(number)] if number > 2 and chance.random() < 0.6 else None for number in range(len(told))]  # fmt: skip
    for one, kind in zip(told, kinds, strict=True):
        if kind is not None:
            desk.client.files[f"https://cdn.example/{one['file']}"] = content(kind, one)
    start = desk.clock.now() - timedelta(days=3)
    left_out, edited = told[-2:], [one for one in told if chance.random() < 0.4]

    def shown(later: bool, of: Sequence[Secrets]) -> list[Observation]:
        return [
            observed(one, kinds[one.number], answers[one.number], later=later and one in edited, at=start + timedelta(hours=one.number))
            for one in of
        ]  # fmt: skip

    desk.capture(batch(desk.clock, shown(False, told)))
    desk.capture(batch(desk.clock, shown(True, told)))
    request = desk.opened(f"everything about {told[0]['words']}")
    for one in told[:-2]:
        desk.select(request, f'"{one["words"]}"', add=one is not told[0])
    desk.confirm(request)
    assert len(desk.names(request)) == len(told) - 2
    after = [Secrets(100 + one.number, chance) for one in told]
    for one, new in zip(told, after, strict=True):
        for place in ("native", "file", "author"):
            new.of[place] = one[place]
    known = set(desk.records())
    late = [
        replace(observed(new, None, None, later=True, at=start), kind=Kind.POST if answers[one.number] is None else Kind.COMMENT,
                in_reply_to=answers[one.number]["native"] if answers[one.number] else None)  # type: ignore[index] # it is there
        for one, new in zip(told, after, strict=True)
    ]  # fmt: skip
    absent: dict[str, str] = {}
    leaves: set[str] = set()
    for one in told[:-2]:
        how = chance.choice(HOWS) if leaves or one is not told[-3] else "whole"
        if how in ("whole", "author"):
            leaves.add(one["words"])
        for place in decide(desk, request, one, how, kinds[one.number]):
            absent[one[place]] = f"{place} of {one.number}, {how}, {kinds[one.number]}"
    desk.capture(batch(desk.clock, late))
    assert set(desk.records()) == known
    for one in left_out:
        absent |= {one[place]: f"{place} of {one.number}, not selected" for place in PLACES}
    for one in after:
        absent |= {one[place]: f"{place} of {one.number}, later" for place in PLACES if place not in ("native", "file", "author")}  # fmt: skip
    folder = desk.make_all(request, tmp_path / "out")
    found = [(absent[word], where) for word, where in reader.met(absent, folder)]
    assert found == []
    assert leaves
    assert {word for word, _ in reader.met(leaves, folder)} == leaves
    assert checking.check(folder).findings == []
