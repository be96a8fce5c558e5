"""The demonstration: an invented town captured over its nights, then the service over what was kept.

Everything is real but the town: the platform answers on loopback, the
connectors ask it over HTTP, and what they see is sealed, stated, indexed and
proven as any page would be. Only the clock is told which night it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from app import main, officers
from app.capture import pages
from app.demo import law
from app.demo.blogs import DOMAIN
from app.demo.platform import SimulatedPlatform
from app.demo.run import DemoPage, nights
from app.demo.run import pages as demo_pages
from app.demo.town import NAME, NIGHTS, TIMEZONE
from app.jobs.night import night
from app.records.clock import FixedClock
from app.records.errors import Refused
from app.records.nouns import Officer, Role
from app.settings import Settings
from connectors.http import Manners

EMAIL = f"records@{DOMAIN}"
PLATFORM_PORT = 8917
_WHY = "the demonstration"
_MORNING = timedelta(hours=6)
"""From the last night to the morning after it."""


class NotTheDemonstration(Refused):
    """The archive that is here is not the demonstration's."""

    code = "not-the-demonstration"


@dataclass(frozen=True, slots=True)
class Account:
    """With what a newcomer signs in."""

    email: str
    password: str
    token: str
    second: str = ""
    """Who approves what the first person proposes; a demonstration that was made by an older version has nobody."""
    second_password: str = ""


def run(settings: Settings, *, host: str, port: int, serve: bool, say: Callable[[str], None]) -> Account:
    """Make the demonstration archive where there is none, and serve it."""
    with ExitStack() as open_until_the_end:
        platform = open_until_the_end.enter_context(SimulatedPlatform(PLATFORM_PORT, night=NIGHTS))
        shown = settings.model_copy(
            update={
                "allow_hosts": f"127.0.0.1:{platform.port}",
                "public_url": f"http://{host}:{port}",
                "productions": settings.productions or _beside(settings.home),
            }
        )
        account = _account(shown) or make(shown, platform, say)
        say("")
        say(f"  The archive of {NAME} is at http://{host}:{port}")
        say(f"  Sign in as {account.email} with the password {account.password}")
        if account.second:
            say(
                f"  A second person, who approves: {account.second} with the password {account.second_password}"
            )
        say(f"  On the command line: export MUNIMENT_TOKEN={account.token}")
        say("")
        if serve:
            main.serve(shown, host, port)
    return account


def make(settings: Settings, platform: SimulatedPlatform, say: Callable[[str], None]) -> Account:
    """Capture the town's pages night by night; return the account that reads them."""
    clock = FixedClock(nights()[0].at - timedelta(hours=6))
    store = main.make(settings, agency=NAME, domain=DOMAIN, timezone=TIMEZONE, clock=clock)
    archive = main.open_archive(settings, clock, store=store)
    archive.manners = Manners(interval=timedelta(0))
    archive.wait = lambda pause: setattr(clock, "at", clock.at + pause)
    try:
        account, officer = _people(archive, say)
        for page in demo_pages(platform):
            _register(archive, page, officer)
        for one in nights():
            platform.night, clock.at = one.number, one.at
            say(f"night {one.number}: {one.title}")
            told = night(
                archive.store, lambda page, why: archive.tonight(page, by=None, why=why), archive.follow
            )
            for report in told.reports:
                tally = {name: number for name, number in report.tally.as_dict().items() if number}
                say(
                    f"    {report.status}: " + ", ".join(f"{number} {name}" for name, number in tally.items())
                )
                for gap in report.gaps:
                    say(f"        gap: {gap.what}: {gap.why}")
        say("the law: a schedule, a lawsuit, a disposal that waits for its approval")
        clock.at += _MORNING
        second, second_password = law.begin(archive, officer)
        archive.follow()
        say("the public: a request that was answered, another one that waits for its review")
        from app.demo import asked  # noqa: PLC0415 - only here: what typesets takes a while to load

        asked.laws(settings.home)
        with store.database.read() as tx:
            chief = officers.find(tx, second)
        asked.begin(archive, settings.productions or _beside(settings.home), officer, chief)
        archive.follow()
        account = replace(account, second=second, second_password=second_password)
    finally:
        archive.close()
    _keep(settings, account)
    return account


def _people(archive: main.Archive, say: Callable[[str], None]) -> tuple[Account, Officer]:
    store = archive.store
    say(f"making the archive of {NAME}")
    with store.database.begin() as tx:
        first = officers.first(store, tx, EMAIL)
        also = (Role.AUDITOR, Role.CUSTODIAN_OF_EVIDENCE, Role.MESSAGES, Role.APPROVER, Role.ATTORNEY)
        roles = [*first.officer.roles, *also]
        officer = officers.change_roles(store, tx, first.officer, roles, by=first.officer, why=_WHY)
    return Account(EMAIL, first.password, first.token), officer


def _register(archive: main.Archive, told: DemoPage, officer: Officer) -> None:
    page = archive.add_page(
        told.connector,
        told.address,
        name=told.name,
        custodian=told.custodian,
        options=told.options,
        by=officer.id,
        why=_WHY,
    )
    store = archive.store
    with store.database.begin() as tx:
        if told.secret:
            pages.connect(store, tx, page, told.secret, by=officer.id, why=_WHY)
        if told.connector == "wordpress":
            pages.approve(store, tx, page, by=officer.id, why="approved by the chief for the demonstration")


def _account(settings: Settings) -> Account | None:
    """The account of a demonstration that was made before; raises `NotTheDemonstration` for any other archive."""
    file = _file(settings)
    if file.exists():
        return Account(**json.loads(file.read_text()))
    if (settings.home / "keys").exists():
        raise NotTheDemonstration(
            f"{settings.home} holds another archive, or a demonstration that was broken off",
            next="Set MUNIMENT_HOME to a new folder, or remove the broken one.",
        )
    return None


def _keep(settings: Settings, account: Account) -> None:
    file = _file(settings)
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(account)))


def _beside(home: Path) -> Path:
    """Where the demonstration's productions lie: outside of its archive, as every production does."""
    return home.with_name(f"{home.name}-productions")


def _file(settings: Settings) -> Path:
    return settings.home / "demonstration.json"
