"""Transferring: custody passes to the archives. First the bag, then their receipt, and only then is it disposed of here.

A bag holds the records in the clear: it is a way out of custody, with an entry
of its own. What changed after it was packed stays here when the transfer is
executed, for the archives do not have it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app.capture import pages
from app.capture.leaving import Leaving
from app.db import Tx, key_of
from app.db.database import lock_ledger
from app.db.rows import insert_rows
from app.disposition import proposals
from app.disposition.approving import authority, must_stand
from app.disposition.disposing import Disposing
from app.disposition.executing import files_of, goes
from app.disposition.proposals import APPROVED, TRANSFER, TYPE, Prints, Proposal
from app.disposition.refusals import MessagesInside, NoReceipt, NotATransfer
from app.records.errors import Invalid
from app.records.nouns import Officer, Role
from app.store import access, bag, disposals, proofs, quarantine
from app.store.outgoing import folder as outgoing
from app.store.outgoing import walk
from app.store.outgoing.telling import AsOf, RecordTold
from app.store.store import Store
from app.store.tables import disposal_records, records, transfer_records, transfers
from app.store.tables import disposals as batches

PACKERS = (Role.RECORDS_OFFICER, Role.CUSTODIAN_OF_EVIDENCE)
_PART = 100
_LARGEST_RECEIPT = 64 << 20


@dataclass(frozen=True, slots=True)
class Packed:
    """A bag that was packed: its place, its records, and the digest that the archives' receipt should name."""

    proposal: Proposal
    folder: Path
    records: int
    excluded: int
    digest: bytes

    def as_json(self) -> dict[str, object]:
        return {
            "id": str(self.proposal.id),
            "state": self.proposal.state,
            "records": self.records,
            "excluded": self.excluded,
            "folder": str(self.folder),
            "bag_sha256": self.digest.hex(),
        }


class ReceiptUnreadable(Invalid):
    """The receipt cannot be read, is empty, or is larger than a receipt."""

    code = "receipt-unreadable"


def pack(of: Disposing, which: str | UUID, out: Path, *, home: Path, by: Officer, why: str) -> Packed:
    """Write the records of an approved transfer as a bag; packed again, the newest bag is the one that counts.

    What is held by now, in quarantine, or not eligible any more, is left out,
    and counted.
    """
    outgoing.must_lie_outside(out, home)
    of_store = walk.remembering(of.store)
    stands = walk.as_of(of_store, walk.signed_now(of_store))
    with of.store.database.read() as tx:
        found = proposals.get(of.store, tx, which)
        _must_be_packed(found)
        listed = _keys(tx, found)
        keys = [key for part in _parts(listed) for key in _going(of, tx, found, part)]
        if not by.may(Role.MESSAGES) and _private(tx, keys):
            raise MessagesInside(
                "private messages are among these records",
                next="Somebody who holds the role `messages` as well packs them.",
            )
    with of.store.database.begin() as tx:
        access.note(of.store, tx, "export", by=by.id, detail={"what": "transfer", "proposal": str(found.id)})
    files: dict[int, int] = {}
    digest = bag.write(
        out,
        lambda payload: files.update(_fill(of_store, found, keys, stands, payload)),
        _info(of.store, found, len(keys)),
    )
    with of.store.database.begin() as tx:
        lock_ledger(tx)
        found = proposals.get(of.store, tx, found.id)
        _must_be_packed(found)
        entry = of.store.ledger.act(
            tx,
            TYPE,
            by=by.id,
            why=why,
            facts={"batch": found.id.hex, "act": "packed", "n": len(keys), "digest": digest.hex()},
            detail={"as_of": stands.size, "folder": str(out), "listed": _listed(tx, files, keys).hex()},
            subject=found.id,
        )
        made = tx.execute(insert(transfers).values(proposal=found.key, entry=entry, bag=digest, n=len(keys)))
        of_bag = key_of(made)
        insert_rows(
            tx, transfer_records, ("transfer", "record", "files"), [(of_bag, key, files[key]) for key in keys]
        )
        told = proposals.get(of.store, tx, found.id)
    return Packed(told, out, len(keys), len(listed) - len(keys), digest)


