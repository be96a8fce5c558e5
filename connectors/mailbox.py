"""Reading a mailbox as evidence: the sibling of the evidence client for mail that an agency receives.

It asks over IMAP (RFC 3501, and RFC 9051 where it is the same) so that nothing
in the mailbox changes: folders are opened with EXAMINE and messages read with
BODY.PEEK, so that not even the mark "read" is set. Every question and its
answer is an exchange, with an address as RFC 5092 writes it, without user or
password; a message's body is the RFC 822 bytes exactly as the server gave them.

Certificates are verified, and the address that is connected to passes the
same gate as any other. What is written to the server (the login above all) is
never recorded; what it answers is, after the replacement of secrets.

Not done: STARTTLS on port 143 is not offered, the mailbox has to speak TLS
from the first byte (RFC 8314). Signatures on messages (DKIM) are kept as the
bytes that they are, and not verified.
"""

from __future__ import annotations

import base64
import hashlib
import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, Self, cast
from urllib.parse import quote

import httpx

from connectors.addresses import Gate
from connectors.connections import Watch
from connectors.contract import Client, Exchange
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.secrets import Replacing

PORT = 993
MOST_BYTES = 32 * 1024 * 1024
SPOKEN = "IMAP4rev1"
ANSWERED = 200
"""IMAP says OK in a word; exchanges have a number for it."""

_CONNECT_WITHIN = timedelta(seconds=20)
_SILENCE = timedelta(seconds=60)
_DEADLINE = timedelta(minutes=2)
_MOST_ADDRESSES = 3

