"""How a page is connected: what is known of its credentials, and the credentials themselves for the connector alone.

Credentials are sealed under the page's secret. Nothing here, and nothing in
any door, gives them out again but `living`, which main hands to the connector
and to the evidence client that replaces them. What may be said of them is a
`Connection`: since when, by whom, what was permitted, until when.

Not promised: who has the keys and the data folder can open them, as
everything else. Taking credentials back (`forget`) overwrites them here; a
backup that was made before still holds them, sealed, so they should be ended
at the platform too.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.db import Tx, from_instant, to_instant
from app.records.errors import Invalid
from app.records.nouns import Page
from app.store.sealing import seal, unseal
from app.store.store import Store
from app.store.tables import connect_links, connect_visits, connections, pages, renewals
from connectors.errors import AccessRevoked, TryAgainLater
from connectors.secrets import PUBLIC_NAMES, SHORTEST

BY_HAND, FILE, OAUTH1, OAUTH2 = "hand", "file", "oauth1", "oauth2"
WARNED = timedelta(days=14)
"""How long before a token ends people begin to be told."""
_SOON = timedelta(minutes=5)


class BadCredentials(Invalid):
    """The credentials are not what the page's connector could sign in with."""

    code = "bad-credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is known of credentials beside themselves, when a page is connected."""

    how: str = FILE
    manager: str = ""
    scopes: Sequence[str] = ()
    access_until: datetime | None = None
    refresh_until: datetime | None = None
    stated_until: datetime | None = None
    authenticate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What may be said of a page's credentials."""

    how: str
    since: datetime
    officer: UUID | None
    manager: str
    """The e-mail of whoever connected the page over a link; empty where an officer gave the credentials."""
    owner: str | None
    """Whose credentials they are, as the platform names them; None where it was not asked or did not tell."""
    scopes: Sequence[str]
    until: datetime | None
    """When a person must connect the page again; None where no end is known."""
    renewed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A page whose credentials end, so that somebody must be told."""

    page: UUID
    name: str
    platform: str
    what: str
    on: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Credentials as they stand, with the number that tells them from those before and after."""

    secret: Mapping[str, str] = field(repr=False)
    number: int
    renewed_at: datetime
    access_until: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether the access token ends within five minutes, or within the last fifth of a shorter life."""
        if self.access_until is None:
            return False
        return now >= self.access_until - min(_SOON, (self.access_until - self.renewed_at) / 5)


# -- keeping -----------------------------------------------------------------------------------------------


def checked(secret: Mapping[str, Any]) -> dict[str, str]:
    """Credentials that may be sealed: names with values, none so short that it could not be replaced in evidence."""
    if not secret or not all(isinstance(value, str) and value for value in secret.values()):
        raise BadCredentials(
            "the credentials are names with values",
            next='Write JSON such as {"user": "…", "application_password": "…"}.',
        )
    short = [name for name, value in secret.items() if name not in PUBLIC_NAMES and len(value) < SHORTEST]
    if short:
        raise BadCredentials(
            f"{', '.join(short)} has fewer than {SHORTEST} characters, and could not be told from ordinary words",
            next="Give the credentials as the platform shows them.",
        )
    return dict(secret)


def keep(
    store: Store, tx: Tx, page: Page, secret: Mapping[str, str], terms: Terms, *, officer: UUID | None
) -> None:
    """Seal credentials in the place of those before; what was under way for those before is over.

    The verb that writes the entry is `pages.connect`.
    """
    now = to_instant(store.clock.now())
    _clear(tx, page)
    told = {"manager": terms.manager, "scopes": list(terms.scopes), "authenticate": terms.authenticate}
    tx.execute(
        insert(connections).values(
            page=page.key,
            number=another(),
            how=terms.how,
            since=now,
            officer=officer.bytes if officer else None,
            renewed_at=now,
            access_until=_instant(terms.access_until),
            refresh_until=_instant(terms.refresh_until),
            stated_until=_instant(terms.stated_until),
            renews="refresh_token" in secret,
            sealed=_sealed(store, page, b"connection", told),
        )
    )
    put(store, tx, page, secret)


def another() -> int:
    """A number that no credentials had before."""
    return secrets.randbits(62)


def put(store: Store, tx: Tx, page: Page, secret: Mapping[str, str]) -> None:
    """Seal credentials and nothing else."""
    sealed = _sealed(store, page, b"credentials", dict(secret))
    tx.execute(update(pages).where(pages.c.key == page.key).values(sealed_secret=sealed))


def forget(tx: Tx, page: Page) -> None:
    """Destroy a page's credentials and what is known of them; links that were sent out end too.

    The verb that writes the entry is `pages.forget`.
    """
    _clear(tx, page)
    links = select(connect_links.c.digest).where(connect_links.c.page == page.key)
    tx.execute(delete(connect_visits).where(connect_visits.c.link.in_(links)))
    tx.execute(delete(connect_links).where(connect_links.c.page == page.key))
    tx.execute(update(pages).where(pages.c.key == page.key).values(sealed_secret=None))


def _clear(tx: Tx, page: Page) -> None:
    tx.execute(delete(renewals).where(renewals.c.page == page.key))
    tx.execute(delete(connections).where(connections.c.page == page.key))


# -- reading -----------------------------------------------------------------------------------------------


def held(store: Store, tx: Tx, page: Page, *, lock: bool = False) -> Held | None:
    """The credentials as they stand, for whoever signs in with them; None where the page is not connected.

    `lock` keeps others from renewing or replacing them until the transaction ends.
    """
    if lock:
        # By itself: a statement that waits for a lock sees the row that it waited for, and the others as they were.
        tx.execute(select(connections.c.page).where(connections.c.page == page.key).with_for_update())
    asked = (
        select(
            pages.c.sealed_secret,
            connections.c.number,
            connections.c.renewed_at,
            connections.c.access_until,
        )
        .join(connections, connections.c.page == pages.c.key)
        .where(pages.c.key == page.key)
    )
    row = tx.execute(asked).one_or_none()
    if row is None or row.sealed_secret is None:
        return None
    return Held(
        _opened(store, page, b"credentials", row.sealed_secret),
        row.number,
        from_instant(row.renewed_at),
        _moment(row.access_until),
    )


def connection(store: Store, tx: Tx, page: Page) -> Connection | None:
    """What may be said of a page's credentials, or None where it is not connected."""
    row = tx.execute(select(connections).where(connections.c.page == page.key)).one_or_none()
    if row is None:
        return None
    told = beside(store, page, row.sealed)
    return Connection(
        how=row.how,
        since=from_instant(row.since),
        officer=UUID(bytes=bytes(row.officer)) if row.officer else None,
        manager=told.get("manager", ""),
        owner=told.get("owner"),
        scopes=tuple(told.get("scopes", ())),
        until=min((moment for _, moment in _ends(row)), default=None),
        renewed_at=from_instant(row.renewed_at),
    )


