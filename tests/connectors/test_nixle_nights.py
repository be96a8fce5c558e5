"""Nixle in a real archive, night after night: an edit, what leaves the feed and returns, removals, and outages.

Nixle has no hiding that it tells of: an alert is shown to the public, or it is
not. Where the agency's own page may not be read, what the feed lacks is absent
and never gone; where it may, an alert that only left the lists is present by
its own address, and gone is what answers 404 there.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import cast

import pytest

from app.records.clock import FixedClock
from app.store import Store
from connectors.mailbox import MailClient
from connectors.nixle import Nixle
from tests.connectors.worlds.desk import NIGHT, Desk, told, told_in_full
from tests.connectors.worlds.imap_world import certificates
from tests.connectors.worlds.mail_client import MailingClient
from tests.connectors.worlds.nixle_world import Alert, PromisedNixle

EVENING = datetime(2026, 5, 20, 22, 0, tzinfo=UTC)


def desk_of(store: Store, clock: FixedClock, stack: ExitStack, world: PromisedNixle) -> Desk:
    clock.at = EVENING
    return Desk(
        store,
        clock,
        stack,
        lambda client, secret: Nixle(cast(MailClient, client), secret, hosts=world.hosts),
        world.page,
        world.secrets,
        partial(MailingClient, tls=certificates()[1]),
    )


def name(alert: Alert) -> str:
    return str(alert.number)


def test_without_the_page_an_alert_that_leaves_the_feed_is_absent_and_outages_prove_nothing(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(PromisedNixle("feed", "mail", alerts=0, window=4))
    desk = desk_of(store, clock, stack, world)
    pier = world.issue("Pier closed", "<p>For repairs.</p>")
    bridge = world.issue("Bridge closed", "<p>Until six.</p>", urgency="Alert")
    water = world.issue("Boil water", "<p>Three minutes.</p>")
    drill = world.issue("Drill", "<p>Tonight at eight.</p>", public=False)
    ferry = world.issue("No ferry", "<p>Until Friday.</p>")
    everything = {"profile", *map(name, (pier, bridge, water, drill, ferry))}

    # 1. The first night keeps all that there is, also what was sent to a group alone.
    first = desk.night()
    assert told(first) == ("complete", 6, 0, 0, 0)
    assert first.gaps == []
    assert set(desk.held()) == everything

    # 2. A quiet night changes nothing, although the feed names alerts otherwise and one is mailed once more.
    world.short_links = True
    world.send(water)
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. An alert is edited. Nixle tells no time of it: it was between two nights.
    bridge.body = "<p>Until seven.</p>"
    seen = clock.at
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    before, after = desk.history(name(bridge))
    assert (before.text("text"), after.text("text")) == (
        "Bridge closed\n\nUntil six.",
        "Bridge closed\n\nUntil seven.",
    )
    assert (after.last_seen_before, after.observed_at) == (seen, seen + NIGHT)
    assert after.fields.get("edited_at") is None

    # 4. An alert leaves the feed, which shows older ones: it is absent, once. It returns with other words.
    water.public = False
    assert desk.night().tally.absent == 1
    assert desk.night().tally.absent == 0
    assert desk.states() == {name(water): "absent"}
    assert desk.words(name(water)) == "Boil water\n\nThree minutes."
    water.public, water.body = True, "<p>One minute.</p>"
    assert desk.night().tally.restored == 1
    assert desk.states() == {}
    assert [one.state for one in desk.history(name(water))] == ["present", "absent", "present"]

    # 5. One is removed: the feed does not tell a removal from anything else. One that newer ones push out is neither.
    del world.alerts[water.number]
    world.issue("Road open", "<p>Again.</p>")
    world.issue("Ferry runs", "<p>Again.</p>")
    removed = desk.night()
    assert told(removed) == ("complete", 2, 0, 0, 0)
    assert desk.states() == {name(water): "absent"}
    assert desk.held()[name(pier)].state == "present"

    # 6. Something is published, edited and removed; the feed throttles us, the mailbox fails and the feed asks to sign
    #    in; at last the feed is empty. Nothing is said to be missing.
    before_all = desk.states()
    late = world.issue("Storm", "<p>Stay in.</p>")
    bridge.body = "<p>Open.</p>"
    del world.alerts[ferry.number]
    world.throttle(0)
    assert desk.night().status == "failed"
    world.recover()
    world.fail(3)
    broken = desk.night()
    assert (broken.status, broken.tally.absent) == ("partial", 0)
    assert any("mailbox" in gap.why for gap in broken.gaps)
    world.recover()
    world.sign_in(0)
    signing = desk.night()
    assert (signing.status, signing.tally.exchanges) == ("failed", 1)
    world.recover()
    alerts, world.alerts = world.alerts, {}
    empty = desk.night()
    assert (empty.status, empty.tally.absent) == ("partial", 0)
    assert any("makes nothing absent" in gap.why for gap in empty.gaps)
    world.alerts = alerts
    assert desk.states() == before_all

    # 7. When all is well again the night sees what happened meanwhile.
    well = desk.night()
    assert (well.status, well.tally.absent, well.gaps) == ("complete", 1, [])
    assert desk.states() == {name(water): "absent", name(ferry): "absent"}
    assert desk.words(name(bridge)) == "Bridge closed\n\nOpen."
    assert desk.words(name(late)) == "Storm\n\nStay in."
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.sound()


def test_with_the_page_what_left_the_lists_is_present_and_gone_is_what_nixle_answers_404_to(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(PromisedNixle("feed", "mail", "page", alerts=0, window=4, part=2))
    desk = desk_of(store, clock, stack, world)
    pier = world.issue("Pier closed", "<p>Contact: press@town.example</p>")
    bridge = world.issue("Bridge closed", "<p>Until six.</p>")
    water = world.issue("Boil water", "<p>Three minutes.</p>")
    ferry = world.issue("No ferry", "<p>Until Friday.</p>")

    # 1. A first and a quiet night: addresses are hidden otherwise in every answer, and that is no edit.
    assert told(desk.night()) == ("complete", 5, 0, 0, 0)
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 2. An alert is taken from the lists and stands by its own address, where it is edited: it is there, and it is read.
    water.public, water.body = False, "<p>One minute.</p>"
    taken = desk.night()
    assert (told(taken), taken.tally.absent) == (("complete", 0, 1, 0, 0), 0)
    assert desk.states() == {}
    assert desk.words(name(water)) == "Boil water\n\nOne minute."

    # 3. It is removed, and its own address says so; it is issued again, and once more removed.
    for _ in range(2):
        del world.alerts[water.number]
        assert told(desk.night()) == ("complete", 0, 0, 0, 1)
        assert desk.states() == {name(water): "gone"}
        assert desk.history(name(water))[-1].fields["state_reason"] == "404 Not Found"
        world.alerts[water.number], water.public = water, True
        back = desk.night()
        assert (back.status, back.tally.restored) == ("complete", 1)
        assert desk.states() == {}
    assert [one.state for one in desk.history(name(water))][2:] == ["gone", "present", "gone", "present"]

    # 4. One is removed; answers fail, ask to sign in or break off, and a challenge for machines stands in the place of
    #    the removed one. None of it is the word that it is gone.
    del world.alerts[bridge.number]
    for trouble in (world.fail, world.sign_in, world.cut):
        trouble(2)
        broken = desk.night()
        assert broken.status in {"partial", "failed"}
        assert (broken.tally.gone, broken.tally.absent, broken.tally.edited) == (0, 0, 0)
        assert broken.gaps
        world.recover()
    world.other[f"/alert/{bridge.number}/"] = (403, {"cf-mitigated": "challenge"}, b"<title>Wait</title>")
    challenged = desk.night()
    assert challenged.status in {"partial", "failed"}
    assert challenged.tally.gone == 0
    assert desk.states() == {}
    world.other.clear()

    # 5. When all is well again the night hears it.
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)
    assert desk.states() == {name(bridge): "gone"}
    assert {desk.held()[name(one)].state for one in (pier, water, ferry)} == {"present"}
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.sound()


BROKEN = (500, {"Content-Type": "text/html"}, b"<html><title>Server error</title></html>")


FAILS = {"500": BROKEN, "a sign-in page": (200, {"Content-Type": "text/html"}, b"<title>Sign in</title>")}
"""How Nixle answers where it fails at an alert's page."""

