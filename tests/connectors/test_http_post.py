"""What the evidence client sends: forms and JSON with their secrets replaced, once and no more, and what an answer lets us learn."""

from __future__ import annotations

import gc
import gzip
import json
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from connectors.contract import Replaced
from connectors.errors import AccessRevoked, AddressRefused, TryAgainLater, UnexpectedResponse
from connectors.http import decoded

PASSWORD = "correct/horse+battery=staple"
JWT = "eyJhbGciOiJFUzI1NksifQ.eyJzY29wZSI6ImF0cHJvdG8ifQ.c2lnbmF0dXJlLi4u"


def said(exchange):
    return repr(exchange).encode() + exchange.body + exchange.request_body


# -- what is sent, and what is kept of it --------------------------------------------------------------------


def test_a_form_is_sent_as_it_is_and_kept_without_its_secrets(serve, client):
    wire = serve(lambda call: call.answer(b"{}"))
    form = {
        "action": "login",
        "lgname": "Town@archive",
        "lgpassword": PASSWORD,
        "note": "ü & more",
        "empty": "",
    }
    exchange = client().post(f"{wire.base}/api.php", form=form)
    (call,) = wire.calls
    assert (call.method, dict(parse_qsl(call.body.decode(), keep_blank_values=True))) == ("POST", form)
    assert call.header("Content-Type") == "application/x-www-form-urlencoded"
    assert exchange.method == "POST"
    assert exchange.request_body == (
        b"action=login&lgname=Town%40archive&lgpassword=[[secret:lgpassword]]&note=%C3%BC+%26+more&empty="
    )
    assert exchange.replaced == (Replaced("request.body", "[[secret:lgpassword]]", 1),)
    assert [list(pair) for pair in exchange.request_headers] == [list(pair) for pair in call.headers]


def test_json_is_sent_as_it_is_and_kept_without_its_secrets_at_any_depth(serve, client):
    wire = serve(lambda call: call.answer(b"{}"))
    told = {
        "identifier": "town.example",
        "password": PASSWORD,
        "more": [{"client_secret": {"deep": 12345678, "none": None}}, "é", True],
        "code_verifier": "",
    }
    exchange = client().post(wire.base, json=told)
    (call,) = wire.calls
    assert json.loads(call.body) == told
    assert call.header("Content-Type") == "application/json"
    assert json.loads(exchange.request_body) == {
        "identifier": "town.example",
        "password": "[[secret:password]]",
        "more": [{"client_secret": {"deep": "[[secret:client_secret]]", "none": None}}, "é", True],
        "code_verifier": "",
    }


def test_a_known_secret_is_replaced_in_whatever_field_and_form_it_is_sent(serve, client):
    wire = serve(lambda call: call.answer(call.body))
    asking = client(secrets={"app_password": PASSWORD})
    sent = [
        asking.post(wire.base, form={"plain": f"a {PASSWORD} b"}),
        asking.post(wire.base, json={"plain": [f"a {PASSWORD} b"]}),
    ]
    assert all(b"staple" in call.body for call in wire.calls)
    for exchange in sent:
        assert b"staple" not in said(exchange)
        assert b"[[secret:app_password]]" in exchange.request_body
        assert b"[[secret:app_password]]" in exchange.body


def test_what_is_no_secret_is_kept_byte_for_byte(serve, client):
    wire = serve(lambda call: call.answer(b"{}"))
    asking = client(secrets={"token": JWT})
    for sent in ({"form": {"a": "b c", "€": "1"}}, {"json": {"words": ["ä", 1.5, {"x": None}]}}, {}):
        exchange = asking.post(wire.base, **sent)
        assert exchange.request_body == wire.calls[-1].body
        assert exchange.replaced == ()
    assert wire.calls[-1].header("Content-Length") == "0"
    assert wire.calls[-1].header("Content-Type") is None


def test_a_secret_that_was_sent_is_a_secret_in_the_answer_too(serve, client):
    wire = serve(lambda call: call.answer(b'{"error": "no such code: ' + call.body.split(b"=")[1] + b'"}'))
    exchange = client().post(wire.base, form={"code": "4/0AX4XfWh-code-of-a-sign-in"})
    assert exchange.body == b'{"error": "no such code: [[secret:code]]"}'


