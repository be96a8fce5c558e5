"""Productions as they stand: their rows, what each holds under which numbers, giving one up, asking one back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID

from sqlalchemy import func, select, update

from app.capture import deeds
from app.db import Tx, from_instant
from app.db.database import lock_ledger
from app.disclosure import papers, requests
from app.disclosure.package.recipe import DIGITS, USUAL, BadRecipe, Form, Forms, Recipe, recalled
from app.disclosure.papers import New
from app.disclosure.requests import Request
from app.records.clock import iso
from app.records.errors import Invalid, NotFound, Refused
from app.records.nouns import Officer
from app.store.store import Store
from app.store.tables import produced, productions, records

if TYPE_CHECKING:
    from app.disclosure.package.building import Built

TYPE = "production"
_ASK = 500
_BETWEEN = re.compile(r"[,;\n]")
_TO = r"\s+to\s+|\s*[-\u2013\u2014]\s*"


class Shown(Protocol):
    """A conflict."""

    def as_json(self) -> dict[str, object]: ...


class NoSuchProduction(NotFound):
    """No production of that number or id was made."""

    code = "no-such-production"


class NotIssued(Refused):
    """The production was not issued, or was asked back already."""

    code = "production-not-issued"


class BadRange(Invalid):
    """Numbers that are asked back are numbers that the production holds."""

    code = "bad-range"


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
    """The first number that was free."""
    begins: int
    """The lowest number that it holds, or will hold: lower than that, where documents are given anew."""
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
    lowest: dict[int, int] = {}
    for start in range(0, len(rows), _ASK):
        asked = (
            select(produced.c.production, func.min(produced.c.first).label("first"))
            .where(produced.c.production.in_([row.key for row in rows[start : start + _ASK]]))
            .group_by(produced.c.production)
        )
        lowest |= {row.production: int(row.first) for row in tx.execute(asked)}
    return [
        Production(
            key=row.key, id=UUID(bytes=bytes(row.id)), request=UUID(bytes=bytes(row.request)), entry=row.entry,
            number=row.number, prefix=row.prefix, first=row.first, begins=lowest.get(row.key, row.first), last=row.last, made_at=from_instant(row.made_at),
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
        "records": one.records, "withheld": one.withheld, "first": one.recipe.bates(one.begins),
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
    store: Store,
    tx: Tx,
    production: Production,
    *,
    ranges: str = "",
    letter: Mapping[UUID, New] | None = None,
    by: Officer,
    why: str,
) -> Production:
    """Ask a production back, or the numbers of `ranges` alone; its links work no more.

    `ranges` are numbers of it, each with or without the prefix, or from one to
    another: `HF-0000002, HF-0000004 to HF-0000009`. Raises `BadRange` for
    anything else: what was not given cannot come back. `letter` is what whoever
    was given it is told, and is kept among the letters of the request.
    """
    lock_ledger(tx)
    now = get(store, tx, production.number)
    must_be_issued(now)
    told, kept = written(tx, now, ranges), letter or {}
    entry = _act(store, tx, now, "asked back", by=by, why=why, ranges=told, papers=papers.named(kept))
    papers.keep(store, tx, requests.get(store, tx, str(now.request)).key, entry, kept)
    tx.execute(update(productions).where(productions.c.key == now.key).values(clawed_entry=entry))
    return get(store, tx, now.number)


def must_be_issued(production: Production) -> None:
    """Raise `NotIssued` unless a production was issued, and not asked back since."""
    if production.state != "issued":
        raise NotIssued(
            f"{production.number} is {production.state}", next="Only what was issued can be asked back."
        )


def written(tx: Tx, production: Production, ranges: str) -> str:
    """Numbers of a production in the one way in which they are kept, or `BadRange`; nothing stands for all of them."""
    pairs = [_pair(production, one.strip()) for one in _BETWEEN.split(ranges) if one.strip()]
    there = [(first, first + pages - 1) for _, first, pages, _ in numbers(tx, production)] if pairs else []
    for first, last in pairs:
        if last < first or not all(any(a <= one <= b for a, b in there) for one in (first, last)):
            raise _not_of(production, f"{first} to {last}" if first != last else str(first))
    bates = production.recipe.bates
    return ", ".join(
        bates(first) if first == last else f"{bates(first)} to {bates(last)}" for first, last in pairs
    )


def _pair(production: Production, said: str) -> tuple[int, int]:
    """The first and the last of a range as somebody wrote it."""
    prefix = re.escape(production.prefix)
    number = rf"(?:{prefix})?([0-9]{{1,{DIGITS}}})"
    found = re.fullmatch(rf"{number}(?:(?:{_TO}){number})?", said, re.IGNORECASE | re.ASCII)
    if found is None:
        raise _not_of(production, said)
    return int(found[1]), int(found[2] or found[1])


def _not_of(production: Production, said: str) -> BadRange:
    bates = production.recipe.bates
    first, last = bates(production.begins), bates(production.last or production.begins)
    return BadRange(
        f"{said[:80]!r} are no numbers of {production.number}, which holds {first} to {last}",
        next=f"Write {first}, or {first} to {last}, several with commas between them; or nothing for all of it.",
    )


def asked_back(store: Store, tx: Tx, production: Production) -> str:
    """Which numbers of a production were asked back, as `written` wrote them; nothing where it was all of it."""
    if production.clawed_entry is None:
        return ""
    return deeds.told(store, tx, [production.clawed_entry])[production.clawed_entry].text("ranges")


def is_back(production: Production, ranges: str, first: int, pages: int) -> bool:
    """Whether a document with these numbers was asked back, or a page of it; where nobody can read which, it was."""
    if production.clawed_entry is None:
        return False
    try:
        pairs = [_pair(production, one.strip()) for one in _BETWEEN.split(ranges) if one.strip()]
    except BadRange:  # written before numbers were looked at
        return True
    return not pairs or any(begins < first + pages and first <= ends for begins, ends in pairs)


def _act(store: Store, tx: Tx, now: Production, act: str, *, by: Officer, why: str, **detail: object) -> int:
    return store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"production": now.id.hex, "act": act},
        detail=detail,
        subject=now.request,
    )


def one_of(replaces: str, records: Sequence[UUID], *, only_new: bool) -> None:
    """Raise unless a production holds everything, or what is new, or named documents of one other."""
    if bool(replaces) != bool(records):
        raise BadRecipe(
            "a replacement names the production and the records", next="Name both: of which production, and which of its records."
        )  # fmt: skip
    if replaces and only_new:
        raise BadRecipe(
            "a supplement gives anew by itself whatever would leave otherwise now",
            next="Ask for one of both.",
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
