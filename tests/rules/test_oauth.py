"""OAuth by the letter of its RFCs: signatures, challenges, addresses, and what answers mean."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import oauth1, oauth2
from connectors.contract import OAuth2

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
APP = oauth2.Application("client-1", "s3cret of the application")
PAGE = "https://town.example/@police"
SIGN_IN = OAuth2(
    authorise_at="{origin}/oauth/authorize",
    token_at="{origin}/oauth/token",
    scopes=("read:statuses", "read:accounts"),
    extra={"duration": "permanent"},
)

# -- OAuth 1.0a --------------------------------------------------------------------------------------------

CONSUMER = oauth1.Consumer("dpf43f3p2l4k3l03", "kd94hf93k423kf44")


def at(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def signed(header: str) -> str:
    return unquote(header.partition('oauth_signature="')[2].partition('"')[0])


def test_the_temporary_token_of_rfc_5849_section_1_2_is_asked_for_as_there():
    header = oauth1.authorization(
        "POST",
        "https://photos.example.net/initiate",
        CONSUMER,
        at=at(137131200),
        nonce="wIjqoS",
        more={"oauth_callback": "http://printer.example.com/ready"},
    )
    assert signed(header) == "74KNZJeDHnMBp0EMJ9ZHt/XKycU="


def test_the_lasting_token_of_rfc_5849_section_1_2_is_asked_for_as_there():
    header = oauth1.authorization(
        "POST",
        "https://photos.example.net/token",
        CONSUMER,
        oauth1.Token("hh5s93j4hdidpola", "hdhd0244k9j7ao03"),
        at=at(137131201),
        nonce="walatlh",
        more={"oauth_verifier": "hfdp7dh39dks9884"},
    )
    assert signed(header) == "gKgrFCywp7rO0OXSjdot/IHF7IU="


def test_the_photo_of_rfc_5849_section_1_2_is_asked_for_as_there():
    header = oauth1.authorization(
        "GET",
        "http://photos.example.net/photos?file=vacation.jpg&size=original",
        CONSUMER,
        oauth1.Token("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00"),
        at=at(137131202),
        nonce="chapoH",
    )
    assert signed(header) == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


def test_another_token_secret_gives_another_signature():
    header = oauth1.authorization(
        "GET",
        "http://photos.example.net/photos?file=vacation.jpg&size=original",
        CONSUMER,
        oauth1.Token("nnch734d00sl2jdk", "pfkkdhi9sl3r4s01"),
        at=at(137131202),
        nonce="chapoH",
    )
    assert signed(header) != "MdpQcU8iPSUjWoN/UDMsK2sui9I="


def test_what_is_signed_is_what_rfc_5849_section_3_4_1_1_signs():
    spoken = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
        ("c2", ""),
        ("a3", "2 q"),
    ]
    assert oauth1.base_string(
        "post", "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", spoken
    ) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
        "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_what_is_signed_is_what_flickr_documents():
    spoken = [
        ("oauth_nonce", "95613465"),
        ("oauth_timestamp", "1305586162"),
        ("oauth_consumer_key", "653e7a6ecc1d528c516cc8f92cf98611"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_version", "1.0"),
        ("oauth_callback", "http://www.example.com"),
    ]
    assert oauth1.base_string("GET", "https://www.flickr.com/services/oauth/request_token", spoken) == (
        "GET&https%3A%2F%2Fwww.flickr.com%2Fservices%2Foauth%2Frequest_token&oauth_callback%3Dhttp%253A%252F%252F"
        "www.example.com%26oauth_consumer_key%3D653e7a6ecc1d528c516cc8f92cf98611%26oauth_nonce%3D95613465%26"
        "oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1305586162%26oauth_version%3D1.0"
    )


def test_the_signature_is_that_of_flickrs_example():
    spoken = [
        ("oauth_nonce", "95613465"),
        ("oauth_timestamp", "1305586162"),
        ("oauth_consumer_key", "653e7a6ecc1d528c516cc8f92cf98611"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_version", "1.0"),
        ("oauth_callback", "http://www.example.com"),
    ]
    # The documented signature is that of the address as it was before TLS.
    signed = oauth1.base_string("GET", "http://www.flickr.com/services/oauth/request_token", spoken)
    assert oauth1.signature(signed, "a9567d986a7539fe") == "7w18YS2bONDPL/zgyzP5XTr5af4="


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://Town.Example:443/A?b=c", "https://town.example/A"),
        ("https://town.example:8443", "https://town.example:8443/"),
        ("http://[2001:DB8::1]:80/x", "http://[2001:db8::1]/x"),
    ],
)
def test_an_address_is_signed_without_query_standard_port_and_capitals(address: str, place: str):
    assert oauth1.base_string("GET", address, []).split("&")[1] == oauth1.escape(place)


@given(st.text(max_size=20))
def test_what_is_escaped_reads_back_and_holds_no_sign_that_joins(text: str):
    escaped = oauth1.escape(text)
    assert unquote(escaped) == text
    assert not set(escaped) & set("&=+ \",/!*'()")


def test_a_temporary_token_is_read_where_the_platform_confirms_the_way_back():
    body = b"oauth_token=t1&oauth_token_secret=s1&oauth_callback_confirmed=true&username=a%20b"
    read = oauth1.read_token(body, temporary=True)
    assert (read.token, read.secret, read.more["username"]) == ("t1", "s1", "a b")


@pytest.mark.parametrize(
    "body",
    [
        b"oauth_token=t1&oauth_token_secret=s1",
        b"oauth_token=t1&oauth_callback_confirmed=true",
        b"oauth_token=&oauth_token_secret=s1&oauth_callback_confirmed=true",
        b"<html>no</html>",
        b"",
        b"\xff\xfe",
    ],
)
def test_an_answer_that_confirms_nothing_is_no_temporary_token(body: bytes):
    with pytest.raises(oauth1.BadAnswer):
        oauth1.read_token(body, temporary=True)


def test_secrets_of_a_signature_show_in_no_representation():
    assert "kd94" not in repr(CONSUMER)
    assert "s1s1" not in repr(oauth1.Token("t1", "s1s1"))


# -- OAuth 2: going there ----------------------------------------------------------------------------------


def test_the_challenge_is_that_of_rfc_7636_appendix_b():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert oauth2.challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def leave(sign_in: OAuth2 = SIGN_IN) -> dict[str, list[str]]:
    address = oauth2.authorise_address(
        sign_in, PAGE, APP, redirect="https://archive.example/connect/back", state="st", verifier="v" * 43
    )
    assert address.startswith("https://town.example/oauth/authorize?")
    return parse_qs(urlsplit(address).query)


def test_a_person_is_sent_with_state_and_challenge_and_without_any_secret():
    asked = leave()
    assert asked["state"] == ["st"]
    assert asked["code_challenge"] == [oauth2.challenge("v" * 43)]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["read:statuses read:accounts"]
    assert asked["duration"] == ["permanent"]
    assert "client_secret" not in asked
    assert "v" * 43 not in json.dumps(asked)


def test_a_server_that_knows_no_pkce_is_sent_no_challenge():
    asked = leave(OAuth2(authorise_at=SIGN_IN.authorise_at, token_at=SIGN_IN.token_at, pkce=False))
    assert "code_challenge" not in asked


@pytest.mark.parametrize(
    "issuer", ["https://town.example", "https://town.example/", "https://town.example/oauth"]
)
def test_an_issuer_is_what_the_authorisation_address_begins_with(issuer: str):
    assert oauth2.is_issuer(issuer, SIGN_IN, PAGE, APP)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://evil.example",
        "https://town.example.evil.example",
        "https://town.exam",
        "http://town.example",
        "https://town.example/oau",
        "https:",
        "https://",
        "",
    ],
)
def test_any_other_issuer_is_not(issuer: str):
    assert not oauth2.is_issuer(issuer, SIGN_IN, PAGE, APP)


def test_the_operator_may_say_who_the_issuer_is():
    named = oauth2.Application("a", issuer="https://login.example/tenant")
    assert oauth2.is_issuer("https://login.example/tenant", SIGN_IN, PAGE, named)
    assert not oauth2.is_issuer("https://town.example", SIGN_IN, PAGE, named)


# -- OAuth 2: asking and being answered --------------------------------------------------------------------


def test_a_code_is_exchanged_with_its_verifier_and_redirect_address():
    asked = oauth2.with_code(APP, SIGN_IN, code="c", redirect="r", verifier="v", how=oauth2.BODY)
    assert asked.form["code_verifier"] == "v"
    assert asked.form["redirect_uri"] == "r"
    assert asked.form["client_secret"] == APP.secret
    assert asked.headers == {}


def test_basic_authentication_escapes_as_section_2_3_1_wants_it():
    asked = oauth2.with_refresh(oauth2.Application("a:b", "c d%"), SIGN_IN, "token", how=oauth2.BASIC)
    assert b64decode(asked.headers["Authorization"].removeprefix("Basic ")) == b"a%3Ab:c+d%25"
    assert "client_secret" not in asked.form


def tokens(**told: object) -> oauth2.Tokens:
    return oauth2.read_tokens(200, json.dumps(told).encode(), NOW)


def test_tokens_are_read_with_their_ends_counted_from_the_arrival():
    read = tokens(access_token="a" * 20, refresh_token="r" * 20, expires_in=7200, scope="read write")
    assert read.access_until == NOW + timedelta(hours=2)
    assert read.refresh_until is None
    assert read.scopes == ("read", "write")


@pytest.mark.parametrize("name", ["refresh_token_expires_in", "refresh_expires_in"])
def test_the_end_of_a_refresh_token_is_read_under_the_names_that_platforms_use(name: str):
    read = tokens(access_token="a" * 20, refresh_token="r" * 20, **{name: "31536000"})
    assert read.refresh_until == NOW + timedelta(days=365)


@pytest.mark.parametrize("value", [0, -1, "soon", None, True, 10**15, [], "９９"])
def test_an_end_that_is_none_is_not_guessed(value: object):
    assert tokens(access_token="a" * 20, expires_in=value).access_until is None


def test_tokens_in_an_envelope_are_read():
    read = tokens(code=0, message="OK", data={"access_token": "a" * 20, "scope": "a.b,c.d"})
    assert (read.access_token, read.scopes) == ("a" * 20, ("a.b", "c.d"))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"access_token":5}', b'{"access_token":"short"}']
)
def test_an_answer_without_a_token_that_could_be_replaced_is_none(body: bytes):
    with pytest.raises(oauth2.BadAnswer):
        oauth2.read_tokens(200, body, NOW)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"error":"invalid_grant","error_description":"tok-1234567890"}', "invalid_grant"),
        (200, b'{"error":"bad_refresh_token"}', "bad_refresh_token"),
        (400, b'{"error":{"type":"OAuthException","message":"tok-1234567890"}}', "invalid_grant"),
        (400, b'{"error":"tok-1234567890 is BAD"}', "invalid_grant"),
        (401, b"tok-1234567890", "status_401"),
        (503, b"", "temporarily_unavailable"),
        (429, b"{}", "temporarily_unavailable"),
    ],
)
def test_a_refusal_bears_a_code_and_nothing_of_what_the_server_said(status: int, body: bytes, code: str):
    with pytest.raises(oauth2.TokenRefused) as refused:
        oauth2.read_tokens(status, body, NOW)
    assert refused.value.error == code
    assert "tok-1234567890" not in str(refused.value)


def test_a_refused_application_is_told_from_a_refused_permission():
    assert oauth2.TokenRefused("invalid_client").of_the_operator
    assert not oauth2.TokenRefused("invalid_grant").of_the_operator
    assert oauth2.TokenRefused("temporarily_unavailable").passing


def test_a_registration_is_asked_for_and_read_as_mastodon_speaks():
    asked = oauth2.to_register("Muniment", "https://a.example/connect/back", ("read",), "https://a.example")
    assert urlencode(asked.form).count("=") == 4
    made = oauth2.read_registration(
        200, b'{"client_id":"id-1","client_secret":"secret-of-it","vapid_key":"x"}'
    )
    assert (made.id, made.secret) == ("id-1", "secret-of-it")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, b'{"client_id":"i","client_secret":"secret-of-it"}'),
        (200, b"{}"),
        (200, b'{"client_id":"i","client_secret":"x"}'),
    ],
)
def test_a_server_that_does_not_register_is_noticed(status: int, body: bytes):
    with pytest.raises(oauth2.BadAnswer):
        oauth2.read_registration(status, body)


def test_secrets_show_in_no_representation():
    shown = repr(
        [
            APP,
            oauth2.with_refresh(APP, SIGN_IN, "tok-1234567890", how=oauth2.BODY),
            tokens(access_token="tok-1234567890"),
        ]
    )
    assert "tok-123" not in shown
    assert "s3cret" not in shown


# --- in a platform's own words ------------------------------------------------------------------------------

TIKTOK = OAuth2(
    authorise_at="https://www.tiktok.com/v2/auth/authorize/",
    token_at="https://business-api.tiktok.com/open_api/v1.3/tt_user/oauth2/token/",
    refresh_at="https://business-api.tiktok.com/open_api/v1.3/tt_user/oauth2/refresh_token/",
    scopes=("video.list", "comment.list"),
    pkce=False,
    asked_as={"client_id": "client_key"},
    sent_as={"code": "auth_code"},
    scopes_joined_by=",",
    sends_json=True,
)


def test_a_platform_that_calls_things_otherwise_is_asked_in_its_own_words():
    sent = oauth2.authorise_address(TIKTOK, "https://p.example", APP, redirect="r", state="s", verifier="v")
    asked = {name: told[0] for name, told in parse_qs(urlsplit(sent).query).items()}
    assert (asked["client_key"], asked["scope"]) == (APP.id, "video.list,comment.list")
    assert "client_id" not in asked
    question = oauth2.with_code(APP, TIKTOK, code="c", redirect="r", verifier="v", how=oauth2.BODY)
    assert (question.form["auth_code"], question.form["client_id"]) == ("c", APP.id)
    assert "code" not in question.form
    assert question.headers["Content-Type"] == "application/json"
    again = oauth2.with_refresh(APP, TIKTOK, "token", how=oauth2.BODY)
    assert (again.form["refresh_token"], again.headers["Content-Type"]) == ("token", "application/json")
    plain = oauth2.with_refresh(APP, SIGN_IN, "token", how=oauth2.BODY)
    assert "Content-Type" not in plain.headers


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        (40110, "invalid_grant"),
        (40105, "invalid_grant"),
        (40101, "invalid_client"),
        (40100, "temporarily_unavailable"),
    ],
)
def test_a_refusal_by_its_number_in_an_envelope_is_a_refusal(code: int, meant: str):
    body = json.dumps({"code": code, "message": "tok-1234567890", "data": {}}).encode()
    with pytest.raises(oauth2.TokenRefused) as refused:
        oauth2.read_tokens(200, body, NOW)
    assert refused.value.error == meant
    assert "tok-123" not in str(refused.value)
