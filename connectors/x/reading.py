"""Whose account a page is, and who asks."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.errors import AccessRevoked, NoSuchPage, UnexpectedResponse
from connectors.pieces import Seen
from connectors.x.asking import Asking, NotGiven
from connectors.x.parse import UNSAID
from connectors.x.shapes import PROFILE_ASKED, Problem, User


@dataclass(frozen=True, slots=True)
class Found:
    """The page's account; whether it has itself signed in; who has, where that is somebody else."""

    account: Seen[User]
    owner: bool
    signed_in_as: str = ""

    @property
    def id(self) -> str:
        return self.account.what.id


class NoAccount(Exception):
    """X shows no such account; its own word for why, and whether the account is known to have been there."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.says)
        self.problem = problem

    @property
    def suspended(self) -> bool:
        """Whether X has suspended it, which is not the same as that it is gone."""
        return "suspended" in f"{self.problem.detail} {self.problem.title}".lower()


def find(asking: Asking, name: str, known: str = "") -> Found:
    """Ask for the page's account: by its number where that is `known`, since a handle may pass to somebody else."""
    me = account(asking, "users/me") if asking.signed_in else None
    if me is not None and _is(me.what, name, known):
        return Found(me, owner=True)
    number = known or name.removeprefix("id:") if known or name.startswith("id:") else ""
    found = account(asking, f"users/{number}" if number else f"users/by/username/{name}")
    return Found(found, owner=False, signed_in_as=me.what.username if me is not None else "")


def account(asking: Asking, path: str) -> Seen[User]:
    """Ask for one account; `NoAccount` where X has none, or none that it shows."""
    try:
        answer = asking.users(path, PROFILE_ASKED)
    except NotGiven as refused:
        if refused.problem.not_found:
            raise NoAccount(refused.problem) from refused
        kind = AccessRevoked if refused.forbidden else UnexpectedResponse
        raise kind(f"The account is not shown: {refused.why}.") from refused
    if answer.items:
        return answer.items[0]
    said = [one for one in answer.errors if one.title != UNSAID]
    if not said and (answer.unread or answer.errors):
        raise UnexpectedResponse("The account is not shown: X answers what nobody can read.")
    raise NoAccount(said[0] if said else Problem(title="nothing is shown"))


def no_such(name: str, none: NoAccount) -> NoSuchPage:
    """For an officer: that nothing lives at the address, and what to do."""
    called = f"account number {name.removeprefix('id:')}" if name.startswith("id:") else f"@{name}"
    if none.suspended:
        return NoSuchPage(
            f"X has suspended {called} and shows nothing of it ({none}). Sign in there, and see why."
        )
    return NoSuchPage(
        f"X knows no {called} ({none}): it was renamed or closed, or its address is written otherwise. Look it up in a "
        "browser, and give the page its address anew."
    )


def _is(me: User, name: str, known: str) -> bool:
    if known:
        return me.id == known
    return (
        me.id == name.removeprefix("id:") if name.startswith("id:") else me.username.lower() == name.lower()
    )
