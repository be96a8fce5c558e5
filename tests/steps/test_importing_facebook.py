"""A Facebook page's own download: everything in it is received or listed, its broken encoding put right, its bytes kept."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.capture import importing, pages, records
from app.capture.formats import known
from app.capture.formats.download import Download
from app.capture.formats.preview import preview
from app.capture.importing import Received
from app.capture.lines import BadFile
from app.records.nouns import Record
from app.store import Store, fixity, reading
from app.store.tables import exchanges
from app.store.tables import records as record_table

OFFICER = UUID(int=7)
ROOT = "this_profile's_activity_across_facebook/"
SECOND = 1_772_618_400


def broken(value: object) -> bytes:
    """JSON as Facebook writes it: every byte of UTF-8 an escaped character of its own."""

    def told(one: object) -> object:
        if isinstance(one, str):
            return one.encode().decode("latin-1")
        if isinstance(one, list):
            return [told(item) for item in one]
        if isinstance(one, dict):
            return {told(name): told(item) for name, item in one.items()}
        return one

    return json.dumps(told(value), indent=2).encode()


POSTS = [
    {
        "timestamp": SECOND,
        "data": [{"post": "Café “open” 🚧"}, {"update_timestamp": SECOND + 60}],
        "title": "Harrow Falls updated its status.",
        "attachments": [
            {"data": [{"media": {"uri": "posts/media/a_1/10.jpg", "creation_timestamp": SECOND, "title": "Bridge", "description": "The bridge"}}]},
            {"data": [{"external_context": {"url": "https://town.example/café"}}]},
        ],
        "tags": [{"name": "Zoë"}],
    },
    {"timestamp": SECOND + 5, "data": [{"post": "first of two"}]},
    {"timestamp": SECOND + 5, "data": [{"post": "second of two"}]},
]  # fmt: skip
VISITORS = {
    "wall_posts_sent_to_you": {
        "activity_log_data": [
            {
                "timestamp": SECOND + 9,
                "data": [{"post": "a visitor's words"}],
                "title": "Kim wrote on Harrow Falls.",
            }
        ]
    }
}
COMMENTS = {
    "comments_v2": [
        {
            "timestamp": SECOND + 20,
            "data": [
                {
                    "comment": {
                        "timestamp": SECOND + 20,
                        "comment": "we will look into it",
                        "author": "Harrow Falls",
                    }
                }
            ],
            "title": "Harrow Falls commented on its own post.",
        }
    ]
}
REACTIONS = {
    "reactions_v2": [
        {
            "timestamp": SECOND + 30,
            "data": [{"reaction": {"reaction": "LIKE", "actor": "Harrow Falls"}}],
            "title": "Harrow Falls likes a comment.",
        }
    ]
}
MESSAGES = {
    "participants": [{"name": "Zoë Ray"}, {"name": "Harrow Falls"}],
    "messages": [
        {"sender_name": "Harrow Falls", "timestamp_ms": (SECOND + 41) * 1000, "content": "thank you"},
        {
            "sender_name": "Zoë Ray",
            "timestamp_ms": (SECOND + 40) * 1000 + 250,
            "content": "the lamp is out",
            "photos": [{"uri": "messages/photos/20.jpg", "creation_timestamp": SECOND}],
            "reactions": [{"reaction": "👍", "actor": "Harrow Falls"}],
        },
    ],
    "title": "Zoë Ray",
    "thread_path": "inbox/zoeray_1",
    "joinable_mode": {"mode": 1, "link": "https://m.example/join"},
}
ALBUM = {
    "name": "Parade",
    "photos": [
        {
            "uri": "posts/media/Parade_77/30.jpg",
            "creation_timestamp": SECOND,
            "description": "the band",
            "comments": [
                {"timestamp": SECOND + 50, "comment": "lovely", "author": "Zoë Ray"},
                {"timestamp": SECOND + 51, "comment": "bravo", "author": "Kim"},
            ],
        }
    ],
    "cover_photo": {"uri": "posts/media/Parade_77/30.jpg", "creation_timestamp": SECOND},
    "last_modified_timestamp": SECOND + 60,
    "description": "May parade",
}
PROFILE = {
    "profile_v2": {
        "name": {"full_name": "Harrow Falls"},
        "about": [{"name": "Mission", "value": "We maintain this page"}],
    }
}
NEWER = [
    {
        "fbid": "778899",
        "timestamp": SECOND + 70,
        "media": [],
        "label_values": [
            {"label": "Texte", "value": "neuf"},
            {"label": "URL", "value": "https://www.facebook.com/778899"},
        ],
    }
]
JSON: dict[str, object] = {
    "posts/profile_posts_1.json": POSTS,
    "posts/other_people's_posts_to_your_page.json": VISITORS,
    "posts/album/0.json": ALBUM,
    "comments_and_reactions/comments.json": COMMENTS,
    "comments_and_reactions/reactions.json": REACTIONS,
    "messages/inbox/zoeray_1/message_1.json": MESSAGES,
    "profile_information/profile_information.json": PROFILE,
}
MEDIA = {
    "posts/media/a_1/10.jpg": b"bridge" * 1000,
    "messages/photos/20.jpg": b"lamp",
    "posts/media/Parade_77/30.jpg": b"band",
}


def files(json_files: Mapping[str, object] = JSON, media: Mapping[str, bytes] = MEDIA) -> dict[str, bytes]:
    return {ROOT + name: broken(value) for name, value in json_files.items()} | {
        ROOT + name: content for name, content in media.items()
    }


def zipped(file: Path, content: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, one in content.items():
            packed.writestr(name, one)
    return file


class Desk:
    """Where downloads are received."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def zip(self, content: Mapping[str, bytes] | None = None, name: str = "facebook-harrow-1.zip") -> Path:
        return zipped(self.folder / name, files() if content is None else content)

    def receive(self, *given: Path, **more: Any) -> Received:
        ticks = iter(range(1_000))
        source = known.opened("facebook-download", given)
        try:
            return importing.receive(
                self.store,
                source,
                page=more.pop("page", None),
                make_pages=more.pop("make_pages", True),
                by=OFFICER,
                why="test",
                tick=lambda: next(ticks),
                **more,
            )
        finally:
            source.close()

    def records(self) -> dict[str, Record]:
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key).order_by(record_table.c.key)).scalars())
            found = records.read(self.store, tx, keys, messages=True)
        return {str(one.version.fields["native_id"]): one for one in found}

    def starting(self, native_id: str) -> dict[str, Any]:
        (found,) = [one for name, one in self.records().items() if name.startswith(native_id)]
        return records.as_json(found)

    def kept(self) -> dict[str, bytes]:
        """The bytes that are kept, by the file that their envelope names."""
        joined: dict[str, bytes] = {}
        with self.store.database.read() as tx:
            for key in tx.execute(select(exchanges.c.key).order_by(exchanges.c.key)).scalars().all():
                found = reading.exchange(self.store, tx, key)
                name = json.loads(found.envelope or b"{}")["member"]
                joined[name] = joined.get(name, b"") + found.body
        return joined

    def sound(self) -> bool:
        return fixity.verify(self.store, full=True).findings == []


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    (tmp_path / "desk").mkdir()
    return Desk(store, tmp_path / "desk")


