"""Mastodon, observed over loopback: what an account shows, what only its owner sees, and what is never proven."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.contract import (
    Author,
    Batch,
    Client,
    Connector,
    Cursor,
    Kind,
    Page,
    Sighting,
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
from connectors.mastodon import Mastodon, address, parse
from connectors.mastodon.asking import Asking
from connectors.mastodon.server import _ask_the_domain
from connectors.pieces import Malformed
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.broken import breaks
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.mastodon_world import CHALLENGE, OURS, SIGN_IN, MastodonWorld
from tests.connectors.worlds.visits import asked, listings, seen


class TestThePublicAccount(ConnectorPromises):
    def world(self) -> AbstractContextManager[MastodonWorld]:
        return MastodonWorld().history()

    def connector(self, client: Client) -> Connector:
        return Mastodon(client)


class TestTheAccountAsItsOwnerSeesIt(ConnectorPromises):
    def world(self) -> AbstractContextManager[MastodonWorld]:
        return MastodonWorld(connected=True).history()

    def connector(self, client: Client) -> Connector:
        return Mastodon(client, {"access_token": MastodonWorld.token})


# --- how it is asked in the tests below ---------------------------------------------------------------------


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client({"access_token": MastodonWorld.token}) as client:
        yield client


@pytest.fixture
def world() -> Iterator[MastodonWorld]:
    with MastodonWorld() as town:
        yield town


@pytest.fixture
def owned() -> Iterator[MastodonWorld]:
    with MastodonWorld(connected=True) as town:
        yield town


class Visit:
    """One connector at one account, and what its passes yield."""

    def __init__(self, world: MastodonWorld, http: Client, address: str = "", **options: str) -> None:
        self.connector = Mastodon(http, world.secrets or None)
        self.page = Page(address=address or world.page.address, options=options)
        self.cursor: Cursor | None = None

    def observe(self, since: datetime | None = None, until: datetime | None = None) -> list[Batch]:
        page = replace(self.page, published_from=since, published_until=until)
        batches = list(self.connector.observe(page, self.cursor))
        self.cursor = batches[-1].resume_from
        return batches

    def look(self, native_id: str, kind: Kind = Kind.POST) -> Sighting:
        (batch,) = self.connector.look(self.page, [(kind, native_id)])
        (sighting,) = batch.sightings
        assert batch.exchanges[sighting.exchange].status
        return sighting


def gaps(batches: Sequence[Batch]) -> list[str]:
    return [one.what for batch in batches for one in batch.gaps]


# --- what an account shows ----------------------------------------------------------------------------------


def test_a_status_keeps_its_words_its_warning_its_poll_its_media_and_its_emoji(world, http):
    status = world.say(
        "Roads :badge: & <b>", warning="Traffic", poll=["Good", "Late"], media=["31"], favourites=2
    )

    shown = seen(Visit(world, http).observe())[f"status:{status}"]

    assert (shown.kind, shown.state, shown.private) == (Kind.POST, State.PRESENT, False)
    assert shown.text == "Traffic\n\nRoads :badge: & <b>\n\n- Good\n- Late"
    assert shown.html == "<p>Roads :badge: &amp; &lt;b&gt;</p>"
    assert shown.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert shown.edited_at is None
    assert shown.language == "en"
    assert shown.author is not None
    assert shown.author.handle == "police"
    assert [(file.id, file.description) for file in shown.attachments] == [("media:31", "A barrier")]
    assert shown.counts == {
        "replies": 0,
        "boosts": 0,
        "favourites": 2,
        "votes": 2,
        "votes_1": 2,
        "votes_2": 2,
    }
    assert shown.extra["content_warning"] == "Traffic"
    assert shown.extra["emoji"] == {"badge": "https://town.example/badge.png"}


def test_the_introduction_comes_first_with_its_words_fields_and_pictures(world, http):
    first = Visit(world, http).observe()[0]

    (shown,) = first.observations
    assert (shown.native_id, shown.kind) == (f"account:{OURS}", Kind.PROFILE)
    assert shown.text == (
        "Test Town Police\n\nNews & warnings.\nMaintained by the department.\n\nSite: town.example"
    )
    assert [file.id for file in shown.attachments] == ["avatar:badge.png"], (
        "the server's own placeholder is no picture"
    )
    assert shown.counts["followers"] == 10


def test_a_boost_names_the_boosted_whose_bytes_are_the_boosts(world, http):
    theirs = world.say("Rain tonight", by="weather@far.example")
    boost = world.boost(theirs)

    batches = Visit(world, http).observe()

    shown = seen(batches)[f"status:{boost}"]
    assert shown.text == "Rain tonight"
    assert shown.author is not None
    assert shown.author.handle == "police"
    named = shown.extra["boosts"]
    assert isinstance(named, dict)
    assert (named["id"], named["author"]["handle"]) == (f"status:{theirs}", "weather@far.example")
    assert f"status:{theirs}" not in seen(batches)


def test_answers_are_seen_at_any_depth_and_the_accounts_own_are_replies(world, http):
    post = world.say("Closed")
    at, path = post, []
    for depth in range(12):
        at = world.say(f"{depth}", by="police" if depth % 2 else "jo@far.example", to=at)
        path.append(at)

    visit = Visit(world, http)
    shown = seen(visit.observe())

    assert [shown[f"status:{one}"].kind for one in path] == [Kind.COMMENT, Kind.REPLY] * 6
    assert shown[f"status:{path[0]}"].in_reply_to == f"status:{post}"
    assert shown[f"status:{path[-1]}"].in_reply_to == f"status:{path[-2]}"
    assert asked(world, "/context") == 1, (
        "one thread is asked for once, however often the account answers in it"
    )


def test_what_the_account_answers_elsewhere_is_seen_with_its_answer(world, http):
    theirs = world.say("Is the bridge open?", by="al@far.example")
    world.say("Anybody?", by="al@far.example", to=theirs)
    answer = world.say("Yes.", to=theirs)

    shown = seen(Visit(world, http).observe())

    assert shown[f"status:{theirs}"].kind is Kind.POST
    assert shown[f"status:{answer}"].in_reply_to == f"status:{theirs}"
    assert len(shown) == 3, "what else was said there is not the page's"


def test_a_status_without_answers_costs_no_question_unless_the_option_says_so(world, http):
    for number in range(4):
        world.say(f"{number}")
    Visit(world, http).observe()
    assert asked(world, "/context") == 0
    Visit(world, http, answers="all").observe()
    assert asked(world, "/context") == 4


# --- edits ----------------------------------------------------------------------------------------------------


def test_an_edited_status_carries_each_text_that_it_has_had_with_its_time(world, http):
    status = world.say("Closed until six")
    world.amend(status, "Closed until seven")
    world.amend(status, "Closed until eight")

    batches = Visit(world, http).observe()

    shown = seen(batches)[f"status:{status}"]
    assert shown.text == "Closed until eight"
    assert shown.edited_at == datetime(2026, 3, 1, 8, 3, tzinfo=UTC)
    told = shown.extra["edits"]
    assert isinstance(told, list)
    assert [(one["text"], one["since"][11:16]) for one in told] == [
        ("Closed until six", "08:01"),
        ("Closed until seven", "08:02"),
        ("Closed until eight", "08:03"),
    ]
    (batch,) = (one for one in batches if f"status:{status}" in seen([one]))
    own = [
        json.loads(batch.exchanges[span.exchange].body[span.start : span.end])["content"]
        for span in shown.evidence
    ]
    assert own == [f"<p>Closed until {hour}</p>" for hour in ("eight", "six", "seven", "eight")]


def test_what_was_edited_before_the_last_pass_is_not_asked_for_again_and_what_was_edited_since_is(
    world, http
):
    status = world.say("One")
    world.amend(status, "Two")
    visit = Visit(world, http)
    visit.observe()
    visit.observe()
    assert asked(world, "/history") == 1
    world.tick(60 * 24 * 120)
    world.amend(status, "Three")
    told = seen(visit.observe())[f"status:{status}"].extra["edits"]
    assert isinstance(told, list)
    assert [one["text"] for one in told] == ["One", "Two", "Three"]


# --- what only the owner sees -----------------------------------------------------------------------------------


def test_messages_and_what_is_for_followers_are_private_and_only_the_owner_sees_them(owned, http):
    message = owned.say("My name is Al.", by="al@far.example", names=["police"], visibility="direct")
    answer = owned.say("Thank you.", to=message, names=["al@far.example"], visibility="direct")
    theirs = owned.say("Only us", by="al@far.example", names=["police"], visibility="private")
    ours = owned.say("For followers", visibility="private")

    shown = seen(Visit(owned, http).observe())

    assert [shown[f"status:{one}"].kind for one in (message, answer, theirs)] == [Kind.MESSAGE] * 3
    assert all(shown[f"status:{one}"].private for one in (message, answer, theirs, ours))
    assert (shown[f"status:{ours}"].kind, shown[f"status:{ours}"].state) == (Kind.POST, State.HIDDEN)
    owned.connected = False
    assert set(seen(Visit(owned, http).observe())) == {f"account:{OURS}"}


def test_filters_and_lists_are_private_records_of_their_own(owned, http):
    owned.filters = {"7": ("Rude words", ["clown", "donut"]), "8": ("Spam", ["casino"])}
    owned.blocked = [owned.person(f"troll{number}@far.example") for number in range(7)]
    owned.muted, owned.domains = [owned.person("loud@far.example")], ["spam.example", "far.example"]

    visit = Visit(owned, http)
    batches = visit.observe()
    shown = seen(batches)

    assert shown["filter:7"].text == "Rude words\nclown\ndonut"
    assert shown["blocks"].text == "\n".join(f"@troll{number}@far.example" for number in range(7))
    assert shown["mutes"].text == "@loud@far.example"
    assert shown["domain-blocks"].text == "far.example\nspam.example"
    assert shown["settings"].text == "News & warnings."
    lists = [shown[one] for one in ("filter:7", "filter:8", "blocks", "mutes", "domain-blocks", "settings")]
    assert all(one.private and one.kind is Kind.PROFILE and one.evidence for one in lists)
    assert not any("elsewhere.example" in target for target in owned.asked), "a link's host is never followed"
    (closing,) = [one for one in listings(batches) if one.kinds == [Kind.PROFILE]]
    assert closing.in_reply_to is None
    del owned.filters["8"]
    assert "filter:8" not in seen(visit.observe())
    assert (visit.look("filter:8", Kind.PROFILE).state, visit.look("filter:7", Kind.PROFILE).state) == (
        State.GONE,
        State.PRESENT,
    )


def test_a_permission_that_is_lacking_is_a_gap_and_makes_nothing_missing(owned, http):
    owned.history().scopes -= {"filters", "notifications"}

    batches = Visit(owned, http).observe()

    assert gaps(batches) == ["word filters", "messages and mentions"]
    assert listings(batches) == [], "nothing may be called missing where something was not shown"
    assert "blocks" in seen(batches)


def test_the_token_of_somebody_else_reads_no_lists_and_says_so(owned, http):
    owned.history().token_of = owned.person("clerk")

    batches = Visit(owned, http).observe()

    assert gaps(batches) == ["messages, filters, and what is for followers only"]
    assert not {"settings", "blocks", "filter:7"} & set(seen(batches))
    assert all(Kind.MESSAGE not in one.kinds for one in listings(batches))
    assert all(one.states == (State.PRESENT,) for one in listings(batches))


@pytest.mark.parametrize("scope", ["accounts", "statuses"])
def test_a_token_that_may_not_read_the_account_or_its_statuses_says_which_permission_is_lacking(
    owned, http, scope
):
    owned.history().scopes -= {scope}
    visit = Visit(owned, http)
    with pytest.raises(AccessRevoked, match=f"read:{scope}"):
        visit.observe()
    with pytest.raises(AccessRevoked, match=f"read:{scope}"):
        list(visit.connector.family(visit.page, f"status:{owned.last}"))
    found = {one.what: one.remedy for one in Mastodon(http, owned.secrets).check(owned.page) if not one.fine}
    assert f"read:{scope}" in " ".join(found), found
    with pytest.raises(AccessRevoked, match=f"read:{scope}"):
        deque(visit.connector.listen(visit.page, None))


def test_a_token_that_does_not_say_whose_it_is_is_not_taken_for_the_owners(owned, http):
    """A server may show accounts to everybody, and still not say whose the token is."""
    owned.say("For everybody")
    secret = owned.say("For our followers", visibility="private")
    owned.say("Hello @clerk", by="jo@far.example", names=["clerk"], visibility="direct")
    visit = Visit(owned, http)
    assert f"status:{secret}" in seen(visit.observe())

    owned.token_of = owned.person("clerk")
    denied = (
        403,
        {"Content-Type": "application/json"},
        b'{"error":"This action is outside the authorized scopes"}',
    )
    owned.trouble = lambda path: denied if path.endswith("verify_credentials") else None
    batches = visit.observe()

    assert gaps(batches) == ["messages, filters, and what is for followers only"]
    assert "read:accounts" in batches[0].gaps[0].why
    assert all(one.states == (State.PRESENT,) for one in listings(batches))
    assert all(Kind.MESSAGE not in one.kinds for one in listings(batches))


def test_an_account_that_goes_away_while_it_is_read_is_an_error_and_proves_nothing(world, http):
    world.history()
    page = world.page

    def away(path: str) -> tuple[int, dict[str, str], bytes] | None:
        gone = path.endswith(f"{OURS}/statuses")
        return (404, {"Content-Type": "application/json"}, b'{"error":"Record not found"}') if gone else None

    world.trouble = away
    batches: list[Batch] = []
    with pytest.raises(UnexpectedResponse) as raised:
        deque(map(batches.append, Mastodon(http).observe(page, None)))
    assert raised.value.exchanges[-1].status == 404
    assert not any(batch.sightings or batch.listings for batch in batches)


def test_a_family_that_goes_away_while_it_is_read_is_asked_for_once_more(world, http):
    post = world.say("Closed")
    world.say("Why?", by="jo@far.example", to=post)
    world.before = lambda path: (
        world.delete(post) if path.endswith("/context") and post in world.said else None
    )
    (batch,) = Mastodon(http).family(world.page, f"status:{post}")
    assert [(one.native_id, one.state) for one in batch.sightings] == [(f"status:{post}", State.GONE)]
    del world.people[OURS]
    with pytest.raises(NoSuchPage):
        list(Mastodon(http).family(world.page, f"status:{post}"))


def test_an_empty_answer_that_leads_on_is_not_the_end_of_a_list(owned, http):
    """A server may drop what it no longer shows after it has counted off an answer."""
    named = [owned.say(f"{number} @police", by="jo@far.example", names=["police"]) for number in range(7)]
    made = [owned.say(f"{number}") for number in range(7)]
    owned.blocked += [owned.person(f"troll{number}@far.example") for number in range(7)]
    own, told = made[2], next(one for one, status in owned.notified if status == named[4])
    empty: dict[str, dict[str, str]] = {
        f"min_id={own}": {"Link": f'<https://x.example/?min_id={made[4]}>; rel="prev"'},
        f"max_id={told}": {"Link": f'<https://x.example/?max_id={int(told) - 1}>; rel="next"'},
        "blocks?limit=80&max_id=3": {"Link": '<https://x.example/?max_id=5>; rel="next"'},
    }

    def leads_on(_path: str) -> tuple[int, dict[str, str], bytes] | None:
        head = next((empty[part] for part in empty if part in owned.asked[-1]), None)
        return (200, {"Content-Type": "application/json", **head}, b"[]") if head else None

    owned.trouble = leads_on
    shown = seen(Visit(owned, http).observe())

    assert {f"status:{one}" for one in (*made[:3], *made[5:])} <= set(shown)
    assert {f"status:{one}" for one in (*named[:3], *named[5:])} <= set(shown)
    assert "troll6" in shown["blocks"].text


def test_an_empty_answer_that_leads_to_itself_ends_its_list(owned, http, monkeypatch):
    """So a server ends a list that repeats in its header what it was asked for."""
    made = [owned.say(f"{number} @police", by="jo@far.example", names=["police"]) for number in range(4)]
    made += [owned.say(f"{number}") for number in range(4)]
    answers = owned.answer

    def itself(target: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answers(target, authorization)
        query = dict(parse_qsl(urlsplit(target).query))
        links = [
            f'<https://x.example/?{name}={query[name]}>; rel="{rel}"'
            for name, rel in (("min_id", "prev"), ("max_id", "next"))
            if name in query and body == b"[]"
        ]
        return status, headers | ({"Link": ", ".join(links)} if links else {}), body

    monkeypatch.setattr(owned, "answer", itself)
    batches = Visit(owned, http).observe()
    assert {f"status:{one}" for one in made} <= set(seen(batches))
    assert Kind.POST in listings(batches)[-1].kinds


def test_who_names_the_account_is_seen_wherever_it_was_said(owned, http):
    elsewhere = owned.say("A light is out, @police", by="al@far.example", names=["police"])
    below = owned.say("Still out", by="bo@far.example", to=elsewhere, names=["police"])

    shown = seen(Visit(owned, http).observe())

    assert (shown[f"status:{elsewhere}"].kind, shown[f"status:{below}"].kind) == (Kind.POST, Kind.COMMENT)


def test_messages_of_which_nobody_was_told_are_found_in_their_conversations(owned, http):
    first = owned.say("My name is Jo.", by="jo@far.example", names=["police"], visibility="direct")
    second = owned.say("Are you there?", by="jo@far.example", to=first, names=["police"], visibility="direct")
    others = [
        owned.say(f"I am {name}.", by=f"{name}@far.example", names=["police"], visibility="direct")
        for name in ("al", "bo", "cy", "di")
    ]
    for one in (first, second, *others):
        owned.dismiss(one)
    visit = Visit(owned, http)

    batches = visit.observe()

    messages = {f"status:{one}" for one in (first, second, *others)}
    assert {name for name, one in seen(batches).items() if one.kind is Kind.MESSAGE} == messages
    assert Kind.MESSAGE in listings(batches)[-1].kinds
    assert asked(owned, f"{second}/context") == 1
    for taken in range(1, len(batches)):
        rest = list(Mastodon(http, owned.secrets).observe(owned.page, batches[taken - 1].resume_from))
        assert messages <= set(seen([*batches[:taken], *rest]))


def test_a_conversation_whose_messages_were_met_costs_no_question_of_its_own(owned, http):
    first = owned.say("My name is Jo.", by="jo@far.example", names=["police"], visibility="direct")
    Visit(owned, http).observe()
    assert asked(owned, "/conversations") == 1
    assert asked(owned, f"{first}/context") == 0


def test_a_pass_over_a_span_reads_the_conversations_of_the_span_alone(owned, http):
    old = owned.say("I am Al.", by="al@far.example", names=["police"], visibility="direct")
    begins = owned.tick(60 * 24 * 30)
    new = [
        owned.say(f"I am {name}.", by=f"{name}@far.example", names=["police"], visibility="direct")
        for name in ("bo", "cy", "di")
    ]
    for one in (old, *new):
        owned.dismiss(one)

    shown = seen(Visit(owned, http).observe(since=begins))

    assert {f"status:{one}" for one in new} <= set(shown)
    assert f"status:{old}" not in shown


def test_a_server_that_lists_no_conversations_and_one_that_fails_at_them_end_no_pass(owned, http):
    owned.say("I am Al.", by="al@far.example", names=["police"], visibility="direct")
    owned.lists_conversations = False
    without = Visit(owned, http).observe()
    assert gaps(without) == []
    assert set(listings(without)[-1].kinds) == {Kind.POST, Kind.REPLY, Kind.COMMENT, Kind.MESSAGE}

    owned.trouble = lambda path: (500, {}, b"") if path.endswith("/conversations") else None
    failing = Visit(owned, http).observe()
    assert gaps(failing) == ["messages of which nobody was told"]
    assert set(listings(failing)[-1].kinds) == {Kind.POST, Kind.REPLY, Kind.COMMENT}


@pytest.mark.parametrize("answer", [(500, {}, b""), (200, {"Content-Type": "text/html"}, SIGN_IN)])
def test_notifications_at_which_the_server_always_fails_keep_nothing_else_from_being_read(
    owned, http, answer
):
    owned.say("Closed")
    message = owned.say("I am Al.", by="al@far.example", names=["police"], visibility="direct")
    owned.trouble = lambda path: answer if path.endswith("/notifications") else None
    visit = Visit(owned, http)

    batches = visit.observe()

    assert gaps(batches) == ["messages and mentions"]
    assert f"status:{message}" in seen(batches), "by its conversation"
    assert not {Kind.POST, Kind.COMMENT, Kind.REPLY} & {
        kind for one in listings(batches) for kind in one.kinds
    }
    owned.trouble = None
    assert Kind.POST in listings(visit.observe())[-1].kinds


def test_a_mention_whose_status_was_deleted_is_listed_without_it_and_hides_nothing(owned, http):
    owned.say("Closed")
    asked = owned.say("Why?", by="al@far.example", names=["police"])
    (notice,) = owned.notified
    writer = owned.said[asked].account
    owned.delete(asked)
    owned.bereft = [(notice[0], writer)]
    visit = Visit(owned, http)

    batches = visit.observe()

    assert gaps(batches) == []
    assert set(listings(batches)[-1].kinds) >= {Kind.POST, Kind.REPLY, Kind.COMMENT}
    owned.bereft = []
    owned.odd = {owned.say("Well?", by="al@far.example", names=["police"]): lambda told: {"id": told["id"]}}
    odd = visit.observe()
    assert "messages and mentions" in gaps(odd), "one that is told in another shape may be any"
    assert not any(Kind.COMMENT in one.kinds for one in listings(odd))


def test_conversations_without_end_are_an_error(owned, http):
    for name in ("al", "bo", "cy", "di"):
        owned.say(f"I am {name}.", by=f"{name}@far.example", names=["police"], visibility="direct")
    row = {"id": "1", "last_status": None}
    following = {"Link": f'<{owned.base}/api/v1/conversations?max_id=77>; rel="next"'}
    owned.trouble = lambda path: (
        (200, {"Content-Type": "application/json", **following}, json.dumps([row]).encode())
        if path.endswith("/conversations")
        else None
    )
    with pytest.raises(UnexpectedResponse, match="no end"):
        Visit(owned, http).observe()


def test_private_answers_to_what_is_for_followers_are_seen_although_the_server_counts_none(owned, http):
    ours = owned.say("For our followers", visibility="private")
    theirs = owned.say("Thank you", by="jo@far.example", to=ours, visibility="private", names=["police"])
    owned.dismiss(theirs)
    assert f"status:{theirs}" in seen(Visit(owned, http).observe())


def test_a_thread_that_is_not_shown_to_anybody_else_is_read_as_far_as_it_is_shown_to_the_page(owned, http):
    """Where a blocked person's answer is counted, the thread is asked for as anybody sees it, who is shown nothing."""
    ours = owned.say("For our followers", visibility="private")
    shown = owned.say("Why?", by="jo@far.example", to=ours)
    owned.say("Clowns", by="troll@far.example", to=ours)
    owned.blocked.append(owned.person("troll@far.example"))

    batches = Visit(owned, http).observe()

    assert owned.with_token.count(False) == 1
    assert f"status:{shown}" in seen(batches)


