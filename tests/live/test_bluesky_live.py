"""A real network of the AT Protocol in a real archive: four nights, an outage, takedowns, and the firehose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import main
from app.records.clock import SystemClock
from app.records.nouns import Page, Record
from connectors.bluesky import Bluesky
from connectors.bluesky.stream import Reached
from connectors.contract import Batch, Exchange, Kind, State
from connectors.contract import Page as Address
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.http import EvidenceClient
from tests.archives import settings_at
from tests.connectors.worlds.loopback import evidence_client
from tests.journeys.office import Office
from tests.live.atproto_server import PIXEL, POST, LiveAtproto, now, running_atproto

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def network() -> Iterator[LiveAtproto]:
    with running_atproto() as found:
        yield found


@pytest.fixture
def http(network: LiveAtproto) -> Iterator[EvidenceClient]:
    with evidence_client({"app_password": network.agency.password}, datetime.now(UTC)) as client:
        yield client


@pytest.fixture
def address(network: LiveAtproto) -> Address:
    return Address(address=f"https://bsky.app/profile/{network.agency.handle}", options=network.options)


@dataclass(slots=True)
class Desk:
    """The office and the page."""

    office: Office
    page: Page

    def record(self, name: str) -> Record:
        return self.office.known(self.page)[name]

    def told(self, name: str) -> list[tuple[str, str]]:
        return self.office.told(self.record(name))

    def standing(self) -> dict[str, tuple[str, int]]:
        return {name: (one.state, one.versions) for name, one in self.office.known(self.page).items()}


@pytest.fixture
def desk(network: LiveAtproto, home: Path) -> Iterator[Desk]:
    # The network's records bear the machine's time, so the archive does too.
    archive = main.open_archive(settings_at(home, allow_hosts="127.0.0.1,localhost"), SystemClock())
    try:
        office = Office(archive)
        page = office.add(
            "bluesky",
            f"https://bsky.app/profile/{network.agency.handle}",
            "City PD on Bluesky",
            options=network.options,
        )
        yield Desk(office, page)
    finally:
        archive.close()


def test_an_account_is_kept_through_four_nights_and_an_outage(network: LiveAtproto, desk: Desk) -> None:
    office, agency, visitor, other = desk.office, network.agency, network.visitor, network.other

    # 1. The first night: a post with a picture, answers in any depth, a quotation.
    picture = {"image": agency.uploads(PIXEL, "image/gif"), "alt": "a closed road"}
    post = agency.says("Mill Road is closed.", embed={"$type": "app.bsky.embed.images", "images": [picture]})
    brief = agency.says("Test of the siren at noon.")
    detour = visitor.says("Which way is the detour?", post)
    left = agency.says("Left at the mill.", detour)
    thanks = other.says("Thanks.", left)
    rude = other.says("Clowns.", post)
    siren = agency.says("The siren works.")
    quoting = {"$type": "app.bsky.embed.record", "record": {"uri": siren["uri"], "cid": siren["cid"]}}
    quotation = other.says("Again?", embed=quoting)
    network.counted(post["uri"], 2)
    network.counted(left["uri"], 1)
    network.until(lambda: network.shows(siren["uri"])["post"]["quoteCount"] == 1, "a quotation")
    network.until(lambda: network.shows(brief["uri"]), "a post")

    first = office.capture(desk.page)
    assert (first.status, first.gaps) == ("complete", [])
    names = set(desk.standing())
    assert {one["uri"] for one in (post, brief, detour, left, thanks, rude, quotation)} <= names
    assert {agency.did, f"at://{agency.did}/app.bsky.actor.profile/self"} <= names
    extra = desk.record(agency.did).version.fields["extra"]
    assert isinstance(extra, dict)
    assert extra["signature"] == "verified"
    family = [one.version.fields["native_id"] for one in office.family(desk.record(thanks["uri"]))]
    assert {post["uri"], detour["uri"], left["uri"], thanks["uri"]} <= set(family)
    again = office.capture(desk.page)
    assert (again.status, again.tally.new, again.tally.edited, again.tally.absent) == ("complete", 0, 0, 0)
    assert {versions for _, versions in desk.standing().values()} == {1}

    # 2. The second night: the post was edited, somebody answered, and an answer was hidden.
    rkey = post["uri"].rpartition("/")[2]
    agency.writes(POST, rkey, text="Mill Road is open.", createdAt=now(), langs=["en"])
    late = visitor.says("The sign says closed.", post)
    gate = agency.hides(post, rude)
    network.counted(post["uri"], 3)
    network.until(
        lambda: network.shows(post["uri"])["post"]["record"]["text"] == "Mill Road is open.", "an edit"
    )
    second = office.capture(desk.page)
    assert [(gap.what, gap.why) for gap in second.gaps] == []
    assert (second.tally.new, second.tally.edited) == (2, 1)
    assert desk.told(post["uri"]) == [("present", "Mill Road is closed."), ("present", "Mill Road is open.")]
    assert [state for state, _ in desk.told(rude["uri"])] == ["present", "hidden"]
    assert desk.record(late["uri"]).state == "present"
    assert rude["uri"] in desk.told(gate)[-1][1]

    # 3. The third night: a visitor and the agency have each removed something; both are proven gone.
    visitor.removes(late["uri"])
    agency.removes(brief["uri"])
    network.counted(post["uri"], 2)
    third = office.capture(desk.page)
    assert [(gap.what, gap.why) for gap in third.gaps] == []
    assert (third.tally.gone, third.tally.absent) == (2, 0)
    for one in (late, brief):
        gone = desk.record(one["uri"])
        assert gone.state == "gone"
        assert "proves that it is not in the repository" in (gone.version.text("state_reason") or "")
        assert "signature verified" in (gone.version.text("state_reason") or "")

    # 4. The network cannot be reached, then only its app view: nothing is concluded from either.
    before = desk.standing()
    with network.relays["plc"]:
        report = office.capture(desk.page)
        assert (report.status, len(report.gaps)) == ("failed", 1)
        assert desk.standing() == before
    with network.relays["appview"]:
        report = office.capture(desk.page)
        assert report.status in {"failed", "partial"}
        assert report.gaps
        assert desk.standing() == before
    assert office.page(desk.page.name).status == "active"
    fourth = office.capture(desk.page)
    assert (fourth.status, fourth.tally.new, fourth.tally.gone, fourth.tally.absent) == ("complete", 0, 0, 0)
    assert desk.standing() == before

    # 5. A visitor's account is taken down: the answer is not gone. Then the page's own is, and comes back.
    network.takes_down(other)
    office.capture(desk.page)
    assert desk.record(thanks["uri"]).state in {"present", "hidden", "absent"}
    network.takes_down(other, applied=False)
    standing = desk.standing()
    network.takes_down(agency)
    try:
        report = office.capture(desk.page)
        assert report.status == "failed"
        assert "RepoTakendown" in report.gaps[0].why
        assert desk.standing() == standing
    finally:
        network.takes_down(agency, applied=False)
    assert office.capture(desk.page).tally.gone == 0

    # 6. Everything verifies.
    assert office.unsound() == []


def test_an_account_that_was_taken_down_is_hidden_by_its_own_server_and_not_gone(
    network: LiveAtproto, http: EvidenceClient, address: Address
) -> None:
    post = network.agency.says("A notice.")
    connector = Bluesky(http)
    connector_page = replace(address, address=network.agency.did)
    network.takes_down(network.agency)
    try:
        with pytest.raises(NoSuchPage, match="RepoTakendown"):
            list(connector.observe(connector_page, None))
        (batch,) = connector.look(connector_page, [(Kind.POST, post["uri"])])
        assert batch.sightings[0].state is State.HIDDEN
        assert "RepoTakendown" in batch.sightings[0].reason
    finally:
        network.takes_down(network.agency, applied=False)
    (batch,) = connector.look(connector_page, [(Kind.POST, post["uri"])])
    assert batch.sightings[0].state is State.PRESENT


def test_the_firehose_tells_of_a_post_its_edit_and_its_removal(
    network: LiveAtproto, http: EvidenceClient, address: Address
) -> None:
    stranger = network.other.says("Nobody's page.")
    post = network.agency.says("Boil water until six.")
    rkey = post["uri"].rpartition("/")[2]
    network.agency.writes(POST, rkey, text="Boil water until eight.", createdAt=now())
    network.agency.removes(post["uri"])

    start = Reached(network.pds.replace("http", "ws"), 0).cursor()
    stream = Bluesky(http).listen(address, start)
    told: list[tuple[str, str]] = []
    heard: list[Batch] = []
    for batch in stream:
        heard.append(batch)
        told += [(str(one.state), one.text) for one in batch.observations if one.native_id == post["uri"]]
        told += [(str(one.state), one.reason) for one in batch.sightings if one.native_id == post["uri"]]
        for one in batch.observations:
            (span,) = one.evidence
            body = batch.exchanges[span.exchange].body
            assert (
                not one.text or one.kind is Kind.PROFILE or one.text.encode() in body[span.start : span.end]
            )
        if len(told) == 3:
            break
    assert [state for state, _ in told] == ["present", "present", "gone"]
    assert [words for _, words in told[:2]] == ["Boil water until six.", "Boil water until eight."]
    assert "delete" in told[2][1]
    assert not any(stranger["uri"] == one.native_id for batch in heard for one in batch.observations)

    # What comes after the place that was reached is told without what came before.
    later = network.agency.says("The water is safe.")
    batch = next(Bluesky(http).listen(address, heard[-1].resume_from))
    assert [one.native_id for one in batch.observations] == [later["uri"]]


def test_a_place_that_lies_in_the_streams_future_is_a_gap_and_it_goes_on(
    network: LiveAtproto, http: EvidenceClient, address: Address
) -> None:
    ahead = Reached(network.pds.replace("http", "ws"), 10**9).cursor()
    stream = Bluesky(http).listen(address, ahead)
    assert next(stream).gaps[0].what == "the stream"


def repository(batches: list[Batch]) -> Exchange:
    """The answer that holds the account's repository, or what changed of it."""
    (found,) = (one for batch in batches for one in batch.exchanges if "sync.getRepo" in one.url)
    return found


