"""The chain of approvals and the days of waiting: who may say yes, in which order, and from which day on it counts."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disposition import chain
from app.disposition.chain import Step, Taken
from app.disposition.refusals import NotYourStep, ProposerApproves, SameOfficerTwice
from app.records.errors import ArchiveError
from app.records.ids import new_id
from app.records.nouns import Officer, Role

TWO = chain.of_roles([Role.RECORDS_OFFICER, Role.APPROVER])
THREE = chain.of_roles([Role.RECORDS_OFFICER, Role.ATTORNEY, Role.APPROVER])


def somebody(*roles: Role, active: bool = True) -> Officer:
    return Officer(id=new_id(), email="a@b.example", name="", roles=frozenset(roles), active=active)


CLERK, OTHER_CLERK = somebody(Role.RECORDS_OFFICER), somebody(Role.RECORDS_OFFICER)
CHIEF, ATTORNEY = somebody(Role.APPROVER), somebody(Role.ATTORNEY)


def approve(
    steps: tuple[Step, ...], *people: Officer, proposer: Officer = CLERK
) -> tuple[list[Taken], int | None]:
    """Let people approve one after the other; what was taken, and what is waited for."""
    taken: list[Taken] = []
    proposed = chain.proposal_takes(steps, proposer)
    for person in people:
        taken.append(chain.step_of(steps, taken, proposed=proposed, proposer=proposer.id, officer=person))
    return taken, chain.waits_for(steps, taken, proposed=proposed)


def test_the_proposal_is_the_first_step_where_its_proposer_holds_the_first_role():
    assert approve(TWO, CHIEF) == ([Taken(CHIEF.id, 1, Role.APPROVER)], None)


def test_the_proposal_of_somebody_without_the_first_role_is_no_step():
    taken, left = approve(TWO, OTHER_CLERK, CHIEF, proposer=somebody(Role.ATTORNEY))
    assert [one.step for one in taken] == [0, 1]
    assert left is None
    with pytest.raises(NotYourStep):
        approve(TWO, CHIEF, proposer=somebody(Role.ATTORNEY))


def test_a_second_officer_of_the_first_role_may_look_as_well_and_completes_nothing():
    taken, left = approve(TWO, OTHER_CLERK)
    assert (taken[0].step, left) == (0, 1)
    assert approve(TWO, OTHER_CLERK, CHIEF)[1] is None


def test_a_third_one_of_the_first_role_is_not_waited_for():
    with pytest.raises(NotYourStep):
        approve(TWO, OTHER_CLERK, somebody(Role.RECORDS_OFFICER))


def test_nobody_approves_what_they_proposed_whatever_roles_they_hold():
    everything = somebody(*Role)
    with pytest.raises(ProposerApproves):
        approve(TWO, everything, proposer=everything)


def test_nobody_approves_twice_in_whatever_role():
    both = somebody(Role.ATTORNEY, Role.APPROVER)
    with pytest.raises(SameOfficerTwice):
        approve(THREE, both, both)
    assert approve(THREE, ATTORNEY, both)[1] is None


def test_steps_are_taken_in_their_order():
    with pytest.raises(NotYourStep, match="attorney"):
        approve(THREE, CHIEF)
    assert approve(THREE, ATTORNEY, CHIEF)[1] is None


def test_whoever_is_not_active_approves_nothing():
    with pytest.raises(NotYourStep):
        approve(TWO, somebody(Role.APPROVER, active=False))


@pytest.mark.parametrize(
    "steps", [chain.of_roles([]), chain.of_roles([Role.RECORDS_OFFICER]), chain.of_an_order()]
)
def test_a_chain_of_one_step_or_none_still_needs_a_second_person(steps: tuple[Step, ...]):
    assert approve(steps, proposer=CLERK)[1] == 0


def test_an_order_needs_a_second_person_of_any_of_three_roles():
    for second in (OTHER_CLERK, CHIEF, ATTORNEY):
        assert approve(chain.of_an_order(), second)[1] is None
    with pytest.raises(NotYourStep):
        approve(chain.of_an_order(), somebody(Role.AUDITOR))


PEOPLE = st.lists(
    st.builds(lambda roles: somebody(*roles), st.sets(st.sampled_from(list(Role)), max_size=3)), min_size=2, max_size=7
)  # fmt: skip
CHAINS = st.lists(st.sampled_from([Role.RECORDS_OFFICER, Role.APPROVER, Role.ATTORNEY]), max_size=4).map(
    chain.of_roles
)


@given(CHAINS, PEOPLE, st.data())
def test_law_2_no_chain_is_complete_without_two_people_each_in_a_role_of_their_own(
    steps: tuple[Step, ...], people: list[Officer], data: st.DataObject
):
    proposer = people[0]
    proposed = chain.proposal_takes(steps, proposer)
    taken: list[Taken] = []
    for person in data.draw(st.lists(st.sampled_from(people), max_size=8)):
        try:
            taken.append(chain.step_of(steps, taken, proposed=proposed, proposer=proposer.id, officer=person))
        except ArchiveError:
            continue
    if chain.waits_for(steps, taken, proposed=proposed) is None:
        acted = [one.officer for one in taken]
        assert len(acted) == len(set(acted))
        assert proposer.id not in acted
        assert len({proposer.id, *acted}) >= 2
        roles = {person.id: person.roles for person in people}
        assert all(one.role in roles[one.officer] and one.role in steps[one.step].roles for one in taken)


# -- days --------------------------------------------------------------------------------------------------


def test_whole_days_pass_between_approval_and_execution():
    assert chain.opens_on(date(2026, 3, 1), 2) == date(2026, 3, 4)
    assert chain.opens_on(date(2028, 2, 28), 1) == date(2028, 3, 1)


def test_without_days_to_wait_it_may_be_on_the_same_day():
    assert chain.opens_on(date(2026, 3, 1), 0) == date(2026, 3, 1)


def test_those_concerned_are_reminded_on_the_last_day_of_waiting():
    assert chain.reminded_on(chain.opens_on(date(2026, 3, 1), 14)) == date(2026, 3, 15)


@given(st.dates(), st.integers(0, 3_650))
def test_waiting_is_never_shorter_than_the_schedule_says(approved: date, days: int):
    opens = chain.opens_on(approved, days)
    assert opens >= approved
    assert opens == date.max or days == 0 or opens - approved > timedelta(days=days)


@given(st.dates(max_value=date(9900, 1, 1)))
def test_a_longer_wait_never_ends_sooner(approved: date):
    ends = [chain.opens_on(approved, days) for days in range(30)]
    assert all(one <= other for one, other in pairwise(ends))
