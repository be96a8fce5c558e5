"""The certificate against an oracle: every field of it reckoned again from rows, ledger, schedule and what the test itself did.

Nothing here asks the certificate's own code. What people did, when and why is
written down by the test as it does it; numbers come from rows as they stood
before anything was destroyed; entries are read as bytes; the schedule is the
YAML that was adopted.
"""

from __future__ import annotations

import hashlib
import json
import random
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import yaml
from pypdf import PdfReader
from sqlalchemy import Table, insert, select, text, update

from app.capture import records
from app.db import Tx, key_of, to_instant
from app.disposition import (
    approving,
    certifying,
    nightly,
    proposals,
    proposing,
    telling,
    transferring,
)
from app.disposition.proposals import Proposal
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store import Store, tables
from connectors.contract import Attachment, Observation
from tests.steps.disposing import SCHEDULE, Office, office, somebody
from tests.steps.scripted import listing
from tests.steps.test_capture import World, comment, post

ZONE = ZoneInfo("America/Juneau")
SEEDS = range(3)


@dataclass
class Step:
    """What somebody did, as the test saw it done."""

    by: Officer
    at: datetime
    why: str
    role: str = ""
    instrument: str = ""
    entry: int = -1

    def told(self) -> dict[str, Any]:
        return {
            "name": self.by.name, "email": self.by.email, "role": self.role, "at": iso(self.at), "why": self.why,
            "entry": self.entry,
        }  # fmt: skip


@dataclass
class Truth:
    """What the test knows of a batch without having asked anybody."""

    kind: str
    schedule: dict[str, Any]
    instrument: str
    adopted_on: date
    wanted: dict[UUID, tuple[str, datetime | None]]
    proposed: Step
    approvals: list[Step] = field(default_factory=list)
    executed: Step | None = None
    order: str = ""
    waits: int = 0
    bag: str = ""
    receipt: str = ""
    bytes_of: dict[UUID, int] = field(default_factory=dict)
    files: list[tuple[set[UUID], int]] = field(default_factory=list)
    productions: list[dict[str, Any]] = field(default_factory=list)
    exports: int = 0
    whole: int = 0
    first_step: bool = True


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def month(at: datetime | None) -> str | None:
    return at.astimezone(ZONE).strftime("%Y-%m") if at else None


def entries(store: Store) -> list[dict[str, Any]]:
    """Every entry, as it lies in its row."""
    with store.database.read() as tx:
        rows = tx.execute(
            select(tables.entries.c.index, tables.entries.c.body).order_by(tables.entries.c.index)
        )
        return [{"entry": row.index, "body": bytes(row.body), **json.loads(bytes(row.body))} for row in rows]


def held_bytes(store: Store) -> dict[UUID, int]:
    """How many bytes are held of each record by itself, its files apart."""
    said = text(
        "select r.id, coalesce((select sum(v.size) from versions v where v.record = r.key), 0)"
        " + coalesce((select sum(p.size) from pieces p where p.record = r.key"
        " and p.key not in (select a.piece from attachments a where a.file is not null)), 0) from records r"
    )
    with store.database.read() as tx:
        return {UUID(bytes=bytes(one)): int(size) for one, size in tx.execute(said)}


def held_files(store: Store) -> list[tuple[set[UUID], int]]:
    """Each file that lies there: the records that have it, and how many bytes it is; it goes with the last of them."""
    said = text(
        "select a.file, r.id, p.size from attachments a"
        " join records r on r.key = a.record join pieces p on p.key = a.piece where a.file is not null"
    )
    found: dict[bytes, tuple[set[UUID], int]] = {}
    with store.database.read() as tx:
        for file, one, size in tx.execute(said):
            found.setdefault(bytes(file), (set(), int(size)))[0].add(UUID(bytes=bytes(one)))
    return list(found.values())


# -- a random archive and what is done in it ------------------------------------------------------------------


