r"""Half a character in a download (`\ud83d` alone): it costs itself alone, in whatever file or name it stands."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.formats import halves, known
from app.capture.formats.source import Line, Unreadable
from app.store import Store
from connectors.contract import Attachment, Author, Kind, Observation
from tests.steps.receiving import Desk, unpacked, zipped

SECOND = 1_772_618_400
HALF = "\ud83d"
SOME: dict[str, dict[str, object]] = {
    "facebook-download": {
        "profile_information/profile_information.json": {"profile_v2": {"name": {"full_name": f"Falls{HALF}"}}},
        "posts/your_posts_1.json": [{"timestamp": SECOND, "data": [{"post": f"half {HALF}"}]}],
        "messages/inbox/kim/message_1.json": {
            "participants": [{"name": "Kim"}],
            "thread_path": f"inbox/kim{HALF}",
            "title": f"Kim {HALF}",
            "messages": [{"sender_name": f"Kim {HALF}", "timestamp_ms": SECOND * 1000, "content": "hello"}],
            f"other {HALF}": ["words"],
        },
    },
    "instagram-download": {
        "personal_information/personal_information.json": {
            "profile_user": [{"string_map_data": {"Username": {"value": f"falls{HALF}"}}}]
        },
        "your_instagram_activity/media/posts_1.json": [
            {"title": f"half {HALF}", "creation_timestamp": SECOND, "media": []}
        ],
        "messages/inbox/kim/message_1.json": {
            "participants": [{"name": "Kim"}],
            "title": f"Kim {HALF}",
            "messages": [{"sender_name": f"Kim {HALF}", "timestamp_ms": SECOND * 1000, "content": "hello"}],
        },
    },
    "tiktok-download": {
        "user_data_tiktok.json": {
            "Profile And Settings": {"Profile Info": {"ProfileMap": {"userName": f"falls{HALF}"}}},
            "Post": {"Posts": {"VideoList": [{"Date": "2026-03-04 10:00:00", "Title": f"half {HALF}"}]}},
            "Direct Message": {
                "Direct Messages": {
                    "ChatHistory": {
                        f"Chat History with kim{HALF}:": [
                            {"Date": "2026-03-04 10:00:00", "From": "kim", "Content": "hello"}
                        ]
                    }
                }
            },
        }
    },
    "snapchat-download": {
        "json/account.json": {"Basic Information": {"Username": f"falls{HALF}", "Name": "Falls"}},
        "json/chat_history.json": {
            f"kim{HALF}": [
                {"From": "kim", "Created": "2026-03-04 10:00:00 UTC", "Content": f"half {HALF}", "IsSender": False},
                {"From": "kim", "Created": "2026-03-04 10:01:00 UTC", "Content": "hello", "IsSender": False},
            ]
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("form", SOME)
def test_every_item_of_a_download_is_received_and_says_what_could_not_be_read_of_it(
    store: Store, tmp_path: Path, form: str
):
    desk = Desk(store, tmp_path / "desk", partial(known.opened, form))
    written = {name: json.dumps(one).encode() for name, one in SOME[form].items()}
    file = zipped(desk.folder / "instagram-falls.zip", written)
    report = desk.receive(file)
    assert (report.unreadable, report.gaps, report.status) == ([], [], "complete")
    found = desk.records()
    texts = {str(one.version.fields["text"]): one.version.fields for one in found.values()}
    assert {"half \ufffd", "hello"} <= texts.keys()
    extra = texts["half \ufffd"]["extra"]
    assert isinstance(extra, dict)
    assert extra["unreadable_characters"] == 1
    assert {one.page.name for one in found.values()} <= {"Falls\ufffd", "falls\ufffd", "Falls"}
    assert desk.kept() == written
    assert desk.sound()
    assert desk.receive(file).tally.new == 0


def test_a_file_whose_name_is_no_text_does_not_cost_the_folder(store: Store, tmp_path: Path):
    desk = Desk(store, tmp_path / "desk", partial(known.opened, "facebook-download"))
    content = SOME["facebook-download"]
    folder = unpacked(
        desk.folder / "falls", {name: json.dumps(one).encode() for name, one in content.items()}
    )
    (folder / "caf\udce9.txt").write_bytes(b"notes")
    (folder / "posts" / "caf\udce9.json").write_bytes(
        b'[5, {"timestamp": 1772618401, "data": [{"post": "b"}]}]'
    )
    (folder / "posts" / "cut\udce9.json").write_bytes(b'[{"timestamp": 1772618401, "data"')
    report = desk.receive(folder)
    assert report.tally.new == 4
    assert sorted(why for _, why in report.unreadable) == [
        "posts/caf\ufffd.json: not a JSON object",
        "posts/cut\ufffd.json: not JSON: Expecting ':' delimiter: line 1 column 34 (char 33)",
    ]
    assert "posts/caf\ufffd.json: item 1" in str(desk.preview(folder).as_dict())
    assert [one.name for one in report.left if one.name.startswith("caf")] == ["caf\ufffd.txt"]
    assert desk.sound()


def test_a_download_whose_own_name_is_no_text_is_received(store: Store, tmp_path: Path):
    desk = Desk(store, tmp_path / "desk", partial(known.opened, "facebook-download"))
    written = {name: json.dumps(one).encode() for name, one in SOME["facebook-download"].items()}
    report = desk.receive(zipped(desk.folder / "caf\udce9.zip", written))
    assert (report.tally.new, report.file) == (3, "caf\ufffd.zip")
    assert desk.sound()


def a_line(**more: Any) -> Line:
    return Line("p", "page", Observation(**{"native_id": "n", "kind": Kind.POST, **more}))


def test_two_ids_that_differ_in_half_a_character_stay_two():
    first, second = (halves.whole(a_line(native_id=f"n{half}")).observation for half in "\ud83d\udea7")
    assert (first.native_id, second.native_id) == ("n\\ud83d", "n\\udea7")
    assert first.extra == {"unreadable_characters": 1}
    answer = halves.whole(a_line(in_reply_to="n\ud83d")).observation
    assert answer.in_reply_to == first.native_id


@pytest.mark.parametrize("name", ["page", "platform"])
def test_a_page_that_nobody_could_name_is_not_made_up(name: str):
    told = {"platform": "p", "page": "q", name: "x\udfff"}
    with pytest.raises(Unreadable, match=f"{name} holds half of a character"):
        halves.whole(Line(told["platform"], told["page"], a_line().observation))


ANY = st.text(st.characters(exclude_categories=()))
NESTED = st.recursive(ANY | st.integers() | st.none(), st.lists)


@given(words=ANY, name=ANY, extra=st.dictionaries(ANY, NESTED, max_size=3))
def test_whatever_a_line_holds_it_can_be_kept_and_what_is_sound_is_not_touched(
    words: str, name: str, extra: dict[str, object]
):
    line = a_line(
        text=words, author=Author(name=name), attachments=(Attachment(id="a", caption=name),), extra=extra
    )
    told = halves.whole(line).observation
    assert told.author is not None
    assert json.dumps(
        [told.text, told.author.name, told.attachments[0].caption, told.extra], ensure_ascii=False
    ).encode()
    assert told.text == "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in words)
    if not re.search("[\ud800-\udfff]", json.dumps([words, name, extra], ensure_ascii=False)):
        assert told == line.observation
    else:
        assert "unreadable_characters" in told.extra


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (rb'"\ud83d"', 1),
        (rb'"\uD83D\uDE00"', 0),
        (rb'"\ud83d\ud83d\ude00"', 1),
        (rb'"\\ud83d"', 0),
        (rb'"\\\ud83d"', 1),
        (rb'"\u00e9 \udfff\ud800"', 2),
        (b"plain", 0),
    ],
)
def test_halves_are_counted_as_json_escapes_them(written: bytes, number: int):
    assert halves.escaped(written) == number
