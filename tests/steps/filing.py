"""An office that keeps records under a schedule: a scripted page, its index, and people who adopt, assign and record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app.index import follower
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.officers import accounts
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.retention import adopted, classifying, recording
from app.retention.adopted import Adopted
from app.retention.decide import Decision
from app.retention.standing import Standing
from app.store import Store, tables
from connectors.contract import Author, Kind, Observation
from tests.steps.scripted import listing
from tests.steps.test_capture import World

AGENCY = Author(id="agency", name="Harrow Falls Police", handle="@police")
PAT = Author(id="pat", name="Pat")

HEAD = """\
jurisdiction: us-xx-town
authority: Town council
title: {title}
edition: "{edition}"
effective: null
series:
"""
SERIES = """\
  - code: {code}
    title: {code}
    citation: Resolution 12
    verified: true
    rule: {rule}
"""
PLAIN = {
    "POSTS": "{after: published, keep: P2Y, then: destroy}",
    "TALK": "{after: published, keep: P1Y, then: destroy}",
    "KEPT": "{then: permanent}",
}
RULES = (
    ("KEPT", 'when: "kind:profile"', 30),
    ("POSTS", "direction: outgoing", 20),
    ("TALK", 'when: "kind:comment OR kind:reply"', 10),
)


def a_schedule(
    series: dict[str, str] = PLAIN,
    rules: Sequence[tuple[str, str, int]] = RULES,
    *,
    title: str = "Schedule",
    edition: str = "1",
) -> bytes:
    """A schedule as somebody writes it: rules of series, and rules of classification with their priorities."""
    text = HEAD.format(title=title, edition=edition)
    text += "".join(SERIES.format(code=code, rule=rule) for code, rule in series.items())
    if rules:
        text += "classify:\n"
        text += "".join(
            f"  - {{series: {code}, {asks}, priority: {number}}}\n" for code, asks, number in rules
        )
    return text.encode()


def on(year: int, month: int, day: int) -> datetime:
    """Noon of a day in the agency's zone."""
    return datetime(year, month, day, 20, 0, tzinfo=UTC)


def profile(**more: Any) -> Observation:
    return Observation(
        native_id="account:1", kind=Kind.PROFILE, text="We are the police", author=AGENCY, **more
    )


def post(name: str, words: str = "The bridge is closed", **more: Any) -> Observation:
    told: dict[str, Any] = {"published_at": on(2024, 1, 10), "author": AGENCY} | more
    return Observation(native_id=name, kind=Kind.POST, text=words, **told)


def comment(name: str, words: str = "Which bridge?", to: str = "p1", **more: Any) -> Observation:
    told: dict[str, Any] = {"published_at": on(2024, 1, 11), "author": PAT} | more
    return Observation(native_id=name, kind=Kind.COMMENT, text=words, in_reply_to=to, **told)


class Desk(World):
    """A page that is captured by script, and a clerk who keeps its records."""

    def __init__(self, store: Store, clock: FixedClock, folder: Path) -> None:
        super().__init__(store, clock)
        self.engine = TantivyEngine.open(folder)
        self.standing = Standing(store)
        self.clerk = self.hired("clerk", Role.RECORDS_OFFICER)

    def hired(self, name: str, *roles: Role) -> Officer:
        made = Officer(id=new_id(), email=f"{name}@harrowfalls.example", name=name, roles=frozenset(roles))
        with self.store.database.begin() as tx:
            tx.execute(
                insert(tables.officers).values(
                    id=made.id.bytes,
                    email=made.email,
                    name=name,
                    roles=" ".join(roles),
                    active=True,
                    added_at=0,
                )
            )
            told = {"email": made.email, "name": name, "roles": list(roles)}
            accounts.write(self.store, tx, "added", made, by=None, why="works here", detail=told)
        return made

    def shown(self, *items: Observation) -> None:
        """Capture a listing of all that the page shows, and let the index see it."""
        self.capture(listing(self.clock, *items))
        follower.catch_up(LedgerSource(self.store), self.engine)

    def adopt(self, file: bytes, **more: Any) -> Adopted:
        with self.store.database.begin() as tx:
            return adopted.adopt(
                self.store,
                tx,
                file,
                instrument="Resolution 12",
                engine=self.engine,
                by=self.clerk.id,
                why="the council adopted it",
                **more,
            )

    def classify(self) -> classifying.Done:
        classifying.follow(self.store)
        return classifying.classify_all(self.store, self.engine)

    def keys(self) -> dict[str, int]:
        return {name: one.key for name, one in self.records().items()}

    def ids(self, *names: str) -> list[UUID]:
        found = self.records()
        return [found[name].id for name in names]

    def series(self) -> dict[str, str | None]:
        """The series of every record, by its native id."""
        keys = self.keys()
        with self.store.database.read() as tx:
            found = self.standing.series_of(tx, list(keys.values()))
        return {name: found.get(key) for name, key in keys.items()}

    def decisions(self, *, looked: bool = True) -> dict[str, Decision]:
        """What is decided today of every record, where no hold covers any."""
        keys = self.keys()
        holds: dict[int, frozenset[UUID]] | None = (
            {key: frozenset() for key in keys.values()} if looked else None
        )
        with self.store.database.read() as tx:
            today = self.standing.today(tx)
            found = self.standing.decisions(tx, list(keys.values()), holds, today)
        return {name: found[key] for name, key in keys.items()}

    def eligible(self, series: str, day: date) -> set[str]:
        keys = {key: name for name, key in self.keys().items()}
        with self.store.database.read() as tx:
            return {keys[key] for key in self.standing.eligible(tx, series, day, 0, 1000)}

    def event(self, name: str, of: str, day: date | None, **more: Any) -> recording.Recorded:
        with self.store.database.begin() as tx:
            return recording.event(
                self.store,
                tx,
                self.ids(*name_list(name)),
                of,
                on=day,
                by=self.clerk,
                why="it was found",
                **({"evidence": "a letter"} | more),
            )

    def assign(self, name: str, series: str) -> int:
        with self.store.database.begin() as tx:
            return recording.assign(self.store, tx, self.ids(name), series, by=self.clerk, why="I read it")

    def acts(self, kind: str) -> int:
        with self.store.database.read() as tx:
            return len(tx.execute(select(tables.acts.c.entry).where(tables.acts.c.type == kind)).all())


def name_list(name: str) -> list[str]:
    return name.split()
