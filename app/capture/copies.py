"""Working copies: what an officer prints or opens in a spreadsheet, marked as such on its first lines.

A spreadsheet takes a cell that begins with certain signs for a formula, and
what strangers wrote may be made to be one. Such a cell begins with an
apostrophe instead.
"""

import csv
import html
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.records.nouns import Officer, Record
from app.store.store import Store

MARK = "WORKING COPY – NOT A PRODUCTION"
BOM = "\ufeff"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
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


def cell(value: object) -> str:
    """A value as a cell that no spreadsheet computes."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) else text


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
    writer = csv.writer(held)
    for number, line in enumerate(lines, start=1):
        writer.writerow([cell(value) for value in line])
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
