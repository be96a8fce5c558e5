"""Downloads of millions of items: a file is in memory once, its items one at a time, and nothing is read otherwise for that."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.capture.formats import divided, known
from app.capture.formats.divided import Elements, decoded, unfolded, written
from app.capture.formats.facebook_items import texts_in
from app.capture.formats.seconds import Seconds
from app.capture.formats.source import Mark, Source, Unreadable
from connectors.spans import NotJson
from tests.steps.receiving import zipped

SECOND = 1_772_618_400
MANY = 3_000
CHANNEL = "UC" + "a" * 22


def _moment(number: int) -> str:
    return f"2026-03-04 {number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}"


def _messages(text: str) -> dict[str, object]:
    return {
        "participants": [{"name": "Kim"}],
        "messages": [
            {"sender_name": "Kim", "timestamp_ms": (SECOND + one) * 1000, "content": text}
            for one in range(MANY)
        ],
        "title": "Kim",
        "thread_path": "inbox/kim_1",
    }


def facebook(text: str) -> dict[str, object]:
    return {
        "messages/inbox/kim_1/message_1.json": _messages(text),
        "comments/comments.json": {
            "comments_v2": [
                {
                    "timestamp": SECOND + one,
                    "data": [{"comment": {"comment": text, "author": "Falls", "timestamp": SECOND + one}}],
                    "title": "Falls commented on its own post.",
                }
                for one in range(MANY)
            ]
        },
        "other/searches.json": {
            "searches_v2": [{"timestamp": SECOND, "data": [{"text": text}]} for _ in range(MANY)]
        },
    }


def instagram(text: str) -> dict[str, object]:
    labelled = {"Comment": {"value": text}, "Media Owner": {"value": "kim"}}
    return {
        "your_instagram_activity/messages/inbox/kim_1/message_1.json": _messages(text),
        "your_instagram_activity/comments/post_comments_1.json": [
            {"string_map_data": {**labelled, "Time": {"timestamp": SECOND + one}}} for one in range(MANY)
        ],
        "your_instagram_activity/likes/liked_posts.json": {
            "likes_media_likes": [
                {"title": text, "string_list_data": [{"href": "https://x", "value": "a"}]}
                for _ in range(MANY)
            ]
        },
    }


def tiktok(text: str) -> dict[str, object]:
    words = [{"date": _moment(one), "comment": text, "photo": "N/A", "url": "N/A"} for one in range(MANY)]
    chat = [{"Date": _moment(one), "From": "kim", "Content": text} for one in range(MANY)]
    seen = [{"Date": _moment(one), "Link": f"https://x/video/{one}/", "Title": text} for one in range(MANY)]
    return {
        "user_data_tiktok.json": {
            "Comment": {"Comments": {"CommentsList": words}},
            "Direct Message": {"Direct Messages": {"ChatHistory": {"Chat History with kim:": chat}}},
            "Your Activity": {"Watch History": {"VideoList": seen}},
        }
    }


def snapchat(text: str) -> dict[str, object]:
    chat = [
        {"From": "kim", "Created": f"{_moment(one)} UTC", "Content": text, "IsSender": False, "Type": "TEXT"}
        for one in range(MANY)
    ]
    return {
        "json/chat_history.json": {"kim": chat},
        "json/snap_history.json": {"kim": [{"From": "kim", "Created": text} for _ in range(MANY)]},
    }


def takeout(text: str) -> dict[str, object]:
    names = ("Comment ID", "Channel ID", "Comment Create Timestamp", "Price", "Parent Comment ID", "Video ID", "Comment Text")  # fmt: skip
    said = json.dumps({"text": text})
    rows = [
        (f"Ugx{one:023}", CHANNEL, "2026-03-04T10:00:00+00:00", "0", "", "vid00000001", said)
        for one in range(MANY)
    ]
    told = io.StringIO()
    csv.writer(told).writerows([names, *rows])
    other = io.StringIO()
    csv.writer(other).writerows([("Time", "Words"), *((str(one), text * 3) for one in range(MANY))])
    return {
        "Takeout/YouTube/comments/comments.csv": told.getvalue().encode("utf-8", "replace"),
        "Takeout/YouTube/history/search.csv": other.getvalue().encode("utf-8", "replace"),
    }


DOWNLOADS = {
    "facebook-download": (facebook, 2 * MANY),
    "instagram-download": (instagram, 2 * MANY),
    "tiktok-download": (tiktok, 2 * MANY),
    "snapchat-download": (snapchat, MANY),
    "youtube-takeout": (takeout, MANY),
}


def packed(folder: Path, content: Mapping[str, object], *, plain: bool = False) -> tuple[Path, int]:
    """The download, and the size of its largest file."""
    files = {
        name: one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=not plain).encode()
        for name, one in content.items()
    }
    return zipped(folder / "large.zip", files), max(map(len, files.values()))


def read(source: Source) -> int:
    """How many observations all stretches hold."""
    return sum(len(source.read(one)) for one in source.stretches(Mark()) if one.why is None)


@pytest.mark.parametrize("text", ["words that many people write", "half \ud83d of a character", "cafÃ© 🌉"])
@pytest.mark.parametrize("form", DOWNLOADS)
def test_a_file_is_in_memory_once_and_of_its_items_one_at_a_time(tmp_path: Path, form: str, text: str):
    made, number = DOWNLOADS[form]
    download, size = packed(tmp_path, made(text))
    tracemalloc.start()
    try:
        source = known.opened(form, [download])
        found = read(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    left = [one.why for one in source.left()]
    source.close()
    assert found == number
    assert any("no item that is known" in why or "not known" in why or "no field" in why for why in left)
    assert size < peak < 3 * size + (1 << 19)


@pytest.mark.parametrize("form", [form for form in DOWNLOADS if form != "youtube-takeout"])
def test_what_is_wrong_with_a_large_file_that_is_cut_is_found_without_what_stands_before_it(
    tmp_path: Path, form: str
):
    made, _ = DOWNLOADS[form]
    content = {
        name: json.dumps(one).encode()[:-9] if number == 0 else one
        for number, (name, one) in enumerate(made("words that many people write").items())
    }
    download, size = packed(tmp_path, content | {"posts/small.json": [{"timestamp": 1, "data": []}]})
    tracemalloc.start()
    try:
        source = known.opened(form, [download])
        why = [one.why for one in source.stretches(Mark()) if one.why]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    source.close()
    assert [one.partition(":")[0] for one in why] == ["not JSON"]
    assert peak < 4 * size + (1 << 19)


# -- nothing is read otherwise -----------------------------------------------------------------------------


def told(source: Source) -> list[object]:
    """Everything that a download says."""
    said: list[object] = [source.total, source.handed]
    for one in source.stretches(Mark()):
        try:
            lines = list(source.read(one)) if one.why is None else []
        except Unreadable as error:
            lines = [str(error)]  # type: ignore[list-item]  # to be compared, and nothing else
        said.append((one.number, one.content, one.why, one.file, lines))
    return [*said, list(source.left()), list(source.remarks()), source.done()]


def _mixed(value: Any) -> Any:
    """The same with what stands in no such list, here and there."""
    if isinstance(value, dict):
        return {name: _mixed(one) for name, one in value.items()} | {"uri": "a/b.jpg"}
    if isinstance(value, list):
        return [5, None, *map(_mixed, value[:30]), [], "half \ud83d", {"\ud83d": 1, "uri": "c.jpg"}, value[0]]
    return value


@pytest.mark.parametrize("form", DOWNLOADS)
def test_a_list_that_is_read_element_by_element_says_what_it_says_when_all_of_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
):
    made, _ = DOWNLOADS[form]
    content = {name: _mixed(one) for name, one in made("words").items()}
    download, _ = packed(tmp_path, content)
    said = []
    for small in (1 << 40, 0):
        monkeypatch.setattr(divided, "_SMALL", small)
        source = known.opened(form, [download])
        said.append(told(source))
        source.close()
    assert said[0] == said[1]
    assert len(said[0]) > 30


def plain(found: object) -> object:
    """What was laid out, put together again."""
    if isinstance(found, Elements):
        return list(found)
    return {name: plain(one) for name, one in found.items()} if isinstance(found, dict) else found


@pytest.mark.parametrize(
    "body",
    [
        b' \n{"a": [1, {"b": [2, "\\ud83d"]}], "\\ud83d": {"c": []}, "a": [3]}\n',
        b"\xef\xbb\xbf[NaN, [], {}, 1e400]",
        b'"text"',
        b"[" * 100 + b"]" * 100,
        b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}",
    ],
)
def test_a_file_that_is_laid_out_holds_what_it_holds_when_it_is_read(
    monkeypatch: pytest.MonkeyPatch, body: bytes
):
    monkeypatch.setattr(divided, "_SMALL", 0)
    found = unfolded(body)
    assert repr(plain(found)) == repr(decoded(body))
    assert written(found) == len(json.dumps(decoded(body)))
    assert list(texts_in(found)) == list(texts_in(decoded(body)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"a": [1, {"b": }]}',
        b'[1, "\xff"]',
        b'{"\xff": [1]}',
        b"[1] 2",
        b" \n\xef\xbb\xbf[1]",
        b"[" * 101 + b"]" * 101,
        b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 100_000,
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_same_words(
    monkeypatch: pytest.MonkeyPatch, body: bytes
):
    monkeypatch.setattr(divided, "_SMALL", 0)
    with pytest.raises(NotJson) as whole:
        decoded(body)
    with pytest.raises(NotJson) as laid_out:
        unfolded(body)
    assert str(laid_out.value) == str(whole.value)


def test_ids_that_several_items_share_are_told_and_counted_and_others_are_not():
    seconds = Seconds()
    for made in ("post:1", "post:2", "post:1", "post:\ud83d", "post:1", "post:\ud83d", "post:3"):
        seconds.add(made)
    assert [seconds.shared(made) for made in ("post:1", "post:\ud83d", "post:2", "post:4")] == [
        True,
        True,
        False,
        False,
    ]
    assert seconds.several() == 5
