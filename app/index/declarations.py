"""Search declarations: what was asked of the archive, and what it answered, so that it can be run again and compared.

A declaration is kept when it is made: its row has the figures, its words stand
sealed in the ledger's entry. Which records were found is not kept, only the
digest over their ids: a list would go on telling of a record that was disposed
of that these words were in it.

Run again, the same question is asked as of the same size of the ledger, and as
of now. What is missing by then can only have been disposed of, and how many
were is said; content never is.

Tags and series are said of records without a capture, so no size of the ledger
brings them back. A question that names one is answered with them as they stand
at that moment, and the draft says so: which facts, at which size they were
read, how many records they held of and the digest over those. Run again, they
are read anew, and a difference that comes of them is told as one. `hold:` is
refused: which holds somebody may know of depends on who asks, and a
declaration says the same to everybody, or it would give away a silent matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app.capture import deeds
from app.capture.deeds import Told
from app.db import Tx, from_instant, to_instant
from app.index import analyser, asof, drafts, generations, readings
from app.index.asof import History
from app.index.documents import LACKS
from app.index.engine import Engine, QueryNotSupported, Scope
from app.index.language import BadQuery, parse_again
from app.index.printer import show
from app.index.questions import Filters, Question
from app.index.source import LedgerSource, digest
from app.index.standing import FACTS, Standing, joined
from app.index.tree import Among, Field, Tree, asks_for_words, both, everything_in, with_words_met
from app.records.errors import NotFound
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.settings import Settings
from app.store import access
from app.store.store import Store
from app.store.tables import declarations

DECLARERS = (Role.RECORDS_OFFICER, Role.ATTORNEY)


class NoSuchDeclaration(NotFound):
    """No declaration of that id was made, or none that you may know of."""

    code = "no-such-declaration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A declaration that was made; `facts` is everything that its draft says."""

    id: UUID
    at: datetime
    size: int
    total: int
    digest: str
    messages: bool
    entry: int
    facts: Mapping[str, Any]

    @property
    def understood(self) -> str:
        return str(self.facts["query"]["understood"])


@dataclass(frozen=True, slots=True)
class Means:
    """With what is searched: the history of records, the index, and what both are called.

    `standing` knows tags and series, as a transaction sees them; without it
    they are refused.
    """

    history: History
    engine: Engine
    edition: str
    program: str
    standing: Callable[[Tx], Standing] | None = None


def means(
    store: Store,
    engine: Engine,
    settings: Settings,
    program: str,
    standing: Callable[[Tx], Standing] | None = None,
) -> Means:
    """With what this archive is searched today."""
    return Means(LedgerSource(store), engine, generations.edition(settings.index()), program, standing)


class Verdict(StrEnum):
    """How the same question, asked as of the same size of the ledger, is answered now."""

    SAME = "same"
    """Exactly the same records."""
    DISPOSED = "disposed"
    """Fewer records, and no more are missing than were disposed of since."""
    SAID = "said"
    """Other records, and the tags or series that the question names hold of other records than they did."""
    DIFFERS = "differs"
    """Other records, and disposal does not explain it: a fact without versions changed, or something is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A declaration that was run again: as of then, as of now, and what lies between."""

    declaration: Declaration
    verdict: Verdict
    total_then: int
    digest_then: str
    """Of what is found now as of the size of then."""
    missing: int
    disposed: int
    """Of all records that there were then, how many were disposed of since; whether they would match is not known."""
    as_of: int
    total: int
    digest: str
    new: int
    """Hits that were captured since."""
    brought_in: int
    """Hits that there were as records then, and which an edit made hits."""
    no_longer: int
    """Hits of then that are none now, because a newer version took the place of the one that was."""
    changed: Mapping[str, tuple[str, str]]
    """What searched otherwise: engine, analyser, readers of files, program, or the reading of the query; before and now."""
    said: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """The tags and series that hold of other records than they did: of how many of then, before and now."""


# ---- asking --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """A tag or series that a question names, read when the ledger had `size` entries: of how many records it held."""

    fact: str
    size: int
    records: int
    digest: str

    def as_json(self) -> dict[str, object]:
        return {
            "fact": self.fact,
            "read_at": self.size,
            "records": self.records,
            "records_sha256": self.digest,
        }


