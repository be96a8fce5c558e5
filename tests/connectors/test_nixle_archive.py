"""Nixle in a real archive: one alert by two routes is one record with one version, and a removal is told once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import count

import pytest

from app.capture import pages, run
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.store import Store
from connectors.http import Manners
from connectors.nixle import Nixle
from tests.connectors.worlds.loopback import Passing
from tests.connectors.worlds.mail_client import MailingClient
from tests.connectors.worlds.nixle_world import PromisedNixle

NIGHT = timedelta(days=1)


class Desk:
    """An archive with one page at Nixle."""

    def __init__(self, store: Store, clock: FixedClock, world: PromisedNixle, stack: ExitStack) -> None:
        self.store, self.clock, self.world = store, clock, world
        passing = Passing()
        self.client = stack.enter_context(
            MailingClient(
                clock=clock,
                monotonic=passing.monotonic,
                wait=passing.wait,
                contact="records@town.example",
                secrets=world.secrets,
                manners=Manners(interval=timedelta(0), retries=0),
                **world.client_options,
            )
        )
        page = world.page
        with store.database.begin() as tx:
            self.page = pages.add(
                store,
                tx,
                connector="nixle",
                platform="nixle",
                address=page.address,
                name="Alerts",
                by=None,
                why="test",
                options=page.options,
            )

    def night(self) -> Report:
        self.clock.at += NIGHT
        connector = Nixle(self.client, self.world.secrets, hosts=self.world.hosts)
        return run.capture(
            self.store, self.page, connector, self.client, by=None, why="test", tick=count().__next__
        )


@pytest.fixture
def desk(store: Store, clock: FixedClock) -> Iterator[Desk]:
    with ExitStack() as stack:
        world = stack.enter_context(PromisedNixle("feed", "mail", alerts=3))
        yield Desk(store, clock, world, stack)


def told(report: Report) -> tuple[str, int, int, int]:
    return report.status, report.tally.new, report.tally.edited, report.tally.absent


def test_feed_and_mails_make_one_record_and_one_version_of_each_alert(desk: Desk) -> None:
    assert told(desk.night()) == ("complete", 5, 0, 0)
    assert told(desk.night()) == ("complete", 0, 0, 0)


def test_an_edit_and_a_removal_are_told_once(desk: Desk) -> None:
    desk.night()
    desk.world.edit()
    assert told(desk.night()) == ("complete", 0, 1, 0)
    desk.world.remove()
    assert told(desk.night()) == ("complete", 0, 0, 1)
    assert told(desk.night()) == ("complete", 0, 0, 0)


def test_a_mailbox_that_refuses_us_disconnects_the_page_and_what_the_feed_showed_is_kept(desk: Desk) -> None:
    desk.world.mail.password = "changed-by-somebody"
    report = desk.night()
    assert report.status == "partial"
    assert report.tally.new == 3
    assert any("application password" in gap.why for gap in report.gaps)
