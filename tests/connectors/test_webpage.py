"""Web pages over loopback: what they show, what is no edit, what proves no removal."""

from __future__ import annotations

import base64
import gzip
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture import marks
from app.store.evidence import cut
from connectors.contract import Batch, Cursor, Gap, Kind, Observation, Page, Sighting, State
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.http import EvidenceClient
from connectors.promises import ConnectorPromises
from connectors.webpage import Digg, MySpace, WebPage, markup, noise, places, reading
from connectors.webpage.place import Place
from connectors.webpage.rendering import Answer, NotRendered, Replay
from connectors.webpage.standing import instead_of
from tests.connectors.worlds import webpage_world as worlds
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import listings, seen
from tests.connectors.worlds.webpage_world import HTML, PromisedSite, Remark, TownSite

PASSWORD = "correct horse battery"
AT = "https://town.example/news"


class Pictures:
    """A renderer of ours that draws nothing: it says what it was given."""

    def __init__(self) -> None:
        self.asked: list[tuple[Replay, tuple[str, ...], bool]] = []
        self.broken = False
        self.here = True

    def available(self) -> bool:
        return self.here

    def render(
        self, replay: Replay, kinds: Sequence[str], *, scripts: bool = False, sandbox: bool = True
    ) -> tuple[dict[str, bytes], str]:
        self.asked.append((replay, tuple(kinds), scripts))
        if self.broken:
            raise NotRendered("the page took too long to render")
        return {kind: f"{kind} {len(self.asked)}".encode() for kind in kinds}, "Pictures/1"


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client() as client:
        yield client


@pytest.fixture
def site() -> Iterator[TownSite]:
    with TownSite() as town:
        town.put("/", "Welcome", "<p>Words of the front page.</p>")
        town.put("/news", "Road closure", "<p>Main Street is closed.</p>", documents=["/docs/agenda.pdf"])
        yield town


class Visit:
    """One connector at one page, and what its passes yield."""

    def __init__(self, site: TownSite, http: EvidenceClient, path: str = "/news", **options: str) -> None:
        self.site, self.path, self.pictures = site, path, Pictures()
        self.page = Page(address=site.base + path, options={"render": "no", **options})
        self.connector: WebPage = WebPage(http, renders=self.pictures)
        self.cursor: Cursor | None = None
        self.asked: list[str] = []

    def night(self) -> list[Batch]:
        """Observe from where the last night ended."""
        self.site.asked.clear()
        batches = list(self.connector.observe(self.page, self.cursor))
        self.asked = list(self.site.asked)
        self.cursor = batches[-1].resume_from
        return batches

    def post(self) -> Observation:
        return seen(self.night())[self.site.name(self.path)]

    def mark(self) -> bytes:
        """What the archive compares: two nights with the same mark are no edit."""
        return marks.seen("webpage", self.post()).mark(b"s" * 32)

    def look(self, *names: str) -> dict[str, Sighting]:
        batches = list(self.connector.look(self.page, [(Kind.POST, name) for name in names]))
        return {one.native_id: one for batch in batches for one in batch.sightings}


@pytest.fixture
def visit(site: TownSite, http: EvidenceClient) -> Visit:
    return Visit(site, http)


def sightings(batches: Sequence[Batch]) -> list[tuple[str, State]]:
    return [(one.native_id, one.state) for batch in batches for one in batch.sightings]


def gaps(batches: Sequence[Batch]) -> list[Gap]:
    return [one for batch in batches for one in batch.gaps]


def read(html: str | bytes, content_type: str = "text/html; charset=utf-8", *ignored: str) -> reading.Reading:
    return reading.read(html.encode() if isinstance(html, str) else html, content_type, AT, ignored)


def stands(html: str, asked: str = AT, answered: str = AT, *missing: str) -> str | None:
    return instead_of(read(html), asked=asked, answered=answered, missing=missing)


# --- what every connector promises ------------------------------------------------------------------------


class TestSiteBehindAPassword(ConnectorPromises):
    def world(self):
        return PromisedSite(password=PASSWORD)

    def connector(self, client):
        return WebPage(client, {"user": "archivist", "password": PASSWORD})


class TestMySpaceWithCommentsInMicrodata(ConnectorPromises):
    def world(self):
        return PromisedSite(main="/testtown", addresses="/news/1 /news/2", microdata=True)

    def connector(self, client):
        return MySpace(client)


# --- what a page says -------------------------------------------------------------------------------------


def test_a_page_is_one_post_with_its_words_times_language_and_own_address(site, visit):
    site.sheets["/news"].modified = "2026-05-03T09:00:00+02:00"
    post = visit.post()
    assert post.kind is Kind.POST
    assert post.text.startswith("Road closure | Test Town\n\nHome\n\nRoad closure\n\nMain Street is closed.")
    assert (post.language, post.url) == ("en", f"{site.base}/news")
    assert post.published_at == datetime(2026, 5, 1, 8, tzinfo=UTC)
    assert post.edited_at == datetime(2026, 5, 3, 7, tzinfo=UTC)
    assert post.extra["title"] == "Road closure | Test Town"
    assert post.extra["canonical"] == f"{site.base}/news"
    assert post.extra["scripts"] == [f"{site.host}/js/site.js"]


def test_all_bytes_of_the_page_and_of_its_files_are_its_evidence(site, visit):
    (batch,) = visit.night()
    (post,) = batch.observations
    owned = {span.exchange for span in post.evidence}
    assert owned == set(range(len(batch.exchanges)))
    assert all(span.end == len(batch.exchanges[span.exchange].body) for span in post.evidence)
    fetched = {one.url.removeprefix(site.base).partition("?")[0] for one in batch.exchanges}
    assert fetched == {
        "/news", "/theme/site.css", "/theme/print.css", "/theme/town.woff2", "/theme/bg.png", "/img/town.png", "/docs/agenda.pdf",
    }  # fmt: skip


def test_an_attachment_says_which_exchange_holds_its_bytes(visit):
    (batch,) = visit.night()
    held = {f"sha256:{_sha256(one.body)}" for one in batch.exchanges}
    (post,) = batch.observations
    assert len(post.attachments) == 6
    assert all(file.path == file.id and file.path in held and file.url for file in post.attachments)


def test_scripts_are_listed_and_not_fetched_unless_an_officer_says_so(site, http):
    quiet = Visit(site, http)
    quiet.night()
    assert not [one for one in quiet.asked if one.startswith("/js/")]
    running = Visit(site, http, scripts="yes")
    assert any(file.media_type == "text/javascript" for file in running.post().attachments)


def test_documents_that_are_linked_are_captured_unless_an_officer_leaves_them_out(site, http):
    kept = [file.description for file in Visit(site, http).post().attachments]
    assert "A document" in kept
    left = [file.description for file in Visit(site, http, documents="no").post().attachments]
    assert "A document" not in left


def test_named_addresses_and_linked_pages_are_captured_one_step_deep_and_within_the_bound(site, http):
    for number in range(4):
        site.put(
            f"/news/{number}", f"Notice {number}", "<p>Words.</p>", links=["/news/deeper", "/news/image.png"]
        )
    site.put("/contact", "Contact", "<p>Write to us.</p>")
    site.sheets["/news"].links = [f"/news/{number}" for number in range(4)] + [
        "https://elsewhere.example/news/5"
    ]
    batches = Visit(site, http, links="/news/*", most="3", addresses="/contact").night()
    assert set(seen(batches)) == {
        site.name(one) for one in ("/news", "/contact", "/news/0", "/news/1", "/news/2")
    }
    assert [gap.what for gap in gaps(batches)] == ["linked pages"]


def test_a_page_that_is_no_longer_linked_is_still_asked_for(site, http):
    site.put("/news/1", "Notice", "<p>Words.</p>")
    site.sheets["/news"].links = ["/news/1"]
    visit = Visit(site, http, links="/news/*")
    visit.night()
    site.sheets["/news"].links = []
    assert site.name("/news/1") in seen(visit.night())


# --- what is no edit --------------------------------------------------------------------------------------


def test_tokens_nonces_counters_clocks_and_comments_in_the_markup_are_no_edit(site, visit):
    assert len({visit.mark() for _ in range(4)}) == 1
    bodies = {batch.exchanges[0].body for batch in visit.night()}
    assert bodies, "nothing was served"
    assert visit.asked.count("/news") == 1, (
        "a page that is known to vary there is not asked for twice each night"
    )


def test_noise_is_known_without_what_the_last_night_remembered(site, visit):
    before = visit.mark()
    visit.cursor = None
    assert visit.mark() == before


