"""Eight nights of Harrow Falls: four pages captured through bad lines and outages, and what the archive can say of them.

The story stands in `app/demo/story`, its bad nights in `app/demo/trouble.py`.
It is lived through once; each test asks the archive of the morning after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.capture.runs import Report
from app.demo import run
from app.demo.platform import SimulatedPlatform
from app.demo.town import NIGHTS
from app.demo.wordpress import APPLICATION_PASSWORD
from app.records.clock import FixedClock
from app.records.nouns import Page, Record, Version
from tests import archives
from tests.journeys.office import Office, office_in

POLICE, NOTICES, PARKS, COUNCIL = "police", "notices", "parks", "council"
KEYS = (POLICE, NOTICES, PARKS, COUNCIL)
HALF_A_DAY = timedelta(hours=12)


@dataclass(slots=True)
class Town:
    """The archive after eight nights, what each run said, and the states of every record after each night."""

    office: Office
    platform: SimulatedPlatform
    home: Path
    pages: dict[str, Page] = field(default_factory=dict)
    at: dict[int, datetime] = field(default_factory=dict)
    reports: dict[tuple[int, str], Report] = field(default_factory=dict)
    states: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)
    histories: dict[str, list[tuple[Record, list[Version]]]] = field(default_factory=dict)

    def live(self, clock: FixedClock) -> None:
        """Capture every page in every night, once; nobody helps where the line broke."""
        for page in run.pages(self.platform):
            key = page.address.removeprefix(self.platform.url).split("/")[1]
            self.pages[key] = self.office.add(
                page.connector,
                page.address,
                page.name,
                secret=page.secret,
                custodian=page.custodian,
                options=page.options,
            )
        for night in run.nights():
            self.platform.night, clock.at = night.number, night.at
            self.at[night.number] = night.at
            for key in KEYS:
                self.reports[night.number, key] = self.capture(key)
                found = self.office.known(self.pages[key])
                self.states[night.number, key] = {name: record.state for name, record in found.items()}

        for key in KEYS:
            kept = self.office.known(self.pages[key]).values()
            self.histories[key] = [(record, self.office.history(record)) for record in kept]

    def capture(self, key: str) -> Report:
        return self.office.capture(self.office.page(self.pages[key].name))

    def record(self, key: str, words: str) -> Record:
        """The record on a page that once began with these words."""
        (found,) = [
            record
            for record, versions in self.histories[key]
            if any((version.text("text") or "").startswith(words) for version in versions)
        ]
        return found

    def versions(self, key: str, words: str) -> list[str]:
        """The states of that record's versions, oldest first."""
        return [state for state, _ in self.office.told(self.record(key, words))]

    def stood(self, key: str, words: str, moment: datetime) -> str:
        return self.office.stood(self.record(key, words), moment)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town's archive on the morning after the eighth night."""
    clock = FixedClock(run.nights()[0].at)
    home = tmp_path_factory.mktemp("town") / "home"
    archives.close(archives.make(home, clock))
    with SimulatedPlatform() as platform, office_in(home, clock) as office:
        lived = Town(office, platform, home)
        lived.live(clock)
        yield lived


# --------------------------------------------------------------------------- how the nights went


def test_every_run_was_complete_but_those_that_met_a_broken_line_an_outage_or_a_sign_in_page(town: Town):
    wanted = dict.fromkeys(town.reports, "complete")
    wanted |= {(4, POLICE): "partial", (5, PARKS): "failed", (6, COUNCIL): "failed"}
    assert {night: report.status for night, report in town.reports.items()} == wanted
    assert len(wanted) == NIGHTS * len(KEYS)


def test_a_run_that_is_not_complete_says_what_it_did_not_see_and_no_other_run_has_a_gap(town: Town):
    assert {night for night, report in town.reports.items() if report.gaps} == {
        (4, POLICE),
        (5, PARKS),
        (6, COUNCIL),
    }
    for key, words in (
        (POLICE, "answered with less than it promised"),
        (PARKS, "answered 503 Service Unavailable"),
        (COUNCIL, "answered with a web page, not a feed"),
    ):
        (gap,) = town.office.gaps(town.pages[key])
        assert words in gap.why
    assert town.office.gaps(town.pages[NOTICES]) == []


def test_a_platform_that_says_slow_down_is_waited_for_and_seen_whole(town: Town):
    report = town.reports[2, POLICE]
    assert report.status == "complete"
    assert town.office.statuses(report).count(429) == 2, "the refusals are evidence too"
    assert town.record(POLICE, "Closed AGAIN").first_seen == town.at[2]


