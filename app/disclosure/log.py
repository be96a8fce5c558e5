"""The request log, as the law wants it: a table that leaves as CSV, with the columns that the law names.

In some states the log is itself a public record. Who asked, and in what words,
stands in it where the law of the request wants it there, and for the agency's
own use where somebody asks for everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app import officers
from app.capture import copies
from app.db import Tx
from app.disclosure import kept_back, requests
from app.disclosure.formats.table import fitted, guarded
from app.disclosure.law import LOG
from app.disclosure.requests import OUTCOMES, READERS, TYPE, Request
from app.records.nouns import Officer
from app.retention.calendar import civil
from app.store.store import Store


def rows(
    store: Store,
    tx: Tx,
    *,
    since: date | None = None,
    until: date | None = None,
    law: str = "",
    everything: bool = False,
    by: Officer,
) -> tuple[list[str], list[list[str]]]:
    """The headings and lines of the log, oldest first.

    The columns are those that any law of these requests names; what the law
    of a request does not name is left empty in its line, unless `everything`
    is asked for, for the agency's own use.
    """
    officers.require(by, *READERS)
    found = [one for one in requests.listed(store, tx, since=since, until=until) if not law or one.law == law]
    found.reverse()
    wanted = [key for key in LOG if everything or any(key in requests.must_log(one) for one in found)]
    lines = []
    for one in found:
        told = _told(store, tx, one)
        needed = tuple(LOG) if everything else requests.must_log(one)
        lines.append([told[key] if key in needed else "" for key in wanted])
    return [LOG[key] for key in wanted], lines


def as_csv(
    store: Store, tx: Tx, *, since: date | None = None, until: date | None = None, law: str = "",
    everything: bool = False, by: Officer, why: str,
) -> bytes:  # fmt: skip
    """The log as CSV, for whoever asks for it; that it left is an entry.

    A cell that begins as a formula would begins with an apostrophe here, as in
    every table that leaves, so that no spreadsheet runs what a stranger wrote.
    """
    heads, lines = rows(store, tx, since=since, until=until, law=law, everything=everything, by=by)
    store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"act": "log-exported", "n": len(lines)},
        detail={
            "act": "log-exported",
            "from": since.isoformat() if since else None,
            "until": until.isoformat() if until else None,
            "law": law,
            "everything": everything,
        },
    )
    told = [copies.line(heads), *(copies.line(guarded(fitted(cell)) for cell in line) for line in lines)]
    return "".join(told).encode("utf-8-sig")


def _told(store: Store, tx: Tx, one: Request) -> dict[str, str]:
    zone = store.agency.zone()

    def day(event: str) -> str:
        at = one.of(event)
        return civil(at[0].at, zone).isoformat() if at else ""

    return {
        "number": one.number,
        "received": civil(one.received_at, zone).isoformat(),
        "requester": one.name or one.email or "not given",
        "words": one.words,
        "acknowledged": day("acknowledged"),
        "clarification_asked": day("clarification_asked"),
        "withheld": "; ".join(_withheld(store, tx, one)),
        "disposition": OUTCOMES.get(one.outcome, "open") if not one.open else "open",
        "disposed_on": civil(one.closed_at, zone).isoformat() if one.closed_at else "",
    }


def _withheld(store: Store, tx: Tx, one: Request) -> Sequence[str]:
    """How many records left in part or not at all, and on which grounds; and on which something was denied by letter."""
    found: list[str] = []
    if kept := kept_back.of(tx, one.id):
        found += [kept.says(), *kept_back.grounds(store, tx, kept)]
    if not any(happened.event == "denied" or happened.code == "partly" for happened in one.happened):
        return list(dict.fromkeys(found))
    for told in requests.history(store, tx, one):
        if told.text("act") != "denied":
            continue
        named = told.detail.get("exemptions")
        found += [
            str(ground["citation"])
            for ground in (named if isinstance(named, list) else [])
            if isinstance(ground, dict)
        ]
        others = told.detail.get("grounds")
        found += [str(ground) for ground in (others if isinstance(others, list) else [])]
        found.append(told.text("reasons"))
    return [one for one in dict.fromkeys(found) if one]