class Fuzz:
    """A random archive, a random schedule, and people who dispose of something in it."""

    def __init__(self, store: Store, clock: FixedClock, seed: int, tmp: Path) -> None:
        self.luck, self.tmp = random.Random(seed), tmp
        self.here: Office = office(World(store, clock), clock)
        self.store, self.clock = store, clock
        for one in (self.here.clerk, self.here.second_clerk, self.here.chief, self.here.attorney):
            self._hire(one)
        self.instrument = self.luck.choice(["Resolution 12", "Ordinance 2026-01, § 4", "Ratsbeschluss Nr. 7"])
        self.waiting = self.luck.choice([0, 1, 14])
        self.approvals = self.luck.choice(
            ["[records_officer, approver]", "[attorney, approver]", "[records_officer, attorney, approver]"]
        )
        self.demands = self.luck.choice(["", "a resolution of the council"])
        more = f"authorisation: {self.demands}\n" if self.demands else ""
        self.here.adopt(
            waiting=self.waiting, approvals=self.approvals, instrument=self.instrument, more=more,
            keep=self.luck.choice(["P1Y", "P3Y"]),
        )  # fmt: skip
        self.adopted_on = clock.now().astimezone(ZONE).date()
        self.schedule = yaml.safe_load(
            SCHEDULE.format(
                edition="2026", waiting=self.waiting, approvals=self.approvals, more=more, keep="P3Y"
            )
        )

    def _hire(self, one: Officer) -> None:
        with self.store.database.begin() as tx:
            tx.execute(
                insert(tables.officers).values(
                    id=one.id.bytes, email=one.email, name=one.name, roles=" ".join(one.roles), active=True, added_at=0
                )
            )  # fmt: skip

    def archive(self, series: str) -> dict[UUID, tuple[str, datetime | None]]:
        """Posts and comments of the old days, some at the very end of a month, some edited, some with a file."""
        shown: list[Observation] = []
        self.here.world.client.files = {"https://blog.example/f": b"a file" * 40}
        for number in range(self.luck.randint(2, 7)):
            year, month = self.luck.randint(2017, 2020), self.luck.randint(1, 12)
            last = datetime(year, month, monthrange(year, month)[1], 23, 30, tzinfo=ZONE)
            at = self.luck.choice([last, last + timedelta(hours=1), last - timedelta(days=9)]).astimezone(UTC)
            more: dict[str, Any] = {"published_at": at}
            if self.luck.random() < 0.3:
                more["attachments"] = (
                    Attachment(id=f"f{number}", url="https://blog.example/f", media_type="image/png"),
                )
            name, words = f"n{number}", f"words of {number} {'ä' * self.luck.randint(0, 60)}"
            make = comment if number and self.luck.random() < 0.4 else post
            shown.append(make(name, words, **(more | ({"on": "n0"} if make is comment else {}))))
        self.here.world.capture(listing(self.clock, *shown))
        if self.luck.random() < 0.5:
            edited = replace(shown[0], text="another text", edited_at=self.clock.now())
            self.here.world.capture(listing(self.clock, edited, *shown[1:], cursor="d"))
        held = self.here.world.records()
        told = {held[one.native_id].id: (str(one.kind), one.published_at) for one in shown}
        self.here.assign(list(told), series)
        return told

    def produce(self, truth: Truth) -> None:
        """Productions that left with some of the records: issued, asked back, withheld, and one that never left."""
        ids = list(truth.wanted)
        for number, (issued, asked_back) in enumerate([(True, False), (True, True), (False, False)]):
            chosen = {
                one: self.luck.choice(["whole", "redacted", "withheld"]) for one in self.luck.sample(ids, 2)
            }
            gone = sum(how != "withheld" for how in chosen.values())
            at = self.clock.now()
            with self.store.database.begin() as tx:
                made = [
                    self.store.ledger.act(
                        tx, "production", by=self.here.clerk.id, why="a request", facts={"act": act}, detail={}
                    )
                    for act in ("begun", "issued", "asked back")
                ]  # fmt: skip
                done = tx.execute(
                    insert(tables.productions).values(
                        id=new_id().bytes, request=new_id().bytes, entry=made[0], number=f"HF-{number}", prefix="HF",
                        first=1, last=2, made_at=0, size=1, records=2, withheld=0,
                        issued_entry=made[1] if issued else None, clawed_entry=made[2] if asked_back else None,
                    )
                )  # fmt: skip
                for one, how in chosen.items():
                    key = tx.execute(
                        select(tables.records.c.key).where(tables.records.c.id == one.bytes)
                    ).scalar_one()
                    tx.execute(
                        insert(tables.produced).values(
                            production=key_of(done), record=key, first=1, pages=1, how=how,
                            decisions=b"",
                        )
                    )  # fmt: skip
            if issued and gone:
                truth.productions.append(
                    {
                        "number": f"HF-{number}", "entry": made[1], "at": iso(at), "records": gone,
                        "asked_back": made[2] if asked_back else None,
                    }
                )  # fmt: skip

    def taken(self, truth: Truth) -> None:
        """Records that left one by one, and the whole archive once or not."""
        with self.store.database.begin() as tx:
            for one in self.luck.sample(list(truth.wanted), self.luck.randint(0, 2)):
                self.store.ledger.act(tx, "export", by=self.here.clerk.id, why="proof", facts={}, subject=one)
                truth.exports += 1
            if self.luck.random() < 0.5:
                self.store.ledger.act(tx, "export", by=self.here.clerk.id, why="all", facts={})
                truth.whole += 1

    # -- the three ways --

    def dispose(self, kind: str) -> tuple[Proposal, Truth]:
        here = self.here
        series = {"destroy": "COR-03", "transfer": "EXE-01", "order": "PER-01"}[kind]
        wanted = self.archive(series)
        stays = self.luck.choice([None, *list(wanted)[1:]])
        at = self.clock.now()
        proposed = Step(here.clerk, at, "it is due", "records officer")
        truth = Truth(kind, self.schedule, self.instrument, self.adopted_on, wanted, proposed)
        if kind == "order":
            truth.order, truth.waits = "Superior Court, order of 3 May 2026", self.luck.choice([0, 3])
            with self.store.database.begin() as tx:
                found = proposing.order(
                    here.of, tx, list(wanted), instrument=truth.order, waiting_days=truth.waits, by=here.clerk,
                    why="it is due",
                )  # fmt: skip
            chain = [(here.attorney, "attorney")]
            truth.first_step = False
        else:
            found = here.propose(series)
            truth.waits = self.waiting
            roles = yaml.safe_load(self.approvals)
            truth.first_step = roles[0] == "records_officer"
            people = {"approver": here.chief, "attorney": here.attorney}
            chain = [(people[role], role) for role in roles if role in people]
        truth.proposed.entry = self.last()
        if kind != "order" and len(wanted) > 2 and self.luck.random() < 0.5:
            out = self.luck.choice([one for one in list(wanted)[1:] if one != stays] or [next(iter(wanted))])
            with self.store.database.begin() as tx:
                approving.leave_out(
                    here.of, tx, found.id, [out], by=here.second_clerk, why="a colleague asks"
                )
            wanted.pop(out)
        for by, role in chain:
            self.clock.at += timedelta(hours=self.luck.randint(1, 30))
            last = by is chain[-1][0]
            instrument = "Resolution 2026-14" if last and self.demands and kind != "order" else ""
            here.approve(found, by, instrument=instrument)
            entry = next(
                one["entry"] for one in reversed(entries(self.store)) if one.get("act") == "approved"
            )
            truth.approvals.append(
                Step(by, self.clock.now(), "I looked at the list", role.replace("_", " "), instrument, entry)
            )
        if stays is not None and stays in wanted and len(wanted) > 1:
            here.place(stays)
            truth.wanted = {one: about for one, about in wanted.items() if one != stays}
        else:
            stays = None
        self.stayed = 0 if stays is None else 1
        self.clock.at += timedelta(days=truth.waits + 2, hours=self.luck.randint(0, 23))
        if kind == "transfer":
            self._archives(found, truth)
        if len(truth.wanted) > 1:
            self.produce(truth)
        self.taken(truth)
        truth.bytes_of, truth.files = held_bytes(self.store), held_files(self.store)
        self.copies()
        truth.executed = Step(here.clerk, self.clock.now(), "the period is over")
        here.execute(found)
        return found, truth

    def _archives(self, found: Proposal, truth: Truth) -> None:
        home = self.store.ledger.folder.parent
        bag = transferring.pack(
            self.here.of, found.id, self.tmp / "bag", home=home, by=somebody("packer", Role.RECORDS_OFFICER),
            why="they take it",
        )  # fmt: skip
        manifest = next((self.tmp / "bag").glob("tagmanifest-sha256.txt"))
        truth.bag = hashlib.sha256(manifest.read_bytes()).hexdigest()
        assert truth.bag == bag.digest.hex()
        receipt = self.tmp / "receipt.txt"
        receipt.write_text("Received, State Archives\n")
        truth.receipt = hashlib.sha256(receipt.read_bytes()).hexdigest()
        with self.store.database.begin() as tx:
            transferring.accept(self.here.of, tx, found.id, receipt, by=self.here.clerk, why="it came")

    def copies(self) -> None:
        """A backup of the keys that was made before the destruction, or none."""
        self.copy_at = None
        if self.luck.random() < 0.6:
            self.copy_at = self.clock.now()
            moment = to_instant(self.copy_at)
            with self.store.database.begin() as tx:
                tx.execute(
                    insert(tables.backups).values(
                        id=new_id().bytes, entry=0, at=moment, done_at=moment, keys_place="/safe/keys",
                        epoch=min(self.store.keyring.keys.epochs()),
                    )
                )  # fmt: skip

    def last(self) -> int:
        return int(entries(self.store)[-1]["entry"])


