"""Downloads that went through other hands: packed anew on a Mac, unpacked there, or of another year than the last one."""

from __future__ import annotations

import json
import unicodedata
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from app.capture.formats import known
from app.store import Store
from tests.steps.receiving import Desk, left, unpacked, zipped
from tests.steps.test_import_instagram import MEDIA, broken, files, media
from tests.steps.test_importing_facebook import POSTS as FACEBOOK_POSTS

NOTES = {
    "__MACOSX/your_instagram_activity/media/._posts_1.json": b"\0\5\x16\7\0\2\0\0Mac OS X        ",
    "your_instagram_activity/media/._stories.json": b"\0\5\x16\7\0\2\0\0Mac OS X        ",
    "media/.DS_Store": b"\0\0\0\1Bud1",
}
SECOND = 1_772_618_400
BRIDGE = "media/posts/202603/Brücke.jpg"
WORDS = {"your_instagram_activity/media/posts_1.json": broken([{"media": [media(BRIDGE, SECOND, "open")]}])}


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, "instagram-download"))


class _Unsaid(zipfile.ZipInfo):
    """A name in UTF-8 that does not say so, as macOS packs it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own name
        return self.filename.encode(), self.flag_bits


class _Dos(zipfile.ZipInfo):
    """A name as DOS packed it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own name
        return self.filename.encode("cp437", "replace"), self.flag_bits


def on_a_mac(file: Path, content: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w") as packed:
        for name, one in content.items():
            packed.writestr(_Unsaid(unicodedata.normalize("NFD", name)), one)
    return file


@pytest.mark.parametrize("folder", [False, True])
def test_what_a_mac_keeps_beside_files_is_listed_and_nothing_is_called_damaged(desk: Desk, folder: bool):
    content = files() | NOTES
    given = (
        unpacked(desk.folder / "instagram-falls", content)
        if folder
        else zipped(desk.folder / "instagram-falls-1.zip", content)
    )
    report = desk.receive(given)
    assert (report.status, report.unreadable) == ("complete", [])
    assert {left(report)[name] for name in NOTES} == {
        "a note of macOS beside the files, none of the download's"
    }


def test_a_file_that_is_damaged_is_still_called_so(desk: Desk):
    content = files() | {"your_instagram_activity/media/reels.json": b"\0\5\x16\7\0\2"}
    report = desk.receive(zipped(desk.folder / "instagram-falls-1.zip", content))
    assert (report.status, report.unreadable_total) == ("partial", 1)


def test_a_name_that_a_mac_packed_finds_its_picture(desk: Desk):
    report = desk.receive(on_a_mac(desk.folder / "instagram-falls-1.zip", files() | WORDS | {BRIDGE: b"b"}))
    assert (report.gaps, [name for name in left(report) if "202603" in name]) == (
        [],
        [name for name in MEDIA if "202603" in name],
    )


def test_a_name_that_a_mac_unpacked_finds_its_picture(desk: Desk):
    content = {unicodedata.normalize("NFD", name): one for name, one in WORDS.items()}
    content[unicodedata.normalize("NFD", BRIDGE)] = b"b"
    report = desk.receive(unpacked(desk.folder / "instagram-falls", files() | content))
    assert report.gaps == []
    assert "Brücke" not in "".join(left(report))


def test_two_names_of_which_a_mac_would_make_one_stay_two_files(desk: Desk):
    content = files() | WORDS
    content |= {BRIDGE: b"one", unicodedata.normalize("NFD", BRIDGE): b"another"}
    for given in (
        unpacked(desk.folder / "instagram-falls", content),
        zipped(desk.folder / "instagram-falls-1.zip", content),
    ):
        report = desk.receive(given)
        assert sum("cke.jpg" in name for name in left(report)) == 1


def test_a_name_in_an_older_code_page_is_read_as_it_was_packed(desk: Desk):
    content = files() | WORDS
    file = desk.folder / "instagram-falls-1.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for name, one in (content | {"Zusätze.bin": b"?"}).items():
            packed.writestr(_Dos(name), one)
    assert "Zusätze.bin" in left(desk.receive(file))


# -- editions ----------------------------------------------------------------------------------------------

EDITIONS = (
    "",
    "your_activity_across_facebook/",
    "this_profile's_activity_across_facebook/",
    "your_facebook_activity/",
)


def facebook(desk: Desk, edition: str, number: int) -> Path:
    told = broken(
        [
            {
                **FACEBOOK_POSTS[0],
                "attachments": [{"data": [{"media": {"uri": f"{edition}posts/media/a_1/10.jpg"}}]}],
            }
        ]
    )
    profile = broken({"profile_v2": {"name": {"full_name": "Harrow Falls"}}})
    return zipped(
        desk.folder / f"facebook-{number}-{'abc'[number % 3]}.zip",
        {
            f"{edition}posts/your_posts_1.json": told,
            f"{edition}profile_information/profile_information.json": profile,
            f"{edition}posts/media/a_1/10.jpg": b"picture",
        },
    )


def test_a_download_of_another_edition_edits_nothing_for_the_folder_in_which_it_lies(
    store: Store, tmp_path: Path
):
    desk = Desk(store, tmp_path / "desk", partial(known.opened, "facebook-download"))
    tallies = []
    for number, edition in enumerate(EDITIONS):
        report = desk.receive(facebook(desk, edition, number))
        assert report.gaps == []
        tallies.append((report.tally.new, report.tally.edited))
    assert tallies == [(2, 0), (0, 0), (0, 0), (0, 0)]
    assert [one.state for record in desk.records().values() for one in record.attachments] == ["kept"]


# -- a later download --------------------------------------------------------------------------------------


@pytest.fixture
def facebook_desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, "facebook-download"))