def _with_facts(store: Store, means: Means, tree: Tree) -> tuple[Tree, int]:
    """The question with what is said of records at this moment, and the size of the ledger at it."""
    for part in everything_in(tree):
        if isinstance(part, Field) and part.name == "hold":
            raise QueryNotSupported(
                show(part),
                "which holds somebody may know of depends on who asks, and a declaration must say the same to "
                "everybody who reads it or runs it again. Name the words, pages and days that the hold covers",
            )
        if isinstance(part, Field) and part.name in FACTS and means.standing is None:
            raise QueryNotSupported(show(part), "nobody is there who knows it")
    with store.database.read() as tx:
        return joined(tree, None if means.standing is None else means.standing(tx)), store.ledger.size(tx)


def _said(store: Store, means: Means, tree: Tree, scope: Scope, size: int, read_at: int) -> Sequence[_Said]:
    """Of how many records each of the joined facts holds, of those that there were at `size` and that may be read."""
    facts = {show(part.fact): part for part in everything_in(tree) if isinstance(part, Among)}
    told = []
    for name, part in facts.items():
        held = asof.hits(means.history, means.engine, part, scope, size)
        with store.database.read() as tx:
            told.append(_Said(name, read_at, len(held), digest(tx, held)))
    return told


def verdict(then: tuple[int, str], now: tuple[int, str], disposed: int, *, said: bool = False) -> Verdict:
    """What it means that a question found `then` (total and digest) and finds `now`, as of the same size.

    `said` where tags or series that it names hold of other records than they did.
    """
    if then == now:
        return Verdict.SAME
    if said:
        return Verdict.SAID
    return Verdict.DISPOSED if 0 < then[0] - now[0] <= disposed else Verdict.DIFFERS


def make(
    store: Store, means: Means, question: Question, *, by: Officer, messages: bool, why: str
) -> Declaration:
    """Ask a question and keep what was asked and answered as a draft for a person to sign.

    The ledger's checkpoint is signed on the way, so that the draft names what
    it is as of. The access log has the search, as it has every other.
    """
    query = question.understood()
    scope = Scope(store.agency.zone(), messages=messages)
    size = asof.size_of(means.engine)
    tree, read_at = _with_facts(store, means, query.tree)
    found = asof.hits(means.history, means.engine, tree, scope, size)
    left = asof.undated(means.history, means.engine, tree, scope, size)
    media = asof.hits(means.history, means.engine, _with_media(tree), scope, size)
    beside = _said(store, means, tree, scope, size, read_at)
    lacking = _lacking(means, tree, scope, size)
    checkpoint = store.ledger.checkpoint()
    identity = new_id()
    with store.database.read() as tx:
        behind, waiting = max(0, store.ledger.size(tx) - size), asof.not_reached(tx, size)
        told = digest(tx, found)
    said = query.explain()
    facts: dict[str, Any] = {
        "id": str(identity),
        "agency": {"name": store.agency.name, "domain": store.agency.domain},
        "made_at": store.clock.now().isoformat(),
        "made_by": {"id": str(by.id), "email": by.email, "name": by.name},
        "why": why,
        "time_zone": store.agency.timezone,
        "query": {
            "typed": question.text,
            "filters": question.filters.as_json(),
            "understood": said["understood"],
            "notes": said["notes"],
        },
        "messages": messages,
        "total": len(found),
        "records_sha256": told,
        "undated": len(left),
        "unsearchable": behind,
        "unsearchable_versions": waiting,
        "not_searched": lacking,
        "with_attachments": len(media),
        "said_of_records": [one.as_json() for one in beside],
        "ledger": {"origin": store.ledger.origin, "size": size, "checkpoint": checkpoint},
        "engine": means.edition,
        "analyser": analyser.VERSION,
        "readers": readings.EDITION,
        "program": means.program,
        "match": list(drafts.MATCH),
        "not_said": list(drafts.NOT_SAID),
    }
    with store.database.begin() as tx:
        kept = _keep(store, tx, identity, facts, by=by, why=why)
        note(store, tx, "declaration", kept, kept.total, by=by.id)
    return kept