# -- the oracle -----------------------------------------------------------------------------------------------


def expected(fuzz: Fuzz, found: Proposal, truth: Truth) -> dict[str, Any]:
    """Every field of the certificate but its fixed sentences, from rows, entries, YAML and what the test did."""
    store, schedule = fuzz.store, truth.schedule
    code = {"destroy": "COR-03", "transfer": "EXE-01", "order": "order"}[truth.kind]
    series: dict[str, Any] = next((one for one in schedule["series"] if one["code"] == code), {})
    of_batch = [
        one for one in entries(store)
        if one.get("batch", "").replace("-", "") == found.id.hex and one.get("act") != "certified"
    ]  # fmt: skip
    by_act: dict[str, list[dict[str, Any]]] = {}
    for one in of_batch:
        by_act.setdefault(one["act"], []).append(one)
    with store.database.read() as tx:
        gone = {
            UUID(bytes=bytes(row.id)): json.loads(row.detail)
            for row in tx.execute(
                text(
                    "select r.id, t.detail from tombstones t join records r on r.key = t.record where t.batch = :batch"
                ),
                {"batch": found.id.bytes},
            )
        }
        page = tx.execute(text("select id, name, platform from pages")).one()
        at_of = {row.entry: row.at for row in tx.execute(text("select entry, at from acts"))}
    months = Counter(month(at) or "" for _, at in truth.wanted.values())
    known = sorted(month for month in months if month)
    kinds = Counter(kind for kind, _ in truth.wanted.values())

    def moment(entry: int) -> str:
        return iso(datetime.fromtimestamp(at_of[entry] / 1_000_000, UTC))

    assert set(gone) == set(truth.wanted)
    assert truth.executed is not None
    executed, authorised = by_act["executed"], by_act["authorised"][0]
    until = (
        None
        if fuzz.copy_at is None
        else ((fuzz.copy_at + timedelta(days=30)).astimezone(ZONE) + timedelta(days=1)).date()
    )
    opens = truth.approvals[-1].at.astimezone(ZONE).date()
    if truth.waits:
        opens += timedelta(days=truth.waits + 1)
    return {
        "state": "executed",
        "agency": {"name": "Harrow Falls", "domain": "harrowfalls.example"},
        "batch": str(found.id),
        "kind": truth.kind,
        "series": code,
        "title": series.get("title", ""),
        "citation": truth.order or series["citation"],
        "authority": "order of a court"
        if truth.kind == "order"
        else f"{schedule['authority']}, {schedule['title']}, edition {schedule['edition']}, adopted by {truth.instrument}",
        "jurisdiction": "" if truth.kind == "order" else schedule["jurisdiction"],
        "schedule": "" if truth.kind == "order" else schedule["title"],
        "edition": "" if truth.kind == "order" else schedule["edition"],
        "instrument": truth.order or truth.instrument,
        "adopted_on": "" if truth.kind == "order" else str(truth.adopted_on),
        "quantity": {
            "records": len(truth.wanted),
            "bytes": sum(truth.bytes_of[one] for one in truth.wanted)
            + sum(size for having, size in truth.files if having <= set(truth.wanted)),
            "stayed_on_recheck": fuzz.stayed,
        },
        "dates": {"from": known[0] if known else None, "to": known[-1] if known else None, "undated": months[""]},
        "pages": [
            {
                "page": str(UUID(bytes=bytes(page.id))), "name": page.name, "platform": page.platform, "kind": kind,
                "records": number,
            }
            for kind, number in sorted(kinds.items())
        ],
        "proposed": truth.proposed.told(),
        "first_step_is_the_proposal": truth.first_step,
        "approvals": [{**one.told(), "instrument": one.instrument} for one in truth.approvals],
        "authorised": {
            "entry": authorised["entry"], "at": iso(truth.approvals[-1].at), "attested_from_outside_at": None
        },
        "waiting_period": {"days": truth.waits, "open_on": str(opens)},
        "executed": [
            {
                "entry": one["entry"],
                "at": iso(truth.executed.at),
                "on": str(truth.executed.at.astimezone(ZONE).date()),
                "by": truth.executed.by.name,
                "records": len(truth.wanted),
                "root": root(list(truth.wanted)),
            }
            for one in executed
        ],
        "holds_looked_at": [one["entry"] for one in executed],
        "verified": [
            {"entry": one["entry"], "at": moment(one["entry"]), "records": len(truth.wanted)}
            for one in by_act["verified"]
        ],
        "final": None,
        "records": sorted(str(one) for one in truth.wanted),
        "acts": [(one["entry"], one["act"], one["body"].decode()) for one in of_batch],
        "transfer": None
        if truth.kind != "transfer"
        else {
            "entry": by_act["packed"][0]["entry"],
            "at": moment(by_act["packed"][0]["entry"]),
            "records": len(truth.wanted),
            "bag_sha256": truth.bag,
            "receipt_entry": by_act["accepted"][0]["entry"],
            "receipt_sha256": truth.receipt,
        },
        "survives": {
            "key_backups_until": None if until is None else str(until),
            "exports": truth.exports,
            "whole_archive_exports": truth.whole,
            "productions": truth.productions,
        },
    }  # fmt: skip


