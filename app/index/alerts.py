"""Alerts: saved searches that are read against whatever is captured, and tell their owner when something is new to them.

Each alert is a follower of the ledger with a place of its own. It reads no
further than the index has come, so that what its letter tells of is found when
the link is opened; an index that lags delays a letter and loses none. New to a
search is a record that is a hit now and was none when the alert last looked: a
record that was captured since, or one that an edit brought in.

Tags, series and holds are said of a record without a capture, often long after
it: an alert that looked at captures alone would keep silent where its owner
counts on a letter. To notice them it would have to keep which records were
hits, and such a list would go on telling of what was disposed of. So a search
that names one is kept and run, and no alert is set on it.

A letter says how many, and where to look. Neither the query nor its name nor a
word of what was found leaves the archive by mail. Private messages count only
where the owner may read them, by the roles of that moment.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from app import officers
from app.capture import notices
from app.db import Tx, to_instant
from app.db.database import lock_ledger
from app.index import judging, saved
from app.index.documents import Change
from app.index.engine import QueryNotSupported, Scope
from app.index.follower import Source
from app.index.judging import Read
from app.index.language import BadQuery, parse_again
from app.index.printer import show
from app.index.saved import Saved
from app.index.standing import FACTS
from app.index.tree import Field, Tree, everything_in
from app.records.errors import NotFound, Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store import quarantine
from app.store.store import Store
from app.store.tables import alerts, letters, saved_searches

_log = logging.getLogger("muniment.alerts")
TOPIC = "alert"
READERS = (Role.RECORDS_OFFICER, Role.ATTORNEY, Role.AUDITOR, Role.CUSTODIAN_OF_EVIDENCE)
_GIVEN_UP = timedelta(days=3)
"""A letter that could not be sent for so long is given up; what it was to tell is told by the next."""
_READ = 1_000
_MOST = 20_000
"""So many versions are read in one look; the next look goes on from there."""


class AlertIsSet(Refused):
    """You are told already of what is new to this search."""

    code = "alert-is-set"


class NoAlert(NotFound):
    """You are not told of this search."""

    code = "no-alert"


@dataclass(frozen=True, slots=True)
class News:
    """What a letter tells: how many records, of which saved search, captured from which entry on."""

    search: UUID
    records: int
    since: int


@dataclass(frozen=True, slots=True)
class _Watch:
    """An alert with what it looks for."""

    key: int
    reached: int
    tree: Tree
    scope: Scope


def begin(store: Store, tx: Tx, found: Saved, *, by: Officer, why: str) -> None:
    """Tell `by` from now on of what is new to a saved search; what is captured already is not told.

    Raises `QueryNotSupported` for a search that no capture brings a record into.
    """
    _must_come_with_a_capture(_tree(found))
    lock_ledger(tx)
    if _running(tx, found, by) is not None:
        raise AlertIsSet("you are told of this search already")
    identity = new_id()
    entry = store.ledger.act(
        tx,
        "alert",
        by=by.id,
        why=why,
        facts={"alert": identity.hex, "search": found.id.hex, "act": "set"},
        subject=found.id,
    )
    tx.execute(
        insert(alerts).values(
            id=identity.bytes,
            search=found.key,
            entry=entry,
            officer=by.id.bytes,
            since=entry + 1,
            reached=entry + 1,
            found=0,
        )
    )


def end(store: Store, tx: Tx, found: Saved, *, by: Officer, why: str) -> None:
    """Tell `by` no more of a saved search, or `NoAlert`."""
    lock_ledger(tx)
    row = _running(tx, found, by)
    if row is None:
        raise NoAlert("you are not told of this search")
    entry = store.ledger.act(
        tx,
        "alert",
        by=by.id,
        why=why,
        facts={"alert": UUID(bytes=bytes(row.id)).hex, "search": found.id.hex, "act": "ended"},
        subject=found.id,
    )
    tx.execute(update(alerts).where(alerts.c.key == row.key).values(ended_entry=entry))


def _tree(found: Saved) -> Tree:
    """What was understood when the search was saved, whatever its words are read as by now.

    Letters that fail to come are noticed by nobody.
    """
    return parse_again(found.understood).tree


def _must_come_with_a_capture(tree: Tree) -> None:
    for part in everything_in(tree):
        if isinstance(part, Field) and part.name in FACTS:
            raise QueryNotSupported(
                show(part),
                "an alert tells what is captured, and this is said of records afterwards, by people and by rules, "
                "so that letters would be missing without anybody noticing. The search stays saved: run it",
            )
    judging.must_be_known(tree)


def _running(tx: Tx, found: Saved, by: Officer) -> Any:
    return tx.execute(
        select(alerts.c.key, alerts.c.id).where(
            alerts.c.search == found.key, alerts.c.officer == by.id.bytes, alerts.c.ended_entry.is_(None)
        )
    ).one_or_none()


# ---- following -----------------------------------------------------------------------------------


def look(store: Store, source: Source, size: int) -> int:
    """Read what was captured up to `size` entries, write down what is new to whom; return how many letters were put.

    `size` is how far the index has come.
    """
    with store.database.read() as tx:
        watches = _watches(store, tx)
    read = 0
    while read < _MOST and (behind := [one for one in watches if one.reached < size]):
        start = min(one.reached for one in behind)
        changes = source.read(start - 1, _READ)
        upto = min(size, changes[-1].upto + 1) if changes else size
        watches = _advance(store, watches, changes, upto)
        read += max(1, len(changes))
    with store.database.begin() as tx:
        return sum(_tell(store, tx, row) for row in tx.execute(_open()).all())


def _open() -> Any:
    return select(alerts).where(alerts.c.ended_entry.is_(None)).order_by(alerts.c.key)


def _watches(store: Store, tx: Tx) -> list[_Watch]:
    """The alerts of everybody who may search today. One whose query cannot be read keeps its place."""
    rows = tx.execute(_open()).all()
    if not rows:
        return []
    people = {one.id.bytes: one for one in officers.list_all(tx)}
    kept = saved.of_alerts(store, tx, sorted({row.search for row in rows}))
    zone, found = store.agency.zone(), []
    for row in rows:
        owner = people[bytes(row.officer)]
        if not owner.may(*READERS) or row.search not in kept:
            continue
        try:
            tree = _tree(kept[row.search])
            _must_come_with_a_capture(tree)
        except (BadQuery, QueryNotSupported) as error:
            _log.warning("alert %s waits: %s", row.key, error.code)
            continue
        found.append(_Watch(row.key, row.reached, tree, Scope(zone, messages=owner.may(Role.MESSAGES))))
    return found


def _advance(store: Store, watches: Sequence[_Watch], changes: Sequence[Change], upto: int) -> list[_Watch]:
    """Read these changes for everybody who has not, and write down how far each came."""
    with store.database.read() as tx:
        withdrawn = quarantine.hidden(tx)
    read = [
        [Read(document) for document in change.documents]
        for change in changes
        if change.record not in withdrawn
    ]
    moved, after = [], []
    for one in watches:
        if one.reached >= upto:
            after.append(one)
            continue
        new = sum(
            judging.hit(one.tree, versions, one.scope, before=upto)
            and not judging.hit(one.tree, versions, one.scope, before=one.reached)
            for versions in read
        )
        moved.append((one, new))
        after.append(_Watch(one.key, upto, one.tree, one.scope))
    with store.database.begin() as tx:
        for one, new in moved:
            mine = (alerts.c.key == one.key) & (alerts.c.reached == one.reached)
            tx.execute(update(alerts).where(mine).values(reached=upto, found=alerts.c.found + new))
    return after


def _tell(store: Store, tx: Tx, row: Any) -> int:
    """Put a letter where something was found and none waits; what came after a letter went is for the next one."""
    since, found, waits = row.since, row.found, row.letter
    if waits is not None:
        letter = tx.execute(select(letters).where(letters.c.key == waits)).one()
        given_up = letter.made_at <= to_instant(store.clock.now() - _GIVEN_UP)
        if letter.told_at is None and not given_up:
            return 0
        waits = None
        if letter.told_at is not None and row.said_reached is not None:
            since, found = row.said_reached, found - row.said_found
    values: dict[str, object] = {"since": since, "found": found, "said_reached": None, "said_found": None}
    put, owner = 0, officers.get(tx, UUID(bytes=bytes(row.officer)))
    if found > 0 and owner.may(*READERS):
        beginning = f"{row.key}/{since}/"
        mine = (letters.c.topic == TOPIC) & letters.c.mark.startswith(beginning)
        mark = f"{beginning}{tx.execute(select(func.count()).where(mine)).scalar_one()}"
        put = notices.write(store, tx, TOPIC, [owner.email], mark=mark)
        waits = tx.execute(
            select(letters.c.key).where(letters.c.topic == TOPIC, letters.c.mark == mark)
        ).scalar_one()
    if (since, found, waits) != (row.since, row.found, row.letter):
        tx.execute(update(alerts).where(alerts.c.key == row.key).values(letter=waits, **values))
    return put


def news(tx: Tx, mark: str) -> News | None:
    """What a letter of this mark says when it goes now, and note that it did.

    None where there is nothing left to say: the alert ended, or its owner may
    not search any more.
    """
    key = int(mark.partition("/")[0])
    row = tx.execute(_open().where(alerts.c.key == key)).one_or_none()
    if row is None or row.found <= 0:
        return None
    if not officers.get(tx, UUID(bytes=bytes(row.officer))).may(*READERS):
        return None
    tx.execute(
        update(alerts).where(alerts.c.key == key).values(said_reached=row.reached, said_found=row.found)
    )
    asked = select(saved_searches.c.id).where(saved_searches.c.key == row.search)
    search = tx.execute(asked).scalar_one()
    return News(UUID(bytes=bytes(search)), row.found, row.since)
