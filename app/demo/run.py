"""The pages of the demonstration as an archive would register them, and its nights in order.

Who captures, and where to, is not decided here: take `pages` and `nights`,
set `platform.night`, let the clock say `night.at`, and capture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.demo.blogs import DOMAIN
from app.demo.platform import SimulatedPlatform
from app.demo.town import NIGHTS, TITLES, moment
from app.demo.wordpress import APPLICATION_PASSWORD, ARCHIVE_USER


@dataclass(frozen=True, slots=True)
class Night:
    """One night of the story: its number, when the pages are captured, and what happens."""

    number: int
    at: datetime
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPage:
    """A page of the town with what its registry entry says. `secret` is None where nobody connected it."""

    connector: str
    address: str
    name: str
    custodian: str
    purpose: str
    audience: str
    scope: str
    options: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] | None = None


def nights() -> Sequence[Night]:
    """The nights of the story, first to last."""
    return [Night(number, moment(number), TITLES[number - 1]) for number in range(1, NIGHTS + 1)]


def pages(platform: SimulatedPlatform) -> list[DemoPage]:
    """The four pages of the town, at the addresses at which this platform serves them."""
    return [
        DemoPage(
            connector="wordpress",
            address=platform.address("police"),
            name="Harrow Falls Police Department",
            custodian=f"Lt. Dana Okafor, okafor@{DOMAIN}",
            purpose="News, road closures, weather, appeals for witnesses and missing people, recruitment",
            audience="residents, visitors, crime victims, volunteers, recruits",
            scope="What the department publishes, and what visitors answer on the subject",
            secret={"user": ARCHIVE_USER, "application_password": APPLICATION_PASSWORD},
        ),
        DemoPage(
            connector="feed",
            address=platform.address("notices"),
            name="Town of Harrow Falls: Public Notices",
            custodian=f"Josephine Arkwright, Town Clerk, clerk@{DOMAIN}",
            purpose="Notices that the town is bound to publish, and warnings",
            audience="residents",
            scope="Notices of the clerk, public works and the board of health; no comments",
        ),
        DemoPage(
            connector="wordpress",
            address=platform.address("parks"),
            name="Harrow Falls Parks and Trails",
            custodian=f"Mila Sorrento, Parks, parks@{DOMAIN}",
            purpose="Opening times, trail conditions and events",
            audience="residents, visitors, volunteers",
            scope="Parks, trails and what happens in them. Not connected: only what the public sees",
        ),
        DemoPage(
            connector="feed",
            address=platform.address("council"),
            name="Harrow Falls Town Council: meetings",
            custodian=f"Josephine Arkwright, Town Clerk, clerk@{DOMAIN}",
            purpose="Agendas and minutes",
            audience="residents",
            scope="Meetings of the council and its committees; no comments",
            # The feed goes back to its first paper, so what is missing from it is missing.
            options={"complete": "yes"},
        ),
    ]
