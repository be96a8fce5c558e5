"""Which fields of a record a production's proof shows: those whose very value can be read in what leaves, and no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.disclosure.package import numbering, proving
from app.disclosure.package.proving import NEVER, ProofsDiffer, evident, hides, shows
from app.disclosure.package.recipe import Form
from app.disclosure.released import (
    Marked,
    Passage,
    Released,
    ReleasedAuthor,
    ReleasedPage,
    ReleasedVersion,
    Removed,
    Withheld,
)
from app.records.clock import FixedClock
from app.store import Store
from app.store.ledger import LedgerBroken
from app.store.tables import pieces
from tests.steps.packing import Town, lay
from tests.steps.test_capture import World

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
words = st.text(min_size=1, max_size=8)
marked = st.one_of(st.none(), words, st.just(Removed("P-1")))


def record(
    said: Passage, author: tuple[Marked | None, ...], url: Marked | None, native: Marked | None
) -> Released:
    version = ReleasedVersion(
        number=1, entry=1, state="present", observed_at=NOON, last_seen_before=NOON, edited_at=None, text=said
    )
    return Released(
        key=1, id=UUID(int=1),
        page=ReleasedPage(id=UUID(int=2), name="Blog", platform="blog", address="", custodian=""),
        kind="post", root=UUID(int=1), in_reply_to=None,
        author=ReleasedAuthor(id=author[0], name=author[1], handle=author[2]),
        url=url, native_id=native, published_at=NOON, first_seen=NOON, last_seen=NOON, language="en", counts={},
        origin="captured", received=None, series=None, versions=[version],
    )  # fmt: skip


records = st.builds(
    record, st.lists(st.one_of(words, st.just(Removed("P-1"))), max_size=3), st.tuples(marked, marked, marked), marked,
    marked,
)  # fmt: skip


@given(records, words)
def test_what_was_taken_out_is_not_shown_whatever_it_was(told: Released, value: str):
    version = told.now
    for name, now in (
        ("author_id", told.author.id),
        ("author_name", told.author.name),
        ("author_handle", told.author.handle),
        ("url", told.url),
        ("native_id", told.native_id),
    ):
        assert shows(told, version, name, value) == (now == value)
        if isinstance(now, Removed):
            assert not shows(told, version, name, str(now))
    if any(isinstance(run, Removed) for run in version.text):
        assert not shows(told, version, "text", "".join(map(str, version.text)))


@given(records, st.sampled_from(sorted(NEVER)), st.one_of(words, st.booleans(), st.lists(words), st.none()))
def test_fields_that_lead_elsewhere_are_not_shown_whatever_they_hold(
    told: Released, name: str, value: object
):
    assert not shows(told, told.now, name, value)


@given(records, st.text(max_size=12), st.one_of(st.none(), st.integers(), st.dictionaries(words, words)))
def test_a_field_that_nobody_knows_is_not_shown(told: Released, name: str, value: object):
    assert not shows(told, told.now, f"new_{name}", value)


def test_times_are_shown_where_they_are_the_same_moment_however_written():
    told = record(("words",), (None, None, None), None, "n1")
    assert shows(told, told.now, "published_at", "2026-03-02T13:00:00+01:00")
    assert not shows(told, told.now, "published_at", "2026-03-02T13:00:00+00:00")
    assert not shows(told, told.now, "published_at", "yesterday")
    assert shows(told, told.now, "last_seen_before", "2026-03-02T12:00:00+00:00")
    assert not shows(told, told.now, "edited_at", "2026-03-02T12:00:00+00:00")


@given(records)
def test_a_record_hides_what_leads_to_it_where_address_id_or_author_is_taken_out(told: Released):
    taken = any(
        isinstance(one, Removed) for one in (told.url, told.native_id, told.author.id, told.author.handle)
    )
    assert hides(told) == taken


# -- on a real ledger --------------------------------------------------------------------------------------


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Town:
    return lay(World(store, clock))


def test_a_whole_record_below_a_hidden_one_does_not_show_its_bytes_and_one_beside_it_does(town: Town):
    recipe = town.recipe(frozenset({Form.PROOFS}))
    numbers = numbering.Numbering(recipe)
    documents = [numbers.give(item, 1) for item in town.items()(0)]
    hidden = {one.item.id for one in documents if hides(one.item)}
    names = {record.id: name for name, record in town.world.records().items()}
    assert {names[one] for one in hidden} == {"c2-okapi", "c3"}
    assert {names[one.item.id] for one in documents if evident(one, hidden)} == {"p1", "c1"}
    assert {names[one.item.id] for one in documents if evident(one, set())} == {"p1", "c1", "c4", "c5"}


def test_an_item_that_is_not_of_the_ledger_is_proven_by_nothing(town: Town, tmp_path: Path):
    recipe = town.recipe(frozenset({Form.PROOFS}))
    numbers = numbering.Numbering(recipe)
    documents = {one.item.key: one for one in (numbers.give(item, 1) for item in town.items()(0))}
    whole, kept = documents[town.key("p1")], documents[town.key("c3")]
    assert isinstance(whole.item, Released)
    assert isinstance(kept.item, Withheld)
    other = whole.item.versions[0].entry
    for wrong in (
        replace(whole, item=replace(whole.item, versions=[replace(whole.item.versions[0], entry=other + 1)])),
        replace(whole, item=replace(whole.item, versions=[replace(whole.item.versions[0], number=9)])),
        replace(kept, item=replace(kept.item, entries=[other])),
    ):
        with town.store.database.read() as tx, pytest.raises(ProofsDiffer):
            proving.write(town.store, tx, wrong, tmp_path / "proof", recipe.checkpoint, evident=True)
    with town.store.database.read() as tx:
        assert proving.write(town.store, tx, whole, tmp_path / "whole", recipe.checkpoint, evident=True) == 2


def test_bytes_that_are_not_there_any_more_are_noticed_and_nothing_is_produced(town: Town, tmp_path: Path):
    recipe = town.recipe(frozenset({Form.PROOFS}))
    numbers = numbering.Numbering(recipe)
    whole = next(numbers.give(item, 1) for item in town.items()(0) if item.key == town.key("p1"))
    with town.store.database.begin() as tx:
        tx.execute(text("DROP TRIGGER pieces_refuse_update"))
        tx.execute(pieces.update().where(pieces.c.record == whole.item.key).values(record=town.key("c1")))
        with pytest.raises(ProofsDiffer, match="read from"):
            proving.write(town.store, tx, whole, tmp_path / "proof", recipe.checkpoint, evident=True)


def test_a_production_under_a_checkpoint_that_was_never_signed_is_refused(town: Town, tmp_path: Path):
    recipe = town.recipe(frozenset({Form.PROOFS}))
    with town.store.database.read() as tx, pytest.raises(LedgerBroken):
        proving.shared(town.store, tx, tmp_path, recipe.checkpoint - 1, [1])