def accept(of: Disposing, tx: Tx, which: str | UUID, receipt: Path, *, by: Officer, why: str) -> Proposal:
    """Take down the archives' receipt for the newest bag by its digest; one that names another bag is refused."""
    content = _read(receipt)
    lock_ledger(tx)
    found = proposals.get(of.store, tx, which)
    _must_be_packed(found)
    if found.transfer is None:
        raise NoReceipt("nothing was packed yet", next="muniment disposition transfer ID --out FOLDER")
    if found.transfer.receipt is not None:
        raise NotATransfer("a receipt was taken down already", next="Execute it.")
    words, newest = content.decode("utf-8", "replace").lower(), found.transfer.bag.hex()
    if newest not in words and any(one in words for one in _bags(tx)):
        raise NoReceipt(
            "this receipt names another bag, not the one that was packed last",
            next=f"Ask the archives for the receipt of {newest}.",
        )
    digest = hashlib.sha256(content).digest()
    entry = of.store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={
            "batch": found.id.hex,
            "act": "accepted",
            "digest": digest.hex(),
            "bag": newest,
        },
        detail={
            "receipt": receipt.name,
            "bytes": len(content),
            "names_the_bag": newest in words,
        },
        subject=found.id,
    )
    tx.execute(
        update(transfers)
        .where(transfers.c.key == found.transfer.key)
        .values(receipt_entry=entry, receipt=digest)
    )
    return proposals.get(of.store, tx, found.id)


def _bags(tx: Tx) -> list[str]:
    """The digests of all bags that were ever packed here."""
    return [bytes(one).hex() for one in tx.execute(select(transfers.c.bag)).scalars()]


def _listed(tx: Tx, files: Mapping[int, int], keys: Sequence[int]) -> bytes:
    """The root over what was packed: each record with how many of its files."""
    return disposals.root(
        proposals.leaf(bytes(identity), files[key])
        for part in _parts(list(keys))
        for identity, key in tx.execute(select(records.c.id, records.c.key).where(records.c.key.in_(part)))
    )


def _must_be_packed(found: Proposal) -> None:
    if found.kind != TRANSFER:
        raise NotATransfer(
            "these records are to be destroyed, not transferred", next="Execute it, or withdraw it."
        )
    must_stand(found, APPROVED)


def _read(receipt: Path) -> bytes:
    try:
        content = receipt.read_bytes() if receipt.stat().st_size <= _LARGEST_RECEIPT else b""
    except OSError as error:
        raise ReceiptUnreadable(f"{receipt} cannot be read: {error.strerror}") from error
    if not content:
        raise ReceiptUnreadable(
            f"{receipt} is empty or larger than a receipt", next="Name the file that the archives sent."
        )
    return content


# -- what goes into the bag --------------------------------------------------------------------------------


def _keys(tx: Tx, found: Proposal) -> list[int]:
    asked = (
        select(disposal_records.c.record)
        .join(batches, batches.c.key == disposal_records.c.batch)
        .where(batches.c.id == found.id.bytes, disposal_records.c.state == "authorised")
        .order_by(disposal_records.c.record)
    )
    return list(tx.execute(asked).scalars())


def _going(of: Disposing, tx: Tx, found: Proposal, keys: list[int]) -> list[int]:
    decided = of.openly(tx, keys, of.schedules.today(tx))
    prints = Prints()
    cut_off = quarantine.hidden(tx)
    return [key for key in keys if key not in cut_off and goes(decided.get(key), found, prints)]


def _private(tx: Tx, keys: list[int]) -> bool:
    for part in _parts(keys):
        asked = select(records.c.key).where(records.c.key.in_(part), records.c.private)
        if tx.execute(asked.limit(1)).first() is not None:
            return True
    return False


