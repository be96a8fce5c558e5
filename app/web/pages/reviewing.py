"""Selecting, reviewing and producing, for people; and what somebody sees who has a link to a production and no account.

Everything goes by keyboard alone: the queue leads from record to record, each
suggestion is a button, words are typed, and regions of a picture or of a page
are told by two clicks or by numbers. Nothing here needs a script.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app import officers
from app.capture import records
from app.db import Tx
from app.disclosure import (
    asking_back,
    assembling,
    handing,
    matching,
    produced,
    redacting,
    requests,
    reviewing,
    selecting,
)
from app.disclosure.redacting import BadRedaction, Field, Held, Region, Span, Where, Whole
from app.disclosure.rendition.pictures import FINE
from app.disclosure.rendition.remaking import NoSuchSheet, Remakes
from app.disclosure.reviewing import Looked, Standing
from app.disclosure.suggesting import Suggestion
from app.disclosure.trying import ONE_AT_A_TIME
from app.index.questions import Filters
from app.records.errors import ArchiveError, Invalid
from app.records.nouns import Officer, Record, Version
from app.store import access
from app.web.api import productions as api_productions
from app.web.api import reviews as api
from app.web.api.requests import MayRequest, MaySeeRequests, laws
from app.web.forms import Posted, reason
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.reading import PICTURES
from app.web.showing import show
from app.web.who import messages

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=4_000)]
Words = Annotated[str, Form(max_length=100_000)]
_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a text: `plain`, `taken` out, `suggested` or `kept`; the note says by what and on which ground."""

    text: str
    how: str = "plain"
    note: str = ""


# -- selection ---------------------------------------------------------------------------------------------


@router.get("/requests/{number}/selection")
def show_selection(request: Request, number: str, officer: MaySeeRequests, here: Here) -> Response:
    """How a request was selected, and where it is selected and confirmed."""
    return _selection(request, here, number, officer)


@router.post("/requests/{number}/selection/{act}", dependencies=[Posted])
def change_selection(
    request: Request,
    number: str,
    act: str,
    officer: MayRequest,
    here: Here,
    query: Words = "",
    since: Line = "",
    until: Line = "",
    kind: Line = "",
    families: Line = "",
    add: Line = "",
    record: Line = "",
    seen: Line = "",
    why: Line = "",
) -> Response:
    """Select: `query`, `add`, `remove`; or `confirm`."""
    try:
        said = reason(why)
        ids = record.replace(",", " ").split()
        match act:
            case "confirm":
                with here.store.database.begin() as tx:
                    now = requests.get(here.store, tx, number)
                    selecting.confirm(
                        here.store,
                        tx,
                        now,
                        seen=int(seen) if seen.isdecimal() else None,
                        by=officer,
                        why=said,
                    )
            case "add":
                api.chosen(here, number, api.Choice(records=_ids(ids), why=said), said, officer)
            case "remove":
                api.chosen(here, number, api.Choice(without=_ids(ids), why=said), said, officer)
            case "query":
                filters = Filters.of({"from": since, "to": until, "kind": kind}).as_json()
                asked = api.Choice(
                    query=query or "*",
                    filters=filters,
                    families=families == "yes",
                    add=add == "yes",
                    why=said,
                )
                api.chosen(here, number, asked, said, officer)
            case _:
                raise _no_act(act)
    except ArchiveError as error:
        return _selection(request, here, number, officer, error, query=query)
    return RedirectResponse(f"/requests/{number}/selection", 303)


def _ids(written: Sequence[str]) -> list[UUID]:
    try:
        return [UUID(one) for one in written]
    except ValueError as error:
        raise BadRedaction(
            "this is no id of a record", next="Take ids from the address of the record's page."
        ) from error


