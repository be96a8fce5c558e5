"""Papers of a request: the message as it arrived, what was attached to it, and each letter that was written.

Each is sealed under the secret of the act that kept it, so that it opens and
ends with that act. Nothing here is ever looked into by a program: what a
stranger sent is handed on as the bytes that it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select

from app.capture import deeds
from app.db import Tx
from app.disclosure.requests import Request
from app.records.errors import IntegrityFailure, Invalid, NotFound
from app.records.ids import new_id
from app.store.sealing import seal, unseal
from app.store.store import Store
from app.store.tables import acts, request_papers

MOST_BYTES = 32 * 1024 * 1024
MESSAGE, ATTACHED, LETTER = "message", "attached", "letter"
_CONTEXT = b"request-paper/"


class NoSuchPaper(NotFound):
    """No paper of that id belongs to the request."""

    code = "no-such-paper"


class PaperTooLarge(Invalid):
    """A paper is larger than the archive takes."""

    code = "paper-too-large"


class PaperAltered(IntegrityFailure):
    """A paper is not what its act says."""

    code = "paper-altered"


@dataclass(frozen=True, slots=True)
class New:
    """A paper that is about to be kept."""

    kind: str
    name: str
    media_type: str
    content: bytes

    def __post_init__(self) -> None:
        if len(self.content) > MOST_BYTES:
            raise PaperTooLarge(
                f"{self.name[:80] or 'a paper'} has more than {MOST_BYTES // 1024 // 1024} MiB",
                next="Keep it elsewhere, and say where in the request's own words.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper that is kept."""

    id: UUID
    kind: str
    name: str
    media_type: str
    bytes: int
    sha256: str
    entry: int


def about(new: New, identity: UUID) -> dict[str, object]:
    """What the act says of a paper."""
    return {
        "id": str(identity),
        "kind": new.kind,
        "name": new.name,
        "media_type": new.media_type,
        "bytes": len(new.content),
        "sha256": hashlib.sha256(new.content).hexdigest(),
    }


def named(wanted: Mapping[UUID, New]) -> list[dict[str, object]]:
    """What the act says of all of its papers."""
    return [about(new, identity) for identity, new in wanted.items()]


def numbered(*wanted: New) -> dict[UUID, New]:
    """Papers, each with the id that it will have."""
    return {new_id(): new for new in wanted}


def keep(store: Store, tx: Tx, request: int, entry: int, wanted: Mapping[UUID, New]) -> None:
    """Keep papers under the secret of the act `entry`, whose detail MUST name them."""
    if not wanted:
        return
    owner = bytes(tx.execute(select(acts.c.secret).where(acts.c.entry == entry)).scalar_one())
    secret = store.keyring.secret(owner)
    tx.execute(
        insert(request_papers),
        [
            {
                "id": identity.bytes,
                "request": request,
                "entry": entry,
                "kind": new.kind,
                "bytes": len(new.content),
                "sealed": seal(secret, _CONTEXT + identity.bytes, new.content),
            }
            for identity, new in wanted.items()
        ],
    )


def listed(store: Store, tx: Tx, request: Request) -> list[Paper]:
    """The papers of a request, oldest first."""
    columns = (request_papers.c.id, request_papers.c.kind, request_papers.c.bytes, request_papers.c.entry)
    asked = select(*columns).where(request_papers.c.request == request.key).order_by(request_papers.c.key)
    rows = tx.execute(asked).all()
    told = deeds.told(store, tx, [row.entry for row in rows])
    found = []
    for row in rows:
        identity = UUID(bytes=bytes(row.id))
        kept = told[row.entry].detail.get("papers")
        said = next(
            (
                one
                for one in (kept if isinstance(kept, list) else [])
                if isinstance(one, dict) and one.get("id") == str(identity)
            ),
            {},
        )
        found.append(
            Paper(
                id=identity,
                kind=row.kind,
                name=str(said.get("name", "")),
                media_type=str(said.get("media_type", "")),
                bytes=row.bytes,
                sha256=str(said.get("sha256", "")),
                entry=row.entry,
            )
        )
    return found


def get(store: Store, tx: Tx, request: Request, which: UUID) -> Paper:
    """The paper of that id, or `NoSuchPaper`."""
    for one in listed(store, tx, request):
        if one.id == which:
            return one
    raise NoSuchPaper(f"{request.number} has no paper {which}", next="See muniment request show.")


def content(store: Store, tx: Tx, paper: Paper) -> bytes:
    """The bytes of a paper, exactly as they were kept; what is not what its act says raises `PaperAltered`."""
    asked = (
        select(request_papers.c.sealed, acts.c.secret)
        .join(acts, acts.c.entry == request_papers.c.entry)
        .where(request_papers.c.id == paper.id.bytes)
    )
    row = tx.execute(asked).one()
    secret = store.keyring.secret(bytes(row.secret))
    found = unseal(secret, _CONTEXT + paper.id.bytes, bytes(row.sealed))
    if hashlib.sha256(found).hexdigest() != paper.sha256:
        raise PaperAltered(f"paper {paper.id} is not what entry {paper.entry} says")
    return found


def as_json(paper: Paper) -> dict[str, object]:
    """A paper as programs read it."""
    return {
        "id": str(paper.id),
        "kind": paper.kind,
        "name": paper.name,
        "media_type": paper.media_type,
        "bytes": paper.bytes,
        "sha256": paper.sha256,
        "entry": paper.entry,
    }
