"""Connecting at the doors: the manager's link, the way back, what records staff see, and what nobody does."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI

from app.capture import pages
from app.cli.door import main as command
from app.main import Archive, open_archive
from app.records.clock import FixedClock
from app.records.nouns import Page
from app.store import warc
from app.web.app import create
from connectors import registry
from connectors.http import Manners
from tests.connectors.worlds.authorisation_world import AuthorisationWorld
from tests.connectors.worlds.notices import CONNECTORS
from tests.doors.conftest import NOW, Browser, Person, Town, parts_of, serving, settings

PASSWORD = "b7!kept-apart-from-everything"


class Letters:
    """A mailbox in memory: what an `Outbox` would hand to the mail server."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def send(self, to: str, subject: str, text: str) -> None:
        self.sent.append((to, subject, text))

    def link(self) -> str:
        found = re.search(r"http://testserver(/connect/\S+)", self.sent[-1][2])
        assert found
        return found[1]


@dataclass
class Office:
    """The archive with pages that managers can connect, the web over it, and the letters that leave."""

    archive: Archive
    clock: FixedClock
    tokens: dict[str, str]
    app: FastAPI
    world: AuthorisationWorld
    letters: Letters
    pages: dict[str, Page] = field(default_factory=dict)

    def person(self, name: str | None) -> Person:
        return Person(self.app, self.tokens[name] if name else None)

    def browser(self) -> Browser:
        return Browser(self.app)

    def at(self, connector: str, what: str = "") -> str:
        return f"/api/v1/pages/{self.pages[connector].id}{what}"

    def invite(self, connector: str, email: str = "manager@alder.example") -> str:
        asked = {"email": email, "why": "council decision 7"}
        made = self.person("reader").post(self.at(connector, "/connection/invite"), json=asked)
        assert made.status_code == 201, made.text
        assert made.json()["link"] is None
        return self.letters.link()

    def leave(self, browser: Browser, link: str) -> str:
        """Press the button that leads to the platform; the address that it shows."""
        shown = browser.send(link, f"{link}/leave")
        assert shown.status_code == 200, shown.text
        found = re.search(r'class="button" href="([^"]+)"', shown.text)
        assert found
        return unescape(found[1])


@pytest.fixture
def world() -> Iterator[AuthorisationWorld]:
    with AuthorisationWorld() as made:
        yield made


