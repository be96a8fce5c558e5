"""Spans of nested JSON items, held against a brute-force reader."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import spans

SPACE = st.text(" \t\r\n", max_size=3)
KEYS = st.text(max_size=4)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-999, 999)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def written(
    value: object,
    space: st.DataObject,
    path: tuple[str | int, ...],
    out: list[str],
    places: dict[tuple[str | int, ...], tuple[int, int]],
) -> None:
    """Write `value` as JSON with arbitrary white space and note where each value came to stand."""

    def gap() -> None:
        out.append(space.draw(SPACE))

    def length() -> int:
        return sum(len(piece.encode()) for piece in out)

    start = length()
    if isinstance(value, list):
        out.append("[")
        for place, element in enumerate(value):
            out.append("," if place else "")
            gap()
            written(element, space, (*path, place), out, places)
            gap()
        out.append("]" if value else " ]")
    elif isinstance(value, dict):
        out.append("{")
        for place, (name, element) in enumerate(value.items()):
            out.append("," if place else "")
            gap()
            out.append(json.dumps(name, ensure_ascii=space.draw(st.booleans())))
            gap()
            out.append(":")
            gap()
            written(element, space, (*path, name), out, places)
            gap()
        out.append("}")
    else:
        out.append(json.dumps(value, ensure_ascii=space.draw(st.booleans())))
    places[path] = (start, length())


@given(VALUES, st.data())
@settings(max_examples=300, deadline=None)
def test_every_value_of_any_json_is_found_exactly_where_it_was_written(
    value: object, data: st.DataObject
) -> None:
    out: list[str] = [data.draw(SPACE)]
    places: dict[tuple[str | int, ...], tuple[int, int]] = {}
    written(value, data, (), out, places)
    out.append(data.draw(SPACE))
    body = "".join(out).encode()
    whole = spans.document(body)
    assert whole == places[()]
    for path, place in places.items():
        assert spans.member(body, whole, *path) == place
        assert json.loads(body[place[0] : place[1]]) == _at(value, path)


@given(st.lists(st.tuples(st.sampled_from("ab"), VALUES), max_size=5), st.data())
@settings(max_examples=200, deadline=None)
def test_a_name_given_twice_means_its_last_value_as_other_readers_take_it(
    pairs: list[tuple[str, object]], data: st.DataObject
) -> None:
    body = (
        "{"
        + ", ".join(f"{json.dumps(name)}{data.draw(SPACE)}: {json.dumps(value)}" for name, value in pairs)
        + "}"
    ).encode()
    found = spans.object_members(body, (0, len(body)))
    assert {name: json.loads(body[start:end]) for name, (start, end) in found.items()} == json.loads(body)


@given(st.lists(VALUES, max_size=6))
@settings(max_examples=100, deadline=None)
def test_the_scanner_and_the_fast_way_agree(value: list[object]) -> None:
    body = json.dumps(value).encode()
    assert [place for _, place in spans._scanned(body, 0, len(body))] == spans.array_items(body)


def _at(value: object, path: tuple[str | int, ...]) -> object:
    for step in path:
        value = value[step]  # type: ignore[index]  # the path was made from this very value
    return value


def test_equal_items_have_places_of_their_own() -> None:
    body = b'{"data": [ {"id":1} ,{"id":1},\n{"id":1}]}'
    found = [start for start, _, raw in spans.items(body, "data") if raw == b'{"id":1}']
    assert found == [11, 21, 31]


def test_an_item_that_quotes_another_items_bytes_is_not_taken_for_it() -> None:
    body = rb'[{"text":"{\"id\":2}]"},{"id":2}]'
    assert [raw for _, _, raw in spans.items(body)] == [rb'{"text":"{\"id\":2}]"}', b'{"id":2}']


def test_deeply_nested_replies_are_found_level_by_level() -> None:
    body = b'{"id":0}'
    for level in range(1, 60):
        body = b'{"id":%d, "replies" : {"data":[ %s ]}}' % (level, body)
    here = spans.document(body)
    for level in range(59, 0, -1):
        assert json.loads(body[slice(*here)])["id"] == level
        inner = spans.member(body, here, "replies", "data", 0)
        assert inner is not None
        here = inner
    assert body[slice(*here)] == b'{"id":0}'


def test_half_an_emoji_does_not_hide_the_items_beside_it() -> None:
    body = rb'{"data":[{"text":"\ud83d"},{"text":"whole", "n": [1, 2]}]}'
    assert [raw for _, _, raw in spans.items(body, "data")] == [
        rb'{"text":"\ud83d"}',
        b'{"text":"whole", "n": [1, 2]}',
    ]
    assert spans.member(body, spans.document(body), "data", 1, "n", -1) == (53, 54)


@given(
    values=st.lists(VALUES, max_size=5),
    space=SPACE,
    damage=st.integers(0, 60),
    put=st.sampled_from(["", ",", "]", "}", "1", '"']),
)
@settings(max_examples=300)
def test_elements_asked_one_by_one_are_those_of_the_whole_and_only_what_is_json_has_any(
    values: list[object], space: str, damage: int, put: str
) -> None:
    text = json.dumps(["\ud83d", *values]).replace(", ", f"{space},{space}")
    text = text[: damage % len(text)] + put + text[damage % len(text) :]
    body = text.encode()
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if not isinstance(whole, list):
        with pytest.raises(spans.NotJson):
            spans.array_items(body)
        return
    assert [json.loads(body[start:end]) for start, end in spans.array_items(body)] == whole


def test_bytes_that_are_no_utf_8_do_not_hide_the_items_beside_them() -> None:
    assert spans.array_items(b'["\xff", "\\ud800", 3]') == [(1, 4), (6, 14), (16, 17)]


def test_a_name_that_is_no_utf_8_does_not_hide_the_members_beside_it() -> None:
    body = b'{"\xff": 1, "data": ["\\ud83d"], "n": 3}'
    assert [body[slice(*place)] for place in spans.object_members(body, (0, len(body))).values()] == [
        b"1",
        rb'["\ud83d"]',
        b"3",
    ]


@given(
    values=st.dictionaries(st.text("ab\ud83d\udf09", max_size=3), VALUES, max_size=4),
    text=st.text('\\u\ud83d\udf09"a', max_size=6),
    damage=st.none() | st.integers(0, 60),
)
@settings(max_examples=300)
def test_members_beside_half_a_character_are_those_that_other_readers_find(
    values: dict[str, object], text: str, damage: int | None
) -> None:
    body = json.dumps({**values, "x": text, "y": ["\ud83d"]}).encode()
    if damage is not None:
        body = body[: damage % len(body)] + body[damage % len(body) + 1 :]
    try:
        whole = json.loads(body)
    except ValueError:
        whole = None
    if not isinstance(whole, dict):
        with pytest.raises(spans.NotJson):
            spans.object_members(body, (0, len(body)))
        return
    found = spans.object_members(body, (0, len(body)))
    assert {name: json.loads(body[slice(*place)]) for name, place in found.items()} == whole


@pytest.mark.parametrize("wrapped", [b"[%s]", b'{"data": %s}'])
@pytest.mark.parametrize("text", ["words", "half \ud83d", "no number"])
def test_a_large_value_is_not_taken_apart_to_find_where_it_stands(wrapped: bytes, text: str) -> None:
    one = json.dumps({"id": "7", "text": text * 10}).encode()
    body = wrapped % (b"[" + b", ".join([one] * 12_000) + b"]")
    if text == "no number":
        body = body.replace(b'"7"', b"NaN")
    tracemalloc.start()
    try:
        if wrapped.startswith(b"["):
            found = spans.array_items(body)
        else:
            found = list(spans.object_members(body, (0, len(body))).values())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == 1
    assert peak < 2 * len(body)


def test_a_byte_order_mark_is_outside_the_document() -> None:
    assert spans.document(b"\xef\xbb\xbf [1]\n") == (4, 7)


@pytest.mark.parametrize(
    "path",
    [("nothing",), ("data", "id"), ("data", 7), ("data", -7), ("n", 0), ("n", "x"), ("data", 0, "id", "x")],
)
def test_a_path_that_leads_nowhere_says_none(path: tuple[str | int, ...]) -> None:
    body = b'{"data": [{"id": "a"}], "n": null}'
    assert spans.member(body, spans.document(body), *path) is None
    assert list(spans.items(body, *path)) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[1", b"[1,]", b"[1] 2", b'{"a":1}', b"[" * 100_000, b'["a]', b'[{"a" 1}]', b"[tru]"],
)
def test_what_is_no_json_array_is_refused(body: bytes) -> None:
    with pytest.raises(spans.NotJson):
        spans.array_items(body)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"a":}', b'{"a":1,}', b'{"a":1}{', b'{"a":' * 50_000, b"{a:1}"]
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(spans.NotJson):
        spans.object_members(body, (0, len(body)))


def test_an_empty_object_and_an_empty_array_hold_nothing() -> None:
    assert spans.object_members(b" { } ", (0, 5)) == {}
    assert spans.array_items(b" [ ] ") == []
