"""Accounted: whatever retention, holds, dispositions and tags say in rows is held against what was done, row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, Table, create_engine, select, text
from sqlalchemy.exc import IntegrityError

from app import main
from app.capture import tags
from app.disclosure import accounted as disclosure_accounted
from app.disclosure import requests_accounted
from app.disposition import approving, proposals, transferring
from app.holds import acts, guarding, matters, noticing, quarantine, releasing
from app.holds.matters import Matter
from app.jobs.rounds import NotWhatItWas, Round, Rounds, Throttle, looks_of
from app.officers import mailer
from app.records.clock import FixedClock
from app.records.nouns import Role
from app.retention import adopted, classifying, recording
from app.store import Store, fixity, tables
from app.store.accounts import ALTERED, MISSING
from app.store.fixity import Finding
from connectors.contract import Author, Observation
from tests.archives import NOON, close, settings_at
from tests.faults.flips import ROOMS, is_watched
from tests.sinks import Sink, serving
from tests.steps.disposing import OLD, Office, office, somebody
from tests.steps.filing import AGENCY, PAT, a_schedule, profile
from tests.steps.holding import Law
from tests.steps.scripted import listing
from tests.steps.test_capture import comment, post

SERIES = {
    "OLD": "{after: published, keep: P2Y, then: destroy}",
    "TALK": "{after: published, keep: P1Y, then: destroy}",
    "ARCH": "{after: published, keep: P1Y, then: transfer}",
    "KEPT": "{then: permanent}",
}
RULES = (("OLD", "direction: outgoing", 20), ("TALK", 'when: "kind:comment"', 10))
FAR = 1_000_000
"""Beyond every entry."""
UNTOLD = {"days_seen"}
"""No act says which days were seen: one that is missing is not told by those that are there."""


@dataclass
class Archive:
    """An archive in which everything was done that these rooms can do."""

    law: Law
    office: Office
    outside: Engine
    """The database as an administrator opens it, who asks the program nothing."""

    @property
    def store(self) -> Store:
        return self.law.store

    def found(self, *looks: str) -> list[Finding]:
        return fixity.verify(
            self.store, full=True, wanted=lambda look: look in (looks or ROOMS), more=main.ACCOUNTED
        ).findings

    def values(self, *, most: int) -> Iterator[tuple[str, str, str, Any]]:
        """Values that are watched, by look, table and column, of at most so many rows each."""
        for look, names in ROOMS.items():
            for name in names:
                rows = self.rows(tables.metadata.tables[name])
                for column in [one.name for one in tables.metadata.tables[name].columns]:
                    there = [one for one in rows if getattr(one, column) is not None]
                    if is_watched(f"{name}.{column}"):
                        yield from ((look, name, column, one) for one in there[:most])

    def missed(self, names: Collection[str], *, most: int, but: Collection[str]) -> tuple[list[str], int]:
        """What of tables can be altered or removed unseen, and how much was tried: at most so many rows of each.

        `but` names columns, as `column` or as `table.column`, that nobody holds against the ledger.
        """
        missed, done = [], 0
        for name in names:
            table = tables.metadata.tables[name]
            for row in self.rows(table)[:most]:
                for column, value in row._mapping.items():
                    if value is None or column in but or f"{name}.{column}" in but:
                        continue
                    with self.altered(table, row, column, another(value)) as accepted:
                        found = self.found() if accepted else []
                    done += accepted
                    if accepted and not any(one.code in (ALTERED, MISSING) for one in found):
                        missed.append(f"{name}.{column}")
                with self.removed(table, row):
                    if not self.found():
                        missed.append(name)
        return missed, done

    # -- altering --

    @contextmanager
    def as_administrator(self) -> Iterator[Connection]:
        """A transaction in which no guard and no foreign key holds: whoever has the machine can do that."""
        with self.outside.begin() as connection:
            if not self.store.database.sqlite:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection

    def unguarded(self) -> None:
        if not self.store.database.sqlite:
            return
        with self.as_administrator() as connection:
            for (name,) in connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type='trigger'"
            ).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")

    def rows(self, table: Table) -> Sequence[Any]:
        with self.store.database.read() as tx:
            return tx.execute(select(table)).all()

    @contextmanager
    def altered(self, table: Table, row: Any, column: str, new: object) -> Iterator[bool]:
        """The row with another value; false where the database itself refuses it."""
        keys = [one.name for one in table.primary_key.columns]
        mine = {name: getattr(row, name) for name in keys}
        moved = mine | ({column: new} if column in keys else {})
        try:
            with self.as_administrator() as connection:
                connection.execute(table.update().where(*_are(table, mine)).values({column: new}))
        except IntegrityError:
            yield False
            return
        yield True
        with self.as_administrator() as connection:
            back = table.update().where(*_are(table, moved)).values({column: getattr(row, column)})
            assert connection.execute(back).rowcount == 1

    @contextmanager
    def removed(self, table: Table, row: Any) -> Iterator[None]:
        mine = {one.name: getattr(row, one.name) for one in table.primary_key.columns}
        with self.as_administrator() as connection:
            assert connection.execute(table.delete().where(*_are(table, mine))).rowcount == 1
        yield
        with self.as_administrator() as connection:
            connection.execute(table.insert().values(row._mapping))

    def names(self, table: Table, row: Any) -> set[str]:
        """By what a finding may speak of a row: its ids and entries, and the ids of what it belongs to."""
        found = set()
        for column, value in row._mapping.items():
            if isinstance(value, bytes):
                found.add(value.hex())
            elif column == "entry" or column.endswith("_entry"):
                found.add(f"entry {value}")
            for key in table.c[column].foreign_keys:
                with self.store.database.read() as tx:
                    other = key.column.table
                    asked = select(other).where(key.column == value)
                    for near in tx.execute(asked):
                        found |= {one.hex() for one in near if isinstance(one, bytes)}
                        found |= {f"entry {getattr(near, 'entry', None)}"}
        return found | {str(row._mapping.get("day"))}


def _are(table: Table, values: dict[str, Any]) -> list[Any]:
    return [table.c[name] == value for name, value in values.items()]


def build(store: Store, clock: FixedClock, sink: Sink, folder: Path) -> Archive:
    law = Law(store, clock)
    here = office(law, clock)
    made = Archive(law, here, create_engine(store.database.url))
    _adopt(made, "1")
    picture = [
        said("p1", "The bridge is closed", AGENCY),
        said("p2", "The fence is red", AGENCY),
        said("c1", "Which bridge?", PAT),
        said("c2", "A blue fence", PAT),
        said("c3", "The town hall", PAT),
        said("c4", "The old mill", PAT),
        said("a1", "We will answer", AGENCY, to="c1"),
    ]
    law.capture(listing(clock, profile()))
    law.shown(*picture)
    classifying.follow(store)
    classifying.classify_all(store, law.engine)
    _events(made)
    clock.at += timedelta(days=1)
    _adopt(made, "2", TALK="{after: published, keep: P3Y, then: destroy}")
    classifying.classify_all(store, law.engine)
    _counsel(made, sink)
    _dispose(made, folder)
    law.shown(said("p3", "The road is open", AGENCY), said("c5", "Which road?", PAT))
    classifying.follow(store)
    law.join()
    return made


def said(name: str, words: str, by: Author, to: str = "p1") -> Observation:
    if name.startswith("p"):
        return post(name, words, author=by, published_at=OLD)
    return Observation(**{**_plain(comment(name, words, published_at=OLD)), "author": by, "in_reply_to": to})


def _plain(one: Observation) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def _adopt(here: Archive, edition: str, **other: str) -> None:
    file = a_schedule(SERIES | other, RULES, edition=edition)
    with here.store.database.begin() as tx:
        adopted.adopt(
            here.store, tx, file, instrument="Resolution 12", by=here.office.clerk.id, why="the council adopted it"
        )  # fmt: skip


def _events(here: Archive) -> None:
    store, clerk, held = here.store, here.office.clerk, here.law.records()
    day = date(2025, 3, 1)
    with store.database.begin() as tx:
        recording.assign(store, tx, [held["c2"].id, held["c3"].id], "OLD", by=clerk, why="I read them")
        recording.assign(store, tx, [held["c3"].id, held["c4"].id], "ARCH", by=clerk, why="I read it again")
        recording.unassign(store, tx, [held["c2"].id], by=clerk, why="the rules are right")
        first = recording.event(
            store, tx, [held["p1"].id, held["p2"].id], "read", on=day, until=day + timedelta(days=2),
            evidence="a letter", by=clerk, why="it was found",
        )  # fmt: skip
        recording.event(
            store, tx, [held["p1"].id], "read", on=day, evidence="another letter", corrects=first.id, by=clerk,
            why="it was misread",
        )  # fmt: skip
        recording.event(
            store, tx, [held["c1"].id], "declared", on=day, about="TALK", evidence="a form", by=clerk, why="signed"
        )  # fmt: skip
        recording.take_back(store, tx, first.id, by=clerk, why="it was another post")
        recording.extend(store, tx, [held["p2"].id], date(2031, 1, 1), by=clerk, why="a history is written")
        tags.add(store, tx, held["p1"], "flood", by=clerk, why="a report")
        tags.add(store, tx, held["p2"], "flood", by=clerk, why="a report")
        tags.remove(store, tx, held["p2"], "flood", by=clerk, why="it is not")


def _counsel(here: Archive, sink: Sink) -> None:
    law, store = here.law, here.store
    suit: Matter = law.matter("The fence", members=[law.second.email])
    secret = law.matter("A silent one", silent=True)
    for matter, who in ((suit, "pat"), (secret, "sam")):
        with store.database.begin() as tx:
            matters.name_custodian(
                store, tx, matter, who, f"{who}@harrowfalls.example", by=law.counsel, why="has drafts"
            )
            matters.admit(store, tx, matter, law.clerk.email, by=law.counsel, why="helps")
            matters.dismiss(store, tx, matter, law.clerk.email, by=law.counsel, why="is busy")
    ids = law.records()
    hold = law.place(suit, "fence").hold
    other = law.place(secret, records=(ids["p1"].id, ids["c1"].id)).hold
    third = law.place(suit, "bridge").hold
    with store.database.begin() as tx:
        noticing.notify(store, tx, hold, "pat@harrowfalls.example", by=law.counsel, why="must keep")
        noticing.notify(store, tx, third, "pat@harrowfalls.example", by=law.counsel, why="must keep")
        guarding.consent(store, tx, hold, law.page, by=law.counsel, why="it is renamed")
        quarantine.begin(store, tx, ids["c3"].id, law.clerk.email, by=law.counsel, why="an order may come")
        quarantine.begin(store, tx, ids["a1"].id, law.clerk.email, by=law.counsel, why="a mistake")
        quarantine.end(store, tx, ids["a1"].id, by=law.counsel, why="it was a mistake")
    post_office = mailer(f"smtp://127.0.0.1:{sink.port}", "archive@harrowfalls.example", clock=here.law.clock)
    noticing.send(store, post_office, "https://archive.harrowfalls.example")
    link = str(sink.messages()[0].get_content()).split("/hold-notice/")[1].split()[0]
    with store.database.begin() as tx:
        noticing.acknowledge(store, tx, link)
        releasing.ask(store, tx, other, by=law.counsel, why="settled")
        releasing.cancel(store, tx, other, by=law.counsel, why="not settled")
        releasing.ask(store, tx, third, by=law.counsel, why="settled")
        releasing.approve(store, tx, third, after=timedelta(0), by=law.second, why="settled")
    releasing.settle(store)
    never = law.matter("Never begun")
    with store.database.begin() as tx:
        matters.close(store, tx, never, by=law.counsel, why="a mistake")
        acts.empty(store, tx)


def _dispose(here: Archive, folder: Path) -> None:
    """One that is executed, one that is transferred, one that waits, one that was taken back."""
    store, at = here.store, here.office
    more = [said(f"p{number}", f"notice {number}", AGENCY) for number in range(10, 16)]
    here.law.shown(*more)
    classifying.follow(store)
    found = at.propose("OLD", limit=2)
    at.approve(found)
    gone = at.propose("OLD", limit=2)
    with store.database.begin() as tx:
        approving.withdraw(at.of, tx, gone.id, by=at.clerk, why="a mistake")
    shorter = at.propose("OLD", limit=3)
    with store.database.begin() as tx:
        [one, *_] = proposals.ids(tx, shorter.key)
        approving.leave_out(at.of, tx, shorter.id, [UUID(bytes=one)], by=at.clerk, why="a history is written")
        approving.confirm_holds(at.of, tx, by=at.attorney, why="I looked")
    moved = at.approved("ARCH")
    at.wait(40)
    assert at.execute(found).disposed
    by = somebody("packer", Role.RECORDS_OFFICER)
    home = store.ledger.folder.parent
    transferring.pack(at.of, moved.id, folder / "bag", home=home, by=by, why="they take it on Monday")
    receipt = folder / "receipt.txt"
    receipt.write_text("Received, State Archives\n")
    with store.database.begin() as tx:
        transferring.accept(at.of, tx, moved.id, receipt, by=at.clerk, why="it came by mail")


def opened(store: Store, clock: FixedClock, folder: Path) -> Iterator[Archive]:
    with serving() as start:
        made = build(store, clock, start(), folder)
    made.unguarded()
    yield made
    made.outside.dispose()


@pytest.fixture(scope="module")
def archive(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """One archive for all tests, each of which leaves it as it was."""
    folder, clock = tmp_path_factory.mktemp("accounted"), FixedClock(NOON)
    store = main.open_store(settings_at(Path(copytree(archive_template, folder / "home"))), clock)
    yield from opened(store, clock, folder)
    close(store)


@pytest.fixture
def archive_anywhere(anywhere: Store, clock: FixedClock, tmp_path: Path) -> Iterator[Archive]:
    yield from opened(anywhere, clock, tmp_path)


def another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value[:-1] + ("1" if value[-1:] != "1" else "2")
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 4])
        case _:
            raise TypeError(value)


def test_an_archive_that_nobody_touched_is_clean_with_rows_in_every_table(archive_anywhere: Archive):
    archive = archive_anywhere
    assert archive.found() == []
    empty = [
        name for names in ROOMS.values() for name in names if not archive.rows(tables.metadata.tables[name])
    ]
    assert empty == []


def test_an_altered_value_of_any_row_is_found_and_named(archive_anywhere: Archive):
    archive = archive_anywhere
    missed, done = [], 0
    for look, name, column, row in archive.values(most=2 if archive.store.database.sqlite else 1):
        new = another(getattr(row, column))
        table = tables.metadata.tables[name]
        with archive.altered(table, row, column, new) as accepted:
            found = archive.found(look) if accepted else []
        if not accepted:
            continue  # the database itself refuses what is there already
        done += 1
        known = archive.names(table, row) | {str(new)}
        if not any(one.code in (ALTERED, MISSING) and one.where in known for one in found):
            missed.append((f"{name}.{column}", getattr(row, column), [one.where for one in found]))
    assert missed == []
    assert done > 90
    assert archive.found() == []


def test_a_removed_row_is_found_and_named(archive: Archive):
    missed, done = [], 0
    for look, names in ROOMS.items():
        for name in names:
            table = tables.metadata.tables[name]
            for row in archive.rows(table)[:2] if name not in UNTOLD else ():
                with archive.removed(table, row):
                    found = archive.found(look)
                done += 1
                if not any(one.where in archive.names(table, row) for one in found):
                    missed.append((name, row, found))
    assert missed == []
    assert done > 30
    assert archive.found() == []


def test_a_value_that_was_taken_away_is_found(archive: Archive):
    """An end that is no longer written, a hold's release among them, would let a row count again."""
    missed = []
    for look, name, column, row in archive.values(most=1):
        table = tables.metadata.tables[name]
        if table.c[column].nullable and (name, column) != ("retention_events", "by_on"):
            with archive.altered(table, row, column, None) as accepted:
                if accepted and not archive.found(look):
                    missed.append(f"{name}.{column}")
    assert missed == []


