"""How pages are connected: links, the way to the platform and back, renewals, and secrets that show nowhere."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import select

from app.capture import applications, connecting, credentials, pages
from app.capture.applications import NoApplication
from app.capture.connecting import (
    Connected,
    Desk,
    FieldMissing,
    LinkSpent,
    NotConnectable,
    PlatformUnreachable,
    SignInDeclined,
    SignInNotOurs,
)
from app.capture.credentials import BadCredentials, Held, Living, Terms
from app.capture.renewing import Renewing, finish_all
from app.db import migrate
from app.records.clock import FixedClock
from app.records.errors import Refused
from app.records.nouns import Page
from app.settings import BadSetting
from app.store import Store, fixity
from app.store.tables import connect_links, connect_visits, renewals
from app.store.tables import pages as page_rows
from connectors.contract import ByHand, Field, Finding, Manifest, OAuth2, SignIn
from connectors.errors import AccessRevoked, AddressRefused, TryAgainLater, UnexpectedResponse
from connectors.http import EvidenceClient
from connectors.tokens import TokenClient
from tests.connectors.worlds.authorisation_world import OAUTH1, OAUTH2, AuthorisationWorld, Trouble

HERE = "http://archive.town.example"
BROWSER = "the manager's browser"
OFFICER = uuid4()
PASSWORD = "b7!kept-apart-from-everything"
BY_HAND = ByHand(
    fields=(
        Field(name="user", title="User name", shown=True),
        Field(name="application_password", title="Application password"),
        Field(name="note", title="Note", required=False),
    ),
    steps=("Make an application password.",),
)


@pytest.fixture
def world() -> Iterator[AuthorisationWorld]:
    with AuthorisationWorld() as made:
        yield made


class Works:
    """A desk over one kind of page, with what its connector's check says."""

    def __init__(self, store: Store, origin: str, sign_in: SignIn | None, apps: Path | None = None) -> None:
        self.store, self.findings = store, list[Finding]()
        self.manifest = Manifest(
            name="notices",
            title="Notices",
            platform="noticeboard",
            route="api",
            captures={"posts": "every one"},
            sign_in=sign_in,
        )
        self.asks = TokenClient(version="0", allow_hosts=["127.0.0.1"])
        self.desk = Desk(
            store=store,
            asks=self.asks,
            manifest_of=lambda _name: self.manifest,
            check=lambda _page: self.findings,
            public_url=HERE,
            apps_file=apps,
        )
        with store.database.begin() as tx:
            self.page = pages.add(
                store,
                tx,
                connector="notices",
                platform="noticeboard",
                address=f"{origin}/@police",
                name="Police notices",
                by=None,
                why="ours",
            )

    def invite(self, email: str = "manager@town.example") -> str:
        return self.desk.invite(self.page, email, by=OFFICER, why="council decision 7").secret

    def connect(self, world: AuthorisationWorld) -> Connected:
        address = self.desk.leave(self.invite(), browser=BROWSER)
        return self.desk.back(world.permit(address), browser=BROWSER)

    def held(self) -> Held:
        with self.store.database.read() as tx:
            found = credentials.held(self.store, tx, self.page)
        assert found is not None
        return found

    def secret(self) -> dict[str, str] | None:
        with self.store.database.read() as tx:
            return pages.credentials(self.store, tx, self.page)

    def connection(self) -> credentials.Connection:
        with self.store.database.read() as tx:
            found = credentials.connection(self.store, tx, self.page)
        assert found is not None
        return found

    def now(self) -> Page:
        with self.store.database.read() as tx:
            return pages.get(tx, str(self.page.id))

    def renewing(self, **more: Any) -> Renewing:
        given: dict[str, Any] = {
            "store": self.store,
            "page": self.page,
            "sign_in": OAUTH2,
            "asks": self.asks,
            "wait": lambda _pause: None,
        }
        return Renewing(**(given | more))

    def acts(self) -> list[tuple[str, Mapping[str, Any], UUID | None, str]]:
        with self.store.database.read() as tx:
            told = self.store.ledger.acts(tx, subject=self.page.id)
            bodies = [json.loads(self.store.ledger.entry(tx, one.entry))["act"] for one in told]
        return [(act, one.detail, one.officer, one.why) for act, one in zip(bodies, told, strict=True)]


@pytest.fixture
def by_hand(store: Store) -> Works:
    return Works(store, "https://town.example", BY_HAND)


@pytest.fixture
def oauth(store: Store, world: AuthorisationWorld) -> Works:
    return Works(store, world.origin, OAUTH2)


GIVEN = {"user": "archive", "application_password": PASSWORD}


# -- what is known of credentials --------------------------------------------------------------------------


def test_a_page_says_since_when_by_whom_and_until_when_it_is_connected_and_no_more(
    by_hand: Works, clock: FixedClock
):
    until = clock.now() + timedelta(days=30)
    with by_hand.store.database.begin() as tx:
        pages.connect(
            by_hand.store, tx, by_hand.page, GIVEN, by=OFFICER, why="ours", terms=Terms(stated_until=until)
        )
    told = by_hand.connection()
    assert (told.since, told.officer, told.until, told.owner) == (clock.now(), OFFICER, until, None)
    assert PASSWORD not in repr(told)
    assert by_hand.secret() == GIVEN
    assert PASSWORD not in repr(by_hand.held())


