"""Reminders: 7, 3 and 1 days before, on the day, and daily once it has passed, to whoever answers the request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.disclosure import known, reminding
from app.jobs.telling import Telling
from app.officers import mailer
from app.records.clock import FixedClock
from app.store import Store, tables
from tests.sinks import Sink
from tests.steps.asking import Office


@pytest.fixture
def office(store: Store, clock: FixedClock) -> Office:
    return Office(store, clock)


def put(office: Office) -> int:
    with office.store.database.begin() as tx:
        return reminding.remind(office.store, tx, lambda: office.laws)


@pytest.mark.parametrize(
    ("left", "step"),
    [(30, None), (8, None), (7, "7"), (5, "7"), (3, "3"), (2, "3"), (1, "1"), (0, "0")],
)
def test_a_reminder_comes_at_its_step_and_not_before(left: int, step: str | None):
    today = date(2026, 3, 2)
    assert reminding.step(today + timedelta(days=left), today) == step


def test_what_is_overdue_is_told_each_day():
    told = {reminding.step(date(2026, 3, 2), date(2026, 3, day)) for day in (3, 4, 5)}
    assert len(told) == 3


def test_whoever_answers_a_request_is_told_once_a_step(office: Office):
    made = office.open()
    office.plainly("assign", made, office.counsel.email)
    assert put(office) == 0
    for days, letters in ((6, 0), (1, 1), (1, 0), (3, 1), (2, 1), (1, 1), (1, 1), (1, 1)):
        office.later(days=days)
        assert put(office) == letters, office.clock.at
        assert put(office) == 0


def test_where_nobody_answers_it_all_records_officers_are_told(office: Office):
    made = office.open()
    with office.store.database.read() as tx:
        assert reminding.answering(tx, made) == [office.clerk.email]
    made = office.plainly("assign", made, office.counsel.email)
    with office.store.database.read() as tx:
        assert reminding.answering(tx, made) == [office.counsel.email]


def test_what_was_answered_is_told_no_more(office: Office):
    made = office.open()
    office.later(days=13)
    office.do("no_records", made)
    assert put(office) == 0


def sent(office: Office, sink: Sink) -> list[str]:
    """The letters about requests that went; the daily letter is another matter."""
    post = mailer(f"smtp://127.0.0.1:{sink.port}", "archive@harrowfalls.example", clock=office.clock)
    Telling(office.store, post, "https://archive.example", "07:00", laws=lambda: office.laws).tick()
    told = [one for one in sink.messages() if "PD-2026" in str(one["Subject"])]
    return [f"{one['Subject']}\n{one.get_content()}" for one in told]


def test_the_letter_names_the_number_and_the_day_and_neither_who_asked_nor_for_what(
    office: Office, serve: Callable[..., Sink]
):
    made = office.open(name="Quentin Unusualname", words="an unrepeatable sentence")
    office.later(days=13)
    (letter,) = sent(office, serve())
    assert "PD-2026-0001 is due in 1 day" in letter
    assert "2026-03-16" in letter
    assert "2 AAC 96.325(a)" in letter
    assert f"https://archive.example/requests/{made.number}" in letter
    assert "Unusualname" not in letter
    assert "unrepeatable" not in letter


def test_an_overdue_letter_says_what_the_law_makes_of_it(office: Office, serve: Callable[..., Sink]):
    office.open("us-tx")
    office.later(days=20)
    (letter,) = sent(office, serve())
    assert "is overdue" in letter
    assert "presumed to be public" in letter


def test_a_target_that_passed_is_never_called_overdue(office: Office, serve: Callable[..., Sink]):
    office.open("us-ak-juneau", target=date(2026, 3, 5))
    office.later(days=20)
    (letter,) = sent(office, serve())
    assert "overdue" not in letter
    assert "the law sets no day" in letter


def test_a_deadline_that_moved_before_the_letter_went_is_not_told(office: Office, serve: Callable[..., Sink]):
    made = office.open()
    office.later(days=13)
    assert put(office) == 1
    office.do("extend", made)
    assert sent(office, serve()) == []


def todo(office: Office) -> list[tuple[str, bool]]:
    with office.store.database.read() as tx:
        return [(one.what, one.urgent) for one in reminding.to_do(office.store, tx, lambda: office.laws)]


def test_what_is_near_or_late_stands_in_the_overview(office: Office):
    made = office.open(litigant=False)
    assert todo(office) == []
    office.later(days=12)
    assert todo(office) == [("The records, or a denial in writing: due on 2026-03-16.", False)]
    office.later(days=5)
    assert todo(office) == [("The records, or a denial in writing: was due on 2026-03-16.", True)]
    office.do("close", made, outcome="withdrawn")
    assert todo(office) == []
    office.do("appeal", made)
    assert todo(office) == [("An appeal waits for its decision.", False)]


def test_an_unanswered_question_of_litigation_stands_there_too(office: Office):
    office.open()
    assert [what for what, _ in todo(office)] == [
        "Not answered yet: Is the requester a party to litigation with the agency, or do they ask for one who is?"
    ]


def test_a_folder_of_laws_that_cannot_be_read_keeps_nobody_from_being_reminded(
    office: Office, tmp_path: Path
):
    office.open()
    office.later(days=13)
    (tmp_path / "agency.yaml").write_text("lwa: us-wa\n")
    broken = lambda: known.of(tmp_path)  # noqa: E731 - it is called later
    with office.store.database.begin() as tx:
        assert reminding.remind(office.store, tx, broken) == 1
        urgent = [one for one in reminding.to_do(office.store, tx, broken) if one.urgent]
    assert "cannot be read" in urgent[0].what


def test_an_altered_law_keeps_no_other_letter_from_going(office: Office):
    office.open()
    office.later(days=13)
    with office.store.database.begin() as tx:
        tx.exec_driver_sql("DROP TRIGGER request_laws_refuse_update")
        content = office.laws.files["us-ak-state"].replace(b"within: 10", b"within: 90")
        tx.execute(update(tables.request_laws).values(content=content))
    assert put(office) == 0
    ((what, urgent),) = todo(office)
    assert "not the one that it was received under" in what
    assert urgent
