"""Numbers of a production: one a page, in order, without a gap, never given twice; names that no system confuses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure.package import numbering, recipe
from app.disclosure.package.numbering import MOST, Numbering, NumbersUsedUp, Place
from app.disclosure.package.recipe import USUAL, BadPrefix, BadRecipe, Earlier, Form, Ground, Numbered, Recipe
from app.disclosure.released import (
    Item,
    Leaves,
    Made,
    Released,
    ReleasedAttachment,
    ReleasedAuthor,
    ReleasedPage,
    ReleasedVersion,
    Withheld,
)
from app.store.canonical import canonical

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PAGE = ReleasedPage(
    id=UUID(int=1), name="Blog", platform="blog", address="https://blog.example", custodian="Ada"
)
MADE = Made(where="author", code="P-1", citation="", explanation="", by="Ada", approved_by=None, on=NOON)


def made(**more: object) -> Recipe:
    told = Recipe(
        production=UUID(int=5), number="PD-2026-0001-P01", request="PD-2026-0001", title="Weirs", agency="Harrow Falls",
        domain="harrowfalls.example", timezone="America/Juneau", prefix="HF-", first=1, volume="VOL001", made_at=NOON,
        as_of=9, checkpoint=9, forms=USUAL, exemptions={"P-1": Ground("a", "b", "c")}, software="Muniment 1",
    )  # fmt: skip
    return replace(told, **more)  # type: ignore[arg-type]  # the fields by name


def released(
    number: int, above: int | None = None, attached: Sequence[str | None] = (), **more: object
) -> Item:
    files = [
        ReleasedAttachment(
            id=UUID(int=10**6 + number * 100 + place), leaves=Leaves.WHOLE if kind else Leaves.MISSING,
            media_type=kind, size=1, chunks=(lambda: iter([b"x"])) if kind else None,
        )
        for place, kind in enumerate(attached)
    ]  # fmt: skip
    version = ReleasedVersion(
        number=1, entry=number, state="present", observed_at=NOON, last_seen_before=None, edited_at=None,
        text=("words",), attachments=files,
    )  # fmt: skip
    told = Released(
        key=number, id=UUID(int=100 + number), page=PAGE, kind="post" if above is None else "comment",
        root=UUID(int=100 + number), in_reply_to=None if above is None else UUID(int=100 + above),
        author=ReleasedAuthor(), url=None, native_id=f"n{number}", published_at=NOON, first_seen=NOON, last_seen=NOON,
        language=None, counts={}, origin="captured", received=None, series=None, versions=[version],
    )  # fmt: skip
    return replace(told, **more)  # type: ignore[arg-type]  # the fields by name


def withheld(number: int) -> Item:
    return Withheld(
        key=number, id=UUID(int=100 + number), page=PAGE, kind="post", root=UUID(int=100 + number), in_reply_to=None,
        day="2026-03-02", author="visitor", entries=[number], grounds=[MADE],
    )  # fmt: skip


def numbered(
    told: Recipe, documents: Sequence[tuple[Item, int]], place: Place | None = None
) -> list[Numbered]:
    numbers = Numbering(told, place)
    return [numbers.give(item, pages) for item, pages in documents]


documents = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 5)),
        st.integers(1, 9),
        st.lists(st.sampled_from(["image/png", "video/mp4", "x/y", None]), max_size=3),
    ),
    min_size=1,
    max_size=40,
).map(
    lambda shape: [
        (released(place, None if back is None or back >= place else place - 1 - back, kinds), pages)
        for place, (back, pages, kinds) in enumerate(shape)
    ]
)


@given(documents, st.integers(1, 5_000_000))
def test_numbers_are_gapless_and_in_order_and_each_is_given_once(told: list[tuple[Item, int]], first: int):
    found = numbered(made(first=first), told)
    pages = [page for one in found for page in range(one.first, one.last + 1)]
    assert pages == list(range(first, first + sum(count for _, count in told)))
    assert [one.begins for one in found] == sorted(one.begins for one in found)
    assert all(one.begins == f"HF-{one.first:07d}" and one.ends == f"HF-{one.last:07d}" for one in found)


@given(documents)
def test_no_two_files_bear_one_name_whatever_their_case_and_every_name_is_plain(told: list[tuple[Item, int]]):
    names = []
    for one in numbered(made(), told):
        files = [one.names.pdf, one.names.text, one.names.native, one.names.proof]
        files += [name for name in one.names.images if name != one.names.pdf]
        files += [each.name for each in one.names.attached]
        names += [name for name in files if name is not None]
    assert len(names) == len({name.lower() for name in names})
    assert all(name == name.lower() and name.isascii() for name in names)


@given(documents, st.data())
def test_whoever_goes_on_where_a_family_begins_gives_the_same_numbers_and_names(
    told: list[tuple[Item, int]], data: st.DataObject
):
    whole = numbered(made(), told)
    numbers, places = Numbering(made()), []
    for item, pages in told:
        if numbers.starts(item):
            places.append((len(whole[: numbers.place.documents]), json.dumps(numbers.place.as_dict())))
        numbers.give(item, pages)
    at, place = data.draw(st.sampled_from(places))
    again = numbered(made(), told[at:], numbering.place(json.loads(place)))
    assert [(one.begins, one.names, one.thread, one.parent) for one in again] == [
        (one.begins, one.names, one.thread, one.parent) for one in whole[at:]
    ]


def test_a_family_shares_the_number_of_its_first_document_and_the_next_post_has_its_own():
    found = numbered(made(), [(released(0), 2), (released(1, 0), 1), (released(2, 1), 1), (released(3), 1)])
    assert [one.thread for one in found] == ["HF-0000001", "HF-0000001", "HF-0000001", "HF-0000005"]
    assert [one.parent for one in found] == [None, "HF-0000001", "HF-0000003", None]


def test_an_answer_to_what_is_not_produced_begins_a_family_of_its_own():
    (alone,) = numbered(made(), [(released(5, 4), 1)])
    assert (alone.thread, alone.parent) == (alone.begins, None)


def test_a_numbered_folder_holds_five_thousand_files_and_the_next_goes_into_another():
    found = numbered(made(), [(withheld(number), 1) for number in range(MOST + 1)])
    assert found[MOST - 1].names.text == "text/0001/hf-0005000.txt"
    assert found[MOST].names.text == "text/0002/hf-0005001.txt"


def test_what_is_withheld_or_redacted_has_no_native_file_and_what_leaves_whole_has():
    whole, part, kept = numbered(
        made(), [(released(0), 1), (released(1, redactions=[MADE]), 1), (withheld(2), 1)]
    )
    assert whole.names.native == "natives/0001/hf-0000001.json"
    assert (part.names.native, kept.names.native) == (None, None)
    assert (whole.whole, part.whole, kept.whole) == (True, False, False)


def test_attachments_that_leave_are_files_beside_the_record_and_missing_ones_are_not():
    (one,) = numbered(made(), [(released(0, attached=["image/png", None, "x/unheard-of"]), 3)])
    assert [each.name for each in one.names.attached] == [
        "natives/0001/hf-0000001-1.png",
        "natives/0001/hf-0000001-2.bin",
    ]


def test_pages_have_pictures_of_their_own_only_where_there_are_several():
    one, three = numbered(made(), [(released(0), 1), (released(1), 3)])
    assert one.names.images == ("pdf/0001/hf-0000001.pdf",)
    assert [name.rpartition("/")[2] for name in three.names.images] == [
        "hf-0000002.pdf",
        "hf-0000003.pdf",
        "hf-0000004.pdf",
    ]


def test_forms_that_are_not_asked_for_have_no_names():
    (one,) = numbered(made(forms=frozenset({Form.TEXT})), [(released(0, attached=["image/png"]), 1)])
    assert one.names == recipe.Names(text="text/0001/hf-0000001.txt")


# -- what follows ------------------------------------------------------------------------------------------


def after(first: int, **more: object) -> Recipe:
    """The recipe of a production that follows `made()`, from the number `first` on."""
    return made(
        number="PD-2026-0001-P02", volume="VOL002", supplements="PD-2026-0001-P01", first=first, **more
    )


def anew(first: int) -> Recipe:
    """One that gives the two pages of the record 100 anew, which stand at 3."""
    return after(first, replaces={UUID(int=100): Earlier("PD-2026-0001-P01", 3, 2, 1)})


@given(documents, documents)
def test_a_supplement_goes_on_after_the_last_number(
    first: list[tuple[Item, int]], second: list[tuple[Item, int]]
):
    numbers = Numbering(made())
    before = [numbers.give(item, pages) for item, pages in first]
    more = numbered(after(numbers.place.next), second)
    assert more[0].first == before[-1].last + 1
    assert not {one.begins for one in before} & {one.begins for one in more}


def test_what_is_produced_again_keeps_its_number_and_its_file_says_that_it_is_another():
    kept, new = numbered(anew(8), [(released(0), 2), (released(1), 1)])
    assert (kept.begins, kept.ends, kept.revision, kept.replaced) == (
        "HF-0000003",
        "HF-0000004",
        2,
        "PD-2026-0001-P01",
    )
    assert kept.names.text == "text/0001/hf-0000003-v2.txt"
    assert (new.begins, new.revision, new.replaced) == ("HF-0000008", 1, None)


def test_what_needs_more_pages_than_it_had_takes_new_numbers_and_nothing_is_squeezed_in():
    (moved,) = numbered(anew(8), [(released(0), 3)])
    assert (moved.begins, moved.ends, moved.revision) == ("HF-0000008", "HF-0000010", 1)
    assert moved.replaced == "PD-2026-0001-P01"


def test_after_the_last_number_that_seven_digits_hold_there_is_none():
    numbered(made(first=9_999_998), [(released(0), 2)])
    with pytest.raises(NumbersUsedUp):
        numbered(made(first=9_999_998), [(released(0), 3)])


# -- recipes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["TOWN-2026-0001-", "A", "2026-TOWN", "a-", "HF"])
def test_prefixes_that_load_programs_take(prefix: str):
    assert recipe.fit(prefix) == prefix


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "TOWN1",
        "TOWN ",
        "-TOWN",
        "=TOWN-",
        "TOWN(2)-",
        "TOWN[",
        "TÓWN-",
        "TOWN\u2010",
        "T" * 41,
        "A\n",
        "1",
    ],
)
def test_prefixes_that_would_be_misread_are_refused(prefix: str):
    with pytest.raises(BadPrefix):
        recipe.fit(prefix)


@given(st.text(max_size=12))
def test_no_prefix_that_is_taken_is_a_formula_or_runs_into_its_number(prefix: str):
    try:
        recipe.fit(prefix)
    except BadPrefix:
        return
    assert prefix[0].isalnum()
    assert not prefix[-1].isdigit()
    assert prefix.isascii()


def test_a_recipe_is_recalled_from_what_it_told_and_a_damaged_one_is_not():
    told = made(replaces={UUID(int=7): Earlier("PD-1", 3, 2, 1)}, supplements="PD-1")
    said = json.loads(canonical(told.told()))
    assert recipe.recalled(said) == told
    for name in said:
        with pytest.raises(BadRecipe):
            recipe.recalled({key: value for key, value in said.items() if key != name})
    for name, value in (
        ("first", "1"),
        ("forms", ["film"]),
        ("made_at", "today"),
        ("prefix", "X1"),
        ("first", True),
    ):
        with pytest.raises((BadRecipe, BadPrefix)):
            recipe.recalled({**said, name: value})


@pytest.mark.parametrize(
    "more",
    [
        {"made_at": NOON.replace(tzinfo=None)},
        {"made_at": NOON.replace(microsecond=1)},
        {"made_at": NOON.replace(year=1979)},
        {"first": 0},
        {"number": "pd 1"},
        {"volume": "VOLUME1"},
    ],
)
def test_a_recipe_that_could_not_be_carried_out_is_refused(more: dict[str, object]):
    with pytest.raises(BadRecipe):
        made(**more)
