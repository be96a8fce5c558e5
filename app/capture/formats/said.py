"""A mapping for a format that knows its fields already: what a person says of them comes before what the format takes.

Columns are here what the format calls by a name: the header fields of an
e-mail, the particulars of a message. A field that the mapping does not name
stays as the format has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.capture.formats.mapping import BadMapping, MappingFile, Row, bind
from app.capture.formats.source import Line
from app.capture.formats.tabular import columns_of

ITEM = "Item"
"""The id that the format itself gives an item."""


class Said:
    """A mapping bound to names."""

    def __init__(self, mapping: MappingFile, known: Sequence[str]) -> None:
        if "attachments" in mapping.fields:
            raise BadMapping("attachments: they are known already", next="Leave the field out.")
        self.columns = [ITEM, *known]
        self.columns += sorted(name for name in columns_of(mapping.fields) if name not in self.columns)
        self.bound = bind(mapping, self.columns)
        self.bound.rest = []
        self.fields = frozenset(mapping.fields)
        self.digest = mapping.digest

    def line(self, plain: Line, values: Mapping[str, str], place: str) -> Line:
        """The line with what the mapping says of it; `values` by their names in small letters."""
        values = {**values, ITEM.casefold(): plain.observation.native_id}
        row = Row([values.get(name.casefold()) for name in self.columns], place)
        told = self.bound.line(row)
        assert told is not None, "a row with an id is not empty"
        changes: dict[str, object] = {}
        for name in self.fields - {"platform", "page"}:
            own = "author" if name.startswith("author.") else name
            changes[own] = getattr(told.observation, own)
        if "kind" in self.fields:
            changes["private"] = told.observation.private
        return Line(
            told.platform or plain.platform,
            told.page or plain.page,
            replace(plain.observation, **changes),  # type: ignore[arg-type]  # the names are the observation's own
            plain.span,
        )

    def names_page(self) -> bool:
        """Whether each item says itself whose page it is on."""
        return {"platform", "page"} <= self.fields