@pytest.mark.parametrize(
    "secret", [{}, {"password": ""}, {"password": "short"}, {"password": 12345678}, {"a": None}]
)
def test_credentials_that_could_not_be_replaced_in_evidence_are_refused(
    by_hand: Works, secret: dict[str, Any]
):
    with pytest.raises(BadCredentials), by_hand.store.database.begin() as tx:
        pages.connect(by_hand.store, tx, by_hand.page, secret, by=OFFICER, why="ours")
    assert by_hand.secret() is None


def test_a_paused_page_stays_paused_when_it_is_connected_and_a_disconnected_one_is_captured_again(
    by_hand: Works,
):
    store = by_hand.store
    with store.database.begin() as tx:
        page = pages.disconnect(store, tx, by_hand.page, by=None, why="it said 401")
        assert page.status == pages.DISCONNECTED
        assert pages.connect(store, tx, page, GIVEN, by=OFFICER, why="ours").status == pages.ACTIVE
        paused = pages.pause(store, tx, by_hand.now(), by=OFFICER, why="moving")
        assert pages.connect(store, tx, paused, GIVEN, by=OFFICER, why="ours").status == pages.PAUSED


def test_that_a_page_is_disconnected_is_written_down_once(by_hand: Works):
    with by_hand.store.database.begin() as tx:
        page = pages.disconnect(by_hand.store, tx, by_hand.page, by=None, why="it said 401")
        pages.disconnect(by_hand.store, tx, page, by=None, why="it said 401")
    assert [act for act, *_ in by_hand.acts()] == ["disconnected", "added"]


def test_forgotten_credentials_are_gone_from_the_data_folder_and_their_links_open_nothing(
    by_hand: Works, home: Path
):
    link, store = by_hand.invite(), by_hand.store
    with store.database.begin() as tx:
        pages.connect(store, tx, by_hand.page, GIVEN, by=OFFICER, why="ours")
    with store.database.read() as tx:
        sealed = bytes(tx.execute(select(page_rows.c.sealed_secret)).scalar_one())
    assert any(sealed[:64] in file.read_bytes() for file in home.glob("archive.db*"))
    page, platform = by_hand.desk.forget(by_hand.now(), by=OFFICER, why="the officer left")
    assert (page.connected, platform) == (False, None)
    assert by_hand.secret() is None
    with pytest.raises(LinkSpent):
        by_hand.desk.opened(link)
    store.database.close()  # the last connection folds the write-ahead log into the file
    assert not any(sealed[:64] in file.read_bytes() for file in home.glob("archive.db*"))
    assert by_hand.acts()[0][0] == "forgotten"


def test_a_page_that_is_not_connected_has_nothing_to_forget(by_hand: Works):
    with pytest.raises(Refused):
        by_hand.desk.forget(by_hand.page, by=OFFICER, why="the officer left")


# -- when they end -----------------------------------------------------------------------------------------


def connected_until(works: Works, secret: Mapping[str, str] = GIVEN, **ends: Any) -> None:
    with works.store.database.begin() as tx:
        pages.connect(works.store, tx, works.page, secret, by=OFFICER, why="ours", terms=Terms(**ends))


def endings(works: Works) -> list[tuple[str, datetime]]:
    with works.store.database.read() as tx:
        return [(end.what, end.on) for end in credentials.ending(tx, works.store.clock.now())]


def test_an_end_that_an_officer_states_is_told_of_from_fourteen_days_before(
    by_hand: Works, clock: FixedClock
):
    ends = clock.now() + timedelta(days=15)
    connected_until(by_hand, stated_until=ends)
    assert endings(by_hand) == []
    clock.at += timedelta(days=1)
    assert endings(by_hand) == [("password or token", ends)]
    clock.at += timedelta(days=20)
    assert endings(by_hand) == [("password or token", ends)], "an end that has passed is still told of"


def test_an_access_token_that_renews_itself_is_nobodys_business_but_its_refresh_token_is(
    by_hand: Works, clock: FixedClock
):
    soon, later = clock.now() + timedelta(hours=2), clock.now() + timedelta(days=13)
    renews = {"access_token": "a" * 20, "refresh_token": "r" * 20}
    connected_until(by_hand, renews, access_until=soon)
    assert endings(by_hand) == []
    connected_until(by_hand, renews, access_until=soon, refresh_until=later)
    assert endings(by_hand) == [("permission", later)]
    connected_until(by_hand, {"access_token": "a" * 20}, access_until=soon)
    assert endings(by_hand) == [("token", soon)]


def test_an_end_can_be_stated_afterwards_for_a_connected_page_only(by_hand: Works, clock: FixedClock):
    until = clock.now() + timedelta(days=2)
    with pytest.raises(Refused), by_hand.store.database.begin() as tx:
        pages.state_end(by_hand.store, tx, by_hand.page, until, by=OFFICER, why="the platform says so")
    connected_until(by_hand)
    with by_hand.store.database.begin() as tx:
        pages.state_end(by_hand.store, tx, by_hand.now(), until, by=OFFICER, why="the platform says so")
    assert by_hand.connection().until == until
    assert by_hand.secret() == GIVEN


# -- links -------------------------------------------------------------------------------------------------


