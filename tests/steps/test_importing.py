"""Importing: every line is received or reported, every byte kept, and importing again changes nothing."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.capture import attachments, importing, lines, pages, records, runs
from app.capture.formats.observations import KNOWN
from app.capture.lines import BadFile, stretches
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.records.nouns import Page, Record
from app.store import Store, fixity, reading
from app.store.tables import exchanges, objects, pieces, versions
from app.store.tables import records as record_table
from connectors.contract import State
from tests.steps.scripted import listing
from tests.steps.test_capture import World, post

OFFICER = UUID(int=7)
Item = Mapping[str, object]


def item(native_id: str = "n1", **more: object) -> dict[str, object]:
    return {
        "platform": "mail",
        "page": "letters",
        "native_id": native_id,
        "kind": "post",
        "text": f"letter {native_id}",
    } | more


class Desk:
    """Where files are received."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def file(self, content: bytes | Iterable[Item | bytes], name: str = "lines.jsonl") -> Path:
        if not isinstance(content, bytes):
            content = b"".join(
                (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in content
            )
        made = self.folder / name
        made.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return made

    def receive(
        self, file: Path, *, page: Page | None = None, make_pages: bool = True, **more: Any
    ) -> Report:
        ticks = iter(range(1_000))
        return importing.observations(
            self.store,
            file,
            page=page,
            make_pages=make_pages,
            by=OFFICER,
            why="test",
            tick=lambda: next(ticks),
            **more,
        )

    def page(self, name: str = "paper", platform: str = "mail") -> Page:
        with self.store.database.begin() as tx:
            return pages.add(
                self.store,
                tx,
                connector="import",
                platform=platform,
                address="",
                name=name,
                by=OFFICER,
                why="test",
            )

    def records(self) -> dict[str, Record]:
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key).order_by(record_table.c.key)).scalars())
            found = records.read(self.store, tx, keys, messages=True)
        return {str(one.version.fields["native_id"]): one for one in found}

    def texts(self, name: str) -> list[str]:
        with self.store.database.read() as tx:
            return [str(one.fields["text"]) for one in records.history(self.store, tx, self.records()[name])]

    def bytes_kept(self, after: int = 0) -> bytes:
        with self.store.database.read() as tx:
            keys = tx.execute(
                select(exchanges.c.key).where(exchanges.c.key > after).order_by(exchanges.c.key)
            ).scalars()
            return b"".join(reading.exchange(self.store, tx, key).body for key in keys.all())

    def count(self, table: Any) -> int:
        with self.store.database.read() as tx:
            return int(tx.execute(select(func.count()).select_from(table)).scalar_one())

    def gaps(self) -> list[str]:
        with self.store.database.read() as tx:
            return [gap.what for gap in runs.gaps_of(self.store, tx)]

    def sound(self) -> bool:
        return fixity.verify(self.store, full=True).findings == []


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    (tmp_path / "desk").mkdir()
    return Desk(store, tmp_path / "desk")


# -- what is received --------------------------------------------------------------------------------------


def test_a_line_is_received_with_everything_that_it_says(anywhere: Store, tmp_path: Path):
    desk = Desk(anywhere, tmp_path)
    told = item(
        author={"id": "a1", "name": "Pat", "handle": "@pat"},
        published_at="2026-02-01T08:00:00-09:00",
        edited_at="2026-02-01T09:00:00-09:00",
        html="<p>letter</p>",
        url="https://letters.example/n1",
        language="en",
        counts={"likes": 3},
        extra={"src": "archive"},
    )
    report = desk.receive(desk.file([told, item("n2", kind="comment", in_reply_to="n1", state="hidden")]))
    assert (report.status, report.tally.new, report.tally.hidden, report.unreadable) == ("complete", 2, 0, [])
    first, answer = desk.records()["n1"], desk.records()["n2"]
    found = records.as_json(first)
    assert {
        name: found[name]
        for name in ("native_id", "text", "html", "url", "language", "author", "counts", "extra")
    } == {
        name: told[name]
        for name in ("native_id", "text", "html", "url", "language", "author", "counts", "extra")
    }
    assert found["published_at"] == "2026-02-01T17:00:00Z"
    assert (answer.in_reply_to, answer.state, answer.kind) == (first.id, "hidden", "comment")
    assert (first.page.platform, first.page.name, first.page.approved) == ("mail", "letters", False)
    assert desk.sound()


