"""The certificate of destruction: everything that it says is so, each entry is proven, and its paper is PDF/A."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from app import officers
from app.db import to_instant
from app.disposition import certifying, nightly, paper, proposing
from app.disposition.certifying import Certificate
from app.disposition.proposals import Proposal
from app.disposition.refusals import FontMissing, NotExecuted
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.store import Store, disposals, merkle
from app.store.canonical import canonical, plain
from app.store.note import Checkpoint, opened
from app.store.tables import backups
from tests.steps.disposing import OLD, YOUNG, Office, office
from tests.steps.test_capture import World


@pytest.fixture
def here(store: Store, clock: FixedClock) -> Office:
    made = office(World(store, clock), clock)
    made.adopt()
    return made


def disposed(here: Office) -> Proposal:
    here.keep("a", "b")
    here.keep("c", published=OLD.replace(month=7, year=2019))
    found = here.approved()
    here.wait()
    return here.execute(found).proposal


def certify(here: Office, found: Proposal) -> Certificate:
    return certifying.certify(here.of, found.id, software="Muniment test", by=here.clerk, why="for the file")


def test_it_says_what_was_disposed_of_by_whom_and_on_whose_authority(here: Office):
    found = disposed(here)
    told = certify(here, found).told
    assert told["state"] == "executed"
    assert (told["series"], told["title"], told["citation"]) == (
        "COR-03",
        "General correspondence",
        "Resolution 12, item 3",
    )
    assert (told["edition"], told["instrument"], told["adopted_on"]) == (
        "2026",
        "Resolution 12",
        "2026-03-02",
    )
    assert told["agency"]["name"] == "Harrow Falls"
    assert told["quantity"]["records"] == 3
    assert told["quantity"]["bytes"] > 0
    assert told["dates"] == {"from": "2019-07", "to": "2020-03", "undated": 0}
    assert told["pages"][0]["records"] == 3
    assert told["proposed"]["entry"] == found.entry
    assert [one["role"] for one in told["approvals"]] == ["approver"]
    assert told["holds_looked_at"] == [one["entry"] for one in told["executed"]]
    assert told["verified"][0]["records"] == 3
    assert len(told["records"]) == 3
    assert any("after it was published" in rule for rule in told["grounds"])
    assert told["timestamps"].startswith("No timestamp authority")


def test_it_names_the_people_as_the_archive_knows_them(here: Office):
    with here.store.database.begin() as tx:
        first = officers.first(here.store, tx, "records@harrowfalls.example").officer
        here.clerk = first
    told = certify(here, disposed(here)).told
    assert told["proposed"]["email"] == "records@harrowfalls.example"


def test_every_entry_that_it_names_is_proven_in_it(here: Office):
    told = certify(here, disposed(here)).told
    acts = [one["act"] for one in told["entries"]]
    assert acts == ["proposed", "approved", "authorised", "begun", "executed", "verified"]
    verifier = here.store.ledger.verifier()
    for one in told["entries"]:
        head, _, note = one["proof"].partition("\n\n")
        said = Checkpoint.parse(opened(note, verifier))
        hashes = [line for line in head.splitlines() if not line.startswith(("c2sp.org", "index", "extra"))]
        path = [base64.b64decode(line) for line in hashes]
        leaf = merkle.leaf_hash(one["body"].encode())
        assert merkle.check_inclusion(leaf, one["entry"], said.size, path, said.root)
        other = merkle.leaf_hash(one["body"].encode() + b" ")
        assert not merkle.check_inclusion(other, one["entry"], said.size, path, said.root)


def test_the_records_that_it_lists_are_those_of_the_executed_entries(here: Office):
    told = certify(here, disposed(here)).told
    root = disposals.root(UUID(one).bytes for one in told["records"]).hex()
    assert root == told["executed"][0]["root"]
    assert root != disposals.root(UUID(one).bytes for one in told["records"][1:]).hex()


def test_it_is_executed_while_a_copy_of_the_keys_lives_and_final_afterwards(here: Office):
    with here.store.database.begin() as tx:
        now = to_instant(here.clock.now())
        tx.execute(
            insert(backups).values(
                id=new_id().bytes, entry=0, at=now, done_at=now, keys_place="/safe/keys",
                epoch=min(here.store.keyring.keys.epochs()),
            )
        )  # fmt: skip
    found = disposed(here)
    told = certify(here, found).told
    assert (told["state"], told["survives"]["key_backups_until"]) == ("executed", "2026-04-02")
    here.wait(30)
    nightly.tonight(here.of)
    told = certify(here, found).told
    assert (told["state"], told["final"]["expired"]) == ("final", "2026-04-02")
    assert told["survives"]["key_backups_until"] is None
    assert told["entries"][-1]["act"] == "final"


def test_what_stayed_is_counted_and_not_named(here: Office):
    old = here.keep("a", "b")
    found = here.approved()
    here.place(old[0])
    here.wait()
    here.execute(found)
    told = certify(here, found).told
    assert told["quantity"]["stayed_on_recheck"] == 1
    assert str(old[0]) not in json.dumps(told)


def test_a_certificate_that_was_made_out_leaves_its_digest_in_the_ledger(here: Office):
    found = disposed(here)
    made = certify(here, found)
    assert made.digest == hashlib.sha256(canonical(plain(made.told))).hexdigest()
    with here.store.database.read() as tx:
        body = json.loads(here.store.ledger.entry(tx, made.entry))
    assert (body["act"], body["digest"]) == ("certified", made.digest)


def test_nothing_is_certified_that_was_not_executed_as_a_whole(here: Office):
    here.keep("a", "b", "c")
    found = here.approved()
    with pytest.raises(NotExecuted):
        certify(here, found)
    here.wait()

    class BrokenOff(Exception):
        pass

    def point(name: str) -> None:
        if name == "after-tombstone":
            raise BrokenOff

    with pytest.raises(BrokenOff):
        here.execute(found, most=2, point=point)
    with pytest.raises(NotExecuted, match="in part"):
        certify(here, found)


def test_the_certificate_of_an_order_names_its_instrument(here: Office):
    (young,) = here.keep("a", published=YOUNG)
    with here.store.database.begin() as tx:
        found = proposing.order(
            here.of, tx, [young], instrument="Order of 3 May", waiting_days=0, by=here.clerk, why="ordered"
        )
    here.execute(here.approve(found, here.attorney))
    told = certify(here, found).told
    assert (told["kind"], told["instrument"]) == ("order", "Order of 3 May")


# -- the paper ---------------------------------------------------------------------------------------------


def streams(content: bytes) -> list[bytes]:
    """What the streams of a PDF hold."""
    found = []
    for raw in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            found.append(zlib.decompress(raw))
        except zlib.error:
            found.append(raw)
    return found


def pdf_of(here: Office) -> tuple[dict[str, Any], bytes]:
    made = certify(here, disposed(here))
    return made.told, made.pdf(here.of)


def test_the_paper_is_what_pdf_a_3b_asks_for_as_far_as_can_be_seen_without_its_validator(here: Office):
    """Our own check of what ISO 19005-3 asks most plainly; the whole of it is a validator's, which is not at hand here."""
    told, content = pdf_of(here)
    assert content.startswith(b"%PDF-1.7\n%")
    xmp = next(one for one in streams(content) if b"<x:xmpmeta" in one).decode()
    assert re.search(r"pdfaid:part>\s*3\s*<", xmp)
    assert re.search(r"pdfaid:conformance>\s*B\s*<", xmp)
    assert "Certificate of destruction" in xmp
    assert b"/OutputIntents" in content
    assert b"/S /GTS_PDFA1" in content or b"/GTS_PDFA1" in content
    assert b"/Encrypt" not in content
    assert b"/JavaScript" not in content
    assert re.search(rb"/ID\s*\[", content)
    fonts = re.findall(rb"/Type /Font\n.*?>>|/BaseFont /\S+", content, re.DOTALL)
    assert fonts
    assert content.count(b"/FontFile2") >= 2  # both faces are embedded
    assert b"/Helvetica" not in content
    assert b"/AFRelationship /Data" in content
    (attached,) = [one for one in streams(content) if one.startswith(b"{") and b'"certificate"' in one]
    assert json.loads(attached) == told


def test_a_sign_that_the_font_does_not_have_is_shown_as_one(here: Office):
    told, _ = pdf_of(here)
    told["title"] = "Letters \U0001f600 in 漢字"
    content = paper.pdf(told, here.clock.now())
    (attached,) = [one for one in streams(content) if one.startswith(b"{") and b'"certificate"' in one]
    assert json.loads(attached)["title"] == told["title"]


def test_without_the_font_it_is_said_what_to_install(
    here: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    told, _ = pdf_of(here)
    monkeypatch.setattr(paper, "_FOLDERS", (tmp_path,))
    with pytest.raises(FontMissing) as refused:
        paper.pdf(told, here.clock.now())
    assert "fonts-dejavu-core" in refused.value.next


def test_a_long_certificate_runs_over_its_pages(here: Office):
    told, _ = pdf_of(here)
    told["approvals"] = told["approvals"] * 60
    told["records"] = told["records"] * 400
    content = paper.pdf(told, here.clock.now())
    assert len(re.findall(rb"/Type /Page\n", content)) >= 3
