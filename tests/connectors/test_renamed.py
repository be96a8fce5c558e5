"""A page that has changed its name: what follows from a pass is asked of the page that the pass has read, not of its old name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from connectors.contract import Connector, Cursor, Families, Kind, Page, Remembers, State
from connectors.errors import NoSuchPage
from connectors.http import EvidenceClient, Manners
from connectors.promises import ConnectorPromises, World
from tests.connectors.faults import worlds
from tests.connectors.faults.archive import Time

FORMER: Mapping[str, str] = {
    "bluesky": "https://bsky.app/profile/as-it-was.example",
    "bluesky connected": "https://bsky.app/profile/as-it-was.example",
    "facebook": "https://www.facebook.com/as.it.was",
    "flickr": "https://www.flickr.com/photos/asitwas/",
    "instagram": "https://www.instagram.com/as_it_was/",
    "instagram alone": "https://www.instagram.com/as_it_was/",
    "linkedin": "https://www.linkedin.com/company/as-it-was/",
    "pinterest": "https://www.pinterest.com/asitwas/",
    "threads": "https://www.threads.com/@as_it_was",
    "tiktok": "https://www.tiktok.com/@as_it_was",
    "youtube": "https://www.youtube.com/@asitwas",
    "youtube connected": "https://www.youtube.com/@asitwas",
}
"""An address by which each world knows nobody: as the archive still has it of a page that is called otherwise by now."""


def opened(world: World) -> EvidenceClient:
    """The client of one run."""
    time = Time()
    options: dict[str, Any] = {
        "clock": cast(Any, time),
        "monotonic": time.monotonic,
        "wait": time.wait,
        "contact": "renamed",
        "secrets": world.secrets,
        "allow_hosts": [urlsplit(world.base).netloc],
        "manners": Manners(interval=timedelta(0), retries=0),
    }
    return EvidenceClient(**{**options, **world.client_options})


def read_once(promises: ConnectorPromises, world: World) -> tuple[Cursor, str]:
    """The end of a first pass, and a post of the page's own that it told of."""
    with opened(world) as client:
        first = list(promises.connector(client).observe(world.page, None))
    posts = (
        one.native_id
        for batch in first
        for one in batch.observations
        if one.kind is Kind.POST and one.state is State.PRESENT and one.in_reply_to is None
        if not one.extra.get("mentions")
    )
    return first[-1].resume_from, next(posts)


def standing(connector: Connector, page: Page, post: str) -> list[tuple[str, State]]:
    looked = connector.look(page, [(Kind.POST, post)])
    return [(one.native_id, one.state) for batch in looked for one in batch.sightings]


@pytest.mark.parametrize("name", FORMER)
def test_how_items_stand_is_asked_of_the_page_that_was_read_whatever_it_is_called_by_now(name: str) -> None:
    promises = worlds.made(name)
    with promises.world() as world:
        cursor, post = read_once(promises, world)
        former = replace(world.page, address=FORMER[name])
        with opened(world) as client:
            connector = promises.connector(client)
            assert list(connector.observe(former, cursor))
            assert standing(connector, former, post) == [(post, State.PRESENT)]


@pytest.mark.parametrize("name", FORMER)
def test_a_family_and_a_look_that_follow_from_no_pass_are_asked_of_the_page_that_was_read(name: str) -> None:
    promises = worlds.made(name)
    with promises.world() as world:
        cursor, post = read_once(promises, world)
        former = replace(world.page, address=FORMER[name])
        with opened(world) as client:
            connector = promises.connector(client)
            cast(Remembers, connector).remember(cursor)
            assert standing(connector, former, post) == [(post, State.PRESENT)]
            if hasattr(connector, "family"):
                family = cast(Families, connector).family(former, post)
                assert post in [one.native_id for batch in family for one in batch.observations]


@pytest.mark.parametrize("name", FORMER)
def test_a_page_that_was_never_read_is_known_by_its_name_alone(name: str) -> None:
    promises = worlds.made(name)
    with promises.world() as world, opened(world) as client, pytest.raises(NoSuchPage):
        list(promises.connector(client).observe(replace(world.page, address=FORMER[name]), None))