def test_the_bytes_as_served_are_kept_with_their_noise(site, visit):
    (batch,) = visit.night()
    assert b"visitor 1001" in batch.exchanges[0].body
    assert "visitor …" in batch.observations[0].text
    assert batch.observations[0].extra["left_out_as_varying"] == 1


@pytest.mark.parametrize(
    "words",
    [
        "<p>Main Street is open.</p>",
        "<p>Main Street is closed. Until 20:00.</p>",
        "<p><a href='/map'>Main Street</a> is closed.</p>",
    ],
)
def test_other_words_numbers_and_links_are_an_edit(site, visit, words):
    before = visit.mark()
    site.sheets["/news"].words = words
    assert visit.mark() != before


def test_a_number_that_stands_still_for_a_moment_is_compared(site, visit):
    site.sheets["/news"].words = "<p>The lake stands at 345 feet.</p>"
    before = visit.mark()
    site.sheets["/news"].words = "<p>The lake stands at 352 feet.</p>"
    assert visit.mark() != before


def test_how_the_markup_is_dressed_is_no_edit(site, visit):
    site.counts = False
    site.sheets["/news"].words = "<div class=a><p id=x style='color:red'>Main  Street\nis closed.</p></div>"
    before = visit.mark()
    site.sheets[
        "/news"
    ].words = "<div data-b=2><!-- c --><p class='y z'>Main Street is closed.</p><script>f()</script></div>"
    assert visit.mark() == before


def test_a_time_told_from_where_the_reader_stands_is_no_edit(site, visit):
    site.sheets["/news"].words = "<p>Posted <time datetime='2026-05-01T08:00Z'>3 hours ago</time></p>"
    before = visit.mark()
    site.sheets["/news"].words = "<p>Posted <time datetime='2026-05-01T08:00Z'>yesterday</time></p>"
    assert visit.mark() == before
    site.sheets["/news"].words = "<p>Posted <time datetime='2026-05-01T08:00Z'>on May Day</time></p>"
    assert visit.mark() != before


def test_a_part_that_an_officer_names_is_no_part_of_the_words(site, http):
    visit = Visit(site, http, ignore="#weather .ad aside")
    site.sheets[
        "/news"
    ].words = (
        "<p>Closed.</p><div id=weather>Sunny <div>23</div></div><p class='big ad'>Buy</p><aside>Also</aside>"
    )
    before = visit.mark()
    site.sheets["/news"].words = "<p>Closed.</p><div id=weather>Rain</div><p class='ad'>Sell</p>"
    assert visit.mark() == before
    site.sheets["/news"].words = "<p>Open.</p>"
    assert visit.mark() != before


def test_a_time_of_modification_that_changes_while_nothing_else_does_is_no_edit(site, visit):
    site.sheets["/news"].modified = "2026-05-03T09:00:00Z"
    before = visit.mark()
    site.sheets["/news"].modified = "2026-05-04T09:00:00Z"
    assert visit.mark() == before
    site.sheets["/news"].words = "<p>Open.</p>"
    assert visit.post().edited_at == datetime(2026, 5, 4, 9, tzinfo=UTC)


def test_the_same_file_under_another_address_is_no_edit_and_another_file_under_the_same_is(site, visit):
    before = visit.mark()
    site.signed += 1
    assert visit.mark() == before
    site.files["/pictures/moved.png"] = site.files["/img/town.png"]
    site.sheets["/news"].pictures = ["/pictures/moved.png"]
    assert visit.mark() == before
    site.files["/pictures/moved.png"] = ("image/png", worlds.png(worlds.BLUE, 3, 3))
    assert visit.mark() != before


def test_a_document_that_is_replaced_under_its_address_is_an_edit(site, visit):
    before = visit.mark()
    site.files["/docs/agenda.pdf"] = ("application/pdf", b"%PDF-1.4 another agenda")
    assert visit.mark() != before


def test_a_file_that_is_another_one_at_every_look_is_known_by_its_address(site, visit):
    visit.night()
    number = iter(range(99))
    site.trouble = lambda path: (
        (200, {"Content-Type": "image/png"}, worlds.png((next(number), 0, 0), 2, 2))
        if path == "/img/town.png"
        else None
    )
    marks = [visit.mark() for _ in range(3)]
    assert len(set(marks)) == 1
    assert f"address:{site.host}/img/town.png" in [file.id for file in visit.post().attachments]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<img src='/blank.gif' data-lazy-src='/a.jpg'>", ["/blank.gif", "/a.jpg"]),
        ("<img src='data:image/gif;base64,R0' data-original='/a.jpg'>", ["/a.jpg"]),
        ("<img src='data:image/gif;base64,R0' data-src='/a.jpg'>", ["/a.jpg"]),
        ("<img data-lazy-srcset='/a.jpg 1x, /b.jpg 2x'>", ["/a.jpg", "or /b.jpg"]),
        ("<img srcset='/a.jpg 1x,/b.jpg 2x'>", ["/a.jpg", "or /b.jpg"]),
        ("<img srcset='/a,1.jpg 1x, /b.jpg'>", ["/a,1.jpg", "or /b.jpg"]),
        ("<img srcset='data:image/png;base64,aa== 1x, /a.jpg 2x'>", ["/a.jpg"]),
        ("<video src='/v.mp4'><track src='/words.vtt' label='English'></video>", ["/v.mp4", "/words.vtt"]),
        ("<noscript><img src='/a.jpg'></noscript>", ["/a.jpg"]),
        ("<img src='data:image/gif;base64,R0'>", []),
    ],
)
def test_every_file_that_a_reader_would_come_to_see_is_named(written, shown):
    found = [
        named
        for file in read(written).files
        for named in (file.address, *(f"or {other}" for other in file.instead))
    ]
    assert [one.replace("https://town.example", "") for one in found] == shown


def test_a_page_that_is_nothing_but_frames_says_that_its_words_stand_elsewhere(site, visit):
    framed = "<html><head><title>Town</title></head><frameset><frame src='/left'></frameset></html>"
    site.trouble = lambda path: (200, HTML, framed.encode()) if path == "/news" else None
    (gap,) = gaps(visit.night())
    assert (gap.what, gap.native_id) == ("the frames of the page", site.name("/news"))
    assert f"{site.base}/left" in gap.why
    site.trouble = lambda _: None
    assert gaps(Visit(site, visit.connector._http).night()) == []


@pytest.mark.parametrize(("words", "told"), [("", True), ("<p>Main Street is closed.</p>", False)])
def test_a_page_that_says_nothing_before_its_scripts_have_run_is_a_gap(site, visit, words, told):
    page = f"<html><head><title>App</title></head><body><div id='root'>{words}</div><script src='/a.js'></script></body></html>"
    site.trouble = lambda path: (200, HTML, page.encode()) if path == "/news" else None
    assert [one.what for one in gaps(visit.night())] == (["the words of the page"] if told else [])


@pytest.mark.parametrize(
    ("leads", "state"), [("/gone-with-the-relaunch", State.UNKNOWN), ("/news/", State.GONE)]
)
def test_404_of_another_address_to_which_the_page_leads_proves_nothing(site, visit, leads, state):
    visit.night()
    site.trouble = lambda path: (302, {"Location": leads}, b"") if path == "/news" else None
    batches = visit.night()
    assert sightings(batches) == [(site.name("/news"), state)]
    assert bool(gaps(batches)) is (state is State.UNKNOWN)


@pytest.mark.parametrize("path", ["/img/town.png", "/docs/agenda.pdf"])
def test_a_file_that_was_another_one_at_every_look_from_the_first_is_no_edit(site, visit, path):
    number = iter(range(99))
    kind = "application/pdf" if path.endswith(".pdf") else "image/png"
    site.trouble = lambda asked: (
        (200, {"Content-Type": kind}, b"%%PDF %d" % next(number)) if asked == path else None
    )
    assert len({visit.mark() for _ in range(3)}) == 1
    site.trouble = lambda _: None
    site.files["/docs/other.pdf"] = ("application/pdf", b"%PDF of a night")
    site.sheets["/news"].documents = ["/docs/agenda.pdf", "/docs/other.pdf"]
    before = visit.mark()
    site.files["/docs/other.pdf"] = ("application/pdf", b"%PDF of another night")
    assert visit.mark() != before, "another file is an edit all the same"


def test_a_picture_that_another_one_follows_at_every_look_is_no_edit(site, visit):
    for number in range(3):
        site.files[f"/img/{number}.png"] = ("image/png", worlds.png((number, 9, 9), 2, 2))
    site.rotating = [f"/img/{number}.png" for number in range(3)]
    assert len({visit.mark() for _ in range(4)}) == 1
    site.rotating, site.sheets["/news"].pictures = [], ["/img/town.png", "/img/1.png"]
    before = visit.mark()
    site.sheets["/news"].pictures = ["/img/town.png", "/img/2.png"]
    assert visit.mark() != before


