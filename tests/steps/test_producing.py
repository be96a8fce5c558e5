"""Productions on a real archive: planned, built, hunted through, issued, handed over, asked back."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from app.capture.leaving import Leaving
from app.disclosure import handing, produced, producing, reviewing
from app.disclosure.conflicts import Kind
from app.disclosure.handing import LinkSpent, NobodyNamed, NotToBeGiven
from app.disclosure.package.building import Built, Sources
from app.disclosure.package.recipe import BadPrefix, Earlier, Form, Forms
from app.disclosure.produced import NoSuchProduction, NotIssued, Production
from app.disclosure.producing import (
    ConflictsRemain,
    Plan,
    ProductionUnderWay,
    SelectionMoved,
    WithheldWordsFound,
)
from app.disclosure.redacting import Field, Span, Whole
from app.disclosure.rendition.remaking import Remakes
from app.disclosure.requests import Request
from app.disclosure.selecting import NothingSelected
from app.disclosure.verify import checking
from app.disclosure.verify.hunting import hunt
from app.disclosure.verify.seal import Trust
from app.records.clock import FixedClock
from app.store import Store
from app.store.outgoing import walk
from app.store.tables import produced as documents
from app.store.tables import productions
from connectors.contract import Attachment, Batch
from tests.steps.scripted import listing
from tests.steps.test_capture import comment, post
from tests.steps.test_review import SECRET, WHY, Desk

FORMS = frozenset({Form.TEXT, Form.NATIVE, Form.CSV, Form.LOADFILE, Form.PROOFS})
"""Quick ones; the journey makes them all."""


class Producer(Desk):
    """An office that makes productions."""

    def asked(self) -> Request:
        """A request of which everything around Elm Street was selected and confirmed."""
        made = self.opened()
        self.select(made, "Elm", families=True)
        self.confirm(made)
        return self.again(made)

    def plan(self, request: Request) -> Plan:
        return producing.plan(self.store, request)

    def begin(
        self,
        plan: Plan,
        prefix: str = "HF-",
        anew: Mapping[UUID, Earlier] | None = None,
        forms: Forms = FORMS,
    ) -> Production:
        size = walk.signed_now(self.store)
        with self.store.database.begin() as tx:
            return producing.begin(
                self.store, tx, plan, prefix=prefix, forms=forms, software="Muniment 1", checkpoint=size, anew=anew, by=self.admin,
                why=WHY,
            )  # fmt: skip

    def make(self, request: Request, out: Path, prefix: str = "HF-", point: Callable[[str], None] | None = None, forms: Forms = FORMS) -> tuple[Production, Built]:  # fmt: skip
        with closing(Remakes()) as remaking:
            plan = producing.plan(self.store, request)
            with self.store.database.read() as tx:
                production = produced.under_way(self.store, tx, request, prefix)
            production = production or self.begin(plan, prefix, forms=forms)
            sources = Sources(store=self.store, teller=Leaving(self.store))
            if point is not None:
                sources = Sources(store=self.store, teller=Leaving(self.store), point=point)
            producing.narrow(self.store, plan, production.recipe)
            built = producing.build(plan, production, out, sources, remaking)
            with self.store.database.begin() as tx:
                production = producing.issue(self.store, tx, production, plan, built, by=self.admin, why=WHY)
            built.settle()
        return production, built


def elm_street(clock: FixedClock) -> Batch:
    """A post with what people say below it: a number that is not to leave, and an answer that repeats it."""
    return listing(
        clock,
        post("p1", "Elm Street is closed"),
        comment("c1", f"I live on Elm Street, call {SECRET}"),
        comment("c2", "thanks for telling"),
        comment("c3", f"her number is {SECRET}", on="c1"),
    )


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Producer]:
    made = Producer(store, clock, tmp_path / "index")
    made.capture(elm_street(clock))
    yield made
    made.engine.settle()


@pytest.fixture
def request_(desk: Producer) -> Request:
    return desk.asked()


def every_byte(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def unpacked(folder: Path) -> bytes:
    """What the WACZ of a production hold, without their compression."""
    told = []
    for file in sorted(folder.rglob("*.wacz")):
        with zipfile.ZipFile(file) as packed:
            for name in packed.namelist():
                content = packed.read(name)
                told.append(gzip.decompress(content) if name.endswith(".gz") else content)
    return b"\n".join(told)


def test_a_production_holds_what_leaves_under_its_numbers_and_verifies(
    desk: Producer, request_: Request, tmp_path: Path
):
    desk.redact(request_, "c1", Span(1, 27, 39))
    desk.redact(request_, "c2", Whole())
    production, built = desk.make(request_, tmp_path / "out")
    assert (production.number, production.state, production.records, production.withheld) == (f"{request_.number}-P01", "issued", 4, 1)  # fmt: skip
    assert (built.counts.first, built.counts.last) == ("HF-0000001", "HF-0000004")
    assert SECRET.encode() not in every_byte(built.folder)
    assert b"thanks for telling" not in every_byte(built.folder)
    report = checking.check(built.folder, Trust())
    assert [(one.code, one.where) for one in report.findings] == []
    with desk.store.database.read() as tx:
        told = [(first, pages, how) for _, first, pages, how in produced.numbers(tx, production)]
    assert told == [(1, 1, "whole"), (2, 1, "redacted"), (3, 1, "redacted"), (4, 1, "withheld")]


def test_a_second_production_goes_on_with_the_numbers_and_says_what_it_follows(
    desk: Producer, request_: Request, tmp_path: Path
):
    first, _ = desk.make(request_, tmp_path / "out")
    desk.capture(listing(desk.clock, post("p3", "Elm Street is open again")))
    desk.select(request_, "open again", add=True)
    desk.confirm(request_)
    second, _ = desk.make(request_, tmp_path / "out")
    assert (first.first, first.last, second.first, second.last) == (1, 4, 5, 9)
    assert (second.number, second.recipe.supplements) == (f"{request_.number}-P02", first.number)


def test_a_document_that_is_given_anew_keeps_its_number(desk: Producer, request_: Request, tmp_path: Path):
    first, _ = desk.make(request_, tmp_path / "out")
    desk.redact(request_, "c1", Span(1, 27, 39))
    record = desk.records()["c1"].id
    with desk.store.database.read() as tx:
        anew = producing.given_before(tx, first, [record], "HF-")
        with pytest.raises(NotIssued, match="does not hold record"):
            producing.given_before(tx, first, [UUID(int=9)], "HF-")
        with pytest.raises(NotIssued, match="with the numbers HF-"):
            producing.given_before(tx, first, [record], "XX-")
    assert anew == {record: Earlier(first.number, 2, 1, 1)}
    desk.begin(desk.plan(request_), anew=anew)
    second, built = desk.make(request_, tmp_path / "out")
    with desk.store.database.read() as tx:
        assert list(produced.numbers(tx, second)) == [(record, 2, 1, "redacted")]
        assert producing.given_before(tx, second, [record], "HF-")[record].revision == 2
    assert SECRET.encode() not in every_byte(built.folder)
    assert checking.check(built.folder, Trust()).findings == []
    third, _ = desk.make(request_, tmp_path / "out")
    assert third.first == 5


def test_nothing_is_produced_of_a_selection_that_nobody_confirmed(desk: Producer):
    request = desk.opened()
    desk.select(request, "Elm")
    with pytest.raises(NothingSelected):
        desk.plan(request)


def test_what_was_captured_after_the_confirmation_does_not_leave(
    desk: Producer, request_: Request, tmp_path: Path
):
    desk.capture(
        listing(
            desk.clock,
            post("p1", "Elm Street: the words of an edit nobody looked at", edited_at=desk.clock.now()),
        )
    )
    _, built = desk.make(request_, tmp_path / "out")
    assert b"nobody looked at" not in every_byte(built.folder)


def test_a_file_that_came_after_the_confirmation_does_not_leave(desk: Producer, tmp_path: Path):
    """Whoever confirmed saw that it was missing; nobody has looked at what came since."""
    words = b"what nobody has looked at"
    told = post("p9", "Elm Street in a file", attachments=(Attachment(id="f", url="https://blog.example/f", media_type="text/plain"),))  # fmt: skip
    desk.capture(listing(desk.clock, told))
    request = desk.asked()
    desk.client.files["https://blog.example/f"] = words
    desk.capture(listing(desk.clock, told))
    _, built = desk.make(request, tmp_path / "out", forms=FORMS | {Form.WACZ})
    assert words not in every_byte(built.folder) + unpacked(built.folder)
    assert checking.check(built.folder, Trust()).findings == []
    desk.confirm(request)
    _, built = desk.make(request, tmp_path / "out", forms=FORMS | {Form.WACZ})
    assert words in every_byte(built.folder)
    assert words in unpacked(built.folder)


def test_the_answer_of_a_platform_after_the_confirmation_does_not_leave(
    desk: Producer, request_: Request, tmp_path: Path
):
    """The same record, edited since: its bytes stand in an exchange that nobody has looked at."""
    desk.capture(
        listing(
            desk.clock,
            post("p1", "Elm Street: the words of an edit nobody looked at", edited_at=desk.clock.now()),
        )
    )
    _, built = desk.make(request_, tmp_path / "out", forms=FORMS | {Form.WACZ})
    assert b"Elm Street is closed" in unpacked(built.folder)
    assert b"nobody looked at" not in every_byte(built.folder) + unpacked(built.folder)


def test_what_was_begun_is_not_built_as_of_another_confirmation(
    desk: Producer, request_: Request, tmp_path: Path
):
    begun = desk.begin(desk.plan(request_))
    desk.capture(listing(desk.clock, post("p1", "Elm Street is open", edited_at=desk.clock.now())))
    desk.confirm(request_)
    with pytest.raises(SelectionMoved, match="since"):
        desk.make(request_, tmp_path / "out")
    with desk.store.database.begin() as tx:
        produced.give_up(desk.store, tx, begun, by=desk.admin, why="confirmed again")
    _, built = desk.make(request_, tmp_path / "out")
    assert b"Elm Street is open" in every_byte(built.folder)


# -- conflicts ---------------------------------------------------------------------------------------------


def kinds(plan: Plan) -> list[tuple[Kind, bool]]:
    return [(one.kind, one.blocks) for one in plan.conflicts]


def test_where_two_persons_are_asked_for_an_unapproved_redaction_stands_in_the_way(
    desk: Producer, request_: Request
):
    made = desk.redact(request_, "c1", Field("address"))
    with desk.store.database.begin() as tx:
        reviewing.ask_for_two(desk.store, tx, request_, True, by=desk.attorney, why=WHY)
    plan = desk.plan(request_)
    assert (Kind.NOT_APPROVED, True) in kinds(plan)
    with pytest.raises(ConflictsRemain, match="wait for a second person"):
        desk.begin(plan)
    with desk.store.database.begin() as tx:
        reviewing.approve(desk.store, tx, made.id, by=desk.second, why="looked")
    assert (Kind.NOT_APPROVED, True) not in kinds(desk.plan(request_))


def test_the_words_of_a_withheld_record_may_not_leave_in_another(desk: Producer):
    desk.capture(
        listing(
            desk.clock, comment("c4", "the informant lives in the blue house"),
            comment("c5", "RT: The informant lives in the  blue house!", on="c4"),
        )
    )  # fmt: skip
    request = desk.opened()
    desk.select(request, "informant")
    desk.confirm(request)
    made = desk.redact(request, "c4", Whole())
    with pytest.raises(ConflictsRemain, match="has words of record"):
        desk.begin(desk.plan(request))
    with desk.store.database.begin() as tx:
        reviewing.retract(desk.store, tx, made.id, by=desk.admin, why="only here")
    desk.redact(request, "c4", Whole(), only_here=True)
    assert desk.begin(desk.plan(request)).state == "begun"


def test_a_quotation_of_withheld_words_is_in_conflict_until_it_is_taken_out(desk: Producer, tmp_path: Path):
    words = "the informant lives in the blue house"
    desk.capture(
        listing(desk.clock, comment("c4", words), comment("c5", 'He said: "The informant: lives-in the blue house"!', on="c4"))
    )  # fmt: skip
    request = desk.opened()
    desk.select(request, "informant")
    desk.confirm(request)
    desk.redact(request, "c4", Whole())
    (told,) = [one for one in desk.plan(request).conflicts if one.kind is Kind.SAME_TEXT]
    assert told.record == desk.records()["c5"].id
    desk.redact(request, "c5", Span(1, 10, 48))
    assert Kind.SAME_TEXT not in {one.kind for one in desk.plan(request).conflicts}
    _, built = desk.make(request, tmp_path / "out")
    assert hunt([words], built.folder).clean


def test_a_record_that_left_otherwise_before_is_pointed_out(
    desk: Producer, request_: Request, tmp_path: Path
):
    desk.make(request_, tmp_path / "out")
    desk.redact(request_, "c1", Span(1, 27, 39))
    (told,) = [one for one in desk.plan(request_).conflicts if one.kind is Kind.OTHERWISE]
    assert told.what == f"it left whole in {request_.number}-P01, and now leaves redacted"
    assert not told.blocks


def test_a_version_that_was_not_looked_at_is_pointed_out(desk: Producer, request_: Request):
    desk.capture(
        listing(
            desk.clock, comment("c1", "I live on Elm, call me under my number", edited_at=desk.clock.now())
        )
    )
    desk.confirm(request_)
    desk.redact(request_, "c1", Span(1, 27, 39))
    assert (Kind.LEFT_BEHIND, False) in kinds(desk.plan(request_))


# -- building ----------------------------------------------------------------------------------------------


class Killed(Exception):
    """The process ended here."""


def test_a_production_that_was_broken_off_goes_on_under_the_same_numbers(
    desk: Producer, request_: Request, tmp_path: Path
):
    def stop(name: str) -> None:
        if "tables" in name:
            raise Killed

    desk.redact(request_, "c1", Span(1, 27, 39))
    with pytest.raises(Killed):
        desk.make(request_, tmp_path / "out", point=stop)
    with pytest.raises(ProductionUnderWay, match="P01 is being made"):
        desk.begin(desk.plan(request_))
    production, built = desk.make(request_, tmp_path / "out")
    assert (production.number, production.first) == (f"{request_.number}-P01", 1)
    assert checking.check(built.folder, Trust()).findings == []


def test_one_that_is_given_up_frees_its_numbers(desk: Producer, request_: Request, tmp_path: Path):
    begun = desk.begin(desk.plan(request_))
    with desk.store.database.begin() as tx:
        assert (
            produced.give_up(desk.store, tx, begun, by=desk.admin, why="another prefix").state == "given up"
        )
        with pytest.raises(NotIssued):
            produced.give_up(desk.store, tx, begun, by=desk.admin, why="again")
    production, _ = desk.make(request_, tmp_path / "out")
    assert (production.number, production.first) == (f"{request_.number}-P02", 1)


def test_words_that_stand_where_no_rule_looked_stop_the_production(
    desk: Producer, request_: Request, tmp_path: Path
):
    """The agency's own page is never redacted: a name in its title has to be noticed before anything leaves."""
    desk.redact(request_, "c1", Span(1, 0, 20))
    with closing(Remakes()) as remaking:
        plan = producing.plan(desk.store, request_)
        plan.absent = [*plan.absent, "Police blog"]
        production = desk.begin(plan)
        with pytest.raises(WithheldWordsFound, match="words that were taken out"):
            producing.build(plan, production, tmp_path / "out", Sources(store=desk.store, teller=Leaving(desk.store)), remaking)  # fmt: skip
    assert not list((tmp_path / "out").glob("*/*.seal.json"))
    with desk.store.database.read() as tx:
        assert produced.get(desk.store, tx, production.number).state == "begun"


