"""What a platform tells by itself: only what is genuine, of now and new is listened to, and it only says where to look."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import webhooks
from connectors.contract import Kind
from connectors.facebook import told
from connectors.webhooks import Accepted, Entry, Judged, Refused, Repeated, Unreadable, Wanted

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PAGE = "100064000000001"


def delivery(*changes: dict[str, Any], at: datetime = NOW, **more: Any) -> bytes:
    entry = {"id": PAGE, "time": int(at.timestamp()), "changes": list(changes), **more}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def feed(item: str, verb: str, **more: Any) -> dict[str, Any]:
    return {"field": "feed", "value": {"item": item, "verb": verb, "post_id": f"{PAGE}_1", **more}}


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def judged(body: bytes, signature: str | None, **more: Any) -> Judged:
    return webhooks.judge(
        body, signature, **{"secret": SECRET, "now": NOW, "known": frozenset[bytes](), **more}
    )


def wanted(*changes: dict[str, Any], **more: Any) -> Wanted:
    (one,) = told.wanted(webhooks.read(delivery(*changes, **more)), NOW)
    return one


# --- the handshake ------------------------------------------------------------------------------------------

ASKED = {"hub.mode": "subscribe", "hub.verify_token": "a word of ours", "hub.challenge": "1158201444"}


def test_the_challenge_is_answered_to_whoever_knows_our_word():
    assert webhooks.challenge(ASKED, "a word of ours") == "1158201444"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"hub.verify_token": "another word"}, "a word of ours"),
        ({"hub.verify_token": ""}, ""),
        ({}, ""),
        ({"hub.mode": "unsubscribe"}, "a word of ours"),
        ({"hub.challenge": ""}, "a word of ours"),
        ({"hub.challenge": "<script>alert(1)</script>"}, "a word of ours"),
        ({"hub.verify_token": "wörd"}, "a word of ours"),
    ],
)
def test_the_challenge_is_not_answered_to_anybody_else(change, word):
    assert webhooks.challenge(ASKED | change, word) is None
    assert webhooks.challenge({}, word) is None


# --- what is genuine ----------------------------------------------------------------------------------------


def test_a_delivery_that_is_signed_over_its_very_bytes_is_accepted():
    body = delivery(feed("comment", "add", comment_id="1_2"))
    found = judged(body, signed(body))
    assert isinstance(found, Accepted)
    assert [entry.page for entry in found.entries] == [PAGE]
    assert isinstance(judged(body, signed(body).upper().replace("SHA256", "sha256")), Accepted)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=" + "0" * 40,
        signed(delivery(feed("comment", "add"), at=NOW), "another application's secret"),
        "sha256=é" + "0" * 63,
    ],
)
def test_a_delivery_that_nobody_signed_or_somebody_else_did_is_refused(signature):
    assert isinstance(judged(delivery(feed("comment", "add"), at=NOW), signature), Refused)


def test_one_byte_that_was_changed_on_the_way_is_enough_to_be_refused():
    body = delivery(feed("comment", "add"))
    assert isinstance(judged(body.replace(b'"add"', b'"adD"'), signed(body)), Refused)
    assert isinstance(judged(json.dumps(json.loads(body), indent=1).encode(), signed(body)), Refused)


def test_what_is_longer_than_any_delivery_is_not_even_weighed():
    body = b" " * webhooks.LONGEST + delivery(feed("comment", "add"))
    assert isinstance(judged(body, signed(body)), Refused)
    body = body[-webhooks.LONGEST :]
    assert isinstance(judged(body, signed(body)), Accepted)


def test_without_the_applications_secret_nothing_is_accepted():
    body = delivery(feed("comment", "add"))
    assert isinstance(judged(body, signed(body, ""), secret=""), Refused)


def test_a_delivery_that_comes_again_is_known_by_its_mark_and_acts_once():
    body = delivery(feed("comment", "add"))
    first = judged(body, signed(body))
    assert isinstance(first, Accepted)
    assert judged(body, signed(body), known={first.mark}) == Repeated(first.mark)
    other = delivery(feed("comment", "add", comment_id="1_3"))
    assert isinstance(judged(other, signed(other), known={first.mark}), Accepted)


def test_a_mark_tells_nobody_who_lacks_the_secret_what_stood_in_the_delivery():
    body = delivery(feed("comment", "add"))
    found = judged(body, signed(body))
    assert isinstance(found, Accepted)
    assert found.mark != hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    ("late", "accepted"),
    [
        (timedelta(0), True),
        (timedelta(hours=36), True),
        (timedelta(hours=49), False),
        (timedelta(minutes=-30), True),
        (timedelta(hours=-2), False),
    ],
)
def test_a_delivery_is_listened_to_for_as_long_as_its_mark_is_remembered(late, accepted):
    body = delivery(feed("comment", "add"), at=NOW - late)
    assert isinstance(judged(body, signed(body)), Accepted) == accepted


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"entry":[]}',
        b'{"entry":{}}',
        b'{"entry":[1]}',
        b'{"entry":[{"id":5}]}',
        b'{"entry":[{"id":"5"}]}',
        b'{"entry":[{"id":"5","time":true}]}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_signed_and_has_another_shape_is_refused(body):
    assert isinstance(judged(body, signed(body)), Refused)


def test_times_are_read_in_seconds_and_for_messages_in_milliseconds():
    (entry,) = webhooks.read(json.dumps({"entry": [{"id": PAGE, "time": 1780282800123}]}).encode())
    assert entry.at == datetime(2026, 6, 1, 3, 0, 0, 123000, tzinfo=UTC)
    with pytest.raises(Unreadable):
        webhooks.read(b"{}")


# --- what it asks us to look at -----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["add", "edited", "hide", "unhide"])
@pytest.mark.parametrize("item", ["comment", "status", "post", "photo", "video", "share"])
def test_the_post_that_moved_is_observed_with_all_that_answers_it(item, verb):
    one = wanted(feed(item, verb, comment_id="1_2"))
    assert (one.page, one.families, one.looks, one.since) == (PAGE, (f"{PAGE}_1",), (), None)


def test_what_was_removed_is_asked_for_by_its_id():
    assert wanted(feed("comment", "remove", comment_id="1_2")).looks == ((Kind.COMMENT, "1_2"),)
    assert wanted(feed("status", "remove")).looks == ((Kind.POST, f"{PAGE}_1"),)


def test_many_changes_below_one_post_are_one_question():
    several = [feed("comment", "add", comment_id=f"1_{number}") for number in range(50)]
    assert wanted(*several).families == (f"{PAGE}_1",)


def test_a_like_moves_a_count_alone_and_asks_for_nothing():
    assert not wanted(feed("reaction", "add")).anything
    assert not wanted(feed("like", "remove")).anything


def test_a_message_asks_for_a_pass_over_what_was_just_written_and_a_receipt_for_nothing():
    entry = {"messaging": [{"sender": {"id": "2001"}, "message": {"mid": "m_1", "text": "Hello"}}]}
    one = wanted(**entry)
    assert one.since == NOW - timedelta(hours=1)
    assert (one.families, one.looks) == ((), ())
    assert not wanted(messaging=[{"sender": {"id": "2001"}, "read": {"watermark": 1}}]).anything


def test_what_this_version_does_not_know_is_looked_for_by_a_pass():
    assert wanted({"field": "something_new", "value": {}}).since is not None
    assert wanted({"field": "feed", "value": {"item": "event", "verb": "add", "event_id": "5"}}).since
    assert wanted({"field": "feed", "value": "no object"}).since


def test_each_page_of_a_delivery_is_told_apart():
    at = NOW - timedelta(minutes=5)
    entries = [
        Entry(page=page, at=at, changes=webhooks.read(delivery(feed("comment", "add")))[0].changes)
        for page in ("1", "2", "1")
    ]
    assert [one.page for one in told.wanted(entries, NOW)] == ["1", "2"]
