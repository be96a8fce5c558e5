"""Who must approve a disposal, in which order, and when it may be carried out. Pure.

A chain is a row of roles. Nobody acts in it twice, and whoever proposed
approves nothing. Where the chain has several steps and begins with a role that
the proposer holds, the proposal itself is that step: whoever draws up the list
certifies it, as the preparer of a list of records does under most rules of
destruction. Another officer of that role may still take the step; then three
people have looked. A chain of one step is never taken by its own proposal, so
that two people are always behind a disposal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from app.disposition.refusals import NotYourStep, ProposerApproves, SameOfficerTwice
from app.records.nouns import Officer, Role

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One approval that is needed: somebody who holds one of these roles."""

    roles: tuple[Role, ...]

    def words(self) -> str:
        return " or ".join(str(role).replace("_", " ") for role in self.roles)


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that somebody took, in which role."""

    officer: UUID
    step: int
    role: Role


def of_roles(roles: Sequence[Role]) -> tuple[Step, ...]:
    """The chain that a schedule names. One without a step would let a single person dispose: it has one all the same."""
    return tuple(Step((role,)) for role in roles) or (Step((Role.APPROVER,)),)


def of_an_order() -> tuple[Step, ...]:
    """The chain of an order of a court: a second person, who approves or is attorney."""
    return (Step((Role.ATTORNEY, Role.APPROVER, Role.RECORDS_OFFICER)),)


def proposal_takes(steps: Sequence[Step], proposer: Officer) -> bool:
    """Whether the proposal itself is the first step."""
    return len(steps) > 1 and proposer.may(*steps[0].roles)


def waits_for(steps: Sequence[Step], taken: Sequence[Taken], *, proposed: bool) -> int | None:
    """The step that is to be taken next, None where every one is; `proposed` when the proposal was the first."""
    done = {one.step for one in taken} | ({0} if proposed else set())
    return next((number for number in range(len(steps)) if number not in done), None)


def step_of(
    steps: Sequence[Step], taken: Sequence[Taken], *, proposed: bool, proposer: UUID, officer: Officer
) -> Taken:
    """The step that `officer` takes by approving, or what is refused about it.

    It is the one that is waited for; or the first one, where nobody took it
    but the proposal.
    """
    if officer.id == proposer:
        raise ProposerApproves(
            "you proposed this, and nobody approves what they proposed",
            next="Ask another officer who holds the role that is waited for.",
        )
    if any(one.officer == officer.id for one in taken):
        raise SameOfficerTwice(
            "you approved this already, and nobody approves twice",
            next="Ask another officer who holds the role that is waited for.",
        )
    wanted = waits_for(steps, taken, proposed=proposed)
    again = 0 if proposed and all(one.step for one in taken) else None
    for number in (wanted, again):
        if number is not None and (role := _role(steps[number], officer)) is not None:
            return Taken(officer.id, number, role)
    waited = steps[wanted].words() if wanted is not None else "nobody"
    raise NotYourStep(
        f"this waits for the approval of: {waited}", next="The steps are taken in the order of the schedule."
    )


def _role(step: Step, officer: Officer) -> Role | None:
    return next((role for role in step.roles if officer.may(role)), None)


def opens_on(approved_on: date, waiting_days: int) -> date:
    """The first day on which a disposal may be executed that was approved on a day.

    The day of the approval does not count, and `waiting_days` civil days have
    to pass as a whole: approved on the 1st with two days to wait, it may be
    executed on the 4th. With none, it may be on the same day.
    """
    if waiting_days == 0:
        return approved_on
    try:
        return approved_on + _DAY * (waiting_days + 1)
    except OverflowError:
        return date.max


def reminded_on(opens: date) -> date:
    """The last day of the waiting period: those concerned are told once more."""
    return opens - _DAY
