"""Retention: schedules checked, adopted and ended; records classified, explained, assigned; the years to come."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from app.capture import deeds, records
from app.capture.records import NoSuchRecord
from app.cli.answer import Answer, say, table
from app.cli.session import READERS, Session, reason, session
from app.db import Tx
from app.holds import covering, finding, searching
from app.index.source import identities
from app.records.errors import Invalid
from app.records.ids import of_file
from app.records.nouns import Disposed, Role
from app.retention import adopted, effects, explaining, picture, recording, reviews, schedules
from app.retention.adopted import Adopted
from app.retention.preview import NO_SERIES, Preview
from app.retention.recording import Recorded
from app.retention.remarks import remarks
from app.retention.schedule import Schedule, sentence
from app.retention.schedules import BadSchedule
from app.store import quarantine

INVALID = 2
MAY_SEE = (*READERS, Role.APPROVER, Role.ADMINISTRATOR)
KINDS = {
    "destroy": "to destroy",
    "transfer": "to transfer",
    "keep_until": "kept until a day",
    "keep": "kept, something is missing",
    "review": "to review later",
    "review_due": "due for review",
    "permanent": "permanent",
    "held": "held",
}
"""What is decided, as the columns of a preview."""


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    schedule = commands.add_parser("schedule", help="retention schedules").add_subparsers(
        dest="schedule", required=True, metavar="ACT"
    )
    check = schedule.add_parser(
        "check",
        parents=[common],
        help="read schedules and tell everything that is wrong in them; needs no archive",
    )
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.set_defaults(run=_check)
    adopt = schedule.add_parser("adopt", parents=[common], help="adopt a schedule: it binds from now on")
    adopt.add_argument("file", type=Path, metavar="FILE")
    adopt.add_argument(
        "--instrument", default="", help="what makes it the agency's: a resolution, an order, a letter"
    )
    adopt.add_argument(
        "--from", dest="since", metavar="DATE", help="from which day it binds; today unless it says"
    )
    adopt.add_argument("--preview", action="store_true", help="only say what it would do")
    adopt.set_defaults(run=_adopt)
    schedule.add_parser("list", parents=[common], help="the editions that were adopted").set_defaults(
        run=_list
    )
    show = schedule.add_parser("show", parents=[common], help="an edition with its series and rules")
    show.add_argument("id")
    show.add_argument("--out", type=Path, metavar="FILE", help="write the exact bytes that were adopted")
    show.set_defaults(run=_show)
    end = schedule.add_parser("end", parents=[common], help="end an edition that none takes the place of")
    end.add_argument("id")
    end.add_argument("--on", metavar="DATE", help="the first day on which it binds no more; today")
    end.set_defaults(run=_end)
    _add_retention(commands, common)


def _add_retention(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    acts = commands.add_parser("retention", help="how records stand under the schedules").add_subparsers(
        dest="retention", required=True, metavar="ACT"
    )
    preview = acts.add_parser("preview", parents=[common], help="how many records of each series stand how")
    preview.add_argument("--on", metavar="DATE", help="on that day; today")
    preview.set_defaults(run=_preview)
    explain = acts.add_parser("explain", parents=[common], help="why a record is kept, and until when")
    explain.add_argument("record")
    explain.set_defaults(run=_explain)
    classify = acts.add_parser(
        "classify", parents=[common], help="put records into series by the rules in force"
    )
    classify.add_argument("--preview", action="store_true", help="only count what would go where")
    classify.set_defaults(run=_classify)
    assign = acts.add_parser(
        "assign", parents=[common], help="put a record into a series, whatever the rules say"
    )
    assign.add_argument("record")
    assign.add_argument("series")
    assign.set_defaults(run=_assign)
    back = acts.add_parser("unassign", parents=[common], help="let the rules count again")
    back.add_argument("record")
    back.set_defaults(run=_unassign)
    event = acts.add_parser("event", parents=[common], help="record what happened to a record, or to many")
    event.add_argument("record", nargs="?", help="a record; or name many with --query or --records")
    event.add_argument("name", help="the event, as the schedule calls it")
    event.add_argument("--on", metavar="DATE", help="on which day; without one, nobody knows")
    event.add_argument("--until", metavar="DATE", help="at the latest, where the day is not known")
    event.add_argument("--series", default="", metavar="CODE", help="for which series: declared, disposed")
    event.add_argument("--evidence", default="", help="what shows it: a letter, a case number")
    event.add_argument("--corrects", metavar="EVENT", help="an earlier event that then counts no more")
    _many(event)
    event.set_defaults(run=_event)
    take = acts.add_parser("take-back", parents=[common], help="an event that was recorded by mistake")
    take.add_argument("event")
    take.set_defaults(run=_take_back)
    extend = acts.add_parser("extend", parents=[common], help="keep a record longer than its schedule asks")
    extend.add_argument("record", nargs="?")
    extend.add_argument("--until", required=True, metavar="DATE")
    _many(extend)
    extend.set_defaults(run=_extend)
    acts.add_parser("reviews", parents=[common], help="the records that a person is to review").set_defaults(
        run=_reviews
    )
    review = acts.add_parser("review", parents=[common], help="record that somebody reviewed a record")
    review.add_argument("record", nargs="?")
    review.add_argument("--found", default="", help="what the review found")
    review.add_argument("--again", metavar="DATE", help="the day of the next review")
    _many(review)
    review.set_defaults(run=_review)
    simulate = acts.add_parser(
        "simulate", parents=[common], help="when records become eligible in the years to come"
    )
    simulate.add_argument("--schedule", type=Path, metavar="FILE", help="as if this schedule were adopted")
    simulate.add_argument("--hold", metavar="QUERY", help="as if a hold covered what this finds")
    simulate.add_argument("--on", metavar="DATE", help="count series and decisions as of that day")
    simulate.add_argument("--svg", type=Path, metavar="FILE", help="draw the picture")
    simulate.set_defaults(run=_simulate)


def _many(command: argparse.ArgumentParser) -> None:
    command.add_argument("--query", metavar="QUERY", help="every record that this finds")
    command.add_argument("--records", type=Path, metavar="FILE", help="the records of a file, one id a line")


# -- schedules ---------------------------------------------------------------------------------------------


def _check(asked: argparse.Namespace) -> Answer:
    """Every file is read, so that one mistake does not hide those of the next."""
    told: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    refused: list[BadSchedule] = []
    lines: list[str] = []
    for file in asked.files:
        try:
            schedule = schedules.load(file)
        except BadSchedule as bad:
            refused.append(bad)
            found = [_problem(bad, place) for place in range(len(bad.problems))]
            errors += found
            told.append({"file": str(file), "valid": False, "errors": found})
            lines += [f"{one['file']}:{one['line']}: {one['message']}\n    {one['remedy']}" for one in found]
        else:
            told.append(_shown(file, schedule))
            lines += _lines(file, schedule)
    value: dict[str, Any] = {"valid": not errors, "files": told, "errors": errors}
    if refused:  # in the shape of every other refusal, the first one
        first = refused[0]
        value["error"] = {"code": first.code, "message": str(first), "next": first.next}
    return Answer(value, lines, INVALID if errors else 0)


def _problem(bad: BadSchedule, place: int) -> dict[str, Any]:
    one = bad.problems[place]
    return {"code": bad.code, "file": bad.file, "line": one.line, "message": one.what, "remedy": one.remedy}


def _shown(file: Path, schedule: Schedule) -> dict[str, Any]:
    return {
        "file": str(file),
        "valid": True,
        "errors": [],
        "jurisdiction": schedule.jurisdiction,
        "authority": schedule.authority,
        "title": schedule.title,
        "edition": schedule.edition,
        "effective": str(schedule.effective) if schedule.effective else None,
        "placeholder": schedule.placeholder or None,
        "series": [
            {
                "code": one.code,
                "title": one.title,
                "verified": one.verified,
                "rule": sentence(schedule, one.rule),
                "line": one.line,
            }
            for one in schedule.series
        ],
        "rules": len(schedule.classify),
        "notes": [{"line": one.line, "message": one.what} for one in remarks(schedule)],
    }


def _lines(file: Path, schedule: Schedule) -> list[str]:
    verified = Counter(one.verified for one in schedule.series)
    head = (
        f"{file}: {schedule.title}, edition {schedule.edition} ({schedule.authority}): "
        f"{len(schedule.series)} series, {verified[True]} verified, "
        f"{len(schedule.classify)} rule{'s' * (len(schedule.classify) != 1)} of classification"
    )
    series = [f"  {one.code}  {one.title}: {sentence(schedule, one.rule)}" for one in schedule.series]
    return [head, *series, *(f"{file}:{one.line}: note: {one.what}" for one in remarks(schedule))]


def _content(file: Path) -> bytes:
    schedules.load(file)  # every mistake of it is told with the file's own name
    return file.read_bytes()


def _adopt(asked: argparse.Namespace) -> Answer:
    content = _content(asked.file)
    since = deeds.day(asked.since, "--from")
    with session(Role.RECORDS_OFFICER) as here:
        store, engine = here.archive.store, searching.whole(here.archive.index)
        if asked.preview:
            _caught_up(here)
            with store.database.read() as tx:
                schedule = adopted.read(content, str(asked.file))
                told = effects.of_adopting(
                    here.archive.standing(), tx, engine, schedule, since=since or deeds.today(store)
                )
            return Answer(effects.preview_json(told), _effects(told))
        with store.database.begin() as tx:
            made = adopted.adopt(
                store,
                tx,
                content,
                instrument=asked.instrument,
                since=since,
                name=str(asked.file),
                engine=engine,
                by=here.officer.id,
                why=reason(asked.why),
            )
            value = adopted.as_json(made, deeds.today(store))
    lines = [
        f"adopted as {made.id}: {made.edition.schedule.title}, edition {made.edition.schedule.edition}, binds from {made.edition.since}"
    ]
    if since is not None and since < made.at.date():
        lines.append("That day is past. It counts from now on; nothing that was decided before is touched.")
    return Answer(
        value, [*lines, "Records are classified by it at night, or now: muniment retention classify."]
    )


def _effects(told: Preview) -> list[str]:
    rows = [
        (code or "no series", one.becomes, one.stops, one.remains, one.arrives, one.leaves)
        for code, one in sorted(told.by_series.items())
    ]
    heads = ("series", "becomes eligible", "stops being so", "remains so", "arrives", "leaves")
    return [
        *table(rows, *heads),
        f"of {told.records:,} records {told.becomes:,} become eligible and {told.stops:,} stop being so; holds are not looked at, and nothing was changed",
    ]


def _list(_: argparse.Namespace) -> Answer:
    with session(*MAY_SEE) as here, here.archive.store.database.read() as tx:
        today = deeds.today(here.archive.store)
        found = adopted.listed(here.archive.store, tx)
        rows = [
            (
                one.id,
                one.edition.schedule.title,
                one.edition.schedule.edition,
                one.edition.since,
                one.edition.ended_on,
                one.standing(today),
            )
            for one in found
        ]
        value = [adopted.as_json(one, today) for one in found]
    lines = (
        table(rows, "id", "schedule", "edition", "from", "until", "")
        if rows
        else ["No schedule is adopted: everything is kept."]
    )
    return Answer(value, lines)


def _show(asked: argparse.Namespace) -> Answer:
    with session(*MAY_SEE) as here, here.archive.store.database.read() as tx:
        one = adopted.get(here.archive.store, tx, _uuid(asked.id, adopted.NoSuchSchedule))
        content = adopted.content(tx, one)
        value = adopted.as_json(one, deeds.today(here.archive.store)) | _series(one)
    if asked.out is not None:
        _write(asked.out, content)
    return Answer(value, _of_edition(one))


def _series(one: Adopted) -> dict[str, Any]:
    told = _shown(Path("adopted"), one.edition.schedule)
    return {name: told[name] for name in ("series", "rules", "notes")}


def _of_edition(one: Adopted) -> list[str]:
    schedule = one.edition.schedule
    return [
        f"{schedule.title}, edition {schedule.edition} ({schedule.authority})",
        f"adopted by {one.edition.instrument}, entry {one.entry}: {one.why}",
        f"binds from {one.edition.since}"
        + (f" until {one.edition.ended_on}" if one.edition.ended_on else ""),
        *(
            f"  {series.code}  {series.title}: {sentence(schedule, series.rule)}"
            for series in schedule.series
        ),
    ]


def _end(asked: argparse.Namespace) -> Answer:
    with session(Role.RECORDS_OFFICER) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        one = adopted.get(store, tx, _uuid(asked.id, adopted.NoSuchSchedule))
        day = deeds.day(asked.on, "--on") or deeds.today(store)
        ended = adopted.end(store, tx, one, on=day, by=here.officer.id, why=reason(asked.why))
        value = adopted.as_json(ended, deeds.today(store))
    return Answer(value, [f"it binds until {day}; from then on everything under it is kept"])


# -- how records stand -------------------------------------------------------------------------------------


def _preview(asked: argparse.Namespace) -> Answer:
    day = deeds.day(asked.on, "--on")
    with session(*MAY_SEE) as here, here.archive.store.database.read() as tx:
        standing = here.archive.standing()
        today = standing.today(tx)
        counts = effects.tally(standing, tx, searching.whole(here.archive.index), day)
    value = {
        "on": str(day or today.day),
        "doubt": today.doubt or None,
        "series": [
            {"series": code or None, "decisions": dict(found)} for code, found in sorted(counts.items())
        ],
    }
    lines = _counts(counts)
    if today.doubt:
        lines.append(f"{today.doubt}: nothing is eligible until that is put right")
    return Answer(value, [*lines, "holds are not looked at here"])


def _counts(counts: Any) -> list[str]:
    kinds = [kind for kind in KINDS if any(found.get(kind) for found in counts.values())]
    rows = [
        (code or "no series", *(f"{found.get(kind, 0):,}" for kind in kinds))
        for code, found in sorted(counts.items())
    ]
    return table(rows, "series", *(KINDS[kind] for kind in kinds))


def _explain(asked: argparse.Namespace) -> Answer:
    with session(*READERS) as here, here.archive.store.database.read() as tx:
        key = _record(here, tx, asked.record)
        holds = covering.shown(here.archive.store, tx, [key], by=here.officer).get(key, frozenset())
        told = explaining.explain(here.archive.standing(), tx, key, holds=holds)
    return Answer(explaining.as_json(told), explaining.lines(told))


def _classify(asked: argparse.Namespace) -> Answer:
    with session(Role.RECORDS_OFFICER, Role.ADMINISTRATOR) as here:
        if asked.preview:
            _caught_up(here)
            with here.archive.store.database.read() as tx:
                moves = effects.of_classifying(here.archive.store, tx, searching.whole(here.archive.index))
            return _moved(moves, sum(moves.values()), "would change")
        done = here.archive.classify(by=here.officer.id, why=reason(asked.why))
    return _moved(
        Counter({(one or NO_SERIES, to or NO_SERIES): n for (one, to), n in done.moves.items()}),
        done.changed,
        "changed",
    )


def _moved(moves: Counter[tuple[str, str]], changed: int, word: str) -> Answer:
    told = [
        {"from": one or None, "to": to or None, "records": number}
        for (one, to), number in sorted(moves.items())
    ]
    rows = [
        (one or "no series", to or "no series", f"{number:,}") for (one, to), number in sorted(moves.items())
    ]
    return Answer(
        {"changed": changed, "moves": told},
        [*(table(rows, "from", "to", "records") if rows else []), f"{changed:,} records {word} their series"],
    )


def _assign(asked: argparse.Namespace) -> Answer:
    with session(Role.RECORDS_OFFICER) as here, here.archive.store.database.begin() as tx:
        which = _id(here, tx, asked.record)
        entry = recording.assign(
            here.archive.store, tx, [which], asked.series, by=here.officer, why=reason(asked.why)
        )
    return Answer(
        {"record": str(which), "series": asked.series, "entry": entry},
        [f"{which} is in series {asked.series}"],
    )


def _unassign(asked: argparse.Namespace) -> Answer:
    with session(Role.RECORDS_OFFICER) as here, here.archive.store.database.begin() as tx:
        which = _id(here, tx, asked.record)
        entry = recording.unassign(here.archive.store, tx, [which], by=here.officer, why=reason(asked.why))
        series = here.archive.standing().series_of(tx, [_record(here, tx, asked.record)])
    return Answer(
        {"record": str(which), "series": next(iter(series.values()), None), "entry": entry},
        ["the rules count again"],
    )


def _event(asked: argparse.Namespace) -> Answer:
    corrects = None if asked.corrects is None else _uuid(asked.corrects, recording.NoSuchEvent)
    on, until = deeds.day(asked.on, "--on"), deeds.day(asked.until, "--until")
    with session(Role.RECORDS_OFFICER, Role.ATTORNEY) as here:
        ids = _ids(here, asked)
        with here.archive.store.database.begin() as tx:
            made = recording.event(
                here.archive.store,
                tx,
                ids,
                asked.name,
                on=on,
                until=until,
                about=asked.series,
                evidence=asked.evidence,
                corrects=corrects,
                by=here.officer,
                why=reason(asked.why),
            )
    return _told(made)


def _take_back(asked: argparse.Namespace) -> Answer:
    which = _uuid(asked.event, recording.NoSuchEvent)
    with session(Role.RECORDS_OFFICER, Role.ATTORNEY) as here, here.archive.store.database.begin() as tx:
        return _told(
            recording.take_back(here.archive.store, tx, which, by=here.officer, why=reason(asked.why))
        )


def _extend(asked: argparse.Namespace) -> Answer:
    until = deeds.day(asked.until, "--until")
    if until is None:
        raise deeds.BadDate("no day is given", next="Write it as 2027-03-01.")
    with session(Role.RECORDS_OFFICER, Role.ATTORNEY) as here:
        ids = _ids(here, asked)
        with here.archive.store.database.begin() as tx:
            made = recording.extend(
                here.archive.store, tx, ids, until, by=here.officer, why=reason(asked.why)
            )
    return _told(made)


def _reviews(_: argparse.Namespace) -> Answer:
    with session(*MAY_SEE) as here, here.archive.store.database.read() as tx:
        found = reviews.due(here.archive.standing(), tx, messages=here.messages)
    rows = [(one.record, one.series, one.since, ", ".join(one.assigns)) for one in found.named]
    lines = table(rows, "record", "series", "since", "may be assigned") if rows else []
    return Answer(reviews.as_json(found), [*lines, f"{found.total:,} due for review on {found.on}"])


def _review(asked: argparse.Namespace) -> Answer:
    again = deeds.day(asked.again, "--again")
    with session(Role.RECORDS_OFFICER, Role.ATTORNEY) as here:
        ids = _ids(here, asked)
        with here.archive.store.database.begin() as tx:
            made = recording.review(
                here.archive.store,
                tx,
                ids,
                found=asked.found,
                again=again,
                by=here.officer,
                why=reason(asked.why),
            )
    return _told(made)


def _told(made: Recorded) -> Answer:
    records_ = f"{made.records:,} record{'s' * (made.records != 1)}"
    return Answer(
        explaining.recorded_json(made),
        [f"{made.id}: {explaining.what(made)}, {records_}, entry {made.entry}"],
    )


def _simulate(asked: argparse.Namespace) -> Answer:
    day = deeds.day(asked.on, "--on")
    schedule = None if asked.schedule is None else adopted.read(_content(asked.schedule), str(asked.schedule))
    if asked.svg is not None and asked.svg.exists():
        raise Invalid(f"{asked.svg} is there already", next="Name another file.")
    with session(*MAY_SEE) as here:
        _caught_up(here)
        held = None
        if asked.hold is not None:
            held = finding.thought_of(
                here.archive.store, here.archive.index, asked.hold, messages=here.messages
            )
        with here.archive.store.database.read() as tx:
            found = effects.simulate(
                here.archive.standing(),
                tx,
                searching.whole(here.archive.index),
                schedule=schedule,
                on=day,
                held=held,
            )
            adopting = _adopting(here, tx, schedule)
    if asked.svg is not None:
        _write(asked.svg, picture.draw(found).encode())
    rows = [
        (one.month, f"{one.eligible:,}", f"{one.held:,}") for one in found.months if one.eligible or one.held
    ]
    lines = [
        picture.said(found),
        *table(rows, "month", "become eligible", "held"),
        f"on {found.on}:",
        *_counts(found.counts),
    ]
    told = effects.as_json(found)
    if adopting is not None:
        told["adopting"] = effects.preview_json(adopting)
        lines.insert(
            1,
            f"{adopting.becomes:,} would become eligible at once that are not, {adopting.stops:,} stop being so",
        )
    return Answer(told, lines)


def _adopting(here: Session, tx: Tx, schedule: Schedule | None) -> Preview | None:
    """What adopting a schedule today would do."""
    if schedule is None:
        return None
    standing, engine = here.archive.standing(), searching.whole(here.archive.index)
    return effects.of_adopting(standing, tx, engine, schedule, since=standing.today(tx).day)


# -- which records -----------------------------------------------------------------------------------------


def _caught_up(here: Session) -> None:
    """Let the index and the classification see what was kept, so that what is told is of today."""
    here.archive.keep_classified()
    if here.archive.behind():
        say("the index is behind; what it has not reached is read by itself")


def _record(here: Session, tx: Tx, text: str) -> int:
    found = records.get(here.archive.store, tx, records_id(text), messages=here.messages, by=here.officer.id)
    if isinstance(found, Disposed):
        raise NoSuchRecord(
            f"record {text} was disposed of", next="Its certificate says when and under which authority."
        )
    return found.key


def _id(here: Session, tx: Tx, text: str) -> UUID:
    _record(here, tx, text)
    return records_id(text)


def records_id(text: str) -> UUID:
    """The id of a record as people write it; one that is none names no record."""
    return _uuid(text, NoSuchRecord)


def _ids(here: Session, asked: argparse.Namespace) -> Sequence[UUID]:
    """The records that are named, found by a query, or listed in a file: exactly one of the three."""
    given = [one for one in (asked.record, asked.query, asked.records) if one is not None]
    if len(given) != 1:
        raise recording.NothingRecorded(
            "name one record, or --query, or --records", next="Give exactly one of them."
        )
    store = here.archive.store
    if asked.query is not None:
        here.archive.follow()
        keys = list(here.archive.every(asked.query, messages=here.messages))
        with store.database.read() as tx:
            return identities(tx, keys)
    ids = [records_id(asked.record)] if asked.record is not None else records_of(asked.records)
    with store.database.read() as tx:
        recording.keys_of(tx, ids, messages=here.messages, hidden=quarantine.hidden(tx, here.officer.id))
    return ids


def records_of(file: Path) -> list[UUID]:
    """The records whose ids stand in a file, one a line; blank lines are passed over."""
    try:
        return of_file(file.read_bytes())
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error}", next="Name a file with one id a line.") from error


def _uuid(text: str, missing: type[Exception]) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise missing(f"{text!r} is no id") from error


def _write(out: Path, content: bytes) -> None:
    try:
        with out.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise Invalid(f"{out} cannot be written: {error.strerror}", next="Name another file.") from error
