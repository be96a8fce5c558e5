"""Web archives: each web page is a record, each time it was seen a version, and everything else is listed or counted."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.capture import pages
from app.capture.formats import known
from app.capture.formats.source import Mark
from app.capture.lines import BadFile
from app.records.nouns import Page
from app.store import Store
from tests.steps.receiving import OFFICER, Desk, left, unpacked, zipped

HOME = "https://falls.example/"
HTML = "<!doctype html><title>Falls</title><p>The bridge is <b>open</b> – café too</p><script>x</script>".encode()


def record(kind: str, target: str, block: bytes, **more: str) -> bytes:
    """A record as programs write it."""
    headers = {
        "WARC-Type": kind,
        "WARC-Date": "2026-03-04T10:00:00Z",
        "WARC-Record-ID": f"<urn:x:{hashlib.sha256(target.encode() + block).hexdigest()[:12]}>",
        **({"WARC-Target-URI": target} if target else {}),
        "WARC-Block-Digest": "sha1:" + base64.b32encode(hashlib.sha1(block).digest()).decode(),
        **{name.replace("_", "-"): value for name, value in more.items()},
        "Content-Length": str(len(block)),
    }
    head = "WARC/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode() + b"\r\n" + block + b"\r\n\r\n"


def answer(
    body: bytes, status: str = "200 OK", media: str = "text/html; charset=utf-8", more: str = ""
) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\n{more}\r\n".encode() + body


RECORDS = [
    record("warcinfo", "", b"software: something\r\n"),
    record("request", HOME, b"GET / HTTP/1.1\r\n\r\n"),
    record("response", HOME, answer(HTML)),
    record("response", HOME + "lamp.jpg", answer(b"\xff\xd8", media="image/jpeg")),
    record("response", HOME + "gone", answer(b"<p>no</p>", status="404 Not Found")),
    record("resource", HOME + "notice.html", b"<p>notice</p>", Content_Type="text/html"),
    record("revisit", HOME, b""),
]


class WarcDesk(Desk):
    def __init__(self, store: Store, folder: Path) -> None:
        super().__init__(store, folder, partial(known.opened, "warc"))
        with store.database.begin() as tx:
            self.page: Page = pages.add(
                store,
                tx,
                connector="import",
                platform="web",
                address="",
                name="Falls",
                by=OFFICER,
                why="test",
            )

    def warc(self, content: bytes, name: str = "falls.warc") -> Path:
        file = self.folder / name
        file.write_bytes(content)
        return file

    def take(self, content: bytes, name: str = "falls.warc") -> Any:
        return self.receive(self.warc(content, name), page=self.page)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> WarcDesk:
    return WarcDesk(store, tmp_path / "desk")


def members(*records: bytes) -> bytes:
    return b"".join(gzip.compress(one, mtime=0) for one in records)


def test_each_web_page_is_a_record_with_its_words_and_when_another_program_saw_it(desk: WarcDesk):
    report = desk.take(b"".join(RECORDS))
    assert (report.status, report.unreadable, report.tally.new) == ("complete", [], 2)
    told = desk.told(HOME)
    assert (told["kind"], told["text"], told["url"], told["published_at"]) == (
        "post",
        "The bridge is open – café too",
        HOME,
        None,
    )
    assert (told["extra"]["title"], told["extra"]["seen_at"], told["extra"]["digest_agrees"]) == (
        "Falls",
        "2026-03-04T10:00:00Z",
        True,
    )
    assert (told["origin"], desk.told(HOME + "notice.html")["text"]) == ("received", "notice")
    assert desk.sound()


def test_what_is_no_web_page_is_listed_by_its_address_and_the_rest_is_counted(desk: WarcDesk):
    report = desk.take(b"".join(RECORDS))
    assert left(report) == {
        f"falls.warc: record 4 {HOME}lamp.jpg": "no web page: image/jpeg",
        f"falls.warc: record 5 {HOME}gone": "an answer of 404",
    }
    assert [one for one in report.remarks if "bytes alone" in one] == [
        "1 request records are kept as bytes alone",
        "1 revisit records are kept as bytes alone",
        "1 warcinfo records are kept as bytes alone",
    ]


@pytest.mark.parametrize("form", ["plain", "gzip by record", "gzip as one", "wacz"])
def test_every_form_is_read_alike_and_its_unpacked_bytes_are_kept(desk: WarcDesk, form: str):
    whole = b"".join(RECORDS)
    match form:
        case "plain":
            file = desk.warc(whole)
        case "gzip by record":
            file = desk.warc(members(*RECORDS), "falls.warc.gz")
        case "gzip as one":
            file = desk.warc(gzip.compress(whole, mtime=0), "falls.warc.gz")
        case _:
            inside = {
                "archive/data.warc.gz": members(*RECORDS),
                "datapackage.json": b"{}",
                "../out.warc": whole,
            }
            file = zipped(desk.folder / "falls.wacz", inside)
    report = desk.receive(file, page=desk.page)
    assert report.tally.new == 2
    assert list(desk.kept().values()) == [whole]
    if form == "wacz":
        assert left(report)["../out.warc"] == "its path leads out of the download"
        assert left(report)["datapackage.json"] == "no WARC file: it is not read"


def test_a_page_that_was_seen_again_in_other_words_has_two_versions_and_the_same_again_brings_nothing(
    desk: WarcDesk,
):
    again = record("response", HOME, answer(b"<p>closed</p>"), WARC_Date="2026-03-05T10:00:00Z")
    content = b"".join([*RECORDS, again])
    assert desk.take(content).tally.edited == 1
    assert (desk.told(HOME)["text"], desk.told(HOME)["versions"]) == ("closed", 2)
    report = desk.take(content)
    assert (report.tally.new, report.tally.edited) == (0, 0)


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ("Content-Encoding: gzip\r\n", gzip.compress(HTML, mtime=0)),
        ("Content-Encoding: gzip\r\n", HTML),
        ("Transfer-Encoding: chunked\r\n", b"5\r\n" + HTML[:5] + b"\r\n" + b"%x\r\n" % len(HTML[5:]) + HTML[5:] + b"\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", HTML),
    ],
)  # fmt: skip
def test_a_page_is_read_through_its_codings_also_where_only_the_header_still_names_them(
    desk: WarcDesk, more: str, body: bytes
):
    desk.take(record("response", HOME, answer(body, more=more)))
    assert desk.told(HOME)["text"] == "The bridge is open – café too"


@pytest.mark.parametrize(
    ("media", "body", "text", "unreadable"),
    [
        ("text/html", "<p>café</p>".encode(), "café", None),
        ("text/html", "<p>café</p>".encode("cp1252"), "café", None),
        ("text/html; charset=iso-8859-2", "<p>mąka</p>".encode("iso-8859-2"), "mąka", None),
        ("text/html", b'<meta charset="shift_jis"><p>' + "橋".encode("shift_jis") + b"</p>", "橋", None),
        ("text/html; charset=utf-8", b"<p>caf\xe9</p>", "caf\ufffd", 1),
    ],
)
def test_words_are_read_in_the_encoding_that_the_page_names(
    desk: WarcDesk, media: str, body: bytes, text: str, unreadable: int | None
):
    desk.take(record("response", HOME, answer(body, media=media)))
    told = desk.told(HOME)
    assert (told["text"], told["extra"].get("unreadable_characters")) == (text, unreadable)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (RECORDS[2].replace(b"bridge", b"Bridge"), "do not have the digest"),
        (
            record("response", HOME, answer(HTML), WARC_Truncated="length"),
            "it was cut when it was captured: length",
        ),
        (record("response", HOME, answer(HTML), WARC_Segment_Number="1"), "goes on in further records"),
        (
            record("response", HOME, answer(b"\x1b\x03", more="Content-Encoding: br\r\n")),
            "cannot be unpacked",
        ),
    ],
)
def test_a_page_that_was_altered_cut_or_packed_strangely_is_reported_and_costs_itself_alone(
    desk: WarcDesk, broken: bytes, why: str
):
    report = desk.take(broken + RECORDS[5])
    ((number, told),) = report.unreadable
    assert (number, why in told, list(desk.records())) == (1, True, [HOME + "notice.html"])
    assert list(desk.kept().values()) == [broken + RECORDS[5]]


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"".join(RECORDS[:3]) + RECORDS[5][:-20], b"".join(RECORDS[:3]) + RECORDS[5][:-20]),
        (b"".join(RECORDS[:3]) + b"something else", b"".join(RECORDS[:3]) + b"something else"),
        (members(*RECORDS[:3]) + gzip.compress(RECORDS[5])[:-20], None),
    ],
)
def test_where_a_file_is_cut_or_no_warc_any_more_it_is_said_and_what_came_before_is_received(
    desk: WarcDesk, content: bytes, kept: bytes | None
):
    report = desk.take(content)
    assert (report.status, report.tally.new, len(report.unreadable)) == ("partial", 1, 1)
    joined = b"".join(desk.kept().values())
    assert joined == kept if kept is not None else joined.startswith(b"".join(RECORDS[:3]))


def test_a_file_that_unfolds_into_absurd_sizes_is_broken_off_and_said(desk: WarcDesk):
    report = desk.take(members(RECORDS[2]) + gzip.compress(bytes(200 << 20)), "falls.warc.gz")
    (first, second) = [why for _, why in report.unreadable]
    assert "no WARC record stands here" in first
    assert "unfold" in second
    assert (report.tally.new, sum(map(len, desk.kept().values())) < 100 << 20) == (1, True)


def test_a_record_that_is_too_long_is_listed_and_those_after_it_are_read(desk: WarcDesk):
    film = record("response", HOME + "film.mp4", answer(bytes(33 << 20), media="video/mp4"))
    report = desk.take(film + RECORDS[2])
    assert left(report) == {f"falls.warc: record 1 {HOME}film.mp4": "longer than 32 MiB"}
    assert (report.tally.new, sum(map(len, desk.kept().values()))) == (1, len(film + RECORDS[2]))


@pytest.mark.parametrize(
    "content",
    [{"falls.warc": b""}, {"falls.warc": b"text"}, {"falls.warc.gz": b"\x1f\x8btext"}, {"falls.wacz": b""}],
)
def test_what_is_no_web_archive_is_refused(desk: WarcDesk, content: Mapping[str, bytes]):
    ((name, one),) = content.items()
    file = zipped(desk.folder / name, {"a.txt": b"a"}) if name.endswith(".wacz") else desk.warc(one, name)
    with pytest.raises(BadFile, match="no WARC file"):
        desk.receive(file, page=desk.page)


def test_several_wacz_files_keep_their_pages_though_their_paths_are_the_same(desk: WarcDesk):
    other = record("response", HOME + "other", answer(b"<p>other</p>"))
    first = zipped(desk.folder / "a.wacz", {"archive/data.warc.gz": members(*RECORDS)})
    second = zipped(desk.folder / "b.wacz", {"archive/data.warc.gz": members(other)})
    report = desk.receive(first, second, page=desk.page)
    assert (report.status, report.tally.new) == ("complete", 3)
    assert desk.told(HOME + "other")["text"] == "other"
    assert desk.kept().keys() == {"a.wacz/archive/data.warc.gz", "b.wacz/archive/data.warc.gz"}
    assert not [one for one in left(report) if "data.warc.gz" in one and "record" not in one]
    elsewhere = zipped(
        unpacked(desk.folder / "more", {"x": b""}) / "a.wacz", {"archive/data.warc.gz": members(other)}
    )
    with pytest.raises(BadFile, match="two of these files bear one name"):
        desk.receive(first, elsewhere, page=desk.page)


@pytest.mark.parametrize("name", ["unicode_escape", "raw-unicode-escape", "utf-7", "idna", "undefined"])
def test_an_encoding_that_no_browser_knows_is_not_read_by(desk: WarcDesk, name: str):
    page = answer(rb"<p>\ud83d +2D0- and more</p>", media=f"text/html; charset={name}")
    report = desk.take(record("response", HOME, page))
    assert (report.status, report.unreadable) == ("complete", [])
    assert desk.told(HOME)["text"] == r"\ud83d +2D0- and more"


def test_a_web_archive_needs_a_page(desk: WarcDesk):
    with pytest.raises(BadFile, match="whose page"):
        desk.receive(desk.warc(b"".join(RECORDS)))


PAGES = [
    record("response", f"{HOME}{number}", answer(f"<p>page {number} {'and more ' * 40}</p>".encode()))
    for number in range(6)
]


def test_of_a_file_of_packed_records_one_that_is_damaged_costs_itself_alone(desk: WarcDesk):
    packed = [gzip.compress(one, mtime=0) for one in PAGES]
    hurt = bytearray(packed[2])
    hurt[60:64] = b"\xff\xff\xff\xff"
    report = desk.take(b"".join([*packed[:2], bytes(hurt), *packed[3:]]), "falls.warc.gz")
    assert set(desk.records()) == {f"{HOME}{number}" for number in (0, 1, 3, 4, 5)}
    assert [why.partition(":")[0] for _, why in report.unreadable] == ["falls.warc.gz"]
    assert "damaged" in report.unreadable[0][1]
    assert (report.status, desk.sound()) == ("partial", True)


def test_a_packed_record_whose_checksum_does_not_agree_is_reported_with_its_bytes(desk: WarcDesk):
    packed = [gzip.compress(one, mtime=0) for one in PAGES]
    packed[2] = packed[2][:-8] + b"\0\0\0\0" + packed[2][-4:]
    report = desk.take(b"".join(packed), "falls.warc.gz")
    assert (len(desk.records()), report.unreadable_total) == (5, 1)
    assert b"page 2 and more" in desk.kept()["falls.warc.gz"]


@pytest.mark.parametrize("kept", [0, 40, 300])
def test_a_packed_record_that_lacks_its_end_does_not_cost_those_after_it(desk: WarcDesk, kept: int):
    packed = [gzip.compress(one, mtime=0) for one in PAGES]
    packed[1] = packed[1][:kept] if kept else b"\0" * 5000
    desk.take(b"".join(packed), "falls.warc.gz")
    assert {f"{HOME}{number}" for number in (0, 2, 3, 4, 5)} <= set(desk.records())


def test_what_is_no_record_and_damaged_too_does_not_cost_those_after_it(desk: WarcDesk):
    packed = [gzip.compress(one, mtime=0) for one in PAGES]
    packed[1] = gzip.compress(b"no record at all " * 40, mtime=0)[:-8] + b"\0" * 8
    desk.take(b"".join(packed), "falls.warc.gz")
    assert set(desk.records()) == {f"{HOME}{number}" for number in (0, 2, 3, 4, 5)}


def test_an_import_goes_on_behind_a_damaged_record_as_if_it_had_not_stopped(desk: WarcDesk):
    packed = [gzip.compress(one, mtime=0) for one in PAGES]
    packed[2] = packed[2][:50]
    file = desk.warc(b"".join(packed), "falls.warc.gz")
    source = known.opened("warc", [file])
    try:
        whole = [(one.number, one.content, one.why) for one in source.stretches(Mark())]
        rest = [(one.number, one.content, one.why) for one in source.stretches(Mark(stretches=3))]
    finally:
        source.close()
    assert rest == whole[3:]
    assert [number for number, _, _ in whole] == sorted(number for number, _, _ in whole)


def test_a_record_that_is_whole_is_received_although_the_file_ends_right_behind_it(desk: WarcDesk):
    whole = b"".join(PAGES)
    desk.take(gzip.compress(whole, mtime=0)[:-8], "falls.warc.gz")
    assert len(desk.records()) == 6


@pytest.mark.parametrize(
    ("media", "body", "words"),
    [
        ("text/html; charset=iso-8859-1", "“café”".encode("cp1252"), "“café”"),
        ("text/html; charset=us-ascii", "“café”".encode("cp1252"), "“café”"),
        ("text/html; charset=latin1", b"\x80 5", "€ 5"),
        ("text/html; charset=gb2312", "橋鎔".encode("gbk"), "橋鎔"),
        ("text/html; charset=shift_jis", "①番".encode("cp932"), "①番"),
        ("text/html; charset=ks_c_5601-1987", "똠방".encode("cp949"), "똠방"),
        ("text/html; charset=iso-8859-9", "“İyi”".encode("cp1254"), "“İyi”"),
        ("text/html; charset=iso-8859-1", b"\xef\xbb\xbf" + "café".encode(), "café"),
        ("text/html", "\ufeffcafé".encode("utf-16-le"), "café"),
        ("text/html; charset=utf-8", "\ufeffcafé".encode("utf-16-be"), "café"),
        ("text/html; charset=iso-8859-2", "źle".encode("iso-8859-2"), "źle"),
    ],
)
def test_words_are_read_as_a_browser_reads_what_the_page_calls_its_encoding(
    desk: WarcDesk, media: str, body: bytes, words: str
):
    desk.take(record("response", HOME, answer(body, media=media)))
    assert desk.told(HOME)["text"] == words
    assert "unreadable_characters" not in desk.told(HOME)["extra"]
