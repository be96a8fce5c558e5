"""Asks LinkedIn's interface in the manner of Rest.li, and gathers what was asked until a batch takes it along.

Addresses are written by hand: what Rest.li writes itself (`List(…)`) must not be
percent-encoded, and what stands in it must. The token travels in a header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from connectors.contract import Client, Exchange, Gap
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.linkedin import reading, refusals
from connectors.linkedin.paging import Spot, onward
from connectors.linkedin.reading import Answer, Results
from connectors.linkedin.refusals import NotGiven
from connectors.linkedin.urns import listed
from connectors.pieces import Seen
from connectors.visits import Visit

T = TypeVar("T")

AT_ONCE = 50
"""So many things are asked for by their ids at once."""

_ANSWERS = (400, 401, 403, 404, 426)
"""What we weigh ourselves: LinkedIn's refusals, which say more than their status."""

_NOT_TOGETHER = frozenset({400, 403, 404, 405})
"""How LinkedIn may answer an application that may not ask for several things by id at once."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What was found of things that were asked for by their ids, the refusal where nothing was, and what failed."""

    items: dict[str, Seen[T]]
    refused: NotGiven | None = None
    failed: Sequence[Gap] = ()


class Asking(Visit):
    """One visit to the interface. `secret` holds `access_token`; it is read anew for each question."""

    unread_is_apart = True

    def __init__(
        self, http: Client, secret: Mapping[str, str] | None, base: str, version: str, size: int
    ) -> None:
        super().__init__()
        self._http, self._secret, self._base = http, secret or {}, base
        self.version, self.size = version, size
        self._singly: set[str] = set()
        self._shut: set[str] = set()

    def now(self) -> datetime:
        return self._http.now()

    def get(self, path: str, method: str = "") -> Exchange:
        """Ask a question, and weigh the answer; `NotGiven` where this one thing is refused.

        `path` is what follows the address of the interface, its query included,
        written as it is to be sent; `method` is Rest.li's word for what is no plain get.
        """
        try:
            exchange = self._http.get(f"{self._base}/{path}", headers=self._headers(method), accept=_ANSWERS)
        except TryAgainLater as error:
            self._weigh(error)
            raise
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        if exchange.status == 200:
            return exchange
        said = refusals.fault(decoded(exchange), exchange.status)
        raise refusals.sorted_out(said, exchange, self.version)

    def one(self, path: str, shape: type[T]) -> Seen[T]:
        """Ask for one object."""
        exchange = self.get(path)
        return self._read(exchange, lambda body: reading.one(body, self.last, shape))

    def many(
        self,
        path: str,
        shape: type[T],
        *,
        start: int = 0,
        count: int = 0,
        method: str = "FINDER",
        called: str = "id",
    ) -> Answer[T]:
        """Ask for one answer of a list: `count` items from the place `start` on, or without `count` what there is."""
        if count:
            path += f"{'&' if '?' in path else '?'}start={start}&count={count}"
        exchange = self.get(path, method)
        return self._read(exchange, lambda body: reading.many(body, self.last, shape, called))

    def onward(
        self,
        path: str,
        shape: type[T],
        spot: Spot,
        name: Callable[[T], str],
        *,
        method: str = "FINDER",
        size: int = 0,
        called: str = "id",
    ) -> tuple[Answer[T], Spot]:
        """Ask for the answer of a list that stands at `spot`, and say where it goes on. `name` tells items apart."""
        size = size or self.size
        answer = self.many(path, shape, start=spot.asks, count=size, method=method, called=called)
        return answer, onward(spot, answer.names(name), size, total=answer.total, leads=answer.leads)

    def by_ids(self, path: str, shape: type[T], ids: Mapping[str, str]) -> Found[T]:
        """Ask for things by their ids: `ids` holds each name in an answer, and how it is written in an address.

        Applications of the development tier may not ask for several at once:
        they are then asked for one by one; so are those of which LinkedIn fails
        at one. One that is told in another shape costs itself alone. What is refused altogether is told once in a visit, and not asked
        for again.
        """
        found: dict[str, Seen[T]] = {}
        failed: list[Gap] = []
        if path in self._shut:
            return Found(found)
        names = list(ids)
        for begin in range(0, len(names), AT_ONCE):
            some = names[begin : begin + AT_ONCE]
            if path not in self._singly:
                try:
                    with self.about(path, some[0]) as asked:
                        told = self._together(path, shape, [ids[name] for name in some])
                        found |= told.items
                        failed += self.gaps_of(path, told.unread)
                    if asked.gap is None:
                        continue
                except NotGiven as refused:
                    if refused.fault.status not in _NOT_TOGETHER:
                        raise
                    self._singly.add(path)
            refusal = self._one_by_one(path, shape, {name: ids[name] for name in some}, found, failed)
            if refusal is not None:
                self._shut.add(path)
                return Found(found, refusal, failed)
        return Found(found, failed=failed)

    def _together(self, path: str, shape: type[T], coded: Sequence[str]) -> Results[T]:
        exchange = self.get(f"{path}?ids={listed(coded)}", "BATCH_GET")
        return self._read(exchange, lambda body: reading.results(body, self.last, shape))

    def _one_by_one(
        self,
        path: str,
        shape: type[T],
        ids: Mapping[str, str],
        found: dict[str, Seen[T]],
        failed: list[Gap],
    ) -> NotGiven | None:
        """Add to `found` what is shown of these; the refusal where a permission is lacking for all of them."""
        for name, coded in ids.items():
            try:
                with self.about(path, name) as asked:
                    found[name] = self.one(f"{path}/{coded}", shape)
                failed += filter(None, [asked.gap])
            except NotGiven as refused:
                if refused.forbidden:
                    return refused
        return None

    def _headers(self, method: str) -> Mapping[str, str]:
        token = self._secret.get("access_token", "")
        if not token:
            raise AccessRevoked(
                "The page is not connected: LinkedIn shows nothing without a permission. Connect it."
            )
        return {
            "Authorization": f"Bearer {token}",
            "LinkedIn-Version": self.version,
            "X-Restli-Protocol-Version": "2.0.0",
            **({"X-RestLi-Method": method} if method else {}),
        }

    def _weigh(self, error: TryAgainLater) -> None:
        """What a throttle says of when to come again."""
        if not error.exchanges or error.exchanges[-1].status != 429:
            return
        last = error.exchanges[-1]
        waits = refusals.throttled(refusals.fault(last.body, last.status), last, self.now())
        error.args, error.after = waits.args, waits.after
