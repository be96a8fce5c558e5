"""What follows a first production: supplements, what was asked back and is given anew, and what changes while one is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pypdf import PdfReader

from app.capture.leaving import Leaving
from app.disclosure import (
    asking_back,
    handing,
    letters,
    moving,
    papers,
    produced,
    producing,
    requests_accounted,
    reviewing,
    selecting,
)
from app.disclosure.package.building import Built, Sources
from app.disclosure.package.numbering import NumbersUsedUp
from app.disclosure.package.recipe import LAST, Form
from app.disclosure.package.spooling import ItemsChanged
from app.disclosure.produced import BadRange, Production
from app.disclosure.producing import DecidedMeanwhile, NothingNew, SelectionMoved
from app.disclosure.redacting import Span, Whole
from app.disclosure.rendition.remaking import Remakes
from app.disclosure.requests import Request, RequestClosed
from app.disclosure.verify import checking
from app.disclosure.verify.seal import Trust
from app.holds import quarantine
from app.records.clock import FixedClock
from app.store import Store
from app.store.outgoing import walk
from app.store.tables import productions
from connectors.contract import Attachment
from tests.steps.scripted import listing
from tests.steps.test_capture import post
from tests.steps.test_producing import FORMS, Producer, elm_street, every_byte
from tests.steps.test_review import SECRET, WHY


class Following(Producer):
    """An office that has given something already."""

    def supplement(self, request: Request, out: Path, point: Callable[[str], None] = lambda _: None) -> tuple[Production, Built]:  # fmt: skip
        """Make one of what is new, or go on with it."""
        with closing(Remakes()) as remaking:
            plan = producing.plan(self.store, request)
            with self.store.database.read() as tx:
                production = produced.under_way(self.store, tx, request, "HF-")
            if production is None:
                size = walk.signed_now(self.store)
                with self.store.database.begin() as tx:
                    production = producing.begin(
                        self.store, tx, plan, prefix="HF-", forms=FORMS, software="Muniment 1", checkpoint=size,
                        anew=producing.changed(self.store, tx, plan, "HF-"), only_new=True, by=self.admin, why=WHY,
                    )  # fmt: skip
            producing.narrow(self.store, plan, production.recipe)
            sources = Sources(store=self.store, teller=Leaving(self.store), point=point)
            built = producing.build(plan, production, out, sources, remaking)
            with self.store.database.begin() as tx:
                production = producing.issue(self.store, tx, production, plan, built, by=self.admin, why=WHY)
            built.settle()
        return production, built

    def ask_back(self, production: Production, ranges: str = "") -> Production:
        with self.store.database.begin() as tx:
            return produced.claw_back(
                self.store, tx, production, ranges=ranges, by=self.attorney, why="privileged"
            )

    def holds(self, production: Production) -> list[tuple[str, int, int, str]]:
        """What a production holds: the record's name, its number, its pages, how it left."""
        named = {one.id: name for name, one in self.records().items()}
        with self.store.database.read() as tx:
            return [(named[record], first, pages, how) for record, first, pages, how in produced.numbers(tx, production)]  # fmt: skip


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Following]:
    made = Following(store, clock, tmp_path / "index")
    made.capture(elm_street(clock))
    yield made
    made.engine.settle()


@pytest.fixture
def request_(desk: Following) -> Request:
    return desk.asked()


def found(built: Built) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in checking.check(built.folder, Trust()).findings]


# -- supplements -------------------------------------------------------------------------------------------


def test_a_supplement_holds_what_was_not_given_and_goes_on_with_the_numbers(
    desk: Following, request_: Request, tmp_path: Path
):
    first, _ = desk.make(request_, tmp_path / "out")
    desk.capture(listing(desk.clock, post("p3", "Elm Street is open again")))
    desk.select(request_, "open again", add=True)
    desk.confirm(request_)
    second, built = desk.supplement(request_, tmp_path / "out")
    assert desk.holds(second) == [("p3", 5, 1, "whole")]
    assert (second.recipe.supplements, built.counts.first, built.counts.last) == (first.number, "HF-0000005", "HF-0000005")  # fmt: skip
    assert found(built) == []
    desk.capture(listing(desk.clock, post("p4", "Elm Street is closed for good")))
    desk.select(request_, "for good", add=True)
    desk.confirm(request_)
    third, built = desk.supplement(request_, tmp_path / "out")
    assert desk.holds(third) == [("p4", 6, 1, "whole")]
    assert (third.recipe.supplements, found(built)) == (second.number, [])


