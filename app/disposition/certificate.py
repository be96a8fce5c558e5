"""The certificate of destruction: what was disposed of, by whose authority, how, and what proves it, as plain values.

It says the union of what the rules of several states ask for (agency, series,
item and citation, inclusive dates, quantity, format, method, who authorised it
in which role, dates) and what only a ledger can say: at which entry the holds
were looked at, with a proof of every entry. It is *executed* until the last
copy of the keys has expired that could open what was destroyed, and *final*
from then on. It names no record by more than its random id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from app import officers
from app.db import Tx, from_instant
from app.db.database import lock_ledger
from app.disposition import proposals
from app.disposition.approving import authority
from app.disposition.proposals import EXECUTED, EXECUTING, TRANSFER, TYPE, Proposal
from app.disposition.refusals import NotExecuted
from app.records.nouns import Officer
from app.store import anchors, proofs
from app.store.backup import kept
from app.store.disposals import AUTHORISED, DESTROYED, VERIFIED
from app.store.ledger import Act
from app.store.store import Store
from app.store.tables import (
    acts,
    disposal_records,
    pages,
    pieces,
    produced,
    productions,
    records,
    tombstones,
    versions,
)
from app.store.tables import disposals as batches

VERSION = "muniment-certificate/1"
_ENTRIES = 10_000
METHOD = (
    "Cryptographic erasure: every record was sealed under a random secret of its own. The secrets were removed"
    " from the keyring, all others were wrapped anew, and the key under which the removed ones had been wrapped was"
    " destroyed. The search index was made anew without the records, and files of which nothing can be opened any"
    " more were removed. Afterwards every way to the records was tried, and none led there."
)
FORMAT = "electronic records: captured postings of the agency's pages, with their evidence, sealed"
PROVEN = (
    "that the records which this batch names by their random ids were in the archive, and since when at the latest",
    "that they were listed, approved by the people named here and looked at for holds before they were destroyed, in this order",
    "that nothing of this was altered since: each entry is proven under a signed checkpoint of the ledger",
    "that the archive itself can no longer produce their content",
)
NOT_PROVEN = (
    "what the records said: nothing that is left tells, and no digest of their words was kept",
    "that nobody else has a copy: what left the archive lawfully before, and what a platform or a visitor kept, is beyond it",
    "that the clock of the machine was right, beyond what timestamps from outside attest",
    "that no one with the machine, its keys and its disk took a copy before",
)
NOBODY_OUTSIDE = (
    "No timestamp authority is configured: the times are those of the archive's own clock, and nobody outside vouches"
    " for the order of what was done before somebody else saw a checkpoint."
)


def told(store: Store, tx: Tx, found: Proposal, *, software: str) -> dict[str, Any]:
    """Everything that a certificate says, with the proofs of its entries. Refused while the batch is not executed."""
    batch = found.batch
    if batch is None or found.state not in (EXECUTING, EXECUTED):
        raise NotExecuted("nothing of this was disposed of", next="Execute it first.")
    if found.state == EXECUTED and not proposals.destroyed(batch):
        raise NotExecuted(
            "everything on this list stayed: nothing was disposed of",
            next="There is nothing to certify; what is eligible may be proposed again.",
        )
    if batch.number(AUTHORISED) or batch.number(DESTROYED):
        raise NotExecuted(
            "this was executed in part, or is not verified yet",
            next="Execute it again: it goes on where it stopped.",
        )
    people = {one.id: one for one in officers.list_all(tx)}
    said = _acts(store, tx, found.id)
    facts = {one.entry: msgspec.json.decode(store.ledger.entry(tx, one.entry)) for one in said}
    executed = [one for one in said if facts[one.entry].get("act") == "executed"]
    verified = [one for one in said if facts[one.entry].get("act") == "verified"]
    zone = store.agency.zone()
    expires = keys_until(tx, facts.values(), zone)
    final = next((one for one in said if facts[one.entry].get("act") == "final"), None)
    anchored = anchors.proven_by(tx, batch.entry)
    gone = list(_gone(tx, batch.key))
    return {
        "certificate": VERSION,
        "state": "final" if final is not None else "executed",
        "made_at": _iso(store.clock.now()),
        "software": software,
        "agency": {"name": store.agency.name, "domain": store.agency.domain},
        "batch": str(found.id),
        "kind": found.kind,
        "series": found.series,
        "title": found.detail.get("title", ""),
        "citation": found.detail["citation"],
        "authority": authority(found),
        "jurisdiction": found.detail.get("jurisdiction", ""),
        "schedule": found.detail.get("schedule", ""),
        "edition": found.detail.get("edition", ""),
        "instrument": found.detail.get("instrument", ""),
        "adopted_on": found.detail.get("adopted_on", ""),
        "grounds": _grounds(found),
        "quantity": {
            "records": len(gone),
            "bytes": _bytes(tx, batch.key),
            "stayed_on_recheck": sum(int(facts[one.entry]["excluded"]) for one in executed),
        },
        "dates": _dates(tx, found.id),
        "pages": _pages(tx, found.id),
        "format": FORMAT,
        "method": METHOD,
        "proposed": _person(
            people, found.by, str(found.detail["role"]).replace("_", " "), found.at, found.why, found.entry
        ),
        "first_step_is_the_proposal": found.proposed_first_step,
        "approvals": [
            {
                **_person(people, one.officer, str(one.role).replace("_", " "), one.at, one.why, one.entry),
                "instrument": one.instrument,
            }
            for one in found.approvals
            if one.counts
        ],
        "authorised": {
            "entry": batch.entry,
            "at": _iso(batch.at),
            "attested_from_outside_at": _iso(anchored) if anchored else None,
        },
        "waiting_period": {
            "days": found.waiting_days,
            "open_on": str(found.opens_on) if found.opens_on else None,
        },
        "transfer": _transfer(found),
        "executed": [
            {
                "entry": one.entry,
                "at": _iso(one.at),
                "on": str(one.at.astimezone(zone).date()),
                "by": _name(people, one.officer),
                "records": facts[one.entry]["n"],
                "root": facts[one.entry]["root"],
            }
            for one in executed
        ],
        "holds_looked_at": [one.entry for one in executed],
        "verified": [
            {"entry": one.entry, "at": _iso(one.at), "records": facts[one.entry]["n"]} for one in verified
        ],
        "final": None if final is None else {"entry": final.entry, "expired": facts[final.entry]["expired"]},
        "survives": {
            "key_backups_until": str(expires) if expires is not None and final is None else None,
            "exports": _exports(tx, batch.key),
            "whole_archive_exports": _whole(tx, executed),
            "productions": _productions(tx, batch.key),
            "tombstones": "of each record: its id, page, kind, month of publication, series, citation, authority and batch",
        },
        "timestamps": "" if anchored else NOBODY_OUTSIDE,
        "proven": list(PROVEN),
        "not_proven": list(NOT_PROVEN),
        "records": gone,
        "entries": [
            {
                "entry": one.entry,
                "act": facts[one.entry].get("act"),
                "body": store.ledger.entry(tx, one.entry).decode(),
            }
            for one in said
        ],
        "verifier_key": store.ledger.verifier().line(),
    }


def with_proofs(store: Store, certificate: dict[str, Any]) -> dict[str, Any]:
    """The same with a `tlog-proof` beside every entry; a checkpoint is signed for it."""
    proven = []
    for one in certificate["entries"]:
        with store.database.read() as tx:
            proven.append({**one, "proof": proofs.under(store, tx, one["entry"])})
    return {**certificate, "entries": proven}


def note(store: Store, tx: Tx, found: Proposal, digest: str, *, by: Officer, why: str) -> int:
    """Write down that a certificate was made out, by its SHA-256; return the entry."""
    lock_ledger(tx)
    return store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"batch": found.id.hex, "act": "certified", "digest": digest},
        subject=found.id,
    )


def keys_until(tx: Tx, facts: Any, zone: tzinfo) -> date | None:
    """The day, in the agency's time zone, on which the last copy of the keys has expired that opens what was destroyed.

    None where no copy does. East of Greenwich a day begins before it does in
    UTC: reckoned there, a certificate would be final while a copy still lives.
    """
    epochs = [int(one["epoch"]) for one in facts if one.get("act") == "executed"]
    return kept.opened_until(kept.key_copies(tx), max(epochs), zone) if epochs else None


def executed_facts(store: Store, tx: Tx, batch: UUID) -> list[Mapping[str, Any]]:
    """What the entries say that executed parts of a batch."""
    asked = (
        select(disposal_records.c.entry)
        .join(batches, batches.c.key == disposal_records.c.batch)
        .where(batches.c.id == batch.bytes, disposal_records.c.state.in_((DESTROYED, VERIFIED)))
        .distinct()
    )
    return [msgspec.json.decode(store.ledger.entry(tx, entry)) for entry in tx.execute(asked).scalars()]


# -- its parts ---------------------------------------------------------------------------------------------


def _acts(store: Store, tx: Tx, batch: UUID) -> list[Act]:
    """Everything that was done with a batch, the oldest first, but that certificates were made out."""
    found = [
        one for one in store.ledger.acts(tx, subject=batch, limit=_ENTRIES) if one.type in (TYPE, "disposal")
    ]
    return [
        one
        for one in reversed(found)
        if msgspec.json.decode(store.ledger.entry(tx, one.entry)).get("act") != "certified"
    ]


def _gone(tx: Tx, batch: int) -> Sequence[str]:
    asked = (
        select(records.c.id)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .where(disposal_records.c.batch == batch, disposal_records.c.state.in_((DESTROYED, VERIFIED)))
        .order_by(records.c.id)
    )
    return [str(UUID(bytes=bytes(one))) for one in tx.execute(asked).scalars()]


def _bytes(tx: Tx, batch: int) -> int:
    """How many bytes were held of the records: their statements and fields as sealed, and their own pieces of evidence."""
    theirs = select(disposal_records.c.record).where(
        disposal_records.c.batch == batch, disposal_records.c.state.in_((DESTROYED, VERIFIED))
    )
    total = 0
    for table in (versions, pieces):
        asked = select(func.coalesce(func.sum(table.c.size), 0)).where(table.c.record.in_(theirs))
        total += int(tx.execute(asked).scalar_one())
    return total


def _dates(tx: Tx, batch: UUID) -> dict[str, Any]:
    """The inclusive dates by the months of publication, which are all that tombstones say."""
    months: Counter[str] = Counter()
    asked = select(tombstones.c.detail).where(tombstones.c.batch == batch.bytes)
    for detail in tx.execute(asked).scalars():
        months[str(msgspec.json.decode(detail)["month"] or "")] += 1
    known = sorted(month for month in months if month)
    return {
        "from": known[0] if known else None,
        "to": known[-1] if known else None,
        "undated": months[""],
    }


def _pages(tx: Tx, batch: UUID) -> list[dict[str, Any]]:
    asked = (
        select(pages.c.id, pages.c.name, pages.c.platform, records.c.kind, func.count().label("n"))
        .join(records, records.c.page == pages.c.key)
        .join(tombstones, tombstones.c.record == records.c.key)
        .where(tombstones.c.batch == batch.bytes)
        .group_by(pages.c.id, pages.c.name, pages.c.platform, records.c.kind)
        .order_by(pages.c.name, records.c.kind)
    )
    return [
        {
            "page": str(UUID(bytes=bytes(row.id))),
            "name": row.name,
            "platform": row.platform,
            "kind": row.kind,
            "records": row.n,
        }
        for row in tx.execute(asked)
    ]


def _grounds(found: Proposal) -> list[str]:
    """The rules by which the records were eligible, each once."""
    said = dict.fromkeys(str(one.get("rule") or one.get("says") or "") for one in found.detail["grounds"])
    return [one for one in said if one]


def _transfer(found: Proposal) -> dict[str, Any] | None:
    if found.kind != TRANSFER or found.transfer is None:
        return None
    moved = found.transfer
    return {
        "entry": moved.entry,
        "at": _iso(moved.at),
        "records": moved.records,
        "bag_sha256": moved.bag.hex(),
        "receipt_entry": moved.receipt_entry,
        "receipt_sha256": moved.receipt.hex() if moved.receipt else None,
    }


def _exports(tx: Tx, batch: int) -> int:
    """How often one of the records left by itself, as evidence or with its proof."""
    asked = (
        select(func.count())
        .select_from(acts)
        .join(records, records.c.id == acts.c.subject)
        .join(disposal_records, disposal_records.c.record == records.c.key)
        .where(
            acts.c.type == "export",
            disposal_records.c.batch == batch,
            disposal_records.c.state.in_((DESTROYED, VERIFIED)),
        )
    )
    return int(tx.execute(asked).scalar_one())


def _whole(tx: Tx, executed: Sequence[Act]) -> int:
    """How often the whole archive, or all hits of a question, left before: such copies may hold the records."""
    last = max(one.entry for one in executed)
    asked = (
        select(func.count())
        .select_from(acts)
        .where(acts.c.type == "export", acts.c.subject.is_(None), acts.c.entry < last)
    )
    return int(tx.execute(asked).scalar_one())


def _productions(tx: Tx, batch: int) -> list[dict[str, Any]]:
    """The productions that were issued with some of the records in them, whole or redacted, the oldest first.

    They are records of their own, under the series of their request's file; one
    that was asked back may be out all the same.
    """
    asked = (
        select(
            productions.c.number,
            productions.c.issued_entry,
            productions.c.clawed_entry,
            acts.c.at,
            func.count().label("n"),
        )
        .join(produced, produced.c.production == productions.c.key)
        .join(disposal_records, disposal_records.c.record == produced.c.record)
        .join(acts, acts.c.entry == productions.c.issued_entry)
        .where(
            produced.c.how != "withheld",
            disposal_records.c.batch == batch,
            disposal_records.c.state.in_((DESTROYED, VERIFIED)),
        )
        .group_by(productions.c.number, productions.c.issued_entry, productions.c.clawed_entry, acts.c.at)
        .order_by(productions.c.issued_entry)
    )
    return [
        {
            "number": row.number,
            "entry": row.issued_entry,
            "at": _iso(from_instant(row.at)),
            "records": row.n,
            "asked_back": row.clawed_entry,
        }
        for row in tx.execute(asked)
    ]


def _person(
    people: Mapping[UUID, Officer], who: UUID, role: str, at: datetime, why: str, entry: int
) -> dict[str, Any]:
    known = people.get(who)
    return {
        "name": known.name if known else "",
        "email": known.email if known else str(who),
        "role": role,
        "at": _iso(at),
        "why": why,
        "entry": entry,
    }


def _name(people: Mapping[UUID, Officer], who: UUID | None) -> str:
    if who is None:
        return "finished by the nightly work"
    known = people.get(who)
    return (known.name or known.email) if known else str(who)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
