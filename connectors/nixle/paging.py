"""The route by the agency's own page at Nixle, where the agency was permitted that a machine reads it.

Each part of the list is read with every alert that it shows: the list has
headlines only, and its bytes belong to those alerts. While the list is walked,
the part before is read once more, since what is removed meanwhile moves the
rest up over the edge between two parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from connectors.contract import Batch, Exchange, Gap, Observation, Sighting, State
from connectors.errors import NoSuchPage, UnexpectedResponse
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
            part, observations, fresh = self._part(number, now)
            if number > 1:
                observations = [*self._part(number - 1, now)[1], *observations]
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
        again = [one for one in young if PAGE in place.alerts[one].marks]
        for native_id in dict.fromkeys([*place.owed, *again]):
            if native_id not in seeing.read[PAGE] and native_id not in self._failed:
                yield self._asked_again(native_id)

    def _part(self, number: int, now: datetime) -> tuple[pages.Part, list[Observation], bool]:
        """One part of the list, with every alert in it; and whether one of them is new or young."""
        seeing = self._seeing
        answer, part = self.listing(number)
        observations: list[Observation] = []
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
        return part, observations, fresh

    def _asked_again(self, native_id: str) -> Batch:
        """An alert of the last days that the list no longer shows: as it is by its own address, or gone."""
        seeing = self._seeing
        seen, said = self._alert(native_id)
        if seen is not None:
            return seeing.gathering.batch(seeing.place.cursor(), [seeing.observed(seen)])
        if not said or native_id not in seeing.place.alerts:
            return seeing.gathering.batch(seeing.place.cursor())
        seeing.place.alerts[native_id].marks.pop(PAGE, None)
        gone = Sighting(native_id=native_id, state=State.GONE, exchange=seeing.gathering.last, reason=said)
        return seeing.gathering.batch(seeing.place.cursor(), sightings=[gone])

    def _alert(self, native_id: str) -> tuple[Seen | None, str]:
        """One alert's page; where Nixle fails at it, a gap and no answer, and it is asked for until it is told."""
        seeing = self._seeing
        seen: Seen | None = None
        said = ""
        with seeing.gathering.about(f"alert {native_id}", native_id) as asked:
            seen, said = self.alert(native_id)
        place = seeing.place
        place.owed = [one for one in place.owed if one != native_id]
        if asked.gap is not None:
            place.owed.append(native_id)
            self._failed.add(native_id)
            if asked.gap not in seeing.gathering.gaps:
                seeing.gathering.gaps.append(asked.gap)
        return seen, said

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
