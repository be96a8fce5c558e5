"""How pages are connected, over the API: what is known of their credentials, never the credentials."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from app.capture import credentials, pages
from app.capture.credentials import Connection
from app.web.api.shapes import Why
from app.web.forms import reason
from app.web.parts import Here
from app.web.transactions import ReadTx
from app.web.who import MayConnect, MayEnter
from connectors.contract import Finding

router = APIRouter(prefix="/pages", tags=["pages"])


class ConnectionOut(BaseModel):
    """What may be said of a page's credentials."""

    connected: bool
    how: str | None = None
    since: datetime | None = None
    by: str | None = None
    """The officer's id, or the e-mail of the manager who connected the page."""
    owner: str | None = None
    scopes: list[str] = []
    until: datetime | None = None

    @classmethod
    def of(cls, found: Connection | None) -> "ConnectionOut":
        if found is None:
            return cls(connected=False)
        return cls(
            connected=True,
            how=found.how,
            since=found.since,
            by=found.manager or (str(found.officer) if found.officer else None),
            owner=found.owner,
            scopes=list(found.scopes),
            until=found.until,
        )


class FindingOut(BaseModel):
    """One thing that a check looked at."""

    what: str
    fine: bool
    remedy: str

    @classmethod
    def of(cls, found: Finding) -> "FindingOut":
        return cls(what=found.what, fine=found.fine, remedy=found.remedy)


class Checked(BaseModel):
    """What a check of a page's connection found."""

    fine: bool
    findings: list[FindingOut]


class AskManager(BaseModel):
    """Whom to ask to connect a page, and why."""

    email: str
    why: str


class Asked(BaseModel):
    """A manager who was asked. `link` is None where a letter has it; otherwise it is given here, once."""

    email: str
    until: datetime
    link: str | None


class Forgotten(BaseModel):
    """A page whose credentials were destroyed, and whether the platform ended them too."""

    connected: bool
    platform: FindingOut | None


@router.get("/{page}/connection")
def show(page: UUID, _: MayEnter, here: Here, tx: ReadTx) -> ConnectionOut:
    """How the page is connected."""
    return ConnectionOut.of(credentials.connection(here.store, tx, pages.get(tx, str(page))))


@router.post("/{page}/connection/invite", status_code=201)
def invite(page: UUID, form: AskManager, officer: MayConnect, here: Here) -> Asked:
    """Ask the page's manager to connect it."""
    with here.store.database.read() as tx:
        found = pages.get(tx, str(page))
    made = here.invite_manager(found, form.email, officer, reason(form.why))
    return Asked(email=made.email, until=made.until, link=made.link)


@router.post("/{page}/connection/check")
def check(page: UUID, _: MayConnect, here: Here) -> Checked:
    """Ask the platform what the page's connection lacks."""
    with here.store.database.read() as tx:
        found = pages.get(tx, str(page))
    findings = here.desk.look(found)
    return Checked(
        fine=all(finding.fine for finding in findings), findings=[FindingOut.of(one) for one in findings]
    )


@router.post("/{page}/connection/forget")
def forget(page: UUID, form: Why, officer: MayConnect, here: Here) -> Forgotten:
    """Destroy the page's credentials, and end them at the platform where it has a way for that."""
    with here.store.database.read() as tx:
        found = pages.get(tx, str(page))
    forgotten, platform = here.desk.forget(found, by=officer.id, why=reason(form.why))
    return Forgotten(
        connected=forgotten.connected, platform=FindingOut.of(platform) if platform is not None else None
    )
