"""The ledger as static files: what anybody may fetch to check us by (C2SP tlog-tiles), and consistency proofs."""

import base64
import re
from itertools import chain

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from app.records.errors import Invalid
from app.store import audit
from app.store.ledger import NoSuchEntry
from app.store.tiles import WIDTH
from app.web.api.shapes import Consistency
from app.web.parts import Here, Parts
from app.web.who import MayEnter

router = APIRouter(prefix="/ledger", tags=["ledger"])
_TILE = re.compile(r"(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x\d{3}/){0,5}\d{3})(?:\.p/([1-9]\d{0,2}))?")
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
