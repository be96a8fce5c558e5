"""X, observed over loopback: posts with what answers them, edits, messages, what proves no removal, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import pytest

from app.records.clock import FixedClock
from connectors.contract import (
    Author,
    Batch,
    Cursor,
    Gap,
    Kind,
    Listing,
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
from connectors.http import EvidenceClient, Manners
from connectors.x import X, address, parse, shapes, walking
from connectors.x.money import ALONE, OLDER, POST, RECENT, SHARES, USER, WHOLE, Account, Purse, Spent, Terms
from connectors.x.options import Options
from connectors.x.place import Place
from connectors.x.searching import in_one_query
from tests.connectors.worlds.loopback import ALLOWED, Passing
from tests.connectors.worlds.visits import PageVisit, asked, kinds, listings, seen
from tests.connectors.worlds.x_world import (
    AL,
    HANDLE,
    HTML,
    JO,
    JSON,
    OURS,
    PROBLEMS,
    SIGN_IN,
    STRANGER,
    Refused,
    XWorld,
    spoken,
)

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SIGNED_IN = {"access_token": XWorld.user_token}
ALONE_ = {"bearer_token": XWorld.app_token}
ENOUGH = {"monthly_budget": "none"}


class Visit(PageVisit[X]):
    """One connector at one page."""

    def __init__(
        self, world: XWorld, http: EvidenceClient, secret: Mapping[str, str] = SIGNED_IN, **more: str
    ) -> None:
        super().__init__(X(http, secret), {"api": f"{world.address}/2", **ENOUGH, **more})

    def page(self, **span: datetime | None) -> Page:
        return Page(address=f"https://x.com/{HANDLE}", options=self.options, **span)

    def broken(
        self, since: Cursor | None = None, **span: datetime | None
    ) -> tuple[list[Batch], ConnectorError]:
        """A pass that ends with an error; what it yielded before, and the error."""
        batches: list[Batch] = []
        try:
            for batch in self.connector.observe(self.page(**span), since):
                batches.append(batch)  # noqa: PERF402 - what came before the error is kept
        except ConnectorError as error:
            return batches, error
        raise AssertionError("the pass ended well")


def gaps(batches: Sequence[Batch]) -> dict[str, Gap]:
    return {one.what: one for batch in batches for one in batch.gaps}


def under(batches: Sequence[Batch], name: str) -> list[Listing]:
    """What is listed of the answers to one item."""
    return [one for one in listings(batches) if one.in_reply_to == name]


def evidence(batches: Sequence[Batch], name: str) -> list[bytes]:
    """The bytes that an item was read from."""
    for batch in batches:
        for one in batch.observations:
            if one.native_id == name:
                return [batch.exchanges[span.exchange].body[span.start : span.end] for span in one.evidence]
    raise AssertionError(f"{name} was not observed")


def place_of(batches: Sequence[Batch]) -> Place:
    return Place.read(batches[-1].resume_from)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def http(clock: FixedClock) -> Iterator[EvidenceClient]:
    passing = Passing()
    with EvidenceClient(
        clock=clock,
        monotonic=passing.monotonic,
        wait=passing.wait,
        contact="records@town.example",
        secrets={**SIGNED_IN, **ALONE_},
        allow_hosts=ALLOWED,
        manners=Manners(interval=timedelta(0), retries=0),
    ) as client:
        yield client


@pytest.fixture
def world() -> Iterator[XWorld]:
    with XWorld() as one:
        one.now = NOW
        one.tick(days=9)  # the first of what happens is three days old
        yield one


@pytest.fixture
def visit(world: XWorld, http: EvidenceClient) -> Visit:
    return Visit(world, http)


# --- addresses, options, connection -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("https://x.com/TownPolice", "TownPolice"),
        ("x.com/townpolice/status/12?s=20", "townpolice"),
        ("https://mobile.twitter.com/townpolice", "townpolice"),
        ("@town_police", "town_police"),
        ("townpolice", "townpolice"),
        ("https://x.com/i/user/2244994945", "id:2244994945"),
        ("2244994945", "id:2244994945"),
        ("@911", "911"),
        ("https://x.com/search?q=police", None),
        ("https://x.com/i/lists/1", None),
        ("https://example.org/townpolice", None),
        ("https://x.com/", None),
        ("https://[x.com/a", None),
        ("not an account", None),
    ],
)
def test_an_account_is_known_by_its_address_its_handle_or_its_number(written: str, name: str | None) -> None:
    assert address.read(written) == name


def test_an_address_that_names_no_account_is_refused_with_a_word_on_what_to_write(
    http: EvidenceClient,
) -> None:
    with pytest.raises(NoSuchPage, match=r"https://x.com/townpolice"):
        list(X(http, SIGNED_IN).observe(Page(address="https://example.org/"), None))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("monthly_budget", "much"),
        ("monthly_budget", "-1"),
        ("monthly_budget", "NaN"),
        ("price_post", "none"),
        ("billing_day", "31"),
        ("search", "everything"),
        ("quotes", "maybe"),
        ("answered_within", "week"),
    ],
)
def test_an_option_that_cannot_be_understood_is_named(name: str, written: str) -> None:
    with pytest.raises(ConnectorError, match=name):
        Options.of(Page(address="@town", options={name: written}))
    Options.of(Page(address="@town", options={}))


def test_a_token_is_never_sent_in_clear_but_to_this_machine() -> None:
    with pytest.raises(AddressRefused, match="TLS"):
        Options.of(Page(address="@town", options={"api": "http://gateway.example/2"}))
    assert Options.of(Page(address="@town", options={"api": "https://gateway.example/2/"})).base.endswith(
        "/2"
    )


def test_without_a_token_nothing_is_asked(world: XWorld, http: EvidenceClient) -> None:
    with pytest.raises(AccessRevoked, match="not connected"):
        Visit(world, http, {}).observe()
    assert world.asked == []


def test_signing_in_asks_for_reading_alone_and_knows_that_a_refresh_token_works_once() -> None:
    how = X.manifest.sign_in
    assert isinstance(how, OAuth2)
    assert how.pkce
    assert how.single_use_refresh
    assert "offline.access" in how.scopes
    assert not [scope for scope in how.scopes if scope.endswith(".write")]


def test_the_token_is_read_anew_for_each_question(world: XWorld, http: EvidenceClient) -> None:
    world.say("One")
    secret = {"access_token": "one-that-has-run-out"}
    connector = X(http, secret)
    page = Visit(world, http).page()
    with pytest.raises(AccessRevoked):
        list(connector.observe(page, None))
    secret["access_token"] = XWorld.user_token
    assert list(connector.observe(page, None))


# --- what is captured ---------------------------------------------------------------------------------------


def test_the_introduction_is_a_record_with_its_words_links_and_pictures(world: XWorld, visit: Visit) -> None:
    world.people[OURS]["pinned_tweet_id"] = pinned = world.say("Report a crime")
    profile = seen(visit.observe())[f"user:{OURS}"]
    assert profile.kind is Kind.PROFILE
    assert profile.author == Author(id=OURS, name="Test Town Police", handle=HANDLE)
    assert "Posts & replies are public records." in profile.text
    assert "https://town.example/" in profile.text
    assert profile.extra["pinned"] == pinned
    assert profile.counts["followers"] == 900
    assert [file.id for file in profile.attachments] == [f"picture:media-{OURS}-seal.png"]
    assert "_normal" not in (profile.attachments[0].url or "")


def test_a_pinned_post_is_captured_however_old_it_is(world: XWorld, visit: Visit) -> None:
    world.latest["tweets"] = 1
    old = world.say("How to report a crime")
    world.people[OURS]["pinned_tweet_id"] = old
    world.say("Newer")
    assert old in seen(visit.observe())


def test_who_is_blocked_and_muted_is_private_and_complete(world: XWorld, visit: Visit) -> None:
    world.cuts_at = 1
    world.blocked = [AL, JO]
    blocked = seen(visit.observe())["blocked"]
    assert (blocked.private, blocked.kind, blocked.counts["accounts"]) == (True, Kind.PROFILE, 2)
    assert blocked.text == f"@jo_public ({JO})\n@al_visitor ({AL})"
    visit.options["block_lists"] = "no"
    assert not {"blocked", "muted"} & seen(visit.observe()).keys()


def test_what_a_post_is_follows_from_the_post_alone(world: XWorld, visit: Visit) -> None:
    post = world.say("Bridge closed")
    comment = world.say(f"@{HANDLE} until when?", by=JO, to=post)
    answer = world.say("Until six.", to=comment)
    deep = world.say("Thanks", by=AL, to=answer, names_nobody=True)
    mention = world.say(f"Well done @{HANDLE}", by=STRANGER)
    quote = world.say("Read this", by=AL, quotes=post)
    found = seen(visit.observe())
    assert {
        name: (found[name].kind, found[name].in_reply_to)
        for name in (post, comment, answer, deep, mention, quote)
    } == {
        post: (Kind.POST, None),
        comment: (Kind.COMMENT, post),
        answer: (Kind.REPLY, comment),
        deep: (Kind.COMMENT, answer),
        mention: (Kind.POST, None),
        quote: (Kind.POST, None),
    }
    assert found[quote].extra["quotes"] == {
        "id": post,
        "url": f"https://x.com/i/status/{post}",
        "author": {"id": OURS, "handle": HANDLE, "name": "Test Town Police"},
        "published_at": found[post].published_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),  # type: ignore[union-attr]  # a post has a time
        "text": "Bridge closed",
    }


def test_long_words_are_kept_whole_and_without_the_escapes_of_html(world: XWorld, visit: Visit) -> None:
    post = world.say(
        "Road &amp; bridge: https://t.co/more…", long="Road &amp; bridge are closed " + "x" * 400
    )
    short = world.say("Open &lt;again&gt; https://t.co/more")
    found = seen(visit.observe())
    assert found[post].text == "Road & bridge are closed " + "x" * 400
    assert found[short].text == "Open <again> https://t.co/more"
    assert found[short].extra["links"] == [
        {"url": "https://t.co/more", "expanded_url": "https://town.example/more", "title": "A page"}
    ]


def test_pictures_films_polls_and_places_come_with_their_bytes(world: XWorld, visit: Visit) -> None:
    picture = world.say("Look", picture="11", alt="A barrier", place="p1")
    film = world.say("Watch", film="12")
    poll = world.say("Which day?", choices=("Friday", "Saturday"))
    batches = visit.observe()
    found = seen(batches)
    (one,) = found[picture].attachments
    assert (one.id, one.description) == ("media:3_11", "A barrier")
    assert found[picture].extra["place"] == "Test Town, XX"
    (best,) = found[film].attachments
    assert (best.url or "").endswith("/12-1280.mp4"), "the best of the variants, and no playlist"
    assert best.media_type == "video/mp4"
    assert found[poll].text == "Which day?\n- Friday\n- Saturday"
    assert (found[poll].counts["votes_1"], found[poll].counts["votes_2"]) == (3, 6)
    assert any(b'"alt_text":"A barrier"' in piece for piece in evidence(batches, picture))
    assert any(b'"label":"Friday"' in piece for piece in evidence(batches, poll))


def test_a_film_without_variants_is_kept_as_its_picture() -> None:
    body = spoken(
        {
            "data": [{"id": "1", "text": "x", "author_id": "2", "attachments": {"media_keys": ["7_1"]}}],
            "includes": {
                "media": [
                    {"media_key": "7_1", "type": "video", "preview_image_url": "https://a.example/1.jpg"}
                ]
            },
        }
    )
    (file,) = parse.Reader(parse.answer(body, 0, shapes.Post), "2").observed()[0].attachments
    assert (file.url, file.media_type) == ("https://a.example/1.jpg", None)


def test_a_repost_shows_the_whole_words_and_whose_they_are(world: XWorld, visit: Visit) -> None:
    theirs = world.say("A very long post", by=STRANGER, long="A very long post, to its end")
    ours = world.say("RT @somebody: A very lo…", reposts=theirs)
    batches = visit.observe()
    found = seen(batches)[ours]
    assert found.text == "A very long post, to its end"
    assert found.extra["reposts"]["author"] == {"id": STRANGER, "handle": "somebody", "name": "Somebody Else"}  # type: ignore[index]  # whose it is
    assert theirs not in seen(batches), "who is reposted has not posted on this page"
    assert any(b"to its end" in piece for piece in evidence(batches, ours))


def test_what_the_account_answers_is_captured_with_it(world: XWorld, visit: Visit) -> None:
    asks = world.say("When will the road open?", by=STRANGER)
    beside = world.say("I wonder too", by=AL, to=asks)
    answer = world.say("On Friday.", to=asks)
    found = seen(visit.observe())
    assert (found[asks].kind, found[answer].in_reply_to) == (Kind.POST, asks)
    assert beside not in found, "a stranger's conversation is not the page's"


def test_messages_are_private_and_come_with_their_files_in_both_directions(
    world: XWorld, visit: Visit
) -> None:
    world.cuts_at = 2
    names = [
        world.write("Is the office open?"),
        world.write("Yes.", by=OURS, picture="5"),
        world.write("Thanks"),
    ]
    joined = world.write("", kind="ParticipantsJoin")
    batches = visit.observe()
    found = seen(batches)
    assert all(
        found[f"dm:{name}"].private and found[f"dm:{name}"].kind is Kind.MESSAGE for name in (*names, joined)
    )
    assert found[f"dm:{names[1]}"].author == Author(id=OURS, name="Test Town Police", handle=HANDLE)
    assert [file.id for file in found[f"dm:{names[1]}"].attachments] == ["media:5_5"]
    assert found[f"dm:{joined}"].extra["event"] == "ParticipantsJoin"
    (listing,) = [one for one in listings(batches) if one.kinds == [Kind.MESSAGE]]
    assert listing.published_from == NOW - timedelta(days=29), (
        "X tells messages of thirty days, and no promise goes further"
    )
    visit.options["messages"] = "no"
    assert not [name for name in seen(visit.observe()) if name.startswith("dm:")]


def test_the_application_alone_sees_what_is_public_and_nothing_else(
    world: XWorld, http: EvidenceClient
) -> None:
    post = world.say("Bridge closed")
    comment = world.say(f"@{HANDLE} why?", by=JO, to=post)
    world.write("In private")
    batches = Visit(world, http, ALONE_).observe()
    assert set(seen(batches)) == {f"user:{OURS}", post, comment}
    assert not asked(world, "users/me")
    assert not asked(world, "dm_events")
    assert Kind.MESSAGE not in kinds(batches)


def test_somebody_else_who_signed_in_is_told_once_and_sees_what_is_public(
    world: XWorld, visit: Visit
) -> None:
    post = world.say("Bridge closed")
    world.write("In private")
    world.signed_in_as = JO
    first = visit.observe()
    assert "@jo_public has signed in" in gaps(first)["messages, blocked and muted accounts"].why
    assert set(seen(first)) == {f"user:{OURS}", post}
    assert not gaps(visit.observe(first[-1].resume_from))


# --- edits --------------------------------------------------------------------------------------------------


def test_an_edited_post_is_one_record_with_the_time_of_its_edit_and_what_it_said_before(
    world: XWorld, visit: Visit
) -> None:
    first = world.say("Road open tomorow")
    before = seen(visit.observe())[first]
    second = world.edit(first, "Road open tomorrow")
    third = world.edit(first, "Road open on Friday")
    batches = visit.observe()
    after = seen(batches)[first]
    assert {second, third}.isdisjoint(seen(batches)), "a later id is no record of its own"
    assert (before.edited_at, before.text) == (None, "Road open tomorow")
    assert after.text == "Road open on Friday"
    assert after.published_at == before.published_at
    assert after.edited_at is not None
    assert after.edited_at > before.published_at  # type: ignore[operator]  # a post has a time
    assert (before.url, after.url) == (f"https://x.com/i/status/{first}", f"https://x.com/i/status/{third}")
    assert after.extra["ids"] == [first, second, third]
    assert [one["text"] for one in after.extra["edits"]] == ["Road open tomorow", "Road open tomorrow"]  # type: ignore[attr-defined]  # a list of texts
    assert sum(b"tomor" in piece for piece in evidence(batches, first)) == 2, (
        "the words before it have their bytes"
    )


def test_who_answers_a_later_version_answers_the_same_record(world: XWorld, visit: Visit) -> None:
    first = world.say("Road open tomorow")
    early = world.say(f"@{HANDLE} typo", by=JO, to=first)
    second = world.edit(first, "Road open tomorrow")
    late = world.say(f"@{HANDLE} thanks", by=AL, to=second)
    batches = visit.observe()
    assert {seen(batches)[name].in_reply_to for name in (early, late)} == {first}
    assert under(batches, first), "each version has its own count, and together they are two"


def test_an_answer_keeps_its_place_when_what_it_answers_is_deleted(world: XWorld, visit: Visit) -> None:
    first = world.say("Road open tomorow")
    second = world.edit(first, "Road open tomorrow")
    late = world.say(f"@{HANDLE} thanks", by=AL, to=second)
    before = visit.observe()
    world.delete(first)
    after = visit.observe(before[-1].resume_from)
    assert seen(after)[late].in_reply_to == seen(before)[late].in_reply_to == first


def test_who_asks_for_a_version_is_given_the_newest(world: XWorld, visit: Visit) -> None:
    pinned = world.say("Old words")
    world.people[OURS]["pinned_tweet_id"] = pinned
    world.edit(pinned, "New words")
    assert seen(visit.observe())[pinned].text == "New words"
    assert seen(visit.family(pinned))[pinned].text == "New words"
    assert visit.look(pinned, kind=Kind.POST)[pinned].state is State.PRESENT


def test_the_first_id_is_the_least_whatever_order_they_are_told_in() -> None:
    versions = [
        {
            "id": str(n),
            "text": f"Words {n}",
            "author_id": OURS,
            "edit_history_tweet_ids": ["101", "99", "100"],
        }
        for n in (100, 101, 99)
    ]
    reader = parse.Reader(
        parse.answer(spoken({"data": versions, "meta": {"result_count": 3}}), 0, shapes.Post), OURS
    )
    (one,) = reader.observed()
    assert (one.native_id, one.text) == ("99", "Words 101")
    assert [edit["id"] for edit in one.extra["edits"]] == ["99", "100"]  # type: ignore[attr-defined]  # a list of texts
    assert reader.began == {"100": "99", "101": "99"}


def test_a_post_of_the_time_before_ids_held_the_time_has_the_time_that_it_tells() -> None:
    assert parse.born("20") is None
    assert parse.born("1050118621198921728") == datetime(2018, 10, 10, 20, 19, 24, tzinfo=UTC)


# --- conversations ------------------------------------------------------------------------------------------


def test_answers_that_do_not_name_the_account_are_found_by_their_conversation_at_any_depth(
    world: XWorld, visit: Visit
) -> None:
    world.cuts_at = 10
    above = post = world.say("Bridge closed")
    chain = []
    for number in range(25):
        above = world.say(f"Answer {number}", by=JO if number % 2 else AL, to=above, names_nobody=True)
        chain.append(above)
    assert set(chain) <= seen(visit.observe()).keys()
    visit.options["search"] = "none"
    found = seen(visit.observe())
    assert not set(chain) & found.keys()
    assert post in found


def test_a_conversation_that_nobody_joined_is_not_searched(world: XWorld, visit: Visit) -> None:
    post = world.say("Notice")
    batches = visit.observe()
    assert not asked(world, "search")
    assert under(batches, post), "X counts no answer, so none is missing"


def test_many_conversations_are_searched_at_once_and_no_query_is_too_long(
    world: XWorld, visit: Visit
) -> None:
    answers = [
        world.say("+1", by=JO, to=world.say(f"Notice {number}"), names_nobody=True) for number in range(30)
    ]
    assert set(answers) <= seen(visit.observe()).keys()
    assert asked(world, "search/recent") == 3
    query, taken = in_one_query([str(10**18 + number) for number in range(30)], OURS)
    assert (taken, len(query) <= 512) == (12, True)
    assert in_one_query(["1"], "") == ("(conversation_id:1)", 1)


def test_beyond_seven_days_only_those_who_are_given_the_archive_may_search(
    world: XWorld, visit: Visit
) -> None:
    world.tick(days=-8)
    post = world.say("Long ago")
    old = world.say("Not named", by=JO, to=post, names_nobody=True)
    recent = visit.observe()
    assert old not in seen(recent)
    assert all(one.published_from is not None for one in under(recent, post)), (
        "of what is older nothing is promised"
    )
    visit.options["search"] = "all"
    world.plan.add("all")
    whole = visit.observe()
    assert old in seen(whole)
    assert not gaps(whole)
    world.plan.discard("all")
    refused = visit.observe()
    assert "client-forbidden" in gaps(refused)["conversations older than seven days"].why
    assert asked(world, "search/recent") == 2, "what may be searched is searched all the same"


@pytest.mark.parametrize(("how", "apart"), [("all", 1.0), ("recent", 0.0)])
def test_the_whole_archive_is_searched_once_a_second_and_the_last_days_as_anything_else(
    world: XWorld, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, how: str, apart: float
) -> None:
    """X allows one question a second there, whatever else its limits say."""
    world.plan.add("all")
    world.cuts_at = 10
    post = world.say("Bridge closed")
    answers = [world.say(f"Answer {number}", by=JO, to=post, names_nobody=True) for number in range(25)]
    passing, at = Passing(), list[float]()
    answer = world.answer

    def noted(target: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        at.extend([passing.seconds] if f"search/{how}" in target else [])
        return answer(target, authorization)

    monkeypatch.setattr(world, "answer", noted)
    with EvidenceClient(
        clock=clock,
        monotonic=passing.monotonic,
        wait=passing.wait,
        contact="records@town.example",
        secrets=SIGNED_IN,
        allow_hosts=ALLOWED,
        manners=Manners(interval=timedelta(0), retries=0),
    ) as client:
        assert set(answers) <= seen(Visit(world, client, search=how).observe()).keys()
    assert len(at) >= 3
    assert [second - first for first, second in pairwise(at)] == [apart] * (len(at) - 1)


def test_where_nothing_may_be_searched_a_gap_says_so_once_and_nothing_is_listed(
    world: XWorld, visit: Visit
) -> None:
    world.plan.discard("recent")
    posts = [world.say(f"Notice {number}") for number in range(30)]
    for post in posts:
        world.say("+1", by=JO, to=post, names_nobody=True)
    batches = visit.observe()
    assert [gap.what for batch in batches for gap in batch.gaps] == ["answers that do not name the account"]
    assert not any(under(batches, post) for post in posts)


def test_a_reply_that_is_hidden_is_captured_as_any_other_since_x_does_not_tell(
    world: XWorld, visit: Visit
) -> None:
    post = world.say("Bridge closed")
    rude = world.say("You fools", by=AL, to=post, names_nobody=True)
    world.items[rude].hidden = True
    assert seen(visit.observe())[rude].state is State.PRESENT
    assert any("hidden" in one for one in X.manifest.blind_spots)


def test_all_answers_are_promised_only_where_as_many_were_met_as_x_counts(
    world: XWorld, visit: Visit
) -> None:
    post = world.say("Bridge closed")
    world.say(f"@{HANDLE} why?", by=JO, to=post)
    met = under(visit.observe(), post)
    assert any(one.published_from is None and Kind.REPLY in one.kinds for one in met)
    hidden_from_us = world.say("I am protected", by=STRANGER, to=post, names_nobody=True)
    world.people[STRANGER]["protected"] = True
    world.people[STRANGER]["username"] = "nobody_sees"
    less = visit.observe()
    assert hidden_from_us not in seen(less)
    assert all(one.published_from is not None for one in under(less, post))


def test_quotations_are_read_to_their_end_and_no_further_than_the_span(world: XWorld, visit: Visit) -> None:
    world.cuts_at = 10
    post = world.say("Bridge closed")
    quotes = [world.say(f"Quote {number}", by=JO, quotes=post) for number in range(25)]
    assert set(quotes) <= seen(visit.observe()).keys()
    before = asked(world, "quote_tweets")
    visit.observe(published_from=world.items[quotes[-1]].created)
    assert asked(world, "quote_tweets") - before == 2
    visit.options["quotes"] = "no"
    assert not set(quotes) & seen(visit.observe()).keys()


def test_an_answer_without_quotations_that_leads_on_is_not_their_end(
    world: XWorld, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X drops what it does not show after it has counted off an answer."""
    world.cuts_at = 10
    post = world.say("Bridge closed")
    quotes = [world.say(f"Quote {number}", by=JO, quotes=post) for number in range(25)]
    answers = world.answer

    def emptied(target: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answers(target, authorization)
        if "quote_tweets" in target and "pagination_token" not in target:
            body = spoken({"meta": {**json.loads(body)["meta"], "result_count": 0}})
        return status, headers, body

    monkeypatch.setattr(world, "answer", emptied)
    shown = seen(visit.observe(published_from=world.items[quotes[5]].created))
    assert set(quotes[5:15]) <= shown.keys()


@pytest.mark.parametrize("which", ["tweets", "mentions", "quote_tweets", "recent", "dm_events", "blocking"])
def test_a_list_that_does_not_say_how_much_it_shows_is_never_taken_for_its_end(
    world: XWorld, visit: Visit, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    world.cuts_at = 5
    post = world.say("Bridge closed")
    world.say("Why?", by=JO, to=post)
    world.say("Read this", by=JO, quotes=post)
    world.blocked = [JO]
    world.write("Is the office open?")
    answers = world.answer

    def without(target: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answers(target, authorization)
        if f"/{which}?" in target:
            body = spoken({name: told for name, told in json.loads(body).items() if name != "meta"})
        return status, headers, body

    monkeypatch.setattr(world, "answer", without)
    if which == "tweets":
        batches, error = visit.broken()
        assert isinstance(error, UnexpectedResponse)
        assert "meta" in str(error)
        assert not {Kind.POST, Kind.REPLY} & {kind for one in listings(batches) for kind in one.kinds}
    else:
        batches = visit.observe()
        assert gaps(batches), "an object that is told in another shape is a gap"
    if which == "quote_tweets":
        assert Kind.POST not in {kind for one in listings(batches) for kind in one.kinds}


@pytest.mark.parametrize(
    "answer", [(500, {}, b""), (200, JSON, b'{"data": [{"id": 3}, {"id": 4}, {"id": 5}], "meta": {}}')]
)
@pytest.mark.parametrize(
    ("list_", "what", "kind"),
    [("dm_events", "private messages", Kind.MESSAGE), ("mentions", "posts that name the account", Kind.POST)],
)
def test_a_list_at_which_x_always_fails_keeps_no_other_from_being_read(
    world: XWorld, visit: Visit, list_: str, what: str, kind: Kind, answer: tuple[int, dict[str, str], bytes]
) -> None:
    post = world.say("Bridge closed")
    world.say("Why?", by=JO, to=post)
    message = f"dm:{world.write('Is the office open?')}"
    first = visit.observe()
    assert kind in kinds(first)
    world.trouble = lambda path: answer if path.endswith(f"/{list_}") else None
    batches = visit.observe(first[-1].resume_from)
    assert gaps(batches).keys() == {what}
    assert {post} | ({message} if list_ == "mentions" else set()) <= seen(batches).keys()
    assert Kind.REPLY in kinds(batches)
    assert kind not in kinds(batches)
    world.trouble = None
    assert kind in kinds(visit.observe(batches[-1].resume_from))


def test_a_post_that_is_not_among_its_own_versions_is_kept_all_the_same(
    world: XWorld, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = world.say("Bridge closed")
    answers = world.answer

    def odd(target: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answers(target, authorization)
        told = json.loads(body)
        for one in told.get("data") or [] if f"{OURS}/tweets" in target else []:
            one["edit_history_tweet_ids"] = ["17"]
        return status, headers, spoken(told)

    monkeypatch.setattr(world, "answer", odd)
    assert post in seen(visit.observe())


def test_what_an_officer_is_told_is_not_drowned_in_the_address(world: XWorld, visit: Visit) -> None:
    world.say("Bridge closed")
    for answer in (
        (200, JSON, b'{"data": [{"id": 3}, {"id": 4}, {"id": 5}], "meta": {}}'),
        (403, HTML, SIGN_IN),
    ):
        world.trouble = lambda path, answer=answer: answer if path.endswith(f"{OURS}/tweets") else None
        _, error = visit.broken()
        assert f"users/{OURS}/tweets" in str(error)
        assert len(str(error)) < 600, str(error)


def test_a_plan_without_quotations_or_mentions_leaves_gaps_and_promises_no_posts(
    world: XWorld, visit: Visit
) -> None:
    post = world.say("Bridge closed")
    world.say("Read this", by=JO, quotes=post)
    assert Kind.POST in kinds(visit.observe())
    world.plan -= {"quotes", "mentions"}
    batches = visit.observe()
    assert {"who quotes the account's posts", "posts that name the account"} <= gaps(batches).keys()
    assert kinds(batches) == {Kind.REPLY, Kind.MESSAGE}


def test_a_family_is_read_with_what_answers_it_and_says_what_it_could_not_read(
    world: XWorld, visit: Visit
) -> None:
    post = world.say("Bridge closed")
    deep = world.say(
        "Really?",
        by=JO,
        to=world.say("Yes", to=world.say("Why?", by=AL, to=post), names_nobody=True),
        names_nobody=True,
    )
    batches = visit.family(post)
    assert deep in seen(batches)
    assert not gaps(batches)
    assert {one.in_reply_to for one in listings(batches)} == set(seen(batches))
    world.now += timedelta(days=20)
    visit.connector._http._clock.at += timedelta(days=20)  # type: ignore[attr-defined]  # the client's own clock
    later = visit.family(post)
    assert gaps(later)["answers"].native_id == post
    world.delete(post)
    (gone,) = visit.family(post)
    assert [(one.native_id, one.state) for one in gone.sightings] == [(post, State.GONE)]
    assert not visit.family("dm:12")


def test_a_family_in_somebody_else_s_conversation_is_its_root_and_a_gap(world: XWorld, visit: Visit) -> None:
    asks = world.say("When will the road open?", by=STRANGER)
    answer = world.say("On Friday.", to=asks)
    below = world.say("Thanks", by=AL, to=answer, names_nobody=True)
    batches = visit.family(answer)
    assert set(seen(batches)) == {answer}
    assert "somebody else began" in gaps(batches)["answers"].why
    assert not listings(batches), f"{below} was not looked for"
    visit.options["search"] = "none"
    assert "options" in gaps(visit.family(asks))["answers"].why


# --- what is hidden, withheld, protected --------------------------------------------------------------------


def test_what_is_withheld_everywhere_is_hidden_and_in_one_country_it_is_not(
    world: XWorld, visit: Visit
) -> None:
    everywhere = world.say("Withheld", withheld=("XX",))
    abroad = world.say("Withheld abroad", withheld=("DE",))
    found = seen(visit.observe())
    assert (found[everywhere].state, found[abroad].state) == (State.HIDDEN, State.PRESENT)
    assert found[abroad].extra["withheld"] == {"copyright": False, "country_codes": ["DE"]}
    looked = visit.look(everywhere, abroad, kind=Kind.POST)
    assert (looked[everywhere].state, looked[abroad].state) == (State.HIDDEN, State.PRESENT)


def test_a_protected_account_is_read_by_itself_and_shut_to_the_application(
    world: XWorld, visit: Visit, http: EvidenceClient
) -> None:
    post = world.say("For followers")
    world.people[OURS]["protected"] = True
    assert seen(visit.observe())[post].state is State.HIDDEN
    before, error = Visit(world, http, ALONE_).broken()
    assert isinstance(error, AccessRevoked)
    assert "signing in as the account" in str(error)
    assert set(seen(before)) == {f"user:{OURS}"}
    assert not listings(before)


# --- what proves a removal, and what does not ---------------------------------------------------------------


def test_gone_is_x_s_own_word_for_each_id_and_nothing_else_is(world: XWorld, visit: Visit) -> None:
    post = world.say("Bridge closed")
    stays, deleted, suspended, protected, closed = (
        world.say(f"@{HANDLE} {number}", by=by, to=post)
        for number, by in enumerate((JO, JO, AL, STRANGER, STRANGER))
    )
    world.people["7200"] = {"id": "7200", "username": "leaver", "name": "Leaver", "protected": False}
    world.items[closed].by = "7200"
    world.delete(deleted)
    world.suspended.add(AL)
    world.people[STRANGER]["protected"] = True
    world.closed.add("7200")
    looked = visit.look(stays, deleted, suspended, protected, closed)
    assert {name: one.state for name, one in looked.items()} == {
        stays: State.PRESENT,
        deleted: State.GONE,
        suspended: State.UNKNOWN,
        protected: State.UNKNOWN,
        closed: State.GONE,
    }
    assert looked[deleted].reason == "200 resource-not-found Not Found Error"
    assert looked[suspended].reason == "200 not-authorized-for-resource Authorization Error"


def test_a_suspended_account_bears_the_type_of_a_missing_one_and_is_not_gone(
    world: XWorld, visit: Visit
) -> None:
    world.suspended.add(JO)
    world.closed.add(AL)
    looked = visit.look(f"user:{JO}", f"user:{AL}", f"user:{STRANGER}", "blocked", kind=Kind.PROFILE)
    assert {name: one.state for name, one in looked.items()} == {
        f"user:{JO}": State.UNKNOWN,
        f"user:{AL}": State.GONE,
        f"user:{STRANGER}": State.PRESENT,
    }


def test_a_message_that_x_does_not_show_is_never_gone(
    world: XWorld, visit: Visit, http: EvidenceClient
) -> None:
    shown, removed = world.write("Here"), world.write("Removed")
    world.events.pop()
    looked = visit.look(f"dm:{shown}", f"dm:{removed}", kind=Kind.MESSAGE)
    assert (looked[f"dm:{shown}"].state, looked[f"dm:{removed}"].state) == (State.PRESENT, State.UNKNOWN)
    assert not Visit(world, http, ALONE_).look(f"dm:{shown}", kind=Kind.MESSAGE), (
        "who may not ask concludes nothing"
    )


def test_an_id_that_is_none_of_x_s_spoils_nobody_else_s_look(world: XWorld, visit: Visit) -> None:
    post = world.say("Bridge closed")
    looked = visit.look(post, "9" * 30, "\u0661\u0662", "muted", "tweet:1", kind=Kind.POST)
    assert {name: one.state for name, one in looked.items()} == {post: State.PRESENT}


def test_what_x_says_nothing_of_or_refuses_is_unknown(world: XWorld, visit: Visit) -> None:
    post = world.say("Bridge closed")
    world.trouble = lambda _: (200, JSON, spoken({"meta": {"result_count": 0}}))
    assert visit.look(post)[post].state is State.UNKNOWN
    world.trouble = None
    world.shut["tweets"] = Refused(403, "Forbidden")
    assert visit.look(post)[post].reason == "403 Forbidden"


def test_a_hundred_items_are_one_question(world: XWorld, visit: Visit) -> None:
    names = [world.say(f"Post {number}") for number in range(101)]
    assert len(visit.look(*names, kind=Kind.POST)) == 101
    assert asked(world, "/2/tweets?") == 2


@pytest.mark.parametrize("which", ["tweets", "mentions", "recent", "quote_tweets", "dm_events"])
def test_an_error_inside_an_answer_makes_its_list_uncertain(which: str, world: XWorld, visit: Visit) -> None:
    post = world.say("Bridge closed")
    world.say(f"@{HANDLE} why?", by=JO, to=post)
    world.say("Read this", by=JO, quotes=post)
    world.write("Private")
    promised = listings(visit.observe())
    world.amiss[which] = {
        "title": "Operational Error",
        "detail": "A part is not available.",
        "type": "about:blank",
    }
    batches = visit.observe()
    assert len(gaps(batches)) == 1
    assert "in part" in next(iter(gaps(batches).values())).why
    assert len(listings(batches)) < len(promised)
    expected = {
        "tweets": Kind.REPLY,
        "mentions": Kind.POST,
        "quote_tweets": Kind.POST,
        "dm_events": Kind.MESSAGE,
    }
    assert expected.get(which) not in kinds(batches)


def test_an_error_about_a_quoted_post_harms_no_list(world: XWorld, visit: Visit) -> None:
    theirs = world.say("Will be deleted", by=STRANGER)
    ours = world.say("See this", quotes=theirs)
    world.delete(theirs)
    batches = visit.observe()
    assert {Kind.POST, Kind.REPLY} <= kinds(batches)
    assert not gaps(batches)
    assert seen(batches)[ours].extra["quotes"] == {"id": theirs, "url": f"https://x.com/i/status/{theirs}"}


def test_errors_in_place_of_a_list_are_never_an_empty_list(world: XWorld, visit: Visit) -> None:
    world.say("Bridge closed")
    world.trouble = lambda path: (
        (
            200,
            JSON,
            spoken(
                {
                    "errors": [
                        {
                            "title": "Authorization Error",
                            "parameter": "id",
                            "type": PROBLEMS + "not-authorized-for-resource",
                        }
                    ]
                }
            ),
        )
        if path.endswith("/tweets")
        else None
    )
    before, error = visit.broken()
    assert isinstance(error, AccessRevoked)
    assert not kinds(before) & {Kind.POST, Kind.REPLY}


def test_an_answer_that_counts_more_than_it_shows_is_uncertain(world: XWorld, visit: Visit) -> None:
    world.say("Bridge closed")
    world.trouble = lambda path: (
        (200, JSON, spoken({"meta": {"result_count": 3}})) if path.endswith("/mentions") else None
    )
    batches = visit.observe()
    assert "X counts 3 more than it shows" in gaps(batches)["posts that name the account"].why
    assert Kind.POST not in kinds(batches)


def test_lists_that_x_cuts_are_promised_no_further_than_they_go(
    world: XWorld, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(walking._CUT, "posts", 3)
    world.latest["tweets"] = 3
    posts = [world.say(f"Post {number}") for number in range(5)]
    batches = visit.observe()
    assert set(posts[2:]) == {name for name in seen(batches) if name.isdecimal()}
    gap = gaps(batches)["posts"]
    assert gap.until == world.items[posts[2]].created
    assert {
        one.published_from for one in listings(batches) if Kind.POST in one.kinds and one.in_reply_to is None
    } == {gap.until}


def test_an_account_that_was_closed_is_gone_and_one_that_was_suspended_is_not(
    world: XWorld, visit: Visit
) -> None:
    cursor = visit.observe()[-1].resume_from
    world.signed_in_as = JO
    world.suspended.add(OURS)
    (batch,) = visit.observe(cursor)
    assert [one.state for one in batch.sightings] == [State.UNKNOWN]
    assert "suspended" in batch.gaps[0].why
    assert not batch.listings
    world.suspended.clear()
    world.closed.add(OURS)
    before, error = visit.broken(batch.resume_from)
    assert [(one.native_id, one.state) for one in before[0].sightings] == [(f"user:{OURS}", State.GONE)]
    assert isinstance(error, NoSuchPage)


def test_an_account_that_was_never_there_is_no_page(world: XWorld, http: EvidenceClient) -> None:
    page = Page(address="@nobody_here", options=Visit(world, http).options)
    with pytest.raises(NoSuchPage, match="X knows no @nobody_here"):
        list(X(http, ALONE_).observe(page, None))


def test_a_renamed_account_is_followed_by_its_number(world: XWorld, visit: Visit) -> None:
    cursor = visit.observe()[-1].resume_from
    world.people[OURS]["username"] = "newname"
    world.people["7300"] = {"id": "7300", "username": HANDLE, "name": "A squatter", "protected": False}
    profile = seen(visit.observe(cursor))[f"user:{OURS}"]
    assert profile.author is not None
    assert profile.author.handle == "newname"


# --- spans of time, and going on ----------------------------------------------------------------------------


def test_a_pass_over_a_span_asks_for_no_more_and_promises_no_more(world: XWorld, visit: Visit) -> None:
    world.tick(days=-40)
    long_ago = world.say("Long ago")
    world.tick(days=39)
    before = world.say("Shortly before")
    since = world.tick()
    inside = world.say("Inside")
    late = world.say("Late answer", by=JO, to=before, names_nobody=True)
    batches = visit.observe(published_from=since)
    found = seen(batches)
    assert {before, inside, late} <= found.keys(), "what was published shortly before may be answered within"
    assert long_ago not in found
    assert all(
        one.published_from is not None and one.published_from >= since
        for one in listings(batches)
        if one.in_reply_to is None
    )
    assert late in seen(visit.observe(published_from=since, published_until=world.tick()))


def test_a_post_that_was_edited_after_the_end_of_a_span_belongs_to_it(world: XWorld, visit: Visit) -> None:
    world.tick(days=-2)
    post = world.say("Road open tomorow")
    published = world.items[post].created
    later = world.edit(world.edit(post, "Road open tomorrow"), "Road open on Friday")
    assert world.items[later].created > published
    batches = visit.observe(published_from=published, published_until=published)
    assert seen(batches)[post].text == "Road open on Friday"
    assert {
        one.published_until for one in listings(batches) if one.in_reply_to is None and Kind.POST in one.kinds
    } == {published}


def test_a_span_that_lies_too_far_back_is_read_without_a_search(world: XWorld, visit: Visit) -> None:
    world.tick(days=-40)
    post = world.say("Long ago")
    world.say(f"@{HANDLE} why?", by=JO, to=post)
    batches = visit.observe(published_from=world.tick(days=-1), published_until=world.tick(days=2))
    assert post in seen(batches)
    assert not asked(world, "search")
    assert not gaps(batches)


def test_a_place_in_a_list_that_x_has_forgotten_begins_the_list_anew(world: XWorld, visit: Visit) -> None:
    world.cuts_at = 5
    posts = [world.say(f"Post {number}") for number in range(12)]
    page = visit.page()
    first = []
    for batch in visit.connector.observe(page, None):
        first.append(batch)
        if Place.read(batch.resume_from).at:
            break
    world.forgets_tokens = True
    rest = visit.observe(first[-1].resume_from)
    assert set(posts) <= seen(rest).keys()


def test_a_pass_that_was_not_made_for_more_than_seven_days_says_what_can_no_longer_be_searched(
    world: XWorld, visit: Visit, clock: FixedClock
) -> None:
    since = NOW - timedelta(days=30)
    cursor = visit.observe(published_from=since)[-1].resume_from
    clock.at += timedelta(days=3)
    world.now = clock.at
    in_time = visit.observe(cursor, published_from=since)
    assert not gaps(in_time)
    began = clock.at
    clock.at += timedelta(days=10)
    world.now = clock.at
    gap = gaps(visit.observe(in_time[-1].resume_from, published_from=since))[
        "answers that do not name the account"
    ]
    assert (gap.since, gap.until) == (began, clock.at - timedelta(days=7))


def test_a_cursor_that_cannot_be_read_begins_from_nothing(world: XWorld, visit: Visit) -> None:
    post = world.say("Bridge closed")
    for cursor in ("", "{}", '{"stage":"elsewhere"}', '{"user":"1","unknown":2}', "\udcff"):
        if cursor != "{}":
            assert Place.read(Cursor(cursor)) == Place()
    assert post in seen(visit.observe(Cursor("not a cursor")))


def test_no_token_stands_in_a_cursor(world: XWorld, visit: Visit) -> None:
    world.say("Bridge closed")
    assert all(XWorld.user_token not in batch.resume_from for batch in visit.observe())


# --- refusals and limits ------------------------------------------------------------------------------------


def problem(status: int, **told: Any) -> tuple[int, dict[str, str], bytes]:
    headers = {**JSON, **told.pop("headers", {})}
    return status, headers, spoken({"title": "A title", "type": "about:blank", "status": status, **told})


def test_too_often_means_later_and_x_s_own_header_says_when(world: XWorld, visit: Visit) -> None:
    world.say("Bridge closed")
    reset = str(int((NOW + timedelta(minutes=9)).timestamp()))
    for body in (
        {"type": "https://api.x.com/2/problems/rate-limit-exceeded"},
        {"errors": [{"code": 88, "message": "Rate limit exceeded"}]},
    ):
        headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
        world.trouble = lambda _, body=body, headers=headers: problem(429, headers=headers, **body)
        _, error = visit.broken()
        assert isinstance(error, TryAgainLater)
        assert error.after == timedelta(minutes=9)


def test_no_header_makes_the_archive_wait_for_years(world: XWorld, visit: Visit) -> None:
    for reset, after in (("99999999999", timedelta(days=1)), ("-5", None), ("soon", None), ("", None)):
        world.trouble = lambda _, reset=reset: problem(429, headers={"x-rate-limit-reset": reset})
        _, error = visit.broken()
        assert isinstance(error, TryAgainLater)
        assert error.after == after


def test_what_is_null_beside_the_posts_is_not_there() -> None:
    body = (
        b'{"data":[{"id":"1","text":"Bridge closed","author_id":"2","attachments":null,"referenced_tweets":null,'
        b'"edit_history_tweet_ids":null}],"includes":{"users":null,"tweets":null},"errors":null,"meta":null}'
    )
    (one,) = parse.Reader(parse.answer(body, 0, shapes.Post), "2").observed()
    assert (one.native_id, one.text, one.in_reply_to, one.attachments) == ("1", "Bridge closed", None, ())


def test_the_limit_of_a_day_is_waited_for_where_that_is_the_one_that_was_reached(
    world: XWorld, visit: Visit
) -> None:
    moment = {
        name: str(int((NOW + span).timestamp()))
        for name, span in (("q", timedelta(minutes=9)), ("d", timedelta(hours=5)))
    }
    headers = {
        "x-rate-limit-reset": moment["q"],
        "x-app-limit-24hour-remaining": "0",
        "x-app-limit-24hour-reset": moment["d"],
    }
    world.trouble = lambda _: problem(429, headers=headers)
    _, error = visit.broken()
    assert isinstance(error, TryAgainLater)
    assert error.after == timedelta(hours=5)
    headers["x-app-limit-24hour-remaining"] = "3"
    _, error = visit.broken()
    assert isinstance(error, TryAgainLater)
    assert error.after == timedelta(minutes=9)


def test_a_plan_that_is_read_to_its_end_is_waited_for_until_the_next_month(
    world: XWorld, visit: Visit
) -> None:
    world.capped = True
    visit.options["billing_day"] = "10"
    _, error = visit.broken()
    assert isinstance(error, TryAgainLater)
    assert error.after == datetime(2026, 6, 10, tzinfo=UTC) - NOW
    assert "as many posts as its plan holds were read" in str(error)
    assert "Raise the plan" in str(error)


def test_credits_that_are_used_up_mean_later_and_who_has_to_pay(world: XWorld, visit: Visit) -> None:
    world.shut["me"] = Refused(402, "CreditsDepleted", "credits-depleted")
    _, error = visit.broken()
    assert isinstance(error, TryAgainLater)
    assert "Buy credits" in str(error)


def test_an_outage_is_later_and_a_refused_token_is_for_a_person(world: XWorld, visit: Visit) -> None:
    world.trouble = lambda _: problem(503)
    assert isinstance(visit.broken()[1], TryAgainLater)
    world.trouble = None
    world.dead = True
    error = visit.broken()[1]
    assert isinstance(error, AccessRevoked)
    assert "Sign in again" in str(error)


def test_a_question_that_x_does_not_understand_disconnects_no_page(world: XWorld, visit: Visit) -> None:
    for path in ("tweets", "me"):
        world.shut = {path: Refused(400, "Invalid Request", "invalid-request")}
        assert isinstance(visit.broken()[1], UnexpectedResponse), path
        world.shut = {path: Refused(403, "Forbidden")}
        assert isinstance(visit.broken()[1], AccessRevoked), path


def test_where_the_last_words_of_an_edited_post_are_refused_nothing_is_promised(
    world: XWorld, visit: Visit
) -> None:
    post = world.say("Old words")
    world.people[OURS]["pinned_tweet_id"] = post
    world.edit(post, "New words")
    world.trouble = lambda path: (
        problem(403) if path == "/2/tweets" and asked(world, "/2/tweets?") > 1 else None
    )
    batches = visit.observe()
    assert seen(batches)[post].text == "New words", "the list shows them too"
    assert "the last words of edited posts" in gaps(batches)
    assert kinds(batches) == {Kind.MESSAGE}


def test_what_is_not_x_s_own_answer_is_unexpected_and_nothing_else(world: XWorld, visit: Visit) -> None:
    for status in (200, 401, 403, 404):
        world.trouble = lambda _, status=status: (status, HTML, SIGN_IN)
        assert isinstance(visit.broken()[1], UnexpectedResponse), status
    for body in (b"", b"[]", b"null", b"{}", b'{"data":{"id":"1"}}', b'{"data":"x"}'):
        world.trouble = lambda _, body=body: (200, JSON, body)
        assert isinstance(visit.broken()[1], UnexpectedResponse), body


def test_what_the_account_did_not_permit_is_a_gap_and_the_rest_is_read(world: XWorld, visit: Visit) -> None:
    post = world.say("Bridge closed")
    world.write("Private")
    world.scopes -= {"dm.read", "block.read"}
    batches = visit.observe()
    assert {"private messages", "blocked accounts"} == gaps(batches).keys()
    assert {post, "muted"} <= seen(batches).keys()
    assert Kind.MESSAGE not in kinds(batches)


def test_an_answer_that_was_compressed_all_the_same_is_read_and_owned_as_a_whole(
    world: XWorld, visit: Visit
) -> None:
    post = world.say("Bridge closed", picture="11")
    world.compresses = True
    batches = visit.observe()
    assert seen(batches)[post].text == "Bridge closed"
    for batch in batches:
        for one in batch.observations:
            assert all(
                span.start == 0 and span.end == len(batch.exchanges[span.exchange].body)
                for span in one.evidence
            )


def test_half_an_emoji_is_read_with_a_sign_in_its_place() -> None:
    body = b'{"data":[{"id":"1","text":"broken \\ud83d here","author_id":"2"}],"meta":{"result_count":1}}'
    (one,) = parse.Reader(parse.answer(body, 0, shapes.Post), "2").observed()
    assert one.text == "broken \ufffd here"
    assert body[one.evidence[0].start : one.evidence[0].end].startswith(b'{"id":"1"')


# --- what it costs ------------------------------------------------------------------------------------------


def busy(world: XWorld) -> None:
    for number in range(8):
        post = world.say(f"Post {number}")
        world.say(f"@{HANDLE} why?", by=JO, to=post)
        world.say("+1", by=AL, to=post, names_nobody=True)
        world.say("Read this", by=STRANGER, quotes=post)
    world.edit(world.say("Wrong"), "Corrected")
    world.write("Private")


def spent(batches: Sequence[Batch]) -> Decimal:
    return Decimal(place_of(batches).account.spent)


def test_what_is_counted_is_what_x_bills(world: XWorld, visit: Visit) -> None:
    busy(world)
    visit.options["owned"] = "yes"
    batches = visit.observe()
    assert spent(batches) * 1000 == world.spent
    assert world.spent > 100


def test_the_same_thing_read_again_on_the_same_day_costs_nothing_and_on_the_next_it_does(
    world: XWorld, visit: Visit, clock: FixedClock
) -> None:
    busy(world)
    first = visit.observe()
    again = visit.observe(first[-1].resume_from)
    assert spent(again) == spent(first)
    clock.at += timedelta(days=1)
    world.a_new_day()
    assert spent(visit.observe(again[-1].resume_from)) > spent(first)


def test_no_more_is_spent_than_the_share_of_the_budget_and_a_gap_says_until_when(
    world: XWorld, visit: Visit, clock: FixedClock
) -> None:
    busy(world)
    visit.options["monthly_budget"] = "0.5"
    batches, error = visit.broken()
    assert isinstance(error, Spent)
    assert error.after == datetime(2026, 7, 1, tzinfo=UTC) - NOW
    assert spent(batches) <= Decimal("0.15")
    assert world.spent <= 150
    (gap,) = [one for batch in batches for one in batch.gaps]
    assert (gap.since, gap.until) == (NOW, datetime(2026, 7, 1, tzinfo=UTC))
    assert "monthly_budget" in gap.why

    # 1. Within the month nothing more is asked, and the gap is not told again.
    before, questions = world.spent, len(world.asked)
    later, again = visit.broken(batches[-1].resume_from)
    assert (later, isinstance(again, Spent), world.spent, len(world.asked)) == ([], True, before, questions)

    # 2. In the next month the pass goes on where it stopped.
    clock.at = datetime(2026, 7, 1, 0, 0, 1, tzinfo=UTC)
    world.now = clock.at
    world.a_new_day()
    visit.options["monthly_budget"] = "50"
    rest = visit.observe(batches[-1].resume_from)
    assert place_of(rest).began is None
    assert place_of(rest).account.month == "2026-07-01"


def test_a_pass_for_what_is_new_finds_its_own_share_when_another_has_used_up_its_own(
    world: XWorld, visit: Visit
) -> None:
    busy(world)
    visit.options["monthly_budget"] = "0.5"
    visit.broken()
    new = world.say("New")
    visit.options |= {"block_lists": "no", "answered_within": "0", "quotes": "no"}
    assert new in seen(visit.observe(published_from=world.items[new].created))


def test_the_shares_of_all_kinds_of_passes_together_are_the_budget() -> None:
    assert SHARES[WHOLE] + SHARES[OLDER] + 2 * SHARES[RECENT] + SHARES[ALONE] == 1


def test_less_is_asked_for_at_once_where_less_can_be_paid(world: XWorld, visit: Visit) -> None:
    for number in range(40):
        world.say(f"Post {number}")
    visit.options |= {"monthly_budget": "1", "messages": "no", "block_lists": "no", "quotes": "no"}
    visit.observe()
    numbers = [
        int(target.rpartition("max_results=")[2])
        for target in world.asked
        if "/tweets?" in target and "max_results" in target
    ]
    assert numbers
    assert max(numbers) < 100
    assert world.spent <= 300


def test_posts_that_show_others_cost_no_more_than_the_share_either(world: XWorld, visit: Visit) -> None:
    for number in range(60):
        other = world.say(f"Theirs {number}", by=STRANGER)
        world.say(f"Read this {number}", quotes=other)
    visit.options |= {"monthly_budget": "2", "messages": "no", "block_lists": "no", "quotes": "no"}
    _, error = visit.broken()
    assert isinstance(error, Spent)
    assert 300 < world.spent <= 600


def test_a_family_and_a_look_are_bounded_too(world: XWorld, visit: Visit) -> None:
    post = world.say("Bridge closed")
    visit.options["monthly_budget"] = "0.1"
    with pytest.raises(Spent):
        visit.family(post)
    with pytest.raises(Spent):
        visit.look(*[world.say(f"Post {number}") for number in range(50)])


def test_prices_are_the_agency_s_to_correct(world: XWorld, visit: Visit) -> None:
    world.say("Bridge closed")
    visit.options |= {"price_post": "0", "price_user": "0", "price_message": "0", "monthly_budget": "0"}
    assert spent(visit.observe()) == 0
    visit.options |= {"price_post": "2", "monthly_budget": "none", "included": "no"}
    assert spent(visit.observe()) == 2


NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def purse(account: Account | None = None, *, monthly: str = "10", day: int = 1) -> Purse:
    prices = {POST: Decimal("0.005"), USER: Decimal("0.010")}
    return Purse(Terms(prices=prices, monthly=Decimal(monthly), billing_day=day), WHOLE, account)


@pytest.mark.parametrize(
    ("day", "now", "begins", "ends"),
    [
        (1, NOON, "2026-06-01", "2026-07-01"),
        (15, NOON, "2026-06-15", "2026-07-15"),
        (16, NOON, "2026-05-16", "2026-06-16"),
        (28, datetime(2027, 1, 31, tzinfo=UTC), "2027-01-28", "2027-02-28"),
        (10, datetime(2026, 12, 31, tzinfo=UTC), "2026-12-10", "2027-01-10"),
        (10, datetime(2027, 1, 1, tzinfo=UTC), "2026-12-10", "2027-01-10"),
    ],
)
def test_a_billing_month_begins_on_its_day(day: int, now: datetime, begins: str, ends: str) -> None:
    terms = Terms(prices={}, monthly=None, billing_day=day)
    assert [one.isoformat() for one in terms.month(now)] == [begins, ends]


def test_a_purse_is_known_again_by_what_the_cursor_holds() -> None:
    one = purse()
    one.pays(NOON, POST, ["1", "2", "2"])
    again = purse(one.account())
    again.pays(NOON, POST, ["2", "3"])
    assert again.spent == Decimal("0.015")
    again.pays(NOON + timedelta(days=1), POST, ["3"])
    assert again.spent == Decimal("0.020")
    again.pays(NOON + timedelta(days=30), POST, ["3"])
    assert again.spent == Decimal("0.005"), "another month"


def test_an_amount_that_a_cursor_cannot_mean_counts_as_nothing_spent() -> None:
    for written in ("much", "-3", "NaN", "Infinity", ""):
        assert purse(Account(month="2026-06-01", spent=written)).spent == 0


def test_a_cursor_stays_small_whatever_was_read_today() -> None:
    one = purse(monthly="100000")
    one.pays(NOON, POST, (str(number) for number in range(20_000)))
    assert len(json.dumps(one.account().today)) < 10_000


def test_what_a_purse_affords_falls_to_the_least_that_x_gives_and_then_to_nothing() -> None:
    one = purse(monthly="1")
    assert one.affords(NOON, POST, least=5, most=100) == 10, (
        "each may show another post, and both have writers"
    )
    one.pays(NOON, POST, (f"before {number}" for number in range(45)))
    assert one.affords(NOON, POST, least=5, most=100) == 5, "exactly five posts with their writers"
    one = purse(monthly="1")
    one.pays(NOON, POST, (str(number) for number in range(50)))
    with pytest.raises(Spent) as raised:
        one.affords(NOON, POST, least=5, most=100)
    assert raised.value.until == datetime(2026, 7, 1, tzinfo=UTC)


# --- the check ----------------------------------------------------------------------------------------------


def test_a_connection_that_is_well_is_found_well(world: XWorld, visit: Visit) -> None:
    visit.options["monthly_budget"] = "20"
    findings = list(visit.connector.check(visit.page()))
    assert all(one.fine for one in findings), [one for one in findings if not one.fine]
    assert f"Signed in as @{HANDLE}" in {one.what for one in findings}
    assert "budget of 20 a month, about 4000 posts" in {one.what for one in findings}


def test_a_check_names_each_thing_that_is_wrong_with_what_to_do(
    world: XWorld, visit: Visit, http: EvidenceClient
) -> None:
    world.scopes -= {"dm.read", "mute.read"}
    world.plan.discard("mentions")
    visit.options["search"] = "all"
    wrong = visit.check()
    assert set(wrong) == {
        "private messages: dm.read",
        "muted accounts: mute.read",
        "posts that name the account",
        "search of the whole archive",
        "no budget",
    }
    assert "in a project" in wrong["search of the whole archive"]
    assert "sign in again and permit it" in wrong["private messages: dm.read"]
    world.signed_in_as = JO
    assert "Sign out at X" in visit.check()["signed in as @jo_public"]
    alone = Visit(world, http, ALONE_).check()
    assert "signing in as the account" in alone["the application's own token"]
    world.dead = True
    assert set(visit.check()) == {"credentials"}


def test_a_check_says_how_much_of_the_plan_is_read(world: XWorld, http: EvidenceClient) -> None:
    alone = Visit(world, http, ALONE_)
    world.billed["post"] = 1_700_000
    assert not [what for what in alone.check() if "plan" in what]
    world.billed["post"] = 1_900_000
    (said,) = [what for what in alone.check() if "plan" in what]
    assert said.startswith("1900000 of the 2000000 posts")
    world.shut["tweets"] = Refused(403, "Forbidden")
    assert {"what the plan holds", "own posts: tweet.read"} <= alone.check().keys()


def test_a_check_is_made_however_little_money_is_left(world: XWorld, visit: Visit) -> None:
    visit.options["monthly_budget"] = "0.01"
    assert all(one.fine for one in visit.connector.check(visit.page()))


def test_a_check_of_an_account_that_is_not_there_says_so(world: XWorld, http: EvidenceClient) -> None:
    options = Visit(world, http).options
    found = list(X(http, ALONE_).check(Page(address="@nobody_here", options=options)))
    assert next(one.what for one in found if not one.fine) == "account"


# --- a full page of answers ---------------------------------------------------------------------------------


def test_a_page_of_a_hundred_mentions_is_read_whole() -> None:
    with XWorld() as world:
        post = world.say("Bridge closed")
        for number in range(100):
            world.say(f"@{HANDLE} number {number} https://t.co/x", by=JO if number % 2 else AL, to=post)
        target = f"/2/users/{OURS}/mentions?{urlencode({**shapes.POSTS_ASKED, 'max_results': '100'})}"
        body = world.answer(target, f"Bearer {XWorld.app_token}")[2]
    assert len(parse.Reader(parse.answer(body, 0, shapes.Post), OURS).observed()) == 100


# --- what stands in a list and cannot be read ---------------------------------------------------------------


Retells = Callable[[str, Callable[[Any], None]], None]


@pytest.fixture
def retells(world: XWorld, monkeypatch: pytest.MonkeyPatch) -> Retells:
    """Makes X tell otherwise what is asked for with `part` in the address."""
    answers = world.answer

    def told_otherwise(part: str, change: Callable[[Any], None]) -> None:
        def answer(target: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
            status, headers, body = answers(target, authorization)
            if part in target:
                told = json.loads(body)
                change(told)
                body = spoken(told)
            return status, headers, body

        monkeypatch.setattr(world, "answer", answer)

    return told_otherwise


def odd(where: str, name: str, strange: object) -> Callable[[Any], None]:
    """In a list of the answer, the item of this id is another thing."""

    def change(told: Any) -> None:
        listed = (told if where == "data" else told.get("includes", {})).get(where, [])
        for index, one in enumerate(listed):
            if name in {one.get("id"), one.get("media_key")}:
                listed[index] = strange

    return change


def lacking(lacks: Mapping[str, object]) -> Callable[[Any], None]:
    """The newest item of the answer says this instead."""
    return lambda told: told["data"][0].update(lacks)


def nothing_but(told: Mapping[str, object]) -> Callable[[Any], None]:
    """The answer says this alone."""

    def change(answer: Any) -> None:
        answer.clear()
        answer.update(told)

    return change


NAMED_ALONE = "named alone"


@pytest.mark.parametrize("strange", [None, 42, [], {"strange": [[]]}, {"id": None, "text": "x"}, NAMED_ALONE])
def test_a_post_that_cannot_be_read_is_a_gap_and_those_beside_it_and_behind_it_are_read(
    world: XWorld, visit: Visit, retells: Retells, strange: object
) -> None:
    newest, broken, oldest = [world.say(words) for words in ("Flood", "Open house", "Bridge closed")]
    asks = world.say("Why?", by=JO, to=broken, names_nobody=True)
    quotes = world.say("Read this", by=JO, quotes=broken)
    whole = visit.observe()
    assert {newest, broken, oldest, asks, quotes} <= seen(whole).keys()
    assert not gaps(whole)
    assert {Kind.POST, Kind.REPLY} <= kinds(whole)
    named = (
        {"id": broken, "text": [["Open house"]], "author_id": [[OURS]]} if strange == NAMED_ALONE else None
    )
    retells(f"{OURS}/tweets", odd("data", broken, named or strange))
    batches = visit.observe(whole[-1].resume_from)
    assert {newest, oldest} <= seen(batches).keys()
    assert broken not in seen(batches)
    gap = gaps(batches)["posts"]
    assert gap.native_id == (broken if named else None)
    assert gap.why.endswith(AGAIN)
    assert "users/" in gap.why
    assert ({asks, quotes} <= seen(batches).keys()) == bool(named), (
        "what others say of it is asked for by its id"
    )
    assert not listings(batches) or kinds(batches) == {Kind.MESSAGE}
    assert not [one for batch in batches for one in batch.sightings]
    world.amiss.clear()
    retells("no such address", lambda _: None)
    well = visit.observe(batches[-1].resume_from)
    assert {newest, broken, oldest, asks, quotes} <= seen(well).keys()
    assert {Kind.POST, Kind.REPLY} <= kinds(well)


@pytest.mark.parametrize("which", [f"{OURS}/mentions", "search/recent", "quote_tweets", "ids="])
def test_what_others_say_and_cannot_be_read_is_a_gap_and_nothing_is_promised_where_it_may_lie(
    world: XWorld, visit: Visit, retells: Retells, which: str
) -> None:
    theirs = world.say("Who cut the trees?", by=STRANGER)
    world.say("It was the storm.", to=theirs)
    post = world.say("Bridge closed")
    found = {
        f"{OURS}/mentions": world.say(f"Thank you @{HANDLE}", by=JO),
        "search/recent": world.say("Why?", by=JO, to=post, names_nobody=True),
        "quote_tweets": world.say("Read this", by=AL, quotes=post),
        "ids=": theirs,
    }
    whole = visit.observe()
    assert set(found.values()) <= seen(whole).keys()
    assert under(whole, post)
    assert Kind.POST in kinds(whole)
    retells(which, odd("data", found[which], None))
    batches = visit.observe(whole[-1].resume_from)
    assert set(found.values()) - {found[which]} <= seen(batches).keys()
    assert found[which] not in seen(batches)
    assert len(gaps(batches)) == 1
    for listing in listings(batches):
        assert listing.in_reply_to != post or which != "search/recent"
        assert Kind.POST not in listing.kinds or which == "search/recent"
    retells("no such address", lambda _: None)
    for batch in batches:
        rest = visit.observe(batch.resume_from)
        later = [*batches[: batches.index(batch) + 1], *rest]
        for listing in listings(rest):
            if Kind.POST in listing.kinds and listing.in_reply_to is None and which != "search/recent":
                assert found[which] in seen(rest), "gone on with after it, the pass promises it too little"
        assert later
    assert found[which] in seen(visit.observe(batches[-1].resume_from))


def test_what_the_account_answers_is_asked_for_where_its_own_answer_cannot_be_read(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    asks = world.say("Who cut the trees?", by=JO)
    answer = world.say("It was the storm.", to=asks)
    strange: Sequence[Mapping[str, object]] = ({"text": None}, {"edit_history_tweet_ids": [None]})
    for lacks in strange:
        retells(f"{OURS}/tweets", lacking(lacks))
        batches = visit.observe()
        assert asks in seen(batches)
        assert answer not in seen(batches)
        assert gaps(batches)["posts"].native_id == answer


def test_a_message_that_cannot_be_read_is_a_gap_and_the_others_are_read(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    names = [world.write("Is the office open?"), world.write("Yes.", by=OURS), world.write("Thanks")]
    assert Kind.MESSAGE in kinds(visit.observe())
    for strange, named in (
        (None, None),
        ({"id": names[1]}, f"dm:{names[1]}"),
        ({"id": names[1], "event_type": "MessageCreate"}, f"dm:{names[1]}"),
        (
            {
                "id": names[1],
                "event_type": "MessageCreate",
                "text": None,
                "attachments": {"media_keys": ["1"]},
            },
            f"dm:{names[1]}",
        ),
    ):
        retells("dm_events", odd("data", names[1], strange))
        batches = visit.observe()
        assert {f"dm:{names[0]}", f"dm:{names[2]}"} <= seen(batches).keys()
        assert f"dm:{names[1]}" not in seen(batches)
        assert gaps(batches)["private messages"].native_id == named
        assert Kind.MESSAGE not in kinds(batches)
        retells("no such address", lambda _: None)
        assert f"dm:{names[1]}" in seen(visit.observe(batches[-1].resume_from))


def test_a_blocked_account_that_cannot_be_read_leaves_the_list_as_it_was_known(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    world.blocked = [AL, JO]
    assert "blocked" in seen(visit.observe())
    retells("/blocking", odd("data", JO, None))
    batches = visit.observe()
    assert "blocked" not in seen(batches), "without one of them it would look as if she was let in again"
    assert "muted" in seen(batches)
    assert gaps(batches)["blocked accounts"].native_id == "blocked"


def test_where_none_of_several_posts_can_be_read_the_list_cannot(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    posts = [world.say(f"Notice {number}") for number in range(3)]

    def change(told: Any, left: int) -> None:
        told["data"][left:] = [None] * (3 - left)

    retells(f"{OURS}/tweets", lambda told: change(told, 0))
    batches, error = visit.broken()
    assert isinstance(error, UnexpectedResponse)
    assert not {Kind.POST, Kind.REPLY} & kinds(batches)
    retells(f"{OURS}/tweets", lambda told: change(told, 1))
    assert posts[-1] in seen(visit.observe())


def test_an_id_that_is_told_as_a_number_is_the_same_id(world: XWorld, visit: Visit, retells: Retells) -> None:
    post = world.say("Bridge closed", picture="11")
    later = world.edit(post, "Bridge open")
    comment = world.say(f"@{HANDLE} why?", by=JO, to=later)
    message = world.write("Is the office open?")
    as_texts = {name: (one.in_reply_to, one.author, one.text) for name, one in seen(visit.observe()).items()}
    assert {post, comment, f"dm:{message}"} <= as_texts.keys()

    def numbers(told: Any) -> Any:
        match told:
            case dict():
                return {
                    name: numbers(one) if name not in {"text", "query"} else one for name, one in told.items()
                }
            case list():
                return [numbers(one) for one in told]
            case str() if told.isdecimal():
                return int(told)
            case _:
                return told

    retells("/2/", lambda told: told.update(numbers(told)))
    batches = visit.observe()
    assert not gaps(batches)
    assert {name: (one.in_reply_to, one.author, one.text) for name, one in seen(batches).items()} == as_texts


def test_a_writer_who_cannot_be_read_costs_no_post_and_renames_nobody(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    world.people[OURS]["protected"] = True
    post = world.say("Bridge closed")
    comment = world.say(f"@{HANDLE} why?", by=JO, to=post)
    assert seen(visit.observe())[post].author == Author(id=OURS, name="Test Town Police", handle=HANDLE)
    for strange in (None, {"id": OURS}, {"id": OURS, "username": HANDLE, "name": None}):
        retells(f"{OURS}/tweets", odd("users", OURS, strange))
        batches = visit.observe()
        found = seen(batches)
        assert found[post].author == Author(id=OURS), "half of the names would look like other ones"
        assert found[post].state is State.HIDDEN, "that it is protected is known from the introduction"
        assert found[comment].author == Author(id=JO, name="Jo Public", handle="jo_public")
        assert {Kind.POST, Kind.REPLY} <= kinds(batches)


def test_a_picture_that_cannot_be_read_takes_no_file_away_from_its_post_and_is_a_gap(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    shown, lacking, bare = world.say("One", picture="11"), world.say("Two", picture="12"), world.say("Three")
    whole = seen(visit.observe())
    assert all(whole[name].files_told for name in (shown, lacking, bare))
    retells(f"{OURS}/tweets", odd("media", "3_12", {"media_key": "3_12", "url": 5}))
    batches = visit.observe()
    found = seen(batches)
    assert [found[name].files_told for name in (shown, lacking, bare)] == [True, False, True]
    assert [len(found[name].attachments) for name in (shown, lacking, bare)] == [1, 0, 0]
    assert gaps(batches)["posts: their files"].why.endswith(AGAIN)
    assert {Kind.POST, Kind.REPLY} <= kinds(batches)


def test_a_poll_or_a_reposted_post_that_cannot_be_read_is_never_an_edit_of_the_words(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    theirs = world.say("A long post, to its end", by=STRANGER)
    repost = world.say("RT @somebody: A long…", reposts=theirs)
    poll = world.say("Which day?", choices=("Friday", "Saturday"))
    quote = world.say("Look at that", quotes=theirs)
    whole = seen(visit.observe())
    assert {repost, poll, quote} <= whole.keys()
    retells(f"{OURS}/tweets", odd("tweets", theirs, {"id": theirs}))
    batches = visit.observe()
    assert repost not in seen(batches), "its words stand in the other one"
    assert seen(batches)[quote].text == whole[quote].text
    assert gaps(batches)["posts"].native_id == repost
    assert not {Kind.POST, Kind.REPLY} & kinds(batches)
    retells(f"{OURS}/tweets", odd("polls", f"9{poll}", {"id": f"9{poll}", "options": [None]}))
    batches = visit.observe()
    assert poll not in seen(batches), "its choices are part of its words"
    assert seen(batches)[repost].text == whole[repost].text
    assert gaps(batches)["posts"].native_id == poll


@pytest.mark.parametrize("strange", [None, 42, {"title": [["Not Found Error"]]}])
def test_an_error_that_cannot_be_read_makes_its_list_uncertain_and_ends_nothing(
    world: XWorld, visit: Visit, retells: Retells, strange: object
) -> None:
    post = world.say("Bridge closed")
    retells(f"{OURS}/tweets", lambda told: told.update(errors=[strange]))
    batches = visit.observe()
    assert post in seen(batches)
    assert "in part" in gaps(batches)["posts"].why
    assert not {Kind.POST, Kind.REPLY} & kinds(batches)
    retells("ids=", lambda told: told.update(errors=[strange]))
    world.delete(post)
    (told,) = visit.look(post, kind=Kind.POST).values()
    assert told.state is State.UNKNOWN


def test_an_answer_that_cannot_be_read_leaves_a_family_without_a_promise(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    post = world.say("Bridge closed")
    first = world.say("Why?", by=JO, to=post)
    second = world.say("Until when?", by=AL, to=post)
    assert {one.in_reply_to for one in listings(visit.family(post))} == {post, first, second}
    for strange, named in ((None, None), ({"id": second}, second)):
        retells("search/recent", odd("data", second, strange))
        batches = visit.family(post)
        assert {post, first} == seen(batches).keys()
        assert [gap.native_id for gap in gaps(batches).values()] == [named]
        assert not listings(batches)
    retells("ids=", odd("data", post, {"id": post}))
    (batch,) = visit.family(post)
    assert [gap.native_id for gap in batch.gaps] == [post]
    assert not batch.observations
    assert not batch.sightings
    assert not batch.listings


def test_an_item_that_cannot_be_read_is_unknown_and_the_others_are_told_how_they_stand(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    names = [world.say(f"Notice {number}") for number in range(4)]
    world.delete(names[3])
    for strange in (None, {"id": names[1], "text": [["Notice"]]}):
        retells("ids=", odd("data", names[1], strange))
        told = visit.look(*names, kind=Kind.POST)
        states = [told[name].state for name in names]
        assert states == [State.PRESENT, State.UNKNOWN, State.PRESENT, State.GONE]
    message = f"dm:{world.write('Is the office open?')}"
    for part, name in (("dm_events/", message), (f"users/{OURS}", f"user:{OURS}")):
        retells("no such address", lambda _: None)
        assert visit.look(name)[name].state is State.PRESENT
        retells(part, lambda told: told.update(data={"strange": 1}))
        assert visit.look(name)[name].state is State.UNKNOWN


@pytest.mark.parametrize("lacks", [{"name": None}, {"entities": {"url": {"urls": [None]}}}])
def test_an_introduction_of_which_words_are_not_told_is_a_gap_and_the_posts_are_read(
    world: XWorld, visit: Visit, retells: Retells, lacks: dict[str, object]
) -> None:
    post = world.say("Bridge closed")
    retells("users/me", lambda told: told["data"].update(lacks))
    batches = visit.observe()
    assert f"user:{OURS}" not in seen(batches)
    assert gaps(batches)["the introduction"].native_id == f"user:{OURS}"
    assert post in seen(batches)
    retells("no such address", lambda _: None)
    assert f"user:{OURS}" in seen(visit.observe(batches[-1].resume_from))


def test_an_account_of_which_x_tells_what_nobody_can_read_is_not_called_closed(
    world: XWorld, visit: Visit, retells: Retells
) -> None:
    world.say("Bridge closed")
    first = visit.observe()
    strange: Sequence[Mapping[str, object]] = ({"data": [None]}, {"errors": [None]})
    for told in strange:
        retells("users/", nothing_but(told))
        batches, error = visit.broken(first[-1].resume_from)
        assert type(error) is UnexpectedResponse
        assert not [one for batch in batches for one in batch.sightings]
    retells("no such address", lambda _: None)
    world.closed.add(OURS)
    assert isinstance(visit.broken(first[-1].resume_from)[1], NoSuchPage)


def test_what_cannot_be_read_is_counted_as_x_bills_it(world: XWorld, visit: Visit, retells: Retells) -> None:
    busy(world)
    retells(f"{OURS}/tweets", lambda told: told["data"].__setitem__(2, None))
    assert spent(visit.observe()) * 1000 >= world.spent
