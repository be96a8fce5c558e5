"""Nine days of Harrow Falls run by themselves: an outage, a dead password, a machine that was off, and a post that everybody answers.

What happens when stands in `week.py`. It is lived through once; each test asks
the archive, the mail server and the doors what is known on Tuesday at ten.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app import main, officers
from app.capture import account
from app.capture.account import Account
from app.cli import main as muniment
from app.db import from_instant
from app.demo.platform import SimulatedPlatform
from app.demo.telling import ZONE
from app.jobs.doctor import examine
from app.main import Archive
from app.officers import NoMail
from app.records.clock import FixedClock
from app.records.nouns import Record
from app.store.tables import letters as letter_table
from app.store.tables import objects, runs, versions
from app.store.tables import pages as page_table
from app.store.tables import records as record_table
from app.store.tables import troubles as trouble_table
from tests.journeys.office import CLERK, Office
from tests.journeys.week import (
    ANSWERS,
    COUNCIL,
    DEPUTY,
    KEYS,
    NOTICES,
    PARKS,
    POLICE,
    Arrived,
    Happens,
    Week,
    letters,
    on,
)
from tests.sinks import serving
from tests.steps.test_lookout import AtOnce

BLOG, MEETINGS = "Harrow Falls Police Department", "Harrow Falls Town Council: meetings"
TRAILS, CLERKS = "Harrow Falls Parks and Trails", "Town of Harrow Falls: Public Notices"


@dataclass(slots=True)
class Lived:
    """The week when it is over, and what monitors were told while it went on."""

    week: Week
    ready: dict[datetime, dict[str, Any]] = field(default_factory=dict)
    doctor: dict[datetime, tuple[bool, str]] = field(default_factory=dict)
    held: dict[str, dict[str, Record]] = field(default_factory=dict)
    letters: list[Arrived] = field(default_factory=list)
    _web: tuple[Archive, TestClient] | None = None

    @property
    def office(self) -> Office:
        return self.week.on.office

    def asked(self, at: datetime) -> None:
        """A monitor asks the service, and an operator the doctor."""
        archive = self.week.on.archive
        self.ready[at] = self.web.get("/readyz").json()
        checks = examine(archive.settings, archive.store, archive.behind)
        self.doctor[at] = next((one.ok, one.says) for one in checks if one.what == "coverage")

    @property
    def web(self) -> TestClient:
        """The service's pages and API; made once for each time that the machine was switched on."""
        archive = self.week.on.archive
        if self._web is None or self._web[0] is not archive:
            self._web = archive, TestClient(main.create_app(archive, NoMail(), AtOnce()))
        return self._web[1]

    def account(self, key: str) -> Account:
        store = self.office.store
        with store.database.read() as tx:
            since, until = account.span(store, self.week.pages[key], date(2026, 10, 4), None)
            return account.of(store, tx, self.week.pages[key], since, until)

    def windows(self, key: str) -> list[tuple[str, str, str, tuple[str, ...]]]:
        """The account's windows by the town's clock, the address of the platform left out."""
        return [
            (
                f"{one.since.astimezone(ZONE):%a %H:%M}" if one.since else "",
                f"{one.until.astimezone(ZONE):%a %H:%M}",
                str(one.cover),
                tuple(why.replace(self.week.platform.url, "") for why in one.why),
            )
            for one in self.account(key).windows
        ]

    def begins(self, key: str, words: str) -> Record:
        """The record on a page whose words begin so."""
        (found,) = [
            one for one in self.held[key].values() if (one.version.text("text") or "").startswith(words)
        ]
        return found


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Tuesday, 13 October, ten in the morning."""
    clock = FixedClock(on(4, 18))
    home = tmp_path_factory.mktemp("week") / "home"
    with serving() as serve, SimulatedPlatform(troubles=()) as platform:
        platform.at = clock.at
        lived = Lived(Week(home, platform, serve(), clock))

        def ask(at: datetime) -> Callable[[], None]:
            return lambda: lived.asked(at)

        moments = on(10, 7, 30), on(11, 8, 30), on(11, 11), on(11, 21, 30), on(13, 4), on(13, 9)
        try:
            lived.week.live(*(Happens(at, ask(at)) for at in moments))
            lived.held = {key: lived.office.known(page) for key, page in lived.week.pages.items()}
            lived.letters = list(letters(lived.week.sink))
            yield lived
        finally:
            if lived.week.service is not None:
                lived.week.stop()


# --------------------------------------------------------------------------- what was done


def test_every_night_was_worked_through_and_the_one_on_which_the_machine_was_off_was_made_up_for_at_its_start(
    lived: Lived,
):
    assert lived.week.nights == [*(on(day, 2, 30) for day in range(5, 12)), on(13, 4)]


def test_the_whole_of_a_page_is_read_once_and_then_what_is_recent_and_what_is_new(lived: Lived):
    asked = select(runs.c.lane).join(page_table, page_table.c.key == runs.c.page)
    with lived.office.store.database.read() as tx:
        lanes = Counter(tx.execute(asked.where(page_table.c.name == BLOG)).scalars())
    assert (lanes["whole"], lanes["window"], lanes["sweep"]) == (1, 7, 5)
    assert (lanes["lately"], lanes["surge"]) == (59, 19)


def test_while_a_post_is_busy_it_is_looked_at_every_few_minutes_and_no_other_look_is_put_off(lived: Lived):
    looks = ["lately", "surge"]
    asked = (
        select(runs.c.lane, runs.c.began_at)
        .join(page_table, page_table.c.key == runs.c.page)
        .where(page_table.c.name == BLOG, runs.c.lane.in_(looks))
        .order_by(runs.c.began_at)
    )
    with lived.office.store.database.read() as tx:
        began = [(row.lane, from_instant(row.began_at)) for row in tx.execute(asked)]
    surges = [at for lane, at in began if lane == "surge"]
    busy = [(lane, at) for lane, at in began if surges[0] <= at <= surges[-1]]
    assert {after - before for (_, before), (_, after) in pairwise(busy)} == {timedelta(minutes=5)}
    quarters = [at for lane, at in busy if lane == "lately"]
    assert len(quarters) == 8
    assert {at.minute % 15 for at in quarters} == {0}, "what is new on the page is looked for when it is due"
    assert surges[-1] - surges[0] > timedelta(hours=2)


def test_a_platform_that_says_slow_down_twice_in_one_night_is_waited_for_and_seen_whole(lived: Lived):
    answered = Counter(one.status for one in lived.week.platform.answered if "/police/" in one.target)
    assert answered[429] == 2
    told = {(one.at, one.subject) for one in lived.letters if one.at.startswith("Tue")}
    assert told == {one for one in TOLD if one[0].startswith("Tue")}
    assert not any(at < "Tue 07" and subject.startswith(BLOG) for at, subject in told if at != "Tue 04:01")


# --------------------------------------------------------------------------- the letters

TOLD = [
    ("Sun 19:01", f"{BLOG}: its credentials end in 6 days"),
    ("Mon 07:01", "Town of Harrow Falls, 2026-10-05: 5 things to do"),
    ("Tue 07:01", "Town of Harrow Falls, 2026-10-06: 1 thing to do"),
    ("Wed 07:01", "Town of Harrow Falls, 2026-10-07: 1 thing to do"),
    ("Thu 02:31", f"{BLOG}: capture failed"),
    ("Thu 05:01", f"{BLOG}: captured again"),
    ("Thu 07:01", "Town of Harrow Falls, 2026-10-08: 1 thing to do"),
    ("Thu 08:01", f"{BLOG}: its credentials end in 2 days"),
    ("Thu 23:01", f"{TRAILS}: capture failed"),
    ("Fri 07:01", "Town of Harrow Falls, 2026-10-09: 2 things to do"),
    ("Fri 08:01", f"{BLOG}: its credentials end in 1 day"),
    ("Fri 11:01", f"{TRAILS}: captured again"),
    ("Sat 02:31", f"{MEETINGS}: capture failed"),
    ("Sat 07:01", f"{MEETINGS}: captured again"),
    ("Sat 07:01", "Town of Harrow Falls, 2026-10-10: 1 thing to do"),
    ("Sat 08:01", f"{BLOG}: its credentials have ended"),
    ("Sat 11:01", f"{BLOG}: the platform no longer lets us in"),
    ("Sun 07:01", "Town of Harrow Falls, 2026-10-11: 2 things to do"),
    ("Sun 08:01", f"{BLOG}: its credentials have ended"),
    ("Sun 20:01", f"{BLOG}: captured again"),
    ("Tue 04:01", f"{BLOG}: was not captured for 32 hours"),
    ("Tue 04:01", f"{CLERKS}: was not captured for 33 hours"),
    ("Tue 04:01", f"{TRAILS}: was not captured for 33 hours"),
    ("Tue 04:01", f"{MEETINGS}: was not captured for 33 hours"),
    ("Tue 07:01", "Town of Harrow Falls, 2026-10-13: nothing to do"),
]
"""One letter when a trouble begins and one when it ends, the password's end in good time, one letter a day; on
Monday the machine was off, and each page says so when it is captured again."""


def test_the_letters_of_the_week_are_these_and_no_others(lived: Lived):
    assert [(one.at, one.subject) for one in lived.letters if one.to == CLERK] == TOLD
    assert [(one.at, one.subject) for one in lived.letters if one.to == DEPUTY] == TOLD
    assert {one.to for one in lived.letters} == {CLERK, DEPUTY}


def test_a_trouble_is_told_within_five_minutes_of_the_end_of_the_run_that_met_it_or_ended_it(lived: Lived):
    met = (
        select(letter_table.c.told_at, letter_table.c.topic, trouble_table.c.run, trouble_table.c.ended_run)
        .join(trouble_table, trouble_table.c.key == letter_table.c.trouble)
        .where(letter_table.c.topic.in_(["trouble", "recovered"]))
    )
    with lived.office.store.database.read() as tx:
        ended = {row.key: row.ended_at for row in tx.execute(select(runs.c.key, runs.c.ended_at))}
        waits = [
            from_instant(row.told_at)
            - from_instant(ended[row.run if row.topic == "trouble" else row.ended_run])
            for row in tx.execute(met)
        ]
    assert len(waits) == 16
    assert timedelta(0) < max(waits) <= timedelta(minutes=5)


def test_a_letter_names_the_cause_and_the_last_good_capture_and_the_one_at_the_end_the_time_in_between(
    lived: Lived,
):
    by_subject = {one.subject: one.text for one in lived.letters if one.to == CLERK}
    failed, again = by_subject[f"{TRAILS}: capture failed"], by_subject[f"{TRAILS}: captured again"]
    assert "503 Service Unavailable" in failed
    assert "Last good capture: 19:00 on 8 October 2026" in failed
    assert "from 19:00 on 8 October 2026 (America/Chicago) to 11:00 on 9 October 2026" in again
    assert "a web page, not a feed" in by_subject[f"{MEETINGS}: capture failed"]
    locked = by_subject[f"{BLOG}: the platform no longer lets us in"]
    assert "incorrect_password" in locked
    assert (
        f"Connect the page again: https://archive.harrowfalls.example/pages/{lived.week.pages[POLICE].id}"
        in locked
    )


def test_no_letter_says_what_a_visitor_wrote(lived: Lived):
    assert not [one for one in lived.letters if "Saw a light" in one.text or "clown" in one.text]


def test_the_letter_of_each_day_lists_what_needs_somebody_then_and_nothing_that_is_over(lived: Lived):
    ends = f"{BLOG}: Its password or token ends on 2026-10-10: connect the page anew."
    told = {
        one.subject.split(", ")[1][:10]: [line[2:] for line in one.text.splitlines() if line.startswith("- ")]
        for one in lived.letters
        if one.to == CLERK and one.subject.startswith("Town of Harrow Falls, ")
    }
    new = "Not approved yet; it is captured all the same."
    assert {day: sorted(items) for day, items in told.items()} == {
        "2026-10-05": sorted([ends, *(f"{name}: {new}" for name in (BLOG, TRAILS, CLERKS, MEETINGS))]),
        "2026-10-06": [ends],
        "2026-10-07": [ends],
        "2026-10-08": [ends],
        "2026-10-09": sorted([ends, f"{TRAILS}: The last capture failed."]),
        "2026-10-10": [ends],
        "2026-10-11": sorted(
            [
                f"{BLOG}: Its password or token ended on 2026-10-10: connect the page anew.",
                f"{BLOG}: The platform no longer lets us in: connect the page again.",
            ]
        ),
        "2026-10-13": [],
    }


# --------------------------------------------------------------------------- what was covered

BEFORE = "before the first capture: what the page no longer showed then was seen by nobody"
LOCKED = (
    "what the page would have shown: it no longer lets us in: The site shows its interface only to those who sign in "
    "(incorrect_password). Connect the page with a user name and an application password that it accepts."
)
OFF = "no pass was made"


def test_the_police_page_was_uncovered_while_its_password_was_dead_and_while_the_machine_was_off(
    lived: Lived,
):
    assert lived.windows(POLICE) == [
        ("Sun 00:00", "Mon 02:30", "uncovered", (BEFORE,)),
        ("Mon 02:30", "Sat 07:00", "covered", ()),
        ("Sat 07:00", "Sun 20:00", "uncovered", (LOCKED,)),
        ("Sun 20:00", "Tue 04:00", "uncovered", (OFF,)),
        ("Tue 04:00", "Tue 08:00", "covered", ()),
        ("Tue 08:00", "Tue 10:01", "pending", ()),
    ]


@pytest.mark.parametrize("key", [NOTICES, PARKS, COUNCIL])
def test_an_outage_shorter_than_a_night_and_a_little_uncovers_nothing_and_the_machine_that_was_off_did(
    lived: Lived, key: str
):
    assert lived.windows(key) == [
        ("Sun 00:00", "Mon 02:30", "uncovered", (BEFORE,)),
        ("Mon 02:30", "Sun 19:00", "covered", ()),
        ("Sun 19:00", "Tue 04:00", "uncovered", (OFF,)),
        ("Tue 04:00", "Tue 08:00", "covered", ()),
        ("Tue 08:00", "Tue 10:01", "pending", ()),
    ]


def test_the_calendar_says_of_each_day_whether_it_was_covered(lived: Lived):
    def days(key: str) -> str:
        return " ".join(str(day.cover) for day in account.calendar(lived.account(key), ZONE))

    well = "uncovered partly covered covered covered covered"
    assert days(POLICE) == f"{well} partly uncovered uncovered partly"
    for key in (NOTICES, PARKS, COUNCIL):
        assert days(key) == f"{well} covered partly uncovered partly"


def test_the_gap_of_a_broken_line_is_told_although_no_time_was_lost(lived: Lived):
    (gap,) = [
        one for one in lived.office.gaps(lived.week.pages[POLICE]) if "no longer lets us in" not in one.what
    ]
    assert "answered with less than it promised" in gap.why


def test_a_page_that_was_dark_for_26_hours_makes_the_doctor_and_readyz_fail_until_it_is_connected_again(
    lived: Lived,
):
    told = {at: lived.ready[at]["checks"]["capture"] for at in sorted(lived.ready)}
    assert told == {
        on(10, 7, 30): "ok",
        on(11, 8, 30): "ok",  # dark for 25 hours and a half
        on(11, 11): "page-not-captured",
        on(11, 21, 30): "ok",
        on(13, 4): "page-not-captured",  # the machine was just switched on
        on(13, 9): "ok",
    }
    assert lived.ready[on(11, 11)]["status"] == "not ready"
    assert {at: ok for at, (ok, _) in lived.doctor.items()} == {at: said == "ok" for at, said in told.items()}
    assert BLOG in lived.doctor[on(11, 11)][1]
    assert TRAILS not in lived.doctor[on(11, 11)][1]


@pytest.mark.parametrize("key", KEYS)
def test_the_command_line_and_the_api_give_the_same_account(
    lived: Lived, key: str, monkeypatch: pytest.MonkeyPatch
):
    store, page = lived.office.store, lived.week.pages[key]
    clerk = lived.office.officer
    with store.database.begin() as tx:
        token = officers.issue_token(store, tx, clerk, name=f"desk {key}", by=clerk, why="to ask").secret
    days = {"from": "2026-10-04", "to": "2026-10-13"}
    asked = lived.web.get(
        f"/api/v1/pages/{page.id}/coverage", params=days, headers={"Authorization": f"Bearer {token}"}
    )
    monkeypatch.chdir(lived.week.home)
    monkeypatch.setenv("MUNIMENT_HOME", str(lived.week.home))
    monkeypatch.setenv("MUNIMENT_TOKEN", token)
    monkeypatch.setattr(main, "SystemClock", lambda: lived.week.clock)  # the command asks in that week
    said = StringIO()
    with redirect_stdout(said):
        assert muniment(["coverage", str(page.id), "--from", days["from"], "--to", days["to"], "--json"]) == 0
    told = json.loads(said.getvalue())
    assert asked.json() == told

    def moments(windows: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
        return [
            (f"{datetime.fromisoformat(one['since']).astimezone(ZONE):%a %H:%M}",
             f"{datetime.fromisoformat(one['until']).astimezone(ZONE):%a %H:%M}")
            for one in windows
        ]  # fmt: skip

    for cover in ("covered", "partly", "uncovered", "pending"):
        assert moments(told[cover]) == [one[:2] for one in lived.windows(key) if one[2] == cover]
    assert told["counts"]["held"] == Counter(one.kind for one in lived.held[key].values())
    assert told["not_held"] == {"named": 0, "answered_only": 0, "records": []}


# --------------------------------------------------------------------------- the post that everybody answered


def test_every_answer_to_the_appeal_is_held_exactly_once(lived: Lived):
    appeal = lived.begins(POLICE, "FOUND SAFE: Otto Brannick")
    texts = Counter(one.version.text("text") for one in lived.office.family(appeal))
    assert [texts[said.text] for said in ANSWERS] == [1] * len(ANSWERS)
    everywhere = Counter(one.version.text("text") for one in lived.held[POLICE].values())
    assert all(everywhere[said.text] == 1 for said in ANSWERS)


def test_every_answer_to_the_appeal_was_sealed_within_a_quarter_of_an_hour_and_half_of_them_within_four_minutes(
    lived: Lived,
):
    said = {one.text: one.at for one in ANSWERS}
    sealed = (
        select(record_table.c.id, objects.c.kept_at)
        .join(versions, (versions.c.record == record_table.c.key) & (versions.c.number == 1))
        .join(objects, objects.c.key == versions.c.object)
    )
    with lived.office.store.database.read() as tx:
        kept = {bytes(row.id): from_instant(row.kept_at) for row in tx.execute(sealed)}
    waits = sorted(
        kept[one.id.bytes] - said[text]
        for one in lived.held[POLICE].values()
        if (text := one.version.text("text") or "") in said
    )
    assert len(waits) == len(ANSWERS)
    assert waits[len(waits) // 2] <= timedelta(minutes=4)
    assert waits[-1] <= timedelta(minutes=15)


def test_the_latency_of_a_page_tells_of_the_busy_evening_and_of_the_dark_days(lived: Lived):
    told = lived.account(POLICE).latency
    assert told is not None
    assert told.records == sum(
        one.published_at is not None and one.published_at > on(5, 2, 30)
        for one in lived.held[POLICE].values()
    )
    assert told.p50 <= timedelta(minutes=5), "most of the week's records answer the appeal"
    assert told.p95 <= timedelta(hours=8)
    assert timedelta(hours=24) <= told.p99 <= timedelta(hours=38), "published when the password was dead"


def test_the_budget_of_the_page_was_kept_on_its_busiest_day(lived: Lived):
    asked = select(func.sum(func.json_extract(runs.c.tally, "$.exchanges"))).join(
        page_table, page_table.c.key == runs.c.page
    )
    busiest = asked.where(
        page_table.c.name == BLOG,
        runs.c.began_at >= int(on(7, 2).timestamp() * 1e6),
        runs.c.began_at < int(on(8, 2).timestamp() * 1e6),
    )
    with lived.office.store.database.read() as tx:
        spent = tx.execute(busiest).scalar_one()
    assert 200 < spent < 2500


# --------------------------------------------------------------------------- what became of what was said


def test_a_comment_that_came_and_went_within_an_hour_was_seen_between_the_nights(lived: Lived):
    assert [state for state, _ in lived.office.told(lived.begins(POLICE, "they left my father"))] == [
        "present",
        "gone",
    ]


def test_at_the_end_every_record_of_the_police_page_stands_as_the_platform_has_it(lived: Lived):
    blog = lived.week.platform.town.blogs[POLICE]
    shown = {
        f"comment:{one.number}": "present" if one.status == "approved" else "hidden" for one in blog.comments
    }
    shown |= {
        f"{one.type}:{one.number}": "present" if one.status == "publish" else "hidden" for one in blog.posts
    }
    states = {name: one.state for name, one in lived.held[POLICE].items() if name != "site"}
    gone = states.keys() - shown.keys()
    assert {name: state for name, state in states.items() if name not in gone} == shown
    assert {states[name] for name in gone} == {"gone"}
    assert len(gone) == 2


def test_on_no_page_is_anything_absent_or_gone_that_the_page_still_shows(lived: Lived):
    told = {
        key: sorted(
            (one.state, (one.version.text("text") or "")[:20])
            for one in held.values()
            if one.state in ("absent", "gone")
        )
        for key, held in lived.held.items()
    }
    assert told[POLICE] == [("gone", "Everybody knows it i"), ("gone", "they left my father ")]
    assert told[NOTICES] == [("gone", "BOIL WATER: Quarry H")]
    assert told[COUNCIL] == [("absent", "Draft budget 2027 (w")]
    # A visitor cannot tell what is in the trash from what never was; the withdrawn fair took its comments along.
    assert Counter(state for state, _ in told[PARKS]) == {"absent": 9, "gone": 1}
    assert [words for _, words in told[PARKS] if words.startswith("Harvest fair")]


def test_nothing_was_ever_said_to_be_absent_or_gone_that_came_back(lived: Lived):
    for held in lived.held.values():
        for record in held.values():
            states = [state for state, _ in lived.office.told(record)]
            lost = [place for place, state in enumerate(states) if state in ("absent", "gone")]
            assert lost in ([], [len(states) - 1])


def test_what_was_published_while_the_password_was_dead_is_held_and_says_when_it_was_first_seen(lived: Lived):
    dark = [
        one
        for one in lived.held[POLICE].values()
        if one.published_at is not None and on(10, 8) < one.published_at < on(11, 20)
    ]
    assert len(dark) > 15
    assert {one.first_seen for one in dark} == {on(11, 20)}


# --------------------------------------------------------------------------- whether it all is sound


def test_everything_that_was_kept_verifies_and_no_manifest_leaves_a_room(lived: Lived):
    assert lived.office.unsound() == []
    assert lived.week.on.archive.verify(full=False).findings == []
