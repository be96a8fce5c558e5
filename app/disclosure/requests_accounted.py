"""Requests held against the acts that wrote them: what fixity asks of this room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from app.db import Tx, to_instant
from app.disclosure import produced, requests
from app.disclosure.requests import CLOSED, REVIEWING, SELECTING
from app.store.accounts import Wrong
from app.store.hearing import Heard, by_entry, compared, heard, whole
from app.store.store import Store
from app.store.tables import (
    pages,
    request_events,
    request_fees,
    request_laws,
    request_pages,
    request_papers,
    request_times,
)
from app.store.tables import requests as table

LOOK = "requests"
"""What fixity calls this look."""
_ROWS = 10_000


def wrong(store: Store) -> Wrong:
    """Whatever the rows of requests say that nobody did, or no longer say although somebody did."""
    with store.database.read() as tx:
        said = _Said(store)
        for act in heard(store, tx, requests.TYPE):
            if act.subject is not None and not act.untold:
                said.take(act)
        for act in heard(store, tx, produced.TYPE):  # the letter that asks a production back
            if act.subject is not None and not act.untold:
                said.papers_of(act.subject, act)
        yield from _requests(tx, said)
        yield from _beside(tx, said)


@dataclass(slots=True)
class _Said:
    """What was done, as the rows should have it; requests, pages and papers by their ids."""

    store: Store
    requests: dict[bytes, dict[str, object]] = field(default_factory=dict)
    pages: dict[tuple[bytes, bytes], dict[str, object]] = field(default_factory=dict)
    events: dict[tuple[int, str], dict[str, object]] = field(default_factory=dict)
    papers: dict[bytes, dict[str, object]] = field(default_factory=dict)
    times: dict[int, dict[str, object]] = field(default_factory=dict)
    fees: dict[int, dict[str, object]] = field(default_factory=dict)
    reopened: set[bytes] = field(default_factory=set)

    def take(self, act: Heard) -> None:
        assert act.subject is not None
        of, detail = act.subject, act.detail
        if act.act == "opened":
            self._opened(of, act)
        elif of in self.requests:
            self._changed(of, act)
        if "event" in detail:
            self._event(of, act.entry, detail)
        self.papers_of(of, act)

    def papers_of(self, of: bytes, act: Heard) -> None:
        for paper in act.detail.get("papers") or ():
            self.papers[UUID(paper["id"]).bytes] = {"of": of, "entry": act.entry, "bytes": paper["bytes"], "kind": paper["kind"]}  # fmt: skip

    def _opened(self, of: bytes, act: Heard) -> None:
        detail = act.detail
        year, number = detail["number"].removeprefix(f"{requests.PREFIX}-").split("-")
        answers = UUID(detail["custodian"]).bytes if detail["custodian"] else None
        self.requests[of] = {
            "entry": act.entry, "year": int(year), "number": int(number), "law": bytes.fromhex(detail["law_sha256"]),
            "edition": detail["edition"], "track": detail["track"], "received_at": _instant(detail["received_at"]),
            "target_day": detail["target"], "litigant": detail["litigant"], "from_day": detail["from"],
            "until_day": detail["until"], "state": SELECTING, "state_entry": act.entry, "outcome": None,
            "let_go_entry": None, "custodian": answers, "custodian_entry": act.entry if answers else None,
            "requester": requests.requester_of(self.store, detail["name"], detail["email"]),
        }  # fmt: skip
        for page in detail["pages"]:
            self.pages[of, UUID(page).bytes] = {}
        told = {"received": detail["received_at"], "postmarked": detail["postmarked"]}
        if detail["complete"]:
            told["complete"] = detail["received_at"]
        for name, at in told.items():
            if at is not None:
                self._event(of, act.entry, {"event": name, "at": at})

    def _changed(self, of: bytes, act: Heard) -> None:
        row = self.requests[of]
        match act.act:
            case "confirmed":
                row |= {"state": REVIEWING, "state_entry": act.entry, "outcome": None}
            case "closed":
                row |= {"state": CLOSED, "state_entry": act.entry, "outcome": act.detail["outcome"]}
            case "reopened":
                self.reopened.add(of)
            case "held-again":
                again = of in self.reopened
                self.reopened.discard(of)
                row |= {"state_entry": act.entry, "let_go_entry": None}
                if again:
                    row |= {"state": SELECTING, "outcome": None}
            case "litigant":
                row |= {"litigant": act.detail["litigant"], "state_entry": act.entry}
            case "assigned":
                row |= {"custodian": UUID(act.detail["custodian"]).bytes, "custodian_entry": act.entry}
            case "let-go":
                row["let_go_entry"] = act.entry
            case "time":
                self.times[act.entry] = {
                    "of": of, "officer": UUID(act.detail["officer"]).bytes,
                    **{name: act.detail[name] for name in ("day", "minutes", "work", "cents_an_hour")},
                }  # fmt: skip
            case name if name.startswith("fee-"):
                self.fees[act.entry] = {
                    "of": of,
                    "act": name.removeprefix("fee-"),
                    "cents": act.detail["cents"],
                }
            case _:
                pass

    def _event(self, of: bytes, entry: int, detail: Any) -> None:
        self.events[entry, detail["event"]] = {
            "of": of, "at": _instant(detail["at"]), "code": detail.get("code", ""), "rule": detail.get("rule", ""),
            "days": detail.get("days", 0), "number": detail.get("number", 0), "on_day": detail.get("on"),
        }  # fmt: skip


def _instant(written: str) -> int:
    return to_instant(datetime.fromisoformat(written))


def _read(tx: Tx, asked: Select[Any]) -> Iterator[Any]:
    yield from tx.execution_options(yield_per=_ROWS).execute(asked)


def _requests(tx: Tx, said: _Said) -> Wrong:
    columns = [one for one in table.columns if one.name != "law"]
    asked = select(*columns, request_laws.c.digest.label("law")).outerjoin(
        request_laws, request_laws.c.key == table.c.law
    )
    yield from compared(
        _read(tx, asked.order_by(table.c.key)),
        said.requests,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )


def _beside(tx: Tx, said: _Said) -> Wrong:
    of = table.c.id.label("of")
    paged = select(of, pages.c.id).select_from(request_pages).outerjoin(table, table.c.key == request_pages.c.request).outerjoin(pages, pages.c.key == request_pages.c.page)  # fmt: skip
    yield from compared(
        _read(tx, paged),
        said.pages,
        key=lambda row: (_id(row.of), _id(row.id)),
        where=lambda row: (_id(row.of) or b"").hex(),
        missing=lambda one: one[0].hex(),
    )
    happened = select(request_events, of).outerjoin(table, table.c.key == request_events.c.request)
    yield from compared(
        _read(tx, happened.order_by(request_events.c.key)),
        said.events,
        key=lambda row: (row.entry, row.event),
        where=by_entry,
        missing=lambda one: f"entry {one[0]}",
    )
    kept = select(
        request_papers.c.id, request_papers.c.entry, request_papers.c.bytes, request_papers.c.kind, of
    ).outerjoin(table, table.c.key == request_papers.c.request)
    yield from compared(
        _read(tx, kept.order_by(request_papers.c.key)),
        said.papers,
        key=lambda row: bytes(row.id),
        where=whole,
        missing=lambda one: bytes(one).hex(),
    )
    for rows, done in ((request_times, said.times), (request_fees, said.fees)):
        asked = select(rows, of).outerjoin(table, table.c.key == rows.c.request).order_by(rows.c.key)
        yield from compared(
            _read(tx, asked),
            done,
            key=lambda row: row.entry,
            where=by_entry,
            missing=lambda entry: f"entry {entry}",
        )


def _id(value: Any) -> bytes | None:
    return bytes(value) if value is not None else None
