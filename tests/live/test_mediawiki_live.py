"""A real MediaWiki in a real archive: edits, a talk page, a deletion, a hidden revision, throttles, an outage, and what can be proven of it."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from app.capture import attachments
from app.capture.runs import Report
from app.records.clock import SystemClock
from app.records.nouns import Page, Record
from connectors.contract import Page as Address
from connectors.errors import AccessRevoked, TryAgainLater
from connectors.mediawiki import MediaWiki
from tests.connectors.worlds.loopback import evidence_client
from tests.journeys.office import Office, office_in
from tests.live.mediawiki_server import BOT_PASSWORD, PIXEL, LiveMediaWiki, running_mediawiki

pytestmark = pytest.mark.live

CONNECTED, PUBLIC = "Town wiki, connected", "Town wiki, as visitors see it"
RATE_LIMITED = """
$wgMainCacheType = CACHE_DB;
$wgRateLimits['archive'] = [ 'anon' => [ 1, 3600 ], 'ip' => [ 1, 3600 ], 'user' => [ 1, 3600 ] ];
$wgHooks['ApiCheckCanExecute'][] = function ( $module, $user, &$message ) {
    if ( $user->pingLimiter( 'archive' ) ) {
        $message = ApiMessage::create( 'apierror-ratelimited', 'ratelimited' );
        return false;
    }
    return true;
};
"""
READ_ONLY = "$wgReadOnly = 'The database is being moved.';"
PRIVATE = "$wgGroupPermissions['*']['read'] = false;"


@pytest.fixture(scope="module")
def mediawiki() -> Iterator[LiveMediaWiki]:
    with running_mediawiki() as wiki:
        yield wiki


@dataclass(slots=True)
class Desk:
    """The office, the wiki, and the two pages under which it is kept: with a bot password, and as anybody reads it."""

    office: Office
    wiki: LiveMediaWiki
    home: Path
    connected: Page
    public: Page

    @property
    def pages(self) -> tuple[Page, Page]:
        return self.connected, self.public

    def run(self) -> tuple[Report, Report]:
        return self.office.capture(self.connected), self.office.capture(self.public)

    def record(self, page: Page, native_id: str) -> Record:
        return self.office.known(page)[native_id]

    def told(self, page: Page, native_id: str) -> list[tuple[str, str]]:
        return self.office.told(self.record(page, native_id))

    def standing(self, page: Page) -> dict[str, tuple[str, int]]:
        return {name: (one.state, one.versions) for name, one in self.office.known(page).items()}

    def files(self, page: Page, native_id: str) -> list[bytes]:
        """The files of a record, as they are kept."""
        record, store = self.record(page, native_id), self.office.store
        names = [one["id"] for one in cast("list[dict[str, str]]", record.version.fields["attachments"])]
        with store.database.read() as tx:
            rows = attachments.of(store, tx, record.id.bytes, names)
        return [b"".join(attachments.stream(store, row)) for row in rows.values()]

    def number(self, page: Page, title: str) -> str:
        """The native id of the wiki page that bears a title."""
        (name,) = [
            name
            for name, one in self.office.known(page).items()
            if name.startswith("page:") and (one.version.text("text") or "").partition("\n")[0] == title
        ]
        return name


@pytest.fixture
def desk(mediawiki: LiveMediaWiki, home: Path) -> Iterator[Desk]:
    # The wiki's edits bear the machine's time, so the archive does too.
    with office_in(home, SystemClock()) as office:
        address = f"{mediawiki.address}/index.php/Bridge_closure"
        options = {"titles": "Rumour"}
        connected = office.add("mediawiki", address, CONNECTED, secret=mediawiki.secret, options=options)
        public = office.add("mediawiki", address, PUBLIC, options=options)
        yield Desk(office, mediawiki, home, connected, public)


def test_a_wiki_is_kept_through_edits_a_deletion_a_hidden_revision_throttles_and_an_outage(
    desk: Desk, tmp_path: Path
) -> None:
    office, wiki = desk.office, desk.wiki
    wiki.admin.upload("Bridge.gif", PIXEL)
    first_text = wiki.press.write("Bridge closure", "Call Jo at 555-0100. [[File:Bridge.gif]]", "new notice")
    wiki.press.write("Bridge closure", "Call the hall. [[File:Bridge.gif]]", "number")
    wiki.admin.write("Talk:Bridge closure", "== Detour? ==\nWhich way? ~~~~", "asking")
    wiki.press.write("Rumour", "They say.", "rumour")

    # 1. The first night keeps every revision as a version, oldest first, and the file that the page shows.
    first_night = desk.run()
    bridge, talk, rumour = (
        desk.number(desk.public, title) for title in ("Bridge closure", "Talk:Bridge closure", "Rumour")
    )
    for page, report in zip(desk.pages, first_night, strict=True):
        assert (report.status, report.gaps) == ("complete", [])
        assert desk.told(page, bridge) == [
            ("present", "Bridge closure\n\nCall Jo at 555-0100. [[File:Bridge.gif]]"),
            ("present", "Bridge closure\n\nCall the hall. [[File:Bridge.gif]]"),
        ]
        earlier, later = office.history(desk.record(page, bridge))
        assert (earlier.fields["author_name"], later.fields["author_name"]) == ("PressOffice", "PressOffice")
        assert earlier.entry < later.entry
        family = [one.version.fields["native_id"] for one in office.family(desk.record(page, bridge))]
        assert set(family) > {bridge, talk}
        assert "image/gif" in str(desk.record(page, bridge).version.fields["attachments"])
        assert PIXEL in desk.files(page, bridge)

    # 2. A second look adds nothing.
    for report in desk.run():
        assert report.status == "complete"
        assert (report.tally.new, report.tally.edited, report.tally.absent, report.tally.gone) == (0, 0, 0, 0)

    # 3. The page is edited twice, and somebody answers on its talk page.
    wiki.press.write("Bridge closure", "Open.", "open")
    wiki.press.write("Bridge closure", "Closed again.", "closed")
    wiki.press.write("Talk:Bridge closure", "== Detour? ==\nWhich way?\n:Left.", "answer")
    for page, report in zip(desk.pages, desk.run(), strict=True):
        assert (report.status, report.tally.new, report.tally.edited) == ("complete", 0, 4)
        assert [words for _, words in desk.told(page, bridge)][2:] == [
            "Bridge closure\n\nOpen.",
            "Bridge closure\n\nClosed again.",
        ]
        assert len(desk.told(page, talk)) == 2

    # 4. The first revision is hidden, the rumour deleted, and the page moved.
    wiki.admin.does(
        action="revisiondelete",
        type="revision",
        ids=str(first_text["newrevid"]),
        hide="content|comment",
        reason="private number",
    )
    wiki.admin.does(action="delete", title="Rumour", reason="not ours to say")
    wiki.admin.does(
        action="move", **{"from": "Bridge closure", "to": "Bridge closed"}, reason="clearer", movetalk="1"
    )
    with_password, without = desk.run()
    assert (with_password.status, without.status) == ("complete", "complete")
    assert with_password.tally.gone == 0
    told = desk.record(desk.public, rumour)
    assert told.state == "gone"
    assert "not ours to say" in str(told.version.text("state_reason"))
    assert desk.told(desk.connected, rumour) == [
        ("present", "Rumour\n\nThey say."),
        ("hidden", "Rumour\n\nThey say."),
    ]
    for page in desk.pages:
        assert desk.told(page, bridge)[0] == (
            "present",
            "Bridge closure\n\nCall Jo at 555-0100. [[File:Bridge.gif]]",
        )
        assert desk.told(page, bridge)[-1] == ("present", "Bridge closed\n\nClosed again.")
        outline = desk.record(page, bridge.replace("page:", "history:")).version.text("text") or ""
        assert outline.startswith(f"Revision {first_text['newrevid']} of ")
        assert outline.endswith("text, summary hidden")
        logs = [
            one.version.text("text") or ""
            for name, one in office.known(page).items()
            if name.startswith("log:")
        ]
        assert any("private number" in said for said in logs)
        assert any(said.startswith("move/move: Bridge closure\nBridge closed") for said in logs)

    # 5. The wiki limits how often it is asked, and then goes down: each night says so, and concludes nothing.
    before = {page.name: desk.standing(page) for page in desk.pages}
    with wiki.set_to(RATE_LIMITED):
        limited = desk.run()
    wiki.stop()
    try:
        down = desk.run()
    finally:
        wiki.start()
    for page, throttled, out in zip(desk.pages, limited, down, strict=True):
        assert throttled.status in {"failed", "partial"}
        assert "ratelimited" in throttled.gaps[-1].why
        assert out.status == "failed"
        assert desk.standing(page) == before[page.name]
        assert office.page(page.name).status == "active"

    # 6. A wiki that is read-only for a while can be read by anybody; it lets nobody sign in, and says so.
    with wiki.set_to(READ_ONLY):
        connected, public = desk.run()
    assert (public.status, public.gaps) == ("complete", [])
    assert connected.status == "failed"
    assert "readonly" in connected.gaps[-1].why, connected.gaps
    assert office.page(desk.connected.name).status == "active"
    assert {page.name: desk.standing(page) for page in desk.pages} == before

    # 7. What was said meanwhile is there afterwards, once.
    wiki.press.write("Talk:Bridge closed", "== Detour? ==\nThe sign says six.", "sign")
    for page, report in zip(desk.pages, desk.run(), strict=True):
        assert (report.status, report.gaps) == ("complete", [])
        assert (report.tally.edited, report.tally.absent, report.tally.gone) == (1, 0, 0)
        assert desk.told(page, talk)[-1][1].endswith("The sign says six.")

    # 8. Everything verifies; the evidence passes the check of a tool that is not ours, and holds no secret.
    assert office.unsound() == []
    warc = tmp_path / "bridge.warc.gz"
    office.archive.write_evidence(
        desk.record(desk.connected, bridge), warc, by=office.officer, why="demand letter of 3 May"
    )
    command = [sys.executable, "-m", "warcio.cli", "check", "-v", str(warc)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    evidence = gzip.decompress(warc.read_bytes())
    assert b"Call Jo at 555-0100." in evidence
    written = {str(file): file.read_bytes() for file in desk.home.rglob("*") if file.is_file()}
    assert len(written) > 20
    assert not [
        name for name, said in (written | {"evidence": evidence}).items() if BOT_PASSWORD.encode() in said
    ]


def test_what_was_hidden_before_the_first_night_is_a_gap_to_the_public_and_read_by_an_administrator(
    mediawiki: LiveMediaWiki,
) -> None:
    # The start script hid the first revision of this page, and deleted a talk page before anybody looked.
    address = f"{mediawiki.address}/index.php?title=Road_closure"
    page = Address(address=address, options={"titles": "Talk:Deleted thread"})
    with evidence_client(None, datetime.now(UTC)) as http:
        public = list(MediaWiki(http).observe(page, None))
    with evidence_client(mediawiki.secret, datetime.now(UTC)) as http:
        connected = list(MediaWiki(http, mediawiki.secret).observe(page, None))
        findings = {one.what: one.fine for one in MediaWiki(http, mediawiki.secret).check(page)}

    gaps = [gap.what for batch in public for gap in batch.gaps]
    assert any(gap.startswith("the text of revision") for gap in gaps)
    assert "the wiki page Talk:Deleted thread" in gaps
    shown = [one for batch in connected for one in batch.observations if one.native_id.startswith("page:")]
    hidden = [one.text for one in shown if one.state == "hidden"]
    assert "Road closure\n\nMain Street is closed until 18:00." in hidden
    assert any("I object." in text for text in hidden)
    assert findings["Deleted pages and hidden revisions can be read"]
    assert not [name for batch in connected for name in map(repr, batch.exchanges) if BOT_PASSWORD in name]


def test_a_private_wiki_and_a_wrong_password_are_refused_by_the_wikis_own_word(
    mediawiki: LiveMediaWiki,
) -> None:
    page = Address(address=f"{mediawiki.address}/index.php/Road_closure")
    wrong = {**mediawiki.secret, "password": "x" * 32}
    with evidence_client(wrong, datetime.now(UTC)) as http, pytest.raises(AccessRevoked, match="password"):
        list(MediaWiki(http, wrong).observe(page, None))
    with mediawiki.set_to(PRIVATE):
        with (
            evidence_client(None, datetime.now(UTC)) as http,
            pytest.raises(AccessRevoked, match="readapidenied"),
        ):
            list(MediaWiki(http).observe(page, None))
        with evidence_client(mediawiki.secret, datetime.now(UTC)) as http:
            assert list(MediaWiki(http, mediawiki.secret).observe(page, None))


def test_too_many_attempts_to_sign_in_mean_later(mediawiki: LiveMediaWiki) -> None:
    page = Address(address=f"{mediawiki.address}/index.php/Road_closure")
    wrong = {"user": "PressOffice@archive", "password": "x" * 32}
    throttle = (
        "$wgMainCacheType = CACHE_DB; $wgPasswordAttemptThrottle = [ [ 'count' => 1, 'seconds' => 300 ] ];"
    )
    with mediawiki.set_to(throttle), evidence_client(wrong, datetime.now(UTC)) as http:
        with pytest.raises((AccessRevoked, TryAgainLater)):
            list(MediaWiki(http, wrong).observe(page, None))
        with pytest.raises(TryAgainLater, match="login attempts"):
            list(MediaWiki(http, wrong).observe(page, None))
