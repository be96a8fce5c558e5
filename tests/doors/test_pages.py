"""The pages: coming in, reading a record as it stands and stood, changing the registry, forms that cannot be forged."""

from __future__ import annotations

import csv
import io
import re

import pytest
from fastapi import FastAPI

from app import officers
from app.capture.copies import cell, line
from app.records.errors import ArchiveError
from app.web.app import create
from app.web.differences import differences
from app.web.harmless import harmless
from app.web.pages.door import way_back
from tests.doors.conftest import PASSWORD, Browser, parts_of, record_of, serving, settings


class Letters:
    """A mailbox in memory: what an `Outbox` would hand to the mail server."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def send(self, to: str, subject: str, text: str) -> None:
        self.sent.append((to, subject, text))

    def link(self) -> str:
        found = re.search(r"http://testserver(/\S+)", self.sent[-1][2])
        assert found
        return found[1]


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def mailing(archive, letters) -> FastAPI:
    return serving(parts_of(archive, mailer=letters))


# -- coming in ---------------------------------------------------------------------------------------------


def test_a_stranger_is_led_to_the_sign_in_and_back(browser):
    stranger = browser(None)
    answer = stranger.get("/runs?cursor=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fruns%3Fcursor%3Dx")
    answer = stranger.send(
        "/sign-in", "/sign-in", email="reader@alder.example", password=PASSWORD, next="/runs"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    assert stranger.get("/runs").status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:x",
        "/a\n/b",
        "",
        "/api/v1/x",
    ],
)
def test_nobody_is_led_elsewhere(elsewhere):
    assert way_back(elsewhere) == "/"
    assert way_back("/records/1?at=2026") == "/records/1?at=2026"


def test_every_failed_sign_in_is_answered_alike(browser):
    stranger = browser(None)
    wrong = stranger.sign_in("reader@alder.example", "not the password")
    nobody = stranger.sign_in("nobody@alder.example", "not the password")
    assert wrong.status_code == nobody.status_code == 409
    plain = [re.sub(r'value="[^"]*"', "", answer.text) for answer in (wrong, nobody)]
    assert plain[0] == plain[1]


def test_whoever_guesses_has_to_wait_and_the_tries_are_kept(browser):
    stranger = browser(None)
    for _ in range(5):
        assert stranger.sign_in("reader@alder.example", "not the password").status_code == 409
    held = stranger.sign_in("reader@alder.example")
    assert held.status_code == 429
    assert "Too many sign-ins" in held.text


def test_the_session_is_kept_from_scripts_and_other_sites(browser, archive):
    answer = browser(None).sign_in("reader@alder.example")
    cookie = answer.headers["set-cookie"].lower()
    assert "muniment_session=" in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_on_https_cookies_are_secure_and_the_browser_is_told_to_stay(archive):
    safe = create(
        parts_of(
            archive,
            settings=settings(archive.settings.home).model_copy(update={"public_url": "https://testserver"}),
        )
    )
    visitor = Browser(safe, "https://testserver")
    page = visitor.get("/sign-in")
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert "secure" in page.headers["set-cookie"].lower()
    assert "secure" in visitor.sign_in("reader@alder.example").headers["set-cookie"].lower()


def test_signing_out_ends_the_session_itself(browser, web):
    reader = browser("reader")
    kept = reader.cookies["muniment_session"]
    assert reader.send("/", "/sign-out").status_code == 303
    reader.cookies.set("muniment_session", kept)
    assert reader.get("/").status_code == 303


# -- forms -------------------------------------------------------------------------------------------------


def test_a_form_of_another_session_is_refused(browser, archive):
    reader, other = browser("reader"), browser("custodian")
    page = re.search(r"/pages/([0-9a-f-]{36})", reader.get("/pages").text)
    assert page
    mark = other.mark(f"/pages/{page[1]}")
    forged = reader.post(f"/pages/{page[1]}/approve", data={"csrf": mark, "why": "forged"})
    assert forged.status_code == 403
    assert "form-expired" in forged.text
    unmarked = reader.post(f"/pages/{page[1]}/approve", data={"why": "forged"})
    assert unmarked.status_code == 403
    elsewhere = reader.post(
        f"/pages/{page[1]}/approve",
        data={"csrf": reader.mark("/"), "why": "forged"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert elsewhere.status_code == 403
    assert "Not approved" in reader.get(f"/pages/{page[1]}").text
    assert reader.send("/", f"/pages/{page[1]}/approve", why="agreed").status_code == 303
    assert "Not approved" not in reader.get(f"/pages/{page[1]}").text


def test_a_sign_in_form_is_bound_to_the_browser_that_asked_for_it(browser):
    one, other = browser(None), browser(None)
    answer = other.post(
        "/sign-in", data={"csrf": one.mark("/sign-in"), "email": "reader@alder.example", "password": PASSWORD}
    )
    assert answer.status_code == 403
    assert "muniment_session" not in answer.headers.get("set-cookie", "")


# -- invitations and resets --------------------------------------------------------------------------------


def test_somebody_is_invited_by_letter_and_comes_in(mailing, letters, archive, laid):
    with archive.store.database.begin() as tx:
        admin = officers.get(tx, laid.ids["administrator"])
        secret = officers.make_reset(archive.store, tx, admin, by=admin, why="a test")
    administrator = Browser(mailing)
    kept = administrator.send(f"/reset/{secret}", f"/reset/{secret}", password=PASSWORD, again=PASSWORD)
    assert kept.status_code == 200
    assert administrator.sign_in("admin@alder.example").status_code == 303
    answer = administrator.send(
        "/users", "/users", email="new@alder.example", name="New", roles=["auditor"], why="hired"
    )
    assert answer.status_code == 200
    assert letters.sent[-1][0] == "new@alder.example"
    newcomer = Browser(mailing)
    link = letters.link()
    short = newcomer.send(link, link, password="short", again="short")
    assert short.status_code == 422
    assert "at least 12 characters" in short.text
    accepted = newcomer.send(link, link, password=PASSWORD, again=PASSWORD)
    assert accepted.status_code == 200
    assert "muniment-token-" in accepted.text
    again = newcomer.send(link, link, password=PASSWORD, again=PASSWORD)
    assert again.status_code == 409
    assert newcomer.sign_in("new@alder.example").status_code == 303
    assert newcomer.get("/audit").status_code == 200
    assert newcomer.get("/search").status_code == 200
    assert newcomer.get("/users").status_code == 403


def test_a_forgotten_password_is_chosen_anew_by_a_link_that_works_once(mailing, letters):
    reader = Browser(mailing)
    known = reader.send("/forgot", "/forgot", email="reader@alder.example")
    unknown = reader.send("/forgot", "/forgot", email="nobody@alder.example")
    strip = re.compile(r'value="[^"]*"')
    assert strip.sub("", known.text) == strip.sub("", unknown.text)
    assert [to for to, _, _ in letters.sent] == ["reader@alder.example"]
    link = letters.link()
    differ = reader.send(link, link, password="geese honk at dawn", again="geese honk at noon")
    assert differ.status_code == 422
    assert (
        reader.send(link, link, password="geese honk at dawn", again="geese honk at dawn").status_code == 200
    )
    assert reader.sign_in("reader@alder.example").status_code == 409
    assert reader.sign_in("reader@alder.example", "geese honk at dawn").status_code == 303
    assert (
        reader.send(link, link, password="geese honk at dusk", again="geese honk at dusk").status_code == 409
    )


# -- the overview and the registry -------------------------------------------------------------------------


def test_the_overview_says_how_every_page_stands(browser):
    text = browser("reader").get("/").text
    assert "Alder Creek Police" in text
    assert "Not approved yet; it is captured all the same." in text
    assert "No outside timestamp authority is configured." in text
    assert "Newest checkpoint" in text
    assert "up to date" in text


def test_counts_leave_private_messages_out_for_everybody_else(browser):
    said = {}
    for name in ("reader", "confidant"):
        found = re.search(r"Records held</dt><dd>(\d+)", browser(name).get("/").text)
        assert found
        said[name] = int(found[1])
    assert said["confidant"] == said["reader"] + 1


def test_a_page_is_added_and_what_was_typed_is_not_lost_when_it_cannot_be(browser):
    reader = browser("reader")
    wrong = reader.send("/pages", "/pages", connector="feed", address="nowhere", name="Notices", why="ours")
    assert wrong.status_code == 422
    assert 'value="nowhere"' in wrong.text
    good = reader.send(
        "/pages", "/pages", connector="feed", address="https://alder.example/feed", name="Notices", why="ours"
    )
    assert good.status_code == 303
    page = good.headers["location"]
    assert "Notices" in reader.get(page).text
    secret = reader.send(page, f"{page}/connect", secret="user=archive\npassword=b7!kept-apart", why="ours")
    assert secret.status_code == 303
    assert "b7!kept-apart" not in reader.get(page).text
    assert "Sealed; never shown again" in reader.get(page).text


def test_a_capture_is_started_from_its_page(browser, web):
    reader = browser("reader")
    made = reader.send(
        "/pages", "/pages", connector="feed", address="https://alder.example/feed", name="Notices", why="ours"
    )
    page = made.headers["location"]
    assert reader.send(page, f"{page}/capture", why="the flood").status_code == 303
    assert [asked[2] for asked in web.state.parts.capture.asked] == ["the flood"]


def test_runs_are_listed_and_shown(browser):
    reader = browser("reader")
    text = reader.get("/runs").text
    assert "3 runs in all" in text
    run = re.search(r"/runs/([0-9a-f-]{36})", text)
    assert run
    assert "None is known." in reader.get(f"/runs/{run[1]}").text


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("machine", "/search", 403),
        ("machine", "/pages", 200),
        ("reader", "/audit", 403),
        ("auditor", "/audit", 200),
        ("auditor", "/accesses", 200),
        ("auditor", "/users", 403),
    ],
)
def test_pages_ask_for_the_same_roles(browser, role, path, status):
    answer = browser(role).get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


def test_an_error_is_a_page_without_a_trace_of_the_inside(browser):
    answer = browser("reader").get("/records/01a1fc86-bc93-722a-8b03-bac9f400b5e5")
    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.text
    assert "no-such-record" in answer.text
    assert "Traceback" not in answer.text
    assert browser("reader").get("/nowhere").status_code == 404


# -- a record ----------------------------------------------------------------------------------------------


def test_a_record_is_shown_within_its_family_with_what_changed(browser, archive):
    text = browser("reader").get(f"/records/{record_of(archive.store, '1')}").text
    assert "2 versions" in text
    assert "<del>closed because of the flood</del><ins>open again for cars</ins>" in text
    assert "The post with its 4 answers" in text
    assert (
        text.index("How long will the bridge")
        < text.index("At least until Friday")
        < text.index("Nobody tells us")
    )


def test_states_are_said_in_words_with_their_interval(browser, archive):
    text = browser("reader").get(f"/records/{record_of(archive.store, '4')}").text
    assert "The platform itself says that it no longer exists." in text
    assert re.search(r"Last seen before: <time[^>]*>2 March 2026, 01:00 AKST</time>", text)
    assert re.search(r"First seen gone after: <time[^>]*>6 March 2026, 01:00 AKST</time>", text)


def test_the_family_is_shown_as_it_stood(browser, archive):
    reader = browser("reader")
    then = reader.get(f"/records/{record_of(archive.store, '2')}", params={"at": "2026-03-02T01:30"}).text
    assert "is closed because of the flood" in then
    assert "is open again for cars" not in then
    now = reader.get(f"/records/{record_of(archive.store, '2')}").text
    assert "is open again for cars" in now
    later = reader.get(f"/records/{record_of(archive.store, '2')}", params={"at": "2026-03-07T01:00"}).text
    assert '<span class="state stood-not_shown">Not shown</span>' in later


def test_what_strangers_wrote_cannot_act(browser, archive):
    text = browser("reader").get(f"/records/{record_of(archive.store, '1')}?version=1").text
    assert "[picture, not loaded: a map]" in text
    assert "steal()" not in text
    assert "https://elsewhere.example/x.png" not in text
    assert "<b>closed</b>" in text


def test_a_private_message_has_no_page_for_others(browser, archive):
    message = record_of(archive.store, "6")
    assert browser("confidant").get(f"/records/{message}").status_code == 200
    for path in ("", "/print", "/family.csv"):
        assert browser("reader").get(f"/records/{message}{path}").status_code == 404


def test_evidence_and_proof_are_offered_to_their_role_alone(browser, archive):
    record = record_of(archive.store, "1")
    page = f"/records/{record}"
    assert "Take the evidence" not in browser("reader").get(page).text
    custodian = browser("custodian")
    assert "Take the evidence" in custodian.get(page).text
    taken = custodian.send(page, f"{page}/evidence", why="asked by counsel")
    assert taken.headers["content-type"] == "application/warc"
    proof = custodian.send(page, f"{page}/proof", version="1", why="asked by counsel")
    assert proof.headers["content-type"] == "application/zip"
    reader = browser("reader")
    assert reader.send("/", f"{page}/evidence", why="curious").status_code == 403


def test_a_family_leaves_as_a_marked_working_copy(browser, archive):
    reader = browser("reader")
    record = record_of(archive.store, "1")
    printed = reader.get(f"/records/{record}/print").text
    assert "WORKING COPY – NOT A PRODUCTION" in printed
    answer = reader.get(f"/records/{record}/family.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0] == ["WORKING COPY – NOT A PRODUCTION"]
    assert ["Agency", "Town of Alder Creek"] in lines
    assert lines[-1] == ["END – 5 records"]
    heads = next(line for line in lines if "depth" in line)
    texts = [line[heads.index("text")] for line in lines if len(line) == len(heads)]
    assert '\'=HYPERLINK("https://elsewhere.example","click")' in texts


# -- rules that the pages stand on -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1", "\u200b=1", "\ufeff+1"]
)
def test_no_cell_begins_a_formula(value):
    assert cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["flood", "a=b", "", " 1", "’tis"])
def test_any_other_cell_is_left_as_it_is(value):
    assert cell(value) == value


def test_a_cell_ends_nowhere_but_where_it_ends():
    assert line(["a;=1+1", "b\tc", 'say "no"', "plain", ""]) == '"a;=1+1","b\tc","say ""no""",plain,\r\n'


