"""Snapchat in a real archive, several looks a day: what runs out, what is taken off, an edit, a removal and failures."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest

from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.snapchat import Snapchat
from tests.connectors.worlds.desk import Desk, told
from tests.connectors.worlds.snapchat_world import HTML, NAME, SnapchatWorld

HOURS = timedelta(hours=6)


class Days(Desk):
    """A profile that is looked at every six hours; the world's clock goes with the archive's."""

    def __init__(self, store: Store, clock: FixedClock, stack: ExitStack, world: SnapchatWorld) -> None:
        page = Page(address=f"https://www.snapchat.com/@{NAME}", options={"site": world.address})
        super().__init__(store, clock, stack, Snapchat, page, {})
        self.world = world
        world._now = clock.at

    def look(self) -> tuple[str, int, int, int, int]:
        self.world.tick(hours=6)
        self.clock.at = self.world._now - HOURS
        return told(self.night(after=HOURS))


def test_what_runs_out_is_no_removal_and_what_is_taken_off_before_is_absent(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(SnapchatWorld())
    desk = Days(store, clock, stack, world)
    runs_out, taken_off = f"story/{world.tell()}", f"story/{world.tell(kind=0, words='Open day')}"

    # 1. The first look keeps the story with its files, fetched in the same run: their addresses do not last.
    assert desk.look() == ("complete", 3, 0, 0, 0)
    assert desk.files(runs_out) == {f"media:{world.story[0].id}": b"a snap"}

    # 2. A look in between changes nothing, although all addresses are new.
    world.night += 1
    assert desk.look() == ("complete", 0, 0, 0, 0)

    # 3. One snap is taken off before its day is over: it is absent, and its words and file are held.
    world.story.pop()
    assert desk.look()[0] == "complete"
    assert desk.states() == {taken_off: "absent"}
    assert (desk.words(taken_off), len(desk.files(taken_off))) == ("Open day", 1)

    # 4. The other one runs out. Nothing is said of it, however often the page is read.
    for _ in range(4):
        assert desk.look() == ("complete", 0, 0, 0, 0)
    assert world.story == []
    assert desk.states() == {taken_off: "absent"}
    assert desk.sound()


def test_edits_removals_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(SnapchatWorld())
    desk = Days(store, clock, stack, world)
    bridge, ferry = world.shine("Bridge closed", "Until six."), world.shine("Ferry")
    house = world.save("Open house", world.snap(), world.snap())
    other = world.save("Recruiting")
    assert desk.look() == ("complete", 5, 0, 0, 0)
    assert len(desk.files(f"highlight/{house}")) == 2

    # 1. The words of a spotlight are edited, a snap is added to a saved story, the profile is rewritten.
    world.spotlights[bridge].description = "Until seven."
    world.saved[house].snaps.append(world.snap())
    world.info["bio"] = "The department's own profile. Call 911 in an emergency."
    assert desk.look() == ("complete", 0, 3, 0, 0)
    assert desk.words(f"spotlight/{bridge}") == "Bridge closed\n\nUntil seven."
    assert len(desk.files(f"highlight/{house}")) == 3

    # 2. A spotlight is removed: its own page says so. A saved story is taken off: no answer says why.
    del world.spotlights[ferry], world.saved[other]
    assert desk.look() == ("complete", 0, 0, 0, 1)
    gone = {f"spotlight/{ferry}": "gone", f"highlight/{other}": "absent"}
    assert desk.states() == gone

    # 3. Outages, walls, and a page that came without what it should hold prove nothing, and nothing is forgotten.
    for status in (503, 403, 429):
        world.trouble = lambda _path, status=status: (status, HTML, b"<html>no</html>")
        assert desk.look()[0] == "failed"
    world.trouble = None
    world.strips = {"spotlightHighlights", "curatedHighlights"}
    assert desk.look()[0] == "partial"
    world.strips = set()
    world.exists = False
    assert desk.look()[0] == "failed"
    world.exists = True
    assert desk.look() == ("complete", 0, 0, 0, 0)
    assert desk.states() == gone

    # 4. A spotlight that made room for newer ones is still there; one that was removed later on is not noticed.
    world.spotlights[bridge].placed = False
    assert desk.look() == ("complete", 0, 0, 0, 0)
    assert desk.states() == gone
    assert desk.sound()


def test_a_profile_that_is_no_longer_public_is_a_gap_and_no_removal(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(SnapchatWorld())
    desk = Days(store, clock, stack, world)
    world.tell()
    world.save("Open house")
    assert desk.look() == ("complete", 3, 0, 0, 0)
    world.public = False
    assert desk.look()[0] == "partial"
    assert desk.states() == {}
    assert desk.sound()


FAILS = {
    "500": (500, HTML, b"<h1>500</h1>"),
    "another page": (200, HTML, b"<html><h1>Sign in</h1></html>"),
    "nothing": (200, HTML, b""),
}
"""How Snapchat answers where it fails at one spotlight."""

each_failure = pytest.mark.parametrize("says", FAILS)


@each_failure
def test_what_stands_behind_a_spotlight_at_which_snapchat_always_fails_is_captured_the_same_day(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(SnapchatWorld())
    desk = Days(store, clock, stack, world)
    taken_off, broken = world.shine("Old"), world.shine("Bridge", told=False)
    behind = world.shine("Ferry", told=False)
    world.trouble = lambda path: FAILS[says] if path.endswith(broken) else None

    # 1. Two have their words on their own pages alone, and one of these pages is broken: the other one is captured.
    assert desk.look() == ("partial", 3, 0, 0, 0)
    assert {"profile", f"spotlight/{taken_off}", f"spotlight/{behind}"} == set(desk.held())

    # 2. When both left the profile's page and one was removed, the broken one is a gap again, and nothing is told of it.
    del world.spotlights[taken_off]
    world.spotlights[behind].placed = False
    world.spotlights[broken].placed = False
    assert desk.look()[0] == "partial"
    assert desk.states() == {f"spotlight/{taken_off}": "gone"}

    # 3. It recovers, and is captured whole.
    world.trouble = None
    world.spotlights[broken].placed = True
    assert desk.look() == ("complete", 1, 0, 0, 0)
    assert desk.held()[f"spotlight/{broken}"].version.fields["text"] == "Bridge"
    assert desk.sound()


@each_failure
def test_an_outage_of_all_spotlights_ends_the_look_and_nothing_is_told_of_any(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(SnapchatWorld())
    desk = Days(store, clock, stack, world)
    names = [world.shine(f"No. {number}") for number in range(5)]
    assert desk.look()[0] == "complete"
    world.spotlights.clear()
    world.trouble = lambda path: FAILS[says] if "spotlight" in path else None
    report = desk.look()
    assert (report[0], desk.states()) == ("partial", {})
    world.trouble = None
    assert desk.look()[0] == "complete"
    assert desk.states() == {f"spotlight/{name}": "gone" for name in names}
    assert desk.sound()
