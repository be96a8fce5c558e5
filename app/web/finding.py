"""Searching, as a request asks for it: the query with its filters, the hits with what met it, every hit as a stream."""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query

from app.capture import pages, records
from app.db import Tx
from app.holds import searching
from app.holds.joining import Known
from app.holds.showing import with_holds
from app.index import asof, families, grouping, highlights, search
from app.index.engine import Answer, Index, Sort
from app.index.grouping import Groups
from app.index.highlights import Highlight
from app.index.leafing import Begun
from app.index.search import Asking, Found, Past
from app.index.source import LedgerSource
from app.index.standing import COUNTED, JOINED
from app.index.tree import Field
from app.records.errors import Invalid
from app.records.nouns import Officer, Record
from app.store import access
from app.web.parts import Parts
from app.web.who import messages

_PART = 200
_EXCERPT, _BEFORE = 420, 120
_FACETS_SHOWN = 10
_SHOWN_OF_FAMILY = 5
"""So many hits of one family are shown; the others stand on the page of its post."""
_Text = Annotated[str, Query(max_length=4_000)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: the query as written and the filters beside it."""

    q: str | None
    page: str
    platform: str
    author: str
    kind: str
    state: str
    since: str
    until: str
    sort: Sort
    limit: int
    cursor: str
    as_of: int | None = None
    families: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing is asked yet."""
        return self.q is None and not any(value for _, value in self.filters())

    def filters(self) -> list[tuple[str, str]]:
        """The filters, in words."""
        return [
            ("Page", self.page),
            ("Platform", self.platform),
            ("Author", self.author),
            ("Kind", self.kind),
            ("State", self.state),
            ("Published from", self.since),
            ("Published to", self.until),
        ]

    def link(self, **changes: Any) -> str:
        """The same question as the query of an address, with changes."""
        changed = replace(self, **changes)
        given = {
            "q": changed.q or "",
            "page": changed.page,
            "platform": changed.platform,
            "author": changed.author,
            "kind": changed.kind,
            "state": changed.state,
            "from": changed.since,
            "to": changed.until,
            "sort": "" if changed.sort is Sort.NEWEST else str(changed.sort),
            "cursor": changed.cursor,
            "as_of": "" if changed.as_of is None else str(changed.as_of),
            "families": "yes" if changed.families else "",
        }
        return urlencode({name: value for name, value in given.items() if value or name == "q"})

    def understood(self) -> search.Query:
        """The query narrowed by its filters, or `BadQuery` with the place of the mistake."""
        written = search.parse(self.q if self.q and self.q.strip() else "*")
        return search.narrowed(
            written,
            since=self.since or None,
            until=self.until or None,
            page=self.page or None,
            platform=self.platform or None,
            author=self.author or None,
            kind=self.kind or None,
            state=self.state or None,
        )


def _asked(
    q: Annotated[str | None, Query(max_length=100_000, description="The query; none: every record.")] = None,
    page: _Text = "",
    platform: _Text = "",
    author: _Text = "",
    kind: _Text = "",
    state: _Text = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    sort: Sort = Sort.NEWEST,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str, Query(max_length=500)] = "",
    as_of: Annotated[
        str,
        Query(
            max_length=20,
            description="As the archive stood when the ledger had so many entries; empty: as it stands now.",
        ),
    ] = "",
    families: Annotated[bool, Query(description="Each family once, with all of its hits.")] = False,
) -> Asked:
    return Asked(
        q=q,
        page=page.strip(),
        platform=platform.strip(),
        author=author.strip(),
        kind=kind.strip(),
        state=state.strip(),
        since=since.strip(),
        until=until.strip(),
        sort=sort,
        limit=limit,
        cursor=cursor,
        as_of=_size(as_of),
        families=families,
    )


def _size(written: str) -> int | None:
    """A size of the ledger; a form that nobody filled in asks about now."""
    if not written.strip():
        return None
    if not written.strip().isascii() or not written.strip().isdigit():
        raise Invalid(
            f"{written!r} is no size of the ledger", next="Write the number of entries, such as 1200."
        )
    return int(written)


