"""The evidence client over real sockets: what it keeps, what it refuses, how polite it is, and what it never writes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import ssl
import tracemalloc
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.contract import Exchange, Replaced
from connectors.errors import AccessRevoked, AddressRefused, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.http import decoded, retry_after, with_params

TOKEN = "EAAGm0PX4ZCpsBAKZC/9=qr+7ü"


# -- what is kept ------------------------------------------------------------------------------------------


def test_an_exchange_is_kept_as_it_was_on_the_wire(serve, client, time):
    body = b'\xef\xbb\xbf{"name" :  "caf\xc3\xa9"}\r\n\x00'
    wire = serve(
        lambda call: call.answer(body, "X-Odd-CASE: one", "x-odd-case: t\xfc", status="203 Rather Odd")
    )
    exchange = client().get(
        f"{wire.base}/a%20b?q=1#part", headers={"X-Mine": "yes", "Accept": "application/json"}
    )
    assert exchange.body == body
    assert (exchange.status, exchange.reason, exchange.http_version) == (203, "Rather Odd", "HTTP/1.1")
    assert exchange.url == f"{wire.base}/a%20b?q=1"
    assert exchange.response_headers == (
        ("Content-Length", str(len(body))),
        ("X-Odd-CASE", "one"),
        ("x-odd-case", "t\xfc"),
    )
    assert [list(pair) for pair in exchange.request_headers] == [list(pair) for pair in wire.calls[0].headers]
    assert wire.calls[0].target == "/a%20b?q=1"
    assert wire.calls[0].header("Accept-Encoding") == "identity"
    assert wire.calls[0].header("Accept") == "application/json"
    assert exchange.started_at == time.at
    assert exchange.peer_address == "127.0.0.1"
    assert (exchange.truncated, exchange.failure, exchange.replaced, exchange.peer_certificate_sha256) == (
        None,
        None,
        (),
        None,
    )


def test_the_client_says_who_asks_and_whom_to_write_to(serve, client):
    wire = serve(lambda call: call.answer(b"x"))
    client().get(wire.base)
    assert (
        wire.calls[0].header("User-Agent") == "Muniment/1.2 (archive of public records; records@town.example)"
    )


def test_seconds_are_told_by_the_clock_that_was_given(serve, client, time):
    def slow(call):
        time.passes(timedelta(seconds=7))
        call.answer(b"x")

    exchange = client().get(serve(slow).base)
    assert exchange.seconds == 7
    assert exchange.started_at == datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def test_a_body_in_chunks_is_joined(serve, client):
    wire = serve(
        lambda call: call.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
    )
    assert client().get(wire.base).body == b"abcde"


def test_a_body_that_ends_with_its_connection_is_whole(serve, client):
    def old(call):
        call.send(b"HTTP/1.0 200 Fine\r\n\r\nabc")
        call.connection.shutdown(2)

    exchange = client().get(serve(old).base)
    assert (exchange.http_version, exchange.body, exchange.truncated) == ("HTTP/1.0", b"abc", None)


def test_one_connection_serves_many_questions(serve, client):
    wire = serve(lambda call: call.answer(b"x"))
    asking = client()
    for _ in range(3):
        asking.get(wire.base)
    assert (len(wire.calls), wire.connections) == (3, 1)


def test_parameters_are_added_and_the_rest_of_the_address_stays_byte_for_byte():
    assert (
        with_params("https://a/b?x=%7e+1&page=2#f", {"page": "3", "q": "ü &"})
        == "https://a/b?x=%7e+1&page=3&q=%C3%BC+%26#f"
    )
    assert with_params("https://a/b?x=%7e+1", {}) == "https://a/b?x=%7e+1"


@pytest.mark.parametrize("name", ["Host", "accept-encoding", "User-Agent", "Transfer-Encoding"])
def test_a_connector_cannot_write_the_clients_own_headers(client, name):
    with pytest.raises(ValueError, match="own"):
        client().get("http://127.0.0.1:9/", headers={name: "x"})


def test_a_header_cannot_smuggle_another(client):
    with pytest.raises(ValueError, match="sign"):
        client().get("http://127.0.0.1:9/", headers={"X-A": "b\r\nX-C: d"})


# -- servers that compress although they were asked not to ---------------------------------------------------


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
    ],
)
def test_a_compressed_body_is_kept_as_received_and_decoded_for_parsers(serve, client, coding, compress):
    body = compress(b'{"a": 1}' * 100)
    wire = serve(lambda call: call.answer(body, f"Content-Encoding: {coding}"))
    for secrets in ({}, {"token": TOKEN}):
        exchange = client(secrets=secrets).get(wire.base)
        assert exchange.body == body
        assert decoded(exchange) == b'{"a": 1}' * 100


def test_a_bomb_is_not_decoded(serve, client):
    bomb = gzip.compress(bytes(10_000_000))
    exchange = client().get(serve(lambda call: call.answer(bomb, "Content-Encoding: gzip")).base)
    assert len(decoded(exchange, most=10_000_000)) == 10_000_000
    with pytest.raises(UnexpectedResponse, match="more than") as error:
        decoded(exchange, most=9_999_999)
    assert error.value.exchanges == (exchange,)


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_coding_that_cannot_be_read_is_kept_and_said(serve, client, coding):
    exchange = client().get(
        serve(lambda call: call.answer(b"\x8b\x03nonsense", f"Content-Encoding: {coding}")).base
    )
    assert exchange.body == b"\x8b\x03nonsense"
    with pytest.raises(UnexpectedResponse):
        decoded(exchange)


def test_a_secret_inside_a_compressed_body_is_replaced_and_the_body_compressed_again(serve, client):
    body = gzip.compress(json.dumps({"next": f"?access_token={TOKEN}"}).encode())
    exchange = client(secrets={"token": TOKEN}).get(
        serve(lambda call: call.answer(body, "Content-Encoding: gzip")).base
    )
    assert decoded(exchange) == b'{"next": "?access_token=[[secret:token]]"}'
    assert exchange.replaced == (Replaced("response.body", "[[secret:token]]", 1),)


def test_a_body_that_cannot_be_searched_for_secrets_is_not_kept(serve, client):
    wire = serve(lambda call: call.answer(b"\x8b\x03nonsense", "Content-Encoding: br"))
    with pytest.raises(UnexpectedResponse, match="searched") as error:
        client(secrets={"token": TOKEN}).get(wire.base)
    assert error.value.exchanges[0].body == b""
    assert "br" in (error.value.exchanges[0].failure or "")


# -- statuses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status", ["200 OK", "204 No Content", "304 Not Modified", "404 Not Found", "410 Gone", "418 Teapot"]
)
def test_an_answer_below_500_is_an_answer(serve, client, status):
    def answer(call):
        call.send(
            f"HTTP/1.1 {status}\r\n".encode(),
            b"" if status[0] in "23" and status[:3] != "200" else b"Content-Length: 0\r\n",
            b"\r\n",
        )

    assert client().get(serve(answer).base).status == int(status[:3])


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_means_that_access_was_revoked_unless_it_is_wanted(serve, client, status):
    wire = serve(lambda call: call.answer(b"no", status=f"{status} No"))
    with pytest.raises(AccessRevoked) as error:
        client().get(wire.base)
    assert [one.status for one in error.value.exchanges] == [status]
    assert client().get(wire.base, accept=[status]).body == b"no"


@pytest.mark.parametrize("status", [429, 500, 501, 503])
def test_a_failing_platform_means_later_unless_its_answer_is_wanted(serve, client, status):
    wire = serve(lambda call: call.answer(b"no", status=f"{status} No"))
    with pytest.raises(TryAgainLater) as error:
        client().get(wire.base)
    assert error.value.after is None
    assert {one.status for one in error.value.exchanges} == {status}
    assert client().get(wire.base, accept=[status]).status == status


# -- patience ----------------------------------------------------------------------------------------------


def test_a_short_retry_after_is_waited_for_within_the_run(serve, client, time):
    answers = iter(
        [
            ("429 Slow Down", "Retry-After: 20"),
            ("503 Busy", "Retry-After: Mon, 04 May 2026 03:03:01 GMT"),
            ("200 OK", "X: y"),
        ]
    )

    def answer(call):
        status, header = next(answers)
        call.answer(b"", header, status=status)

    asking = client()
    exchange = asking.get(serve(answer).base)
    assert exchange.status == 200
    assert time.waited == [timedelta(seconds=20), timedelta(seconds=40)]
    assert [one.status for one in asking.take()] == [429, 503, 200]
    assert asking.take() == []


def test_a_long_retry_after_is_left_to_capture(serve, client, time):
    wire = serve(lambda call: call.answer(b"", "Retry-After: 3600", status="429 Slow Down"))
    with pytest.raises(TryAgainLater) as error:
        client().get(wire.base)
    assert error.value.after == timedelta(hours=1)
    assert (time.waited, len(wire.calls)) == ([], 1)


def test_a_throttle_without_a_time_is_not_hurried(serve, client, time):
    wire = serve(lambda call: call.answer(b"", status="429 Slow Down"))
    with pytest.raises(TryAgainLater):
        client().get(wire.base)
    assert (time.waited, len(wire.calls)) == ([], 1)


def test_an_outage_is_retried_a_bounded_number_of_times(serve, client, time):
    wire = serve(lambda call: call.answer(b"", status="502 Bad Gateway"))
    asking = client()
    with pytest.raises(TryAgainLater) as error:
        asking.get(wire.base)
    assert len(wire.calls) == len(error.value.exchanges) == 3
    assert time.waited == [timedelta(seconds=1), timedelta(seconds=2)]


def test_one_host_is_not_asked_faster_than_its_interval(serve, client, time):
    wire = serve(lambda call: call.answer(b"x"))
    asking = client(manners={"interval": timedelta(seconds=2)})
    asking.get(wire.base)
    assert time.waited == []
    time.passes(timedelta(seconds=0.5))
    asking.get(wire.base)
    assert time.waited == [timedelta(seconds=1.5)]
    time.passes(timedelta(seconds=9))
    asking.get(wire.base)
    assert time.waited == [timedelta(seconds=1.5)]


def test_an_address_is_asked_as_far_apart_as_its_platform_wants_and_no_other_waits_for_it(
    serve, client, time
):
    wire = serve(lambda call: call.answer(b"x"))
    asking, apart = client(), timedelta(seconds=1)
    asking.get(f"{wire.base}/all", params={"page": "1"}, apart=apart)
    asking.get(f"{wire.base}/recent")
    assert time.waited == []
    asking.get(f"{wire.base}/all", params={"page": "2"}, apart=apart)
    assert time.waited == [apart]
    slower = client(manners={"interval": timedelta(seconds=3)})
    slower.get(f"{wire.base}/all", apart=apart)
    slower.get(f"{wire.base}/all", apart=apart)
    assert time.waited == [apart, timedelta(seconds=3)], "the longer of the two is enough"


@pytest.mark.parametrize(
    ("value", "after"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        ("Mon, 04 May 2026 03:03:01 GMT", timedelta(seconds=60)),
        ("Mon, 04 May 2020 03:03:01 GMT", timedelta(0)),
        ("9" * 5000, timedelta(days=1)),
        ("Mon, 04 May 2099 03:03:01 GMT", timedelta(days=1)),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms_and_bounded(time, value, after):
    exchange = Exchange(
        method="GET",
        url="x",
        started_at=time.at,
        seconds=0,
        status=429,
        response_headers=[("retry-after", value)],
    )
    assert retry_after(exchange, time.at) == after


# -- redirects ---------------------------------------------------------------------------------------------


def test_every_hop_of_a_redirect_is_an_exchange_of_its_own(serve, client):
    def hop(call):
        number = int(call.target.rpartition("/")[2])
        if number == 5:
            call.answer(b"here")
        else:
            call.answer(b"moved", f"Location: {number + 1}", status="302 Found")

    asking = client()
    wire = serve(hop)
    exchange = asking.get(f"{wire.base}/hop/0")
    taken = asking.take()
    assert exchange.body == b"here"
    assert [one.url.rpartition("/")[2] for one in taken] == ["0", "1", "2", "3", "4", "5"]
    assert taken[-1] is exchange
    assert [one.body for one in taken[:-1]] == [b"moved"] * 5


def test_answers_that_nobody_takes_do_not_fill_the_memory_and_hops_stay(serve, client, monkeypatch):
    monkeypatch.setattr("connectors.http._MOST_WAITING", 2500)
    wire = serve(
        lambda call: (
            call.answer(b"", "Location: /b", status="302 Found")
            if call.target == "/a"
            else call.answer(bytes(1000))
        )
    )
    asking = client()
    got = [asking.get(f"{wire.base}/{path}") for path in "abcd"]
    taken = asking.take()
    assert [one.status for one in taken] == [302, 200, 200]
    assert [one is other for one, other in zip(taken[1:], got[2:], strict=True)] == [True, True]


def test_a_redirect_without_end_is_an_error_that_carries_every_hop(serve, client):
    wire = serve(lambda call: call.answer(b"", "Location: /", status="301 Moved"))
    with pytest.raises(UnexpectedResponse, match="on and on") as error:
        client().get(wire.base)
    assert len(error.value.exchanges) == len(wire.calls) == 6


def test_a_redirect_that_is_wanted_as_it_is_is_not_followed(serve, client):
    wire = serve(lambda call: call.answer(b"", "Location: /x", status="301 Moved"))
    assert client().get(wire.base, accept=[301]).header("Location") == "/x"
    assert len(wire.calls) == 1


def test_credentials_stay_with_the_origin_that_they_were_meant_for(serve, client):
    other = serve(lambda call: call.answer(b"other"))

    def move(call):
        call.answer(
            b"", f"Location: {other.base if call.target == '/away' else '/stay'}", status="307 Go"
        ) if call.target != "/stay" else call.answer(b"home")

    wire = serve(move)
    headers = {"Authorization": "Bearer abcdefgh", "X-Api-Key": TOKEN, "X-Plain": "plain"}
    asking = client(secrets={"token": TOKEN})
    asking.get(f"{wire.base}/near", headers=headers)
    assert wire.calls[-1].target == "/stay"
    assert wire.calls[-1].header("Authorization") == "Bearer abcdefgh"
    asking.get(f"{wire.base}/away", headers=headers)
    assert other.calls[0].header("Authorization") is None
    assert other.calls[0].header("X-Api-Key") is None
    assert other.calls[0].header("X-Plain") == "plain"


def test_a_redirect_into_our_own_network_is_refused_and_the_hop_is_kept(serve, client):
    for inside in [
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2130706434/",
        "http://[::ffff:10.1.1.1]/",
        "file:///etc/passwd",
        "http://a:b@93.184.216.34/",
    ]:
        wire = serve(lambda call, inside=inside: call.answer(b"", f"Location: {inside}", status="302 Found"))
        with pytest.raises(AddressRefused) as error:
            client().get(wire.base)
        assert [one.status for one in error.value.exchanges] == [302]


# -- addresses that may not be asked -----------------------------------------------------------------------


def test_loopback_is_refused_unless_the_operator_allows_it(serve, client):
    wire = serve(lambda call: call.answer(b"x"))
    with pytest.raises(AddressRefused, match="MUNIMENT_ALLOW_HOSTS"):
        client(allow_hosts=[]).get(wire.base)
    with pytest.raises(AddressRefused):
        client(allow_hosts=[f"127.0.0.1:{wire.port + 1}"]).get(wire.base)
    assert wire.connections == 0
    assert client(allow_hosts=[f"127.0.0.1:{wire.port}"]).get(wire.base).body == b"x"


def test_allowing_one_spelling_of_an_address_allows_no_other(serve, client):
    wire = serve(lambda call: call.answer(b"x"))
    for host in ["2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "127.0.0.1."]:
        with pytest.raises(AddressRefused):
            client().get(f"http://{host}:{wire.port}/")
    assert wire.connections == 0


def test_a_name_is_resolved_once_and_that_address_is_connected_to(serve, client):
    wire = serve(lambda call: call.answer(b"x"))
    answers = [["127.0.0.9"], ["127.0.0.1"]]

    def rebinding(host, port):
        return answers.pop(0)

    asking = client(resolve=rebinding, allow_hosts=["page.example"], manners={"retries": 0})
    with pytest.raises(TryAgainLater) as error:
        asking.get(f"http://page.example:{wire.port}/")
    assert error.value.exchanges[0].peer_address == "127.0.0.9"
    assert (len(answers), wire.connections) == (1, 0)


def test_of_several_addresses_only_the_public_ones_are_asked(client):
    asking = client(resolve=lambda host, port: ["10.0.0.1", "fd00::1", "127.0.0.1"], allow_hosts=[])
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        asking.get("http://page.example/")


def test_the_host_header_and_the_record_name_the_host_and_not_its_number(serve, client):
    wire = serve(lambda call: call.answer(b"x"))
    asking = client(resolve=lambda host, port: ["127.0.0.1"], allow_hosts=["page.example"])
    exchange = asking.get(f"http://page.example:{wire.port}/x")
    assert wire.calls[0].header("Host") == f"page.example:{wire.port}"
    assert exchange.url == f"http://page.example:{wire.port}/x"
    assert exchange.peer_address == "127.0.0.1"


def test_the_next_address_is_tried_where_one_is_not_listening(serve, client):
    wire = serve(lambda call: call.answer(b"x"))
    asking = client(resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"], allow_hosts=["page.example"])
    assert asking.get(f"http://page.example:{wire.port}/").peer_address == "127.0.0.1"


def test_two_hosts_at_one_address_do_not_share_a_connection(serve, client):
    wire = serve(lambda call: call.answer(b"x"))
    asking = client(resolve=lambda host, port: ["127.0.0.1"], allow_hosts=["a.example", "b.example"])
    asking.get(f"http://a.example:{wire.port}/")
    asking.get(f"http://b.example:{wire.port}/")
    assert wire.connections == 2


@pytest.mark.parametrize(
    "url",
    [
        "ftp://page.example/",
        "page.example",
        "",
        "http://",
        "http://user@page.example/",
        "http://u:p@page.example/",
        "http://@page.example/",
        "http://page.example:0/",
        "http://page.example:99999/",
        "http://a b/",
        "http://\x00/",
    ],
)
def test_an_address_that_is_none_is_refused(client, url):
    with pytest.raises(AddressRefused) as error:
        client().get(url)
    assert ":p@" not in str(error.value)


# -- certificates ------------------------------------------------------------------------------------------


def certificate(tmp_path, *names):
    """A certificate that signs itself; the server's context, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    alternatives = [
        x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
    ]
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(pem + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "both.pem")
    return (
        server,
        ssl.create_default_context(cadata=pem.decode()),
        hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest(),
    )


