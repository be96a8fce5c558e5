"""The evidence client: the only way from a connector to the network.

It asks so that the bytes on the wire are the bytes kept (HTTP/1.1, no
compression), replaces secrets before anything exists that could be written,
and records every exchange: each redirect, each retry, each failure. It is
polite, and it does not let a page lead it into the agency's own network.

Not done: cookies are not kept, proxies are not used, and requests have no
bodies. One client belongs to one page and one thread.
"""

from __future__ import annotations

import hashlib
import ssl
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import unquote_plus, urlencode

import httpx

from connectors import addresses, codings
from connectors.addresses import Gate, Resolve
from connectors.connections import Connections, Watch
from connectors.contract import Exchange
from connectors.errors import AccessRevoked, AddressRefused, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.secrets import SECRET_PARAMETERS, Replacing, Secrets

MAX_BODY = 32 * 1024 * 1024
MAX_DECODED = 64 * 1024 * 1024

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_PASSING = frozenset({429, 500, 502, 503, 504})
_REFUSALS = frozenset({401, 403})
_LONGEST_PAUSE = timedelta(days=1)
_OURS = frozenset(
    {"host", "user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding"}
)
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_MOST_ADDRESSES = 3
_MOST_WAITING = 64 * 1024 * 1024


class Clock(Protocol):
    """Tells the time, in UTC with its zone."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How patiently, how often and how much a client asks.

    `interval` lies between two requests to one host. `deadline` bounds one
    request with its whole answer, however slowly it drips. A Retry-After up to
    `patience` is waited for within the run; a longer one is capture's to plan.
    """

    interval: timedelta = timedelta(milliseconds=500)
    retries: int = 2
    patience: timedelta = timedelta(seconds=60)
    deadline: timedelta = timedelta(minutes=2)
    stream_deadline: timedelta = timedelta(hours=1)
    connect_within: timedelta = timedelta(seconds=20)
    silence: timedelta = timedelta(seconds=60)
    max_body: int = MAX_BODY


def decoded(exchange: Exchange, *, most: int = MAX_DECODED) -> bytes:
    """The body without its content coding, for parsers; at most `most` bytes.

    Servers are asked not to compress. One that does so all the same is kept as
    it was on the wire, and read through this. `UnexpectedResponse` where the
    coding is unknown, broken, or a bomb.
    """
    try:
        return codings.decode(exchange.body, codings.codings(exchange.header("Content-Encoding")), most=most)
    except codings.CannotDecode as fault:
        raise UnexpectedResponse(f"{exchange.url} cannot be read: {fault}.", [exchange]) from None


