"""Productions: numbered, built, looked through for whatever is withheld, sealed, handed over, asked back.

What a production may not do is tell what was taken out. So before it is sealed
every file of it is searched for every word that was, in whatever form; one hit,
or one file that cannot be looked into, and there is no production.

A production is begun with one entry, which holds its recipe; built outside any
transaction, since that takes long; and issued with another entry, which holds
the digest of what was sealed. Numbers belong to it from its issue on, for ever.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from app.db import Tx, to_instant
from app.db.database import lock_ledger
from app.db.rows import insert_rows
from app.disclosure import (
    afterwards,
    assembling,
    conflicts,
    matching,
    moving,
    produced,
    requests,
    reviewing,
    selecting,
)
from app.disclosure.assembling import Decided
from app.disclosure.conflicts import Conflict, Named, Standing, Withdrawn
from app.disclosure.package import building
from app.disclosure.package.building import Built, Sources
from app.disclosure.package.numbering import NumbersUsedUp
from app.disclosure.package.recipe import LAST, USUAL, Earlier, Forms, Ground, Recipe, fit
from app.disclosure.produced import TYPE, NotIssued, Production
from app.disclosure.reaching import Reach
from app.disclosure.redacting import FIELDS, Field, Read, Remaker, Span, Whole, details, words
from app.disclosure.released import Item
from app.disclosure.requests import Request
from app.disclosure.trying import Trial
from app.disclosure.verify.hunting import Hunter
from app.records.errors import Refused
from app.records.ids import new_id
from app.records.nouns import Officer
from app.store import quarantine
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import produced as documents
from app.store.tables import productions, records, redactions, selected, versions

PRODUCERS = reviewing.REVIEWERS
WHOLE, REDACTED, WITHHELD = "whole", "redacted", "withheld"
_ASK = 500
_MOST_ANEW = 20_000
"""So many documents are named one by one in a recipe at the most."""


class ConflictsRemain(Refused):
    """Something is treated in two ways, or was not decided; a production is not made before it is."""

    code = "production-conflicts"


class ProductionUnderWay(Refused):
    """Another production of these numbers was begun, and is neither issued nor given up."""

    code = "production-under-way"


class SelectionMoved(Refused):
    """The selection was confirmed once more since; what was begun is as of the earlier confirmation."""

    code = "selection-confirmed-again"


class DecidedMeanwhile(Refused):
    """Something was decided of records while a production of them was being made; it is of the day before."""

    code = "decided-meanwhile"


class NothingNew(Refused):
    """Everything that is selected was given already, as it is."""

    code = "nothing-new"


class WithheldWordsFound(Refused):
    """What was taken out stands somewhere in what was built, or something could not be looked into."""

    code = "withheld-words-found"


@dataclass(slots=True)
class Plan:
    """What a production would hold: its records in order, what was decided of them, and what is in conflict."""

    request: Request
    order: Sequence[int]
    size: int
    messages: bool
    names: Mapping[UUID, str]
    reach: Reach
    withdrawn: Withdrawn
    named: Named
    late: frozenset[UUID]
    """The attachments whose bytes came after the selection was confirmed."""
    withheld: frozenset[int]
    """The keys of the records that are kept back whole."""
    redacted: frozenset[int]
    """The keys of those that leave in part, as far as it was decided of themselves."""
    absent: Sequence[str]
    """Every word that must not be found in what is built."""
    taken_out: Sequence[str]
    """Those, and the ones that a person let stay somewhere."""
    grounds: Mapping[str, Ground]
    read_at: int
    """How many entries the ledger had before anything of this was read."""
    apart: frozenset[int] = frozenset()
    """The keys of the records that were in quarantine then: they are left out."""
    conflicts: list[Conflict] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """What would leave, and what is in conflict, as programs read it."""
        return {
            "request": str(self.request.id), "number": self.request.number, "records": len(self.order),
            "withheld": len(self.withheld), "redacted": len(self.redacted), "as_of": self.size,
            "exemptions": {code: list(ground) for code, ground in self.grounds.items()},
            "conflicts": [one.as_json() for one in self.conflicts],
        }  # fmt: skip

    def items(self, store: Store, by: Remaker) -> Callable[[int], Iterator[Item]]:
        """The items of the production from a position on."""

        def from_(position: int) -> Iterator[Item]:
            return assembling.items(
                store,
                self.order[position:],
                lambda tx, keys: reviewing.decided(store, tx, keys, self.names),
                size=self.size,
                late=self.late,
                messages=self.messages,
                by=by,
                reach=self.reach,
                clean=not self.withheld and not self.redacted,
            )

        return from_


# -- before ---------------------------------------------------------------------------------------------


def plan(store: Store, request: Request, *, messages: bool = False) -> Plan:
    """What a production of the confirmed selection would hold, and everything that is in conflict.

    Every record on which something was decided is read, and where words of
    withheld records could leave in others, every record of the selection.
    """
    with store.database.read() as tx:
        size = selecting.must_be_confirmed(store, tx, request).size
        read_at, apart = store.ledger.size(tx), frozenset(quarantine.hidden(tx))
    late = afterwards.attachments(store, size)
    with store.database.read() as tx:
        confirmed = selecting.must_be_confirmed(store, tx, request)
        if confirmed.size != size:
            raise SelectionMoved("the selection was confirmed again just now", next="Ask once more.")
        order = assembling.in_order(tx, selecting.of(tx, request.id), messages=messages)
        names = reviewing.names(tx)
        there = set(order)
        touched = [key for key in reviewing.redacted_keys(tx, request.id) if key in there]
        made = reviewing.decided(store, tx, touched, names)
        two = reviewing.needs_two(tx, request.id)
        told = [(read, made[read.record.key]) for read in assembling.reading(store, tx, touched, size=size, late=late, messages=messages)]  # fmt: skip
        before = _before(tx, order)
    held_back = [(read, so) for read, so in told if _withheld(so)]
    reach = Reach((read, so.redactions) for read, so in told)
    withdrawn = Withdrawn(read for read, so in held_back if not _only_here(so))
    named = Named((read, so.redactions) for read, so in told)
    taken_out = _taken_out(told)
    planned = Plan(
        request=request, order=order, size=size, messages=messages, names=names, reach=reach, withdrawn=withdrawn, named=named, late=late,
        withheld=frozenset(read.record.key for read, _ in held_back),
        redacted=frozenset(read.record.key for read, so in told if so.redactions and not _withheld(so)),
        absent=_absent(told, taken_out), taken_out=taken_out, grounds=_grounds(request, [so for _, so in told]), read_at=read_at, apart=apart,
    )  # fmt: skip
    planned.conflicts += _not_listed(request, told)
    planned.conflicts += _conflicts(store, planned, two=two, before=before)
    return planned


def _withheld(so: Decided) -> bool:
    return any(one.where == Whole() for one in so.redactions)


def _only_here(so: Decided) -> bool:
    return all(one.only_here for one in so.redactions if one.where == Whole())


def _taken_out(told: Sequence[tuple[Read, Decided]]) -> list[str]:
    """What was taken out for everywhere, and the texts of what is withheld."""
    found: dict[str, None] = {}
    for read, so in told:
        for word in words(read, [one for one in so.redactions if not one.only_here]):
            found[word] = None
        if _withheld(so) and not _only_here(so):
            for version in read.history:
                text = (version.text("text") or "").strip()
                if len(text) >= conflicts.LONG:
                    found[text] = None
    return list(found)


def _absent(told: Sequence[tuple[Read, Decided]], found: Sequence[str]) -> list[str]:
    """Of these words those that must stand nowhere: that nobody let stay in any record."""
    stays = [matching.read(said) for read, so in told for kept in so.kept for said in _stays(read, kept)]
    return [word for word in found if not any(matching.found([matching.folded(word)], one) for one in stays)]


def _stays(read: Read, kept: Span | Field) -> Iterator[str]:
    """What a person let stay of a record."""
    for version in read.history:
        match kept:
            case Span(number, start, end) if number == version.number:
                yield (version.text("text") or "")[start:end]
            case Field("details"):
                yield from details(version)
            case Field(name):
                yield from (version.text(part) or "" for part in FIELDS[name])
            case _:
                pass


def _grounds(request: Request, made: Sequence[Decided]) -> dict[str, Ground]:
    listed = requests.exemptions(request)
    found = {}
    for so in made:
        for one in so.redactions:
            known = listed.get(one.code)
            found[one.code] = (
                Ground(known.citation, known.title, known.explanation)
                if known is not None
                else Ground(one.citation or one.code, one.code, "")
            )
    return found


def _not_listed(request: Request, told: Sequence[tuple[Read, Decided]]) -> Iterator[Conflict]:
    listed = requests.exemptions(request)
    if not listed:
        return  # a law whose exemptions nobody has listed says nothing against any
    seen = set()
    for read, so in told:
        for one in so.redactions:
            if one.code not in listed and one.code not in seen:
                seen.add(one.code)
                yield conflicts.not_listed(read, one.code, request.law)


def _before(tx: Tx, order: Sequence[int]) -> dict[int, tuple[str, str, bytes]]:
    """How each of these records left last, in which issued production, and with what decisions."""
    found: dict[int, tuple[str, str, bytes]] = {}
    for start in range(0, len(order), _ASK):
        asked = (
            select(documents.c.record, productions.c.number, documents.c.how, documents.c.decisions)
            .join(productions, productions.c.key == documents.c.production)
            .where(
                documents.c.record.in_(list(order[start : start + _ASK])),
                productions.c.clawed_entry.is_(None),
            )
            .order_by(productions.c.issued_entry)
        )
        for row in tx.execute(asked):
            found[row.record] = (row.number, row.how, bytes(row.decisions))
    return found


def _conflicts(
    store: Store, made: Plan, *, two: bool, before: Mapping[int, tuple[str, str, bytes]]
) -> Iterator[Conflict]:
    """What is in conflict; read part by part, and only what could be."""
    touched = made.withheld | made.redacted
    everything = bool(made.withdrawn) or bool(made.reach) or bool(made.named)
    standing = Standing(made.taken_out, made.absent, (store.agency.name, store.agency.domain))
    wanted = [key for key in made.order if everything or key in touched or key in before]
    with closing(Trial(made.absent)) as trial:
        yield from _each(store, made, wanted, standing, trial, two=two, before=before)


def _each(
    store: Store,
    made: Plan,
    wanted: Sequence[int],
    standing: Standing,
    trial: Trial,
    *,
    two: bool,
    before: Mapping[int, tuple[str, str, bytes]],
) -> Iterator[Conflict]:
    for start in range(0, len(wanted), _ASK):
        part = wanted[start : start + _ASK]
        with store.database.read() as tx:
            decided = reviewing.decided(store, tx, part, made.names)
            found = list(
                assembling.reading(store, tx, part, size=made.size, late=made.late, messages=made.messages)
            )
        for read in found:
            so = decided.get(read.record.key, Decided())
            reaching = made.reach.within(read)
            more = so.reached(reaching)
            yield from conflicts.kept_here(read, so, reaching)
            yield from conflicts.within(read, so, more, two_persons=two)
            if read.record.key not in made.withheld:
                yield from made.withdrawn.within(read, so, [*so.redactions, *more])
                yield from made.named.within(read, so.kept, [*so.redactions, *more])
                yield from standing.within(read, so, [*so.redactions, *more])
                for _, why, remedy in trial.of(read, [*so.redactions, *more], so.whole):
                    yield conflicts.unfit(read, why, remedy)
                for held, page in trial.shown(read, [*so.redactions, *more], so.whole):
                    yield conflicts.shown(read, held, page)
            was = before.get(read.record.key)
            if was is not None and was[2] != decisions(store, so):
                yield conflicts.otherwise(read, was[0], was[1], how(so, [*so.redactions, *more]))


def how(so: Decided, made: Sequence[object]) -> str:
    """How a record leaves: whole, redacted or withheld."""
    return WITHHELD if _withheld(so) else REDACTED if made else WHOLE


def decisions(store: Store, so: Decided) -> bytes:
    """What was decided of a record, as a keyed digest that can be compared and tells nothing."""
    told = sorted(f"{one.where!r}|{one.code}" for one in so.redactions) + sorted(map(str, so.whole))
    key = keyed(store.lookup, b"decisions")
    return hmac.new(key, "\n".join(told).encode(), hashlib.sha256).digest()


def dates(store: Store, request: Request) -> tuple[datetime, datetime] | None:
    """The time that a request speaks of, from its first day to the end of its last; None where it names none."""
    if request.since is None and request.until is None:
        return None
    zone = store.agency.zone()
    first = request.since or date(1970, 1, 1)
    last = (request.until + timedelta(days=1)) if request.until else store.clock.now().astimezone(zone).date() + timedelta(days=1)  # fmt: skip
    return datetime(first.year, first.month, first.day, tzinfo=zone), datetime(last.year, last.month, last.day, tzinfo=zone)  # fmt: skip


# -- making ---------------------------------------------------------------------------------------------


def begin(
    store: Store,
    tx: Tx,
    made: Plan,
    *,
    prefix: str,
    forms: Forms = USUAL,
    software: str,
    checkpoint: int,
    profile: str = "relativity",
    anew: Mapping[UUID, Earlier] | None = None,
    only_new: bool = False,
    by: Officer,
    why: str,
) -> Production:
    """Begin a production: its number, its first page, and the recipe that it is built by from now on.

    `anew` is what `given_before` tells of documents that are given once more
    under the numbers that they have; with `only_new` they are what `changed`
    tells, and beside them leaves what was not given for the request yet. Raises `ConflictsRemain` for whatever has to be settled before, and
    `ProductionUnderWay` where numbers of this prefix are being given.
    """
    request = requests.must_be_open(requests.fresh(store, tx, made.request))
    blocking = [one for one in made.conflicts if one.blocks]
    if blocking:
        raise ConflictsRemain(
            f"{len(blocking)} things are not settled; the first: record {blocking[0].record}: {blocking[0].what}",
            next=f"{blocking[0].next} `muniment disclose preview {request.number}` lists them all.",
        )
    fit(prefix)
    lock_ledger(tx)
    waiting = tx.execute(
        select(productions.c.number).where(
            productions.c.prefix == prefix,
            productions.c.issued_entry.is_(None),
            productions.c.given_up_entry.is_(None),
        )
    ).scalar()
    if waiting is not None:
        raise ProductionUnderWay(
            f"{waiting} is being made with the numbers {prefix}…",
            next=f"Go on with it: `muniment disclose produce` into the same folder; or `muniment disclose give-up {waiting}`.",
        )
    identity = new_id()
    before = tx.execute(
        select(func.count()).select_from(productions).where(productions.c.request == request.id.bytes)
    ).scalar_one()
    first = int(
        tx.execute(select(func.max(productions.c.last)).where(productions.c.prefix == prefix)).scalar() or 0
    )
    if first >= LAST and (only_new or not anew):
        raise NumbersUsedUp(
            f"{prefix}{LAST} was given, and is the last number that there is",
            next="Produce with another prefix.",
        )
    if only_new and not (set(made.order) - _given(tx, request.id)) and not anew:
        raise NothingNew(
            f"nothing is new since {request.number} was answered last",
            next="Confirm a selection that holds more; or produce without asking for what is new alone.",
        )
    earlier = tx.execute(
        select(productions.c.number)
        .where(productions.c.request == request.id.bytes, productions.c.issued_entry.is_not(None))
        .order_by(productions.c.issued_entry.desc())
        .limit(1)
    ).scalar()
    recipe = Recipe(
        production=identity,
        number=f"{request.number}-P{before + 1:02}",
        request=request.number,
        title=f"Production of records for request {request.number}",
        agency=store.agency.name,
        domain=store.agency.domain,
        timezone=store.agency.timezone,
        prefix=prefix,
        first=first + 1,
        volume=f"VOL{before + 1:03}",
        made_at=store.clock.now().replace(microsecond=0),
        as_of=made.size,
        checkpoint=checkpoint,
        forms=forms,
        exemptions=made.grounds,
        software=software,
        profile=profile,
        supplements=earlier,
        replaces=anew or {},
        only_new=only_new,
        asked_back=_asked_back(store, tx, request),
    )
    entry = store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"production": identity.hex, "request": request.id.hex, "act": "begun", "n": len(made.order)},
        detail={"recipe": recipe.told(), "messages": made.messages},
        subject=request.id,
    )
    tx.execute(
        insert(productions).values(
            id=identity.bytes,
            request=request.id.bytes,
            entry=entry,
            number=recipe.number,
            prefix=prefix,
            first=recipe.first,
            made_at=to_instant(recipe.made_at),
            size=made.size,
        )
    )
    return produced.get(store, tx, recipe.number)


def must_be_the_same(
    begun: Production, forms: Forms, replaces: str, only: Iterable[UUID], *, only_new: bool
) -> None:
    """Raise `ProductionUnderWay` where what is asked for is not what was begun: another thing is not made in its place."""
    recipe = begun.recipe
    anew = set(recipe.replaces) == set(only) if replaces else not recipe.replaces or recipe.only_new
    if recipe.forms == forms and recipe.only_new == only_new and anew:
        return
    what = "a supplement" if recipe.only_new else "a replacement" if recipe.replaces else "a whole production"
    raise ProductionUnderWay(
        f"{begun.number} was begun as {what} with the forms {', '.join(sorted(recipe.forms))}",
        next=f"Ask for the same, to go on with it; or `muniment disclose give-up {begun.number}`.",
    )


def given_before(tx: Tx, before: Production, wanted: Iterable[UUID], prefix: str) -> dict[UUID, Earlier]:
    """The numbers that documents bear in a production that was issued, asked back since or not, for giving them anew.

    Raises `NotIssued` for a production that was not, or that does not hold them
    under this prefix.
    """
    if before.issued_entry is None or before.prefix != prefix:
        raise NotIssued(
            f"{before.number} is {before.state}, with the numbers {before.prefix}…",
            next="What was issued is replaced under the prefix that it has.",
        )
    there = {record: (first, pages) for record, first, pages, _ in produced.numbers(tx, before)}
    told = {}
    for record in wanted:
        if record not in there:
            raise NotIssued(
                f"{before.number} does not hold record {record}", next="`muniment disclose show --records`."
            )
        first, pages = there[record]
        told[record] = Earlier(before.number, first, pages, _revision(tx, before.prefix, record, first))
    return told


def _revision(tx: Tx, prefix: str, record: UUID, first: int) -> int:
    """How often a document was issued under its number."""
    asked = (
        select(func.count())
        .select_from(documents)
        .join(productions, productions.c.key == documents.c.production)
        .join(records, records.c.key == documents.c.record)
        .where(
            productions.c.prefix == prefix,
            productions.c.issued_entry.is_not(None),
            records.c.id == record.bytes,
            documents.c.first == first,
        )
    )
    return int(tx.execute(asked).scalar_one())


def _asked_back(store: Store, tx: Tx, request: Request) -> tuple[str, ...]:
    """The productions of a request that were asked back, the oldest first, each with its numbers."""
    told = []
    for one in reversed(produced.listed(store, tx, request.id)):
        if one.clawed_entry is not None:
            ranges = produced.asked_back(store, tx, one)
            told.append(f"{one.number} ({ranges})" if ranges else f"{one.number} (all of it)")
    return tuple(told)


def _given(tx: Tx, request: UUID, before: int | None = None) -> set[int]:
    """The records that were given for a request, whatever became of it, in productions issued before an entry."""
    asked = (
        select(documents.c.record)
        .distinct()
        .join(productions, productions.c.key == documents.c.production)
        .where(productions.c.request == request.bytes, productions.c.issued_entry.is_not(None))
    )
    if before is not None:
        asked = asked.where(productions.c.issued_entry < before)
    return {int(key) for key in tx.execute(asked).scalars()}


def changed(store: Store, tx: Tx, made: Plan, prefix: str) -> dict[UUID, Earlier]:
    """What was given for the request and would leave otherwise now, with the numbers that it has: for a supplement.

    Otherwise is whatever was decided since, or reaches it from what was; a
    version that came since; and that it was asked back. Raises `NotIssued`
    where such a document has numbers of another prefix, which go on there, and
    where they are too many to be named one by one.
    """
    anew: dict[UUID, Earlier] = {}
    given = {
        one.key: one for one in produced.listed(store, tx, made.request.id) if one.issued_entry is not None
    }
    back = {key: produced.asked_back(store, tx, one) for key, one in given.items()}
    since = min((one.entry for one in given.values()), default=0)
    moved = _decided_since(tx, made.request.id, since, selecting_too=True)
    for start in range(0, len(made.order), _ASK):
        newest = _newest(tx, list(given), made.order[start : start + _ASK])
        part = [key for key in newest if key not in made.apart]
        so = reviewing.decided(store, tx, part, made.names)
        edited = _versions_since(tx, part, made.size)
        reached: set[int] = set()
        if made.reach:
            told = assembling.reading(store, tx, part, size=made.size, late=made.late, messages=made.messages)
            reached = {
                read.record.key
                for read in told
                if so.get(read.record.key, Decided()).reached(made.reach.within(read))
            }
        ids = {row.key: UUID(bytes=bytes(row.id)) for row in tx.execute(select(records.c.key, records.c.id).where(records.c.key.in_(part)))}  # fmt: skip
        for key in part:
            row, was = newest[key], given[newest[key].production]
            if not (
                produced.is_back(was, back[was.key], row.first, row.pages)
                or bytes(row.decisions) != decisions(store, so.get(key, Decided()))
                or edited.get(key, 0) >= was.size
                or (key in reached and row.how == WHOLE)
                or (
                    row.how == REDACTED
                    and any(one >= was.entry for one in moved)
                    and (key in reached or key not in made.redacted)
                )
            ):
                continue
            if was.prefix != prefix:
                raise NotIssued(
                    f"record {ids[key]} would leave otherwise now, and stands in {was.number} with the numbers {was.prefix}…",
                    next=f"Produce what is new under {was.prefix}, or give that record anew there (--replaces).",
                )
            anew[ids[key]] = Earlier(
                was.number, row.first, row.pages, _revision(tx, prefix, ids[key], row.first)
            )
    if len(anew) > _MOST_ANEW:
        raise NotIssued(
            f"{len(anew):,} documents would leave otherwise now; {_MOST_ANEW:,} at most are given anew at once",
            next="Produce everything anew, under new numbers.",
        )
    return anew


def _newest(tx: Tx, given: Sequence[int], keys: Sequence[int]) -> dict[int, Any]:
    """How each of these records left last in these productions; one that never did is left out."""
    asked = select(documents).where(documents.c.record.in_(list(keys)), documents.c.production.in_(given))
    there = {row.record: row for row in tx.execute(asked.order_by(documents.c.production))}
    return {key: there[key] for key in keys if key in there}


def _decided_since(tx: Tx, request: UUID, entry: int, *, selecting_too: bool = False) -> list[int]:
    """The entries since one by which something was taken out of selected records, or taken back.

    With `selecting_too` those as well by which a record came into the selection,
    or went out of it, of which something is taken out: that reaches others.
    """
    columns: list[ColumnElement[int]] = [redactions.c.entry, redactions.c.retracted_entry]
    if selecting_too:
        columns += [selected.c.entry.label("came"), selected.c.left_entry]
    asked = (
        select(*columns)
        .join(selected, selected.c.record == redactions.c.record)
        .where(selected.c.request == request.bytes, or_(*(one >= entry for one in columns)))
    )
    if not selecting_too:
        asked = asked.where(selected.c.left_entry.is_(None))
    return [max(one for one in row if one is not None) for row in tx.execute(asked)]


def _versions_since(tx: Tx, keys: Sequence[int], size: int) -> dict[int, int]:
    """The entry of the newest version that each of these records had at a size of the ledger."""
    asked = (
        select(versions.c.record, func.max(versions.c.entry).label("entry"))
        .where(versions.c.record.in_(list(keys)), versions.c.entry < size)
        .group_by(versions.c.record)
    )
    return {row.record: int(row.entry) for row in tx.execute(asked)}


def narrow(store: Store, made: Plan, recipe: Recipe) -> None:
    """Let a plan hold only what its recipe gives anew, and with `only_new` what was not given yet; another recipe changes nothing."""
    if not recipe.replaces and not recipe.only_new:
        return
    named = [one.bytes for one in recipe.replaces]
    keys: set[int] = set()
    with store.database.read() as tx:
        for start in range(0, len(named), _ASK):
            asked = select(records.c.key).where(records.c.id.in_(named[start : start + _ASK]))
            keys |= set(tx.execute(asked).scalars())
        if recipe.only_new:
            own = select(productions.c.entry).where(productions.c.id == recipe.production.bytes)
            before = int(tx.execute(own).scalar_one())
            keys |= set(made.order) - _given(tx, made.request.id, before)
    made.order = [key for key in made.order if key in keys]


def must_stand(store: Store, tx: Tx, made: Plan, production: Production) -> None:
    """Raise unless all that a production was made from still stands: its request, its selection, what was decided.

    Whoever takes words out while a production is built, or before it is
    issued, means them not to leave. `SelectionMoved` and `DecidedMeanwhile`
    say what is otherwise; nothing is mixed.
    """
    requests.must_be_open(requests.get(store, tx, str(production.request)))
    anew = f"`muniment disclose give-up {production.number}`, remove its folder, and produce anew."
    there, hidden = set(selecting.of(tx, production.request)), quarantine.hidden(tx) - made.apart
    gone = sum(key not in there and key not in made.apart for key in made.order)
    if gone:
        raise SelectionMoved(
            f"{gone:,} records are not selected any more since {production.number} was begun", next=anew
        )
    if _decided_since(tx, production.request, made.read_at):
        raise DecidedMeanwhile(
            f"something was decided of its records since {production.number} was looked through", next=anew
        )
    if any(key in hidden for key in made.order):
        raise DecidedMeanwhile(f"records of {production.number} may be read by nobody any more", next=anew)


def build(made: Plan, production: Production, out: Path, sources: Sources, by: Remaker) -> Built:
    """Build a production into a folder of its own name in `out`, or go on where it was broken off.

    Everything is searched for whatever was taken out before it is sealed;
    raises `WithheldWordsFound` where anything is found, and `SelectionMoved`
    where the plan is of another confirmation than what was begun.
    """
    if made.size != production.recipe.as_of:
        raise SelectionMoved(
            f"the selection was confirmed again since {production.number} was begun",
            next=f"`muniment disclose give-up {production.number}`, and produce anew.",
        )
    hunter = Hunter(made.absent)

    def look(folder: Path) -> None:
        with sources.store.database.read() as tx:
            must_stand(sources.store, tx, made, production)
        if not hunter.count:
            return  # nothing must be absent: a file that cannot be looked into hides nothing
        found = hunter.folder(folder)
        if found.clean:
            return
        first = found.hits[0] if found.hits else found.unread[0]
        what = (
            f"{len(found.hits)} places have words that were taken out"
            if found.hits
            else f"{len(found.unread)} files could not be looked into"
        )
        raise WithheldWordsFound(
            f"{what}; the first: {first.where}",
            next="Nothing was sealed. Take the words out where they stand, or withhold what cannot be looked into.",
        )

    return building.build(production.recipe, made.items(sources.store, by), out, replace(sources, look=look))


def issue(
    store: Store,
    tx: Tx,
    production: Production,
    made: Plan,
    built: Built,
    *,
    more: bool = False,
    by: Officer,
    why: str,
) -> Production:
    """Write down that a production was sealed, what it holds under which numbers, and its digest.

    For the clocks of the request it is an instalment, and unless `more` comes all that was asked for.
    """
    lock_ledger(tx)
    now = produced.get(store, tx, production.number)
    if now.state != "begun":
        raise NotIssued(f"{now.number} is {now.state}", next="Begin another one.")
    must_stand(store, tx, made, now)
    given = sorted(built.given(), key=lambda one: one.first)
    last = max((one.first + one.pages - 1 for one in given), default=production.first - 1)
    digest = built.sealed.seal.hex()
    listed = hashlib.sha256()
    for start in range(0, len(given), _ASK):
        part = given[start : start + _ASK]
        decided = reviewing.decided(store, tx, [one.key for one in part], made.names)
        rows = []
        for one in part:
            so = decided.get(one.key, Decided())
            went = (WHOLE, REDACTED, WITHHELD)[one.how]
            rows.append((now.key, one.key, one.first, one.pages, went, decisions(store, so)))
            listed.update(produced.line(*rows[-1][1:]))
        insert_rows(tx, documents, ("production", "record", "first", "pages", "how", "decisions"), rows)
    entry = store.ledger.act(
        tx,
        TYPE,
        by=by.id,
        why=why,
        facts={"production": now.id.hex, "act": "issued", "n": len(given), "of": digest},
        detail={
            "first": production.first,
            "last": last,
            "withheld": built.counts.withheld,
            "rows": listed.hexdigest(),
            "left_out": [list(one) for one in built.left_out],
        },
        subject=now.request,
    )
    tx.execute(
        update(productions)
        .where(productions.c.key == now.key)
        .values(
            last=last, records=len(given), withheld=built.counts.withheld, issued_entry=entry,
            digest=bytes.fromhex(digest),
        )
    )  # fmt: skip
    moving.instalment(store, tx, requests.get(store, tx, str(now.request)), last=not more, by=by, why=why)
    return produced.get(store, tx, now.number)