def owner(store: Store, tx: Tx, page: Page) -> str | None:
    """Whose credentials the page is captured with, as the platform names them; None where that is not known."""
    found = connection(store, tx, page)
    return None if found is None else found.owner


def set_owner(store: Store, tx: Tx, page: Page, name: str) -> None:
    """Remember whose credentials they are, as a check was told."""
    row = tx.execute(select(connections.c.sealed).where(connections.c.page == page.key)).one_or_none()
    if row is not None:
        told = {**beside(store, page, row.sealed), "owner": name}
        sealed = _sealed(store, page, b"connection", told)
        tx.execute(update(connections).where(connections.c.page == page.key).values(sealed=sealed))


def set_end(tx: Tx, page: Page, until: datetime) -> None:
    """Remember the end that an officer stated."""
    tx.execute(
        update(connections).where(connections.c.page == page.key).values(stated_until=to_instant(until))
    )


def ending(tx: Tx, now: datetime, within: timedelta = WARNED) -> list[Ending]:
    """The pages whose credentials end within so long, or ended already, the soonest first.

    An access token that renews itself is nobody's business; what counts is
    the refresh token behind it, and any end that an officer stated.
    """
    asked = select(connections, pages.c.id, pages.c.name, pages.c.platform).join(
        pages, pages.c.key == connections.c.page
    )
    found = []
    for row in tx.execute(asked):
        what, on = min(_ends(row), key=lambda end: end[1], default=("", None))
        if on is not None and on <= now + within:
            found.append(
                Ending(page=UUID(bytes=bytes(row.id)), name=row.name, platform=row.platform, what=what, on=on)
            )
    return sorted(found, key=lambda end: end.on)


