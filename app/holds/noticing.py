"""Notices to custodians: by e-mail, with a link to acknowledge them, reminders, and a word to the attorney where none comes.

A custodian needs no account: whoever opens the link of the newest letter
acknowledges, and only the SHA-256 of its secret is kept. The letter does not
name the matter: it says what is to be kept, from when on, and whom to ask. What
was sent to whom, and who acknowledged when, are acts on the matter.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import insert, or_, select, update

from app import officers
from app.capture import deeds
from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.holds import acts, matters, placing
from app.holds.matters import Custodian, Matter
from app.holds.placing import Hold
from app.officers import Letter, Mailer, NoMail
from app.records.errors import ArchiveError, NotFound, Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.store.store import Store
from app.store.tables import custodians, hold_notices, holds

_log = logging.getLogger("muniment.notices")
PATH = "/hold-notice/"
"""Where a custodian acknowledges; the secret follows."""
NOTICE, CHANGED, RELEASED = "notice", "changed", "released"
REMINDERS = (timedelta(days=3), timedelta(days=4), timedelta(days=7))
"""How long after each letter the next reminder goes; with the last of them the attorney is told."""
_AGAIN = timedelta(minutes=2)
_LONGEST_WAIT = timedelta(hours=6)
_WORDS = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "letters"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - letters are plain text
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class AlreadyNotified(Refused):
    """The custodian was told of this hold, and nothing has changed since."""

    code = "already-notified"


class NoticeLinkSpent(NotFound):
    """The link is not the newest one of a notice that is in force."""

    code = "notice-link-spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice as it stands."""

    key: int
    id: UUID
    hold: int
    name: str
    email: str
    kind: str
    at: datetime
    letters: int
    sent_at: datetime | None
    acknowledged_at: datetime | None
    ended: bool
    """Whether the hold was released, another notice took its place, or the custodian was taken off the matter's list."""
    failure: str | None

    @property
    def state(self) -> str:
        """`acknowledged`, `ended`, `waiting` for the mail server, `sent`, or `escalated` to the attorney."""
        if self.acknowledged_at is not None:
            return "acknowledged"
        if self.ended:
            return "ended"
        if not self.letters:
            return "waiting"
        return "escalated" if self.letters > len(REMINDERS) else "sent"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a custodian's link opens."""

    notice: Notice
    hold: Hold
    matter: Matter
    contact: str


# -- telling -----------------------------------------------------------------------------------------------


def notify(store: Store, tx: Tx, hold: Hold, email: str, *, by: Officer, why: str) -> Notice:
    """Give a custodian notice of a hold; the letter goes with the next sending.

    Whoever is no custodian of the matter yet is refused: name them first, so
    that the matter's list is whole.
    """
    lock_ledger(tx)
    now = placing.must_be_active(placing.get(store, tx, str(hold.id), by=by))
    matter = placing.may_work_on(store, tx, now, by)
    if matter is None:
        raise Refused("the hold of a records request has no custodians")
    custodian = matters.custodian(matter, email)
    if any(one.email == custodian.email and not one.ended for one in listed(store, tx, now)):
        raise AlreadyNotified(
            f"{custodian.email} was told of this hold already", next="Reminders go by themselves."
        )
    return _put(store, tx, now, custodian, NOTICE, by=by, why=why)


def tell_of_change(store: Store, tx: Tx, hold: Hold, *, by: Officer, why: str) -> int:
    """Give notice anew to everybody who was told of a hold of the same matter: what they must keep has changed."""
    if hold.matter is None:
        return 0
    matter = matters.of_key(store, tx, hold.matter, by=by)
    asked = (
        select(hold_notices.c.custodian)
        .join(holds, holds.c.key == hold_notices.c.hold)
        .join(custodians, custodians.c.key == hold_notices.c.custodian)
        .where(
            holds.c.matter == hold.matter,
            hold_notices.c.ended_entry.is_(None),
            hold_notices.c.kind != RELEASED,
            custodians.c.ended_entry.is_(None),
        )
        .distinct()
    )
    told = set(tx.execute(asked).scalars())
    again = [one for one in matter.custodians if one.key in told]
    for custodian in again:
        _put(store, tx, hold, custodian, CHANGED, by=by, why=why)
    return len(again)


@contextmanager
def telling(store: Store, tx: Tx, matter: Matter, *, by: Officer, why: str) -> Iterator[None]:
    """Give notice anew to everybody whose letter says something else after what is done within to a matter.

    A letter says the trigger date and whom to ask. The notice that was given
    before ends, acknowledged or not; one that waits for its first letter stays,
    because that letter will say what is so by then.
    """
    lock_ledger(tx)
    before = {one.notice.key: _says(one) for one in _running(store, tx, matter)}
    yield
    for one in _running(store, tx, matter):
        told = one.notice
        if _says(one) == before[told.key] or _is_untried(tx, told):
            continue
        custodian = next(named for named in one.matter.custodians if named.email == told.email)
        kind = CHANGED if told.letters else told.kind
        _put(store, tx, one.hold, custodian, kind, by=by, why=why, instead=told)


