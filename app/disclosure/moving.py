"""What is done with a request between its opening and its closing, and after it.

Each verb writes one entry, the events that the clocks take note of, and the
letter that the requester is owed. Whether the law allows it is decided beside,
in the clock; nothing here moves a day by itself. `why` is the archive's own and
stands in no letter, but where the law demands reasons and none were given; what
a requester is told are `reasons`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import update

from app import officers
from app.capture import deeds
from app.capture import pages as registry
from app.db import Tx
from app.disclosure import clock, kept_back, letters, papers, requests
from app.disclosure.clock import TARGET, Extended, Happened
from app.disclosure.known import Laws
from app.disclosure.law import EVENTS, Exemption, to_come
from app.disclosure.letters import day
from app.disclosure.papers import New
from app.disclosure.requests import (
    CLOSED,
    OUTCOMES,
    SELECTING,
    WORKERS,
    BadRequest,
    Request,
    fresh,
    must_be_open,
    note,
)
from app.holds import acts as hold_acts
from app.holds import releasing
from app.holds import requests as holding
from app.records.errors import Refused
from app.records.nouns import Officer, Role
from app.retention.calendar import civil
from app.store.store import Store
from app.store.tables import requests as table

PLAIN = (
    "complete",
    "routed",
    "determined",
    "ruling_asked",
    "clarification_answered",
    "fee_arranged",
    "produced",
)
"""What is only written down: no letter goes, and no rule has to allow it."""
_ANSWERS_TO = {"clarification_answered": "clarification_asked", "fee_arranged": "fee_notice"}
"""What can only have happened after something else, and once for each time."""
_ONCE = ("complete", "routed")
"""What starts a clock, and happens once."""
DECISIONS = {
    "upheld": "the decision stands",
    "reversed": "the decision does not stand",
    "partly": "the decision stands in part",
}
CUSTODIANS = WORKERS
_TOLD = ("denied", "no_records", "produced", "instalment")


class DenialIncomplete(Refused):
    """A denial names no ground on which the law lets the agency withhold, although the law wants one."""

    code = "denial-incomplete"


class NotAppealed(Refused):
    """No appeal waits for a decision."""

    code = "not-appealed"


class MayNotReopen(Refused):
    """The law does not have a closed request opened again, or not any more."""

    code = "may-not-reopen"


class NotClosed(Refused):
    """What is held for a request is let go only after it was closed and no appeal is left."""

    code = "request-not-over"


# -- what happens to it ------------------------------------------------------------------------------------


def acknowledge(
    store: Store, tx: Tx, laws: Laws, request: Request, *, at: datetime | None = None, by: Officer, why: str
) -> Request:
    """Acknowledge receipt, with a letter that says by when what is due."""
    now = _open(store, tx, request, by)
    event = Happened(event="acknowledged", at=at or store.clock.now())
    told = replace(now, happened=(*now.happened, event))
    due = [one for one in requests.due(store, laws, told) if one.met_on is None]
    kept = letters.written(
        store, laws, now, "opening", by=by, words=now.words[:2_000].splitlines(), due=due, target=day(now.target)
    )  # fmt: skip
    return _done(store, tx, now, "acknowledged", event=event, kept=kept, by=by, why=why)


def mark(
    store: Store, tx: Tx, request: Request, event: str, *, at: datetime | None = None, by: Officer, why: str
) -> Request:
    """Write down that something happened for which no letter goes: it is complete, it was routed, a ruling was asked for."""
    now = _open(store, tx, request, by)
    if event not in PLAIN:
        raise BadRequest(
            f"{event[:40]!r} is nothing that is only written down", next=f"Known are {', '.join(PLAIN)}."
        )
    if event in _ONCE and (told := now.of(event)):
        on = civil(told[0].at, store.agency.zone())
        raise BadRequest(
            f"that {EVENTS[event]} was written down already, for {on}",
            next="Clocks count from that day. Where it was wrong, close the request and open it anew.",
        )
    asked = _ANSWERS_TO.get(event)
    if asked and not now.waits_for(event, since=asked):
        raise BadRequest(
            f"nothing says that {EVENTS[asked]}, so it cannot be that {EVENTS[event]}",
            next="Look at what was done; write down first what comes first.",
        )
    return _done(
        store, tx, now, event, event=Happened(event=event, at=at or store.clock.now()), by=by, why=why
    )


def may_mark(request: Request) -> list[str]:
    """What can be written down of a request as it stands: no answer to what nobody asked, and nothing twice that happens once."""
    return [
        event for event in PLAIN
        if not (event in _ONCE and request.of(event))
        and (event not in _ANSWERS_TO or request.waits_for(event, since=_ANSWERS_TO[event]))
    ]  # fmt: skip


def answer_litigant(
    store: Store, tx: Tx, request: Request, *, litigant: bool, by: Officer, why: str
) -> Request:
    """Write down whether the requester is a party to litigation with the agency; it is answered once."""
    now = _open(store, tx, request, by)
    if now.litigant is not None:
        raise BadRequest(
            "that was answered already", next="Close the request and open another one if it was wrong."
        )
    entry = note(store, tx, now, "litigant", detail={"litigant": litigant}, by=by, why=why)
    tx.execute(update(table).where(table.c.key == now.key).values(litigant=litigant))
    requests.move(tx, now, now.state, entry)
    return requests.get(store, tx, str(now.id))


def assign(store: Store, tx: Tx, request: Request, email: str, *, by: Officer, why: str) -> Request:
    """Say who answers a request: they are reminded of what is due."""
    now = _open(store, tx, request, by)
    officer = officers.find(tx, email)
    officers.require(officer, *CUSTODIANS)
    entry = note(store, tx, now, "assigned", detail={"custodian": str(officer.id)}, by=by, why=why)
    values = {"custodian": officer.id.bytes, "custodian_entry": entry}
    tx.execute(update(table).where(table.c.key == now.key).values(**values))
    return requests.get(store, tx, str(now.id))


def extend(
    store: Store,
    tx: Tx,
    laws: Laws,
    request: Request,
    *,
    reasons: str = "",
    circumstance: str = "",
    not_for_delay: bool = True,
    deadline: str = "",
    rule: str = "",
    until: date | None = None,
    by: Officer,
    why: str,
) -> Request:
    """Extend a deadline as the law allows it, with the notice that it demands.

    `reasons` are `why` where nothing else is said. The notice is written and
    kept in the same moment; without it there is no extension.
    """
    officers.require(by, *WORKERS)
    now = fresh(store, tx, request)
    if not requests.under_appeal(now):
        must_be_open(now)
    if now.in_court:
        raise clock.NoExtension("it goes by the rules of court", next="Ask the attorney.")
    today = deeds.today(store)
    if until is not None:
        requests.must_be_near(until, today)
    named = circumstance.strip() or ("" if _lists(now, rule) else reasons.strip() or why)
    notice = {
        "reasons": deeds.words(reasons or why, "the reasons"),
        "circumstance": named,
        "not_for_delay": "yes" if not_for_delay else "",
    }
    hours = requests.hours(store, laws, now)
    found = clock.extend(
        now.rules, now.happened, hours, today=today, notice=notice, track=now.track, target=now.target,
        deadline=deadline, rule=rule, until=until,
    )  # fmt: skip
    event = Happened(
        event="extended",
        at=store.clock.now(),
        code=found.deadline,
        rule=found.rule.code,
        days=found.days,
        on=found.on if found.deadline == TARGET else None,
    )
    expected = deeds.day(found.notice.get("expected_on") or found.on.isoformat(), "the day that is expected")
    kept = letters.written(store, laws, now, "extension", by=by, extended=found, expected=day(expected))
    return _done(store, tx, now, "extended", event=event, kept=kept, detail=_said(found), by=by, why=why)


def _lists(request: Request, rule: str) -> bool:
    """Whether the extension lists its circumstances, so that nothing else can stand for one."""
    return any(one.circumstances for one in request.rules.extensions if not rule or one.code == rule)


def _said(found: Extended) -> dict[str, object]:
    return {
        "before": found.before.isoformat(),
        "to": found.on.isoformat(),
        "notice": dict(found.notice),
        "citation": found.rule.citation,
    }


def toll(
    store: Store,
    tx: Tx,
    laws: Laws,
    request: Request,
    *,
    ground: str = "",
    until: date | None = None,
    reasons: str = "",
    at: datetime | None = None,
    by: Officer,
    why: str,
) -> Request:
    """Stop the clocks on a ground that the law knows, until a day or until they go on."""
    now = _open(store, tx, request, by)
    rule = clock.toll(now.rules, now.happened, ground)
    moment = at or store.clock.now()
    since = civil(moment, store.agency.zone())
    if until is not None and until < since:
        raise BadRequest(
            f"{until} is before {since}, on which the clock is stopped", next="Give a later day."
        )
    if until is not None:
        requests.must_be_near(until, since)
    event = Happened(event=rule.starts, at=moment, rule=rule.code, on=until)
    kept = letters.written(
        store, laws, now, "tolling", by=by, rule=rule, since=day(since), until=day(until) if until else None,
        waits_for=to_come(rule.ends), reasons=reasons,
    )  # fmt: skip
    return _done(store, tx, now, "tolled", event=event, kept=kept, by=by, why=why)


def resume(
    store: Store,
    tx: Tx,
    request: Request,
    *,
    ground: str = "",
    at: datetime | None = None,
    by: Officer,
    why: str,
) -> Request:
    """Let the clocks go on."""
    now = _open(store, tx, request, by)
    moment = at or store.clock.now()
    zone = store.agency.zone()
    standing = [
        one for one in clock.standing_still(now.rules, now.happened, zone, civil(moment, zone)) if not ground or one.code == ground
    ]  # fmt: skip
    if len(standing) != 1:
        named = ", ".join(one.code for one in standing)
        raise clock.NoTolling(
            "no clock stands still" if not standing else "clocks stand still on several grounds",
            next=f"Name one with --ground: {named}."
            if standing
            else "Look at what is due: muniment request show.",
        )
    event = Happened(event=standing[0].ends, at=moment, rule=standing[0].code)
    return _done(store, tx, now, "resumed", event=event, by=by, why=why)


def ask(
    store: Store, tx: Tx, laws: Laws, request: Request, question: str, *, at: datetime | None = None, by: Officer, why: str
) -> Request:  # fmt: skip
    """Ask the requester what is meant; where the law has it, the clock stands still until they answer."""
    now = _open(store, tx, request, by)
    stops = clock.would_stop(now.rules, now.happened, "clarification_asked")
    words = deeds.words(question, "the question")
    event = Happened(event="clarification_asked", at=at or store.clock.now())
    kept = letters.written(store, laws, now, "clarification", by=by, question=words, rule=stops)
    return _done(store, tx, now, "asked", event=event, kept=kept, detail={"question": words}, by=by, why=why)


def promise(
    store: Store, tx: Tx, laws: Laws, request: Request, on: date, *, number: int = 1, reasons: str = "", by: Officer, why: str
) -> Request:  # fmt: skip
    """Promise an answer, or an instalment, for a day: an estimate that becomes due, or another one in its place."""
    now = _open(store, tx, request, by)
    requests.must_be_near(on, deeds.today(store))
    if on < deeds.today(store) or number < 1:
        raise BadRequest(
            f"{on} is past", next="Promise a day that is still to come, counting instalments from 1."
        )
    event = Happened(event="promised", at=store.clock.now(), number=number, on=on)
    kept = letters.written(store, laws, now, "estimate", by=by, number=number, on=day(on), reasons=reasons)
    return _done(store, tx, now, "promised", event=event, kept=kept, by=by, why=why)


def instalment(
    store: Store, tx: Tx, request: Request, *, number: int = 0, last: bool = False, by: Officer, why: str
) -> Request:
    """An instalment was produced; `last` says that nothing more comes. Without a number it is the next one."""
    now = _open(store, tx, request, by)
    count = number or max((one.number for one in now.of("instalment")), default=0) + 1
    event = Happened(event="instalment", at=store.clock.now(), number=count)
    now = _done(store, tx, now, "instalment", event=event, by=by, why=why)
    if not last:
        return now
    event = Happened(event="produced", at=store.clock.now())
    return _done(store, tx, now, "produced", event=event, by=by, why=why)


# -- answers -----------------------------------------------------------------------------------------------


def no_records(store: Store, tx: Tx, laws: Laws, request: Request, *, reasons: str = "", by: Officer, why: str) -> Request:  # fmt: skip
    """Tell the requester that there are no such records, and what was searched."""
    now = _open(store, tx, request, by)
    kept = letters.written(store, laws, now, "no_records", by=by, reasons=reasons)
    event = Happened(event="no_records", at=store.clock.now())
    return _done(store, tx, now, "no_records", event=event, kept=kept, by=by, why=why)


def deny(
    store: Store,
    tx: Tx,
    laws: Laws,
    request: Request,
    *,
    exemptions: Sequence[str] = (),
    grounds: Sequence[str] = (),
    reasons: str = "",
    delegation: str = "",
    partly: bool = False,
    by: Officer,
    why: str,
) -> Request:
    """Deny a request, in whole or in part, with the letter that the law wants: reasons, grounds, who decides, appeals.

    `exemptions` are codes of the law; `grounds` are citations beside them, of
    a law whose file lists none. Refused where the law wants a ground or a
    delegation named and none is.
    """
    now = _open(store, tx, request, by)
    named: list[Exemption] = [now.book.exemption(code) for code in exemptions]
    others = [deeds.words(one, "the ground") for one in grounds]
    needs = now.rules.denial.needs if now.rules.denial is not None else ()
    wants = now.rules.denial.citation if now.rules.denial is not None else ""
    if "exemption" in needs and not named and not others:
        listed = ", ".join(one.code for one in now.book.exemptions)
        raise DenialIncomplete(
            f"a denial names the ground on which the law lets the agency withhold ({wants})",
            next=f"Give --exemption: {listed}." if listed else "Give --ground with its citation.",
        )
    by_what = delegation.strip() or laws.house.delegation
    if "delegation" in needs and not by_what:
        raise DenialIncomplete(
            f"a denial says by what delegation it is decided ({wants})",
            next="Give --delegation, or write delegation: in agency.yaml.",
        )
    said = deeds.words(reasons or why, "the reasons")
    kept = letters.written(
        store, laws, now, "denial", by=by, exemptions=named, grounds=others, reasons=said, delegation=by_what, partly=partly
    )  # fmt: skip
    detail = {
        "exemptions": [{"code": one.code, "citation": one.citation} for one in named],
        "grounds": others,
        "reasons": said,
        "partly": partly,
        "delegation": by_what,
    }
    event = Happened(
        event="determined" if partly else "denied", at=store.clock.now(), code="partly" if partly else ""
    )
    return _done(store, tx, now, "denied", event=event, kept=kept, detail=detail, by=by, why=why)


# -- appeals, closing, and after ---------------------------------------------------------------------------


def appeal(
    store: Store, tx: Tx, laws: Laws, request: Request, *, words: str = "", at: datetime | None = None, by: Officer, why: str
) -> Request:  # fmt: skip
    """Take down that an appeal was received, open or closed as the request is: from now on it is held until it is decided."""
    officers.require(by, *WORKERS)
    now = fresh(store, tx, request)
    if requests.under_appeal(now):
        raise BadRequest(
            f"an appeal on {now.number} waits for its decision already",
            next="Its time runs from the first one. Take down the decision before another appeal.",
        )
    event = Happened(event="appealed", at=at or store.clock.now())
    told = replace(now, happened=(*now.happened, event))
    due = [one for one in requests.due(store, laws, told) if one.met_on is None]
    kept = letters.written(
        store, laws, now, "appeal", by=by, on=day(civil(event.at, store.agency.zone())), due=due
    )
    said = deeds.words(words, "the appeal", needed=False)
    now = _done(store, tx, now, "appealed", event=event, kept=kept, detail={"words": said}, by=by, why=why)
    return _hold_again(store, tx, now, now.state, by=by, why=why) if now.let_go else now


def decide_appeal(
    store: Store, tx: Tx, laws: Laws, request: Request, decision: str, *, reasons: str = "", at: datetime | None = None,
    by: Officer, why: str,
) -> Request:  # fmt: skip
    """Take down how an appeal was decided: `upheld`, `reversed` or `partly`."""
    officers.require(by, *WORKERS)
    now = fresh(store, tx, request)
    if decision not in DECISIONS:
        raise BadRequest(f"{decision[:40]!r} is no decision", next=f"Known are {', '.join(DECISIONS)}.")
    if not requests.under_appeal(now):
        raise NotAppealed("no appeal waits for a decision", next="Take the appeal down first.")
    event = Happened(event="appeal_decided", at=at or store.clock.now(), code=decision)
    zone = store.agency.zone()
    if (decided := civil(event.at, zone)) < civil(now.of("appealed")[-1].at, zone):
        raise BadRequest(
            f"{decided} is before the appeal was received", next="Give the day on which it was decided."
        )
    kept = letters.written(
        store, laws, now, "decision", by=by, on=day(decided),
        decision=DECISIONS[decision], reasons=reasons,
    )  # fmt: skip
    return _done(store, tx, now, "appeal_decided", event=event, kept=kept, by=by, why=why)


def close(
    store: Store, tx: Tx, laws: Laws, request: Request, *, outcome: str = "", reasons: str = "", by: Officer, why: str
) -> Request:  # fmt: skip
    """Close a request. What is responsive stays held until the time for appeals is over.

    Without an `outcome` it is what the request was told last: denied, in part,
    no records, produced; where it was told nothing, that is written down. What
    left in part, or after which the rest was denied, is granted in part.
    """
    now = _open(store, tx, request, by)
    how = outcome.strip() or _outcome(now, in_part=bool(kept_back.of(tx, now.id)))
    if how not in OUTCOMES:
        raise BadRequest(f"{how[:40]!r} is no outcome", next=f"Known are {', '.join(OUTCOMES)}.")
    event = Happened(event="closed", at=store.clock.now(), code=how)
    closed = replace(now, state=CLOSED, outcome=how, happened=(*now.happened, event))
    until = requests.kept_until(store, laws, closed)
    kept = letters.written(
        store, laws, now, "closing", by=by, outcome=OUTCOMES[how], reasons=reasons, kept_until=day(until) if until else ""
    )  # fmt: skip
    papers_ = papers.named(kept)
    entry = note(
        store, tx, now, "closed", event=event,
        detail={"outcome": how, "kept_until": until.isoformat() if until else None, "papers": papers_}, by=by, why=why,
    )  # fmt: skip
    papers.keep(store, tx, now.key, entry, kept)
    requests.move(tx, now, CLOSED, entry, outcome=how)
    return requests.get(store, tx, str(now.id))


def _outcome(request: Request, *, in_part: bool) -> str:
    """What the request was told last, since it was opened again if it was; `in_part` says that what was produced left in part."""
    if request.in_court:
        return "discovery"
    opened = max((place for place, one in enumerate(request.happened) if one.event == "reopened"), default=0)
    told = [one for one in request.happened[opened:] if one.event in _TOLD or one.code == "partly"]
    if not told:
        return "unstated"
    events = {"partly" if one.code == "partly" else one.event for one in told}
    last = told[-1].event
    if not events & {"produced", "instalment"}:
        return "partly" if told[-1].code == "partly" else last
    whole = last == "produced" and not in_part and "partly" not in events
    return "produced" if whole else "partly"


def reopen(
    store: Store, tx: Tx, laws: Laws, request: Request, *, reasons: str = "", by: Officer, why: str
) -> Request:
    """Open a closed request again: after an appeal that was not upheld, or within the days that the law has for it.

    Everything on its pages and dates is held again until a person has
    confirmed anew what answers it.
    """
    officers.require(by, *WORKERS)
    now = fresh(store, tx, request)
    if now.open:
        raise BadRequest(f"{now.number} is open", next="There is nothing to do.")
    _must_be_reopenable(store, laws, now)
    event = Happened(event="reopened", at=store.clock.now())
    told = replace(now, happened=(*now.happened, event))
    due = [one for one in requests.due(store, laws, told) if one.met_on is None]
    kept = letters.written(store, laws, now, "reopened", by=by, reasons=reasons, due=due)
    now = _done(store, tx, now, "reopened", event=event, kept=kept, by=by, why=why)
    return _hold_again(store, tx, now, SELECTING, by=by, why=why)


def _must_be_reopenable(store: Store, laws: Laws, request: Request) -> None:
    decided = request.of("appeal_decided")
    if decided and decided[-1].code != "upheld" and not requests.under_appeal(request):
        return
    rule, hours = request.rules.reopening, requests.hours(store, laws, request)
    if rule is None or request.closed_at is None:
        raise MayNotReopen(
            "the law of this request does not have it opened again",
            next="Open a new request, or take down how the appeal was decided.",
        )
    last = clock.advance(civil(request.closed_at, hours.zone), rule.within, rule.count, hours.calendar, ())
    if last is not None and deeds.today(store) > last:
        raise MayNotReopen(
            f"it could be opened again until {last} ({rule.citation})", next="Open a new request."
        )


def _hold_again(store: Store, tx: Tx, request: Request, state: str, *, by: Officer, why: str) -> Request:
    known = [registry.get(tx, str(page)) for page in request.pages]
    holding.open_for_request(
        store, tx, request.id, known, since=request.since, until=request.until, by=by, why=f"{request.number}: {why}"
    )  # fmt: skip
    entry = note(store, tx, request, "held-again", by=by, why=why)
    outcome = request.outcome or None if state == CLOSED else None
    values = {"state": state, "state_entry": entry, "outcome": outcome, "let_go_entry": None}
    tx.execute(update(table).where(table.c.key == request.key).values(**values))
    return requests.get(store, tx, str(request.id))


def let_go(store: Store, tx: Tx, laws: Laws, request: Request, *, by: Officer | None, why: str) -> Request:
    """Let what is held for a closed request go: the time for appeals is over. Nobody (`by`) is named only by the night.

    Refused while a time for appeals that the law has runs: an officer says
    that it is over only where nothing that was verified says when.
    """
    if by is not None:
        officers.require(by, Role.ATTORNEY, Role.RECORDS_OFFICER)
    now = fresh(store, tx, request)
    if now.open or requests.under_appeal(now):
        raise NotClosed(
            f"{now.number} is {'open' if now.open else 'under appeal'}", next="What it is about stays held until then."
        )  # fmt: skip
    if now.let_go:
        raise NotClosed(f"nothing is held for {now.number} any more")
    until = requests.kept_until(store, laws, now)
    if until is not None and deeds.today(store) <= until:
        raise NotClosed(
            f"the time for appeals on {now.number} runs until {until}", next="What is held is let go by itself after that day."
        )  # fmt: skip
    for hold in holding.of_request(store, tx, now.id):
        entry = hold_acts.note(
            store, tx, "hold:released", matter=None, hold=hold.id, by=by.id if by else None, why=why, subject=hold.id
        )  # fmt: skip
        releasing.end(tx, hold, entry)
    entry = note(store, tx, now, "let-go", by=by, why=why)
    tx.execute(update(table).where(table.c.key == now.key).values(let_go_entry=entry))
    return requests.get(store, tx, str(now.id))


# -- what every verb here does -----------------------------------------------------------------------------


def _open(store: Store, tx: Tx, request: Request, by: Officer) -> Request:
    officers.require(by, *WORKERS)
    return must_be_open(fresh(store, tx, request))


def _done(
    store: Store,
    tx: Tx,
    request: Request,
    act: str,
    *,
    event: Happened,
    kept: dict[UUID, New] | None = None,
    detail: dict[str, object] | None = None,
    by: Officer,
    why: str,
) -> Request:
    """Write the entry with its event and its letter; the request as it stands after it."""
    named = {"papers": papers.named(kept)} if kept else {}
    entry = note(store, tx, request, act, event=event, detail={**(detail or {}), **named}, by=by, why=why)
    papers.keep(store, tx, request.key, entry, kept or {})
    return requests.get(store, tx, str(request.id))
