"""The second engine: Whoosh, for small archives where the first one cannot be installed.

Whoosh is known to answer questions wrongly, so it is asked none. It gives
lists: the words that a segment holds, the documents that hold a word, the
words that were kept of a document (`whoosh_files`). Everything else happens
here and is the same for every engine: AND, OR and NOT are those of sets, taken
among the documents that are there; facts are compared one by one; and
wherever words must stand in an order, every document that has them all is
judged by `spans` on its kept words.

An answer is read whole when it is asked, and holds nothing but numbers: it
stands still whatever becomes of the files. That, and the facts of every
document in memory (about 150 bytes each), is why this engine is for archives
of up to some hundred thousand records.
"""

from __future__ import annotations

import json
import re
import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from app.index import analyser, generations, whoosh_files
from app.index.batching import Batching
from app.index.deciding import Decider
from app.index.documents import PLACES, Document, Position
from app.index.engine import (
    FACETS,
    UNDATED,
    IndexNeedsRebuild,
    Page,
    Place,
    QueryNotSupported,
    Scope,
    Sort,
    StillFound,
    folded,
    instants,
    microseconds,
    month_of,
    whole_month,
)
from app.index.printer import show
from app.index.spans import Placed, Words, meeting
from app.index.tree import (
    Address,
    All,
    Among,
    And,
    CapturedRange,
    DateRange,
    Exactly,
    Field,
    Fuzzy,
    In,
    Mention,
    Near,
    Not,
    Or,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
    everything_in,
)
from app.index.whoosh_files import (
    BESIDE,
    FIELDS,
    IN,
    LACKS,
    SIGILS,
    SIGILS_BESIDE,
    WORDS,
    Facts,
    Laid,
    Segment,
    Snapshot,
    Writing,
    translated,
)

FORMAT = "whoosh-2"
"""Raised whenever documents are laid down otherwise; an index of another format must be rebuilt."""

_DESCRIPTION = "muniment.json"
_VERSION_BITS = 24
_LONGEST_SHOWN = 1000


class WhooshEngine(Batching):
    """An index in a folder. Open one for each process; several may ask at once."""

    def __init__(self, home: Path, *, folder: Path | None = None) -> None:
        super().__init__()
        self._home = home
        self._asking = threading.RLock()
        """Whoosh's readers are for one thread at a time; taken after the lock of changes."""
        self._folder: Path
        self._unfit: IndexNeedsRebuild | None = None
        self._snapshot: Snapshot | None = None
        self._writing: Writing | None = None
        self._follows = folder is None
        if folder is None:
            folder = generations.current(home)
            if folder is None:
                folder = _begin(home)
                generations.point_at(folder)
        self._open(folder)

    @classmethod
    def open(cls, home: Path) -> Self:
        """The index that lives in `home`; an empty one is begun where there is none.

        One that another edition or another engine made opens too, for it can
        still be rebuilt; whatever else it is asked raises `IndexNeedsRebuild`.
        """
        return cls(home)

    def _open(self, folder: Path) -> None:
        self._folder, self._snapshot, self._unfit = folder, None, None
        try:
            _check_description(folder)
        except IndexNeedsRebuild as unfit:
            self._unfit = unfit

    def _freshen(self) -> Snapshot:
        """The last commit of the living generation, whoever made them."""
        with self._asking, translated():
            self._follow_pointer()
            try:
                return self._read()
            except Exception:  # the folder may have been swapped and discarded just now
                if not self._follow_pointer():
                    raise
                return self._read()

    def _read(self) -> Snapshot:
        if self._unfit is not None:
            raise self._unfit
        if self._snapshot is None or self._snapshot.generation != whoosh_files.generation(self._folder):
            self._snapshot = whoosh_files.read(self._folder, self._snapshot)
        return self._snapshot

    def _follow_pointer(self) -> bool:
        living = generations.current(self._home) if self._follows and self._writing is None else None
        if living is None or living == self._folder:
            return False
        self._open(living)
        return True

    # ---- following --------------------------------------------------------------------------------

    def position(self) -> Position | None:
        return _position(self._said())

    def removed(self) -> int:
        return self._said().get("removed", 0)

    def _said(self) -> dict[str, int]:
        with self._asking, translated():
            return dict(json.loads(self._freshen().mark or b"{}"))

    def _may_write(self) -> Writing:
        if self._writing is None:
            with self._asking:
                self._follow_pointer()
                if self._unfit is not None:
                    raise self._unfit
                self._writing = Writing(self._folder)
        return self._writing

    def commit(self, position: Position) -> None:
        with self._changing, self._given_up_where_it_fails(), translated():
            writing, before = self._may_write(), self._freshen()
            gone = self._taken_out - self._added.keys()
            lost = [_of_records(segment, self._taken_out) for segment in before.segments]
            said = {"entry": position.entry, "analyser": position.analyser, "removed": self.removed()}
            said["removed"] += len(_records(before, lost) & gone)
            mark = Laid(Facts(0, current=True), json.dumps(said).encode(), {})
            marks = [segment.marks for segment in before.segments]
            writing.commit(
                before,
                [[*places, *old] for places, old in zip(lost, marks, strict=True)],
                _made(self._added.values(), mark),
            )
            self._drop()
            after = self._freshen()
            left = sum(len(_of_records(segment, gone)) for segment in after.segments) if gone else 0
        if left:
            raise StillFound(left)

    @contextmanager
    def _given_up_where_it_fails(self) -> Iterator[None]:
        """A batch that fails is given up; the last commit stands, and another process may write."""
        try:
            yield
        except BaseException:
            self.settle()
            raise

    def settle(self) -> None:
        with self._changing:
            self._drop()
            writing, self._writing = self._writing, None
            if writing is not None:
                writing.end()

    def _drop(self) -> None:
        self._forget()

    # ---- beside and adopted ------------------------------------------------------------------------

    def beside(self) -> Self:
        return type(self)(self._home, folder=_begin(self._home))

    def adopt(self, other: Self) -> None:
        other.settle()
        self.settle()
        with self._changing, self._asking:
            generations.point_at(other._folder)
            self._open(other._folder)
            self._follows = True
            generations.discard_others(self._home)

    # ---- asking ------------------------------------------------------------------------------------

    def still(self) -> Still:
        return Still(self._freshen(), self._asking)

    def ask(self, tree: Tree, scope: Scope) -> WhooshAnswer:
        return self.still().ask(tree, scope)


