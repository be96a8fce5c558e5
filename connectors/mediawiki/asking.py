"""Asks one wiki, and gathers what was asked until a batch takes it along.

MediaWiki answers most failures with status 200 and says in the body, by a code
of its own, what went wrong (`refusals`). An answer that is not in the words of
its interface is nobody's refusal: something else stands before the wiki.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from connectors.contract import Client, Exchange, Span
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.failing import Asked
from connectors.http import decoded
from connectors.mediawiki import parse
from connectors.mediawiki.refusals import Broken, sort
from connectors.mediawiki.session import Session
from connectors.pieces import Sorted
from connectors.visits import Visit

T = TypeVar("T")

_ANSWERS = (401, 403)
"""Statuses with which MediaWiki itself may answer: whether it was MediaWiki, the body tells."""

_MOST_ANSWERS = 2000
"""A question that goes on longer than this is taken for one without an end."""


class NotGiven(Exception):
    """The wiki refused one question in a way that the asker can live with; `code` is its own word for why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the interface, and where it will stand in the batch."""

    exchange: Exchange
    index: int
    body: bytes
    compressed: bool

    def read(self, shape: type[T]) -> T:
        """The answer as a shape of `parse`; what is required and lacks makes it unexpected."""
        try:
            return parse.one(self.body, shape)
        except parse.Malformed as fault:
            raise UnexpectedResponse(f"{self.exchange.url}: {fault}") from fault

    def items(self, *path: str | int) -> Iterator[tuple[bytes, Span]]:
        """Each element of the array at `path`, with its place.

        Compressed although we asked not to: no item has bytes of its own, so each names the whole.
        """
        for start, end, item in parse.elements(self.body, *path):
            yield (
                item,
                (
                    Span(self.index, 0, len(self.exchange.body))
                    if self.compressed
                    else Span(self.index, start, end)
                ),
            )

    def sorted_out(self, shape: type[T], name: str, *path: str | int) -> Sorted[T]:
        """The elements of the array at `path`, and those among them that cannot be read; `name` is what they are called by."""
        try:
            told = parse.sorted_out(self.body, self.index, shape, name, *path)
        except parse.Malformed as fault:
            raise UnexpectedResponse(f"{self.exchange.url}: {fault}") from fault
        if not self.compressed:
            return told
        whole = self.whole()
        return Sorted(
            [replace(one, span=whole) for one in told.items],
            [replace(one, span=whole) for one in told.unread],
        )

    def lines(self, shape: type[T], name: str, called: str) -> Sorted[T]:
        """Each line of the listing of that name, as `shape`; see `listed`."""
        self.listed(name)
        return self.sorted_out(shape, called, "query", name)

    def listed(self, name: str) -> Iterator[tuple[bytes, Span]]:
        """Each line of the listing of that name, which a wiki tells even where it has no line."""
        place = parse.member(self.body, "query", name)
        if place is None or self.body[place[0] : place[0] + 1] != b"[":
            raise UnexpectedResponse(
                f"{self.exchange.url} tells nothing of the list that was asked for, {name}."
            )
        return self.items("query", name)

    def leads_elsewhere(self) -> bool:
        """Whether a title that was asked for is another wiki's."""
        return parse.member(self.body, "query", "interwiki") is not None

    def whole(self) -> Span:
        """All bytes of the answer."""
        return Span(self.index, 0, len(self.exchange.body))


class Asking(Visit):
    """One visit to a wiki. An error on the way takes along the exchanges that led to it."""

    unread_is_apart = True

    def __init__(self, http: Client, secret: Mapping[str, str]) -> None:
        super().__init__()
        self._http = http
        self.session = Session(http, secret)
        self.interface = ""

    def fails_alone(self, error: TryAgainLater) -> bool:
        """A fault of the wiki's program, which it tells by a code of its own, counts as an answer of 5xx."""
        return super().fails_alone(error) or (isinstance(error, Broken) and error.after is None)

    def weighs(
        self, asked: Asked, error: BaseException | None, what: str, native_id: str, *, unread: bool = False
    ) -> bool:
        """As ever; such a fault is told in the wiki's words, since the status of its answer is 200."""
        taken = super().weighs(asked, error, what, native_id, unread=unread)
        if asked.gap is not None and isinstance(error, Broken):
            asked.gap = replace(asked.gap, why=f"{error} Every later pass asks again.")
        return taken

    def get(self, url: str, params: Mapping[str, str] | None = None, *, openly: bool = False) -> Exchange:
        """Ask for `url` as it is; `openly` leaves our credentials out."""
        headers = None if openly else self.session.headers()
        exchange = self._http.get(url, params=params, headers=headers, accept=_ANSWERS)
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        return exchange

    def ask(self, params: Mapping[str, str], given: Sequence[str] = ()) -> Answer:
        """Ask the interface one question; `NotGiven` for the codes in `given`, an error for any other.

        A session that ran out is begun again, once.
        """
        for again in (False, True):
            asked = {**_ALWAYS, **params}
            if self.session.begun:
                asked["assert"] = "user"
            answer = self._answer(self.get(self.interface, asked))
            refusal = parse.refusal(answer.body)
            if refusal is None:
                return answer
            if refusal.code in given:
                raise NotGiven(refusal.code, refusal.text)
            if refusal.code in _SESSION_OVER and self.session.by_password and not again:
                self.sign_in()
                continue
            raise sort(answer.exchange, refusal, self._http.now())
        raise AssertionError("the second refusal is raised")

    def each(self, params: Mapping[str, str], given: Sequence[str] = ()) -> Iterator[Answer]:
        """Ask, and ask on as long as the wiki says that there is more; an answer that leads nowhere is an error."""
        more: Mapping[str, str] = {}
        led: set[str] = set()
        for _ in range(_MOST_ANSWERS):
            answer = self.ask({**params, **more}, given)
            yield answer
            following = answer.read(parse.Continued).continues
            if not following:
                return
            here = repr(sorted(following.items()))
            if here in led:
                break
            led.add(here)
            more = following
        raise UnexpectedResponse(
            f"{self.interface} answers {params.get('list') or params.get('prop')} on and on: every answer leads to the "
            "same next one."
        )

    def sign_in(self) -> None:
        """Begin a session with the password of the connected account."""
        for exchange in self.session.begin(self.interface):
            self._exchanges.append(exchange)

    def _answer(self, exchange: Exchange) -> Answer:
        body = decoded(exchange)
        if not parse.is_interface(body):
            if exchange.status == 401:
                raise AccessRevoked(
                    f"{exchange.url} asks for a password before the wiki itself is reached. Ask its administrator to "
                    "let this address reach api.php."
                )
            raise UnexpectedResponse(not_mediawiki(exchange))
        return Answer(exchange, self.last, body, body is not exchange.body)

    @property
    def status(self) -> int:
        """The status of the exchange asked last."""
        return self._exchanges[-1].status if self._exchanges else 0


_ALWAYS = {"format": "json", "formatversion": "2", "errorformat": "plaintext", "maxlag": "5"}
_SESSION_OVER = frozenset(
    {"assertuserfailed", "assertbotfailed", "assertnameduserfailed", "mustbeloggedin", "notloggedin"}
)


def not_mediawiki(exchange: Exchange) -> str:
    """Say that somebody else answered in the wiki's place, and what to do."""
    return (
        f"{exchange.url} answered {exchange.status} with a page that is not the wiki's interface: a sign-in page, a "
        "firewall or a challenge stands before it. Ask the wiki's administrator to let this address reach api.php."
    )
