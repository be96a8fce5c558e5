"""Reading a record: found for this officer, or not there at all; and every look at it on the access log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from fastapi import Response
from fastapi.responses import StreamingResponse

from app.capture import attachments, records
from app.capture.records import NoSuchRecord, Stood
from app.db import Tx
from app.holds.showing import with_hold, with_holds
from app.records.nouns import Disposed, Officer, Record
from app.store import access
from app.web.parts import Parts
from app.web.who import READERS, messages

PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
"""The media types that a browser may show by itself; everything else is handed over as a file."""
_SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """One record of a family: how deep it stands under the post, and how it stood at the moment asked for."""

    record: Record
    depth: int
    stood: Stood | None


def view(
    here: Parts, tx: Tx, identity: UUID, *, by: Officer, number: int | None = None, what: str = "record"
) -> Record | Disposed:
    """A record or what is left of it, with the look at it written down."""
    found = records.get(here.store, tx, identity, messages=messages(by), number=number, by=by.id)
    access.note(here.store, tx, "view", by=by.id, record=identity, detail={"what": what, "version": number})
    return with_hold(here.store, tx, found, by=by)


def in_brief(here: Parts, tx: Tx, identities: Sequence[UUID], *, by: Officer) -> Mapping[UUID, Record]:
    """Those of a list of records that `by` may read, with the look at them written down; none for who reads no records."""
    if not (identities and by.may(*READERS)):
        return {}
    keys = list(records.keys_of(tx, identities).values())
    found = records.read(here.store, tx, keys, messages=messages(by), by=by.id)
    access.note(here.store, tx, "view", by=by.id, detail={"what": "a list", "records": len(identities)})
    return {one.id: one for one in found}


def living(found: Record | Disposed) -> Record:
    """A record that can still be read; of a disposed one nothing is left to show."""
    if isinstance(found, Disposed):
        raise NoSuchRecord(
            f"record {found.id} was disposed of", next="Its certificate says when and under which authority."
        )
    return found


def family(here: Parts, tx: Tx, record: Record, *, by: Officer, at: datetime | None = None) -> list[Member]:
    """The post of `record` with everything that answers it, in reading order; with `at`, each as it read then."""
    found = records.family(here.store, tx, record, messages=messages(by))
    found = with_holds(here.store, tx, found, by=by)
    depths: dict[UUID, int] = {}
    for one in found:
        depths[one.id] = depths[one.in_reply_to] + 1 if one.in_reply_to in depths else 0
    if at is None:
        return [Member(one, depths[one.id], None) for one in found]
    stood = records.stood_at(here.store, tx, found, at)
    return [Member(one.record, depths[one.record.id], one) for one in stood]


def attachment(here: Parts, tx: Tx, identity: UUID, *, by: Officer) -> Response:
    """An attachment's bytes, streamed; only plain pictures are shown in place, and nothing may act in our name."""
    row = attachments.get(tx, identity)
    if row is None or row.state != attachments.KEPT:
        raise NoSuchRecord(f"no attachment {identity} is held")
    whose = UUID(bytes=row.record)
    record = living(records.get(here.store, tx, whose, messages=messages(by), by=by.id))
    access.note(
        here.store,
        tx,
        "view",
        by=by.id,
        record=record.id,
        detail={"what": "attachment", "attachment": identity.hex},
    )
    said = next((one.media_type for one in record.attachments if one.id == identity), None) or ""
    media_type = said.partition(";")[0].strip().lower()
    shown = media_type in PICTURES
    headers = {
        "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{identity}"',
        "Content-Security-Policy": _SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }
    if row.length is not None:
        headers["Content-Length"] = str(row.length)
    return StreamingResponse(
        attachments.stream(here.store, row),
        media_type=media_type if shown else "application/octet-stream",
        headers=headers,
    )


def evidence(here: Parts, identity: UUID, *, by: Officer, why: str) -> Response:
    """The exchanges that show a record, as a WARC file; taking it is written down before the first byte leaves."""
    record = _found(here, identity, by)
    folder = TemporaryDirectory(prefix="muniment-")
    file = Path(folder.name) / f"{record.id}.warc.gz"
    try:
        here.write_evidence(record, file, by=by, why=why)
        return handed_over(file, folder, "application/warc")
    except BaseException:
        folder.cleanup()
        raise


def proof(here: Parts, identity: UUID, *, number: int | None, by: Officer, why: str) -> Response:
    """The proof folder of a version, as a zip; taking it is written down before the first byte leaves."""
    record = _found(here, identity, by, number)
    folder = TemporaryDirectory(prefix="muniment-")
    name = f"{record.id}-version-{record.version.number}-proof"
    written, file = Path(folder.name) / name, Path(folder.name) / f"{name}.zip"
    try:
        here.write_proof(record, written, number=number, by=by, why=why)
        zipped(written, file)
        return handed_over(file, folder, "application/zip")
    except BaseException:
        folder.cleanup()
        raise


def zipped(folder: Path, file: Path) -> None:
    """Write a folder as a zip, everything in it below the folder's own name."""
    with ZipFile(file, "w", ZIP_DEFLATED) as packed:
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                packed.write(one, f"{folder.name}/{one.relative_to(folder)}")


def _found(here: Parts, identity: UUID, by: Officer, number: int | None = None) -> Record:
    with here.store.database.read() as tx:
        return living(records.get(here.store, tx, identity, messages=messages(by), number=number, by=by.id))


def handed_over(file: Path, folder: "TemporaryDirectory[str]", media_type: str) -> Response:
    """Stream a file that vanishes with the answer; it is open already, so that nothing else can take its place."""
    opened = file.open("rb")
    size = file.stat().st_size
    folder.cleanup()
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Content-Length": str(size)}
    return StreamingResponse(_chunks(opened), media_type=media_type, headers=headers)


def _chunks(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
