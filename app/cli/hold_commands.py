"""Matters, holds, notices to custodians, and quarantine."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from app import officers
from app.capture import deeds, pages
from app.cli.answer import Answer, table
from app.cli.record_commands import identity
from app.cli.retention_commands import records_of
from app.cli.session import EVERYONE, Session, reason, session
from app.db import Tx
from app.holds import finding, guarding, letter, matters, noticing, placing, quarantine, releasing
from app.holds.matters import Matter
from app.holds.placing import Hold
from app.holds.scopes import CAPTURED, PUBLISHED, Scope
from app.index.engine import IndexBusy
from app.records.errors import Invalid
from app.records.nouns import Role

_MOST_SHOWN = 1_000


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    matter = commands.add_parser("matter", help="litigations, audits and investigations").add_subparsers(
        dest="matter", required=True, metavar="ACT"
    )
    open_ = matter.add_parser("open", parents=[common], help="open a matter")
    open_.add_argument("name")
    open_.add_argument("--silent", action="store_true", help="known to its members only")
    open_.add_argument("--trigger", metavar="DATE", help="the day from which it was to be expected")
    open_.add_argument("--notes", default="")
    open_.add_argument("--member", action="append", default=[], metavar="EMAIL")
    open_.add_argument("--page", action="append", default=[], help="a page that it is about")
    open_.set_defaults(run=_open)
    matter.add_parser("list", parents=[common], help="the matters that you may know of").set_defaults(
        run=_matters
    )
    _one(matter, common, "show", "a matter with its members, custodians and holds").set_defaults(run=_matter)
    change = _one(matter, common, "change", "another trigger date, other pages, or a note")
    change.add_argument("--trigger", metavar="DATE")
    change.add_argument("--note", default="")
    change.add_argument("--page", action="append", help="the pages that it is about, all of them")
    change.set_defaults(run=_change)
    member = _one(matter, common, "member", "make somebody a member, or let them be one no more")
    member.add_argument("email", metavar="EMAIL")
    member.add_argument("--leave", action="store_true")
    member.set_defaults(run=_member)
    custodian = _one(matter, common, "custodian", "name somebody who must keep what they have")
    custodian.add_argument("email", metavar="EMAIL")
    custodian.add_argument("--name", default="")
    custodian.add_argument("--leave", action="store_true", help="take them off the list")
    custodian.set_defaults(run=_custodian)
    _one(matter, common, "close", "close it when none of its holds is active").set_defaults(run=_close)

    hold = commands.add_parser(
        "hold", help="what is kept for a matter, whatever the schedule says"
    ).add_subparsers(dest="hold", required=True, metavar="ACT")
    for name, help_, run in (
        ("place", "place a hold", _place),
        ("preview", "what it would cover, what is just outside, and what was lost before", _preview),
    ):
        made = _one(hold, common, name, help_, called="matter")
        made.add_argument(
            "--scope", default="", metavar="QUERY", help="a standing query; new captures join by themselves"
        )
        made.add_argument("--page", action="append", default=[], help="within this page; may be given again")
        made.add_argument("--author", action="append", default=[], help="by this author; may be given again")
        made.add_argument("--from", dest="since", metavar="DATE")
        made.add_argument("--to", dest="until", metavar="DATE")
        made.add_argument(
            "--dates",
            choices=(PUBLISHED, CAPTURED),
            default=PUBLISHED,
            help="which days --from and --to mean",
        )
        made.add_argument(
            "--records", type=Path, metavar="FILE", help="ids of records, one a line, beside the scope"
        )
        made.set_defaults(run=run)
    list_ = hold.add_parser("list", parents=[common], help="the holds that you may know of")
    list_.add_argument("--matter")
    list_.set_defaults(run=_holds)
    _one(hold, common, "show", "a hold, and what it covers").set_defaults(run=_hold)
    records = _one(hold, common, "records", "what it covers, record by record")
    records.add_argument("--limit", type=int, default=50)
    records.add_argument("--after", type=int, default=0, metavar="KEY", help="go on after this key")
    records.add_argument("--basis", choices=("matched", "undecided", "named"))
    records.set_defaults(run=_records)
    _one(hold, common, "preview-release", "what a release would free").set_defaults(run=_preview_release)
    _one(hold, common, "release", "ask for its release").set_defaults(run=_release)
    _one(hold, common, "approve-release", "approve its release, as a second person").set_defaults(
        run=_approve
    )
    _one(hold, common, "cancel-release", "take a release back before it is carried out").set_defaults(
        run=_cancel
    )
    consent = _one(hold, common, "consent", "let a page be paused although this hold concerns it")
    consent.add_argument("--page", required=True)
    consent.set_defaults(run=_consent)
    notify = _one(hold, common, "notify", "send a custodian notice, to be acknowledged")
    notify.add_argument("--to", required=True, metavar="EMAIL")
    notify.set_defaults(run=_notify)
    _one(hold, common, "notices", "who was told, and who acknowledged when").set_defaults(run=_notices)
    written = _one(hold, common, "letter", "a preservation letter as PDF, to a platform or a custodian")
    written.add_argument("--to", required=True, metavar="NAME", help="to whom it is addressed")
    written.add_argument("--address", default="", help="their address, lines divided by a semicolon")
    written.add_argument("--out", type=Path, required=True, metavar="FILE.pdf")
    written.set_defaults(run=_letter)

    cut = commands.add_parser(
        "quarantine", parents=[common], help="cut off access to a record for all but two people"
    )
    cut.add_argument("record", nargs="?")
    cut.add_argument(
        "--with", dest="second", default="", metavar="EMAIL", help="the second person who has access"
    )
    cut.add_argument("--end", action="store_true", help="give access back")
    cut.add_argument("--list", action="store_true", help="those for which you are one of the two")
    cut.set_defaults(run=_quarantine)


def _one(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    common: argparse.ArgumentParser,
    name: str,
    what: str,
    *,
    called: str = "id",
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, parents=[common], help=what)
    made.add_argument(called)
    return made


def _followed(here: Session) -> None:
    """Let releases that are due be carried out, and holds and index see what was kept."""
    here.archive.look_after_holds()
    with contextlib.suppress(IndexBusy):  # the service follows already
        here.archive.follow()


def _people(tx: Tx) -> dict[UUID, str]:
    return officers.emails(tx)


# -- matters -----------------------------------------------------------------------------------------------


def _open(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(Role.ATTORNEY) as here, here.archive.store.database.begin() as tx:
        made = matters.open(
            here.archive.store,
            tx,
            asked.name,
            silent=asked.silent,
            trigger=deeds.day(asked.trigger, "the trigger date"),
            notes=asked.notes,
            members=asked.member,
            about=[pages.get(tx, page).id for page in asked.page],
            by=here.officer,
            why=why,
        )
        return _told(here, tx, made)


def _told(here: Session, tx: Tx, matter: Matter) -> Answer:
    store = here.archive.store
    held = placing.listed(store, tx, by=here.officer, matter=matter)
    value = matters.as_json(matter, _people(tx)) | {"active_holds": matter.holds}
    value["holds"] = _with_matters(here, tx, held)
    lines = [
        f"{matter.name}{' (silent)' if matter.silent else ''}, {'closed' if matter.closed_at else 'open'}: {matter.id}",
        f"{len(matter.members)} members, {len(matter.custodians)} custodians, {matter.holds} active holds",
        *(f"  hold {hold.id}: {hold.state}, {hold.understood or 'records that are named'}" for hold in held),
        *(f"  custodian {one.name} <{one.email}>" for one in matter.custodians),
    ]
    return Answer(value, lines)


def _matters(asked: argparse.Namespace) -> Answer:
    del asked
    with session(*EVERYONE) as here, here.archive.store.database.read() as tx:
        found = matters.listed(here.archive.store, tx, by=here.officer)
    rows = [(one.id, one.name, "closed" if one.closed_at else "open", one.holds) for one in found]
    return Answer([matters.in_short(one) for one in found], table(rows, "id", "name", "state", "holds"))


def _matter(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here, here.archive.store.database.read() as tx:
        return _told(here, tx, matters.get(here.archive.store, tx, asked.id, by=here.officer))


def _changing(asked: argparse.Namespace, verb: Callable[[Session, Tx, Matter, str], Matter]) -> Answer:
    why = reason(asked.why)
    with session(*EVERYONE) as here, here.archive.store.database.begin() as tx:
        matter = matters.get(here.archive.store, tx, asked.id, by=here.officer)
        with noticing.telling(here.archive.store, tx, matter, by=here.officer, why=why):
            changed = verb(here, tx, matter, why)
        return _told(here, tx, changed)


def _change(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, matter: Matter, why: str) -> Matter:
        about = None if asked.page is None else [pages.get(tx, page).id for page in asked.page]
        trigger = deeds.day(asked.trigger, "the trigger date")
        return matters.change(
            here.archive.store,
            tx,
            matter,
            trigger=trigger,
            about=about,
            note=asked.note,
            by=here.officer,
            why=why,
        )

    return _changing(asked, verb)


def _member(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, matter: Matter, why: str) -> Matter:
        act = matters.dismiss if asked.leave else matters.admit
        return act(here.archive.store, tx, matter, asked.email, by=here.officer, why=why)

    return _changing(asked, verb)


def _custodian(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, matter: Matter, why: str) -> Matter:
        store = here.archive.store
        if asked.leave:
            return matters.excuse_custodian(store, tx, matter, asked.email, by=here.officer, why=why)
        name = asked.name or asked.email
        matters.name_custodian(store, tx, matter, name, asked.email, by=here.officer, why=why)
        return matters.get(store, tx, str(matter.id), by=here.officer)

    return _changing(asked, verb)


def _close(asked: argparse.Namespace) -> Answer:
    return _changing(
        asked,
        lambda here, tx, matter, why: matters.close(here.archive.store, tx, matter, by=here.officer, why=why),
    )


# -- placing -----------------------------------------------------------------------------------------------


def _scope(asked: argparse.Namespace, here: Session) -> Scope:
    with here.archive.store.database.read() as tx:
        named = tuple(str(pages.get(tx, page).id) for page in asked.page)
    return Scope(
        query=asked.scope,
        pages=named,
        authors=tuple(asked.author),
        since=asked.since,
        until=asked.until,
        dates=asked.dates,
        records=tuple(records_of(asked.records)) if asked.records else (),
    )


def _place(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(Role.ATTORNEY) as here:
        store = here.archive.store
        _followed(here)
        scope = _scope(asked, here)
        with store.database.read() as tx:
            matter = matters.get(store, tx, asked.matter, by=here.officer)
        scope.understood()
        found = finding.find(store, here.archive.index, scope, by=here.officer)
        with store.database.begin() as tx:
            placed = placing.place(store, tx, matter, scope, found, by=here.officer, why=why)
            noticing.tell_of_change(store, tx, placed.hold, by=here.officer, why=why)
    value = placing.placed_json(placed, matter)
    lost = value["possibly_disposed"]
    lines = [f"hold {placed.hold.id} covers {placed.covers:,} records"]
    if placed.lost and isinstance(lost, dict):
        lines.append(f"{lost['records']:,} records were disposed of before. {lost['note']}")
    return Answer(value, lines)


def _preview(asked: argparse.Namespace) -> Answer:
    with session(Role.ATTORNEY) as here:
        store = here.archive.store
        _followed(here)
        scope = _scope(asked, here)
        with store.database.read() as tx:
            matter = matters.get(store, tx, asked.matter, by=here.officer)
        _, told = placing.preview(store, here.archive.index, matter, scope, by=here.officer)
    lines = [
        f"would cover {told.covers:,} records: {', '.join(f'{number:,} {why}' for why, number in told.by_basis.items())}",
        *(f"  {number:,} cannot be decided: {why}" for why, number in told.undecided.items() if number),
        *(
            f"  near miss: {one.written} instead of {one.instead_of} adds {one.records:,} ({', '.join(one.words)})"
            for one in told.near
        ),
    ]
    return Answer(placing.preview_json(told), lines)


# -- reading -----------------------------------------------------------------------------------------------


def _with_matters(here: Session, tx: Tx, held: Sequence[Hold]) -> list[dict[str, object]]:
    store = here.archive.store
    known = {one.key: one for one in matters.listed(store, tx, by=here.officer)}
    told = []
    for hold in held:
        counted = finding.covered(tx, hold.key, messages=here.messages)
        told.append(placing.as_json(hold, known.get(hold.matter or 0), counted))
    return told


def _holds(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        here.archive.look_after_holds()
        with here.archive.store.database.read() as tx:
            store, of = here.archive.store, None
            if asked.matter:
                of = matters.get(store, tx, asked.matter, by=here.officer)
            told = _with_matters(here, tx, placing.listed(store, tx, by=here.officer, matter=of))
    rows = [(one["id"], one["matter_name"] or "a request", one["state"], one["covers"]) for one in told]
    return Answer(told, table(rows, "id", "matter", "state", "covers"))


def _hold(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        here.archive.look_after_holds()
        with here.archive.store.database.read() as tx:
            hold = placing.get(here.archive.store, tx, asked.id, by=here.officer)
            return Answer(_with_matters(here, tx, [hold])[0])


def _records(asked: argparse.Namespace) -> Answer:
    if not 0 < asked.limit <= _MOST_SHOWN:
        raise Invalid(f"--limit is from 1 to {_MOST_SHOWN}")
    with session(*EVERYONE) as here:
        here.archive.look_after_holds()
        with here.archive.store.database.read() as tx:
            hold = placing.get(here.archive.store, tx, asked.id, by=here.officer)
            part = placing.records_of(
                tx, hold, messages=here.messages, after=asked.after, limit=asked.limit, basis=asked.basis
            )
    value = {
        "total": part.total,
        "records": [{"id": str(one.record), "basis": one.basis} for one in part.records],
        "next": part.next,
    }
    return Answer(value, [*(f"{one.record}  {one.basis}" for one in part.records), f"{part.total:,} records"])


# -- release -----------------------------------------------------------------------------------------------


def _preview_release(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        here.archive.look_after_holds()
        with here.archive.store.database.read() as tx:
            hold = placing.get(here.archive.store, tx, asked.id, by=here.officer)
            told = releasing.preview(tx, hold, by=here.officer)
    value = {"id": asked.id, **releasing.as_json(told)}
    return Answer(value, [f"of {told.covers:,} records {told.freed:,} would be covered no more"])


def _releasing(asked: argparse.Namespace, verb: Callable[[Session, Tx, Hold, str], Hold]) -> Answer:
    why = reason(asked.why)
    with session(*EVERYONE) as here:
        here.archive.look_after_holds()
        with here.archive.store.database.begin() as tx:
            hold = placing.get(here.archive.store, tx, asked.id, by=here.officer)
            now = verb(here, tx, hold, why)
            told = _with_matters(here, tx, [now])[0]
    until = now.pending.effective_at if now.pending else None
    return Answer(
        told,
        [f"hold {now.id}: {now.state}" + (f", takes effect {until:%Y-%m-%d %H:%M} UTC" if until else "")],
    )


def _release(asked: argparse.Namespace) -> Answer:
    return _releasing(
        asked,
        lambda here, tx, hold, why: releasing.ask(here.archive.store, tx, hold, by=here.officer, why=why),
    )


def _approve(asked: argparse.Namespace) -> Answer:
    def verb(here: Session, tx: Tx, hold: Hold, why: str) -> Hold:
        after = timedelta(days=here.archive.settings.hold_release_days)
        return releasing.approve(here.archive.store, tx, hold, after=after, by=here.officer, why=why)

    return _releasing(asked, verb)


def _cancel(asked: argparse.Namespace) -> Answer:
    return _releasing(
        asked,
        lambda here, tx, hold, why: releasing.cancel(here.archive.store, tx, hold, by=here.officer, why=why),
    )


def _consent(asked: argparse.Namespace) -> Answer:
    return _releasing(
        asked,
        lambda here, tx, hold, why: guarding.consent(
            here.archive.store, tx, hold, pages.get(tx, asked.page), by=here.officer, why=why
        ),
    )


# -- notices -----------------------------------------------------------------------------------------------


def _notify(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(Role.ATTORNEY) as here:
        store = here.archive.store
        with store.database.begin() as tx:
            hold = placing.get(store, tx, asked.id, by=here.officer)
            noticing.notify(store, tx, hold, asked.to, by=here.officer, why=why)
        sent = noticing.send(store, here.archive.letters(), here.archive.settings.public_url)
        with store.database.read() as tx:
            told = noticing.listed(store, tx, hold)
    value = {"sent": sent, "notices": [noticing.as_json(one) for one in told]}
    return Answer(value, ["the notice was sent" if sent else "the notice waits for the mail server"])


def _notices(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here, here.archive.store.database.read() as tx:
        hold = placing.get(here.archive.store, tx, asked.id, by=here.officer)
        told = noticing.listed(here.archive.store, tx, hold)
    rows = [
        (one.name, one.email, one.state, one.sent_at or "", one.acknowledged_at or "", one.letters)
        for one in told
    ]
    return Answer(
        [noticing.as_json(one) for one in told],
        table(rows, "custodian", "address", "state", "told", "acknowledged", "letters"),
    )


def _letter(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    if asked.out.exists():
        raise Invalid(f"{asked.out} is there already", next="Name another file.")
    with session(Role.ATTORNEY) as here:
        address = [line.strip() for line in asked.address.split(";") if line.strip()]
        content = letter.preservation(
            here.archive.store, asked.id, asked.to, address, by=here.officer, why=why
        )
        asked.out.write_bytes(content)
    return Answer({"file": str(asked.out), "bytes": len(content)}, [f"the letter is in {asked.out}"])


# -- quarantine --------------------------------------------------------------------------------------------


def _quarantine(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        if asked.list:
            found = quarantine.listed(store, tx, by=here.officer)
            people, zone = _people(tx), store.agency.zone()
            told = [quarantine.as_json(one, people) for one in found]
            lines = [f"{one.record}  since {one.at.astimezone(zone):%Y-%m-%d}: {one.why}" for one in found]
            return Answer(told, lines)
        if asked.record is None:
            raise Invalid("no record is named", next="Give a record's id, or --list.")
        which, why = identity(asked.record), reason(asked.why)
        if asked.end:
            entry = quarantine.end(store, tx, which, by=here.officer, why=why)
            return Answer({"record": str(which), "entry": entry}, [f"access to {which} is as it was"])
        made = quarantine.begin(store, tx, which, asked.second, by=here.officer, why=why)
        return Answer(
            quarantine.as_json(made, _people(tx)), [f"only you and {asked.second} have access to {which} now"]
        )