def test_a_file_that_fails_is_asked_for_once_in_a_pass_however_many_pages_show_it(site, http):
    site.put("/a", "A", "<p>Words.</p>")
    site.instead["/img/town.png"] = (500, HTML, b"trouble")
    visit = Visit(site, http, addresses="/a")
    assert len(gaps(visit.night())) == 2
    assert len([one for one in visit.asked if one.startswith("/img/town.png")]) == 1


def once(site: TownSite, path: str, *answers: tuple[str, bytes]) -> None:
    """The next answers for a file, one after the other; then it is what the last one was."""
    left = list(answers)
    site.files[path] = left[-1]

    def told(asked: str) -> tuple[int, dict[str, str], bytes] | None:
        if asked != path or not left:
            return None
        media_type, body = left.pop(0)
        return 200, {"Content-Type": media_type}, body

    site.trouble, site.patience = told, 0


@pytest.mark.parametrize(
    ("stumble", "changed"),
    [
        (("application/pdf", b""), False),
        (("text/html", b"<p>Sign in</p>"), False),
        (("application/pdf", b"%PDF half"), False),
        (("application/pdf", b""), True),
        (("text/html", b"<p>Sign in</p>"), True),
    ],
)
def test_a_file_in_whose_place_something_else_came_once_does_not_vary(site, visit, stumble, changed):
    before = {file.id for file in visit.post().attachments}
    right: tuple[str, bytes] = (
        ("application/pdf", b"%PDF-1.7 changed") if changed else site.files["/docs/agenda.pdf"]
    )
    once(site, "/docs/agenda.pdf", stumble, right)
    after = {file.id for file in visit.post().attachments}
    assert f"sha256:{sha256(right[1]).hexdigest()}" in after
    assert (after == before) is not changed


