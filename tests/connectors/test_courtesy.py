"""Clients of one process ask a host one after another, each host for itself."""

from __future__ import annotations

from datetime import timedelta

from connectors.courtesy import Turns

APART = timedelta(seconds=2)


def test_turns_at_one_host_are_an_interval_apart_whoever_takes_them():
    turns = Turns()
    assert [turns.take("town.example", 10.0, APART).total_seconds() for _ in range(3)] == [0, 2, 4]
    assert turns.take("town.example", 13.0, APART) == timedelta(seconds=3)


def test_another_host_does_not_wait():
    turns = Turns()
    turns.take("town.example", 10.0, APART)
    assert turns.take("other.example", 10.0, APART) == timedelta(0)


def test_a_host_that_was_left_alone_for_long_enough_is_asked_at_once():
    turns = Turns()
    turns.take("town.example", 10.0, APART)
    assert turns.take("town.example", 12.0, APART) == timedelta(0)
