"""The contract's client in its plainest form: it asks servers of this machine and keeps what they answer.

It stands in for the evidence client where a test is about a connector and not
about how exchanges are recorded: the same statuses raise the same errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from connectors.contract import Exchange
from connectors.errors import AccessRevoked, TryAgainLater


class LoopbackClient:
    """Use it as a context: its connections end with it. Its clock moves a second with every question."""

    def __init__(self, now: datetime = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)) -> None:
        self._http = httpx.Client(trust_env=False, timeout=60, headers={"Accept-Encoding": "identity"})
        self._now = now

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def now(self) -> datetime:
        return self._now

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Exchange:
        self._now += timedelta(seconds=1)
        asked = Exchange(method="GET", url=url, started_at=self._now, seconds=0.0, status=0)
        try:
            answer = self._http.get(url, params=params, headers=headers)
        except httpx.TransportError as fault:
            silent = replace(asked, failure=str(fault))
            raise TryAgainLater(f"{url} did not answer: {fault}", [silent]) from fault
        exchange = replace(
            asked,
            status=answer.status_code,
            response_headers=tuple(answer.headers.multi_items()),
            body=answer.content,
        )
        if exchange.status in accept:
            return exchange
        if exchange.status in {401, 403}:
            raise AccessRevoked(f"{url} answered {exchange.status}", [exchange])
        if exchange.status == 429 or exchange.status >= 500:
            wait = exchange.header("Retry-After")
            after = timedelta(seconds=int(wait)) if wait and wait.isdecimal() else None
            raise TryAgainLater(f"{url} answered {exchange.status}", [exchange], after=after)
        return exchange
