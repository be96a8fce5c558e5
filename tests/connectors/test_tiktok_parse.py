"""What TikTok's bodies and refusals mean, as pure functions: every code, every way to write a number, and bodies that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Author, Exchange, Kind, Page, State
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.pieces import Malformed
from connectors.tiktok import TikTok, address, options, parse, reading, refusals, shapes
from connectors.tiktok.pace import Pace
from connectors.tiktok.place import Place, Waits
from connectors.tiktok.reach import Reach
from connectors.tiktok.refusals import Means, NotGiven
from tests.connectors.worlds.tiktok_world import many_comments

NOW = datetime(2026, 6, 1, 21, 0, tzinfo=UTC)
HTML = b"<!DOCTYPE html><html>Sign in</html>"


def answered(status: int = 200, **headers: str) -> Exchange:
    return Exchange(
        method="GET",
        url="https://business-api.tiktok.com/open_api/v1.3/business/get/",
        started_at=NOW,
        seconds=0.1,
        status=status,
        response_headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
    )


def numbered(code: object, message: str = "no", status: int = 200) -> ConnectorError:
    """What the door for businesses means by a code."""
    body = json.dumps({"code": code, "message": message, "request_id": "1", "data": {}}).encode()
    return refusals.sorted_out(refusals.fault(body, status), answered(status), NOW)


def worded(code: str, status: int, **headers: str) -> ConnectorError:
    """What the Display API means by a word."""
    body = json.dumps({"data": {}, "error": {"code": code, "message": "no", "log_id": "1"}}).encode()
    return refusals.sorted_out(refusals.fault(body, status), answered(status, **headers), NOW)


def listed(body: object, name: str = "comments", **more: Any) -> reading.Answer[shapes.Comment]:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return reading.many(written, 0, shapes.Comment, name, **more)


def comment(**told: Any) -> Any:
    body = json.dumps({"code": 0, "data": {"comments": [{"comment_id": "71", **told}], "has_more": False}})
    found = listed(body.encode())
    return parse.comment(found.items[0], "73")


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [40016, 40100, 40132, 40133, 51000, 51021])
def test_a_limit_of_the_door_for_businesses_means_five_minutes(code: int) -> None:
    error = numbered(code, "Too many requests. Please retry in some time.")
    assert isinstance(error, TryAgainLater)
    assert (error.after, str(code) in str(error)) == (timedelta(minutes=5), True)


@pytest.mark.parametrize("message", ["QPD limit reached", "the daily limit", "10000 requests per day"])
def test_a_limit_of_a_day_lasts_until_midnight_utc(message: str) -> None:
    error = numbered(40133, message)
    assert isinstance(error, TryAgainLater)
    assert error.after == timedelta(hours=3)


def test_a_time_that_is_named_counts_more_than_what_is_usual() -> None:
    error = worded("rate_limit_exceeded", 429, Retry_After="17")
    assert isinstance(error, TryAgainLater)
    assert error.after == timedelta(seconds=17)


def test_the_limit_of_the_display_interface_is_a_sliding_minute() -> None:
    error = worded("rate_limit_exceeded", 429)
    assert isinstance(error, TryAgainLater)
    assert error.after == timedelta(minutes=1)


@pytest.mark.parametrize("code", [50000, 50002, 55555, 60001])
def test_what_fails_at_tiktok_passes(code: int) -> None:
    error = numbered(code)
    assert isinstance(error, TryAgainLater)
    assert error.after is None


@pytest.mark.parametrize("code", [40101, 40102, 40103, 40104, 40105, 40107, 40110, 40113, 40131])
def test_a_dead_token_is_access_revoked_with_what_to_do(code: int) -> None:
    error = numbered(code)
    assert isinstance(error, AccessRevoked)
    assert str(code) in str(error)
    assert any(word in str(error) for word in ("Connect the page again", "connect the page again", "portal"))


def test_the_number_of_a_limit_with_the_words_of_a_dead_token_is_no_limit() -> None:
    assert isinstance(numbered(40100, "Access token is invalid or has expired"), AccessRevoked)
    assert isinstance(numbered(40100, "Too many requests"), TryAgainLater)
    replaced = numbered(40100, "Too many requests of [[secret:access_token]]")
    assert isinstance(replaced, TryAgainLater), "what was put in a token's place is no word of TikTok's"


@pytest.mark.parametrize("code", [40001, 40118, 40124, 40125, 40130, 40300])
def test_a_lacking_permission_refuses_one_question_and_not_the_connection(code: int) -> None:
    error = numbered(code)
    assert isinstance(error, NotGiven)
    assert (error.forbidden, error.not_found) == (True, False)
    assert "permission" in error.why


def test_what_does_not_exist_is_told_from_what_is_asked_wrongly() -> None:
    missing, wrong = numbered(40007), numbered(40002)
    assert isinstance(missing, NotGiven)
    assert isinstance(wrong, NotGiven)
    assert (missing.not_found, missing.forbidden) == (True, False)
    assert (wrong.not_found, wrong.forbidden) == (False, False)
    assert wrong.says == "200 40002"


@pytest.mark.parametrize("code", [20001, 40000, 40006, 49999, 99999, -1])
def test_a_code_that_nobody_knows_is_no_answer_and_proves_nothing(code: int) -> None:
    error = numbered(code)
    assert isinstance(error, NotGiven)
    assert not error.not_found


@pytest.mark.parametrize("code", ["access_token_invalid", "access_token_expired", "invalid_grant"])
def test_a_dead_token_of_the_display_interface_is_access_revoked(code: str) -> None:
    assert isinstance(worded(code, 401), AccessRevoked)


@pytest.mark.parametrize(
    ("code", "status"),
    [("scope_not_authorized", 401), ("scope_permission_missed", 400), ("scope_permission_missed", 403)],
)
def test_a_lacking_scope_is_no_dead_token_though_its_status_says_so(code: str, status: int) -> None:
    error = worded(code, status)
    assert isinstance(error, NotGiven)
    assert error.forbidden


def test_other_words_of_the_display_interface() -> None:
    assert isinstance(worded("internal_error", 500), TryAgainLater)
    assert isinstance(worded("invalid_params", 400), NotGiven)
    assert isinstance(worded("something_new", 403), NotGiven)
    assert isinstance(worded("something_new", 401), AccessRevoked)


def test_both_shapes_of_an_older_refusal_are_understood() -> None:
    bare = refusals.fault(b'{"code": "access_token_invalid", "message": "no", "log_id": "1"}', 401)
    token = refusals.fault(b'{"error": "invalid_grant", "error_description": "no"}', 200)
    text = refusals.fault(b'{"code": "40105", "message": "no"}', 200)
    assert bare is not None
    assert token is not None
    assert text is not None
    assert {bare.means, token.means, text.means} == {Means.DEAD}


@pytest.mark.parametrize(
    "body",
    [HTML, b"", b"[]", b"null", b"{}", b'{"code": true}', b'{"code": null}', b'{"code": "<b>"}', b"[" * 9999],
)
def test_a_body_that_is_no_answer_of_tiktok_is_somebody_else_s(body: bytes) -> None:
    assert refusals.fault(body, 200) is None
    error = refusals.sorted_out(None, answered(), NOW)
    assert isinstance(error, UnexpectedResponse)
    assert "firewall" in str(error)


def test_no_error_repeats_what_tiktok_says_in_its_own_words() -> None:
    for code in (40100, 40105, 40130, 40007, 50000, 12345):
        assert "act.secret" not in str(numbered(code, "bad act.secret"))


# --- bodies -------------------------------------------------------------------------------------------------


def test_a_list_that_is_left_out_is_empty_only_where_nothing_follows() -> None:
    assert listed({"code": 0, "data": {"has_more": False}}).items == []
    assert listed({"code": 0, "data": {"comments": None, "has_more": False}}).items == []
    for data in ({}, {"has_more": True, "cursor": 30}, {"comments": None, "has_more": True, "cursor": 3}):
        with pytest.raises(Malformed):
            listed({"code": 0, "data": data})


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "data",
        {"comments": {}, "has_more": False},
        {"comments": [{"text": "no id"}] * 3, "has_more": False},
        {"comments": [{"comment_id": None}] * 3, "has_more": False},
        {"comments": ["71", "72", "73"], "has_more": False},
        {"comments": [], "has_more": "yes"},
        {"comments": [], "has_more": True},
        {"comments": [], "has_more": True, "cursor": ""},
        {"comments": [], "has_more": True, "cursor": {"a": 1}},
        {"comments": [], "has_more": True, "cursor": "9" * 300},
    ],
)
def test_a_list_of_another_shape_is_refused(data: object) -> None:
    with pytest.raises(Malformed):
        listed({"code": 0, "data": data})


@pytest.mark.parametrize(
    "body", [HTML, b"", b"{", b'{"code":0,"data":{"comments":[}', b"\xff\xfe", b"[" * 5000]
)
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        listed(body)


@pytest.mark.parametrize("name", ["", "7/1", "71 ", "７１", "x" * 65, "a\u0000b", "../71"])
def test_an_id_that_can_be_none_is_refused(name: str) -> None:
    odd: list[Any] = [{"comment_id": name}] * 3
    with pytest.raises(Malformed):
        listed({"data": {"comments": odd, "has_more": False}})
    found = listed(
        {"data": {"comments": [*odd, {"comment_id": "71"}], "has_more": False}}, called="comment_id"
    )
    assert found.names() == ["", "", "", "71"]
    with pytest.raises(Malformed):
        reading.name_of(name)


def test_an_id_may_be_a_number_and_keeps_all_its_digits() -> None:
    assert comment(comment_id=7300000000000000001).native_id == "73/7300000000000000001"


def test_what_leads_on_may_be_a_number_or_a_text() -> None:
    for cursor in (30, "30"):
        assert (
            listed({"code": 0, "data": {"comments": [], "has_more": 1, "cursor": cursor}}).following == "30"
        )


def test_each_item_has_the_place_of_its_own_bytes_however_the_body_is_laid_out() -> None:
    body = b'\xef\xbb\xbf{ "data" : {"comments":[ {"comment_id":"1"} ,\n{"comment_id":"1"}],"has_more":false}, "code":0}'
    found = listed(body)
    assert [body[one.span.start : one.span.end] for one in found.items] == [b'{"comment_id":"1"}'] * 2
    assert found.items[0].span != found.items[1].span


def test_half_an_emoji_is_replaced_and_the_rest_kept() -> None:
    body = b'{"code":0,"data":{"comments":[{"comment_id":"1","text":"Thanks \\ud83d"}],"has_more":false}}'
    assert parse.comment(listed(body).items[0], "73").text == "Thanks \ufffd"


def test_one_answer_that_tells_a_comment_twice_gives_it_both_places() -> None:
    body = b'{"code":0,"data":{"comments":[{"comment_id":"1"},{"comment_id":"1"}],"has_more":false}}'
    found = parse.once(parse.comment(one, "73") for one in listed(body).items)
    assert [(one.native_id, len(one.evidence)) for one in found] == [("73/1", 2)]


# --- what they mean -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("1772352060", datetime(2026, 3, 1, 8, 1, tzinfo=UTC)),
        (1772352060, datetime(2026, 3, 1, 8, 1, tzinfo=UTC)),
        ("", None),
        (0, None),
        (-5, None),
        (True, None),
        (1772352060000, None),
        ("1" * 30, None),
        ("tomorrow", None),
        ({}, None),
    ],
)
def test_a_time_is_seconds_as_a_number_or_as_a_text(told: object, meant: datetime | None) -> None:
    assert parse.moment(told) == meant


def test_a_comment_keeps_its_words_its_writer_and_what_became_of_it_as_counts() -> None:
    told = comment(
        text="Until when?\n<b>",
        create_time="1772352060",
        username="jo.public",
        display_name="Jo",
        unique_identifier="u1",
        user_id="old",
        likes=4,
        replies="2",
        liked=True,
        pinned=False,
        owner=False,
        status="PUBLIC",
        image_url="https://p16.example/1.png",
        something_new={"a": [1]},
    )
    assert (told.kind, told.state, told.text, told.in_reply_to) == (
        Kind.COMMENT,
        State.PRESENT,
        "Until when?\n<b>",
        "73",
    )
    assert told.author == Author(id="u1", name="Jo", handle="jo.public")
    assert told.counts == {"likes": 4, "replies": 2, "pinned": 0, "liked_by_account": 1}
    assert [file.id for file in told.attachments] == ["image:71"]
    assert told.extra == {}


@pytest.mark.parametrize("status", ["HIDDEN", "hidden", "UNDER_REVIEW", "SELF_SEE"])
def test_whatever_status_is_not_public_is_hidden_and_said(status: str) -> None:
    told = comment(status=status)
    assert (told.state, told.extra) == (State.HIDDEN, {"status": status})


@pytest.mark.parametrize("status", ["PUBLIC", "", None])
def test_what_is_public_or_bears_no_status_is_present(status: str | None) -> None:
    assert comment(status=status).state is State.PRESENT


def test_the_account_s_own_words_are_replies_and_an_answer_names_the_comment_above() -> None:
    told = comment(owner=True, parent_comment_id="70")
    assert (told.kind, told.in_reply_to) == (Kind.REPLY, "73/70")
    assert comment(owner="true").kind is Kind.COMMENT, "only a plain yes makes it the account's"
    assert comment(parent_comment_id="71").in_reply_to == "73", "nothing answers itself"


def test_a_comment_of_somebody_who_left_has_no_author() -> None:
    assert comment(text="…").author is None
    assert comment(user_id=12).author == Author(id="12")


@pytest.mark.parametrize("odd", ["many", -1, 1.5, [], {}, True, "9" * 40])
def test_a_count_that_is_no_count_is_left_out_and_nothing_else(odd: object) -> None:
    told = comment(likes=odd, replies=3, text="Thanks")
    assert (told.counts, told.text) == ({"replies": 3}, "Thanks")


def film(**told: Any) -> Any:
    body = json.dumps(
        {"data": {"videos": [{"id": "73", **told}], "has_more": False}, "error": {"code": "ok"}}
    )
    return parse.film(reading.many(body.encode(), 0, shapes.Film, "videos").items[0], "townpolice")


@pytest.mark.parametrize(
    ("title", "description", "text"),
    [
        ("", "Bridge closed", "Bridge closed"),
        ("Bridge", "Bridge closed", "Bridge closed"),
        ("Bridge cl...", "Bridge closed", "Bridge closed"),
        ("Flood", "Bridge closed", "Flood\n\nBridge closed"),
        ("Flood", "", "Flood"),
        (None, None, ""),
    ],
)
def test_a_title_that_repeats_the_description_is_told_once(
    title: str | None, description: str | None, text: str
) -> None:
    assert film(title=title, video_description=description).text == text


def test_the_address_of_a_video_is_kept_without_what_was_added_for_whoever_asked() -> None:
    share = "https://www.tiktok.com/@townpolice/video/73?utm_campaign=tt4d&utm_source=app#x"
    assert film(share_url=share).url == "https://www.tiktok.com/@townpolice/video/73"
    assert film(share_url="javascript:alert(1)").url == "https://www.tiktok.com/@townpolice/video/73"


def test_a_video_keeps_whole_seconds_and_says_what_was_made_by_a_machine() -> None:
    assert film(duration=12.9, is_aigc=True).extra == {"ai_generated": True, "seconds": 12}
    assert film(duration="long", is_aigc="no").extra == {}


def test_permissions_are_read_however_they_are_written() -> None:
    assert (
        list(reading.words("a,b"))
        == list(reading.words("a b"))
        == list(reading.words(["a", "b", 3]))
        == ["a", "b"]
    )
    assert list(reading.words(None)) == []


# --- addresses, options, paces ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "https://www.tiktok.com/@TownPolice",
        "https://www.tiktok.com/@townpolice/video/7300?lang=en",
        "tiktok.com/@townpolice/",
        "http://m.tiktok.com/@townpolice",
        "https://www.tiktok.com/%40townpolice",
        "@townpolice",
        " townpolice ",
    ],
)
def test_an_account_is_understood_however_it_is_written(written: str) -> None:
    assert address.read(written) == "townpolice"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "https://www.tiktok.com/",
        "https://www.tiktok.com/townpolice",
        "https://vm.tiktok.com/ZT/",
        "https://www.tiktok.com.example/@townpolice",
        "https://example.com/@townpolice",
        "tiktok.com",
        "@",
        "town police",
        "https://[::1/@a",
    ],
)
def test_what_names_no_account_is_not_guessed_at(written: str) -> None:
    assert address.read(written) is None


def page(**told: str) -> Page:
    return Page(address="@townpolice", options=told)


def test_options_that_cannot_be_meant_are_refused_in_words() -> None:
    assert (options.way(page()), options.rate(page())) == (options.Way.ACCOUNTS, 600)
    refused: list[tuple[Callable[[Page], object], dict[str, str]]] = [
        (options.way, {"door": "both"}),
        (options.rate, {"rate": "0"}),
        (options.rate, {"rate": "many"}),
        (options.answered_within, {"answered_within": "-1"}),
        (options.business, {"business_id": "x y"}),
    ]
    for read, told in refused:
        with pytest.raises(ConnectorError, match=next(iter(told))):
            read(page(**told))
    with pytest.raises(AddressRefused):
        options.base(page(api="http://tiktok.example"))
    assert options.base(page(door="display")) == "https://open.tiktokapis.com/v2"


def test_a_minute_slides_and_each_kind_has_one_of_its_own() -> None:
    pace = Pace()
    for second in (0, 20, 40):
        pace.count("video/list", 1, NOW + timedelta(seconds=second))
    at = NOW + timedelta(seconds=45)
    assert pace.until_free("video/list", 4, at) is None
    assert pace.until_free("video/list", 3, at) == timedelta(seconds=15)
    assert pace.until_free("video/list", 2, at) == timedelta(seconds=35)
    assert pace.until_free("user/info", 3, at) is None
    assert pace.until_free("video/list", 3, NOW + timedelta(seconds=60)) is None


def test_a_cursor_reads_back_and_one_that_cannot_be_read_begins_from_nothing() -> None:
    place = Place(way="accounts", account="a", began=NOW, at="1", waiting=(Waits("73", "71", 30, "9", 30),))
    assert Place.read(place.cursor()) == place
    for broken in ("", "{", "[]", '{"way": 3}', '{"unknown": 1}'):
        assert Place.read(broken) == Place()  # type: ignore[arg-type]  # a text is all that a cursor is


def test_a_pass_stops_only_behind_what_is_sorted_and_older_than_its_reach() -> None:
    reach = Reach(NOW, None, timedelta(days=30))
    old, new = NOW - timedelta(days=40), NOW
    assert reach.is_past([new, old])
    assert not reach.is_past([old, new]), "the order is not what was asked for"
    assert not reach.is_past([new, None, old])
    assert not reach.is_past([])
    assert not Reach(None, NOW, timedelta(0)).is_past([old])


def test_a_span_at_the_beginning_of_time_has_a_reach_too() -> None:
    reach = Reach(datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 1, 1, tzinfo=UTC), timedelta(days=3650))
    assert reach.earliest == datetime(1970, 1, 1, tzinfo=UTC)
    assert reach.first_cursor == "0"


def test_three_thousand_comments_are_read_each_of_them_once() -> None:
    rows = many_comments(3000, "Until when is the bridge closed? " * 4)
    body = json.dumps({"code": 0, "data": {"comments": rows, "has_more": False}}).encode()
    found = parse.once(parse.comment(one, "73") for one in listed(body).items)
    assert len(found) == 3000


def test_the_manifest_says_what_it_must() -> None:
    manifest = TikTok.manifest
    assert (manifest.name, manifest.route, manifest.narrows) == ("tiktok", "api+gate", True)
    spots = " ".join(manifest.blind_spots)
    for word in ("films", "comments", "private", "500", "history"):
        assert word in spots
    assert set(manifest.options) == {"answered_within", "api", "business_id", "door", "rate"}
