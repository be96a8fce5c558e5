"""The last batch of a pass is kept apart for the pass to close; every other one is handed over as it comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.closing import but_the_last
from connectors.contract import Batch, Cursor
from connectors.errors import TryAgainLater


def read(*names: str, then: Exception | None = None) -> Iterator[Batch]:
    """A pass of batches known by their cursors, at whose end an error may stand."""
    for name in names:
        yield Batch(exchanges=(), resume_from=Cursor(name))
    if then is not None:
        raise then


def closed(batches: Iterator[Batch]) -> Iterator[str]:
    """Each batch by its cursor; the one that was kept apart is marked as closed."""
    apart: list[Batch | None] = []

    def walk() -> Iterator[Batch]:
        apart.append((yield from but_the_last(batches)))

    for batch in walk():
        yield batch.resume_from
    yield from (f"{one.resume_from}, closed" if one is not None else "none" for one in apart)


def test_the_last_batch_alone_is_kept_apart_to_be_closed():
    assert list(closed(read("1", "2", "3"))) == ["1", "2", "3, closed"]
    assert list(closed(read("1"))) == ["1, closed"]


def test_where_an_error_ends_the_pass_its_last_batch_is_handed_over_unclosed_before_the_error():
    later = TryAgainLater("The platform asks for patience.")
    batches = closed(read("1", "2", "3", then=later))
    assert [next(batches) for _ in range(3)] == ["1", "2", "3"]
    with pytest.raises(TryAgainLater) as told:
        next(batches)
    assert told.value is later


def test_a_pass_without_a_batch_has_none_to_close():
    assert list(closed(read())) == ["none"]


def test_an_error_before_any_batch_is_told_at_once():
    with pytest.raises(TryAgainLater):
        next(closed(read(then=TryAgainLater("The platform asks for patience."))))


def test_a_fault_of_our_own_hands_over_nothing_more():
    batches = closed(read("1", "2", then=AssertionError("a bug")))
    assert next(batches) == "1"
    with pytest.raises(AssertionError, match="a bug"):
        next(batches)


def test_no_batch_waits_longer_than_for_the_one_that_follows_it():
    asked: list[str] = []

    def asking() -> Iterator[Batch]:
        for batch in read("1", "2", "3"):
            asked.append(batch.resume_from)
            yield batch

    batches = closed(asking())
    assert (next(batches), asked) == ("1", ["1", "2"])
    assert (next(batches), asked) == ("2", ["1", "2", "3"])
