"""Counsel prepares for Doe v. Town: agrees on search terms, is told of more, declares a search, and runs it again.

Told as the town's attorney would tell it, at the command line; the town is
invented, and so is everybody in it.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app import officers
from app.cli.door import main as command
from app.db import Tx
from app.jobs.telling import Telling
from app.main import Archive, open_archive
from app.officers import mailer
from app.records.ids import new_id
from app.records.nouns import Role
from app.store import destruction
from tests.archives import settings_at
from tests.sinks import Sink

BASE = "https://archive.harrowfalls.example"
COUNSEL = "counsel@harrowfalls.example"
TERMS = """Bridge: bridge OR (mill w/3 crossing)
Closure: clos* AND NOT kind:profile
Injury: hurt OR injur* OR ambulance
Doe: author:"J. Doe" OR "jane doe
"""


def item(name: str, text: str, on: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "platform": "townbook",
        "page": "Harrow Falls Police",
        "native_id": name,
        "kind": "post" if on is None else "comment",
        "in_reply_to": on,
        "author": {"name": "J. Doe" if on else "Harrow Falls Police"},
        "published_at": "2026-02-02T15:10:00Z",
        "text": text,
        **more,
    }


FIRST = (
    item("p1", "Weaver Bridge is closed until Friday."),
    item("c1", "I was hurt on that bridge last night.", "p1"),
    item("c2", "Same here, the ambulance took an hour.", "p1"),
    item("p2", "The farmers' market opens at nine."),
    item("c3", "Will it close early?", "p2"),
)
LATER = (item("c4", "My knee was injured on the bridge as well.", "p1"),)


@dataclass
class Desk:
    """Two people at their terminals, and the letters that reach them."""

    home: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    tokens: dict[str, str]
    sink: Sink

    def run(self, *words: str, by: str = "counsel", code: int = 0) -> Any:
        self.monkeypatch.setenv("MUNIMENT_HOME", str(self.home))
        self.monkeypatch.setenv("MUNIMENT_TOKEN", self.tokens[by])
        assert command([*words, "--json"]) == code, self.capsys.readouterr()
        return json.loads(self.capsys.readouterr().out)

    def handed_in(self, items: Sequence[dict[str, Any]], file: Path) -> None:
        """The clerk takes in what a custodian handed over."""
        file.write_text("".join(json.dumps(one) + "\n" for one in items))
        self.run("import", str(file), "--as", "observations", "--make-pages", by="clerk")

    def opened(self) -> Archive:
        return open_archive(settings_at(self.home))

    def minute(self) -> list[tuple[str, str, str]]:
        """What the service does every minute: to whom letters went, their subjects and their words."""
        archive = self.opened()
        try:
            archive.follow()
            archive.look_for_alerts()
            clock = archive.store.clock
            smtp = mailer(f"smtp://127.0.0.1:{self.sink.port}", "archive@harrowfalls.example", clock=clock)
            before = len(self.sink.taken)
            Telling(archive.store, smtp, BASE, "07:00").tick()
        finally:
            archive.close()
        letters = [one for one in self.sink.messages()[before:] if one["To"] == COUNSEL]
        return [(one["To"], one["Subject"], one.get_content()) for one in letters]

    def dispose(self, record: str) -> None:
        """What disposition does when a schedule's time has come."""
        archive, batch = self.opened(), new_id()
        law = {"authority": "Town council", "series": "COR-03", "citation": "Resolution 12"}
        try:
            with archive.store.database.begin() as tx:
                by = officers.find(tx, "clerk@harrowfalls.example").id
                destruction.authorise(archive.store, tx, batch, [UUID(record)], **law, by=by, why="due")

            def nothing_held(_tx: Tx, _records: Sequence[UUID]) -> dict[UUID, str]:
                return {}

            destruction.execute(
                archive.store, batch, recheck=nothing_held, derived=archive.derived(), by=by, why="due", most=100
            )  # fmt: skip
        finally:
            archive.close()


