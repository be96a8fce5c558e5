"""Evidence as WARC 1.1 (ISO 28500:2017): the exchanges that a record's versions were read from.

An exchange that can be joined whole leaves as `request` and `response`; one
with holes leaves as a `conversion` that lists the ranges and why, never as a
response. Digests are SHA-256 and computed on the way out. Chunk framing is the
client's affair and was removed; the body is the entity body as it was on the
wire, after the recorded replacement of secrets.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.db import Tx, from_instant
from app.records.ids import new_id
from app.store.reading import ExchangeKept, exchange, layout, open_pieces
from app.store.store import Store
from app.store.tables import attachments, exchanges, pieces, records, versions

_CRLF = b"\r\n"
_ASK = 500


@dataclass(frozen=True, slots=True)
class Written:
    """What a WARC file holds."""

    records: int
    exchanges: int
    holes: int


def write(store: Store, tx: Tx, record: UUID, out: BinaryIO, *, software: str) -> Written:
    """Write the exchanges that show `record`, each WARC record a gzip member of its own.

    These are the exchanges in which its versions were seen, and those of the
    same runs that hold bytes of its own: its files, its renditions.
    """
    key = tx.execute(select(records.c.key).where(records.c.id == record.bytes)).scalar_one()
    told = Writer(out)
    told.begin(
        store.clock.now(),
        f"{record}.warc.gz",
        software=software,
        part_of=store.agency.origin,
        description=f"evidence of record {record}",
    )
    holes = 0
    unique = exchanges_of(tx, key)
    for one in unique:
        kept = exchange(store, tx, one, of=key)
        if kept.kind == "file":
            put_lines(store, tx, told, kept, [key])
        else:
            holes += put_exchange(told, kept)
    return Written(told.count, len(unique), holes)


def put_exchange(told: Writer, kept: ExchangeKept) -> int:
    """Write an exchange as what it can leave as: whole, by itself, or as what is left of it; return how many holes it has."""
    if not kept.holes and kept.envelope is not None and _stands_alone(kept.envelope):
        _resource(told, kept)
    elif kept.holes or kept.envelope is None:
        _holed(told, kept)
    else:
        _whole(told, kept)
    return len(kept.holes)


def exchanges_of(tx: Tx, record: int) -> list[int]:
    """The exchanges in which a record's versions were seen, and those of the same runs that hold pieces of its own."""
    asked = select(versions.c.exchange).where(versions.c.record == record).order_by(versions.c.number)
    shown = list(dict.fromkeys(tx.execute(asked).scalars()))
    own = set(tx.execute(select(pieces.c.key).where(pieces.c.record == record)).scalars())
    left = own - {piece for one in shown for piece, _, _ in layout(tx, one)}
    of_runs = select(exchanges.c.run).where(exchanges.c.key.in_(shown))
    if left:  # attachments, and how they were asked for, stand in no body
        left.difference_update(
            tx.execute(select(attachments.c.piece).where(attachments.c.record == record)).scalars()
        )
    if left:
        asked = select(exchanges.c.envelope).where(
            exchanges.c.run.in_(of_runs), exchanges.c.envelope.in_(sorted(left))
        )
        left.difference_update(tx.execute(asked).scalars())
    if not left:
        return shown
    asked = select(exchanges.c.key).where(exchanges.c.run.in_(of_runs)).order_by(exchanges.c.key)
    more = [one for one in tx.execute(asked).scalars() if own & {piece for piece, _, _ in layout(tx, one)}]
    return list(dict.fromkeys([*shown, *more]))


def _stands_alone(envelope: bytes) -> bool:
    """Whether an exchange is no request with its response: a stream's message, a letter fetched, a rendition made."""
    head = msgspec.json.decode(envelope)
    return head.get("message") is not None or head.get("method") in ("FETCH", "RENDER")


