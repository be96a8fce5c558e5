"""The pages in a real browser: without scripts, on a desk and on a telephone."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from app.holds import searching
from app.main import Archive, open_archive
from app.records.clock import FixedClock
from app.retention import adopted, classifying
from app.web.app import create
from tests.doors.conftest import NOW, PASSWORD, Town, laid, parts_of, record_of, settings  # noqa: F401 - `laid` is a fixture
from tests.live.chromium import Chromium, program
from tests.live.conftest import unavailable
from tests.steps.filing import a_schedule

pytestmark = pytest.mark.live

WIDTHS = (1280, 390)
REVIEWED = a_schedule(
    {"POSTS": "{after: published, keep: P1D, then: review}"}, (("POSTS", 'when: "kind:post"', 10),)
)
"""Under it posts are due for review, so that there is something to tick."""
UNLABELLED = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
    .filter(one => !one.labels.length).map(one => one.outerHTML)"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FAINT = """(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = one => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/rgba\\(.*, 0(\\.\\d+)?\\)/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    const words = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!words || !one.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(one.outerHTML.slice(0, 120));
  }
  return found;
})()"""
"""Words whose contrast is under 4.5 to 1 (WCAG 2.2, 1.4.3)."""


@pytest.fixture(scope="module")
def archive(laid: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:  # noqa: F811 - the fixture
    home = tmp_path_factory.mktemp("browser") / "home"
    shutil.copytree(laid.home, home)
    opened = open_archive(settings(home), FixedClock(NOW))
    by = laid.ids["reader"]
    with opened.store.database.begin() as tx:
        adopted.adopt(opened.store, tx, REVIEWED, instrument="Resolution 12", by=by, why="the council")
    classifying.follow(opened.store)
    classifying.classify_all(opened.store, searching.whole(opened.index), by=by, why="the council")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def served(archive: Archive) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(create(parts_of(archive)), host="127.0.0.1", port=0, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromium]:
    binary = program()
    if binary is None:
        unavailable("no Chromium is installed")
    browser = Chromium(binary, tmp_path / "profile")
    yield browser
    browser.close()


@pytest.fixture
def reader(chromium: Chromium, served: str) -> Chromium:
    """Signed in by typing and pressing, as a person would, with scripts switched off."""
    chromium.ask("Emulation.setScriptExecutionDisabled", value=True)
    chromium.go(f"{served}/sign-in")
    chromium.write("#email", "custodian@alder.example")
    chromium.write("#password", PASSWORD)
    chromium.press("main button")
    assert chromium.evaluate("document.querySelector('h1').textContent") == "Overview"
    return chromium


def pages(archive: Archive) -> list[str]:
    record, gone, picture = (record_of(archive.store, name) for name in ("1", "4", "8"))
    return [
        "/",
        "/search",
        "/search?q=bridge+OR+meadow",
        "/search?q=bridge+AND",
        "/search/print?q=*",
        f"/records/{record}",
        f"/records/{record}?at=2026-03-05T12:00",
        f"/records/{gone}",
        f"/records/{picture}",
        f"/records/{record}/print",
        "/pages",
        "/runs",
        "/records/01a1fc86-bc93-722a-8b03-bac9f400b5e5",
        "/retention",
        "/retention/years",
        "/retention/reviews",
        f"/records/{record}/retention",
    ]


def test_every_page_fits_is_labelled_and_can_be_read(reader, served, archive):
    looked = 0
    for width in WIDTHS:
        reader.widen(width)
        for page in pages(archive):
            reader.go(served + page)
            where = f"{page} at {width}"
            assert reader.evaluate("document.querySelectorAll('h1').length") == 1, where
            assert reader.evaluate("document.documentElement.lang") == "en", where
            assert reader.evaluate(WIDER) <= 0, where
            assert reader.evaluate(UNLABELLED) == [], where
            assert reader.evaluate(FAINT) == [], where
            looked += 1
    assert looked == len(WIDTHS) * len(pages(archive))


def test_the_years_to_come_under_another_schedule_fit_too_and_are_labelled(reader, served):
    reader.go(f"{served}/retention/years")
    for width in WIDTHS:
        reader.widen(width)
        reader.evaluate("document.querySelector('details').open = true")
        reader.evaluate("document.querySelector('#shipped').value = 'us-wa-core'")
        reader.press("details button")
        assert "CORE" in reader.evaluate("document.querySelector('h2').textContent")
        assert reader.evaluate("document.querySelectorAll('svg').length") == 1
        assert reader.evaluate(WIDER) <= 0
        assert reader.evaluate(UNLABELLED) == []
        assert reader.evaluate(FAINT) == []
        reader.go(f"{served}/retention/years")


def test_too_faint_words_would_be_seen(reader, served):
    reader.go(f"{served}/runs")
    reader.evaluate("document.querySelector('h1').style.color = '#aaa'")
    assert len(reader.evaluate(FAINT)) == 1


def test_nothing_is_refused_by_the_policy_and_nothing_is_loaded_from_elsewhere(reader, served, archive):
    for page in pages(archive):
        reader.go(served + page)
    complaints = [said for said in reader.said if "status of 4" not in said]
    assert complaints == []


def test_a_picture_is_shown_and_the_first_tab_skips_to_the_content(reader, served, archive):
    reader.go(f"{served}/records/{record_of(archive.store, '8')}")
    assert reader.evaluate("[...document.images].map(one => one.naturalWidth)") == [1, 1]
    for kind in ("keyDown", "keyUp"):
        reader.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert reader.evaluate("document.activeElement.textContent") == "Skip to the content"


def test_a_search_is_written_sent_and_read(reader, served):
    reader.go(f"{served}/search")
    reader.write("#q", "bridge OR friday")
    reader.press(".query button")
    assert reader.evaluate(
        "[...document.querySelectorAll('mark')].map(one => one.textContent).includes('bridge')"
    )
    reader.press(".hit a")
    assert "Post on Alder Creek" in reader.evaluate("document.title") or "Comment on" in reader.evaluate(
        "document.title"
    )


def test_signing_out_works_from_every_page(reader, served):
    reader.go(f"{served}/runs")
    reader.press(".out button")
    assert reader.evaluate("document.querySelector('h1').textContent") == "Sign in"
    reader.go(f"{served}/runs")
    assert reader.evaluate("document.querySelector('h1').textContent") == "Sign in"


def test_the_printed_page_leaves_the_navigation_out(reader, served):
    reader.go(f"{served}/search/print?q=bridge")
    reader.ask("Emulation.setEmulatedMedia", media="print")
    assert reader.evaluate("getComputedStyle(document.querySelector('.top')).display") == "none"
    assert "WORKING COPY" in reader.evaluate("document.querySelector('main').innerText")
