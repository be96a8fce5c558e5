"""MediaWiki in a real archive, night after night: edits, a hidden revision, deletions, a suppression and outages."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Cursor, Page
from connectors.mediawiki import MediaWiki
from tests.connectors.worlds import answering
from tests.connectors.worlds.desk import NIGHT, Desk, told
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.mediawiki_world import HTML, JSON, PIXEL, Answer, MediaWikiWorld, refused

BROKEN: Answer = (500, HTML, b"<html>MediaWiki internal error.</html>")
OLD = "Old notice"


def desk_of(store: Store, clock: FixedClock, stack: ExitStack, world: MediaWikiWorld) -> Desk:
    world.options = {"titles": OLD}
    return Desk(store, clock, stack, MediaWiki, world.page, world.secrets)


def of(number: int) -> set[str]:
    """What is held of one wiki page."""
    return {f"page:{number}", f"about:{number}", f"history:{number}"}


def words(desk: Desk, name: str) -> list[str]:
    """The words of each version of a record, oldest first, without the title before them."""
    return [str(one.fields["text"]).partition("\n\n")[2] for one in desk.history(name)]


def test_edits_a_hidden_revision_a_deletion_and_outages_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    desk = desk_of(store, clock, stack, world)
    road = world.write(world.article, "Call Jo at 555-0100.", "Al Citizen")
    world.write(world.article, "Closed until four.", files=[world.upload("Bridge.gif")])
    talk = world.write(f"Talk:{world.article}", "Which way?", "Al Citizen")
    old = world.write(OLD, "Snow.")
    article, notice = f"page:{road}", f"page:{old}"

    # 1. The first night keeps all that there is: what the article said before is a version, and the picture is held.
    first = desk.night()
    assert told(first) == ("complete", 10, 1, 0, 0)
    assert first.gaps == []
    assert set(desk.held()) == {"site", *of(road), *of(talk), *of(old)}
    assert words(desk, article) == ["Call Jo at 555-0100.", "Closed until four."]
    assert list(desk.files(article).values()) == [PIXEL]

    # 2. A quiet night changes nothing, although every page was made anew and the picture has another address.
    world.expire()
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. Between two nights somebody writes nonsense and an officer takes it back: both are versions, with the wiki's
    #    own times; the words are those of before, and are a version all the same.
    world.write(world.article, "Closed for ever!", "Al Citizen", "haha")
    world.write(world.article, "Closed until four.", comment="Reverted")
    seen = clock.at
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    assert words(desk, article)[1:] == ["Closed until four.", "Closed for ever!", "Closed until four."]
    nonsense, back = desk.history(article)[2:]
    assert (nonsense.last_seen_before, nonsense.observed_at) == (seen, seen + NIGHT)
    assert nonsense.text("edited_at") == "2026-03-01T08:08:00+00:00"
    assert back.text("edited_at") == "2026-03-01T08:09:00+00:00"
    assert desk.states() == {}

    # 4. The wiki hides the first revision's text: the history says so, the words are held still. Shown again, the log
    #    tells of that too; neither is an edit of the article.
    world.hide(road, 0, "text")
    assert told(desk.night()) == ("complete", 1, 1, 0, 0)
    assert str(desk.words(f"history:{road}")).endswith("text hidden")
    assert str(desk.words("log:1")).endswith("private details")
    world.hide(road, 0, reason="no secret after all")
    again = desk.night()
    assert (again.status, again.tally.new) == ("complete", 1)
    assert str(desk.words("log:2")).endswith("no secret after all")
    assert len(desk.history(article)) == 4
    assert words(desk, article)[0] == "Call Jo at 555-0100."

    # 5. A page is deleted, by the word of the wiki's own log, and all that is held of it is gone with it; restored and
    #    edited, all of it is present again, even where the wiki breaks while that is read.
    world.delete(old, "no snow any more")
    assert told(desk.night()) == ("complete", 1, 0, 0, 3)
    assert desk.states() == dict.fromkeys(of(old), "gone")
    assert words(desk, notice) == ["Snow.", "Snow."]
    assert "no snow any more" in str(desk.history(notice)[-1].fields["state_reason"])
    world.restore(old)
    world.write(OLD, "Snow on the pass.")
    world.trouble = lambda asked: (
        BROKEN if asked.get("prop") == "info" and asked["pageids"] == str(old) else None
    )
    assert desk.night().status == "partial"
    world.trouble = None
    assert desk.night().status == "complete"
    assert desk.states() == {}
    assert words(desk, notice) == ["Snow.", "Snow.", "Snow on the pass."]

    # 6. A talk page is suppressed: no log tells of it, so it is absent and no more, once; and it comes back.
    world.suppress(talk)
    suppressed = desk.night()
    assert told(suppressed) == ("complete", 0, 0, 0, 0)
    assert suppressed.tally.absent == 1
    assert desk.night().tally.absent == 0
    assert desk.states() == {f"page:{talk}": "absent"}
    world.unsuppress(talk)
    assert desk.night().tally.restored == 1
    assert desk.states() == {}

    # 7. Sixty edits and a deletion; the wiki breaks while the edits are read, answers no question about its log,
    #    turns us away, and is down. What was read is held, and nothing is said to be gone.
    for number in range(60):
        world.write(world.article, f"Closed, notice {number}.")
    portions = iter([None, BROKEN])
    world.trouble = lambda asked: next(portions, BROKEN) if "revids" in asked else None
    broken = desk.night()
    assert (broken.status, broken.tally.edited, broken.tally.gone) == ("partial", 51, 0), (
        "fifty of the sixty, and the introduction"
    )
    assert [(gap.what, gap.native_id) for gap in broken.gaps] == [("the wiki page Road closure", article)]
    assert words(desk, article)[-1] == "Closed, notice 49."
    world.delete(old, "really no snow")
    slow = refused("ratelimited", "You've exceeded your rate limit.", {"Retry-After": "90"})
    world.trouble = lambda asked: slow if asked.get("list") == "logevents" else None
    limited = desk.night()
    assert (limited.status, limited.tally.gone, limited.tally.absent) == ("partial", 0, 0)
    world.trouble, world.private = None, True
    shut = desk.night()
    assert shut.status == "failed"
    assert any("readapidenied" in gap.why for gap in shut.gaps)
    world.private = False
    world.trouble = lambda _: (503, HTML, b"")
    assert desk.night().status == "failed"
    world.trouble = None
    assert desk.states() == {}

    # 8. When all is well again the night reads on where it stopped, each revision once, and sees what was deleted.
    assert told(desk.night()) == ("complete", 1, 10, 0, 3)
    assert words(desk, article)[4:] == [f"Closed, notice {number}." for number in range(60)]
    assert desk.states() == dict.fromkeys(of(old), "gone")
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.sound()


def test_what_an_administrator_may_read_is_hidden_when_it_is_deleted_as_often_as_that_happens(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MediaWikiWorld(connected=True))
    world.rights = ("read", "deletedhistory", "deletedtext")
    desk = desk_of(store, clock, stack, world)
    world.write(world.article, "Closed.")
    old = world.write(OLD, "Snow.")
    notice = f"page:{old}"
    assert told(desk.night()) == ("complete", 7, 0, 0, 0)

    # A page is edited once more and deleted before anybody saw the edit: its last words are told to the administrator.
    world.write(OLD, "Snow, and whose fault it is.")
    world.delete(old)
    seen = clock.at
    assert told(desk.night()) == ("complete", 1, 0, 3, 0)
    assert words(desk, notice) == ["Snow.", "Snow, and whose fault it is."]
    (_, hidden) = desk.history(notice)
    assert (hidden.last_seen_before, hidden.observed_at) == (seen, seen + NIGHT)
    for _ in range(2):
        world.restore(old)
        assert desk.night().tally.restored == 3
        assert desk.states() == {}
        world.delete(old)
        assert told(desk.night()) == ("complete", 1, 0, 3, 0)
        assert desk.states() == dict.fromkeys(of(old), "hidden")

    # The bot password is taken away, and the account loses its rights: what is hidden stays so, and is not gone.
    world.accepts_password = False
    out = desk.night()
    assert (out.status, out.tally.gone) == ("failed", 0)
    world.accepts_password, world.rights = True, ("read",)
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.states() == dict.fromkeys(of(old), "hidden")
    assert desk.sound()


def test_a_protection_that_is_lifted_and_a_revision_that_is_shown_again_are_told(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    desk = desk_of(store, clock, stack, world)
    road = world.write(world.article, "Closed.")
    world.write(world.article, "Closed until four.")
    desk.night()
    before = (desk.words(f"about:{road}"), desk.words(f"history:{road}"))
    world.protect(road)
    world.hide(road, 0, "text")
    desk.night()
    assert "Protection: edit by sysop" in str(desk.words(f"about:{road}"))
    world.unprotect(road)
    world.hide(road, 0)
    desk.night()
    assert (desk.words(f"about:{road}"), desk.words(f"history:{road}")) == before


FAILS: dict[str, Answer] = {
    "500": BROKEN,
    "a web page": (200, HTML, b"<html>Something went wrong</html>"),
    "another shape": (
        200,
        JSON,
        b'{"batchcomplete":true,"query":{"pages":[{"pageid":"?","revisions":[7]}]}}',
    ),
}
"""How a wiki answers where it fails at one page; beside them stands its own word for a fault."""

each_failure = pytest.mark.parametrize("says", FAILS)


def _fails_at(world: MediaWikiWorld, **asked: str) -> None:
    """From now on the wiki fails where a question names all of these; the answer is its own word for a fault."""
    fault = refused("internal_api_error_DBQueryError", "A database query error has occurred.")
    world.trouble = lambda query: (
        fault if all(part in query.get(name, "") for name, part in asked.items()) else None
    )


@pytest.mark.parametrize("answer", [*FAILS, "its own word"])
def test_a_page_at_which_the_wiki_always_fails_is_a_gap_and_the_pages_behind_it_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, answer: str
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    desk = desk_of(store, clock, stack, world)
    broken = world.write(world.article, "Closed.")
    old = world.write(OLD, "Snow.")
    assert told(desk.night()) == ("complete", 7, 0, 0, 0)

    # 1. What stands behind the page that fails is captured the same night, and nothing is missing from any list.
    world.write(world.article, "Closed until four.")
    world.write(OLD, "Snow on the pass.")
    if answer in FAILS:
        world.trouble = lambda query: FAILS[answer] if query.get("pageids", "") == str(broken) else None
    else:
        _fails_at(world, prop="revisions", pageids=str(broken))
    for edited in (2, 0):  # the notice, and what introduces the article; and then nothing more
        night = desk.night()
        assert (night.status, night.tally.edited, night.tally.absent, night.tally.gone) == (
            "partial",
            edited,
            0,
            0,
        )
        assert [gap.native_id for gap in night.gaps] == [f"page:{broken}"]
        why = {"500": "answered 500", "its own word": "internal_api_error_DBQueryError"}
        assert why.get(answer, "Every later pass asks again.") in night.gaps[0].why
        assert words(desk, f"page:{old}") == ["Snow.", "Snow on the pass."]
        assert words(desk, f"page:{broken}") == ["Closed."]
        assert desk.states() == {}

    # 2. It recovers, and is captured whole.
    world.write(world.article, "Closed until five.")
    world.trouble = None
    assert desk.night().status == "complete"
    assert words(desk, f"page:{broken}") == ["Closed.", "Closed until four.", "Closed until five."]
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.sound()


@each_failure
def test_one_page_that_breaks_the_answer_for_fifty_is_asked_alone_and_the_others_are_read(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    desk = desk_of(store, clock, stack, world)
    world.write(world.article, "Closed.")
    broken = world.write(f"Talk:{world.article}", "Which way?", "Al Citizen")
    old = world.write(OLD, "Snow.")
    world.trouble = lambda query: FAILS[says] if str(broken) in query.get("pageids", "").split("|") else None
    night = desk.night()
    assert night.status == "partial"
    assert {gap.native_id for gap in night.gaps} == {f"page:{broken}", f"about:{broken}"}
    assert words(desk, f"page:{old}") == ["Snow."]
    world.trouble = None
    assert told(desk.night()) == ("complete", 3, 0, 0, 0)


@each_failure
def test_a_wiki_that_fails_at_every_page_ends_the_night_and_says_nothing_of_any(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    world.options = {"namespaces": "0"}
    desk = Desk(store, clock, stack, MediaWiki, world.page, world.secrets)
    world.write(world.article, "Closed.")
    numbers = [world.write(f"Notice {number}", "Snow.") for number in range(5)]
    assert desk.night().status == "complete"
    for number in range(5):
        world.write(f"Notice {number}", "More snow.")
    world.trouble = lambda query: FAILS[says] if query.get("prop") == "revisions" else None
    begun = len(world.asked)
    night = desk.night()
    assert (night.status, night.tally.absent, night.tally.gone) == ("partial", 0, 0)
    failed = [query["pageids"] for query in world.asked[begun:] if query.get("prop") == "revisions"]
    assert failed == [str(number) for number in numbers[:3]], "three in succession, and no more"
    assert desk.states() == {}
    world.trouble = None
    assert desk.night().status == "complete"
    assert all(words(desk, f"page:{number}") == ["Snow.", "More snow."] for number in numbers)
    assert desk.sound()


def without(part: str) -> Callable[[Answer], Answer]:
    """An answer out of which something that was asked for was left."""

    def cut(answer: Answer) -> Answer:
        status, headers, body = answer
        said = json.loads(body)
        (said if part == "query" else said["query"]).pop(part)
        return status, headers, json.dumps(said).encode()

    return cut


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ("info", "query"),
        ("info", "pages"),
        ("revisions", "pages"),
        ("logevents", "logevents"),
        ("categorymembers", "categorymembers"),
    ],
)
def test_an_answer_that_does_not_speak_of_what_was_asked_makes_nothing_absent(
    store: Store, clock: FixedClock, stack: ExitStack, names: str, part: str
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    world.options = {"category": "Notices"}
    desk = Desk(store, clock, stack, MediaWiki, world.page, world.secrets)
    world.write(world.article, "Closed.")
    world.write(OLD, "Snow.", categories=["Category:Notices"])
    assert desk.night().status == "complete"
    world.write(world.article, "Closed until four.")
    answers, cut = world.answer, without(part)

    def answer(path: str, asked: dict[str, str], cookie: str | None) -> Answer:
        wanted = names in (asked.get("prop"), asked.get("list"))
        return cut(answers(path, asked, cookie)) if wanted else answers(path, asked, cookie)

    answering.answers_as(world, answer)
    night = desk.night()
    assert night.status in {"partial", "failed"}
    assert (night.tally.absent, night.tally.gone) == (0, 0)
    assert desk.states() == {}
    answering.is_itself(world)
    assert desk.night().status == "complete"
    assert words(desk, "page:1") == ["Closed.", "Closed until four."]


def test_a_revision_that_is_put_in_later_is_kept_and_the_newest_stands_again(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    desk = desk_of(store, clock, stack, world)
    road = world.write(world.article, "Closed.")
    world.write(world.article, "Closed until four.")
    world.write(world.article, "Open.")
    desk.night()
    for number in range(2):
        world.import_into(road, f"From elsewhere {number}.", 0.5 - number)  # the second is older than all
        desk.night()
        assert "Open." in str(desk.words(f"page:{road}"))
        assert any(f"elsewhere {number}" in str(one.fields["text"]) for one in desk.history(f"page:{road}"))
        night = desk.night()
        assert (night.tally.new, night.tally.edited) == (0, 0)
    assert desk.sound()


@pytest.mark.parametrize("how", ["hidden", "lost"])
def test_a_text_that_was_kept_back_when_it_was_read_is_read_once_the_wiki_shows_it(
    store: Store, clock: FixedClock, stack: ExitStack, how: str
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    desk = desk_of(store, clock, stack, world)
    road = world.write(world.article, "Closed.")
    world.write(world.article, "Call 555-0100.")
    world.write(world.article, "Open.")
    if how == "hidden":
        world.hide(road, 1, "text")
    else:
        world.revision(road, 1).lost = True
    assert "the text of revision 2 of Road closure" in {gap.what for gap in desk.night().gaps}
    # 1. Nothing changes, or something else does: it is not read, and nothing is told.
    desk.night()
    world.write(world.article, "Open again.")
    desk.night()
    assert len(desk.history(f"page:{road}")) == 3

    # 2. It is shown: its words are captured, and the newest stands.
    if how == "hidden":
        world.hide(road, 1)
    else:
        world.revision(road, 1).lost = False
        world.sheets[road].touched = world.tick()
    night = desk.night()
    assert {gap.what for gap in night.gaps} <= {"the wiki page Old notice"}
    assert any("555-0100" in str(one.fields["text"]) for one in desk.history(f"page:{road}"))
    assert "Open again." in str(desk.words(f"page:{road}"))
    assert desk.night().tally.edited == 0


def test_revisions_that_come_back_after_the_rest_of_their_page_are_read(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    desk = desk_of(store, clock, stack, world)
    road = world.write(world.article, "Name of a child.")
    for number in range(3):
        world.write(world.article, f"Closed {number}.")
    sheet = world.sheets[road]
    first, sheet.revisions = sheet.revisions[:2], sheet.revisions[2:]  # restored without these
    desk.night()
    assert len(desk.history(f"page:{road}")) == 2
    sheet.revisions = [*first, *sheet.revisions]
    sheet.touched = world.tick()
    desk.night()
    told_ = [str(one.fields["text"]) for one in desk.history(f"page:{road}")]
    assert any("child" in one for one in told_)
    assert any("Closed 0." in one for one in told_)
    assert "Closed 2." in str(desk.words(f"page:{road}"))
    night = desk.night()
    assert (night.tally.new, night.tally.edited) == (0, 0)


def test_an_earlier_beginning_of_the_history_brings_what_was_left_out(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    page = world.write(world.article, "Old.")
    world.tick(60 * 24 * 30)
    world.write(world.article, "New.")
    place: Cursor | None = None
    seen: list[str] = []
    for since in ("2026-03-20", "2026-03-20", "2026-01-01"):
        world.sheets[page].touched = world.tick()
        client = stack.enter_context(evidence_client())
        address = Page(address=world.page.address, options={"history_from": since})
        batches = list(MediaWiki(client).observe(address, place))
        place = batches[-1].resume_from
        seen.append(
            " ".join(
                one.text.split()[-1]
                for batch in batches
                for one in batch.observations
                if one.native_id == f"page:{page}"
            )
        )
    assert seen == ["New.", "New.", "Old. New."]


@pytest.mark.parametrize("number", [None, "x", -4, "absent"])
@pytest.mark.parametrize("option", ["category", "namespaces", "user"])
def test_a_page_that_is_listed_without_its_number_is_a_gap_and_the_others_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, option: str, number: object
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    world.write(world.article, "Closed.")
    snow, ice = (world.write(title, "Cold.", categories=["Category:Notices"]) for title in ("Snow", "Ice"))
    world.options = {option: {"category": "Notices", "namespaces": "0", "user": "PressOffice"}[option]}
    desk = Desk(store, clock, stack, MediaWiki, world.page, world.secrets)
    assert desk.night().status == "complete"

    def strange(_: dict[str, str], said: dict[str, Any]) -> None:
        for name in ("categorymembers", "allpages", "usercontribs"):
            for row in said.get("query", {}).get(name, []):
                if row["pageid"] == snow:
                    row.pop("pageid")
                    row.update({} if number == "absent" else {"pageid": number})

    world.altered = strange
    rain = world.write("Rain", "Wet.", categories=["Category:Notices"])
    for _ in range(2):
        night = desk.night()
        assert (night.status, night.tally.absent, night.tally.gone) == ("partial", 0, 0)
        assert any("without their numbers" in gap.why for gap in night.gaps)
    assert f"page:{rain}" in desk.held()
    world.altered = None
    world.delete(ice)
    night = desk.night()
    assert (night.status, desk.states()[f"page:{ice}"]) == ("complete", "gone")
    assert desk.states().keys() <= of(ice)


@pytest.mark.parametrize("answer", FAILS)
def test_a_title_at_which_the_wiki_always_fails_is_a_gap_and_the_others_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, answer: str
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    world.write(world.article, "Closed.")
    strange = world.write("Snow", "Cold.")
    world.options = {"titles": "Snow|Ice|Rain"}
    desk = Desk(store, clock, stack, MediaWiki, world.page, world.secrets)
    world.trouble = lambda asked: FAILS[answer] if "Snow" in asked.get("titles", "") else None
    others = [world.write(title, "Cold.") for title in ("Ice", "Rain")]
    for _ in range(2):
        night = desk.night()
        assert night.status == "partial"
        assert [gap.what for gap in night.gaps] == ["the wiki page Snow"]
    assert {f"page:{one}" for one in others} <= desk.held().keys()
    assert f"page:{strange}" not in desk.held()
    world.trouble = None
    assert desk.night().status == "complete"
    assert f"page:{strange}" in desk.held()


@pytest.mark.parametrize("says", ["500", "a block without its number"])
def test_a_list_of_blocks_that_nobody_can_read_is_a_gap_and_every_page_is_captured(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(MediaWikiWorld(connected=True))
    world.blocks = [{"id": 4, "user": "Vandal", "by": "Admin", "reason": "vandalism"}]
    desk = desk_of(store, clock, stack, world)
    world.write(world.article, "Closed.")
    world.write(OLD, "Snow.")
    assert desk.night().status == "complete"
    before = desk.words("blocks")
    if says == "500":
        world.trouble = lambda asked: BROKEN if asked.get("list") == "blocks" else None
    else:
        world.blocks = [{"id": None, "user": "Vandal"}]
    road = world.write(world.article, "Open.")
    night = desk.night()
    assert (night.status, {gap.what for gap in night.gaps}) == ("partial", {"whom the wiki blocks"})
    assert (words(desk, f"page:{road}")[-1], desk.words("blocks")) == ("Open.", before)


def test_a_text_that_was_hidden_from_the_public_is_read_once_an_administrator_is_connected(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MediaWikiWorld())
    desk = desk_of(store, clock, stack, world)
    road = world.write(world.article, "Closed.")
    for number in (1, 2):
        world.write(world.article, f"Call 555-010{number}.")
        world.hide(road, number, "text")
    world.write(world.article, "Open.")
    world.revision(road, 2).suppressed = True
    world.write(OLD, "Snow.")
    assert desk.night().status == "partial"
    assert words(desk, f"page:{road}") == ["Closed.", "Open."]
    world.connected = True
    desk.secret = world.secrets
    night = desk.night()
    assert (night.status, night.tally.gone, night.tally.absent) == ("complete", 0, 0)
    assert words(desk, f"page:{road}") == ["Closed.", "Open.", "Call 555-0101.", "Open."]
    night = desk.night()
    assert (night.status, night.tally.new, night.tally.edited) == ("complete", 0, 0)
    assert desk.states() == {}
