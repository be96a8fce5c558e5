"""The town of the demonstration: its story, the platform that shows it, and what goes wrong there."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from itertools import pairwise
from typing import Any

import httpx
import pytest

from app.demo import run, telling
from app.demo.nouns import Comment, Post
from app.demo.pictures import picture
from app.demo.platform import CONNECTIONS, Said, SimulatedPlatform
from app.demo.town import BLOGS, FEEDS, NIGHTS, state
from app.demo.trouble import RETRY_AFTER, TROUBLES
from app.demo.trouble import Kind as Trouble
from app.demo.wordpress import APPLICATION_PASSWORD, ARCHIVE_USER
from app.records.clock import FixedClock
from connectors.contract import Batch, Connector, Exchange, Kind, Observation, Page, State
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater
from connectors.feed import Feed
from connectors.wordpress import WordPress
from tests.steps.scripted import ScriptedClient

EDITOR = (ARCHIVE_USER, APPLICATION_PASSWORD)
KEYS = (*BLOGS, *FEEDS)


class Visitor:
    """Asks one simulated platform, as anybody or with a password."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self.platform = platform
        self.http = httpx.Client(base_url=platform.url, trust_env=False)

    def ask(self, path: str, **more) -> httpx.Response:
        return self.http.get(path, **more)

    def wp(self, route: str, site: str = "police", *, auth=None, **query) -> httpx.Response:
        return self.http.get(f"/{site}/wp-json/wp/v2/{route}", params=query, auth=auth)

    def comment(self, start: str, night: int, site: str = "police") -> dict[str, Any]:
        """The comment whose words begin so, as an editor sees it on that night."""
        self.platform.night = night
        found = self.wp(
            "comments", site, auth=EDITOR, context="edit", status="any", per_page=100, search=start
        )
        only: dict[str, Any]
        (only,) = [one for one in found.json() if one["content"]["raw"].startswith(start)]
        return only


@pytest.fixture
def calm() -> Iterator[Visitor]:
    """A platform on which nothing goes wrong."""
    with SimulatedPlatform(troubles=()) as platform:
        visitor = Visitor(platform)
        with visitor.http:
            yield visitor


@pytest.fixture
def rough() -> Iterator[Visitor]:
    """The platform of the story, with its bad nights."""
    with SimulatedPlatform() as platform:
        visitor = Visitor(platform)
        with visitor.http:
            yield visitor


def told(blog: str, start: str, night: int) -> Comment:
    (only,) = [one for one in state(night).blogs[blog].comments if one.text.startswith(start)]
    return only


def post(blog: str, start: str, night: int) -> Post:
    (only,) = [one for one in state(night).blogs[blog].posts if one.title.startswith(start)]
    return only


# --------------------------------------------------------------------------- another way than it is written


def test_between_two_nights_the_town_stands_as_it_then_did(calm: Visitor):
    def title() -> str:
        (only,) = calm.wp("posts", search="Brannick, 78", _fields="title", auth=EDITOR).json()
        return str(only["title"]["rendered"])

    calm.platform.at = state(4).at
    assert title().startswith("MISSING")
    calm.platform.at = state(4).at + timedelta(hours=6)
    assert title().startswith("FOUND SAFE")
    assert calm.platform.night == 4
    assert calm.ask("/").headers["date"] == "Thu, 08 Oct 2026 13:30:00 GMT"


def test_what_visitors_say_besides_has_numbers_that_what_was_shown_does_not_lose(calm: Visitor):
    def numbers() -> dict[str, int]:
        found = calm.wp(
            "comments", auth=EDITOR, context="edit", status="any", per_page=100, order="asc"
        ).json()
        return {one["content"]["raw"]: one["id"] for one in found}

    calm.platform.night = 4
    before, now = numbers(), calm.platform.at
    calm.platform.say(
        "police", "missing-otto-brannick", Said(now + timedelta(minutes=5), "Neighbor", "Seen!")
    )
    assert numbers() == before
    calm.platform.at = now + timedelta(minutes=5)
    shown = calm.wp("comments", search="Seen!", auth=EDITOR, context="edit").json()
    assert [one["author_name"] for one in shown] == ["Neighbor"]
    assert shown[0]["id"] > max(before.values())
    calm.platform.at = now + timedelta(hours=8)
    assert numbers().items() >= before.items()
    assert telling.tale("police").items[-1].slug == calm.platform._tales["police"].items[-1].slug
    assert all(one.text != "Seen!" for one in state(5).blogs["police"].comments), (
        "the story itself is as it was"
    )


def test_nobody_answers_before_now_or_what_is_not_there(calm: Visitor):
    calm.platform.night = 4
    with pytest.raises(ValueError, match="before now"):
        calm.platform.say("police", "missing-otto-brannick", Said(state(4).at, "Neighbor", "Seen!"))
    with pytest.raises(KeyError):
        calm.platform.say("police", "no-such-post", Said(state(5).at, "Neighbor", "Seen!"))


def test_a_page_fails_until_it_is_mended_whatever_the_night(calm: Visitor):
    calm.platform.fail("parks", Trouble.DOWN)
    for night in (1, 2):
        calm.platform.night = night
        assert (calm.ask("/parks/").status_code, calm.ask("/police/").status_code) == (503, 200)
    calm.platform.mend("parks")
    assert calm.ask("/parks/").status_code == 200
    calm.platform.fail("parks", Trouble.DOWN, times=1)
    assert [calm.ask("/parks/").status_code for _ in range(3)] == [503, 200, 200]


