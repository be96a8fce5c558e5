"""A real browser renders what was captured, from the evidence alone; and the front page of a real WordPress."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.capture import marks
from app.records.clock import SystemClock
from connectors.contract import Batch, Observation, Page
from connectors.http import EvidenceClient
from connectors.webpage import WebPage
from connectors.webpage.rendering import Answer, Chromium, NotRendered, Replay
from connectors.webpage.walking import replay
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.webpage_world import BLUE, GREEN, RED, Remark, TownSite, png
from tests.journeys.office import office_in
from tests.live.conftest import LiveWordPress, unavailable

pytestmark = pytest.mark.live

WORDS = "<p style='margin:0;background:#fff;height:2400px'>Main Street is closed.</p>"


@pytest.fixture
def chromium() -> Chromium:
    found = Chromium()
    if not found.available():
        unavailable("Chromium is not installed (Debian: chromium)")
    return found


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(now=datetime.now(UTC)) as client:
        yield client


class Picture:
    """A PNG as browsers write it, read pixel by pixel."""

    def __init__(self, data: bytes) -> None:
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        at, packed = 8, b""
        while at < len(data):
            (size,), name = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
            content = data[at + 8 : at + 8 + size]
            if name == b"IHDR":
                self.width, self.height, depth, colours = struct.unpack(">IIBB", content[:10])
                assert depth == 8
                self._size = {2: 3, 6: 4}[colours]
            packed += content if name == b"IDAT" else b""
            at += size + 12
        self._rows = self._unfiltered(zlib.decompress(packed))

    def at(self, x: int, y: int) -> tuple[int, int, int]:
        place = x * self._size
        red, green, blue = self._rows[y][place : place + 3]
        return red, green, blue

    def _unfiltered(self, raw: bytes) -> list[bytearray]:
        rows: list[bytearray] = []
        width, before = self.width * self._size, bytearray(self.width * self._size)
        for start in range(0, len(raw), width + 1):
            kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + width])
            for place in range(width if kind else 0):
                left = row[place - self._size] if place >= self._size else 0
                above, corner = before[place], before[place - self._size] if place >= self._size else 0
                row[place] = (row[place] + _predicted(kind, left, above, corner)) & 255
            rows.append(row)
            before = row
        return rows


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    if kind == 4:
        guess = left + above - corner
        return min((left, above, corner), key=lambda one: abs(guess - one))
    return {1: left, 2: above, 3: (left + above) // 2}[kind]


def renditions(batch: Batch) -> dict[str, bytes]:
    return {one.url.split(":")[1]: one.body for one in batch.exchanges if one.method == "RENDER"}


def again(batch: Batch, address: str) -> Replay:
    """The page as it stands in the evidence, and nothing else."""
    page = next(one for one in batch.exchanges if one.url == address)
    files = {one.url: one for one in batch.exchanges if one.method == "GET" and one is not page}
    return replay(page, address, files)


@contextmanager
def watched() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody should ever ask."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_page_is_rendered_with_its_files_from_the_evidence_also_when_the_site_is_long_gone(
    chromium: Chromium, http: EvidenceClient
) -> None:
    with TownSite() as site:
        site.files["/img/blue.png"] = ("image/png", png(BLUE, 100, 50))
        site.put(
            "/news", "Road closure", f"{WORDS}<img loading=lazy style='display:block' src='/img/blue.png'>"
        )
        address = f"{site.base}/news"
        (batch,) = WebPage(http).observe(Page(address=address), None)
    assert batch.gaps == []
    made = renditions(batch)
    assert made["pdf"].startswith(b"%PDF-")
    shown = Picture(made["screenshot"])
    top = next(y for y in range(shown.height) if shown.at(5, y) == RED)
    assert shown.at(299, top + 199) == RED, "the picture stands there in its whole size"
    assert shown.at(301, top) == GREEN, "the stylesheet's background shows beside it"
    assert shown.at(5, top + 200) == (255, 255, 255)
    assert shown.at(5, top + 200 + 2400) == BLUE, "what lies far below is shown too"
    assert shown.at(105, top + 200 + 2400) == GREEN

    rendered, program = chromium.render(again(batch, address), ["screenshot"])
    assert program.startswith(("Chrome/", "HeadlessChrome/"))
    later = Picture(rendered["screenshot"])
    assert (later.width, later.height) == (shown.width, shown.height)
    assert [later.at(x, y) for x, y in ((5, top), (301, top), (5, top + 2600))] == [RED, GREEN, BLUE]


def test_nothing_but_the_evidence_is_asked_and_what_was_not_captured_is_left_blank(
    chromium: Chromium,
) -> None:
    with watched() as (elsewhere, asked):
        html = (
            f"<body style='margin:0;background:#0a963c'><img width=50 height=50 style='display:block' src='{elsewhere}/a.png'>"
            f"<link rel=preconnect href='{elsewhere}'><link rel=prefetch href='{elsewhere}/b'><iframe src='{elsewhere}/c'></iframe>"
            f"<meta http-equiv=refresh content='0;url={elsewhere}/d'><style>@import '{elsewhere}/e.css'</style>"
            f"<script src='{elsewhere}/f.js'></script><script>fetch('{elsewhere}/g');new WebSocket('{elsewhere}/h'.replace('http','ws'));"
            f"navigator.sendBeacon('{elsewhere}/i');new Image().src='{elsewhere}/j'</script><object data='{elsewhere}/k'></object>"
        )
        page = Replay(
            "https://town.example/news",
            {"https://town.example/news": Answer(200, "text/html", html.encode())},
        )
        for scripts in (False, True):
            made, _ = chromium.render(page, ["screenshot", "pdf"], scripts=scripts)
            assert Picture(made["screenshot"]).at(600, 600) == GREEN
        assert asked == []


def test_an_archive_keeps_a_page_with_its_renditions_and_the_next_night_adds_nothing(
    chromium: Chromium, home: Path
) -> None:
    with TownSite() as site, office_in(home, SystemClock()) as office:
        site.put("/", "Welcome", "<p>Words of the front page.</p>")
        news = site.put(
            "/news", "Road closure", "<p>Main Street is closed.</p>", documents=["/docs/agenda.pdf"]
        )
        news.remarks = [Remark("c1", "Al", "What about Mill Road?"), Remark("c2", "Bo", "Thank you.")]
        page = office.add("webpage", f"{site.base}/news", "Town news", options={"addresses": "/"})
        first = office.capture(page)
        assert (first.status, first.gaps, first.tally.new) == ("complete", [], 4)
        size = office.ledger_size()
        second = office.capture(page)
        assert (second.status, second.tally.unchanged) == ("complete", 4)
        assert office.changes(page, size) == []
        news.words = "<p>Main Street is open.</p>"
        del news.remarks[1]
        third = office.capture(page)
        assert (third.tally.edited, third.tally.absent) == (1, 1)
        del site.sheets["/news"]
        assert office.capture(page).tally.gone == 1
        states = {name.rpartition("/")[2]: one.state for name, one in office.known(page).items()}
        assert states == {"": "present", "news": "gone", "news#c1": "absent", "news#c2": "absent"}


def test_scripts_run_only_where_an_officer_said_so_and_a_page_that_loads_itself_again_is_held(
    chromium: Chromium,
) -> None:
    html = b"<meta http-equiv=refresh content=0><body style='margin:0;background:#0a963c'><script>document.body.style.background='rgb(20,60,200)'</script>"
    page = Replay("https://town.example/", {"https://town.example/": Answer(200, "text/html", html)})
    colours = [
        Picture(chromium.render(page, ["screenshot"], scripts=scripts)[0]["screenshot"]).at(9, 9)
        for scripts in (False, True)
    ]
    assert colours == [GREEN, BLUE]


def test_a_page_that_never_ends_is_given_up_in_time_and_leaves_no_process(tmp_path: Path) -> None:
    before = _of_chromium()
    html = b"<body><script>for(;;){}</script>"
    page = Replay("https://town.example/", {"https://town.example/": Answer(200, "text/html", html)})
    found = Chromium(within=6)
    if not found.available():
        unavailable("Chromium is not installed (Debian: chromium)")
    with pytest.raises(NotRendered, match="too long"):
        found.render(page, ["screenshot"], scripts=True)
    assert _of_chromium() - before == set()


def test_a_program_that_is_no_chromium_is_said_so(tmp_path: Path) -> None:
    page = Replay("https://town.example/", {"https://town.example/": Answer(200, "text/html", b"x")})
    with pytest.raises(NotRendered, match="ended"):
        Chromium(find=lambda _: "/bin/true").render(page, ["screenshot"])
    script = tmp_path / "silent"
    script.write_text("#!/bin/sh\nsleep 60\n")
    script.chmod(0o755)
    with pytest.raises(NotRendered, match="too long"):
        Chromium(find=lambda _: str(script), within=0.3).render(page, ["screenshot"])
    with pytest.raises(NotRendered, match="not installed"):
        Chromium(find=lambda _: None).render(page, ["screenshot"])


def test_the_front_page_of_a_real_wordpress_is_captured_and_the_next_night_nothing_changed(
    wordpress: LiveWordPress, chromium: Chromium, http: EvidenceClient
) -> None:
    connector = WebPage(http, renders=chromium)
    page = Page(address=wordpress.address)
    (first,) = connector.observe(page, None)
    (post,) = first.observations
    assert first.gaps == []
    assert "Test PD Blog" in post.text
    assert "Road closure" in post.text
    assert [
        file for file in post.attachments if file.media_type == "text/css"
    ] or b"<style" in first.exchanges[0].body
    shown = Picture(renditions(first)["screenshot"])
    assert len({shown.at(x, y) for x in range(0, shown.width, 40) for y in range(0, shown.height, 40)}) > 1
    (second,) = connector.observe(page, first.resume_from)
    assert _mark(second.observations[0]) == _mark(post)
    assert not renditions(second)

    made = wordpress.api(
        "POST", "/posts", title="Flood watch", content="<p>Stay off the river.</p>", status="publish"
    )
    (third,) = connector.observe(page, second.resume_from)
    assert _mark(third.observations[0]) != _mark(post)
    assert "Flood watch" in third.observations[0].text
    assert set(renditions(third)) == {"screenshot", "pdf"}

    inside = wordpress.address.rstrip("/") + f"/?p={made['id']}"
    both = Page(address=wordpress.address, options={"addresses": inside, "render": "no"})
    batches = list(connector.observe(both, None))
    name = next(one.native_id for batch in batches[1:] for one in batch.observations)
    wordpress.api("DELETE", f"/posts/{made['id']}?force=true")
    after = list(connector.observe(both, batches[-1].resume_from))
    assert [(one.native_id, one.state.value) for batch in after for one in batch.sightings] == [
        (name, "gone")
    ]


def _mark(post: Observation) -> bytes:
    return marks.seen("webpage", post).mark(b"s" * 32)


def _of_chromium() -> set[str]:
    """The processes of ours that are a Chromium."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                folder.stat().st_uid == os.geteuid()
                and b"--remote-debugging-pipe" in (folder / "cmdline").read_bytes()
            ):
                found.add(folder.name)
        except OSError:
            continue
    return found