# -- what is in it -----------------------------------------------------------------------------------------


def test_everything_that_a_download_shows_is_received_on_the_page_whose_it_is(desk: Desk):
    report = desk.receive(desk.zip())
    assert (report.status, report.unreadable, report.tally.new) == ("complete", [], 13)
    kinds = sorted((one.kind, one.private) for one in desk.records().values())
    assert kinds == [("comment", False)] * 4 + [("message", True)] * 2 + [("post", False)] * 6 + [
        ("profile", False)
    ]
    with desk.store.database.read() as tx:
        assert [(page.platform, page.name, page.approved) for page in pages.listed(tx)] == [
            ("facebook", "Harrow Falls", False)
        ]
    assert desk.sound()


def test_a_post_has_its_words_time_edit_attachments_and_all_the_rest(desk: Desk):
    desk.receive(desk.zip())
    told = desk.starting(f"post:{SECOND}")
    assert (told["text"], told["published_at"], told["author"]["name"]) == (
        "Café “open” 🚧",
        "2026-03-04T10:00:00Z",
        "Harrow Falls",
    )
    assert told["edited_at"].startswith("2026-03-04T10:01:00")
    assert [(one["state"], one["bytes"]) for one in told["attachments"]] == [("kept", 6000)]
    extra = told["extra"]
    assert (extra["title"], extra["tags"]) == ("Harrow Falls updated its status.", [{"name": "Zoë"}])
    assert {"external_context": {"url": "https://town.example/café"}} in extra["attached"]
    assert extra["encoding_put_right"] == 3


