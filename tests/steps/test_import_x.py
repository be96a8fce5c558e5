"""An X page's own archive: posts under X's own ids, edits as one record, and everything that was not taken by name."""

from __future__ import annotations

import json
import stat
import tracemalloc
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.capture import pages
from app.capture.formats import known, x_items
from app.capture.formats.source import Mark
from app.capture.lines import BadFile
from app.store import Store
from tests.steps.receiving import Desk, left, unpacked, zipped


def script(name: str, value: object) -> bytes:
    """A file as X writes it."""
    return f"window.YTD.{name}.part0 = ".encode() + json.dumps(value, indent=2, ensure_ascii=False).encode()


def post(
    identity: str, text: str, at: str = "Wed Mar 04 10:00:00 +0000 2026", **more: object
) -> dict[str, Any]:
    return {
        "tweet": {
            "edit_info": {"initial": {"editTweetIds": [identity], "isEditEligible": True}},
            "retweeted": False,
            "source": '<a href="https://x.com">Web</a>',
            "entities": {"hashtags": [], "urls": []},
            "favorite_count": "3",
            "retweet_count": "1",
            "id_str": identity,
            "id": identity,
            "created_at": at,
            "full_text": text,
            "lang": "en",
            **more,
        }
    }


PICTURE = {
    "id_str": "71",
    "type": "photo",
    "url": "https://t.co/p",
    "media_url_https": "https://pbs.twimg.com/media/Bridge.jpg",
}
FILM = {
    "id_str": "72",
    "type": "video",
    "media_url_https": "https://pbs.twimg.com/thumb/Still.jpg",
    "video_info": {
        "variants": [
            {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/72/list.m3u8"},
            {
                "bitrate": "256000",
                "content_type": "video/mp4",
                "url": "https://video.twimg.com/72/small.mp4?tag=1",
            },
            {
                "bitrate": "832000",
                "content_type": "video/mp4",
                "url": "https://video.twimg.com/72/large.mp4?tag=1",
            },
        ]
    },
}
EDITED = "2029000000000000001"
EDITED_TO = "2029000000000000009"
EDIT = {
    "edit": {
        "initialTweetId": EDITED,
        "editControlInitial": {"editTweetIds": [EDITED, EDITED_TO], "isEditEligible": False},
    }
}
POSTS = [
    post(EDITED_TO, "Road open", "Wed Mar 04 10:20:00 +0000 2026", edit_info=EDIT),
    post(EDITED, "Road closed", "Wed Mar 04 10:00:00 +0000 2026"),
    post(
        "11",
        "Bridge &amp; band 🌉 https://t.co/p",
        extended_entities={"media": [PICTURE, FILM]},
        entities={
            "urls": [{"url": "https://t.co/a", "expanded_url": "https://town.example/a", "indices": [0, 1]}]
        },
    ),
    post(
        "12",
        "@kim we will look",
        in_reply_to_status_id_str="900",
        in_reply_to_user_id_str="7",
        in_reply_to_screen_name="kim",
    ),
    post("13", "RT @county: siren test", extended_entities={"media": [{**PICTURE, "id_str": "73"}]}),
    post("14", "A long report that goes on… https://t.co/x"),
]
MESSAGES = [
    {
        "dmConversation": {
            "conversationId": "5-7",
            "messages": [
                {
                    "messageCreate": {
                        "recipientId": "7",
                        "text": "thank you",
                        "mediaUrls": [],
                        "senderId": "5",
                        "id": "31",
                        "createdAt": "2026-03-04T10:00:41.250Z",
                    }
                },
                {
                    "messageCreate": {
                        "recipientId": "5",
                        "reactions": [{"senderId": "5", "reactionKey": "like"}],
                        "text": "the lamp is out",
                        "mediaUrls": ["https://ton.twitter.com/dm/32/33/lamp.jpg"],
                        "senderId": "7",
                        "id": "32",
                        "createdAt": "2026-03-04T10:00:40.000Z",
                    }
                },
                {"joinConversation": {"initiatingUserId": "7", "createdAt": "2026-03-04T09:00:00.000Z"}},
            ],
        }
    }
]
MANIFEST = {
    "userInfo": {"accountId": "5", "userName": "HarrowFalls", "displayName": "Harrow Falls"},
    "archiveInfo": {"generationDate": "2026-03-05T00:00:00.000Z", "isPartialArchive": False},
    "dataTypes": {
        "tweets": {"files": [{"fileName": "data/tweets.js", "globalName": "YTD.tweets.part0", "count": "6"}]},
        "block": {"files": [{"fileName": "data/block.js", "globalName": "YTD.block.part0", "count": "2"}]},
    },
}
DATA: dict[str, bytes] = {
    "data/manifest.js": b"window.__THAR_CONFIG = " + json.dumps(MANIFEST).encode(),
    "data/account.js": script(
        "account",
        [{"account": {"email": "falls@town.example", "username": "HarrowFalls", "accountId": "5",
                      "createdAt": "2012-01-01T00:00:00.000Z", "accountDisplayName": "Harrow Falls"}}],
    ),
    "data/profile.js": script(
        "profile",
        [{"profile": {"description": {"bio": "Official page", "website": "https://t.co/w", "location": "Falls"},
                      "avatarMediaUrl": "https://pbs.twimg.com/profile_images/1/face.jpg"}}],
    ),
    "data/tweets.js": script("tweets", POSTS),
    "data/deleted-tweets.js": script(
        "deleted_tweets", [post("21", "said in error", deleted_at="Wed Mar 04 11:00:00 +0000 2026")]
    ),
    "data/note-tweet.js": script(
        "note_tweet",
        [{"noteTweet": {"noteTweetId": "91", "createdAt": "2026-03-04T10:00:00.000Z",
                        "core": {"text": "A long report that goes on and on to its end", "mentions": []}}}],
    ),
    "data/direct-messages.js": script("direct_messages", MESSAGES),
    "data/block.js": script("block", [{"blocking": {"accountId": "802"}}, {"blocking": {"accountId": "71"}}]),
}  # fmt: skip
MEDIA = {
    "data/tweets_media/11-Bridge.jpg": b"bridge of bridges",
    "data/tweets_media/11-large.mp4": b"film",
    "data/direct_messages_media/32-lamp.jpg": b"lamp",
    "data/profile_media/5-face.jpg": b"face",
}


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, "x-archive"))


