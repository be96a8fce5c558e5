"""The registry of pages: what the agency keeps on which platform, who answers for it, and how it is reached."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app.db import Tx, from_instant, to_instant
from app.records.errors import Invalid, NotFound, Refused
from app.records.ids import new_ids
from app.records.nouns import Page
from app.store.ledger import Deed
from app.store.sealing import new_secret, seal, unseal
from app.store.store import Store
from app.store.tables import pages
from connectors.secrets import PUBLIC_NAMES, SHORTEST

ACTIVE, PAUSED, DISCONNECTED = "active", "paused", "disconnected"


class NoSuchPage(NotFound):
    """No page of that id or name is in the registry."""

    code = "no-such-page"


class PageExists(Refused):
    """The page is in the registry already."""

    code = "page-exists"


class BadPage(Invalid):
    """The page cannot be added as it was described."""

    code = "bad-page"


def add(
    store: Store,
    tx: Tx,
    *,
    connector: str,
    platform: str,
    address: str,
    name: str,
    by: UUID | None,
    why: str,
    custodian: str = "",
    options: Mapping[str, str] | None = None,
) -> Page:
    """Put a page into the registry, unapproved; it is captured all the same."""
    return add_each(
        store, tx, [(connector, platform, address, name, custodian, options or {})], by=by, why=why
    )[0]


def add_each(
    store: Store,
    tx: Tx,
    wanted: Sequence[tuple[str, str, str, str, str, Mapping[str, str]]],
    *,
    by: UUID | None,
    why: str,
) -> list[Page]:
    """Put several pages into the registry: connector, platform, address, name, custodian, options of each."""
    now = store.clock.now()
    rows, deeds, ids = [], [], new_ids(len(wanted))
    for identity, (connector, platform, address, name, custodian, options) in zip(ids, wanted, strict=True):
        if not name.strip() or not platform.strip():
            raise BadPage("a page has a platform and a name")
        if tx.execute(select(pages.c.key).where(pages.c.platform == platform, pages.c.name == name)).first():
            raise PageExists(
                f"{name} on {platform} is in the registry already", next="See `muniment page list`."
            )
        rows.append(
            {
                "id": identity,
                "connector": connector,
                "platform": platform,
                "address": address,
                "name": name,
                "custodian": custodian,
                "options": json.dumps(dict(options)),
                "status": ACTIVE,
                "approved": False,
                "added_at": to_instant(now),
            }
        )
        told = {
            "name": name,
            "platform": platform,
            "address": address,
            "custodian": custodian,
            "connector": connector,
            "options": dict(options),
        }
        deeds.append(
            Deed("page", by, why, {"page": identity.hex(), "act": "added"}, told, UUID(bytes=identity))
        )
    store.keyring.keep({identity: new_secret() for identity in ids})
    for row in rows:
        tx.execute(insert(pages).values(**row))
    store.ledger.act_each(tx, deeds)
    found = {page.id.bytes: page for page in listed(tx)} if len(ids) > 1 else {ids[0]: get(tx, ids[0].hex())}
    return [found[identity] for identity in ids]


def get(tx: Tx, which: str) -> Page:
    """The page of that id, or of that name where only one bears it; raises `NoSuchPage`."""
    asked = select(pages)
    try:
        found = tx.execute(asked.where(pages.c.id == UUID(which).bytes)).all()
    except ValueError:
        found = tx.execute(asked.where((pages.c.name == which) | (pages.c.address == which))).all()
    if len(found) != 1:
        raise NoSuchPage(
            f"{len(found)} pages are called {which}" if found else f"no page {which} is in the registry",
            next="See `muniment page list`, and name the page by its id.",
        )
    return page_of(found[0])


def listed(tx: Tx) -> list[Page]:
    """Every page, in the order in which they were added."""
    return [page_of(row) for row in tx.execute(select(pages).order_by(pages.c.key))]


def change(
    store: Store, tx: Tx, page: Page, act: str, *, by: UUID | None, why: str, **values: object
) -> Page:
    """Change what the registry says of a page."""
    if values:
        tx.execute(update(pages).where(pages.c.key == page.key).values(**values))
    store.ledger.act(
        tx,
        "page",
        by=by,
        why=why,
        facts={"page": page.id.hex, "act": act},
        detail={"name": page.name},
        subject=page.id,
    )
    return get(tx, page.id.hex)


def approve(store: Store, tx: Tx, page: Page, *, by: UUID, why: str) -> Page:
    """Write down that the page is approved, by whom and why."""
    return change(store, tx, page, "approved", by=by, why=why, approved=True)


def pause(store: Store, tx: Tx, page: Page, *, by: UUID, why: str) -> Page:
    """Stop capturing a page until it is resumed; the pause is a gap."""
    if page.status == PAUSED:
        raise Refused(f"{page.name} is paused already")
    return change(store, tx, page, "paused", by=by, why=why, status=PAUSED)


def resume(store: Store, tx: Tx, page: Page, *, by: UUID, why: str) -> Page:
    """Capture a page again."""
    if page.status == ACTIVE:
        raise Refused(f"{page.name} is not paused")
    return change(store, tx, page, "resumed", by=by, why=why, status=ACTIVE)


def connect(store: Store, tx: Tx, page: Page, secret: Mapping[str, str], *, by: UUID, why: str) -> Page:
    """Seal the credentials of a page; they are never shown again."""
    if not secret or not all(secret.values()):
        raise BadPage(
            "the credentials are names with values",
            next='Write JSON such as {"user": "…", "application_password": "…"}.',
        )
    short = [name for name, value in secret.items() if name not in PUBLIC_NAMES and len(value) < SHORTEST]
    if short:
        raise BadPage(
            f"{', '.join(short)} has fewer than {SHORTEST} characters, and could not be told from ordinary words",
            next="Give the credentials as the platform shows them.",
        )
    sealed = seal(store.keyring.secret(page.id.bytes), b"credentials", json.dumps(dict(secret)).encode())
    return change(store, tx, page, "connected", by=by, why=why, sealed_secret=sealed, status=ACTIVE)


def credentials(store: Store, tx: Tx, page: Page) -> dict[str, str] | None:
    """What the connector signs in with, or None."""
    sealed = tx.execute(select(pages.c.sealed_secret).where(pages.c.key == page.key)).scalar()
    if sealed is None:
        return None
    found: dict[str, str] = json.loads(
        unseal(store.keyring.secret(page.id.bytes), b"credentials", bytes(sealed))
    )
    return found


def cursor(store: Store, tx: Tx, page: Page) -> str | None:
    """Where the last committed batch ended."""
    sealed = tx.execute(select(pages.c.sealed_cursor).where(pages.c.key == page.key)).scalar()
    return (
        None
        if sealed is None
        else unseal(store.keyring.secret(page.id.bytes), b"cursor", bytes(sealed)).decode()
    )


def set_cursor(store: Store, tx: Tx, page: Page, value: str) -> None:
    """Remember where a batch ended, in the transaction that keeps it."""
    sealed = seal(store.keyring.secret(page.id.bytes), b"cursor", value.encode())
    tx.execute(update(pages).where(pages.c.key == page.key).values(sealed_cursor=sealed))


def page_of(row: Any) -> Page:
    return Page(
        key=row.key,
        id=UUID(bytes=bytes(row.id)),
        connector=row.connector,
        platform=row.platform,
        address=row.address,
        name=row.name,
        custodian=row.custodian,
        options=json.loads(row.options),
        status=row.status,
        approved=bool(row.approved),
        added_at=from_instant(row.added_at),
        connected=row.sealed_secret is not None,
    )
