"""Disposition: what is eligible, not held and approved by several people is disposed of, and nothing else ever is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from app import officers
from app.capture import notices, records
from app.db import Tx, to_instant
from app.disposition import approving, executing, nightly, proposals, proposing, telling
from app.disposition.approving import NotOnTheList
from app.disposition.entered import ProposalAltered
from app.disposition.proposals import APPROVED, EXECUTED, EXECUTING, PROPOSED, REJECTED
from app.disposition.refusals import (
    WITHDRAWN_ON_RECHECK,
    ClockInDoubt,
    DayToCome,
    EditionChanged,
    HoldsUnconfirmed,
    InstrumentMissing,
    NoSuchProposal,
    NothingEligible,
    NotWaitingForThat,
    NotYourStep,
    ProposerApproves,
    SameOfficerTwice,
    WaitingPeriod,
)
from app.jobs.telling import Telling
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Disposed, Role
from app.retention import recording
from app.retention.recording import NoSuchSeries
from app.store import Store, destruction, disposals, fixity
from app.store.backup import kept
from app.store.disposals import WITHDRAWN
from app.store.tables import (
    backups,
    ledger_epochs,
    proposal_approvals,
    proposal_records,
    transfer_records,
)
from app.store.tables import disposals as disposal_rows
from app.store.tables import proposals as table
from tests.archives import NOON
from tests.steps.disposing import OLD, YOUNG, Office, office, somebody
from tests.steps.test_capture import World


@pytest.fixture
def here(store: Store, clock: FixedClock) -> Office:
    made = office(World(store, clock), clock)
    made.adopt()
    return made


@pytest.fixture
def anywhere_here(anywhere: Store, clock: FixedClock) -> Office:
    made = office(World(anywhere, clock), clock)
    made.adopt()
    return made


# -- the whole way -----------------------------------------------------------------------------------------


def test_what_is_eligible_not_held_and_approved_is_disposed_of(anywhere_here: Office):
    here = anywhere_here
    old = here.keep("a", "b", "c")
    young = here.keep("d", published=YOUNG)
    found = here.propose()
    assert (found.records, found.state, found.kind) == (3, PROPOSED, "destroy")
    found = here.approve(found)
    assert (found.state, found.opens_on) == (APPROVED, date(2026, 3, 17))
    here.wait()
    done = here.execute(found)
    assert (done.disposed, list(done.excluded), done.proposal.state) == (3, [], EXECUTED)
    assert here.gone(*old, *young) == set(old)
    assert here.acts(found) == ["proposed", "approved", "authorised", "begun", "executed", "verified"]
    assert here.world.soundness() == []


def test_a_former_record_answers_with_its_series_its_citation_and_its_authority(here: Office):
    (gone,) = here.keep("a")
    found = here.approved()
    here.wait()
    here.execute(found)
    with here.store.database.read() as tx:
        told = records.get(here.store, tx, gone, messages=True)
    assert isinstance(told, Disposed)
    shown = records.as_json(told)["disposed"]
    assert isinstance(shown, dict)
    assert shown["batch"] == str(found.id)
    assert (shown["series"], shown["citation"]) == ("COR-03", "Resolution 12, item 3")
    assert "edition 2026, adopted by Resolution 12" in str(shown["authority"])


def test_each_record_on_a_list_says_why_it_is_there(here: Office):
    here.keep("a", "b")
    here.keep("c", published=OLD.replace(year=2019))
    found = here.propose()
    with here.store.database.read() as tx:
        listed = proposals.of_list(tx, found)
    since = [one.grounds["since"] for one in listed]
    assert sorted(since) == ["2022-03-03", "2023-03-03", "2023-03-03"]
    assert all("3 years after it was published" in one.grounds["rule"] for one in listed)
    assert len(found.detail["grounds"]) == 2  # said once for all that share them


def test_the_day_of_a_proposal_is_told_in_the_agencys_time_zone(here: Office):
    here.keep("a")
    found = here.propose()
    said = {
        zone: next(line for line in telling.lines(found, str, ZoneInfo(zone)) if line.startswith("Proposed"))
        for zone in ("Pacific/Kiritimati", "Pacific/Niue")
    }
    for zone, line in said.items():
        assert f"on {found.at.astimezone(ZoneInfo(zone)):%Y-%m-%d}:" in line
    assert len(set(said.values())) == 2


def test_what_stays_is_counted_and_no_reason_is_told(here: Office):
    old = here.keep("a", "b", "c")
    here.place(old[1])
    found = here.propose()
    assert (found.records, found.stayed) == (2, 1)
    with here.store.database.read() as tx:
        assert old[1] not in {one.id for one in proposals.of_list(tx, found)}


def test_what_a_silent_hold_covers_is_listed_as_if_nothing_covered_it_and_stays_when_it_is_executed(
    here: Office,
):
    """A list that left it out, or a count of what stays, would tell of the matter by its number."""
    old = here.keep("a", "b", "c")
    here.place(old[1], silent=True)
    with here.store.database.read() as tx:
        seen = proposing.look(here.of, tx, "COR-03")
    assert (len(seen.keys), seen.stayed) == (3, 0)
    found = here.propose()
    assert (found.records, found.stayed) == (3, 0)
    here.approve(found)
    here.wait()
    done = here.execute(found)
    assert (done.disposed, list(done.excluded)) == (2, [old[1]])
    assert here.gone(*old) == {old[0], old[2]}


# -- law 1: what is held is never disposed of ----------------------------------------------------------------


@pytest.mark.parametrize("silent", [False, True])
def test_law_1_a_record_held_after_its_approval_stays_and_says_no_more_than_that(
    anywhere_here: Office, silent: bool
):
    here = anywhere_here
    old = here.keep("a", "b", "c")
    found = here.approved()
    here.wait()
    here.place(old[1], silent=silent)
    done = here.execute(found)
    assert done.disposed == 2
    assert done.as_json()["excluded"] == [{"record": str(old[1]), "why": WITHDRAWN_ON_RECHECK}]
    assert here.gone(*old) == {old[0], old[2]}
    assert here.world.soundness() == []


def test_law_1_a_hold_that_is_placed_between_two_parts_keeps_what_is_left(here: Office):
    old = here.keep("a", "b", "c", "d")
    found = here.approved()
    here.wait()
    parts = 0

    def point(name: str) -> None:
        nonlocal parts
        parts += name == "after-tombstone"
        if name == "after-tombstone" and parts == 1:
            here.place(*old)

    done = here.execute(found, most=2, point=point)
    assert (done.disposed, len(done.excluded)) == (2, 2)
    assert here.gone(*old) == set(old[:2])


def test_law_1_where_holds_cannot_be_looked_at_nothing_happens(here: Office):
    old = here.keep("a", "b")
    found = here.approved()
    here.wait()

    def fails(_tx: Tx, _keys: Sequence[int]) -> dict[int, frozenset[UUID]]:
        raise RuntimeError("the rows of holds cannot be read")

    blind = replace(here.of, covering=fails)
    with pytest.raises(RuntimeError, match="cannot be read"):
        executing.execute(blind, found.id, by=here.clerk, why="due")
    assert here.gone(*old) == set()
    assert here.get(found).state == EXECUTING
    assert here.execute(found).disposed == 2


def test_a_hold_that_was_released_lets_its_records_be_proposed_again(here: Office):
    (held,) = here.keep("a")
    hold = here.place(held)
    with pytest.raises(NothingEligible):
        here.propose()
    here.release(hold)
    found = here.approved()
    here.wait()
    assert here.execute(found).disposed == 1


# -- law 2: its day, its edition, two people -----------------------------------------------------------------


def test_law_2_what_is_not_eligible_is_not_proposed(here: Office):
    here.keep("a", published=YOUNG)
    with pytest.raises(NothingEligible):
        here.propose()


def test_law_2_a_record_that_is_not_eligible_any_more_stays(here: Office):
    old = here.keep("a", "b", "c")
    found = here.approved()
    here.wait()
    with here.store.database.begin() as tx:
        recording.extend(here.store, tx, [old[0]], date(2030, 1, 1), by=here.clerk, why="still needed")
    here.assign([old[1]], "PER-01")
    done = here.execute(found)
    assert done.disposed == 1
    assert set(done.excluded) == {old[0], old[1]}
    assert {one["why"] for one in done.as_json()["excluded"]} == {WITHDRAWN_ON_RECHECK}  # type: ignore[attr-defined]  # JSON: a list of objects


def test_law_2_an_edition_that_changed_makes_every_approval_void(anywhere_here: Office):
    here = anywhere_here
    old = here.keep("a", "b")
    proposed, approved = here.propose(without=[old[1]]), None
    approved = here.approved()
    here.wait()
    here.adopt_another(edition="2027", keep="P5Y", instrument="Resolution 30")
    with pytest.raises(EditionChanged):
        here.approve(proposed)
    with pytest.raises(EditionChanged):
        here.execute(approved)
    assert here.gone(*old) == set()
    assert nightly.tonight(here.of)["withdrawn"] == 2
    assert {here.get(proposed).state, here.get(approved).state} == {WITHDRAWN}
    again = here.approved()  # five years have passed all the same
    here.wait()
    assert here.execute(again).disposed == 2


def test_law_2_an_edition_that_comes_between_two_parts_keeps_the_rest(here: Office):
    here.keep("a", "b", "c", "d")
    found = here.approved()
    here.wait()
    came: list[str] = []

    def point(name: str) -> None:
        if name == "after-tombstone" and not came:
            came.append(name)
            here.adopt_another(edition="2027", keep="P9Y")

    done = here.execute(found, most=2, point=point)
    assert (done.disposed, len(done.excluded)) == (2, 2)


def test_law_2_nobody_disposes_alone(here: Office):
    here.keep("a")
    everything = somebody("mayor", *Role)
    found = here.propose(by=everything)
    with pytest.raises(ProposerApproves):
        here.approve(found, everything)
    with pytest.raises(NotWaitingForThat):
        here.execute(found)


def test_law_2_the_same_person_never_approves_twice(here: Office):
    here.adopt_another(approvals="[records_officer, attorney, approver]")
    here.keep("a")
    both = somebody("both", Role.ATTORNEY, Role.APPROVER)
    found = here.approve(here.propose(), both)
    with pytest.raises(SameOfficerTwice):
        here.approve(found, both)
    with pytest.raises(NotYourStep):
        here.approve(found, somebody("auditor", Role.AUDITOR))
    assert here.approve(found, here.chief).state == APPROVED


def test_law_2_the_database_itself_refuses_an_approval_by_the_proposer(anywhere_here: Office):
    here = anywhere_here
    here.keep("a")
    found = here.propose()
    row = {"proposal": found.key, "entry": 10_000, "step": 1, "role": "approver", "digest": bytes(32)}
    with pytest.raises(DatabaseError, match="nobody approves what they proposed"), here.store.database.begin() as tx:  # fmt: skip
        tx.execute(insert(proposal_approvals).values(officer=here.clerk.id.bytes, **row))
    with here.store.database.begin() as tx:
        tx.execute(insert(proposal_approvals).values(officer=here.chief.id.bytes, **row))


@pytest.mark.parametrize(
    "change",
    [
        update(table).values(state="executed"),
        update(table).values(series="OTHER"),
        update(table).values(n=7),
        delete(table),
        delete(proposal_records),
        update(proposal_records).values(ground=9),
        update(proposal_approvals).values(role="attorney"),
        delete(proposal_approvals),
    ],
)
def test_the_database_refuses_that_a_proposal_goes_back_or_changes(anywhere_here: Office, change: object):
    here = anywhere_here
    here.adopt_another(approvals="[records_officer, attorney, approver]")
    here.keep("a", "b")
    here.approve(here.propose(), here.attorney)
    with pytest.raises(DatabaseError, match="never"), here.store.database.begin() as tx:
        tx.execute(change)  # type: ignore[call-overload]  # several kinds of statements


@pytest.mark.parametrize(
    "change",
    [
        update(table).values(waiting_days=0),
        update(table).values(officer=bytes(16)),
        update(table).values(edition=bytes(32)),
        update(proposal_records).values(out_entry=1),
        delete(proposal_records).where(proposal_records.c.record == 1),
        update(proposal_approvals).values(officer=bytes(16)),
        update(proposal_approvals).values(role="attorney"),
        delete(proposal_approvals),
        update(disposal_rows).values(entry=1),
    ],
)
def test_rows_that_say_something_else_than_their_entries_destroy_nothing(here: Office, change: object):
    """Somebody with the database's own tools: without its guards, but not without the ledger."""
    old = here.keep("a", "b", "c")
    found = here.approved()
    here.wait()
    with here.store.database.begin() as tx:
        for name in tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            tx.execute(text(f"DROP TRIGGER {name}"))
        tx.execute(change)  # type: ignore[call-overload]  # several kinds of statements
    with pytest.raises((ProposalAltered, EditionChanged)):
        here.execute(found)
    assert here.gone(*old) == set()


