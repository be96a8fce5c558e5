"""Searching, over the API: one part of the hits with its exact total, or every hit as a stream."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app.capture import records
from app.holds.joining import Known
from app.index import grouping
from app.web import finding
from app.web.finding import Everything, Question
from app.web.parts import Here
from app.web.transactions import RequestTx
from app.web.who import MayRead, MayTakeEvidence

router = APIRouter(tags=["records"])


@router.get("/records")
def search(
    asked: Question,
    officer: MayRead,
    here: Here,
    tx: RequestTx,
    facets: Annotated[str, Query(description="Names, divided by commas.", max_length=200)] = "",
) -> dict[str, Any]:
    """The records that a query finds, with the exact total and the query as understood.

    With `families` each record stands for its family, and `families` has the
    ids of the other hits.
    """
    wanted, together = finding.facets_of(facets), {}
    if asked.families:
        query, found, groups = finding.find_families(here, tx, asked, by=officer, facets=wanted)
        hits = finding.read(here, tx, grouping.first_hits(groups), asked, by=officer)
        together = {"families": grouping.as_json(tx, groups)}
    else:
        query, found, hits = finding.find(here, tx, asked, by=officer, facets=wanted)
    met = finding.met(here, tx, query, hits, before=asked.as_of)
    told = [
        records.as_json(record) | ({"found": met[record.key].as_json()} if record.key in met else {})
        for record in hits
    ]
    more = {} if found.disposed_since is None else {"disposed_since": found.disposed_since}
    return (
        more
        | together
        | {
            "total": found.total,
            "records": told,
            "facets": found.facets,
            "query": found.query,
            "as_of": found.as_of,
            "undated": found.undated,
            "unsearchable": found.unsearchable,
            "not_searched": found.not_searched,
            "next": found.cursor,
        }
    )


@router.get("/records.ndjson", response_class=Response)
def every(
    asked: Question,
    officer: MayTakeEvidence,
    here: Here,
    tx: RequestTx,
    why: Annotated[str, Query(max_length=2_000)] = "taken over the API",
) -> Response:
    """Every record that a query finds, as JSON Lines without a cap; an export has an entry of its own."""
    Known(here.store, tx, officer).must_not_leave(asked.understood().tree)
    found = finding.everything(here, tx, asked, by=officer)
    finding.note(here, tx, "records", asked, by=officer, total=found.total)
    here.store.ledger.act(
        tx,
        "export",
        by=officer.id,
        why=why.strip() or "taken over the API",
        facts={"what": "records", "n": found.total, "as_of": found.as_of},
        detail={"query": asked.q or "*", "understood": found.understood},
    )
    headers = {
        "Content-Disposition": 'attachment; filename="records.ndjson"',
        "X-Total": str(found.total),
        "X-As-Of": str(found.as_of),
    }
    return StreamingResponse(_lines(found), media_type="application/x-ndjson", headers=headers)


def _lines(found: Everything) -> Iterator[bytes]:
    for record in found.records():
        yield json.dumps(records.as_json(record), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
