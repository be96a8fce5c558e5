"""Which of the formats a document is in, and what it shows."""

from __future__ import annotations

import codecs

from connectors.feed import jsonfeed, parse, xmlfeed


def read(body: bytes, where: parse.Where) -> parse.Document:
    """Read a feed document of any format; `NotAFeed` where it is none."""
    if not body.strip(b"\x00 \t\r\n"):
        raise parse.NotAFeed("The document is empty.")
    if looks_like_json(body):
        return parse.document(jsonfeed.parts(body, where.address), where)
    return parse.document(xmlfeed.parts(body, where.charset, where.address), where)


def looks_like_json(body: bytes) -> bool:
    return body[:256].removeprefix(codecs.BOM_UTF8).replace(b"\x00", b"").lstrip().startswith((b"{", b"["))
