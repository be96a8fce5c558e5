"""A production that was broken off goes on to the same bytes, and never mixes what was with what is."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app import main
from app.db import DiskFull
from app.disclosure.package import building
from app.disclosure.package.building import (
    AlreadyProduced,
    NothingProduced,
    OtherProduction,
    ProductionBusy,
)
from app.disclosure.package.recipe import Earlier, Form, Recipe
from app.disclosure.package.spooling import ItemsChanged, mark_of
from app.disclosure.redacting import Field
from app.disclosure.released import Item, Leaves, Released
from app.disclosure.verify import checking
from app.papers.paper import Press
from app.records.clock import FixedClock
from app.store import Store
from tests.archives import NOON, close, settings_at
from tests.steps.packing import WEIR, Town, lay, redaction, tree
from tests.steps.scripted import listing
from tests.steps.test_capture import World, comment

QUICK = frozenset({Form.TEXT, Form.NATIVE, Form.CSV, Form.RSMF, Form.WACZ, Form.PROOFS, Form.COMPLETENESS})
"""Everything that needs no pages to be set, for tests that build again and again."""


QUICKLY = ("documents", "proofs", "before-tables-is-noted", "in-bag", "before-seal", "after-place")


class BrokenOff(Exception):
    """The machine stopped here."""


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    with closing(Press()) as made:
        yield made


@pytest.fixture(scope="module")
def town(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = tmp_path_factory.mktemp("town") / "home"
    clock = FixedClock(NOON)
    store: Store = main.open_store(settings_at(shutil.copytree(archive_template, home)), clock)
    made = lay(World(store, clock))
    made.recipe()  # signs the checkpoint under which everything here stands
    yield made
    close(store)


@pytest.fixture
def recipe(town: Town) -> Recipe:
    return town.recipe(QUICK)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was laid is written down after every family."""
    monkeypatch.setattr(building, "OFTEN", 1)
    monkeypatch.setattr(building, "SELDOM", 1)


@pytest.fixture
def whole(town: Town, recipe: Recipe, press: Press, tmp_path: Path) -> dict[str, bytes]:
    """What an unbroken build gives."""
    return tree(town.produce(tmp_path / "whole", recipe, press=press).folder)


def points(town: Town, recipe: Recipe, press: Press, out: Path) -> list[str]:
    met: list[str] = []
    town.produce(out, recipe, press=press, point=met.append)
    return met


def breaking(at: int) -> Callable[[str], None]:
    """Stops at the nth point."""
    met = iter(range(10_000))

    def point(name: str) -> None:
        if next(met) == at:
            raise BrokenOff(name)

    return point


def goes_on(town: Town, recipe: Recipe, press: Press, whole: dict[str, bytes], out: Path, at: int) -> None:
    with pytest.raises(BrokenOff):
        town.produce(out, recipe, press=press, point=breaking(at))
    built = town.produce(out, recipe, press=press)
    assert tree(built.folder) == whole, out
    built.settle()
    assert [one.name for one in out.iterdir()] == [recipe.folder]
    shutil.rmtree(out)


def test_two_builds_are_the_same_bytes(
    town: Town, recipe: Recipe, press: Press, whole: dict[str, bytes], tmp_path: Path
):
    assert tree(town.produce(tmp_path / "again", recipe, press=press).folder) == whole
    other = replace(recipe, made_at=recipe.made_at + timedelta(seconds=1))
    assert tree(town.produce(tmp_path / "later", other, press=press).folder) != whole


def test_broken_off_between_and_within_its_parts_it_goes_on_to_the_same_bytes(
    town: Town, recipe: Recipe, press: Press, whole: dict[str, bytes], tmp_path: Path
):
    met = points(town, recipe, press, tmp_path / "counted")
    for name in QUICKLY:
        goes_on(town, recipe, press, whole, tmp_path / name, met.index(name))


@pytest.mark.faults
def test_broken_off_at_every_point_it_goes_on_to_the_same_bytes(
    town: Town, recipe: Recipe, press: Press, whole: dict[str, bytes], tmp_path: Path
):
    met = points(town, recipe, press, tmp_path / "counted")
    assert len(met) > 25
    for at, name in enumerate(met):
        goes_on(town, recipe, press, whole, tmp_path / f"{name}-{at}", at)


def test_broken_off_again_and_again_it_comes_to_its_end(
    town: Town, recipe: Recipe, press: Press, whole: dict[str, bytes], tmp_path: Path
):
    out = tmp_path / "again"
    for _ in range(50):
        try:
            built = town.produce(out, recipe, press=press, point=breaking(14))
        except BrokenOff:
            continue
        assert tree(built.folder) == whole
        return
    raise AssertionError("it did not come to its end")


