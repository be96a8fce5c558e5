"""Productions as they stand: their rows, what each holds under which numbers, giving one up, asking one back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID

from sqlalchemy import select, update

from app.capture import deeds
from app.db import Tx, from_instant
from app.db.database import lock_ledger
from app.disclosure.package.recipe import USUAL, BadRecipe, Form, Forms, Recipe, recalled
from app.disclosure.requests import Request
from app.records.clock import iso
from app.records.errors import NotFound, Refused
from app.records.nouns import Officer
from app.store.store import Store
from app.store.tables import produced, productions, records

if TYPE_CHECKING:
    from app.disclosure.package.building import Built

TYPE = "production"


class Shown(Protocol):
    """A conflict."""

    def as_json(self) -> dict[str, object]: ...


class NoSuchProduction(NotFound):
    """No production of that number or id was made."""

    code = "no-such-production"


class NotIssued(Refused):
    """The production was not issued, or was asked back already."""

    code = "production-not-issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """A production as it stands."""

    key: int
    id: UUID
    request: UUID
    entry: int
    number: str
    prefix: str
    first: int
    last: int | None
    made_at: datetime
    size: int
    records: int | None
    withheld: int | None
    issued_entry: int | None
    given_up_entry: int | None
    clawed_entry: int | None
    digest: str | None
    recipe: Recipe
    messages: bool

    @property
    def state(self) -> str:
        """begun, given up, issued or asked back."""
        if self.clawed_entry is not None:
            return "asked back"
        if self.issued_entry is not None:
            return "issued"
        return "given up" if self.given_up_entry is not None else "begun"


def get(store: Store, tx: Tx, which: str) -> Production:
    """The production of that number or id, or `NoSuchProduction`."""
    wanted = which.strip()
    asked = select(productions)
    try:
        asked = asked.where(productions.c.id == UUID(wanted).bytes)
    except ValueError:
        asked = asked.where(productions.c.number == wanted.upper())
    row = tx.execute(asked).one_or_none()
    if row is None:
        raise NoSuchProduction(f"no production {wanted[:80]!r} was made", next="`muniment disclose list`.")
    return _read(store, tx, [row])[0]


def listed(store: Store, tx: Tx, request: UUID | None = None) -> list[Production]:
    """Productions, of one request or of all, the newest first."""
    asked = select(productions).order_by(productions.c.key.desc())
    if request is not None:
        asked = asked.where(productions.c.request == request.bytes)
    return _read(store, tx, tx.execute(asked).all())


def under_way(store: Store, tx: Tx, request: Request, prefix: str) -> Production | None:
    """The production of a request that was begun with this prefix, and is neither issued nor given up."""
    return next(
        (one for one in listed(store, tx, request.id) if one.state == "begun" and one.prefix == prefix), None
    )


def numbers(tx: Tx, production: Production) -> Iterator[tuple[UUID, int, int, str]]:
    """Every record of a production: its id, its first page, how many, and how it left."""
    asked = (
        select(records.c.id, produced.c.first, produced.c.pages, produced.c.how)
        .join(records, records.c.key == produced.c.record)
        .where(produced.c.production == production.key)
        .order_by(produced.c.first)
    )
    for row in tx.execute(asked.execution_options(yield_per=10_000)):
        yield UUID(bytes=bytes(row.id)), row.first, row.pages, row.how


def _read(store: Store, tx: Tx, rows: Sequence[Any]) -> list[Production]:
    told = deeds.told(store, tx, [row.entry for row in rows])
    return [
        Production(
            key=row.key, id=UUID(bytes=bytes(row.id)), request=UUID(bytes=bytes(row.request)), entry=row.entry,
            number=row.number, prefix=row.prefix, first=row.first, last=row.last, made_at=from_instant(row.made_at),
            size=row.size, records=row.records, withheld=row.withheld, issued_entry=row.issued_entry,
            given_up_entry=row.given_up_entry, clawed_entry=row.clawed_entry,
            digest=bytes(row.digest).hex() if row.digest is not None else None,
            recipe=recalled(cast("Mapping[str, object]", told[row.entry].detail["recipe"])),
            messages=told[row.entry].detail.get("messages") is True,
        )
        for row in rows
    ]  # fmt: skip


def line(record: int, first: int, pages: int, how: str, decisions: bytes) -> bytes:
    """A document as the entry that issued it has digested it, in the order of numbers."""
    return f"{record}|{first}|{pages}|{how}|{decisions.hex()}\n".encode()


def as_json(one: Production) -> dict[str, object]:
    """A production as programs read it."""
    return {
        "production": one.number, "id": str(one.id), "request": str(one.request), "state": one.state,
        "records": one.records, "withheld": one.withheld, "first": one.recipe.bates(one.first),
        "last": one.recipe.bates(one.last) if one.last else None, "prefix": one.prefix,
        "made_at": iso(one.made_at), "as_of": one.size, "sealed": one.digest,
        "entry": one.entry, "issued_entry": one.issued_entry,
    }  # fmt: skip


def give_up(store: Store, tx: Tx, production: Production, *, by: Officer, why: str) -> Production:
    """Build a production no more; its numbers were never given to anybody, and are free again."""
    lock_ledger(tx)
    now = get(store, tx, production.number)
    if now.state != "begun":
        raise NotIssued(f"{now.number} is {now.state}", next="Only what was begun can be given up.")
    entry = _act(store, tx, now, "given up", by=by, why=why)
    tx.execute(update(productions).where(productions.c.key == now.key).values(given_up_entry=entry))
    return get(store, tx, now.number)


def claw_back(
    store: Store, tx: Tx, production: Production, *, ranges: str = "", by: Officer, why: str
) -> Production:
    """Ask a production back, or write down that a part of it was; its links work no more."""
    lock_ledger(tx)
    now = get(store, tx, production.number)
    if now.state != "issued":
        raise NotIssued(f"{now.number} is {now.state}", next="Only what was issued can be asked back.")
    entry = _act(store, tx, now, "asked back", by=by, why=why, ranges=ranges)
    tx.execute(update(productions).where(productions.c.key == now.key).values(clawed_entry=entry))
    return get(store, tx, now.number)


def _act(store: Store, tx: Tx, now: Production, act: str, *, by: Officer, why: str, **detail: str) -> int:
    return store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"production": now.id.hex, "act": act},
        detail=detail,
        subject=now.request,
    )


def forms(written: Iterable[str]) -> Forms:
    """The forms of these names, all that are usual where none is named; `BadRecipe` for one that there is not."""
    wanted = [one.strip() for one in written if one.strip()]
    for one in wanted:
        if one not in set(Form):
            raise BadRecipe(f"there is no form {one[:40]!r}", next=f"Known are {', '.join(Form)}.")
    return frozenset(Form(one) for one in wanted) or USUAL


def told(one: Production, built: Built, found: Iterable[Shown]) -> dict[str, object]:
    """A production that was just made, as programs read it."""
    counts = built.counts
    return {
        "production": one.number, "id": str(one.id), "records": counts.released, "withheld": counts.withheld,
        "redacted": counts.redacted, "documents": counts.documents, "pages": counts.pages, "first": counts.first,
        "last": counts.last, "folder": str(built.folder), "sealed": one.digest, "signed_by": built.sealed.signed_by,
        "timestamps": [name for name, _ in built.sealed.timestamps],
        "left_out": [list(each) for each in built.left_out], "conflicts": [each.as_json() for each in found],
    }  # fmt: skip