def test_the_certificate_that_was_shown_is_recorded(serve, client, tmp_path):
    server, trusting, digest = certificate(tmp_path, "page.example")
    wire = serve(lambda call: call.answer(b"x"), tls=server)
    asking = client(tls=trusting, resolve=lambda host, port: ["127.0.0.1"], allow_hosts=["page.example"])
    for _ in range(2):
        exchange = asking.get(f"https://page.example:{wire.port}/")
        assert (exchange.peer_certificate_sha256, exchange.peer_address) == (digest, "127.0.0.1")
    assert wire.connections == 1


def test_a_certificate_of_an_unknown_authority_is_refused_with_what_to_do(serve, client, tmp_path):
    server, _, _ = certificate(tmp_path, "127.0.0.1")
    wire = serve(lambda call: call.answer(b"x"), tls=server)
    with pytest.raises(AddressRefused, match=r"does not verify.*renew it") as error:
        client().get(wire.base)
    assert wire.calls == []
    assert error.value.exchanges[0].status == 0
    assert (error.value.exchanges[0].failure or "").startswith("certificate:")


def test_a_certificate_of_another_host_is_refused_although_the_address_is_the_same(serve, client, tmp_path):
    server, trusting, _ = certificate(tmp_path, "page.example")
    wire = serve(lambda call: call.answer(b"x"), tls=server)
    asking = client(
        tls=trusting, resolve=lambda host, port: ["127.0.0.1"], allow_hosts=["page.example", "other.example"]
    )
    asking.get(f"https://page.example:{wire.port}/")
    with pytest.raises(AddressRefused, match=r"other\.example"):
        asking.get(f"https://other.example:{wire.port}/")


