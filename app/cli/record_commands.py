"""Searching, and reading what was found."""

from __future__ import annotations

import argparse
from pathlib import Path
from uuid import UUID

from app.capture import records
from app.cli.answer import Answer
from app.cli.people_commands import moment
from app.cli.session import READERS, Session, session
from app.records.errors import Invalid
from app.records.nouns import Disposed, Record, Role
from app.store import access


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    record = commands.add_parser("record", help="one record").add_subparsers(
        dest="record", required=True, metavar="ACT"
    )
    show = record.add_parser("show", parents=[common], help="the record, its versions, its post and comments")
    show.add_argument("id")
    show.add_argument("--versions", action="store_true")
    show.add_argument("--family", action="store_true")
    show.add_argument("--at", metavar="DATETIME", help="how each item of the family stood at that moment")
    show.set_defaults(run=_show)
    evidence = record.add_parser("evidence", parents=[common], help="the exchanges that show it, as WARC 1.1")
    evidence.add_argument("id")
    evidence.add_argument("--out", type=Path, required=True, metavar="FILE.warc.gz")
    evidence.set_defaults(run=_evidence)
    proof = record.add_parser("proof", parents=[common], help="the proof folder of its newest version")
    proof.add_argument("id")
    proof.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    proof.add_argument("--version", type=int)
    proof.set_defaults(run=_proof)


def identity(text: str) -> UUID:
    """A record's id, or `Invalid`."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(
            f"{text!r} is no record id", next="Ids look like 01a1fc86-bc93-722a-8b03-bac9f400b5e5."
        ) from error


def _show(asked: argparse.Namespace) -> Answer:
    which, at = identity(asked.id), moment(asked.at)
    with session(*READERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        found = records.get(store, tx, which, messages=here.messages)
        access.note(
            store,
            tx,
            "view",
            by=here.officer.id,
            record=which,
            detail={"versions": asked.versions, "family": asked.family, "at": asked.at or ""},
        )
        told = records.as_json(found)
        if isinstance(found, Disposed):
            return Answer(told)
        if asked.versions:
            told["history"] = [records.version_json(version) for version in records.history(store, tx, found)]
        if asked.family or at:
            members = records.family(store, tx, found, messages=here.messages)
            if at:
                told["family"] = [
                    records.as_json(one.record)
                    | {
                        "at": one.shown,
                        "last_seen": records.iso(one.last_seen),
                        "first_seen_after": records.iso(one.first_seen_after),
                    }
                    for one in records.stood_at(store, tx, members, at)
                ]
            else:
                told["family"] = [records.as_json(member) for member in members]
    return Answer(told, _lines(found, told))


def _lines(found: Record, told: dict[str, object]) -> list[str]:
    version = found.version
    lines = [
        f"{found.kind} on {found.page.name} ({found.page.platform}), {version.state}, version {version.number} of {found.versions}",
        f"by {version.text('author_name') or version.text('author_handle') or 'nobody named'}, published {records.iso(found.published_at) or 'at no stated time'}",
        "",
        version.text("text") or "",
    ]
    family = told.get("family")
    if isinstance(family, list):
        lines += ["", f"{len(family)} items in its family:"]
        lines += [
            f"  {item['id']}  {item.get('at', item['state'])}  {str(item['text'])[:80]!r}" for item in family
        ]
    history = told.get("history")
    if isinstance(history, list):
        lines += [
            "",
            *(
                f"  version {item['version']}: {item['state']}, seen {item['observed_at']}"
                for item in history
            ),
        ]
    return lines


def _evidence(asked: argparse.Namespace) -> Answer:
    with session(Role.CUSTODIAN_OF_EVIDENCE) as here:
        told = here.archive.write_evidence(
            _readable(here, asked.id), asked.out, by=here.officer, why=asked.why
        )
    return Answer(told, [f"{told['exchanges']} exchanges in {asked.out}"])


def _proof(asked: argparse.Namespace) -> Answer:
    with session(Role.CUSTODIAN_OF_EVIDENCE) as here:
        told = here.archive.write_proof(
            _readable(here, asked.id), asked.out, number=asked.version, by=here.officer, why=asked.why
        )
    return Answer(told, [f"version {told['version']} at entry {told['entry']}: {asked.out}"])


def _readable(here: Session, text: str) -> Record:
    which = identity(text)
    with here.archive.store.database.read() as tx:
        found = records.get(here.archive.store, tx, which, messages=here.messages)
    if isinstance(found, Disposed):
        raise records.NoSuchRecord(
            f"record {which} was disposed of", next="Its certificate says when and under which authority."
        )
    return found