_CODE = re.compile(rb"\[([A-Z][A-Z0-9-]*)")
_LATER = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "OVERQUOTA"})
"""Response codes of RFC 5530 that another time may mend; the others want a person."""
_REFUSED = frozenset(
    {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED", "CONTACTADMIN", "NOPERM"}
)
_LITERAL = re.compile(rb"\{(\d{1,12})\}$")
_FETCHED = re.compile(rb"\* \d+ FETCH \(")
_QUOTED = re.compile(rb'BODY\[HEADER[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_DATE = re.compile(
    rb'INTERNALDATE "([ 0-9]\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"'
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Clock(Protocol):
    """Tells the time, in UTC with its zone."""

    def now(self) -> datetime: ...


class Mailbox(Protocol):
    """One mailbox, open for reading for as long as its context lasts. Every method's answer is recorded."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None, /
    ) -> None: ...

    def examine(self, folder: str) -> Exchange:
        """Open `folder` without changing it; `uid_validity` reads the answer. `NoSuchPage` where there is none."""
        ...

    def search(self, *criteria: str) -> Exchange:
        """Ask which messages of the folder meet `criteria` (RFC 3501, section 6.4.4); `uids` reads the answer."""
        ...

    def survey(self, uids: Sequence[int], *fields: str) -> Exchange:
        """Ask for size, time of receipt and some header fields of messages; `fetched` reads the answer."""
        ...

    def message(self, uid: int) -> Exchange:
        """One message, byte for byte. `status` 0 where the folder no longer has it; too long, it is truncated."""
        ...


class MailClient(Client, Protocol):
    """The evidence client, where it opens mailboxes too."""

    def mailbox(
        self, host: str, user: str, *, password: str | None = None, access_token: str | None = None
    ) -> Mailbox:
        """The mailbox of `user` at `host` ("imap.town.example", or with its port), to be used as a context."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the answer to a survey says of one message. `span` is where its header fields stand in the answer."""

    uid: int
    size: int | None
    received_at: datetime | None
    span: tuple[int, int] | None
    quoted: bytes | None = None

    def fields(self, body: bytes) -> bytes:
        """The header fields that were asked for, as they stand in the message."""
        if self.span is not None:
            return body[self.span[0] : self.span[1]]
        return b"" if self.quoted is None else re.sub(rb"\\(.)", rb"\1", self.quoted)


# -- answers, read: pure ---------------------------------------------------------------------------------------


def uid_validity(body: bytes) -> int | None:
    """The number that the folder's UIDs hold good with (RFC 3501, section 2.3.1.1), from the answer to EXAMINE."""
    found = re.search(rb"\[UIDVALIDITY (\d{1,10})\]", body)
    return int(found.group(1)) if found else None


def uids(body: bytes) -> list[int]:
    """The UIDs in the answer to a search, in their order, each once."""
    found: set[int] = set()
    for line in body.split(b"\r\n"):
        if line.startswith(b"* SEARCH"):
            found.update(int(one) for one in line[len(b"* SEARCH") :].split() if one.isdigit())
    return sorted(found)


def fetched(body: bytes) -> Iterator[Fetched]:
    """Each message that the answer to a FETCH speaks of, wherever the server put what."""
    at = 0
    while at < len(body):
        said, span, at = _response(body, at)
        if _FETCHED.match(said) is None:
            continue
        uid = re.search(rb"\bUID (\d{1,10})", said)
        if uid is None:
            continue  # told unasked: flags that somebody else set
        size = re.search(rb"RFC822\.SIZE (\d{1,12})", said)
        quoted = _QUOTED.search(said)
        yield Fetched(
            int(uid.group(1)),
            int(size.group(1)) if size else None,
            _moment(said),
            span,
            quoted.group(1) if quoted else None,
        )


def _response(body: bytes, at: int) -> tuple[bytes, tuple[int, int] | None, int]:
    """One response: its words without literals, where its last literal stands, and where the next begins."""
    said, span = b"", None
    while True:
        end = body.find(b"\r\n", at)
        end = len(body) if end < 0 else end
        line = body[at:end]
        literal = _LITERAL.search(line)
        said += line
        if literal is None:
            return said, span, end + 2
        span = (end + 2, min(end + 2 + int(literal.group(1)), len(body)))
        at = span[1]


def _moment(said: bytes) -> datetime | None:
    found = _DATE.search(said)
    if found is None:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = (
        one.decode() for one in found.groups()
    )
    try:
        zone = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        local = datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
        return local - zone if sign == "+" else local + zone
    except (ValueError, OverflowError):
        return None


def quoted(text: str) -> str:
    """`text` as a quoted string of IMAP. It holds printable ASCII only, or `ValueError` is raised."""
    if not text.isascii() or any(ord(sign) < 32 for sign in text):
        raise ValueError("Only printable ASCII can be asked for.")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def folder_name(name: str) -> str:
    """The name of a folder in the modified UTF-7 of RFC 3501, section 5.1.3."""
    out, waiting = [], ""
    for sign in [*name, ""]:
        plain = sign != "" and " " <= sign <= "~"
        if not plain and sign:
            waiting += sign
            continue
        if waiting:
            coded = base64.b64encode(waiting.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
            out.append(f"&{coded.decode()}-")
            waiting = ""
        out.append("&-" if sign == "&" else sign)
    return "".join(out)


# -- the mailbox itself ------------------------------------------------------------------------------------------


class ImapMailbox:
    """`Mailbox` over a real connection, made by the evidence client, which hands on its clock, gate and secrets.

    `replacing` gives a fresh replacing of secrets for one exchange, `record`
    is told every exchange. `tls` verifies certificates; None takes the
    machine's own authorities. The connection is opened with the first question.
    """

    def __init__(
        self,
        host: str,
        user: str,
        *,
        password: str | None = None,
        access_token: str | None = None,
        gate: Gate,
        clock: Clock,
        monotonic: Callable[[], float],
        replacing: Callable[[], Replacing],
        record: Callable[[Exchange], None] = lambda _exchange: None,
        tls: ssl.SSLContext | None = None,
        most: int = MOST_BYTES,
        connect_within: timedelta = _CONNECT_WITHIN,
        silence: timedelta = _SILENCE,
        deadline: timedelta = _DEADLINE,
    ) -> None:
        self._url = gate.read(f"https://{host}/")
        self._user, self._password, self._token = user, password, access_token
        self._gate, self._clock, self._monotonic = gate, clock, monotonic
        self._replacing, self._record, self._tls, self._most = replacing, record, tls, most
        self._connect_within, self._silence, self._deadline = connect_within, silence, deadline
        self._wire: _Wire | None = None
        self._folder, self._validity = "", 0
        self._peer: str | None = None
        self._certificate: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._leave()

    def examine(self, folder: str) -> Exchange:
        """Open `folder` without changing it."""
        self._folder, self._validity = folder, 0
        name = quoted(folder_name(folder))
        exchange = self._ask("EXAMINE", lambda wire: wire.select(name, readonly=True))
        self._validity = uid_validity(exchange.body) or 0
        return exchange

    def search(self, *criteria: str) -> Exchange:
        """Ask which messages meet `criteria`."""
        return self._ask("SEARCH", lambda wire: wire.uid("SEARCH", *criteria), f"?{' '.join(criteria)}")

    def survey(self, uids: Sequence[int], *fields: str) -> Exchange:
        """Ask for what can be told of messages without reading them."""
        wanted = f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})])"
        these = ",".join(str(uid) for uid in uids)
        return self._ask(
            "FETCH", lambda wire: wire.uid("FETCH", these, wanted), f";UID={these}/;SECTION=HEADER"
        )

    def message(self, uid: int) -> Exchange:
        """One message, byte for byte."""
        # A server that is asked for the first bytes only cannot send more than we hold in memory.
        wanted = f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{self._most}>)"
        return self._ask(
            "FETCH", lambda wire: wire.uid("FETCH", str(uid), wanted), f"/;UID={uid}", message=uid
        )

    # -- one question ----------------------------------------------------------------------------------------

    def _ask(
        self,
        command: str,
        send: Callable[[imaplib.IMAP4], tuple[str, list[Any]]],
        place: str = "",
        *,
        message: int | None = None,
    ) -> Exchange:
        """Send one command and record its answer; sort what goes wrong into the errors that capture knows."""
        wire = self._connected()
        asking = _Asking(command, self._address(place), self._clock.now(), self._monotonic())
        wire.heard.clear()
        with self._watched(wire) as watch:
            try:
                said, _ = send(wire)
            except _BROKEN as fault:
                if isinstance(fault, imaplib.IMAP4.error) and _bad(bytes(wire.heard)):
                    raise self._refused(asking, bytes(wire.heard), "BAD") from fault
                raise self._lost(asking, fault, bytes(wire.heard), cut=watch.cut) from fault
        heard = bytes(wire.heard)
        if said != "OK":
            raise self._refused(asking, heard, said)
        return self._told(asking, heard) if message is None else self._message(asking, heard, message)

    def _message(self, asking: _Asking, heard: bytes, uid: int) -> Exchange:
        """The exchange of one message: its own bytes are the body, what was said of it stands in the headers."""
        for one in fetched(heard):
            if one.uid == uid and (one.span is not None or one.quoted is not None):
                body = one.fields(heard)
                headers = [("UID", str(uid))]
                if one.size is not None:
                    headers.append(("RFC822.SIZE", str(one.size)))
                if one.received_at is not None:
                    headers.append(("INTERNALDATE", one.received_at.isoformat()))
                cut = "length" if len(body) >= self._most and (one.size or 0) > len(body) else None
                return self._told(asking, body, headers, truncated=cut)
        return self._told(asking, b"", failure=f"the folder has no message {uid} any more")

    # -- connecting ------------------------------------------------------------------------------------------

    def _connected(self) -> _Wire:
        if self._wire is not None:
            return self._wire
        asking = _Asking("LOGIN", self._address(""), self._clock.now(), self._monotonic())
        try:
            where = self._gate.addresses(self._url.copy_with(port=self._port))
        except ConnectorError as fault:
            fault.exchanges = (self._told(asking, b"", failure=str(fault)),)
            raise
        with self._opened(asking, where) as wire:
            self._sign_in(asking, wire)
            self._wire = wire
        return wire

    @contextmanager
    def _opened(self, asking: _Asking, where: Sequence[str]) -> Iterator[_Wire]:
        """A connection with its greeting; it is closed again where signing in fails."""
        connection, fault = None, OSError("no address was asked")
        for address in where[:_MOST_ADDRESSES]:
            self._peer = address
            try:
                connection = self._secured(address)
                break
            except ssl.SSLCertVerificationError as wrong:
                raise self._unverified(asking, wrong) from wrong
            except OSError as wrong:
                fault = wrong
        if connection is None:
            raise self._lost(asking, fault, b"", cut=False) from fault
        watch = Watch(self._deadline)
        watch.over(connection)
        wire: _Wire | None = None
        heard = bytearray()
        try:
            wire = _Wire(connection, self._most, heard)
            yield wire
        except BaseException as wrong:
            if wire is not None:
                wire.hang_up()
            else:
                connection.close()
            if isinstance(wrong, _BROKEN):
                raise self._lost(asking, wrong, bytes(heard), cut=watch.cut) from wrong
            raise
        finally:
            watch.end()

    def _secured(self, address: str) -> ssl.SSLSocket:
        plain = socket.create_connection((address, self._port), self._connect_within.total_seconds())
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                self._tls = httpx.create_ssl_context()
            secured = self._tls.wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise
        secured.settimeout(self._silence.total_seconds())
        certificate = secured.getpeercert(binary_form=True)
        self._certificate = hashlib.sha256(certificate).hexdigest() if certificate else None
        return secured

    def _sign_in(self, asking: _Asking, wire: _Wire) -> None:
        """Give user and password, or the access token (XOAUTH2). What is sent is recorded nowhere."""
        wire.heard.clear()
        try:
            if self._token:
                said = f"user={self._user}\x01auth=Bearer {self._token}\x01\x01"
                # To the reason of a refusal, which comes as a second question, nothing is answered.
                sayings = iter([said])
                wire.authenticate("XOAUTH2", lambda _: cast("Any", next(sayings, "")))
            elif not (self._user + (self._password or "")).isascii():
                wire.authenticate(
                    "PLAIN", lambda _: cast("Any", f"\0{self._user}\0{self._password or ''}".encode())
                )
            else:
                wire.login(self._user, self._password or "")
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as fault:
            raise self._not_let_in(asking, bytes(wire.heard)) from fault

    def _leave(self) -> None:
        if self._wire is not None:
            with suppress(*_BROKEN), self._watched(self._wire):
                self._wire.logout()
            self._wire.hang_up()
            self._wire = None

    @contextmanager
    def _watched(self, wire: _Wire) -> Iterator[Watch]:
        watch = Watch(self._deadline)
        watch.over(wire.sock)
        try:
            yield watch
        finally:
            watch.end()

    # -- what goes wrong -------------------------------------------------------------------------------------

    def _lost(self, asking: _Asking, fault: BaseException, heard: bytes, *, cut: bool) -> ConnectorError:
        """The connection is over. What the other side said last shows whether it is a mailbox at all."""
        self._drop()
        what = self._host
        if isinstance(fault, _TooMuch):
            failure, error = (
                "too much",
                UnexpectedResponse(f"{what} answers with more than {self._most} bytes."),
            )
            return self._failed(error, asking, heard[: self._most], failure, truncated="length")
        if cut or isinstance(fault, TimeoutError):
            late = TryAgainLater(f"{what} did not answer in time.")
            return self._failed(late, asking, heard, "no answer in time", truncated="time" if heard else None)
        if isinstance(fault, imaplib.IMAP4.error) and _speaks_otherwise(fault, heard):
            error = UnexpectedResponse(
                f"{what} does not answer as a mailbox does (IMAP). Correct the option `mailbox`: the name of the "
                "server that the mail program is given for incoming mail, with its port if that is not 993."
            )
            return self._failed(error, asking, heard, "no IMAP")
        failure = f"{type(fault).__name__}: {fault}"
        lost = TryAgainLater(f"The connection to the mailbox at {what} failed: {fault}.")
        return self._failed(lost, asking, heard, failure, truncated="disconnect" if heard else None)

    def _unverified(self, asking: _Asking, fault: ssl.SSLCertVerificationError) -> ConnectorError:
        why = fault.verify_message or str(fault)
        refused = AddressRefused(
            f"The certificate of {self._host} does not verify: {why}. Ask whoever runs the mailbox to renew it; for "
            "an authority of the agency's own, the operator names its file in SSL_CERT_FILE."
        )
        return self._failed(refused, asking, b"", f"certificate: {why}")

    def _not_let_in(self, asking: _Asking, heard: bytes) -> ConnectorError:
        code, said = _reason(heard)
        if code in _LATER:
            later = TryAgainLater(f"The mailbox at {self._host} cannot be opened now: {said}.")
            return self._failed(later, asking, heard, said)
        revoked = AccessRevoked(
            f"The mailbox at {self._host} does not let us in: {said}. Connect the page again, with the user name and "
            "an application password of that mailbox, or a fresh access token."
        )
        return self._failed(revoked, asking, heard, said)

    def _refused(self, asking: _Asking, heard: bytes, answer: str) -> ConnectorError:
        """The server understood and said NO, or did not understand and said BAD."""
        code, said = _reason(heard)
        error: ConnectorError
        if code in _LATER:
            error = TryAgainLater(f"The mailbox at {self._host} answers later: {said}.")
        elif code in _REFUSED:
            error = AccessRevoked(
                f"The mailbox at {self._host} refuses {asking.command}: {said}. Connect the page again."
            )
        elif asking.command == "EXAMINE" and answer == "NO":
            error = NoSuchPage(
                f"The mailbox at {self._host} has no folder {self._folder!r} that can be read: {said}. "
                "Correct the option `folder`."
            )
        else:
            error = UnexpectedResponse(f"{self._host} answered {asking.command} with {answer}: {said}.")
        return self._failed(error, asking, heard, f"{answer} {said}")

    def _failed(
        self,
        error: ConnectorError,
        asking: _Asking,
        heard: bytes,
        failure: str,
        truncated: str | None = None,
    ) -> ConnectorError:
        error.exchanges = (self._told(asking, heard, failure=failure, truncated=truncated),)
        error.args = tuple(self._replacing().text(str(part)) for part in error.args)
        return error

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.hang_up()
            self._wire = None

    # -- what is recorded ------------------------------------------------------------------------------------

    def _told(
        self,
        asking: _Asking,
        body: bytes,
        headers: Sequence[tuple[str, str]] = (),
        *,
        failure: str | None = None,
        truncated: str | None = None,
    ) -> Exchange:
        replacing = self._replacing()
        url = replacing.text(asking.url, "request.url")
        body = replacing.body(body, "response.body", cut=truncated is not None)
        exchange = Exchange(
            method=asking.command,
            url=url,
            started_at=asking.started_at,
            seconds=self._monotonic() - asking.began,
            status=0 if failure is not None else ANSWERED,
            reason="" if failure is not None else "OK",
            http_version=SPOKEN,
            response_headers=tuple(headers),
            body=body,
            truncated=truncated,
            failure=None if failure is None else replacing.text(failure),
            peer_address=self._peer,
            peer_certificate_sha256=self._certificate,
            replaced=replacing.replaced,
        )
        self._record(exchange)
        return exchange

    def _address(self, place: str) -> str:
        """As RFC 5092 writes the address of a folder or message; the user is nobody's business."""
        port = "" if self._port == PORT else f":{self._port}"
        folder = quote(self._folder, safe="/") if self._folder else ""
        validity = f";UIDVALIDITY={self._validity}" if self._folder and self._validity else ""
        return f"imaps://{self._bracketed}{port}/{folder}{validity}{quote(place, safe='/;=?:,*')}"

    @property
    def _host(self) -> str:
        return self._url.raw_host.decode("ascii")

    @property
    def _bracketed(self) -> str:
        return f"[{self._host}]" if ":" in self._host else self._host

    @property
    def _port(self) -> int:
        return self._url.port or PORT


