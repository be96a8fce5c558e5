"""Working copies: what an officer prints or opens in a spreadsheet, marked as such on its first lines.

A spreadsheet takes a cell that begins with certain signs for a formula, and
what strangers wrote may be made to be one. Such a cell begins with an
apostrophe instead.
"""

import html
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.records.nouns import Officer, Record
from app.store.store import Store

MARK = "WORKING COPY – NOT A PRODUCTION"
BOM = "\ufeff"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_UNSEEN = re.compile(
    "[\\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]*"
)
"""Blanks, controls and characters without a width, at the beginning of a value."""
_QUOTED = re.compile(r'[",;\t\r\n]')
_ROWS = 200

COLUMNS = (
    "record",
    "page",
    "platform",
    "kind",
    "state",
    "published",
    "author",
    "handle",
    "text",
    "in reply to",
    "post",
    "address",
    "attachments",
    "version",
    "versions",
    "first seen",
    "last seen",
    "last seen before",
    "changed state by",
    "origin",
    "ledger entry",
)


def computes(text: str) -> bool:
    """Whether a spreadsheet may take this for a formula, or for the beginning of one behind what nobody sees."""
    return text.startswith(_DANGEROUS) or _UNSEEN.sub("", text, count=1).startswith(_DANGEROUS)


def cell(value: object) -> str:
    """A value as a cell that no spreadsheet computes."""
    text = "" if value is None else str(value)
    return f"'{text}" if computes(text) else text


def line(cells: Iterable[str]) -> str:
    """A row of CSV (RFC 4180).

    Quoted is also what has a semicolon or a tab: LibreOffice divides cells
    there too unless it is told otherwise, and behind one a formula could begin.
    """
    quoted = (f'"{one.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(one) else one for one in cells)
    return ",".join(quoted) + "\r\n"


def head(store: Store, officer: Officer, rows: Sequence[tuple[str, object]]) -> list[list[object]]:
    """The first lines of a copy: what it is, whose, made by whom and when, and of what."""
    made = store.clock.now()
    return [
        [MARK],
        ["Agency", store.agency.name],
        ["Made by", f"{officer.name} <{officer.email}>" if officer.name else officer.email],
        ["Made on", _said(made, store.agency.zone())],
        *[[name, value] for name, value in rows],
        [],
    ]


def as_csv(lines: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """CSV (RFC 4180) in UTF-8 with its mark, in parts, in bounded memory."""
    held = io.StringIO(newline="")
    held.write(BOM)
    for number, values in enumerate(lines, start=1):
        held.write(line(cell(value) for value in values))
        if number % _ROWS == 0:
            yield held.getvalue().encode("utf-8", "replace")
            held.seek(0)
            held.truncate()
    yield held.getvalue().encode("utf-8", "replace")


def as_html(lines: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A page to print, with the same lines as a table; nothing in it is anybody's markup but ours."""
    yield (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{MARK}</title>'
        "<style>body{font:12px sans-serif}table{border-collapse:collapse}td{border:1px solid #999;padding:3px;"
        "vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere;max-width:40em}</style><table>\n"
    ).encode()
    for line in lines:
        cells = "".join(f"<td>{html.escape('' if value is None else str(value))}</td>" for value in line)
        yield f"<tr>{cells}</tr>\n".encode("utf-8", "replace")
    yield b"</table></html>\n"


def row(record: Record, zone: ZoneInfo) -> list[object]:
    """One record as a line."""
    version = record.version
    return [
        record.id,
        record.page.name,
        record.page.platform,
        record.kind,
        version.state,
        _said(record.published_at, zone),
        version.text("author_name") or version.text("author_id"),
        version.text("author_handle"),
        version.text("text"),
        record.in_reply_to,
        record.root,
        version.text("url"),
        len(record.attachments),
        version.number,
        record.versions,
        _said(record.first_seen, zone),
        _said(record.last_seen, zone),
        _said(version.last_seen_before, zone),
        _said(version.observed_at, zone) if version.last_seen_before else None,
        "received" if record.received else "captured",
        version.entry,
    ]


def _said(at: datetime | None, zone: ZoneInfo) -> str | None:
    """A moment that spreadsheets sort and people read: ISO 8601 in the agency's zone."""
    return None if at is None else at.astimezone(zone).isoformat(sep=" ", timespec="seconds")
