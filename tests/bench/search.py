"""The benchmark of search: what the archive costs over the bare engine, beside its peers, and at ten times the size.

    make bench B=search      all of it over the 1.1 million records of the corpus (about an hour)
    make bench B=search5m    the same records five times over: counts, memory of the service, median
    make bench B=search10m   and ten times
    make bench B=search-sample, B=search5-sample    the same on the tenth, to try it

What is compared, each on the same machine in the same run:

1. A question that the engine answers exactly by itself, asked as a door asks
   (`Archive.search`: read, narrowed, private messages kept out, exact total,
   newest twenty, records without a date, and what could not be searched),
   against tantivy asked for total and newest twenty with the same query and
   the same index.
2. The others against the least that an exact answer costs: the engine's
   candidates, each judged by its stored words.
3. The engine alone, as our other rooms ask it, against both: what of the ratio
   is the engine room, and what the door.
4. The same questions asked of SQLite FTS5, PostgreSQL and Whoosh, as far as
   each can say them: engine against engine, and the whole door told beside it.

A median is one over questions of the median of each; a ratio is of two such.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Stage = Callable[..., Any]
BYTES_OF_ARCHIVE = 4_500
"""What a record needs on disk while it is imported, its index and its log of writes counted."""
BYTES_OF_INDEX = 1_100
"""What a document needs in the index alone while segments merge."""
BYTES_OF_PEER = 3_500
"""What a record needs in the larger of the peers, PostgreSQL, with its log."""
ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Corpus:
    """Which observations are searched, and which totals are right."""

    files: Sequence[Path]
    expected: str
    records: int

    @property
    def names(self) -> list[str]:
        return [file.name.partition(".")[0] for file in self.files]


class Table:
    """Prints a line for each thing measured: absolute, as a ratio, the target, and whether it was met."""

    def __init__(self) -> None:
        self.met: list[bool] = []
        self._print("", "what", "measured", "ratio", "target")

    def line(self, what: str, measured: str, ratio: str, target: str, *, met: bool) -> None:
        self.met.append(met)
        self._print("PASS" if met else "MISSED", what, measured, ratio, target)

    def tell(self, *lines: str) -> None:
        for line in lines:
            print(f"        {line}", flush=True)

    @staticmethod
    def _print(verdict: str, what: str, measured: str, ratio: str, target: str) -> None:
        print(f"{verdict:<7} {what:<46} {measured:<54} {ratio:>14}  {target}", flush=True)


def percentile(values: Sequence[float], part: int) -> float:
    """The smallest of the values that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * part / 100) - 1)]


def must_have_room(folder: Path, needed: int) -> None:
    """Say how much of the disk this needs, and stop where it is not there."""
    free = shutil.disk_usage(folder).free
    print(
        f"needs at most {needed / 2**30:.1f} GiB in {folder}, where {free / 2**30:.1f} GiB are free",
        flush=True,
    )
    if free < needed:
        raise SystemExit(f"TMPDIR names another folder; {needed / 2**30:.1f} GiB have to be free there")


def search(stage: Stage, corpus: Corpus, sample: Corpus) -> list[bool]:
    """Everything of `make bench B=search`."""
    with tempfile.TemporaryDirectory(prefix="muniment-search-") as name:
        folder = Path(name)
        must_have_room(folder, corpus.records * BYTES_OF_ARCHIVE)
        must_have_room(Path("/tmp"), corpus.records * BYTES_OF_PEER)  # where a cluster of the tests lies
        table = Table()
        home = folder / "home"
        told = stage("stages.py", "receive", home, *corpus.files)["told"]
        table.tell(f"{told['new']:,} records received in {told['seconds']:.0f} s")
        asked = _questions(stage, table, home, corpus)
        _stream(stage, table, home, corpus)
        _pages(stage, table, home)
        shutil.rmtree(home)
        _peers(stage, table, folder, corpus, sample, asked)
        _found(stage, table, folder, sample)
        return table.met


