"""A week of the town as the service lives through it: looks between the nights, nights, letters, and a machine that stops.

Time goes in steps. At each, what the service does every minute is done at
once: the night when its hour has come or was missed, the looks for what is new,
and a minute later the letters. Everything is real but the clock: the archive,
the connectors over loopback, the mail server.

What happens, beside the story that `app/demo/story` tells (town time, 2026):

    Sunday 4, 18:00      the archive is made; the password of the police page is said to end on Saturday
    Monday 5, 09:00      the chief approves the pages
    Tuesday 6, 02:30     the platform throttles, twice, in the middle of the night's work
    Wednesday 7, 21:00   a man is missing: the clerk has the police page looked at every quarter of an hour
                21:30    two hundred and forty people answer the appeal within two hours
    Thursday 8, 00:00    once an hour is enough, and from 18:00 on once in four hours
                02:30    the line breaks once in the middle of the police page's comments
                22:00    the parks page is down, until Friday at nine
    Saturday 10, 02:00   the council's page shows a sign-in form, until six
                 08:00   the password ends
    Sunday 11, 20:00     somebody connects the police page again
               22:00     the machine is switched off
    Tuesday 13, 04:00    it is switched on again
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app import main, officers
from app.capture import credentials, diary, pages, plans
from app.demo import run
from app.demo.platform import Said, SimulatedPlatform
from app.demo.telling import ZONE
from app.demo.town import NAME, TIMEZONE
from app.demo.trouble import Kind
from app.demo.wordpress import APPLICATION_PASSWORD, ARCHIVE_USER
from app.jobs.lookout import Lookout
from app.jobs.night import Night, Nightly, missed, night
from app.jobs.telling import Telling
from app.main import Archive
from app.officers import mailer
from app.records.clock import FixedClock
from app.records.nouns import Officer, Page, Role
from app.settings import Settings
from tests.archives import close, settings_at
from tests.journeys.office import LOOPBACK, Office
from tests.sinks import Sink
from tests.steps.test_lookout import AtOnce

STEP = timedelta(hours=1)
EVERY = 240
"""Minutes between two looks at a page that nobody set another pace for: the week should not take all day."""
EPOCH = datetime(2026, 10, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PUBLIC = "https://archive.harrowfalls.example"
POLICE, NOTICES, PARKS, COUNCIL = KEYS = ("police", "notices", "parks", "council")
DEPUTY, ATTORNEY = "deputy@harrowfalls.example", "law@harrowfalls.example"
ANOTHER_PASSWORD = "abcd efgh ijkl mnop qrst uvwx"
APPEAL = "missing-otto-brannick"


def on(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of October 2026 by the town's clock."""
    return datetime(2026, 10, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


ANSWERS = [
    Said(
        on(7, 21, 30) + timedelta(seconds=30 * number), f"Neighbor {number}", f"Saw a light, place {number}."
    )
    for number in range(240)
]
"""What people answer to the appeal: where each of them saw a light."""


@dataclass(frozen=True, slots=True)
class Happens:
    """Something that somebody does, or that goes wrong, at a moment of the week."""

    at: datetime
    what: Callable[[], object]


@dataclass(slots=True)
class Service:
    """The service from a start to a stop, as `main.serve` puts it together; nothing runs beside the test."""

    archive: Archive
    office: Office
    lookout: Lookout
    telling: Telling
    clockwork: Night
    trigger: Nightly
    tonight: datetime

    def minute(self, clock: FixedClock) -> bool:
        """What is due now: the night, what is looked for between nights, and a minute later the letters.

        Return whether it was night.
        """
        by_night = clock.at >= self.tonight
        if by_night:
            self.clockwork._night()
            self.tonight = self.trigger.get_next_fire_time(self.tonight, clock.at + MINUTE)
        self.lookout.tick()
        clock.at += MINUTE
        self.telling.tick()
        return by_night


@dataclass(slots=True)
class Week:
    """The town's archive on a machine that is on or off, and what happens around it."""

    home: Path
    platform: SimulatedPlatform
    sink: Sink
    clock: FixedClock
    story: list[Happens] = field(default_factory=list)
    service: Service | None = None
    pages: dict[str, Page] = field(default_factory=dict)
    nights: list[datetime] = field(default_factory=list)
    """When the night's work was done."""

    def found(self) -> None:
        """Make the archive."""
        close(
            main.make(
                self._settings(),
                agency=NAME,
                domain="harrowfalls.example",
                timezone=TIMEZONE,
                clock=self.clock,
            )
        )

    def start(self) -> Office:
        """Start the service; a night that was missed begins at once."""
        settings = self._settings()
        archive = main.open_archive(settings, self.clock)
        office, store = Office(archive), archive.store
        smtp = mailer(settings.smtp_url, "archive@harrowfalls.example", clock=self.clock)
        lookout = Lookout(store, archive, AtOnce(), archive.usual_pace())
        telling = Telling(store, smtp, settings.public_url, settings.digest_at)
        clockwork = Night(
            store,
            lambda: night(
                store, lambda page, why: archive.tonight(page, by=None, why=why), archive.follow, workers=1
            ),
            archive.follow,
            settings.nightly_at,
        )
        zone, hour, minute = clockwork.zone, clockwork.hour, clockwork.minute
        with store.database.read() as tx:
            last = diary.last_began(tx, "night") or diary.founded(tx)
        trigger = Nightly(zone, hour, minute)
        now = self.clock.at
        tonight = now if missed(last, now, zone, hour, minute) else trigger.get_next_fire_time(None, now)
        self.service = Service(archive, office, lookout, telling, clockwork, trigger, tonight)
        return office

    def stop(self) -> None:
        """Stop the service, as a machine that is switched off: nobody looks and nobody writes."""
        self.on.archive.close()
        self.service = None

    def happens(self, at: datetime, what: Callable[[], object]) -> None:
        """Something will happen at that moment."""
        self.story.append(Happens(at, what))

    def until(self, end: datetime, step: timedelta = STEP) -> None:
        """Let time go by, in steps that begin with the hour; what happens, and the night, have steps of their own."""
        at = self.clock.at
        while at < end:
            ahead = [one.at for one in self.story if one.at > at]
            if self.service is not None and self.service.tonight > at:
                ahead.append(self.service.tonight)
            at = min(end, at + step - (at - EPOCH) % step, *ahead)
            self.clock.at = at
            for one in [one for one in self.story if one.at <= at]:
                self.story.remove(one)
                one.what()
            self.platform.at = at
            if self.service is not None and self.service.minute(self.clock):
                self.nights.append(at)

    # -- what people do ------------------------------------------------------------------------------------

    @property
    def on(self) -> Service:
        """The service, while the machine is on."""
        assert self.service is not None
        return self.service

    @property
    def clerk(self) -> Officer:
        return self.on.office.officer

    def open_the_office(self) -> None:
        """Register the town's pages, connect the one that can be, and let the others in who work here."""
        office = self.on.office
        for page in run.pages(self.platform):
            key = page.address.removeprefix(self.platform.url).split("/")[1]
            self.pages[key] = office.add(
                page.connector, page.address, page.name, custodian=page.custodian, options=page.options
            )
        self.connect(APPLICATION_PASSWORD, until=on(10, 8))
        with office.store.database.begin() as tx:
            for email, role in ((DEPUTY, Role.RECORDS_OFFICER), (ATTORNEY, Role.ATTORNEY)):
                officers.add(office.store, tx, email, [role], by=self.clerk, why="they work here")

    def connect(self, password: str, until: datetime | None = None) -> None:
        """Connect the police page with an application password."""
        store = self.on.office.store
        secret = {"user": ARCHIVE_USER, "application_password": password}
        with store.database.begin() as tx:
            page = pages.get(tx, self.pages[POLICE].name)
            terms = credentials.Terms(stated_until=until)
            pages.connect(store, tx, page, secret, by=self.clerk.id, why="password received", terms=terms)

    def connect_again(self) -> None:
        self.platform.issue(ANOTHER_PASSWORD)
        self.connect(ANOTHER_PASSWORD)

    def look_every(self, minutes: int) -> None:
        """Have the police page looked at so often."""
        service = self.on
        with service.office.store.database.begin() as tx:
            plans.set_pace(
                service.office.store,
                tx,
                self.pages[POLICE],
                {"every": minutes},
                service.archive.usual_pace(),
                by=self.clerk.id,
                why="a man is missing" if minutes < EVERY else "all is quiet",
            )

    def approve(self) -> None:
        store = self.on.office.store
        with store.database.begin() as tx:
            for page in pages.listed(tx):
                pages.approve(store, tx, page, by=self.clerk.id, why="the chief approves it")

    # -- how the week goes ---------------------------------------------------------------------------------

    def live(self, *also: Happens) -> None:
        """Live through the week; `also` happens besides, after what happens at the same moment anyway."""
        platform = self.platform
        self.found()
        self.start()
        self.open_the_office()
        for at, what in (
            (on(5, 9), self.approve),
            (on(6, 2, 30), lambda: platform.fail(POLICE, Kind.THROTTLED, "/wp/v2/comments", times=2)),
            (on(7, 21), lambda: self.look_every(15)),
            (on(7, 21, 20), lambda: platform.say(POLICE, APPEAL, *ANSWERS)),
            (on(8, 0), lambda: self.look_every(60)),
            (on(8, 18), lambda: self.look_every(EVERY)),
            (on(8, 2, 30), lambda: platform.fail(POLICE, Kind.CUT, "/wp/v2/comments", times=1)),
            (on(8, 22), lambda: platform.fail(PARKS, Kind.DOWN)),
            (on(9, 9), lambda: platform.mend(PARKS)),
            (on(10, 2), lambda: platform.fail(COUNCIL, Kind.SIGN_IN)),
            (on(10, 6), lambda: platform.mend(COUNCIL)),
            (on(10, 8), platform.revoke),
            (on(11, 20), self.connect_again),
            (on(11, 22), self.stop),
            (on(13, 4), self.start),
        ):
            self.happens(at, what)
        self.story += also
        self.until(on(7, 21))
        self.until(on(8), step=timedelta(minutes=5))
        self.until(on(13, 10))

    def _settings(self) -> Settings:
        return settings_at(
            self.home,
            allow_hosts=LOOPBACK,
            smtp_url=f"smtp://{LOOPBACK}:{self.sink.port}",
            public_url=PUBLIC,
            every_minutes=EVERY,
        )


@dataclass(frozen=True, slots=True)
class Arrived:
    """A letter as it came: when it was written, by the town's clock, to whom, about what, and its words."""

    at: str
    to: str
    subject: str
    text: str


def letters(sink: Sink) -> Sequence[Arrived]:
    """What the mail server took, in order."""
    return [
        Arrived(
            f"{one['Date'].datetime.astimezone(ZONE):%a %H:%M}",
            str(one["To"]),
            str(one["Subject"]),
            str(one.get_content()),
        )
        for one in sink.messages()
    ]
