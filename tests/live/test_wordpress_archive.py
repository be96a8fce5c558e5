"""A real WordPress in a real archive: an edit, a trashed and a deleted comment, an outage, and what can be proven of it."""

from __future__ import annotations

import base64
import gzip
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.capture.runs import Report
from app.records.clock import SystemClock
from app.records.nouns import Page, Record
from tests.journeys.office import Office, office_in
from tests.live.conftest import LiveWordPress

pytestmark = pytest.mark.live

CONNECTED, PUBLIC = "Police blog, connected", "Police blog, as visitors see it"


@dataclass(slots=True)
class Desk:
    """The office, the site, and the two pages under which it is kept: with its password, and as anybody reads it."""

    office: Office
    site: LiveWordPress
    home: Path
    connected: Page
    public: Page

    def run(self) -> tuple[Report, Report]:
        return self.office.capture(self.connected), self.office.capture(self.public)

    def record(self, page: Page, native_id: str) -> Record:
        return self.office.known(page)[native_id]

    def states(self, page: Page, native_id: str) -> list[str]:
        return [state for state, _ in self.office.told(self.record(page, native_id))]

    def standing(self, page: Page) -> dict[str, tuple[str, int]]:
        return {name: (one.state, one.versions) for name, one in self.office.known(page).items()}

    def comment(self, post: int, words: str) -> int:
        """A comment by a stranger, let in by a moderator: the form itself lets one in every fifteen seconds."""
        writer = {"author_name": "Al Citizen", "author_email": "al@example.test"}
        made = self.site.api("POST", "/comments", post=post, content=words, status="approved", **writer)
        number: int = made["id"]
        return number


@pytest.fixture
def desk(wordpress: LiveWordPress, home: Path) -> Iterator[Desk]:
    # The site's edits bear the machine's time, so the archive does too.
    with office_in(home, SystemClock()) as office:
        connected = office.add("wordpress", wordpress.address, CONNECTED, secret=wordpress.secret)
        public = office.add("wordpress", wordpress.address, PUBLIC)
        yield Desk(office, wordpress, home, connected, public)


def a_post(site: LiveWordPress) -> int:
    # Published in the past: WordPress keeps times to the second, and an edit should bear a later one.
    made = site.api(
        "POST",
        "/posts",
        title="Road closure",
        content="<p>Main Street is closed until <b>six</b>.</p>",
        status="publish",
        date_gmt="2026-01-05T09:00:00",
    )
    number: int = made["id"]
    return number


