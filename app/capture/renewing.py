"""Renewing access tokens, so that a refresh token that works once is neither used twice nor lost in a crash.

The order makes it safe:

1. *Intend*: one transaction takes the page's renewal for this process and
   writes down, sealed, which refresh token is about to be used.
2. *Use*: the platform is asked, outside of any transaction.
3. *Store*: the answer is sealed and committed as it came, before it is read.
4. *Apply*: one transaction puts the new credentials in place of the old ones
   and closes the renewal.

A process that dies after 3 loses nothing: whoever comes next applies the
answer. One that dies between 1 and 3 leaves an open intent, and nobody knows
whether the token was used. It is then tried once more: a server with a grace
period accepts it, and so does one that was never asked. Where it is refused,
the page is disconnected, with the remedy in words.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, insert, select, update

from app.capture import credentials, lease, pages
from app.capture.credentials import Held
from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.records.errors import ArchiveError, Unavailable
from app.records.nouns import Page
from app.store.sealing import seal, unseal
from app.store.store import Store
from app.store.tables import connections, renewals
from connectors import oauth2
from connectors.contract import OAuth2
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.oauth2 import Application, Tokens
from connectors.tokens import Asks

LASTS = timedelta(minutes=10)
"""How long a renewal belongs to a process; asking is cut long before."""
_PAUSE = timedelta(seconds=1)
_MOST_PAUSES = 90
_TRIES_TO_STORE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewing:
    """Renews the credentials of one page. `known` gives the application that the operator named, if any."""

    store: Store
    page: Page
    sign_in: OAuth2
    asks: Asks
    wait: Callable[[timedelta], None]
    known: Application | None = None
    point: Callable[[str], None] = field(default=lambda _name: None)

    def __call__(self, before: Held) -> Held:
        """Other credentials than `before`: those that somebody else renewed meanwhile, or new ones.

        Where there is nothing to renew with, `before` itself. Raises
        `AccessRevoked` where the platform refuses, `TryAgainLater` where it
        cannot be reached, `UnexpectedResponse` where the application is refused.
        """
        for _ in range(_MOST_PAUSES):
            match self._intend(before):
                case Held() as held:
                    return held
                case _Intent() as intent:
                    return self._use(intent)
                case None:
                    self.wait(_PAUSE)
        raise TryAgainLater(f"Another process is renewing the access token of {self.page.name}.")

    # 1. Intend.

    def _intend(self, before: Held) -> Held | _Intent | None:
        """The right to renew, or credentials that need no renewing, or None where another process is at it."""
        store, now = self.store, self.store.clock.now()
        with store.database.begin() as tx:
            held = credentials.held(store, tx, self.page, lock=True)
            if held is None:
                raise AccessRevoked(f"The credentials of {self.page.name} were taken back. {self._remedy()}")
            if held.number != before.number or "refresh_token" not in held.secret:
                return held
            open_ = tx.execute(select(renewals).where(renewals.c.page == self.page.key)).one_or_none()
            if open_ is not None and open_.number == held.number:
                if open_.sealed_answer is not None:
                    return self._apply(tx, held, bytes(open_.sealed_answer))
                if (
                    open_.owner is not None
                    and from_instant(open_.until) >= now
                    and not lease.died(open_.owner)
                ):
                    return None
                intended = self._unsealed(b"renewal", open_.sealed)
                intent = _Intent(f"{lease.owner()}/{uuid4().hex[:8]}", held, intended, again=True)
                tx.execute(
                    update(renewals)
                    .where(renewals.c.page == self.page.key)
                    .values(owner=intent.owner, until=to_instant(now + LASTS))
                )
                return intent
            intent = _Intent(f"{lease.owner()}/{uuid4().hex[:8]}", held, held.secret["refresh_token"])
            tx.execute(delete(renewals).where(renewals.c.page == self.page.key))
            tx.execute(
                insert(renewals).values(
                    page=self.page.key,
                    number=held.number,
                    begun_at=to_instant(now),
                    owner=intent.owner,
                    until=to_instant(now + LASTS),
                    sealed=self._seal(b"renewal", intent.token),
                )
            )
            return intent

    # 2. Use.

    def _use(self, intent: _Intent) -> Held:
        self.point("before-use")
        application = self._application(intent.held)
        how = application.authenticate or self._how()
        asked = oauth2.with_refresh(application, self.sign_in, intent.token, how=how)
        try:
            answer = self.asks.ask(
                oauth2.at(self.sign_in.refresh_at or self.sign_in.token_at, self.page.address),
                asked.form,
                asked.headers,
            )
        except Exception:
            self._give_back(intent)  # whether the token was used is unknown: the intent stays open
            raise
        self.point("after-answer")
        if 200 <= answer.status < 300:
            self._store(intent, answer.body)
            self.point("after-commit")
        try:
            oauth2.read_tokens(answer.status, answer.body, self.store.clock.now())
        except oauth2.TokenRefused as refusal:  # some say so with a status of success
            return self._refused(intent, refusal)
        except oauth2.BadAnswer:
            pass  # what was stored and cannot be read is dropped when it is applied
        held = self._applied(intent)
        self.point("after-renewal")
        return held

    # 3. Store.

    def _store(self, intent: _Intent, body: bytes) -> None:
        """Commit the answer as it came. It is all there is: a busy or full database is tried again."""
        told = {"at": to_instant(self.store.clock.now()), "body": b64encode(body).decode()}
        sealed = self._seal(b"answer", json.dumps(told))
        for left in reversed(range(_TRIES_TO_STORE)):
            try:
                with self.store.database.begin() as tx:
                    tx.execute(
                        update(renewals)
                        .where(
                            renewals.c.page == self.page.key,
                            renewals.c.number == intent.held.number,
                            renewals.c.sealed_answer.is_(None),
                        )
                        .values(sealed_answer=sealed)
                    )
                    self.point("before-commit")
            except Unavailable:
                if not left:
                    raise
                self.wait(_PAUSE)
            else:
                return

    # 4. Apply.

    def _applied(self, intent: _Intent) -> Held:
        """Put what was stored in place; where the page was connected anew meanwhile, that counts."""
        with self.store.database.begin() as tx:
            held = credentials.held(self.store, tx, self.page, lock=True)
            if held is None:
                raise AccessRevoked(f"The credentials of {self.page.name} were taken back. {self._remedy()}")
            answer = tx.execute(
                select(renewals.c.sealed_answer).where(
                    renewals.c.page == self.page.key, renewals.c.number == intent.held.number
                )
            ).scalar()
            if held.number != intent.held.number or answer is None:
                return held
            applied = self._apply(tx, held, bytes(answer))
        if applied.number == intent.held.number:
            raise UnexpectedResponse(
                f"{self.page.platform} answered the renewal of {self.page.name} with something else than a token; "
                "it is tried again at the next run."
            )
        return applied

    def _apply(self, tx: Tx, held: Held, sealed: bytes) -> Held:
        """The credentials that an answer brings, in place of those held; an answer that brings none is dropped."""
        told = json.loads(self._unsealed(b"answer", sealed))
        tx.execute(delete(renewals).where(renewals.c.page == self.page.key))
        at = from_instant(told["at"])
        try:
            tokens = oauth2.read_tokens(200, b64decode(told["body"]), at)
        except (oauth2.TokenRefused, oauth2.BadAnswer):
            return held
        return self._put(tx, held, tokens, at)

    def _put(self, tx: Tx, held: Held, tokens: Tokens, at: datetime) -> Held:
        secret = dict(held.secret) | {"access_token": tokens.access_token}
        if tokens.refresh_token:
            secret["refresh_token"] = tokens.refresh_token
        number = credentials.another()
        values: dict[str, object] = {"number": number, "renewed_at": to_instant(at)}
        values["access_until"] = to_instant(tokens.access_until) if tokens.access_until else None
        if tokens.refresh_until:
            values["refresh_until"] = to_instant(tokens.refresh_until)
        tx.execute(update(connections).where(connections.c.page == self.page.key).values(**values))
        credentials.put(self.store, tx, self.page, secret)
        return Held(secret, number, at, tokens.access_until)

    # What a refusal means.

    def _refused(self, intent: _Intent, refusal: oauth2.TokenRefused) -> Held:
        if refusal.of_the_operator:
            self._give_back(intent)
            raise UnexpectedResponse(
                f"{self.page.platform} does not accept the application itself ({refusal.error}), so the access token "
                f"of {self.page.name} cannot be renewed. Correct its id and secret in MUNIMENT_APPS_FILE."
            )
        if refusal.passing:
            self._give_back(intent)
            raise TryAgainLater(f"{self.page.platform} cannot renew tokens at the moment ({refusal.error}).")
        lost = (
            "a renewal was broken off, and the refresh token is not accepted a second time"
            if intent.again
            else "it no longer accepts our permission"
        )
        why = f"{self.page.platform} does not renew the access token ({refusal.error}): {lost}. {self._remedy()}"
        with self.store.database.begin() as tx:
            lock_ledger(tx)
            held = credentials.held(self.store, tx, self.page, lock=True)
            if held is not None and held.number != intent.held.number:
                return held  # somebody connected the page while we asked
            tx.execute(delete(renewals).where(renewals.c.page == self.page.key))
            pages.disconnect(self.store, tx, self.page, by=None, why=why)
        raise AccessRevoked(why)

    def _remedy(self) -> str:
        return f"Connect {self.page.name} again: `muniment page connect {self.page.id} --invite EMAIL`."

    def _give_back(self, intent: _Intent) -> None:
        """Let others try; the intent stays."""
        mine = (renewals.c.page == self.page.key) & (renewals.c.owner == intent.owner)
        with self.store.database.begin() as tx:
            tx.execute(update(renewals).where(mine).values(owner=None))

    def _application(self, held: Held) -> Application:
        """The application that the refresh token belongs to; its secret as the operator has it now."""
        name = held.secret.get("client_id", "")
        if self.known is not None and self.known.id == name:
            return self.known
        return Application(name, held.secret.get("client_secret", ""))

    def _how(self) -> str:
        with self.store.database.read() as tx:
            row = tx.execute(
                select(connections.c.sealed).where(connections.c.page == self.page.key)
            ).scalar_one()
        return str(credentials.beside(self.store, self.page, row).get("authenticate") or oauth2.BODY)

    def _seal(self, context: bytes, text: str) -> bytes:
        return seal(self.store.keyring.secret(self.page.id.bytes), context, text.encode())

    def _unsealed(self, context: bytes, sealed: bytes) -> str:
        return unseal(self.store.keyring.secret(self.page.id.bytes), context, bytes(sealed)).decode()


@dataclass(frozen=True, slots=True)
class _Intent:
    """The right to use a refresh token; `again` where somebody before us may have used it."""

    owner: str
    held: Held
    token: str = field(repr=False)
    again: bool = False


def finish_all(store: Store, renewing: Callable[[Page], Renewing | None]) -> list[Page]:
    """Finish the renewals that a crash left open; return the pages for which that could not be done."""
    with store.database.read() as tx:
        keys = set(tx.execute(select(renewals.c.page)).scalars())
        left = [page for page in pages.listed(tx) if page.key in keys]
    unfinished = []
    for page in left:
        ours = renewing(page)
        with store.database.read() as tx:
            held = credentials.held(store, tx, page)
        try:
            if ours is not None and held is not None:
                ours(held)
        except (AccessRevoked, TryAgainLater, UnexpectedResponse, ArchiveError):
            unfinished.append(page)
    return unfinished