def test_a_form_and_json_together_are_refused_and_nothing_is_sent(serve, client):
    wire = serve(lambda call: call.answer(b"{}"))
    with pytest.raises(ValueError, match="not both"):
        client().post(wire.base, form={"a": "b"}, json={"a": "b"})
    assert wire.connections == 0


def test_a_connector_may_name_another_type_of_its_json(serve, client):
    wire = serve(lambda call: call.answer(b"{}"))
    client().post(wire.base, json={}, headers={"Content-Type": "application/vnd.api+json"})
    (call,) = wire.calls
    assert [value for name, value in call.headers if name == "Content-Type"] == ["application/vnd.api+json"]


# -- how often it is sent ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status", ["302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_a_redirect_of_what_was_sent_is_not_followed(serve, client, status):
    wire = serve(lambda call: call.answer(b"", "Location: /elsewhere", status=status))
    exchange = client().post(wire.base, form={"password": PASSWORD})
    assert (exchange.status, exchange.header("Location"), len(wire.calls)) == (
        int(status[:3]),
        "/elsewhere",
        1,
    )


@pytest.mark.parametrize("status", ["429 Slow Down", "500 Oops", "503 Busy"])
def test_what_was_answered_is_not_sent_again_although_a_question_would_be(serve, client, time, status):
    wire = serve(lambda call: call.answer(b"", "Retry-After: 5", status=status))
    with pytest.raises(TryAgainLater) as error:
        client().post(wire.base, form={"a": "b"})
    assert error.value.after == timedelta(seconds=5)
    assert (len(wire.calls), time.waited) == (1, [])
    with pytest.raises(TryAgainLater):
        client().get(wire.base)
    assert len(wire.calls) == 4


def test_what_may_have_arrived_is_not_sent_again(serve, client, time):
    wire = serve(lambda call: call.connection.shutdown(2))
    with pytest.raises(TryAgainLater) as error:
        client().post(wire.base, form={"password": PASSWORD})
    assert (len(wire.calls), time.waited) == (1, [])
    (exchange,) = error.value.exchanges
    assert (exchange.status, exchange.request_body) == (0, b"password=[[secret:password]]")