def test_a_visitor_s_post_a_comment_and_a_reaction_are_received(desk: Desk):
    desk.receive(desk.zip())
    visitor, comment, reaction = (
        desk.starting(f"{kind}:{SECOND + more}")
        for kind, more in (("post", 9), ("comment", 20), ("reaction", 30))
    )
    assert (visitor["text"], visitor["author"]) == ("a visitor's words", None)
    assert (comment["kind"], comment["text"], comment["author"]["name"]) == (
        "comment",
        "we will look into it",
        "Harrow Falls",
    )
    assert (reaction["kind"], reaction["text"], reaction["extra"]["reaction"]) == (
        "comment",
        "Harrow Falls likes a comment.",
        "LIKE",
    )


def test_comments_below_a_picture_answer_it_and_own_their_bytes(desk: Desk):
    desk.receive(desk.zip())
    held = desk.records()
    picture = held["media:Parade_77/30"]
    answers = [one for one in held.values() if one.in_reply_to == picture.id]
    assert sorted(
        (str(one.version.text("text")), str(one.version.text("author_name"))) for one in answers
    ) == [
        ("bravo", "Kim"),
        ("lovely", "Zoë Ray"),
    ]
    payload = answers[0].version.fields["payloads"]
    assert isinstance(payload, list)
    assert payload[0]["bytes"] < 200
    assert held["album:Parade_77"].version.text("text") == "Parade\n\nMay parade"


def test_messages_are_private_and_bear_their_thread(desk: Desk):
    desk.receive(desk.zip())
    told = desk.starting(f"message:inbox/zoeray_1:{(SECOND + 40) * 1000 + 250}")
    assert (told["kind"], told["author"]["name"], told["published_at"]) == (
        "message",
        "Zoë Ray",
        "2026-03-04T10:00:40.250000Z",
    )
    assert (told["extra"]["thread_title"], told["extra"]["reactions"][0]["reaction"]) == ("Zoë Ray", "👍")
    assert [one["state"] for one in told["attachments"]] == ["kept"]


def test_the_page_s_own_introduction_is_a_profile(desk: Desk):
    desk.receive(desk.zip())
    assert "about.value: We maintain this page" in desk.starting("profile:")["text"]


def test_the_newer_form_is_taken_with_all_of_its_words_whatever_language_its_labels_are(desk: Desk):
    desk.receive(
        desk.zip(
            files(
                {
                    "posts/profile_posts_1.json": NEWER,
                    "p_information/p.json": {"page_info": {"name": "Falls"}},
                }
            )
        )
    )
    told = desk.starting("post:778899")
    assert (told["text"], told["url"], told["published_at"]) == (
        "Texte: neuf",
        "https://www.facebook.com/778899",
        "2026-03-04T10:01:10Z",
    )


def test_the_bytes_of_every_file_that_is_understood_join_to_the_file(desk: Desk):
    content = files()
    desk.receive(desk.zip(content))
    assert desk.kept() == {name: one for name, one in content.items() if name.endswith(".json")}


# -- what is not taken -------------------------------------------------------------------------------------


def test_every_file_and_branch_that_is_not_taken_is_listed_with_its_size_and_why(desk: Desk):
    more = {
        ROOT + "ads/interests.json": b'{"topics": ["roads", "bridges"]}',
        ROOT + "start_here.html": b"<html>",
        ROOT + "posts/media/a_1/99.jpg": b"nobody's",
        ROOT + "notes.bin": b"\x00",
    }
    report = desk.receive(desk.zip(files() | more))
    told = {one.name.removeprefix(ROOT): (one.size, one.why) for one in report.left}
    assert told == {
        "ads/interests.json": (32, "no item that is known; it holds 2 texts"),
        "messages/inbox/zoeray_1/message_1.json · participants": (
            told["messages/inbox/zoeray_1/message_1.json · participants"][0],
            "2 texts that no field is known for; the bytes are kept with the items",
        ),
        "messages/inbox/zoeray_1/message_1.json · joinable_mode": (
            45,
            "1 texts that no field is known for; the bytes are kept with the items",
        ),
        "start_here.html": (6, "HTML, which is not read; ask for the download in JSON"),
        "posts/media/a_1/99.jpg": (8, "no item that was taken names it"),
        "notes.bin": (1, "a kind of file that is not read"),
    }
    assert json.dumps(report.as_dict())


