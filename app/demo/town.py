"""The Town of Harrow Falls, and what its pages show on each of eight nights in October 2026.

Town, river, streets and people are invented. The texts stand in `story/`,
where anyone can read them; `state(night)` is what the pages show when they
are captured that night, at half past two in the morning. Everything here is
plain data and pure: the same night always shows the same bytes.

Four pages: `police` (WordPress, connected with an application password),
`notices` (Atom, the newest twelve), `parks` (WordPress, read as any visitor
reads it) and `council` (JSON Feed, six to a page). What is planted, and the
first night that shows it:

night 1, Monday 5 October
    The history since 2019: old posts whose retention has run out, comments
    in Spanish and Chinese, emoji. The introduction of `parks` names its
    maintainer and a telephone, but lacks the statements on visitors'
    opinions, monitoring and public disclosure.
night 2, Tuesday
    Police: "Road closure: Weaver Bridge" (closed "until 6 p.m."), with a
    rude comment by TaxpayerNo1, one by riverrat77 that is held for approval,
    and one that went to spam. The platform throttles: two requests for
    comments answer 429 with Retry-After.
night 3, Wednesday
    The closure now says "until 9 p.m."; "Tanery" has become "Tannery"; the
    rude comment is in the trash; one thread goes five deep. Gus Farrow names
    a neighbor with address and telephone (14 Larkspur Lane, 555-0147). Leon
    Achterberg's comment is held and stays so. The council's feed is unchanged
    since the night before.
night 4, Thursday
    The flood (flood, flooded, flooding, inundación, 洪水), threads in English,
    Spanish, Chinese and Arabic, Otto Brannick missing, a cruel comment by
    Angry Angler, the notice "BOIL WATER: Quarry Hill". The connection breaks
    once in the middle of a list of police comments.
night 5, Friday
    Gus Farrow's comment is deleted for good (404, and its reply has moved up
    a level); Angry Angler's is in the trash; riverrat77's is approved; the
    boil-water notice is withdrawn by a tombstone; Otto Brannick is "FOUND
    SAFE". "Arrest in the shed burglaries" says who is guilty. Between the
    nights a comment by "Anonymous Neighbor" came and went: nobody has seen
    it, only its number is missing. Parks is down all night (503).
night 6, Saturday
    The arrest post is in the trash and its comments with it. Parks is back:
    "Harvest fair" is withdrawn (401 for visitors), Mountain Goat Mike's
    comment is hidden, and Walt Imhoff's shows a telephone (555-0163). Ellie
    Stroud has corrected "second step" to "fourth step". The council's feed
    answers with a sign-in page, so the night does not learn that the draft
    budget has been taken away.
night 7, Sunday
    TaxpayerNo1's comment is restored; Walt Imhoff's is deleted; the draft
    budget is absent from the council's feed, with nothing to say why. The
    notices are unchanged and answer 304 to whoever says what he has.
night 8, Monday 12 October
    The introduction of parks has gained the statements on opinions and on
    monitoring, and still lacks the one on public disclosure. Gus Farrow
    apologizes. A night on which everything goes well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import TypeVar

from app.demo.blogs import blog
from app.demo.feeds import feed
from app.demo.nouns import Town
from app.demo.telling import ZONE, Tale, tale

Standing = TypeVar("Standing")

NAME = "Town of Harrow Falls"
TIMEZONE = ZONE.key
BLOGS = ("police", "parks")
FEEDS = ("notices", "council")

FIRST_NIGHT = datetime(2026, 10, 5, 2, 30, tzinfo=ZONE)
TITLES = (
    "The first night: everything the pages have ever shown",
    "A bridge will be closed, and not everybody is polite about it",
    "The closure now ends at nine; a comment is gone from view",
    "The river rises, Otto Brannick is missing, and the line breaks once",
    "Found safe; a comment is deleted for good; the parks page is down",
    "A post is withdrawn; the council's page shows a sign-in form",
    "A comment comes back; a draft has quietly disappeared",
    "A quiet night, and an introduction that says more than it did",
)
NIGHTS = len(TITLES)


def moment(night: int) -> datetime:
    """When the pages are captured in that night."""
    if not 1 <= night <= NIGHTS:
        message = f"the story has nights 1 to {NIGHTS}, not {night}"
        raise ValueError(message)
    return (FIRST_NIGHT + timedelta(days=night - 1)).astimezone(UTC)


def night_of(at: datetime) -> int:
    """The newest night that has begun: the first before it, the last for ever after."""
    return min(NIGHTS, max(1, (at - FIRST_NIGHT) // timedelta(days=1) + 1))


@cache
def state(night: int) -> Town:
    """What the pages show on that night."""
    at = moment(night)
    return Town(
        night=night,
        at=at,
        blogs={key: blog(tale(key), at) for key in BLOGS},
        feeds={key: feed(tale(key), at) for key in FEEDS},
    )


def stands(tales: Mapping[str, Tale], at: datetime) -> Town:
    """What the pages show at any moment, by stories that may have gone another way than ours."""
    return Town(
        night=night_of(at),
        at=at,
        blogs=_Shown(BLOGS, lambda key: blog(tales[key], at)),
        feeds=_Shown(FEEDS, lambda key: feed(tales[key], at)),
    )


class _Shown(Mapping[str, Standing]):
    """Pages by name, each worked out when it is first asked for: most moments see but one of them."""

    def __init__(self, keys: tuple[str, ...], show: Callable[[str], Standing]) -> None:
        self._keys, self._show = keys, show
        self._known: dict[str, Standing] = {}
        self._lock = Lock()

    def __getitem__(self, key: str) -> Standing:
        with self._lock:
            if key not in self._known:
                if key not in self._keys:
                    raise KeyError(key)
                self._known[key] = self._show(key)
            return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
