"""A file that breaks off is asked for from there, and is never put together from two."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from datetime import timedelta

import pytest

from connectors.errors import AddressRefused, ConnectorError, TryAgainLater, UnexpectedResponse

FILE = bytes(range(256)) * 64
HALF = len(FILE) // 2
SINCE = HALF - 1024
"""A little comes again, to be compared."""
ETAG = 'ETag: "of-this-file"'
LATE = "Last-Modified: Mon, 04 May 2026 01:00:00 GMT"
DATED = (LATE, "Date: Mon, 04 May 2026 03:02:01 GMT")


def breaks_off(call, *headers, body=FILE, after=HALF, status="200 OK"):
    """Promise everything, send so much, and hang up."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    call.send("\r\n".join(lines).encode(), body[:after])
    call.connection.shutdown(2)


def part(call, *headers, body=FILE, since=SINCE, total: object = len(FILE)):
    """The rest of a file, from a place on."""
    shown = f"Content-Range: bytes {since}-{len(body) - 1}/{total}"
    call.answer(body[since:], shown, *headers, status="206 Partial Content")


def read(asking, url, most=1_000_000):
    """The whole file; or what came of it, and the error."""
    came = bytearray()
    try:
        with asking.stream(url, most=most) as (_, chunks):
            for chunk in chunks:
                came += chunk
    except ConnectorError as error:
        return bytes(came), error
    return bytes(came), None


@pytest.mark.parametrize(
    ("headers", "validator"), [((ETAG,), '"of-this-file"'), (DATED, LATE.partition(": ")[2])]
)
def test_a_file_that_breaks_off_is_asked_for_from_there(serve, client, time, headers, validator):
    wire = serve(lambda call: part(call, *headers) if call.header("Range") else breaks_off(call, *headers))
    asking = client()
    assert read(asking, f"{wire.base}/v?sig=abc") == (FILE, None)
    first, second = wire.calls
    assert (first.header("Range"), first.target) == (None, second.target)
    assert (second.header("Range"), second.header("If-Range")) == (f"bytes={SINCE}-", validator)
    assert [(one.status, one.truncated, one.body) for one in asking.take()] == [
        (200, "disconnect", b""),
        (206, None, b""),
    ]
    assert time.waited, "it is not asked again at once"


@pytest.mark.parametrize("whole", [True, False], ids=["the-third-is-whole", "so-does-the-third"])
def test_a_file_that_breaks_off_twice_is_asked_for_twice_and_then_given_up(serve, client, whole):
    def script(call):
        since = int((call.header("Range") or "bytes=0-")[6:-1])
        if len(wire.calls) == 3 and whole:
            part(call, since=since)
            return
        shown = f"Content-Range: bytes {since}-{len(FILE) - 1}/{len(FILE)}"
        status = "206 Partial Content" if since else "200 OK"
        breaks_off(call, ETAG, shown, body=FILE[since:], after=4096, status=status)

    wire = serve(script)
    asking = client()
    came, error = read(asking, wire.base)
    assert len(wire.calls) == 3
    exchanges = asking.take()
    assert [one.truncated for one in exchanges] == ["disconnect"] * 2 + [None if whole else "disconnect"]
    if whole:
        assert (came, error) == (FILE, None)
    else:
        assert came == FILE[: 3 * 4096 - 2 * 1024]
        assert isinstance(error, UnexpectedResponse)
        assert list(error.exchanges) == exchanges


