"""What a platform tells by itself: only what is genuine, of now and new is listened to, and it only says where to look."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import webhooks
from connectors.contract import Kind
from connectors.facebook import Facebook, told
from connectors.instagram import Instagram
from connectors.threads import Threads
from connectors.webhooks import (
    Accepted,
    Change,
    Entry,
    Greeting,
    Judged,
    Manner,
    Refused,
    Repeated,
    Unreadable,
    Wanted,
)

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


@pytest.mark.parametrize(
    "words", [rb"half \ud83d", rb"half \udc00\u0000", rb'", "likes": 1e400, "x": "', rb'", "x": NaN, "y": "']
)
def test_what_somebody_wrote_keeps_no_delivery_from_being_heard(words):
    body = delivery(feed("comment", "add", comment_id="1_2", message="@@")).replace(b"@@", words)
    heard = judged(body, signed(body))
    assert isinstance(heard, Accepted)
    (one,) = told.wanted(heard.entries, NOW)
    assert one.families == (f"{PAGE}_1",)
    post = {"field": "publish", "value": {"id": "5", "text": "@@"}}
    body = json.dumps({"time": int(NOW.timestamp()), "target_id": "7", "values": post}).encode()
    body = body.replace(b"@@", words)
    assert isinstance(judged(body, signed(body), read=Threads.hooks.read), Accepted)


@pytest.mark.parametrize("number", [100064000000001, 2**60 + 1])
def test_a_page_that_is_named_by_a_number_is_the_same_page(number):
    body = delivery(feed("comment", "add", comment_id="1_2")).replace(
        f'"{PAGE}"'.encode(), str(number).encode(), 1
    )
    (entry,) = webhooks.read(body)
    assert entry.page == str(number)


def test_times_are_read_in_seconds_and_for_messages_in_milliseconds():
    (entry,) = webhooks.read(json.dumps({"entry": [{"id": PAGE, "time": 1780282800123}]}).encode())
    assert entry.at == datetime(2026, 6, 1, 3, 0, 0, 123000, tzinfo=UTC)
    with pytest.raises(Unreadable):
        webhooks.read(b"{}")


# --- one odd thing among many -------------------------------------------------------------------------------


def happened(page: str, at: datetime | None = NOW, **more: Any) -> dict[str, Any]:
    value = {"item": "comment", "verb": "add", "post_id": f"{page}_1", "comment_id": "1_2"}
    entry = {"id": page, "changes": [{"field": "feed", "value": value}], **more}
    return entry if at is None else {**entry, "time": int(at.timestamp())}


def heard(*entries: object) -> Judged:
    body = json.dumps({"object": "page", "entry": entries}).encode()
    return judged(body, signed(body))


ODD: list[Any] = [{"time": 1780282800}, {"id": None}, {"id": True}, {"id": ["1"]}, "words", None, 7, []]


@pytest.mark.parametrize("odd", ODD)
def test_an_entry_that_names_no_page_costs_none_of_the_others_and_leads_to_a_pass_over_them(odd):
    found = heard(happened("1"), odd, *(happened(str(number)) for number in range(2, 100)))
    assert isinstance(found, Accepted)
    several = told.wanted(found.entries, NOW)
    assert [one.page for one in several] == [str(number) for number in range(1, 100)]
    assert all(one.families == (f"{one.page}_1",) and one.since is not None for one in several)
    assert isinstance(heard(odd, odd), Refused), "of none of them anybody can tell whose they are"


@pytest.mark.parametrize("odd", [{"field": 7}, {"value": {}}, "words", None, {"field": None, "value": {}}])
def test_a_change_that_does_not_say_what_it_is_about_leads_to_a_pass_and_costs_no_other(odd):
    for manner in (Facebook.hooks, Instagram.hooks):
        (entry,) = webhooks.read(delivery(feed("comment", "add", comment_id="1_2"), odd))
        (one,) = manner.wanted([entry], NOW)
        assert one.since == NOW - timedelta(hours=1)
    assert wanted(feed("comment", "add", comment_id="1_2"), odd).families == (f"{PAGE}_1",)
    assert wanted(feed("comment", "add", comment_id="1_2")).since is None


@pytest.mark.parametrize(
    "more", [{"changed_fields": ["feed"]}, {"changes": {"field": "feed"}}, {"messaging": ["words"]}, {}]
)
def test_an_entry_without_what_happened_in_it_leads_to_a_pass(more):
    entry = {"id": PAGE, "time": int(NOW.timestamp()), **more}
    for manner in (Facebook.hooks, Instagram.hooks):
        (one,) = manner.wanted(webhooks.read(json.dumps({"entry": [entry]}).encode()), NOW)
        assert one.since == NOW - timedelta(hours=1)


def test_an_odd_value_among_those_of_threads_costs_no_other_and_leads_to_a_pass():
    publish = {"field": "publish", "value": {"id": "5"}}
    for odd in ({"field": "delete", "value": "words"}, {"field": 7, "value": {}}, None):
        body = {"time": int(NOW.timestamp()), "target_id": "7", "values": [publish, odd]}
        (one,) = Threads.hooks.wanted(Threads.hooks.read(json.dumps(body).encode()), NOW)
        assert (one.page, one.families, one.since) == ("7", ("5",), NOW - timedelta(hours=1))
    with pytest.raises(Unreadable):
        Threads.hooks.read(json.dumps({"time": 1, "target_id": "7", "values": [None]}).encode())


def test_what_is_told_late_in_a_delivery_is_heard_and_asks_for_no_pass_over_years():
    late = {"id": "3", "time": 5, "changes": [{"field": "something_new", "value": {}}]}
    found = heard(happened("1"), happened("2", NOW - timedelta(days=3)), late)
    assert isinstance(found, Accepted)
    first, second, third = told.wanted(found.entries, NOW)
    assert (first.families, second.families) == (("1_1",), ("2_1",))
    assert third.since == NOW - webhooks.WINDOW - timedelta(hours=1)


def test_a_delivery_of_which_all_is_too_old_or_anything_is_of_the_future_is_refused():
    """Its mark is forgotten when the youngest of it is too old, and not before: it acts once."""
    old = NOW - timedelta(hours=49)
    assert isinstance(heard(happened("1", old), happened("2", old - timedelta(days=9))), Refused)
    assert isinstance(heard(happened("1", old), happened("2", None)), Refused)
    assert isinstance(heard(happened("1"), happened("2", NOW + timedelta(hours=2))), Refused)


# --- what it asks us to look at -----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["add", "edited", "hide", "unhide"])
@pytest.mark.parametrize("item", ["comment", "status", "post", "photo", "video", "share"])
def test_the_post_that_moved_is_observed_with_all_that_answers_it(item, verb):
    one = wanted(feed(item, verb, comment_id="1_2"))
    assert (one.page, one.families, one.looks, one.since) == (PAGE, (f"{PAGE}_1",), (), None)


def test_what_was_removed_is_asked_for_by_its_id():
    assert wanted(feed("comment", "remove", comment_id="1_2")).looks == ((Kind.COMMENT, "1_2"),)
    assert wanted(feed("status", "remove")).looks == ((Kind.POST, f"{PAGE}_1"),)


def test_a_comment_that_was_removed_and_is_not_named_leads_to_its_post_and_never_calls_the_post_removed():
    one = wanted(feed("comment", "remove"))
    assert (one.families, one.looks) == ((f"{PAGE}_1",), ())


def test_a_post_of_others_that_names_the_page_is_left_to_a_pass_and_its_comments_are_nobodys_here():
    """A pass lists it among those that name the page; what answers it on another page is no part of this one."""
    value = {"item": "post", "verb": "add", "post_id": "2001_77", "sender_id": "2001"}
    for item in ("post", "comment"):
        one = wanted({"field": "mention", "value": {**value, "item": item, "comment_id": "77_1"}})
        assert (one.families, one.looks, one.since) == ((), (), NOW - timedelta(hours=1))
    ours = wanted({"field": "mention", "value": {**value, "post_id": f"{PAGE}_1"}})
    assert (ours.families, ours.since) == ((f"{PAGE}_1",), None)
    gone = wanted({"field": "mention", "value": {**value, "verb": "remove"}})
    assert (gone.families, gone.looks, gone.since) == ((), ((Kind.POST, "2001_77"),), None)
    value |= {"item": "comment", "verb": "remove", "comment_id": "77_1"}
    assert not wanted({"field": "mention", "value": value}).anything
    value |= {"post_id": f"{PAGE}_1"}
    assert wanted({"field": "mention", "value": value}).looks == ((Kind.COMMENT, "77_1"),)


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


# --- another platform's manner ------------------------------------------------------------------------------

HAPPENED = {"notificationId": -5, "lastModifiedAt": int(NOW.timestamp() * 1000), "action": "COMMENT_DELETE"}


def of_notifications(body: bytes) -> list[Entry]:
    """A shape in which everything is flat, and times are milliseconds."""
    try:
        notices = json.loads(body)["notifications"]
    except (ValueError, KeyError, TypeError):
        raise Unreadable("it has no notifications") from None
    return [
        Entry(
            page="2414183",
            at=webhooks.moment(one["lastModifiedAt"]),
            changes=(Change(field=one["action"], value=one),),
        )
        for one in notices
    ]


def under_a_prefix(body: bytes, signature: str, secret: str) -> bytes | None:
    """A signature over the body with a word before it."""
    mark = hmac.new(secret.encode(), b"hmacsha256=" + body, hashlib.sha256).digest()
    return mark if hmac.compare_digest(signature.encode(), mark.hex().encode()) else None


def by_the_secret(query: Mapping[str, str], _word: str, secret: str) -> Greeting | None:
    """A handshake that asks for a digest under the application's secret, and knows no word."""
    code = query.get("challengeCode", "")
    if not secret or not code:
        return None
    answer = hmac.new(secret.encode(), code.encode(), hashlib.sha256).hexdigest()
    return Greeting(json.dumps({"challengeCode": code, "challengeResponse": answer}), "application/json")


