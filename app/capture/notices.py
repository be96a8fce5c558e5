"""Who is to be told of what: troubles found in the runs that ended, and the letters about them.

A letter is a row until it was sent: whom to tell, of what, how often it was
tried. Its words are written when it goes, out of what is known then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, or_, select, true, update

from app.capture import account, coverage, diary, pages
from app.capture.coverage import Cover, Window
from app.capture.runs import CAPTURE, GapFound, gaps_of
from app.capture.troubles import Begins, Cause, Change, Ended, Ends, Nothing, Trouble, Worsens, change
from app.db import Tx, from_instant, key_of, to_instant
from app.records.nouns import Page
from app.store.store import Store
from app.store.tables import letters, runs, troubles

TROUBLE, RECOVERED, GAP, CREDENTIALS, DIGEST = "trouble", "recovered", "gap", "credentials", "digest"
FIXITY = "fixity"
_GIVEN_UP = timedelta(days=3)
SOON = timedelta(minutes=5)
"""Within so long a letter leaves; of one that waits for longer the doctor tells."""
_LATE = 100
"""A run may be written down later than one that began after it, by so many keys at most."""
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A trouble with everything that a letter says of it."""

    page: Page
    cause: Cause
    since: datetime
    last_good: datetime | None
    ended_at: datetime | None
    gaps: Sequence[GapFound]
    run: str
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A letter that is to go."""

    key: int
    topic: str
    page: int | None
    trouble: int | None
    mark: str
    recipient: str
    tries: int
    made_at: datetime


def look(store: Store, tx: Tx, recipients: Sequence[str]) -> list[Change]:
    """Look at the runs that ended since the last look; write down what changed and who is to be told."""
    noted = diary.noted(tx, "troubles")
    diary.began(tx, "troubles", store.clock.now())
    by_key = {page.key: page for page in pages.listed(tx)}
    asked = select(runs).where(runs.c.kind == CAPTURE, _since(noted))
    looked_at = tx.execute(asked.order_by(runs.c.ended_at, runs.c.key)).all()
    rows = [row for row in looked_at if row.ended_at is not None]
    changes = []
    newest = {row.page: row.key for row in rows}
    for row in rows:
        page = by_key[row.page]
        run = Ended(
            run=row.key,
            lane=row.lane,
            status=row.status,
            finished=not json.loads(row.tally).get("unfinished"),
            disconnected=page.status == pages.DISCONNECTED and newest[row.page] == row.key,
            at=from_instant(row.ended_at),
        )
        found = _apply(store, tx, page, run, recipients)
        changes.append(found)
        if (
            isinstance(found, Nothing)
            and run.finished
            and silent_before(store, tx, page, row.key) is not None
        ):
            write(store, tx, GAP, recipients, page=page, mark=f"{page.key}/{row.key}")
    diary.ended(
        tx, "troubles", store.clock.now(), _mark(tx, [row.key for row in looked_at if row.ended_at is None])
    )
    return [one for one in changes if not isinstance(one, Nothing)]


def _since(noted: str | None) -> ColumnElement[bool]:
    """The runs that were not looked at when they had ended. They are told apart by their keys: a clock can be set back."""
    match json.loads(noted) if noted is not None else {}:
        case {"run": int(run), "again": list(again)}:
            return or_(runs.c.key > run, runs.c.key.in_(again))
        case int(ended):  # as it was noted before
            return or_(runs.c.ended_at > ended, runs.c.ended_at.is_(None))
        case _:
            return true()


def _mark(tx: Tx, running: Sequence[int]) -> str:
    """What the next look begins after: the newest run, those that still ran, and keys that another transaction may yet commit."""
    newest = tx.execute(select(func.max(runs.c.key))).scalar() or 0
    first = max(newest - _LATE, 0) + 1
    seen = set(tx.execute(select(runs.c.key).where(runs.c.key >= first)).scalars())
    late = [key for key in range(first, newest) if key not in seen]
    return json.dumps({"run": newest, "again": sorted({*running, *late})})


def _apply(store: Store, tx: Tx, page: Page, run: Ended, recipients: Sequence[str]) -> Change:
    known = open_trouble(tx, page)
    found = change(known, run)
    match found:
        case Begins(cause):
            good = _last_good(tx, page, run.run)
            row = tx.execute(
                insert(troubles).values(
                    page=page.key,
                    cause=str(cause),
                    lane=run.lane,
                    since=to_instant(run.at),
                    run=run.run,
                    last_good=to_instant(good) if good else None,
                )
            )
            write(
                store, tx, TROUBLE, recipients, page=page, trouble=key_of(row), mark=f"{key_of(row)}/{cause}"
            )
        case Worsens(cause):
            assert known is not None
            tx.execute(
                update(troubles).where(troubles.c.key == known.key).values(cause=str(cause), run=run.run)
            )
            write(store, tx, TROUBLE, recipients, page=page, trouble=known.key, mark=f"{known.key}/{cause}")
        case Ends():
            assert known is not None
            tx.execute(
                update(troubles)
                .where(troubles.c.key == known.key)
                .values(ended_at=to_instant(run.at), ended_run=run.run)
            )
            write(store, tx, RECOVERED, recipients, page=page, trouble=known.key, mark=str(known.key))
        case Nothing():
            pass
    return found


def silent_before(store: Store, tx: Tx, page: Page, run: int) -> Window | None:
    """The window that a run ended in which nothing captured the page for more than a night and a little, if any."""
    began = from_instant(tx.execute(select(runs.c.began_at).where(runs.c.key == run)).scalar_one())
    before = account.reached(tx, page, run=run)
    if before is None or began - before <= coverage.LONGEST:
        return None
    found = coverage.clipped(account.windows(store, tx, page, before), before, began)
    return next((one for one in found if one.cover is Cover.UNCOVERED and one.until == began), None)


def open_trouble(tx: Tx, page: Page) -> Trouble | None:
    """The trouble of a page that is not over."""
    row = tx.execute(
        select(troubles).where(troubles.c.page == page.key, troubles.c.ended_at.is_(None))
    ).one_or_none()
    return Trouble(key=row.key, cause=Cause(row.cause), lane=row.lane) if row is not None else None


def open_troubles(store: Store, tx: Tx) -> list[Told]:
    """Every trouble that is not over, oldest first."""
    keys = tx.execute(
        select(troubles.c.key).where(troubles.c.ended_at.is_(None)).order_by(troubles.c.since)
    ).scalars()
    return [told(store, tx, key) for key in keys.all()]


def told(store: Store, tx: Tx, trouble: int) -> Told:
    """A trouble with everything that a letter says of it."""
    row = tx.execute(select(troubles).where(troubles.c.key == trouble)).one()
    run = tx.execute(select(runs.c.id, runs.c.tally).where(runs.c.key == (row.ended_run or row.run))).one()
    page = next(one for one in pages.listed(tx) if one.key == row.page)
    return Told(
        page=page,
        cause=Cause(row.cause),
        since=from_instant(row.since),
        last_good=from_instant(row.last_good) if row.last_good is not None else None,
        ended_at=from_instant(row.ended_at) if row.ended_at is not None else None,
        gaps=gaps_of(store, tx, run=row.run, limit=10),
        run=str(UUID(bytes=bytes(run.id))),
        new=int(json.loads(run.tally).get("new", 0)),
    )


def _last_good(tx: Tx, page: Page, before: int) -> datetime | None:
    """When the last run before this one ended that was complete."""
    at = tx.execute(
        select(func.max(runs.c.ended_at)).where(
            runs.c.page == page.key,
            runs.c.kind == CAPTURE,
            runs.c.status == "complete",
            runs.c.key < before,
        )
    ).scalar()
    return from_instant(at) if at is not None else None


# -- letters -----------------------------------------------------------------------------------------------


def write(
    store: Store,
    tx: Tx,
    topic: str,
    recipients: Sequence[str],
    *,
    mark: str,
    page: Page | None = None,
    trouble: int | None = None,
) -> int:
    """Put a letter to each recipient with those that are to go, once for each `mark`; return how many were put."""
    now = to_instant(store.clock.now())
    known = set(
        tx.execute(
            select(letters.c.recipient).where(letters.c.topic == topic, letters.c.mark == mark)
        ).scalars()
    )
    fresh = [one for one in dict.fromkeys(recipients) if one not in known]
    if fresh:
        tx.execute(
            insert(letters),
            [
                {
                    "topic": topic,
                    "mark": mark,
                    "page": page.key if page else None,
                    "trouble": trouble,
                    "recipient": one,
                    "made_at": now,
                    "next_at": now,
                }
                for one in fresh
            ],
        )
    return len(fresh)


def waiting(store: Store, tx: Tx, limit: int = 50) -> list[Waiting]:
    """The letters that are to go now, oldest first; one that could not be sent for three days is given up."""
    now = store.clock.now()
    asked = (
        select(letters)
        .where(
            letters.c.told_at.is_(None),
            letters.c.next_at <= to_instant(now),
            letters.c.made_at > to_instant(now - _GIVEN_UP),
        )
        .order_by(letters.c.key)
        .limit(limit)
    )
    return [
        Waiting(
            key=row.key,
            topic=row.topic,
            page=row.page,
            trouble=row.trouble,
            mark=row.mark,
            recipient=row.recipient,
            tries=row.tries,
            made_at=from_instant(row.made_at),
        )
        for row in tx.execute(asked)
    ]


def claim(store: Store, tx: Tx, letter: Waiting) -> bool:
    """Take a letter for sending, so that no other process sends it too; what is not sent comes back later."""
    again = store.clock.now() + min(_LONGEST_WAIT, timedelta(minutes=2) * 2 ** min(letter.tries, 8))
    taken = tx.execute(
        update(letters)
        .where(letters.c.key == letter.key, letters.c.told_at.is_(None), letters.c.tries == letter.tries)
        .values(tries=letter.tries + 1, next_at=to_instant(again))
    )
    return taken.rowcount == 1


def sent(store: Store, tx: Tx, letter: Waiting) -> None:
    """Write down, also in the ledger, that somebody was told."""
    page = next((one for one in pages.listed(tx) if one.key == letter.page), None)
    tx.execute(
        update(letters)
        .where(letters.c.key == letter.key)
        .values(told_at=to_instant(store.clock.now()), failure=None)
    )
    store.ledger.act(
        tx,
        "notice",
        by=None,
        why=f"{letter.topic} {letter.mark}".strip(),
        facts={"topic": letter.topic, **({"page": page.id.hex} if page else {})},
        detail={"to": letter.recipient, "mark": letter.mark},
        subject=page.id if page else None,
    )


def failed(tx: Tx, letter: Waiting, why: str) -> None:
    """Write down why a letter was not sent."""
    tx.execute(update(letters).where(letters.c.key == letter.key).values(failure=why[:500]))


def unsent(tx: Tx, since: datetime) -> int:
    """How many letters wait that were to go before `since`."""
    asked = (
        select(func.count())
        .select_from(letters)
        .where(letters.c.told_at.is_(None), letters.c.made_at < to_instant(since))
    )
    return int(tx.execute(asked).scalar_one())