def test_a_supplement_gives_what_was_decided_otherwise_anew_under_its_number(
    desk: Following, request_: Request, tmp_path: Path
):
    first, _ = desk.make(request_, tmp_path / "out")
    desk.redact(request_, "c1", Span(1, 27, 39), only_here=True)
    desk.capture(listing(desk.clock, post("p3", "Elm Street is open again")))
    desk.select(request_, "open again", add=True)
    desk.confirm(request_)
    second, built = desk.supplement(request_, tmp_path / "out")
    assert desk.holds(second) == [("c1", 2, 1, "redacted"), ("p3", 5, 1, "whole")]
    assert {name for name, *_ in desk.holds(first)} == {"p1", "c1", "c2", "c3"}
    assert found(built) == []
    assert b"HF-0000002" in every_byte(built.folder)


def test_a_supplement_gives_what_has_a_version_that_was_not_given_anew(
    desk: Following, request_: Request, tmp_path: Path
):
    desk.make(request_, tmp_path / "out")
    desk.capture(listing(desk.clock, post("p1", "Elm Street is open", edited_at=desk.clock.now())))
    with pytest.raises(NothingNew):  # the edit came after the selection was confirmed
        desk.supplement(request_, tmp_path / "out")
    desk.confirm(request_)
    second, built = desk.supplement(request_, tmp_path / "out")
    assert [(name, how) for name, _, _, how in desk.holds(second)] == [("p1", "whole")]
    assert b"Elm Street is open" in every_byte(built.folder)
    assert found(built) == []


def test_words_that_reach_a_given_record_from_a_new_decision_give_it_anew(
    desk: Following, request_: Request, tmp_path: Path
):
    """The number is taken out of c1 alone, and leaves c3 with it: both were given with it."""
    desk.make(request_, tmp_path / "out")
    desk.redact(request_, "c1", Span(1, 27, 39))
    second, built = desk.supplement(request_, tmp_path / "out")
    assert desk.holds(second) == [("c1", 2, 1, "redacted"), ("c3", 3, 1, "redacted")]
    assert SECRET.encode() not in every_byte(built.folder)
    assert found(built) == []


def test_what_was_given_with_the_same_words_taken_out_is_not_given_again(
    desk: Following, request_: Request, tmp_path: Path
):
    """The number reached c3 in the first production already; and a file that never came is no change."""
    desk.redact(request_, "c1", Span(1, 27, 39))
    file = Attachment(id="f", url="https://blog.example/none", media_type="image/png")
    desk.capture(
        listing(desk.clock, post("p8", "Elm Street with a picture that is gone", attachments=(file,)))
    )
    desk.select(request_, "gone", add=True)
    desk.confirm(request_)
    first, _ = desk.make(request_, tmp_path / "out")
    assert {name: how for name, _, _, how in desk.holds(first)}["c3"] == "redacted"
    with pytest.raises(NothingNew):
        desk.supplement(request_, tmp_path / "out")
    desk.capture(listing(desk.clock, post("p3", "Elm Street is open again")))
    desk.select(request_, "open again", add=True)
    desk.confirm(request_)
    second, built = desk.supplement(request_, tmp_path / "out")
    assert [name for name, *_ in desk.holds(second)] == ["p3"]
    assert found(built) == []


def test_a_decision_for_another_request_that_comes_into_the_selection_reaches_what_was_given(
    desk: Following, request_: Request, tmp_path: Path
):
    desk.capture(listing(desk.clock, post("p9", f"Oak Street, ask {SECRET}")))
    other = desk.opened("Oak")
    desk.select(other, "Oak")
    desk.redact(other, "p9", Span(1, 16, 28))
    desk.make(request_, tmp_path / "out")
    desk.select(request_, "Oak", add=True)
    desk.confirm(request_)
    second, built = desk.supplement(request_, tmp_path / "out")
    assert [(name, how) for name, _, _, how in desk.holds(second)] == [("c1", "redacted"), ("c3", "redacted"), ("p9", "redacted")]  # fmt: skip
    assert SECRET.encode() not in every_byte(built.folder)
    assert found(built) == []