def test_a_broken_line_ends_the_run_after_what_came_before_and_the_next_night_finishes_it_and_makes_its_own(
    town: Town,
):
    broken, after = town.reports[4, POLICE], town.reports[5, POLICE]
    assert (broken.status, broken.tally.absent, broken.tally.gone) == ("partial", 0, 0)
    assert broken.tally.new > 0
    assert (after.status, after.gaps) == ("complete", [])
    asked = [one.target for one in town.platform.answered if one.night == 5 and "/police/" in one.target]
    posts = [number for number, target in enumerate(asked) if "/wp/v2/posts?" in target]
    comments = [number for number, target in enumerate(asked) if "/wp/v2/comments?" in target]
    assert min(comments) < min(posts), "what the broken night had not asked for comes first"
    assert max(comments) > max(posts), "then the night's own pass, from the beginning"
    posted = [record for record, _ in town.histories[POLICE] if record.published_at is not None]
    days = [record for record in posted if record.kind == "post" and published(record) > town.at[4]]
    days = [record for record in days if published(record) < town.at[5]]
    assert days
    assert {record.first_seen.date() for record in days} == {town.at[5].date()}


def published(record: Record) -> datetime:
    assert record.published_at is not None
    return record.published_at


def test_a_page_that_is_down_all_night_loses_nothing_and_is_whole_again_the_night_after(town: Town):
    assert town.office.statuses(town.reports[5, PARKS])[-1] == 503
    assert town.states[5, PARKS] == town.states[4, PARKS]
    missed = [
        record
        for record, _ in town.histories[PARKS]
        if record.published_at is not None and town.at[4] < record.published_at < town.at[5]
    ]
    assert missed
    assert {record.first_seen for record in missed} == {town.at[6]}


def test_a_sign_in_page_in_the_feeds_place_loses_nothing(town: Town):
    assert town.office.statuses(town.reports[6, COUNCIL]) == [200]
    assert town.states[6, COUNCIL] == town.states[5, COUNCIL]


def test_what_a_page_answered_that_was_no_feed_is_kept_as_evidence(town: Town):
    (body,) = town.office.bodies(town.reports[6, COUNCIL])
    assert b"<form" in body


def test_a_night_in_which_a_feed_did_not_change_is_one_question(town: Town):
    assert town.office.statuses(town.reports[7, NOTICES]) == [304]
    assert town.states[7, NOTICES] == town.states[6, NOTICES]


# --------------------------------------------------------------------------- what became of what was said


def test_the_road_closure_has_both_its_hours(town: Town):
    record = town.record(POLICE, "Road closure")
    first, second = town.office.history(record)
    assert "until 6 p.m." in (first.text("text") or "")
    assert "until 9 p.m." in (second.text("text") or "")
    assert (first.observed_at, second.last_seen_before, second.observed_at) == (
        town.at[2],
        town.at[2],
        town.at[3],
    )


def test_a_comment_in_the_trash_is_hidden_and_present_again_when_it_is_restored(town: Town):
    assert town.versions(POLICE, "Closed AGAIN") == ["present", "hidden", "present"]
    assert {words for _, words in town.office.told(town.record(POLICE, "Closed AGAIN"))} == {
        "Closed AGAIN. Whoever plans this could not organize a bake sale, and that lieutenant is a clown in a uniform."
    }


def test_a_comment_deleted_for_good_is_gone_by_the_platforms_own_word_and_its_words_stay(town: Town):
    record = town.record(POLICE, "Everybody knows it is the guy")
    seen, gone = town.office.history(record)
    assert (seen.state, gone.state) == ("present", "gone")
    assert gone.text("state_reason") == "404 rest_comment_invalid_id"
    assert gone.text("text") == seen.text("text")
    assert gone.last_seen_before is not None
    # The line broke on night 4 before this comment came by: it was last seen the night before.
    assert town.at[3] <= gone.last_seen_before < town.at[4] < gone.observed_at
    assert gone.observed_at.date() == town.at[5].date()


def test_an_answer_to_what_was_deleted_moves_up_and_both_places_are_kept(town: Town):
    answer = town.record(POLICE, "Gus, take that down.")
    deleted, post = town.record(POLICE, "Everybody knows it is the guy"), town.office.family(answer)[0]
    before, after = town.office.history(answer)
    assert before.text("in_reply_to") == deleted.version.text("native_id")
    assert after.text("in_reply_to") == post.version.text("native_id")


def test_a_held_comment_is_hidden_until_it_is_approved_and_one_that_never_is_stays_hidden(town: Town):
    assert town.versions(POLICE, "filmed the crack") == ["hidden", "present"]
    assert town.versions(POLICE, "I do not want my name") == ["hidden"]
    assert town.versions(POLICE, "Best price pills") == ["hidden"]


def test_a_comment_that_was_edited_without_a_word_has_two_versions(town: Town):
    told = [words for _, words in town.office.told(town.record(POLICE, "The gym is open"))]
    assert ["second step" in words for words in told] == [True, False]
    assert ["fourth step" in words for words in told] == [False, True]


def test_a_withdrawn_post_and_its_comments_are_hidden_with_their_words(town: Town):
    post = town.record(POLICE, "Arrest in the shed burglaries")
    members = town.office.family(post)
    assert len(members) > 5
    assert {member.state for member in members} == {"hidden"}
    assert town.versions(POLICE, "Arrest in the shed burglaries") == ["present", "hidden"]