STAND_INS = {
    "a form to sign in": (200, HTML, worlds.SIGN_IN.encode()),
    "a page without a type": (200, {}, b"<!-- x --><html><title>Sign in</title></html>"),
    "a page that says it is the file": (200, {"Content-Type": "application/pdf"}, worlds.SIGN_IN.encode()),
    "a message": (200, {"Content-Type": "application/json"}, b'{"error": "unauthorized"}'),
    "nothing": (200, {"Content-Type": "application/pdf"}, b""),
    "not modified": (304, {}, b""),
    "a part": (206, {"Content-Range": "bytes 0-3/20"}, b"%PDF"),
    "broken compression": (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08broken"),
}


@pytest.mark.parametrize("stands", STAND_INS)
def test_what_stands_in_a_files_place_at_first_is_no_file_and_the_files_coming_is_no_edit(
    site, visit, stands
):
    site.instead |= dict.fromkeys(("/docs/agenda.pdf", "/img/town.png"), STAND_INS[stands])
    batches = visit.night()
    first = seen(batches)[site.name("/news")]
    ids = {f"sha256:{sha256(STAND_INS[stands][2]).hexdigest()}"}
    assert not ids & {file.id for file in first.attachments}
    assert len(gaps(batches)) == 2
    before = visit.mark()
    site.instead.clear()
    batches = visit.night()
    assert (marks.seen("webpage", seen(batches)[site.name("/news")]).mark(b"s" * 32), gaps(batches)) == (
        before,
        [],
    )
    site.files["/docs/agenda.pdf"] = ("application/pdf", b"%PDF-1.4 the agenda of June")
    assert visit.mark() != before, "another file in its place is an edit"


@pytest.mark.parametrize("stands", STAND_INS)
def test_what_stands_in_a_files_place_for_a_night_edits_nothing(site, visit, stands):
    before = visit.mark()
    site.instead |= dict.fromkeys(("/docs/agenda.pdf", "/img/town.png"), STAND_INS[stands])
    batches = visit.night()
    assert marks.seen("webpage", seen(batches)[site.name("/news")]).mark(b"s" * 32) == before
    assert len(gaps(batches)) == 2


def test_a_download_that_is_a_web_page_from_the_first_is_kept_as_one(site, visit):
    site.sheets["/news"].words = "<a href='/export?id=5' download>The minutes</a>"
    site.instead["/export"] = (200, HTML, b"<!DOCTYPE html><title>Minutes</title><p>The council met.</p>")
    batches = visit.night()
    (file,) = [
        one for one in seen(batches)[site.name("/news")].attachments if one.url == f"{site.base}/export?id=5"
    ]
    assert file.id.startswith("sha256:")
    assert gaps(batches) == []


@pytest.mark.parametrize("known", [False, True], ids=["at first", "later"])
@pytest.mark.parametrize("status", [404, 410, 304, 206])
def test_one_answer_that_stumbled_costs_no_file(site, visit, status, known):
    right = {file.id for file in visit.post().attachments}
    if not known:
        visit.cursor = None
    for path in ("/docs/agenda.pdf", "/theme/site.css", "/theme/town.woff2"):
        answers_once(site, path, (status, HTML, b"<p>no such file"))
        batches = visit.night()
        post = seen(batches)[site.name("/news")]
        assert ({file.id for file in post.attachments}, gaps(batches)) == (right, [])
        assert "broken_files" not in post.extra
        if not known:
            visit.cursor = None


def test_a_file_that_is_broken_is_asked_for_once_a_night_and_what_fails_there_changes_nothing(site, visit):
    del site.files["/img/town.png"]
    before = visit.mark()
    assert visit.mark() == before
    assert len([one for one in visit.asked if "/img/town.png" in one]) == 1
    site.instead["/img/town.png"] = (500, HTML, b"trouble")
    batches = visit.night()
    assert marks.seen("webpage", seen(batches)[site.name("/news")]).mark(b"s" * 32) == before
    assert len(gaps(batches)) == 1


def answers_once(site: TownSite, path: str, answer: worlds.Answer) -> None:
    """The next answer of this path; then it answers as ever."""
    left = [answer]
    site.trouble, site.patience = lambda asked: left.pop() if asked == path and left else None, 0


def test_a_file_that_was_never_had_and_is_said_to_be_unchanged_is_still_no_edit_when_it_comes(site, visit):
    site.instead["/docs/agenda.pdf"] = (500, HTML, b"trouble")
    before = visit.mark()
    site.instead["/docs/agenda.pdf"] = (304, {}, b"")
    assert visit.mark() == before
    del site.instead["/docs/agenda.pdf"]
    assert visit.mark() == before


def test_what_a_style_sheet_names_counts_from_where_it_stands(site, visit):
    site.instead["/theme/site.css"] = (302, {"Location": "/v2/look/site.css"}, b"")
    site.files["/v2/look/site.css"] = ("text/css", b"body{background:url(wall.png)}")
    site.files["/v2/look/wall.png"] = ("image/png", worlds.png(worlds.BLUE, 4, 4))
    post = visit.post()
    assert f"{site.base}/v2/look/wall.png" in {file.url for file in post.attachments}
    assert "broken_files" not in post.extra


def test_a_file_in_whose_place_nothing_came_before_the_site_failed_keeps_its_id_and_is_a_gap(site, visit):
    before = {file.id for file in visit.post().attachments}
    once(site, "/docs/agenda.pdf", ("application/pdf", b""))
    site.instead["/docs/agenda.pdf"] = (500, HTML, b"trouble")
    batches = visit.night()
    assert {file.id for file in seen(batches)[site.name("/news")].attachments} == before
    assert [gap.why for gap in gaps(batches)] == ["something else came in its place, and then nothing"]


def test_a_file_that_is_another_at_each_of_two_answers_varies(site, visit):
    visit.night()
    once(site, "/docs/agenda.pdf", ("application/pdf", b"one"), ("application/pdf", b"two"))
    assert f"address:{site.host}/docs/agenda.pdf" in {file.id for file in visit.post().attachments}


def handed_over(batches: Sequence[Batch]) -> list[str]:
    """The addresses of the answers of a pass; each answer is handed over once."""
    told = [one for batch in batches for one in batch.exchanges]
    assert len({id(one) for one in told}) == len(told)
    return [one.url for one in told]


def test_a_file_that_several_new_pages_show_is_handed_over_with_each_as_an_answer_of_its_own(site, http):
    site.put("/a", "A", "<p>Words.</p>")
    visit = Visit(site, http, addresses="/a")

    batches = visit.night()

    told = handed_over(batches)
    assert told.count(f"{site.base}/theme/print.css") == visit.asked.count("/theme/print.css") == 2
    for batch in batches:
        (page,) = (one for one in batch.observations if one.kind is Kind.POST)
        bodies = {f"sha256:{sha256(one.body).hexdigest()}" for one in batch.exchanges}
        files = {one.id for one in page.attachments if one.id.startswith("sha256:")}
        assert files
        assert files <= bodies, "the record cannot keep the bytes of its files"


def test_a_file_that_the_records_of_changed_pages_have_is_asked_for_once(site, http):
    site.put("/a", "A", "<p>Words.</p>")
    visit = Visit(site, http, addresses="/a")
    before = seen(visit.night())
    for path in ("/news", "/a"):
        site.sheets[path].words = "<p>Quite other words.</p>"

    batches = visit.night()

    assert handed_over(batches).count(f"{site.base}/theme/print.css") == 1
    after = seen(batches)
    assert [after[name].attachments for name in after] == [before[name].attachments for name in after]


def test_a_file_that_changed_is_asked_for_by_each_page_that_shows_it(site, http):
    site.put("/a", "A", "<p>Words.</p>")
    site.put("/b", "B", "<p>More words.</p>")
    visit = Visit(site, http, addresses="/a /b")
    visit.night()
    site.files["/theme/site.css"] = ("text/css", b"body{margin:1px}")

    batches = visit.night()

    handed_over(batches)
    changed = f"sha256:{sha256(b'body{margin:1px}').hexdigest()}"
    for batch in batches:
        assert changed in {f"sha256:{sha256(one.body).hexdigest()}" for one in batch.exchanges}
        assert changed in {file.id for one in batch.observations for file in one.attachments}


def test_a_file_that_cannot_be_had_this_time_keeps_its_id_and_is_a_gap(site, visit):
    before = visit.mark()
    site.instead["/img/town.png"] = (500, HTML, b"trouble")
    batches = visit.night()
    assert marks.seen("webpage", seen(batches)[site.name("/news")]).mark(b"s" * 32) == before
    (gap,) = gaps(batches)
    assert "/img/town.png" in gap.what
    assert "500" in gap.why


def test_a_file_that_the_site_no_longer_has_is_an_edit_and_is_listed_as_broken(site, visit):
    before = visit.mark()
    del site.files["/img/town.png"]
    after = visit.post()
    assert marks.seen("webpage", after).mark(b"s" * 32) != before
    assert after.extra["broken_files"] == [f"{site.base}/img/town.png?v=1"]


def test_a_web_page_in_place_of_a_picture_is_a_gap_and_no_edit(site, visit):
    before = visit.mark()
    site.instead["/img/town.png"] = (200, HTML, worlds.SIGN_IN.encode())
    batches = visit.night()
    assert marks.seen("webpage", seen(batches)[site.name("/news")]).mark(b"s" * 32) == before
    assert len(gaps(batches)) == 1


def test_files_that_did_not_change_are_not_transferred_again(site, visit):
    site.validators = True
    before = visit.mark()
    (batch,) = visit.night()
    files = [one for one in batch.exchanges if "/news" not in one.url]
    assert files
    assert {one.status for one in files} == {304}
    assert marks.seen("webpage", batch.observations[0]).mark(b"s" * 32) == before


def test_a_picture_of_forty_megabytes_is_a_gap_and_left_to_be_streamed(site, visit):
    site.files["/img/huge.png"] = ("image/png", bytes(40 * 1024 * 1024))
    site.sheets["/news"].pictures = ["/img/huge.png"]
    (batch,) = visit.night()
    (gap,) = batch.gaps
    assert "/img/huge.png" in gap.what
    assert "more than" in gap.why
    (file,) = [one for one in batch.observations[0].attachments if one.id.startswith("address:")]
    assert file.url == f"{site.base}/img/huge.png?v=1"
    assert sum(len(one.body) for one in batch.exchanges) < 1024 * 1024
    before = marks.seen("webpage", batch.observations[0]).mark(b"s" * 32)
    assert visit.mark() == before
    assert not [one for one in visit.asked if "huge" in one], "it is not read in vain every night"


# --- what stands in the page's place ----------------------------------------------------------------------

WALLS = {
    "consent": worlds.CONSENT,
    "soft 404": worlds.SOFT_404,
    "sign in": worlds.SIGN_IN,
    "parked": worlds.PARKED,
    "challenge": worlds.CHALLENGE,
    "maintenance": "<title>Test Town</title><h1>We are down for maintenance</h1><p>Back soon.</p>",
    "default page": "<title>Apache2 Debian Default Page: It works</title><p>It works!</p>",
    "german 404": "<title>Test Town - Seite nicht gefunden</title><h1>Seite nicht gefunden</h1><p>Leider.</p>",
    "leads on": "<title>Town</title><meta http-equiv=refresh content='0; url=/elsewhere'><p>Moving on.</p>",
    "empty": "<html><body></body></html>",
    "sign in without a password": "<title>Sign in to your account</title><h1>Sign in</h1><form><input type=email></form>",
    "a message": '{"error": "unauthorized"}',
    "back soon": "<title>We'll be back soon</title><h1>We'll be back soon!</h1><p>Sorry for the inconvenience.</p>",
    "a proxy": "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>",
    "a proxy in plain words": "upstream connect error or disconnect/reset before headers. reset reason: termination",
    "another challenge": "<title>Making sure you&#39;re not a bot!</title><h1>Making sure you're not a bot!</h1>",
    "a firewall in a frame": "<body>Request unsuccessful. Incapsula incident ID: 123-456</body>",
}


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("known", [False, True], ids=["at first", "later"])
def test_what_stands_in_the_pages_place_is_unexpected_and_never_an_edit(site, visit, wall, known):
    if known:
        visit.night()
    site.instead["/news"] = (200, HTML, WALLS[wall].encode())
    with pytest.raises(UnexpectedResponse) as error:
        visit.night()
    assert any(one.body == WALLS[wall].encode() for one in error.value.exchanges), "what came is evidence"
    del site.instead["/news"]
    assert site.name("/news") in seen(visit.night())


@pytest.mark.parametrize("wall", WALLS)
def test_of_one_page_among_several_it_is_a_gap_and_the_others_are_captured(site, http, wall):
    site.put("/a", "A", "<p>Words.</p>")
    visit = Visit(site, http, addresses="/a /contact")
    site.instead["/contact"] = (200, HTML, WALLS[wall].encode())
    batches = visit.night()
    assert set(seen(batches)) == {site.name("/news"), site.name("/a")}
    assert [gap.native_id for gap in gaps(batches)] == [site.name("/contact")]


PAGES = {
    "a banner": "<title>Road closure</title><h1>Road closure</h1><p>Main Street is closed between Mill Road and the bridge until eight "
    "in the evening because of works on the water main.</p><div>We use cookies. <button>Accept all</button></div>",
    "a box to sign in": "<title>Road closure</title><p>"
    + "Main Street is closed. " * 30
    + "</p><form><input type=password></form>",
    "an article on errors": "<title>404: the story of an error | Town library</title><h1>404: the story of an error</h1><p>Not found is what…</p>",
    "about domains": "<title>Council minutes</title><p>"
    + "The council met. " * 120
    + "This domain is for sale, said one.</p>",
    "about maintenance": "<title>Bridge</title><p>"
    + "The bridge is closed. " * 30
    + "It is under maintenance.</p>",
    "a privacy notice": "<title>Cookies</title><h1>How this site uses cookies</h1><p>"
    + "The town keeps nothing about you at all. " * 5,
    "short": "<title>Notice</title><p>Closed today.</p>",
    "maintenance of a road": "<title>Road maintenance</title><p>Mill Road is undergoing maintenance until Friday.</p>",
    "a number": "<title>500 trees</title><p>The town plants five hundred trees.</p>",
    "how to sign in": "<title>How to sign in to the library</title><p>Ask for a card at the desk.</p>",
    "a gallery": "<title></title><img src=/a.png>",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_a_banner_a_box_or_such_words_is_still_a_page(page):
    assert stands(PAGES[page]) is None


def test_a_page_that_leads_to_the_front_page_or_to_a_sign_in_is_not_the_page():
    page = "<title>Welcome</title><p>Words of the front page.</p>"
    assert "front page" in str(stands(page, AT, "https://www.town.example/"))
    assert stands(page, "https://town.example/", "https://www.town.example/") is None
    assert "sign in" in str(stands(page, AT, "https://town.example/login?next=/news"))
    assert "consent" in str(stands(page, AT, "https://consent.town.example/?to=/news"))
    assert stands(page, AT, "https://town.example/news/") is None


def test_words_that_an_officer_gave_tell_this_sites_own_notice():
    page = "<title>Town</title><h1>Hier ist nichts zu sehen</h1><p>Bitte weitergehen.</p>"
    assert stands(page) is None
    assert "own notice" in str(stands(page, AT, AT, "nichts zu sehen"))


def test_a_page_that_the_site_shows_for_any_address_is_no_edit_of_this_one(site, visit):
    visit.night()
    anything = (200, HTML, b"<title>Test Town</title><p>Welcome to our new site.</p>")
    del site.sheets["/news"]
    site.trouble = lambda path: anything if path not in {"/", *site.files} else None
    with pytest.raises(UnexpectedResponse, match="any address"):
        visit.night()
    site.trouble = lambda path: anything if path == "/news" else None
    assert "our new site" in visit.post().text, "of a site that knows what it has not, it is an edit"


OTHERS = {
    "another page": b"<!DOCTYPE html><title>Dog licences | Test Town</title><h1>Dog licences</h1><p>Each dog needs one.</p>",
    "a portal": b"<title>CityNet</title><h1>Welcome to CityNet</h1><p>Press connect to get online for an hour.</p>",
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("known", [False, True], ids=["at first", "later"])
@pytest.mark.parametrize("looks", [0, 1], ids=["first look", "second look"])
def test_another_pages_words_at_one_look_are_neither_an_edit_nor_noise(site, visit, other, known, looks):
    site.sheets["/news"].remarks = [Remark("c1", "Al", "What about Mill Road?")]
    right = visit.mark()
    edited = known and looks == 1
    if edited:  # a second look is taken of what is not as it was
        site.sheets["/news"].words = "<p>Main Street is open.</p>"
    if not known:
        visit.cursor = None
    left: list[worlds.Answer | None] = [None] * looks + [(200, HTML, OTHERS[other])]
    site.trouble = lambda path: left.pop(0) if path == "/news" and left else None
    site.patience = 0
    batches = visit.night()
    post = seen(batches)[site.name("/news")]
    assert ("open" if edited else "closed") in post.text
    assert "licences" not in post.text
    assert site.name("/news", "c1") in seen(batches)
    site.trouble = None
    assert (marks.seen("webpage", post).mark(b"s" * 32) == right) is not edited
    assert visit.mark() == marks.seen("webpage", post).mark(b"s" * 32), (
        "and the night after it knows the page"
    )


def test_a_page_that_becomes_another_one_is_an_edit(site, visit):
    before = visit.mark()
    site.instead["/news"] = (200, HTML, OTHERS["another page"])
    after = visit.post()
    assert marks.seen("webpage", after).mark(b"s" * 32) != before
    assert "licences" in after.text


def test_a_page_that_leads_to_another_site_later_is_no_edit(site, visit):
    visit.night()
    with TownSite() as other:
        other.put("/sold", "Shoes", "<p>Cheap shoes.</p>")
        site.instead["/news"] = (
            302,
            {"Location": f"{other.base.replace('127.0.0.1', 'localhost')}/sold"},
            b"",
        )
        with pytest.raises(UnexpectedResponse, match="another site"):
            visit.night()


def test_a_redirect_inside_the_site_is_followed_and_named(site, visit):
    site.put("/2026/news", "Road closure", "<p>Main Street is closed.</p>")
    site.instead["/news"] = (301, {"Location": "/2026/news"}, b"")
    post = visit.post()
    assert post.native_id == site.name("/news")
    assert post.extra["answered_at"] == f"{site.base}/2026/news"


def test_something_other_than_a_web_page_is_unexpected(site, visit):
    site.instead["/news"] = (200, {"Content-Type": "application/json"}, b"{}")
    with pytest.raises(UnexpectedResponse, match="no web page"):
        visit.night()
    site.instead["/news"] = (
        200,
        {"Content-Type": "text/plain; charset=utf-8"},
        "Closed:\n  Müllgasse".encode(),
    )
    assert visit.post().text == "Closed:\n  Müllgasse"


# --- what is gone -----------------------------------------------------------------------------------------


@pytest.fixture
def two(site: TownSite, http: EvidenceClient) -> Visit:
    site.put("/a", "A", "<p>Words.</p>")
    visit = Visit(site, http, addresses="/a")
    visit.night()
    return visit


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_was_there_is_gone_when_the_site_says_so_and_otherwise_answers(site, two, status):
    site.instead["/a"] = (status, HTML, b"<title>Not found</title>")
    batches = two.night()
    assert sightings(batches) == [(site.name("/a"), State.GONE)]
    assert gaps(batches) == []
    looked = two.look(site.name("/a"), site.name("/news"))
    assert looked[site.name("/a")].state is State.GONE
    assert looked[site.name("/a")].reason.startswith(str(status))
    assert looked[site.name("/news")].state is State.PRESENT


@pytest.mark.parametrize("status", [404, 410])
def test_one_answer_that_there_is_no_such_page_makes_none_gone(site, two, status):
    stumble = (status, HTML, b"<title>Not found</title>")
    answers_once(site, "/a", stumble)
    batches = two.night()
    assert sightings(batches) == [(site.name("/a"), State.UNKNOWN)]
    assert [gap.native_id for gap in gaps(batches)] == [site.name("/a")]
    answers_once(site, "/a", stumble)
    assert two.look(site.name("/a"))[site.name("/a")].state is State.UNKNOWN
    assert site.name("/a") in seen(two.night())


@pytest.mark.parametrize(
    "front",
    [
        (404, HTML, b"no"),
        (500, HTML, b"no"),
        (403, HTML, b"no"),
        (200, HTML, worlds.PARKED.encode()),
        (200, HTML, worlds.CONSENT.encode()),
    ],
    ids=["404", "500", "403", "parked", "consent"],
)
def test_404_of_a_site_whose_front_page_does_not_answer_proves_nothing(site, two, front):
    site.instead |= {"/a": (404, HTML, b"<title>Not found</title>"), "/": front}
    batches = two.night()
    assert sightings(batches) == [(site.name("/a"), State.UNKNOWN)]
    assert [gap.native_id for gap in gaps(batches)] == [site.name("/a")]
    assert two.look(site.name("/a"))[site.name("/a")].state is State.UNKNOWN


def test_404_and_410_with_a_form_to_sign_in_prove_nothing(site, two):
    for status in (404, 410):
        site.instead["/a"] = (status, HTML, worlds.SIGN_IN.encode())
        assert sightings(two.night()) == [(site.name("/a"), State.UNKNOWN)]


def test_404_of_the_front_page_itself_proves_nothing(site, http):
    visit = Visit(site, http, "/")
    visit.night()
    del site.sheets["/"]
    assert sightings(visit.night()) == [(site.name("/"), State.UNKNOWN)]


def test_an_address_where_nothing_ever_was_is_no_page(site, http):
    with pytest.raises(NoSuchPage, match="opens in a browser"):
        Visit(site, http, "/nowhere").night()
    batches = Visit(site, http, addresses="/nowhere").night()
    assert sightings(batches) == []
    assert "no page was ever captured" in gaps(batches)[0].why


@pytest.mark.parametrize("status", [401, 403, 451, 500])
def test_a_refusal_of_one_page_among_several_is_a_gap(site, two, status):
    site.instead["/a"] = (status, HTML, b"no")
    batches = two.night()
    assert sightings(batches) == []
    assert [gap.native_id for gap in gaps(batches)] == [site.name("/a")]
    assert two.look(site.name("/a"))[site.name("/a")].state is State.UNKNOWN


def test_a_page_that_comes_back_is_present_again(site, two):
    site.instead["/a"] = (410, HTML, b"gone")
    two.night()
    del site.instead["/a"]
    assert seen(two.night())[site.name("/a")].state is State.PRESENT


def test_the_sites_own_delay_is_kept_and_another_hosts_throttle_is_only_a_gap(site, visit, http):
    site.instead["/news"] = (429, {"Retry-After": "3600"}, b"")
    with pytest.raises(TryAgainLater) as error:
        visit.night()
    assert error.value.after == timedelta(hours=1)
    del site.instead["/news"]
    site.instead["/img/town.png"] = (429, {"Retry-After": "3600"}, b"")
    with pytest.raises(TryAgainLater):
        visit.night()
    del site.instead["/img/town.png"]
    with TownSite() as other:
        far = other.base.replace("127.0.0.1", "localhost")
        other.instead |= {"/far.png": (429, {"Retry-After": "3600"}, b""), "/too.png": (429, {}, b"")}
        site.sheets["/news"].pictures = [f"{far}/far.png", f"{far}/too.png"]
        batches = visit.night()
        assert len(gaps(batches)) == 2
        assert len(other.asked) == 1, "a host that throttles is left alone for this pass"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_file_that_always_fails_is_a_gap_while_the_site_answers_and_ends_no_pass(site, visit, status):
    site.instead["/img/town.png"] = (status, HTML, b"trouble")
    batches = visit.night()
    assert [(gap.native_id, str(status) in gap.why) for gap in gaps(batches)] == [(site.name("/news"), True)]
    missing = f"address:{site.host}/img/town.png"
    assert missing in {file.id for file in seen(batches)[site.name("/news")].attachments}
    visit.night()
    assert [one for one in visit.asked if one.startswith("/img/town.png")], "it is asked for again"


def test_a_file_that_fails_with_its_whole_site_ends_the_pass(site, visit):
    site.trouble = lambda path: None if path in site.sheets else (503, HTML, b"trouble")
    with pytest.raises(TryAgainLater) as error:
        visit.night()
    assert {one.status for one in error.value.exchanges} == {200, 503}
    assert len({id(one) for one in error.value.exchanges}) == len(error.value.exchanges)


def test_a_file_that_is_had_later_than_it_was_named_is_no_edit_and_another_one_after_it_is(site, visit):
    right = site.files["/img/town.png"]
    site.instead["/img/town.png"] = (503, HTML, b"trouble")
    before = visit.mark()
    assert visit.mark() == before
    del site.instead["/img/town.png"]
    had = visit.post()
    assert marks.seen("webpage", had).mark(b"s" * 32) == before
    assert f"sha256:{sha256(right[1]).hexdigest()}" in {file.path for file in had.attachments}
    assert visit.mark() == before
    site.files["/img/town.png"] = (right[0], right[1] + b"another")
    assert visit.mark() != before


# --- comments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("microdata", [False, True], ids=["JSON-LD", "microdata"])
def test_comments_are_records_of_their_own_with_their_own_bytes(site, visit, microdata):
    sheet = site.sheets["/news"]
    sheet.microdata = microdata
    sheet.remarks = [
        Remark("c1", "Al <b>", "Is it > 3 & < 5?", upvotes=4),
        Remark("c2", "Bo", "Ja — grüß", answers="c1"),
    ]
    (batch,) = visit.night()
    found = seen([batch])
    first, second = found[site.name("/news", "c1")], found[site.name("/news", "c2")]
    assert (first.kind, first.in_reply_to, first.text) == (
        Kind.COMMENT,
        site.name("/news"),
        "Is it > 3 & < 5?",
    )
    assert (second.kind, second.in_reply_to) == (Kind.REPLY, first.native_id)
    assert first.author is not None
    assert first.author.name == "Al <b>"
    assert first.published_at == datetime(2026, 5, 2, 8, tzinfo=UTC)
    assert first.counts == {"upvotes": 4}
    assert found[site.name("/news")].counts == {"comments": 2}
    for item in (first, second):
        assert len(item.evidence) == 2, "the page was asked for twice, and both answers show it"
        for span in item.evidence:
            part = batch.exchanges[span.exchange].body[span.start : span.end]
            assert item.native_id.rpartition("#")[2].encode() in part
    assert ("Is it" in found[site.name("/news")].text) is False
    for place in range(2):
        spans = [
            (span.start, span.end, number)
            for number, item in enumerate(batch.observations)
            for span in item.evidence
            if span.exchange == place
        ]
        cut(len(batch.exchanges[place].body), spans)


def test_a_comment_that_is_removed_is_missing_from_a_listing_and_never_gone(site, visit):
    site.sheets["/news"].remarks = [Remark("c1", "Al", "One"), Remark("c2", "Bo", "Two")]
    assert {one.in_reply_to for one in listings(visit.night())} == {
        site.name("/news"), site.name("/news", "c1"), site.name("/news", "c2"),
    }  # fmt: skip
    del site.sheets["/news"].remarks[1]
    batches = visit.night()
    assert listings(batches)[0].stated_total == 1
    looked = visit.look(site.name("/news", "c1"), site.name("/news", "c2"))
    assert {name: one.state for name, one in looked.items()} == {
        site.name("/news", "c1"): State.PRESENT, site.name("/news", "c2"): State.UNKNOWN,
    }  # fmt: skip


def test_without_the_pages_own_count_no_listing_is_promised():
    shown = "<article itemscope itemtype='http://schema.org/Comment' id=a><p itemprop=text>Hi</p></article>"
    assert read(shown).stated_comments is None
    assert read(f"<i itemprop=commentCount>3</i>{shown}").stated_comments == 3


def test_when_the_page_counts_more_than_it_shows_no_listing_is_promised(site, visit):
    site.sheets[
        "/news"
    ].words = "<i itemprop=commentCount>3</i><article itemscope itemtype='http://schema.org/Comment' id=a><p itemprop=text>Hi</p></article>"
    batches = visit.night()
    assert site.name("/news", "a") in seen(batches)
    assert listings(batches) == []


def test_a_comment_without_a_name_keeps_its_id_when_its_words_are_edited():
    one = """<script type=application/ld+json>[{"@type":["Comment"],"author":"Al","dateCreated":"2026-05-02","text":"%s"}]</script>"""
    (before,), (after,) = read(one % "First").remarks, read(one % "Second").remarks
    assert before.id == after.id
    assert before.text != after.text


def test_broken_json_and_strange_shapes_are_read_as_far_as_they_go():
    for script in (
        '{"@type":"Comment"',
        '"Comment"',
        "[[[{}]]]",
        '{"@type":"Comment"}',
        '{"comment":{"@type":"Comment","text":5}}',
        "\ud83d",
    ):
        page = f"<script type='application/ld+json'>{script}</script><p>Words"
        assert read(page.encode("utf-8", "replace")).text == "Words"


# --- how it is written ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "cp1252", "iso8859-15", "shift_jis", "gb18030", "utf-16", "koi8-r"]
)
def test_the_encoding_that_is_named_is_read(encoding):
    words = {"shift_jis": "道路は閉鎖", "gb18030": "道路封闭", "koi8-r": "Улица закрыта"}.get(
        encoding, "Straße gesperrt €"
    )
    html = f"<html><title>T</title><p>{words}</p>".encode(encoding, "replace")
    shown = html.decode(encoding)[html.decode(encoding).index("<p>") + 3 : -4]
    assert read(html, f"text/html; charset={encoding}").text.endswith(shown)


def test_the_encoding_that_an_xml_declaration_names_is_read_where_nothing_else_is_said():
    page = '<?xml version="1.0" encoding="iso-8859-2"?><html><body>Łódź</body></html>'.encode("iso-8859-2")
    assert read(page, "application/xhtml+xml").text == "Łódź"
    assert read(page, "text/html; charset=iso-8859-1").text != "Łódź", "the server outranks it"


def test_a_page_that_names_its_encoding_itself_wrongly_or_not_at_all_is_read_all_the_same():
    latin = "<p>Müllgasse, gesperrt für Füße</p>".encode("latin-1")
    assert read(b"<meta charset=iso-8859-1>" + latin, "text/html").text == "Müllgasse, gesperrt für Füße"
    assert read(latin, "text/html").text == "Müllgasse, gesperrt für Füße"
    assert read(latin, "text/html; charset=utf-8").text == "Müllgasse, gesperrt für Füße"
    assert read("<p>Müllgasse</p>".encode(), "text/html; charset=nonsense").text == "Müllgasse"


def test_characters_that_nothing_explains_are_replaced_counted_and_kept_as_they_came(site, visit):
    broken = "<title>T</title><p>Grüße aus der Straße ".encode() + b"\xff\xfe</p>"
    site.instead["/news"] = (200, HTML, broken)
    (batch,) = visit.night()
    assert batch.observations[0].text.endswith("Grüße aus der Straße \ufffd\ufffd")
    assert batch.observations[0].extra["unreadable_characters"] == 2
    assert batch.exchanges[0].body == broken


def test_comments_in_a_page_of_an_encoding_without_places_own_the_whole_page(site, visit):
    site.sheets["/news"].encoding = "utf-16"
    site.sheets["/news"].remarks = [Remark("c1", "Al", "Grüße")]
    site.sheets["/news"].says_encoding = False
    (batch,) = visit.night()
    remark = seen([batch])[site.name("/news", "c1")]
    assert remark.text == "Grüße"
    assert [(span.start, span.end) for span in remark.evidence] == [
        (0, len(batch.exchanges[span.exchange].body)) for span in remark.evidence
    ]


def test_a_page_that_comes_compressed_unasked_is_read_and_kept_as_it_came(site, visit):
    site.sheets["/news"].remarks = [Remark("c1", "Al", "Hello")]
    plain = visit.mark()
    site.compresses = lambda body: gzip.compress(body, mtime=0)
    (batch,) = visit.night()
    assert batch.exchanges[0].body.startswith(b"\x1f\x8b")
    assert marks.seen("webpage", seen([batch])[site.name("/news")]).mark(b"s" * 32) == plain
    remark = seen([batch])[site.name("/news", "c1")]
    assert all(span.start == 0 for span in remark.evidence)


@pytest.mark.parametrize(
    "hostile",
    ["<a " * 6_000, '<a b="' * 6_000, "<!--" * 6_000, "<div>" * 6_000, "<script>" * 6_000, "</p>" * 6_000, "<title>" * 6_000,
     "<p>1 hour" + " 1" * 6_000, "<a href='" + "x" * 60_000, "<" * 60_000, "<img srcset='" + "a, " * 6_000 + "'>",
     "<div itemscope itemtype=http://schema.org/Comment>" * 2_000, "<h1>" * 6_000, "<time datetime=2026>" * 6_000,
     "<a href=a.pdf>" * 6_000, "<b itemprop=text>" * 6_000, "<style>" + "/*" * 6_000, "<style>" + "url(" * 6_000,
     "<title>" + "no " * 300 + "x</title>", "<title>" + "the not be no page " * 5 + "</title>",
     "<div itemscope itemtype=/Comment><b itemprop=text>" * 1_500],
    ids=range(21),
)  # fmt: skip
def test_reading_takes_time_in_proportion_whatever_a_stranger_wrote(hostile):
    began = process_time()
    stands(hostile)
    assert process_time() - began < 1


@given(st.binary(max_size=400) | st.text(alphabet="<>/=\"' abimgscript-!;&", max_size=400).map(str.encode))
def test_any_bytes_can_be_read_and_places_lie_inside_them(body):
    found = read(body, "text/html")
    assert isinstance(found.text, str)
    for remark in found.remarks:
        assert -1 <= remark.start <= remark.end <= len(body)
    document = markup.read(body, "text/html")
    assert all(
        0 <= one.start <= one.inside <= one.close <= one.end <= len(body) * 3 + 3 for one in document.elements
    )


def test_two_thousand_comments_in_a_script_are_all_read():
    one = '{"@type":"Comment","@id":"c%d","text":"Some words of a comment","author":{"@type":"Person","name":"Al"},"dateCreated":"2026-05-02T10:00:00Z"}'
    page = (
        '<script type="application/ld+json">{"@type":"Article","commentCount":2000,"comment":['
        + ",".join(one % n for n in range(2000))
        + "]}</script>"
    )
    assert len(read(page).remarks) == 2000


# --- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("town.example", "https://town.example/"),
        ("HTTPS://Town.Example:443/News?b=2&utm_source=x&a=1#top", "https://town.example/News?b=2&a=1"),
        ("http://town.example/a;jsessionid=5F?PHPSESSID=1", "http://town.example/a"),
        ("ftp://town.example/", None),
        ("https://user:word@town.example/", None),
        ("", None),
    ],
)
def test_an_address_is_written_in_one_way(written, meant):
    assert places.written(written) == meant