def test_a_supplement_of_nothing_new_is_refused_and_takes_no_number(
    desk: Following, request_: Request, tmp_path: Path
):
    first, _ = desk.make(request_, tmp_path / "out")
    with pytest.raises(NothingNew, match="nothing is new since"):
        desk.supplement(request_, tmp_path / "out")
    with desk.store.database.read() as tx:
        assert [one.number for one in produced.listed(desk.store, tx)] == [first.number]


def test_a_supplement_that_was_broken_off_goes_on_with_the_same(
    desk: Following, request_: Request, tmp_path: Path
):
    class Killed(Exception):
        """The process ended here."""

    def stop(name: str) -> None:
        if name == "after-tables":
            raise Killed

    desk.make(request_, tmp_path / "out")
    desk.capture(listing(desk.clock, post("p3", "Elm Street is open again")))
    desk.select(request_, "open again", add=True)
    desk.confirm(request_)
    with pytest.raises(Killed):
        desk.supplement(request_, tmp_path / "out", stop)
    second, built = desk.supplement(request_, tmp_path / "out")
    assert desk.holds(second) == [("p3", 5, 1, "whole")]
    assert found(built) == []


# -- asking back -------------------------------------------------------------------------------------------


def test_what_was_asked_back_is_given_anew_under_the_same_numbers(
    desk: Following, request_: Request, tmp_path: Path
):
    first, _ = desk.make(request_, tmp_path / "out")
    back = desk.ask_back(first, "HF-0000002")
    desk.redact(request_, "c1", Whole(), only_here=True)
    with desk.store.database.begin() as tx:
        anew = producing.given_before(tx, back, [desk.records()["c1"].id], "HF-")
    desk.begin(desk.plan(request_), anew=anew)
    second, built = desk.make(request_, tmp_path / "out")
    assert desk.holds(second) == [("c1", 2, 1, "withheld")]
    assert found(built) == []


def test_a_supplement_gives_anew_what_was_asked_back_and_nothing_else(
    desk: Following, request_: Request, tmp_path: Path
):
    first, _ = desk.make(request_, tmp_path / "out")
    desk.ask_back(first, "HF-0000002 to HF-0000003")
    desk.redact(request_, "c1", Whole(), only_here=True)
    second, built = desk.supplement(request_, tmp_path / "out")
    assert desk.holds(second) == [("c1", 2, 1, "withheld"), ("c3", 3, 1, "whole")]
    assert found(built) == []


def test_the_next_production_says_what_was_asked_back(desk: Following, request_: Request, tmp_path: Path):
    first, _ = desk.make(request_, tmp_path / "out")
    desk.ask_back(first, "HF-0000002")
    second, built = desk.make(request_, tmp_path / "again")
    told = f"{first.number} (HF-0000002)"
    assert second.recipe.asked_back == (told,)
    words = " ".join(PdfReader(built.folder / "read-me-first.pdf").pages[0].extract_text().split())
    assert f"Asked back: {told}." in words
    assert found(built) == []
    third, built = desk.make(request_, tmp_path / "again")
    assert third.recipe.asked_back == (told,)


def test_one_after_which_nothing_was_asked_back_does_not_say_so(
    desk: Following, request_: Request, tmp_path: Path
):
    desk.make(request_, tmp_path / "out")
    second, built = desk.make(request_, tmp_path / "out")
    assert second.recipe.asked_back == ()
    assert "Asked back" not in PdfReader(built.folder / "read-me-first.pdf").pages[0].extract_text()
    assert "asked_back" not in (built.folder / "bag/data/production.json").read_text()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("HF-0000002", "HF-0000002"),
        ("hf-0000002-HF-0000003", "HF-0000002 to HF-0000003"),
        ("HF-0000001, HF-0000003 – HF-0000004", "HF-0000001, HF-0000003 to HF-0000004"),
        ("1; 3 to 4", "HF-0000001, HF-0000003 to HF-0000004"),
        (" ", ""),
    ],
)
def test_numbers_that_are_asked_back_are_written_in_one_way(
    desk: Following, request_: Request, tmp_path: Path, written: str, kept: str
):
    first, _ = desk.make(request_, tmp_path / "out")
    desk.ask_back(first, written)
    with desk.store.database.read() as tx:
        assert produced.asked_back(desk.store, tx, produced.get(desk.store, tx, first.number)) == kept


