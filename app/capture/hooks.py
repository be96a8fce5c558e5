"""The doors at which platforms tell by themselves what happened: who is let in, and what becomes of it.

A delivery is weighed by its bytes alone (`connectors.webhooks`), before the
database is asked for anything: a stranger never makes a writer wait. A genuine
one is one transaction: its mark, the hints that it gives, and that it came.
That transaction is committed before the platform is answered, so that what
was acknowledged is not lost, and what was not comes again.

Nothing of what a delivery says is kept but where to look. It has no entry in
the ledger, as what a stream is told has none by itself; the run that looks has
one. What is counted of a door names nobody and no item.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, select

from app.capture import hints, pages
from app.db import Tx, from_instant, to_instant
from app.db.rows import inserting
from app.records.errors import ArchiveError
from app.records.nouns import Page
from app.store.ledger import keyed
from app.store.store import Store
from app.store.tables import deliveries, hooks, records
from connectors.contract import Kind
from connectors.webhooks import WINDOW, Accepted, Entry, Greeting, Manner, Refused, judge

_log = logging.getLogger("muniment.hooks")
GREETED, ACCEPTED, REPEATED, REFUSED = "greeted", "accepted", "repeated", "refused"
UNKNOWN, PAUSED = "unknown", "paused"
NO_SECRET = "MUNIMENT_APPS_FILE names no secret of the application"  # noqa: S105 - words for the operator
NO_WORD = "MUNIMENT_APPS_FILE names no webhook_token"
NOT_OURS = "it did not show the word that was agreed"
TOO_LONG = "it is longer than any delivery"
SILENT = timedelta(days=7)
"""A door at which nobody called for so long may be one that the platform no longer knows."""
LATE = timedelta(hours=1)
_SELDOM = timedelta(minutes=1)
_LONGEST_WHY = 200


@dataclass(frozen=True, slots=True)
class Door:
    """The door of one connector: in which manner its platform tells, our word, and the secrets of our applications."""

    connector: str
    manner: Manner
    word: str = field(default="", repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)

    @property
    def lacks(self) -> str:
        """What the operator has yet to give; empty where the door is set up."""
        if not self.secrets:
            return NO_SECRET
        return NO_WORD if self.manner.by_word and not self.word else ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that was accepted: so many hints, and so many entries about pages that nobody captures."""

    hints: int
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class Again:
    """A delivery that was accepted before: it is acknowledged, and nothing is done."""


Outcome = Taken | Again | Refused


# -- who is let in -----------------------------------------------------------------------------------------


def greet(store: Store, door: Door, query: Mapping[str, str]) -> Greeting | Refused:
    """What to answer when the platform asks whether the door is ours."""
    if door.lacks:
        return Refused(door.lacks)
    found = next(
        (one for secret in door.secrets if (one := door.manner.greets(query, door.word, secret)) is not None),
        None,
    )
    if found is None:
        return Refused(NOT_OURS)
    now = store.clock.now()
    if door.manner.by_word or not _greeted_lately(store, door, now):
        with store.database.begin() as tx:
            note(tx, door.connector, GREETED, now)
    return found


def _greeted_lately(store: Store, door: Door, now: datetime) -> bool:
    """Whether that was written down a moment ago: where no word is shown, a stranger is greeted too, and makes nobody write."""
    asked = select(hooks.c.last_at).where(hooks.c.connector == door.connector, hooks.c.outcome == GREETED)
    with store.database.read() as tx:
        last = tx.execute(asked).scalar()
    return last is not None and now - from_instant(last) < _SELDOM


def delivered(
    store: Store,
    door: Door,
    body: bytes,
    headers: Mapping[str, str],
    *,
    point: Callable[[str], None] = lambda _name: None,
) -> Outcome:
    """Weigh a delivery, and remember where it says to look, in one transaction that is committed when this returns.

    `headers` are asked for the one that bears the signature. A refusal is
    returned, never raised, and writes nothing: `Refusals` counts it. Whatever
    is raised was not acknowledged, and the platform sends it again.
    """
    now, signature = store.clock.now(), headers.get(door.manner.signature)
    judged = judge(
        body,
        signature,
        secret=_whose(door, body, signature),
        now=now,
        known=(),
        read=door.manner.read,
        marks=door.manner.marks,
    )
    if not isinstance(judged, Accepted):
        return Refused(NO_SECRET) if not door.secrets and isinstance(judged, Refused) else _refused(judged)
    wanted = door.manner.wanted(judged.entries, now)
    with store.database.begin() as tx:
        if not _first(tx, door.connector, judged.mark, now):
            note(tx, door.connector, REPEATED, now)
            return Again()
        point("marked")
        about = [(page, one) for one in wanted for page in _pages(store, tx, door.connector, one.page)]
        strangers = len({one.page for one in wanted} - {one.page for _, one in about})
        paused = sum(page.status in pages.NOT_CAPTURED for page, _ in about)
        # In one order, so that two deliveries never wait for one another in turn.
        told = sum(
            hints.put(store, tx, page, one)
            for page, one in sorted(about, key=lambda told: told[0].key)
            if page.status not in pages.NOT_CAPTURED
        )
        note(tx, door.connector, ACCEPTED, now)
        note(tx, door.connector, PAUSED, now, count=paused)
        note(tx, door.connector, UNKNOWN, now, count=strangers)
        point("before-commit")
    point("after-commit")
    return Taken(told, strangers)


