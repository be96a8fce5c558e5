"""A feed, looked at closely: what a check says of it, and one post with the comments that its own feed shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.contract import Kind, Page
from connectors.errors import TryAgainLater
from connectors.feed import Feed
from connectors.http import EvidenceClient
from tests.connectors.worlds.feed_world import FeedWorld
from tests.connectors.worlds.loopback import evidence_client


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client() as client:
        yield client


@pytest.fixture(params=["rss", "atom"])
def world(request: pytest.FixtureRequest) -> Iterator[FeedWorld]:
    with FeedWorld(request.param) as site:
        yield site


def page(world: FeedWorld, **options: str) -> Page:
    return Page(address=world.feed, options=options)


def lacking(world: FeedWorld, http: EvidenceClient, **options: str) -> list[str]:
    return [one.what for one in Feed(http).check(page(world, **options)) if not one.fine]


def test_a_check_finds_a_feed_and_its_comments_well(world, http):
    world.comment(world.publish("Road", "<p>Closed</p>"), "<p>Why?</p>")
    found = list(Feed(http).check(page(world)))
    assert all(one.fine and not one.remedy for one in found)
    assert found[0].what == "the feed, which shows 1 items"


def test_a_check_says_that_comments_are_not_captured_where_no_post_names_a_feed_of_them(world, http):
    world.names_comments = False
    world.publish("Road", "<p>Closed</p>")
    assert lacking(world, http) == ["feeds of comments: 0 of the posts that it shows name one"]
    assert lacking(world, http, comments="no") == []


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_check_says_that_the_feed_is_refused_or_not_there(world, http, status):
    world.trouble = lambda _target: (status, {}, b"no")
    (found,) = Feed(http).check(page(world))
    assert (found.what, found.fine) == ("the feed", False)
    assert "Give the address" in found.remedy


def test_a_check_says_that_a_page_which_names_no_feed_is_none(world, http):
    world.trouble = lambda _target: (200, {"Content-Type": "text/html"}, b"<html><p>Hello</p></html>")
    assert lacking(world, http) == ["the feed"]


def test_a_check_raises_only_where_nobody_answers(world, http):
    world.trouble = lambda _target: (503, {}, b"")
    with pytest.raises(TryAgainLater):
        list(Feed(http).check(page(world)))


def test_a_family_is_a_post_with_the_comments_that_its_feed_shows_and_no_listing(world, http):
    road, other = world.publish("Road", "<p>Closed</p>"), world.publish("Else", "<p>1</p>")
    world.comment(road, "<p>Why?</p>")
    world.comment(other, "<p>No</p>")
    whole = [one for batch in Feed(http).observe(page(world), None) for one in batch.observations]
    (root,) = [one.native_id for one in whole if one.text.startswith("Road")]

    batches = list(Feed(http).family(page(world), root))

    shown = [one for batch in batches for one in batch.observations]
    assert [(one.kind, one.native_id) for one in shown[:1]] == [(Kind.POST, root)]
    assert [one.text.splitlines()[-1] for one in shown[1:]] == ["Why?"]
    assert all(one.in_reply_to == root for one in shown[1:])
    assert not any(batch.listings for batch in batches), "a window shows that nothing is missing"
    assert [gap.what for batch in batches for gap in batch.gaps] == ["older comments"]


def test_a_family_that_the_feed_does_not_show_is_a_gap(world, http):
    world.publish("Road", "<p>Closed</p>")
    (batch,) = Feed(http).family(page(world), "post:https://town.example/?p=99")
    assert not batch.observations
    assert [(gap.what, gap.native_id) for gap in batch.gaps] == [
        ("comments", "post:https://town.example/?p=99")
    ]


def test_a_family_whose_feed_of_comments_is_locked_fails_or_has_another_shape_is_a_gap(world, http):
    world.comment(world.publish("Road", "<p>Closed</p>"), "<p>Why?</p>")
    (whole, *_) = Feed(http).observe(page(world), None)
    (root,) = [one.native_id for one in whole.observations if one.kind is Kind.POST]
    answers: list[tuple[int, dict[str, str], bytes]] = [
        (403, {}, b"no"),
        (500, {}, b""),
        (200, {}, b"<html>"),
    ]
    for answer in answers:
        world.trouble = lambda target, answer=answer: answer if "comments" in target else None
        *_, last = Feed(http).family(page(world), root)
        assert [(gap.what, gap.native_id) for gap in last.gaps] == [("comments", root)]
        assert not last.listings


def test_a_feed_does_not_claim_to_narrow():
    assert Feed.manifest.narrows is False
    assert Feed.manifest.sign_in is None
