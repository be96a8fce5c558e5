"""A TikTok page's own download: its lists found wherever TikTok has put them, and every branch that was not taken by name."""

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

VIDEO = "7370000000000000002"
DATA: dict[str, Any] = {
    "Profile And Settings": {
        "Profile Info": {
            "App": 1,
            "ProfileMap": {
                "userName": "harrowfalls",
                "bioDescription": "Official page ☂",
                "emailAddress": "falls@town.example",
                "likesReceived": "90",
                "telephoneNumber": "N/A",
            },
        },
        "Block List": {"BlockList": [{"Date": "2026-01-01 00:00:00", "UserName": "troll"}]},
    },
    "Post": {
        "Posts": {
            "VideoList": [
                {
                    "Date": "2026-03-04 10:00:00",
                    "Link": f"https://www.tiktokv.com/share/video/{VIDEO}/",
                    "Likes": "12",
                    "WhoCanView": "Public",
                    "Title": "Bridge closed ☂",
                    "Sound": "original",
                    "Location": "N/A",
                },
                {"Date": "2026-03-04 11:00:00", "Link": "https://v16m.tiktokcdn.com/abc/video/tos/1", "Likes": "", "Title": "a", "WhoCanView": "Only me"},
                {"Date": "2026-03-04 12:00:00", "Link": "N/A", "Title": "b"},
                {"Date": "2026-03-04 12:00:00", "Link": "N/A", "Title": "c"},
            ]
        },
        "Recently Deleted Posts": {"PostList": [{"Date": "2026-03-05 10:00:00", "Title": "said in error"}]},
    },
    "Comment": {
        "Comments": {
            "CommentsList": [
                {"date": "2026-03-04 10:05:00", "comment": "We will look", "photo": "N/A", "url": f"https://www.tiktok.com/@kim/video/{VIDEO}"},
                {"date": "2026-03-04 10:05:00", "comment": "Thank you", "photo": "N/A", "url": "N/A"},
            ]
        }
    },
    "Direct Message": {
        "Direct Messages": {
            "ChatHistory": {
                "Chat History with kim:": [
                    {"Date": "2026-03-04 09:00:00", "From": "kim", "Content": "the lamp is out"},
                    {"Date": "2026-03-04 09:01:00", "From": "harrowfalls", "Content": "thank you"},
                ]
            }
        }
    },
    "TikTok Live": {
        "Go Live History": {"GoLiveList": [{"LiveStartTime": "2026-02-01 18:00:00", "RoomId": "88", "RoomTitle": "Council"}]},
        "Watch Live History": {
            "WatchLiveMap": {
                "99": {
                    "WatchTime": "2026-02-02 18:00:00",
                    "Link": "https://x",
                    "Comments": [{"CommentTime": "2026-02-02 18:05:00", "CommentContent": "hello from the Falls"}],
                    "Questions": None,
                }
            }
        },
    },
    "Your Activity": {"Watch History": {"VideoList": [{"Date": "2026-01-01 00:00:00", "Link": "https://www.tiktokv.com/share/video/1"}]}},
    "Income+ Wallet": {},
}  # fmt: skip


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, "tiktok-download"))


def packed(desk: Desk, data: object = None, more: Mapping[str, bytes] | None = None) -> Path:
    content = (
        data if isinstance(data, bytes) else json.dumps(data or DATA, indent=1, ensure_ascii=False).encode()
    )
    return zipped(desk.folder / "TikTok_Data.zip", {"user_data_tiktok.json": content, **(more or {})})


def by_text(desk: Desk) -> dict[str, Any]:
    return {str(one.version.fields.get("text", "")): desk.told(name) for name, one in desk.records().items()}


def test_everything_that_a_download_shows_is_received_on_the_page_whose_it_is(desk: Desk):
    report = desk.receive(packed(desk))
    assert (report.status, report.unreadable, report.gaps, report.tally.new) == ("complete", [], [], 13)
    with desk.store.database.read() as tx:
        assert [(page.platform, page.name) for page in pages.listed(tx)] == [("tiktok", "harrowfalls")]
    assert desk.sound()


def test_a_video_has_tiktoks_own_id_and_its_words_time_counts_and_who_can_see_it(desk: Desk):
    desk.receive(packed(desk))
    told = desk.told(VIDEO)
    assert (told["text"], told["published_at"], told["state"], told["counts"]) == (
        "Bridge closed ☂",
        "2026-03-04T10:00:00Z",
        "present",
        {"likes": 12},
    )
    assert told["author"]["handle"] == "harrowfalls"
    assert told["extra"]["Sound"] == "original"
    assert "Location" not in told["extra"]
    assert by_text(desk)["a"]["state"] == "hidden"
    assert by_text(desk)["b"]["state"] == "unknown"
    assert by_text(desk)["said in error"]["state"] == "gone"


def test_videos_of_one_second_without_an_id_stay_apart(desk: Desk):
    desk.receive(packed(desk))
    names = {by_text(desk)[one]["native_id"] for one in ("b", "c")}
    assert len(names) == 2
    assert by_text(desk)["a"]["native_id"] == "post:2026-03-04 11:00:00"


