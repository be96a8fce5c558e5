"""What Snapchat's pages hold, read from bytes alone: unknown and hostile shapes, and addresses as people write them."""

from __future__ import annotations

from time import process_time

import pytest

from connectors.contract import Author
from connectors.pieces import Malformed
from connectors.snapchat import address, parse, reading
from connectors.snapchat.manifest import MANIFEST
from tests.connectors.worlds.snapchat_world import NAME, SnapchatWorld

USER = {"publicProfileInfo": {"username": NAME}}
page_of = SnapchatWorld.page_of


@pytest.mark.parametrize(
    "props",
    [
        {"story": {"snapList": [{"snapUrls": {"mediaUrl": "https://f.example/d/1"}}]}},
        {"curatedHighlights": [{"storyTitle": "No id", "snapList": [{"snapId": "1"}]}]},
        {"spotlightHighlights": [{"storyId": {"value": ""}, "snapList": [{"snapId": "1"}]}]},
    ],
)
def test_what_has_a_file_or_words_and_no_id_is_refused_rather_than_kept_without_its_name(props):
    with pytest.raises(Malformed, match="no id"):
        reading.profile(page_of({"userProfile": USER, **props}), 0)


@pytest.mark.parametrize(
    "props",
    [
        {"story": None, "curatedHighlights": None, "spotlightHighlights": 7, "spotlightStoryMetadata": "x"},
        {"story": [], "curatedHighlights": {}, "spotlightHighlights": [None, 1, "x", [], {}]},
        {"story": {"snapList": {}}, "curatedHighlights": [{"snapList": None}], "lenses": {"a": 1}},
        {"story": {"snapList": [{}, None, {"snapId": None, "snapUrls": []}]}},
    ],
)
def test_unknown_shapes_in_places_where_nothing_is_named_are_passed_over(props):
    shown = reading.profile(page_of({"userProfile": USER, **props}), 0)
    assert (shown.story, shown.saved, shown.spotlights) == ([], [], [])


def test_values_of_other_types_leave_out_what_they_would_tell_and_no_more():
    snap = {
        "snapId": "1",
        "snapUrls": {"mediaUrl": 5, "overlayUrl": {"value": ["x"]}},
        "timestampInSec": {"value": "99999999999999999999"},
        "snapMediaType": "film",
        "snapTitle": 7,
    }
    spot = {"storyId": "2", "snapList": [{"snapId": "3", "timestampInSec": -5}]}
    told = {"videoMetadata": {"name": None, "viewCount": "many", "uploadDateMs": True}, "engagementStats": 5}
    props = {
        "userProfile": {"publicProfileInfo": {"username": NAME, "subscriberCount": "1.5k", "bio": ["x"]}},
        "story": {"snapList": [snap]},
        "spotlightHighlights": [spot],
        "spotlightStoryMetadata": [told],
    }
    shown = reading.profile(page_of(props), 0)
    one = parse.snap(shown.story[0], Author(handle=NAME))
    assert (one.published_at, one.attachments, one.text) == (None, (), "")
    bright = parse.spotlight(shown.spotlights[0], Author(handle=NAME))
    assert (bright.counts, bright.text, bright.published_at) == ({}, "", None)
    assert parse.profile(shown).counts == {}


def test_half_a_character_in_a_page_is_read_all_the_same():
    body = page_of({"userProfile": {"publicProfileInfo": {"username": NAME, "bio": "X"}}}).replace(
        b'"X"', b'"\\ud83d X"'
    )
    assert parse.profile(reading.profile(body, 0)).text == "\ufffd X"


@pytest.mark.parametrize(
    "tag",
    [
        b'<script id="__NEXT_DATA__" type="application/json">',
        b"<SCRIPT nonce='x' id='__NEXT_DATA__'>",
        b"<script type=application/json id=__NEXT_DATA__>",
    ],
)
def test_the_data_is_found_however_its_tag_is_written(tag):
    start, end = reading.data(
        b"<script>let a = 1</script><script id='other'>2</script>" + tag + b"{}</script>"
    )
    assert end - start == 2


def test_a_long_page_of_unclosed_tags_is_searched_in_little_time():
    before = process_time()
    for written in (b"<script ", b"__NEXT_DATA__", b"<script __NEXT_DATA__ "):
        with pytest.raises(Malformed):
            reading.data(written * 100_000)
    assert process_time() - before < 2


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("https://www.snapchat.com/@Town.Police", "town.police"),
        ("https://www.snapchat.com/add/townpolice?share_id=x", "townpolice"),
        ("https://story.snapchat.com/@townpolice", "townpolice"),
        ("snapchat.com/@townpolice/highlight/1", "townpolice"),
        ("@townpolice", "townpolice"),
        ("townpolice", "townpolice"),
        ("https://www.snapchat.com/spotlight/W7_x", None),
        ("https://www.snapchat.com/", None),
        ("www.snapchat.com", None),
        ("https://snapchat.example.com/@townpolice", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_a_profile_is_read_from_what_a_person_wrote(written, name):
    assert address.read(written) == name


def test_the_manifest_says_how_often_to_look():
    assert any("360 minutes" in need for need in MANIFEST.needs)
    assert "four times a day" in MANIFEST.captures["posts"]
    assert MANIFEST.sign_in is None
