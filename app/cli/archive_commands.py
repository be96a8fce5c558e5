"""Pages, capture, imports, the ledger and the checks of everything that is kept."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from app.capture import importing, pages, runs
from app.capture.lines import BadFile
from app.capture.runs import Report
from app.cli.answer import Answer, say, table
from app.cli.session import EVERYONE, KEEPERS, Session, reason, session
from app.records.errors import Invalid
from app.records.nouns import Page, Role
from connectors import registry

WITH_GAPS = 7


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    commands.add_parser(
        "connectors", parents=[common], help="what each connector sees, and what it does not"
    ).set_defaults(run=_connectors)
    _add_pages(commands, common)

    capture = commands.add_parser("capture", parents=[common], help="capture pages now; none named: all")
    capture.add_argument("pages", nargs="*", metavar="PAGE")
    capture.set_defaults(run=_capture)

    receive = commands.add_parser("import", parents=[common], help="receive observations from a file")
    receive.add_argument("file", nargs="?", type=Path)
    receive.add_argument("--as", dest="format", default="observations", metavar="FORMAT")
    receive.add_argument("--page", help="the page to which lines belong that name none")
    receive.add_argument(
        "--make-pages", action="store_true", help="add the pages that lines name, unapproved"
    )
    receive.add_argument("--formats", action="store_true", help="list the formats")
    receive.set_defaults(run=_import)

    ledger = commands.add_parser("ledger", help="the ledger").add_subparsers(
        dest="ledger", required=True, metavar="ACT"
    )
    ledger.add_parser("checkpoint", parents=[common], help="sign the ledger as it stands").set_defaults(
        run=_checkpoint
    )
    ledger.add_parser(
        "verify", parents=[common], help="read every entry and check every checkpoint"
    ).set_defaults(run=_ledger_verify)
    export = ledger.add_parser(
        "export", parents=[common], help="write checkpoint, tiles and entries as static files"
    )
    export.add_argument("folder", type=Path)
    export.set_defaults(run=_ledger_export)

    verify = commands.add_parser(
        "verify", parents=[common], help="fixity, ledger, keyring, index and database against one another"
    )
    verify.add_argument("--full", action="store_true", help="open everything and recompute every commitment")
    verify.set_defaults(run=_verify)

    commands.add_parser(
        "reindex", parents=[common], help="build the full-text index anew, beside the living one"
    ).set_defaults(run=_reindex)


def _add_pages(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    page = commands.add_parser("page", help="the registry of pages").add_subparsers(
        dest="page", required=True, metavar="ACT"
    )
    add_page = page.add_parser(
        "add", parents=[common], help="add a page; it is captured from the next night on"
    )
    add_page.add_argument("connector")
    add_page.add_argument("address")
    add_page.add_argument("--name")
    add_page.add_argument("--custodian", default="")
    add_page.add_argument("--option", action="append", default=[], metavar="K=V")
    add_page.set_defaults(run=_page_add)
    page.add_parser("list", parents=[common], help="every page").set_defaults(run=_page_list)
    for name, verb in (
        ("show", _page_show),
        ("approve", _page_change),
        ("pause", _page_change),
        ("resume", _page_change),
    ):
        one = page.add_parser(name, parents=[common])
        one.add_argument("id")
        one.set_defaults(run=verb, act=name)
    connect = page.add_parser("connect", parents=[common], help="seal a page's credentials")
    connect.add_argument("id")
    connect.add_argument(
        "--secret-file",
        type=Path,
        required=True,
        help="a JSON file of names and values; never on the command line",
    )
    connect.set_defaults(run=_page_connect)


def _connectors(_asked: argparse.Namespace) -> Answer:
    told = [
        {
            "name": manifest.name,
            "title": manifest.title,
            "platform": manifest.platform,
            "route": manifest.route,
            "captures": dict(manifest.captures),
            "blind_spots": list(manifest.blind_spots),
            "needs": list(manifest.needs),
            "options": dict(manifest.options),
        }
        for manifest in registry.connectors()
    ]
    return Answer(
        told, table(((item["name"], item["title"], item["route"]) for item in told), "NAME", "TITLE", "ROUTE")
    )


def page_json(page: Page) -> dict[str, Any]:
    """A page, as the interface promises it."""
    return {
        "id": str(page.id),
        "connector": page.connector,
        "platform": page.platform,
        "address": page.address,
        "name": page.name,
        "status": page.status,
        "approved": page.approved,
        "custodian": page.custodian,
        "connected": page.connected,
        "options": dict(page.options),
    }


def _page_add(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why or "added to the registry")
    options = {}
    for option in asked.option:
        name, equals, value = option.partition("=")
        if not equals:
            raise Invalid(f"--option {option!r} is not K=V")
        options[name] = value
    with session(*KEEPERS) as here:
        page = here.archive.add_page(
            asked.connector,
            asked.address,
            name=asked.name,
            custodian=asked.custodian,
            options=options,
            by=here.officer.id,
            why=why,
        )
    return Answer(
        page_json(page),
        [f"{page.id}  {page.name} ({page.status}, {'approved' if page.approved else 'not approved'})"],
    )


def _page_list(_asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE, Role.INGEST) as here, here.archive.store.database.read() as tx:
        found = pages.listed(tx)
    return Answer(
        [page_json(page) for page in found],
        table(
            (
                (page.id, page.platform, page.name, page.status, "yes" if page.approved else "no")
                for page in found
            ),
            "ID",
            "PLATFORM",
            "NAME",
            "STATUS",
            "APPROVED",
        ),
    )


def _page_show(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE, Role.INGEST) as here, here.archive.store.database.read() as tx:
        page = pages.get(tx, asked.id)
        recent = runs.recent(tx, page, 10)
        gaps = runs.gaps_of(here.archive.store, tx, page=page.key, limit=20)
    told = page_json(page)
    told["runs"] = [
        {"run": str(run.id), "began_at": run.began_at.isoformat(), "status": run.status, **run.tally}
        for run in recent
    ]
    told["gaps"] = [{"what": gap.what, "why": gap.why} for gap in gaps]
    return Answer(told)


def _page_change(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    verbs = {"approve": pages.approve, "pause": pages.pause, "resume": pages.resume}
    roles = (Role.ADMINISTRATOR, Role.RECORDS_OFFICER, Role.APPROVER)
    with session(*roles) as here, here.archive.store.database.begin() as tx:
        page = verbs[asked.act](here.archive.store, tx, pages.get(tx, asked.id), by=here.officer.id, why=why)
    return Answer(
        page_json(page), [f"{page.name}: {page.status}, {'approved' if page.approved else 'not approved'}"]
    )


def _page_connect(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why or "connected")
    try:
        secret = json.loads(asked.secret_file.read_text())
    except (OSError, ValueError) as error:
        raise Invalid(
            f"{asked.secret_file} cannot be read as JSON",
            next='Write names and values, such as {"user": "…", "application_password": "…"}.',
        ) from error
    if not isinstance(secret, dict):
        raise Invalid(f"{asked.secret_file} is not a JSON object")
    with session(Role.ADMINISTRATOR, Role.RECORDS_OFFICER) as here, here.archive.store.database.begin() as tx:
        page = pages.connect(
            here.archive.store, tx, pages.get(tx, asked.id), secret, by=here.officer.id, why=why
        )
    return Answer(page_json(page), [f"{page.name} is connected"])


def _capture(asked: argparse.Namespace) -> Answer:
    told: list[Report] = []
    with session(*KEEPERS) as here:
        with here.archive.store.database.read() as tx:
            named = [pages.get(tx, which) for which in asked.pages]
            wanted = named or [
                page
                for page in pages.listed(tx)
                if page.status != pages.PAUSED and page.connector != "import"
            ]
        for page in wanted:
            say(f"capturing {page.name}")
            told.append(
                here.archive.capture(page, by=here.officer.id, why=asked.why or "captured on request")
            )
        here.archive.follow()
        here.archive.store.ledger.checkpoint()
    lines = [line for report in told for line in _report(report)]
    gaps = any(report.status != "complete" for report in told)
    return Answer(
        [report.as_dict() for report in told],
        lines or ["no page to capture"],
        exit_code=WITH_GAPS if gaps else 0,
    )


def _report(report: Report) -> list[str]:
    tally = report.tally
    head = (
        f"{report.page or 'import'}  {report.status}: {tally.new} new, {tally.edited} edited, {tally.hidden} hidden, {tally.absent} absent, "
        f"{tally.gone} gone, {tally.restored} restored, {tally.unchanged} unchanged, {tally.exchanges} exchanges, {report.seconds:.1f} s"
    )
    gaps = [f"  gap: {gap.what}: {gap.why}" for gap in report.gaps]
    lines = [f"  line {number}: {why}" for number, why in report.unreadable[:50]]
    more = report.unreadable_total - len(lines)
    return [head, *gaps, *lines, *([f"  and {more} more lines"] if more > 0 else [])]


def _import(asked: argparse.Namespace) -> Answer:
    if asked.formats:
        return Answer(importing.FORMATS, [f"{name}: {what}" for name, what in importing.FORMATS.items()])
    if asked.file is None:
        raise Invalid("which file?", next="muniment import FILE --as FORMAT")
    if asked.format not in importing.FORMATS:
        raise BadFile(f"{asked.format!r} is no known format", next="`muniment import --formats` lists them.")
    with session(*KEEPERS) as here:
        report = _receive(asked, here)
        say("following")
        here.archive.follow()
        here.archive.store.ledger.checkpoint()
    told = report.as_dict() | {
        "unreadable": [{"line": number, "why": why} for number, why in report.unreadable],
        "unreadable_total": report.unreadable_total,
    }
    return Answer(told, _report(report), exit_code=WITH_GAPS if report.status != "complete" else 0)


def _receive(asked: argparse.Namespace, here: Session) -> Report:
    store = here.archive.store
    page = None
    if asked.page:
        with store.database.read() as tx:
            page = pages.get(tx, asked.page)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(asked.file.name, total=None)
        return importing.observations(
            store,
            asked.file,
            page=page,
            make_pages=asked.make_pages,
            by=here.officer.id,
            why=asked.why or f"received in {asked.file.name}",
            tick=time.monotonic,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _checkpoint(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        note = here.archive.store.ledger.checkpoint()
    del asked
    return Answer({"checkpoint": note}, [note.rstrip("\n")])


def _ledger_verify(_asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        wrong = here.archive.store.ledger.verify()
        with here.archive.store.database.read() as tx:
            size = here.archive.store.ledger.size(tx)
    return Answer(
        {"size": size, "findings": wrong},
        wrong or [f"{size} entries; every checkpoint is theirs"],
        exit_code=6 if wrong else 0,
    )


def _ledger_export(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        told = here.archive.export_ledger(asked.folder)
    return Answer(told, [f"{told['size']} entries in {asked.folder}"])


def _verify(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        told = here.archive.verify(full=asked.full, progress=_quiet)
    value = {
        "checked": told.checked,
        "findings": [finding.as_dict() for finding in told.findings],
        "more": told.more,
    }
    lines = [f"{name}: {number}" for name, number in told.checked.items()]
    lines += [
        f"{finding.code}: {finding.what} ({finding.where}). {finding.next}" for finding in told.findings
    ]
    return Answer(
        value,
        [*lines, "everything agrees" if not told.findings else f"{len(told.findings) + told.more} findings"],
        exit_code=6 if told.findings else 0,
    )


def _reindex(_asked: argparse.Namespace) -> Answer:
    with session(Role.ADMINISTRATOR, Role.RECORDS_OFFICER) as here:
        number = here.archive.reindex()
    return Answer({"records": number}, [f"{number} records are in the new index"])


def _quiet(_what: str, _number: int) -> None:
    """Progress that nobody waits for."""