def test_a_file_that_is_cut_is_reported_and_the_others_are_received(desk: Desk):
    content = files()
    content[ROOT + "posts/profile_posts_2.json"] = broken(POSTS)[:-40]
    report = desk.receive(desk.zip(content))
    assert report.status == "partial"
    ((_, why),) = report.unreadable
    assert why.startswith(f"{ROOT}posts/profile_posts_2.json: not JSON")
    assert desk.kept()[ROOT + "posts/profile_posts_2.json"] == broken(POSTS)[:-40]
    assert report.tally.new == 13


def test_an_item_that_cannot_be_read_costs_itself_alone(desk: Desk):
    posts = b'["no post", {"timestamp": 1772618401, "data": [{"post": "b"}]}]'
    report = desk.receive(desk.zip(files() | {ROOT + "posts/profile_posts_1.json": posts}))
    ((number, why),) = report.unreadable
    assert (number, "not a JSON object" in why) == (1, True)
    assert desk.starting("post:1772618401")["text"] == "b"


def test_a_file_without_a_name_is_no_attachment_and_costs_nothing(desk: Desk):
    nameless = {"media": {"uri": "", "description": "the bridge"}}
    posts = [{"timestamp": SECOND, "data": [{"post": "a"}], "attachments": [{"data": [nameless]}]}]
    message = {"sender_name": "Kim", "timestamp_ms": SECOND * 1000, "content": "b", "photos": [{"uri": ""}]}
    content = files() | {
        ROOT + "posts/profile_posts_1.json": json.dumps(posts).encode(),
        ROOT + "messages/inbox/k/message_1.json": json.dumps(
            {"participants": [], "messages": [message]}
        ).encode(),
    }
    report = desk.receive(desk.zip(content))
    assert not report.unreadable
    told = desk.starting(f"post:{SECOND}")
    assert (told["text"], told["attachments"]) == ("a", [])
    assert "the bridge" in str(told["extra"]["attached"])


def test_numbers_of_other_scripts_in_names_are_names(desk: Desk):
    posts = json.dumps([{"timestamp": SECOND + 99, "data": [{"post": "a"}]}]).encode()
    desk.receive(desk.zip(files() | {f"{ROOT}posts/1\u00b22.json": posts, f"{ROOT}posts/\u0663.json": b"[]"}))
    assert desk.starting(f"post:{SECOND + 99}")["text"] == "a"


def test_an_attachment_that_the_download_lacks_is_a_gap(desk: Desk):
    report = desk.receive(desk.zip(files(media={})))
    assert (report.status, {gap.what for gap in report.gaps}) == ("partial", {"an attachment"})
    assert report.tally.new == 13


def test_a_time_that_cannot_be_is_kept_as_it_is_and_no_date_is_made_of_it(desk: Desk):
    posts = [{"timestamp": -62169958800, "data": [{"post": "old"}]}]
    report = desk.receive(desk.zip(files({**JSON, "posts/profile_posts_1.json": posts})))
    told = desk.starting("post:-62169958800")
    assert (told["published_at"], told["extra"]["timestamp_as_given"]) == (None, -62169958800)
    assert any(one.startswith("1 times cannot be") for one in report.remarks)


@pytest.mark.parametrize(
    "content", [{"index.html": b"<html>"}, {"data/tweets.js": b"window"}, {"a.json": b"{}"}]
)
def test_what_is_no_download_in_json_is_refused_with_what_to_ask_for(desk: Desk, content: dict[str, bytes]):
    with pytest.raises(BadFile) as refused:
        desk.receive(desk.zip(content))
    assert "JSON" in refused.value.next


def test_a_download_that_does_not_say_whose_it_is_needs_a_page(desk: Desk):
    file = desk.zip(files({"posts/profile_posts_1.json": POSTS}))
    with pytest.raises(BadFile, match="whose page"):
        desk.receive(file)
    with desk.store.database.begin() as tx:
        page = pages.add(
            desk.store, tx, connector="import", platform="facebook", address="", name="Falls", by=OFFICER, why="test"
        )  # fmt: skip
    assert desk.receive(file, page=page).tally.new == 3


# -- its encoding ------------------------------------------------------------------------------------------


