"""What each page's introduction says of the statements that the policy asks for: checked nightly, with history.

The introduction is what the page says of itself: its public profile records,
each in its newest version, as they were captured. A row and an entry are
written only when an answer changes. A person may mark a statement as present
with a reason, where it stands in a picture for instance; the mark lapses as
soon as the introduction is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import insert, select

from app.capture import approvals, deeds, pages, policy, records
from app.capture.deeds import Told
from app.capture.policy import Policy, Statement
from app.capture.statements import Answer, CannotTell, Found, Introduction, NotFound, found, links_in
from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.records.errors import Invalid, Refused
from app.records.nouns import Page, Record
from app.store.store import Store
from app.store.tables import records as record_rows
from app.store.tables import statement_answers, tombstones
from connectors.contract import Kind

WHY = "the nightly check of what the page says of itself"
FOUND, NOT_FOUND, CANNOT_TELL, MARKED, UNCHECKED = (
    "found",
    "not found",
    "cannot tell",
    "marked",
    "not checked",
)
MEANS = {
    FOUND: "The introduction says it.",
    NOT_FOUND: "The introduction was read and does not say it in words that we know.",
    CANNOT_TELL: "Nobody can say.",
    MARKED: "A person has marked it as present.",
    UNCHECKED: "Not looked for yet.",
}
_MOST = 100
_DEEPEST = 4
_LISTS = re.compile(
    r"filter|block|mute|domain|settings|gate|app\.bsky\.graph\.|keyword|word-list", re.IGNORECASE
)
"""Profile records that hold what an owner blocks or filters, or how the page is set; they introduce nothing."""


class NoPolicy(Invalid):
    """The page follows no policy profile, so that no statement is asked of it."""

    code = "no-policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an introduction was read: the versions of its records, the first of them the page's own."""

    versions: tuple[tuple[UUID, int], ...] = ()

    def text(self) -> str:
        return ",".join(f"{record.hex}:{number}" for record, number in self.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer about one statement: since when, from which version it was read, and which words were found."""

    answer: str
    at: datetime | None = None
    by: UUID | None = None
    why: str = ""
    words: Sequence[str] = ()
    missing: Sequence[str] = ()
    record: UUID | None = None
    version: int | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A statement that is asked of a page, and what is known of it, newest answer first."""

    statement: Statement
    history: Sequence[Said]

    @property
    def now(self) -> Said:
        """The newest answer."""
        return self.history[0] if self.history else Said(answer=UNCHECKED)


# -- the introduction --------------------------------------------------------------------------------------


def introduction(store: Store, tx: Tx, page: Page) -> tuple[Introduction | None, Source]:
    """What the page says of itself, and where that was read; None where it was not captured."""
    asked = (
        select(record_rows.c.key)
        .outerjoin(tombstones, tombstones.c.record == record_rows.c.key)
        .where(
            record_rows.c.page == page.key,
            record_rows.c.kind == str(Kind.PROFILE),
            record_rows.c.state == "present",
            record_rows.c.private.is_(False),
            record_rows.c.received.is_(False),
            record_rows.c.parent_mac.is_(None),
            tombstones.c.record.is_(None),
        )
        .order_by(record_rows.c.key)
        .limit(_MOST)
    )
    keys = list(tx.execute(asked).scalars())
    told = [one for one in records.read(store, tx, keys, messages=False) if _introduces(one)] if keys else []
    if not told:
        return None, Source()
    return _joined(page, told), Source(versions=tuple((one.id, one.version.number) for one in told))


def _introduces(record: Record) -> bool:
    native = record.version.text("native_id") or ""
    return native.startswith(("http://", "https://")) or not _LISTS.search(native)


def _joined(page: Page, told: Sequence[Record]) -> Introduction:
    words: list[str] = []
    links: list[str] = []
    own = [page.address]
    languages = {one.version.text("language") for one in told}
    for record in told:
        version = record.version
        text, html = version.text("text") or "", version.text("html") or ""
        more = [line for line in _strings(version.fields.get("extra"), _DEEPEST) if line not in text]
        words += [text, *more]
        links += [*links_in(html), *(link for line in (text, *more) for link in links_in(line))]
        own.append(version.text("url") or "")
    return Introduction(
        text="\n".join(filter(None, words)),
        links=tuple(dict.fromkeys(links)),
        addresses=tuple(filter(None, own)),
        language=languages.pop() if len(languages) == 1 else None,
    )


def _strings(value: object, deep: int) -> Iterator[str]:
    """The texts within what a platform says besides: fields, links, telephone numbers."""
    if isinstance(value, str) and value.strip():
        yield value
    elif isinstance(value, Mapping) and deep:
        for one in value.values():
            yield from _strings(one, deep - 1)
    elif isinstance(value, list) and deep:
        for one in value:
            yield from _strings(one, deep - 1)


# -- checking ----------------------------------------------------------------------------------------------


def check_all(store: Store) -> int:
    """Check every page that is captured, each by itself; return how many answers changed."""
    with store.database.read() as tx:
        waiting = [page for page in pages.listed(tx) if page.status != pages.REMOVED]
    changed = 0
    for page in waiting:
        with store.database.begin() as tx:
            changed += check(store, tx, page, by=None, why=WHY)
    return changed


def check(store: Store, tx: Tx, page: Page, *, by: UUID | None, why: str) -> int:
    """Look for each statement in the page's introduction; write down the answers that changed, and return how many."""
    asked = policy.of_page(page, approvals.of_agency(tx))
    if asked is None:
        return 0
    lock_ledger(tx)
    read, source = introduction(store, tx, page)
    newest = _newest(tx, page, asked)
    changed = []
    for statement in asked.statements:
        answer = found(statement, read, agency=store.agency.name, official_site=page.official_site)
        name, before = _name(answer), newest.get(statement.name)
        if before is not None and (before.answer == name or (name != FOUND and _stands(before, source))):
            continue
        changed.append((statement, answer))
    if changed:
        _write(store, tx, page, asked, changed, source, by=by, why=why)
    return len(changed)


def _stands(before: Any, source: Source) -> bool:
    """Whether a person's mark is of the introduction as it is now."""
    return bool(before.answer == MARKED and before.source == source.text())


def mark(store: Store, tx: Tx, page: Page, name: str, *, by: UUID, why: str) -> Standing:
    """Mark a statement as present, with the reason; the mark lapses when the introduction changes."""
    asked = _asked(tx, page)
    statement = asked.statement(name)
    lock_ledger(tx)
    read, source = introduction(store, tx, page)
    if isinstance(found(statement, read, agency=store.agency.name, official_site=page.official_site), Found):
        raise Refused(
            f"{page.name} says it already: {statement.says}", next="See `muniment page statements`."
        )
    if _stands_marked(_newest(tx, page, asked).get(name), source):
        raise Refused(f"{statement.says} is marked already, for the introduction as it is now")
    _write(store, tx, page, asked, [(statement, MARKED)], source, by=by, why=why)
    return next(one for one in standings(store, tx, page) if one.statement.name == name)


def unmark(store: Store, tx: Tx, page: Page, name: str, *, by: UUID, why: str) -> Standing:
    """Take a mark back; what the introduction itself says counts again."""
    asked = _asked(tx, page)
    statement = asked.statement(name)
    lock_ledger(tx)
    read, source = introduction(store, tx, page)
    before = _newest(tx, page, asked).get(name)
    if before is None or before.answer != MARKED:
        raise Refused(f"{statement.says} is not marked")
    answer = found(statement, read, agency=store.agency.name, official_site=page.official_site)
    _write(store, tx, page, asked, [(statement, answer)], source, by=by, why=why)
    return next(one for one in standings(store, tx, page) if one.statement.name == name)


def _stands_marked(before: Any, source: Source) -> bool:
    return before is not None and _stands(before, source)


def _asked(tx: Tx, page: Page) -> Policy:
    asked = policy.of_page(page, approvals.of_agency(tx))
    if asked is None:
        raise NoPolicy(f"no policy profile applies to {page.name}", next="`muniment policy use` chooses one.")
    return asked


def _write(
    store: Store,
    tx: Tx,
    page: Page,
    asked: Policy,
    changed: Sequence[tuple[Statement, Answer | str]],
    source: Source,
    *,
    by: UUID | None,
    why: str,
) -> None:
    """One entry for what changed of a page, and a row for each answer."""
    act = {True: "statement-marked", False: "statements-checked"}[changed[0][1] == MARKED]
    record, version = source.versions[0] if source.versions else (None, None)
    entry = store.ledger.act(
        tx,
        "page",
        by=by,
        why=why,
        facts={"page": page.id.hex, "act": act},
        detail={
            "name": page.name,
            "policy": asked.name,
            "statements": [
                {"statement": statement.name, "citation": statement.citation, **_detail(answer)}
                for statement, answer in changed
            ],
            "read": [{"record": one.hex, "version": number} for one, number in source.versions],
        },
        subject=page.id,
    )
    tx.execute(
        insert(statement_answers),
        [
            {
                "page": page.key,
                "entry": entry,
                "at": to_instant(store.clock.now()),
                "policy": asked.name,
                "statement": statement.name,
                "answer": _name(answer),
                "record": record.bytes if record else None,
                "version": version,
                "source": source.text(),
            }
            for statement, answer in changed
        ],
    )


def _name(answer: Answer | str) -> str:
    match answer:
        case str():
            return answer
        case Found():
            return FOUND
        case NotFound():
            return NOT_FOUND
        case CannotTell():
            return CANNOT_TELL
        case _:
            assert_never(answer)


def _detail(answer: Answer | str) -> dict[str, Any]:
    told: dict[str, Any] = {"answer": _name(answer), "words": [], "missing": [], "why": ""}
    match answer:
        case Found(words):
            told["words"] = list(dict.fromkeys(words))
        case NotFound(missing, words):
            told |= {"words": list(dict.fromkeys(words)), "missing": list(missing)}
        case CannotTell(why):
            told["why"] = why
        case str():
            pass  # a person's mark: its reason stands with the entry
    return told


# -- reading -----------------------------------------------------------------------------------------------


def standings(store: Store, tx: Tx, page: Page) -> list[Standing]:
    """Each statement that is asked of the page, with its history; nothing where no policy profile applies."""
    asked = policy.of_page(page, approvals.of_agency(tx))
    if asked is None:
        return []
    rows = tx.execute(
        select(statement_answers)
        .where(statement_answers.c.page == page.key, statement_answers.c.policy == asked.name)
        .order_by(statement_answers.c.key.desc())
    ).all()
    said = deeds.told(store, tx, [row.entry for row in rows])
    return [
        Standing(
            statement=statement,
            history=tuple(_said(row, said[row.entry]) for row in rows if row.statement == statement.name),
        )
        for statement in asked.statements
    ]


def _said(row: Any, told: Told) -> Said:
    listed: Any = told.detail.get("statements") or []
    mine: dict[str, Any] = next((one for one in listed if one["statement"] == row.statement), {})
    return Said(
        answer=row.answer,
        at=from_instant(row.at),
        by=told.by,
        why=mine.get("why") or told.why,
        words=tuple(mine.get("words", ())),
        missing=tuple(mine.get("missing", ())),
        record=UUID(bytes=bytes(row.record)) if row.record is not None else None,
        version=row.version,
        entry=row.entry,
    )


def _newest(tx: Tx, page: Page, asked: Policy) -> dict[str, Any]:
    """The newest answer for each statement."""
    rows = tx.execute(
        select(statement_answers)
        .where(statement_answers.c.page == page.key, statement_answers.c.policy == asked.name)
        .order_by(statement_answers.c.key)
    )
    return {row.statement: row for row in rows}
