"""Flickr, observed over loopback: photos with what was said below them, how questions are signed, and what proves no removal."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import ROOT
from connectors.contract import Batch, Cursor, Kind, OAuth1, Page, Sighting, Span, State
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.flickr import Flickr, address, parse, reading, refusals
from connectors.flickr.address import Address
from connectors.flickr.refusals import NotGiven
from connectors.http import EvidenceClient
from connectors.pieces import Seen
from tests.connectors.worlds import answering
from tests.connectors.worlds.flickr_world import (
    ALIAS,
    GROUP,
    GROUP_ALIAS,
    HTML,
    JSON,
    OTHER,
    OURS,
    SIGN_IN,
    TEXT,
    VISITOR,
    FlickrWorld,
    Refused,
    many_comments,
    written,
)
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import PageVisit, listings
from tests.connectors.worlds.visits import seen as items

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
KEY, OWNER = dict(FlickrWorld.with_key), dict(FlickrWorld.signed_in)


class Visit(PageVisit[Flickr]):
    """One connector at one page."""

    def __init__(
        self,
        world: FlickrWorld,
        http: EvidenceClient,
        secret: Mapping[str, str],
        where: str = f"photos/{ALIAS}",
        **more: str,
    ) -> None:
        super().__init__(Flickr(http, secret), {"api": world.api, **more})
        self.where = where

    def page(self, **span: datetime | None) -> Page:
        return Page(address=f"https://www.flickr.com/{self.where}/", options=self.options, **span)

    def stands(self, name: str) -> tuple[State, str]:
        batches = list(self.connector.look(self.page(), [(Kind.POST, name)]))
        (told,) = (one for batch in batches for one in batch.sightings)
        assert isinstance(told, Sighting)
        assert told.native_id == name
        return told.state, told.reason


@pytest.fixture
def world() -> Iterator[FlickrWorld]:
    with FlickrWorld() as opened:
        yield opened


@pytest.fixture
def owner(world: FlickrWorld) -> Iterator[Visit]:
    with evidence_client(OWNER) as http:
        yield Visit(world, http, OWNER)


@pytest.fixture
def stranger(world: FlickrWorld) -> Iterator[Visit]:
    with evidence_client(KEY) as http:
        yield Visit(world, http, KEY)


def methods(world: FlickrWorld) -> list[str]:
    return [one["method"].removeprefix("flickr.") for one in world.asked]


# -- which page ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written_as", "means"),
    [
        ("https://www.flickr.com/photos/townpolice/", Address(group=False, name="townpolice")),
        ("flickr.com/people/12345678@N00", Address(group=False, name="12345678@N00")),
        (
            "https://www.flickr.com/photos/townpolice/53212345678/in/photostream/",
            Address(group=False, name="townpolice"),
        ),
        ("https://www.flickr.com/groups/townwatch/pool/", Address(group=True, name="townwatch")),
        (" 12345678@N00 ", Address(group=False, name="12345678@N00")),
    ],
)
def test_a_page_is_named_as_a_browser_shows_it(written_as: str, means: Address) -> None:
    assert address.read(written_as) == means


@pytest.mark.parametrize(
    "written_as",
    ["", "https://flickr.example/photos/a/", "https://www.flickr.com/explore", "http://[", "police"],
)
def test_what_names_no_page_is_refused_with_a_word_on_how(world: FlickrWorld, written_as: str) -> None:
    assert address.read(written_as) is None
    with evidence_client(KEY) as http, pytest.raises(NoSuchPage, match="NSID"):
        list(Flickr(http, KEY).observe(Page(address=written_as), None))
    assert world.asked == []


def test_an_interface_without_tls_is_not_told_the_key() -> None:
    page = Page(
        address=f"https://www.flickr.com/photos/{ALIAS}", options={"api": "http://flickr.example/rest"}
    )
    with evidence_client(KEY) as http, pytest.raises(AddressRefused, match="TLS"):
        list(Flickr(http, KEY).observe(page, None))


def test_a_name_that_changed_hands_is_not_followed(world: FlickrWorld, stranger: Visit) -> None:
    since = stranger.observe()[-1].resume_from
    stranger.where = "photos/somebodyelse"
    assert OURS in items(stranger.observe(since)), "the page is known by its NSID once it was found"
    assert isinstance(stranger.fails(), NoSuchPage)


def test_a_page_that_was_deleted_is_no_such_page(world: FlickrWorld, stranger: Visit) -> None:
    world.deleted = True
    assert isinstance(stranger.fails(), NoSuchPage)


# -- how questions are asked ---------------------------------------------------------------------------------


def test_the_owner_signs_every_question_and_the_key_stands_in_no_address(
    world: FlickrWorld, owner: Visit
) -> None:
    world.say(world.post("Bridge & ferry"), "Why?")
    batches = owner.observe()
    assert all(one["Authorization"].startswith("OAuth ") for one in world.headers)
    assert all(world.api_key not in target for target in world.targets)
    kept = repr(batches)
    assert all(secret not in kept for secret in OWNER.values())


def test_a_wrong_secret_is_refused_by_the_signature_and_the_refusal_says_no_secret(
    world: FlickrWorld,
) -> None:
    wrong = {**OWNER, "token_secret": "another-secret-1234"}
    with evidence_client(wrong) as http:
        error = Visit(world, http, wrong).fails()
    assert isinstance(error, AccessRevoked)
    assert "signature_invalid" in str(error)
    assert all(secret not in f"{error}{error.exchanges!r}" for secret in wrong.values())


def test_a_key_alone_is_replaced_in_the_addresses_that_are_kept(world: FlickrWorld, stranger: Visit) -> None:
    world.post("Bridge")
    batches = stranger.observe()
    assert all(one["api_key"] == world.api_key for one in world.asked)
    assert all(world.api_key not in exchange.url for batch in batches for exchange in batch.exchanges)


def test_nobody_is_asked_without_a_key(world: FlickrWorld) -> None:
    with evidence_client() as http:
        assert isinstance(Visit(world, http, {}).fails(), AccessRevoked)
    assert world.asked == []


def test_the_hours_questions_are_counted_also_over_a_cursor_and_capture_waits_for_the_next_hour(
    world: FlickrWorld,
) -> None:
    world.say(world.post("Bridge"), "Why?")
    with evidence_client(KEY) as http:
        first = Visit(world, http, KEY, questions="4")
        seen: list[Batch] = []
        with pytest.raises(TryAgainLater, match="questions") as caught:
            seen.extend(first.connector.observe(first.page(), None))
        assert caught.value.after == timedelta(hours=1)
        assert len(world.asked) == 4
    with evidence_client(KEY) as http:
        begun = Flickr(http, KEY).observe(first.page(), None)
        cursor = [next(begun) for _ in range(2)][-1].resume_from
    with evidence_client(KEY) as http, pytest.raises(TryAgainLater):
        list(Flickr(http, KEY).observe(first.page(), cursor))
    later = NOW + timedelta(hours=2)
    with evidence_client(KEY, later) as http:
        assert list(Flickr(http, KEY).observe(first.page(), cursor))


# -- what is seen --------------------------------------------------------------------------------------------


def test_a_photo_is_observed_with_its_words_its_file_and_what_stands_beside(
    world: FlickrWorld, owner: Visit
) -> None:
    name = world.post("Bridge closed", "Until <b>six</b>.\nBy order of [https://www.flickr.com/photos/x]")
    seen = items(owner.observe())[name]
    assert seen.text == "Bridge closed\n\nUntil six.\nBy order of [https://www.flickr.com/photos/x]"
    assert seen.html is not None
    assert (seen.kind, seen.state, seen.published_at) == (Kind.POST, State.PRESENT, world.photos[name].at)
    assert seen.author is not None
    assert (seen.author.id, seen.author.handle) == (OURS, ALIAS)
    assert [one.id.partition(":")[0] for one in seen.attachments] == ["original"]
    assert seen.extra["licence"] == "CC BY 2.0"
    assert seen.extra["tags"] == ["bridge", "notice"]
    assert seen.edited_at is None, "lastupdate moves with every comment"
    assert seen.counts["comments"] == 0


def test_where_the_original_is_not_permitted_the_largest_copy_is_the_file(
    world: FlickrWorld, stranger: Visit
) -> None:
    name = world.post("Bridge", original=False)
    (file,) = items(stranger.observe())[name].attachments
    assert file.id.startswith("copy:")
    assert file.url is not None
    assert "_b.jpg" in file.url


def test_a_video_comes_with_its_file_and_never_with_the_player(world: FlickrWorld, stranger: Visit) -> None:
    whole, guarded = world.post("Parade", media="video"), world.post("Parade", media="video", original=False)
    seen = items(stranger.observe())
    ends = [
        (seen[name].attachments[0].id.partition(":")[0], seen[name].attachments[0].url)
        for name in (whole, guarded)
    ]
    assert [kind for kind, _ in ends] == ["original", "video"]
    assert ["orig.mp4" in str(ends[0][1]), "394.mp4" in str(ends[1][1])] == [True, True]


def test_a_video_whose_files_are_refused_is_observed_with_its_still(
    world: FlickrWorld, stranger: Visit
) -> None:
    name = world.post("Parade", media="video")
    world.shut["flickr.photos.getSizes"] = Refused(2, "Permission denied")
    (file,) = items(stranger.observe())[name].attachments
    assert file.id.startswith("still:")


def test_comments_are_the_publics_and_the_pages_own_are_replies(world: FlickrWorld, stranger: Visit) -> None:
    name = world.post("Bridge")
    theirs = world.say(name, "Until <i>when</i>?\nReally &amp; truly?")
    ours = world.say(name, "Until six.", by=OURS)
    seen = items(stranger.observe())
    assert seen[theirs].text == "Until when?\nReally & truly?"
    assert (seen[theirs].kind, seen[ours].kind) == (Kind.COMMENT, Kind.REPLY)
    assert {seen[theirs].in_reply_to, seen[ours].in_reply_to} == {name}


def test_photos_that_nobody_comments_on_cost_no_question(world: FlickrWorld, stranger: Visit) -> None:
    for number in range(5):
        world.post(f"Photo {number}")
    world.say(world.post("Bridge"), "Why?")
    stranger.observe()
    assert methods(world).count("photos.comments.getList") == 1
    world.asked.clear()
    world.counts_comments = False
    stranger.observe()
    assert methods(world).count("photos.comments.getList") == 6, (
        "where Flickr tells no number, every photo is asked"
    )


def test_a_private_photo_is_hidden_for_the_owner_and_not_shown_to_a_key(
    world: FlickrWorld, owner: Visit, stranger: Visit
) -> None:
    draft = world.post("Draft", public=0, family=1)
    said = world.say(draft, "Not yet", by=OURS)
    seen = items(owner.observe())
    assert (seen[draft].state, seen[said].state) == (State.HIDDEN, State.HIDDEN)
    assert seen[draft].extra["visible_to"] == "family"
    assert {draft, said}.isdisjoint(items(stranger.observe()))


def test_albums_are_posts_with_comments_of_their_own(world: FlickrWorld, stranger: Visit) -> None:
    album = world.make_album("The year", "All of <b>it</b>")
    praise = world.say(album, "Well done")
    seen = items(stranger.observe())
    assert seen[album].text == "The year\n\nAll of it"
    assert seen[praise].in_reply_to == album


def test_a_groups_pool_shows_everybodys_photos(world: FlickrWorld) -> None:
    name = world.post("Parade", owner=VISITOR, pool=True)
    said = world.say(name, "Where?", by=OTHER)
    elsewhere = world.post("Not in the pool", owner=VISITOR)
    with evidence_client(KEY) as http:
        visit = Visit(world, http, KEY, f"groups/{GROUP_ALIAS}")
        seen = items(visit.observe())
        assert {GROUP, name, said} == set(seen)
        assert "Photos of the town alone." in seen[GROUP].text
        assert visit.stands(name)[0] is State.PRESENT
        world.photos[name].pool = False
        assert visit.stands(name)[0] is State.UNKNOWN, "it left the pool, and may be on Flickr still"
        assert visit.stands(elsewhere)[0] is State.UNKNOWN


def test_a_family_observes_a_photo_as_a_list_does(world: FlickrWorld, owner: Visit) -> None:
    world.post("Bridge", "Until <b>six</b>")
    world.post("Parade", media="video")
    world.post("Guarded", original=False)
    world.make_album("The year")
    whole = items(owner.observe())
    for name in [*world.photos, *(f"album/{one}" for one in world.albums)]:
        alone = items(owner.family(name))[name]
        for what in (
            "text",
            "html",
            "author",
            "attachments",
            "state",
            "url",
            "published_at",
            "edited_at",
            "extra",
        ):
            assert getattr(alone, what) == getattr(whole[name], what), what


def test_a_family_whose_sizes_are_refused_names_the_same_files(world: FlickrWorld, owner: Visit) -> None:
    for more in ({}, {"original": False}, {"media": "video"}):
        world.post("Bridge", **more)
    world.shut["flickr.photos.getSizes"] = Refused(2, "Permission denied")
    whole = items(owner.observe())
    for name in world.photos:
        (file,) = items(owner.family(name))[name].attachments
        assert [file.id] == [one.id for one in whole[name].attachments]
        assert file.url is not None
        assert file.url.startswith("https://live.staticflickr.com/65535/")


# -- lists that shift, and lists without an end --------------------------------------------------------------


def test_beyond_the_last_answer_the_last_one_comes_again_and_is_known_by_its_number(
    world: FlickrWorld, stranger: Visit
) -> None:
    world.cuts_at = 2
    names = [world.post(f"Photo {number}") for number in range(5)]

    def removed(method: str) -> None:
        if method.endswith("PublicPhotos") and world.asked[-1]["page"] == "3" and names[4] in world.photos:
            world.delete(names[4])

    world.before = removed
    batches = stranger.observe()
    assert set(names[:4]) <= set(items(batches))
    pages = [one["page"] for one in world.asked if one["method"].endswith("PublicPhotos")]
    assert pages == ["1", "2", "3", "1", "2"], "the list has shifted and is read again"
    assert any(one.kinds == [Kind.POST] for one in listings(batches))


def test_a_list_that_shifts_each_time_is_said_to_be_uncertain_and_promises_nothing(
    world: FlickrWorld, stranger: Visit
) -> None:
    world.cuts_at = 2
    names = [world.post(f"Photo {number}") for number in range(14)]

    def removed(method: str) -> None:
        if method.endswith("PublicPhotos") and world.asked[-1]["page"] == "2":
            world.delete(names.pop())

    world.before = removed
    batches = stranger.observe()
    assert listings(batches) == []
    assert "removed each time" in next(gap.why for batch in batches for gap in batch.gaps)


def test_what_is_touched_while_the_owners_list_is_read_is_not_missed(
    world: FlickrWorld, owner: Visit
) -> None:
    world.cuts_at = 2
    since = world.tick()
    names = [world.post(f"Photo {number}") for number in range(5)]
    late: list[str] = []

    def commented(method: str) -> None:
        if method.endswith("recentlyUpdated") and world.asked[-1]["page"] == "3" and not late:
            late.append(world.say(names[0], "Why?"))

    world.before = commented
    batches = owner.observe(published_from=since)
    assert {*names, *late} <= set(items(batches))
    assert "people.getPhotos" not in methods(world), "the owner's own list of what was touched is enough"


def test_the_owners_list_that_loses_a_photo_is_read_again_and_one_that_never_rests_is_said_to_be_uncertain(
    world: FlickrWorld, owner: Visit
) -> None:
    world.cuts_at = 2
    since = world.tick()
    names = [world.post(f"Photo {number}") for number in range(7)]
    gone = names[6]

    def removed(method: str) -> None:
        if method.endswith("recentlyUpdated") and world.asked[-1]["page"] == "2" and gone in world.photos:
            world.delete(gone)

    world.before = removed
    batches = owner.observe(published_from=since)
    assert set(names[:6]) <= set(items(batches)), "one slipped into the answer that was read already"
    assert any(Kind.POST in one.kinds for one in listings(batches))

    def touched(method: str) -> None:
        if method.endswith("recentlyUpdated") and world.asked[-1]["page"] == "2":
            for one in sorted(world.photos.values(), key=lambda one: one.touched)[:2]:
                world.edit_photo(one.id, description=f"{one.description}.")

    world.before = touched
    batches = owner.observe(published_from=since)
    assert "touched each time" in next(gap.why for batch in batches for gap in batch.gaps)
    assert not any(Kind.POST in one.kinds for one in listings(batches))


def test_a_list_without_an_end_is_an_error(world: FlickrWorld, stranger: Visit) -> None:
    world.post("Bridge")
    world.make_album("The year")
    world.loops = True
    error = stranger.fails()
    assert isinstance(error, UnexpectedResponse)
    assert "no end" in str(error)


def test_a_pass_over_a_span_promises_what_was_said_in_it_wherever_it_stands_and_no_more(
    world: FlickrWorld, stranger: Visit
) -> None:
    old, quiet, album = world.post("Long ago"), world.post("Quiet"), world.make_album("The year")
    world.say(quiet, "Nice")
    since = world.tick(days=30)
    said, praise = world.say(old, "Still true?"), world.say(album, "Well done")
    batches = stranger.observe(published_from=since)
    assert {said, praise} <= set(items(batches))
    assert quiet not in {one.get("photo_id") for one in world.asked}
    wide = [one for one in listings(batches) if one.in_reply_to is None]
    assert [list(one.kinds) for one in wide] == [[Kind.POST], [Kind.COMMENT, Kind.REPLY]]
    assert all(one.published_from == since for one in wide)
    assert {one.in_reply_to for one in listings(batches)} == {None, old, album}


def test_a_cursor_that_cannot_be_read_begins_from_nothing(world: FlickrWorld, stranger: Visit) -> None:
    name = world.post("Bridge")
    assert name in items(stranger.observe(Cursor("not one of ours")))


# -- how things stand ----------------------------------------------------------------------------------------


def test_code_1_is_gone_for_the_owner_and_unknown_for_everybody_else(
    world: FlickrWorld, owner: Visit, stranger: Visit
) -> None:
    removed, private = world.post("Removed"), world.post("Private")
    said = world.say(removed, "Why?")
    album = world.make_album("The year")
    world.delete(removed)
    world.delete(album)
    world.edit_photo(private, public=0)
    assert owner.stands(removed) == (State.GONE, "200 fail 1 (flickr.photos.getPerms)")
    assert owner.stands(album)[0] is State.GONE
    assert owner.stands(said)[0] is State.GONE
    assert owner.stands(private)[0] is State.HIDDEN
    for name in (removed, private, said, album):
        assert stranger.stands(name)[0] is State.UNKNOWN
    world.token_of = OTHER
    assert owner.stands(removed)[0] is State.UNKNOWN, "whoever else signs in is told no more than a stranger"


def test_a_comment_that_its_list_lacks_is_unknown_and_nobody_elses_words_are_fetched(
    world: FlickrWorld, owner: Visit
) -> None:
    name = world.post("Bridge")
    said = world.say(name, "Why?")
    world.delete(said)
    state, reason = owner.stands(said)
    assert state is State.UNKNOWN
    assert "no single comment" in reason
    assert "photos.comments.getList" not in methods(world)


def test_what_is_there_is_present(world: FlickrWorld, owner: Visit, stranger: Visit) -> None:
    name, album = world.post("Bridge"), world.make_album("The year")
    for visit in (owner, stranger):
        assert visit.stands(name)[0] is State.PRESENT
        assert visit.stands(album)[0] is State.PRESENT


def test_comments_that_are_refused_are_a_gap_and_the_list_promises_nothing(
    world: FlickrWorld, stranger: Visit
) -> None:
    name = world.post("Bridge")
    world.say(name, "Why?")
    world.shut["flickr.photos.comments.getList"] = Refused(2, "Permission denied")
    batches = stranger.observe()
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [name]
    assert [one.kinds for one in listings(batches)] == [[Kind.POST]]


def test_a_pool_that_is_closed_to_us_is_a_gap(world: FlickrWorld) -> None:
    world.shut["flickr.groups.pools.getPhotos"] = Refused(2, "You don't have permission to view this pool")
    with evidence_client(KEY) as http:
        batches = Visit(world, http, KEY, f"groups/{GROUP_ALIAS}").observe()
    assert [gap.what for batch in batches for gap in batch.gaps] == ["photos"]
    assert listings(batches) == []


# -- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "means"),
    [
        (0, TryAgainLater),
        (105, TryAgainLater),
        (106, TryAgainLater),
        (201, TryAgainLater),
        (96, AccessRevoked),
        (98, AccessRevoked),
        (99, AccessRevoked),
        (100, AccessRevoked),
        (111, UnexpectedResponse),
        (112, UnexpectedResponse),
        (116, UnexpectedResponse),
        (1, NotGiven),
        (2, NotGiven),
    ],
)
def test_a_refusal_inside_a_200_is_sorted_by_its_code(code: int, means: type[ConnectorError]) -> None:
    assert type(refusals.sorted_out("flickr.photos.getInfo", code)) is means


@pytest.mark.parametrize(
    ("problem", "means"),
    [
        ("token_rejected", AccessRevoked),
        ("token_revoked", AccessRevoked),
        ("signature_invalid", AccessRevoked),
        ("nonce_used", TryAgainLater),
        ("timestamp_refused", UnexpectedResponse),
    ],
)
def test_a_refusal_of_oauth_is_sorted_by_its_problem(problem: str, means: type[ConnectorError]) -> None:
    assert type(refusals.of_oauth(f"oauth_problem={problem}".encode(), 401)) is means


@pytest.mark.parametrize("body", [b"", b"\xff", b'{"stat":"ok"}', b"oauth_problem=<script>"])
def test_what_is_no_refusal_of_oauth_is_taken_for_none(body: bytes) -> None:
    assert refusals.of_oauth(body, 401) is None


@pytest.mark.parametrize(
    ("says", "means"),
    [
        ((200, HTML, SIGN_IN), UnexpectedResponse),
        ((403, HTML, b"<html>Forbidden</html>"), UnexpectedResponse),
        ((200, JSON, b'{"stat":"fail","message":"Sorry","code":201},'), TryAgainLater),
        ((200, JSON, b'{"photos":{"page":1'), TryAgainLater),
        ((200, JSON, b'{"photos":[],"stat":"ok"}'), UnexpectedResponse),
        ((200, JSON, b'{"photos":{"page":1,"pages":1},"stat":"ok"}'), UnexpectedResponse),
        ((200, JSON, b'{"photos":{"photo":[]},"stat":"ok"}'), UnexpectedResponse),
        (
            (200, JSON, b'{"photos":{"page":1,"pages":1,"photo":[{"title":"x"},null,{}]},"stat":"ok"}'),
            UnexpectedResponse,
        ),
        ((200, JSON, b'{"stat":"well"}'), UnexpectedResponse),
        ((200, JSON, b"[]"), UnexpectedResponse),
        ((429, TEXT, b""), TryAgainLater),
        ((503, TEXT, b""), TryAgainLater),
        ((404, TEXT, b""), UnexpectedResponse),
    ],
)
def test_an_answer_of_another_shape_is_an_error_that_carries_it(
    world: FlickrWorld, stranger: Visit, says: Any, means: type[ConnectorError]
) -> None:
    world.trouble = lambda method: says if method.endswith("PublicPhotos") else None
    error = stranger.fails()
    assert type(error) is means
    assert error.exchanges


def test_an_answer_that_is_compressed_all_the_same_is_owned_whole(
    world: FlickrWorld, stranger: Visit
) -> None:
    name = world.post("Bridge")
    world.compresses = True
    for batch in stranger.observe():
        for one in batch.observations:
            if one.native_id == name:
                assert one.evidence == (Span(0, 0, len(batch.exchanges[0].body)),)
                return
    raise AssertionError("the photo was not observed")


# -- the check -----------------------------------------------------------------------------------------------


def test_a_check_says_whose_page_it_is_and_what_a_key_alone_lacks(
    world: FlickrWorld, owner: Visit, stranger: Visit
) -> None:
    world.post("Bridge")
    assert all(one.fine for one in owner.connector.check(owner.page()))
    lacking = [one for one in stranger.connector.check(stranger.page()) if not one.fine]
    assert [one.what for one in lacking] == ["connected with a key"]
    world.token_of = OTHER
    assert [one.what for one in owner.connector.check(owner.page()) if not one.fine] == [
        "signed in as somebody else"
    ]


def test_a_check_of_a_page_that_is_not_there_says_how_to_name_it(world: FlickrWorld, stranger: Visit) -> None:
    stranger.where = "photos/nobody"
    (finding,) = stranger.connector.check(stranger.page())
    assert (finding.what, finding.fine) == ("page", False)
    assert "NSID" in finding.remedy


def test_the_page_is_connected_by_oauth_1_and_asked_for_reading_alone() -> None:
    sign_in = Flickr.manifest.sign_in
    assert isinstance(sign_in, OAuth1)
    assert sign_in.extra == {"perms": "read"}
    assert all(
        one.startswith("https://www.flickr.com/") for one in (sign_in.request_at, sign_in.authorise_at)
    )


@pytest.mark.parametrize("told", ["0", "3601", "many"])
def test_an_option_that_cannot_be_meant_is_refused(world: FlickrWorld, told: str) -> None:
    with evidence_client(KEY) as http:
        assert "questions" in str(Visit(world, http, KEY, questions=told).fails())


# -- reading -------------------------------------------------------------------------------------------------


def below(body: bytes) -> list[Seen[reading.Comment]]:
    """The comments that an answer tells, each of which can be read."""
    told = reading.comments(body, 0)
    assert told is not None
    assert told.unread == []
    return told.items


def test_half_an_emoji_is_read_and_its_bytes_are_kept() -> None:
    piece = {"id": "1", "author": VISITOR, "_content": "half"}
    body = written({"comments": {"comment": [piece]}, "stat": "ok"}).replace(b"half", b"\\ud83d")
    (seen,) = below(body)
    assert seen.what.content == "\ufffd"
    assert body[seen.span.start : seen.span.end].startswith(b'{"id":"1"')


def test_a_picture_that_stands_for_a_person_is_known_by_where_it_lies() -> None:
    told = {"id": OURS, "iconserver": "65535", "username": {"_content": "police"}}
    (icon,) = parse.person(told, []).attachments
    assert icon.url == f"https://live.staticflickr.com/65535/buddyicons/{OURS}.jpg"
    assert parse.person({**told, "iconserver": 0}, []).attachments == ()


@pytest.mark.parametrize(
    "said", ["Why?", "  a \u00a0 b \n\n\n\n c &amp;lt; d\r\n", "\n", "&lt;i&gt; is no tag", "x\ty \n z"]
)
def test_words_without_tags_are_read_as_those_with_tags_are(said: str) -> None:
    assert parse.words(said) == parse.words(f"<i></i>{said}")


def test_two_thousand_comments_are_read_from_one_answer() -> None:
    rows = many_comments(2000, "Please say. " * 20)
    body = written({"comments": {"photo_id": "2", "comment": rows}, "stat": "ok"})
    seen = [parse.comment(one, "2", OURS, hidden=False) for one in below(body)]
    assert len(seen) == 2000


# -- recorded answers ----------------------------------------------------------------------------------------

SHARED = Path(os.environ.get("MUNIMENT_SHARED", ROOT / ".." / "shared"))
RECORDED = SHARED / "recordings" / "flickr" / "tests" / "fixtures" / "cassettes"
recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recordings are not at hand (MUNIMENT_SHARED)"
)

_ALWAYS_LISTS = {"comment", "tag", "note", "size", "photo_of_photos"}


def cassettes(name: str) -> list[bytes]:
    """The bodies of a recording."""
    told = yaml.load((RECORDED / name).read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    bodies = []
    for one in told["interactions"]:
        answer = one["response"]
        body = answer["content"] if "content" in answer else answer["body"]["string"]
        bodies.append(body if isinstance(body, bytes) else body.encode())
    return bodies


def as_json(xml: bytes) -> bytes:
    """The same answer as Flickr writes it in JSON: attributes are members, and text is `_content`."""
    root = ET.fromstring(xml)
    told: dict[str, Any] = {"stat": root.attrib["stat"]}
    for child in root:
        if child.tag == "err":
            told |= {"code": int(child.attrib["code"]), "message": child.attrib["msg"]}
        else:
            told[child.tag] = _member(child)
    return written(told)


def _member(element: ET.Element) -> dict[str, Any]:
    told: dict[str, Any] = dict(element.attrib)
    for child in element:
        if child.tag in _ALWAYS_LISTS or (element.tag, child.tag) == ("photos", "photo"):
            told.setdefault(child.tag, []).append(_member(child))
        else:
            told[child.tag] = _member(child)
    if not len(element) and (element.text or not element.attrib):
        told["_content"] = element.text or ""
    return told


@recorded
def test_recorded_lists_of_comments_are_read_whole() -> None:
    read = 0
    for path in RECORDED.glob("TestListAllComments*"):
        told = cassettes(path.name)[0]
        body = as_json(told)
        seen = [parse.comment(one, "1", "nobody", hidden=False) for one in below(body)]
        read += len(seen)
        assert len({one.native_id for one in seen}) == len(seen)
        assert all(one.author is not None and one.published_at is not None for one in seen)
        assert len(seen) == told.count(b"<comment ")
    assert read > 3000


@recorded
def test_a_recorded_photostream_and_its_person_are_read() -> None:
    _, person, photos = (as_json(body) for body in cassettes("test_get_public_photos_by_user.yml")[:3])
    introduced = parse.person(reading.one(person, 0, "person").what, [])
    assert introduced.text
    assert introduced.attachments
    found = reading.rows(photos, 0, "photos", "photo")
    assert (found.page, found.pages, found.total, len(found.items)) == (1, 785, 7845, 10)
    seen = [parse.photo(one.what, [one.span]) for one in found.items]
    assert all(one.attachments[0].id.startswith("original:") and one.published_at for one in seen)


@recorded
def test_recorded_photos_and_videos_are_read_with_their_sizes() -> None:
    kinds = set()
    read = 0
    for path in RECORDED.glob("TestGetSinglePhoto*"):
        info: Seen[dict[str, Any]] | None = None
        for body in cassettes(path.name):
            if b'stat="ok"' not in body:
                continue
            if b"<photo " in body:
                info = reading.one(as_json(body), 0, "photo")
            elif b"<sizes" in body and info is not None:
                sizes = parse.sizes_of(reading.one(as_json(body), 0, "sizes", named=False).what)
                seen = parse.photo(parse.as_row(info.what), [info.span], sizes)
                assert seen.native_id
                assert seen.published_at is not None
                assert len(seen.attachments) == 1
                kinds.add(seen.attachments[0].id.partition(":")[0])
                read += 1
    assert read > 15
    assert {"original", "copy"} <= kinds


@recorded
def test_recorded_refusals_of_a_deleted_and_of_a_private_photo_are_word_for_word_alike() -> None:
    names = (
        "TestIsPhotoDeleted.test_if_photo_doesnt_exist_its_deleted.yml",
        "TestPrivatePhotos.test_get_private_photo_is_error.yml",
    )
    heads = [reading.head(as_json(cassettes(name)[0])) for name in names]
    assert [(one.stat, one.code) for one in heads] == [("fail", 1), ("fail", 1)]
    alike = {re.sub(r"\d{5,}", "N", one.message) for one in heads}
    assert len(alike) == 1, "so a key alone is never told of a removal"


@recorded
def test_recorded_failures_mean_later_or_a_lost_connection() -> None:
    broken = cassettes("test_a_persistent_invalid_xml_error_is_raised.yml")[0]
    with pytest.raises(reading.Broken):
        reading.head(broken)
    unavailable = reading.head(as_json(cassettes("test_a_persistent_error_201_is_raised.yml")[0]))
    assert isinstance(refusals.sorted_out("x", int(unavailable.code)), TryAgainLater)
    key = reading.head(as_json(cassettes("test_it_throws_if_bad_auth.yml")[0]))
    assert isinstance(refusals.sorted_out("x", int(key.code)), AccessRevoked)
    signature = cassettes("TestPostComment.test_throws_if_invalid_oauth_signature.yml")[0]
    assert isinstance(refusals.of_oauth(signature, 401), AccessRevoked)


# --- answers that nobody expects ----------------------------------------------------------------------------


def told_as(world: FlickrWorld, method: str, change: Callable[[dict[str, Any]], Any]) -> None:
    """From now on answers to that method are changed before they are given."""
    answering.told_as(world, lambda target: f"method={method}&" in target, change)


@pytest.mark.parametrize("lacks", ["author", "authorname", "datecreate", "permalink", "_content"])
@pytest.mark.parametrize("told", [None, 7, "", [], {"x": 1}])
def test_a_comment_without_a_writer_or_a_date_is_kept_with_those_behind_it(
    world: FlickrWorld, stranger: Visit, lacks: str, told: Any
) -> None:
    if lacks == "_content" and isinstance(told, (list, dict)):
        pytest.skip("words of another shape are an error: they are not to be lost without a word")
    name = world.post("Bridge")
    first, behind = world.say(name, "Why?"), world.say(name, "Until when?")
    told_as(
        world,
        "flickr.photos.comments.getList",
        lambda whole: whole["comments"]["comment"][0].update({lacks: told}),
    )
    batches = stranger.observe()
    assert {first, behind} <= set(items(batches))
    assert items(batches)[first].kind is Kind.COMMENT
    assert [one.kinds for one in listings(batches)] == [[Kind.POST], [Kind.COMMENT, Kind.REPLY]]


def named(told: Any) -> Callable[[dict[str, Any]], None]:
    """The first comment bears that id."""
    return lambda whole: whole["comments"]["comment"][0].update(id=told)


def test_a_comment_s_id_is_the_same_whether_it_is_a_text_or_a_number(
    world: FlickrWorld, stranger: Visit
) -> None:
    name = world.post("Bridge")
    world.say(name, "Why?")
    for told in (12345, "12345"):
        told_as(
            world,
            "flickr.photos.comments.getList",
            named(told),
        )
        assert f"{name}/12345" in items(stranger.observe())
    told_as(world, "flickr.photos.comments.getList", named(""))
    batches = stranger.observe()
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [name]
    assert [one.kinds for one in listings(batches)] == [[Kind.POST]]


def test_a_list_of_comments_that_is_left_out_though_some_are_counted_is_a_gap(
    world: FlickrWorld, owner: Visit
) -> None:
    name, other = world.post("Bridge"), world.post("Quiet")
    world.say(name, "Why?")
    told_as(world, "flickr.photos.comments.getList", lambda whole: whole["comments"].pop("comment", None))
    batches = owner.observe()
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [name]
    assert [one.kinds for one in listings(batches)] == [[Kind.POST]]
    family = owner.family(name)
    assert ([gap.native_id for batch in family for gap in batch.gaps], listings(family)) == ([name], [])
    assert len(listings(owner.family(other))) == 1, "where none is counted, none is missing"


@pytest.mark.parametrize("told", [False, "false", 0, "0"])
def test_a_photo_that_is_not_public_is_hidden_however_that_is_written(
    world: FlickrWorld, owner: Visit, told: Any
) -> None:
    name = world.post("Bridge")
    told_as(world, "flickr.people.getPhotos", lambda whole: whole["photos"]["photo"][0].update(ispublic=told))
    told_as(world, "flickr.photos.getPerms", lambda whole: whole["perms"].update(ispublic=told))
    assert items(owner.observe())[name].state is State.HIDDEN
    assert owner.stands(name)[0] is State.HIDDEN


def test_comments_that_flickr_does_not_know_of_a_photo_that_it_shows_are_a_gap(
    world: FlickrWorld, stranger: Visit
) -> None:
    name = world.post("Bridge")
    world.say(name, "Why?")
    world.shut["flickr.photos.comments.getList"] = Refused(1, "Photo not found")
    batches = stranger.observe()
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [name]
    assert [one.kinds for one in listings(batches)] == [[Kind.POST]]


def test_a_photo_that_is_removed_before_its_comments_are_read_is_no_gap(
    world: FlickrWorld, stranger: Visit
) -> None:
    name = world.post("Bridge")
    world.say(name, "Why?")
    world.before = lambda method: world.delete(name) if method.endswith("comments.getList") else None
    assert [gap for batch in stranger.observe() for gap in batch.gaps] == []


def failing_at(world: FlickrWorld, method: str, name: str) -> None:
    """From now on Flickr answers that question for that photo with 500."""
    answering.failing_at(world, lambda target: f"method={method}&" in target and f"={name}" in target)


def test_a_photo_at_whose_comments_flickr_always_fails_is_a_gap_and_the_pass_goes_on(
    world: FlickrWorld, stranger: Visit
) -> None:
    names = [world.post(f"No. {number}") for number in range(3)]
    said_below = [world.say(name, "Why?") for name in names]
    failing_at(world, "flickr.photos.comments.getList", names[1])
    batches = stranger.observe()
    assert {said_below[0], said_below[2]} <= set(items(batches))
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [names[1]]
    assert [one.kinds for one in listings(batches)] == [[Kind.POST]]
    family = stranger.family(names[1])
    assert ([gap.native_id for batch in family for gap in batch.gaps], listings(family)) == ([names[1]], [])


def test_a_video_at_whose_files_flickr_always_fails_is_observed_and_its_files_stand_as_they_stood(
    world: FlickrWorld, stranger: Visit
) -> None:
    behind, clip = world.post("Behind"), world.post("Clip", media="video")
    failing_at(world, "flickr.photos.getSizes", clip)
    batches = stranger.observe()
    assert {behind, clip} <= set(items(batches))
    assert not items(batches)[clip].files_told
    assert items(batches)[clip].attachments == (), "a still in its place would be an edit"
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [clip]
    answering.is_itself(world)
    (film,) = items(stranger.observe())[clip].attachments
    assert film.id.startswith("original:")


def test_a_look_tells_of_the_others_where_flickr_fails_at_one(world: FlickrWorld, owner: Visit) -> None:
    broken, removed = world.post("Broken"), world.post("Removed")
    world.delete(removed)
    failing_at(world, "flickr.photos.getPerms", broken)
    batches = list(owner.connector.look(owner.page(), [(Kind.POST, broken), (Kind.POST, removed)]))
    assert {one.native_id: one.state for batch in batches for one in batch.sightings} == {removed: State.GONE}
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [broken]


# --- one odd item among others ------------------------------------------------------------------------------

ODD_ITEMS = [
    pytest.param(lambda _row: None, False, id="null"),
    pytest.param(lambda _row: {"strange": [[]]}, False, id="nothing known"),
    pytest.param(lambda row: {**row, "id": None}, False, id="without its id"),
    pytest.param(lambda row: {one: [[1]] for one in row} | {"id": row["id"]}, True, id="its id alone"),
    pytest.param(lambda row: {"id": row["id"]}, True, id="nothing but its id"),
    pytest.param(lambda row: {**row, "title": None}, True, id="without its title"),
    pytest.param(lambda row: {**row, "description": [1]}, True, id="with words that are none"),
]
"""Ways in which one photo or album is told in another shape, and whether it is still known by its id."""

ALL = {Kind.POST, Kind.COMMENT, Kind.REPLY}


def first_told(outer: str, inner: str, strange: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    """The first item of a list is told as `strange` makes of it."""

    def change(whole: dict[str, Any]) -> None:
        listed = whole[outer][inner]
        listed[0] = strange(listed[0])

    return change


def unread(batches: list[Batch]) -> list[str | None]:
    return [gap.native_id for batch in batches for gap in batch.gaps]


def promised(batches: list[Batch]) -> set[Kind]:
    return {kind for one in listings(batches) for kind in one.kinds}


@pytest.mark.parametrize(("strange", "known"), ODD_ITEMS)
@pytest.mark.parametrize(
    ("method", "outer", "inner"),
    [
        ("flickr.people.getPhotos", "photos", "photo"),
        ("flickr.photosets.getList", "photosets", "photoset"),
    ],
)
def test_an_odd_item_of_a_list_is_a_gap_and_what_stands_beside_it_is_read(
    world: FlickrWorld,
    owner: Visit,
    method: str,
    outer: str,
    inner: str,
    strange: Callable[[Any], Any],
    known: bool,
) -> None:
    photos = [world.post(f"No. {number}") for number in range(2)]
    albums = [world.make_album(f"No. {number}") for number in range(2)]
    answers = {name: world.say(name, "Why?") for name in (*photos, *albums)}
    told_as(world, method, first_told(outer, inner, strange))
    odd = photos[1] if inner == "photo" else albums[1]
    batches = owner.observe()
    others = {*photos, *albums} - {odd}
    assert others | {answers[one] for one in others} <= set(items(batches))
    assert odd not in items(batches)
    assert unread(batches) == [odd if known else None]
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert method in gap.why
    assert gap.why.endswith("Every later pass asks again.")
    assert promised(batches) == set()
    broken = next(batch for batch in batches if batch.gaps)
    assert promised(owner.observe(broken.resume_from)) == set(), "resumed behind it, the pass remembers"
    answering.is_itself(world)
    later = owner.observe(batches[-1].resume_from)
    assert {odd, answers[odd]} <= set(items(later)), "and the next pass reads it"
    assert promised(later) == ALL


def test_an_odd_photo_among_those_that_were_touched_is_a_gap(world: FlickrWorld, owner: Visit) -> None:
    since = world.tick(days=2)
    behind, odd = world.post("Behind"), world.post("Odd")
    told_as(world, "flickr.photos.recentlyUpdated", first_told("photos", "photo", lambda _row: None))
    batches = owner.observe(published_from=since)
    assert behind in items(batches)
    assert odd not in items(batches)
    assert unread(batches) == [None]
    assert promised([batches[-1]]) == set()


def test_a_photo_of_which_it_is_not_told_who_may_see_it_is_a_gap_and_never_public(
    world: FlickrWorld, owner: Visit
) -> None:
    draft = world.post("Draft", public=0)
    told_as(world, "flickr.people.getPhotos", lambda whole: whole["photos"]["photo"][0].update(ispublic="?"))
    told_as(world, "flickr.photos.getPerms", lambda whole: whole["perms"].update(ispublic=[0]))
    batches = owner.observe()
    assert (draft in items(batches), unread(batches)) == (False, [draft])
    assert owner.stands(draft)[0] is State.UNKNOWN


def test_a_list_of_which_nothing_can_be_read_is_an_error_and_two_odd_items_are_not(
    world: FlickrWorld, stranger: Visit
) -> None:
    for number in range(2):
        world.post(f"No. {number}")
    told_as(
        world,
        "flickr.people.getPublicPhotos",
        lambda whole: whole["photos"].update(photo=[{"id": one["id"]} for one in whole["photos"]["photo"]]),
    )
    assert len(unread(stranger.observe())) == 2
    world.post("One more")
    assert type(stranger.fails()) is UnexpectedResponse


@pytest.mark.parametrize(
    ("strange", "known"),
    [
        (lambda _told: None, False),
        (lambda _told: {"strange": [[]]}, False),
        (lambda told: {one: [[1]] for one in told} | {"id": told["id"]}, True),
        (lambda told: {"id": told["id"]}, True),
        (lambda told: {**told, "id": [1]}, False),
        (lambda told: {**told, "_content": {"x": 1}}, True),
    ],
)
def test_an_odd_comment_gives_no_listing_below_its_photo_and_a_whole_one_does(
    world: FlickrWorld, stranger: Visit, strange: Callable[[Any], Any], known: bool
) -> None:
    name = world.post("Bridge")
    odd, other = world.say(name, "Why?"), world.say(name, "Until when?")
    assert len(listings(stranger.family(name))) == 1
    told_as(world, "flickr.photos.comments.getList", first_told("comments", "comment", strange))
    for batches in (stranger.observe(), stranger.family(name)):
        assert other in items(batches)
        assert odd not in items(batches)
        assert unread(batches) == [odd if known else name]
        assert promised(batches) <= {Kind.POST}
    since = world.photos[name].at
    assert {one.in_reply_to for one in listings(stranger.observe(published_from=since))} == {None}


def test_a_family_whose_photo_is_told_in_another_shape_is_a_gap(world: FlickrWorld, stranger: Visit) -> None:
    name = world.post("Bridge")
    world.say(name, "Why?")
    told_as(world, "flickr.photos.getInfo", lambda whole: whole["photo"].update(title=[[1]]))
    batches = stranger.family(name)
    assert (set(items(batches)), unread(batches), listings(batches)) == (set(), [name], [])


def test_where_no_comments_are_listed_and_none_are_counted_nothing_is_called_missing(
    world: FlickrWorld, stranger: Visit
) -> None:
    name = world.post("Bridge")
    world.say(name, "Why?")
    told_as(world, "flickr.photos.getInfo", lambda whole: whole["photo"].update(comments=[[1]]))
    told_as(world, "flickr.photos.comments.getList", lambda whole: whole["comments"].pop("comment"))
    batches = stranger.family(name)
    assert (unread(batches), listings(batches)) == ([name], [])


@pytest.mark.parametrize(
    ("sizes", "download", "told"),
    [
        ([None], 1, False),
        ([None], 0, False),
        ([None, "Video Original"], 1, True),
        (["360p", {"label": "Video Original", "source": [1]}], 1, False),
        (["360p", None], 0, True),
        (["Large", None], 0, False),
        ([], 0, True),
        (None, 0, False),
    ],
)
def test_files_of_another_shape_are_not_told_unless_what_stands_for_a_video_can_be_read(
    sizes: list[Any] | None, download: int, told: bool
) -> None:
    listed = None if sizes is None else [_size(one) if isinstance(one, str) else one for one in sizes]
    assert parse.tells_files({"candownload": download, "size": listed}, moving=True) is told


def _size(label: str) -> dict[str, str]:
    return {
        "label": label,
        "source": f"https://x.test/{label}",
        "media": "photo" if label == "Large" else "video",
    }


def test_a_video_of_which_a_file_is_told_in_another_shape_keeps_its_files_and_is_a_gap(
    world: FlickrWorld, stranger: Visit
) -> None:
    clip = world.post("Clip", media="video")
    (whole,) = items(stranger.observe())[clip].attachments
    told_as(world, "flickr.photos.getSizes", lambda whole: whole["sizes"]["size"].insert(0, None))
    batches = stranger.observe()
    assert [file.id for file in items(batches)[clip].attachments] == [whole.id], "its original can be read"
    assert unread(batches) == []
    told_as(world, "flickr.photos.getSizes", lambda whole: whole["sizes"]["size"].pop())
    for batches in (stranger.observe(), stranger.family(clip)):
        assert (items(batches)[clip].files_told, items(batches)[clip].attachments) == (False, ())
        assert unread(batches) == [clip]
        assert Kind.COMMENT in promised(batches)


def test_a_photo_in_the_pool_is_present_although_another_pool_is_told_in_another_shape(
    world: FlickrWorld, stranger: Visit
) -> None:
    inside, outside = world.post("Inside", pool=True), world.post("Outside")
    stranger.where = f"groups/{GROUP_ALIAS}"
    told_as(
        world,
        "flickr.photos.getAllContexts",
        lambda whole: whole.update(pool=[None, *whole.get("pool", [])]),
    )
    assert stranger.stands(inside)[0] is State.PRESENT
    state, reason = stranger.stands(outside)
    assert state is State.UNKNOWN
    assert "another shape" in reason