def _says(one: Opened) -> tuple[object, ...]:
    """What the letter of a notice takes from its matter and may change."""
    return one.matter.trigger, one.contact


def _running(store: Store, tx: Tx, matter: Matter) -> list[Opened]:
    """The notices in force on holds of a matter."""
    asked = (
        select(hold_notices.c.key)
        .join(holds, holds.c.key == hold_notices.c.hold)
        .join(custodians, custodians.c.key == hold_notices.c.custodian)
        .where(
            holds.c.matter == matter.key,
            holds.c.released_entry.is_(None),
            hold_notices.c.ended_entry.is_(None),
            hold_notices.c.kind != RELEASED,
            custodians.c.ended_entry.is_(None),
        )
        .order_by(hold_notices.c.key)
    )
    return [_opened(store, tx, key) for key in tx.execute(asked).scalars()]


def _is_untried(tx: Tx, notice: Notice) -> bool:
    """Whether no letter of a notice was begun; one that was may be on its way as it was."""
    tries = tx.execute(select(hold_notices.c.tries).where(hold_notices.c.key == notice.key)).scalar_one()
    return not notice.letters and not tries


def tell_of_release(store: Store, tx: Tx, hold: Hold, *, why: str) -> int:
    """Tell everybody in writing who was told of a hold that it is released; called with the lock, by nobody in person.

    The letter is one, needs no acknowledgement, and says where other notices of
    theirs go on. Who was taken off the matter's list, or never got a letter, is
    told nothing.
    """
    if hold.matter is None:
        return 0
    told = {one.email for one in listed(store, tx, hold) if one.letters and one.kind != RELEASED}
    matter = matters.known_to_work(store, tx, hold.matter)
    over = [one for one in matter.custodians if one.email in told]
    for custodian in over:
        _put(store, tx, hold, custodian, RELEASED, by=None, why=why)
    return len(over)


def _put(
    store: Store,
    tx: Tx,
    hold: Hold,
    custodian: Custodian,
    kind: str,
    *,
    by: Officer | None,
    why: str,
    instead: Notice | None = None,
) -> Notice:
    now, identity = to_instant(store.clock.now()), new_id()
    detail = {"notice": str(identity), "kind": kind, "to": custodian.email, "name": custodian.name}
    if instead is not None:
        detail["instead"] = str(instead.id)
    entry = acts.note(
        store, tx, "notice:given", matter=hold.matter, hold=hold.id, by=by.id if by else None, why=why,
        detail=detail, subject=hold.id,
    )  # fmt: skip
    if instead is not None:
        ended = update(hold_notices).where(hold_notices.c.key == instead.key)
        tx.execute(ended.values(ended_entry=entry))
    tx.execute(
        insert(hold_notices).values(
            id=identity.bytes,
            hold=hold.key,
            custodian=custodian.key,
            entry=entry,
            kind=kind,
            at=now,
            next_at=now,
        )
    )
    return next(one for one in listed(store, tx, hold) if one.id == identity)


# -- sending -----------------------------------------------------------------------------------------------


def send(store: Store, mailer: Mailer, base_url: str) -> int:
    """Send what is due: notices, reminders, and a word to the attorney; return how many letters went.

    Without a mail server they wait. `base_url` MUST be the operator's setting.
    """
    if isinstance(mailer, NoMail):
        return 0
    with store.database.read() as tx:
        due = _due(store, tx)
    return sum(_send(store, mailer, base_url, key, tries) for key, tries in due)


def _due(store: Store, tx: Tx) -> list[tuple[int, int]]:
    now = to_instant(store.clock.now())
    asked = (
        select(hold_notices.c.key, hold_notices.c.tries)
        .join(custodians, custodians.c.key == hold_notices.c.custodian)
        .where(
            custodians.c.ended_entry.is_(None),  # whoever was taken off the list is reminded no more
            hold_notices.c.acknowledged_entry.is_(None),
            hold_notices.c.ended_entry.is_(None),
            hold_notices.c.letters <= len(REMINDERS),
            or_(
                hold_notices.c.kind != RELEASED, hold_notices.c.letters == 0
            ),  # of a release nobody is reminded
            hold_notices.c.next_at <= now,
        )
        .order_by(hold_notices.c.key)
    )
    return [(row.key, row.tries) for row in tx.execute(asked)]