class EvidenceClient:
    """`contract.Client` over real connections.

    `clock` and `monotonic` tell the time, `wait` lets it pass; `contact` is
    whom a site's administrator may write to. `secrets` are the page's secrets
    by name. `allow_hosts` may be asked although their addresses are private.
    `tls` verifies certificates; None takes the machine's own authorities.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        wait: Callable[[timedelta], None],
        contact: str,
        version: str = "0",
        secrets: Mapping[str, str] | None = None,
        secret_parameters: Collection[str] = SECRET_PARAMETERS,
        allow_hosts: Collection[str] = (),
        manners: Manners | None = None,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = addresses.resolve,
    ) -> None:
        self._clock, self._monotonic, self._wait = clock, monotonic, wait
        self._agent = (
            f"Muniment/{version} (archive of public records{f'; {_line(contact)}' if contact else ''})"
        )
        self._secrets = Secrets(secrets or {}, parameters=secret_parameters)
        self._gate = Gate(allow_hosts, resolve)
        self._manners = manners or Manners()
        self._connections = Connections(tls)
        self._asked_at: dict[str, float] = {}
        self._recorded = _Recorded()

    # -- what connectors and capture use -------------------------------------------------------------------

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._clock.now()

    def keep_secret(self, name: str, value: str) -> None:
        """From now on `value` is a secret too: a token that was learned on the way."""
        self._secrets.keep(name, value)

    def take(self) -> list[Exchange]:
        """Every exchange since the last take, hops, retries and failures too; each is given once.

        Answers that `get` handed back are let go of, oldest first, when more
        than 64 MiB of them are waiting here: whoever asked has them. What was
        never handed back is kept until it is taken.
        """
        return self._recorded.take()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Exchange:
        """Ask for `url` and read the whole answer; see `contract.Client`.

        Up to five redirects are followed; credentials stay with the origin
        that they were meant for. A status in `accept` is returned as it is,
        a redirect too. Errors carry every exchange of this question.
        """
        visit = self._visit(url, params, headers, accept, self._manners.deadline)
        exchange = self._arrive(visit, None).exchange
        self._recorded.handed_back(exchange)
        return exchange

    @contextmanager
    def stream(
        self, url: str, *, most: int, headers: Mapping[str, str] | None = None, accept: Sequence[int] = ()
    ) -> Iterator[tuple[Exchange, Iterator[bytes]]]:
        """Ask for a file, and yield its head with an iterator over its bytes as they come.

        The head's body is empty; the bytes MUST be read inside the context.
        They are handed on as they were on the wire. Where there are more than
        `most`, or fewer than the server promised, the iterator raises, and the
        file is not whole. An answer that is not a success (a 404) comes with
        the few bytes of its body, already read.
        """
        visit = self._visit(url, None, headers, accept, self._manners.stream_deadline)
        answer = self._arrive(visit, most)
        try:
            yield replace(answer.exchange, body=b""), answer.chunks or iter([answer.exchange.body])
        finally:
            answer.close()

    def close(self) -> None:
        """Let go of every connection."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- one question, with its hops and retries -----------------------------------------------------------

    def _visit(
        self,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        accept: Sequence[int],
        deadline: timedelta,
    ) -> _Visit:
        asked = with_params(url, params or {})
        replacing = self._secrets.during(asked, headers or {})
        return _Visit(asked, _checked(headers or {}), frozenset(accept), deadline, replacing)

    def _arrive(self, visit: _Visit, most: int | None) -> _Answer:
        """Ask, follow and ask again, until an answer stands or an error is raised."""
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                url = self._gate.read(visit.url).copy_with(fragment=None)
                answer = self._answered(visit, url, most)
                following = self._following(visit, url, answer)
                if following is None:
                    return answer
                answer.close()
                visit.move(url, following)
            raise UnexpectedResponse(f"{visit.first} leads on and on: more than {_MOST_REDIRECTS} redirects.")
        except ConnectorError as error:
            error.args = tuple(visit.replacing.text(str(part)) for part in error.args)
            error.exchanges = tuple(visit.exchanges)
            raise

    def _answered(self, visit: _Visit, url: httpx.URL, most: int | None) -> _Answer:
        attempt = 0
        while True:
            self._be_polite(url)
            answer = self._once(visit, url, most)
            pause = self._pause(answer, attempt)
            if pause is None:
                if answer.error is not None:
                    answer.close()
                    raise answer.error
                return answer
            answer.close()
            self._wait(pause)
            attempt += 1

    def _pause(self, answer: _Answer, attempt: int) -> timedelta | None:
        """How long to wait before asking again; None where that is not for this run to do."""
        if (
            not answer.again
            or attempt >= self._manners.retries
            or not isinstance(answer.error, TryAgainLater)
        ):
            return None
        if answer.error.after is None:
            # A throttle without a time says nothing about when; hurrying would make it worse.
            return None if answer.exchange.status == 429 else timedelta(seconds=2**attempt)
        return answer.error.after if answer.error.after <= self._manners.patience else None

    def _be_polite(self, url: httpx.URL) -> None:
        now, last = self._monotonic(), self._asked_at.get(url.host)
        if last is not None:
            left = self._manners.interval - timedelta(seconds=now - last)
            if left > timedelta(0):
                self._wait(left)
        self._asked_at[url.host] = self._monotonic()

    def _following(self, visit: _Visit, url: httpx.URL, answer: _Answer) -> httpx.URL | None:
        """Where a redirect leads; None where the answer is no redirect, or is wanted as it is."""
        if answer.exchange.status not in _REDIRECTS - visit.accept or answer.location is None:
            return None
        try:
            return url.join(answer.location)
        except (httpx.InvalidURL, ValueError) as fault:
            raise UnexpectedResponse(f"{url} leads to an address that cannot be read: {fault}.") from None

    # -- one exchange --------------------------------------------------------------------------------------

    def _once(self, visit: _Visit, url: httpx.URL, most: int | None) -> _Answer:
        began = self._monotonic()
        asking = _Asking(visit, url, self._headers(visit, url), self.now(), began, visit.replacing.anew())
        try:
            where = self._gate.addresses(url)
        except TryAgainLater as fault:
            return self._no_answer(asking, str(fault), fault, again=True)
        watch = Watch(visit.deadline)
        response = self._connected(asking, where, watch)
        if isinstance(response, httpx.TransportError):
            watch.end()
            return self._unconnected(asking, response, late=watch.cut)
        asking.shown(response)
        answer = self._received(asking, response, watch, most)
        if answer.chunks is None:
            answer.close()
        return answer

    def _connected(
        self, asking: _Asking, where: Sequence[str], watch: Watch
    ) -> httpx.Response | httpx.TransportError:
        """The answer of the first address that can be reached, or what went wrong at the last."""
        failure = httpx.TransportError("no address was asked")
        for address in where[:_MOST_ADDRESSES]:
            asking.peer = address
            try:
                return self._send(asking, address, watch)
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                failure = fault
            except httpx.TransportError as fault:
                return fault
        return failure

    def _headers(self, visit: _Visit, url: httpx.URL) -> list[tuple[str, str]]:
        given = visit.headers
        accept = next((value for name, value in given if name.lower() == "accept"), "*/*")
        return [
            ("Host", url.netloc.decode("ascii")),
            ("User-Agent", self._agent),
            ("Accept", accept),
            ("Accept-Encoding", "identity"),
            ("Connection", "keep-alive"),
            *((name, value) for name, value in given if name.lower() != "accept"),
        ]

    def _send(self, asking: _Asking, address: str, watch: Watch) -> httpx.Response:
        manners = self._manners
        most = asking.visit.deadline
        connect, silence = (
            min(manners.connect_within, most).total_seconds(),
            min(manners.silence, most).total_seconds(),
        )
        request = httpx.Request(
            "GET",
            asking.url.copy_with(host=address),
            headers=[(name.encode("ascii"), value.encode("utf-8")) for name, value in asking.headers],
            extensions={
                "timeout": {"connect": connect, "read": silence, "write": silence, "pool": connect},
                "sni_hostname": asking.url.raw_host.decode("ascii").rstrip("."),
            },
        )
        return self._connections.send(asking.url, address, request, watch)

    def _unconnected(self, asking: _Asking, fault: httpx.TransportError, *, late: bool) -> _Answer:
        """No answer came. A certificate that does not verify is not asked again; anything else may pass."""
        host = asking.url.host
        certificate = _cause(fault, ssl.SSLCertVerificationError)
        if certificate is not None:
            failure = f"certificate: {certificate.verify_message or certificate}"
            refused = AddressRefused(
                f"The certificate of {host} does not verify: {certificate.verify_message or certificate}. Ask whoever "
                "runs the site to renew it; for an authority of the agency's own, the operator names its file in SSL_CERT_FILE."
            )
            return self._no_answer(asking, failure, refused, again=False)
        if late or isinstance(fault, httpx.TimeoutException):
            failure, says = "no answer in time", f"{host} did not answer in time."
        else:
            failure = f"{type(fault).__name__}: {fault}"
            says = f"{host} did not answer: {fault}."
        return self._no_answer(asking, failure, TryAgainLater(says), again=not late)

    def _no_answer(self, asking: _Asking, failure: str, error: ConnectorError, *, again: bool) -> _Answer:
        exchange = self._record(
            asking, self._exchange(asking, status=0, failure=asking.replacing.text(failure))
        )
        return _Answer(exchange, error=error, again=again)

    def _received(self, asking: _Asking, response: httpx.Response, watch: Watch, most: int | None) -> _Answer:
        """Read an answer's body and judge it; the body of a file that was found is left to be streamed."""
        if most is not None and 200 <= response.status_code < 300:
            head = self._record(asking, self._exchange(asking, response))
            answer = _Answer(head, response=response, watch=watch)
            answer.chunks = self._flowing(asking, answer, response, watch, most)
            return answer
        body, truncated, lost = self._read(asking, response, watch)
        exchange = self._record(asking, self._exchange(asking, response, body=body, truncated=truncated))
        answer = _Answer(exchange, response=response, watch=watch, location=response.headers.get("location"))
        if truncated is not None:
            answer.error = self._cut_short(asking.url, truncated, lost=lost, most=self._manners.max_body)
        elif exchange.failure is not None:
            answer.error = UnexpectedResponse(f"{asking.url}: {exchange.failure}.")
        else:
            answer.error = self._judged(asking, exchange)
            answer.again = exchange.status in _PASSING
        return answer

    def _read(
        self, asking: _Asking, response: httpx.Response, watch: Watch
    ) -> tuple[bytes, str | None, bool]:
        """The body as it was on the wire; why it is shorter than it should be; whether the connection was lost."""
        body, most = bytearray(), self._manners.max_body
        try:
            for chunk in response.stream:  # type: ignore[union-attr]  # of a sync transport
                body += chunk
                if len(body) > most:
                    return bytes(body[:most]), "length", False
                if self._late(asking, watch):
                    return bytes(body), "time", True
        except httpx.TransportError as fault:
            late = isinstance(fault, httpx.TimeoutException) or self._late(asking, watch)
            return (
                bytes(body),
                "time" if late else "disconnect",
                not isinstance(fault, httpx.RemoteProtocolError),
            )
        return bytes(body), "time" if watch.cut else None, watch.cut

    def _flowing(
        self, asking: _Asking, answer: _Answer, response: httpx.Response, watch: Watch, most: int
    ) -> Iterator[bytes]:
        """The bytes of a file, as they come. One that is not whole ends with an error, and its head says so."""
        count, truncated, lost = 0, None, False
        try:
            for chunk in response.stream:  # type: ignore[union-attr]  # of a sync transport
                if count + len(chunk) > most:
                    yield chunk[: most - count]
                    truncated = "length"
                    break
                count += len(chunk)
                yield chunk
                if self._late(asking, watch):
                    truncated, lost = "time", True
                    break
            else:
                truncated, lost = ("time", True) if watch.cut else (None, False)
        except httpx.TransportError as fault:
            late = isinstance(fault, httpx.TimeoutException) or self._late(asking, watch)
            truncated, lost = (
                "time" if late else "disconnect",
                not isinstance(fault, httpx.RemoteProtocolError),
            )
        if truncated is not None:
            head = replace(answer.exchange, truncated=truncated, seconds=self._monotonic() - asking.began)
            self._correct(asking.visit, answer.exchange, head)
            error = self._cut_short(asking.url, truncated, lost=lost, most=most)
            error.args = tuple(asking.replacing.text(str(part)) for part in error.args)
            error.exchanges = tuple(asking.visit.exchanges)
            raise error

    def _late(self, asking: _Asking, watch: Watch) -> bool:
        return watch.cut or self._monotonic() - asking.began > asking.visit.deadline.total_seconds()

    def _cut_short(self, url: httpx.URL, truncated: str, *, lost: bool, most: int) -> ConnectorError:
        match truncated:
            case "length":
                return UnexpectedResponse(
                    f"{url} answers with more than {most} bytes; the rest was not read."
                )
            case "time":
                return TryAgainLater(f"{url} answers too slowly; the rest was not waited for.")
            case _ if lost:
                return TryAgainLater(f"{url}: the connection was lost before the answer was whole.")
            case _:
                return UnexpectedResponse(f"{url} answered with less than it promised.")

    def _judged(self, asking: _Asking, exchange: Exchange) -> ConnectorError | None:
        status, accepted = exchange.status, asking.visit.accept
        if status in accepted:
            return None
        says = f"{asking.url} answered {status} {exchange.reason}".rstrip()
        if status in _REFUSALS:
            return AccessRevoked(f"{says}. Connect the page again, with someone who may read it.")
        if status == 429 or status >= 500:
            return TryAgainLater(f"{says}.", after=retry_after(exchange, self.now()))
        return None

    # -- what is recorded ----------------------------------------------------------------------------------

    def _exchange(
        self,
        asking: _Asking,
        response: httpx.Response | None = None,
        *,
        status: int = 0,
        body: bytes = b"",
        truncated: str | None = None,
        failure: str | None = None,
    ) -> Exchange:
        """The exchange as it may be written: with every secret replaced."""
        replacing = asking.replacing
        url = replacing.text(str(asking.url), "request.url")
        sent = [(name, replacing.header(name, _latin(value), "request")) for name, value in asking.headers]
        came: list[tuple[str, str]] = []
        if response is not None:
            status = response.status_code
            came = [
                (name, replacing.header(name, value, "response"))
                for name, value in (
                    (raw.decode("latin-1"), value.decode("latin-1")) for raw, value in response.headers.raw
                )
            ]
            body, unread = self._without_secrets(
                replacing, body, response.headers.get("content-encoding"), truncated
            )
            failure = failure or unread
        return Exchange(
            method="GET",
            url=url,
            started_at=asking.started_at,
            seconds=self._monotonic() - asking.began,
            status=status,
            reason=_extension(response, "reason_phrase"),
            http_version=_extension(response, "http_version") or "HTTP/1.1",
            request_headers=tuple(sent),
            response_headers=tuple(came),
            body=body,
            truncated=truncated,
            failure=failure,
            peer_address=asking.peer,
            peer_certificate_sha256=asking.certificate,
            replaced=replacing.replaced,
        )

    def _without_secrets(
        self, replacing: Replacing, body: bytes, coding: str | None, truncated: str | None
    ) -> tuple[bytes, str | None]:
        """A body that may be written, and why it could not be read where that is so.

        A compressed body is looked into. Where a secret is found there, the
        body is compressed again without it; where it cannot be looked into,
        its bytes are not kept, since nobody could say what they hold.
        """
        applied = codings.codings(coding)
        if not body or not replacing.any or not applied:
            return replacing.body(body, "response.body", cut=truncated is not None), None
        try:
            plain = codings.decode(
                body, applied, most=max(MAX_DECODED, self._manners.max_body), cut=truncated is not None
            )
        except codings.CannotDecode as fault:
            return b"", f"the body was not kept: {fault}, so that it could not be searched for secrets"
        clean = replacing.body(plain, "response.body", cut=truncated is not None)
        return (body, None) if clean == plain else (codings.encode(clean, applied), None)

    def _record(self, asking: _Asking, exchange: Exchange) -> Exchange:
        asking.visit.exchanges.append(exchange)
        self._recorded.add(exchange)
        return exchange

    def _correct(self, visit: _Visit, was: Exchange, now: Exchange) -> None:
        """A head that turned out to be of a file cut short says so, also where it was taken already."""
        visit.exchanges = [now if one is was else one for one in visit.exchanges]
        self._recorded.correct(was, now)


