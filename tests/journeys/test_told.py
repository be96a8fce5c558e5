"""A comment that stood for three minutes: Facebook tells of it, it is captured, and that it was removed is told too.

The platform is our small Facebook on loopback; it calls at the archive's own
door, as it was put together for the service, and the minute goes by in the
lookout that the service runs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app import main
from app.capture import hooks, lanes, runs
from app.jobs.doctor import examine
from app.jobs.lookout import Lookout
from app.officers import NoMail
from app.records.clock import FixedClock
from app.store import fixity
from connectors.webhooks import LONGEST
from tests.connectors.worlds.facebook_world import OURS, FacebookWorld
from tests.journeys.office import Office
from tests.steps.test_lookout import AtOnce

WORD = "the word that was agreed"
DOOR = "/hooks/facebook"


class Told:
    """The office, the page on Facebook, and what Facebook sends to the door."""

    def __init__(self, office: Office, world: FacebookWorld, clock: FixedClock) -> None:
        self.office, self.world, self.clock = office, world, clock
        self.page = office.add(
            "facebook",
            "https://www.facebook.com/testtownpolice",
            "Police",
            secret=world.secrets,
            options={"graph": world.address},
        )
        archive = office.archive
        self.web = TestClient(main.create_app(archive, NoMail(), AtOnce()), follow_redirects=False)
        self.lookout = Lookout(office.store, archive, AtOnce(), archive.usual_pace())
        world._now = clock.at

    def minutes(self, number: int) -> list[str]:
        """So many minutes go by; which passes were begun in them."""
        begun: list[str] = []
        for _ in range(number):
            self.clock.at += timedelta(minutes=1)
            self.world.tick(minutes=1)
            begun += [wanted.lane for _, wanted in self.lookout.tick()]
        return begun

    def told(self, verb: str, at: datetime | None = None, **value: Any) -> bytes:
        change = {"field": "feed", "value": {"item": "comment", "verb": verb, **value}}
        entry = {"id": OURS, "time": int((at or self.clock.at).timestamp()), "changes": [change]}
        return json.dumps({"object": "page", "entry": [entry]}).encode()

    def send(self, body: bytes, secret: str = FacebookWorld.app_secret) -> int:
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        answer = self.web.post(DOOR, content=body, headers={"X-Hub-Signature-256": signature})
        assert answer.content == b""
        return answer.status_code

    def asked(self) -> int:
        return len(self.world.asked)


@pytest.fixture
def told(office: Office, clock: FixedClock, tmp_path: Path) -> Iterator[Told]:
    apps = tmp_path / "apps.toml"
    apps.write_text(f'[facebook]\nclient_secret = "{FacebookWorld.app_secret}"\nwebhook_token = "{WORD}"\n')
    office.archive.settings.apps_file = apps
    with FacebookWorld() as world:
        yield Told(office, world, clock)


def test_a_comment_that_stood_for_three_minutes_is_captured_and_gone_by_facebooks_own_word(told: Told):
    office, world = told.office, told.world
    post = world.say("The bridge is closed until six.")
    world.comment(post, "Until when?")
    assert office.capture(told.page).status == "complete"

    # 1. The operator enters the door's address at Meta, and Meta asks whether it is ours.
    asked = {"hub.mode": "subscribe", "hub.verify_token": WORD, "hub.challenge": "1158201444"}
    assert told.web.get(DOOR, params=asked).text == "1158201444"
    assert told.web.get(DOOR, params=asked | {"hub.verify_token": "a guess"}).status_code == 403
    assert told.minutes(3) == []

    # 2. Somebody comments; Meta tells of it three times over, and a minute later it is held.
    rude = world.comment(post, "You fools, and here is where your chief lives.", by="2002")
    added = told.told("add", post_id=post, comment_id=rude, message="You fools")
    assert [told.send(added) for _ in range(3)] == [200] * 3
    assert rude not in office.known(told.page)
    assert told.minutes(1) == [lanes.TOLD]
    held = office.known(told.page)[rude]
    assert (held.version.state, held.version.text("text")) == (
        "present",
        "You fools, and here is where your chief lives.",
    )

    # 3. It is removed. Nothing of what Meta says is believed: Facebook is asked for it, by its id.
    world.delete(rude)
    removed = told.told("remove", post_id=post, comment_id=rude)
    assert told.send(removed) == 200
    assert told.minutes(1) == [lanes.TOLD]
    assert office.told(office.known(told.page)[rude]) == [
        ("present", "You fools, and here is where your chief lives."),
        ("gone", "You fools, and here is where your chief lives."),
    ]
    others = {name: one.version.state for name, one in office.known(told.page).items() if name != rude}
    assert set(others.values()) <= {"present", "hidden"}

    # 4. Sent again a day later, or all at once, it leads to nothing more: nothing is asked of Facebook.
    before = told.asked()
    assert {told.send(body) for body in (added, removed) for _ in range(5)} == {200}
    assert told.minutes(3) == []
    assert told.asked() == before

    # 5. Forged, altered, too long, of last week: refused without a word, and nothing is asked either.
    last_week = told.told("add", told.clock.at - timedelta(days=7), post_id=post, comment_id="1_1")
    forged = told.told("add", post_id=post, comment_id="9_9")
    assert told.send(forged, "another application's secret") == 403
    assert told.send(last_week) == 403
    assert told.send(b" " * LONGEST + forged) == 413
    assert told.web.post(DOOR, content=forged).status_code == 403
    assert told.minutes(2) == []
    assert told.asked() == before

    # 6. One that was removed before anybody could look is known to have been there: a gap, and no more.
    quick = world.comment(post, "gone in seconds", by="2002")
    world.delete(quick)
    assert told.send(told.told("remove", post_id=post, comment_id=quick)) == 200
    assert told.minutes(1) == [lanes.TOLD]
    assert quick not in office.known(told.page)
    assert [gap.native_id for gap in office.gaps(told.page)] == [quick]

    # 7. The passes go on as if nobody had told anything, and find nothing that was overlooked.
    assert lanes.LATELY in told.minutes(10)
    report = office.capture(told.page)
    assert (report.tally.new, report.tally.edited, report.tally.gone) == (0, 0, 0)

    # 8. The operator is told of what was refused; the archive is what it was.
    office.archive.refusals.write(office.store)
    checks = examine(office.archive.settings, office.store, office.archive.behind, office.archive.doors)
    (says,) = [one.says for one in checks if one.what == "webhooks"]
    for why in ("its signature is not", "older than", "longer than", "no signature"):
        assert why in says
    assert FacebookWorld.app_secret not in says
    assert hooks.tidy(office.store) == 0
    with office.store.database.read() as tx:
        latest = runs.recent(tx, office.page("Police"))
    assert {one.status for one in latest} == {"complete"}
    assert fixity.verify(office.store, full=True, more=main.ACCOUNTED).findings == []
