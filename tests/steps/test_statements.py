"""The nightly check of what each page's introduction says: answers with dates and versions, marks that lapse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from app.capture import approvals, introductions, needs, pages
from app.capture.introductions import CANNOT_TELL, FOUND, MARKED, NOT_FOUND, UNCHECKED, NoPolicy, Standing
from app.capture.pages import About
from app.capture.policy import NoSuchPolicy
from app.records.clock import FixedClock
from app.records.errors import Refused
from app.store import Store, fixity
from app.store.tables import statement_answers
from connectors.contract import Author, Kind, Listing, Observation, State
from tests.steps.scripted import listing
from tests.steps.test_capture import OFFICER, World

MAINTAINED = "This page is maintained by the police department."
PHONE = "Call (307) 555-0142."


def profile(text: str, native_id: str = "site", **more: Any) -> Observation:
    return Observation(
        native_id=native_id, kind=Kind.PROFILE, text=text, author=Author(name="Police"), **more
    )


class Office(World):
    """A page that follows a profile, with its nightly checks."""

    def __init__(self, store: Store, clock: FixedClock, name: str = "juneau") -> None:
        super().__init__(store, clock)
        with store.database.begin() as tx:
            approvals.use(store, tx, name, by=OFFICER, why="our policy")

    def says(self, *shown: Observation, **more: Any) -> None:
        self.capture(listing(self.clock, *shown, **more))

    def night(self) -> int:
        self.clock.at += timedelta(hours=1)
        return introductions.check_all(self.store)

    def standings(self) -> dict[str, Standing]:
        with self.store.database.read() as tx:
            page = pages.get(tx, str(self.page.id))
            return {one.statement.name: one for one in introductions.standings(self.store, tx, page)}

    def answers(self) -> dict[str, str]:
        return {name: one.now.answer for name, one in self.standings().items()}

    def history(self, name: str) -> list[str]:
        return [one.answer for one in reversed(self.standings()[name].history)]

    def do(self, verb: Any, *given: Any, why: str = "it stands in the header picture") -> Any:
        with self.store.database.begin() as tx:
            page = pages.get(tx, str(self.page.id))
            return verb(self.store, tx, page, *given, by=OFFICER, why=why)

    def entries(self) -> int:
        with self.store.database.read() as tx:
            return self.store.ledger.size(tx)

    def missing(self) -> Sequence[str]:
        with self.store.database.read() as tx:
            return [one.what for one in needs.of_archive(self.store, tx) if "introduction" in one.what]


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    return World(store, clock)


@pytest.fixture
def office(store: Store, clock: FixedClock) -> Office:
    return Office(store, clock)


@pytest.fixture
def office_anywhere(anywhere: Store, clock: FixedClock) -> Office:
    return Office(anywhere, clock)


def test_a_night_writes_down_what_the_introduction_says_and_from_which_version(office_anywhere: Office):
    office = office_anywhere
    office.says(profile(f"{MAINTAINED} {PHONE}"))
    assert office.answers() == dict.fromkeys(
        ["purpose", "official-site", "maintained-by", "contact"], UNCHECKED
    )
    assert office.night() == 4
    assert office.answers() == {
        "purpose": NOT_FOUND,
        "official-site": CANNOT_TELL,
        "maintained-by": FOUND,
        "contact": FOUND,
    }
    record = office.records()["site"]
    now = office.standings()["maintained-by"].now
    assert (now.record, now.version, now.at, now.words) == (
        record.id,
        1,
        office.clock.now(),
        (MAINTAINED,),
    )
    with office.store.database.read() as tx:
        (told,) = [
            one for one in office.store.ledger.acts(tx, subject=office.page.id) if one.entry == now.entry
        ]
    assert told.officer is None
    assert told.why == introductions.WHY
    assert office.soundness() == []


def test_a_night_in_which_no_answer_changed_writes_nothing(office: Office):
    office.says(profile(MAINTAINED))
    office.night()
    size = office.entries()
    assert office.night() == 0
    assert office.entries() == size
    office.says(profile(f"{MAINTAINED} News."))
    size = office.entries()
    assert office.night() == 0
    assert office.entries() == size, "another version with the same answers"


def test_an_answer_that_changes_is_kept_beside_the_one_before_with_its_date(office: Office):
    office.says(profile(MAINTAINED))
    office.night()
    first = office.clock.now()
    office.says(profile("Welcome!"))
    size = office.entries()
    assert office.night() == 1
    assert office.entries() == size + 1, "one entry for what changed of a page"
    standing = office.standings()["maintained-by"]
    assert [(one.answer, one.at, one.version) for one in standing.history] == [
        (NOT_FOUND, office.clock.now(), 2),
        (FOUND, first, 1),
    ]
    assert standing.now.missing == ("that the department maintains it",)


def test_where_the_introduction_was_not_captured_nobody_can_tell(office: Office):
    office.night()
    assert set(office.answers().values()) == {CANNOT_TELL}
    assert office.missing() == [], "what nobody can tell is not said to be missing"
    office.says(profile("Welcome!"))
    office.night()
    assert len(office.missing()) == 2
    assert all("IV B2" in what for what in office.missing())


@pytest.mark.parametrize(
    "shown",
    [
        profile(MAINTAINED, private=True),
        profile(MAINTAINED, native_id="filter:1"),
        profile(MAINTAINED, native_id="at://did/app.bsky.graph.list/1"),
        profile(MAINTAINED, in_reply_to="p1"),
        profile(MAINTAINED, state=State.HIDDEN),
        Observation(native_id="p2", kind=Kind.POST, text=MAINTAINED),
    ],
    ids=["private", "filter", "list", "gate", "hidden", "post"],
)
def test_what_is_not_the_pages_public_introduction_makes_no_statement(office: Office, shown: Observation):
    office.says(shown)
    office.night()
    assert office.answers()["maintained-by"] == CANNOT_TELL


def test_an_introduction_that_is_gone_is_not_read_any_more(office: Office):
    office.says(profile(MAINTAINED))
    office.night()
    office.says(profile(MAINTAINED, state=State.HIDDEN))
    office.night()
    assert office.history("maintained-by") == [FOUND, CANNOT_TELL]


def test_fields_and_links_beside_the_words_are_read_too(office: Office):
    office.do(pages.describe, About(official_site="https://town.example/police"))
    html = '<p>News <a href="https://town.example/police/">more</a></p>'
    office.says(profile("News more", html=html, extra={"fields": [{"name": "Phone", "value": PHONE}]}))
    office.night()
    assert (office.answers()["official-site"], office.answers()["contact"]) == (FOUND, FOUND)


def test_statements_that_stand_in_two_records_of_the_introduction_are_both_found(office: Office):
    office.says(profile(MAINTAINED), profile(PHONE, native_id="about"))
    office.night()
    assert (office.answers()["maintained-by"], office.answers()["contact"]) == (FOUND, FOUND)


# -- profiles ----------------------------------------------------------------------------------------------


def test_without_a_profile_nothing_is_asked_and_nothing_is_missing(world: World):
    world.capture(listing(world.clock, profile("Welcome!")))
    assert introductions.check_all(world.store) == 0
    with world.store.database.read() as tx:
        assert introductions.standings(world.store, tx, world.page) == []
    with pytest.raises(NoPolicy), world.store.database.begin() as tx:
        introductions.mark(world.store, tx, world.page, "contact", by=OFFICER, why="test")


def test_each_profile_keeps_its_own_answers(office: Office):
    office.says(profile(f"{MAINTAINED} {PHONE}"))
    office.night()
    with office.store.database.begin() as tx:
        approvals.use(office.store, tx, "jackson", by=OFFICER, why="another policy")
    assert set(office.answers().values()) == {UNCHECKED}
    assert office.night() == 7
    assert office.answers()["monitoring"] == NOT_FOUND
    with office.store.database.begin() as tx:
        approvals.use(office.store, tx, "juneau", by=OFFICER, why="back again")
    assert "monitoring" not in office.answers()
    assert office.answers()["maintained-by"] == FOUND


def test_a_page_to_which_no_policy_applies_is_asked_nothing(office: Office):
    office.says(profile("Welcome!"))
    office.do(pages.describe, About(policy="none"))
    assert office.night() == 0
    assert office.standings() == {}


# -- marks -------------------------------------------------------------------------------------------------


def test_a_person_marks_a_statement_as_present_and_the_mark_stands_while_the_introduction_does(
    office: Office,
):
    office.says(profile("Welcome!"))
    office.night()
    assert len(office.missing()) == 2
    standing = office.do(introductions.mark, "maintained-by")
    assert (standing.now.answer, standing.now.by, standing.now.why) == (
        MARKED,
        OFFICER,
        "it stands in the header picture",
    )
    assert len(office.missing()) == 1
    assert office.night() == 0
    assert office.answers()["maintained-by"] == MARKED
    with pytest.raises(Refused, match="marked already"):
        office.do(introductions.mark, "maintained-by")


def test_a_mark_lapses_when_the_introduction_changes(office: Office):
    office.says(profile("Welcome!"))
    office.do(introductions.mark, "maintained-by")
    office.says(profile("Welcome to our page!"))
    office.night()
    assert office.history("maintained-by") == [MARKED, NOT_FOUND]
    office.do(introductions.mark, "maintained-by")
    assert office.history("maintained-by") == [MARKED, NOT_FOUND, MARKED]


def test_a_mark_of_an_introduction_that_was_not_captured_lapses_when_it_is(office: Office):
    office.do(introductions.mark, "contact")
    office.night()
    assert office.answers()["contact"] == MARKED
    office.says(profile("Welcome!"))
    office.night()
    assert office.answers()["contact"] == NOT_FOUND


def test_words_that_say_it_take_the_place_of_a_mark(office: Office):
    office.says(profile("Welcome!"))
    office.do(introductions.mark, "maintained-by")
    office.says(profile(MAINTAINED))
    office.night()
    assert office.history("maintained-by") == [MARKED, FOUND]
    with pytest.raises(Refused, match="says it already"):
        office.do(introductions.mark, "maintained-by")


def test_a_mark_is_taken_back(office: Office):
    office.says(profile("Welcome!"))
    office.do(introductions.mark, "maintained-by")
    office.do(introductions.unmark, "maintained-by", why="the picture says something else")
    assert office.history("maintained-by") == [MARKED, NOT_FOUND]
    with pytest.raises(Refused, match="not marked"):
        office.do(introductions.unmark, "maintained-by")
    with pytest.raises(NoSuchPolicy):
        office.do(introductions.mark, "monitoring")


def test_the_words_of_an_introduction_stand_in_no_row(office: Office):
    office.says(profile(MAINTAINED))
    office.night()
    with office.store.database.read() as tx:
        rows = tx.execute(statement_answers.select()).all()
    assert rows
    assert not any("maintained by" in str(value) for row in rows for value in row)
    assert fixity.verify(office.store, full=True).findings == []


def test_an_introduction_that_is_missing_from_its_listing_is_read_no_more(office: Office):
    office.says(profile(MAINTAINED), Observation(native_id="p1", kind=Kind.POST, text="news"))
    office.night()
    began = office.clock.now()
    office.capture(
        listing(
            office.clock,
            Observation(native_id="p1", kind=Kind.POST, text="news"),
            listings=[Listing(kinds=[Kind.PROFILE], began_at=began, exchange=0)],
        )
    )
    office.night()
    assert office.answers()["maintained-by"] == CANNOT_TELL