def test_what_the_page_wrote_is_received_with_what_it_answers(desk: Desk):
    desk.receive(packed(desk))
    told = by_text(desk)
    assert (told["We will look"]["kind"], told["We will look"]["in_reply_to"]) == (
        "reply",
        desk.told(VIDEO)["id"],
    )
    assert told["hello from the Falls"]["extra"]["live"] == "99"
    assert told["Council"]["native_id"] == "live:88"
    assert (told["the lamp is out"]["kind"], told["the lamp is out"]["author"]["handle"]) == (
        "message",
        "kim",
    )
    assert told["the lamp is out"]["extra"]["conversation"] == "kim"
    assert told["Official page ☂"]["extra"]["emailAddress"] == "falls@town.example"
    assert told["troll"]["native_id"] == "blocked"


def test_the_bytes_of_each_item_are_its_own_and_the_file_joins_to_itself(desk: Desk):
    content = json.dumps(DATA).encode()
    desk.receive(packed(desk, content))
    assert desk.kept() == {"user_data_tiktok.json": content}
    payloads = desk.records()[VIDEO].version.fields["payloads"]
    assert isinstance(payloads, list)
    assert min(one["bytes"] for one in payloads) < 400


def test_the_older_names_of_the_lists_are_known_too_and_the_file_by_itself_will_do(desk: Desk):
    older = {
        "Profile": {"Profile Information": {"ProfileMap": {"userName": "falls"}}},
        "Video": {
            "Videos": {"VideoList": [{"Date": "2021-03-04 10:00:00", "Link": "https://x", "Likes": "1"}]}
        },
        "Comment": {"Comments": {"CommentsList": [{"Date": "2021-03-04 10:05:00", "Comment": "yes"}]}},
        "Direct Messages": {"Chat History": {"ChatHistory": {}}},
        "App Settings": {"Block": {"BlockList": None}},
    }
    file = desk.folder / "user_data.json"
    file.write_text(json.dumps(older))
    report = desk.receive(file)
    assert (report.tally.new, report.unreadable) == (3, [])


def test_every_branch_and_file_that_was_not_taken_is_listed(desk: Desk):
    report = desk.receive(packed(desk, more={"Posts/1.mp4": b"film", "notes.txt": b"n"}))
    assert left(report) == {
        "user_data_tiktok.json · Your Activity": "2 texts that no field is known for; the bytes are kept with the items",
        "Posts/1.mp4": "no item that was taken names it",
        "notes.txt": "a kind of file that is not read",
    }


def test_the_same_again_brings_nothing_new(desk: Desk):
    file = packed(desk)
    desk.receive(file)
    again = desk.receive(file)
    assert (again.tally.new, again.tally.edited) == (0, 0)


@pytest.mark.parametrize(
    "item",
    [
        5,
        None,
        "words",
        [],
        {},
        {"Date": 5},
        {"Date": "soon"},
        {"Link": "http://[", "Date": "2026-03-04 10:00:00"},
    ],
)
def test_an_item_of_another_shape_stops_nothing(desk: Desk, item: object):
    data = {
        **DATA,
        "Post": {"Posts": {"VideoList": [item, {"Date": "2026-03-04 10:00:00", "Title": "after"}]}},
    }
    report = desk.receive(packed(desk, data))
    assert "after" in by_text(desk)
    assert report.unreadable_total <= 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-04 10:00:00", "2026-03-04T10:00:00Z"),
        ("2026-03-04T12:00:00+02:00", "2026-03-04T10:00:00Z"),
        ("2026-03-04 10:00:00 UTC", "2026-03-04T10:00:00Z"),
        ("2026-03-04", None),
        ("2026-W10", None),
        ("20260304", None),
    ],
)
def test_a_time_without_a_zone_is_utc_and_of_a_day_alone_no_moment_is_made(
    desk: Desk, written: str, read: str | None
):
    desk.receive(
        packed(
            desk,
            {
                "Comment": {"Comments": {"CommentsList": [{"date": written, "comment": "c"}]}},
                "Profile": {"Profile Info": {"ProfileMap": {"userName": "f"}}},
            },
        )
    )
    told = by_text(desk)["c"]
    assert told["published_at"] == read
    assert told["extra"].get("written_at") == (None if read else written)


def test_a_time_that_cannot_be_is_kept_as_it_stands(desk: Desk):
    data = {**DATA, "Post": {"Posts": {"VideoList": [{"Date": "1970-01-01 00:00:00", "Title": "odd"}]}}}
    report = desk.receive(packed(desk, data))
    assert by_text(desk)["odd"]["published_at"] is None
    assert by_text(desk)["odd"]["extra"]["written_at"] == "1970-01-01 00:00:00"
    assert any("1 times cannot be" in one for one in report.remarks)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"Post": 5}', b"[" * 9_000, b"\xff\xfe\x00"])
def test_a_file_that_is_none_is_refused_or_reported(desk: Desk, content: bytes):
    file = packed(desk, content)
    try:
        report = desk.receive(file)
    except BadFile:
        return
    assert (report.tally.new, report.unreadable_total) == (0, 1)


def test_a_download_as_text_is_refused_with_what_to_ask_for(desk: Desk):
    with pytest.raises(BadFile, match="nothing of a TikTok download") as refused:
        desk.receive(zipped(desk.folder / "t.zip", {"TikTok/Posts.txt": b"Date: 2026"}))
    assert "JSON" in str(refused.value.next)


def test_a_download_that_does_not_say_whose_it_is_wants_a_page(desk: Desk):
    with pytest.raises(BadFile, match="whose page"):
        desk.receive(packed(desk, {"Comment": DATA["Comment"]}))