def root(ids: list[UUID]) -> str:
    """The Merkle root over ids in their order, by RFC 6962 and the standard library alone."""

    def of(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return hashlib.sha256(b"\0" + leaves[0]).digest()
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        return hashlib.sha256(b"\1" + of(leaves[:split]) + of(leaves[split:])).digest()

    return of(sorted(one.bytes for one in ids)).hex()


def said(told: dict[str, Any]) -> dict[str, Any]:
    """What a certificate says of all that the oracle reckons."""
    fixed = {"certificate", "made_at", "software", "grounds", "format", "method", "timestamps", "proven", "not_proven", "entries", "verifier_key"}  # fmt: skip
    found = {name: value for name, value in told.items() if name not in fixed}
    found["acts"] = [(one["entry"], one["act"], one["body"]) for one in told["entries"]]
    found["survives"] = {name: value for name, value in told["survives"].items() if name != "tombstones"}
    return found


def certify(fuzz: Fuzz, found: Proposal) -> certifying.Certificate:
    return certifying.certify(
        fuzz.here.of, found.id, software="Muniment test", by=fuzz.here.clerk, why="for the file"
    )


KINDS = ("destroy", "transfer", "order")


# -- on paper -------------------------------------------------------------------------------------------------


def on_paper(told: dict[str, Any], truth: Truth) -> list[str]:
    """What the paper has to say, line by line, by what the oracle reckoned."""
    dates, number = told["dates"], told["quantity"]
    wanted = [
        told["agency"]["name"], f"Batch{told['batch']}", told["series"], told["title"], told["citation"],
        told["authority"], told["instrument"],
        f"{dates['from']} to {dates['to']}" if dates["from"] else "",
        f"{number['records']:,} records, {number['bytes']:,} bytes",
        f"{number['stayed_on_recheck']:,} records of the list",
        f"{told['schedule']}, edition {told['edition']}" if told["schedule"] else "",
        f"{told['instrument']}, on {told['adopted_on']}" if told["adopted_on"] else "",
        *(f"{one['name']} ({one['platform']}): {one['records']:,} {one['kind']}" for one in told["pages"]),
        *(f"{one.by.name} <{one.by.email}>, {one.role}, {iso(one.at)} (entry {one.entry:,}): {one.why}" for one in (truth.proposed, *truth.approvals)),
        *(f"instrument: {one.instrument}" for one in truth.approvals if one.instrument),
        *(f"{one['by']}, on {one['on']}" for one in told["executed"]),
        f"entry {told['authorised']['entry']:,}, {told['authorised']['at']}",
        f"{told['waiting_period']['days']} days, open from {told['waiting_period']['open_on']}",
        f"Holds looked at entry {told['holds_looked_at'][0]:,}",
        f"Verified entry {told['verified'][0]['entry']:,}",
        f"until {told['survives']['key_backups_until']}" if told["survives"]["key_backups_until"] else "none that opens these records",
        f"Taken out one by one {told['survives']['exports']:,} times",
        f"Taken out with all {told['survives']['whole_archive_exports']:,} times",
        *(f"{one['number']}, issued {one['at']} (entry {one['entry']:,}): {one['records']} record" for one in told["survives"]["productions"]),
        *(f"asked back, entry {one['asked_back']:,}" for one in told["survives"]["productions"] if one["asked_back"]),
        *([f"receipt {told['transfer']['receipt_sha256']}", told["transfer"]["bag_sha256"]] if told["transfer"] else []),
        *told["records"],
    ]  # fmt: skip
    return [one for one in wanted if one]


def squeezed(text: str) -> str:
    return "".join(text.split()).replace("\u00ad", "")


def read(pdf: bytes) -> str:
    return squeezed("".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages))