def test_a_file_that_is_known_by_its_address_keeps_its_name_when_only_its_signature_changes():
    assert places.file_key("https://a.example/f?id=7&v=3&X-Amz-Signature=ab") == places.file_key(
        "http://a.example/f?id=7&Expires=9"
    )
    assert places.file_key("https://a.example/f?id=7") != places.file_key("https://a.example/f?id=8")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"most": "many"}, "most"),
        ({"render": "jpeg"}, "render"),
        ({"addresses": "https://elsewhere.example/"}, "page of its own"),
    ],
)
def test_options_that_cannot_be_understood_are_refused(site, http, options, says):
    with pytest.raises(ConnectorError, match=says):
        Visit(site, http, **options).night()


@pytest.mark.parametrize("cursor", ["", "{}", "[1]", '{"version":9,"page":"x"}', "\ud800"])
def test_a_cursor_that_cannot_be_read_begins_from_nothing(site, visit, cursor):
    assert Place.read(Cursor(cursor), "x") == Place(page="x")


# --- the password -----------------------------------------------------------------------------------------


def test_the_password_goes_to_the_site_and_to_nobody_else(site, http):
    site.password = PASSWORD
    secret = {"user": "archivist", "password": PASSWORD}
    with TownSite() as other, evidence_client(secret) as client:
        other.files["/far.png"] = site.files["/img/town.png"]
        site.sheets["/news"].pictures = [f"{other.base}/far.png"]
        batches = list(
            WebPage(client, secret).observe(Page(address=f"{site.base}/news", options={"render": "no"}), None)
        )
        assert seen(batches)
        assert all(site.authorized)
        assert other.asked
        assert not any(other.authorized)
        assert PASSWORD.encode() not in repr(batches).encode()
        with pytest.raises(AddressRefused, match="in clear"):
            list(WebPage(client, secret).observe(Page(address="http://town.example/"), None))
    with pytest.raises(AccessRevoked):
        Visit(site, http).night()