def packed(
    desk: Desk, more: Mapping[str, bytes | None] | None = None, name: str = "twitter-falls.zip"
) -> Path:
    content = DATA | MEDIA | dict(more or {})
    return zipped(desk.folder / name, {path: one for path, one in content.items() if one is not None})


# -- what is in it -----------------------------------------------------------------------------------------


def test_everything_that_an_archive_shows_is_received_on_the_page_whose_it_is(desk: Desk):
    report = desk.receive(packed(desk))
    assert (report.status, report.unreadable, report.gaps, report.tally.new) == ("complete", [], [], 12)
    assert sorted(desk.records()) == sorted(
        [EDITED, "11", "12", "13", "14", "21", "note:91", "dm:31", "dm:32", "user:5", "blocked"]
        + [name for name in desk.records() if name.startswith("dm:5-7:joinConversation:")]
    )
    with desk.store.database.read() as tx:
        assert [(page.platform, page.name, page.approved) for page in pages.listed(tx)] == [
            ("x", "HarrowFalls", False)
        ]
    assert desk.sound()


def test_a_post_has_its_words_time_files_counts_and_all_the_rest(desk: Desk):
    desk.receive(packed(desk))
    told = desk.told("11")
    assert (told["text"], told["published_at"], told["url"]) == (
        "Bridge & band 🌉 https://t.co/p",
        "2026-03-04T10:00:00Z",
        "https://x.com/i/status/11",
    )
    assert told["author"] == {"id": "5", "name": "Harrow Falls", "handle": "HarrowFalls"}
    assert [(one["state"], one["bytes"]) for one in told["attachments"]] == [("kept", 17), ("kept", 4)]
    assert told["counts"] == {"likes": 3, "reposts": 1}
    assert told["extra"]["links"] == [{"url": "https://t.co/a", "expanded_url": "https://town.example/a"}]
    assert told["extra"]["source"].startswith("<a href")


def test_an_edited_post_is_one_record_after_its_last_edit_with_the_words_before_and_their_bytes(desk: Desk):
    report = desk.receive(packed(desk))
    told = desk.told(EDITED)
    assert (told["text"], told["edited_at"], told["published_at"], told["versions"]) == (
        "Road open",
        "2026-03-04T10:20:00+00:00",
        "2026-03-04T10:00:00Z",
        1,
    )
    assert [(one["id"], one["text"]) for one in told["extra"]["edits"]] == [(EDITED, "Road closed")]
    payloads = desk.records()[EDITED].version.fields["payloads"]
    assert isinstance(payloads, list)
    assert sum(one["bytes"] for one in payloads) > len(json.dumps(POSTS[0])) + len(json.dumps(POSTS[1]))
    assert any(one.startswith("1 posts were edited") for one in report.remarks)
    assert EDITED_TO not in desk.records()