def _send(store: Store, mailer: Mailer, base_url: str, key: int, tries: int) -> bool:
    """One letter: claimed with the digest of its secret, sent, and written down. What is not sent comes back later."""
    secret = secrets.token_urlsafe(32)
    again = store.clock.now() + min(_LONGEST_WAIT, _AGAIN * 2 ** min(tries, 10))
    with store.database.begin() as tx:
        lock_ledger(tx)
        before = tx.execute(select(hold_notices.c.digest).where(hold_notices.c.key == key)).scalar()
        claimed = tx.execute(
            update(hold_notices)
            .where(
                hold_notices.c.key == key,
                hold_notices.c.tries == tries,
                hold_notices.c.acknowledged_entry.is_(None),
                hold_notices.c.ended_entry.is_(None),
            )
            .values(tries=tries + 1, next_at=to_instant(again), digest=_digest(secret))
        )
        if claimed.rowcount != 1:
            return False
        opened = _opened(store, tx, key)
        letters = _letters(store, tx, opened, base_url, secret)
    went = 0
    try:
        for letter in letters:
            mailer.send(letter.to, letter.subject, letter.text)
            went += 1
    except ArchiveError as error:
        _log.warning("a notice to a custodian was not sent: %s", error.code)
        with store.database.begin() as tx:
            mine = (hold_notices.c.key == key) & (hold_notices.c.digest == _digest(secret))
            # The link goes on working of the newest letter that the custodian has: this one, or the one before.
            newest = _digest(secret) if went else before
            tx.execute(update(hold_notices).where(mine).values(failure=error.code, digest=newest))
        return False
    with store.database.begin() as tx:
        lock_ledger(tx)
        _sent(store, tx, opened, key)
    return True


def _sent(store: Store, tx: Tx, opened: Opened, key: int) -> None:
    notice, now = opened.notice, store.clock.now()
    entry = acts.note(
        store, tx, "notice:sent", matter=opened.hold.matter, hold=opened.hold.id, by=None,
        why=f"letter {notice.letters + 1} of the notice", detail={"notice": str(notice.id), "to": notice.email},
        subject=opened.hold.id,
    )  # fmt: skip
    wait = REMINDERS[min(notice.letters, len(REMINDERS) - 1)]
    tx.execute(
        update(hold_notices)
        .where(hold_notices.c.key == key)
        .values(
            letters=notice.letters + 1,
            tries=0,
            sent_at=to_instant(now),
            sent_entry=entry,
            next_at=to_instant(now + wait),
            failure=None,
        )
    )


def _letters(store: Store, tx: Tx, opened: Opened, base_url: str, secret: str) -> list[Letter]:
    notice, zone = opened.notice, store.agency.zone()
    values: dict[str, Any] = {
        "agency": store.agency.name,
        "notice": notice,
        "matter": opened.matter,
        "contact": opened.contact,
        "link": base_url.rstrip("/") + PATH + secret,
        "since": f"{opened.hold.at.astimezone(zone):%Y-%m-%d}",
        "reminder": notice.letters > 0,
        "last": notice.letters == len(REMINDERS),
    }
    if notice.kind == RELEASED:
        values["others"] = _goes_on(store, tx, notice)
        text = _WORDS.get_template("released.txt").render(values)
        over = "A notice of a hold is over"
        return [Letter(to=notice.email, subject=f"{store.agency.name}: {over}", text=text)]
    subject = "Please keep what you have: notice of a hold"
    if notice.letters:
        subject = f"Reminder {notice.letters}: please acknowledge the notice of a hold"
    elif notice.kind == CHANGED:
        subject = "What you must keep has changed: notice of a hold"
    text = _WORDS.get_template("custodian.txt").render(values)
    told = [Letter(to=notice.email, subject=f"{store.agency.name}: {subject}", text=text)]
    if notice.letters == len(REMINDERS) and opened.contact:
        words = _WORDS.get_template("escalation.txt").render(values)
        told.append(
            Letter(
                to=opened.contact,
                subject=f"{store.agency.name}: a notice is not acknowledged",
                text=words,
            )
        )
    return told


def _goes_on(store: Store, tx: Tx, notice: Notice) -> bool:
    """Whether the same address was given notice of another hold that is not released."""
    asked = (
        _asked()
        .join(holds, holds.c.key == hold_notices.c.hold)
        .where(
            hold_notices.c.hold != notice.hold,
            hold_notices.c.kind != RELEASED,
            hold_notices.c.letters > 0,  # also where another notice took its place since
            holds.c.released_entry.is_(None),
            custodians.c.ended_entry.is_(None),
        )
    )
    return any(one.email == notice.email for one in _read(store, tx, tx.execute(asked).all()))


# -- acknowledging -----------------------------------------------------------------------------------------


