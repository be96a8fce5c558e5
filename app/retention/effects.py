"""What a day, another schedule, or a hold would make of the archive. Everything streams through; nothing is changed.

What is in quarantine is not counted. Holds are not looked at here, except those that are asked about: whoever
disposes looks at all of them, in the transaction that destroys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from app.db import Tx
from app.index.engine import Engine
from app.index.keys import Keys
from app.retention import adopted, classifying, judging, known
from app.retention.calendar import DAY, Period, add, next_day
from app.retention.classifying import Rules
from app.retention.decide import Decision, Eligible, KeepUntil, Permanent, Review, eligible
from app.retention.editions import Edition, InForce, Span
from app.retention.facts import Today
from app.retention.judging import PART
from app.retention.known import Beside, Row
from app.retention.preview import NO_SERIES, Preview, kind
from app.retention.schedule import Schedule
from app.retention.sets import must_be_answerable
from app.retention.standing import Standing
from app.store.store import Store

MONTHS = 120
"""Ten years."""


def tally(standing: Standing, tx: Tx, engine: Engine, on: date | None = None) -> Mapping[str, Counter[str]]:
    """How many records of each series stand how on a day, today unless another is named.

    Where other editions bind by then, each record is of the series into which their rules put it.
    """
    now = standing.today(tx)
    judge = standing.judge(tx, now if on is None else Today.plainly(on))
    counts: dict[str, Counter[str]] = {}
    if on is None or on <= now.day or judge.editions.editions == standing.in_force(tx, now.day).editions:
        for one in judging.every(tx, judge):
            counts.setdefault(one.series or NO_SERIES, Counter())[kind(one.decision)] += 1
        return counts
    for row, stands, series in _placed(standing.store, tx, engine, judge.editions, judge):
        counts.setdefault(series or NO_SERIES, Counter())[kind(judge.decide(row, series, stands))] += 1
    return counts


# -- another schedule --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposed:
    """A schedule that is not adopted yet, and what would be in force with it."""

    edition: Edition
    before: InForce
    after: InForce


def proposed(
    store: Store, tx: Tx, schedule: Schedule, engine: Engine, *, instrument: str, since: date
) -> Proposed:
    """What adopting a schedule would put in force; raises what adopting it would."""
    must_be_answerable(schedule, engine, store.agency.zone())
    edition, after = adopted.coming(store, tx, schedule, instrument=instrument, since=since)
    return Proposed(edition, adopted.in_force(store, tx, after.on), after)


def of_adopting(standing: Standing, tx: Tx, engine: Engine, schedule: Schedule, *, since: date) -> Preview:
    """What becomes eligible, what stops being so, and what goes elsewhere, on the first day under another schedule."""
    told = proposed(standing.store, tx, schedule, engine, instrument="a preview", since=since)
    on = max(told.after.on, standing.today(tx).day)
    before = InForce(on, adopted.in_force(standing.store, tx, on).editions)
    was = standing.judge(tx, Today.plainly(on), before)
    comes = standing.judge(tx, Today.plainly(on), InForce(on, told.after.editions))
    found = Preview()
    for row, stands, series in _placed(standing.store, tx, engine, comes.editions, was, comes):
        found.records += 1
        earlier, later = was.decide(row, row.series, stands), comes.decide(row, series, stands)
        mine, theirs = found.of(row.series or NO_SERIES), found.of(series or NO_SERIES)
        before_, after_ = eligible(earlier), eligible(later)
        theirs.becomes += after_ and not before_
        mine.stops += before_ and not after_
        theirs.remains += before_ and after_
        if row.series != series:
            mine.leaves += 1
            theirs.arrives += 1
    return found


def of_classifying(store: Store, tx: Tx, engine: Engine) -> Counter[tuple[str, str]]:
    """How many records the rules in force would put from which series into which; nothing is written."""
    rules = classifying.rules_in_force(store, tx)
    moves: Counter[tuple[str, str]] = Counter()
    for told, (places,) in _parts(store, tx, engine, rules.editions):
        for row in told:
            to = places.get(row.key, (None,))[0]
            if to != row.ruled:
                moves[row.ruled or NO_SERIES, to or NO_SERIES] += 1
    return moves


def _placed(
    store: Store, tx: Tx, engine: Engine, editions: InForce, *judges: judging.Judge
) -> Iterator[tuple[Row, Beside, str | None]]:
    """Each living record with what stands beside it, and the series into which it would come."""
    for row, stands, series in _moved(store, tx, engine, [editions], judges):
        yield row, stands, series[0]


def _moved(
    store: Store, tx: Tx, engine: Engine, under: Sequence[InForce], judges: Sequence[judging.Judge]
) -> Iterator[tuple[Row, Beside, list[str | None]]]:
    """Each living record with what stands beside it, and the series into which it would come under each of these."""
    for told, places in _parts(store, tx, engine, *under):
        to = {row.key: [row.given or one.get(row.key, (None,))[0] for one in places] for row in told}

        def wants(row: Row, to: Mapping[int, list[str | None]] = to) -> bool:
            return any(
                judge.wants_versions(row._replace(given=series))
                for judge in judges
                for series in (row.given, *to[row.key])
            )

        stands = known.beside(tx, told, with_versions=wants, spans=True)
        for row in told:
            yield row, stands, to[row.key]


def _parts(
    store: Store, tx: Tx, engine: Engine, *under: InForce
) -> Iterator[tuple[list[Row], list[Mapping[int, classifying.Place]]]]:
    """The living records in parts, with where the rules of each of these editions would put those that were looked at."""
    asked = [(_rules(editions), classifying.asked_for(store, tx, engine, editions)) for editions in under]
    after = 0
    while told := known.read(tx, known.shown(), after=after, limit=PART):
        yield told, [classifying.placed(store, tx, rules, sets, told) for rules, sets in asked]
        after = told[-1].key


def _rules(editions: InForce) -> Rules:
    """The rules of these editions, adopted or not."""
    rules = [rule.priority for one in editions.editions for rule in one.schedule.classify]
    return Rules(editions, b"", dict.fromkeys(rules, 0))


# -- the years to come -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Month:
    """What becomes eligible in a month, and of that what the hold that was asked about would keep."""

    month: str
    eligible: int = 0
    held: int = 0


@dataclass(slots=True)
class Simulation:
    """How the archive would empty over the years if nothing else happened: month by month, from `start`."""

    start: date
    on: date
    records: int = 0
    months: list[Month] = field(default_factory=list)
    already: Month = field(default_factory=lambda: Month(""))
    later: int = 0
    kept: int = 0
    """Those of which something is missing."""
    permanent: int = 0
    review: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    """By series and decision, as they would stand on the day `on`."""


def simulate(
    standing: Standing,
    tx: Tx,
    engine: Engine,
    *,
    schedule: Schedule | None = None,
    on: date | None = None,
    held: Keys | None = None,
    months: int = MONTHS,
) -> Simulation:
    """When records become eligible if nothing else happens: as things stand, or with another schedule, or a hold.

    `held` is what the hold would cover, as `app.holds.finding.thought_of` tells it.
    """
    store, start = standing.store, standing.today(tx).day
    besides: Edition | None = None
    if schedule is not None:
        told = proposed(store, tx, schedule, engine, instrument="a simulation", since=start)
        start, besides = max(start, told.after.on), told.edition
    day = on or start
    found = Simulation(start=start, on=day, months=[Month(_month(start, number)) for number in range(months)])
    spans = adopted.spans(store, tx, start, max(day, _last_day(start, months)), besides)
    judges = [standing.judge(tx, Today.plainly(one.first), one.editions) for one in spans]
    of_day = max(number for number, one in enumerate(spans) if one.first <= max(day, start))
    then = standing.judge(tx, Today.plainly(day), InForce(day, spans[of_day].editions.editions))
    places = {one.month: one for one in found.months}
    covered = _in_bytes(held or Keys())
    under = spans if schedule is not None else spans[1:]
    for row, stands, series in _as_it_would_be(store, tx, engine, under, judges):
        is_held = row.key >> 3 < len(covered) and bool(covered[row.key >> 3] >> (row.key & 7) & 1)
        _count(found, places, *_in_time(spans, judges, row, series, stands), held=is_held)
        ends = then.decide(row, series[of_day], stands)
        word = "held" if is_held and eligible(ends) else kind(ends)
        found.counts.setdefault(series[of_day] or NO_SERIES, Counter())[word] += 1
    return found


def _in_bytes(keys: Keys) -> bytes:
    """A set of keys in which each is looked up at once, however many there are."""
    return keys.bits.to_bytes((keys.bits.bit_length() + 7) // 8, "little")


def _as_it_would_be(
    store: Store, tx: Tx, engine: Engine, under: Sequence[Span], judges: Sequence[judging.Judge]
) -> Iterator[tuple[Row, Beside, list[str | None]]]:
    """Each living record with its series in each span: as it is now until another edition's rules put it elsewhere."""
    if under:
        for row, stands, series in _moved(store, tx, engine, [one.editions for one in under], judges):
            yield row, stands, series if len(series) == len(judges) else [row.series, *series]
        return
    for told, stands in judging.judged(tx, judges[0]):
        for row in told:
            yield row, stands, [row.series]


