"""Circles of circles: the same records always make the same circle, and a changed one leaves the others as they were."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from app.capture.circles import FEW, Node, plan

LOOKUP = b"k" * 32


@dataclass(frozen=True)
class Somebody:
    id: bytes
    secret: bytes = b""
    key: int | None = None


def people(seed: int, count: int) -> list[Somebody]:
    chance = random.Random(seed)
    return [Somebody(chance.randbytes(16)) for _ in range(count)]


def reached(node: Node) -> list[bytes]:
    """Every record that a circle has, directly or through its parts."""
    return [*(one.id for one in node.records), *(one for part in node.parts for one in reached(part))]


def nodes(members: Sequence[Somebody]) -> dict[bytes, Node]:
    return {node.mac: node for node in plan(LOOKUP, members).all()}


SEEDS, COUNTS = st.integers(0, 1 << 30), st.integers(2, 700)


@given(SEEDS, COUNTS)
def test_a_circle_reaches_each_of_its_records_once_and_nobody_else(seed: int, count: int):
    members = people(seed, count)
    assert sorted(reached(plan(LOOKUP, members))) == sorted(one.id for one in members)


@given(SEEDS, COUNTS)
def test_the_order_of_the_records_does_not_matter(seed: int, count: int):
    members = people(seed, count)
    assert plan(LOOKUP, members).mac == plan(LOOKUP, members[::-1]).mac


@given(SEEDS, COUNTS)
def test_other_records_are_another_circle(seed: int, count: int):
    members = people(seed, count)
    assert plan(LOOKUP, members).mac != plan(LOOKUP, members[1:]).mac


def test_a_few_records_are_one_flat_circle():
    assert plan(LOOKUP, people(1, FEW)).parts == []
    assert plan(LOOKUP, people(1, FEW * 4)).parts


@given(SEEDS, st.integers(100, 700))
def test_one_record_more_makes_few_circles_anew(seed: int, count: int):
    members = people(seed, count + 1)
    before, after = nodes(members[:-1]), nodes(members)
    rows = sum(len(node.records) + len(node.parts) for mac, node in after.items() if mac not in before)
    assert rows < 150
    assert len(after.keys() - before.keys()) < 12


def test_no_circle_has_many_members():
    for node in plan(LOOKUP, people(3, 20_000)).all():
        assert len(node.records) + len(node.parts) <= 32


def test_ids_that_never_end_a_part_still_make_a_circle():
    members = [Somebody(number.to_bytes(15) + b"\xff") for number in range(2000)]
    assert sorted(reached(plan(LOOKUP, members))) == [one.id for one in members]