def _resource(told: Writer, kept: ExchangeKept) -> None:
    """4. What came by itself or was made by us: its bytes, and a record that says how they came about."""
    head = msgspec.json.decode(kept.envelope or b"{}")
    at, url = from_instant(kept.at), head["url"]
    names = {name.lower(): value for name, value in head["response_headers"]}
    told.put(
        "resource",
        at,
        {"WARC-Target-URI": url, "WARC-Payload-Digest": _digest(kept.body)},
        names.get("content-type", "application/octet-stream"),
        kept.body,
    )
    told.put(
        "metadata",
        at,
        {"WARC-Target-URI": url, "WARC-Concurrent-To": told.last},
        "application/json",
        json.dumps(
            {"exchange": str(kept.id), "ledger_entry": kept.entry, **head}, ensure_ascii=False
        ).encode(),
    )


def _whole(told: Writer, kept: ExchangeKept) -> None:
    """1. The exchange as it was: a request and a response, tied together."""
    head = msgspec.json.decode(kept.envelope or b"{}")
    at, url = from_instant(kept.at), head["url"]
    request = (
        f"{head['method']} {_target(url)} {head['http_version']}".encode()
        + _CRLF
        + _headers(head["request_headers"])
        + _CRLF
    )
    request += head["request_body"].encode()
    shared = {"WARC-Target-URI": url}
    if kept.status == 0:
        told.put("request", at, shared, "application/http;msgtype=request", request)
        told.put(
            "metadata",
            at,
            {**shared, "WARC-Concurrent-To": told.last},
            "application/warc-fields",
            _fields({"failure": head.get("failure") or "no answer"}),
        )
        return
    response = (
        f"{head['http_version']} {kept.status} {head['reason']}".rstrip().encode()
        + _CRLF
        + _headers(head["response_headers"])
        + _CRLF
        + kept.body
    )
    more = {"WARC-Truncated": head["truncated"]} if head.get("truncated") else {}
    if head.get("peer_address"):
        more["WARC-IP-Address"] = head["peer_address"]
    told.put(
        "response",
        at,
        {**shared, **more, "WARC-Payload-Digest": _digest(kept.body)},
        "application/http;msgtype=response",
        response,
    )
    answer = told.last
    told.put(
        "request", at, {**shared, "WARC-Concurrent-To": answer}, "application/http;msgtype=request", request
    )
    told.put(
        "metadata",
        at,
        {**shared, "WARC-Concurrent-To": answer},
        "application/json",
        json.dumps(
            {
                "exchange": str(kept.id),
                "ledger_entry": kept.entry,
                "replaced": head["replaced"],
                "peer_certificate_sha256": head["peer_certificate_sha256"],
                "seconds": head["seconds"],
            },
            ensure_ascii=False,
        ).encode(),
    )


def _holed(told: Writer, kept: ExchangeKept) -> None:
    """2. An exchange with holes: what is left of it, and which ranges are gone."""
    head = msgspec.json.decode(kept.envelope) if kept.envelope else {}
    at = from_instant(kept.at)
    url = head.get("url", f"urn:uuid:{kept.id}")
    told.put("conversion", at, {"WARC-Target-URI": url}, "application/octet-stream", kept.body)
    told.put(
        "metadata",
        at,
        {"WARC-Target-URI": url, "WARC-Refers-To": told.last},
        "application/json",
        json.dumps(
            {
                "exchange": str(kept.id),
                "ledger_entry": kept.entry,
                "status": kept.status,
                "holes": [{"start": hole.start, "end": hole.end, "why": hole.why} for hole in kept.holes],
            }
        ).encode(),
    )


