"""What every table of a production has in common: columns, rows with their place, and a remark wherever a value lost something.

A form that cannot hold a value says so. Nothing is changed in silence: every
loss is a remark, remarks stand in `production-log.csv`, and the whole value
stands in `text/` or in the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from app.records.errors import Invalid


class Malformed(Invalid):
    """A file of a production is not as its form has it; the message names file and place."""

    code = "malformed-file"

    def __init__(self, file: str, where: str, what: str) -> None:
        super().__init__(
            f"{file}, {where}: {what}" if where else f"{file}: {what}",
            next="Ask who produced it for the file as it was made; do not mend it.",
        )
        self.file, self.where, self.what = file, where, what


class Kind(StrEnum):
    """What became of a value that a form cannot hold as it is."""

    LINE_END = "line-end"
    """Line ends of another kind than a line feed read back as line feeds."""
    SIGN = "sign"
    """A sign that the form keeps for itself is shown by its number."""
    UNFIT = "unfit"
    """A character that the form, or its encoding, cannot hold or should not show is shown by its number."""
    CUT = "cut"
    """The value is longer than a cell may be."""
    DOUBLED = "doubled"
    """Nothing is lost: a qualifier inside the value stands twice, which not every program reads as one."""

    @property
    def lossless(self) -> bool:
        """Whether whoever reads strictly gets the very value back."""
        return self is Kind.DOUBLED


@dataclass(frozen=True, slots=True)
class Remark:
    """In one cell: what its value could not keep, and how often."""

    form: str
    """`dat`, `csv` or `xlsx`."""
    begins: str
    """The first number of the document, or whatever else stands in the first column."""
    field: str
    kind: Kind
    count: int


Remarks: TypeAlias = Callable[[Remark], None]


def unheard(_remark: Remark) -> None:
    """For files whose values are all our own, or whose losses somebody else tells of."""


class Row(NamedTuple):
    """A row as it was read: where it stands, and a value for each column."""

    where: str
    """`line 7`, or `sheet Documents, row 7`."""
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is read: its columns at once, its rows as they come. Reading on may raise `Malformed`."""

    columns: Sequence[str]
    rows: Iterator[Row]


def columned(file: str, where: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table; raises `Malformed` where one has no name or two have the same."""
    for number, name in enumerate(columns, start=1):
        if not name.strip():
            raise Malformed(file, where, f"column {number} has no name")
        if name in columns[: number - 1]:
            raise Malformed(file, where, f"two columns are called {name}")
    return tuple(columns)


def counted(file: str, where: str, values: Sequence[str], columns: Sequence[str]) -> None:
    """Raise `Malformed` unless a row has a value for every column and none besides."""
    if len(values) != len(columns):
        raise Malformed(file, where, f"{len(values)} values for {len(columns)} columns")
