"""The ledger as static files: what anybody may fetch to check us by, without signing in.

Tiles, entries and checkpoints (C2SP tlog-tiles), proofs of entries
(tlog-proof), proofs between any two sizes, cosignatures and timestamps. None
of it holds content or names, and nothing runs ahead of what was signed.
"""

import base64
import re
from itertools import chain

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from app.records.errors import Invalid
from app.store import anchors, audit, proofs, witness
from app.store.ledger import NoSuchEntry
from app.store.note import with_cosignatures
from app.store.tiles import WIDTH
from app.web.api.shapes import Consistency
from app.web.parts import Here, Parts
from app.web.who import MayEnter

router = APIRouter(prefix="/ledger", tags=["ledger"])
_TILE = re.compile(r"(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x\d{3}/){0,5}\d{3})(?:\.p/([1-9]\d{0,2}))?")
_DIGEST = re.compile("[0-9a-f]{64}")
_BEYOND = 1 << 63
"""A number that no database column holds."""
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_BRIEFLY = {"Cache-Control": "no-cache"}


class BadSizes(Invalid):
    """No consistency proof leads from one of these sizes to the other."""

    code = "bad-sizes"


@router.get("/checkpoint", response_class=PlainTextResponse)
def checkpoint(here: Here) -> PlainTextResponse:
    """The signed checkpoint of the ledger as it stands."""
    return PlainTextResponse(current(here), headers=_BRIEFLY)


@router.get("/vkey", response_class=PlainTextResponse)
def verifier_key(here: Here) -> PlainTextResponse:
    """The key that checkpoints are checked with."""
    return PlainTextResponse(here.store.ledger.verifier().line() + "\n", headers=_BRIEFLY)


@router.get("/consistency")
def consistency(old: int, new: int, _: MayEnter, here: Here) -> Consistency:
    """The proof that the ledger of `new` entries begins with that of `old`."""
    size = _size(here)
    if not 0 < old <= new <= size:
        raise BadSizes(f"no proof leads from {old} to {new} entries", next=f"The ledger has {size} entries.")
    proof = here.store.ledger.consistency(old, new)
    return Consistency(old=old, new=new, proof=[base64.b64encode(part).decode() for part in proof])


@router.get("/consistency/{old}/{new}", response_class=PlainTextResponse)
def consistency_lines(old: int, new: int, here: Here) -> PlainTextResponse:
    """The same proof as lines of base64, for `verify.py --consistency`; up to the newest checkpoint."""
    signed = _signed(here)
    if not 0 < old <= new <= signed:
        raise BadSizes(
            f"no proof leads from {old} to {new} entries", next=f"The newest checkpoint is of {signed}."
        )
    proof = here.store.ledger.consistency(old, new)
    lines = "".join(f"{base64.b64encode(part).decode()}\n" for part in proof)
    return PlainTextResponse(lines, headers=_FOREVER)


@router.get("/checkpoint/{size}", response_class=PlainTextResponse)
def checkpoint_of(size: int, here: Here) -> PlainTextResponse:
    """The checkpoint that was signed over `size` entries, with the cosignatures that it has."""
    with here.store.database.read() as tx:
        note = anchors.signed_note(tx, size) if 0 <= size < _BEYOND else None
        if note is None:
            raise NoSuchEntry(f"no checkpoint was signed over {size} entries")
        lines = [line for _, line in witness.lines_over(tx, size)]
    return PlainTextResponse(with_cosignatures(note, lines), headers=_BRIEFLY)


@router.get("/proof/{index}", response_class=PlainTextResponse)
def proof(index: int, here: Here) -> PlainTextResponse:
    """The proof of an entry under the newest checkpoint (C2SP tlog-proof)."""
    signed = _signed(here)
    if not 0 <= index < signed:
        raise NoSuchEntry(f"no checkpoint covers an entry {index} yet")
    with here.store.database.read() as tx:
        return PlainTextResponse(proofs.under(here.store, tx, index, signed), headers=_BRIEFLY)


@router.get("/checkpoint/{size}/timestamps", response_class=PlainTextResponse)
def timestamps(size: int, here: Here) -> PlainTextResponse:
    """The SHA-256 of each timestamp over that checkpoint, one a line."""
    with here.store.database.read() as tx:
        kept = anchors.over(tx, size) if 0 <= size < _BEYOND else []
    return PlainTextResponse("".join(f"{one.digest.hex()}\n" for one in kept), headers=_BRIEFLY)


@router.get("/timestamp/{digest}", response_class=Response)
def timestamp(digest: str, here: Here) -> Response:
    """A timestamp as the authority gave it (RFC 3161), by its SHA-256."""
    with here.store.database.read() as tx:
        token = anchors.by_digest(tx, bytes.fromhex(digest)) if _DIGEST.fullmatch(digest) else None
    if token is None:
        raise NoSuchEntry("no timestamp has this SHA-256")
    return Response(token, media_type="application/timestamp-reply", headers=_FOREVER)


@router.get("/tile/{path:path}", response_class=Response)
def tile(path: str, here: Here) -> Response:
    """A tile of hashes (`tile/<L>/<N>[.p/<W>]`) or a bundle of entries (`tile/entries/<N>[.p/<W>]`)."""
    asked = _TILE.fullmatch(path)
    if asked is None:
        raise NoSuchEntry("no tile has this name")
    kind, number = asked[1], int(asked[2].replace("/", "").replace("x", ""))
    width = int(asked[3]) if asked[3] else WIDTH
    if width > WIDTH or (asked[3] and width == WIDTH) or _longer_than_needed(asked[2]):
        raise NoSuchEntry("no tile has this name")
    level = 0 if kind == "entries" else int(kind)
    # Only what a checkpoint covers is given out, so that a tile never runs ahead of what was signed.
    signed = _signed(here)
    if number * WIDTH + width > signed >> (8 * level):
        raise NoSuchEntry("the ledger has no such tile yet")
    if kind == "entries":
        bodies = here.store.ledger.bodies(number * WIDTH, number * WIDTH + width)
        content = b"".join(chain.from_iterable((len(body).to_bytes(2), body) for body in bodies))
    else:
        content = here.store.ledger.tiles.tile(level, number, width)
    return Response(content, media_type="application/octet-stream", headers=_FOREVER)


def current(here: Parts) -> str:
    """The newest checkpoint, signed now if the ledger has grown since the last one."""
    with here.store.database.read() as tx:
        newest = audit.newest_checkpoint(tx)
        size = here.store.ledger.size(tx)
    return newest.note if newest and newest.size == size else here.store.ledger.checkpoint()


def _size(here: Parts) -> int:
    with here.store.database.read() as tx:
        return here.store.ledger.size(tx)


def _signed(here: Parts) -> int:
    with here.store.database.read() as tx:
        newest = audit.newest_checkpoint(tx)
    return newest.size if newest else 0


def _longer_than_needed(groups: str) -> bool:
    return groups.startswith("x000/")
