"""The embedded engine: tantivy, with its sharp edges wrapped.

What it answers natively is what it is exact in: words, wildcards, phrases of
words, and proximity of two words. Everything else that stands in a text is
decided by `spans`: the engine proposes every document that could meet it,
the stored words of each are judged, and the ones that do enter the rest of
the question as a set of keys. So a total never depends on what an engine
thinks proximity is.

Every document is one version of a record. To count and sort records, each is
represented by one version: the current one where that is a hit, otherwise
the newest that is.

Rules that keep the engine honest, each learned from a failure: unsigned
values are never inferred; removal is by query, and looked at after the
commit; a batch is checked before the writer sees it; a writer that failed is
given up with its uncommitted batch; the writer is let go only after its
merges have finished; slop is used for exactly two words; a panic is
translated where it happens, for it is no `Exception`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from importlib.metadata import version
from itertools import islice, product
from operator import itemgetter
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import msgspec
import tantivy
from tantivy import DocAddress, FieldType, Occur, Order, Query

from app.index import analyser, generations
from app.index.deciding import Decider
from app.index.documents import MOST_RECORDS, PLACES, Document, Position
from app.index.engine import (
    FACETS,
    UNDATED,
    IndexBusy,
    IndexFailed,
    IndexNeedsRebuild,
    Page,
    Place,
    QueryNotSupported,
    Scope,
    Sort,
    StillFound,
    check,
    folded,
    instants,
    microseconds,
    month_of,
    whole_month,
)
from app.index.keys import Keys
from app.index.printer import show
from app.index.spans import Placed, Words
from app.index.stem import stem
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

FORMAT = 2
"""Raised whenever documents are laid down otherwise; an index of another format must be rebuilt."""

_HEAP = 128_000_000
_LONGEST_WORD = 15_000
"""The engine drops words over 65,530 bytes in silence; a text that has one is judged apart, long before that."""
_LONGEST_VALUE = 1000
_MOST_PAIRS = 64
_MOST_WORDS = 64
"""Words of a phrase that the engine is asked for at once; each costs it a walk over all that hold the word."""
_BATCH = 20_000
_MOST_BUCKETS = 50_000
_MOST_COMPILED = 128
_TIED = 8
"""So many hits are read beyond a page, so that records of one moment mostly come in their order without a second search."""
_DESCRIPTION = "muniment.json"
_VERSION_BITS = 24


_BESIDE = PLACES[1:]
_DATED = Field("has", "date")


def _schema() -> tantivy.Schema:
    schema = tantivy.SchemaBuilder()
    schema.add_unsigned_field("key", indexed=True, fast=True)  # record and version in one number
    schema.add_unsigned_field("record", indexed=True, fast=True)
    schema.add_unsigned_field("current", indexed=True)
    schema.add_unsigned_field("private", indexed=True)
    schema.add_unsigned_field("media", indexed=True)
    schema.add_unsigned_field("judged_apart", indexed=True)
    schema.add_integer_field("published", indexed=True, fast=True)
    schema.add_integer_field("captured", indexed=True, fast=True)
    schema.add_text_field("words", stored=True, tokenizer_name="divided")
    schema.add_text_field("sigils", tokenizer_name="divided", index_option="basic")
    schema.add_bytes_field("words_apart", stored=True)  # of a text that the engine would not take whole
    schema.add_bytes_field("sigil_places", stored=True)
    for place in _BESIDE:  # one value for each passage: a phrase does not go from one value into the next
        schema.add_text_field(f"in_{place}", tokenizer_name="divided")
    schema.add_text_field("sigils_beside", tokenizer_name="divided", index_option="basic")
    schema.add_text_field(
        "beside", tokenizer_name="raw", index_option="basic"
    )  # which of these places it has
    schema.add_bytes_field("passages", stored=True)
    schema.add_text_field("lacks", tokenizer_name="raw", index_option="basic")
    for name in ("page", "platform", "author", "lang"):
        schema.add_text_field(name, tokenizer_name="raw", index_option="basic")
        schema.add_text_field(f"{name}_shown", tokenizer_name="raw", index_option="basic", fast=True)
    for name in ("kind", "state", "origin"):
        schema.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    schema.add_text_field("mark", tokenizer_name="raw", index_option="basic")
    schema.add_bytes_field("said", stored=True)
    return schema.build()


_SCHEMA = _schema()


@contextmanager
def _translated() -> Iterator[None]:
    """What the engine raises, a panic among it, as errors of ours."""
    try:
        yield
    except ValueError as error:
        if "LockBusy" in str(error):
            raise IndexBusy(
                "Another process is writing to the index.", next="Try again when it has finished."
            ) from error
        raise _failed(error) from error
    except (RuntimeError, OSError) as error:
        raise _failed(error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise _failed(error) from error
        raise


def _failed(error: BaseException) -> IndexFailed:
    return IndexFailed(
        f"The search engine failed: {error}",
        next="Look whether the disk is full; if it goes on, run muniment reindex.",
    )


class _Snapshot:
    """The index as one commit left it, and what is true of all of it: read once, and asked by every question."""

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self.searcher = searcher
        self._compiled: dict[tuple[Tree, Scope], Query] = {}
        self._keeping = threading.Lock()

    def compiled(self, tree: Tree, scope: Scope) -> Query | None:
        """The query that a question came to when it was asked before: the next page asks it again, and so does every count."""
        return self._compiled.get((tree, scope))

    def remember(self, tree: Tree, scope: Scope, query: Query) -> None:
        """Keep the query of a question for as long as the snapshot lasts, the newest few of them."""
        with self._keeping:  # several may ask at once, and none may change what another walks
            while len(self._compiled) >= _MOST_COMPILED:
                del self._compiled[next(iter(self._compiled))]
            self._compiled[tree, scope] = query

    @cached_property
    def said(self) -> Mapping[str, int] | None:
        """What the last commit says of itself; None before the first."""
        hits = self.searcher.search(Query.term_query(_SCHEMA, "mark", "position"), 1).hits
        if not hits:
            return None
        said = self.searcher.doc(hits[0][1]).get_first("said")
        return dict(json.loads(bytes(said or b"{}")))

    @cached_property
    def some_apart(self) -> bool:
        """Whether any text is judged apart."""
        return self._some("judged_apart", 1)

    @cached_property
    def some_private(self) -> bool:
        """Whether there is any private message."""
        return self._some("private", 1)

    @cached_property
    def some_earlier(self) -> bool:
        """Whether any version is not the current one of its record."""
        return self._some("current", 0)

    @cached_property
    def some_undated(self) -> bool:
        """Whether there is any record without a date of publication."""
        return self._some("published", UNDATED)

    @cached_property
    def some_lack(self) -> bool:
        """Whether there is anything that cannot be searched wholly."""
        return self._some("lacks", "any")

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Where words stand at all."""
        known = {place for place, _ in self.searcher.terms_with_prefix("beside", "")}
        return ("text", *(place for place in _BESIDE if place in known))

    def _some(self, field: str, value: str | int) -> bool:
        return _count(self.searcher, Query.term_query(_SCHEMA, field, value)) > 0


