"""Selection and review on a real archive: what answers a request, what is taken out of it, and who looked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from app.disclosure import assembling, known, lists, opening, reaching, requests, reviewing, selecting
from app.disclosure.redacting import BadRedaction, Field, Span, Where, Whole
from app.disclosure.released import Item, Released, Withheld, plain
from app.disclosure.requests import Request
from app.disclosure.reviewing import (
    NoGround,
    NoSuchRedaction,
    NotSelected,
    RedactedAlready,
    SameReviewer,
    Standing,
)
from app.disclosure.selecting import NothingSelected, UnknownSelection
from app.holds import covering
from app.holds import requests as holding
from app.index.questions import Filters, Question
from app.index.source import digest
from app.records.clock import FixedClock
from app.records.nouns import Officer, Role
from app.store import Store
from app.store.tables import redactions, selected
from tests.rules.test_redacting import Pictures
from tests.steps.scripted import listing
from tests.steps.test_capture import comment, post
from tests.steps.test_counsel import Office
from tests.steps.test_destruction import dispose

WHY = "to answer it"
SECRET = "907-555-0133"


class Desk(Office):
    """An office with requests, selections and a review."""

    def __init__(self, store: Store, clock: FixedClock, folder: Path) -> None:
        super().__init__(store, clock, folder)
        self.second = self.hired("second", Role.RECORDS_OFFICER)
        self.laws = known.of(None)

    def opened(
        self,
        words: str = "everything about Elm Street",
        *,
        since: date | None = None,
        until: date | None = None,
    ) -> Request:
        with self.store.database.begin() as tx:
            return opening.open(
                self.store,
                tx,
                self.laws,
                words,
                received=self.clock.now(),
                law="us-ak",
                by=self.admin,
                why=WHY,
                since=since,
                until=until,
            )

    def again(self, request: Request) -> Request:
        with self.store.database.read() as tx:
            return requests.get(self.store, tx, request.number)

    def select(
        self, request: Request, query: str, *, families: bool = False, add: bool = False
    ) -> selecting.Selection:
        self.follow()
        found = selecting.find(self.store, self.engine, Question(query, Filters()), whole_families=families)
        with self.store.database.begin() as tx:
            return selecting.choose(self.store, tx, request, found, add=add, by=self.admin, why=WHY)

    def confirm(self, request: Request) -> selecting.Selection:
        with self.store.database.begin() as tx:
            return selecting.confirm(self.store, tx, request, by=self.admin, why=WHY)

    def redact(
        self,
        request: Request,
        name: str,
        where: Where,
        code: str = "6(C)",
        *,
        by: Officer | None = None,
        **more: object,
    ) -> Standing:
        with self.store.database.begin() as tx:
            return reviewing.redact(
                self.store, tx, request, self.records()[name], where, code, by=by or self.admin, why=WHY, **more  # type: ignore[arg-type] # a test names what it says
            )  # fmt: skip

    def names(self, request: Request) -> list[str]:
        with self.store.database.read() as tx:
            chosen = selecting.of(tx, request.id)
        return sorted(name for name, one in self.records().items() if one.key in chosen)

    def items(self, request: Request) -> dict[str, Item]:
        """What would leave, by native id, as a production would be given it."""
        store = self.store
        with store.database.read() as tx:
            chosen = selecting.of(tx, request.id)
            order = assembling.in_order(tx, chosen, messages=False)
            called = reviewing.names(tx)
            made = reviewing.decided(store, tx, reviewing.redacted_keys(tx, request.id), called)
            told = [
                (read, made[read.record.key].redactions)
                for read in assembling.reading(store, tx, list(made), messages=False)
            ]
            size = store.ledger.size(tx)
        found = assembling.items(
            store, order, lambda tx, keys: reviewing.decided(store, tx, keys, called), size=size, messages=False,
            by=Pictures(), reach=reaching.Reach(told),
        )  # fmt: skip
        by_id = {one.id: name for name, one in self.records().items()}
        return {by_id[item.id]: item for item in found}

    def held(self, name: str) -> int:
        with self.store.database.read() as tx:
            key = self.records()[name].key
            return len(covering.covering(self.store, tx, [key])[key])


@pytest.fixture
def desk(store: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(store, clock, tmp_path / "index")
    made.capture(
        listing(
            clock,
            post("p1", "Elm Street is closed"),
            comment("c1", f"I live on Elm Street, call {SECRET}"),
            comment("c2", "thanks for telling"),
            comment("c3", f"her number is {SECRET.replace('-', ' ')} or {SECRET}", on="c1"),
            post("p2", "Oak Street is open"),
        )
    )
    yield made
    made.engine.settle()


def texts(items: dict[str, Item]) -> dict[str, str]:
    return {
        name: plain(item.now.text) if isinstance(item, Released) else "WITHHELD"
        for name, item in items.items()
    }


# -- selection ---------------------------------------------------------------------------------------------


def test_a_question_selects_what_it_finds_and_families_where_they_are_asked_for(desk: Desk):
    request = desk.opened()
    assert (desk.select(request, "Elm").n, desk.names(request)) == (2, ["c1", "p1"])
    assert (desk.select(request, "Elm", families=True).n, desk.names(request)) == (
        4,
        ["c1", "c2", "c3", "p1"],
    )
    assert (desk.select(request, "Oak", add=True).n, desk.names(request)) == (
        5,
        ["c1", "c2", "c3", "p1", "p2"],
    )
    assert (desk.select(request, "Oak").n, desk.names(request)) == (1, ["p2"])


def test_a_selection_says_what_was_asked_and_the_same_question_of_its_date_finds_the_same(desk: Desk):
    request = desk.opened()
    told = desk.select(request, "Elm")
    desk.capture(listing(desk.clock, post("p3", "Elm Street is open again")))
    desk.follow()
    with desk.store.database.read() as tx:
        kept = selecting.history(desk.store, tx, request.id)[-1]
    question = Question(str(kept.detail["query"]), Filters.of(kept.detail["filters"]))  # type: ignore[arg-type] # as it was written down
    found = selecting.find(desk.store, desk.engine, question, size=kept.size)
    with desk.store.database.read() as tx:
        assert digest(tx, list(found.keys)) == kept.digest == told.digest
    assert len(selecting.find(desk.store, desk.engine, question).keys) == kept.n + 1


def test_records_are_taken_in_and_out_by_hand_with_a_reason(desk: Desk):
    request, held = desk.opened(), desk.records()
    desk.select(request, "Elm")
    with desk.store.database.begin() as tx:
        selecting.by_hand(desk.store, tx, request, add=[held["p2"].id], by=desk.admin, why="a neighbour")
        selecting.by_hand(
            desk.store, tx, request, remove=[held["c1"].id], by=desk.admin, why="another street"
        )
        assert [(one.how, one.n, one.why) for one in selecting.history(desk.store, tx, request.id)] == [
            ("query", 2, WHY), ("added", 3, "a neighbour"), ("removed", 2, "another street"),
        ]  # fmt: skip
    assert desk.names(request) == ["p1", "p2"]
    for act in ({"add": [UUID(int=5)]}, {"remove": [held["c1"].id]}, {}):
        with desk.store.database.begin() as tx, pytest.raises(UnknownSelection):
            selecting.by_hand(desk.store, tx, request, by=desk.admin, why="x", **act)


def test_until_it_is_confirmed_everything_is_held_and_then_what_was_selected(desk: Desk):
    request = desk.opened()
    assert (desk.held("p1"), desk.held("p2")) == (1, 1)
    desk.select(request, "Elm")
    assert (desk.held("p1"), desk.held("p2")) == (1, 1)
    told = desk.confirm(request)
    assert (told.how, told.n, desk.held("p1"), desk.held("p2")) == ("confirmed", 2, 1, 0)
    with desk.store.database.read() as tx:
        assert [len(holding.of_request(desk.store, tx, request.id)), desk.again(request).state] == [
            1,
            "reviewing",
        ]
        assert selecting.must_be_confirmed(desk.store, tx, request).entry == told.entry
    desk.select(request, "Oak", add=True)
    with desk.store.database.read() as tx, pytest.raises(NothingSelected, match="as it stands"):
        selecting.must_be_confirmed(desk.store, tx, request)


def test_what_is_selected_after_the_confirmation_is_held_from_then_on(desk: Desk):
    request = desk.opened()
    desk.select(request, "Elm")
    desk.confirm(request)
    assert (desk.held("p1"), desk.held("p2")) == (1, 0)
    desk.select(request, "Oak", add=True)
    assert (desk.held("p1"), desk.held("p2")) == (1, 1)
    desk.confirm(request)
    assert (desk.held("p1"), desk.held("p2")) == (1, 1)
    with desk.store.database.read() as tx:
        assert len(holding.of_request(desk.store, tx, request.id)) == 1


def test_what_is_picked_from_outside_of_the_requests_dates_is_held_before_anybody_confirms(desk: Desk):
    desk.capture(
        listing(desk.clock, post("p9", "Oak Street", published_at=datetime(2026, 1, 10, tzinfo=UTC)))
    )
    request = desk.opened(since=date(2031, 1, 1), until=date(2031, 1, 2))
    assert desk.held("p9") == 0
    with desk.store.database.begin() as tx:
        selecting.by_hand(desk.store, tx, request, add=[desk.records()["p9"].id], by=desk.admin, why=WHY)
    assert desk.held("p9") == 1


def test_nothing_can_be_confirmed_that_nobody_selected(desk: Desk):
    request = desk.opened()
    with desk.store.database.begin() as tx, pytest.raises(NothingSelected):
        selecting.confirm(desk.store, tx, request, by=desk.admin, why=WHY)
    desk.select(request, "nowhere")
    assert desk.confirm(request).n == 0


def test_what_was_disposed_of_is_selected_no_more(desk: Desk):
    request = desk.opened()
    desk.select(request, "Elm OR Oak")
    desk.confirm(request)
    with desk.store.database.begin() as tx:
        holding.end_for_request(desk.store, tx, request.id, by=desk.admin, why="over")
    dispose(desk, "p2")
    assert desk.names(request) == ["c1", "p1"]


# -- review ------------------------------------------------------------------------------------------------


@pytest.fixture
def request_(desk: Desk) -> Request:
    """A request whose selection is confirmed."""
    made = desk.opened()
    desk.select(made, "Elm", families=True)
    desk.confirm(made)
    return desk.again(made)


def test_what_is_taken_out_of_one_record_is_taken_out_of_all_of_the_request(desk: Desk, request_: Request):
    desk.redact(request_, "c1", Span(1, 27, 39))
    assert texts(desk.items(request_)) == {
        "p1": "Elm Street is closed",
        "c1": "I live on Elm Street, call [REDACTED 6(C)]",
        "c3": "her number is [REDACTED 6(C)] or [REDACTED 6(C)]",
        "c2": "thanks for telling",
    }
    reached = desk.items(request_)["c3"]
    assert isinstance(reached, Released)
    assert [(one.code, one.by) for one in reached.redactions] == [("6(C)", "clerk")] * 2, (
        "with blanks as with hyphens"
    )


def test_only_here_means_only_here(desk: Desk, request_: Request):
    desk.redact(request_, "c1", Span(1, 27, 39), only_here=True)
    assert SECRET in texts(desk.items(request_))["c3"]


def test_documents_stand_in_the_order_of_their_threads(desk: Desk, request_: Request):
    assert list(desk.items(request_)) == ["p1", "c1", "c3", "c2"]


def test_a_withheld_record_leaves_a_slip_on_its_ground(desk: Desk, request_: Request):
    desk.redact(request_, "c1", Whole(), explanation="an open investigation")
    item = desk.items(request_)["c1"]
    assert isinstance(item, Withheld)
    assert [(one.code, one.explanation, one.by) for one in item.grounds] == [
        ("6(C)", "an open investigation", "clerk")
    ]


def test_a_redaction_is_remembered_in_the_next_request_until_it_is_retracted(desk: Desk, request_: Request):
    made = desk.redact(request_, "c1", Field("author"))
    later = desk.opened("the same again")
    desk.select(later, "Elm")
    item = desk.items(later)["c1"]
    assert isinstance(item, Released)
    assert str(item.author.name) == "[REDACTED 6(C)]"
    with desk.store.database.begin() as tx:
        reviewing.retract(desk.store, tx, made.id, by=desk.attorney, why="the name is public")
    item = desk.items(later)["c1"]
    assert isinstance(item, Released)
    assert item.author.name == "Pat"
    with desk.store.database.begin() as tx, pytest.raises(NoSuchRedaction):
        reviewing.retract(desk.store, tx, made.id, by=desk.attorney, why="again")


def test_what_cannot_be_taken_out_is_refused_and_nothing_changes(desk: Desk, request_: Request):
    for name, where, code, error in (
        ("c1", Span(1, 30, 300), "6(C)", BadRedaction),
        ("c1", Field("colour"), "6(C)", BadRedaction),
        ("c1", Whole(), " ", NoGround),
        ("p2", Whole(), "6(C)", NotSelected),
    ):
        with pytest.raises(error):
            desk.redact(request_, name, where, code)
    desk.redact(request_, "c1", Whole())
    with pytest.raises(RedactedAlready):
        desk.redact(request_, "c1", Whole())
    assert desk.count(redactions) == 1


def test_a_ground_that_the_law_does_not_list_is_kept_as_it_was_written(desk: Desk, request_: Request):
    made = desk.redact(request_, "c1", Whole(), "Evidence Rule 503")
    assert (made.code, made.citation) == ("Evidence Rule 503", "Evidence Rule 503")
    assert not reviewing.grounds(request_, "Evidence Rule 503").listed
    known_ = next(iter(requests.exemptions(request_).values()))
    assert reviewing.grounds(request_, known_.citation).code == known_.code


def test_a_second_person_approves_and_never_the_first(desk: Desk, request_: Request):
    made = desk.redact(request_, "c1", Whole())
    with desk.store.database.begin() as tx:
        assert not reviewing.needs_two(tx, request_.id)
        reviewing.ask_for_two(desk.store, tx, request_, True, by=desk.attorney, why="it is delicate")
        assert reviewing.needs_two(tx, request_.id)
        with pytest.raises(SameReviewer):
            reviewing.approve(desk.store, tx, made.id, by=desk.admin, why="x")
        reviewing.approve(desk.store, tx, made.id, by=desk.second, why="looked")
        assert reviewing.get(desk.store, tx, made.id).approved_by == desk.second.id
        with pytest.raises(RedactedAlready):
            reviewing.approve(desk.store, tx, made.id, by=desk.attorney, why="x")


def test_who_took_something_out_cannot_call_the_second_look_at_it_off(desk: Desk, request_: Request):
    made = desk.redact(request_, "c1", Whole())
    with desk.store.database.begin() as tx:
        reviewing.ask_for_two(desk.store, tx, request_, True, by=desk.attorney, why="it is delicate")
        with pytest.raises(SameReviewer, match="1 of what you took out yourself"):
            reviewing.ask_for_two(desk.store, tx, request_, False, by=desk.admin, why="in a hurry")
        assert reviewing.needs_two(tx, request_.id)
        reviewing.ask_for_two(
            desk.store, tx, request_, False, by=desk.second, why="there is no second person"
        )
        assert not reviewing.needs_two(tx, request_.id)
        reviewing.ask_for_two(desk.store, tx, request_, True, by=desk.attorney, why="there is")
        reviewing.approve(desk.store, tx, made.id, by=desk.second, why="looked")
        reviewing.ask_for_two(desk.store, tx, request_, False, by=desk.admin, why="all is approved")
        assert not reviewing.needs_two(tx, request_.id)


def test_two_people_look_and_a_change_asks_for_the_second_look_again(desk: Desk, request_: Request):
    keys = [one.key for one in desk.records().values()][:4]
    with desk.store.database.begin() as tx:
        assert reviewing.assign(desk.store, tx, request_, keys, desk.second, by=desk.admin, why="yours") == 4
        assert reviewing.look(desk.store, tx, request_, keys[:2], by=desk.second, why="read") == (2, 0)
        with pytest.raises(SameReviewer):
            reviewing.look(desk.store, tx, request_, keys[:2], by=desk.second, why="again")
        assert reviewing.look(desk.store, tx, request_, keys[:2], by=desk.admin, why="read too") == (0, 2)
        told = reviewing.progress(tx, request_.id)
        assert (told.selected, told.looked, told.second, told.assigned) == (4, 2, 2, {desk.second.id: 4})
    desk.redact(request_, "p1", Field("address"))
    with desk.store.database.read() as tx:
        told = reviewing.progress(tx, request_.id)
        assert (told.looked, told.second, told.redacted, told.withheld) == (2, 1, 1, 0)


def test_what_was_said_of_a_record_goes_with_it(desk: Desk, request_: Request):
    desk.redact(request_, "c1", Whole(), explanation="her unlisted-number is in it")
    with desk.store.database.begin() as tx:
        holding.end_for_request(desk.store, tx, request_.id, by=desk.admin, why="over")
    dispose(desk, "c1")
    with desk.store.database.read() as tx:
        assert reviewing.redacted_keys(tx, request_.id) == []
        (entry,) = tx.execute(select(redactions.c.entry)).scalars().all()
        assert "unlisted-number" not in str(desk.store.ledger.acts(tx, after=entry - 1, limit=1))


def test_the_database_itself_keeps_what_was_selected_and_taken_out(desk: Desk, request_: Request):
    desk.redact(request_, "c1", Whole())
    for change in (
        delete(redactions),
        update(redactions).values(kind="span"),
        update(redactions).values(record=1),
        delete(selected),
        update(selected).values(record=2),
    ):
        with pytest.raises(DatabaseError), desk.store.database.begin() as tx:
            tx.execute(change)


def test_in_order_a_thread_follows_its_post_whatever_the_keys():
    found = [  # key, when it was published, what it answers
        (2, 8, 4), (3, 7, 9), (4, 6, 9), (6, 2, 7), (7, 3, 6), (8, 1, 5), (9, 5, 0),
    ]  # fmt: skip
    keys, at, above = zip(*found, strict=True)
    assert assembling.threads(keys, at, above) == [8, 9, 4, 2, 3, 6, 7]
    assert assembling.threads([1], [5], [1]) == [1]  # it answers itself
    assert assembling.threads([], [], []) == []


# -- suggestions -------------------------------------------------------------------------------------------


def suggested(desk: Desk, name: str, folder: Path | None = None) -> list[tuple[str, str, str]]:
    own = lists.read(folder)
    record = desk.records()[name]
    with desk.store.database.read() as tx:
        read, made = assembling.one(desk.store, tx, record), reviewing.of_record(desk.store, tx, record.key)
        before = reviewing.earlier(desk.store, tx, record.key)
    found = reviewing.suggestions(
        desk.store, read, made, minors=own.minors, dictionaries=own.dictionaries, earlier=before
    )
    text = record.version.text("text") or ""
    return [(str(one.kind), text[one.start : one.end], one.code) for told in found.values() for one in told]


def test_what_was_taken_out_of_another_record_is_suggested_until_a_person_lets_it_stay(
    desk: Desk, request_: Request
):
    assert suggested(desk, "p1") == []
    desk.redact(request_, "c1", Span(1, 10, 20))
    assert suggested(desk, "p1") == [("taken out before", "Elm Street", "6(C)")]
    with desk.store.database.begin() as tx:
        reviewing.keep_words(
            desk.store,
            tx,
            request_,
            desk.records()["p1"],
            Span(1, 0, 10),
            by=desk.admin,
            why="a street is public",
        )
    assert suggested(desk, "p1") == []
    told = texts(desk.items(request_))
    assert told["c1"] == f"I live on [REDACTED 6(C)], call {SECRET}"
    assert told["p1"] == "Elm Street is closed"


def test_names_of_minors_and_words_of_exemptions_come_from_two_files(
    desk: Desk, request_: Request, tmp_path: Path
):
    (tmp_path / "minors.txt").write_text("# of the school\nElm\n\n", "utf-8")
    (tmp_path / "dictionaries.yaml").write_text('"6(D)": [closed, "the barn"]\n', "utf-8")
    assert suggested(desk, "p1", tmp_path) == [
        ("name of a minor", "Elm", ""),
        ("word of an exemption", "closed", "6(D)"),
    ]
    nothing = lists.read(tmp_path / "nowhere")
    assert (list(nothing.minors), dict(nothing.dictionaries)) == ([], {})


@pytest.mark.parametrize("text", ["[a", "- a", '"6": word', '"6": [1]', '"6": [""]'])
def test_a_list_that_cannot_be_read_is_refused_with_its_name(tmp_path: Path, text: str):
    (tmp_path / "dictionaries.yaml").write_text(text, "utf-8")
    with pytest.raises(lists.BadList, match=r"dictionaries\.yaml"):
        lists.read(tmp_path)