def test_a_download_that_was_written_properly_is_not_touched(desk: Desk):
    posts = [{"timestamp": SECOND, "data": [{"post": "they wrote Ã© and 🚧"}]}]
    content = files() | {ROOT + "posts/profile_posts_1.json": json.dumps(posts).encode()}
    desk.receive(desk.zip(content))
    told = desk.starting(f"post:{SECOND}")
    assert told["text"] == "they wrote Ã© and 🚧"
    assert "encoding_put_right" not in told["extra"]


def test_each_text_of_a_file_is_judged_by_itself(desk: Desk):
    def post(second: int, words: str) -> dict[str, Any]:
        return {"timestamp": SECOND + second, "data": [{"post": words}]}

    meant = "the bridge “is” open 🚧"
    posts = [
        post(0, "café 🚧"),
        post(1, meant.encode().decode("latin-1")),
        post(2, "«\u00a0CAFÉ\u00a0»"),
        post(3, "CAFÉ»"),
    ]
    content = files() | {ROOT + "posts/profile_posts_1.json": json.dumps(posts).encode()}
    report = desk.receive(desk.zip(content))
    told = [desk.starting(f"post:{SECOND + number}") for number in range(4)]
    assert [one["text"] for one in told] == ["café 🚧", meant, "«\u00a0CAFÉ\u00a0»", "CAFÉ»"]
    assert [one["extra"].get("encoding_put_right") for one in told] == [None, 1, None, None]
    assert not any("could not be put right" in remark for remark in report.remarks)


# -- ids, and the same again -------------------------------------------------------------------------------


def test_items_of_one_second_are_told_apart_by_what_they_say(desk: Desk):
    report = desk.receive(desk.zip())
    texts = sorted(
        str(one.version.text("text"))
        for name, one in desk.records().items()
        if name.startswith(f"post:{SECOND + 5}:")
    )
    assert texts == ["first of two", "second of two"]
    assert "2 items share their second with another" in report.remarks


def test_the_same_download_again_and_a_later_one_bring_only_what_is_new(desk: Desk):
    desk.receive(desk.zip())
    again = desk.receive(desk.zip())
    assert (again.tally.new, again.tally.edited, again.tally.unchanged) == (0, 0, 13)
    posts = [
        {**POSTS[0], "data": [{"post": "other words"}]},
        *POSTS[1:],
        {"timestamp": SECOND + 99, "data": [{"post": "new"}]},
    ]
    later = desk.receive(
        desk.zip(files({**JSON, "posts/profile_posts_1.json": posts}), "facebook-harrow-2.zip")
    )
    assert (later.tally.new, later.tally.edited, later.tally.unchanged) == (1, 1, 12)
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

    content = files(
        {
            **JSON,
            "posts/profile_posts_2.json": [
                {"timestamp": SECOND + 1000 + n, "data": [{"post": str(n)}]} for n in range(2_500)
            ],
        },
        {},
    )
    file = desk.zip(content)
    with pytest.raises(BrokenOff):
        desk.receive(file, point=point)
    held = len(desk.records())
    report = desk.receive(file)
    assert (0 < held < 2_513, report.tally.new) == (True, 2_513 - held)
    assert len(desk.records()) == 2_513
    assert desk.sound()


# -- ZIP files and folders ---------------------------------------------------------------------------------


def test_several_zips_of_one_download_are_joined(desk: Desk):
    content = files()
    names = sorted(content)
    one = desk.zip({name: content[name] for name in names if name.endswith(".json")}, "facebook-harrow-1.zip")
    two = desk.zip(
        {name: content[name] for name in names if not name.endswith(".json")}, "facebook-harrow-2.zip"
    )
    alone = known.opened("facebook-download", [one])
    assert any("facebook-harrow-2.zip" in remark for remark in alone.remarks())
    alone.close()
    report = desk.receive(one, two)
    assert (report.status, report.tally.new) == ("complete", 13)
    source = known.opened("facebook-download", [two, one])
    assert (source.handed.sha256, len(source.handed.parts)) == (report.sha256, 2)
    source.close()


def test_a_folder_that_it_was_unpacked_into_is_the_same(desk: Desk, tmp_path: Path):
    folder = tmp_path / "unpacked"
    for name, content in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (tmp_path / "secret.json").write_bytes(broken(POSTS))
    (folder / ROOT / "posts" / "link.json").symlink_to(tmp_path / "secret.json")
    report = desk.receive(folder)
    assert (report.status, report.tally.new) == ("complete", 13)
    assert [one.name for one in report.left if "symbolic link" in one.why] == [f"{ROOT}posts/link.json"]


