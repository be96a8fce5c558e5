"""Matters: who works on them, who must keep what they have, and who knows of a silent one."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from app.capture import deeds
from app.holds import acts, covering, matters, placing
from app.holds.matters import (
    BadMatter,
    CustodianWithoutAddress,
    MatterClosed,
    NoSuchCustodian,
    NoSuchMatter,
    NotYourMatter,
)
from app.holds.placing import NoSuchHold
from app.officers import BadEmail, NoSuchOfficer
from app.records.clock import FixedClock
from app.records.errors import NotPermitted
from app.records.ids import new_id
from app.records.nouns import Officer
from app.store import Store, audit, tables
from tests.steps.holding import Law
from tests.steps.test_capture import post


@pytest.fixture
def law(store: Store, clock: FixedClock) -> Law:
    return Law(store, clock)


@pytest.fixture
def law_anywhere(anywhere: Store, clock: FixedClock) -> Law:
    return Law(anywhere, clock)


def test_a_matter_is_opened_with_everything_that_is_said_of_it(law_anywhere: Law):
    law = law_anywhere
    matter = law.matter(
        "Doe  v.\tHarrow Falls",
        trigger=date(2026, 2, 1),
        notes="a fence",
        members=[law.clerk.email],
        about=[law.page.id],
    )
    assert matter.name == "Doe v. Harrow Falls"
    assert matter.trigger == date(2026, 2, 1)
    assert matter.pages == (law.page.id,)
    assert [note.text for note in matter.notes] == ["a fence"]
    assert matter.members == (law.counsel.id, law.clerk.id)
    assert matter.opened_by == law.counsel.id
    assert matter.closed_at is None


def test_only_attorneys_open_and_work_on_matters(law: Law):
    with pytest.raises(NotPermitted):
        law.matter(by=law.clerk)
    matter = law.matter()
    with pytest.raises(NotYourMatter), law.store.database.begin() as tx:
        matters.change(law.store, tx, matter, note="mine", by=law.clerk, why="no")
    with law.store.database.begin() as tx:
        changed = matters.change(law.store, tx, matter, note="ours", by=law.second, why="yes")
    assert [note.text for note in changed.notes] == ["ours"]


@pytest.mark.parametrize("name", ["", " ", "x" * 201])
def test_a_matter_has_a_name(law: Law, name: str):
    with pytest.raises(BadMatter):
        law.matter(name)


def test_a_custodian_without_an_address_is_refused(law: Law):
    matter = law.matter()
    with pytest.raises(CustodianWithoutAddress), law.store.database.begin() as tx:
        matters.name_custodian(law.store, tx, matter, "Pat Smith", " ", by=law.counsel, why="has drafts")
    with pytest.raises(BadEmail), law.store.database.begin() as tx:
        matters.name_custodian(
            law.store, tx, matter, "Pat Smith", "at home", by=law.counsel, why="has drafts"
        )
    with law.store.database.begin() as tx:
        named = matters.name_custodian(
            law.store, tx, matter, "Pat Smith", "Pat@Harrowfalls.example", by=law.counsel, why="has drafts"
        )
        found = matters.get(law.store, tx, str(matter.id), by=law.counsel)
    assert (named.name, named.email) == ("Pat Smith", "pat@harrowfalls.example")
    assert matters.custodian(found, "pat@harrowfalls.example") == named
    with pytest.raises(BadMatter), law.store.database.begin() as tx:
        matters.name_custodian(
            law.store, tx, matter, "Pat", "pat@harrowfalls.example", by=law.counsel, why="x"
        )
    with law.store.database.begin() as tx:
        left = matters.excuse_custodian(
            law.store, tx, matter, "pat@harrowfalls.example", by=law.counsel, why="x"
        )
    with pytest.raises(NoSuchCustodian):
        matters.custodian(left, "pat@harrowfalls.example")


def test_members_come_and_go_and_the_last_one_stays(law: Law):
    matter = law.matter()
    with law.store.database.begin() as tx:
        now = matters.admit(law.store, tx, matter, law.clerk.email, by=law.counsel, why="helps")
    assert law.clerk.id in now.members
    with law.store.database.begin() as tx:
        now = matters.dismiss(law.store, tx, matter, law.clerk.email, by=law.counsel, why="done")
    assert now.members == (law.counsel.id,)
    with pytest.raises(BadMatter, match="keeps one member"), law.store.database.begin() as tx:
        matters.dismiss(law.store, tx, matter, law.counsel.email, by=law.counsel, why="leaves")
    with pytest.raises(NoSuchOfficer), law.store.database.begin() as tx:
        matters.admit(law.store, tx, matter, "nobody@harrowfalls.example", by=law.counsel, why="x")


def test_a_silent_matter_keeps_an_attorney_who_can_release_its_holds(law: Law):
    sealed, open_ = law.matter("Sealed", silent=True), law.matter("Open")
    for matter in (sealed, open_):
        with law.store.database.begin() as tx:
            matters.admit(law.store, tx, matter, law.clerk.email, by=law.counsel, why="helps")
    with pytest.raises(BadMatter, match="keeps one attorney"), law.store.database.begin() as tx:
        matters.dismiss(law.store, tx, sealed, law.counsel.email, by=law.counsel, why="leaves")
    with law.store.database.begin() as tx:
        now = matters.dismiss(law.store, tx, open_, law.counsel.email, by=law.second, why="leaves")
        assert now.members == (law.clerk.id,)
        matters.admit(law.store, tx, sealed, law.second.email, by=law.counsel, why="takes over")
        now = matters.dismiss(law.store, tx, sealed, law.counsel.email, by=law.counsel, why="leaves")
    assert set(now.members) == {law.clerk.id, law.second.id}


def test_the_name_of_a_custodian_is_one_line_of_a_letter(law: Law):
    matter = law.matter()
    with law.store.database.begin() as tx:
        named = matters.name_custodian(
            law.store,
            tx,
            matter,
            " Pat\n\nSmith\u2028 Jr. ",
            "pat@far.example",
            by=law.counsel,
            why="has drafts",
        )
    assert named.name == "Pat Smith Jr."


def test_of_two_custodians_of_one_name_neither_is_taken_for_the_other(law: Law):
    matter = law.matter()
    people = (("Pat Smith", "pat@far.example"), ("Pat Smith", "p.smith@far.example"), ("pat@far.example", "kim@far.example"))  # fmt: skip
    with law.store.database.begin() as tx:
        for name, email in reversed(people):
            matters.name_custodian(law.store, tx, matter, name, email, by=law.counsel, why="has drafts")
        found = matters.get(law.store, tx, str(matter.id), by=law.counsel)
    with pytest.raises(NoSuchCustodian, match="2 custodians are called"):
        matters.custodian(found, "Pat Smith")
    assert matters.custodian(found, "Pat@far.example").email == "pat@far.example"
    assert {one.email for one in found.custodians} == {email for _, email in people}
    assert {matters.custodian(found, email).email for _, email in people} == {email for _, email in people}


def test_a_closed_matter_changes_no_more(law: Law):
    matter = law.matter()
    with law.store.database.begin() as tx:
        closed = matters.close(law.store, tx, matter, by=law.counsel, why="settled")
    assert closed.closed_at is not None
    with pytest.raises(MatterClosed), law.store.database.begin() as tx:
        matters.change(law.store, tx, matter, note="late", by=law.counsel, why="x")


def test_a_matter_is_found_by_its_name_where_only_one_bears_it(law: Law):
    first = law.matter("Doe")
    with law.store.database.read() as tx:
        assert matters.get(law.store, tx, "doe", by=law.clerk).id == first.id
    law.matter("DOE")
    with pytest.raises(NoSuchMatter, match="2 matters"), law.store.database.read() as tx:
        matters.get(law.store, tx, "doe", by=law.clerk)


def test_what_stands_in_the_rows_of_matters_never_changes(law_anywhere: Law):
    law = law_anywhere
    law.matter(silent=True)
    for change in (
        update(tables.matters).values(silent=False),
        delete(tables.matter_acts),
        update(tables.matter_acts).values(empty=True),
        delete(tables.matter_members),
    ):
        with pytest.raises(DatabaseError), law.store.database.begin() as tx:
            tx.execute(change)


# -- silent ones -------------------------------------------------------------------------------------------


def test_a_silent_matter_is_known_to_its_members_only(law_anywhere: Law):
    law = law_anywhere
    law.shown(post("p1", "the flood"))
    silent = law.matter("Sealed", silent=True, members=[law.clerk.email])
    hold = law.place(silent, "flood").hold
    for one in (law.counsel, law.clerk):
        with law.store.database.read() as tx:
            assert matters.get(law.store, tx, "Sealed", by=one).id == silent.id
            assert placing.get(law.store, tx, str(hold.id), by=one).id == hold.id
    for outside in (law.second, law.auditor, law.admin):
        with law.store.database.read() as tx:
            assert matters.listed(law.store, tx, by=outside) == []
            assert placing.listed(law.store, tx, by=outside) == []


def test_a_silent_matter_answers_as_a_random_id_does(law: Law):
    silent = law.matter("Sealed", silent=True)
    hold = law.place(silent, "flood").hold

    def said(which: str, by: Officer, *, of_hold: bool) -> tuple[str, str, str]:
        read = placing.get if of_hold else matters.get
        with (
            pytest.raises((NoSuchMatter, NoSuchHold)) as refused,
            law.store.database.read() as tx,
        ):
            read(law.store, tx, which, by=by)
        error = refused.value
        return error.code, str(error).replace(which, "ID"), error.next

    for by in (law.second, law.clerk, law.auditor, law.admin):
        assert said(str(silent.id), by, of_hold=False) == said(str(new_id()), by, of_hold=False)
        assert said(str(hold.id), by, of_hold=True) == said(str(new_id()), by, of_hold=True)


def test_a_member_who_left_knows_no_more(law: Law):
    silent = law.matter("Sealed", silent=True, members=[law.clerk.email])
    with law.store.database.begin() as tx:
        matters.dismiss(law.store, tx, silent, law.clerk.email, by=law.counsel, why="done")
    with law.store.database.read() as tx:
        assert matters.listed(law.store, tx, by=law.clerk) == []


def test_a_silent_hold_protects_and_is_shown_to_nobody_outside(law: Law):
    law.shown(post("p1", "the flood"))
    hold = law.place(law.matter("Sealed", silent=True), "flood").hold
    key = law.keys()["p1"]
    with law.store.database.read() as tx:
        assert covering.covering(law.store, tx, [key])[key] == {hold.id}
        assert covering.shown(law.store, tx, [key], by=law.counsel)[key] == {hold.id}
        assert covering.shown(law.store, tx, [key], by=law.clerk)[key] == frozenset()
        assert list(covering.held_keys(tx, by=law.counsel)) == [key]
        assert list(covering.held_keys(tx, by=law.clerk)) == []
    told = law.dispose("p1")
    assert set(told.withdrawn.values()) == {"withdrawn_on_recheck"}


def test_an_audit_from_outside_has_neither_silent_acts_nor_empty_ones(law: Law):
    law.matter("Open")
    with law.store.database.read() as tx:
        before = audit.acts_before(law.store, tx, by=law.auditor.id, limit=500)
    law.place(law.matter("Sealed", silent=True), "flood")
    with law.store.database.begin() as tx:
        acts.empty(law.store, tx)
    with law.store.database.read() as tx:
        after = audit.acts_before(law.store, tx, by=law.auditor.id, limit=500)
        mine = audit.acts_before(law.store, tx, by=law.counsel.id, limit=500)
        kinds = audit.kinds_of_acts(tx, law.auditor.id)
    assert (after.total, after.acts) == (before.total, before.acts)
    assert mine.total == before.total + 2
    assert "act" in kinds
    with law.store.database.read() as tx:
        assert (
            deeds.told(law.store, tx, [mine.acts[0].entry])[mine.acts[0].entry].text("act") == "hold:placed"
        )


def test_without_an_open_matter_the_audit_does_not_even_name_the_type(law: Law):
    law.matter("Sealed", silent=True)
    with law.store.database.read() as tx:
        assert "act" not in audit.kinds_of_acts(tx, law.auditor.id)
