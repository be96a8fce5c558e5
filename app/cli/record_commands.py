"""Searching, and reading what was found."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from uuid import UUID

from app import officers
from app.capture import copies, records, tags
from app.cli.answer import Answer, say, table
from app.cli.people_commands import moment
from app.cli.session import READERS, Session, reason, session
from app.holds import searching
from app.holds.joining import Known
from app.holds.showing import with_hold, with_holds
from app.index import asof, families, grouping, highlights, search
from app.index.engine import IndexBusy, Sort
from app.index.language import Query, parse
from app.index.leafing import Begun
from app.index.printer import show
from app.index.search import Asking, Found, narrowed
from app.index.source import LedgerSource, identities
from app.index.standing import COUNTED
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
        "--facets", default="", metavar="F,F", help=f"count the hits by these: {', '.join(COUNTED)}"
    )
    search.add_argument(
        "--as-of", type=int, metavar="SIZE", help="as the archive stood when the ledger had so many entries"
    )
    search.add_argument(
        "--families", action="store_true", help="each family once, with the ids of all of its hits"
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
    _add_tags(commands, common)


def _add_tags(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    tag = commands.add_parser("tag", help="words that officers give records").add_subparsers(
        dest="tag", required=True, metavar="ACT"
    )
    for act, says, run in (
        ("add", "give a record a tag", _tag),
        ("remove", "take a tag off a record", _untag),
    ):
        one = tag.add_parser(act, parents=[common], help=says)
        one.add_argument("id", metavar="RECORD")
        one.add_argument("word", metavar="TAG")
        one.set_defaults(run=run)
    listing = tag.add_parser("list", parents=[common], help="every tag, or those of one record")
    listing.add_argument("id", metavar="RECORD", nargs="?")
    listing.set_defaults(run=_tags)


def _tag(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*tags.TAGGERS) as here:
        found = _readable(here, asked.id)
        with here.archive.store.database.begin() as tx:
            given = tags.add(here.archive.store, tx, found, asked.word, by=here.officer, why=why)
    return Answer(
        {"record": str(found.id), **tags.as_json(given, here.officer.email)}, [f"tagged {given.tag}"]
    )


def _untag(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*tags.TAGGERS) as here:
        found = _readable(here, asked.id)
        with here.archive.store.database.begin() as tx:
            entry = tags.remove(here.archive.store, tx, found, asked.word, by=here.officer, why=why)
    return Answer({"record": str(found.id), "tag": asked.word, "entry": entry}, ["taken off"])


def _tags(asked: argparse.Namespace) -> Answer:
    with session(*READERS) as here:
        store = here.archive.store
        if asked.id is None:
            with store.database.read() as tx:
                every = tags.listed(store, tx)
            return Answer(
                {"tags": [{"tag": one.tag, "records": one.records} for one in every]},
                [f"{one.records:>8}  {one.tag}" for one in every] or ["no record is tagged"],
            )
        found = _readable(here, asked.id)
        with store.database.read() as tx:
            given = tags.of_record(store, tx, found)
            people = officers.emails(tx)
    told = [tags.as_json(one, people.get(one.by) if one.by else None) for one in given]
    return Answer({"record": str(found.id), "tags": told}, [one.tag for one in given] or ["no tag"])


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
    unknown = [name for name in facets if name not in COUNTED]
    if unknown:
        raise Invalid(
            f"hits cannot be counted by {', '.join(unknown)}", next=f"Count them by {', '.join(COUNTED)}."
        )
    if asked.limit < 0:
        raise Invalid("--limit is a whole number, 0 or more")
    outs = [out for out in (asked.csv, asked.html) if out is not None]
    for out in outs:
        _must_be_new(out)
    streams = asked.all or outs
    with session(*((Role.CUSTODIAN_OF_EVIDENCE, Role.RECORDS_OFFICER) if streams else READERS)) as here:
        archive = here.archive
        if asked.all:
            with archive.store.database.read() as tx:
                Known(archive.store, tx, here.officer).must_not_leave(query.tree)
        _follow(here)
        asking: Asking | None = None
        if asked.families:
            found, asking = _together(asked, here, query, facets)
        else:
            found = archive.search(
                query,
                messages=here.messages,
                sort=Sort(asked.sort),
                limit=max(asked.limit, 1),
                after=asked.after,
                facets=facets,
                by=here.officer,
                as_of=asked.as_of,
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
            "not_searched": dict(found.not_searched),
        }
        if found.disposed_since is not None:
            head["disposed_since"] = found.disposed_since
        if asked.count:
            for line in _understood(found):
                say(line)
            return Answer(head, [str(found.total)])
        if streams:
            return _stream(asked, here, query, head, found)
        keys, cursor = found.records[: asked.limit], found.cursor
        groups = None
        with archive.store.database.read() as tx:
            if asking is not None:
                sort = Sort(asked.sort)
                known = families.read(tx, found.as_of, messages=here.messages)
                begun = Begun.of(sort, asked.after, asof.size_of(asking.engine))
                answer = asking.going_on(begun, LedgerSource(archive.store), asking.answer())
                groups = grouping.of(answer, sort, known, asked.limit, begun.after)
                keys, cursor = tuple(grouping.first_hits(groups)), begun.cursor(groups.cursor)
                head["families"] = grouping.as_json(tx, groups)
            if asked.ids:
                told: list[object] = [str(one) for one in identities(tx, keys)]
            else:
                shown = records.read(archive.store, tx, keys, messages=here.messages)
                shown = with_holds(archive.store, tx, shown, by=here.officer)
                if asked.as_of is not None:
                    shown = asof.as_then(archive.store, tx, shown, asked.as_of)
                met = highlights.of_records(
                    LedgerSource(archive.store),
                    tx,
                    query.tree,
                    [one.key for one in shown],
                    before=asked.as_of,
                )
                told = [
                    records.as_json(one) | ({"found": met[one.key].as_json()} if one.key in met else {})
                    for one in shown
                ]
    value = {**head, "records": told, "facets": found.facets, "cursor": cursor}
    lines = [*(_line_of(one) for one in told), f"{found.total} records", *_limits(found)]
    if groups is not None:
        lines.append(f"in {groups.total} families, each shown by its first hit")
    if asked.ids:
        for line in _understood(found):
            say(line)
        return Answer(value, lines)
    return Answer(value, [*_understood(found), *lines, *_counts(found)])


def _together(
    asked: argparse.Namespace, here: Session, query: Query, facets: Sequence[str]
) -> tuple[Found, Asking]:
    """What is found with its counts, and the question to the same commit of the index, whose hits are put into families."""
    store = here.archive.store
    with store.database.read() as tx:
        size = store.ledger.size(tx)
        index = searching.within(here.archive.index, tx, size)
        zone, known = store.agency.zone(), Known(store, tx, here.officer)
        past = None if asked.as_of is None else search.past(store, tx, asked.as_of)
        found = search.search(
            index,
            query,
            zone=zone,
            ledger_size=size,
            may_read_messages=here.messages,
            limit=1,
            facets=facets,
            standing=known,
            past=past,
        )
        return found, search.asking(
            index, query, zone, may_read_messages=here.messages, standing=known, past=past
        )


def _understood(found: Found) -> list[str]:
    """The question as it was understood, with what its writer might not expect."""
    notes = found.query["notes"]
    return [f"query as understood: {found.query['understood']}", *(notes if isinstance(notes, list) else [])]


def _counts(found: Found) -> list[str]:
    """The hits by the facts that were asked for."""
    return [
        line
        for name, values in found.facets.items()
        for line in ("", *table([(value, number) for value, number in values.items()], name, "records"))
    ]


def _must_be_new(out: Path) -> None:
    if out.exists():
        raise Invalid(f"{out} is there already", next="Name another file.")
    if not out.parent.is_dir():
        raise Invalid(f"there is no folder {out.parent}", next="Make it, or name another file.")


def _limits(found: Found) -> list[str]:
    """What the answer could not speak of."""
    told = [
        f"{number} not searched: {reason.replace('_', ' ')}" for reason, number in found.not_searched.items()
    ]
    if found.undated:
        told.append(f"{found.undated} left out for having no date of publication")
    if found.disposed_since is not None:
        told.append(
            f"as of {found.as_of} ledger entries; {found.disposed_since} records were disposed of since"
        )
    return told


def _follow(here: Session) -> None:
    """Let the index see what was kept; where the service follows already, or somebody else writes, the lag is said."""
    with contextlib.suppress(IndexBusy):
        here.archive.follow()


def _stream(
    asked: argparse.Namespace, here: Session, query: Query, head: dict[str, object], told: Found
) -> Answer | None:
    """Every hit, in bounded memory: as JSON Lines, or as a working copy in a file."""
    if not (asked.csv or asked.html):
        if not asked.ids:
            _export(asked, here, query, told)
        for record in _every(here, query, Sort(asked.sort), asked.as_of):
            line = (
                str(record.id)
                if asked.ids and not asked.json
                else json.dumps(records.as_json(record), ensure_ascii=False)
            )
            print(json.dumps(str(record.id)) if asked.ids and asked.json else line)
        return None
    outs: list[tuple[Path, Callable[[Iterator[Sequence[object]]], Iterator[bytes]]]] = []
    if asked.csv:
        outs.append((asked.csv, copies.as_csv))
    if asked.html:
        outs.append((asked.html, copies.as_html))
    for out, form in outs:
        _write(out, form(_copied(asked, here, query, told)))
    files = [str(out) for out, _ in outs]
    return Answer(
        {**head, "file": files[0], "files": files},
        [f"{told.total} records in {file}: a working copy, not a production" for file in files],
    )


def _copied(
    asked: argparse.Namespace, here: Session, query: Query, told: Found
) -> Iterator[Sequence[object]]:
    """The lines of a working copy."""
    store = here.archive.store
    zone = store.agency.zone()
    rows = [
        ("Query", asked.query), ("Understood as", show(query.tree)), ("Records", told.total),
        ("Ledger entries", told.as_of),
    ]  # fmt: skip
    found = _every(here, query, Sort(asked.sort), asked.as_of)
    return chain(
        copies.head(store, here.officer, rows),
        [list(copies.COLUMNS)],
        (copies.row(record, zone) for record in found),
    )


def _write(out: Path, content: Iterator[bytes]) -> None:
    """Write a file anew, or leave none."""
    try:
        with out.open("xb") as file:
            try:
                file.writelines(content)
            except BaseException:
                out.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise Invalid(f"{out} cannot be written: {error.strerror}", next="Name another file.") from error


def _export(asked: argparse.Namespace, here: Session, query: Query, told: Found) -> None:
    """Enter in the ledger that every hit leaves, as over the API."""
    with here.archive.store.database.begin() as tx:
        here.archive.store.ledger.act(
            tx,
            "export",
            by=here.officer.id,
            why=asked.why.strip() or "taken on the command line",
            facts={"what": "records", "n": told.total, "as_of": told.as_of},
            detail={"query": asked.query, "understood": show(query.tree)},
        )


def _every(here: Session, query: Query, sort: Sort, as_of: int | None) -> Iterator[Record]:
    keys = here.archive.every(query, messages=here.messages, sort=sort, by=here.officer, as_of=as_of)
    while part := list(islice(keys, _PART)):
        with here.archive.store.database.read() as tx:
            found = records.read(here.archive.store, tx, part, messages=here.messages)
            found = with_holds(here.archive.store, tx, found, by=here.officer)
            if as_of is not None:
                found = asof.as_then(here.archive.store, tx, found, as_of)
        yield from found


def _line_of(told: object) -> str:
    if not isinstance(told, dict):
        return str(told)
    name = (told.get("author") or {}).get("name") or ""
    author = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    met = told.get("found") or {}
    beside = f"  ({met['where']})" if met.get("where", "in the text") != "in the text" else ""
    return f"{told['id']}  {told.get('published_at') or 'undated':20}  {told.get('state', ''):8} {author[:20]:20} {str(told.get('text', ''))[:80]!r}{beside}"


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
        found = records.get(store, tx, which, messages=here.messages, by=here.officer.id)
        found = with_hold(store, tx, found, by=here.officer)
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
        told["tags"] = tags.of(store, tx, [found.key]).get(found.key, [])
        if asked.versions:
            told["history"] = [records.version_json(version) for version in records.history(store, tx, found)]
        if asked.family or at:
            members = records.family(store, tx, found, messages=here.messages)
            members = with_holds(store, tx, members, by=here.officer)
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
        found = records.get(here.archive.store, tx, which, messages=here.messages, by=here.officer.id)
    if isinstance(found, Disposed):
        raise records.NoSuchRecord(
            f"record {which} was disposed of", next="Its certificate says when and under which authority."
        )
    return found
