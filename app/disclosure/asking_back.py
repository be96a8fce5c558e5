"""Asking back what was given by mistake: the numbers, the ground, and the letter that says so.

The letter names numbers and grounds and nothing of what the pages hold. It is
kept with the act, among the letters of the request; it goes when an officer
sends or prints it. Whether whoever has the pages must give them back is for the
rule that it cites.
"""

from __future__ import annotations

from app.db import Tx
from app.disclosure import letters, produced, requests, reviewing
from app.disclosure.known import Laws
from app.disclosure.produced import Production
from app.records.nouns import Officer
from app.store.store import Store


def ask_back(
    store: Store,
    tx: Tx,
    laws: Laws,
    production: Production,
    *,
    ranges: str = "",
    exemption: str = "",
    rule: str = "",
    by: Officer,
    why: str,
) -> Production:
    """Ask a production back, or numbers of it, with the letter for whoever was given it.

    `exemption` is the ground on which it should have been withheld, by code or
    citation; `rule` what the notice rests on: a rule of procedure, an order, an
    agreement.
    """
    request = requests.fresh(store, tx, requests.get(store, tx, str(production.request)))
    now = produced.get(store, tx, production.number)
    produced.must_be_issued(now)
    told = produced.written(tx, now, ranges)
    letter = letters.written(
        store, laws, request, "clawback", by=by, production=now.number, ranges=told or "all of it",
        ground=reviewing.grounds(request, exemption) if exemption.strip() else None, rule=" ".join(rule.split()),
    )  # fmt: skip
    return produced.claw_back(store, tx, now, ranges=told, letter=letter, by=by, why=why)
