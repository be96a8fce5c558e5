"""Requests for records, their clocks, fees, letters and log."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from uuid import UUID

from app import officers
from app.capture import deeds
from app.cli import review_commands
from app.cli.answer import Answer, table
from app.cli.record_commands import identity
from app.cli.session import Session, reason, session
from app.db import Tx
from app.disclosure import (
    fees,
    intake,
    letters,
    log,
    moving,
    opening,
    papers,
    reading,
    requests,
)
from app.disclosure.clock import Due
from app.disclosure.intake import Read
from app.disclosure.known import Laws
from app.disclosure.law import WORK
from app.disclosure.requests import READERS, REVIEWING, SELECTING, WORKERS, Request
from app.holds import requests as holding
from app.index.engine import IndexBusy
from app.records.errors import Invalid
from app.store import access

_OPEN = (SELECTING, REVIEWING)
_MOST_SHOWN = 1_000


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    request = commands.add_parser("request", help="requests for records and their clocks").add_subparsers(
        dest="request", required=True, metavar="ACT"
    )
    _add_opening(request, common)
    _add_clocks(request, common)
    _add_answers(request, common)
    _add_papers(request, common)
    review_commands.add_to_request(request, common)


def _add_opening(
    request: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    open_ = request.add_parser("open", parents=[common], help="open a request")
    open_.add_argument("--text", default="", help="what was asked, in the requester's own words")
    open_.add_argument(
        "--message", type=Path, metavar="FILE.eml", help="the e-mail in which it came; kept whole"
    )
    open_.add_argument("--received", default="", metavar="DATETIME", help="when it was received")
    open_.add_argument("--from", dest="name", default="", metavar="NAME", help="who asks; may stay unknown")
    open_.add_argument("--email", default="")
    open_.add_argument("--address", default="", help="their postal address")
    open_.add_argument("--law", default="", metavar="CODE", help="the law; left out: the agency's own")
    open_.add_argument("--track", default="", help="a kind of request that has rules of its own in that law")
    open_.add_argument("--by", dest="channel", choices=opening.CHANNELS, help="how it came")
    open_.add_argument("--postmarked", default="", metavar="DATE", help="by post, without proof of receipt")
    open_.add_argument("--incomplete", action="store_true", help="something is missing from it yet")
    open_.add_argument(
        "--litigant", choices=("yes", "no"), help="whether the requester is a party to litigation"
    )
    open_.add_argument(
        "--page", action="append", default=[], help="a page that it is about; may be given again"
    )
    open_.add_argument("--since", metavar="DATE", help="about what was published from this day on")
    open_.add_argument("--until", metavar="DATE")
    open_.add_argument("--target", metavar="DATE", help="the agency's own target, where the law sets no day")
    open_.set_defaults(run=_open)
    list_ = request.add_parser("list", parents=[common], help="the requests, the newest first")
    list_.add_argument("--state", choices=("open", *requests.STATES))
    list_.add_argument("--limit", type=int, default=100)
    list_.set_defaults(run=_list)
    _one(request, common, "show", "a request, and what is due on it").set_defaults(run=_show)
    laws = request.add_parser("laws", parents=[common], help="the public-records laws that are known")
    laws.add_argument(
        "--check", type=Path, nargs="+", metavar="FILE", help="read files of laws, and say what is wrong"
    )
    laws.set_defaults(run=_laws)


def _add_clocks(
    request: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    _at(_one(request, common, "acknowledge", "acknowledge its receipt")).set_defaults(run=_acknowledge)
    extend = _one(request, common, "extend", "extend a deadline, with the notice that the law demands")
    extend.add_argument("--until", metavar="DATE", help="left out: as far as the law allows")
    extend.add_argument("--reasons", default="", help="for the notice; left out: as in --why")
    extend.add_argument("--circumstance", default="", help="the circumstance that the law lists")
    extend.add_argument("--deadline", default="", metavar="CODE")
    extend.add_argument("--rule", default="", metavar="CODE", help="which extension of the law")
    extend.set_defaults(run=_extend)
    toll = _at(_one(request, common, "toll", "stop its clocks, where the law lets them stop"))
    toll.add_argument("--until", metavar="DATE", help="left out: until they are resumed")
    toll.add_argument("--ground", default="", metavar="CODE")
    toll.add_argument("--reasons", default="", help="for the letter to the requester")
    toll.set_defaults(run=_toll)
    resume = _at(_one(request, common, "resume", "let its clocks go on"))
    resume.add_argument("--ground", default="", metavar="CODE")
    resume.set_defaults(run=_resume)
    ask = _at(_one(request, common, "ask", "ask the requester what is meant"))
    ask.add_argument("question")
    ask.set_defaults(run=_ask)
    promise = _one(request, common, "promise", "promise the answer, or an instalment, for a day")
    promise.add_argument("--on", required=True, metavar="DATE")
    promise.add_argument("--number", type=int, default=1, help="which instalment")
    promise.add_argument("--reasons", default="", help="for the letter to the requester")
    promise.set_defaults(run=_promise)
    part = _one(request, common, "instalment", "an instalment was produced")
    part.add_argument("--number", type=int, default=0)
    part.add_argument("--last", action="store_true", help="nothing more comes")
    part.set_defaults(run=_instalment)
    mark = _at(_one(request, common, "mark", "write down what happened without a letter"))
    mark.add_argument("event", choices=moving.PLAIN)
    mark.set_defaults(run=_mark)
    litigant = _one(request, common, "litigant", "say whether the requester is a party to litigation")
    litigant.add_argument("answer", choices=("yes", "no"))
    litigant.set_defaults(run=_litigant)
    assign = _one(request, common, "assign", "say who answers it")
    assign.add_argument("email", metavar="EMAIL")
    assign.set_defaults(run=_assign)


def _add_answers(
    request: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    fee = _one(request, common, "fee", "what may be charged; with an amount, what is")
    how = fee.add_mutually_exclusive_group()
    how.add_argument("--estimate", metavar="AMOUNT")
    how.add_argument("--notice", metavar="AMOUNT", help="tell the requester of a fee")
    how.add_argument("--paid", metavar="AMOUNT")
    how.add_argument("--waive", nargs="?", const="", metavar="AMOUNT", help="without an amount: what is left")
    fee.add_argument("--copies", default="", metavar="AMOUNT", help="what of the notice is for copies")
    fee.add_argument("--hours", default="", help="hours of searching that are expected")
    fee.add_argument("--reasons", default="", help="for the letter to the requester")
    fee.set_defaults(run=_fee)
    time = _one(request, common, "time", "write down time that was spent on it")
    time.add_argument("--hours", required=True, help="below zero: take back what was wrong")
    time.add_argument("--work", choices=tuple(WORK), default="search")
    time.add_argument("--on", metavar="DATE", help="left out: today")
    time.add_argument("--officer", default="", metavar="EMAIL", help="whose time; left out: yours")
    time.add_argument("--rate", default="", metavar="AMOUNT", help="actual salary and benefits for an hour")
    time.set_defaults(run=_time)
    none = _one(request, common, "no-records", "tell the requester that there are no such records")
    none.add_argument("--reasons", default="")
    none.set_defaults(run=_no_records)
    deny = _one(request, common, "deny", "deny it, in whole or in part")
    deny.add_argument("--exemption", action="append", default=[], metavar="CODE")
    deny.add_argument(
        "--ground", action="append", default=[], help="a citation, where the law's file lists none"
    )
    deny.add_argument("--reasons", default="", help="left out: as in --why")
    deny.add_argument("--delegation", default="", help="by what delegation it is decided")
    deny.add_argument("--partly", action="store_true", help="the rest is granted")
    deny.set_defaults(run=_deny)
    appeal = _at(_one(request, common, "appeal", "an appeal was received, or decided"))
    appeal.add_argument("--words", default="")
    appeal.add_argument("--decided", choices=tuple(moving.DECISIONS))
    appeal.add_argument("--reasons", default="", help="for the letter to the requester")
    appeal.set_defaults(run=_appeal)
    close = _one(request, common, "close", "close it")
    close.add_argument("--outcome", default="", choices=("", *requests.OUTCOMES))
    close.add_argument("--reasons", default="", help="for the letter to the requester")
    close.set_defaults(run=_close)
    again = _one(request, common, "reopen", "open it again, where the law has it")
    again.add_argument("--reasons", default="", help="for the letter to the requester")
    again.set_defaults(run=_reopen)
    _one(request, common, "let-go", "let go of what is held for it, after its time for appeals").set_defaults(
        run=_let_go
    )


def _add_papers(
    request: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    paper = _one(request, common, "paper", "take a paper of it out: the message, an attachment, a letter")
    paper.add_argument("paper", metavar="PAPER")
    paper.add_argument("--out", type=Path, required=True, metavar="FILE")
    paper.set_defaults(run=_paper)
    send = _one(request, common, "send", "send a letter to the requester by e-mail")
    send.add_argument("paper", metavar="PAPER")
    send.set_defaults(run=_send)
    made = request.add_parser("log", parents=[common], help="the request log as CSV")
    made.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    made.add_argument("--from", dest="since", metavar="DATE")
    made.add_argument("--to", dest="until", metavar="DATE")
    made.add_argument("--law", default="", metavar="CODE")
    made.add_argument("--everything", action="store_true", help="every column, for the agency's own use")
    made.set_defaults(run=_log)


def _one(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    common: argparse.ArgumentParser,
    name: str,
    what: str,
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, parents=[common], help=what)
    made.add_argument("id", metavar="ID", help="its number (PD-2026-0001) or id")
    return made


def _at(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
    made.add_argument("--at", default="", metavar="DATETIME", help="when it happened; left out: now")
    return made


# -- opening and reading -----------------------------------------------------------------------------------


def _open(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    read = _message(asked.message) if asked.message else None
    with session(*WORKERS) as here:
        store, laws = here.archive.store, here.archive.laws()
        with contextlib.suppress(IndexBusy):  # the service follows already
            here.archive.follow()
        with store.database.read() as tx:
            about = opening.pages_of(tx, asked.page)
        since, until = deeds.day(asked.since, "--since"), deeds.day(asked.until, "--until")
        found = holding.look_for_request(store, here.archive.index, holding.scope_of(about, since, until))
        zone = store.agency.zone()
        with store.database.begin() as tx:
            made = opening.open(
                store,
                tx,
                laws,
                asked.text or (read.words if read else ""),
                received=_received(asked.received, read, here),
                law=asked.law,
                track=asked.track,
                name=asked.name or (read.name if read else ""),
                email=asked.email or (read.email if read else ""),
                address=asked.address,
                channel=asked.channel
                or ("email" if read else "mail" if asked.postmarked else "command_line"),
                litigant=None if asked.litigant is None else asked.litigant == "yes",
                pages=about,
                since=since,
                until=until,
                target=deeds.day(asked.target, "the target"),
                complete=not asked.incomplete,
                postmarked=opening.moment(asked.postmarked, zone, "the postmark")
                if asked.postmarked
                else None,
                enclosed=read.papers if read else (),
                message=read.message_id if read else "",
                found=found,
                by=here.officer,
                why=why,
            )
            return _told(here, tx, laws, made)


def _message(file: Path) -> Read:
    try:
        return intake.read(file.read_bytes(), file.name)
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}", next="Name an .eml file.") from error


def _received(written: str, read: Read | None, here: Session) -> datetime:
    """When it was received; of a message, when it says that it was sent, if that is not to come."""
    store = here.archive.store
    if written.strip():
        return opening.moment(written, store.agency.zone())
    if read is not None and read.sent_at is not None and read.sent_at <= store.clock.now():
        return read.sent_at
    raise Invalid("nothing says when it was received", next="Give --received DATETIME.")


def _told(here: Session, tx: Tx, laws: Laws, request: Request) -> Answer:
    store = here.archive.store
    today, dues = deeds.today(store), requests.due(store, laws, request)
    people = officers.emails(tx)
    value = requests.as_json(request, dues, today, people)
    value["fees"] = fees.as_json(tx, request)
    value["papers"] = [papers.as_json(one) for one in papers.listed(store, tx, request)]
    return Answer(value, _lines(request, dues, here))


def _lines(request: Request, dues: list[Due], here: Session) -> list[str]:
    today = deeds.today(here.archive.store)
    told = [
        f"{request.number}, {requests.STATES[request.state]}: {request.book.title}, {request.rules.label}"
    ]
    if request.in_court:
        told.append("it goes by the rules of court; no clock of the records law runs")
    elif request.rules.no_clock:
        told.append(f"no statutory clock: {request.rules.no_clock}")
    for one in dues:
        when = str(one.on) if one.on else f"waits: {one.waits_for}"
        told.append(f"  {when}  {one.what} ({one.citation}) [{one.standing(today)}]")
    return told


def _list(asked: argparse.Namespace) -> Answer:
    if not 0 < asked.limit <= _MOST_SHOWN:
        raise Invalid(f"--limit is from 1 to {_MOST_SHOWN}")
    states = () if asked.state is None else _OPEN if asked.state == "open" else (asked.state,)
    with session(*READERS) as here, here.archive.store.database.read() as tx:
        store, laws = here.archive.store, here.archive.laws()
        today = deeds.today(store)
        found = [
            (one, requests.due(store, laws, one))
            for one in requests.listed(store, tx, states=states, limit=asked.limit)
        ]
    rows = []
    for one, dues in found:
        first = requests.next_due(dues)
        rows.append((one.number, one.state, one.law, first.on if first else "", first.what if first else ""))
    told = [requests.in_short(one, dues, today) for one, dues in found]
    return Answer(told, table(rows, "number", "state", "law", "due", "what"))


def _show(asked: argparse.Namespace) -> Answer:
    with session(*READERS) as here, here.archive.store.database.begin() as tx:
        found = requests.get(here.archive.store, tx, asked.id)
        access.note(here.archive.store, tx, "view", by=here.officer.id, detail={"request": found.id.hex})
        return _told(here, tx, here.archive.laws(), found)


def _laws(asked: argparse.Namespace) -> Answer:
    if asked.check:
        return _checked(asked.check)
    with session(*READERS) as here:
        laws = here.archive.laws()
        today = deeds.today(here.archive.store)
        own = laws.get().name
    told = []
    for law in laws.listed():
        rules = next((one for one in law.editions if one.holds_on(today)), None)
        told.append(
            {
                "law": law.name,
                "title": law.title,
                "authority": law.authority,
                "edition": rules.label if rules else None,
                "clock": None if rules is None else "none_statutory" if rules.no_clock else "statutory",
                "exemptions": [one.code for one in law.exemptions],
                "own": law.name == own,
            }
        )
    rows = [(one["law"], one["title"], one["clock"], "the agency's" if one["own"] else "") for one in told]
    return Answer(told, table(rows, "law", "title", "clock", ""))


def _checked(files: list[Path]) -> Answer:
    told: list[dict[str, object]] = []
    lines: list[str] = []
    for file in files:
        try:
            law = reading.load(file)
            told.append({"file": str(file), "law": law.name, "problems": []})
            lines.append(
                f"{file}: {law.title}, {len(law.editions)} editions, {len(law.exemptions)} exemptions"
            )
        except reading.BadLaw as error:
            problems = [{"line": one.line, "what": one.what, "next": one.remedy} for one in error.problems]
            told.append({"file": str(file), "law": "", "problems": problems})
            lines += [f"{file}:{one.line}: {one.what}. {one.remedy}" for one in error.problems]
    return Answer(told, lines, exit_code=2 if any(one["problems"] for one in told) else 0)


# -- what happens to it ------------------------------------------------------------------------------------


def _changing(
    asked: argparse.Namespace, verb: Callable[[Session, Tx, Laws, Request, str], Request]
) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        laws = here.archive.laws()
        request = requests.get(here.archive.store, tx, asked.id)
        return _told(here, tx, laws, verb(here, tx, laws, request, why))


def _when(asked: argparse.Namespace, here: Session) -> datetime | None:
    return opening.moment(asked.at, here.archive.store.agency.zone(), "--at") if asked.at else None


def _acknowledge(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, laws, request, why: moving.acknowledge(
            here.archive.store, tx, laws, request, at=_when(asked, here), by=here.officer, why=why
        ),
    )


def _extend(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, laws: Laws, request: Request, why: str) -> Request:
        return moving.extend(
            here.archive.store,
            tx,
            laws,
            request,
            reasons=asked.reasons,
            circumstance=asked.circumstance,
            deadline=asked.deadline,
            rule=asked.rule,
            until=deeds.day(asked.until, "--until"),
            by=here.officer,
            why=why,
        )

    return _changing(asked, verb)


def _toll(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, laws: Laws, request: Request, why: str) -> Request:
        return moving.toll(
            here.archive.store,
            tx,
            laws,
            request,
            ground=asked.ground,
            until=deeds.day(asked.until, "--until"),
            reasons=asked.reasons,
            at=_when(asked, here),
            by=here.officer,
            why=why,
        )

    return _changing(asked, verb)


def _resume(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, _laws, request, why: moving.resume(
            here.archive.store,
            tx,
            request,
            ground=asked.ground,
            at=_when(asked, here),
            by=here.officer,
            why=why,
        ),
    )


def _ask(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, laws, request, why: moving.ask(
            here.archive.store,
            tx,
            laws,
            request,
            asked.question,
            at=_when(asked, here),
            by=here.officer,
            why=why,
        ),
    )


def _promise(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, laws: Laws, request: Request, why: str) -> Request:
        on = deeds.day(asked.on, "--on")
        assert on is not None, "the option is required"
        return moving.promise(
            here.archive.store,
            tx,
            laws,
            request,
            on,
            number=asked.number,
            reasons=asked.reasons,
            by=here.officer,
            why=why,
        )

    return _changing(asked, verb)


def _instalment(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, _laws, request, why: moving.instalment(
            here.archive.store, tx, request, number=asked.number, last=asked.last, by=here.officer, why=why
        ),
    )


def _mark(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, _laws, request, why: moving.mark(
            here.archive.store, tx, request, asked.event, at=_when(asked, here), by=here.officer, why=why
        ),
    )


def _litigant(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, _laws, request, why: moving.answer_litigant(
            here.archive.store, tx, request, litigant=asked.answer == "yes", by=here.officer, why=why
        ),
    )


def _assign(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, _laws, request, why: moving.assign(
            here.archive.store, tx, request, asked.email, by=here.officer, why=why
        ),
    )


# -- fees, answers, appeals --------------------------------------------------------------------------------


def _fee(asked: argparse.Namespace) -> Answer:
    if asked.estimate is None and asked.notice is None and asked.paid is None and asked.waive is None:
        with session(*READERS) as here, here.archive.store.database.read() as tx:
            return _fees(here, tx, requests.get(here.archive.store, tx, asked.id))
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        store, by = here.archive.store, here.officer
        request = requests.get(store, tx, asked.id)
        if asked.estimate is not None:
            request = fees.estimate(store, tx, request, _cents(asked.estimate), by=by, why=why)
        elif asked.notice is not None:
            request = fees.notify(
                store, tx, here.archive.laws(), request, _cents(asked.notice),
                copies=_cents(asked.copies) if asked.copies else 0,
                expected_minutes=_minutes(asked.hours) if asked.hours else 0, reasons=asked.reasons, by=by, why=why,
            )  # fmt: skip
        elif asked.paid is not None:
            request = fees.paid(store, tx, request, _cents(asked.paid), by=by, why=why)
        else:
            request = fees.waive(
                store, tx, request, _cents(asked.waive) if asked.waive else 0, by=by, why=why
            )
        return _fees(here, tx, request)


def _fees(here: Session, tx: Tx, request: Request) -> Answer:
    told, value = fees.as_json(tx, request), _told(here, tx, here.archive.laws(), request)
    lines = [
        f"{request.number}: {told['hours']:g} hours, of which {told['chargeable_hours']:g} may be charged ({told['citation'] or 'no rule is known'})",
        f"told {fees.money(fees.account(tx, request).told)}, owed {fees.money(fees.account(tx, request).owed)}",
    ]
    return Answer(value.value, lines)


def _time(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        request = fees.spend(
            store,
            tx,
            requests.get(store, tx, asked.id),
            _minutes(asked.hours),
            asked.work,
            on=deeds.day(asked.on, "--on"),
            officer=officers.find(tx, asked.officer) if asked.officer else None,
            cents_an_hour=_cents(asked.rate) if asked.rate else None,
            by=here.officer,
            why=why,
        )
        return _fees(here, tx, request)


def _no_records(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, laws, request, why: moving.no_records(
            here.archive.store, tx, laws, request, reasons=asked.reasons, by=here.officer, why=why
        ),
    )


def _deny(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, laws: Laws, request: Request, why: str) -> Request:
        return moving.deny(
            here.archive.store,
            tx,
            laws,
            request,
            exemptions=asked.exemption,
            grounds=asked.ground,
            reasons=asked.reasons,
            delegation=asked.delegation,
            partly=asked.partly,
            by=here.officer,
            why=why,
        )

    return _changing(asked, verb)


def _appeal(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, laws: Laws, request: Request, why: str) -> Request:
        store, at = here.archive.store, _when(asked, here)
        if asked.decided is None:
            return moving.appeal(store, tx, laws, request, words=asked.words, at=at, by=here.officer, why=why)
        return moving.decide_appeal(
            store,
            tx,
            laws,
            request,
            asked.decided,
            reasons=asked.reasons or asked.words,
            at=at,
            by=here.officer,
            why=why,
        )

    return _changing(asked, verb)


def _close(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, laws, request, why: moving.close(
            here.archive.store,
            tx,
            laws,
            request,
            outcome=asked.outcome,
            reasons=asked.reasons,
            by=here.officer,
            why=why,
        ),
    )


def _reopen(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, laws, request, why: moving.reopen(
            here.archive.store, tx, laws, request, reasons=asked.reasons, by=here.officer, why=why
        ),
    )


def _let_go(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, laws, request, why: moving.let_go(
            here.archive.store, tx, laws, request, by=here.officer, why=why
        ),
    )


# -- papers and log ----------------------------------------------------------------------------------------


def _paper(asked: argparse.Namespace) -> Answer:
    if asked.out.exists():
        raise Invalid(f"{asked.out} is there already", next="Name another file.")
    with session(*READERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        now = requests.get(store, tx, asked.id)
        found = papers.get(store, tx, now, _paper_id(asked.paper))
        access.note(
            store, tx, "view", by=here.officer.id, detail={"request": now.id.hex, "paper": found.id.hex}
        )
        asked.out.write_bytes(papers.content(store, tx, found))
    return Answer({**papers.as_json(found), "file": str(asked.out)}, [f"{found.name} is in {asked.out}"])


def _send(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here:
        store = here.archive.store
        with store.database.read() as tx:
            request = requests.get(store, tx, asked.id)
            found = papers.get(store, tx, request, _paper_id(asked.paper))
        entry = letters.send(store, here.archive.letters(), request, found, by=here.officer, why=why)
    return Answer({"sent": str(found.id), "to": request.email, "entry": entry}, [f"sent to {request.email}"])


def _log(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    if asked.out.exists():
        raise Invalid(f"{asked.out} is there already", next="Name another file.")
    with session(*READERS) as here:
        store = here.archive.store
        with store.database.begin() as tx:
            content = log.as_csv(
                store,
                tx,
                since=deeds.day(asked.since, "--from"),
                until=deeds.day(asked.until, "--to"),
                law=asked.law,
                everything=asked.everything,
                by=here.officer,
                why=why,
            )
        asked.out.write_bytes(content)
    return Answer({"file": str(asked.out), "bytes": len(content)}, [f"the log is in {asked.out}"])


def _paper_id(written: str) -> UUID:
    return identity(written)


def _minutes(written: str) -> int:
    """Hours as people write them, in minutes."""
    try:
        return round(Decimal(written.strip()) * 60)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Invalid(
            f"{written[:20]!r} is no number of hours", next="Write 2.5, or -0.5 to take back."
        ) from error


def _cents(written: str) -> int:
    """An amount as people write it, in cents."""
    try:
        return round(Decimal(written.strip().lstrip("$").replace(",", "")) * 100)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Invalid(f"{written[:20]!r} is no amount", next="Write 12.50.") from error