def test_a_link_connects_its_page_once_and_the_ledger_says_who_and_why(by_hand: Works, clock: FixedClock):
    link = by_hand.invite()
    opened = by_hand.desk.opened(link)
    assert (opened.page.id, opened.email, opened.why) == (
        by_hand.page.id,
        "manager@town.example",
        "council decision 7",
    )
    done = by_hand.desk.fill_in(link, GIVEN)
    assert done.page.connected
    assert by_hand.secret() == GIVEN
    act, detail, officer, why = by_hand.acts()[0]
    assert (act, officer, why) == ("connected", None, "council decision 7")
    assert detail["manager"] == "manager@town.example"
    assert PASSWORD not in json.dumps(by_hand.acts(), default=str)
    assert by_hand.connection().manager == "manager@town.example"
    with pytest.raises(LinkSpent, match="used already"):
        by_hand.desk.fill_in(link, GIVEN)
    with pytest.raises(LinkSpent, match="used already"):
        by_hand.desk.opened(link)


def test_a_link_that_has_run_out_opens_nothing_and_says_what_to_do(by_hand: Works, clock: FixedClock):
    link = by_hand.invite()
    clock.at += timedelta(days=7) - timedelta(seconds=1)
    assert by_hand.desk.opened(link).page.id == by_hand.page.id
    clock.at += timedelta(seconds=1)
    with pytest.raises(LinkSpent, match="run out") as spent:
        by_hand.desk.fill_in(link, GIVEN)
    assert "new one" in spent.value.next
    assert by_hand.secret() is None


def test_an_invented_link_opens_nothing(by_hand: Works):
    by_hand.invite()
    with pytest.raises(LinkSpent, match="never made"):
        by_hand.desk.opened("muniment-connect-invented")


def test_a_new_link_ends_the_one_before_it(by_hand: Works):
    first, second = by_hand.invite(), by_hand.invite()
    with pytest.raises(LinkSpent):
        by_hand.desk.opened(first)
    assert by_hand.desk.opened(second).page.id == by_hand.page.id


