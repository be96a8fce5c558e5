"""What the day does for requests: it reminds of what is due, says what waits, and lets go of what is held no longer.

A deadline that is near is told 7, 3 and 1 days before, on its day, and every
day once it has passed, to whoever answers the request. A target that the
agency set itself is told likewise, and never called overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from app import officers
from app.capture import deeds, notices
from app.capture.due import Due as ToDo
from app.db import Tx
from app.disclosure import known as shipped
from app.disclosure import moving, requests
from app.disclosure.clock import Due
from app.disclosure.known import Laws
from app.disclosure.requests import REVIEWING, SELECTING, Request, RequestLawAltered
from app.records.errors import ArchiveError
from app.records.nouns import Role
from app.store.store import Store

TOPIC = "request"
"""The topic of its letters; a mark is `number/deadline/day/step`."""
STEPS = (7, 3, 1, 0)
"""How many days before a deadline somebody is reminded."""
_WHY = "the time for appeals is over"


@dataclass(frozen=True, slots=True)
class News:
    """What a letter tells of: a request, and what is due on it."""

    request: Request
    due: Due
    left: int

    def says(self) -> str:
        """In a few words, for a subject."""
        if self.left > 0:
            return f"due in {self.left} day{'' if self.left == 1 else 's'}"
        if self.left == 0:
            return "due today"
        return "overdue" if self.due.statutory else "the target has passed"


def step(on: date, today: date) -> str | None:
    """Which reminder a day brings: the nearest of `STEPS` that has come, or one for each day once it has passed. Pure."""
    left = (on - today).days
    if left < 0:
        return f"o{today:%Y%m%d}"
    passed = [one for one in STEPS if left <= one]
    return f"{passed[-1]}" if passed else None


def remind(store: Store, tx: Tx, laws: Callable[[], Laws]) -> int:
    """Put the letters that are due to whoever answers each request; return how many were put."""
    today, put = deeds.today(store), 0
    known: Laws | None = None
    for request in _waiting(store, tx)[0]:
        known = known or readable(laws)[0]
        for one in requests.still_due(store, known, request):
            mark = step(one.on, today) if one.on is not None else None
            if mark is not None and one.on is not None:
                text = f"{request.number}/{one.code}/{one.on:%Y%m%d}/{mark}"
                put += notices.write(store, tx, TOPIC, answering(tx, request), mark=text)
    return put


def _waiting(store: Store, tx: Tx) -> tuple[list[Request], ArchiveError | None]:
    """The open requests and those of which an appeal asks for something yet; where the law of one was altered none, and what is wrong: no other letter waits for that."""
    try:
        found = requests.listed(store, tx, states=(SELECTING, REVIEWING))
        return [*found, *requests.closed_under_appeal(store, tx), *requests.closed_and_won(store, tx)], None
    except RequestLawAltered as error:
        return [], error


def readable(laws: Callable[[], Laws]) -> tuple[Laws, ArchiveError | None]:
    """The laws, and what is wrong with the agency's own folder: its calendar is then left out, and nobody goes unreminded."""
    try:
        return laws(), None
    except ArchiveError as error:
        return shipped.of(None), error


def answering(tx: Tx, request: Request) -> list[str]:
    """Whoever answers a request, or all records officers where nobody does who still works here."""
    people = officers.list_all(tx)
    mine = [one.email for one in people if one.id == request.custodian and one.may(*requests.WORKERS)]
    return mine or [one.email for one in people if one.may(Role.RECORDS_OFFICER)]


def news(store: Store, tx: Tx, laws: Laws, mark: str) -> News | None:
    """What the letter of a mark tells; None where it was met, moved or closed meanwhile."""
    which, code, day, _ = mark.split("/", 3)
    request = requests.get(store, tx, which)
    found = next((one for one in requests.still_due(store, laws, request) if one.code == code), None)
    if found is None or found.on is None:
        return None
    if f"{found.on:%Y%m%d}" != day:
        return None
    return News(request, found, (found.on - deeds.today(store)).days)


def to_do(store: Store, tx: Tx, laws: Callable[[], Laws]) -> list[ToDo]:
    """What of requests waits for a person, for the overview and the daily letter."""
    known, wrong = readable(laws)
    found: list[ToDo] = []
    if wrong is not None:
        found.append(
            ToDo("Requests", "/requests", f"The agency's own laws cannot be read: {wrong}", urgent=True)
        )
    waiting, altered = _waiting(store, tx)
    if altered is not None:
        return [
            *found,
            ToDo("Requests", "/audit?type=request", f"{altered}. Call muniment verify.", urgent=True),
        ]
    today = deeds.today(store)
    for request in waiting:
        found += _of(request, requests.still_due(store, known, request), today)
        if requests.won(request):
            found.append(
                _todo(request, "An appeal was not upheld: open the request again, or let go of what is held.")
            )
        elif not request.open:
            found.append(_todo(request, "An appeal waits for its decision."))
    return found


def _todo(request: Request, what: str, *, urgent: bool = False) -> ToDo:
    return ToDo(request.number, f"/requests/{request.number}", what, urgent=urgent)


def _of(request: Request, dues: Sequence[Due], today: date) -> list[ToDo]:
    found = []
    for one in dues:
        standing = one.standing(today)
        if one.on is None or standing not in ("near", "overdue", "target passed"):
            continue
        when = {
            "near": f"due on {one.on}",
            "overdue": f"was due on {one.on}",
            "target passed": f"the target was {one.on}",
        }
        found.append(_todo(request, f"{one.what}: {when[standing]}.", urgent=standing == "overdue"))
    if request.open and request.litigant is None and request.rules.litigant is not None:
        found.append(_todo(request, f"Not answered yet: {request.rules.litigant.question}"))
    return found


def tonight(store: Store, laws: Callable[[], Laws]) -> int:
    """Let go of what is held for closed requests whose time for appeals is over; return for how many."""
    with store.database.read() as tx:
        waiting = requests.closed_and_held(store, tx)
    if not waiting:
        return 0
    today, done, known = deeds.today(store), 0, readable(laws)[0]
    for request in waiting:
        until = requests.kept_until(store, known, request)
        if until is None or today <= until:
            continue
        with store.database.begin() as tx:
            now = requests.fresh(store, tx, request)
            last = requests.kept_until(store, known, now)
            if now.open or now.let_go or last is None or today <= last:
                continue
            moving.let_go(store, tx, known, now, by=None, why=_WHY)
            done += 1
    return done