def test_differences_lead_from_one_text_to_the_other():
    before, after = "The bridge is closed.\nUntil Friday", "The bridge on Mill Road is open.\nUntil Friday"
    found = differences(before, after)
    assert "".join(one.text for one in found if one.what != "added") == before
    assert "".join(one.text for one in found if one.what != "removed") == after


@pytest.mark.parametrize(
    "html",
    [
        "<script>steal()</script>",
        "<style>p{background:url(https://elsewhere.example)}</style>",
        "<p onclick='steal()'>x</p>",
        "<iframe src='https://elsewhere.example'></iframe>",
        "<form action='https://elsewhere.example'><input name=q></form>",
        "<svg><style><img src=x onerror=steal()></style></svg>",
        "<a href='javascript:steal()'>x</a>",
        "<img src='https://elsewhere.example' alt='&quot;><script>steal()</script>'>",
        "<div title='<img alt=&quot;x&quot; onerror=steal()>'>x</div>",
        "<math><mtext><table><mglyph><style><img src onerror=steal()>",
    ],
)
def test_nothing_that_a_page_sent_runs_or_loads(html):
    shown = str(harmless(html))
    assert not re.search(r"<(script|style|iframe|form|input|img|svg|math)", shown)
    assert "elsewhere.example" not in shown
    assert not re.search(r"<[^>]*\son\w+=", shown)
    assert "javascript:" not in shown


