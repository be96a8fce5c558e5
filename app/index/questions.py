"""A question as somebody keeps it: the words as they were typed, and the filters beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from app.index.language import Query, parse
from app.index.search import narrowed

_NAMES = {"since": "from", "until": "to"}
"""What filters are called at the doors, where that is no name for a variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a question beside its words; each as the query language writes its value."""

    page: str | None = None
    platform: str | None = None
    author: str | None = None
    kind: str | None = None
    state: str | None = None
    since: str | None = None
    until: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Filters:
        """The filters as `as_json` wrote them; what is empty is none."""
        found = {}
        for one in fields(cls):
            value = given.get(_NAMES.get(one.name, one.name))
            if isinstance(value, str) and value.strip():
                found[one.name] = value.strip()
        return cls(**found)

    def as_json(self) -> dict[str, str]:
        """Those that are set, by the names that the doors give them."""
        told = {_NAMES.get(one.name, one.name): getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in told.items() if value}

    def narrow(self, query: Query) -> Query:
        """The question within these filters."""
        return narrowed(
            query,
            since=self.since,
            until=self.until,
            page=self.page,
            platform=self.platform,
            author=self.author,
            kind=self.kind,
            state=self.state,
        )


@dataclass(frozen=True, slots=True)
class Question:
    """The words as typed, and the filters."""

    text: str
    filters: Filters = Filters()

    def understood(self) -> Query:
        """The question as the archive reads it, or `BadQuery`; without words, every record within the filters."""
        filtered = not self.text.strip() and self.filters != Filters()
        return self.filters.narrow(parse("*" if filtered else self.text))