def test_a_narrowed_pass_reads_only_what_changed_and_sees_an_edit_a_removal_and_an_answer(
    network: LiveAtproto, http: EvidenceClient, address: Address
) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    narrowed = replace(address, published_from=since)
    kept, removed = network.agency.says("Kept."), network.agency.says("To be removed.")
    network.until(lambda: network.shows(kept["uri"]) and network.shows(removed["uri"]), "two posts")
    whole = list(Bluesky(http).observe(narrowed, None))

    rkey = kept["uri"].rpartition("/")[2]
    network.agency.writes(POST, rkey, text="Kept and edited.", createdAt=now())
    answer = network.visitor.says("Seen.", kept)
    network.agency.removes(removed["uri"])
    network.counted(kept["uri"], 1)
    network.until(lambda: not network.shows(removed["uri"]), "a removal")
    lately = list(Bluesky(http).observe(narrowed, whole[-1].resume_from))

    first, second = (repository(batches) for batches in (whole, lately))
    assert "since=" in second.url
    assert "since=" not in first.url
    assert 0 < len(second.body) < len(first.body)
    seen = {one.native_id: one for batch in lately for one in batch.observations}
    assert seen[kept["uri"]].text == "Kept and edited."
    assert answer["uri"] in seen
    sighted = {one.native_id: one for batch in lately for one in batch.sightings}
    assert sighted[removed["uri"]].state is State.GONE


def test_an_app_password_opens_mentions_and_a_wrong_one_is_noticed(
    network: LiveAtproto, http: EvidenceClient, address: Address
) -> None:
    made = network.agency.does("com.atproto.server.createAppPassword", name="Muniment")
    facet = {
        "index": {"byteStart": 0, "byteEnd": 12},
        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": network.agency.did}],
    }
    mention = network.visitor.says("@citypd.test is this right?", facets=[facet])
    network.until(lambda: network.shows(mention["uri"]), "a mention")
    http.keep_secret("app_password", made["password"])
    connected = Bluesky(http, {"app_password": made["password"]})
    seen = {one.native_id: one for batch in connected.observe(address, None) for one in batch.observations}
    assert seen[mention["uri"]].kind is Kind.MESSAGE
    assert not seen[mention["uri"]].private
    assert network.agency.did + "#preferences" in seen
    assert all(finding.fine for finding in connected.check(address) if finding.what != "direct messages")

    with pytest.raises(AccessRevoked):
        list(Bluesky(http, {"app_password": "aaaa-bbbb-cccc-dddd"}).observe(address, None))