def test_an_answer_that_is_deleted_while_its_thread_is_read_takes_none_of_the_others_along(world, http):
    post = world.say("Closed")
    names = [post]
    for number in range(25):
        names.append(world.say(f"{number}", by="jo@far.example", to=names[-1]))

    def change(path: str) -> None:
        if path.endswith(f"{names[20]}/context") and names[20] in world.said:
            world.delete(names[20])

    world.before = change
    batches = Visit(world, http).observe()
    assert {f"status:{one}" for one in names[:21]} <= set(seen(batches))
    assert all(Kind.COMMENT not in one.kinds for one in listings(batches))


def test_answers_of_somebody_whom_the_page_blocks_are_seen_as_anybody_sees_them(owned, http):
    post = owned.say("Closed")
    rude = owned.say("Clowns", by="troll@far.example", to=post)
    owned.blocked.append(owned.person("troll@far.example"))

    batches = Visit(owned, http).observe()

    assert seen(batches)[f"status:{rude}"].state is State.PRESENT
    assert owned.with_token.count(False) == 1


def test_a_pass_that_loses_its_token_on_the_way_ends_and_lists_nothing(owned, http):
    owned.history()
    whole = Visit(owned, http).observe()
    (at,) = [place for place, batch in enumerate(whole) if '"stage":"mentions"' in batch.resume_from][:1]
    owned.connected = False
    rest = list(Mastodon(http).observe(owned.page, whole[at].resume_from))
    assert listings(rest) == []
    assert "mentions" not in rest[-1].resume_from


