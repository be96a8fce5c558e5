"""A mail server on loopback: a small and strict IMAP4rev1 over TLS, with a certificate of the moment.

It knows the commands that reading needs and refuses all others, so that a
client which tried to change anything would be told BAD, and `changed` would
say so. Trouble is made on request, in the words of RFC 5530.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.connectors.worlds.accepting import Accepting

HTML = b"<!DOCTYPE html><html><form action='/sign-in'><input type='password'></form></html>\r\n"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_COMMAND = re.compile(rb"([A-Za-z0-9.]+) ([A-Za-z]+)(?: (.*))?\Z", re.DOTALL)
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_FETCH = re.compile(
    r"([0-9,]+) \(UID RFC822\.SIZE INTERNALDATE "
    r"BODY(\.PEEK)?\[(HEADER\.FIELDS \(FROM\))?\](?:<0\.(\d+)>)?\)\Z"
)


@dataclass
class Letter:
    uid: int
    content: bytes
    received_at: datetime


@cache
def certificates() -> tuple[ssl.SSLContext, ssl.SSLContext, ssl.SSLContext]:
    """For a server, for a client that trusts it, and for a server whose certificate has run out."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of the town")])
    named = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    )

    def signed(since: datetime, until: datetime) -> x509.Certificate:
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)
        made = made.add_extension(named, critical=False)
        return made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
            key, hashes.SHA256()
        )

    good = signed(now - timedelta(days=1), now + timedelta(days=1))
    old = signed(now - timedelta(days=3), now - timedelta(days=2))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def serving(certificate: x509.Certificate) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "both.pem"
            place.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(place)
        return context

    pem = good.public_bytes(serialization.Encoding.PEM).decode()
    return serving(good), ssl.create_default_context(cadata=pem), serving(old)


class MailServer(Accepting):
    """One mailbox of one user. Use it as a context: the server ends with it."""

    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self.user, self.password, self.token = user, password, ""
        self.folders: dict[str, list[Letter]] = {"INBOX": []}
        self.validity = 1700000001
        self.capabilities = "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR"
        self.changed: list[str] = []
        """Every command that came and would have changed something, or is not known."""
        self.said: list[str] = []
        """Every command that came, in order, without its arguments."""
        self.trouble: Callable[[str], str | None] = lambda _command: None
        """Asked before each answer; "limit", "unavailable", "revoke", "cut", "html", "bad" make it go wrong so."""
        self.before: Callable[[str], None] | None = None
        self.greeting = b"* OK IMAP4rev1 ready\r\n"
        self.out_of_date = False
        self.quotes_short_fields = False
        """Whether header fields come as quoted strings; either is allowed."""

    def deliver(self, content: bytes, received_at: datetime, folder: str = "INBOX") -> int:
        """A message arrives; its UID."""
        letters = self.folders[folder]
        letters.append(Letter(max([one.uid for one in letters], default=0) + 1, content, received_at))
        return letters[-1].uid

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._port = self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _talk(self, connection: socket.socket) -> None:
        serving, _, old = certificates()
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wrapped = (old if self.out_of_date else serving).wrap_socket(connection, server_side=True)
            self._open.append(wrapped)
            with suppress(OSError):
                _Session(self, wrapped).run()
            wrapped.close()


class _Done(Exception):
    """The conversation is over."""


