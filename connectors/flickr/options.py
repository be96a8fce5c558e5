"""What a page's options say, and what is wrong with those that cannot be meant."""

from __future__ import annotations

from connectors.contract import Page
from connectors.options import number, protected

API = "https://api.flickr.com/services/rest/"

GRANTED = 3600
"""So many questions an hour Flickr permits to one key."""


def base(page: Page) -> str:
    """Where the interface is asked for; nowhere that a key would travel to in clear."""
    told = page.options.get("api") or API
    return protected(told, "key")


def questions(page: Page) -> int:
    """How many questions this page may ask in an hour."""
    return number(page, "questions", GRANTED, least=1, most=GRANTED)
