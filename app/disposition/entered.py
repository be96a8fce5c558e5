"""What the ledger says of a proposal, held against its rows before anything is destroyed by them.

Rows can be altered by whoever has the database; entries cannot without being
noticed. So list, edition, chain and every approval are read from the entries
once more, and a row that says otherwise destroys nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import msgspec

from app.capture import deeds
from app.db import Tx
from app.disposition import chain, proposals
from app.disposition.proposals import Proposal
from app.records.errors import IntegrityFailure
from app.store import disposals
from app.store.disposals import Batch
from app.store.store import Store


class ProposalAltered(IntegrityFailure):
    """A proposal's rows do not say what its entries say."""

    code = "proposal-altered"


def must_be_as_entered(store: Store, tx: Tx, found: Proposal, batch: Batch) -> None:
    """Raise `ProposalAltered` unless rows and entries say the same of list, edition, people and batch."""
    wrong = next(_wrong(store, tx, found, batch), None)
    if wrong is not None:
        raise ProposalAltered(
            f"{wrong}: proposal {found.id} is not what its entries say",
            next="Keep this copy as evidence, call `muniment verify --full`, and execute nothing.",
        )


def authorised_on(store: Store, tx: Tx, batch: Batch) -> date:
    """The civil day on which a batch was authorised, by its entry."""
    said = msgspec.json.decode(store.ledger.entry(tx, batch.entry))["ts"]
    return datetime.fromisoformat(said).astimezone(store.agency.zone()).date()


def _wrong(store: Store, tx: Tx, found: Proposal, batch: Batch) -> Iterator[str]:
    counting = [one for one in found.approvals if one.counts]
    said = deeds.told(store, tx, [found.entry, *(one.entry for one in counting)])
    # 1. Who proposed what, under which edition, for how long to wait.
    made = said[found.entry]
    rows = (found.by, found.kind, found.series, found.edition.hex(), found.waiting_days, str(found.on))
    told = made.detail
    if rows != (
        made.by,
        *(told.get(name) for name in ("kind", "series", "edition_digest", "waiting_days", "on")),
    ):
        yield "who proposed what, under which edition"
    # 2. Every approval, by whom, in which role, and of this very list.
    digest = proposals.digest_of(tx, found).hex()
    for one in counting:
        entered = said[one.entry]
        if (one.officer, str(one.role), digest) != (
            entered.by,
            entered.detail.get("role"),
            entered.detail.get("of"),
        ):
            yield "an approval"
    # 3. The chain is complete, and nobody acts twice in it.
    people = [found.by, *(one.officer for one in counting)]
    left = chain.waits_for(found.steps, [one.taken() for one in counting], proposed=found.proposed_first_step)
    if left is not None or len(people) != len(set(people)) or len(people) < 2:
        yield "the chain of approvals"
    # 4. The batch is the list.
    body = msgspec.json.decode(store.ledger.entry(tx, batch.entry))
    root = disposals.root(proposals.ids(tx, found.key)).hex()
    if (body.get("act"), body.get("batch"), body.get("root")) != ("authorised", found.id.hex, root):
        yield "the list of the batch"
