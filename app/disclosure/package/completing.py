"""What was and was not captured of the pages concerned, as the ledger proves it: a record's proof says nothing of its neighbours.

Runs, gaps and manifests of a page are entries of the ledger like its records.
Each leaves here with its exact bytes and its proof, beside an account in plain
words: which time is covered, which is not and why, what the platform said it
has and what was held. The days' captures leave as the hashes of their entries,
in order, so that the chain of manifests can be followed from the first to the
last; they tell nothing of what was captured.

Words of gaps that name a record leave only where that record leaves whole:
the reason why something could not be had may hold an address, and an address
may lead to what is kept back. Other addresses are taken out of them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from app.capture import account, coverage, pages
from app.capture.coverage import Passed, Window
from app.capture.runs import CAPTURE, STREAM
from app.db import Tx, from_instant, to_instant
from app.disclosure.package.recipe import Recipe
from app.index.keys import Keys
from app.records import clock
from app.records.nouns import Page
from app.store import merkle
from app.store.ledger import act_words
from app.store.store import Store
from app.store.tables import (
    acts,
    disposal_records,
    disposals,
    entries,
    gaps,
    manifests,
    records,
    runs,
    stated,
    tombstones,
    versions,
)
from connectors import registry

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|www\.|at://|did:)\S+|\S+@\S+|(?<![\w@])@\w[\w.-]*\w|(?<!\w)[ur]/\w[\w-]+",
    re.IGNORECASE,
)
_LONG = re.compile(r"\b\d{6,}\b|\b[0-9a-f]{16,}\b", re.IGNORECASE)
_LEAD = timedelta(days=7)
_PAUSED = "the agency had paused the page"
OF_A_RECORD = "something of one record"
OF_A_FILE = "something of a file that was received"
OTHERWISE = {"pause": "what the page showed while the agency had paused it"}
_LINES = 1_000


@dataclass(frozen=True, slots=True)
class GapTold:
    """Something that is known to be missing, in words that may leave."""

    entry: int
    page: UUID
    run: UUID
    at: datetime
    what: str
    why: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PageAccount:
    """What can be said of one page: the windows of the time concerned, counts, blind spots, gaps."""

    page: Page
    since: datetime
    until: datetime
    windows: Sequence[Window]
    first_capture: datetime | None
    held: Mapping[str, int]
    stated: Sequence[Mapping[str, object]]
    blind_spots: Sequence[str]
    gaps: int
    produced: int
    withheld: int

    def as_json(self) -> dict[str, object]:
        return {
            "page": {"id": str(self.page.id), "name": self.page.name, "platform": self.page.platform},
            "from": _iso(self.since),
            "to": _iso(self.until),
            "first_capture": _iso(self.first_capture),
            "windows": [
                {
                    "since": _iso(one.since),
                    "until": _iso(one.until),
                    "cover": str(one.cover),
                    "why": list(one.why),
                }
                for one in self.windows
            ],
            "counts": {"held": dict(self.held), "platform": [dict(one) for one in self.stated]},
            "blind_spots": list(self.blind_spots),
            "gaps": self.gaps,
            "in_this_production": {"released": self.produced, "withheld": self.withheld},
            "means": account.MEANS,
        }


def write(
    store: Store,
    recipe: Recipe,
    concerned: Mapping[UUID, tuple[int, int]],
    dates: tuple[datetime, datetime],
    shown: Keys,
    out: Path,
) -> tuple[list[PageAccount], list[GapTold]]:
    """Write the account of each page of `concerned` (with how many of its records are released and withheld) into `out`.

    `dates` are what the request speaks of. `shown` are the records whose very
    bytes leave: of no other do the words of a gap leave.
    """
    out.mkdir(parents=True, exist_ok=True)
    told: list[PageAccount] = []
    missing: list[GapTold] = []
    with store.database.read() as tx:
        known = {page.id: page for page in pages.listed(tx)}
    listed = [known[one] for one in sorted(concerned, key=str)]
    with (
        (out / "runs.jsonl").open("w", encoding="utf-8", newline="\n") as runs_out,
        (out / "gaps.jsonl").open("w", encoding="utf-8", newline="\n") as gaps_out,
        (out / "manifests.jsonl").open("w", encoding="utf-8", newline="\n") as manifests_out,
    ):
        for page in listed:
            with store.database.read() as tx:
                found = list(_gaps(store, tx, page, recipe, shown))
                told.append(_account(tx, page, recipe, dates, found, concerned[page.id]))
            (out / f"{page.id}.json").write_text(_pretty(told[-1].as_json()), encoding="utf-8")
            since = dates[0] - _LEAD
            for line in _runs(store, page, recipe, since):
                runs_out.write(_line(line))
            for gap in found:
                if gap.at >= since:
                    gaps_out.write(_line(_proven(store, recipe, gap.entry) | _gap(gap)))
            missing += [gap for gap in found if _meets(gap, dates)]
            with (out / f"{page.id}.captures.txt").open("w", encoding="ascii", newline="\n") as captures:
                for line in _manifests(store, page, recipe):
                    manifests_out.write(_line(line))
                for index, leaf in _captures(store, page, recipe):
                    captures.write(f"{index} {leaf.hex()}\n")
    return told, missing


# -- the account in words ----------------------------------------------------------------------------------


def _account(
    tx: Tx,
    page: Page,
    recipe: Recipe,
    dates: tuple[datetime, datetime],
    found: Sequence[GapTold],
    produced: tuple[int, int],
) -> PageAccount:
    since, until = dates[0], min(dates[1], recipe.made_at)
    lacks: dict[UUID, list[str]] = {}
    for gap in found:
        lacks.setdefault(gap.run, []).append(f"{gap.what}: {gap.why}" if gap.why else gap.what)
    asked = account.covering_runs(page).where(runs.c.ended_at <= to_instant(recipe.made_at))
    passes = [
        Passed(
            began_at=from_instant(row.began_at),
            ended_at=from_instant(row.ended_at),
            finished=not json.loads(row.tally).get("unfinished"),
            published_from=from_instant(row.published_from) if row.published_from is not None else None,
            lacks=lacks.get(UUID(bytes=bytes(row.id)), ()),
        )
        for row in tx.execute(asked.order_by(runs.c.began_at, runs.c.key))
    ]
    windows = coverage.account(passes, _pauses(tx, page, recipe.as_of), now=recipe.made_at)
    manifest = next((one for one in registry.connectors() if one.name == page.connector), None)
    return PageAccount(
        page=page,
        since=since,
        until=until,
        windows=coverage.clipped(windows, since, max(since, until)),
        first_capture=min((one.began_at for one in passes), default=None),
        held=_held(tx, page, recipe.as_of),
        stated=_stated(tx, page, recipe),
        blind_spots=manifest.blind_spots if manifest is not None else (),
        gaps=sum(1 for gap in found if _meets(gap, dates)),
        produced=produced[0],
        withheld=produced[1],
    )


def _pauses(tx: Tx, page: Page, size: int) -> list[coverage.Pause]:
    """When the page was paused. Why is the agency's own affair, and no part of a production."""
    asked = (
        select(acts.c.at, entries.c.body)
        .join(entries, entries.c.index == acts.c.entry)
        .where(acts.c.subject == page.id.bytes, acts.c.type == "page", acts.c.entry < size)
        .order_by(acts.c.entry)
    )
    found: list[coverage.Pause] = []
    for row in tx.execute(asked):
        what, at = msgspec.json.decode(bytes(row.body)).get("act"), from_instant(row.at)
        if what in ("paused", "removed", "resumed") and found and found[-1].until is None:
            found[-1] = coverage.Pause(since=found[-1].since, until=at, why=_PAUSED)
        if what in ("paused", "removed"):
            found.append(coverage.Pause(since=at, until=None, why=_PAUSED))
    return found


