"""Saved searches: questions that officers keep by name, for themselves or for everybody.

The name and the query stand sealed in the ledger's entry, as typed and as they
were understood then. Removing one is an entry of its own; both stay. Running
one asks what was typed again, and says where it is understood otherwise now.

A kept question may name tags, series and holds: it keeps words and no records,
and each run reads what officers say of records at that moment, for whoever
runs it. So somebody outside a silent matter runs a shared search without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, or_, select, update

from app.capture import deeds
from app.capture.deeds import Told
from app.db import Tx
from app.db.database import lock_ledger
from app.index import judging
from app.index.keys import Keys
from app.index.questions import Filters, Question
from app.index.standing import joined
from app.index.tree import Tree
from app.records.errors import Invalid, NotFound, NotPermitted, Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store.store import Store
from app.store.tables import alerts, saved_searches

_LONGEST_NAME = 200


class NoSuchSearch(NotFound):
    """No saved search of that id or name is there, or none that you may know of."""

    code = "no-such-search"


class BadSearchName(Invalid):
    """A saved search needs a name that fits on one line."""

    code = "bad-search-name"


class SearchNameTaken(Refused):
    """You see a saved search of that name already."""

    code = "search-name-taken"


class NotYourSearch(NotPermitted):
    """A search that is shared is renamed and removed by whoever saved it, or by a records officer."""

    code = "not-your-search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A question that somebody keeps. `understood` is how it was read when it was saved."""

    key: int
    id: UUID
    name: str
    question: Question
    understood: str
    shared: bool
    by: UUID
    at: datetime
    why: str
    entry: int
    alert: bool
    """Whether whoever asked is told by letter of what is new to it."""


def save(
    store: Store, tx: Tx, name: str, question: Question, *, shared: bool, by: Officer, why: str
) -> Saved:
    """Keep a question by a name. One that cannot be understood or answered is refused here already."""
    told = _name(name)
    query = question.understood()
    _must_be_answerable(query.tree)
    lock_ledger(tx)
    _must_be_free(store, tx, told, by)
    identity = new_id()
    entry = store.ledger.act(
        tx,
        "saved-search",
        by=by.id,
        why=why,
        facts={"search": identity.hex, "act": "saved"},
        detail={
            "name": told,
            "query": question.text,
            "filters": question.filters.as_json(),
            "understood": str(query.explain()["understood"]),
            "for": "everybody" if shared else "whoever saved it",
        },
        subject=identity,
    )
    tx.execute(
        insert(saved_searches).values(id=identity.bytes, entry=entry, officer=by.id.bytes, shared=shared)
    )
    return get(store, tx, str(identity), by=by)


def rename(store: Store, tx: Tx, saved: Saved, name: str, *, by: Officer, why: str) -> Saved:
    """Give a saved search another name."""
    told = _name(name)
    lock_ledger(tx)
    _must_be_theirs(saved, by)
    if told.casefold() != saved.name.casefold():
        _must_be_free(store, tx, told, by)
    entry = store.ledger.act(
        tx,
        "saved-search",
        by=by.id,
        why=why,
        facts={"search": saved.id.hex, "act": "renamed"},
        detail={"name": told, "before": saved.name},
        subject=saved.id,
    )
    mine = saved_searches.c.key == saved.key
    tx.execute(update(saved_searches).where(mine).values(named_entry=entry))
    return get(store, tx, str(saved.id), by=by)


def remove(store: Store, tx: Tx, saved: Saved, *, by: Officer, why: str) -> int:
    """Take a saved search off the lists, and end its alerts; return the entry. What was written of it stays."""
    lock_ledger(tx)
    _must_be_theirs(saved, by)
    still = saved_searches.c.removed_entry.is_(None) & (saved_searches.c.key == saved.key)
    if tx.execute(select(saved_searches.c.key).where(still)).one_or_none() is None:
        raise NoSuchSearch(f"no search {saved.id} is saved any more")
    entry = store.ledger.act(
        tx,
        "saved-search",
        by=by.id,
        why=why,
        facts={"search": saved.id.hex, "act": "removed"},
        detail={"name": saved.name},
        subject=saved.id,
    )
    tx.execute(update(saved_searches).where(still).values(removed_entry=entry))
    running = alerts.c.ended_entry.is_(None) & (alerts.c.search == saved.key)
    tx.execute(update(alerts).where(running).values(ended_entry=entry))
    return entry


