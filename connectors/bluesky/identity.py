"""Who an account is: its DID document, with its handle, its own server and the key that it signs with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from connectors.bluesky import address, repository
from connectors.bluesky.parse import Malformed
from connectors.contract import Author, Kind, Observation, Span

_LISTED = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Identity:
    """An account: its DID, and what its DID document says now."""

    did: str
    handle: str | None
    pds: str | None
    key: repository.Key | None

    def author(self, name: str | None = None) -> Author:
        """As the author of what its repository holds."""
        return Author(id=self.did, name=name or None, handle=self.handle)


def read(body: bytes, did: str) -> Identity:
    """Read a DID document; `Malformed` where it is not that of `did`."""
    try:
        document = _LISTED.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(f"a DID document was expected: {fault}") from None
    if document.get("id") != did:
        raise Malformed(f"the document of {did} was expected, and it is that of {document.get('id')!r}")
    named = [
        one.removeprefix("at://") for one in _texts(document.get("alsoKnownAs")) if one.startswith("at://")
    ]
    return Identity(did, address.handle(named[0]) if named else None, _server(document), _key(document))


def observation(found: Identity, evidence: Sequence[Span], **extra: object) -> Observation:
    """The account itself as a record: what it is called, where it is kept, and who is answerable for its key."""
    said = [f"@{found.handle}" if found.handle else "", found.did, found.pds or ""]
    return Observation(
        native_id=found.did,
        kind=Kind.PROFILE,
        author=found.author(),
        text="\n".join(one for one in said if one),
        url=f"https://bsky.app/profile/{found.did}",
        extra={name: value for name, value in extra.items() if value is not None},
        evidence=tuple(evidence),
    )


def document_address(did: str, directory: str) -> str:
    """Where the document of `did` is asked for (did:plc in the directory, did:web at its own host)."""
    if did.startswith("did:web:"):
        return f"https://{unquote(did.removeprefix('did:web:'))}/.well-known/did.json"
    return f"{directory}/{did}"


def _server(document: dict[str, Any]) -> str | None:
    for service in _objects(document.get("service")):
        if str(service.get("id")).endswith("#atproto_pds"):
            named = service.get("serviceEndpoint")
            if isinstance(named, str) and urlsplit(named).scheme in {"http", "https"}:
                return named.rstrip("/")
    return None


def _key(document: dict[str, Any]) -> repository.Key | None:
    for method in _objects(document.get("verificationMethod")):
        if str(method.get("id")).endswith("#atproto"):
            return repository.key(str(method.get("type")), str(method.get("publicKeyMultibase")))
    return None


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
