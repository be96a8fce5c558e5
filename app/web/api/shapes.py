"""What the API answers and takes, beside records, whose shape `app.capture.records` gives."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.capture.runs import GapFound, Run
from app.records.nouns import Officer, Page, Role


class PageOut(BaseModel):
    """A page of the registry."""

    id: UUID
    connector: str
    platform: str
    address: str
    name: str
    custodian: str
    options: dict[str, str]
    status: str
    approved: bool
    connected: bool
    added_at: datetime

    @classmethod
    def of(cls, page: Page) -> "PageOut":
        return cls(
            id=page.id,
            connector=page.connector,
            platform=page.platform,
            address=page.address,
            name=page.name,
            custodian=page.custodian,
            options=dict(page.options),
            status=page.status,
            approved=page.approved,
            connected=page.connected,
            added_at=page.added_at,
        )


class PagesOut(BaseModel):
    """Pages, with their exact total."""

    total: int
    pages: list[PageOut]
    next: str | None


class GapOut(BaseModel):
    """Something that we know we did not get."""

    what: str
    why: str
    since: datetime | None
    until: datetime | None

    @classmethod
    def of(cls, gap: GapFound) -> "GapOut":
        return cls(what=gap.what, why=gap.why, since=gap.since, until=gap.until)


class CaptureOut(BaseModel):
    """A run, with what became of what it saw; `gap_count` says how many gaps it knows of."""

    model_config = ConfigDict(extra="allow")

    run: UUID
    page: UUID | None
    kind: str
    status: str
    began_at: datetime
    ended_at: datetime | None
    seconds: float | None
    gap_count: int

    @classmethod
    def of(cls, run: Run, page: UUID | None, **more: object) -> "CaptureOut":
        tally = {name: count for name, count in run.tally.items() if name != "gaps"}
        told: dict[str, Any] = {**tally, **more}
        return cls(
            run=run.id,
            page=page,
            kind=run.kind,
            status=run.status,
            began_at=run.began_at,
            ended_at=run.ended_at,
            seconds=(run.ended_at - run.began_at).total_seconds() if run.ended_at else None,
            gap_count=run.tally.get("gaps", 0),
            **told,
        )


class CapturesOut(BaseModel):
    """Runs, newest first, with their exact total."""

    total: int
    captures: list[CaptureOut]
    next: str | None


class CaptureShown(CaptureOut):
    """A run with its gaps."""

    gaps: list[GapOut] = Field(default_factory=list)


class Started(BaseModel):
    """A capture that was started; its run shows among the captures of the page."""

    page: UUID
    status: str = "started"
    captures: str


class ActOut(BaseModel):
    """Something that was done, with its entry in the ledger."""

    entry: int
    type: str
    at: datetime
    by: UUID | None
    subject: UUID | None
    why: str
    detail: dict[str, Any]


class ActsOut(BaseModel):
    """What was done, newest first, with its exact total."""

    total: int
    acts: list[ActOut]
    next: str | None


class AccessOut(BaseModel):
    """Who read what, and when."""

    at: datetime
    by: UUID | None
    action: str
    record: UUID | None
    detail: dict[str, Any]


class AccessesOut(BaseModel):
    """Who read what, newest first, with its exact total."""

    total: int
    accesses: list[AccessOut]
    next: str | None


class UserOut(BaseModel):
    """An officer's account."""

    id: UUID
    email: str
    name: str
    roles: list[Role]
    active: bool

    @classmethod
    def of(cls, officer: Officer) -> "UserOut":
        return cls(
            id=officer.id,
            email=officer.email,
            name=officer.name,
            roles=sorted(officer.roles),
            active=officer.active,
        )


class UsersOut(BaseModel):
    """Everybody, those who left included, with their exact total."""

    total: int
    users: list[UserOut]
    next: str | None


class Invited(BaseModel):
    """An invitation; its secret is shown once."""

    user: UserOut
    invitation: str
    until: datetime


class Consistency(BaseModel):
    """The proof that the ledger of `new` entries begins with that of `old` (RFC 6962, 2.1.2), in base64."""

    old: int
    new: int
    proof: list[str]


class NewPage(BaseModel):
    """A page to put into the registry."""

    connector: str
    address: str
    name: str | None = None
    custodian: str = ""
    options: dict[str, str] = Field(default_factory=dict)
    why: str = "added to the registry"


class Why(BaseModel):
    """The reason of a change."""

    why: str


class Credentials(BaseModel):
    """What a connector signs in with, as names and values; never shown again."""

    secret: dict[str, str]
    why: str = "connected"


class NewCapture(BaseModel):
    """A capture to start now."""

    page: str
    why: str = "captured on request"


class NewUser(BaseModel):
    """Somebody to invite."""

    email: str
    name: str = ""
    roles: list[Role]
    why: str


class NewRoles(BaseModel):
    """The roles that an officer is to hold, exactly these."""

    roles: list[Role]
    why: str


class PaceOut(BaseModel):
    """How a page is captured: minutes, days and exchanges."""

    every: int
    window: int
    sweep: int
    budget: int
    surge: int
    busy: int


class NewPace(BaseModel):
    """The numbers of a pace to set; those that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    every: int | None = None
    window: int | None = None
    sweep: int | None = None
    budget: int | None = None
    surge: int | None = None
    busy: int | None = None
    why: str