def _questions(stage: Stage, table: Table, home: Path, corpus: Corpus) -> Mapping[str, Mapping[str, Any]]:
    """Each question against its floor; what each took, for the peers."""
    found = stage("search_stages.py", "questions", home, corpus.expected, ROUNDS)
    told = found["told"]["questions"]
    wrong = [one for one in told if one["total"] != one["expected"]]
    table.line(
        "counts, of the corpus and of judged questions beside",
        f"{len(told) - len(wrong)} of {len(told)} exact over {corpus.records:,} records",
        "",
        "every one exact",
        met=not wrong and bool(told),
    )
    table.tell(*(f"{one['id']}: {one['total']:,}, expected {one['expected']:,}" for one in wrong))
    floors = [one for one in told if one["floor_total"] != one["total"]]
    table.tell(*(f"{one['id']}: the floor found {one['floor_total']:,}" for one in floors))
    native = [one for one in told if not one["judged"]]
    judged = [one for one in told if one["judged"]]
    _compared(table, "exact by the engine, median", native, 50, 3.0)
    _compared(table, "exact by the engine, 95th percentile", native, 95, 2.0)
    _compared(table, "judged, median", judged, 50, 1.5)
    _compared(table, "judged, 95th percentile", judged, 95, 1.5)
    table.tell(f"memory of the process that asked: {found['peak_mb']:.0f} MiB")
    return {one["id"]: one for one in told}


def _compared(table: Table, what: str, told: Sequence[Mapping[str, Any]], part: int, most: float) -> None:
    """One percentile of what was asked as a door asks it, over that of the floor; and the engine room's beside it."""
    if not told:
        return
    first, ours, room, floor = (
        percentile([one[name] for one in told], part) for name in ("first", "ours", "room", "floor")
    )
    floor_name = "candidates and judging" if told[0]["judged"] else "bare tantivy"
    table.line(
        what,
        f"{ours:.2f} ms; {floor_name} {floor:.2f}; {len(told)} questions",
        f"{ours / floor:.2f}",
        f"at most {most:g}",
        met=ours <= most * floor,
    )
    table.tell(
        f"without the door, our engine alone: {room:.2f} ms, {room / floor:.2f}; "
        f"what is added, engine and door: {ours - floor:.2f} ms; asked for the first time, of cold files: {first:.2f}"
    )


