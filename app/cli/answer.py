"""What a command answers: JSON for programs, lines for people, and an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Answer:
    """`value` is what `--json` prints; `lines` what a person reads."""

    value: object
    lines: Sequence[str] = ()
    exit_code: int = 0

    def show(self, *, as_json: bool) -> None:
        if as_json:
            print(json.dumps(self.value, ensure_ascii=False))
        else:
            for line in self.lines or [json.dumps(self.value, ensure_ascii=False, indent=2)]:
                print(line)


def table(rows: Iterable[Sequence[object]], *heads: str) -> list[str]:
    """Rows in columns, each as wide as it needs."""
    shown = [[str(cell) if cell is not None else "" for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in [list(heads), *shown]) for place in range(len(heads))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [list(heads), *shown]
    ]


def say(text: str) -> None:
    """A message for the person who waits, on standard error."""
    print(text, file=sys.stderr)
