"""What was and was not captured of a page, and at what pace it is captured."""

from __future__ import annotations

import argparse
from datetime import date, timedelta

from app.capture import account, pages, plans
from app.capture.coverage import Window
from app.cli.answer import Answer, table
from app.cli.session import EVERYONE, KEEPERS, reason, session
from app.records.errors import Invalid
from connectors import registry


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    covered = commands.add_parser(
        "coverage", parents=[common], help="when capture of a page was provably working, and when not and why"
    )
    covered.add_argument("page")
    covered.add_argument(
        "--from", dest="first", metavar="DATE", help="from this day on; default: 30 days back"
    )
    covered.add_argument("--to", dest="last", metavar="DATE", help="up to this day; default: today")
    covered.set_defaults(run=_coverage)
    pace = commands.add_parser(
        "pace", parents=[common], help="how often a page is captured, and how much; without numbers: show it"
    )
    pace.add_argument("page")
    pace.add_argument(
        "--every", type=int, metavar="MINUTES", help="between two looks for what is new; 0: never"
    )
    pace.add_argument("--window", type=int, metavar="DAYS", help="that each night reads again")
    pace.add_argument("--sweep", type=int, metavar="DAYS", help="within which everything older is seen again")
    pace.add_argument("--budget", type=int, metavar="EXCHANGES", help="a day")
    pace.add_argument(
        "--surge", type=int, metavar="MINUTES", help="between two looks at a busy post; 0: never"
    )
    pace.add_argument("--busy", type=int, metavar="ANSWERS", help="within an hour that make a post busy")
    pace.set_defaults(run=_pace)


def _coverage(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        store = here.archive.store
        with store.database.read() as tx:
            page = pages.get(tx, asked.page)
            since, until = account.span(store, page, _day(asked.first), _day(asked.last))
            told = account.of(store, tx, page, since, until)
        zone = store.agency.zone()
        manifest = next((one for one in registry.connectors() if one.name == page.connector), None)
        blind = manifest.blind_spots if manifest else ()

        def line(window: Window) -> tuple[str, str, str, str]:
            begin, end = (
                at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""
                for at in (window.since, window.until)
            )
            return begin, end, str(window.cover), "; ".join(window.why)

        lines = table([line(window) for window in told.windows], "from", "until", "cover", "why")
        for count in told.counts:
            lines.append(
                f"{count.kinds}: the platform counted {count.stated}, {count.held_then} were held then, {count.held} are now"
            )
        lines.append(f"known to exist and not held: {told.unheld_total + told.unheld_parents}")
        if told.latency:
            waits = ", ".join(_wait(wait) for wait in (told.latency.p50, told.latency.p95, told.latency.p99))
            lines.append(f"from publication to sealed (50th, 95th, 99th percentile): {waits}")
        lines += [f"not seen: {spot}" for spot in blind]
        return Answer(account.as_json(page, told, blind, zone), [*lines, account.MEANS])


def _pace(asked: argparse.Namespace) -> Answer:
    names = ("every", "window", "sweep", "budget", "surge", "busy")
    told = {name: getattr(asked, name) for name in names if getattr(asked, name) is not None}
    with session(*(KEEPERS if told else EVERYONE)) as here:
        store, usual = here.archive.store, here.archive.usual_pace()
        if told:
            why = reason(asked.why)
            with store.database.begin() as tx:
                page = pages.get(tx, asked.page)
                made = plans.set_pace(store, tx, page, told, usual, by=here.officer.id, why=why)
        else:
            with store.database.read() as tx:
                page = pages.get(tx, asked.page)
                made = plans.pace(tx, page, usual)
        shown = made.as_dict()
        return Answer(
            {"page": str(page.id), **shown},
            table([(name, number) for name, number in shown.items()], "pace", page.name),
        )


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no day", next="Write it as 2026-03-31.") from None


def _wait(wait: timedelta) -> str:
    seconds = int(wait.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
