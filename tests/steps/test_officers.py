"""The people of the archive: how they come in, sign in, act, forget their password and leave."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app import officers
from app.main import make, open_store
from app.officers import (
    AccountNotInUse,
    AlreadyOfficer,
    BadEmail,
    BadName,
    BadToken,
    Denied,
    InvitationSpent,
    LastAdministrator,
    MailNotSent,
    NoMail,
    NoSuchOfficer,
    NoSuchToken,
    NotSignedIn,
    OfficersExist,
    PasswordNotAccepted,
    PasswordUnreadable,
    ResetSpent,
    RolesNotAccepted,
    SignedIn,
    TooManyTries,
    WrongPassword,
    passwords,
)
from app.officers.passwords import _COMMONEST, SHORTEST, accepted, generated, hashed, matches
from app.officers.tries import neighbourhood
from app.records.clock import FixedClock
from app.records.errors import NotPermitted
from app.records.nouns import Officer, Role
from app.settings import Settings
from app.store import Store, access
from app.store.access import Access
from app.store.ledger import Act
from app.store.tables import entries, passes, tries
from app.store.tables import officers as officer_rows

NOON = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
CHIEF, JANE = "chief@town.example", "jane@town.example"
T = TypeVar("T")
AS_SHIPPED = passwords._hasher
PASSWORD = "a road that was closed"
ANOTHER = "a road that is open again"
HERE = "192.0.2.7"


@dataclass
class Archive:
    """An archive with its first officer, a clock that can be moved, and transactions that commit."""

    store: Store
    clock: FixedClock
    chief: Officer
    password: str
    token: str

    def do(self, verb: Callable[..., T], *nouns: object, **who_and_why: object) -> T:
        """Call one verb in a transaction of its own."""
        with self.store.database.begin() as tx:
            return verb(self.store, tx, *nouns, **who_and_why)

    def later(self, **time: float) -> None:
        self.clock.at += timedelta(**time)

    def invite(self, email: str = JANE, *roles: Role, name: str = "Jane Doe") -> officers.Invitation:
        return self.do(officers.add, email, roles or (Role.AUDITOR,), name=name, by=self.chief, why="hired")

    def jane(self, *roles: Role) -> officers.Accepted:
        return self.do(officers.accept, self.invite(JANE, *roles).secret, PASSWORD)

    def sign_in(self, email: str, password: str, *, address: str | None = HERE) -> SignedIn | Denied:
        return self.do(officers.sign_in, email, password, address=address)

    def signed_in(self, email: str, password: str) -> SignedIn:
        outcome = self.sign_in(email, password)
        assert isinstance(outcome, SignedIn)
        return outcome

    def entries(self) -> list[dict[str, object]]:
        with self.store.database.read() as tx:
            return [
                json.loads(body) for (body,) in tx.execute(select(entries.c.body).order_by(entries.c.index))
            ]

    def acts(self, officer: Officer) -> list[Act]:
        with self.store.database.read() as tx:
            return self.store.ledger.acts(tx, subject=officer.id)

    def accesses(self) -> list[Access]:
        with self.store.database.read() as tx:
            return list(access.read(self.store, tx))

    def rows(self, table) -> int:
        with self.store.database.read() as tx:
            return tx.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture(scope="module", autouse=True)
def light_hashing() -> Iterator[None]:
    """Hash with Argon2id's least parameters: what is tested here is not how slow a guess is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        passwords._nobodys.cache_clear()
        yield
    passwords._nobodys.cache_clear()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, officers.First]:
    """An archive that was made once, to be copied."""
    home = tmp_path_factory.mktemp("made") / "home"
    clock = FixedClock(NOON)
    store = make(
        settings_of(home), agency="Town Police", domain="town.example", timezone="America/Juneau", clock=clock
    )
    with store.database.begin() as tx:
        first = officers.first(store, tx, CHIEF)
    close(store)
    return home, first


@pytest.fixture
def archive(made: tuple[Path, officers.First], tmp_path: Path) -> Iterator[Archive]:
    home, first = made
    shutil.copytree(home, tmp_path / "home")
    clock = FixedClock(NOON)
    store = open_store(settings_of(tmp_path / "home"), clock)
    yield Archive(store, clock, *first)
    close(store)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    """An archive on each database, for what many do at once."""
    if request.param == "sqlite":
        yield request.getfixturevalue("archive")
        return
    settings = settings_of(tmp_path / "home", database_url=request.getfixturevalue("postgres_url"))
    clock = FixedClock(NOON)
    store = make(
        settings, agency="Town Police", domain="town.example", timezone="America/Juneau", clock=clock
    )
    with store.database.begin() as tx:
        first = officers.first(store, tx, CHIEF)
    yield Archive(store, clock, *first)
    close(store)


def settings_of(home: Path, **more: str) -> Settings:
    return Settings(home=home, _env_file=None, **more)  # type: ignore[arg-type]  # a test names the fields


def close(store: Store) -> None:
    store.database.close()
    store.keyring.database.close()