def _held(tx: Tx, page: Page, size: int) -> dict[str, int]:
    asked = (
        select(records.c.kind, func.count())
        .join(versions, (versions.c.record == records.c.key) & (versions.c.number == 1))
        .outerjoin(tombstones, tombstones.c.record == records.c.key)
        .where(
            records.c.page == page.key,
            versions.c.entry < size,
            tombstones.c.record.is_(None),
            records.c.private.is_(False),
        )
        .group_by(records.c.kind)
        .order_by(records.c.kind)
    )
    return {row[0]: row[1] for row in tx.execute(asked)}


def _stated(tx: Tx, page: Page, recipe: Recipe) -> list[dict[str, object]]:
    """What the platform last said it has, by kinds, and what was held of them then."""
    asked = (
        select(stated.c.kinds, stated.c.total, stated.c.held, runs.c.ended_at)
        .join(runs, runs.c.key == stated.c.run)
        .where(runs.c.page == page.key, runs.c.ended_at <= to_instant(recipe.made_at))
        .order_by(runs.c.key)
    )
    newest = {
        row.kinds: {
            "kinds": row.kinds.split("+"),
            "stated": row.total,
            "held_then": row.held,
            "at": _iso(from_instant(row.ended_at)),
        }
        for row in tx.execute(asked)
    }
    return [newest[kinds] for kinds in sorted(newest)]