# --- what is missing ----------------------------------------------------------------------------------------------


def test_a_finished_pass_says_that_it_saw_everything(owned, http):
    closing = listings(Visit(owned.history(), http).observe())[-1]
    assert set(closing.kinds) == {Kind.POST, Kind.REPLY, Kind.COMMENT, Kind.MESSAGE}
    assert closing.states == (State.PRESENT, State.HIDDEN)
    owned.connected = False
    (closing,) = listings(Visit(owned, http).observe())
    assert set(closing.kinds) == {Kind.POST, Kind.REPLY, Kind.COMMENT}
    assert closing.states == (State.PRESENT,), "what only followers see is not missing where nobody signed in"


def test_deleted_is_what_the_server_does_not_find_for_the_page_nor_for_anybody(owned, http):
    status = owned.say("Short", by="al@far.example", names=["police"])
    visit = Visit(owned, http)
    assert visit.look(f"status:{status}").state is State.PRESENT
    owned.delete(status)
    told = visit.look(f"status:{status}")
    assert (told.state, told.reason) == (State.GONE, "404 Record not found")
    assert owned.with_token[-2:] == [True, False]


def test_somebody_who_blocks_the_page_has_deleted_nothing(owned, http):
    status = owned.say("Clowns", by="al@far.example", names=["police"])
    owned.blocked_by.add(owned.person("al@far.example"))
    told = Visit(owned, http).look(f"status:{status}")
    assert (told.state, told.reason) == (State.PRESENT, "200 for anybody, though not for the page")