def _stream(stage: Stage, table: Table, home: Path, corpus: Corpus) -> None:
    told = stage("search_stages.py", "stream", home, min(400_000, corpus.records // 3))["told"]
    table.line(
        f"all {told['ids']:,} hits of a question streamed",
        f"{told['ids_a_second']:,.0f} ids a second; {told['keys_a_second']:,.0f} by the index alone",
        "",
        "100,000 ids a second, none missing",
        met=told["ids_a_second"] >= 100_000 and told["ids"] == told["keys"] == told["total"],
    )


def _pages(stage: Stage, table: Table, home: Path) -> None:
    found = stage("search_stages.py", "pages", home, 3)
    told = found["told"]
    table.line(
        "first page, facets and highlights, 95th percentile",
        f"{told['p95_ms']:.0f} ms as HTML; median {told['median_ms']:.0f}, worst {told['worst_ms']:.0f}",
        "",
        "at most 150 ms",
        met=told["p95_ms"] <= 150,
    )
    table.tell(
        f"search and facets alone, 95th percentile: {told['search_alone_p95_ms']:.0f} ms; "
        f"memory with the pages: {found['peak_mb']:.0f} MiB"
    )


PEERS = {"fts5": "SQLite FTS5", "postgresql": "PostgreSQL", "whoosh": "Whoosh"}


def _peers(
    stage: Stage,
    table: Table,
    folder: Path,
    corpus: Corpus,
    sample: Corpus,
    asked: Mapping[str, Mapping[str, Any]],
) -> None:
    """FTS5 and PostgreSQL over the whole corpus, Whoosh over the tenth; ours beside each over the same."""
    for name, over in (("fts5", corpus), ("postgresql", corpus), ("whoosh", sample)):
        ours = {one: told["room"] for one, told in asked.items()}
        built: Mapping[str, Any] | None = None
        if over is not corpus or name == "whoosh":
            built = _peer(stage, folder, "ours", over)
            ours = {one["id"]: one["took"] for one in built["questions"]}
        told = _peer(stage, folder, name, over)
        theirs = {one["id"]: one["took"] for one in told["questions"]}
        differing = [one for one in told["questions"] if one["total"] != one["expected"]]
        for part, word in ((50, "median"), (95, "95th percentile")):
            our = percentile([ours[one] for one in theirs], part)
            their = percentile(list(theirs.values()), part)
            table.line(
                f"{PEERS[name]} over {told['records']:,}, {word}",
                f"{their:.2f} ms; ours {our:.2f}; {len(theirs)} questions",
                f"{their / our:.2f} times",
                "ours is faster",
                met=our < their,
            )
        if built is None:
            door = [asked[one]["ours"] for one in theirs]
            table.tell(
                f"the whole door of ours: median {percentile(door, 50):.2f} ms, 95th percentile {percentile(door, 95):.2f}"
            )
        table.tell(
            f"{PEERS[name]}: {len(differing)} counts differ; built at {told['records'] / told['seconds']:,.0f} "
            f"records a second; cannot be said: {'; '.join(told['cannot']) or 'nothing'}"
        )
        if built is not None:
            each, other = (one["seconds"] / one["records"] * 1e6 for one in (built, told))
            table.line(
                "building, a record",
                f"{each:.0f} us; {PEERS[name]} {other:.0f}",
                f"{other / each:.1f} times",
                "20 times as fast as Whoosh",
                met=other >= 20 * each,
            )


def _peer(stage: Stage, folder: Path, name: str, over: Corpus) -> Mapping[str, Any]:
    place = folder / name
    place.mkdir()
    try:
        told: Mapping[str, Any] = stage(
            "search_peers.py", name, place, over.expected, 3 if name == "whoosh" else ROUNDS, *over.names
        )["told"]
        return told
    finally:
        shutil.rmtree(place)


def _found(stage: Stage, table: Table, folder: Path, sample: Corpus) -> None:
    told = stage("stages.py", "found", folder / "found" / "home", *sample.files)["told"]
    waited = (
        ""
        if told["worst"] is None
        else f"{told['median']:.1f} s, slowest of {told['probes']} {told['worst']:.1f} s"
    )
    table.line(
        "captured and found while an import runs",
        waited or "the import ended before anything was asked",
        "",
        "within 5 s",
        met=told["probes"] > 0 and told["worst"] <= 5,
    )


def volume(stage: Stage, corpus: Corpus, times: int) -> list[bool]:
    """The corpus so many times over, every record with a key of its own: counts, memory of the service, median."""
    with tempfile.TemporaryDirectory(prefix="muniment-search-") as name:
        folder = Path(name)
        records = corpus.records * times
        must_have_room(folder, records * BYTES_OF_INDEX)
        table = Table()
        home = folder / "home"
        filled = stage("search_stages.py", "fill", home, times, *corpus.names)
        told = filled["told"]
        table.tell(
            f"{told['records']:,} records indexed in {told['seconds']:.0f} s, "
            f"{told['bytes'] / told['records']:.0f} bytes each, {filled['peak_mb']:.0f} MiB at most"
        )
        found = stage("search_stages.py", "serve", home, times, corpus.expected, ROUNDS)
        told = found["told"]
        table.line(
            f"counts, {times} times those of the corpus",
            f"{told['asked'] - len(told['wrong'])} of {told['asked']} exact",
            "",
            "every one exact",
            met=not told["wrong"] and told["asked"] > 0,
        )
        table.tell(*told["wrong"])
        table.line(
            f"questions over {records:,} records, median",
            f"{told['median_ms']:.2f} ms; 95th percentile {told['p95_ms']:.0f}",
            "",
            "at most 10 ms",
            met=told["median_ms"] <= 10,
        )
        table.line(
            "memory of the service",
            f"{found['peak_mb']:.0f} MiB; {told['asked_mb']:.0f} before pages and {told['streamed']:,} ids",
            f"{found['peak_mb'] / 1536:.2f}",
            "at most 1,536 MiB",
            met=found["peak_mb"] <= 1536,
        )
        return table.met
