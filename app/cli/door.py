"""The door itself: reads the command, calls one verb, prints its answer, and turns errors into exit codes."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from pydantic import ValidationError

from app import __version__
from app.cli import (
    archive_commands,
    backup_commands,
    counsel_commands,
    coverage_commands,
    disclose_commands,
    disposition_commands,
    export_commands,
    hold_commands,
    hook_commands,
    ledger_commands,
    people_commands,
    record_commands,
    request_commands,
    retention_commands,
    review_commands,
    serve_commands,
)
from app.cli.answer import Answer
from app.index import mistakes
from app.index.language import BadQuery
from app.records.errors import ArchiveError, IntegrityFailure, Invalid, NotFound, Refused, Unavailable

DONE, UNEXPECTED, WITH_GAPS = 0, 1, 7
EXIT_CODES: tuple[tuple[type[ArchiveError], int], ...] = (
    (Invalid, 2),
    (NotFound, 3),
    (Refused, 4),
    (Unavailable, 5),
    (IntegrityFailure, 6),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, TextIOWrapper
        ):  # a half of a character in an argument or a file's name is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    parser = build()
    asked = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        answer: Answer | None = asked.run(asked)
        if answer is not None:
            answer.show(as_json=asked.json)
            sys.stdout.flush()
        code = DONE if answer is None else answer.exit_code
    except ArchiveError as error:
        return _refuse(error, as_json=asked.json)
    except ValidationError as error:
        first = error.errors()[0]
        return _refuse(
            Invalid(f"a setting cannot be used: {'.'.join(map(str, first['loc']))}: {first['msg']}"),
            as_json=asked.json,
        )
    except BrokenPipeError:
        # Whoever read our answer has seen enough; nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        print("broken off; what was acknowledged is kept", file=sys.stderr)
        return UNEXPECTED
    return code


def exit_code(error: ArchiveError) -> int:
    """The exit code of an error's family."""
    return next((code for family, code in EXIT_CODES if isinstance(error, family)), UNEXPECTED)


def build() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = argparse.ArgumentParser(
        prog="muniment", description="An archive of what an agency's pages say and what the public says back."
    )
    parser.add_argument("--version", action="version", version=f"muniment {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="answer as JSON")
    common.add_argument("--why", default="", help="why this is done; kept with the entry")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (
        serve_commands,
        archive_commands,
        backup_commands,
        ledger_commands,
        coverage_commands,
        record_commands,
        retention_commands,
        hold_commands,
        disclose_commands,
        disposition_commands,
        request_commands,
        review_commands,
        counsel_commands,
        export_commands,
        hook_commands,
        people_commands,
    ):
        module.add(commands, common)
    return parser


def _refuse(error: ArchiveError, *, as_json: bool) -> int:
    if as_json:
        told: dict[str, object] = {"code": error.code, "message": str(error), "next": error.next}
        if isinstance(error, BadQuery):
            told |= {"position": error.position, "length": error.length, "parameter": error.parameter or None}
        print(json.dumps({"error": told}, ensure_ascii=False))
    else:
        print(f"{error.code}: {error}", file=sys.stderr)
        if isinstance(error, BadQuery):
            print(*mistakes.drawn(error), sep="\n", file=sys.stderr)
        elif error.next:
            print(error.next, file=sys.stderr)
    return exit_code(error)


__all__ = ["Answer", "build", "exit_code", "main"]