@pytest.mark.parametrize("harm", ["cut", "gone", "other"])
def test_a_file_that_is_not_what_was_written_down_is_made_anew(
    town: Town, recipe: Recipe, press: Press, whole: dict[str, bytes], tmp_path: Path, harm: str
):
    out = tmp_path / "harmed"
    met = points(town, recipe, press, tmp_path / "counted")
    with pytest.raises(BrokenOff):
        town.produce(out, recipe, press=press, point=breaking(met.index("documents")))
    (text, *_) = sorted((out / f"{recipe.folder}.part").rglob("*.txt"))
    match harm:
        case "cut":
            text.write_bytes(b"")
        case "gone":
            text.unlink()
        case _:
            text.write_text("something else")
    assert tree(town.produce(out, recipe, press=press).folder) == whole


@pytest.mark.parametrize("point", ["after-documents", "after-bag", "after-sealed", "after-place"])
def test_what_was_decided_otherwise_meanwhile_is_never_mixed_with_what_was_made_before(
    town: Town, recipe: Recipe, press: Press, tmp_path: Path, point: str
):
    met = points(town, recipe, press, tmp_path / "counted")
    with pytest.raises(BrokenOff):
        town.produce(tmp_path / "out", recipe, press=press, point=breaking(met.index(point)))
    other = Town(town.world, dict(town.decided))
    other.decide("c1", redaction(Field("author")))
    with pytest.raises(ItemsChanged):
        other.produce(tmp_path / "out", recipe, press=press)
    assert (tmp_path / "out" / recipe.folder).exists() == (point == "after-place")


def test_other_regions_of_a_picture_make_another_item_even_of_as_many_bytes(town: Town):
    def item(content: bytes) -> Item:
        (whole,) = [one for one in town.items()(0) if isinstance(one, Released) and one.key == town.key("p1")]
        version = whole.versions[-1]
        (heron,) = version.attachments
        made = replace(heron, leaves=Leaves.REDACTED, size=len(content), chunks=lambda: iter([content]))
        return replace(whole, versions=[replace(version, attachments=[made])])

    assert mark_of(item(b"left")) == mark_of(item(b"left"))
    assert mark_of(item(b"left")) != mark_of(item(b"side"))


def test_a_full_disk_is_called_so_and_the_production_goes_on_when_there_is_room(
    town: Town, recipe: Recipe, press: Press, whole: dict[str, bytes], tmp_path: Path
):
    def full(_name: str) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(DiskFull):
        town.produce(tmp_path / "out", recipe, press=press, point=full)
    assert tree(town.produce(tmp_path / "out", recipe, press=press).folder) == whole


@pytest.mark.parametrize("number", [5, 9])
def test_fewer_or_more_records_than_were_laid_are_noticed(
    town: Town, recipe: Recipe, press: Press, tmp_path: Path, number: int
):
    met = points(town, recipe, press, tmp_path / "counted")
    with pytest.raises(BrokenOff):
        town.produce(tmp_path / "out", recipe, press=press, point=breaking(met.index("after-documents")))
    keys = (town.keys() * 2)[:number]
    with pytest.raises(ItemsChanged):
        town.produce(tmp_path / "out", recipe, items=town.items(keys), press=press)


def test_what_is_written_down_as_done_was_brought_to_disk_before(
    town: Town, recipe: Recipe, press: Press, tmp_path: Path
):
    met: list[str] = []
    town.produce(tmp_path, recipe, press=press, point=met.append, settle=lambda: met.append("settled"))
    for at, name in enumerate(met):
        if name == "proofs" or name.endswith("-is-noted"):
            assert met[at - 1] == "settled", name


def test_another_production_does_not_go_on_where_one_was_broken_off(
    town: Town, recipe: Recipe, press: Press, tmp_path: Path
):
    with pytest.raises(BrokenOff):
        town.produce(tmp_path, recipe, press=press, point=breaking(0))
    with pytest.raises(OtherProduction):
        town.produce(tmp_path, replace(recipe, title="Another"), press=press)


def test_what_is_there_is_not_made_twice_and_says_the_same_until_its_numbers_are_written_down(
    town: Town, recipe: Recipe, press: Press, tmp_path: Path
):
    first = town.produce(tmp_path, recipe, press=press)
    again = town.produce(tmp_path, recipe, press=press)
    assert (again.counts, again.next, again.sealed) == (first.counts, first.next, first.sealed)
    assert list(again.given()) == list(first.given())
    first.settle()
    with pytest.raises(AlreadyProduced):
        town.produce(tmp_path, recipe, press=press)