def test_files_that_capture_asks_for_by_itself_are_asked_for_with_the_password_where_they_are_the_sites_own(
    http,
):
    secret = {"user": "archivist", "password": PASSWORD}
    page, reader = Page(address="https://town.example/news"), WebPage(http, secret)
    asked = reader.signed(page, "https://town.example/film.mp4")
    assert asked == {"Authorization": f"Basic {base64.b64encode(f'archivist:{PASSWORD}'.encode()).decode()}"}
    for other in (
        "https://cdn.example/film.mp4",
        "https://town.example:8443/f",
        "http://town.example/f",
        "http://[",
        "",
    ):
        assert reader.signed(page, other) == {}
    with pytest.raises(AddressRefused, match="in clear"):
        reader.signed(Page(address="http://town.example/news"), "http://town.example/film.mp4")
    assert WebPage(http).signed(page, "https://town.example/film.mp4") == {}


# --- renditions -------------------------------------------------------------------------------------------


@pytest.fixture
def rendered(site: TownSite, http: EvidenceClient) -> Visit:
    visit = Visit(site, http)
    visit.page = replace(visit.page, options={})
    return visit


def renditions(batch: Batch) -> Mapping[str, bytes]:
    return {one.url.split(":")[1]: one.body for one in batch.exchanges if one.method == "RENDER"}


