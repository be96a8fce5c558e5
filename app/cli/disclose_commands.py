"""What leaves for a request, and whether what was received is what was sealed."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import production_commands
from app.cli.answer import Answer
from app.disclosure.verify import checking
from app.disclosure.verify.findings import Report
from app.disclosure.verify.seal import Trust

_WRONG = 6


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    disclose = commands.add_parser("disclose", help="productions").add_subparsers(
        dest="disclose", required=True, metavar="ACT"
    )
    verify = disclose.add_parser(
        "verify", parents=[common], help="check a production as its recipient would; needs no archive"
    )
    verify.add_argument("folder", type=Path)
    verify.add_argument(
        "--agency",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="the agency's certificate, got from the agency; without it the one in the folder is used, and said",
    )
    verify.add_argument(
        "--ca",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="the certificate of a timestamp authority; may be said several times",
    )
    verify.add_argument("--key", type=Path, metavar="FILE", help="the ledger's key, got from the agency")
    verify.set_defaults(run=_verify)
    production_commands.add_to_disclose(disclose, common)


def _verify(asked: argparse.Namespace) -> Answer:
    report = checking.check(_production(asked.folder), Trust(asked.agency, asked.ca, asked.key))
    return Answer(report.as_json(), list(_lines(report)), exit_code=_WRONG if report.findings else 0)


def _production(folder: Path) -> Path:
    """The folder itself; where it only holds one production, as `disclose produce --out` makes it, that one."""
    if (folder / "bag").exists() or not folder.is_dir():
        return folder
    inside = [one for one in folder.iterdir() if (one / "bag").is_dir() and one.suffix != ".part"]
    return inside[0] if len(inside) == 1 else folder


def _lines(report: Report) -> list[str]:
    told = [f"{one.code} in {one.where}: {one.what}\n  {one.next}" for one in report.findings]
    told += [f"note: {one.code}: {one.what}" for one in report.notes]
    told += [f"{number:>10}  {what}" for what, number in sorted(report.checked.items())]
    verdict = f"{len(report.findings)} findings" if report.findings else "nothing is wrong"
    return [*told, f"{report.production or 'no production'}: {verdict}"]