@dataclass
class Postbox:
    """What stands where a letter goes out: it keeps letters, or refuses them as a server would."""

    letters: list[tuple[str, str, str]] = field(default_factory=list)
    down: bool = False

    def send(self, to: str, subject: str, text: str) -> None:
        if self.down:
            raise MailNotSent("the server is down")
        self.letters.append((to, subject, text))

    def secret(self) -> str:
        """The secret in the newest letter."""
        words = self.letters[-1][2].split()
        return next(word.rpartition("/")[2] for word in words if officers.RESET_PATH in word)


# -- the first account -----------------------------------------------------------------------------------------


def test_the_first_account_administers_and_keeps_records(archive):
    assert archive.chief.roles == {Role.ADMINISTRATOR, Role.RECORDS_OFFICER}
    assert archive.signed_in(CHIEF, archive.password).officer == archive.chief
    assert archive.do(officers.token, archive.token) == archive.chief


def test_the_first_account_is_made_once(archive):
    with pytest.raises(OfficersExist):
        archive.do(officers.first, "second@town.example")


def test_what_is_handed_out_is_kept_nowhere(archive, tmp_path):
    invitation = archive.invite()
    jane, token = archive.do(officers.accept, invitation.secret, PASSWORD)
    session = archive.signed_in(JANE, PASSWORD).token
    reset = archive.do(officers.make_reset, jane, by=archive.chief, why="forgot it")
    secrets = [archive.password, archive.token, invitation.secret, PASSWORD, token, session, reset]
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert any(path.name.startswith("archive.db") for path in files)
    kept = b"".join(path.read_bytes() for path in files)
    assert JANE.encode() in kept  # the twin: the search would find it
    assert [secret for secret in secrets if secret.encode() in kept] == []


def test_what_is_handed_out_is_not_in_what_a_log_would_print(archive):
    invitation = archive.invite()
    assert invitation.secret not in repr(invitation)
    outcome = archive.signed_in(CHIEF, archive.password)
    assert outcome.token not in repr(outcome)


# -- invitations -----------------------------------------------------------------------------------------------


def test_an_invitation_lets_its_person_in(archive):
    invitation = archive.invite(" Jane@Town.Example ", Role.ATTORNEY, Role.MESSAGES)
    jane, token = archive.do(officers.accept, invitation.secret, PASSWORD)
    assert jane == invitation.officer
    assert (jane.email, jane.name, jane.roles) == (JANE, "Jane Doe", {Role.ATTORNEY, Role.MESSAGES})
    assert archive.do(officers.token, token) == jane
    assert archive.signed_in("JANE@town.example", PASSWORD).officer == jane


def test_an_invitation_works_once(archive):
    invitation = archive.invite()
    archive.do(officers.accept, invitation.secret, PASSWORD)
    with pytest.raises(InvitationSpent):
        archive.do(officers.accept, invitation.secret, ANOTHER)
    archive.signed_in(JANE, PASSWORD)


def test_an_invitation_works_for_seven_days(archive):
    invitation = archive.invite()
    assert invitation.until == NOON + timedelta(days=7)
    archive.later(days=7)
    with pytest.raises(InvitationSpent):
        archive.do(officers.accept, invitation.secret, PASSWORD)
    archive.later(seconds=-1)
    archive.do(officers.accept, invitation.secret, PASSWORD)


def test_a_refused_password_does_not_spend_the_invitation(archive):
    invitation = archive.invite()
    with pytest.raises(PasswordNotAccepted):
        archive.do(officers.accept, invitation.secret, "short")
    archive.do(officers.accept, invitation.secret, PASSWORD)


@pytest.mark.parametrize("secret", ["", "muniment-invitation-x", "\ud800"])
def test_an_invitation_that_was_never_made_lets_nobody_in(archive, secret):
    with pytest.raises(InvitationSpent):
        archive.do(officers.accept, secret, PASSWORD)


def test_no_pass_works_as_one_of_another_kind(archive):
    invitation = archive.invite()
    _, token = archive.do(officers.accept, archive.invite("joe@town.example").secret, PASSWORD)
    session = archive.signed_in(CHIEF, archive.password).token
    for verb, right in ((officers.session, session), (officers.token, token)):
        archive.do(verb, right)
        for wrong in {invitation.secret, token, session} - {right}:
            with pytest.raises(NotSignedIn):
                archive.do(verb, wrong)
    for wrong in (token, session):
        with pytest.raises(InvitationSpent):
            archive.do(officers.accept, wrong, PASSWORD)
        with pytest.raises(ResetSpent):
            archive.do(officers.reset, wrong, PASSWORD)


def test_somebody_who_never_accepted_is_invited_again_and_the_old_invitation_ends(archive):
    old = archive.invite()
    new = archive.invite(JANE, Role.APPROVER)
    assert new.officer.id == old.officer.id
    with pytest.raises(InvitationSpent):
        archive.do(officers.accept, old.secret, PASSWORD)
    jane, _ = archive.do(officers.accept, new.secret, PASSWORD)
    assert jane.roles == {Role.APPROVER}
    assert [act.detail["act"] for act in archive.acts(jane)] == ["accepted", "added-again", "added"]


