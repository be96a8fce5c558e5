"""Matters and holds, for people; and what a custodian sees who has a link and no account."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from app import officers
from app.capture import deeds, pages
from app.db import Tx
from app.holds import finding, guarding, matters, noticing, placing, quarantine, releasing
from app.holds.noticing import NoticeLinkSpent
from app.holds.scopes import Scope
from app.records.errors import ArchiveError
from app.records.nouns import Officer
from app.web import naming, reading
from app.web.api import holds as api
from app.web.forms import Posted, reason
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayEnter, messages

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=4_000)]
Long = Annotated[str, Form(max_length=100_000)]
Ids = Annotated[str, Form(max_length=1_000_000)]
Several = Annotated[list[str], Form()]
_SHOWN = 50
_MOST_NAMED = 25_000
"""So many records are named in a form; longer lists belong on the command line."""
_BODY = 4_000_000


# -- matters -----------------------------------------------------------------------------------------------


@router.get("/matters")
def list_matters(request: Request, officer: MayEnter, here: Here, tx: ReadTx) -> Response:
    """The matters that you may know of."""
    return _matters(request, here, tx, officer)


def _matters(
    request: Request, here: Parts, tx: Tx, officer: Officer, error: ArchiveError | None = None
) -> Response:
    found = matters.listed(here.store, tx, by=officer)
    held = [hold for hold in placing.listed(here.store, tx, by=officer) if not hold.released]
    return show(
        request,
        "matters.html",
        status_code=200 if error is None else status_of(error),
        matters=found,
        names={one.key: one.name for one in found},
        holds=held,
        waits=noticing.waits(here.store, tx, by=officer),
        quarantines=quarantine.listed(here.store, tx, by=officer),
        pages=pages.listed(tx),
        error=error,
    )


@router.post("/matters", dependencies=[Posted])
def open_matter(
    request: Request,
    officer: MayEnter,
    here: Here,
    name: Line = "",
    silent: Line = "",
    trigger: Line = "",
    notes: Line = "",
    members: Line = "",
    page: Several = [],  # noqa: B006 - FastAPI copies it
    why: Line = "",
) -> Response:
    """Open a matter."""
    try:
        with here.store.database.begin() as tx:
            made = matters.open(
                here.store,
                tx,
                name,
                silent=silent == "yes",
                trigger=deeds.day(trigger, "the trigger date"),
                notes=notes,
                members=members.replace(",", " ").split(),
                about=[pages.get(tx, one).id for one in page],
                by=officer,
                why=reason(why),
            )
    except ArchiveError as error:
        with here.store.database.read() as tx:
            return _matters(request, here, tx, officer, error)
    return RedirectResponse(f"/matters/{made.id}", 303)


@router.get("/matters/{matter}")
def show_matter(request: Request, matter: UUID, officer: MayEnter, here: Here) -> Response:
    """A matter with its holds."""
    return _matter(request, here, matter, officer)


@router.post("/matters/{matter}/{act}", dependencies=[Posted])
def change_matter(
    request: Request,
    matter: UUID,
    act: str,
    officer: MayEnter,
    here: Here,
    name: Line = "",
    email: Line = "",
    trigger: Line = "",
    note: Line = "",
    page: Several = [],  # noqa: B006 - FastAPI copies it
    why: Line = "",
) -> Response:
    """Change what stands in a matter: `member`, `member-leaves`, `custodian`, `custodian-leaves`, `pages`, `note` or `close`."""
    try:
        with here.store.database.begin() as tx:
            found = matters.get(here.store, tx, str(matter), by=officer)
            said = reason(why)
            with noticing.telling(here.store, tx, found, by=officer, why=said):
                match act:
                    case "member":
                        matters.admit(here.store, tx, found, email, by=officer, why=said)
                    case "member-leaves":
                        matters.dismiss(here.store, tx, found, email, by=officer, why=said)
                    case "custodian-leaves":
                        matters.excuse_custodian(here.store, tx, found, email, by=officer, why=said)
                    case "custodian":
                        matters.name_custodian(here.store, tx, found, name, email, by=officer, why=said)
                    case "pages":
                        about = [pages.get(tx, one).id for one in page]
                        matters.change(here.store, tx, found, about=about, by=officer, why=said)
                    case "close":
                        matters.close(here.store, tx, found, by=officer, why=said)
                    case _:
                        day = deeds.day(trigger, "the trigger date")
                        matters.change(here.store, tx, found, trigger=day, note=note, by=officer, why=said)
    except ArchiveError as error:
        return _matter(request, here, matter, officer, error)
    return RedirectResponse(f"/matters/{matter}", 303)


def _matter(
    request: Request, here: Parts, matter: UUID, officer: Officer, error: ArchiveError | None = None
) -> Response:
    with here.store.database.read() as tx:
        found = matters.get(here.store, tx, str(matter), by=officer)
        held = placing.listed(here.store, tx, by=officer, matter=found)
        covers = {
            hold.id: sum(finding.covered(tx, hold.key, messages=messages(officer)).values()) for hold in held
        }
        known = {page.id: page for page in pages.listed(tx)}
        people = officers.emails(tx)
    return show(
        request,
        "matter.html",
        status_code=200 if error is None else status_of(error),
        matter=found,
        holds=held,
        covers=covers,
        known=known,
        people=people,
        error=error,
    )


# -- holds -------------------------------------------------------------------------------------------------


@router.get("/matters/{matter}/place")
def place_form(request: Request, matter: UUID, officer: MayEnter, here: Here) -> Response:
    """Where the scope of a hold is written."""
    return _place(request, here, matter, officer, Scope())


@router.post("/holds", dependencies=[Posted], max_body_size=_BODY)
def place_hold(
    request: Request,
    officer: MayEnter,
    here: Here,
    matter: Annotated[UUID, Form()],
    scope: Long = "",
    page: Several = [],  # noqa: B006 - FastAPI copies it
    author: Long = "",
    since: Annotated[str, Form(alias="from", max_length=40)] = "",
    until: Annotated[str, Form(alias="to", max_length=40)] = "",
    dates: Annotated[str, Form(pattern="^(published|captured)$")] = "published",
    records: Ids = "",
    file: UploadFile | None = None,
    step: Line = "preview",
    why: Line = "",
) -> Response:
    """First the preview, then the hold; the ids of a file that is handed over stand in the form from then on."""
    wanted = Scope(query=scope.strip())
    try:
        wanted = Scope(
            query=scope.strip(),
            pages=tuple(page),
            authors=tuple(dict.fromkeys(line.strip() for line in author.splitlines() if line.strip())),
            since=since.strip() or None,
            until=until.strip() or None,
            dates=dates,
            records=tuple(
                naming.named(
                    records,
                    file,
                    most=_MOST_NAMED,
                    longer="Place it on the command line: muniment hold place MATTER --records FILE.",
                )
            ),
        )
        with here.store.database.read() as tx:
            of = matters.get(here.store, tx, str(matter), by=officer)
        if step != "place":
            _, told = placing.preview(here.store, here.index, of, wanted, by=officer)
            return _place(request, here, matter, officer, wanted, told=told, why=why)
        said = reason(why)
        found = finding.find(here.store, here.index, wanted, by=officer)
        with here.store.database.begin() as tx:
            made = placing.place(here.store, tx, of, wanted, found, by=officer, why=said)
            noticing.tell_of_change(here.store, tx, made.hold, by=officer, why=said)
    except ArchiveError as error:
        return _place(request, here, matter, officer, wanted, error=error, why=why)
    return RedirectResponse(f"/holds/{made.hold.id}", 303)


def _place(
    request: Request,
    here: Parts,
    matter: UUID,
    officer: Officer,
    scope: Scope,
    *,
    told: placing.Preview | None = None,
    error: ArchiveError | None = None,
    why: str = "",
) -> Response:
    with here.store.database.read() as tx:
        found = matters.get(here.store, tx, str(matter), by=officer)
        known = pages.listed(tx)
    return show(
        request,
        "hold-place.html",
        status_code=200 if error is None else status_of(error),
        matter=found,
        pages=known,
        scope=scope,
        told=told,
        error=error,
        why=why,
    )


@router.get("/holds/{hold}")
def show_hold(
    request: Request,
    hold: UUID,
    officer: MayEnter,
    here: Here,
    after: Annotated[int, Query(ge=0)] = 0,
    basis: Annotated[str, Query(pattern="^(matched|undecided|named)?$")] = "",
) -> Response:
    """A hold: what it covers, from a record on and on one basis where that is asked, its release, its notices."""
    return _hold(request, here, hold, officer, after=after, basis=basis)


@router.post("/holds/{hold}/letter", dependencies=[Posted])
def write_letter(
    request: Request,
    hold: UUID,
    officer: MayEnter,
    here: Here,
    to: Line = "",
    address: Line = "",
    why: Line = "",
) -> Response:
    """A preservation letter as PDF."""
    lines = [line.strip() for line in address.splitlines() if line.strip()]
    try:
        return api.letter_answer(here, hold, officer, to, lines, why)
    except ArchiveError as error:
        return _hold(request, here, hold, officer, error)


@router.post("/holds/{hold}/{act}", dependencies=[Posted])
def change_hold(
    request: Request,
    hold: UUID,
    act: str,
    officer: MayEnter,
    here: Here,
    custodian: Line = "",
    page: Line = "",
    why: Line = "",
) -> Response:
    """`release`, `approve-release`, `cancel-release`, `consent`, or `notify`."""
    try:
        with here.store.database.begin() as tx:
            found = placing.get(here.store, tx, str(hold), by=officer)
            said = reason(why)
            match act:
                case "release":
                    releasing.ask(here.store, tx, found, by=officer, why=said)
                case "approve-release":
                    after = timedelta(days=here.settings.hold_release_days)
                    releasing.approve(here.store, tx, found, after=after, by=officer, why=said)
                case "cancel-release":
                    releasing.cancel(here.store, tx, found, by=officer, why=said)
                case "consent":
                    guarding.consent(here.store, tx, found, pages.get(tx, page), by=officer, why=said)
                case _:
                    noticing.notify(here.store, tx, found, custodian, by=officer, why=said)
    except ArchiveError as error:
        return _hold(request, here, hold, officer, error)
    return RedirectResponse(f"/holds/{hold}", 303)


def _hold(
    request: Request,
    here: Parts,
    hold: UUID,
    officer: Officer,
    error: ArchiveError | None = None,
    *,
    after: int = 0,
    basis: str = "",
) -> Response:
    with here.store.database.begin() as tx:
        found = placing.get(here.store, tx, str(hold), by=officer)
        part = placing.records_of(
            tx, found, messages=messages(officer), after=after, limit=_SHOWN, basis=basis or None
        )
        matter = (
            matters.of_key(here.store, tx, found.matter, by=officer) if found.matter is not None else None
        )
        # Every look at a record's words is written down where auditors read it: of a silent hold there is none.
        shown = [] if matter is not None and matter.silent else [one.record for one in part.records]
        told: dict[str, Any] = {
            "hold": found,
            "matter": matter,
            "covers": finding.covered(tx, found.key, messages=messages(officer)),
            "freed": releasing.preview(tx, found, by=officer),
            "part": part,
            "seen": reading.in_brief(here, tx, shown, by=officer),
            "basis": basis,
            "notices": noticing.listed(here.store, tx, found),
            "people": officers.emails(tx),
            "known": {str(page.id): page for page in pages.listed(tx)},
        }
    status = 200 if error is None else status_of(error)
    return show(request, "hold.html", status_code=status, error=error, **told)


# -- quarantine --------------------------------------------------------------------------------------------


@router.post("/quarantine", dependencies=[Posted])
def begin_quarantine(
    officer: MayEnter,
    here: Here,
    tx: RequestTx,
    record: Annotated[UUID, Form()],
    second: Line = "",
    why: Line = "",
) -> Response:
    """Cut off access to a record for everybody but two."""
    quarantine.begin(here.store, tx, record, second, by=officer, why=reason(why))
    return RedirectResponse("/matters", 303)


@router.post("/quarantine/{record}/end", dependencies=[Posted])
def end_quarantine(record: UUID, officer: MayEnter, here: Here, tx: RequestTx, why: Line = "") -> Response:
    """Give access back."""
    quarantine.end(here.store, tx, record, by=officer, why=reason(why))
    return RedirectResponse("/matters", 303)


# -- custodians --------------------------------------------------------------------------------------------


@router.get(noticing.PATH + "{secret}")
def open_notice(request: Request, here: Here, tx: ReadTx, secret: str) -> Response:
    """What a custodian's link opens. Looking at it acknowledges nothing."""
    try:
        found = noticing.opened(here.store, tx, secret)
    except NoticeLinkSpent as error:
        return show(
            request, "hold-notice.html", status_code=status_of(error), opened=None, secret="", error=error
        )
    return show(request, "hold-notice.html", opened=found, secret=secret, error=None)


@router.post(noticing.PATH + "{secret}", dependencies=[Posted])
def acknowledge(request: Request, here: Here, secret: str) -> Response:
    """Acknowledge a notice."""
    try:
        with here.store.database.begin() as tx:
            found = noticing.acknowledge(here.store, tx, secret)
    except NoticeLinkSpent as error:
        return show(
            request, "hold-notice.html", status_code=status_of(error), opened=None, secret="", error=error
        )
    return show(request, "hold-notice.html", opened=found, secret=secret, error=None)