def test_whether_a_message_was_deleted_cannot_be_told_by_asking(owned, http):
    message = owned.say("My name is Al.", by="al@far.example", names=["police"], visibility="direct")
    visit = Visit(owned, http)
    assert visit.look(f"status:{message}", Kind.MESSAGE).state is State.PRESENT
    owned.blocked_by.add(owned.person("al@far.example"))
    blocked = visit.look(f"status:{message}", Kind.MESSAGE)
    owned.delete(message)
    deleted = visit.look(f"status:{message}", Kind.MESSAGE)
    assert (blocked.state, blocked.reason) == (deleted.state, deleted.reason)
    assert deleted.state is State.UNKNOWN


def test_what_is_for_followers_stays_hidden_when_it_is_looked_at(owned, http):
    status = owned.say("For followers", visibility="private")
    assert Visit(owned, http).look(f"status:{status}").state is State.HIDDEN


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((403, {"Content-Type": "text/html"}, CHALLENGE), UnexpectedResponse),
        ((404, {"Content-Type": "text/html"}, CHALLENGE), UnexpectedResponse),
        ((401, {}, b'{"error":"The access token is invalid"}'), AccessRevoked),
        ((403, {}, b'{"error":"Your login is currently disabled"}'), AccessRevoked),
        ((429, {}, b'{"error":"Too many requests"}'), TryAgainLater),
        ((200, {"Content-Type": "text/html"}, SIGN_IN), UnexpectedResponse),
    ],
)
def test_a_refusal_that_is_not_about_the_status_proves_no_removal(owned, http, answer, error):
    status = owned.say("One")
    owned.trouble = lambda _path: answer
    with pytest.raises(error) as raised:
        Visit(owned, http).look(f"status:{status}")
    assert raised.value.exchanges


