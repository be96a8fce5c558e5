"""The registry of pages, over the API."""

from uuid import UUID

from fastapi import APIRouter

from app.capture import pages
from app.records.nouns import Page
from app.web import paging
from app.web.api.shapes import Credentials, NewPage, PageOut, PagesOut, Why
from app.web.forms import reason
from app.web.paging import Cursor, Limit
from app.web.parts import Here
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayConnect, MayDecidePages, MayEnter, MayKeep

router = APIRouter(prefix="/pages", tags=["pages"])


@router.get("")
def list_pages(_: MayEnter, tx: ReadTx, limit: Limit = 100, cursor: Cursor = None) -> PagesOut:
    """Every page, in the order in which they were added."""
    found = pages.listed(tx)
    some, further = part(found, limit, cursor)
    return PagesOut(total=len(found), pages=[PageOut.of(page) for page in some], next=further)


def part(found: list[Page], limit: int, given: str | None) -> tuple[list[Page], str | None]:
    """The pages that come after those of the cursor."""
    after = paging.number("pages", given) or 0
    left = [page for page in found if page.key > after]
    return left[:limit], paging.cursor("pages", left[limit - 1].key) if len(left) > limit else None


@router.post("", status_code=201)
def add_page(form: NewPage, officer: MayKeep, here: Here) -> PageOut:
    """Put a page into the registry, unapproved; it is captured all the same."""
    added = here.add_page(
        form.connector,
        form.address,
        name=form.name,
        custodian=form.custodian,
        options=form.options,
        by=officer.id,
        why=reason(form.why),
    )
    return PageOut.of(added)


@router.get("/{page}")
def show_page(page: UUID, _: MayEnter, tx: ReadTx) -> PageOut:
    """One page."""
    return PageOut.of(pages.get(tx, str(page)))


@router.post("/{page}/approve")
def approve(page: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx) -> PageOut:
    """Write down that the page is approved."""
    found = pages.get(tx, str(page))
    return PageOut.of(pages.approve(here.store, tx, found, by=officer.id, why=reason(form.why)))


@router.post("/{page}/pause")
def pause(page: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx) -> PageOut:
    """Stop capturing the page until it is resumed; the pause is a gap."""
    found = pages.get(tx, str(page))
    return PageOut.of(pages.pause(here.store, tx, found, by=officer.id, why=reason(form.why)))


@router.post("/{page}/resume")
def resume(page: UUID, form: Why, officer: MayDecidePages, here: Here, tx: RequestTx) -> PageOut:
    """Capture the page again."""
    found = pages.get(tx, str(page))
    return PageOut.of(pages.resume(here.store, tx, found, by=officer.id, why=reason(form.why)))


@router.post("/{page}/connect")
def connect(page: UUID, form: Credentials, officer: MayConnect, here: Here, tx: RequestTx) -> PageOut:
    """Seal the page's credentials."""
    found = pages.get(tx, str(page))
    return PageOut.of(pages.connect(here.store, tx, found, form.secret, by=officer.id, why=reason(form.why)))