def test_an_account_in_use_is_not_opened_again(archive):
    archive.jane()
    with pytest.raises(AlreadyOfficer):
        archive.invite()


def test_somebody_who_left_comes_back_under_the_same_id_with_nothing_of_old(archive):
    jane, token = archive.jane(Role.ADMINISTRATOR)
    archive.do(officers.deactivate, jane, by=archive.chief, why="left")
    again = archive.invite(JANE, Role.AUDITOR)
    with pytest.raises(NotSignedIn):
        archive.do(officers.token, token)
    assert isinstance(archive.sign_in(JANE, PASSWORD), Denied)
    back, _ = archive.do(officers.accept, again.secret, ANOTHER)
    assert (back.id, back.active, back.roles) == (jane.id, True, {Role.AUDITOR})


@pytest.mark.parametrize(
    "email", ["", "jane", "jane@town.example\nBcc: x@y.example", "jane@town.example,x@y.example"]
)
def test_what_is_not_one_email_opens_no_account(archive, email):
    with pytest.raises(BadEmail):
        archive.invite(email)


@pytest.mark.parametrize("roles", [[], ["chief"], [Role.MESSAGES], "auditor"])
def test_roles_that_make_no_account_are_refused(archive, roles):
    with pytest.raises(RolesNotAccepted):
        archive.do(officers.add, JANE, roles, name="Jane", by=archive.chief, why="hired")


@pytest.mark.parametrize("name", ["Jane\nDoe", "Jane\x1b[2J", "J" * 201])
def test_a_name_is_one_line(archive, name):
    with pytest.raises(BadName):
        archive.invite(name=name)


# -- entries in the ledger -------------------------------------------------------------------------------------


def test_every_change_writes_exactly_one_entry_that_says_who_and_why(archive):
    jane, _ = archive.jane()
    archive.do(officers.change_roles, jane, [Role.APPROVER], by=archive.chief, why="promoted")
    issued = archive.do(officers.issue_token, jane, name="scanner", by=jane, why="new scanner")
    archive.do(officers.revoke, jane, issued.id, by=jane, why="scanner sold")
    archive.do(officers.set_password, jane, ANOTHER, by=jane, why="yearly")
    secret = archive.do(officers.make_reset, jane, by=archive.chief, why="forgot it")
    archive.do(officers.reset, secret, PASSWORD)
    archive.do(officers.deactivate, jane, by=archive.chief, why="left")
    told = [(act.detail["act"], act.officer, act.why) for act in reversed(archive.acts(jane))]
    assert told == [
        ("added", archive.chief.id, "hired"),
        ("accepted", jane.id, "accepted the invitation"),
        ("roles-changed", archive.chief.id, "promoted"),
        ("token-issued", jane.id, "new scanner"),
        ("token-revoked", jane.id, "scanner sold"),
        ("password-set", jane.id, "yearly"),
        ("reset-made", archive.chief.id, "forgot it"),
        ("password-reset", jane.id, "opened a reset link"),
        ("deactivated", archive.chief.id, "left"),
    ]
    theirs = [entry for entry in archive.entries() if entry.get("user") == jane.id.hex]
    assert [(entry["type"], entry["act"]) for entry in theirs] == [("user", act) for act, _, _ in told]


def test_no_entry_names_a_person(archive):
    archive.jane()
    for entry in archive.entries():
        assert set(entry) == {"v", "type", "ts", "c", "user", "act"}
        assert not any(word in json.dumps(entry) for word in ("jane", "Jane", "chief", "town", "hired"))


def test_a_refused_change_writes_no_entry(archive):
    jane, _ = archive.jane()
    before = len(archive.entries())
    with pytest.raises(NotPermitted):
        archive.do(officers.deactivate, archive.chief, by=jane, why="a coup")
    assert len(archive.entries()) == before


# -- roles -----------------------------------------------------------------------------------------------------


def test_a_role_that_is_missing_is_named(archive):
    jane, _ = archive.jane(Role.AUDITOR)
    assert officers.require(jane, Role.AUDITOR, Role.ATTORNEY) is jane
    with pytest.raises(NotPermitted, match="attorney or approver"):
        officers.require(jane, Role.ATTORNEY, Role.APPROVER)
    with pytest.raises(NotPermitted, match="no longer active"):
        officers.require(replace(jane, active=False), Role.AUDITOR)


def test_roles_hold_at_once_for_sessions_and_tokens_alike(archive):
    jane, token = archive.jane(Role.AUDITOR)
    session = archive.signed_in(JANE, PASSWORD).token
    changed = archive.do(officers.change_roles, jane, ["attorney"], by=archive.chief, why="promoted")
    assert changed.roles == {Role.ATTORNEY}
    assert archive.do(officers.session, session) == archive.do(officers.token, token) == changed


