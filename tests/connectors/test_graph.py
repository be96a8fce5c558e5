"""What Meta's platforms share: refusals by their numbers, limits in percent, lists by what leads on, proofs and times."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app import ROOT
from connectors import graph
from connectors.contract import Exchange, Span
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.graph import Fault, NotGiven, Usage
from connectors.pieces import Malformed

AT = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)


class Item(msgspec.Struct):
    id: str
    message: str = ""


def answered(status: int = 400, **headers: str) -> Exchange:
    told = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Exchange(
        method="GET",
        url="https://graph.facebook.com/v26.0/1/feed",
        started_at=AT,
        seconds=0.1,
        status=status,
        response_headers=told,
    )


def refusal(code: int, subcode: int = 0, message: str = "", **headers: str) -> Exception:
    return graph.refusal(Fault(code=code, error_subcode=subcode, message=message), answered(400, **headers))


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subcode", [0, 458, 459, 460, 463, 464, 467, 492])
@pytest.mark.parametrize("code", [102, 190])
def test_a_dead_token_means_that_the_page_is_to_be_connected_again(code, subcode):
    told = refusal(code, subcode)
    assert isinstance(told, AccessRevoked)
    assert "Connect the page again" in str(told)


def test_why_a_token_died_is_said_where_facebook_says_it():
    assert "password" in str(refusal(190, 460))
    assert "run out" in str(refusal(190, 463))
    assert "removed from the account" in str(refusal(190, 458))


@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80001, 80002])
def test_a_throttle_means_later_whatever_its_status(code):
    assert isinstance(refusal(code), TryAgainLater)


@pytest.mark.parametrize("code", [1, 2])
def test_what_passes_means_later(code):
    assert isinstance(refusal(code), TryAgainLater)


@pytest.mark.parametrize("code", [3, 10, 200, 230, 299])
def test_a_permission_is_lacking_and_nothing_is_missing(code):
    told = refusal(code, message="This requires the 'pages_read_user_content' permission or a feature")
    assert isinstance(told, NotGiven)
    assert (told.forbidden, told.not_found, told.scopes) == (True, False, ["pages_read_user_content"])
    assert "pages_read_user_content" in told.why


def test_a_permission_for_advertisements_is_named_where_a_role_was_given_through_it():
    told = refusal(200, message="Requires ads_management or ads_read permission to manage the object")
    assert isinstance(told, NotGiven)
    assert told.scopes == ["ads_management", "ads_read"]


def test_only_code_100_with_subcode_33_is_an_id_that_is_not_found():
    there = refusal(100, 33, "does not exist, cannot be loaded due to missing permissions")
    assert isinstance(there, NotGiven)
    assert (there.not_found, there.forbidden) == (True, False)
    for other in (refusal(100), refusal(100, 34), refusal(10, 33), refusal(803)):
        assert isinstance(other, NotGiven)
        assert not other.not_found


def test_code_100_that_speaks_of_a_permission_is_a_permission():
    told = refusal(
        100, message="(#100) Object does not exist, cannot be loaded due to missing permission or feature"
    )
    assert isinstance(told, NotGiven)
    assert (told.not_found, told.forbidden) == (False, True)


def test_whoever_is_blocked_is_told_where_to_look():
    told = refusal(368)
    assert isinstance(told, AccessRevoked)
    assert "Support Inbox" in str(told)


def test_a_missing_proof_asks_for_the_applications_secret():
    told = refusal(100, message="API calls from the server require an appsecret_proof argument")
    assert isinstance(told, AccessRevoked)
    assert "App settings" in str(told)


def test_a_version_that_has_ended_asks_for_an_upgrade():
    told = refusal(2635, message="You are calling a deprecated version of the Ads API.")
    assert isinstance(told, UnexpectedResponse)
    assert "Upgrade" in str(told)


def test_a_field_that_is_not_there_is_named():
    told = refusal(100, message="(#100) Tried accessing nonexisting field (bio) on node type (Page)")
    assert isinstance(told, NotGiven)
    assert told.no_field == "bio"
    assert not told.forbidden


def test_no_refusal_repeats_facebooks_own_words():
    secret = "EAAG-a-token-in-a-message"
    for code in (1, 4, 10, 100, 102, 190, 200, 368, 2635):
        told = refusal(code, message=f"about {secret}")
        words = told.why if isinstance(told, NotGiven) else str(told)
        assert secret not in words
        assert isinstance(told, (NotGiven, ConnectorError))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"error":"no"}', b'{"error":{"code":"x"}}'])
def test_somebody_elses_refusal_is_none_of_graphs(body):
    assert graph.fault(body) is None


def test_graphs_own_refusal_is_read():
    body = b'{"error":{"message":"m","type":"OAuthException","code":190,"error_subcode":460,"fbtrace_id":"T","new":1}}'
    assert graph.fault(body) == Fault(
        message="m", type="OAuthException", code=190, error_subcode=460, fbtrace_id="T"
    )


def test_a_refusal_is_known_by_its_number_whatever_stands_beside_it():
    body = b'{"error":{"message":null,"code":190,"error_subcode":null,"fbtrace_id":7}}'
    assert graph.fault(body) == Fault(code=190)


# --- limits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "used"),
    [
        ({}, Usage()),
        (
            {"X_App_Usage": '{"call_count":28,"total_time":25,"total_cputime":31}'},
            Usage(31),
        ),
        (
            {
                "X_Business_Use_Case_Usage": json.dumps(
                    {
                        "1": [
                            {
                                "type": "pages",
                                "call_count": 100,
                                "total_cputime": 25,
                                "total_time": 25,
                                "estimated_time_to_regain_access": 19,
                            }
                        ]
                    }
                )
            },
            Usage(100, timedelta(minutes=19)),
        ),
        (
            {
                "X_App_Usage": '{"call_count":97}',
                "X_Business_Use_Case_Usage": '{"1":[{"call_count":3}],"2":[{"total_time":40.5}]}',
            },
            Usage(97),
        ),
        ({"X_Page_Usage": "no JSON"}, Usage()),
        ({"X_Page_Usage": "[]"}, Usage()),
        ({"X_App_Usage": '{"call_count":"many","total_time":true}'}, Usage()),
        ({"X_App_Usage": '{"call_count":NaN,"total_time":-5}'}, Usage()),
        ({"X_App_Usage": f'{{"call_count":1{"0" * 400}}}'}, Usage(1_000_000)),
        (
            {"X_Business_Use_Case_Usage": '{"1":[{"estimated_time_to_regain_access":1e400}]}'},
            Usage(0, timedelta(days=1)),
        ),
    ],
)
def test_limits_are_read_from_every_header_that_tells_them(headers: Mapping[str, str], used):
    assert graph.usage(answered(200, **headers)) == used


def test_a_throttle_takes_its_time_from_the_limits():
    told = '{"1":[{"call_count":100,"estimated_time_to_regain_access":19}]}'
    later = refusal(32, X_Business_Use_Case_Usage=told)
    assert isinstance(later, TryAgainLater)
    assert later.after == timedelta(minutes=19)
    silent = refusal(32, X_App_Usage='{"call_count":100}')
    assert isinstance(silent, TryAgainLater)
    assert silent.after == timedelta(hours=1)
    nothing = refusal(32)
    assert isinstance(nothing, TryAgainLater)
    assert nothing.after is None


# --- lists --------------------------------------------------------------------------------------------------


def read(told: Any) -> graph.Edge[Item]:
    return graph.many(json.dumps(told).encode(), 3, Item)


def test_a_list_leads_on_by_its_cursor_where_a_next_link_stands_and_only_there():
    cursors = {"cursors": {"before": "B", "after": "A"}}
    next_ = {"next": "https://graph.facebook.com/v26.0/1/feed?access_token=EAAG&after=A"}
    assert read({"data": [], "paging": {**cursors, **next_}}).following == {"after": "A"}
    assert read({"data": [], "paging": cursors}).following is None
    assert read({"data": []}).following is None


def test_a_list_in_order_of_time_leads_on_by_its_link_without_what_is_secret_in_it():
    link = "https://evil.example/v1/2/feed?access_token=EAAG&appsecret_proof=ab&until=99&__paging_token=enc&limit=25"
    assert read({"data": [], "paging": {"next": link}}).following == {
        "until": "99",
        "__paging_token": "enc",
    }
    with pytest.raises(Malformed, match="leads nowhere"):
        read({"data": [], "paging": {"next": "https://graph.facebook.com/1/feed?access_token=EAAG"}})


def test_items_have_their_own_bytes_however_they_are_written():
    body = b' {"paging" : {} , "data" : [ {"id":"1"} , {"message":"a","id":"1"} ], "summary":{"total_count":9} } '
    found = graph.many(body, 3, Item)
    assert [body[one.span.start : one.span.end] for one in found.items] == [
        b'{"id":"1"}',
        b'{"message":"a","id":"1"}',
    ]
    assert {one.span.exchange for one in found.items} == {3}
    assert found.total == 9


def test_several_ids_at_once_are_told_apart():
    body = b'{"7":{"id":"7","message":"a"},"8":{"id":"8"}}'
    found, unread = graph.objects(body, 0, Item)
    assert not unread
    assert {name: one.what.message for name, one in found.items()} == {"7": "a", "8": ""}
    assert found["8"].span == Span(0, body.index(b'{"id":"8"'), len(body) - 1)


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"<html>", "HTML"), (b" ", "empty"), (b"[]", "shape"), (b'{"data":[{},{},{}]}', "shape")],
)
def test_what_has_another_shape_says_what_stands_there(body, says):
    with pytest.raises(Malformed, match=says):
        graph.many(body, 0, Item)


@pytest.mark.parametrize("strange", [None, {}, {"id": None}, {"id": [1]}, "7", [[]], 5])
def test_an_item_of_another_shape_keeps_none_of_those_beside_it_from_being_read(strange):
    found = read({"data": [{"id": "1"}, strange, {"id": "3"}]})
    assert [one.what.id for one in found.items] == ["1", "3"]
    (one,) = found.unread
    assert (one.id, one.span.exchange, found.gave) == (None, 3, 3)


def test_an_item_of_another_shape_is_called_by_its_id_where_that_can_be_read():
    found = read({"data": [{"id": "1"}, {"id": "2", "message": [[]]}, {"id": 3, "message": 5}]})
    assert [one.id for one in found.unread] == ["2", "3"]


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_ids_in_figures_are_read_whether_one_is_told_so_or_all(count):
    found = read({"data": [{"id": 10**16 + one, "message": None} for one in range(count)]})
    assert [one.what.id for one in found.items] == [str(10**16 + one) for one in range(count)]
    assert not found.unread
    assert graph.one(b'{"id":7}', 0, Item).what.id == "7"


def test_items_stand_in_the_order_in_which_they_were_told_also_where_one_is_read_otherwise():
    found = read({"data": [{"id": "1"}, {"id": 2}, None, {"id": "4"}]})
    assert [one.what.id for one in found.items] == ["1", "2", "4"]


class Counted(msgspec.Struct):
    id: str
    like_count: int | None = None
    writer: Item | None = None


def test_a_count_that_is_none_takes_nothing_from_the_item_that_has_it():
    told = [{"id": "1", "like_count": "many"}, {"id": "2", "like_count": 5}, {"id": "3", "like_count": True}]
    found = graph.many(json.dumps({"data": told}).encode(), 0, Counted)
    assert [(one.what.id, one.what.like_count) for one in found.items] == [("1", None), ("2", 5), ("3", None)]


def test_where_none_of_three_items_can_be_read_the_list_is_of_another_shape():
    assert len(read({"data": [{}, {}]}).unread) == 2
    with pytest.raises(Malformed, match="shape"):
        read({"data": [{}, None, {"id": []}]})


def test_an_object_of_another_shape_among_several_ids_leaves_the_others_theirs():
    body = b'{"7":{"id":"7","message":"a"},"8":null,"9":{"id":9},"10":{"id":"10","message":[]}}'
    found, unread = graph.objects(body, 0, Item)
    assert {name: one.what.id for name, one in found.items()} == {"7": "7", "9": "9"}
    assert [one.id for one in unread] == ["8", "10"]


def test_a_permission_of_another_shape_takes_none_of_the_others_from_a_token():
    told = graph.one(b'{"scopes":["pages_messaging",null,5,["a"]]}', 0, graph.Token)
    assert told.what.scopes == ["pages_messaging"]


# --- pieces -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2021-08-10T18:45:03+0000", datetime(2021, 8, 10, 18, 45, 3, tzinfo=UTC)),
        ("2021-08-10T18:45:03+0200", datetime(2021, 8, 10, 16, 45, 3, tzinfo=UTC)),
        ("2021-08-10T18:45:03", datetime(2021, 8, 10, 18, 45, 3, tzinfo=UTC)),
        (1628621103, datetime(2021, 8, 10, 18, 45, 3, tzinfo=UTC)),
        (10**18, None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_moments_in_utc_or_none(written, read):
    assert graph.moment(written) == read


def test_the_proof_is_that_of_the_published_example_of_hmac():
    """RFC 4231, test case 2: key "Jefe", data "what do ya want for nothing?"."""
    assert graph.proof("what do ya want for nothing?", "Jefe") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


SHARED = Path(os.environ.get("MUNIMENT_SHARED", ROOT / ".." / "shared"))
RECORDED = SHARED / "recordings" / "meta" / "testdata"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not at hand (MUNIMENT_SHARED)")
def test_recorded_refusals_are_read():
    lacking = graph.fault((RECORDED / "base" / "error_data.json").read_bytes())
    assert lacking is not None
    told = graph.refusal(lacking, answered())
    assert isinstance(told, NotGiven)
    assert (told.forbidden, told.not_found, told.scopes) == (True, False, ["pages_read_engagement"])
    assert graph.fault((RECORDED / "error.json").read_bytes()) is not None
