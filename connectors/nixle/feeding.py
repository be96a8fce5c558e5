"""The route by the agency's feed: a window on its newest public alerts.

What the feed no longer shows although it shows older ones is missing from it.
Where the feed is all that was ever read, a listing says so, from the oldest
alert that it shows until now. Where mails or the page were read too, the
archive may hold alerts that the feed never showed (Nixle puts none in it that
was sent to a private group), and a listing would take these for removed: then
only what the feed itself showed before is told to be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from connectors.contract import Batch, Exchange, Gap, Kind, Listing, Observation, Sighting, State
from connectors.errors import NoSuchPage, UnexpectedResponse
from connectors.nixle import rss
from connectors.nixle.gathering import body_of
from connectors.nixle.reading import FEED
from connectors.nixle.seeing import Seeing, Seen, Untold

_NOT_THERE = (404, 410)
_JUST_BEHIND = timedelta(seconds=1)
"""Alerts of the oldest one's own second may have left the window with it."""


class Feeding:
    """Reads the feed. `standing` asks for an alert's own page, where that may be read."""

    def __init__(
        self,
        seeing: Seeing,
        now: Callable[[], datetime],
        standing: Callable[[str], Sighting] | None = None,
    ) -> None:
        self._seeing, self._now, self._standing = seeing, now, standing
        seeing.obtain[FEED] = seeing.read[FEED].get

    def ask(self) -> tuple[Exchange, rss.Feed]:
        """The feed's answer, read; an error says what is wrong with it, and what to do."""
        setting, gathering, hosts = self._seeing.setting, self._seeing.gathering, self._seeing.hosts
        answer = gathering.get(hosts.feed(setting.agency_id), accept=_NOT_THERE)
        if answer.status in _NOT_THERE:
            raise NoSuchPage(
                f"Nixle has no feed for the agency {setting.agency_id} ({answer.status}). Correct the option "
                "`agency_id`; an agency that left Nixle has no feed any more."
            )
        if answer.status != 200:
            raise UnexpectedResponse(f"{answer.url} answered {answer.status}, which is no feed.")
        try:
            feed = rss.read(body_of(answer)[0], hosts)
        except rss.NotTheFeed as fault:
            raise UnexpectedResponse(
                f"{answer.url} did not answer with the agency's feed. {fault}"
            ) from fault
        if not setting.is_agency(feed.title):
            raise UnexpectedResponse(
                f"The feed {setting.agency_id} is of {feed.title!r} and not of {setting.agency!r}. Correct the option "
                "`agency_id` or `agency`."
            )
        return answer, feed

    def batch(self, *, ends: bool) -> Batch:
        """Read the feed. When it `ends` the pass, what it no longer shows is told too."""
        seeing, began = self._seeing, self._now()
        answer, feed = self.ask()
        shown = self._shown(feed, answer)
        told = [one for seen in shown.values() if (one := self._observed(seen)) is not None]
        introduction = seeing.profile(feed.title, feed.description, seeing.spans(answer, *feed.spans))
        observations = [introduction, *told]
        if not ends:
            return seeing.gathering.batch(seeing.place.cursor(), observations)
        sightings: list[Sighting] = []
        listings: list[Listing] = []
        dates = [one.published_at for one in feed.items if one.published_at is not None]
        seeing.gathering.gaps += self._unjoined(shown, dates)
        # Undated or unnamed alerts leave it open how far back the feed reaches.
        if shown and len(dates) == len(told) == len(shown) == len(feed.items):
            exchange = seeing.gathering.place(answer)
            assert exchange is not None, "the feed's answer was gathered just now"
            if seeing.place.others:
                sightings = list(self._missing(shown, min(dates), exchange))
            else:
                listings = [_window(began, min(dates), exchange)]
        if shown:
            seeing.place.window, seeing.place.fed_at = list(shown), began
        return seeing.gathering.batch(
            seeing.place.cursor(), observations, sightings=sightings, listings=listings
        )

    def _shown(self, feed: rss.Feed, answer: Exchange) -> dict[str, Seen]:
        shown: dict[str, Seen] = {}
        for item in feed.items:
            native_id = item.number or self._seeing.led_to(item.code)
            if native_id is None:
                self._seeing.unnamed(f"an alert in the feed, {item.title[:80]!r}", item.code)
            else:
                shown[native_id] = Seen(item.reading(native_id), answer, item.span)
        self._seeing.read[FEED].update(shown)
        return shown

    def _observed(self, seen: Seen) -> Observation | None:
        """An alert of the feed; a gap where the words that stand for it are another route's, which fails at them."""
        try:
            told = self._seeing.observed(seen)
        except Untold as untold:
            self._seeing.gathering.gaps.append(untold.gap)
            return None
        self._seeing.place.alerts[told.native_id].fed_at = seen.reading.published_at
        return told

    def _unjoined(self, shown: Mapping[str, Seen], dates: list[datetime]) -> Iterator[Gap]:
        place = self._seeing.place
        if not place.window:
            return
        if not shown:
            why = "The feed is empty and was not before; that alone makes nothing absent."
            yield Gap(what="the alerts in the feed", why=why, since=place.fed_at)
        elif not set(place.window) & shown.keys():
            yield Gap(
                what="alerts that were published and left the feed between two passes",
                why="The feed shows only its newest alerts, and none of them was there at the last pass.",
                since=place.fed_at,
                until=min(dates, default=None),
            )

    def _missing(self, shown: Mapping[str, Seen], oldest: datetime, exchange: int) -> Iterator[Sighting]:
        """How those stand that the feed showed, and no longer shows although it shows older ones."""
        for native_id, known in self._seeing.place.alerts.items():
            if native_id in shown or known.fed_at is None:
                continue
            left_at, known.fed_at = known.fed_at, None
            if left_at <= oldest:
                continue
            try:
                told = self._stands(native_id)
            except Untold as untold:
                # What neither the feed nor its page tells of is asked for again.
                known.fed_at = left_at
                self._seeing.gathering.gaps.append(untold.gap)
                continue
            if told is not None and told.state is not State.UNKNOWN:
                yield told
            else:
                why = "missing from the feed, which shows older ones"
                yield Sighting(native_id=native_id, state=State.ABSENT, exchange=exchange, reason=why)

    def _stands(self, native_id: str) -> Sighting | None:
        """How an alert stands by its own page, where that may be read."""
        standing = self._standing
        if standing is None:
            return None
        what = f"how alert {native_id} stands"
        return self._seeing.by_its_page(what, native_id, lambda: standing(native_id), unread=False)


def _window(began: datetime, oldest: datetime, exchange: int) -> Listing:
    return Listing(kinds=[Kind.POST], began_at=began, exchange=exchange, published_from=oldest + _JUST_BEHIND)