def test_a_rendition_is_an_exchange_that_the_record_owns_and_an_attachment_that_names_it(site, rendered):
    (batch,) = rendered.night()
    (post,) = batch.observations
    assert renditions(batch) == {"screenshot": b"screenshot 1", "pdf": b"pdf 1"}
    by_type = {file.media_type: file for file in post.attachments}
    assert post.attachments[-2].path == f"sha256:{_sha256(b'screenshot 1')}"
    assert post.attachments[-1].url is None
    assert by_type["application/pdf"] is post.attachments[-1]
    owned = {span.exchange for span in post.evidence}
    assert {place for place, one in enumerate(batch.exchanges) if one.method == "RENDER"} <= owned


def test_what_is_rendered_is_what_was_captured(site, rendered):
    (batch,) = rendered.night()
    ((replay, kinds, scripts),) = rendered.pictures.asked
    assert (kinds, scripts) == (("screenshot", "pdf"), False)
    page = replay.answer(replay.address)
    assert page is not None
    assert page.body == batch.exchanges[0].body
    for path in ("/img/town.png", "/theme/site.css", "/theme/bg.png"):
        answer = replay.answer(f"{site.base}{path}?v=77")
        assert answer is not None
        assert answer.body == site.files[path][1]
    assert replay.answer(f"{site.base}/js/site.js") is None


def test_a_page_that_did_not_change_is_not_rendered_again_and_keeps_its_renditions(site, rendered):
    site.validators = True
    before = rendered.mark()
    (batch,) = rendered.night()
    assert not renditions(batch)
    assert marks.seen("webpage", batch.observations[0]).mark(b"s" * 32) == before
    site.sheets["/news"].words = "<p>Open.</p>"
    (batch,) = rendered.night()
    assert set(renditions(batch)) == {"screenshot", "pdf"}
    replay, _, _ = rendered.pictures.asked[-1]
    assert replay.answer(f"{site.base}/img/town.png") is not None, (
        "a new state is rendered with all its files"
    )


def test_a_rendition_that_cannot_be_made_is_a_gap_tried_again_and_no_edit(site, rendered):
    site.validators = True
    rendered.pictures.broken = True
    batches = rendered.night()
    before = marks.seen("webpage", seen(batches)[site.name("/news")]).mark(b"s" * 32)
    assert [gap.what for gap in gaps(batches)] == ["how the page looked"]
    rendered.pictures.broken = False
    (batch,) = rendered.night()
    assert set(renditions(batch)) == {"screenshot", "pdf"}
    assert marks.seen("webpage", batch.observations[0]).mark(b"s" * 32) == before