@pytest.fixture
def office(
    laid: Town, tmp_path: Path, world: AuthorisationWorld, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    for name, place in CONNECTORS.items():
        monkeypatch.setitem(registry._OURS, name, place)
    home = tmp_path / "home"
    shutil.copytree(laid.home, home)
    key, secret = world.client()
    apps = tmp_path / "apps.toml"
    apps.write_text(f'[notices-of-old]\nclient_id = "{key}"\nclient_secret = "{secret}"\n')
    clock, letters = FixedClock(NOW), Letters()
    archive = open_archive(settings(home, allow_hosts="127.0.0.1", apps_file=apps), clock)
    archive.manners = Manners(interval=timedelta(0))
    made = Office(archive, clock, laid.tokens, serving(parts_of(archive, mailer=letters)), world, letters)
    for connector in CONNECTORS:
        made.pages[connector] = archive.add_page(
            connector,
            f"{world.origin}/@{connector}",
            name=f"The {connector}",
            custodian="",
            options={},
            by=laid.ids["administrator"],
            why="ours",
        )
    yield made
    archive.close()


# -- the letter and the link -------------------------------------------------------------------------------


def test_the_manager_gets_a_letter_that_says_who_asks_for_what_until_when(office: Office):
    link = office.invite("notices-by-hand")
    to, subject, text = office.letters.sent[0]
    assert to == "manager@alder.example"
    assert subject == "The notices-by-hand: please connect it to the archive of Town of Alder Creek"
    assert "Reader asks you to connect" in text
    assert "16 March 2026" in text
    assert "?" not in link, "what stands after a question mark is written into logs"


def test_a_link_opens_without_an_account_and_says_what_will_be_read(office: Office):
    shown = office.browser().get(office.invite("notices-by-hand"))
    assert shown.status_code == 200
    for words in (
        "Town of Alder Creek",
        "The notices-by-hand",
        "noticeboard",
        "council decision 7",
        "those that are shown",
        "What was taken down between two passes.",
        "Make an application password.",
        "As you sign in.",
    ):
        assert words in shown.text
    assert re.search(r'<input[^>]*type="password"', shown.text)
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"


def test_what_a_manager_enters_is_sealed_and_shown_nowhere(office: Office, tmp_path: Path):
    browser, link = office.browser(), office.invite("notices-by-hand")
    office.world.opening.add("Basic YXJjaGl2ZTpiNyFrZXB0LWFwYXJ0LWZyb20tZXZlcnl0aGluZw==")
    done = browser.send(link, link, values=["archive", PASSWORD, ""])
    assert done.status_code == 200
    assert "is connected" in done.text
    assert "signed in as town-police" in done.text
    reader, page = office.person("reader"), office.pages["notices-by-hand"]
    told = reader.get(office.at("notices-by-hand", "/connection"))
    assert told.json() == {
        "connected": True,
        "how": "hand",
        "since": "2026-03-09T18:00:00Z",
        "by": "manager@alder.example",
        "owner": "town-police",
        "scopes": [],
        "until": None,
    }
    everything = [done.text, told.text, office.letters.sent[0][2]]
    everything += [reader.get(where).text for where in ("/api/v1/pages", office.at("notices-by-hand"))]
    staff = office.browser()
    staff.client.headers["Authorization"] = f"Bearer {office.tokens['administrator']}"
    everything += [staff.get(where).text for where in (f"/pages/{page.id}", f"/pages/{page.id}/connection")]
    everything.append(office.person("auditor").get("/api/v1/audit").text)
    assert "town-police" in everything[-2]
    office.archive.export_ledger(tmp_path / "ledger")
    raw = b"".join(
        file.read_bytes()
        for folder in (office.archive.settings.home, tmp_path / "ledger")
        for file in folder.rglob("*")
        if file.is_file()
    )
    assert PASSWORD not in "".join(everything)
    assert PASSWORD.encode() not in raw


def test_a_link_that_was_used_says_what_to_do(office: Office):
    browser, link = office.browser(), office.invite("notices-by-hand")
    mark = browser.mark(link)
    sent = {"csrf": mark, "values": ["archive", PASSWORD, ""]}
    assert browser.post(link, data=sent).status_code == 200
    for answer in (browser.post(link, data=sent), browser.get(link)):
        assert answer.status_code == 409
        assert "This link was used already." in answer.text
        assert "Ask the records staff of the agency for a new one." in answer.text


def test_a_link_that_has_run_out_or_was_invented_says_what_to_do(office: Office):
    link = office.invite("notices-by-hand")
    office.clock.at += timedelta(days=7)
    assert "run out" in office.browser().get(link).text
    wrong = office.browser().get("/connect/muniment-connect-invented")
    assert (wrong.status_code, "never made" in wrong.text) == (409, True)


def test_another_site_cannot_send_the_form(office: Office):
    browser, link = office.browser(), office.invite("notices-by-hand")
    mark, values = browser.mark(link), ["archive", PASSWORD, ""]
    assert office.browser().post(link, data={"csrf": mark, "values": values}).status_code == 403
    foreign = {"sec-fetch-site": "cross-site"}
    assert browser.post(link, data={"csrf": mark, "values": values}, headers=foreign).status_code == 403
    assert browser.post(link, data={"csrf": mark, "values": values}).status_code == 200


@pytest.mark.parametrize("values", [["archive", "", ""], ["archive", "sho-rt7", ""], [], ["archive"]])
def test_what_cannot_be_kept_is_asked_for_again_without_being_repeated(office: Office, values: list[str]):
    browser, link = office.browser(), office.invite("notices-by-hand")
    again = browser.send(link, link, values=values)
    assert again.status_code == 422
    assert "sho-rt7" not in again.text
    assert 'value="archive"' not in again.text
    assert browser.send(link, link, values=["archive", PASSWORD, ""]).status_code == 200


def test_what_was_mistyped_can_be_entered_once_more(office: Office):
    browser, link = office.browser(), office.invite("notices-by-hand")
    done = browser.send(link, link, values=["archive", PASSWORD, ""])
    assert "To do" in done.text
    again = re.search(r'href="(/connect/[^"]+)"', done.text)
    assert again
    assert browser.get(again[1]).status_code == 200
    assert browser.get(link).status_code == 409


# -- to the platform and back ------------------------------------------------------------------------------


def back(brought: dict[str, str]) -> str:
    return f"/connect/back?{urlencode(brought)}"


@pytest.mark.parametrize("connector", ["notices", "notices-of-old"])
def test_a_manager_signs_in_at_the_platform_and_is_led_back(office: Office, connector: str):
    browser, link = office.browser(), office.invite(connector)
    assert "the archive never sees it" in browser.get(link).text
    brought = office.world.permit(office.leave(browser, link))
    done = browser.get(back(brought))
    assert done.status_code == 200
    assert "is connected" in done.text
    again = browser.get(back(brought))
    assert again.status_code == 409
    assert "Open the link in your letter again" in again.text
    assert [one for one in office.world.given if one in done.text + again.text] == []


def test_who_opens_the_way_back_in_another_browser_connects_nothing(office: Office):
    browser, link = office.browser(), office.invite("notices")
    brought = office.world.permit(office.leave(browser, link))
    assert office.browser().get(back(brought)).status_code == 409
    assert browser.get(back(brought | {"state": "forged"})).status_code == 409
    assert browser.get("/connect/back").status_code == 409
    assert office.person("reader").get(office.at("notices")).json()["connected"] is False
    assert browser.get(back(brought)).status_code == 200


def test_another_server_that_answers_is_not_believed(office: Office):
    browser, link = office.browser(), office.invite("notices")
    brought = office.world.permit(office.leave(browser, link), issuer="https://elsewhere.example")
    answer = browser.get(back(brought))
    assert (answer.status_code, "Another server answered" in answer.text) == (409, True)
    assert office.person("reader").get(office.at("notices")).json()["connected"] is False


def test_a_platform_that_declines_is_told_without_its_own_words(office: Office):
    browser, link = office.browser(), office.invite("notices")
    brought = office.world.permit(office.leave(browser, link))
    words = "<script>steal()</script> tok-123456789"
    answer = browser.get(back({"state": brought["state"], "error": words, "error_description": words}))
    assert answer.status_code == 409
    assert "tok-123456789" not in answer.text
    assert "steal" not in answer.text


# -- capture with what was connected -----------------------------------------------------------------------


def connected(office: Office) -> Page:
    browser, link = office.browser(), office.invite("notices")
    assert browser.get(back(office.world.permit(office.leave(browser, link)))).status_code == 200
    with office.archive.store.database.read() as tx:
        return pages.get(tx, str(office.pages["notices"].id))


def test_a_token_that_ends_in_a_run_is_renewed_and_the_run_goes_on(office: Office, tmp_path: Path):
    page = connected(office)
    office.world.opening.clear()  # the platform takes the token back before its time
    report = office.archive.capture(page, by=None, why="the night")
    assert report.status == "complete", report.gaps
    assert report.tally.new == 2
    first, second = list(dict.fromkeys(office.world.shown[-3:]))
    assert first != second
    with office.archive.store.database.read() as tx:
        assert pages.get(tx, str(page.id)).status == pages.ACTIVE
    out = tmp_path / "evidence.warc"
    with office.archive.store.database.read() as tx, out.open("xb") as file:
        record = held(office, page)[0]
        warc.write(office.archive.store, tx, record, file, software="a test")
    assert [one for one in office.world.given if one.encode() in out.read_bytes()] == []


def held(office: Office, page: Page) -> list[Any]:
    from app.capture import records

    with office.archive.store.database.read() as tx:
        found = records.read(office.archive.store, tx, list(range(1, 100)), messages=True)
    return [one.id for one in found if one.page.id == page.id]


def test_a_token_that_is_about_to_end_is_renewed_before_it_is_used(office: Office):
    page = connected(office)
    office.clock.at += timedelta(hours=2)
    office.world.opening.clear()
    assert office.archive.capture(page, by=None, why="the night").status == "complete"
    assert len(set(office.world.shown[-2:])) == 1, "the old one was not shown again"


def test_a_permission_that_was_taken_back_disconnects_the_page_and_says_how_to_go_on(office: Office):
    page = connected(office)
    office.world.opening.clear()
    office.world.living.clear()
    report = office.archive.capture(page, by=None, why="the night")
    assert report.status == "failed"
    assert "--invite EMAIL" in report.gaps[0].why
    told = office.person("reader").get(office.at("notices")).json()
    assert (told["status"], told["connected"]) == ("disconnected", True)
    assert [one for one in office.world.given if one in report.gaps[0].why] == []


# -- what records staff do ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["auditor", "approver", "machine", "custodian"])
def test_only_records_staff_and_administrators_ask_managers(office: Office, name: str):
    asked = {"email": "manager@alder.example", "why": "mine"}
    answer = office.person(name).post(office.at("notices", "/connection/invite"), json=asked)
    assert answer.status_code == (
        201 if name == "custodian" else 403
    )  # the custodian is a records officer too


def test_a_stranger_learns_nothing_of_connections(office: Office):
    for what in ("/connection", "/connection/check"):
        assert office.person(None).get(office.at("notices", what)).status_code in {401, 405}


def test_staff_ask_check_and_forget_on_the_page_of_the_connection(office: Office):
    staff, page = office.browser(), connected(office)
    staff.sign_in("reader@alder.example", "quiet herons wade slowly")
    where = f"/pages/{page.id}/connection"
    shown = staff.get(where).text
    assert "manager@alder.example" in shown
    assert "read:statuses" in shown
    assert "Signed in as town-police" in staff.send(where, f"{where}/check").text
    sent = staff.send(where, f"{where}/invite", email="new@alder.example", why="a new manager")
    assert "A letter is on its way to new@alder.example" in sent.text
    wrong = staff.send(where, f"{where}/invite", email="nobody", why="a new manager")
    assert (wrong.status_code, 'value="nobody"' in wrong.text) == (422, True)
    gone = staff.send(where, f"{where}/forget", why="the officer left")
    assert "It is not connected" in gone.text
    assert "ended the permission" in gone.text
    assert office.world.revoked
    assert staff.send(where, f"{where}/forget", why="again").status_code == 409


def test_without_a_mail_server_the_link_is_shown_once_to_be_handed_over(office: Office):
    app = create(parts_of(office.archive))
    person = Person(app, office.tokens["reader"])
    asked = {"email": "manager@alder.example", "why": "council decision 7"}
    made = person.post(office.at("notices", "/connection/invite"), json=asked).json()
    assert made["link"].startswith("http://testserver/connect/muniment-connect-")
    assert made["link"].rpartition("/")[2] not in person.get(office.at("notices", "/connection")).text


def test_the_api_checks_and_forgets(office: Office):
    connected(office)
    reader = office.person("reader")
    checked = reader.post(office.at("notices", "/connection/check")).json()
    assert checked == {
        "fine": True,
        "findings": [{"what": "Signed in as town-police", "fine": True, "remedy": ""}],
    }
    office.world.opening.clear()
    office.world.living.clear()
    assert reader.post(office.at("notices", "/connection/check")).json()["fine"] is False
    gone = reader.post(office.at("notices", "/connection/forget"), json={"why": "the officer left"}).json()
    assert gone["connected"] is False
    assert gone["platform"]["fine"] is True
    assert reader.get(office.at("notices", "/connection")).json()["connected"] is False


# -- the command line --------------------------------------------------------------------------------------


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs a command as the administrator; its exit code and what it says as JSON."""
    here = office.archive.settings
    for name, value in {
        "HOME": here.home,
        "TOKEN": office.tokens["administrator"],
        "PUBLIC_URL": here.public_url,
        "ALLOW_HOSTS": here.allow_hosts,
        "APPS_FILE": here.apps_file,
    }.items():
        monkeypatch.setenv(f"MUNIMENT_{name}", str(value))

    def ran(*words: str) -> tuple[int, Any, str]:
        code = command([*words, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out), said.out + said.err

    return ran


def test_a_page_is_connected_from_a_file_shown_and_forgotten_on_the_command_line(
    office: Office, run: Any, tmp_path: Path
):
    page, file = str(office.pages["notices-by-hand"].id), tmp_path / "secret.json"
    file.write_text(json.dumps({"user": "archive", "password": PASSWORD}))
    code, told, said = run("page", "connect", page, "--secret-file", str(file), "--until", "2027-03-01")
    assert (code, told["connected"]) == (0, True)
    assert PASSWORD not in said
    code, told, said = run("page", "show", page)
    assert told["connection"]["until"] == "2027-03-01T09:00:00+00:00"
    assert told["connection"]["how"] == "file"
    assert PASSWORD not in said
    code, told, _ = run("page", "connect", page, "--until", "2027-04-01", "--why", "longer")
    assert told["connection"]["until"].startswith("2027-04-01")
    code, told, said = run("page", "connect", page, "--check")
    assert (code, told["fine"]) == (7, False)
    assert PASSWORD not in said
    code, told, _ = run("page", "connect", page, "--forget", "--why", "the officer left")
    assert (code, told["connected"], told["connection"]) == (0, False, None)


def test_a_manager_is_asked_on_the_command_line(office: Office, run: Any):
    page = str(office.pages["notices"].id)
    code, told, _ = run("page", "connect", page, "--invite", "manager@alder.example", "--why", "decision 7")
    assert code == 0
    link = told["link"].removeprefix("http://testserver")
    assert office.browser().get(link).status_code == 200
    code, told, _ = run("page", "connect", page, "--invite", "nobody", "--why", "decision 7")
    assert (code, told["error"]["code"]) == (2, "bad-email")
    code, told, _ = run("page", "connect", page, "--invite", "manager@alder.example")
    assert (code, told["error"]["code"]) == (2, "why-missing")


@pytest.mark.parametrize(
    "text", ['{"password": "b7!kept-apart-from-everything"', '["b7!kept-apart-from-everything"]']
)
def test_a_file_that_cannot_be_read_is_refused_without_repeating_it(
    office: Office, run: Any, tmp_path: Path, text: str
):
    file = tmp_path / "secret.json"
    file.write_text(text)
    page = str(office.pages["notices-by-hand"].id)
    code, _, said = run("page", "connect", page, "--secret-file", str(file))
    assert code == 2
    assert PASSWORD not in said


def test_ways_to_connect_are_not_mixed(office: Office, run: Any):
    page = str(office.pages["notices-by-hand"].id)
    code, _, _ = run("page", "connect", page, "--forget", "--until", "2027-01-01", "--why", "x")
    assert code == 2
    code, _, _ = run("page", "connect", page)
    assert code == 2
    code, _, _ = run("page", "connect", page, "--until", "soon", "--why", "x")
    assert code == 2