def test_the_day_in_a_row_does_not_shorten_the_wait(here: Office):
    old = here.keep("a")
    found = here.approved()
    with here.store.database.begin() as tx:
        tx.execute(text("DROP TRIGGER proposals_refuse_update"))
        tx.execute(update(table).values(opens_on="2020-01-01"))
    with pytest.raises(WaitingPeriod):
        here.execute(found)
    assert here.gone(*old) == set()


def test_nothing_leads_back_from_what_was_rejected(anywhere_here: Office):
    here = anywhere_here
    here.keep("a")
    found = here.propose()
    with here.store.database.begin() as tx:
        approving.reject(here.of, tx, found.id, by=here.chief, why="the mayor still asks for these")
    assert here.get(found).state == REJECTED
    with pytest.raises(NotWaitingForThat):
        here.approve(found)
    with pytest.raises(DatabaseError, match="never"), here.store.database.begin() as tx:
        tx.execute(update(table).values(state="approved"))
    assert here.propose().records == 1  # its records are free


# -- waiting -----------------------------------------------------------------------------------------------


def test_nothing_is_executed_before_the_waiting_period_has_passed(here: Office):
    old = here.keep("a")
    found = here.approved()
    here.wait(14)
    with pytest.raises(WaitingPeriod, match="2026-03-17"):
        here.execute(found)
    assert here.gone(*old) == set()
    here.wait(1)
    assert here.execute(found).disposed == 1