def test_a_password_that_was_revoked_is_refused_and_another_is_taken(calm: Visitor):
    another = "abcd efgh ijkl mnop qrst uvwx"
    assert calm.wp("users/me", auth=EDITOR).status_code == 200
    calm.platform.revoke()
    assert calm.wp("users/me", auth=EDITOR).json()["code"] == "incorrect_password"
    assert calm.wp("users/me", auth=(ARCHIVE_USER, another)).status_code == 401
    calm.platform.issue(another)
    assert calm.wp("users/me", auth=(ARCHIVE_USER, another)).status_code == 200


# --------------------------------------------------------------------------- the story


def test_the_town_is_large_enough_to_be_worth_searching():
    last = state(NIGHTS)
    posts = sum(len(blog.posts) for blog in last.blogs.values())
    papers = sum(len(telling.tale(key).items) for key in FEEDS)
    assert 60 <= posts + papers <= 120
    assert 300 <= sum(len(blog.comments) for blog in last.blogs.values()) <= 800


def test_the_same_night_always_shows_the_same_town():
    shown = state(4)
    state.cache_clear()
    telling.tale.cache_clear()
    assert state(4) == shown


def test_there_is_no_night_before_the_first_or_after_the_last():
    for night in (0, NIGHTS + 1):
        with pytest.raises(ValueError, match="nights 1 to"):
            state(night)


def test_nights_follow_one_another_by_a_day():
    nights = run.nights()
    assert [night.number for night in nights] == list(range(1, NIGHTS + 1))
    assert all(later.at - earlier.at == timedelta(days=1) for earlier, later in pairwise(nights))
    assert all(night.title for night in nights)


def test_every_night_has_something_new():
    for earlier, later in pairwise(range(1, NIGHTS + 1)):
        assert state(earlier).blogs["police"] != state(later).blogs["police"]


def test_nothing_is_shown_before_it_was_published():
    for night in range(1, NIGHTS + 1):
        shown = state(night)
        for blog in shown.blogs.values():
            assert all(
                one.at <= shown.at for group in (blog.posts, blog.comments, blog.media) for one in group
            )
        for feed in shown.feeds.values():
            assert all(entry.at <= entry.updated <= shown.at for entry in feed.entries)


def test_numbers_never_change_from_night_to_night():
    for key in BLOGS:
        first, last = state(1).blogs[key], state(NIGHTS).blogs[key]
        by_number = {one.number: one.at for group in (last.posts, last.media) for one in group}
        assert all(by_number[one.number] == one.at for group in (first.posts, first.media) for one in group)
        comments = {one.number: one.at for one in last.comments}
        assert all(comments[one.number] == one.at for one in first.comments)


def test_numbers_are_given_once_and_in_the_order_of_time():
    for blog in state(NIGHTS).blogs.values():
        things = sorted((one.number, one.at) for group in (blog.posts, blog.media) for one in group)
        revisions = [revision.number for one in blog.posts for revision in one.revisions]
        assert len({number for number, _ in things} | set(revisions)) == len(things) + len(revisions)
        assert [at for _, at in things] == sorted(at for _, at in things)


def test_threads_go_five_deep():
    comments = {one.number: one for one in state(NIGHTS).blogs["police"].comments}

    def depth(number: int) -> int:
        return 1 + depth(comments[number].parent) if number else 0

    assert max(depth(number) for number in comments) == 5


def test_a_comment_comes_after_what_it_answers():
    for blog in state(NIGHTS).blogs.values():
        posts = {one.number: one for one in blog.posts}
        comments = {one.number: one for one in blog.comments}
        for one in blog.comments:
            assert (comments[one.parent] if one.parent else posts[one.post]).at < one.at


def test_the_road_closure_changes_its_hour():
    assert "until 6 p.m." in post("police", "Road closure", 2).text
    assert "until 9 p.m." in post("police", "Road closure", 3).text
    assert "until 6 p.m." not in post("police", "Road closure", 3).text


def test_a_misspelled_street_is_corrected():
    misspelled = telling.tale("police")
    assert any("Tanery" in item.text for item in misspelled.items)
    assert "Tanery" not in post("police", "Shed burglaries", 3).text


def test_a_rude_comment_is_shown_then_trashed_then_restored():
    assert [told("police", "Closed AGAIN", night).status for night in (2, 3, 6, 7)] == [
        "approved",
        "trash",
        "trash",
        "approved",
    ]


def test_a_comment_that_names_a_neighbor_is_deleted_for_good():
    start = "Everybody knows it is the guy"
    assert "555-0147" in told("police", start, 4).text
    assert not [one for one in state(5).blogs["police"].comments if one.text.startswith(start)]


def test_an_answer_moves_up_when_what_it_answers_is_deleted():
    named = told("police", "Everybody knows it is the guy", 4)
    assert told("police", "Gus, take that down.", 4).parent == named.number
    assert told("police", "Gus, take that down.", 5).parent == 0


def test_held_comments_are_approved_or_not():
    assert [told("police", "filmed the crack", night).status for night in (2, 4, 5)] == [
        "hold",
        "hold",
        "approved",
    ]
    assert {told("police", "I do not want my name", night).status for night in range(3, NIGHTS + 1)} == {
        "hold"
    }