def test_a_server_that_does_not_speak_tls_is_asked_again_later(serve, client):
    wire = serve(lambda call: None, greeting=b"220 mail.example ready\r\n")
    with pytest.raises(TryAgainLater):
        client(manners={"retries": 0}).get(wire.base.replace("http:", "https:"))


# -- what goes wrong on the way ----------------------------------------------------------------------------


def test_a_name_that_cannot_be_found_means_later(client, time):
    def nothing(host, port):
        raise OSError(-2, "Name or service not known")

    with pytest.raises(TryAgainLater, match=r"page\.example cannot be found") as error:
        client(resolve=nothing).get("http://page.example/")
    assert [one.status for one in error.value.exchanges] == [0, 0, 0]
    assert error.value.exchanges[0].failure


def test_nobody_listening_means_later(serve, client):
    wire = serve(lambda call: None)
    wire.close()
    with pytest.raises(TryAgainLater) as error:
        client().get(wire.base)
    assert {one.status for one in error.value.exchanges} == {0}
    assert "ConnectError" in (error.value.exchanges[0].failure or "")


def test_a_connection_that_is_cut_before_an_answer_means_later(serve, client):
    wire = serve(lambda call: call.connection.shutdown(2))
    with pytest.raises(TryAgainLater) as error:
        client(manners={"retries": 0}).get(wire.base)
    assert error.value.exchanges[0].status == 0