def _info(store: Store, found: Proposal, number: int) -> Mapping[str, str]:
    agency = store.agency
    return {
        "Source-Organization": agency.name,
        "Contact-Email": f"records@{agency.domain}",
        "External-Description": f"{number} records of series {found.series}, {found.detail.get('title', '')}",
        "External-Identifier": f"urn:uuid:{found.id}",
        "Internal-Sender-Description": authority(found),
        "Bagging-Date": store.clock.now().astimezone(agency.zone()).date().isoformat(),
    }


def _fill(store: Store, found: Proposal, keys: list[int], stands: AsOf, payload: Path) -> dict[int, int]:
    """Every record in a folder of its own: as JSON, as text, its attachments, and the proof of each version.

    Returns how many attachments each record had by then.
    """
    files: dict[int, int] = {}
    teller = Leaving(store)
    told_pages: set[str] = set()
    first: str | None = None
    last: str | None = None
    for part in _parts(keys):
        with store.database.read() as tx:
            files |= files_of(tx, part)
            for told in teller.records(tx, part, stands, messages=True):
                if not isinstance(told, RecordTold):
                    raise bag.BadBag(f"record {told.id} was disposed of meanwhile", next="Pack it again.")
                _record(store, tx, told, stands, payload / "records" / str(told.id))
                newest = told.versions[-1].json
                told_pages.add(_page_of(newest))
                published = newest.get("published_at")
                if isinstance(published, str):
                    first = min(first or published, published)
                    last = max(last or published, published)
    if not keys:
        raise bag.BadBag("nothing is left that could be transferred", next="Withdraw it.")
    with store.database.read() as tx:
        custodians = [
            {"id": str(one.id), "name": one.name, "platform": one.platform, "custodian": one.custodian}
            for one in pages.listed(tx)
            if str(one.id) in told_pages
        ]
    _json(
        payload / "metadata.json",
        {
            "agency": {"name": store.agency.name, "domain": store.agency.domain},
            "transfer": str(found.id),
            "series": found.series,
            "title": found.detail.get("title"),
            "citation": found.detail.get("citation"),
            "authority": authority(found),
            "records": len(keys),
            "published": {"from": first, "to": last},
            "pages": custodians,
            "ledger": {"origin": store.agency.origin, "size": stands.size},
        },
    )
    verify = payload / "verify"
    verify.mkdir()
    for file in proofs.means():
        shutil.copy(file, verify / file.name.lower())
    (verify / "checkpoint.txt").write_text(stands.note, encoding="utf-8")
    (verify / "log.vkey").write_text(store.ledger.verifier().line() + "\n", encoding="utf-8")
    return files


def _record(store: Store, tx: Tx, told: RecordTold, stands: AsOf, folder: Path) -> None:
    folder.mkdir(parents=True)
    newest = told.versions[-1]
    _json(folder / "record.json", {name: value for name, value in newest.json.items() if name != "held"})
    (folder / "text.txt").write_text(str(newest.json.get("text") or ""), encoding="utf-8", errors="replace")
    kept: set[UUID] = set()
    for version in told.versions:
        name = f"v{version.number}"
        _json(folder / "versions" / f"{name}.json", dict(version.json))
        proofs.write(
            store,
            tx,
            told.id,
            folder / "proof" / name,
            number=version.number,
            signed=stands.size,
            verifiers=False,
        )
        for one in version.attachments:
            if one.id not in kept:
                kept.add(one.id)
                (folder / "attachments").mkdir(exist_ok=True)
                with (folder / "attachments" / str(one.id)).open("wb") as out:
                    for chunk in one.chunks():
                        out.write(chunk)
    if any(version.listed for version in told.versions):
        _json(folder / "attachments.json", [dict(one) for version in told.versions for one in version.listed])
    if told.counts:
        _json(folder / "counts.json", [dict(one) for one in told.counts])


def _page_of(told: Mapping[str, Any]) -> str:
    page = told.get("page")
    return str(page["id"]) if isinstance(page, dict) else ""


def _json(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", errors="replace"
    )


def _parts(keys: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), _PART):
        yield keys[start : start + _PART]
