"""A record as JSON, in the shape in which the archive itself tells it, with all of its versions.

Only what leaves whole has a native form: a file that says what a record is
must not be one of which something was left out.
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from app.disclosure.released import Marked, Released, ReleasedAttachment, ReleasedVersion, plain
from app.records import clock
from app.records.errors import IntegrityFailure
from app.store import canonical

_HALF = re.compile("[\ud800-\udfff]")


class NativeOfRedacted(IntegrityFailure):
    """A record of which something was taken out was about to leave in its native form."""

    code = "native-of-redacted"


def native(record: Released) -> bytes:
    """A record as canonical JSON (RFC 8785); raises `NativeOfRedacted` unless all of it leaves.

    What holds it is not told: a hold is nothing of the record's, and may be
    nobody's business.
    """
    if record.redacted or record.withheld_from:
        raise NativeOfRedacted(
            f"record {record.id} does not leave whole, so it has no native form",
            next="This is a fault of the program: nothing was written. Report it.",
        )
    now = record.now
    author = {"id": record.author.id, "name": record.author.name, "handle": record.author.handle}
    told = {
        "id": str(record.id),
        "page": {
            "id": str(record.page.id),
            "name": record.page.name,
            "platform": record.page.platform,
            "address": record.page.address,
        },
        "kind": record.kind,
        "native_id": _whole(record.native_id),
        "url": _whole(record.url),
        "state": record.state,
        "in_reply_to": str(record.in_reply_to) if record.in_reply_to else None,
        "root": str(record.root),
        "author": {part: _whole(value) for part, value in author.items()} if any(author.values()) else None,
        "published_at": _time(record.published_at),
        "version": now.number,
        "versions": len(record.versions),
        "text": plain(now.text),
        "html": now.html,
        "attachments": [_attached(one) for one in now.attachments],
        "counts": dict(record.counts),
        "first_seen": _time(record.first_seen),
        "last_seen": _time(record.last_seen),
        "interval": _interval(now),
        "series": record.series,
        "origin": record.origin,
        "received": dict(record.received) if record.received is not None else None,
        "entry": now.entry,
        "edited_at": now.edited_at,
        "language": record.language,
        "extra": dict(record.extra),
        "history": [_version(version) for version in record.versions],
    }
    return _written(told)


def _version(version: ReleasedVersion) -> dict[str, object]:
    return {
        "version": version.number,
        "state": version.state,
        "observed_at": _time(version.observed_at),
        "last_seen_before": _time(version.last_seen_before),
        "entry": version.entry,
        "edited_at": version.edited_at,
        "text": plain(version.text),
        "html": version.html,
        "attachments": [_attached(one) for one in version.attachments],
    }


def _attached(one: ReleasedAttachment) -> dict[str, object]:
    return {
        "id": str(one.id) if one.id else None,
        "media_type": one.media_type,
        "bytes": one.size,
        "state": "missing" if one.chunks is None else "kept",
        "description": plain(one.description),
    }


def _interval(version: ReleasedVersion) -> dict[str, object] | None:
    if version.last_seen_before is None:
        return None
    return {
        "last_seen_before": _time(version.last_seen_before),
        "first_seen_after": _time(version.observed_at),
    }


def _whole(value: Marked | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise NativeOfRedacted("a field that was taken out was about to leave in a native form")


def _time(when: datetime | None) -> str | None:
    return None if when is None else clock.iso(when)


def _written(told: object) -> bytes:
    """Canonical, with names of any script; half a character stays what it is, as an escape."""
    text = json.dumps(_ordered(canonical.plain(told)), ensure_ascii=False, separators=(",", ":"))
    return _HALF.sub(lambda half: f"\\u{ord(half.group()):04x}", text).encode()


def _ordered(value: canonical.Json) -> canonical.Json:
    """Names sorted by their UTF-16 code units (RFC 8785, 3.2.3)."""
    match value:
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
            return {name: _ordered(value[name]) for name in names}
        case list():
            return [_ordered(one) for one in value]
        case _:
            return value
