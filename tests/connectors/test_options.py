"""What a page's options say is what connectors work with, or it is refused in words that name the option."""

from __future__ import annotations

import pytest

from connectors import options
from connectors.contract import Page
from connectors.errors import AddressRefused, ConnectorError


def page(**written: str) -> Page:
    return Page(address="https://town.example/", options=written)


@pytest.mark.parametrize("written", ["1", "25", "0050", "100"])
def test_a_number_within_its_bounds_is_taken(written: str):
    assert options.number(page(at_once=written), "at_once", 10, least=1, most=100) == int(written)


@pytest.mark.parametrize("written", ["", "0", "101", "-1", "2.5", " 7", "٢٥", "many", "9" * 5000])
def test_any_other_number_is_refused_and_the_bounds_are_named(written: str):
    with pytest.raises(ConnectorError, match="at_once must be a number from 1 to 100"):
        options.number(page(at_once=written), "at_once", 10, least=1, most=100)


def test_where_the_page_says_nothing_the_usual_number_holds():
    assert options.number(page(), "at_once", 10, least=1, most=100) == 10


def test_lists_that_are_left_out_are_named_in_any_manner():
    assert options.leaves_out(page(leave_out="events, videos  ratings"), ["events", "videos", "ratings"]) == {
        "events",
        "videos",
        "ratings",
    }
    assert options.leaves_out(page(), ["events"]) == frozenset()


def test_a_list_that_may_not_be_left_out_is_refused_by_its_name():
    with pytest.raises(ConnectorError, match="names posts; it may name events, videos"):
        options.leaves_out(page(leave_out="events posts"), ["events", "videos"])


@pytest.mark.parametrize(
    "address", ["https://graph.example", "http://localhost:9/", "http://127.0.0.1", "http://[::1]:8"]
)
def test_where_a_token_stays_secret_it_is_sent(address: str):
    assert options.protected(address) == address


@pytest.mark.parametrize(
    "address", ["http://graph.example", "http://10.0.0.1/", "graph.example", "http://[", ""]
)
def test_where_a_token_would_travel_in_clear_it_is_not_sent(address: str):
    with pytest.raises(AddressRefused, match="the key would travel in clear"):
        options.protected(address, "key")
