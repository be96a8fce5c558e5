"""What counts as an object that fails alone, what as a platform that is down, and what is kept of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Cursor, Exchange, Gap
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.failing import IN_SUCCESSION
from connectors.visits import Visit

FAILED = Exchange(
    method="GET",
    url="https://town.example/comments/1",
    started_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    seconds=0.1,
    status=500,
    reason="Internal Server Error",
)


def failure(**changes: object) -> TryAgainLater:
    return TryAgainLater("It answered 500.", [replace(FAILED, **changes)])  # type: ignore[arg-type]  # fields of an exchange


def ask(visit: Visit, name: str, error: Exception | None = None) -> Gap | None:
    with visit.about("comments", name) as asked:
        if error is not None:
            raise error
    return asked.gap


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_a_whole_answer_of_5xx_about_one_object_is_a_gap_that_names_it(status: int) -> None:
    visit = Visit()
    gap = ask(visit, "1", failure(status=status, reason="Broken"))
    assert gap == Gap(
        what="comments",
        why=f"the platform answered {status} Broken; every later pass asks again",
        native_id="1",
    )


def test_what_shows_the_failure_is_kept_with_the_next_batch_and_each_exchange_once() -> None:
    visit = Visit()
    error = failure()
    retried = TryAgainLater("", [replace(FAILED, status=502), *error.exchanges])
    ask(visit, "1", retried)
    assert list(visit.batch(Cursor("")).exchanges) == list(retried.exchanges)
    ask(visit, "2", retried)
    ask(visit, "2", retried)
    assert list(visit.batch(Cursor("")).exchanges) == list(retried.exchanges)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(failure(status=429), id="a throttle"),
        pytest.param(failure(status=0, failure="no answer in time"), id="no answer"),
        pytest.param(failure(truncated="time"), id="an answer that breaks off"),
        pytest.param(failure(failure="the body was not kept"), id="an answer that cannot be kept"),
        pytest.param(TryAgainLater("The budget is spent."), id="a spent budget"),
        pytest.param(
            TryAgainLater("", [replace(FAILED, status=503)], after=timedelta(minutes=5)),
            id="a time to come again",
        ),
        pytest.param(TryAgainLater("", [FAILED, replace(FAILED, status=429)]), id="a throttle at last"),
        pytest.param(AccessRevoked("", [replace(FAILED, status=403)]), id="a refused permission"),
    ],
)
def test_what_speaks_for_the_platform_ends_the_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        ask(Visit(), "1", error)
    assert raised.value is error


class Apart(Visit):
    unread_is_apart = True


def unreadable(number: int = 1) -> UnexpectedResponse:
    return UnexpectedResponse(
        "The answer is not JSON.", [replace(FAILED, status=200, url=f"{FAILED.url}{number}")]
    )


def test_an_answer_about_one_object_that_cannot_be_read_is_a_gap_that_says_why_and_is_kept() -> None:
    visit, error = Apart(), unreadable()
    gap = Gap(what="comments", why="The answer is not JSON. Every later pass asks again.", native_id="1")
    assert ask(visit, "1", error) == gap
    assert list(visit.batch(Cursor("")).exchanges) == list(error.exchanges)


def test_where_one_object_after_the_other_cannot_be_read_the_platform_speaks_otherwise() -> None:
    visit = Apart()
    assert ask(visit, "1", unreadable(1)) is not None
    assert ask(visit, "2", failure()) is not None  # one that fails counts like one that cannot be read
    with pytest.raises(UnexpectedResponse), visit:
        ask(visit, "3", unreadable(3))


def test_how_an_item_stands_is_never_concluded_from_what_cannot_be_read() -> None:
    with pytest.raises(UnexpectedResponse), Apart().about("how it stands", "1", unread=False):
        raise unreadable()


class TakenForSomethingElse(UnexpectedResponse):
    code = "taken-for-something-else"


def test_a_refusal_that_a_connector_weighs_itself_reaches_it() -> None:
    with pytest.raises(TakenForSomethingElse):
        ask(Apart(), "1", TakenForSomethingElse("", unreadable().exchanges))


def test_where_a_connector_does_not_tell_them_apart_what_cannot_be_read_ends_the_pass() -> None:
    with pytest.raises(UnexpectedResponse):
        ask(Visit(), "1", unreadable())


def test_after_so_many_objects_in_succession_the_platform_is_down_and_its_error_is_raised() -> None:
    visit = Visit()
    for number in range(IN_SUCCESSION - 1):
        assert ask(visit, str(number), failure()) is not None
    with pytest.raises(TryAgainLater):
        ask(visit, "the last", failure())


def test_an_object_that_is_read_or_refused_in_between_shows_that_the_platform_is_there() -> None:
    visit = Visit()
    for number in range(5):
        assert ask(visit, f"{number}", failure()) is not None
        assert ask(visit, f"{number} too", failure()) is not None
        if number % 2:
            assert ask(visit, "well") is None
        else:
            with pytest.raises(LookupError):
                ask(visit, "refused", LookupError())


def test_an_object_of_which_several_questions_fail_is_one_object() -> None:
    visit = Visit()
    for _ in range(4 * IN_SUCCESSION):
        assert ask(visit, "1", failure()) is not None
    assert ask(visit, "2", failure()) is not None


class Asked:
    """Objects of which some fail, alone and with others."""

    def __init__(self, *fail: int) -> None:
        self.fail, self.questions = set(fail), 0

    def __call__(self, names: Sequence[str]) -> list[str]:
        self.questions += 1
        if self.fail & {int(name) for name in names}:
            raise failure()
        return list(names)


def piecemeal(
    asked: Asked, count: int = 100, of: str | None = None, visit: Visit | None = None
) -> tuple[list[str], list[str | None]]:
    names = [str(number) for number in range(count)]
    answers, gaps = (visit or Visit()).piecemeal("comments", names, asked, of=of)
    return [name for answer in answers for name in answer], [gap.native_id for gap in gaps]


@pytest.mark.parametrize("fails", [(), (0,), (57,), (99,), (3, 60), (10, 11), (98, 99)])
def test_of_several_objects_asked_for_at_once_only_those_that_fail_are_missed(fails: tuple[int, ...]) -> None:
    asked = Asked(*fails)
    found, missed = piecemeal(asked)
    assert missed == [str(number) for number in fails]
    assert found == [str(number) for number in range(100) if number not in fails]
    assert asked.questions <= 1 + 14 * len(fails)


def test_where_all_of_several_objects_fail_the_platform_is_down() -> None:
    asked = Asked(*range(100))
    with pytest.raises(TryAgainLater):
        piecemeal(asked)
    assert asked.questions < 20


def test_where_all_parts_of_one_object_fail_it_is_that_object_and_few_questions_are_asked() -> None:
    asked, visit = Asked(*range(100)), Visit()
    found, missed = piecemeal(asked, of="the thread", visit=visit)
    assert (found, missed) == ([], [str(number) for number in range(100)])
    assert asked.questions < 20
    assert ask(visit, "another thread", failure()) is not None


def test_of_no_objects_nothing_is_asked() -> None:
    asked = Asked()
    assert (piecemeal(asked, 0), asked.questions) == (([], []), 0)