def test_a_status_at_which_the_server_fails_is_unknown(owned, http):
    status = owned.say("One")
    owned.trouble = lambda _path: (503, {}, b'{"error":"There was a temporary problem"}')
    told = Visit(owned, http).look(f"status:{status}")
    assert told.state is State.UNKNOWN
    assert "503" in told.reason


def test_an_account_that_suddenly_shows_nothing_makes_nothing_missing(world, http):
    visit = Visit(world.history(), http)
    visit.observe()
    world.said.clear()
    batches = visit.observe()
    assert gaps(batches) == ["statuses"]
    assert listings(batches) == []


def test_a_new_account_that_shows_nothing_yet_is_a_complete_pass(world, http):
    batches = Visit(world, http).observe()
    assert gaps(batches) == []
    assert len(listings(batches)) == 1


# --- the account itself ---------------------------------------------------------------------------------------------


def test_a_suspended_account_shows_nothing_and_nothing_of_it_is_missing(world, http):
    visit = Visit(world.history(), http)
    visit.observe()
    world.account["suspended"] = True
    batches = visit.observe()
    assert seen(batches)[f"account:{OURS}"].state is State.HIDDEN
    assert gaps(batches) == ["the whole page"]
    assert listings(batches) == []
    assert visit.look(f"account:{OURS}", Kind.PROFILE).state is State.HIDDEN
    world.account["suspended"] = False
    assert len(listings(visit.observe())) == 1


def test_an_account_that_is_gone_is_gone_by_the_servers_word_and_its_page_with_it(world, http):
    visit = Visit(world.history(), http)
    visit.observe()
    del world.people[OURS]
    passing = visit.connector.observe(visit.page, visit.cursor)
    (told,) = next(passing).sightings
    assert (told.native_id, told.state) == (f"account:{OURS}", State.GONE)
    with pytest.raises(NoSuchPage, match="404 Record not found"):
        next(passing)
    with pytest.raises(NoSuchPage):
        next(Visit(world, http).connector.observe(world.page, None))


def test_another_account_of_the_same_name_is_not_taken_for_the_page(world, http):
    visit = Visit(world.history(), http)
    visit.observe()
    del world.people[OURS]
    world.people["110000000000009999"] = "police"
    with pytest.raises(NoSuchPage, match="Another account"):
        visit.observe()


def test_an_account_that_moves_says_so_once_and_is_captured_on(world, http):
    visit = Visit(world.history(), http)
    visit.observe()
    world.account["moved"] = {"id": "3", "acct": "police@new.example", "url": "https://new.example/@police"}
    batches = visit.observe()
    assert gaps(batches) == ["what the account publishes from now on"]
    assert seen(batches)[f"account:{OURS}"].extra["moved_to"] == "https://new.example/@police"
    assert gaps(visit.observe()) == []


def test_a_server_that_shows_nothing_to_strangers_asks_for_a_connection(world, http):
    world.only_signed_in = True
    with pytest.raises(AccessRevoked, match="Connect the page"):
        Visit(world, http).observe()


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "origin", "acct"),
    [
        ("@police@town.example", "https://town.example", "police"),
        ("police@Town.Example", "https://town.example", "police"),
        ("https://town.example/@police", "https://town.example", "police"),
        ("town.example/@police/", "https://town.example", "police"),
        ("https://town.example:8443/users/police", "https://town.example:8443", "police"),
        ("https://hub.example/@police@town.example", "https://hub.example", "police@town.example"),
    ],
)
def test_an_account_is_found_however_its_address_is_written(written, origin, acct):
    found = address.read(written)
    assert found is not None
    assert (found.origin, found.acct) == (origin, acct)


@pytest.mark.parametrize(
    "written",
    ["", "police", "https://town.example", "https://town.example/@police/123", "ftp://x/@y", "https://[x/@y"],
)
def test_what_names_no_account_is_refused_with_an_example(written, http):
    assert address.read(written) is None
    with pytest.raises(NoSuchPage, match=r"town\.example/@police"):
        list(Mastodon(http).observe(Page(address=written), None))


def test_a_handle_leads_to_the_server_that_its_domain_names_but_no_token_goes_there(world, http):
    handle = address.Address(world.base, "police", by_handle=True)
    world.handle_leads_to = "https://social.example"
    stranger = Asking(http, world.base, None)
    _ask_the_domain(stranger, handle)
    assert stranger.origin == "https://social.example"
    with pytest.raises(AddressRefused, match=r"social\.example") as raised:
        _ask_the_domain(Asking(http, world.base, {"access_token": world.token}), handle)
    assert raised.value.exchanges
    assert not any(world.with_token), "the token went nowhere"
    world.handle_leads_to = None
    _ask_the_domain(owner := Asking(http, world.base, {"access_token": world.token}), handle)
    assert owner.origin == world.base


def test_a_token_is_not_sent_in_clear(http):
    with pytest.raises(AddressRefused, match="TLS"):
        list(
            Mastodon(http, {"access_token": "x" * 20}).observe(
                Page(address="http://town.example/@police"), None
            )
        )


# --- long threads -----------------------------------------------------------------------------------------------------


def test_what_reaches_deeper_than_is_shown_at_once_is_asked_for_from_there(world, http):
    at = post = world.say("Closed")
    for number in range(50):
        at = world.say(f"{number}", by="jo@far.example", to=at)
    batches = Visit(world, http).observe()
    assert len(seen(batches)) == 52
    assert gaps(batches) == []
    assert Kind.COMMENT in listings(batches)[-1].kinds
    assert asked(world, "/context") == 3
    assert seen(batches)[f"status:{at}"].in_reply_to != f"status:{post}"


def test_a_thread_that_is_not_shown_whole_is_a_gap_and_only_its_own_answers_are_not_listed(world, http):
    long, short = world.say("Long"), world.say("Short")
    for number in range(70):
        world.say(f"{number}", by="jo@far.example", to=long)
    world.say("Fine", by="jo@far.example", to=short)

    visit = Visit(world, http)
    first = visit.observe()
    assert gaps(first) == ["answers in a long thread"]
    assert all(Kind.COMMENT not in one.kinds for one in listings(first))
    later = visit.observe()
    under = {one.in_reply_to for one in listings(later) if Kind.COMMENT in one.kinds}
    assert f"status:{short}" in under
    assert f"status:{long}" not in under


def test_the_owner_is_shown_the_same_thread_whole(owned, http):
    long = owned.say("Long")
    for number in range(70):
        owned.say(f"{number}", by="jo@far.example", to=long)
    batches = Visit(owned, http).observe()
    assert gaps(batches) == []
    assert sum(one.kind is Kind.COMMENT for one in seen(batches).values()) == 70


