"""An index whose files were damaged says so, names the remedy, and the remedy works: nothing in it is lost for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from app.index import generations
from app.index.documents import Document, Position
from app.index.engine import IndexFailed, IndexNeedsRebuild, Scope
from app.index.language import parse
from app.index.tantivy_engine import TantivyEngine
from app.index.whoosh_engine import WhooshEngine

Kept = TypeVar("Kept", TantivyEngine, WhooshEngine)
ANYBODY = Scope(ZoneInfo("UTC"))
OURS = ("muniment.json", "meta.json")


def a_record(number: int) -> Document:
    return Document(
        record=number,
        version=1,
        entry=number,
        page="p",
        page_name="P",
        platform="feed",
        kind="post",
        author=(),
        state="present",
        published_at=None,
        captured_at=datetime(2026, 1, 1, tzinfo=UTC),
        text="the road is flooded",
        language=None,
        media=False,
        origin="captured",
    )


def filled(engine: TantivyEngine | WhooshEngine) -> None:
    engine.add([a_record(number) for number in range(1, 30)])
    engine.commit(Position(29, 1))
    engine.settle()


def living(home: Path) -> Path:
    folder = generations.current(home)
    assert folder is not None
    return folder


def halved(*files: Path) -> None:
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def removed(*files: Path) -> None:
    for file in files:
        file.unlink()


def engines_own(home: Path) -> list[Path]:
    return [file for file in living(home).iterdir() if file.is_file() and file.name not in OURS]


def largest(home: Path) -> Path:
    return max(engines_own(home), key=lambda file: file.stat().st_size)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "every file cut": lambda home: halved(*engines_own(home)),
    "one file cut": lambda home: halved(largest(home)),
    "one file of nulls": lambda home: largest(home).write_bytes(bytes(largest(home).stat().st_size)),
    "files gone": lambda home: removed(*engines_own(home)),
    "what it says of itself is no table": lambda home: (living(home) / "muniment.json").write_text("[]"),
    "what it says of itself is no text": lambda home: (living(home) / "muniment.json").write_bytes(
        b"\xff\xfe"
    ),
}


@pytest.mark.parametrize("engine", [TantivyEngine, WhooshEngine])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_opens_says_so_and_is_made_anew(engine: type[Kept], damage: str, tmp_path: Path):
    filled(engine.open(tmp_path))
    DAMAGES[damage](tmp_path)
    opened = engine.open(tmp_path)
    with pytest.raises((IndexNeedsRebuild, IndexFailed)) as failed:
        opened.ask(parse("road").tree, ANYBODY).total()
    assert "muniment reindex" in str(failed.value.next)
    opened.settle()
    fresh = opened.beside()
    filled(fresh)
    opened.adopt(fresh)
    assert opened.ask(parse("road").tree, ANYBODY).total() == 29
    assert engine.open(tmp_path).ask(parse("road").tree, ANYBODY).total() == 29


def test_the_engines_own_table_of_contents_may_be_damaged_too(tmp_path: Path):
    filled(TantivyEngine.open(tmp_path))
    halved(living(tmp_path) / "meta.json")
    opened = TantivyEngine.open(tmp_path)
    with pytest.raises(IndexNeedsRebuild):
        opened.position()
    filled(fresh := opened.beside())
    opened.adopt(fresh)
    assert opened.position() == Position(29, 1)


@pytest.mark.parametrize("engine", [TantivyEngine, WhooshEngine])
@pytest.mark.parametrize("pointer", [b"\xff\xfe\x00", b"", b"generation-000099\n", b"../elsewhere\n"])
def test_a_pointer_that_points_nowhere_costs_time_and_nothing_else(
    engine: type[Kept], pointer: bytes, tmp_path: Path
):
    filled(engine.open(tmp_path))
    (tmp_path / generations.POINTER).write_bytes(pointer)
    opened = engine.open(tmp_path)
    assert opened.position() is None
    filled(opened)
    assert opened.ask(parse("road").tree, ANYBODY).total() == 29