class _Recorded:
    """The exchanges that wait to be taken."""

    def __init__(self) -> None:
        self._waiting: list[Exchange] = []
        self._handed: deque[Exchange] = deque()
        self._weight = 0

    def add(self, exchange: Exchange) -> None:
        self._waiting.append(exchange)

    def handed_back(self, exchange: Exchange) -> None:
        """Somebody has this one already; a connector that never takes does not fill the memory with it."""
        self._handed.append(exchange)
        self._weight += len(exchange.body)
        while self._weight > _MOST_WAITING:
            oldest = self._handed.popleft()
            self._weight -= len(oldest.body)
            self._waiting = [one for one in self._waiting if one is not oldest]

    def correct(self, was: Exchange, now: Exchange) -> None:
        if not any(one is was for one in self._waiting):
            self._waiting.append(was)
        self._waiting = [now if one is was else one for one in self._waiting]

    def take(self) -> list[Exchange]:
        taken, self._waiting = self._waiting, []
        self._handed.clear()
        self._weight = 0
        return taken


@dataclass(slots=True)
class _Visit:
    """One question: where it stands, what it carries, and every exchange that it led to."""

    url: str
    headers: list[tuple[str, str]]
    accept: frozenset[int]
    deadline: timedelta
    replacing: Replacing
    exchanges: list[Exchange] = field(default_factory=list)
    first: str = ""

    def __post_init__(self) -> None:
        self.first = self.url

    def move(self, url: httpx.URL, following: httpx.URL) -> None:
        """Go where a redirect leads. To another origin no credentials go along, nor any secret in a header."""
        self.url = str(following)
        if (url.scheme, url.host, url.port) != (following.scheme, following.host, following.port):
            self.headers = [
                (name, value)
                for name, value in self.headers
                if name.lower() not in _CREDENTIALS and self.replacing.text(value) == value
            ]


