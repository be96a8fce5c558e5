"""Instagram, observed over loopback by both of its doors: posts with what answers them, stories, and what proves no removal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import ROOT
from connectors import graph, webhooks
from connectors.contract import Author, Batch, Kind, Observation, Page, State
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.failing import AGAIN
from connectors.http import EvidenceClient
from connectors.instagram import Instagram, address, parse, shapes, walking
from connectors.webhooks import Wanted
from tests.connectors.worlds.instagram_world import (
    HTML,
    JSON,
    NAME,
    OURS,
    PAGE,
    SIGN_IN,
    InstagramWorld,
    Refused,
    among,
    spoken,
    tells_otherwise,
)
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import PageVisit, asked, gaps, kinds, listings, seen

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SECRETS = dict(InstagramWorld.secrets)
DOORS = ("facebook", "instagram")


class Visit(PageVisit[Instagram]):
    """One connector at one account."""

    def __init__(
        self,
        world: InstagramWorld,
        http: EvidenceClient,
        secret: Mapping[str, str] = SECRETS,
        **more: str,
    ) -> None:
        super().__init__(Instagram(http, secret), {"graph": world.address, **more})

    def page(self, **span: datetime | None) -> Page:
        return Page(address=f"https://www.instagram.com/{NAME}/", options=self.options, **span)


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(SECRETS) as client:
        yield client


@pytest.fixture
def world() -> Iterator[InstagramWorld]:
    with InstagramWorld() as account:
        yield account


@pytest.fixture
def visit(world: InstagramWorld, http: EvidenceClient) -> Visit:
    return Visit(world, http)


@pytest.fixture
def alone(world: InstagramWorld) -> Iterator[Visit]:
    """The account has signed in itself."""
    with evidence_client(InstagramWorld.by_itself) as client:
        yield Visit(world, client, InstagramWorld.by_itself, door="instagram")


# --- what an account shows ----------------------------------------------------------------------------------


def test_a_post_keeps_its_caption_its_picture_with_its_description_and_its_counts(world, visit):
    name = world.say("Bridge closed & <b> #flood", alt="A barrier across the road")
    shown = seen(visit.observe())[name]
    assert (shown.kind, shown.state, shown.private) == (Kind.POST, State.PRESENT, False)
    assert (shown.text, shown.html, shown.edited_at) == ("Bridge closed & <b> #flood", None, None)
    assert shown.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert shown.author == Author(id=OURS, handle=NAME)
    assert [(file.id, file.description) for file in shown.attachments] == [
        (f"media:{name}", "A barrier across the road")
    ]
    assert shown.counts == {"likes": 2, "comments": 0}
    assert shown.url == f"https://www.instagram.com/p/C{name}/"


@pytest.mark.parametrize("door", DOORS)
def test_the_introduction_comes_first_by_either_door(world, visit, alone, door):
    (shown,) = (visit if door == "facebook" else alone).observe()[0].observations
    assert (shown.native_id, shown.kind) == (OURS, Kind.PROFILE)
    assert shown.text == "Test Town Police\n\nThe department's own account.\n\nhttps://town.example/"
    assert [file.id for file in shown.attachments] == ["picture:badge.jpg"]
    assert shown.counts == {"followers": 40, "follows": 3, "posts": 0}


def test_an_album_keeps_each_of_its_pictures_in_order_and_a_video_keeps_its_cover(world, visit):
    album = world.say("Flood", parts=["181", "182", "183"])
    video = world.say("How to report", kind="VIDEO", product="REELS")
    shown = seen(visit.observe())
    assert [file.id for file in shown[album].attachments] == ["media:181", "media:182", "media:183"]
    assert [file.id for file in shown[video].attachments] == [f"media:{video}", f"cover:{video}"]
    assert shown[video].extra["type"] == "REELS"


def test_a_file_that_is_kept_from_the_interface_is_a_gap_that_names_its_post(world, visit):
    world.say("Our own music")
    song = world.say("With a song", kind="VIDEO", licensed=True)
    album = world.say("Flood", parts=["181", "182"], licensed=True)
    batches = visit.observe()
    found = {gap.native_id: gap.what for batch in batches for gap in batch.gaps}
    assert {gap.since for batch in batches for gap in batch.gaps} == {
        world.the(song).created,
        world.the(album).created,
    }
    assert found == {song: "the file of a post", album: "2 of 2 files of a post"}
    assert [file.id for file in seen(batches)[song].attachments] == [f"cover:{song}"]


def test_comments_and_all_their_replies_are_seen_and_the_accounts_own_are_replies(world, visit):
    post = world.say("Closed")
    first = world.comment(post, "Until when?")
    ours = world.comment(post, "Until six.", by=NAME, to=first)
    theirs = world.comment(post, "Thanks", by="al_visitor", to=first)
    shown = seen(visit.observe())
    assert [shown[one].kind for one in (first, ours, theirs)] == [Kind.COMMENT, Kind.REPLY, Kind.COMMENT]
    assert [shown[one].in_reply_to for one in (first, ours, theirs)] == [post, first, first]
    assert shown[theirs].author == Author(id="2002", handle="al_visitor")


@pytest.mark.parametrize("door", DOORS)
def test_long_lists_are_read_to_their_end_at_both_levels(world, visit, alone, door):
    world.cuts_at = 4
    post = world.say("Closed")
    names = [world.comment(post, f"{number}") for number in range(11)]
    names += [world.comment(post, f"{number}", to=names[2]) for number in range(11)]
    batches = (visit if door == "facebook" else alone).observe()
    assert set(names) <= set(seen(batches))
    (listing,) = (one for one in listings(batches) if Kind.COMMENT in one.kinds)
    assert listing.stated_total == 22
    assert gaps(batches) == {}


def test_posts_with_few_comments_cost_no_question_of_their_own(world, visit):
    post = world.say("Few")
    names = [world.comment(post, f"{number}") for number in range(9)]
    names.append(world.comment(post, "and so on", to=names[0]))
    assert set(names) <= set(seen(visit.observe()))
    assert asked(world, "/comments?") == asked(world, "/replies?") == 0


def test_where_comments_are_not_told_inside_their_post_they_are_asked_for(world, visit):
    world.nests = False
    post = world.say("Closed")
    comment = world.comment(post, "+1")
    batches = visit.observe()
    assert comment in seen(batches)
    assert Kind.COMMENT in kinds(batches)


def test_hidden_comments_are_marked_as_hidden(world, visit):
    post = world.say("Closed")
    spam, fine = world.comment(post, "Buy cheap pills", hidden=True), world.comment(post, "+1")
    shown = seen(visit.observe())
    assert (shown[spam].state, shown[fine].state) == (State.HIDDEN, State.PRESENT)


def test_hidden_comments_that_are_not_listed_are_told_by_their_numbers_all_in_one_question(world, visit):
    world.lists_hidden = False
    post = world.say("Closed")
    spam = [world.comment(post, "Pills", hidden=True) for _ in range(7)]
    world.comment(post, "+1")
    assert not set(spam) & set(seen(visit.observe()))
    before = asked(world, "ids=")
    told = visit.look(*spam)
    assert {one.state for one in told.values()} == {State.HIDDEN}
    assert asked(world, "ids=") - before == 1


def test_each_item_names_its_own_bytes_and_a_reply_stands_inside_its_comment(world, visit):
    post = world.say("Closed")
    comment = world.comment(post, "+1")
    reply = world.comment(post, "Thanks", by=NAME, to=comment)
    (batch,) = (one for one in visit.observe() if post in seen([one]))
    own = {
        name: json.loads(batch.exchanges[span.exchange].body[span.start : span.end])
        for name, one in seen([batch]).items()
        for span in one.evidence
    }
    assert own[reply]["text"] == "Thanks"
    assert own[comment]["replies"]["data"] == [own[reply]]
    assert own[post]["comments"]["data"] == [own[comment]]


def test_comments_that_are_counted_and_not_listed_are_said_in_numbers_and_are_no_gap(world, visit):
    post = world.say("Closed")
    world.comment(post, "+1")
    world.comment(post, "Rude", restricted=True)
    batches = visit.observe()
    (listing,) = (one for one in listings(batches) if Kind.COMMENT in one.kinds)
    assert (listing.stated_total, seen(batches)[post].counts["comments"]) == (2, 2)
    assert gaps(batches) == {}


def test_a_post_whose_comments_are_counted_and_none_of_them_shown_is_a_gap_and_keeps_nothing_else_from_being_listed(
    world, visit
):
    other = world.say("Open")
    fine = world.comment(other, "Good")
    post = world.say("Closed")
    world.comment(post, "Rude", restricted=True)
    batches = visit.observe()
    assert "restricted" in gaps(batches)["comments"]
    assert kinds(batches) == {Kind.POST}
    later = visit.observe(batches[-1].resume_from)
    listed = {one.in_reply_to for one in listings(later)}
    assert {other, fine} <= listed
    assert post not in listed


def test_what_the_account_is_tagged_in_is_seen_with_its_writer(world, visit, alone):
    name = world.tag("With @testtownpolice", by="jo.public")
    shown = seen(visit.observe())[f"tagged:{name}"]
    assert (shown.author, shown.extra["tagged"]) == (Author(handle="jo.public"), True)
    batches = alone.observe()
    assert f"tagged:{name}" not in seen(batches)
    assert gaps(batches) == {}, "by this door it is a blind spot"


# --- stories ------------------------------------------------------------------------------------------------


def test_a_story_is_seen_while_it_is_shown_and_says_until_when(world, visit):
    name = world.story("Closed today")
    shown = seen(visit.observe())[f"story:{name}"]
    assert (shown.kind, shown.text, shown.state) == (Kind.POST, "Closed today", State.PRESENT)
    assert shown.extra["shown_until"] == "2026-03-02T08:01:00+00:00"


def test_a_story_that_is_listed_no_longer_has_ended_and_is_never_gone(world, visit):
    world.say("Open")
    old = world.story("Closed today")
    world.tick(hours=25)
    new = world.story("Open today")
    batches = visit.observe()
    assert f"story:{old}" not in seen(batches)
    assert Kind.POST in kinds(batches)
    before = len(world.asked)
    told = visit.look(f"story:{old}", f"story:{new}", kind=Kind.POST)
    assert (told[f"story:{old}"].state, told[f"story:{new}"].state) == (State.UNKNOWN, State.PRESENT)
    assert "24 hours" in told[f"story:{old}"].reason
    assert sum("/stories" in one for one in world.asked[before:]) == 1, "however many there are"


def test_stories_are_not_asked_for_where_the_span_ends_before_any_that_could_be_shown(world, visit):
    world.story()
    visit.observe(published_until=NOW - timedelta(days=3))
    assert asked(world, "/stories") == 0
    visit.observe(published_until=NOW - timedelta(hours=3))
    assert asked(world, "/stories") == 1


# --- what only its people see -------------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
def test_messages_are_private_and_bear_who_wrote_them(world, visit, alone, door):
    asks = world.write("t_1", "Is the office open?")
    says = world.write("t_1", "Until noon.", by=NAME)
    shown = seen((visit if door == "facebook" else alone).observe())
    assert [(shown[one].kind, shown[one].private) for one in (asks, says)] == [(Kind.MESSAGE, True)] * 2
    assert shown[says].author == Author(id=OURS, handle=NAME)
    assert asked(world, f"/{PAGE if door == 'facebook' else OURS}/conversations") == 1


def test_an_old_message_that_is_told_without_its_words_is_there_and_was_not_emptied(world, visit):
    first = world.write("t_1", "The first")
    assert seen(visit.observe())[first].text == "The first"
    world.told_whole = 1
    world.write("t_1", "The second")
    batches = visit.observe()
    assert first not in seen(batches)
    (told,) = (one for batch in batches for one in batch.sightings)
    assert (told.native_id, told.state) == (first, State.PRESENT)
    assert visit.look(first, kind=Kind.MESSAGE)[first].state is State.UNKNOWN


def test_what_hangs_on_a_message_is_kept_with_it():
    told = {
        "id": "m_1",
        "created_time": "2026-03-01T08:00:00+0000",
        "from": {"id": "2001", "username": "jo.public"},
        "to": {"data": [{"id": OURS, "username": NAME}]},
        "message": "",
        "attachments": {
            "data": [{"id": "77", "mime_type": "image/png", "image_data": {"url": "https://a.example/m.png"}}]
        },
        "shares": {"data": [{"link": "https://town.example/roads"}]},
        "story": {"mention": {"id": "5"}},
    }
    shown = parse.message(graph.one(spoken(told), 0, shapes.Message), "t_1")
    assert shown is not None
    assert [(file.id, file.media_type) for file in shown.attachments] == [("file:77", "image/png")]
    assert shown.extra["links"] == ["https://town.example/roads"]
    assert shown.extra["story"] == {"mention": {"id": "5"}}
    assert shown.extra["to"] == [{"id": OURS, "username": NAME}]


def test_messages_are_left_out_where_the_option_says_so(world, http):
    world.write("t_1", "Is the office open?")
    batches = Visit(world, http, messages="no").observe()
    assert not any(one.kind is Kind.MESSAGE for one in seen(batches).values())
    assert asked(world, "/conversations") == 0


# --- permissions --------------------------------------------------------------------------------------------


def test_a_permission_for_messages_that_is_lacking_is_a_gap_that_names_it_and_the_rest_is_seen(world, visit):
    post = world.say("Closed")
    world.scopes.discard("manage_messages")
    batches = visit.observe()
    assert "instagram_manage_messages" in gaps(batches)["messages"]
    assert post in seen(batches)


@pytest.mark.parametrize("door", DOORS)
def test_a_permission_whose_loss_instagram_passes_over_in_silence_keeps_comments_from_being_listed(
    world, visit, alone, door
):
    visit = visit if door == "facebook" else alone
    post = world.say("Closed")
    comment = world.comment(post, "+1")
    first = visit.observe()
    assert Kind.COMMENT in kinds(first)
    world.scopes.discard("manage_comments")
    batches = visit.observe(first[-1].resume_from)
    assert post in seen(batches)
    assert comment not in seen(batches)
    assert Kind.COMMENT not in kinds(batches)
    assert not {post, comment} & {one.in_reply_to for one in listings(batches)}
    assert "comments" in gaps(batches)


def test_a_permission_that_is_lost_while_comments_are_read_keeps_them_from_being_listed(world, visit):
    world.cuts_at = 1
    post = world.say("Closed")
    older, newer = world.comment(post, "+1"), world.comment(post, "+2")

    def lost(path: str) -> None:
        if path.endswith("/comments"):
            world.scopes.discard("manage_comments")

    world.before = lost
    batches = visit.observe()
    assert newer in seen(batches)
    assert older not in seen(batches)
    assert Kind.COMMENT not in kinds(batches)
    assert "instagram_manage_comments" in gaps(batches)["comments"]


@pytest.mark.parametrize("door", DOORS)
def test_without_the_permission_for_posts_the_account_is_to_be_connected_again(world, visit, alone, door):
    world.say("Closed")
    world.scopes.discard("basic")
    with pytest.raises((AccessRevoked, NoSuchPage), match="basic"):
        (visit if door == "facebook" else alone).observe()


def test_a_list_that_is_refused_and_gave_something_before_keeps_posts_from_being_listed(world, visit):
    world.say("Closed")
    world.story()
    first = visit.observe()
    world.shut["stories"] = Refused(10, "(#10) This endpoint requires the 'instagram_basic' permission")
    refused = visit.observe(first[-1].resume_from)
    assert Kind.POST not in kinds(refused)
    assert "stories" in gaps(refused)


def test_a_list_that_was_never_given_hides_nothing_that_we_hold(world, visit):
    world.say("Closed")
    world.shut["tags"] = Refused(
        10, "(#10) This endpoint requires the 'instagram_manage_comments' permission"
    )
    first = visit.observe()
    assert Kind.POST not in kinds(first), "an earlier pass of another kind may have been given it"
    assert Kind.POST in kinds(visit.observe(first[-1].resume_from))


@pytest.mark.parametrize("code", [100, 2500])
def test_a_list_that_the_interface_does_not_have_is_no_gap_and_a_check_says_so(world, alone, code):
    world.say("Closed")
    world.shut["stories"] = Refused(code, f"(#{code}) Tried accessing nonexisting field (stories) on node")
    batches = alone.observe()
    assert gaps(batches) == {}
    assert Kind.POST in kinds(batches)
    assert "by the other one" in alone.check()["stories"]


# --- tokens and secrets -------------------------------------------------------------------------------------


def test_the_page_that_the_account_belongs_to_is_found_and_its_token_is_used_from_then_on(world, visit):
    world.other_pages = 130
    world.say("Closed")
    batches = visit.observe()
    found = asked(world, "/me/accounts")
    assert found == 3
    given = [token for token in world.tokens if token == world.user_token]
    assert len(given) == found + 1
    assert set(world.tokens[found + 1 :]) - {world.page_token} == set()
    visit.observe(batches[-1].resume_from)
    assert asked(world, "/me/accounts") == found, "it is remembered"


@pytest.mark.parametrize("named", [PAGE, "town.police"])
def test_a_page_that_is_named_is_not_looked_for(world, http, named):
    post = world.say("Closed")
    assert post in seen(Visit(world, http, facebook_page=named).observe())
    assert asked(world, "/me/accounts") == 0


def test_the_pages_own_token_serves_as_well(world):
    post = world.say("Closed")
    secret = SECRETS | {"access_token": world.page_token}
    with evidence_client(secret) as http:
        assert post in seen(Visit(world, http, secret).observe())
    assert set(world.tokens) == {world.page_token}


def test_an_account_that_belongs_to_no_page_of_the_token_says_what_to_do(world, http):
    page = Page(address="another.town", options={"graph": world.address})
    with pytest.raises(NoSuchPage, match="Business settings"):
        list(Instagram(http, SECRETS).observe(page, None))


def test_the_token_of_another_account_is_refused_and_a_new_name_is_not(world, alone):
    world.say("Closed")
    batches = alone.observe()
    world.username = "townpolice_new"
    assert alone.observe(batches[-1].resume_from), "the number is the same"
    with pytest.raises(NoSuchPage, match="townpolice_new"):
        alone.observe()


@pytest.mark.parametrize("door", DOORS)
def test_tokens_in_links_and_proofs_in_addresses_are_replaced(world, visit, alone, door):
    world.cuts_at = 1
    for number in range(3):
        world.say(f"{number}")
    batches = (visit if door == "facebook" else alone).observe()
    exchanges = [exchange for batch in batches for exchange in batch.exchanges]
    assert any(b'"next"' in one.body for one in exchanges), "no list led on"
    for one in exchanges:
        told = repr(one).encode() + one.body
        for secret in (world.user_token, world.page_token, world.own_token, world.app_secret):
            assert secret.encode() not in told
        assert "appsecret_proof=[[secret:appsecret_proof]]" in one.url


def test_an_application_that_wants_its_secret_proven_is_shown_the_proof(world, http):
    post = world.say("Closed")
    world.wants_proof = True
    assert post in seen(Visit(world, http).observe())
    with pytest.raises(AccessRevoked, match="App settings"):
        Visit(world, http, {"access_token": world.user_token}).observe()


def test_an_account_that_is_not_connected_says_so(world, http):
    with pytest.raises(AccessRevoked, match="not connected"):
        Visit(world, http, {}).observe()


def test_a_token_is_not_sent_in_clear(http):
    page = Page(address=NAME, options={"graph": "http://graph.instagram.com"})
    with pytest.raises(AddressRefused, match="TLS"):
        list(Instagram(http, SECRETS).observe(page, None))


# --- lists --------------------------------------------------------------------------------------------------


def test_a_finished_pass_says_that_it_saw_everything(world, visit):
    world.comment(world.say("Closed"), "+1")
    batches = visit.observe()
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    assert all(set(one.states) == {State.PRESENT, State.HIDDEN} for one in listings(batches))
    assert gaps(batches) == {}


def test_an_account_on_which_nothing_stands_yet_is_a_complete_pass(visit):
    assert kinds(visit.observe()) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_an_empty_answer_with_a_next_link_is_no_end(world, visit):
    world.cuts_at = 1
    first, last = world.say("First"), world.say("Last")
    link = (
        f"https://graph.facebook.com/v26.0/{OURS}/media?until=1772352600&limit=1&access_token=EAAG-some-token"
    )
    once = iter([(200, dict(JSON), spoken({"data": [], "paging": {"next": link}}))])
    world.trouble = lambda path: next(once, None) if path.endswith("/media") else None
    assert {first, last} <= set(seen(visit.observe()))
    (following,) = (one for one in world.asked if "until=1772352600" in one)
    assert "EAAG" not in following


@pytest.mark.parametrize("edge", ["media", "comments", "replies", "messages"])
def test_a_cursor_that_instagram_has_forgotten_begins_its_list_anew(world, http, edge):
    world.cuts_at = 1
    posts = {world.say(f"{number}") for number in range(3)}
    comments = [world.comment(min(posts), f"{number}") for number in range(4)]
    replies = {world.comment(min(posts), f"{number}", to=comments[-1]) for number in range(4)}
    messages = {world.write("t_1", f"{number}") for number in range(3)}
    wanted = {"media": posts, "comments": {*comments}, "replies": replies, "messages": messages}[edge]
    visit = Visit(world, http, page_size="1")
    walk = visit.connector.observe(visit.page(), None)
    taken: list[Batch] = []
    while len(wanted & set(seen(taken))) < 2:
        taken.append(next(walk))
    assert isinstance(walk, Generator)
    walk.close()
    forgotten = iter([spoken({"error": {"message": "Invalid cursors values", "code": 100}})])

    def troubled(path: str) -> Any:
        after = path.endswith(edge) and "after=" in world.asked[-1]
        told = next(forgotten, None) if after else None
        return None if told is None else (400, dict(JSON), told)

    world.trouble = troubled
    batches = visit.observe(taken[-1].resume_from)
    assert next(forgotten, None) is None, "no cursor was refused"
    assert wanted <= set(seen(batches))
    assert Kind.POST in kinds(batches)
    assert gaps(batches) == {}


def test_posts_beyond_those_that_instagram_lists_are_a_gap_and_are_not_listed(world, visit, monkeypatch):
    monkeypatch.setattr(walking, "_MOST_SHOWN", 3)
    for number in range(3):
        world.say(f"{number}")
    oldest = min(one.created for one in world.items.values())
    batches = visit.observe()
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert (gap.what, gap.since, gap.until) == ("posts", None, oldest)
    (listing,) = listings(batches)
    assert (listing.kinds, listing.published_from) == ([Kind.POST], oldest)


def test_where_it_is_too_much_at_once_instagram_is_asked_for_less(world, visit):
    world.gathers = 6
    posts = [world.say(f"{number}") for number in range(9)]
    comments = [world.comment(posts[0], f"{number}") for number in range(30)]
    assert {*posts, *comments} <= set(seen(visit.observe()))
    world.gathers = 0
    with pytest.raises(TryAgainLater, match="even one"):
        visit.observe()


def test_a_field_that_this_version_does_not_have_is_a_gap_and_the_rest_is_read(world, visit):
    post = world.say("Closed")
    world.unknown_fields = {"shortcode"}
    batches = visit.observe()
    assert f"the field shortcode of {OURS}/media" in gaps(batches)
    assert seen(batches)[post].text == "Closed"


def test_what_the_accounts_own_door_does_not_tell_of_the_account_is_no_gap(world, alone):
    world.unknown_fields = {"biography", "website"}
    batches = alone.observe()
    assert gaps(batches) == {}
    assert seen(batches)[OURS].text == "Test Town Police"


def test_a_version_that_has_ended_is_noticed_by_the_version_that_answers(world, http):
    post = world.say("Closed")
    batches = Visit(world, http, version="v19.0").observe()
    (why,) = gaps(batches).values()
    assert "v21.0" in why
    assert post in seen(batches)
    assert gaps(Visit(world, http, version="v21.0").observe()) == {}


def test_a_version_that_is_not_there_yet_says_so(world, http):
    with pytest.raises(NoSuchPage, match=r"as version v99\.0"):
        Visit(world, http, version="v99.0").observe()
    assert "option `version`" in Visit(world, http, version="v99.0").check()["account and token"]


def test_a_post_that_is_removed_while_its_comments_are_read_leaves_them_unlisted(world, visit):
    post = world.say("Closed")
    for number in range(40):
        world.comment(post, f"{number}")

    def removed(path: str) -> None:
        if path.endswith("/comments"):
            world.items.pop(post, None)

    world.before = removed
    batches = visit.observe()
    assert kinds(batches) == {Kind.POST}
    world.before = None
    again = world.say("Open")
    comment = world.comment(again, "+1")
    later = visit.observe(batches[-1].resume_from)
    assert {one.in_reply_to for one in listings(later)} == {None, again, comment}


# --- spans of time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keeps", [True, False])
def test_a_pass_over_a_span_lists_that_span_and_what_answers_its_posts(world, http, keeps):
    years = []
    for number in range(12):
        world.tick(days=40)
        years.append(world.say(f"Notice {number}"))
        world.comment(years[-1], "Seen")
    world.keeps_to_spans = keeps
    begins = world.items[years[-2]].created
    batches = Visit(world, http, page_size="2").observe(published_from=begins)
    shown = set(seen(batches))
    assert set(years[-2:]) <= shown
    assert years[0] not in shown
    (posts,) = (one for one in listings(batches) if Kind.POST in one.kinds)
    assert (posts.published_from, posts.published_until) == (begins, None)
    assert set(years[-2:]) <= {one.in_reply_to for one in listings(batches)}


def test_of_an_older_post_comments_are_read_as_far_as_they_lie_within_the_span(world, http):
    world.cuts_at = 3
    old = world.say("Closed")
    before = [world.comment(old, f"{number}") for number in range(12)]
    world.tick(days=10)
    begins = world.tick()
    new = [world.comment(old, f"Still {number}?") for number in range(5)]
    batches = Visit(world, http).observe(published_from=begins)
    shown = set(seen(batches))
    assert set(new) <= shown
    assert not set(before[:6]) & shown
    assert old not in {one.in_reply_to for one in listings(batches)}
    less = Visit(world, http, answered_within="5").observe(published_from=begins)
    assert not set(new) & set(seen(less))


def test_new_comments_on_an_older_post_are_seen_where_none_are_told_inside_posts(world, visit):
    world.nests = False
    old = world.say("Closed")
    begins = world.tick(days=10)
    new = world.comment(old, "Still?")
    assert new in seen(visit.observe(published_from=begins))


def test_conversations_that_were_silent_since_the_span_began_are_not_read(world, visit):
    world.write("t_1", "Long ago")
    begins = world.tick(days=3)
    new = world.write("t_2", "Just now")
    shown = seen(visit.observe(published_from=begins))
    assert [name for name, one in shown.items() if one.kind is Kind.MESSAGE] == [new]
    assert asked(world, "t_1/messages") == 0


@pytest.mark.parametrize(
    ("option", "written", "says"),
    [
        ("page_size", "0", "page_size"),
        ("page_size", "51", "from 1 to 50"),
        ("page_size", "many", "page_size"),
        ("door", "back", "facebook, instagram"),
        ("version", "26", "v26.0"),
        ("leave_out", "media", "stories, tags"),
        ("facebook_page", "a/b", "facebook_page"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_with_what_could_be(world, http, option, written, says):
    with pytest.raises(ConnectorError, match=says):
        Visit(world, http, **{option: written}).observe()


def test_lists_that_are_left_out_are_not_asked_for(world, http):
    world.story()
    world.tag("With the police")
    Visit(world, http, leave_out="stories, tags").observe()
    assert asked(world, "/stories") == asked(world, "/tags") == 0


# --- how single items stand ---------------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
def test_gone_is_a_post_that_instagram_does_not_know_while_it_shows_the_accounts_other_posts(
    world, visit, alone, door
):
    visit = visit if door == "facebook" else alone
    post, other = world.say("Closed"), world.say("Open")
    world.delete(post)
    told = visit.look(post, other, kind=Kind.POST)
    assert (told[post].state, told[other].state) == (State.GONE, State.PRESENT)
    assert told[post].reason.startswith("400 code 100 subcode 33")
    world.delete(other)
    assert visit.look(post, kind=Kind.POST)[post].state is State.UNKNOWN


def test_the_same_answer_about_a_comment_proves_nothing_since_its_writer_may_only_be_restricted(world, visit):
    post = world.say("Closed")
    removed, rude, fine = (world.comment(post, text) for text in ("+1", "Rude", "Good"))
    world.delete(removed)
    world.the(rude).restricted = True
    told = visit.look(removed, rude, fine)
    assert {told[one].state for one in (removed, rude)} == {State.UNKNOWN}
    assert told[removed].reason == told[rude].reason
    assert told[fine].state is State.PRESENT


def test_comments_are_asked_for_one_by_one_where_not_several_can_be_asked_for_at_once(world, visit):
    world.gives_many = False
    post = world.say("Closed")
    spam, fine = world.comment(post, "Pills", hidden=True), world.comment(post, "+1")
    told = visit.look(spam, fine)
    assert (told[spam].state, told[fine].state) == (State.HIDDEN, State.PRESENT)


@pytest.mark.parametrize("code", [3, 10, 200, 210, 299])
def test_a_permission_that_is_lacking_never_proves_a_removal(world, visit, code):
    post = world.say("Closed")
    world.say("Open")
    world.shut[post] = Refused(code, f"(#{code}) Permissions error", status=403)
    told = visit.look(post, kind=Kind.POST)[post]
    assert (told.state, told.reason) == (State.UNKNOWN, f"403 code {code}")


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (Refused(4, "(#4) Application request limit reached"), TryAgainLater),
        (Refused(80002, "(#80002) There have been too many calls"), TryAgainLater),
        (Refused(190, "Error validating access token", 463, 401), AccessRevoked),
        (Refused(368, "The action attempted has been deemed abusive"), AccessRevoked),
    ],
)
def test_a_throttle_and_a_dead_token_prove_no_removal(world, visit, refused, error):
    post = world.say("Closed")
    world.shut[post] = refused
    with pytest.raises(error):
        visit.look(post, kind=Kind.POST)


def test_an_item_at_which_the_platform_fails_is_unknown(world, visit):
    post = world.say("Closed")
    world.shut[post] = Refused(2, "Service temporarily unavailable", status=503)
    told = visit.look(post, kind=Kind.POST)[post]
    assert told.state is State.UNKNOWN
    assert "503" in told.reason


def test_what_the_account_is_tagged_in_is_there_while_it_is_listed(world, visit, alone):
    kept, lost = world.tag("One"), world.tag("Two")
    world.delete(lost)
    told = visit.look(f"tagged:{kept}", f"tagged:{lost}", kind=Kind.POST)
    assert (told[f"tagged:{kept}"].state, told[f"tagged:{lost}"].state) == (State.PRESENT, State.UNKNOWN)
    assert alone.look(f"tagged:{kept}", kind=Kind.POST) == {}


# --- families and what is told by itself ----------------------------------------------------------------------


def test_a_family_is_one_post_with_all_its_comments_and_a_listing_for_each(world, visit):
    world.cuts_at = 3
    world.say("Another")
    post = world.say("Closed")
    comments = [world.comment(post, f"{number}") for number in range(8)]
    replies = [world.comment(post, f"{number}", to=comments[0]) for number in range(5)]
    batches = visit.family(post)
    assert set(seen(batches)) == {post, *comments, *replies}
    assert {post, *comments} == {one.in_reply_to for one in listings(batches)}


def test_a_family_whose_post_is_gone_is_told_so_and_lists_nothing(world, visit):
    world.say("Another")
    post = world.say("Closed")
    world.delete(post)
    batches = visit.family(post)
    assert [one.state for batch in batches for one in batch.sightings] == [State.GONE]
    assert listings(batches) == []


def test_a_family_that_is_refused_in_its_midst_is_a_gap_and_lists_nothing_of_it(world, visit):
    world.cuts_at = 3
    post = world.say("Closed")
    comments = [world.comment(post, f"{number}") for number in range(8)]
    world.shut[f"{post}/comments"] = Refused(10, "(#10) This endpoint requires 'instagram_manage_comments'")
    batches = visit.family(post)
    assert "instagram_manage_comments" in gaps(batches)["comments"]
    assert post not in {one.in_reply_to for one in listings(batches)}
    assert set(comments[-3:]) <= set(seen(batches)), "what was told inside the post is kept"


def test_the_family_of_a_story_is_the_story_alone(world, visit):
    name = world.story("Closed today")
    assert set(seen(visit.family(f"story:{name}"))) == {f"story:{name}"}
    world.tick(days=2)
    (told,) = (one for batch in visit.family(f"story:{name}") for one in batch.sightings)
    assert told.state is State.UNKNOWN


def test_the_family_of_a_comment_is_that_of_the_post_that_it_stands_below(world, visit):
    post = world.say("Closed", parts=["181", "182"])
    comment = world.comment(post, "+1")
    assert set(seen(visit.family(f"comment:{comment}"))) == {post, comment}
    world.delete(comment)
    (told,) = (one for batch in visit.family(f"comment:{comment}") for one in batch.sightings)
    assert (told.native_id, told.state) == (comment, State.UNKNOWN)


def test_what_names_the_account_elsewhere_is_observed_by_the_number_that_was_told(world, visit, alone):
    media = world.tag("Thanks @testtownpolice")
    comment = world.comment(media, "Ask @testtownpolice")
    (shown,) = seen(visit.family(f"mention:{media}")).values()
    assert (shown.native_id, shown.kind, shown.extra["mentions"]) == (f"mention:{media}", Kind.POST, True)
    (said,) = seen(visit.family(f"mention-comment:{media}:{comment}")).values()
    assert (said.native_id, said.in_reply_to) == (f"mention-comment:{comment}", f"mention:{media}")
    told = visit.look(f"mention:{media}", f"mention-comment:{comment}")
    assert {one.state for one in told.values()} == {State.PRESENT}
    world.delete(media)
    assert visit.look(f"mention:{media}")[f"mention:{media}"].state is State.UNKNOWN
    assert visit.family(f"mention:{media}")[0].observations == ()
    assert alone.family(f"mention:{media}") == []


def told_of(*changes: Mapping[str, Any], **more: Any) -> Wanted:
    entry = {"id": OURS, "time": int(NOW.timestamp()), "changes": list(changes), **more}
    delivery = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    (one,) = Instagram.hooks.wanted(webhooks.read(delivery), NOW)
    return one


def test_a_comment_that_is_told_by_itself_leads_to_its_post_and_its_words_are_not_taken():
    value = {"id": "5", "text": "+1", "media": {"id": "9"}, "from": {"id": "2001"}}
    wanted = told_of({"field": "comments", "value": value}, {"field": "comments", "value": value})
    assert (wanted.page, wanted.families, wanted.since) == (OURS, ("comment:5",), None)


def test_a_mention_that_is_told_by_itself_is_looked_at():
    wanted = told_of(
        {"field": "mentions", "value": {"media_id": "7"}},
        {"field": "mentions", "value": {"media_id": "7", "comment_id": "8"}},
    )
    assert wanted.families == ("mention:7", "mention-comment:7:8")


def test_a_message_and_what_is_not_known_yet_lead_to_a_pass_and_what_changes_nothing_to_none():
    assert told_of(messaging=[{"message": {"mid": "m"}}]).since == NOW - timedelta(hours=1)
    assert told_of({"field": "something_new", "value": {}}).since is not None
    assert told_of({"field": "comments", "value": {}}).since is not None
    for quiet in ({"field": "live_comments", "value": {"id": "5"}}, {"field": "story_insights", "value": {}}):
        assert not told_of(quiet).anything
    assert not told_of(messaging=[{"read": {"watermark": 1}}]).anything


# --- limits -------------------------------------------------------------------------------------------------


def test_nothing_more_is_asked_when_a_limit_is_nearly_used_up(world, visit):
    told = {"type": "instagram", "call_count": 96, "total_time": 3, "estimated_time_to_regain_access": 7}
    world.usage = {"X-Business-Use-Case-Usage": {OURS: [told]}}
    with pytest.raises(TryAgainLater, match="96 percent") as stopped:
        visit.observe()
    assert stopped.value.after == timedelta(minutes=7)
    assert len(world.asked) == 1
    world.usage = {"X-App-Usage": {"call_count": 94, "total_time": 20, "total_cputime": 0}}
    assert visit.observe()


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("https://www.instagram.com/town.police/", "town.police"),
        ("instagram.com/Town.Police", "town.police"),
        ("https://m.instagram.com/town_police?igsh=1", "town_police"),
        ("https://www.instagram.com/town.police/reels/", "town.police"),
        ("@town.police", "town.police"),
        (" town_police ", "town_police"),
        ("17841400000000001", "17841400000000001"),
    ],
)
def test_an_account_is_found_however_its_address_is_written(written, name):
    assert address.read(written) == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        "https://town.example/police",
        "https://instagram.com.evil.example/town",
        "https://www.instagram.com/p/CRyZpmrjYC4/",
        "https://www.instagram.com/stories/town/1",
        "https://www.instagram.com/",
        "instagram.com",
        "https://[",
        "two words",
        "ends.with.a.dot.",
    ],
)
def test_what_names_no_account_is_refused_with_an_example(world, http, written):
    page = Page(address=written, options={"graph": world.address})
    with pytest.raises(NoSuchPage, match="Give its address"):
        list(Instagram(http, SECRETS).observe(page, None))


def test_an_account_that_instagram_does_not_show_is_not_there_and_nothing_is_gone(world, visit):
    post = world.say("Closed")
    batches = visit.observe()
    world.shut[OURS] = Refused(100, "Unsupported get request", 33)
    with pytest.raises(NoSuchPage, match="role"):
        visit.observe(batches[-1].resume_from)
    with pytest.raises(NoSuchPage):
        visit.look(post)


# --- checks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
def test_a_check_finds_all_well(world, visit, alone, door):
    world.comment(world.say("Closed"), "+1")
    visit = visit if door == "facebook" else alone
    found = list(visit.connector.check(visit.page()))
    assert len(found) > 7
    assert [one.what for one in found if not one.fine] == []


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        (
            lambda w: w.scopes.discard("manage_messages"),
            "private messages: instagram_manage_messages",
            "Generate one",
        ),
        (lambda w: w.scopes.discard("manage_messages"), "messages", "instagram_manage_messages"),
        (lambda w: w.scopes.discard("manage_comments"), "comments are shown", "Advanced Access"),
        (lambda w: setattr(w, "names_writers", False), "who wrote comments", "instagram_manage_comments"),
        (lambda w: setattr(w, "version", "v28.0"), "version v26.0 of the interface", "v28.0"),
        (
            lambda w: setattr(w, "expires_at", int(NOW.timestamp()) + 86_400),
            "token (system_user), until 2026-06-02",
            "system user",
        ),
        (lambda w: setattr(w, "dead", 460), "account and token", "password"),
        (lambda w: w.shut.update(debug_token=Refused(100, "no")), "what the token permits", "Debugger"),
    ],
)
def test_a_check_says_what_an_officer_can_do(world, visit, change, what, remedy):
    world.comment(world.say("Closed"), "+1")
    change(world)
    assert remedy in visit.check()[what]


def test_a_check_notices_a_version_that_ends_within_half_a_year(world, http):
    later = datetime(2028, 3, 1, tzinfo=UTC)
    with evidence_client(SECRETS, later) as client:
        assert "2028-07-29" in Visit(world, client, version="v25.0").check()["version v25.0 of the interface"]
    assert "version v25.0 of the interface" not in Visit(world, http, version="v25.0").check()


def test_a_check_without_the_applications_secret_says_what_it_is_good_for(world, http):
    wrong = Visit(world, http, {"access_token": world.user_token}).check()
    assert "Require app secret" in wrong["application's secret"]


# --- shapes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        spoken({"data": [{"caption": "without an id"}] * 3}),
        spoken({"data": [{"id": [5]}] * 3}),
        spoken({"items": []}),
        spoken([]),
        SIGN_IN,
        b"",
    ],
)
def test_an_answer_of_another_shape_is_unexpected(world, visit, body):
    world.say("Closed")
    world.trouble = lambda path: (200, dict(HTML), body) if path.endswith("/media") else None
    with pytest.raises(UnexpectedResponse):
        visit.observe()


def test_a_picture_whose_address_is_none_takes_nothing_else_from_the_introduction():
    told = {"id": OURS, "username": NAME, "name": "Police", "profile_picture_url": "http://[bad"}
    shown = parse.account(graph.one(spoken(told), 0, shapes.Account))
    assert (shown.text, [file.url for file in shown.attachments]) == ("Police", ["http://[bad"])


@pytest.mark.parametrize("within", ["comments", "replies"])
@pytest.mark.parametrize("strange", [5, {"items": []}, {"data": [{"text": "without an id"}]}])
def test_what_cannot_be_read_inside_a_post_or_a_comment_is_asked_for_by_itself(world, visit, within, strange):
    broken, other = world.say("Bridge closed"), world.say("Open house")
    first, second = world.comment(broken, "Until when?"), world.comment(other, "When?")
    reply = world.comment(broken, "Until six.", by=NAME, to=first)

    def nested(path: str) -> Any:
        if not path.endswith("/media"):
            return None
        world.trouble = None
        _, headers, body = world.answer(world.asked.pop(), f"Bearer {world.tokens[-1]}")
        told = json.loads(body)
        for post in told["data"]:
            if post["id"] == broken and within == "comments":
                post["comments"] = strange
            elif post["id"] == broken:
                post["comments"]["data"][0]["replies"] = strange
        world.trouble = nested
        return 200, headers, spoken(told)

    world.trouble = nested
    batches = visit.observe()
    assert {first, second, reply} <= set(seen(batches))
    assert not gaps(batches)
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


@pytest.mark.parametrize("edge", ["stories", "conversations", "tags"])
@pytest.mark.parametrize("status", [200, 500])
def test_a_list_besides_the_accounts_own_posts_at_which_instagram_fails_for_ever_keeps_none_of_them_back(
    world, visit, edge, status
):
    post = world.say("Bridge closed")
    comment = world.comment(post, "Until when?")
    world.trouble = lambda path: (
        (status, dict(HTML), b"<html>?</html>") if path.endswith(f"/{edge}") else None
    )
    batches = visit.observe()
    assert {post, comment} <= set(seen(batches))
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id is None
    assert (Kind.POST in kinds(batches)) == (edge == "conversations"), "no story is told to be missing"


def test_a_list_that_fails_once_is_read_at_the_end_of_the_same_pass(world, visit):
    world.say("Bridge closed")
    story = world.story("Open today")
    once = iter([(500, dict(HTML), b"<html>?</html>")])
    world.trouble = lambda path: next(once, None) if path.endswith("/stories") else None
    batches = visit.observe()
    assert any(name.endswith(story) for name in seen(batches))
    assert not gaps(batches)
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_compressed_answer_is_read_and_each_item_owns_the_whole_of_it(world, visit):
    post = world.say("Closed")
    world.compresses = True
    (batch,) = (one for one in visit.observe() if post in seen([one]))
    (span,) = seen([batch])[post].evidence
    assert (span.start, span.end) == (0, len(batch.exchanges[span.exchange].body))


def test_half_an_emoji_and_unknown_keys_are_read():
    body = (
        b'{"data":[{"id":"1","text":"half \\ud83d","timestamp":"2026-03-01T08:00:00+0000","new":{"key":1}}]}'
    )
    (one,) = graph.many(body, 0, shapes.Comment).items
    assert parse.comment(one, "9", OURS, NAME).text == "half \ufffd"


def test_a_comment_without_its_writer_is_a_comment_by_nobody_that_we_know(world, visit):
    world.names_writers = False
    comment = world.comment(world.say("Closed"), "+1")
    shown = seen(visit.observe())[comment]
    assert (shown.author, shown.kind) == (None, Kind.COMMENT)


def test_a_page_of_fifty_comments_without_answers_is_read_whole():
    one = {
        "id": "17900000000000501",
        "text": "Is the bridge open again, and until when?",
        "timestamp": "2026-03-01T08:00:00+0000",
        "username": "jo.public",
        "from": {"id": "2001", "username": "jo.public"},
        "hidden": False,
        "like_count": 3,
    }
    body = spoken({"data": [one] * 50, "paging": {"cursors": {"after": "A"}}})
    found = graph.many(body, 0, shapes.Comment)
    assert len([parse.comment(item, "9", OURS, NAME) for item in found.items]) == 50
    assert not any(parse.replies_within(body, item) for item in found.items)


# --- one odd item among others ----------------------------------------------------------------------------------

ODD: list[object] = [None, {"id": None}, {"strange": [[]]}]


def odd(world: InstagramWorld, edge: str, name: str, strange: object) -> None:
    """What is called so is told as something strange wherever it stands in lists of this name."""
    tells_otherwise(world, world.page_token, edge, among(name, strange))


@pytest.mark.parametrize("strange", ODD)
@pytest.mark.parametrize("edge", ["media", "stories", "tags"])
def test_a_post_that_cannot_be_read_keeps_neither_those_beside_it_nor_the_pass_and_no_post_is_listed(
    world, visit, edge, strange
):
    publish = {"media": world.say, "stories": world.story, "tags": world.tag}[edge]
    way = {"media": "", "stories": "story:", "tags": "tagged:"}[edge]
    names = [publish(words) for words in ("One", "Two", "Three")]
    answer = world.comment(world.say("Bridge closed"), "Until when?")
    assert kinds(visit.observe()) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    odd(world, edge, names[1], strange)
    batches = visit.observe()
    missed = {answer, *(f"{way}{name}" for name in names)} - set(seen(batches))
    assert missed == {f"{way}{names[1]}"}
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert (gap.native_id, gap.why.endswith(AGAIN)) == (None, True)
    assert listings(batches) == []
    world.trouble = None
    later = visit.observe(batches[-1].resume_from)
    assert missed <= set(seen(later))
    assert Kind.POST in kinds(later)


def test_a_story_that_is_known_by_its_id_and_no_more_is_a_gap_that_names_it(world, visit):
    name = world.story("One")
    odd(world, "stories", name, {"id": name, "caption": [5]})
    (gap,) = (one for batch in visit.observe() for one in batch.gaps)
    assert gap.native_id == f"story:{name}"


@pytest.mark.parametrize("strange", ODD)
@pytest.mark.parametrize("edge", ["comments", "replies"])
def test_what_cannot_be_read_of_what_answers_an_item_leaves_that_one_alone_unlisted(
    world, visit, edge, strange
):
    world.cuts_at = 3
    post, other = world.say("Bridge closed"), world.say("Open house")
    top = world.comment(post, "Until when?")
    answers = [world.comment(post, f"{number}", to=top if edge == "replies" else None) for number in range(8)]
    elsewhere = world.comment(other, "When?")
    odd(world, edge, answers[4], strange)
    batches = visit.observe()
    assert {post, other, top, elsewhere, *answers} - set(seen(batches)) == {answers[4]}
    assert kinds(batches) == {Kind.POST}
    again = visit.observe(batches[-1].resume_from)
    told = {one.in_reply_to for one in listings(again) if one.in_reply_to}
    assert {other, elsewhere} <= told
    assert (post in told, top in told) == (edge == "replies", edge == "comments")
    for batch in again[:-1]:
        resumed = {one.in_reply_to for one in listings(visit.observe(batch.resume_from))}
        assert (top if edge == "replies" else post) not in resumed
    family = visit.family(post)
    assert (top if edge == "replies" else post) not in {one.in_reply_to for one in listings(family)}
    assert {post, top, *answers} - set(seen(family)) == {answers[4]}


def test_of_an_older_post_a_comment_that_cannot_be_read_inside_it_is_asked_for_by_itself(world, http):
    post = world.say("Bridge closed")
    old = world.comment(post, "Old")
    world.tick(days=5)
    new = world.comment(post, "New")
    since = datetime(2026, 3, 4, tzinfo=UTC)
    visit = Visit(world, http)

    def change(told: Any) -> None:
        told["data"][0]["comments"]["data"][0] = None

    tells_otherwise(world, world.page_token, "media", change)
    batches = visit.observe(published_from=since)
    assert {old, new} <= set(seen(batches))


def test_all_posts_of_another_shape_are_a_list_of_another_shape(world, visit):
    for words in ("One", "Two", "Three"):
        world.say(words)

    def change(told: Any) -> None:
        told["data"] = [{"key": one["id"]} for one in told["data"]]

    tells_otherwise(world, world.page_token, "media", change)
    assert isinstance(visit.fails(), UnexpectedResponse)


def test_messages_and_conversations_that_cannot_be_read_keep_none_of_the_others_back(world, visit):
    names = [world.write("aWdf1", f"{number}") for number in range(3)]
    other = world.write("aWdf2", "Hello")
    odd(world, "messages", names[1], None)
    batches = visit.observe()
    assert {*names, other} - set(seen(batches)) == {names[1]}
    assert gaps(batches)["messages of a conversation"].endswith(AGAIN)
    odd(world, "conversations", "aWdf2", {"id": "aWdf2", "updated_time": [5]})
    assert {*names, other} <= set(seen(visit.observe()))
    odd(world, "conversations", "aWdf2", None)
    batches = visit.observe()
    assert {*names, other} - set(seen(batches)) == {other}
    assert gaps(batches)["messages of a conversation"].endswith(AGAIN)


def test_a_page_that_cannot_be_read_hides_no_other_and_is_not_taken_for_there_being_none(world, visit):
    world.say("Bridge closed")
    tells_otherwise(world, world.user_token, "accounts", lambda told: told["data"].insert(0, None))
    assert seen(visit.observe())
    tells_otherwise(world, world.user_token, "accounts", lambda told: told.update(data=[None]))
    error = visit.fails()
    assert type(error) is UnexpectedResponse
    assert "facebook_page" in str(error)


def test_an_item_of_which_it_cannot_be_read_how_it_stands_is_unknown_and_the_others_are_told(world, visit):
    post = world.say("Bridge closed")
    names = [world.comment(post, words) for words in ("One", "Two", "Three")]

    def strange(path: str) -> Any:
        told = {"id": names[1], "hidden": [[]]}
        if path.endswith(f"/{names[1]}"):
            return 200, dict(JSON), spoken(told)
        if "ids=" in world.asked[-1]:
            return (
                200,
                dict(JSON),
                spoken({name: {"id": name} if name != names[1] else told for name in names}),
            )
        return None

    world.trouble = strange
    told = visit.look(*names)
    assert [told[name].state for name in names] == [State.PRESENT, State.UNKNOWN, State.PRESENT]


def test_a_part_of_an_album_of_another_shape_takes_no_other_and_is_not_told_to_have_been_taken_off():
    part = {"id": 71, "media_type": "IMAGE", "media_url": "https://x.example/a.jpg"}
    told: dict[str, Any] = {"id": "1", "media_type": "CAROUSEL_ALBUM", "media_url": "https://x.example/b.jpg"}
    for strange in (None, 5, {}, {"id": None}, {"id": "72", "media_url": [5]}):
        told["children"] = {"data": [part, strange]}
        shown = parse.post(graph.one(spoken(told), 0, shapes.Media), OURS)
        assert ([file.id for file in shown.attachments], shown.files_told) == (["media:71"], False)
        told["children"] = {"data": [strange]}
        shown = parse.post(graph.one(spoken(told), 0, shapes.Media), OURS)
        assert ([file.id for file in shown.attachments], shown.files_told) == ([], False)
    told["children"] = {"data": [part]}
    assert parse.post(graph.one(spoken(told), 0, shapes.Media), OURS).files_told


SHARED = Path(os.environ.get("MUNIMENT_SHARED", ROOT / ".." / "shared"))
RECORDED = SHARED / "recordings" / "meta" / "testdata" / "instagram"
_LISTS: Mapping[str, type[Any]] = {
    "apidata/users/medias_p1.json": shapes.Media,
    "apidata/users/stories.json": shapes.Media,
    "apidata/users/tagged_medias.json": shapes.Media,
    "apidata/stories/stories_fields_p1.json": shapes.Media,
    "apidata/medias/comments_p1.json": shapes.Comment,
    "apidata/medias/comments_p2.json": shapes.Comment,
    "apidata/comments/replies.json": shapes.Comment,
}
_OBJECTS: Mapping[str, tuple[type[Any], Callable[[Any], Observation]]] = {
    "models/ig_media.json": (shapes.Media, lambda one: parse.post(one, OURS)),
    "models/ig_story.json": (shapes.Media, lambda one: parse.post(one, OURS, parse.STORY)),
    "models/ig_comment.json": (shapes.Comment, lambda one: parse.comment(one, "1", OURS, NAME)),
    "models/ig_reply.json": (shapes.Comment, lambda one: parse.comment(one, "1", OURS, NAME)),
    "models/ig_user.json": (shapes.Account, parse.account),
    "apidata/users/user_fields.json": (shapes.Account, parse.account),
    "apidata/stories/story_info.json": (shapes.Media, lambda one: parse.post(one, OURS, parse.STORY)),
    "apidata/medias/media_default.json": (shapes.Media, lambda one: parse.post(one, OURS)),
}


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not at hand (MUNIMENT_SHARED)")
@pytest.mark.parametrize("name", _OBJECTS)
def test_recorded_objects_are_read(name):
    shape, reads = _OBJECTS[name]
    observed = reads(graph.one((RECORDED / name).read_bytes(), 0, shape))
    assert observed.native_id
    assert observed.evidence
    assert observed.kind is Kind.PROFILE or observed.published_at is not None


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not at hand (MUNIMENT_SHARED)")
def test_the_replies_inside_a_recorded_comment_are_found_with_their_bytes():
    body = (RECORDED / "models/ig_comment.json").read_bytes()
    replies = parse.replies_within(body, graph.one(body, 0, shapes.Comment))
    assert replies is not None
    assert [body[one.span.start : one.span.end][:1] for one in replies.items] == [b"{"]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not at hand (MUNIMENT_SHARED)")
@pytest.mark.parametrize("name", _LISTS)
def test_recorded_lists_are_read_and_lead_on_without_their_token(name):
    body = (RECORDED / name).read_bytes()
    told = json.loads(body)
    found = graph.many(body, 0, _LISTS[name])
    assert len(found.items) == len(told["data"])
    assert (found.following is not None) == ("next" in told.get("paging", {}))
    assert "access_token" not in (found.following or {})


@pytest.mark.parametrize(
    ("written_by", "author"),
    [(b'{"username":"jo"}', Author(handle="jo")), (b'{"id":"7"}', Author(id="7")), (b"{}", None)],
)
def test_whoever_wrote_a_comment_is_told_as_far_as_instagram_tells(written_by: bytes, author: Author | None):
    body = b'{"data":[{"id":"9","from":%b,"text":"+1","user":null,"replies":null}]}' % written_by
    (one,) = graph.many(body, 0, shapes.Comment).items
    found = parse.comment(one, "5", OURS, NAME)
    assert (found.author, found.kind) == (author, Kind.COMMENT)
    assert parse.replies_within(body, one) is None


def test_a_description_is_told_to_be_none_only_where_it_was_asked_for():
    body = b'{"data":[{"id":"9","media_type":"IMAGE","media_url":"https://cdn.example/9.jpg"}]}'
    (one,) = graph.many(body, 0, shapes.Media).items
    told = [parse.post(one, OURS, described=asked_for).attachments[0] for asked_for in (True, False)]
    assert [file.description for file in told] == ["", None]