def test_a_clock_that_was_set_back_executes_nothing(here: Office):
    old = here.keep("a")
    found = here.approved()
    here.wait(20)
    with here.store.database.begin() as tx:
        here.store.ledger.act(tx, "run", by=None, why="the day was seen")
    here.wait(-3)
    with pytest.raises(ClockInDoubt):
        here.execute(found)
    with pytest.raises(ClockInDoubt):
        here.propose()
    assert here.gone(*old) == set()
    here.wait(3)
    assert here.execute(found).disposed == 1


def test_an_authorisation_waits_for_a_timestamp_from_outside_where_somebody_is_asked(here: Office):
    from app.disposition.refusals import NotAnchored

    here.keep("a")
    found = here.approved()
    here.wait(20)
    with pytest.raises(NotAnchored):
        executing.execute(replace(here.of, anchored=True), found.id, by=here.clerk, why="due")
    assert here.execute(found).disposed == 1


def test_those_concerned_are_told_when_a_wait_begins_ends_and_is_over(here: Office):
    with here.store.database.begin() as tx:
        officers.first(here.store, tx, "records@harrowfalls.example")
    here.keep("a")
    found = here.approved()

    def told() -> list[str]:
        with here.store.database.begin() as tx:
            nightly.remind(here.store, tx)
            return [one.mark.partition("/")[2] for one in notices.waiting(here.store, tx)]

    assert told() == ["began"]
    here.clock.at = NOON + timedelta(days=13)
    assert told() == []  # a letter that nobody took for three days is given up
    here.clock.at = NOON + timedelta(days=14, hours=2)
    assert told() == ["ends"]
    here.clock.at = NOON + timedelta(days=15, hours=2)
    assert told() == ["ends", "open"]
    assert told() == ["ends", "open"]
    with here.store.database.read() as tx:
        assert ["may be executed" in one.what for one in nightly.to_do(here.store, tx)] == [True]
    here.execute(found)
    with here.store.database.read() as tx:
        assert nightly.to_do(here.store, tx) == []


