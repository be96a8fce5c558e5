"""Every place where bytes become durable has a name, and is killed at or says why not."""

from __future__ import annotations

from pathlib import Path

from tests.faults import points


def elsewhere(name: str) -> list[str]:
    return [prefix for prefix in points.ELSEWHERE if name.startswith(prefix)]


def test_every_place_where_bytes_become_durable_is_named():
    found = points.in_source()
    assert len(found) > 80
    unnamed = {name for name in found - points.WRITE_POINTS if not elsewhere(name)}
    assert unnamed == set(), "name it in tests/faults/points.py: have an act that reaches it, or say why not"


def test_no_name_is_of_a_place_that_is_no_more():
    found = points.in_source()
    assert found >= points.WRITE_POINTS
    assert all(any(name.startswith(prefix) for name in found) for prefix in points.ELSEWHERE)
    assert not [name for name in points.WRITE_POINTS if elsewhere(name)]


def test_a_place_that_nobody_named_is_noticed(tmp_path: Path):
    """The twin: what the reading of the source takes for durable, and what not."""
    source = tmp_path / "new.py"
    source.write_text(
        "class Shelf:\n"
        "    def put(self, file):\n"
        "        os.fsync(file)\n"
        "        file.replace(self.there)\n"
        "        with self.database.begin() as tx:\n"
        "            later = lambda: shutil.rmtree(self.there)\n"
        "    def say(self, words, day, tiles):\n"
        "        words.replace('a', 'b'), day.replace(microsecond=0), runs.begin(words)\n"
    )
    assert points.named_in(source.read_text(), "store.new") == {
        "store.new.Shelf.put sync",
        "store.new.Shelf.put rename",
        "store.new.Shelf.put commit",
        "store.new.Shelf.put.<locals>.<lambda> remove",
    }
