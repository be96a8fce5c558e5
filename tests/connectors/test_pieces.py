"""Pieces of JSON bodies have the bytes that they were read from, and what cannot be read is told in words."""

from __future__ import annotations

import msgspec
import pytest

from connectors import pieces
from connectors.contract import Span
from connectors.pieces import Malformed, Seen


class Item(msgspec.Struct):
    id: str


def test_each_item_of_a_list_has_its_own_bytes():
    body = b' [{"id":"1"}, {"id":"2"}]'
    found = pieces.items(body, (1, len(body)), 3, Item)
    assert found == [Seen(Item("1"), Span(3, 2, 12)), Seen(Item("2"), Span(3, 14, 24))]
    assert pieces.listed(body, (1, len(body)), 3, Item) == found


def test_half_a_character_becomes_its_replacement_and_keeps_its_bytes():
    body = b'[{"id":"a\\ud83d"}]'
    assert pieces.items(body, (0, len(body)), 0, Item) == [Seen(Item("a\ufffd"), Span(0, 1, len(body) - 1))]


def test_an_item_of_another_shape_is_never_left_out():
    body = b'[{"id":"1"},{"id":2}]'
    with pytest.raises(msgspec.ValidationError):
        pieces.items(body, (0, len(body)), 0, Item)
    with pytest.raises(Malformed, match="the answer is of another shape"):
        pieces.listed(body, (0, len(body)), 0, Item)


def test_items_of_another_shape_are_sorted_out_with_their_names_and_bytes():
    body = b'[{"id":"1"},null,{"id":7},{"id":"","strange":1},{"id":"4"}]'
    told = pieces.sorted_out(body, (0, len(body)), 3, Item)
    assert [one.what.id for one in told.items] == ["1", "", "4"]
    assert [one.id for one in told.unread] == [None, "7"]
    assert [body[one.span.start : one.span.end] for one in told.unread] == [b"null", b'{"id":7}']
    assert all(one.why and one.span.exchange == 3 for one in told.unread)


def test_a_list_of_which_nothing_can_be_read_is_of_another_shape_itself():
    odd = b"[" + b",".join([b'{"id":null}'] * pieces.STRANGE) + b"]"
    with pytest.raises(msgspec.ValidationError):
        pieces.sorted_out(odd, (0, len(odd)), 0, Item)
    few = b"[" + b",".join([b'{"id":null}'] * (pieces.STRANGE - 1)) + b"]"
    assert len(pieces.sorted_out(few, (0, len(few)), 0, Item).unread) == pieces.STRANGE - 1
    with_one = odd[:-1] + b',{"id":"1"}]'
    assert len(pieces.sorted_out(with_one, (0, len(with_one)), 0, Item).unread) == pieces.STRANGE


@pytest.mark.parametrize(
    ("piece", "name"),
    [
        (b'{"id":"7","likes":"many"}', "7"),
        (b'{"id":7}', "7"),
        (b'{"id":0}', "0"),
        (b'{"id":true}', None),
        (b'{"id":1.5}', None),
        (b'{"id":""}', None),
        (b'{"id":["7"]}', None),
        (b'{"uri":"7"}', None),
        (b"null", None),
        (b"[7]", None),
        (b'{"id":"7"', None),
        (b"[" * 100_000, None),
    ],
)
def test_an_item_that_cannot_be_read_is_called_by_its_id_where_that_is_a_name(piece: bytes, name: str | None):
    assert pieces.called(piece) == name


class Fuller(msgspec.Struct):
    id: str
    words: str = ""
    names: list[str] = []
    inner: Item | None = None


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "-Infinity", "9" * 5_000])
def test_a_number_that_none_can_hold_tells_nothing_and_costs_nothing_else(number: str):
    body = b'[{"id": "1", "likes": %s, "text": "a"}, {"id": "2"}]' % number.encode()
    found = pieces.listed(body, (0, len(body)), 0, Counted)
    assert [one.what for one in found] == [Counted("1", None, "a"), Counted("2")]
    assert [body[one.span.start : one.span.end] for one in found][1] == b'{"id": "2"}'
    with pytest.raises(Malformed):  # what cannot be left out cannot be told by it either
        pieces.listed(b'[{"id": %s}]' % number.encode(), (0, len(number) + 9), 0, Counted)


class Counted(msgspec.Struct):
    id: str
    likes: int | None = None
    text: str = ""


def test_what_may_be_left_out_may_be_null_and_what_may_not_may_not():
    body = b'[{"id":"1","words":null,"names":null,"inner":{"id":"2","more":null}},{"id":"3"}]'
    found = [seen.what for seen in pieces.items(body, (0, len(body)), 0, Fuller)]
    assert found == [Fuller("1", inner=Item("2")), Fuller("3")]
    for broken in (b'[{"id":null}]', b'[{"id":"1","inner":{"id":null}}]', b'[{"id":"1","names":[null]}]'):
        with pytest.raises(msgspec.ValidationError):
            pieces.items(broken, (0, len(broken)), 0, Fuller)


def test_a_whole_body_is_read_as_one_object():
    assert pieces.one(b' {"id":"1"}\n', 0, Item) == Seen(Item("1"), Span(0, 1, 11))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the answer is empty"),
        (
            b"<html>",
            r"HTML stands where JSON should be \(a sign-in page, a firewall, or an address of another kind\)",
        ),
        (b'{"id":1}', "the answer is not of Reddit's shape: Expected `str`, got `int`"),
        (b'{"id":', "the answer is not of Reddit's shape"),
    ],
)
def test_what_stands_in_place_of_an_object_is_told(body: bytes, says: str):
    with pytest.raises(Malformed, match=says):
        pieces.one(body, 0, Item, "Reddit")


def test_a_reason_that_was_told_already_stays_and_what_else_answers_with_html_can_be_named():
    assert pieces.why(b"<html>", Malformed("its list is missing"), "Reddit") == "its list is missing"
    assert "or a plugin's warning" in pieces.why(b"<html>", ValueError("no"), instead="a plugin's warning")
