"""A department with a page, five people behind three doors, and a clock that a test moves.

The town is invented and its page is served on this machine. Each of its people
acts with a token or a session of their own.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from app import officers
from app.capture import pages
from app.cli import door, session
from app.disposition import nightly
from app.holds import noticing
from app.jobs.night import night
from app.jobs.telling import Telling
from app.main import Archive, open_archive
from app.officers import mailer, passes
from app.officers.passes import Kind
from app.records.clock import FixedClock
from app.records.nouns import Page, Role
from app.store import disposals
from connectors.http import Manners
from tests.archives import close, make, settings_at
from tests.connectors.worlds.mastodon_world import MastodonWorld
from tests.doors.conftest import Browser, Person, parts_of, serving
from tests.journeys.office import LOOPBACK
from tests.sinks import Sink

DAY = timedelta(days=1)
MARCH = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
PUBLIC = "https://archive.harrowfalls.example"
PEOPLE = {
    "rosa": (Role.ADMINISTRATOR, Role.RECORDS_OFFICER),
    "chief": (Role.APPROVER,),
    "counsel": (Role.ATTORNEY,),
    "colleague": (Role.ATTORNEY,),
    "auditor": (Role.AUDITOR,),
}
SCHEDULE = """\
jurisdiction: us-xx-town
authority: Town council
title: Records retention schedule
edition: "2026"
effective: 2026-01-01
waiting_days: 14
approvals: [records_officer, approver, attorney]
series:
  - code: COR-03
    title: What the public writes
    citation: Resolution 12, item 3
    verified: true
    rule: {after: published, keep: P6M, then: destroy}
  - code: ANS-04
    title: Questions that were answered
    citation: Resolution 12, item 4
    verified: true
    rule: {after: answered, keep: P8M, then: destroy}
  - code: POS-05
    title: Posts
    citation: Resolution 12, item 5
    verified: true
    rule: {all_of: [{after: published, keep: P6M}, {after: removed, keep: P3M}], then: destroy}
  - code: EXE-07
    title: What the chief says to the town
    citation: Resolution 12, item 7
    verified: true
    rule: {after: published, keep: P6M, then: transfer}
  - code: PER-09
    title: The introduction of the page
    citation: Resolution 12, item 9
    verified: true
    rule: {then: permanent}
classify:
  - {series: PER-09, when: "kind:profile", priority: 40}
  - {series: ANS-04, when: "kind:comment OR kind:reply", answered: true, direction: incoming, priority: 30}
  - {series: COR-03, when: "kind:comment OR kind:reply", priority: 20}
  - {series: POS-05, when: "kind:post", priority: 10}
"""
WORDS = {
    "market": "The farmers market moves to Pine Street.",
    "bridge": "Weaver Bridge is closed until Friday.",
    "chief": "A word from the chief on the winter past.",
    "where": "Where do the vendors park now, please?",
    "behind": "Behind the library, from seven o'clock on.",
    "lovely": "A lovely quiet morning, thanks to everybody.",
    "fell": "My grandmother fell on the bridge last night.",
    "bridges": "Those wobbly bridges will hurt somebody.",
    "fence": "The orchard fence lies across our path.",
}
"""What is said on the page, by a name for each."""


@dataclass
class Founded:
    """The archive as it stands on the first evening, and the tokens of those who work there."""

    home: Path
    tokens: dict[str, str]
    ids: dict[str, UUID]
    town: MastodonWorld
    said: dict[str, str]


@contextlib.contextmanager
def founded_in(home: Path) -> Iterator[Founded]:
    """The page, what is said on it, the people, and the first night's capture."""
    clock = FixedClock(MARCH)
    close(make(home, clock))
    with MastodonWorld(small=False) as town:
        found = Founded(home, {}, {}, town, {})
        for name, by, to in (
            ("market", "police", None), ("bridge", "police", None), ("chief", "police", None),
            ("where", "jo@far.example", "market"), ("lovely", "al@far.example", "market"),
            ("fell", "kim@far.example", "bridge"), ("bridges", "lee@far.example", "bridge"),
            ("fence", "kim@far.example", "market"),
        ):  # fmt: skip
            found.said[name] = town.say(WORDS[name], by=by, to=found.said[to] if to else None)
        archive = opened(home, clock)
        with archive.store.database.begin() as tx:
            first = officers.first(archive.store, tx, "rosa@harrowfalls.example")
            found.tokens["rosa"], found.ids["rosa"] = first.token, first.officer.id
        for name, roles in PEOPLE.items():
            if name != "rosa":
                with archive.store.database.begin() as tx:
                    invited = officers.add(
                        archive.store, tx, f"{name}@harrowfalls.example", roles, by=first.officer, why="hired"
                    )
                    accepted = officers.accept(archive.store, tx, invited.secret, "quiet herons wade slowly")
                found.tokens[name], found.ids[name] = accepted.token, accepted.officer.id
        page = archive.add_page(
            "mastodon", town.page.address, name="Police", custodian="Lt. Okafor", options={},
            by=first.officer.id, why="the council decided to keep it",
        )  # fmt: skip
        report = archive.capture(page, by=None, why="the first night")
        assert (report.status, report.gaps) == ("complete", [])
        archive.follow()
        archive.close()
        yield found