def test_what_a_file_says_is_received_and_never_captured(desk: Desk):
    desk.receive(desk.file([item()]))
    assert records.as_json(desk.records()["n1"])["origin"] == "received"


def test_what_a_connector_saw_is_captured(store: Store, clock: FixedClock):
    world = World(store, clock)
    world.capture(listing(clock, post("p1", "seen by ourselves")))
    assert records.as_json(world.records()["p1"])["origin"] == "captured"


def test_keys_that_nobody_defined_are_kept_in_extra_whatever_their_form(desk: Desk):
    desk.receive(
        desk.file(
            [item(extra={"a": 1}, rating=4.5, tags=["x", {"y": None}], huge=2**70), item("n2", Straße="Nº 5")]
        )
    )
    first, second = (desk.records()[name].version.fields["extra"] for name in ("n1", "n2"))
    assert first == {"a": 1, "rating": "4.5", "tags": ["x", {"y": None}], "huge": str(2**70)}
    assert json.loads(str(second)) == {"Straße": "Nº 5"}


def test_the_bytes_of_the_file_join_to_what_was_received(desk: Desk):
    content = (
        b'\xef\xbb\xbf{"platform":"mail","page":"p","native_id":"1","kind":"post"}\r\n\n  \n'
        + b"".join((json.dumps(item(f"n{n}", page=f"page {n % 3}")) + "\n").encode() for n in range(30))
    )
    content += b'not JSON\n\xff\xfe\n{"platform":"mail","page":"p","native_id":"last","kind":"post"}'
    report = desk.receive(desk.file(content))
    assert desk.bytes_kept() == content
    assert (report.tally.new, [number for number, _ in report.unreadable]) == (32, [34, 35])
    assert desk.sound()


def test_a_gzip_file_is_the_same_as_what_it_holds(desk: Desk):
    content = b"".join((json.dumps(item(f"n{n}")) + "\n").encode() for n in range(5))
    report = desk.receive(desk.file(content, "lines.jsonl.gz"))
    assert (report.status, report.tally.new, desk.bytes_kept()) == ("complete", 5, content)
    packed = desk.folder / "packed without saying so"
    packed.write_bytes(gzip.compress(content[:-1] + b" \n"))
    assert desk.receive(packed).tally.unchanged == 5


def test_an_empty_file_is_received_and_says_nothing(desk: Desk):
    for name in ("empty.jsonl", "blank.jsonl"):
        report = desk.receive(desk.file(b"" if name == "empty.jsonl" else b"\n \n", name))
        assert (report.status, report.tally.new, report.unreadable) == ("complete", 0, [])
    assert desk.sound()


# -- what cannot be read -----------------------------------------------------------------------------------

