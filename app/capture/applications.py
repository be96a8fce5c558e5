"""The applications by which platforms know this archive: those that the operator registered, those that servers did.

The operator's stand in a file of their own (`MUNIMENT_APPS_FILE`), one table
for each connector, read anew each time that one is needed:

    [x]
    client_id = "…"
    client_secret = "…"

Servers that register without asking a person (Mastodon) are asked once, and
their answer is sealed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from app.db import to_instant
from app.records.errors import Refused
from app.settings import BadSetting
from app.store.sealing import seal, unseal
from app.store.store import Store
from app.store.tables import applications
from connectors import oauth2
from connectors.oauth2 import Application
from connectors.secrets import SHORTEST
from connectors.tokens import Asks

_KEY = "connect/applications"
_KNOWN = frozenset({"client_id", "client_secret", "authenticate", "issuer"})


class NoApplication(Refused):
    """The platform knows no application of this archive, so that nobody can permit it anything."""

    code = "no-application"


def read(file: Path | None) -> Mapping[str, Application]:
    """The operator's applications by connector; `BadSetting` says what is wrong, never what stands in the file."""
    if file is None:
        return {}
    try:
        text = file.read_text()
        told = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except OSError as error:
        raise BadSetting(
            f"MUNIMENT_APPS_FILE {file} cannot be read: {error.strerror}",
            next="Name a file that the service may read.",
        ) from None
    except ValueError:
        raise _unreadable(file, "it is neither TOML nor JSON") from None
    return {name: _application(file, name, table) for name, table in told.items()}


def known(
    store: Store, connector: str, origin: str, redirect: str, scopes: Sequence[str]
) -> Application | None:
    """The application that a server registered for this archive, if it still fits what is asked for now."""
    with store.database.read() as tx:
        row = tx.execute(
            select(applications).where(applications.c.connector == connector, applications.c.origin == origin)
        ).one_or_none()
    if row is None or (row.redirect, row.scopes) != (redirect, " ".join(scopes)):
        return None
    told = json.loads(unseal(store.keyring.named(_KEY), _context(connector, origin), bytes(row.sealed)))
    return Application(told["client_id"], told["client_secret"])


def register(
    store: Store, asks: Asks, connector: str, address: str, origin: str, redirect: str, scopes: Sequence[str]
) -> Application:
    """Let a server register this archive, and seal what it answers."""
    asked = oauth2.to_register(
        f"Muniment, the archive of {store.agency.name}", redirect, scopes, redirect.partition("/connect/")[0]
    )
    answer = asks.ask(address, asked.form)
    try:
        made = oauth2.read_registration(answer.status, answer.body)
    except oauth2.BadAnswer as error:
        raise NoApplication(
            f"{origin} did not register this archive: {error}",
            next="Ask whoever runs that server, or let the operator name an application in MUNIMENT_APPS_FILE.",
        ) from None
    told = json.dumps({"client_id": made.id, "client_secret": made.secret}).encode()
    sealed = seal(store.keyring.named(_KEY), _context(connector, origin), told)
    with store.database.begin() as tx:
        tx.execute(
            delete(applications).where(applications.c.connector == connector, applications.c.origin == origin)
        )
        tx.execute(
            insert(applications).values(
                connector=connector,
                origin=origin,
                redirect=redirect,
                scopes=" ".join(scopes),
                made_at=to_instant(store.clock.now()),
                sealed=sealed,
            )
        )
    return made


def _application(file: Path, name: str, table: Any) -> Application:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise _unreadable(file, f"{name} is no table of names and texts")
    if unknown := table.keys() - _KNOWN:
        raise _unreadable(file, f"{name} knows no {', '.join(sorted(unknown))}")
    if not table.get("client_id"):
        raise _unreadable(file, f"{name} has no client_id")
    if 0 < len(table.get("client_secret", "")) < SHORTEST:
        raise _unreadable(file, f"the client_secret of {name} has fewer than {SHORTEST} characters")
    how = table.get("authenticate")
    if how not in {None, oauth2.BASIC, oauth2.BODY}:
        raise _unreadable(file, f"{name}: authenticate is basic or body")
    return Application(table["client_id"], table.get("client_secret", ""), how, table.get("issuer"))


def _unreadable(file: Path, why: str) -> BadSetting:
    return BadSetting(
        f"MUNIMENT_APPS_FILE {file} cannot be used: {why}",
        next='Write a table for each connector: [x], then client_id = "…" and client_secret = "…".',
    )


def _context(connector: str, origin: str) -> bytes:
    return f"application/{connector}/{origin}".encode()