def test_what_cannot_have_arrived_is_sent_again(serve, client, time):
    wire = serve(lambda call: call.answer(b"{}"))
    asking = client(resolve=lambda host, port: ["127.0.0.9"], allow_hosts=["page.example"])
    with pytest.raises(TryAgainLater) as error:
        asking.post(f"http://page.example:{wire.port}/", form={"a": "b"})
    assert [one.status for one in error.value.exchanges] == [0, 0, 0]
    assert len(time.waited) == 2
    asking = client(resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"], allow_hosts=["page.example"])
    assert asking.post(f"http://page.example:{wire.port}/", form={"a": "b"}).status == 200
    assert len(wire.calls) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_means_that_access_was_revoked_unless_it_is_wanted(serve, client, status):
    wire = serve(lambda call: call.answer(b"no", status=f"{status} No"))
    with pytest.raises(AccessRevoked):
        client().post(wire.base, json={})
    assert client().post(wire.base, json={}, accept=[status]).body == b"no"


def test_a_private_address_is_refused_before_anything_is_sent(serve, client):
    wire = serve(lambda call: call.answer(b"{}"))
    with pytest.raises(AddressRefused):
        client(allow_hosts=[]).post(wire.base, form={"password": PASSWORD})
    assert wire.connections == 0


# -- what an answer lets us learn ----------------------------------------------------------------------------


def test_the_tokens_of_an_answer_are_replaced_and_told_to_whoever_asked(serve, client):
    told = {"accessJwt": JWT, "refreshJwt": f"{JWT}/r", "handle": "town.example", "did": "did:plc:abc"}
    wire = serve(lambda call: call.answer(json.dumps(told).encode()))
    asking = client()
    exchange = asking.post(wire.base, json={"identifier": "town.example", "password": PASSWORD})
    assert json.loads(exchange.body) == {
        **told,
        "accessJwt": "[[secret:accessJwt]]",
        "refreshJwt": "[[secret:refreshJwt]]",
    }
    assert asking.learned(exchange) == {"accessJwt": JWT, "refreshJwt": f"{JWT}/r"}
    assert b"c2lnbmF0dXJlLi4u" not in said(exchange)
    assert {one.marker for one in exchange.replaced if one.where == "response.body"} == {
        "[[secret:accessJwt]]",
        "[[secret:refreshJwt]]",
    }


def test_what_get_is_told_is_learned_too(serve, client):
    body = b'{"batchcomplete":true,"query":{"tokens":{"logintoken":"d41d8cd98f00b204+\\\\","csrftoken":"+\\\\"}}}'
    asking = client()
    exchange = asking.get(
        serve(lambda call: call.answer(body, "Set-Cookie: wiki_session=abcdef; HttpOnly")).base
    )
    assert asking.learned(exchange) == {
        "logintoken": "d41d8cd98f00b204+\\",
        "csrftoken": "+\\",
        "cookie:wiki_session": "abcdef",
    }
    assert exchange.body == (
        b'{"batchcomplete":true,"query":{"tokens":'
        b'{"logintoken":"[[secret:logintoken]]","csrftoken":"[[secret:csrftoken]]"}}}'
    )
    assert dict(exchange.response_headers)["Set-Cookie"] == "[[secret:Set-Cookie]]"


def test_a_token_that_an_answer_repeats_elsewhere_is_replaced_there_too(serve, client):
    body = json.dumps({"access_token": JWT, "next": f"/me?access_token={JWT}", "plain": [JWT]}).encode()
    wire = serve(lambda call: call.answer(body, f"X-Also: {JWT}"))
    asking = client()
    exchange = asking.post(wire.base, form={})
    assert b"c2lnbmF0dXJl" not in said(exchange)
    later = asking.get(serve(lambda call: call.answer(b"again " + JWT.encode())).base)
    assert later.body == b"again [[secret:access_token]]"


def test_several_tokens_of_one_name_are_told_apart(serve, client):
    pages = [
        {"name": "Town", "access_token": "EAAfirst-token"},
        {"name": "Pool", "access_token": "EAAsecond-token"},
    ]
    asking = client()
    exchange = asking.get(serve(lambda call: call.answer(json.dumps({"data": pages}).encode())).base)
    assert asking.learned(exchange) == {
        "access_token": "EAAfirst-token",
        "access_token:2": "EAAsecond-token",
    }
    assert exchange.body.count(b"[[secret:access_token]]") == 2
    assert b"Town" in exchange.body


def test_a_known_token_that_is_given_again_is_learned_all_the_same(serve, client):
    asking = client(secrets={"refresh": JWT})
    exchange = asking.post(
        serve(lambda call: call.answer(json.dumps({"refresh_token": JWT}).encode())).base, form={}
    )
    assert asking.learned(exchange) == {"refresh_token": JWT}
    assert b"c2lnbmF0dXJl" not in said(exchange)


def test_a_form_that_answers_is_read_for_its_tokens(serve, client):
    body = b"oauth_token=abcdefgh&oauth_token_secret=s%2Fecret01&oauth_callback_confirmed=true\n"
    asking = client()
    exchange = asking.post(serve(lambda call: call.answer(body)).base, form={})
    assert asking.learned(exchange) == {"oauth_token": "abcdefgh", "oauth_token_secret": "s/ecret01"}
    assert exchange.body == (
        b"oauth_token=[[secret:oauth_token]]&oauth_token_secret=[[secret:oauth_token_secret]]"
        b"&oauth_callback_confirmed=true\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"content": 'somebody wrote {"access_token": "not-a-real-token"} on the wall'}).encode(),
        b'<html><script>var x = {"access_token": "of-the-public-page"}</script></html>',
        b"a sentence with access_token=inside-of-it and more words",
        json.dumps({"access_token": None, "id_token": "", "refresh_token": 5}).encode(),
        json.dumps({"token": "next-page-of-words", "key": "somewhere"}).encode(),
    ],
)
def test_what_people_write_about_tokens_stays_as_it_is(serve, client, body):
    asking = client()
    exchange = asking.get(serve(lambda call: call.answer(body)).base)
    assert (exchange.body, exchange.replaced, asking.learned(exchange)) == (body, (), {})