def _whose(door: Door, body: bytes, signature: str | None) -> str:
    """The secret of the application that signed it: a platform may know us as several."""
    if signature:
        for secret in door.secrets:
            if secret and door.manner.marks(body, signature, secret) is not None:
                return secret
    return next(iter(door.secrets), "")


def _refused(judged: object) -> Refused:
    assert isinstance(judged, Refused), "nothing is known beforehand, so that nothing is a repetition"
    return judged


def _first(tx: Tx, connector: str, mark: bytes, now: datetime) -> bool:
    """Whether nobody accepted this delivery before; two that come at one moment are told apart by the database."""
    made = inserting(tx, deliveries).values(connector=connector, mark=mark, at=to_instant(now))
    return tx.execute(made.on_conflict_do_nothing().returning(deliveries.c.at)).first() is not None


def _pages(store: Store, tx: Tx, connector: str, name: str) -> list[Page]:
    """The pages that the platform calls so: by the number of their introductions, or as it stands in their addresses."""
    if not name:
        return []
    ours = [page for page in pages.listed(tx) if page.connector == connector and page.status != pages.REMOVED]
    macs = {keyed(store.lookup, page.id.bytes, name.encode()): page for page in ours}
    asked = select(records.c.native_mac).where(
        records.c.native_mac.in_(list(macs)), records.c.kind == str(Kind.PROFILE)
    )
    found = {macs[bytes(mac)].key for mac in tx.execute(asked).scalars()}
    return [page for page in ours if page.key in found or name in _segments(page.address)]


def _segments(address: str) -> list[str]:
    parts = urlsplit(address)
    named = [value for pair in parts.query.split("&") for value in pair.split("=")[1:]]
    return [*parts.path.split("/"), *named]


# -- what is counted ---------------------------------------------------------------------------------------


def note(tx: Tx, connector: str, outcome: str, at: datetime, *, why: str = "", count: int = 1) -> None:
    """Count what became of something at a door."""
    if count == 0:
        return
    now = to_instant(at)
    made = inserting(tx, hooks).values(
        connector=connector, outcome=outcome, why=why[:_LONGEST_WHY], times=count, first_at=now, last_at=now
    )
    tx.execute(
        made.on_conflict_do_update(
            index_elements=[hooks.c.connector, hooks.c.outcome, hooks.c.why],
            set_={"times": hooks.c.times + count, "last_at": now},
        )
    )