# --- spans of time ------------------------------------------------------------------------------------------------------


def a_year(world: MastodonWorld) -> list[str]:
    made = []
    for day in range(60):
        made.append(world.say(f"Day {day}"))
        world.tick(60 * 24 - 1)
    return made


def test_a_pass_over_a_span_costs_what_the_span_holds_and_lists_only_that(world, http):
    made = a_year(world)
    begins, ends = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 24, tzinfo=UTC)

    batches = Visit(world, http).observe(begins, ends)

    shown = {one for one in seen(batches) if one.startswith("status:")}
    assert shown == {f"status:{one}" for one in made[19:23]}
    assert asked(world, "/statuses") <= 7
    (closing,) = [one for one in listings(batches) if one.in_reply_to is None]
    assert (closing.published_from, closing.published_until) == (begins, ends)
    assert Kind.COMMENT not in closing.kinds


def test_a_server_that_numbers_otherwise_is_read_through_and_shows_the_same(world, http):
    world.numbers_by_time = False
    made = a_year(world)
    batches = Visit(world, http).observe(datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 24, tzinfo=UTC))
    assert {one for one in seen(batches) if one.startswith("status:")} == {
        f"status:{one}" for one in made[19:23]
    }
    assert asked(world, "/statuses") > 15


def test_an_older_status_that_somebody_answers_within_the_span_is_read_with_all_its_answers(owned, http):
    old = owned.say("Old")
    quiet = owned.say("Quiet", by="bo@far.example", to=old)
    owned.tick(60 * 24 * 30)
    new = owned.say("New question", by="al@far.example", to=old, names=["police"])

    shown = seen(Visit(owned, http).observe(datetime(2026, 3, 20, tzinfo=UTC)))

    assert {f"status:{old}", f"status:{quiet}", f"status:{new}"} <= set(shown)


def test_answers_within_the_span_are_sought_under_the_statuses_of_the_days_before(world, http):
    lately = world.say("Closed")
    world.tick(60 * 24 * 5)
    answer = world.say("Still?", by="jo@far.example", to=lately)
    begins = datetime(2026, 3, 4, tzinfo=UTC)
    assert f"status:{answer}" in seen(Visit(world, http).observe(begins))
    assert f"status:{answer}" not in seen(Visit(world, http, answered_within="2").observe(begins))
    with pytest.raises(ConnectorError, match="answered_within"):
        Visit(world, http, answered_within="soon").observe(begins)


def test_a_span_of_time_is_kept_when_the_pass_is_resumed(world, http):
    a_year(world)
    page = replace(
        world.page,
        published_from=datetime(2026, 3, 5, tzinfo=UTC),
        published_until=datetime(2026, 3, 25, tzinfo=UTC),
    )
    whole = list(Mastodon(http).observe(page, None))
    for taken in range(1, len(whole)):
        rest = list(Mastodon(http).observe(page, whole[taken - 1].resume_from))
        assert set(seen([*whole[:taken], *rest])) == set(seen(whole))


# --- one family ---------------------------------------------------------------------------------------------------------


def test_a_family_is_one_status_with_everything_that_answers_it_and_a_listing_for_each(world, http):
    post = world.say("Closed")
    comment = world.say("Why?", by="jo@far.example", to=post)
    answer = world.say("Flood.", to=comment)
    world.say("Another")

    (batch,) = Mastodon(http).family(world.page, f"status:{post}")

    assert list(seen([batch])) == [f"status:{one}" for one in (post, comment, answer)]
    assert {one.in_reply_to for one in batch.listings} == {f"status:{one}" for one in (post, comment, answer)}
    assert all(set(one.kinds) == {Kind.COMMENT, Kind.REPLY} for one in batch.listings)
    assert all(one.began_at <= batch.exchanges[one.exchange].started_at for one in batch.listings)


def test_a_family_whose_post_is_deleted_is_told_so_and_lists_nothing(world, http):
    post = world.say("Closed")
    world.delete(post)
    (batch,) = Mastodon(http).family(world.page, f"status:{post}")
    assert [(one.native_id, one.state) for one in batch.sightings] == [(f"status:{post}", State.GONE)]
    assert not batch.listings
    assert list(Mastodon(http).family(world.page, "blocks")) == []


# --- throttling, shifting ---------------------------------------------------------------------------------------------------


def test_a_throttle_says_when_in_mastodons_own_header(world, http):
    limits = {
        "X-RateLimit-Limit": "300",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "2026-06-01T03:04:30.500000Z",
    }
    world.trouble = lambda _path: (429, limits, b'{"error":"Too many requests"}')
    with pytest.raises(TryAgainLater) as raised:
        Visit(world, http).observe()
    assert raised.value.after == timedelta(minutes=4, seconds=30, milliseconds=500)


@pytest.mark.parametrize(
    ("told", "after"),
    [
        ("1780282870", timedelta(minutes=1, seconds=10)),
        ("90", timedelta(seconds=90)),
        ("soon", None),
        ("9" * 30, None),
        (None, None),
    ],
)
def test_a_throttle_in_the_manner_of_other_servers_is_understood_and_an_odd_one_names_no_time(
    world, http, told, after
):
    head = {"Content-Type": "application/json"} | ({"X-RateLimit-Reset": told} if told else {})
    world.trouble = lambda _path: (429, head, b'{"error":"Too many requests"}')
    with pytest.raises(TryAgainLater) as raised:
        Visit(world, http).observe()
    assert raised.value.after == after


def test_a_page_that_changes_while_it_is_read_loses_nothing(world, http):
    made = [world.say(f"{number}") for number in range(12)]

    def change(path: str) -> None:
        if path.endswith("/statuses") and asked(world, "/statuses") in {2, 3}:
            world.delete(made[asked(world, "/statuses")])
            world.say("Meanwhile")

    world.before = change
    shown = seen(Visit(world, http).observe())
    assert {f"status:{one}" for one in world.said} <= set(shown)


def test_a_thread_that_is_deleted_while_it_is_read_leaves_its_answers_unlisted(world, http):
    post = world.say("Closed")
    world.say("Why?", by="jo@far.example", to=post)
    world.before = lambda path: (
        world.delete(post) if path.endswith("/context") and post in world.said else None
    )
    batches = Visit(world, http).observe()
    assert [one.kinds for one in listings(batches)] == [[Kind.POST, Kind.REPLY]]


# --- what the stream tells ---------------------------------------------------------------------------------------------------


def told(world: MastodonWorld, http: EvidenceClient) -> list[Batch]:
    """Everything that the stream told until it broke off."""
    batches: list[Batch] = []
    with pytest.raises(TryAgainLater):
        deque(map(batches.append, Visit(world, http).connector.listen(world.page, None)))
    return batches


