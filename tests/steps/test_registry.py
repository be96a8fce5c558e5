"""The registry of pages and its people: what a page is for, who approved it, who manages it, pauses, two registers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture import account, approvals, credentials, needs, pages, people, policy, registers, run, runs
from app.capture.approvals import (
    CannotApprove,
    DelegationNotAllowed,
    NoChief,
    NoSuchDelegation,
    NotTheirApproval,
)
from app.capture.deeds import BadDate, TooLong
from app.capture.needs import Facts, registry_needs
from app.capture.pages import About, BadPage
from app.capture.people import BadManager, Manager, NoSuchManager, owner_wrong
from app.capture.policy import NoSuchPolicy
from app.capture.registers import NothingReported, NotInWriting, OwnReport
from app.db import Tx
from app.records.clock import FixedClock
from app.records.errors import Refused
from app.records.nouns import Officer, Page, Role
from app.store import Store, fixity
from tests.archives import NOON

TODAY = NOON.date()


def officer(name: str, *roles: Role, active: bool = True) -> Officer:
    return Officer(id=uuid4(), email=f"{name}@town.example", name=name, roles=frozenset(roles), active=active)


CHIEF = officer("chief", Role.APPROVER)
DEPUTY = officer("deputy", Role.APPROVER)
CLERK = officer("clerk", Role.RECORDS_OFFICER)
AUDITOR = officer("auditor", Role.AUDITOR)


class Registry:
    """One page, and what was done with it."""

    def __init__(self, store: Store, clock: FixedClock) -> None:
        self.store, self.clock = store, clock
        with store.database.begin() as tx:
            self.id = pages.add(
                store,
                tx,
                connector="scripted",
                platform="blog",
                address="https://blog.example",
                name="Police blog",
                by=CLERK.id,
                why="ours",
            ).id

    @property
    def page(self) -> Page:
        with self.store.database.read() as tx:
            return pages.get(tx, str(self.id))

    def do(
        self, verb: Callable[..., Any], *given: Any, by: Officer = CLERK, why: str = "test", **more: Any
    ) -> Any:
        """Call a verb of a page in a transaction of its own."""
        with self.store.database.begin() as tx:
            return verb(self.store, tx, pages.get(tx, str(self.id)), *given, by=by.id, why=why, **more)

    def agency(
        self, verb: Callable[..., Any], *given: Any, by: Officer = CLERK, why: str = "test", **more: Any
    ) -> Any:
        """Call a verb of the agency."""
        with self.store.database.begin() as tx:
            return verb(self.store, tx, *given, by=by.id, why=why, **more)

    def read(self, verb: Callable[..., Any], *given: Any) -> Any:
        with self.store.database.read() as tx:
            return verb(self.store, tx, *given)

    def size(self) -> int:
        with self.store.database.read() as tx:
            return self.store.ledger.size(tx)

    def acts(self) -> list[tuple[str, Mapping[str, Any], UUID | None, str]]:
        """What the ledger tells of the page, newest first."""
        with self.store.database.read() as tx:
            told = [one for one in self.store.ledger.acts(tx, subject=self.id) if one.type == "page"]
            bodies = [json.loads(self.store.ledger.entry(tx, one.entry))["act"] for one in told]
        return [(act, one.detail, one.officer, one.why) for act, one in zip(bodies, told, strict=True)]

    def follow(self, name: str, *, chief: Officer | None = CHIEF) -> None:
        """Choose a profile and name the chief."""
        self.agency(approvals.use, name)
        if chief is not None:
            self.agency(approvals.name_chief, chief)

    def needs(self) -> list[tuple[str, bool]]:
        return [(one.what, one.urgent) for one in self.read(needs.of_archive)]


@pytest.fixture
def registry(store: Store, clock: FixedClock) -> Registry:
    return Registry(store, clock)


@pytest.fixture
def registry_anywhere(anywhere: Store, clock: FixedClock) -> Registry:
    return Registry(anywhere, clock)


# -- what a page is for ------------------------------------------------------------------------------------


def test_a_page_says_what_it_is_for_and_the_ledger_what_it_said_before(registry_anywhere: Registry):
    registry = registry_anywhere
    registry.do(
        pages.describe,
        About(
            purpose=" News of the department ",
            scope="Closures",
            audiences=["visitors", "night owls", "visitors", ""],
            official_site="https://town.example/police",
            review_on="2026-09-01",
            policy="juneau",
        ),
        why="council decision 7",
    )
    page = registry.page
    assert (page.purpose, page.scope, page.official_site) == (
        "News of the department",
        "Closures",
        "https://town.example/police",
    )
    assert (page.audiences, page.review_on, page.policy) == (
        ("visitors", "night owls"),
        date(2026, 9, 1),
        "juneau",
    )
    size = registry.size()
    registry.do(pages.describe, About(purpose="", review_on=""))
    assert (registry.page.purpose, registry.page.review_on, registry.page.scope) == ("", None, "Closures")
    assert registry.size() == size + 1, "one change, one entry"
    act, detail, by, why = registry.acts()[0]
    assert (act, by, why) == ("changed", CLERK.id, "test")
    assert detail["before"] == {"purpose": "News of the department", "review_on": "2026-09-01"}


@pytest.mark.parametrize(
    "about",
    [
        About(),
        About(purpose=""),
        About(official_site="town.example"),
        About(official_site="ftp://town.example"),
        About(official_site="https://[broken"),
        About(purpose="x" * 2_001),
        About(audiences=["x" * 201]),
        About(review_on="soon"),
        About(policy="nowhere"),
    ],
)
def test_what_changes_nothing_or_cannot_be_read_is_refused_and_nothing_is_written(
    registry: Registry, about: About
):
    size = registry.size()
    with pytest.raises((BadPage, BadDate, NoSuchPolicy)):
        registry.do(pages.describe, about)
    assert registry.size() == size


def test_a_page_follows_the_agencys_policy_its_own_or_none(registry: Registry):
    agency = policy.named("jackson")
    assert policy.of_page(registry.page, agency) == agency
    assert policy.of_page(registry.page, None) is None
    registry.do(pages.describe, About(policy="juneau"))
    assert policy.of_page(registry.page, agency) == policy.named("juneau")
    registry.do(pages.describe, About(policy="none"))
    assert policy.of_page(registry.page, agency) is None


# -- approval ----------------------------------------------------------------------------------------------


def test_without_a_policy_whoever_may_decide_pages_approves_them(registry_anywhere: Registry):
    registry = registry_anywhere
    page = registry.do(pages.approve, by=CLERK, why="agreed")
    assert page.approval(TODAY) == "approved"
    (one,) = registry.read(approvals.history, page)
    assert (one.act, one.by, one.why, one.authority, one.until) == (
        "approved",
        CLERK.id,
        "agreed",
        "role",
        None,
    )


def test_where_the_policy_says_so_the_chief_alone_approves(registry: Registry):
    registry.follow("juneau")
    size = registry.size()
    for other in (CLERK, DEPUTY):
        with pytest.raises(NotTheirApproval, match="the chief alone"):
            registry.do(pages.approve, by=other)
    assert (registry.page.approved, registry.size()) == (False, size), "nothing was written"
    assert registry.do(pages.approve, by=CHIEF).approved
    assert registry.read(approvals.history, registry.page)[0].authority == "chief"


def test_where_nobody_is_named_as_chief_nobody_approves(registry: Registry):
    registry.follow("jackson", chief=None)
    with pytest.raises(NoChief) as refused:
        registry.do(pages.approve, by=CHIEF)
    assert "muniment policy chief" in refused.value.next


def test_a_designee_approves_on_a_recorded_delegation_while_it_runs(registry: Registry):
    registry.follow("jackson")
    made = registry.agency(
        approvals.delegate,
        DEPUTY,
        instrument="Order 12 of the chief",
        since=TODAY + timedelta(days=1),
        until=TODAY + timedelta(days=3),
        by=CHIEF,
    )

    def refused() -> bool:
        try:
            registry.do(pages.approve, by=DEPUTY)
        except NotTheirApproval:
            return True
        return False

    outcomes = []
    for _day in range(5):
        outcomes.append(refused())
        registry.clock.at += timedelta(days=1)
    assert outcomes == [True, False, False, False, True]
    newest = registry.read(approvals.history, registry.page)[0]
    assert (newest.authority, newest.delegation, newest.by) == ("delegation", made.id, DEPUTY.id)


def test_a_delegation_that_was_ended_or_whose_chief_is_gone_counts_no_longer(registry: Registry):
    registry.follow("jackson")
    made = registry.agency(approvals.delegate, DEPUTY, instrument="Order 12", by=CHIEF)
    registry.do(pages.approve, by=DEPUTY)
    registry.agency(approvals.end_delegation, made.id, why="transferred")
    with pytest.raises(NotTheirApproval):
        registry.do(pages.approve, by=DEPUTY)
    with pytest.raises(Refused):
        registry.agency(approvals.end_delegation, made.id)
    (one,) = registry.read(approvals.listed)
    assert (one.ended_why, one.instrument, one.recorded_by) == ("transferred", "Order 12", CHIEF.id)
    registry.agency(approvals.delegate, DEPUTY, instrument="Order 13", by=CHIEF)
    registry.agency(approvals.name_chief, officer("successor", Role.APPROVER))
    with pytest.raises(NotTheirApproval):
        registry.do(pages.approve, by=DEPUTY)
    assert registry.page.approved, "what was approved stays approved"


def test_delegations_that_the_policy_or_good_sense_forbid_are_refused(registry: Registry):
    with pytest.raises(NoChief):
        registry.agency(approvals.delegate, DEPUTY, instrument="Order 12")
    registry.follow("jackson")
    with pytest.raises(DelegationNotAllowed, match="themselves"):
        registry.agency(approvals.delegate, DEPUTY, instrument="Order 12", by=DEPUTY)
    with pytest.raises(CannotApprove):
        registry.agency(approvals.delegate, AUDITOR, instrument="Order 12")
    with pytest.raises(TooLong):
        registry.agency(approvals.delegate, DEPUTY, instrument=" ")
    with pytest.raises(BadDate):
        registry.agency(
            approvals.delegate, DEPUTY, instrument="Order 12", since=TODAY, until=TODAY - timedelta(days=1)
        )
    with pytest.raises(NoSuchDelegation):
        registry.agency(approvals.end_delegation, uuid4())
    registry.follow("juneau")
    with pytest.raises(DelegationNotAllowed, match="the chief alone"):
        registry.agency(approvals.delegate, DEPUTY, instrument="Order 12")


def test_a_delegation_under_one_policy_gives_nothing_under_one_without_designees(registry: Registry):
    registry.follow("jackson")
    registry.agency(approvals.delegate, DEPUTY, instrument="Order 12", by=CHIEF)
    registry.agency(approvals.use, "juneau")
    with pytest.raises(NotTheirApproval):
        registry.do(pages.approve, by=DEPUTY)


@pytest.mark.parametrize("who", [AUDITOR, officer("gone", Role.APPROVER, active=False)])
def test_nobody_is_named_chief_whose_account_could_not_approve(registry: Registry, who: Officer):
    with pytest.raises(CannotApprove):
        registry.agency(approvals.name_chief, who)


def test_an_approval_lapses_after_its_last_day_and_is_renewed(registry: Registry):
    last = TODAY + timedelta(days=1)
    page = registry.do(pages.approve, until=last)
    assert [page.approval(last + timedelta(days=n)) for n in (0, 1)] == ["approved", "lapsed"]
    registry.clock.at += timedelta(days=3)
    with pytest.raises(BadDate):
        registry.do(pages.approve, until=last)
    assert registry.do(pages.approve).approval(date(2030, 1, 1)) == "approved"
    assert [one.until for one in registry.read(approvals.history, page)] == [None, last]


def test_an_approval_is_withdrawn_by_those_who_may_give_it_and_the_page_is_captured_all_the_same(
    registry: Registry,
):
    with pytest.raises(Refused, match="not approved"):
        registry.do(pages.withdraw)
    registry.follow("juneau")
    registry.do(pages.approve, by=CHIEF)
    with pytest.raises(NotTheirApproval):
        registry.do(pages.withdraw, by=CLERK)
    page = registry.do(pages.withdraw, by=CHIEF, why="moved to another platform")
    assert (page.approved, page.status) == (False, pages.ACTIVE)
    run.ready(registry.store, page)
    assert [one.act for one in registry.read(approvals.history, page)] == ["withdrawn", "approved"]
    assert registry.acts()[0][0] == "approval-withdrawn"


@given(
    chosen=st.sampled_from([None, "jackson", "juneau"]),
    who=st.sampled_from([CHIEF.id, DEPUTY.id, CLERK.id]),
    chief=st.sampled_from([None, CHIEF.id]),
)
def test_under_a_policy_nobody_but_the_chief_decides_without_a_delegation(
    chosen: str | None, who: UUID, chief: UUID | None
):
    asked = policy.named(chosen) if chosen else None
    try:
        on = approvals.decide(asked, who, chief, [], TODAY)
    except NoChief:
        assert asked is not None
        assert chief is None
    except NotTheirApproval:
        assert asked is not None
        assert who != chief
    else:
        assert on.basis == ("role" if asked is None else "chief")
        assert asked is None or who == chief


# -- managers ----------------------------------------------------------------------------------------------


def test_managers_are_listed_with_dates_and_nothing_is_taken_out(registry_anywhere: Registry, home: Path):
    registry = registry_anywhere
    until = TODAY + timedelta(days=30)
    registry.do(
        people.authorise,
        "Pat@Town.example",
        known_as="@townpolice",
        until=until,
        by=CHIEF,
        why="press office",
    )
    registry.do(people.authorise, "sam@town.example")
    registry.clock.at += timedelta(days=1)
    registry.do(people.end, "pat@town.example", why="left the department")
    first, second = registry.read(people.listed, registry.page)
    assert (first.email, first.known_as, first.since, first.until) == (
        "pat@town.example",
        "@townpolice",
        TODAY,
        until,
    )
    assert (first.by, first.why, first.ended_by, first.ended_why) == (
        CHIEF.id,
        "press office",
        CLERK.id,
        "left the department",
    )
    assert (first.authorised(TODAY), second.authorised(TODAY)) == (False, True)
    assert [act for act, *_ in registry.acts()][:3] == [
        "manager-ended",
        "manager-authorised",
        "manager-authorised",
    ]
    with pytest.raises(NoSuchManager):
        registry.do(people.end, "pat@town.example")


def test_who_is_authorised_anew_keeps_their_name_and_the_old_authorisation_stays_listed(registry: Registry):
    registry.do(people.authorise, "pat@town.example", known_as="townpolice", until=TODAY)
    registry.clock.at += timedelta(days=2)
    size = registry.size()
    registry.do(people.authorise, "pat@town.example")
    assert registry.size() == size + 1
    old, new = registry.read(people.listed, registry.page)
    assert (old.ended_at, new.ended_at, new.known_as, new.until) == (
        registry.clock.now(),
        None,
        "townpolice",
        None,
    )


def test_managers_names_are_nowhere_in_the_data_folder(registry: Registry, home: Path):
    registry.do(people.authorise, "pat@town.example", known_as="townpolice")
    registry.store.database.close()
    files = [file for file in home.rglob("*") if file.is_file()]
    assert files
    assert not any(b"pat@town" in file.read_bytes() for file in files)


@pytest.mark.parametrize("email", ["", "pat", "pat@", "@town.example", "a b@town.example", "a@b@c"])
def test_a_manager_without_an_e_mail_is_refused(registry: Registry, email: str):
    with pytest.raises(BadManager):
        registry.do(people.authorise, email)


def manager(email: str, known_as: str = "", until: date | None = None) -> Manager:
    return Manager(email=email, known_as=known_as, since=TODAY, until=until, by=None, why="test", entry=1)


PAT = manager("pat@town.example", "townpolice", TODAY + timedelta(days=9))


@pytest.mark.parametrize("owner", ["townpolice", "@TownPolice", "pat@town.example", None])
def test_credentials_of_somebody_on_the_list_are_as_they_should_be(owner: str | None):
    assert owner_wrong([PAT], owner, "", required=True, today=TODAY) is None
    assert owner_wrong([PAT], None, "pat@town.example", required=True, today=TODAY) is None


def test_credentials_of_somebody_who_is_not_on_the_list_or_no_longer_are_found():
    stranger = owner_wrong([PAT], "someone", "pat@town.example", required=False, today=TODAY)
    assert stranger is not None
    assert "not on the list" in stranger
    ended = owner_wrong([PAT], "townpolice", "", required=False, today=TODAY + timedelta(days=10))
    assert ended is not None
    assert "has ended" in ended
    renewed = [PAT, manager("pat@town.example")]
    assert (
        owner_wrong(renewed, "pat@town.example", "", required=False, today=TODAY + timedelta(days=10)) is None
    )


def test_where_no_list_was_begun_only_a_policy_that_demands_one_finds_anything():
    assert owner_wrong([], "someone", "", required=False, today=TODAY) is None
    assert owner_wrong([], "someone", "", required=True, today=TODAY) is not None
    assert owner_wrong([], None, "", required=True, today=TODAY) is None, "who it is is not known"


def test_the_owner_that_the_platform_named_is_compared_with_the_list(registry: Registry):
    registry.do(pages.connect, {"user": "someone", "password": "quiet-herons"})
    registry.do(people.authorise, "pat@town.example", known_as="townpolice")
    with registry.store.database.begin() as tx:
        credentials.set_owner(registry.store, tx, registry.page, "someone")
    assert any("someone, who is not on the list" in what for what, _ in registry.needs())
    with registry.store.database.begin() as tx:
        credentials.set_owner(registry.store, tx, registry.page, "townpolice")
    assert not any("on the list" in what for what, _ in registry.needs())


# -- pausing and removing ----------------------------------------------------------------------------------


def test_a_pause_is_an_open_gap_until_the_page_is_resumed(registry_anywhere: Registry):
    registry = registry_anywhere
    began = registry.clock.now()
    registry.do(pages.pause, why="the platform moves")
    (gap,) = registry.read(lambda store, tx: runs.gaps_of(store, tx, page=registry.page.key))
    assert (gap.since, gap.until, gap.why) == (began, None, "paused: the platform moves")
    registry.clock.at += timedelta(days=2)
    registry.do(pages.resume, why="it has moved")
    told = pages.newest_of(registry.read(lambda store, tx: runs.gaps_of(store, tx, page=registry.page.key)))
    assert [(gap.since, gap.until) for gap in told] == [(began, registry.clock.now())]
    assert [(one.since, one.until) for one in registry.read(account.pauses, registry.page)] == [
        (began, registry.clock.now())
    ]
    assert fixity.verify(registry.store, full=True).findings == []
    with pytest.raises(Refused):
        registry.do(pages.resume)


def test_two_pauses_are_two_gaps(registry: Registry):
    for why in ("first", "second"):
        registry.do(pages.pause, why=why)
        registry.clock.at += timedelta(days=1)
        registry.do(pages.resume)
    told = pages.newest_of(registry.read(lambda store, tx: runs.gaps_of(store, tx, page=registry.page.key)))
    assert [(gap.why, gap.until is None) for gap in told] == [
        ("paused: second", False),
        ("paused: first", False),
    ]


def test_a_removed_page_stays_in_the_registry_and_is_captured_no_longer(registry: Registry):
    registry.do(pages.pause, why="first")
    registry.clock.at += timedelta(days=1)
    page = registry.do(pages.remove, why="the platform closed")
    assert page.status == pages.REMOVED
    with pytest.raises(run.PagePaused, match="removed"):
        run.ready(registry.store, page)
    for verb in (pages.pause, pages.remove, pages.approve):
        with pytest.raises(Refused, match="removed"):
            registry.do(verb)
    registry.do(pages.connect, {"user": "someone", "password": "quiet-herons"})
    assert registry.page.status == pages.REMOVED, "connecting it does not bring it back"
    told = registry.read(account.pauses, registry.page)
    assert [(one.why, one.until is None) for one in told] == [
        ("paused: first", False),
        ("removed: the platform closed", True),
    ]
    registry.clock.at += timedelta(days=1)
    assert registry.do(pages.resume).status == pages.ACTIVE
    told = registry.read(lambda store, tx: runs.gaps_of(store, tx, page=registry.page.key))
    assert all(gap.until is not None for gap in pages.newest_of(told))


@pytest.mark.parametrize(("verb", "act"), [(pages.pause, "pause"), (pages.remove, "remove")])
def test_a_guard_that_refuses_leaves_the_page_as_it_was_and_writes_nothing(
    registry: Registry, verb: Callable[..., Page], act: str
):
    asked: list[tuple[str, str]] = []

    def covered(_tx: Tx, page: Page, doing: str) -> None:
        asked.append((page.name, doing))
        raise Refused("a hold covers this page", next="Ask the matter's attorney.")

    before, size = registry.page, registry.size()
    with pytest.raises(Refused, match="a hold covers"):
        registry.do(verb, guards=[lambda *_: None, covered])
    assert (registry.page, registry.size(), asked) == (before, size, [("Police blog", act)])
    assert registry.read(lambda store, tx: runs.gaps_of(store, tx, page=before.key)) == []
    assert registry.do(verb, guards=[lambda *_: None]).status in pages.NOT_CAPTURED


# -- the two registers -------------------------------------------------------------------------------------


def disclosure(**more: Any) -> dict[str, Any]:
    return {"who": "Pat", "what": "the names of the found", "given_by": "the chief", **more}


def test_an_authorisation_is_kept_with_its_dates_and_ends_by_an_entry(
    registry_anywhere: Registry, home: Path
):
    registry = registry_anywhere
    made = registry.agency(
        registers.authorise, **disclosure(until=TODAY + timedelta(days=2), page=registry.page)
    )
    assert (made.who, made.what, made.page, made.written) == (
        "Pat",
        "the names of the found",
        registry.id,
        False,
    )
    assert [made.runs(TODAY + timedelta(days=n)) for n in (-1, 0, 2, 3)] == [False, True, True, False]
    ended = registry.agency(registers.end_authorisation, made.id, why="the family asked")
    assert (ended.runs(TODAY), ended.ended_why) == (False, "the family asked")
    with pytest.raises(Refused):
        registry.agency(registers.end_authorisation, made.id)


def test_where_the_policy_asks_for_writing_an_authorisation_without_an_instrument_is_refused(
    registry: Registry,
):
    registry.follow("juneau")
    size = registry.size()
    with pytest.raises(NotInWriting, match="IV B4c"):
        registry.agency(registers.authorise, **disclosure())
    assert registry.size() == size
    assert registry.agency(registers.authorise, **disclosure(instrument="Letter of 3 May")).written
    registry.follow("jackson")
    assert not registry.agency(registers.authorise, **disclosure()).written


def test_a_violation_report_is_open_until_another_supervisor_answers_it(registry: Registry):
    with registry.store.database.begin() as tx:
        made = registers.report(
            registry.store, tx, what="a threat", address="https://elsewhere.example/1", by=DEPUTY.id
        )
    assert registry.needs()[-1] == ("A violation report awaits an answer.", True)
    for by in (DEPUTY,):
        with pytest.raises(OwnReport), registry.store.database.begin() as tx:
            registers.answer(registry.store, tx, made.id, "seen", by=by.id)
    with registry.store.database.begin() as tx:
        answered = registers.answer(registry.store, tx, made.id, "talked to the officer", by=CHIEF.id)
    assert (answered.answer, answered.answered_by, answered.what) == (
        "talked to the officer",
        CHIEF.id,
        "a threat",
    )
    assert not any("violation" in what for what, _ in registry.needs())
    with pytest.raises(Refused, match="already"), registry.store.database.begin() as tx:
        registers.answer(registry.store, tx, made.id, "again", by=CHIEF.id)


def test_a_report_of_nothing_is_refused(registry: Registry):
    with pytest.raises(NothingReported), registry.store.database.begin() as tx:
        registers.report(registry.store, tx, what="a threat", by=DEPUTY.id)
    with pytest.raises(TooLong), registry.store.database.begin() as tx:
        registers.report(registry.store, tx, what=" ", address="https://x.example", by=DEPUTY.id)


def test_what_the_registers_say_is_nowhere_in_the_data_folder(registry: Registry, home: Path):
    registry.agency(registers.authorise, **disclosure(what="the quiet herons"))
    with registry.store.database.begin() as tx:
        registers.report(registry.store, tx, what="the loud herons", attachment="heron", by=DEPUTY.id)
    registry.store.database.close()
    assert not any(b"heron" in file.read_bytes() for file in home.rglob("*") if file.is_file())


# -- what needs doing --------------------------------------------------------------------------------------


def facts(page: Page, **more: Any) -> Facts:
    return Facts(page=page, policy=None, **more)


def test_a_page_in_good_order_needs_nobody(registry: Registry):
    registry.do(pages.approve)
    registry.do(pages.describe, About(review_on=TODAY.isoformat()))
    assert registry.needs() == []


def test_what_lapses_and_what_is_overdue_is_told_on_its_day(registry: Registry):
    assert registry.needs() == [("Not approved yet; it is captured all the same.", False)]
    last = TODAY + timedelta(days=31)
    registry.do(pages.approve, until=last)
    registry.do(pages.describe, About(review_on=(TODAY + timedelta(days=30)).isoformat()))
    page = registry.page

    def told(days: int) -> list[tuple[str, bool]]:
        found = registry_needs([facts(page)], TODAY + timedelta(days=days))
        return [(one.what.split(" on ")[0], one.urgent) for one in found]

    assert told(0) == []
    assert told(1) == [("Its approval lapses", False)]
    assert told(31) == [("Its approval lapses", False), ("Its review was due", False)]
    assert told(32) == [("Its approval lapsed", True), ("Its review was due", False)]


def test_a_manager_whose_authorisation_ran_out_is_told_of_until_they_are_taken_off_the_list(
    registry: Registry,
):
    registry.do(pages.approve)
    registry.do(people.authorise, "pat@town.example", until=TODAY)
    assert registry.needs() == []
    registry.clock.at += timedelta(days=1)
    ((what, urgent),) = registry.needs()
    assert (urgent, "pat@town.example" in what) == (True, True)
    registry.do(people.end, "pat@town.example")
    assert registry.needs() == []


def test_a_removed_page_needs_nobody_but_who_answers_a_report_about_it(registry: Registry):
    registry.do(pages.remove)
    assert registry.needs() == []
    with registry.store.database.begin() as tx:
        registers.report(registry.store, tx, what="a threat", page=registry.page, by=DEPUTY.id)
    assert registry.needs() == [("A violation report awaits an answer.", True)]


def test_everything_that_was_done_here_verifies(registry: Registry):
    registry.follow("jackson")
    registry.agency(approvals.delegate, DEPUTY, instrument="Order 12", by=CHIEF)
    registry.do(pages.approve, by=DEPUTY)
    registry.do(people.authorise, "pat@town.example")
    registry.agency(registers.authorise, **disclosure())
    registry.do(pages.pause)
    registry.do(pages.remove)
    assert fixity.verify(registry.store, full=True).findings == []