UNREADABLE: dict[str, tuple[bytes | Item, str]] = {
    "not JSON": (b"letter 1", "not JSON"),
    "half a line": (b'{"native_id": "n1", "ki', "not JSON"),
    "a list": (b"[]", "not a JSON object"),
    "a number": (b"42", "not a JSON object"),
    "no native id": ({"kind": "post"}, "native_id is missing"),
    "an empty native id": (item(""), "native_id is missing"),
    "a number for a native id": ({"native_id": 5, "kind": "post"}, "native_id is missing or not a text"),
    "no kind": (item(kind=None), "kind is None"),
    "another kind": (item(kind="story"), "kind is 'story', not one of post, comment"),
    "a list for a kind": (item(kind=["post"]), "kind is ['post']"),
    "another state": (item(state="unheard of"), "state is 'unheard of'"),
    "text that is none": (item(text=["a"]), "text is not a text"),
    "html that is none": (item(html=5), "html is not a text"),
    "an answer to a number": (item(in_reply_to=5), "in_reply_to is not a text"),
    "an author who is a text": (item(author="Pat"), "author is not an object"),
    "an author with a number for a name": (item(author={"name": 5}), "name is not a text"),
    "a time without a zone": (item(published_at="2026-02-01T08:00:00"), "published_at has no time zone"),
    "a day": (item(published_at="2026-02-01"), "published_at has no time zone"),
    "a time that is none": (item(published_at="yesterday"), "published_at is 'yesterday', not a date and time"),
    "a number for a time": (item(edited_at=1700000000), "edited_at is 1700000000"),
    "a time before all years": (item(published_at="0001-01-01T00:00:00+14:00"), "published_at is '0001"),
    "a time after all years": (item(published_at="9999-12-31T23:59:59-12:00"), "published_at is '9999"),
    "counts that are none": (item(counts={"likes": "many"}), "counts is not an object of whole numbers"),
    "counts that are true": (item(counts={"likes": True}), "counts is not an object of whole numbers"),
    "attachments that are a number": (item(attachments=5), "attachments is not a list"),
    "attachments that are an object": (item(attachments={"url": "x"}), "attachments is not a list"),
    "an attachment that is a text": (item(attachments=["a.png"]), "an attachment is not an object"),
    "extra that is a list": (item(extra=[1]), "extra is not an object"),
    "nested without end": (b'{"a":' * 100_000, "nested too deeply"),
    "nested deeply": (b'{"native_id":"n1","kind":"post","a":' + b"[" * 300 + b"]" * 300 + b"}", "nested too deeply"),
    "half a character in a page": (b'{"native_id":"n1","kind":"post","page":"\\udea7"}', "page holds half of a character"),
    "half a character, and cut": (b'{"native_id":"n1","kind":"post","text":"\\ud83d","ki', "not JSON"),
    "half a character, and no number": (b'{"native_id":"n1","kind":"post","text":"\\ud83d","a":NaN}', "not JSON"),
    "half a character, and in another encoding": ('{"native_id":"n1","kind":"post","text":"\\ud83d"}'.encode("utf-16-be"), "not JSON"),
    "half a character, nested without end": (b'{"text":"\\ud83d","a":' * 100_000, "nested too deeply"),
    "a surrogate in UTF-8": (b'{"native_id":"n1","kind":"post","text":"\xed\xa0\x80"}', "not JSON"),
    "bytes that are not UTF-8": (b'{"native_id":"n1","kind":"post","text":"caf\xe9"}', "not JSON"),
    "a NUL byte": (b'{"native_id":"n1","kind":"post","text":"a\x00b"}', "not JSON"),
    "a page named with NUL": (item(page="a\x00b"), "page is blank, longer than 500 characters, or holds control"),
    "a page named with a line break": (item(page="a\nb"), "page is blank"),
    "a page whose name is blank": (item(page="  "), "page is blank"),
    "a page whose name has no end": (item(page="p" * 501), "page is blank, longer than 500"),
    "a platform whose name has no end": (item(platform="p" * 65), "platform is blank, longer than 64"),
    "no page and none given": ({"native_id": "n1", "kind": "post"}, "page None on None is not in the registry"),
    "a number that no double holds": (b'{"native_id":"n1","kind":"post","extra":{"a":1e999}}', "not JSON"),
    "a byte order mark in the middle": (b"\xef\xbb\xbf" + json.dumps(item()).encode(), "not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_line_that_cannot_be_read_is_reported_with_its_number_and_why_and_the_rest_is_kept(
    desk: Desk, what: str
):
    line, why = UNREADABLE[what]
    file = desk.file([item("before"), line, item("after")])
    report = desk.receive(file)
    assert (report.status, report.tally.new, report.unreadable_total) == ("partial", 2, 1)
    ((number, reason),) = report.unreadable
    assert (number, why in reason) == (2, True), reason
    assert desk.gaps() == ["1 lines of lines.jsonl"]
    assert desk.records().keys() == {"before", "after"}
    assert desk.bytes_kept() == file.read_bytes()
    assert desk.sound()


READABLE: dict[str, bytes | Item] = {
    "no text": item(text=None),
    "NUL in a text, escaped": item(text="a\x00b"),
    "a pair of surrogates": b'{"platform":"mail","page":"p","native_id":"n1","kind":"post","text":"\\ud83d\\ude00"}',
    "no attachments": item(attachments=None),
    "no counts": item(counts=None, extra=None, author=None, state=None),
    "a profile": item(kind="profile"),
    "an empty platform and page, with a page given": item(platform="", page=""),
    "the first and last of times": item(published_at="0001-01-01T00:00:00Z", edited_at="9999-12-31T23:59:59Z"),
    "a page named in other scripts": item(page="Ĝardeno 東京 🌲"),
    "a native id with everything in it": item("a b\nc/ü\x00"),
    "nested as deeply as anybody would": {**item(), "a": json.loads("[" * 90 + "]" * 90)},
}  # fmt: skip


@pytest.mark.parametrize("what", READABLE)
def test_a_line_that_is_merely_unusual_is_received(desk: Desk, what: str):
    report = desk.receive(desk.file([READABLE[what]]), page=desk.page())
    assert (report.status, report.tally.new, report.unreadable) == ("complete", 1, [])
    (record,) = desk.records().values()
    assert records.as_json(record)["id"] == str(record.id)
    assert desk.sound()


HALVES: dict[str, tuple[bytes, int, dict[str, object]]] = {
    "half of a pair": (b'"text":"\\ud83d and more"', 1, {"text": "\ufffd and more"}),
    "the other half": (b'"text":"a\\udea7"', 1, {"text": "a\ufffd"}),
    "two halves the wrong way about": (b'"text":"\\udea7\\ud83d"', 2, {"text": "\ufffd\ufffd"}),
    "half beside a whole one": (b'"text":"\\ud83d\\ude00\\ud83d"', 1, {"text": "😀\ufffd"}),
    "half in a native id": (b'"native_id":"n1\\ud83d"', 1, {"native_id": "n1\\ud83d"}),
    "half in a name": (b'"author":{"name":"Kim \\ud83d"}', 1, {"author_name": "Kim \ufffd"}),
    "half under a name of its own": (b'"\\ud83d":"\\ud83d"', 2, {"extra": {"\ufffd": "\ufffd"}}),
}  # fmt: skip


@pytest.mark.parametrize("what", HALVES)
def test_half_a_character_costs_itself_alone_and_the_record_says_so(desk: Desk, what: str):
    said, number, told = HALVES[what]
    line = b'{"native_id":"n1","kind":"post",' + said + b"}"
    file = desk.file([item("before"), line, item("after")])
    report = desk.receive(file, page=desk.page())
    assert (report.status, report.tally.new, report.unreadable) == ("complete", 3, [])
    found = desk.records()
    (name,) = found.keys() - {"before", "after"}
    fields = dict(found[name].version.fields)
    extra = fields["extra"]
    fields["extra"] = extra = json.loads(extra) if isinstance(extra, str) else dict(cast("Item", extra))
    assert extra.pop("unreadable_characters") == number
    assert {name: fields[name] for name in told} == told
    assert "extra" not in found["before"].version.fields
    assert desk.bytes_kept() == file.read_bytes()
    assert desk.sound()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["lines.jsonl", "lines.jsonl.gz"])