# -- the log, and what a former record answers -----------------------------------------------------------------


def logged(fuzz: Fuzz, found: Proposal) -> dict[str, Any]:
    with fuzz.store.database.read() as tx:
        (one,) = [one for one in proposals.listed(fuzz.store, tx) if one.id == found.id]
        return telling.as_json(one, str)


def of_the_log(wanted: dict[str, Any], truth: Truth) -> dict[str, Any]:
    return {
        "kind": wanted["kind"],
        "state": "executed",
        "series": wanted["series"],
        "citation": wanted["citation"],
        "authority": wanted["authority"],
        "edition": wanted["edition"] or None,
        "instrument": wanted["instrument"],
        "proposed_by": str(truth.proposed.by.id),
        "proposed_at": iso(truth.proposed.at),
        "approvals": [
            {
                "by": str(one.by.id), "role": one.role.replace(" ", "_"), "at": iso(one.at), "why": one.why,
                "instrument": one.instrument or None, "counts": True, "entry": one.entry,
            }
            for one in truth.approvals
        ],
        "waiting_days": truth.waits,
        "opens_on": wanted["waiting_period"]["open_on"],
        "disposed": len(truth.wanted),
        "excluded": wanted["quantity"]["stayed_on_recheck"],
        "final": False,
    }  # fmt: skip


