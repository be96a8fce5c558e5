"""What was kept back is said when a request is closed, and stands in its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.disclosure import kept_back, log, moving, requests
from app.disclosure.redacting import Span, Whole
from app.disclosure.requests import Request
from app.records.clock import FixedClock
from app.store import Store
from tests.steps.scripted import listing
from tests.steps.test_capture import comment, post
from tests.steps.test_producing import Producer
from tests.steps.test_review import SECRET, WHY


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Producer]:
    made = Producer(store, clock, tmp_path / "index")
    told = (comment("c1", f"I live on Elm Street, call {SECRET}"), comment("c2", "thanks"))
    made.capture(listing(clock, post("p1", "Elm Street is closed"), *told))
    yield made
    made.engine.settle()


@pytest.fixture
def request_(desk: Producer) -> Request:
    return desk.asked()


def outcome(desk: Producer, request: Request) -> str:
    with desk.store.database.begin() as tx:
        now = requests.get(desk.store, tx, request.number)
        return moving.close(desk.store, tx, desk.laws, now, by=desk.admin, why=WHY).outcome


def logged(desk: Producer) -> str:
    with desk.store.database.begin() as tx:
        return log.as_csv(desk.store, tx, everything=True, by=desk.admin, why=WHY).decode("utf-8-sig")


def test_what_left_in_part_was_not_granted_in_full(desk: Producer, request_: Request, tmp_path: Path):
    desk.redact(request_, "c1", Span(1, 27, 39))
    desk.make(request_, tmp_path / "out")
    assert outcome(desk, request_) == "partly"


def test_what_left_whole_was(desk: Producer, request_: Request, tmp_path: Path):
    desk.make(request_, tmp_path / "out")
    assert outcome(desk, request_) == "produced"
    assert "withheld" not in logged(desk).splitlines()[1]


def test_the_log_says_what_was_kept_back_and_on_which_grounds(
    desk: Producer, request_: Request, tmp_path: Path
):
    desk.redact(request_, "c1", Span(1, 27, 39))
    desk.redact(request_, "c2", Whole())
    with desk.store.database.read() as tx:
        assert not kept_back.of(tx, request_.id)
    desk.make(request_, tmp_path / "out")
    with desk.store.database.read() as tx:
        kept = kept_back.of(tx, request_.id)
        grounds = list(kept_back.grounds(desk.store, tx, kept))
    assert kept.says() == "1 record withheld, 1 redacted"
    assert len(grounds) == 2  # one for each record
    assert set(grounds) == {"6(C)"}
    assert f"1 record withheld, 1 redacted; {grounds[0]}" in logged(desk)
    assert SECRET not in logged(desk)


def test_several_records_are_counted_by_how_they_left():
    assert kept_back.KeptBack((1, 2), ()).says() == "2 records withheld"
    assert kept_back.KeptBack((), (1,)).says() == "1 record redacted"
    assert kept_back.KeptBack((), ()).says() == ""