@pytest.mark.parametrize("prefix", ["", "HF 1-", "[HF]", "HF1"])
def test_a_prefix_that_programs_would_misread_is_refused(desk: Producer, request_: Request, prefix: str):
    with pytest.raises(BadPrefix):
        desk.begin(desk.plan(request_), prefix)


# -- handing over ------------------------------------------------------------------------------------------


def test_a_link_works_until_its_day_and_each_taking_is_written_down(
    desk: Producer, request_: Request, tmp_path: Path
):
    production, _ = desk.make(request_, tmp_path / "out")
    with desk.store.database.begin() as tx:
        made = handing.hand_over(desk.store, tx, production, "Ann Reader", days=7, by=desk.admin, why=WHY)
        assert made.token is not None
        assert handing.leads_to(desk.store, tx, made.token) == production.number
        assert handing.taken(desk.store, tx, made.token) == production.number
        (told,) = handing.of(desk.store, tx, production.key)
        assert (told.to, told.taken_at is not None, told.token) == ("Ann Reader", True, None)
        with pytest.raises(LinkSpent):
            handing.taken(desk.store, tx, made.token + "x")
    desk.clock.at += timedelta(days=8)
    with desk.store.database.begin() as tx, pytest.raises(LinkSpent):
        handing.taken(desk.store, tx, made.token)