def test_a_connection_that_went_stale_is_opened_again(serve, client):
    def once(call):
        call.answer(b"x")
        call.connection.shutdown(2)

    wire = serve(once)
    asking = client()
    for _ in range(3):
        assert asking.get(wire.base).body == b"x"


def test_a_body_shorter_than_its_length_is_marked_and_unexpected(serve, client):
    def short(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b'{"half')
        call.connection.shutdown(2)

    with pytest.raises(UnexpectedResponse) as error:
        client().get(serve(short).base)
    assert [(one.truncated, one.body, one.status) for one in error.value.exchanges] == [
        ("disconnect", b'{"half', 200)
    ]


def test_a_body_in_chunks_that_does_not_end_is_marked_and_unexpected(serve, client):
    def short(call):
        call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        call.connection.shutdown(2)

    with pytest.raises(UnexpectedResponse) as error:
        client().get(serve(short).base)
    assert [(one.truncated, one.body) for one in error.value.exchanges] == [("disconnect", b"half")]


def test_a_body_over_the_limit_is_cut_there_and_never_held_whole(serve, client):
    sent = []

    def flood(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        with suppress(OSError):
            for _ in range(200):
                call.send(bytes(1_000_000))
                sent.append(1)

    wire = serve(flood)
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedResponse, match="more than 1000000 bytes") as error:
            client(manners={"max_body": 1_000_000}).get(wire.base)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(one.truncated, len(one.body)) for one in error.value.exchanges] == [("length", 1_000_000)]
    assert peak < 12_000_000
    assert len(sent) < 200


