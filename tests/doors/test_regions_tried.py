"""A region that cannot be taken out is refused when it is decided, through every door, and what was decided before is told by the preview."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from pypdf import PdfWriter

from app import officers
from app.capture import importing, records
from app.cli import door
from app.disclosure import requests, reviewing
from app.disclosure.redacting import Region, Where
from app.main import Archive, _Productions
from tests.doors.conftest import Browser, Person, Town, parts_of, record_of, serving
from tests.doors.test_request_doors import opened
from tests.doors.test_review_doors import GROUND, READER, N, ok

Who = Callable[[str | None], Person]
WHY = {"why": "a face"}
REGION = [0, 0, 5000, 5000]


def document(password: str = "") -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 100)
    if password:
        writer.encrypt(user_password=password, algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def picture(side: int, *, whole: bool = True) -> bytes:
    """A white PNG of one bit a pixel; `whole` or cut off in the middle of its pixels."""

    def part(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    rows = zlib.compress((b"\0" + b"\xff" * -(-side // 8)) * side, 1)
    head = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return head + part(b"IDAT", rows if whole else rows[: len(rows) // 2]) + part(b"IEND", b"")


def received(archive: Archive, folder: Path, content: bytes, media_type: str) -> tuple[UUID, UUID]:
    """A record is received with a file; the record and the attachment."""
    (folder / "file").write_bytes(content)
    held = {"id": "file", "path": "file", "media_type": media_type, "url": None}
    line = {"platform": "blog", "page": "minutes", "native_id": "m1", "kind": "post", "text": "The bridge", "attachments": [held]}  # fmt: skip
    (folder / "lines.jsonl").write_text(json.dumps(line) + "\n")
    importing.observations(
        archive.store, folder / "lines.jsonl", page=None, make_pages=True, by=None, why="a test", tick=lambda: 0.0
    )  # fmt: skip
    archive.follow()
    record = record_of(archive.store, "m1")
    with archive.store.database.read() as tx:
        kept = records.there(archive.store, tx, record, messages=False).attachments[0].id
    assert kept is not None
    return record, kept


@pytest.fixture
def web(archive: Archive, tmp_path: Path) -> FastAPI:
    return serving(parts_of(archive, productions=_Productions(archive, tmp_path / "productions")))


def asked(who: Person) -> None:
    opened(who)
    ok(who.post(f"/api/v1/requests/{N}/selection", json={"query": "bridge", **WHY}))
    ok(who.post(f"/api/v1/requests/{N}/confirm", json=WHY))


CANNOT = {
    "a page that there is not": (document(), "application/pdf", [99, *REGION], 422, "bad-redaction", "page 99"),
    "a document that is locked": (document("x"), "application/pdf", [1, *REGION], 409, "attachment-cannot-be-remade", "password"),
    "a picture that is too large": (picture(20_000), "image/png", [1, *REGION], 409, "attachment-cannot-be-remade", "larger"),
    "a picture that is cut off": (picture(500, whole=False), "image/png", [1, *REGION], 409, "attachment-cannot-be-remade", "cannot be read"),
    "a region outside": (picture(40), "image/png", [1, 0, 0, 10_001, 5], 422, "bad-redaction", "between 0 and 10000"),
    "a second page of a picture": (picture(40), "image/png", [2, *REGION], 422, "bad-redaction", "no page 2"),
}  # fmt: skip


@pytest.mark.parametrize("what", CANNOT)
def test_what_cannot_be_taken_out_is_refused_when_it_is_decided(
    person: Who, browser: Callable[[str | None], Browser], archive: Archive, tmp_path: Path, what: str
):
    content, media_type, region, status, code, said = CANNOT[what]
    record, attachment = received(archive, tmp_path, content, media_type)
    who = person("reader")
    asked(who)
    told = who.post(
        f"/api/v1/reviews/{N}/records/{record}/redactions",
        json={"attachment": str(attachment), "region": region, "exemption": GROUND, **WHY},
    )
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert said in told.json()["detail"]
    assert told.json()["next"]
    at = f"/requests/{N}/review/records/{record}"
    form = {"attachment": str(attachment), "region": ", ".join(map(str, region)), "exemption": GROUND}
    page = browser("reader").send(at, f"{at}/redact", **form, why="a face")
    assert page.status_code == status
    assert said in page.text
    assert ok(who.get(f"/api/v1/reviews/{N}/records/{record}"), 200)["decisions"] == []


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(document(), "application/pdf"), (picture(40), "image/png")],
    ids=["a document", "a picture"],
)
def test_what_can_be_taken_out_is_decided(person: Who, archive: Archive, tmp_path: Path, content: bytes, media_type: str):  # fmt: skip
    record, attachment = received(archive, tmp_path, content, media_type)
    who = person("reader")
    asked(who)
    asking = {"attachment": str(attachment), "region": [1, *REGION], "exemption": GROUND, **WHY}
    ok(who.post(f"/api/v1/reviews/{N}/records/{record}/redactions", json=asking))
    assert ok(who.get(f"/api/v1/requests/{N}/production"), 200)["conflicts"] == []


@pytest.mark.parametrize("what", ["a page that there is not", "a document that is locked", "a picture that is too large"])  # fmt: skip
def test_what_was_decided_before_it_was_tried_stands_in_the_way_in_the_preview(
    person: Who, archive: Archive, tmp_path: Path, what: str
):
    content, media_type, region, _, _, said = CANNOT[what]
    record, attachment = received(archive, tmp_path, content, media_type)
    who = person("reader")
    asked(who)
    made = decided(archive, record, Region(attachment, *region))
    (conflict,) = ok(who.get(f"/api/v1/requests/{N}/production"), 200)["conflicts"]
    assert (conflict["code"], conflict["record"], conflict["blocks"]) == ("attachment-not-remade", str(record), True)  # fmt: skip
    assert said in conflict["what"]
    assert conflict["next"]
    refused = who.post(f"/api/v1/requests/{N}/productions", json={"prefix": "AC-", **WHY})
    assert (refused.status_code, refused.json()["code"]) == (409, "production-conflicts")
    ok(who.post(f"/api/v1/redactions/{made}/retract", json=WHY), 200)
    assert ok(who.get(f"/api/v1/requests/{N}/production"), 200)["conflicts"] == []


def test_a_locked_document_of_a_record_that_leaves_in_part_is_withheld_or_leaves_whole(
    person: Who, archive: Archive, tmp_path: Path
):
    record, attachment = received(archive, tmp_path, document("x"), "application/pdf")
    who = person("reader")
    asked(who)
    at = f"/api/v1/reviews/{N}/records/{record}"
    ok(who.post(f"{at}/redactions", json={"span": [0, 3], "exemption": GROUND, "only_here": True, **WHY}))
    (conflict,) = ok(who.get(f"/api/v1/requests/{N}/production"), 200)["conflicts"]
    assert (conflict["code"], "password" in conflict["what"]) == ("attachment-not-remade", True)
    left = ok(who.post(f"{at}/attachments/{attachment}/leaves", json=WHY))
    assert ok(who.get(f"/api/v1/requests/{N}/production"), 200)["conflicts"] == []
    ok(who.post(f"/api/v1/redactions/{left['id']}/retract", json=WHY), 200)
    ok(who.post(f"{at}/redactions", json={"attachment": str(attachment), "exemption": GROUND, **WHY}))
    assert ok(who.get(f"/api/v1/requests/{N}/production"), 200)["conflicts"] == []


def decided(archive: Archive, record: UUID, where: Where) -> UUID:
    """As it was decided before it was tried: by the verb alone."""
    store = archive.store
    with store.database.begin() as tx:
        found = requests.get(store, tx, N)
        officer = officers.find(tx, READER)
        held = records.there(store, tx, record, messages=False, by=officer.id)
        return reviewing.redact(store, tx, found, held, where, GROUND, by=officer, why="a face").id


# -- command line ------------------------------------------------------------------------------------------


def test_by_the_command_line_a_region_is_refused_and_words_and_details_are_let_stay(
    archive: Archive, laid: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):  # fmt: skip
    record, attachment = received(archive, tmp_path, document(), "application/pdf")
    other, home = record_of(archive.store, "1"), archive.settings.home
    archive.close()
    monkeypatch.setenv("MUNIMENT_HOME", str(home))
    monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens["reader"])

    def run(*words: str, code: int = 0) -> Any:
        assert door.main([*words, "--json"]) == code, capsys.readouterr().err
        told = capsys.readouterr()
        return json.loads(told.out or told.err)

    made = run("request", "open", "--text", "the bridge", "--received", "2026-03-02T10:00:00-09:00", "--law", "us-ak-state", "--why", "mail")["id"]  # fmt: skip
    run("request", "select", made, "--query", "bridge", "--why", "x")
    run("request", "confirm", made, "--why", "x")
    where = ("--attachment", str(attachment), "--exemption", GROUND, "--why", "x")
    run("review", "redact", made, str(record), "--region", "99:0,0,5,5", *where, code=2)
    assert run("review", "list", made)["redacted"] == 0
    run("review", "redact", made, str(record), "--region", "1:0,0,5000,5000", *where)
    kept = run("review", "keep", made, str(other), "--field", "details", "--why", "a newspaper's")
    assert (kept["kind"], kept["field"]) == ("kept", "details")
    assert run("review", "keep", made, str(other), "--words", "bridge", "--why", "x")["kind"] == "kept"
    assert run("review", "list", made)["redacted"] == 1