def _selection(
    request: Request, here: Parts, number: str, officer: Officer, error: ArchiveError | None = None, query: str = ""
) -> Response:  # fmt: skip
    with here.store.database.read() as tx:
        found = requests.get(here.store, tx, number)
        steps = selecting.history(here.store, tx, found.id)
        total = selecting.count(tx, found.id)
        people = _people(tx)
    return show(
        request,
        "request-selection.html",
        status_code=200 if error is None else status_of(error),
        one=found,
        steps=steps,
        total=total,
        confirmed=bool(steps) and steps[-1].how == selecting.CONFIRMED,
        people=people,
        query=query,
        may_work=officer.may(*reviewing.REVIEWERS) and found.open,
        error=error,
    )


# -- the queue ---------------------------------------------------------------------------------------------


@router.get("/requests/{number}/review")
def show_queue(
    request: Request,
    number: str,
    officer: MaySeeRequests,
    here: Here,
    only: Annotated[str, Query(pattern="^(unlooked|once|mine|redacted|withheld|)$")] = "",
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The records of a request, and how far they are."""
    return _queue(request, here, number, officer, only, after)


@router.post("/requests/{number}/review/{act}", dependencies=[Posted])
def change_queue(
    request: Request,
    number: str,
    act: str,
    officer: MayRequest,
    here: Here,
    to: Line = "",
    why: Line = "",
) -> Response:
    """Assign everything, ask for two persons or for one, or say that everything was looked through."""
    try:
        with here.store.database.begin() as tx:
            found = requests.get(here.store, tx, number)
            said = reason(why)
            match act:
                case "assign":
                    keys = selecting.of(tx, found.id)
                    reviewing.assign(here.store, tx, found, keys, officers.find(tx, to), by=officer, why=said)
                case "two":
                    reviewing.ask_for_two(here.store, tx, found, True, by=officer, why=said)
                case "one":
                    reviewing.ask_for_two(here.store, tx, found, False, by=officer, why=said)
                case "look":
                    reviewing.look(here.store, tx, found, selecting.of(tx, found.id), by=officer, why=said)
                case _:
                    raise _no_act(act)
    except ArchiveError as error:
        return _queue(request, here, number, officer, "", 0, error)
    return RedirectResponse(f"/requests/{number}/review", 303)


def _queue(
    request: Request, here: Parts, number: str, officer: Officer, only: str, after: int, error: ArchiveError | None = None
) -> Response:  # fmt: skip
    with here.store.database.read() as tx:
        found = requests.get(here.store, tx, number)
        told = api.queued(here, tx, found, officer, only, after, _A_PAGE)
        reviewers = [one for one in officers.list_all(tx) if one.active and one.may(*reviewing.REVIEWERS)]
    return show(
        request,
        "review.html",
        status_code=200 if error is None else status_of(error),
        one=found,
        told=told,
        only=only,
        reviewers=reviewers,
        may_work=officer.may(*reviewing.REVIEWERS) and found.open,
        error=error,
    )


# -- a record ----------------------------------------------------------------------------------------------


@router.get("/requests/{number}/review/records/{record}")
def show_record(request: Request, number: str, record: UUID, officer: MaySeeRequests, here: Here) -> Response:
    """A record under review."""
    return _record(request, here, number, record, officer)


@router.get("/requests/{number}/review/records/{record}/attachments/{attachment}/{page}")
def show_page(
    request: Request,
    number: str,
    record: UUID,
    attachment: UUID,
    page: int,
    officer: MaySeeRequests,
    here: Here,
    corner: str = "",
    x: Annotated[int | None, Query(alias="at.x")] = None,
    y: Annotated[int | None, Query(alias="at.y")] = None,
) -> Response:
    """A picture, or a page of a document, behind the lines by which a region of it is told.

    A click on it comes as a place in it (the browser's own image button): the
    first is one corner of a region, the second the corner across.
    """
    with here.store.database.read() as tx:
        found, held = requests.get(here.store, tx, number), api.one(here, tx, record, officer)
        made = reviewing.of_record(here.store, tx, held.key)
        document = _document(here, tx, held, attachment)
    with ONE_AT_A_TIME, closing(Remakes()) as remakes:
        sheet, count = remakes.page(document, page)
    high = max(1, round(SHOWN_WIDE * sheet.height / sheet.width))
    clicked = None if x is None or y is None else _place(x, y, SHOWN_WIDE, high)
    first = _corner(corner)
    return show(
        request,
        "review-page.html",
        one=found,
        record=held,
        attachment=document,
        page=page,
        count=count,
        size=(SHOWN_WIDE, high),
        corner=clicked if first is None else None,
        region=None if first is None or clicked is None else _between(first, clicked),
        regions=_regions(made, page).get(attachment, ()),
        exemptions=requests.exemptions(found),
        may_work=officer.may(*reviewing.REVIEWERS) and found.open,
    )


@router.get("/requests/{number}/review/records/{record}/attachments/{attachment}/{page}/picture")
def take_picture(
    number: str, record: UUID, attachment: UUID, page: int, officer: MaySeeRequests, here: Here
) -> Response:
    """That page as a picture; looking at it is written down before it leaves."""
    store = here.store
    with store.database.begin() as tx:
        requests.get(store, tx, number)
        held = api.one(here, tx, record, officer)
        document = _document(here, tx, held, attachment)
        detail = {"what": "attachment", "attachment": attachment.hex, "page": page}
        access.note(store, tx, "view", by=officer.id, record=held.id, detail=detail)
    with ONE_AT_A_TIME, closing(Remakes()) as remakes:
        sheet, _ = remakes.page(document, page)
    return Response(sheet.content, media_type=sheet.media_type)


SHOWN_WIDE = 800
"""How many pixels of the browser a page is wide, so that a click tells where it was."""


def _place(x: int, y: int, wide: int, high: int) -> tuple[int, int]:
    """A click in ten-thousandths of the width and height; one close to an edge is on it."""
    return _on_edge(x * FINE // wide), _on_edge(y * FINE // high)


def _on_edge(place: int) -> int:
    if place < FINE // 100:
        return 0
    return FINE if place > FINE - FINE // 100 else place


def _corner(written: str) -> tuple[int, int] | None:
    left, _, top = written.partition(",")
    return (int(left), int(top)) if left.isdecimal() and top.isdecimal() else None


def _between(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int, int, int]:
    """The region between two corners, whichever they are: left, top, right, bottom."""
    (left, right), (top, bottom) = (sorted(sides) for sides in zip(one, other, strict=True))
    return left, top, right, bottom


def _document(here: Parts, tx: Tx, record: Record, attachment: UUID) -> Held:
    read = assembling.one(here.store, tx, record)
    for version in reversed(read.versions):
        for held in read.attachments.get(version.number, ()):
            if held.id == attachment and held.chunks is not None:
                return held
    raise NoSuchSheet(f"record {record.id} holds no attachment {attachment}")


@router.post("/requests/{number}/review/records/{record}/{act}", dependencies=[Posted])
def change_record(
    request: Request,
    number: str,
    record: UUID,
    act: str,
    officer: MayRequest,
    here: Here,
    version: Annotated[int, Form(ge=0)] = 0,
    span: Line = "",
    words: Words = "",
    field: Line = "",
    attachment: Line = "",
    region: Line = "",
    redaction: Line = "",
    exemption: Line = "",
    explanation: Line = "",
    only_here: Line = "",
    why: Line = "",
) -> Response:
    """Take something out, let words or an attachment stay, retract, approve, or say that it was looked through."""
    store = here.store
    given = {
        "words": words, "field": field, "region": region, "exemption": exemption, "explanation": explanation,
        "only_here": only_here, "why": why,
    }  # fmt: skip
    tried = _FORMS.get(act) or ("field" if field else "attachment" if attachment else "" if span else "words")
    try:
        said = reason(why)
        if attachment and region.strip():
            api.tried(here, number, record, officer, _region(UUID(attachment), region), exemption)
        with store.database.begin() as tx:
            found, held = requests.get(store, tx, number), api.one(here, tx, record, officer)
            match act:
                case "retract":
                    reviewing.retract(store, tx, UUID(redaction), by=officer, why=said)
                case "approve":
                    reviewing.approve(store, tx, UUID(redaction), by=officer, why=said)
                case "look":
                    reviewing.look(store, tx, found, [held.key], by=officer, why=said)
                case "keep":
                    for place in _places(held.version, version, span, words, field, "", ""):
                        assert isinstance(place, Span | Field), "no attachment was named"
                        reviewing.keep_words(store, tx, found, held, place, by=officer, why=said)
                case "leave":
                    reviewing.let_leave(store, tx, found, held, UUID(attachment), by=officer, why=said)
                case "redact" | "withhold":
                    places = (
                        [Whole()]
                        if act == "withhold"
                        else _places(held.version, version, span, words, field, attachment, region)
                    )
                    for where in places:
                        reviewing.redact(
                            store, tx, found, held, where, exemption, explanation=explanation,
                            only_here=only_here == "yes", by=officer, why=said,
                        )  # fmt: skip
                case _:
                    raise _no_act(act)
            following = _next(tx, found.id, held.key) if act == "look" else None
    except ValueError:
        return _record(request, here, number, record, officer, BadRedaction("this is no id"), tried, given)
    except ArchiveError as error:
        return _record(request, here, number, record, officer, error, tried, given)
    return RedirectResponse(f"/requests/{number}/review/records/{following or record}", 303)


_FORMS = {
    "keep": "stay",
    "leave": "leave",
    "withhold": "whole",
    "look": "look",
    "retract": "-",
    "approve": "-",
}
"""The form of an act on the page, where the act has one alone."""


def _places(
    newest: Version, version: int, span: str, words: str, field: str, attachment: str, region: str
) -> list[Where]:
    if field:
        return [Field(field)]
    if attachment:
        return [_region(UUID(attachment), region) if region.strip() else Whole(UUID(attachment))]
    if span:
        return [_span(version or newest.number, span)]
    if words.strip():
        said = matching.read(newest.text("text") or "")
        found = matching.found([matching.folded(words)], said)
        if not found:
            raise BadRedaction(
                "the newest version does not have these words", next="Type them as they stand there."
            )
        return [Span(newest.number, *place) for place in found]
    raise BadRedaction("nothing is named", next="Type the words, or name the field or the attachment.")


def _no_act(act: str) -> Invalid:
    return Invalid(f"{act[:40]!r} is nothing that is done here", next="Load the page again.")


def _span(version: int, written: str) -> Span:
    start, _, end = written.partition(":")
    if not start.isdecimal() or not end.isdecimal():
        raise BadRedaction(f"{written[:40]!r} is no START:END", next="Count characters from 0.")
    return Span(version, int(start), int(end))


def _region(attachment: UUID, written: str) -> Region:
    numbers = [one for one in written.replace(":", ",").replace(" ", "").split(",") if one]
    if len(numbers) != 5 or not all(one.isdecimal() for one in numbers):
        raise BadRedaction(
            "a region is a page and four sides",
            next="Write PAGE, LEFT, TOP, RIGHT, BOTTOM in ten-thousandths.",
        )
    page, left, top, right, bottom = (int(one) for one in numbers)
    return Region(attachment, page, left, top, right, bottom)


def _next(tx: Tx, request: UUID, key: int) -> UUID | None:
    """The next record that nobody has looked through, or the next one at all."""
    for only in ("unlooked", ""):
        found = reviewing.queue(tx, request, only=only, after=key, limit=1)
        if found:
            return records.id_of(tx, found[0].key)
    return None


def _record(
    request: Request,
    here: Parts,
    number: str,
    record: UUID,
    officer: Officer,
    error: ArchiveError | None = None,
    tried: str = "",
    given: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """A record of the queue; after a refusal with what was `given` in the form that was `tried`."""
    store = here.store
    with store.database.read() as tx:
        found, held = requests.get(store, tx, number), api.one(here, tx, record, officer)
        made = reviewing.of_record(store, tx, held.key)
        read = assembling.one(store, tx, held)
        looked = reviewing.looked(tx, found.id, [held.key]).get(held.key, Looked())
        people = _people(tx)
        following = _next(tx, found.id, held.key)
        suggested = api.suggested(here, tx, read, made)
    return show(
        request,
        "review-record.html",
        status_code=200 if error is None else status_of(error),
        one=found,
        record=held,
        read=read,
        texts=[
            (version, _runs(version, made, suggested.get(version.number, ()))) for version in read.versions
        ],
        suggested=[
            (number_, one, (version.text("text") or "")[one.start : one.end])
            for number_, told in suggested.items()
            for version in read.versions
            if version.number == number_
            for one in told
        ],
        made=[(one, redacting.told(one.where)) for one in made],
        exemptions=requests.exemptions(found),
        pictures=PICTURES,
        documents=redacting.DOCUMENTS,
        regions=_regions(made),
        looked=looked,
        people=people,
        next=following,
        may_work=officer.may(*reviewing.REVIEWERS) and found.open,
        error=error,
        tried=tried,
        given=given,
    )


def _regions(made: Sequence[Standing], page: int = 1) -> dict[UUID, list[tuple[int, int, int, int]]]:
    """What is taken out of each picture, or of a page of each document: left, top, right and bottom in ten-thousandths."""
    told: dict[UUID, list[tuple[int, int, int, int]]] = {}
    for one in made:
        if isinstance(one.where, Region) and one.where.page == page:
            where = one.where
            told.setdefault(where.attachment, []).append((where.left, where.top, where.right, where.bottom))
    return told


def _runs(version: Version, made: Sequence[Standing], suggested: Sequence[Suggestion]) -> list[Run]:
    """A text with what is taken out, may stay, or is suggested; what overlaps is shown as what weighs more."""
    text = version.text("text") or ""
    places: list[tuple[int, int, int, Run]] = []
    for one in made:
        if isinstance(one.where, Span) and one.where.version == version.number:
            start, end = one.where.start, one.where.end
            how, weight = ("kept", 1) if one.kind == reviewing.KEPT else ("taken", 0)
            places.append((weight, start, end, Run(text[start:end], how, one.code)))
    places += [
        (2, hint.start, hint.end, Run(text[hint.start : hint.end], "suggested", str(hint.kind)))
        for hint in suggested
    ]
    told: list[Run] = []
    at = 0
    for _, start, end, run in sorted(_apart(places), key=lambda one: one[1]):
        if at < start:
            told.append(Run(text[at:start]))
        told.append(run)
        at = end
    if at < len(text):
        told.append(Run(text[at:]))
    return told


def _apart(places: Sequence[tuple[int, int, int, Run]]) -> list[tuple[int, int, int, Run]]:
    kept: list[tuple[int, int, int, Run]] = []
    for one in sorted(places, key=lambda place: place[:3]):
        if not any(one[1] < other[2] and other[1] < one[2] for other in kept):
            kept.append(one)
    return kept


# -- productions -------------------------------------------------------------------------------------------


@router.get("/requests/{number}/productions")
def show_productions(request: Request, number: str, officer: MaySeeRequests, here: Here) -> Response:
    """What would leave, what is in conflict, and the productions that were made."""
    return _productions(request, here, number, officer)


@router.post("/requests/{number}/productions", dependencies=[Posted])
def produce(
    request: Request, number: str, officer: MayRequest, here: Here, prefix: Line = "", what: Line = "",
    more: Line = "", why: Line = "",
) -> Response:  # fmt: skip
    """Make a production."""
    try:
        said = reason(why)
        with here.store.database.read() as tx:
            found = requests.must_be_open(requests.get(here.store, tx, number))
        api_productions.made_here(here).make(
            found,
            prefix=prefix,
            forms=(),
            profile="relativity",
            messages=messages(officer),
            more=bool(more),
            only_new=what == "new",
            by=officer,
            why=said,
        )
    except ArchiveError as error:
        return _productions(request, here, number, officer, error)
    return RedirectResponse(f"/requests/{number}/productions", 303)


@router.post("/productions/{production}/{act}", dependencies=[Posted])
def change_production(
    request: Request,
    production: str,
    act: str,
    officer: MayRequest,
    here: Here,
    to: Line = "",
    days: Line = "",
    ranges: Line = "",
    exemption: Line = "",
    rule: Line = "",
    why: Line = "",
) -> Response:
    """Hand a production over, ask it back, or give one up."""
    link = None
    with here.store.database.read() as tx:
        found = produced.get(here.store, tx, production)
        number = requests.get(here.store, tx, str(found.request)).number
    try:
        said = reason(why)
        with here.store.database.begin() as tx:
            match act:
                case "give-up":
                    produced.give_up(here.store, tx, found, by=officer, why=said)
                case "claw-back":
                    asking_back.ask_back(
                        here.store, tx, laws(here), found, ranges=ranges, exemption=exemption, rule=rule, by=officer, why=said
                    )  # fmt: skip
                case "hand-over":
                    wanted = handing.days(days)
                    if wanted is not None:
                        api_productions.made_here(here).folder(found.number)
                    made = handing.hand_over(here.store, tx, found, to, days=wanted, by=officer, why=said)
                    link = handing.link(here.settings.public_url, made)
                case _:
                    raise _no_act(act)
    except ArchiveError as error:
        return _productions(request, here, number, officer, error)
    if link is not None:
        return _productions(request, here, number, officer, link=link)
    return RedirectResponse(f"/requests/{number}/productions", 303)


@router.get("/productions/{production}/folder.zip")
def take(production: str, officer: MayRequest, here: Here) -> Response:
    """The folder of a production as one file."""
    with here.store.database.begin() as tx:
        found = produced.get(here.store, tx, production)
        folder = api_productions.made_here(here).folder(found.number)
        handing.note_taken(here.store, tx, found.number, by=officer)
    return api_productions.zipped(folder)


def _productions(
    request: Request, here: Parts, number: str, officer: Officer, error: ArchiveError | None = None, link: str | None = None
) -> Response:  # fmt: skip
    preview: dict[str, Any] | None = None
    with here.store.database.read() as tx:
        found = requests.get(here.store, tx, number)
        made = produced.listed(here.store, tx, found.id)
        given = {one.id: handing.of(here.store, tx, one.key) for one in made}
        people = _people(tx)
        steps = selecting.history(here.store, tx, found.id)
    confirmed = bool(steps) and steps[-1].how == selecting.CONFIRMED
    if confirmed and here.productions is not None:
        preview = api_productions.previewed(here, found, officer)
    return show(
        request,
        "request-productions.html",
        status_code=200 if error is None else status_of(error),
        one=found,
        made=made,
        given=given,
        people=people,
        confirmed=confirmed,
        here_made=here.productions is not None,
        preview=preview,
        link=link,
        prefix=f"{found.number}-"[:40],
        may_work=officer.may(*reviewing.REVIEWERS),
        error=error,
    )


# -- whoever has a link ------------------------------------------------------------------------------------


@router.head("/given/{token}")
@router.get("/given/{token}")
def given(request: Request, token: str, here: Here) -> Response:
    """What a link leads to, before anything is taken."""
    with here.store.database.read() as tx:
        number = handing.leads_to(here.store, tx, token)
    return show(request, "given.html", number=number, token=token)


@router.head("/given/{token}/folder.zip")
def look_at_given(token: str, here: Here) -> Response:
    """That there is something to take: programs ask before they take it, and nothing is written down as taken."""
    with here.store.database.read() as tx:
        number = handing.leads_to(here.store, tx, token)
    api_productions.made_here(here).folder(number)
    return Response(media_type="application/zip", headers={"Cache-Control": "no-store"})


@router.get("/given/{token}/folder.zip")
def take_given(token: str, here: Here) -> Response:
    """The folder, written down as taken."""
    with here.store.database.begin() as tx:
        number = handing.taken(here.store, tx, token)
        folder = api_productions.made_here(here).folder(number)
    return api_productions.zipped(folder)


def _people(tx: Tx) -> dict[UUID, str]:
    return officers.emails(tx)