def former(fuzz: Fuzz, which: UUID) -> dict[str, Any]:
    with fuzz.store.database.read() as tx:
        return records.as_json(records.get(fuzz.store, tx, which, messages=False))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_field_is_what_rows_entries_schedule_and_people_say(
    store: Store, clock: FixedClock, tmp_path: Path, kind: str, seed: int
):
    fuzz = Fuzz(store, clock, seed * 7 + KINDS.index(kind), tmp_path)
    found, truth = fuzz.dispose(kind)
    wanted = expected(fuzz, found, truth)
    made = certify(fuzz, found)
    assert said(made.told) == wanted
    printed = read(made.pdf(fuzz.here.of))
    assert [line for line in on_paper(wanted, truth) if squeezed(line) not in printed] == []
    told = logged(fuzz, found)
    assert {name: told[name] for name in of_the_log(wanted, truth)} == of_the_log(wanted, truth)
    assert truth.executed is not None
    for one in truth.wanted:
        assert former(fuzz, one) == {
            "id": str(one),
            "disposed": {
                "on": str(truth.executed.at.astimezone(ZONE).date()),
                "batch": str(found.id),
                "series": wanted["series"],
                "citation": "order of a court" if kind == "order" else wanted["citation"],
                "authority": wanted["authority"],
                "page": wanted["pages"][0]["page"],
                "kind": truth.wanted[one][0],
                "month": month(truth.wanted[one][1]),
            },
        }


# -- the twins: one thing altered, and the oracle differs -------------------------------------------------------