# -- entries with their proofs -----------------------------------------------------------------------------


def _runs(store: Store, page: Page, recipe: Recipe, since: datetime) -> Iterator[dict[str, object]]:
    """Every run of the page from `since` on: its entry, with what its row says of the time."""
    for index, body in _acts(store, page, "run", recipe.as_of):
        said = msgspec.json.decode(body)
        with store.database.read() as tx:
            row = tx.execute(select(runs).where(runs.c.id == bytes.fromhex(str(said["run"])))).one_or_none()
        if row is None or from_instant(row.ended_at or row.began_at) < since:
            continue
        yield _proven(store, recipe, index, body) | {
            "page": str(page.id),
            "began_at": _moment(row.began_at),
            "ended_at": _moment(row.ended_at),
            "published_from": _moment(row.published_from),
            "published_until": _moment(row.published_until),
        }


def _gaps(store: Store, tx: Tx, page: Page, recipe: Recipe, shown: Keys) -> Iterator[GapTold]:
    """The gaps of a page, the oldest first, in words that may leave."""
    asked = (
        select(
            gaps.c.entry,
            gaps.c.at,
            gaps.c.since,
            gaps.c.until,
            gaps.c.native_mac,
            runs.c.id,
            runs.c.kind,
            records.c.key.label("record"),
            acts.c.secret,
            acts.c.sealed,
        )
        .join(acts, acts.c.entry == gaps.c.entry)
        .join(runs, runs.c.key == gaps.c.run)
        .outerjoin(records, records.c.native_mac == gaps.c.native_mac)
        .where(gaps.c.page == page.key, gaps.c.entry < recipe.as_of)
        .order_by(gaps.c.key)
    )
    rows = tx.execute(asked).all()
    for row, words in zip(rows, act_words(store.keyring, tx, rows), strict=True):
        detail = words["detail"]
        what, why = str(detail.get("what") or ""), str(detail.get("why") or "")
        if row.native_mac is not None and (row.record is None or row.record not in shown):
            what, why = OF_A_RECORD, ""
        elif row.kind not in (
            CAPTURE,
            STREAM,
        ):  # what people wrote, in files or as a reason, is not a platform's answer
            what, why = OTHERWISE.get(row.kind, OF_A_FILE), ""
        yield GapTold(
            entry=row.entry,
            page=page.id,
            run=UUID(bytes=bytes(row.id)),
            at=from_instant(row.at),
            what=fit_to_leave(what),
            why=fit_to_leave(why),
            since=from_instant(row.since) if row.since else None,
            until=from_instant(row.until) if row.until else None,
        )


def fit_to_leave(words: str) -> str:
    """Words of a gap without what might lead to a record: addresses, and long numbers. Pure."""
    return _LONG.sub("(a number)", _ADDRESS.sub("(an address)", words))


def _gap(gap: GapTold) -> dict[str, object]:
    return {
        "page": str(gap.page),
        "run": str(gap.run),
        "at": _iso(gap.at),
        "what": gap.what,
        "why": gap.why,
        "since": _iso(gap.since),
        "until": _iso(gap.until),
    }


def _meets(gap: GapTold, dates: tuple[datetime, datetime]) -> bool:
    """Whether a gap speaks of the time concerned; one that names no time may."""
    return (gap.since is None or gap.since < dates[1]) and ((gap.until or gap.since or dates[1]) >= dates[0])


def _manifests(store: Store, page: Page, recipe: Recipe) -> Iterator[dict[str, object]]:
    """Every day's manifest of the page, the oldest first: a chain without room between its links."""
    asked = (
        select(manifests.c.entry)
        .where(manifests.c.page == page.key, manifests.c.entry < recipe.as_of)
        .order_by(manifests.c.entry)
    )
    with store.database.read() as tx:
        listed = list(tx.execute(asked).scalars())
    for index in listed:
        yield _proven(store, recipe, index) | {"page": str(page.id)}