def test_a_letter_says_how_many_of_which_series_from_when_on_and_where_to_look(here: Office):
    with here.store.database.begin() as tx:
        officers.first(here.store, tx, "records@harrowfalls.example")
    here.keep("a", "b")
    found = here.approved()
    telling = Telling(here.store, officers.NoMail(), "https://muniment.example/", "07:00")
    with here.store.database.read() as tx:
        (waiting,) = notices.waiting(here.store, tx)
        letter = telling.written(tx, waiting)
    assert letter is not None
    assert letter.subject == "Harrow Falls: 2 records of series COR-03 will be disposed of"
    assert f"https://muniment.example/dispositions/{found.id}" in letter.text
    assert "2026-03-17" in letter.text
    assert "words of" not in letter.text
    here.wait()
    here.execute(found)
    with here.store.database.read() as tx:
        assert telling.written(tx, waiting) is None


def test_the_night_executes_nothing(here: Office):
    old = here.keep("a")
    found = here.approved()
    here.wait(100)
    nightly.tonight(here.of)
    assert here.gone(*old) == set()
    assert here.get(found).state == APPROVED


# -- lists -------------------------------------------------------------------------------------------------


def test_a_record_that_is_taken_off_a_list_stays_and_voids_what_was_approved(here: Office):
    here.adopt_another(approvals="[records_officer, attorney, approver]")
    old = here.keep("a", "b", "c")
    found = here.approve(here.propose(), here.attorney)
    with here.store.database.begin() as tx:
        found = approving.leave_out(here.of, tx, found.id, [old[1]], by=here.chief, why="still asked for")
    assert (found.records, [one.counts for one in found.approvals]) == (2, [False])
    with pytest.raises(NotYourStep):
        here.approve(found, here.chief)
    found = here.approve(here.approve(found, here.attorney), here.chief)
    here.wait()
    assert here.execute(found).disposed == 2
    assert here.gone(*old) == {old[0], old[2]}
    with pytest.raises(NotWaitingForThat), here.store.database.begin() as tx:
        approving.leave_out(here.of, tx, found.id, [old[0]], by=here.chief, why="too late")


