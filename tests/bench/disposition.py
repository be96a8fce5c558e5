"""A batch of 100,000 records proposed, approved, executed, verified and certified; and the reading of the same rows alone.

    python tests/bench/disposition.py [FOLDER] [RECORDS]

Prints one line of JSON: seconds of each part, records a second, the most
memory, and the floor: the same records opened one after the other in the same
run, which is what looking for their traces cannot do without.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app import main
from app.capture import importing
from app.disposition import approving, certifying, executing, proposing
from app.holds import matters, placing
from app.holds.scopes import Scope
from app.records.nouns import Officer, Role
from app.retention import adopted, recording
from app.settings import Settings
from app.store import traces
from app.store.tables import records

SCHEDULE = b"""\
jurisdiction: us-xx-town
authority: Town council
title: Records retention schedule
edition: "2026"
effective: 2020-01-01
waiting_days: 0
approvals: [records_officer, approver]
series:
  - {code: COR-03, title: General correspondence, citation: "Resolution 12, item 3", verified: true,
     rule: {after: published, keep: P1D, then: destroy}}
classify: []
"""
CLERK = Officer(id=UUID(int=7), email="c@b.example", name="", roles=frozenset({Role.RECORDS_OFFICER}))
CHIEF = Officer(id=UUID(int=8), email="d@b.example", name="", roles=frozenset({Role.APPROVER}))
ATTORNEY = Officer(id=UUID(int=9), email="e@b.example", name="", roles=frozenset({Role.ATTORNEY}))
STAY = 10_000
"""Records that stay in the archive beside those that go: neighbours, for whom the index is made anew."""


def run(folder: Path, number: int) -> dict[str, float]:
    told: dict[str, float] = {"records": number}
    settings = Settings(home=folder / "home", _env_file=None)
    store = main.make(settings, agency="Bench", domain="bench.example", timezone="America/Juneau")
    file = folder / "lines.jsonl"
    with file.open("w") as out:
        for one in range(number + STAY):
            words = f"Notice {one}: the road to harbour {one % 977} is open again, says crew {one % 31}"
            line = {"platform": "blog", "page": f"page {one % 7}", "native_id": f"n-{one}-{one * 7919 % 100_003}", "kind": "post",
                    "published_at": f"20{10 + one % 10}-0{1 + one % 9}-1{one % 9}T12:00:00Z", "text": words,
                    "author": {"id": f"a{one % 500}", "name": f"Neighbour {one % 500}"}}  # fmt: skip
            out.write(json.dumps(line) + "\n")
    began = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal began
        now = time.perf_counter()
        told[name] = round(now - began, 2)
        began = now

    importing.observations(store, file, page=None, make_pages=True, by=None, why="bench", tick=time.monotonic)
    archive = main.open_archive(settings, store=store)
    archive.follow()
    lap("laid")
    with store.database.begin() as tx:
        adopted.adopt(store, tx, SCHEDULE, instrument="Resolution 12", by=CLERK.id, why="adopted")
        ids = [UUID(bytes=bytes(one)) for one in tx.execute(select(records.c.id).limit(number)).scalars()]
        for start in range(0, number, 10_000):
            recording.assign(store, tx, ids[start : start + 10_000], "COR-03", by=CLERK, why="bench")
    lap("assigned")
    with store.database.read() as tx:
        keys = list(tx.execute(select(records.c.key).limit(number)).scalars())
        traces.names_of(store, tx, keys)
    lap("floor")
    of = archive.disposing()
    with store.database.begin() as tx:
        matter = matters.open(store, tx, "Doe v. City", by=ATTORNEY, why="bench")
    scope = Scope(query='"harbour 13"')
    found, _ = placing.preview(store, archive.index, matter, scope, by=ATTORNEY)
    lap("hold looked at")
    with store.database.begin() as tx:
        listed = proposing.propose(of, tx, "COR-03", by=CLERK, why="due")
    lap("proposed")
    with store.database.begin() as tx:
        approving.approve(of, tx, listed.id, by=CHIEF, why="I looked")
    lap("approved")
    with store.database.begin() as tx:
        placing.place(store, tx, matter, scope, found, by=ATTORNEY, why="bench")
    lap("hold placed")
    done = executing.execute(of, listed.id, by=CLERK, why="due")
    lap("executed and verified")
    made = certifying.certify(of, listed.id, software="bench", by=CLERK, why="bench")
    made.pdf(of)
    lap("certified")
    assert done.disposed + len(done.excluded) == number, done
    assert done.excluded, "the hold covered something"
    whole = sum(told[name] for name in ("proposed", "approved", "executed and verified", "certified"))
    told |= {
        "disposed": done.disposed,
        "seconds": round(whole, 1),
        "records_a_second": round(number / whole),
        "times_the_floor": round(whole / told["floor"], 1),
        "most_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    archive.close()
    return told


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else ""
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    if where:
        print(json.dumps(run(Path(where), many)))
    else:
        with tempfile.TemporaryDirectory() as made:
            print(json.dumps(run(Path(made), many)))
