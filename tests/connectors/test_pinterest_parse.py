"""What Pinterest's answers say, read from bytes alone: refusals, unknown and hostile shapes, tokens, and addresses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors import oauth2, pieces
from connectors.contract import OAuth2, Span, State
from connectors.pieces import Malformed, Seen
from connectors.pinterest import address, parse, refusals
from connectors.pinterest.manifest import MANIFEST, SCOPES
from connectors.pinterest.shapes import Account, Board, Pin
from tests.connectors.worlds.pinterest_world import NAME, NUMBER, PinterestWorld

OURS = Account(username=NAME, number=NUMBER)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code": 50, "message": "Pin not found."}', 50),
        (b'{"code": 8}', 8),
        (b'{"code": -1, "message": "x", "details": {"new": []}}', -1),
        (b'{"code": "50"}', None),
        (b'{"message": "no code"}', None),
        (b'[{"code": 50}]', None),
        (b"<html>502</html>", None),
        (b'{"code": 50, "message": "\xff"}', None),
        (b"[" * 100_000, None),
        (b"", None),
    ],
)
def test_a_refusal_is_pinterests_own_only_where_it_has_its_number(body, code):
    said = refusals.fault(body, 404)
    assert (said.code if said is not None else None) == code


def test_a_refusal_tells_its_numbers_and_never_its_message():
    said = refusals.fault(b'{"code": 2, "message": "token pina_0123456789 is dead"}', 401)
    assert said is not None
    assert said.says == "401 code 2"
    assert "pina" not in repr(said) + str(refusals.NotGiven(said))


@pytest.mark.parametrize(
    "media",
    [
        None,
        [],
        "x",
        {},
        {"items": [None, 1, []]},
        {"images": []},
        {"images": {"600x": {"url": ""}}},
        {"video_url": 5},
    ],
)
def test_media_of_another_shape_leave_the_pin_its_words(media):
    shown = parse.pin(Seen(Pin(number="1", title="Words", media=media), Span(0, 0, 1)), OURS, ())
    assert (shown.text, shown.attachments) == ("Words", ())


@pytest.mark.parametrize(
    "told", [None, [], {"90d": {"comment": 9}}, {"all_time": None}, {"all_time": {"comment": "9"}}]
)
def test_what_is_counted_of_ninety_days_or_in_another_shape_is_none_of_its_counts(told):
    assert parse.pin(Seen(Pin(number="1", pin_metrics=told), Span(0, 0, 1)), OURS, ()).counts == {}


@pytest.mark.parametrize("metrics", ["all_time", "lifetime_metrics", "lifetime"])
def test_counts_are_read_by_each_name_that_they_have_had(metrics):
    told = {metrics: {"TOTAL_COMMENTS": 3, "total_reactions": 2.0, "SAVE": 1, "NEW": 5, "impression": -1}}
    counts = parse.pin(Seen(Pin(number="1", pin_metrics=told), Span(0, 0, 1)), OURS, ()).counts
    assert counts == {"comments": 3, "reactions": 2, "saves": 1}


@pytest.mark.parametrize("privacy", ["SECRET", "secret", "PROTECTED", "SOMETHING_NEW"])
def test_a_board_that_is_not_public_is_hidden_whatever_it_is_called(privacy):
    assert (
        parse.board(Seen(Board(number="1", name="x", privacy=privacy), Span(0, 0, 1))).state is State.HIDDEN
    )
    assert parse.board(Seen(Board(number="1", name="x"), Span(0, 0, 1))).state is State.PRESENT


def test_an_item_without_its_number_is_refused_rather_than_kept_without_its_name():
    for body in (b'[{"title": "x"}]', b'[{"id": 5.5}]', b'[{"id": true}]', b"[null]", b'[{"id": "1"}', b"{}"):
        with pytest.raises(Malformed):
            pieces.listed(body, (0, len(body)), 0, Pin)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("https://www.pinterest.com/TownPolice/", "townpolice"),
        ("https://www.pinterest.com/townpolice/roads/", "townpolice"),
        ("pinterest.co.uk/townpolice", "townpolice"),
        ("https://de.pinterest.com/townpolice", "townpolice"),
        ("https://www.pinterest.com.au/townpolice/_created/", "townpolice"),
        ("@townpolice", "townpolice"),
        ("town_police9", "town_police9"),
        ("https://www.pinterest.com/pin/813744226420795884/", None),
        ("https://www.pinterest.com/", None),
        ("https://www.pinterest.example.com/townpolice", None),
        ("https://town.example/townpolice", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_an_account_is_read_from_what_a_person_wrote(written, name):
    assert address.read(written) == name


def test_permissions_are_asked_for_divided_by_commas_and_without_what_pinterest_does_not_know():
    sign_in = MANIFEST.sign_in
    assert isinstance(sign_in, OAuth2)
    where = oauth2.authorise_address(
        sign_in,
        "https://www.pinterest.com/townpolice/",
        oauth2.Application("1500000", "secret-of-the-agency"),
        redirect="https://archive.example/connect/back",
        state="s",
        verifier="v" * 43,
    )
    assert where.startswith("https://www.pinterest.com/oauth/?response_type=code&client_id=1500000")
    assert "scope=" + "%2C".join(one.replace(":", "%3A") for one in SCOPES) in where
    assert "code_challenge" not in where


def test_tokens_are_read_as_pinterest_gives_them():
    told = {
        "response_type": "authorization_code",
        "access_token": "pina_0123456789",
        "token_type": "bearer",
        "expires_in": 2592000,
        "refresh_token": "pinr_0123456789",
        "refresh_token_expires_in": 5184000,
        "scope": " ".join(SCOPES),
    }
    now = datetime(2026, 6, 1, tzinfo=UTC)
    tokens = oauth2.read_tokens(200, json.dumps(told).encode(), now)
    assert tokens.refresh_until == now + timedelta(days=60)
    assert tokens.scopes == SCOPES
    with pytest.raises(oauth2.TokenRefused) as refused:
        oauth2.read_tokens(401, b'{"code": 2, "message": "Authentication failed."}', now)
    assert refused.value.error == "status_401", (
        "then the secret is shown as HTTP Basic, as Pinterest wants it"
    )


def test_a_thousand_pins_are_read_each_with_its_number_and_its_place():
    one = {
        "id": "1",
        "title": "Bridge closed",
        "created_at": "2026-03-01T08:00:00",
        "media": PinterestWorld.picture("a"),
        "pin_metrics": {"all_time": {"comment": 1}},
    }
    body = json.dumps({"items": [{**one, "id": str(number)} for number in range(1000)]}).encode()
    at = body.index(b"[")
    found = [parse.pin(pin, OURS, ()) for pin in pieces.listed(body, (at, len(body) - 1), 0, Pin)]
    assert len({shown.native_id for shown in found}) == 1000
    assert found[0].evidence[0] == Span(0, at + 1, found[0].evidence[0].end)
    assert parse.pin(Seen(Pin(number="7"), Span(0, 0, 1)), OURS, ()).attachments == ()
