"""LinkedIn, observed over loopback: posts under all their names, comments of both depths, files, notices, and what proves no removal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import (
    Batch,
    Kind,
    OAuth2,
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
from connectors.http import EvidenceClient
from connectors.linkedin import LinkedIn, told, versions
from connectors.linkedin.manifest import SCOPES
from connectors.linkedin.refusals import NotGiven, VersionEnded
from connectors.webhooks import Unreadable
from tests.connectors.worlds.linkedin_world import (
    ADDRESS,
    ADMIN,
    DAILY,
    EXPIRED,
    FEED,
    HTML,
    INVALID,
    JSON,
    NUMBER,
    REVOKED,
    SIGN_IN,
    SOCIAL,
    URN,
    LinkedInWorld,
    Refused,
)
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import PageVisit, asked, gaps, kinds, listings, seen, sighted

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SECRET = dict(LinkedInWorld.secret)
AL = "urn:li:person:al2"


class Visit(PageVisit[LinkedIn]):
    """One connector at one page."""

    def __init__(self, world: LinkedInWorld, http: EvidenceClient, **more: str) -> None:
        super().__init__(LinkedIn(http, SECRET), {"api": world.api, **more})

    def page(self, **span: datetime | None) -> Page:
        return Page(address=ADDRESS, options=self.options, **span)

    def stands(self, name: str) -> State:
        return self.look(name)[name].state


def under(world: LinkedInWorld, number: str, post: str = "") -> str:
    """The native id of a comment."""
    return f"{post or world.said[number].post}/{number}"


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(SECRET) as client:
        yield client


@pytest.fixture
def world() -> Iterator[LinkedInWorld]:
    with LinkedInWorld() as page:
        yield page


@pytest.fixture
def visit(world: LinkedInWorld, http: EvidenceClient) -> Visit:
    return Visit(world, http)


# --- how it is asked ----------------------------------------------------------------------------------------


def test_every_question_bears_the_version_and_the_protocol_and_the_token_is_in_no_address(
    world: LinkedInWorld, visit: Visit
):
    world.say(world.post("Closed"), "Why?")
    batches = visit.observe()
    assert all(headers["LinkedIn-Version"] == versions.OURS for headers in world.headers)
    assert all(headers["X-Restli-Protocol-Version"] == "2.0.0" for headers in world.headers)
    assert not any(LinkedInWorld.token[:8] in target for target in world.asked)
    kept = repr([exchange for batch in batches for exchange in batch.exchanges])
    assert LinkedInWorld.token not in kept
    assert LinkedInWorld.token not in "".join(batch.resume_from for batch in batches)


def test_without_a_permission_the_page_is_not_connected(world: LinkedInWorld, http: EvidenceClient):
    page = Page(address=ADDRESS, options={"api": world.api})
    with pytest.raises(AccessRevoked, match="not connected"):
        list(LinkedIn(http, {}).observe(page, None))
    assert world.asked == []


def test_a_permission_that_is_renewed_meanwhile_is_used(world: LinkedInWorld, http: EvidenceClient):
    world.post("Closed")
    secret = {"access_token": "the-token-of-yesterday-0123"}
    connector = LinkedIn(http, secret)
    secret["access_token"] = LinkedInWorld.token
    assert list(connector.observe(Page(address=ADDRESS, options={"api": world.api}), None))


def test_the_organisation_is_found_by_its_name_first_and_by_its_number_afterwards(
    world: LinkedInWorld, visit: Visit
):
    world.post("Closed")
    last = visit.observe()[-1].resume_from
    assert asked(world, "q=vanityName") == 1
    world.asked.clear()
    visit.observe(last)
    assert asked(world, "q=vanityName") == 0
    assert asked(world, f"organizations/{NUMBER}") == 1


def test_a_page_that_is_not_there_is_no_page(world: LinkedInWorld, visit: Visit):
    world.name = ""
    with pytest.raises(NoSuchPage, match="shows no organisation"):
        visit.observe()
    with pytest.raises(NoSuchPage, match="names no organisation"):
        list(visit.connector.observe(Page(address="https://www.linkedin.com/in/jo"), None))


def test_an_address_in_clear_is_not_asked(http: EvidenceClient):
    page = Page(address=ADDRESS, options={"api": "http://gateway.town.example/rest"})
    with pytest.raises(AddressRefused, match="in clear"):
        list(LinkedIn(http, SECRET).observe(page, None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", "1"),
        ("page_size", "101"),
        ("answered_within", "many"),
        ("names", "perhaps"),
        ("version", "2026-07"),
        ("version", "202613"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    world: LinkedInWorld, http: EvidenceClient, name: str, value: str
):
    with pytest.raises(ConnectorError, match=name):
        Visit(world, http, **{name: value}).observe()


# --- what is seen -------------------------------------------------------------------------------------------


def test_introduction_posts_comments_and_answers_are_seen_with_what_belongs_to_them(
    world: LinkedInWorld, visit: Visit
):
    film = world.post(
        "Closed \\(now\\)", content={"media": {"id": "urn:li:video:V1", "title": "Film"}}, kind="ugcPost"
    )
    first = world.say(film, "Until when?")
    answer = world.say(film, "Until six.", by=URN, to=first)
    again = world.say(film, "Really?", by=AL, to=first)
    shared = world.post("See", reshares="urn:li:share:99")
    batches = visit.observe()
    found = seen(batches)
    assert set(found) == {URN, film, shared, *(under(world, one) for one in (first, answer, again))}
    page = found[URN]
    assert (page.kind, page.text) == (
        Kind.PROFILE,
        "Test Town Police\n\nHere for Test Town\n\nThe department's own page.",
    )
    assert [(file.id, file.url) for file in page.attachments] == [
        ("logo:urn:li:image:C4DlogoA", f"{world.address}/dms/C4DlogoA?e=17&v=beta&t=night1")
    ]
    assert found[film].attachments[0].url == f"{world.address}/dms/V1?e=17&v=beta&t=night1"
    assert found[film].counts["comments"] == 3
    assert found[shared].extra["reshared"] == {"parent": "urn:li:share:99", "root": "urn:li:share:99"}
    assert found[under(world, answer)].kind is Kind.REPLY
    assert found[under(world, again)].in_reply_to == under(world, first)
    assert gaps(batches) == {}
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    assert [one.stated_total for one in listings(batches) if Kind.COMMENT in one.kinds] == [3]


def test_a_page_without_posts_is_seen_whole(world: LinkedInWorld, visit: Visit):
    batches = visit.observe()
    assert set(seen(batches)) == {URN}
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_of_posts_without_comments_no_list_is_asked_for(world: LinkedInWorld, visit: Visit):
    world.post("Closed")
    visit.observe()
    assert asked(world, "/comments") == 0


@pytest.mark.parametrize("summaries", [True, False])
def test_answers_are_found_whether_or_not_comments_say_that_they_have_any(
    world: LinkedInWorld, visit: Visit, *, summaries: bool
):
    world.summaries = summaries
    post = world.post("Closed")
    first = world.say(post, "Why?")
    answer = world.say(post, "Ice.", to=first)
    lonely = world.post("Open")
    world.say(lonely, "Thanks")
    assert under(world, answer) in seen(visit.observe())
    below = asked(world, "urn%3Ali%3Acomment")
    assert below == 1, "a post whose comments were all met has no answers to look for"


def test_a_long_thread_is_read_to_its_end(world: LinkedInWorld, http: EvidenceClient):
    post = world.post("Closed")
    first = world.say(post, "0")
    names = [world.say(post, str(number)) for number in range(1, 12)]
    names += [world.say(post, str(number), to=first) for number in range(12, 20)]
    batches = Visit(world, http, page_size="3").observe()
    assert {under(world, name) for name in (first, *names)} <= set(seen(batches))
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_an_edit_of_a_post_bears_its_time_and_so_does_that_of_a_comment(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    name = world.say(post, "Why?")
    world.amend(post, "Open again")
    world.amend(name, "Why not?")
    found = seen(visit.observe())
    assert found[post].text == "Open again"
    assert found[post].edited_at == world.entries[post].modified
    assert (found[under(world, name)].text, found[under(world, name)].edited_at) == (
        "Why not?",
        world.said[name].changed,
    )


def test_what_is_edited_while_the_list_of_posts_is_read_is_seen_all_the_same(
    world: LinkedInWorld, http: EvidenceClient
):
    names = [world.post(f"Post {number}") for number in range(9)]
    oldest = names[0]
    edits = iter([oldest])

    def edit(path: str) -> None:
        if path.endswith("/posts") and asked(world, "/posts?") == 2:
            for name in edits:
                world._now = NOW
                world.amend(name, "Corrected")

    world.before = edit
    batches = Visit(world, http, page_size="3").observe()
    assert seen(batches)[oldest].text == "Corrected"
    assert set(names) <= set(seen(batches))


def test_a_list_of_posts_that_shifts_each_time_is_said_to_be_unsure(
    world: LinkedInWorld, http: EvidenceClient
):
    names = [world.post(f"Post {number}") for number in range(40)]
    falling = iter(reversed(names))

    def remove(path: str) -> None:
        if path.endswith("/posts"):
            world.delete(next(falling))

    world.before = remove
    batches = Visit(world, http, page_size="5").observe()
    assert "removed each time" in gaps(batches)["posts"]
    assert Kind.POST not in kinds(batches)


def test_posts_that_linkedin_leaves_out_of_its_answers_make_no_uncertain_list(
    world: LinkedInWorld, http: EvidenceClient
):
    for number in range(9):
        world.post(f"Post {number}")
    world.leaves_out = 1
    batches = Visit(world, http, page_size="4").observe()
    assert gaps(batches) == {}
    assert Kind.POST in kinds(batches)


@pytest.mark.parametrize("empty", [0, 3, 6])
def test_an_empty_answer_that_leads_on_is_not_the_end_of_the_posts(
    world: LinkedInWorld, http: EvidenceClient, empty: int
):
    """LinkedIn drops what it does not show after it has counted off an answer."""
    posts = [world.post(f"Post {number}") for number in range(14)]

    def leave_out(_path: str) -> None:
        world.leaves_out = 100 if f"start={empty}&" in world.asked[-1] else 0

    world.before = leave_out
    batches = Visit(world, http, page_size="4").observe()
    missing = set(posts) - seen(batches).keys()
    assert len(missing) <= 4, f"all but what stands in the empty answer is seen, and not without {missing}"


def test_drafts_are_read_where_the_option_says_so_and_are_hidden(world: LinkedInWorld, http: EvidenceClient):
    draft = world.post("Not yet", lifecycle="DRAFT")
    assert draft not in seen(Visit(world, http).observe())
    batches = Visit(world, http, drafts="yes").observe()
    assert seen(batches)[draft].state is State.HIDDEN
    (of_posts,) = [one for one in listings(batches) if one.kinds == [Kind.POST]]
    assert set(of_posts.states) == {State.PRESENT, State.HIDDEN}


def test_comments_that_are_turned_off_are_told_with_their_post(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    name = world.say(post, "Why?")
    world.close_comments(post)
    batches = visit.observe()
    assert seen(batches)[post].extra["comments"] == "turned off"
    assert gaps(batches) == {}
    looked = visit.look(under(world, name, post))[under(world, name, post)]
    assert (looked.state, "turned off" in looked.reason) == (State.GONE, True)


def test_an_answer_that_is_compressed_all_the_same_is_owned_whole(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    world.say(post, "Why?")
    world.compresses = True
    for batch in visit.observe():
        for one in batch.observations:
            for span in one.evidence:
                assert (span.start, span.end) == (0, len(batch.exchanges[span.exchange].body))


def test_every_byte_of_a_posts_and_a_comments_words_belongs_to_them(
    world: LinkedInWorld, http: EvidenceClient
):
    """Whatever is told of somebody's words is an observation's evidence, in passes over a span of time too."""
    for number in range(5):
        post = world.post(f"POSTED {number}")
        world.say(post, f"REMARKED {number}")
        world.tick(days=12)
    world.amend(next(iter(world.entries)), "POSTED anew")
    visit = Visit(world, http, page_size="2", answered_within="0")
    spans: tuple[dict[str, datetime | None], ...] = (
        {},
        {"published_from": NOW - timedelta(days=20)},
        {"published_until": NOW - timedelta(days=30)},
    )
    for span in spans:
        for batch in visit.observe(None, **span):
            owned = {
                (one.exchange, place)
                for seen_ in batch.observations
                for one in seen_.evidence
                for place in range(one.start, one.end)
            }
            for index, exchange in enumerate(batch.exchanges):
                for word in (b"POSTED", b"REMARKED"):
                    at = exchange.body.find(word)
                    while at >= 0:
                        assert (index, at) in owned, f"{exchange.url}: whose words are these?"
                        at = exchange.body.find(word, at + 1)


# --- one post, several names --------------------------------------------------------------------------------


def test_a_post_is_one_whatever_lists_comments_and_notices_call_it(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    name = world.say(post, "Why?")
    first = visit.observe()
    activity = world.entries[post].activity
    assert activity not in post
    assert all(activity not in one for one in seen(first)), "the activity is no post of its own"
    world._now = NOW - timedelta(minutes=30)
    world.delete(name)
    second = visit.observe(first[-1].resume_from)
    gone = sighted(second)[f"{post}/{name}"]
    assert gone.state is State.GONE
    assert "COMMENT_DELETE" in gone.reason


# --- what LinkedIn has to tell ------------------------------------------------------------------------------


def test_a_pass_over_a_span_reads_older_posts_of_which_linkedin_tells(
    world: LinkedInWorld, http: EvidenceClient
):
    visit = Visit(world, http, page_size="2")
    old = world.post("Long ago")
    for number in range(4):
        world.post(f"Not answered {number}")
    cursor = visit.observe()[-1].resume_from
    world._now = NOW - timedelta(minutes=30)
    late = world.say(old, "Still true?")
    new = world.post("New")
    batches = visit.observe(cursor, published_from=NOW - timedelta(days=10))
    assert {old, new, under(world, late)} <= set(seen(batches))
    assert asked(world, f"posts/{old.replace(':', '%3A')}") == 1
    named = {one.in_reply_to for one in listings(batches)}
    assert {old, new} <= named
    (of_posts,) = [one for one in listings(batches) if one.kinds == [Kind.POST]]
    assert of_posts.published_from == NOW - timedelta(days=10)


def test_a_post_whose_other_name_is_not_known_is_told_beside_the_notice_or_is_a_gap(
    world: LinkedInWorld, http: EvidenceClient
):
    visit = Visit(world, http, page_size="2")
    old = world.post("Long ago")
    for number in range(4):
        world.post(f"Not answered {number}")
    world.tick(days=45)
    late = world.say(old, "Still true?")
    since = NOW - timedelta(days=10)
    lacking = visit.observe(None, published_from=since)
    assert under(world, late) not in seen(lacking)
    assert "a pass over everything reads it" in gaps(lacking)["comments"]
    world.decorates = True
    assert under(world, late) in seen(visit.observe(None, published_from=since))


def test_an_older_post_that_is_gone_meanwhile_is_no_failure(world: LinkedInWorld, http: EvidenceClient):
    visit = Visit(world, http, page_size="2")
    old = world.post("Long ago")
    for number in range(4):
        world.post(f"Not answered {number}")
    world.tick(days=45)
    world.say(old, "Still true?")
    world.delete(old)
    world.decorates = True
    batches = visit.observe(None, published_from=NOW - timedelta(days=10))
    assert asked(world, f"posts/{old.replace(':', '%3A')}") == 1
    assert gaps(batches) == {}


def test_notices_are_asked_for_again_only_from_where_they_were_heard(world: LinkedInWorld, visit: Visit):
    world.say(world.post("Closed"), "Why?")
    cursor = visit.observe()[-1].resume_from
    world.asked.clear()
    visit.observe(cursor)
    (target,) = [one for one in world.asked if "Notifications" in one]
    start = int(target.partition("start:")[2].partition(",")[0])
    assert start == int((NOW - timedelta(hours=1)).timestamp() * 1000)


def test_many_notices_are_read_to_their_end(world: LinkedInWorld, visit: Visit):
    old = world.post("Long ago")
    other = world.post("Longer ago")
    world.tick(days=40)
    world.say(other, "Me too")
    for _ in range(150):
        world._tell("COMMENT_EDIT", old, "1")
    world.decorates = True
    batches = visit.observe(None, published_from=NOW - timedelta(days=20))
    assert other in seen(batches)
    assert asked(world, "Notifications") == 2


def test_notices_that_are_kept_from_us_are_a_gap_unless_they_are_not_wanted(
    world: LinkedInWorld, http: EvidenceClient
):
    world.post("Closed")
    world.scopes = {SOCIAL, FEED}
    lacking = Visit(world, http).observe()
    assert "ACCESS_DENIED" in gaps(lacking)["what LinkedIn tells by itself"]
    assert kinds(lacking) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    world.asked.clear()
    assert gaps(Visit(world, http, notices="no").observe()) == {}
    assert asked(world, "Notifications") == 0


@pytest.mark.parametrize("answer", [(500, {}, b""), (200, HTML, SIGN_IN)])
def test_notices_at_which_linkedin_always_fails_keep_nothing_else_from_being_read(
    world: LinkedInWorld, visit: Visit, answer: tuple[int, dict[str, str], bytes]
):
    world.say(world.post("Closed"), "Why?")
    world.trouble = lambda path: answer if "organizationalEntityNotifications" in path else None
    batches = visit.observe()
    assert gaps(batches).keys() == {"what LinkedIn tells by itself"}
    assert {Kind.POST, Kind.COMMENT} <= kinds(batches)
    world.trouble = None
    before = asked(world, "organizationalEntityNotifications")
    assert gaps(visit.observe(batches[-1].resume_from)) == {}
    assert asked(world, "organizationalEntityNotifications") > before, "they are asked for again"


def test_notices_at_which_linkedin_failed_are_heard_again_also_after_a_pass_that_was_broken_off_behind_them(
    world: LinkedInWorld, visit: Visit
):
    post = world.post("Closed")
    world.tick(days=50)
    name = world.say(post, "Still?")
    for _ in range(110):
        world._tell("COMMENT", post, name)
    world.decorates = True
    span: dict[str, Any] = {"published_from": world.said[name].at - timedelta(days=1)}
    assert json.loads(visit.observe(**span)[-1].resume_from)["told"] is not None

    def fails_behind(query: Mapping[str, str]) -> dict[str, Any]:
        if int(query["start"]):
            raise Refused(500, "INTERNAL_SERVER_ERROR", "", 0)
        return LinkedInWorld._notices(world, query)

    world.__dict__["_notices"] = fails_behind
    batches = visit.observe(**span)
    assert under(world, name) in seen(batches)
    broken = next(batch.resume_from for batch in batches if batch.gaps)
    assert broken != batches[-1].resume_from
    for last in (batches[-1], visit.observe(broken, **span)[-1]):
        assert json.loads(last.resume_from)["told"] is None


def test_notices_are_asked_for_without_the_words_that_they_are_about(world: LinkedInWorld, visit: Visit):
    world.say(world.post("Closed"), "Why?")
    visit.observe()
    (target,) = [one for one in world.asked if "Notifications" in one]
    assert "decoratedGeneratedActivity" not in target
    assert "fields=" in target


def test_a_span_that_lies_before_what_linkedin_tells_asks_for_none(world: LinkedInWorld, visit: Visit):
    world.post("Closed")
    visit.observe(None, published_from=NOW - timedelta(days=400), published_until=NOW - timedelta(days=200))
    assert asked(world, "Notifications") == 0


def test_a_delivery_leads_to_a_family_that_shows_it(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    name = world.say(post, "Why?")
    world.decorates = True
    (wanted,) = LinkedIn.hooks.wanted(told.read(world.delivery(world.happened[-1])), NOW)
    assert (wanted.page, wanted.families) == (URN, (post,))
    assert under(world, name) in seen(visit.family(wanted.families[0]))
    world.delete(name)
    (wanted,) = LinkedIn.hooks.wanted(told.read(world.delivery(world.happened[-1])), NOW)
    ((_, looked),) = wanted.looks
    assert visit.stands(looked) is State.GONE


# --- names and files ----------------------------------------------------------------------------------------


def test_names_are_asked_for_where_the_option_says_so(world: LinkedInWorld, http: EvidenceClient):
    post = world.post("Closed")
    known, nobody = world.say(post, "Why?", by=AL), world.say(post, "Why?", by="urn:li:person:gone3")
    plain = seen(Visit(world, http).observe())[under(world, known)]
    assert plain.author is not None
    assert (plain.author.id, plain.author.name) == (AL, None)
    assert asked(world, "/people") == 0
    batches = Visit(world, http, names="yes").observe()
    found = seen(batches)
    assert found[under(world, known)].author.name == "Al Smith"  # type: ignore[union-attr]  # it has one
    assert found[under(world, nobody)].author.name is None  # type: ignore[union-attr]  # it has one
    batch = next(one for one in batches if under(world, known) in seen([one]))
    last = found[under(world, known)].evidence[-1]
    assert b"Smith" in batch.exchanges[last.exchange].body[last.start : last.end]


def test_names_that_are_kept_from_us_are_a_gap_and_the_comments_are_seen(
    world: LinkedInWorld, http: EvidenceClient
):
    name = world.say(world.post("Closed"), "Why?")
    world.shut["people"] = Refused(403, "ACCESS_DENIED", "", 100)
    batches = Visit(world, http, names="yes").observe()
    assert "ACCESS_DENIED" in gaps(batches)["names of those who comment"]
    assert under(world, name) in seen(batches)
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_file_that_is_still_processed_or_kept_from_us_keeps_its_name(world: LinkedInWorld, visit: Visit):
    post = world.post("Film", content={"media": {"id": "urn:li:video:V-processing"}})
    image = world.post("Picture", content={"media": {"id": "urn:li:image:I"}})
    world.shut["images"] = Refused(403, "ACCESS_DENIED", "", 100)
    batches = visit.observe()
    found = seen(batches)
    assert [(file.id, file.url) for file in found[post].attachments] == [("urn:li:video:V-processing", None)]
    assert [(file.id, file.url) for file in found[image].attachments] == [("urn:li:image:I", None)]
    assert "ACCESS_DENIED" in gaps(batches)["files (images)"]


def test_an_application_that_may_not_ask_for_several_at_once_asks_one_by_one_and_tries_once(
    world: LinkedInWorld, http: EvidenceClient
):
    world.together = False
    names = [world.post(f"Post {number}") for number in range(6)]
    world.say(names[0], "Why?")
    batches = Visit(world, http, page_size="4").observe()
    assert set(names) <= set(seen(batches))
    assert asked(world, "socialMetadata?ids=") == 1
    assert gaps(batches) == {}


# --- what is kept from us -----------------------------------------------------------------------------------


def test_comments_that_are_kept_from_us_are_a_gap_and_posts_are_seen(world: LinkedInWorld, visit: Visit):
    post, other = world.post("Closed"), world.post("Open")
    world.say(post, "Why?")
    world.say(other, "Why?")
    world.scopes = {SOCIAL, ADMIN}
    batches = visit.observe()
    assert {post, other} <= set(seen(batches))
    assert "ACCESS_DENIED" in gaps(batches)["comments"]
    assert kinds(batches) == {Kind.POST}
    assert asked(world, "/comments") == 1, "whoever is shown no comments of one post is shown none at all"


def test_comments_that_are_counted_and_not_listed_are_a_gap(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    world.miscounts = 2
    batches = visit.observe()
    assert "counts 2 and lists none" in gaps(batches)["comments"]
    assert kinds(batches) == {Kind.POST}
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [post]


@pytest.mark.parametrize("lost", ["role", "scope"])
def test_posts_that_are_kept_from_us_mean_that_access_was_revoked(
    world: LinkedInWorld, visit: Visit, lost: str
):
    world.post("Closed")
    if lost == "role":
        world.role = None
    else:
        world.scopes = {FEED, ADMIN}
    with pytest.raises(AccessRevoked, match="posts are not shown"):
        visit.observe()


@pytest.mark.parametrize("dead", [INVALID, REVOKED, EXPIRED])
def test_a_token_that_is_refused_means_that_access_was_revoked(
    world: LinkedInWorld, visit: Visit, dead: Refused
):
    world.dead = dead
    with pytest.raises(AccessRevoked, match=str(dead.service)) as raised:
        visit.observe()
    assert raised.value.exchanges


def test_a_limit_of_the_day_is_waited_out_until_midnight_utc(world: LinkedInWorld, visit: Visit):
    world.post("Closed")
    limited = (429, JSON, world.error(DAILY))
    world.trouble = lambda path: limited if path.endswith("/posts") else None
    with pytest.raises(TryAgainLater, match="midnight UTC") as raised:
        visit.observe()
    assert raised.value.after == timedelta(hours=21)
    assert [one.status for one in raised.value.exchanges][-1] == 429


def test_a_version_that_has_ended_is_said_to_the_operator(world: LinkedInWorld, http: EvidenceClient):
    with pytest.raises(VersionEnded, match="202412"):
        Visit(world, http, version="202412").observe()
    assert world.post("Closed") in seen(Visit(world, http, version="202609").observe())


@pytest.mark.parametrize(
    "answer",
    [
        (200, HTML, SIGN_IN),
        (200, JSON, b""),
        (200, JSON, b'{"elements":{}}'),
        (200, JSON, b'{"elements":[{"commentary":"without an id"},null,{"id":3}]}'),
        (403, HTML, b"<html>blocked</html>"),
        (404, HTML, b"<html>nothing</html>"),
        (204, JSON, b""),
    ],
)
def test_an_answer_of_another_shape_is_unexpected_and_promises_nothing(
    world: LinkedInWorld, visit: Visit, answer: tuple[int, dict[str, str], bytes]
):
    world.post("Closed")
    world.trouble = lambda path: answer if path.endswith("/posts") else None
    batches: list[Batch] = []
    with pytest.raises(UnexpectedResponse):
        batches.extend(visit.connector.observe(visit.page(), None))
    assert listings(batches) == []


# --- what is of another shape among others ------------------------------------------------------------------

STRANGE: list[object] = [None, {"strange": [[]]}, {"id": None}, {"id": ""}, [[]]]
BARE: dict[str, object] = {"id": "urn:li:share:1", "author": [[]]}


@pytest.mark.parametrize(("strange", "named"), [*((one, None) for one in STRANGE), (BARE, BARE["id"])])
def test_a_post_of_another_shape_is_a_gap_and_those_beside_and_behind_it_are_read(
    world: LinkedInWorld, http: EvidenceClient, strange: object, named: str | None
):
    """Answers overlap by one item: one that cannot be read keeps its place in the list, wherever in an answer it stands."""
    posts = [world.post(f"Bridge {number}") for number in range(7)]
    said = {post: f"{post}/{world.say(post, 'Why?')}" for post in posts}
    visit = Visit(world, http, page_size="3")
    whole = visit.observe()
    assert kinds(whole) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    for odd in (posts[6], posts[4], posts[3], posts[0]):
        tell = tells(world, "_post", instead_of(odd, strange))
        batches = visit.observe()
        rest = {*posts, *said.values()} - {odd, said[odd]}
        assert set(seen(batches)) - {URN} == rest
        found = [one for batch in batches for one in batch.gaps]
        assert {(one.what, one.native_id) for one in found} == {("a post", named)}
        assert all("another shape" in one.why for one in found)
        assert all(one.why.endswith("Every later pass asks again.") for one in found)
        assert listings(batches) == [], "it may have been published at any time, and may be answered"
        broken = next(batch.resume_from for batch in batches if batch.gaps)
        assert listings(visit.observe(broken)) == [], "a pass that goes on behind it remembers it"
        tell.clear()
        again = visit.observe(batches[-1].resume_from)
        assert {odd, said[odd]} <= set(seen(again))
        assert kinds(again) == kinds(whole)
        assert not gaps(again)


def test_a_list_of_posts_of_which_none_can_be_read_is_an_error_and_one_of_two_is_a_gap(
    world: LinkedInWorld, visit: Visit
):
    for words in ("Bridge", "Ferry"):
        world.post(words)
    tells(world, "_post", lambda _one: None)
    batches = visit.observe()
    assert [one.what for batch in batches for one in batch.gaps] == ["a post", "a post"]
    world.post("Hill")
    with pytest.raises(UnexpectedResponse, match="not of LinkedIn's shape"):
        visit.observe()


@pytest.mark.parametrize("strange", STRANGE[:2])
@pytest.mark.parametrize("narrowed", [False, True])
def test_a_comment_of_another_shape_is_a_gap_and_no_list_in_which_it_may_stand_is_promised(
    world: LinkedInWorld, http: EvidenceClient, strange: object, narrowed: bool
):
    post, other = world.post("Closed"), world.post("Open")
    names = [world.say(post, f"Why {number}?") for number in range(5)]
    answers = {name: world.say(post, "Ice.", to=name) for name in names}
    beside = world.say(other, "Nice.")
    visit = Visit(world, http, page_size="2")
    span: dict[str, Any] = {"published_from": datetime(2026, 1, 1, tzinfo=UTC)} if narrowed else {}
    for odd in (names[1], names[4]):
        tell = tells(world, "_comment", instead_of(odd, strange))
        batches = visit.observe(**span)
        told_ = set(seen(batches))
        missed = {under(world, odd), under(world, answers[odd])}
        assert {under(world, name) for name in (*names, *answers.values(), beside)} - told_ == missed
        assert {(one.what, one.native_id) for batch in batches for one in batch.gaps} == {("a comment", None)}
        below = {one.in_reply_to for one in listings(batches) if Kind.COMMENT in one.kinds}
        rest = {under(world, name) for name in names if name != odd}
        assert below == ({other, *rest} if narrowed else set())
        assert kinds(batches) == {Kind.POST}
        begins = next(place for place, batch in enumerate(batches) if batch.gaps)
        for batch in batches[begins:-1:3]:
            later = visit.observe(batch.resume_from, **span)
            assert not {post, None} & {
                one.in_reply_to for one in listings(later) if Kind.COMMENT in one.kinds
            }
        tell.clear()
        again = visit.observe(batches[-1].resume_from, **span)
        assert missed <= set(seen(again))
        assert not gaps(again)


def test_an_answer_of_another_shape_may_answer_whatever_stands_beside_it(
    world: LinkedInWorld, http: EvidenceClient
):
    """LinkedIn may hang an answer to an answer on the first comment: no list of the answers to either is promised."""
    post = world.post("Closed")
    first = world.say(post, "Why?")
    second, odd = world.say(post, "Ice.", to=first), world.say(post, "Snow.", to=first)
    third = world.say(post, "Really?", to=second)
    visit = Visit(world, http)
    both = {under(world, first), under(world, second)}
    assert both <= {one.in_reply_to for one in listings(visit.family(post))}
    tells(world, "_comment", lambda one: None if one["id"] == odd else one)
    batches = visit.family(post)
    assert under(world, third) in seen(batches)
    assert {one.in_reply_to for one in listings(batches)} == {post}


def test_a_family_in_which_a_comment_is_of_another_shape_promises_no_list_that_it_may_stand_in(
    world: LinkedInWorld, http: EvidenceClient
):
    post = world.post("Closed")
    names = [world.say(post, f"Why {number}?") for number in range(3)]
    answer = world.say(post, "Ice.", to=names[0])
    visit = Visit(world, http, page_size="2")
    assert post in {one.in_reply_to for one in listings(visit.family(post))}
    bare = {"id": names[1], "actor": [[]]}
    tell = tells(world, "_comment", lambda one: bare if one["id"] == names[1] else one)
    batches = visit.family(post)
    assert {under(world, name) for name in (names[0], names[2], answer)} <= set(seen(batches))
    assert {(one.what, one.native_id) for batch in batches for one in batch.gaps} == {
        ("a comment", under(world, names[1]))
    }
    assert {one.in_reply_to for one in listings(batches)} == {under(world, names[0])}
    tell.clear()
    tells(world, "_post", lambda _one: None)
    batches = visit.family(post)
    assert listings(batches) == []
    assert [one.native_id for batch in batches for one in batch.gaps] == [post]


def test_looking_at_items_of_which_one_is_of_another_shape_tells_of_the_others(
    world: LinkedInWorld, visit: Visit
):
    posts = [world.post(words) for words in ("Bridge", "Ferry", "Hill", "Hall")]
    odd = [posts[1]]
    tells(world, "_post", lambda one: None if one["id"] in odd else one)
    assert [one.state for one in visit.look(*posts).values()] == [
        State.PRESENT,
        State.UNKNOWN,
        State.PRESENT,
        State.PRESENT,
    ]
    odd[:] = posts
    with pytest.raises(UnexpectedResponse):
        visit.look(*posts)


def test_a_comment_is_not_gone_where_one_of_its_post_is_of_another_shape(world: LinkedInWorld, visit: Visit):
    """Those that are found below are told all the same."""
    world.answers_below_post = False
    post = world.post("Closed")
    odd, kept, removed = (world.say(post, words) for words in ("Why?", "When?", "Where?"))
    answer = world.say(post, "Ice.", to=kept)
    world.delete(removed, tells=False)
    names = [under(world, one, post) for one in (removed, answer)]
    assert [visit.stands(name) for name in names] == [State.GONE, State.PRESENT]
    tells(world, "_comment", lambda one: None if one["id"] == odd else one)
    world.miscounts = -1
    assert [visit.stands(name) for name in names] == [State.UNKNOWN, State.PRESENT]


@pytest.mark.parametrize("strange", [None, {"strange": 1}, {"notificationId": 4, "action": None}])
def test_a_notice_of_another_shape_is_a_gap_and_heard_again_and_the_others_are_heard(
    world: LinkedInWorld, http: EvidenceClient, strange: object
):
    visit = Visit(world, http)
    post = world.post("Closed")
    names = [world.say(post, f"Why {number}?") for number in range(3)]
    for _ in range(110):
        world._tell("COMMENT", post, names[0])
    for name in names:
        world.delete(name)
    odd = f"urn:li:comment:(activity:{world.entries[post].activity},{names[1]})"

    def told_of(one: dict[str, Any]) -> object:
        removed = one["action"] == "COMMENT_DELETE" and one["generatedActivity"] == odd
        return strange if removed else one

    tell = tells(
        world, "_notices", lambda told_: {**told_, "elements": [told_of(one) for one in told_["elements"]]}
    )
    batches = visit.observe()
    gone = [under(world, name, post) for name in names]
    assert set(sighted(batches)) == {gone[0], gone[2]}
    (gap,) = [one for batch in batches for one in batch.gaps]
    assert (gap.what, gap.native_id) == ("what LinkedIn tells by itself", None)
    assert gap.since is not None
    broken = next(batch.resume_from for batch in batches if batch.gaps)
    resumed = visit.observe(broken)
    assert not gaps(resumed)
    tell.clear()
    for later in (batches, resumed):
        again = visit.observe(later[-1].resume_from)
        assert gone[1] in sighted(again)
        assert not gaps(again)


def test_what_linkedin_told_on_a_post_that_a_whole_pass_could_not_read_is_heard_again(
    world: LinkedInWorld, http: EvidenceClient
):
    """The next pass is over a span that the post is older than: only a notice leads to it."""
    visit = Visit(world, http)
    post, other = world.post("Closed"), world.post("Open")
    world.tick(days=50)
    late = world.say(post, "Still?")
    world.decorates = True
    tell = tells(world, "_post", lambda one: None if one["id"] == post else one)
    batches = visit.observe()
    assert other in seen(batches)
    assert under(world, late) not in seen(batches)
    tell.clear()
    span: dict[str, Any] = {"published_from": world.said[late].at - timedelta(days=1)}
    assert under(world, late) in seen(visit.observe(batches[-1].resume_from, **span))


def test_counts_files_and_names_of_another_shape_cost_nothing_but_themselves(
    world: LinkedInWorld, http: EvidenceClient
):
    files = [{"id": f"urn:li:image:P{number}"} for number in range(2)]
    posts = [world.post(f"Bridge {number}", content={"multiImage": {"images": files}}) for number in range(2)]
    said = [world.say(posts[0], "Why?", by=by) for by in ("urn:li:person:jo-Public_1", AL)]
    visit = Visit(world, http, names="yes")
    tells(
        world,
        "_metadata",
        lambda one: [[]] if one["entity"].endswith(world.entries[posts[0]].activity) else one,
    )
    tells(world, "_file", lambda one: [[]] if one["id"] == files[0]["id"] else one)
    tells(world, "_person", lambda one: {"localizedFirstName": [[]]} if one["id"] == "al2" else one)
    world.asked.clear()
    batches = visit.observe()
    told_ = seen(batches)
    assert "comments" not in told_[posts[0]].counts
    assert told_[posts[1]].counts["comments"] == 0
    assert [bool(one.url) for one in told_[posts[0]].attachments] == [False, True]
    assert told_[posts[0]].files_told
    names = [told_[under(world, one)].author for one in said]
    assert [(one.id, one.name) for one in names if one] == [
        ("urn:li:person:jo-Public_1", "Jo Public"),
        (AL, None),
    ]
    assert {(one.what, one.native_id) for batch in batches for one in batch.gaps} == {
        ("counts of a post", posts[0]),
        ("a file (images)", None),
        ("the name of someone who comments", None),
    }
    assert asked(world, "ids=") == 4, "nothing is asked for one by one, logo and pictures apart"
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


@pytest.mark.parametrize(
    ("content", "told_"),
    [
        ({}, True),
        ({"media": {"id": "urn:li:image:P1"}}, True),
        ({"multiImage": {"images": [{"id": "urn:li:image:P1"}, {"id": "urn:li:image:P2"}]}}, True),
        ({"article": {"source": "https://town.example", "thumbnail": "urn:li:image:P1"}}, True),
        ({"article": {"source": "https://town.example"}}, True),
        ({"carousel": {"cards": [{"media": {"id": "urn:li:image:P1"}}, {}]}}, True),
        ({"poll": {"question": "Open?"}}, True),
        ({"multiImage": {"images": [{"id": "urn:li:image:P1"}, None]}}, False),
        ({"multiImage": {"images": [{"id": "urn:li:image:P1"}, {"id": None}]}}, False),
        ({"multiImage": None, "media": {"id": 4}}, False),
        ({"multiImage": {"images": "urn:li:image:P1"}}, False),
        ({"article": {"thumbnail": {"id": "urn:li:image:P1"}}}, False),
        ({"carousel": {"cards": [{"media": {"id": "urn:li:image:P1"}}, None]}}, False),
        ([[]], False),
    ],
)
def test_a_file_that_a_post_does_not_name_is_not_one_that_was_taken_away(
    world: LinkedInWorld, visit: Visit, content: dict[str, object], told_: bool
):
    post = world.post("Closed", content=content)
    batches = visit.observe()
    assert seen(batches)[post].files_told is told_
    found = [(one.what, one.native_id) for batch in batches for one in batch.gaps]
    assert found == ([] if told_ else [("a file of a post", post)])


def _asked_of_readers(*options: object, question: object = "Open later?") -> dict[str, object]:
    return {"poll": {"question": question, "options": list(options)}}


@pytest.mark.parametrize("odd", [None, "Later", {"text": None}, {"text": ["Later"]}, {"voteCount": 2}])
def test_a_choice_of_a_poll_that_cannot_be_read_is_a_gap_and_the_others_keep_their_votes(
    world: LinkedInWorld, visit: Visit, odd: object
):
    yes, no = {"text": "Yes", "voteCount": 4}, {"text": "No", "voteCount": 1}
    post = world.post("Vote", content=_asked_of_readers(yes, odd, no))
    batches = visit.observe()
    shown = seen(batches)[post]
    assert shown.text == "Vote\n\nOpen later?\nYes\nNo"
    assert (shown.counts["votes 1"], shown.counts["votes 3"]) == (4, 1)
    assert [(one.what, one.native_id) for batch in batches for one in batch.gaps] == [
        ("the words of a poll or an article", post)
    ]


@pytest.mark.parametrize(
    "content",
    [
        _asked_of_readers(question=["Open later?"]),
        {"poll": {"question": "Open later?", "options": {"text": "Yes"}}},
        {"poll": 1},
        {"article": {"source": "https://town.example", "title": ["Budget"]}},
    ],
)
def test_a_question_or_a_title_that_cannot_be_read_is_a_gap(
    world: LinkedInWorld, visit: Visit, content: dict[str, object]
):
    post = world.post("Vote", content=content)
    assert ("the words of a poll or an article", post) in [
        (one.what, one.native_id) for batch in visit.observe() for one in batch.gaps
    ]


def test_a_choice_that_is_a_number_is_told_in_its_figures_and_is_no_gap(world: LinkedInWorld, visit: Visit):
    post = world.post("Vote", content=_asked_of_readers({"text": 2026}, {"text": "Later"}, {"text": ""}))
    batches = visit.observe()
    assert seen(batches)[post].text == "Vote\n\nOpen later?\n2026\nLater"
    assert not [one for batch in batches for one in batch.gaps]


@pytest.mark.parametrize("odd", [None, {"entity": 4}, "urn:li:image:P1"])
def test_a_picture_that_a_comment_does_not_name_is_not_one_that_was_taken_away(
    world: LinkedInWorld, visit: Visit, odd: object
):
    post = world.post("Closed")
    picture = {"entity": {"digitalmediaAsset": "urn:li:digitalmediaAsset:P1"}, "url": "https://m.example/1"}
    first, second = world.say(post, "This."), world.say(post, "And this.")
    world.said[first].content = [picture]
    world.said[second].content = [picture, odd]  # type: ignore[list-item]  # that is what is tried
    batches = visit.observe()
    names = [under(world, one) for one in (first, second)]
    assert [seen(batches)[name].files_told for name in names] == [True, False]
    assert [len(seen(batches)[name].attachments) for name in names] == [1, 1]
    assert [one.native_id for batch in batches for one in batch.gaps] == [names[1]]


@pytest.mark.parametrize("strange", [None, {"id": [NUMBER]}])
def test_an_organisation_of_another_shape_is_not_one_that_is_not_there(
    world: LinkedInWorld, visit: Visit, strange: object
):
    tell = tells(world, "_organisation", lambda _one: strange)
    assert type(visit.fails()) is UnexpectedResponse
    tell.clear()
    tells(world, "_organisation", lambda one: {**one, "id": str(NUMBER)})
    assert URN in seen(visit.observe())


def test_a_check_does_not_say_that_a_role_is_lacking_that_cannot_be_read(world: LinkedInWorld, visit: Visit):
    roles = world._roles()
    world.__dict__["_roles"] = lambda: [roles[0], None]
    assert "another shape" in visit.check()["role on the page: ADMINISTRATOR"]
    world.__dict__["_roles"] = lambda: [None, roles[1]]
    assert visit.check() == {}


def test_a_delivery_with_a_notice_of_another_shape_leads_to_the_others_and_to_a_pass(world: LinkedInWorld):
    post = world.post("Closed")
    world.say(post, "Why?")
    world.decorates = True
    notice = world._notice(world.happened[0])
    sane, odd = (
        json.dumps({"type": told.EVENTS, "notifications": one}).encode()
        for one in ([notice], [None, notice, {"organizationalEntity": [URN]}])
    )
    (alone,), (beside,) = (told.wanted(told.read(body), NOW) for body in (sane, odd))
    assert (alone.families, alone.since) == ((post,), None)
    assert (beside.page, beside.families) == (URN, (post,))
    assert beside.since == NOW - timedelta(hours=1)
    with pytest.raises(Unreadable):
        told.read(json.dumps({"type": told.EVENTS, "notifications": [None]}).encode())


@pytest.mark.parametrize("words", [rb"half \ud83d", rb"half \udc00\u0000", rb'", "likes": 1e400, "x": "'])
def test_what_somebody_wrote_keeps_no_delivery_of_linkedins_from_being_heard(
    world: LinkedInWorld, words: bytes
):
    post = world.post("Closed")
    world.say(post, "Why?")
    world.decorates = True
    said = {"decoratedGeneratedActivity": {"comment": {"text": "@@"}}}
    notices = [world._notice(world.happened[0]) | said]
    body = json.dumps({"type": told.EVENTS, "notifications": notices}).encode()
    (one,) = told.wanted(told.read(body.replace(b"@@", words)), NOW)
    assert (one.page, one.families, one.since) == (URN, (post,), None)
    with pytest.raises(Unreadable):
        told.read(b'{"type": "half')


def instead_of(name: str, strange: object) -> Callable[[Any], object]:
    """Something else in the place of the one of this id."""
    return lambda one: strange if one["id"] == name else one


def tells(world: LinkedInWorld, what: str, otherwise: Callable[[Any], object]) -> dict[str, bool]:
    """Let the world tell each thing of a kind otherwise, until what is returned is cleared."""
    odd, says = {"odd": True}, getattr(type(world), what)

    def told_(*asked_for: object) -> object:
        found = says(world, *asked_for)
        return found if found is None or not odd else otherwise(found)

    world.__dict__[what] = told_
    return odd


def test_a_list_of_posts_that_is_refused_otherwise_is_an_answer_that_was_not_promised(
    world: LinkedInWorld, visit: Visit
):
    world.shut["posts"] = Refused(400, "QUERY_PARAM_NOT_ALLOWED", "", 0)
    with pytest.raises(NotGiven, match="QUERY_PARAM_NOT_ALLOWED"):
        visit.observe()


# --- how items stand ----------------------------------------------------------------------------------------


def test_what_is_gone_is_so_by_linkedins_own_answer(world: LinkedInWorld, visit: Visit):
    post, kept = world.post("Closed"), world.post("Open")
    first, second = world.say(post, "Why?"), world.say(kept, "Why?")
    third = world.say(kept, "Thanks")
    world.delete(post)
    world.delete(second, tells=False)
    told_ = visit.look(post, f"{post}/{first}", f"{kept}/{second}", f"{kept}/{third}", kept, URN)
    assert {name: one.state for name, one in told_.items()} == {
        post: State.GONE,
        f"{post}/{first}": State.GONE,
        f"{kept}/{second}": State.GONE,
        f"{kept}/{third}": State.PRESENT,
        kept: State.PRESENT,
        URN: State.PRESENT,
    }
    assert "404 NOT_FOUND" in told_[post].reason
    assert "the post: 404 NOT_FOUND" in told_[f"{post}/{first}"].reason


def test_an_answer_that_is_not_found_below_its_post_is_not_gone_while_it_stands_below_a_comment(
    world: LinkedInWorld, visit: Visit
):
    world.answers_below_post = False
    post = world.post("Closed")
    first = world.say(post, "Why?")
    answer, removed = world.say(post, "Ice.", to=first), world.say(post, "Snow.", to=first)
    whole = seen(visit.observe())
    world.delete(removed, tells=False)
    names = [f"{post}/{answer}", f"{post}/{removed}", f"{post}/{first}"]
    batches = list(visit.connector.look(visit.page(), [(Kind.COMMENT, name) for name in names]))
    assert [sighted(batches)[name].state for name in names] == [State.PRESENT, State.GONE, State.PRESENT]
    assert "not among the comments that the post shows" in sighted(batches)[names[1]].reason
    met = seen(batches)
    assert set(met) == {names[0], names[2]}, "what was told on the way is observed"
    assert {name: one.text for name, one in met.items()} == {name: whole[name].text for name in met}
    assert asked(world, "comments?start=0") == 4, (
        "the comments of a post are read once for all that are missing"
    )


def test_a_comment_is_not_gone_where_the_lists_of_its_post_are_not_shown_whole(
    world: LinkedInWorld, visit: Visit
):
    post = world.post("Closed")
    kept, removed = world.say(post, "Why?"), world.say(post, "Ice.")
    world.delete(removed, tells=False)
    world.trouble = lambda path: (
        (403, JSON, world.error(Refused(403, "ACCESS_DENIED", "", 100)))
        if path.endswith("/comments")
        else None
    )
    assert visit.stands(f"{post}/{removed}") is State.UNKNOWN
    world.trouble = None
    assert visit.stands(f"{post}/{removed}") is State.GONE
    assert visit.stands(f"{post}/{kept}") is State.PRESENT


def test_a_comment_is_not_gone_where_linkedin_counts_more_comments_than_it_shows(
    world: LinkedInWorld, visit: Visit
):
    """One that is kept from us (its writer blocks whoever asks) is counted, and neither listed nor found."""
    post = world.post("Closed")
    world.say(post, "Why?")
    kept_away = world.say(post, "Ice.")
    name = f"{post}/{kept_away}"
    visit.observe()
    world.keeps_away = {kept_away}
    assert visit.stands(name) is State.UNKNOWN
    world.keeps_away = set()
    world.delete(kept_away, tells=False)
    assert visit.stands(name) is State.GONE


def test_nothing_is_asked_for_what_has_no_id_of_its_own(world: LinkedInWorld, visit: Visit):
    assert visit.look() == {}
    assert world.asked == []
    assert visit.look("urn:li:activity:1", "odd/1", "urn:li:organization:9") == {}


@pytest.mark.parametrize("lost", ["role", "scope", "roles", "comments"])
def test_what_is_kept_from_us_is_not_gone(world: LinkedInWorld, visit: Visit, lost: str):
    post, kept = world.post("Closed"), world.post("Open")
    name = world.say(kept, "Why?")
    world.delete(post)
    world.delete(name, tells=False)
    match lost:
        case "role":
            world.role = None
        case "scope":
            world.scopes = {ADMIN}
        case "roles":
            world.shut["organizationAcls"] = Refused(403, "ACCESS_DENIED", "", 100)
        case "comments":
            world.shut["socialMetadata"] = Refused(403, "ACCESS_DENIED", "", 100)
            world.shut["posts"] = Refused(400, "ILLEGAL_ARGUMENT", "", 0)
        case other:
            raise AssertionError(other)
    assert visit.stands(post) is State.UNKNOWN
    if lost != "roles":
        assert visit.stands(f"{kept}/{name}") is State.UNKNOWN


def test_a_post_that_is_not_found_by_somebody_without_a_role_is_not_gone(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    world.delete(post)
    world.trouble = lambda path: (
        (200, JSON, b'{"elements":[{"role":"ADMINISTRATOR","organization":"urn:li:organization:1"}]}')
        if path.endswith("organizationAcls")
        else None
    )
    assert visit.stands(post) is State.UNKNOWN


def test_an_organisation_that_is_kept_from_us_by_its_number_is_unknown(world: LinkedInWorld, visit: Visit):
    world.shut[str(NUMBER)] = Refused(403, "ACCESS_DENIED", "", 100)
    assert visit.stands(URN) is State.UNKNOWN


# --- families -----------------------------------------------------------------------------------------------


def test_a_family_is_a_post_with_everything_below_it_and_a_list_for_each(
    world: LinkedInWorld, http: EvidenceClient
):
    post = world.post("Closed")
    first = world.say(post, "Why?")
    names = [first, *(world.say(post, str(number), to=first) for number in range(5)), world.say(post, "And?")]
    world.say(world.post("Open"), "Thanks")
    batches = Visit(world, http, page_size="3").family(post)
    assert set(seen(batches)) == {post, *(under(world, name) for name in names)}
    assert {one.in_reply_to for one in listings(batches)} == {post, under(world, first)}


def test_a_family_that_is_gone_says_so_and_another_name_is_none(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    world.delete(post)
    assert sighted(visit.family(post))[post].state is State.GONE
    assert visit.family("urn:li:activity:1") == []
    quiet = world.post("Quiet")
    assert [one.in_reply_to for one in listings(visit.family(quiet))] == [quiet]


# --- checks -------------------------------------------------------------------------------------------------


def test_a_check_finds_a_page_that_is_connected_well(world: LinkedInWorld, visit: Visit):
    world.post("Closed")
    assert visit.check() == {}
    assert not any(batch.startswith("/rest/people") for batch in world.asked)


@pytest.mark.parametrize(
    ("scopes", "says"),
    [
        ({FEED, ADMIN}, SOCIAL),
        ({SOCIAL, ADMIN}, FEED),
        ({SOCIAL, FEED}, ADMIN),
    ],
)
def test_a_check_names_the_permission_that_is_lacking(
    world: LinkedInWorld, visit: Visit, scopes: set[str], says: str
):
    world.post("Closed")
    world.scopes = scopes
    found = visit.check()
    assert found
    assert all(says in remedy for remedy in found.values())


@pytest.mark.parametrize("role", ["CONTENT_ADMIN", "DIRECT_SPONSORED_CONTENT_POSTER"])
def test_a_check_says_that_the_role_is_too_small(world: LinkedInWorld, visit: Visit, role: str):
    world.role = role
    remedies = " ".join(visit.check().values())
    assert role in remedies
    assert "super admin" in remedies


def test_a_check_says_that_no_page_or_no_permission_is_there(world: LinkedInWorld, visit: Visit):
    world.dead = EXPIRED
    assert "Connect the page again" in visit.check()["permission"]
    world.dead, world.name = None, ""
    assert "shows no organisation" in visit.check()["page"]


def test_a_check_warns_weeks_before_a_version_ends_and_says_when_it_has(
    world: LinkedInWorld, http: EvidenceClient
):
    near = Visit(world, http, version="202508").check()
    assert "version 202508 ends about August 2025" not in near
    (what, remedy), *_ = near.items()
    assert what == "version 202508 ends about August 2026"
    assert "option `version`" in remedy
    ended = Visit(world, http, version="202505").check()
    assert "version 202505 may be refused any day" in ended
    assert "version 202505 is refused" in ended


def test_what_this_connector_was_written_for_is_in_the_manifest():
    manifest = LinkedIn.manifest
    assert versions.OURS in (manifest.api_version or "")
    assert versions.ends(versions.OURS) == date(2027, 7, 1)
    assert "July 2027" in (manifest.api_ends or "")
    assert isinstance(manifest.sign_in, OAuth2)
    assert manifest.sign_in.scopes == SCOPES
    assert not manifest.sign_in.pkce
    assert not any(scope.startswith("w_") for scope in SCOPES)


# --- a full page of comments --------------------------------------------------------------------------------


def test_a_post_with_a_hundred_comments_is_one_family(world: LinkedInWorld, visit: Visit):
    post = world.post("Closed")
    for number in range(100):
        world.say(post, f"+{number} and some more words, as people write them")
    assert len(seen(visit.family(post))) == 101