def put_lines(store: Store, tx: Tx, told: Writer, kept: ExchangeKept, of: Sequence[int]) -> None:
    """3. What was received in a file: these records' own lines, and where in which file they stood."""
    refs = layout(tx, kept.key)
    own: set[int] = set()
    for start in range(0, len(of), _ASK):
        asked = select(pieces.c.key).where(pieces.c.record.in_(of[start : start + _ASK]))
        own.update(tx.execute(asked).scalars())
    content = open_pieces(store, tx, own & {ref[0] for ref in refs})
    head = msgspec.json.decode(kept.envelope or b"{}")
    place = int(head.get("first_byte", 0))
    for piece, start, length in refs:
        if piece in content:
            told.put(
                "resource",
                from_instant(kept.at),
                {
                    "WARC-Target-URI": f"urn:sha256:{head.get('sha256', '')}#bytes={place}-{place + length - 1}"
                },
                "application/json",
                content[piece][start : start + length],
            )
            told.put(
                "metadata",
                from_instant(kept.at),
                {"WARC-Refers-To": told.last},
                "application/json",
                json.dumps(
                    {
                        "received_in": head.get("file"),
                        "sha256": head.get("sha256"),
                        "format": head.get("format"),
                        "first_byte": place,
                        "bytes": length,
                        "exchange": str(kept.id),
                        "ledger_entry": kept.entry,
                    },
                    ensure_ascii=False,
                ).encode(),
            )
        place += length


class Writer:
    """Writes WARC records, one gzip member each."""

    def __init__(self, out: BinaryIO, name: Callable[[], UUID] = new_id) -> None:
        self.out, self.count, self.last, self._name = out, 0, "", name

    def begin(self, at: datetime, file: str, *, software: str, part_of: str, description: str) -> None:
        """Write the `warcinfo` that a file begins with."""
        told = {
            "software": software,
            "format": "WARC File Format 1.1",
            "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "isPartOf": part_of,
            "description": description,
        }
        self.put("warcinfo", at, {"WARC-Filename": file}, "application/warc-fields", _fields(told))

    def put(self, kind: str, at: datetime, more: Mapping[str, str], media_type: str, block: bytes) -> None:
        """Write a record whose block is at hand."""
        head = self._head(kind, at, {**more, "WARC-Block-Digest": _digest(block)}, media_type, len(block))
        self.out.write(gzip.compress(head + block + _CRLF + _CRLF, mtime=0))

    def put_stream(
        self,
        kind: str,
        at: datetime,
        more: Mapping[str, str],
        media_type: str,
        chunks: Callable[[], Iterator[bytes]],
    ) -> None:
        """Write a record whose block is too large to hold: it is read twice, for the digest in its head and for itself."""
        digest, size = hashlib.sha256(), 0
        for chunk in chunks():
            digest.update(chunk)
            size += len(chunk)
        told = digest_line(digest.digest())
        stated = {**more, "WARC-Block-Digest": told, "WARC-Payload-Digest": told}
        packing = zlib.compressobj(level=1, wbits=16 + zlib.MAX_WBITS)
        self.out.write(packing.compress(self._head(kind, at, stated, media_type, size)))
        for chunk in chunks():
            self.out.write(packing.compress(chunk))
        self.out.write(packing.compress(_CRLF + _CRLF) + packing.flush())

    def _head(self, kind: str, at: datetime, more: Mapping[str, str], media_type: str, length: int) -> bytes:
        self.last = f"<urn:uuid:{self._name()}>"
        self.count += 1
        head = {
            "WARC-Type": kind,
            "WARC-Record-ID": self.last,
            "WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            **more,
            "Content-Type": media_type,
            "Content-Length": str(length),
        }
        lines = "".join(f"{name}: {_line(value)}\r\n" for name, value in head.items())
        return b"WARC/1.1\r\n" + lines.encode() + _CRLF


def _digest(content: bytes) -> str:
    return digest_line(hashlib.sha256(content).digest())


def digest_line(digest: bytes) -> str:
    """A SHA-256 as WARC labels it."""
    return "sha256:" + base64.b32encode(digest).decode()


def _headers(pairs: Sequence[Sequence[str]]) -> bytes:
    return b"".join(f"{name}: {value}".encode("utf-8", "surrogateescape") + _CRLF for name, value in pairs)


def _fields(told: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {_line(value)}\r\n" for name, value in told.items()).encode()


def _line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def _target(url: str) -> str:
    rest = url.split("://", 1)[-1]
    path = rest[rest.find("/") :] if "/" in rest else "/"
    return path.split("#", 1)[0]
