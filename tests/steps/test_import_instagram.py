"""An Instagram page's own download: everything in it is received or listed, and nothing is made up."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from app.capture import pages
from app.capture.formats import known
from app.capture.lines import BadFile
from app.store import Store
from tests.steps.receiving import OFFICER, Desk, left, unpacked, zipped

SECOND = 1_772_618_400
DAY = "2026-03-04T10:00:0"
ROOT = "your_instagram_activity/"
PERSONAL = "personal_information/personal_information/personal_information.json"


def broken(value: object) -> bytes:
    """JSON as Instagram writes it: every byte of UTF-8 an escaped character of its own."""

    def told(one: object) -> object:
        if isinstance(one, str):
            return one.encode().decode("latin-1")
        if isinstance(one, list):
            return [told(item) for item in one]
        if isinstance(one, dict):
            return {told(name): told(item) for name, item in one.items()}
        return one

    return json.dumps(told(value), indent=2).encode()


def media(uri: str, second: int, title: str = "") -> dict[str, object]:
    return {
        "uri": uri,
        "creation_timestamp": second,
        "media_metadata": {"camera_metadata": {"has_camera_metadata": False}},
        "title": title,
        "cross_post_source": {"source_app": "FB"},
    }


def comment(text: str, whose: str, second: int, labels: tuple[str, str, str]) -> dict[str, object]:
    return {
        "media_list_data": [{"uri": ""}],
        "string_map_data": {
            labels[0]: {"value": text},
            labels[1]: {"value": whose},
            labels[2]: {"timestamp": second},
        },
    }


ENGLISH = ("Comment", "Media Owner", "Time")
POSTS = [
    {"media": [media("media/posts/202603/1.jpg", SECOND, "Café on the bridge 🌉")]},
    {
        "media": [
            media("media/posts/202603/2.jpg", SECOND + 1),
            media("media/posts/202603/3.mp4", SECOND + 1, "the band plays"),
        ],
        "title": "Parade",
        "creation_timestamp": SECOND + 2,
    },
    {"media": [media("media/posts/202603/4.jpg", SECOND + 5, "first of two")]},
    {"media": [media("media/posts/202603/5.jpg", SECOND + 5, "second of two")]},
]
MESSAGES = {
    "participants": [{"name": "Zoë Ray"}, {"name": "Harrow Falls"}],
    "messages": [
        {"sender_name": "Harrow Falls", "timestamp_ms": (SECOND + 41) * 1000, "content": "thank you"},
        {
            "sender_name": "Zoë Ray",
            "timestamp_ms": (SECOND + 40) * 1000,
            "content": "the lamp is out",
            "photos": [{"uri": ROOT + "messages/inbox/zoe_1/photos/6.jpg", "creation_timestamp": SECOND}],
        },
    ],
    "title": "Zoë Ray",
    "thread_path": "inbox/zoe_1",
    "magic_words": [],
    "theme": {"name": "Lo-Fi"},
}
PROFILE = {
    "profile_user": [
        {
            "title": "",
            "media_map_data": {"Profile Photo": {"uri": "media/other/7.jpg", "creation_timestamp": SECOND}},
            "string_map_data": {
                "Username": {"href": "", "value": "harrowfalls", "timestamp": 0},
                "Bio": {"href": "", "value": "Messages aren’t monitored", "timestamp": 0},
            },
        }
    ]
}
JSON: dict[str, object] = {
    ROOT + "media/posts_1.json": POSTS,
    ROOT + "media/stories.json": {"ig_stories": [media("media/stories/8.jpg", SECOND + 10, "road closed")]},
    ROOT + "media/archived_posts.json": {
        "ig_archived_post_media": [{"media": [media("media/posts/9.jpg", SECOND + 20, "withdrawn")]}]
    },
    ROOT + "comments/post_comments_1.json": [comment("we’ll look", "zoe.ray", SECOND + 30, ENGLISH)],
    ROOT + "comments/reels_comments.json": {
        "comments_reels_comments": [comment("merci", "kim", SECOND + 31, ("Ord", "Ejer", "Tid"))]
    },
    ROOT + "messages/inbox/zoe_1/message_1.json": MESSAGES,
    PERSONAL: PROFILE,
}
MEDIA = {
    **{f"media/posts/202603/{number}": b"picture" for number in ("1.jpg", "2.jpg", "3.mp4", "4.jpg", "5.jpg")},
    "media/stories/8.jpg": b"story",
    "media/posts/9.jpg": b"nine of nine",
    "media/other/7.jpg": b"face",
    ROOT + "messages/inbox/zoe_1/photos/6.jpg": b"lamp",
}  # fmt: skip


def files(json_files: Mapping[str, object] = JSON, others: Mapping[str, bytes] = MEDIA) -> dict[str, bytes]:
    return {name: broken(value) for name, value in json_files.items()} | dict(others)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, "instagram-download"))


def packed(
    desk: Desk, content: Mapping[str, bytes] | None = None, name: str = "instagram-falls-1.zip"
) -> Path:
    return zipped(desk.folder / name, files() if content is None else content)


# -- what is in it -----------------------------------------------------------------------------------------


def test_everything_that_a_download_shows_is_received_on_the_page_whose_it_is(desk: Desk):
    report = desk.receive(packed(desk))
    assert (report.status, report.unreadable, report.gaps, report.tally.new) == ("complete", [], [], 11)
    kinds = sorted((one.kind, one.private) for one in desk.records().values())
    assert (
        kinds
        == [("message", True)] * 2 + [("post", False)] * 6 + [("profile", False)] + [("reply", False)] * 2
    )
    with desk.store.database.read() as tx:
        assert [(page.platform, page.name, page.approved) for page in pages.listed(tx)] == [
            ("instagram", "harrowfalls", False)
        ]
    assert desk.sound()


def test_a_post_has_its_words_put_right_its_time_its_files_and_all_the_rest(desk: Desk):
    desk.receive(packed(desk))
    one, several = desk.told(f"post:{SECOND}"), desk.told(f"post:{SECOND + 2}")
    assert (one["text"], one["published_at"], one["author"]["handle"]) == (
        "Café on the bridge 🌉",
        f"{DAY}0Z",
        "harrowfalls",
    )
    assert (one["state"], one["extra"]["encoding_put_right"]) == ("present", 1)
    assert one["extra"]["media"][0]["cross_post_source"] == {"source_app": "FB"}
    assert (several["text"], [file["state"] for file in several["attachments"]]) == (
        "Parade",
        ["kept", "kept"],
    )
    assert several["extra"]["media"][1]["title"] == "the band plays"


def test_a_story_and_an_archived_post_are_not_said_to_be_shown(desk: Desk):
    desk.receive(packed(desk))
    story, archived = desk.told(f"story:{SECOND + 10}"), desk.told(f"post:{SECOND + 20}")
    assert (story["state"], story["extra"]["shown_until"]) == ("unknown", "2026-03-05T10:00:10+00:00")
    assert (archived["state"], archived["extra"]["listed_as"]) == ("hidden", "archived")


def test_a_comment_whose_labels_are_known_has_its_words_alone_and_others_keep_their_labels(desk: Desk):
    desk.receive(packed(desk))
    known, foreign = desk.told(f"comment:{SECOND + 30}"), desk.told(f"comment:{SECOND + 31}")
    assert (known["text"], known["extra"]["on_a_post_of"]) == ("we’ll look", "zoe.ray")
    assert foreign["text"] == "Ord: merci\nEjer: kim"
    assert (known["in_reply_to"], foreign["published_at"]) == (None, "2026-03-04T10:00:31Z")


def test_an_older_comment_and_one_in_the_newest_form_are_read_too(desk: Desk):
    older = {
        "comments_media_comments": [
            {"title": "kim", "string_list_data": [{"value": "older words", "timestamp": SECOND}]}
        ]
    }
    newest = [
        {
            "timestamp": SECOND + 1,
            "media": [],
            "label_values": [{"label": "Kommentar", "value": "nye ord"}, {"label": "Ejer", "value": "kim"}],
            "fbid": "17900",
        }
    ]
    content = {ROOT + "comments/post_comments.json": older, ROOT + "comments/post_comments_1.json": newest}
    desk.receive(packed(desk, files({**content, PERSONAL: PROFILE})))
    assert desk.told(f"comment:{SECOND}")["extra"]["on_a_post_of"] == "kim"
    assert desk.told("comment:17900")["text"] == "Kommentar: nye ord\nEjer: kim"


def test_messages_are_private_and_bear_their_thread_and_files(desk: Desk):
    desk.receive(packed(desk))
    (told,) = [
        desk.told(name)
        for name in desk.records()
        if name.startswith(f"message:inbox/zoe_1:{(SECOND + 40) * 1000}")
    ]
    assert (told["kind"], told["author"]["name"], told["extra"]["thread_title"]) == (
        "message",
        "Zoë Ray",
        "Zoë Ray",
    )
    assert [one["state"] for one in told["attachments"]] == ["kept"]


def test_the_introduction_is_a_profile_with_its_picture(desk: Desk):
    desk.receive(packed(desk))
    told = desk.told("profile:personal_information")
    assert "Bio: Messages aren’t monitored" in told["text"]
    assert [one["state"] for one in told["attachments"]] == ["kept"]


def test_the_bytes_of_every_file_that_is_understood_join_to_the_file(desk: Desk):
    content = files()
    desk.receive(packed(desk, content))
    assert desk.kept() == {name: one for name, one in content.items() if name.endswith(".json")}


# -- what is not taken -------------------------------------------------------------------------------------


def test_every_file_and_branch_that_is_not_taken_is_listed_by_name_with_why(desk: Desk):
    more = {
        "connections/followers_1.json": b'[{"string_list_data": [{"value": "kim"}]}]',
        "start_here.html": b"<html>",
        "media/posts/202603/99.jpg": b"nobody's",
        "notes.bin": b"\x00",
    }
    report = desk.receive(packed(desk, files() | more))
    message = ROOT + "messages/inbox/zoe_1/message_1.json"
    assert left(report) == {
        "connections/followers_1.json": "no item that is known; it holds 1 texts",
        f"{message} · participants": "2 texts that no field is known for; the bytes are kept with the items",
        f"{message} · theme": "1 texts that no field is known for; the bytes are kept with the items",
        "start_here.html": "HTML, which is not read; ask for the download in JSON",
        "media/posts/202603/99.jpg": "no item that was taken names it",
        "notes.bin": "a kind of file that is not read",
    }
    assert json.dumps(report.as_dict())


def test_a_file_that_is_cut_is_reported_its_bytes_are_kept_and_the_others_are_received(desk: Desk):
    cut = broken(POSTS)[:-40]
    report = desk.receive(packed(desk, files() | {ROOT + "media/posts_2.json": cut}))
    ((_, why),) = report.unreadable
    assert (report.status, report.tally.new) == ("partial", 11)
    assert why.startswith(f"{ROOT}media/posts_2.json: not JSON")
    assert desk.kept()[ROOT + "media/posts_2.json"] == cut


def test_an_item_of_another_shape_costs_itself_alone(desk: Desk):
    posts = [{"creation_timestamp": SECOND, "poll": {"a": 1}}, POSTS[1]]
    report = desk.receive(packed(desk, files({**JSON, ROOT + "media/posts_1.json": posts})))
    ((number, why),) = report.unreadable
    assert (number, "neither words nor files" in why, f"post:{SECOND}" in desk.records()) == (1, True, False)
    assert desk.told(f"post:{SECOND + 2}")["text"] == "Parade"


def test_what_is_nested_too_deeply_is_reported_and_not_read(desk: Desk):
    deep = b"[" * 500 + b"]" * 500
    report = desk.receive(packed(desk, files() | {ROOT + "media/posts_2.json": deep}))
    ((_, why),) = report.unreadable
    assert "nested too deeply" in why
    assert report.tally.new == 11


def test_a_picture_that_the_download_lacks_is_a_gap(desk: Desk):
    report = desk.receive(packed(desk, files(others={})))
    assert (report.status, {gap.what for gap in report.gaps}) == ("partial", {"an attachment"})
    assert report.tally.new == 11


def test_a_time_before_instagram_is_kept_as_it_is_and_no_date_is_made_of_it(desk: Desk):
    posts = [{"media": [media("media/posts/202603/1.jpg", -62169958800, "old")]}]
    report = desk.receive(packed(desk, files({**JSON, ROOT + "media/posts_1.json": posts})))
    told = desk.told("post:-62169958800")
    assert (told["published_at"], told["extra"]["timestamp_as_given"]) == (None, -62169958800)
    assert any(one.startswith("1 times cannot be") for one in report.remarks)


@pytest.mark.parametrize(
    ("content", "next_"),
    [
        ({"index.html": b"<html>"}, "JSON"),
        ({"data/tweets.js": b"window"}, "JSON"),
        ({"a.json": b"{}"}, "JSON"),
        ({"your_facebook_activity/messages/inbox/a/message_1.json": broken(MESSAGES)}, "facebook-download"),
    ],
)
def test_what_is_no_download_of_instagram_s_in_json_is_refused(
    desk: Desk, content: dict[str, bytes], next_: str
):
    with pytest.raises(BadFile) as refused:
        desk.receive(packed(desk, content, "download.zip"))
    assert next_ in refused.value.next


def test_a_download_that_does_not_say_whose_it_is_needs_a_page(desk: Desk):
    file = packed(desk, files({ROOT + "media/posts_1.json": POSTS}))
    with pytest.raises(BadFile, match="whose page"):
        desk.receive(file)
    with desk.store.database.begin() as tx:
        page = pages.add(
            desk.store, tx, connector="import", platform="instagram", address="", name="Falls", by=OFFICER, why="test"
        )  # fmt: skip
    assert desk.receive(file, page=page).tally.new == 4


# -- encoding, ids, the same again ---------------------------------------------------------------------------


def test_a_file_that_was_written_properly_is_not_touched(desk: Desk):
    posts = [{"media": [media("media/posts/202603/1.jpg", SECOND, "they wrote Ã© and 🚧")]}]
    desk.receive(packed(desk, files() | {ROOT + "media/posts_1.json": json.dumps(posts).encode()}))
    told = desk.told(f"post:{SECOND}")
    assert told["text"] == "they wrote Ã© and 🚧"
    assert "encoding_put_right" not in told["extra"]


def test_posts_of_one_second_are_told_apart_by_their_files(desk: Desk):
    report = desk.receive(packed(desk))
    texts = sorted(
        str(one.version.text("text"))
        for name, one in desk.records().items()
        if name.startswith(f"post:{SECOND + 5}:")
    )
    assert texts == ["first of two", "second of two"]
    assert "2 items share their second with another" in report.remarks


def test_the_same_again_brings_nothing_and_a_later_download_what_is_new_and_what_was_edited(desk: Desk):
    desk.receive(packed(desk))
    again = desk.receive(packed(desk))
    assert (again.tally.new, again.tally.edited, again.tally.unchanged) == (0, 0, 11)
    posts = [
        {"media": [media("media/posts/202603/1.jpg", SECOND, "reworded")]},
        *POSTS[1:2],
        {"media": [media("media/posts/202603/4.jpg", SECOND + 5, "first of two, reworded")]},
        POSTS[3],
        {"media": [media("media/posts/202603/2.jpg", SECOND + 99, "new")]},
    ]
    later = desk.receive(
        packed(desk, files({**JSON, ROOT + "media/posts_1.json": posts}), "instagram-falls-b.zip")
    )
    assert (later.tally.new, later.tally.edited, later.tally.unchanged) == (1, 2, 9)
    assert desk.sound()


# -- ZIP files and folders ---------------------------------------------------------------------------------


def test_a_folder_is_the_same_and_a_link_in_it_is_not_followed(desk: Desk, tmp_path: Path):
    folder = unpacked(tmp_path / "instagram-falls", files())
    (tmp_path / "secret.json").write_bytes(broken(POSTS))
    (folder / ROOT / "media" / "posts_9.json").symlink_to(tmp_path / "secret.json")
    report = desk.receive(folder)
    assert (report.status, report.tally.new) == ("complete", 11)
    assert "symbolic link" in left(report)[f"{ROOT}media/posts_9.json"]


def test_names_that_lead_out_links_and_bombs_are_left_and_listed(desk: Desk):
    file = desk.folder / "instagram-falls-1.zip"
    link = zipfile.ZipInfo(ROOT + "media/posts_8.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = ["../posts_3.json", "/etc/posts_4.json", "a\\..\\posts_5.json", "C:/posts_6.json"]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files().items():
            made.writestr(name, content)
        for name in out:
            made.writestr(name, broken(POSTS))
        made.writestr(link, "/etc/passwd")
        made.writestr(ROOT + "media/posts_7.json", bytes(80 << 20))
    report = desk.receive(file)
    told = left(report)
    assert [name for name, why in told.items() if why == "its path leads out of the download"] == out
    assert "symbolic link" in told[ROOT + "media/posts_8.json"]
    assert "unfold" in told[ROOT + "media/posts_7.json"]
    assert report.tally.new == 11


def test_a_picture_whose_bytes_are_damaged_is_a_gap_and_the_rest_is_received(desk: Desk):
    file = zipped(desk.folder / "instagram-falls-1.zip", files(), packing=zipfile.ZIP_STORED)
    file.write_bytes(file.read_bytes().replace(b"nine of nine", b"nine of Nine", 1))
    report = desk.receive(file)
    (gap,) = report.gaps
    assert "cut or damaged" in gap.why
    assert (report.tally.new, desk.sound()) == (11, True)


def test_a_preview_keeps_nothing(desk: Desk):
    told = desk.preview(packed(desk))
    assert (told.readable, told.unreadable_total, told.missing_pages) == (
        11,
        0,
        [("instagram", "harrowfalls")],
    )
    assert (told.attachments, told.attachments_missing.times) == (9, 0)
    assert desk.records() == {}
