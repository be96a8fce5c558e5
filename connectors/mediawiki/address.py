"""Where a wiki's interface may live, and which page an address names there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, unquote, urljoin, urlsplit, urlunsplit

from connectors import naming, pieces

_EDIT_LINK = re.compile(rb"<link\b[^>]*\brel\s*=\s*[\"']?EditURI\b[^>]*>", re.IGNORECASE)
_HREF = re.compile(rb"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_INDEX = "/index.php"
_API = "/api.php"


@dataclass(frozen=True, slots=True)
class Address:
    """An address as a person wrote it, made whole."""

    url: str

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def candidates(self) -> list[str]:
        """Where the interface stands in most wikis, as far as the address itself tells."""
        path = urlsplit(self.url).path
        for script in (_API, _INDEX):
            if script in path:
                return [self.origin + path[: path.index(script)] + _API]
        return [f"{self.origin}/w{_API}"]

    def page_number(self) -> str | None:
        """The number of the page that the address names by number (`?curid=12`)."""
        given = parse_qs(urlsplit(self.url).query).get("curid", [""])[0]
        return given if given.isdecimal() and given.isascii() else None

    def title(self, article_path: str, script: str) -> str | None:
        """The title that the address names, by the wiki's own pattern of addresses; None for the wiki as a whole."""
        parts = urlsplit(self.url)
        given = parse_qs(parts.query).get("title", [""])[0].strip()
        if given:
            return _title(given)
        path = unquote(parts.path)
        for pattern in (article_path, script + "/$1"):
            before, _, after = unquote(pattern).partition("$1")
            if before and path.startswith(before) and path.endswith(after):
                named = _title(path[len(before) : len(path) - len(after)])
                if named and named != "api.php":
                    return named
        return None


def read(written: str) -> Address | None:
    """The address that a person wrote; None if it is none."""
    parts = naming.site(written)
    if parts is None:
        return None
    return Address(urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, "")))


def interface_named_in(html: bytes, address: str) -> str | None:
    """The interface that a wiki's page names in its head (`rel="EditURI"`); None where it names none."""
    link = _EDIT_LINK.search(html)
    href = _HREF.search(link.group()) if link else None
    if href is None:
        return None
    named = unescape((href.group(1) or href.group(2) or b"").decode("utf-8", "replace"))
    named = urljoin(address, named.partition("?")[0])
    return named if named.endswith(_API) and urlsplit(named).scheme in {"http", "https"} else None


def same_host(one: str, other: str) -> bool:
    """Whether two addresses are of one host and port."""
    return _place(one) == _place(other)


def is_of(interface: str, url: str) -> bool:
    """Whether `url` is of the same origin as the wiki's interface, and a secret may travel there."""
    try:
        own, other = urlsplit(interface), urlsplit(url)
    except ValueError:
        return False
    return (own.scheme, own.netloc.lower()) == (other.scheme, other.netloc.lower()) and keeps_secrets(url)


def keeps_secrets(url: str) -> bool:
    """Whether a password may be sent there: over TLS, or without leaving this machine."""
    return pieces.keeps_secrets(url)


def _title(written: str) -> str:
    return " ".join(written.replace("_", " ").split()).partition("#")[0].strip()


def _place(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return (parts.hostname or "").removeprefix("www."), None if parts.port in {None, 80, 443} else parts.port
