"""Folders of any size are walked in the order of their paths, and no link leads out of them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from app.records.folders import below


def test_everything_below_a_folder_is_told_in_the_order_of_paths(tmp_path: Path):
    for name in ("b/2.txt", "b/1.txt", "b-1/x", "b.txt", "a/c/d/e", "Z", "ä/ß"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    assert list(below(tmp_path)) == sorted(tmp_path.rglob("*"))


def test_a_link_is_told_and_not_followed(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to(tmp_path)
    assert [one.name for one in below(tmp_path)] == ["folder", "up"]


def test_of_what_is_no_folder_there_is_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    assert [*below(tmp_path / "file"), *below(tmp_path / "nothing")] == []


def test_only_the_names_of_one_folder_are_held_at_a_time(tmp_path: Path):
    for folder in range(40):
        (tmp_path / str(folder)).mkdir()
        for file in range(100):
            (tmp_path / str(folder) / f"{file}.txt").touch()

    def peak(walk) -> int:
        tracemalloc.start()
        assert walk() == 4_040
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    held = peak(lambda: len(list(below(tmp_path))))
    assert peak(lambda: sum(1 for _ in below(tmp_path))) < held / 10
