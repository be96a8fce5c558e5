"""Attachments over real connections: what broke off is whole or a gap, and the exchanges say how it came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from app.capture import attachments, pages, records, run
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.records.nouns import Page, Record
from app.store import Store, fixity
from app.store.reading import exchange
from app.store.tables import exchanges
from app.store.tables import records as record_table
from connectors.contract import Attachment, Kind, Observation
from connectors.http import EvidenceClient, Manners
from tests.connectors.conftest import Call, Wire
from tests.steps.scripted import Scripted, listing

FILE = bytes(range(256)) * 64
ETAG = 'ETag: "of-this-file"'


class Town:
    """A post with one picture, which lies on a server of this machine."""

    def __init__(self, store: Store, clock: FixedClock) -> None:
        self.store, self.clock = store, clock
        self.answers: Callable[[Call], None] = lambda call: call.answer(FILE, ETAG)
        self.wire = Wire(self._answer)
        self.client = EvidenceClient(
            clock=clock,
            monotonic=lambda: 0.0,
            wait=self._wait,
            contact="records@town.example",
            allow_hosts=["127.0.0.1"],
            manners=Manners(interval=timedelta(0)),
        )
        self.connector = Scripted(self.client)
        with store.database.begin() as tx:
            self.page: Page = pages.add(
                store,
                tx,
                connector="scripted",
                platform="blog",
                address="https://blog.example",
                name="Police blog",
                by=None,
                why="test",
            )

    def _answer(self, call: Call) -> None:
        self.answers(call)

    def _wait(self, span: timedelta) -> None:
        self.clock.at += span

    def night(self, path: str = "/picture.png?sig=1", name: str = "a") -> Report:
        picture = Attachment(id=name, url=f"{self.wire.base}{path}", media_type="image/png")
        post = Observation(native_id="p1", kind=Kind.POST, text="Closed", attachments=(picture,))
        self.clock.at += timedelta(days=1)
        self.connector.steps = [listing(self.clock, post)]
        return run.capture(
            self.store, self.page, self.connector, self.client, by=None, why="test", tick=lambda: 0.0
        )

    def post(self) -> Record:
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key)).scalars())
            return records.read(self.store, tx, keys, messages=True)[0]

    def held(self) -> bytes | None:
        (one,) = self.post().attachments
        if one.id is None or one.state != "kept":
            return None
        with self.store.database.read() as tx:
            row = attachments.get(tx, one.id)
        assert row is not None
        return b"".join(attachments.stream(self.store, row))

    def heads(self) -> list[tuple[int, str | None]]:
        """How the questions for the picture were answered, and which answers broke off."""
        with self.store.database.read() as tx:
            keys = tx.execute(select(exchanges.c.key).order_by(exchanges.c.key)).scalars().all()
            kept = [exchange(self.store, tx, key) for key in keys]
        told = [msgspec.json.decode(one.envelope or b"{}") for one in kept]
        return [(one["status"], one.get("truncated")) for one in told if "/picture" in one.get("url", "")]


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Iterator[Town]:
    made = Town(store, clock)
    yield made
    made.client.close()
    made.wire.close()


def breaks_off(call: Call, *headers: str) -> None:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(FILE)}", *headers, "", ""]
    call.send("\r\n".join(lines).encode(), FILE[:9000])
    call.connection.shutdown(2)


def rest(call: Call, *headers: str, body: bytes = FILE) -> None:
    since = int((call.header("Range") or "")[6:-1])
    shown = f"Content-Range: bytes {since}-{len(body) - 1}/{len(body)}"
    call.answer(body[since:], shown, *headers, status="206 Partial Content")


def test_a_picture_that_broke_off_is_kept_whole_in_the_same_run_and_its_exchanges_say_so(town: Town):
    town.answers = lambda call: rest(call, ETAG) if call.header("Range") else breaks_off(call, ETAG)
    report = town.night()
    assert (report.status, list(report.gaps), town.held()) == ("complete", [], FILE)
    assert sorted(town.heads(), key=str) == [(200, "disconnect"), (206, None)]
    assert [one.code for one in fixity.verify(town.store, full=True).findings] == []


def test_a_picture_of_which_the_rest_is_anothers_is_a_gap_until_it_comes_whole(town: Town):
    other = bytes(len(FILE))
    town.answers = lambda call: rest(call, body=other) if call.header("Range") else breaks_off(call, ETAG)
    report = town.night()
    assert [gap.what for gap in report.gaps] == ["an attachment"]
    assert "another file came in its place" in report.gaps[0].why
    assert town.held() is None
    assert sorted(town.heads(), key=str) == [(200, "disconnect"), (206, None)]
    town.answers = lambda call: call.answer(FILE, ETAG)
    assert (list(town.night("/picture.png?sig=2").gaps), town.held()) == ([], FILE)
    assert [one.code for one in fixity.verify(town.store, full=True).findings] == []


EMPTY = ("Content-Type: image/png", b"")
SIGN_IN = ("Content-Type: text/html", b"\xef\xbb\xbf\n <!DOCTYPE html><title>Sign in</title>")
A_PAGE = ("Content-Type: image/png", b"<html><body>Busy</body></html>")


@pytest.mark.parametrize(("kind", "body"), [EMPTY, SIGN_IN, A_PAGE], ids=["empty", "sign-in", "a page"])
def test_what_comes_in_the_place_of_a_picture_is_a_gap_until_the_picture_comes(
    town: Town, kind: str, body: bytes
):
    town.answers = lambda call: call.answer(body, kind)
    report = town.night()
    assert [gap.what for gap in report.gaps] == ["an attachment"]
    assert ("empty" if not body else "a web page") in report.gaps[0].why
    assert (town.held(), town.heads()) == (None, [(200, None)])
    town.answers = lambda call: call.answer(FILE)
    assert (list(town.night().gaps), town.held()) == ([], FILE)


@pytest.mark.parametrize(
    ("media_type", "address", "why"),
    [
        (None, "https://town.example/docs/Agenda.PDF?v=1", "in the place of application/pdf"),
        ("application/pdf; x=1", "https://town.example/agenda", "in the place of application/pdf"),
        (None, "https://town.example/agenda", ""),
        (None, "https://town.example/agenda.doc", ""),
        ("text/html", "https://town.example/agenda.pdf", "in the place of application/pdf"),
        ("text/html", "https://town.example/agenda.html", ""),
        (None, "https://town.example/theme/site.css?v=1", "in the place of text/css"),
        ("font/woff2", "https://town.example/letters", "in the place of font/woff2"),
        ("text/javascript", "https://town.example/menu", "in the place of text/javascript"),
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "https://town.example/report",
            "in the place of application/vnd.openxml",
        ),
        ("text/plain", "https://town.example/page.txt", ""),
        ("application/octet-stream", "https://town.example/page", ""),
        ("application/xhtml+xml", "https://town.example/page", ""),
        (None, "https://[town.example/agenda.pdf", ""),
    ],
)
def test_a_page_is_no_document_where_its_type_or_its_address_says_so(
    media_type: str | None, address: str, why: str
):
    told = attachments.no_file(b"<!doctype html><title>Sign in</title>", media_type, address)
    assert why in told
    assert bool(told) == bool(why)
    assert attachments.no_file(b"%PDF-1.7", media_type, address) == ""


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_a_file_that_is_named_by_its_digest_is_kept_under_it_or_not_at_all(town: Town, algorithm: str):
    named = f"{algorithm}:{hashlib.new(algorithm, FILE).hexdigest()}"
    town.answers = lambda call: call.answer(FILE[:-1], ETAG)
    (gap,) = town.night(name=named).gaps
    assert "its digest is not the one that names it" in gap.why
    assert town.held() is None
    town.answers = lambda call: call.answer(FILE, ETAG)
    assert (list(town.night(name=named).gaps), town.held()) == ([], FILE)


@pytest.mark.parametrize(
    "name", ["sha256:", "sha1:" + "0" * 64, "sha256:" + "A" * 64, "md5:" + "0" * 32, "a"]
)
def test_a_name_that_is_no_digest_promises_none(name: str):
    assert b"".join(attachments.as_named(name, [FILE[:10], FILE[10:]])) == FILE


def test_a_page_that_drips_in_a_pictures_place_is_known_as_well(town: Town):
    def drips(call: Call) -> None:
        call.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n")
        for sign in b"<html><body>Busy</body></html>":
            call.send(b"1\r\n%c\r\n" % sign)
        call.send(b"0\r\n\r\n")

    town.answers = drips
    assert ["a web page" in gap.why for gap in town.night().gaps] == [True]
    assert town.held() is None


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "image/jpeg"])
def test_a_picture_whose_server_tells_another_kind_is_kept_as_it_came(town: Town, kind: str):
    town.answers = lambda call: call.answer(FILE, f"Content-Type: {kind}")
    assert (list(town.night().gaps), town.held()) == ([], FILE)


@pytest.mark.parametrize("status", [401, 403])
def test_an_address_that_expired_asks_nobody_to_connect_the_page_again(town: Town, status: int):
    town.answers = lambda call: call.answer(b"URL signature expired", status=f"{status} No")
    report = town.night()
    (gap,) = report.gaps
    assert gap.why.startswith(f"the platform answered {status}")
    assert "Connect" not in gap.why
    assert (report.status, town.heads()) == ("partial", [(status, None)])
    town.answers = lambda call: call.answer(FILE)
    assert (list(town.night("/picture.png?sig=2").gaps), town.held()) == ([], FILE)
