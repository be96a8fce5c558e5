"""A LinkedIn member's own download: its tables known by their columns, their quotation marks as LinkedIn writes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.capture import pages
from app.capture.formats import known, linkedin_items
from app.capture.lines import BadFile
from app.store import Store
from tests.steps.receiving import Desk, left, zipped

POST = "urn:li:share:7448081445065035776"
UGC = "urn:li:ugcPost:7458194261025673216"
FEED = "https://www.linkedin.com/feed/update/"
TABLES: dict[str, bytes] = {
    "Profile.csv": b"First Name,Last Name,Maiden Name,Headline,Summary\r\nHarrow,Falls,,Town of Harrow Falls,Official\r\n",
    "Shares_17.csv": (
        "Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility\r\n"
        f'2026-03-04 10:00:00,{FEED}urn%3Ali%3Ashare%3A7448081445065035776,"Bridge closed ☂""\n""\n""until noon",https://town.example,,MEMBER_NETWORK\r\n'
        f'2026-03-04 11:00:00,{FEED}urn%3Ali%3AugcPost%3A7458194261025673216,"The ""old"" bridge",,,PUBLIC\r\n'
        "2026-03-04 12:00:00,https://www.linkedin.com/posts/falls_open-activity-7401794121226567681-aBcD,Open,,,CONTAINER\r\n"
    ).encode(),
    "Comments_17.csv": (
        "Date,Link,Message\r\n"
        f'2026-03-04 13:00:00,{FEED}urn%3Ali%3AugcPost%3A7458194261025673216,"We say \\"thank you\\", and\n\nmore"\r\n'
        f",{FEED}urn%3Ali%3Aactivity%3A7401794121226567999,no time\r\n"
        f"2026-03-04 14:00:00,{FEED}urn:li:activity:74?commentUrn=urn%3Ali%3Acomment%3A%28activity%3A74%2C81%29,with its own id\r\n"
    ).encode(),
    "messages.csv": (
        b"CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,SUBJECT,CONTENT,FOLDER\r\n"
        b"c1,,Kim,https://www.linkedin.com/in/kim-1,Harrow Falls,,2026-03-04 09:00:00 UTC,,the lamp is out,INBOX\r\n"
    ),
    "InstantReposts.csv": f"Date,Link\r\n2026-03-05 10:00:00,{FEED}urn%3Ali%3Aactivity%3A99\r\n".encode(),
    "Reactions.csv": b"Date,Type,Link\r\n2026-03-05 10:00:00,LIKE,https://x\r\n",
}


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", partial(known.opened, "linkedin-download"))


def packed(
    desk: Desk, more: Mapping[str, bytes | None] | None = None, name: str = "Complete_LinkedIn.zip"
) -> Path:
    content = {**TABLES, **(more or {})}
    return zipped(desk.folder / name, {path: one for path, one in content.items() if one is not None})


def by_text(desk: Desk) -> dict[str, Any]:
    return {str(one.version.fields.get("text", "")): desk.told(name) for name, one in desk.records().items()}


def test_everything_that_a_download_shows_is_received_on_the_page_whose_it_is(desk: Desk):
    report = desk.receive(packed(desk))
    assert (report.status, report.unreadable, report.tally.new) == ("complete", [], 9)
    with desk.store.database.read() as tx:
        assert [(page.platform, page.name) for page in pages.listed(tx)] == [("linkedin", "Harrow Falls")]
    assert desk.sound()


def test_a_post_has_linkedins_own_name_its_words_and_who_can_see_it(desk: Desk):
    report = desk.receive(packed(desk))
    told = desk.told(POST)
    assert (told["text"], told["published_at"], told["state"]) == (
        "Bridge closed ☂\n\nuntil noon",
        "2026-03-04T10:00:00Z",
        "present",
    )
    assert told["extra"]["quotation_marks_taken_away"] is True
    assert told["extra"]["sharedurl"] == "https://town.example"
    assert desk.told(UGC)["text"] == 'The "old" bridge'
    assert desk.told("urn:li:activity:7401794121226567681")["state"] == "hidden"
    assert any("In 1 texts LinkedIn put each line" in one for one in report.remarks)


def test_a_comment_is_read_with_the_backslashes_that_linkedin_writes_and_says_what_it_answers(desk: Desk):
    desk.receive(packed(desk))
    told = by_text(desk)
    answer = told['We say "thank you", and\n\nmore']
    assert (answer["kind"], answer["in_reply_to"]) == ("reply", desk.told(UGC)["id"])
    assert told["no time"]["published_at"] is None
    assert told["with its own id"]["native_id"] == "urn:li:activity:74/81"


def test_a_message_is_private_and_a_repost_names_what_it_passes_on(desk: Desk):
    desk.receive(packed(desk))
    told = by_text(desk)
    assert (told["the lamp is out"]["kind"], told["the lamp is out"]["author"]["handle"]) == (
        "message",
        "kim-1",
    )
    assert told[""]["extra"]["repost_of"] == "urn:li:activity:99"


def test_the_bytes_of_each_table_are_kept_whole(desk: Desk):
    desk.receive(packed(desk))
    assert desk.kept() == {name: one for name, one in TABLES.items() if name != "Reactions.csv"}


def test_every_table_and_file_that_was_not_taken_is_listed(desk: Desk):
    report = desk.receive(packed(desk, {"Articles/Articles/a.html": b"<p>", "Jobs/x.csv": b""}))
    assert left(report) == {
        "Reactions.csv": "a table whose columns are not known (Date, Type, Link); it has 1 rows",
        "Articles/Articles/a.html": "HTML, which is not read",
        "Jobs/x.csv": "a table whose columns are not known (); it has 0 rows",
    }


def test_a_row_that_cannot_be_read_is_reported_and_the_rows_after_it_are_received(desk: Desk):
    broken = b'Date,Link,Message\r\n2026-03-04 10:00:00,https://x,"never closed\r\n2026-03-04 11:00:00,https://x,after\r\na,b\r\n'
    report = desk.receive(packed(desk, {"Comments_17.csv": broken}))
    assert "after" in by_text(desk)
    assert report.unreadable_total == 2


def test_the_same_again_brings_nothing_new_and_other_words_are_a_version(desk: Desk):
    file = packed(desk)
    desk.receive(file)
    assert desk.receive(file).tally.edited == 0
    other = TABLES["Shares_17.csv"].replace(b"Open,,,", b"Open again,,,")
    report = desk.receive(packed(desk, {"Shares_17.csv": other}, name="later.zip"))
    assert (report.tally.new, report.tally.edited) == (0, 1)


@pytest.mark.parametrize(
    ("link", "name"),
    [
        (FEED + "urn%3Ali%3Ashare%3A7448081445065035776", POST),
        (FEED + "urn:li:ugcPost:7458194261025673216/", UGC),
        (
            "https://www.linkedin.com/posts/x-activity-7100000000000000009-Ab",
            "urn:li:activity:7100000000000000009",
        ),
        (
            "https://www.linkedin.com/posts/x-share-7100000000000000009-Ab/?utm=1",
            "urn:li:share:7100000000000000009",
        ),
        ("http://a", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_a_post_is_known_by_the_name_that_its_address_bears(link: str, name: str | None):
    assert linkedin_items.urn(link) == name


def test_quotation_marks_that_are_the_writers_own_stay(desk: Desk):
    more = f'2026-03-04 15:00:00,{FEED}urn:li:share:7,"He said ""yes""\nand went",,,PUBLIC\r\n'.encode()
    desk.receive(packed(desk, {"Shares_17.csv": TABLES["Shares_17.csv"] + more}))
    assert desk.told("urn:li:share:7")["text"] == 'He said "yes"\nand went'
    assert desk.told(POST)["text"] == 'Bridge closed ☂"\n"\n"until noon'


def test_line_ends_of_windows_in_a_table_are_read_as_those_of_others(desk: Desk):
    written = TABLES["Shares_17.csv"].replace(b'\n""', b'\r\n""')
    assert written != TABLES["Shares_17.csv"]
    desk.receive(packed(desk, {"Shares_17.csv": written}))
    assert desk.told(POST)["text"] == "Bridge closed ☂\n\nuntil noon"


@pytest.mark.parametrize("at", ["soon", "1970-01-01 00:00:00", "2026-13-01 00:00:00", "9" * 400])
def test_a_time_that_cannot_be_is_kept_as_it_stands(at: str):
    told = linkedin_items.Told()
    found = linkedin_items.post({"date": at, "sharelink": FEED + POST, "sharecommentary": "x"}, told)
    assert (found.published_at, found.extra["written_at"], told.odd_times) == (None, at, 1)


def test_a_download_without_a_table_that_is_known_is_refused(desk: Desk):
    with pytest.raises(BadFile, match="no table of a LinkedIn download"):
        desk.receive(zipped(desk.folder / "l.zip", {"Reactions.csv": TABLES["Reactions.csv"]}))


def test_a_download_that_does_not_say_whose_it_is_wants_a_page(desk: Desk):
    with pytest.raises(BadFile, match="whose page"):
        desk.receive(packed(desk, {"Profile.csv": None}))
