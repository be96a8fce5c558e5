"""The certificate of destruction: everything that it says is so, each entry is proven, and its paper is PDF/A."""

from __future__ import annotations

import base64
import hashlib
import json
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import insert

from app import officers
from app.db import to_instant
from app.disposition import certifying, nightly, paper, proposing, telling
from app.disposition.certifying import Certificate
from app.disposition.proposals import Proposal
from app.disposition.refusals import NotExecuted
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.store import Store, disposals, merkle
from app.store.canonical import canonical, plain
from app.store.note import Checkpoint, opened
from app.store.tables import backups
from tests.steps.disposing import OLD, YOUNG, Office, office
from tests.steps.on_paper import (
    IN_EVERY_SCRIPT,
    attached,
    count_of,
    is_pdf_a,
    needs_a_reader,
    read_aloud,
    stands,
)
from tests.steps.rendering import HOSTILE
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


def test_of_a_list_of_which_everything_stayed_nobody_is_told_to_execute_it_again(here: Office):
    kept = here.keep("a", "b")
    found = here.approved()
    here.place(*kept)
    here.wait()
    now = here.execute(found).proposal
    with pytest.raises(NotExecuted, match="everything on this list stayed") as refused:
        certify(here, now)
    assert "Execute" not in refused.value.next
    assert telling.next_step(now) == "Everything on its list stayed; nothing was disposed of."


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


def pdf_of(here: Office) -> tuple[dict[str, Any], bytes]:
    made = certify(here, disposed(here))
    return made.told, made.pdf(here.of)


def test_the_paper_is_what_pdf_a_asks_for_with_the_certificate_for_programs_in_it(here: Office):
    """Our own check of what ISO 19005-3 asks most plainly; the whole of it is a validator's, which is not at hand here."""
    told, content = pdf_of(here)
    assert content.startswith(b"%PDF-1.7\n%")
    assert is_pdf_a(content, part=3)
    assert b"/AFRelationship /Data" in content or b"/AFRelationship/Data" in content
    assert json.loads(attached(content)["certificate.json"]) == told
    reader = PdfReader(BytesIO(content))
    assert reader.metadata is not None
    assert reader.metadata.title == "Certificate of destruction"
    assert reader.metadata.author == "Harrow Falls"


def test_everything_that_it_says_is_read_on_paper(here: Office):
    told, content = pdf_of(here)
    said = read_aloud(content)
    for wanted in (
        "EXECUTED", told["batch"], told["citation"], told["instrument"], told["proposed"]["email"],
        told["approvals"][0]["why"], told["verifier_key"], *told["proven"], *told["not_proven"], *told["records"],
    ):  # fmt: skip
        assert stands(wanted, said), wanted


def test_the_same_certificate_is_the_same_bytes_at_every_time(here: Office):
    told, content = pdf_of(here)
    assert paper.pdf(told, here.clock.now()) == content
    assert paper.pdf(told | {"series": "COR-04"}, here.clock.now()) != content


@needs_a_reader
def test_names_in_every_script_stand_on_it_and_in_what_is_attached(here: Office):
    """Of agency, people and pages; a sign that no font of the machine has is told by its number."""
    told, _ = pdf_of(here)
    names = " and ".join(IN_EVERY_SCRIPT)
    told["agency"] = told["agency"] | {"name": f"Town of {names}"}
    told["approvals"] = [told["approvals"][0] | {"name": f"Approver {names}", "why": f"because {names}"}]
    told["pages"] = [told["pages"][0] | {"name": f"Page {names}"}]
    content = paper.pdf(told, here.clock.now())
    said = read_aloud(content)
    for name in IN_EVERY_SCRIPT:
        assert count_of(name, said) >= 5, name  # of the agency on top and at the foot, once of all others
    assert "?" not in said
    assert "\ufffd" not in said
    assert json.loads(attached(content)["certificate.json"]) == told


def test_what_somebody_wrote_steers_nothing_on_it_and_begins_no_line_of_its_own(here: Office):
    told, _ = pdf_of(here)
    one = told["approvals"][0]
    forged = "fine\nMayor <mayor@harrowfalls.example>, approver: yes"
    told["approvals"] = [one | {"why": HOSTILE}, one | {"why": forged}]
    content = paper.pdf(told, here.clock.now())
    said = read_aloud(content)
    assert "⟨U+202E⟩" in said
    assert not set(said) & {"\u202e", "\u200b", "\x1b"}
    assert not any(line.lstrip().startswith("Mayor") for line in said.splitlines())


def test_a_long_certificate_runs_over_its_pages(here: Office):
    told, _ = pdf_of(here)
    told["approvals"] = told["approvals"] * 60
    told["records"] = told["records"] * 400
    content = paper.pdf(told, here.clock.now())
    assert len(PdfReader(BytesIO(content)).pages) >= 3
    assert "and 1,150 more" in read_aloud(content)
    assert len(json.loads(attached(content)["certificate.json"])["records"]) == 1_200
