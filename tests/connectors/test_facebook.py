"""Facebook, observed over loopback: posts with what answers them, what only the page's people see, and what proves no removal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import ROOT
from connectors import graph
from connectors.contract import (
    Author,
    Batch,
    Kind,
    Observation,
    Page,
    State,
)
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.facebook import Facebook, address, parse, shapes, walking
from connectors.failing import AGAIN
from connectors.http import EvidenceClient
from tests.connectors.worlds.facebook_world import (
    HTML,
    JSON,
    OURS,
    SIGN_IN,
    FacebookWorld,
    Refused,
    many_comments,
    spoken,
)
from tests.connectors.worlds.instagram_world import among, tells_otherwise
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import PageVisit, asked, gaps, kinds, listings, seen

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SECRETS = dict(FacebookWorld.secrets)


class Visit(PageVisit[Facebook]):
    """One connector at one page."""

    def __init__(
        self,
        world: FacebookWorld,
        http: EvidenceClient,
        secret: Mapping[str, str] = SECRETS,
        **more: str,
    ) -> None:
        super().__init__(Facebook(http, secret), {"graph": world.address, **more})

    def page(self, **span: datetime | None) -> Page:
        return Page(address="https://www.facebook.com/testtownpolice", options=self.options, **span)


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(SECRETS) as client:
        yield client


@pytest.fixture
def world() -> Iterator[FacebookWorld]:
    with FacebookWorld() as page:
        yield page


@pytest.fixture
def visit(world: FacebookWorld, http: EvidenceClient) -> Visit:
    return Visit(world, http)


# --- what a page shows --------------------------------------------------------------------------------------


def test_a_post_keeps_its_words_its_picture_with_its_description_and_what_was_felt(world, visit):
    name = world.say("Bridge closed & <b>", picture="901", alt="A barrier across the road")

    shown = seen(visit.observe())[name]

    assert (shown.kind, shown.state, shown.private) == (Kind.POST, State.PRESENT, False)
    assert (shown.text, shown.html) == ("Bridge closed & <b>", None)
    assert shown.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert shown.edited_at is None, "updated_time moves with every comment: it is the time of no edit"
    assert shown.author is not None
    assert (shown.author.id, shown.author.name) == (OURS, "Test Town Police")
    assert [(file.id, file.description) for file in shown.attachments] == [
        ("media:901", "A barrier across the road")
    ]
    assert shown.counts == {"comments": 0, "shares": 1, "reactions": 2, "reactions_like": 2}
    assert shown.url == f"https://www.facebook.com/{name}"


def test_the_introduction_comes_first_with_its_words_and_pictures(world, visit):
    (shown,) = visit.observe()[0].observations
    assert (shown.native_id, shown.kind, shown.state) == (OURS, Kind.PROFILE, State.PRESENT)
    assert shown.text == (
        "Test Town Police\n\nThe department's own page.\n\nPosts are subject to public disclosure.\n\n"
        "555-0100\nhttps://town.example/"
    )
    assert [file.id for file in shown.attachments] == ["picture:badge.jpg", "cover:71"]


def test_comments_are_seen_at_any_depth_in_the_order_in_which_they_were_written(world, visit):
    post = world.say("Closed")
    first = world.comment(post, "Until when?")
    ours = world.comment(post, "Until six.", by=OURS, to=first)
    deeper = world.comment(post, "Thanks", by="2002", to=ours)

    batches = visit.observe()

    shown = seen(batches)
    assert [shown[one].kind for one in (first, ours, deeper)] == [Kind.COMMENT, Kind.REPLY, Kind.COMMENT]
    assert [shown[one].in_reply_to for one in (first, ours, deeper)] == [post, first, ours]
    order = [one.native_id for batch in batches for one in batch.observations if one.in_reply_to]
    assert order == [first, ours, deeper]


def test_what_the_page_has_hidden_is_seen_and_marked_as_hidden(world, visit):
    post = world.say("Closed")
    spam = world.comment(post, "Buy cheap pills", hidden=True)
    dull = world.comment(post, "hi", dull=True)
    kept_back = world.say("Draft of a notice", hidden=True)
    unpublished = world.say("Not yet", published=False)

    shown = seen(visit.observe())

    assert [shown[one].state for one in (post, spam, dull)] == [State.PRESENT, State.HIDDEN, State.PRESENT]
    assert (shown[kept_back].state, shown[unpublished].state) == (State.HIDDEN, State.HIDDEN)


def test_each_item_names_its_own_bytes_and_a_comment_stands_inside_its_post(world, visit):
    post = world.say("Closed")
    comment = world.comment(post, "+1")
    (batch,) = (one for one in visit.observe() if post in seen([one]))
    own = {
        name: json.loads(batch.exchanges[span.exchange].body[span.start : span.end])
        for name, one in seen([batch]).items()
        for span in one.evidence
    }
    assert own[comment]["message"] == "+1"
    assert own[post]["comments"]["data"] == [own[comment]]


def test_posts_with_few_comments_cost_no_question_of_their_own_and_long_ones_are_read_to_their_end(
    world, visit
):
    few, many = world.say("Few"), world.say("Many")
    names = [world.comment(few, f"{number}") for number in range(25)]
    assert names[-1] in seen(visit.observe())
    assert asked(world, "/comments?") == 0
    names += [world.comment(many, f"{number}") for number in range(230)]
    batches = visit.observe()
    assert set(names) <= set(seen(batches))
    assert asked(world, "/comments?") == 3
    (listing,) = (one for one in listings(batches) if Kind.COMMENT in one.kinds)
    assert listing.stated_total == 255


def test_posts_of_visitors_and_those_that_name_the_page_are_seen(world, visit):
    theirs = world.say("Who cut the trees?", by="2002", edge="visitor_posts")
    answer = world.comment(theirs, "We do not know.", by=OURS)
    names_us = world.say("With the police today", by="2001", edge="tagged")
    shown = seen(visit.observe())
    writer = shown[theirs].author
    assert writer is not None
    assert writer.id == "2002"
    assert shown[answer].kind is Kind.REPLY
    assert shown[names_us].extra["tagged"] is True
    assert "tagged" not in shown[theirs].extra


def test_the_card_of_a_link_keeps_its_words_and_its_picture_keeps_its_id(world, visit):
    name = world.say("Read this", link="https://town.example/roads")
    before = seen(visit.observe())[name]
    world.night += 1
    after = seen(visit.observe())[name]
    assert before.extra["links"] == [{"url": "https://town.example/roads", "title": "Road report"}]
    assert [file.id for file in before.attachments] == [file.id for file in after.attachments]
    assert [file.url for file in before.attachments] != [file.url for file in after.attachments]


def test_events_albums_videos_and_recommendations_are_records_of_their_own(world, visit):
    event = world.event(
        "Open house",
        start_time="2026-04-01T10:00:00+0000",
        description="All are welcome.",
        place={"name": "Town hall"},
    )
    album = world.event("Flood 2026", "albums", count=12, link="https://www.facebook.com/media/set/1")
    video = world.event("How to report", "videos", source=f"{world.address}/media/v.mp4", length=31.5)
    world.event(
        "Quick to answer",
        "ratings",
        open_graph_story={"id": "9901"},
        recommendation_type="positive",
        reviewer={"id": "2001", "name": "Jo Public"},
    )
    world.event("No id at all", "ratings")

    shown = seen(visit.observe())

    assert (
        shown[f"event:{event}"].text
        == "Open house\n\n2026-04-01T10:00:00+0000\n\nTown hall\n\nAll are welcome."
    )
    assert shown[f"event:{event}"].author == Author(id=OURS)
    assert (shown[f"album:{album}"].counts, shown[f"album:{album}"].text) == ({"items": 12}, "Flood 2026")
    assert [file.id for file in shown[f"video:{video}"].attachments] == [f"media:{video}"]
    told = shown["rating:9901"]
    assert (told.text, told.extra["recommends"]) == ("Quick to answer", "positive")
    assert sum(name.startswith("rating:") for name in shown) == 1


def test_lists_that_are_left_out_are_not_asked_for_and_the_others_are(world, http):
    event, album = world.event("Open house"), world.event("Flood 2026", "albums")
    shown = seen(Visit(world, http, leave_out="albums, ratings").observe())
    assert f"event:{event}" in shown
    assert f"album:{album}" not in shown
    assert asked(world, f"{OURS}/ratings") == 0
    with pytest.raises(ConnectorError, match="published_posts; it may name events"):
        Visit(world, http, leave_out="published_posts").observe()


# --- what only its people see -------------------------------------------------------------------------------


def test_settings_with_the_word_filter_and_blocked_people_are_private_records_of_their_own(world, visit):
    world.settings.append({"setting": "BLOCKED_WORDS", "value": ["pills", "casino"]})
    shown = seen(visit.observe())
    settings, blocked = shown["settings"], shown["blocked"]
    assert settings.text == "BLOCKED_WORDS: pills, casino\nPROFANITY_FILTER: STRONG\nUSERS_CAN_POST: true"
    assert blocked.text == "Kept Away (2999)"
    assert all(one.private and one.kind is Kind.PROFILE for one in (settings, blocked))


def test_messages_are_private_and_bear_who_wrote_them_and_their_files(world, visit):
    asks = world.write("t_1", "Is the office open?")
    says = world.write("t_1", "Until noon.", by=OURS, picture="77")
    shown = seen(visit.observe())
    assert [(shown[one].kind, shown[one].private) for one in (asks, says)] == [(Kind.MESSAGE, True)] * 2
    assert shown[asks].extra["conversation"] == "t_1"
    writer = shown[says].author
    assert writer is not None
    assert writer.id == OURS
    assert [(file.id, file.media_type) for file in shown[says].attachments] == [("file:77", "image/png")]


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


def test_messages_are_left_out_where_the_option_says_so(world, http):
    world.write("t_1", "Is the office open?")
    batches = Visit(world, http, messages="no").observe()
    assert not any(one.kind is Kind.MESSAGE for one in seen(batches).values())
    assert asked(world, "/conversations") == 0


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        ("pages_messaging", "messages"),
        ("pages_manage_metadata", "settings and word filters"),
        ("pages_read_user_content", "posts of visitors"),
    ],
)
def test_a_permission_that_is_lacking_is_a_gap_that_names_it_and_the_rest_is_seen(world, visit, scope, what):
    post = world.say("Closed")
    world.scopes.discard(scope)
    batches = visit.observe()
    assert scope in gaps(batches)[what]
    assert post in seen(batches)


def test_a_permission_whose_loss_facebook_passes_over_in_silence_keeps_everything_from_being_listed(
    world, visit
):
    post = world.say("Closed")
    comment = world.comment(post, "+1")
    assert Kind.COMMENT in kinds(visit.observe())
    world.scopes.discard("pages_read_user_content")
    batches = visit.observe()
    assert post in seen(batches)
    assert comment not in seen(batches)
    assert listings(batches) == []
    assert "pages_read_user_content" in gaps(batches)["posts and comments of visitors"]


def test_where_comments_are_not_told_inside_their_post_they_are_asked_for(world, visit):
    post = world.say("Closed")
    comment = world.comment(post, "+1")
    world.nests = False
    batches = visit.observe()
    assert comment in seen(batches)
    assert Kind.COMMENT in kinds(batches)


def test_without_the_permission_for_posts_the_page_is_to_be_connected_again(world, visit):
    world.say("Closed")
    world.scopes.discard("pages_read_engagement")
    with pytest.raises(AccessRevoked, match="pages_read_engagement"):
        visit.observe()


# --- tokens and secrets -------------------------------------------------------------------------------------


def test_a_system_users_token_is_used_to_ask_for_the_pages_own_and_for_nothing_else(world, visit):
    world.say("Closed")
    visit.observe()
    assert world.tokens[0] == world.user_token
    assert set(world.tokens[1:]) == {world.page_token}


def test_the_pages_own_token_serves_as_well(world):
    post = world.say("Closed")
    secret = SECRETS | {"access_token": world.page_token}
    with evidence_client(secret) as http:
        assert post in seen(Visit(world, http, secret).observe())
    assert set(world.tokens) == {world.page_token}


def test_tokens_in_links_and_proofs_in_addresses_are_replaced_and_the_replacement_is_recorded(world, visit):
    world.cuts_at = 1
    for number in range(3):
        world.say(f"{number}")
    batches = visit.observe()
    exchanges = [exchange for batch in batches for exchange in batch.exchanges]
    leading = [one for one in exchanges if b'"next"' in one.body]
    assert leading, "no list led on"
    for one in exchanges:
        told = repr(one).encode() + one.body
        assert not any(secret.encode() in told for secret in (world.user_token, world.page_token))
        assert world.app_secret.encode() not in told
        assert "appsecret_proof=[[secret:appsecret_proof]]" in one.url
    wheres = {replaced.where for one in leading for replaced in one.replaced}
    assert {"response.body", "request.url", "request.header:Authorization"} <= wheres
    proofs = {graph.proof(token, world.app_secret) for token in (world.user_token, world.page_token)}
    assert not any(proof.encode() in one.body for proof in proofs for one in exchanges)


def test_an_application_that_wants_its_secret_proven_is_shown_the_proof(world, http):
    post = world.say("Closed")
    world.wants_proof = True
    assert post in seen(Visit(world, http).observe())
    with pytest.raises(AccessRevoked, match="App settings"):
        Visit(world, http, {"access_token": world.user_token}).observe()


def test_a_token_that_is_renewed_while_a_pass_lasts_is_used_at_once(world):
    secret = SECRETS | {"access_token": "EAAG-that-has-run-out"}
    with evidence_client(secret) as http:
        visit = Visit(world, http, secret)
        with pytest.raises(AccessRevoked):
            visit.observe()
        secret["access_token"] = world.user_token
        assert visit.observe()


def test_a_page_that_is_not_connected_says_so(world, http):
    with pytest.raises(AccessRevoked, match="not connected"):
        Visit(world, http, {}).observe()


def test_a_token_is_not_sent_in_clear(http):
    page = Page(address="testtownpolice", options={"graph": "http://graph.facebook.com"})
    with pytest.raises(AddressRefused, match="TLS"):
        list(Facebook(http, SECRETS).observe(page, None))


# --- lists --------------------------------------------------------------------------------------------------


def test_a_finished_pass_says_that_it_saw_everything(world, visit):
    world.comment(world.say("Closed"), "+1")
    batches = visit.observe()
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    assert all(set(one.states) == {State.PRESENT, State.HIDDEN} for one in listings(batches))
    assert gaps(batches) == {}


def test_comments_that_are_counted_and_not_listed_are_said_in_numbers_and_are_no_gap(world, visit):
    world.counts_more = 3
    post = world.say("Closed")
    world.comment(post, "+1")
    batches = visit.observe()
    (listing,) = (one for one in listings(batches) if Kind.COMMENT in one.kinds)
    assert (listing.stated_total, seen(batches)[post].counts["comments"]) == (4, 4)
    assert sum(one.kind is Kind.COMMENT for one in seen(batches).values()) == 1
    assert gaps(batches) == {}


def test_a_page_on_which_nothing_stands_yet_is_a_complete_pass(visit):
    assert kinds(visit.observe()) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_an_empty_answer_with_a_next_link_is_no_end(world, visit):
    world.cuts_at = 1
    first, last = world.say("First"), world.say("Last")
    link = f"https://graph.facebook.com/v26.0/{OURS}/published_posts?until=1772352600&__paging_token=enc_A&limit=1"
    empty = spoken({"data": [], "paging": {"next": link + "&access_token=EAAG-some-token"}})
    once = iter([(200, dict(JSON), empty)])

    def troubled(path: str) -> Any:
        return next(once, None) if path.endswith("published_posts") else None

    world.trouble = troubled
    assert {first, last} <= set(seen(visit.observe()))
    (following,) = (one for one in world.asked if "__paging_token=enc_A" in one)
    assert "until=1772352600" in following
    assert "EAAG" not in following


def test_a_list_that_leads_to_where_it_led_before_is_unexpected(world, visit):
    world.cuts_at = 1
    post = world.say("Closed")
    for number in range(3):
        world.comment(post, f"{number}")
    world.loops = True
    with pytest.raises(UnexpectedResponse, match="no end"):
        visit.observe()


@pytest.mark.parametrize("edge", ["published_posts", "comments", "messages"])
def test_a_cursor_that_facebook_has_forgotten_begins_its_list_anew(world, http, edge):
    world.cuts_at = 1
    posts = {world.say(f"{number}") for number in range(3)}
    comments = {world.comment(min(posts), f"{number}") for number in range(4)}
    messages = {world.write("t_1", f"{number}") for number in range(3)}
    wanted = {"published_posts": posts, "comments": comments, "messages": messages}[edge]
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


def test_years_of_which_posts_may_be_left_out_are_gaps_and_are_not_listed(world, visit, monkeypatch):
    monkeypatch.setattr(walking, "_RANKED", 3)
    world.say("In 2026")
    world.tick(days=400)
    for number in range(3):
        world.say(f"In 2027: {number}")
    batches = visit.observe()
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert "2027" in gap.why
    assert gap.since == datetime(2027, 1, 1, tzinfo=UTC)
    spans = [(one.published_from, one.published_until) for one in listings(batches)]
    assert spans == [
        (None, datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (datetime(2028, 1, 1, tzinfo=UTC), None),
    ]
    assert kinds(batches) == {Kind.POST}, "below posts that were not shown there may be comments"


def test_a_list_that_is_refused_and_gave_something_before_keeps_posts_from_being_listed(world, visit):
    world.say("Closed")
    world.event("Open house")
    first = visit.observe()
    world.shut["events"] = Refused(10, "(#10) This endpoint requires the 'pages_read_engagement' permission")
    refused = visit.observe(first[-1].resume_from)
    assert Kind.POST not in kinds(refused)
    assert "events" in gaps(refused)


def test_a_list_that_was_never_given_hides_nothing_that_we_hold(world, visit):
    world.say("Closed")
    world.shut["events"] = Refused(10, "(#10) This endpoint requires a permission")
    first = visit.observe()
    assert Kind.POST not in kinds(first), "an earlier pass of another kind may have been given it"
    assert Kind.POST in kinds(visit.observe(first[-1].resume_from))


@pytest.mark.parametrize("code", [100, 2500])
def test_a_list_that_the_interface_does_not_have_is_no_gap_and_a_check_says_so(world, visit, code):
    world.say("Closed")
    says = f"(#{code}) Tried accessing nonexisting field (settings) on node type (Page)"
    for edge in ("settings", "events"):
        world.shut[edge] = Refused(code, says)
    batches = visit.observe()
    assert gaps(batches) == {}
    assert Kind.POST in kinds(batches)
    assert "settings" not in seen(batches)
    assert "by hand" in visit.check()["settings and word filters"]


def test_where_it_is_too_much_at_once_facebook_is_asked_for_less(world, visit):
    world.gathers = 6
    posts = [world.say(f"{number}") for number in range(9)]
    comments = [world.comment(posts[0], f"{number}") for number in range(30)]
    assert {*posts, *comments} <= set(seen(visit.observe()))
    world.gathers = 0
    with pytest.raises(TryAgainLater, match="even one"):
        visit.observe()


def test_a_field_that_this_version_does_not_have_is_a_gap_and_the_rest_is_read(world, visit):
    post = world.say("Closed")
    world.unknown_fields = {"general_info", "via"}
    batches = visit.observe()
    assert {"the field general_info of testtownpolice", f"the field via of {OURS}/published_posts"} <= set(
        gaps(batches)
    )
    assert seen(batches)[post].text == "Closed"


def test_a_version_that_has_ended_is_noticed_by_the_version_that_answers(world, visit):
    world.say("Closed")
    world.version = "v28.0"
    (why,) = gaps(visit.observe()).values()
    assert "v28.0" in why


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


def test_pictures_that_facebook_does_not_give_leave_the_others_their_descriptions(world, visit):
    names = [world.say("One", picture=str(900 + n), alt=f"Picture {n}") for n in range(4)]
    world.shut["902"] = Refused(100, "")
    shown = seen(visit.observe())
    described = [shown[name].attachments[0].description for name in names]
    assert described == ["Picture 0", "Picture 1", None, "Picture 3"]


# --- spans of time ------------------------------------------------------------------------------------------


@pytest.fixture
def years(world: FacebookWorld) -> list[str]:
    """Posts forty days apart, with a comment each."""
    names = []
    for number in range(12):
        world.tick(days=40)
        names.append(world.say(f"Notice {number}"))
        world.comment(names[-1], "Seen")
    return names


@pytest.mark.parametrize("keeps", [True, False])
def test_a_pass_over_a_span_lists_that_span_and_what_answers_its_posts(world, http, years, keeps):
    world.keeps_to_spans = keeps
    begins = world.items[years[-2]].created
    visit = Visit(world, http, page_size="2")
    batches = visit.observe(published_from=begins)
    shown = set(seen(batches))
    assert set(years[-2:]) <= shown
    assert years[0] not in shown
    (posts,) = (one for one in listings(batches) if Kind.POST in one.kinds)
    assert (posts.published_from, posts.published_until) == (begins, None)
    below = {one.in_reply_to for one in listings(batches)} - {None}
    assert set(years[-2:]) <= below


def test_an_older_post_that_is_answered_within_the_span_is_read_to_its_end(world, http):
    old = world.say("Closed")
    for number in range(30):
        world.comment(old, f"{number}")
    world.tick(days=10)
    quiet = world.say("Quiet")
    for number in range(30):
        world.comment(quiet, f"{number}")
    world.tick(days=10)
    begins = world.tick()
    new = world.comment(old, "Still?")
    visit = Visit(world, http)
    batches = visit.observe(published_from=begins)
    assert new in seen(batches)
    listed = {one.in_reply_to for one in listings(batches)}
    assert old in listed
    assert quiet not in listed, "what nobody answered since is not read again"
    less = Visit(world, http, answered_within="5").observe(published_from=begins)
    assert new not in seen(less)


def test_conversations_that_were_silent_since_the_span_began_are_not_read(world, visit):
    world.write("t_1", "Long ago")
    begins = world.tick(days=3)
    new = world.write("t_2", "Just now")
    shown = seen(visit.observe(published_from=begins))
    assert [name for name, one in shown.items() if one.kind is Kind.MESSAGE] == [new]
    assert asked(world, "t_1/messages") == 0


@pytest.mark.parametrize("written", ["0", "101", "many"])
def test_an_option_that_is_no_number_is_refused(world, http, written):
    with pytest.raises(ConnectorError, match="page_size"):
        Visit(world, http, page_size=written).observe()


# --- how single items stand ---------------------------------------------------------------------------------


def test_gone_is_what_facebook_does_not_know_while_it_shows_the_pages_other_posts(world, visit):
    post = world.say("Closed")
    comment, other = world.comment(post, "+1"), world.comment(post, "+2")
    world.hide(other)
    world.delete(comment)
    told = visit.look(comment, other, post)
    assert [told[one].state for one in (comment, other, post)] == [
        State.GONE,
        State.HIDDEN,
        State.PRESENT,
    ]
    assert told[comment].reason.startswith("400 code 100 subcode 33")


def test_the_same_answer_proves_nothing_where_the_pages_other_posts_are_not_shown_either(world, visit):
    comment = world.comment(world.say("Closed"), "+1")
    world.shut["feed"] = Refused(10, "(#10) requires the 'pages_read_engagement' permission", status=403)
    world.delete(comment)
    assert visit.look(comment)[comment].state is State.UNKNOWN
    del world.shut["feed"]
    world.items.clear()
    assert visit.look(comment)[comment].state is State.UNKNOWN


def test_what_visitors_write_is_not_gone_where_the_token_may_not_read_it_any_more(world, visit):
    post = world.say("Closed")
    comment = world.comment(post, "+1")
    ours = world.comment(post, "Thanks", by=OURS)
    world.scopes.discard("pages_read_user_content")
    told = visit.look(comment, ours)
    assert (told[comment].state, told[ours].state) == (State.UNKNOWN, State.PRESENT)
    assert "400 code 100 subcode 33" in told[comment].reason


@pytest.mark.parametrize("code", [3, 10, 200, 210, 299])
def test_a_permission_that_is_lacking_never_proves_a_removal(world, visit, code):
    comment = world.comment(world.say("Closed"), "+1")
    world.shut[comment] = Refused(code, f"(#{code}) Permissions error", status=403)
    told = visit.look(comment)[comment]
    assert (told.state, told.reason) == (State.UNKNOWN, f"403 code {code}")


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (Refused(4, "(#4) Application request limit reached"), TryAgainLater),
        (Refused(190, "Error validating access token", 463, 401), AccessRevoked),
        (Refused(368, "The action attempted has been deemed abusive"), AccessRevoked),
    ],
)
def test_a_throttle_and_a_dead_token_prove_no_removal(world, visit, refused, error):
    comment = world.comment(world.say("Closed"), "+1")
    world.shut[comment] = refused
    with pytest.raises(error):
        visit.look(comment)


def test_an_item_at_which_the_platform_fails_is_unknown(world, visit):
    comment = world.comment(world.say("Closed"), "+1")
    world.shut[comment] = Refused(2, "Service temporarily unavailable", status=503)
    told = visit.look(comment)[comment]
    assert told.state is State.UNKNOWN
    assert "503" in told.reason


def test_lists_of_the_page_and_recommendations_cannot_be_asked_for_by_id(world, visit):
    assert visit.look("settings", "blocked", "rating:9901", "somewhere:else", kind=Kind.PROFILE) == {}
    event = world.event("Open house")
    assert visit.look(f"event:{event}")[f"event:{event}"].state is State.PRESENT
    assert visit.look(OURS, kind=Kind.PROFILE)[OURS].state is State.PRESENT


def test_a_family_is_one_post_with_all_its_comments_and_a_listing_for_each(world, visit):
    world.say("Another")
    post = world.say("Closed")
    first = world.comment(post, "Until when?")
    answer = world.comment(post, "Until six.", by=OURS, to=first)
    batches = visit.family(post)
    assert set(seen(batches)) == {post, first, answer}
    assert {one.in_reply_to for one in listings(batches)} == {post, first, answer}
    assert seen(batches)[post].counts["comments"] == 2


def test_a_family_of_others_that_names_the_page_is_that_post_alone_as_a_pass_tells_it(world, visit):
    names_us = world.say("With the police today", by="2001", edge="tagged")
    world.comment(names_us, "Among strangers", by="2002")
    told = seen(visit.observe())[names_us]
    batches = visit.family(names_us)
    again = seen(batches)
    assert set(again) == {names_us}
    assert (again[names_us].extra, again[names_us].counts) == (told.extra, told.counts)
    assert list(listings(batches)) == []


def test_a_family_whose_post_is_gone_is_told_so_and_lists_nothing(world, visit):
    world.say("Another")
    post = world.say("Closed")
    world.delete(post)
    batches = visit.family(post)
    assert [one.state for batch in batches for one in batch.sightings] == [State.GONE]
    assert listings(batches) == []


# --- limits -------------------------------------------------------------------------------------------------


def test_nothing_more_is_asked_when_a_limit_is_nearly_used_up(world, visit):
    world.say("Closed")
    told = {"type": "pages", "call_count": 96, "total_time": 3, "estimated_time_to_regain_access": 7}
    world.usage = {"X-Business-Use-Case-Usage": {OURS: [told]}}
    with pytest.raises(TryAgainLater, match="96 percent") as stopped:
        visit.observe()
    assert stopped.value.after == timedelta(minutes=7)
    assert len(world.asked) == 1
    world.usage = {"X-App-Usage": {"call_count": 94, "total_time": 20, "total_cputime": 0}}
    assert visit.observe()


def test_a_throttle_says_when_in_facebooks_own_header(world, visit):
    told = {"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 19}
    world.usage = {"X-Business-Use-Case-Usage": {OURS: [told]}}
    world.shut["published_posts"] = Refused(
        80001, "(#80001) There have been too many calls to this Page account"
    )
    with pytest.raises(TryAgainLater) as throttled:
        list(visit.connector.look(visit.page(), [(Kind.POST, "published_posts")]))
    assert throttled.value.after == timedelta(minutes=19)


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("https://www.facebook.com/town.police", "town.police"),
        ("facebook.com/town.police/", "town.police"),
        ("https://m.facebook.com/town.police?ref=page", "town.police"),
        ("https://fb.com/town.police", "town.police"),
        ("https://www.facebook.com/profile.php?id=100064000000001", "100064000000001"),
        ("https://www.facebook.com/people/Town-Police/100064000000001/", "100064000000001"),
        ("https://www.facebook.com/pages/Town-Police/100064000000001", "100064000000001"),
        ("https://www.facebook.com/pg/town.police/posts", "town.police"),
        ("https://www.facebook.com/Town-Police-100064000000001", "100064000000001"),
        ("https://www.facebook.com/town.police/posts/123", "town.police"),
        ("@town.police", "town.police"),
        ("100064000000001", "100064000000001"),
    ],
)
def test_a_page_is_found_however_its_address_is_written(written, name):
    assert address.read(written) == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        "https://town.example/police",
        "https://facebook.com.evil.example/town",
        "https://www.facebook.com/groups/1",
        "https://www.facebook.com/profile.php?id=x",
        "https://www.facebook.com/",
        "facebook.com",
        "https://[",
        "two words",
    ],
)
def test_what_names_no_page_is_refused_with_an_example(world, http, written):
    page = Page(address=written, options={"graph": world.address})
    with pytest.raises(NoSuchPage, match="Give its address"):
        list(Facebook(http, SECRETS).observe(page, None))


def test_a_page_that_facebook_does_not_show_is_not_there_and_nothing_is_gone(world, visit):
    post = world.say("Closed")
    batches = visit.observe()
    world.trouble = lambda _: (400, dict(JSON), world.error(Refused(100, "Unsupported get request", 33)))
    with pytest.raises(NoSuchPage, match="role"):
        visit.observe(batches[-1].resume_from)
    with pytest.raises(NoSuchPage):
        visit.look(post)


def test_a_page_that_was_merged_into_another_is_told_with_the_other_s_number_and_nothing_is_gone(
    world, visit
):
    post = world.say("Closed")
    batches = visit.observe()
    says = f"(#21) Page ID {OURS} was migrated to page ID 100064000000777.  Please update your API calls to the new ID"
    world.trouble = lambda _: (400, dict(JSON), world.error(Refused(21, says)))
    with pytest.raises(NoSuchPage, match="100064000000777 as a page of its own"):
        visit.observe(batches[-1].resume_from)
    world.trouble = lambda path: (
        (400, dict(JSON), world.error(Refused(21, says))) if path.endswith(post) else None
    )
    assert visit.look(post)[post].state is State.UNKNOWN


# --- checks -------------------------------------------------------------------------------------------------


def test_a_check_finds_all_well(world, visit):
    world.comment(world.say("Closed"), "+1")
    found = list(visit.connector.check(visit.page()))
    assert len(found) > 15
    assert [one.what for one in found if not one.fine] == []


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        (lambda w: w.scopes.discard("pages_messaging"), "private messages: pages_messaging", "Generate one"),
        (lambda w: w.scopes.discard("pages_messaging"), "messages", "pages_messaging"),
        (lambda w: setattr(w, "names_writers", False), "who wrote comments", "Advanced Access"),
        (lambda w: setattr(w, "may_moderate", False), "the task Moderate on the page", "Community activity"),
        (lambda w: setattr(w, "version", "v28.0"), "version v26.0 of the interface", "v28.0"),
        (
            lambda w: setattr(w, "expires_at", int(NOW.timestamp()) + 86_400),
            "token (system_user), until 2026-06-02",
            "system user",
        ),
        (lambda w: setattr(w, "dead", 460), "page and token", "password"),
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
        spoken({"data": [{"message": "without an id"}] * 3}),
        spoken({"data": [{"id": [5]}] * 3}),
        spoken({"items": []}),
        spoken([]),
        SIGN_IN,
        b"",
    ],
)
def test_an_answer_of_another_shape_is_unexpected(world, visit, body):
    world.say("Closed")
    world.trouble = lambda path: (200, dict(HTML), body) if path.endswith("published_posts") else None
    with pytest.raises(UnexpectedResponse):
        visit.observe()


def test_a_refusal_that_is_not_facebooks_own_is_unexpected(world, visit):
    world.trouble = lambda _: (403, dict(HTML), b"<html>The gateway says no</html>")
    with pytest.raises(UnexpectedResponse, match="not Meta's own"):
        visit.observe()


def test_a_compressed_answer_is_read_and_each_item_owns_the_whole_of_it(world, visit):
    post = world.say("Closed")
    world.compresses = True
    (batch,) = (one for one in visit.observe() if post in seen([one]))
    (span,) = seen([batch])[post].evidence
    assert (span.start, span.end) == (0, len(batch.exchanges[span.exchange].body))


@pytest.mark.parametrize(
    ("written_by", "author"),
    [
        (b'{"name":"Jo"}', Author(name="Jo")),
        (b'{"id":null,"name":"Jo"}', Author(name="Jo")),
        (b'{"id":"7"}', Author(id="7")),
        (b"{}", None),
        (b"null", None),
    ],
)
def test_whoever_wrote_a_comment_is_told_as_far_as_facebook_tells(written_by: bytes, author: Author | None):
    body = b'{"data":[{"id":"9_1","from":%b,"message":"+1","parent":null}]}' % written_by
    (one,) = graph.many(body, 0, shapes.Comment).items
    found = parse.comment(one, "9_500", OURS)
    assert (found.author, found.kind, found.in_reply_to) == (author, Kind.COMMENT, "9_500")


def test_a_post_whose_comments_are_null_tells_nothing_of_them():
    body = b'{"data":[{"id":"9_500","message":"Closed","comments":null}]}'
    (one,) = graph.many(body, 0, shapes.Post).items
    assert parse.comments_within(body, one) is None


def test_half_an_emoji_and_unknown_keys_are_read():
    body = b'{"data":[{"id":"1_2","message":"half \\ud83d","created_time":"2026-03-01T08:00:00+0000","new":{"key":1}}]}'
    (one,) = graph.many(body, 0, shapes.Comment).items
    assert parse.comment(one, "9_1", OURS).text == "half \ufffd"


def test_a_comment_without_its_writer_is_a_comment_by_nobody_that_we_know(world, visit):
    world.names_writers = False
    comment = world.comment(world.say("Closed"), "+1")
    shown = seen(visit.observe())[comment]
    assert (shown.author, shown.kind) == (None, Kind.COMMENT)


def test_a_page_of_a_hundred_comments_is_read_whole():
    rows = many_comments(100, "Is the bridge open again, and until when?")
    body = spoken({"data": rows, "paging": {"cursors": {"after": "A"}}})
    found = graph.many(body, 0, shapes.Comment)
    assert len([parse.comment(item, "9_500", OURS) for item in found.items]) == 100


# --- answers that nobody promised ---------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["http://[bad", 5, None, {}])
def test_a_picture_whose_address_is_none_takes_nothing_else_from_the_introduction(address):
    told = {"id": OURS, "name": "Police", "picture": {"data": {"url": address}}, "about": "Ours."}
    shown = parse.page(graph.one(spoken(told), 0, shapes.Page))
    assert shown.text == "Police\n\nOurs."
    assert [file.url for file in shown.attachments] == ([address] if isinstance(address, str) else [])


def test_an_event_or_a_comment_with_an_address_that_is_none_is_kept_with_it():
    event = {"id": "5", "name": "Open house", "link": "http://[bad"}
    shown = parse.thing(graph.one(spoken(event), 0, shapes.Thing), "events", OURS)
    assert shown is not None
    assert shown.url == "http://[bad"
    comment = {"id": "1_2", "message": "+1", "attachment": {"media": {"image": {"src": "https://a\u2100b/"}}}}
    (file,) = parse.comment(graph.one(spoken(comment), 0, shapes.Comment), "9_1", OURS).attachments
    assert file.url == "https://a\u2100b/"


def test_what_a_file_of_a_message_is_called_is_told_where_it_is_a_text():
    one = {"id": "77", "mime_type": 5, "name": ["map"], "file_url": "https://x.example/a.png"}
    told = {"id": "m_1", "message": "Look", "attachments": {"data": [one]}}
    observed = parse.message(graph.one(spoken(told), 0, shapes.Message), "t_1")
    assert observed is not None
    assert [(file.media_type, file.description) for file in observed.attachments] == [(None, None)]


@pytest.mark.parametrize(
    ("code", "error"), [(4, TryAgainLater), (2, TryAgainLater), (190, AccessRevoked), (200, AccessRevoked)]
)
@pytest.mark.parametrize("beside", [{}, {"data": []}, {"data": [{"id": "1_2"}]}])
def test_a_refusal_with_a_good_status_is_a_refusal_also_where_a_part_is_told_beside_it(
    world, visit, code, error, beside
):
    world.say("Closed")
    told = {**json.loads(world.error(Refused(code, "Refused", 0))), **beside}
    world.trouble = lambda path: (200, dict(JSON), spoken(told)) if path.endswith("published_posts") else None
    assert isinstance(visit.fails(), error)


def test_words_that_speak_of_an_error_are_no_refusal(world, visit):
    name = world.say('{"error": {"code": 190}}')
    assert seen(visit.observe())[name].text == '{"error": {"code": 190}}'


@pytest.mark.parametrize("strange", [5, {"items": []}, {"data": [{"message": "without an id"}]}])
def test_comments_that_cannot_be_read_inside_their_post_are_asked_for_by_themselves(world, visit, strange):
    broken, other = world.say("Bridge closed"), world.say("Open house")
    first, second = world.comment(broken, "Until when?"), world.comment(other, "When?")

    def nested(path: str) -> Any:
        if not path.endswith("published_posts"):
            return None
        world.trouble = None
        _, headers, body = world.answer(world.asked.pop(), f"Bearer {world.page_token}")
        told = json.loads(body)
        for post in told["data"]:
            if post["id"] == broken:
                post["comments"] = strange
        world.trouble = nested
        return 200, headers, spoken(told)

    world.trouble = nested
    batches = visit.observe()
    assert {first, second} <= set(seen(batches))
    assert not gaps(batches)
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


@pytest.mark.parametrize("code", [1, 2])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_a_post_at_which_graph_fails_for_a_moment_that_never_ends_is_a_gap_whatever_the_status(
    world, visit, code, status
):
    world.nests = False
    oldest, broken, newest = (world.say(words) for words in ("Bridge closed", "Open house", "Flood"))
    behind = {world.comment(oldest, "Still?"), world.comment(newest, "Where?")}
    world.comment(broken, "Me too")
    body = world.error(Refused(code, "An unknown error occurred"))
    world.trouble = lambda path: (status, dict(JSON), body) if f"{broken}/comments" in path else None
    batches = visit.observe()
    assert behind <= set(seen(batches))
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [broken]
    assert kinds(batches) == {Kind.POST}


@pytest.mark.parametrize("status", [200, 400, 500])
def test_how_an_item_stands_at_which_graph_fails_is_unknown_whatever_the_status(world, visit, status):
    post = world.say("Closed")
    first, second = world.comment(post, "+1"), world.comment(post, "+2")
    body = world.error(Refused(2, "Service temporarily unavailable"))
    world.trouble = lambda path: (status, dict(JSON), body) if path.endswith(f"/{first}") else None
    told = visit.look(first, second)
    assert (told[first].state, told[second].state) == (State.UNKNOWN, State.PRESENT)


@pytest.mark.parametrize("shows", [[], [{"id": "1_2", "message": "again"}]])
def test_a_list_that_leads_on_for_ever_and_shows_nothing_new_has_no_end(world, visit, shows):
    world.nests = False
    busy, other = world.say("Bridge closed"), world.say("Open house")
    told = world.comment(other, "When?")
    ways = iter(range(1_000_000))

    def endless(path: str) -> Any:
        if not path.endswith(f"{busy}/comments"):
            return None
        number = next(ways)
        assert number < 500, "it is asked on and on"
        paging = {"cursors": {"after": f"A{number}"}, "next": f"https://graph.facebook.com/?after=A{number}"}
        return 200, dict(JSON), spoken({"data": shows, "paging": paging})

    world.trouble = endless
    batches = visit.observe()
    assert told in seen(batches)
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id == busy
    assert "no end" in gap.why
    assert kinds(batches) == {Kind.POST}


def test_a_list_whose_cursor_is_forgotten_on_the_way_is_read_from_its_beginning_to_its_end(
    world, visit, monkeypatch
):
    monkeypatch.setattr(graph, "_MOST_BARREN", 7)
    world.cuts_at = 1
    names = {world.say(f"Notice {number}") for number in range(8)}
    once = iter([(400, dict(JSON), world.error(Refused(100, "(#100) Invalid cursors values")))])

    def forgets(path: str) -> Any:
        led_on = sum("published_posts" in one and "after=" in one for one in world.asked)
        return next(once, None) if path.endswith("published_posts") and led_on == 6 else None

    world.trouble = forgets
    batches = visit.observe()
    assert names <= set(seen(batches))
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_list_that_forgets_every_cursor_has_no_end(world, visit):
    world.cuts_at = 1
    for number in range(3):
        world.say(f"Notice {number}")
    world.forgets_cursors = True
    assert isinstance(visit.fails(), UnexpectedResponse)


@pytest.mark.parametrize(
    "edge", ["settings", "blocked", "conversations", "events", "tagged", "visitor_posts"]
)
@pytest.mark.parametrize("unread", [False, True])
def test_a_list_besides_the_pages_own_posts_at_which_facebook_fails_for_ever_keeps_none_of_them_back(
    world, visit, edge, unread
):
    post = world.say("Bridge closed")
    comment = world.comment(post, "Until when?")
    answer = (200, dict(HTML), b"<html>?</html>") if unread else (500, dict(HTML), b"<html>?</html>")
    world.trouble = lambda path: answer if path.endswith(f"/{edge}") else None
    batches = visit.observe()
    assert {post, comment} <= set(seen(batches))
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id is None
    if edge in {"settings", "blocked", "conversations"}:
        assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    else:
        assert Kind.POST not in kinds(batches), "what may stand there is not told to be missing"


def test_a_list_that_fails_once_is_read_at_the_end_of_the_same_pass(world, visit):
    world.say("Bridge closed")
    event = world.event("Open house")
    once = iter([(500, dict(HTML), b"<html>?</html>")])
    world.trouble = lambda path: next(once, None) if path.endswith("/events") else None
    batches = visit.observe()
    assert f"event:{event}" in seen(batches)
    assert not gaps(batches)
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_permission_that_is_lost_while_the_page_is_read_keeps_what_visitors_wrote_from_being_listed(
    world, visit
):
    world.say("Bridge closed")
    comment = world.comment(world.say("Open house"), "When?")

    def lost(path: str) -> None:
        if path.endswith("published_posts"):
            world.scopes.discard("pages_read_user_content")

    world.before = lost
    batches = visit.observe()
    assert comment not in seen(batches)
    assert listings(batches) == []
    assert "posts and comments of visitors" in gaps(batches)


def test_a_family_whose_comments_are_refused_says_what_is_lacking(world, visit):
    post = world.say("Bridge closed")
    world.comment(post, "Until when?")
    world.shut["comments"] = Refused(10, "This requires the 'pages_read_user_content' permission", status=403)
    batches = visit.family(post)
    assert "pages_read_user_content" in gaps(batches)["comments"]
    assert listings(batches) == []


def test_recommendations_without_a_number_are_a_gap(world, visit):
    world.say("Bridge closed")
    world.event("Friendly people", edge="ratings")
    assert "number" in gaps(visit.observe())["recommendations"]


# --- one odd item among others ----------------------------------------------------------------------------------

ODD: list[object] = [None, {}, {"id": None}, {"strange": [[]]}, 5]


def odd(world: FacebookWorld, edge: str, name: str, strange: object) -> None:
    """What is called so is told as something strange wherever it stands in lists of this name."""
    tells_otherwise(world, world.page_token, edge, among(name, strange))


@pytest.mark.parametrize("strange", ODD)
@pytest.mark.parametrize("edge", ["published_posts", "visitor_posts", "tagged"])
def test_a_post_that_cannot_be_read_keeps_neither_those_beside_it_nor_the_pass_and_no_post_is_listed(
    world, visit, edge, strange
):
    by = OURS if edge == "published_posts" else "2001"
    before, broken, after = (world.say(words, by=by, edge=edge) for words in ("One", "Two", "Three"))
    answer = world.comment(world.say("Bridge closed"), "Until when?")
    assert kinds(visit.observe()) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    odd(world, edge, broken, strange)
    batches = visit.observe()
    assert {before, after, answer} <= set(seen(batches))
    assert broken not in seen(batches)
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id is None
    assert edge in gap.why
    assert gap.why.endswith(AGAIN)
    assert listings(batches) == []
    world.trouble = None
    later = visit.observe(batches[-1].resume_from)
    assert broken in seen(later), "the next pass reads it"
    assert Kind.POST in kinds(later)


def test_a_post_that_is_known_by_its_id_and_no_more_is_a_gap_that_names_it(world, visit):
    broken = world.say("Bridge closed")
    world.say("Open house")
    odd(world, "published_posts", broken, {"id": broken, "message": ["Bridge"]})
    (gap,) = (one for batch in visit.observe() for one in batch.gaps)
    assert gap.native_id == broken


def test_a_post_whose_id_is_a_number_in_figures_and_whose_counts_are_none_is_read(world, visit):
    name = world.say("Bridge closed")
    told = {"id": 5500, "message": "Bridge closed", "shares": [], "from": {"id": int(OURS), "name": 5}}
    odd(world, "published_posts", name, told)
    batches = visit.observe()
    assert (seen(batches)["5500"].text, seen(batches)["5500"].author) == ("Bridge closed", Author(id=OURS))
    assert not gaps(batches)
    assert Kind.POST in kinds(batches)


@pytest.mark.parametrize("edge", ["events", "albums", "ratings"])
@pytest.mark.parametrize("strange", ODD)
def test_an_event_that_cannot_be_read_keeps_posts_from_being_listed_and_the_others_are_seen(
    world, visit, edge, strange
):
    world.say("Bridge closed")
    world.event("Open house", edge, open_graph_story={"id": "9901"}, id="9901")
    world.event("Parade", edge, open_graph_story={"id": "9902"}, id="9902")
    kind = {"events": "event", "albums": "album", "ratings": "rating"}[edge]
    assert {f"{kind}:9901", f"{kind}:9902"} <= set(seen(visit.observe()))

    def change(told: Any) -> None:
        told["data"] = [strange, *told["data"][1:]]

    tells_otherwise(world, world.page_token, edge, change)
    batches = visit.observe()
    assert sum(name.startswith(f"{kind}:") for name in seen(batches)) == 1
    assert len([one for batch in batches for one in batch.gaps]) == 1
    assert listings(batches) == []


@pytest.mark.parametrize("strange", ODD)
def test_a_comment_that_cannot_be_read_leaves_its_own_post_alone_unlisted(world, visit, strange):
    world.cuts_at = 3
    post, other = world.say("Bridge closed"), world.say("Open house")
    comments = [world.comment(post, f"{number}") for number in range(8)]
    elsewhere = world.comment(other, "When?")
    odd(world, "comments", comments[4], strange)
    batches = visit.observe()
    assert {post, other, elsewhere, *comments} - set(seen(batches)) == {comments[4]}
    assert kinds(batches) == {Kind.POST}, "what answers posts is not promised, and the posts are"
    again = visit.observe(batches[-1].resume_from)
    assert {one.in_reply_to for one in listings(again) if one.in_reply_to} == {other, elsewhere}


@pytest.mark.parametrize("since", range(20))
def test_a_comment_that_cannot_be_read_leaves_its_post_unlisted_also_where_the_pass_is_resumed(
    world, visit, since
):
    world.cuts_at = 3
    post = world.say("Bridge closed")
    comments = [world.comment(post, f"{number}") for number in range(12)]
    odd(world, "comments", comments[4], None)
    batches = visit.observe(visit.observe()[-1].resume_from)
    resumed = visit.observe(batches[min(since, len(batches) - 2)].resume_from)
    assert post not in {one.in_reply_to for one in listings(resumed)}


def test_a_family_of_which_a_comment_cannot_be_read_lists_nothing(world, visit):
    world.cuts_at = 3
    post = world.say("Bridge closed")
    comments = [world.comment(post, f"{number}") for number in range(8)]
    assert post in {one.in_reply_to for one in listings(visit.family(post))}
    odd(world, "comments", comments[1], None)
    batches = visit.family(post)
    assert {post, *comments} - set(seen(batches)) == {comments[1]}
    assert listings(batches) == []
    assert gaps(batches)["comments"].endswith(AGAIN)


@pytest.mark.parametrize("strange", [{"data": [None]}, {"data": [{"message": "without an id"}, {}, {}, {}]}])
def test_where_one_of_the_comments_inside_a_post_cannot_be_read_it_may_be_by_itself(world, visit, strange):
    broken = world.say("Bridge closed")
    first = world.comment(broken, "Until when?")

    def change(told: Any) -> None:
        told["data"][0]["comments"]["data"] += strange["data"]

    tells_otherwise(world, world.page_token, "published_posts", change)
    batches = visit.observe()
    assert first in seen(batches)
    assert not gaps(batches)
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_all_posts_of_another_shape_are_a_list_of_another_shape(world, visit):
    for words in ("One", "Two", "Three"):
        world.say(words)

    def change(told: Any) -> None:
        told["data"] = [{"key": one["id"]} for one in told["data"]]

    tells_otherwise(world, world.page_token, "published_posts", change)
    assert isinstance(visit.fails(), UnexpectedResponse)


@pytest.mark.parametrize("strange", ODD)
def test_a_message_that_cannot_be_read_keeps_none_of_the_others_back(world, visit, strange):
    names = [world.write("t_1001", f"{number}") for number in range(3)]
    other = world.write("t_1002", "Hello")
    odd(world, "messages", names[1], strange)
    batches = visit.observe()
    assert {*names, other} - set(seen(batches)) == {names[1]}
    assert gaps(batches)["messages of a conversation"].endswith(AGAIN)


def test_a_conversation_is_read_where_its_number_can_be_and_is_a_gap_where_not(world, visit):
    first, second = world.write("t_1001", "One"), world.write("t_1002", "Two")
    odd(world, "conversations", "t_1002", {"id": "t_1002", "updated_time": [5]})
    batches = visit.observe()
    assert {first, second} <= set(seen(batches))
    assert not gaps(batches)
    odd(world, "conversations", "t_1002", None)
    batches = visit.observe()
    assert (first in seen(batches), second in seen(batches)) == (True, False)
    assert gaps(batches)["messages of a conversation"].endswith(AGAIN)


@pytest.mark.parametrize(
    ("edge", "what"), [("settings", "settings and word filters"), ("blocked", "blocked people")]
)
def test_a_record_of_many_of_which_one_cannot_be_read_is_a_gap_and_was_not_changed(world, visit, edge, what):
    post = world.say("Bridge closed")
    assert edge in seen(visit.observe())
    tells_otherwise(world, world.page_token, edge, lambda told: told["data"].append(None))
    batches = visit.observe()
    assert edge not in seen(batches)
    assert post in seen(batches)
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert (gap.what, gap.native_id) == (what, edge)
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_description_of_another_shape_leaves_the_others_theirs_and_its_picture_none(world, visit):
    one = world.say("One", picture="901", alt="A barrier")
    two = world.say("Two", picture="902", alt="A ferry")

    def describe(path: str) -> Any:
        if not path.endswith("/v26.0/") or "ids=" not in world.asked[-1]:
            return None
        return (
            200,
            dict(JSON),
            spoken({"901": {"id": ["901"]}, "902": {"id": "902", "alt_text_custom": "A ferry"}}),
        )

    world.trouble = describe
    batches = visit.observe()
    shown = seen(batches)
    assert [[file.description for file in shown[name].attachments] for name in (one, two)] == [
        [None],
        ["A ferry"],
    ]
    assert [gap.native_id for batch in batches for gap in batch.gaps] == ["901"]


@pytest.mark.parametrize(
    "strange", [None, 5, {}, {"strange": 1}, {"type": "photo", "media": [1], "target": {"id": "7"}}]
)
def test_a_file_of_another_shape_takes_no_other_from_its_post_and_is_not_told_to_have_been_taken_off(strange):
    whole = {"type": "photo", "media": {"image": {"src": "https://x.example/a.jpg"}}, "target": {"id": 901}}
    told = {"id": "1_2", "message": "Closed", "attachments": {"data": [strange, whole]}}
    shown = parse.post(graph.one(spoken(told), 0, shapes.Post), {}, None)
    assert ([file.id for file in shown.attachments], shown.files_told) == (["media:901"], False)
    told["attachments"] = {"data": [whole]}
    assert parse.post(graph.one(spoken(told), 0, shapes.Post), {}, None).files_told
    album = {"type": "album", "subattachments": {"data": [whole, strange]}}
    told["attachments"] = {"data": [album]}
    shown = parse.post(graph.one(spoken(told), 0, shapes.Post), {}, None)
    assert ([file.id for file in shown.attachments], shown.files_told) == (["media:901"], False)


@pytest.mark.parametrize("strange", [None, 5, {}, {"id": "7", "image_data": []}, {"id": "7", "file_url": 5}])
def test_a_file_of_a_message_of_another_shape_is_not_told_to_have_been_taken_off(strange):
    one = {"id": 77, "file_url": "https://x.example/a.png"}
    told = {"id": "m_1", "message": "Look", "attachments": {"data": [one, strange]}}
    shown = parse.message(graph.one(spoken(told), 0, shapes.Message), "t_1")
    assert shown is not None
    whole = strange == {"id": "7", "image_data": []}
    assert ([file.id for file in shown.attachments], shown.files_told) == (["file:77"], whole)


def test_an_item_of_which_it_cannot_be_read_how_it_stands_is_unknown_and_the_others_are_told(world, visit):
    post = world.say("Bridge closed")
    names = [world.comment(post, words) for words in ("One", "Two", "Three")]
    strange = spoken({"id": names[1], "is_hidden": [[]]})
    world.trouble = lambda path: (200, dict(JSON), strange) if path.endswith(f"/{names[1]}") else None
    told = visit.look(*names)
    assert [told[name].state for name in names] == [State.PRESENT, State.UNKNOWN, State.PRESENT]
    world.trouble = lambda path: (200, dict(HTML), SIGN_IN) if path.endswith(f"/{names[1]}") else None
    with pytest.raises(UnexpectedResponse):
        visit.look(*names)


SHARED = Path(os.environ.get("MUNIMENT_SHARED", ROOT / ".." / "shared"))
RECORDED = SHARED / "recordings" / "meta" / "testdata" / "facebook"
_LISTS: Mapping[str, type[Any]] = {
    "apidata/posts/feeds_default_fields_p1.json": shapes.Post,
    "apidata/posts/feed_fields_p2.json": shapes.Post,
    "apidata/comments/comments_p1.json": shapes.Comment,
}
_OBJECTS: Mapping[str, tuple[type[Any], Callable[[Any], Observation | None]]] = {
    "models/post.json": (shapes.Post, lambda one: parse.post(one, {}, None)),
    "models/comment.json": (shapes.Comment, lambda one: parse.comment(one, "1", "2")),
    "models/page.json": (shapes.Page, parse.page),
    "models/event.json": (shapes.Thing, lambda one: parse.thing(one, "events", OURS)),
    "models/album.json": (shapes.Thing, lambda one: parse.thing(one, "albums", OURS)),
    "models/video.json": (shapes.Thing, lambda one: parse.thing(one, "videos", OURS)),
    "models/live_video.json": (shapes.Thing, lambda one: parse.thing(one, "live_videos", OURS)),
    "models/message.json": (shapes.Message, lambda one: parse.message(one, "t_1")),
}


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not at hand (MUNIMENT_SHARED)")
@pytest.mark.parametrize("name", _OBJECTS)
def test_recorded_objects_are_read(name):
    shape, reads = _OBJECTS[name]
    observed = reads(graph.one((RECORDED / name).read_bytes(), 0, shape))
    assert observed is not None
    assert observed.native_id
    assert observed.evidence


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not at hand (MUNIMENT_SHARED)")
@pytest.mark.parametrize("name", _LISTS)
def test_recorded_lists_are_read_and_lead_on_without_their_token(name):
    told = json.loads((RECORDED / name).read_bytes())
    given = [one for one in told["data"] if "id" in one]
    body = spoken({**told, "data": given})
    found = graph.many(body, 0, _LISTS[name])
    assert len(found.items) == len(given)
    assert (found.following is not None) == ("next" in told["paging"])
    assert "access_token" not in (found.following or {})
