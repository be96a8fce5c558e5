"""Pages, capture, imports, the ledger and the checks of everything that is kept."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from app.capture import credentials, importing, pages, runs, whose
from app.capture.credentials import Terms
from app.capture.formats import known, mapping
from app.capture.formats.preview import preview
from app.capture.formats.source import Source
from app.capture.formats.suggest import CHOOSE, suggestion
from app.capture.runs import Report
from app.cli import registry_commands
from app.cli.answer import Answer, say, table
from app.cli.registry_commands import page_json, page_line
from app.cli.session import EVERYONE, KEEPERS, Session, reason, session
from app.holds import guarding
from app.records.errors import Invalid, Refused
from app.records.nouns import Page, Role
from connectors import registry
from connectors.contract import Manifest

WITH_GAPS = 7


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    listed = commands.add_parser(
        "connectors", parents=[common], help="the connectors; of one by its name, all that it says of itself"
    )
    listed.add_argument("connector", nargs="?", metavar="NAME")
    listed.set_defaults(run=_connectors)
    _add_pages(commands, common)

    capture = commands.add_parser("capture", parents=[common], help="capture pages now; none named: all")
    capture.add_argument("pages", nargs="*", metavar="PAGE")
    capture.set_defaults(run=_capture)

    receive = commands.add_parser("import", parents=[common], help="receive what a file or a download shows")
    receive.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="several only where they are parts of one download",
    )
    receive.add_argument("--as", dest="format", default="observations", metavar="FORMAT")
    receive.add_argument("--page", help="the page to which lines belong that name none")
    receive.add_argument(
        "--make-pages", action="store_true", help="add the pages that lines name, unapproved"
    )
    receive.add_argument("--formats", action="store_true", help="list the formats")
    receive.add_argument("--mapping", type=Path, metavar="MAPPING", help="which column of a table is what")
    receive.add_argument(
        "--suggest", type=Path, metavar="MAPPING", help="write a mapping to start from, and import nothing"
    )
    receive.add_argument(
        "--preview", action="store_true", help="show what would be kept, with every problem; change nothing"
    )
    receive.add_argument("--from", dest="handed_by", default="", metavar="TEXT", help="who handed it in")
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
    registry_commands.describing(add_page)
    add_page.add_argument("--option", action="append", default=[], metavar="K=V")
    add_page.set_defaults(run=_page_add)
    page.add_parser("list", parents=[common], help="every page").set_defaults(run=_page_list)
    shown = page.add_parser("show", parents=[common], help="everything about a page")
    shown.add_argument("id")
    shown.set_defaults(run=_page_show)
    registry_commands.add(commands, page, common)
    connect = page.add_parser(
        "connect", parents=[common], help="seal a page's credentials, or ask its manager for them"
    )
    connect.add_argument("id")
    how = connect.add_mutually_exclusive_group()
    how.add_argument(
        "--secret-file",
        type=Path,
        help="a JSON file of names and values; never on the command line",
    )
    how.add_argument(
        "--invite", metavar="EMAIL", help="send the page's manager a link that connects it, once"
    )
    how.add_argument("--check", action="store_true", help="ask the platform what the connection lacks")
    how.add_argument(
        "--forget", action="store_true", help="destroy the credentials, and end them at the platform"
    )
    connect.add_argument("--until", metavar="DATE", help="when the credentials end, where you know it")
    connect.set_defaults(run=_page_connect)


def _connectors(asked: argparse.Namespace) -> Answer:
    try:
        found = [registry.load(asked.connector).manifest] if asked.connector else registry.connectors()
    except registry.NoSuchConnector as error:
        raise Invalid(str(error)) from error
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
        for manifest in found
    ]
    if asked.connector:
        return Answer(told, _at_length(found[0]))
    return Answer(
        told, table(((item["name"], item["title"], item["route"]) for item in told), "NAME", "TITLE", "ROUTE")
    )


def _at_length(manifest: Manifest) -> list[str]:
    """Everything that a connector says of itself."""
    lines = [f"{manifest.title} ({manifest.name}), by {manifest.route}"]
    for title, said in (
        ("What is captured", [f"{what}: {how}" for what, how in manifest.captures.items()]),
        ("What is never seen", manifest.blind_spots),
        ("What it needs", manifest.needs),
        ("Options", [f"{name}: {what}" for name, what in manifest.options.items()]),
        ("On what ground", [manifest.legal_basis] if manifest.legal_basis else []),
    ):
        lines += ["", title, *(f"  - {one}" for one in said)] if said else []
    return lines


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
            about=registry_commands.about(asked),
        )
    return Answer(page_json(page, here), [f"{page.id}  {page_line(page, here)}"])


def _page_list(_asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE, Role.INGEST) as here, here.archive.store.database.read() as tx:
        found = pages.listed(tx)
    return Answer(
        [page_json(page, here) for page in found],
        table(
            (
                (page.id, page.platform, page.name, page.status, page_json(page, here)["approval"])
                for page in found
            ),
            "ID",
            "PLATFORM",
            "NAME",
            "STATUS",
            "APPROVAL",
        ),
    )


def _page_show(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE, Role.INGEST) as here, here.archive.store.database.read() as tx:
        page = pages.get(tx, asked.id)
        recent = runs.recent(tx, page, 10)
        gaps = pages.newest_of(runs.gaps_of(here.archive.store, tx, page=page.key, limit=20))
        told = _connection_json(here, page) | registry_commands.registry_json(here, tx, page)
    told["runs"] = [
        {"run": str(run.id), "began_at": run.began_at.isoformat(), "status": run.status, **run.tally}
        for run in recent
    ]
    told["gaps"] = [
        {
            "what": gap.what,
            "why": gap.why,
            "since": gap.since.isoformat() if gap.since else None,
            "until": gap.until.isoformat() if gap.until else None,
        }
        for gap in gaps
    ]
    return Answer(told)


def _page_connect(asked: argparse.Namespace) -> Answer:
    if asked.until and (asked.invite or asked.check or asked.forget):
        raise Invalid("--until goes with --secret-file, or stands alone for a page that is connected")
    with session(Role.ADMINISTRATOR, Role.RECORDS_OFFICER) as here:
        with here.archive.store.database.read() as tx:
            page = pages.get(tx, asked.id)
        if asked.invite:
            return _invite(asked, here, page)
        if asked.check:
            return _checked(here, page)
        if asked.forget:
            return _forget(asked, here, page)
        return _seal(asked, here, page)


def _seal(asked: argparse.Namespace, here: Session, page: Page) -> Answer:
    """Seal what stands in a file, or state when that which is sealed already ends."""
    store = here.archive.store
    until = None if asked.until is None else _end(asked.until, here)
    if asked.secret_file is None:
        if until is None:
            raise Invalid("connect it how?", next="--secret-file FILE, --invite EMAIL, --check or --forget.")
        with store.database.begin() as tx:
            page = pages.state_end(store, tx, page, until, by=here.officer.id, why=reason(asked.why))
        return Answer(_connection_json(here, page), [f"the credentials of {page.name} end on {asked.until}"])
    secret = _read_secret(asked.secret_file)
    with store.database.begin() as tx:
        page = pages.connect(
            store,
            tx,
            page,
            secret,
            by=here.officer.id,
            why=reason(asked.why or "connected"),
            terms=Terms(stated_until=until),
        )
    return Answer(_connection_json(here, page), [f"{page.name} is connected"])


def _read_secret(file: Path) -> dict[str, Any]:
    try:
        secret = json.loads(file.read_text())
    except (OSError, ValueError):
        # Without its cause: what a parser says of a file may repeat what stands in it.
        raise Invalid(
            f"{file} cannot be read as JSON",
            next='Write names and values, such as {"user": "…", "application_password": "…"}.',
        ) from None
    if not isinstance(secret, dict):
        raise Invalid(f"{file} is not a JSON object")
    return secret


def _end(text: str, here: Session) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"--until {text!r} is no date", next="Write it as 2027-03-01.") from error
    return datetime.combine(day, datetime.min.time(), here.archive.store.agency.zone()).astimezone(UTC)


def _invite(asked: argparse.Namespace, here: Session, page: Page) -> Answer:
    made = here.archive.invite_manager(
        page, asked.invite, here.archive.letters(), by=here.officer, why=reason(asked.why)
    )
    told = {"page": str(page.id), "email": made.email, "until": made.until.isoformat(), "link": made.link}
    if made.link is None:
        return Answer(told, [f"A letter is on its way to {made.email}; its link works once, for seven days."])
    return Answer(
        told,
        [
            f"No letter could be sent. Hand this address to {made.email} yourself:",
            made.link,
            "It is shown once and works once, for seven days; whoever has it can connect the page.",
        ],
    )


def _checked(here: Session, page: Page) -> Answer:
    findings = here.archive.desk().look(page)
    told = [{"what": one.what, "fine": one.fine, "remedy": one.remedy} for one in findings]
    lines = [f"{'well' if one.fine else 'to do'}: {one.what} {one.remedy}".rstrip() for one in findings]
    fine = all(one.fine for one in findings)
    return Answer(
        {"page": str(page.id), "fine": fine, "findings": told},
        lines or ["this connector offers no check; the next capture tells"],
        exit_code=0 if fine else WITH_GAPS,
    )


def _forget(asked: argparse.Namespace, here: Session, page: Page) -> Answer:
    forgotten, platform = here.archive.desk().forget(page, by=here.officer.id, why=reason(asked.why))
    told = _connection_json(here, forgotten) | {
        "ended_at_platform": None if platform is None else platform.fine
    }
    lines = [f"the credentials of {page.name} are destroyed"]
    lines += [f"{platform.what}. {platform.remedy}".rstrip()] if platform is not None else []
    return Answer(told, lines)


def _connection_json(here: Session, page: Page) -> dict[str, Any]:
    """A page with what may be said of its credentials."""
    store = here.archive.store
    with store.database.read() as tx:
        found = credentials.connection(store, tx, page)
    if found is None:
        return page_json(page, here) | {"connection": None}
    return page_json(page, here) | {
        "connection": {
            "how": found.how,
            "since": found.since.isoformat(),
            "by": found.manager or (str(found.officer) if found.officer else None),
            "owner": found.owner,
            "scopes": list(found.scopes),
            "until": found.until.isoformat() if found.until else None,
        }
    }


def _capture(asked: argparse.Namespace) -> Answer:
    told: list[Report] = []
    with session(*KEEPERS) as here:
        with here.archive.store.database.read() as tx:
            named = [pages.get(tx, which) for which in asked.pages]
            wanted = named or [
                page
                for page in pages.listed(tx)
                if page.status not in pages.NOT_CAPTURED and page.connector != "import"
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
        return Answer(known.FORMATS, [f"{name}: {what}" for name, what in known.FORMATS.items()])
    if not asked.files:
        raise Invalid("which file?", next="muniment import FILE --as FORMAT")
    if asked.suggest:
        return _suggest(asked)
    with session(*KEEPERS) as here:
        source = known.opened(
            asked.format, asked.files, mapping.load(asked.mapping) if asked.mapping else None
        )
        try:
            if asked.preview:
                return _preview(asked, here, source)
            report = _receive(asked, here, source)
        finally:
            source.close()
        say("following")
        here.archive.follow()
        here.archive.store.ledger.checkpoint()
    return Answer(
        report.as_dict(), _received(report), exit_code=WITH_GAPS if report.status != "complete" else 0
    )


def _received(report: importing.Received) -> list[str]:
    """The report of an import, for a person."""
    whence = f" from {report.handed_by}" if report.handed_by else ""
    lines = [f"  received in {report.file}, SHA-256 {report.sha256}{whence}", *_report(report)]
    lines += [f"  {remark}" for remark in report.remarks]
    lines += [f"  not taken: {one.name} ({one.size} bytes): {one.why}" for one in report.left[:50]]
    more = report.left_total - 50
    return [*lines, *([f"  and {more} more that were not taken; --json lists them"] if more > 0 else [])]


def _suggest(asked: argparse.Namespace) -> Answer:
    with session(*KEEPERS) as here:
        page = _page_of(asked, here)
        if len(asked.files) != 1:
            raise Invalid("a mapping is for one file")
        table = known.table(asked.format, asked.files[0], None)
        told = suggestion(
            table,
            zone=here.archive.store.agency.timezone,
            page=(page.platform, page.name) if page else None,
        )
    try:
        with asked.suggest.open("x", encoding="utf-8") as file:
            file.write(told)
    except FileExistsError as error:
        raise Refused(
            f"{asked.suggest} is there already", next="Name another file; yours may hold corrections."
        ) from error
    except OSError as error:
        raise Invalid(f"{asked.suggest} cannot be written: {error.strerror}") from error
    choose = told.count(f": {CHOOSE}") + told.count(f'"{CHOOSE}"')
    lines = [told.rstrip("\n"), f"written to {asked.suggest}"]
    if choose:
        lines.append(f"{choose} things in it only a person knows; they say {CHOOSE}")
    return Answer({"mapping": str(asked.suggest), "columns": table.columns, "choose": choose}, lines)


def _preview(asked: argparse.Namespace, here: Session, source: Source) -> Answer:
    page = _page_of(asked, here)
    with here.archive.store.database.read() as tx:
        registry = whose.registry(pages.listed(tx), source)
    with _bar(source.handed.name) as progress:
        told = preview(
            source,
            page=(page.platform, page.name) if page else None,
            registry=registry,
            progress=progress,
        )
    return Answer(
        told.as_dict(), list(told.lines_told()), exit_code=WITH_GAPS if told.unreadable_total else 0
    )


def _receive(asked: argparse.Namespace, here: Session, source: Source) -> importing.Received:
    page = _page_of(asked, here)
    with _bar(source.handed.name) as progress:
        return importing.receive(
            here.archive.store,
            source,
            page=page,
            make_pages=asked.make_pages,
            by=here.officer.id,
            why=asked.why or f"received in {source.handed.name}",
            handed_by=asked.handed_by.strip(),
            tick=time.monotonic,
            progress=progress,
            held=guarding.kept_again(here.archive.store),
        )


def _page_of(asked: argparse.Namespace, here: Session) -> Page | None:
    if not asked.page:
        return None
    with here.archive.store.database.read() as tx:
        return pages.get(tx, asked.page)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """Progress on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(escape(name), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _checkpoint(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        note = here.archive.store.ledger.checkpoint()
    del asked
    return Answer({"checkpoint": note}, [note.rstrip("\n")])


def _ledger_verify(_asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        examined = here.archive.store.ledger.examine()
        with here.archive.store.database.read() as tx:
            size = here.archive.store.ledger.size(tx)
    wrong = examined.wrong + [f"{one.what}; it is made anew" for one in examined.damaged]
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
