"""The files of an index that Whoosh keeps: the one place that speaks to Whoosh.

Whoosh is asked for four things, and found right in them: it commits a batch
as a whole, it lists the words that its documents hold, it lists the documents
that hold a word, and it gives back what was kept beside a document. It is
never asked a question. What is wrong in it is never reached: its `NOT`, which
finds what it should exclude and what was removed; its totals under a limit;
its searchers that are refreshed and still find what was removed.

Whoosh does not fsync. Here everything that a commit names is on disk before
the commit is put in place by a rename.

Parts of these files are pickles. Whoever can write into the folder can have
code run as the service, as with any program in its path; the folder is the
service's own and is never taken over from elsewhere.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from sys import intern
from typing import Any

import msgspec

# Whoosh brings no types; what crosses into other modules is typed here.
from whoosh.codec.whoosh3 import W3Codec
from whoosh.fields import COLUMN, ID, Schema
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, FileIndex
from whoosh.reading import SegmentReader, TermNotFound

from app.index.documents import PLACES
from app.index.engine import IndexBusy, IndexFailed
from app.records.errors import ArchiveError

WORDS, SIGILS = "words", "sigils"
BESIDE, LACKS, SIGILS_BESIDE = "beside", "lacks", "sigils_beside"
IN = {place: f"in_{place}" for place in PLACES[1:]}
"""The fields in which words beside the text are found, by their place."""
FIELDS = ("page", "platform", "author", "lang", "kind", "state", "origin")
"""What a document is found by, and counted by."""

_INDEX = "MAIN"
_LOCK = "writing.lock"
_MOST_SEGMENTS = 8
_LARGE = 100_000
_POOL_MB = 64


class _Terms(ID):  # type: ignore[misc] # Whoosh brings no types
    """Whether a document holds a term: no places, no frequencies, no scores. Terms come divided; Whoosh divides nothing."""

    def index(self, value: Collection[str], **_how: object) -> Iterator[tuple[bytes, int, float, bytes]]:
        return ((term.encode(), 1, 1.0, b"") for term in value)


def _schema() -> Any:
    schema = Schema(facts=COLUMN(), kept=COLUMN())
    for name in (WORDS, SIGILS, *IN.values(), SIGILS_BESIDE, BESIDE, LACKS, *FIELDS):
        schema.add(name, _Terms())
    return schema


_SCHEMA = _schema()
_CODEC = W3Codec()
_CODEC.length_stats = False  # how long a document is matters to scores, and costs a third of the writing


@contextmanager
def translated() -> Iterator[None]:
    """Whatever Whoosh raises, as an error of ours; over files that are damaged it may be anything.

    What it says is passed on only where the system said it: otherwise it may
    quote words of a record.
    """
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        says = str(error) if isinstance(error, OSError) else type(error).__name__
        raise IndexFailed(
            f"The search engine failed: {says}",
            next="Try again; if it fails again, run muniment reindex.",
        ) from error


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a document beside its words. Key 0 is no document: it marks how far the index has followed."""

    key: int
    published: int = 0
    captured: int = 0
    current: bool = False
    private: bool = False
    media: bool = False
    shown: Sequence[str] = ()
    """For each of `FIELDS` what people are shown, empty where there is nothing."""


_read_facts = msgspec.msgpack.Decoder(Facts).decode
_write_facts = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Laid:
    """A document as it is laid down: its facts, its words with their sigils, and the terms that it is found by."""

    facts: Facts
    kept: bytes
    terms: Mapping[str, Collection[str]]


class _Files(FileStorage):  # type: ignore[misc] # Whoosh brings no types
    """A folder in which a commit is put in place only after everything that it names is on disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self._opened: list[Any] = []

    def create_file(self, *arguments: Any, **how: Any) -> Any:
        return self._known(super().create_file(*arguments, **how))

    def open_file(self, *arguments: Any, **how: Any) -> Any:
        return self._known(super().open_file(*arguments, **how))

    def temp_storage(self, name: str | None = None) -> Any:
        beside = _Files(Path(self.folder, name or "temporary"))
        beside._opened = self._opened
        return beside.create()

    def _known(self, file: Any) -> Any:
        self._opened.append(file)
        return file

    @contextmanager
    def closing_what_fails(self) -> Iterator[None]:
        """Whoosh leaves files open where it fails."""
        try:
            yield
        except BaseException:
            for file in self._opened:
                with suppress(Exception):  # most are closed already, and nothing of them is wanted any more
                    file.close()
            raise
        finally:
            self._opened.clear()

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Put in place; of all that Whoosh renames there is only the table that names a commit's files."""
        for name in self.list():
            path = Path(self.folder, name)
            if path.is_file():
                _sync(path)
        super().rename_file(oldname, newname, safe=safe)
        _sync(Path(self.folder))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def begin(folder: Path) -> None:
    """Lay down an index that holds nothing."""
    with translated():
        TOC.create(_Files(folder), _SCHEMA, _INDEX)


# ---- reading -------------------------------------------------------------------------------------


class Columns:
    """The facts of every document of one segment, by its place; a segment is never rewritten, so neither are they."""

    def __init__(self, facts: Iterable[Facts]) -> None:
        self.keys, self.published, self.captured = array("Q"), array("q"), array("q")
        self.shown: tuple[list[str], ...] = tuple([] for _ in FIELDS)
        private, media, earlier = set(), set(), set()
        for place, fact in enumerate(facts):
            self.keys.append(fact.key)
            self.published.append(fact.published)
            self.captured.append(fact.captured)
            if fact.private:
                private.add(place)
            if fact.media:
                media.add(place)
            if not fact.current:
                earlier.add(place)
            for values, value in zip(self.shown, fact.shown or ("",) * len(FIELDS), strict=True):
                values.append(intern(value))
        self.private, self.media, self.earlier = frozenset(private), frozenset(media), frozenset(earlier)


