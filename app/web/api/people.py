"""Accounts, over the API: for administrators."""

from uuid import UUID

from fastapi import APIRouter

from app import officers
from app.web import paging
from app.web.api.shapes import Invited, NewRoles, NewUser, UserOut, UsersOut, Why
from app.web.forms import reason
from app.web.paging import Cursor, Limit
from app.web.parts import Here
from app.web.transactions import ReadTx, RequestTx
from app.web.who import MayManagePeople

router = APIRouter(prefix="/users", tags=["users"])


@router.get("")
def list_users(_: MayManagePeople, tx: ReadTx, limit: Limit = 100, cursor: Cursor = None) -> UsersOut:
    """Everybody, those who left included, by e-mail."""
    found = officers.list_all(tx)
    begin = paging.number("users", cursor) or 0
    end = begin + limit
    return UsersOut(
        total=len(found),
        users=[UserOut.of(officer) for officer in found[begin:end]],
        next=paging.cursor("users", end) if end < len(found) else None,
    )


@router.post("", status_code=201)
def invite(form: NewUser, officer: MayManagePeople, here: Here, tx: RequestTx) -> Invited:
    """Open an account; the answer has the invitation, once. No letter is sent."""
    made = officers.add(
        here.store, tx, form.email, form.roles, name=form.name, by=officer, why=reason(form.why)
    )
    return Invited(user=UserOut.of(made.officer), invitation=made.secret, until=made.until)


@router.get("/{user}")
def show_user(user: UUID, _: MayManagePeople, tx: ReadTx) -> UserOut:
    """One account."""
    return UserOut.of(officers.get(tx, user))


@router.post("/{user}/roles")
def change_roles(user: UUID, form: NewRoles, officer: MayManagePeople, here: Here, tx: RequestTx) -> UserOut:
    """Give an officer exactly these roles."""
    changed = officers.change_roles(
        here.store, tx, officers.get(tx, user), form.roles, by=officer, why=reason(form.why)
    )
    return UserOut.of(changed)


@router.post("/{user}/deactivate")
def deactivate(user: UUID, form: Why, officer: MayManagePeople, here: Here, tx: RequestTx) -> UserOut:
    """Shut an officer out at once."""
    shut = officers.deactivate(here.store, tx, officers.get(tx, user), by=officer, why=reason(form.why))
    return UserOut.of(shut)
