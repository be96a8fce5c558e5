"""An office that answers requests for records: its people, its page, and the laws that it knows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.disclosure import known, moving, opening, requests
from app.disclosure.clock import Due
from app.disclosure.known import Laws
from app.disclosure.requests import Request
from app.records.clock import FixedClock
from app.records.nouns import Officer
from app.store import Store, tables
from tests.steps.holding import Law as Department

WORDS = "Everything about the bridge"


class Office(Department):
    """The law department, with requests."""

    def __init__(self, store: Store, clock: FixedClock, laws: Laws | None = None) -> None:
        super().__init__(store, clock)
        self.laws = laws or known.of(None)

    def open(self, law: str = "us-ak-state", *, by: Officer | None = None, **more: Any) -> Request:
        """A request that was received two hours ago."""
        values: dict[str, Any] = {"received": self.clock.at - timedelta(hours=2), "name": "Pat Smith", **more}
        words = values.pop("words", WORDS)
        with self.store.database.begin() as tx:
            return opening.open(
                self.store, tx, self.laws, words, law=law, by=by or self.clerk, why="it came in", **values
            )

    def do(self, verb: str, request: Request, *given: Any, by: Officer | None = None, **more: Any) -> Request:
        """One of the verbs that take the laws, by name."""
        with self.store.database.begin() as tx:
            act = getattr(moving, verb)
            made: Request = act(
                self.store,
                tx,
                self.laws,
                request,
                *given,
                by=by or self.clerk,
                why="as the law has it",
                **more,
            )
            return made

    def plainly(
        self, verb: str, request: Request, *given: Any, by: Officer | None = None, **more: Any
    ) -> Request:
        """One of the verbs that need no laws."""
        with self.store.database.begin() as tx:
            act = getattr(moving, verb)
            made: Request = act(
                self.store, tx, request, *given, by=by or self.clerk, why="as it happened", **more
            )
            return made

    def confirm(self, request: Request, *names: str) -> Request:
        """Confirm that these records answer it."""
        keys = self.keys()
        with self.store.database.begin() as tx:
            return requests.confirmed(
                self.store,
                tx,
                request,
                [keys[name] for name in names],
                by=self.clerk,
                why="I looked through it",
            )

    def now(self, request: Request) -> Request:
        with self.store.database.read() as tx:
            return requests.get(self.store, tx, str(request.id))

    def due(self, request: Request) -> dict[str, Due]:
        return {one.code: one for one in requests.due(self.store, self.laws, self.now(request))}

    def later(self, **time: float) -> datetime:
        self.clock.at += timedelta(**time)
        return self.clock.at

    def holds_of(self, request: Request) -> int:
        """How many holds are active for a request."""
        asked = select(tables.holds.c.key).where(
            tables.holds.c.request == request.id.bytes, tables.holds.c.released_entry.is_(None)
        )
        with self.store.database.read() as tx:
            return len(tx.execute(asked).all())

    def protected(self) -> set[str]:
        """The records that no disposal may touch now."""
        return {name for name, holds in self.covered().items() if holds}
