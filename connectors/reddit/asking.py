"""Asks Reddit's interface, weighs its answers, and gathers what was asked until a batch takes it along.

Every question says `raw_json=1`; without it Reddit writes `&lt;` for `<` in
words that are no HTML. The token travels in a header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from connectors.contract import Client, Exchange, Span
from connectors.errors import TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.pieces import Seen, Sorted
from connectors.reddit import reading, refusals
from connectors.reddit.reading import Answer
from connectors.reddit.session import Session
from connectors.reddit.shapes import Person, Thing
from connectors.visits import Visit

T = TypeVar("T")

AT_ONCE = 100
"""So many things stand in one answer of a list, and are asked for by their ids at once."""

_COMMENTS_AT_ONCE = 500
_ANSWERS = (400, 401, 403, 404)
"""What we weigh ourselves: Reddit's refusals, whose status says little."""


class Asking(Visit):
    """One visit to the interface."""

    unread_is_apart = True

    def __init__(self, http: Client, session: Session, base: str, site: str) -> None:
        super().__init__()
        self._http, self._session, self._base, self._site = http, session, base, site

    def now(self) -> datetime:
        return self._http.now()

    @property
    def signed_in(self) -> bool:
        """Whether an account has signed in; else only the application itself asks."""
        return self._session.signed_in

    def whole_of_last(self) -> Span:
        """All bytes of the answer to the last question."""
        return Span(self.last, 0, len(self._exchanges[-1].body))

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Exchange:
        """Ask a question, and weigh the answer; `NotGiven` where this one thing is refused."""
        asked = {**(params or {}), "raw_json": "1"}
        return self._asked(
            lambda headers: self._http.get(
                f"{self._base}/{path}", params=asked, headers=headers, accept=_ANSWERS
            )
        )

    def listing(self, path: str, after: str = "", most: int = AT_ONCE, **more: str) -> Answer[Thing]:
        """One answer of a list."""
        params = {"limit": str(most), **more, **({"after": after} if after else {})}
        exchange = self.get(path, params)
        return self._read(exchange, lambda body: reading.listing(body, self.last))

    def people(self, path: str, after: str = "") -> tuple[list[Person], str | None]:
        """One answer of a list of people."""
        exchange = self.get(path, {"limit": str(AT_ONCE), **({"after": after} if after else {})})
        return self._read(exchange, reading.people)

    def one(self, path: str, shape: type[T]) -> Seen[T]:
        """Ask for one thing."""
        exchange = self.get(path)
        return self._read(exchange, lambda body: reading.one(body, self.last, shape))

    def tree(self, link: str, comment: str = "") -> tuple[Sorted[Thing], Sorted[Thing]]:
        """A submission with its comments, or with those from one comment on."""
        exchange = self.get(
            f"comments/{_short(link)}",
            {
                "limit": str(_COMMENTS_AT_ONCE),
                "sort": "old",
                **({"comment": _short(comment)} if comment else {}),
            },
        )
        return self._read(exchange, lambda body: reading.tree(body, self.last))

    def more(self, link: str, children: Sequence[str]) -> Sorted[Thing]:
        """Comments that a tree left out, by their ids; at most a hundred."""
        form = {"api_type": "json", "link_id": link, "children": ",".join(children), "sort": "old"}
        exchange = self._asked(
            lambda headers: self._http.post(
                f"{self._base}/api/morechildren?raw_json=1", form=form, headers=headers, accept=_ANSWERS
            )
        )
        return self._read(exchange, lambda body: reading.flat(body, self.last))

    def info(self, names: Sequence[str]) -> Answer[Thing]:
        """Things by their full names, at most a hundred. Those that Reddit does not show are left out."""
        exchange = self.get("api/info", {"id": ",".join(names)})
        return self._read(exchange, lambda body: reading.listing(body, self.last))

    def fails_alone(self, error: TryAgainLater) -> bool:
        """Where no token is given, it is Reddit that fails, whatever was asked for with it."""
        return super().fails_alone(error) and not error.exchanges[-1].url.startswith(f"{self._site}/")

    def _asked(self, ask: Callable[[Mapping[str, str]], Exchange]) -> Exchange:
        self._session.brake()
        exchange = self._taken(ask)
        if exchange.status == 401 and self._session.forgets():
            exchange = self._taken(ask)
        if exchange.status == 200:
            return exchange
        if exchange.status not in _ANSWERS:
            raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}.")
        raise refusals.sorted_out(exchange, decoded(exchange))

    def _taken(self, ask: Callable[[Mapping[str, str]], Exchange]) -> Exchange:
        try:
            if not self._session.token:
                given = self._whole(self._session.begin(self._site))
                self._session.learn(given)
            exchange = self._whole(ask({"Authorization": f"Bearer {self._session.token}"}))
        except TryAgainLater as error:
            self._session.throttled(error)
            raise
        self._session.used(exchange)
        return exchange

    def _whole(self, exchange: Exchange) -> Exchange:
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        return exchange


def _short(name: str) -> str:
    """A name without its kind, as addresses have it."""
    return name.partition("_")[2] or name