class Segment:
    """Some documents of the index, each known by its place."""

    def __init__(self, reader: Any, known: Segment | None) -> None:
        self._reader = reader
        self._kept = reader.column_reader("kept", translate=False)
        self.count: int = reader.doc_count_all()
        self.vocabularies: dict[str, Sequence[str]] = known.vocabularies if known else {}
        self.columns: Columns = known.columns if known else self._columns()
        everything = set(range(self.count)) - set(reader.segment().deleted_docs())
        self.marks = [place for place in everything if not self.columns.keys[place]]
        self.living = frozenset(everything.difference(self.marks))

    @property
    def name(self) -> str:
        return str(self._reader.segment().segment_id())

    def _columns(self) -> Columns:
        facts = self._reader.column_reader("facts", translate=False)
        return Columns(_read_facts(bytes(facts[place])) for place in range(self.count))

    def kept(self, place: int) -> bytes:
        """What was kept of the words of the document at `place`."""
        return bytes(self._kept[place])

    def holding(self, field: str, term: str) -> set[int]:
        """The places of documents that hold `term`, removed ones among them."""
        try:
            return set(self._reader.postings(field, term).all_ids())
        except TermNotFound:
            return set()

    def vocabulary(self, field: str) -> Sequence[str]:
        """Every term of `field`, in the order of its characters."""
        found = self.vocabularies.get(field)
        if found is None:
            found = self.vocabularies[field] = [term.decode() for term in self._reader.lexicon(field)]
        return found

    def beginning(self, field: str, prefix: str) -> Iterator[str]:
        """Every term of `field` that begins so."""
        known = self.vocabulary(field)
        for at in range(bisect_left(known, prefix), len(known)):
            if not known[at].startswith(prefix):
                return
            yield known[at]


class Snapshot:
    """The index as one commit left it. It stays readable when the next one replaces its files."""

    def __init__(self, generation: int, segments: Sequence[Segment]) -> None:
        self.generation = generation
        self.segments = segments

    @cached_property
    def mark(self) -> bytes:
        """What the commit said of itself; empty before the first one."""
        marks = [segment.kept(place) for segment in self.segments for place in segment.marks]
        return marks[0] if marks else b""


def generation(folder: Path) -> int:
    """The number of the last commit; -1 where there is no index."""
    return int(TOC._latest_generation(_Files(folder), _INDEX))  # noqa: SLF001 - Whoosh tells it only after reading the whole table


def read(folder: Path, before: Snapshot | None) -> Snapshot:
    """The last commit; what `before` knows already of the same segments is not read again."""
    known = {segment.name: segment for segment in before.segments} if before else {}
    files = _Files(folder)
    while True:
        number = generation(folder)
        try:
            with files.closing_what_fails():
                table = TOC.read(files, _INDEX, schema=_SCHEMA)
                readers = [SegmentReader(files, _SCHEMA, segment) for segment in table.segments]
                return Snapshot(
                    table.generation,
                    [Segment(reader, known.get(str(reader.segment().segment_id()))) for reader in readers],
                )
        except OSError:
            if generation(folder) == number:
                raise  # it was not the next commit that took the files away


# ---- writing -------------------------------------------------------------------------------------


class Writing:
    """The right to write to one folder, which one process has at a time and loses when it dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = _Files(folder)
        self._lock = self._files.lock(_LOCK)
        with translated():
            if not self._lock.acquire():
                raise IndexBusy(
                    "Another process is writing to the index.", next="Try again when it has finished."
                )

    def end(self) -> None:
        self._lock.release()

    def commit(self, before: Snapshot, removed: Sequence[Collection[int]], laid: Iterable[Laid]) -> None:
        """Take out what lies at `removed` in each segment of `before`, lay down `laid`, all of it or nothing."""
        for unfinished in self._folder.glob(f"_{_INDEX}_*.toc.*"):
            unfinished.unlink()  # everything else that a crash left, Whoosh sweeps
        index = FileIndex(self._files, _SCHEMA, _INDEX)
        with self._files.closing_what_fails():
            # Whoosh's own lock ends with each commit; the right to write is held longer.
            writer = index.writer(_lk=False, limitmb=_POOL_MB, codec=_CODEC)
            base = 0
            for segment, places in zip(before.segments, removed, strict=True):
                for place in places:
                    writer.delete_document(base + place)
                base += segment.count
            for one in laid:
                writer.add_document(facts=_write_facts(one.facts), kept=one.kept, **one.terms)
            writer.commit(mergetype=_merging)


def _merging(writer: Any, segments: Sequence[Any]) -> list[Any]:
    """Which segments stay: none that is empty, and where too many are small, of those only the larger half.

    The rest joins what is being written. Whoosh keeps at most 2 GB of one
    kind in a segment; large ones are left alone long before that.
    """
    living = [segment for segment in segments if segment.doc_count()]
    small = sorted(
        (segment for segment in living if segment.doc_count() < _LARGE),
        key=lambda segment: segment.doc_count(),
    )
    joining = small[: len(small) // 2] if len(small) >= _MOST_SEGMENTS else []
    for segment in joining:
        reader = SegmentReader(writer.storage, writer.schema, segment)
        writer.add_reader(reader)
        reader.close()
    return [segment for segment in living if segment not in joining]
