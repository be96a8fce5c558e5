"""The index follows the ledger exactly: after a crash, after it was lost, after records were disposed of."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tantivy

from app.index import follower
from app.index.documents import Change, Document, Position
from app.index.engine import Engine, IndexNeedsRebuild, StillFound
from app.index.language import parse
from app.index.search import count, every, highlight, narrowed, search
from app.index.tantivy_engine import TantivyEngine

JUNEAU = ZoneInfo("America/Juneau")
DAY = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Ledger:
    """A ledger in memory. An entry speaks of a record, or of none; disposed records lose all their words."""

    def __init__(self) -> None:
        self.entries: list[int | None] = []
        self.held: dict[int, list[Document]] = {}
        self.reads = 0

    def capture(self, record: int, text: str, **told: object) -> None:
        versions = self.held.setdefault(record, [])
        values: dict[str, object] = {"published_at": DAY, "private": False} | told
        versions.append(
            Document(
                record=record, version=len(versions) + 1, entry=len(self.entries), page="p", page_name="Town",
                platform="web", kind="post", captured_at=DAY, text=text, **values,  # type: ignore[arg-type]  # a test names the fields
            )
        )  # fmt: skip
        self.entries.append(record)

    def dispose(self, record: int) -> None:
        self.held[record] = []
        self.entries.append(record)

    def run(self) -> None:
        self.entries.append(None)

    def size(self) -> int:
        return len(self.entries)

    def read(self, after: int, limit: int) -> Sequence[Change]:
        self.reads += 1
        found = [
            Change(at, record, tuple(self.held[record]))
            for at, record in enumerate(self.entries)
            if at > after and record is not None
        ]
        return found[:limit]


class PowerCut(Exception):
    """The machine stopped."""


class Failing:
    """An engine whose power is cut at its nth step."""

    def __init__(self, engine: TantivyEngine, step: int) -> None:
        self._engine = engine
        self._left = step

    def __getattr__(self, name: str):
        if name in {"add", "remove", "commit"}:
            self._left -= 1
            if self._left == 0:
                raise PowerCut
        return getattr(self._engine, name)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[TantivyEngine]:
    one = TantivyEngine.open(tmp_path / "index")
    yield one
    one.settle()


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and commit a few at a time, so that a short ledger has many seams."""
    monkeypatch.setattr(follower, "_READ", 3)
    monkeypatch.setattr(follower, "_COMMIT_EVERY", 5)


@pytest.fixture
def ledger() -> Ledger:
    """Runs, records, edits and disposals, some within one step of another."""
    chance = random.Random(7)
    one = Ledger()
    for n in range(1, 31):
        one.run()
        one.capture(n, f"road word{n} {chance.choice(['closed', 'open'])}")
        if n % 4 == 0:
            one.capture(n - chance.randrange(3), f"road edited{n}")
        if n % 7 == 0:
            one.dispose(n - 1)
    one.run()
    return one


def told(engine: Engine) -> dict[str, list[int]]:
    questions = (
        "*",
        "road",
        "closed",
        "edited*",
        "version:current AND edited*",
        "road w/2 closed",
        "NOT closed",
    )
    return {one: list(every(engine, one, zone=JUNEAU)) for one in questions}


def test_everything_in_the_ledger_is_found_and_what_was_disposed_of_is_not(engine, ledger):
    assert follower.catch_up(ledger, engine) > 0
    living = {record for record, versions in ledger.held.items() if versions}
    assert set(every(engine, "road", zone=JUNEAU)) == living
    assert len(living) < len(ledger.held)
    assert engine.position() == Position(ledger.size() - 1, 1)
    assert follower.unsearchable(ledger, engine) == 0


def test_following_again_takes_in_nothing_and_changes_nothing(engine, ledger):
    follower.catch_up(ledger, engine)
    before = told(engine)
    assert follower.catch_up(ledger, engine) == 0
    assert told(engine) == before


def test_the_lag_is_told(engine, ledger):
    assert follower.unsearchable(ledger, engine) == ledger.size()
    follower.catch_up(ledger, engine)
    ledger.capture(99, "flood")
    assert follower.unsearchable(ledger, engine) == 1
    answer = search(engine, "flood", zone=JUNEAU, ledger_size=ledger.size())
    assert (answer.total, answer.unsearchable, answer.as_of) == (0, 1, ledger.size() - 1)
    follower.catch_up(ledger, engine)
    answer = search(engine, "flood", zone=JUNEAU, ledger_size=ledger.size())
    assert (answer.total, answer.unsearchable, answer.as_of) == (1, 0, ledger.size())


@pytest.mark.parametrize("stops", [0, 1, 5, 20])
def test_following_in_pieces_gives_the_same_answers_as_following_at_once(engine, ledger, tmp_path, stops):
    whole = TantivyEngine.open(tmp_path / "whole")
    follower.catch_up(ledger, whole)
    growing = Ledger()
    cuts = sorted({len(ledger.entries) * n // (stops + 1) for n in range(1, stops + 1)})
    replay(ledger, growing, cuts, lambda: follower.catch_up(growing, engine))
    assert told(engine) == told(whole)


def replay(ledger: Ledger, growing: Ledger, cuts: Sequence[int], follow) -> None:
    """Let `growing` become `ledger` entry by entry, following at each cut and at the end."""
    for at, record in enumerate(ledger.entries):
        if at in cuts:
            follow()
        growing.entries.append(record)
        if record is not None:
            growing.held[record] = [one for one in ledger.held[record] if one.entry <= at]
    growing.held = ledger.held
    follow()


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 7, 9, 12, 15, 20])
def test_a_power_cut_at_any_step_costs_nothing_but_time(ledger, tmp_path, step):
    home = tmp_path / "index"
    first = TantivyEngine.open(home)
    with pytest.raises(PowerCut):
        follower.catch_up(ledger, Failing(first, step))
    first.settle()
    again = TantivyEngine.open(home)
    follower.catch_up(ledger, again)
    whole = TantivyEngine.open(tmp_path / "whole")
    follower.catch_up(ledger, whole)
    assert told(again) == told(whole)