def test_a_token_in_a_compressed_answer_is_found_there(serve, client):
    body = gzip.compress(json.dumps({"access_token": JWT}).encode())
    asking = client()
    exchange = asking.post(
        serve(lambda call: call.answer(body, "Content-Encoding: gzip")).base, json={"password": PASSWORD}
    )
    assert asking.learned(exchange) == {"access_token": JWT}
    assert decoded(exchange) == b'{"access_token": "[[secret:access_token]]"}'


def test_an_answer_to_what_was_sent_that_cannot_be_searched_is_not_kept(serve, client):
    wire = serve(lambda call: call.answer(b"\x8b\x03nonsense", "Content-Encoding: br"))
    with pytest.raises(UnexpectedResponse, match="searched") as error:
        client().post(wire.base, form={})
    assert error.value.exchanges[0].body == b""
    assert client().get(wire.base).body == b"\x8b\x03nonsense"


def test_a_token_of_which_only_the_beginning_came_is_not_kept_by_half(serve, client):
    def short(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b'{"access_token":"abcdefghij')
        call.connection.shutdown(2)

    with pytest.raises(UnexpectedResponse) as error:
        client().post(serve(short).base, form={})
    assert error.value.exchanges[0].body == b'{"access_token":"[[secret:access_token]]'


@pytest.mark.parametrize(
    ("header", "learned"),
    [
        ("session=abc; Path=/; HttpOnly", {"cookie:session": "abc"}),
        ("session=a=b==; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", {"cookie:session": "a=b=="}),
        ("session=deleted; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0", {}),
        ("session=deleted; expires=Thu, 01 Jan 1970 00:00:00 GMT", {}),
        ("session=abc; expires=Thu, 01 Jan 2099 00:00:00 GMT", {"cookie:session": "abc"}),
        ("session=abc; expires=whenever", {"cookie:session": "abc"}),
        ("session=; Path=/", {}),
        ("nonsense", {}),
    ],
)
def test_a_cookie_is_learned_while_it_is_meant_to_last(serve, client, header, learned):
    asking = client()
    exchange = asking.get(serve(lambda call: call.answer(b"x", f"Set-Cookie: {header}")).base)
    assert asking.learned(exchange) == learned
    assert dict(exchange.response_headers)["Set-Cookie"] == "[[secret:Set-Cookie]]"


def test_a_cookie_that_is_an_ordinary_word_leaves_the_words_of_others_alone(serve, client):
    asking = client()
    wire = serve(lambda call: call.answer(b"the archivist wrote", "Set-Cookie: UserName=archivist"))
    first = asking.get(wire.base)
    second = asking.get(wire.base, headers={"Cookie": f"UserName={asking.learned(first)['cookie:UserName']}"})
    assert wire.calls[1].header("Cookie") == "UserName=archivist"
    assert dict(second.request_headers)["Cookie"] == "[[secret:Cookie]]"
    assert first.body == second.body == b"the archivist wrote"


def test_what_was_learned_lives_as_long_as_its_exchange_and_no_longer(serve, client):
    wire = serve(lambda call: call.answer(json.dumps({"access_token": JWT}).encode()))
    asking = client()
    exchange = asking.post(wire.base, form={})
    asking.take()
    assert asking.learned(exchange)
    del exchange
    gc.collect()
    assert asking._learned == {}


def test_an_answer_to_what_was_sent_is_taken_once(serve, client):
    wire = serve(lambda call: call.answer(b"{}"))
    asking = client()
    exchange = asking.post(wire.base, form={})
    taken = asking.take()
    assert len(taken) == 1
    assert taken[0] is exchange
    assert asking.take() == []