def _captures(store: Store, page: Page, recipe: Recipe) -> Iterator[tuple[int, bytes]]:
    """The leaf hash of every capture of the page, in the ledger's order: what the manifests count and close."""
    last = -1
    while True:
        asked = (
            select(versions.c.entry, entries.c.body)
            .join(records, records.c.key == versions.c.record)
            .join(entries, entries.c.index == versions.c.entry)
            .where(records.c.page == page.key, versions.c.entry > last, versions.c.entry < recipe.as_of)
            .order_by(versions.c.entry)
            .limit(_LINES)
        )
        with store.database.read() as tx:
            found = tx.execute(asked).all()
        if not found:
            return
        for entry, body in found:
            yield entry, merkle.leaf_hash(bytes(body))
        last = found[-1][0]


def _acts(store: Store, page: Page, kind: str, size: int) -> Iterator[tuple[int, bytes]]:
    last = -1
    while True:
        asked = (
            select(acts.c.entry, entries.c.body)
            .join(entries, entries.c.index == acts.c.entry)
            .where(
                acts.c.subject == page.id.bytes, acts.c.type == kind, acts.c.entry > last, acts.c.entry < size
            )
            .order_by(acts.c.entry)
            .limit(_LINES)
        )
        with store.database.read() as tx:
            found = tx.execute(asked).all()
        if not found:
            return
        for entry, body in found:
            yield entry, bytes(body)
        last = found[-1][0]


def _proven(store: Store, recipe: Recipe, index: int, body: bytes | None = None) -> dict[str, object]:
    """An entry, exactly, and its path to the root of the shared checkpoint; without one where there are no proofs."""
    if body is None:
        with store.database.read() as tx:
            body = store.ledger.entry(tx, index)
    told: dict[str, object] = {"index": index, "entry": body.decode()}
    if recipe.checkpoint > index:
        told["proof"] = [
            base64.b64encode(part).decode() for part in store.ledger.inclusion(index, recipe.checkpoint)
        ]
    return told


# -- what was disposed of ----------------------------------------------------------------------------------


def disposal(store: Store, recipe: Recipe, concerned: Iterable[UUID], out: Path) -> int:
    """For each batch in which records of the pages concerned were disposed of: what authorised it, and its entries proven.

    Tombstones tell the month of publication and the authority, never content.
    A batch may hold records of other pages: their tombstones are not written.
    """
    with store.database.read() as tx:
        known = {page.id: page.key for page in pages.listed(tx)}
        wanted = [known[one] for one in concerned]
        asked = (
            select(disposals.c.key, disposals.c.id, disposals.c.entry)
            .join(disposal_records, disposal_records.c.batch == disposals.c.key)
            .join(records, records.c.key == disposal_records.c.record)
            .join(tombstones, tombstones.c.record == records.c.key)
            .where(records.c.page.in_(wanted), disposals.c.entry < recipe.as_of)
            .distinct()
            .order_by(disposals.c.entry)
        )
        batches = tx.execute(asked).all()
    for row in batches:
        folder = out / str(UUID(bytes=bytes(row.id)))
        folder.mkdir(parents=True, exist_ok=True)
        with store.database.read() as tx:
            listed = _of_batch(tx, bytes(row.id), recipe.as_of)
            gone = [
                {"record": str(UUID(bytes=bytes(one.id))), **json.loads(one.detail)}
                for one in tx.execute(
                    select(records.c.id, tombstones.c.detail)
                    .join(tombstones, tombstones.c.record == records.c.key)
                    .where(tombstones.c.batch == bytes(row.id), records.c.page.in_(wanted))
                    .order_by(records.c.key)
                )
            ]
        with (folder / "entries.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
            for index in listed:
                lines.write(_line(_proven(store, recipe, index)))
        with (folder / "tombstones.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
            for one in gone:
                lines.write(_line(one))
    return len(batches)


def _of_batch(tx: Tx, batch: bytes, size: int) -> list[int]:
    asked = (
        select(acts.c.entry)
        .where(acts.c.subject == batch, acts.c.type == "disposal", acts.c.entry < size)
        .order_by(acts.c.entry)
    )
    return list(tx.execute(asked).scalars())


def _line(told: Mapping[str, object]) -> str:
    return json.dumps(told, ensure_ascii=True, sort_keys=True) + "\n"


def _pretty(told: Mapping[str, object]) -> str:
    return json.dumps(told, ensure_ascii=True, sort_keys=True, indent=1) + "\n"


def _moment(at: int | None) -> str | None:
    return None if at is None else _iso(from_instant(at))


def _iso(at: datetime | None) -> str | None:
    return None if at is None else clock.iso(at)