@pytest.fixture
def desk(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serve: Callable[..., Sink],
) -> Desk:
    archive = open_archive(settings_at(home))
    with archive.store.database.begin() as tx:
        first = officers.first(archive.store, tx, "clerk@harrowfalls.example")
        invited = officers.add(
            archive.store, tx, COUNSEL, [Role.ATTORNEY], name="Sam Ito", by=first.officer, why="hired"
        )
        counsel = officers.accept(archive.store, tx, invited.secret, "quiet herons wade slowly")
    archive.close()
    return Desk(home, monkeypatch, capsys, {"clerk": first.token, "counsel": counsel.token}, serve())


def test_counsel_agrees_on_terms_is_told_of_more_and_declares_what_was_found(desk: Desk, tmp_path: Path):
    desk.handed_in(FIRST, tmp_path / "first.jsonl")

    # The other side proposes four terms. One has a slip of the pen; the rest is counted.
    terms = tmp_path / "terms.txt"
    terms.write_text(TERMS)
    told = desk.run("search-report", str(terms), code=7)
    assert [(one["name"], one["hits"], one["unique"], one["with_family"]) for one in told["queries"]] == [
        ("Bridge", 2, 0, 3),
        ("Closure", 2, 1, 5),
        ("Injury", 2, 1, 3),
    ]
    (slip,) = told["not_understood"]
    assert (slip["line"], slip["name"]) == (4, "Doe")
    assert terms.read_text().splitlines()[3][slip["column"] - 1] == '"'

    # Mended, and taken along to the meeting as a spreadsheet.
    terms.write_text(TERMS.replace('"jane doe', '"jane doe"'))
    told = desk.run("search-report", str(terms), "--csv", str(tmp_path / "terms.csv"))
    assert told["totals"] == {"queries": 4, "hits": 4, "with_family": 5}
    rows = list(csv.reader((tmp_path / "terms.csv").read_text("utf-8-sig").splitlines()))
    assert rows[0] == ["WORKING COPY – NOT A PRODUCTION"]

    # The agreed search is kept, and counsel wants to be told of more.
    query = "bridge AND (hurt OR injur*)"
    desk.run("saved", "add", "Doe injuries", query, "--everybody", "--why", "agreed on 3 May")
    desk.run("saved", "alert", "Doe injuries")
    assert desk.minute() == []

    # What is found today is declared.
    made = desk.run("declaration", "make", query, "--why", "Doe v. Town, request 4")
    found = desk.run("search", query, "--ids")["records"]
    assert made["total"] == len(found) == 1
    assert made["records_sha256"] == hashlib.sha256(f"{found[0]}\n".encode()).hexdigest()

    # A week later another comment is captured: one letter, with nothing of it inside.
    desk.handed_in(LATER, tmp_path / "later.jsonl")
    ((to, subject, words),) = desk.minute()
    assert (to, subject) == (COUNSEL, "Harrow Falls: 1 record new to a search that you saved")
    assert f"{BASE}/search/saved/" in words
    assert not {"knee", "injur", "bridge", "doe"} & set(words.lower().split())
    assert desk.minute() == []

    # Run again, the declaration still stands, and says what came since.
    told = desk.run("declaration", "again", made["id"])
    assert (told["verdict"], told["now"]["total"], told["now"]["captured_since"]) == ("same", 2, 1)

    # Then the schedule of the first comment runs out. The declaration says so, and no more.
    desk.dispose(found[0])
    told = desk.run("declaration", "again", made["id"])
    assert (told["verdict"], told["disposed_since"], told["as_of_then"]["missing"]) == ("disposed", 1, 1)
    assert (told["now"]["total"], told["now"]["captured_since"]) == (1, 1)
    assert desk.run("declaration", "show", made["id"]) == made
    assert desk.run("saved", "run", "Doe injuries", by="clerk")["total"] == 1