def test_the_stream_tells_at_once_of_statuses_answers_edits_and_deletions(owned, http):
    ours = owned.say("Closed")
    theirs = owned.say("Why?", by="jo@far.example", to=ours)
    owned.tells("update", ours)
    owned.tells("update", theirs)
    owned.amend(ours, "Closed until six")
    owned.tells("status.update", ours)
    owned.tells("delete", theirs)

    batches = told(owned, http)

    words = [[one.text for one in batch.observations] for batch in batches[1:]]
    assert words == [["Closed"], ["Why?"], ["Closed until six"], []]
    edited = batches[3].observations[0]
    earlier = edited.extra["edits"]
    assert isinstance(earlier, list)
    assert [one["text"] for one in earlier] == ["Closed", "Closed until six"]
    bodies = [batches[3].exchanges[span.exchange].body[span.start : span.end] for span in edited.evidence]
    assert [json.loads(one)["content"] for one in bodies] == [
        "<p>Closed until six</p>",
        "<p>Closed</p>",
        "<p>Closed until six</p>",
    ]
    assert [(one.native_id, one.state, one.reason) for one in batches[4].sightings] == [
        (f"status:{theirs}", State.GONE, "stream: delete")
    ]
    assert not any(batch.listings for batch in batches)
    assert all(exchange.body.endswith(b"\n\n") for batch in batches[1:] for exchange in batch.exchanges[:1])


@pytest.mark.parametrize("answer", [(500, {}, b""), (200, {"Content-Type": "text/html"}, SIGN_IN)])
def test_an_edit_that_the_stream_tells_of_is_kept_though_its_earlier_texts_are_not_told(owned, http, answer):
    ours = owned.say("Closed")
    owned.amend(ours, "Closed until six")
    owned.tells("status.update", ours)
    owned.trouble = lambda path: answer if path.endswith("/history") else None

    edited = told(owned, http)[-1]

    assert [one.text for one in edited.observations] == ["Closed until six"]
    assert [(one.what, one.native_id) for one in edited.gaps] == [("earlier texts", f"status:{ours}")]
    assert edited.exchanges[-1].status == answer[0], "the answer that shows it is kept"


def test_the_stream_tells_of_messages_and_of_filters(owned, http):
    message = owned.say("I am Al.", by="al@far.example", names=["police"], visibility="direct")
    owned.filters["7"] = ("Rude words", ["clown"])
    owned.tells("notification", message)
    owned.tells("filters_changed")

    shown = seen(told(owned, http))

    assert (shown[f"status:{message}"].kind, shown[f"status:{message}"].private) == (Kind.MESSAGE, True)
    assert shown["filter:7"].text == "Rude words\nclown"


def test_what_the_people_say_whom_the_account_follows_is_no_part_of_the_page(owned, http):
    owned.tells("update", owned.say("My lunch", by="jo@far.example"))
    assert set(seen(told(owned, http))) == {f"account:{OURS}"}


def test_nobody_else_is_told_by_the_stream(owned, http):
    owned.token_of = owned.person("clerk")
    with pytest.raises(AccessRevoked, match="clerk"):
        list(Visit(owned, http).connector.listen(owned.page, None))
    owned.connected = False
    with pytest.raises(AccessRevoked, match="Connect"):
        list(Visit(owned, http).connector.listen(owned.page, None))


def test_an_event_of_another_shape_is_unexpected(owned, http):
    owned.events.append(b"event: update\ndata: {}\n\n")
    with pytest.raises(UnexpectedResponse) as raised:
        list(Visit(owned, http).connector.listen(owned.page, None))
    assert raised.value.exchanges


def test_a_status_that_nobody_can_read_is_a_gap_and_what_follows_it_is_heard(owned, http):
    strange, others = owned.say("Closed"), owned.say("My lunch", by="jo@far.example")
    for status in (strange, others):
        owned.tells("update", status)
        owned.events[-1] = owned.events[-1].replace(b'"content"', b'"contents"')
    owned.tells("update", owned.say("Open again"))

    _, amiss, after = told(owned, http)

    assert [(one.what, one.native_id) for one in amiss.gaps] == [
        ("what the stream told", f"status:{strange}")
    ]
    assert b"contents" in amiss.exchanges[0].body, "what came is kept"
    assert [one.text for one in after.observations] == ["Open again"]


# --- what a check says --------------------------------------------------------------------------------------------------------


def test_a_check_finds_all_well(owned, http):
    found = list(Visit(owned.history(), http).connector.check(owned.page))
    assert all(one.fine and not one.remedy for one in found)
    assert [one.what for one in found][:3] == [
        f"server {owned.base}, 4.5.2",
        "account @police",
        "token of @police",
    ]
    assert len(found) == 9


def test_a_check_names_each_permission_that_is_lacking_and_what_to_do(owned, http):
    owned.scopes -= {"filters", "mutes"}
    found = Visit(owned, http).connector.check(owned.page)
    lacking = [(one.what, one.remedy) for one in found if not one.fine]
    assert [what for what, _ in lacking] == ["word filters: read:filters", "muted accounts: read:mutes"]
    assert all("Connect the page again" in remedy for _, remedy in lacking)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda world: setattr(world, "accepts_token", False), "token"),
        (lambda world: setattr(world, "token_of", world.person("clerk")), "token of @clerk"),
        (lambda world: world.people.pop(OURS), "account"),
        (lambda world: world.account.update(suspended=True), "account @police"),
        (lambda world: world.account.update(limited=True), "the server has limited the account"),
        (
            lambda world: world.account.update(moved={"url": "https://new.example/@police"}),
            "the account has moved",
        ),
        (lambda world: setattr(world, "connected", False), "connection"),
    ],
)
def test_a_check_says_what_an_officer_can_do(owned, http, change, what):
    change(owned)
    wrong = [one for one in Visit(owned, http).connector.check(owned.page) if not one.fine]
    assert [one.what for one in wrong] == [what]
    assert wrong[0].remedy


def test_a_check_raises_only_where_nobody_answers(owned, http):
    owned.fail(0)
    with pytest.raises(TryAgainLater):
        list(Visit(owned, http).connector.check(owned.page))


# --- what the parser reads ------------------------------------------------------------------------------------------------------


def test_a_status_without_an_id_or_words_is_refused_and_unknown_keys_are_not(world):
    world.say("One")
    body = json.dumps([world._status(next(iter(world.said.values())))]).encode()
    assert len(parse.many(body, 0, parse.Status).items) == 1
    for key in ("id", "content", "account", "created_at"):
        (whole,) = json.loads(body)
        del whole[key]
        told = parse.many(json.dumps([whole]).encode(), 0, parse.Status)
        assert not told.items
        assert [key in one.why for one in told.unread] == [True]
        with pytest.raises(Malformed, match=key):
            parse.many(json.dumps([whole] * 3).encode(), 0, parse.Status)


def test_half_an_emoji_and_a_compressed_answer_are_read(world, http):
    world.say("Roads 🚧")
    plain = json.dumps([world._status(next(iter(world.said.values())))]).encode()
    broken = plain.replace(rb"\ud83d\udea7", rb"\ud83d")
    assert broken != plain
    (read,) = parse.many(broken, 0, parse.Status).items
    assert read.what.content == "<p>Roads \ufffd</p>"


