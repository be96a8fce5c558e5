"""Secrets, in every form in which a platform repeats them."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Replaced
from connectors.secrets import SECRET_FIELDS, TOLD_FIELDS, Secrets, SecretTooShort, Sent, marker

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=8, max_size=40).filter(
    lambda text: len("".join(text.split())) >= 8
)


def replaced(secret: str, body: bytes) -> bytes:
    return Secrets({"token": secret}).during("", {}).body(body, "response.body")


@settings(deadline=None)
@given(SECRETS)
def test_a_secret_is_found_in_every_form(secret: str):
    forms = [
        secret,
        "".join(secret.split()),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret).lower() if "%" not in secret and secret.islower() else quote(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        json.dumps(quote(secret))[1:-1],
        json.dumps(json.dumps(secret))[1:-1],
        html.escape(secret),
        quote(quote(secret, safe=""), safe=""),
    ]
    for form in forms:
        assert replaced(secret, b"<<" + form.encode() + b">>").count(b"[[secret:token]]") == 1, form
        assert secret.encode() not in replaced(secret, form.encode())


@settings(deadline=None)
@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5))
def test_a_secret_inside_base64_is_found_wherever_it_stands(secret: str, before: bytes, after: bytes):
    told = base64.b64encode(before + secret.encode() + after)
    if len(secret.encode()) >= 10:
        assert b"[[secret:token]]" in replaced(secret, told)


def test_a_name_and_a_password_are_found_as_basic_authentication_carries_them():
    secrets = Secrets({"user": "archivist", "application_password": "abcd EFGH ijkl"})
    told = base64.b64encode(b"archivist:abcd EFGH ijkl")
    assert secrets.during("", {}).body(b"Basic " + told, "x") in {
        b"Basic [[secret:application_password]]",
        b"Basic [[secret:application_password]]==",
    }


def test_a_name_that_everyone_may_know_stays_in_the_evidence():
    assert (
        Secrets({"user": "archivist"}).during("", {}).body(b'{"slug": "archivist"}', "x")
        == b'{"slug": "archivist"}'
    )


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([b"abcdefgh", b"cdefghij", b"abcdefghij", b"x", b"[[secret:a]]", b"secret:a"]),
        max_size=12,
    )
)
def test_secrets_that_overlap_leave_nothing_of_either(pieces: list[bytes]):
    body = b"".join(pieces)
    clean = Secrets({"a": "abcdefgh", "b": "cdefghij", "c": "secret:a"}).during("", {}).body(body, "x")
    for mark in (b"[[secret:a]]", b"[[secret:b]]", b"[[secret:c]]"):
        clean = clean.replace(mark, b"")
    assert b"abcdefgh" not in clean
    assert b"cdefghij" not in clean


def test_what_holds_no_secret_is_the_same_bytes():
    body = bytes(range(256)) * 10
    assert replaced("not-in-there", body) is body


def test_what_was_replaced_is_counted_by_place_and_secret():
    replacing = Secrets({"a b": "abcdefgh", "c": "ijklmnop"}).during("", {})
    replacing.body(b"abcdefgh ijklmnop abcdefgh", "response.body")
    replacing.text("https://x/?q=ijklmnop", "request.url")
    assert replacing.replaced == (
        Replaced("response.body", "[[secret:a_b]]", 2),
        Replaced("response.body", "[[secret:c]]", 1),
        Replaced("request.url", "[[secret:c]]", 1),
    )
    assert replacing.anew().replaced == ()


def test_needless_escapes_in_an_address_hide_nothing():
    replacing = Secrets({"token": "abcdefgh"}).during("", {})
    assert (
        replacing.text("https://x/%61bcdefg%68/y?z=%61%62cdefgh")
        == "https://x/[[secret:token]]/y?z=[[secret:token]]"
    )


def test_what_a_request_carries_as_credentials_is_a_secret_in_its_answer():
    replacing = Secrets({}).during(
        "https://x/?access_token=not%20said%20before", {"Authorization": "Bearer learned-elsewhere"}
    )
    body = b'{"next": "?access_token=not+said+before", "auth": "learned-elsewhere"}'
    assert (
        replacing.body(body, "x")
        == b'{"next": "?access_token=[[secret:access_token]]", "auth": "[[secret:Authorization]]"}'
    )


def test_a_secret_of_which_only_the_beginning_came_is_replaced():
    replacing = Secrets({"token": "abcdefghij"}).during("", {})
    assert replacing.body(b"x=abcdef", "x", cut=True) == b"x=[[secret:token]]"
    assert replacing.body(b"x=abcdef", "x", cut=False) == b"x=abcdef"
    assert replacing.body(b"x=abc", "x", cut=True) == b"x=abc"


def test_a_password_before_a_host_is_replaced():
    assert (
        Secrets({}).during("", {}).text("see https://ann:pw@x/y and mail ann@x")
        == "see https://[[secret:userinfo]]@x/y and mail ann@x"
    )


def test_a_secret_too_short_to_be_told_apart_is_refused():
    with pytest.raises(SecretTooShort, match="longer"):
        Secrets({"password": "town123"})
    assert not Secrets({"password": ""}).during("", {}).any


def test_a_marker_is_safe_inside_json_and_addresses():
    assert marker('a"b\\c d') == "[[secret:a_b_c_d]]"


# -- what is sent, and what an answer tells ------------------------------------------------------------------

NAMES = st.sampled_from(["status", "text", "identifier", *sorted(SECRET_FIELDS)[::5]])
VALUES = st.text(st.characters(codec="utf-8"), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def hidden(value: object, under: bool = False) -> object:
    """JSON as it should be kept, told apart from how it is made."""
    if isinstance(value, dict):
        return {key: hidden(inner, under or key in SECRET_FIELDS) for key, inner in value.items()}
    if isinstance(value, list):
        return [hidden(inner, under) for inner in value]
    return "hidden" if under and value not in {None, ""} and not isinstance(value, bool) else value


def shown(value: object) -> object:
    if isinstance(value, dict):
        return {key: shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner) for inner in value]
    return "hidden" if isinstance(value, str) and value.startswith("[[secret:") else value


@settings(deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_of_json_that_is_sent_everything_below_a_secrets_name_is_replaced_and_nothing_else(told):
    sent = Sent(json=told)
    kept = Secrets({}).during("", {}).sent(sent)
    assert json.loads(sent.wire()) == told
    assert shown(json.loads(kept)) == hidden(told)
    if hidden(told) == told:
        assert kept == sent.wire()


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_of_a_form_that_is_sent_the_values_of_secrets_are_replaced_and_nothing_else(form):
    sent = Sent(form=form)
    kept = Secrets({}).during("", {}).sent(sent).decode()
    fields = [part.partition("=")[::2] for part in kept.split("&")] if form else []
    assert fields == [
        (name, marker(name) if value and name in SECRET_FIELDS else quote_plus(value))
        for name, value in form.items()
    ]
    assert sent.wire() == "&".join(f"{name}={quote_plus(value)}" for name, value in form.items()).encode()


@settings(deadline=None)
@given(st.sampled_from(sorted(TOLD_FIELDS)), SECRETS, st.booleans(), st.integers(0, 3))
def test_a_token_that_an_answer_tells_is_learned_as_it_was_and_replaced_wherever_it_stands(
    name, token, escaped, indent
):
    body = json.dumps(
        {"a": [{name: token}], "b": f"x {token} y"}, ensure_ascii=escaped, indent=indent or None
    ).encode()
    replacing = Secrets({}).during("", {})
    replacing.learn(body)
    clean = replacing.body(body, "response.body")
    assert replacing.learned == {name: token}
    assert json.loads(clean)["a"] == [{name: marker(name)}]
    assert json.dumps(token, ensure_ascii=escaped)[1:-1].encode() not in clean


def test_a_token_is_learned_at_its_own_name_and_nowhere_else():
    for body, learned in [
        (b'{"access_token" : "abcdefgh"}', {"access_token": "abcdefgh"}),
        (b'\xef\xbb\xbf [{"refreshJwt":"abc\\u0064"}]', {"refreshJwt": "abcd"}),
        (b'{"my_access_token": "abcdefgh", "access_tokens": "abcdefgh"}', {}),
        (b'{"text": "\\"access_token\\": \\"abcdefgh\\""}', {}),
        (b'"access_token": "abcdefgh"', {}),
        (b"access_token=abc%20defgh&expires_in=60", {"access_token": "abc defgh"}),
        (b"access_token=abcdefgh in the midst of words", {}),
    ]:
        replacing = Secrets({}).during("", {})
        replacing.learn(body)
        assert replacing.learned == learned