def unguarded(tx: Tx, table: Table) -> None:
    """Take the triggers away that keep rows of a table as they are, as somebody would who has the database."""
    asked = text("select name from sqlite_master where type = 'trigger' and tbl_name = :name")
    for name in tx.execute(asked, {"name": table.name}).scalars().all():
        tx.execute(text(f"drop trigger {name}"))


def one_version_larger(fuzz: Fuzz, which: UUID) -> None:
    with fuzz.store.database.begin() as tx:
        unguarded(tx, tables.versions)
        key = tx.execute(select(tables.records.c.key).where(tables.records.c.id == which.bytes)).scalar_one()
        tx.execute(
            update(tables.versions)
            .where(tables.versions.c.record == key)
            .values(size=tables.versions.c.size + 1)
        )


def another_approver(fuzz: Fuzz, which: UUID) -> None:
    del which
    with fuzz.store.database.begin() as tx:
        told = tables.officers.c.email == "chief@harrowfalls.example"
        tx.execute(update(tables.officers).where(told).values(email="else@harrowfalls.example"))


def another_month(fuzz: Fuzz, which: UUID) -> None:
    del which
    with fuzz.store.database.begin() as tx:
        unguarded(tx, tables.tombstones)
        for row in tx.execute(select(tables.tombstones)).all():
            told = json.loads(row.detail) | {"month": "1999-01"}
            tx.execute(
                update(tables.tombstones)
                .where(tables.tombstones.c.record == row.record)
                .values(detail=json.dumps(told))
            )


def a_production_forgotten(fuzz: Fuzz, which: UUID) -> None:
    del which
    with fuzz.store.database.begin() as tx:
        unguarded(tx, tables.productions)
        tx.execute(update(tables.productions).values(issued_entry=None))


def a_later_copy_of_the_keys(fuzz: Fuzz, which: UUID) -> None:
    del which
    with fuzz.store.database.begin() as tx:
        moment = to_instant(fuzz.clock.now() + timedelta(days=4))
        tx.execute(
            insert(tables.backups).values(
                id=new_id().bytes, entry=None, at=moment, done_at=moment, keys_place="/elsewhere", epoch=0
            )
        )


@pytest.mark.parametrize(
    ("alter", "where"),
    [
        (one_version_larger, "quantity"),
        (another_approver, "approvals"),
        (another_month, "dates"),
        (a_production_forgotten, "survives"),
        (a_later_copy_of_the_keys, "survives"),
    ],
)
def test_one_altered_row_is_where_the_oracle_and_the_certificate_part(
    store: Store, clock: FixedClock, tmp_path: Path, alter: Any, where: str
):
    fuzz = Fuzz(store, clock, 3, tmp_path)
    found, truth = fuzz.dispose("destroy")
    wanted = expected(fuzz, found, truth)
    assert said(certify(fuzz, found).told) == wanted
    alter(fuzz, next(iter(truth.wanted)))
    told = said(certify(fuzz, found).told)
    assert {name for name in wanted if told[name] != wanted[name]} == {where}


# -- the day on which it is final --------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Pacific/Guam", "America/Juneau"])
def test_no_certificate_is_final_while_a_copy_of_the_keys_still_lives(
    reopen: Any, clock: FixedClock, tmp_path: Path, zone: str, monkeypatch: pytest.MonkeyPatch
):
    store = reopen()
    store = replace(store, agency=replace(store.agency, timezone=zone))
    fuzz = Fuzz(store, clock, 3, tmp_path)
    monkeypatch.setattr(fuzz.luck, "random", lambda: 0.0)

    def late_in_the_day() -> None:
        clock.at = clock.at.replace(hour=23)
        Fuzz.copies(fuzz)

    monkeypatch.setattr(fuzz, "copies", late_in_the_day)
    found, _ = fuzz.dispose("destroy")
    assert fuzz.copy_at is not None
    lives_until = fuzz.copy_at + timedelta(days=30)
    for hours in range(31 * 24, 33 * 24 + 1, 3):
        clock.at = fuzz.copy_at + timedelta(hours=hours) - timedelta(days=2)
        nightly.tonight(fuzz.here.of)
        with store.database.read() as tx:
            if proposals.get(store, tx, found.id).final:
                break
    assert clock.at >= lives_until
    assert clock.at < lives_until + timedelta(days=1, hours=4)