@pytest.mark.parametrize("written", ["HF-0000009", "XX-0000002", "page two", "HF-0000003 to HF-0000002", "0", "HF-0000002 to"])  # fmt: skip
def test_numbers_that_the_production_does_not_hold_are_not_asked_back(
    desk: Following, request_: Request, tmp_path: Path, written: str
):
    first, _ = desk.make(request_, tmp_path / "out")
    with pytest.raises(BadRange, match="HF-0000001 to HF-0000004"):
        desk.ask_back(first, written)
    with desk.store.database.read() as tx:
        assert produced.get(desk.store, tx, first.number).state == "issued"


def test_a_link_is_not_made_for_what_was_asked_back_a_moment_ago(
    desk: Following, request_: Request, tmp_path: Path
):
    first, _ = desk.make(request_, tmp_path / "out")
    desk.ask_back(first)
    with desk.store.database.begin() as tx, pytest.raises(handing.NotToBeGiven):
        handing.hand_over(desk.store, tx, first, "Ann Reader", days=7, by=desk.admin, why=WHY)


def test_the_letter_that_asks_for_pages_back_is_kept_with_the_request_and_accounted_for(
    desk: Following, request_: Request, tmp_path: Path
):
    first, _ = desk.make(request_, tmp_path / "out")
    with desk.store.database.begin() as tx:
        asking_back.ask_back(
            desk.store, tx, desk.laws, first, ranges="HF-0000002", exemption="(a)(6)(C)", rule="Civil Rule 26(b)(5)",
            by=desk.attorney, why="the secret name",
        )  # fmt: skip
    with desk.store.database.read() as tx:
        (letter,) = letters.kept(desk.store, tx, request_)
        words = papers.content(desk.store, tx, letter).decode()
        assert list(requests_accounted.wrong(desk.store)) == []
    assert letter.name == "clawback.txt"
    assert "AS 40.25.120(a)(6)(C)" in words
    assert "HF-0000002." in words
    assert "the secret name" not in words
    assert SECRET not in words


@pytest.mark.parametrize("days", [0, -1, 366, 10**9])
def test_a_link_works_for_a_day_at_least_and_a_year_at_most(
    desk: Following, request_: Request, tmp_path: Path, days: int
):
    first, _ = desk.make(request_, tmp_path / "out")
    with desk.store.database.begin() as tx, pytest.raises(handing.BadDays):
        handing.hand_over(desk.store, tx, first, "Ann Reader", days=days, by=desk.admin, why=WHY)


# -- what changes meanwhile --------------------------------------------------------------------------------


def begun_and(
    desk: Following, request: Request, out: Path, at: str, meanwhile: Callable[[], object]
) -> tuple[Production, Built]:
    done: list[str] = []

    def point(name: str) -> None:
        if name == at and not done:
            done.append(name)
            meanwhile()

    made = desk.make(request, out, point=point)
    assert done, f"{at} was never reached"
    return made


def sealed(out: Path) -> list[Path]:
    return list(out.glob("*/*.seal.json"))


@pytest.mark.parametrize("at", ["after-documents", "after-tables", "after-bag"])
def test_what_is_taken_out_while_it_is_built_keeps_it_from_being_sealed(
    desk: Following, request_: Request, tmp_path: Path, at: str
):
    with pytest.raises((DecidedMeanwhile, ItemsChanged)):
        begun_and(desk, request_, tmp_path / "out", at, lambda: desk.redact(request_, "c2", Whole()))
    assert sealed(tmp_path / "out") == []