def test_without_chromium_a_page_is_captured_all_the_same_and_its_coming_is_no_edit(site, rendered):
    rendered.pictures.here = False
    batches = rendered.night()
    assert gaps(batches) == []
    before = marks.seen("webpage", seen(batches)[site.name("/news")]).mark(b"s" * 32)
    rendered.pictures.here = True
    assert rendered.mark() == before
    site.sheets["/news"].words = "<p>Open.</p>"
    assert renditions(rendered.night()[0])


def test_the_option_says_what_is_rendered(site, http):
    for option, kinds in (
        ("no", set()),
        ("screenshot", {"screenshot"}),
        ("pdf", {"pdf"}),
        ("both", {"screenshot", "pdf"}),
    ):
        assert set(renditions(Visit(site, http, render=option).night()[0])) == kinds


def test_a_replay_answers_nothing_but_what_was_recorded():
    replay = Replay(
        AT, {AT: Answer(200, "text/html", b"x"), f"{AT}/a.png?v=1": Answer(200, "image/png", b"y")}
    )
    assert replay.answer(AT + "#top") == Answer(200, "text/html", b"x")
    assert replay.answer(f"{AT}/a.png".replace("https", "http")) == Answer(200, "image/png", b"y")
    assert replay.answer("https://elsewhere.example/news") is None


def test_a_replay_knows_an_address_however_a_browser_escapes_it():
    answer = Answer(200, "image/png", b"y")
    replay = Replay(AT, {"https://town.example/Straße bild.png?v=1": answer})
    assert replay.answer("https://town.example/Stra%C3%9Fe%20bild.png?v=1") == answer
    assert replay.answer("https://town.example/Stra%C3%9Fe%20bild.png?v=2") == answer


# --- the two platforms ------------------------------------------------------------------------------------


def test_a_profile_on_myspace_is_a_profile_and_its_further_pages_are_posts(site, http):
    site.put("/testtown", "Test Town", "<p>Police of a small town.</p>")
    site.put("/testtown/photos", "Photos", "<p>Two photographs.</p>")
    page = Page(address=f"{site.base}/testtown", options={"render": "no", "addresses": "/testtown/photos"})
    found = seen(list(MySpace(http).observe(page, None)))
    assert found[site.name("/testtown")].kind is Kind.PROFILE
    assert "Police of a small town." in found[site.name("/testtown")].text
    assert found[site.name("/testtown/photos")].kind is Kind.POST


DIGG = {
    "the notice": (
        200,
        HTML,
        b"<title>Digg</title><h1>A hard reset</h1><p>We are shutting down the beta.</p>",
    ),
    "404": (404, HTML, b"no"),
    "410": (410, HTML, b"no"),
    "403": (403, HTML, b"no"),
    "429": (429, {"Retry-After": "60"}, b""),
    "500": (500, HTML, b"no"),
    "503": (503, HTML, b"no"),
    "moved": (302, {"Location": "/"}, b""),
    "lost": (200, {**HTML, "Content-Encoding": "gzip"}, b"\x1f\x8bno"),
}


@pytest.mark.parametrize("answer", DIGG)
def test_whatever_digg_answers_a_pass_ends_with_the_gap_that_the_site_is_unavailable(site, http, answer):
    site.instead["/news"] = DIGG[answer]
    batches = list(Digg(http).observe(Page(address=f"{site.base}/news"), None))
    assert [(len(batch.observations), len(batch.sightings), len(batch.listings)) for batch in batches] == [
        (0, 0, 0)
    ]
    (gap,) = gaps(batches)
    assert gap.why.startswith("site unavailable: Digg stopped on 13 March 2026")
    assert batches[0].exchanges, "what answered is kept"
    assert list(Digg(http).look(Page(address=f"{site.base}/news"), [(Kind.POST, site.name("/news"))])) == []


def test_a_digg_that_does_not_answer_at_all_is_the_same_gap(http):
    batches = list(Digg(http).observe(Page(address="http://127.0.0.1:9/d/town"), None))
    assert [gap.what for gap in gaps(batches)] == ["the page on Digg"]
    assert batches[0].exchanges[0].status == 0


def test_should_digg_run_again_its_page_is_captured_and_its_answers_prove_no_removal(site, http):
    page = Page(address=f"{site.base}/news", options={"render": "no", "reopened": "yes", "addresses": "/a"})
    site.put("/a", "A", "<p>Words.</p>")
    batches = list(Digg(http).observe(page, None))
    assert set(seen(batches)) == {site.name("/news"), site.name("/a")}
    site.instead["/a"] = (410, HTML, b"gone")
    assert sightings(list(Digg(http).observe(page, batches[-1].resume_from))) == [
        (site.name("/a"), State.UNKNOWN)
    ]


# --- checking ---------------------------------------------------------------------------------------------


def test_a_check_says_what_is_well_and_what_to_do_about_the_rest(site, rendered):
    findings = {one.what: one for one in rendered.connector.check(rendered.page)}
    assert [one.fine for one in findings.values()] == [False, True, True]
    assert all(one.fine or one.remedy for one in findings.values())
    rendered.pictures.here = False
    for answer in ((404, HTML, b"no"), (200, HTML, worlds.CONSENT.encode()), (403, HTML, b"no")):
        site.instead["/news"] = answer
        _, page, chromium = rendered.connector.check(rendered.page)
        assert not page.fine
        assert page.remedy
        assert "render=no" in chromium.remedy
    (stopped,) = Digg(rendered.connector._http).check(rendered.page)
    assert not stopped.fine
    assert "13 March 2026" in stopped.remedy


def test_a_check_of_a_site_that_cannot_be_reached_raises(rendered):
    with pytest.raises(TryAgainLater):
        list(rendered.connector.check(replace(rendered.page, address="http://127.0.0.1:9/")))


def test_what_varies_among_answers_is_masked_and_nothing_else_is():
    one = ["<p>Closed.</p>\n", "<p>Made in 0.1 s</p>\n", "<p>Saying of the hour: Be kind.</p>\n"]
    two = ["<p>Closed.</p>\n", "<p>Made in 12.3 s</p>\n", "<p>Saying of the hour: Look up.</p>\n"]
    kept, varying = noise.settled(one, two)
    assert kept == ["<p>Closed.</p>\n", "<p>Made in … s</p>\n", "…"]
    assert noise.masked(["<p>Made in 7 s</p>\n", "<p>Made by 7</p>\n"], varying) == [
        "<p>Made in … s</p>\n",
        "<p>Made by 7</p>\n",
    ]


def _sha256(body: bytes) -> str:
    import hashlib

    return hashlib.sha256(body).hexdigest()


# --- the title ----------------------------------------------------------------------------------------------


def titled(title: str, *, counter: bool = False) -> Callable[[str], worlds.Answer | None]:
    """A page whose title may be one of its headings; with `counter` a number in the title differs at every look."""
    looks = itertools.count(3)

    def answer(path: str) -> worlds.Answer | None:
        if path != "/news":
            return None
        shown = f"({next(looks)}) {title}" if counter else title
        page = f"<!DOCTYPE html><title>{shown}</title><h1>Road</h1><h2>Bridge</h2><p>Words that stay as they are.</p>"
        return 200, HTML, page.encode()

    return answer


def test_another_title_is_told_also_where_headings_said_both_before(site, http):
    visit = Visit(site, http)
    told = []
    for title in ("Road", "Bridge", "", "Road", "Ferry"):
        site.trouble = titled(title)
        told.append((visit.post().extra["title"], visit.post().extra["title"]))
    assert told == [(one, one) for one in ("Road", "Bridge", "", "Road", "Ferry")]


def test_a_title_whose_number_changes_at_every_look_is_told_without_it(site, http):
    visit = Visit(site, http)
    site.trouble = titled("Inbox", counter=True)
    first = visit.post()
    assert first.extra["title"] == "(…) Inbox"
    for _ in range(3):
        again = visit.post()
        assert (again.extra["title"], again.html) == (first.extra["title"], first.html)
    site.trouble = titled("Outbox", counter=True)
    assert visit.post().extra["title"] == "(…) Outbox"


def test_a_title_that_stays_costs_no_second_question(site, http):
    visit = Visit(site, http)
    site.trouble = titled("Road")
    visit.night()
    visit.night()
    assert len([path for path in visit.asked if path == "/news"]) == 1