Question = Annotated[Asked, Depends(_asked)]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of words, marked where it met the query."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A record with an excerpt of its words; `version` is the one that they are of, `where` where they stand if not in its text."""

    record: Record
    version: int
    words: Sequence[Run]
    where: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """A family that has hits: the first, some beside it, how many `more` there are, and of how many records it consists."""

    first: Hit
    beside: Sequence[Hit] = ()
    more: int = 0
    members: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """One value that hits can be narrowed to."""

    words: str
    count: int
    link: str


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of one fact; `more` values are not shown."""

    title: str
    values: Sequence[Value]
    more: int


def find(
    here: Parts,
    tx: Tx,
    asked: Asked,
    *,
    by: Officer,
    facets: Sequence[str] = (),
    what: str = "search",
    index: Index | None = None,
) -> tuple[search.Query, Found, list[Record]]:
    """Answer a question with its exact total and one part of its hits, and write down that it was asked.

    All of the answer is of one commit of the index: the last one, or what
    `index` still holds.
    """
    query = asked.understood()
    found = search.search(
        searching.at_once(here.index, tx) if index is None else index,
        query,
        zone=here.store.agency.zone(),
        ledger_size=here.store.ledger.size(tx),
        may_read_messages=messages(by),
        sort=asked.sort,
        limit=asked.limit,
        after=asked.cursor or None,
        facets=facets,
        standing=Known(here.store, tx, by),
        past=_past(here, tx, asked),
        history=LedgerSource(here.store),
    )
    note(here, tx, what, asked, by=by, total=found.total)
    return query, found, read(here, tx, found.records, asked, by=by)


def find_families(
    here: Parts, tx: Tx, asked: Asked, *, by: Officer, facets: Sequence[str] = ()
) -> tuple[search.Query, Found, Groups]:
    """The same with each family once, at the place of its first hit; the cursor is that of the families."""
    plain, index = replace(asked, limit=1, cursor=""), searching.at_once(here.index, tx)
    query, found, _ = find(here, tx, plain, by=by, facets=facets, index=index)
    known = families.read(tx, found.as_of, messages=messages(by))
    every = everything(here, tx, plain, by=by, index=index)
    begun = Begun.of(asked.sort, asked.cursor or None, asof.size_of(index))
    answer = every.asking.going_on(begun, LedgerSource(here.store), every.answer)
    groups = grouping.of(answer, asked.sort, known, asked.limit, begun.after)
    return query, replace(found, cursor=begun.cursor(groups.cursor)), groups


def _past(here: Parts, tx: Tx, asked: Asked) -> Past | None:
    return None if asked.as_of is None else search.past(here.store, tx, asked.as_of)


def read(here: Parts, tx: Tx, keys: Sequence[int], asked: Asked, *, by: Officer) -> list[Record]:
    """The records of these keys, as they stood at the size that is asked about."""
    found = with_holds(here.store, tx, records.read(here.store, tx, keys, messages=messages(by)), by=by)
    return found if asked.as_of is None else asof.as_then(here.store, tx, found, asked.as_of)


def note(here: Parts, tx: Tx, what: str, asked: Asked, *, by: Officer, total: int) -> None:
    """Write down on the access log what was asked; the words are sealed there."""
    action = "search" if what == "search" else "export"
    filters = {name: value for name, value in asked.filters() if value}
    access.note(
        here.store,
        tx,
        action,
        by=by.id,
        detail={
            "what": what,
            "query": asked.q or "*",
            "filters": filters,
            "total": total,
            "cursor": asked.cursor,
        },
    )


def facets_of(text: str) -> list[str]:
    """The facets that a request names, or `Invalid`."""
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in COUNTED]
    if unknown:
        raise Invalid(f"{unknown[0][:40]!r} is no facet", next=f"The facets are {', '.join(COUNTED)}.")
    return wanted


@dataclass(frozen=True, slots=True)
class Everything:
    """Every hit of a question, from the index as it stood when it was asked."""

    here: Parts
    asked: Asked
    by: Officer
    asking: Asking
    answer: Answer
    total: int
    undated: int
    as_of: int
    behind: int
    understood: str

    def records(self) -> Iterator[Record]:
        """The hits in order, without a cap and in bounded memory; what was disposed of meanwhile is left out."""
        keys = self.answer.every(self.asked.sort)
        while part := list(islice(keys, _PART)):
            with self.here.store.database.read() as tx:
                found = read(self.here, tx, part, self.asked, by=self.by)
            yield from found


def everything(here: Parts, tx: Tx, asked: Asked, *, by: Officer, index: Index | None = None) -> Everything:
    """Ask for every hit. The question is refused, if at all, before the first one leaves."""
    query = asked.understood()
    index = searching.at_once(here.index, tx) if index is None else index
    as_of, past = asof.size_of(index), _past(here, tx, asked)
    asking = search.asking(
        index,
        query,
        here.store.agency.zone(),
        may_read_messages=messages(by),
        standing=Known(here.store, tx, by),
        past=past,
    )
    answer = asking.answer()
    return Everything(
        here=here,
        asked=asked,
        by=by,
        asking=asking,
        answer=answer,
        total=answer.total(),
        undated=asking.undated(),
        as_of=as_of if past is None else past.size,
        behind=max(0, here.store.ledger.size(tx) - as_of) if past is None else 0,
        understood=search.show(query.tree),
    )


def met(
    here: Parts, tx: Tx, query: search.Query, found: Sequence[Record], *, before: int | None
) -> Mapping[int, Highlight]:
    """By which words each record was found, and where they stand, as of `before` entries of the ledger."""
    keys = [one.key for one in found]
    return highlights.of_records(LedgerSource(here.store), tx, query.tree, keys, before=before)


def hits(
    here: Parts, tx: Tx, query: search.Query, found: Sequence[Record], *, before: int | None = None
) -> list[Hit]:
    """The hits with what met the query marked, in the newest version in which it is."""
    places = {
        one.key: search.first_places(query.tree, one.version.text("text") or "", _EXCERPT) for one in found
    }
    elsewhere = met(here, tx, query, [one for one in found if not places[one.key]], before=before)
    return [_hit(record, places[record.key], elsewhere.get(record.key)) for record in found]


def families_of(
    here: Parts, tx: Tx, query: search.Query, groups: Groups, asked: Asked, *, by: Officer
) -> list[Family]:
    """The families with their first few hits, marked."""
    shown = [group.hits[:_SHOWN_OF_FAMILY] for group in groups.groups]
    found = read(here, tx, [key for part in shown for key in part], asked, by=by)
    marked = {hit.record.key: hit for hit in hits(here, tx, query, found, before=asked.as_of)}
    told = []
    for group, part in zip(groups.groups, shown, strict=True):
        first, *beside = (marked[key] for key in part)
        told.append(Family(first, beside, len(group.hits) - len(part), group.members))
    return told


def _hit(record: Record, places: Sequence[tuple[int, int]], elsewhere: Highlight | None) -> Hit:
    if elsewhere is None:
        return Hit(record, record.version.number, excerpt(record.version.text("text") or "", places))
    where = "" if elsewhere.where == "in the text" else elsewhere.where
    return Hit(record, elsewhere.version, excerpt(elsewhere.text, elsewhere.places), where)


def excerpt(text: str, places: Sequence[tuple[int, int]]) -> list[Run]:
    """The part of a text that met the query first, with all that met it there marked."""
    begin = max(0, places[0][0] - _BEFORE) if places and len(text) > _EXCERPT else 0
    end = min(len(text), begin + _EXCERPT)
    if begin:
        begin = text.find(" ", begin, begin + 40) + 1 or begin
    runs = [Run("… ", marked=False)] if begin else []
    at = begin
    for start, stop in places:
        if begin <= start and stop <= end:
            runs += [Run(text[at:start], marked=False), Run(text[start:stop], marked=True)]
            at = stop
    runs.append(Run(text[at:end] + (" …" if end < len(text) else ""), marked=False))
    return [run for run in runs if run.text]


TITLES = {
    "page": "Page",
    "platform": "Platform",
    "kind": "Kind",
    "state": "State",
    "author": "Author",
    "series": "Series",
    "tag": "Tag",
    "month": "Month",
}


def narrowing(
    tx: Tx, asked: Asked, counted: Mapping[str, Mapping[str, int]], states: Mapping[str, str]
) -> list[Facet]:
    """The facets as links that narrow the question; a fact that is narrowed already is not offered again."""
    names = list(islice(counted.get("page", ()), _FACETS_SHOWN))
    known = {page.name: str(page.id) for page in pages.called(tx, names)}
    told = []
    for name, values in counted.items():
        if name not in ("month", *JOINED) and getattr(asked, name):
            continue
        shown = [
            Value(
                _words(name, value, states),
                count,
                asked.link(cursor="", **_change(asked, name, value, known)),
            )
            for value, count in islice(values.items(), _FACETS_SHOWN)
        ]
        if len(values) > 1 or (values and name != "month"):
            told.append(Facet(TITLES[name], shown, max(0, len(values) - _FACETS_SHOWN)))
    return told


def _words(name: str, value: str, states: Mapping[str, str]) -> str:
    return states.get(value, value) if name == "state" else value


def _change(asked: Asked, name: str, value: str, known: Mapping[str, str]) -> dict[str, str]:
    if name in JOINED:  # these have no filter of their own
        fact = search.show(Field(name, value))
        return {"q": f"({asked.q}) {fact}" if asked.q and asked.q.strip() else fact}
    if name == "month":
        year, month = (int(part) for part in value.split("-"))
        return {"since": f"{value}-01", "until": f"{value}-{monthrange(year, month)[1]:02}"}
    return {name: known.get(value, value) if name == "page" else value}