def _keep(
    store: Store, tx: Tx, identity: UUID, facts: Mapping[str, Any], *, by: Officer, why: str
) -> Declaration:
    size, total, told = facts["ledger"]["size"], facts["total"], facts["records_sha256"]
    entry = store.ledger.act(
        tx,
        "declaration",
        by=by.id,
        why=why,
        facts={"declaration": identity.hex, "act": "drafted", "size": size, "n": total, "digest": told},
        detail=facts,
        subject=identity,
    )
    tx.execute(
        insert(declarations).values(
            id=identity.bytes,
            entry=entry,
            at=to_instant(datetime.fromisoformat(facts["made_at"])),
            size=size,
            total=total,
            digest=bytes.fromhex(told),
            messages=facts["messages"],
        )
    )
    return get(store, tx, identity, messages=bool(facts["messages"]))


def again(store: Store, means: Means, kept: Declaration) -> Again:
    """Ask the question of a declaration as of its size of the ledger, and as of now; nothing is kept of it.

    What was understood then is asked, not what the words might be read as by
    now. Private messages are searched where they were.
    """
    tree, read_at = _with_facts(store, means, parse_again(kept.understood).tree)
    scope = Scope(store.agency.zone(), messages=kept.messages)
    size = asof.size_of(means.engine)
    now = asof.hits(means.history, means.engine, tree, scope, size)
    then = asof.hits(means.history, means.engine, tree, scope, kept.size)
    _, new = means.history.changed(kept.size)
    with store.database.read() as tx:
        disposed = asof.disposed_since(tx, kept.size)
        digest_then, digest_now = digest(tx, then), digest(tx, now)
    said = _said_otherwise(kept, _said(store, means, tree, scope, kept.size, read_at))
    return Again(
        declaration=kept,
        verdict=verdict((kept.total, kept.digest), (len(then), digest_then), disposed, said=bool(said)),
        total_then=len(then),
        digest_then=digest_then,
        missing=max(0, kept.total - len(then)),
        disposed=disposed,
        as_of=size,
        total=len(now),
        digest=digest_now,
        new=len(now & new),
        brought_in=len(now - then - new),
        no_longer=len(then - now),
        changed=_changed(kept, means),
        said=said,
    )


def _said_otherwise(kept: Declaration, now: Sequence[_Said]) -> dict[str, tuple[int, int]]:
    """The facts that hold of other records than the draft says."""
    then = {one["fact"]: one for one in kept.facts.get("said_of_records", ())}
    return {
        one.fact: (int(then[one.fact]["records"]), one.records)
        for one in now
        if one.fact in then and then[one.fact]["records_sha256"] != one.digest
    }


def _changed(kept: Declaration, means: Means) -> dict[str, tuple[str, str]]:
    """What searches otherwise than it did."""
    facts = kept.facts
    asked = Question(facts["query"]["typed"], Filters.of(facts["query"]["filters"]))
    try:
        read = str(asked.understood().explain()["understood"])
    except BadQuery as error:
        read = str(error)
    compared = {
        "engine": (facts["engine"], means.edition),
        "analyser": (str(facts["analyser"]), str(analyser.VERSION)),
        "readers of files": (str(facts.get("readers", 1)), str(readings.EDITION)),
        "program": (facts["program"], means.program),
        "query as understood": (kept.understood, read),
    }
    return {name: pair for name, pair in compared.items() if pair[0] != pair[1]}


def _lacking(means: Means, tree: Tree, scope: Scope, size: int) -> dict[str, int]:
    """How many records could not be searched wholly, and might be hits by what was not: `any`, and each reason."""
    if not asks_for_words(tree):
        return {}
    found: dict[str, int] = {}
    for reason in ("any", *LACKS):
        lacks = both(with_words_met(tree), Field("unsearchable", reason))
        number = len(asof.hits(means.history, means.engine, lacks, scope, size))
        if not number and reason == "any":
            break
        if number:
            found[reason] = number
    return found


def _with_media(tree: Tree) -> Tree:
    return both(tree, Field("has", "media"))


# ---- reading -------------------------------------------------------------------------------------


def listed(store: Store, tx: Tx, *, messages: bool) -> list[Declaration]:
    """Every declaration, the newest first; those that searched private messages only where `messages` is set."""
    asked = select(declarations).order_by(declarations.c.key.desc())
    if not messages:
        asked = asked.where(declarations.c.messages.is_(False))
    rows = tx.execute(asked).all()
    said = deeds.told(store, tx, [row.entry for row in rows])
    return [_declaration(row, said[row.entry]) for row in rows]


