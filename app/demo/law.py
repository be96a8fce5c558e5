"""What the town does with what was captured: a schedule is adopted, a lawsuit is held for, a disposal is on its way.

It begins after the last night, and leaves something to do: the disposal waits
for a second person's approval, and the hold for its custodian's notice.
"""

from __future__ import annotations

from app import officers
from app.db import Tx
from app.demo.blogs import DOMAIN
from app.demo.telling import STORIES
from app.disposition import proposing
from app.holds import finding, matters, placing, searching
from app.holds.scopes import Scope
from app.main import Archive
from app.officers.passwords import generated
from app.records.nouns import Officer, Role
from app.retention import adopted

CHIEF = f"aldane@{DOMAIN}"
SCHEDULE = STORIES / "schedule.yaml"
INSTRUMENT = "Resolution 2026-7 of the town council"
SCOPE = 'bridge OR "Sexton Avenue"'
SERIES = "HF-01"


def begin(archive: Archive, officer: Officer) -> tuple[str, str]:
    """Do it, as `officer`, who is records officer and attorney; return the chief's e-mail and password."""
    _adopt(archive, officer)
    _hold(archive, officer)
    store = archive.store
    with store.database.begin() as tx:
        proposing.propose(
            archive.disposing(),
            tx,
            SERIES,
            by=officer,
            why="what visitors wrote more than three calendar years ago",
        )
        return CHIEF, _chief(archive, tx, officer)


def _adopt(archive: Archive, officer: Officer) -> None:
    engine = searching.whole(archive.index)
    with archive.store.database.begin() as tx:
        adopted.adopt(
            archive.store,
            tx,
            SCHEDULE.read_bytes(),
            instrument=INSTRUMENT,
            name=SCHEDULE.name,
            engine=engine,
            by=officer.id,
            why="the council adopted it for its pages",
        )
    archive.classify(by=officer.id, why="a schedule was adopted")


def _hold(archive: Archive, officer: Officer) -> None:
    """Place a hold for a lawsuit, with one custodian who is still to be told."""
    store, why = archive.store, "letter before action of 9 October"
    with store.database.begin() as tx:
        matter = matters.open(
            store,
            tx,
            "Farrow v. Town of Harrow Falls",
            notes="A fall beside Weaver Bridge on the night of the flood.",
            by=officer,
            why=why,
        )
        email = f"okafor@{DOMAIN}"
        matters.name_custodian(
            store, tx, matter, "Lt. Dana Okafor", email, by=officer, why="keeps the department's page"
        )
    scope = Scope(query=SCOPE)
    found = finding.find(store, archive.index, scope)
    with store.database.begin() as tx:
        placing.place(store, tx, matter, scope, found, by=officer, why=why)


def _chief(archive: Archive, tx: Tx, officer: Officer) -> str:
    """The second person: approves disposals and releases."""
    invited = officers.add(
        archive.store,
        tx,
        CHIEF,
        [Role.APPROVER, Role.ATTORNEY, Role.RECORDS_OFFICER],
        name="Chief Ruth Aldane",
        by=officer,
        why="the demonstration",
    )
    password = generated()
    officers.accept(archive.store, tx, invited.secret, password)
    return password