def test_a_body_at_the_limit_is_whole(serve, client):
    exchange = client(manners={"max_body": 1000}).get(serve(lambda call: call.answer(bytes(1000))).base)
    assert (exchange.truncated, len(exchange.body)) == (None, 1000)


def test_a_body_that_drips_is_cut_at_the_deadline(serve, client, time):
    def drip(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with suppress(OSError):
            for _ in range(1000):
                time.passes(timedelta(seconds=1))
                call.send(b"x")

    with pytest.raises(TryAgainLater, match="slowly") as error:
        client(manners={"deadline": timedelta(seconds=30), "retries": 0}).get(serve(drip).base)
    exchange = error.value.exchanges[0]
    assert exchange.truncated == "time"
    assert set(exchange.body) == set(b"x")
    assert exchange.seconds > 30


def test_headers_that_drip_are_cut_at_the_deadline_too(serve, client):
    cut = Event()

    def drip(call):
        try:
            call.send(b"HTTP/1.1 200 OK\r\nX: ")
            while not cut.wait(0.01):
                call.send(b"x")
        except OSError:
            cut.set()

    with pytest.raises(TryAgainLater, match="in time") as error:
        client(manners={"deadline": timedelta(seconds=0.2), "silence": timedelta(seconds=0.15)}).get(
            serve(drip).base
        )
    assert [(one.status, one.failure) for one in error.value.exchanges] == [(0, "no answer in time")]
    assert cut.wait(5)


def test_silence_means_later(serve, client):
    wire = serve(lambda call: call.until_they_leave())
    with pytest.raises(TryAgainLater, match="in time"):
        client(manners={"silence": timedelta(seconds=0.05), "retries": 0}).get(wire.base)


def test_what_is_no_http_is_no_answer(serve, client):
    wire = serve(lambda call: call.send(b"220 mail.example ESMTP\r\n\r\n"))
    with pytest.raises(TryAgainLater) as error:
        client(manners={"retries": 0}).get(wire.base)
    assert error.value.exchanges[0].status == 0


# -- secrets -----------------------------------------------------------------------------------------------


def test_no_secret_is_in_what_is_recorded_in_any_of_its_forms(serve, client):
    basic = base64.b64encode(f"archivist:{TOKEN}".encode()).decode()

    def echo(call):
        body = json.dumps({"plain": TOKEN, "next": call.target, "basic": basic, "name": "archivist"})
        html = f'<a href="?access_token={TOKEN}&amp;x=1">'
        call.answer(
            f"{body}{body.replace('/', chr(92) + '/')}{TOKEN}{html}".encode(),
            f"Link: <{call.target}>; rel=next",
            "Set-Cookie: session=abcdefghijkl; Path=/",
            f"X-Echo: {call.header('Authorization')}",
        )

    wire = serve(echo)
    asking = client(secrets={"user": "archivist", "token": TOKEN})
    exchange = asking.get(
        f"{wire.base}/feed",
        params={"access_token": TOKEN, "page": "2"},
        headers={"Authorization": f"Basic {basic}", "X-Key": TOKEN},
    )
    assert "access_token=EAAGm0PX4ZCpsBAKZC%2F9%3Dqr%2B7%C3%BC" in wire.calls[0].target
    written = repr(exchange).encode() + exchange.body
    for form in [TOKEN, "EAAGm0", "9%3Dqr", basic, basic[20:], "abcdefghijkl"]:
        assert form.encode() not in written
    assert exchange.url == f"{wire.base}/feed?access_token=[[secret:token]]&page=2"
    assert dict(exchange.request_headers)["Authorization"] == "[[secret:Authorization]]"
    assert dict(exchange.request_headers)["X-Key"] == "[[secret:token]]"
    assert dict(exchange.response_headers)["Set-Cookie"] == "[[secret:Set-Cookie]]"
    assert b'"name": "archivist"' in exchange.body
    where = {(one.where, one.marker) for one in exchange.replaced}
    assert ("request.url", "[[secret:token]]") in where
    assert ("request.header:Authorization", "[[secret:Authorization]]") in where
    assert ("response.header:Set-Cookie", "[[secret:Set-Cookie]]") in where
    assert ("response.header:Link", "[[secret:token]]") in where
    assert ("response.body", "[[secret:token]]") in where


def test_a_secret_cut_in_two_by_the_limit_is_not_kept_by_half(serve, client):
    body = b"x" * 990 + TOKEN.encode() + b"y" * 100
    with pytest.raises(UnexpectedResponse) as error:
        client(secrets={"token": TOKEN}, manners={"max_body": 1000}).get(
            serve(lambda call: call.answer(body)).base
        )
    assert error.value.exchanges[0].body == b"x" * 990 + b"[[secret:token]]"


def test_parameters_named_like_credentials_are_replaced_whoever_set_them(serve, client):
    wire = serve(
        lambda call: (
            call.answer(b"", "Location: /there?sig=s3cr3t&key=k&plain=p#access_token=zzz", status="302 Found")
            if call.target.startswith("/here")
            else call.answer(b"plain s3cr3t k")
        )
    )
    asking = client()
    exchange = asking.get(f"{wire.base}/here?api_key=q&API%5FKEY=r&token=&x=1")
    first, second = asking.take()
    assert first.url == f"{wire.base}/here?api_key=[[secret:api_key]]&API%5FKEY=[[secret:API_KEY]]&token=&x=1"
    assert (
        first.header("Location")
        == "/there?sig=[[secret:sig]]&key=[[secret:key]]&plain=p#access_token=[[secret:access_token]]"
    )
    assert wire.calls[1].target == "/there?sig=s3cr3t&key=k&plain=p"
    assert second.url == f"{wire.base}/there?sig=[[secret:sig]]&key=[[secret:key]]&plain=p"
    assert exchange.body == b"plain s3cr3t k"


def test_errors_do_not_tell_secrets(serve, client):
    wire = serve(
        lambda call: call.answer(
            TOKEN.encode(), f"Location: ftp://{'x'}/{with_params('', {'token': TOKEN})}", status="302 Found"
        )
    )
    faults: list[ConnectorError] = []
    asking = client(secrets={"token": TOKEN}, manners={"retries": 0})
    for url in [
        f"{wire.base}/{with_params('', {'access_token': TOKEN})}",
        f"ftp://x/?access_token={TOKEN}",
        f"http://{TOKEN[:12].lower()}:{'pw' * 5}@x/",
    ]:
        with pytest.raises(ConnectorError) as error:
            asking.get(url)
        faults.append(error.value)
    wire.close()
    with pytest.raises(ConnectorError) as error:
        asking.get(f"{wire.base}/?access_token={TOKEN[:-1]}%C3%BC")
    for fault in [*faults, error.value]:
        assert "EAAGm0" not in repr(fault) + repr(fault.exchanges)
        assert "pwpw" not in repr(fault)


def test_a_token_learned_on_the_way_is_a_secret_from_then_on(serve, client):
    asking = client()
    wire = serve(lambda call: call.answer(b'{"t": "page-token-of-the-town"}'))
    asking.keep_secret("page_token", "page-token-of-the-town")
    assert asking.get(wire.base).body == b'{"t": "[[secret:page_token]]"}'


# -- files -------------------------------------------------------------------------------------------------


def test_a_file_is_streamed_with_its_head_first(serve, client):
    asking = client()
    wire = serve(lambda call: call.answer(b"0123456789" * 100_000, "Content-Type: video/mp4"))
    with asking.stream(f"{wire.base}/v?sig=abc", most=1_000_000) as (head, chunks):
        assert (head.status, head.body, head.header("Content-Type")) == (200, b"", "video/mp4")
        assert head.url.endswith("?sig=[[secret:sig]]")
        assert b"".join(chunks) == b"0123456789" * 100_000
    assert asking.take() == [head]
    assert asking.get(wire.base).status == 200
    assert wire.connections == 1


def test_a_file_follows_redirects_with_the_same_guards(serve, client):
    wire = serve(
        lambda call: (
            call.answer(b"", "Location: /b", status="302 Found")
            if call.target == "/a"
            else call.answer(b"file")
        )
    )
    asking = client()
    with asking.stream(f"{wire.base}/a", most=10) as (_, chunks):
        assert b"".join(chunks) == b"file"
    assert [one.status for one in asking.take()] == [302, 200]
    with pytest.raises(AddressRefused), asking.stream("http://10.0.0.1/a", most=10):
        pass


def test_a_file_larger_than_it_may_be_ends_with_an_error_and_its_head_says_so(serve, client):
    def flood(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        with suppress(OSError):
            for _ in range(200):
                call.send(bytes(1_000_000))

    def read(chunks):
        for chunk in chunks:
            sizes.append(len(chunk))  # noqa: PERF401 - what came before the error counts

    asking = client()
    sizes: list[int] = []
    tracemalloc.start()
    try:
        with (
            asking.stream(serve(flood).base, most=5_000_000) as (_, chunks),
            pytest.raises(UnexpectedResponse) as error,
        ):
            read(chunks)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(sizes) == 5_000_000
    assert peak < 8_000_000
    assert [one.truncated for one in error.value.exchanges] == ["length"]
    assert [one.truncated for one in asking.take()] == ["length"]


def test_a_file_that_breaks_off_ends_with_an_error(serve, client):
    def short(call):
        call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"half")
        call.connection.shutdown(2)

    with client().stream(serve(short).base, most=1000) as (_, chunks):
        assert next(chunks) == b"half"
        with pytest.raises(UnexpectedResponse) as error:
            next(chunks)
    assert [one.truncated for one in error.value.exchanges] == ["disconnect"]


def test_a_file_that_is_not_there_comes_with_its_status_and_few_words(serve, client):
    wire = serve(lambda call: call.answer(b"no such file", status="404 Not Found"))
    with client().stream(wire.base, most=5) as (head, chunks):
        assert (head.status, head.body, b"".join(chunks)) == (404, b"no such file", b"no such file")


def test_a_file_behind_a_refusal_or_an_outage_is_an_error(serve, client):
    for status, fault in [("403 No", AccessRevoked), ("503 Busy", TryAgainLater)]:
        wire = serve(lambda call, status=status: call.answer(b"x", status=status))
        with pytest.raises(fault), client().stream(wire.base, most=5):
            pass