def test_only_what_is_on_a_list_is_taken_off_it(here: Office):
    here.keep("a", "b")
    found = here.propose()
    with pytest.raises(NotOnTheList), here.store.database.begin() as tx:
        approving.leave_out(here.of, tx, found.id, [new_id()], by=here.chief, why="who knows")


def test_a_record_stands_on_one_list_at_a_time(here: Office):
    here.keep("a", "b")
    assert here.propose(limit=1).records == 1
    assert here.propose().records == 1
    with pytest.raises(NothingEligible):
        here.propose()


def test_a_proposal_that_is_withdrawn_disposes_of_nothing(here: Office):
    old = here.keep("a", "b")
    found = here.approved()
    with here.store.database.begin() as tx:
        approving.withdraw(here.of, tx, found.id, by=here.attorney, why="a claim was announced")
    here.wait()
    with pytest.raises(NotWaitingForThat):
        here.execute(found)
    assert here.gone(*old) == set()
    assert here.world.soundness() == []
    assert here.propose().records == 2


def test_days_series_and_ids_that_cannot_be_are_refused(here: Office):
    here.keep("a")
    with pytest.raises(DayToCome):
        here.propose(on=date(2027, 1, 1))
    with pytest.raises(NoSuchSeries):
        here.propose("COR-99")
    with pytest.raises(NoSuchProposal), here.store.database.read() as tx:
        proposals.get(here.store, tx, new_id())
    with pytest.raises(NothingEligible):
        here.propose("PER-01")


def test_as_of_an_earlier_day_only_what_was_eligible_by_then_is_listed(here: Office):
    here.keep("a")
    here.keep("b", published=NOON.replace(year=2023) + timedelta(days=5))
    here.wait(10)
    with here.store.database.read() as tx:
        seen = proposing.look(here.of, tx, "COR-03", on=date(2026, 3, 4))
    assert len(seen.keys) == 1
    assert here.propose().records == 2


def test_an_instrument_that_the_schedule_demands_must_be_named_before_the_chain_is_complete(here: Office):
    here.adopt_another(more="authorisation: a resolution of the council\n")
    here.keep("a")
    found = here.propose()
    with pytest.raises(InstrumentMissing, match="resolution of the council"):
        here.approve(found)
    found = here.approve(found, instrument="Resolution 2026-14")
    assert (found.state, found.approvals[0].instrument) == (APPROVED, "Resolution 2026-14")


# -- after a restore ---------------------------------------------------------------------------------------


def test_after_a_restore_that_lost_entries_nothing_is_executed_before_the_holds_are_confirmed(here: Office):
    old = here.keep("a")
    with here.store.database.begin() as tx:
        tx.execute(
            insert(ledger_epochs).values(
                number=1, origin="harrowfalls.example/records/0", vkey=here.store.ledger.verifier().line(),
                reached=0, size=0, root=bytes(32), entry=0, succession="", ended_at=0,
            )
        )  # fmt: skip
    found = here.approved()
    here.wait()
    with pytest.raises(HoldsUnconfirmed):
        here.execute(found)
    assert here.gone(*old) == set()
    with here.store.database.begin() as tx:
        approving.confirm_holds(here.of, tx, by=here.attorney, why="I went through every matter")
    assert here.execute(found).disposed == 1


