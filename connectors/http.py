"""The evidence client: the only way from a connector to the network.

It asks so that the bytes on the wire are the bytes kept (HTTP/1.1, no
compression), replaces secrets before anything exists that could be written,
and records every exchange: each redirect, each retry, each failure. It is
polite, and it does not let a page lead it into the agency's own network.

Not done: cookies are not kept, proxies are not used, and nothing is asked that
would change a page. One client belongs to one page and one thread; closing it
from another ends its streams.
"""

from __future__ import annotations

import hashlib
import ssl
import weakref
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import unquote_plus, urlencode

import httpx

from connectors import addresses, codings, events, sockets
from connectors.addresses import Gate, Resolve
from connectors.connections import Alone, BrokenOff, Connections, Watch
from connectors.contract import Exchange
from connectors.courtesy import Turns
from connectors.errors import AccessRevoked, AddressRefused, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.mailbox import ImapMailbox, Mailbox
from connectors.resuming import Came, NotTheRest
from connectors.secrets import SECRET_PARAMETERS, SHORTEST, Replacing, Secrets, Sent

MAX_BODY = 32 * 1024 * 1024
MAX_DECODED = 64 * 1024 * 1024
MAX_MESSAGE = 8 * 1024 * 1024

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_PASSING = frozenset({429, 500, 502, 503, 504})
_REFUSALS = frozenset({401, 403})
_LONGEST_PAUSE = timedelta(days=1)
_OURS = frozenset(
    {
        "host",
        "user-agent",
        "accept-encoding",
        "connection",
        "content-length",
        "transfer-encoding",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
    }
)
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_MOST_ADDRESSES = 3
_MOST_WAITING = 64 * 1024 * 1024
_WEIGHT_OF_A_MESSAGE = 2048
"""What a stream's exchange weighs beside its body, so that many small ones are bounded too."""