def get(store: Store, tx: Tx, identity: UUID, *, messages: bool) -> Declaration:
    """The declaration of that id, or `NoSuchDeclaration`."""
    row = tx.execute(select(declarations).where(declarations.c.id == identity.bytes)).one_or_none()
    if row is None or (row.messages and not messages):
        raise NoSuchDeclaration(f"no declaration {identity} was made")
    return _declaration(row, deeds.told(store, tx, [row.entry])[row.entry])


def _declaration(row: Any, made: Told) -> Declaration:
    return Declaration(
        id=UUID(bytes=bytes(row.id)),
        at=from_instant(row.at),
        size=row.size,
        total=row.total,
        digest=bytes(row.digest).hex(),
        messages=bool(row.messages),
        entry=row.entry,
        facts=made.detail,
    )


# ---- telling -------------------------------------------------------------------------------------


def as_json(kept: Declaration) -> dict[str, object]:
    """A declaration as programs read it: everything that the draft says, and its entry."""
    return {**kept.facts, "entry": kept.entry, "signed": False}


def in_short(kept: Declaration) -> dict[str, object]:
    """A declaration as lists tell it."""
    return {
        "id": str(kept.id),
        "made_at": kept.facts["made_at"],
        "made_by": kept.facts["made_by"]["email"],
        "query": kept.facts["query"]["typed"],
        "understood": kept.understood,
        "total": kept.total,
        "as_of": kept.size,
        "records_sha256": kept.digest,
        "entry": kept.entry,
    }


def again_json(told: Again) -> dict[str, object]:
    """What running it again found, as programs read it."""
    return {
        "id": str(told.declaration.id),
        "verdict": str(told.verdict),
        "same": told.verdict is Verdict.SAME,
        "declared": {
            "as_of": told.declaration.size,
            "total": told.declaration.total,
            "records_sha256": told.declaration.digest,
        },
        "as_of_then": {
            "as_of": told.declaration.size,
            "total": told.total_then,
            "records_sha256": told.digest_then,
            "missing": told.missing,
        },
        "disposed_since": told.disposed,
        "now": {
            "as_of": told.as_of,
            "total": told.total,
            "records_sha256": told.digest,
            "captured_since": told.new,
            "brought_in_by_edits": told.brought_in,
            "no_longer_found": told.no_longer,
        },
        "changed": {name: {"then": then, "now": now} for name, (then, now) in told.changed.items()},
        "said_of_records": {name: {"then": then, "now": now} for name, (then, now) in told.said.items()},
    }


def again_sentences(told: Again) -> list[str]:
    """The same in words."""
    kept = told.declaration
    said = {
        Verdict.SAME: f"As of {kept.size:,} ledger entries exactly the same {kept.total:,} records are found.",
        Verdict.DISPOSED: f"As of {kept.size:,} ledger entries {told.total_then:,} of the {kept.total:,} records are found. No longer there: {told.missing:,}. Disposed of since, whatever they said: {told.disposed:,}.",
        Verdict.SAID: f"As of {kept.size:,} ledger entries {told.total_then:,} records are found, and they are not the {kept.total:,} of then. What is said of records has changed since; {told.disposed:,} were disposed of.",
        Verdict.DIFFERS: f"As of {kept.size:,} ledger entries {told.total_then:,} records are found, and they are not the {kept.total:,} of then; that {told.disposed:,} were disposed of since does not explain it. Look whether a page was named anew, or a date of publication changed; otherwise run `muniment verify`.",
    }[told.verdict]
    lines = [
        said,
        f"Now, as of {told.as_of:,} entries, {told.total:,} are found: {told.new:,} were captured since, {told.brought_in:,} were brought in by edits, {told.no_longer:,} of then are no longer found.",
    ]
    if told.verdict is Verdict.SAME and told.disposed:
        lines.append(f"{told.disposed:,} records in all were disposed of since.")
    lines += [
        f"{name} holds of {now:,} of the records that there were then, and not of the {before:,} of which it held."
        for name, (before, now) in told.said.items()
    ]
    lines += [
        f"Otherwise than then, {name}: {now} (then {before})." for name, (before, now) in told.changed.items()
    ]
    return lines


def note(store: Store, tx: Tx, what: str, kept: Declaration, total: int, *, by: UUID) -> None:
    """Write down on the access log that the question of a declaration was asked."""
    query = kept.facts["query"]
    detail = {
        "what": what,
        "declaration": kept.id.hex,
        "query": query["typed"],
        "filters": dict(query["filters"]),
        "total": total,
    }
    access.note(store, tx, "search", by=by, detail=detail)
