"""The registry of pages: what the agency keeps on which platform, who answers for it, and how it is reached."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app.capture import credentials as credentials_of
from app.capture.credentials import Terms
from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.records.errors import Invalid, NotFound, Refused
from app.records.ids import new_ids
from app.records.nouns import Page
from app.store.ledger import Deed
from app.store.sealing import new_secret
from app.store.store import Store
from app.store.tables import pages

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


def connect(
    store: Store,
    tx: Tx,
    page: Page,
    secret: Mapping[str, str],
    *,
    by: UUID | None,
    why: str,
    terms: Terms | None = None,
) -> Page:
    """Seal the credentials of a page; they are never shown again.

    `by` is the officer who gives them; None where the page's manager did over
    a link, whom `terms` then name.
    """
    terms = terms or Terms()
    lock_ledger(tx)  # before any row, as everybody does, so that two of them never wait for each other
    credentials_of.keep(store, tx, page, credentials_of.checked(secret), terms, officer=by)
    if page.status != PAUSED:
        tx.execute(update(pages).where(pages.c.key == page.key).values(status=ACTIVE))
    detail = {
        "name": page.name,
        "how": terms.how,
        "scopes": list(terms.scopes),
        **({"manager": terms.manager} if terms.manager else {}),
        **({"until": terms.stated_until.isoformat()} if terms.stated_until else {}),
    }
    return _noted(store, tx, page, "connected", detail, by=by, why=why)


def forget(store: Store, tx: Tx, page: Page, *, by: UUID, why: str) -> Page:
    """Destroy the credentials of a page; from then on only what the public sees is captured."""
    if not page.connected:
        raise Refused(f"{page.name} is not connected")
    lock_ledger(tx)
    credentials_of.forget(tx, page)
    return _noted(store, tx, page, "forgotten", {"name": page.name}, by=by, why=why)


def state_end(store: Store, tx: Tx, page: Page, until: datetime, *, by: UUID, why: str) -> Page:
    """Write down when the credentials of a page end, where an officer knows it and the platform does not say."""
    if not page.connected:
        raise Refused(f"{page.name} is not connected")
    lock_ledger(tx)
    credentials_of.set_end(tx, page, until)
    detail = {"name": page.name, "until": until.isoformat()}
    return _noted(store, tx, page, "end-stated", detail, by=by, why=why)


def disconnect(store: Store, tx: Tx, page: Page, *, by: UUID | None, why: str) -> Page:
    """Write down that the platform no longer accepts the page's credentials, unless that is known already."""
    now = get(tx, page.id.hex)
    if now.status != ACTIVE:
        return now
    return change(store, tx, page, "disconnected", by=by, why=why, status=DISCONNECTED)


def credentials(store: Store, tx: Tx, page: Page) -> dict[str, str] | None:
    """What the connector signs in with, or None."""
    held = credentials_of.held(store, tx, page)
    return None if held is None else dict(held.secret)


def _noted(
    store: Store, tx: Tx, page: Page, act: str, detail: Mapping[str, object], *, by: UUID | None, why: str
) -> Page:
    store.ledger.act(
        tx, "page", by=by, why=why, facts={"page": page.id.hex, "act": act}, detail=detail, subject=page.id
    )
    return get(tx, page.id.hex)


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