def test_spam_was_never_shown():
    statuses = {one.status for one in state(NIGHTS).blogs["police"].comments if "click" in one.text}
    assert statuses == {"spam"}


def test_a_comment_that_came_and_went_between_two_nights_leaves_only_a_missing_number():
    start = "they left my father"
    seen = [one for night in range(1, NIGHTS + 1) for one in state(night).blogs["police"].comments]
    assert any(start in said for said in telling.everything_said(telling.tale("police")))
    assert not [one for one in seen if one.text.startswith(start)]
    numbers = {one.number for one in seen}
    assert len(set(range(min(numbers), max(numbers) + 1)) - numbers) == 1


def test_a_withdrawn_post_takes_its_comments_with_it():
    assert post("police", "Arrest in", 5).status == "publish"
    withdrawn = post("police", "Arrest in", 6)
    assert withdrawn.status == "trash"
    statuses = {one.status for one in state(6).blogs["police"].comments if one.post == withdrawn.number}
    assert statuses == {"post-trashed"}


def test_a_comment_is_edited_without_a_word():
    assert "second step" in told("police", "The gym is open", 5).text
    assert "fourth step" in told("police", "The gym is open", 6).text


def test_the_introduction_of_parks_lacks_a_statement_to_the_end():
    first, last = (state(night).blogs["parks"].tagline for night in (1, NIGHTS))
    assert "Opinions of visitors" not in first
    assert "Opinions of visitors" in last
    assert "public disclosure" not in last
    assert "public disclosure" in state(1).blogs["police"].tagline


def test_the_notices_show_the_newest_twelve():
    for night in range(1, NIGHTS + 1):
        assert len(state(night).feeds["notices"].entries) == 12
    assert "tax-bills" in {entry.slug for entry in state(1).feeds["notices"].entries}
    assert "tax-bills" not in {entry.slug for entry in state(NIGHTS).feeds["notices"].entries}


def test_a_notice_issued_in_error_leaves_a_tombstone_and_a_draft_leaves_nothing():
    assert "boil-water-quarry-hill" in {entry.slug for entry in state(4).feeds["notices"].entries}
    assert [gone.slug for gone in state(5).feeds["notices"].withdrawn] == ["boil-water-quarry-hill"]
    assert "draft-budget-2027" in {entry.slug for entry in state(5).feeds["council"].entries}
    later = state(6).feeds["council"]
    assert "draft-budget-2027" not in {entry.slug for entry in later.entries}
    assert not later.withdrawn


@pytest.mark.parametrize(
    "word", ["inundación", "洪水", "شكرا", "🙏", "#HarrowFlood", "555-0147", "flooded", "closed"]
)
def test_the_words_that_the_guide_searches_for_are_in_the_story(word: str):
    assert any(word in said for key in KEYS for said in telling.everything_said(telling.tale(key)))


# --------------------------------------------------------------------------- nothing real


STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|"
    "Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|"
    "Mississippi|Missouri|Montana|Nebraska|Nevada|Hampshire|Jersey|Mexico|York|Carolina|Dakota|Ohio|Oklahoma|"
    "Oregon|Pennsylvania|Rhode|Tennessee|Texas|Utah|Vermont|Virginia|Washington|Wisconsin|Wyoming|"
    "Jackson|Juneau|Chicago|Boston|Seattle|Houston|Denver|Portland|Springfield"
)


def names_of_real_places(text: str) -> list[str]:
    return re.findall(rf"\b(?:{STATES})\b", text)


def numbers_of_real_telephones(text: str) -> list[str]:
    return [
        number for number in re.findall(r"\d{3}-\d{4}\b", text) if not re.fullmatch(r"555-01\d\d", number)
    ]


def names_of_real_hosts(text: str) -> list[str]:
    hosts = re.findall(r"(?:https?://|@)([\w.-]+\.[a-z]{2,})", text)
    return [host for host in hosts if not re.search(r"(^|\.)example(\.(com|org|net))?$", host)]


@pytest.mark.parametrize("find", [names_of_real_places, numbers_of_real_telephones, names_of_real_hosts])
def test_the_story_names_no_real_place_telephone_or_host(find):
    said = [text for key in KEYS for text in telling.everything_said(telling.tale(key))]
    assert len(said) > 400
    assert not [found for text in said for found in find(text)]


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (names_of_real_places, "on the road to Juneau"),
        (numbers_of_real_telephones, "call 555-2345"),
        (names_of_real_hosts, "see https://town.gov/x or a@post.com"),
    ],
)
def test_a_real_one_would_be_noticed(find, text: str):
    assert find(text)


