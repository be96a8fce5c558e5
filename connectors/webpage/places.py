"""How addresses are written, compared and known again. Pure."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from urllib.parse import unquote_plus, urljoin, urlsplit, urlunsplit

from connectors import pieces

_PASSING = re.compile(
    r"""^(?:utm_\w+|mc_[ce]id|fbclid|gclid|dclid|msclkid|yclid|igshid|_ga|_gl|ref_src
    |(?:php|asp|j)?sess(?:ion)?_?id|jsessionid|sid|_?(?:wp)?nonce|_?csrf\w*|_?xsrf\w*|authenticity_token|form_build_id
    |_|cb|nocache|no_cache|cachebuste?r?|rnd|rand|random|timestamp|_ts|__cf_chl_\w+)$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Parameters that say who asks, or when, and never what is asked for."""

_TRICKING = re.compile(
    _PASSING.pattern[:-2]
    + r"|v|ver|version|rev|hash|h|t|ts|time|bust|expires?|exp|sig|signature|signed|token|policy|key-pair-id"
    r"|x-amz-\w+(?:-\w+)*|se|sp|sv|sr|st)$",
    re.IGNORECASE | re.VERBOSE,
)
"""Parameters that hand out the same file under another address."""

_PATH_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_DOCUMENTS = frozenset(
    {
        "pdf", "doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "csv", "ppt", "pptx", "odp", "zip", "txt", "ics", "kml",
        "kmz", "geojson", "epub",
    }
)  # fmt: skip
_FILES = _DOCUMENTS | {
    "jpg", "jpeg", "png", "gif", "webp", "svg", "ico", "avif", "css", "js", "json", "xml", "rss", "atom", "mp3", "mp4", "m4a",
    "webm", "ogg", "wav", "mov", "woff", "woff2", "ttf", "gz", "exe", "dmg",
}  # fmt: skip


def written(address: str) -> str | None:
    """The address as a person wrote it, made whole; None if it is none."""
    text = address.strip()
    if text and "://" not in text:
        text = "https://" + text
    return normal(text)


def normal(address: str) -> str | None:
    """One spelling for each page: no fragment, no parameters that only say who asks; None for what is no page's address."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in {"http", "https"} or not host or " " in host or "@" in parts.netloc:
        return None
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != {"http": 80, "https": 443}[parts.scheme]:
        host = f"{host}:{port}"
    path = _PATH_SESSION.sub("", parts.path) or "/"
    return urlunsplit((parts.scheme, host, path.replace(" ", "%20"), _lasting(parts.query), ""))


def joined(address: str, base: str) -> str | None:
    """The whole address of a reference as it stands in a page, without its fragment; None for what is not on the web."""
    try:
        found = urljoin(base, address.strip()).partition("#")[0].replace(" ", "%20")
        parts = urlsplit(found)
        parts.port  # noqa: B018 - a port that is no number raises here
    except ValueError:
        return None
    return found if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc else None


def key(address: str) -> str:
    """What a page is known by: its address without the scheme, so that moving to https begins no new record."""
    return address.partition("://")[2]


def file_key(address: str) -> str:
    """What a file is known by that cannot be known by what it holds: its address without what only tricks caches."""
    path, _, query = key(address).partition("#")[0].partition("?")
    kept = [
        part
        for part in query.split("&")
        if part and not _TRICKING.match(unquote_plus(part.partition("=")[0]))
    ]
    return f"{path}?{'&'.join(kept)}" if kept else path


def host(address: str) -> str:
    """Host and port, without the `www.` that many sites answer with and without."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    name = (parts.hostname or "").removeprefix("www.")
    return name if port in {None, 80, 443} else f"{name}:{port}"


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are of one site."""
    return host(one) == host(other)


def origin(address: str) -> tuple[str, str]:
    """Scheme and host: to whom a password may be given."""
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()


def front(address: str) -> str:
    """The front page of the site at `address`."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc, "/", "", ""))


def is_front(address: str) -> bool:
    """Whether the address is a front page's."""
    parts = urlsplit(address)
    return parts.path in {"", "/"} and not parts.query


def matches(address: str, pattern: str) -> bool:
    """Whether the path of an address matches a pattern such as `/news/*`; several stand side by side, divided by spaces."""
    path = urlsplit(address).path or "/"
    return any(fnmatchcase(path, one) for one in pattern.split())


def is_file(address: str) -> bool:
    """Whether the address names a file rather than a page."""
    return _extension(address) in _FILES


def is_document(address: str) -> bool:
    """Whether the address names a document that people read or open."""
    return _extension(address) in _DOCUMENTS


def keeps_secrets(address: str) -> bool:
    """Whether a password may be sent there: over TLS, or without leaving this machine."""
    return pieces.keeps_secrets(address)


def _extension(address: str) -> str:
    name = urlsplit(address).path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def _lasting(query: str) -> str:
    return "&".join(
        part for part in query.split("&") if part and not _PASSING.match(unquote_plus(part.partition("=")[0]))
    ).replace(" ", "%20")