def opened(store: Store, tx: Tx, secret: str) -> Opened:
    """What the link of the newest letter opens, or `NoticeLinkSpent`. Looking acknowledges nothing."""
    key = tx.execute(select(hold_notices.c.key).where(hold_notices.c.digest == _digest(secret))).scalar()
    if key is None:
        raise _spent()
    found = _opened(store, tx, key)
    if found.notice.kind == RELEASED or (found.notice.ended and found.notice.acknowledged_at is None):
        raise _spent()
    return found


def acknowledge(store: Store, tx: Tx, secret: str) -> Opened:
    """Write down that the custodian acknowledges; doing it twice is doing it once."""
    lock_ledger(tx)
    found = opened(store, tx, secret)
    if found.notice.acknowledged_at is not None:
        return found
    entry = acts.note(
        store, tx, "notice:acknowledged", matter=found.hold.matter, hold=found.hold.id, by=None,
        why="acknowledged over the link of the newest letter",
        detail={"notice": str(found.notice.id), "to": found.notice.email}, subject=found.hold.id,
    )  # fmt: skip
    tx.execute(
        update(hold_notices)
        .where(hold_notices.c.key == found.notice.key)
        .values(acknowledged_entry=entry, acknowledged_at=to_instant(store.clock.now()))
    )
    return opened(store, tx, secret)


def _spent() -> NoticeLinkSpent:
    return NoticeLinkSpent(
        "this link is not valid any more", next="Open the link in the newest letter, or ask whoever sent it."
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


# -- reading -----------------------------------------------------------------------------------------------


def listed(store: Store, tx: Tx, hold: Hold) -> list[Notice]:
    """The notices of a hold, the oldest first: who was told, and who acknowledged when."""
    asked = _asked().where(hold_notices.c.hold == hold.key).order_by(hold_notices.c.key)
    return _read(store, tx, tx.execute(asked).all())


def waits(store: Store, tx: Tx, *, by: Officer) -> list[tuple[Hold, Notice]]:
    """The notices that nobody has acknowledged, on holds that `by` may know of."""
    told = []
    for hold in placing.listed(store, tx, by=by):
        if not hold.released:
            told += [
                (hold, one)
                for one in listed(store, tx, hold)
                if one.state in ("sent", "escalated", "waiting")
            ]
    return told


def _opened(store: Store, tx: Tx, key: int) -> Opened:
    row = tx.execute(_asked().where(hold_notices.c.key == key)).one()
    notice = _read(store, tx, [row])[0]
    identity = tx.execute(select(holds.c.id).where(holds.c.key == row.hold)).scalar_one()
    hold = placing.of_id(store, tx, UUID(bytes=bytes(identity)))
    assert hold.matter is not None, "only the holds of matters have notices"
    matter = matters.known_to_work(store, tx, hold.matter)
    return Opened(notice, hold, matter, _contact(tx, matter, hold))


def _contact(tx: Tx, matter: Matter, hold: Hold) -> str:
    """Whom to ask: whoever placed the hold, or else an attorney of the matter who still works here; of a silent one, a member."""
    people = {one.id: one for one in officers.list_all(tx)}
    for who in (hold.by, matter.opened_by, *matter.members):
        if who not in people or (matter.silent and who not in matter.members):
            continue
        if people[who].may(Role.ATTORNEY):
            return people[who].email
    return ""


def _asked() -> Any:
    named = custodians.c.entry.label("named")
    return select(hold_notices, named, custodians.c.ended_entry.label("excused")).join(
        custodians, custodians.c.key == hold_notices.c.custodian
    )


def _read(store: Store, tx: Tx, rows: Sequence[Any]) -> list[Notice]:
    said = deeds.told(store, tx, [row.named for row in rows])
    return [
        Notice(
            key=row.key,
            id=UUID(bytes=bytes(row.id)),
            hold=row.hold,
            name=said[row.named].text("name"),
            email=said[row.named].text("email"),
            kind=row.kind,
            at=from_instant(row.at),
            letters=row.letters,
            sent_at=from_instant(row.sent_at) if row.sent_at is not None else None,
            acknowledged_at=from_instant(row.acknowledged_at) if row.acknowledged_at is not None else None,
            ended=row.ended_entry is not None or row.excused is not None,
            failure=row.failure,
        )
        for row in rows
    ]


def as_json(one: Notice) -> dict[str, object]:
    """A notice as programs read it."""
    return {
        "id": str(one.id),
        "custodian": one.name,
        "to": one.email,
        "kind": one.kind,
        "state": one.state,
        "given_at": one.at.isoformat(),
        "sent_at": one.sent_at.isoformat() if one.sent_at else None,
        "letters": one.letters,
        "acknowledged_at": one.acknowledged_at.isoformat() if one.acknowledged_at else None,
        "failure": one.failure,
    }