def test_names_that_lead_out_links_and_bombs_are_left_and_listed(desk: Desk):
    file = desk.folder / "facebook-harrow-1.zip"
    link = zipfile.ZipInfo("posts/link.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files().items():
            packed.writestr(name, content)
        for name in (
            "../out.json",
            "/etc/out.json",
            "a\\..\\out.json",
            "C:/out.json",
            "posts/../../out.json",
        ):
            packed.writestr(name, broken(POSTS))
        packed.writestr(link, "/etc/passwd")
        packed.writestr("posts/bomb.json", bytes(80 << 20))
    report = desk.receive(file)
    told = {one.name: one.why for one in report.left}
    assert [name for name, why in told.items() if why == "its path leads out of the download"] == [
        "../out.json",
        "/etc/out.json",
        "a\\..\\out.json",
        "C:/out.json",
        "posts/../../out.json",
    ]
    assert "symbolic link" in told["posts/link.json"]
    assert "unfold" in told["posts/bomb.json"]
    assert report.tally.new == 13


def test_a_zip_whose_paths_are_divided_as_on_windows_is_the_same_and_none_leads_out(desk: Desk):
    file = desk.folder / "facebook-harrow-1.zip"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("posts\\", b"")
        for name, content in files().items():
            packed.writestr(name.replace("/", "\\"), content)
        for name in ("..\\out.json", "\\etc\\out.json", "C:\\out.json", "a/b\\out.json"):
            packed.writestr(name, broken(POSTS))
    report = desk.receive(file)
    told = {one.name: one.why for one in report.left}
    assert [name for name, why in told.items() if why == "its path leads out of the download"] == [
        "..\\out.json",
        "\\etc\\out.json",
        "C:\\out.json",
        "a/b\\out.json",
    ]
    assert (report.status, report.gaps, report.tally.new) == ("complete", [], 13)


def test_zeros_that_were_packed_in_haste_are_a_bomb_too(desk: Desk):
    file = desk.folder / "facebook-harrow-1.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, content in files().items():
            packed.writestr(name, bytes(80 << 20) if name.endswith("10.jpg") else content)
    report = desk.receive(file)
    assert [one.why[:21] for one in report.left if one.name.endswith("10.jpg")] == ["it would unfold into "]
    assert ([gap.what for gap in report.gaps], report.tally.new) == (["an attachment"], 13)


def test_a_picture_whose_bytes_are_damaged_is_a_gap_and_the_rest_is_received(desk: Desk):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as packed:
        for name, content in files().items():
            packed.writestr(name, content)
    file = desk.folder / "facebook-harrow-1.zip"
    file.write_bytes(made.getvalue().replace(b"bridgebridge", b"bridgeBridge", 1))
    report = desk.receive(file)
    assert (report.status, report.tally.new) == ("partial", 13)
    (gap,) = report.gaps
    assert "cut or damaged" in gap.why
    assert desk.sound()


def test_what_fails_while_a_picture_is_kept_is_not_said_to_be_the_download_s_fault(desk: Desk):
    download = Download([desk.zip()])
    with pytest.raises(OSError, match="the disk is full"), download.open(f"{ROOT}messages/photos/20.jpg"):
        raise OSError(28, "the disk is full")
    download.close()


@pytest.mark.parametrize("what", ["no zip", "a cut zip", "an empty folder", "the same twice"])
def test_what_cannot_be_opened_is_refused(desk: Desk, tmp_path: Path, what: str):
    whole = desk.zip()
    cut = desk.folder / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:2_000])
    (tmp_path / "empty").mkdir()
    text = desk.folder / "text.zip"
    text.write_bytes(b"text")
    given = {
        "no zip": [text],
        "a cut zip": [cut],
        "an empty folder": [tmp_path / "empty"],
        "the same twice": [whole, whole],
    }
    with pytest.raises(BadFile):
        desk.receive(*given[what])


def test_a_preview_of_a_download_keeps_nothing(desk: Desk):
    source = known.opened("facebook-download", [desk.zip()])
    told = preview(source, page=None, registry=[])
    source.close()
    assert (told.readable, told.unreadable_total, told.missing_pages) == (
        13,
        0,
        [("facebook", "Harrow Falls")],
    )
    assert (told.attachments, told.attachments_missing.times) == (3, 0)
    assert desk.records() == {}
