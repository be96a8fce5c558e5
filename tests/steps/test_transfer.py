"""Transfers: the archives get a bag that proves itself, and only what they gave a receipt for is disposed of here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from app.capture.leaving import Leaving
from app.disposition import transferring
from app.disposition.proposals import APPROVED, EXECUTED, Proposal
from app.disposition.refusals import MessagesInside, NoReceipt, NotATransfer, NotWaitingForThat
from app.disposition.transferring import Packed, ReceiptUnreadable
from app.records.clock import FixedClock
from app.records.nouns import Role
from app.store import Store, bag
from app.store.outgoing.folder import FolderOfSomethingElse
from app.store.proofs import FolderNotEmpty
from connectors.contract import Attachment, Kind, Observation
from tests.steps.disposing import OLD, Office, office, somebody
from tests.steps.scripted import listing
from tests.steps.test_capture import World, post


@pytest.fixture
def here(store: Store, clock: FixedClock) -> Office:
    made = office(World(store, clock), clock)
    made.adopt()
    return made


def pack(here: Office, found: Proposal, out: Path, *roles: Role) -> Packed:
    by = somebody("packer", Role.RECORDS_OFFICER, *roles)
    home = here.store.ledger.folder.parent
    return transferring.pack(here.of, found.id, out, home=home, by=by, why="they take it on Monday")


def accept(here: Office, found: Proposal, receipt: Path) -> Proposal:
    with here.store.database.begin() as tx:
        return transferring.accept(here.of, tx, found.id, receipt, by=here.clerk, why="it came by mail")


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    file = tmp_path / "receipt.txt"
    file.write_text("Received, State Archives\n")
    return file


def test_records_are_disposed_of_here_only_after_the_archives_gave_their_receipt(
    here: Office, tmp_path: Path, receipt: Path
):
    old = here.keep("a", "b", series="EXE-01")
    found = here.approved("EXE-01")
    assert (found.kind, found.state) == ("transfer", APPROVED)
    here.wait()
    with pytest.raises(NoReceipt):
        here.execute(found)
    packed = pack(here, found, tmp_path / "bag")
    assert (packed.records, packed.excluded) == (2, 0)
    with pytest.raises(NoReceipt):
        here.execute(found)
    told = accept(here, found, receipt)
    assert told.transfer is not None
    assert told.transfer.receipt is not None
    done = here.execute(found)
    assert (done.disposed, done.proposal.state) == (2, EXECUTED)
    assert here.gone(*old) == set(old)
    assert here.acts(found)[-6:] == ["authorised", "packed", "accepted", "begun", "executed", "verified"]
    assert here.world.soundness() == []


def test_the_bag_holds_each_record_as_json_as_text_with_its_attachments_and_its_proofs(
    here: Office, tmp_path: Path
):
    picture = Attachment(id="a", url="https://blog.example/map.png", media_type="image/png")
    here.world.client.files = {picture.url or "": b"PICTURE OF A MAP"}
    here.world.capture(listing(here.clock, post("p", "the bridge is closed", published_at=OLD, attachments=[picture])))  # fmt: skip
    here.world.capture(listing(here.clock, post("p", "the bridge is open", published_at=OLD, attachments=[picture])))  # fmt: skip
    identity = here.world.records()["p"].id
    here.assign([identity], "EXE-01")
    out = tmp_path / "bag"
    pack(here, here.approved("EXE-01"), out)
    folder = out / "data" / "records" / str(identity)
    assert json.loads((folder / "record.json").read_text())["text"] == "the bridge is open"
    assert (folder / "text.txt").read_text() == "the bridge is open"
    assert [json.loads((folder / "versions" / f"v{n}.json").read_text())["text"] for n in (1, 2)] == [
        "the bridge is closed",
        "the bridge is open",
    ]
    (kept,) = (folder / "attachments").iterdir()
    assert kept.read_bytes() == b"PICTURE OF A MAP"
    about = json.loads((out / "data" / "metadata.json").read_text())
    assert (about["series"], about["citation"], about["records"]) == ("EXE-01", "Resolution 12, item 7", 1)
    assert about["agency"]["name"] == "Harrow Falls"
    assert "held" not in json.loads((folder / "record.json").read_text())
    told = subprocess.run(
        ["python3", str(out / "data/verify/verify.py"), str(folder / "proof/v2")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


def summed(folder: Path) -> bool:
    """What sha256sum, from anybody's machine, says of the files that the bag lists."""
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "manifest-sha256.txt", "tagmanifest-sha256.txt"],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0


