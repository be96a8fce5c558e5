"""The store: sealed objects, the keyring, the ledger, and what proves that they are what they were."""

from app.store.store import Store

__all__ = ["Store"]
