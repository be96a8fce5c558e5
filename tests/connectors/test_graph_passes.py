"""What passes over Meta's platforms share: what a refused list may hide, where a pass goes on, what is asked and promised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from connectors import graph_passes
from connectors.contract import Kind, State
from connectors.graph import Fault, NotGiven

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

NOT_PERMITTED = NotGiven(Fault(code=10), 403)
NOT_OFFERED = NotGiven(Fault(code=2500), 400)


class Place(graph_passes.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    stages: ClassVar[tuple[str, ...]] = ("tagged", "posts")

    stage: str = "tagged"


def test_a_list_that_gave_something_may_hide_what_we_hold_once_it_is_refused():
    for place in (Place(gave=("tagged",)), Place(gave=()).giving("tagged")):
        assert place.may_hide("tagged", NOT_PERMITTED)
        assert place.may_hide("tagged", NOT_OFFERED)


def test_a_list_that_never_gave_anything_hides_nothing():
    assert not Place(gave=()).may_hide("tagged", NOT_PERMITTED)
    assert not Place(gave=("posts",)).may_hide("tagged", NOT_PERMITTED)


def test_before_any_pass_has_ended_a_refusal_may_hide_anything_but_what_the_interface_does_not_have():
    assert Place().may_hide("tagged", NOT_PERMITTED)
    assert not Place().may_hide("tagged", NOT_OFFERED)


def test_a_stage_that_was_read_leaves_nothing_of_its_list_behind():
    place = Place(began=NOON, at={"after": "x"}, ended=True, waiting=(("1", {}),)).after("tagged")
    assert place == Place(began=NOON, stage="posts")
    assert place.after("posts").stage == "posts"


def test_the_next_pass_knows_what_gave_something_and_whether_what_answers_was_shown_whole():
    ended = Place(page="1", began=NOON, stage="posts", gave=("tagged",), met=("posts",), threads=False)
    assert ended.finished() == Place(page="1", gave=("posts", "tagged"), one_by_one=True)
    assert not Place(threads=True).finished().one_by_one


def test_a_span_is_asked_for_an_hour_wider_and_an_open_side_not_at_all():
    at = int(NOON.timestamp())
    assert graph_passes.span(NOON, NOON) == {"since": str(at - 3600), "until": str(at + 3600)}
    assert graph_passes.span(None, NOON) == {"until": str(at + 3600)}
    assert graph_passes.span(None, None) == {}


def test_what_answers_an_item_is_promised_item_by_item_hidden_ones_among_it():
    one, other = graph_passes.under(["1", "2"], NOON, 4)
    assert (one.in_reply_to, other.in_reply_to) == ("1", "2")
    assert (one.kinds, one.states) == ([Kind.COMMENT, Kind.REPLY], (State.PRESENT, State.HIDDEN))
    assert graph_passes.under([], NOON, 4) == []
