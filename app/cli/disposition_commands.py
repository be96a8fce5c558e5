"""Disposition: what is proposed, approved, executed, transferred and certified."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from app import __version__, officers
from app.capture import deeds
from app.cli.answer import Answer, say, table
from app.cli.session import Session, reason, session
from app.db import Tx
from app.disposition import (
    approving,
    certifying,
    executing,
    proposals,
    proposing,
    telling,
    transferring,
)
from app.disposition.proposals import APPROVED, Proposal
from app.records.errors import ArchiveError, Invalid
from app.records.nouns import Role
from app.store import folders


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    acts = commands.add_parser("disposition", help="disposing of records").add_subparsers(
        dest="disposition", required=True, metavar="ACT"
    )
    propose = acts.add_parser(
        "propose", parents=[common], help="list what of a series is eligible and not held"
    )
    propose.add_argument("series")
    propose.add_argument("--on", metavar="DATE", help="eligible on that day and today")
    propose.add_argument("--limit", type=int, default=proposing.MOST, metavar="N")
    propose.add_argument("--without", nargs="+", default=[], metavar="RECORD", help="leave these out")
    propose.add_argument("--preview", action="store_true", help="only say what would be on the list")
    propose.set_defaults(run=_propose)
    order = acts.add_parser("order", parents=[common], help="records that a court ordered to be destroyed")
    order.add_argument("records", nargs="+", metavar="RECORD")
    order.add_argument("--instrument", required=True, metavar="TEXT", help="the order: court, case and date")
    order.add_argument("--wait", type=int, default=0, metavar="DAYS", help="the days that the order gives")
    order.set_defaults(run=_order)
    approve = _one(acts, common, "approve", "take the next step of the chain")
    approve.add_argument("--instrument", default="", metavar="TEXT", help="of the governing body")
    approve.set_defaults(run=_approve)
    _one(acts, common, "reject", "say no, with a reason").set_defaults(run=_reject)
    _one(acts, common, "withdraw", "take it back, as far as it was not executed").set_defaults(run=_withdraw)
    leave = _one(acts, common, "leave-out", "take records off a list that is not approved yet")
    leave.add_argument("records", nargs="+", metavar="RECORD")
    leave.set_defaults(run=_leave_out)
    _one(acts, common, "execute", "dispose of what was approved; what is held or changed stays").set_defaults(
        run=_execute
    )
    certificate = _one(acts, common, "certificate", "the certificate of destruction")
    certificate.add_argument("--out", type=Path, required=True, metavar="FILE", help="FILE.pdf or FILE.json")
    certificate.set_defaults(run=_certificate)
    transfer = _one(acts, common, "transfer", "pack the records as a bag for the archives")
    transfer.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    transfer.set_defaults(run=_transfer)
    accept = _one(acts, common, "accept", "take down the archives' receipt")
    accept.add_argument("--receipt", type=Path, required=True, metavar="FILE")
    accept.set_defaults(run=_accept)
    listed = acts.add_parser("list", parents=[common], help="the log of dispositions")
    listed.add_argument("--limit", type=int, default=100)
    listed.set_defaults(run=_list)
    shown = _one(acts, common, "show", "one of them, with its list")
    shown.add_argument("--limit", type=int, default=100, help="how many records of the list")
    shown.set_defaults(run=_show)
    acts.add_parser(
        "confirm-holds",
        parents=[common],
        help="after a restore that lost entries: an attorney says that the holds are as they should be",
    ).set_defaults(run=_confirm)


def _one(
    acts: argparse._SubParsersAction[argparse.ArgumentParser],
    common: argparse.ArgumentParser,
    name: str,
    what: str,
) -> argparse.ArgumentParser:
    made = acts.add_parser(name, parents=[common], help=what)
    made.add_argument("id")
    return made


def _propose(asked: argparse.Namespace) -> Answer:
    on = deeds.day(asked.on)
    left_out = [_identity(one) for one in asked.without]
    with session(*proposing.PROPOSERS) as here:
        of = here.archive.disposing()
        if asked.preview:
            with of.store.database.read() as tx:
                seen = proposing.look(of, tx, asked.series, on=on, limit=asked.limit)
            return Answer(telling.preview_json(seen), telling.of_preview(seen))
        why = reason(asked.why)
        with of.store.database.begin() as tx:
            found = proposing.propose(
                of, tx, asked.series, on=on, limit=asked.limit, without=left_out, by=here.officer, why=why
            )
            return _answer(here, tx, found)


def _order(asked: argparse.Namespace) -> Answer:
    why, wanted = reason(asked.why), [_identity(one) for one in asked.records]
    with session(*proposing.ORDERERS) as here:
        of = here.archive.disposing()
        with of.store.database.begin() as tx:
            found = proposing.order(
                of, tx, wanted, instrument=asked.instrument, waiting_days=asked.wait, by=here.officer, why=why
            )
            return _answer(here, tx, found)


def _approve(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*approving.APPROVERS) as here:
        of = here.archive.disposing()
        with of.store.database.begin() as tx:
            found = approving.approve(of, tx, asked.id, by=here.officer, why=why, instrument=asked.instrument)
            answer = _answer(here, tx, found)
        if found.state == APPROVED and of.anchored:
            _anchor(here, why)
        return answer


def _anchor(here: Session, why: str) -> None:
    """Have the authorisation timestamped at once: its waiting period counts from there."""
    try:
        here.archive.store.ledger.checkpoint()
        here.archive.anchor(by=here.officer.id, why=why)
    except ArchiveError as error:
        say(f"the authorisation is not timestamped yet: {error}; the service tries again by itself")


def _reject(asked: argparse.Namespace) -> Answer:
    return _changed(asked, approving.APPROVERS, approving.reject)


def _withdraw(asked: argparse.Namespace) -> Answer:
    return _changed(asked, approving.WITHDRAWERS, approving.withdraw)


def _changed(asked: argparse.Namespace, roles: Sequence[Role], verb: Callable[..., Proposal]) -> Answer:
    why = reason(asked.why)
    with session(*roles) as here:
        of = here.archive.disposing()
        with of.store.database.begin() as tx:
            return _answer(here, tx, verb(of, tx, asked.id, by=here.officer, why=why))


def _leave_out(asked: argparse.Namespace) -> Answer:
    why, wanted = reason(asked.why), [_identity(one) for one in asked.records]
    with session(*approving.APPROVERS) as here:
        of = here.archive.disposing()
        with of.store.database.begin() as tx:
            return _answer(here, tx, approving.leave_out(of, tx, asked.id, wanted, by=here.officer, why=why))


def _execute(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*executing.EXECUTORS) as here:
        done = executing.execute(here.archive.disposing(), asked.id, by=here.officer, why=why)
        here.archive.store.ledger.checkpoint()
    lines = [f"{done.disposed:,} records were disposed of"]
    if done.excluded:
        lines.append(
            f"{len(done.excluded):,} stayed: what is held, or not eligible any more, is not disposed of"
        )
    return Answer(done.as_json(), lines)


def _certificate(asked: argparse.Namespace) -> Answer:
    if asked.out.exists():
        raise Invalid(f"{asked.out} is there already", next="Name another file.")
    with session(*certifying.READERS) as here:
        of = here.archive.disposing()
        made = certifying.certify(
            of, asked.id, software=f"Muniment {__version__}", by=here.officer, why=asked.why or "certificate asked for"
        )  # fmt: skip
        if asked.out.suffix.lower() == ".json":
            content = json.dumps(made.told, ensure_ascii=False, indent=1).encode("utf-8", "replace")
        else:
            content = made.pdf(of)
    coming = asked.out.with_name(asked.out.name + ".part")
    coming.write_bytes(content)
    coming.replace(asked.out)
    folders.sync(asked.out.absolute().parent)
    told = made.told
    answer = {
        "id": told["batch"],
        "state": told["state"],
        "records": told["quantity"]["records"],
        "key_backups_until": told["survives"]["key_backups_until"],
        "file": str(asked.out),
        "sha256": made.digest,
        "entry": made.entry,
    }
    return Answer(answer, [f"{told['state']}: {told['quantity']['records']:,} records; {asked.out}"])


def _transfer(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*transferring.PACKERS) as here:
        packed = transferring.pack(
            here.archive.disposing(), asked.id, asked.out, home=here.archive.settings.home, by=here.officer, why=why
        )  # fmt: skip
    return Answer(
        packed.as_json(), [f"{packed.records:,} records in {asked.out}", f"its receipt should name {packed.digest.hex()}"]
    )  # fmt: skip


def _accept(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*executing.EXECUTORS) as here:
        of = here.archive.disposing()
        with of.store.database.begin() as tx:
            return _answer(
                here, tx, transferring.accept(of, tx, asked.id, asked.receipt, by=here.officer, why=why)
            )


def _list(asked: argparse.Namespace) -> Answer:
    with session(*certifying.READERS) as here, here.archive.store.database.read() as tx:
        found = proposals.listed(here.archive.store, tx, limit=asked.limit)
        who = _who(tx)
    rows = [
        (
            one.id,
            one.kind,
            one.series,
            f"{one.shown:,}",
            one.state,
            one.opens_on,
            "final" if one.final else "",
        )
        for one in found
    ]
    return Answer(
        [telling.as_json(one, who) for one in found],
        table(rows, "id", "kind", "series", "records", "state", "open on", "") if rows else ["nothing was proposed"],
    )  # fmt: skip


def _show(asked: argparse.Namespace) -> Answer:
    with session(*certifying.READERS) as here, here.archive.store.database.read() as tx:
        found = proposals.get(here.archive.store, tx, asked.id)
        listed = proposals.of_list(tx, found, limit=asked.limit)
        who, zone = _who(tx), here.archive.store.agency.zone()
    told = telling.as_json(found, who) | {"list": [telling.listed_json(one) for one in listed]}
    lines = [*telling.lines(found, who, zone), *(f"  {telling.of_listed(one)}" for one in listed)]
    return Answer(told, lines)


def _confirm(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*approving.CONFIRMERS) as here:
        of = here.archive.disposing()
        with of.store.database.begin() as tx:
            entry = approving.confirm_holds(of, tx, by=here.officer, why=why)
    return Answer({"entry": entry}, ["the holds are confirmed; dispositions may be executed again"])


def _answer(here: Session, tx: Tx, found: Proposal) -> Answer:
    who = _who(tx)
    zone = here.archive.store.agency.zone()
    return Answer(telling.as_json(found, who), telling.lines(found, who, zone))


def _who(tx: Tx) -> Callable[[UUID], str]:
    people = officers.emails(tx)
    return lambda which: people.get(which, str(which))


def _identity(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(f"{text[:80]!r} is no record's id", next="Copy it from a search.") from error
