"""Snapchat, observed over loopback: what a public page shows, what has run out, and pages that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Author, Batch, Cursor, Kind, Page, State
from connectors.errors import AddressRefused, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.http import EvidenceClient
from connectors.snapchat import Snapchat
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.snapchat_world import HTML, LOST, NAME, SIGN_IN, SnapchatWorld
from tests.connectors.worlds.visits import PageVisit, gaps, seen

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)


class Visit(PageVisit[Snapchat]):
    """One connector at one profile."""

    looks_for = Kind.POST

    def __init__(self, world: SnapchatWorld, http: EvidenceClient, **more: str) -> None:
        super().__init__(Snapchat(http), {"site": world.address, **more})

    def page(self, written: str = f"https://www.snapchat.com/@{NAME}", /, **span: datetime | None) -> Page:
        return Page(address=written, options=self.options, **span)

    def check(self) -> dict[str, str]:
        """What was found, with what to do where it is not well."""
        return {one.what: one.remedy for one in self.connector.check(self.page())}


def sighted(batches: Sequence[Batch]) -> dict[str, State]:
    return {one.native_id: one.state for batch in batches for one in batch.sightings}


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(now=NOW) as client:
        yield client


@pytest.fixture
def world() -> Iterator[SnapchatWorld]:
    with SnapchatWorld() as profile:
        yield profile


@pytest.fixture
def visit(world: SnapchatWorld, http: EvidenceClient) -> Visit:
    return Visit(world, http)


# --- what a profile shows -----------------------------------------------------------------------------------


def test_the_introduction_keeps_its_words_its_pictures_and_its_subscribers(world, visit):
    world.info["address"] = "1 Main Street"
    shown = seen(visit.observe())["profile"]
    assert shown.kind is Kind.PROFILE
    assert (
        shown.text
        == "Test Town Police\n\nThe department's own profile.\n\n1 Main Street\n\nhttps://town.example/police"
    )
    assert shown.author == Author(name="Test Town Police", handle=NAME)
    assert [file.id for file in shown.attachments] == ["picture:face", "behind:hero"]
    assert shown.counts == {"subscribers": 1000}
    assert shown.url == f"https://www.snapchat.com/@{NAME}"


def test_each_snap_of_the_story_is_a_record_with_its_file_and_until_when_it_is_shown(world, visit):
    name = world.tell(kind=0, words="Open day", overlay=True)
    shown = seen(visit.observe())[f"story/{name}"]
    assert (shown.kind, shown.state, shown.text) == (Kind.POST, State.PRESENT, "Open day")
    assert shown.published_at == datetime(2026, 6, 1, 1, 1, tzinfo=UTC)
    assert shown.extra == {"media": "image", "shown_until": "2026-06-02T01:01:00+00:00"}
    assert [file.id for file in shown.attachments] == [f"media:{name}", f"overlay:{name}"]
    assert shown.author == Author(handle=NAME)


def test_a_saved_story_is_one_record_with_all_of_its_snaps_in_their_order(world, visit):
    snaps = [world.snap(words="Doors open"), world.snap(kind=0)]
    name = world.save("Open house 🚓", *snaps)
    shown = seen(visit.observe())[f"highlight/{name}"]
    assert shown.text == "Open house 🚓\n\nDoors open"
    assert [file.id for file in shown.attachments] == [f"media:{one.id}" for one in snaps]
    assert shown.published_at == snaps[0].at
    assert shown.extra["snaps"] == [{"id": one.id, "at": one.at.isoformat()} for one in snaps]


def test_a_spotlight_keeps_its_words_its_file_and_what_is_counted_of_it(world, visit):
    name = world.shine("Bridge closed & <b>", "Until six. #roads", views=77)
    shown = seen(visit.observe())[f"spotlight/{name}"]
    assert shown.text == "Bridge closed & <b>\n\nUntil six. #roads"
    assert shown.counts == {"views": 77, "shares": 3, "comments": 1}, "what is below nought is none"
    assert shown.url == f"https://www.snapchat.com/spotlight/{name}"
    assert [file.id for file in shown.attachments] == [f"media:{world.spotlights[name].snap.id}"]


@pytest.mark.parametrize("links", [True, False])
def test_the_words_of_each_spotlight_are_its_own_also_where_places_are_kept_free(world, visit, links):
    world.links = links
    names = {world.shine(f"Number {number}"): f"Number {number}" for number in range(3)}
    shown = seen(visit.observe())
    assert {name: shown[f"spotlight/{name}"].text for name in names} == names


def test_a_spotlight_whose_words_the_page_does_not_tell_is_read_at_its_own_page(world, visit):
    name = world.shine("How to report", "In five steps.", told=False)
    batches = visit.observe()
    shown = seen(batches)[f"spotlight/{name}"]
    assert shown.text == "How to report\n\nIn five steps."
    assert [file.id for file in shown.attachments] == [f"media:{world.spotlights[name].snap.id}"]
    assert world.asked[-1] == f"/spotlight/{name}"
    world.spotlights[name].told = True
    again = seen(visit.observe())[f"spotlight/{name}"]
    assert (again.text, again.published_at) == (shown.text, shown.published_at), (
        "the same, wherever it was read"
    )


def test_a_spotlight_whose_own_page_does_not_show_it_is_a_gap(world, visit):
    name = world.shine("How to report", told=False)
    world.trouble = lambda path: (404, HTML, LOST) if "spotlight" in path else None
    batches = visit.observe()
    assert f"spotlight/{name}" not in seen(batches)
    assert "404" in gaps(batches)["a spotlight"]


def test_each_item_names_its_own_bytes(world, visit):
    snap, saved, bright = world.tell(), world.save("Open house"), world.shine("Bridge")
    (batch,) = visit.observe()
    own = {
        one.native_id: [json.loads(batch.exchanges[0].body[span.start : span.end]) for span in one.evidence]
        for one in batch.observations
    }
    assert own["profile"][0]["username"] == NAME
    assert own[f"story/{snap}"][0]["snapId"] == {"value": snap}
    assert own[f"highlight/{saved}"][0]["storyTitle"] == {"value": "Open house"}
    assert [min(one) for one in own[f"spotlight/{bright}"]] == ["snapList", "engagementStats"]


def test_an_answer_that_was_compressed_all_the_same_belongs_to_each_of_its_items_whole(world, visit):
    world.compresses = True
    name = world.tell()
    (batch,) = visit.observe()
    assert f"story/{name}" in seen([batch])
    size = len(batch.exchanges[0].body)
    assert {(span.start, span.end) for one in batch.observations for span in one.evidence} == {(0, size)}


def test_files_keep_their_names_when_their_addresses_are_signed_anew(world, visit):
    world.tell()
    world.save("Open house")
    world.shine("Bridge")
    before = seen(visit.observe())
    world.night += 1
    after = seen(visit.observe())
    for name, shown in before.items():
        assert [file.id for file in shown.attachments] == [file.id for file in after[name].attachments]
        assert [file.url for file in shown.attachments] != [file.url for file in after[name].attachments]


def test_a_public_profile_without_a_story_is_a_complete_pass(world, visit):
    batches = visit.observe()
    assert set(seen(batches)) == {"profile"}
    assert gaps(batches) == {}


def test_an_account_without_a_public_profile_is_introduced_and_is_a_gap(world, visit):
    world.public = False
    batches = visit.observe()
    assert seen(batches)["profile"].extra == {"public": "no"}
    assert "no public profile" in gaps(batches)["stories and spotlights"]


# --- what the page shows no longer --------------------------------------------------------------------------


def test_a_snap_that_is_taken_off_before_its_day_is_over_is_absent_and_is_told_once(world, visit):
    name = f"story/{world.tell()}"
    first = visit.observe()[-1].resume_from
    world.story.clear()
    batches = visit.observe(first)
    assert sighted(batches) == {name: State.ABSENT}
    assert sighted(visit.observe(batches[-1].resume_from)) == {}


@pytest.mark.parametrize(("hours", "says"), [(22.4, True), (23.6, False), (24.1, False), (400, False)])
def test_a_snap_whose_day_is_over_or_nearly_so_is_never_reported(world, hours, says):
    name = f"story/{world.tell()}"
    with evidence_client(now=world.story[0].at) as http:
        first = Visit(world, http).observe()[-1].resume_from
    world.story.clear()
    with evidence_client(now=datetime(2026, 6, 1, 1, 1, tzinfo=UTC) + timedelta(hours=hours)) as http:
        assert (name in sighted(Visit(world, http).observe(first))) == says


def test_a_snap_without_a_time_is_never_reported(world, visit):
    world.tell(more={"timestampInSec": None})
    first = visit.observe()[-1].resume_from
    world.story.clear()
    assert sighted(visit.observe(first)) == {}


def test_a_page_without_its_story_proves_nothing_of_it_and_is_a_gap(world, visit):
    name = f"story/{world.tell()}"
    first = visit.observe()[-1].resume_from
    world.story_known = False
    batches = visit.observe(first)
    assert (sighted(batches), list(gaps(batches))) == ({}, ["stories"])
    world.story_known = True
    world.story.clear()
    assert sighted(visit.observe(batches[-1].resume_from)) == {name: State.ABSENT}, "it was not forgotten"


def test_a_page_that_came_without_what_it_says_it_has_proves_nothing(world, visit):
    world.shine("Bridge")
    world.save("Open house")
    first = visit.observe()[-1].resume_from
    world.strips = {"curatedHighlights", "spotlightHighlights"}
    batches = visit.observe(first)
    assert sighted(batches) == {}
    assert set(gaps(batches)) == {"saved stories", "spotlights"}
    world.strips = set()
    assert gaps(visit.observe(batches[-1].resume_from)) == {}


def test_a_profile_that_is_not_public_for_a_while_proves_nothing_and_forgets_nothing(world, visit):
    saved, bright = f"highlight/{world.save('Open house')}", f"spotlight/{world.shine('Bridge')}"
    first = visit.observe()[-1].resume_from
    world.public = False
    batches = visit.observe(first)
    assert sighted(batches) == {}
    world.public = True
    world.saved.clear()
    world.spotlights.clear()
    assert sighted(visit.observe(batches[-1].resume_from)) == {saved: State.ABSENT, bright: State.GONE}


def test_a_saved_story_that_is_shown_no_longer_is_absent(world, visit):
    gone, stays = world.save("Open house"), world.save("Recruiting")
    first = visit.observe()[-1].resume_from
    del world.saved[gone]
    batches = visit.observe(first)
    assert sighted(batches) == {f"highlight/{gone}": State.ABSENT}
    assert f"highlight/{stays}" in seen(batches)


@pytest.mark.parametrize(("answer", "state"), [(404, State.GONE), (410, State.GONE), (200, State.UNKNOWN)])
def test_a_spotlight_that_left_the_page_is_gone_only_by_the_answer_of_its_own_page(
    world, visit, answer, state
):
    name = world.shine("Bridge")
    world.shine("Ferry")
    first = visit.observe()[-1].resume_from
    del world.spotlights[name]
    world.removed_is = answer
    batches = visit.observe(first)
    assert sighted(batches) == {f"spotlight/{name}": state}
    (sighting,) = batches[-1].sightings
    assert batches[-1].exchanges[sighting.exchange].status == answer


def test_a_spotlight_that_made_room_for_newer_ones_is_still_there_and_is_asked_after_once(world, visit):
    name = world.shine("Bridge")
    first = visit.observe()[-1].resume_from
    world.spotlights[name].placed = False
    world.shine("Ferry")
    batches = visit.observe(first)
    assert sighted(batches) == {f"spotlight/{name}": State.PRESENT}
    asked = len(world.asked)
    visit.observe(batches[-1].resume_from)
    assert len(world.asked) == asked + 1


def test_an_outage_while_a_spotlight_is_asked_after_forgets_nothing(world, visit):
    names = [world.shine("Bridge") for _ in range(4)]
    first = visit.observe()[-1].resume_from
    world.spotlights.clear()
    world.trouble = lambda path: (503, HTML, b"") if "spotlight" in path else None
    batches: list[Batch] = []
    with pytest.raises(TryAgainLater):
        batches.extend(visit.connector.observe(visit.page(), first))
    cut = next(iter(visit.connector.observe(visit.page(), first))).resume_from
    for since in (cut, batches[-1].resume_from):
        world.trouble = None
        assert sighted(visit.observe(since)) == {f"spotlight/{name}": State.GONE for name in names}


def test_a_look_tells_of_the_others_where_snapchat_fails_at_one(world, visit):
    broken, gone = f"spotlight/{world.shine('Bridge')}", "spotlight/W7_long_ago"
    world.spotlights[broken.partition("/")[2]].placed = False
    world.trouble = lambda path: (500, HTML, b"") if path.endswith(broken) else None
    batches = list(visit.connector.look(visit.page(), [(Kind.POST, broken), (Kind.POST, gone)]))
    assert sighted(batches) == {gone: State.GONE}
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [broken]


def test_how_items_stand_is_told_by_the_page_and_spotlights_by_their_own(world, visit):
    snap, saved = f"story/{world.tell()}", f"highlight/{world.save('Open house')}"
    bright, old, gone = world.shine("Bridge"), world.shine("Old"), world.shine("Gone")
    world.spotlights[old].placed = False
    del world.spotlights[gone]
    told = visit.look(
        "profile", snap, saved, "story/x", "highlight/x", *(f"spotlight/{one}" for one in (bright, old, gone))
    )
    assert [one.state for one in told.values()] == [
        State.PRESENT,
        State.PRESENT,
        State.PRESENT,
        State.UNKNOWN,
        State.UNKNOWN,
        State.PRESENT,
        State.PRESENT,
        State.GONE,
    ]
    assert "24 hours" in told["story/x"].reason


# --- pages that are none ------------------------------------------------------------------------------------


def of(props: Mapping[str, Any] | list[Any] | None) -> bytes:
    return SnapchatWorld.page_of(props)  # type: ignore[arg-type]  # what is no object is tried as well


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((404, HTML, LOST), NoSuchPage),
        ((410, HTML, LOST), NoSuchPage),
        ((401, HTML, b"<html>no</html>"), TryAgainLater),
        ((403, HTML, b"<html>Access denied</html>"), TryAgainLater),
        ((429, HTML, b"<html>Too many</html>"), TryAgainLater),
        ((503, HTML, b""), TryAgainLater),
        ((451, HTML, b""), UnexpectedResponse),
        ((204, HTML, b""), UnexpectedResponse),
        ((200, HTML, SIGN_IN), UnexpectedResponse),
        ((200, HTML, b""), UnexpectedResponse),
        ((200, HTML, b'<script id="__NEXT_DATA__">{"props": {"pageProps": {'), UnexpectedResponse),
        ((200, HTML, b'<script id="__NEXT_DATA__">{"props": {"pageProps": {</script>'), UnexpectedResponse),
        ((200, HTML, b'<script id="__NEXT_DATA__">' + b"[" * 100_000 + b"</script>"), UnexpectedResponse),
        ((200, HTML, of({})), UnexpectedResponse),
        ((200, HTML, of([])), UnexpectedResponse),
        ((200, HTML, of(None)), UnexpectedResponse),
        ((200, HTML, of({"userProfile": None})), UnexpectedResponse),
        ((200, HTML, of({"userProfile": {"publicProfileInfo": {"title": "No name"}}})), UnexpectedResponse),
        ((200, HTML, of({"userProfile": {"publicProfileInfo": {"username": "another"}}})), NoSuchPage),
    ],
)
def test_each_page_that_is_no_profile_is_sorted_by_what_is_to_be_done_next(world, visit, answer, error):
    world.trouble = lambda _path: answer
    with pytest.raises(error) as raised:
        visit.observe()
    assert raised.value.exchanges


def test_a_wall_is_waited_for_an_hour(world, visit):
    world.trouble = lambda _path: (403, HTML, b"<html>Access denied</html>")
    with pytest.raises(TryAgainLater) as raised:
        visit.observe()
    assert raised.value.after == timedelta(hours=1)


# --- the check, addresses, options --------------------------------------------------------------------------


def test_a_check_says_what_the_page_shows_now(world, visit):
    world.tell()
    found = visit.check()
    assert set(found.values()) == {""}
    assert "stories: 1 shown now" in found


def test_a_check_says_what_to_do_where_there_is_no_profile_or_none_that_is_public(world, visit):
    world.public = False
    assert "Public Profiles" in visit.check()[f"profile @{NAME}"]
    world.exists = False
    assert "correct the page's address" in visit.check()["profile"]
    world.exists = world.public = True
    world.shine("Bridge")
    world.strips = {"spotlightHighlights"}
    assert visit.check()["spotlights"]


def test_an_address_that_names_no_profile_says_what_to_write(visit):
    with pytest.raises(NoSuchPage, match="townpolice"):
        list(visit.connector.observe(visit.page("https://www.snapchat.com/spotlight/1"), None))


def test_a_site_that_is_no_address_is_refused(world, http):
    for written in ("ftp://x.example", "x", "http://["):
        with pytest.raises(AddressRefused, match="site"):
            Visit(world, http, site=written).observe()


def test_the_page_is_asked_for_in_one_language_and_without_any_credential(world, visit):
    visit.observe()
    (headers,) = world.headers
    assert headers["Accept-Language"] == "en"
    assert not {"Authorization", "Cookie"} & set(headers)


def test_a_cursor_that_cannot_be_read_begins_from_nothing(world, visit):
    world.tell()
    whole = set(seen(visit.observe()))
    for written in ("", "x", '{"known": []}', '{"later": 1}'):
        assert set(seen(visit.observe(Cursor(written)))) == whole


# --- answers that nobody expects ----------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["https://[", "http://[::1", "//", "\x00"])
def test_an_address_that_is_none_costs_nothing_but_its_picture(world, visit, address):
    world.info["profilePictureUrl"] = address
    name = world.tell(more={"snapUrls": {"mediaUrl": address, "overlayUrl": address}})
    first, again = seen(visit.observe()), seen(visit.observe())
    assert {"profile", f"story/{name}"} == set(first)
    assert [file.id for file in first["profile"].attachments] == [
        file.id for file in again["profile"].attachments
    ]


@pytest.mark.parametrize("told", [253402300799, "253402300799", 10**400, "9" * 30])
def test_a_time_at_the_end_of_all_times_or_beyond_it_is_no_crash(world, visit, told):
    name = world.tell(more={"timestampInSec": told})
    first = visit.observe()
    assert seen(first)[f"story/{name}"].extra.get("shown_until") is None
    world.story.clear()
    assert State.GONE not in sighted(visit.observe(first[-1].resume_from)).values()


@pytest.mark.parametrize(
    ("told", "counted"), [("123456789012345678901", None), (2**70, None), (10**400, None), ("12", 12)]
)
def test_a_number_that_nothing_can_count_to_is_none_and_never_a_part_of_it(world, visit, told, counted):
    world.info["subscriberCount"] = told
    assert seen(visit.observe())["profile"].counts.get("subscribers") == counted


def test_an_account_whose_public_profile_is_null_is_the_person_that_stands_beside(world, visit):
    told = {"publicProfileInfo": None, "userInfo": {"username": NAME, "displayName": "Town"}}
    world.trouble = lambda _path: (200, HTML, world.page_of({"userProfile": told}))
    batches = visit.observe()
    assert (seen(batches)["profile"].extra["public"], list(gaps(batches))) == (
        "no",
        ["stories and spotlights"],
    )


@pytest.mark.parametrize("story", [[], "x", 7, {}, {"snapList": None}, {"snapList": {}}])
def test_a_story_of_another_shape_proves_nothing_of_its_snaps_and_is_a_gap(world, visit, story):
    name = f"story/{world.tell()}"
    first = visit.observe()[-1].resume_from
    shown = world._profile()
    world.trouble = lambda _path: (200, HTML, world.page_of({**shown, "story": story}))
    batches = visit.observe(first)
    assert (sighted(batches), list(gaps(batches))) == ({}, ["stories"])
    world.trouble = None
    world.story.clear()
    assert sighted(visit.observe(batches[-1].resume_from)) == {name: State.ABSENT}, "it was not forgotten"


@pytest.mark.parametrize("inside", [[], None, {}])
def test_a_saved_story_that_is_listed_without_its_snaps_is_a_gap_and_not_missing(world, visit, inside):
    emptied, taken_off = world.save("Open house"), world.save("Recruiting")
    world.save("Night shift")
    first = visit.observe()[-1].resume_from
    shown = world._profile()
    told = [one for one in shown["curatedHighlights"] if one["highlightId"]["value"] != taken_off]
    emptied_one = next(one for one in told if one["highlightId"]["value"] == emptied)
    emptied_one["snapList"] = inside
    world.trouble = lambda _path: (200, HTML, world.page_of({**shown, "curatedHighlights": told}))
    batches = visit.observe(first)
    assert sighted(batches) == {f"highlight/{taken_off}": State.ABSENT}
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [f"highlight/{emptied}"]
    world.trouble = None
    del world.saved[emptied]
    assert sighted(visit.observe(batches[-1].resume_from))[f"highlight/{emptied}"] is State.ABSENT


@pytest.mark.parametrize("has", [{"value": True}, "true", 1])
def test_that_a_profile_has_saved_stories_is_read_however_it_is_written(world, visit, has):
    world.save("Open house")
    first = visit.observe()[-1].resume_from
    world.strips = {"curatedHighlights"}
    world.info["hasCuratedHighlights"] = has
    batches = visit.observe(first)
    assert (sighted(batches), list(gaps(batches))) == ({}, ["saved stories"])


def test_ids_are_the_same_whether_they_are_written_as_texts_or_as_numbers(world, visit):
    name = f"story/{world.tell(more={'snapId': 12345})}"
    assert name == "story/snap-0001_IAAAsY2Zp", "the world calls it otherwise"
    assert "story/12345" in seen(visit.observe())
    world.story[0].more["snapId"] = {"value": "12345"}
    assert "story/12345" in seen(visit.observe())