def test_a_file_in_wider_characters_is_refused_with_what_to_do(desk: Desk, encoding: str, name: str):
    content = json.dumps(item()) + "\n"
    with pytest.raises(BadFile, match=f"is written in UTF-{32 if '32' in encoding else 16}") as refused:
        desk.receive(desk.file(content.encode(encoding), name))
    assert refused.value.next == "Save it as UTF-8, and import that."
    assert desk.receive(desk.file(content.encode("utf-8-sig"), name)).tally.new == 1


def test_a_message_is_private_and_a_post_is_not(desk: Desk):
    desk.receive(desk.file([item("m", kind="message"), item("p")]))
    assert {name: record.private for name, record in desk.records().items()} == {"m": True, "p": False}


def test_however_many_lines_cannot_be_read_the_report_stays_small_and_says_how_many(desk: Desk):
    report = desk.receive(desk.file(b"x\n" * 10_001 + json.dumps(item()).encode()))
    assert (len(report.unreadable), report.unreadable_total) == (runs.MOST_TOLD, 10_001)
    assert report.unreadable[-1][0] == runs.MOST_TOLD
    assert desk.gaps() == ["10001 lines of lines.jsonl"]
    assert report.tally.new == 1


def test_a_reason_is_never_longer_than_anybody_would_read(desk: Desk):
    report = desk.receive(desk.file([item(kind="k" * 100_000)]))
    assert len(report.unreadable[0][1]) == 500


