"""WordPress, a part of it: a span of time, one post with its comments, and what a check says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connectors.contract import ByHand, Kind, Page, State
from connectors.errors import TryAgainLater
from connectors.http import EvidenceClient
from connectors.wordpress import WordPress
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import listings, seen
from tests.connectors.worlds.wordpress_world import CHALLENGE, HTML, Refused, WordPressWorld

SECRET = {"user": WordPressWorld.user, "application_password": WordPressWorld.application_password}
DAY = 60 * 24


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(SECRET) as client:
        yield client


@pytest.fixture
def world() -> Iterator[WordPressWorld]:
    with WordPressWorld() as site:
        yield site


def a_month(world: WordPressWorld) -> list[tuple[str, str, datetime]]:
    """A post a day, each with a comment: their native ids, and when the post was published."""
    made = []
    for day in range(30):
        post = world.publish(f"Day {day}", "<p>Words</p>")
        comment = world.comment(post, "<p>Thanks</p>")
        made.append((f"post:{post}", f"comment:{comment}", world.items[post].date))
        world.tick(DAY - 2)
    return made


def span(world: WordPressWorld, begins: datetime, ends: datetime | None = None, size: str = "5") -> Page:
    return Page(
        address=world.address, options={"page_size": size}, published_from=begins, published_until=ends
    )


# --- a span of time -------------------------------------------------------------------------------------------


def test_a_pass_over_a_span_asks_for_little_more_than_the_span_holds(world, http):
    made = a_month(world)
    begins, ends = made[20][2], made[22][2] + timedelta(minutes=1)

    batches = list(WordPress(http).observe(span(world, begins, ends), None))

    shown = seen(batches)
    inside = {name for post, comment, _ in made[20:23] for name in (post, comment)}
    assert inside <= set(shown)
    assert len(shown) <= 1 + 2 * 6, "a day on either side, for clocks"
    for closing in listings(batches):
        assert (closing.published_from, closing.published_until) == (begins, ends)
        assert closing.stated_total is None


def test_a_comment_within_the_span_is_seen_whatever_the_age_of_its_post(world, http):
    made = a_month(world)
    late = world.comment(int(made[0][0].partition(":")[2]), "<p>Only now I see this.</p>")
    batches = list(WordPress(http).observe(span(world, made[28][2]), None))
    assert f"comment:{late}" in seen(batches)
    assert made[0][0] not in seen(batches)


def test_an_older_post_that_was_edited_since_the_span_began_is_read_again(world, http):
    made = a_month(world)
    number = int(made[3][0].partition(":")[2])
    world.edit(number, "<p>Corrected</p>")
    page = span(world, made[28][2])

    assert seen(list(WordPress(http).observe(page, None)))[made[3][0]].text.endswith("Corrected")
    world.tells_edited = False
    world.asked.clear()
    shown = seen(list(WordPress(http).observe(page, None)))
    assert made[3][0] not in shown, "a site that does not know the filter is not read through for it"
    assert len(shown) < 15


def test_a_pass_over_a_span_is_resumed_within_it(world, http):
    made = a_month(world)
    page = span(world, made[20][2], made[26][2], size="2")
    whole = list(WordPress(http).observe(page, None))
    assert len(whole) > 5
    for taken in range(1, len(whole)):
        rest = list(WordPress(http).observe(page, whole[taken - 1].resume_from))
        assert set(seen(whole)) <= set(seen([*whole[:taken], *rest]))


def test_without_a_span_nothing_is_filtered_and_the_listing_is_open(world, http):
    made = a_month(world)
    page = replace(span(world, made[0][2]), published_from=None)
    batches = list(WordPress(http).observe(page, None))
    assert len(seen(batches)) == 61
    assert all(one.published_from is None and one.stated_total == 30 for one in listings(batches))
    assert not any("after" in target for target in world.asked)


# --- one post with its comments ---------------------------------------------------------------------------------


def test_a_family_is_one_post_with_its_comments_and_a_listing_for_each_of_them(world, http):
    post, other = world.publish("Closed", "<p>Main Street</p>"), world.publish("Else", "<p>1</p>")
    first = world.comment(post, "<p>Why?</p>")
    answer = world.comment(post, "<p>Flood</p>", parent=first)
    held = world.comment(post, "<p>Held</p>", status="hold")
    world.comment(other, "<p>No</p>")

    batches = list(WordPress(http).family(Page(address=world.address), f"post:{post}"))
    assert list(seen(batches)) == [f"post:{post}", f"comment:{first}", f"comment:{answer}"]
    assert {one.in_reply_to for one in listings(batches)} == set(seen(batches))
    assert all((one.kinds, one.states) == ([Kind.COMMENT], (State.PRESENT,)) for one in listings(batches))

    ours = list(WordPress(http, SECRET).family(Page(address=world.address), f"post:{post}"))
    assert seen(ours)[f"comment:{held}"].state is State.HIDDEN
    assert all(one.states == (State.PRESENT, State.HIDDEN) for one in listings(ours))


def test_a_family_whose_post_is_gone_is_told_so_and_lists_nothing(world, http):
    post = world.publish("Closed", "<p>Main Street</p>")
    world.delete(post)
    (batch,) = WordPress(http).family(Page(address=world.address), f"post:{post}")
    assert [one.state for one in batch.sightings] == [State.GONE]
    assert not batch.listings
    assert list(WordPress(http).family(Page(address=world.address), "comment:1")) == []


def test_a_family_whose_comments_are_refused_is_a_gap(world, http):
    post = world.publish("Closed", "<p>Main Street</p>")
    world.shut["comments"] = Refused(403, "rest_forbidden")
    batches = list(WordPress(http).family(Page(address=world.address), f"post:{post}"))
    assert [gap.what for batch in batches for gap in batch.gaps] == ["comments"]
    assert listings(batches) == []


# --- what a check says --------------------------------------------------------------------------------------------


def test_a_check_finds_all_well_for_an_editor(world, http):
    found = list(WordPress(http, SECRET).check(Page(address=world.address)))
    assert all(one.fine and not one.remedy for one in found)
    assert {"posts", "pages", "comments", "user name and application password"} <= {one.what for one in found}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda site: setattr(site, "accepts_password", False), "user name and application password"),
        (
            lambda site: site.capabilities.update(moderate_comments=False),
            "hidden comments: edit_posts, moderate_comments",
        ),
        (
            lambda site: site.capabilities.update(edit_others_posts=False),
            "hidden posts: edit_posts, edit_others_posts, read_private_posts",
        ),
        (lambda site: site.shut.update(comments=Refused(404, "rest_no_route")), "comments"),
        (
            lambda site: setattr(site, "trouble", lambda _route: (403, HTML, CHALLENGE)),
            "the site's REST interface",
        ),
    ],
)
def test_a_check_says_what_is_lacking_and_what_to_do(world, http, change, what):
    change(world)
    wrong = [one for one in WordPress(http, SECRET).check(Page(address=world.address)) if not one.fine]
    assert [one.what for one in wrong] == [what]
    assert wrong[0].remedy


def test_a_check_of_a_public_page_says_what_a_connection_would_add(world, http):
    wrong = [one for one in WordPress(http).check(Page(address=world.address)) if not one.fine]
    assert [one.what for one in wrong] == ["connection"]


def test_a_check_raises_only_where_nobody_answers(world, http):
    world.trouble = lambda _route: (503, HTML, b"")
    with pytest.raises(TryAgainLater):
        list(WordPress(http).check(Page(address=world.address)))


def test_a_site_is_connected_by_hand_with_the_names_that_the_connector_reads():
    signing = WordPress.manifest.sign_in
    assert isinstance(signing, ByHand)
    assert {field.name: field.shown for field in signing.fields} == {
        "user": True,
        "application_password": False,
    }
