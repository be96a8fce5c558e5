"""A YouTube channel's takeout from Google: its tables row by row, in any language that can be told, and the rest by name."""

from __future__ import annotations

import csv
import io
import json
import stat
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from app.capture import pages
from app.capture.formats import known, takeout_items
from app.capture.lines import BadFile
from app.store import Store
from tests.steps.receiving import Desk, left, unpacked, zipped

ROOT = "Takeout/YouTube and YouTube Music/"
OURS = "UC" + "a" * 22
OTHER = "UC" + "b" * 22
FIRST, SECOND = "Ugx" + "c" * 20, "Ugx" + "d" * 20
COMMENT_COLUMNS = (
    "Comment ID",
    "Channel ID",
    "Comment Create Timestamp",
    "Price",
    "Parent Comment ID",
    "Video ID",
    "Comment Text",
)
CHAT_COLUMNS = (
    "Live Chat ID",
    "Channel ID",
    "Live Chat Create Timestamp",
    "Price",
    "Video ID",
    "Live Chat Text",
)


def table(*rows: Sequence[str]) -> bytes:
    told = io.StringIO()
    csv.writer(told).writerows(rows)
    return told.getvalue().encode()


def segments(*texts: str) -> str:
    return json.dumps({"takeoutSegments": [{"text": text} for text in texts]}, ensure_ascii=False)


COMMENT_ROWS = (
    (FIRST, OURS, "2026-03-04T10:00:00.123456+00:00", "0", "", "vid00000001", segments("Café, ", "open “now”")),
    (f"{FIRST}.{SECOND}", OURS, "2026-03-04T10:01:00+00:00", "0", FIRST, "vid00000001", '{"text":"two\nlines"},{"text":" more"}'),
    (SECOND, OURS, "2026-03-04T10:02:00+00:00", "0", "", "vid00000009", "plain words"),
)  # fmt: skip
VIDEO_COLUMNS = (
    "Video ID",
    "Approx Duration (ms)",
    "Video Audio Language",
    "Video Category",
    "Video Description (Original)",
    "Channel ID",
    "Tag 1",
    "Video Title (Original)",
    "Privacy",
    "Video State",
    "Video Create Timestamp",
    "Video Publish Timestamp",
)
LONG = "How the council decides on roads and bridges, part one of a long evening"
VIDEO_ROWS = (
    ("vid00000001", "1000", "en", "News", "Line one\nline two", OURS, "roads", "Parade: 2026?", "Public", "Processed",
     "2026-03-01T00:00:00+00:00", "2026-03-02T08:00:00+00:00"),
    ("vid00000002", "1000", "", "News", "", OURS, "", "Meeting", "Private", "Processed", "2026-03-01T00:00:00+00:00", ""),
    ("vid00000003", "1000", "", "News", "", OURS, "", "Meeting", "Unlisted", "Processed", "2026-03-01T00:00:00+00:00",
     "2026-03-03 08:00:00 UTC"),
    ("vid00000004", "1000", "", "News", "", OURS, "", LONG, "Restricted", "Processed", "2026-03-01T00:00:00+00:00",
     "2026-03-04T08:00:00+00:00"),
)  # fmt: skip
FILES: dict[str, bytes] = {
    ROOT + "channels/channel.csv": table(
        ("Channel ID", "Channel Title (Original)", "Channel Visibility"), (OURS, "Harrow Falls", "Public")
    ),
    ROOT + "comments/comments.csv": table(COMMENT_COLUMNS, *COMMENT_ROWS) + b"\r\n\r\n",
    ROOT + "live chats/live chats.csv": table(
        CHAT_COLUMNS,
        ("Lcc" + "e" * 20, OURS, "2026-03-04T11:00:00+00:00", "5", "vid00000001", segments("hello")),
    ),
    ROOT + "posts/posts.csv": table(
        ("Post ID", "Channel ID", "Post Create Timestamp", "Post Text", "Image Name 1"),
        ("Ugk" + "f" * 20, OURS, "2026-03-04T12:00:00+00:00", segments("Snow today"), "snow.png"),
    ),
    ROOT + "video metadata/videos.csv": table(VIDEO_COLUMNS, *VIDEO_ROWS),
}
MEDIA = {
    ROOT + "videos/Parade_ 2026_.mp4": b"parade",
    ROOT + "videos/Meeting.mp4": b"a meeting",
    ROOT + f"videos/{LONG[:47].replace(',', '_')}.mp4": b"evening",
    ROOT + "posts/snow.png": b"snow of snows",
}


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, "youtube-takeout"))


def packed(
    desk: Desk, more: Mapping[str, bytes | None] | None = None, name: str = "takeout-1-001.zip"
) -> Path:
    content = FILES | MEDIA | dict(more or {})
    return zipped(desk.folder / name, {path: one for path, one in content.items() if one is not None})