each_failure = pytest.mark.parametrize("says", FAILS)


@each_failure
def test_an_alert_whose_page_always_fails_is_a_gap_and_all_others_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(PromisedNixle("feed", "page", alerts=0, window=8, part=8))
    desk = desk_of(store, clock, stack, world)
    pier, bridge, water = (world.issue(title, "<p>Words.</p>") for title in ("Pier", "Bridge", "Water"))
    assert told(desk.night()) == ("complete", 4, 0, 0, 0)

    # 1. One that was read before and one that is new fail. What else is new or edited is captured the same night.
    ferry, drill = world.issue("Ferry", "<p>None.</p>"), world.issue("Drill", "<p>Tonight.</p>")
    for alert in (bridge, ferry):
        world.other[f"/alert/{alert.number}/"] = FAILS[says]
    pier.body = "<p>Other words.</p>"
    night = desk.night()
    assert (night.status, night.tally.edited, night.tally.absent, night.tally.gone) == ("partial", 1, 0, 0)
    assert {gap.native_id for gap in night.gaps} == {name(bridge), name(ferry)}
    assert name(drill) in desk.held()
    assert desk.states() == {}

    # 2. They are asked for again every night, also long after they were news, and captured when they recover.
    for _ in range(20):
        world.tick(24 * 60)
    night = desk.night()
    assert (night.status, night.tally.absent, night.tally.gone, night.tally.edited) == ("partial", 0, 0, 0)
    assert {gap.native_id for gap in night.gaps} == {name(bridge), name(ferry)}
    bridge.body = "<p>Other words of the bridge.</p>"
    world.other.clear()
    assert desk.night().status == "complete"
    assert "Other words of the bridge." in str(desk.words(name(bridge)))
    assert name(ferry) in desk.held()
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)
    assert water.number
    assert desk.sound()


