"""Who is asking, and whether their roles let them: said by the type of a route's argument, so that none forgets.

Name the officer before the transaction in a route: a stranger must not be
able to make writers wait.
"""

from typing import Annotated

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from app import officers
from app.capture.tags import TAGGERS
from app.officers import NotSignedIn
from app.records.nouns import Officer, Role
from app.web import forms
from app.web.forms import SESSION
from app.web.parts import Here, Parts

_bearer = HTTPBearer(auto_error=False, description="A token, as `muniment init` and invitations give it.")
_cookie = APIKeyCookie(name=SESSION, auto_error=False, description="The session of a browser.")

EVERYONE = tuple(role for role in Role if role is not Role.MESSAGES)
READERS = (Role.RECORDS_OFFICER, Role.ATTORNEY, Role.AUDITOR, Role.CUSTODIAN_OF_EVIDENCE)


def signed_in(
    request: Request,
    here: Here,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    session: Annotated[str | None, Security(_cookie)],
) -> Officer:
    """The officer of the bearer token or of the session, or `NotSignedIn`."""
    if "authorization" in request.headers:
        if bearer is None:
            raise NotSignedIn("the Authorization header bears no token", next="Write `Bearer` and the token.")
        with here.store.database.read() as tx:
            officer = officers.token(here.store, tx, bearer.credentials)
        request.state.officer = officer
        return officer
    if not session:
        raise NotSignedIn("nobody is signed in", next="Sign in.")
    if forms.is_api(request) and request.method not in forms.SAFE:
        forms.check(here, session, request.headers.get("x-csrf-token", ""))
    officer = of_session(here, session)
    request.state.officer = officer
    return officer


def of_session(here: Parts, session: str) -> Officer:
    """Whose session this is; that it is in use is written down about once a minute."""
    with here.store.database.read() as tx:
        officer = officers.session(here.store, tx, session)
        due = officers.slide_due(here.store, tx, session)
    if due:
        with here.store.database.begin() as tx:
            officer = officers.session(here.store, tx, session)
    return officer


class Holding:
    """The officer who is asking, if they hold one of `roles`."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    def __call__(self, officer: Annotated[Officer, Depends(signed_in)]) -> Officer:
        return officers.require(officer, *self.roles)


MayEnter = Annotated[Officer, Depends(Holding(*EVERYONE))]
"""Anybody who works here: the state of pages and runs."""
MayRead = Annotated[Officer, Depends(Holding(*READERS))]
"""Records: searching and reading them."""
MayKeep = Annotated[Officer, Depends(Holding(Role.RECORDS_OFFICER, Role.ADMINISTRATOR, Role.INGEST))]
"""Adding pages and capturing them."""
MayDecidePages = Annotated[Officer, Depends(Holding(Role.ADMINISTRATOR, Role.RECORDS_OFFICER, Role.APPROVER))]
"""Approving, pausing and resuming pages."""
MayDescribe = Annotated[Officer, Depends(Holding(Role.ADMINISTRATOR, Role.RECORDS_OFFICER))]
"""What the registry says of a page."""
MaySeeAuthorisations = Annotated[Officer, Depends(Holding(*READERS, Role.APPROVER, Role.ADMINISTRATOR))]
"""The register of who may disclose what."""
MayAnswerReports = Annotated[
    Officer, Depends(Holding(Role.APPROVER, Role.RECORDS_OFFICER, Role.ADMINISTRATOR))
]
"""Violation reports: answering them, as a supervisor."""
MaySeeReports = Annotated[
    Officer,
    Depends(Holding(Role.APPROVER, Role.RECORDS_OFFICER, Role.ADMINISTRATOR, Role.ATTORNEY, Role.AUDITOR)),
]
"""Violation reports: reading all of them."""
MayConnect = Annotated[Officer, Depends(Holding(Role.ADMINISTRATOR, Role.RECORDS_OFFICER))]
"""Handing over a page's credentials."""
MayTag = Annotated[Officer, Depends(Holding(*TAGGERS))]
"""Giving records tags, and taking them off."""
MayTakeEvidence = Annotated[Officer, Depends(Holding(Role.CUSTODIAN_OF_EVIDENCE))]
"""The ways out of custody: evidence, proofs, all hits."""
MayAudit = Annotated[Officer, Depends(Holding(Role.AUDITOR))]
"""What was done, and who read what."""
MayManagePeople = Annotated[Officer, Depends(Holding(Role.ADMINISTRATOR))]
"""Accounts and roles."""


def messages(officer: Officer) -> bool:
    """Whether the officer may read private messages, beside what another role lets them do."""
    return officer.may(Role.MESSAGES)


def address(request: Request) -> str | None:
    """The network address that asks."""
    return request.client.host if request.client else None


def keep_session(here: Parts, request: Request, response: Response, token: str) -> None:
    """Hand the browser its session."""
    response.set_cookie(
        SESSION, token, httponly=True, samesite="lax", secure=forms.is_safe(here, request), path="/"
    )


def drop_session(here: Parts, request: Request, response: Response) -> None:
    """Take the session back."""
    response.delete_cookie(
        SESSION, httponly=True, samesite="lax", secure=forms.is_safe(here, request), path="/"
    )