# -- what is in it -----------------------------------------------------------------------------------------


def test_everything_that_the_channel_wrote_is_received_on_the_page_whose_it_is(desk: Desk):
    report = desk.receive(packed(desk))
    assert (report.status, report.unreadable, report.gaps, report.tally.new) == ("complete", [], [], 10)
    kinds = sorted(one.kind for one in desk.records().values())
    assert kinds == ["post"] * 5 + ["profile"] + ["reply"] * 4
    with desk.store.database.read() as tx:
        assert [(page.platform, page.name, page.approved) for page in pages.listed(tx)] == [
            ("youtube", "Harrow Falls", False)
        ]
    assert desk.sound()


def test_a_comment_has_its_words_out_of_either_form_its_time_and_what_it_answers(desk: Desk):
    desk.receive(packed(desk))
    first, reply = desk.told(f"vid00000001/{FIRST}"), desk.told(f"vid00000001/{FIRST}.{SECOND}")
    assert (first["text"], first["published_at"]) == ("Café, open “now”", "2026-03-04T10:00:00.123456Z")
    assert first["author"] == {"id": OURS, "name": "Harrow Falls", "handle": None}
    assert first["url"] == f"https://www.youtube.com/watch?v=vid00000001&lc={FIRST}"
    assert reply["text"] == "two\nlines more"
    assert desk.told(f"vid00000009/{SECOND}")["text"] == "plain words"
    held = desk.records()
    assert held[f"vid00000001/{FIRST}.{SECOND}"].in_reply_to == held[f"vid00000001/{FIRST}"].id
    assert held[f"vid00000001/{FIRST}"].in_reply_to == held["vid00000001"].id


@pytest.mark.parametrize(
    "written", ['{"takeoutSegments":[{"text":5}]}', '{"text":["a"]}', '{"text":"a', '{"a":"b"}']
)
def test_a_comment_of_a_shape_that_is_not_known_shows_what_stands_there(desk: Desk, written: str):
    row = (FIRST, OURS, "2026-03-04T10:00:00+00:00", "0", "", "vid00000001", written)
    report = desk.receive(packed(desk, {ROOT + "comments/comments.csv": table(COMMENT_COLUMNS, row)}))
    assert not report.unreadable
    assert desk.told(f"vid00000001/{FIRST}")["text"] == written


def test_what_was_written_in_a_live_chat_stands_under_its_video(desk: Desk):
    desk.receive(packed(desk))
    held = desk.records()
    (chat,) = [one for name, one in held.items() if name.startswith("chat:")]
    assert (chat.version.text("text"), chat.in_reply_to) == ("hello", held["vid00000001"].id)


def test_a_video_has_its_words_its_state_and_when_it_was_published(desk: Desk):
    desk.receive(packed(desk))
    told = desk.told("vid00000001")
    assert told["text"] == "Parade: 2026?\n\nLine one\nline two"
    assert (told["published_at"], told["state"]) == ("2026-03-02T08:00:00Z", "present")
    assert (told["extra"]["tag 1"], told["extra"]["privacy"]) == ("roads", "Public")
    states = [desk.told(f"vid0000000{number}")["state"] for number in (2, 3, 4)]
    assert states == ["hidden", "hidden", "unknown"]
    assert desk.told("vid00000003")["published_at"] == "2026-03-03T08:00:00Z"
    assert desk.told("vid00000002")["published_at"] is None


def test_a_file_is_put_to_the_only_video_of_its_title_and_said_so_and_to_none_of_two(desk: Desk):
    report = desk.receive(packed(desk))
    for number in (1, 4):
        told = desk.told(f"vid0000000{number}")
        assert [one["state"] for one in told["attachments"]] == ["kept"]
        assert told["extra"]["file_known_by"] == "its name, which is the title's"
    assert [desk.told(f"vid0000000{number}")["attachments"] for number in (2, 3)] == [[], []]
    assert left(report) == {ROOT + "videos/Meeting.mp4": "no video's title, or more than one, fits its name"}
    assert any(one.startswith("2 videos are put to their files by the title alone") for one in report.remarks)


def test_a_post_of_the_channel_has_its_picture(desk: Desk):
    desk.receive(packed(desk))
    told = desk.told("Ugk" + "f" * 20)
    assert (told["text"], [one["state"] for one in told["attachments"]]) == ("Snow today", ["kept"])


def test_comments_are_known_by_what_stands_in_them_where_their_columns_have_other_names(desk: Desk):
    foreign = table([f"Spalte {number}" for number in range(7)], *COMMENT_ROWS)
    report = desk.receive(packed(desk, {ROOT + "comments/comments.csv": foreign}))
    assert report.tally.new == 10
    assert desk.told(f"vid00000001/{FIRST}")["text"] == "Café, open “now”"


