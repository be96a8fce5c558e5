"""A Mastodon interface that is not ours, captured night after night into a real archive.

It is a stateful mock (mastodon_mock), not a Mastodon: see docs/connectors/mastodon.md.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.capture.runs import Report
from app.records.clock import SystemClock
from app.records.nouns import Page, Record
from connectors.contract import Batch, Observation
from connectors.contract import Page as Address
from connectors.errors import ConnectorError
from connectors.mastodon import Mastodon
from tests.connectors.worlds.loopback import evidence_client
from tests.journeys.office import Office, office_in
from tests.live.mastodon_server import LiveMastodon, serving, token_of

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMastodon]:
    with serving(tmp_path_factory.mktemp("mastodon")) as server:
        yield server


@dataclass(slots=True)
class Desk:
    """The office, the server, and the two pages under which the account is kept: as its owner, and as anybody."""

    office: Office
    town: LiveMastodon
    ours: Page
    public: Page

    def night(self) -> tuple[Report, Report]:
        return self.office.capture(self.ours), self.office.capture(self.public)

    def record(self, page: Page, identity: str) -> Record:
        return self.office.known(page)[f"status:{identity}"]

    def told(self, page: Page, identity: str) -> list[tuple[str, str]]:
        return self.office.told(self.record(page, identity))

    def standing(self, page: Page) -> dict[str, tuple[str, int]]:
        return {name: (one.state, one.versions) for name, one in self.office.known(page).items()}


@pytest.fixture
def desk(town: LiveMastodon, home: Path) -> Iterator[Desk]:
    # The server's edits bear the machine's time, so the archive does too.
    with office_in(home, SystemClock()) as office:
        address = f"{town.address}/@police"
        ours = office.add("mastodon", address, "Police, connected", secret=town.secret)
        yield Desk(office, town, ours, office.add("mastodon", address, "Police, as anybody sees it"))


def test_an_account_is_kept_through_edits_deletions_hiding_throttling_and_an_outage(desk: Desk) -> None:
    office, town, ours, public = desk.office, desk.town, desk.ours, desk.public
    filtering = town.act("police", "POST", "/api/v2/filters", title="Rude", context=["home"])["id"]
    town.act("police", "POST", f"/api/v2/filters/{filtering}/keywords", keyword="clown")
    town.act("police", "POST", f"/api/v1/accounts/{town.number('troll')}/block")
    closed = town.say("police", "Main Street is closed.", media_ids=[town.picture("police", "A barrier")])
    why = town.say("jo", "@police Why?", to=closed)
    flood = town.say("police", "A flood.", to=why)
    rude = town.say("troll", "Clowns.", to=closed)
    light = town.say("al", "@police A light is out.", visibility="public")
    secret = town.say("al", "@police I am Al.", visibility="direct")
    followers = town.say("police", "For our followers", visibility="private")
    poll = town.say("police", "Which day?", poll={"options": ["Monday", "Friday"], "expires_in": 3600})
    boost = town.act("police", "POST", f"/api/v1/statuses/{light}/reblog")["id"]

    # 1. The first night keeps all that there is; anybody sees less of it.
    first, anybody = desk.night()
    assert (first.status, anybody.status) == ("complete", "complete"), (first.gaps, anybody.gaps)
    seen = office.known(ours)
    assert {
        f"status:{one}" for one in (closed, why, flood, rude, light, secret, followers, poll, boost)
    } <= set(seen)
    assert {"settings", "blocks", "mutes", "domain-blocks", f"filter:{filtering}"} <= set(seen)
    assert seen[f"filter:{filtering}"].version.text("text") == "Rude\nclown"
    assert seen["blocks"].version.text("text") == "@troll"
    assert (seen[f"status:{secret}"].kind, seen[f"status:{secret}"].private) == ("message", True)
    assert (seen[f"status:{followers}"].state, seen[f"status:{followers}"].private) == ("hidden", True)
    assert desk.told(ours, poll)[0][1].endswith("- Monday\n- Friday")
    assert [one.version.fields["native_id"] for one in office.family(seen[f"status:{closed}"])] == [
        f"status:{one}" for one in (closed, why, flood, rude)
    ]
    strangers = set(office.known(public))
    assert {f"status:{one}" for one in (closed, why, flood, rude, poll, boost)} <= strangers
    assert not {"settings", "blocks", f"status:{secret}", f"status:{followers}"} & strangers

    # 2. A quiet night changes nothing.
    for page, quiet in zip((ours, public), desk.night(), strict=True):
        assert quiet.status == "complete"
        assert (quiet.tally.new, quiet.tally.edited, quiet.tally.absent, quiet.tally.gone) == (0, 0, 0, 0)
        assert {versions for _, versions in desk.standing(page).values()} == {1}

    # 3. Two edits of one status in a day, an answer, and another word in the filter.
    town.amend("police", closed, "Main Street is closed until six.")
    town.amend("police", closed, "Main Street is closed until nine.")
    late = town.say("jo", "Thanks.", to=flood)
    town.act("police", "POST", f"/api/v2/filters/{filtering}/keywords", keyword="donut")
    edited, anybody = desk.night()
    assert (edited.tally.new, edited.tally.edited) == (1, 2)
    assert (anybody.tally.new, anybody.tally.edited) == (1, 1)
    for page in (ours, public):
        assert [words for _, words in desk.told(page, closed)] == [
            "Main Street is closed.",
            "Main Street is closed until nine.",
        ]
        earlier = desk.record(page, closed).version.fields["extra"]["edits"]  # type: ignore[index]  # JSON that was read
        assert [one["text"] for one in earlier] == [
            "Main Street is closed.",
            "Main Street is closed until six.",
            "Main Street is closed until nine.",
        ]
        assert desk.record(page, late).state == "present"
    assert [words for _, words in office.told(office.known(ours)[f"filter:{filtering}"])] == [
        "Rude\nclown",
        "Rude\nclown\ndonut",
    ]

    # 4. An answer, a message and a status of our own are deleted; one writer is suspended by the server.
    town.delete("jo", late)
    town.delete("police", poll)
    town.delete("al", secret)
    town.act("police", "DELETE", f"/api/v2/filters/{filtering}")
    town.act("al", "POST", f"/api/v1/admin/accounts/{town.number('troll')}/action", type="suspend")
    desk.night()
    for page in (ours, public):
        for gone in (late, poll):
            record = desk.record(page, gone)
            assert record.state == "gone"
            assert record.version.text("state_reason") == "404 Record not found"
        assert desk.told(page, late)[-1] == ("gone", "Thanks.")
        assert desk.told(page, closed)[-1][0] == "present"
    assert desk.record(ours, secret).state == "absent", (
        "a deleted message looks like one that is no longer shown"
    )
    assert office.known(ours)[f"filter:{filtering}"].state == "gone"
    # The mock leaves a suspended writer out of the thread and still answers by id: what it answers counts.
    assert [desk.record(page, rude).state for page in (ours, public)] == ["present", "present"]

    # 5. The server asks us to wait, then goes down: each run fails, says so, and nothing is concluded from it.
    before = {page.name: desk.standing(page) for page in (ours, public)}
    reset = (datetime.now(UTC) + timedelta(minutes=4)).isoformat().replace("+00:00", "Z")
    town.fault(
        effect={"type": "ratelimit", "headers": {"X-RateLimit-Reset": reset, "X-RateLimit-Remaining": "0"}}
    )
    throttled = desk.night()
    town.well_again()
    town.stop()
    try:
        down = desk.night()
    finally:
        town.start()
    for report in (*throttled, *down):
        assert report.status == "failed"
        assert len(report.gaps) == 1
    for page in (ours, public):
        assert desk.standing(page) == before[page.name]
        assert office.page(page.name).status == "active"

    # 6. It comes back: what was said meanwhile is there, and nothing was lost.
    back = town.say("police", "We are back.")
    for page, report in zip((ours, public), desk.night(), strict=True):
        assert (report.status, report.tally.new, report.gaps) == ("complete", 1, [])
        assert desk.standing(page) == before[page.name] | {f"status:{back}": ("present", 1)}

    # 7. Everything verifies, and the token stands nowhere in the clear.
    assert office.unsound() == []
    token = token_of("police").encode()
    written = [file for file in office.archive.settings.home.rglob("*") if file.is_file()]
    assert len(written) > 10
    assert not [file for file in written if token in file.read_bytes()]


def test_a_token_that_was_revoked_disconnects_the_page_and_makes_nothing_missing(desk: Desk) -> None:
    office, town = desk.office, desk.town
    town.say("police", "Before")
    first = office.capture(desk.ours)
    # The mock forgets the bytes of pictures when it goes down; everything else is there.
    assert {gap.what for gap in first.gaps} <= {"an attachment"}
    before = desk.standing(desk.ours)
    town.fault(effect={"type": "status", "status": 401, "body": {"error": "The access token is invalid"}})
    try:
        report = office.capture(desk.ours)
    finally:
        town.well_again()
    assert report.status == "failed"
    assert office.page(desk.ours.name).status == "disconnected"
    assert desk.standing(desk.ours) == before


def test_the_span_the_family_and_the_check_of_a_real_client_agree_with_the_whole(town: LiveMastodon) -> None:
    post = town.say("police", "Sirens are tested.")
    at = post
    for depth in range(6):
        at = town.say("jo" if depth % 2 else "police", f"Answer {depth}", to=at)
    begun = datetime.now(UTC) - timedelta(minutes=1)
    with evidence_client(town.secret, datetime.now(UTC)) as http:
        connector = Mastodon(http, town.secret)
        whole = seen(connector.observe(Address(address=f"{town.address}/@police"), None))
        lately = seen(
            connector.observe(Address(address=f"{town.address}/@police", published_from=begun), None)
        )
        family = list(connector.family(Address(address=f"{town.address}/@police"), f"status:{post}"))
        found = list(connector.check(Address(address=f"{town.address}/@police")))
    assert {name for name, one in whole.items() if one.published_at and one.published_at >= begun} <= set(
        lately
    )
    assert len(seen(family)) == 7
    assert len(family[-1].listings) == 7
    assert seen(family)[f"status:{at}"].text == whole[f"status:{at}"].text
    assert all(one.fine for one in found), found


def test_the_stream_tells_of_a_status_its_edit_and_its_deletion(town: LiveMastodon) -> None:
    told: queue.Queue[Batch] = queue.Queue()
    with evidence_client(town.secret, datetime.now(UTC)) as http:

        def hear() -> None:
            with suppress(ConnectorError):
                for batch in Mastodon(http, town.secret).listen(
                    Address(address=f"{town.address}/@police"), None
                ):
                    told.put(batch)

        listener = threading.Thread(target=hear, daemon=True)
        listener.start()
        status, first = said_until_heard(town, told)
        assert first.observations[0].native_id.startswith("account:"), (
            "the introduction comes with what is told"
        )
        assert told.get(timeout=20).observations[0].native_id == f"status:{status}"
        town.amend("police", status, "Heard.")
        edited = told.get(timeout=20).observations[0]
        assert (edited.text, len(edited.extra["edits"])) == ("Heard.", 2)  # type: ignore[arg-type]  # a list
        answer = town.say("jo", "@police Good.", to=status)
        assert told.get(timeout=20).observations[0].native_id == f"status:{answer}"
        town.delete("police", status)
        states = [one.state for one in told.get(timeout=20).sightings]
        assert states == ["gone"]
        town.stop()
        listener.join(20)
        assert not listener.is_alive(), "a stream that breaks ends"
        town.start()


def said_until_heard(town: LiveMastodon, told: queue.Queue[Batch]) -> tuple[str, Batch]:
    """The stream opens while we speak: what is said before is not told."""
    for number in range(40):
        status = town.say("police", f"Can you hear me? {number}")
        with suppress(queue.Empty):
            return status, told.get(timeout=0.5)
    pytest.fail("the stream told nothing")


def seen(batches: Iterator[Batch] | list[Batch]) -> dict[str, Observation]:
    return {one.native_id: one for batch in batches for one in batch.observations}
