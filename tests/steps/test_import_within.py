"""An archive inside an archive, and files that some program saved anew: named, with what to do, and never passed over."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath

import pytest

from app.capture import pages
from app.capture.formats import known
from app.capture.formats.source import Mark
from app.capture.lines import BadFile
from app.records.nouns import Page
from app.store import Store
from tests.steps.receiving import OFFICER, Desk, left, zipped

SECOND = 1_772_618_400
ACCOUNT = 'window.YTD.account.part0 = [{"account": {"accountId": "5", "username": "falls", "accountDisplayName": "Falls"}}]'
POSTS = 'window.YTD.tweets.part0 = [{"tweet": {"id_str": "11", "created_at": "Wed Mar 04 10:00:00 +0000 2026", "full_text": "Bridge ☂"}}]'
MESSAGES = json.dumps(
    {
        "participants": [{"name": "K"}],
        "messages": [{"sender_name": "K", "timestamp_ms": SECOND * 1000, "content": "hi"}],
    }
)
CHATS = '{"Basic Information": {"Username": "falls"}, "kim": [{"From": "kim", "Created": "2026-03-04 10:00:00 UTC", "Content": "hi", "IsSender": false}]}'
CHANNEL = "UC" + "a" * 22
TABLE = f"Channel ID,Channel Title (Original),Channel Visibility\r\n{CHANNEL},Falls,Public\r\n"
SHARES = "Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility\r\n2026-03-04 10:00:00,https://www.linkedin.com/feed/update/urn%3Ali%3Ashare%3A1,hello,,,MEMBER_NETWORK\r\n"
MAIL = "From: a@town.example\r\nDate: Wed, 04 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@town.example>\r\n\r\nhello\r\n"
WARC = "WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
SMALL: dict[str, tuple[str, str]] = {
    "facebook-download": ("posts/profile_posts_1.json", json.dumps([{"timestamp": SECOND, "data": [{"post": "a"}]}])),
    "instagram-download": ("your_instagram_activity/messages/inbox/k/message_1.json", MESSAGES),
    "x-archive": ("data/tweets.js", POSTS),
    "youtube-takeout": ("Takeout/YouTube/channels/channel.csv", TABLE),
    "tiktok-download": ("user_data_tiktok.json", '{"Comment":{"Comments":{"CommentsList":[{"date":"2026-03-04 10:05:00","comment":"a"}]}}}'),
    "linkedin-download": ("Shares.csv", SHARES),
    "snapchat-download": ("json/chat_history.json", CHATS),
    "warc": ("archive/a.warc", WARC),
    "eml": ("a.eml", MAIL),
}  # fmt: skip
"""The least that each form understands."""


def desk_of(store: Store, tmp_path: Path, form: str) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, form))


def inner(content: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        for name, one in content.items():
            packed.writestr(name, one)
    return held.getvalue()


@pytest.mark.parametrize("form", SMALL)
def test_an_archive_that_holds_nothing_but_another_is_refused_with_its_name_and_what_to_do(
    store: Store, tmp_path: Path, form: str
):
    desk = desk_of(store, tmp_path, form)
    path, content = SMALL[form]
    file = zipped(
        desk.folder / "from-the-gateway.zip", {"mail/download.zip": inner({path: content.encode()})}
    )
    with pytest.raises(BadFile) as refused:
        desk.receive(file)
    assert "mail/download.zip: another archive, ZIP, which is not opened" in str(refused.value)
    assert "Take it out, and give what you took out." in str(refused.value.next)
    assert not desk.records()


@pytest.mark.parametrize("form", SMALL)
def test_an_archive_beside_what_is_understood_is_listed_with_what_to_do(
    store: Store, tmp_path: Path, form: str
):
    desk = desk_of(store, tmp_path, form)
    path, content = SMALL[form]
    file = zipped(
        desk.folder / "instagram.zip",
        {path: content.encode(), "more.zip": inner({path: content.encode()}), "without-suffix": b"7z\xbc\xaf\x27\x1c"},
    )  # fmt: skip
    found = left_of(desk, file)
    assert found["more.zip"] == (
        "another archive, ZIP, which is not opened: take it out, and import it by itself"
    )
    assert "7-Zip" in found["without-suffix"]


def left_of(desk: Desk, file: Path) -> dict[str, str]:
    source = desk.opened([file])
    try:
        assert list(source.stretches(Mark()))
        return {one.name: one.why for one in source.left()}
    finally:
        source.close()


def a_page(store: Store) -> Page:
    with store.database.begin() as tx:
        return pages.add(
            store, tx, connector="import", platform="p", address="", name="Falls", by=OFFICER, why="test"
        )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("form", [form for form in SMALL if form not in {"warc", "eml"}])
def test_a_file_that_was_saved_anew_in_wider_characters_is_named_and_said_what_to_do(
    store: Store, tmp_path: Path, form: str, encoding: str
):
    desk = desk_of(store, tmp_path, form)
    path, content = SMALL[form]
    file = zipped(desk.folder / "instagram.zip", {path: content.encode(encoding)})
    try:
        report = desk.receive(file, page=a_page(store))
        told = str(report.unreadable)
        assert desk.kept() == {path: content.encode(encoding)}
        assert desk.sound()
    except BadFile as refused:
        told = str(refused)
    assert path in told
    assert f"written in UTF-{'32' if '32' in encoding else '16'}, as no platform does" in told
    assert "give the download as the platform handed it out" in told
    assert not desk.records()


def test_one_such_file_costs_itself_alone(store: Store, tmp_path: Path):
    desk = desk_of(store, tmp_path, "x-archive")
    content = {
        "data/account.js": ACCOUNT.encode(),
        "data/tweets.js": POSTS.encode("utf-16"),
        "data/tweets-part1.js": POSTS.replace("part0", "part1").encode("utf-8-sig"),
    }
    report = desk.receive(zipped(desk.folder / "twitter.zip", content))
    assert (report.status, report.tally.new, report.unreadable_total) == ("partial", 1, 1)
    assert "data/tweets.js: written in UTF-16" in report.unreadable[0][1]
    assert desk.kept()["data/tweets.js"] == POSTS.encode("utf-16")
    assert "data/tweets.js" not in left(report)
    assert desk.sound()


@pytest.mark.parametrize("form", ["x-archive", "facebook-download"])
@pytest.mark.parametrize(
    "how", ["its checksum is another", "its packed bytes are altered", "it is shorter than it claims"]
)
def test_of_a_damaged_file_as_much_is_kept_as_can_be_read(store: Store, tmp_path: Path, form: str, how: str):
    desk = desk_of(store, tmp_path, form)
    path, content = SMALL[form]
    lost = PurePosixPath(path).with_stem("lost").as_posix()
    words = content.encode() + b" " * 20_000
    held = bytearray(inner({lost: words, path: content.encode(), "data/account.js": ACCOUNT.encode()}))
    entry = held.index(b"PK\x01\x02")
    match how:
        case "its checksum is another":
            held[entry + 16] ^= 1
        case "it is shorter than it claims":
            held[entry + 24 : entry + 28] = (len(words) + 10).to_bytes(4, "little")
        case _:
            held[held.index(b" " * 15_000) + 14_000 : held.index(b" " * 15_000) + 14_001] = b"x"
    file = desk.folder / "download.zip"
    file.write_bytes(bytes(held))
    report = desk.receive(file, page=a_page(store))
    assert (report.status, report.tally.new, report.unreadable_total) == ("partial", 1, 1)
    assert f"{lost} in download.zip is cut or damaged" in report.unreadable[0][1]
    assert desk.kept()[lost].startswith(content.encode())
    assert len(desk.kept()[lost]) == len(words)
    assert lost not in left(report)
    assert desk.sound()


def test_a_refusal_says_of_every_file_why_it_was_not_understood(store: Store, tmp_path: Path):
    desk = desk_of(store, tmp_path, "x-archive")
    content = {
        "data/like.js": b'window.YTD.like.part0 = [{"like": {"fullText": "x"}}]',
        "data/app.js": b"run()",
    }
    content |= {f"../up{number}.js": b"" for number in range(20)}
    with pytest.raises(BadFile) as refused:
        desk.receive(zipped(desk.folder / "twitter.zip", content))
    told = str(refused.value)
    assert "data/like.js: no item that is known" in told
    assert "data/app.js: a program" in told
    assert "../up0.js: its path leads out of the download" in told
    assert told.endswith("and 12 more)")


def test_an_archive_that_is_no_zip_is_refused_with_what_it_is(store: Store, tmp_path: Path):
    desk = desk_of(store, tmp_path, "youtube-takeout")
    file = desk.folder / "takeout.tgz"
    with tarfile.open(file, "w:gz") as packed:
        info = tarfile.TarInfo("Takeout/a.csv")
        packed.addfile(info, io.BytesIO(b""))
    with pytest.raises(BadFile, match="it is packed as gzip") as refused:
        desk.receive(file)
    assert refused.value.next == "Unpack it, and give the folder."
    file.write_bytes(b"no archive at all")
    with pytest.raises(BadFile, match="not a zip file") as refused:
        desk.receive(file)
    assert refused.value.next.startswith("Download it again.")