@pytest.mark.parametrize("verb", ["add", "change_roles", "deactivate", "make_reset"])
def test_only_an_administrator_changes_accounts(archive, verb):
    jane, _ = archive.jane(*(set(Role) - {Role.ADMINISTRATOR}))
    asked = {
        "add": ("joe@town.example", [Role.AUDITOR]),
        "change_roles": (archive.chief, [Role.AUDITOR]),
        "deactivate": (archive.chief,),
        "make_reset": (archive.chief,),
    }[verb]
    with pytest.raises(NotPermitted, match="administrator"):
        archive.do(getattr(officers, verb), *asked, by=jane, why="a coup")


def test_the_last_administrator_stays(archive):
    with pytest.raises(LastAdministrator):
        archive.do(officers.deactivate, archive.chief, by=archive.chief, why="tired")
    with pytest.raises(LastAdministrator):
        archive.do(officers.change_roles, archive.chief, [Role.AUDITOR], by=archive.chief, why="tired")
    invitation = archive.invite(JANE, Role.ADMINISTRATOR)
    with pytest.raises(LastAdministrator):  # who was only invited cannot open the door yet
        archive.do(officers.deactivate, archive.chief, by=archive.chief, why="tired")
    jane, _ = archive.do(officers.accept, invitation.secret, PASSWORD)
    archive.do(officers.deactivate, archive.chief, by=archive.chief, why="retired")
    with pytest.raises(LastAdministrator):
        archive.do(officers.deactivate, jane, by=jane, why="tired too")


def test_who_is_deactivated_is_out_at_once(archive):
    jane, token = archive.jane()
    session = archive.signed_in(JANE, PASSWORD).token
    reset = archive.do(officers.make_reset, jane, by=archive.chief, why="forgot it")
    gone = archive.do(officers.deactivate, jane, by=archive.chief, why="left")
    assert not gone.active
    for verb, secret in ((officers.session, session), (officers.token, token)):
        with pytest.raises(NotSignedIn):
            archive.do(verb, secret)
    with pytest.raises(ResetSpent):
        archive.do(officers.reset, reset, ANOTHER)
    assert isinstance(archive.sign_in(JANE, PASSWORD), Denied)
    with archive.store.database.read() as tx:
        assert officers.get(tx, jane.id) == gone
        assert officers.list_all(tx) == [archive.chief, gone]


def test_officers_are_found_by_id_and_by_email(archive):
    jane, _ = archive.jane()
    with archive.store.database.read() as tx:
        assert officers.get(tx, jane.id) == officers.find(tx, " JANE@town.example") == jane
        with pytest.raises(NoSuchOfficer):
            officers.get(tx, uuid4())
        with pytest.raises(NoSuchOfficer):
            officers.find(tx, "joe@town.example")


# -- passwords -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password", ["passwordpassword", "PasswordPassword", "correct horse battery staple", " 123456789012"]
)
def test_a_password_that_everybody_tries_is_refused(password):
    with pytest.raises(PasswordNotAccepted, match="first that anybody would try"):
        accepted(password)


@pytest.mark.parametrize("password", [JANE, "JANE@Town.example", "town police dept"])
def test_a_password_that_the_account_itself_suggests_is_refused(password):
    with pytest.raises(PasswordNotAccepted):
        accepted(password, about=[JANE, "Town Police Dept"])


def test_an_account_refuses_its_own_email_as_password(archive):
    with pytest.raises(PasswordNotAccepted):
        archive.do(officers.accept, archive.invite().secret, JANE)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=SHORTEST - 1))
def test_a_short_password_is_refused_whatever_it_is_made_of(password):
    with pytest.raises(PasswordNotAccepted, match="at least 12"):
        accepted(password)


@pytest.mark.parametrize(
    "password", ["road road road", "мой пароль длинный", "            .", "夜" * 12, "p" * 1024]
)
def test_any_long_password_is_accepted_whatever_it_is_made_of(password):
    assert accepted(password) == password


@pytest.mark.parametrize("password", ["p" * 1025, "half a character \ud800"])
def test_what_cannot_be_typed_is_no_password(password):
    with pytest.raises(PasswordNotAccepted):
        accepted(password)


def test_the_commonest_passwords_are_long_enough_to_be_worth_listing():
    assert len(_COMMONEST) > 60
    assert [word for word in _COMMONEST if len(word) < SHORTEST] == []


def test_a_password_is_hashed_as_rfc_9106_recommends_for_little_memory():
    assert AS_SHIPPED.hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_matches_only_itself():
    kept = hashed(PASSWORD)
    assert matches(kept, PASSWORD)
    for wrong in (PASSWORD.upper(), PASSWORD + " ", "", "\ud800", "p" * 100_000):
        assert not matches(kept, wrong)
    assert not matches(None, PASSWORD)


def test_two_keyboards_that_write_one_character_differently_agree():
    assert matches(hashed("cafe\u0301 on the corner"), "caf\u00e9 on the corner")


def test_a_hash_of_no_known_form_is_said_to_be_broken():
    with pytest.raises(PasswordUnreadable):
        matches("md5:900150983cd24fb0d6963f7d28e17f72", PASSWORD)


