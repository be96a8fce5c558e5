"""A cursor leads back to the place that it was made of; one that cannot be read begins from nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import pytest

from connectors import cursors
from connectors.contract import Cursor, Kind, State

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Place(cursors.Staged, frozen=True, forbid_unknown_fields=True, kw_only=True):
    stages: ClassVar[tuple[str, ...]] = ("events", "posts")

    stage: str = "events"
    at: str = ""


def test_a_place_is_read_again_as_it_was_written():
    place = Place(began=NOON, stage="posts", at="7")
    assert Place.read(place.cursor()) == place


def test_keys_may_stand_in_any_order():
    told = Cursor('{"at":"7","stage":"posts","began":"2026-03-02T12:00:00Z"}')
    assert Place.read(told) == Place(began=NOON, stage="posts", at="7")


@pytest.mark.parametrize(
    "written", ["", "{", "[]", '{"stage":"comments"}', '{"elsewhere":1}', '{"began":"noon"}', "\ud800"]
)
def test_a_cursor_that_cannot_be_read_begins_from_nothing(written: str):
    assert Place.read(Cursor(written)) == Place()
    assert Place.read(None) == Place()


def test_a_stage_is_followed_by_the_next_one_and_the_last_by_itself():
    assert Place().following("events") == "posts"
    assert Place().following("posts") == "posts"


def test_a_listing_speaks_of_what_was_seen_since_the_pass_began():
    told = Place(began=NOON).listing([Kind.POST], 3, (State.PRESENT, State.HIDDEN), None, NOON)
    assert (told.began_at, told.exchange, told.kinds) == (NOON, 3, [Kind.POST])
    assert (told.published_from, told.published_until) == (None, NOON)
    assert told.states == (State.PRESENT, State.HIDDEN)
    assert Place(began=NOON).listing([Kind.POST], 0).states == (State.PRESENT,)


def test_a_pass_that_has_not_begun_can_promise_nothing():
    with pytest.raises(AssertionError, match="notes its beginning"):
        Place().listing([Kind.POST], 0)
