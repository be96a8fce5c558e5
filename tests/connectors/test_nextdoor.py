"""Nextdoor, observed over loopback: an agency's own posts, what the public is shown of it, and what is not concluded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from connectors.contract import (
    Author,
    Batch,
    Cursor,
    Finding,
    Kind,
    Listing,
    Page,
    Span,
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
from connectors.nextdoor import Nextdoor, address, parse, reading, routes
from connectors.nextdoor.parse import Known
from connectors.nextdoor.reading import Answer
from connectors.nextdoor.shapes import Comment, Post
from tests.connectors.worlds import answering
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.nextdoor_world import (
    INTRODUCED,
    JSON,
    NAME,
    OURS,
    PAGE,
    PERSON,
    PROFILE,
    SIGN_IN,
    VISITOR,
    WRITER,
    NextdoorWorld,
    Refused,
    many_comments,
    refusal,
)
from tests.connectors.worlds.visits import PageVisit, gaps, listings, seen

POSTS, AREAS, ME = (f"/{path}" for path in (routes.POSTS, routes.AREAS, routes.ME))
LIST, FEED = "/partner_api/v1/agency_list/tt", f"/partner_api/v1/agency_digest/{OURS}"
OWN, PUBLIC = dict(NextdoorWorld.signed_in), dict(NextdoorWorld.for_the_public)
AGENCY = Known(OURS, NAME)


class Visit(PageVisit[Nextdoor]):
    """One connector at one page."""

    def __init__(
        self, world: NextdoorWorld, http: EvidenceClient, secret: Mapping[str, str], **options: str
    ) -> None:
        super().__init__(Nextdoor(http, secret), {"api": world.address, "auth": world.address, **options})
        self.where = f"https://nextdoor.com{PAGE}"

    def page(self, **span: datetime | None) -> Page:
        return Page(address=self.where, options=self.options, **span)

    def found(self) -> list[Finding]:
        return list(self.connector.check(self.page()))

    def lacks(self) -> dict[str, str]:
        """What the check found wanting, with what to do."""
        return {one.what: one.remedy for one in self.found() if not one.fine}


@pytest.fixture
def world() -> Iterator[NextdoorWorld]:
    with NextdoorWorld() as opened:
        yield opened


@pytest.fixture
def own(world: NextdoorWorld) -> Iterator[Visit]:
    with evidence_client(OWN) as http:
        yield Visit(world, http, OWN)


@pytest.fixture
def public(world: NextdoorWorld) -> Iterator[Visit]:
    with evidence_client(PUBLIC) as http:
        yield Visit(world, http, PUBLIC)


def of_posts(batches: Sequence[Batch]) -> list[Listing]:
    return [one for one in listings(batches) if Kind.POST in one.kinds]


def paths(world: NextdoorWorld) -> list[str]:
    return [path for path, _ in world.asked]


# -- which agency --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "",
        "police",
        "https://nextdoor.com",
        "https://nextdoor.com/",
        "https://nextdoor.com.evil.example/agency-detail/ca/a/b/",
        "https://evil.example/nextdoor.com/agency-detail/ca/a/b/",
        "https://nextdoor.com/<script>",
        "https://[nextdoor.com/agency-detail/ca/a/b/",
    ],
)
def test_what_names_no_agency_is_refused_with_how_to_name_it(
    world: NextdoorWorld, own: Visit, written: str
) -> None:
    assert address.read(written) is None
    own.where = written
    assert "as it stands in a browser" in str(own.fails())
    assert world.asked == []


def test_the_interface_is_asked_for_at_the_host_of_the_agencys_country(
    world: NextdoorWorld, own: Visit
) -> None:
    own.where, own.options = "https://ca.nextdoor.com/agency-detail/on/harrow/police/", {}
    asked: list[str] = []

    class Notes:
        def now(self) -> datetime:
            return datetime(2026, 6, 1, tzinfo=UTC)

        def get(self, url: str, **_: object) -> object:
            asked.append(url)
            raise TryAgainLater("noted")

    with pytest.raises(TryAgainLater):
        list(Nextdoor(Notes(), OWN).observe(own.page(), None))  # type: ignore[arg-type]  # only what this asks
    assert asked == ["https://ca.nextdoor.com/external/api/partner/v1/me/"]


@pytest.mark.parametrize(
    ("option", "told"),
    [("areas", "perhaps"), ("agency", "police"), ("profile", "a b"), ("state", "c/a")],
)
def test_an_option_that_cannot_be_meant_is_refused(world: NextdoorWorld, option: str, told: str) -> None:
    secret = PUBLIC if option in {"agency", "state"} else OWN
    with evidence_client(secret) as http:
        assert f"option {option} must be" in str(Visit(world, http, secret, **{option: told}).fails())


@pytest.mark.parametrize("option", ["api", "auth"])
def test_no_token_travels_in_clear(world: NextdoorWorld, option: str) -> None:
    with evidence_client(PUBLIC) as http:
        visit = Visit(world, http, PUBLIC, **{option: "http://gateway.example"})
        assert isinstance(visit.fails(), AddressRefused)


# -- whose account -------------------------------------------------------------------------------------------


def test_the_agency_is_introduced_by_its_own_words_and_not_by_the_person_who_signed_in(
    world: NextdoorWorld, own: Visit
) -> None:
    introduced = seen(own.observe())[INTRODUCED]
    assert (introduced.kind, introduced.author) == (Kind.PROFILE, Author(id=OURS, name=NAME))
    assert introduced.text == f"{NAME}\n\nTest Town, TT\n\nhttps://police.testtown.example"
    assert introduced.url == f"https://nextdoor.com{PAGE}"
    assert introduced.extra["account"] == PERSON
    assert "Lee" not in repr(introduced)


def test_a_neighbors_account_is_never_taken_for_the_agencys(world: NextdoorWorld, own: Visit) -> None:
    world.say("My cat is lost.")
    world.speaks_for = ""
    error = own.fails()
    assert isinstance(error, NoSuchPage)
    assert "as a neighbor" in str(error)
    assert POSTS not in paths(world)


def test_the_account_of_another_agency_is_refused_by_its_address(world: NextdoorWorld, own: Visit) -> None:
    world.speaks_for = "39000"
    error = own.fails()
    assert isinstance(error, NoSuchPage)
    assert "Other Town Fire" in str(error)
    assert POSTS not in paths(world)


def test_an_account_of_which_no_address_is_told_is_read_and_the_check_asks_to_compare(
    world: NextdoorWorld, own: Visit
) -> None:
    world.page_told = None
    name = world.say("Bridge closed.")
    assert name in seen(own.observe())
    assert "Compare the name" in own.lacks()["the agency's address"]


def test_of_an_account_with_several_profiles_the_one_that_is_named_is_read(world: NextdoorWorld) -> None:
    world.speaks_for = ""
    world.names = {"pr-neighbor": "", PROFILE: OURS}
    name = world.say("Bridge closed.")
    with evidence_client(OWN) as http:
        assert name in seen(Visit(world, http, OWN, profile=PROFILE).observe())
        assert (POSTS, {"secure_profile_id": PROFILE}) in world.asked
        assert isinstance(Visit(world, http, OWN, profile="pr-neighbor").fails(), NoSuchPage)
        assert "no profile pr-other" in str(Visit(world, http, OWN, profile="pr-other").fails())
        told = Visit(world, http, OWN).lacks()
    assert told[f"the account has a profile of the agency {NAME}"].endswith(f"`profile` to {PROFILE}.")


# -- what a post says ----------------------------------------------------------------------------------------


def test_a_post_keeps_its_words_its_pictures_its_time_and_where_it_stands(
    world: NextdoorWorld, own: Visit
) -> None:
    name = world.say("Bridge closed & <b>\n\u26f4", title="Roads", media=("5a/8a.jpg", "6b/9b.mp4"))
    world.answer_to(name, "Until when?")
    shown = seen(own.observe())[name]
    assert (shown.kind, shown.state, shown.private) == (Kind.POST, State.PRESENT, False)
    assert (shown.text, shown.html, shown.edited_at) == ("Roads\n\nBridge closed & <b>\n\u26f4", None, None)
    assert shown.published_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert shown.author == Author(id=str(WRITER), name=NAME)
    assert shown.url == f"https://nextdoor.com/p/{name}", "how somebody came there is no part of it"
    assert [(file.url or "").partition("?")[0] for file in shown.attachments] == [
        f"{world.address}/media/5a/8a.jpg",
        f"{world.address}/media/6b/9b.mp4",
    ]
    assert shown.counts == {"likes": 3, "comments": 1}


def test_a_title_that_nextdoor_made_of_the_first_words_is_not_said_twice(
    world: NextdoorWorld, own: Visit, public: Visit
) -> None:
    cut = world.say("Storm tonight. Stay at home, please.", title="Storm tonight. Stay…")
    made = world.say("Lost dog found near the harbour.")
    given = world.say("By order.", title="Bridge closed")
    for visit in (own, public):
        told = seen(visit.observe())
        assert told[cut].text == "Storm tonight. Stay at home, please."
        assert told[made].text == "Lost dog found near the harbour."
        assert told[given].text == "Bridge closed\n\nBy order."


def test_an_event_and_a_poll_are_told_with_their_post(world: NextdoorWorld, own: Visit) -> None:
    event = {
        "title": "Open house",
        "description": "On Sunday",
        "start_time": "2026-05-03T10:00:00",
        "end_time": 1777802400,
        "cover_photo": f"{world.address}/media/cover.jpg?sig=1",
        "virtual_event_link": "https://meet.example/1",
    }
    poll = {
        "question": "Which day?",
        "options": [{"text": "Monday", "vote_count": 4}, "Tuesday", {"label": "Friday", "votes": "2"}, {}, 7],
    }
    name = world.say("Come and see us.", more={"event": event})
    asked = world.say("Tell us.", more={"poll": poll})
    told = seen(own.observe())
    assert told[name].text == "Come and see us.\n\nOpen house\n\nOn Sunday"
    assert told[name].extra["event"] == {
        "start_time": "2026-05-03T10:00:00",
        "end_time": "1777802400",
        "link": "https://meet.example/1",
    }
    assert [file.id.partition(":")[0] for file in told[name].attachments] == ["cover"]
    assert told[asked].text == "Tell us.\n\nWhich day?\n\n- Monday\n- Tuesday\n- Friday\n- 7"
    assert told[asked].extra["votes"] == {"Monday": 4, "Friday": 2}


@pytest.mark.parametrize("odd", [None, {}, {"text": ["Friday"]}, ["Friday"], True])
def test_a_choice_of_a_poll_that_cannot_be_read_is_a_gap_and_the_others_are_told(
    world: NextdoorWorld, own: Visit, public: Visit, odd: object
) -> None:
    poll = {"question": "Which day?", "options": [{"text": "Monday", "vote_count": 4}, odd, {"text": ""}]}
    asked = world.say("Tell us.", more={"poll": poll})
    for visit in (own, public):
        batches = visit.observe()
        assert seen(batches)[asked].text == "Tell us.\n\nWhich day?\n\n- Monday"
        assert [(one.what, one.native_id) for batch in batches for one in batch.gaps] == [
            ("the words of an event or a poll", asked)
        ]


@pytest.mark.parametrize(
    "more",
    [
        {"poll": {"question": ["Which day?"], "options": ["Monday"]}},
        {"poll": {"question": "Which day?", "options": "Monday"}},
        {"poll": "Which day?"},
        {"event": {"title": ["Open house"]}},
    ],
)
def test_a_question_or_an_event_that_cannot_be_read_is_a_gap_and_a_whole_one_is_none(
    world: NextdoorWorld, own: Visit, more: dict[str, object]
) -> None:
    asked = world.say("Tell us.", more=more)
    world.say("Come.", more={"event": {"title": "Open house"}, "poll": {"question": "When?", "options": [7]}})
    assert [(one.what, one.native_id) for batch in own.observe() for one in batch.gaps] == [
        ("the words of an event or a poll", asked)
    ]


def test_an_alert_says_so_and_to_whom_a_post_went_is_kept(
    world: NextdoorWorld, own: Visit, public: Visit
) -> None:
    name = world.say("Storm tonight.", category="urgent_alert", more={"group_ids": [11, "13"]})
    calm = world.say("Library hours.")
    assert seen(own.observe())[name].extra["groups"] == ["11", "13"]
    told = seen(public.observe())
    assert (told[name].extra["alert"], told[name].extra["audience"]) == (True, "Test Town")
    assert told[name].extra["post_to_areas"] == [{"centroid": [12.5, 55.7], "area_sqft": 1000.5}]
    assert "alert" not in told[calm].extra


def test_where_a_post_happened_is_kept_only_where_it_was_said(world: NextdoorWorld, public: Visit) -> None:
    at = {"has_geo_tag": True, "latitude": 55.5, "longitude": 12}
    there = world.say("Here.", more=at)
    nowhere = world.say("Nowhere.", more={**at, "has_geo_tag": False})
    strange = world.say("Strange.", more={**at, "latitude": True})
    told = seen(public.observe())
    assert told[there].extra["place"] == {"latitude": 55.5, "longitude": 12}
    assert not {"place"} & {*told[nowhere].extra, *told[strange].extra}


def test_a_file_without_an_address_is_a_gap_that_names_its_post(world: NextdoorWorld, own: Visit) -> None:
    name = world.say(
        "Bridge.", more={"media": [{"is_photo": True}, {"url": ""}, {"url": "https://x.example/a"}]}
    )
    batches = own.observe()
    (gap,) = [one for batch in batches for one in batch.gaps]
    assert (gap.what, gap.native_id) == ("2 of 3 files of a post", name)
    assert len(seen(batches)[name].attachments) == 1


def test_likes_below_comments_are_not_counted_for_the_post(world: NextdoorWorld, own: Visit) -> None:
    reactions = [
        {"id": 1, "comment_id": None},
        {"id": 2, "comment_id": 0},
        {"id": 3, "comment_id": 80001},
        "odd",
    ]
    name = world.say("Bridge.", more={"reactions": reactions})
    assert seen(own.observe())[name].counts["likes"] == 3


# -- what answers it -----------------------------------------------------------------------------------------


def test_comments_that_are_counted_and_not_shown_are_stated_and_nothing_is_promised_of_them(
    world: NextdoorWorld, own: Visit
) -> None:
    name, quiet = world.say("Bridge closed."), world.say("Quiet.")
    world.answer_to(world.answer_to(name, "Until when?"), "Until six.", by=WRITER)
    batches = own.observe()
    assert seen(batches)[name].counts["comments"] == 2
    assert gaps(batches) == {}, "it is known, and no surprise of this night"
    stated = [one for one in listings(batches) if one.stated_total is not None]
    assert [(tuple(one.kinds), tuple(one.states), one.stated_total) for one in stated] == [
        ((Kind.COMMENT, Kind.REPLY), (), 2)
    ]
    assert {one.in_reply_to for one in listings(batches)} == {None, quiet}


def test_comments_that_stand_in_a_post_are_kept_with_what_they_answer(
    world: NextdoorWorld, own: Visit
) -> None:
    world.shows_comments = True
    name = world.say("Bridge closed.")
    first = world.answer_to(name, "Until when?")
    second = world.answer_to(first, "Until six.", by=WRITER)
    third = world.answer_to(second, " Really?\n", by=9002)
    batches = own.observe()
    told = seen(batches)
    assert [(told[one].kind, told[one].in_reply_to) for one in (first, second, third)] == [
        (Kind.COMMENT, name),
        (Kind.REPLY, first),
        (Kind.COMMENT, second),
    ]
    assert (told[third].text, told[third].author) == ("Really?", Author(id="9002"))
    assert {one.in_reply_to for one in listings(batches)} == {None, name, first, second, third}


@pytest.mark.parametrize("counts", [True, False])
def test_where_more_are_counted_than_are_shown_or_none_are_counted_no_list_of_them_is_promised(
    world: NextdoorWorld, own: Visit, counts: bool
) -> None:
    world.shows_comments = True
    name = world.say("Bridge closed.", more={"comment_count": 5} if counts else {"comment_count": None})
    world.answer_to(name, "Until when?")
    batches = own.observe()
    assert name not in {one.in_reply_to for one in listings(batches)}
    assert seen(batches)[name].counts["comments"] == (5 if counts else 1)
    assert [one.stated_total for one in listings(batches) if one.stated_total is not None] == [5] * counts


def test_nested_comments_name_their_own_bytes_and_whom_they_answer(
    world: NextdoorWorld, public: Visit
) -> None:
    name = world.say("Bridge closed.")
    first = world.answer_to(name, "Until when?")
    second = world.answer_to(first, "Until six.", by=WRITER)
    third = world.answer_to(second, "Really?")
    batches = public.observe()
    told = seen(batches)
    assert [told[one].in_reply_to for one in (first, second, third)] == [name, first, second]
    assert told[second].kind is Kind.REPLY
    assert told[first].author == Author(name=f"J. {VISITOR}")
    spans = [told[one].evidence[0] for one in (name, first, second, third)]
    assert all(outer.start < inner.start and inner.end < outer.end for outer, inner in pairwise(spans))


def test_whoever_signs_with_the_agencys_name_and_is_no_agency_is_not_the_agency(
    world: NextdoorWorld, public: Visit
) -> None:
    name = world.say("Bridge closed.")
    false = world.answer_to(name, "Pay here.", author_name=NAME, author_type="Neighbor")
    other = world.answer_to(name, "We help.", author_name="County Fire", author_type="Public agency")
    unsaid = world.answer_to(name, "Hm.", author_name=NAME, author_type=None)
    told = seen(public.observe())
    assert {told[one].kind for one in (false, other, unsaid)} == {Kind.COMMENT}


def test_what_stands_inside_a_comment_answers_it_also_where_nextdoor_does_not_say_so(
    world: NextdoorWorld, public: Visit
) -> None:
    name = world.say("Bridge closed.")
    first = world.answer_to(name, "Until when?")
    for parent in (None, 0, ""):
        second = world.answer_to(first, "Until six.", parent_comment_id=parent)
        assert seen(public.observe())[second].in_reply_to == first
    itself = world.answer_to(first, "Me.")
    world.remarks[int(itself.rpartition("/")[2])].more["parent_comment_id"] = int(itself.rpartition("/")[2])
    assert seen(public.observe())[itself].in_reply_to == first


# -- what is missing -----------------------------------------------------------------------------------------


def test_the_first_list_is_promised_from_its_oldest_post_and_a_shorter_one_whole(
    world: NextdoorWorld, own: Visit
) -> None:
    oldest, *_, newest = [world.say(f"Notice {number}.") for number in range(4)]
    first = own.observe()
    (told,) = of_posts(first)
    assert (told.published_from, told.published_until) == (world.posts[oldest].at, None)
    world.delete(oldest)
    (told,) = of_posts(own.observe(first[-1].resume_from))
    assert (told.published_from, told.published_until) == (None, None)
    later = own.observe(first[-1].resume_from)
    world.delete(newest)
    (told,) = of_posts(own.observe(later[-1].resume_from))
    assert told.published_from is None, "what was shown at most is remembered from pass to pass"


def test_where_all_is_shown_that_is_counted_one_list_promises_all_comments(
    world: NextdoorWorld, own: Visit
) -> None:
    world.shows_comments = True
    oldest, name = world.say("Long ago."), world.say("Bridge.")
    world.answer_to(name, "Until when?")
    first = own.observe()
    world.delete(oldest)
    told = [one for one in listings(own.observe(first[-1].resume_from)) if Kind.COMMENT in one.kinds]
    assert [(one.in_reply_to, tuple(one.states), one.stated_total) for one in told] == [
        (None, (State.PRESENT,), 1)
    ]


def test_where_more_posts_are_counted_than_shown_it_is_a_gap_and_nothing_is_promised(
    world: NextdoorWorld, own: Visit
) -> None:
    world.say("Bridge.")
    world.counts_posts = 7
    batches = own.observe()
    assert gaps(batches) == {"posts": "Nextdoor counts 7 posts of the agency and shows 1"}
    assert of_posts(batches) == []


def test_a_list_that_says_no_number_is_read_as_one_that_does(world: NextdoorWorld, own: Visit) -> None:
    name = world.say("Bridge.")
    world.counts_posts = None
    batches = own.observe()
    assert name in seen(batches)
    assert len(of_posts(batches)) == 1
    assert gaps(batches) == {}


def test_an_account_that_never_posted_is_no_gap_and_one_that_is_suddenly_empty_is(
    world: NextdoorWorld, own: Visit
) -> None:
    assert gaps(own.observe()) == {}
    world.say("Bridge.")
    last = own.observe()[-1].resume_from
    world.posts.clear()
    batches = own.observe(last)
    assert "where it has shown 1 before" in gaps(batches)["posts"]
    assert of_posts(batches) == []


def test_a_list_that_is_paged_is_read_to_its_end_and_one_that_leads_back_is_an_error(
    world: NextdoorWorld, own: Visit
) -> None:
    names = {world.say(f"Notice {number}.") for number in range(5)}
    world.at_once = 2
    batches = own.observe()
    assert names <= set(seen(batches))
    assert len(of_posts(batches)) == 1
    world.loops = True
    assert "no end" in str(own.fails())


def test_an_answer_that_names_a_next_one_without_its_place_is_an_error(
    world: NextdoorWorld, own: Visit
) -> None:
    world.trouble = lambda path: (
        (200, JSON, b'{"posts": [], "has_next_page": true}') if path == POSTS else None
    )
    assert "does not say where" in str(own.fails())


def test_nothing_is_asked_about_single_items(world: NextdoorWorld, own: Visit) -> None:
    name = world.say("Bridge.")
    world.delete(name)
    assert list(own.connector.look(own.page(), [(Kind.POST, name)])) == []
    assert world.asked == []


def test_a_cursor_that_cannot_be_read_begins_from_nothing(world: NextdoorWorld, own: Visit) -> None:
    name = world.say("Bridge.")
    for cursor in ("", "{", '{"most": "many"}', '{"other": 1}'):
        assert name in seen(own.observe(Cursor(cursor)))


# -- areas ---------------------------------------------------------------------------------------------------


def test_the_areas_that_the_agency_may_address_are_one_record(world: NextdoorWorld, own: Visit) -> None:
    batches = own.observe()
    told = seen(batches)["areas"]
    assert told.kind is Kind.PROFILE
    assert told.text == "All of Test Town (city)\nHarbour & <b> (custom)\nHill (custom)"
    assert told.extra["areas"][0] == {"name": "All of Test Town", "group": "11", "type": "city"}  # type: ignore[index]  # `extra` may hold anything
    assert {one.exchange for one in told.evidence} == {0, 1}, "the list is paged"
    world.areas = []
    assert "areas" not in seen(own.observe())


def test_areas_that_are_not_permitted_are_a_gap_until_they_are_not_asked_for(
    world: NextdoorWorld, own: Visit
) -> None:
    world.scopes.discard("agency.boundary:read")
    name = world.say("Bridge.")
    batches = own.observe()
    assert name in seen(batches)
    assert "agency.boundary:read" in gaps(batches)["the areas that the agency may address"]
    own.options["areas"] = "no"
    assert gaps(own.observe()) == {}
    assert paths(world)[-2:] == [ME, POSTS]


# -- the public feed -----------------------------------------------------------------------------------------


def test_the_public_feed_is_found_by_the_agencys_address_or_by_its_number(world: NextdoorWorld) -> None:
    name = world.say("Bridge.")
    with evidence_client(PUBLIC) as http:
        introduced = seen(Visit(world, http, PUBLIC).observe())
        assert name in introduced
        assert (
            introduced[INTRODUCED].text
            == f"{NAME}\n\nTest Town, TT\n\n555-0100\n\ndesk@police.testtown.example"
        )
        assert introduced[INTRODUCED].counts == {"posts": 1}
        world.page_told = None
        assert "option `agency`" in str(Visit(world, http, PUBLIC).fails())
        assert name in seen(Visit(world, http, PUBLIC, agency=OURS).observe())
        assert isinstance(Visit(world, http, PUBLIC, agency="1").fails(), NoSuchPage)
        assert "knows no state “zz”" in str(Visit(world, http, PUBLIC, state="zz").fails())


def test_an_address_that_tells_no_state_needs_the_option(world: NextdoorWorld, public: Visit) -> None:
    public.where = "https://nextdoor.com/agency/test-town-police/"
    assert "does not tell the agency's state" in str(public.fails())
    public.options |= {"state": "tt", "agency": OURS}
    assert INTRODUCED in seen(public.observe())


def test_an_application_asks_for_its_token_once_and_shows_its_secret_in_no_form(
    world: NextdoorWorld, public: Visit
) -> None:
    world.say("Bridge.")
    public.observe()
    public.observe()
    assert world.forms == [{"grant_type": "client_credentials", "scope": routes.FEED_SCOPE}]
    assert paths(world).count("/v2/token") == 1


def test_a_token_that_has_run_out_is_asked_for_anew_once(world: NextdoorWorld, public: Visit) -> None:
    name = world.say("Bridge.")
    public.observe()
    world.expired = 1
    assert name in seen(public.observe())
    world.expired = 2
    assert isinstance(public.fails(), AccessRevoked)


def test_the_feed_is_read_until_it_shows_nothing_new_and_promises_nothing_of_posts(
    world: NextdoorWorld, public: Visit
) -> None:
    names = {world.say(f"Notice {number}.") for number in range(7)}
    batches = public.observe()
    assert names <= set(seen(batches))
    assert [query for path, query in world.asked if path == FEED] == [
        {},
        {"page": "2"},
        {"page": "3"},
        {"page": "4"},
    ]
    assert of_posts(batches) == []
    assert all(one.in_reply_to is not None for one in listings(batches))


def test_a_feed_that_knows_no_pages_ends_where_it_repeats_itself_or_refuses_the_second(
    world: NextdoorWorld, public: Visit
) -> None:
    names = [world.say(f"Notice {number}.") for number in range(7)]
    world.knows_pages = False
    assert set(names[-3:]) <= set(seen(public.observe()))
    said = {"asked": 0}

    def second(path: str) -> Any:
        said["asked"] += path == FEED
        return (
            (400, JSON, refusal(Refused(400, "invalid_input")))
            if path == FEED and said["asked"] > 1
            else None
        )

    world.trouble = second
    batches = public.observe()
    assert set(names[-3:]) <= set(seen(batches))
    assert batches[-1].exchanges[-1].status == 400, "the refusal is kept as evidence"


@pytest.mark.parametrize(
    ("refused", "means", "says"),
    [
        (Refused(401, "invalid_client"), AccessRevoked, "id and secret"),
        (Refused(400, "unauthorized_client"), AccessRevoked, "id and secret"),
        (Refused(403, "access_denied"), AccessRevoked, "id and secret"),
        (Refused(400, "invalid_scope"), AccessRevoked, "option `scope`"),
        (Refused(400, "server_error"), TryAgainLater, "for a moment"),
        (Refused(400, "invalid_request"), UnexpectedResponse, "gave no token"),
        (Refused(404), UnexpectedResponse, "gave no token"),
        (Refused(503), TryAgainLater, "503"),
    ],
)
def test_a_token_that_is_refused_says_what_to_do(
    world: NextdoorWorld, public: Visit, refused: Refused, means: type[ConnectorError], says: str
) -> None:
    world.shut["v2/token"] = refused
    error = public.fails()
    assert type(error) is means
    assert says in str(error)
    assert error.exchanges


def test_a_scope_that_was_not_granted_is_refused_and_another_one_may_be_named(world: NextdoorWorld) -> None:
    with evidence_client(PUBLIC) as http:
        assert "option `scope`" in str(Visit(world, http, PUBLIC, scope="openid content_api").fails())
        assert INTRODUCED in seen(Visit(world, http, PUBLIC, scope="partner_api.city_digest").observe())


@pytest.mark.parametrize(
    ("path", "refused", "means", "says"),
    [
        (FEED, Refused(403, "insufficient_scope"), AccessRevoked, "public feed"),
        (FEED, Refused(404), NoSuchPage, "option `agency`"),
        (LIST, Refused(403, "insufficient_scope"), AccessRevoked, "public feed"),
        (LIST, Refused(404), NoSuchPage, "option `state`"),
    ],
)
def test_a_feed_that_is_refused_says_what_to_do(
    world: NextdoorWorld,
    public: Visit,
    path: str,
    refused: Refused,
    means: type[ConnectorError],
    says: str,
) -> None:
    world.shut[path] = refused
    error = public.fails()
    assert isinstance(error, means)
    assert says in str(error)


# -- refusals and other answers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "means", "says"),
    [
        (
            400,
            b'{"error": "invalid_input", "invalid_parameter": "x"}',
            UnexpectedResponse,
            "400 invalid_input",
        ),
        (400, b'{"error": "server_error"}', TryAgainLater, "for a moment"),
        (400, b"[]", UnexpectedResponse, "stands between"),
        (401, b'{"detail": "Invalid token header."}', AccessRevoked, "Connect the page again"),
        (401, b'{"error": "invalid_token"}', AccessRevoked, "401 invalid_token"),
        (401, b"", AccessRevoked, "Connect the page again"),
        (400, b'{"error": "invalid_grant"}', AccessRevoked, "Connect the page again"),
        (403, b'{"error": "insufficient_scope"}', AccessRevoked, "post:read"),
        (
            403,
            b'{"detail": "You do not have permission to perform this action."}',
            AccessRevoked,
            "post:read",
        ),
        (403, b"<html>Access denied</html>", UnexpectedResponse, "Ask whoever runs the network"),
        (404, b'{"detail": "Not found."}', UnexpectedResponse, "update of Muniment"),
        (404, b"<html>", UnexpectedResponse, "stands between"),
        (405, b"", UnexpectedResponse, "405"),
        (429, b'{"detail": "Request was throttled."}', TryAgainLater, "429"),
        (500, b"<h1>Server Error (500)</h1>", TryAgainLater, "500"),
        (502, b"", TryAgainLater, "502"),
        (503, b"", TryAgainLater, "503"),
        (302, b"", UnexpectedResponse, "302"),
        (204, b"", UnexpectedResponse, "204"),
    ],
)
def test_a_refusal_is_sorted_by_what_capture_should_do_next(
    world: NextdoorWorld, own: Visit, status: int, body: bytes, means: type[ConnectorError], says: str
) -> None:
    world.say("Bridge.")
    world.trouble = lambda path: (status, JSON, body) if path == POSTS else None
    error = own.fails()
    assert isinstance(error, means)
    assert says in str(error)
    assert error.exchanges


def test_a_throttle_is_waited_for_as_long_as_it_says(world: NextdoorWorld, own: Visit) -> None:
    world.trouble = lambda path: (429, {**JSON, "Retry-After": "900"}, b"{}") if path == POSTS else None
    error = own.fails()
    assert isinstance(error, TryAgainLater)
    assert error.after == timedelta(seconds=900)


def test_a_refusals_own_sentences_are_not_repeated(world: NextdoorWorld, own: Visit) -> None:
    body = b'{"error": "<b>leak</b> this", "error_description": "the token nd-secret was wrong", "detail": "more"}'
    world.trouble = lambda path: (400, JSON, body) if path == POSTS else None
    said = str(own.fails())
    assert not any(word in said for word in ("leak", "nd-secret", "more"))


def test_an_account_whose_profile_is_not_permitted_says_which_scope_is_lacking(
    world: NextdoorWorld, own: Visit
) -> None:
    world.scopes.discard("profile:read")
    error = own.fails()
    assert isinstance(error, AccessRevoked)
    assert "profile:read" in str(error)


@pytest.mark.parametrize(
    "secret", [{}, {"access_token": ""}, {"client_id": "only"}, {**PUBLIC, "access_token": ""}]
)
def test_a_page_that_is_not_connected_says_so_and_asks_nothing(
    world: NextdoorWorld, secret: dict[str, str]
) -> None:
    with evidence_client() as http:
        error = Visit(world, http, secret).fails()
    assert isinstance(error, AccessRevoked)
    assert "not connected" in str(error)
    assert world.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        SIGN_IN,
        b"null",
        b"[]",
        b'"posts"',
        b"{}",
        b'{"posts": null}',
        b'{"posts": {}}',
        b'{"posts": [null, null, null]}',
        b'{"posts": ["3001", {"id": "", "body": "x"}, {"id": ["1"], "body": "x"}]}',
        b'{"posts": [{}, {"id": null, "body": "x"}, {"id": "1"}, {"id": "1", "body": 5}]}',
        b'{"posts": [{"id": "1", "body": "x", "comments": [{"id": 2}, {"body": "y"}, null]}]}',
        b'{"posts": [{"id": "1", "body": "x"}',
        b'{"posts": ' + b"[" * 5000,
        b'{"error": "temporarily unavailable"}',
        b"\xff\xfe{",
    ],
)
def test_an_answer_of_another_shape_is_an_error_that_carries_it(
    world: NextdoorWorld, own: Visit, body: bytes
) -> None:
    world.trouble = lambda path: (200, JSON, body) if path == POSTS else None
    error = own.fails()
    assert type(error) is UnexpectedResponse
    assert error.exchanges[-1].body == body


STRANGE: list[tuple[Any, bool]] = [
    (None, False),
    ("3001", False),
    ({}, False),
    ({"id": None, "body": "x"}, False),
    ({"id": "", "body": "x"}, False),
    ({"id": ["1"], "body": "x"}, False),
    ({"id": "1"}, True),
    ({"id": 1, "body": 5}, True),
]
"""What is no post and no comment, and whether it bears an id."""


@pytest.mark.parametrize(("strange", "named"), STRANGE)
def test_a_post_of_another_shape_is_a_gap_and_those_around_it_are_read(
    world: NextdoorWorld, own: Visit, strange: Any, named: bool
) -> None:
    first, odd, last = (world.say(words) for words in ("Bridge.", "Ferry.", "Hill."))
    whole = own.observe()
    assert of_posts(whole)
    assert not gaps(whole)
    tell = tells(world, POSTS, lambda posts: [posts[0], strange, posts[2]])
    batches = own.observe(whole[-1].resume_from)
    assert {first, last} <= set(seen(batches))
    assert odd not in seen(batches)
    (gap,) = [one for batch in batches for one in batch.gaps]
    assert (gap.what, gap.native_id) == ("a post", "1" if named else None)
    assert "another shape" in gap.why
    assert gap.why.endswith("Every later pass asks again.")
    assert not of_posts(batches), "it may have been published at any time"
    assert all(one.stated_total is None for one in listings(batches))
    tell.clear()
    again = own.observe(batches[-1].resume_from)
    assert odd in seen(again)
    assert of_posts(again)
    assert not gaps(again)


@pytest.mark.parametrize(("strange", "named"), STRANGE)
def test_a_comment_of_another_shape_is_a_gap_and_its_post_and_the_others_are_read(
    world: NextdoorWorld, own: Visit, strange: Any, named: bool
) -> None:
    world.shows_comments = True
    name, quiet = world.say("Bridge."), world.say("Hill.")
    first, odd, last = (world.answer_to(name, words) for words in ("Why?", "When?", "Where?"))
    beside = world.answer_to(quiet, "Nice.")
    tell = tells(world, POSTS, lambda posts: [put_into(one, odd, strange) for one in posts])
    batches = own.observe()
    assert {name, quiet, first, last, beside} <= set(seen(batches))
    assert odd not in seen(batches)
    (gap,) = [one for batch in batches for one in batch.gaps]
    assert (gap.what, gap.native_id) == ("a comment", f"{name}/1" if named else None)
    assert of_posts(batches)
    below = [one.in_reply_to for one in listings(batches) if one.states and Kind.COMMENT in one.kinds]
    assert set(below) == {quiet, beside}, "neither everywhere nor below its post"
    tell.clear()
    again = own.observe(batches[-1].resume_from)
    assert odd in seen(again)
    assert not gaps(again)


def test_what_stands_inside_a_comment_of_another_shape_is_read_with_it(
    world: NextdoorWorld, public: Visit
) -> None:
    name = world.say("Bridge.")
    first, odd = world.answer_to(name, "Why?"), world.answer_to(name, "When?")
    inside, deeper = world.answer_to(odd, "Soon."), world.answer_to(first, "Ice.")
    tell = tells(
        world, FEED, lambda posts: [put_into(one, odd, {"id": 9, "comments": [{}]}) for one in posts]
    )
    batches = public.observe()
    assert {name, first, deeper} <= set(seen(batches))
    assert not {odd, inside} & set(seen(batches))
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [f"{name}/9"]
    assert not listings(batches)
    tell.clear()
    again = public.observe()
    assert {odd, inside} <= set(seen(again))
    assert name in {one.in_reply_to for one in listings(again)}


def test_a_comment_of_another_shape_is_not_taken_for_all_that_is_counted(
    world: NextdoorWorld, own: Visit
) -> None:
    world.shows_comments = True
    name = world.say("Bridge.", more={"comment_count": 2})
    for words in ("Why?", "When?"):
        world.answer_to(name, words)
    odd = world.answer_to(name, "Where?")
    tells(world, POSTS, lambda posts: [put_into(one, odd, None) for one in posts])
    batches = own.observe()
    assert not any(Kind.COMMENT in one.kinds and one.states for one in listings(batches))
    assert seen(batches)[name].counts["comments"] == 2


def test_posts_that_cannot_be_read_are_neither_posts_that_are_not_shown_nor_a_sign_that_the_list_is_whole(
    world: NextdoorWorld, own: Visit
) -> None:
    """One that cannot be read makes the list look shorter than it was: it was not cut off for that."""
    for words in ("Bridge.", "Ferry."):
        world.say(words)
    last = own.observe()[-1].resume_from
    tells(world, POSTS, lambda _posts: [None, {"id": 1}])
    batches = own.observe(last)
    assert [gap.what for batch in batches for gap in batch.gaps] == ["a post", "a post"]
    assert not any(one.states for one in listings(batches))
    assert batches[-1].resume_from == last


def test_a_post_of_the_feed_that_is_of_another_shape_does_not_end_it(
    world: NextdoorWorld, public: Visit
) -> None:
    """An answer of the feed that shows nothing else is not one that shows nothing new."""
    world.shown_at_once = 1
    names = [world.say(words) for words in ("Bridge.", "Ferry.", "Hill.")]
    count = iter(range(100))
    tell = tells(world, FEED, lambda posts: [None] if next(count) == 1 else posts)
    batches = public.observe()
    assert {names[0], names[2]} <= set(seen(batches))
    assert names[1] not in seen(batches)
    assert [gap.what for batch in batches for gap in batch.gaps] == ["a post"]
    tell.clear()
    assert set(names) <= set(seen(public.observe()))


def test_a_feed_that_repeats_a_post_of_another_shape_ends_and_tells_of_it_once(
    world: NextdoorWorld, public: Visit
) -> None:
    world.knows_pages = False
    name = world.say("Bridge.")
    tells(world, FEED, lambda posts: [*posts, None])
    world.asked.clear()
    batches = public.observe()
    assert name in seen(batches)
    assert [gap.what for batch in batches for gap in batch.gaps] == ["a post"]
    assert paths(world).count(FEED) == 2


@pytest.mark.parametrize("strange", [None, {"id": 40311}, {"name": NAME}])
def test_an_agency_of_another_shape_is_not_an_agency_that_is_not_there(
    world: NextdoorWorld, public: Visit, strange: object
) -> None:
    others = [{"id": 7, "name": "County Fire", "public_url": "https://nextdoor.com/agency-detail/tt/a/b/"}]
    tells(world, LIST, lambda _agencies: [strange, *others])
    assert type(public.fails()) is UnexpectedResponse
    tells(world, LIST, lambda agencies: [strange, *others, *agencies])
    assert INTRODUCED in seen(public.observe())
    tells(world, LIST, lambda _agencies: others)
    assert type(public.fails()) is NoSuchPage


def test_a_profile_of_another_shape_is_not_one_that_the_account_does_not_have(world: NextdoorWorld) -> None:
    with evidence_client(OWN) as http:
        visit = Visit(world, http, OWN, profile=PROFILE)
        for strange in (None, {"id": None}):
            tells(world, f"{ME}profiles/", alone(strange))
            assert type(visit.fails()) is UnexpectedResponse
        tells(world, f"{ME}profiles/", lambda profiles: [None, *profiles])
        assert INTRODUCED in seen(visit.observe())
        tells(world, f"{ME}profiles/", lambda _profiles: [])
        assert type(visit.fails()) is NoSuchPage


def test_an_area_of_another_shape_is_not_an_area_that_was_taken_away(
    world: NextdoorWorld, own: Visit
) -> None:
    name = world.say("Bridge.")
    tell = tells(world, AREAS, lambda areas: [*areas[1:], {"name": "Hill", "group_id": [1]}])
    batches = own.observe()
    assert "areas" not in seen(batches)
    assert name in seen(batches)
    (gap,) = [one for batch in batches for one in batch.gaps]
    assert (gap.what, gap.native_id) == ("the areas that the agency may address", "areas")
    assert gap.why.endswith("Every later pass asks again.")
    tell.clear()
    assert "areas" in seen(own.observe())


def test_files_that_are_not_told_of_a_post_or_a_comment_are_not_files_that_were_taken_away(
    world: NextdoorWorld, own: Visit
) -> None:
    world.shows_comments = True
    picture = f"{world.address}/media/a.jpg"
    name = world.say("Bridge.", more={"media": [picture, None]})
    below = world.answer_to(name, "Like this.", media=[{"url": [picture]}])
    plain = world.answer_to(name, "Or not.", media=[picture])
    batches = own.observe()
    told = seen(batches)
    assert [told[one].files_told for one in (name, below, plain)] == [False, False, True]
    assert [len(told[one].attachments) for one in (name, below, plain)] == [1, 0, 1]
    assert {(gap.what, gap.native_id) for batch in batches for gap in batch.gaps} == {
        ("1 of 2 files of a post", name),
        ("1 of 1 files of a comment", below),
    }


def test_a_check_says_that_something_is_of_another_shape(world: NextdoorWorld, own: Visit) -> None:
    world.counts_comments = False
    for words in ("Bridge.", "Hill."):
        world.say(words)
    assert not any("another shape" in what for what in own.lacks())
    tells(world, POSTS, lambda posts: [posts[0], None])
    assert "posts and comments of another shape, 1 of them" in own.lacks()


def tells(world: NextdoorWorld, path: str, otherwise: Callable[[list[Any]], list[Any]]) -> dict[str, bool]:
    """Let the world tell the list at this address otherwise, until what is returned is cleared."""
    asked, says = {"odd": True}, NextdoorWorld._reply

    def reply(method: str, asked_for: str, query: dict[str, str], headers: Mapping[str, str]) -> object:
        told = says(world, method, asked_for, query, headers)
        if asked_for != path or not asked:
            return told
        if isinstance(told, list):
            return otherwise(told)
        assert isinstance(told, dict)
        name = next(name for name, one in told.items() if isinstance(one, list))
        return {**told, name: otherwise(told[name])}

    world.__dict__["_reply"] = reply
    return asked


def alone(strange: object) -> Callable[[list[Any]], list[Any]]:
    """A list that holds nothing else."""
    return lambda _listed: [strange]


def put_into(post: dict[str, Any], native_id: str, strange: object) -> dict[str, Any]:
    """A post, or a comment, with something else in the place of one that answers it."""
    number = native_id.rpartition("/")[2]
    below = [
        strange if str(one["id"]) == number else put_into(one, native_id, strange)
        for one in post.get("comments", [])
    ]
    return {**post, "comments": below} if "comments" in post else post


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"agencies": [], "cities": []}', b'[{"id": 1}]', b'["x"]', SIGN_IN, b"", b'{"agencies": {}}'],
)
def test_a_list_of_agencies_of_another_shape_is_an_error(
    world: NextdoorWorld, public: Visit, body: bytes
) -> None:
    world.trouble = lambda path: (200, JSON, body) if path == LIST else None
    assert type(public.fails()) is UnexpectedResponse


def test_a_list_of_agencies_may_stand_in_an_object(world: NextdoorWorld, public: Visit) -> None:
    body = json.dumps({"state": "TT", "agencies": world._agencies()}).encode()
    world.trouble = lambda path: (200, JSON, body) if path == LIST else None
    assert INTRODUCED in seen(public.observe())


def test_strange_values_beside_what_is_required_cost_nothing_but_themselves(
    world: NextdoorWorld, own: Visit
) -> None:
    strange: list[Any] = [
        None,
        True,
        -1,
        1e300,
        10**30,
        "",
        "x" * 50,
        [],
        {},
        [[]],
        [{}],
        {"url": 5},
        "\ud83d",
    ]
    posts = [
        {"id": f"{name}-{number}", "body": None if number % 2 else "Words.", name: value}
        for name in {*_members(Post), "unknown_to_us"} - {"id", "body"}
        for number, value in enumerate(strange)
    ]
    below = [
        {"id": number, "body": "x", name: value}
        for name in {*_members(Comment), "comments"} - {"id", "body"}
        for number, value in enumerate(strange)
        if (name, value) != ("comments", [{}])
    ]
    posts.append({"id": "below", "body": "Words.", "comments": [*below, "text", None, 5, []]})
    body = json.dumps({"posts": posts, "posts_length": "many", "more": [1]}).encode()
    world.trouble = lambda path: (200, JSON, body) if path == POSTS else None
    told = seen(own.observe())
    assert {one["id"] for one in posts} <= set(told)
    assert sum(name.startswith("below/") for name in told) == len(strange)


def _members(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    return shape.__struct_fields__


def test_an_answer_that_is_compressed_all_the_same_is_owned_whole(world: NextdoorWorld, own: Visit) -> None:
    world.shows_comments = True
    name = world.say("Bridge.")
    said = world.answer_to(name, "Until when?")
    world.compresses = True
    batches = own.observe()
    last = batches[-1]
    whole = Span(len(last.exchanges) - 1, 0, len(last.exchanges[-1].body))
    assert {seen(batches)[one].evidence for one in (name, said)} == {(whole,)}


def test_no_token_and_no_secret_stands_in_an_address(world: NextdoorWorld, own: Visit, public: Visit) -> None:
    world.say("Bridge.")
    own.observe()
    public.observe()
    for secret in (world.token, world.granted, world.client_secret):
        assert not any(secret in target for target in world.targets)


# -- the check -----------------------------------------------------------------------------------------------


def test_a_check_says_that_all_is_well_and_what_to_do_about_comments_that_are_not_shown(
    world: NextdoorWorld, own: Visit
) -> None:
    name = world.say("Bridge.")
    assert own.lacks() == {}
    world.answer_to(name, "Until when?")
    remedy = own.lacks()["comments, 0 of them"]
    assert "counts 1 comments and shows none of them" in remedy
    assert "muniment import FILE --as warc" in remedy
    world.shows_comments = True
    assert own.lacks() == {}


def test_a_check_asks_for_no_comments_where_none_are_counted_and_says_so(
    world: NextdoorWorld, own: Visit
) -> None:
    world.say("Bridge.")
    world.counts_comments = False
    assert "an unknown number of comments" in own.lacks()["comments, 0 of them"]


@pytest.mark.parametrize(
    ("scope", "what"),
    [("profile:read", "permission"), ("post:read", "posts"), ("agency.boundary:read", "areas")],
)
def test_a_check_names_the_scope_that_is_lacking(
    world: NextdoorWorld, own: Visit, scope: str, what: str
) -> None:
    world.scopes.discard(scope)
    lacking = own.lacks()
    assert set(lacking) == {what}
    assert scope in lacking[what] or what == "posts"


def test_a_check_of_areas_that_are_not_asked_for_says_nothing_of_them(
    world: NextdoorWorld, own: Visit
) -> None:
    own.options["areas"] = "no"
    world.scopes.discard("agency.boundary:read")
    assert own.lacks() == {}


def test_a_check_of_the_public_feed_says_what_it_does_not_show(world: NextdoorWorld, public: Visit) -> None:
    world.say("Bridge.")
    assert set(public.lacks()) == {"posts that are older, or were removed"}
    world.shut[FEED] = Refused(403, "insufficient_scope")
    assert set(public.lacks()) == {"posts"}
    world.shut = {LIST: Refused(403, "insufficient_scope")}
    assert set(public.lacks()) == {"application"}
    world.shut = {LIST: Refused(400, "invalid_input")}
    assert set(public.lacks()) == {"agency"}
    world.shut = {"v2/token": Refused(401, "invalid_client")}
    assert set(Visit(world, public.connector._http, PUBLIC).lacks()) == {"application"}  # type: ignore[arg-type]  # the same client


def test_a_check_of_an_agency_that_is_not_there_says_how_to_name_it(
    world: NextdoorWorld, public: Visit
) -> None:
    public.where = "https://nextdoor.com/agency-detail/tt/test-town/nobody/"
    assert "option `agency`" in public.lacks()["agency"]


# -- a part of the page ----------------------------------------------------------------------------------------


def test_a_pass_over_a_span_reads_everything_and_keeps_its_promise_to_the_span(
    world: NextdoorWorld, own: Visit
) -> None:
    names = [world.say(f"Notice {number}.") for number in range(4)]
    begins, ends = world.posts[names[1]].at, world.posts[names[2]].at
    batches = own.observe(published_from=begins, published_until=ends)
    assert set(names) <= set(seen(batches))
    (told,) = of_posts(batches)
    assert (told.published_from, told.published_until) == (begins, ends)


# -- many comments -------------------------------------------------------------------------------------------


def test_a_post_with_two_thousand_comments_is_read_whole_and_counts_them() -> None:
    comments = many_comments(2000, "Until when? " * 20)
    body = json.dumps(
        {"posts": [{"id": "1", "body": "Bridge.", "comments": comments, "comment_count": 2000}]}
    ).encode()
    answer = Answer(body, 0)
    (one,) = reading.posts(answer).items
    below = parse.answers(one, AGENCY)
    assert below.whole
    assert parse.post(one.post, AGENCY, below).counts["comments"] == 2000


# -- answers that nobody expects -----------------------------------------------------------------------------


def told_as(world: NextdoorWorld, part: str, change: Callable[[dict[str, Any]], Any]) -> None:
    """From now on answers to that address are changed before they are given."""
    answering.told_as(world, lambda target: part in target, change)


@pytest.mark.parametrize("more", ["true", "True", 1])
@pytest.mark.parametrize("number", [True, False])
def test_that_another_answer_follows_is_read_however_it_is_written(
    world: NextdoorWorld, own: Visit, more: Any, number: bool
) -> None:
    names = [world.say(f"Notice {number}.") for number in range(3)]
    world.at_once = 2
    cursors: dict[str, str] = {}

    def written(told: dict[str, Any]) -> None:
        told.pop("posts_length", None)
        if told["has_next_page"]:
            told["has_next_page"] = more
            if number:
                cursors["7"] = told["cursor"]
                told["cursor"] = 7

    told_as(world, POSTS, written)
    changed = world.answer
    answering.answers_as(
        world,
        lambda method, target, headers, form: changed(
            method, target.replace("after=7", f"after={cursors.get('7')}"), headers, form
        ),
    )
    batches = own.observe()
    assert set(names) <= set(seen(batches))
    assert len(of_posts(batches)) == 1


@pytest.mark.parametrize("more", ["perhaps", 2, [], {}, 1.5])
def test_an_answer_that_does_not_say_whether_another_one_follows_is_an_error(
    world: NextdoorWorld, own: Visit, more: Any
) -> None:
    world.say("Bridge.")
    told_as(world, POSTS, lambda told: told.update(has_next_page=more))
    error = own.fails()
    assert isinstance(error, UnexpectedResponse)
    assert "another one follows" in str(error)


@pytest.mark.parametrize("empty", [True, False])
def test_posts_that_lead_on_for_ever_and_show_nothing_new_are_an_error(
    world: NextdoorWorld, own: Visit, empty: bool
) -> None:
    world.say("Bridge.")
    count = iter(range(10_000_000))
    world.trouble = lambda path: (
        (200, JSON, json.dumps(endless(next(count), empty=empty)).encode()) if path == POSTS else None
    )
    assert "no end" in str(own.fails())
    assert len(world.asked) < 50


def endless(number: int, *, empty: bool) -> dict[str, Any]:
    told = [] if empty else [{"id": 1, "body": "Bridge.", "comment_count": 0}]
    return {"posts": told, "has_next_page": True, "cursor": f"c{number}"}


def test_areas_that_never_end_or_are_of_another_shape_or_fail_are_a_gap_and_the_posts_are_read(
    world: NextdoorWorld, own: Visit
) -> None:
    name = world.say("Bridge.")
    count = iter(range(10_000_000))

    def for_ever() -> bytes:
        area = {"name": "Hill", "group_id": 1}
        told = {"result": [area], "has_next_page": True, "cursor": f"a{next(count)}"}
        return json.dumps(told).encode()

    for status, body in ((200, for_ever), (200, lambda: b"[]"), (200, lambda: b"<html>"), (500, lambda: b"")):
        world.trouble = lambda path, status=status, body=body: (
            (status, JSON, body()) if "boundary" in path else None
        )
        batches = own.observe()
        assert name in seen(batches)
        assert "areas" not in seen(batches)
        assert list(gaps(batches)) == ["the areas that the agency may address"]
        assert len(of_posts(batches)) == 1
    assert len(world.asked) < 150