class Clock(Protocol):
    """Tells the time, in UTC with its zone."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How patiently, how often and how much a client asks.

    `interval` lies between two requests to one host. `deadline` bounds one
    request with its whole answer, however slowly it drips. A Retry-After up to
    `patience` is waited for within the run; a longer one is capture's to plan.
    A stream that stays open may be silent for `stream_silence`, and none of
    its messages may be longer than `max_message`.
    """

    interval: timedelta = timedelta(milliseconds=500)
    retries: int = 2
    patience: timedelta = timedelta(seconds=60)
    deadline: timedelta = timedelta(minutes=2)
    stream_deadline: timedelta = timedelta(hours=1)
    connect_within: timedelta = timedelta(seconds=20)
    silence: timedelta = timedelta(seconds=60)
    stream_silence: timedelta = timedelta(minutes=5)
    max_body: int = MAX_BODY
    max_message: int = MAX_MESSAGE


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
    `turns` are shared by the clients of one process, so that they are polite
    together.
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
        turns: Turns | None = None,
    ) -> None:
        self._clock, self._monotonic, self._wait = clock, monotonic, wait
        self._agent = (
            f"Muniment/{version} (archive of public records{f'; {_line(contact)}' if contact else ''})"
        )
        self._secrets = Secrets(secrets or {}, parameters=secret_parameters)
        self._gate = Gate(allow_hosts, resolve)
        self._manners = manners or Manners()
        self._connections = Connections(tls)
        self._turns = turns or Turns()
        self._recorded = _Recorded()
        self._learned: dict[int, dict[str, str]] = {}

    # -- what connectors and capture use -------------------------------------------------------------------

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._clock.now()

    def keep_secret(self, name: str, value: str) -> None:
        """From now on `value` is a secret too: a token that was learned on the way."""
        self._secrets.keep(name, value)

    def learned(self, exchange: Exchange) -> Mapping[str, str]:
        """The secrets that were replaced in this answer, by name; see `contract.Client`."""
        return dict(self._learned.get(id(exchange), {}))

    def take(self) -> list[Exchange]:
        """Every exchange since the last take, hops, retries and failures too; each is given once.

        Answers that `get`, `post` and `listen` handed back are let go of, oldest first, when more
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
        apart: timedelta = timedelta(0),
    ) -> Exchange:
        """Ask for `url` and read the whole answer; see `contract.Client`.

        Up to five redirects are followed; credentials stay with the origin
        that they were meant for. A status in `accept` is returned as it is,
        a redirect too. Errors carry every exchange of this question.
        """
        visit = self._visit(url, params, headers, accept, self._manners.deadline)
        visit.apart = apart
        exchange = self._arrive(visit, None).exchange
        self._recorded.handed_back(exchange)
        return exchange

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Exchange:
        """Send a form, JSON or nothing, and read the whole answer; see `contract.Client`.

        It is sent again only where nothing of it can have arrived. A redirect
        is returned as it is.
        """
        sent = Sent(form, json)
        visit = self._visit(url, None, headers, accept, self._manners.deadline, sent)
        exchange = self._arrive(visit, None).exchange
        self._recorded.handed_back(exchange)
        return exchange

    def listen(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Exchange]:
        """Open a stream and yield its messages; see `contract.Client`.

        It has a connection to itself, which is closed with the iterator. Each
        exchange bears the opening's headers, and when its message was whole.
        A message that broke off is an exchange too, carried by the error; a
        stream that ended before its first message leaves its opening alone.
        """
        visit = self._visit(_http(url), params, headers, (), self._manners.deadline)
        visit.stream = sockets.opening() if _is_socket(url) else {}
        answer = self._arrive(visit, None)
        try:
            yield from self._messages(visit, answer)
        except ConnectorError as error:
            _without_secrets(error, visit)
            raise
        finally:
            answer.close()

    @contextmanager
    def stream(
        self, url: str, *, most: int, headers: Mapping[str, str] | None = None, accept: Sequence[int] = ()
    ) -> Iterator[tuple[Exchange, Iterator[bytes]]]:
        """Ask for a file, and yield its head with an iterator over its bytes as they come.

        The head's body is empty; the bytes MUST be read inside the context.
        They are handed on as they were on the wire. A file that breaks off is
        asked for from there where its rest can be told from another's (see
        `connectors.resuming`); each answer is an exchange. Where there are more
        than `most`, or fewer than the server promised, the iterator raises, and
        the file is not whole. An answer that is not a success (a 404) is no file:
        it is the whole exchange, and its few bytes come from the iterator too.
        """
        visit = self._visit(url, None, headers, accept, self._manners.stream_deadline)
        answer = self._arrive(visit, most)
        if answer.chunks is None:
            yield answer.exchange, iter([answer.exchange.body])
            return
        with closing(answer), closing(self._whole(visit, answer, most, headers or {})) as chunks:
            yield answer.exchange, chunks

    def mailbox(
        self, host: str, user: str, *, password: str | None = None, access_token: str | None = None
    ) -> Mailbox:
        """The mailbox of `user` at `host`, read only and recorded as everything else; see `connectors.mailbox`."""
        return ImapMailbox(
            host,
            user,
            password=password,
            access_token=access_token,
            gate=self._gate,
            clock=self._clock,
            monotonic=self._monotonic,
            replacing=lambda: self._secrets.during("", {}),
            record=self._recorded.add,
            tls=self._connections.tls,
            most=self._manners.max_body,
        )

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
        sent: Sent | None = None,
    ) -> _Visit:
        asked = with_params(url, params or {})
        replacing = self._secrets.during(asked, headers or {}, sent)
        return _Visit(asked, _checked(headers or {}), frozenset(accept), deadline, replacing, sent)

    def _arrive(self, visit: _Visit, most: int | None) -> _Answer:
        """Ask, follow and ask again, until an answer stands or an error is raised."""
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                url = self._gate.read(visit.address).copy_with(fragment=None)
                answer = self._answered(visit, url, most)
                following = self._following(visit, url, answer)
                if following is None:
                    return answer
                answer.close()
                visit.move(url, following)
            raise UnexpectedResponse(f"{visit.first} leads on and on: more than {_MOST_REDIRECTS} redirects.")
        except ConnectorError as error:
            _without_secrets(error, visit)
            raise

    def _answered(self, visit: _Visit, url: httpx.URL, most: int | None) -> _Answer:
        attempt = 0
        while True:
            self._be_polite(url, visit.apart)
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

    def _be_polite(self, url: httpx.URL, apart: timedelta) -> None:
        now = self._monotonic()
        pause = self._turns.take(url.host, now, self._manners.interval)
        if apart > timedelta(0):
            pause += self._turns.take(f"{url.host}{url.path}", now + pause.total_seconds(), apart)
        if pause > timedelta(0):
            self._wait(pause)

    def _following(self, visit: _Visit, url: httpx.URL, answer: _Answer) -> httpx.URL | None:
        """Where a redirect leads; None where the answer is no redirect, or is wanted as it is."""
        if answer.exchange.status not in _REDIRECTS - visit.accept or answer.location is None:
            return None
        if visit.sent is not None:
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
        if visit.stream is not None:
            asking.alone = self._connections.alone(url.scheme)
        response = self._connected(asking, where, watch)
        if isinstance(response, httpx.TransportError):
            watch.end()
            asking.close()
            return self._unconnected(asking, response, late=watch.cut)
        asking.shown(response)
        if visit.stream is not None and _opens(visit, response):
            watch.end()
            return _Answer(self._exchange(asking, response), response=response, asking=asking)
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
        given = {name.lower() for name, _ in visit.headers}
        usual = events.MEDIA_TYPE if visit.is_events else "*/*"
        accept = next((value for name, value in visit.headers if name.lower() == "accept"), usual)
        written = [
            ("Host", url.netloc.decode("ascii")),
            ("User-Agent", self._agent),
            ("Accept", accept),
            ("Accept-Encoding", "identity"),
            ("Connection", "Upgrade" if visit.stream else "keep-alive"),
            *(visit.stream or {}).items(),
        ]
        if visit.is_events and "cache-control" not in given:
            written.append(("Cache-Control", "no-cache"))
        if visit.sent is not None:
            if visit.sent.media_type is not None and "content-type" not in given:
                written.append(("Content-Type", visit.sent.media_type))
            written.append(("Content-Length", str(len(visit.wire))))
        return [*written, *((name, value) for name, value in visit.headers if name.lower() != "accept")]

    def _send(self, asking: _Asking, address: str, watch: Watch) -> httpx.Response:
        manners = self._manners
        visit = asking.visit
        most = visit.deadline
        connect, silence = (
            min(manners.connect_within, most).total_seconds(),
            min(manners.silence, most).total_seconds(),
        )
        if visit.is_events:
            # How long its bytes may be silent; until its head has come, the watch cuts it at the deadline.
            silence = manners.stream_silence.total_seconds()
        request = httpx.Request(
            visit.method,
            asking.url.copy_with(host=address),
            headers=[(name.encode("ascii"), value.encode("utf-8")) for name, value in asking.headers],
            content=visit.wire if visit.sent is not None else None,
            extensions={
                "timeout": {"connect": connect, "read": silence, "write": silence, "pool": connect},
                "sni_hostname": asking.url.raw_host.decode("ascii").rstrip("."),
            },
        )
        if asking.alone is not None:
            return asking.alone.send(request, watch)
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
        unsent = isinstance(fault, (httpx.ConnectError, httpx.ConnectTimeout))
        again = not late and (asking.visit.sent is None or unsent)
        return self._no_answer(asking, failure, TryAgainLater(says), again=again)

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
        answer = _Answer(
            exchange,
            response=response,
            watch=watch,
            location=response.headers.get("location"),
            asking=asking,
        )
        if truncated is not None:
            answer.error = self._cut_short(asking.url, truncated, lost=lost, most=self._manners.max_body)
        elif exchange.failure is not None:
            answer.error = UnexpectedResponse(f"{asking.url}: {exchange.failure}.")
        else:
            answer.error = self._judged(asking, exchange)
            answer.again = exchange.status in _PASSING and asking.visit.sent is None
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
            silent, late = isinstance(fault, httpx.TimeoutException), self._late(asking, watch)
            truncated, lost = (
                "time" if silent or late else "disconnect",
                not isinstance(fault, httpx.RemoteProtocolError),
            )
            answer.broke_off = not late and (not silent or count > 0)
        if truncated is not None:
            head = replace(answer.exchange, truncated=truncated, seconds=self._monotonic() - asking.began)
            self._correct(asking.visit, answer.exchange, head)
            error = self._cut_short(asking.url, truncated, lost=lost, most=most)
            error.args = tuple(asking.replacing.text(str(part)) for part in error.args)
            error.exchanges = tuple(asking.visit.exchanges)
            raise error

    def _whole(
        self, visit: _Visit, answer: _Answer, most: int, headers: Mapping[str, str]
    ) -> Generator[bytes]:
        """The bytes of a file to its end; one that breaks off is asked for from there, as often as any question."""
        came, visits = Came.of(answer.exchange), [visit]
        chunks = answer.chunks or iter(())
        try:
            for attempt in range(self._manners.retries + 1):
                try:
                    with closing(answer):
                        yield from self._counted(visits[-1], answer, chunks, came, most)
                except ConnectorError:
                    more = came.asks()
                    if not answer.broke_off or not more or attempt == self._manners.retries:
                        raise
                else:
                    return
                self._wait(timedelta(seconds=2**attempt))
                visits.append(
                    self._visit(visit.first, None, {**headers, **more}, tuple(_REFUSALS), visit.deadline)
                )
                answer = self._arrive(visits[-1], most)
                chunks = came.rest(answer.exchange, answer.chunks or iter(()))
        except NotTheRest as fault:
            error: ConnectorError = UnexpectedResponse(f"{visit.first} broke off, and {fault}.")
            _without_secrets(error, visit)
            error.exchanges = tuple(one for each in visits for one in each.exchanges)
            raise error from None
        except ConnectorError as error:
            error.exchanges = tuple(one for each in visits for one in each.exchanges)
            raise

    def _counted(
        self, visit: _Visit, answer: _Answer, chunks: Iterator[bytes], came: Came, most: int
    ) -> Iterator[bytes]:
        """The bytes of one answer that are new; with those that came before no more than `most`."""
        for chunk in chunks:
            room = most - came.count
            if fits := chunk[:room]:
                came.add(fits)
                yield fits
            if len(chunk) > room:
                self._correct(visit, answer.exchange, replace(answer.exchange, truncated="length"))
                error = self._cut_short(httpx.URL(visit.first), "length", lost=False, most=most)
                _without_secrets(error, visit)
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
        replacing, visit = asking.replacing, asking.visit
        applied, cut = codings.codings(_header(response, "content-encoding")), truncated is not None
        plain, unread = self._plain(body, applied, cut=cut)
        if plain is not None:
            replacing.learn(plain)
        url = replacing.text(visit.shown(asking.url), "request.url")
        sent = [(name, replacing.header(name, _latin(value), "request")) for name, value in asking.headers]
        asked = b"" if visit.sent is None else replacing.sent(visit.sent)
        came: list[tuple[str, str]] = []
        if response is not None:
            status = response.status_code
            told = [(raw.decode("latin-1"), value.decode("latin-1")) for raw, value in response.headers.raw]
            replacing.learn_cookies(told, asking.started_at)
            came = [(name, replacing.header(name, value, "response")) for name, value in told]
        if plain is not None:
            clean = replacing.body(plain, "response.body", cut=cut)
            body = body if clean == plain else codings.encode(clean, applied)
        elif replacing.any or visit.sent is not None:
            body, failure = b"", failure or unread
        exchange = Exchange(
            method=visit.method,
            url=url,
            started_at=asking.started_at,
            seconds=self._monotonic() - asking.began,
            status=status,
            reason=_extension(response, "reason_phrase"),
            http_version=_extension(response, "http_version") or "HTTP/1.1",
            request_headers=tuple(sent),
            request_body=asked,
            response_headers=tuple(came),
            body=body,
            truncated=truncated,
            failure=failure,
            peer_address=asking.peer,
            peer_certificate_sha256=asking.certificate,
            replaced=replacing.replaced,
        )
        self._remember(exchange, replacing.learned)
        return exchange

    def _plain(self, body: bytes, applied: list[str], *, cut: bool) -> tuple[bytes | None, str | None]:
        """A body that can be searched for secrets, or why there is none.

        A compressed body is looked into. Where a secret is found there, the
        body is compressed again without it; where it cannot be looked into and
        a secret might be in it, its bytes are not kept, since nobody could say
        what they hold.
        """
        if not body or not applied:
            return body, None
        try:
            return codings.decode(body, applied, most=max(MAX_DECODED, self._manners.max_body), cut=cut), None
        except codings.CannotDecode as fault:
            return None, f"the body was not kept: {fault}, so that it could not be searched for secrets"

    def _remember(self, exchange: Exchange, learned: Mapping[str, str]) -> None:
        """Keep what an answer told, for as long as its exchange lives; its tokens are secrets from now on.

        Values of cookies are not looked for elsewhere by themselves: many are
        ordinary words (a language, the name of whoever signed in).
        """
        if not learned:
            return
        self._learned[id(exchange)] = dict(learned)
        weakref.finalize(exchange, self._learned.pop, id(exchange), None).atexit = False
        for name, value in learned.items():
            if not name.startswith("cookie:") and len(value) >= SHORTEST:
                self._secrets.keep(name.partition(":")[0], value)

    # -- streams -------------------------------------------------------------------------------------------

    def _messages(self, visit: _Visit, answer: _Answer) -> Iterator[Exchange]:
        """Each message of a stream as an exchange; what ends it otherwise than well is an error."""
        opening, response = answer.exchange, answer.response
        if answer.asking is None or response is None or answer.watch is not None:
            raise UnexpectedResponse(
                f"{visit.first} answered {opening.status} and no stream that we can read."
            )
        count, socket = 0, None
        if visit.is_events:
            bodies = events.messages(response.stream, most=self._manners.max_message)  # type: ignore[arg-type]  # of a sync transport
        else:
            wrong = sockets.agreed(visit.stream["Sec-WebSocket-Key"], response.headers)  # type: ignore[index]  # not events
            if wrong is not None:
                self._record(answer.asking, replace(opening, failure=wrong))
                raise UnexpectedResponse(f"{visit.first} agreed to no WebSocket: {wrong}.")
            socket = sockets.Messages(
                response.extensions["network_stream"],
                most=self._manners.max_message,
                silence=self._manners.stream_silence,
            )
            bodies = iter(socket)
        try:
            for body in bodies:
                message = self._message(visit, opening, count, body)
                count += 1
                self._recorded.handed_back(message)
                yield message
        except BrokenOff as broken:
            last = self._message(visit, opening, count, broken.part, broken)
            visit.exchanges.append(last)
            raise _ended(visit, broken) from None
        finally:
            if socket is not None:
                socket.close()
        if count == 0:
            self._record(answer.asking, opening)

    def _message(
        self, visit: _Visit, opening: Exchange, number: int, body: bytes, broken: BrokenOff | None = None
    ) -> Exchange:
        # Secrets may have been learned since the stream was opened.
        replacing = self._secrets.during(visit.first, dict(visit.headers))
        replacing.learn(body)
        body = replacing.body(body, "response.body", cut=broken is not None)
        exchange = replace(
            opening,
            started_at=self.now(),
            seconds=0.0,
            body=body,
            truncated=None if broken is None else broken.truncated,
            failure=None if broken is None else replacing.text(f"the stream {broken.says}"),
            replaced=(*opening.replaced, *replacing.replaced),
            message=number,
        )
        self._recorded.add(exchange)
        return exchange

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
        self._weight += _weight(exchange)
        while self._weight > _MOST_WAITING:
            oldest = self._handed.popleft()
            self._weight -= _weight(oldest)
            for place, one in enumerate(self._waiting):
                if one is oldest:
                    del self._waiting[place]
                    break

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
    sent: Sent | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    first: str = ""
    stream: dict[str, str] | None = None
    """The headers that open a WebSocket; empty for server-sent events; None where no stream is asked for."""
    wire: bytes = b""
    apart: timedelta = timedelta(0)
    """How far from the last question to the same address this one must lie."""

    def __post_init__(self) -> None:
        self.first = self.url
        self.wire = b"" if self.sent is None else self.sent.wire()

    @property
    def method(self) -> str:
        return "GET" if self.sent is None else "POST"

    @property
    def is_events(self) -> bool:
        return self.stream is not None and not self.stream

    @property
    def address(self) -> str:
        """Where the next request goes; a WebSocket is asked for over http."""
        return _http(self.url) if self.stream else self.url

    def shown(self, url: httpx.URL) -> str:
        """An address as it is written down: a WebSocket's own scheme, where that is what was asked for."""
        return f"ws{str(url).removeprefix('http')}" if self.stream else str(url)

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
    alone: Alone | None = None

    def close(self) -> None:
        if self.alone is not None:
            self.alone.close()

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
    asking: _Asking | None = None
    broke_off: bool = False
    """Whether a file that was streamed broke off, or fell silent after some of it came: the rest may be asked for."""

    def close(self) -> None:
        if self.response is not None:
            with suppress(httpx.TransportError):
                self.response.close()
        if self.watch is not None:
            self.watch.end()
        if self.asking is not None:
            self.asking.close()


