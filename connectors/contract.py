"""The contract between a connector and the archive that keeps what it observes.

A connector looks at one page and yields batches: the HTTP exchanges byte for
byte, what they show as observations, and the gaps it knows of. It decides
nothing about keeping, and it never concludes more than the platform said.

Everything here is plain data; nothing imports HTTP, a database or the archive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NewType, Protocol

Cursor = NewType("Cursor", str)
"""Opaque to everyone but the connector that made it."""


class Kind(StrEnum):
    """What a record is on its page."""

    POST = "post"
    COMMENT = "comment"
    REPLY = "reply"
    MESSAGE = "message"
    PROFILE = "profile"


class State(StrEnum):
    """How the page showed an item when we looked."""

    PRESENT = "present"
    """Shown to the public."""
    HIDDEN = "hidden"
    """Held, filtered or trashed: the page's own people can still read it."""
    ABSENT = "absent"
    """Missing from a listing that should have it. Proves no deletion."""
    GONE = "gone"
    """The platform itself says, by its own code, that it no longer exists."""
    UNKNOWN = "unknown"
    """We asked and could not tell."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` (half open) of the body of `batch.exchanges[exchange]`."""

    exchange: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Author:
    """Who published an item, as far as the platform says."""

    id: str | None = None
    name: str | None = None
    handle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A picture, sound, video or document that belongs to an item.

    `id` MUST stay the same when the platform hands out the same file under
    another address: an address that merely expires is not an edit.
    """

    id: str
    url: str | None = None
    media_type: str | None = None
    path: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One item as it stood when we looked.

    `evidence` names the bytes it was read from. An item nested in another
    MUST name its own bytes; the archive gives them to the innermost. Bytes
    that several items need (a side-loaded author) are named by each of them.
    """

    native_id: str
    kind: Kind
    state: State = State.PRESENT
    author: Author | None = None
    text: str = ""
    html: str | None = None
    url: str | None = None
    in_reply_to: str | None = None
    published_at: datetime | None = None
    edited_at: datetime | None = None
    language: str | None = None
    attachments: Sequence[Attachment] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)
    private: bool = False
    evidence: Sequence[Span] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How a known item stands, learned without reading its content again.

    `state` is GONE only where the platform's own answer says so; `reason`
    keeps that answer ("404 rest_comment_invalid_id"). `exchange` is the index
    of the exchange in the batch that shows it.
    """

    native_id: str
    state: State
    exchange: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A promise: everything of these kinds that the page shows here has been yielded since `began_at`.

    What the archive holds as present or hidden within this scope and has not
    been observed since `began_at` is missing from the listing. `in_reply_to`
    narrows the scope to what answers one item; the times narrow it to what
    was published in between (both inclusive; None leaves that side open).
    `states` are the states that the listing shows.
    """

    kinds: Sequence[Kind]
    began_at: datetime
    exchange: int
    in_reply_to: str | None = None
    published_from: datetime | None = None
    published_until: datetime | None = None
    states: Sequence[State] = (State.PRESENT,)
    stated_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that we know we did not get, and why."""

    what: str
    why: str
    native_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Replaced:
    """A secret that was replaced before anything was written.

    `where` is "request.url", "request.header:Authorization", "response.body"
    and so on; `count` how often; `marker` what stands in its place.
    """

    where: str
    marker: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP request and its answer, byte for byte after the recorded replacement of secrets.

    `body` is the entity body as it was on the wire. `truncated` is None, or
    why the body is shorter than it should be ("length", "time",
    "disconnect"), in the words of WARC 1.1. `status` 0 means that no answer
    came, and `failure` says why.
    """

    method: str
    url: str
    started_at: datetime
    seconds: float
    status: int
    reason: str = ""
    http_version: str = "HTTP/1.1"
    request_headers: Sequence[tuple[str, str]] = ()
    request_body: bytes = b""
    response_headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    truncated: str | None = None
    failure: str | None = None
    peer_address: str | None = None
    peer_certificate_sha256: str | None = None
    replaced: Sequence[Replaced] = ()

    def header(self, name: str) -> str | None:
        """The first response header of that name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.response_headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one step of observing yielded, with the place to resume from."""

    exchanges: Sequence[Exchange]
    resume_from: Cursor
    observations: Sequence[Observation] = ()
    sightings: Sequence[Sighting] = ()
    listings: Sequence[Listing] = ()
    gaps: Sequence[Gap] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a connector is told of the page it observes."""

    address: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a connector can see, what it cannot, and what it needs.

    `captures` maps a stream ("posts", "comments", "edits", "deletions",
    "hidden", "messages") to how it is seen. `parser` is raised whenever the
    same bytes would yield other observations.
    """

    name: str
    title: str
    platform: str
    route: str
    captures: Mapping[str, str]
    blind_spots: Sequence[str] = ()
    needs: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    api_version: str | None = None
    api_ends: str | None = None
    parser: int = 1
    legal_basis: str = ""


class Client(Protocol):
    """The only way to the network: polite, and recording every exchange.

    `get` returns the recorded exchange whatever its status below 500, except
    that 401 and 403 raise `AccessRevoked`, 429 and 5xx and a lost connection
    raise `TryAgainLater`, an address that may not be asked raises
    `AddressRefused`, and a body over the limit raises `UnexpectedResponse`.
    Each error carries its exchange. With `accept` given, those statuses are
    returned instead of raised.
    """

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Exchange: ...

    def now(self) -> datetime: ...


class Connector(Protocol):
    """One platform. Made with the evidence client and, where the page is connected, its secret."""

    manifest: ClassVar[Manifest]

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None: ...

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Yield what the page shows, in batches; `since` None begins a pass from nothing.

        Resuming from any yielded `resume_from` MUST miss nothing; it MAY
        repeat. The last cursor of a finished pass begins the next one.
        Errors are raised with the exchanges that show them; whatever was
        yielded before stays good.
        """
        ...

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask by id how known items stand: present, hidden, gone or unknown.

        A connector that cannot ask yields nothing.
        """
        ...