def test_a_generated_password_is_accepted_and_never_the_same():
    assert len({accepted(generated()) for _ in range(50)}) == 50


def test_a_password_hashed_with_older_parameters_is_hashed_anew_at_the_next_sign_in(archive):
    jane, _ = archive.jane()
    old = PasswordHasher(time_cost=2, memory_cost=128, parallelism=1).hash(PASSWORD)
    kept = select(officer_rows.c.password).where(officer_rows.c.id == jane.id.bytes)
    with archive.store.database.begin() as tx:
        tx.execute(update(officer_rows).where(officer_rows.c.id == jane.id.bytes).values(password=old))
    archive.signed_in(JANE, PASSWORD)
    with archive.store.database.read() as tx:
        new = tx.execute(kept).scalar_one()
    assert new != old
    assert not passwords.outdated(new)
    archive.signed_in(JANE, PASSWORD)
    with archive.store.database.read() as tx:
        assert tx.execute(kept).scalar_one() == new


def test_a_new_password_ends_every_session_but_the_one_it_was_set_in(archive):
    jane, token = archive.jane()
    elsewhere, here = (archive.signed_in(JANE, PASSWORD).token for _ in range(2))
    archive.do(officers.set_password, jane, ANOTHER, by=jane, why="yearly", keep=here)
    assert archive.do(officers.session, here) == archive.do(officers.token, token) == jane
    with pytest.raises(NotSignedIn):
        archive.do(officers.session, elsewhere)
    assert isinstance(archive.sign_in(JANE, PASSWORD), Denied)
    archive.signed_in(JANE, ANOTHER)


def test_nobody_chooses_anothers_password(archive):
    jane, _ = archive.jane()
    with pytest.raises(NotPermitted):
        archive.do(officers.set_password, jane, ANOTHER, by=archive.chief, why="helping")
    archive.signed_in(JANE, PASSWORD)


def test_who_was_shut_out_a_moment_ago_sets_no_password(archive):
    jane, _ = archive.jane()
    archive.do(officers.deactivate, jane, by=archive.chief, why="left")
    with pytest.raises(NotPermitted):
        archive.do(officers.set_password, jane, ANOTHER, by=jane, why="quickly")


# -- signing in ------------------------------------------------------------------------------------------------


def test_a_session_says_whose_it_is_until_it_is_signed_out(archive):
    signed_in = archive.signed_in(CHIEF, archive.password)
    assert archive.do(officers.session, signed_in.token) == archive.chief
    archive.do(officers.sign_out, signed_in.token)
    archive.do(officers.sign_out, signed_in.token)  # once more is harmless
    with pytest.raises(NotSignedIn):
        archive.do(officers.session, signed_in.token)


def test_a_token_is_not_ended_by_signing_out(archive):
    archive.do(officers.sign_out, archive.token)
    assert archive.do(officers.token, archive.token) == archive.chief


def test_a_session_ends_after_an_hour_without_use(archive):
    token = archive.signed_in(CHIEF, archive.password).token
    for _ in range(3):
        archive.later(minutes=59, seconds=59)
        archive.do(officers.session, token)
    archive.later(minutes=60)
    with pytest.raises(NotSignedIn):
        archive.do(officers.session, token)


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(archive):
    signed_in = archive.signed_in(CHIEF, archive.password)
    assert signed_in.until == NOON + timedelta(hours=12)
    for _ in range(24):
        archive.do(officers.session, signed_in.token)
        archive.later(minutes=30)
    with pytest.raises(NotSignedIn):
        archive.do(officers.session, signed_in.token)


def test_a_session_is_read_without_writing_and_says_when_it_should_be_written(archive):
    token = archive.signed_in(CHIEF, archive.password).token
    for minutes, due in ((0.5, False), (40, True)):
        archive.later(minutes=minutes)
        with archive.store.database.read() as tx:
            assert officers.session(archive.store, tx, token) == archive.chief
            assert officers.slide_due(archive.store, tx, token) is due
    archive.do(officers.session, token)
    archive.later(minutes=40)
    with archive.store.database.read() as tx:
        assert officers.session(archive.store, tx, token) == archive.chief
        assert officers.slide_due(archive.store, tx, "no session") is False


def test_an_unknown_email_and_a_wrong_password_get_the_same_answer(archive):
    archive.jane()
    archive.invite("joe@town.example")
    archive.do(
        officers.deactivate,
        archive.do(officers.accept, archive.invite("kim@town.example").secret, PASSWORD)[0],
        by=archive.chief,
        why="left",
    )
    answers = set()
    for email in (
        JANE,
        "joe@town.example",
        "kim@town.example",
        "nobody@town.example",
        "no e-mail \ud800",
        "",
    ):
        outcome = archive.sign_in(email, ANOTHER)
        assert isinstance(outcome, Denied)
        answers.add((type(outcome.error), str(outcome.error), outcome.error.next))
    assert len(answers) == 1
    assert answers.pop()[0] is WrongPassword