def opened(home: Path, clock: FixedClock) -> Archive:
    archive = open_archive(settings_at(home, allow_hosts=LOOPBACK, public_url="http://testserver"), clock)
    archive.wait, archive.manners = lambda _pause: None, Manners(interval=timedelta(0))
    return archive


@dataclass
class Department:
    """The archive, its people behind their doors, the page, the letters, and the clock."""

    archive: Archive
    clock: FixedClock
    town: MastodonWorld
    said: dict[str, str]
    tokens: Mapping[str, str]
    ids: Mapping[str, UUID]
    app: FastAPI
    sink: Sink
    patch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        [self.page] = [page for page in self._pages() if page.name == "Police"]

    def _pages(self) -> Sequence[Page]:
        with self.archive.store.database.read() as tx:
            return list(pages.listed(tx))

    # -- the doors -----------------------------------------------------------------------------------------

    def runs(self, who: str, *words: str, code: int = 0) -> Any:
        """A command of somebody with a token of their own; what it says as JSON."""
        self.patch.setenv("MUNIMENT_TOKEN", self.tokens[who])
        assert door.main([*words, "--json"]) == code, self.capsys.readouterr()
        return json.loads(self.capsys.readouterr().out)

    def says(self, who: str, *words: str) -> str:
        """What the same command says to a person."""
        self.patch.setenv("MUNIMENT_TOKEN", self.tokens[who])
        assert door.main(words) == 0, self.capsys.readouterr()
        return self.capsys.readouterr().out

    def asks(self, who: str) -> Person:
        """The API, with somebody's token."""
        return Person(self.app, self.tokens[who])

    def posts(self, who: str, path: str, *, status: int = 200, **form: Any) -> Any:
        """Post to the API as somebody."""
        answer = self.asks(who).post(f"/api/v1{path}", json=form)
        assert answer.status_code == status, answer.text
        return answer.json()

    def gets(self, who: str, path: str) -> Any:
        answer = self.asks(who).get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def browser(self, who: str | None) -> Browser:
        """The pages, with a session of somebody, or of nobody."""
        made = Browser(self.app)
        if who is not None:
            with self.archive.store.database.begin() as tx:
                officer = officers.get(tx, self.ids[who])
                lasts = timedelta(hours=1)
                at = passes.make(self.archive.store, tx, Kind.SESSION, officer, lasts=lasts, used=True)
            made.client.cookies.set("muniment_session", at.secret)
        return made

    def sends(self, who: str, page: str, action: str, /, *, status: int = 303, **form: Any) -> Any:
        """Post a form that stands on `page`."""
        browser = self.browser(who)
        answer = browser.client.post(action, data={"csrf": browser.mark(page), **form})
        assert answer.status_code == status, answer.text
        return answer

    def reads(self, who: str, page: str) -> str:
        """The words of a page."""
        answer = self.browser(who).get(page)
        assert answer.status_code == 200, answer.text
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))

    # -- time ----------------------------------------------------------------------------------------------

    def days(self, number: int) -> None:
        """That many days pass; the last of them ends with a night and a minute in which letters go."""
        self.clock.at += number * DAY
        self.town._now = max(self.town._now, self.clock.at)
        self.night()
        self.minute()

    def night(self) -> None:
        told = night(
            self.archive.store,
            lambda page, why: [self.archive.capture(page, by=None, why=why)],
            self.archive.follow,
            also=(
                ("classification", self.archive.classify),
                ("dispositions", lambda: nightly.tonight(self.archive.disposing())),
            ),
        )
        assert told.failed == []

    def minute(self) -> None:
        """What the service does every minute."""
        self.archive.follow()
        self.archive.keep_classified()
        self.archive.look_after_holds()
        store = self.archive.store
        smtp = mailer(f"smtp://127.0.0.1:{self.sink.port}", "archive@harrowfalls.example", clock=store.clock)
        noticing.send(store, smtp, PUBLIC)
        Telling(store, smtp, PUBLIC, "07:00").tick()

    def letters(self, to: str) -> list[tuple[str, str]]:
        """The letters to somebody: subject and words."""
        return [
            (str(one["Subject"]), one.get_content()) for one in self.sink.messages() if to in str(one["To"])
        ]

    # -- the records ---------------------------------------------------------------------------------------

    def record(self, name: str) -> str:
        """The id of the record that bears these words."""
        told = self.gets("rosa", f"/records?q={json.dumps(WORDS[name])}")
        [one] = told["records"]
        return str(one["id"])

    def explained(self, name: str) -> Any:
        return self.gets("rosa", f"/records/{self.record(name)}/explain")

    def adopt(self, schedule: str = SCHEDULE, instrument: str = "Resolution 12 of 3 March") -> str:
        """Rosa adopts a schedule, and everything is classified by it; the edition's id."""
        form = {"content": schedule, "instrument": instrument, "why": "the council adopted it"}
        made = self.posts("rosa", "/schedules", status=201, **form)
        self.posts("rosa", "/retention/classification", why="a schedule was adopted")
        return str(made["id"])

    def approved(self, series: str, *, limit: int = 100) -> str:
        """A proposal with both approvals, open from two weeks later on; its id."""
        made = self.posts("rosa", "/dispositions", status=201, series=series, limit=limit, why="it is due")
        self.posts("chief", f"/dispositions/{made['id']}/approve", why="I looked at the list")
        self.posts("counsel", f"/dispositions/{made['id']}/approve", why="I consent")
        return str(made["id"])

    def disposed(self, *ids: str) -> set[str]:
        with self.archive.store.database.read() as tx:
            return {str(one) for one in disposals.disposed(tx, [UUID(one) for one in ids])}

    def unpacked(self, answer: Any, to: Path) -> tuple[Path, str]:
        """The bag in a zip that was handed over, and the SHA-256 that stands for it."""
        with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
            packed.extractall(to)
        [folder] = to.iterdir()
        return folder, str(answer.headers["X-Bag-SHA256"])


@contextlib.contextmanager
def department_in(
    home: Path, founded: Founded, sink: Sink, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Department]:
    """A department of its own that begins as that one was founded; what is said on the page is forgotten after it."""
    clock = FixedClock(MARCH)
    shutil.copytree(founded.home, home)
    archive = opened(home, clock)
    patch.setenv("MUNIMENT_HOME", str(home))
    patch.setenv("MUNIMENT_SMTP_URL", f"smtp://127.0.0.1:{sink.port}")
    # The command line tells the time by the machine; here it is told by the year's own clock.
    patch.setattr(session, "open_archive", lambda settings: open_archive(settings, clock))
    # One parser for all the commands of a test: to build it costs more than most of them.
    patch.setattr(door, "build", functools.cache(door.build))
    kept, now = dict(founded.town.said), founded.town._now
    try:
        yield Department(
            archive, clock, founded.town, dict(founded.said), founded.tokens, founded.ids,
            serving(parts_of(archive, guards=archive.guards)), sink, patch, capsys,
        )  # fmt: skip
    finally:
        archive.close()
        founded.town.said, founded.town._now = kept, now
