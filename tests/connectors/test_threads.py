"""Threads, observed over loopback: posts with what answers them at any depth, what is hidden, and what proves no removal."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import graph
from connectors.contract import Author, Batch, Kind, Page, State
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
from connectors.threads import Threads, address, parse, shapes, told
from connectors.webhooks import Unreadable, Wanted
from tests.connectors.worlds.instagram_world import (
    HTML,
    JSON,
    SIGN_IN,
    Refused,
    among,
    spoken,
    tells_otherwise,
)
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.threads_world import NAME, OURS, ThreadsWorld
from tests.connectors.worlds.visits import PageVisit, asked, gaps, kinds, listings, seen

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SECRETS = dict(ThreadsWorld.secrets)


class Visit(PageVisit[Threads]):
    """One connector at one account."""

    def __init__(
        self,
        world: ThreadsWorld,
        http: EvidenceClient,
        secret: Mapping[str, str] = SECRETS,
        **more: str,
    ) -> None:
        super().__init__(Threads(http, secret), {"graph": world.address, **more})

    def page(self, **span: datetime | None) -> Page:
        return Page(address=f"https://www.threads.com/@{NAME}", options=self.options, **span)


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(SECRETS) as client:
        yield client


@pytest.fixture
def world() -> Iterator[ThreadsWorld]:
    with ThreadsWorld() as account:
        yield account


@pytest.fixture
def visit(world: ThreadsWorld, http: EvidenceClient) -> Visit:
    return Visit(world, http)


# --- what an account shows ----------------------------------------------------------------------------------


def test_a_post_keeps_its_words_its_picture_with_its_description_and_what_it_links_to(world, visit):
    name = world.say(
        "Bridge closed & <b>",
        kind="IMAGE",
        alt="A barrier across the road",
        more={"link_attachment_url": "https://town.example/roads", "topic_tag": "Roads"},
    )
    shown = seen(visit.observe())[name]
    assert (shown.kind, shown.state, shown.private) == (Kind.POST, State.PRESENT, False)
    assert (shown.text, shown.html, shown.edited_at) == ("Bridge closed & <b>", None, None)
    assert shown.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert shown.author == Author(id=OURS, handle=NAME)
    assert [(file.id, file.description) for file in shown.attachments] == [
        (f"media:{name}", "A barrier across the road")
    ]
    assert (shown.extra["links"], shown.extra["topic"]) == (["https://town.example/roads"], "Roads")
    assert shown.url == f"https://www.threads.com/@{NAME}/post/D{name}"


def test_the_introduction_comes_first_with_its_words_and_picture(world, visit):
    (shown,) = visit.observe()[0].observations
    assert (shown.native_id, shown.kind) == (OURS, Kind.PROFILE)
    assert shown.text == "Test Town Police\n\nThe department's own account."
    assert [file.id for file in shown.attachments] == ["picture:badge.jpg"]


def test_a_long_text_and_what_a_poll_asks_are_among_the_words_and_how_people_voted_is_not(world, visit):
    long = world.say(
        "In short",
        more={"text_attachment": {"plaintext": "At length.", "link_attachment_url": "https://a.example/"}},
    )
    poll = {"option_a": "Yes", "option_b": "No", "option_a_votes_percentage": 0.4, "total_votes": 10}
    asks = world.say("Shall we?", more={"poll_attachment": poll})
    before = seen(visit.observe())
    assert before[long].text == "In short\n\nAt length."
    assert before[long].extra["links"] == ["https://a.example/"]
    assert before[asks].text == "Shall we?\n\n- Yes\n- No"
    poll["option_a_votes_percentage"] = 0.9
    assert seen(visit.observe())[asks] == before[asks]


def test_an_album_keeps_each_of_its_pictures_a_video_its_cover_and_an_animation_its_address(world, visit):
    album = world.say("Flood", parts=["181", "182"])
    video = world.say("How to report", kind="VIDEO")
    moving = world.say("Well done", more={"gif_url": "https://media.example/a/1.gif?sig=1"})
    shown = seen(visit.observe())
    assert [file.id for file in shown[album].attachments] == ["media:181", "media:182"]
    assert [file.id for file in shown[video].attachments] == [f"media:{video}", f"cover:{video}"]
    (file,) = shown[moving].attachments
    assert file.id.startswith("gif:")


def test_a_file_that_is_kept_from_the_interface_is_a_gap_that_names_its_post(world, visit):
    world.say("Words alone need no file")
    name = world.say("With a song", kind="VIDEO", more={"claimed": True})
    found = {gap.native_id: gap.what for batch in visit.observe() for gap in batch.gaps}
    assert found == {name: "the file of a post"}


def test_what_the_account_quotes_and_posts_again_is_said(world, visit):
    quote = world.say("As they say", more={"quoted_post": {"id": "77"}})
    again = world.say("", kind="REPOST_FACADE", more={"reposted_post": {"id": "78"}})
    shown = seen(visit.observe())
    assert (shown[quote].extra["quotes"], shown[again].extra["reposts"]) == ("77", "78")
    assert asked(world, f"{again}/conversation") == 0, "what answers somebody else's post is not told"


def test_answers_are_seen_at_any_depth_with_what_each_of_them_answers(world, visit):
    post = world.say("Closed")
    first = world.answer_to(post, "Until when?")
    ours = world.answer_to(first, "Until six.", by=NAME)
    deeper = world.answer_to(ours, "Thanks", by="al_visitor")
    batches = visit.observe()
    shown = seen(batches)
    assert [shown[one].kind for one in (first, ours, deeper)] == [Kind.COMMENT, Kind.REPLY, Kind.COMMENT]
    assert [shown[one].in_reply_to for one in (first, ours, deeper)] == [post, first, ours]
    assert shown[deeper].author == Author(handle="al_visitor")
    assert asked(world, "/conversation?") == 1


def test_what_the_account_answers_elsewhere_is_seen_once_with_what_it_answers(world, visit):
    theirs = world.elsewhere("A question for anyone")
    name = world.answer_to(theirs, "Here is the answer.", by=NAME)
    shown = seen(visit.observe())
    assert (shown[name].kind, shown[name].in_reply_to) == (Kind.REPLY, theirs)
    assert theirs not in shown


def test_what_is_met_in_two_lists_is_the_same_in_both(world, visit):
    post = world.say("Closed")
    name = world.answer_to(post, "Until six.", by=NAME, kind="IMAGE", alt="A clock")
    world.hide(name)
    met = [one for batch in visit.observe() for one in batch.observations if one.native_id == name]
    assert len(met) == 2
    first, second = ((one.text, one.author, one.state, one.in_reply_to, one.attachments) for one in met)
    assert first == second


@pytest.mark.parametrize(
    ("hush", "state"),
    [
        ("NOT_HUSHED", State.PRESENT),
        ("UNHUSHED", State.PRESENT),
        ("HIDDEN", State.HIDDEN),
        ("COVERED", State.HIDDEN),
        ("RESTRICTED", State.HIDDEN),
        ("BLOCKED", State.HIDDEN),
    ],
)
def test_how_an_answer_was_hushed_is_told_and_what_answers_it_goes_along(world, visit, hush, state):
    post = world.say("Closed")
    first = world.answer_to(post, "Buy cheap pills")
    below = world.answer_to(first, "Yes, do")
    other = world.answer_to(post, "+1")
    world.hide(first, hush)
    shown = seen(visit.observe())
    assert [shown[one].state for one in (first, below, other)] == [state, state, State.PRESENT]


def test_answers_that_wait_for_approval_are_hidden_where_the_option_asks_for_them(world, http):
    post, plain = world.say("Closed", approves=True), world.say("Open")
    waits = world.answer_to(post, "Rude", approval="pending")
    passed_over = world.answer_to(post, "Ruder", approval="ignored")
    assert waits not in seen(Visit(world, http).observe())
    batches = Visit(world, http, approvals="yes").observe()
    shown = seen(batches)
    assert {shown[one].state for one in (waits, passed_over)} == {State.HIDDEN}
    assert shown[passed_over].extra["approval"] == "ignored"
    assert Kind.COMMENT in kinds(batches)
    assert gaps(batches) == {}, f"that {plain} is not approved one by one is no gap"
    family = Visit(world, http, approvals="yes").family(post)
    assert {waits, passed_over} <= set(seen(family))
    assert post in {one.in_reply_to for one in listings(family)}


def test_a_ghost_post_is_hidden_once_threads_has_archived_it(world, visit):
    name = world.ghost("Only today")
    shown = seen(visit.observe())[name]
    assert (shown.state, shown.extra["shown_until"]) == (State.PRESENT, "2026-03-02T08:01:00+0000")
    world.tick(days=2)
    shown = seen(visit.observe())[name]
    assert (shown.state, shown.extra["ghost"]) == (State.HIDDEN, "ARCHIVED")
    assert visit.look(name, kind=Kind.POST)[name].state is State.HIDDEN
    assert asked(world, f"{name}/conversation") == 0


def test_what_names_the_account_is_seen_and_what_does_so_below_its_own_post_is_seen_there_alone(world, visit):
    elsewhere = world.elsewhere("Thanks @testtownpolice")
    answers = world.answer_to(world.elsewhere("Who knows?"), "Ask @testtownpolice", by="al_visitor")
    post = world.say("Closed")
    below = [world.answer_to(post, "@testtownpolice until when?") for _ in range(3)]
    shown = seen(visit.observe())
    assert shown[f"mention:{elsewhere}"].kind is Kind.POST
    assert shown[f"mention:{answers}"].kind is Kind.COMMENT
    assert shown[f"mention:{answers}"].in_reply_to == world.the(answers).to
    assert set(below) <= set(shown)
    assert not {f"mention:{one}" for one in below} & set(shown)
    assert asked(world, f"/{post}?") == 1, "whose post it is, is asked once"


def test_each_item_names_its_own_bytes(world, visit):
    post = world.say("Closed")
    answer = world.answer_to(post, "+1")
    own = {
        name: json.loads(batch.exchanges[span.exchange].body[span.start : span.end])
        for batch in visit.observe()
        for name, one in seen([batch]).items()
        for span in one.evidence
    }
    assert (own[answer]["text"], own[post]["text"]) == ("+1", "Closed")


def test_an_answer_whose_writer_is_not_told_is_by_nobody_that_we_know(world, visit):
    name = world.answer_to(world.say("Closed"), "+1", more={"username": None})
    shown = seen(visit.observe())[name]
    assert (shown.author, shown.kind) == (None, Kind.COMMENT)


# --- lists --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor", [True, False])
def test_lists_are_read_to_their_end_whether_or_not_the_last_answer_has_a_cursor(world, http, cursor):
    world.cuts_at, world.cursor_at_the_end = 2, cursor
    posts = [world.say(f"{number}") for number in range(5)]
    answers = [world.answer_to(posts[0], f"{number}") for number in range(6)]
    batches = Visit(world, http, page_size="2").observe()
    assert {*posts, *answers} <= set(seen(batches))
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    assert gaps(batches) == {}


def test_a_list_that_has_links_is_followed_by_what_they_say_and_without_their_token(world, visit):
    world.cuts_at, world.links_on = 1, True
    posts = {world.say(f"{number}") for number in range(3)}
    batches = visit.observe()
    assert posts <= set(seen(batches))
    exchanges = [exchange for batch in batches for exchange in batch.exchanges]
    assert any(b'"next"' in one.body for one in exchanges), "no list led on"
    for one in exchanges:
        said = repr(one).encode() + one.body
        assert not any(secret.encode() in said for secret in (world.token, world.app_secret))
        assert "appsecret_proof=[[secret:appsecret_proof]]" in one.url


def test_an_account_on_which_nothing_stands_yet_is_a_complete_pass(visit):
    batches = visit.observe()
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    assert all(set(one.states) == {State.PRESENT, State.HIDDEN} for one in listings(batches))


def test_posts_that_nobody_answered_cost_no_question_of_their_own(world, visit):
    for number in range(5):
        world.say(f"{number}")
    visit.observe()
    assert asked(world, "/conversation") == 0


def test_a_post_that_was_answered_and_none_of_it_shown_is_a_gap_and_keeps_nothing_else_from_being_listed(
    world, visit
):
    other = world.say("Open")
    fine = world.answer_to(other, "Good")
    post = world.say("Closed")
    world.answer_to(post, "I leave", gone_away=True)
    batches = visit.observe()
    assert "answers" in gaps(batches)
    assert kinds(batches) == {Kind.POST}
    listed = {one.in_reply_to for one in listings(visit.observe(batches[-1].resume_from))}
    assert {other, fine} <= listed
    assert post not in listed
    family = visit.family(post)
    assert "answers" in gaps(family)
    assert listings(family) == []


@pytest.mark.parametrize("edge", ["threads", "conversation"])
def test_a_cursor_that_threads_has_forgotten_begins_its_list_anew(world, http, edge):
    world.cuts_at = 1
    posts = {world.say(f"{number}") for number in range(3)}
    answers = {world.answer_to(min(posts), f"{number}") for number in range(4)}
    wanted = {"threads": posts, "conversation": answers}[edge]
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
        said = next(forgotten, None) if after else None
        return None if said is None else (400, dict(JSON), said)

    world.trouble = troubled
    batches = visit.observe(taken[-1].resume_from)
    assert next(forgotten, None) is None, "no cursor was refused"
    assert wanted <= set(seen(batches))
    assert Kind.POST in kinds(batches)
    assert gaps(batches) == {}


def test_where_it_is_too_much_at_once_threads_is_asked_for_less(world, visit):
    world.gathers = 6
    posts = [world.say(f"{number}") for number in range(9)]
    assert set(posts) <= set(seen(visit.observe()))
    world.gathers = 0
    with pytest.raises(TryAgainLater, match="even one"):
        visit.observe()


def test_a_field_that_the_interface_does_not_have_is_a_gap_and_the_rest_is_read(world, visit):
    post = world.say("Closed")
    world.unknown_fields = {"topic_tag"}
    batches = visit.observe()
    assert f"the field topic_tag of {OURS}/threads" in gaps(batches)
    assert seen(batches)[post].text == "Closed"


def test_a_post_that_is_removed_while_what_answers_it_is_read_leaves_that_unlisted(world, visit):
    post = world.say("Closed")
    world.answer_to(post, "+1")

    def removed(path: str) -> None:
        if path.endswith("/conversation"):
            world.delete(post)

    world.before = removed
    batches = visit.observe()
    assert kinds(batches) == {Kind.POST}
    assert gaps(batches) == {}


# --- permissions and tokens ---------------------------------------------------------------------------------


def test_a_permission_for_mentions_that_is_lacking_is_a_gap_that_names_it_and_can_be_left_out(world, http):
    post = world.say("Closed")
    world.scopes.discard("threads_manage_mentions")
    batches = Visit(world, http).observe()
    (why,) = gaps(batches).values()
    assert "threads_manage_mentions" in why
    assert post in seen(batches)
    assert gaps(Visit(world, http, leave_out="mentions").observe()) == {}


@pytest.mark.parametrize("silent", [True, False])
def test_a_permission_for_answers_that_was_lost_keeps_them_from_being_listed(world, visit, silent):
    post = world.say("Closed")
    answer = world.answer_to(post, "+1")
    first = visit.observe()
    assert Kind.COMMENT in kinds(first)
    world.scopes.discard("threads_read_replies")
    world.silent = silent
    batches = visit.observe(first[-1].resume_from)
    assert post in seen(batches)
    assert answer not in seen(batches)
    assert Kind.COMMENT not in kinds(batches)
    assert "threads_read_replies" in gaps(batches)["answers"] or "answered" in gaps(batches)["answers"]


def test_a_permission_that_is_lost_while_a_conversation_is_read_keeps_answers_from_being_listed(world, visit):
    world.cuts_at = 1
    post = world.say("Closed")
    first, second = world.answer_to(post, "+1"), world.answer_to(post, "+2")

    def lost(path: str) -> None:
        if path.endswith("/conversation") and any("after=" in one for one in world.asked):
            world.loses_silently("threads_read_replies")

    world.before = lost
    batches = visit.observe()
    assert first in seen(batches)
    assert second not in seen(batches)
    assert Kind.COMMENT not in kinds(batches)
    assert "threads_read_replies" in gaps(batches)["answers"]


def test_without_the_permission_for_posts_the_account_is_to_be_connected_again(world, visit):
    world.say("Closed")
    world.scopes.discard("threads_basic")
    with pytest.raises(AccessRevoked, match="threads_basic"):
        visit.observe()


def test_the_token_of_another_account_is_refused_and_a_new_name_is_not(world, visit):
    world.say("Closed")
    batches = visit.observe()
    world.username = "townpolice_new"
    assert visit.observe(batches[-1].resume_from), "the number is the same"
    with pytest.raises(NoSuchPage, match="townpolice_new"):
        visit.observe()


def test_an_application_that_wants_its_secret_proven_is_shown_the_proof(world, http):
    post = world.say("Closed")
    world.wants_proof = True
    assert post in seen(Visit(world, http).observe())
    with pytest.raises(AccessRevoked, match="App settings"):
        Visit(world, http, {"access_token": world.token}).observe()


def test_an_account_that_is_not_connected_says_so(world, http):
    with pytest.raises(AccessRevoked, match="not connected"):
        Visit(world, http, {}).observe()


def test_a_token_is_not_sent_in_clear(http):
    page = Page(address=NAME, options={"graph": "http://graph.threads.net"})
    with pytest.raises(AddressRefused, match="TLS"):
        list(Threads(http, SECRETS).observe(page, None))


# --- spans of time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keeps", [True, False])
def test_a_pass_over_a_span_lists_that_span_and_what_answers_its_posts(world, http, keeps):
    years = []
    for number in range(12):
        world.tick(days=40)
        years.append(world.say(f"Notice {number}"))
        world.answer_to(years[-1], "Seen")
    world.keeps_to_spans = keeps
    begins = world.the(years[-2]).created
    batches = Visit(world, http, page_size="2").observe(published_from=begins)
    shown = set(seen(batches))
    assert set(years[-2:]) <= shown
    assert years[0] not in shown
    (posts,) = (one for one in listings(batches) if Kind.POST in one.kinds)
    assert (posts.published_from, posts.published_until) == (begins, None)
    assert set(years[-2:]) <= {one.in_reply_to for one in listings(batches)}


def test_what_answers_an_older_post_is_read_as_far_as_it_lies_within_the_span(world, http):
    world.cuts_at = 3
    old = world.say("Closed")
    before = [world.answer_to(old, f"{number}") for number in range(12)]
    world.tick(days=10)
    begins = world.tick()
    new = [world.answer_to(old, f"Still {number}?") for number in range(5)]
    batches = Visit(world, http).observe(published_from=begins)
    shown = set(seen(batches))
    assert set(new) <= shown
    assert not set(before[:6]) & shown
    assert old not in {one.in_reply_to for one in listings(batches)}
    less = Visit(world, http, answered_within="5").observe(published_from=begins)
    assert not set(new) & set(seen(less))


@pytest.mark.parametrize(
    ("option", "written", "says"),
    [("page_size", "0", "page_size"), ("page_size", "x", "page_size"), ("leave_out", "threads", "mentions")],
)
def test_an_option_that_cannot_be_meant_is_refused_with_what_could_be(world, http, option, written, says):
    with pytest.raises(ConnectorError, match=says):
        Visit(world, http, **{option: written}).observe()


# --- how single items stand ---------------------------------------------------------------------------------


def test_gone_is_a_post_that_threads_does_not_know_while_it_shows_the_accounts_other_posts(world, visit):
    post, other = world.say("Closed"), world.say("Open")
    world.delete(post)
    told_of = visit.look(post, other, kind=Kind.POST)
    assert (told_of[post].state, told_of[other].state) == (State.GONE, State.PRESENT)
    assert told_of[post].reason.startswith("400 code 100 subcode 33")
    world.delete(other)
    assert visit.look(post, kind=Kind.POST)[post].state is State.UNKNOWN


def test_the_same_answer_about_an_answer_proves_nothing_since_its_writer_may_only_have_left(world, visit):
    post = world.say("Closed")
    removed, left, hidden = (world.answer_to(post, text) for text in ("+1", "Bye", "Pills"))
    world.delete(removed)
    world.the(left).gone_away = True
    world.hide(hidden)
    told_of = visit.look(removed, left, hidden)
    assert {told_of[one].state for one in (removed, left)} == {State.UNKNOWN}
    assert told_of[removed].reason == told_of[left].reason
    assert told_of[hidden].state is State.HIDDEN


def test_what_names_the_account_is_there_while_it_is_listed(world, visit):
    kept, lost = world.elsewhere("@testtownpolice one"), world.elsewhere("@testtownpolice two")
    world.delete(lost)
    told_of = visit.look(f"mention:{kept}", f"mention:{lost}", kind=Kind.POST)
    assert [one.state for one in told_of.values()] == [State.PRESENT, State.UNKNOWN]


@pytest.mark.parametrize("code", [3, 10, 24, 200, 299])
def test_a_permission_that_is_lacking_and_any_other_refusal_never_prove_a_removal(world, visit, code):
    post = world.say("Closed")
    world.say("Open")
    world.shut[post] = Refused(code, f"(#{code}) Refused", status=403)
    told_of = visit.look(post, kind=Kind.POST)[post]
    assert (told_of.state, told_of.reason) == (State.UNKNOWN, f"403 code {code}")


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (Refused(4, "(#4) Application request limit reached"), TryAgainLater),
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


# --- families and what is told by itself ----------------------------------------------------------------------


def test_a_family_is_one_post_with_everything_that_answers_it_and_a_listing_for_each(world, visit):
    world.cuts_at = 3
    world.say("Another")
    post = world.say("Closed")
    answers = [world.answer_to(post, f"{number}") for number in range(7)]
    answers.append(world.answer_to(answers[0], "deeper"))
    batches = visit.family(post)
    assert set(seen(batches)) == {post, *answers}
    assert {one.in_reply_to for one in listings(batches)} == {post, *answers}


def test_a_family_whose_post_is_gone_is_told_so_and_lists_nothing(world, visit):
    world.say("Another")
    post = world.say("Closed")
    world.delete(post)
    batches = visit.family(post)
    assert [one.state for batch in batches for one in batch.sightings] == [State.GONE]
    assert listings(batches) == []


def test_the_family_of_an_answer_is_what_lists_tell_of_it_with_what_answers_it(world, visit):
    post = world.say("Closed")
    ours = world.answer_to(post, "Until six.", by=NAME, kind="IMAGE", alt="A clock")
    below = world.answer_to(ours, "Thanks")
    batches = visit.family(ours)
    assert set(seen(batches)) == {ours, below}
    whole = seen(visit.observe())
    assert seen(batches)[ours].attachments == whole[ours].attachments
    assert seen(batches)[ours].in_reply_to == post


@pytest.mark.parametrize("given", [True, False])
def test_the_family_of_a_mention_is_what_is_given_of_it(world, visit, given):
    world.gives_others = given
    name = world.elsewhere("Thanks @testtownpolice")
    batches = visit.family(f"mention:{name}")
    if given:
        assert set(seen(batches)) == {f"mention:{name}"}
    else:
        (stands,) = (one for batch in batches for one in batch.sightings)
        assert (stands.native_id, stands.state) == (f"mention:{name}", State.PRESENT)


def delivery(field: str, value: Mapping[str, Any], **more: Any) -> bytes:
    at = int(NOW.timestamp())
    return json.dumps(
        {"app_id": "1", "time": at, "values": {"value": value, "field": field}, **more}
    ).encode()


def wanted(body: bytes) -> Wanted:
    (one,) = Threads.hooks.wanted(Threads.hooks.read(body), NOW)
    return one


def test_an_answer_that_is_told_by_itself_leads_to_the_post_and_its_words_are_not_taken():
    value = {"id": "5", "text": "+1", "replied_to": {"id": "4"}, "root_post": {"id": "3", "owner_id": OURS}}
    one = wanted(delivery("replies", value, target_id="3"))
    assert (one.page, one.families, one.since) == (OURS, ("3",), None)


def test_a_removal_that_is_told_by_itself_is_looked_at():
    one = wanted(delivery("delete", {"id": "5", "owner": {"owner_id": OURS}}, target_id="5"))
    assert (one.page, one.looks) == (OURS, ((Kind.POST, "5"),))


def test_what_is_published_or_names_the_account_is_observed_and_the_unknown_leads_to_a_pass():
    assert wanted(delivery("publish", {"id": "5"}, target_id=OURS)).families == ("5",)
    assert wanted(delivery("mentions", {"id": "5"}, target_id=OURS)).families == ("mention:5",)
    assert wanted(delivery("something", {"id": "5"}, target_id=OURS)).since == NOW - timedelta(hours=1)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"values": {"field": "replies"}}', b'{"entry": [{}]}'])
def test_a_delivery_of_another_shape_is_not_read(body):
    with pytest.raises(Unreadable):
        told.read(body)


# --- limits -------------------------------------------------------------------------------------------------


def test_nothing_more_is_asked_when_a_limit_is_nearly_used_up(world, visit):
    world.say("Closed")
    world.usage = {"X-App-Usage": {"call_count": 96, "total_time": 3, "total_cputime": 0}}
    with pytest.raises(TryAgainLater, match="96 percent") as stopped:
        visit.observe()
    assert stopped.value.after == timedelta(hours=1)
    assert len(world.asked) == 1
    world.usage = {"X-App-Usage": {"call_count": 94, "total_time": 20, "total_cputime": 0}}
    assert visit.observe()


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("https://www.threads.com/@town.police", "town.police"),
        ("threads.net/@Town.Police/post/D1", "town.police"),
        ("@town.police", "town.police"),
        (" town_police ", "town_police"),
        ("24000000000000001", "24000000000000001"),
    ],
)
def test_an_account_is_found_however_its_address_is_written(written, name):
    assert address.read(written) == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        "https://town.example/@police",
        "https://threads.com.evil.example/@town",
        "https://www.threads.com/search",
        "https://www.threads.com/",
        "threads.net",
        "https://[",
        "two words",
    ],
)
def test_what_names_no_account_is_refused_with_an_example(world, http, written):
    page = Page(address=written, options={"graph": world.address})
    with pytest.raises(NoSuchPage, match="Give its address"):
        list(Threads(http, SECRETS).observe(page, None))


# --- checks -------------------------------------------------------------------------------------------------


def test_a_check_finds_all_well(world, visit):
    world.answer_to(world.say("Closed"), "+1")
    found = list(visit.connector.check(visit.page()))
    assert len(found) > 9
    assert [one.what for one in found if not one.fine] == []


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        (
            lambda w: w.scopes.discard("threads_manage_mentions"),
            "posts that name the account: threads_manage_mentions",
            "Generate one",
        ),
        (lambda w: w.scopes.discard("threads_manage_mentions"), "posts that name the account", "leave_out"),
        (lambda w: w.scopes.discard("threads_read_replies"), "what answers posts", "threads_read_replies"),
        (
            lambda w: w.loses_silently("threads_read_replies"),
            "what answers posts",
            "shows nothing of it",
        ),
        (lambda w: w.scopes.discard("threads_basic"), "posts", "threads_basic"),
        (
            lambda w: setattr(w, "expires_at", int(NOW.timestamp()) + 86_400),
            "token, until 2026-06-02",
            "Generate a new token",
        ),
        (lambda w: setattr(w, "dead", 463), "account and token", "run out"),
        (lambda w: setattr(w, "tells_tokens", False), "what the token permits", "tester"),
    ],
)
def test_a_check_says_what_an_officer_can_do(world, visit, change, what, remedy):
    world.answer_to(world.say("Closed"), "+1")
    change(world)
    assert remedy in visit.check()[what]


def test_a_check_leaves_out_what_the_page_leaves_out(world, http):
    world.scopes.discard("threads_manage_mentions")
    assert Visit(world, http, leave_out="mentions").check() == {}


def test_a_check_without_the_applications_secret_says_what_it_is_good_for(world, http):
    wrong = Visit(world, http, {"access_token": world.token}).check()
    assert "Require app secret" in wrong["application's secret"]


# --- shapes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        spoken({"data": [{"text": "without an id"}] * 3}),
        spoken({"data": [{"id": [5]}] * 3}),
        spoken({"items": []}),
        spoken([]),
        SIGN_IN,
        b"",
    ],
)
def test_an_answer_of_another_shape_is_unexpected(world, visit, body):
    world.say("Closed")
    world.trouble = lambda path: (200, dict(HTML), body) if path.endswith("/threads") else None
    with pytest.raises(UnexpectedResponse):
        visit.observe()


def test_a_picture_or_an_animation_whose_address_is_none_takes_nothing_else_from_what_shows_it():
    told = {"id": OURS, "username": NAME, "name": "Police", "threads_profile_picture_url": "http://[bad"}
    shown = parse.account(graph.one(spoken(told), 0, shapes.Account))
    assert (shown.text, [file.url for file in shown.attachments]) == ("Police", ["http://[bad"])
    post = {"id": "5", "text": "Closed", "gif_url": "http://[bad"}
    (file,) = parse.media(graph.one(spoken(post), 0, shapes.Media), OURS, NAME).attachments
    assert file.url == "http://[bad"


@pytest.mark.parametrize("edge", ["ghost_posts", "mentions", "replies"])
@pytest.mark.parametrize("status", [200, 500])
def test_a_list_besides_the_accounts_own_posts_at_which_threads_fails_for_ever_keeps_none_of_them_back(
    world, visit, edge, status
):
    post = world.say("Bridge closed")
    answer = world.answer_to(post, "Until when?")
    world.trouble = lambda path: (
        (status, dict(HTML), b"<html>?</html>") if path.endswith(f"/{OURS}/{edge}") else None
    )
    batches = visit.observe()
    assert {post, answer} <= set(seen(batches))
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id is None
    assert Kind.COMMENT not in kinds(batches), "what may stand there is not told to be missing"


def test_a_list_that_fails_once_is_read_at_the_end_of_the_same_pass(world, visit):
    ghost = world.ghost("For a day")
    world.say("Bridge closed")
    once = iter([(500, dict(HTML), b"<html>?</html>")])
    world.trouble = lambda path: next(once, None) if path.endswith("/ghost_posts") else None
    batches = visit.observe()
    assert ghost in seen(batches)
    assert not gaps(batches)
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_conversation_that_leads_on_for_ever_and_shows_nothing_new_has_no_end(world, visit):
    busy, other = world.say("Bridge closed"), world.say("Open house")
    world.answer_to(busy, "Until when?")
    answer = world.answer_to(other, "When?")
    ways = iter(range(1_000_000))

    def endless(path: str) -> Any:
        if not path.endswith(f"{busy}/conversation"):
            return None
        number = next(ways)
        assert number < 500, "it is asked on and on"
        told = {"data": [{"id": "7", "text": "again"}], "paging": {"cursors": {"after": f"A{number}"}}}
        return 200, dict(JSON), spoken(told)

    world.trouble = endless
    batches = visit.observe()
    assert answer in seen(batches)
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id == busy
    assert "no end" in gap.why


def test_a_compressed_answer_is_read_and_each_item_owns_the_whole_of_it(world, visit):
    post = world.say("Closed")
    world.compresses = True
    (batch,) = (one for one in visit.observe() if post in seen([one]))
    (span,) = seen([batch])[post].evidence
    assert (span.start, span.end) == (0, len(batch.exchanges[span.exchange].body))


def test_an_answer_without_what_it_answers_is_taken_to_answer_the_post_that_it_stands_below():
    body = (
        b'{"data":[{"id":"1","text":"half \\ud83d","timestamp":"2026-03-01T08:00:00+0000","new":{"key":1}}]}'
    )
    (one,) = graph.many(body, 0, shapes.Media).items
    shown = parse.media(one, OURS, NAME, below="9")
    assert (shown.kind, shown.in_reply_to, shown.text) == (Kind.COMMENT, "9", "half \ufffd")


def test_a_page_of_a_hundred_answers_is_read_whole():
    one = {
        "id": "17900000000000501",
        "text": "Is the bridge open again, and until when?",
        "timestamp": "2026-03-01T08:00:00+0000",
        "username": "jo.public",
        "media_type": "TEXT_POST",
        "permalink": "https://www.threads.com/@jo.public/post/D1",
        "root_post": {"id": "17900000000000400"},
        "replied_to": {"id": "17900000000000400"},
        "is_reply_owned_by_me": False,
        "hide_status": "NOT_HUSHED",
        "has_replies": False,
    }
    body = spoken({"data": [one] * 100, "paging": {"cursors": {"after": "A"}}})
    found = graph.many(body, 0, shapes.Media)
    assert len([parse.media(item, OURS, NAME, below="9") for item in found.items]) == 100


# --- one odd item among others ----------------------------------------------------------------------------------

ODD: list[object] = [None, {"id": None}, {"strange": [[]]}]


def odd(world: ThreadsWorld, edge: str, name: str, strange: object) -> None:
    """What is called so is told as something strange wherever it stands in lists of this name."""
    tells_otherwise(world, world.token, edge, among(name, strange))


@pytest.mark.parametrize("strange", ODD)
def test_a_post_that_cannot_be_read_keeps_neither_those_beside_it_nor_the_pass_and_no_post_is_listed(
    world, visit, strange
):
    names = [world.say(words) for words in ("One", "Two", "Three")]
    answer = world.answer_to(names[0], "Until when?")
    assert kinds(visit.observe()) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    odd(world, "threads", names[1], strange)
    batches = visit.observe()
    assert {answer, *names} - set(seen(batches)) == {names[1]}
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert (gap.what, gap.native_id, gap.why.endswith(AGAIN)) == ("posts", None, True)
    assert listings(batches) == []
    world.trouble = None
    later = visit.observe(batches[-1].resume_from)
    assert names[1] in seen(later)
    assert Kind.POST in kinds(later)


@pytest.mark.parametrize("cuts_at", [1, 3])
@pytest.mark.parametrize("strange", ODD)
def test_an_answer_that_cannot_be_read_leaves_its_conversation_alone_unlisted_and_ends_no_list(
    world, visit, cuts_at, strange
):
    world.cuts_at = cuts_at
    post, other = world.say("Bridge closed"), world.say("Open house")
    answers = [world.answer_to(post, f"{number}") for number in range(6)]
    elsewhere = world.answer_to(other, "When?")
    odd(world, "conversation", answers[2], strange)
    batches = visit.observe()
    assert {post, other, elsewhere, *answers} - set(seen(batches)) == {answers[2]}
    assert kinds(batches) == {Kind.POST}
    again = visit.observe(batches[-1].resume_from)
    assert {one.in_reply_to for one in listings(again) if one.in_reply_to} == {other, elsewhere}
    for batch in again[:-1]:
        assert post not in {one.in_reply_to for one in listings(visit.observe(batch.resume_from))}
    family = visit.family(post)
    assert {post, *answers} - set(seen(family)) == {answers[2]}
    assert listings(family) == []
    assert gaps(family)["answers"].endswith(AGAIN)


def test_an_answer_that_waits_for_approval_and_cannot_be_read_leaves_its_post_unlisted(world, http):
    visit = Visit(world, http, approvals="yes")
    post = world.say("Bridge closed", approves=True)
    shown = world.answer_to(post, "Until when?")
    waits = world.answer_to(post, "Me too", approval="pending")
    assert {shown, waits} <= set(seen(visit.observe()))
    odd(world, "pending_replies", waits, None)
    batches = visit.observe(visit.observe()[-1].resume_from)
    assert shown in seen(batches)
    assert waits not in seen(batches)
    assert post not in {one.in_reply_to for one in listings(batches)}
    assert kinds(batches) == {Kind.POST}


def test_all_posts_of_another_shape_are_a_list_of_another_shape(world, visit):
    for words in ("One", "Two", "Three"):
        world.say(words)

    def change(told: Any) -> None:
        told["data"] = [{"key": one["id"]} for one in told["data"]]

    tells_otherwise(world, world.token, "threads", change)
    assert isinstance(visit.fails(), UnexpectedResponse)


def test_an_item_of_which_it_cannot_be_read_how_it_stands_is_unknown_and_the_others_are_told(world, visit):
    post = world.say("Bridge closed")
    names = [world.answer_to(post, words) for words in ("One", "Two", "Three")]
    strange = spoken({"id": names[1], "hide_status": [[]]})
    world.trouble = lambda path: (200, dict(JSON), strange) if path.endswith(f"/{names[1]}") else None
    told = visit.look(*names)
    assert [told[name].state for name in names] == [State.PRESENT, State.UNKNOWN, State.PRESENT]


def test_a_mention_is_unknown_where_not_all_of_their_list_can_be_read(world, visit):
    tells_otherwise(world, world.token, "mentions", lambda told: told["data"].append(None))
    sighting = visit.look("mention:55")["mention:55"]
    assert (sighting.state, sighting.reason) == (
        State.UNKNOWN,
        "not among what can be read of what names the account",
    )


def test_a_part_of_an_album_of_another_shape_takes_no_other_and_is_not_told_to_have_been_taken_off():
    part = {"id": 71, "media_type": "IMAGE", "media_url": "https://x.example/a.jpg"}
    told: dict[str, Any] = {"id": "1", "media_type": "CAROUSEL_ALBUM"}
    for strange in (None, 5, {}, {"id": None}, {"id": "72", "media_url": [5]}):
        told["children"] = {"data": [part, strange]}
        shown = parse.media(graph.one(spoken(told), 0, shapes.Media), OURS, NAME)
        assert ([file.id for file in shown.attachments], shown.files_told) == (["media:71"], False)
    told["children"] = {"data": [part]}
    assert parse.media(graph.one(spoken(told), 0, shapes.Media), OURS, NAME).files_told
