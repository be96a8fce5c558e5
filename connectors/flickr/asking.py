"""Asks Flickr's interface, signs where the page's owner has permitted it, and gathers what was asked.

A signed question names the key in its header alone. With a key alone Flickr
wants it in the address, where the evidence client replaces it before anything
is kept. Every question is a GET: Flickr is never asked to change anything.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors import oauth1
from connectors.contract import Client, Exchange
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.flickr import reading, refusals
from connectors.flickr.pace import Pace
from connectors.flickr.reading import Comment, Rows
from connectors.http import decoded, with_params
from connectors.pieces import Malformed, Seen, Sorted, Unread
from connectors.visits import Visit

ROWS_AT_ONCE = 500

_ANSWERS = (400, 401, 403)
"""What we weigh ourselves: the refusals of OAuth."""

_SIGNED = ("consumer_key", "consumer_secret", "token", "token_secret")


class Asking(Visit):
    """One visit to the interface.

    `secret` holds what OAuth 1.0a signs with, or `api_key` alone; it is read
    anew for each question. `pace` counts, and `most` may be asked in an hour.
    """

    unread_is_apart = True

    def __init__(
        self, http: Client, secret: Mapping[str, str] | None, base: str, pace: Pace, most: int
    ) -> None:
        super().__init__()
        self._http, self._secret, self._base = http, secret or {}, base
        self.pace, self._most = pace, most

    def now(self) -> datetime:
        return self._http.now()

    @property
    def signed_in(self) -> bool:
        """Whether we come with a person's permission, and not with a key alone."""
        return all(self._secret.get(name) for name in _SIGNED)

    def ask(self, method: str, params: Mapping[str, str]) -> bytes:
        """Ask a question and weigh the answer, whose body is given back; `NotGiven` where this one thing is refused."""
        now = self.now()
        if self.pace.left(self._most, now) <= 0:
            raise TryAgainLater(
                f"The {self._most} questions that this page may ask Flickr in an hour are asked (option "
                "`questions`). Capture goes on in the next hour.",
                after=self.pace.until_next(now),
            )
        asked = {"method": method, **params, "format": "json", "nojsoncallback": "1"}
        try:
            exchange = self._get(asked, now)
        except TryAgainLater as error:
            self.pace.count(max(1, len(error.exchanges)), now)
            raise
        self._exchanges.append(exchange)
        self.pace.count(1, now)
        return self._weighed(method, exchange)

    def photos(
        self, method: str, where: Mapping[str, str], page: int, extras: str, *, least: bool = False
    ) -> Rows:
        """One answer of a list of photos; the `least` of it where only the list itself is asked about."""
        asked = {
            **where,
            "extras": extras,
            "per_page": "1" if least else str(ROWS_AT_ONCE),
            "page": str(page),
        }
        return self._rows(method, asked, "photos", "photo")

    def albums(self, person: str, page: int) -> Rows:
        """One answer of the list of albums."""
        asked = {"user_id": person, "per_page": str(ROWS_AT_ONCE), "page": str(page)}
        return self._rows("flickr.photosets.getList", asked, "photosets", "photoset")

    def one(self, method: str, params: Mapping[str, str], name: str) -> Seen[dict[str, Any]]:
        """The one item that an answer holds."""
        body = self.ask(method, params)
        try:
            return reading.one(body, self.last, name)
        except ValueError as fault:
            raise UnexpectedResponse(f"{method}: {fault}.") from fault

    def sizes(self, name: str) -> Seen[dict[str, Any]]:
        """The files of one photo or video; this answer alone names no id."""
        method = "flickr.photos.getSizes"
        body = self.ask(method, {"photo_id": name})
        try:
            return reading.one(body, self.last, "sizes", named=False)
        except ValueError as fault:
            raise UnexpectedResponse(f"{method}: {fault}.") from fault

    def comments(self, root: str) -> Sorted[Comment] | None:
        """Everything that was said below a photo, or below an album ("album/…"); None where no list of it is given."""
        album = root.removeprefix("album/")
        if album == root:
            method, params = "flickr.photos.comments.getList", {"photo_id": root}
        else:
            method, params = "flickr.photosets.comments.getList", {"photoset_id": album}
        body = self.ask(method, params)
        try:
            told = reading.comments(body, self.last)
        except ValueError as fault:
            raise UnexpectedResponse(f"{method}: {fault}.") from fault
        return None if told is None else replace(told, unread=_asked_by(method, told.unread))

    def _rows(self, method: str, params: Mapping[str, str], name: str, item: str) -> Rows:
        body = self.ask(method, params)
        try:
            told = reading.rows(body, self.last, name, item)
        except ValueError as fault:
            raise UnexpectedResponse(f"{method}: {fault}.") from fault
        return replace(told, unread=_asked_by(method, told.unread))

    def _get(self, asked: Mapping[str, str], now: datetime) -> Exchange:
        if self.signed_in:
            key, key_secret, token, token_secret = (self._secret[name] for name in _SIGNED)
            url = with_params(self._base, asked)
            header = oauth1.authorization(
                "GET",
                url,
                oauth1.Consumer(key, key_secret),
                oauth1.Token(token, token_secret),
                at=now,
                nonce=secrets.token_hex(16),
            )
            return self._http.get(url, headers={"Authorization": header}, accept=_ANSWERS)
        api_key = self._secret.get("api_key") or self._secret.get("consumer_key")
        if not api_key:
            raise AccessRevoked(
                "The page is not connected: Flickr shows nothing without a key or a permission."
            )
        return self._http.get(self._base, params={**asked, "api_key": api_key}, accept=_ANSWERS)

    def _weighed(self, method: str, exchange: Exchange) -> bytes:
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer to {method} was cut short ({exchange.truncated}).")
        body = decoded(exchange)
        refused = refusals.of_oauth(body, exchange.status)
        if refused is not None:
            raise refused
        try:
            head = reading.head(body)
        except reading.Broken as fault:
            raise TryAgainLater(f"{method}: {fault}. Flickr does so when it is overloaded.") from fault
        except Malformed as fault:
            raise UnexpectedResponse(f"{method} answered {exchange.status}: {fault}.") from fault
        if head.stat == "ok" and exchange.status == 200:
            return body
        number = reading.number(head.code)
        if head.stat != "fail" or number is None:
            raise UnexpectedResponse(f"{method} answered {exchange.status}, neither well nor with a refusal.")
        raise refusals.sorted_out(method, number)


def _asked_by(method: str, unread: Sequence[Unread]) -> list[Unread]:
    """What cannot be read, with the method that told it: all of them have one address."""
    return [replace(one, why=f"{method}: {one.why}") for one in unread]
