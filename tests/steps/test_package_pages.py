"""What the store itself tells in a production: web captures with their holes, accounts of pages, what was disposed of."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from app.capture import pages
from app.disclosure.package.building import Built
from app.disclosure.package.completing import OF_A_RECORD, fit_to_leave
from app.disclosure.package.recipe import Form
from app.disclosure.redacting import Whole
from app.disclosure.verify import checking
from app.papers.paper import Press
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Gap, Span
from tests.steps.packing import Town, lay, redaction
from tests.steps.scripted import listing
from tests.steps.test_capture import OFFICER, World, comment, post
from tests.steps.test_destruction import dispose

FORMS = frozenset({Form.TEXT, Form.NATIVE, Form.CSV, Form.WACZ, Form.PROOFS, Form.COMPLETENESS})
AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    with closing(Press()) as made:
        yield made


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    return World(store, clock)


def warc(built: Built) -> list[tuple[str, bytes]]:
    (file,) = (built.folder / "bag/data/wacz").iterdir()
    with zipfile.ZipFile(file) as package:
        (name,) = [one for one in package.namelist() if one.endswith(".warc.gz")]
        content = package.read(name)
    return [(one.rec_type, one.content_stream().read()) for one in ArchiveIterator(BytesIO(content))]


def conversions(built: Built) -> list[bytes]:
    return [body for kind, body in warc(built) if kind == "conversion"]


# -- web captures ------------------------------------------------------------------------------------------


def test_bytes_that_a_released_record_shares_with_a_withheld_one_do_not_leave(
    world: World, press: Press, tmp_path: Path
):
    batch = listing(
        world.clock, post("p1", "shared words", published_at=AT), post("p2", "its own words", published_at=AT)
    )
    first, second = batch.observations
    (mine,) = first.evidence
    assert isinstance(mine, Span)
    both = [first, replace(second, evidence=(*second.evidence, mine))]
    world.capture(replace(batch, observations=both))
    town = Town(world)
    town.decide("p2", redaction(Whole()))
    kept = town.produce(tmp_path / "kept", town.recipe(FORMS), press=press)
    assert not (kept.folder / "bag/data/wacz").exists() or b"shared words" not in b"".join(conversions(kept))
    town.decided.clear()
    whole = town.produce(tmp_path / "whole", town.recipe(FORMS), press=press)
    assert any(b"shared words" in body for kind, body in warc(whole) if kind == "response")


def test_where_nothing_is_taken_out_answers_leave_as_they_came_and_with_one_withheld_they_do_not(
    world: World, press: Press, tmp_path: Path
):
    world.capture(
        listing(world.clock, post("p1", "one", published_at=AT), post("p2", "two", published_at=AT))
    )
    town = Town(world)
    clean = town.produce(tmp_path / "clean", town.recipe(FORMS), press=press)
    assert {"request", "response"} <= {kind for kind, _ in warc(clean)}
    town.decide("p2", redaction(Whole()))
    held = town.produce(tmp_path / "held", town.recipe(FORMS), press=press)
    assert not {"request", "response"} & {kind for kind, _ in warc(held)}
    (body,) = conversions(held)
    assert b'"one"' in body
    assert b'"two"' not in body
    assert b"/posts" not in b"".join(content for _, content in warc(held)), "how it was asked for stays"


def test_records_that_were_not_selected_are_holes_even_where_nothing_is_withheld(
    world: World, press: Press, tmp_path: Path
):
    world.capture(
        listing(world.clock, post("p1", "one", published_at=AT), post("p2", "two", published_at=AT))
    )
    town = Town(world)
    built = town.produce(tmp_path, town.recipe(FORMS), items=town.items([town.key("p1")]), press=press)
    (body,) = conversions(built)
    assert b'"one"' in body
    assert b'"two"' not in body
    assert checking.check(built.folder).findings == []


def test_a_page_of_which_nothing_leaves_whole_has_no_web_capture_and_the_production_says_so(
    world: World, press: Press, tmp_path: Path
):
    world.capture(listing(world.clock, post("p1", "one", published_at=AT)))
    town = Town(world)
    town.decide("p1", redaction(Whole()))
    built = town.produce(tmp_path, town.recipe(FORMS), press=press)
    assert not (built.folder / "bag/data/wacz").exists()
    assert dict(built.left_out)["wacz"] == "no record of it leaves with its very bytes"
    assert [one.how for one in built.given()] == [2]
    assert checking.check(built.folder).findings == []


# -- accounts ----------------------------------------------------------------------------------------------


def gaps(built: Built) -> list[dict[str, str]]:
    file = built.folder / "bag/data/proof/completeness/gaps.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_words_of_a_gap_leave_with_the_record_that_it_names_and_stay_where_that_stays(
    world: World, press: Press, tmp_path: Path
):
    found = [
        Gap(what="answers to a post", why="the platform shows 3 of 5", native_id=name)
        for name in ("p1", "p2", "never-held")
    ]
    batch = listing(
        world.clock, post("p1", "one", published_at=AT), post("p2", "two", published_at=AT), gaps=found
    )
    world.capture(batch)
    town = Town(world)
    town.decide("p2", redaction(Whole()))
    told = gaps(town.produce(tmp_path, town.recipe(FORMS), press=press))
    assert [(one["what"], one["why"]) for one in told] == [
        ("answers to a post", "the platform shows 3 of 5"),
        (OF_A_RECORD, ""),
        (OF_A_RECORD, ""),
    ]


@given(
    st.text(max_size=20),
    st.sampled_from(["https://x.example/a?b=c", "a@b.example", "12345678", "0123456789abcdef"]),
)
def test_no_address_and_no_long_number_leaves_in_the_words_of_a_gap(before: str, leads: str):
    assert leads not in fit_to_leave(f"{before} {leads} and more")


def test_words_that_lead_nowhere_leave_as_they_are():
    assert fit_to_leave("page 2: the server was busy (503)") == "page 2: the server was busy (503)"


def test_why_a_page_was_paused_stays_with_the_agency(world: World, press: Press, tmp_path: Path):
    world.capture(listing(world.clock, post("p1", "one", published_at=AT)))
    with world.store.database.begin() as tx:
        pages.pause(world.store, tx, world.page, by=OFFICER, why="the matter of Doe")
    town = Town(world)
    built = town.produce(
        tmp_path, town.recipe(FORMS), press=press,
        dates=(world.clock.now().replace(day=1), world.clock.now().replace(day=28)),
    )  # fmt: skip
    (told,) = gaps(built)
    assert (told["what"], told["why"]) == ("what the page showed while the agency had paused it", "")
    for file in built.folder.rglob("*"):
        if file.is_file():
            assert b"matter of Doe" not in file.read_bytes()


# -- what was disposed of ----------------------------------------------------------------------------------


def test_what_was_disposed_of_is_proven_when_that_is_asked_for_and_only_then(
    world: World, press: Press, tmp_path: Path
):
    world.capture(listing(world.clock, post("p1", "one", published_at=AT), comment("c1", "Quagga!")))
    gone = world.records()["c1"].id
    batch = dispose(world, "c1")
    town = Town(world)
    built = town.produce(tmp_path / "asked", town.recipe(FORMS | {Form.DISPOSALS}), press=press)
    folder = built.folder / "bag/data/proof/disposal" / str(batch)
    (stone,) = [json.loads(line) for line in (folder / "tombstones.jsonl").read_text().splitlines()]
    assert stone["record"] == str(gone)
    acts = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    assert [json.loads(one["entry"])["act"] for one in acts][:2] == ["authorised", "executed"]
    assert all(one["proof"] for one in acts)
    assert checking.check(built.folder).findings == []
    other = town.produce(tmp_path / "other", town.recipe(FORMS), press=press)
    assert not (other.folder / "bag/data/proof/disposal").exists()
    for file in built.folder.rglob("*"):
        if file.is_file():
            assert b"Quagga" not in file.read_bytes()


def test_a_production_without_proofs_says_so_and_checks_itself(world: World, press: Press, tmp_path: Path):
    town = lay(world)
    recipe = town.recipe(frozenset({Form.TEXT, Form.CSV}), checkpoint=0)
    built = town.produce(tmp_path, recipe, press=press)
    assert not (built.folder / "bag/data/proof").exists()
    assert ("proofs", "not asked for") in built.left_out
    assert checking.check(built.folder).findings == []


def test_a_production_checks_itself_whatever_database_it_was_made_from(
    anywhere: Store, clock: FixedClock, press: Press, tmp_path: Path
):
    town = lay(World(anywhere, clock))
    dispose(town.world, "c1")
    built = town.produce(tmp_path, town.recipe(FORMS | {Form.DISPOSALS, Form.RSMF}), press=press)
    assert checking.check(built.folder).findings == []
    assert built.counts.documents == 6