def falls_silent(call, *headers, after=HALF):
    """Promise everything, send so much, and say nothing more."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(FILE)}", *headers, "", ""]
    call.send("\r\n".join(lines).encode(), FILE[:after])
    call.until_they_leave()


def test_a_file_that_falls_silent_is_asked_for_from_there(serve, client):
    wire = serve(lambda call: part(call, ETAG) if call.header("Range") else falls_silent(call, ETAG))
    asking = client(manners={"silence": timedelta(seconds=0.1)})
    assert read(asking, wire.base) == (FILE, None)
    assert [(one.status, one.truncated) for one in asking.take()] == [(200, "time"), (206, None)]


def test_a_file_of_which_nothing_came_or_that_took_its_time_is_not_waited_for_again(serve, client):
    wire = serve(lambda call: falls_silent(call, ETAG, after=0))
    came, error = read(client(manners={"silence": timedelta(seconds=0.1)}), wire.base)
    assert (came, type(error), len(wire.calls)) == (b"", TryAgainLater, 1)
    hurried = {"silence": timedelta(seconds=5), "stream_deadline": timedelta(seconds=0.2)}
    wire = serve(lambda call: falls_silent(call, ETAG))
    came, error = read(client(manners=hurried), wire.base)
    assert (came, type(error), len(wire.calls)) == (FILE[:HALF], TryAgainLater, 1)


def test_a_server_that_knows_no_ranges_sends_it_all_again_and_nothing_is_kept_twice(serve, client):
    wire = serve(lambda call: call.answer(FILE, ETAG) if call.header("Range") else breaks_off(call, ETAG))
    assert read(client(), wire.base) == (FILE, None)
    assert read(client(), wire.base, most=len(FILE) - 1)[1] is not None


OTHER = FILE[:HALF] + bytes(len(FILE) - HALF)
CHANGED = bytes(SINCE) + bytes(2048) + FILE[HALF + 1024 :]


@pytest.mark.parametrize(
    "again",
    [
        lambda call: call.answer(CHANGED, 'ETag: "another"'),
        lambda call: call.answer(FILE[: HALF - 1], 'ETag: "another"'),
        lambda call: part(call, body=CHANGED),
        lambda call: part(call, 'ETag: "another"'),
        lambda call: part(call, total=len(FILE) + 1),
        lambda call: part(call, since=SINCE + 1),
        lambda call: part(call, since=0),
        lambda call: part(call, body=FILE[: HALF + 10]),
        lambda call: call.answer(FILE[SINCE:], status="206 Partial Content"),
        lambda call: call.answer(
            FILE[SINCE:], "Content-Range: bytes none", ETAG, status="206 Partial Content"
        ),
        lambda call: call.answer(
            b"--x", "Content-Type: multipart/byteranges; boundary=x", status="206 Partial Content"
        ),
        lambda call: call.answer(b"", status="416 Range Not Satisfiable"),
        lambda call: call.answer(b"the address has expired", status="403 Forbidden"),
        lambda call: call.answer(b"gone", status="404 Not Found"),
        lambda call: call.answer(b"busy", status="503 Busy"),
        lambda call: call.answer(b"", "Location: http://10.0.0.1/secret", status="302 Found"),
    ],
)
def test_what_is_not_surely_the_rest_of_the_same_file_never_joins_it(serve, client, again):
    wire = serve(lambda call: again(call) if call.header("Range") else breaks_off(call, ETAG))
    asking = client()
    came, error = read(asking, wire.base)
    assert FILE.startswith(came)
    assert len(came) < len(FILE)
    assert error is not None
    assert isinstance(error, (UnexpectedResponse, TryAgainLater, AddressRefused))
    assert [one.status for one in error.exchanges][:2] == [200, wire_status(asking)]


def wire_status(asking):
    """How the second question was answered."""
    return asking.take()[1].status


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ('ETag: W/"weak"',),
        ("ETag: none",),
        ('ETag: W/"weak"', *DATED),
        (LATE,),
        (LATE, "Date: Mon, 04 May 2026 01:00:01 GMT"),
        ("Last-Modified: yesterday", DATED[1]),
    ],
)
def test_a_file_that_its_server_does_not_tell_from_another_is_not_asked_for_in_parts(serve, client, headers):
    wire = serve(lambda call: breaks_off(call, *headers))
    came, error = read(client(), wire.base)
    assert (came, len(wire.calls)) == (FILE[:HALF], 1)
    assert isinstance(error, UnexpectedResponse)
    assert [one.truncated for one in error.exchanges] == ["disconnect"]


def test_a_file_that_comes_in_chunks_is_asked_for_from_where_they_end(serve, client):
    def chunked(call):
        call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", ETAG.encode(), b"\r\n\r\n")
        call.send(b"%x\r\n" % HALF, FILE[:HALF], b"\r\n")
        call.connection.shutdown(2)

    wire = serve(lambda call: part(call, total="*") if call.header("Range") else chunked(call))
    assert read(client(), wire.base) == (FILE, None)


def test_the_rest_is_no_longer_than_a_file_may_be_and_the_memory_stays_small(serve, client):
    """Zeros, a million at a time: half of them come before it breaks off."""
    total, most = 40_000_000, 30_000_000

    def script(call):
        since = int((call.header("Range") or "bytes=0-")[6:-1])
        status = "206 Partial Content" if since else "200 OK"
        shown = f"Content-Range: bytes {since}-{total - 1}/{total}"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {total - since}\r\n{ETAG}\r\n{shown}\r\n\r\n"
        call.send(head.encode())
        with suppress(OSError):
            for _ in range(20):
                call.send(bytes(1_000_000))
            call.connection.shutdown(2)

    asking, sizes = client(), list[int]()
    wire = serve(script)
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedResponse) as error, asking.stream(wire.base, most=most) as (_, chunks):
            sizes.extend(map(len, chunks))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (sum(sizes), len(wire.calls)) == (most, 2)
    assert "more than" in str(error.value)
    assert [one.truncated for one in error.value.exchanges] == ["disconnect", "length"]
    assert [one.truncated for one in asking.take()] == ["disconnect", "length"]
    assert peak < 8_000_000


def test_a_secret_in_the_address_stands_in_no_exchange_of_the_rest(serve, client):
    wire = serve(lambda call: part(call, ETAG) if call.header("Range") else breaks_off(call, ETAG))
    asking = client(secrets={"token": "EAAGm0PX4ZCpsBAKq7QH8"})
    assert read(asking, f"{wire.base}/v?access_token=EAAGm0PX4ZCpsBAKq7QH8")[1] is None
    assert len(wire.calls) == 2
    assert "EAAGm0" not in repr(asking.take())
