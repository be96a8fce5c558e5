"""TikTok, observed over loopback: videos with everything that answers them, what is hidden, two doors, and what proves no removal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Author, Batch, Kind, Page, State
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.http import EvidenceClient
from connectors.tiktok import TikTok
from tests.connectors.worlds import answering
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.tiktok_world import (
    APPLICATION,
    DISPLAY_ID,
    HTML,
    JSON,
    NAME,
    OPEN_ID,
    SIGN_IN,
    Denied,
    Refused,
    TikTokWorld,
)
from tests.connectors.worlds.visits import PageVisit, asked, gaps, listings, seen

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
BUSINESS, DISPLAY, BY_HAND = dict(TikTokWorld.business), dict(TikTokWorld.display), dict(TikTokWorld.by_hand)


class Visit(PageVisit[TikTok]):
    """One connector at one account."""

    def __init__(self, http: EvidenceClient, secret: Mapping[str, str], **more: str) -> None:
        super().__init__(TikTok(http, secret), more)

    def page(self, **span: datetime | None) -> Page:
        return Page(address=f"https://www.tiktok.com/@{NAME}", options=self.options, **span)

    def stands(self, name: str) -> tuple[State, str]:
        told = self.look(name)[name]
        return told.state, told.reason


def kinds(batches: Sequence[Batch]) -> set[Kind]:
    """What a pass says that it was shown all of."""
    told = [one for one in listings(batches) if one.in_reply_to is None and one.states]
    return {kind for one in told for kind in one.kinds}


def below(batches: Sequence[Batch]) -> set[str]:
    """Items of which a pass says that it was shown everything that answers them."""
    return {one.in_reply_to for one in listings(batches) if one.in_reply_to is not None}


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client({**DISPLAY, **BUSINESS, "display_token": DISPLAY["access_token"]}) as client:
        yield client


@pytest.fixture
def world() -> Iterator[TikTokWorld]:
    with TikTokWorld() as account:
        yield account


@pytest.fixture
def owner(world: TikTokWorld, http: EvidenceClient) -> Visit:
    """A visit by the door for businesses."""
    return Visit(http, BUSINESS, api=world.accounts_api)


@pytest.fixture
def public(world: TikTokWorld, http: EvidenceClient) -> Visit:
    """A visit by the Display API."""
    return Visit(http, DISPLAY, api=world.display_api, door="display")


# --- what an account shows ----------------------------------------------------------------------------------


def test_a_video_is_the_same_by_both_doors_with_its_cover_and_what_was_counted(world, owner, public):
    name = world.post("Bridge closed & <b>\nUntil six. #bridge")
    world.say(name, "Thanks")
    for visit in (owner, public):
        shown = seen(visit.observe())[name]
        assert (shown.kind, shown.state, shown.private) == (Kind.POST, State.PRESENT, False)
        assert (shown.text, shown.html) == ("Bridge closed & <b>\nUntil six. #bridge", None)
        assert shown.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
        assert shown.edited_at is None, "TikTok tells no time of an edit"
        assert shown.author == Author(handle=NAME)
        assert shown.url == f"https://www.tiktok.com/@{NAME}/video/{name}"
        assert [file.id for file in shown.attachments] == [f"cover:{name}"]
        assert shown.attachments[0].url is not None
        assert "x-signature" in shown.attachments[0].url
        assert shown.extra["seconds"] == 12
        counts = {"views": 30, "likes": 3, "comments": 1, "shares": 1}
        assert {key: shown.counts[key] for key in counts} == counts


def test_photos_are_posts_too_and_say_what_they_are(world, owner):
    name = world.post("Founded in 1901", photo=True)
    shown = seen(owner.observe())[name]
    assert (shown.kind, shown.extra["media_type"]) == (Kind.POST, "PHOTO")
    assert shown.url == f"https://www.tiktok.com/@{NAME}/photo/{name}"


@pytest.mark.parametrize("as_text", [True, False])
def test_a_comment_keeps_its_words_its_writer_and_what_it_answers(world, owner, as_text):
    world.numbers_as_text = as_text
    clip = world.post("Closed")
    first = world.say(clip, "Until when?\n<b>& you</b>", pinned=True, liked=True, likes=4)
    answer = world.say(clip, "Until six.", by=NAME, to=first)
    picture = world.say(clip, "", image=True)
    shown = seen(owner.observe())
    one, two, three = (shown[f"{clip}/{name}"] for name in (first, answer, picture))
    assert (one.kind, two.kind) == (Kind.COMMENT, Kind.REPLY)
    assert (one.text, one.html) == ("Until when?\n<b>& you</b>", None)
    assert (one.in_reply_to, two.in_reply_to) == (clip, f"{clip}/{first}")
    assert one.author == Author(id="unique-jo.public", name="Jo Public", handle="jo.public")
    assert one.published_at == datetime(2026, 3, 1, 8, 2, tzinfo=UTC)
    assert one.counts == {"likes": 4, "replies": 1, "pinned": 1, "liked_by_account": 1}
    assert [file.id for file in three.attachments] == [f"image:{picture}"]


def test_what_the_account_pins_or_likes_is_a_count_and_no_other_version(world, owner):
    clip = world.post("Closed")
    name = world.say(clip, "Thanks")
    before = seen(owner.observe())[f"{clip}/{name}"]
    world.said[name].pinned = world.said[name].liked = True
    after = seen(owner.observe())[f"{clip}/{name}"]
    assert before.counts != after.counts
    assert (before.text, before.state, before.extra) == (after.text, after.state, after.extra)


def test_every_answer_is_read_by_its_own_list_and_never_only_the_three_that_stand_inside(world, owner):
    clip = world.post("Closed")
    first = world.say(clip, "Until when?")
    answers = {f"{clip}/{world.say(clip, f'+{number}', to=first)}" for number in range(70)}
    shown = seen(owner.observe())
    assert answers <= set(shown)
    assert asked(world, "reply/list") == 3
    assert not asked(world, "include_replies"), "what stands inside a comment is not even asked for"


def test_the_introduction_comes_first_and_is_the_same_by_both_doors(world, owner, public):
    for visit in (owner, public):
        (told,) = visit.observe()[0].observations
        assert (told.native_id, told.kind) == ("profile", Kind.PROFILE)
        assert told.text == "Test Town Police\n\nThe department's own account."
        assert told.author == Author(name="Test Town Police", handle=NAME)
        assert told.url == f"https://www.tiktok.com/@{NAME}"
        assert [file.id for file in told.attachments] == ["picture:7301"]
        assert told.counts == {"followers": 250, "following": 7, "likes": 0, "videos": 0}
        assert told.extra == {"verified": True}


def test_each_item_names_its_own_bytes_also_where_one_stands_inside_another(world, owner):
    clip = world.post("Closed")
    rude = world.say(clip, "You fools")
    inside = world.say(clip, "Indeed", to=rude)
    world.hide(rude)
    told = {}
    for batch in owner.observe():
        for name, one in seen([batch]).items():
            told[name] = [
                json.loads(batch.exchanges[span.exchange].body[span.start : span.end])
                for span in one.evidence
            ]
    assert [one["text"] for one in told[f"{clip}/{inside}"]] == ["Indeed"]
    assert [one["text"] for one in told[f"{clip}/{rude}"]] == ["You fools"] * 2
    assert told[f"{clip}/{rude}"][1]["reply_list"] == told[f"{clip}/{inside}"]
    assert [one["item_id"] for one in told[clip]] == [clip]


def test_an_answer_that_was_compressed_all_the_same_is_read_and_owned_as_a_whole(world, owner):
    clip = world.post("Closed")
    name = world.say(clip, "Thanks")
    world.compresses = True
    batches = owner.observe()
    assert {clip, f"{clip}/{name}"} <= set(seen(batches))
    for batch in batches:
        for one in batch.observations:
            assert all(span.end == len(batch.exchanges[span.exchange].body) for span in one.evidence)


# --- what is hidden -----------------------------------------------------------------------------------------


def test_hidden_comments_are_seen_as_hidden_and_said_so_and_come_back(world, owner):
    clip = world.post("Closed")
    name = world.say(clip, "You fools")
    for status in ("HIDDEN", "UNDER_REVIEW"):
        world.hide(name, status)
        shown = seen(owner.observe())[f"{clip}/{name}"]
        assert (shown.state, shown.extra) == (State.HIDDEN, {"status": status})
    world.hide(name, "PUBLIC")
    assert seen(owner.observe())[f"{clip}/{name}"].state is State.PRESENT
    everything = [one for one in listings(owner.observe()) if Kind.COMMENT in one.kinds]
    assert {tuple(one.states) for one in everything} == {(State.PRESENT, State.HIDDEN)}


def test_what_answers_a_hidden_comment_is_told_with_it_and_more_than_three_are_a_gap(world, owner):
    clip = world.post("Closed")
    rude = world.say(clip, "You fools")
    answers = [f"{clip}/{world.say(clip, f'+{number}', to=rude)}" for number in range(3)]
    world.hide(rude)
    told = owner.observe()
    assert set(answers) <= set(seen(told))
    assert (gaps(told), kinds(told)) == ({}, {Kind.POST, Kind.COMMENT, Kind.REPLY})
    world.say(clip, "+4", to=rude)
    told = owner.observe()
    assert "three" in gaps(told)["answers"]
    assert kinds(told) == {Kind.POST}, "nothing is promised of answers that were not all shown"


def test_a_video_that_the_public_is_not_shown_is_left_out_by_both_doors(world, owner, public):
    name = world.post("For the council only", public=False)
    for visit in (owner, public):
        assert name not in seen(visit.observe())


# --- by the Display API -------------------------------------------------------------------------------------


def test_the_display_interface_has_no_comments_counts_them_and_promises_nothing_of_them(world, public):
    for number in range(2):
        world.say(world.post(f"Closed {number}"), "Thanks")
    told = public.observe()
    assert gaps(told) == {}, "what an interface never shows is a blind spot and no gap of the night"
    assert kinds(told) == {Kind.POST}
    (counted,) = (one for one in listings(told) if Kind.COMMENT in one.kinds)
    assert (counted.stated_total, tuple(counted.states)) == (2, ())
    assert not asked(world, "/comment/")
    assert public.look(f"{next(iter(world.clips))}/1") == {}


def test_the_display_interface_sends_its_questions_as_json_and_the_fields_in_the_address(world, public):
    world.post("Closed")
    public.observe()
    place = next(number for number, target in enumerate(world.asked) if "video/list" in target)
    assert json.loads(world.bodies[place]) == {"max_count": 20}
    assert "fields=id%2Ccreate_time%2Ctitle" in world.asked[place]
    assert world.headers[place]["Authorization"] == f"Bearer {DISPLAY['access_token']}"


def test_a_page_that_is_read_by_the_other_door_begins_anew_and_calls_no_comment_missing(world, owner, public):
    clip = world.post("Closed")
    world.say(clip, "Thanks")
    cursor = owner.observe()[-1].resume_from
    told = public.observe(cursor)
    assert clip in seen(told)
    assert State.PRESENT not in {
        state for one in listings(told) if Kind.COMMENT in one.kinds for state in one.states
    }
    again = owner.observe(told[-1].resume_from)
    assert kinds(again) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


# --- whose token, and what it permits -----------------------------------------------------------------------


def test_tiktok_is_asked_whose_the_token_is_and_the_token_stands_in_no_evidence(world, owner):
    world.post("Closed")
    batch = owner.observe()[0]
    first = batch.exchanges[0]
    assert first.url.endswith("/tt_user/token_info/get/")
    assert json.loads(first.request_body) == {
        "app_id": APPLICATION,
        "access_token": "[[secret:access_token]]",
    }
    assert json.loads(world.bodies[0])["access_token"] == BUSINESS["access_token"]
    assert asked(world, f"business_id={OPEN_ID}") == asked(world, "business/")


def test_without_the_application_s_id_the_account_s_own_is_an_option_and_without_either_nothing_is_asked(
    world, http
):
    world.post("Closed")
    told = Visit(http, BY_HAND, api=world.accounts_api, business_id=OPEN_ID).observe()
    assert len(seen(told)) == 2
    assert not asked(world, "token_info")
    world.asked.clear()
    with pytest.raises(AccessRevoked, match="business_id"):
        Visit(http, BY_HAND, api=world.accounts_api).observe()
    assert world.asked == []


def test_where_tiktok_does_not_tell_what_a_token_permits_the_option_serves(world, http):
    world.shut["tt_user/token_info/get"] = Refused(40006, "no schema found", 404)
    with pytest.raises(UnexpectedResponse):
        Visit(http, BUSINESS, api=world.accounts_api).observe()
    visit = Visit(http, BUSINESS, api=world.accounts_api, business_id=OPEN_ID)
    assert "profile" in seen(visit.observe())
    assert "client_id" in visit.check()["what the token permits"]


def test_permissions_in_words_that_nobody_knows_keep_nothing_from_being_asked(world, owner):
    clip = world.post("Closed")
    name = world.say(clip, "Thanks")
    plain = world._granted
    for scope in ("Get Business Comment", None, 7, ["1001", "1002"]):
        world._granted = lambda *told, scope=scope: {**plain(*told), "scope": scope}
        told = owner.observe()
        assert (f"{clip}/{name}" in seen(told), gaps(told)) == (True, {})


def test_a_permission_for_comments_that_is_lacking_is_a_gap_and_proves_no_removal(world, owner):
    clip = world.post("Closed")
    world.say(clip, "Thanks")
    world.scopes.remove("comment.list")
    told = owner.observe()
    assert "comment.list" in gaps(told)["comments"]
    assert (kinds(told), set(seen(told))) == ({Kind.POST}, {"profile", clip})
    assert not asked(world, "comment/list")


def test_comments_that_are_refused_though_nobody_said_so_are_a_gap_for_each_video(world, http):
    clip = world.post("Closed")
    world.scopes.remove("comment.list")
    told = Visit(http, BY_HAND, api=world.accounts_api, business_id=OPEN_ID).observe()
    (gap,) = (one for batch in told for one in batch.gaps)
    assert (gap.what, gap.native_id) == ("comments", clip)
    assert kinds(told) == {Kind.POST}


def test_one_field_that_is_not_permitted_costs_only_itself(world, owner, public):
    for visit in (owner, public):
        world.scopes = {"user.info.basic", "user.info.username", "video.list", "comment.list"}
        told = visit.observe()
        (shown,) = told[0].observations
        assert shown.text == "Test Town Police"
        assert shown.counts == {}
        assert "user.info.profile" in gaps(told)["parts of the introduction"]
    world.scopes |= {"user.info.stats", "user.info.profile"}
    world.refused_fields = {"followers_count"}
    told = owner.observe()
    assert (told[0].observations[0].text.splitlines()[-1], gaps(told)) == (
        "The department's own account.",
        {},
    )


def test_videos_that_are_not_permitted_mean_that_the_page_is_to_be_connected_again(world, owner, public):
    world.scopes.remove("video.list")
    for visit in (owner, public):
        with pytest.raises(AccessRevoked, match=r"video\.list"):
            visit.observe()
        assert any("videos" in what for what in visit.check())


def test_a_token_of_another_account_is_refused_in_words_and_nothing_is_kept(world, owner, public):
    world.username = "elsewhere"
    for visit in (owner, public):
        with pytest.raises(NoSuchPage, match="elsewhere"):
            visit.observe()
        with pytest.raises(NoSuchPage):
            visit.look("73")


def test_an_account_that_was_renamed_is_the_same_for_who_knew_it(world, owner, public):
    clip = world.post("Closed")
    for visit in (owner, public):
        world.username = NAME
        cursor = visit.observe()[-1].resume_from
        world.username = "newname"
        told = visit.observe(cursor)
        assert seen(told)["profile"].url == "https://www.tiktok.com/@newname"
        assert visit.stands(clip)[0] is State.PRESENT, "the looks of that run know it, too"


def test_the_display_interface_without_a_name_is_read_and_the_check_says_what_that_means(world, public):
    world.scopes = {"user.info.basic", "video.list"}
    world.post("Closed")
    assert len(seen(public.observe())) == 2
    assert "user.info.profile" in public.check()["whose token it is"]


# --- lists that shift, go on, or have no end ----------------------------------------------------------------


def test_a_comment_that_is_removed_while_they_are_read_makes_none_slip_through(world, owner):
    clip = world.post("Closed")
    names = [world.say(clip, f"+{number}") for number in range(8)]
    world.cuts_at = 3
    done: list[str] = []

    def removes(path: str) -> None:
        if path.endswith("/comment/list/") and asked(world, "comment/list") == 2 and not done:
            done.append(names[-1])
            world.delete(names[-1])

    world.before = removes
    told = owner.observe()
    assert done
    assert {f"{clip}/{name}" for name in names[:-1]} <= set(seen(told))
    assert (gaps(told), kinds(told)) == ({}, {Kind.POST, Kind.COMMENT, Kind.REPLY})


def test_a_list_that_shifts_each_time_is_said_to_be_uncertain_and_read_on(world, owner):
    clip = world.post("Closed")
    for number in range(40):
        world.say(clip, f"+{number}")
    world.cuts_at = 3

    def removes(path: str) -> None:
        if path.endswith("/comment/list/") and "cursor=" in world.asked[-1] and len(world.said) > 20:
            world.delete(max(world.said))

    world.before = removes
    told = owner.observe()
    assert "removed each time" in gaps(told)["comments"]
    assert kinds(told) == {Kind.POST}
    assert f"{clip}/{min(world.said)}" in seen(told), "it was read to its end all the same"


def test_after_such_a_pass_what_answers_each_item_is_listed_by_itself(world, owner):
    quiet, busy = world.post("Quiet"), world.post("Busy")
    thanks = world.say(quiet, "Thanks")
    world.shut[busy] = Refused(40002)
    told = owner.observe()
    assert (gaps(told)["comments"], below(told)) == ("TikTok answers 200 40002", set())
    told = owner.observe(told[-1].resume_from)
    assert below(told) == {quiet, f"{quiet}/{thanks}"}
    world.shut.clear()
    told = owner.observe(told[-1].resume_from)
    assert busy in below(told)
    assert kinds(owner.observe(told[-1].resume_from)) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_beyond_the_first_comments_no_order_is_promised_and_nothing_is_called_missing(world, owner):
    world.in_order = 500
    clip = world.post("Busy")
    names = {f"{clip}/{world.say(clip, f'+{number}', likes=number % 7)}" for number in range(530)}
    told = owner.observe()
    assert names <= set(seen(told))
    assert "500" in gaps(told)["comments"]
    assert kinds(told) == {Kind.POST}


def test_five_hundred_comments_are_listed_in_order_and_are_no_gap(world, owner):
    clip = world.post("Busy")
    for number in range(480):
        world.say(clip, f"+{number}")
    told = owner.observe()
    assert (gaps(told), kinds(told)) == ({}, {Kind.POST, Kind.COMMENT, Kind.REPLY})


def test_comments_that_tiktok_leaves_out_without_a_word_do_not_stop_the_list(world, owner):
    clip = world.post("Closed")
    names = [world.say(clip, f"+{number}") for number in range(70)]
    plain = world._placed

    def filtered(found, query):
        told = plain(found, query)
        told["comments"] = [one for one in told["comments"] if one["text"] != "+30"]
        return told

    world._placed = filtered
    shown = seen(owner.observe())
    assert {f"{clip}/{name}" for name in names} - set(shown) == {f"{clip}/{names[30]}"}


def test_a_video_that_is_posted_while_they_are_listed_shifts_nothing(world, owner, public):
    names = [world.post(f"Video {number}") for number in range(7)]
    world.cuts_at = 2
    for visit in (owner, public):
        world.before = lambda path: world.post("New") and None if "video/list" in path else None
        assert set(names) <= set(seen(visit.observe()))


@pytest.mark.parametrize(
    "told",
    [
        {"videos": [], "has_more": True},
        {"videos": [{"item_id": ""}] * 3, "has_more": False},
        {"videos": [{"caption": "no id"}] * 3, "has_more": False},
        {"videos": [None, {"item_id": None}, {"item_id": "71", "caption": 5}], "has_more": False},
        {"videos": "none", "has_more": False},
        {},
    ],
)
def test_a_list_of_another_shape_is_no_empty_list(world, owner, told):
    world.post("Closed")
    world._items = lambda query: told
    with pytest.raises(UnexpectedResponse):
        owner.observe()


def test_comments_of_another_shape_are_a_gap_and_where_all_are_the_pass_breaks_off(world, owner):
    clip = world.post("Closed")
    world._comments = lambda query: {"comments": [{"text": "no id"}] * 3, "has_more": False}
    told = owner.observe()
    assert clip in seen(told)
    assert "shape" in gaps(told)["comments"]
    assert kinds(told) == {Kind.POST}
    for number in range(2):
        world.post(f"Closed {number}")
    passing, shown = owner.connector.observe(owner.page(), None), []
    with pytest.raises(UnexpectedResponse) as raised:
        shown.extend(passing)
    assert raised.value.exchanges
    assert not listings(shown) or kinds(shown) == {Kind.POST}


# --- what stands in a list and cannot be read ---------------------------------------------------------------


def tells_oddly(world: TikTokWorld, part: str, number: int, odd: Callable[[Any], Any], name: str) -> None:
    """From now on one item of the lists of that address is told otherwise."""

    def change(told: dict[str, Any]) -> None:
        if len(told.get(name, ())) > number:
            told[name][number] = odd(told[name][number])

    told_as(world, part, change)


ODD_VIDEOS: Sequence[tuple[Callable[[Any], Any], bool]] = [
    (lambda one: None, False),
    (lambda one: [one], False),
    (lambda one: {**one, "item_id": None, "id": None}, False),
    (lambda one: {**one, "item_id": "7/1", "id": "7/1"}, False),
    (lambda one: {name: told for name, told in one.items() if name not in {"item_id", "id"}}, False),
    (lambda one: {**one, "caption": 5, "title": 5}, True),
    (lambda one: {**one, "share_url": [None]}, True),
]


@pytest.mark.parametrize(("odd", "bears_its_id"), ODD_VIDEOS)
@pytest.mark.parametrize("way", ["owner", "public"])
def test_a_video_that_cannot_be_read_is_a_gap_and_costs_neither_those_beside_it_nor_those_behind_it(
    world, owner, public, way, odd, bears_its_id
):
    names = [world.post(f"Video {number}") for number in range(5)]
    said = [f"{name}/{world.say(name, 'Thanks')}" for name in names]
    world.cuts_at = 3
    visit = owner if way == "owner" else public
    tells_oddly(world, "video/list", 1, odd, "videos")
    told = visit.observe()
    # Two answers of three and two videos: the second of each is told otherwise.
    lost = {names[3], names[0]}
    assert set(names) - set(seen(told)) == lost
    found = [gap for batch in told for gap in batch.gaps]
    assert {gap.what for gap in found} == {"a video"}
    assert {gap.native_id for gap in found} == (lost if bears_its_id else {None})
    assert all("video/list" in gap.why and gap.why.endswith("Every later pass asks again.") for gap in found)
    assert listings(told) == []
    if way == "owner":
        assert {one for one in said if one.partition("/")[0] not in lost} <= set(seen(told))
    # However early it is broken off behind it, the pass promises nothing.
    for end, batch in enumerate(told[:-1]):
        if any(one.gaps for one in told[: end + 1]):
            assert not {Kind.POST} & kinds(visit.observe(batch.resume_from))
    answering.is_itself(world)
    again = visit.observe(told[-1].resume_from)
    assert set(names) <= set(seen(again))
    assert Kind.POST in kinds(again)


@pytest.mark.parametrize("which", [0, 5, 7])
@pytest.mark.parametrize(
    ("odd", "bears_its_id"),
    [
        (lambda one: None, False),
        (lambda one: {**one, "comment_id": None}, False),
        (lambda one: {**one, "text": {}}, True),
        (lambda one: {**one, "status": 1}, True),
        (lambda one: {**one, "owner": []}, True),
        (lambda one: {**one, "unique_identifier": None, "user_id": None, "username": 5}, True),
    ],
)
def test_a_comment_that_cannot_be_read_is_a_gap_and_the_others_are_read(
    world, owner, odd, which, bears_its_id
):
    clip, other = world.post("Closed"), world.post("Open house")
    names = [world.say(clip, f"+{one}") for one in range(8)]
    answer = f"{clip}/{world.say(clip, 'Indeed', to=names[which])}"
    thanks = f"{other}/{world.say(other, 'Thanks')}"
    lost, whole = f"{clip}/{names[which]}", {answer, thanks, *(f"{clip}/{name}" for name in names)}
    world.cuts_at = 3

    def change(told: dict[str, Any]) -> None:
        listed = told.get("comments", [])
        told["comments"] = [odd(one) if one["comment_id"] == names[which] else one for one in listed]

    told_as(world, "business/comment/", change)
    told = owner.observe()
    assert whole - set(seen(told)) == {lost, answer}
    found = [gap for batch in told for gap in batch.gaps]
    assert {gap.what for gap in found} == {"a comment"}
    assert {gap.native_id for gap in found} == ({lost} if bears_its_id else {None})
    assert len(found) == 1 or not bears_its_id, "a list that tells it twice makes it one gap"
    assert kinds(told) == {Kind.POST}
    for end, batch in enumerate(told[:-1]):
        if any(one.gaps for one in told[: end + 1]):
            assert kinds(owner.observe(batch.resume_from)) == {Kind.POST}
    # The next pass lists what answers each item by itself: all but what answers that video.
    later = owner.observe(told[-1].resume_from)
    assert below(later) == {other, *(whole - {lost, answer})}
    for batch in later[:-1]:
        assert clip not in below(owner.observe(batch.resume_from))
    answering.is_itself(world)
    later = owner.observe(told[-1].resume_from)
    assert whole <= set(seen(later))
    assert below(later) == {clip, other, *(whole - {answer})}


def test_where_no_video_of_a_list_can_be_read_the_pass_ends_and_where_one_can_it_does_not(world, owner):
    names = [world.post(f"Video {number}") for number in range(4)]
    told_as(world, "video/list", lambda told: told.update(videos=[{"item_id": "71", "caption": 5}] * 4))
    assert isinstance(owner.fails(), UnexpectedResponse)
    answering.is_itself(world)
    told_as(world, "video/list", lambda told: told.update(videos=[None] * 3 + told["videos"][:1]))
    assert names[3] in seen(owner.observe())


@pytest.mark.parametrize("odd", [None, [], {"comment_id": "x/y"}, {"comment_id": "71", "text": 5}])
def test_an_odd_answer_inside_a_hidden_comment_is_a_gap_and_the_comment_is_none(world, owner, odd):
    clip = world.post("Closed")
    rude = world.say(clip, "You fools", status="HIDDEN")
    kind = world.say(clip, "Please be kind.", by=NAME, to=rude)
    world.say(clip, "Indeed", to=rude)

    def change(told: dict[str, Any]) -> None:
        for one in told["comments"]:
            one["replies"] = None
            one["reply_list"] = [one["reply_list"][0], odd] if one.get("reply_list") else None

    told_as(world, "include_replies", change)
    told = owner.observe()
    assert {f"{clip}/{rude}", f"{clip}/{kind}"} <= set(seen(told))
    assert kinds(told) == {Kind.POST}
    assert "an answer" in gaps(told)
    assert f"{clip}/{rude}" not in below(owner.observe(told[-1].resume_from))


@pytest.mark.parametrize("odd", [5, "none", {}, [None] * 3])
def test_answers_inside_a_hidden_comment_that_are_no_list_are_no_empty_list(world, owner, odd):
    clip = world.post("Closed")
    rude = world.say(clip, "You fools", status="HIDDEN")
    world.say(clip, "Please be kind.", by=NAME, to=rude)
    told_as(
        world,
        "include_replies",
        lambda told: [one.update(replies=None, reply_list=odd) for one in told["comments"]],
    )
    told = owner.observe()
    assert f"{clip}/{rude}" in seen(told)
    assert ("an answer" in gaps(told), kinds(told)) == (True, {Kind.POST})


def test_a_family_with_a_comment_that_cannot_be_read_promises_nothing_of_what_answers_the_video(world, owner):
    clip = world.post("Closed")
    first, second = world.say(clip, "Until when?"), world.say(clip, "Hm")
    tells_oddly(world, "comment/list", 0, lambda one: {**one, "text": 5}, "comments")
    told = owner.family(clip)
    assert set(seen(told)) == {clip, f"{clip}/{first}"}
    assert [gap.native_id for batch in told for gap in batch.gaps] == [f"{clip}/{second}"]
    assert below(told) == {f"{clip}/{first}"}
    answering.is_itself(world)
    assert clip in below(owner.family(clip))


@pytest.mark.parametrize("odd", [None, {"item_id": None}, {"item_id": "71", "caption": 5}])
def test_a_family_of_a_video_that_cannot_be_read_is_its_gap(world, owner, odd):
    clip = world.post("Closed")
    world.say(clip, "Thanks")
    told_as(world, "video/list", lambda told: told.update(videos=[odd]))
    (batch,) = owner.family(clip)
    assert (batch.sightings, batch.listings, [gap.native_id for gap in batch.gaps]) == ((), (), [clip])


@pytest.mark.parametrize(
    "odd", [lambda one: None, lambda one: {**one, "status": 5, "caption": 5, "title": 5}]
)
def test_a_look_concludes_nothing_of_what_cannot_be_read_and_tells_of_the_others(world, owner, public, odd):
    clips = [world.post(f"Video {number}") for number in range(3)]
    said = [f"{clips[0]}/{world.say(clips[0], f'+{number}')}" for number in range(3)]
    for part in ("filters", "video/query"):
        tells_oddly(world, part, 1, odd, "videos")
    tells_oddly(world, "comment_ids", 1, odd, "comments")
    told = owner.look(*clips, *said)
    assert [told[one].state for one in (clips[0], clips[2], said[0], said[2])] == [State.PRESENT] * 4
    for unread in (told[clips[1]], told[said[1]], public.look(*clips)[clips[1]]):
        assert (unread.state, unread.reason) == (State.UNKNOWN, "200, in another shape than it promises")


def test_a_picture_or_a_name_that_cannot_be_read_costs_only_itself_and_takes_nothing_away(world, owner):
    clip = world.post("Closed")
    said = f"{clip}/{world.say(clip, 'Look', image=True)}"
    told_as(world, "video/list", lambda told: told["videos"][0].update(thumbnail_url=[]))
    told_as(
        world, "comment/list", lambda told: told["comments"][0].update(image_url=5, display_name={"a": 1})
    )
    told = owner.observe()
    shown = seen(told)
    assert [(one.attachments, one.files_told) for one in (shown[clip], shown[said])] == [((), False)] * 2
    assert shown[said].author == Author(id="unique-jo.public"), (
        "the archive goes on calling that id as it was"
    )
    assert (gaps(told), kinds(told)) == ({}, {Kind.POST, Kind.COMMENT, Kind.REPLY})


def test_an_id_that_is_a_number_is_the_same_id(world, owner, public):
    clip = world.post("Closed")
    first = world.say(clip, "Until when?")
    world.say(clip, "Until six.", by=NAME, to=first)
    whole = [set(seen(visit.observe())) for visit in (owner, public)]
    told_as(
        world,
        "video/list",
        lambda told: [one.update(item_id=int(one["item_id"])) for one in told["videos"] if "item_id" in one],
    )
    told_as(world, "v2/video/list", lambda told: [one.update(id=int(one["id"])) for one in told["videos"]])
    told_as(
        world,
        "business/comment/",
        lambda told: [one.update(comment_id=int(one["comment_id"])) for one in told["comments"]],
    )
    assert [set(seen(visit.observe())) for visit in (owner, public)] == whole


# --- spans of time ------------------------------------------------------------------------------------------


def test_a_pass_over_a_span_begins_at_its_end_and_asks_for_what_lies_in_reach(world, owner):
    old = world.post("Long ago")
    world.say(old, "First!")
    world.tick(days=100)
    lately = world.post("Lately")
    answered = world.say(lately, "Before the span")
    begins = world.tick(days=10)
    within = world.post("Within")
    late = world.say(lately, "Late", to=answered)
    ends = world.tick(days=1)
    world.tick(days=5)
    after = world.post("After")
    world.say(after, "Too late")
    told = owner.observe(published_from=begins, published_until=ends)
    assert set(seen(told)) >= {within, lately, f"{lately}/{answered}", f"{lately}/{late}"}
    assert not {after, f"{old}/{old}"} & set(seen(told))
    assert not asked(world, f"video_id={old}"), "no older than thirty days before the span"
    assert below(told) >= {within, lately, f"{lately}/{answered}"}
    assert all(one.published_from == begins for one in listings(told))
    assert kinds(told) == {Kind.POST}


def test_the_reach_before_a_span_is_an_option(world, http):
    clip = world.post("Lately")
    begins = world.tick(days=10)
    world.say(clip, "Late")
    for days, reads in (("2", False), ("20", True)):
        visit = Visit(http, BUSINESS, api=world.accounts_api, answered_within=days)
        world.asked.clear()
        visit.observe(published_from=begins)
        assert bool(asked(world, f"video_id={clip}")) is reads


def test_an_answer_that_ends_before_the_reach_ends_the_list(world, owner):
    clip = world.post("Busy")
    for _ in range(4):
        world.say(clip, "Long ago")
        world.tick(days=30)
    world.cuts_at = 2
    begins = world.tick(days=1)
    new = world.say(clip, "New")
    world.clips[clip].at = world.said[new].at
    told = owner.observe(published_from=begins)
    assert f"{clip}/{new}" in seen(told)
    assert asked(world, "comment/list") == 1, "its second comment is older than thirty days before the span"


# --- how single items stand ---------------------------------------------------------------------------------


def test_what_is_left_out_is_unknown_and_nothing_is_ever_called_gone(world, owner, public):
    clip, removed, private = world.post("Closed"), world.post("Removed"), world.post("Private", public=False)
    world.delete(removed)
    for visit in (owner, public):
        told = visit.look(clip, removed, private, kind=Kind.POST)
        assert [told[name].state for name in (clip, removed, private)] == [
            State.PRESENT,
            State.UNKNOWN,
            State.UNKNOWN,
        ]
        assert "does not say which" in told[removed].reason


def test_comments_are_asked_for_by_their_ids_each_with_its_status(world, owner):
    clip, other = world.post("Closed"), world.post("Open")
    first, rude, removed = world.say(clip, "Hm"), world.say(clip, "You fools"), world.say(clip, "Thanks")
    answer, thanks = world.say(clip, "Indeed", to=first), world.say(other, "Thanks")
    world.hide(rude)
    world.delete(removed)
    names = [f"{clip}/{name}" for name in (first, rude, removed, answer)] + [f"{other}/{thanks}"]
    told = owner.look(*names)
    assert {name: told[name].state for name in names} == dict(
        zip(
            names,
            [State.PRESENT, State.HIDDEN, State.UNKNOWN, State.PRESENT, State.PRESENT],
            strict=True,
        )
    )
    assert told[names[1]].reason == "200 HIDDEN"
    assert asked(world, "comment_ids") == 2, "one question for the comments of a video"


def test_many_items_are_asked_for_in_as_few_questions_as_permitted(world, owner):
    clips = [world.post(f"Video {number}") for number in range(45)]
    names = [f"{clips[0]}/{world.say(clips[0], '+1')}" for _ in range(65)]
    told = owner.look(*clips, *names)
    assert {one.state for one in told.values()} == {State.PRESENT}
    assert (asked(world, "filters"), asked(world, "comment_ids")) == (3, 3)


def test_comments_below_a_video_that_is_not_there_are_unknown_in_tiktok_s_own_words(world, owner):
    clip = world.post("Closed")
    name = f"{clip}/{world.say(clip, 'Thanks')}"
    world.delete(clip)
    assert owner.stands(name) == (State.UNKNOWN, "200 40007")


def test_a_refusal_of_a_look_is_unknown_and_trouble_is_raised(world, owner, public):
    clip = world.post("Closed")
    world.shut = {"business/video/list": Refused(40002), "video/query": Denied("invalid_params", 400)}
    assert owner.stands(clip) == (State.UNKNOWN, "200 40002")
    assert public.stands(clip) == (State.UNKNOWN, "400 invalid_params")
    world.shut = {"business/video/list": Refused(40100), "video/query": Denied("rate_limit_exceeded", 429)}
    for visit in (owner, public):
        with pytest.raises(TryAgainLater):
            visit.look(clip)


def test_the_account_itself_stands_and_what_has_no_id_is_left_out(world, owner):
    del world
    assert owner.stands("profile")[0] is State.PRESENT
    assert owner.look("not an id", "also:none") == {}
    assert owner.look() == {}


# --- one video alone ----------------------------------------------------------------------------------------


def test_a_family_is_the_video_with_everything_below_it_and_a_listing_for_each(world, owner):
    clip, other = world.post("Closed"), world.post("Other")
    first = world.say(clip, "Until when?")
    answer, quiet = world.say(clip, "Until six.", by=NAME, to=first), world.say(clip, "Hm")
    world.say(other, "Elsewhere")
    told = owner.family(clip)
    names = {clip, *(f"{clip}/{name}" for name in (first, answer, quiet))}
    assert set(seen(told)) == names
    assert below(told) == {clip, f"{clip}/{first}", f"{clip}/{quiet}"}
    assert not kinds(told)


def test_a_family_by_the_display_interface_is_the_video_alone(world, public):
    clip = world.post("Closed")
    world.say(clip, "Thanks")
    told = public.family(clip)
    assert (set(seen(told)), listings(told), gaps(told)) == ({clip}, [], {})


def test_a_family_of_a_video_that_is_not_shown_says_how_it_stands(world, owner):
    clip = world.post("Closed", public=False)
    (batch,) = owner.family(clip)
    assert [(one.native_id, one.state) for one in batch.sightings] == [(clip, State.UNKNOWN)]
    assert owner.family("profile") == []


def test_a_family_without_the_permission_for_comments_says_so(world, owner):
    clip = world.post("Closed")
    world.scopes.remove("comment.list")
    told = owner.family(clip)
    assert "comment.list" in gaps(told)["comments"]
    assert listings(told) == []


# --- refusals, limits, trouble ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [40101, 40102, 40103, 40104, 40105, 40107, 40113, 40131])
def test_a_dead_token_ends_the_pass_whatever_its_number(world, owner, code):
    world.post("Closed")
    world.dead = Refused(code)
    with pytest.raises(AccessRevoked, match=str(code)) as raised:
        owner.observe()
    assert raised.value.exchanges
    assert [str(code) in remedy for remedy in owner.check().values()] == [True]


@pytest.mark.parametrize("code", [40016, 40100, 40133, 51010, 50000, 60001])
def test_a_limit_or_an_outage_with_status_200_means_later(world, owner, code):
    world.post("Closed")
    world.shut["business/video/list"] = Refused(code, "Too many requests")
    with pytest.raises(TryAgainLater, match=str(code)):
        owner.observe()


def test_a_status_of_429_is_read_for_its_word_and_its_time(world, public):
    world.shut["video/list"] = Denied("rate_limit_exceeded", 429)
    with pytest.raises(TryAgainLater, match="limit of questions") as raised:
        public.observe()
    assert raised.value.after == timedelta(minutes=1)
    body = world.denial(Denied("rate_limit_exceeded", 429))
    world.trouble = lambda path: (429, {**JSON, "Retry-After": "90"}, body) if "video" in path else None
    with pytest.raises(TryAgainLater) as raised:
        public.observe()
    assert raised.value.after == timedelta(seconds=90)


@pytest.mark.parametrize("status", [401, 403, 404, 200])
def test_a_page_in_html_is_somebody_else_s_whatever_its_status(world, owner, status):
    world.trouble = lambda path: (status, HTML, SIGN_IN) if "business/get" in path else None
    with pytest.raises(UnexpectedResponse, match="firewall"):
        owner.observe()


def test_an_answer_that_says_both_yes_and_no_is_believed_in_neither(world, owner):
    world.trouble = lambda path: (404, JSON, world.envelope({})) if "business/get" in path else None
    with pytest.raises(UnexpectedResponse):
        owner.observe()


def test_a_code_beside_another_status_is_sorted_by_its_code(world, owner):
    for status, code, error in (
        (401, 40105, AccessRevoked),
        (403, 40001, AccessRevoked),
        (400, 40016, TryAgainLater),
    ):
        body = world.refusal(Refused(code))
        world.trouble = lambda path, s=status, b=body: (s, JSON, b) if "business/get" in path else None
        with pytest.raises(error):
            owner.observe()


def test_an_account_that_tiktok_does_not_know_is_no_such_page(world, owner):
    world.shut["business/get"] = Refused(40007)
    with pytest.raises(NoSuchPage, match="40007"):
        owner.observe()


def test_no_more_is_asked_in_a_minute_than_is_permitted_and_the_rest_waits(world, http):
    clip = world.post("Closed")
    world.say(clip, "Thanks")
    visit = Visit(http, BUSINESS, api=world.accounts_api, rate="3")
    with pytest.raises(TryAgainLater, match="rate") as raised:
        visit.observe()
    assert (raised.value.after, len(world.asked)) == (timedelta(minutes=1), 3)


def test_the_display_interface_counts_each_kind_of_question_by_itself(world, http):
    for number in range(50):
        world.post(f"Video {number}")
    visit = Visit(http, DISPLAY, api=world.display_api, door="display", rate="3")
    assert len(seen(visit.observe())) == 51
    with pytest.raises(TryAgainLater, match="rate"):
        visit.observe()


def test_a_video_that_is_removed_while_the_pass_runs_is_no_gap(world, owner):
    clip = world.post("Closed")
    world.say(clip, "Thanks")
    world.before = lambda path: world.delete(clip) if "comment/list" in path else None
    told = owner.observe()
    assert gaps(told) == {}
    assert kinds(told) == {Kind.POST}, "what answered it is the next pass's"


def test_a_pass_goes_on_from_where_trouble_broke_it_off(world, owner):
    clips = [world.post(f"Video {number}") for number in range(6)]
    names = [f"{clip}/{world.say(clip, 'Thanks')}" for clip in clips]
    world.shut |= dict.fromkeys(clips[1:4], Refused(50000))
    taken: list[Batch] = []

    def breaks_off() -> None:
        for batch in owner.connector.observe(owner.page(), None):
            taken.append(batch)  # noqa: PERF402 - what came before the error is what counts

    with pytest.raises(TryAgainLater):
        breaks_off()
    world.shut.clear()
    told = [*taken, *owner.observe(taken[-1].resume_from)]
    passed_over = {f"{clips[number]}/" for number in (2, 3)}
    assert {one for one in names if not one.startswith(tuple(passed_over))} <= set(seen(told))
    assert kinds(told) == {Kind.POST}, "two were passed over before, and are the next pass's"
    assert kinds(owner.observe(told[-1].resume_from)) == {Kind.POST}
    assert set(names) <= set(seen(owner.observe(told[-1].resume_from)))


def test_no_word_of_tiktok_and_no_token_is_repeated_in_an_error(world, owner):
    for code in (40105, 40100, 40007, 50000, 12345):
        world.shut["business/get"] = Refused(code, f"bad token {world.token}")
        with pytest.raises(ConnectorError) as raised:
            owner.observe()
        assert world.token not in f"{raised.value!r} {raised.value.exchanges!r}"


# --- the check, and what is asked for -----------------------------------------------------------------------


def test_a_check_of_a_sound_connection_finds_nothing_wanting(world, owner, public):
    world.say(world.post("Closed"), "Thanks")
    assert owner.check() == {}
    assert public.check() == {}
    what = [one.what for one in public.connector.check(public.page())]
    assert "comments: the Display API has none" in what


def test_a_check_names_each_permission_that_is_lacking(world, owner):
    world.scopes -= {"comment.list", "user.info.stats"}
    told = owner.check()
    assert set(told) == {
        "what answers them, hidden comments too: comment.list",
        "how many follow it: user.info.stats",
    }
    assert all("connect the page again" in remedy for remedy in told.values())


def test_a_check_without_videos_says_so_and_is_well(world, owner):
    del world
    assert owner.check() == {}
    assert "videos: TikTok lists none yet" in [one.what for one in owner.connector.check(owner.page())]


def test_comments_that_are_refused_are_found_by_the_check(world, owner):
    clip = world.post("Closed")
    world.shut[clip] = Refused(40118)
    assert "comment.list" in owner.check()["comments"]


@pytest.mark.parametrize("way", ["owner", "public"])
def test_a_page_that_is_not_connected_asks_nothing(world, http, way):
    told = {"api": world.accounts_api, "business_id": OPEN_ID}
    if way == "public":
        told = {"api": world.display_api, "door": "display"}
    with pytest.raises(AccessRevoked, match="not connected"):
        Visit(http, {}, **told).observe()
    assert world.asked == []


def test_a_token_is_read_anew_for_each_question(world, http):
    clip = world.post("Closed")
    secret = dict(BUSINESS)
    passing = Visit(http, secret, api=world.accounts_api).connector.observe(
        Page(address=f"@{NAME}", options={"api": world.accounts_api}), None
    )
    next(passing)
    world.token = secret["access_token"] = "act.a-renewed-token-of-the-account"
    http.keep_secret("access_token", secret["access_token"])
    assert clip in seen(list(passing))


def test_only_https_and_this_machine_are_asked_and_only_accounts_that_can_be_read(world, owner):
    del world
    with pytest.raises(NoSuchPage, match="vm"):
        list(owner.connector.observe(Page(address="https://vm.tiktok.com/ZT/"), None))
    owner.options = {"api": "http://gateway.example"}
    with pytest.raises(AddressRefused):
        owner.observe()


def test_nothing_is_asked_that_could_change_the_account(world, owner, public):
    clip = world.post("Closed")
    name = world.say(clip, "Thanks")
    for visit in (owner, public):
        visit.observe()
        visit.look(clip, f"{clip}/{name}")
        visit.family(clip)
        visit.check()
    words = ("create", "delete", "hide", "publish", "upload", "pin", "update")
    assert not [one for one in world.asked if any(word in one.partition("?")[0] for word in words)]
    assert DISPLAY_ID not in "".join(world.asked)


# --- answers that nobody expects ----------------------------------------------------------------------------


def told_as(world: TikTokWorld, part: str, change: Callable[[dict[str, Any]], Any]) -> None:
    """From now on what stands under `data` in answers of that address is changed before it is given."""
    answering.told_as(world, lambda target: part in target, lambda told: change(told["data"]))


@pytest.mark.parametrize("address", ["https://[", "https://[::1/x", "//"])
@pytest.mark.parametrize("way", ["owner", "public"])
def test_an_address_that_is_none_costs_nothing_but_itself(world, owner, public, way, address):
    name = world.post("Closed")
    visit = owner if way == "owner" else public
    told_as(world, "business/get", lambda told: told.update(profile_image=address))
    told_as(world, "user/info", lambda told: told["user"].update(avatar_url=address))
    told_as(world, "video/list", lambda told: told["videos"][0].update(share_url=address))
    shown = seen(visit.observe())
    assert shown[name].url == f"https://www.tiktok.com/@{NAME}/video/{name}" or address == "//"
    assert shown["profile"].attachments[0].url == address


@pytest.mark.parametrize("count", [2**53, 2**70, 10**300, "9" * 18])
def test_a_count_that_nothing_can_have_reached_is_none_and_the_pass_goes_on(world, owner, count):
    name = world.post("Closed")
    told_as(world, "video/list", lambda told: told["videos"][0].update(comments=count, likes=count))
    shown = owner.observe()
    assert not {"comments", "likes"} & set(seen(shown)[name].counts)
    assert kinds(shown) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


@pytest.mark.parametrize("cursor", ["\ud83d", "a\x00b", "\u00b2", "one two"])
def test_a_cursor_that_could_not_be_kept_is_an_error_and_no_crash(world, owner, cursor):
    world.post("Closed")
    told_as(world, "video/list", lambda told: told.update(cursor=cursor, has_more=True))
    error = owner.fails()
    assert isinstance(error, UnexpectedResponse)
    assert "does not say where" in str(error)


@pytest.mark.parametrize("way", ["owner", "public"])
@pytest.mark.parametrize("empty", [True, False])
def test_videos_that_lead_on_for_ever_and_show_nothing_new_are_an_error(world, owner, public, way, empty):
    world.post("Closed")
    count = iter(range(10_000_000))

    def lead_on(told: dict[str, Any]) -> None:
        number = next(count)
        told.update(has_more=True, cursor=1_900_000_000_000 - number)
        told["videos"] = [] if empty and number else told["videos"] or told["videos"]

    told_as(world, "video/list", lead_on)
    error = (owner if way == "owner" else public).fails()
    assert isinstance(error, UnexpectedResponse)
    assert "no end" in str(error)
    assert len(world.asked) < 100


def test_videos_behind_a_few_empty_answers_are_read(world, owner):
    name = world.post("Closed")
    count = iter(range(10_000_000))

    def lead_on(told: dict[str, Any]) -> None:
        if next(count) < 5:
            told.update(has_more=True, cursor=1_900_000_000_000 - next(count), videos=[])

    told_as(world, "video/list", lead_on)
    shown = owner.observe()
    assert name in seen(shown)
    assert kinds(shown) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_comments_that_lead_on_for_ever_and_show_nothing_new_are_a_gap(world, owner):
    clip = world.post("Closed")
    world.say(clip, "Thanks")
    count = iter(range(10_000_000))
    told_as(world, "comment/list", lambda told: told.update(has_more=True, cursor=1000 + 7 * next(count)))
    told = owner.observe()
    assert "no end" in gaps(told)["comments"]
    assert kinds(told) == {Kind.POST}
    assert len(world.asked) < 200


def test_comments_that_tiktok_does_not_know_of_a_video_that_it_shows_are_a_gap(world, owner):
    clip, other = world.post("Closed"), world.post("Open house")
    first = world.say(clip, "Until when?")
    world.say(clip, "Until six.", by=NAME, to=first)
    behind = f"{other}/{world.say(other, 'Thanks')}"
    for shut, what in ((clip, "comments"), (first, "answers")):
        world.shut = {shut: Refused(40007)}
        told = owner.observe()
        assert "40007" in gaps(told)[what]
        assert behind in seen(told)
        assert kinds(told) == {Kind.POST}


@pytest.mark.parametrize("refused", [Refused(50000), None])
def test_a_video_at_whose_comments_tiktok_always_fails_is_a_gap_and_the_pass_goes_on(world, owner, refused):
    clips = [world.post(f"Video {number}") for number in range(3)]
    names = [f"{clip}/{world.say(clip, 'Thanks')}" for clip in clips]
    if refused is not None:
        world.shut[clips[1]] = refused
    else:
        given = world.answer
        world.answer = lambda method, target, headers, sent: (
            (502, HTML, b"<h1>Bad gateway</h1>")
            if "comment/list" in target and clips[1] in target
            else given(method, target, headers, sent)
        )
    told = owner.observe()
    assert {names[0], names[2]} <= set(seen(told))
    assert [gap.native_id for batch in told for gap in batch.gaps] == [clips[1]]
    assert ("50000" if refused else "502") in gaps(told)["comments"]
    assert kinds(told) == {Kind.POST}
    assert [one.native_id for batch in owner.family(clips[1]) for one in batch.gaps] == [clips[1]]


def test_what_tells_a_hidden_comment_s_answers_may_fail_without_costing_the_comments(world, owner):
    clip = world.post("Closed")
    rude = world.say(clip, "You fools", status="HIDDEN")
    world.say(clip, "Please be kind.", by=NAME, to=rude)
    given = world.answer
    world.answer = lambda method, target, headers, sent: (
        (500, HTML, b"") if "include_replies" in target else given(method, target, headers, sent)
    )
    told = owner.observe()
    assert seen(told)[f"{clip}/{rude}"].state is State.HIDDEN
    assert kinds(told) == {Kind.POST}
    assert [gap.native_id for batch in told for gap in batch.gaps] == [clip]