def test_what_is_taken_out_between_the_seal_and_the_issue_keeps_it_from_being_issued(
    desk: Following, request_: Request, tmp_path: Path
):
    with pytest.raises(DecidedMeanwhile, match="since"):
        begun_and(
            desk, request_, tmp_path / "out", "after-place", lambda: desk.redact(request_, "c2", Whole())
        )
    with desk.store.database.read() as tx:
        (begun,) = produced.listed(desk.store, tx)
    assert begun.state == "begun"
    with desk.store.database.begin() as tx:
        produced.give_up(desk.store, tx, begun, by=desk.admin, why="decided otherwise")
    second, built = desk.make(request_, tmp_path / "out")
    assert ("c2", 4, 1, "withheld") in desk.holds(second)
    assert found(built) == []


def test_what_is_decided_of_other_records_meanwhile_hinders_nothing(
    desk: Following, request_: Request, tmp_path: Path
):
    desk.capture(listing(desk.clock, post("p9", "Oak Street")))
    other = desk.opened("Oak")
    desk.select(other, "Oak")
    production, _ = begun_and(
        desk, request_, tmp_path / "out", "after-bag", lambda: desk.redact(other, "p9", Whole())
    )
    assert production.state == "issued"


@pytest.mark.parametrize("at", ["after-bag", "after-place"])
def test_what_comes_into_quarantine_while_it_is_built_does_not_leave(
    desk: Following, request_: Request, tmp_path: Path, at: str
):
    record = desk.records()["c2"]

    def apart() -> None:
        with desk.store.database.begin() as tx:
            quarantine.begin(desk.store, tx, record.id, desk.second.email, by=desk.attorney, why="by order")

    with pytest.raises(DecidedMeanwhile):
        begun_and(desk, request_, tmp_path / "out", at, apart)
    with desk.store.database.read() as tx:
        assert produced.listed(desk.store, tx)[0].state == "begun"


@pytest.mark.parametrize("at", ["after-bag", "after-place"])
def test_what_goes_out_of_the_selection_while_it_is_built_does_not_leave(
    desk: Following, request_: Request, tmp_path: Path, at: str
):
    record = desk.records()["c2"].id

    def drop() -> None:
        with desk.store.database.begin() as tx:
            selecting.by_hand(desk.store, tx, request_, remove=[record], by=desk.admin, why="not asked for")

    with pytest.raises(SelectionMoved):
        begun_and(desk, request_, tmp_path / "out", at, drop)


def test_a_request_that_is_closed_while_it_is_built_gets_no_production(
    desk: Following, request_: Request, tmp_path: Path
):
    def close() -> None:
        with desk.store.database.begin() as tx:
            moving.close(
                desk.store, tx, desk.laws, request_, outcome="withdrawn", by=desk.admin, why="they wrote"
            )

    with pytest.raises(RequestClosed):
        begun_and(desk, request_, tmp_path / "out", "after-bag", close)
    assert sealed(tmp_path / "out") == []


# -- numbers -----------------------------------------------------------------------------------------------


def test_the_last_number_is_not_given_twice(desk: Following, request_: Request, tmp_path: Path):
    with desk.store.database.begin() as tx:
        begun = producing.begin(
            desk.store, tx, desk.plan(request_), prefix="HF-", forms=FORMS, software="Muniment 1",
            checkpoint=0, by=desk.admin, why=WHY,
        )  # fmt: skip
        tx.execute(productions.update().where(productions.c.key == begun.key).values(last=LAST))
        produced.give_up(desk.store, tx, begun, by=desk.admin, why="numbers are used up")
    with pytest.raises(NumbersUsedUp, match="HF-9999999"):
        desk.make(request_, tmp_path / "out", forms=FORMS - {Form.PROOFS})


def test_what_is_in_quarantine_is_decided_of_by_the_two_who_may_read_it_alone(
    desk: Following, request_: Request
):
    made = desk.redact(request_, "c2", Span(1, 0, 6))
    with desk.store.database.begin() as tx:
        quarantine.begin(
            desk.store, tx, desk.records()["c2"].id, desk.second.email, by=desk.attorney, why="x"
        )
    for act in (reviewing.retract, reviewing.approve):
        with desk.store.database.begin() as tx, pytest.raises(reviewing.NoSuchRedaction):
            act(desk.store, tx, made.id, by=desk.admin, why="no longer mine")
    with desk.store.database.begin() as tx:
        assert reviewing.approve(desk.store, tx, made.id, by=desk.second, why="looked")
