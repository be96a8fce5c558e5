"""Accounts and tokens held against the acts that made them: what fixity asks of this room.

Whoever has the machine could write themselves a role, or a token for somebody
else's, or a password that they know. All are found: an account has the roles
that its acts gave it, a token is one that its holder was given, and of each
password the act that set it told a mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from app.db import Tx
from app.officers import passes
from app.officers.accounts import MARK, mark
from app.officers.passes import Kind
from app.officers.people import officer_of
from app.store.accounts import ALTERED, Wrong
from app.store.hearing import NOT_AS_DONE, NOT_DONE, Heard, compared, heard, whole
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
        yield from _passwords(store, tx, said)


@dataclass(slots=True)
class _Said:
    """What was done, as the rows should have it."""

    accounts: dict[bytes, dict[str, object]] = field(default_factory=dict)
    tokens: dict[str, bytes] = field(default_factory=dict)
    """The holder of each token that was issued and not revoked."""
    passwords: dict[bytes, str | None] = field(default_factory=dict)
    """The mark of each account's password, or None where it has none. Acts of earlier versions told no marks."""

    intruded: set[bytes] = field(default_factory=set)
    """Whose account somebody came into by a password that its holder had not chosen."""

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
                self.passwords[holder] = None
                if "token" in detail:  # the first account is one that came in
                    self._chose(holder, detail)
            case "roles-changed":
                self.accounts[holder]["roles"] = " ".join(detail["after"])
            case "deactivated":
                self.accounts[holder]["active"] = False
                self._ended(holder)
                self.passwords[holder] = None
            case "accepted" | "password-set" | "password-reset":
                self._chose(holder, detail)
            case "password-kept-anew":
                if self.passwords.get(holder, detail["before"]) != detail["before"]:
                    self.intruded.add(holder)
                self._chose(holder, detail)
            case _:
                pass
        if "token" in detail:
            self.tokens[str(detail["token"])] = holder
        if "revoked" in detail:
            self.tokens.pop(str(detail["revoked"]), None)

    def _chose(self, holder: bytes, detail: Mapping[str, object]) -> None:
        self.passwords.pop(holder, None)
        if MARK in detail:
            self.passwords[holder] = str(detail[MARK])

    def _ended(self, holder: bytes) -> None:
        self.tokens = {one: whose for one, whose in self.tokens.items() if whose != holder}


def _tokens(tx: Tx, said: _Said) -> Wrong:
    """A token that is not there harms nobody: it has run out, or its holder asks for another one."""
    for identity, holder in passes.holders(tx, Kind.TOKEN):
        if said.tokens.get(identity) != holder:
            yield ALTERED, NOT_DONE, f"token {identity}"


def _passwords(store: Store, tx: Tx, said: _Said) -> Wrong:
    for identity in said.intruded:
        yield ALTERED, "somebody came in by a password that no act had set", identity.hex()
    for row in tx.execute(select(table).order_by(table.c.key)):
        identity = bytes(row.id)
        if identity not in said.passwords:
            continue
        stands = None if row.password is None else mark(store, officer_of(row), row.password)
        if stands != said.passwords[identity]:
            yield ALTERED, NOT_AS_DONE, identity.hex()
