"""Where an account lives, as a person wrote it: `@police@town.example` or `https://town.example/@police`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from connectors.pieces import keeps_secrets

_HANDLE = re.compile(r"@?([\w.-]+)@([\w.-]+\.[\w-]+|localhost)(:\d{1,5})?")
_PATH = re.compile(r"/(?:web/)?(?:@|users/|ap/users/)([\w.-]+(?:@[\w.-]+)?)/?")


@dataclass(frozen=True, slots=True)
class Address:
    """The server's origin and the name of the account there.

    `by_handle` says that only the handle was given: the server may then live
    under another name than the handle's, which WebFinger tells.
    """

    origin: str
    acct: str
    by_handle: bool = False

    @property
    def keeps_secrets(self) -> bool:
        """Whether a token may be sent there: over TLS, or without leaving this machine."""
        return keeps_secrets(self.origin)

    @property
    def webfinger(self) -> str:
        """Where the domain of a handle says on which server the account lives (RFC 7033)."""
        domain = urlsplit(self.origin).netloc
        query = urlencode({"resource": f"acct:{self.acct}@{domain}"}, safe=":@")
        return f"{self.origin}/.well-known/webfinger?{query}"


def read(written: str) -> Address | None:
    """The address that a person wrote; None if it names no account."""
    text = written.strip()
    handle = _HANDLE.fullmatch(text)
    if handle is not None:
        name, domain, port = handle.groups()
        return Address(f"https://{domain.lower()}{port or ''}", name, by_handle=True)
    if "://" not in text:
        text = "https://" + text
    origin = origin_of(text)
    named = _PATH.fullmatch(urlsplit(text).path) if origin else None
    return Address(origin, named.group(1)) if origin and named else None


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a web address; None if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}"


def streams_of(origin: str, named: str | None) -> str:
    """Where the server tells things as they happen: where it says so, if that is a part of itself.

    It says so as `wss://streaming.town.example`. The token is not carried to a
    host that is no part of the page's own.
    """
    if not named:
        return origin
    said = origin_of(re.sub(r"^ws", "http", named))
    ours, theirs = urlsplit(origin).hostname or "", urlsplit(said or "").hostname or ""
    if said is None or not keeps_secrets(said) or not (theirs == ours or theirs.endswith("." + ours)):
        return origin
    return said
