"""Where a WordPress site's interface lives, and how an address inside it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connectors import naming, pieces


@dataclass(frozen=True, slots=True)
class Root:
    """The root of an interface: `https://blog.example/wp-json/` or `https://blog.example/?rest_route=/`."""

    address: str

    def url(self, route: str, query: Mapping[str, str]) -> str:
        """The address of `route` ("/wp/v2/posts") under this root."""
        parts = urlsplit(self.address)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        path = parts.path
        if "rest_route" in given:
            given["rest_route"] = given["rest_route"].rstrip("/") + route
        else:
            path = path.rstrip("/") + route
        return urlunsplit((parts.scheme, parts.netloc, path, urlencode({**given, **query}, safe="/,:"), ""))

    @property
    def place(self) -> tuple[str, int | None]:
        """Host and port, without what many sites answer with and without: `www.`, and TLS."""
        parts = urlsplit(self.address)
        host = (parts.hostname or "").removeprefix("www.")
        return host, None if parts.port in {None, 80, 443} else parts.port

    @property
    def keeps_secrets(self) -> bool:
        """Whether a password may be sent there: over TLS, or without leaving this machine."""
        return pieces.keeps_secrets(self.address)


def site_address(written: str) -> str | None:
    """The site's address as a person wrote it, made whole; None if it is none.

    The interface's own address is understood too, and led back to its site.
    """
    parts = naming.site(written)
    if parts is None:
        return None
    path = parts.path
    if "/wp-json" in path:
        path = path[: path.index("/wp-json")]
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/") + "/", "", ""))