def test_a_table_of_other_columns_whose_cells_do_not_fit_is_listed_and_nothing_is_guessed(desk: Desk):
    rows = [("a", "b", "c", "d", "e", "f", "g"), *(row[::-1] for row in COMMENT_ROWS)]
    report = desk.receive(packed(desk, {ROOT + "comments/comments.csv": table(*rows)}))
    why = left(report)[ROOT + "comments/comments.csv"]
    assert why == "a table whose columns are not known (a, b, c, d, e, f, g); it has 3 rows"
    assert report.tally.new == 7


def test_a_takeout_of_several_channels_gives_each_its_own_page(desk: Desk):
    channels = table(
        ("Channel ID", "Channel Title (Original)"), (OURS, "Harrow Falls"), (OTHER, "Harrow Falls Parks")
    )
    comments = table(
        COMMENT_COLUMNS,
        *COMMENT_ROWS[:2],
        (SECOND, OTHER, "2026-03-04T10:02:00+00:00", "0", "", "vid00000009", "of the parks"),
        ("Ugx" + "z" * 20, "UC" + "x" * 22, "2026-03-04T10:03:00+00:00", "0", "", "vid00000009", "whose?"),
    )
    report = desk.receive(
        packed(desk, {ROOT + "channels/channel.csv": channels, ROOT + "comments/comments.csv": comments})
    )
    ((_, why),) = report.unreadable
    assert "none of the channels" in why
    names = {one.page.name for name, one in desk.records().items() if name == f"vid00000009/{SECOND}"}
    assert names == {"Harrow Falls Parks"}


def test_the_bytes_of_every_table_that_is_understood_join_to_the_file(desk: Desk):
    desk.receive(packed(desk))
    assert desk.kept() == FILES


# -- what is not taken -------------------------------------------------------------------------------------


def test_every_file_that_is_not_taken_is_listed_by_name_with_why(desk: Desk):
    more = {
        ROOT + "subscriptions/subscriptions.csv": table(
            ("Channel Id", "Channel Url", "Channel Title"), ("UC1", "u", "kim")
        ),
        ROOT + "history/watch-history.html": b"<html>",
        ROOT + "posts/other.png": b"?",
        "Takeout/archive_browser.html": b"<html>",
        "Takeout/Google Photos/Parade 2026.mp4": b"somebody's own film",
    }
    told = left(desk.receive(packed(desk, more)))
    del told[ROOT + "videos/Meeting.mp4"]
    assert told == {
        ROOT
        + "subscriptions/subscriptions.csv": "a table whose columns are not known (Channel Id, Channel Url, Channel Title); it has 1 rows",
        ROOT + "history/watch-history.html": "HTML, which is not read",
        ROOT + "posts/other.png": "no item that was taken names it",
        "Takeout/archive_browser.html": "HTML, which is not read",
        "Takeout/Google Photos/Parade 2026.mp4": "no video's title, or more than one, fits its name",
    }


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_a_table_that_was_saved_anew_with_other_signs_is_named_with_what_to_do_and_its_bytes_are_kept(
    desk: Desk, sign: str
):
    told = io.StringIO()
    csv.writer(told, delimiter=sign).writerows([COMMENT_COLUMNS, *COMMENT_ROWS])
    path, content = ROOT + "comments/comments.csv", b"\xef\xbb\xbf" + told.getvalue().encode()
    report = desk.receive(packed(desk, {path: content}))
    ((_, why),) = report.unreadable
    assert (report.status, report.tally.new) == ("partial", 7)
    assert "saved it anew; give the takeout as Google handed it out" in why
    assert desk.kept()[path] == content


def test_a_table_with_the_mark_of_utf_8_is_read_as_without_it(desk: Desk):
    path = ROOT + "comments/comments.csv"
    report = desk.receive(packed(desk, {path: b"\xef\xbb\xbf" + FILES[path]}))
    assert (report.status, report.tally.new) == ("complete", 10)


def test_a_row_that_cannot_be_read_costs_itself_alone_and_its_bytes_are_kept(desk: Desk):
    content = table(COMMENT_COLUMNS, COMMENT_ROWS[0])
    content += b'broken,"never closed,x\r\n' + b"too,few\r\n" + b"\xff,,,,,,\r\n" + table(COMMENT_ROWS[2])
    report = desk.receive(packed(desk, {ROOT + "comments/comments.csv": content}))
    reasons = [why.partition(": ")[2] for _, why in report.unreadable]
    assert [one.partition(" ")[0] for one in reasons] == ["a", "2", "bytes"]
    assert (report.status, report.tally.new) == ("partial", 9)
    assert desk.kept()[ROOT + "comments/comments.csv"] == content


