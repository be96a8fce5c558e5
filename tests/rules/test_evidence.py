"""Bodies cut into pieces by owner, and joined again byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.evidence import Ref, SpansOverlap, cut, exchange_commitment, gather, join, piece_commitment


@st.composite
def nested(draw: st.DrawFn, low: int = 0, high: int = 60, depth: int = 0) -> list[tuple[int, int, int]]:
    """Spans that are nested or disjoint, some of them shared by several owners."""
    if depth == 3 or high - low < 2:
        return []
    edges = sorted(draw(st.lists(st.integers(low, high), max_size=4)))
    found: list[tuple[int, int, int]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        if start < end:
            owners = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True))
            found += [(start, end, owner) for owner in owners]
            found += draw(nested(start, end, depth + 1))
    return found


def cut_and_join(body: bytes, spans: list[tuple[int, int, int]], gone: frozenset[int] = frozenset()):
    slices = cut(len(body), spans)
    parts, order = gather(body, slices)
    numbers = {owners: number for number, owners in enumerate(parts, start=1)}
    layout = [Ref(numbers[owners], start, length) for owners, start, length in order]
    kept = {numbers[owners]: content for owners, content in parts.items() if not owners or owners - gone}
    return slices, join(layout, kept)


@given(st.binary(min_size=60, max_size=60), nested())
def test_joined_pieces_are_the_body_byte_for_byte(body: bytes, spans: list[tuple[int, int, int]]):
    slices, (joined, holes) = cut_and_join(body, spans)
    assert joined == body
    assert holes == []
    assert [part.start for part in slices] == [0, *(part.end for part in slices[:-1])]


@given(st.binary(min_size=60, max_size=60), nested(), st.frozensets(st.integers(0, 9)))
def test_exactly_the_bytes_of_those_who_are_gone_become_holes(
    body: bytes, spans: list[tuple[int, int, int]], gone: frozenset[int]
):
    slices, (joined, holes) = cut_and_join(body, spans, gone)
    lost = {
        place
        for part in slices
        if part.owners and part.owners <= gone
        for place in range(part.start, part.end)
    }
    assert {place for hole in holes for place in range(hole.start, hole.end)} == lost
    assert all(joined[place] == body[place] for place in range(60) if place not in lost)


@given(st.binary(min_size=60, max_size=60), nested())
def test_bytes_belong_to_the_innermost_item_around_them(body: bytes, spans: list[tuple[int, int, int]]):
    for part in cut(len(body), spans):
        around = [
            (end - start, {who for s, e, who in spans if (s, e) == (start, end)})
            for start, end, _ in spans
            if start <= part.start and part.end <= end
        ]
        assert part.owners == (min(around, key=lambda one: one[0])[1] if around else frozenset())


@pytest.mark.parametrize("spans", [[(0, 10, 1), (5, 15, 2)], [(0, 61, 1)], [(-1, 3, 1)], [(9, 3, 1)]])
def test_spans_that_cross_or_lie_outside_are_refused(spans: list[tuple[int, int, int]]):
    with pytest.raises(SpansOverlap):
        cut(60, spans)


def test_a_commitment_depends_on_the_salt_the_bytes_and_their_place():
    one = piece_commitment(b"s" * 32, b"bytes")
    assert len({one, piece_commitment(b"t" * 32, b"bytes"), piece_commitment(b"s" * 32, b"byte")}) == 3
    layouts = [[(one, 0, 5)], [(one, 0, 4)], [(one, 1, 5)], [(one, 0, 5), (one, 0, 5)], []]
    assert len({exchange_commitment(one, layout) for layout in layouts}) == 5
