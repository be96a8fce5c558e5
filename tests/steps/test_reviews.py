"""Reviews: what is due is listed until a person has looked, and looking is recorded with what was found and why."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from app import main
from app.capture.deeds import BadDate, TooLong
from app.holds import quarantine
from app.records.clock import FixedClock
from app.records.nouns import Role
from app.retention import explaining, recording, reviews
from app.retention.decide import Permanent, Review
from app.store import Store, fixity
from tests.steps.filing import Desk, a_schedule, on, post

SERIES = {
    "LOOK": "{after: published, keep: P1Y, then: review, assigns: [KEPT]}",
    "KEPT": "{then: permanent}",
}
RULES = (("KEPT", 'when: "council"', 20), ("LOOK", 'when: "kind:post"', 10))


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Desk:
    made = Desk(store, clock, tmp_path / "index")
    made.adopt(a_schedule(SERIES, RULES))
    made.shown(
        post("old", "An old notice", published_at=on(2024, 1, 10)),
        post("older", "An older notice", published_at=on(2023, 1, 10)),
        post("new", "A new notice", published_at=on(2026, 1, 10)),
        post("minutes", "What the council said", published_at=on(2020, 1, 10)),
    )
    made.classify()
    return made


def due(desk: Desk) -> dict[str, date]:
    names = {one: name for name, one in desk.keys().items()}
    with desk.store.database.read() as tx:
        found = reviews.due(desk.standing, tx)
    assert found.total == len(found.named)
    return {names[one.key]: one.since for one in found.named}


def review(desk: Desk, *names: str, again: date | None = None, found: str = "still of use") -> None:
    with desk.store.database.begin() as tx:
        recording.review(
            desk.store, tx, desk.ids(*names), found=found, again=again, by=desk.clerk, why="the yearly review"
        )


def test_what_its_series_has_reviewed_is_listed_once_its_day_has_come(desk: Desk):
    assert isinstance(desk.decisions()["old"], Review)
    assert due(desk) == {"old": date(2025, 1, 11), "older": date(2024, 1, 11)}


def test_a_review_takes_a_record_off_the_list_and_leaves_it_as_it_was(desk: Desk):
    before = desk.decisions()["old"]
    review(desk, "old")
    assert set(due(desk)) == {"older"}
    assert desk.decisions()["old"] == before
    with desk.store.database.read() as tx:
        [told] = recording.of_record(desk.store, tx, desk.keys()["old"])
    assert (told.name, told.evidence, told.by) == ("reviewed", "still of use", desk.clerk.id)
    assert told.why == "the yearly review"


def test_a_review_that_was_recorded_by_mistake_puts_it_back(desk: Desk):
    review(desk, "old")
    with desk.store.database.begin() as tx:
        [told] = recording.of_record(desk.store, tx, desk.keys()["old"])
        recording.take_back(desk.store, tx, told.id, by=desk.clerk, why="it was another")
    assert set(due(desk)) == {"old", "older"}


def test_a_permanent_record_is_listed_on_the_day_that_a_reviewer_named(desk: Desk):
    assert isinstance(desk.decisions()["minutes"], Permanent)
    today = date(2026, 3, 2)
    review(desk, "minutes", again=today + timedelta(days=30))
    assert "minutes" not in due(desk)
    desk.clock.at += timedelta(days=31)
    assert due(desk)["minutes"] == today + timedelta(days=30)
    review(desk, "minutes")
    assert "minutes" not in due(desk)


def test_a_review_says_what_was_found_and_names_no_day_that_is_past(desk: Desk):
    with pytest.raises(TooLong):
        review(desk, "old", found=" ")
    with pytest.raises(BadDate):
        review(desk, "old", again=date(2026, 3, 2))
    assert set(due(desk)) == {"old", "older"}


def test_what_is_in_quarantine_is_not_listed(desk: Desk):
    counsel = desk.hired("counsel", Role.ATTORNEY)
    [old] = desk.ids("old")
    with desk.store.database.begin() as tx:
        quarantine.begin(desk.store, tx, old, desk.clerk.email, by=counsel, why="an order may come")
    assert set(due(desk)) == {"older"}


def test_the_overview_and_the_daily_letter_say_how_many_of_each_series_are_due(desk: Desk):
    with desk.store.database.read() as tx:
        [told] = reviews.to_do(desk.store, tx)
    assert (told.where, told.what.split(":")[0]) == ("Series LOOK", "2 records are due for review")
    assert told.link == "/retention/reviews"
    review(desk, "old", "older")
    with desk.store.database.read() as tx:
        assert reviews.to_do(desk.store, tx) == []


def test_reviews_are_explained_and_held_against_their_entries(desk: Desk):
    review(desk, "old", again=date(2027, 1, 1))
    with desk.store.database.read() as tx:
        told = explaining.explain(desk.standing, tx, desk.keys()["old"], holds=())
    said = "\n".join(explaining.lines(told))
    assert "Event reviewed on 2026-03-02" in said
    assert "To be reviewed again on 2027-01-01" in said
    assert fixity.verify(desk.store, full=True, more=main.ACCOUNTED).findings == []
