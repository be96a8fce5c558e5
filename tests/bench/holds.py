"""Place a hold by standing query over many records, and see that it is exact.

    python tests/bench/holds.py FOLDER COUNT

Makes an archive in FOLDER, imports COUNT invented lines, indexes them, places a
hold by words and days, and prints as JSON how long the looking and the placing
took and whether every record is covered that should be, and no other.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app import officers
from app.capture import importing, overview
from app.holds import covering, finding, matters, placing
from app.holds.scopes import Scope
from app.main import Archive, make, open_archive
from app.records.nouns import Officer, Role
from app.settings import Settings

WORDS = (
    "road",
    "bridge",
    "flood",
    "closed",
    "open",
    "river",
    "thanks",
    "when",
    "council",
    "meeting",
    "dog",
    "tax",
)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
QUERY = "flood OR (bridge w/3 closed)"
_ALL_AT_ONCE = 2_000


def lines(count: int, chance: random.Random) -> Iterator[str]:
    """Lines of an import; one in twenty has no date, one in ten a picture."""
    for number in range(count):
        told: dict[str, object] = {
            "platform": "blog",
            "page": "Bench",
            "native_id": str(number),
            "kind": "comment",
            "author": {"id": str(number % 5_000), "name": f"Neighbour {number % 5_000}"},
            "text": " ".join(chance.choices(WORDS, k=12)),
            "published_at": (BEGIN + timedelta(minutes=number)).isoformat() if number % 20 else None,
        }
        if number % 10 == 0:
            told["attachments"] = [{"url": f"https://x.example/{number}.png", "media_type": "image/png"}]
        yield json.dumps(told) + "\n"


def main(folder: Path, count: int) -> dict[str, object]:
    settings = Settings(home=folder / "home", _env_file=None)
    store = make(settings, agency="Bench", domain="bench.example", timezone="America/Juneau")
    with store.database.begin() as tx:
        first = officers.first(store, tx, "bench@bench.example").officer
        officers.change_roles(store, tx, first, [*first.roles, Role.ATTORNEY], by=first, why="the benchmark")
        counsel = officers.get(tx, first.id)
    file = folder / "lines.jsonl"
    with file.open("w") as out:
        out.writelines(lines(count, random.Random(1)))
    importing.observations(
        store, file, page=None, make_pages=True, by=counsel.id, why="bench", tick=time.monotonic
    )
    archive = open_archive(settings, store=store)
    archive.follow()
    told = measured(archive, counsel)
    archive.close()
    return {"records": count, **told}


def measured(archive: Archive, counsel: Officer) -> dict[str, object]:
    store, scope = archive.store, Scope(query=QUERY, since="2024-02-01")
    with store.database.begin() as tx:
        matter = matters.open(store, tx, "Bench", by=counsel, why="the benchmark")
    began = time.monotonic()
    found = finding.find(store, archive.index, scope)
    looked = time.monotonic()
    with store.database.begin() as tx:
        placed = placing.place(store, tx, matter, scope, found, by=counsel, why="the benchmark")
    ended = time.monotonic()
    wrong = 0
    with store.database.read() as tx:
        running = covering.active(store, tx)
        rows = {one.key for one in _all(archive, placed)}
        keys = sorted(
            random.Random(2).sample(range(1, 1 + _records(archive)), min(_ALL_AT_ONCE * 5, _records(archive)))
        )
        for start in range(0, len(keys), _ALL_AT_ONCE):
            judged = covering.judged(store, tx, keys[start : start + _ALL_AT_ONCE], running)
            wrong += sum(any(told.values()) != (key in rows) for key, told in judged.items())
    return {
        "covers": placed.covers,
        "undecided": placed.by_basis.get(placing.UNDECIDED, 0),
        "looking_seconds": round(looked - began, 2),
        "placing_seconds": round(ended - looked, 2),
        "seconds": round(ended - began, 2),
        "judged_again": len(keys),
        "wrong": wrong,
    }


def _all(archive: Archive, placed: placing.Placed) -> Iterator[placing.Covered]:
    after: int | None = 0
    with archive.store.database.read() as tx:
        while after is not None:
            part = placing.records_of(tx, placed.hold, messages=True, after=after, limit=50_000)
            yield from part.records
            after = part.next


def _records(archive: Archive) -> int:
    with archive.store.database.read() as tx:
        return sum(one.records for one in overview.standings(tx, messages=True))


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
