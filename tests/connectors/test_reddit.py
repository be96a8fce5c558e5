"""Reddit, observed over loopback: trees to their last comment, what was taken away and by whom, lists that are cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import (
    Author,
    Batch,
    Cursor,
    Kind,
    OAuth2,
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
from connectors.http import EvidenceClient
from connectors.pieces import Malformed, Seen
from connectors.reddit import Reddit, address, parse, reading
from connectors.reddit.shapes import T5, Thing
from tests.connectors.worlds import answering
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.platform_world import Answer
from tests.connectors.worlds.reddit_world import (
    AGENCY,
    AGENCY_ID,
    ELSEWHERE,
    HTML,
    JSON,
    SUB,
    SUB_ID,
    RedditWorld,
    Refused,
    gallery,
)
from tests.connectors.worlds.visits import PageVisit, asked, gaps, kinds, listings, seen, sighted

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
ALONE, SIGNED_IN = dict(RedditWorld.alone), dict(RedditWorld.signed_in)


class Visit(PageVisit[Reddit]):
    """One connector at one page."""

    def __init__(
        self,
        world: RedditWorld,
        http: EvidenceClient,
        secret: Mapping[str, str],
        where: str = f"r/{SUB}",
        **more: str,
    ) -> None:
        super().__init__(Reddit(http, secret), {**world.options, **more})
        self.where = where

    def page(self, **span: datetime | None) -> Page:
        return Page(address=f"https://www.reddit.com/{self.where}", options=self.options, **span)

    def stands(self, name: str, kind: Kind = Kind.COMMENT) -> tuple[State, str]:
        batches = list(self.connector.look(self.page(), [(kind, name)]))
        told = sighted(batches)[name]
        return told.state, told.reason


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(SIGNED_IN) as client:
        yield client


@pytest.fixture
def world() -> Iterator[RedditWorld]:
    with RedditWorld() as reddit:
        yield reddit


@pytest.fixture
def anyone(world: RedditWorld, http: EvidenceClient) -> Visit:
    """A visit of the application alone."""
    return Visit(world, http, ALONE)


@pytest.fixture
def moderator(world: RedditWorld, http: EvidenceClient) -> Visit:
    """A visit of a moderator who has signed in."""
    return Visit(world, http, SIGNED_IN)


@pytest.fixture
def agency(world: RedditWorld, http: EvidenceClient) -> Visit:
    """A visit to an account of the agency."""
    return Visit(world, http, ALONE, f"user/{AGENCY}")


# --- what a page shows --------------------------------------------------------------------------------------


def test_a_submission_keeps_its_words_its_writer_its_link_and_what_was_counted(world, anyone):
    name = world.submit("Bridge closed & <b>", "Until\nsix.", by="jo_public")
    world.say(name, "Thanks")
    shown = seen(anyone.observe())[name]
    assert (shown.kind, shown.state, shown.private) == (Kind.POST, State.PRESENT, False)
    assert shown.text == "Bridge closed & <b>\n\nUntil\nsix."
    assert shown.author == Author(id="t2_jo_public", name="jo_public", handle="u/jo_public")
    assert shown.url == f"https://www.reddit.com/r/{SUB}/comments/{name[3:]}/title/"
    assert (shown.published_at, shown.edited_at) == (datetime(2026, 3, 1, 8, 1, tzinfo=UTC), None)
    assert shown.counts == {"score": 7, "comments": 1, "crossposts": 0}
    assert shown.extra["flair"] == "Notice"
    assert "link" not in shown.extra


def test_a_comment_keeps_what_it_answers_and_the_agency_s_own_are_replies(world, http, anyone):
    film = world.submit("Closed")
    first = world.say(film, "Until when?")
    answer = world.say(first, "Until six.", by=AGENCY)
    spoken = world.say(first, "Be civil.", by="mod_one", distinguished="moderator")
    world.amend(answer, "Until seven.")
    shown = seen(Visit(world, http, ALONE, accounts=f"somebody, u/{AGENCY.lower()}").observe())
    assert [shown[one].kind for one in (first, answer, spoken)] == [Kind.COMMENT, Kind.REPLY, Kind.REPLY]
    assert [shown[one].in_reply_to for one in (first, answer)] == [film, first]
    assert (shown[answer].text, shown[answer].edited_at) == (
        "Until seven.",
        datetime(2026, 3, 1, 8, 5, tzinfo=UTC),
    )
    assert shown[first].url == f"https://www.reddit.com/r/{SUB}/comments/{film[3:]}/title/{first[3:]}/"
    assert seen(anyone.observe())[answer].kind is Kind.COMMENT, (
        "nobody has said that this account is the agency's"
    )


def test_the_introduction_comes_first_and_rules_are_a_record(world, anyone):
    batches = anyone.observe()
    (intro,) = batches[0].observations
    assert (intro.native_id, intro.kind, intro.state) == (SUB_ID, Kind.PROFILE, State.PRESENT)
    assert intro.text == "Test Town Police\n\nThe department's own subreddit.\n\nCall 911 in an emergency."
    assert intro.author == Author(id=SUB_ID, name="Test Town Police", handle=f"r/{SUB}")
    assert [file.id for file in intro.attachments] == ["icon:icon_1.png", "banner:banner_1.png"]
    shown = seen(batches)
    assert shown["rules"].text == "Be civil: No insults.\nNo advertisements"
    assert not {"moderators", "automoderator", "banned"} & set(shown), "that is told to moderators alone"


def test_moderators_see_what_automoderator_is_told_who_may_not_write_and_the_log(world, moderator):
    name = world.say(world.submit("Closed"), "You fools", by="al")
    world.take_away(name, note="Be civil")
    world.cuts_at = 1
    world.banned.append(("spammer_2", ""))
    shown = seen(moderator.observe())
    assert shown["automoderator"].text == world.automoderator
    assert shown["automoderator"].extra == {"revised_by": "mod_one"}
    assert shown["banned"].text == "u/spammer_1: spam: third time\nu/spammer_2"
    assert shown["moderators"].text == "u/mod_one"
    entry = shown[f"log:{world.log[0]['id']}"]
    assert (entry.kind, entry.private, entry.author) == (
        Kind.PROFILE,
        True,
        Author(id="t2_mod1", name="mod_one", handle="u/mod_one"),
    )
    assert entry.text == f"removecomment: {name} by u/al\n\nBe civil\n\nYou fools"
    assert entry.published_at is not None
    assert all(shown[one].private for one in ("automoderator", "banned", "moderators"))


def test_that_nothing_is_told_to_automoderator_is_no_gap_and_that_it_may_not_be_read_is_one(world, moderator):
    world.automoderator = None
    told = moderator.observe()
    assert "automoderator" not in seen(told)
    assert gaps(told) == {}
    world.automoderator = "---"
    world.scopes.remove("wikiread")
    assert "sign in again" in gaps(moderator.observe())["what AutoModerator is told"]


def test_each_item_names_its_own_bytes_however_deep_it_stands(world, moderator):
    film = world.submit("Closed", "By order.")
    names = [film]
    for number in range(3):
        names.append(world.say(names[-1], f'Words {number} with "quotes" and {{brackets}}'))
    batches = moderator.observe()
    own = {}
    for batch in batches:
        for one in batch.observations:
            for span in one.evidence:
                own[one.native_id] = json.loads(batch.exchanges[span.exchange].body[span.start : span.end])
    assert [own[one]["data"]["name"] for one in names] == names
    tree = next(batch for batch in batches if any("/comments/" in one.url for one in batch.exchanges))
    places = {one.native_id: one.evidence[0] for one in tree.observations}
    above, below = places[names[1]], places[names[2]]
    assert above.start < below.start < below.end < above.end


def test_half_an_emoji_is_replaced_and_the_rest_kept_with_what_stands_below(world, anyone):
    film = world.submit("Closed")
    name = world.say(film, "Thanks X")
    below = world.say(name, "You are welcome")
    plain = world.answer
    world.answer = lambda *told: tuple(
        part.replace(b"Thanks X", b"Thanks \\ud83d") if isinstance(part, bytes) else part
        for part in plain(*told)
    )
    batches = anyone.observe()
    shown = seen(batches)
    assert shown[name].text == "Thanks \ufffd"
    assert shown[below].text == "You are welcome"


def test_an_answer_that_was_compressed_all_the_same_is_read_and_owned_as_a_whole(world, anyone):
    film = world.submit("Closed")
    comment = world.say(film, "Thanks")
    world.compresses = True
    batches = anyone.observe()
    assert {film, comment} <= set(seen(batches))
    for batch in batches:
        for one in batch.observations:
            assert all(span.end == len(batch.exchanges[span.exchange].body) for span in one.evidence)


def test_galleries_pictures_films_and_crossposts_are_kept_and_an_address_that_expires_is_no_other_file(
    world, anyone
):
    film = {"media": {"reddit_video": {"fallback_url": "https://v.redd.it/f1lm/DASH_720.mp4?source=NIGHT"}}}
    names = [
        world.submit("Dogs", **gallery("dog1", "dog2")),
        world.submit("One dog", url="https://i.redd.it/dog3.jpg"),
        world.submit("A film", url="https://v.redd.it/f1lm", **film),
        world.submit(
            "From the town",
            url="https://www.reddit.com/r/testtown/comments/x1/title/",
            crosspost_parent="t3_x1",
            crosspost_parent_list=[
                {
                    "name": "t3_x1",
                    "author": "mayor",
                    "title": "Fair",
                    "subreddit": "testtown",
                    **gallery("fair1"),
                }
            ],
        ),
    ]
    shown = seen(anyone.observe())
    world.night += 1
    later = seen(anyone.observe())
    for night in (shown, later):
        assert [[file.id for file in night[name].attachments] for name in names] == [
            ["media:dog1", "media:dog2"],
            ["picture:dog3.jpg"],
            ["film:f1lm"],
            ["media:fair1"],
        ]
    assert shown[names[0]].attachments[0].url != later[names[0]].attachments[0].url
    dogs = shown[names[0]].attachments
    assert [(file.media_type, file.caption) for file in dogs] == [
        ("image/jpeg", "Picture 0"),
        ("image/jpeg", "Picture 1"),
    ]
    crosspost = shown[names[3]].extra
    assert crosspost["crosspost_of"] == "t3_x1"
    assert crosspost["crossposted"] == {
        "name": "t3_x1",
        "author": "mayor",
        "title": "Fair",
        "subreddit": "testtown",
        "url": "https://www.reddit.com/gallery/1",
    }


# --- trees ---------------------------------------------------------------------------------------------------


def test_every_comment_of_a_tree_is_read_whatever_reddit_leaves_out_of_it(world, anyone):
    film = world.submit("Closed")
    names = {film}
    for number in range(30):
        name = world.say(film, f"+{number}")
        names.add(name)
        for depth in range((6 - number) % 7):
            name = world.say(name, f"{number}.{depth}")
            names.add(name)
    told = anyone.observe()
    assert names <= set(seen(told))
    assert asked(world, "morechildren") > 1
    assert asked(world, "comment=") > 1, "threads that go on are asked for from where they go on"
    assert {Kind.POST, Kind.COMMENT, Kind.REPLY} == kinds(told)
    assert gaps(told) == {}


def test_a_mark_with_more_than_a_hundred_ids_is_asked_for_in_parts(world, anyone):
    film = world.submit("Closed")
    names = {world.say(film, f"+{number}") for number in range(230)}
    assert names <= set(seen(anyone.observe()))
    sizes = [len(form["children"].split(",")) for form in world.forms if "children" in form]
    assert sizes == [100, 100, 24]


def test_what_does_not_come_although_it_was_asked_for_is_asked_for_by_name_and_read_from_there(world, anyone):
    film = world.submit("Closed")
    for number in range(8):
        world.say(film, f"+{number}")
    late = world.say(film, "Left out")
    below = world.say(late, "So is this")
    world.leaves_out = {late}
    told = anyone.observe()
    assert {late, below} <= set(seen(told))
    assert asked(world, f"comment={late[3:]}") == 1


def test_a_comment_that_is_refused_while_a_tree_is_read_is_a_gap_and_nothing_is_called_missing(world, anyone):
    film = world.submit("Closed")
    for number in range(9):
        world.say(film, f"+{number}")
    world.shut["api/morechildren"] = Refused(403, "Forbidden")
    told = anyone.observe()
    assert "403" in gaps(told)["comments"]
    assert kinds(told) == {Kind.POST}


def test_another_submission_than_the_one_that_was_asked_for_is_a_gap(world, anyone):
    film, other = world.submit("Closed"), world.submit("Other")
    world.say(film, "Thanks")
    plain = world._tree
    world._tree = lambda link, query, *, moderator: plain(other, query, moderator=moderator)
    told = anyone.observe()
    assert any("another submission" in why for why in gaps(told).values())
    assert kinds(told) == {Kind.POST}


# --- what was taken away -------------------------------------------------------------------------------------


def test_what_a_moderator_removed_is_hidden_with_its_words_for_moderators_and_without_them_for_others(
    world, anyone, moderator
):
    film = world.submit("Closed")
    rude = world.say(film, "You fools", by="al")
    world.say(rude, "Steady on.")
    lone, pills = world.say(film, "Idiots", by="al"), world.submit("Pills", "Cheap.", by="al")
    for name in (rude, lone, pills):
        world.take_away(name)

    shown = seen(moderator.observe())
    assert {shown[name].state for name in (rude, lone, pills)} == {State.HIDDEN}
    assert shown[rude].text == "You fools"
    assert shown[rude].author == Author(id="t2_al", name="al", handle="u/al")
    assert (shown[rude].extra["banned_by"], shown[rude].extra["removal_reason"]) == ("mod_one", "Be civil")
    assert shown[pills].extra["removed_by_category"] == "moderator"

    told = anyone.observe()
    assert not {rude, lone, pills} & set(seen(told)), "words that are not shown are no record's words"
    assert (sighted(told)[rude].state, sighted(told)[rude].reason) == (State.HIDDEN, "200 body [removed]")
    assert lone not in sighted(told), "what nobody has answered is left out of its tree"
    assert anyone.stands(lone) == (State.HIDDEN, "200 body [removed]")
    assert anyone.stands(pills, Kind.POST) == (State.HIDDEN, "200 removed_by_category moderator")
    assert moderator.stands(lone) == (State.HIDDEN, "200 removed")


@pytest.mark.parametrize(("how", "by"), [("automod_filtered", "AutoModerator"), ("reddit", True)])
def test_what_a_filter_removed_is_hidden_until_it_is_approved(world, moderator, how, by):
    film = world.submit("Closed")
    names = [world.say(film, "See https://pills.example"), world.submit("Pills", by="al")]
    for name in names:
        world.take_away(name, how, by=by)
    shown = seen(moderator.observe())
    assert [shown[name].state for name in names] == [State.HIDDEN, State.HIDDEN]
    assert shown[names[0]].extra["banned_by"] == ("Reddit's filter" if by is True else by)
    for name in names:
        world.approve(name)
    shown = seen(moderator.observe())
    assert [shown[name].state for name in names] == [State.PRESENT, State.PRESENT]


def test_what_its_author_deleted_is_gone_by_reddit_s_own_word_for_everybody(world, anyone, moderator):
    film, other = world.submit("Closed"), world.submit("Wrong", "Words")
    first = world.say(film, "Oops")
    world.say(first, "What?")
    for name in (first, other):
        world.delete(name)
    for visit in (anyone, moderator):
        told = visit.observe()
        assert not {first, other} & set(seen(told))
        assert (sighted(told)[first].state, sighted(told)[first].reason) == (
            State.GONE,
            "200 author [deleted], body [deleted]",
        )
        assert visit.stands(other, Kind.POST) == (State.GONE, "200 removed_by_category deleted")


@pytest.mark.parametrize("how", ["anti_evil_ops", "copyright_takedown"])
def test_what_reddit_s_own_staff_took_away_is_gone_even_for_moderators(world, moderator, how):
    film = world.submit("Closed")
    names = {world.say(film, "Threat"): Kind.COMMENT, world.submit("Film", "Copied"): Kind.POST}
    for name in names:
        world.take_away(name, how, by=True)
    for name, kind in names.items():
        assert moderator.stands(name, kind)[0] is State.GONE
        assert "Removed by Reddit" in moderator.stands(name, kind)[1]


def test_words_whose_writer_has_left_are_present_and_nobody_s(world, anyone):
    film = world.submit("Closed")
    name = world.say(film, "Still true", left=True)
    shown = seen(anyone.observe())[name]
    assert (shown.state, shown.author, shown.text) == (State.PRESENT, Author(), "Still true")


def test_words_that_are_withheld_because_somebody_was_blocked_are_neither_an_edit_nor_a_removal(
    world, moderator
):
    film = world.submit("Closed")
    names = [world.say(film, "Still true", blocks=True), world.submit("Mine", "Words", by="al")]
    world.things[names[1]].blocks = True
    told = moderator.observe()
    assert not set(names) & set(seen(told))
    assert {sighted(told)[name].state for name in names} == {State.UNKNOWN}
    assert moderator.stands(names[0]) == (State.UNKNOWN, "200 body [unavailable]")


def test_somebody_who_writes_the_mark_of_a_removal_has_removed_nothing(world, anyone):
    film = world.submit("Closed")
    names = [world.say(film, words) for words in ("[removed]", "[deleted]")]
    shown = seen(anyone.observe())
    assert [shown[name].state for name in names] == [State.PRESENT, State.PRESENT]
    assert anyone.stands(names[1]) == (State.PRESENT, "200")


@pytest.mark.parametrize(
    "words", ["[ Removed by the mayor ] Where are the posters?", "[ Removed by Redditors ]"]
)
def test_somebody_who_begins_as_reddit_s_own_mark_does_has_removed_nothing(world, anyone, words):
    film, titled = world.submit("Closed", words), world.submit(words)
    said = world.say(film, words)
    shown = seen(anyone.observe())
    assert [shown[name].state for name in (film, titled, said)] == [State.PRESENT] * 3
    assert shown[said].text == words
    assert anyone.stands(said) == (State.PRESENT, "200")


@pytest.mark.parametrize(
    "mark",
    [
        "[ Removed by Reddit ]",
        "[ Removed by Reddit on account of violating the [content policy](/help/contentpolicy). ]",
        "[ Removed by reddit in response to a copyright notice. ]",
    ],
)
def test_each_of_reddit_s_own_marks_says_that_its_staff_took_something_away(world, moderator, mark):
    film = world.submit("Closed")
    said, told = world.say(film, mark), world.submit("Copied", mark)
    assert moderator.stands(said)[0] is State.GONE
    assert moderator.stands(told, Kind.POST)[0] is State.GONE


def test_a_name_that_reddit_leaves_out_is_unknown_and_never_gone(world, anyone):
    state, reason = anyone.stands("t1_1nowhere")
    assert state is State.UNKNOWN
    assert reason.startswith("200 without it")
    assert anyone.stands(SUB_ID, Kind.PROFILE) == (State.PRESENT, "200")
    assert list(anyone.connector.look(anyone.page(), [(Kind.PROFILE, "rules")])) == []


def test_names_are_asked_for_a_hundred_at_once(world, anyone):
    film = world.submit("Closed")
    names = [(Kind.COMMENT, world.say(film, f"+{number}")) for number in range(150)]
    told = sighted(list(anyone.connector.look(anyone.page(), names)))
    assert {one.state for one in told.values()} == {State.PRESENT}
    assert (len(told), asked(world, "api/info")) == (150, 2)


# --- lists that are cut off ----------------------------------------------------------------------------------


def test_a_list_that_reddit_cuts_off_promises_nothing_of_what_is_older_and_says_so(world, anyone):
    old = world.submit("The first of all")
    lately = world.say(old, "Still true?")
    for number in range(1000):
        world.submit(f"Number {number}")
    told = anyone.observe()
    (of_posts,) = [one for one in listings(told) if Kind.POST in one.kinds]
    assert of_posts.published_from == world.things[old].at + timedelta(minutes=2)
    assert "about 1000" in gaps(told)["submissions"]
    assert {old, lately} <= set(seen(told)), "somebody has commented on it lately, so its tree is read"
    assert all(one.in_reply_to is not None for one in listings(told) if one is not of_posts)


def test_a_pass_over_what_lies_before_the_oldest_submission_that_is_listed_promises_nothing(world, anyone):
    begins = world.tick(days=1)
    for number in range(1001):
        world.submit(f"Number {number}")
    told = anyone.observe(published_until=begins)
    assert not [one for one in listings(told) if Kind.POST in one.kinds]
    assert "submissions" in gaps(told)
    told = anyone.observe(published_from=world.tick())
    assert gaps(told) == {}, "what is older than the list is not asked for"


def test_what_was_removed_beyond_what_reddit_lists_is_a_gap_and_no_promise(world, moderator):
    for number in range(1000):
        name = world.submit(f"Pills {number}", by="al")
        world.things[name].gone = "moderator"
        world.things[name].remover = "mod_one"
    told = moderator.observe()
    assert "what was removed" in gaps(told)
    assert {state for one in listings(told) for state in one.states} == {State.PRESENT}


def test_an_account_s_comments_beyond_what_reddit_lists_are_a_gap_and_no_promise(world, agency):
    elsewhere = world.submit("From the town", by="mayor", where=ELSEWHERE)
    for number in range(1001):
        world.say(elsewhere, f"+{number}", by=AGENCY)
    told = agency.observe()
    assert "about 1000" in gaps(told)["comments of the account"]
    assert kinds(told) == {Kind.POST}


# --- a part of the page --------------------------------------------------------------------------------------


def test_a_pass_over_a_span_reads_the_trees_of_the_span_and_of_what_was_commented_on_in_it(world, anyone):
    quiet, old = world.submit("Quiet"), world.submit("Long ago")
    early = world.say(old, "First!")
    world.say(quiet, "Hm")
    begins = world.tick(days=100)
    late = world.say(old, "Still true?")
    film = world.submit("Closed")
    comment = world.say(film, "Thanks")
    told = anyone.observe(published_from=begins)
    assert {late, film, comment, early} <= set(seen(told))
    assert not asked(world, f"comments/{quiet[3:]}?")
    assert {one.in_reply_to for one in listings(told)} == {None, old, early, late, film, comment}
    assert all(one.published_from == begins for one in listings(told) if one.in_reply_to is None)


def test_a_pass_that_looks_for_what_is_new_does_not_page_through_what_is_old(world, anyone):
    for number in range(20):
        world.say(world.submit(f"Old {number}"), "Hm")
    begins = world.tick(days=100)
    new = world.submit("New")
    world.cuts_at = 5
    told = anyone.observe(published_from=begins)
    assert new in seen(told)
    assert (asked(world, f"{SUB}/new"), asked(world, f"{SUB}/comments")) == (1, 1)


def test_where_the_newest_comments_do_not_reach_back_what_was_published_shortly_before_is_read(
    world, http, anyone
):
    far = world.submit("Far")
    world.tick(days=60)
    near = world.submit("Near")
    begins = world.tick(days=10)
    inside = [world.say(near, "Inside"), world.say(far, "Inside too")]
    ends = world.tick(days=1)
    busy = world.submit("Busy")
    for number in range(1001):
        world.say(busy, f"+{number}")
    world.shown_at_once = 400
    told = seen(anyone.observe(published_from=begins, published_until=ends))
    assert inside[0] in told
    assert inside[1] not in told, "it is older than the reach: a blind spot that the manifest names"
    wider = Visit(world, http, ALONE, answered_within="90")
    assert set(inside) <= set(seen(wider.observe(published_from=begins, published_until=ends)))


# --- an account ----------------------------------------------------------------------------------------------


def test_an_account_shows_what_it_submits_what_answers_that_and_what_it_says_elsewhere(world, agency):
    film = world.submit("Closed")
    comment = world.say(film, "Until when?")
    elsewhere = world.submit("From the town", by="mayor", where=ELSEWHERE)
    thanks = world.say(elsewhere, "Thank you.", by=AGENCY)
    other = world.say(elsewhere, "Hm")
    told = agency.observe()
    shown = seen(told)
    assert set(shown) == {AGENCY_ID, film, comment, thanks}
    assert other not in shown
    assert (shown[thanks].kind, shown[thanks].in_reply_to) == (Kind.REPLY, elsewhere)
    assert shown[thanks].extra["subreddit"] == ELSEWHERE
    assert kinds(told) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_tree_that_is_not_shown_is_a_gap_and_one_that_is_no_more_is_none(world, agency):
    names = [world.submit("Closed"), world.submit("Open")]
    comments = [world.say(name, "Thanks") for name in names]
    world.shut[f"comments/{names[0][3:]}"] = Refused(404, "Not Found")
    told = agency.observe()
    assert comments[1] in seen(told)
    assert gaps(told) == {}
    world.shut = {f"comments/{names[0][3:]}": Refused(403, "Forbidden", "private")}
    told = agency.observe()
    assert comments[1] in seen(told)
    assert "403 private" in gaps(told)["comments"]
    assert kinds(told) == {Kind.POST}


def test_a_suspended_account_is_no_page_and_nothing_of_it_is_gone(world, agency):
    world.suspended = True
    with pytest.raises(NoSuchPage, match="proves no deletion"):
        agency.observe()
    assert agency.stands(AGENCY_ID, Kind.PROFILE) == (State.UNKNOWN, "200 is_suspended")


# --- families ------------------------------------------------------------------------------------------------


def test_a_family_is_a_submission_with_its_tree_and_a_listing_for_each_item(world, anyone, moderator):
    film = world.submit("Closed")
    first = world.say(film, "Until when?")
    answer = world.say(first, "Until six.", by=AGENCY)
    for visit, states in ((anyone, {State.PRESENT}), (moderator, {State.PRESENT, State.HIDDEN})):
        told = visit.family(film)
        assert set(seen(told)) == {film, first, answer}
        assert {one.in_reply_to: set(one.states) for one in listings(told)} == dict.fromkeys(
            [film, first, answer], states
        )
    assert anyone.family(first) == []


def test_a_family_whose_submission_is_gone_still_shows_what_answered_it(world, anyone):
    film = world.submit("Closed")
    first = world.say(film, "Until when?")
    world.delete(film)
    told = anyone.family(film)
    assert sighted(told)[film].state is State.GONE
    assert set(seen(told)) == {first}


def test_a_family_that_reddit_does_not_know_is_unknown(world, anyone):
    told = anyone.family("t3_nowhere")
    assert sighted(told)["t3_nowhere"].state is State.UNKNOWN
    assert listings(told) == []


# --- whom Reddit lets in -------------------------------------------------------------------------------------


def test_an_application_asks_for_a_token_once_and_again_when_it_has_run_out(world, anyone):
    world.submit("Closed")
    anyone.observe()
    anyone.observe()
    assert world.tokens == 1
    world.expired = 1
    assert SUB_ID in seen(anyone.observe())
    assert world.tokens == 2
    world.expired = 5
    with pytest.raises(AccessRevoked, match="no longer accepts"):
        anyone.observe()


def test_neither_token_nor_secret_is_in_what_was_yielded(world, anyone, moderator):
    world.submit("Closed")
    for visit in (anyone, moderator):
        for batch in visit.observe():
            told = repr(batch)
            assert not any(one in told for one in (world.token, world.granted, world.client_secret))


def test_an_application_that_reddit_does_not_know_and_a_page_without_any_are_not_connected(world, http):
    wrong = Visit(world, http, {"client_id": "another", "client_secret": "not-the-right-one"})
    with pytest.raises(AccessRevoked, match="prefs/apps"):
        wrong.observe()
    with pytest.raises(AccessRevoked, match="not connected"):
        Visit(world, http, {}).observe()


@pytest.mark.parametrize(
    ("answer", "error", "word"),
    [
        ((403, HTML, b"<html>whoa there, pardner!</html>"), UnexpectedResponse, "does not let this program"),
        ((404, HTML, b"<html>page not found</html>"), UnexpectedResponse, "gave no token"),
        ((200, JSON, b'{"error": "unsupported_grant_type"}'), AccessRevoked, "id and secret"),
        ((200, JSON, b'{"token_type": "bearer"}'), AccessRevoked, "id and secret"),
    ],
)
def test_an_application_that_is_given_no_token_says_why(world, anyone, answer, error, word):
    world.trouble = lambda path: answer if path.endswith("access_token") else None
    with pytest.raises(error, match=word) as caught:
        anyone.observe()
    assert caught.value.exchanges


def test_a_page_in_html_where_a_list_should_be_missing_is_a_gap(world, moderator):
    world.submit("Closed")
    page = (404, HTML, b"<!doctype html><html>page not found</html>")
    world.trouble = lambda path: page if path.endswith("about/modqueue") else None
    assert gaps(moderator.observe()) == {"what waits for moderators": "Reddit answers 404"}


@pytest.mark.parametrize(
    ("refused", "error", "word"),
    [
        (Refused(403, "Forbidden", "private"), AccessRevoked, "is private"),
        (
            Refused(403, "Forbidden", "quarantined", quarantine_message="Careful"),
            AccessRevoked,
            "quarantined",
        ),
        (
            Refused(403, "Forbidden", "gated", interstitial_warning_message="Careful"),
            AccessRevoked,
            "warning",
        ),
        (Refused(404, "Not Found", "banned"), NoSuchPage, "has banned"),
        (Refused(403, "Forbidden", "banned"), NoSuchPage, "has banned"),
        (Refused(404, "Not Found"), NoSuchPage, "knows no"),
        (Refused(403, "Forbidden"), AccessRevoked, "is not shown"),
        (Refused(403, "Forbidden", scope=True), AccessRevoked, "sign in again"),
    ],
)
def test_a_subreddit_that_is_not_shown_is_told_by_its_reason(world, anyone, refused, error, word):
    world.shut[f"r/{SUB}/about"] = refused
    with pytest.raises(error, match=word) as caught:
        anyone.observe()
    assert caught.value.exchanges, "the refusal is kept as evidence"
    assert next(iter(anyone.connector.check(anyone.page()))).fine is False


def test_a_subreddit_that_does_not_exist_is_answered_with_a_list_and_is_no_page(world, http):
    with pytest.raises(NoSuchPage, match="knows no r/nowhere"):
        Visit(world, http, ALONE, "r/nowhere").observe()


def test_a_page_whose_name_has_come_to_be_another_s_is_not_read_on(world, anyone):
    cursor = anyone.observe()[-1].resume_from
    plain = world._subreddit

    def another(*, moderator):
        told = plain(moderator=moderator)
        told["data"]["name"] = "t5_other"
        return told

    world._subreddit = another
    with pytest.raises(NoSuchPage, match="another one by now"):
        anyone.observe(cursor)


def test_a_machine_that_reddit_does_not_let_in_is_told_what_to_do(world, moderator):
    world.trouble = lambda path: (403, HTML, b"<html>whoa there, pardner!</html>")
    with pytest.raises(UnexpectedResponse, match="MUNIMENT_CONTACT"):
        moderator.observe()


def test_a_limit_that_is_reached_stops_the_pass_before_reddit_refuses_and_it_goes_on_later(world, moderator):
    names = {world.submit(f"Number {number}") for number in range(6)}
    world.cuts_at, world.left, world.resets = 2, 7, 300
    batches: list[Batch] = []
    with pytest.raises(TryAgainLater) as caught:
        batches.extend(moderator.connector.observe(moderator.page(), None))
    assert caught.value.after == timedelta(seconds=300)
    assert len(world.asked) == 7
    world.left = 600
    later = moderator.observe(batches[-1].resume_from)
    assert names <= set(seen([*batches, *later]))


@pytest.mark.parametrize("headers", [{"x-ratelimit-reset": "77"}, {"Retry-After": "77"}])
def test_a_throttle_says_when_to_come_again(world, moderator, headers):
    world.trouble = lambda path: (
        429,
        {"Content-Type": "application/json", **headers},
        b'{"message": "Too Many Requests", "error": 429}',
    )
    with pytest.raises(TryAgainLater) as caught:
        moderator.observe()
    assert caught.value.after == timedelta(seconds=77)


def test_who_asks_and_that_it_asks_for_plain_words_is_said_each_time(world, moderator):
    world.submit("Closed")
    moderator.observe()
    assert all("raw_json=1" in target for target in world.asked)
    assert all(told["User-Agent"].startswith("Muniment/") for told in world.headers)
    assert all("records@town.example" in told["User-Agent"] for told in world.headers)


def test_a_list_for_moderators_that_is_refused_is_a_gap_and_nothing_hidden_is_called_missing(
    world, moderator
):
    world.submit("Closed")
    world.shut[f"r/{SUB}/about/spam"] = Refused(403, "Forbidden")
    world.scopes.remove("modlog")
    told = moderator.observe()
    assert set(gaps(told)) == {"what was removed", "the moderation log"}
    assert {state for one in listings(told) for state in one.states} == {State.PRESENT}
    world.shut = {f"r/{SUB}/new": Refused(403, "Forbidden")}
    assert kinds(moderator.observe()) == set()


def test_a_pass_that_was_begun_alone_begins_anew_once_a_moderator_has_signed_in(world, anyone, moderator):
    rude = world.say(world.submit("Closed"), "You fools")
    world.take_away(rude)
    begun = anyone.connector.observe(anyone.page(), None)
    cursor = [next(begun) for _ in range(4)][-1].resume_from
    assert rude in seen(moderator.observe(cursor))


def test_a_cursor_that_cannot_be_read_begins_from_nothing(world, anyone):
    name = world.submit("Closed")
    for cursor in ("", "{}", '{"stage": "elsewhere"}', "[1"):
        assert name in seen(anyone.observe(Cursor(cursor)))


# --- the check -----------------------------------------------------------------------------------------------


def test_the_check_says_what_is_lacking_and_what_to_do(world, anyone, moderator, agency):
    assert set(anyone.check()) == {"connected as the application alone"}
    assert moderator.check() == {}
    assert agency.check() == {}
    world.scopes = {"read", "history"}
    assert set(moderator.check()) == {"the moderation log", "what AutoModerator is told"}
    world.moderates = False
    assert set(moderator.check()) == {"signed in as somebody who does not moderate the subreddit"}
    world.dead = True
    assert set(moderator.check()) == {"connection"}


# --- addresses, options, the manifest -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "of", "name"),
    [
        ("https://www.reddit.com/r/townpolice", "r", "townpolice"),
        ("https://old.reddit.com/r/townpolice/comments/abc/title/", "r", "townpolice"),
        ("reddit.com/user/Town-Police", "user", "Town-Police"),
        ("r/townpolice", "r", "townpolice"),
        ("/u/Town_Police/", "user", "Town_Police"),
        ("https://reddit.com/r/u_townpolice", "user", "townpolice"),
    ],
)
def test_addresses_are_understood_as_people_write_them(written, of, name):
    assert address.read(written) == address.Address(of, name)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "townpolice",
        "https://www.reddit.com/",
        "https://reddit.example/r/town",
        "r/a b",
        "https://[",
        "r/é" * 2,
    ],
)
def test_what_names_no_page_is_refused(world, http, written):
    assert address.read(written) is None
    connector = Reddit(http, ALONE)
    with pytest.raises(NoSuchPage, match="names no subreddit"):
        list(connector.observe(Page(address=written, options=world.options), None))


def test_a_token_is_never_sent_in_clear(world, http):
    for name in ("api", "site"):
        visit = Visit(world, http, ALONE, **{name: "http://gateway.example"})
        with pytest.raises(AddressRefused, match="in clear"):
            visit.observe()


@pytest.mark.parametrize("written", ["soon", "-1", "99999", "9" * 5000])
def test_a_reach_that_cannot_be_meant_is_refused(world, http, written):
    with pytest.raises(ConnectorError, match="answered_within"):
        Visit(world, http, ALONE, answered_within=written).observe()


def test_the_permissions_that_are_asked_for_only_read():
    sign_in = Reddit.manifest.sign_in
    assert isinstance(sign_in, OAuth2)
    assert set(sign_in.scopes) == {"read", "history", "modlog", "wikiread"}
    assert sign_in.extra == {"duration": "permanent"}


# --- bodies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"{}",
        b'{"kind": "Listing", "data": {}}',
        b'{"kind": "Listing", "data": {"children": [{"kind": "t1", "data": {}}, null, [[]]]}}',
        b"[" * 100_000,
    ],
)
def test_a_body_of_another_shape_is_malformed_and_nothing_else(body):
    for read in (reading.listing, reading.tree, reading.flat):
        with pytest.raises(Malformed):
            read(body, 0)
    with pytest.raises(Malformed):
        reading.people(body)


def test_errors_that_are_named_in_an_answer_are_no_comments():
    with pytest.raises(Malformed, match="TOO_LONG"):
        reading.flat(b'{"json": {"errors": [["TOO_LONG", "too long", "children"]]}}', 0)


def test_a_tree_of_eight_hundred_comments_is_read_to_its_leaves(world):
    film = world.submit("Closed")
    for _ in range(100):
        name = film
        for _ in range(8):
            name = world.say(name, "Words that somebody wrote about the bridge. " * 6)
    world.shown_at_once, world.deep = 1000, 10
    body = json.dumps(world._tree(film, {}, moderator=True)).encode()
    _, below = reading.tree(body, 0)
    told = [parse.told(one, frozenset()) for one in below.items]
    assert below.unread == []
    assert len(told) == 800


# --- answers that nobody promised -----------------------------------------------------------------------------


def test_a_link_that_is_no_address_is_kept_as_it_stands_and_ends_no_pass(world, anyone):
    name = world.submit("See here", by="al", url="http://[bad", is_self=False)
    shown = seen(anyone.observe())[name]
    assert shown.extra["link"] == "http://[bad"
    assert shown.attachments == ()


def test_a_picture_of_the_subreddit_whose_address_is_none_takes_nothing_else_from_its_introduction():
    about = {"name": SUB_ID, "display_name": SUB, "title": "Police", "community_icon": "http://[bad"}
    body = json.dumps({"kind": "t5", "data": about}).encode()
    shown = parse.subreddit(reading.one(body, 0, T5))
    assert (shown.text, [file.url for file in shown.attachments]) == ("Police", ["http://[bad"])


def test_a_film_or_a_gallery_of_another_shape_is_no_file_and_takes_nothing_from_the_words():
    odd = {
        "gallery_data": {"items": [{"media_id": []}, {"media_id": "a"}]},
        "media_metadata": {"a": {"s": {"mp4": 5}, "e": [], "m": 5}},
        "media": {"reddit_video": {"fallback_url": "http://[bad"}},
    }
    (one,) = listed({"kind": "t3", "data": {"name": "t3_x", "title": "Film", **odd}})
    told = parse.told(one, frozenset())
    assert isinstance(told, Observation)
    assert told.text == "Film"
    assert [(file.id, file.url, file.media_type) for file in told.attachments] == [
        ("media:a", None, None),
        ("film:http:", "http://[bad", "video/mp4"),
    ]


def told_in_a_list(*things: object) -> bytes:
    return json.dumps({"kind": "Listing", "data": {"children": things, "after": None}}).encode()


def listed(*things: object) -> list[Seen[Thing]]:
    return reading.listing(told_in_a_list(*things), 0).items


def test_null_where_nothing_need_stand_says_no_more_than_nothing_at_any_depth():
    below = {"name": "t1_b", "parent_id": "t1_a", "body": "half \ud83d", "link_id": None, "replies": None}
    inside = {"kind": "Listing", "data": {"children": [{"kind": "t1", "data": below}]}}
    above = {"name": "t1_a", "parent_id": "t3_x", "body": "+1", "link_id": None, "replies": inside}
    silent = {"name": "t1_c", "parent_id": "t3_x", "body": "+2", "replies": {"kind": "Listing", "data": {}}}
    found = listed(
        {"kind": "t3", "data": {"name": "t3_x", "title": "Film", "selftext": None}},
        {"kind": "t1", "data": above},
        {"kind": "t1", "data": silent},
        {"kind": "more", "data": {"parent_id": "t1_a", "children": None}},
    )
    told = [parse.told(one, frozenset()) for one in found]
    names = sorted(one.native_id for one in told if isinstance(one, Observation))
    assert names == ["t1_a", "t1_b", "t1_c", "t3_x"]


@pytest.mark.parametrize("words", [{"body": None}, {}])
def test_a_comment_without_its_words_cannot_be_read_and_is_never_an_emptied_one(words):
    odd = {"kind": "t1", "data": {"name": "t1_a", "parent_id": "t3_x", **words}}
    whole = {"kind": "t1", "data": {"name": "t1_b", "parent_id": "t3_x", "body": "+1"}}
    answer = reading.listing(told_in_a_list(odd, whole), 0)
    assert [getattr(one.what.data, "name", None) for one in answer.items] == ["t1_b"]
    assert [one.id for one in answer.unread] == ["t1_a"]
    with pytest.raises(Malformed, match="body"):
        listed(odd, odd, odd)


# --- one odd thing among others -------------------------------------------------------------------------------

ODD = [
    pytest.param(lambda _told: None, None, id="null"),
    pytest.param(lambda _told: {"strange": [[]]}, None, id="nothing known"),
    pytest.param(lambda told: {**told, "data": None}, None, id="nothing in it"),
    pytest.param(
        lambda told: {
            **told,
            "data": {one: [[1]] for one in told["data"]} | {"name": told["data"]["name"]},
        },
        "its own",
        id="its name alone",
    ),
    pytest.param(
        lambda told: {**told, "data": told["data"] | {"name": None, "id": None}}, None, id="without its name"
    ),
    pytest.param(lambda told: {**told, "kind": "t9"}, "its own", id="of no kind that is known"),
]
"""Ways in which one thing is told in another shape, and by which name it is still known."""


def told_as(world, edge, change):
    """From now on that list is told as `change` makes of its things."""

    def changed(whole):
        of = whole[1] if isinstance(whole, list) else whole
        of["data"]["children"] = change(of["data"]["children"])

    answering.told_as(world, lambda target: target.partition("?")[0].endswith(edge), changed)


def first_told(strange):
    return lambda things: [strange(things[0]), *things[1:]]


@pytest.mark.parametrize(("strange", "known"), ODD)
@pytest.mark.parametrize(
    ("edge", "still"),
    [
        ("about/spam", set()),
        ("about/modqueue", set()),
        ("about/edited", set()),
        (f"{SUB}/comments", {Kind.POST}),
        ("/new", set()),
    ],
)
def test_an_odd_thing_of_a_list_is_a_gap_and_what_stands_beside_it_is_read(
    world, moderator, edge, still, strange, known
):
    films = [world.submit(f"No. {number}") for number in range(3)]
    said_below = [world.say(film, "Until when?") for film in films]
    for name in (films[2], said_below[2]):
        world.amend(name, "Corrected.")
    pills = [world.submit(f"Pills {number}", "Cheap.", by="al") for number in range(2)]
    for pill in pills:
        world.take_away(pill, "automod_filtered", by="AutoModerator")
    told_as(world, edge, first_told(strange))
    batches = moderator.observe()
    odd = next(one.name for one in reversed(world.things.values()) if in_list(one, edge, world))
    assert set(films) | set(said_below) | set(pills) <= set(seen(batches)) | {odd} | below(world, odd)
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id == (odd if known else None)
    assert edge.strip("/") in gap.why
    assert gap.why.endswith("Every later pass asks again.")
    assert {kind for one in listings(batches) for kind in one.kinds} == still
    assert State.HIDDEN not in {state for one in listings(batches) for state in one.states}
    broken = next(batch for batch in batches if batch.gaps)
    assert {kind for one in listings(moderator.observe(broken.resume_from)) for kind in one.kinds} == still, (
        "resumed behind it, the pass remembers"
    )
    answering.is_itself(world)
    later = moderator.observe(batches[-1].resume_from)
    assert {odd} | below(world, odd) <= set(seen(later)), "and the next pass reads it"
    assert kinds(later) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def in_list(one, edge, world):
    """Whether something stands in that list of the world."""
    if edge == "about/edited":
        return one.edited is not None
    if edge in {"about/spam", "about/modqueue"}:
        return bool(one.gone)
    return not one.gone and bool(one.link) == (edge != "/new")


def below(world, name):
    return {one.name for one in world.things.values() if one.link == name}


def test_an_odd_entry_of_the_moderation_log_is_a_gap_and_hides_nothing_else(world, moderator):
    for number in range(2):
        world.take_away(world.submit(f"Pills {number}", by="al"), "automod_filtered", by="AutoModerator")
    told_as(world, "about/log", first_told(lambda told: {**told, "data": {"id": told["data"]["id"]}}))
    batches = moderator.observe()
    newest, older = (f"log:{one['id']}" for one in reversed(world.log))
    assert older in seen(batches)
    assert [one.native_id for batch in batches for one in batch.gaps] == [newest]
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_list_of_which_nothing_can_be_read_is_an_error_and_one_of_two_things_is_not(world, anyone):
    for number in range(2):
        world.submit(f"No. {number}")
    told_as(world, "/new", lambda things: [None for _ in things])
    batches = anyone.observe()
    assert (len([one for batch in batches for one in batch.gaps]), kinds(batches)) == (2, set())
    world.submit("One more")
    failed = anyone.fails()
    assert type(failed) is UnexpectedResponse
    assert "/new" in str(failed)


@pytest.mark.parametrize(("strange", "known"), ODD)
def test_an_odd_comment_in_a_family_gives_no_listing_below_it_and_a_whole_one_does(
    world, anyone, strange, known
):
    film = world.submit("Closed")
    names = [world.say(film, "Until when?"), world.say(film, "And the ferry?")]
    assert film in {one.in_reply_to for one in listings(anyone.family(film))}
    told_as(world, f"comments/{film[3:]}", first_told(strange))
    told = anyone.family(film)
    assert set(seen(told)) == {film, names[1]}
    assert [one.native_id for batch in told for one in batch.gaps] == [names[0] if known else None]
    assert listings(told) == []


@pytest.mark.parametrize("replies", [[[1]], {"kind": "Listing", "data": {"children": 5}}, 7])
def test_a_comment_is_read_although_what_answers_it_cannot_be(world, anyone, replies):
    film = world.submit("Closed")
    first, other = world.say(film, "Until when?"), world.say(film, "And the ferry?")
    world.say(first, "Until six.")

    def changed(things):
        things[0]["data"]["replies"] = replies
        return things

    told_as(world, f"comments/{film[3:]}", changed)
    told = anyone.family(film)
    assert set(seen(told)) == {film, first, other}
    assert [one.native_id for batch in told for one in batch.gaps] == [first]
    assert listings(told) == []


def test_comments_are_read_below_a_submission_that_its_own_tree_tells_in_another_shape(world, anyone):
    film = world.submit("Closed")
    comment = world.say(film, "Until when?")
    answering.told_as(
        world,
        lambda target: f"comments/{film[3:]}" in target,
        lambda whole: whole[0]["data"].update(children=[None]),
    )
    told = anyone.family(film)
    assert (set(seen(told)), set(gaps(told))) == ({comment}, {"submissions"})
    assert listings(told) == []


def test_an_odd_id_among_those_that_a_tree_leaves_out_costs_none_of_the_others(world, anyone):
    film = world.submit("Closed")
    for number in range(8):
        world.say(film, f"+{number}")
    world.shown_at_once = 3

    def changed(things):
        things[-1]["data"]["children"].insert(1, {"strange": 1})
        return things

    told_as(world, f"comments/{film[3:]}", changed)
    batches = anyone.observe()
    assert set(world.things) <= set(seen(batches))
    assert [one.native_id for batch in batches for one in batch.gaps] == [film]
    assert kinds(batches) == {Kind.POST}


def test_an_odd_comment_among_those_that_are_asked_for_by_their_ids_is_a_gap(world, anyone):
    film = world.submit("Closed")
    names = [world.say(film, f"+{number}") for number in range(6)]
    world.shown_at_once = 3

    def nothing(whole):
        whole["json"]["data"]["things"][0] = None

    answering.told_as(world, lambda target: "morechildren" in target, nothing)
    told_as(world, "api/info", first_told(lambda told: {**told, "data": {"name": told["data"]["name"]}}))
    batches = anyone.observe()
    assert set(names) - {names[3]} <= set(seen(batches))
    assert {one.native_id for batch in batches for one in batch.gaps} == {None, names[3]}
    assert kinds(batches) == {Kind.POST}


@pytest.mark.parametrize(
    ("names", "means"),
    [
        ({"name": None, "id": "x1"}, "t1_x1"),
        ({"id": 123}, "t1_123"),
        ({"name": "t1_x1", "id": None}, "t1_x1"),
    ],
)
def test_a_comment_is_known_by_its_id_where_its_full_name_is_not_told(names, means):
    (one,) = listed({"kind": "t1", "data": {**names, "parent_id": "t3_x", "body": "+1"}})
    told = parse.told(one, frozenset())
    assert isinstance(told, Observation)
    assert told.native_id == means


@pytest.mark.parametrize("names", [{"name": "t3_x"}, {"name": ""}, {"name": "t1_"}, {"id": True}, {}])
def test_a_comment_that_is_named_as_something_else_or_by_nothing_cannot_be_read(names):
    odd = {"kind": "t1", "data": {**names, "parent_id": "t3_x", "body": "+1"}}
    answer = reading.listing(told_in_a_list(odd), 0)
    assert (answer.items, len(answer.unread)) == ([], 1)


def test_the_others_are_told_where_one_that_is_looked_for_is_told_in_another_shape(world, anyone):
    odd, whole = world.submit("Odd"), world.submit("Whole")
    told_as(world, "api/info", first_told(lambda told: {**told, "data": {"name": told["data"]["name"]}}))
    told = anyone.look(odd, whole, kind=Kind.POST)
    assert {name: one.state for name, one in told.items()} == {odd: State.UNKNOWN, whole: State.PRESENT}
    assert "another shape" in told[odd].reason


@pytest.mark.parametrize(
    ("odd", "ids"),
    [
        ({"gallery_data": {"items": [None, {"media_id": "b", "caption": "Two"}]}}, ["media:b", "media:a"]),
        ({"media_metadata": {"a": None, "b": {"s": {"u": "https://x.test/b"}}}}, ["media:b"]),
        ({"media": {"reddit_video": [1]}}, ["media:a", "media:b"]),
        ({"crosspost_parent_list": [None]}, ["media:a", "media:b"]),
    ],
)
def test_a_file_that_is_told_in_another_shape_is_not_one_that_was_taken_out(odd, ids):
    whole = {
        "gallery_data": {"items": [{"media_id": "a", "caption": "One"}, {"media_id": "b", "caption": "Two"}]},
        "media_metadata": {name: {"s": {"u": f"https://x.test/{name}"}} for name in ("a", "b")},
    }
    both = [
        parse.told(one, frozenset())
        for one in listed(
            {"kind": "t3", "data": {"name": "t3_x", "title": "Dogs", **whole}},
            {"kind": "t3", "data": {"name": "t3_y", "title": "Dogs", **whole, **odd}},
        )
    ]
    observed = [one for one in both if isinstance(one, Observation)]
    assert [one.files_told for one in observed] == [True, False]
    assert [file.id for file in observed[1].attachments] == ids
    if "gallery_data" in odd:
        assert [file.caption for file in observed[1].attachments] == ["Two", None], (
            "of the first none is told"
        )


def test_a_submission_of_which_a_file_is_told_in_another_shape_is_observed_and_its_file_a_gap(world, anyone):
    name = world.submit("Dogs", **gallery("dog1", "dog2"))

    def changed(things):
        things[0]["data"]["media_metadata"]["dog1"] = None
        return things

    told_as(world, "/new", changed)
    batches = anyone.observe()
    assert not seen(batches)[name].files_told
    assert [(one.what, one.native_id) for batch in batches for one in batch.gaps] == [("files", name)]
    assert kinds(batches) == {Kind.POST, Kind.COMMENT, Kind.REPLY}


def test_a_tree_that_leads_on_to_itself_is_a_gap_and_nothing_in_it_is_called_missing(world, anyone):
    busy, other = world.submit("Bridge closed"), world.submit("Open house")
    deep = world.say(busy, "Until when?")
    answer = world.say(other, "When?")

    def leads_to_itself(path: str) -> Answer | None:
        if not path.endswith(f"/comments/{busy[3:]}"):
            return None
        world.trouble = None
        _, headers, body = world.answer("GET", world.asked.pop(), world.headers.pop(), world.forms.pop())
        told = json.loads(body)
        mark = {"kind": "more", "data": {"id": "_", "parent_id": deep, "children": []}}
        told[1]["data"]["children"][0]["data"]["replies"] = {"kind": "Listing", "data": {"children": [mark]}}
        world.trouble = leads_to_itself
        return 200, headers, json.dumps(told).encode()

    world.trouble = leads_to_itself
    batches = anyone.observe()
    assert {deep, answer} <= set(seen(batches))
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id == deep
    assert kinds(batches) == {Kind.POST}


@pytest.mark.parametrize(
    "edge", ["about/spam", "about/modqueue", "about/edited", f"{SUB}/comments", "about/log"]
)
@pytest.mark.parametrize("status", [200, 500])
def test_a_list_besides_the_submissions_at_which_reddit_fails_for_ever_keeps_none_of_them_back(
    world, moderator, edge, status
):
    film = world.submit("Closed")
    comment = world.say(film, "Until when?")
    world.trouble = lambda path: (status, HTML, b"<html>?</html>") if path.endswith(edge) else None
    batches = moderator.observe()
    assert {film, comment} <= set(seen(batches))
    (gap,) = (one for batch in batches for one in batch.gaps)
    assert gap.native_id is None
    removed = edge in {"about/spam", "about/modqueue"}
    assert all((State.HIDDEN in one.states) != removed for one in listings(batches))


def test_a_list_that_fails_once_is_read_at_the_end_of_the_same_pass_with_the_trees_that_it_leads_to(
    world, moderator
):
    film = world.submit("Pills", "Cheap.", by="al")
    comment = world.say(film, "Really?")
    world.take_away(film, "automod_filtered", by="AutoModerator")
    once = iter([(500, HTML, b"<html>?</html>")])
    world.trouble = lambda path: next(once, None) if path.endswith("about/spam") else None
    batches = moderator.observe()
    assert {film, comment} <= set(seen(batches))
    assert not gaps(batches)
    assert all(State.HIDDEN in one.states for one in listings(batches))


def test_a_list_that_leads_on_for_ever_and_shows_nothing_new_has_no_end(world, anyone):
    ways = iter(range(1_000_000))

    def endless(path: str) -> Answer | None:
        if not path.endswith("/new"):
            return None
        number = next(ways)
        assert number < 200, "it is asked on and on"
        told = {"kind": "Listing", "data": {"children": [], "after": f"t3_{number}"}}
        return 200, JSON, json.dumps(told).encode()

    world.trouble = endless
    failed = anyone.fails()
    assert isinstance(failed, UnexpectedResponse)
    assert "no end" in str(failed)
