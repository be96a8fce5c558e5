"""The route by the agency's own page at Nixle, where the agency was permitted that a machine reads it.

Each part of the list is read with every alert that it shows: the list has
headlines only, and its bytes belong to those alerts. While the list is walked,
the part before is read once more, since what is removed meanwhile moves the
rest up over the edge between two parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.contract import Batch, Exchange, Gap, Observation, Sighting, State
from connectors.errors import NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.nixle import pages
from connectors.nixle.gathering import body_of
from connectors.nixle.reading import PAGE
from connectors.nixle.seeing import Seeing, Seen

MOST_PARTS = 500
_NOT_THERE = (404, 410)


class Paging:
    """Reads the agency's list and the pages of its alerts."""

    def __init__(self, seeing: Seeing, now: Callable[[], datetime]) -> None:
        self._seeing, self._now = seeing, now
        self._numbers: set[int] = set()
        self._listed: set[str] = set()
        self._failed: set[str] = set()
        seeing.obtain[PAGE] = lambda native_id: self.alert(native_id)[0]

    def batches(self) -> Iterator[Batch]:
        """Read the list as far as it shows alerts that are new or young, then ask for those young ones it lacks."""
        seeing, now = self._seeing, self._now()
        place = seeing.place
        number = max(place.walk, 1)
        while True:
            observations: list[Observation] = []
            try:
                part, fresh = self._part(number, now, observations)
                if number > 1:
                    before: list[Observation] = []
                    self._part(number - 1, now, before)
                    observations[:0] = before
            except (TryAgainLater, UnexpectedResponse) as error:
                if not self._failed or not seeing.gathering.is_apart(error):
                    raise
                # What failed is owed from now on, so that the next run gets past it.
                place.walk = number
                seeing.gathering.left_to(error)
                yield seeing.gathering.batch(place.cursor(), _once(observations))
                raise
            following = part.following if fresh else None
            if following is not None and number >= MOST_PARTS:
                why = f"Only {MOST_PARTS} parts of its list are read in one pass."
                seeing.gathering.gaps.append(Gap(what="older alerts on the agency's page", why=why))
                following = None
            place.walk = following or 0
            if following is None:
                place.read_to = place.walked_to
            yield seeing.gathering.batch(place.cursor(), _once(observations))
            if following is None:
                break
            number = following
        young = place.young(now, seeing.setting.days, seeing.read[PAGE].keys())
        # Of any other nothing ever showed that it has a page.
        again = [one for one in young if PAGE in place.alerts[one].marks and one not in place.owed]
        owed = [one for one in place.owed if one not in self._failed]
        try:
            for native_id in again:
                yield self._asked_again(native_id)
        except (TryAgainLater, UnexpectedResponse) as error:
            if seeing.gathering.is_apart(error):
                seeing.gathering.left_to(error)
                yield seeing.gathering.batch(place.cursor())
            raise
        yield from self._asked_for_owed(owed)

    def _asked_for_owed(self, owed: Sequence[str]) -> Iterator[Batch]:
        """Those at whose pages Nixle failed before, the one that failed last at the end; where one after the other fails again, no more of them.

        They are gaps, and the pass goes on: mails and the feed stand behind them.
        """
        seeing = self._seeing
        for asked, native_id in enumerate(owed):
            try:
                yield self._asked_again(native_id)
            except (TryAgainLater, UnexpectedResponse) as error:
                if not seeing.gathering.is_apart(error):
                    raise
                seeing.gathering.failed(error)
                seeing.gathering.counts_anew()
                why = "Nixle failed at its page, or at others before it; every later pass asks again."
                gaps = [Gap(what=f"alert {one}", why=why, native_id=one) for one in owed[asked:]]
                yield seeing.gathering.batch(seeing.place.cursor(), gaps=gaps)
                return

    def _part(self, number: int, now: datetime, observations: list[Observation]) -> tuple[pages.Part, bool]:
        """One part of the list, and whether an alert in it is new or young; every one is put among `observations`.

        Those that are owed from before are asked for when the list has been read.
        """
        seeing = self._seeing
        answer, part = self.listing(number)
        if number == 1 and not seeing.setting.fed:
            observations.append(seeing.profile(part.agency, "", seeing.spans(answer, part.title)))
        place = seeing.place
        repeats = bool(part.rows) and all(row.native_id in self._listed for row in part.rows)
        if repeats and part.following and number not in self._numbers:
            raise UnexpectedResponse(f"{answer.url} repeats what was listed before, and the list has no end.")
        self._numbers.add(number)
        self._listed.update(row.native_id for row in part.rows)
        young = set(place.young(now, seeing.setting.days, ()))
        fresh = any(int(row.native_id) > place.read_to or row.native_id in young for row in part.rows)
        place.walked_to = max([place.walked_to, *(int(row.native_id) for row in part.rows)])
        for row in part.rows:
            if row.native_id in place.owed:
                continue
            seen, said = self._alert(row.native_id)
            if seen is None and not said:
                continue  # Nixle fails at it, which is said already
            if seen is None:
                why = f"It stands in the list, and its own page answers {said}."
                seeing.gathering.gaps.append(
                    Gap(what=f"alert {row.native_id}", why=why, native_id=row.native_id)
                )
            else:
                observations.append(seeing.observed(seen, *seeing.spans(answer, row.span)))
        return part, fresh

    def _asked_again(self, native_id: str) -> Batch:
        """An alert of the last days that the list no longer shows, or that is owed: as it is by its own address, or gone."""
        seeing = self._seeing
        observed: list[Observation] = []
        gone: list[Sighting] = []
        seen, said = self._alert(native_id)
        if seen is not None:
            observed = [seeing.observed(seen)]
        elif said and native_id in seeing.place.alerts:
            seeing.place.alerts[native_id].marks.pop(PAGE, None)
            shows = seeing.gathering.last
            gone = [Sighting(native_id=native_id, state=State.GONE, exchange=shows, reason=said)]
        elif said:
            why = f"It stood in the list, where Nixle failed at its page, which now answers {said}."
            seeing.gathering.gaps.append(Gap(what=f"alert {native_id}", why=why, native_id=native_id))
        return seeing.gathering.batch(seeing.place.cursor(), observed, sightings=gone)

    def _alert(self, native_id: str) -> tuple[Seen | None, str]:
        """One alert's page; where Nixle fails at it, a gap and no answer, and it is asked for until it is told."""
        seeing = self._seeing
        seen: Seen | None = None
        said = ""
        try:
            with seeing.gathering.about(f"alert {native_id}", native_id) as asked:
                seen, said = self.alert(native_id)
        except (TryAgainLater, UnexpectedResponse) as error:
            if seeing.gathering.is_apart(error):
                self._owes(native_id)
            raise
        if asked.gap is None:
            seeing.place.owed = [one for one in seeing.place.owed if one != native_id]
        else:
            self._owes(native_id)
            if asked.gap not in seeing.gathering.gaps:
                seeing.gathering.gaps.append(asked.gap)
        return seen, said

    def _owes(self, native_id: str) -> None:
        """Nixle fails at an alert's page: it is the last to be asked for again."""
        place = self._seeing.place
        place.owed = [*(one for one in place.owed if one != native_id), native_id]
        self._failed.add(native_id)

    def standing(self, native_id: str) -> Sighting:
        """How an alert stands by its own address; gone is what Nixle itself answers 404 or 410 to."""
        gathering = self._seeing.gathering
        before = gathering.last
        try:
            seen, said = self.alert(native_id, anew=True)
        except UnexpectedResponse as fault:
            if gathering.last == before:
                raise  # no whole answer came
            # Another agency's page, or one that asks to sign in, says nothing of the alert.
            return Sighting(
                native_id=native_id, state=State.UNKNOWN, exchange=gathering.last, reason=str(fault)
            )
        state = State.GONE if seen is None else State.PRESENT
        return Sighting(native_id=native_id, state=state, exchange=gathering.last, reason=said)

    def listing(self, number: int) -> tuple[Exchange, pages.Part]:
        """One part of the agency's list, read."""
        setting = self._seeing.setting
        answer = self._seeing.gathering.get(self._seeing.hosts.page(setting.slug, number), accept=_NOT_THERE)
        if answer.status in _NOT_THERE:
            if number > 1:  # how Nixle says that the list has come to its end
                return answer, pages.Part(agency="", title=(0, 0), rows=(), following=None)
            raise NoSuchPage(f"Nixle has no page {answer.url} ({answer.status}). Correct the page's address.")
        try:
            part = pages.listing(body_of(answer)[0], number)
        except pages.NotThePage as fault:
            raise UnexpectedResponse(f"{answer.url} is not the agency's page: {fault}.") from fault
        if not setting.is_agency(part.agency):
            raise UnexpectedResponse(
                f"{answer.url} is the page of {part.agency!r} and not of {setting.agency!r}. Correct the page's "
                "address or the option `agency`."
            )
        return answer, part

    def alert(self, native_id: str, *, anew: bool = False) -> tuple[Seen | None, str]:
        """One alert's page, read once in a run unless `anew`; None where Nixle says that there is none; its answer."""
        seeing, setting = self._seeing, self._seeing.setting
        known = seeing.read[PAGE].get(native_id)
        if known is not None and not anew:
            return known, ""
        answer = seeing.gathering.get(seeing.hosts.alert(native_id), accept=_NOT_THERE)
        said = f"{answer.status} {answer.reason}".rstrip()
        if answer.status in _NOT_THERE:
            return None, said
        try:
            shown = pages.alert(body_of(answer)[0], native_id)
        except pages.NotThePage as fault:
            raise UnexpectedResponse(f"{answer.url} is not the alert's page: {fault}.") from fault
        named = bool(setting.agency) and setting.is_agency(shown.agency)
        if shown.slug != setting.slug and not named:
            raise UnexpectedResponse(
                f"{answer.url} shows an alert of {shown.agency!r}, which is another agency than {setting.slug!r}."
            )
        seen = seeing.read[PAGE][native_id] = Seen(shown.reading, answer, (0, len(answer.body)))
        return seen, said


def _once(observations: list[Observation]) -> list[Observation]:
    """Each alert once, with all that shows it: two parts of the list may overlap."""
    found: dict[str, Observation] = {}
    for one in observations:
        before = found.get(one.native_id)
        found[one.native_id] = one if before is None else _joined(one, before)
    return list(found.values())


def _joined(one: Observation, before: Observation) -> Observation:
    return replace(one, evidence=tuple(dict.fromkeys((*before.evidence, *one.evidence))))