# -- lines -------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=30), max_size=12).map(b"\n".join))
def test_stretches_join_to_the_file_and_count_its_lines(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
):
    file = tmp_path_factory.mktemp("stretches") / "file"
    file.write_bytes(content)
    with file.open("rb") as raw:
        found = list(stretches(raw, 1))
    assert b"".join(one.content for one in found) == content
    assert [one.content.rstrip(b"\n") for one in found] == content.split(b"\n")[: len(found)]
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert all(one.why is None for one in found)


def test_a_line_longer_than_memory_allows_is_reported_once_and_numbers_go_on(desk: Desk):
    long = b'{"text":"' + b"x" * (2 * lines.LONGEST) + b'"}'
    file = desk.file([item("n1"), long, item("n2"), b"no JSON"])
    report = desk.receive(file)
    assert [number for number, _ in report.unreadable] == [2, 4]
    assert report.unreadable[0][1] == "longer than 32 MiB"
    assert report.tally.new == 2
    assert desk.bytes_kept() == file.read_bytes()


def test_a_stretch_of_a_long_line_says_why_at_its_first_bytes_alone(tmp_path: Path):
    file = tmp_path / "long"
    file.write_bytes(b"a" * (lines.LONGEST + 5) + b"\nb")
    with file.open("rb") as raw:
        found = [(one.number, one.why) for one in stretches(raw, 7)]
    assert found == [(7, "longer than 32 MiB"), (7, ""), (8, None)]


@pytest.mark.parametrize("cut", [20, 200, -9, -1])
def test_gzip_that_is_cut_is_reported_where_it_ends_and_what_was_before_is_kept(desk: Desk, cut: int):
    content = b"".join(
        (json.dumps(item(f"n{n}", text=os.urandom(40).hex())) + "\n").encode() for n in range(20)
    )
    file = desk.file(content, "lines.jsonl.gz")
    file.write_bytes(file.read_bytes()[:cut])
    report = desk.receive(file)
    ((number, why),) = report.unreadable
    kept = desk.bytes_kept()
    assert report.status == "partial"
    assert why.startswith("the file is cut or damaged here: ")
    assert content.startswith(kept)
    assert (number, report.tally.new) == (kept.count(b"\n") + 1, kept.count(b"\n"))
    assert (cut < 0) == (kept == content)
    assert desk.sound()