def listed(store: Store, tx: Tx, *, by: Officer) -> list[Saved]:
    """The searches that `by` saved, and those that others share; the newest first."""
    asked = (
        select(saved_searches)
        .where(
            saved_searches.c.removed_entry.is_(None),
            or_(saved_searches.c.officer == by.id.bytes, saved_searches.c.shared),
        )
        .order_by(saved_searches.c.key.desc())
    )
    return _read(store, tx, tx.execute(asked).all(), by.id)


def get(store: Store, tx: Tx, which: str, *, by: Officer) -> Saved:
    """The saved search of that id or name, or `NoSuchSearch`; somebody else's own does not exist."""
    wanted = which.strip()
    for one in listed(store, tx, by=by):
        if wanted.casefold() in (str(one.id), one.id.hex, one.name.casefold()):
            return one
    raise NoSuchSearch(f"no search {wanted[:80]!r} is saved", next="List them: muniment saved list.")


def of_alerts(store: Store, tx: Tx, keys: Sequence[int]) -> dict[int, Saved]:
    """Saved searches by their internal keys, whosever they are, without those that were removed."""
    asked = select(saved_searches).where(
        saved_searches.c.key.in_(list(keys)), saved_searches.c.removed_entry.is_(None)
    )
    return {one.key: one for one in _read(store, tx, tx.execute(asked).all(), None)}


def understood_otherwise(saved: Saved) -> str | None:
    """How the query is understood now, where that differs from when it was saved."""
    now = str(saved.question.understood().explain()["understood"])
    return now if now != saved.understood else None


def as_json(saved: Saved, by: str) -> dict[str, object]:
    """A saved search as programs read it; `by` is the e-mail of whoever saved it."""
    return {
        "id": str(saved.id),
        "name": saved.name,
        "query": saved.question.text,
        "filters": saved.question.filters.as_json(),
        "understood": saved.understood,
        "everybody": saved.shared,
        "saved_by": by,
        "saved_at": saved.at.isoformat().replace("+00:00", "Z"),
        "why": saved.why,
        "alert": saved.alert,
        "entry": saved.entry,
    }


def _read(store: Store, tx: Tx, rows: Sequence[Any], officer: UUID | None) -> list[Saved]:
    said = deeds.told(store, tx, [entry for row in rows for entry in (row.entry, row.named_entry)])
    told: set[int] = set()
    if officer is not None:
        running = select(alerts.c.search).where(
            alerts.c.ended_entry.is_(None), alerts.c.officer == officer.bytes
        )
        told = set(tx.execute(running).scalars())
    return [_saved(row, said[row.entry], said.get(row.named_entry), alert=row.key in told) for row in rows]


def _saved(row: Any, made: Told, named: Told | None, *, alert: bool) -> Saved:
    filters = made.detail.get("filters")
    return Saved(
        key=row.key,
        id=UUID(bytes=bytes(row.id)),
        name=(named or made).text("name"),
        question=Question(made.text("query"), Filters.of(filters if isinstance(filters, dict) else {})),
        understood=made.text("understood"),
        shared=bool(row.shared),
        by=UUID(bytes=bytes(row.officer)),
        at=made.at,
        why=made.why,
        entry=row.entry,
        alert=alert,
    )


class _Unasked:
    """Stands for whoever will ask: of which records a fact holds is read when the search is run."""

    def having(self, fact: str, value: str) -> Keys:  # noqa: ARG002 - the shape of `Standing`
        return Keys()

    def counted(self, fact: str, among: Keys) -> Mapping[str, int]:  # noqa: ARG002 - the shape of `Standing`
        return {}


def _must_be_answerable(tree: Tree) -> None:
    """Raise `QueryNotSupported` for what searching itself refuses."""
    judging.must_be_known(joined(tree, _Unasked()))


def _name(name: str) -> str:
    told = " ".join(name.split())
    if not told or len(told) > _LONGEST_NAME or not told.isprintable():
        raise BadSearchName(
            f"a saved search has a name of 1 to {_LONGEST_NAME} characters", next="Give it a short name."
        )
    return told


def _must_be_free(store: Store, tx: Tx, name: str, by: Officer) -> None:
    if any(one.name.casefold() == name.casefold() for one in listed(store, tx, by=by)):
        raise SearchNameTaken(f"a search {name!r} is saved already", next="Give it another name.")


def _must_be_theirs(saved: Saved, by: Officer) -> None:
    if saved.by != by.id and not (saved.shared and by.may(Role.RECORDS_OFFICER)):
        raise NotYourSearch(
            "this search was saved by somebody else",
            next="Ask them, or a records officer; or save it anew by a name of your own.",
        )