def test_an_answer_names_what_it_answers_and_a_repost_asks_for_no_file_that_x_leaves_out(desk: Desk):
    desk.receive(packed(desk))
    answer, repost = desk.records()["12"], desk.told("13")
    assert (answer.kind, answer.version.fields["in_reply_to"]) == ("reply", "900")
    assert desk.told("12")["extra"]["answers"] == {"id": "7", "handle": "kim"}
    assert [one["state"] for one in repost["attachments"]] != ["kept"]
    assert repost["kind"] == "post"


def test_a_post_that_was_deleted_is_gone_and_its_words_are_there(desk: Desk):
    desk.receive(packed(desk))
    told = desk.told("21")
    assert (told["state"], told["text"], told["extra"]["deleted_at"]) == (
        "gone",
        "said in error",
        "Wed Mar 04 11:00:00 +0000 2026",
    )


def test_the_whole_words_of_a_long_post_are_a_note_that_names_it(desk: Desk):
    desk.receive(packed(desk))
    told = desk.told("note:91")
    assert (told["text"], told["extra"]["post"]) == ("A long report that goes on and on to its end", "14")
    whole = desk.told("14")
    assert (whole["text"], whole["extra"]["cut"]) == (
        told["text"],
        "A long report that goes on… https://t.co/x",
    )


def test_a_note_that_fits_two_posts_of_that_second_names_neither(desk: Desk):
    posts = [*POSTS, post("15", "A long report that goes… https://t.co/y")]
    desk.receive(packed(desk, {"data/tweets.js": script("tweets", posts)}))
    assert "post" not in desk.told("note:91")["extra"]
    assert desk.told("14")["text"] == "A long report that goes on… https://t.co/x"


def test_messages_and_who_joined_are_private_with_their_conversation_and_files(desk: Desk):
    desk.receive(packed(desk))
    held = desk.records()
    written = desk.told("dm:32")
    assert all(one.private for name, one in held.items() if name.startswith("dm:"))
    assert (written["text"], written["author"]["id"], written["published_at"]) == (
        "the lamp is out",
        "7",
        "2026-03-04T10:00:40Z",
    )
    assert [one["state"] for one in written["attachments"]] == ["kept"]
    assert (written["extra"]["conversation"], written["extra"]["reactions"][0]["reactionKey"]) == (
        "5-7",
        "like",
    )
    (joined,) = [desk.told(name) for name in held if "joinConversation" in name]
    assert (joined["extra"]["event"], joined["author"]["id"]) == ("joinConversation", "7")


def test_the_introduction_and_the_list_of_the_blocked_are_received(desk: Desk):
    desk.receive(packed(desk))
    introduction, blocked = desk.told("user:5"), desk.told("blocked")
    assert introduction["text"] == "Harrow Falls\n\nOfficial page\n\nFalls\n\nhttps://t.co/w"
    assert [one["state"] for one in introduction["attachments"]] == ["kept"]
    assert (blocked["text"], desk.records()["blocked"].private) == ("71\n802", True)


def test_the_bytes_of_every_file_that_is_understood_join_to_the_file(desk: Desk):
    desk.receive(packed(desk))
    read_only = {"data/manifest.js", "data/account.js"}
    assert desk.kept() == {name: one for name, one in DATA.items() if name not in read_only}


def test_parts_older_names_and_posts_without_a_wrapper_are_read_alike(desk: Desk):
    older = {
        "data/tweet.js": b"window.YTD.tweet.part0 = "
        + json.dumps([post("1", "older")["tweet"]]).encode()
        + b";\n",
        "data/tweets.js": script("tweets", [post("2", "newer")]),
        "data/tweets-part1.js": b"window.YTD.tweets.part1 = " + json.dumps([post("3", "next")]).encode(),
    }
    desk.receive(packed(desk, older))
    assert {desk.told(one)["text"] for one in ("1", "2", "3")} == {"older", "newer", "next"}


# -- what is not taken -------------------------------------------------------------------------------------


