"""Whose words stand for an alert that several routes show, and the observation that follows.

It is settled once and kept (`Known.speaks`), so that a second route that says
the same in other bytes is no edit:

1. An alert that is seen for the first time has the words of the preferred
   route that shows it: page, then feed, then mail.
2. Later those words are asked for again where they stand, whichever route
   shows the alert now. The bytes of every route belong to the record.
3. A route's words take the place of another's when they changed since that
   route was last seen and the route is the preferred one of the two; or when
   the other's can no longer be had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from connectors.contract import Author, Exchange, Gap, Kind, Observation, Span
from connectors.errors import TryAgainLater, UnexpectedResponse
from connectors.nixle import pages
from connectors.nixle.gathering import Gathering, body_of
from connectors.nixle.links import Hosts
from connectors.nixle.place import Known, Place
from connectors.nixle.reading import FEED, MAIL, PAGE, RANK, Reading
from connectors.nixle.setting import Setting

T = TypeVar("T")

PROFILE_ID = "profile"

_LEADS = (301, 302, 303, 307, 308)


class Untold(Exception):
    """Nixle fails at an alert's own page, so that its words, or how it stands, cannot be told; `gap` says so."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.why)
        self.gap = gap


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading of this run, with the bytes that it was read from."""

    reading: Reading
    exchange: Exchange
    span: tuple[int, int]
    uid: int | None = None


@dataclass(slots=True, kw_only=True)
class Seeing:
    """What the routes of one run share. `obtain` asks a route for one alert's words where they stand."""

    gathering: Gathering
    hosts: Hosts
    setting: Setting
    place: Place
    read: dict[str, dict[str, Seen]] = field(default_factory=lambda: {FEED: {}, MAIL: {}, PAGE: {}})
    obtain: dict[str, Callable[[str], Seen | None]] = field(default_factory=dict)
    down: bool = False
    """Whether one page of an alert after the other failed, so that no other route asks for any more of them in this run."""

    def observed(self, seen: Seen, *besides: Span) -> Observation:
        """The alert with the words that stand for it; `besides` is more of this batch that is the alert's own.

        `Untold` where these are the words of its own page, at which Nixle fails.
        """
        native_id, route = seen.reading.native_id, seen.reading.route
        self.read[route][native_id] = seen
        known = self.place.alerts.get(native_id)
        if known is None:
            standing = self._preferred(seen)
            known = self.place.alerts[native_id] = Known(
                at=standing.reading.published_at or seen.reading.published_at, speaks=standing.reading.route
            )
        else:
            standing = self._standing(seen, known)
        for one in (seen, standing):
            known.marks[one.reading.route] = one.reading.mark
        if seen.uid is not None:
            known.uid = seen.uid
        spans = [
            *besides,
            *self.spans(seen.exchange, seen.span),
            *self.spans(standing.exchange, standing.span),
        ]
        return self._told(standing.reading, known, list(dict.fromkeys(spans)))

    def _preferred(self, seen: Seen) -> Seen:
        """Rule 1. Where the preferred route cannot say, the one that showed the alert speaks."""
        native_id, route = seen.reading.native_id, seen.reading.route
        for better in sorted(self.obtain, key=lambda one: -RANK[one]):
            if RANK[better] <= RANK[route]:
                break
            try:
                found = self._words(better, native_id)
            except Untold as untold:
                self.gathering.gaps.append(untold.gap)
                continue
            if found is not None:
                return found
        return seen

    def _standing(self, seen: Seen, known: Known) -> Seen:
        """Rules 2 and 3."""
        reading = seen.reading
        if known.speaks == reading.route:
            return seen
        changed = known.marks.get(reading.route, reading.mark) != reading.mark
        if not (changed and RANK[reading.route] > RANK[known.speaks]):
            found = self._words(known.speaks, reading.native_id) if known.speaks in self.obtain else None
            if found is not None:
                return found
        known.speaks = reading.route
        return seen

    def _words(self, route: str, native_id: str) -> Seen | None:
        """An alert's words where they stand, by the route whose they are."""
        ask = self.obtain[route]
        if route != PAGE:
            return ask(native_id)
        return self.by_its_page(f"the {route} of alert {native_id}", native_id, lambda: ask(native_id))

    def by_its_page(self, what: str, native_id: str, ask: Callable[[], T], *, unread: bool = True) -> T:
        """What an alert's own page tells to another route; `Untold` where Nixle fails at it, or is not asked any more.

        Another route never ends at that: it would end there in every pass.
        """
        if self.down or native_id in self.place.owed:
            why = "Nixle failed at its page, or at others before it; every later pass asks again."
            raise Untold(Gap(what=what, why=why, native_id=native_id))
        try:
            with self.gathering.about(what, native_id, unread=unread) as asked:
                return ask()
        except (TryAgainLater, UnexpectedResponse) as error:
            if not self.gathering.is_apart(error):
                raise
            self.gathering.failed(error)
            self.down = True
            raise Untold(Gap(what=what, why=str(error), native_id=native_id)) from error
        assert asked.gap is not None, "what was not answered is a gap"
        raise Untold(asked.gap)

    def _told(self, reading: Reading, known: Known, evidence: Sequence[Span]) -> Observation:
        extra: dict[str, object] = {
            "headline": reading.headline,
            "words_by": reading.route,
            "seen_by": sorted(known.marks, key=lambda route: -RANK[route]),
        }
        if reading.urgency:
            extra["urgency"] = reading.urgency
        if reading.sender:
            extra["sender"] = reading.sender
        if reading.message_id:
            extra["message_id"] = reading.message_id
        return Observation(
            native_id=reading.native_id,
            kind=Kind.POST,
            author=self.author(),
            text=reading.text,
            url=self.hosts.alert(reading.native_id),
            published_at=known.at,
            extra=extra,
            evidence=tuple(evidence),
        )

    def author(self) -> Author:
        """The agency, by what the page's address and options say of it: the same by every route."""
        setting = self.setting
        handle = setting.slug or None
        return Author(id=setting.agency_id or handle, name=setting.agency or None, handle=handle)

    def profile(self, name: str, description: str, evidence: Sequence[Span]) -> Observation:
        """How the agency introduces itself."""
        setting = self.setting
        text = "\n\n".join(part for part in (name, " ".join(description.split())) if part)
        return Observation(
            native_id=PROFILE_ID,
            kind=Kind.PROFILE,
            author=self.author(),
            text=text,
            url=self.hosts.page(setting.slug) if setting.slug else None,
            evidence=tuple(evidence),
        )

    def spans(self, exchange: Exchange, *places: tuple[int, int]) -> list[Span]:
        """These places of an exchange's body, as far as the exchange is of the batch that is gathered."""
        index = self.gathering.place(exchange)
        if index is None:
            return []
        if not body_of(exchange)[1]:
            places = ((0, len(exchange.body)),)  # compressed unasked: no alert has bytes of its own
        return [Span(index, start, end) for start, end in places if start < end]

    def led_to(self, code: str | None) -> str | None:
        """The alert that a short link leads to, by Nixle's own answer; asked once."""
        if code is None:
            return None
        if code not in self.place.shorts:
            answer = self.gathering.get(
                self.hosts.short_link(code), accept=(*_LEADS, 404, 410), followed=False
            )
            link = answer.header("Location") if answer.status in _LEADS else None
            if answer.status == 200:
                link = pages.names_itself(body_of(answer)[0])
            number = self.hosts.number(link) if link else None
            if number is None:
                return None
            self.place.shorts[code] = number
        return self.place.shorts[code]

    def unnamed(self, what: str, code: str | None) -> None:
        """Note that something is an alert, and that nobody can say which."""
        why = (
            "It names no alert by its number."
            if code is None
            else f"Its short link {code} leads to no alert."
        )
        self.gathering.gaps.append(Gap(what=what, why=why))

    def forget_after(self, now: datetime) -> None:
        """Begin a run: let go of what is no longer compared, and note which routes were ever open."""
        self.place.forget(now)
        self.place.others = self.place.others or self.setting.mailed or self.setting.permitted
