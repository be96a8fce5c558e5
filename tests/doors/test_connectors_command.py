"""What every connector says of itself, on the command line."""

from __future__ import annotations

import json

import pytest

from app.cli import door
from connectors import registry


def test_all_of_them_are_listed_with_what_they_cannot_see(capsys: pytest.CaptureFixture[str]):
    assert door.main(["connectors", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told] == [manifest.name for manifest in registry.connectors()]
    assert all(
        one.keys() >= {"name", "title", "route", "captures", "blind_spots", "needs"} and one["blind_spots"]
        for one in told
    )


@pytest.mark.parametrize("name", [manifest.name for manifest in registry.connectors()])
def test_one_of_them_tells_all_that_it_says_of_itself(name: str, capsys: pytest.CaptureFixture[str]):
    assert door.main(["connectors", name]) == 0
    told, manifest = capsys.readouterr().out, registry.load(name).manifest
    for said in (
        *manifest.blind_spots,
        *manifest.needs,
        *manifest.captures.values(),
        *manifest.options.values(),
    ):
        assert said in told


def test_a_connector_that_is_not_there_is_refused_with_where_to_look(capsys: pytest.CaptureFixture[str]):
    assert door.main(["connectors", "friendster"]) == 2
    assert "lists those that there are" in capsys.readouterr().err