def test_the_bag_is_whole_by_its_own_manifests_and_an_altered_one_is_not(here: Office, tmp_path: Path):
    here.keep("a", series="EXE-01")
    out = tmp_path / "bag"
    packed = pack(here, here.approved("EXE-01"), out)
    bag.check(out)
    assert packed.digest == bag.digest(out)
    assert summed(out)
    assert (out / "bagit.txt").read_text().startswith("BagIt-Version: 1.0\n")
    (text,) = out.glob("data/records/*/text.txt")
    text.write_text("words of b")
    assert not summed(out)
    with pytest.raises(bag.BadBag):
        bag.check(out)


@pytest.mark.parametrize(
    "harm", ["extra", "missing", "manifest", "tag", "declaration", "whitespace", "oxum", "link"]
)
def test_no_harm_to_a_bag_passes_its_check(tmp_path: Path, harm: str):
    out = tmp_path / "bag"

    def fill(payload: Path) -> None:
        (payload / "a.txt").write_text("one")
        (payload / "b").mkdir()
        (payload / "b" / "c.txt").write_text("two")

    bag.write(out, fill, {"Source-Organization": "Harrow Falls " * 12})
    bag.check(out)
    assert summed(out)
    match harm:
        case "extra":
            (out / "data" / "d.txt").write_text("three")
        case "missing":
            (out / "data" / "a.txt").unlink()
        case "manifest":
            (out / "manifest-sha512.txt").unlink()
        case "tag":
            (out / "bag-info.txt").write_text((out / "bag-info.txt").read_text() + "Contact-Name: Eve\n")
        case "declaration":
            (out / "bagit.txt").write_text("BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n")
        case "whitespace":
            lines = (out / "tagmanifest-sha256.txt").read_text()
            (out / "tagmanifest-sha256.txt").write_text(lines.replace("  ", " \t", 1))
        case "oxum":
            (out / "bag-info.txt").write_text("Payload-Oxum: 7.2\n")
        case _:
            (out / "data" / "e.txt").symlink_to(out / "data" / "a.txt")
    with pytest.raises(bag.BadBag):
        bag.check(out)


def test_what_was_held_when_it_was_packed_is_not_disposed_of_by_that_receipt(
    here: Office, tmp_path: Path, receipt: Path
):
    """It is not in the bag: were the hold released before execution, nobody would have it any more."""
    held, free = here.keep("a", "b", series="EXE-01")
    found = here.approved("EXE-01")
    hold = here.place(held)
    packed = pack(here, found, tmp_path / "bag")
    assert (packed.records, packed.excluded) == (1, 1)
    accept(here, found, receipt)
    here.release(hold)
    here.wait()
    done = here.execute(found)
    assert list(done.excluded) == [held]
    assert here.gone(held, free) == {free}


def test_what_a_silent_hold_covers_is_packed_as_if_nothing_covered_it_and_stays_here(
    here: Office, tmp_path: Path, receipt: Path
):
    """The archives get a copy: a bag that left it out would tell of the matter by its number."""
    held, free = here.keep("a", "b", series="EXE-01")
    found = here.approved("EXE-01")
    here.place(held, silent=True)
    packed = pack(here, found, tmp_path / "bag")
    assert (packed.records, packed.excluded) == (2, 0)
    accept(here, found, receipt)
    here.wait()
    done = here.execute(found)
    assert list(done.excluded) == [held]
    assert here.gone(held, free) == {free}


def test_what_changed_after_it_was_packed_stays(here: Office, tmp_path: Path, receipt: Path):
    edited, grown, same = here.keep("a", "b", "c", series="EXE-01")
    found = here.approved("EXE-01")
    pack(here, found, tmp_path / "bag")
    accept(here, found, receipt)
    picture = Attachment(id="a", url="https://blog.example/map.png", media_type="image/png")
    here.world.client.files = {picture.url or "": b"PICTURE OF A MAP"}
    here.world.capture(
        listing(
            here.clock,
            post("a", "other words", published_at=OLD),
            post("b", "words of b", published_at=OLD, attachments=[picture]),
        )
    )
    here.wait()
    done = here.execute(found)
    assert set(done.excluded) == {edited, grown}
    assert here.gone(edited, grown, same) == {same}


