"""A page whose access token runs out: at a Mastodon that asks an authorisation server which tokens open it.

Refresh tokens work once. A token ends by the clock of the archive, early where
the platform says so, and in the midst of a pass; the token endpoint cannot be
reached, fails, or answers unheard; the process is killed in the midst of a
renewal. Where the permission is lost, which only an answer that nobody heard
can do, the page's manager connects it again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select

from app.capture import credentials, pages
from app.capture.credentials import Held, Living, Terms
from app.capture.renewing import Renewing
from app.capture.runs import Report
from app.records.nouns import Page
from app.store import reading
from app.store.tables import exchanges
from connectors.connections import Connections
from connectors.contract import Client, Connector
from connectors.errors import TryAgainLater
from connectors.http import EvidenceClient
from connectors.mastodon import Mastodon
from connectors.promises import ConnectorPromises, World
from connectors.tokens import Answer, TokenClient
from tests.connectors.faults.archive import Access, Archive, Happens, Killed
from tests.connectors.faults.attempts import OF_A_RENEWAL, Attempt
from tests.connectors.worlds.authorisation_world import OAUTH2, AuthorisationWorld, Told
from tests.connectors.worlds.mastodon_world import OURS, MastodonWorld, Refused

NAME = "mastodon connected"
"""The world that is read without any trouble beside it."""

_LASTS = (30, 30, 60, 240, 7_200)
"""Seconds: a token that ends a few questions later, in the midst of a pass, about with it, or beyond the next."""
_PAGE = b"<!DOCTYPE html><html><title>Please wait</title></html>"
_UNHEARD = frozenset({"lost", "after-answer", "before-commit"})
"""The platform has used the refresh token, and nobody has written its answer down."""


class Authority(AuthorisationWorld):
    """The authorisation server, which knows what time it is at the archive."""

    now: Callable[[], datetime]

    def __init__(self, *, grace: bool, lasts: int) -> None:
        super().__init__(grace=grace, lasts=lasts)
        self.until: dict[str, datetime] = {}
        self.used_again: set[str] = set()
        """Refresh tokens that were shown once more after they had been used."""

    def permitted(self) -> dict[str, str]:
        """Somebody who manages the page permits the archive to read it."""
        client, secret = self.client()
        return {**self._granted(), "client_id": client, "client_secret": secret}

    def opens(self, token: str) -> bool:
        """Whether an access token is accepted now."""
        return token in self.opening and self.now() < self.until[token]

    def _granted(self) -> dict[str, str]:
        told = self._fresh(None)
        return {name: told[name] for name in ("access_token", "refresh_token")}

    def _fresh(self, scope: str | None) -> dict[str, Any]:
        told = super()._fresh(scope)
        self.until[told["access_token"]] = self.now() + timedelta(seconds=self.lasts)
        return told

    def _by_refresh(self, token: str) -> Told:
        again = token in self.answered
        self.used_again |= {token} if again else set()
        status, told = super()._by_refresh(token)
        if again and isinstance(told, dict) and "access_token" in told:  # the same answer, as good as it was
            self.until[told["access_token"]] = self.now() + timedelta(seconds=self.lasts)
        return status, told


class ExpiringMastodon(MastodonWorld):
    """The account as its owner sees it, with tokens that end."""

    def __init__(self, *, grace: bool, lasts: int) -> None:
        super().__init__(connected=True)
        self.authority = Authority(grace=grace, lasts=lasts)

    def __enter__(self) -> Self:
        self.authority.__enter__()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.authority.__exit__()

    def _viewer(self, authorization: str | None) -> str | None:
        if authorization is not None and not self.authority.opens(authorization.removeprefix("Bearer ")):
            raise Refused(401, "The access token is invalid")
        return None if authorization is None else OURS


@dataclass(frozen=True)
class Renewed(ConnectorPromises):
    """How the page and its connector are made, for a seed."""

    seed: int
    made: Callable[[Client, Mapping[str, str] | None], Connector] = Mastodon

    def world(self) -> ExpiringMastodon:
        chance = random.Random(f"renewed/{self.seed}/tokens")
        return ExpiringMastodon(grace=chance.random() < 0.5, lasts=chance.choice(_LASTS)).history()

    def connector(self, client: Client) -> Connector:
        return self.made(client, None)


@dataclass
class Endpoint:
    """The way to the token endpoint in one run, with what becomes of each renewal."""

    world: ExpiringMastodon
    renewals: Mapping[int, str]
    number: int = -1
    met: list[str] = field(default_factory=list)
    unheard: int = 0
    """How often the platform used a refresh token, and its answer was lost."""
    way: TokenClient = field(default_factory=lambda: TokenClient(version="0", allow_hosts=["127.0.0.1"]))

    def point(self, name: str) -> None:
        """Each renewal begins here, and may be where the process ends."""
        self.number += name == "before-use"
        if self.renewals.get(self.number) == name:
            self.unheard += name in _UNHEARD
            self.met.append(name)
            raise Killed

    def ask(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        trouble = self.world.authority.trouble
        wrong = self.renewals.get(self.number)
        self.met += [wrong] if wrong in OF_A_RENEWAL else []
        match wrong:
            case "nobody":
                raise TryAgainLater("nobody is there")
            case "no-token":
                return Answer(200, _PAGE)
            case "lost":
                self.unheard += form["refresh_token"] in self.world.authority.living
                trouble.lose_answer = True
            case "down":
                trouble.down = True
            case "busy":
                trouble.says = 503, "temporarily_unavailable"
            case "not-ours":
                trouble.says = 401, "invalid_client"
            case _:
                pass
        try:
            return self.way.ask(url, form, headers)
        finally:
            trouble.lose_answer, trouble.down, trouble.says = False, False, None


class RenewedArchive(Archive):
    """An archive whose page is connected, and whose credentials are renewed while its runs last."""

    world: ExpiringMastodon

    def __init__(self, home: Path, promises: ConnectorPromises, world: World) -> None:
        super().__init__(home, promises, world)
        assert isinstance(promises, Renewed)
        self._made = promises.made
        self.authority = self.world.authority
        self.authority.now = lambda: self.time.at
        self.sign_in = replace(OAUTH2, token_at=f"{self.authority.origin}/oauth/token")
        self.unheard = self.connected = self.renewed = 0
        self.under_way: list[Attempt] = []
        self.wrong: list[str] = []
        self._connect()

    def access(self, attempt: Attempt) -> Access:
        self._endpoint = Endpoint(self.world, attempt.renewals)
        with self.store.database.read() as tx:
            held = credentials.held(self.store, tx, self.page)
        assert held is not None
        renewing = Renewing(
            store=self.store,
            page=self.page,
            sign_in=self.sign_in,
            asks=self._endpoint,
            wait=self.time.wait,
            point=self._endpoint.point,
        )
        living = Living(held, renewing, self.time.now)

        def connector(client: EvidenceClient) -> Connector:
            one = self._made(client, living)
            living.wake(client.keep_secret)
            return one

        return Access(living.standing(), connector, lambda: credentials.renewed(living))

    def before(self, question: int, attempt: Attempt, happens: Happens | None) -> None:
        if question == attempt.ended:
            self.authority.opening.clear()
            self.met.add("token ended")
        super().before(question, attempt, happens)

    def _run(
        self,
        attempt: Attempt,
        wire: Connections,
        go: Callable[[EvidenceClient, Access, Callable[[str], None]], Report],
    ) -> Report | None:
        self.under_way.append(attempt)
        try:
            report = super()._run(attempt, wire, go)
        finally:
            self.under_way.pop()
        assert not self.wrong, (
            self.wrong
        )  # in a run within this one, which takes it for the connector's fault
        self.unheard += self._endpoint.unheard
        self.renewed += self._endpoint.number + 1
        self.met |= {f"renewal {one}" for one in self._endpoint.met}
        with self.store.database.read() as tx:
            told = pages.get(tx, str(self.page.id))
            held = credentials.held(self.store, tx, self.page)
        if told.status == pages.DISCONNECTED:
            assert held is not None
            self._may_be_disconnected(attempt, held)
            self._connect()
        assert len(self.authority.used_again) <= self.unheard, (
            "a refresh token that works once was used twice"
        )
        return report

    def _may_be_disconnected(self, attempt: Attempt, held: Held) -> None:
        """Only where the permission is lost, or the page itself refused us whatever we came with."""
        lost = held.secret["refresh_token"] not in self.authority.living
        about = (attempt, *self.under_way)
        refused = any(one.platform is not None and one.platform[0] == "revoke" for one in about)
        refused = refused or any("refused" in one.wire.values() for one in about)
        self.wrong += [] if lost or refused else [f"a permission that stands was given up: {attempt}"]
        assert not self.wrong, self.wrong

    def _connect(self) -> None:
        self.connected += 1
        given = self.authority.permitted()
        until = self.authority.until[given["access_token"]]
        with self.store.database.begin() as tx:
            self.page: Page = pages.connect(
                self.store,
                tx,
                self.page,
                given,
                by=None,
                why="test",
                terms=Terms(how=credentials.OAUTH2, access_until=until),
            )

    def told(self) -> list[str]:
        """The secrets of this page that stand anywhere in its evidence."""
        with self.store.database.read() as tx:
            keys = tx.execute(select(exchanges.c.key)).scalars()
            said = b"".join(
                (one.envelope or b"") + one.body
                for one in (reading.exchange(self.store, tx, key) for key in [*keys])
            )
        return [secret for secret in self.authority.given if secret.encode() in said]
