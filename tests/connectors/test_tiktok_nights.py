"""TikTok in a real archive, night after night: an edit, a removal, a hidden comment, a private video, a limit, an outage and a lost permission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from app.capture import account, lanes, pages, records, run
from app.capture.run import Pass
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.records.nouns import Record
from app.store import Store, fixity
from app.store.tables import records as record_table
from connectors.http import EvidenceClient, Manners
from connectors.tiktok import TikTok
from tests.connectors.worlds.loopback import ALLOWED, Passing
from tests.connectors.worlds.tiktok_world import JSON, NAME, Denied, Refused, TikTokWorld

NIGHT = timedelta(days=1)


class Desk:
    """An archive with one account."""

    def __init__(
        self,
        store: Store,
        clock: FixedClock,
        world: TikTokWorld,
        stack: ExitStack,
        secret: Mapping[str, str],
        **options: str,
    ) -> None:
        self.store, self.clock, self.world, self.secret = store, clock, world, secret
        passing = Passing()
        self.client = stack.enter_context(
            EvidenceClient(
                clock=clock,
                monotonic=passing.monotonic,
                wait=passing.wait,
                contact="records@town.example",
                secrets=secret,
                allow_hosts=ALLOWED,
                manners=Manners(interval=timedelta(0), retries=0),
            )
        )
        with store.database.begin() as tx:
            self.page = pages.add(
                store,
                tx,
                connector="tiktok",
                platform="tiktok",
                address=f"https://www.tiktok.com/@{NAME}",
                name="Police",
                by=None,
                why="test",
                options=options or {"api": world.accounts_api},
            )

    def night(self, pass_: Pass | None = None) -> Report:
        self.clock.at += NIGHT
        return run.capture(
            self.store,
            self.page,
            TikTok(self.client, self.secret),
            self.client,
            by=None,
            why="test",
            tick=count().__next__,
            pass_=pass_,
        )

    def held(self) -> dict[str, Record]:
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key)).scalars())
            found = records.read(self.store, tx, keys, messages=True)
        return {str(one.version.fields["native_id"]): one for one in found}

    def states(self) -> dict[str, str]:
        """Everything that is not simply present."""
        return {name: one.state for name, one in self.held().items() if one.state != "present"}

    def sound(self) -> bool:
        return fixity.verify(self.store, full=True).findings == []


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def told(report: Report) -> tuple[str, int, int, int, int]:
    tally = report.tally
    return report.status, tally.new, tally.edited, tally.hidden, tally.absent


def test_an_edit_a_hidden_comment_a_removal_a_private_video_and_a_failure_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = Desk(store, clock, world, stack, world.business)
    clip, other = world.post("Bridge closed until six"), world.post("Open house")
    first = world.say(clip, "Until when?")
    answer = world.say(clip, "Until six.", by=NAME, to=first)
    rude, spam = world.say(clip, "You fools"), world.say(clip, "Pills", status="HIDDEN")
    thanks = world.say(other, "Thanks", by="al_visitor")
    names = {one: f"{clip}/{one}" for one in (first, answer, rude, spam)} | {thanks: f"{other}/{thanks}"}

    # 1. The first night keeps all that there is, with the account's introduction and the videos' covers.
    assert told(desk.night()) == ("complete", 8, 0, 0, 0)
    assert {"profile", clip, other, *names.values()} == set(desk.held())
    assert desk.states() == {names[spam]: "hidden"}
    assert sum("/media/tos-cover/" in target for target in world.asked) == 2

    # 2. A quiet night changes nothing, whatever became of likes, pins and the addresses of pictures.
    world.night += 1
    world.clips[clip].likes += 40
    world.said[first].pinned = True
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert sum("/media/tos-cover/" in target for target in world.asked) == 2

    # 3. What was written to a video, and of the account, is edited. TikTok tells no time of it.
    world.clips[clip].words = "Bridge closed until seven"
    world.bio = "Call 911 in an emergency."
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    held = desk.held()
    assert held[clip].version.fields["text"] == "Bridge closed until seven"
    assert held[clip].version.fields.get("edited_at") is None

    # 4. One comment is hidden, another one removed. Of the first TikTok tells so, of the other one nothing.
    world.hide(rude)
    world.delete(thanks)
    assert told(desk.night()) == ("complete", 0, 0, 1, 1)
    assert desk.states() == {names[spam]: "hidden", names[rude]: "hidden", names[thanks]: "absent"}
    assert desk.held()[names[thanks]].version.fields["text"] == "Thanks"

    # 5. A hidden comment is shown again; a video is made private, and comes back with what answers it.
    world.hide(rude, "PUBLIC")
    world.clips[clip].public = False
    assert desk.night().status == "complete"
    states = desk.states()
    assert states[clip] == "absent"
    assert names[first] not in states, (
        "TikTok shows the comments of a private video to whoever asks for them by id"
    )
    world.clips[clip].public = True
    assert desk.night().status == "complete"
    assert desk.states() == {names[spam]: "hidden", names[thanks]: "absent"}

    # 6. A limit, an outage, a permission that is lacking and one that was taken back prove no removal.
    before = desk.states()
    world.shut[clip] = Refused(40100, "Too many requests")
    limited = desk.night()
    assert limited.status == "partial"
    assert any("limit" in gap.why for gap in limited.gaps)
    world.shut.clear()
    world.trouble = lambda path: (500, JSON, b"{}") if path.endswith("comment/list/") else None
    assert desk.night().status == "partial"
    world.trouble = None
    world.scopes.remove("comment.list")
    narrow = desk.night()
    assert (narrow.status, narrow.tally.absent, narrow.tally.gone) == ("partial", 0, 0)
    world.scopes.add("comment.list")
    world.dead = Refused(40105)
    assert desk.night().status == "failed"
    world.dead = None
    assert desk.states() == before

    # 7. When all is well again, the nights see what happened meanwhile: a video was removed, with all that answered it.
    world.delete(clip)
    desk.night()
    assert desk.night().status == "complete"
    absent = {name for name, state in desk.states().items() if state == "absent"}
    assert absent == {clip, *names.values()}
    assert desk.held()[other].state == "present"
    assert desk.sound()


def test_by_the_display_interface_coverage_says_how_many_comments_are_known_and_not_held(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = Desk(store, clock, world, stack, world.display, api=world.display_api, door="display")
    clip, other = world.post("Bridge closed"), world.post("Open house")
    for words in ("Until when?", "Thanks"):
        world.say(clip, words)
    report = desk.night()
    assert told(report) == ("complete", 3, 0, 0, 0)
    with store.database.read() as tx:
        counts = {one.kinds: (one.stated, one.held) for one in account.counts(tx, desk.page)}
    assert counts == {"comment+reply": (2, 0)}
    assert desk.held()[clip].version.fields.get("edited_at") is None
    world.delete(other)
    world.clips[clip].words += "!"
    assert told(desk.night()) == ("complete", 0, 1, 0, 1)
    assert desk.states() == {other: "absent"}
    world.dead = Denied("rate_limit_exceeded", 429)
    assert desk.night().status in {"failed", "partial"}
    assert desk.states() == {other: "absent"}
    assert desk.sound()


def test_a_night_over_a_window_notices_what_happened_within_it_and_leaves_the_rest_to_another(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(TikTokWorld())
    desk = Desk(store, clock, world, stack, world.business)
    old = world.post("Long ago")
    long_ago = world.say(old, "First!")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=200))
    clip = world.post("Closed")
    first = world.say(clip, "+1")
    hidden, removed = world.say(clip, "+2", to=first), world.say(clip, "+3", to=first)
    assert desk.night().status == "complete"
    world.hide(hidden)
    world.clips[clip].words = "Closed until six"
    for name in (removed, long_ago):
        world.delete(name)
    assert told(desk.night(window)) == ("complete", 0, 1, 1, 1)
    held = desk.held()
    assert (held[f"{clip}/{removed}"].state, held[f"{clip}/{hidden}"].state) == ("absent", "hidden")
    assert held[f"{old}/{long_ago}"].state == "present", "what lies before the window is another night's"
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)
    assert desk.sound()
