"""Records over the API: what is shown to whom, how it stood, and the ways out of custody."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.store import merkle
from app.store.note import Checkpoint, Verifier, opened
from tests.doors.conftest import PNG, record_of


@pytest.fixture
def ids(archive):
    """The record that the platform knows by an id."""
    return lambda native_id: record_of(archive.store, native_id)


# -- one record --------------------------------------------------------------------------------------------


def test_a_record_has_the_promised_shape(person, ids):
    told = person("reader").get(f"/api/v1/records/{ids('1')}").json()
    assert {
        "id", "page", "kind", "native_id", "url", "state", "in_reply_to", "root", "author", "published_at", "version",
        "versions", "text", "html", "attachments", "counts", "first_seen", "last_seen", "interval", "series", "held",
        "origin", "entry",
    } <= told.keys()  # fmt: skip
    assert told["text"] == "The bridge on Mill Road is open again for cars."
    assert (told["version"], told["versions"], told["counts"]) == (2, 2, {"likes": 5})
    old = person("reader").get(f"/api/v1/records/{ids('1')}?version=1").json()
    assert old["text"] == "The bridge on Mill Road is closed because of the flood."
    assert person("reader").get(f"/api/v1/records/{ids('1')}?version=3").status_code == 404


def test_its_versions_are_told_oldest_first(person, ids):
    told = person("reader").get(f"/api/v1/records/{ids('4')}/versions").json()
    assert told["total"] == 2
    assert [one["state"] for one in told["versions"]] == ["present", "gone"]
    assert told["versions"][1]["last_seen_before"] == "2026-03-02T10:00:00Z"
    assert told["versions"][1]["observed_at"] == "2026-03-06T10:00:00Z"


def test_its_family_is_the_post_with_everything_that_answers_it(person, ids):
    told = person("reader").get(f"/api/v1/records/{ids('4')}/family").json()
    assert [(one["native_id"], one["depth"]) for one in told["records"]] == [
        ("1", 0),
        ("2", 1),
        ("4", 2),
        ("3", 1),
        ("5", 1),
    ]
    assert (told["total"], told["next"], told["root"]) == (5, None, str(ids("1")))
    first = person("reader").get(f"/api/v1/records/{ids('4')}/family?limit=3").json()
    rest = (
        person("reader")
        .get(f"/api/v1/records/{ids('4')}/family", params={"limit": 3, "cursor": first["next"]})
        .json()
    )
    assert [one["native_id"] for one in first["records"] + rest["records"]] == ["1", "2", "4", "3", "5"]


def test_a_family_is_shown_as_it_stood_and_read_at_a_moment(person, ids):
    told = (
        person("reader")
        .get(f"/api/v1/records/{ids('1')}/family", params={"at": "2026-03-02T10:00:00Z"})
        .json()
    )
    stood = {one["native_id"]: one for one in told["records"]}
    assert stood["1"]["text"] == "The bridge on Mill Road is closed because of the flood."
    assert {name: one["at"] for name, one in stood.items()} == {
        "1": "shown",
        "2": "shown",
        "3": "shown",
        "4": "shown",
        "5": "shown",
    }
    told = (
        person("reader")
        .get(f"/api/v1/records/{ids('1')}/family", params={"at": "2026-03-07T10:00:00Z"})
        .json()
    )
    stood = {one["native_id"]: one["at"] for one in told["records"]}
    assert (stood["3"], stood["4"]) == ("not_shown", "not_shown")
    between = (
        person("reader")
        .get(f"/api/v1/records/{ids('1')}/family", params={"at": "2026-03-05T00:00:00Z"})
        .json()
    )
    assert {one["native_id"]: one["at"] for one in between["records"]}["4"] == "uncertain"


def test_a_moment_that_is_none_is_refused(person, ids):
    answer = person("reader").get(f"/api/v1/records/{ids('1')}/family?at=yesterday")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-moment")


# -- private messages --------------------------------------------------------------------------------------


def test_a_private_message_is_there_for_its_role_alone(person, ids):
    message = ids("6")
    assert person("confidant").get(f"/api/v1/records/{message}").json()["kind"] == "message"
    for what in ("", "/versions", "/family", "/evidence", "/proof"):
        answer = person("custodian").get(f"/api/v1/records/{message}{what}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-record"), what


def test_metrics_do_not_count_private_messages(person, archive):
    told = person(None).get("/metrics").text
    assert 'kind="post"' in told
    assert 'kind="message"' not in told
    assert "Alder" not in told


# -- attachments -------------------------------------------------------------------------------------------


def attachments(person, ids):
    told = person("reader").get(f"/api/v1/records/{ids('8')}").json()["attachments"]
    return {one["media_type"]: one for one in told}


def test_a_picture_is_shown_and_anything_else_is_handed_over_as_a_file(person, ids):
    found = attachments(person, ids)
    picture = person("reader").get(f"/api/v1/attachments/{found['image/png']['id']}")
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    assert picture.headers["content-disposition"].startswith("inline")
    page = person("reader").get(f"/api/v1/attachments/{found['text/html']['id']}")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"].startswith("attachment")
    for answer in (picture, page):
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_attachment_needs_a_reading_role(person, ids):
    one = attachments(person, ids)["image/png"]["id"]
    assert person("machine").get(f"/api/v1/attachments/{one}").status_code == 403
    assert person(None).get(f"/api/v1/attachments/{one}").status_code == 401


# -- the ways out of custody -------------------------------------------------------------------------------


def test_evidence_leaves_with_its_role_an_entry_and_an_access(person, ids):
    assert person("reader").get(f"/api/v1/records/{ids('2')}/evidence").status_code == 403
    answer = person("custodian").get(
        f"/api/v1/records/{ids('2')}/evidence", params={"why": "asked by counsel"}
    )
    assert answer.status_code == 200
    told = gzip.decompress(answer.content)
    assert told.startswith(b"WARC/1.1\r\n")
    assert b"How long will the bridge stay closed?" in told
    assert b"Nobody tells us anything" not in told
    assert answer.headers["content-disposition"] == f'attachment; filename="{ids("2")}.warc.gz"'
    acts = person("auditor").get("/api/v1/audit?type=export").json()
    assert [act["why"] for act in acts["acts"]] == ["asked by counsel"]
    log = person("auditor").get("/api/v1/accesses", params={"record": str(ids("2"))}).json()
    assert log["accesses"][0]["action"] == "export"


def test_a_proof_is_the_promised_folder(person, ids):
    assert person("reader").get(f"/api/v1/records/{ids('1')}/proof").status_code == 403
    answer = person("custodian").get(f"/api/v1/records/{ids('1')}/proof?version=1")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        names = {name.partition("/")[2] for name in packed.namelist()}
        statement = next(packed.read(name) for name in packed.namelist() if name.endswith("/statement.json"))
    assert {
        "statement.json",
        "salt.hex",
        "entry.json",
        "item.tlog-proof",
        "disclosures.txt",
        "log.vkey",
    } <= names
    assert json.loads(statement)["v"]


# -- the ledger --------------------------------------------------------------------------------------------


def test_anybody_can_check_the_ledger_from_its_static_files(person, archive):
    stranger = person(None)
    note = stranger.get("/api/v1/ledger/checkpoint").text
    verifier = Verifier.parse(stranger.get("/api/v1/ledger/vkey").text.strip())
    said = Checkpoint.parse(opened(note, verifier))
    width = said.size % 256
    tile = stranger.get(f"/api/v1/ledger/tile/0/000.p/{width}").content
    hashes = [tile[start : start + 32] for start in range(0, len(tile), 32)]
    assert len(hashes) == said.size == width
    assert merkle.fold(hashes) == said.root
    bundle = stranger.get(f"/api/v1/ledger/tile/entries/000.p/{width}").content
    bodies = []
    while bundle:
        length = int.from_bytes(bundle[:2])
        bodies.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert [merkle.leaf_hash(body) for body in bodies] == hashes


def test_many_who_ask_at_once_are_given_one_checkpoint(person, archive):
    page = person("reader").get("/api/v1/pages").json()["pages"][0]["id"]
    strangers = [person(None) for _ in range(6)]
    for act in ("pause", "resume", "approve"):
        assert person("reader").post(f"/api/v1/pages/{page}/{act}", json={"why": "a test"}).status_code == 200
        with ThreadPoolExecutor(len(strangers)) as together:
            told = list(together.map(lambda one: one.get("/api/v1/ledger/checkpoint"), strangers))
        assert {answer.status_code for answer in told} == {200}
        assert len({answer.text for answer in told}) == 1
    assert archive.store.ledger.verify() == []


@pytest.mark.parametrize(
    "path",
    [
        "0/001",
        "0/000",
        "entries/000",
        "0/000.p/255",
        "0/x000/000",
        "64/000",
        "0/0",
        "0/000.p/0",
        "0/000.p/256",
        "../../x",
        "9/000.p/1",
    ],
)
def test_no_tile_runs_ahead_of_what_was_signed_or_has_two_names(person, path):
    answer = person(None).get(f"/api/v1/ledger/tile/{path}")
    assert answer.status_code == 404


def test_a_consistency_proof_leads_from_an_old_ledger_to_a_new_one(person, archive):
    old = Checkpoint.parse(
        opened(person(None).get("/api/v1/ledger/checkpoint").text, archive.store.ledger.verifier())
    )
    page = person("reader").get("/api/v1/pages").json()["pages"][0]["id"]
    person("reader").post(f"/api/v1/pages/{page}/approve", json={"why": "agreed"})
    new = Checkpoint.parse(
        opened(person(None).get("/api/v1/ledger/checkpoint").text, archive.store.ledger.verifier())
    )
    assert new.size > old.size
    told = (
        person("auditor").get("/api/v1/ledger/consistency", params={"old": old.size, "new": new.size}).json()
    )
    proof = [base64.b64decode(part) for part in told["proof"]]
    assert merkle.check_consistency(old.size, new.size, old.root, new.root, proof)
    assert not merkle.check_consistency(old.size, new.size, new.root, old.root, proof)
    too_far = person("auditor").get("/api/v1/ledger/consistency", params={"old": 1, "new": new.size + 1})
    assert (too_far.status_code, too_far.json()["code"]) == (422, "bad-sizes")


# -- monitors ----------------------------------------------------------------------------------------------


def test_the_archive_says_that_it_is_ready(person):
    assert person(None).get("/healthz").json() == {"status": "ok"}
    told = person(None).get("/readyz")
    assert told.status_code == 200
    assert set(told.json()["checks"]) >= {"database", "keyring", "objects", "index"}


def test_it_says_which_part_is_not(person, archive):
    from dataclasses import replace

    from app.store.objects import Folder

    broken = Folder(archive.settings.home / "objects")
    broken.folder = archive.settings.home / "archive.db" / "objects"
    client = person(None)
    client.client.app.state.parts = replace(
        client.client.app.state.parts, store=replace(archive.store, objects=broken)
    )
    told = client.get("/readyz")
    assert told.status_code == 503
    assert told.json()["checks"]["database"] == "ok"
    assert told.json()["checks"]["objects"] == "NotADirectoryError"
