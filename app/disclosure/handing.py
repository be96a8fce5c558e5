"""To whom a production was given: by hand, or by a link that works until a moment and no longer than the production stands.

Who it was stands sealed in the entry; of a link the database has only the
digest of its token. Each time the folder is taken, the access log has it, and
the first time the hand-over too.
"""

from __future__ import annotations

import hashlib
import secrets
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app.capture import deeds
from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.disclosure import produced
from app.disclosure.produced import Production
from app.records.errors import Invalid, NotFound, Refused
from app.records.folders import below
from app.records.nouns import Officer
from app.store import access
from app.store.store import Store
from app.store.tables import handovers, productions

TYPE = "production"
LONGEST = 365
"""A link works for so many days at the most."""
_THEN = (1980, 1, 1, 0, 0, 0)


class LinkSpent(NotFound):
    """The link was never made, has ended, or the production was asked back; which of them is not said."""

    code = "production-link-spent"


class NotToBeGiven(Refused):
    """Only a production that was issued and not asked back is given to anybody."""

    code = "production-not-to-be-given"


class NobodyNamed(Invalid):
    """To whom a production is given was not said."""

    code = "nobody-named"


class BadDays(Invalid):
    """A link works for a day at least, and for a year at most."""

    code = "bad-days"


class FolderElsewhere(NotFound):
    """The production's folder does not lie where this archive keeps those that it makes for the web."""

    code = "production-elsewhere"


class TooManyForTheWeb(Refused):
    """A production of so many records is made by the command line."""

    code = "production-too-large-for-the-web"


@dataclass(frozen=True, slots=True)
class HandOver:
    """That a production was given to somebody; `token` is known only when it is made."""

    to: str
    at: datetime
    by: UUID | None
    why: str
    until: datetime | None
    taken_at: datetime | None
    entry: int
    token: str | None = None


def hand_over(
    store: Store,
    tx: Tx,
    production: Production,
    to: str,
    *,
    days: int | None,
    by: Officer,
    why: str,
) -> HandOver:
    """Write down to whom a production is given; with `days`, make a link that works for so long."""
    if not to.strip():
        raise NobodyNamed("to whom is the production given?", next="Name the person or office.")
    if days is not None and not 1 <= days <= LONGEST:
        raise BadDays(
            f"a link works for 1 to {LONGEST} days",
            next="Say for how many; without days it was given by hand.",
        )
    lock_ledger(tx)
    production = produced.get(store, tx, production.number)
    if production.state != "issued":
        raise NotToBeGiven("the production is not issued, or was asked back", next="Make another one.")
    now = store.clock.now()
    until = now + timedelta(days=days) if days is not None else None
    token = secrets.token_urlsafe(32) if until is not None else None
    entry = store.ledger.act(
        tx, TYPE, by=by.id, why=why, facts={"production": production.id.hex, "act": "given"},
        detail={
            "to": to.strip(), "until": until.isoformat() if until else None,
            "link": _digest(token).hex() if token else None,
        }, subject=production.request,
    )  # fmt: skip
    tx.execute(
        insert(handovers).values(
            production=production.key,
            entry=entry,
            token=_digest(token) if token else None,
            until=to_instant(until) if until else None,
        )
    )
    return HandOver(to.strip(), now, by.id, why, until, None, entry, token)


def folder_in(out: Path | None, number: str) -> Path:
    """Where the folder of a production lies that is handed over by links, or `FolderElsewhere`."""
    if out is None or not (out / number.lower()).is_dir():
        raise FolderElsewhere(
            f"{number} does not lie where links lead to, or was taken away",
            next="Ask whoever made it, or make it in the folder that MUNIMENT_PRODUCTIONS names.",
        )
    return out / number.lower()


def days(written: str) -> int | None:
    """For how many days, as somebody wrote it in a form; None for nothing, and `BadDays` for what is no number."""
    said = written.strip()
    if not said:
        return None
    if not (said.isascii() and said.isdecimal() and len(said) < 6):
        raise BadDays(
            f"{said[:20]!r} is no number of days", next=f"Write one from 1 to {LONGEST}; nothing where it was given by hand."
        )  # fmt: skip
    return int(said)


