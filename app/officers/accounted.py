"""Accounts and tokens held against the acts that made them: what fixity asks of this room.

Whoever has the machine could write themselves a role, or a token for somebody
else's, into the database. Both are found: an account has the roles that its
acts gave it, and a token is one that its holder was given. A password is not
held against anything: it is kept anew whenever its parameters change, and with
another one somebody acts under an account whose acts they will be.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from app.db import Tx
from app.officers import passes
from app.officers.passes import Kind
from app.store.accounts import ALTERED, Wrong
from app.store.hearing import NOT_DONE, Heard, compared, heard, whole
from app.store.store import Store
from app.store.tables import officers as table

LOOK = "people"
"""What fixity calls this look."""


def wrong(store: Store) -> Wrong:
    """Whatever accounts and tokens say that nobody did, or accounts no longer say although somebody did."""
    said = _Said()
    with store.database.read() as tx:
        for act in heard(store, tx, "user"):
            said.take(act)
        rows = tx.execute(select(table).order_by(table.c.key))
        yield from compared(
            rows,
            said.accounts,
            key=lambda row: bytes(row.id),
            where=whole,
            missing=lambda one: bytes(one).hex(),
        )
        yield from _tokens(tx, said)


@dataclass(slots=True)
class _Said:
    """What was done, as the rows should have it."""

    accounts: dict[bytes, dict[str, object]] = field(default_factory=dict)
    tokens: dict[str, bytes] = field(default_factory=dict)
    """The holder of each token that was issued and not revoked."""

    def take(self, act: Heard) -> None:
        holder, detail = bytes.fromhex(act.facts["user"]), act.detail
        match act.act:
            case "added" | "added-again":
                self.accounts[holder] = {
                    "email": detail["email"],
                    # The first account comes without a name; what is named there is its token.
                    "name": "" if "token" in detail else detail["name"],
                    "roles": " ".join(detail["roles"]),
                    "active": True,
                }
                self._ended(holder)
            case "roles-changed":
                self.accounts[holder]["roles"] = " ".join(detail["after"])
            case "deactivated":
                self.accounts[holder]["active"] = False
                self._ended(holder)
            case _:
                pass
        if "token" in detail:
            self.tokens[str(detail["token"])] = holder
        if "revoked" in detail:
            self.tokens.pop(str(detail["revoked"]), None)

    def _ended(self, holder: bytes) -> None:
        self.tokens = {one: whose for one, whose in self.tokens.items() if whose != holder}


def _tokens(tx: Tx, said: _Said) -> Wrong:
    """A token that is not there harms nobody: it has run out, or its holder asks for another one."""
    for identity, holder in passes.holders(tx, Kind.TOKEN):
        if said.tokens.get(identity) != holder:
            yield ALTERED, NOT_DONE, f"token {identity}"
