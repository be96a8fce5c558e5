"""Who we are at Reddit: an account that has signed in, or the application alone; and how much Reddit still lets us ask.

An application without an account asks for a token with its id and its secret
(RFC 6749, section 4.4). The token lives for some hours and in memory alone;
when it is refused, another one is asked for, once.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote_plus

from connectors.contract import Client, Exchange
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded, retry_after
from connectors.reddit import refusals

_TOKEN = "api/v1/access_token"  # noqa: S105 - a path, not a token
_LONGEST = timedelta(hours=1)


class Session:
    """The standing of one connection. `secret` holds `access_token`, or `client_id` and `client_secret`."""

    def __init__(self, http: Client, secret: Mapping[str, str] | None) -> None:
        self._http, self._secret = http, secret or {}
        self._learned = ""
        self._left: float | None = None
        self._until: datetime | None = None

    @property
    def signed_in(self) -> bool:
        """Whether an account has signed in; else only the application itself asks."""
        return bool(self._secret.get("access_token"))

    @property
    def token(self) -> str:
        """What to ask with; empty where the application has still to ask for it."""
        return self._secret.get("access_token") or self._learned

    def forgets(self) -> bool:
        """Whether a token that was refused can be asked for anew."""
        again, self._learned = bool(self._learned), ""
        return again

    def begin(self, site: str) -> Exchange:
        """Ask for a token, and return the answer; `learn` says what it means."""
        name, secret = self._secret.get("client_id", ""), self._secret.get("client_secret", "")
        if not name or not secret:
            raise AccessRevoked(
                "The page is not connected: Reddit shows nothing to those who do not sign in."
            )
        pair = b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
        return self._http.post(
            f"{site}/{_TOKEN}",
            form={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {pair}"},
            accept=(400, 401, 403, 404),
        )

    def learn(self, exchange: Exchange) -> None:
        """Take the token that an answer gave; an error where it gave none."""
        token = self._http.learned(exchange).get("access_token")
        if exchange.status == 200 and token:
            self._http.keep_secret("access_token", token)
            self._learned = token
            return
        read = refusals.fault(exchange, decoded(exchange))
        if exchange.status == 401 or (exchange.status in {200, 400} and read.is_json):
            raise AccessRevoked(
                f"Reddit does not accept the application's id and secret ({read.says}). See the application under "
                "reddit.com/prefs/apps, and connect the page again."
            )
        if exchange.status == 403:
            raise refusals.sorted_out(exchange, decoded(exchange))
        raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}, and gave no token.")

    # -- how much may be asked -----------------------------------------------------------------------------

    def used(self, exchange: Exchange) -> None:
        """Read what an answer says of how many questions are left, and for how many seconds."""
        left, seconds = _number(exchange, "x-ratelimit-remaining"), _number(exchange, "x-ratelimit-reset")
        if left is not None and seconds is not None:
            self._left = left
            self._until = exchange.started_at + min(timedelta(seconds=seconds), _LONGEST)

    def brake(self) -> None:
        """Raise where no question is left: asking on would be refused, and make it worse."""
        if self._left is None or self._until is None or self._left >= 1:
            return
        wait = self._until - self._http.now()
        self._left = None
        if wait > timedelta(0):
            raise TryAgainLater(
                "Reddit's limit of questions is reached for this application. Capture goes on by itself.",
                after=wait,
            )

    def throttled(self, error: TryAgainLater) -> None:
        """What a failing answer says of when to come again, where it has not been understood yet."""
        if error.after is not None or not error.exchanges:
            return
        last = error.exchanges[-1]
        error.after = retry_after(last, self._http.now())
        seconds = _number(last, "x-ratelimit-reset")
        if error.after is None and last.status == 429 and seconds is not None:
            error.after = min(timedelta(seconds=seconds), _LONGEST)


def _number(exchange: Exchange, name: str) -> float | None:
    try:
        read = float(exchange.header(name) or "")
    except ValueError:
        return None
    return read if 0 <= read < 1e9 else None
