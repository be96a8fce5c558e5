"""One pass over a profile: its page, then the pages of single spotlights.

One page shows everything: the introduction, the story as it stands now, saved
stories, and the newest spotlights. It has no second page, and nothing promises
that it holds all spotlights. So no pass ends with a promise that all was shown.
What the page showed before and shows no longer is told one by one:

- a snap of the story is missing only while its day has not passed. After that
  it has run out, as every snap does, and nothing is said of it;
- a saved story is missing where the page shows the others;
- a spotlight is asked for at its own page, once: older ones make room for newer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Batch, Gap, Observation, Sighting, State
from connectors.snapchat import parse
from connectors.snapchat.asking import Asking
from connectors.snapchat.place import Place
from connectors.snapchat.reading import SAVED, SPOTLIGHTS, STORY, Profile
from connectors.snapchat.standing import of_spotlight

_NEAR = timedelta(minutes=30)
"""So long before its day is over, a snap is taken to have run out: clocks differ, and pages are kept ready for a while."""

_PARTS = {parse.STORY: STORY, parse.SAVED: SAVED, parse.SPOTLIGHT: SPOTLIGHTS}
"""Where on the page each kind of record stands."""


class Pass:
    """A pass from `place` on."""

    def __init__(self, asking: Asking, place: Place) -> None:
        self._asking, self._place = asking, place

    def run(self) -> Iterator[Batch]:
        """The page is read also when the pass is resumed; then single spotlights."""
        shown = self._asking.profile()
        self._author = parse.author(shown)
        observed = self._observed(shown)
        asks = {one.id for one in shown.spotlights if one.told is None}
        now = {f"{parse.SPOTLIGHT}/{name}": "" for name in sorted(asks)} | {
            one.native_id: one.published_at.isoformat() if one.published_at else "" for one in observed
        }
        sightings = list(self._missing(shown, now))
        left = self._left(shown, now)
        emptied = _emptied(shown)
        stays = {
            name: at for name, at in self._place.known.items() if not _tells(shown, name) or name in emptied
        }
        self._move(known={**stays, **now}, unread=tuple(sorted(asks)), left=tuple(left), failed=())
        yield self._batch(observed, sightings, self._lacking(shown))
        yield from self._unread()
        yield from self._asked_after()

    def _observed(self, shown: Profile) -> list[Observation]:
        """Everything that the page tells of itself."""
        return [
            parse.profile(shown),
            *(parse.snap(one, self._author) for one in shown.story),
            *(parse.saved(one, self._author) for one in shown.saved),
            *(parse.spotlight(one, self._author) for one in shown.spotlights if one.told is not None),
        ]

    def _missing(self, shown: Profile, now: dict[str, str]) -> Iterator[Sighting]:
        """What the page should show, and does not."""
        moment, emptied = self._asking.now(), _emptied(shown)
        for name, at in self._place.known.items():
            kind = name.partition("/")[0]
            if name in now or not _tells(shown, name) or name in emptied:
                continue
            if kind == parse.STORY and at and _is_running(at, moment):
                why = "200 without it, before its 24 hours were over: taken off, or kept from the public"
            elif kind == parse.SAVED:
                why = "200 without it, among the saved stories: taken off, or kept from the public"
            else:
                continue
            yield Sighting(native_id=name, state=State.ABSENT, exchange=self._asking.last, reason=why)

    def _left(self, shown: Profile, now: dict[str, str]) -> list[str]:
        """The spotlights that are to be asked after: those that left the page, now or in a pass that was broken off."""
        known = [
            name
            for name in self._place.known
            if name.startswith(f"{parse.SPOTLIGHT}/") and _tells(shown, name)
        ]
        before = [*self._place.left, *self._place.failed, *known]
        return [name for name in dict.fromkeys(before) if name not in now]

    def _lacking(self, shown: Profile) -> list[Gap]:
        if not shown.public:
            why = "the account has no public profile (any more): its page shows a name and nothing else"
            return [Gap(what="stories and spotlights", why=why)]
        lacking = [
            Gap(
                what=part,
                why="the profile says that it has some, and its page came without them. Snapchat does so now and then; look at "
                "the page in a browser if it goes on",
            )
            for part in sorted(shown.lacking)
        ]
        why = "the page lists it without any of its snaps: look at it in a browser if it goes on"
        return lacking + [Gap(what="a saved story", why=why, native_id=name) for name in _emptied(shown)]

    def _unread(self) -> Iterator[Batch]:
        """Spotlights whose words stand on their own page alone."""
        while self._place.unread:
            name, *others = self._place.unread
            with self._asking.about("a spotlight", f"{parse.SPOTLIGHT}/{name}") as asked:
                exchange, seen = self._asking.spotlight(name)
            self._move(unread=tuple(others))
            if asked.gap is not None:
                # The page shows it: the next pass reads it there, or asks again.
                yield self._batch(gaps=[asked.gap])
                continue
            if seen is not None:
                told = parse.spotlight_alone(name, seen, self._author)
                at = told.published_at.isoformat() if told.published_at else ""
                self._move(known={**self._place.known, told.native_id: at})
                yield self._batch([told])
                continue
            why = f"the profile shows it, and its own page does not ({exchange.status})"
            yield self._batch(gaps=[Gap(what="a spotlight", why=why, native_id=f"{parse.SPOTLIGHT}/{name}")])

    def _asked_after(self) -> Iterator[Batch]:
        """Spotlights that the page shows no longer."""
        while self._place.left:
            name, *others = self._place.left
            with self._asking.about("what became of a spotlight", name) as asked:
                sighting = of_spotlight(self._asking, name)
            self._move(left=tuple(others))
            if asked.gap is not None:
                self._move(failed=(*self._place.failed, name))
                yield self._batch(gaps=[asked.gap])
                continue
            yield self._batch(sightings=[sighting])

    def _move(self, **changes: Any) -> None:
        self._place = self._place.moved(**changes)

    def _batch(
        self,
        observed: list[Observation] | None = None,
        sightings: list[Sighting] | None = None,
        gaps: list[Gap] | None = None,
    ) -> Batch:
        return self._asking.batch(
            self._place.cursor(), observed or [], sightings=sightings or [], gaps=gaps or []
        )


def _tells(shown: Profile, name: str) -> bool:
    """Whether the page holds the part in which a record would stand, so that its absence there says something."""
    return shown.public and _PARTS.get(name.partition("/")[0]) not in shown.lacking


def _is_running(at: str, moment: datetime) -> bool:
    """Whether the day of a snap that was published then is not over, nor nearly so."""
    ends = parse.runs_out(datetime.fromisoformat(at))
    return ends is not None and moment < ends - _NEAR


def _emptied(shown: Profile) -> list[str]:
    """Saved stories that are listed, and of which no snap is."""
    return [f"{parse.SAVED}/{name}" for name in shown.emptied]
