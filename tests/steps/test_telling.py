"""Telling people: one letter when a page is in trouble, one when it is well, reminders, and a daily letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import officers
from app.capture import credentials, lanes, pages, run
from app.capture.run import Pass
from app.capture.runs import Report
from app.capture.troubles import Begins, Cause, Ended, Ends, Nothing, Trouble, Worsens, change, reminder
from app.jobs.doctor import examine
from app.jobs.telling import PageNotCaptured, Telling, check_captured
from app.officers import NoMail, Smtp, mailer
from app.records.clock import FixedClock
from app.records.nouns import Role
from app.store import Store, audit
from connectors.contract import Batch, Gap
from connectors.errors import AccessRevoked, TryAgainLater
from tests.archives import settings_at
from tests.sinks import Sink
from tests.steps.scripted import Scripted, ScriptedClient, listing
from tests.steps.test_capture import post

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BASE = "https://archive.harrowfalls.example"


# -- what changes, and what does not -----------------------------------------------------------------------


def ended(
    status: str = "complete", *, lane: str = lanes.WHOLE, finished: bool = True, out: bool = False
) -> Ended:
    return Ended(run=7, lane=lane, status=status, finished=finished, disconnected=out, at=NOW)


def known(cause: Cause, lane: str = lanes.WHOLE) -> Trouble:
    return Trouble(key=1, cause=cause, lane=lane)


def test_a_trouble_begins_once_worsens_and_ends():
    failed = ended("failed", finished=False)
    assert change(None, ended()) == Nothing()
    assert change(None, failed) == Begins(Cause.FAILED)
    assert change(known(Cause.FAILED), failed) == Nothing()
    assert change(known(Cause.FAILED), ended("failed", finished=False, out=True)) == Worsens(
        Cause.UNAUTHORISED
    )
    assert change(known(Cause.UNAUTHORISED), failed) == Nothing()
    assert change(known(Cause.FAILED), ended()) == Ends()
    assert change(known(Cause.FAILED), ended("partial")) == Ends()


def test_gaps_of_a_whole_pass_are_not_ended_by_a_look_for_what_is_new():
    partial = known(Cause.PARTIAL)
    assert change(partial, ended(lane=lanes.LATELY)) == Nothing()
    assert change(partial, ended(lane=lanes.WHOLE)) == Ends()
    assert change(known(Cause.FAILED), ended(lane=lanes.LATELY)) == Ends()


RUNS = st.lists(
    st.builds(
        ended,
        st.sampled_from(["complete", "partial", "failed"]),
        lane=st.sampled_from([lanes.WHOLE, lanes.WINDOW, lanes.LATELY, lanes.SWEEP]),
        finished=st.booleans(),
        out=st.booleans(),
    ),
    max_size=40,
)


@given(RUNS)
def test_however_runs_end_troubles_begin_and_end_in_turn_and_never_grow_better_unsaid(runs: list[Ended]):
    trouble: Trouble | None = None
    for one in runs:
        match change(trouble, one):
            case Begins(cause):
                assert trouble is None
                trouble = known(cause, one.lane)
            case Worsens(cause):
                assert trouble is not None
                assert list(Cause).index(cause) > list(Cause).index(trouble.cause)
                trouble = known(cause, trouble.lane)
            case Ends():
                assert trouble is not None
                trouble = None
            case Nothing():
                pass


def test_reminders_come_14_7_and_2_days_before_and_then_every_day():
    ends = NOW + timedelta(days=20)
    marks = [reminder(ends, NOW + timedelta(hours=6 * step)) for step in range(4 * 24)]
    assert [mark for mark in dict.fromkeys(marks) if mark] == [
        "14 days", "7 days", "day 2", "day 1", "day 0", "day -1", "day -2", "day -3",
    ]  # fmt: skip
    assert marks[0] is None


# -- letters over a real mail server -----------------------------------------------------------------------


class Office:
    """A page that is captured by script, and the people who are told."""

    def __init__(self, store: Store, clock: FixedClock, sink: Sink) -> None:
        self.store, self.clock, self.sink = store, clock, sink
        smtp = mailer(f"smtp://127.0.0.1:{sink.port}", "archive@harrowfalls.example", clock=clock)
        self.telling = Telling(store, smtp, BASE, "07:00")
        with store.database.begin() as tx:
            first = officers.first(store, tx, "clerk@harrowfalls.example")
            self.officer = first.officer
            self.page = pages.add(
                store, tx, connector="wordpress", platform="wordpress", address="https://police.example",
                name="Police blog", by=self.officer.id, why="test",
            )  # fmt: skip

    def capture(self, *steps: Any, lane: str = lanes.WHOLE) -> Report:
        client = ScriptedClient(self.clock)
        connector = Scripted(client)
        connector.steps = list(steps)
        self.clock.at += timedelta(minutes=1)
        with self.store.database.read() as tx:
            page = pages.get(tx, self.page.id.hex)
        return run.capture(
            self.store, page, connector, client, by=None, why="test", tick=lambda: 0.0, pass_=Pass(lane=lane)
        )

    def good(self) -> None:
        self.capture(listing(self.clock, post("p1", "words")))

    def bad(self, error: Exception | None = None) -> None:
        self.capture(error or TryAgainLater("503 from the platform"))

    def told(self) -> list[str]:
        """The subjects of the letters that went since the last look; the daily ones apart."""
        before = len(self.sink.taken)
        self.telling.tick()
        return [one["Subject"] for one in self.letters()[before:] if "to do" not in one["Subject"]]

    def letters(self) -> Sequence[Any]:
        return self.sink.messages()

    def last(self) -> str:
        """The words of the last letter that is not the daily one."""
        text: str = [one for one in self.letters() if "to do" not in one["Subject"]][-1].get_content()
        return text

    def daily(self) -> list[tuple[str, str]]:
        """Subject and words of the daily letters."""
        return [(one["Subject"], one.get_content()) for one in self.letters() if "to do" in one["Subject"]]


@pytest.fixture
def office(store: Store, clock: FixedClock, serve: Callable[..., Sink]) -> Office:
    return Office(store, clock, serve())


def test_a_page_that_fails_is_told_once_with_its_cause_its_last_good_capture_and_what_to_do(office: Office):
    office.good()
    assert office.told() == []
    good = office.clock.at
    office.bad()
    assert office.told() == ["Police blog: capture failed"]
    text = office.last()
    local = good.astimezone(office.store.agency.zone())
    for words in (
        "Police blog",
        "503 from the platform",
        f"{local:%H:%M on} {local.day}",
        "What to do",
        f"{BASE}/runs/",
    ):
        assert words in text
    office.bad()
    office.bad()
    assert office.told() == []


def test_a_page_that_is_well_again_is_told_with_the_gap(office: Office):
    office.good()
    office.bad()
    office.told()
    office.clock.at += timedelta(hours=8)
    office.good()
    assert office.told() == ["Police blog: captured again"]
    assert "seen by nobody" in office.last()
    assert "503 from the platform" in office.last()
    assert f"{BASE}/pages/{office.page.id}/coverage" in office.last()
    office.good()
    assert office.told() == []


def test_a_platform_that_no_longer_lets_us_in_is_told_with_the_way_back(office: Office):
    office.good()
    office.bad()
    assert office.told() == ["Police blog: capture failed"]
    office.bad(AccessRevoked("401"))
    assert office.told() == ["Police blog: the platform no longer lets us in"]
    assert f"{BASE}/pages/{office.page.id}" in office.last()


def test_gaps_are_told_and_end_with_a_pass_that_has_none(office: Office):
    gap = Gap(what="an album", why="404")
    office.capture(listing(office.clock, post("p1", "words"), gaps=[gap]))
    assert office.told() == ["Police blog: captured with gaps"]
    assert "an album: 404" in office.last()
    office.capture(listing(office.clock, post("p1", "words")), lane=lanes.LATELY)
    assert office.told() == []
    office.good()
    assert office.told() == ["Police blog: captured again"]


def test_everybody_who_keeps_records_or_the_machine_is_told_and_nobody_else(office: Office):
    store, by = office.store, office.officer
    with store.database.begin() as tx:
        for email, role in (
            ("two@harrowfalls.example", Role.RECORDS_OFFICER),
            ("law@harrowfalls.example", Role.ATTORNEY),
        ):
            officers.add(store, tx, email, [role], by=by, why="test")
    office.bad()
    office.told()
    assert sorted({one["To"] for one in office.letters()}) == [
        "clerk@harrowfalls.example",
        "two@harrowfalls.example",
    ]


def test_a_letter_that_is_not_taken_comes_again_and_is_sent_once(office: Office):
    office.sink.says = "451 try later"
    office.bad()
    assert office.told() == []
    assert office.told() == [], "it is not tried again at once"
    office.sink.says = "250 OK"
    office.clock.at += timedelta(minutes=3)
    assert office.told() == ["Police blog: capture failed"]
    office.clock.at += timedelta(hours=2)
    assert office.told() == []


def test_every_letter_that_went_is_in_the_ledger_with_whom_it_told(office: Office):
    office.bad()
    office.told()
    with office.store.database.read() as tx:
        (notice,) = audit.acts_before(office.store, tx, kind="notice").acts
    assert notice.detail["to"] == "clerk@harrowfalls.example"


def test_no_letter_says_what_a_visitor_wrote(office: Office):
    office.capture(listing(office.clock, post("p1", "a very private sorrow")), TryAgainLater("503"))
    office.told()
    assert all("sorrow" not in one.get_content() for one in office.letters())


def test_credentials_that_end_are_told_of_in_good_time(office: Office):
    store = office.store
    with store.database.begin() as tx:
        ends = office.clock.at + timedelta(days=10)
        pages.connect(
            store, tx, office.page, {"user": "archivist", "application_password": "abcd efgh ijkl"},
            by=office.officer.id, why="test", terms=credentials.Terms(stated_until=ends),
        )  # fmt: skip
    assert office.told() == ["Police blog: its credentials end in 10 days"]
    assert office.told() == []
    for day in range(12):
        office.clock.at += timedelta(days=1)
        assert len(office.told()) == (1 if day + 1 == 3 or day + 1 >= 8 else 0), day


def test_a_day_that_has_begun_counts_among_those_that_credentials_still_have(office: Office):
    store = office.store
    with store.database.begin() as tx:
        ends = office.clock.at + timedelta(days=2)
        pages.connect(
            store, tx, office.page, {"user": "archivist", "application_password": "abcd efgh ijkl"},
            by=office.officer.id, why="test", terms=credentials.Terms(stated_until=ends),
        )  # fmt: skip
    office.clock.at += timedelta(minutes=1)
    assert office.told() == ["Police blog: its credentials end in 2 days"]
    office.clock.at = ends - timedelta(minutes=1)
    assert office.told() == ["Police blog: its credentials end in 1 day"]
    office.clock.at = ends + timedelta(minutes=1)
    assert office.told() == ["Police blog: its credentials have ended"]


def test_the_daily_letter_says_what_needs_doing_once_a_day_and_when_there_is_nothing(office: Office):
    zone = office.store.agency.zone()
    with office.store.database.begin() as tx:
        pages.approve(office.store, tx, office.page, by=office.officer.id, why="test")
    office.clock.at = datetime(2026, 3, 3, 7, 1, tzinfo=zone).astimezone(UTC)
    office.good()
    office.telling.tick()
    office.telling.tick()
    ((subject, text),) = office.daily()
    assert subject == "Harrow Falls, 2026-03-03: nothing to do"
    assert "Nothing needs doing" in text
    office.clock.at += timedelta(hours=22)
    office.bad()
    office.told()
    office.clock.at += timedelta(hours=3)
    office.telling.tick()
    subject, text = office.daily()[-1]
    assert subject == "Harrow Falls, 2026-03-04: 1 thing to do"
    assert "The last capture failed" in text


def test_without_a_mail_server_nothing_is_sent_and_nothing_is_lost(
    store: Store, clock: FixedClock, serve: Any
):
    office = Office(store, clock, serve())
    working = office.telling.mailer
    office.telling.mailer = NoMail()
    office.bad()
    assert office.told() == []
    office.telling.mailer = working
    assert office.told() == ["Police blog: capture failed"]


# -- doctor and readyz -------------------------------------------------------------------------------------


def checks(office: Office, **more: Any) -> dict[str, tuple[bool, str]]:
    home = office.store.objects.folder.parent  # type: ignore[attr-defined]  # a folder, here
    found = examine(settings_at(home, **more), office.store, lambda: 0)
    return {one.what: (one.ok, one.says) for one in found}


def test_a_page_without_a_complete_capture_for_26_hours_makes_doctor_and_readyz_fail(office: Office):
    office.good()
    office.clock.at += timedelta(hours=25, minutes=59)
    check_captured(office.store)
    assert checks(office)["coverage"][0]
    office.clock.at += timedelta(minutes=2)
    with pytest.raises(PageNotCaptured, match="Police blog"):
        check_captured(office.store)
    assert not checks(office)["coverage"][0]
    office.good()
    check_captured(office.store)


def test_a_paused_page_does_not_make_readyz_fail(office: Office):
    office.clock.at += timedelta(days=3)
    with pytest.raises(PageNotCaptured):
        check_captured(office.store)
    with office.store.database.begin() as tx:
        pages.pause(office.store, tx, office.page, by=UUID(int=1), why="test")
    check_captured(office.store)


def test_the_doctor_greets_the_mail_server_and_sends_nothing(office: Office):
    told = checks(office, smtp_url=f"smtp://127.0.0.1:{office.sink.port}")
    assert told["mail"] == (True, f"127.0.0.1:{office.sink.port} answers")
    assert office.sink.taken == []
    assert not checks(office, smtp_url="smtp://127.0.0.1:9")["mail"][0]
    assert not checks(office)["mail"][0]


def test_a_password_that_the_mail_server_does_not_accept_is_told_by_the_doctor(serve: Any):
    sink = serve(auth_require_tls=False)
    right = Smtp(f"smtp://records%40town:s%3Ae%2Fc%20ret@127.0.0.1:{sink.port}", "a@town.example")
    assert "accepts our password" in right.check()
    wrong = Smtp(f"smtp://records%40town:wrong@127.0.0.1:{sink.port}", "a@town.example")
    with pytest.raises(officers.MailNotSent, match="does not accept"):
        wrong.check()


def test_letters_that_wait_for_more_than_five_minutes_are_told_by_the_doctor(office: Office):
    office.sink.says = "451 try later"
    office.bad()
    office.told()
    assert checks(office)["letters"][0]
    office.clock.at += timedelta(minutes=6)
    assert not checks(office)["letters"][0]


def test_a_page_that_nobody_captured_for_long_is_told_with_the_window_once_it_is_again(office: Office):
    office.good()
    assert office.told() == []
    office.clock.at += timedelta(hours=40)
    office.good()
    assert office.told() == ["Police blog: was not captured for 40 hours"]
    assert "no pass was made" in office.last()
    office.good()
    assert office.told() == []


def test_a_night_that_came_in_time_tells_nothing(office: Office):
    office.good()
    office.clock.at += timedelta(hours=25)
    office.good()
    assert office.told() == []


def test_a_failure_is_told_though_the_clock_was_set_back(office: Office):
    office.good()
    assert office.told() == []
    office.clock.at -= timedelta(hours=3)
    office.bad()
    assert office.told() == ["Police blog: capture failed"]
    office.good()
    assert office.told() == ["Police blog: captured again"]


def test_a_run_that_ends_after_a_later_one_is_told_all_the_same(office: Office):
    def fails() -> Iterator[Batch]:
        office.good()
        assert office.told() == []
        yield from ()
        raise TryAgainLater("503 from the platform")

    with office.store.database.begin() as tx:
        other = pages.add(
            office.store, tx, connector="feed", platform="blog", address="https://parks.example",
            name="Parks", by=office.officer.id, why="test",
        )  # fmt: skip
    client = ScriptedClient(office.clock)
    connector = Scripted(client)
    connector.observe = lambda page, since: fails()  # type: ignore[method-assign]  # another page ends meanwhile
    run.capture(office.store, other, connector, client, by=None, why="test", tick=lambda: 0.0)
    assert office.told() == ["Parks: capture failed"]
    assert office.told() == []