def test_every_file_that_is_not_taken_is_listed_by_name_with_why(desk: Desk):
    more = {
        "data/like.js": script("like", [{"like": {"tweetId": "1", "fullText": "liked words"}}]),
        "data/direct-message-headers.js": script(
            "direct_message_headers", [{"dmConversation": {"conversationId": "5-7"}}]
        ),
        "data/moment.js": script("moment", []),
        "data/mute.js": script("mute", []),
        "assets/js/app.js": b"(function () { return 1 })();",
        "Your archive.html": b"<html>",
        "data/tweets_media/99-nobody.jpg": b"?",
    }
    report = desk.receive(packed(desk, more))
    assert left(report) == {
        "data/account.js": "read for whose archive it is; it holds an e-mail address and a telephone number",
        "data/manifest.js": "the archive's list of its files: read for that, and for whose it is",
        "data/like.js": "no item that is known; it holds 2 texts",
        "data/direct-message-headers.js": "it lists messages without their words; it holds 1 texts",
        "data/moment.js": "no item that is known; it holds 0 texts",
        "data/mute.js": "an empty list",
        "assets/js/app.js": "a program, which is not read",
        "Your archive.html": "HTML, which is not read",
        "data/tweets_media/99-nobody.jpg": "no item that was taken names it",
    }
    assert json.dumps(report.as_dict())


def test_what_the_archive_s_own_list_names_and_is_not_here_or_is_fewer_is_said(desk: Desk):
    report = desk.receive(
        packed(desk, {"data/block.js": None, "data/tweets.js": script("tweets", POSTS[:5])})
    )
    assert left(report)["data/block.js"] == "the archive's own list names it, and it is not here"
    assert "data/tweets.js should have 6 items by the archive's own list, and has 5" in report.remarks


def test_a_file_that_is_cut_is_reported_its_bytes_are_kept_and_the_others_are_received(desk: Desk):
    cut = DATA["data/tweets.js"][:-30]
    report = desk.receive(packed(desk, {"data/tweets.js": cut}))
    ((_, why),) = report.unreadable
    assert (report.status, report.tally.new) == ("partial", 7)
    assert why.startswith("data/tweets.js: not JSON")
    assert desk.kept()["data/tweets.js"] == cut


def test_an_item_without_an_id_costs_itself_alone_and_half_a_character_does_not_cost_its_post(desk: Desk):
    posts = [{"tweet": {"full_text": "no id"}}, post("2", "half ")]
    content = script("tweets", posts).replace(b'"half "', b'"half \\ud83d"')
    report = desk.receive(packed(desk, {"data/tweets.js": content}))
    ((number, why),) = report.unreadable
    assert (number, "without an id" in why) == (1, True)
    assert desk.told("2")["text"] == "half \ufffd"


@pytest.mark.parametrize("text", ["words that many post", "half \ud83d of a character", "🎻"])
def test_a_file_is_in_memory_once_and_of_its_items_one_at_a_time(tmp_path: Path, text: str):
    listed = json.dumps([post(str(1_500_000_000_000_000_000 + number), text) for number in range(2000)])
    size = len(listed)
    content = DATA | {
        "data/tweets.js": b"window.YTD.tweets.part0 = " + listed.encode(),
        "data/like.js": b"window.YTD.like.part0 = " + listed.encode(),
    }
    archive = zipped(tmp_path / "large.zip", content)
    tracemalloc.start()
    try:
        source = known.opened("x-archive", [archive])
        found = sum(len(source.read(stretch)) for stretch in source.stretches(Mark()) if not stretch.why)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found > 2000
    assert {one.name: one.why for one in source.left()}["data/like.js"].startswith(
        "no item that is known; it holds "
    )
    assert size < peak < 3 * size + (1 << 20)
    source.close()


def test_what_is_no_item_in_a_list_of_posts_costs_itself_alone(desk: Desk):
    report = desk.receive(packed(desk, {"data/tweets.js": script("tweets", [5, post("2", "words"), None])}))
    assert {why for _, why in report.unreadable} == {"data/tweets.js: not what stands in such a list"}
    assert (len(report.unreadable), desk.told("2")["text"]) == (2, "words")


def test_a_picture_that_the_archive_lacks_is_a_gap(desk: Desk):
    report = desk.receive(packed(desk, {"data/tweets_media/11-Bridge.jpg": None}))
    assert (report.status, [(gap.what, gap.native_id) for gap in report.gaps]) == (
        "partial",
        [("an attachment", "11")],
    )
    assert report.tally.new == 12


