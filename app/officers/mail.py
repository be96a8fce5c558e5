"""How mail leaves: one letter of plain text to one person, over SMTP.

A reset link opens an account, so a letter never travels in the clear unless
the operator says so: STARTTLS is required except on this machine itself.
"""

from __future__ import annotations

import queue
import re
import smtplib
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from app.records.clock import Clock, SystemClock
from app.records.errors import ArchiveError, Invalid, Unavailable
from app.settings import BadSetting

SECONDS = 20.0
"""How long the mail server may keep us waiting for each answer."""

# The form that browsers accept (HTML Living Standard, 4.10.5.1.5), within the lengths of RFC 5321, 4.5.3.1.
# It holds no blank, comma, bracket or line break: nothing that could begin a second address or another header.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,254}}\Z)[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class BadLetter(Invalid):
    """A letter cannot be sent as it is: its address is none, or its subject is more than one line."""

    code = "bad-letter"


class MailNotSent(Unavailable):
    """The mail server did not take the letter, or none is set up."""

    code = "mail-not-sent"


def is_address(text: str) -> bool:
    """Whether `text` is one e-mail address and nothing else."""
    return _ADDRESS.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent to whom."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Sends letters."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one letter to one address.

        MUST raise `BadLetter` for an address that is none and for a subject
        with line breaks, and `MailNotSent` when the letter was not taken.
        """
        ...


class NoMail:
    """What stands in for a mail server where none is set up."""

    def send(self, to: str, subject: str, text: str) -> None:
        _check(to, subject, text)
        raise MailNotSent(
            "no mail server is set up", next="Set MUNIMENT_SMTP_URL, or hand the words over yourself."
        )


class Smtp:
    """A mail server, spoken to anew for every letter.

    `url` is `smtp://user:password@host:port` or `smtps://…`; what stands
    before the host is percent-encoded. On `smtp://`, `?starttls=required` or
    `?starttls=no` says whether the connection must turn to TLS first;
    without it, it must, unless the host is this machine. A password is never
    sent in the clear to another machine. `trust` is given where certificates
    are not checked against the machine's own authorities.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        *,
        clock: Clock | None = None,
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._server = _read(url)
        if not is_address(sender):
            raise BadSetting(
                f"{sender!r} cannot be the sender of mail",
                next="Set MUNIMENT_MAIL_FROM to one e-mail address.",
            )
        self._sender, self._domain = sender, sender.rpartition("@")[2]
        self._clock = clock or SystemClock()
        self._trust = trust
        self._seconds = seconds

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one letter; when this returns, the mail server has taken it."""
        message = self._written(to, subject, text)
        try:
            self._deliver(message, to)
        except smtplib.SMTPNotSupportedError as error:
            raise self._unsent(str(error), "The server lacks what MUNIMENT_SMTP_URL asks of it.") from error
        except smtplib.SMTPAuthenticationError as error:
            raise self._unsent(
                "it does not accept the user name and password", "Correct them in MUNIMENT_SMTP_URL."
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            raise self._unsent("it refuses the address", "Check the address, then send it again.") from error
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error
            words = said.decode(errors="replace") if isinstance(said, bytes) else said
            raise self._unsent(f"it said {error.smtp_code} {words}", "Try again later.") from error
        except ssl.SSLError as error:
            raise self._unsent(
                f"no safe connection: {error.reason or error}", "Look at the server's certificate."
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise self._unsent(str(error) or type(error).__name__, "Try again later.") from error

    def check(self) -> str:
        """Greet the server, turn to TLS and sign in as for a letter, and send none; return what was tried.

        Raises `MailNotSent` where a letter would not be taken either.
        """
        try:
            session = self._connected()
            try:
                session.noop()
                with suppress(smtplib.SMTPException, OSError):
                    session.quit()
            finally:
                session.close()
        except smtplib.SMTPAuthenticationError as error:
            raise self._unsent(
                "it does not accept the user name and password", "Correct them in MUNIMENT_SMTP_URL."
            ) from error
        except ssl.SSLError as error:
            raise self._unsent(
                f"no safe connection: {error.reason or error}", "Look at the server's certificate."
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise self._unsent(
                str(error) or type(error).__name__, "Look at MUNIMENT_SMTP_URL and the server."
            ) from error
        server = self._server
        safe = " over TLS" if server.tls or server.starttls else ""
        return (
            f"{server.host}:{server.port} answers{safe}{' and accepts our password' if server.user else ''}"
        )

    def _deliver(self, message: EmailMessage, to: str) -> None:
        session = self._connected()
        try:
            session.send_message(message, self._sender, [to])
            with suppress(smtplib.SMTPException, OSError):
                session.quit()  # taken is taken, however the farewell goes
        finally:
            session.close()

    def _connected(self) -> smtplib.SMTP:
        """A session with the server, safe and signed in where it should be. Ours is the sender's domain."""
        server, seconds = self._server, self._seconds
        safe = server.tls or server.starttls
        trust = self._trust or (ssl.create_default_context() if safe else None)
        session: smtplib.SMTP
        if server.tls:
            session = smtplib.SMTP_SSL(server.host, server.port, self._domain, timeout=seconds, context=trust)
        else:
            session = smtplib.SMTP(server.host, server.port, self._domain, timeout=seconds)
        try:
            if server.starttls:
                session.starttls(context=trust)
            if server.user:
                session.login(server.user, server.password)
        except BaseException:
            session.close()
            raise
        return session

    def _written(self, to: str, subject: str, text: str) -> EmailMessage:
        _check(to, subject, text)
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = make_msgid(domain=self._domain)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices in answer, please
        message.set_content(text)
        return message

    def _unsent(self, why: str, what_next: str) -> MailNotSent:
        return MailNotSent(f"{self._server.host} did not take the letter: {why}", next=what_next)