def of_one_second(desk: Desk, number: int, *words: str) -> Path:
    told = broken([{"timestamp": SECOND, "data": [{"post": one}]} for one in words])
    profile = broken({"profile_v2": {"name": {"full_name": "Harrow Falls"}}})
    return zipped(
        desk.folder / f"facebook-falls-{'abcdef'[number]}.zip",
        {"posts/your_posts_1.json": told, "profile_information/profile_information.json": profile},
    )


@pytest.mark.parametrize("again", [("one", "two"), ("two", "one")])
def test_a_later_download_that_tells_more_of_a_second_adds_only_what_is_new(
    facebook_desk: Desk, again: tuple[str, ...]
):
    desk = facebook_desk
    desk.receive(of_one_second(desk, 0, "one"))
    report = desk.receive(of_one_second(desk, 1, *again))
    assert (report.tally.new, report.tally.edited) == (1, 0)
    assert sorted(
        one.version.text("text") or "" for one in desk.records().values() if one.kind == "post"
    ) == [
        "one",
        "two",
    ]
    # However often, and in whatever order they come again.
    for number, words in enumerate((again, again[::-1], ("one",), ("two",)), start=2):
        report = desk.receive(of_one_second(desk, number, *words))
        assert (report.tally.new, report.tally.edited) == (0, 0)


def test_a_later_download_in_which_one_of_a_second_is_missing_makes_no_other_of_the_rest(facebook_desk: Desk):
    desk = facebook_desk
    desk.receive(of_one_second(desk, 0, "one", "two"))
    report = desk.receive(of_one_second(desk, 1, "two"))
    assert (report.tally.new, report.tally.edited) == (0, 0)


def test_another_item_of_the_same_second_is_not_taken_for_the_one_that_is_known(facebook_desk: Desk):
    desk = facebook_desk
    desk.receive(of_one_second(desk, 0, "one"))
    report = desk.receive(of_one_second(desk, 1, "two", "three"))
    assert (report.tally.new, report.tally.edited) == (2, 0)


def test_pictures_of_one_second_are_told_apart_in_a_later_download_too(desk: Desk):
    path = "your_instagram_activity/media/posts_1.json"
    first = [{"media": [media("media/posts/202603/1.jpg", SECOND)]}]
    second = [*first, {"media": [media("media/posts/202603/2.jpg", SECOND)]}]
    others = {
        name: one
        for name, one in files().items()
        if name.endswith("personal_information.json") or ".jpg" in name
    }
    desk.receive(zipped(desk.folder / "instagram-falls-a.zip", others | {path: broken(first)}))
    report = desk.receive(zipped(desk.folder / "instagram-falls-b.zip", others | {path: broken(second)}))
    assert (report.tally.new, report.tally.edited) == (1, 0)


def test_a_time_that_a_later_edition_writes_with_its_zone_makes_no_other_comment(
    store: Store, tmp_path: Path
):
    desk = Desk(store, tmp_path / "desk", partial(known.opened, "tiktok-download"))

    def download(name: str, zone: str) -> Path:
        at = f"2026-03-04 10:00:00{zone}"
        told = {
            "Profile": {"Profile Information": {"ProfileMap": {"userName": "harrowfalls"}}},
            "Comment": {"Comments": {"CommentsList": [{"Date": at, "Comment": "We will look", "Url": "N/A"}]}},
            "Direct Messages": {
                "Chat History": {"ChatHistory": {"Chat History with kim:": [{"Date": at, "From": "kim", "Content": "hi"}]}}
            },
        }  # fmt: skip
        return zipped(desk.folder / name, {"user_data.json": json.dumps(told).encode()})

    first = desk.receive(download("a.zip", ""))
    later = desk.receive(download("b.zip", " UTC"))
    assert (first.tally.new, later.tally.new, later.tally.edited) == (3, 0, 0)
