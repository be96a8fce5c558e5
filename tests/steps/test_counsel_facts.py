"""Tags, series and holds in questions that counsel keeps: run by whoever asks, declared with what they were, refused where nobody could rely on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.holds import matters, placing
from app.holds.finding import Found
from app.holds.joining import Known
from app.holds.scopes import Scope
from app.index import alerts, declarations, drafts, saved, search
from app.index.declarations import Declaration, Means, Verdict
from app.index.engine import QueryNotSupported
from app.index.keys import Keys
from app.index.questions import Question
from app.records.clock import FixedClock
from app.records.errors import Refused
from app.records.nouns import Officer, Role
from app.retention import adopted, recording
from app.store import Store
from tests.steps.disposing import SCHEDULE
from tests.steps.scripted import listing
from tests.steps.test_capture import post
from tests.steps.test_counsel import message
from tests.steps.test_destruction import dispose
from tests.steps.test_tags import WORD, Desk

FACT = "tag:heron-2026"


class Counsel(Desk):
    """A desk at which searches are kept and declared."""

    def means(self, edition: str = "an engine") -> Means:
        return replace(super().means(edition), standing=lambda tx: Known(self.store, tx, self.attorney))

    def keep(self, query: str, *, shared: bool = False) -> saved.Saved:
        with self.store.database.begin() as tx:
            return saved.save(
                self.store, tx, query, Question(query), shared=shared, by=self.attorney, why="x"
            )

    def run(self, kept: saved.Saved, by: Officer) -> int:
        """How many records a kept search finds, as a door runs it for somebody."""
        self.follow()
        with self.store.database.read() as tx:
            one = saved.get(self.store, tx, str(kept.id), by=by)
            return search.search(
                self.engine,
                one.question.understood(),
                zone=self.store.agency.zone(),
                ledger_size=self.store.ledger.size(tx),
                standing=Known(self.store, tx, by),
            ).total

    def hold(self, *names: str, silent: bool) -> None:
        held = self.records()
        with self.store.database.begin() as tx:
            matter = matters.open(
                self.store, tx, f"matter {silent}", silent=silent, by=self.attorney, why="a demand letter"
            )
            found = Found(self.store.ledger.size(tx), named=Keys.of(held[name].key for name in names))
            scope = Scope(records=tuple(held[name].id for name in names))
            placing.place(self.store, tx, matter, scope, found, by=self.attorney, why="a demand letter")

    def assign(self, series: str, *names: str) -> None:
        """Adopt a schedule that has a series, and put records into it."""
        held = self.records()
        text = SCHEDULE.format(
            edition="2026", keep="P3Y", waiting=14, approvals="[records_officer, approver]", more=""
        )
        with self.store.database.begin() as tx:
            adopted.adopt(
                self.store, tx, text.encode(), instrument="Resolution 12", by=self.admin.id, why="the council"
            )
        with self.store.database.begin() as tx:
            recording.assign(
                self.store, tx, [held[name].id for name in names], series, by=self.admin, why="it is"
            )

    def declare(self, query: str, *, messages: bool = False) -> Declaration:
        self.follow()
        return declarations.make(
            self.store,
            self.means(),
            Question(query),
            by=self.attorney,
            messages=messages,
            why="Doe v. City",
        )

    def again(self, made: Declaration) -> declarations.Again:
        self.follow()
        return declarations.again(self.store, self.means(), made)


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Counsel]:
    made = Counsel(store, clock, tmp_path / "index")
    made.capture(
        listing(clock, *(post(f"p{n}", f"road {'closed' if n % 2 else 'open'}") for n in range(1, 7)))
    )
    yield made
    made.engine.settle()


# -- kept ----------------------------------------------------------------------------------------------------


def test_a_kept_search_with_a_tag_finds_what_has_it_when_it_is_run(desk: Counsel):
    kept = desk.keep(f"{FACT} closed")
    assert desk.run(kept, desk.attorney) == 0
    desk.tag("p1", WORD)
    desk.tag("p2", WORD)
    assert desk.run(kept, desk.attorney) == 1
    desk.untag("p1", WORD)
    assert desk.run(kept, desk.attorney) == 0
    assert saved.understood_otherwise(kept) is None


def test_a_shared_search_for_holds_tells_nobody_of_a_matter_that_they_may_not_know_of(desk: Counsel):
    outside = desk.hired("outside", Role.ATTORNEY)
    kept = desk.keep("hold:any", shared=True)
    desk.hold("p1", "p2", silent=True)
    assert (desk.run(kept, desk.attorney), desk.run(kept, outside)) == (2, 0)
    desk.hold("p2", "p3", silent=False)
    assert (desk.run(kept, desk.attorney), desk.run(kept, outside)) == (3, 2)


@pytest.mark.parametrize("query", ["hold:mine", "closed OR NOT hold:mine"])
def test_what_searching_refuses_is_not_kept(desk: Counsel, query: str):
    with pytest.raises(QueryNotSupported, match="only hold:any"):
        desk.keep(query)
    with desk.store.database.read() as tx:
        assert saved.listed(desk.store, tx, by=desk.attorney) == []


# -- told ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [FACT, "closed NOT series:COR-03", "open OR hold:any"])
def test_no_alert_is_set_on_what_is_said_of_records_without_a_capture_and_the_search_stays(
    desk: Counsel, query: str
):
    kept = desk.keep(query)
    size = desk.size()
    with (
        pytest.raises(QueryNotSupported, match="letters would be missing") as refused,
        desk.store.database.begin() as tx,
    ):
        alerts.begin(desk.store, tx, kept, by=desk.attorney, why="x")
    assert isinstance(refused.value, Refused)
    assert refused.value.part in query
    assert desk.size() == size
    assert desk.run(kept, desk.attorney) >= 0
    with desk.store.database.begin() as tx:
        other = saved.save(
            desk.store, tx, "plain", Question("closed"), shared=False, by=desk.attorney, why="x"
        )
        alerts.begin(desk.store, tx, other, by=desk.attorney, why="x")


# -- declared ------------------------------------------------------------------------------------------------


def test_a_draft_says_what_was_said_of_records_when_and_of_how_many(desk: Counsel):
    for name in ("p1", "p2", "p3"):
        desk.tag(name, WORD)
    desk.assign("COR-03", "p1", "p5")
    desk.follow()
    size = desk.size()
    made = desk.declare(f"{FACT} (closed OR series:cor-03) NOT series:none")
    assert made.total == 2
    told = {one["fact"]: one for one in made.facts["said_of_records"]}
    assert {name: one["records"] for name, one in told.items()} == {
        FACT: 3,
        "series:cor-03": 2,
        "series:none": 0,
    }
    assert {one["read_at"] for one in told.values()} == {size}
    text = drafts.as_text(made.facts)
    assert "What officers and schedules say of records" in text
    assert f"read once, when the ledger had {size:,} entries" in " ".join(text.split())
    assert told[FACT]["records_sha256"] in text
    assert "What officers and schedules say" in drafts.as_html(made.facts)
    once_more = desk.again(made)
    assert (once_more.verdict, once_more.said, once_more.total) == (Verdict.SAME, {}, 2)


def test_a_question_without_such_facts_declares_as_ever(desk: Counsel):
    made = desk.declare("closed")
    assert made.facts["said_of_records"] == []
    assert "What officers and schedules say" not in drafts.as_text(made.facts)
    before = {name: value for name, value in made.facts.items() if name != "said_of_records"}
    assert "What officers and schedules say" not in drafts.as_text(before), "a draft of before can be read"
    told = desk.again(replace(made, facts=before))
    assert (told.verdict, told.said) == (Verdict.SAME, {})


def test_a_difference_that_comes_of_tags_is_told_as_one(desk: Counsel):
    desk.tag("p1", WORD)
    made = desk.declare(f"{FACT} closed")
    desk.tag("p3", WORD)
    told = desk.again(made)
    assert (told.verdict, told.total_then, told.said) == (Verdict.SAID, 2, {FACT: (1, 2)})
    words = " ".join(declarations.again_sentences(told))
    assert "What is said of records has changed since" in words
    assert f"{FACT} holds of 2 of the records" in words
    assert "muniment verify" not in words
    assert declarations.again_json(told)["said_of_records"] == {FACT: {"then": 1, "now": 2}}
    desk.untag("p3", WORD)
    assert desk.again(made).verdict is Verdict.SAME


def test_a_tag_that_changed_and_changed_nothing_is_named_and_the_answer_is_the_same(desk: Counsel):
    desk.tag("p1", WORD)
    made = desk.declare(f"{FACT} closed")
    desk.tag("p2", WORD)
    told = desk.again(made)
    assert (told.verdict, told.said) == (Verdict.SAME, {FACT: (1, 2)})
    desk.capture(listing(desk.clock, post("p9", "closed too")))
    desk.tag("p9", WORD)
    told = desk.again(made)
    assert (told.verdict, told.said) == (Verdict.SAME, {FACT: (1, 2)}), "what came later is not of then"
    assert (told.total, told.new) == (2, 1)


def test_what_a_tag_lost_by_disposal_is_told_with_how_many_were_disposed_of(desk: Counsel):
    desk.tag("p1", WORD)
    desk.tag("p3", WORD)
    made = desk.declare(f"{FACT} closed")
    dispose(desk, "p3")
    told = desk.again(made)
    assert (told.verdict, told.missing, told.disposed, told.said) == (Verdict.SAID, 1, 1, {FACT: (2, 1)})
    assert "1 were disposed of" in declarations.again_sentences(told)[0]


def test_a_private_message_that_has_a_tag_is_not_counted_for_whoever_may_not_read_it(desk: Counsel):
    desk.capture(listing(desk.clock, message("m1", "closed, between us"), post("p1", "road closed")))
    for name in ("m1", "p1"):
        desk.tag(name, WORD)
    assert desk.declare(FACT).facts["said_of_records"][0]["records"] == 1
    assert desk.declare(FACT, messages=True).facts["said_of_records"][0]["records"] == 2


@pytest.mark.parametrize("query", ["hold:any", "closed NOT hold:any"])
def test_holds_are_not_declared_because_a_declaration_says_the_same_to_everybody(desk: Counsel, query: str):
    desk.hold("p1", silent=True)
    size = desk.size()
    with pytest.raises(QueryNotSupported, match="depends on who asks"):
        desk.declare(query)
    assert desk.size() == size, "and no checkpoint, no entry and no access tells that it was tried"


def test_where_nobody_knows_the_facts_a_declaration_is_refused_and_not_answered_without_them(desk: Counsel):
    desk.follow()
    with pytest.raises(QueryNotSupported, match="nobody is there"):
        declarations.make(
            desk.store,
            replace(desk.means(), standing=None),
            Question(FACT),
            by=desk.attorney,
            messages=False,
            why="x",
        )
