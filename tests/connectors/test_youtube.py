"""YouTube, observed over loopback: videos with everything that answers them, what is held back, what quota costs, and what proves no removal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from connectors.contract import (
    Author,
    Batch,
    Cursor,
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
from connectors.failing import AGAIN
from connectors.http import EvidenceClient
from connectors.pieces import Malformed
from connectors.youtube import YouTube, address, parse, quota, reading, shapes
from connectors.youtube.quota import Spent
from connectors.youtube.refusals import NotGiven
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.platform_world import Answer
from tests.connectors.worlds.visits import PageVisit, asked, gaps, kinds, listings, seen
from tests.connectors.worlds.youtube_world import (
    HANDLE,
    HELD,
    HTML,
    JSON,
    OURS,
    REJECTED,
    SIGN_IN,
    SPAM,
    Refused,
    Track,
    YouTubeWorld,
)

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
KEY, OWNER = dict(YouTubeWorld.with_key), dict(YouTubeWorld.signed_in)


class Visit(PageVisit[YouTube]):
    """One connector at one channel."""

    def __init__(
        self, world: YouTubeWorld, http: EvidenceClient, secret: Mapping[str, str], **more: str
    ) -> None:
        super().__init__(YouTube(http, secret), {"api": world.api, **more})

    def page(self, **span: datetime | None) -> Page:
        return Page(address=f"https://www.youtube.com/{HANDLE}", options=self.options, **span)

    def stands(self, name: str, kind: Kind = Kind.COMMENT) -> tuple[State, str]:
        told = self.look(name, kind=kind)[name]
        return told.state, told.reason


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client({**KEY, **OWNER}) as client:
        yield client


@pytest.fixture
def world() -> Iterator[YouTubeWorld]:
    with YouTubeWorld() as channel:
        yield channel


@pytest.fixture
def anyone(world: YouTubeWorld, http: EvidenceClient) -> Visit:
    """A visit with a key alone."""
    return Visit(world, http, KEY)


@pytest.fixture
def owner(world: YouTubeWorld, http: EvidenceClient) -> Visit:
    """A visit as the channel itself."""
    return Visit(world, http, OWNER)


# --- what a channel shows -----------------------------------------------------------------------------------


def test_a_video_keeps_its_title_and_description_its_thumbnail_and_what_was_counted(world, anyone):
    more = {"tags": ["bridge"], "translations": {"es": {"title": "Puente", "description": ""}}}
    name = world.upload("Bridge closed & <b>", "Until\nsix.", **more)
    world.say(name, "Thanks")

    shown = seen(anyone.observe())[name]

    assert (shown.kind, shown.state, shown.private) == (Kind.POST, State.PRESENT, False)
    assert (shown.text, shown.html) == ("Bridge closed & <b>\n\nUntil\nsix.", None)
    assert shown.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert shown.edited_at is None, "YouTube tells no time at which a video was edited"
    assert shown.author == Author(id=OURS, name="Test Town Police")
    assert shown.url == f"https://www.youtube.com/watch?v={name}"
    assert [(file.id, file.url) for file in shown.attachments] == [
        (f"thumbnail:{name}", f"{world.address}/media/vi/{name}/maxresdefault.jpg?sqp=sig1")
    ]
    assert shown.counts == {"views": 30, "likes": 3, "comments": 1}
    assert shown.extra["tags"] == ["bridge"]
    assert shown.extra["localizations"] == {"es": {"title": "Puente", "description": ""}}
    assert "comments" not in shown.extra


def test_the_channel_itself_is_told_which_file_was_uploaded_and_nobody_else_is(world, anyone, owner):
    name = world.upload("Bridge closed")
    file = seen(owner.observe())[name].extra["file"]
    assert file == {
        "name": f"{name}.mp4", "size": 104857600, "container": "mov", "recorded": "2026-02-28T09:00:00Z"
    }  # fmt: skip
    assert "file" not in seen(anyone.observe())[name].extra
    assert asked(world, "fileDetails") == 1
    (batch,) = [
        one for one in owner.family(name) if one.observations and one.observations[0].native_id == name
    ]
    assert batch.observations[0].extra["file"] == file


def test_videos_are_read_all_the_same_where_their_files_are_not_told(world, owner):
    names = [world.upload(f"Film {number}") for number in range(7)]
    world.tells_files = False
    batches = owner.observe()
    assert set(names) <= seen(batches).keys()
    assert gaps(batches) == {}
    assert asked(world, "fileDetails") == 1, "it is asked for once in a visit"


@pytest.mark.parametrize("answer", [(500, {}, b""), (200, HTML, SIGN_IN)])
def test_held_comments_at_which_youtube_always_fails_keep_nothing_else_from_being_read(world, owner, answer):
    film = world.upload("Closed")
    shown = world.say(film, "Why?")
    held = world.say(film, "You fools", by="@al")
    world.hold(held)
    assert f"{film}/{held}" in seen(owner.observe())
    world.trouble = lambda _path: answer if "moderationStatus=heldForReview" in world.asked[-1] else None
    batches = owner.observe()
    assert gaps(batches).keys() == {"comments that are held for review"}
    assert {film, f"{film}/{shown}"} <= seen(batches).keys()
    (of_comments,) = [one for one in listings(batches) if Kind.COMMENT in one.kinds]
    assert of_comments.states == (State.PRESENT,), "nothing that is held is called missing"


def test_a_comment_keeps_its_words_its_writer_what_it_answers_and_when_it_was_changed(world, anyone, owner):
    film = world.upload("Closed")
    first = world.say(film, "Until when?\n<b>& you</b>")
    answer = world.say(film, "Until six.", by=HANDLE, to=first, likes=4)
    world.amend(answer, "Until seven.")

    for visit in (anyone, owner):
        shown = seen(visit.observe())
        one, two = shown[f"{film}/{first}"], shown[f"{film}/{answer}"]
        assert (one.kind, two.kind) == (Kind.COMMENT, Kind.REPLY)
        assert (one.text, one.html) == ("Until when?\n<b>& you</b>", None)
        assert (one.in_reply_to, two.in_reply_to) == (film, f"{film}/{first}")
        assert one.author == Author(id="UCvisitor000000000000001", name="@jo.public", handle="@jo.public")
        assert one.url == f"https://www.youtube.com/watch?v={film}&lc={first}"
        assert (one.published_at, one.edited_at) == (datetime(2026, 3, 1, 8, 2, tzinfo=UTC), None)
        assert (two.text, two.edited_at) == ("Until seven.", datetime(2026, 3, 1, 8, 4, tzinfo=UTC))
        assert (one.counts, two.counts) == ({"replies": 1, "likes": 0}, {"likes": 4})


def test_every_answer_is_read_by_its_own_list_and_never_only_the_few_inside_a_thread(world, anyone):
    film = world.upload("Closed")
    first = world.say(film, "Until when?")
    answers = {f"{film}/{world.say(film, f'+{number}', to=first)}" for number in range(12)}
    world.cuts_at = 5
    shown = seen(anyone.observe())
    assert answers <= set(shown)
    assert shown[f"{film}/{first}"].counts["replies"] == 12
    assert asked(world, f"comments?part=snippet&parentId={first}") == 3
    assert not asked(world, "replies"), "what stands inside a thread is not even asked for"


def test_a_comment_on_the_channel_itself_answers_the_channel(world, anyone):
    name = world.say("", "Good channel")
    shown = seen(anyone.observe())[f"{OURS}/{name}"]
    assert (shown.kind, shown.in_reply_to) == (Kind.COMMENT, OURS)
    assert shown.url == f"https://www.youtube.com/channel/{OURS}?lc={name}"


def test_the_introduction_and_what_was_set_come_first_each_with_bytes_of_its_own(world, anyone):
    batch = anyone.observe()[0]
    channel, settings = batch.observations
    assert (channel.native_id, channel.kind, channel.state) == (OURS, Kind.PROFILE, State.PRESENT)
    assert channel.text == "Test Town Police\n\nThe department's own channel."
    assert channel.author == Author(id=OURS, name="Test Town Police", handle=HANDLE)
    assert [file.id for file in channel.attachments] == ["picture:picture-file", "banner:banner-file"]
    assert channel.counts == {"subscribers": 250, "views": 1000, "videos": 0}
    assert (settings.native_id, settings.kind) == ("settings", Kind.PROFILE)
    assert settings.text.splitlines() == [
        "country: US",
        "isLinked: true",
        "keywords: police town",
        "madeForKids: false",
        "moderateComments: true",
        "privacyStatus: public",
    ]
    body = batch.exchanges[0].body
    own = [json.loads(body[span.start : span.end]) for span in settings.evidence]
    assert [sorted(one) for one in own] == [
        ["channel", "image"],
        ["isLinked", "madeForKids", "privacyStatus"],
    ]


def test_each_item_names_its_own_bytes(world, owner):
    film = world.upload("Closed")
    first = world.say(film, "You fools", status=HELD)
    inside = world.say(film, "Indeed", to=first, status=HELD)
    told = {}
    for batch in owner.observe():
        for name, one in seen([batch]).items():
            told[name] = [
                json.loads(batch.exchanges[span.exchange].body[span.start : span.end])
                for span in one.evidence
            ]
    assert told[f"{film}/{inside}"][0]["snippet"]["textOriginal"] == "Indeed"
    assert told[f"{film}/{first}"][0]["replies"]["comments"] == told[f"{film}/{inside}"]
    assert [one["id"] for one in told[film]] == [film, f"UU.{film}"]


def test_what_older_answers_told_otherwise_is_understood_and_a_hidden_number_is_not_counted(world, anyone):
    film = world.upload("Closed")
    name = world.say(film, "Thanks")
    plain_comment, plain_channel = world._comment, world._channel

    def older(one, query, *, owner):
        told = plain_comment(one, query, owner=owner)
        told["snippet"] |= {"authorDisplayName": "Jo Public", "updatedAt": "nonsense"}
        return told

    def hides(query):
        told = plain_channel(query)
        told["statistics"] = {"hiddenSubscriberCount": True, "subscriberCount": "7", "viewCount": 12}
        return told

    world._comment, world._channel = older, hides
    shown = seen(anyone.observe())
    writer = shown[f"{film}/{name}"].author
    assert writer is not None
    assert (writer.name, writer.handle) == ("Jo Public", "@jo.public")
    assert shown[OURS].counts == {"views": 12}


def test_half_an_emoji_is_replaced_and_the_rest_of_the_comment_kept(world, anyone):
    film = world.upload("Closed")
    name = world.say(film, "Thanks X")
    plain = world.answer
    world.answer = lambda *told: tuple(
        part.replace(b"Thanks X", b"Thanks \\ud83d") if isinstance(part, bytes) else part
        for part in plain(*told)
    )
    assert seen(anyone.observe())[f"{film}/{name}"].text == "Thanks \ufffd"


def test_an_answer_that_was_compressed_all_the_same_is_read_and_owned_as_a_whole(world, anyone):
    film = world.upload("Closed")
    comment = world.say(film, "Thanks")
    world.compresses = True
    batches = anyone.observe()
    assert {film, f"{film}/{comment}"} <= set(seen(batches))
    for batch in batches:
        for one in batch.observations:
            assert all(span.end == len(batch.exchanges[span.exchange].body) for span in one.evidence)


# --- what is hidden -----------------------------------------------------------------------------------------


def test_videos_that_the_channel_does_not_show_are_seen_by_its_own_people_as_hidden(world, anyone, owner):
    states = {
        world.upload(privacy, privacy=privacy): privacy for privacy in ("public", "unlisted", "private")
    }
    shown = seen(owner.observe())
    assert {states[name]: shown[name].state for name in states} == {
        "public": State.PRESENT,
        "unlisted": State.HIDDEN,
        "private": State.HIDDEN,
    }
    assert {shown[name].extra["privacy"] for name in states} == {"public", "unlisted", "private"}
    assert [states[name] for name in seen(anyone.observe()) if name in states] == ["public"]


def test_comments_that_are_held_are_seen_by_the_channel_itself_and_by_nobody_else(world, anyone, owner):
    film = world.upload("Closed")
    first = world.say(film, "Until when?")
    names = {
        world.say(film, "You fools", status=HELD): HELD,
        world.say(film, "Buy cheap pills", status=SPAM): SPAM,
        world.say(film, "See where I live", to=first, status=HELD): HELD,
    }
    told = owner.observe()
    shown = seen(told)
    assert {name: shown[f"{film}/{name}"].extra.get("moderation") for name in names} == names
    assert {shown[f"{film}/{name}"].state for name in names} == {State.HIDDEN}
    assert shown[f"{film}/{first}"].state is State.PRESENT, "only its answer is held"
    everything = next(one for one in listings(told) if Kind.COMMENT in one.kinds)
    assert set(everything.states) == {State.PRESENT, State.HIDDEN}

    told = anyone.observe()
    assert not {f"{film}/{name}" for name in names} & set(seen(told))
    assert {state for one in listings(told) for state in one.states} == {State.PRESENT}
    assert gaps(told) == {}, "what a key is never shown is a blind spot and no gap of the night"


def test_a_pass_that_was_begun_with_a_key_begins_anew_once_the_channel_itself_is_connected(
    world, anyone, owner
):
    film = world.upload("Closed")
    held = world.say(film, "You fools", status=HELD)
    world.say(film, "Until when?")
    begun = anyone.connector.observe(anyone.page(), None)
    next(begun)
    cursor = next(begun).resume_from
    later = owner.observe(cursor)
    assert f"{film}/{held}" in seen(later)
    assert {one.began_at for one in listings(later)} == {NOW}
    again = owner.connector.observe(owner.page(), None)
    next(again)
    cursor = next(again).resume_from
    assert f"{film}/{held}" not in seen(anyone.observe(cursor))


def test_a_comment_that_was_approved_is_present_and_one_that_was_not_told_of_is_held_where_it_is_not_public(
    world, owner
):
    film = world.upload("Closed")
    first, held = world.say(film, "Until when?"), world.say(film, "You fools", status=HELD)
    world.say(film, "See where I live", to=first, status=HELD)
    world.tells_moderation = False
    shown = seen(owner.observe())
    assert (shown[f"{film}/{held}"].state, shown[f"{film}/{first}"].state) == (State.HIDDEN, State.PRESENT)
    world.tells_moderation = True
    world.hold(held, "published")
    assert seen(owner.observe())[f"{film}/{held}"].state is State.PRESENT


def test_more_held_answers_than_a_thread_shows_are_a_gap_and_nothing_hidden_is_called_missing(world, owner):
    film = world.upload("Closed")
    first = world.say(film, "Until when?")
    for number in range(7):
        world.say(film, f"Bad {number}", to=first, status=HELD)
    told = owner.observe()
    assert "5 of 7" in gaps(told)["answers that are held back"]
    of_comments = next(one for one in listings(told) if Kind.COMMENT in one.kinds)
    assert tuple(of_comments.states) == (State.PRESENT,)


def test_a_video_whose_comments_are_turned_off_is_no_failure_and_its_record_says_so(world, anyone, owner):
    off, other = world.upload("No words", comments=False), world.upload("Open")
    comment = world.say(other, "Thanks")
    for visit in (anyone, owner):
        told = visit.observe()
        shown = seen(told)
        assert shown[off].extra["comments"] == "turned off, or not counted"
        assert "comments" not in shown[off].counts
        assert shown[other].counts["comments"] == 1
        assert f"{other}/{comment}" in shown
        assert gaps(told) == {}
        assert kinds(told) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
        refusals = [one for batch in told for one in batch.exchanges if one.status == 403]
        assert [b"commentsDisabled" in one.body for one in refusals] == [True], (
            "the refusal is kept as evidence"
        )


def test_a_channel_that_shows_no_comments_at_all_is_asked_video_by_video(world, anyone, owner):
    film = world.upload("Open")
    comment = world.say(film, "Thanks")
    plain = world._threads

    def without(query, *, owner):
        if "allThreadsRelatedToChannelId" in query:
            raise Refused(403, "commentsDisabled")
        return plain(query, owner=owner)

    world._threads = without
    told = anyone.observe()
    assert f"{film}/{comment}" in seen(told)
    assert (gaps(told), kinds(told)) == ({}, {Kind.POST, Kind.COMMENT, Kind.REPLY})
    assert gaps(owner.observe()) == {}, "what is held there is not shown either, and that is no failure"
    narrowed = anyone.observe(published_from=NOW - timedelta(days=400))
    assert {kind for one in listings(narrowed) for kind in one.kinds} == {Kind.POST}


def test_where_no_comments_are_permitted_not_every_video_is_asked_for_them(world, owner):
    for number in range(4):
        world.say(world.upload(f"Video {number}"), "Thanks")
    world.scopes = False
    told = owner.observe()
    assert set(gaps(told)) == {
        "comments",
        "comments that are held for review",
        "comments that are held as likely spam",
    }
    assert not asked(world, "videoId=")
    assert kinds(told) == {Kind.POST}


# --- counts against what is shown ----------------------------------------------------------------------------


def test_a_video_that_counts_more_comments_than_were_shown_is_asked_by_itself(world, anyone):
    film, quiet = world.upload("Closed"), world.upload("Quiet")
    shown, lost = world.say(film, "Until when?"), world.say(film, "And the ferry?")
    answer = world.say(film, "At noon.", to=lost)
    world.hides_from_the_channel = {lost}
    told = anyone.observe()
    assert {f"{film}/{name}" for name in (shown, lost, answer)} <= set(seen(told))
    assert (asked(world, f"videoId={film}"), asked(world, f"videoId={quiet}")) == (1, 0)


def test_what_youtube_counts_and_does_not_list_is_kept_as_both_numbers_and_is_no_gap(world, anyone):
    film = world.upload("Closed")
    world.say(film, "Until when?")
    world.counts_more = 2
    told = anyone.observe()
    of_comments = next(one for one in listings(told) if Kind.COMMENT in one.kinds)
    assert of_comments.stated_total == 3
    assert sum(one.kind is Kind.COMMENT for one in seen(told).values()) == 1
    assert gaps(told) == {}


# --- lists that shift, and places that are forgotten ---------------------------------------------------------


def test_a_video_that_is_removed_while_the_list_is_read_makes_no_other_slip_through(world, anyone):
    names = [world.upload(f"Video {number}") for number in range(6)]
    world.cuts_at = 2

    def remove(path: str) -> None:
        if asked(world, "playlistItems") == 2 and names[-1] in world.films and "playlistItems" in path:
            world.delete(names[-1])

    world.before = remove
    told = anyone.observe()
    assert set(names) <= set(seen(told))
    assert Kind.POST in kinds(told)
    assert asked(world, "playlistItems") > 3, "the list was read again"


def test_a_list_that_shifts_each_time_is_said_to_be_uncertain(world, anyone):
    for number in range(12):
        world.upload(f"Video {number}")
    world.cuts_at = 2

    def remove(path: str) -> None:
        if "playlistItems" in path and "pageToken" in world.asked[-1] and len(world.films) > 3:
            world.delete(list(world.films)[-1])

    world.before = remove
    told = anyone.observe()
    assert "removed each time" in gaps(told)["videos"]
    assert Kind.POST not in kinds(told)


def forget_once(world: YouTubeWorld, reason: str, part: str) -> None:
    """The next place in a list that is asked for, in a question with `part`, is one that YouTube does not know any more."""
    forgotten: list[str] = []

    def before(_path: str) -> None:
        here = part in world.asked[-1] and "pageToken" in world.asked[-1] and not forgotten
        world.forgets_tokens = reason if here else ""
        forgotten.extend([part] if here else [])

    world.before = before


@pytest.mark.parametrize("reason", ["invalidPageToken", "processingFailure"])
@pytest.mark.parametrize(
    "part", ["allThreadsRelatedToChannelId", "parentId=", "videoId=", "playlistItems", "heldForReview"]
)
def test_a_place_in_a_list_that_youtube_has_forgotten_begins_the_list_anew(world, owner, reason, part):
    film = world.upload("Closed")
    names = {f"{film}/{world.say(film, f'+{number}')}" for number in range(5)}
    first = min(names).partition("/")[2]
    names |= {f"{film}/{world.say(film, f'Answer {number}', to=first)}" for number in range(5)}
    names |= {f"{film}/{world.say(film, f'Bad {number}', status=HELD)}" for number in range(5)}
    names |= {world.upload(f"Video {number}") for number in range(5)}
    world.cuts_at, world.counts_more = 2, 1
    forget_once(world, reason, part)
    told = owner.observe()
    assert sum(one.status == 400 for batch in told for one in batch.exchanges) == 1
    assert names <= set(seen(told))
    assert (gaps(told), kinds(told)) == ({}, {Kind.POST, Kind.COMMENT, Kind.REPLY})
    of_comments = next(one for one in listings(told) if Kind.COMMENT in one.kinds)
    assert of_comments.stated_total == 16, (
        "ten comments, and one more that is counted with each of the six videos"
    )


def test_a_place_that_is_forgotten_again_and_again_is_asked_for_later(world, anyone):
    film = world.upload("Closed")
    for number in range(5):
        world.say(film, f"+{number}")
    world.cuts_at, world.forgets_tokens = 2, "invalidPageToken"
    with pytest.raises(TryAgainLater, match="invalidPageToken"):
        anyone.observe()
    with pytest.raises(TryAgainLater, match="invalidPageToken"):
        anyone.family(film)


def test_a_list_that_fails_for_that_reason_at_its_beginning_is_asked_again_later(world, anyone):
    world.shut["commentThreads"] = Refused(400, "processingFailure")
    with pytest.raises(TryAgainLater, match="processingFailure"):
        anyone.observe()
    with pytest.raises(TryAgainLater, match="processingFailure"):
        anyone.family(world.upload("Closed"))


def test_answers_without_end_are_a_gap_and_what_stands_behind_them_is_read(world, anyone):
    film, other = world.upload("Closed"), world.upload("Open")
    world.say(film, "+1", to=world.say(film, "Until when?"))
    behind = f"{other}/{world.say(other, 'Thanks')}"

    def loops(path: str) -> None:
        world.loops = path.endswith("/comments")

    world.before = loops
    told = anyone.observe()
    assert any("no end" in why for why in gaps(told).values())
    assert behind in seen(told)
    assert kinds(told) == {Kind.POST}


@pytest.mark.parametrize("where", ["commentThreads", "playlistItems"])
def test_a_list_without_end_is_an_error(world, anyone, where):
    film = world.upload("Closed")
    world.say(film, "+1", to=world.say(film, "Until when?"))

    def loops(path: str) -> None:
        world.loops = path.endswith(f"/{where}")

    world.before = loops
    with pytest.raises(UnexpectedResponse, match="no end"):
        anyone.observe()


def test_a_channel_that_never_published_has_no_list_of_uploads_and_another_one_without_it_is_a_gap(
    world, anyone
):
    world.uploads_listed = False
    assert gaps(anyone.observe()) == {}
    world.upload("Closed")
    told = anyone.observe()
    assert "playlistNotFound" in gaps(told)["videos"]
    assert Kind.POST not in kinds(told)


def test_more_uploads_than_youtube_lists_are_a_gap_and_no_video_is_called_missing(world, anyone):
    film = world.upload("Closed")
    plain = world._uploads

    def counts(query, *, owner):
        told = plain(query, owner=owner)
        told["pageInfo"]["totalResults"] = 20_000
        return told

    world._uploads = counts
    told = anyone.observe()
    assert "20000" in gaps(told)["videos"]
    assert film in seen(told)
    assert Kind.POST not in kinds(told)


def test_a_channel_that_does_not_say_where_its_uploads_are_listed_is_another_shape(world, anyone):
    plain = world._channels

    def without(query, *, owner):
        told = plain(query, owner=owner)
        del told["items"][0]["contentDetails"]
        return told

    world._channels = without
    with pytest.raises(UnexpectedResponse, match="uploads"):
        anyone.observe()


def test_comments_of_one_video_that_are_refused_are_a_gap_of_that_video(world, anyone):
    film = world.upload("Closed")
    world.say(film, "Thanks")
    world.counts_more = 1
    world.shut[film] = Refused(403, "forbidden")
    told = anyone.observe()
    assert [one.native_id for batch in told for one in batch.gaps] == [film]
    assert kinds(told) == {Kind.POST}
    world.shut[film] = Refused(404, "videoNotFound")
    assert gaps(anyone.observe()) == {}, "it was removed since it was listed"


# --- passes over a span of time ------------------------------------------------------------------------------


def test_a_pass_over_a_span_asks_for_the_videos_and_comments_of_the_span_and_for_what_may_be_answered_within_it(
    world, anyone
):
    old = world.upload("Long ago")
    long_ago = world.say(old, "First!")
    world.say(old, "+1", to=long_ago)
    begins = world.tick(days=100)
    recent = world.say(old, "Still true?")
    answer = world.say(old, "Yes.", by=HANDLE, to=recent)
    film = world.upload("Closed")

    told = anyone.observe(published_from=begins)

    shown = set(seen(told)) - {OURS, "settings"}
    assert {f"{old}/{recent}", f"{old}/{answer}", film} <= shown
    assert old not in shown
    assert not asked(world, f"parentId={long_ago}")
    assert {one.in_reply_to for one in listings(told)} == {None, old, film, OURS, f"{old}/{recent}"}
    assert all(
        one.published_from == begins for one in listings(told) if one.in_reply_to in {None, old, film, OURS}
    )


def test_answers_to_comments_before_the_span_are_asked_for_again_when_their_number_has_changed(world, anyone):
    film = world.upload("Closed")
    before = world.say(film, "Until when?")
    world.say(film, "+1", to=before)
    begins = world.tick(days=10)
    first = anyone.observe(published_from=begins)
    assert asked(world, f"parentId={before}") == 1
    second = anyone.observe(first[-1].resume_from, published_from=begins)
    assert asked(world, f"parentId={before}") == 1, "nothing was added, and nothing is asked"
    new = world.say(film, "Open again?", to=before)
    third = anyone.observe(second[-1].resume_from, published_from=begins)
    assert f"{film}/{new}" in seen(third)
    assert asked(world, f"parentId={before}") == 2


def test_older_comments_are_not_paged_through_once_they_lie_before_everything_that_is_asked_for(
    world, anyone
):
    film = world.upload("Closed")
    for number in range(10):
        world.say(film, f"Old {number}")
    begins = world.tick(days=100)
    world.say(film, "New")
    world.cuts_at = 2
    anyone.observe(published_from=begins)
    assert asked(world, "allThreadsRelatedToChannelId") == 2
    unbounded = anyone.observe(published_until=begins)
    assert len(seen(unbounded)) == 14


def test_a_pass_that_looks_for_what_is_new_does_not_read_all_uploads_and_any_other_does(world, anyone):
    films = [world.upload(f"Video {number}") for number in range(8)]
    world.cuts_at = 2
    world._now = NOW - timedelta(hours=5)
    new = world.upload("Closed")
    lately = anyone.observe(published_from=NOW - timedelta(days=1))
    assert (asked(world, "playlistItems"), set(seen(lately)) & {*films, new}) == (2, {new})
    assert {one.in_reply_to for one in listings(lately)} <= {None, OURS, new, *films[-3:]}
    for span in ({"published_from": NOW - timedelta(days=30)}, {"published_until": NOW - timedelta(days=40)}):
        world.asked.clear()
        told = anyone.observe(**span)
        assert asked(world, "playlistItems") == 5
        assert {new, *films} <= {one.in_reply_to for one in listings(told)}


def test_a_row_of_the_uploads_tells_when_a_video_was_published_and_nothing_of_its_words(world, anyone):
    film = world.upload("Bridge closed", "By order.")
    told = anyone.observe(published_until=NOW - timedelta(days=400))
    assert film not in seen(told)
    assert not any(b"Bridge closed" in one.body for batch in told for one in batch.exchanges)
    rows = [json.loads(one.body) for batch in told for one in batch.exchanges if "playlistItems" in one.url]
    assert rows[0]["items"] == [
        {"id": f"UU.{film}", "contentDetails": {"videoId": film, "videoPublishedAt": "2026-03-01T08:01:00Z"}}
    ]


# --- how single items stand ----------------------------------------------------------------------------------


def test_a_removed_video_is_gone_only_for_the_channel_itself_and_by_two_answers(world, anyone, owner):
    film = world.upload("Closed")
    kept = world.upload("Kept")
    world.delete(film)
    state, reason = owner.stands(film, Kind.POST)
    assert state is State.GONE
    assert "videoNotFound" in reason
    assert anyone.stands(film, Kind.POST)[0] is State.UNKNOWN, "to a key a private video looks the same"
    assert owner.stands(kept, Kind.POST) == (State.PRESENT, "200 public")


@pytest.mark.parametrize("said", [Refused(403, "forbidden"), Refused(403, "commentsDisabled"), None])
def test_a_video_that_is_left_out_and_still_answers_for_its_comments_is_not_gone(world, owner, said):
    film = world.upload("Closed")
    if said is not None:
        world.shut[film] = said
    plain = world._videos
    world._videos = lambda query, *, owner: plain({**query, "id": "nothing-xyz"}, owner=owner)
    assert owner.stands(film, Kind.POST)[0] is State.UNKNOWN


def test_a_video_whose_upload_is_called_deleted_is_gone_and_one_made_private_is_hidden(world, anyone, owner):
    gone, private = world.upload("Deleted", upload="deleted"), world.upload("Private", privacy="private")
    assert anyone.stands(gone, Kind.POST) == (State.GONE, "200 uploadStatus deleted")
    assert owner.stands(private, Kind.POST) == (State.HIDDEN, "200 private")
    assert anyone.stands(private, Kind.POST)[0] is State.UNKNOWN


@pytest.mark.parametrize("leaves_out", [True, False])
def test_a_removed_comment_is_gone_for_the_channel_itself_and_unknown_to_a_key(
    world, anyone, owner, leaves_out
):
    film = world.upload("Closed")
    first, other = world.say(film, "Until when?"), world.say(film, "Thanks")
    answer = world.say(film, "+1", to=first)
    world.leaves_out_missing = leaves_out
    world.delete(answer)
    world.delete(other)
    names = [f"{film}/{name}" for name in (first, other, answer)]
    told = owner.look(*names)
    assert [told[name].state for name in names] == [State.PRESENT, State.GONE, State.GONE]
    assert "not among what is held back" in told[names[1]].reason
    told = anyone.look(*names)
    assert [told[name].state for name in names] == [State.PRESENT, State.UNKNOWN, State.UNKNOWN]


def test_a_comment_that_is_held_is_hidden_however_youtube_tells_of_it(world, anyone, owner):
    film = world.upload("Closed")
    held, spam = world.say(film, "You fools", status=HELD), world.say(film, "Pills", status=SPAM)
    under = world.say(film, "Indeed", to=held)
    names = [f"{film}/{name}" for name in (held, spam, under)]
    assert {owner.stands(name)[0] for name in names[:2]} == {State.HIDDEN}
    plain = world._comments

    def leaves_held_out(query, *, owner):
        del owner
        return plain(query, owner=False)

    world._comments = leaves_held_out
    assert {one.state for one in owner.look(*names).values()} == {State.HIDDEN}
    assert {one.state for one in anyone.look(*names).values()} == {State.UNKNOWN}


def test_an_answer_that_may_be_among_held_ones_that_are_not_shown_is_not_gone(world, owner):
    film = world.upload("Closed")
    first = world.say(film, "Until when?")
    removed = world.say(film, "+1", to=first)
    for number in range(7):
        world.say(film, f"Bad {number}", to=first, status=HELD)
    world.delete(removed)
    state, reason = owner.stands(f"{film}/{removed}")
    assert state is State.UNKNOWN
    assert "not all" in reason


def test_held_comments_are_looked_through_to_the_end_of_their_list_or_nothing_is_concluded(world, owner):
    film = world.upload("Closed")
    held, removed = world.say(film, "You fools", status=HELD), world.say(film, "+1")
    for number in range(5):
        world.say(film, f"Bad {number}", status=HELD)
    world.delete(removed)
    plain = world._comments
    world._comments = lambda query, *, owner: plain(query, owner=False)
    world.cuts_at = 2
    names = [f"{film}/{held}", f"{film}/{removed}"]
    told = owner.look(*names)
    assert [told[name].state for name in names] == [State.HIDDEN, State.GONE]
    world.loops = True
    assert owner.stands(names[1])[0] is State.UNKNOWN


@pytest.mark.parametrize("method", ["videos", "comments"])
def test_a_question_for_items_that_is_refused_proves_nothing_of_any_of_them(world, owner, method):
    film = world.upload("Closed")
    name = f"{film}/{world.say(film, 'Until when?')}"
    world.delete(film)
    world.shut[method] = Refused(403, "forbidden")
    asked_for = film if method == "videos" else name
    assert owner.stands(asked_for) == (State.UNKNOWN, "403 forbidden")


def test_a_rejected_comment_looks_removed_and_the_manifest_says_so(world, owner):
    film = world.upload("Closed")
    name = world.say(film, "You fools", status=REJECTED)
    assert owner.stands(f"{film}/{name}")[0] is State.GONE
    assert any("rejected" in one for one in YouTube.manifest.blind_spots)


@pytest.mark.parametrize("privacy", ["public", "private"])
def test_comments_below_a_video_that_was_closed_are_hidden_with_it_and_not_gone(
    world, anyone, owner, privacy
):
    film = world.upload("Closed")
    name = f"{film}/{world.say(film, 'Until when?')}"
    world.films[film].privacy, world.films[film].comments = privacy, False
    state, reason = owner.stands(name)
    assert state is State.HIDDEN
    assert "commentsDisabled" in reason
    told = anyone.stands(name)[0]
    assert told is (State.HIDDEN if privacy == "public" else State.UNKNOWN)


def test_comments_below_a_removed_video_are_gone_with_it_for_the_channel_itself(world, anyone, owner):
    film = world.upload("Closed")
    name = f"{film}/{world.say(film, 'Until when?')}"
    world.delete(film)
    state, reason = owner.stands(name)
    assert (state, "videoNotFound" in reason) == (State.GONE, True)
    assert anyone.stands(name)[0] is State.UNKNOWN


def test_a_permission_that_is_too_narrow_or_somebody_elses_proves_nothing(world, owner):
    film = world.upload("Closed")
    name = f"{film}/{world.say(film, 'Until when?')}"
    world.delete(name.partition("/")[2])
    world.scopes = False
    state, reason = owner.stands(name)
    assert (state, "ACCESS_TOKEN_SCOPE_INSUFFICIENT" in reason) == (State.UNKNOWN, True)
    world.scopes, world.token_of = True, "UCsomebodyelse0000000001"
    assert owner.stands(name)[0] is State.UNKNOWN
    world.token_of = OURS
    world.shut[HELD] = Refused(403, "forbidden")
    assert owner.stands(name)[0] is State.UNKNOWN, "what is held back was not shown"


def test_a_comment_on_the_channel_and_the_channel_itself_are_never_gone(world, owner):
    name = f"{OURS}/{world.say('', 'Good channel')}"
    assert owner.look(OURS, kind=Kind.PROFILE)[OURS].state is State.PRESENT
    world.delete(name.partition("/")[2])
    assert owner.stands(name)[0] is State.UNKNOWN
    assert owner.look("settings", kind=Kind.PROFILE) == {}


def test_the_channel_that_is_shown_no_more_is_an_error_and_no_removal(world, owner):
    world.title = ""
    with pytest.raises(NoSuchPage, match="closed, suspended or renamed"):
        owner.look("vid-0001_xy", kind=Kind.POST)


# --- one video with what answers it --------------------------------------------------------------------------


def test_a_family_lists_the_video_and_each_of_its_comments(world, anyone, owner):
    film = world.upload("Closed")
    first, quiet = world.say(film, "Until when?"), world.say(film, "Thanks")
    answer = world.say(film, "Until six.", by=HANDLE, to=first)
    held = world.say(film, "You fools", status=HELD)
    told = owner.family(film)
    assert {film, *(f"{film}/{name}" for name in (first, quiet, answer, held))} == set(seen(told))
    assert {one.in_reply_to for one in listings(told)} == {
        film,
        *(f"{film}/{name}" for name in (first, quiet, held)),
    }
    told = anyone.family(film)
    assert f"{film}/{held}" not in seen(told)
    assert {state for one in listings(told) for state in one.states} == {State.PRESENT}


def test_a_family_whose_video_is_not_shown_tells_how_it_stands_and_one_without_comments_lists_nothing(
    world, owner
):
    film = world.upload("No words", comments=False)
    told = owner.family(film)
    assert (set(seen(told)), listings(told), gaps(told)) == ({film}, [], {})
    world.delete(film)
    (batch,) = owner.family(film)
    assert [(one.native_id, one.state) for one in batch.sightings] == [(film, State.GONE)]
    assert owner.family("settings") == []


@pytest.mark.parametrize(
    ("shut", "reason", "lacking"),
    [
        (HELD, "forbidden", "comments that are held back"),
        ("commentThreads", "forbidden", "comments"),
        ("first", "forbidden", "answers"),
        ("commentThreads", "commentsDisabled", None),
        ("first", "commentNotFound", None),
    ],
)
def test_what_a_family_is_refused_is_a_gap_and_not_listed(world, owner, shut, reason, lacking):
    film = world.upload("Closed")
    first = world.say(film, "Until when?")
    world.say(film, "+1", to=first)
    refused = Refused(404 if "NotFound" in reason else 403, reason)
    world.shut[first if shut == "first" else shut] = refused
    told = owner.family(film)
    assert film in seen(told)
    assert (lacking in gaps(told)) if lacking else gaps(told) == {}
    listed = {one.in_reply_to: tuple(one.states) for one in listings(told)}
    if shut == "first":
        assert set(listed) == {film}
    else:
        assert listed.get(film, (State.PRESENT,)) == (State.PRESENT,)


def test_a_family_is_read_to_the_end_of_each_of_its_lists(world, owner):
    film = world.upload("Closed")
    world.cuts_at = 2
    names = {world.say(film, f"+{number}") for number in range(5)}
    first = min(names)
    names |= {world.say(film, f"Answer {number}", to=first) for number in range(5)}
    names |= {world.say(film, f"Bad {number}", status=SPAM) for number in range(3)}
    assert {film, *(f"{film}/{name}" for name in names)} == set(seen(owner.family(film)))
    world.loops = True
    with pytest.raises(UnexpectedResponse, match="no end"):
        owner.family(film)


# --- captions -----------------------------------------------------------------------------------------------


def with_captions(world: YouTubeWorld) -> str:
    tracks = [
        Track("track-1", "Main Street is closed."),
        Track("track-2", "main street is close", kind="asr"),
    ]
    return world.upload("Closed", captions=tracks)


def test_captions_are_left_alone_unless_somebody_asked_for_them_and_a_key_is_never_told(
    world, http, anyone, owner
):
    with_captions(world)
    owner.observe()
    Visit(world, http, KEY, captions="all").observe()
    assert asked(world, "captions") == 0


@pytest.mark.parametrize(("wanted", "tracks"), [("written", ["track-1"]), ("all", ["track-1", "track-2"])])
def test_captions_come_as_files_whose_bytes_stand_in_the_batch(world, http, wanted, tracks):
    film = with_captions(world)
    batches = Visit(world, http, OWNER, captions=wanted).observe()
    (batch,) = (one for one in batches if film in seen([one]))
    shown = seen([batch])[film]
    files = [file for file in shown.attachments if file.id.startswith("captions:")]
    assert [file.id.split(":")[1] for file in files] == tracks
    digests = {f"sha256:{sha256(one.body).hexdigest()}": one.body for one in batch.exchanges}
    assert b"Main Street is closed." in digests[files[0].path or ""]
    assert {file.media_type for file in files} == {"text/vtt"}
    assert not {file.url for file in files} - {None}
    named = {span.exchange for span in shown.evidence}
    assert {number for number, one in enumerate(batch.exchanges) if "captions" in one.url} <= named


def test_captions_cost_their_words_once_and_a_changed_track_is_another_file(world, http):
    film = with_captions(world)
    visit = Visit(world, http, OWNER, captions="written")
    first = visit.observe()
    second = visit.observe(first[-1].resume_from)
    assert asked(world, "captions/track-1") == 1
    ids = [[file.id for file in seen(told)[film].attachments] for told in (first, second)]
    assert ids[0] == ids[1], "captions that were kept already are still its captions"
    world.films[film].captions[0].updated = "2026-04-01T09:00:00.000Z"
    third = visit.observe(second[-1].resume_from)
    assert asked(world, "captions/track-1") == 2
    assert [file.id for file in seen(third)[film].attachments] != ids[0]


def test_captions_that_cost_more_than_a_day_has_units_are_read_over_several_days(world, http):
    films = []
    for number in range(5):
        films.append(with_captions(world))
        world.films[films[-1]].captions = [Track(f"track-{number}", f"Words {number}")]
    read: list[Batch] = []
    days = 0
    cursor: Cursor | None = None
    while days < 5 and not kinds(read):
        days += 1
        visit = Visit(world, http, OWNER, captions="written", units="600")
        try:
            for batch in visit.connector.observe(visit.page(), cursor):
                read.append(batch)
                cursor = batch.resume_from
        except TryAgainLater:
            spent = json.loads(cursor or "{}")
            cursor = Cursor(json.dumps(spent | {"spent": {"day": "2026-05-01", "units": 600}}))
    assert days == 3, "two of them a day"
    assert set(films) <= set(seen(read))
    assert all(asked(world, f"captions/track-{number}") == 1 for number in range(5)), "none is paid for twice"
    assert kinds(read) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_page_that_asks_to_sign_in_is_not_kept_as_captions(world, http):
    with_captions(world)
    world.trouble = lambda path: (200, HTML, SIGN_IN) if "captions/" in path else None
    batches = Visit(world, http, OWNER, captions="written").observe()
    assert any("no file of captions" in why for why in gaps(batches).values())
    assert not any(file.path for one in seen(batches).values() for file in one.attachments)


def test_an_empty_track_of_captions_keeps_no_older_video_from_being_captured(world, http):
    older = [world.upload(f"Film {number}") for number in range(3)]
    film = with_captions(world)
    world.trouble = lambda path: (200, {"Content-Type": "text/vtt"}, b"") if "captions/" in path else None
    visit = Visit(world, http, OWNER, captions="written")
    batches = visit.observe()
    assert {film, *older} <= seen(batches).keys()
    world.trouble = None
    again = seen(visit.observe(batches[-1].resume_from))[film]
    assert any(file.path for file in again.attachments), "the words are asked for again by the next pass"


def test_captions_that_are_refused_are_a_gap_and_those_that_are_kept_stay(world, http):
    film = with_captions(world)
    visit = Visit(world, http, OWNER, captions="written")
    first = visit.observe()
    world.shut["captions"] = Refused(403, "forbidden")
    told = visit.observe(first[-1].resume_from)
    assert "connect the page again" in gaps(told)["captions"]
    assert [file.id for file in seen(told)[film].attachments] == [
        file.id for file in seen(first)[film].attachments
    ]
    world.shut = {"download": Refused(403, "forbidden")}
    told = visit.observe()
    assert "the captions track-1" in gaps(told)
    assert [file.id for file in seen(told)[film].attachments] == [
        file.id for file in seen(first)[film].attachments
    ], "a file that was not given is still the video's"


def test_a_family_leaves_the_words_of_a_video_with_captions_to_the_pass_that_reads_them(world, http):
    film = with_captions(world)
    comment = world.say(film, "Until when?")
    told = Visit(world, http, OWNER, captions="written").family(film)
    assert set(seen(told)) == {f"{film}/{comment}"}
    assert [(one.native_id, one.state) for batch in told for one in batch.sightings] == [
        (film, State.PRESENT)
    ]
    assert asked(world, "captions") == 0


# --- quota --------------------------------------------------------------------------------------------------


def test_units_are_counted_as_youtube_counts_them_and_travel_with_the_cursor(world, http, owner):
    with_captions(world)
    visit = Visit(world, http, OWNER, captions="written")
    first = visit.observe()
    counted = json.loads(first[-1].resume_from)["spent"]
    assert counted == {"day": "2026-05-31", "units": world.spent}
    assert world.spent == 50 + 200 + sum("captions" not in target for target in world.asked)
    visit.look("vid-0001_xy", kind=Kind.POST)
    second = visit.observe(first[-1].resume_from)
    assert json.loads(second[-1].resume_from)["spent"]["units"] == world.spent, "looks cost as much"


def test_a_spent_quota_is_waited_for_until_midnight_in_los_angeles(world, owner):
    world.quota = 3
    with pytest.raises(TryAgainLater, match="after midnight in Los Angeles") as error:
        owner.observe()
    assert error.value.after == timedelta(hours=4), (
        "at three in the morning UTC it is eight in the evening there"
    )
    assert b"quotaExceeded" in error.value.exchanges[-1].body


def test_the_units_that_a_pass_may_take_are_not_exceeded_and_a_new_day_begins_at_nothing(world, http):
    film = world.upload("Closed")
    world.say(film, "Until when?")
    visit = Visit(world, http, KEY, units="3")
    batches: list[Batch] = []
    with pytest.raises(TryAgainLater, match="option `units`") as error:
        batches.extend(visit.connector.observe(visit.page(), None))
    assert error.value.after == timedelta(hours=4)
    assert world.spent == 3
    yesterday = json.loads(batches[-1].resume_from) | {"spent": {"day": "2026-05-30", "units": 3}}
    another_process = Visit(world, http, KEY, units="3").connector
    later = another_process.observe(visit.page(), Cursor(json.dumps(yesterday)))
    assert next(later).exchanges, "what was spent yesterday does not count today"


@pytest.mark.parametrize(
    ("now", "lasts"),
    [
        (datetime(2026, 1, 15, 8, 0, tzinfo=UTC), timedelta(hours=24)),
        (datetime(2026, 1, 15, 7, 59, tzinfo=UTC), timedelta(minutes=1)),
        (datetime(2026, 3, 8, 8, 0, tzinfo=UTC), timedelta(hours=23)),
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), timedelta(hours=25)),
        (datetime(2026, 7, 1, 6, 30, tzinfo=UTC), timedelta(minutes=30)),
    ],
)
def test_a_day_of_the_quota_ends_at_midnight_in_los_angeles_whatever_the_season(now, lasts):
    assert quota.until_midnight(now) == lasts
    assert quota.day(now) != quota.day(now + lasts)
    assert Spent(quota.day(now), 7).on(now + lasts) == 0
    assert Spent(quota.day(now), 7).with_more(2, now) == Spent(quota.day(now), 9)


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "means", "words"),
    [
        (Refused(400, "badRequest", "", "API_KEY_INVALID"), AccessRevoked, "key is not valid"),
        (Refused(400, "keyInvalid"), AccessRevoked, "key is not valid"),
        (Refused(400, "keyExpired"), AccessRevoked, "key was ended"),
        (
            Refused(403, "accessNotConfigured", "", "SERVICE_DISABLED"),
            AccessRevoked,
            "enable the YouTube Data API v3",
        ),
        (Refused(403, "forbidden", "", "API_KEY_SERVICE_BLOCKED"), AccessRevoked, "API restrictions"),
        (Refused(403, "ipRefererBlocked"), AccessRevoked, "this machine"),
        (Refused(401, "authError"), AccessRevoked, "Connect the page again"),
        (Refused(401, "somethingNew"), AccessRevoked, "Connect the page again"),
        (Refused(401, "youtubeSignupRequired"), AccessRevoked, "has no channel"),
        (Refused(403, "accountSuspended"), AccessRevoked, "suspended"),
        (Refused(403, "forbidden"), AccessRevoked, "The channel is not shown"),
        (Refused(403, "channelSuspended"), NoSuchPage, "YouTube has suspended the channel"),
        (Refused(403, "channelClosed"), NoSuchPage, "was closed"),
        (Refused(404, "channelNotFound"), NoSuchPage, "no channel"),
        (Refused(403, "quotaExceeded"), TryAgainLater, "quota"),
        (Refused(403, "dailyLimitExceeded"), TryAgainLater, "quota"),
        (Refused(403, "rateLimitExceeded"), TryAgainLater, "too often"),
        (Refused(403, "userRateLimitExceeded"), TryAgainLater, "too often"),
        (Refused(429, "rateLimitExceeded"), TryAgainLater, "too often"),
        (Refused(503, "backendError"), TryAgainLater, "for a moment"),
        (Refused(500, "somethingNew"), TryAgainLater, "500"),
    ],
    ids=lambda told: told.detail or told.reason if isinstance(told, Refused) else "",
)
def test_what_youtube_refuses_is_told_apart_by_its_reason_and_in_words_to_act_on(
    world, owner, said, means, words
):
    world.dead = said
    with pytest.raises(means, match=words) as error:
        owner.observe()
    assert error.value.exchanges
    assert not isinstance(error.value, NotGiven)


def test_too_often_is_waited_for_as_long_as_youtube_says_and_a_spent_quota_told_with_429_until_midnight(
    world, owner
):
    world.trouble = lambda _: (
        429,
        {**JSON, "Retry-After": "700"},
        world.error(Refused(429, "rateLimitExceeded")),
    )
    with pytest.raises(TryAgainLater) as error:
        owner.observe()
    assert error.value.after == timedelta(seconds=700)
    world.trouble = lambda _: (429, JSON, world.error(Refused(429, "quotaExceeded")))
    with pytest.raises(TryAgainLater) as error:
        owner.observe()
    assert error.value.after == timedelta(hours=4)
    info = {"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": "defaultPerDayPerProject"}}
    body = json.dumps({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [info]}}).encode()
    world.trouble = lambda _: (429, JSON, body)
    with pytest.raises(TryAgainLater) as error:
        owner.observe()
    assert error.value.after == timedelta(hours=4)
    world.trouble = None
    world.dead = Refused(403, "rateLimitExceeded")
    with pytest.raises(TryAgainLater) as error:
        owner.observe()
    assert error.value.after == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("body", "means"),
    [
        (
            b'{"error":"invalid_grant","error_description":"Token has been expired or revoked."}',
            AccessRevoked,
        ),
        (b'{"error":{"code":401,"message":"x","status":"UNAUTHENTICATED"}}', AccessRevoked),
        (b'{"error":{"code":403,"message":"x","status":"RESOURCE_EXHAUSTED"}}', TryAgainLater),
        (b'{"error":{"code":403,"message":"x","status":"UNAVAILABLE"}}', TryAgainLater),
        (b"<html>Blocked by the proxy</html>", UnexpectedResponse),
        (b'{"blocked": true}', UnexpectedResponse),
        (b"[]", UnexpectedResponse),
    ],
)
def test_other_shapes_of_refusals_are_understood_and_what_is_not_youtubes_own_is_unexpected(
    world, owner, body, means
):
    world.trouble = lambda _: (403, JSON, body)
    with pytest.raises(means) as error:
        owner.observe()
    assert type(error.value) is means


@pytest.mark.parametrize(
    "body",
    [
        SIGN_IN,
        b"",
        b"{}",
        b'{"kind":"youtube#videoListResponse","items":[]}',
        b'{"kind":"youtube#channelListResponse","pageInfo":{"totalResults":1}}',
        b'{"kind":"youtube#channelListResponse","pageInfo":{"totalResults":1},"items":[{"id":"UC1"}]}',
        b'{"kind":"youtube#channelListResponse","items":{}}',
    ],
)
def test_an_answer_of_another_shape_is_an_error_and_never_an_empty_channel(world, owner, body):
    world.trouble = lambda _: (200, HTML if body == SIGN_IN else JSON, body)
    with pytest.raises(UnexpectedResponse):
        owner.observe()


def test_a_comment_without_words_or_an_id_is_another_shape_and_unknown_keys_are_not(world):
    whole = {"id": "x", "snippet": {"textDisplay": "Hi"}, "new": {"key": 1}}
    told = {"kind": "youtube#commentListResponse", "items": [whole]}
    (one,) = reading.many(json.dumps(told).encode(), 0, shapes.Comment, "commentListResponse").items
    shown = parse.reply(one, "v", "t", OURS)
    assert (shown.author, shown.published_at, shown.edited_at, shown.counts) == (None, None, None, {})
    for lacking, name in (
        ({"id": "x", "snippet": {}}, "x"),
        ({"snippet": {"textDisplay": "Hi"}}, None),
        ({"id": "x"}, "x"),
        ({"id": "", "snippet": {"textDisplay": "Hi"}}, None),
    ):
        told["items"] = [whole, lacking]
        found = reading.many(json.dumps(told).encode(), 0, shapes.Comment, "commentListResponse")
        assert ([one.what.id for one in found.items], [one.id for one in found.unread]) == (["x"], [name])
        told["items"] = [lacking] * 3
        with pytest.raises(Malformed):
            reading.many(json.dumps(told).encode(), 0, shapes.Comment, "commentListResponse")


@pytest.mark.parametrize(
    ("shut", "what"),
    [
        (HELD, "comments that are held for review"),
        (SPAM, "comments that are held as likely spam"),
        ("commentThreads", "comments"),
    ],
)
def test_a_list_that_is_refused_is_a_gap_with_a_remedy_and_what_it_would_show_is_not_called_missing(
    world, owner, shut, what
):
    film = world.upload("Closed")
    world.say(film, "You fools", status=HELD)
    world.shut[shut] = Refused(403, "insufficientPermissions", "", "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    told = owner.observe()
    assert "connect the page again" in gaps(told)[what]
    assert film in seen(told)
    covered = {(kind, state) for one in listings(told) for kind in one.kinds for state in one.states}
    assert (Kind.COMMENT, State.HIDDEN) not in covered
    assert (Kind.COMMENT, State.PRESENT) in covered or shut == "commentThreads"


def test_answers_that_are_refused_are_a_gap_and_those_of_a_comment_that_was_removed_meanwhile_are_not(
    world, owner
):
    film = world.upload("Closed")
    first = world.say(film, "Until when?")
    world.say(film, "+1", to=first)
    world.shut[first] = Refused(403, "forbidden")
    told = owner.observe()
    assert "answers" in gaps(told)
    assert kinds(told) == {Kind.POST}
    world.shut[first] = Refused(404, "commentNotFound")
    told = owner.observe()
    assert gaps(told) == {}
    assert kinds(told) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


# --- secrets ------------------------------------------------------------------------------------------------


def test_key_and_permission_travel_in_a_header_and_never_in_an_address(world, anyone, owner):
    world.upload("Closed")
    anyone.observe()
    assert {headers.get("X-Goog-Api-Key") for headers in world.headers} == {world.api_key}
    assert not any("Authorization" in headers for headers in world.headers)
    world.headers.clear()
    kept = owner.observe()
    assert {headers.get("Authorization") for headers in world.headers} == {f"Bearer {world.token}"}
    assert not any("X-Goog-Api-Key" in headers for headers in world.headers)
    assert not any("key=" in target or "access_token" in target for target in world.asked)
    assert not any("If-None-Match" in headers for headers in world.headers), "etags are no evidence"
    assert all(world.token not in repr(batch) for batch in kept)


def test_a_permission_that_is_renewed_while_a_pass_lasts_is_used_from_then_on(world, http):
    secret = {**OWNER, "access_token": "ya29.an-older-permission-that-has-run-out"}
    visit = Visit(world, http, secret)
    with pytest.raises(AccessRevoked):
        visit.observe()
    secret["access_token"] = world.token
    assert OURS in seen(visit.observe())


def test_a_key_is_not_sent_in_clear_and_a_page_that_is_not_connected_says_so(world, http):
    with pytest.raises(AddressRefused, match="in clear"):
        list(
            YouTube(http, KEY).observe(Page(address=HANDLE, options={"api": "http://gateway.example"}), None)
        )
    with pytest.raises(AccessRevoked, match="not connected"):
        Visit(world, http, {}).observe()


# --- which channel ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "named"),
    [
        (OURS, ("id", OURS)),
        (f"https://www.youtube.com/channel/{OURS}", ("id", OURS)),
        (f"youtube.com/channel/{OURS}/videos?view=0", ("id", OURS)),
        (HANDLE, ("forHandle", HANDLE)),
        (f"https://www.youtube.com/{HANDLE}/featured", ("forHandle", HANDLE)),
        ("https://m.youtube.com/@m%C3%BCller", ("forHandle", "@müller")),
        ("https://www.youtube.com/user/testtown", ("forUsername", "testtown")),
        ("https://www.youtube.com/c/testtown", None),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", None),
        ("https://youtu.be/dQw4w9WgXcQ", None),
        ("https://www.youtube.com.evil.example/@police", None),
        ("https://www.youtube.com/", None),
        ("http://[", None),
        ("Test Town", None),
    ],
)
def test_a_channel_is_named_as_it_stands_in_a_browser(written, named):
    read = address.read(written)
    assert (None if read is None else (read.by, read.name)) == named


def test_an_address_that_names_no_channel_is_refused_and_so_is_one_that_youtube_does_not_know(world, http):
    with pytest.raises(NoSuchPage, match="names no channel"):
        list(YouTube(http, KEY).observe(Page(address="https://www.youtube.com/c/town"), None))
    page = Page(address="@nobody", options={"api": world.api})
    with pytest.raises(NoSuchPage, match="shows no channel “@nobody”"):
        list(YouTube(http, KEY).observe(page, None))


def test_a_channel_that_changed_its_handle_is_still_the_channel_that_it_was(world, anyone):
    first = anyone.observe()
    world.asked.clear()
    anyone.observe(first[-1].resume_from)
    assert f"id={OURS}" in world.asked[0]
    assert "forHandle" not in world.asked[0]


def test_a_cursor_that_cannot_be_read_begins_from_nothing(world, anyone):
    film = world.upload("Closed")
    for cursor in ("", "{", '{"stage":"elsewhere"}', '{"unknown":1}'):
        assert film in seen(anyone.observe(Cursor(cursor)))


@pytest.mark.parametrize(
    "options",
    [{"units": "0"}, {"units": "many"}, {"units": "²"}, {"answered_within": "-1"}, {"captions": "yes"}],
    ids=str,
)
def test_an_option_that_cannot_be_meant_is_an_error(world, http, options):
    with pytest.raises(ConnectorError, match=next(iter(options))):
        Visit(world, http, KEY, **options).observe()
    assert set(options) <= set(YouTube.manifest.options)


def test_signing_in_asks_for_what_google_needs_to_give_a_permission_that_can_be_renewed():
    sign_in = YouTube.manifest.sign_in
    assert isinstance(sign_in, OAuth2)
    assert sign_in.extra == {"access_type": "offline", "prompt": "consent"}
    assert sign_in.pkce
    assert sign_in.scopes == ("https://www.googleapis.com/auth/youtube.force-ssl",)


# --- a check of the connection -------------------------------------------------------------------------------


def test_a_check_finds_all_well_for_the_channel_itself_and_tells_what_a_key_does_not_show(
    world, anyone, owner
):
    world.upload("Closed")
    found = list(owner.connector.check(owner.page()))
    assert [one.what for one in found if not one.fine] == []
    assert "Signed in as Test Town Police" in [one.what for one in found]
    assert "videos, 1 of them" in [one.what for one in found]
    assert set(anyone.check()) == {"connected with a key"}


@pytest.mark.parametrize(
    ("wrong", "what", "remedy"),
    [
        ({"token_of": "UCsomebodyelse0000000001"}, "signed in as somebody else", "choose the channel"),
        ({"scopes": False}, "comments that are held for review", "youtube.force-ssl"),
        ({"scopes": False}, "comments", "youtube.force-ssl"),
        ({"title": ""}, "channel", "closed, suspended or renamed"),
        ({"dead": Refused(403, "accessNotConfigured")}, "permission", "enable the YouTube Data API v3"),
        ({"dead": Refused(401, "authError")}, "permission", "Connect the page again"),
        (
            {"shut": {SPAM: Refused(400, "operationNotSupported")}},
            "comments that are held as likely spam",
            "YouTube",
        ),
        (
            {"shut": {"playlistItems": Refused(403, "playlistItemsNotAccessible")}},
            "videos",
            "connect the page again",
        ),
        ({"shut": {"commentThreads": Refused(401, "authError")}}, "connection", "Connect the page again"),
    ],
)
def test_a_check_says_what_is_lacking_and_what_to_do(world, owner, wrong, what, remedy):
    for name, told in wrong.items():
        setattr(world, name, told)
    assert remedy in owner.check()[what]


def test_a_check_of_a_channel_without_videos_or_comments_finds_nothing_wrong(world, owner):
    world.uploads_listed = False
    world.shut[HELD] = Refused(403, "commentsDisabled")
    assert owner.check() == {}


def test_a_check_with_a_key_that_may_not_be_used_says_how_to_open_it(world, anyone):
    world.dead = Refused(403, "forbidden", "", "API_KEY_IP_ADDRESS_BLOCKED")
    assert "Application restrictions" in anyone.check()["key"]


# --- a full page of comments --------------------------------------------------------------------------------


def test_a_page_of_a_hundred_comments_is_read_whole(world):
    film = world.upload("Closed")
    for number in range(100):
        world.say(film, f"Until when is it closed, and where do I go around? {number} & more\nThanks")
    query = {"part": "snippet", "videoId": film, "maxResults": "100"}
    body = json.dumps(world._threads(query, owner=False)).encode()
    found = reading.many(body, 0, shapes.Thread, "commentThreadListResponse")
    assert len([parse.thread(one, OURS) for one in found.items]) == 100


def test_a_refusal_that_only_names_its_kind_says_what_to_do(world, owner):
    world.trouble = lambda _: (
        403,
        JSON,
        b'{"error":{"code":403,"message":"x","status":"PERMISSION_DENIED"}}',
    )
    with pytest.raises(AccessRevoked, match="connect the page again as the channel itself"):
        owner.observe()


def test_a_status_of_another_kind_than_a_word_hides_no_channel():
    body = b'{"kind":"youtube#k","pageInfo":{"totalResults":1},"items":[{"id":"UC1","snippet":{"title":"T"},"status":{"privacyStatus":["private"]}}]}'
    (one,) = reading.many(body, 0, shapes.Channel, "k").items
    assert parse.channel(one).state is State.PRESENT


# --- one odd item among others ------------------------------------------------------------------------------


def tells(world: YouTubeWorld, part: str, change: Callable[[list[Any]], object]) -> None:
    """From now on the items of the answers to questions with `part` in them are told otherwise."""
    plain = type(world).answer

    def answer(target: str, headers: Mapping[str, str]) -> Answer:
        status, told, body = plain(world, target, headers)
        if part not in target or status != 200 or b'"items"' not in body:
            return status, told, body
        whole = json.loads(body)
        change(whole["items"])
        return status, told, json.dumps(whole).encode()

    world.answer = answer  # type: ignore[method-assign] # one world tells otherwise


def well(world: YouTubeWorld) -> None:
    del world.answer


def in_place(name: str, told: object, *path: str) -> Callable[[list[Any]], object]:
    """The item in which this name stands is `told` instead, or what stands in it at `path`."""

    def change(items: list[Any]) -> None:
        for number, one in enumerate(items):
            if json.dumps(one).find(f'"{name}"') >= 0:
                inner = one
                for step in path[:-1]:
                    inner = inner[step]
                if path:
                    inner[path[-1]] = told
                else:
                    items[number] = told

    return change


def every(told: object) -> Callable[[list[Any]], object]:
    def change(items: list[Any]) -> None:
        items[:] = [told for _ in items]

    return change


def missed(batches: list[Batch]) -> list[tuple[str, str | None]]:
    """What was not read, and of which item. Every gap says that it is asked for again."""
    told = [gap for batch in batches for gap in batch.gaps]
    assert all(gap.why.endswith(AGAIN) for gap in told)
    return [(gap.what, gap.native_id) for gap in told]


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (None, False),
        ({"strange": [[]]}, False),
        ({"id": "lost", "snippet": [[]]}, False),
        ({"id": "lost", "snippet": {"videoId": "film", "topLevelComment": None}}, True),
        ({"snippet": {"videoId": "film", "topLevelComment": {"id": "lost", "snippet": 7}}}, True),
    ],
)
def test_an_odd_thread_keeps_none_beside_it_from_being_read_and_no_comment_is_called_missing(
    world, anyone, told, known
):
    film = world.upload("Closed")
    others = [world.say(film, "Until when?"), world.say(film, "Thanks")]
    answer = world.say(film, "Until six.", to=others[0])
    lost = world.say(film, "Where?")
    late = world.say(film, "Why?")
    whole = anyone.observe()
    assert kinds(whole) == {Kind.POST, Kind.COMMENT, Kind.REPLY}
    assert missed(whole) == []
    told = json.loads(json.dumps(told).replace('"lost"', f'"{lost}"').replace('"film"', f'"{film}"'))
    tells(world, "commentThreads", in_place(lost, told))

    batches = anyone.observe()

    names = {f"{film}/{name}" for name in (*others, answer, late)}
    assert names <= seen(batches).keys()
    assert film in seen(batches)
    assert f"{film}/{lost}" not in seen(batches)
    assert ("a comment", f"{film}/{lost}" if known else None) in missed(batches)
    assert kinds(batches) == {Kind.POST}
    for after, batch in enumerate(batches[:-1], start=1):
        resumed = [*batches[:after], *anyone.observe(batch.resume_from)]
        assert kinds(resumed) == {Kind.POST}, f"broken off after {after} batches"
    well(world)
    assert f"{film}/{lost}" in seen(anyone.observe(batches[-1].resume_from))


@pytest.mark.parametrize("path", [("id",), ("snippet", "topLevelComment", "id")])
@pytest.mark.parametrize("told", [None, 7, ""])
def test_a_thread_bears_the_id_of_its_comment_and_is_read_where_one_of_the_two_is_told(
    world, anyone, path, told
):
    film = world.upload("Closed")
    name = world.say(film, "Until when?")
    tells(world, "commentThreads", in_place(name, told, *path))
    batches = anyone.observe()
    assert f"{film}/{name}" in seen(batches)
    assert missed(batches) == []
    assert Kind.COMMENT in kinds(batches)


def test_a_thread_that_tells_no_number_of_answers_is_asked_for_them(world, anyone, owner):
    film = world.upload("Closed")
    name = world.say(film, "Until when?")
    answer = world.say(film, "Until six.", to=name)
    tells(world, "commentThreads", in_place(name, None, "snippet", "totalReplyCount"))
    for batches in (
        anyone.observe(),
        owner.observe(published_from=NOW - timedelta(days=999)),
        owner.family(film),
    ):
        assert f"{film}/{answer}" in seen(batches)
        assert "replies" not in seen(batches)[f"{film}/{name}"].counts


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (None, False),
        ({"id": "UU.lost"}, False),
        ({"id": "UU.lost", "contentDetails": {"videoId": None}}, False),
        ({"id": [[]], "contentDetails": {"videoId": 12345678901}}, True),
    ],
)
def test_an_odd_row_of_the_uploads_costs_its_own_video_alone_and_none_is_called_missing(
    world, anyone, told, known
):
    films = [world.upload(f"Film {number}") for number in range(3)]
    comment = world.say(films[1], "Thanks")
    tells(world, "playlistItems", in_place(films[1], told))
    batches = anyone.observe()
    assert {films[0], films[2], f"{films[1]}/{comment}"} <= seen(batches).keys()
    assert missed(batches) == [("a video", "12345678901" if known else None)]
    assert kinds(batches) == set()
    well(world)
    again = anyone.observe(batches[-1].resume_from)
    assert films[1] in seen(again)
    assert kinds(again) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_row_of_the_uploads_is_read_without_its_own_id_and_without_a_time(world, anyone):
    film = world.upload("Closed")
    for told, *path in ((None, "id"), ([[]], "contentDetails", "videoPublishedAt")):
        tells(world, "playlistItems", in_place(film, told, *path))
        batches = anyone.observe()
        assert film in seen(batches)
        assert Kind.POST in kinds(batches)


@pytest.mark.parametrize(
    ("told", "path"),
    [
        (None, ()),
        ({"strange": [[]]}, ()),
        (None, ("status",)),
        ({"privacyStatus": None}, ("status",)),
        (None, ("snippet", "channelId")),
        ({"bridge": 1}, ("snippet", "tags")),
    ],
)
def test_an_odd_video_costs_nothing_but_itself_and_what_may_lie_below_it(world, anyone, told, path):
    films = [world.upload(f"Film {number}") for number in range(3)]
    comment = world.say(films[1], "Thanks")
    tells(world, "/videos", in_place(films[1], told, *path))
    batches = anyone.observe()
    assert {films[0], films[2], f"{films[1]}/{comment}"} <= seen(batches).keys()
    assert films[1] not in seen(batches)
    assert missed(batches) == [("a video", films[1] if path else None)]
    assert kinds(batches) == set()
    well(world)
    assert films[1] in seen(anyone.observe(batches[-1].resume_from))


def test_an_odd_answer_costs_itself_alone_and_the_next_pass_over_a_span_asks_again(world, http):
    visit = Visit(world, http, KEY, answered_within="0")
    film = world.upload("Closed")
    first = world.say(film, "Until when?")
    lost, *others = (world.say(film, f"+{number}", to=first) for number in range(5))
    world.cuts_at = 2
    tells(world, "parentId", in_place(lost, {"id": lost, "snippet": None}))
    batches = visit.observe()
    assert {f"{film}/{name}" for name in others} <= seen(batches).keys()
    assert missed(batches) == [("an answer", f"{film}/{lost}")]
    assert kinds(batches) == {Kind.POST}

    begins = NOW - timedelta(days=999)
    batches = visit.observe(published_from=begins)
    assert missed(batches) == [("an answer", f"{film}/{lost}")]
    of_answers = f"{film}/{first}"
    assert of_answers not in {one.in_reply_to for one in listings(batches)}
    resumed = visit.observe(next(one.resume_from for one in batches if one.gaps), published_from=begins)
    assert of_answers not in {one.in_reply_to for one in listings(resumed)}
    well(world)
    later = world.say(film, "And now?")
    again = visit.observe(batches[-1].resume_from, published_from=world.said[later].at)
    assert f"{film}/{lost}" in seen(again), "it began before the span, and is asked for all the same"
    assert of_answers in {one.in_reply_to for one in listings(again)}


def test_an_odd_thread_in_a_pass_over_a_span_leaves_out_no_answer_from_the_next(world, http):
    visit = Visit(world, http, KEY, answered_within="0")
    film = world.upload("Closed")
    first = world.say(film, "Until when?")
    answer = world.say(film, "+1", to=first)
    begins = NOW - timedelta(days=999)
    world.say(film, "Thanks")
    for told in ({"id": first}, None):
        tells(world, "commentThreads", in_place(first, told))
        batches = visit.observe(published_from=begins)
        assert f"{film}/{answer}" not in seen(batches)
        assert not {film, OURS} & {one.in_reply_to for one in listings(batches)}
        well(world)
        again = visit.observe(batches[-1].resume_from, published_from=begins)
        assert f"{film}/{answer}" in seen(again)
        assert film in {one.in_reply_to for one in listings(again)}
    whole = visit.observe(published_from=begins)
    known = json.loads(whole[-1].resume_from) | {"before": {first: 0}}
    tells(world, "commentThreads", in_place(first, None))
    batches = visit.observe(Cursor(json.dumps(known)), published_from=world.tick(days=1))
    assert json.loads(batches[-1].resume_from)["before"] == {first: 0}, "what was known is not forgotten"


@pytest.mark.parametrize(
    "told",
    [
        lambda _: None,
        lambda one: {"id": one["id"], "snippet": [[]]},
        lambda one: one | {"replies": None},
        lambda one: one | {"replies": [[]]},
        lambda one: one | {"replies": {"comments": None}},
        lambda one: one | {"replies": {"comments": 7}},
        lambda one: one | {"replies": {"comments": [None]}},
        lambda one: one | {"replies": {"comments": [None, None, None]}},
    ],
)
def test_an_odd_thread_or_answer_among_those_held_back_calls_nothing_hidden_missing(world, owner, told):
    film = world.upload("Closed")
    shown = world.say(film, "Until when?")
    held, odd = (world.say(film, "You fools", status=HELD) for _ in range(2))
    hidden = (State.PRESENT, State.HIDDEN)
    assert {one.states for one in listings(owner.observe())} == {hidden}

    def change(items):
        items[:] = [told(one) if one["id"] == odd else one for one in items]

    tells(world, "moderationStatus=heldForReview", change)
    batches = owner.observe()
    assert {film, f"{film}/{shown}", f"{film}/{held}"} <= seen(batches).keys()
    assert len(missed(batches)) == 1
    assert {one.states for one in listings(batches) if Kind.COMMENT in one.kinds} == {(State.PRESENT,)}
    assert {one.states for one in listings(owner.family(film)) if one.in_reply_to == film} <= {
        (State.PRESENT,),
        hidden,
    }
    well(world)
    assert {one.states for one in listings(owner.observe(batches[-1].resume_from))} == {hidden}


def test_where_none_of_three_items_can_be_read_the_list_is_of_another_shape(world, anyone):
    films = [world.upload(f"Film {number}") for number in range(3)]
    for film in films:
        world.say(film, "Thanks")
    for part in ("playlistItems", "/videos", "commentThreads"):
        tells(world, part, every(None))
        assert isinstance(anyone.fails(), UnexpectedResponse)
    world.delete(films[0])
    for part in ("playlistItems", "/videos", "commentThreads"):
        tells(world, part, every(None))
        assert missed(anyone.observe()), "of two that are odd each is told"


def test_an_odd_item_in_a_family_gives_no_listing_in_which_it_may_lie(world, anyone, owner):
    film = world.upload("Closed")
    first, quiet = world.say(film, "Until when?"), world.say(film, "Thanks")
    answers = [world.say(film, f"+{number}", to=first) for number in range(3)]
    names = {name: f"{film}/{name}" for name in (first, quiet, *answers)}
    whole = {film, names[first], names[quiet]}
    for visit in (anyone, owner):
        assert {one.in_reply_to for one in listings(visit.family(film))} == whole

        tells(world, "commentThreads", in_place(quiet, None))
        told = visit.family(film)
        assert {film, *names.values()} - {names[quiet]} == seen(told).keys()
        assert {one.in_reply_to for one in listings(told)} == {names[first]}

        tells(world, "parentId", in_place(answers[1], {"id": answers[1]}))
        told = visit.family(film)
        assert {film, *names.values()} - {names[answers[1]]} == seen(told).keys()
        assert missed(told) == [("an answer", names[answers[1]])]
        assert {one.in_reply_to for one in listings(told)} == {film, names[quiet]}

        tells(world, "/videos", in_place(film, None))
        told = visit.family(film)
        assert set(names.values()) == seen(told).keys()
        assert missed(told) == [("a video", film)]
        assert listings(told) == []
        assert not [one for batch in told for one in batch.sightings]
        well(world)


def test_of_an_odd_item_that_is_asked_for_by_its_id_nothing_is_concluded_and_the_others_are_told(
    world, owner
):
    film, other = world.upload("Closed"), world.upload("Open house")
    first, removed = world.say(film, "Until when?"), world.say(film, "Thanks")
    names = [f"{film}/{first}", f"{film}/{removed}"]
    world.delete(removed)

    def stand(*asked_for: str) -> list[State]:
        told = owner.look(*asked_for)
        return [told[one].state for one in asked_for]

    assert stand(film, other, *names) == [State.PRESENT, State.PRESENT, State.PRESENT, State.GONE]
    tells(world, "/comments", in_place(first, {"id": first, "snippet": None}))
    assert stand(*names) == [State.UNKNOWN, State.GONE], "it is told which one is odd"
    tells(world, "/comments", in_place(first, None))
    assert stand(*names) == [State.UNKNOWN, State.UNKNOWN], "it may be either"
    tells(world, "/commentThreads", every(None))
    world.hold(first)
    assert stand(*names) == [State.HIDDEN, State.UNKNOWN], "what is held back was not told whole"
    world.hold(first, "published")
    tells(world, "/videos", in_place(film, {"id": film, "status": []}))
    assert stand(film, other, *names) == [State.UNKNOWN, State.PRESENT, State.PRESENT, State.GONE]
    world.delete(other)
    assert stand(film, other) == [State.UNKNOWN, State.GONE]
    tells(world, "/videos", in_place(film, None))
    assert stand(film, other) == [State.UNKNOWN, State.UNKNOWN]


def test_an_odd_answer_among_held_ones_lets_no_answer_to_that_comment_be_called_gone(world, owner):
    film = world.upload("Closed")
    first, second = world.say(film, "Until when?"), world.say(film, "Where?")
    removed = [world.say(film, "+1", to=one) for one in (first, second)]
    odd = world.say(film, "Bad", to=first, status=HELD)
    for name in removed:
        world.delete(name)
    names = [f"{film}/{name}" for name in removed]
    assert [owner.look(*names)[name].state for name in names] == [State.GONE, State.GONE]
    for told, path in ((None, ("replies", "comments")), ([None], ("replies", "comments")), (None, ())):
        tells(world, "moderationStatus", in_place(odd, told, *path))
        assert owner.stands(names[0])[0] is State.UNKNOWN, f"{told} at {path}"
    tells(world, "moderationStatus", in_place(odd, {"id": first}))
    told = owner.look(*names)
    assert [told[name].state for name in names] == [State.UNKNOWN, State.GONE]


@pytest.mark.parametrize("told", [None, {"id": "track-1"}, {"id": "track-1", "snippet": {"language": "en"}}])
def test_an_odd_track_of_captions_is_a_gap_of_its_video_and_takes_no_file_from_it(world, http, told):
    film = with_captions(world)
    visit = Visit(world, http, OWNER, captions="all")
    first = visit.observe()
    files = {file.id for file in seen(first)[film].attachments}
    tells(world, "/captions", in_place("track-1", told))
    second = visit.observe(first[-1].resume_from)
    assert missed(second) == [("a track of captions", film)]
    shown = seen(second)[film]
    assert ({file.id for file in shown.attachments}, shown.files_told) == (files, False)
    well(world)
    third = visit.observe(second[-1].resume_from)
    shown = seen(third)[film]
    assert ({file.id for file in shown.attachments}, shown.files_told) == (files, True)
    assert asked(world, "captions/track-1") == 1, "it is not paid for again"
    tells(world, "/captions", in_place("track-1", told))
    unknown = visit.observe()
    assert {file.id for file in seen(unknown)[film].attachments} < files
    well(world)
    assert {file.id for file in seen(visit.observe(unknown[-1].resume_from))[film].attachments} == files


def test_where_it_is_not_told_whose_the_permission_is_the_pass_goes_on_and_concludes_nothing_by_it(
    world, http
):
    visit = Visit(world, http, OWNER, captions="written")
    film = with_captions(world)
    held = world.say(film, "You fools", status=HELD)
    comment = world.say(film, "Thanks")
    first = visit.observe()
    assert f"{film}/{held}" in seen(first)
    tells(world, "mine=true", every(None))
    second = visit.observe(first[-1].resume_from)
    assert {film, f"{film}/{comment}"} <= seen(second).keys()
    assert missed(second) == [("what only the channel itself is shown", None)]
    assert {state for one in listings(second) for state in one.states} == {State.PRESENT}
    shown = seen(second)[film]
    assert not shown.files_told
    assert [file.id for file in shown.attachments] == [file.id for file in seen(first)[film].attachments]
    assert [one.kind for one in seen(visit.family(film)).values()] == [Kind.COMMENT]
    assert "of another shape" in visit.check()["signed in"]
    world.delete(comment)
    assert visit.stands(f"{film}/{comment}")[0] is State.UNKNOWN
    well(world)
    assert f"{film}/{held}" in seen(visit.observe(second[-1].resume_from))


@pytest.mark.parametrize("told", [None, {"id": OURS}, {"strange": [[]]}])
def test_an_introduction_that_cannot_be_read_is_no_channel_that_is_not_shown(world, anyone, told):
    tells(world, "/channels", every(told))
    error = anyone.fails()
    assert isinstance(error, UnexpectedResponse)
    assert "not of YouTube's shape" in str(error)


@pytest.mark.parametrize("thumbnails", [None, [[]], {"default": None}, {"maxres": [[]]}])
def test_a_picture_that_cannot_be_read_costs_nothing_and_takes_none_away(world, anyone, thumbnails):
    film = world.upload("Closed")
    for part, name in (("/videos", film), ("/channels", OURS)):
        assert seen(anyone.observe())[name].files_told
        tells(world, part, in_place(name, thumbnails, "snippet", "thumbnails"))
        batches = anyone.observe()
        assert not seen(batches)[name].files_told
        assert missed(batches) == []
        well(world)


@pytest.mark.parametrize("path", [("brandingSettings",), ("status",), ("brandingSettings", "channel")])
def test_settings_of_which_a_part_cannot_be_read_are_a_gap_and_not_taken_for_all(world, anyone, path):
    odd: tuple[object, ...] = (None, [[]])
    for told in odd:
        tells(world, "/channels", in_place(OURS, told, *path))
        batches = anyone.observe()
        assert OURS in seen(batches)
        assert "settings" not in seen(batches)
        assert missed(batches) == [("settings", "settings")]
    well(world)
    assert "settings" in seen(anyone.observe())


def test_a_comment_whose_writer_is_told_by_an_id_alone_renames_nobody(world, anyone):
    film = world.upload("Closed")
    name = world.say(film, "Thanks")
    tells(
        world,
        "commentThreads",
        in_place(name, None, "snippet", "topLevelComment", "snippet", "authorDisplayName"),
    )
    assert seen(anyone.observe())[f"{film}/{name}"].author == Author(id="UCvisitor000000000000001")


def test_a_video_whose_numbers_cannot_be_read_is_asked_for_its_comments_by_itself(world, anyone):
    film = world.upload("Closed")
    name = world.say(film, "Thanks")
    world.hides_from_the_channel = {name}
    tells(world, "/videos", in_place(film, [[]], "statistics"))
    assert f"{film}/{name}" in seen(anyone.observe())


@pytest.mark.parametrize("total", [0, 1])
def test_a_list_that_is_null_is_empty_only_where_nothing_is_counted(total):
    body = json.dumps({"kind": "youtube#k", "pageInfo": {"totalResults": total}, "items": None}).encode()
    if total:
        with pytest.raises(Malformed):
            reading.many(body, 0, shapes.Named, "k")
    else:
        assert reading.many(body, 0, shapes.Named, "k").items == []