def test_gzip_that_was_altered_is_reported_and_what_was_before_is_kept(desk: Desk):
    content = b"".join(
        (json.dumps(item(f"n{n}", text=os.urandom(400).hex())) + "\n").encode() for n in range(200)
    )
    file = desk.file(content, "lines.jsonl.gz")
    packed = bytearray(file.read_bytes())
    packed[len(packed) // 2 : len(packed) // 2 + 40] = bytes(40)
    file.write_bytes(packed)
    report = desk.receive(file)
    assert report.status == "partial"
    assert any("the file is cut or damaged here: " in why for _, why in report.unreadable)
    assert report.tally.new > 50
    assert desk.sound()


@pytest.mark.parametrize("name", ["missing.jsonl", "folder", "plain.jsonl.gz", "empty.gz"])
def test_a_file_that_cannot_be_received_is_refused_before_anything_is_written(desk: Desk, name: str):
    (desk.folder / "folder").mkdir()
    (desk.folder / "plain.jsonl.gz").write_bytes(json.dumps(item()).encode())
    (desk.folder / "empty.gz").write_bytes(b"")
    with pytest.raises(BadFile):
        desk.receive(desk.folder / name)
    with desk.store.database.read() as tx:
        assert runs.recent(tx) == []


# -- pages -------------------------------------------------------------------------------------------------


def test_pages_that_lines_name_are_made_once_and_unapproved(desk: Desk):
    desk.receive(desk.file([item(f"n{n}", page=f"list {n % 3}") for n in range(9)]))
    desk.receive(desk.file([item("m", page="list 1"), item("k", page="list 9")], "more.jsonl"))
    with desk.store.database.read() as tx:
        found = [(page.name, page.platform, page.connector, page.approved) for page in pages.listed(tx)]
    assert sorted(found) == [(f"list {n}", "mail", "import", False) for n in (0, 1, 2, 9)]


def test_without_leave_to_make_pages_lines_that_name_an_unknown_one_are_reported(desk: Desk):
    desk.page("letters")
    report = desk.receive(desk.file([item("n1"), item("n2", page="elsewhere")]), make_pages=False)
    assert report.unreadable == [(2, "page 'elsewhere' on 'mail' is not in the registry")]
    assert desk.records().keys() == {"n1"}


def test_lines_that_name_no_page_go_to_the_one_that_was_given(desk: Desk):
    unnamed = {"native_id": "n1", "kind": "post"}
    report = desk.receive(desk.file([unnamed, item("n2")]), page=desk.page("paper"))
    assert report.status == "complete"
    assert {name: record.page.name for name, record in desk.records().items()} == {
        "n1": "paper",
        "n2": "letters",
    }


def test_the_same_native_id_on_two_pages_is_two_records(desk: Desk):
    report = desk.receive(desk.file([item("n1", page="a"), item("n1", page="b")]))
    assert report.tally.new == 2


# -- the same again, and otherwise -------------------------------------------------------------------------


def test_importing_a_file_again_finds_everything_unchanged(desk: Desk):
    file = desk.file([item(f"n{n}", counts={"likes": n}) for n in range(50)])
    desk.receive(file)
    before = {table.name: desk.count(table) for table in (record_table, versions)}
    report = desk.receive(file)
    assert (report.status, report.tally.unchanged, report.tally.new, report.tally.edited) == (
        "complete",
        50,
        0,
        0,
    )
    assert {table.name: desk.count(table) for table in (record_table, versions)} == before
    assert desk.sound()


def test_an_edit_in_a_later_file_is_a_version(desk: Desk):
    desk.receive(desk.file([item("n1", text="first"), item("n2")]))
    report = desk.receive(desk.file([item("n1", text="second"), item("n2")], "later.jsonl"))
    assert (report.tally.edited, report.tally.unchanged) == (1, 1)
    assert desk.texts("n1") == ["first", "second"]


def test_an_item_that_stands_twice_in_one_batch_is_one_record(desk: Desk):
    report = desk.receive(desk.file([item("n1"), item("n1"), item("n1", text="edited"), item("n2")]))
    assert (report.tally.new, report.tally.edited, report.tally.unchanged) == (2, 1, 1)
    assert desk.texts("n1") == ["letter n1", "edited"]
    assert desk.sound()


def test_an_item_that_stands_twice_in_one_file_but_in_two_batches_is_one_record(desk: Desk):
    between = [item(f"b{n}") for n in range(2_100)]
    report = desk.receive(desk.file([item("n1"), *between, item("n1"), item("n1", text="edited")]))
    assert (report.tally.new, report.tally.edited, report.tally.unchanged) == (2_101, 1, 1)


def test_a_file_that_tells_of_an_edit_changes_nothing_when_it_is_received_again(desk: Desk):
    file = desk.file([item("n1", text="first"), item("n2"), item("n1", text="second")])
    desk.receive(file)
    report = desk.receive(file)
    assert (report.tally.new, report.tally.edited, report.tally.unchanged) == (0, 0, 3)
    assert desk.texts("n1") == ["first", "second"]


def test_a_file_that_comes_back_after_another_one_tells_that_something_was_changed_back(desk: Desk):
    first, second = desk.file([item(text="first")]), desk.file([item(text="second")], "second.jsonl")
    told = [desk.receive(file).tally.edited for file in (first, second, first, first)]
    assert told == [0, 1, 1, 0]
    assert desk.texts("n1") == ["first", "second", "first"]


def test_another_file_that_tells_the_first_words_again_is_an_edit_back(desk: Desk):
    desk.receive(desk.file([item("n1", text="first"), item("n1", text="second")]))
    report = desk.receive(desk.file([item("n1", text="first")], "third.jsonl"))
    assert report.tally.edited == 1
    assert desk.texts("n1") == ["first", "second", "first"]


def test_a_later_file_tells_of_a_removal_and_a_still_later_one_of_a_return(desk: Desk):
    told = []
    for number, state in enumerate(["present", "hidden", "gone", "present"]):
        report = desk.receive(desk.file([item(state=state)], f"{number}.jsonl"))
        told.append((report.tally.new, report.tally.hidden, report.tally.gone, report.tally.restored))
    assert told == [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    assert desk.records()["n1"].state == State.PRESENT


# -- files beside the import -------------------------------------------------------------------------------


def attached(path: str | None, **more: object) -> dict[str, object]:
    return item(attachments=[{"path": path, "media_type": "image/png"} | more])


def test_a_file_beside_the_import_is_received_with_its_line(desk: Desk):
    (desk.folder / "pictures").mkdir()
    (desk.folder / "pictures" / "a.png").write_bytes(bytes(range(256)) * 300)
    file = desk.file([attached("pictures/a.png")])
    report = desk.receive(file)
    (kept,) = desk.records()["n1"].attachments
    assert (report.status, kept.state, kept.bytes) == ("complete", "kept", 76_800)
    with desk.store.database.read() as tx:
        row = attachments.get(tx, kept.id or UUID(int=0))
    assert row is not None
    assert b"".join(attachments.stream(desk.store, row)) == bytes(range(256)) * 300
    before = desk.count(objects)
    assert desk.receive(file).gaps == []
    assert desk.count(objects) == before + 1
    assert desk.sound()


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "../../home/keys/master.key", "/etc/passwd", "pictures/../../secret.txt", "link", "through/secret.txt",
     "missing.png", ".", "pictures", "pipe", "a\x00b", "x" * 5_000, "~/secret.txt"],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_or_nowhere_is_a_gap_and_nothing_of_it_is_read(desk: Desk, path: str):
    (desk.folder.parent / "secret.txt").write_bytes(b"not for the archive")
    (desk.folder / "pictures").mkdir()
    (desk.folder / "link").symlink_to(desk.folder.parent / "secret.txt")
    (desk.folder / "through").symlink_to(desk.folder.parent)
    os.mkfifo(desk.folder / "pipe")
    report = desk.receive(desk.file([attached(path), item("n2")]))
    assert (report.status, report.tally.new) == ("partial", 2)
    assert [(gap.what, gap.why) for gap in report.gaps] == [
        ("an attachment", "its file does not lie beside the import")
    ]
    assert [kept.state for kept in desk.records()["n1"].attachments] == ["missing"]
    assert desk.sound()


def test_a_file_that_was_missing_is_received_when_it_is_there_the_next_time(desk: Desk):
    file = desk.file([attached("a.png")])
    desk.receive(file)
    (desk.folder / "a.png").write_bytes(b"picture")
    assert desk.receive(file).gaps == []
    assert [kept.state for kept in desk.records()["n1"].attachments] == ["kept"]
    assert desk.sound()


# -- broken off --------------------------------------------------------------------------------------------


class _BrokenOff(BaseException):
    pass


def break_off(which: str, times: int) -> Callable[[str], None]:
    seen = 0

    def point(name: str) -> None:
        nonlocal seen
        seen += name == which
        if name == which and seen == times:
            raise _BrokenOff

    return point


def test_an_import_that_was_broken_off_goes_on_where_it_stopped(desk: Desk):
    file = desk.file(
        [*(item(f"n{n}") for n in range(2_500)), b"no JSON", *(item(f"m{n}") for n in range(2_500))]
    )
    with pytest.raises(_BrokenOff):
        desk.receive(file, point=break_off("before-commit", 3))
    assert len(desk.records()) == 3_999
    report = desk.receive(file)
    assert (report.tally.new, report.tally.unchanged) == (1_001, 0)
    assert desk.bytes_kept() == file.read_bytes()
    with desk.store.database.read() as tx:
        assert [(run.status, run.tally["new"]) for run in runs.recent(tx)] == [
            ("complete", 1_001),
            ("partial", 0),
        ]
    assert desk.sound()


def test_lines_that_could_not_be_read_before_the_break_are_not_forgotten(desk: Desk):
    file = desk.file([b"no JSON", *(item(f"n{n}") for n in range(2_500)), b"no JSON"])
    with pytest.raises(_BrokenOff):
        desk.receive(file, point=break_off("after-commit", 1))
    report = desk.receive(file)
    assert report.unreadable == [(2_502, report.unreadable[0][1])]
    assert desk.gaps() == ["1 lines of lines.jsonl", "1 lines of lines.jsonl"]


def test_another_file_does_not_go_on_where_this_one_stopped(desk: Desk):
    lines_of = [item(f"n{n}") for n in range(2_500)]
    with pytest.raises(_BrokenOff):
        desk.receive(desk.file(lines_of), point=break_off("before-commit", 2))
    report = desk.receive(desk.file([*lines_of, item("more")], "other.jsonl"))
    assert (report.tally.new, report.tally.unchanged) == (501, 2_000)


def test_files_beside_a_batch_that_was_broken_off_are_received_when_the_import_goes_on(desk: Desk):
    (desk.folder / "a.png").write_bytes(b"picture")
    file = desk.file([attached("a.png"), *(item(f"m{n}") for n in range(2_500))])
    with pytest.raises(_BrokenOff):
        desk.receive(file, point=break_off("after-commit", 1))
    assert [kept.state for kept in desk.records()["n1"].attachments] == ["listed"]
    report = desk.receive(file)
    assert [kept.state for kept in desk.records()["n1"].attachments] == ["kept"]
    assert (report.tally.new, report.tally.unchanged) == (501, 2_000)
    assert desk.sound()


def test_two_who_import_the_same_at_once_lose_nothing_and_make_nothing_twice(desk: Desk):
    file, other = (
        desk.file([item(f"n{n}") for n in range(10)]),
        desk.file([item(f"n{n}") for n in range(20)], "other.jsonl"),
    )
    raced = False

    def race(name: str) -> None:
        nonlocal raced
        if name == "after-keyring" and not raced:
            raced = True
            desk.receive(other)

    assert desk.receive(file, point=race).tally.unchanged == 10
    assert (len(desk.records()), desk.count(versions)) == (20, 20)
    assert desk.sound()


@settings(max_examples=60)
@given(st.binary(max_size=120) | st.text(max_size=60).map(str.encode) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(KNOWN)), inner, max_size=6),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_a_line_holds_it_is_read_or_refused_with_a_reason(line: bytes):
    try:
        found = importing.parse(line)
    except importing.Unreadable as error:
        why = str(error)
    else:
        why = found.observation.native_id
    assert why


def test_pieces_of_one_line_belong_to_its_record_alone(desk: Desk):
    desk.receive(desk.file([item("n1"), item("n2"), b"no JSON"]))
    with desk.store.database.read() as tx:
        owners = tx.execute(select(pieces.c.record, pieces.c.circle, pieces.c.exchange)).all()
    assert sorted(
        (record is not None, circle, exchange is not None) for record, circle, exchange in owners
    ) == [
        (False, None, True),
        (False, None, True),
        (True, None, False),
        (True, None, False),
    ]