def link(public_url: str, made: HandOver) -> str | None:
    """The address that whoever was given a link opens; None where it was given by hand."""
    return f"{public_url.rstrip('/')}/given/{made.token}" if made.token else None


def of(store: Store, tx: Tx, key: int) -> list[HandOver]:
    """To whom a production was given, oldest first."""
    rows = tx.execute(
        select(handovers).where(handovers.c.production == key).order_by(handovers.c.entry)
    ).all()
    said = deeds.told(store, tx, [one for row in rows for one in (row.entry, row.taken_entry)])
    return [
        HandOver(
            to=said[row.entry].text("to"),
            at=said[row.entry].at,
            by=said[row.entry].by,
            why=said[row.entry].why,
            until=from_instant(row.until) if row.until is not None else None,
            taken_at=said[row.taken_entry].at if row.taken_entry in said else None,
            entry=row.entry,
        )
        for row in rows
    ]


def leads_to(store: Store, tx: Tx, token: str) -> str:
    """The number of the production that a link leads to, or `LinkSpent`."""
    return str(_linked(store, tx, token).number)


def taken(store: Store, tx: Tx, token: str) -> str:
    """The number of the production that a link leads to, written down as taken; `LinkSpent` where it leads nowhere."""
    lock_ledger(tx)
    row = _linked(store, tx, token)
    access.note(store, tx, "production", by=None, detail={"production": row.number, "by_link": row.entry})
    if row.taken_entry is None:
        entry = store.ledger.act(
            tx, TYPE, by=None, why="taken by its link",
            facts={"production": UUID(bytes=bytes(row.identity)).hex, "act": "taken"}, detail={"given": row.entry},
            subject=UUID(bytes=bytes(row.request)),
        )  # fmt: skip
        tx.execute(update(handovers).where(handovers.c.key == row.key).values(taken_entry=entry))
    return str(row.number)


def _linked(store: Store, tx: Tx, token: str) -> Any:
    row = tx.execute(
        select(handovers, productions.c.number, productions.c.id.label("identity"), productions.c.request)
        .join(productions, productions.c.key == handovers.c.production)
        .where(
            handovers.c.token == _digest(token),
            handovers.c.until > to_instant(store.clock.now()),
            productions.c.issued_entry.is_not(None),
            productions.c.clawed_entry.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise LinkSpent("this link leads to nothing", next="Ask whoever gave it to you for another one.")
    return row


def note_taken(store: Store, tx: Tx, number: str, *, by: Officer) -> None:
    """Write down that an officer took a production's folder."""
    access.note(store, tx, "production", by=by.id, detail={"production": number, "what": "folder"})


def as_json(given: Iterable[HandOver]) -> list[dict[str, object]]:
    """Hand-overs as programs read them."""
    return [
        {
            "to": one.to, "at": one.at.isoformat(), "why": one.why, "until": one.until.isoformat() if one.until else None,
            "taken_at": one.taken_at.isoformat() if one.taken_at else None, "entry": one.entry,
        }
        for one in given
    ]  # fmt: skip


def as_zip(folder: Path, chunk: int) -> Iterator[bytes]:
    """A folder as a ZIP, piece by piece: files stored as they are, sorted, all of one time; the same bytes each time."""
    out = _Passing()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as packed:
        for file in (one for one in below(folder) if one.is_file()):
            info = zipfile.ZipInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}", _THEN)
            info.external_attr = 0o644 << 16
            with packed.open(info, "w", force_zip64=True) as into, file.open("rb") as content:
                while part := content.read(chunk):
                    into.write(part)
                    yield out.given()
            yield out.given()
    yield out.given()


class _Passing:
    """What a ZIP is written to that nobody can go back in; hands over what was written."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._at = 0

    def write(self, content: bytes) -> int:
        self._held += content
        self._at += len(content)
        return len(content)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None: ...

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError("nobody can go back")  # zipfile writes what follows each file instead

    def close(self) -> None: ...

    def given(self) -> bytes:
        """What was written since the last time."""
        content = bytes(self._held)
        self._held.clear()
        return content


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
