"""The registry held against the ledger: what rows say of the agency and its pages is what was done, act by act."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import select

from app.db import Tx
from app.store.accounts import ALTERED, MISSING, Wrong
from app.store.ledger import DISPOSED_WITH, act_words
from app.store.store import Store, unaltered
from app.store.tables import acts, archive, entries, pages

_PART = 500
_NEW: Mapping[str, object] = {
    "purpose": "",
    "scope": "",
    "audiences": "[]",
    "official_site": "",
    "review_on": None,
    "policy": "",
    "approved": False,
    "approved_until": None,
    "status": "active",
    "pace": "{}",
}
"""What the row of a page says where nobody said otherwise."""
_STANDS = {"paused": "paused", "removed": "removed", "resumed": "active", "disconnected": "disconnected"}


def wrong(store: Store) -> Wrong:
    """Whatever the registry says that nobody wrote there, or no longer says although somebody did."""
    with store.database.read() as tx:
        if not unaltered(tx, store.lookup):
            yield ALTERED, "what is written of the agency is not what was written there", "archive"
        said = _Said()
        for act in _acts(store, tx):
            said.take(act)
        for name, value in said.facts.items():
            if tx.execute(select(archive.c.value).where(archive.c.name == name)).scalar() != value:
                yield ALTERED, f"who or what is the {name} is not what was written down last", "archive"
        for row in tx.execute(select(pages).order_by(pages.c.key)):
            yield from _page(row, said)


def _page(row: Any, said: _Said) -> Wrong:
    identity = bytes(row.id)
    where = f"page {identity.hex()}"
    told = said.pages.get(identity)
    if told is None:
        yield MISSING, "no entry put the page into the registry", where
        return
    if identity in said.untold:
        return  # some of what was done went with a record that it named
    differing = [name for name, value in told.items() if _stands(row, name) != value]
    if differing:
        yield ALTERED, f"the registry and the ledger differ in: {', '.join(differing)}", where


def _stands(row: Any, name: str) -> object:
    if name == "options":
        try:
            return json.loads(row.options)
        except ValueError:
            return row.options  # altered: no options are a text
    if name == "connected":
        return row.sealed_secret is not None
    return getattr(row, name)


class _Said:
    """What was said of the agency and of each page, the newest word of each last."""

    def __init__(self) -> None:
        self.pages: dict[bytes, dict[str, object]] = {}
        self.untold: set[bytes] = set()
        self.facts: dict[str, str] = {}

    def take(self, act: Mapping[str, Any]) -> None:
        detail = act["detail"]
        match act["type"], act.get("act"):
            case "policy", "used":
                self.facts["policy"] = "" if detail["policy"] == "none" else detail["policy"]
            case "policy", "chief-named":
                self.facts["chief"] = detail["chief"]
            case "page", str(what) if "page" in act:
                self._page(bytes.fromhex(act["page"]), what, detail, untold=act["why"] == DISPOSED_WITH)
            case _:
                pass

    def _page(self, page: bytes, act: str, detail: Mapping[str, Any], *, untold: bool) -> None:
        if untold:
            self.untold.add(page)
            self.pages.setdefault(page, {})
            return
        told = self.pages.setdefault(page, {})
        match act:
            case "added":
                told |= {**_NEW, "connected": False, **detail}
            case "changed":
                told |= detail["changed"]
            case "approved":
                told |= {"approved": True, "approved_until": detail.get("until")}
            case "approval-withdrawn":
                told |= {"approved": False, "approved_until": None}
            case "connected":
                told["connected"] = True
                if told.get("status") not in ("paused", "removed"):
                    told["status"] = "active"
            case "forgotten":
                told["connected"] = False
            case "paced" if "set" in detail:
                told["pace"] = detail["set"]["pace"]
            case "paced":
                told.pop("pace", None)  # written before the entry told how
            case _ if act in _STANDS:
                told["status"] = _STANDS[act]
            case _:
                pass  # what else was done to a page changes nothing that its row says


def _acts(store: Store, tx: Tx) -> Iterator[Mapping[str, Any]]:
    """What was done to pages and decided of the agency, the oldest first."""
    asked = (
        select(acts.c.entry, acts.c.secret, acts.c.sealed, entries.c.body)
        .join(entries, entries.c.index == acts.c.entry)
        .where(acts.c.type.in_(("page", "policy")))
        .order_by(acts.c.entry)
    )
    for part in tx.execution_options(yield_per=_PART).execute(asked).partitions(_PART):
        for row, words in zip(part, act_words(store.keyring, tx, part), strict=True):
            yield {**msgspec.json.decode(bytes(row.body)), **words}
