"""Choosing a new password without the old one, by a link that works once and for half an hour."""

from __future__ import annotations

from datetime import timedelta

from app.db import Tx
from app.db.database import lock_ledger
from app.officers import passes
from app.officers.accounts import MARK, acceptable, mark, renew_password, write
from app.officers.letters import reset_letter
from app.officers.mail import Mailer, MailNotSent, NoMail
from app.officers.passes import Kind
from app.officers.people import officer_of, require, row_of
from app.officers.signing import PER_ACCOUNT
from app.officers.tries import Limit, count, forgive, neighbourhood, wait
from app.records.errors import Refused
from app.records.nouns import Officer, Role
from app.store import access
from app.store.store import Store

RESET_LASTS = timedelta(minutes=30)
PER_ACCOUNT_AN_HOUR = Limit("reset/account", 3, timedelta(hours=1))
PER_ADDRESS_AN_HOUR = Limit("reset/address", 20, timedelta(hours=1))

RESET_ANSWER = (
    "If an account in use has this e-mail, a link is on its way to it. The link works once, for 30 minutes."
)
"""What everybody is told who asks for a reset."""


class ResetSpent(Refused):
    """The reset link was used, has run out, or was never made."""

    code = "reset-spent"


class AccountNotInUse(Refused):
    """Its holder never came in, or was shut out: there is no password to replace."""

    code = "account-not-in-use"


def ask_reset(
    store: Store, tx: Tx, mailer: Mailer, email: str, *, base_url: str, address: str | None = None
) -> str:
    """Mail a reset link to the account of `email`, if there is one; the answer is always the same.

    More than three an hour for an account, or twenty from an address, are
    not sent, and that is not said either. `mailer` MUST be an `Outbox` where
    strangers may ask: waiting for the mail server would tell them that there
    is an account. `base_url` MUST be the operator's setting. Where no mail
    server is set up, everybody gets `MailNotSent`.
    """
    if isinstance(mailer, NoMail):
        raise MailNotSent("no mail server is set up", next="Ask an administrator for a reset link.")
    limited = [(PER_ACCOUNT_AN_HOUR, email.strip().lower())]
    if address:
        limited.append((PER_ADDRESS_AN_HOUR, neighbourhood(address)))
    if any(wait(store, tx, limit, who) for limit, who in limited):
        return RESET_ANSWER
    for limit, who in limited:
        count(store, tx, limit, who)
    row = row_of(tx, email)
    officer = officer_of(row) if row and row.active and row.password else None
    account = officer.id.hex if officer else None
    access.note(store, tx, "reset-asked", by=None, detail={"account": account, "address": address})
    if officer:
        _send(store, tx, mailer, officer, base_url)
    return RESET_ANSWER


def make_reset(store: Store, tx: Tx, officer: Officer, *, by: Officer, why: str) -> str:
    """Make a reset link's secret for an administrator to hand over; it is shown once.

    Whoever holds it can take the account, the administrator included: the
    entry in the ledger says who made it.
    """
    require(by, Role.ADMINISTRATOR)
    lock_ledger(tx)
    row = row_of(tx, officer.email)
    if row is None or not row.active or not row.password:
        raise AccountNotInUse(f"{officer.email} has no password to replace", next="Invite them again.")
    made = passes.make(store, tx, Kind.RESET, officer, lasts=RESET_LASTS)
    write(store, tx, "reset-made", officer, by=by, why=why, detail={})
    return made.secret


def reset(store: Store, tx: Tx, secret: str, password: str) -> Officer:
    """Choose a new password with a reset link; works once, ends every session and other link, and forgives failed tries.

    Tokens of the command line stay; their holder revokes them.
    """
    found = passes.find(store, tx, Kind.RESET, secret)
    if found is None or found.used_at is not None:
        raise _spent()
    kept = acceptable(store, found.officer, password)
    lock_ledger(tx)
    if not passes.spend(store, tx, Kind.RESET, secret):
        raise _spent()
    renew_password(tx, found.officer, kept)
    forgive(store, tx, PER_ACCOUNT, found.officer.email)
    detail = {MARK: mark(store, found.officer, kept)}
    write(
        store, tx, "password-reset", found.officer, by=found.officer, why="opened a reset link", detail=detail
    )
    return found.officer


def _send(store: Store, tx: Tx, mailer: Mailer, officer: Officer, base_url: str) -> None:
    made = passes.make(store, tx, Kind.RESET, officer, lasts=RESET_LASTS)
    assert made.until is not None
    letter = reset_letter(store.agency, officer, made.secret, made.until, base_url=base_url)
    try:
        mailer.send(letter.to, letter.subject, letter.text)
    except MailNotSent as error:
        access.note(store, tx, "reset-unsent", by=None, detail={"account": officer.id.hex, "why": str(error)})


def _spent() -> ResetSpent:
    return ResetSpent("this link was used, has run out, or was never made", next="Ask for a new one.")
