"""Asks one site, and gathers what was asked until a batch takes it along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urljoin

from connectors.contract import Client, Exchange, Span
from connectors.errors import UnexpectedResponse
from connectors.http import decoded
from connectors.pieces import Malformed, Seen
from connectors.visits import Visit
from connectors.wordpress import parse
from connectors.wordpress.address import Root

T = TypeVar("T")

_MOVED = (301, 302, 303, 307, 308)
_ANSWERS = (401, 403, *_MOVED)
"""What we weigh ourselves: WordPress's own refusals, and where it sends us."""

_HOPS = 6


class NotGiven(Exception):
    """WordPress itself refused one question; `code` is its own word for why."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class Asking(Visit):
    """One visit to a site. An error on the way takes along the exchanges that led to it."""

    unread_is_apart = True

    def __init__(self, http: Client, authorization: Mapping[str, str]) -> None:
        super().__init__()
        self._http = http
        self._authorization = authorization

    @property
    def connected(self) -> bool:
        """Whether we come with a password."""
        return bool(self._authorization)

    def get(self, url: str, *, openly: bool = False) -> Exchange:
        """Ask for `url`, and where it was moved, for that; `openly` leaves our password out."""
        headers = None if openly or not self._authorization else self._authorization
        for _ in range(_HOPS):
            exchange = self._http.get(url, headers=headers, accept=_ANSWERS)
            self._exchanges.append(exchange)
            if exchange.truncated:
                raise UnexpectedResponse(
                    f"The answer of {exchange.url} was cut short ({exchange.truncated})."
                )
            location = exchange.header("Location") if exchange.status in _MOVED else None
            if location is None:
                return exchange
            following = _joined(url, location)
            if headers and not _takes_our_password(Root(following), Root(url)):
                raise UnexpectedResponse(
                    f"{url} leads to another place, {following}: the password is not sent along."
                )
            url = following
        raise UnexpectedResponse(f"{url} leads on and on: more than {_HOPS} redirections.")

    def json(self, url: str) -> Exchange:
        """Ask for `url` where WordPress should answer 200; `NotGiven` where WordPress itself refuses.

        Anyone else's refusal is unexpected: a firewall's page proves nothing about the site.
        """
        exchange = self.get(url)
        if exchange.status == 200:
            return exchange
        refusal = parse.refusal(decoded(exchange))
        if refusal is None:
            raise UnexpectedResponse(not_wordpress(exchange))
        raise NotGiven(exchange.status, refusal.code)

    def one(self, url: str, shape: type[T]) -> T:
        """Ask for one object."""
        exchange = self.json(url)
        try:
            return parse.one(decoded(exchange), shape)
        except Malformed as fault:
            raise UnexpectedResponse(f"{exchange.url}: {fault}") from fault

    def many(self, url: str, shape: type[T]) -> tuple[list[Seen[T]], int | None]:
        """Ask for a listing; with its items comes the total that the site states, if it states one."""
        exchange = self.json(url)
        body = decoded(exchange)
        try:
            items = parse.many(body, self.last, shape)
        except Malformed as fault:
            raise UnexpectedResponse(f"{exchange.url}: {fault}") from fault
        if body is not exchange.body:
            # Compressed although we asked not to: no item has bytes of its own, so all own the whole.
            whole = Span(self.last, 0, len(exchange.body))
            items = [replace(seen, span=whole) for seen in items]
        stated = (exchange.header("X-WP-Total") or "").strip()
        return items, int(stated) if stated.isdecimal() else None


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as fault:
        raise UnexpectedResponse(f"{url} leads to an address that cannot be read: {fault}.") from None


def _takes_our_password(following: Root, asked: Root) -> bool:
    return following.place == asked.place and following.keeps_secrets


def not_wordpress(exchange: Exchange) -> str:
    """Say that somebody else answered in WordPress's place, and what to do."""
    return (
        f"{exchange.url} answered {exchange.status} with a page that is not WordPress's own: a firewall or a "
        "challenge stands before the site. Ask its administrator to let this address reach /wp-json/."
    )