def test_visitors_come_from_addresses_that_are_set_aside_for_examples():
    reserved = [ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    for blog in state(NIGHTS).blogs.values():
        for one in blog.comments:
            assert any(ip_address(one.address) in net for net in reserved)
            assert re.search(r"@(harrowfalls\.example|example\.(com|org|net))$", one.email)


def test_a_visitor_keeps_one_address_and_one_mailbox():
    seen: dict[str, set[tuple[str, str]]] = {}
    for blog in state(NIGHTS).blogs.values():
        for one in blog.comments:
            seen.setdefault(one.name, set()).add((one.email, one.address))
    assert all(len(ways) == 1 for ways in seen.values())


# --------------------------------------------------------------------------- reading a story

HEAD = "name: A\ntagline: B\nperson: ann | Ann | editor\n\n== one\ntitle: One\nat: 2026-01-01 10:00\nby: ann\n\nWords.\n"


def test_a_story_is_read_as_it_is_written():
    tale = telling.read(
        "x",
        HEAD
        + '~ 2026-01-02 10:00 change: "Words" -> "Other words"\n+ 1h30m Bo [hold]: Hm.\n++ 5m @ann: Yes.\n',
    )
    (item,) = tale.items
    bo, ann = item.comments
    assert (bo.begins, bo.at - item.at, ann.answers) == ("hold", timedelta(minutes=90), bo)
    assert telling.worded(item.text, item.changes, item.at) == "Words."
    assert telling.worded(item.text, item.changes, item.at + timedelta(days=2)) == "Other words."


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ("++ 5m Bo: Yes.\n", "line 11: a comment that answers nothing"),
        ("+ soon Bo: Yes.\n", "line 11: not understood"),
        ("~ 2026-01-02 10:00 forget\n", "line 11"),
        ('~ 2026-01-02 10:00 change: "Nowhere" -> "x"\n', "'Nowhere', which is not there"),
        ("+ 5m @bob: Yes.\n", "@bob is nobody on this page"),
        ("+ 5m Bo: Yes.\nand more\n", "line 12: text after"),
    ],
)
def test_a_slip_in_a_story_is_named_with_its_place(slip: str, said: str):
    with pytest.raises(telling.StoryUnreadable, match=re.escape(said)):
        telling.read("x", HEAD + slip)


# --------------------------------------------------------------------------- WordPress: lists


