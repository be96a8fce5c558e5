"""Search for counsel on a real archive: as of an earlier ledger, reports with families, alerts, and declarations run again."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from app import officers
from app.capture import records
from app.index import (
    alerts,
    asof,
    declarations,
    drafts,
    families,
    follower,
    readings,
    reporting,
    reports,
    saved,
    search,
)
from app.index.asof import IndexBehind
from app.index.declarations import Declaration, Means, Verdict
from app.index.documents import Document, Position
from app.index.engine import FACETS, BadCursor, Engine, Scope, Sort
from app.index.keys import Keys
from app.index.language import BadQuery, parse
from app.index.printer import show
from app.index.questions import Filters, Question
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.jobs.telling import Telling
from app.officers import mailer
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store import Store, tables
from connectors.contract import Attachment, Kind, Observation
from tests.promises import test_engines as small
from tests.promises.reference_engine import ReferenceEngine
from tests.sinks import Sink
from tests.steps.scripted import listing
from tests.steps.test_capture import World, comment, post
from tests.steps.test_destruction import dispose

BASE = "https://archive.harrowfalls.example"


# -- as of -------------------------------------------------------------------------------------------------


@dataclass
class Told:
    """A history in memory."""

    held: dict[int, list[Document]] = field(default_factory=dict)

    def of(self, keys: Iterable[int]) -> Iterator[Sequence[Document]]:
        yield from (self.held[key] for key in keys)

    def changed(self, size: int) -> tuple[Keys, Keys]:
        later = {key for key, told in self.held.items() if told[-1].entry >= size}
        new = {key for key, told in self.held.items() if told[0].entry >= size}
        return Keys.of(later - new), Keys.of(new)

    def disposed(self) -> Keys:
        return Keys()


def some_history(chance: random.Random) -> tuple[Told, int]:
    """Records whose versions lie scattered over a ledger, and its size."""
    worlds = [list(small.some_versions(chance, record)) for record in range(1, 13)]
    order = [record for record, told in enumerate(worlds) for _ in told]
    chance.shuffle(order)
    told = Told()
    for entry, record in enumerate(order):
        versions = told.held.setdefault(record + 1, [])
        versions.append(replace(worlds[record][len(versions)], entry=entry))
    return told, len(order)


def taken_in(engine: Engine, told: Told, size: int) -> Engine:
    engine.add([one for held in told.held.values() for one in held if one.entry < size])
    engine.commit(Position(size - 1, 1))
    return engine


@pytest.mark.parametrize("seed", range(3))
def test_as_of_an_earlier_ledger_is_what_an_index_of_then_would_have_found(seed: int, tmp_path: Path):
    chance = random.Random(seed)
    told, size = some_history(chance)
    now = taken_in(TantivyEngine.open(tmp_path / "index"), told, size)
    for _ in range(4):
        then = chance.randrange(1, size + 1)
        was = taken_in(ReferenceEngine(), told, then)
        for _ in range(25):
            tree, scope = small.a_tree(chance), chance.choice([small.PUBLIC, small.ALL])
            found = asof.hits(told, now, tree, scope, then)
            assert set(found) == small.found(was, tree, scope), (then, show(tree))
            left = asof.undated(told, now, tree, scope, then)
            assert len(left) == asof_undated(was, tree, scope)
            answer, true = now.ask(asof.question(told, now, tree, scope, then), scope), was.ask(tree, scope)
            assert answer.total() == true.total()
            assert answer.facets(FACETS) == true.facets(FACETS), (then, show(tree))
            for sort in Sort:
                assert list(answer.every(sort)) == list(true.every(sort)), (then, show(tree))
    now.settle()


def asof_undated(engine: Engine, tree: Any, scope: Scope) -> int:
    return search.undated(engine, tree, scope)


def test_what_the_index_has_not_reached_is_not_asked_of_it(tmp_path: Path):
    told, size = some_history(random.Random(1))
    engine = taken_in(ReferenceEngine(), told, size - 3)
    assert asof.hits(told, engine, parse("*").tree, small.ALL, size - 3)
    with pytest.raises(IndexBehind, match=str(size)):
        asof.hits(told, engine, parse("*").tree, small.ALL, size)


# -- a list that somebody leafs through ----------------------------------------------------------------------


def leafed(told: Told, sizes: Sequence[int], tree: Any, *, goes_on: bool = True) -> list[int]:
    """The records of a list by capture, two at a time; for each part the index has come to the next of `sizes`."""
    shown: list[int] = []
    cursor: str | None = None
    for size in itertools.chain(sizes, itertools.repeat(sizes[-1])):
        found = search.search(
            taken_in(ReferenceEngine(), told, size), tree, zone=small.ALL.zone, ledger_size=size,
            may_read_messages=True, sort=Sort.CAPTURED, limit=2, after=cursor,
            history=told if goes_on else None,
        )  # fmt: skip
        shown, cursor = [*shown, *found.records], found.cursor
        if cursor is None:
            break
    return shown


def test_a_list_by_capture_shows_each_of_its_records_once_whatever_is_captured_between_its_parts():
    otherwise = 0
    for seed in range(30):
        chance = random.Random(seed)
        told, size = some_history(chance)
        for _ in range(6):
            tree = small.a_tree(chance)
            sizes = sorted(chance.randrange(1, size + 1) for _ in range(5))
            begun = list(
                taken_in(ReferenceEngine(), told, sizes[0]).ask(tree, small.ALL).every(Sort.CAPTURED)
            )
            assert leafed(told, sizes, tree) == begun, (seed, sizes, show(tree))
            otherwise += leafed(told, sizes, tree, goes_on=False) != begun
    assert otherwise > 10, "without its beginning a list is another one: the test must meet that"


@pytest.mark.parametrize("wrong", ["nonsense", "YmVndW46eDp5", "YmVndW46LTE6eQ", "YmVndW46MTp5", ""])
def test_a_list_by_capture_goes_on_by_its_own_cursor_alone(wrong: str, tmp_path: Path):
    told, size = some_history(random.Random(1))
    engine = taken_in(TantivyEngine.open(tmp_path / "index"), told, size)
    ask = functools.partial(search.search, engine, "*", zone=small.ALL.zone, ledger_size=size, limit=1)
    for cursor in (wrong, ask(sort=Sort.NEWEST).cursor):
        with pytest.raises(BadCursor):
            ask(sort=Sort.CAPTURED, after=cursor, history=told)
    with pytest.raises(BadCursor):
        ask(sort=Sort.NEWEST, after=ask(sort=Sort.CAPTURED).cursor)
    engine.settle()


# -- an office ---------------------------------------------------------------------------------------------


class Office(World):
    """A page that is captured by script, its index, and the people who ask."""

    def __init__(self, store: Store, clock: FixedClock, folder: Path, sink: Sink | None = None) -> None:
        super().__init__(store, clock)
        self.engine = TantivyEngine.open(folder)
        self.source = LedgerSource(store)
        self.sink = sink
        smtp = mailer(
            f"smtp://127.0.0.1:{sink.port if sink else 9}", "archive@harrowfalls.example", clock=clock
        )
        self.telling = Telling(store, smtp, BASE, "07:00")
        self.admin = self.hired("clerk", Role.ADMINISTRATOR, Role.RECORDS_OFFICER)
        self.attorney = self.hired("counsel", Role.ATTORNEY)

    def hired(self, name: str, *roles: Role) -> Officer:
        """Somebody who works here; no password is made, because that takes longer than most tests."""
        made = Officer(id=new_id(), email=f"{name}@harrowfalls.example", name=name, roles=frozenset(roles))
        with self.store.database.begin() as tx:
            tx.execute(
                insert(tables.officers).values(
                    id=made.id.bytes,
                    email=made.email,
                    name=name,
                    roles=" ".join(roles),
                    active=True,
                    added_at=0,
                )
            )
        return made

    def shown(self, *items: Observation) -> None:
        """Capture a listing of all that the page shows."""
        self.capture(listing(self.clock, *items))

    def follow(self) -> None:
        follower.catch_up(self.source, self.engine)

    def size(self) -> int:
        with self.store.database.read() as tx:
            return self.store.ledger.size(tx)

    def means(self, edition: str = "an engine") -> Means:
        return Means(self.source, self.engine, edition, "1")

    def report(self, text: str, *, messages: bool = False, **filters: str) -> reports.Report:
        return reporting.make(
            self.store, self.source, self.engine, reports.listed(text), Filters.of(filters), messages=messages
        )

    def keys(self) -> dict[str, int]:
        return {name: one.key for name, one in self.records().items()}

    # -- alerts --

    def watch(self, query: str, *, by: Officer | None = None) -> saved.Saved:
        """Save a search and be told of what is new to it."""
        by = by or self.attorney
        with self.store.database.begin() as tx:
            made = saved.save(self.store, tx, query, Question(query), shared=False, by=by, why="x")
            alerts.begin(self.store, tx, made, by=by, why="x")
        return made

    def letters(self) -> list[tuple[str, str]]:
        """To whom letters of alerts went since the last look, and what their subjects said first."""
        assert self.sink is not None
        before = len(self.sink.taken)
        self.look()
        self.telling.tick()
        return [
            (one["To"], one["Subject"].removeprefix("Harrow Falls: ").split(" record")[0])
            for one in self.sink.messages()[before:]
            if "search that you saved" in one["Subject"]
        ]

    def look(self) -> int:
        return alerts.look(self.store, self.source, asof.size_of(self.engine))

    def text(self) -> str:
        assert self.sink is not None
        words: str = [one for one in self.sink.messages() if "saved" in one["Subject"]][-1].get_content()
        return words


@pytest.fixture
def office(store: Store, clock: FixedClock, tmp_path: Path, serve: Callable[..., Sink]) -> Iterator[Office]:
    made = Office(store, clock, tmp_path / "words", serve())
    yield made
    made.engine.settle()


@pytest.fixture
def office_anywhere(anywhere: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Office]:
    made = Office(anywhere, clock, tmp_path / "words")
    yield made
    made.engine.settle()


def message(name: str, words: str) -> Observation:
    return Observation(native_id=name, kind=Kind.MESSAGE, text=words, private=True)


CONVERSATION = (
    post("p1", "The bridge is closed"),
    comment("c1", "Which bridge?"),
    comment("c2", "The old one", "c1"),
    post("p2", "Storm tonight"),
    comment("c3", "Stay off the bridge", "p2"),
    message("m1", "bridge, between us"),
)


# -- reports -----------------------------------------------------------------------------------------------


def test_families_are_those_that_a_record_is_read_with(office_anywhere: Office):
    office = office_anywhere
    office.shown(*CONVERSATION)
    with office.store.database.read() as tx:
        for may in (False, True):
            known = families.read(tx, office.size(), messages=may)
            for one in office.records().values():
                if one.private and not may:
                    assert one.key not in known.living
                    continue
                together = records.family(office.store, tx, one, messages=may)
                assert known.with_family(Keys.of([one.key])) == len(together)
    assert office.soundness() == []


def test_what_answered_a_disposed_post_is_one_family_still(office: Office):
    office.shown(*CONVERSATION)
    dispose(office, "p1")
    office.follow()
    told = office.report("old")
    assert [(row.hits, row.with_family) for row in told.rows] == [(1, 2)]


def test_a_report_counts_on_a_real_archive(office_anywhere: Office):
    office = office_anywhere
    office.shown(*CONVERSATION)
    office.follow()
    told = office.report("bridge\nstorm\nclosed OR storm\nbridge AND")
    assert [(row.hits, row.unique, row.with_family) for row in told.rows] == [(3, 2, 5), (1, 0, 2), (2, 0, 5)]
    assert (told.totals.hits, told.totals.with_family) == (4, 5)
    assert [(one.first, one.second, one.records) for one in told.overlaps] == [
        (1, 2, 0),
        (1, 3, 1),
        (2, 3, 1),
    ]
    assert [one.line.number for one in told.mistakes] == [4]
    assert told.unsearchable == office.size() - told.as_of
    mine = office.report("bridge", messages=True)
    assert [(row.hits, row.with_family) for row in mine.rows] == [(4, 6)]
    with pytest.raises(BadQuery):
        office.report("bridge", kind="letter")


def test_a_report_says_of_each_query_what_could_not_be_searched(office: Office):
    silent = Attachment(id="a.jpg", url="https://files.example/a.jpg", media_type="image/jpeg")
    told = replace(silent, id="b.jpg", description="a heron")
    office.shown(
        replace(post("p1", "The bridge"), attachments=(silent,)),
        replace(post("p2", "A bird"), attachments=(told,)),
        post("p3", "Storm"),
    )
    office.follow()
    report = office.report("heron\nheron date:2031\nkind:post\nNOT bridge\nheron AND")
    assert [row.unsearchable for row in report.rows] == [1, 0, 0, 1]
    assert report.unsearchable == report.behind + 1
    assert reports.as_json(report)["unsearchable"] == report.unsearchable
    (_, queries), *_ = reports.tables(report)
    assert [line[-1] for line in queries[1:]] == [1, 0, 0, 1, 1]


def test_a_query_of_a_report_that_is_empty_is_a_mistake_and_never_every_record(office: Office):
    office.shown(*CONVERSATION)
    office.follow()
    listed = reports.given([("nothing", "  "), ("all", "*")])
    report = reporting.make(
        office.store, office.source, office.engine, listed, Filters.of({}), messages=False
    )
    assert [one.line.name for one in report.mistakes] == ["nothing"]
    assert [row.hits for row in report.rows] == [5]


class Interrupted(TantivyEngine):
    """An index into which something is taken while a report is made."""

    meanwhile: Callable[[], None] | None = None

    def ask(self, tree: Any, scope: Scope) -> Any:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().ask(tree, scope)


def test_what_is_captured_or_disposed_of_while_a_report_is_made_is_in_none_of_its_numbers(
    office: Office, tmp_path: Path
):
    office.shown(*CONVERSATION)
    office.engine = engine = Interrupted.open(tmp_path / "other")
    office.follow()
    size = asof.size_of(engine)

    def meanwhile() -> None:
        office.shown(*(replace(one, text="bridge bridge") for one in CONVERSATION), post("p3", "bridge"))
        dispose(office, "c1")
        office.follow()

    engine.meanwhile = meanwhile
    told = office.report("*\nbridge")
    assert told.as_of == size
    assert [row.hits for row in told.rows] == [4, 2]
    assert [row.hits for row in office.report("*\nbridge").rows] == [5, 5]


# -- alerts ------------------------------------------------------------------------------------------------


def test_an_alert_tells_its_owner_once_how_many_and_where_and_nothing_that_anybody_wrote(office: Office):
    office.shown(*CONVERSATION)
    made = office.watch("bridge OR flood")
    since = office.size()
    assert office.letters() == []
    office.shown(*CONVERSATION, post("p3", "A flood of zebras"), comment("c4", "Over the bridge", "p3"))
    office.follow()
    assert office.letters() == [("counsel@harrowfalls.example", "2")]
    text = office.text()
    assert f"{BASE}/search/saved/{made.id}?since={since}" in text
    for word in ("zebra", "bridge", "flood"):
        assert word not in text.lower()
    assert office.letters() == []
    office.shown(*CONVERSATION, post("p3", "A flood of zebras"), comment("c4", "Over the bridge", "p3"))
    office.follow()
    assert office.letters() == []


def test_an_edit_that_brings_a_record_in_is_new_and_an_edit_of_what_was_found_is_not(office: Office):
    office.shown(post("p1", "The bridge"), post("p2", "nothing"))
    office.watch("bridge")
    office.shown(post("p1", "The bridge again"), post("p2", "nothing"))
    office.follow()
    assert office.letters() == []
    office.shown(post("p1", "The bridge again"), post("p2", "the bridge after all"))
    office.follow()
    assert [count for _, count in office.letters()] == ["1"]


def test_an_index_that_lags_delays_a_letter_and_loses_none(office: Office):
    office.watch("bridge")
    office.shown(post("p1", "bridge"))
    assert office.letters() == []
    office.shown(post("p1", "bridge"), post("p2", "bridge"))
    assert office.letters() == []
    office.follow()
    assert [count for _, count in office.letters()] == ["2"]


def test_what_is_found_while_a_letter_waits_is_told_by_it_and_each_record_once(office: Office):
    assert office.sink is not None
    office.watch("bridge")
    office.sink.says = "451 later"
    shown = [post("p1", "bridge")]
    office.shown(*shown)
    office.follow()
    assert office.letters() == []
    shown.append(post("p2", "bridge"))
    office.shown(*shown)
    office.follow()
    office.sink.says = "250 OK"
    office.clock.at += timedelta(hours=2)
    assert [count for _, count in office.letters()] == ["2"]
    shown.append(post("p3", "bridge"))
    office.shown(*shown)
    office.follow()
    assert [count for _, count in office.letters()] == ["1"]


def test_what_a_letter_was_to_tell_that_was_given_up_is_told_by_the_next(office: Office):
    assert office.sink is not None
    office.watch("bridge")
    office.sink.says = "451 later"
    office.shown(post("p1", "bridge"))
    office.follow()
    assert office.letters() == []
    office.clock.at += timedelta(days=4)
    office.sink.says = "250 OK"
    assert [count for _, count in office.letters()] == ["1"]
    assert office.letters() == []


def test_a_private_message_counts_only_for_an_owner_who_may_read_it(office: Office):
    confidant = office.hired("confidant", Role.ATTORNEY, Role.MESSAGES)
    office.watch("bridge")
    office.watch("bridge", by=confidant)
    office.shown(message("m1", "bridge, between us"))
    office.follow()
    assert office.letters() == [("confidant@harrowfalls.example", "1")]
    with office.store.database.begin() as tx:
        officers.change_roles(office.store, tx, confidant, [Role.ATTORNEY], by=office.admin, why="x")
    office.shown(message("m1", "bridge, between us"), message("m2", "the bridge too"))
    office.follow()
    assert office.letters() == []


@pytest.mark.parametrize("read", ["nothing", "otherwise"])
def test_an_alert_goes_on_meaning_what_was_understood_when_it_was_set(
    office: Office, monkeypatch: pytest.MonkeyPatch, read: str
):
    """A later edition may read what was typed otherwise, or not at all; nobody would notice that letters are missing."""

    def of_a_later_edition(typed: str) -> Any:
        if read == "otherwise":
            return parse("culvert")
        raise BadQuery("It is written otherwise now", typed, 0, len(typed))

    office.watch("bridge OR weir")
    monkeypatch.setattr("app.index.questions.parse", of_a_later_edition)
    office.shown(post("p1", "the weir"), post("p2", "a bridge"), post("p3", "a culvert"))
    office.follow()
    assert [count for _, count in office.letters()] == ["2"]


def test_nobody_is_told_who_may_not_search_any_more(office: Office):
    office.watch("bridge")
    office.shown(post("p1", "bridge"))
    office.follow()
    assert office.look() == 1
    with office.store.database.begin() as tx:
        officers.deactivate(office.store, tx, office.attorney, by=office.admin, why="left")
    size = office.size()
    assert office.letters() == []
    assert office.letters() == []
    assert office.size() <= size + 2, "one notice, and the day's letters"


def test_an_alert_ends_with_its_search(office: Office):
    made = office.watch("bridge")
    office.shown(post("p1", "bridge"))
    office.follow()
    assert office.look() == 1
    with office.store.database.begin() as tx:
        saved.remove(office.store, tx, made, by=office.attorney, why="answered")
    assert office.letters() == []
    with office.store.database.read() as tx:
        assert tx.execute(select(tables.alerts.c.ended_entry)).scalar_one() is not None


def test_each_alert_has_its_own_place_and_much_is_read_in_parts(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(alerts, "_READ", 2)
    office.watch("bridge")
    shown = [post(f"p{number}", "bridge") for number in range(5)]
    office.shown(*shown)
    office.watch("bridge", by=office.admin)
    shown += [post(f"q{number}", "bridge") for number in range(4)]
    office.shown(*shown, comment("c1", "road", "p1"))
    office.follow()
    assert sorted(office.letters()) == [
        ("clerk@harrowfalls.example", "4"),
        ("counsel@harrowfalls.example", "9"),
    ]


def test_a_look_goes_on_where_the_last_one_stopped(office: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(alerts, "_READ", 2)
    monkeypatch.setattr(alerts, "_MOST", 3)
    office.watch("bridge")
    office.shown(*(post(f"p{number}", "bridge") for number in range(9)))
    office.follow()
    counts = [int(count) for _ in range(5) for _, count in office.letters()]
    assert sum(counts) == 9
    assert len(counts) > 1


# -- declarations ------------------------------------------------------------------------------------------


def declared(office: Office, query: str, *, messages: bool = False) -> Declaration:
    office.follow()
    return declarations.make(
        office.store,
        office.means(),
        Question(query),
        by=office.attorney,
        messages=messages,
        why="Doe v. City",
    )


def again(office: Office, made: Declaration, edition: str = "an engine") -> declarations.Again:
    office.follow()
    return declarations.again(office.store, office.means(edition), made)


def test_a_declaration_run_again_tells_what_was_captured_since_from_what_was_found(office_anywhere: Office):
    office = office_anywhere
    office.shown(*CONVERSATION)
    made = declared(office, "bridge OR road")
    assert (made.total, made.messages, made.facts["with_attachments"]) == (3, False, 0)
    assert made.size == asof.size_of(office.engine)
    told = again(office, made)
    assert (told.verdict, told.new, told.brought_in, told.no_longer) == (Verdict.SAME, 0, 0, 0)
    edited = tuple(replace(one, text="the road") if one.native_id == "p2" else one for one in CONVERSATION)
    office.shown(*edited, post("p3", "bridge"))
    told = again(office, made, "another engine")
    assert (told.verdict, told.missing, told.disposed) == (Verdict.SAME, 0, 0)
    assert (told.total, told.new, told.brought_in, told.no_longer) == (5, 1, 1, 0)
    assert told.changed == {"engine": ("an engine", "another engine")}
    assert office.soundness() == []


def test_a_declaration_of_a_question_as_long_as_may_be_is_run_again_all_the_same(office: Office):
    office.shown(*CONVERSATION)
    made = declared(office, "bridge " * 12_000)
    assert len(made.understood) > 100_000  # said back with AND between the words
    assert (made.total, again(office, made).verdict) == (3, Verdict.SAME)


def test_nothing_is_declared_and_nothing_kept_where_nothing_was_asked(office: Office):
    office.shown(*CONVERSATION)
    with pytest.raises(BadQuery, match="for every record"):
        declared(office, "  ")
    within = Question("  ", Filters.of({"kind": "post"}))
    assert show(within.understood().tree) == "* AND kind:post"
    assert declared(office, "*").total == 5


def test_a_draft_says_how_much_of_what_was_captured_was_not_searched(office: Office):
    office.shown(*CONVERSATION)
    made = declared(office, "bridge")
    assert made.facts["unsearchable_versions"] == 0
    office.shown(*CONVERSATION, post("p3", "bridge"))
    late = declarations.make(
        office.store, office.means(), Question("bridge"), by=office.attorney, messages=False, why="in haste"
    )
    assert (late.size, late.total) == (made.size, made.total)
    assert late.facts["unsearchable_versions"] == 1
    assert late.facts["unsearchable"] > 1
    assert "of which 1 captured a version" in drafts.as_text(late.facts)


def test_a_draft_says_of_how_many_records_something_could_not_be_searched_and_why(office: Office):
    picture = Attachment(id="a", url="https://town.example/a.png", media_type="image/png")
    office.shown(
        post("p1", "bridge"), post("p2", "storm", attachments=(picture,)), comment("c1", "old", "p2")
    )
    made = declared(office, "bridge")
    assert made.facts["not_searched"] == {"any": 1, "media_without_text": 1}
    text = " ".join(drafts.as_text(made.facts).split())
    assert "could not be searched wholly, and could be hits by what was not: 1 (" in text
    assert "alt texts, captions, the names of files, titles" in text
    outside = declared(office, "bridge kind:comment")
    assert outside.facts["not_searched"] == {}, "the picture belongs to a post, which this could not find"
    assert "could be hits by what was not: 0" in " ".join(drafts.as_text(outside.facts).split())
    assert declared(office, "kind:post").facts["not_searched"] == {}, "no words were asked for"
    before = {name: value for name, value in made.facts.items() if name != "not_searched"}
    assert "could not be searched wholly, and" not in drafts.as_text(before)


def test_a_version_that_is_no_longer_current_is_told_apart(office: Office):
    office.shown(post("p1", "bridge"), post("p2", "bridge"))
    made = declared(office, "bridge version:current")
    office.shown(post("p1", "gone"), post("p2", "bridge"))
    told = again(office, made)
    assert (told.verdict, told.total_then, told.total, told.no_longer) == (Verdict.SAME, 2, 1, 1)


def test_what_was_disposed_of_since_is_counted_and_nothing_else_said_of_it(office: Office):
    office.shown(*CONVERSATION)
    made = declared(office, "bridge")
    dispose(office, "c1", "p2")
    told = again(office, made)
    assert (told.verdict, told.total_then, told.missing, told.disposed) == (Verdict.DISPOSED, 2, 1, 2)
    words = " ".join(declarations.again_sentences(told))
    assert "No longer there: 1. Disposed of since, whatever they said: 2." in words
    assert "Which bridge" not in words
    office.shown(*CONVERSATION, post("p9", "later"))
    dispose(office, "p9")
    assert again(office, made).disposed == 2, "what was captured later does not count"


def test_a_difference_that_disposal_does_not_explain_is_said(office: Office):
    office.shown(*CONVERSATION)
    made = declared(office, 'page:"Police blog" bridge')
    with office.store.database.begin() as tx:
        tx.execute(update(tables.pages).values(name="Another name"))
    office.source = LedgerSource(office.store)
    follower.rebuild(office.source, office.engine)
    told = again(office, made)
    assert (told.verdict, told.total_then) == (Verdict.DIFFERS, 0)
    assert "does not explain it" in declarations.again_sentences(told)[0]


def test_other_readers_of_attached_files_are_told_as_what_searched_otherwise(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    office.shown(*CONVERSATION)
    made = declared(office, "bridge")
    assert "Edition of the readers of files: " in drafts.as_text(made.facts)
    assert again(office, made).changed == {}
    before = dict(made.facts)
    del before["readers"]  # as drafts were before they said it
    monkeypatch.setattr(readings, "EDITION", 77)
    assert again(office, replace(made, facts=before)).changed == {"readers of files": ("1", "77")}
    assert "Edition of the readers" not in drafts.as_text(before)


def test_the_words_of_a_declaration_are_sealed_and_its_digest_stands_in_the_ledger(
    office: Office, home: Path
):
    office.shown(*CONVERSATION)
    made = declared(office, "unheardofword OR bridge")
    with office.store.database.read() as tx:
        body = office.store.ledger.entry(tx, made.entry)
    assert made.digest.encode() in body
    assert b"unheardofword" not in body
    office.store.database.close()
    for file in home.glob("archive.db*"):
        assert b"unheardofword" not in file.read_bytes()


def test_the_database_itself_keeps_what_was_declared_and_saved(office_anywhere: Office):
    office = office_anywhere
    office.shown(*CONVERSATION)
    office.watch("bridge")
    declared(office, "bridge")
    ends = {"saved_searches": "removed_entry", "alerts": "ended_entry", "declarations": None}
    for name, ended in ends.items():
        table = tables.metadata.tables[name]
        for change in (delete(table), update(table).values(entry=1)):
            with pytest.raises(DatabaseError), office.store.database.begin() as tx:
                tx.execute(change)
        if ended is not None:
            with office.store.database.begin() as tx:
                tx.execute(update(table).values({ended: 5}))
            with pytest.raises(DatabaseError), office.store.database.begin() as tx:
                tx.execute(update(table).values({ended: None}))