def test_a_lost_index_catches_up_from_nothing_with_the_same_answers(engine, ledger, tmp_path):
    follower.catch_up(ledger, engine)
    another = TantivyEngine.open(tmp_path / "another")
    follower.catch_up(ledger, another)
    assert told(another) == told(engine)


def test_a_rebuilt_index_gives_the_same_answers_and_forgets_what_was_removed(engine, ledger):
    follower.catch_up(ledger, engine)
    ledger.dispose(1)
    follower.catch_up(ledger, engine)
    before = told(engine)
    assert engine.removed() > 0
    follower.rebuild(ledger, engine)
    assert told(engine) == before
    assert engine.removed() == 0


def test_an_index_that_has_seen_more_than_the_ledger_has_is_refused(engine, ledger):
    follower.catch_up(ledger, engine)
    ledger.entries.pop()
    with pytest.raises(IndexNeedsRebuild, match="ledger"):
        follower.catch_up(ledger, engine)
    follower.rebuild(ledger, engine)
    assert follower.unsearchable(ledger, engine) == 0


def test_words_of_another_analyser_are_refused(engine, ledger, monkeypatch):
    follower.catch_up(ledger, engine)
    monkeypatch.setattr("app.index.analyser.VERSION", 2)
    with pytest.raises(IndexNeedsRebuild, match="analyser"):
        follower.catch_up(ledger, engine)


def test_a_record_that_is_still_found_after_its_removal_is_an_alarm(engine, ledger, monkeypatch):
    follower.catch_up(ledger, engine)
    ledger.dispose(1)
    monkeypatch.setattr(TantivyEngine, "_removal", lambda *_: tantivy.Query.empty_query())
    with pytest.raises(StillFound):
        follower.catch_up(ledger, engine)


def test_progress_is_told_after_each_commit(engine, ledger):
    heard: list[tuple[int, int]] = []
    follower.catch_up(ledger, engine, told=lambda seen, size: heard.append((seen, size)))
    assert len(heard) > 3
    assert heard == sorted(heard)
    assert heard[-1] == (ledger.size() - 1, ledger.size())


# ---- what the verb of searching says --------------------------------------------------------------


@pytest.fixture
def town(engine: TantivyEngine) -> TantivyEngine:
    one = Ledger()
    one.capture(1, "road closed")
    one.capture(2, "road closed", published_at=None)
    one.capture(3, "road closed", private=True)
    one.capture(4, "bridge", published_at=None)
    follower.catch_up(one, engine)
    return engine


@pytest.mark.parametrize(
    ("query", "total", "undated"),
    [
        ("road", 2, 0),  # no date was asked for
        ("road date:2024", 1, 1),
        ("road date:2023", 0, 1),
        ("date:2024", 1, 2),
        ("road OR date:2024", 2, 1),  # the bridge; the undated road is a hit already
        ("road NOT date:2023", 2, 0),
        ("date:2024 has:date", 1, 0),
    ],
)
def test_records_without_a_date_are_left_out_and_counted(town, query, total, undated):
    found = search(town, query, zone=JUNEAU, ledger_size=4)
    assert (found.total, found.undated) == (total, undated)
    assert len(found.records) == total


def test_messages_are_found_only_by_those_who_may_read_them(town):
    assert count(town, "road", zone=JUNEAU) == 2
    assert count(town, "road", zone=JUNEAU, may_read_messages=True) == 3
    allowed = search(town, "date:2024", zone=JUNEAU, ledger_size=4, may_read_messages=True, facets=["month"])
    assert (allowed.total, allowed.facets) == (2, {"month": {"2024-05": 2}})


def test_an_answer_carries_the_question_as_understood(town):
    found = search(town, "road  CLOSED or", zone=JUNEAU, ledger_size=4)
    assert found.query["understood"] == 'road AND closed AND "or"'
    assert found.query["notes"]


def test_a_question_is_narrowed_by_fields_and_days(town):
    query = narrowed(parse("road OR bridge"), since="2024-05", page="Town", kind="post")
    assert (
        query.explain()["understood"] == "(road OR bridge) AND page:Town AND kind:post AND date:>=2024-05-01"
    )
    assert count(town, query, zone=JUNEAU) == 1
    assert count(town, narrowed(parse("road"), until="2024-04-30"), zone=JUNEAU) == 0


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("road", "The Road, the ROAD", ["Road", "ROAD"]),
        ('"road closed"', "road. Closed road", ["road. Closed"]),
        ("clos*", "close closed cloud", ["close", "closed"]),
        ("road w/2 closed", "road x closed x x x road", ["road", "closed"]),
        ("road NOT closed", "road closed", ["road"]),
        ("(a w/1 b) w/3 c", "a b x c a", ["a", "b", "c"]),
        ("#flood", "flood #flood", ["flood"]),
        ("strasse", "Die STRAẞE", ["STRAẞE"]),
        ("警察", "去警察局", ["警察"]),
        ("ﬁre", "Fire ﬁre ＦＩＲＥ", ["Fire", "ﬁre", "ＦＩＲＥ"]),
        ("page:x *", "road", []),
        ("date:2024 OR road~", "roads", ["roads"]),
    ],
)
def test_what_was_found_is_marked_where_it_stands(query, text, marked):
    assert [text[start:end] for start, end in highlight(parse(query).tree, text)] == marked
