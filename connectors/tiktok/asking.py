"""Asks one of TikTok's interfaces, at the pace that it permits, and gathers what was asked until a batch takes it along.

The token travels in a header: `Access-Token` at the door for businesses,
`Authorization` at the Display API. Only to ask what a token permits it is sent
in the body of a question, which is kept without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from connectors.contract import Client, Exchange, Gap
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded, with_params
from connectors.tiktok import refusals
from connectors.tiktok.pace import Pace
from connectors.tiktok.refusals import Fault
from connectors.visits import Visit

T = TypeVar("T")

_ANSWERS = (400, 401, 403, 404)
"""What we weigh ourselves: the body says what happened."""


class Asking(Visit):
    """One visit to an interface.

    `secret` is read anew for each question, since a token may be renewed while
    a run lasts. `pace` knows what was asked within the last minute, and `most`
    is how many questions that may be.
    """

    unread_is_apart = True

    def __init__(
        self, http: Client, secret: Mapping[str, str] | None, base: str, pace: Pace, most: int
    ) -> None:
        super().__init__()
        self._http, self._secret, self._base = http, secret or {}, base
        self._pace, self._most = pace, most
        self._said: Fault | None = None
        """TikTok's own word in the last answer."""

    def now(self) -> datetime:
        return self._http.now()

    @property
    def application(self) -> str:
        """The id of the application, where it is known."""
        return self._secret.get("client_id") or self._secret.get("app_id") or ""

    @property
    def token(self) -> str:
        """The token as it is now."""
        told = self._secret.get("access_token", "")
        if not told:
            raise AccessRevoked(
                "The page is not connected: TikTok shows nothing to those who do not sign in. Connect it."
            )
        return told

    def get(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str], kind: str = ""
    ) -> Exchange:
        """Ask, and weigh the answer; `NotGiven` where this one thing is refused. `kind` is what TikTok counts by."""
        url = f"{self._base}/{path}/"
        return self._asked(kind, lambda: self._http.get(url, params=params, headers=headers, accept=_ANSWERS))

    def post(
        self,
        path: str,
        params: Mapping[str, str],
        told: object,
        headers: Mapping[str, str],
        kind: str = "",
    ) -> Exchange:
        """Ask with JSON in the question's body; as `get` otherwise."""
        url = with_params(f"{self._base}/{path}/", params)
        return self._asked(kind, lambda: self._http.post(url, json=told, headers=headers, accept=_ANSWERS))

    def read(self, exchange: Exchange, reader: Callable[[bytes, int], T]) -> T:
        """What an answer says, by a reader of bodies."""
        return self._read(exchange, lambda body: reader(body, self.last))

    def _asked(self, kind: str, ask: Callable[[], Exchange]) -> Exchange:
        now = self.now()
        self._brake(kind, now)
        try:
            exchange = ask()
        except TryAgainLater as error:
            self._pace.count(kind, max(1, len(error.exchanges)), now)
            self._said = None
            self._weigh(error)
            raise
        self._exchanges.append(exchange)
        self._pace.count(kind, 1, now)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        said = self._said = refusals.fault(decoded(exchange), exchange.status)
        if exchange.status == 200 and said is not None and said.fine:
            return exchange
        if said is not None and said.fine:
            raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}, and that all is well.")
        raise refusals.sorted_out(said, exchange, now)

    def fails_alone(self, error: TryAgainLater) -> bool:
        """Also where TikTok says with status 200, as it says everything, that it failed."""
        said = self._said
        return super().fails_alone(error) or (error.after is None and said is not None and said.failing)

    def lacking(self, gap: Gap) -> Gap:
        """The gap of an object at which TikTok fails, in TikTok's own word where it said one."""
        said = self._said
        if said is None or not said.failing:
            return gap
        return replace(gap, why=f"TikTok answers {said.says}; every later pass asks again")

    def _brake(self, kind: str, now: datetime) -> None:
        wait = self._pace.until_free(kind, self._most, now)
        if wait is not None:
            raise TryAgainLater(
                f"TikTok was asked {self._most} times within a minute, which is what it permits the agency's "
                "application (option `rate`). Capture goes on by itself.",
                after=wait,
            )

    def _weigh(self, error: TryAgainLater) -> None:
        """What a failing answer says of when to come again."""
        if error.after is not None or not error.exchanges:
            return
        last = error.exchanges[-1]
        self._said = refusals.fault(last.body, last.status)
        waits = refusals.later(self._said, last, self.now())
        if waits is not None:
            error.args, error.after = waits.args, waits.after


def as_list(names: Sequence[str]) -> str:
    """Names as the door for businesses takes them in an address: JSON."""
    return json.dumps(list(names), separators=(",", ":"))
