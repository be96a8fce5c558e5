"""What was captured and is received again is one record: a download that tells less, or of an earlier day, edits nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.capture import importing, pages, records, whose
from app.capture.formats import known
from app.capture.formats.preview import preview
from app.capture.importing import Received
from app.capture.meeting import RECEIVED
from app.records.clock import FixedClock
from app.records.nouns import Page
from app.store import Store
from connectors.contract import Attachment, Author, Kind, Observation, State
from tests.steps.receiving import OFFICER, zipped
from tests.steps.scripted import listing
from tests.steps.test_capture import World
from tests.steps.test_import_takeout import COMMENT_COLUMNS, FILES, FIRST, OURS, ROOT, segments, table
from tests.steps.test_import_tiktok import DATA, VIDEO
from tests.steps.test_import_x import post, script

THUMBNAIL = Attachment(id="thumbnail:vid00000001", url="https://i.ytimg.example/vid00000001.jpg")
COVER = Attachment(id=f"cover:{VIDEO}", url="https://p16.tiktokcdn.example/cover.jpg")


class Town(World):
    """A page of one platform that is captured, and into which downloads are received."""

    def on(self, platform: str, address: str = "https://blog.example", name: str = "The page") -> Page:
        with self.store.database.begin() as tx:
            self.page = pages.add(
                self.store,
                tx,
                connector="scripted",
                platform=platform,
                address=address,
                name=name,
                by=OFFICER,
                why="test",
            )
        return self.page

    def receive(
        self, form: str, given: Sequence[Path], page: Page | None, *, make_pages: bool = False
    ) -> Received:
        ticks = iter(range(1_000))
        source = known.opened(form, given)
        try:
            return importing.receive(
                self.store,
                source,
                page=page,
                make_pages=make_pages,
                by=OFFICER,
                why="test",
                tick=lambda: next(ticks),
            )
        finally:
            source.close()

    def versions(self) -> dict[str, int]:
        return {name: one.versions for name, one in self.records().items()}


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Town:
    return Town(store, clock)


def tiktok(folder: Path, data: object = None) -> Path:
    return zipped(folder / "TikTok_Data.zip", {"user_data_tiktok.json": json.dumps(data or DATA).encode()})


def takeout(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    return zipped(folder / "takeout-1-001.zip", files or FILES)


def on_tiktok(**more: Any) -> Observation:
    told: dict[str, Any] = {
        "native_id": VIDEO,
        "kind": Kind.POST,
        "text": "Bridge closed ☂",
        "author": Author(handle="harrowfalls"),
        "url": f"https://www.tiktok.com/@harrowfalls/video/{VIDEO}",
        "attachments": (COVER,),
    }
    return Observation(**(told | more))


def on_youtube(**more: Any) -> Observation:
    told: dict[str, Any] = {
        "native_id": "vid00000001",
        "kind": Kind.POST,
        "text": "Parade: 2026?\n\nLine one\nline two",
        "author": Author(id=OURS, name="Harrow Falls"),
        "url": "https://www.youtube.com/watch?v=vid00000001",
        "attachments": (THUMBNAIL,),
        "extra": {"tags": ["roads"], "localizations": {"fr": {"title": "Défilé"}}},
    }
    return Observation(**(told | more))


def test_a_download_that_tells_less_of_what_was_captured_edits_nothing(town: Town, tmp_path: Path):
    page = town.on("tiktok")
    town.capture(listing(town.clock, on_tiktok()))
    data = json.loads(json.dumps(DATA))
    del data["Post"]["Posts"]["VideoList"][0]["WhoCanView"]  # without it the download tells no state
    report = town.receive("tiktok-download", [tiktok(tmp_path, data)], page)
    assert (report.tally.edited, report.tally.restored, report.tally.unchanged) == (0, 0, 1)
    assert (town.versions()[VIDEO], town.records()[VIDEO].state) == (1, "present")
    # And the next capture finds it as it left it.
    again = town.capture(listing(town.clock, on_tiktok()))
    assert (again.tally.edited, again.tally.unchanged) == (0, 1)


def test_a_download_that_tells_other_words_of_what_was_captured_is_received_beside_it_and_once(
    town: Town, tmp_path: Path
):
    page = town.on("tiktok")
    town.capture(listing(town.clock, on_tiktok(text="Bridge open")))
    before = town.records()[VIDEO]
    for _ in range(2):
        town.clock.at += timedelta(days=9)
        assert town.receive("tiktok-download", [tiktok(tmp_path)], page).tally.edited == 0
        # When these words stood nobody knows: that the post was edited is not said, nor that it was seen.
        assert town.records()[VIDEO] == before
        beside = town.records()[f"{VIDEO}{RECEIVED}"]
        assert (beside.received, beside.versions, beside.version.text("text")) == (True, 1, "Bridge closed ☂")
    again = town.capture(listing(town.clock, on_tiktok(text="Bridge open")))
    assert (again.tally.edited, again.tally.unchanged) == (0, 1)
    assert town.soundness() == []


def test_a_takeout_edits_neither_videos_nor_comments_that_were_captured(town: Town, tmp_path: Path):
    page = town.on("youtube")
    comment = Observation(
        native_id=f"vid00000001/{FIRST}",
        kind=Kind.REPLY,
        text="Café, open “now”",
        author=Author(id=OURS, name="@harrowfalls", handle="@harrowfalls"),
        url=f"https://www.youtube.com/watch?v=vid00000001&lc={FIRST}",
        in_reply_to="vid00000001",
    )
    town.capture(listing(town.clock, on_youtube(), comment))
    report = town.receive("youtube-takeout", [takeout(tmp_path)], page)
    assert (report.tally.edited, report.tally.unchanged) == (0, 2)
    assert {town.versions()[name] for name in ("vid00000001", f"vid00000001/{FIRST}")} == {1}


def test_the_film_of_a_video_that_was_captured_is_received_beside_it_and_only_once(
    town: Town, tmp_path: Path
):
    page = town.on("youtube")
    town.capture(listing(town.clock, on_youtube()))
    given = takeout(tmp_path, {**FILES, ROOT + "videos/Parade_ 2026_.mp4": b"parade"})
    town.receive("youtube-takeout", [given], page)
    beside = town.records()[f"vid00000001{RECEIVED}"]
    assert sorted(one.state for one in beside.attachments if one.url is None) == ["kept"]
    assert town.receive("youtube-takeout", [given], page).tally.unchanged == 10
    assert {town.versions()[name] for name in ("vid00000001", f"vid00000001{RECEIVED}")} == {1}
    assert town.capture(listing(town.clock, on_youtube())).tally.edited == 0


def test_a_download_of_an_earlier_day_brings_nothing_back_that_is_gone(town: Town, tmp_path: Path):
    page = town.on("x")
    ours = Author(id="5", name="Town of Harrow Falls", handle="HarrowFalls")
    said = Observation(
        native_id="11", kind=Kind.POST, text="Road closed", author=ours, url="https://x.com/i/status/11"
    )
    town.capture(listing(town.clock, said, replace(said, native_id="12", url="https://x.com/i/status/12")))
    town.capture(listing(town.clock, replace(said, state=State.GONE)))
    account = {"accountId": "5", "username": "HarrowFalls", "accountDisplayName": "Harrow Falls"}
    given = zipped(
        tmp_path / "twitter.zip",
        {
            "data/account.js": script("account", [{"account": account}]),
            "data/tweets.js": script("tweets", [post("11", "Road closed"), post("12", "Road closed")]),
        },
    )
    report = town.receive("x-archive", [given], page)
    assert (report.tally.restored, report.tally.edited, report.tally.unchanged) == (0, 0, 2)
    assert (town.records()["11"].state, town.versions()) == ("gone", {"11": 2, "12": 1})


def test_what_a_download_calls_gone_is_not_said_of_what_was_captured(town: Town, tmp_path: Path):
    page = town.on("x")
    town.capture(listing(town.clock, Observation(native_id="11", kind=Kind.POST, text="Road closed")))
    given = zipped(
        tmp_path / "twitter.zip",
        {"data/deleted-tweets.js": script("deleted_tweets", [post("11", "Road closed")])},
    )
    town.receive("x-archive", [given], page)
    found = town.records()
    assert (found["11"].state, found[f"11{RECEIVED}"].state) == ("present", "gone")
    assert (found["11"].received, found[f"11{RECEIVED}"].received) == (False, True)


@pytest.mark.parametrize(
    "address",
    ["https://x.com/HarrowFalls", "https://twitter.com/harrowfalls/", "https://x.com/@harrowfalls?lang=en"],
)
def test_a_download_goes_to_the_page_that_is_captured_of_the_same_account(
    town: Town, tmp_path: Path, address: str
):
    page = town.on("x", address, "Police on X")
    account = {"accountId": "5", "username": "HarrowFalls", "accountDisplayName": "Harrow Falls"}
    given = zipped(
        tmp_path / "twitter.zip",
        {
            "data/account.js": script("account", [{"account": account}]),
            "data/tweets.js": script("tweets", [post("11", "Road closed")]),
        },
    )
    report = town.receive("x-archive", [given], None, make_pages=True)
    assert [one.page.id for one in town.records().values()] == [page.id]
    assert any("Police on X" in one for one in report.remarks)


def test_a_download_goes_to_a_page_of_its_own_where_two_could_be_meant(town: Town, tmp_path: Path):
    town.on("tiktok", "https://www.tiktok.com/@harrowfalls", "One")
    town.on("tiktok", "https://m.tiktok.com/@HarrowFalls", "Another")
    town.receive("tiktok-download", [tiktok(tmp_path)], None, make_pages=True)
    assert {one.page.name for one in town.records().values()} == {"harrowfalls"}


def test_a_page_of_another_account_or_platform_is_not_taken_for_it(town: Town, tmp_path: Path):
    town.on("tiktok", "https://www.tiktok.com/@harrowfallsfire", "Fire")
    town.on("x", "https://x.com/harrowfalls", "On X")
    town.receive("tiktok-download", [tiktok(tmp_path)], None, make_pages=True)
    assert {one.page.name for one in town.records().values()} == {"harrowfalls"}


def test_several_channels_of_a_takeout_stay_apart_where_one_is_captured(town: Town, tmp_path: Path):
    other = "UC" + "o" * 22
    page = town.on("youtube", f"https://www.youtube.com/channel/{OURS}", "Falls on YouTube")
    columns = ("Channel ID", "Channel Title (Original)", "Channel Visibility")
    rows = [
        (FIRST, OURS, "2026-03-04T10:00:00+00:00", "0", "", "vid00000001", segments("ours")),
        (FIRST[:-1] + "9", other, "2026-03-04T10:00:00+00:00", "0", "", "vid00000001", segments("theirs")),
    ]
    given = takeout(
        tmp_path,
        {
            ROOT + "channels/channel.csv": table(
                columns, (OURS, "Harrow Falls", "Public"), (other, "Fire", "Public")
            ),
            ROOT + "comments/comments.csv": table(COMMENT_COLUMNS, *rows),
        },
    )
    town.receive("youtube-takeout", [given], None, make_pages=True)
    whose = {
        one.version.text("text"): one.page.name for one in town.records().values() if one.kind == "reply"
    }
    assert whose == {"ours": page.name, "theirs": "Fire"}


def test_counts_of_a_day_that_nobody_knows_are_no_counts_of_what_is_captured(town: Town, tmp_path: Path):
    page = town.on("tiktok")
    town.capture(listing(town.clock, on_tiktok(counts={"likes": 900})))
    town.receive("tiktok-download", [tiktok(tmp_path)], page)
    assert town.records()[VIDEO].counts == {"likes": 900}
    # Of what nobody captured they are all that is known.
    other = town.on("tiktok", name="Another")
    town.receive("tiktok-download", [tiktok(tmp_path)], other)
    assert {"likes": 12} in [one.counts for one in town.records().values() if one.page.id == other.id]


def test_a_download_does_not_show_when_something_captured_was_seen(town: Town, tmp_path: Path):
    page = town.on("tiktok")
    town.capture(listing(town.clock, on_tiktok()))
    at = town.records()[VIDEO].last_seen
    for words in ("Bridge closed ☂", "Bridge open again"):
        town.clock.at += timedelta(days=9)
        data = json.loads(json.dumps(DATA).replace("Bridge closed", words.removesuffix(" ☂")))
        town.receive("tiktok-download", [tiktok(tmp_path, data)], page)
        assert (town.records()[VIDEO].last_seen, town.versions()[VIDEO]) == (at, 1)
    town.clock.at += timedelta(days=1)
    town.capture(listing(town.clock, on_tiktok()))
    assert town.records()[VIDEO].last_seen > at


def test_since_when_words_of_a_file_stood_otherwise_nobody_saw(town: Town, tmp_path: Path):
    page = town.on("tiktok")
    town.receive("tiktok-download", [tiktok(tmp_path)], page)
    for words in ("Bridge open", "Bridge open again"):
        town.clock.at += timedelta(days=9)
        town.capture(listing(town.clock, on_tiktok(text=words)))
    with town.store.database.read() as tx:
        told = records.history(town.store, tx, town.records()[VIDEO])
    between = [one.last_seen_before for one in told]
    # No capture saw what the file tells of; what the second one saw is bounded by the first.
    assert between == [None, None, told[1].observed_at]
    assert town.soundness() == []


def test_what_a_file_told_first_and_capture_saw_otherwise_is_no_longer_edited_by_files(
    town: Town, tmp_path: Path
):
    page = town.on("tiktok")
    town.receive("tiktok-download", [tiktok(tmp_path)], page)
    town.clock.at += timedelta(days=9)
    town.capture(listing(town.clock, on_tiktok(text="Bridge open")))
    before = town.records()[VIDEO]
    for told in ("Bridge closed", "Bridge gone"):
        town.clock.at += timedelta(days=9)
        data = json.loads(json.dumps(DATA).replace("Bridge closed", told))
        town.receive("tiktok-download", [tiktok(tmp_path, data)], page)
        assert town.records()[VIDEO] == before
    assert town.records()[f"{VIDEO}{RECEIVED}"].version.text("text") == "Bridge gone ☂"


def test_words_that_capture_has_seen_replaced_are_no_edit(town: Town, tmp_path: Path):
    page = town.on("tiktok")
    town.capture(listing(town.clock, on_tiktok()))
    town.capture(listing(town.clock, on_tiktok(text="Bridge open")))
    report = town.receive("tiktok-download", [tiktok(tmp_path)], page)
    assert (report.tally.edited, report.tally.unchanged) == (0, 1)
    assert town.records()[VIDEO].version.text("text") == "Bridge open"


def test_a_record_that_was_received_alone_is_edited_by_a_later_download(town: Town, tmp_path: Path):
    page = town.on("tiktok")
    town.receive("tiktok-download", [tiktok(tmp_path)], page)
    data = json.loads(json.dumps(DATA))
    data["Post"]["Posts"]["VideoList"][0] |= {"Title": "Bridge open", "WhoCanView": "Only me"}
    report = town.receive("tiktok-download", [tiktok(tmp_path, data)], page)
    found = town.records()[VIDEO]
    assert (report.tally.edited + report.tally.hidden, found.state) == (1, "hidden")
    assert found.version.text("text") == "Bridge open"


def test_every_file_that_was_not_taken_is_listed_however_many_there_are(town: Town, tmp_path: Path):
    page = town.on("tiktok")
    more = {f"odd/{number}.bin": b"?" for number in range(1_500)}
    given = zipped(tmp_path / "TikTok_Data.zip", {"user_data_tiktok.json": json.dumps(DATA).encode(), **more})
    report = town.receive("tiktok-download", [given], page)
    told = report.as_dict()["left"]
    assert isinstance(told, list)
    assert {one["name"] for one in told} >= set(more)
    assert report.left_total == len(told)


def test_a_preview_says_that_the_page_of_the_same_account_is_in_the_registry(town: Town, tmp_path: Path):
    page = town.on("tiktok", "https://www.tiktok.com/@HarrowFalls/", "On TikTok")
    source = known.opened("tiktok-download", [tiktok(tmp_path)])
    try:
        told = preview(source, page=None, registry=whose.registry([page], source))
        elsewhere = preview(source, page=None, registry=whose.registry([], source))
    finally:
        source.close()
    assert (told.missing_pages, elsewhere.missing_pages) == ([], [("tiktok", "harrowfalls")])


@pytest.mark.parametrize("captured_first", [True, False])
def test_a_long_post_of_x_is_edited_neither_by_its_archive_nor_by_capture(
    town: Town, tmp_path: Path, captured_first: bool
):
    page = town.on("x")
    whole = "A long report that goes on and on to its end"
    seen = Observation(
        native_id="14",
        kind=Kind.POST,
        text=whole,
        author=Author(id="5", name="Harrow Falls", handle="HarrowFalls"),
        url="https://x.com/i/status/14",
    )
    account = {"accountId": "5", "username": "HarrowFalls", "accountDisplayName": "Harrow Falls"}
    note = {"noteTweetId": "91", "createdAt": "2026-03-04T10:00:00.000Z", "core": {"text": whole}}
    given = zipped(
        tmp_path / "twitter.zip",
        {
            "data/account.js": script("account", [{"account": account}]),
            "data/tweets.js": script("tweets", [post("14", "A long report that goes on… https://t.co/x")]),
            "data/note-tweet.js": script("note_tweet", [{"noteTweet": note}]),
        },
    )
    if captured_first:
        town.capture(listing(town.clock, seen))
    town.receive("x-archive", [given], page)
    town.capture(listing(town.clock, seen))
    assert town.versions()["14"] == 1
    assert town.records()["14"].version.text("text") == whole
