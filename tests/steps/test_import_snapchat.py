"""A Snapchat page's own download: chats, memories and stories with their files, and every branch that was not taken by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.capture import pages
from app.capture.formats import known
from app.capture.lines import BadFile
from app.store import Store
from tests.steps.receiving import Desk, left, zipped

ACCOUNT = {
    "Basic Information": {
        "Username": "harrowfalls",
        "Name": "Harrow Falls",
        "Creation Date": "2015-01-01 00:00:00 UTC",
    },
    "Login History": [{"IP": "192.0.2.1", "Country": "us"}],
}
CHATS: dict[str, Any] = {
    "kim": [
        {
            "From": "kim",
            "Media Type": "TEXT",
            "Created": "2026-03-04 10:00:00 UTC",
            "Content": "the lamp is out ☂",
            "Conversation Title": None,
            "IsSender": False,
            "Created(microseconds)": 1772618400000,
        },
        {
            "From": "harrowfalls",
            "Media Type": "MEDIA",
            "Created": "2026-03-04 10:01:00 UTC",
            "Content": None,
            "IsSender": True,
            "Media IDs": "b~one | b~gone",
        },
    ],
    "conv-1": [{"From": "sam", "Created": "2026-03-04 11:00:00 UTC", "Content": "hello", "Conversation Title": "Council", "IsSender": False}],
}  # fmt: skip
MEMORIES = {
    "Saved Media": [
        {
            "Date": "2026-03-01 08:00:00 UTC",
            "Media Type": "Image",
            "Location": "Latitude, Longitude: 1, 2",
            "Download Link": "https://app.snapchat.com/dmd/memories?uid=1&mid=ABC-1&ts=2",
        }
    ]
}
STORIES = {
    "Shared Story": [
        {
            "Story Id": "s1",
            "Story Url": "https://story.example/1",
            "Created": "2026-02-01 08:00:00 UTC",
            "Content": "Parade",
        }
    ],
    "Spotlight History": [
        {
            "Story Date": "2026-02-02 08:00:00 UTC",
            "Story URL": "https://story.example/2",
            "Action Type": "VIEW",
        }
    ],
}
FILES: dict[str, bytes] = {
    "json/account.json": json.dumps(ACCOUNT).encode(),
    "json/chat_history.json": json.dumps(CHATS, ensure_ascii=False).encode(),
    "json/memories_history.json": json.dumps(MEMORIES).encode(),
    "json/shared_story.json": json.dumps(STORIES).encode(),
    "json/snap_history.json": json.dumps({"kim": [{"From": "kim", "Media Type": "IMAGE"}]}).encode(),
    "chat_media/2026-03-04_b~one.jpg": b"lamp",
    "memories/2026-03-01_ABC-1-main.jpg": b"bridge",
    "memories/2026-03-01_ABC-1-overlay.png": b"over",
}


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, "snapchat-download"))


def packed(desk: Desk, more: Mapping[str, bytes | None] | None = None) -> Path:
    content = {**FILES, **(more or {})}
    return zipped(
        desk.folder / "mydata~1.zip", {path: one for path, one in content.items() if one is not None}
    )


def by_text(desk: Desk) -> dict[str, Any]:
    return {str(one.version.fields.get("text", "")): desk.told(name) for name, one in desk.records().items()}


def test_everything_that_a_download_shows_is_received_on_the_page_whose_it_is(desk: Desk):
    report = desk.receive(packed(desk))
    assert (report.unreadable, report.tally.new) == ([], 6)
    assert [gap.what for gap in report.gaps] == ["an attachment"]
    with desk.store.database.read() as tx:
        assert [(page.platform, page.name) for page in pages.listed(tx)] == [("snapchat", "harrowfalls")]
    assert desk.sound()


def test_a_message_is_private_with_its_conversation_its_writer_and_its_files(desk: Desk):
    desk.receive(packed(desk))
    told = by_text(desk)
    assert (told["the lamp is out ☂"]["kind"], told["the lamp is out ☂"]["published_at"]) == (
        "message",
        "2026-03-04T10:00:00Z",
    )
    assert told["the lamp is out ☂"]["author"]["handle"] == "kim"
    assert told["hello"]["extra"]["conversation"] == "Council"
    sent = next(one for one in map(desk.told, desk.records()) if len(one["attachments"]) == 2)
    assert sent["author"]["handle"] == "harrowfalls"
    assert [one["state"] for one in sent["attachments"]] == ["kept", "missing"]


def test_memories_are_not_shown_to_the_public_and_stories_may_be(desk: Desk):
    desk.receive(packed(desk))
    memory = desk.told("memory:ABC-1")
    assert (memory["state"], [one["bytes"] for one in memory["attachments"]]) == ("hidden", [6])
    assert (desk.told("story:s1")["state"], desk.told("story:s1")["text"]) == ("unknown", "Parade")


def test_older_downloads_divide_chats_by_sent_and_received(desk: Desk):
    older = {
        "Received Saved Chat History": [
            {"From": "kim", "Media Type": "TEXT", "Created": "2021-01-01 12:00:00 UTC", "Text": "hi"}
        ],
        "Sent Saved Chat History": [
            {"To": "kim", "Media Type": "TEXT", "Created": "2021-01-01 12:01:00 UTC", "Text": "hello kim"}
        ],
    }
    desk.receive(packed(desk, {"json/chat_history.json": json.dumps(older).encode()}))
    told = by_text(desk)
    assert (told["hi"]["author"]["handle"], told["hello kim"]["author"]["handle"]) == ("kim", "harrowfalls")
    assert told["hello kim"]["extra"]["conversation"] == "kim"


def test_the_bytes_of_each_file_are_kept_whole(desk: Desk):
    desk.receive(packed(desk))
    names = ("account", "chat_history", "memories_history", "shared_story")
    assert desk.kept() == {f"json/{name}.json": FILES[f"json/{name}.json"] for name in names}


def test_every_branch_and_file_that_was_not_taken_is_listed(desk: Desk):
    report = desk.receive(packed(desk, {"index.html": b"<html>", "chat_media/2026-03-04_b~other.mp4": b"x"}))
    assert left(report) == {
        "json/account.json · Login History": "2 texts that no field is known for; the bytes are kept with the items",
        "json/shared_story.json · Spotlight History": "3 texts that no field is known for; the bytes are kept with the items",
        "json/snap_history.json": "no item that is known; it holds 2 texts",
        "memories/2026-03-01_ABC-1-overlay.png": "no item that was taken names it",
        "chat_media/2026-03-04_b~other.mp4": "no item that was taken names it",
        "index.html": "HTML, which is not read",
    }


def test_the_same_again_brings_nothing_new(desk: Desk):
    file = packed(desk)
    desk.receive(file)
    again = desk.receive(file)
    assert (again.tally.new, again.tally.edited) == (0, 0)


def test_a_story_that_was_only_looked_at_is_no_record(desk: Desk):
    seen = {
        "Shared Story": [
            {"Story Date": "2026-02-02 08:00:00 UTC", "Story URL": "https://x", "Action Type": "VIEW"}
        ]
    }
    report = desk.receive(packed(desk, {"json/shared_story.json": json.dumps(seen).encode()}))
    assert report.unreadable_total == 1
    assert "looked at" in report.unreadable[0][1]


@pytest.mark.parametrize(
    "item", [5, None, "words", [], {}, {"Created": 5}, {"Media IDs": "|", "Created": "soon", "Content": "x"}]
)
def test_an_item_of_another_shape_stops_nothing(desk: Desk, item: object):
    chats = {
        "kim": [item, {"From": "kim", "Created": "2026-03-04 10:00:00 UTC", "Content": "after"}],
        "odd": 5,
    }
    report = desk.receive(packed(desk, {"json/chat_history.json": json.dumps(chats).encode()}))
    assert "after" in by_text(desk)
    assert report.unreadable_total <= 1


@pytest.mark.parametrize("content", [b"{", b"[" * 9_000, b"\xff\xfe\x00"])
def test_a_file_that_is_damaged_is_reported_with_its_bytes(desk: Desk, content: bytes):
    report = desk.receive(packed(desk, {"json/chat_history.json": content}))
    assert report.unreadable_total == 1
    assert desk.kept()["json/chat_history.json"] == content


def test_a_download_in_html_is_refused_with_what_to_ask_for(desk: Desk):
    with pytest.raises(BadFile, match="nothing of a Snapchat download") as refused:
        desk.receive(zipped(desk.folder / "m.zip", {"html/chat_history.html": b"<p>"}))
    assert "JSON" in str(refused.value.next)


def test_a_download_that_does_not_say_whose_it_is_wants_a_page(desk: Desk):
    with pytest.raises(BadFile, match="whose page"):
        desk.receive(packed(desk, {"json/account.json": None}))