class Still:
    """The index as one commit left it, whatever is committed meanwhile."""

    def __init__(self, snapshot: Snapshot, asking: threading.RLock) -> None:
        self._snapshot, self._asking = snapshot, asking

    def position(self) -> Position | None:
        with self._asking, translated():
            return _position(json.loads(self._snapshot.mark or b"{}"))

    def ask(self, tree: Tree, scope: Scope) -> WhooshAnswer:
        for part in everything_in(tree):
            _check_supported(part)
        with self._asking, translated():
            found = [(segment, _Reading(segment, scope).visibly(tree)) for segment in self._snapshot.segments]
            return WhooshAnswer(found, scope.zone)


def _position(said: Mapping[str, int]) -> Position | None:
    return Position(said["entry"], said["analyser"]) if said else None


def _begin(home: Path) -> Path:
    folder = generations.begin(home)
    description = {"format": FORMAT, "analyser": analyser.VERSION, "engine": f"whoosh {_installed()}"}
    (folder / _DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
    whoosh_files.begin(folder)
    return folder


def _installed() -> str:
    with suppress(PackageNotFoundError):
        return version("whoosh-reloaded")
    return "of another distribution"


def _check_description(folder: Path) -> None:
    description = generations.described(folder)
    if description is None:
        raise IndexNeedsRebuild("it does not say how it was made")
    engine = str(description.get("engine", "whoosh"))
    if not engine.startswith("whoosh"):
        raise IndexNeedsRebuild(f"it was made by {engine}, and MUNIMENT_SEARCH names whoosh")
    if description.get("analyser") != analyser.VERSION:
        raise IndexNeedsRebuild(
            f"its words were made by analyser {description.get('analyser')}, not {analyser.VERSION}"
        )
    if description.get("format") != FORMAT:
        raise IndexNeedsRebuild(f"its format is {description.get('format')}, not {FORMAT}")


# ---- documents as they are laid down -------------------------------------------------------------


def _made(records: Iterable[Sequence[Document]], mark: Laid) -> Iterator[Laid]:
    for documents in records:
        newest = max(document.version for document in documents)
        for document in documents:
            yield _laid(document, current=document.version == newest)
    yield mark


def _laid(document: Document, *, current: bool) -> Laid:
    told = [
        (place, analyser.analyse(text))
        for place, text in [("text", document.text), *((one.place, one.text) for one in document.passages)]
    ]
    published = document.published_at
    values: dict[str, Sequence[str]] = {
        "page": (document.page, document.page_name),
        "platform": (document.platform,),
        "author": document.author,
        "lang": (document.language,) if document.language else (),
        "kind": (document.kind,),
        "state": (document.state,),
        "origin": (document.origin,),
    }
    shown = {name: told[-1] if told else "" for name, told in values.items()}
    shown["page"] = document.page_name or document.page
    return Laid(
        Facts(
            document.record << _VERSION_BITS | document.version,
            UNDATED if published is None else microseconds(published),
            microseconds(document.captured_at),
            current,
            document.private,
            document.media,
            [shown[name][:_LONGEST_SHOWN].encode("utf-8", "replace").decode() for name in FIELDS],
        ),
        _write_kept(
            [
                (place, said.words, [(sigil.text, sigil.first, sigil.last) for sigil in said.sigils])
                for place, said in told
            ]
        ),
        {
            WORDS: set(told[0][1].words.split()),
            SIGILS: {sigil.text for sigil in told[0][1].sigils},
            **{
                field: {word for place, said in told if place == where for word in said.words.split()}
                for where, field in IN.items()
            },
            SIGILS_BESIDE: {place + sigil.text for place, said in told[1:] for sigil in said.sigils},
            BESIDE: {place for place, _ in told[1:]},
            LACKS: {*document.lacks, "any"} if document.lacks else (),
            **{name: {folded(value) for value in told} for name, told in values.items()},
        },
    )


_write_kept = msgspec.msgpack.Encoder().encode
_read_kept = msgspec.msgpack.Decoder(list[tuple[str, str, list[tuple[str, int, int]]]]).decode


def _of_records(segment: Segment, records: AbstractSet[int]) -> list[int]:
    """The places of these records' documents that are there."""
    keys = segment.columns.keys
    return [place for place in segment.living if keys[place] >> _VERSION_BITS in records] if records else []


def _records(snapshot: Snapshot, places: Sequence[Sequence[int]]) -> set[int]:
    return {
        segment.columns.keys[place] >> _VERSION_BITS
        for segment, some in zip(snapshot.segments, places, strict=True)
        for place in some
    }


# ---- asking one segment --------------------------------------------------------------------------


def _check_supported(part: Tree) -> None:
    if isinstance(part, Field) and part.name not in _KNOWN:
        raise QueryNotSupported(show(part), f"it does not know the {part.name} of a record")


_KNOWN = frozenset((*FIELDS, "version", "has", "unsearchable"))

Places: TypeAlias = AbstractSet[int]
"""Documents of one segment."""


class _Reading:
    """Reads trees against one segment. What it is not asked about, it does not look at: `within` bounds every answer."""

    def __init__(self, segment: Segment, scope: Scope) -> None:
        self.segment = segment
        self.columns = segment.columns
        self.scope = scope

    def visibly(self, tree: Tree) -> Places:
        """What meets `tree` among the documents that are there and that the asker may read."""
        there = self.segment.living
        return self.meeting(tree, there if self.scope.messages else there - self.columns.private)

    def meeting(self, tree: Tree, within: Places) -> Places:
        """Exactly those of `within` that meet `tree`."""
        if not within:
            return within
        match tree:
            case All():
                return within
            case And(parts):
                for part in sorted(parts, key=_must_be_judged):  # what is read from lists narrows the rest
                    within = self.meeting(part, within)
                return within
            case Or(parts):
                return set().union(*(self.meeting(part, within) for part in parts))
            case Not(part):
                return within - self.meeting(part, within)
            case Field(name, value):
                return self._field(name, value, within)
            case DateRange():
                return self._between(self.columns.published, tree, within)
            case CapturedRange():
                return self._between(self.columns.captured, tree, within)
            case Among(_, keys):
                held = self.columns.keys
                return {place for place in within if held[place] >> _VERSION_BITS in keys}
            case Exactly(versions):
                wanted = {record << _VERSION_BITS | number for record, number in versions}
                return {place for place in within if self.columns.keys[place] in wanted}
            case Phrase() | Near() | Pre() | In(_, Phrase() | Near() | Pre()):
                return self._judged(tree, self._having(tree, within))
            case _:
                return self._holding(tree, within)

    def _field(self, name: str, value: str, within: Places) -> Places:
        match name, value:
            case "version", _:
                return within - self.columns.earlier
            case "has", "media":
                return within & self.columns.media
            case "has", "date":
                published = self.columns.published
                return {place for place in within if published[place] != UNDATED}
            case "has", _:
                return within & self.segment.holding(BESIDE, value)
            case "unsearchable", _:
                return within & self.segment.holding(LACKS, value)
            case _:
                return within & self.segment.holding(name, folded(value))

    def _between(self, moments: Sequence[int], days: DateRange | CapturedRange, within: Places) -> Places:
        begin, end = instants(days, self.scope.zone)
        least = UNDATED + 1 if begin is None else begin
        most = 2**62 if end is None else end
        return {place for place in within if least <= moments[place] < most}

    # -- what stands in a text --

    def _having(self, tree: Tree, within: Places) -> Places:
        """All of `within` that could meet `tree`, because they have its parts at all; the rest cannot."""
        match tree:
            case In(place, part):
                return self._all_in(place, part, within)
            case _:
                return set().union(*(self._all_in(place, tree, within) for place in PLACES))

    def _all_in(self, place: str, tree: Tree, within: Places) -> Places:
        """Those that have all that `tree` needs in one place."""
        match tree:
            case Or(parts):
                return set().union(*(self._all_in(place, part, within) for part in parts))
            case Phrase(parts):
                for part in parts:
                    within = self._all_in(place, part, within)
                return within
            case Near(_, left, right) | Pre(_, left, right):
                return self._all_in(place, right, self._all_in(place, left, within))
            case _:
                return self._holding(In(place, tree), within)

    def _judged(self, tree: Tree, candidates: Places) -> Places:
        """Those candidates whose kept words meet `tree`."""
        with_sigils = any(isinstance(part, Tag | Mention | Address) for part in everything_in(tree))
        met = Decider(tree).met
        return {
            place for place in candidates if met(_told(self.segment.kept(place), with_sigils=with_sigils))
        }

    def _holding(self, part: Tree, within: Places) -> Places:
        """Exactly those of `within` that have a word or a sigil which meets `part`."""
        if not within:
            return within
        places, part = ((part.place,), part.part) if isinstance(part, In) else (PLACES, part)
        found: set[int] = set()
        for place in places:
            field, terms = self._terms(part, place)
            for term in terms:
                found |= self.segment.holding(field, term)
        return found & within

    def _terms(self, part: Tree, place: str) -> tuple[str, Iterable[str]]:
        """The field in which `part` stands, and each of its terms that meets it."""
        words = WORDS if place == "text" else IN[place]
        sigils, before = (SIGILS, "") if place == "text" else (SIGILS_BESIDE, place)
        match part:
            case Term(word):
                return words, (word,)
            case Wild(pattern):
                return words, self._like(words, pattern, meeting(part))
            case Fuzzy(word, letters):
                meets = meeting(part)
                near = (
                    term
                    for term in self.segment.vocabulary(words)
                    if -letters <= len(term) - len(word) <= letters
                )
                return words, filter(meets, near)
            case Stem(word):  # the English stemmer leaves first letters as they are
                return words, filter(meeting(part), self.segment.beginning(words, word[:1]))
            case Tag(name):
                return sigils, self._like(sigils, f"{before}#{name}", meeting(part), before)
            case Mention(name):
                return sigils, self._like(sigils, f"{before}@{name}", meeting(part), before)
            case Address(text, prefix):
                return sigils, self.segment.beginning(sigils, before + text) if prefix else (before + text,)
            case _:
                raise TypeError(f"{type(part).__name__} has no place in a text")

    def _like(
        self, field: str, pattern: str, meets: Callable[[str], bool], before: str = ""
    ) -> Iterable[str]:
        if "*" not in pattern and "?" not in pattern:
            return (pattern,)
        plain = re.split(r"[*?]", pattern, maxsplit=1)[0]
        return (term for term in self.segment.beginning(field, plain) if meets(term.removeprefix(before)))


def _must_be_judged(tree: Tree) -> bool:
    return any(isinstance(part, Phrase | Near | Pre) for part in everything_in(tree))


def _told(kept: bytes, *, with_sigils: bool) -> Iterator[Placed]:
    """The kept words of every text of a document."""
    for place, words, sigils in _read_kept(kept):
        yield place, Words(words.split(), [analyser.Sigil(*one) for one in sigils] if with_sigils else ())


# ---- an answer -----------------------------------------------------------------------------------


class WhooshAnswer:
    """What was found, each record represented by one of its versions; it holds no file."""

    def __init__(self, found: Sequence[tuple[Segment, Places]], zone: ZoneInfo) -> None:
        self._zone = zone
        self._hits = [(segment.columns, _represented(segment, places)) for segment, places in found]
        self._orders: dict[Sort, list[tuple[int, int]]] = {}

    def total(self) -> int:
        return sum(len(places) for _, places in self._hits)

    def page(self, sort: Sort, limit: int, after: str | None = None) -> Page:
        place = None if after is None else Place.of(after, sort)
        if limit <= 0:
            return Page((), after)
        order = self._ordered(sort)
        start = 0 if place is None else bisect_right(order, _rank(sort, place.value, place.key))
        shown = order[start : start + limit]
        more = start + limit < len(order)
        return Page(
            tuple(_key(sort, rank) >> _VERSION_BITS for rank in shown),
            Place(sort, _value(sort, shown[-1]), _key(sort, shown[-1])).cursor() if more else None,
        )

    def every(self, sort: Sort) -> Iterator[int]:
        return (_key(sort, rank) >> _VERSION_BITS for rank in self._ordered(sort))

    def _ordered(self, sort: Sort) -> list[tuple[int, int]]:
        known = self._orders.get(sort)
        if known is None:
            known = []
            for columns, places in self._hits:
                moments = columns.captured if sort is Sort.CAPTURED else columns.published
                known += [_rank(sort, moments[place], columns.keys[place]) for place in places]
            known.sort()
            self._orders[sort] = known
        return known

    def facets(self, fields: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        unknown = [field for field in fields if field not in FACETS]
        if unknown:
            raise QueryNotSupported(", ".join(unknown), f"hits can be counted by {', '.join(FACETS)}")
        return {field: self._months() if field == "month" else self._counted(field) for field in fields}

    def _counted(self, field: str) -> dict[str, int]:
        counted: Counter[str] = Counter()
        for columns, places in self._hits:
            shown = columns.shown[FIELDS.index(field)]
            counted.update([shown[place] for place in places])
        del counted[""]
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    def _months(self) -> dict[str, int]:
        published = sorted(
            columns.published[place]
            for columns, places in self._hits
            for place in places
            if columns.published[place] != UNDATED
        )
        counted: dict[str, int] = {}
        at = 0
        while at < len(published):
            year, month = month_of(published[at], self._zone)
            _, end = instants(DateRange(*whole_month(year, month)), self._zone)
            after = len(published) if end is None else bisect_left(published, end, lo=at + 1)
            name = f"{year:04}-{month:02}"
            counted[name] = counted.get(name, 0) + after - at
            at = after
        return counted


def _represented(segment: Segment, found: Places) -> Places:
    """One version for each record: the newest that is found."""
    if not found & segment.columns.earlier:
        return found
    keys = segment.columns.keys
    newest: dict[int, int] = {}
    for place in sorted(found, key=lambda place: keys[place]):
        newest[keys[place] >> _VERSION_BITS] = place
    return set(newest.values())


def _rank(sort: Sort, value: int, key: int) -> tuple[int, int]:
    """Where a document stands in an order: the least comes first."""
    if sort is Sort.OLDEST:
        return (-UNDATED if value == UNDATED else value), key
    return -value, -key


def _value(sort: Sort, rank: tuple[int, int]) -> int:
    if sort is Sort.OLDEST:
        return UNDATED if rank[0] == -UNDATED else rank[0]
    return -rank[0]


def _key(sort: Sort, rank: tuple[int, int]) -> int:
    return rank[1] if sort is Sort.OLDEST else -rank[1]