class TantivyEngine:
    """An index in a folder. Open one for each process; several may ask at once."""

    def __init__(self, home: Path, *, folder: Path | None = None, heap: int = _HEAP) -> None:
        self._home = home
        self._pointer = str(home / generations.POINTER)
        self._heap = heap
        self._lock = threading.RLock()
        self._folder: Path
        self._meta: str
        self._read: tuple[object, ...] | None = None
        """Which commit the snapshot is of; None where the reader has to look."""
        self._snapshot: _Snapshot | None = None
        self._pointed: tuple[object, ...] | None = None
        """The pointer to the living generation as it was when it was read last."""
        self._index: tantivy.Index | None = None
        self._unfit: IndexNeedsRebuild | None = None
        self._damaged = False
        self._writer: tantivy.IndexWriter | None = None
        self._uncommitted = False
        self._taken_out: set[int] = set()
        self._put_back: set[int] = set()
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

        One that was made by another edition, or that was damaged, opens too,
        for it can still be rebuilt; whatever else it is asked raises
        `IndexNeedsRebuild`.
        """
        return cls(home)

    def _open(self, folder: Path) -> None:
        self._folder, self._meta, self._index, self._unfit = folder, str(folder / "meta.json"), None, None
        self._read, self._snapshot, self._pointed, self._damaged = None, None, None, False
        try:
            _check_description(folder)
            self._index = _opened(folder)
        except IndexNeedsRebuild as unfit:
            self._unfit = unfit
        except IndexFailed as failed:
            self._damaged = True
            self._unfit = IndexNeedsRebuild(f"it cannot be read ({str(failed)[:300]})")

    def _fit(self) -> tantivy.Index:
        if self._index is None:
            raise self._unfit or IndexNeedsRebuild("it could not be opened")
        return self._index

    def _freshen(self) -> _Snapshot:
        """The last commit of the living generation, whoever made them."""
        with self._lock:
            known = self._snapshot
            if known is not None and self._is_newest():
                return known
            return self._looked()

    def _is_newest(self) -> bool:
        """Whether nothing was committed or adopted since the snapshot was taken: asked with every question."""
        if self._follows and self._writer is None and _marks(self._pointer) != self._pointed:
            return False
        commit = self._newest_commit()
        return commit is not None and commit == self._read

    def _looked(self) -> _Snapshot:
        with _translated():
            if not self._follow_pointer() and self._damaged:
                self._open(self._folder)  # whatever kept it from being read may be over
            commit = self._newest_commit()
            if self._snapshot is None or commit is None or commit != self._read:
                try:
                    self._fit().reload()
                except (ValueError, OSError):  # the folder may have been swapped and discarded just now
                    if not self._follow_pointer():
                        raise
                    commit = self._newest_commit()
                    self._fit().reload()
                self._read, self._snapshot = commit, _Snapshot(self._fit().searcher())
            return self._snapshot

    def _newest_commit(self) -> tuple[object, ...] | None:
        """What tells one commit from the next without reading it: each one puts another file in the place of `meta.json`.

        Asked before the commit is read: one that comes in between is read once more.
        """
        told = _marks(self._meta)
        return None if told is None else (self._folder, *told)

    def _follow_pointer(self) -> bool:
        if not self._follows or self._writer is not None:
            return False
        pointed = _marks(self._pointer)
        if pointed is not None and pointed == self._pointed:
            return False
        living = generations.current(self._home)
        self._pointed = pointed
        if living is None or living == self._folder:
            return False
        self._open(living)
        return True

    # ---- following --------------------------------------------------------------------------------

    def position(self) -> Position | None:
        return self.still().position()

    def removed(self) -> int:
        said = self._said()
        return 0 if said is None else int(said["removed"])

    def _said(self) -> Mapping[str, int] | None:
        snapshot = self._freshen()
        with _translated():
            return snapshot.said

    def add(self, documents: Sequence[Document]) -> None:
        newest: dict[int, int] = {}
        for document in documents:
            check(document)
            newest[document.record] = max(document.version, newest.get(document.record, 0))
        made = [
            _made(document, current=newest[document.record] == document.version) for document in documents
        ]
        with self._lock, self._writing() as writer:
            for one in made:
                writer.add_document(one)
        self._put_back.update(record for record in newest if record in self._taken_out)

    def remove(self, records: Collection[int]) -> None:
        wanted = sorted(record for record in records if 0 < record < MOST_RECORDS)
        if not wanted:
            return
        with self._lock, self._writing() as writer:
            writer.delete_documents_by_query(self._removal(wanted))
        self._taken_out.update(wanted)
        self._put_back.difference_update(wanted)

    def _removal(self, records: Sequence[int]) -> Query:
        """By query: by term the engine removes nothing from an unsigned field, and says nothing."""
        return self._records(records)

    def _records(self, records: Sequence[int]) -> Query:
        return Query.term_set_query(_SCHEMA, "record", records)

    def commit(self, position: Position) -> None:
        gone = sorted(self._taken_out - self._put_back)
        said = {"entry": position.entry, "analyser": position.analyser, "removed": self.removed()}
        with self._lock:
            with self._writing() as writer:
                if gone:
                    known = _all_of(self._records(gone), Query.term_query(_SCHEMA, "current", 1))
                    said["removed"] += _count(self._fit().searcher(), known)
                writer.delete_documents_by_query(Query.term_query(_SCHEMA, "mark", "position"))
                mark = tantivy.Document()
                mark.add_text("mark", "position")
                mark.add_bytes("said", json.dumps(said).encode())
                writer.add_document(mark)
                writer.commit()
                self._fit().reload()
            self._uncommitted = False
            self._taken_out, self._put_back = set(), set()
            with _translated():
                left = _count(self._fit().searcher(), self._records(gone)) if gone else 0
        if left:
            raise StillFound(left)

    def settle(self) -> None:
        with self._lock:
            writer, self._writer = self._writer, None
            self._taken_out, self._put_back = set(), set()
            if writer is not None:
                with _translated():
                    if self._uncommitted:
                        writer.rollback()
                        self._uncommitted = False
                    writer.wait_merging_threads()

    @contextmanager
    def _writing(self) -> Iterator[tantivy.IndexWriter]:
        """The one writer; where it fails it is given up, and its uncommitted batch with it."""
        if self._writer is None:
            with _translated():
                self._writer = self._fit().writer(self._heap, 1)
        self._uncommitted = True
        try:
            with _translated():
                yield self._writer
        except BaseException:
            self._writer, self._uncommitted = None, False
            self._taken_out, self._put_back = set(), set()
            raise

    # ---- beside and adopted ------------------------------------------------------------------------

    def beside(self) -> Self:
        return type(self)(self._home, folder=_begin(self._home), heap=self._heap)

    def adopt(self, other: Self) -> None:
        other.settle()
        self.settle()
        with self._lock:
            generations.point_at(other._folder)
            self._open(other._folder)
            self._follows = True
            generations.discard_others(self._home)

    # ---- asking ------------------------------------------------------------------------------------

    def still(self) -> Still:
        return Still(self._freshen())

    def ask(self, tree: Tree, scope: Scope) -> TantivyAnswer:
        return self.still().ask(tree, scope)


class Still:
    """The index as one commit left it, whatever is committed meanwhile."""

    def __init__(self, snapshot: _Snapshot) -> None:
        self._snapshot = snapshot

    def position(self) -> Position | None:
        with _translated():
            said = self._snapshot.said
        return None if said is None else Position(said["entry"], said["analyser"])

    def ask(self, tree: Tree, scope: Scope) -> TantivyAnswer:
        lasting = True
        for part in everything_in(tree):
            _check_supported(part)
            lasting = lasting and not isinstance(part, Among | Exactly)
        with _translated():
            return TantivyAnswer(_Reading(self._snapshot, scope), tree, lasting=lasting)


def _marks(path: str) -> tuple[object, ...] | None:
    """What tells a file from one that took its place; None where there is none."""
    try:
        told = os.stat(path)  # noqa: PTH116 - asked with every question, and a Path takes four times as long
    except OSError:
        return None
    return told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


def _begin(home: Path) -> Path:
    folder = generations.begin(home)
    description = {"format": FORMAT, "analyser": analyser.VERSION, "engine": f"tantivy {version('tantivy')}"}
    (folder / _DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
    return folder


def _opened(folder: Path) -> tantivy.Index:
    with _translated():
        index = tantivy.Index(_SCHEMA, path=str(folder), reuse=True)
        divided = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        index.register_tokenizer("divided", divided)
        index.config_reader("manual")
        return index


def _check_description(folder: Path) -> None:
    description = generations.described(folder)
    if description is None:
        raise IndexNeedsRebuild("it does not say how it was made")
    if description.get("analyser") != analyser.VERSION:
        raise IndexNeedsRebuild(
            f"its words were made by analyser {description.get('analyser')}, not {analyser.VERSION}"
        )
    if description.get("format") != FORMAT:
        raise IndexNeedsRebuild(f"its format is {description.get('format')}, not {FORMAT}")
    if (folder / "meta.json").exists():
        with _translated():
            if not tantivy.Index.is_compatible(str(folder)):
                raise IndexNeedsRebuild(f"it was made by {description.get('engine')}")


# ---- a document for the engine -------------------------------------------------------------------


def _made(document: Document, *, current: bool) -> tantivy.Document:
    analysis = analyser.analyse(document.text)
    beside = [(passage.place, analyser.analyse(passage.text)) for passage in document.passages]
    made = tantivy.Document()
    made.add_unsigned("key", document.record << _VERSION_BITS | document.version)
    made.add_unsigned("record", document.record)
    made.add_unsigned("current", int(current))
    if document.private:
        made.add_unsigned("private", 1)
    if document.media:
        made.add_unsigned("media", 1)
    published = document.published_at
    made.add_integer("published", UNDATED if published is None else microseconds(published))
    made.add_integer("captured", microseconds(document.captured_at))
    apart = _has_long_word(analysis) or any(_has_long_word(told) for _, told in beside)
    if apart:
        made.add_unsigned("judged_apart", 1)
        made.add_bytes("words_apart", analysis.words.encode())
    else:
        made.add_text("words", analysis.words)
        if analysis.sigils:
            made.add_text("sigils", " ".join([sigil.text for sigil in analysis.sigils]))
    if analysis.sigils:
        places = "\n".join([f"{sigil.first} {sigil.last} {sigil.text}" for sigil in analysis.sigils])
        made.add_bytes("sigil_places", places.encode())
    if beside:
        _put_beside(made, beside, apart=apart)
    for reason in {*document.lacks, *(["any"] if document.lacks else [])}:
        made.add_text("lacks", reason)
    for page in {_fact(document.page), _fact(document.page_name)}:
        made.add_text("page", page)
    made.add_text("page_shown", _shown(document.page_name or document.page))
    made.add_text("platform", _fact(document.platform))
    made.add_text("platform_shown", _shown(document.platform))
    if document.author:
        for author in {_fact(author) for author in document.author}:
            made.add_text("author", author)
        made.add_text("author_shown", _shown(document.author[-1]))
    if document.language:
        made.add_text("lang", _fact(document.language))
        made.add_text("lang_shown", _shown(document.language))
    made.add_text("kind", document.kind)
    made.add_text("state", document.state)
    made.add_text("origin", document.origin)
    return made


def _put_beside(
    made: tantivy.Document, beside: Sequence[tuple[str, analyser.Analysis]], *, apart: bool
) -> None:
    """What stands beside the text: found each in its place, and kept to be judged."""
    for place in {place for place, _ in beside}:
        made.add_text("beside", place)
    if not apart:
        for place, told in beside:
            made.add_text(f"in_{place}", told.words)
            if told.sigils:
                made.add_text("sigils_beside", " ".join([place + sigil.text for sigil in told.sigils]))
    kept = [
        (place, told.words, [(sigil.text, sigil.first, sigil.last) for sigil in told.sigils])
        for place, told in beside
    ]
    made.add_bytes("passages", msgspec.msgpack.encode(kept))


_read_passages = msgspec.msgpack.Decoder(list[tuple[str, str, list[tuple[str, int, int]]]]).decode


def _has_long_word(analysis: analyser.Analysis) -> bool:
    if len(analysis.words) > _LONGEST_WORD and max(map(len, analysis.words.split())) > _LONGEST_WORD:
        return True
    return any(len(sigil.text) > _LONGEST_WORD for sigil in analysis.sigils)


def _fact(value: str) -> str:
    """A value as it is found by."""
    return _remembered(value) if len(value) <= _LONGEST_VALUE else _bounded(folded(value))


@lru_cache(maxsize=4096)
def _remembered(value: str) -> str:
    """The same of a value of usual length: most documents have those of the ones before."""
    return _bounded(folded(value))


def _bounded(value: str) -> str:
    """A folded value; one that is too long for the engine is known by its beginning and its digest."""
    if len(value) <= _LONGEST_VALUE:
        return value
    return value[:100] + hashlib.sha256(value.encode()).hexdigest()


def _shown(value: str) -> str:
    return value[:_LONGEST_VALUE].encode("utf-8", "replace").decode()


# ---- putting queries together --------------------------------------------------------------------


_EVERYTHING, _NOTHING = Query.all_query(), Query.empty_query()
"""Known again by who they are, so that what needs no search is not searched."""


def _all_of(*queries: Query, but_not: Sequence[Query] = ()) -> Query:
    required = [query for query in queries if query is not _EVERYTHING]
    excluded = [query for query in but_not if query is not _NOTHING]
    if any(query is _NOTHING for query in required) or any(query is _EVERYTHING for query in excluded):
        return _NOTHING
    required = required or [_EVERYTHING]  # a lone exclusion would find nothing
    if len(required) == 1 and not excluded:
        return required[0]
    return Query.boolean_query(
        [(Occur.Must, query) for query in required] + [(Occur.MustNot, query) for query in excluded]
    )


def _any_of(*queries: Query) -> Query:
    found = [query for query in queries if query is not _NOTHING]
    if any(query is _EVERYTHING for query in found):
        return _EVERYTHING
    if len(found) < 2:
        return found[0] if found else _NOTHING
    return Query.boolean_query([(Occur.Should, query) for query in found])


def _count(searcher: tantivy.Searcher, query: Query) -> int:
    found = searcher.search(query, 1, count=True, order_by_field="key")
    return int(found.count or 0)  # type: ignore[attr-defined] # the binding's types leave it out


def _check_supported(part: Tree) -> None:
    if isinstance(part, Field) and part.name not in _FIELDS:
        raise QueryNotSupported(show(part), f"it does not know the {part.name} of a record")


_FIELDS = frozenset(
    ("author", "page", "platform", "kind", "state", "version", "has", "lang", "origin", "unsearchable")
)
_SHOWN = {
    "page": "page_shown", "platform": "platform_shown", "author": "author_shown", "lang": "lang_shown",
    "kind": "kind", "state": "state", "origin": "origin",
}  # fmt: skip

_META = re.compile(r"([\\.+*?()|\[\]{}^$])")


def _regex(pattern: str) -> str:
    """A pattern of ours in the engine's own way of writing."""
    return "".join(".*" if c == "*" else "." if c == "?" else _META.sub(r"\\\1", c) for c in pattern)


