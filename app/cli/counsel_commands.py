"""Search for counsel: the search-term report, saved searches and their alerts, drafts of search declarations."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from app import __version__, officers
from app.capture import copies, records
from app.cli.answer import Answer, table
from app.cli.session import READERS, Session, reason, session
from app.db import Tx
from app.holds.joining import Known
from app.index import alerts, declarations, drafts, report_copies, reporting, reports, saved
from app.index.declarations import DECLARERS, Declaration, Means
from app.index.engine import IndexBusy, Sort
from app.index.questions import Filters, Question
from app.index.reports import BadQueryList, Report
from app.index.saved import Saved
from app.index.source import LedgerSource
from app.records.errors import Invalid
from app.store import access

WITH_GAPS = 7
_FILTERS = ("page", "platform", "author", "kind", "state")


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    report = commands.add_parser(
        "search-report", parents=[common], help="what each query of a list finds, alone and together"
    )
    report.add_argument("file", metavar="FILE", help="one query a line, `name: query`; - for standard input")
    for form in ("csv", "xlsx", "html"):
        report.add_argument(f"--{form}", type=Path, metavar="FILE", help=f"a working copy as {form.upper()}")
    _narrowing(report, ("page", "platform", "kind"))
    report.set_defaults(run=_report)

    kept = commands.add_parser("saved", help="searches that are kept by name").add_subparsers(
        dest="saved", required=True, metavar="ACT"
    )
    add_ = kept.add_parser("add", parents=[common], help="keep a search")
    add_.add_argument("name")
    add_.add_argument("query")
    add_.add_argument("--everybody", action="store_true", help="everybody who searches sees it")
    _narrowing(add_, _FILTERS)
    add_.set_defaults(run=_save)
    kept.add_parser("list", parents=[common], help="yours, and what is shared").set_defaults(run=_list)
    run = _one(kept, common, "run", "ask it now")
    run.add_argument("--sort", default="newest", choices=[str(sort) for sort in Sort])
    run.add_argument("--limit", type=int, default=20)
    run.add_argument("--after", metavar="CURSOR", help="go on after the part that gave this cursor")
    run.add_argument("--count", action="store_true", help="only the total")
    run.set_defaults(run=_run)
    rename = _one(kept, common, "rename", "give it another name")
    rename.add_argument("name")
    rename.set_defaults(run=_rename)
    _one(kept, common, "remove", "take it off the list; its entry stays").set_defaults(run=_remove)
    _one(kept, common, "alert", "be told by letter of what is new to it").set_defaults(run=_alert)
    _one(kept, common, "no-alert", "be told no more").set_defaults(run=_no_alert)

    drafted = commands.add_parser("declaration", help="drafts of search declarations").add_subparsers(
        dest="declaration", required=True, metavar="ACT"
    )
    make = drafted.add_parser("make", parents=[common], help="search, and keep what was asked and found")
    make.add_argument("query")
    _narrowing(make, _FILTERS)
    make.set_defaults(run=_make)
    drafted.add_parser("list", parents=[common], help="the drafts that were made").set_defaults(run=_drafts)
    show = _one(drafted, common, "show", "the draft in its words")
    show.add_argument("--text", type=Path, metavar="FILE", help="write the draft as text")
    show.add_argument("--html", type=Path, metavar="FILE", help="write the draft as a page to print")
    show.set_defaults(run=_show)
    _one(drafted, common, "again", "run it again: what is the same, what changed").set_defaults(run=_again)


def _one(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    common: argparse.ArgumentParser,
    name: str,
    what: str,
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, parents=[common], help=what)
    made.add_argument("id")
    return made


def _narrowing(command: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    for name in names:
        command.add_argument(f"--{name}")
    command.add_argument("--from", dest="since", metavar="DATE", help="published on or after that day")
    command.add_argument("--to", dest="until", metavar="DATE", help="published on or before that day")


def _filters(asked: argparse.Namespace) -> Filters:
    given = {name: getattr(asked, name, None) for name in _FILTERS}
    return Filters.of({**given, "from": asked.since, "to": asked.until})


def _follow(here: Session) -> None:
    """Let the index see what was kept; where the service follows already, the lag is said."""
    with contextlib.suppress(IndexBusy):
        here.archive.follow()


# -- the report --------------------------------------------------------------------------------------------


def _report(asked: argparse.Namespace) -> Answer:
    listed = reports.listed(reports.read(_content(asked.file)))
    outs = [out for out in (asked.csv, asked.xlsx, asked.html) if out is not None]
    for out in outs:
        _must_be_new(out)
    with session(*READERS) as here:
        store = here.archive.store
        _follow(here)
        told = reporting.make(
            store,
            LedgerSource(store),
            here.archive.index,
            listed,
            _filters(asked),
            messages=here.messages,
        )
        with store.database.begin() as tx:
            reporting.note(store, tx, told, by=here.officer.id, taken=bool(outs))
        if asked.csv:
            _written(asked.csv, b"".join(copies.as_csv(report_copies.lines(store, here.officer, told))))
        if asked.xlsx:
            _written(asked.xlsx, report_copies.as_xlsx(store, here.officer, told))
        if asked.html:
            _written(asked.html, b"".join(copies.as_html(report_copies.lines(store, here.officer, told))))
    value = {**reports.as_json(told), "files": [str(out) for out in outs]}
    return Answer(value, _in_lines(told), WITH_GAPS if told.mistakes else 0)


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise BadQueryList(
            f"{file} cannot be read: {error.strerror}", next="Name a file with one query a line."
        ) from error


def _must_be_new(out: Path) -> None:
    if out.exists():
        raise Invalid(f"{out} is there already", next="Name another file.")
    if not out.parent.is_dir():
        raise Invalid(f"there is no folder {out.parent}", next="Make it, or name another file.")


def _written(out: Path, content: bytes) -> None:
    try:
        with out.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise Invalid(f"{out} cannot be written: {error.strerror}", next="Name another file.") from error


def _in_lines(told: Report) -> list[str]:
    rows: list[tuple[object, ...]] = [
        (
            row.line.number,
            row.line.name,
            row.hits,
            row.unique,
            row.with_family,
            row.undated or "",
            row.unsearchable or "",
        )
        for row in told.rows
    ]
    lacking = told.unsearchable - told.behind
    rows.append(("", "all together", told.totals.hits, "", told.totals.with_family, "", lacking or ""))
    lines = table(rows, "", "query", "hits", "unique", "with family", "undated", "not searched wholly")
    lines += [f"as of {told.as_of} ledger entries, {told.behind} not searched yet"]
    shared = [one for one in told.overlaps if one.records]
    if shared:
        lines += [
            "",
            *table([(one.first, one.second, one.records) for one in shared], "query", "and", "both"),
        ]
    for one in told.mistakes:
        lines += ["", f"line {one.line.line}, character {one.column}: {one.what}. {one.next}".rstrip()]
        lines += [f"  {one.line.query}"]
    return lines


# -- saved searches ----------------------------------------------------------------------------------------


def _save(asked: argparse.Namespace) -> Answer:
    question = Question(asked.query, _filters(asked))
    with session(*READERS) as here, here.archive.store.database.begin() as tx:
        made = saved.save(
            here.archive.store,
            tx,
            asked.name,
            question,
            shared=asked.everybody,
            by=here.officer,
            why=asked.why.strip() or "kept for later",
        )
        return Answer(_told(tx, made), [f"saved as {made.id}: {made.understood}"])


def _list(_: argparse.Namespace) -> Answer:
    with session(*READERS) as here, here.archive.store.database.read() as tx:
        found = saved.listed(here.archive.store, tx, by=here.officer)
        rows = [
            (
                one.id,
                one.name,
                "everybody" if one.shared else "you",
                "told" if one.alert else "",
                one.understood,
            )
            for one in found
        ]
        return Answer([_told(tx, one) for one in found], table(rows, "id", "name", "for", "alert", "query"))


def _told(tx: Tx, one: Saved) -> dict[str, object]:
    return saved.as_json(one, officers.get(tx, one.by).email)


def _run(asked: argparse.Namespace) -> Answer:
    if asked.limit < 0:
        raise Invalid("--limit is a whole number, 0 or more")
    with session(*READERS) as here:
        archive, store = here.archive, here.archive.store
        _follow(here)
        with store.database.read() as tx:
            one = saved.get(store, tx, asked.id, by=here.officer)
        query = one.question.understood()
        found = archive.search(
            query,
            messages=here.messages,
            sort=Sort(asked.sort),
            limit=max(asked.limit, 1),
            after=asked.after,
            by=here.officer,
        )
        with store.database.begin() as tx:
            detail = {"what": "saved", "saved": one.id.hex, "query": one.question.text, "total": found.total}
            access.note(store, tx, "search", by=here.officer.id, detail=detail)
            value = {
                "saved": _told(tx, one),
                "total": found.total,
                "query": found.query,
                "as_of": found.as_of,
                "undated": found.undated,
                "unsearchable": found.unsearchable,
                "not_searched": dict(found.not_searched),
                "understood_otherwise": saved.understood_otherwise(one),
            }
            said = [f"query as understood: {query.explain()['understood']}", *query.notes]
            if value["understood_otherwise"]:
                said.append(f"when it was saved it was understood as: {one.understood}")
            if asked.count:
                return Answer(value, [str(found.total)])
            hits = records.read(store, tx, found.records[: asked.limit], messages=here.messages)
        told = [records.as_json(hit) for hit in hits]
    lines = [f"{hit['id']}  {hit['published_at'] or 'undated':20}  {str(hit['text'])[:80]!r}" for hit in told]
    return Answer(
        {**value, "records": told, "cursor": found.cursor}, [*said, *lines, f"{found.total} records"]
    )


def _changing(asked: argparse.Namespace, change: Callable[[Session, Tx, Saved], list[str]]) -> Answer:
    """Change a saved search in one transaction, and answer with it."""
    with session(*READERS) as here, here.archive.store.database.begin() as tx:
        one = saved.get(here.archive.store, tx, asked.id, by=here.officer)
        lines = change(here, tx, one)
        left = [now for now in saved.listed(here.archive.store, tx, by=here.officer) if now.id == one.id]
        return Answer(_told(tx, left[0]) if left else {"id": str(one.id), "removed": True}, lines)


def _rename(asked: argparse.Namespace) -> Answer:
    def change(here: Session, tx: Tx, one: Saved) -> list[str]:
        why = asked.why.strip() or "named anew"
        saved.rename(here.archive.store, tx, one, asked.name, by=here.officer, why=why)
        return [f"{one.name} is now {asked.name}"]

    return _changing(asked, change)


def _remove(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)

    def change(here: Session, tx: Tx, one: Saved) -> list[str]:
        entry = saved.remove(here.archive.store, tx, one, by=here.officer, why=why)
        return [f"{one.name} is removed from the list: entry {entry}"]

    return _changing(asked, change)


def _alert(asked: argparse.Namespace) -> Answer:
    def change(here: Session, tx: Tx, one: Saved) -> list[str]:
        why = asked.why.strip() or "asked to be told"
        alerts.begin(here.archive.store, tx, one, by=here.officer, why=why)
        return [f"{here.officer.email} is told of what is new to {one.name}"]

    return _changing(asked, change)


def _no_alert(asked: argparse.Namespace) -> Answer:
    def change(here: Session, tx: Tx, one: Saved) -> list[str]:
        alerts.end(
            here.archive.store, tx, one, by=here.officer, why=asked.why.strip() or "asked not to be told"
        )
        return [f"{here.officer.email} is no longer told of {one.name}"]

    return _changing(asked, change)


# -- declarations ------------------------------------------------------------------------------------------


def _means(here: Session) -> Means:
    archive = here.archive
    return declarations.means(
        archive.store,
        archive.index,
        archive.settings,
        __version__,
        lambda tx: Known(archive.store, tx, here.officer),
    )


def _make(asked: argparse.Namespace) -> Answer:
    question = Question(asked.query, _filters(asked))
    with session(*DECLARERS) as here:
        store = here.archive.store
        _follow(here)
        made = declarations.make(
            store,
            _means(here),
            question,
            by=here.officer,
            messages=here.messages,
            why=asked.why.strip() or "a declaration of this search was asked for",
        )
    return Answer(declarations.as_json(made), drafts.as_text(made.facts).splitlines())


def _drafts(_: argparse.Namespace) -> Answer:
    with session(*DECLARERS) as here, here.archive.store.database.read() as tx:
        found = declarations.listed(here.archive.store, tx, messages=here.messages)
        rows = [(one.id, one.at.date(), one.total, one.size, one.understood) for one in found]
        told = [declarations.in_short(one) for one in found]
        return Answer(told, table(rows, "id", "made", "records", "as of", "query"))


def _show(asked: argparse.Namespace) -> Answer:
    with session(*DECLARERS) as here, here.archive.store.database.begin() as tx:
        kept = _kept(here, tx, asked.id)
        access.note(here.archive.store, tx, "view", by=here.officer.id, detail={"declaration": kept.id.hex})
    text = drafts.as_text(kept.facts)
    if asked.text:
        _written(asked.text, text.encode("utf-8", "replace"))
    if asked.html:
        _written(asked.html, drafts.as_html(kept.facts).encode("utf-8", "replace"))
    return Answer(declarations.as_json(kept), text.splitlines())


def _again(asked: argparse.Namespace) -> Answer:
    with session(*DECLARERS) as here:
        store = here.archive.store
        _follow(here)
        with store.database.read() as tx:
            kept = _kept(here, tx, asked.id)
        told = declarations.again(store, _means(here), kept)
        with store.database.begin() as tx:
            declarations.note(store, tx, "declaration again", kept, told.total, by=here.officer.id)
    return Answer(declarations.again_json(told), declarations.again_sentences(told))


def _kept(here: Session, tx: Tx, text: str) -> Declaration:
    try:
        identity = UUID(text)
    except ValueError as error:
        raise declarations.NoSuchDeclaration(
            f"no declaration {text[:60]!r} was made", next="List them: muniment declaration list."
        ) from error
    return declarations.get(here.archive.store, tx, identity, messages=here.messages)