class Outbox:
    """A mailer that answers at once and sends from a thread of its own.

    For letters whose sending nobody must be able to notice, or that are
    written while a transaction is open. `failed` is told of each letter that
    was not sent; `close` waits for those that are still to go.
    """

    def __init__(
        self, mailer: Mailer, failed: Callable[[Letter, ArchiveError], None], *, room: int = 1_000
    ) -> None:
        self._mailer, self._failed = mailer, failed
        self._waiting: queue.Queue[Letter | None] = queue.Queue(room)
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
        self._thread.start()

    def send(self, to: str, subject: str, text: str) -> None:
        """Put a letter with those that are to go; raises `MailNotSent` when too many are waiting."""
        _check(to, subject, text)
        try:
            self._waiting.put_nowait(Letter(to, subject, text))
        except queue.Full as error:
            raise MailNotSent(
                "too many letters are waiting", next="Look whether the mail server answers."
            ) from error

    def close(self) -> None:
        """Send what is waiting, then end."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (letter := self._waiting.get()) is not None:
            try:
                self._mailer.send(letter.to, letter.subject, letter.text)
            except ArchiveError as error:
                self._failed(letter, error)


def mailer(url: str, sender: str, *, clock: Clock | None = None) -> Mailer:
    """The mail server at `url`, or `NoMail` where the setting is empty."""
    return Smtp(url, sender, clock=clock) if url.strip() else NoMail()


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    tls: bool
    starttls: bool
    user: str
    password: str = field(repr=False)


def _read(url: str) -> _Server:
    """What the setting says. The password is in no message."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        asked = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _unreadable("it is not an address") from error
    if parts.scheme not in {"smtp", "smtps"} or not host or parts.path.strip("/") or parts.fragment:
        raise _unreadable("it is not of the form smtp://host:port")
    if set(asked) - {"starttls"} or asked.get("starttls", "no") not in {"required", "no"}:
        raise _unreadable("after the question mark, it knows starttls=required and starttls=no")
    tls, here = parts.scheme == "smtps", _is_this_machine(host)
    if tls and "starttls" in asked:
        raise _unreadable("smtps:// is safe from the beginning and takes no starttls")
    starttls = not tls and asked.get("starttls", "no" if here else "required") == "required"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and not (tls or starttls or here):
        raise _unreadable("a password would travel in the clear")
    standard = 465 if tls else 587 if user else 25
    return _Server(host, standard if port is None else port, tls, starttls, user, password)


def _unreadable(why: str) -> BadSetting:
    return BadSetting(
        f"MUNIMENT_SMTP_URL cannot be used: {why}",
        next="Write smtp://user:password@host:port or smtps://…, with %40 for an @ in the user name.",
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check(to: str, subject: str, text: str) -> None:
    """Refuse what could say something else to the mail server than it says to us."""
    if not is_address(to):
        raise BadLetter(f"{to!r} is not one e-mail address")
    if _CONTROL.search(subject):
        raise BadLetter("the subject of a letter is one line, without control characters")
    try:
        (subject + text).encode()
    except UnicodeEncodeError as error:
        raise BadLetter("a letter holds half a character, which cannot be sent") from error
