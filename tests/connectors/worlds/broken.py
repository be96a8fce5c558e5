"""An object of a platform that answers 500 for ever, among others that are well: what every connector's nights tell of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from app.capture.runs import Report
from tests.connectors.worlds.desk import Desk
from tests.connectors.worlds.platform_world import Answer

BROKEN: Answer = (500, {"Content-Type": "text/html"}, b"<html>Internal Server Error</html>")


class Breakable(Protocol):
    """A world that remembers what it was asked for, and whose answers may be disturbed."""

    asked: list[str]
    trouble: Callable[[str], Answer | None] | None


def breaks(world: Breakable, *parts: str) -> None:
    """From now on every question fails whose address holds one of these."""

    def trouble(_path: str) -> Answer | None:
        return BROKEN if any(part in world.asked[-1] for part in parts) else None

    world.trouble = trouble


def passed_over(desk: Desk, gap: str | None, *, behind: Collection[str], lost: Collection[str]) -> Report:
    """Two nights over an object that fails: what stands behind it is captured, it is a gap, nothing is told to be missing."""
    before = desk.states()
    first = desk.night()
    assert (first.status, first.finished) == ("partial", True)
    held = set(desk.held())
    assert not set(behind) - held, "what stands behind it is captured the same night"
    assert not set(lost) & held
    named = {one.native_id: one.why for one in first.gaps}
    assert gap in named
    assert "500" in named[gap]
    assert (first.tally.gone, first.tally.absent) == (0, 0)
    second = desk.night()
    assert (second.status, second.finished, second.tally.new) == ("partial", True, 0)
    assert gap in {one.native_id for one in second.gaps}
    assert desk.states() == before
    return first


def recovered(desk: Desk, world: Breakable, lost: Collection[str]) -> None:
    """The night after it recovers captures it whole."""
    world.trouble = None
    before = desk.states()
    report = desk.night()
    assert (report.status, report.finished, report.tally.new) == ("complete", True, len(lost))
    assert not set(lost) - set(desk.held())
    assert desk.states() == before
    assert desk.sound()


def stopped(desk: Desk, *, lost: Collection[str]) -> None:
    """Where every object fails the platform is down: the pass ends there, is not complete, and proves nothing."""
    before = desk.states()
    report = desk.night()
    assert (report.status, report.finished) == ("partial", False)
    assert (report.tally.gone, report.tally.absent) == (0, 0)
    assert any(gap.why.count("500") and gap.native_id is None for gap in report.gaps), "the error is raised"
    assert not set(lost) & set(desk.held())
    assert desk.states() == before
