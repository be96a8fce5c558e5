"""Searching, and reading what was found."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from uuid import UUID

from app.capture import copies, records
from app.cli.answer import Answer
from app.cli.people_commands import moment
from app.cli.session import READERS, Session, session
from app.index.engine import FACETS, IndexBusy, Sort
from app.index.language import Query, parse
from app.index.search import narrowed
from app.index.source import identities
from app.records.errors import Invalid
from app.records.nouns import Disposed, Record, Role
from app.store import access

_PART = 500


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    search = commands.add_parser("search", parents=[common], help="find what was said")
    search.add_argument("query")
    for name in ("page", "platform", "author", "kind", "state"):
        search.add_argument(f"--{name}")
    search.add_argument(
        "--from",
        dest="since",
        metavar="DATE",
        help="published on or after that day, in the agency's time zone",
    )
    search.add_argument("--to", dest="until", metavar="DATE", help="published on or before that day")
    search.add_argument("--sort", default="newest", choices=[str(sort) for sort in Sort])
    search.add_argument("--limit", type=int, default=20)
    search.add_argument("--after", metavar="CURSOR", help="go on after the page that gave this cursor")
    search.add_argument(
        "--facets", default="", metavar="F,F", help=f"count the hits by these: {', '.join(FACETS)}"
    )
    search.add_argument("--all", action="store_true", help="every hit as JSON Lines, without a cap")
    search.add_argument("--count", action="store_true", help="only the total")
    search.add_argument("--ids", action="store_true", help="only ids")
    search.add_argument(
        "--csv", type=Path, metavar="FILE", help="a working copy of every hit, safe to open in a spreadsheet"
    )
    search.add_argument("--html", type=Path, metavar="FILE", help="a working copy of every hit, to print")
    search.set_defaults(run=_search)

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


def _search(asked: argparse.Namespace) -> Answer | None:
    query = narrowed(
        parse(asked.query),
        since=asked.since,
        until=asked.until,
        page=asked.page,
        platform=asked.platform,
        author=asked.author,
        kind=asked.kind,
        state=asked.state,
    )
    facets = [name.strip() for name in asked.facets.split(",") if name.strip()]
    if asked.limit < 0:
        raise Invalid("--limit is a whole number, 0 or more")
    streams = asked.all or asked.csv or asked.html
    with session(*((Role.CUSTODIAN_OF_EVIDENCE, Role.RECORDS_OFFICER) if streams else READERS)) as here:
        archive = here.archive
        _follow(here)
        found = archive.search(
            query,
            messages=here.messages,
            sort=Sort(asked.sort),
            limit=max(asked.limit, 1),
            after=asked.after,
            facets=facets,
        )
        action = "export" if streams else "search"
        with archive.store.database.begin() as tx:
            access.note(
                archive.store,
                tx,
                action,
                by=here.officer.id,
                detail={"query": asked.query, "total": found.total},
            )
        head = {
            "total": found.total,
            "query": found.query,
            "as_of": found.as_of,
            "undated": found.undated,
            "unsearchable": found.unsearchable,
        }
        if asked.count:
            return Answer(head, [str(found.total)])
        if streams:
            return _stream(asked, here, query, head)
        with archive.store.database.read() as tx:
            if asked.ids:
                told: list[object] = [str(one) for one in identities(tx, found.records[: asked.limit])]
            else:
                told = [
                    records.as_json(one)
                    for one in records.read(
                        archive.store, tx, found.records[: asked.limit], messages=here.messages
                    )
                ]
    value = {**head, "records": told, "facets": found.facets, "cursor": found.cursor}
    return Answer(value, [_line_of(one) for one in told] + [f"{found.total} records"])


def _follow(here: Session) -> None:
    """Let the index see what was kept; where the service follows already, or somebody else writes, the lag is said."""
    with contextlib.suppress(IndexBusy):
        here.archive.follow()


def _stream(asked: argparse.Namespace, here: Session, query: Query, head: dict[str, object]) -> Answer | None:
    """Every hit, in bounded memory: as JSON Lines, or as a working copy in a file."""
    found = _every(here, query, Sort(asked.sort))
    if not (asked.csv or asked.html):
        for record in found:
            line = (
                str(record.id)
                if asked.ids and not asked.json
                else json.dumps(records.as_json(record), ensure_ascii=False)
            )
            print(json.dumps(str(record.id)) if asked.ids and asked.json else line)
        return None
    store = here.archive.store
    zone = store.agency.zone()
    rows = [("Query", asked.query), ("Records", head["total"]), ("Ledger entries", head["as_of"])]
    lines: Iterator[Sequence[object]] = chain(
        copies.head(store, here.officer, rows),
        [list(copies.COLUMNS)],
        (copies.row(record, zone) for record in found),
    )
    out: Path = asked.csv or asked.html
    with out.open("xb") as file:
        file.writelines(copies.as_csv(lines) if asked.csv else copies.as_html(lines))
    return Answer(
        {**head, "file": str(out)}, [f"{head['total']} records in {out}: a working copy, not a production"]
    )


def _every(here: Session, query: Query, sort: Sort) -> Iterator[Record]:
    keys = here.archive.every(query, messages=here.messages, sort=sort)
    while part := list(islice(keys, _PART)):
        with here.archive.store.database.read() as tx:
            found = records.read(here.archive.store, tx, part, messages=here.messages)
        yield from found


def _line_of(told: object) -> str:
    if not isinstance(told, dict):
        return str(told)
    author = (told.get("author") or {}).get("name") or ""
    return f"{told['id']}  {told.get('published_at') or 'undated':20}  {told.get('state', ''):8} {author[:20]:20} {str(told.get('text', ''))[:80]!r}"


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
