"""What is in quarantine is there for two people alone: every route, to everybody else, byte by byte but for ids and times.

Two copies of one archive stand side by side. To one a comment came that holds
cover, a schedule lets go of and a question finds; then it was put into
quarantine. To the other it never came. Whoever is not one of the two who were
named asks both for everything that there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import insert

from app import officers
from app.capture import importing, records
from app.cli.door import main as command
from app.holds import acts, covering, finding, matters, placing, quarantine, releasing
from app.holds.scopes import Scope
from app.officers import passes
from app.officers.passes import Kind
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.retention import adopted, classifying
from app.store import Store, tables
from app.store.canonical import Json
from tests.doors.conftest import Person, Town, item, record_of
from tests.doors.test_silence import (
    OUTSIDE,
    Copy,
    addresses,
    asks,
    differing,
    filled,
    is_text,
    made_of,
    plainly,
)
from tests.steps.filing import a_schedule

COMMENT = item("x", "The bridge sways, said the quiet heron.", 15, in_reply_to="1")
AGAIN = item("4", "At least until Friday.", 11, in_reply_to="2", state="gone")
FILE = a_schedule(
    {
        "TALK": "{after: published, keep: P1D, then: destroy}",
        "LOOK": "{after: published, keep: P1D, then: review}",
    },
    (("LOOK", 'when: "friday"', 20), ("TALK", 'when: "kind:comment"', 10)),
)
SECOND = "second@alder.example"
PLAIN = "chief"
"""Asks what speaks of matters, holds, records and retention; the clerk, who may see most, asks everything."""
HISTORY = {
    "/api/v1/ledger/tile/{path:path}": "the ledger's own bytes, which anybody may read",
    "/api/v1/captures": "a run says what it kept on its day, as its entry in the ledger does",
    "/runs": "the same",
    "/api/v1/audit": "a quarantine is an act, and auditors see that one was ordered",
    "/audit": "the same",
    "/api/v1/requests/{request}/selection": "a step says how many it found on its day, as its entry does",
    "/requests/{number}/selection": "the same",
    "/requests/{request}/selection": "the same, by another name",
}
"""What was so on its day and is proven by the ledger; it tells of no record by its words, and of none where it is now."""


@dataclass
class Pair:
    """The archive with a comment in quarantine, and the one to which it never came."""

    with_it: Copy
    without: Copy
    record: UUID

    def __iter__(self) -> Iterator[Copy]:
        return iter((self.with_it, self.without))


def size(store: Store) -> int:
    with store.database.read() as tx:
        return store.ledger.size(tx)


def captured(copy: Copy, lines: list[dict[str, Any]], folder: Path) -> None:
    file = folder / "late.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    importing.observations(
        copy.archive.store,
        file,
        page=None,
        make_pages=False,
        by=copy.insider.id,
        why="a test",
        tick=lambda: 0.0,
    )


def native_ids(store: Store) -> set[str | None]:
    """What the platform calls the records that are held."""
    with store.database.read() as tx:
        return {
            one.version.text("native_id") for one in records.read(store, tx, range(1, 100), messages=True)
        }


def padded(pair: tuple[Copy, Copy]) -> None:
    """Both ledgers are of one length."""
    most = max(size(copy.archive.store) for copy in pair)
    for copy in pair:
        with copy.archive.store.database.begin() as tx:
            for _ in range(most - copy.archive.store.ledger.size(tx)):
                acts.empty(copy.archive.store, tx)


def second(copy: Copy, identity: UUID) -> Officer:
    """Another attorney, the second of the two."""
    with copy.archive.store.database.begin() as tx:
        tx.execute(
            insert(tables.officers).values(
                id=identity.bytes, email=SECOND, name="Second", roles=Role.ATTORNEY, active=True, added_at=0
            )
        )
    return Officer(id=identity, email=SECOND, name="Second", roles=frozenset({Role.ATTORNEY}))


def asked_for(copy: Copy, path: str, **values: Any) -> dict[str, Any]:
    """What the records officer asks of the API, and gets."""
    told = Person(copy.app(), copy.tokens["clerk"]).post(f"/api/v1{path}", json={"why": "x", **values})
    assert told.status_code == 201, told.text
    made: dict[str, Any] = told.json()
    return made


def worked(copy: Copy) -> None:
    """A schedule, a list to be disposed of, a matter with holds, a release that waits, a request and its selection."""
    store, by, archive = copy.archive.store, copy.insider, copy.archive
    archive.follow()
    with store.database.begin() as tx:
        adopted.adopt(store, tx, FILE, instrument="Resolution 12", by=by.id, why="the council")
    classifying.follow(store)
    classifying.classify_all(store, archive.index, by=by.id, why="the council")
    copy.ids["disposition"] = asked_for(copy, "/dispositions", series="TALK")["id"]
    with store.database.begin() as tx:
        matter = matters.open(store, tx, "Doe v. Alder Creek", by=by, why="a letter")
    here = record_of(store, "1"), *([record_of(store, "x")] if "x" in native_ids(store) else [])
    placed = []
    for scope in (Scope(records=here), Scope(query="bridge OR friday"), Scope(query="kind:comment")):
        found = finding.find(store, archive.index, scope)
        with store.database.begin() as tx:
            placed.append(placing.place(store, tx, matter, scope, found, by=by, why="to be kept").hold)
    hold = placed[-1]
    with store.database.begin() as tx:
        releasing.ask(store, tx, hold, by=by, why="perhaps")
    number = asked_for(
        copy, "/requests", text="All about the bridge", received="2026-03-02T10:00", law="us-ak-state"
    )["number"]
    asked_for(copy, f"/requests/{number}/selection", query="bridge OR friday OR heron")
    copy.ids |= {"matter": str(matter.id), "hold": str(hold.id)}
    copy.ids |= dict.fromkeys(("request", "number", "which"), number)


@pytest.fixture(scope="module")
def pair(laid: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("quarantine")
    people = {name: new_id() for name in (*OUTSIDE, "insider", "second")}
    both = made_of(laid, folder / "a", people), made_of(laid, folder / "b", people)
    for copy, lines in zip(both, ([AGAIN, COMMENT], [AGAIN]), strict=True):
        captured(copy, lines, folder)
        second(copy, people["second"])
    padded(both)
    for copy in both:
        worked(copy)
    store = both[0].archive.store
    record = record_of(store, "x")
    with store.database.begin() as tx:
        quarantine.begin(store, tx, record, SECOND, by=both[0].insider, why="an order may come")
    padded(both)
    for copy in both:
        copy.archive.follow()
        copy.archive.store.ledger.checkpoint()
    yield Pair(*both, record)
    for copy in both:
        copy.archive.close()


def everything(app: FastAPI) -> list[tuple[str, str]]:
    """Every route, and each path of the API as a page too, where there is one."""
    told = addresses(app)
    return sorted({*told, *((method, path.removeprefix("/api/v1")) for method, path in told)})


def answers(copy: Copy, name: str) -> dict[str, tuple[int, str]]:
    app = copy.app()
    person, told = Person(app, copy.tokens[name]), {}
    for method, path in everything(app):
        if method != "GET" or path in HISTORY or not (name == "clerk" or asks(PLAIN, method, path)):
            continue
        answer = person.get(filled(path, copy))
        said = plainly(answer.text) if is_text(answer.headers) else answer.headers["content-type"]
        told[f"{method} {path}"] = (answer.status_code, said)
    return told


def test_there_are_routes_to_ask_and_what_they_count_is_there(pair: Pair):
    told = everything(pair.without.app())
    assert len(told) > 150
    for path in (
        "/api/v1/holds/{hold}/records",
        "/holds/{hold}",
        "/dispositions",
        "/requests/{number}/review",
    ):
        assert ("GET", path) in told
    clerk = Person(pair.with_it.app(), pair.with_it.tokens["clerk"])
    assert [one["covers"] for one in clerk.get("/api/v1/holds").json()["holds"]] == [8, 4, 4, 1]


@pytest.mark.parametrize("name", OUTSIDE)
def test_everybody_else_is_answered_as_if_it_had_never_come(name: str, pair: Pair):
    here, there = (answers(copy, name) for copy in pair)
    assert here.keys() == there.keys()
    assert {path: differing(value, there[path]) for path, value in here.items() if value != there[path]} == {}


@pytest.mark.parametrize("name", OUTSIDE)
def test_its_words_stand_nowhere_not_even_in_what_tells_of_the_past(name: str, pair: Pair):
    copy = pair.with_it
    person = Person(copy.app(), copy.tokens[name])
    for path in HISTORY:
        if "tile" in path:
            continue
        said = person.get(filled(path, copy)).text
        assert "quiet" not in said
        assert "sways" not in said
    selected = person.get(filled("/api/v1/requests/{request}/selection", copy))
    assert selected.status_code == 403 or selected.json()["selected"] == 3


def test_what_an_attorney_thinks_over_places_or_names_is_told_as_if_it_had_never_come(pair: Pair):
    told: list[list[Any]] = []
    for copy in pair:
        person = Person(copy.app(), copy.tokens["attorney"])
        bodies: list[dict[str, Any]] = [
            {"scope": "bridge OR heron"},
            {"scope": "sway"},
            {"scope": "kind:comment AND heron"},
            {"records": [str(pair.record)]},
            {"scope": "bridge", "records": [copy.ids["record"], str(pair.record)]},
        ]
        said = [
            person.post(f"/api/v1/holds{where}", json={"matter": copy.ids["matter"], "why": "x", **body})
            for body in bodies
            for where in ("/preview", "")
        ]
        assert {one.status_code for one in said} == {200, 201, 422}
        told.append([(one.status_code, plainly(one.text)) for one in said])
        for question in (
            "/api/v1/records?q=heron&facets=kind",
            "/search?q=heron",
            "/retention/years?hold=heron",
        ):
            answer = person.get(question)
            told[-1].append((answer.status_code, plainly(answer.text)))
    assert told[0] == told[1]


COMMANDS = (
    ("hold", "list"),
    ("hold", "show", "{hold}"),
    ("hold", "records", "{hold}"),
    ("hold", "preview-release", "{hold}"),
    ("matter", "show", "{matter}"),
    ("retention", "preview"),
    ("retention", "simulate", "--hold", "heron OR bridge"),
    ("disposition", "list"),
    ("search", "heron OR bridge", "--facets", "kind"),
)


def test_the_command_line_tells_no_more_of_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    told: list[dict[str, str]] = []
    for copy in pair:
        monkeypatch.setenv("MUNIMENT_HOME", str(copy.archive.settings.home))
        monkeypatch.setenv("MUNIMENT_TOKEN", copy.tokens["clerk"])
        said = {}
        for words in COMMANDS:
            code = command([*(word.format(**copy.ids) for word in words), "--json"])
            answer = plainly(capsys.readouterr().out)
            assert code == 0, f"{' '.join(words)}: {answer}"
            said[" ".join(words)] = answer
        told.append(said)
    assert told[0] == told[1]


def test_the_two_who_are_named_find_it_by_its_id_and_in_no_number(pair: Pair):
    copy = pair.with_it
    for by in (copy.insider, officer_of(copy, SECOND)):
        with copy.archive.store.database.begin() as tx:
            token = passes.make(copy.archive.store, tx, Kind.TOKEN, by, lasts=None).secret
        person = Person(copy.app(), token)
        assert person.get(f"/api/v1/records/{pair.record}").json()["text"] == COMMENT["text"]
        held = person.get("/api/v1/holds").json()["holds"]
        assert {one["id"]: one["covers"] for one in held}[copy.ids["hold"]] == 4
        assert person.get("/api/v1/quarantine").json()["total"] == 1
    assert (
        Person(copy.app(), copy.tokens["attorney"]).get(f"/api/v1/records/{pair.record}").status_code == 404
    )


def test_it_is_protected_all_the_same_and_counted_again_once_it_is_given_back(pair: Pair):
    copy, store = pair.with_it, pair.with_it.archive.store
    with store.database.read() as tx:
        [key] = finding.named_keys(tx, [pair.record])
        assert len(covering.covering(store, tx, [key])[key]) >= 3
    with store.database.begin() as tx:
        quarantine.end(store, tx, pair.record, by=copy.insider, why="no order came")
    clerk = Person(copy.app(), copy.tokens["clerk"])
    covers = {one["id"]: one["covers"] for one in clerk.get("/api/v1/holds").json()["holds"]}
    assert covers[copy.ids["hold"]] == 5


@pytest.mark.parametrize("earlier", [False, True])
def test_auditors_are_told_that_one_was_ordered_and_only_the_two_which_record(pair: Pair, earlier: bool):
    """As an entry of today has it, and as those of earlier versions do, which bear the record in the clear."""
    copy, store = pair.with_it, pair.with_it.archive.store
    watch, named = (
        Officer(id=new_id(), email=f"{new_id()}@alder.example", name="", roles=frozenset(roles))
        for roles in ({Role.AUDITOR}, {Role.AUDITOR, Role.ATTORNEY})
    )
    entries, which = [], pair.record if earlier else record_of(store, "3")
    with store.database.begin() as tx:
        for one in (watch, named):
            roles = " ".join(sorted(one.roles))
            tx.execute(
                insert(tables.officers).values(
                    id=one.id.bytes, email=one.email, name="", roles=roles, active=True, added_at=0
                )
            )
        if earlier:
            access = [str(copy.insider.id), str(named.id)]
            [key] = finding.named_keys(tx, [pair.record])
            for act in ("began", "ended"):
                facts: dict[str, Json] = {"act": act, "item": pair.record.hex}
                entries.append(
                    store.ledger.act(
                        tx,
                        "quarantine",
                        by=copy.insider.id,
                        why="an order may come",
                        facts=facts,
                        detail={"item": pair.record.hex, "access": access},
                        subject=pair.record,
                    )
                )
            tx.execute(
                insert(tables.quarantines).values(
                    record=key,
                    entry=entries[0],
                    ordered_by=copy.insider.id.bytes,
                    named=named.id.bytes,
                    ended_entry=entries[1],
                )
            )
        else:
            quarantine.begin(store, tx, which, named.email, by=copy.insider, why="an order may come")
            quarantine.end(store, tx, which, by=named, why="none came")
        tokens = [passes.make(store, tx, Kind.TOKEN, one, lasts=None).secret for one in (watch, named)]
    outside, inside = (Person(copy.app(), token) for token in tokens)
    for form in (str(which), which.hex):
        for path in ("/api/v1/audit?type=quarantine", "/audit?type=quarantine"):
            assert form not in outside.get(path).text, path
    seen = outside.get("/api/v1/audit?type=quarantine&limit=2").json()["acts"]
    assert [(one["type"], one["subject"], "item" in one["detail"]) for one in seen] == [
        ("quarantine", None, False)
    ] * 2
    assert seen[1]["why"] == "an order may come"
    own = inside.get("/api/v1/audit?type=quarantine&limit=2").json()["acts"]
    assert [(one["subject"], one["detail"]["item"]) for one in own] == [(str(which), which.hex)] * 2


def officer_of(copy: Copy, email: str) -> Officer:
    with copy.archive.store.database.read() as tx:
        return officers.find(tx, email)
