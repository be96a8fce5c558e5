"""Searching, for people: what was found and what it was found by, with everything that could not be searched said."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.capture import copies, pages
from app.db import Tx
from app.index import mistakes
from app.index.engine import BadCursor, QueryNotSupported, Sort
from app.index.language import BadQuery
from app.index.search import NoSuchSize
from app.index.standing import JOINED
from app.records.errors import ArchiveError, NotFound
from app.web import finding
from app.web.finding import TITLES, Asked, Everything, Family, Question
from app.web.pages.record import csv_answer
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import STATES, show
from app.web.transactions import RequestTx
from app.web.who import MayRead, messages
from connectors.contract import Kind

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
SORTS = {Sort.NEWEST: "Newest first", Sort.OLDEST: "Oldest first", Sort.CAPTURED: "Last captured first"}
LACKING = {
    "media_without_text": "pictures, sound or film of which nobody wrote what they show",
    "scanned": "scanned pages without words",
    "protected": "files that are locked with a password",
    "unreadable": "damaged files",
    "too_long": "files too large to be read to their end",
    "unknown_format": "files of a format that is not read",
    "not_kept": "attachments that could not be fetched",
    "not_read": "attachments that are being read",
}
"""What of a record could not be searched, in words."""
_PRINTED = 500
_CHOSEN_FROM = 200
"""Of so many pages one is chosen from a list."""


@router.get("/search")
def search(request: Request, asked: Question, officer: MayRead, here: Here, tx: RequestTx) -> Response:
    """The form, and what it found."""
    shown = {"asked": asked, "sorts": SORTS, **choices(tx, asked.page, messages=messages(officer))}
    if asked.blank:
        return show(request, "search.html", found=None, mistake=None, caret=None, **shown)
    try:
        if asked.families:
            query, found, groups = finding.find_families(here, tx, asked, by=officer, facets=_counted(asked))
            told = finding.families_of(here, tx, query, groups, asked, by=officer)
        else:
            query, found, records = finding.find(here, tx, asked, by=officer, facets=_counted(asked))
            hits = finding.hits(here, tx, query, records, before=asked.as_of)
            groups, told = None, [Family(hit) for hit in hits]
    except (BadQuery, QueryNotSupported, BadCursor, NoSuchSize) as error:
        status = status_of(error)
        return show(
            request, "search.html", status_code=status, found=None, mistake=error, caret=caret(error), **shown
        )
    return show(
        request,
        "search.html",
        found=found,
        understood=found.query["understood"],
        notes=found.query["notes"],
        lacking=[
            (LACKING[reason], reason, number)
            for reason, number in found.not_searched.items()
            if reason in LACKING
        ],
        groups=groups,
        told=told,
        facets=finding.narrowing(tx, asked, found.facets, STATES),
        mistake=None,
        caret=None,
        **shown,
    )


def _counted(asked: Asked) -> tuple[str, ...]:
    """What the hits are counted by; what officers say of records is known as of now only."""
    return tuple(name for name in TITLES if asked.as_of is None or name not in JOINED)


@router.get("/search/print")
def print_hits(
    request: Request, asked: Question, officer: MayRead, here: Here, tx: RequestTx, first: int = 1
) -> Response:
    """Hits for paper, five hundred at a time, marked as a working copy."""
    asked = replace(asked, limit=_PRINTED)
    _, found, records = finding.find(here, tx, asked, by=officer, what="print")
    rows = _rows(asked, str(found.query["understood"]), found.total, found.as_of, found.undated, found.behind)
    return show(
        request,
        "search-print.html",
        asked=asked,
        found=found,
        records=records,
        rows=rows,
        first=first,
        last=first + len(records) - 1,
        part=_PRINTED,
    )


@router.get("/search.csv")
def csv(asked: Question, officer: MayRead, here: Here, tx: RequestTx) -> Response:
    """Every hit as CSV, marked as a working copy; streamed without a cap."""
    found = finding.everything(here, tx, asked, by=officer)
    finding.note(here, tx, "csv", asked, by=officer, total=found.total)
    rows = _rows(asked, found.understood, found.total, found.as_of, found.undated, found.behind)
    lines: Iterable[Sequence[object]] = chain(
        copies.head(here.store, officer, rows), [list(copies.COLUMNS)], _lines(here, found)
    )
    return csv_answer(lines, "search-working-copy.csv")


def _lines(here: Parts, found: Everything) -> Iterator[Sequence[object]]:
    zone, count = here.store.agency.zone(), 0
    for record in found.records():
        count += 1
        yield copies.row(record, zone)
    yield []
    yield [f"END – {count} records"]


def _rows(
    asked: Asked, understood: str, total: int, as_of: int, undated: int, behind: int
) -> list[tuple[str, object]]:
    return [
        ("Query", asked.q or "*"),
        *[(name, value) for name, value in asked.filters() if value],
        ("Query as understood", understood),
        ("Records", total),
        ("Ledger entries searched", as_of),
        ("Ledger entries not searched yet", behind),
        ("Left out for having no date", undated),
    ]


def choices(tx: Tx, page: str, *, messages: bool) -> dict[str, Any]:
    """What a form offers. Of more pages than anybody scrolls through the name is written, or one is taken from the counts."""
    found = pages.called(tx, most=_CHOSEN_FROM + 1)
    many = len(found) > _CHOSEN_FROM
    return {
        "pages": None if many else found,
        "page_asked": _name_of(tx, page) if many and page else None,
        "platforms": pages.platforms(tx),
        "kinds": [kind for kind in Kind if messages or kind is not Kind.MESSAGE],
    }


def _name_of(tx: Tx, page: str) -> str | None:
    """What a page is called that was asked for by its id; None where it was asked for by its name."""
    try:
        return pages.get(tx, UUID(page).hex).name
    except (ValueError, NotFound):
        return None


def caret(error: ArchiveError) -> tuple[str, str, str, str] | None:
    """The words around the mistake: before it, the mistake itself, after it; and carets as wide as it is."""
    if not isinstance(error, BadQuery):
        return None
    before, mistake, after = mistakes.around(error)
    return before, mistake, after, "^" * max(1, mistakes.columns(mistake))