@lru_cache(maxsize=64)
def _matching(field: str, regex: str) -> Query:
    """Words that a pattern meets. To build its automaton takes longer than most searches, and the next page asks again.

    Few are remembered: one of a hostile pattern may take megabytes.
    """
    return Query.regex_query(_SCHEMA, field, regex)


class _Reading:
    """Compiles trees against one snapshot of the index. Every query it gives is exact."""

    def __init__(self, snapshot: _Snapshot, scope: Scope) -> None:
        self.snapshot = snapshot
        self.schema = _SCHEMA
        self.searcher = snapshot.searcher
        self.scope = scope
        self._present = snapshot.places
        self.lists_keys = False
        """Whether a query that it gave names single documents or records."""
        self._by_stem: dict[tuple[str, str], dict[str, list[str]]] = {}
        """The words of the dictionary that begin with a letter, by their stem: read once for a question."""

    def term(self, field: str, value: str | int) -> Query:
        return Query.term_query(self.schema, field, value)

    def among(self, keys: Keys) -> Query:
        """The records of a set; where it is most of them, all but the rest."""
        last = keys.bits.bit_length() - 1
        if len(keys) * 2 < last:
            return self.of_keys("record", list(keys))
        if last < 0:
            return _NOTHING
        rest = list(Keys((1 << (last + 1)) - 1) - keys)
        within = self.range("record", FieldType.Unsigned, None, last + 1)
        return _all_of(within, but_not=[self.of_keys("record", rest)])

    def of_keys(self, field: str, values: Sequence[int]) -> Query:
        self.lists_keys = True
        return Query.term_set_query(self.schema, field, values) if values else _NOTHING

    def visible(self, found: Query = _EVERYTHING) -> Query:
        """What of all that is found the asker may read at all."""
        if self.scope.messages or not self.snapshot.some_private:
            return found
        return _all_of(found, but_not=[self.term("private", 1)])

    # -- trees --

    def query(self, tree: Tree, context: Query) -> Query:
        """What meets `tree`, exact within `context`, which the caller joins to it."""
        match tree:
            case All():
                return _EVERYTHING
            case And(parts):
                return self._and(parts, context)
            case Or(parts):
                return _any_of(*(self.query(part, context) for part in parts))
            case Not(Field("has", "date")):
                return self._undated()
            case Not(part):
                return _all_of(but_not=[self.query(part, context)])
            case Field(name, value):
                return self._field(name, value)
            case DateRange():
                return self._between("published", tree, least=UNDATED + 1)
            case CapturedRange():
                return self._between("captured", tree, least=-(2**63))
            case Among(_, keys):
                return self.among(keys)
            case Exactly(versions):
                return self.of_keys("key", [record << _VERSION_BITS | number for record, number in versions])
            case _:
                return self._text(tree, context)

    def _and(self, parts: Sequence[Tree], context: Query) -> Query:
        """What the engine answers by itself comes first and narrows what must be judged."""
        required: list[Query] = []
        excluded: list[Query] = []
        for judged, part in sorted(((self._must_be_judged(part), part) for part in parts), key=itemgetter(0)):
            narrowed = _all_of(context, *required, but_not=excluded) if judged else context
            if isinstance(part, Not) and part.part != _DATED:
                excluded.append(self.query(part.part, narrowed))
            else:
                required.append(self.query(part, narrowed))
            if required and required[-1] is _NOTHING:
                return _NOTHING
        return _all_of(*required, but_not=excluded)

    def _undated(self) -> Query:
        return self.term("published", UNDATED) if self.snapshot.some_undated else _NOTHING

    def _must_be_judged(self, tree: Tree) -> bool:
        return any(
            isinstance(part, Phrase | Near | Pre)
            and any(self._native(part, place) is None for place in self._present)
            for part in everything_in(tree)
        )

    def _field(self, name: str, value: str) -> Query:
        match name, value:
            case "version", _:
                return self.term("current", 1)
            case "has", "media":
                return self.term("media", 1)
            case "has", "date":
                return _all_of(but_not=[self._undated()])
            case "has", _:
                return self.term("beside", value)
            case "unsearchable", _:
                return self.term("lacks", value) if self.snapshot.some_lack else _NOTHING
            case (("kind" | "state" | "origin"), _):
                return self.term(name, value)
            case _:
                return self.term(name, _bounded(folded(value)))

    def _between(self, field: str, days: DateRange | CapturedRange, *, least: int) -> Query:
        begin, end = instants(days, self.scope.zone)
        return Query.range_query(
            self.schema, field, FieldType.Integer,
            lower_bound=least if begin is None else max(begin, least), upper_bound=end,
            include_lower=True, include_upper=end is None,
        )  # fmt: skip

    # -- what stands in a text --

    def _text(self, tree: Tree, context: Query) -> Query:
        part, places = (tree.part, (tree.place,)) if isinstance(tree, In) else (tree, PLACES)
        exact: list[Query] = []
        doubtful: list[Query] = [self.term("judged_apart", 1)] if self.snapshot.some_apart else []
        for place in self._present:
            if place in places:
                native = self._native(part, place)
                if native is not None:
                    exact.append(native)
                else:
                    doubtful.append(self._superset(part, place))
        if doubtful:
            judged = self._judged(tree, _all_of(_any_of(*doubtful), context, but_not=exact))
            exact.append(self.of_keys("key", judged))
        return _any_of(*exact)

    def _native(self, tree: Tree, place: str) -> Query | None:
        """What the engine answers exactly by itself in one place, texts that are judged apart aside."""
        words = _words_of(place)
        match tree:
            case Term(word):
                return self.term(words, _findable(word))
            case Wild(pattern):
                return self._pattern(words, pattern)
            case Fuzzy(word, letters):
                return Query.fuzzy_term_query(
                    self.schema, words, _findable(word), distance=letters, transposition_cost_one=True
                )
            case Stem(word):
                return self._same_stem(words, word)
            case Tag(name):
                return self._sigil(place, f"#{name}")
            case Mention(name):
                return self._sigil(place, f"@{name}")
            case Address(text, prefix):
                field, before = _sigils_of(place)
                if prefix:
                    return _matching(field, before + _META.sub(r"\\\1", text) + ".*")
                return self.term(field, before + _findable(text))
            case Phrase(parts):
                told = [part.word for part in parts if isinstance(part, Term)]
                if len(told) != len(parts) or len(told) > _MOST_WORDS:
                    return None
                return Query.phrase_query(self.schema, words, [_findable(word) for word in told])
            case Near() | Pre() if place == "text":
                return self._slop(tree, words)
            case Or(parts):
                natives = [self._native(part, place) for part in parts]
                found = [native for native in natives if native is not None]
                return _any_of(*found) if len(found) == len(natives) else None
            case _:
                return None

    def _slop(self, tree: Near | Pre, words: str) -> Query | None:
        """Proximity of two words, or of a few.

        Exact where a field holds one text only: it would go from one text of
        several into the next.
        """
        match tree:
            case Near(within, left, right):
                return self._pairs(left, right, lambda one, other: self._near(words, one, other, within))
            case Pre(within, left, right):
                return self._pairs(left, right, lambda one, other: self._pre(words, one, other, within))

    def _superset(self, tree: Tree, place: str) -> Query:
        """What the engine answers exactly, or else every text that has the parts at all."""
        native = self._native(tree, place)
        if native is None and isinstance(tree, Near | Pre):
            native = self._slop(tree, _words_of(place))
        if native is not None:
            return native
        match tree:
            case Or(parts):
                return _any_of(*(self._superset(part, place) for part in parts))
            case Phrase(parts) if len(parts) > _MOST_WORDS:
                pieces = dict.fromkeys(map(tuple, _in_parts(parts, _MOST_WORDS)))
                told = [piece[0] if len(piece) == 1 else Phrase(piece) for piece in pieces]
                return _all_of(*(self._superset(one, place) for one in told))
            case Phrase(parts):
                return _all_of(*(self._superset(part, place) for part in parts))
            case Near(_, left, right) | Pre(_, left, right):
                return _all_of(self._superset(left, place), self._superset(right, place))
            case _:
                raise TypeError(f"{type(tree).__name__} has no place in a text")

    def _sigil(self, place: str, pattern: str) -> Query:
        field, before = _sigils_of(place)
        return self._pattern(field, before + pattern)

    def _pattern(self, field: str, pattern: str) -> Query:
        if "*" not in pattern and "?" not in pattern:
            return self.term(field, _findable(pattern))
        if len(pattern) > _LONGEST_VALUE:
            raise QueryNotSupported(pattern[:60], f"a pattern has at most {_LONGEST_VALUE} characters")
        return _matching(field, _regex(pattern))

    def _same_stem(self, field: str, word: str) -> Query:
        """Every word of the dictionary that has this stem. The English stemmer leaves first letters as they are."""
        known = self._by_stem.get((field, word[0]))
        if known is None:
            known = self._by_stem[field, word[0]] = {}
            for found, _ in self.searcher.terms_with_prefix(field, word[0]):
                known.setdefault(stem(found), []).append(found)
        return Query.term_set_query(self.schema, field, known.get(stem(word), []))

    def _pairs(self, left: Tree, right: Tree, query: Callable[[str, str], Query]) -> Query | None:
        """Proximity of two words, or of a few: the engine's slop is exact for two different ones and no more."""
        ones, others = _plain_words(left), _plain_words(right)
        if not ones or not others or len(ones) * len(others) > _MOST_PAIRS or set(ones) & set(others):
            return None
        return _any_of(*(query(one, other) for one, other in product(ones, others)))

    def _near(self, words: str, one: str, other: str, within: int) -> Query:
        return Query.phrase_query(self.schema, words, [(0, one), (0, other)], slop=within)

    def _pre(self, words: str, one: str, other: str, within: int) -> Query:
        """Slop around the middle of an odd window; an even one is the odd one below it and its last place."""
        odd = within if within % 2 else within - 1
        middle = Query.phrase_query(
            self.schema, words, [(0, one), ((odd + 1) // 2, other)], slop=(odd - 1) // 2
        )
        if odd == within:
            return middle
        return _any_of(middle, Query.phrase_query(self.schema, words, [(0, one), (within, other)]))

    def _judged(self, tree: Tree, candidates: Query) -> list[int]:
        """The keys of those candidates whose words meet `tree`."""
        with_sigils = any(isinstance(part, Tag | Mention | Address) for part in everything_in(tree))
        met = Decider(tree).met
        return [
            key
            for batch in self.batches(candidates)
            for key, address in batch
            if met(self._told(address, with_sigils=with_sigils))
        ]

    def _told(self, address: DocAddress, *, with_sigils: bool) -> Iterator[Placed]:
        """The kept words of every text of a document."""
        document = self.searcher.doc(address)
        yield "text", _main_words(document, with_sigils=with_sigils)
        beside = document.get_first("passages")
        for place, words, sigils in _read_passages(bytes(beside)) if beside is not None else ():
            yield place, Words(words.split(), [analyser.Sigil(*one) for one in sigils])

    def batches(self, query: Query) -> Iterator[list[tuple[int, DocAddress]]]:
        """Everything that meets `query`, the highest key first, a bounded part at a time."""
        wanted = query
        while True:
            hits: list[tuple[int, DocAddress]] = self.searcher.search(
                wanted, _BATCH, count=False, order_by_field="key"
            ).hits
            if hits:
                yield hits
            if len(hits) < _BATCH:
                return
            wanted = _all_of(query, self.range("key", FieldType.Unsigned, None, hits[-1][0]))

    def range(self, field: str, kind: FieldType, above: int | None, below: int | None) -> Query:
        """Values between, neither included."""
        return Query.range_query(
            self.schema,
            field,
            kind,
            lower_bound=above,
            upper_bound=below,
            include_lower=above is None,  # an open side must be called included
            include_upper=below is None,
        )


def _words_of(place: str) -> str:
    """The field in which the words of a place are found."""
    return "words" if place == "text" else f"in_{place}"


def _sigils_of(place: str) -> tuple[str, str]:
    """The field in which the sigils of a place are found, and what stands before each there."""
    return ("sigils", "") if place == "text" else ("sigils_beside", place)


def _main_words(document: tantivy.Document, *, with_sigils: bool) -> Words:
    stored = document.get_first("words")
    words = (bytes(document.get_first("words_apart") or b"").decode() if stored is None else stored).split()
    if not with_sigils:
        return Words(words)
    lines = bytes(document.get_first("sigil_places") or b"").decode().split("\n")
    return Words(words, [_sigil(line) for line in lines if line])


def _findable(word: str) -> str:
    """A word as the engine may be asked for it: one that it never took whole is only found by judging."""
    return word if len(word) <= _LONGEST_WORD else word[:_LONGEST_WORD] + " "


def _plain_words(tree: Tree) -> list[str]:
    match tree:
        case Term(word) if len(word) <= _LONGEST_WORD:
            return [word]
        case Or(parts):
            words = [
                part.word for part in parts if isinstance(part, Term) and len(part.word) <= _LONGEST_WORD
            ]
            return words if len(words) == len(parts) else []
        case _:
            return []


def _sigil(line: str) -> analyser.Sigil:
    first, last, text = line.split(" ", 2)
    return analyser.Sigil(text, int(first), int(last))


# ---- an answer -----------------------------------------------------------------------------------


class TantivyAnswer:
    """What was found, each record represented by one of its versions."""

    def __init__(self, reading: _Reading, tree: Tree, *, lasting: bool) -> None:
        self._reading = reading
        self._searcher = reading.searcher
        self._total: int | None = None
        known = reading.snapshot.compiled(tree, reading.scope) if lasting else None
        self._hits = self._compiled(tree, lasting=lasting) if known is None else known

    def _compiled(self, tree: Tree, *, lasting: bool) -> Query:
        """The query of a question. What lists keys, of a set or of what was judged, may be large: that is not kept."""
        reading = self._reading
        found = reading.visible(reading.query(tree, reading.visible()))
        query = self._represented(found, records_alone=_meets_records_alone(tree))
        if lasting and not reading.lists_keys:
            reading.snapshot.remember(tree, reading.scope, query)
        return query

    def _represented(self, found: Query, *, records_alone: bool) -> Query:
        """One version for each record: the current one where it is found, otherwise the newest that is."""
        reading = self._reading
        if records_alone and not reading.snapshot.some_earlier:
            return found
        current = _all_of(found, reading.term("current", 1))
        if not reading.snapshot.some_earlier:
            return current
        earlier = reading.term("current", 0)
        newest: list[int] = []
        for batch in reading.batches(_all_of(found, earlier)):
            for key, _ in batch:
                if not newest or newest[-1] >> _VERSION_BITS != key >> _VERSION_BITS:
                    newest.append(key)
        if not newest:
            return current
        shown = {
            key >> _VERSION_BITS
            for part in _in_parts(newest, _BATCH)
            for batch in reading.batches(
                _all_of(current, reading.of_keys("record", [key >> _VERSION_BITS for key in part]))
            )
            for key, _ in batch
        }
        others = [key for key in newest if key >> _VERSION_BITS not in shown]
        return _any_of(current, reading.of_keys("key", others)) if others else current

    def total(self) -> int:
        if self._hits is _NOTHING:
            return 0
        if self._total is None:
            with _translated():
                self._total = _count(self._searcher, self._hits)
        return self._total

    def page(self, sort: Sort, limit: int, after: str | None = None) -> Page:
        place = None if after is None else Place.of(after, sort)
        if limit <= 0:
            return Page((), after)
        with _translated():
            found = self._walk(sort, place, limit + 1)
        shown = found[:limit]
        return Page(
            tuple(key >> _VERSION_BITS for _, key in shown),
            Place(sort, *shown[-1]).cursor() if len(found) > limit else None,
        )

    def every(self, sort: Sort) -> Iterator[int]:
        place: Place | None = None
        while True:
            with _translated():
                found = self._walk(sort, place, _BATCH)
            yield from (key >> _VERSION_BITS for _, key in found)
            if len(found) < _BATCH:
                return
            place = Place(sort, *found[-1])

    def _walk(self, sort: Sort, place: Place | None, limit: int) -> list[tuple[int, int]]:
        """The next (value, key) pairs after `place`."""
        match sort:
            case Sort.NEWEST:
                return self._ordered(self._hits, "published", Order.Desc, place, limit)
            case Sort.CAPTURED:
                return self._ordered(self._hits, "captured", Order.Desc, place, limit)
            case Sort.OLDEST:
                undated = self._reading.term("published", UNDATED)
                found: list[tuple[int, int]] = []
                if place is None or place.value != UNDATED:
                    dated = _all_of(self._hits, but_not=[undated])
                    found = self._ordered(dated, "published", Order.Asc, place, limit)
                    place = None
                if len(found) < limit:
                    last = _all_of(self._hits, undated)
                    found += self._ordered(last, "published", Order.Asc, place, limit - len(found))
                return found

    def _ordered(
        self, query: Query, field: str, order: Order, place: Place | None, limit: int
    ) -> list[tuple[int, int]]:
        """Sorted by `field` and, where that is equal, by key; the engine itself sorts by one field only."""
        reading = self._reading
        found: list[tuple[int, int]] = []
        rest = query
        if place is not None:
            among = self._beyond("key", FieldType.Unsigned, order, place.key)
            found = self._equal(_all_of(query, among), field, place.value, order, limit)
            rest = _all_of(query, self._beyond(field, FieldType.Integer, order, place.value))
        wanted = limit - len(found)
        if wanted <= 0:
            return found
        asked = self._searcher.search(
            rest,
            wanted + _TIED,
            count=query is self._hits and place is None,
            order_by_field=field,
            order=order,
        )
        if query is self._hits and place is None:
            self._total = int(asked.count or 0)  # type: ignore[attr-defined] # the binding's types leave it out
        hits = asked.hits
        if not hits:
            return found
        keys = self._searcher.fast_field_values("key", [address for _, address in hits])
        pairs = [(int(value), int(key or 0)) for (value, _), key in zip(hits, keys, strict=True)]
        cut = pairs[min(wanted, len(pairs)) - 1][0]
        if len(hits) < wanted + _TIED or pairs[-1][0] != cut:  # whatever has the last value is among them
            return found + sorted(pairs, reverse=order == Order.Desc)[:wanted]
        # more records have this value than were asked for: take them by their keys
        whole = sorted((pair for pair in pairs if pair[0] != cut), reverse=order == Order.Desc)
        equals = self._equal(_all_of(query, reading.term(field, cut)), field, cut, order, wanted - len(whole))
        return found + whole + equals

    def _equal(self, query: Query, field: str, value: int, order: Order, limit: int) -> list[tuple[int, int]]:
        equal = _all_of(query, self._reading.term(field, value))
        hits = self._searcher.search(equal, limit, count=False, order_by_field="key", order=order).hits
        return [(value, int(key)) for key, _ in hits]

    def _beyond(self, field: str, kind: FieldType, order: Order, value: int) -> Query:
        if order == Order.Desc:
            return self._reading.range(field, kind, None, value)
        return self._reading.range(field, kind, value, None)

    # -- counting --

    def facets(self, fields: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        unknown = [field for field in fields if field not in FACETS]
        if unknown:
            raise QueryNotSupported(", ".join(unknown), f"hits can be counted by {', '.join(FACETS)}")
        with _translated():
            counted = self._together([_SHOWN[field] for field in fields if field != "month"], self._hits)
            return {
                field: self._months() if field == "month" else _frequent_first(counted[_SHOWN[field]])
                for field in fields
            }

    def _together(self, fields: Sequence[str], query: Query) -> dict[str, dict[str, int]]:
        """Exact counts of every value of each field, the question being read once where the engine can hold them."""
        try:
            counted = self._aggregate(query, {field: _values_of(field) for field in fields})
        except ValueError:  # all of them are too many buckets; one field alone is not
            if len(fields) < 2:
                raise
            return {field: self._together([field], query)[field] for field in fields}
        return {
            field: self._in_halves(field, query)
            if found.get("sum_other_doc_count")
            else {bucket["key"]: bucket["doc_count"] for bucket in found["buckets"]}
            for field, found in counted.items()
        }

    def _in_halves(self, field: str, query: Query) -> dict[str, int]:
        """The same where one field alone has more values than the engine counts exactly at once."""
        middle = self._middle(query)
        unsigned = FieldType.Unsigned
        low = _all_of(query, self._reading.range("key", unsigned, None, middle))
        high = _all_of(query, self._reading.range("key", unsigned, middle - 1, None))
        counted = self._together([field], low)[field]
        for value, count in self._together([field], high)[field].items():
            counted[value] = counted.get(value, 0) + count
        return counted

    def _middle(self, query: Query) -> int:
        """A key between the lowest and the highest found."""
        lowest = self._searcher.search(query, 1, count=False, order_by_field="key", order=Order.Asc).hits
        highest = self._searcher.search(query, 1, count=False, order_by_field="key", order=Order.Desc).hits
        return int(lowest[0][0] + highest[0][0]) // 2 + 1

    def _months(self) -> dict[str, int]:
        dated = _all_of(self._hits, but_not=[self._reading.term("published", UNDATED)])
        first = self._searcher.search(dated, 1, count=False, order_by_field="published", order=Order.Asc).hits
        last = self._searcher.search(dated, 1, count=False, order_by_field="published", order=Order.Desc).hits
        if not first or not last:
            return {}
        counted: dict[str, int] = {}
        for months in _in_parts(
            list(_months_between(first[0][0], last[0][0], self._reading.scope.zone)), 5000
        ):
            ranges = [{"key": name, "from": begin, "to": end} for name, begin, end in months]
            found = self._aggregate(dated, {"month": {"range": {"field": "published", "ranges": ranges}}})[
                "month"
            ]
            names = {name for name, _, _ in months}
            counted |= {
                bucket["key"]: bucket["doc_count"]
                for bucket in found["buckets"]
                if bucket["doc_count"] and bucket["key"] in names
            }
        return dict(sorted(counted.items()))

    def _aggregate(self, query: Query, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self._searcher.aggregate(query, dict(wanted))) if wanted else {}


def _meets_records_alone(tree: Tree) -> bool:
    """Whether nothing but a record can meet it: the mark of a commit has no words and no values, but nothing excludes it."""
    match tree:
        case And(parts):
            return any(_meets_records_alone(part) for part in parts)
        case Or(parts):
            return all(_meets_records_alone(part) for part in parts)
        case All() | Not() | DateRange() | CapturedRange() | Among() | Field("has", "date"):
            return False
        case _:
            return True


def _values_of(field: str) -> dict[str, Any]:
    return {"terms": {"field": field, "size": _MOST_BUCKETS}}


def _in_parts(values: Sequence[Any], size: int) -> Iterator[list[Any]]:
    remaining = iter(values)
    while part := list(islice(remaining, size)):
        yield part


def _frequent_first(counted: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _months_between(first: int, last: int, zone: ZoneInfo) -> Iterator[tuple[str, int, int]]:
    """Every month of the agency from one microsecond to another, with its own first one and that of the next."""
    year, month = month_of(first, zone)
    while True:
        begin, end = instants(DateRange(*whole_month(year, month)), zone)
        yield f"{year:04}-{month:02}", begin or 0, 2**62 if end is None else end
        if end is None or end > last:
            return
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
