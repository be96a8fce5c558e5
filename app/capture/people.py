"""Who is authorised to manage a page, from which day to which, and whether the page's credentials are one of theirs.

A list of people with dates, as the policy asks for it; nothing in it is ever
taken out. Managers need no account here: they are named by e-mail, and by the
name that the platform knows them by. A change of the name or of the end is the
end of one authorisation and the beginning of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app.capture import deeds
from app.capture.deeds import Told
from app.db import Tx
from app.db.database import lock_ledger
from app.records.errors import Invalid, NotFound
from app.records.nouns import Page
from app.store.store import Store
from app.store.tables import managers

_LONGEST = 254


class BadManager(Invalid):
    """A manager is named by one e-mail address."""

    code = "bad-manager"


class NoSuchManager(NotFound):
    """Nobody of that e-mail is authorised to manage the page."""

    code = "no-such-manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Somebody's authorisation to manage a page."""

    email: str
    known_as: str
    """The name that the platform knows them by; empty where it was not said."""
    since: date
    until: date | None
    by: UUID | None
    why: str
    entry: int
    ended_at: datetime | None = None
    ended_by: UUID | None = None
    ended_why: str = ""

    def authorised(self, today: date) -> bool:
        """Whether the authorisation counts on that day."""
        return self.ended_at is None and self.since <= today and (self.until is None or today <= self.until)


def authorise(
    store: Store,
    tx: Tx,
    page: Page,
    email: str,
    *,
    by: UUID,
    why: str,
    known_as: str = "",
    until: date | None = None,
) -> Manager:
    """Authorise somebody to manage a page; who is on the list already gets a new end or name in the place of the old."""
    plain, name = _email(email), deeds.words(known_as, "the name at the platform", needed=False)[:_LONGEST]
    ends, begins = deeds.until(store, until), deeds.today(store).isoformat()
    lock_ledger(tx)
    standing = _standing(store, tx, page, plain)
    name = name or (standing[1].text("known_as") if standing else "")
    detail = {"name": page.name, "manager": plain, "known_as": name, "since": begins, "until": ends}
    entry = store.ledger.act(
        tx,
        "page",
        by=by,
        why=why,
        facts={"page": page.id.hex, "act": "manager-authorised"},
        detail=detail,
        subject=page.id,
    )
    if standing is not None:
        tx.execute(update(managers).where(managers.c.key == standing[0].key).values(ended_entry=entry))
    tx.execute(insert(managers).values(page=page.key, entry=entry, since=begins, until=ends))
    return listed(store, tx, page)[-1]


def end(store: Store, tx: Tx, page: Page, email: str, *, by: UUID, why: str) -> Manager:
    """End somebody's authorisation; that it was one stays on the list."""
    plain = _email(email)
    lock_ledger(tx)
    standing = _standing(store, tx, page, plain)
    if standing is None:
        raise NoSuchManager(
            f"{plain} is not on the list of {page.name}", next="See `muniment page managers`."
        )
    entry = store.ledger.act(
        tx,
        "page",
        by=by,
        why=why,
        facts={"page": page.id.hex, "act": "manager-ended"},
        detail={"name": page.name, "manager": plain},
        subject=page.id,
    )
    tx.execute(update(managers).where(managers.c.key == standing[0].key).values(ended_entry=entry))
    return next(one for one in listed(store, tx, page) if one.entry == standing[0].entry)


def listed(store: Store, tx: Tx, page: Page) -> list[Manager]:
    """Everybody who is or was authorised to manage the page, oldest first."""
    rows = tx.execute(select(managers).where(managers.c.page == page.key).order_by(managers.c.key)).all()
    said = deeds.told(store, tx, [entry for row in rows for entry in (row.entry, row.ended_entry)])
    return [_manager(row, said[row.entry], said.get(row.ended_entry)) for row in rows]


def _manager(row: Any, made: Told, ended: Told | None) -> Manager:
    return Manager(
        email=made.text("manager"),
        known_as=made.text("known_as"),
        since=date.fromisoformat(row.since),
        until=deeds.of_row(row.until),
        by=made.by,
        why=made.why,
        entry=row.entry,
        ended_at=ended.at if ended else None,
        ended_by=ended.by if ended else None,
        ended_why=ended.why if ended else "",
    )


def _standing(store: Store, tx: Tx, page: Page, email: str) -> tuple[Any, Told] | None:
    """The row of an authorisation that nobody ended, with what its entry says."""
    rows = tx.execute(
        select(managers).where(managers.c.page == page.key, managers.c.ended_entry.is_(None))
    ).all()
    said = deeds.told(store, tx, [row.entry for row in rows])
    for row in rows:
        if said[row.entry].text("manager") == email:
            return row, said[row.entry]
    return None


def _email(email: str) -> str:
    plain = email.strip().lower()
    name, at, domain = plain.partition("@")
    if (
        not (name and at and domain)
        or "@" in domain
        or any(sign.isspace() for sign in plain)
        or len(plain) > _LONGEST
    ):
        raise BadManager(f"{email!r} is not one e-mail address", next="Write it as name@agency.example.")
    return plain


# -- the owner of the credentials --------------------------------------------------------------------------


def owner_wrong(
    known: Sequence[Manager], owner: str | None, connected_by: str, *, required: bool, today: date
) -> str | None:
    """Say what is wrong with whose credentials the page is captured with, or None.

    `owner` is the name that the platform gives, `connected_by` the e-mail of a
    manager who connected the page over a link. Where neither is known nothing
    can be said; where no list was ever begun and no policy demands one,
    nothing is wrong.
    """
    if not known and not required:
        return None
    names = [name for name in (owner, connected_by or None) if name]
    if not names:
        return None
    theirs = [one for one in known if _bears(one, names[0])]
    if not theirs:
        return (
            f"The page is connected as {names[0]}, who is not on the list of those authorised to manage it."
        )
    if not any(one.authorised(today) for one in theirs):
        return f"The page is connected as {names[0]}, whose authorisation to manage it has ended."
    return None


def _bears(one: Manager, name: str) -> bool:
    return _bare(name) in {_bare(one.email), _bare(one.known_as)} - {""}


def _bare(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
