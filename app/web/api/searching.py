"""Searching, over the API: one part of the hits with its exact total, or every hit as a stream."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app.capture import records
from app.index import families, grouping
from app.web import finding
from app.web.finding import Everything, Question
from app.web.parts import Here
from app.web.transactions import RequestTx
from app.web.who import MayRead, MayTakeEvidence, messages

router = APIRouter(tags=["records"])


@router.get("/records")
def search(
    asked: Question,
    officer: MayRead,
    here: Here,
    tx: RequestTx,
    facets: Annotated[str, Query(description="Names, divided by commas.", max_length=200)] = "",
    by_family: Annotated[
        bool, Query(alias="families", description="Each family once, with all of its hits.")
    ] = False,
) -> dict[str, Any]:
    """The records that a query finds, with the exact total and the query as understood.

    With `families` each record stands for its family, and `families` has the
    ids of the other hits.
    """
    plain = replace(asked, limit=1, cursor="") if by_family else asked
    query, found, hits = finding.find(here, tx, plain, by=officer, facets=finding.facets_of(facets))
    following, together = found.cursor, {}
    if by_family:
        known = families.read(tx, found.as_of, messages=messages(officer))
        every_hit = finding.everything(here, tx, plain, by=officer).answer.every(asked.sort)
        groups = grouping.of(every_hit, known, asked.limit, asked.cursor or None)
        hits = finding.read(here, tx, grouping.first_hits(groups), asked, by=officer)
        following, together = groups.cursor, {"families": grouping.as_json(tx, groups)}
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
            "next": following,
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