# --- what is of another shape -----------------------------------------------------------------------------------------------


def _null(_status):
    return None


def _without_an_id(status):
    return {**status, "id": None}


def _without_words(status):
    return {**status, "content": [["?"]]}


@pytest.mark.parametrize(("odd", "named"), [(_null, False), (_without_an_id, False), (_without_words, True)])
def test_a_status_of_another_shape_is_a_gap_and_the_others_are_read_and_the_next_pass_reads_it(
    world, http, odd, named
):
    said = [world.say(f"Notice {number}") for number in range(8)]
    world.odd[said[4]] = odd
    visit = Visit(world, http)

    batches = visit.observe()

    assert {f"status:{one}" for one in said} - set(seen(batches)) == {f"status:{said[4]}"}
    (gap,) = [one for batch in batches for one in batch.gaps]
    assert (gap.what, gap.native_id) == ("a status", f"status:{said[4]}" if named else None)
    assert "/statuses?" in gap.why
    assert gap.why.endswith(AGAIN)
    assert not listings(batches)

    world.odd.clear()
    again = visit.observe()
    assert f"status:{said[4]}" in seen(again)
    assert not gaps(again)
    assert listings(again)


@pytest.mark.parametrize("odd", [_null, _without_an_id])
@pytest.mark.parametrize("beside", [(), (1,), (0, 1, 2)], ids=["alone", "two", "all but the posts"])
def test_what_the_account_answers_elsewhere_is_read_although_its_answer_is_told_without_an_id(
    world, http, odd, beside
):
    world.say("Closed")
    above = [world.say(f"Is it {number}?", by="jo@far.example") for number in range(4)]
    ours = [world.say("It is.", to=one) for one in above]
    below = [world.say("Thanks.", by="jo@far.example", to=one) for one in ours]
    world.say("Open")
    lost = {3, *beside}
    world.odd = {ours[number]: odd for number in lost}
    visit = Visit(world, http)

    batches = visit.observe()

    shown = seen(batches)
    assert {f"status:{one}" for one in (*above, *below)} <= set(shown)
    assert {f"status:{one}" for one in ours} - set(shown) == {f"status:{ours[number]}" for number in lost}
    assert [one.what for batch in batches for one in batch.gaps] == ["a status"] * len(lost)
    assert not listings(batches)


def test_a_server_that_fails_at_a_status_without_an_id_keeps_the_others_from_nothing(world, http):
    said = [world.say(f"Notice {number}") for number in range(4)]
    world.odd[said[2]] = _null
    breaks(world, "limit=1&min_id")
    batches = Visit(world, http).observe()
    assert {f"status:{one}" for one in said} - set(seen(batches)) == {f"status:{said[2]}"}
    assert [one.what for batch in batches for one in batch.gaps] == ["a status"]


def test_a_list_of_which_no_status_can_be_read_ends_the_pass(world, http):
    said = [world.say(f"Notice {number}") for number in range(3)]
    world.odd = dict.fromkeys(said[:2], _null)
    assert f"status:{said[2]}" in seen(Visit(world, http).observe())
    world.odd[said[2]] = _null
    with pytest.raises(UnexpectedResponse, match="not of Mastodon's shape"):
        Visit(world, http).observe()


@pytest.mark.parametrize("odd", [_null, _without_an_id, _without_words])
def test_an_answer_of_another_shape_leaves_its_family_without_listings(world, http, odd):
    post = world.say("Closed")
    world.say("Why?", by="jo@far.example", to=post)
    answers = [world.say(f"Flood {number}.", to=world.last) for number in range(3)]
    world.odd[answers[1]] = odd

    (batch,) = Mastodon(http).family(world.page, f"status:{post}")

    assert f"status:{answers[1]}" not in seen([batch])
    assert {f"status:{answers[0]}", f"status:{answers[2]}"} <= set(seen([batch]))
    assert not batch.listings
    assert [one.what for one in batch.gaps] == ["an answer"]
    world.odd.clear()
    (well,) = Mastodon(http).family(world.page, f"status:{post}")
    assert len(well.listings) == 5
    assert not well.gaps


def test_a_status_is_read_although_a_picture_or_its_author_is_told_in_another_shape(world, http):
    post = world.say("Closed", media=["31", "32"])
    plain = seen(Visit(world, http).observe())[f"status:{post}"]
    world.odd[post] = lambda status: {
        **status,
        "id": int(status["id"]),
        "account": {**status["account"], "acct": [["police"]]},
        "media_attachments": [None, *status["media_attachments"][1:]],
        "mentions": [None],
    }

    batches = Visit(world, http).observe()

    shown = seen(batches)[f"status:{post}"]
    assert not gaps(batches)
    assert (shown.text, shown.kind) == (plain.text, plain.kind)
    assert plain.files_told
    assert not shown.files_told
    assert [one.id for one in shown.attachments] == ["media:32"]
    assert plain.author is not None
    assert shown.author == Author(id=plain.author.id)


def test_a_name_of_another_shape_leaves_a_list_of_blocked_accounts_as_it_was(owned, http, monkeypatch):
    owned.blocked = [owned.person(f"troll{number}@far.example") for number in range(3)]
    usual = owned._account

    def odd(identity):
        return None if identity == owned.blocked[1] else usual(identity)

    monkeypatch.setattr(owned, "_account", odd)
    batches = Visit(owned, http).observe()
    assert "blocks" not in seen(batches)
    assert "mutes" in seen(batches)
    assert [one.native_id for batch in batches for one in batch.gaps] == ["blocks"]
    assert not [one for one in listings(batches) if Kind.PROFILE in one.kinds]
    monkeypatch.undo()
    assert "blocks" in seen(Visit(owned, http).observe())


def test_a_status_that_is_told_in_another_shape_stands_nobody_knows_how(world, http):
    post = world.say("Closed")
    visit = Visit(world, http)
    assert visit.look(f"status:{post}").state is State.PRESENT
    world.odd[post] = _null
    assert visit.look(f"status:{post}").state is State.UNKNOWN
    world.odd[post] = _without_words
    assert visit.look(f"status:{post}").state is State.PRESENT


def test_an_event_is_read_where_it_stands_in_the_stream():
    body = b"event: delete\ndata: 123\n\n"
    name, start, end = parse.event(body)
    assert (name, body[start:end]) == ("delete", b"123")
    assert parse.event(b"data:{}\r\n\r\n") == ("message", 5, 7)


@pytest.mark.parametrize(
    ("named", "where"),
    [
        (None, "https://town.example"),
        ("wss://streaming.town.example", "https://streaming.town.example"),
        ("wss://town.example", "https://town.example"),
        ("wss://elsewhere.example", "https://town.example"),
        ("wss://eviltown.example", "https://town.example"),
        ("ws://streaming.town.example", "https://town.example"),
    ],
)
def test_the_token_goes_to_no_stream_that_is_no_part_of_the_server(named, where):
    assert address.streams_of("https://town.example", named) == where