def test_an_unknown_email_costs_the_same_work(archive, monkeypatch):
    """Counted, not timed: each sign-in that is not held back hashes exactly once."""
    verified: list[str] = []
    real = PasswordHasher.verify

    def verify(hasher: PasswordHasher, kept: str, password: bytes) -> bool:
        verified.append(kept)
        return real(hasher, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    archive.invite()
    for email in (CHIEF, JANE, "nobody@town.example"):
        archive.sign_in(email, "not the password")
    parameters = [kept.rpartition("$")[0].rpartition("$")[0] for kept in verified]
    assert len(parameters) == 3
    assert len(set(parameters)) == 1


def test_after_five_failures_even_the_right_password_has_to_wait(archive):
    for _ in range(5):
        outcome = archive.sign_in(CHIEF, "not the password", address=None)
        assert isinstance(outcome, Denied)
        assert isinstance(outcome.error, WrongPassword)
    archive.later(minutes=5)
    held = archive.sign_in(CHIEF, archive.password, address=None)
    assert isinstance(held, Denied)
    assert isinstance(held.error, TooManyTries)
    assert held.error.after == timedelta(minutes=10)
    assert held.error.next == "Try again in 10 minutes."
    archive.later(minutes=10)
    assert isinstance(archive.sign_in(CHIEF, archive.password, address=None), SignedIn)


def test_an_email_that_nobody_has_is_held_back_alike(archive):
    outcomes = [archive.sign_in("nobody@town.example", "guess", address=None) for _ in range(6)]
    assert [type(outcome.error) for outcome in outcomes] == [WrongPassword] * 5 + [TooManyTries]


def test_one_who_is_held_back_does_not_hold_back_another(archive):
    archive.jane()
    for _ in range(6):
        archive.sign_in(JANE, "not the password", address=None)
    assert isinstance(archive.sign_in(CHIEF, archive.password, address=None), SignedIn)


def test_waiting_is_not_made_longer_by_trying(archive):
    for _ in range(5):
        archive.sign_in(CHIEF, "not the password", address=None)
    for _ in range(14):
        archive.later(minutes=1)
        archive.sign_in(CHIEF, "not the password", address=None)
    archive.later(minutes=1)
    assert isinstance(archive.sign_in(CHIEF, archive.password, address=None), SignedIn)


def test_signing_in_forgives_the_account_but_not_the_address(archive):
    for _ in range(4):
        for _ in range(4):
            assert isinstance(archive.sign_in(CHIEF, "not the password"), Denied)
        assert isinstance(archive.sign_in(CHIEF, archive.password), SignedIn)
    for _ in range(4):  # four of the account's own, but the twentieth from here
        archive.sign_in(CHIEF, "not the password")
    held = archive.sign_in(CHIEF, archive.password)
    assert isinstance(held, Denied)
    assert isinstance(held.error, TooManyTries)
    assert isinstance(archive.sign_in(CHIEF, archive.password, address="192.0.2.8"), SignedIn)


@pytest.mark.parametrize(
    ("address", "neighbour"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1"),
        ("fe80::1%eth0", "fe80::2"),
        ("unix", "unix"),
    ],
)
def test_addresses_of_one_household_count_as_one(address, neighbour):
    assert neighbourhood(address) == neighbourhood(neighbour)


def test_addresses_of_two_households_count_as_two():
    assert neighbourhood("2001:db8:1:2::1") != neighbourhood("2001:db8:1:3::1")
    assert neighbourhood("192.0.2.7") != neighbourhood("192.0.2.8")


def test_what_is_counted_names_nobody(archive):
    archive.sign_in("nobody@town.example", "guess")
    with archive.store.database.read() as tx:
        subjects = [bytes(subject) for subject in tx.execute(select(tries.c.subject)).scalars()]
    assert len(subjects) == 2
    assert all(len(subject) == 32 and b"nobody" not in subject for subject in subjects)


def test_signing_in_and_out_and_being_denied_is_on_the_access_log(archive):
    archive.sign_in(CHIEF, "not the password")
    archive.sign_in("hunter2 in the wrong field", "x")
    archive.do(officers.sign_out, archive.signed_in(CHIEF, archive.password).token)
    log = archive.accesses()
    assert [(one.action, one.officer) for one in log] == [
        ("sign-in-denied", None),
        ("sign-in-denied", None),
        ("sign-in", archive.chief.id),
        ("sign-out", archive.chief.id),
    ]
    assert [one.detail.get("account") for one in log[:2]] == [archive.chief.id.hex, None]
    assert "hunter2" not in str(log)
    assert log[0].detail["address"] == HERE


def test_a_flood_of_tries_is_noted_once_and_does_not_fill_the_disk(archive):
    for number in range(60):
        archive.sign_in(f"guess-{number}@town.example", "guess")
    whys = [one.detail["why"] for one in archive.accesses()]
    assert whys == ["wrong password"] * 20 + ["too many tries"]
    assert archive.rows(tries) == 41


def test_a_denial_is_forgotten_when_the_door_does_not_commit(archive):
    """Why `Denied` is an answer and not an error: raised inside the transaction, it would undo its own count."""

    def raising() -> None:
        with archive.store.database.begin() as tx:
            outcome = officers.sign_in(archive.store, tx, CHIEF, "not the password", address=None)
            assert isinstance(outcome, Denied)
            raise outcome.error

    with pytest.raises(WrongPassword):
        raising()
    assert archive.rows(tries) == 0
    archive.sign_in(CHIEF, "not the password", address=None)
    assert archive.rows(tries) == 1


# -- tokens ----------------------------------------------------------------------------------------------------


def test_a_token_acts_as_its_officer_until_it_is_revoked(archive):
    jane, _ = archive.jane()
    issued = archive.do(officers.issue_token, jane, name="scanner", by=jane, why="new scanner")
    assert archive.do(officers.token, issued.secret) == jane
    assert officers.pass_id(issued.secret) == issued.id
    archive.do(officers.revoke, jane, issued.id, by=jane, why="sold")
    with pytest.raises(NotSignedIn):
        archive.do(officers.token, issued.secret)


def test_tokens_are_listed_by_name_without_their_secrets(archive):
    jane, token = archive.jane()
    archive.later(minutes=1)
    issued = archive.do(
        officers.issue_token, jane, name="scanner", by=jane, why="new", until=NOON + timedelta(days=1)
    )
    listed = archive.do(officers.tokens, jane)
    assert [(one.name, one.until) for one in listed] == [
        ("token of the invitation", None),
        ("scanner", NOON + timedelta(days=1)),
    ]
    assert {one.id for one in listed} == {officers.pass_id(token), issued.id}
    assert token not in str(listed)
    assert issued.secret not in f"{listed} {issued}"
    archive.later(days=1, minutes=-1)
    assert len(archive.do(officers.tokens, jane)) == 1
    with pytest.raises(NotSignedIn):
        archive.do(officers.token, issued.secret)


def test_an_administrator_revokes_anothers_token_and_nobody_else_does(archive):
    jane, token = archive.jane()
    joe, _ = archive.do(officers.accept, archive.invite("joe@town.example", Role.APPROVER).secret, PASSWORD)
    with pytest.raises(NotPermitted):
        archive.do(officers.revoke, jane, officers.pass_id(token), by=joe, why="spite")
    archive.do(officers.revoke, jane, officers.pass_id(token), by=archive.chief, why="found on a screen")
    with pytest.raises(NotSignedIn):
        archive.do(officers.token, token)


def test_a_token_is_revoked_only_from_its_own_officer(archive):
    jane, _ = archive.jane()
    with pytest.raises(NoSuchToken):
        archive.do(officers.revoke, jane, officers.pass_id(archive.token), by=jane, why="mistaken")
    assert archive.do(officers.token, archive.token) == archive.chief


def test_nobody_makes_a_token_for_somebody_else(archive):
    jane, _ = archive.jane()
    with pytest.raises(NotPermitted):
        archive.do(officers.issue_token, jane, name="mine now", by=archive.chief, why="curious")


@pytest.mark.parametrize(
    ("name", "until"), [(" ", None), ("a\nb", None), ("x" * 101, None), ("scanner", NOON)]
)
def test_a_token_has_a_name_and_an_end_to_come(archive, name, until):
    with pytest.raises(BadToken):
        archive.do(officers.issue_token, archive.chief, name=name, until=until, by=archive.chief, why="new")


# -- resets ----------------------------------------------------------------------------------------------------


def ask(archive: Archive, postbox, email: str, *, address: str | None = None) -> str:
    return archive.do(
        officers.ask_reset, postbox, email, base_url="https://archive.town.example", address=address
    )


def test_a_reset_link_opens_the_account_with_a_new_password_once(archive):
    jane, token = archive.jane()
    session = archive.signed_in(JANE, PASSWORD).token
    postbox = Postbox()
    ask(archive, postbox, " Jane@town.example")
    assert postbox.letters[0][0] == JANE
    secret = postbox.secret()
    assert archive.do(officers.reset, secret, ANOTHER) == jane
    with pytest.raises(NotSignedIn):
        archive.do(officers.session, session)
    assert archive.do(officers.token, token) == jane
    assert isinstance(archive.sign_in(JANE, PASSWORD), Denied)
    archive.signed_in(JANE, ANOTHER)
    with pytest.raises(ResetSpent):
        archive.do(officers.reset, secret, PASSWORD)


def test_everybody_who_asks_for_a_reset_is_told_the_same(archive):
    archive.invite("joe@town.example")  # never came in
    kim, _ = archive.do(officers.accept, archive.invite("kim@town.example").secret, PASSWORD)
    archive.do(officers.deactivate, kim, by=archive.chief, why="left")
    postbox = Postbox()
    emails = [CHIEF, "joe@town.example", "kim@town.example", "nobody@town.example", "no e-mail \ud800"]
    assert {ask(archive, postbox, email) for email in emails} == {officers.RESET_ANSWER}
    assert [to for to, _, _ in postbox.letters] == [CHIEF]
    assert [one.action for one in archive.accesses()] == ["reset-asked"] * 5


def test_a_mail_server_that_is_down_is_noted_and_changes_no_answer(archive):
    postbox = Postbox(down=True)
    assert (
        ask(archive, postbox, CHIEF) == ask(archive, postbox, "nobody@town.example") == officers.RESET_ANSWER
    )
    actions = [(one.action, one.detail.get("account")) for one in archive.accesses()]
    assert ("reset-unsent", archive.chief.id.hex) in actions


@pytest.mark.parametrize("email", [CHIEF, "nobody@town.example"])
def test_without_a_mail_server_everybody_is_sent_to_an_administrator(archive, email):
    with pytest.raises(MailNotSent):
        ask(archive, NoMail(), email)


def test_no_more_than_three_links_an_hour_are_mailed(archive):
    postbox = Postbox()
    for _ in range(5):
        assert ask(archive, postbox, CHIEF) == officers.RESET_ANSWER
    assert len(postbox.letters) == 3
    archive.later(hours=1)
    ask(archive, postbox, CHIEF)
    assert len(postbox.letters) == 4


def test_one_address_does_not_ask_for_everybodys_link(archive):
    postbox = Postbox()
    for number in range(20):
        ask(archive, postbox, f"guess-{number}@town.example", address=HERE)
    ask(archive, postbox, CHIEF, address=HERE)
    assert postbox.letters == []
    ask(archive, postbox, CHIEF, address="192.0.2.8")
    assert len(postbox.letters) == 1


def test_a_reset_link_works_for_half_an_hour(archive):
    secret = archive.do(officers.make_reset, archive.chief, by=archive.chief, why="forgot it")
    archive.later(minutes=30)
    with pytest.raises(ResetSpent):
        archive.do(officers.reset, secret, ANOTHER)
    archive.later(seconds=-1)
    archive.do(officers.reset, secret, ANOTHER)


def test_a_reset_ends_the_other_links_and_forgives_failed_tries(archive):
    one, other = (
        archive.do(officers.make_reset, archive.chief, by=archive.chief, why="forgot it") for _ in range(2)
    )
    for _ in range(5):
        archive.sign_in(CHIEF, "not the password", address=None)
    archive.do(officers.reset, one, ANOTHER)
    with pytest.raises(ResetSpent):
        archive.do(officers.reset, other, PASSWORD)
    assert isinstance(archive.sign_in(CHIEF, ANOTHER, address=None), SignedIn)


def test_a_refused_password_does_not_spend_the_link(archive):
    secret = archive.do(officers.make_reset, archive.chief, by=archive.chief, why="forgot it")
    with pytest.raises(PasswordNotAccepted):
        archive.do(officers.reset, secret, CHIEF)
    archive.do(officers.reset, secret, ANOTHER)


def test_an_account_that_nobody_uses_gets_no_reset_link(archive):
    invited = archive.invite().officer
    with pytest.raises(AccountNotInUse):
        archive.do(officers.make_reset, invited, by=archive.chief, why="impatient")


# -- sweeping, and many at once --------------------------------------------------------------------------------


def test_sweeping_discards_what_has_run_out_and_nothing_else(archive):
    archive.jane()
    archive.invite("joe@town.example")
    archive.signed_in(CHIEF, archive.password)
    archive.sign_in(CHIEF, "not the password")
    before = archive.rows(passes)
    assert archive.do(officers.sweep_passes) == 0
    archive.later(days=7, seconds=1)
    assert archive.do(officers.sweep_passes) == 3  # two invitations, one session
    assert archive.rows(passes) == before - 3
    assert archive.do(officers.token, archive.token) == archive.chief
    assert archive.do(officers.sweep_tries) == 2
    assert archive.rows(tries) == 0


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """What each call gave or raised, all begun together."""

    def outcome(call: Callable[[], object]) -> object:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - handed back to be looked at
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))


def test_guesses_sent_at_one_moment_are_counted_one_after_the_other(any_archive):
    guess = lambda: any_archive.sign_in(CHIEF, "not the password", address=None)  # noqa: E731 - one guess, sent often
    errors = [outcome.error for outcome in at_once([guess] * 8) if isinstance(outcome, Denied)]
    assert sorted(type(error).__name__ for error in errors) == ["TooManyTries"] * 3 + ["WrongPassword"] * 5


def test_an_invitation_opened_twice_at_one_moment_lets_one_in(any_archive):
    secret = any_archive.invite().secret
    outcomes = at_once([lambda: any_archive.do(officers.accept, secret, PASSWORD)] * 4)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Accepted"] + ["InvitationSpent"] * 3


def test_two_administrators_cannot_shut_each_other_out_at_one_moment(any_archive):
    jane, _ = any_archive.jane(Role.ADMINISTRATOR)
    chief = any_archive.chief
    outcomes = at_once(
        [
            lambda: any_archive.do(officers.deactivate, chief, by=jane, why="a quarrel"),
            lambda: any_archive.do(officers.deactivate, jane, by=chief, why="a quarrel"),
        ]
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastAdministrator", "Officer"]
