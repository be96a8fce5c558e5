"""Exports of archives whose columns nobody publishes: a mapping is suggested from what they are called, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.capture.formats import known, mapping
from app.capture.formats.mapping import BadMapping
from app.capture.formats.suggest import CHOOSE, suggestion
from app.store import Store
from tests.steps.receiving import Desk, left, zipped

REVIEWED = (
    b"Message ID,Network,Channel,From,To,Sent Time,Subject,Content,Tags,Held\r\n"
    b"m1,Facebook,Town page,Harrow Falls,,2026-03-04T10:00:00Z,Post,Bridge closed,Deleted,No\r\n"
)
"""The names under which review screens of such archives show an item."""
POSTED = (
    b"Post ID,Social Network,Account,Screen Name,Date Posted,Post Text,Permalink,Likes,Comment Count,Native File\r\n"
    b"p1,Twitter,HarrowFalls,@falls,03/14/2026 10:00,Bridge closed,https://x.example/1,3,1,media/p1.png\r\n"
)


def suggested(file: Path, form: str = "csv") -> tuple[str, dict[str, Any]]:
    table = known.table(form, file, None)
    try:
        told = suggestion(table, zone="America/Juneau", page=None)
    finally:
        table.close()
    return told, dict(mapping.parse(told.encode()).fields)


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (
            REVIEWED,
            {"native_id": "Message ID", "platform": "Network", "author.name": "From", "text": "Content"},
        ),
        (
            POSTED,
            {
                "native_id": "Post ID",
                "platform": "Social Network",
                "page": "Account",
                "author.handle": "Screen Name",
                "text": "Post Text",
                "url": "Permalink",
                "counts": {"likes": "Likes", "comments": "Comment Count"},
                "attachments": {"column": "Native File"},
            },
        ),
    ],
)
def test_a_mapping_is_suggested_from_what_archives_call_their_columns(
    tmp_path: Path, content: bytes, fields: dict[str, object]
):
    file = tmp_path / "export.csv"
    file.write_bytes(content)
    told, found = suggested(file)
    assert {name: found.get(name) for name in fields} == fields
    assert found["published_at"]["column"] in {"Sent Time", "Date Posted"}
    assert CHOOSE not in str(found["published_at"])
    assert "Kept in extra" in told or content is POSTED


def test_what_a_suggestion_knows_no_field_for_is_named_in_it_and_kept(store: Store, tmp_path: Path):
    file = tmp_path / "export.csv"
    file.write_bytes(REVIEWED)
    told, _ = suggested(file)
    assert all(
        name in told.rsplit("Kept in extra", 1)[1] for name in ('"Tags"', '"Held"', '"To"', '"Channel"')
    )
    how = mapping.parse(told.replace("fields:\n", 'fields:\n  page: {value: "Town page"}\n').encode())
    desk = Desk(store, tmp_path / "desk", lambda files: known.opened("csv", files, how))
    desk.receive(file)
    extra = desk.told("m1")["extra"]
    assert (extra["Tags"], extra["Held"], extra["Channel"]) == ("Deleted", "No", "Town page")


def test_a_column_that_could_be_read_in_two_ways_is_left_to_a_person(tmp_path: Path):
    file = tmp_path / "export.csv"
    file.write_bytes(POSTED.replace(b"03/14/2026", b"03/04/2026"))
    told, found = suggested(file)
    assert found["published_at"]["format"] == CHOOSE
    with pytest.raises(BadMapping):
        known.opened("csv", [file], mapping.parse(told.encode()))


def test_a_table_in_a_zip_with_its_files_is_a_load_file(store: Store, tmp_path: Path):
    how = mapping.parse(
        json.dumps(
            {
                "mapping": 1,
                "fields": {
                    "platform": {"value": "x"},
                    "page": "Account",
                    "native_id": "Post ID",
                    "kind": {"value": "post"},
                    "text": "Post Text",
                    "published_at": {
                        "column": "Date Posted",
                        "format": "%m/%d/%Y %H:%M",
                        "zone": "America/Juneau",
                    },
                    "attachments": {"column": "Native File"},
                },
            }
        ).encode()
    )
    desk = Desk(store, tmp_path / "desk", lambda files: known.opened("load-file", files, how))
    report = desk.receive(
        zipped(
            desk.folder / "export.zip",
            {"posts.csv": POSTED, "media/p1.png": b"bridge", "report.html": b"<p>", "report.pdf": b"%PDF"},
        )
    )
    assert (report.tally.new, report.gaps) == (1, [])
    assert [one["bytes"] for one in desk.told("p1")["attachments"]] == [6]
    assert set(left(report)) == {"report.html", "report.pdf"}


def test_a_form_that_needs_no_mapping_says_so_and_one_that_takes_none_too(tmp_path: Path):
    file = tmp_path / "a.csv"
    file.write_bytes(POSTED)
    with pytest.raises(BadMapping, match="read with a mapping"):
        known.opened("load-file", [file])
    how = mapping.parse(b'{"mapping": 1, "fields": {"native_id": "a", "kind": {"value": "post"}}}')
    with pytest.raises(BadMapping, match="read without a mapping"):
        known.opened("warc", [file], how)


def test_every_format_is_told_in_a_sentence_and_can_be_opened():
    opened = {*known.DOWNLOADS, *known.MAPPED, *known.TABLES, "observations"}
    assert opened == set(known.FORMATS)