@dataclass(slots=True)
class Refusals:
    """What was refused since it was last written down, and how much of it came from where within the last minute.

    It stands in memory, so that nobody who is refused can make anybody write;
    `write` is called every minute.
    """

    most: int = 60
    within: timedelta = timedelta(minutes=1)
    _counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    _last: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _lately: dict[str, list[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, connector: str, why: str, whence: str, now: datetime) -> None:
        """Count one refusal of what came from `whence`; of an unreadable delivery the kind is told, not what stood there."""
        told = connector, why.partition(":")[0][:_LONGEST_WHY]
        with self._lock:
            self._counted[told] += 1
            self._last[told] = now
            if len(self._lately) >= _NEIGHBOURHOODS and whence not in self._lately:
                self._lately.clear()
            self._lately.setdefault(whence, []).append(now)

    def too_many(self, whence: str, now: datetime) -> bool:
        """Whether so much of what came from there was refused lately that no more is read."""
        with self._lock:
            lately = [at for at in self._lately.get(whence, ()) if now - at < self.within]
            if lately:
                self._lately[whence] = lately
            else:
                self._lately.pop(whence, None)
            return len(lately) >= self.most

    def write(self, store: Store) -> int:
        """Write down what was refused since the last time; return how much."""
        with self._lock:
            counted, last = self._counted, self._last
            self._counted, self._last = Counter(), {}
        if not counted:
            return 0
        try:
            with store.database.begin() as tx:
                for (connector, why), count in sorted(counted.items()):
                    note(tx, connector, REFUSED, last[connector, why], why=why, count=count)
        except ArchiveError:
            with self._lock:  # it is written with the next minute
                self._counted += counted
                self._last = last | self._last
            raise
        return counted.total()


_NEIGHBOURHOODS = 10_000
"""So many addresses are remembered at once; then it begins anew, so that memory has an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How often something became of what came to a door, and when last."""

    count: int
    last: datetime
    why: str = ""

    def as_dict(self) -> dict[str, object]:
        told: dict[str, object] = {"count": self.count, "last": self.last.isoformat()}
        return {"why": self.why, **told} if self.why else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a door stands."""

    connector: str
    address: str
    lacks: str
    meant: bool
    """Whether the operator entered a word for it: otherwise nobody need call here."""
    greeted: Counted | None = None
    accepted: Counted | None = None
    repeated: Counted | None = None
    unknown: Counted | None = None
    paused: Counted | None = None
    refused: Sequence[Counted] = ()

    @property
    def set_up(self) -> bool:
        return not self.lacks

    def as_dict(self) -> dict[str, object]:
        told = {
            name: one.as_dict() if one is not None else None
            for name, one in (
                (GREETED, self.greeted),
                (ACCEPTED, self.accepted),
                (REPEATED, self.repeated),
                (UNKNOWN, self.unknown),
                (PAUSED, self.paused),
            )
        }
        return {
            "connector": self.connector,
            "address": self.address,
            "set_up": self.set_up,
            "lacks": self.lacks or None,
            **told,
            "refused": [one.as_dict() for one in self.refused],
        }


def standing(tx: Tx, doors: Sequence[Door], base: str) -> list[Standing]:
    """How the doors stand, in their order; `base` is the address under which people reach the archive."""
    found: dict[str, dict[str, Counted]] = {}
    refused: dict[str, list[Counted]] = {}
    for row in tx.execute(select(hooks).order_by(hooks.c.last_at.desc())):
        one = Counted(count=row.times, last=from_instant(row.last_at), why=row.why)
        if row.outcome == REFUSED:
            refused.setdefault(row.connector, []).append(one)
        else:
            found.setdefault(row.connector, {})[row.outcome] = one
    return [
        Standing(
            connector=door.connector,
            address=f"{base.rstrip('/')}/hooks/{door.connector}",
            lacks=door.lacks,
            meant=bool(door.word),
            refused=tuple(refused.get(door.connector, ())),
            **found.get(door.connector, {}),
        )
        for door in doors
    ]


def troubles(told: Standing, now: datetime) -> list[str]:
    """What is not well at a door, for the operator."""
    called = [one.last for one in (told.greeted, told.accepted, told.repeated) if one is not None]
    heard = [one.last for one in (told.accepted, told.repeated) if one is not None]
    found = []
    if told.lacks:
        found += [told.lacks] if told.meant else []
    elif not called:
        found += (
            ["it is set up, and nobody ever called: enter its address at the platform"] if told.meant else []
        )
    elif now - max(heard or called) > SILENT:
        found.append(
            f"nothing was told since {max(heard or called):%Y-%m-%d}: does the platform still know it?"
        )
    lately = [one for one in told.refused if now - one.last <= SILENT]
    found += [f"refused, {one.count} in all, last on {one.last:%Y-%m-%d}: {one.why}" for one in lately]
    if told.unknown is not None and now - told.unknown.last <= SILENT:
        found.append(
            f"{told.unknown.count} were about pages that are not in the registry, or were never captured whole"
        )
    return found


def tidy(store: Store) -> int:
    """Forget marks and hints that are too old to matter; return how many."""
    now = store.clock.now()
    with store.database.begin() as tx:
        old = tx.execute(delete(deliveries).where(deliveries.c.at < to_instant(now - WINDOW - _BESIDE)))
        return old.rowcount + hints.tidy(tx, now)


_BESIDE = timedelta(hours=2)
"""Marks are kept a little longer than a delivery may be old: the platform's clock may be ahead of ours."""

__all__ = ["Again", "Door", "Entry", "Outcome", "Refusals", "Taken", "delivered", "greet", "standing"]
