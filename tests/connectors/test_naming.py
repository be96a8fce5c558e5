"""A page is known by an address at one of its platform's hosts or by its name alone, and by nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from connectors import naming

HOSTS = re.compile(r"(?:www\.)?square\.example")
NAME = re.compile(r"@?([a-z][a-z.]{0,20})", re.ASCII | re.IGNORECASE)


def first(steps: Sequence[str]) -> str:
    return next((step for step in steps if step != "about"), "")


@pytest.mark.parametrize(
    "written",
    [
        "https://www.square.example/Town.Police/",
        "square.example/town.police/posts?page=2#top",
        "http://SQUARE.example//town.police",
        "  @Town.Police ",
        "town.police",
    ],
)
def test_an_address_and_a_name_alone_name_the_same_account(written: str):
    assert naming.name(written, HOSTS, NAME, first) == "town.police"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "@",
        "square.example",
        "www.square.example/",
        "https://square.example/about",
        "https://square.example.org/town.police",
        "https://other.example/town.police",
        "https://[square.example/town.police",
        "town police",
        "/town.police",
    ],
)
def test_what_names_no_account_of_the_platform_is_none(written: str):
    assert naming.name(written, HOSTS, NAME, first) is None


def test_the_steps_of_an_address_are_told_as_they_are_written():
    assert naming.steps("square.example/a//b%20c/?d", HOSTS) == ["a", "b%20c"]
    assert naming.steps("https://www.square.example", HOSTS) == []


def test_the_steps_of_an_address_elsewhere_are_none():
    assert naming.steps("https://other.example/a", HOSTS) is None
    assert naming.steps("https://[a", HOSTS) is None


@pytest.mark.parametrize(
    "written", ["wiki.example/w/", "http://wiki.example/w/", " https://wiki.example:8443/w/ "]
)
def test_the_address_of_a_site_may_lack_its_scheme(written: str):
    found = naming.site(written)
    assert found is not None
    assert (found.hostname, found.path) == ("wiki.example", "/w/")


@pytest.mark.parametrize(
    "written",
    ["", "https://", "ftp://wiki.example/", "https://wiki.example:port/", "https://a b/", "https://[a"],
)
def test_what_is_no_address_of_a_site_is_none(written: str):
    assert naming.site(written) is None
