"""Streams that stay open: server-sent events and WebSockets, each message an exchange with the bytes that were sent."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.sync.server import serve as serve_sockets
from websockets.utils import accept_key

from connectors.connections import BrokenOff
from connectors.contract import Replaced
from connectors.errors import AccessRevoked, AddressRefused, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.events import Reading, messages
from tests.connectors.test_http import certificate

TOKEN = "EAAGm0PX4ZCpsBAKZC/9=qr+7ü"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-One: 1\r\n"


# -- where one event ends ------------------------------------------------------------------------------------


def divided(*chunks: bytes, most: int = 1000) -> list[bytes]:
    return list(messages(chunks, most=most))


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        (b"data: a\n\ndata: b\n\n", [b"data: a\n\n", b"data: b\n\n"]),
        (b"event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", [b"event: x\r\ndata: a\r\n\r\n", b"data: b\r\n\r\n"]),
        (b"data: a\r\rdata: b\r\r", [b"data: a\r\r", b"data: b\r\r"]),
        (b"data: a\r\n\ndata: b\n\r\n", [b"data: a\r\n\n", b"data: b\n\r\n"]),
        (b":beat\n\n:\n\n\n\ndata\n\n:beat\n", [b"data\n\n"]),
        (b":before\ndata: a\n:inside\ndata: b\n\n", [b"data: a\n:inside\ndata: b\n\n"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"data: a\n\n"]),
        (b"data: \xef\xbb\xbf\n\n", [b"data: \xef\xbb\xbf\n\n"]),
        (b"id: 7\nretry: 10\n\ndata: a\n\n", [b"data: a\n\n"]),
        (b"database: a\n\n", []),
        (b"", []),
    ],
)
def test_an_event_reaches_to_its_empty_line_whatever_ends_its_lines(wire, told):
    assert divided(wire) == told
    assert divided(*(wire[place : place + 1] for place in range(len(wire)))) == told


@given(
    st.lists(
        st.sampled_from(
            [b"data: a", b"data", b":beat", b"id: 1", b"", b"", b"\n", b"\r\n", b"\r", b"\xef\xbb\xbf"]
        ),
        max_size=20,
    ),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_how_a_stream_comes_in_pieces_changes_no_message(parts, cuts):
    wire = b"".join(part if part.strip(b"\r\n") == b"" else part + b"\n" for part in parts)
    places = sorted({min(cut, len(wire)) for cut in cuts} | {0, len(wire)})
    chunks = [wire[start:end] for start, end in pairwise(places)]

    def all_of(*chunks: bytes) -> tuple[list[bytes], bool]:
        found: list[bytes] = []
        try:
            found.extend(messages(chunks, most=1000))
        except BrokenOff:
            return found, False
        return found, True

    together, apart = all_of(wire), all_of(*chunks)
    # After lines that end with CR alone, the LF of a last CRLF may come when its message was told already.
    assert [one.rstrip(b"\r\n") for one in together[0]] == [one.rstrip(b"\r\n") for one in apart[0]]
    if b"\r" not in wire.replace(b"\r\n", b""):
        assert together == apart
    for message in together[0]:
        assert message in wire


def test_an_event_is_told_as_soon_as_its_empty_line_came():
    reading = Reading(1000)
    assert list(reading.feed(b"data: a\n")) == []
    assert list(reading.feed(b"\n")) == [b"data: a\n\n"]
    assert list(reading.feed(b"data: a\r\r")) == [b"data: a\r\r"]
    assert list(reading.feed(b"data: a\r\n\r")) == []
    assert list(reading.feed(b"\n")) == [b"data: a\r\n\r\n"]


def test_an_event_that_is_too_long_or_ends_too_early_is_no_message():
    assert divided(b"data: 3456789\n\n", most=15) == [b"data: 3456789\n\n"]
    for chunks in [(b"data: 3456789\n\n",), (b"data: 34567", b"89\n\n"), (b"data: a\n\ndata: 34567890",)]:
        with pytest.raises(BrokenOff) as error:
            divided(*chunks, most=13)
        assert (error.value.truncated, len(error.value.part)) == ("length", 13)
    with pytest.raises(BrokenOff) as error:
        divided(b"data: a\n\ndata: b\nda")
    assert (error.value.truncated, error.value.part) == ("disconnect", b"data: b\nda")
    with pytest.raises(BrokenOff) as error:
        divided(b"data: b")
    assert error.value.part == b"data: b"


# -- server-sent events over the wire ------------------------------------------------------------------------


def chunked(*pieces: bytes, end: bool = True) -> bytes:
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + (b"0\r\n\r\n" if end else b"")


def test_each_event_is_an_exchange_with_its_own_bytes_and_the_headers_of_the_opening(serve, client, time):
    wire = serve(lambda call: call.send(chunked(b":hi\n\nevent: up", b"date\ndata: 1\n", b"\ndata: 2\n\n")))
    asking = client()
    told = []
    for exchange in asking.listen(f"{wire.base}/stream", params={"a": "b"}, headers={"Last-Event-ID": "9"}):
        told.append(exchange)
        time.passes(timedelta(minutes=1))
    first, second = told
    assert (first.body, second.body) == (b"event: update\ndata: 1\n\n", b"data: 2\n\n")
    assert (first.message, second.message) == (0, 1)
    assert second.started_at - first.started_at == timedelta(minutes=1)
    for exchange in told:
        assert (exchange.method, exchange.status, exchange.url) == ("GET", 200, f"{wire.base}/stream?a=b")
        assert [list(pair) for pair in exchange.request_headers] == [
            list(pair) for pair in wire.calls[0].headers
        ]
        assert (exchange.header("X-One"), exchange.peer_address) == ("1", "127.0.0.1")
        assert (exchange.truncated, exchange.failure) == (None, None)
    (call,) = wire.calls
    assert call.header("Accept") == "text/event-stream"
    assert call.header("Last-Event-ID") == "9"
    assert call.header("Cache-Control") == "no-cache"
    taken = asking.take()
    assert [one is other for one, other in zip(taken, told, strict=True)] == [True, True]
    assert asking.take() == []


def test_each_message_is_taken_exactly_once_while_the_stream_goes_on(serve, client):
    wire = serve(lambda call: call.send(chunked(*(f"data: {n}\n\n".encode() for n in range(5)))))
    asking = client()
    taken = []
    for number, _ in enumerate(asking.listen(wire.base)):
        if number in {1, 2, 4}:
            taken += asking.take()
    assert [one.message for one in [*taken, *asking.take()]] == [0, 1, 2, 3, 4]


def test_messages_that_nobody_takes_do_not_fill_the_memory(serve, client, monkeypatch):
    monkeypatch.setattr("connectors.http._MOST_WAITING", 10_000)
    wire = serve(lambda call: call.send(chunked(*(f"data: {n}\n\n".encode() for n in range(50)))))
    asking = client()
    assert sum(1 for _ in asking.listen(wire.base)) == 50
    assert [one.message for one in asking.take()] == [46, 47, 48, 49]


def test_others_may_be_asked_at_the_same_host_while_a_stream_is_open(serve, client):
    def answer(call):
        if call.target == "/stream":
            call.send(chunked(b"data: 1\n\n", end=False))
            call.until_they_leave()
        else:
            call.answer(b"beside")

    wire = serve(answer)
    asking = client()
    stream = asking.listen(f"{wire.base}/stream")
    assert next(stream).message == 0
    assert asking.get(f"{wire.base}/other").body == b"beside"
    stream.close()
    assert asking.get(f"{wire.base}/other").body == b"beside"
    assert wire.connections == 2


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_closing_the_iterator_closes_the_connection(serve, client, scheme):
    left = threading.Event()

    def answer(call):
        call.send(chunked(b"data: 1\n\n", end=False)) if scheme == "http" else upgraded(call, text(b"1"))
        call.until_they_leave()
        left.set()

    wire = serve(answer)
    stream = client().listen(wire.base.replace("http", scheme))
    next(stream)
    assert not left.is_set()
    stream.close()
    assert left.wait(5)


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_closing_the_client_from_another_thread_ends_a_stream_that_is_waiting(serve, client, scheme):
    waiting = threading.Event()

    def answer(call):
        call.send(chunked(b"data: 1\n\n", end=False)) if scheme == "http" else upgraded(call, text(b"1"))
        waiting.set()
        call.until_they_leave()

    asking = client()
    stream = asking.listen(serve(answer).base.replace("http", scheme))
    next(stream)
    assert waiting.wait(5)
    closing = threading.Timer(0.05, asking.close)
    closing.start()
    with pytest.raises(TryAgainLater):
        next(stream)
    closing.join()


def test_a_stream_that_ends_well_ends_the_iterator_and_leaves_its_opening_when_it_said_nothing(serve, client):
    wire = serve(lambda call: call.send(chunked(b":only a beat\n\n")))
    asking = client()
    assert list(asking.listen(wire.base)) == []
    (opening,) = asking.take()
    assert (opening.status, opening.body, opening.message) == (200, b"", None)


def test_an_event_that_breaks_off_is_an_exchange_that_the_error_carries(serve, client):
    def short(call):
        call.send(chunked(b"data: 1\n\ndata: 2", end=False))
        call.connection.shutdown(2)

    asking = client()
    stream = asking.listen(serve(short).base)
    assert next(stream).message == 0
    with pytest.raises(TryAgainLater, match="broke off") as error:
        next(stream)
    (last,) = error.value.exchanges
    assert (last.message, last.body, last.truncated) == (1, b"data: 2", "disconnect")
    assert last.failure is not None
    assert [one.message for one in asking.take()] == [0, 1]


def test_silence_ends_a_stream_and_heartbeats_keep_it(serve, client):
    def beats(call):
        call.send(chunked(end=False))
        for _ in range(6):
            silence.wait(0.05)
            call.send(b"2\r\n:\n\r\n")
        call.send(b"9\r\ndata: 1\n\n\r\n")
        call.until_they_leave()

    silence = threading.Event()
    stream = client(manners={"stream_silence": timedelta(seconds=0.2)}).listen(serve(beats).base)
    assert next(stream).body == b"data: 1\n\n"
    with pytest.raises(TryAgainLater, match="silent") as error:
        next(stream)
    assert [(one.truncated, one.body) for one in error.value.exchanges] == [("time", b"")]


def test_an_opening_that_drips_is_cut_at_the_deadline_although_a_stream_may_be_silent_for_longer(
    serve, client
):
    left = threading.Event()

    def drip(call):
        try:
            call.send(b"HTTP/1.1 200 OK\r\nX: ")
            while not left.wait(0.01):
                call.send(b"x")
        except OSError:
            left.set()

    with pytest.raises(TryAgainLater, match="in time"):
        next(client(manners={"deadline": timedelta(seconds=0.15)}).listen(serve(drip).base))
    assert left.wait(5)


def test_an_event_over_the_limit_is_unexpected_and_never_held_whole(serve, client):
    sent = []

    def flood(call):
        call.send(HEAD + b"\r\ndata: ")
        with suppress(OSError):
            for _ in range(200):
                call.send(bytes(1_000_000))
                sent.append(1)

    stream = client(manners={"max_message": 1_000_000}).listen(serve(flood).base)
    with pytest.raises(UnexpectedResponse, match="more than 1000000 bytes") as error:
        next(stream)
    assert [(one.truncated, len(one.body)) for one in error.value.exchanges] == [("length", 1_000_000)]
    assert len(sent) < 200


def test_an_answer_that_is_no_stream_is_unexpected_and_kept(serve, client):
    for head, body in [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", b"<html>sign in</html>"),
        (b"HTTP/1.1 204 No Content\r\n", b""),
        (b"HTTP/1.1 404 Not Found\r\n", b"no"),
        (HEAD + b"Content-Encoding: gzip\r\n", b"\x1f\x8b"),
    ]:
        length = b"" if b" 204 " in head else f"Content-Length: {len(body)}\r\n".encode()
        wire = serve(lambda call, sent=head + length + b"\r\n" + body: call.send(sent))
        with pytest.raises(UnexpectedResponse, match="no stream") as error:
            next(client().listen(wire.base))
        (exchange,) = error.value.exchanges
        assert (exchange.body, exchange.message) == (body, None)


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize(
    ("status", "fault"), [(401, AccessRevoked), (403, AccessRevoked), (429, TryAgainLater)]
)
def test_a_refusal_at_the_opening_means_what_it_means_elsewhere(serve, client, scheme, status, fault):
    wire = serve(lambda call: call.answer(b"no", "Retry-After: 600", status=f"{status} No"))
    with pytest.raises(fault) as error:
        next(client().listen(wire.base.replace("http", scheme)))
    assert [(one.status, one.body) for one in error.value.exchanges] == [(status, b"no")]
    if fault is TryAgainLater:
        assert error.value.after == timedelta(minutes=10)


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_failing_platform_is_asked_again_and_then_means_later(serve, client, time, scheme):
    answers = ["503 Busy", "200 OK"]

    def answer(call):
        if answers.pop(0) == "503 Busy":
            call.answer(b"", status="503 Busy")
        elif scheme == "http":
            call.send(chunked(b"data: 1\n\n"))
        else:
            upgraded(call, text(b"1"), closing(1000))

    asking = client()
    assert [one.message for one in asking.listen(serve(answer).base.replace("http", scheme))] == [0]
    assert time.waited == [timedelta(seconds=1)]
    assert [one.status for one in asking.take()] == [503, 200 if scheme == "http" else 101]


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_private_address_is_refused_before_anything_is_sent(serve, client, scheme):
    wire = serve(lambda call: None)
    with pytest.raises(AddressRefused):
        next(client(allow_hosts=[]).listen(wire.base.replace("http", scheme)))
    assert wire.connections == 0


def test_a_stream_is_followed_to_where_it_moved_without_credentials(serve, client):
    other = serve(lambda call: call.send(chunked(b"data: 1\n\n")))
    wire = serve(lambda call: call.answer(b"", f"Location: {other.base}/there", status="307 Go"))
    asking = client()
    (message,) = asking.listen(wire.base, headers={"Authorization": f"Bearer {TOKEN[:12]}"})
    assert message.url == f"{other.base}/there"
    assert other.calls[0].header("Authorization") is None
    assert [one.status for one in asking.take()] == [307, 200]


def test_no_secret_is_in_any_message_of_a_stream(serve, client):
    more = threading.Event()

    def answer(call):
        call.send(chunked(b"data: " + TOKEN.encode() + b"\n\n", end=False))
        assert more.wait(5)
        told = b"data: learned-on-the-way " + TOKEN.encode() + b"\n\n"
        call.send(f"{len(told):x}\r\n".encode() + told + b"\r\n12\r\ndata: " + TOKEN.encode()[:12])
        call.connection.shutdown(2)

    wire = serve(answer)
    asking = client(secrets={"token": TOKEN})
    stream = asking.listen(wire.base, params={"access_token": TOKEN})
    first = next(stream)
    asking.keep_secret("page_token", "learned-on-the-way")
    more.set()
    second = next(stream)
    with pytest.raises(ConnectorError) as error:
        next(stream)
    assert first.body == b"data: [[secret:token]]\n\n"
    assert first.replaced == (
        Replaced("request.url", "[[secret:token]]", 1),
        Replaced("response.body", "[[secret:token]]", 1),
    )
    assert second.body == b"data: [[secret:page_token]] [[secret:token]]\n\n"
    assert error.value.exchanges[0].body == b"data: [[secret:token]]"
    for told in (first, second, error.value, error.value.exchanges):
        assert "EAAGm0" not in repr(told)


# -- WebSockets ----------------------------------------------------------------------------------------------


def upgraded(call, *frames: bytes, key: str | None = None, more: str = "") -> None:
    accept = accept_key(key or call.header("Sec-WebSocket-Key"))
    head = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
    call.send(head.encode(), *frames)


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def text(data: bytes, *, fin: bool = True) -> bytes:
    return frame(Opcode.TEXT, data, fin=fin)


def closing(code: int) -> bytes:
    return frame(Opcode.CLOSE, Close(code, "").serialize())


def sockets(wire) -> str:
    return str(wire.base).replace("http", "ws", 1)


def test_each_message_of_a_socket_is_an_exchange_with_the_bytes_that_were_sent(serve, client, time):
    body = "grüße".encode()

    def answer(call):
        upgraded(
            call,
            text(b'{"a": 1}'),
            frame(Opcode.BINARY, b"\x00\xff\xa1"),
            text(body[:3], fin=False),
            frame(Opcode.PING, b"?"),
            frame(Opcode.CONT, body[3:]),
            closing(1000),
        )
        call.until_they_leave()

    wire = serve(answer)
    asking = client()
    told = list(asking.listen(f"{sockets(wire)}/subscribe?x=1", headers={"X-Mine": "yes"}))
    assert [one.body for one in told] == [b'{"a": 1}', b"\x00\xff\xa1", body]
    assert [one.message for one in told] == [0, 1, 2]
    for exchange in told:
        assert (exchange.status, exchange.url) == (101, f"{sockets(wire)}/subscribe?x=1")
        assert [list(pair) for pair in exchange.request_headers] == [
            list(pair) for pair in wire.calls[0].headers
        ]
        assert exchange.header("Upgrade") == "websocket"
    (call,) = wire.calls
    assert (call.header("Connection"), call.header("Sec-WebSocket-Version")) == ("Upgrade", "13")
    assert call.header("Sec-WebSocket-Extensions") is None
    assert [one is other for one, other in zip(asking.take(), told, strict=True)] == [True] * 3


def test_a_socket_of_a_real_server_is_heard_over_tls(client, tmp_path):
    server_side, trusting, digest = certificate(tmp_path, "page.example")
    got = []

    def talk(connection):
        connection.send("one")
        connection.send([b"t", b"w", b"o"])
        connection.ping()
        connection.close()
        got.append(connection.close_code)

    with serve_sockets(talk, "127.0.0.1", 0, ssl=server_side, compression="deflate") as server:
        port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            asking = client(
                tls=trusting, resolve=lambda host, port: ["127.0.0.1"], allow_hosts=["page.example"]
            )
            told = list(asking.listen(f"wss://page.example:{port}/"))
            with pytest.raises(AddressRefused, match="does not verify"):
                next(client(tls=None).listen(f"wss://127.0.0.1:{port}/"))
        finally:
            server.shutdown()
            thread.join(10)
    assert [one.body for one in told] == [b"one", b"two"]
    assert {one.peer_certificate_sha256 for one in told} == {digest}
    assert got == [1000]


def test_pings_are_answered_and_a_silent_socket_is_asked_before_it_is_given_up(serve, client):
    heard = []

    def answer(call):
        upgraded(call, text(b"1"), frame(Opcode.PING, b"are you there"))
        with suppress(OSError):
            while came := call.connection.recv(65536):
                heard.append(came[0] & 0x0F)
                if heard.count(Opcode.PING) == 1 and heard[-1] == Opcode.PING:
                    call.send(frame(Opcode.PONG, b""))

    asking = client(manners={"stream_silence": timedelta(seconds=0.2)})
    stream = asking.listen(sockets(serve(answer)))
    assert next(stream).body == b"1"
    with pytest.raises(TryAgainLater, match="silent") as error:
        next(stream)
    assert heard[:3] == [Opcode.PONG, Opcode.PING, Opcode.PING]
    assert [(one.message, one.truncated) for one in error.value.exchanges] == [(1, "time")]


@pytest.mark.parametrize(
    ("code", "fault"),
    [(1008, TryAgainLater), (1011, TryAgainLater), (1012, TryAgainLater), (3000, AccessRevoked)],
)
def test_a_socket_that_the_platform_closes_with_a_reason_is_an_error(serve, client, code, fault):
    wire = serve(lambda call: upgraded(call, text(b"1"), closing(code)))
    stream = client().listen(sockets(wire))
    assert next(stream).body == b"1"
    with pytest.raises(fault, match=str(code)):
        next(stream)


@pytest.mark.parametrize("code", [1000, 1001])
def test_a_socket_that_is_closed_in_good_order_ends_the_iterator(serve, client, code):
    wire = serve(lambda call: upgraded(call, text(b"1"), closing(code)))
    assert [one.body for one in client().listen(sockets(wire))] == [b"1"]


def test_a_socket_that_breaks_off_is_an_error_that_carries_the_part_that_came(serve, client):
    def short(call):
        upgraded(call, text(b"whole"), text(b"half", fin=False))
        call.connection.shutdown(2)

    stream = client().listen(sockets(serve(short)))
    assert next(stream).body == b"whole"
    with pytest.raises(TryAgainLater, match="broke off") as error:
        next(stream)
    assert [(one.message, one.body, one.truncated) for one in error.value.exchanges] == [
        (1, b"half", "disconnect")
    ]


def test_a_message_over_the_limit_is_unexpected_and_one_at_the_limit_is_whole(serve, client):
    for frames in [(text(b"x" * 101),), (text(b"x" * 60, fin=False), frame(Opcode.CONT, b"x" * 60))]:
        wire = serve(lambda call, frames=frames: upgraded(call, text(b"x" * 100), *frames))
        stream = client(manners={"max_message": 100}).listen(sockets(wire))
        assert len(next(stream).body) == 100
        with pytest.raises(UnexpectedResponse, match="more than 100 bytes") as error:
            next(stream)
        assert [one.truncated for one in error.value.exchanges] == ["length"]


def test_frames_that_break_the_protocol_are_an_error(serve, client):
    wire = serve(lambda call: upgraded(call, b"\xf7\x00nonsense"))
    with pytest.raises(TryAgainLater, match="ProtocolError"):
        next(client().listen(sockets(wire)))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"key": "dGhlIHNhbXBsZSBub25jZQ=="}, "key"),
        ({"more": "Sec-WebSocket-Extensions: permessage-deflate\r\n"}, "extensions"),
    ],
)
def test_a_server_that_does_not_agree_is_not_listened_to(serve, client, more, says):
    wire = serve(lambda call: upgraded(call, text(b"1"), **more))
    with pytest.raises(UnexpectedResponse, match=says) as error:
        next(client().listen(sockets(wire)))
    assert [one.status for one in error.value.exchanges] == [101]


def test_an_answer_that_opens_no_socket_is_unexpected_and_kept(serve, client):
    wire = serve(lambda call: call.answer(b"<html>sign in</html>"))
    with pytest.raises(UnexpectedResponse, match="no stream") as error:
        next(client().listen(sockets(wire)))
    (exchange,) = error.value.exchanges
    assert (exchange.body, exchange.url) == (b"<html>sign in</html>", sockets(wire))


def test_a_connector_cannot_write_the_headers_of_a_socket(client):
    with pytest.raises(ValueError, match="own"):
        next(client().listen("ws://127.0.0.1:9/", headers={"Sec-WebSocket-Key": "x"}))