def test_what_was_asked_back_is_given_to_nobody_any_more(desk: Producer, request_: Request, tmp_path: Path):
    production, _ = desk.make(request_, tmp_path / "out")
    with desk.store.database.begin() as tx:
        made = handing.hand_over(desk.store, tx, production, "Ann Reader", days=7, by=desk.admin, why=WHY)
        with pytest.raises(NobodyNamed):
            handing.hand_over(desk.store, tx, production, "  ", days=None, by=desk.admin, why=WHY)
        back = produced.claw_back(
            desk.store, tx, production, ranges="HF-0000002", by=desk.attorney, why="privileged"
        )
        assert back.state == "asked back"
        with pytest.raises(LinkSpent):
            handing.taken(desk.store, tx, made.token or "")
        with pytest.raises(NotToBeGiven):
            handing.hand_over(desk.store, tx, back, "Ann Reader", days=None, by=desk.admin, why=WHY)
        with pytest.raises(NotIssued):
            produced.claw_back(desk.store, tx, back, by=desk.attorney, why="again")


def test_a_folder_as_a_zip_is_the_folder_and_the_same_bytes_each_time(
    desk: Producer, request_: Request, tmp_path: Path
):
    _, built = desk.make(request_, tmp_path / "out")
    first, second = (b"".join(handing.as_zip(built.folder, 1000)) for _ in range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as packed:
        assert packed.testzip() is None
        inside = {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
    lying = {file.relative_to(built.folder).as_posix(): file.read_bytes() for file in built.folder.rglob("*") if file.is_file()}  # fmt: skip
    assert inside == lying


def test_what_was_issued_never_changes_in_the_database(desk: Producer, request_: Request, tmp_path: Path):
    production, _ = desk.make(request_, tmp_path / "out")
    for change in (
        delete(documents),
        update(documents).values(first=9),
        delete(productions),
        update(productions).values(first=9),
        update(productions).values(last=9),
        update(productions).values(digest=b"\0" * 32),
    ):
        with pytest.raises(DatabaseError), desk.store.database.begin() as tx:
            tx.execute(change)
    with desk.store.database.read() as tx:
        assert produced.get(desk.store, tx, str(production.id)).last == 4
        with pytest.raises(NoSuchProduction):
            produced.get(desk.store, tx, "PD-1999-0001-P01")