def _in_time(
    spans: Sequence[Span],
    judges: Sequence[judging.Judge],
    row: Row,
    series: Sequence[str | None],
    stands: Beside,
) -> tuple[Decision, date | None]:
    """What is decided of a record in the first span in which it becomes eligible, or in the last, and that day."""
    decided = [judge.decide(row, code, stands) for judge, code in zip(judges, series, strict=True)]
    for span, decision in zip(spans, decided, strict=True):
        if isinstance(decision, Eligible):
            return decision, span.first
        if isinstance(decision, KeepUntil) and next_day(decision.until) < span.end:
            return decision, next_day(decision.until)
    return decided[-1], None


def _count(
    found: Simulation,
    places: Mapping[str, Month],
    decision: Decision,
    since: date | None,
    *,
    held: bool,
) -> None:
    found.records += 1
    if since is not None:
        already = isinstance(decision, Eligible) and since == found.start
        place = found.already if already else places.get(f"{since:%Y-%m}")
        if place is None:
            found.later += 1
        elif held:
            place.held += 1
        else:
            place.eligible += 1
        return
    match decision:
        case KeepUntil():
            found.later += 1
        case Permanent():
            found.permanent += 1
        case Review():
            found.review += 1
        case _:
            found.kept += 1


def _last_day(start: date, months: int) -> date:
    """The last day of the last month that is counted."""
    return add(start.replace(day=1), Period(months=months)) - DAY