@each_failure
def test_pages_of_alerts_that_all_fail_end_the_night_and_say_nothing_of_any(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(PromisedNixle("page", alerts=0, window=8, part=8))
    desk = desk_of(store, clock, stack, world)
    alerts = [world.issue(f"Notice {number}", "<p>Words.</p>") for number in range(5)]
    assert desk.night().status == "complete"
    assert set(desk.held()) == {"profile", *map(name, alerts)}
    world.other = {f"/alert/{alert.number}/": FAILS[says] for alert in alerts}
    world.asked.clear()
    night = desk.night()
    assert told_in_full(night) == ("partial", 0, 0, 0, 0, 0)
    assert sum("/alert/" in one for one in world.asked) == 3
    world.other.clear()
    assert desk.night().status == "complete"
    assert desk.states() == {}


@each_failure
def test_what_stands_behind_alerts_that_fail_one_after_the_other_is_captured_some_night(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    world = stack.enter_context(PromisedNixle("feed", "mail", "page", alerts=0, window=3, part=4))
    desk = desk_of(store, clock, stack, world)
    old = [world.issue(f"Old {number}", "<p>Words.</p>") for number in range(3)]
    assert desk.night().status == "complete"

    # 1. Seven in a row fail for ever, some that are held and some that are new; behind them stand others, a mail and the feed.
    behind = world.issue("Behind", "<p>Further on in the list.</p>")
    new = [world.issue(f"New {number}", "<p>Words.</p>") for number in range(5)]
    group = world.issue("Group", "<p>To a group alone.</p>", public=False)
    broken = [*old[1:], *new]
    world.other = {f"/alert/{alert.number}/": FAILS[says] for alert in broken}
    first = desk.night()
    assert (first.status, first.tally.absent, first.tally.gone, first.tally.edited) == ("partial", 0, 0, 0)
    nights = [desk.night() for _ in range(4)]
    told = {(one.status, one.tally.absent, one.tally.gone, one.tally.edited) for one in nights}
    assert told == {("partial", 0, 0, 0)}
    assert desk.words(name(behind)) == "Behind\n\nFurther on in the list."
    assert desk.words(name(group)) == "Group\n\nTo a group alone."
    assert {gap.native_id for gap in nights[-1].gaps if gap.native_id} == set(map(name, broken))
    assert nights[-1].finished

    # 2. None of them is left out for ever: whichever recovers is read within a few nights.
    for alert in new[1:]:
        del world.other[f"/alert/{alert.number}/"]
    for _ in range(3):
        desk.night()
    assert {name(alert) for alert in new[1:]} <= desk.held().keys()
    assert desk.states() == {}
    world.other.clear()
    desk.night()
    assert desk.night().status == "complete"
    assert {name(alert) for alert in [*old, *new]} <= desk.held().keys()
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)
    assert desk.sound()