def test_every_family_of_errors_has_its_status():
    from app.records import errors
    from app.web.problems import status_of

    families = {
        errors.Invalid: 422,
        errors.NotFound: 404,
        errors.Refused: 409,
        errors.NotPermitted: 403,
        errors.Unavailable: 503,
        errors.IntegrityFailure: 500,
    }
    assert {family: status_of(family("said")) for family in families} == families
    assert status_of(ArchiveError("said")) == 500


def test_of_more_pages_than_anybody_scrolls_through_one_is_named_and_not_chosen(browser, monkeypatch):
    reader = browser("reader")
    assert '<select id="page"' in reader.get("/search").text
    page = re.search(r"/pages/([0-9a-f-]{36})", reader.get("/pages").text)
    name = re.search(
        r'<select id="page".*?<option value="[0-9a-f-]{36}">([^<]+)<', reader.get("/search").text
    )
    assert page
    assert name
    monkeypatch.setattr("app.web.pages.searching._CHOSEN_FROM", 0)
    for address in ("/search", "/search/report"):
        form = reader.get(address).text
        assert '<input id="page"' in form
        assert '<select id="page"' not in form
    by_id, by_name = (
        reader.get("/search", params={"q": "*", "page": one}).text for one in (page[1], name[1])
    )
    assert f"({name[1]})" in by_id  # what is asked for by an id is called by its name
    totals = [re.findall(r'id="results">(\d+) record', text) for text in (by_id, by_name)]
    assert totals[0] == totals[1]
    assert totals[0] not in ([], ["0"])