def _month(start: date, number: int) -> str:
    year, month = divmod(12 * start.year + start.month - 1 + number, 12)
    return f"{year:04}-{month + 1:02}"


def as_json(found: Simulation) -> dict[str, object]:
    """A simulation as programs read it."""
    return {
        "from": str(found.start),
        "on": str(found.on),
        "records": found.records,
        "already": {"eligible": found.already.eligible, "held": found.already.held},
        "months": [{"month": one.month, "eligible": one.eligible, "held": one.held} for one in found.months],
        "later": found.later,
        "kept": found.kept,
        "permanent": found.permanent,
        "review": found.review,
        "series": {code: dict(counts) for code, counts in sorted(found.counts.items())},
    }


def preview_json(found: Preview) -> dict[str, object]:
    """What adopting would do, as programs read it."""
    return {
        "records": found.records,
        "becomes": found.becomes,
        "stops": found.stops,
        "series": [
            {
                "series": code or None,
                "becomes": one.becomes,
                "stops": one.stops,
                "remains": one.remains,
                "arrives": one.arrives,
                "leaves": one.leaves,
            }
            for code, one in sorted(found.by_series.items())
        ],
    }


__all__ = [
    "MONTHS", "Month", "Proposed", "Simulation", "as_json", "of_adopting", "of_classifying", "preview_json",
    "proposed", "simulate", "tally",
]  # fmt: skip
