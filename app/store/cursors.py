"""Cursors: where capture goes on, sealed under a secret that goes with every disposal on the page.

A connector's cursor may name an item by its native id. So it is not sealed
under the page's own secret, which lives as long as the page, but under one
that destruction destroys and that the next batch makes anew: no older copy of
the database shows what it named.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from app.store.ledger import keyed
from app.store.sealing import SealBroken, new_secret, seal, unseal
from app.store.store import Store


def owner(store: Store, page: bytes) -> bytes:
    """The keyring's name for the secret of a page's cursors: nobody can tell from it which page it is."""
    return keyed(store.lookup, b"cursors", page)


def sealed(store: Store, page: bytes, label: bytes, cursor: str) -> bytes:
    """A cursor as it is kept."""
    return seal(_secret(store, owner(store, page)), label, cursor.encode())


def opened(store: Store, page: bytes, label: bytes, kept: bytes) -> str | None:
    """A cursor as the connector gave it; None where its secret was destroyed since: capture then begins anew."""
    whose = owner(store, page)
    secrets = store.keyring.secrets([whose, page])
    for one in (whose, page):  # what was sealed before there were secrets for cursors is under the page's
        if one in secrets:
            try:
                return unseal(secrets[one], label, kept).decode()
            except SealBroken:
                continue
    return None


def _secret(store: Store, whose: bytes) -> bytes:
    """The secret of a page's cursors, made where a disposal left none."""
    held = store.keyring.secrets([whose])
    if whose not in held:
        with suppress(IntegrityError):  # another process made it at this very moment
            store.keyring.keep({whose: new_secret()})
        held = store.keyring.secrets([whose])
    return held[whose]