@dataclass(frozen=True, slots=True)
class _Asking:
    """One command on its way."""

    command: str
    url: str
    started_at: datetime
    began: float


class _TooMuch(Exception):
    """More came than may be held in memory."""


_BROKEN = (OSError, imaplib.IMAP4.error, EOFError, _TooMuch)
"""However a conversation can break off."""


class _Wire(imaplib.IMAP4):
    """The standard library's IMAP over a connection that was made and verified here, listened in on.

    `heard` is what the server sent since it was last cleared, byte for byte.
    """

    sock: socket.socket

    def __init__(self, connection: socket.socket, most: int, heard: bytearray) -> None:
        self._connection, self._most, self.heard = connection, most, heard
        self._gone = False
        super().__init__()

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002 -- the connection has its own
        return self._connection

    def readline(self) -> bytes:
        line: bytes = super().readline()
        self._hear(line)
        return line

    def read(self, size: int) -> bytes:
        if len(self.heard) + size > self._most + 65536:
            raise _TooMuch
        came = super().read(size)
        self._hear(came)
        if len(came) < size:
            raise imaplib.IMAP4.abort("the connection was lost")
        return came

    def _log(self, line: str) -> None:
        """Keep no log of what was said: the login stands in it."""

    def hang_up(self) -> None:
        if not self._gone:
            self._gone = True
            with suppress(OSError, AttributeError):
                self.file.close()
            with suppress(OSError):
                self._connection.close()

    def _hear(self, came: bytes) -> None:
        if len(self.heard) + len(came) > self._most + 131072:
            raise _TooMuch
        self.heard += came


def _speaks_otherwise(fault: BaseException, heard: bytes) -> bool:
    """Whether what came is no IMAP at all; an end in its midst, and a farewell, are."""
    return "unexpected response" in str(fault) or heard.startswith((b"<", b"HTTP/"))


def _bad(heard: bytes) -> bool:
    """Whether the server's last word was that it did not understand the command."""
    last = heard.rstrip(b"\r\n").rpartition(b"\r\n")[2]
    return last.split(b" ")[1:2] == [b"BAD"] and not last.startswith(b"* ")


def _reason(heard: bytes) -> tuple[str, str]:
    """The response code of the last line (RFC 5530), and what the server says in words."""
    last = heard.rstrip(b"\r\n").rpartition(b"\r\n")[2]
    code = _CODE.search(last)
    said = last.split(b" ", 2)[-1].decode("utf-8", "replace").strip()
    return (code.group(1).decode() if code else ""), said or "without a reason"