def test_a_finding_on_a_silent_matter_is_told_in_the_words_of_any_other(archive: Archive):
    told = {}
    for row in archive.rows(tables.matters):
        with archive.altered(tables.matters, row, "entry", row.entry + FAR):
            [one] = [one for one in archive.found("counsel") if one.where == bytes(row.id).hex()]
        told[bool(row.silent)] = (one.code, one.what, one.next)
    assert told[True] == told[False]
    words = " ".join(told[True]).lower()
    assert not any(word in words for word in ("matter", "hold", "silent", "counsel"))


def test_the_full_check_and_the_nightly_rounds_take_these_looks_and_the_quick_check_does_not(
    archive: Archive,
):
    [row, *_] = archive.rows(tables.tags)
    with archive.altered(tables.tags, row, "entry", row.entry + FAR):
        every = fixity.verify(archive.store, full=True, more=main.ACCOUNTED).findings
        assert [(one.code, one.where) for one in every] == [(ALTERED, bytes(row.id).hex())]
        assert fixity.verify(archive.store, full=False, more=main.ACCOUNTED).findings == []
        night = Rounds(
            archive.store, 1, lambda: Throttle(0, lambda: 0.0, lambda _: None), more=main.ACCOUNTED
        )
        with pytest.raises(NotWhatItWas):
            night.tonight()
    disclosure = {requests_accounted.LOOK, disclosure_accounted.LOOK}  # which have tests of their own
    assert {name for name, _ in main.ACCOUNTED} == {*ROOMS} | disclosure
    assert {*ROOMS} | disclosure == {*looks_of(Round(archive.law.clock.now(), parts=1), main.ACCOUNTED)} - {
        *fixity.WHOLE
    }
