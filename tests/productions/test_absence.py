"""Whatever people wrote and whatever was taken out of it, no production holds it in any form; what leaves is there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import main
from app.disclosure.assembling import Decided
from app.disclosure.package.recipe import USUAL, Form
from app.disclosure.redacting import Field, Redaction, Span, Whole
from app.disclosure.verify import checking, hunting
from app.records.clock import FixedClock
from connectors.contract import Author, Kind, Observation
from tests.archives import NOON, close, settings_at
from tests.steps.packing import Town, redaction
from tests.steps.scripted import listing
from tests.steps.test_capture import World

STEMS = (
    "Quagga", "Þórdís Ægir", "李小龍老師", "Жираф & сын", "<b>Okapi</b>", '=HYPERLINK("x")', "tab\there", "two\r\nlines", "a®þ\x14b",
    "\u202eterces\u202c", "ze\u200bro-width", "emoji 🦓🚧", "\\u0041 %41 &amp;", "O'Neill \"the\" [REDACTED P-1]", "ÁÉÍ" * 40,
)  # fmt: skip
LEAVES, WITHOUT_WORDS, WITHOUT_AUTHOR, KEPT_BACK = "whole", "words", "author", "withheld"


@dataclass(frozen=True)
class Said:
    """A record to be: a secret in its words, one in its author's name, what it answers, and what is decided of it."""

    stem: str
    name: str
    answers: int | None
    decided: str
    edited: bool


def secret(number: int, stem: str) -> str:
    """Words that stand nowhere else: no other secret holds them, and nothing that the program writes."""
    return f"{stem} zyx{number}wvq{number * 7919}"


def author(number: int, name: str) -> str:
    return f"{name} qvx{number}kjw{number * 7907}"


said = st.builds(
    Said,
    stem=st.sampled_from(STEMS),
    name=st.sampled_from(STEMS),
    answers=st.none() | st.integers(0, 3),
    decided=st.sampled_from([LEAVES, WITHOUT_WORDS, WITHOUT_AUTHOR, KEPT_BACK]),
    edited=st.booleans(),
)


def observed(number: int, one: Said, before: int, *, later: bool) -> Observation:
    answers = one.answers if one.answers is not None and one.answers < before else None
    words = f"Before {secret(number, one.stem)} after{' and later' if later and one.edited else ''}"
    return Observation(
        native_id=f"native-{number}-rtz{number * 7901}",
        kind=Kind.POST if answers is None else Kind.COMMENT,
        text=words,
        html=f"<p>{words}</p>",
        in_reply_to=f"native-{answers}-rtz{answers * 7901}" if answers is not None else None,
        author=Author(
            id=f"author-{number}-plk{number}", name=author(number, one.name), handle=f"handle{number}mnb"
        ),
        url=f"https://blog.example/native-{number}-rtz{number * 7901}",
        published_at=NOON - timedelta(hours=20 - number),
    )


def decided(number: int, one: Said) -> list[Redaction]:
    words = secret(number, one.stem)
    start = len("Before ")
    match one.decided:
        case "words":
            versions = (1, 2) if one.edited else (1,)
            return [redaction(Span(version, start, start + len(words))) for version in versions]
        case "author":
            return [redaction(Field("author"))]
        case "withheld":
            return [redaction(Whole(), "A-C")]
        case _:
            return []


def gone(number: int, one: Said) -> list[str]:
    """The strings of a record that may be nowhere."""
    leads = [
        author(number, one.name),
        f"author-{number}-plk{number}",
        f"handle{number}mnb",
        f"native-{number}-rtz{number * 7901}",
    ]
    match one.decided:
        case "words":
            return [secret(number, one.stem)]
        case "author":
            return leads
        case "withheld":
            return [secret(number, one.stem), *leads]
        case _:
            return []


def produced(
    template: Path, work: Path, records: Sequence[Said], forms: frozenset[Form]
) -> tuple[Path, Mapping[str, int]]:
    home = Path(shutil.copytree(template, work / "home"))
    clock = FixedClock(NOON)
    store = main.open_store(settings_at(home), clock)
    try:
        world = World(store, clock)
        for later in (False, True):
            shown = [observed(number, one, number, later=later) for number, one in enumerate(records)]
            world.capture(listing(clock, *shown))
        town = Town(world)
        known = {native: record.key for native, record in world.records().items()}
        for number, one in enumerate(records):
            if redactions := decided(number, one):
                town.decided[known[f"native-{number}-rtz{number * 7901}"]] = Decided(redactions=redactions)
        built = town.produce(work / "out", town.recipe(forms=forms))
    finally:
        close(store)
    return built.folder, known


def holds(template: Path, work: Path, records: Sequence[Said], forms: frozenset[Form]) -> None:
    """The law: nothing that was taken out is there, everything else is, and the check finds nothing wrong."""
    folder, _ = produced(template, work, records, forms)
    try:
        absent = [word for number, one in enumerate(records) for word in gone(number, one)]
        told = hunting.hunt(absent, folder)
        assert [(absent[hit.word], hit.where, hit.form) for hit in told.hits] == []
        assert told.unread == []
        leaving = [
            f"zyx{number}wvq{number * 7919}"
            for number, one in enumerate(records)
            if one.decided in {LEAVES, WITHOUT_AUTHOR}
        ]
        assert {hit.word for hit in hunting.hunt(leaving, folder).hits} == set(range(len(leaving)))
        assert checking.check(folder).findings == []
    finally:
        shutil.rmtree(work)


def test_nothing_that_was_taken_out_is_anywhere_whatever_people_write(archive_template: Path, tmp_path: Path):
    every = [LEAVES, WITHOUT_WORDS, WITHOUT_AUTHOR, KEPT_BACK]
    records = [
        Said(stem, STEMS[-1 - number], number - 1 if number % 3 else None, every[number % 4], number % 2 == 0)
        for number, stem in enumerate(STEMS)
    ]
    (tmp_path / "work").mkdir()
    holds(archive_template, tmp_path / "work", records, USUAL)


@pytest.mark.faults
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    records=st.lists(said, min_size=1, max_size=12),
    without=st.sampled_from([frozenset(), {Form.PDF, Form.IMAGES}, {Form.PROOFS}, {Form.CSV, Form.XLSX}]),
)
def test_nothing_that_was_taken_out_is_anywhere(
    archive_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    records: list[Said],
    without: frozenset[Form],
):
    holds(archive_template, tmp_path_factory.mktemp("absence"), records, USUAL - without)
