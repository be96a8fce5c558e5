"""MediaWiki in a real archive, night after night: edits, a hidden revision, deletions, a suppression and outages."""

from __future__ import annotations

from contextlib import ExitStack

from app.records.clock import FixedClock
from app.store import Store
from connectors.mediawiki import MediaWiki
from tests.connectors.worlds.desk import NIGHT, Desk, told
from tests.connectors.worlds.mediawiki_world import HTML, PIXEL, Answer, MediaWikiWorld, refused

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
    world.delete(old, "really no snow")
    portions = iter([None, BROKEN])
    world.trouble = lambda asked: next(portions, BROKEN) if "revids" in asked else None
    broken = desk.night()
    assert (broken.status, broken.tally.edited, broken.tally.gone) == ("partial", 51, 0), (
        "fifty of the sixty, and the introduction"
    )
    assert [gap.what for gap in broken.gaps] == ["what the page would have shown: it did not answer"]
    assert words(desk, article)[-1] == "Closed, notice 49."
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
    assert told(desk.night()) == ("complete", 0, 10, 0, 3)
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
