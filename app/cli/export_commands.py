"""The whole archive in open formats. On the command line alone: it leaves as a folder on the machine, not as an answer."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from app.capture import pages
from app.cli.answer import Answer, say
from app.cli.session import session
from app.records.nouns import Role
from app.store.outgoing.leave import FORMS

_BETWEEN = 10.0
"""Seconds between two words of progress."""


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put this command among the others."""
    export = commands.add_parser(
        "export",
        parents=[common],
        help="everything that is held, in an open format; a run that was broken off goes on",
    )
    export.add_argument("--as", dest="form", required=True, choices=FORMS)
    export.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    export.add_argument(
        "--page",
        action="append",
        default=[],
        help="only what is held of this page; may be said several times",
    )
    export.set_defaults(run=_export)


def _export(asked: argparse.Namespace) -> Answer:
    with session(Role.CUSTODIAN_OF_EVIDENCE) as here:
        archive = here.archive
        with archive.store.database.read() as tx:
            wanted = {page.id: page for page in (pages.get(tx, which) for which in asked.page)}
        told = archive.export_whole(
            asked.form,
            asked.out,
            pages=list(wanted.values()),
            messages=here.messages,
            by=here.officer,
            why=asked.why.strip(),
            progress=_Progress(),
        )
    holds = ", ".join(
        f"{told[name]} {name}" for name in ("records", "versions", "attachments", "tombstones", "pages")
    )
    lines = [
        f"{holds} in {asked.out}",
        f"as of {told['entries']} ledger entries; SHA-256 of what seals it: {told['digest']}",
    ]
    if not here.messages:
        lines.append(
            "private messages are not in it, whether there are any or not: that needs the role messages too"
        )
    return Answer({**told, "messages": here.messages}, lines)


class _Progress:
    """Says now and then how far it has come."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, what: str, number: int) -> None:
        now = time.monotonic()
        if now - self._last >= _BETWEEN:
            self._last = now
            say(f"{what}: {number}")
