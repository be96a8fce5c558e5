"""Asks YouTube's interface, counts what it costs, and gathers what was asked until a batch takes it along.

The key, or the token, travels in a header. YouTube takes a key in the address
too, where it would stand in every log on the way.

Etags are neither sent back nor believed. `If-None-Match` costs a unit like
any other question, and an answer of 304 leaves no bytes that would show what
stood there; and an item's etag moves with its likes. What changed is seen by
reading it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from connectors.contract import Client, Exchange
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.visits import Visit, where
from connectors.youtube import quota, reading, refusals
from connectors.youtube.quota import Purse, Spent
from connectors.youtube.reading import Answer
from connectors.youtube.refusals import NotGiven
from connectors.youtube.shapes import Comment, Thread

T = TypeVar("T")

COMMENTS_AT_ONCE = 100
ROWS_AT_ONCE = 50

_ANSWERS = (400, 401, 403, 404)
"""What we weigh ourselves: YouTube's refusals, whose status says little."""


class Asking(Visit):
    """One visit to the interface.

    `secret` holds `access_token`, or `api_key`; it is read anew for each
    question. `purse` knows what was spent before, and `most` is how many units
    may be spent in a day.
    """

    unread_is_apart = True

    def __init__(
        self, http: Client, secret: Mapping[str, str] | None, base: str, purse: Purse, most: int
    ) -> None:
        super().__init__()
        self._http, self._secret, self._base = http, secret or {}, base
        self._purse, self._most = purse, most
        self.files_refused = False
        """Whether YouTube refused to tell in this visit which files were uploaded."""

    def now(self) -> datetime:
        return self._http.now()

    @property
    def spent(self) -> Spent:
        """How many units were spent, and on which day."""
        return self._purse.spent

    @property
    def signed_in(self) -> bool:
        """Whether we come with a person's permission, and not with a key alone."""
        return bool(self._secret.get("access_token"))

    def get(self, path: str, params: Mapping[str, str], cost: int = quota.A_LIST) -> Exchange:
        """Ask a question that costs so many units, and weigh the answer; `NotGiven` where this one thing is refused."""
        now = self.now()
        self._afford(cost, now)
        try:
            exchange = self._http.get(
                f"{self._base}/{path}", params=params, headers=self._headers(), accept=_ANSWERS
            )
        except TryAgainLater as error:
            self._purse.pay(cost * max(1, len(error.exchanges)), now)
            self._weigh(error)
            raise
        self._exchanges.append(exchange)
        self._purse.pay(cost, now)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        if exchange.status == 200:
            return exchange
        if exchange.status not in _ANSWERS:
            raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}.")
        refused = refusals.sorted_out(refusals.fault(decoded(exchange), exchange.status), exchange, now)
        if isinstance(refused, NotGiven) and refused.token_forgotten and "pageToken" not in params:
            raise refused.later()
        raise refused

    def many(
        self, path: str, kind: str, shape: type[T], params: Mapping[str, str], cost: int = quota.A_LIST
    ) -> Answer[T]:
        """Ask for one answer of a list."""
        exchange = self.get(path, params, cost)
        return self._read(exchange, lambda body: reading.many(body, self.last, shape, kind))

    def threads(self, under: Mapping[str, str], token: str, *, status: str = "") -> Answer[Thread]:
        """One answer of threads, newest first: published ones, or with `status` those that are held back.

        Of those that are held back the replies that stand inside are asked for
        as well: among them are those that are held back themselves.
        """
        asked = {
            "part": "snippet,replies" if status else "snippet",
            **under,
            "order": "time",
            "maxResults": str(COMMENTS_AT_ONCE),
            "textFormat": "html",
            **({"moderationStatus": status} if status else {}),
            **({"pageToken": token} if token else {}),
        }
        return self.many("commentThreads", "commentThreadListResponse", Thread, asked)

    def replies(self, thread: str, token: str) -> Answer[Comment]:
        """One answer of what answers a comment."""
        asked = {
            "part": "snippet",
            "parentId": thread,
            "maxResults": str(COMMENTS_AT_ONCE),
            "textFormat": "html",
            **({"pageToken": token} if token else {}),
        }
        return self.many("comments", "commentListResponse", Comment, asked)

    def odd(self, told: Answer[T]) -> UnexpectedResponse:
        """The error of an answer of which all that it was asked for is of another shape."""
        strange = told.unread[0].why
        return UnexpectedResponse(
            f"{where(self._exchanges[-1])}: the answer is not of YouTube's shape: {strange}."
        )

    def _headers(self) -> Mapping[str, str]:
        if self.signed_in:
            return {"Authorization": f"Bearer {self._secret['access_token']}"}
        key = self._secret.get("api_key", "")
        if not key:
            raise AccessRevoked(
                "The page is not connected: YouTube shows nothing without a key or a permission."
            )
        return {"X-Goog-Api-Key": key}

    def _afford(self, cost: int, now: datetime) -> None:
        spent = self._purse.spent.on(now)
        if spent + cost > self._most:
            raise TryAgainLater(
                f"This pass has spent {spent} of the {self._most} units that it may take of YouTube's quota in "
                "a day (option `units`). Capture goes on after midnight in Los Angeles.",
                after=quota.until_midnight(now),
            )

    def _weigh(self, error: TryAgainLater) -> None:
        """What a failing answer says of when to come again."""
        if error.after is not None or not error.exchanges:
            return
        last = error.exchanges[-1]
        waits = refusals.later(refusals.fault(last.body, last.status), last, self.now())
        if waits is not None:
            error.args, error.after = waits.args, waits.after
