"""Who we are at Nextdoor: an agency's account that has signed in, or an application that may read the public feed.

An application asks for its token with its id and its secret (RFC 6749, section
4.4), shown as HTTP Basic. The token lives in memory alone; when it is refused,
another one is asked for, once.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote_plus

from connectors.contract import Client, Exchange
from connectors.errors import AccessRevoked
from connectors.http import decoded
from connectors.nextdoor import refusals, routes


class Session:
    """The standing of one connection. `secret` holds `access_token`, or `client_id` and `client_secret`."""

    def __init__(self, http: Client, secret: Mapping[str, str] | None) -> None:
        self._http, self._secret = http, secret or {}
        self._learned = ""

    @property
    def signed_in(self) -> bool:
        """Whether the agency's account has signed in; else an application reads what the public is shown."""
        return "access_token" in self._secret

    @property
    def token(self) -> str:
        """What to ask with, read anew each time; empty where the application has still to ask for it."""
        return self._secret.get("access_token") or self._learned

    def forgets(self) -> bool:
        """Whether a token that was refused can be asked for anew."""
        again, self._learned = bool(self._learned), ""
        return again

    def begin(self, auth: str, scope: str) -> Exchange:
        """Ask for a token, and return the answer; `learn` says what it means."""
        name, secret = self._secret.get("client_id", ""), self._secret.get("client_secret", "")
        if self.signed_in or not name or not secret:
            raise AccessRevoked(
                "The page is not connected: Nextdoor shows nothing to those who do not sign in."
            )
        pair = b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
        return self._http.post(
            f"{auth}/{routes.TOKEN}",
            form={"grant_type": "client_credentials", "scope": scope},
            headers={"Authorization": f"Basic {pair}"},
            accept=(400, 401, 403, 404),
        )

    def learn(self, exchange: Exchange) -> None:
        """Take the token that an answer gave; an error where it gave none."""
        token = self._http.learned(exchange).get("access_token")
        if exchange.status != 200 or not token:
            raise refusals.of_the_application(exchange, decoded(exchange))
        self._http.keep_secret("access_token", token)
        self._learned = token
