"""The applications by which platforms know this archive: those that the operator registered, those that servers did.

The operator's stand in a file of their own (`MUNIMENT_APPS_FILE`), one table
for each connector, read anew each time that one is needed:

    [x]
    client_id = "…"
    client_secret = "…"
    webhook_token = "…"

`webhook_token` is the word that the operator entered at the platform for the
archive's door (`app/capture/hooks.py`); `webhook_secret` is another secret that
deliveries may be signed with, beside `client_secret`. A table that is for the
door alone needs no `client_id`.

Servers that register without asking a person (Mastodon) are asked once, and
their answer is sealed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
_OF_DOOR = ("webhook_token", "webhook_secret")
_KNOWN = frozenset({"client_id", "client_secret", "authenticate", "issuer", *_OF_DOOR})
_SECRETS = ("client_secret", *_OF_DOOR)


class NoApplication(Refused):
    """The platform knows no application of this archive, so that nobody can permit it anything."""

    code = "no-application"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed with a platform for the archive's door: our word, and what deliveries may be signed with."""

    word: str = field(default="", repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)


def read(file: Path | None) -> Mapping[str, Application]:
    """The operator's applications by connector; `BadSetting` says what is wrong, never what stands in the file."""
    return {
        name: _application(table) for name, table in _tables(file).items() if not _for_the_door_alone(table)
    }


def agreed(file: Path | None) -> Mapping[str, Agreed]:
    """What the same file says of doors, by connector."""
    return {
        name: Agreed(
            table.get("webhook_token", ""),
            tuple(table[one] for one in ("client_secret", "webhook_secret") if table.get(one)),
        )
        for name, table in _tables(file).items()
    }


def _for_the_door_alone(table: Mapping[str, str]) -> bool:
    return not table.get("client_id") and any(table.get(one) for one in _OF_DOOR)


def _tables(file: Path | None) -> Mapping[str, Mapping[str, str]]:
    """The tables of the file, checked."""
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
    if not isinstance(told, dict):
        raise _unreadable(file, "it holds no tables")
    return {name: _checked(file, name, table) for name, table in told.items()}


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


def _application(table: Mapping[str, str]) -> Application:
    return Application(
        table["client_id"], table.get("client_secret", ""), table.get("authenticate"), table.get("issuer")
    )


def _checked(file: Path, name: str, table: Any) -> Mapping[str, str]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise _unreadable(file, f"{name} is no table of names and texts")
    if unknown := table.keys() - _KNOWN:
        raise _unreadable(file, f"{name} knows no {', '.join(sorted(unknown))}")
    if not table.get("client_id") and not _for_the_door_alone(table):
        raise _unreadable(file, f"{name} has no client_id")
    for one in _SECRETS:
        if 0 < len(table.get(one, "")) < SHORTEST:
            raise _unreadable(file, f"the {one} of {name} has fewer than {SHORTEST} characters")
    how = table.get("authenticate")
    if how not in {None, oauth2.BASIC, oauth2.BODY}:
        raise _unreadable(file, f"{name}: authenticate is basic or body")
    return table


def _unreadable(file: Path, why: str) -> BadSetting:
    return BadSetting(
        f"MUNIMENT_APPS_FILE {file} cannot be used: {why}",
        next='Write a table for each connector: [x], then client_id = "…" and client_secret = "…".',
    )


def _context(connector: str, origin: str) -> bytes:
    return f"application/{connector}/{origin}".encode()