@dataclass(slots=True)
class _Asking:
    """One request on its way."""

    visit: _Visit
    url: httpx.URL
    headers: list[tuple[str, str]]
    started_at: datetime
    began: float
    replacing: Replacing
    peer: str | None = None
    certificate: str | None = None

    def shown(self, response: httpx.Response) -> None:
        """Note who answered, while the connection still stands: its address, and SHA-256 of its certificate in hex."""
        stream = response.extensions["network_stream"]
        with suppress(OSError):
            self.peer = str(stream.get_extra_info("server_addr")[0])
        tls = stream.get_extra_info("ssl_object")
        certificate = tls.getpeercert(True) if tls is not None else None
        self.certificate = None if certificate is None else hashlib.sha256(certificate).hexdigest()


@dataclass(slots=True)
class _Answer:
    """What came of one request: its exchange, and the error that it means, if it means one."""

    exchange: Exchange
    error: ConnectorError | None = None
    again: bool = False
    location: str | None = None
    chunks: Iterator[bytes] | None = None
    response: httpx.Response | None = None
    watch: Watch | None = None

    def close(self) -> None:
        if self.response is not None:
            with suppress(httpx.TransportError):
                self.response.close()
        if self.watch is not None:
            self.watch.end()


def retry_after(exchange: Exchange, now: datetime) -> timedelta | None:
    """The delay that Retry-After asks for (RFC 9110, section 10.2.3), a day at most; None where it names none."""
    value = (exchange.header("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), _LONGEST_PAUSE) if len(value) <= 9 else _LONGEST_PAUSE
    try:
        then = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return min(max(then - now, timedelta(0)), _LONGEST_PAUSE)


def with_params(url: str, params: Mapping[str, str]) -> str:
    """`url` with `params`; one that it bears already is replaced, the rest of it stays byte for byte."""
    if not params:
        return url
    address, _, fragment = url.partition("#")
    path, _, query = address.partition("?")
    kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in params]
    asked = "&".join([*kept, urlencode(params)])
    return f"{path}?{asked}{'#' if fragment else ''}{fragment}"


def _checked(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Headers that a connector may send: not those that the client writes, and nothing that ends a line."""
    for name, value in headers.items():
        if name.lower() in _OURS:
            raise ValueError(f"The header {name} is the evidence client's own.")
        if not name.isascii() or any(sign in name + value for sign in "\r\n\0"):
            raise ValueError(f"The header {name!r} holds a sign that no header may hold.")
    return list(headers.items())


def _line(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode("ascii").split())


def _latin(value: str) -> str:
    return value.encode("utf-8").decode("latin-1")


def _extension(response: httpx.Response | None, name: str) -> str:
    return "" if response is None else bytes(response.extensions.get(name, b"")).decode("latin-1")


def _cause(
    fault: BaseException | None, wanted: type[ssl.SSLCertVerificationError]
) -> ssl.SSLCertVerificationError | None:
    while fault is not None:
        if isinstance(fault, wanted):
            return fault
        fault = fault.__cause__ or fault.__context__
    return None