class _Session:
    def __init__(self, server: MailServer, connection: ssl.SSLSocket) -> None:
        self.server, self.connection = server, connection
        self.reader = connection.makefile("rb")
        self.known = False
        self.folder: str | None = None

    def run(self) -> None:
        with suppress(_Done), self.reader:
            self.send(HTML if self.server.trouble("") == "html" else self.server.greeting)
            while line := self.line():
                self.command(line)

    def line(self) -> bytes:
        line = self.reader.readline(65536)
        if line and not line.endswith(b"\r\n"):
            raise _Done
        return line[:-2]

    def send(self, answer: bytes) -> None:
        self.connection.sendall(answer)

    def command(self, line: bytes) -> None:
        found = _COMMAND.match(line)
        if found is None:
            self.send(b"* BAD a command has a tag and a name\r\n")
            return
        tag, name, rest = found[1].decode(), found[2].decode().upper(), (found[3] or b"").decode("ascii")
        if name == "UID":
            name, _, rest = rest.partition(" ")
            name = f"UID {name.upper()}"
        self.server.said.append(name)
        if self.server.before is not None:
            self.server.before(name)
        handler = {
            "CAPABILITY": self.capability,
            "LOGIN": self.login,
            "AUTHENTICATE": self.authenticate,
            "EXAMINE": self.examine,
            "UID SEARCH": self.search,
            "UID FETCH": self.fetch,
            "LOGOUT": self.logout,
            "NOOP": self.capability,
        }.get(name)
        if handler is None:
            self.server.changed.append(name)
            self.send(f"{tag} BAD {name} is not known here\r\n".encode())
            return
        if name in {"EXAMINE", "UID SEARCH", "UID FETCH"} and not self.known:
            self.send(f"{tag} BAD not signed in\r\n".encode())
            return
        answer = b"".join(handler(tag, rest))
        if name in {"CAPABILITY", "LOGOUT"}:
            self.send(answer)
        else:
            self.troubled(name, tag, answer)
        if name == "LOGOUT":
            raise _Done

    def troubled(self, name: str, tag: str, answer: bytes) -> None:
        match self.server.trouble(name):
            case None:
                self.send(answer)
            case "cut":
                self.send(answer[: len(answer) // 2])
                raise _Done
            case "html":
                self.send(HTML)
                raise _Done
            case "limit":
                self.send(f"{tag} NO [LIMIT] Too many requests\r\n".encode())
            case "unavailable":
                self.send(f"{tag} NO [UNAVAILABLE] Temporary authentication failure\r\n".encode())
            case "revoke":
                self.send(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials\r\n".encode())
            case _:
                self.send(f"{tag} BAD internal disorder\r\n".encode())

    # -- commands ------------------------------------------------------------------------------------------

    def capability(self, tag: str, _: str) -> Iterator[bytes]:
        yield f"* CAPABILITY {self.server.capabilities}\r\n{tag} OK done\r\n".encode()

    def login(self, tag: str, rest: str) -> Iterator[bytes]:
        found = re.fullmatch(f'(?:{_QUOTED}|([^ "]+)) {_QUOTED}', rest)
        if found is None:
            yield f"{tag} BAD LOGIN takes a user and a quoted password\r\n".encode()
            return
        user = _unquoted(found[1]) if found[1] is not None else found[2]
        yield self.signed_in(tag, (user, _unquoted(found[3])) == (self.server.user, self.server.password))

    def authenticate(self, tag: str, mechanism: str) -> Iterator[bytes]:
        self.send(b"+ \r\n")
        said = base64.b64decode(self.line())
        if mechanism == "PLAIN":
            good = said == f"\0{self.server.user}\0{self.server.password}".encode()
        else:
            good = bool(self.server.token) and said == (
                f"user={self.server.user}\x01auth=Bearer {self.server.token}\x01\x01".encode()
            )
            if not good:
                self.send(b"+ " + base64.b64encode(b'{"status":"400","schemes":"Bearer"}') + b"\r\n")
                assert self.line() == b"", "a client answers the reason of a refusal with an empty line"
        yield self.signed_in(tag, good)

    def signed_in(self, tag: str, good: bool) -> bytes:
        self.known = good
        if self.known:
            return f"{tag} OK [CAPABILITY {self.server.capabilities}] Logged in\r\n".encode()
        return f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials\r\n".encode()

    def examine(self, tag: str, rest: str) -> Iterator[bytes]:
        found = re.fullmatch(_QUOTED, rest)
        name = _unquoted(found[1]) if found else rest
        if name not in self.server.folders:
            yield f"{tag} NO [NONEXISTENT] Mailbox doesn't exist: {name}\r\n".encode()
            return
        self.folder = name
        letters = self.server.folders[name]
        yield b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
        yield b"* OK [PERMANENTFLAGS ()] Read-only mailbox.\r\n"
        yield f"* {len(letters)} EXISTS\r\n* 0 RECENT\r\n".encode()
        yield f"* OK [UIDVALIDITY {self.server.validity}] UIDs valid\r\n".encode()
        yield f"{tag} OK [READ-ONLY] Examine completed.\r\n".encode()

    def search(self, tag: str, rest: str) -> Iterator[bytes]:
        found = re.fullmatch(rf"(?:UID (\d+):\*|ALL) OR FROM {_QUOTED} FROM {_QUOTED}", rest)
        if found is None or self.folder is None:
            yield f"{tag} BAD these criteria are not known\r\n".encode()
            return
        letters = self.server.folders[self.folder]
        newest = max([one.uid for one in letters], default=0)
        least = min(int(found[1] or 0), newest)  # n:* always holds the last message (RFC 3501, section 6.4.8)
        wanted = [
            str(one.uid)
            for one in letters
            if one.uid >= least and any(part in _from(one.content).lower() for part in (found[2], found[3]))
        ]
        yield f"* SEARCH{''.join(f' {one}' for one in wanted)}\r\n{tag} OK Search completed.\r\n".encode()

    def fetch(self, tag: str, rest: str) -> Iterator[bytes]:
        found = _FETCH.fullmatch(rest)
        if found is None or self.folder is None:
            yield f"{tag} BAD this cannot be fetched\r\n".encode()
            return
        if found[2] is None:
            self.server.changed.append("BODY[] sets the flag Seen")
        wanted = {int(one) for one in found[1].split(",")}
        for number, one in enumerate(self.server.folders[self.folder], start=1):
            if one.uid not in wanted:
                continue
            at = one.received_at
            when = f"{at.day:2d}-{MONTHS[at.month - 1]}-{at:%Y %H:%M:%S} +0000"
            yield f'* {number} FETCH (UID {one.uid} RFC822.SIZE {len(one.content)} INTERNALDATE "{when}" '.encode()
            if found[3]:
                field = f"From: {_from(one.content)}\r\n\r\n"
                if self.server.quotes_short_fields:
                    quoted = field.strip().replace("\\", "\\\\").replace('"', '\\"')
                    yield f'BODY[HEADER.FIELDS (FROM)] "{quoted}")\r\n'.encode()
                else:
                    yield f"BODY[HEADER.FIELDS (FROM)] {{{len(field.encode())}}}\r\n{field})\r\n".encode()
            else:
                part = one.content[: int(found[4])] if found[4] else one.content
                yield f"BODY[]<0> {{{len(part)}}}\r\n".encode() + part + b")\r\n"
        yield b"* 1 FETCH (FLAGS (\\Answered))\r\n"  # somebody else's client, told unasked
        yield f"{tag} OK Fetch completed.\r\n".encode()

    def logout(self, tag: str, _: str) -> Iterator[bytes]:
        yield f"* BYE Logging out\r\n{tag} OK Logout completed.\r\n".encode()


def _from(content: bytes) -> str:
    head = content.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    found = re.search(r"^From: ([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", head, re.MULTILINE)
    return re.sub(r"\r\n[ \t]", " ", found[1]) if found else ""


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