def _opens(visit: _Visit, response: httpx.Response) -> bool:
    """Whether an answer is the stream that was asked for, and not words about why there is none."""
    if visit.stream:
        return response.status_code == 101
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    coded = codings.codings(response.headers.get("content-encoding"))
    return response.status_code == 200 and kind == events.MEDIA_TYPE and not coded


def _ended(visit: _Visit, broken: BrokenOff) -> ConnectorError:
    says = f"The stream at {visit.first} {broken.says}."
    if broken.refused:
        return AccessRevoked(f"{says} Connect the page again, with someone who may read it.")
    return UnexpectedResponse(says) if broken.truncated == "length" else TryAgainLater(says)


def _without_secrets(error: ConnectorError, visit: _Visit) -> None:
    """An error says what happened without saying a secret, and carries every exchange of its question."""
    error.args = tuple(visit.replacing.text(str(part)) for part in error.args)
    error.exchanges = tuple(visit.exchanges)


def _is_socket(url: str) -> bool:
    return url[:6].lower().startswith(("ws://", "wss://"))


def _http(url: str) -> str:
    """The address at which a WebSocket is asked for (RFC 6455, section 3); any other address as it is."""
    return f"http{url[2:]}" if _is_socket(url) else url


def _weight(exchange: Exchange) -> int:
    return len(exchange.body) + (0 if exchange.message is None else _WEIGHT_OF_A_MESSAGE)


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


def _header(response: httpx.Response | None, name: str) -> str | None:
    return None if response is None else response.headers.get(name)


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
