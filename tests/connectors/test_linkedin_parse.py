"""What LinkedIn's answers, refusals and deliveries say, and how its things are named: bytes in, outcomes out; nobody is asked."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors import webhooks
from connectors.contract import Exchange, Kind, Observation, State
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.linkedin import address, little, parse, reading, refusals, told, urns, versions
from connectors.linkedin.address import Address
from connectors.linkedin.paging import Spot, onward
from connectors.linkedin.parse import Ours
from connectors.linkedin.place import Place
from connectors.linkedin.reach import Reach
from connectors.linkedin.refusals import NotGiven, VersionEnded
from connectors.linkedin.shapes import Comment, Metadata, Organisation, Post
from connectors.pieces import Malformed
from connectors.webhooks import WINDOW, Accepted, Entry, Judged, Refused, Repeated, Unreadable, Wanted

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
OURS = Ours("5515715", "Test Town Police", "test-town-police")
POST = "urn:li:share:7094637247487995904"
ACTIVITY = "urn:li:activity:7094637247890620418"
SECRET = "WPL_AP1.the-secret-of-the-application"


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("https://www.linkedin.com/company/test-town-police/", Address(vanity="test-town-police")),
        ("linkedin.com/company/test-town-police/posts/?feedView=all", Address(vanity="test-town-police")),
        ("https://de.linkedin.com/school/polizeischule", Address(vanity="polizeischule")),
        ("https://www.linkedin.com/company/5515715/admin/dashboard/", Address(number="5515715")),
        ("urn:li:organization:5515715", Address(number="5515715")),
        (" 5515715 ", Address(number="5515715")),
    ],
)
def test_an_organisation_is_understood_as_people_write_it(written: str, named: Address):
    assert address.read(written) == named


@pytest.mark.parametrize(
    "written",
    [
        "https://www.linkedin.com/in/jo-public",
        "https://www.linkedin.example/company/town",
        "https://linkedin.com.example/company/town",
        "https://www.linkedin.com/company/",
        "https://www.linkedin.com/company/..%2Fx",
        "urn:li:person:abc",
        "http://[",
        "",
    ],
)
def test_a_person_and_another_site_are_no_organisation(written: str):
    assert address.read(written) is None


def test_a_urn_is_encoded_whole_and_rest_lis_own_brackets_are_not():
    urn = f"urn:li:comment:({ACTIVITY},12)"
    assert urns.coded(urn) == "urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A7094637247890620418%2C12%29"
    assert urns.listed([urns.coded("urn:li:share:1"), "2"]) == "List(urn%3Ali%3Ashare%3A1,2)"


@pytest.mark.parametrize(
    "written", [f"urn:li:comment:({ACTIVITY},12)", "urn:li:comment:(activity:7094637247890620418,12)"]
)
def test_a_comment_has_one_name_however_lists_and_notices_write_it(written: str):
    found = urns.comment(written)
    assert found is not None
    assert (found.thread, found.number) == (ACTIVITY, "12")
    assert found.urn == f"urn:li:comment:({ACTIVITY},12)"


@pytest.mark.parametrize(
    "written", [None, 12, "urn:li:comment:12", "urn:li:comment:(urn:li:person:a,1)", "urn:li:comment:(,)"]
)
def test_what_names_no_comment_is_none(written: object):
    assert urns.comment(written) is None


def test_a_comments_native_id_names_its_post_and_nothing_else_does():
    assert urns.parted(urns.under(POST, "12")) == (POST, "12")
    assert [urns.parted(one) for one in (POST, f"{ACTIVITY}/12", f"{POST}/x", f"{POST}/")] == [None] * 4


# --- little text --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Main Street \\(closed\\) \\#1 \\@ six\\_pm \\\\", "Main Street (closed) #1 @ six_pm \\"),
        ("{hashtag|\\#|Safety} first", "#Safety first"),
        ("{hashtag|#|safety\\_first}", "#safety_first"),
        ("Thanks, @[Town \\(Council\\)](urn:li:organization:77)!", "Thanks, Town (Council)!"),
        ("#plain and @plain", "#plain and @plain"),
        ("broken {hashtag|\\#| and @[name](", "broken {hashtag|#| and @[name]("),
        ("@[x](javascript:alert)", "@[x](javascript:alert)"),
        ("a \\n b \\", "a \\n b \\"),
        ("🚓 שלום \\| العربية", "🚓 שלום | العربية"),
        ("", ""),
    ],
)
def test_little_text_is_read_as_a_reader_sees_it(written: str, plain: str):
    assert little.read(written).plain == plain


def test_mentions_and_hashtags_are_told_beside_the_words():
    said = little.read("{hashtag|\\#|a} @[Jo](urn:li:person:x) {hashtag|\\#|b}")
    assert said.mentions == (("Jo", "urn:li:person:x"),)
    assert said.hashtags == ("a", "b")


@pytest.mark.parametrize("piece", ["@[", "{hashtag|\\#|", "\\", "@[a](urn:li:", "@[" + "\\]" * 5])
def test_hostile_little_text_takes_no_longer_than_its_length(piece: str):
    began = time.perf_counter()
    little.read(piece * (200_000 // len(piece)))
    assert time.perf_counter() - began < 3


# --- posts --------------------------------------------------------------------------------------------------


def entry(**more: Any) -> dict[str, Any]:
    return {
        "id": POST,
        "author": OURS.urn,
        "commentary": "Closed",
        "lifecycleState": "PUBLISHED",
        "visibility": "PUBLIC",
        "createdAt": 1_775_808_000_000,
        "publishedAt": 1_775_808_000_500,
        "lastModifiedAt": 1_775_808_060_000,
        "lifecycleStateInfo": {"isEditedByAuthor": False},
        "content": {},
        **more,
    }


def observed(told: dict[str, Any], counted: dict[str, Any] | None = None) -> Observation:
    seen = reading.one(json.dumps(told).encode(), 0, Post)
    beside = None if counted is None else reading.one(json.dumps(counted).encode(), 1, Metadata)
    return parse.post(seen, OURS, beside, list(parse.files(seen.what)))


def ids(seen: Observation) -> list[str]:
    return [file.id for file in seen.attachments]


def test_a_post_is_what_the_page_published():
    seen = observed(entry())
    assert (seen.native_id, seen.kind, seen.state, seen.text) == (POST, Kind.POST, State.PRESENT, "Closed")
    assert seen.published_at == datetime(2026, 4, 10, 8, 0, 0, 500_000, tzinfo=UTC)
    assert seen.edited_at is None
    assert seen.author == OURS.author
    assert seen.url == f"https://www.linkedin.com/feed/update/{POST}/"
    assert "commentary" not in seen.extra


def test_an_edit_is_one_where_the_author_edited_and_not_where_linkedin_touched_the_post():
    assert observed(entry(lifecycleStateInfo={"isEditedByAuthor": True})).edited_at == datetime(
        2026, 4, 10, 8, 1, tzinfo=UTC
    )
    assert observed(entry(lastModifiedAt=1_775_999_999_999)).edited_at is None


def test_the_text_is_kept_raw_and_plain():
    seen = observed(entry(commentary="{hashtag|\\#|closed} \\(now\\)"))
    assert (seen.text, seen.extra["commentary"]) == ("#closed (now)", "{hashtag|\\#|closed} \\(now\\)")
    assert seen.extra["hashtags"] == ["closed"]


def test_pictures_films_and_documents_are_files_named_by_their_urns():
    media = {"media": {"id": "urn:li:document:D1", "title": "Report.pdf", "altText": "A report"}}
    (file,) = observed(entry(content=media)).attachments
    assert (file.id, file.caption, file.description, file.url) == (
        "urn:li:document:D1",
        "Report.pdf",
        "A report",
        None,
    )
    several = {"multiImage": {"images": [{"id": "urn:li:image:A", "altText": "a"}, {"id": "urn:li:image:B"}]}}
    assert ids(observed(entry(content=several))) == ["urn:li:image:A", "urn:li:image:B"]
    cards = {"carousel": {"cards": [{"media": {"id": "urn:li:image:C", "title": "one"}}]}}
    assert ids(observed(entry(content=cards))) == ["urn:li:image:C"]


def test_an_asset_of_an_older_post_is_the_image_under_which_it_is_fetched():
    media = {"media": {"id": "urn:li:digitalmediaAsset:C4Dold"}}
    assert ids(observed(entry(content=media))) == ["urn:li:image:C4Dold"]


def test_an_article_is_told_with_its_words_and_its_picture():
    article = {
        "source": "https://town.example/budget",
        "title": "Budget",
        "description": "For next year",
        "thumbnail": "urn:li:image:T",
        "thumbnailAltText": "A chart",
    }
    seen = observed(entry(content={"article": article}))
    assert seen.text == "Closed\n\nBudget\n\nFor next year"
    assert seen.extra["article"] == {name: article[name] for name in ("source", "title", "description")}
    assert [(file.id, file.description) for file in seen.attachments] == [("urn:li:image:T", "A chart")]


def test_a_polls_question_is_words_and_its_votes_are_counts():
    poll = {
        "question": "Open later?",
        "options": [{"text": "Yes", "voteCount": 4, "isVotedByViewer": True}, {"text": "No", "voteCount": 1}],
        "settings": {"duration": "THREE_DAYS", "voteSelectionType": "SINGLE_VOTE"},
        "uniqueVotersCount": 5,
    }
    seen = observed(entry(commentary="", content={"poll": poll}))
    assert seen.text == "Open later?\nYes\nNo"
    assert seen.counts == {"voters": 5, "votes 1": 4, "votes 2": 1}
    assert seen.extra["poll"] == {
        "question": "Open later?",
        "options": ["Yes", "No"],
        "duration": "THREE_DAYS",
        "choice": "SINGLE_VOTE",
    }


def test_what_is_posted_again_names_what_it_was():
    context = {"parent": "urn:li:share:1", "root": "urn:li:ugcPost:2", "unknown": {}}
    assert observed(entry(reshareContext=context)).extra["reshared"] == {
        "parent": "urn:li:share:1",
        "root": "urn:li:ugcPost:2",
    }


def test_content_of_a_kind_that_is_not_read_is_named():
    seen = observed(entry(content={"celebration": {"type": "x"}, "somethingNew": 1}))
    assert seen.extra["content"] == ["celebration", "somethingNew"]


def test_what_linkedin_counts_is_counted_and_closed_comments_are_told():
    counted = {
        "entity": ACTIVITY,
        "commentsState": "CLOSED",
        "commentSummary": {"count": 3, "topLevelCount": 2},
        "reactionSummaries": {
            "LIKE": {"reactionType": "LIKE", "count": 4},
            "PRAISE": {"count": 2},
            "ODD": {"count": "x"},
            "NO": 3,
        },
    }
    seen = observed(entry(), counted)
    assert seen.counts == {"comments": 3, "reactions": 6, "reactions like": 4, "reactions praise": 2}
    assert seen.extra["comments"] == "turned off"
    assert [span.exchange for span in seen.evidence] == [0, 1]


def test_a_post_that_is_not_published_is_hidden():
    assert observed(entry(lifecycleState="DRAFT", publishedAt=None)).state is State.HIDDEN


def test_a_post_in_somebody_elses_name_is_theirs():
    seen = observed(entry(author="urn:li:person:abc"))
    assert seen.author is not None
    assert (seen.author.id, seen.author.name) == ("urn:li:person:abc", None)


# --- comments -----------------------------------------------------------------------------------------------


def said(**more: Any) -> dict[str, Any]:
    return {
        "id": "12",
        "actor": "urn:li:person:abc",
        "object": ACTIVITY,
        "commentUrn": f"urn:li:comment:({ACTIVITY},12)",
        "created": {"actor": "urn:li:person:abc", "time": 1_775_808_000_000},
        "lastModified": {"time": 1_775_808_000_000},
        "message": {"text": "Until when?", "attributes": []},
        **more,
    }


def remark(told: dict[str, Any], above: str = POST) -> Observation:
    return parse.remark(reading.one(json.dumps(told).encode(), 0, Comment), POST, above, OURS)


def test_a_comment_is_known_by_its_post_and_its_own_number():
    seen = remark(said())
    assert (seen.native_id, seen.in_reply_to, seen.kind) == (f"{POST}/12", POST, Kind.COMMENT)
    assert (seen.text, seen.edited_at) == ("Until when?", None)
    assert seen.author is not None
    assert seen.author.id == "urn:li:person:abc"
    assert seen.url == (
        f"https://www.linkedin.com/feed/update/{POST}/?commentUrn="
        "urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A7094637247890620418%2C12%29"
    )
    assert remark(said(id=12)).native_id == seen.native_id, "a number may stand there as one"


def test_an_answer_names_the_comment_that_it_answers_by_what_it_says_itself():
    told = said(parentComment="urn:li:comment:(activity:7094637247890620418,7)")
    assert remark(told, f"{POST}/7").in_reply_to == f"{POST}/7"
    assert remark(told, f"{POST}/8").in_reply_to == f"{POST}/7"
    assert remark(said(), f"{POST}/8").in_reply_to == f"{POST}/8"


def test_the_pages_own_comment_is_a_reply_with_whoever_wrote_it():
    seen = remark(said(actor=OURS.urn, agent="urn:li:person:clerk9"))
    assert (seen.kind, seen.author, seen.extra["agent"]) == (
        Kind.REPLY,
        OURS.author,
        "urn:li:person:clerk9",
    )


def test_an_edited_comment_says_when():
    assert remark(said(lastModified={"time": 1_775_808_060_000})).edited_at == datetime(
        2026, 4, 10, 8, 1, tzinfo=UTC
    )


def test_a_picture_in_a_comment_keeps_its_name_when_its_address_expires():
    def picture(url: str) -> Observation:
        entity = {"digitalmediaAsset": "urn:li:digitalmediaAsset:P1"}
        return remark(said(content=[{"type": "IMAGE", "entity": entity, "url": url}, {"entity": 3}, 4]))

    first, second = picture("https://media.example/1"), picture("https://media.example/2")
    assert ids(first) == ids(second) == ["urn:li:image:P1"]
    assert first.attachments[0].url != second.attachments[0].url


# --- shapes that are hostile or not known -------------------------------------------------------------------


def test_unknown_members_are_overlooked_and_odd_values_of_optional_ones_do_no_harm():
    seen = observed(
        entry(
            new={"a": [1]},
            content={"media": ["x"], "multiImage": {"images": [3, {"id": 4}]}, "article": "no", "poll": 1},
            distribution="odd",
            reshareContext=[],
        )
    )
    assert (seen.text, ids(seen)) == ("Closed", [])


@pytest.mark.parametrize("lacking", ["id"])
def test_a_post_and_a_comment_without_an_id_are_refused(lacking: str):
    for whole, shape in ((entry(), Post), (said(), Comment)):
        del whole[lacking]
        with pytest.raises(Malformed):
            reading.one(json.dumps(whole).encode(), 0, shape)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"elements":{}}',
        b'{"elements":[{"id":3},{"id":4},{"id":5}]}',
        b'{"elements":[null,null,null]}',
        b'{"elements":[',
        b'{"elements":[],"paging":{"links":3}}',
        b"<!DOCTYPE html><form>",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_list_of_linkedins_is_refused(body: bytes):
    with pytest.raises(Malformed):
        reading.many(body, 0, Post)


def test_half_an_emoji_and_times_beyond_all_calendars_are_read_as_far_as_they_go():
    body = json.dumps({"elements": [entry(commentary="x", publishedAt=10**18)]}).encode()
    answer = reading.many(body.replace(b'"x"', b'"a \\ud83d b"'), 0, Post)
    seen = parse.post(answer.items[0], OURS, None, [])
    assert (seen.text, seen.published_at) == ("a � b", None)


def test_items_have_their_own_bytes_and_those_asked_for_by_id_too():
    body = json.dumps(
        {"results": {"urn%3Ali%3Ashare%3A1": {"entity": ACTIVITY}}, "errors": {"x": {"status": 404}}}
    )
    told_ = reading.results(body.encode(), 3, Metadata)
    span = told_.items["urn:li:share:1"].span
    assert (span.exchange, body[span.start : span.end]) == (3, json.dumps({"entity": ACTIVITY}))
    assert (told_.refused, told_.unread) == ({"x": 404}, [])
    with pytest.raises(Malformed):
        reading.results(b'{"results":[]}', 0, Metadata)


def test_the_next_link_leads_to_a_place_and_is_not_followed_elsewhere():
    links = [
        {"rel": "prev", "href": "/rest/x?start=0"},
        {"rel": "next", "href": "https://evil.example/x?start=20&count=10"},
    ]
    assert (
        reading.many(json.dumps({"elements": [], "paging": {"links": links}}).encode(), 0, Post).leads == 20
    )
    odd = [{"rel": "next", "href": "/rest/x?start=abc"}]
    assert (
        reading.many(json.dumps({"elements": [], "paging": {"links": odd}}).encode(), 0, Post).leads is None
    )


def test_the_introduction_is_read_with_little_or_much_in_it():
    bare = parse.profile(reading.one(b'{"id":5515715}', 0, Organisation), [])
    assert (bare.native_id, bare.kind, bare.text) == (OURS.urn, Kind.PROFILE, "")
    told = {
        "id": 5515715,
        "localizedName": "Test Town Police",
        "tagline": {"localized": {"en_US": "Here for you"}},
        "localizedDescription": " Our page. ",
        "logoV2": {"cropped": "urn:li:digitalmediaAsset:L"},
        "coverPhotoV2": {"original": "urn:li:image:C", "cropped": 3},
    }
    seen = reading.one(json.dumps(told).encode(), 0, Organisation)
    assert [file.id for file in parse.pictures(seen.what)] == ["logo:urn:li:image:L", "cover:urn:li:image:C"]
    assert parse.profile(seen, []).text == "Test Town Police\n\nHere for you\n\nOur page."


def test_two_thousand_comments_are_read_from_one_answer():
    body = json.dumps({"elements": [said(id=str(number)) for number in range(2000)]}).encode()
    items = reading.many(body, 0, Comment).items
    assert len([parse.remark(seen, POST, POST, OURS) for seen in items]) == 2000


# --- lists that are counted off by places -------------------------------------------------------------------


class Shelf:
    """A list that may change between two answers, and leave out what it has counted off."""

    def __init__(self, size: int, items: Sequence[str]) -> None:
        self.size, self.items, self.out = size, list(items), frozenset[str]()

    def read(
        self, happens: dict[int, list[str]] | None = None, *, tells: bool = True
    ) -> tuple[set[str], Spot]:
        spot, met, asked = Spot(), set[str](), 0
        while not spot.ended:
            self.items = (happens or {}).get(asked, self.items)
            shown = [one for one in self.items[spot.asks : spot.asks + self.size] if one not in self.out]
            more = spot.asks + self.size < len(self.items)
            met |= set(shown)
            leads = spot.asks + self.size if more and tells else None
            spot = onward(spot, shown, self.size, total=None, leads=leads)
            asked += 1
            assert asked < 100
        return met, spot


@pytest.mark.parametrize("size", [2, 3, 5, 10])
@pytest.mark.parametrize("many", [0, 1, 2, 5, 11])
def test_a_list_that_keeps_still_is_read_to_its_end(size: int, many: int):
    items = [f"item {number}" for number in range(many)]
    for tells in (True, False):
        met, spot = Shelf(size, items).read(tells=tells)
        assert met == set(items)
        assert not spot.unsure


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("removed", range(9))
def test_what_was_there_all_the_time_is_met_whatever_is_removed_meanwhile(at: int, removed: int):
    items = [f"item {number}" for number in range(9)]
    left = [one for one in items if one != f"item {removed}"]
    met, spot = Shelf(3, items).read({at: left})
    assert set(left) <= met
    assert not spot.unsure


def test_what_is_put_in_front_meanwhile_makes_nothing_slip_through():
    items = [f"item {number}" for number in range(9)]
    met, _ = Shelf(3, items).read({2: ["new", *items]})
    assert set(items) <= met


def test_a_list_that_leaves_something_out_is_not_taken_for_one_that_shifts():
    shelf = Shelf(3, [f"item {number}" for number in range(9)])
    shelf.out = frozenset({"item 2", "item 4"})
    met, spot = shelf.read()
    assert met == set(shelf.items) - shelf.out
    assert (spot.unsure, spot.anew) == (False, 0)


def test_a_list_that_shifts_each_time_is_said_to_be_unsure():
    items = [f"item {number}" for number in range(40)]
    shifting = {number: items[number:] for number in range(40)}
    _, spot = Shelf(4, items).read(shifting)
    assert spot.unsure


def test_an_answer_that_shows_nothing_and_leads_on_is_not_the_end_of_a_list():
    begin = onward(Spot(), [], 10, total=None, leads=10)
    assert (begin.ended, begin.asks) == (False, 10)
    shown = onward(begin, ["a", "b"], 10, total=None, leads=None)
    assert shown.ended
    assert onward(begin, [], 10, total=None, leads=None).ended
    with pytest.raises(UnexpectedResponse, match="no end"):
        onward(Spot(start=300_000), [], 10, total=None, leads=300_010)


def test_a_list_that_leads_nowhere_is_an_error():
    with pytest.raises(UnexpectedResponse, match="no end"):
        onward(Spot(start=10), ["a"], 10, total=None, leads=10)
    with pytest.raises(UnexpectedResponse, match="no end"):
        onward(Spot(start=300_000), ["a"], 10, total=None, leads=300_010)


# --- refusals -----------------------------------------------------------------------------------------------


def refused(status: int, body: object, **headers: str) -> Exchange:
    return Exchange(
        method="GET",
        url="https://api.linkedin.com/rest/posts",
        started_at=NOW,
        seconds=0.1,
        status=status,
        response_headers=[(name.replace("_", "-"), told) for name, told in headers.items()],
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def weighed(status: int, **body: Any) -> ConnectorError:
    exchange = refused(status, {"status": status, **body})
    return refusals.sorted_out(refusals.fault(exchange.body, status), exchange, "202607")


@pytest.mark.parametrize(
    ("service", "code", "words"),
    [
        (65600, "INVALID_ACCESS_TOKEN", "not valid"),
        (65601, "REVOKED_ACCESS_TOKEN", "taken the permission back"),
        (65602, "EXPIRED_ACCESS_TOKEN", "run out"),
        (None, "EXPIRED_ACCESS_TOKEN", "run out"),
        (None, "EMPTY_ACCESS_TOKEN", "not valid"),
        (99, "SOMETHING_NEW", "not valid"),
    ],
)
def test_a_token_that_is_refused_says_why_and_what_to_do(service: int | None, code: str, words: str):
    error = weighed(401, code=code, serviceErrorCode=service, message="…")
    assert isinstance(error, AccessRevoked)
    assert words in str(error)
    assert "Connect the page again" in str(error)


def test_a_lacking_permission_and_a_thing_that_is_not_there_are_refusals_of_one_question():
    forbidden = weighed(403, code="ACCESS_DENIED", serviceErrorCode=100, message="Not enough permissions")
    missing = weighed(404, code="NOT_FOUND")
    odd = weighed(400, code="QUERY_PARAM_NOT_ALLOWED")
    assert isinstance(forbidden, NotGiven)
    assert isinstance(missing, NotGiven)
    assert isinstance(odd, NotGiven)
    assert (forbidden.forbidden, forbidden.not_found) == (True, False)
    assert (missing.forbidden, missing.not_found) == (False, True)
    assert (forbidden.says, missing.says) == ("403 ACCESS_DENIED 100", "404 NOT_FOUND")
    assert "role on the page" in str(forbidden)


@pytest.mark.parametrize(
    ("status", "code"), [(426, "NONEXISTENT_VERSION"), (400, "VERSION_MISSING"), (426, "")]
)
def test_a_version_that_has_ended_is_the_operators_to_change(status: int, code: str):
    error = weighed(status, code=code)
    assert isinstance(error, VersionEnded)
    assert "202607" in str(error)
    assert "option `version`" in str(error)


@pytest.mark.parametrize("body", [b"<html>blocked</html>", b"", b"[]", b'{"status":403}', b'{"error":"x"}'])
def test_a_refusal_that_is_not_linkedins_is_somebody_elses(body: bytes):
    exchange = refused(404, body)
    said_ = refusals.fault(exchange.body, 404)
    assert said_ is None
    assert "not LinkedIn's own" in str(refusals.sorted_out(said_, exchange, "202607"))


def test_a_refusal_with_odd_members_keeps_its_status_alone():
    found = refusals.fault(b'{"status":404,"code":"<b>","serviceErrorCode":true,"message":3}', 404)
    assert found is not None
    assert (found.says, found.message) == ("404 without a code", "")


def throttled(message: str = "", **headers: str) -> TryAgainLater:
    exchange = refused(429, {"status": 429, "code": "TOO_MANY_REQUESTS", "message": message}, **headers)
    return refusals.throttled(refusals.fault(exchange.body, 429), exchange, NOW)


def test_a_limit_without_a_time_is_that_of_a_day_which_ends_at_midnight_utc():
    assert throttled("… APPLICATION DAY limit …").after == timedelta(hours=21)
    assert throttled().after == timedelta(hours=21)
    assert refusals.until_midnight(NOW.astimezone(None)) == timedelta(hours=21)


def test_haste_and_a_time_that_is_named_are_waited_for_and_no_longer():
    assert throttled("Indicates member has hit the short term 1 minute rate limit").after == timedelta(
        minutes=15
    )
    assert throttled(Retry_After="40").after == timedelta(seconds=40)
    broken = refused(429, b"<html>")
    assert refusals.throttled(None, broken, NOW).after == timedelta(hours=21)


# --- versions -----------------------------------------------------------------------------------------------


def test_a_version_is_said_to_end_three_months_before_the_year_is_over():
    assert versions.ends("202607") == date(2027, 7, 1)
    assert not versions.ending("202607", date(2027, 4, 1))
    assert versions.ending("202607", date(2027, 4, 2))
    assert versions.ends("202512") == date(2026, 12, 1)


# --- deliveries ---------------------------------------------------------------------------------------------


def notice(action: str = "COMMENT", **more: Any) -> dict[str, Any]:
    return {
        "notificationId": -5603453321,
        "action": action,
        "organizationalEntity": OURS.urn,
        "sourcePost": ACTIVITY,
        "decoratedSourcePost": {"entity": POST, "owner": OURS.urn, "text": "Closed", "mediaCategory": "NONE"},
        "generatedActivity": "urn:li:comment:(activity:7094637247890620418,12)",
        "lastModifiedAt": int(NOW.timestamp() * 1000),
        **more,
    }


def delivery(*notices: dict[str, Any]) -> bytes:
    return json.dumps({"type": told.EVENTS, "notifications": list(notices)}).encode()


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()


def judged(body: bytes, signature: str | None, **more: Any) -> Judged:
    known = {"secret": SECRET, "now": NOW, "known": frozenset[bytes](), **more}
    return webhooks.judge(body, signature, read=told.MANNER.read, marks=told.MANNER.marks, **known)


def wanted(*notices: dict[str, Any]) -> Wanted:
    (one,) = told.wanted(told.read(delivery(*notices)), NOW)
    return one


def test_the_challenge_is_answered_with_the_codes_hmac():
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    answer = told.MANNER.greets({"challengeCode": code}, "", SECRET)
    assert answer is not None
    assert answer.media_type == "application/json"
    assert json.loads(answer.body) == {
        "challengeCode": code,
        "challengeResponse": hmac.new(SECRET.encode(), code.encode(), hashlib.sha256).hexdigest(),
    }


@pytest.mark.parametrize(
    ("query", "secret"),
    [
        ({}, SECRET),
        ({"challengeCode": ""}, SECRET),
        ({"challengeCode": "<script>alert(1)"}, SECRET),
        ({"challengeCode": "x" * 500}, SECRET),
        ({"challengeCode": "890e4665-4dfe"}, ""),
    ],
)
def test_no_other_question_is_answered_at_the_door(query: dict[str, str], secret: str):
    assert told.MANNER.greets(query, "", secret) is None


@pytest.mark.parametrize("prefix", ["", "hmacsha256="])
def test_a_signed_delivery_is_accepted_once(prefix: str):
    body = delivery(notice())
    first = judged(body, prefix + signed(body))
    assert isinstance(first, Accepted)
    assert isinstance(judged(body, prefix + signed(body), known=frozenset({first.mark})), Repeated)


@pytest.mark.parametrize("signature", [None, "", "sha256=" + "0" * 64, "0" * 64, "hmacsha256=", "zz"])
def test_a_delivery_without_linkedins_signature_is_refused(signature: str | None):
    assert isinstance(judged(delivery(notice()), signature), Refused)


def test_a_delivery_that_was_altered_or_signed_without_the_prefix_is_refused():
    body = delivery(notice())
    assert isinstance(judged(body + b" ", signed(body)), Refused)
    bare = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert isinstance(judged(body, bare), Refused)
    assert isinstance(judged(body, signed(body, ""), secret=""), Refused)


def test_a_delivery_that_is_old_of_the_future_or_bears_no_time_is_refused():
    for at in (NOW - WINDOW - timedelta(minutes=1), NOW + timedelta(hours=2)):
        body = delivery(notice(lastModifiedAt=int(at.timestamp() * 1000)))
        assert isinstance(judged(body, signed(body)), Refused)
    timeless = delivery(notice(lastModifiedAt="now"))
    assert isinstance(judged(timeless, signed(timeless)), Refused)
    long = b" " * (1024 * 1024 + 1)
    assert isinstance(judged(long, signed(long)), Refused)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS","notifications":[]}',
        b'{"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS","notifications":[3]}',
        b'{"type":"LEAD_ACTION","notifications":[{"organizationalEntity":"urn:li:organization:1"}]}',
    ],
)
def test_a_delivery_of_another_shape_is_refused(body: bytes):
    assert isinstance(judged(body, signed(body)), Refused)
    with pytest.raises(Unreadable):
        told.read(body)


def test_a_comment_and_an_edit_make_their_post_worth_reading_and_a_removal_one_comment():
    assert wanted(notice(), notice("ADMIN_COMMENT"), notice("COMMENT_EDIT")).families == (POST,)
    removed = wanted(notice("COMMENT_DELETE"))
    assert (removed.families, removed.looks) == ((), ((Kind.COMMENT, f"{POST}/12"),))


def test_a_post_that_is_named_otherwise_alone_makes_a_pass_worth_it():
    unnamed = wanted(notice(decoratedSourcePost=None))
    assert (unnamed.families, unnamed.looks) == ((), ())
    assert unnamed.since == NOW - timedelta(hours=1)
    assert wanted(notice(sourcePost="urn:li:ugcPost:5", decoratedSourcePost=None)).families == (
        "urn:li:ugcPost:5",
    )


def test_a_like_is_nothing_to_look_for_and_what_is_not_known_is():
    assert not wanted(notice("LIKE"), notice("SHARE")).anything
    assert wanted(notice("SOMETHING_NEW")).since is not None
    assert wanted(notice("COMMENT_DELETE", generatedActivity="odd")).since is not None


def test_the_door_is_asked_without_a_word_of_ours_and_the_signature_stands_in_linkedins_header():
    assert (told.MANNER.signature, told.MANNER.by_word) == ("X-LI-Signature", False)


def test_each_organisation_is_told_of_by_itself():
    other = "urn:li:organization:1"
    told_of = told.wanted(told.read(delivery(notice(), notice(organizationalEntity=other), notice())), NOW)
    assert [one.page for one in told_of] == [OURS.urn, other]
    assert told.wanted([Entry(page="x", at=None, changes=())], NOW) == [Wanted(page="x")]


# --- cursors ------------------------------------------------------------------------------------------------


def test_a_cursor_that_cannot_be_read_begins_from_nothing():
    place = Place(page="5515715", stage="late", late=(POST,), aliases={ACTIVITY: POST})
    assert Place.read(place.cursor()) == place
    for broken in ("", "{", "[]", '{"stage":"other"}', '{"new":1}'):
        assert Place.read(broken) == Place()  # type: ignore[arg-type]  # whatever was kept


def test_the_names_of_posts_are_remembered_for_so_many():
    place = Place().knowing({f"urn:li:activity:{number}": POST for number in range(3100)})
    assert len(place.aliases) == 3000
    assert "urn:li:activity:3099" in place.aliases


def test_what_was_heard_is_remembered_as_one_span_where_it_is_one():
    at = [NOW - timedelta(days=days) for days in (60, 10, 9, 8, 0)]
    assert Place(told=(at[0], at[2]), heard=(at[1], at[4])).finished().told == (at[0], at[4])
    assert Place(told=(at[0], at[4]), heard=None).finished().told == (at[0], at[4])
    assert Place(told=(at[0], at[1]), heard=(at[3], at[4])).finished().told == (at[3], at[4])


def test_what_linkedin_tells_is_asked_for_within_the_span_and_for_sixty_days():
    def tells(
        since: int | None, until: int | None, told: tuple[int, int] | None = None
    ) -> tuple[float, float] | None:
        begins = None if since is None else NOW - timedelta(days=since)
        ends = None if until is None else NOW - timedelta(days=until)
        known = None if told is None else (NOW - timedelta(days=told[0]), NOW - timedelta(days=told[1]))
        found = Reach(begins, ends, timedelta(days=30)).tells(NOW, known)
        return None if found is None else tuple((NOW - one) / timedelta(days=1) for one in found)  # type: ignore[return-value]  # two, as they came

    assert tells(None, None) == (60, 0)
    assert tells(90, 30) == (60, 30)
    assert tells(10, None) == (10, 0)
    assert tells(None, 10) is None, "whoever reads everything from the beginning need not be told of any"
    assert tells(400, 200) is None
    assert tells(10, None, (60, 1)) == (1 + 1 / 24, 0)
    assert tells(10, None, (5, 1)) == (10, 0), "what was never heard is asked for"
