"""Who we are at a wiki: nobody, the holder of an access token, or an account that signs in with a bot password.

A bot password (Special:BotPasswords) belongs to an account and grants only
what was ticked for it; the account's own password is never needed. Signing in
asks for a token, posts name, password and token, and goes on with the cookies
that the wiki sets. None of these is ever written: the evidence client replaces
them before an exchange exists, and tells us what they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.contract import Client, Exchange
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.http import decoded, retry_after
from connectors.mediawiki import parse
from connectors.mediawiki.refusals import sort

_COOKIE = "cookie:"
_TOKEN_QUESTION = {
    "action": "query",
    "meta": "tokens",
    "type": "login",
    "format": "json",
    "formatversion": "2",
    "errorformat": "plaintext",
}
_SIGNING_IN = {"action": "login", "format": "json", "formatversion": "2", "errorformat": "plaintext"}
_THROTTLED = ("throttl", "too many")


class Session:
    """The standing of one connection. `secret` holds `access_token`, or `user` and `password`, or nothing."""

    def __init__(self, http: Client, secret: Mapping[str, str]) -> None:
        self._http = http
        self._secret = secret
        self._cookies: dict[str, str] = {}

    @property
    def connected(self) -> bool:
        """Whether we come with credentials."""
        return self.by_password or bool(self._secret.get("access_token"))

    @property
    def by_password(self) -> bool:
        """Whether we sign in with a bot password."""
        return bool(self._secret.get("user")) and bool(self._secret.get("password"))

    @property
    def begun(self) -> bool:
        """Whether the wiki should know us by now."""
        return bool(self._cookies) or bool(self._secret.get("access_token"))

    def headers(self) -> Mapping[str, str] | None:
        """What tells the wiki who we are."""
        token = self._secret.get("access_token")
        if token:
            return {"Authorization": f"Bearer {token}"}
        if self._cookies:
            return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        return None

    def begin(self, interface: str) -> Iterator[Exchange]:
        """Sign in, and yield the exchanges that this took; a name or password that is not accepted is `AccessRevoked`."""
        self._cookies = {}
        first = self._http.get(interface, params=_TOKEN_QUESTION, accept=(401, 403))
        yield first
        self._answered(first)
        learned = self._learn(first)
        token = learned.get("logintoken")
        if not token:
            raise UnexpectedResponse(f"{interface} gave no token to sign in with.")
        form = {
            **_SIGNING_IN,
            "lgname": self._secret["user"],
            "lgpassword": self._secret["password"],
            "lgtoken": token,
        }
        second = self._http.post(interface, form=form, headers=self.headers(), accept=(401, 403))
        yield second
        self._answered(second)
        self._learn(second)
        try:
            login = parse.one(decoded(second), parse.Login).login
        except parse.Malformed as fault:
            raise UnexpectedResponse(f"{second.url} does not say whether we are let in: {fault}.") from fault
        if login is None or login.result != "Success":
            raise self._refused(second, login)

    def _learn(self, exchange: Exchange) -> Mapping[str, str]:
        learned = self._http.learned(exchange)
        for name, value in learned.items():
            if name.startswith(_COOKIE):
                self._cookies[name.removeprefix(_COOKIE)] = value
        return learned

    def _answered(self, exchange: Exchange) -> None:
        """Raise what a refusal of the question itself means; whether we are let in stands in the answer."""
        body = decoded(exchange)
        if not parse.is_interface(body):
            raise UnexpectedResponse(
                f"{exchange.url} answered {exchange.status} with a page that is not the wiki's: we could not sign in."
            )
        refusal = parse.refusal(body)
        if refusal is not None:
            raise sort(exchange, refusal, self._http.now())

    def _refused(self, exchange: Exchange, login: parse.LoginResult | None) -> ConnectorError:
        why = login.why() if login else "it does not say why"
        if any(word in why.lower() for word in _THROTTLED):
            return TryAgainLater(
                f"The wiki does not let us sign in now ({why}).",
                after=retry_after(exchange, self._http.now()),
            )
        return AccessRevoked(
            f"The wiki does not accept the user name and bot password ({why}). Make a new one under "
            "Special:BotPasswords and connect the page again with its full name, such as Name@archive."
        )