def test_a_time_that_cannot_be_is_kept_as_it_is_and_no_date_is_made_of_it(desk: Desk):
    report = desk.receive(packed(desk, {"data/tweets.js": script("tweets", [post("2", "when", "some day")])}))
    told = desk.told("2")
    assert (told["published_at"], told["extra"]["created_at_as_given"]) == (None, "some day")
    assert any(one.startswith("1 times cannot be") for one in report.remarks)


@pytest.mark.parametrize(
    "content", [{"Your archive.html": b"<html>"}, {"a.json": b"{}"}, {"data/x.js": b"alert(1)"}]
)
def test_what_is_no_archive_of_x_is_refused(desk: Desk, content: dict[str, bytes]):
    with pytest.raises(BadFile, match="nothing of an X archive"):
        desk.receive(zipped(desk.folder / "other.zip", content))


def test_an_archive_that_does_not_say_whose_it_is_needs_a_page(desk: Desk):
    with pytest.raises(BadFile, match="whose page"):
        desk.receive(packed(desk, {"data/account.js": None, "data/manifest.js": None}))


# -- the same again, folders, hostile ZIPs ---------------------------------------------------------------------


def test_the_same_again_brings_nothing_and_a_later_archive_no_edits_back_and_forth(desk: Desk):
    desk.receive(packed(desk))
    again = desk.receive(packed(desk))
    assert (again.tally.new, again.tally.edited) == (0, 0)
    later = desk.receive(
        packed(desk, {"data/tweets.js": script("tweets", [*POSTS, post("16", "new")])}, "twitter-falls-b.zip")
    )
    assert (later.tally.new, later.tally.edited) == (1, 0)
    assert desk.told(EDITED)["versions"] == 1
    assert desk.sound()


def test_an_import_that_was_broken_off_goes_on_where_it_stopped(desk: Desk):
    class BrokenOff(BaseException):
        pass

    times = 0

    def point(name: str) -> None:
        nonlocal times
        times += name == "before-commit"
        if times == 2:
            raise BrokenOff

    posts = [post(str(10_000 + number), f"number {number}") for number in range(2_100)]
    file = packed(desk, {"data/tweets-part1.js": script("tweets", posts), "data/block.js": None})
    with pytest.raises(BrokenOff):
        desk.receive(file, point=point)
    held = len(desk.records())
    report = desk.receive(file)
    assert (0 < held < 2_111, report.tally.new) == (True, 2_111 - held)
    assert len(desk.records()) == 2_111
    assert desk.told(EDITED)["versions"] == 1


def test_a_folder_is_the_same_and_hostile_names_in_a_zip_are_left_and_listed(desk: Desk, tmp_path: Path):
    assert desk.receive(unpacked(tmp_path / "twitter-falls", DATA | MEDIA)).tally.new == 12
    file = desk.folder / "hostile.zip"
    link = zipfile.ZipInfo("data/mute.js")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in (DATA | MEDIA).items():
            made.writestr(name, content)
        for name in ("../tweets.js", "/data/tweets.js", "C:/tweets.js"):
            made.writestr(name, script("tweets", [post("666", "from outside")]))
        made.writestr(link, "/etc/passwd")
        made.writestr("data/tweets-part1.js", bytes(80 << 20))
    told = left(desk.receive(file))
    assert [name for name, why in told.items() if "leads out" in why] == [
        "../tweets.js",
        "/data/tweets.js",
        "C:/tweets.js",
    ]
    assert "symbolic link" in told["data/mute.js"]
    assert "unfold" in told["data/tweets-part1.js"]
    assert "666" not in desk.records()


# -- pieces ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Wed Oct 10 20:19:24 +0000 2018", "2018-10-10T20:19:24+00:00"),
        ("Wed Oct 10 20:19:24 -0230 2018", "2018-10-10T22:49:24+00:00"),
        ("2024-04-06T15:30:00.000Z", "2024-04-06T15:30:00+00:00"),
        ("1700000000000", "2023-11-14T22:13:20+00:00"),
        ("Wed Foo 10 20:19:24 +0000 2018", None),
        ("soon", None),
        (7, None),
    ],
)
def test_times_are_read_in_every_form_that_x_writes_and_in_no_other(written: object, read: str | None):
    found = x_items.moment(written)
    assert (found.isoformat() if found else None) == read