def test_only_the_digest_of_a_link_is_kept(by_hand: Works, home: Path):
    link = by_hand.invite()
    by_hand.store.database.close()
    assert not any(link.encode() in file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert not any(b"manager@town" in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_what_is_missing_is_named_and_the_link_stays_good(by_hand: Works):
    link = by_hand.invite()
    with pytest.raises(FieldMissing, match="Application password") as missing:
        by_hand.desk.fill_in(link, {"user": "archive-user-name"})
    assert "archive-user-name" not in str(missing.value)
    with pytest.raises(BadCredentials) as short:
        by_hand.desk.fill_in(link, {"user": "archive", "application_password": "sho-rt7"})
    assert "sho-rt7" not in str(short.value) + short.value.next
    assert by_hand.desk.fill_in(link, GIVEN | {"other": "dropped"}).page.connected
    assert by_hand.secret() == GIVEN


def test_a_check_shows_whose_credentials_they_are_and_what_is_missing(by_hand: Works):
    by_hand.findings = [
        Finding(what="Signed in as town-police", fine=True),
        Finding(what="comments that are held back", fine=False, remedy="Make the user an editor."),
    ]
    done = by_hand.desk.fill_in(by_hand.invite(), GIVEN)
    assert (done.owner, done.fine) == ("town-police", False)
    with by_hand.store.database.read() as tx:
        assert credentials.owner(by_hand.store, tx, by_hand.page) == "town-police"
    assert done.again is not None, "what was mistyped can be entered again"
    by_hand.findings = []
    assert by_hand.desk.fill_in(done.again.secret, GIVEN).again is None


def test_a_check_that_does_not_tell_names_nobody(by_hand: Works):
    by_hand.findings = [Finding(what="Signed in as nobody", fine=False, remedy="Sign in.")]
    assert by_hand.desk.fill_in(by_hand.invite(), GIVEN).owner is None


def test_a_page_whose_connector_asks_for_nothing_sends_nobody_a_link(store: Store):
    works = Works(store, "https://town.example", None)
    with pytest.raises(NotConnectable):
        works.invite()


def test_a_link_by_hand_leads_nowhere_and_one_of_the_platform_takes_no_fields(
    by_hand: Works, world: AuthorisationWorld
):
    with pytest.raises(NotConnectable):
        by_hand.desk.leave(by_hand.invite(), browser=BROWSER)
    by_hand.manifest = replace(by_hand.manifest, sign_in=OAUTH2)
    with pytest.raises(NotConnectable):
        by_hand.desk.fill_in(by_hand.invite(), GIVEN)


# -- OAuth 2: there and back -------------------------------------------------------------------------------


def test_a_manager_permits_the_archive_at_a_server_that_registers_it_by_itself(
    oauth: Works, world: AuthorisationWorld, clock: FixedClock
):
    done = oauth.connect(world)
    secret = oauth.secret()
    assert secret is not None
    assert secret["access_token"] in world.given
    assert secret["refresh_token"] in world.living
    assert done.fine
    assert oauth.connection().scopes == OAUTH2.scopes
    assert oauth.held().access_until == clock.now() + timedelta(hours=2)
    register, exchange = world.asked
    assert register[0] == "/api/v1/apps"
    assert exchange[1]["redirect_uri"] == f"{HERE}/connect/back"


def test_a_server_registers_an_archive_once(oauth: Works, world: AuthorisationWorld):
    oauth.connect(world)
    oauth.connect(world)
    assert [path for path, _ in world.asked].count("/api/v1/apps") == 1
    assert len(world.clients) == 1


def leave(works: Works, world: AuthorisationWorld, **more: Any) -> dict[str, str]:
    return world.permit(works.desk.leave(works.invite(), browser=BROWSER), **more)


def test_an_answer_works_once(oauth: Works, world: AuthorisationWorld):
    brought = leave(oauth, world)
    oauth.desk.back(brought, browser=BROWSER)
    with pytest.raises(SignInNotOurs):
        oauth.desk.back(brought, browser=BROWSER)


def test_a_forged_state_is_nobodys(oauth: Works, world: AuthorisationWorld):
    brought = leave(oauth, world)
    for state in ("forged", "", brought["code"]):
        with pytest.raises(SignInNotOurs):
            oauth.desk.back(brought | {"state": state}, browser=BROWSER)
    assert oauth.secret() is None
    assert oauth.desk.back(brought, browser=BROWSER).page.connected


def test_an_answer_that_another_browser_brings_is_not_taken(oauth: Works, world: AuthorisationWorld):
    brought = leave(oauth, world)
    with pytest.raises(SignInNotOurs):
        oauth.desk.back(brought, browser="somebody else's")
    assert oauth.desk.back(brought, browser=BROWSER).page.connected


def test_an_answer_after_half_an_hour_is_too_late(oauth: Works, world: AuthorisationWorld, clock: FixedClock):
    brought = leave(oauth, world)
    clock.at += timedelta(minutes=30)
    with pytest.raises(SignInNotOurs):
        oauth.desk.back(brought, browser=BROWSER)


@pytest.mark.parametrize(("issuer", "taken"), [("here", True), ("http://127.0.0.1:1", False), ("", False)])
def test_the_server_that_answers_must_be_the_one_that_was_asked(
    oauth: Works, world: AuthorisationWorld, issuer: str, taken: bool
):
    brought = leave(oauth, world, issuer=world.origin if issuer == "here" else issuer)
    if taken:
        assert oauth.desk.back(brought, browser=BROWSER).page.connected
    else:
        with pytest.raises(SignInNotOurs, match="another server"):
            oauth.desk.back(brought, browser=BROWSER)
        assert [path for path, _ in world.asked].count("/oauth/token") == 0, "the code went to nobody"


def test_a_code_of_another_visit_is_refused_by_its_verifier(oauth: Works, world: AuthorisationWorld):
    stolen = leave(oauth, world)["code"]
    brought = leave(oauth, world)
    with pytest.raises(SignInDeclined, match="invalid_grant"):
        oauth.desk.back(brought | {"code": stolen}, browser=BROWSER)
    assert oauth.secret() is None


def test_who_declines_at_the_platform_can_open_the_link_again(oauth: Works, world: AuthorisationWorld):
    link = oauth.invite()
    brought = world.permit(oauth.desk.leave(link, browser=BROWSER))
    with pytest.raises(SignInDeclined, match="access_denied"):
        oauth.desk.back({"state": brought["state"], "error": "access_denied"}, browser=BROWSER)
    again = world.permit(oauth.desk.leave(link, browser=BROWSER))
    assert oauth.desk.back(again, browser=BROWSER).page.connected
    with pytest.raises(LinkSpent):
        oauth.desk.leave(link, browser=BROWSER)


def test_of_two_visits_with_one_link_the_first_to_come_back_connects(oauth: Works, world: AuthorisationWorld):
    link = oauth.invite()
    first = world.permit(oauth.desk.leave(link, browser=BROWSER))
    second = world.permit(oauth.desk.leave(link, browser=BROWSER))
    kept = oauth.desk.back(second, browser=BROWSER)
    assert kept.page.connected
    with pytest.raises(LinkSpent):
        oauth.desk.back(first, browser=BROWSER)


def test_what_was_not_permitted_is_told_with_its_remedy(oauth: Works, world: AuthorisationWorld):
    world.granted = "read:statuses"
    done = oauth.connect(world)
    assert [finding.what for finding in done.findings] == ["read:notifications was not permitted"]
    assert "again" in done.findings[0].remedy
    assert oauth.connection().scopes == ("read:statuses",)


def test_a_platform_that_does_not_answer_leaves_the_link_good(oauth: Works, world: AuthorisationWorld):
    link = oauth.invite()
    world.trouble.lose_answer = True
    with pytest.raises(PlatformUnreachable):
        oauth.desk.leave(link, browser=BROWSER)
    world.trouble.lose_answer = False
    world.trouble.down = True
    with pytest.raises(NoApplication):
        oauth.desk.leave(link, browser=BROWSER)
    world.trouble.down = False
    assert oauth.desk.leave(link, browser=BROWSER)


# -- OAuth 2: the operator's application -------------------------------------------------------------------

OPERATORS = OAuth2(
    authorise_at="{origin}/oauth/authorise",
    token_at="{origin}/oauth/token",
    revoke_at="{origin}/oauth/revoke",
    scopes=("read",),
)


def apps(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "apps.toml"
    file.write_text(text)
    return file


def test_without_the_operators_application_nobody_is_sent_a_link(store: Store, world: AuthorisationWorld):
    works = Works(store, world.origin, OPERATORS)
    with pytest.raises(NoApplication) as missing:
        works.invite()
    assert "[notices]" in missing.value.next
    assert f"{HERE}/connect/back" in missing.value.next


@pytest.mark.parametrize("basic", [False, True])
def test_the_operators_application_is_used_in_the_way_that_the_platform_wants(
    store: Store, world: AuthorisationWorld, tmp_path: Path, basic: bool
):
    name, secret = world.client()
    file = apps(tmp_path, f'[notices]\nclient_id = "{name}"\nclient_secret = "{secret}"\n')
    works = Works(store, world.origin, OPERATORS, file)
    world.trouble.basic_only = basic
    works.connect(world)
    before = works.held()
    asked = len(world.asked)
    assert works.renewing(sign_in=OPERATORS)(before).number != before.number
    assert len(world.asked) == asked + 1, "how the secret is shown is remembered"


def test_an_application_that_the_platform_does_not_know_is_the_operators_business(
    store: Store, world: AuthorisationWorld, tmp_path: Path
):
    name, _ = world.client()
    works = Works(
        store,
        world.origin,
        OPERATORS,
        apps(tmp_path, json.dumps({"notices": {"client_id": name, "client_secret": "wrong-secret"}})),
    )
    with pytest.raises(NoApplication) as refused:
        works.connect(world)
    assert "MUNIMENT_APPS_FILE" in refused.value.next
    assert "wrong-secret" not in str(refused.value) + refused.value.next


@pytest.mark.parametrize(
    "text",
    [
        "[notices",
        '{"notices": "kept-secret-1"}',
        '[notices]\nclient_secret = "kept-secret-1"',
        '[notices]\nclient_id = "x"\nsecret = "kept-secret-1"',
        '[notices]\nclient_id = "x"\nauthenticate = "kept-secret-1"',
        "[notices]\nclient_id = 5",
        '[notices]\nclient_id = "x"\nclient_secret = "short"',
    ],
)
def test_a_file_that_cannot_be_read_is_refused_without_repeating_it(tmp_path: Path, text: str):
    with pytest.raises(BadSetting) as bad:
        applications.read(apps(tmp_path, text))
    assert "kept-secret-1" not in str(bad.value) + bad.value.next


def test_no_file_names_no_application_and_one_that_is_not_there_is_said(tmp_path: Path):
    assert applications.read(None) == {}
    with pytest.raises(BadSetting, match="cannot be read"):
        applications.read(tmp_path / "missing.toml")


def test_forgetting_ends_the_permission_at_the_platform(oauth: Works, world: AuthorisationWorld):
    oauth.connect(world)
    refresh = oauth.held().secret["refresh_token"]
    _, ended = oauth.desk.forget(oauth.now(), by=OFFICER, why="the officer left")
    assert ended is not None
    assert ended.fine
    assert world.revoked == [refresh]


def test_where_the_platform_does_not_answer_the_credentials_are_destroyed_all_the_same(
    oauth: Works, world: AuthorisationWorld
):
    oauth.connect(world)
    world.trouble.down = True
    _, ended = oauth.desk.forget(oauth.now(), by=OFFICER, why="the officer left")
    assert ended is not None
    assert not ended.fine
    assert "by hand" in ended.remedy
    assert oauth.secret() is None


# -- OAuth 1.0a --------------------------------------------------------------------------------------------


@pytest.fixture
def oauth1(store: Store, world: AuthorisationWorld, tmp_path: Path) -> Works:
    name, secret = world.client()
    file = apps(tmp_path, f'[notices]\nclient_id = "{name}"\nclient_secret = "{secret}"\n')
    return Works(store, world.origin, OAUTH1, file)


def test_a_manager_permits_the_archive_in_three_steps(oauth1: Works, world: AuthorisationWorld):
    address = oauth1.desk.leave(oauth1.invite(), browser=BROWSER)
    assert "perms=read" in address
    brought = world.permit(address)
    assert oauth1.desk.back(brought, browser=BROWSER).page.connected
    secret = oauth1.secret()
    assert secret is not None
    assert set(secret) == {"consumer_key", "consumer_secret", "token", "token_secret"}
    assert secret["token_secret"] in world.given
    with pytest.raises(SignInNotOurs):
        oauth1.desk.back(brought, browser=BROWSER)


def test_a_forged_verifier_and_another_browser_are_refused(oauth1: Works, world: AuthorisationWorld):
    brought = leave(oauth1, world)
    with pytest.raises(SignInNotOurs):
        oauth1.desk.back(brought, browser="somebody else's")
    with pytest.raises(SignInDeclined):
        oauth1.desk.back(brought | {"oauth_verifier": "forged"}, browser=BROWSER)
    assert oauth1.secret() is None


def test_who_declines_in_the_older_manner_is_understood(oauth1: Works, world: AuthorisationWorld):
    brought = leave(oauth1, world)
    with pytest.raises(SignInDeclined):
        oauth1.desk.back({"denied": brought["oauth_token"]}, browser=BROWSER)


# -- renewing ----------------------------------------------------------------------------------------------


def told() -> tuple[list[tuple[str, str]], Any]:
    heard: list[tuple[str, str]] = []
    return heard, lambda name, value: heard.append((name, value))


def test_a_token_is_renewed_shortly_before_it_ends_and_the_client_knows_it_first(
    oauth: Works, world: AuthorisationWorld, clock: FixedClock
):
    oauth.connect(world)
    living = Living(oauth.held(), oauth.renewing(), clock.now)
    heard, tell = told()
    living.wake(tell)
    first = living["access_token"]
    clock.at += timedelta(hours=2) - timedelta(minutes=5, seconds=1)
    assert living["access_token"] == first
    assert heard == []
    clock.at += timedelta(seconds=1)
    second = living["access_token"]
    assert second != first
    assert ("access_token", second) in heard
    assert ("refresh_token", living["refresh_token"]) in heard
    assert oauth.secret() == dict(living)
    assert second not in repr(living)


def test_a_token_of_a_short_life_is_used_for_most_of_it(clock: FixedClock):
    held = Held({}, 1, clock.now(), clock.now() + timedelta(minutes=5))
    assert not held.due(clock.now() + timedelta(minutes=3, seconds=59))
    assert held.due(clock.now() + timedelta(minutes=4))
    assert not Held({}, 1, clock.now(), None).due(clock.now() + timedelta(days=1_000))


def test_before_the_client_listens_reading_renews_nothing(
    oauth: Works, world: AuthorisationWorld, clock: FixedClock
):
    oauth.connect(world)
    living = Living(oauth.held(), oauth.renewing(), clock.now)
    clock.at += timedelta(hours=3)
    asked = len(world.asked)
    assert living["access_token"] == living.standing()["access_token"]
    assert len(world.asked) == asked


def test_after_a_refusal_it_is_renewed_twice_a_run_and_no_more(
    oauth: Works, world: AuthorisationWorld, clock: FixedClock
):
    oauth.connect(world)
    living = Living(oauth.held(), oauth.renewing(), clock.now)
    _, tell = told()
    living.wake(tell)
    first = living["access_token"]
    assert credentials.renewed(living)
    second = living["access_token"]
    assert second != first
    assert credentials.renewed(living), "it may have ended before the run, and end in it"
    assert living["access_token"] not in (first, second)
    assert not credentials.renewed(living)
    assert not credentials.renewed({"access_token": first})
    assert not credentials.renewed(None)


def test_a_refresh_token_that_was_refused_is_shown_to_the_platform_no_more_in_that_run(
    oauth: Works, world: AuthorisationWorld, clock: FixedClock
):
    oauth.connect(world)
    living = Living(oauth.held(), oauth.renewing(), clock.now)
    _, tell = told()
    living.wake(tell)
    world.trouble.says = (400, "invalid_grant")
    clock.at += timedelta(hours=3)
    with pytest.raises(AccessRevoked):
        living["access_token"]
    asked = len(world.asked)
    assert not credentials.renewed(living)
    with pytest.raises(AccessRevoked):
        living["access_token"]
    assert len(world.asked) == asked
    assert oauth.now().status == pages.DISCONNECTED


def test_what_was_entered_anew_meanwhile_counts_as_renewed(by_hand: Works, clock: FixedClock):
    connected_until(by_hand)
    living = Living(by_hand.held(), by_hand.renewing(), clock.now)
    connected_until(by_hand, GIVEN | {"application_password": "another one entirely"})
    assert credentials.renewed(living)
    assert living["application_password"] == "another one entirely"


def test_what_cannot_be_renewed_is_not(by_hand: Works, clock: FixedClock):
    connected_until(by_hand)
    assert not credentials.renewed(Living(by_hand.held(), by_hand.renewing(), clock.now))


def test_two_who_renew_at_once_use_the_refresh_token_once(oauth: Works, world: AuthorisationWorld):
    oauth.connect(world)
    before, waits, done = oauth.held(), threading.Event(), threading.Event()
    world.trouble.before_answer = lambda: (waits.wait(5), None)[1]
    came: dict[str, Held] = {}

    def first() -> None:
        came["first"] = oauth.renewing(point=lambda name: under_way.set() if name == "before-use" else None)(
            before
        )
        done.set()

    def wait(_pause: timedelta) -> None:
        waits.set()
        assert done.wait(5)

    under_way = threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    assert under_way.wait(5)
    came["second"] = oauth.renewing(wait=wait)(before)
    thread.join()
    assert came["first"].secret == came["second"].secret == oauth.secret()
    assert [form.get("grant_type") for _, form in world.asked].count("refresh_token") == 1


def test_who_waits_in_vain_is_told_to_come_later(oauth: Works, world: AuthorisationWorld):
    oauth.connect(world)
    before = oauth.held()

    def point(name: str) -> None:
        if name == "before-use":
            with pytest.raises(TryAgainLater, match="Another process"):
                oauth.renewing()(before)

    assert oauth.renewing(point=point)(before).number != before.number


def test_a_refused_permission_disconnects_the_page_with_its_remedy(oauth: Works, world: AuthorisationWorld):
    oauth.connect(world)
    before = oauth.held()
    world.living.clear()
    with pytest.raises(AccessRevoked, match="--invite EMAIL"):
        oauth.renewing()(before)
    assert oauth.now().status == pages.DISCONNECTED
    act, _, _, why = oauth.acts()[0]
    assert act == "disconnected"
    assert "Police notices" in why
    assert before.secret["refresh_token"] not in why


def test_an_application_that_is_refused_disconnects_no_page(oauth: Works, world: AuthorisationWorld):
    oauth.connect(world)
    world.trouble.says = (401, "invalid_client")
    with pytest.raises(UnexpectedResponse, match="MUNIMENT_APPS_FILE"):
        oauth.renewing()(oauth.held())
    assert oauth.now().status == pages.ACTIVE
    world.trouble.says = None
    assert oauth.renewing()(oauth.held()).secret["access_token"] in world.given


@pytest.mark.parametrize("trouble", [Trouble(down=True), Trouble(says=(400, "temporarily_unavailable"))])
def test_a_server_that_is_down_disconnects_no_page(oauth: Works, world: AuthorisationWorld, trouble: Trouble):
    oauth.connect(world)
    before = oauth.held()
    world.trouble = trouble
    with pytest.raises(TryAgainLater):
        oauth.renewing()(before)
    assert oauth.now().status == pages.ACTIVE
    world.trouble = Trouble()
    assert oauth.renewing()(before).number != before.number


@pytest.mark.parametrize("grace", [True, False])
def test_an_answer_that_is_lost_on_the_way_is_asked_for_once_more(
    oauth: Works, world: AuthorisationWorld, grace: bool
):
    oauth.connect(world)
    before = oauth.held()
    world.grace, world.trouble.lose_answer = grace, True
    with pytest.raises(TryAgainLater):
        oauth.renewing()(before)
    assert oauth.now().status == pages.ACTIVE
    world.trouble.lose_answer = False
    if grace:
        assert oauth.renewing()(before).secret["access_token"] in world.given
    else:
        with pytest.raises(AccessRevoked, match="broken off"):
            oauth.renewing()(before)
        assert oauth.now().status == pages.DISCONNECTED


def test_while_a_token_still_opens_the_door_a_server_that_is_down_stops_nobody(
    oauth: Works, world: AuthorisationWorld, clock: FixedClock
):
    oauth.connect(world)
    living = Living(oauth.held(), oauth.renewing(), clock.now)
    _, tell = told()
    living.wake(tell)
    world.trouble.down = True
    clock.at += timedelta(hours=2) - timedelta(minutes=1)
    assert living["access_token"] == living.standing()["access_token"]
    clock.at += timedelta(minutes=1)
    with pytest.raises(TryAgainLater):
        living["access_token"]


def test_a_page_that_is_connected_anew_while_the_platform_is_asked_keeps_what_is_new(
    oauth: Works, world: AuthorisationWorld
):
    oauth.connect(world)
    before = oauth.held()

    def point(name: str) -> None:
        if name == "after-answer":
            connected_until(oauth, {"access_token": "entered meanwhile by hand"})

    after = oauth.renewing(point=point)(before)
    assert after.secret == oauth.secret() == {"access_token": "entered meanwhile by hand"}
    with oauth.store.database.read() as tx:
        assert tx.execute(select(renewals)).all() == []


def test_credentials_that_are_taken_back_while_the_platform_is_asked_stay_so(
    oauth: Works, world: AuthorisationWorld
):
    oauth.connect(world)

    def point(name: str) -> None:
        if name == "after-answer":
            with oauth.store.database.begin() as tx:
                pages.forget(oauth.store, tx, oauth.now(), by=OFFICER, why="the officer left")

    with pytest.raises(AccessRevoked, match="taken back"):
        oauth.renewing(point=point)(oauth.held())
    assert oauth.secret() is None


def test_renewals_that_were_left_open_are_finished_at_the_start(oauth: Works, world: AuthorisationWorld):
    oauth.connect(world)
    before = oauth.held()
    world.grace, world.trouble.lose_answer = True, True
    with pytest.raises(TryAgainLater):
        oauth.renewing()(before)
    assert [page.id for page in finish_all(oauth.store, lambda _page: oauth.renewing())] == [oauth.page.id]
    world.trouble.lose_answer = False
    assert finish_all(oauth.store, lambda _page: oauth.renewing()) == []
    assert oauth.held().number != before.number
    assert finish_all(oauth.store, lambda _page: oauth.renewing()) == []


def test_the_end_of_a_refresh_token_moves_with_it(oauth: Works, world: AuthorisationWorld, clock: FixedClock):
    world.refresh_lasts = 10 * 86_400
    oauth.connect(world)
    assert endings(oauth) == [("permission", clock.now() + timedelta(days=10))]
    clock.at += timedelta(days=3)
    oauth.renewing()(oauth.held())
    assert endings(oauth) == [("permission", clock.now() + timedelta(days=10))]


# -- on either database ------------------------------------------------------------------------------------


@pytest.fixture
def on_either(anywhere: Store, world: AuthorisationWorld) -> Works:
    return Works(anywhere, world.origin, OAUTH2)


def test_a_page_is_connected_renewed_refused_and_forgotten(on_either: Works, world: AuthorisationWorld):
    on_either.connect(world)
    before = on_either.held()
    after = on_either.renewing()(before)
    assert after.secret == on_either.secret()
    assert on_either.renewing()(before).number == after.number, "who comes late takes what is there"
    world.living.clear()
    with pytest.raises(AccessRevoked):
        on_either.renewing()(after)
    assert on_either.now().status == pages.DISCONNECTED
    on_either.connect(world)
    assert on_either.now().status == pages.ACTIVE
    on_either.desk.forget(on_either.now(), by=OFFICER, why="the officer left")
    assert on_either.secret() is None


def test_of_many_who_renew_at_once_one_uses_the_refresh_token(on_either: Works, world: AuthorisationWorld):
    on_either.connect(world)
    before, start, done = on_either.held(), threading.Barrier(4), threading.Event()
    came: list[Held] = []

    def renew() -> None:
        start.wait(10)
        came.append(on_either.renewing(wait=lambda _pause: (done.wait(10), None)[1])(before))
        done.set()

    threads = [threading.Thread(target=renew) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == 4
    assert {held.secret["refresh_token"] for held in came} <= world.living
    assert [form.get("grant_type") for _, form in world.asked].count("refresh_token") == 1


def test_a_page_that_was_connected_before_there_were_links_stays_connected(by_hand: Works, tmp_path: Path):
    connected_until(by_hand)
    with by_hand.store.database.begin() as tx:
        for table in ("applications", "connect_visits", "connect_links", "renewals", "connections"):
            tx.exec_driver_sql(f"DROP TABLE {table}")
        for revision in tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalars():
            assert revision >= "0003"
        script = ScriptDirectory.from_config(migrate._config(keyring=False))
        with Operations.context(MigrationContext.configure(tx)):
            script.get_revision("0003").module.upgrade()
    assert by_hand.secret() == GIVEN
    told = by_hand.connection()
    assert (told.how, told.owner, told.manager, told.until) == ("file", None, "", None)
    assert by_hand.now().connected


# -- the way to the platform -------------------------------------------------------------------------------


def test_credentials_are_told_to_no_private_address_and_over_no_plain_http(world: AuthorisationWorld):
    with pytest.raises(AddressRefused, match="plain http"):
        TokenClient(version="0").ask(f"{world.origin}/oauth/token", {"token": "x"})
    with pytest.raises(AddressRefused, match="not a public address"):
        TokenClient(version="0").ask("https://127.0.0.1/oauth/token", {"token": "x"})
    assert world.asked == []


def test_a_server_that_is_not_there_is_told_from_one_that_refuses(world: AuthorisationWorld):
    client = TokenClient(version="0", allow_hosts=["127.0.0.1"])
    assert client.ask(f"{world.origin}/nowhere", {}).status == 404
    with pytest.raises(TryAgainLater):
        client.ask("http://127.0.0.1:1/oauth/token", {"token": "x-y-z-secret"})


# -- a secret shows nowhere --------------------------------------------------------------------------------


def test_no_secret_stands_in_the_data_folder_the_logs_or_what_is_done(
    oauth: Works, world: AuthorisationWorld, home: Path, clock: FixedClock, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    oauth.connect(world)
    oauth.renewing()(oauth.held())
    world.trouble.lose_answer = True
    with pytest.raises(TryAgainLater) as later:
        oauth.renewing()(oauth.held())
    world.trouble.lose_answer = False
    with pytest.raises(AccessRevoked) as revoked:
        oauth.renewing()(oauth.held())
    shown = caplog.text + repr(later.value) + repr(revoked.value) + json.dumps(oauth.acts(), default=str)
    oauth.store.ledger.checkpoint()
    raw = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    oauth.store.database.close()
    raw += b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert len(world.given) > 6
    assert [one for one in world.given if one.encode() in raw] == []
    assert [one for one in world.given if one in shown] == []
    assert world.asked[-1][1]["refresh_token"] in world.given, (
        "the question above looked for what was really used"
    )


def test_renewed_secrets_are_replaced_in_what_the_evidence_client_records(
    oauth: Works, world: AuthorisationWorld, clock: FixedClock
):
    oauth.connect(world)
    living = Living(oauth.held(), oauth.renewing(), clock.now)
    client = EvidenceClient(
        clock=clock,
        monotonic=lambda: 0.0,
        wait=lambda _pause: None,
        contact="",
        secrets=living.standing(),
        allow_hosts=["127.0.0.1"],
    )
    living.wake(client.keep_secret)
    clock.at += timedelta(hours=2)
    token = living["access_token"]
    with client:
        exchange = client.get(
            f"{world.origin}/echo?note={token}", headers={"Authorization": f"Bearer {token}"}
        )
    assert world.shown == [token], "what was sent was the new one"
    assert token not in exchange.url + repr(exchange)


def test_what_is_sealed_for_links_and_visits_opens_with_the_page_alone(
    oauth: Works, world: AuthorisationWorld
):
    leave(oauth, world)
    with oauth.store.database.read() as tx:
        rows: Sequence[Any] = [*tx.execute(select(connect_links)), *tx.execute(select(connect_visits))]
    assert len(rows) == 2
    assert not any(b"verifier" in bytes(row.sealed) or b"@town" in bytes(row.sealed) for row in rows)


def test_the_archive_verifies_with_all_of_this_in_it(oauth: Works, world: AuthorisationWorld):
    oauth.connect(world)
    oauth.renewing()(oauth.held())
    assert fixity.verify(oauth.store, full=True).findings == []


def test_the_path_of_a_link_is_the_same_in_letters_and_pages():
    from app.officers import CONNECT_PATH

    assert connecting.LINK_PATH == CONNECT_PATH