def test_a_picture_that_the_takeout_lacks_is_a_gap(desk: Desk):
    report = desk.receive(packed(desk, {ROOT + "posts/snow.png": None}))
    assert (report.status, [gap.what for gap in report.gaps]) == ("partial", ["an attachment"])
    assert report.tally.new == 10


def test_a_time_that_cannot_be_is_kept_as_it_is_and_no_date_is_made_of_it(desk: Desk):
    row = (FIRST, OURS, "yesterday", "0", "", "vid00000001", "words")
    report = desk.receive(packed(desk, {ROOT + "comments/comments.csv": table(COMMENT_COLUMNS, row)}))
    told = desk.told(f"vid00000001/{FIRST}")
    assert (told["published_at"], told["extra"]["comment create timestamp_as_given"]) == (None, "yesterday")
    assert any(one.startswith("1 times cannot be") for one in report.remarks)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"Takeout/YouTube/history/watch-history.html": b"<html>"}, "only pages in HTML"),
        ({"a.csv": b"x,y\r\n1,2\r\n"}, "no table"),
        ({"a.csv": b""}, "no table"),
        ({"data/tweets.js": b"window"}, "no table"),
    ],
)
def test_what_is_no_takeout_of_youtube_is_refused_with_what_to_ask_for(
    desk: Desk, content: dict[str, bytes], what: str
):
    with pytest.raises(BadFile, match=what) as refused:
        desk.receive(zipped(desk.folder / "other.zip", content))
    assert "English" in refused.value.next


def test_a_takeout_that_does_not_say_whose_it_is_needs_a_page(desk: Desk):
    with pytest.raises(BadFile, match="whose channel"):
        desk.receive(packed(desk, {ROOT + "channels/channel.csv": None}))


# -- the same again, folders, hostile ZIPs ---------------------------------------------------------------------


def test_the_same_again_brings_nothing_and_a_later_takeout_what_is_new_and_what_was_edited(desk: Desk):
    desk.receive(packed(desk))
    assert (again := desk.receive(packed(desk))).tally.unchanged == 10
    assert (again.tally.new, again.tally.edited) == (0, 0)
    rows = [(*COMMENT_ROWS[0][:6], segments("reworded")), *COMMENT_ROWS[1:]]
    rows += [("Ugx" + "n" * 20, OURS, "2026-03-05T10:00:00+00:00", "0", "", "vid00000001", segments("new"))]
    later = desk.receive(
        packed(desk, {ROOT + "comments/comments.csv": table(COMMENT_COLUMNS, *rows)}, "takeout-2-001.zip")
    )
    assert (later.tally.new, later.tally.edited) == (1, 1)
    assert desk.sound()


def test_parts_of_one_takeout_are_joined_and_a_part_that_was_not_given_is_named(desk: Desk):
    one = zipped(desk.folder / "takeout-1-001.zip", FILES)
    two = zipped(desk.folder / "takeout-1-002.zip", MEDIA)
    alone = known.opened("youtube-takeout", [one])
    assert any("takeout-1-002.zip" in remark for remark in alone.remarks())
    alone.close()
    report = desk.receive(one, two)
    assert (report.status, report.tally.new) == ("complete", 10)


def test_a_folder_is_the_same_and_hostile_names_in_a_zip_are_left_and_listed(desk: Desk, tmp_path: Path):
    assert desk.receive(unpacked(tmp_path / "unpacked", FILES | MEDIA)).tally.new == 10
    file = desk.folder / "hostile.zip"
    link = zipfile.ZipInfo(ROOT + "comments/comments-2.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    row = ("Ugx" + "h" * 20, OURS, "2026-03-05T10:00:00+00:00", "0", "", "vid00000001", "from outside")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in (FILES | MEDIA).items():
            made.writestr(name, content)
        for name in ("../comments.csv", "/comments.csv"):
            made.writestr(name, table(COMMENT_COLUMNS, row))
        made.writestr(link, "/etc/passwd")
        made.writestr(ROOT + "comments/comments-3.csv", bytes(80 << 20))
    report = desk.receive(file)
    told = left(report)
    assert [name for name, why in told.items() if "leads out" in why] == ["../comments.csv", "/comments.csv"]
    assert "symbolic link" in told[ROOT + "comments/comments-2.csv"]
    assert "unfold" in told[ROOT + "comments/comments-3.csv"]
    assert report.tally.new == 0


# -- pieces ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "file", "same"),
    [
        ("Parade: 2026?", "Parade_ 2026_", True),
        ("CAFÉ am Fluß", "cafe\u0301 am fluss", True),
        ("Meeting", "Meeting(1)", False),
        ("🌉", "_", True),
    ],
)
def test_titles_and_names_of_files_are_compared_without_what_a_name_cannot_hold(
    title: str, file: str, *, same: bool
):
    assert (takeout_items.comparable(title) == takeout_items.comparable(file)) is same