def test_packed_again_the_newest_bag_needs_a_receipt_of_its_own(here: Office, tmp_path: Path, receipt: Path):
    here.keep("a", series="EXE-01")
    found = here.approved("EXE-01")
    pack(here, found, tmp_path / "one")
    accept(here, found, receipt)
    pack(here, found, tmp_path / "two")
    here.wait()
    with pytest.raises(NoReceipt):
        here.execute(found)
    accept(here, found, receipt)
    with pytest.raises(NotATransfer):
        accept(here, found, receipt)
    assert here.execute(found).disposed == 1


def test_a_receipt_that_names_another_bag_is_none_for_the_newest(here: Office, tmp_path: Path, receipt: Path):
    """The archives answer for what they got: another list's bag, or the one before."""
    here.keep("a", series="EXE-01")
    other = pack(here, here.approved("EXE-01"), tmp_path / "other")
    here.keep("b", series="EXE-01")
    found = here.approved("EXE-01")
    one = pack(here, found, tmp_path / "one")
    two = pack(here, found, tmp_path / "two")
    assert len({other.digest, one.digest, two.digest}) == 3
    for wrong in (one, other):
        receipt.write_text(f"Received the bag {wrong.digest.hex().upper()}\n")
        with pytest.raises(NoReceipt, match="names another bag"):
            accept(here, found, receipt)
    receipt.write_text(f"Received {two.digest.hex().upper()}, in the place of {one.digest.hex()}\n")
    assert accept(here, found, receipt).transfer is not None
    here.wait()
    assert here.execute(found).disposed == 1


def test_a_receipt_is_a_file_with_something_in_it_for_a_bag_that_was_packed(
    here: Office, tmp_path: Path, receipt: Path
):
    here.keep("a", series="EXE-01")
    found = here.approved("EXE-01")
    with pytest.raises(NoReceipt):
        accept(here, found, receipt)
    pack(here, found, tmp_path / "bag")
    (tmp_path / "empty").touch()
    for wrong in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(ReceiptUnreadable):
            accept(here, found, wrong)


def test_only_an_approved_transfer_is_packed_and_only_into_an_empty_place_outside(
    here: Office, tmp_path: Path
):
    here.keep("a", series="EXE-01")
    here.keep("b")
    found = here.propose("EXE-01")
    with pytest.raises(NotWaitingForThat):
        pack(here, found, tmp_path / "bag")
    with pytest.raises(NotATransfer):
        pack(here, here.approved("COR-03"), tmp_path / "bag")
    found = here.approve(found)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    with pytest.raises(FolderNotEmpty):
        pack(here, found, tmp_path / "full")
    with pytest.raises(FolderOfSomethingElse):
        pack(here, found, here.store.ledger.folder / "bag")
    assert not (tmp_path / "bag").exists()


def test_private_messages_are_packed_only_by_somebody_who_may_read_them(here: Office, tmp_path: Path):
    message = Observation(
        native_id="m", kind=Kind.MESSAGE, text="a private word", published_at=OLD, private=True
    )
    here.world.capture(listing(here.clock, message))
    here.assign([here.world.records()["m"].id], "EXE-01")
    found = here.approved("EXE-01")
    with pytest.raises(MessagesInside):
        pack(here, found, tmp_path / "bag")
    assert pack(here, found, tmp_path / "bag", Role.MESSAGES).records == 1


def test_whatever_fails_while_packing_leaves_no_bag(
    here: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here.keep("a", series="EXE-01")
    found = here.approved("EXE-01")

    def fails(*_args: object, **_named: object) -> object:
        raise OSError("the disk is gone")

    monkeypatch.setattr(Leaving, "records", fails)
    with pytest.raises(OSError, match="disk is gone"):
        pack(here, found, tmp_path / "bag")
    assert not (tmp_path / "bag").exists()
    assert here.get(found).transfer is None
