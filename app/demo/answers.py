"""What goes over the wire: a request as it came, an answer as it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from html import escape

from app.demo.telling import paragraphs


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: `path` is decoded, `query` keeps every value of a name in order, headers are lower-case."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def one(self, name: str, otherwise: str = "") -> str:
        """The last value of a parameter, as PHP takes it."""
        values = self.query.get(name, ())
        return values[-1] if values else otherwise

    def several(self, name: str) -> list[str]:
        """A parameter that may be a list: `a=1,2` or `a[]=1&a[]=2`."""
        given = [*self.query.get(name, ()), *self.query.get(f"{name}[]", ())]
        return [part for value in given for part in value.replace(",", " ").split()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, whole: status, headers and body."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


def as_html(text: str) -> str:
    """A text as plain paragraphs of HTML."""
    return "\n".join(f"<p>{escape(part, quote=False)}</p>" for part in paragraphs(text))


def html_page(
    title: str, inside: str, *, status: int = 200, headers: Sequence[tuple[str, str]] = ()
) -> Answer:
    """A small HTML page; `inside` is HTML already."""
    text = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        "<style>body{font:17px/1.5 Georgia,serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
        "img{max-width:100%}article article{margin-left:1.5rem;border-left:2px solid #ccc;padding-left:1rem}"
        f"</style>\n</head>\n<body>\n{inside}\n</body>\n</html>\n"
    )
    return Answer(
        status=status,
        headers=(("Content-Type", "text/html; charset=UTF-8"), *headers),
        body=text.encode(),
    )


def unless_known(request: Request, body: bytes, media_type: str, changed: datetime) -> Answer:
    """The body, or 304 for someone who has it (RFC 9110, section 13: If-None-Match goes before If-Modified-Since)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = (("ETag", tag), ("Last-Modified", format_datetime(changed, usegmt=True)))
    if _known(request, tag, changed):
        return Answer(status=304, headers=headers)
    return Answer(headers=(("Content-Type", media_type), *headers), body=body)


def _known(request: Request, tag: str, changed: datetime) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return "*" in tags or tag in [each.strip().removeprefix("W/") for each in tags.split(",")]
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return parsedate_to_datetime(since) >= changed.replace(microsecond=0)
    except (TypeError, ValueError):
        return False
