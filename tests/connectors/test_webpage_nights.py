"""Web pages in a real archive, night after night: edits, a comment taken off, notices withdrawn, walls and outages.

A web page holds nothing back for its own people: there is no hide that anybody
could see. In its place stands a comment that the page no longer shows. The
page never says what became of it, so it is absent, and that is no deletion.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest

from app.capture import marks
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.webpage import Digg, MySpace, WebPage
from tests.connectors.worlds.desk import Desk, changed, told
from tests.connectors.worlds.webpage_world import (
    BLUE,
    CONSENT,
    HTML,
    SIGN_IN,
    SOFT_404,
    Answer,
    Remark,
    TownSite,
    png,
)

PASSWORD = "correct horse battery"


@pytest.fixture
def site(stack: ExitStack) -> TownSite:
    town = stack.enter_context(TownSite())
    town.put("/", "Welcome", "<p>Words of the front page.</p>")
    return town


def test_edits_a_comment_taken_off_withdrawn_notices_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack, site: TownSite
) -> None:
    site.password = PASSWORD
    secret = {"user": "archivist", "password": PASSWORD}
    page = Page(address=f"{site.base}/news", options={"render": "no", "links": "/news/*"})
    desk = Desk(store, clock, stack, WebPage, page, secret)
    site.put("/news", "News", "<p>What the town tells.</p>", links=["/news/1", "/news/2", "/news/3"])
    site.put("/news/1", "Road closure", "<p>Main Street is closed until six.</p>")
    film = "<video src='/film/council.mp4'></video>"
    site.put("/news/2", "Council", f"<p>The council meets.</p>{film}", documents=["/docs/agenda.pdf"])
    site.files["/film/council.mp4"] = ("video/mp4", b"a film of the council")
    site.put("/news/3", "Ferry", "<p>No ferry today.</p>")
    site.sheets["/news/1"].remarks = [
        Remark("c1", "Al", "What about Mill Road?"),
        Remark("c2", "Bo", "It is open.", answers="c1"),
        Remark("c3", "Cy", "You fools."),
    ]
    list_, road, council, ferry = (site.name(path) for path in ("/news", "/news/1", "/news/2", "/news/3"))
    asks, answer, rude = (site.name("/news/1", one) for one in ("c1", "c2", "c3"))

    # 1. The first night keeps all that there is: the list, the notices that it links, their comments and their files.
    assert told(desk.night()) == ("complete", 7, 0, 0, 0)
    assert set(desk.held()) == {list_, road, council, ferry, asks, answer, rude}
    assert desk.states() == {}
    assert {b"%PDF-1.4 the agenda of May", b"a film of the council"} <= set(desk.files(council).values())

    # 2. A quiet night changes nothing, whatever became of counters, keys, votes and what stands against caches.
    site.signed += 1
    site.sheets["/news/1"].remarks[0].upvotes += 40
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    quiet = clock.at

    # 3. A notice, a comment and a document under the same address are edited. The earlier words and bytes are kept.
    site.sheets["/news/1"].words = "<p>Main Street is closed until seven.</p>"
    site.sheets["/news/1"].remarks[0].text = "What about Mill Lane?"
    site.files["/docs/agenda.pdf"] = ("application/pdf", b"%PDF-1.4 the agenda of June")
    assert told(desk.night()) == ("complete", 0, 3, 0, 0)
    before, after = desk.history(road)
    assert "until six" in str(before.text("text"))
    assert "until seven" in str(after.text("text"))
    assert (after.last_seen_before, after.observed_at) == (quiet, clock.at)
    assert [one.text("text") for one in desk.history(asks)] == [
        "What about Mill Road?",
        "What about Mill Lane?",
    ]
    assert b"%PDF-1.4 the agenda of June" in desk.files(council).values()
    assert len(desk.history(council)) == 2

    # 4. A comment is taken off the page, and comes back. What became of it no site says: it was absent.
    taken_off = site.sheets["/news/1"].remarks.pop()
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {rude: "absent"}
    assert desk.words(rude) == "You fools."
    site.sheets["/news/1"].remarks.append(taken_off)
    assert desk.night().status == "complete"
    assert desk.states() == {}

    # 5. A notice is withdrawn, by the site's own 410.
    del site.sheets["/news/3"]
    site.sheets["/news"].links.remove("/news/3")
    site.instead["/news/3"] = (410, HTML, b"<title>Gone</title><h1>This notice was withdrawn</h1>")
    assert told(desk.night())[4] == 1
    assert desk.states() == {ferry: "gone"}
    assert "No ferry today." in str(desk.words(ferry))

    # 6. The site fails for three nights where an edited notice stands. The next one sees the edit, and since when it may stand.
    lately = clock.at
    site.sheets["/news/2"].words = f"<p>The council does not meet.</p>{film}"
    # A night that a throttle ended goes on with the page at which it stopped, and may see nothing but the next refusal.
    failures: list[tuple[str, Answer]] = [
        ("partial", (429, {"Retry-After": "60"}, b"")),
        ("partial", (503, HTML, b"<p>trouble")),
        ("partial", (500, HTML, b"<p>trouble")),
    ]
    for status, answered in failures:
        site.trouble = at(answered, "/news/2")
        failing = desk.night()
        assert (failing.status, changed(failing)) == (status, 0)
        assert any(f"/news/2 answered {answered[0]}" in gap.why for gap in failing.gaps)
    site.trouble = None
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    newest = desk.history(council)[-1]
    assert (newest.last_seen_before, newest.observed_at) == (lately, clock.at)

    # 7. A wall, a notice with status 200, a form to sign in and a site that answers 404 to everything prove no removal.
    for answered in (
        (200, HTML, CONSENT.encode()),
        (200, HTML, SOFT_404.encode()),
        (200, HTML, SIGN_IN.encode()),
        (404, HTML, SIGN_IN.encode()),
    ):
        site.trouble = at(answered, "/news/1")
        walled = desk.night()
        assert (walled.status, changed(walled)) == ("partial", 0)
        assert [gap.native_id for gap in walled.gaps] == [road]
    site.trouble = at((404, HTML, b"<title>404</title>"))
    assert (desk.night().status, desk.states()) == ("partial", {ferry: "gone"})
    site.trouble, site.password = None, "another horse"
    locked = desk.night()
    assert (locked.status, changed(locked)) == ("failed", 0)
    site.password = PASSWORD
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {ferry: "gone"}

    # 8. A notice answers 404 on a site that answers otherwise: gone, and its comments are out of sight with it.
    withdrawn = site.sheets.pop("/news/1")
    site.sheets["/news"].links.remove("/news/1")
    assert told(desk.night())[4] == 1
    out_of_sight = {asks: "absent", answer: "absent", rude: "absent"}
    assert desk.states() == {ferry: "gone", road: "gone", **out_of_sight}
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    site.sheets["/news/1"] = withdrawn
    site.sheets["/news"].links.append("/news/1")
    assert desk.night().status == "complete"
    assert desk.states() == {ferry: "gone"}
    assert desk.sound()


def test_a_file_that_fails_night_after_night_is_a_gap_each_night_and_its_coming_is_no_edit(
    store: Store, clock: FixedClock, stack: ExitStack, site: TownSite
) -> None:
    desk = Desk(store, clock, stack, WebPage, Page(address=f"{site.base}/news", options={"render": "no"}), {})
    site.put("/news", "News", "<p>What the town tells.</p>", documents=["/docs/agenda.pdf"])
    site.instead["/docs/agenda.pdf"] = (503, HTML, b"<p>trouble")
    news = site.name("/news")

    # 1. The page is kept, and each night says what of it could not be had.
    assert told(desk.night()) == ("partial", 1, 0, 0, 0)
    again = desk.night()
    assert (told(again), {gap.native_id for gap in again.gaps}) == (("partial", 0, 0, 0, 0), {news})

    # 2. The file comes: nobody changed the page, and its bytes are held from now on.
    del site.instead["/docs/agenda.pdf"]
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert site.files["/docs/agenda.pdf"][1] in desk.files(news).values()

    # 3. Another one stands in its place: an edit, and both are held.
    site.files["/docs/agenda.pdf"] = ("application/pdf", b"%PDF-1.4 the agenda of June")
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    assert b"%PDF-1.4 the agenda of June" in desk.files(news).values()
    assert len(desk.history(news)) == 2


def test_what_a_style_sheet_names_that_is_had_late_is_kept_and_edits_nothing(
    store: Store, clock: FixedClock, stack: ExitStack, site: TownSite
) -> None:
    desk = Desk(store, clock, stack, WebPage, Page(address=f"{site.base}/news", options={"render": "no"}), {})
    site.put("/news", "News", "<p>What the town tells.</p>")
    site.instead["/theme/site.css"] = (200, HTML, SIGN_IN.encode())
    news, font = site.name("/news"), b"not really a font"

    # 1. A form to sign in stands in the place of the style sheet: nobody knows which files it names.
    assert told(desk.night()) == ("partial", 1, 0, 0, 0)
    assert told(desk.night()) == ("partial", 0, 0, 0, 0)
    assert font not in desk.files(news).values()

    # 2. It comes: its files are held from now on, and nobody edited the page.
    del site.instead["/theme/site.css"]
    came = desk.night()
    assert (came.status, came.tally.edited) == ("complete", 0)
    assert {font, site.files["/theme/bg.png"][1]} <= set(desk.files(news).values())
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. Another font under its address is an edit.
    site.files["/theme/town.woff2"] = ("font/woff2", b"another font")
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    assert b"another font" in desk.files(news).values()
    assert desk.sound()


def test_a_profile_on_myspace_is_kept_with_its_further_pages_and_only_its_own_answer_makes_it_gone(
    store: Store, clock: FixedClock, stack: ExitStack, site: TownSite
) -> None:
    """MySpace holds nothing back that anybody could see, and shows no comments. In place of a hide stands a profile
    that answers with something else for a night: that is a gap, and neither absent nor gone."""
    page = Page(
        address=f"{site.base}/testtown",
        options={"render": "no", "addresses": "/testtown/photos /testtown/mixes"},
    )
    desk = Desk(store, clock, stack, MySpace, page, {})
    site.put("/testtown", "Test Town", "<p>Police of a small town.</p>")
    site.put("/testtown/photos", "Photos", "<p>Two photographs.</p>")
    site.put("/testtown/mixes", "Mixes", "<p>No mixes yet.</p>")
    profile, photos, mixes = (site.name(f"/testtown{one}") for one in ("", "/photos", "/mixes"))

    # 1. The first night keeps the profile, as a profile, and its further pages. 2. A quiet night changes nothing.
    assert told(desk.night()) == ("complete", 3, 0, 0, 0)
    assert [desk.held()[one].kind for one in (profile, photos, mixes)] == ["profile", "post", "post"]
    site.signed += 1
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    quiet = clock.at

    # 3. The introduction is edited, and one of its pictures replaced under the same address.
    site.sheets["/testtown"].words = "<p>Police of a larger town.</p>"
    site.sheets["/testtown/photos"].pictures = ["/img/bridge.png"]
    site.files["/img/bridge.png"] = ("image/png", png(BLUE, 4, 4))
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    before, after = desk.history(profile)
    assert "small town" in str(before.text("text"))
    assert (after.last_seen_before, after.observed_at) == (quiet, clock.at)
    assert png(BLUE, 4, 4) in desk.files(photos).values()

    # 4. The profile is private for a night, as far as anybody is told; it comes back as it was.
    site.instead["/testtown"] = (200, HTML, SIGN_IN.encode())
    private = desk.night()
    assert (private.status, changed(private), desk.states()) == ("failed", 0, {})
    del site.instead["/testtown"]
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 5. A further page is taken down, by MySpace's own answer.
    del site.sheets["/testtown/mixes"]
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)
    assert desk.states() == {mixes: "gone"}

    # 6. A throttle and an outage in the middle prove nothing; the night after them is complete, and sees what was edited.
    site.sheets["/testtown/photos"].words = "<p>Three photographs.</p>"
    failures: list[tuple[str, Answer]] = [
        ("partial", (429, {}, b"")),
        ("partial", (503, HTML, b"<p>trouble")),
    ]
    for status, answered in failures:
        site.trouble = at(answered, "/testtown/photos")
        failing = desk.night()
        assert (failing.status, changed(failing)) == (status, 0)
        assert any(f"/testtown/photos answered {answered[0]}" in gap.why for gap in failing.gaps)
    site.trouble = None
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    assert desk.states() == {mixes: "gone"}
    assert desk.sound()


def test_digg_changes_nothing_while_it_is_closed_and_should_it_run_again_its_answers_prove_no_removal(
    store: Store, clock: FixedClock, stack: ExitStack, site: TownSite
) -> None:
    """Digg is closed: each night ends with a gap. The officer then says that it runs again. It holds nothing back that
    anybody could see: in place of a hide stands a comment that the page no longer shows, which is absent."""
    page = Page(address=f"{site.base}/d/town", options={"render": "no", "links": "/d/town/*"})
    desk = Desk(store, clock, stack, Digg, page, {})
    site.put("/d/town", "Town", "<p>What the town submits.</p>", links=["/d/town/1"])
    site.put("/d/town/1", "Road closure", "<p>Closed until six.</p>")
    site.sheets["/d/town/1"].remarks = [Remark("c1", "Al", "Until when?"), Remark("c2", "Bo", "You fools.")]
    main, story, asks, rude = (
        site.name("/d/town"),
        *(site.name("/d/town/1", one) for one in ("", "c1", "c2")),
    )

    # 1. While Digg is closed, nothing of what stands at its address is taken for the page; what answered is kept.
    closed = desk.night()
    assert told(closed) == ("partial", 0, 0, 0, 0)
    assert (desk.held(), closed.tally.exchanges) == ({}, 1)
    assert [gap.what for gap in closed.gaps] == ["the page on Digg"]

    # 2. It runs again, and the officer says so: that night keeps everything, and the quiet one after it changes nothing.
    stopped = desk.page
    desk.page = replace(stopped, options={**stopped.options, "reopened": "yes"})
    assert told(desk.night()) == ("complete", 4, 0, 0, 0)
    assert set(desk.held()) == {main, story, asks, rude}
    site.signed += 1
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    quiet = clock.at

    # 3. A story is edited. 4. A comment is taken off, and comes back.
    site.sheets["/d/town/1"].words = "<p>Closed until seven.</p>"
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    before, after = desk.history(story)
    assert "until six" in str(before.text("text"))
    assert (after.last_seen_before, after.observed_at) == (quiet, clock.at)
    taken_off = site.sheets["/d/town/1"].remarks.pop()
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == {rude: "absent"}
    site.sheets["/d/town/1"].remarks.append(taken_off)
    assert desk.night().status == "complete"
    assert desk.states() == {}

    # 5. A throttle in the middle, a wall, and even 410: none of Digg's answers proves a removal.
    for answered in (
        (429, {"Retry-After": "60"}, b""),
        (500, HTML, b"<p>trouble"),
        (200, HTML, CONSENT.encode()),
        (404, HTML, b"<title>No</title>"),
        (410, HTML, b"<title>Gone</title>"),
    ):
        site.trouble = at(answered, "/d/town/1")
        failing = desk.night()
        assert (failing.status, changed(failing), desk.states()) == ("partial", 0, {})
        assert failing.gaps
    site.trouble = None
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 6. Digg stops again, and another site answers in its place: what was captured stays as it was.
    desk.page = stopped
    site.instead["/d/town"] = (410, HTML, b"<title>Gone</title>")
    stopped_again = desk.night()
    assert (stopped_again.status, changed(stopped_again), desk.states()) == ("partial", 0, {})
    assert "until seven" in str(desk.words(story))
    assert desk.sound()


def test_a_page_that_always_fails_is_a_gap_and_those_behind_it_are_captured_whatever_of_5xx_it_answers(
    store: Store, clock: FixedClock, stack: ExitStack, site: TownSite
) -> None:
    page = Page(address=f"{site.base}/news", options={"render": "no", "links": "/news/*"})
    desk = Desk(store, clock, stack, WebPage, page, {})
    paths = [f"/news/{number}" for number in range(5)]
    site.put("/news", "News", "<p>What the town tells.</p>", links=paths)
    for number, path in enumerate(paths):
        site.put(path, f"Notice {number}", f"<p>Words of notice {number}, as the town tells them.</p>")
    assert told(desk.night()) == ("complete", 6, 0, 0, 0)

    # One page answers so, night after night: what stands behind it is captured, and nothing is told of it.
    for status in (502, 503, 504, 500):
        site.trouble = at((status, HTML, b"<p>trouble"), paths[1])
        site.sheets[paths[4]].words = f"<p>Other words behind it, on the day of the {status}.</p>"
        night = desk.night()
        assert told(night) == ("partial", 0, 1, 0, 0)
        assert [gap.native_id for gap in night.gaps] == [site.name(paths[1])]
    assert desk.states() == {}

    # Every page but the first answers so: the pass ends before it has asked for all of them.
    site.trouble = at((503, HTML, b"<p>trouble"), *paths)
    site.asked.clear()
    down = desk.night()
    assert (down.status, changed(down)) == ("partial", 0)
    assert not any(paths[4] in one for one in site.asked)
    site.trouble = None
    assert desk.night().status == "complete"
    assert (told(desk.night()), desk.states()) == (("complete", 0, 0, 0, 0), {})


def at(answered: Answer, *paths: str) -> Callable[[str], Answer | None]:
    """Trouble at these paths; at all of them where none is named."""
    return lambda path: answered if not paths or path in paths else None


def test_another_of_its_headings_that_becomes_the_title_is_an_edit_and_an_upgrade_is_none(
    store: Store, clock: FixedClock, stack: ExitStack, site: TownSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(address=f"{site.base}/", options={"render": "no"})
    desk = Desk(store, clock, stack, WebPage, page, {})

    def titled(title: str, *headings: str) -> None:
        heads = "".join(f"<h2>{one}</h2><p>Words of it, as they always were.</p>" for one in headings)
        site.instead["/"] = (200, HTML, f"<title>{title}</title>{heads}".encode())

    # 1. An archive in which no title counted is captured again by today's rule: nothing was edited.
    with monkeypatch.context() as before:
        kept = {name: own for name, own in marks.OWN_WORDS.items() if name != "webpage"}
        before.setattr(marks, "OWN_WORDS", kept)
        titled("Boil water", "Boil water", "Water is safe")
        assert told(desk.night()) == ("complete", 1, 0, 0, 0)
    for _ in range(2):
        assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 2. The title is another of the headings now, and nothing else changed.
    titled("Water is safe", "Boil water", "Water is safe")
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    assert desk.sound()
