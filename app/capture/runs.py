"""Runs: begun, ended, and accounted for by an entry, the gaps they know of, and a manifest for each page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select, update

from app.capture import lanes
from app.capture.keep import Tally
from app.db import Tx, from_instant, key_of, to_instant
from app.records.ids import new_id
from app.records.nouns import Page
from app.store.ledger import DISPOSED_WITH, Deed, act_words, keyed
from app.store.merkle import Growing, leaf_hash
from app.store.sealing import new_secret, seal, unseal
from app.store.store import Store
from app.store.tables import acts, entries, gaps, manifests, records, runs, stated, versions

_STREAM = 5_000
MOST_TOLD = 1_000
"""How many unreadable lines a report tells one by one; the others it counts."""
GAP_DISPOSED = "something of a record that was disposed of"
CAPTURE, IMPORT, STREAM = "capture", "import", "stream"


@dataclass(frozen=True, slots=True)
class GapFound:
    """Something that we know we did not get."""

    what: str
    why: str
    native_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(slots=True)
class Report:
    """What a run did to a page."""

    page: UUID | None
    run: UUID
    status: str = "complete"
    finished: bool = True
    """Whether the pass was seen through; one that was may still know of gaps."""
    tally: Tally = field(default_factory=Tally)
    gaps: list[GapFound] = field(default_factory=list)
    seconds: float = 0.0
    stated: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By kinds ("comment", "post+reply"): how many the platform said it has, and how many were held then."""
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    unreadable_total: int = 0

    def cannot_read(self, number: int, why: str) -> None:
        """Tell of a line that could not be read; beyond a thousand they are counted only."""
        self.unreadable_total += 1
        if len(self.unreadable) < MOST_TOLD:
            self.unreadable.append((number, why[:500]))

    def as_dict(self) -> dict[str, object]:
        told = self.tally.as_dict()
        return {
            "page": str(self.page) if self.page else None,
            "run": str(self.run),
            "status": self.status,
            **told,
            "gaps": [{"what": gap.what, "why": gap.why} for gap in self.gaps],
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the registry of runs knows it."""

    key: int
    id: UUID
    page: int | None
    kind: str
    began_at: datetime
    ended_at: datetime | None
    status: str
    tally: Mapping[str, int]
    lane: str = lanes.WHOLE


def begin(
    store: Store,
    tx: Tx,
    page: Page | None,
    kind: str,
    *,
    lane: str = lanes.WHOLE,
    published_from: datetime | None = None,
    published_until: datetime | None = None,
) -> Run:
    """Begin a run; it says of itself that it is running until it is ended.

    `lane` says which kind of pass it makes, and the times what that pass is about.
    """
    identity, now = new_id(), store.clock.now()
    store.keyring.keep({identity.bytes: new_secret()})
    row = tx.execute(
        insert(runs).values(
            id=identity.bytes,
            page=page.key if page else None,
            kind=kind,
            began_at=to_instant(now),
            status="running",
            lane=lane,
            published_from=to_instant(published_from) if published_from else None,
            published_until=to_instant(published_until) if published_until else None,
        )
    )
    return Run(key_of(row), identity, page.key if page else None, kind, now, None, "running", {}, lane)


def remember(store: Store, tx: Tx, run: Run, note: Mapping[str, object]) -> None:
    """Remember how far a run came, sealed."""
    sealed = seal(store.keyring.secret(run.id.bytes), b"run", json.dumps(dict(note)).encode())
    tx.execute(update(runs).where(runs.c.key == run.key).values(sealed_note=sealed))


def noted(store: Store, tx: Tx, run: Run) -> dict[str, object]:
    """What a run remembered."""
    sealed = tx.execute(select(runs.c.sealed_note).where(runs.c.key == run.key)).scalar()
    if sealed is None:
        return {}
    found: dict[str, object] = msgspec.json.decode(
        unseal(store.keyring.secret(run.id.bytes), b"run", bytes(sealed))
    )
    return found


def note_gaps(
    store: Store, tx: Tx, run: Run, page: Page | None, found: Sequence[GapFound], *, by: UUID | None
) -> None:
    """Write down what is known to be missing, each with an entry of its own."""
    if not found:
        return
    deeds = [
        Deed(
            "gap",
            by,
            gap.why,
            {"run": run.id.hex, **({"page": page.id.hex} if page else {})},
            {
                "what": gap.what,
                "why": gap.why,
                "native_id": gap.native_id,
                "since": gap.since.isoformat() if gap.since else None,
                "until": gap.until.isoformat() if gap.until else None,
            },
            page.id if page else None,
        )
        for gap in found
    ]
    first = store.ledger.act_each(tx, deeds)
    tx.execute(
        insert(gaps),
        [
            {
                "run": run.key,
                "page": page.key if page else None,
                "entry": first + number,
                "at": to_instant(store.clock.now()),
                "since": to_instant(gap.since) if gap.since else None,
                "until": to_instant(gap.until) if gap.until else None,
                "native_mac": keyed(store.lookup, page.id.bytes, gap.native_id.encode())
                if page and gap.native_id
                else None,
            }
            for number, gap in enumerate(found)
        ],
    )


def end(
    store: Store, tx: Tx, run: Run, report: Report, touched: Iterable[Page], *, by: UUID | None, why: str
) -> None:
    """End a run: its row, its entry, and the manifest of every page that it touched."""
    told = report.tally.as_dict()
    facts: dict[str, int | str] = {
        "run": run.id.hex,
        "kind": run.kind,
        "status": report.status,
        **told,
        "gaps": len(report.gaps),
    }
    if report.page:
        facts["page"] = report.page.hex
    for kinds, (total, held) in sorted(report.stated.items()):
        facts[f"stated {kinds}"], facts[f"held {kinds}"] = total, held
    store.ledger.act(
        tx,
        "run",
        by=by,
        why=why,
        facts=dict(facts),
        detail={"gaps": [gap.what for gap in report.gaps]},
        subject=report.page,
    )
    if report.stated:
        tx.execute(
            insert(stated),
            [
                {"run": run.key, "kinds": kinds, "total": total, "held": held}
                for kinds, (total, held) in report.stated.items()
            ],
        )
    tx.execute(
        update(runs)
        .where(runs.c.key == run.key)
        .values(
            ended_at=to_instant(store.clock.now()),
            status=report.status,
            tally=json.dumps({**told, "gaps": len(report.gaps), "unfinished": int(not report.finished)}),
        )
    )
    manifest(store, tx, list(touched), by=by)


def manifest(store: Store, tx: Tx, pages: Sequence[Page], *, by: UUID | None) -> None:
    """State, for each page, everything that was captured of it since its last manifest: count and Merkle root.

    One a page and day, made when the first run of the day ends. Chained by
    `prev`, the manifests of a page leave no room between them.
    """
    day = _today(store)
    made = set(tx.execute(select(manifests.c.page).where(manifests.c.day == day)).scalars())
    by_key = {page.key: page for page in pages if page.key not in made}
    if not by_key:
        return
    through = store.ledger.size(tx) - 1
    last: dict[int, tuple[int, int]] = {}
    for key in by_key:
        before = (
            select(manifests.c.entry, manifests.c.through)
            .where(manifests.c.page == key)
            .order_by(manifests.c.entry.desc())
            .limit(1)
        )
        row = tx.execute(before).one_or_none()
        if row is not None:
            last[key] = (row.entry, row.through)
    trees = _grown(tx, {key: last.get(key, (0, -1))[1] for key in by_key}, through)
    deeds = []
    for key, page in by_key.items():
        tree = trees[key]
        facts: dict[str, int | str] = {
            "page": page.id.hex,
            "day": day,
            "n": tree.count,
            "root": tree.root().hex(),
            "through": through,
        }
        if key in last:
            facts["prev"] = last[key][0]
        deeds.append(
            Deed("manifest", by, "everything captured since the last manifest", dict(facts), {}, page.id)
        )
    first = store.ledger.act_each(tx, deeds)
    tx.execute(
        insert(manifests),
        [
            {
                "entry": first + number,
                "page": key,
                "day": day,
                "count": trees[key].count,
                "root": trees[key].root(),
                "previous": last[key][0] if key in last else None,
                "through": through,
            }
            for number, key in enumerate(by_key)
        ],
    )


def _grown(tx: Tx, since: Mapping[int, int], through: int) -> dict[int, Growing]:
    """For each page, the tree over the entries of what was captured of it after the entry that `since` names."""
    trees = {key: Growing() for key in since}
    asked = (
        select(records.c.page, versions.c.entry, entries.c.body)
        .join(records, records.c.key == versions.c.record)
        .join(entries, entries.c.index == versions.c.entry)
        .where(versions.c.entry > min(since.values()), versions.c.entry <= through)
        .order_by(versions.c.entry)
    )
    if len(since) == 1:
        (key,) = since
        many = tx.execute(select(func.count()).select_from(records).where(records.c.page == key)).scalar_one()
        # By whichever are fewer: the page's records, or the entries of all pages since. The sum hides the
        # column from its index, so that the database goes by the entries.
        page = records.c.page if many < through - since[key] else records.c.page + 0
        asked = asked.where(page == key)
    for key, entry, body in tx.execute(asked).yield_per(_STREAM):
        if key in trees and entry > since[key]:
            trees[key].add(leaf_hash(bytes(body)))
    return trees


def daily_manifests(store: Store, tx: Tx, pages: Sequence[Page], *, by: UUID | None, since: int) -> int:
    """Make the day's manifest of every page of which something was captured since its last one.

    Entries up to `since` are in a manifest already; what is returned says so next time.
    """
    touched = (
        select(records.c.page)
        .join(versions, versions.c.record == records.c.key)
        .where(versions.c.entry > since)
        .distinct()
    )
    last = select(func.max(manifests.c.through))
    left, reached = [], store.ledger.size(tx) - 1
    day = _today(store)
    by_key = {page.key: page for page in pages}
    for key in tx.execute(touched).scalars():
        through = tx.execute(last.where(manifests.c.page == key)).scalar()
        if tx.execute(
            select(manifests.c.entry).where(manifests.c.page == key, manifests.c.day == day)
        ).first():
            reached = min(reached, through if through is not None else -1)
        elif key in by_key:
            left.append(by_key[key])
    manifest(store, tx, left, by=by)
    return reached


def _today(store: Store) -> str:
    return store.clock.now().astimezone(store.agency.zone()).date().isoformat()


def recent(tx: Tx, page: Page | None = None, limit: int = 50) -> list[Run]:
    """The newest runs first."""
    asked = select(runs).order_by(runs.c.key.desc()).limit(limit)
    if page:
        asked = asked.where(runs.c.page == page.key)
    return [
        Run(
            row.key,
            UUID(bytes=bytes(row.id)),
            row.page,
            row.kind,
            from_instant(row.began_at),
            from_instant(row.ended_at) if row.ended_at else None,
            row.status,
            json.loads(row.tally),
            row.lane,
        )
        for row in tx.execute(asked)
    ]


def gaps_of(
    store: Store, tx: Tx, *, run: int | None = None, page: int | None = None, limit: int = 200
) -> list[GapFound]:
    """The gaps that are known, newest first."""
    asked = select(gaps.c.entry, gaps.c.since, gaps.c.until, acts.c.secret, acts.c.sealed).join(
        acts, acts.c.entry == gaps.c.entry
    )
    if run is not None:
        asked = asked.where(gaps.c.run == run)
    if page is not None:
        asked = asked.where(gaps.c.page == page)
    found = tx.execute(asked.order_by(gaps.c.key.desc()).limit(limit)).all()
    told = []
    for row, words in zip(found, act_words(store.keyring, tx, found), strict=True):
        detail = words["detail"]
        told.append(
            GapFound(
                detail.get("what", GAP_DISPOSED),
                detail.get("why", DISPOSED_WITH),
                detail.get("native_id"),
                from_instant(row.since) if row.since else None,
                from_instant(row.until) if row.until else None,
            )
        )
    return told


def interrupted(tx: Tx, page: Page | None, kind: str) -> list[Run]:
    """The runs that say they are running although nobody runs them: call it holding the page's lease."""
    asked = select(runs).where(runs.c.status == "running", runs.c.kind == kind)
    asked = asked.where(runs.c.page == page.key) if page else asked.where(runs.c.page.is_(None))
    return [
        Run(
            row.key,
            UUID(bytes=bytes(row.id)),
            row.page,
            row.kind,
            from_instant(row.began_at),
            None,
            row.status,
            {},
        )
        for row in tx.execute(asked.order_by(runs.c.key))
    ]


def close_interrupted(store: Store, tx: Tx, page: Page | None, kind: str, *, by: UUID | None) -> list[Run]:
    """End the runs that a crash or a power cut broke off; what they kept is kept, and the break is a gap."""
    left = interrupted(tx, page, kind)
    for run in left:
        gap = GapFound(
            "the rest of this run",
            "the run was broken off before it ended",
            since=run.began_at,
            until=store.clock.now(),
        )
        note_gaps(store, tx, run, page, [gap], by=by)
        report = Report(
            page=page.id if page else None, run=run.id, status="partial", finished=False, gaps=[gap]
        )
        end(store, tx, run, report, [], by=by, why="broken off, found at the next start")
    return left
