"""A role or a token that nobody gave is found, whoever wrote it into the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from app import main, officers
from app.officers import accounted, passes, passwords
from app.officers.passes import Kind
from app.records.clock import FixedClock
from app.records.nouns import Officer, Role
from app.store import Store, fixity, tables
from app.store.accounts import ALTERED

PASSWORD = "a mauve kiosk at the weir"


@pytest.fixture
def people(store: Store, clock: FixedClock) -> tuple[Officer, Officer]:
    """An administrator and a clerk to whom everything happened that can happen to an account."""
    with store.database.begin() as tx:
        chief = officers.first(store, tx, "chief@town.example").officer
        invited = officers.add(
            store, tx, "clerk@town.example", [Role.AUDITOR], name="C. Lerk", by=chief, why="new"
        )
    with store.database.begin() as tx:
        clerk = officers.accept(store, tx, invited.secret, PASSWORD).officer
        officers.change_roles(store, tx, clerk, [Role.RECORDS_OFFICER], by=chief, why="another desk")
        kept = officers.issue_token(store, tx, clerk, name="desk", by=clerk, why="for the desk")
        officers.issue_token(
            store, tx, clerk, name="van", until=clock.at + timedelta(days=1), by=clerk, why="on the way"
        )
        officers.revoke(store, tx, clerk, kept.id, by=clerk, why="not needed")
        gone = officers.add(store, tx, "gone@town.example", [Role.ATTORNEY], by=chief, why="new").officer
        officers.deactivate(store, tx, gone, by=chief, why="left")
        officers.add(store, tx, "gone@town.example", [Role.ATTORNEY], by=chief, why="came back")
    clock.at += timedelta(days=2)
    with store.database.begin() as tx:
        officers.sweep_passes(store, tx)
    return chief, clerk


def found(store: Store) -> list[tuple[str, str]]:
    told = fixity.verify(store, full=True, wanted=lambda look: look == accounted.LOOK, more=main.ACCOUNTED)
    return [(one.code, one.where) for one in told.findings]


def test_what_was_done_by_the_book_is_found_to_be_so(store: Store, people: tuple[Officer, Officer]):
    assert found(store) == []


@pytest.mark.parametrize(
    "forged",
    [{"roles": "administrator"}, {"active": False}, {"email": "other@town.example"}, {"name": "Chief"},
     {"password": passwords.hashed("one that the intruder knows")}, {"password": None}, {"password": "?"}],
    ids=lambda forged: next(iter(forged)),
)  # fmt: skip
def test_an_account_that_was_altered_is_named_by_its_id(
    store: Store, people: tuple[Officer, Officer], forged: dict[str, object]
):
    _, clerk = people
    with store.database.begin() as tx:
        tx.execute(update(tables.officers).where(tables.officers.c.id == clerk.id.bytes).values(forged))
    assert found(store) == [(ALTERED, clerk.id.hex)]


def test_a_token_that_nobody_issued_is_found_and_a_session_is_nobodys_act(
    store: Store, people: tuple[Officer, Officer]
):
    chief, _ = people
    with store.database.begin() as tx:
        passes.make(store, tx, Kind.SESSION, chief, lasts=timedelta(hours=1))
        assert found(store) == []
        forged = passes.make(store, tx, Kind.TOKEN, chief, lasts=None)
    assert found(store) == [(ALTERED, f"token {forged.id}")]


def test_a_token_that_was_revoked_and_stands_there_again_is_found(
    store: Store, people: tuple[Officer, Officer]
):
    _, clerk = people
    with store.database.begin() as tx:
        made = officers.issue_token(store, tx, clerk, name="desk", by=clerk, why="for the desk")
        row = dict(tx.execute(tables.passes.select().order_by(tables.passes.c.made_at)).mappings().all()[-1])
        officers.revoke(store, tx, clerk, made.id, by=clerk, why="lost")
    assert found(store) == []
    with store.database.begin() as tx:
        tx.execute(tables.passes.insert().values(row))
    assert found(store) == [(ALTERED, f"token {made.id}")]


def test_a_password_that_its_holder_chose_anew_or_reset_is_found_to_be_theirs(
    store: Store, people: tuple[Officer, Officer]
):
    chief, clerk = people
    other = "an umber kiosk at the weir"
    with store.database.begin() as tx:
        officers.set_password(store, tx, clerk, other, by=clerk, why="a new year")
        link = officers.make_reset(store, tx, clerk, by=chief, why="forgotten")
    assert found(store) == []
    with store.database.begin() as tx:
        officers.reset(store, tx, link, PASSWORD)
    assert found(store) == []


OLDER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""As passwords may have been hashed by an earlier version."""


def test_a_password_that_is_kept_anew_at_a_sign_in_is_still_its_holders(
    store: Store, people: tuple[Officer, Officer], monkeypatch: pytest.MonkeyPatch
):
    _, clerk = people
    with monkeypatch.context() as then, store.database.begin() as tx:
        then.setattr(passwords, "_hasher", OLDER)
        officers.set_password(store, tx, clerk, PASSWORD, by=clerk, why="a new year")
    before = kept_of(store, clerk)
    with store.database.begin() as tx:
        assert isinstance(officers.sign_in(store, tx, clerk.email, PASSWORD, address=None), officers.SignedIn)
    assert kept_of(store, clerk) != before
    assert found(store) == []


def test_a_password_that_nobody_chose_is_not_made_good_by_being_used(
    store: Store, people: tuple[Officer, Officer]
):
    _, clerk = people
    theirs = update(tables.officers).where(tables.officers.c.id == clerk.id.bytes)
    with store.database.begin() as tx:
        tx.execute(theirs.values(password=OLDER.hash("one that the intruder knows")))
    assert found(store) == [(ALTERED, clerk.id.hex)]
    with store.database.begin() as tx:
        officers.sign_in(store, tx, clerk.email, "one that the intruder knows", address=None)
    assert found(store) == [(ALTERED, clerk.id.hex)]


def kept_of(store: Store, officer: Officer) -> str | None:
    with store.database.read() as tx:
        asked = select(tables.officers.c.password).where(tables.officers.c.id == officer.id.bytes)
        return tx.execute(asked).scalar()