def test_a_site_is_kept_through_an_edit_two_removals_and_an_outage(desk: Desk, tmp_path: Path) -> None:
    office, site = desk.office, desk.site
    number = a_post(site)
    post = f"post:{number}"
    rude, false = (f"comment:{desk.comment(number, words)}" for words in ("A clown.", "It was Al Otherman."))

    # 1. The first run keeps all that there is; visitors see less of it, and a second look changes nothing.
    first, visitors = desk.run()
    assert (first.status, visitors.status) == ("complete", "complete")
    assert first.tally.new > visitors.tally.new > 3
    assert "Main Street is closed until six." in str(desk.record(desk.public, post).version.fields["text"])
    assert [one.version.fields["native_id"] for one in office.family(desk.record(desk.connected, rude))] == [
        post,
        rude,
        false,
    ]
    for page, quiet in zip((desk.connected, desk.public), desk.run(), strict=True):
        assert quiet.status == "complete"
        assert (quiet.tally.new, quiet.tally.edited, quiet.tally.absent, quiet.tally.gone) == (0, 0, 0, 0)
        assert {versions for _, versions in desk.standing(page).values()} == {1}

    # 2. The post is edited, and somebody answers.
    site.api("POST", f"/posts/{number}", content="<p>Main Street is closed until <b>nine</b>.</p>")
    answer = f"comment:{desk.comment(number, 'The sign says six.')}"
    for page, report in zip((desk.connected, desk.public), desk.run(), strict=True):
        assert (report.status, report.tally.new, report.tally.edited) == ("complete", 1, 1)
        assert office.told(desk.record(page, post)) == [
            ("present", "Road closure\n\nMain Street is closed until six."),
            ("present", "Road closure\n\nMain Street is closed until nine."),
        ]
        earlier, later = office.history(desk.record(page, post))
        assert later.last_seen_before is not None
        assert earlier.observed_at <= later.last_seen_before < later.observed_at
        assert earlier.entry < later.entry
        assert desk.states(page, answer) == ["present"]

    # 3. One comment is put in the trash, the other is deleted for good.
    site.api("DELETE", f"/comments/{rude.removeprefix('comment:')}")
    site.api("DELETE", f"/comments/{false.removeprefix('comment:')}?force=true")
    with_password, without = desk.run()
    assert (with_password.tally.hidden, with_password.tally.gone, with_password.tally.absent) == (1, 1, 0)
    assert (without.tally.hidden, without.tally.gone, without.tally.absent) == (0, 1, 1)
    assert desk.states(desk.connected, rude) == ["present", "hidden"]
    assert desk.states(desk.public, rude) == ["present", "absent"]
    for page in (desk.connected, desk.public):
        told = desk.record(page, false)
        assert told.state == "gone"
        assert told.version.text("state_reason") == "404 rest_comment_invalid_id"
        assert {words for _, words in office.told(told)} == {"It was Al Otherman."}

    # 4. The site goes down: the run fails, says so, and nothing is concluded from it.
    before = {page.name: desk.standing(page) for page in (desk.connected, desk.public)}
    site.stop()
    try:
        for page, report in zip((desk.connected, desk.public), desk.run(), strict=True):
            assert report.status == "failed"
            assert len(report.gaps) == len(office.gaps(page)) == 1
            assert desk.standing(page) == before[page.name]
            assert office.page(page.name).status == "active"
    finally:
        site.start()

    # 5. It comes back: what was said meanwhile is there, and nothing was lost.
    late = f"comment:{desk.comment(number, 'Back again?')}"
    for page, report in zip((desk.connected, desk.public), desk.run(), strict=True):
        assert (report.status, report.tally.new, report.gaps) == ("complete", 1, [])
        assert (report.tally.absent, report.tally.gone, report.tally.edited) == (0, 0, 0)
        assert desk.standing(page) == before[page.name] | {late: ("present", 1)}

    # 6. Everything verifies; the evidence of the post passes the check of a tool that is not ours.
    assert office.unsound() == []
    warc = tmp_path / "post.warc.gz"
    told_of = office.archive.write_evidence(
        desk.record(desk.connected, post), warc, by=office.officer, why="demand letter of 3 May"
    )
    assert told_of["exchanges"]
    evidence = gzip.decompress(warc.read_bytes())
    assert b"closed until <b>six" in evidence
    assert b"closed until <b>nine" in evidence
    assert warcio_check(warc) == 0
    altered = tmp_path / "altered.warc"
    altered.write_bytes(evidence.replace(b"closed until <b>six", b"closed until <b>ten"))
    assert warcio_check(altered) != 0

    # 7. The password stands nowhere in the clear: neither as it is, nor as it is sent, nor in the evidence.
    written = {str(file): file.read_bytes() for file in desk.home.rglob("*") if file.is_file()}
    assert len(written) > 20
    for form in forms_of(site.secret):
        assert not [name for name, content in (written | {"evidence": evidence}).items() if form in content]


def warcio_check(file: Path) -> int:
    """What warcio, which is not ours, says of the digests in a WARC file: 0 where all of them are right."""
    command = [sys.executable, "-m", "warcio.cli", "check", "-v", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "digest" in checked.stdout, checked.stdout + checked.stderr
    return checked.returncode


def forms_of(secret: dict[str, str]) -> list[bytes]:
    """The password with its spaces, without them, and as the Authorization header carries it."""
    password = secret["application_password"]
    pair = f"{secret['user']}:{password}".encode()
    return [
        password.encode(),
        password.replace(" ", "").encode(),
        base64.b64encode(pair),
        base64.b64encode(pair.replace(b" ", b"")),
    ]