def test_a_capture_while_it_is_built_changes_nothing_of_what_is_told(
    archive_template: Path, press: Press, tmp_path: Path
):
    clock = FixedClock(NOON)
    store: Store = main.open_store(settings_at(shutil.copytree(archive_template, tmp_path / "home")), clock)
    with closing(store.database):
        town = lay(World(store, clock))
        recipe = town.recipe(QUICK | {Form.HTML, Form.LOADFILE})
        undisturbed = tree(town.produce(tmp_path / "whole", recipe, press=press).folder)

        def seen_again(name: str) -> None:
            if name == "after-documents":
                words = town.world.texts("c1")[-1][1]
                seen = comment(
                    "c1",
                    words,
                    url=f"{WEIR}#c1",
                    published_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
                    counts={"likes": 9},
                )
                town.world.capture(listing(clock, seen))  # fmt: skip

        before = town.world.records()["c1"]
        built = town.produce(tmp_path / "out", recipe, press=press, point=seen_again)
        after = town.world.records()["c1"]
        assert (after.version.number, after.counts) == (before.version.number, {"likes": 9})
        assert after.last_seen > before.last_seen
        assert tree(built.folder) == undisturbed
        assert checking.check(built.folder).findings == []
        anew = tree(town.produce(tmp_path / "anew", recipe, press=press).folder)
        assert anew != undisturbed, "what is begun later says when it was seen since"


def test_two_do_not_make_one_production(town: Town, recipe: Recipe, press: Press, tmp_path: Path):
    def meanwhile(name: str) -> None:
        with pytest.raises(ProductionBusy):
            town.produce(tmp_path, recipe, press=press)
        raise BrokenOff(name)

    with pytest.raises(BrokenOff):
        town.produce(tmp_path, recipe, press=press, point=meanwhile)


def test_nothing_is_no_production(town: Town, recipe: Recipe, press: Press, tmp_path: Path):
    def none(_position: int) -> Iterator[Item]:
        return iter(())

    with pytest.raises(NothingProduced):
        town.produce(tmp_path, recipe, items=none, press=press)


def test_what_whoever_looks_refuses_is_not_sealed(town: Town, recipe: Recipe, press: Press, tmp_path: Path):
    seen: list[Path] = []

    def refuses(folder: Path) -> None:
        assert (folder / "bag/tagmanifest-sha256.txt").exists()
        assert not list(folder.glob("*.seal*"))
        seen.append(folder)
        raise BrokenOff("a word was found")

    with pytest.raises(BrokenOff):
        town.produce(tmp_path, recipe, press=press, look=refuses)
    assert not (tmp_path / recipe.folder).exists()
    assert len(seen) == 1
    assert town.produce(tmp_path, recipe, press=press).folder.exists()


# -- what follows a first production -----------------------------------------------------------------------


def following(recipe: Recipe, first: int, replaces: Mapping[UUID, Earlier] | None = None) -> Recipe:
    """The recipe of a production that follows this one, from the number `first` on."""
    return replace(
        recipe, number="PD-2026-0001-P02", volume="VOL002", supplements=recipe.number, first=first, replaces=replaces or {}
    )  # fmt: skip


def test_a_replacement_keeps_the_numbers_of_what_it_replaces_and_checks_itself(
    town: Town, press: Press, tmp_path: Path
):
    recipe = town.recipe(QUICK | {Form.PDF, Form.LOADFILE, Form.IMAGES})
    first = town.produce(tmp_path / "first", recipe, press=press)
    key = town.key("p2")
    (was,) = [one for one in first.given() if one.key == key]
    record = town.world.records()["p2"].id
    earlier = Earlier(recipe.number, was.first, was.pages, was.revision)
    after = following(recipe, first.next, {record: earlier})
    built = town.produce(tmp_path / "second", after, items=town.items([key]), press=press)
    (now,) = built.given()
    assert (now.first, now.revision, built.next) == (was.first, 2, first.next)
    told = checking.check(built.folder)
    assert told.findings == []


def test_in_a_replacement_what_needs_more_pages_takes_new_numbers_and_the_files_stay_in_order(
    town: Town, press: Press, tmp_path: Path
):
    recipe = town.recipe(QUICK | {Form.PDF, Form.LOADFILE, Form.IMAGES})
    ids = {name: record.id for name, record in town.world.records().items()}
    earlier = {ids["p1"]: Earlier(recipe.number, 1, 1, 1), ids["c1"]: Earlier(recipe.number, 3, 1, 2)}
    after = following(recipe, 40, earlier)
    keys = [town.key("p1"), town.key("c1")]
    built = town.produce(tmp_path, after, items=town.items(keys), press=press)
    moved, kept = built.given()
    assert (moved.first, moved.pages, moved.revision) == (40, 2, 1)
    assert (kept.first, kept.revision, built.next) == (3, 3, 42)
    assert checking.check(built.folder).findings == []


def test_a_supplement_goes_on_after_the_last_number_and_checks_itself(
    town: Town, press: Press, tmp_path: Path
):
    recipe = town.recipe(QUICK)
    keys = town.keys()
    first = town.produce(tmp_path / "first", recipe, items=town.items(keys[:3]), press=press)
    after = following(recipe, first.next)
    built = town.produce(tmp_path / "second", after, items=town.items(keys[3:]), press=press)
    assert next(built.given()).first == first.next
    assert checking.check(built.folder).findings == []