OTHER = Manner(
    wanted=lambda entries, _now: [Wanted(page=one.page, since=one.at) for one in entries],
    read=of_notifications,
    signature="X-LI-Signature",
    marks=under_a_prefix,
    greets=by_the_secret,
    by_word=False,
)


def test_a_platform_that_reads_signs_and_greets_otherwise_is_weighed_by_the_same_rules():
    body = json.dumps({"notifications": [HAPPENED]}).encode()
    signature = hmac.new(SECRET.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()
    rules: Any = {"read": OTHER.read, "marks": OTHER.marks}
    found = judged(body, signature, **rules)
    assert isinstance(found, Accepted)
    assert [one.since for one in OTHER.wanted(found.entries, NOW)] == [NOW]
    assert judged(body, signature, known={found.mark}, **rules) == Repeated(found.mark)
    assert isinstance(judged(body, signed(body), **rules), Refused), "Meta's signature is none of theirs"
    assert isinstance(judged(body, signature), Refused), "nor is theirs one of Meta's"
    assert isinstance(judged(body, signature, now=NOW + timedelta(days=3), **rules), Refused)
    other = b'{"entry": []}'
    signature = hmac.new(SECRET.encode(), b"hmacsha256=" + other, hashlib.sha256).hexdigest()
    assert judged(other, signature, **rules) == Refused("it has no notifications")


def test_a_platform_that_knows_no_word_is_greeted_by_the_secret():
    told = OTHER.greets({"challengeCode": "890e4665"}, "", SECRET)
    assert told is not None
    assert json.loads(told.body)["challengeCode"] == "890e4665"
    assert (told.media_type, OTHER.greets({}, "", SECRET), OTHER.by_word) == ("application/json", None, False)


def test_metas_greeting_is_the_challenge_and_nothing_else():
    assert webhooks.greeting(ASKED, "a word of ours", SECRET) == Greeting("1158201444", "text/plain")
    assert webhooks.greeting(ASKED, "another", SECRET) is None


@pytest.mark.parametrize("hooked", [Facebook, Instagram, Threads], ids=lambda one: one.manifest.name)
def test_every_platform_of_metas_is_told_in_metas_manner_and_names_pages_by_their_introductions(hooked):
    manner = hooked.hooks
    assert (manner.signature, manner.by_word, manner.marks) == ("X-Hub-Signature-256", True, webhooks.marked)
    value = {"id": "5", "item": "comment", "verb": "add", "post_id": "1_1"}
    told = {"id": PAGE, "time": int(NOW.timestamp()), "changes": [{"field": "feed", "value": value}]}
    flat = {"field": "publish", "value": value}
    body = json.dumps({"time": told["time"], "target_id": PAGE, "entry": [told], "values": flat}).encode()
    found = judged(body, signed(body), read=manner.read)
    assert isinstance(found, Accepted)
    (one,) = manner.wanted(found.entries, NOW)
    assert (one.page, one.anything) == (PAGE, True)


@given(st.binary(max_size=400), st.text(max_size=80))
def test_nothing_that_nobody_signed_is_ever_accepted_or_makes_us_fall(body, signature):
    assert isinstance(judged(body, signature), Refused)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["entry", "id", "time", "changes", "field", "value", "values", "messaging", "message", "target_id", "root_post", "owner_id"]), inner, max_size=6), max_leaves=25))  # fmt: skip
def test_whatever_is_signed_is_read_or_refused_in_every_manner(told):
    body = json.dumps(told).encode()
    for hooked in (Facebook, Instagram, Threads):
        found = judged(body, signed(body), read=hooked.hooks.read)
        if isinstance(found, Accepted):
            assert all(isinstance(one, Wanted) for one in hooked.hooks.wanted(found.entries, NOW))