@pytest.mark.parametrize("state", [PROPOSED, APPROVED])
def test_a_proposal_that_a_restore_brought_back_stands_as_its_batch_does(anywhere_here: Office, state: str):
    """The data were copied before it was approved or executed, and the keys afterwards: its batch was carried out again."""
    here = anywhere_here
    old = here.keep("a", "b")
    found = here.propose()
    with here.store.database.begin() as tx:
        if state == APPROVED:
            approving.approve(here.of, tx, found.id, by=here.chief, why="I looked")
        else:
            destruction.authorise(
                here.store, tx, found.id, old, authority="Council", series="COR-03", citation="item 3", by=None, why="again",
            )  # fmt: skip
    destruction.execute(
        here.store, found.id, recheck=lambda _tx, _ids: {old[1]: "not destroyed before"}, derived=[], by=None, why="again"
    )  # fmt: skip
    assert here.get(found).state == state
    nightly.tonight(here.of)
    assert here.get(found).state == EXECUTED
    assert here.gone(*old) == {old[0]}
    assert here.propose().records == 1


def test_what_a_restore_withdrew_is_told_as_withdrawn(here: Office):
    old = here.keep("a")
    found = here.approved()
    with here.store.database.begin() as tx:
        destruction.withdraw(here.store, tx, found.id, by=None, why="a hold may have been lost")
    nightly.tonight(here.of)
    assert here.get(found).state == WITHDRAWN
    assert here.gone(*old) == set()
    assert here.propose().records == 1


# -- final -------------------------------------------------------------------------------------------------


def test_a_disposal_becomes_final_when_no_copy_of_the_keys_opens_it_any_more(here: Office):
    here.keep("a")
    with here.store.database.begin() as tx:
        tx.execute(
            insert(backups).values(
                id=new_id().bytes, entry=0, at=to_instant(here.clock.now()), keys_place="/safe/keys",
                done_at=to_instant(here.clock.now()), epoch=min(here.store.keyring.keys.epochs()),
            )
        )  # fmt: skip
    found = here.approved()
    here.wait()
    here.execute(found)
    assert nightly.tonight(here.of)["final"] == 0
    assert not here.get(found).final
    here.wait(int(kept.KEPT_FOR.days))
    assert nightly.tonight(here.of)["final"] == 1
    assert here.get(found).final
    assert nightly.tonight(here.of)["final"] == 0
    assert here.world.soundness() == []


def test_law_5_what_was_disposed_of_is_proven_and_nothing_else_is_lost(anywhere_here: Office):
    here = anywhere_here
    old = here.keep("a", "b", "c")
    stays = here.keep("d", published=YOUNG)
    found = here.approved()
    here.wait()
    here.execute(found)
    with here.store.database.read() as tx:
        told = {one: records.get(here.store, tx, one, messages=True) for one in (*old, *stays)}
        states = disposals.states(tx, found.id)
    assert all(isinstance(told[one], Disposed) for one in old)
    assert not isinstance(told[stays[0]], Disposed)
    assert set(states.values()) == {disposals.VERIFIED}
    assert not here.store.keyring.secrets([one.bytes for one in old])
    assert fixity.verify(here.store, full=True).findings == []


def test_what_was_begun_and_broken_off_is_finished_by_executing_again(here: Office):
    old = here.keep("a", "b", "c", "d")
    found = here.approved()
    here.wait()

    class BrokenOff(Exception):
        pass

    def point(name: str) -> None:
        if name == "after-tombstone":
            raise BrokenOff

    with pytest.raises(BrokenOff):
        here.execute(found, most=3, point=point)
    assert len(here.gone(*old)) == 3
    assert here.get(found).state == EXECUTING
    with here.store.database.read() as tx:
        assert [one.urgent for one in nightly.to_do(here.store, tx)] == [True]
    done = here.execute(found)
    assert (done.disposed, done.proposal.state) == (4, EXECUTED)


def test_rows_name_no_officer_and_no_words(here: Office):
    """Who, why and what the schedule says of each record stand sealed; rows bear ids, days and numbers."""
    here.keep("a")
    here.approved()
    with here.store.database.read() as tx:
        rows = [
            *tx.execute(select(table)).all(),
            *tx.execute(select(proposal_records)).all(),
            *tx.execute(select(proposal_approvals)).all(),
            *tx.execute(select(transfer_records)).all(),
        ]
    text = repr(rows)
    assert "I looked at the list" not in text
    assert "harrowfalls.example" not in text
