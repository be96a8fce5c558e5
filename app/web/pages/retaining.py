"""Retention for people: schedules and what adopting one would do, how records stand, why one is kept, the years to come."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from app import officers
from app.capture import deeds
from app.db import Tx
from app.holds import searching
from app.records.errors import ArchiveError, Invalid
from app.records.nouns import Officer, Role
from app.retention import adopted, classifying, effects, explaining, picture, recording, reviews
from app.retention import schedules as schedules_
from app.retention.classify import asks, in_order
from app.retention.editions import InForce
from app.retention.lines import Problem
from app.retention.remarks import remarks
from app.retention.schedule import DISPOSED, EVENTS, FIRST_SEEN, PUBLISHED, Schedule, sentence
from app.retention.schedules import BadSchedule
from app.web import naming
from app.web.api import retention as api
from app.web.api import schedules as api_schedules
from app.web.api.retention import MayRecord
from app.web.api.schedules import MayKeepSchedules, MaySeeSchedules
from app.web.forms import Posted, reason
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import show
from app.web.transactions import ReadTx, RequestTx
from app.web.who import READERS, MayRead, messages

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Line = Annotated[str, Form(max_length=4_000)]
Day = Annotated[str, Form(max_length=10)]
KINDS = {
    "destroy": "To destroy",
    "transfer": "To transfer",
    "keep_until": "Kept until a day",
    "keep": "Kept, something is missing",
    "review": "To review later",
    "review_due": "Due for review",
    "permanent": "Permanent",
    "held": "Held",
}
_LARGEST = 700_000
"""A schedule of this many bytes still fits into a form."""
_LISTED = 200
"""So many records are listed for review at once; all are counted."""


class TooLargeASchedule(Invalid):
    """A schedule that is too large for a page."""

    code = "schedule-too-large"


# -- how records stand -------------------------------------------------------------------------------------


@router.get("/retention")
def standing(
    request: Request,
    officer: MaySeeSchedules,
    here: Here,
    on: Annotated[str, Query(max_length=10)] = "",
    classify: Annotated[str, Query(pattern="^(preview)?$")] = "",
) -> Response:
    """Series and decisions, and what classifying would change."""
    return _standing(request, officer, here, on=on, classify=classify)


def _standing(
    request: Request,
    officer: Officer,
    here: Parts,
    *,
    on: str = "",
    classify: str = "",
    mistake: ArchiveError | None = None,
) -> Response:
    day = deeds.day(on)
    if classify:
        classifying.follow(here.store)
    with here.store.database.read() as tx:
        counts = sorted(effects.tally(here.standing(), tx, searching.whole(here.index), day).items())
        today = here.standing().today(tx)
        moves = None
        if classify:
            moves = effects.of_classifying(here.store, tx, searching.whole(here.index))
        values: dict[str, Any] = {
            "doubt": today.doubt,
            "adopted": bool(here.standing().in_force(tx, today.day).editions),
            "due": classifying.due(here.store, tx),
            "on": day or today.day,
        }
    return show(
        request,
        "retention.html",
        status_code=status_of(mistake) if mistake else 200,
        counts=counts,
        kinds=[kind for kind in KINDS if any(found.get(kind) for _, found in counts)],
        KINDS=KINDS,
        on_given=on,
        moves=None if moves is None else sorted(moves.items()),
        moved=sum(moves.values()) if moves else 0,
        may_keep=_may_keep(officer),
        mistake=mistake,
        **values,
    )


@router.post("/retention/classify", dependencies=[Posted])
def classify(request: Request, officer: MayKeepSchedules, here: Here, why: Line = "") -> Response:
    """Classify now what the rules in force say otherwise of."""
    try:
        api.classify_now(here, by=officer, why=why)
    except Invalid as error:
        return _standing(request, officer, here, classify="preview", mistake=error)
    return RedirectResponse("/retention", 303)


@router.get("/retention/years")
def years(
    request: Request,
    officer: MaySeeSchedules,
    here: Here,
    hold: Annotated[str, Query(max_length=100_000)] = "",
    on: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """When records become eligible in the next ten years, as a picture and as a table; and how they stand on a day."""
    return _years(request, officer, here, hold=hold, on=on)


@router.post("/retention/years", dependencies=[Posted])
def years_under(
    request: Request,
    officer: MaySeeSchedules,
    here: Here,
    file: UploadFile | None = None,
    shipped: Line = "",
    hold: Annotated[str, Form(max_length=100_000)] = "",
    on: Day = "",
) -> Response:
    """The same under a schedule that is not adopted: a file that is handed over, or one that comes with the program."""
    try:
        candidate = _candidate(file, shipped)
    except ArchiveError as error:
        return _years(request, officer, here, hold=hold, on=on, shipped=shipped, mistake=error)
    return _years(request, officer, here, hold=hold, on=on, shipped=shipped, candidate=candidate)


def _candidate(file: UploadFile | None, shipped: str) -> Schedule:
    """The schedule that is asked about; a file counts before what was chosen."""
    content = file.file.read(_LARGEST + 1) if file is not None and file.filename else b""
    if len(content) > _LARGEST:
        raise TooLargeASchedule(
            "this schedule is too large for a page", next="Ask about it on the command line."
        )
    if content:
        return adopted.read(content, file.filename if file is not None and file.filename else "schedule")
    if shipped not in schedules_.shipped():
        raise Invalid("no schedule is named", next="Choose a file, or one of the list.")
    return schedules_.load(schedules_.shipped()[shipped])


def _years(
    request: Request,
    officer: Officer,
    here: Parts,
    *,
    hold: str,
    on: str = "",
    shipped: str = "",
    candidate: Schedule | None = None,
    mistake: ArchiveError | None = None,
) -> Response:
    found, adopting = None, None
    if mistake is None:
        try:
            found, adopting = api.simulated(
                here, by=officer, on=deeds.day(on), hold=hold.strip() or None, schedule=candidate
            )
        except ArchiveError as error:
            mistake = error
    return show(
        request,
        "retention-years.html",
        status_code=status_of(mistake) if mistake else 200,
        found=found,
        adopting=adopting,
        candidate=candidate if found else None,
        said=picture.said(found) if found else "",
        drawn=Markup(picture.draw(found)) if found else "",  # noqa: S704 - numbers and months of our own, escaped there
        hold=hold,
        on_given=on,
        counts=sorted(found.counts.items()) if found else [],
        kinds=[kind for kind in KINDS if found and any(one.get(kind) for one in found.counts.values())],
        KINDS=KINDS,
        ready=_ready(),
        shipped=shipped,
        problems=mistake.problems if isinstance(mistake, BadSchedule) else (),
        mistake=mistake,
    )


@cache
def _ready() -> Sequence[tuple[str, str]]:
    """The schedules that come with the program and could be adopted: name, and title with edition."""
    read = ((name, schedules_.load(file)) for name, file in schedules_.shipped().items())
    return [(name, f"{one.title}, {one.edition}") for name, one in read if not one.placeholder]


# -- many records at once ----------------------------------------------------------------------------------


@router.get("/retention/many")
def many(request: Request, officer: MayRecord, here: Here) -> Response:
    """Where something is recorded of every record that a query finds."""
    return _many(request, officer, here)


@router.post("/retention/many", dependencies=[Posted])
def record_many(
    request: Request,
    officer: MayRecord,
    here: Here,
    query: Annotated[str, Form(max_length=100_000)] = "",
    records: Annotated[str, Form(max_length=500_000)] = "",
    file: UploadFile | None = None,
    act: Annotated[str, Form(pattern="^(event|extend|review)$")] = "event",
    name: Line = "",
    on: Day = "",
    until: Day = "",
    about: Line = "",
    evidence: Line = "",
    corrects: Line = "",
    last: Day = "",
    found: Line = "",
    again: Day = "",
    seen: Annotated[str, Form(max_length=20)] = "",
    step: Line = "preview",
    why: Line = "",
) -> Response:
    """First how many there are, then one entry for all of them; asked again where their number changed meanwhile."""
    given = {
        "query": query, "records": records, "act": act, "name": name, "on": on, "until": until, "about": about,
        "evidence": evidence, "corrects": corrects, "last": last, "found": found, "again": again, "why": why,
    }  # fmt: skip
    total, made = None, None
    try:
        named = naming.named(
            records, file, most=api.MOST_NAMED, longer="Name them on the command line: --records FILE."
        )
        given["records"] = "\n".join(str(one) for one in named)
        if bool(query.strip()) is bool(named):
            raise recording.NothingRecorded(
                "name the records, or give a query",
                next="Write which records: a query, as in a search, or their ids. One of the two.",
            )
        with here.store.database.begin() as tx:
            if named:
                api.must_be_there(tx, named, by=officer)
            ids = named or api.all_of(here, tx, query, by=officer)
            total = len(ids)
            if step == "record" and seen == str(total):
                made = _recorded(here, tx, ids, given, by=officer)
    except ArchiveError as error:
        return _many(request, officer, here, error, total=total, **given)
    if made is None:
        return _many(request, officer, here, None, total=total, changed=step == "record", **given)
    return _many(request, officer, here, made=made)


def _correcting(text: str) -> UUID | None:
    """Which record of an event is put right; none where nothing is named."""
    try:
        return UUID(text.strip()) if text.strip() else None
    except ValueError as error:
        raise recording.NoSuchEvent(
            f"{text[:60]!r} is no event's reference", next="Copy it from where it was recorded."
        ) from error


def _recorded(
    here: Parts, tx: Tx, ids: Sequence[UUID], given: dict[str, str], *, by: Officer
) -> recording.Recorded:
    why = reason(given["why"])
    match given["act"]:
        case "extend":
            last = deeds.day(given["last"])
            if last is None:
                raise deeds.BadDate("no day is given", next="Give the last day on which they are kept.")
            return recording.extend(here.store, tx, ids, last, by=by, why=why)
        case "review":
            again = deeds.day(given["again"])
            return api.reviewed(here, tx, list(ids), found=given["found"], again=again, by=by, why=why)
        case _:
            return recording.event(
                here.store,
                tx,
                ids,
                given["name"],
                on=deeds.day(given["on"]),
                until=deeds.day(given["until"]),
                about=given["about"],
                evidence=given["evidence"],
                corrects=_correcting(given["corrects"]),
                by=by,
                why=why,
            )


def _many(
    request: Request, officer: Officer, here: Parts, mistake: ArchiveError | None = None, **values: Any
) -> Response:
    del officer
    with here.store.database.read() as tx:
        events = _events(here.standing().in_force(tx, deeds.today(here.store)))
    empty = dict.fromkeys(
        (
            "query", "records", "name", "on", "until", "about", "evidence", "corrects", "last", "found", "again",
            "why",
        ),
        "",
    )  # fmt: skip
    shown: dict[str, Any] = {**empty, "act": "event", "total": None, "changed": False, "made": None, **values}
    return show(
        request,
        "retention-many.html",
        status_code=status_of(mistake) if mistake else 200,
        events=events,
        what=explaining.what,
        as_of=here.position(),
        mistake=mistake,
        **shown,
    )


def _events(held: InForce) -> list[tuple[str, str]]:
    """The events that somebody may record under these editions, with what each says."""
    own = {name: words for edition in held.editions for name, words in edition.schedule.events.items()}
    every = {**EVENTS, **own, DISPOSED: "the records of another series were disposed of"}
    return [(name, words) for name, words in every.items() if name not in (PUBLISHED, FIRST_SEEN)]


# -- reviews -----------------------------------------------------------------------------------------------


@router.get("/retention/reviews")
def list_reviews(request: Request, officer: MaySeeSchedules, here: Here) -> Response:
    """What a person is to review by now, and where they say what they found."""
    return _reviews(request, officer, here)


@router.post("/retention/reviews", dependencies=[Posted])
def review(
    request: Request,
    officer: MayRecord,
    here: Here,
    record: Annotated[list[UUID], Form()] = [],  # noqa: B006 - FastAPI copies it
    found: Line = "",
    again: Day = "",
    why: Line = "",
) -> Response:
    """Record that the chosen records were reviewed."""
    try:
        with here.store.database.begin() as tx:
            api.reviewed(here, tx, record, found=found, again=deeds.day(again), by=officer, why=why)
    except ArchiveError as error:
        given = {"chosen": {str(one) for one in record}, "found": found, "again": again, "why": why}
        return _reviews(request, officer, here, error, **given)
    return RedirectResponse("/retention/reviews", 303)


def _reviews(
    request: Request, officer: Officer, here: Parts, mistake: ArchiveError | None = None, **given: Any
) -> Response:
    with here.store.database.read() as tx:
        standing = here.standing()
        due = reviews.due(standing, tx, messages=messages(officer), most=_LISTED)
        doubt = standing.today(tx).doubt
    return show(
        request,
        "retention-reviews.html",
        status_code=status_of(mistake) if mistake else 200,
        due=due,
        doubt=doubt,
        may_keep=_may_keep(officer),
        may_read=officer.may(*READERS),
        mistake=mistake,
        **({"chosen": set(), "found": "", "again": "", "why": ""} | given),
    )


# -- schedules ---------------------------------------------------------------------------------------------


@router.get("/schedules")
def schedules(request: Request, officer: MaySeeSchedules, here: Here, tx: ReadTx) -> Response:
    """Every edition that was adopted."""
    found = adopted.listed(here.store, tx)
    return show(
        request, "schedules.html", found=found, today=deeds.today(here.store), may_keep=_may_keep(officer)
    )


@router.get("/schedules/adopt")
def adopt_form(request: Request, officer: MayKeepSchedules) -> Response:
    """Where a schedule is handed over, to see first what it would do."""
    del officer
    return _adopting(request)


def _adopting(request: Request, mistake: ArchiveError | None = None, **values: Any) -> Response:
    problems: Sequence[Problem] = mistake.problems if isinstance(mistake, BadSchedule) else ()
    return show(
        request,
        "schedule-adopt.html",
        status_code=status_of(mistake) if mistake else 200,
        mistake=mistake,
        problems=problems,
        **({"schedule": None, "instrument": "", "since_given": ""} | values),
    )


@router.post("/schedules/preview", dependencies=[Posted])
def preview(
    request: Request,
    officer: MayKeepSchedules,
    here: Here,
    file: UploadFile,
    instrument: Line = "",
    since: Annotated[str, Form(alias="from", max_length=10)] = "",
) -> Response:
    """What adopting it would do, with the form that confirms it."""
    del officer
    given = {"instrument": instrument, "since_given": since}
    try:
        content = file.file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise TooLargeASchedule(
                "this schedule is too large for a page", next="Adopt it on the command line."
            )
        day = deeds.day(since)
        schedule = adopted.read(content, file.filename or "schedule")
        told = api_schedules.previewed(here, content, day)
    except ArchiveError as error:
        return _adopting(request, error, **given)
    begins = day or deeds.today(here.store)
    return _adopting(
        request,
        None,
        **{
            **given,
            "schedule": schedule,
            "told": told,
            "notes": remarks(schedule),
            "since": max(begins, schedule.effective or begins),
            "past": begins < deeds.today(here.store),
            "digest": hashlib.sha256(content).hexdigest(),
            "content": base64.b64encode(content).decode(),
        },
    )


@router.post("/schedules/adopt", dependencies=[Posted])
def adopt(
    request: Request,
    officer: MayKeepSchedules,
    here: Here,
    content: Annotated[str, Form(max_length=1_000_000)] = "",
    instrument: Line = "",
    since: Annotated[str, Form(alias="from", max_length=10)] = "",
    why: Line = "",
) -> Response:
    """Adopt what was previewed, byte for byte."""
    try:
        file = base64.b64decode(content, validate=True)
        with here.store.database.begin() as tx:
            made = api_schedules.adopt_now(here, tx, file, instrument, deeds.day(since), by=officer, why=why)
    except ValueError as error:  # binascii's are, and so is what is not ASCII
        mistake = Invalid("what was sent is no file", next="Choose it again.")
        mistake.__cause__ = error
        return _adopting(request, mistake, instrument=instrument, since_given=since)
    except ArchiveError as refused:
        return _adopting(request, refused, instrument=instrument, since_given=since)
    return RedirectResponse(f"/schedules/{made.id}", 303)


@router.get("/schedules/{schedule}")
def schedule(request: Request, schedule: UUID, officer: MaySeeSchedules, here: Here) -> Response:
    """An edition with its series and rules."""
    return _schedule(request, schedule, officer, here)


def _schedule(
    request: Request, identity: UUID, officer: Officer, here: Parts, mistake: ArchiveError | None = None
) -> Response:
    with here.store.database.read() as tx:
        one = adopted.get(here.store, tx, identity)
        people = officers.emails(tx)
    found = one.edition.schedule
    return show(
        request,
        "schedule.html",
        status_code=status_of(mistake) if mistake else 200,
        one=one,
        schedule=found,
        today=deeds.today(here.store),
        people=people,
        rules=in_order(InForce(one.edition.since, (one.edition,))),
        asks=asks,
        sentence_of=lambda series: sentence(found, series.rule),
        notes=remarks(found),
        may_keep=_may_keep(officer),
        mistake=mistake,
    )


@router.get("/schedules/{schedule}/file")
def schedule_file(schedule: UUID, officer: MaySeeSchedules, here: Here, tx: ReadTx) -> Response:
    """The exact bytes that were adopted."""
    del officer
    return api_schedules.as_file(tx, adopted.get(here.store, tx, schedule))


@router.post("/schedules/{schedule}/end", dependencies=[Posted])
def end(
    request: Request, schedule: UUID, officer: MayKeepSchedules, here: Here, on: Day = "", why: Line = ""
) -> Response:
    """End an edition that none takes the place of."""
    try:
        day = deeds.day(on) or deeds.today(here.store)
        with here.store.database.begin() as tx:
            one = adopted.get(here.store, tx, schedule)
            adopted.end(here.store, tx, one, on=day, by=officer.id, why=reason(why))
    except ArchiveError as error:
        return _schedule(request, schedule, officer, here, error)
    return RedirectResponse(f"/schedules/{schedule}", 303)


# -- one record --------------------------------------------------------------------------------------------


@router.get("/records/{record}/retention")
def why_kept(request: Request, record: UUID, officer: MayRead, here: Here, tx: RequestTx) -> Response:
    """Why a record is kept, until when, and what an officer may know better."""
    return _why_kept(request, record, officer, here, tx)


def _why_kept(
    request: Request,
    record: UUID,
    officer: Officer,
    here: Parts,
    tx: Tx,
    mistake: ArchiveError | None = None,
) -> Response:
    told = api.explained(here, tx, record, by=officer)
    held = here.standing().in_force(tx, told.today.day)
    return show(
        request,
        "record-retention.html",
        status_code=status_of(mistake) if mistake else 200,
        told=told,
        lines=explaining.lines(told),
        standing=[one for one in told.events if one.superseded_entry is None],
        what=explaining.what,
        codes=sorted(one.code for edition in held.editions for one in edition.schedule.series),
        events=_events(held),
        may_keep=_may_keep(officer),
        may_record=_may_record(officer),
        mistake=mistake,
    )


@router.post("/records/{record}/retention/assign", dependencies=[Posted])
def assign(
    request: Request, record: UUID, officer: MayKeepSchedules, here: Here, series: Line = "", why: Line = ""
) -> Response:
    """Put it into a series, or let the rules count again."""

    def do(tx: Tx) -> None:
        if series:
            recording.assign(here.store, tx, [record], series, by=officer, why=reason(why))
        else:
            recording.unassign(here.store, tx, [record], by=officer, why=reason(why))

    return _done(request, record, officer, here, do)


@router.post("/records/{record}/retention/event", dependencies=[Posted])
def event(
    request: Request,
    record: UUID,
    officer: MayRecord,
    here: Here,
    name: Line = "",
    on: Day = "",
    until: Day = "",
    about: Line = "",
    evidence: Line = "",
    corrects: Line = "",
    why: Line = "",
) -> Response:
    """Record what happened to it."""

    def do(tx: Tx) -> None:
        recording.event(
            here.store,
            tx,
            [record],
            name,
            on=deeds.day(on),
            until=deeds.day(until),
            about=about,
            evidence=evidence,
            corrects=_correcting(corrects),
            by=officer,
            why=reason(why),
        )

    return _done(request, record, officer, here, do)


@router.post("/records/{record}/retention/take-back", dependencies=[Posted])
def take_back(
    request: Request,
    record: UUID,
    officer: MayRecord,
    here: Here,
    event: Annotated[UUID, Form()],
    why: Line = "",
) -> Response:
    """Say that an event was recorded by mistake; it counts no more, and stays to be read."""

    def do(tx: Tx) -> None:
        recording.take_back(here.store, tx, event, by=officer, why=reason(why))

    return _done(request, record, officer, here, do)


@router.post("/records/{record}/retention/extend", dependencies=[Posted])
def extend(
    request: Request, record: UUID, officer: MayRecord, here: Here, until: Day = "", why: Line = ""
) -> Response:
    """Keep it longer than its schedule asks."""

    def do(tx: Tx) -> None:
        last = deeds.day(until)
        if last is None:
            raise deeds.BadDate("no day is given", next="Give the last day on which it is kept.")
        recording.extend(here.store, tx, [record], last, by=officer, why=reason(why))

    return _done(request, record, officer, here, do)


@router.post("/records/{record}/retention/review", dependencies=[Posted])
def review_one(
    request: Request,
    record: UUID,
    officer: MayRecord,
    here: Here,
    found: Line = "",
    again: Day = "",
    why: Line = "",
) -> Response:
    """Say that somebody reviewed it, what they found, and when it is to be reviewed again."""

    def do(tx: Tx) -> None:
        api.reviewed(here, tx, [record], found=found, again=deeds.day(again), by=officer, why=why)

    return _done(request, record, officer, here, do)


def _done(
    request: Request, record: UUID, officer: Officer, here: Parts, do: Callable[[Tx], None]
) -> Response:
    """Do it and show the record again; where it is refused, show why beside the form."""
    try:
        with here.store.database.begin() as tx:
            api.must_be_there(tx, [record], by=officer)
            do(tx)
    except ArchiveError as error:
        with here.store.database.begin() as tx:
            return _why_kept(request, record, officer, here, tx, error)
    return RedirectResponse(f"/records/{record}/retention", 303)


def _may_keep(officer: Officer) -> bool:
    return officer.may(Role.RECORDS_OFFICER)


def _may_record(officer: Officer) -> bool:
    return officer.may(Role.RECORDS_OFFICER, Role.ATTORNEY)