def beside(store: Store, page: Page, sealed: bytes) -> dict[str, Any]:
    """What is sealed of a connection; nothing where it was made before there was anything to seal."""
    return _opened(store, page, b"connection", sealed) if sealed else {}


def _ends(row: Any) -> list[tuple[str, datetime]]:
    token = row.refresh_until if row.renews else row.access_until
    ends = (("permission" if row.renews else "token", token), ("password or token", row.stated_until))
    return [(what, from_instant(end)) for what, end in ends if end is not None]


# -- in the hands of the connector -------------------------------------------------------------------------


AGAIN = 2
"""So often in a run credentials are renewed because they were refused: they may have ended before it, and may end in it."""


class Living(Mapping[str, str]):
    """Credentials that are renewed while a run lasts; the connector reads each value anew when it needs it.

    Once awake, reading the access token renews it first where it is about to
    end. What is new is told to the evidence client before the connector sees
    it. Nothing of it shows in a message or a traceback.
    """

    def __init__(self, standing: Held, renew: Callable[[Held], Held], now: Callable[[], datetime]) -> None:
        self._held, self._renew, self._now = standing, renew, now
        self._tell: Callable[[str, str], None] | None = None
        self._lock = threading.RLock()
        self._asked_again = 0
        self._refused: AccessRevoked | None = None

    def wake(self, tell: Callable[[str, str], None]) -> None:
        """From now on renew what ends, and tell of each new value: `EvidenceClient.keep_secret`."""
        self._tell = tell

    def standing(self) -> dict[str, str]:
        """Every value as it stands, without renewing any."""
        return dict(self._held.secret)

    def again(self) -> bool:
        """Renew although nothing is known to have ended, `AGAIN` times a run; say whether there are other credentials now."""
        with self._lock:
            if self._asked_again == AGAIN:
                return False
            self._asked_again += 1
            if self._refused is not None:
                return False  # what was refused once is not shown to the platform again
            before = self._held.number
            self._take(self._renewed())
            return self._held.number != before

    def __getitem__(self, name: str) -> str:
        if name == "access_token" and self._tell is not None:
            self._refresh()
        return self._held.secret[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held.secret)

    def __len__(self) -> int:
        return len(self._held.secret)

    def __repr__(self) -> str:
        return f"Living({', '.join(sorted(self._held.secret))})"

    def _refresh(self) -> None:
        with self._lock:
            if not self._held.due(self._now()):
                return
            if self._refused is not None:
                raise self._refused
            try:
                self._take(self._renewed())
            except TryAgainLater:
                if self._held.access_until is not None and self._now() >= self._held.access_until:
                    raise  # until then, what we have still opens the door

    def _renewed(self) -> Held:
        try:
            return self._renew(self._held)
        except AccessRevoked as refused:
            self._refused = refused
            raise

    def _take(self, now_held: Held) -> None:
        if self._tell is not None and now_held.number != self._held.number:
            for name, value in now_held.secret.items():
                self._tell(name, value)
        self._held = now_held


def renewed(secret: Mapping[str, str] | None) -> bool:
    """After an `AccessRevoked` in a run: whether there are other credentials now, so that observing may go on.

    True at most `AGAIN` times a run. Raises `AccessRevoked` with the remedy where the
    platform refuses, the page then being marked as disconnected already, and
    `TryAgainLater` where nobody knows.
    """
    return isinstance(secret, Living) and secret.again()


def _sealed(store: Store, page: Page, context: bytes, told: Mapping[str, Any]) -> bytes:
    return seal(store.keyring.secret(page.id.bytes), context, json.dumps(dict(told)).encode())


def _opened(store: Store, page: Page, context: bytes, sealed: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(unseal(store.keyring.secret(page.id.bytes), context, bytes(sealed)))
    return found


def _instant(moment: datetime | None) -> int | None:
    return None if moment is None else to_instant(moment)


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else from_instant(instant)