def test_an_edit_and_a_withdrawal_are_seen_on_the_night_on_which_they_happened(town: Town):
    found = town.office.history(town.record(POLICE, "MISSING: Otto Brannick"))
    assert found[-1].observed_at == town.at[5]
    assert (found[-1].text("text") or "").startswith("FOUND SAFE")


def test_a_notice_that_the_feed_says_it_withdrew_is_gone(town: Town):
    record = town.record(NOTICES, "BOIL WATER: Quarry Hill")
    assert town.versions(NOTICES, "BOIL WATER: Quarry Hill") == ["present", "gone"]
    assert (record.version.text("state_reason") or "").startswith("at:deleted-entry")


def test_what_falls_out_of_a_feeds_window_is_not_missing(town: Town):
    assert set(town.states[NIGHTS, NOTICES].values()) == {"present", "gone"}
    assert len(town.states[NIGHTS, NOTICES]) > 13, (
        "more than the twelve entries of the window and its introduction"
    )


def test_a_paper_that_disappears_without_a_word_is_absent_from_the_first_night_that_could_tell(town: Town):
    found = town.office.history(town.record(COUNCIL, "Draft budget 2027"))
    assert [version.state for version in found] == ["present", "absent"]
    assert (found[1].last_seen_before, found[1].observed_at) == (town.at[5], town.at[7])


def test_what_visitors_can_no_longer_see_is_absent_and_what_the_site_denies_is_gone(town: Town):
    fair = town.record(PARKS, "Harvest fair")
    assert (fair.state, fair.version.text("state_reason")) == ("absent", "401 rest_forbidden")
    mike = town.record(PARKS, "No parks clerk tells me")
    assert (mike.state, mike.version.text("state_reason")) == ("absent", "401 rest_cannot_read")
    walt = town.record(PARKS, "Was the dam gate opened on time?")
    assert (walt.state, walt.version.text("state_reason")) == ("gone", "404 rest_comment_invalid_id")


def test_an_introduction_that_says_more_than_it_did_has_two_versions(town: Town):
    before, after = town.office.history(town.office.known(town.pages[PARKS])["site"])
    assert "Opinions of visitors" not in (before.text("text") or "")
    assert "Opinions of visitors" in (after.text("text") or "")


def test_threads_stand_under_their_post_in_the_order_of_reading(town: Town):
    members = town.office.family(town.record(POLICE, "Road closure"))
    assert members[0].kind == "post"
    place = {member.id: number for number, member in enumerate(members)}
    assert all(place[member.in_reply_to] < place[member.id] for member in members[1:] if member.in_reply_to)
    assert all(member.in_reply_to in place for member in members[1:])


# --------------------------------------------------------------------------- as it stood on a day


@pytest.mark.parametrize(
    ("night", "later", "stood"),
    [
        (1, timedelta(0), "not_shown"),
        (2, timedelta(0), "shown"),
        (2, HALF_A_DAY, "uncertain"),
        (3, timedelta(0), "not_shown"),
        (4, HALF_A_DAY, "not_shown"),
        (6, timedelta(0), "not_shown"),
        (6, HALF_A_DAY, "uncertain"),
        (7, timedelta(0), "shown"),
        (8, timedelta(0), "shown"),
        (8, HALF_A_DAY, "uncertain"),
    ],
)
def test_a_comment_that_was_hidden_for_a_while_stood_as_it_was_seen(
    town: Town, night: int, later: timedelta, stood: str
):
    assert town.stood(POLICE, "Closed AGAIN", town.at[night] + later) == stood


@pytest.mark.parametrize(
    ("night", "later", "stood"),
    [
        (3, timedelta(0), "shown"),
        (3, HALF_A_DAY, "uncertain"),
        (4, timedelta(0), "uncertain"),
        (5, timedelta(minutes=1), "not_shown"),
        (8, HALF_A_DAY, "not_shown"),
    ],
)
def test_a_deleted_comment_was_shown_until_it_was_last_seen(
    town: Town, night: int, later: timedelta, stood: str
):
    assert town.stood(POLICE, "Everybody knows it is the guy", town.at[night] + later) == stood


def test_between_an_outage_and_the_night_before_it_nobody_can_tell(town: Town):
    draft = "Draft budget 2027"
    assert town.stood(COUNCIL, draft, town.at[5]) == "shown"
    assert town.stood(COUNCIL, draft, town.at[6]) == "uncertain"
    assert town.stood(COUNCIL, draft, town.at[7]) == "not_shown"


def test_a_post_with_two_versions_was_shown_in_both(town: Town):
    for night in range(2, NIGHTS + 1):
        assert town.stood(POLICE, "Road closure", town.at[night]) == "shown"


# --------------------------------------------------------------------------- whether it all is sound


def test_everything_that_was_kept_verifies_and_no_manifest_leaves_a_room(town: Town):
    assert town.office.unsound() == []


def test_the_password_of_the_page_stands_nowhere_in_the_clear(town: Town):
    written = [file for file in town.home.rglob("*") if file.is_file()]
    assert len(written) > 50
    for form in (APPLICATION_PASSWORD, APPLICATION_PASSWORD.replace(" ", "")):
        assert not [file for file in written if form.encode() in file.read_bytes()]