def test_a_list_says_its_total_and_names_the_next_page(calm: Visitor):
    first = calm.wp("posts", per_page=10)
    posts = [one for one in state(1).blogs["police"].posts if one.type == "post"]
    assert int(first.headers["X-WP-Total"]) == len(posts)
    assert int(first.headers["X-WP-TotalPages"]) == -(-len(posts) // 10)
    assert first.links["next"]["url"].endswith("page=2")
    assert "prev" not in first.links


def test_following_the_links_finds_every_comment_once(calm: Visitor):
    calm.platform.night = NIGHTS
    answer = calm.ask("/police/wp-json/wp/v2/comments?per_page=100&order=asc")
    found = [one["id"] for one in answer.json()]
    while following := answer.links.get("next", {}).get("url"):
        answer = calm.ask(following)
        found += [one["id"] for one in answer.json()]
    approved = [one for one in state(NIGHTS).blogs["police"].comments if one.status == "approved"]
    assert len(found) == len(set(found)) == int(answer.headers["X-WP-Total"]) == len(approved)


def test_beyond_the_last_page_posts_refuse_and_comments_are_empty(calm: Visitor):
    beyond = calm.wp("posts", page=99)
    assert (beyond.status_code, beyond.json()["code"]) == (400, "rest_post_invalid_page_number")
    empty = calm.wp("comments", page=99)
    assert (empty.status_code, empty.json()) == (200, [])


def test_more_than_a_hundred_at_once_is_refused(calm: Visitor):
    assert calm.wp("posts", per_page=100).status_code == 200
    refused = calm.wp("posts", per_page=101)
    assert (refused.status_code, refused.json()["code"]) == (400, "rest_invalid_param")
    assert refused.json()["data"]["details"]["per_page"]["code"] == "rest_out_of_bounds"


def test_lists_come_in_the_order_asked_for(calm: Visitor):
    calm.platform.night = 6
    modified = [
        one["modified_gmt"] for one in calm.wp("posts", orderby="modified", order="asc", per_page=100).json()
    ]
    assert modified == sorted(modified)
    newest = [one["date_gmt"] for one in calm.wp("comments", per_page=100).json()]
    assert newest == sorted(newest, reverse=True)
    assert calm.wp("comments", orderby="likes").json()["code"] == "rest_invalid_param"


def test_what_was_modified_after_a_moment_can_be_asked_for(calm: Visitor):
    calm.platform.night = 3
    since = (state(2).at).strftime("%Y-%m-%dT%H:%M:%SZ")
    titles = {one["slug"] for one in calm.wp("posts", modified_after=since).json()}
    assert titles == {"road-closure-weaver-bridge", "shed-burglaries-update", "weaver-bridge-open-again"}
    assert calm.wp("posts", modified_after="yesterday").status_code == 400


def test_a_window_of_rows_can_be_asked_for(calm: Visitor):
    whole = [one["id"] for one in calm.wp("comments", orderby="id", order="asc", per_page=50).json()]
    part = [
        one["id"] for one in calm.wp("comments", orderby="id", order="asc", per_page=10, offset=20).json()
    ]
    assert part == whole[20:30]


def test_only_the_fields_asked_for_are_sent(calm: Visitor):
    (one,) = calm.wp("posts", per_page=1, _fields="id,title.rendered").json()
    assert set(one) == {"id", "title"}
    assert set(calm.ask("/police/wp-json/", params={"_fields": "name"}).json()) == {"name"}


def test_the_interface_answers_without_pretty_addresses_too(calm: Visitor):
    plain = calm.ask("/police/", params={"rest_route": "/wp/v2/posts", "per_page": "3"})
    assert plain.json() == calm.wp("posts", per_page=3).json()


# --------------------------------------------------------------------------- WordPress: who may see what


def test_the_public_sees_approved_comments_and_an_editor_sees_all(calm: Visitor):
    calm.platform.night = NIGHTS
    assert {one["status"] for one in calm.wp("comments", per_page=100).json()} == {"approved"}
    for status in ("hold", "spam", "trash"):
        found = calm.wp("comments", auth=EDITOR, status=status, context="edit")
        assert {one["status"] for one in found.json()} == {status}
        refused = calm.wp("comments", status=status)
        assert (refused.status_code, refused.json()["code"]) == (401, "rest_forbidden_param")


def test_addresses_of_visitors_are_for_editors_alone(calm: Visitor):
    (one,) = calm.wp("comments", auth=EDITOR, context="edit", per_page=1).json()
    assert {"author_email", "author_ip", "author_user_agent"} <= set(one)
    assert "raw" in one["content"]
    (public,) = calm.wp("comments", per_page=1).json()
    assert not {"author_email", "author_ip", "author_user_agent"} & set(public)
    refused = calm.wp("comments", context="edit")
    assert (refused.status_code, refused.json()["code"]) == (401, "rest_forbidden_context")


def test_a_wrong_password_is_refused_even_for_what_is_public(calm: Visitor):
    wrong = calm.wp("posts", auth=(ARCHIVE_USER, "guess"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "incorrect_password")
    nobody = calm.wp("posts", auth=("nobody", APPLICATION_PASSWORD))
    assert (nobody.status_code, nobody.json()["code"]) == (401, "invalid_username")
    assert calm.wp("posts", auth=EDITOR).status_code == 200


def test_an_editor_is_known_by_name_and_a_stranger_is_not(calm: Visitor):
    me = calm.wp("users/me", auth=EDITOR, context="edit").json()
    assert me["slug"] == ARCHIVE_USER
    assert me["capabilities"]["moderate_comments"] is True
    stranger = calm.wp("users/me")
    assert (stranger.status_code, stranger.json()["code"]) == (401, "rest_not_logged_in")


def test_settings_are_for_administrators_not_for_the_archive(calm: Visitor):
    assert calm.wp("settings", auth=EDITOR).status_code == 403
    assert calm.wp("settings").status_code == 401


def test_a_trashed_comment_answers_401_and_a_deleted_one_404(calm: Visitor):
    trashed = calm.comment("Closed AGAIN", 3)["id"]
    hidden = calm.wp(f"comments/{trashed}")
    assert (hidden.status_code, hidden.json()["code"]) == (401, "rest_cannot_read")
    assert calm.wp(f"comments/{trashed}", auth=EDITOR).json()["status"] == "trash"
    deleted = calm.comment("Everybody knows", 4)["id"]
    assert calm.wp(f"comments/{deleted}").status_code == 200
    calm.platform.night = 5
    gone = calm.wp(f"comments/{deleted}", auth=EDITOR)
    assert (gone.status_code, gone.json()["code"]) == (404, "rest_comment_invalid_id")


def test_a_trashed_post_answers_401_and_one_that_never_was_404(calm: Visitor):
    number = post("parks", "Harvest fair", 6).number
    calm.platform.night = 5
    assert calm.wp(f"posts/{number}", "parks").status_code == 200
    calm.platform.night = 6
    withdrawn = calm.wp(f"posts/{number}", "parks")
    assert (withdrawn.status_code, withdrawn.json()["code"]) == (401, "rest_forbidden")
    never = calm.wp("posts/99999", "parks")
    assert (never.status_code, never.json()["code"]) == (404, "rest_post_invalid_id")


def test_the_trash_is_listed_for_editors_only(calm: Visitor):
    calm.platform.night = 6
    (one,) = calm.wp("posts", auth=EDITOR, status="trash").json()
    assert one["title"]["rendered"] == "Arrest in the shed burglaries"
    assert one["slug"].endswith("__trashed")
    refused = calm.wp("posts", status="trash")
    assert (refused.status_code, refused.json()["data"]["params"]) == (
        400,
        {"status": "Status is forbidden."},
    )


def test_revisions_are_for_editors_and_begin_with_the_first_edit(calm: Visitor):
    calm.platform.night = 3
    number = post("police", "Road closure", 3).number
    (revision,) = calm.wp(f"posts/{number}/revisions", auth=EDITOR).json()
    assert "until 9 p.m." in revision["content"]["rendered"]
    refused = calm.wp(f"posts/{number}/revisions")
    assert (refused.status_code, refused.json()["code"]) == (401, "rest_cannot_read")


def test_an_unknown_route_says_so(calm: Visitor):
    unknown = calm.wp("block-types")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "rest_no_route")


# --------------------------------------------------------------------------- WordPress: shapes


def test_times_are_given_by_the_towns_clock_and_in_utc(calm: Visitor):
    calm.platform.night = 2
    (closure,) = calm.wp("posts", slug="road-closure-weaver-bridge").json()
    assert closure["date"] == "2026-10-05T15:10:00"
    assert closure["date_gmt"] == "2026-10-05T20:10:00"
    index = calm.ask("/police/wp-json/").json()
    assert (index["gmt_offset"], index["timezone_string"]) == (-5, "America/Chicago")


def test_an_edit_of_a_post_moves_its_time_and_an_edit_of_a_comment_has_none(calm: Visitor):
    calm.platform.night = 3
    (closure,) = calm.wp("posts", slug="road-closure-weaver-bridge").json()
    assert closure["modified_gmt"] == "2026-10-06T16:20:00"
    assert not any("modified" in key for key in calm.comment("The gym is open", 6))


def test_json_is_escaped_as_wordpress_escapes_it(calm: Visitor):
    calm.platform.night = 4
    body = calm.wp("comments", per_page=100).content
    assert body.isascii()
    assert b"http:\\/\\/127.0.0.1" in body
    assert b"\\u6d2a\\u6c34" in body
    assert "洪水" in json.dumps(json.loads(body), ensure_ascii=False)


def test_signs_that_mean_something_in_html_are_escaped(calm: Visitor):
    found = calm.comment("Five years of studies", 4)
    assert "studies &amp; a $40k logo, but &lt; $10k" in found["content"]["raw"]


def test_a_picture_is_named_by_its_post_and_can_be_fetched(calm: Visitor):
    calm.platform.night = 2
    (closure,) = calm.wp("posts", slug="road-closure-weaver-bridge").json()
    media = calm.wp(f"media/{closure['featured_media']}").json()
    assert media["post"] == closure["id"]
    assert media["source_url"] in closure["content"]["rendered"]
    fetched = calm.ask(media["source_url"])
    assert (fetched.headers["Content-Type"], fetched.content) == ("image/png", picture("closure-map.png"))
    assert calm.wp("media", parent=closure["id"]).json() == [media]


def test_one_picture_may_stand_in_two_posts(calm: Visitor):
    calm.platform.night = 4
    both = calm.wp("posts", slug="flood-warning,high-water-at-ferry-landing").json()
    assert len({one["featured_media"] for one in both}) == 1
    assert len(both) == 2


def test_a_picture_is_a_whole_png():
    data = picture("closure-map.png")
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    length = int.from_bytes(data[33:37])
    pixels = zlib.decompress(data[41 : 41 + length])
    assert len(pixels) == 200 * (1 + 320 * 3)
    assert int.from_bytes(data[41 + length : 45 + length]) == zlib.crc32(data[37 : 41 + length])


def test_a_permalink_shows_the_post_and_what_was_said(calm: Visitor):
    calm.platform.night = 2
    (closure,) = calm.wp("posts", slug="road-closure-weaver-bridge").json()
    page = calm.ask(closure["link"])
    assert page.headers["Content-Type"].startswith("text/html")
    assert "I organize bake sales" in page.text
    assert "filmed the crack" not in page.text  # held for approval
    calm.platform.night = 1
    assert calm.ask(closure["link"]).status_code == 404


def test_the_front_page_names_the_interface(calm: Visitor):
    front = calm.ask("/police/")
    assert front.links["https://api.w.org/"]["url"] == f"{calm.platform.url}/police/wp-json/"


# --------------------------------------------------------------------------- feeds


@pytest.mark.parametrize(
    "path", ["/notices/atom.xml", "/council/feed.json", "/police/feed/", "/parks/comments/feed/"]
)
def test_a_feed_that_did_not_change_answers_304(calm: Visitor, path: str):
    first = calm.ask(path)
    assert first.status_code == 200
    by_tag = calm.ask(path, headers={"If-None-Match": first.headers["ETag"]})
    by_time = calm.ask(path, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert [(one.status_code, one.content) for one in (by_tag, by_time)] == [(304, b"")] * 2
    calm.platform.night = NIGHTS
    assert calm.ask(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
    assert calm.ask(path, headers={"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 200


@pytest.mark.parametrize(("path", "night"), [("/council/feed.json", 3), ("/notices/atom.xml", 7)])
def test_a_quiet_night_changes_nothing_in_a_feed(calm: Visitor, path: str, night: int):
    calm.platform.night = night - 1
    before = calm.ask(path)
    calm.platform.night = night
    assert calm.ask(path, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304


def test_the_notices_are_atom_with_tombstones(calm: Visitor):
    feedparser = pytest.importorskip("feedparser")
    calm.platform.night = 5
    body = calm.ask("/notices/atom.xml").content
    feed = feedparser.parse(body)
    assert (feed.bozo, feed.version, len(feed.entries)) == (False, "atom10", 12)
    assert b'<at:deleted-entry ref="tag:harrowfalls.example,2019:notices/boil-water-quarry-hill"' in body
    assert all(calm.ask(entry.link).status_code == 200 for entry in feed.entries)


def test_the_meetings_are_a_json_feed_in_pages(calm: Visitor):
    calm.platform.night = 5
    url, ids = "/council/feed.json", []
    while url:
        page = calm.ask(url).json()
        assert page["version"] == "https://jsonfeed.org/version/1.1"
        ids += [item["id"] for item in page["items"]]
        url = page.get("next_url")
    assert len(ids) == len(set(ids)) == len(state(5).feeds["council"].entries)
    assert calm.ask("/council/feed.json?page=99").status_code == 404


def test_an_attachment_of_a_meeting_can_be_fetched(calm: Visitor):
    calm.platform.night = 2
    items = calm.ask("/council/feed.json").json()["items"]
    (attachment,) = [one for item in items for one in item.get("attachments", ())]
    fetched = calm.ask(attachment["url"])
    assert len(fetched.content) == attachment["size_in_bytes"]


def test_the_blogs_news_are_rss_that_a_reader_understands(calm: Visitor):
    feedparser = pytest.importorskip("feedparser")
    feed = feedparser.parse(calm.ask("/police/feed/").content)
    assert (feed.bozo, feed.version, len(feed.entries)) == (False, "rss20", 10)


# --------------------------------------------------------------------------- trouble


def test_a_throttled_request_says_when_to_come_back(rough: Visitor):
    rough.platform.night = 2
    answers = [rough.wp("comments") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == str(RETRY_AFTER)
    assert rough.wp("comments", "parks").status_code == 200


def test_a_connection_breaks_once_in_mid_body(rough: Visitor):
    rough.platform.night = 4
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        rough.wp("comments", per_page=100)
    assert rough.wp("comments", per_page=100).status_code == 200


def test_a_page_is_down_all_night_and_the_others_are_not(rough: Visitor):
    rough.platform.night = 5
    assert {rough.wp("posts", "parks").status_code for _ in range(5)} == {503}
    assert rough.wp("posts").status_code == 200
    rough.platform.night = 6
    assert rough.wp("posts", "parks").status_code == 200


def test_a_sign_in_form_comes_where_a_feed_should_be(rough: Visitor):
    rough.platform.night = 6
    form = rough.ask("/council/feed.json")
    assert (form.status_code, form.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    rough.platform.night = 7
    assert rough.ask("/council/feed.json").headers["Content-Type"].startswith("application/feed+json")


def test_trouble_begins_afresh_when_a_night_does(rough: Visitor):
    for _ in range(2):
        rough.platform.night = 2
        assert [rough.wp("comments").status_code for _ in range(3)] == [429, 429, 200]


def test_every_kind_of_trouble_has_its_night():
    assert len({trouble.kind for trouble in TROUBLES}) == 4
    assert not [trouble for trouble in TROUBLES if trouble.night in (1, NIGHTS)]


# --------------------------------------------------------------------------- the server


def test_it_listens_on_the_loopback_only(calm: Visitor):
    assert calm.platform.url.startswith("http://127.0.0.1:")


def test_closing_ends_every_connection_and_every_thread():
    before = set(threading.enumerate())
    platform = SimulatedPlatform()
    with httpx.Client(trust_env=False) as http:
        assert http.get(platform.address("police")).status_code == 200
        platform.close()
        platform.close()
        assert set(threading.enumerate()) <= before
        with pytest.raises(httpx.TransportError):
            http.get(platform.address("police"))


def test_many_visitors_at_once_are_all_answered(calm: Visitor):
    statuses: list[int] = []

    def ask() -> None:
        with httpx.Client(trust_env=False, verify=False) as http:
            statuses.append(http.get(calm.platform.address("notices")).status_code)

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * CONNECTIONS


def test_the_platforms_clock_is_the_storys(calm: Visitor):
    calm.platform.night = 2
    assert calm.ask("/").headers["Date"] == "Tue, 06 Oct 2026 07:30:00 GMT"


def test_two_platforms_on_one_port_say_the_same_bytes(calm: Visitor):
    calm.platform.night = 6
    paths = [
        "/police/wp-json/wp/v2/posts?per_page=100",
        "/parks/wp-json/wp/v2/comments?per_page=100",
        "/notices/atom.xml",
    ]
    first = [calm.ask(path) for path in paths]
    port = calm.platform.port
    calm.http.close()
    calm.platform.close()
    with SimulatedPlatform(port, troubles=(), night=6) as again, httpx.Client(trust_env=False) as http:
        for path, before in zip(paths, first, strict=True):
            answer = http.get(again.url + path)
            assert (answer.headers.items(), answer.content) == (before.headers.items(), before.content)


def test_what_was_asked_is_remembered(calm: Visitor):
    calm.platform.night = 3
    calm.wp("comments/99999")
    last = calm.platform.answered[-1]
    assert (last.night, last.target, last.status) == (3, "/police/wp-json/wp/v2/comments/99999", 404)


def test_the_password_is_sent_as_basic_authentication_and_spaces_in_it_do_not_matter(calm: Visitor):
    pair = f"{ARCHIVE_USER}:{APPLICATION_PASSWORD.replace(' ', '')}".encode()
    headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    assert calm.ask("/police/wp-json/wp/v2/users/me", headers=headers).status_code == 200


# --------------------------------------------------------------------------- as an archive meets it


class Client(ScriptedClient):
    """What connectors ask through, without the archive: the contract's `Client` over plain httpx."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(FixedClock(visitor.platform.town.at))
        self._visitor = visitor

    def now(self) -> datetime:
        return self._visitor.platform.town.at

    def get(self, url: str, *, params=None, headers=None, accept=(), apart=timedelta(0)) -> Exchange:
        try:
            answer = self._visitor.http.get(url, params=params, headers=headers)
        except httpx.TransportError as error:
            raise TryAgainLater(str(error)) from error
        exchange = Exchange(
            method="GET",
            url=str(answer.url),
            started_at=self.now(),
            seconds=0,
            status=answer.status_code,
            response_headers=answer.headers.multi_items(),
            body=answer.content,
        )
        if answer.status_code in accept:
            return exchange
        if answer.status_code in (401, 403):
            raise AccessRevoked(answer.text, [exchange])
        if answer.status_code == 429 or answer.status_code >= 500:
            raise TryAgainLater(answer.reason_phrase, [exchange])
        return exchange


def observed(visitor: Visitor, page: run.DemoPage) -> dict[str, Observation]:
    """What the page's own connector observes in one pass."""
    connector = CONNECTORS[page.connector](Client(visitor), page.secret)
    asked = Page(address=page.address, options=page.options)
    return {one.native_id: one for batch in connector.observe(asked, None) for one in batch.observations}


CONNECTORS: dict[str, type[Connector]] = {"wordpress": WordPress, "feed": Feed}


def test_the_police_blog_is_observed_whole_on_every_night(calm: Visitor):
    page = run.pages(calm.platform)[0]
    for night in range(1, NIGHTS + 1):
        calm.platform.night = night
        seen, blog = observed(calm, page), state(night).blogs["police"]
        kinds = Counter(one.kind for one in seen.values())
        assert kinds == {Kind.PROFILE: 1, Kind.POST: len(blog.posts), Kind.COMMENT: len(blog.comments)}


def test_a_visitor_observes_of_parks_what_is_public(calm: Visitor):
    page = run.pages(calm.platform)[2]
    calm.platform.night = NIGHTS
    seen, blog = observed(calm, page), state(NIGHTS).blogs["parks"]
    shown = [one for one in blog.posts if one.status == "publish"]
    said = [one for one in blog.comments if one.status == "approved"]
    assert (len(shown), len(said)) < (len(blog.posts), len(blog.comments))
    assert len(seen) == 1 + len(shown) + len(said)
    assert {one.state for one in seen.values()} == {State.PRESENT}


def test_what_is_held_trashed_or_withdrawn_is_observed_as_hidden(calm: Visitor):
    page = run.pages(calm.platform)[0]
    calm.platform.night = 6
    hidden = {one.text.split(".")[0] for one in observed(calm, page).values() if one.state is State.HIDDEN}
    assert any(text.startswith("Arrest in the shed burglaries") for text in hidden)
    assert any(text.startswith("I do not want my name") for text in hidden)
    assert any(text.startswith("Heard the Dunleavy place") for text in hidden)


def test_a_deleted_comment_is_gone_by_the_platforms_own_word(calm: Visitor):
    page = run.pages(calm.platform)[0]
    number = told("police", "Everybody knows", 4).number
    calm.platform.night = 5
    connector = WordPress(Client(calm), page.secret)
    (batch,) = connector.look(Page(address=page.address), [(Kind.COMMENT, f"comment:{number}")])
    assert [(one.state, one.reason) for one in batch.sightings] == [
        (State.GONE, "404 rest_comment_invalid_id")
    ]


@pytest.mark.parametrize("night", [2, 4])
def test_a_bad_night_is_one_to_come_back_to(rough: Visitor, night: int):
    page = run.pages(rough.platform)[0]
    rough.platform.night = night
    seen: dict[str, Observation] = {}
    for _ in range(3):
        with contextlib.suppress(TryAgainLater):
            seen = observed(rough, page)
            break
    assert len(seen) == 1 + len(state(night).blogs["police"].posts) + len(
        state(night).blogs["police"].comments
    )


def followed(
    visitor: Visitor, page: run.DemoPage, nights: Iterable[int]
) -> Iterator[tuple[int, list[Batch]]]:
    """What the connector yields night after night, each pass resumed from the last one's cursor."""
    cursor = None
    for night in nights:
        visitor.platform.night = night
        asked = Page(address=page.address, options=page.options)
        batches = list(CONNECTORS[page.connector](Client(visitor), page.secret).observe(asked, cursor))
        cursor = batches[-1].resume_from
        yield night, batches


def test_the_notices_are_observed_with_what_was_withdrawn(calm: Visitor):
    page = run.pages(calm.platform)[1]
    seen: dict[int, list[Batch]] = dict(followed(calm, page, range(1, NIGHTS + 1)))
    posts = [one for batch in seen[1] for one in batch.observations if one.kind is Kind.POST]
    assert len(posts) == 12
    gone = [one.native_id for batch in seen[5] for one in batch.sightings if one.state is State.GONE]
    gone += [one.native_id for batch in seen[5] for one in batch.observations if one.state is State.GONE]
    assert [name.rpartition("/")[2] for name in gone] == ["boil-water-quarry-hill"]
    quiet = seen[7]
    assert [exchange.status for batch in quiet for exchange in batch.exchanges] == [304]
    assert not [one for batch in quiet for one in batch.observations]


def test_the_councils_papers_are_listed_whole_so_that_a_missing_one_is_missing(calm: Visitor):
    page = run.pages(calm.platform)[3]
    for night, batches in followed(calm, page, (5, 7)):
        papers = {one.native_id for batch in batches for one in batch.observations if one.kind is Kind.POST}
        assert len(papers) == len(state(night).feeds["council"].entries)
        assert any("draft-budget-2027" in paper for paper in papers) == (night == 5)
        assert [listing.kinds for batch in batches for listing in batch.listings]


def test_a_sign_in_form_is_not_taken_for_a_feed(rough: Visitor):
    page = run.pages(rough.platform)[3]
    with pytest.raises(ConnectorError):
        list(followed(rough, page, (5, 6)))


def test_a_page_that_is_down_is_not_observed(rough: Visitor):
    rough.platform.night = 5
    with pytest.raises(TryAgainLater):
        observed(rough, run.pages(rough.platform)[2])
    assert observed(rough, run.pages(rough.platform)[0])


def test_every_page_of_the_demonstration_is_served_at_its_address(calm: Visitor):
    pages = run.pages(calm.platform)
    assert len(pages) == 4
    for page in pages:
        assert calm.ask(page.address).status_code == 200
        assert page.purpose
        assert page.audience
        assert page.custodian
    assert [page.name for page in pages if page.secret] == ["Harrow Falls Police Department"]
