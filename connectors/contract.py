"""The contract between a connector and the archive that keeps what it observes.

A connector looks at one page and yields batches: the HTTP exchanges byte for
byte, what they show as observations, and the gaps it knows of. It decides
nothing about keeping, and it never concludes more than the platform said.

Everything here is plain data; nothing imports HTTP, a database or the archive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    """Who published an item, as far as the platform says.

    One without anything is nobody: the platform says that the author left, or
    hides them. An author whom it did not tell this time is None.
    """

    id: str | None = None
    name: str | None = None
    handle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A picture, sound, video or document that belongs to an item.

    `id` MUST stay the same when the platform hands out the same file under
    another address: an address that merely expires is not an edit. Other
    words with the same file are one. Of each, None says that the platform did
    not tell this time, and an empty text that there is none: what was not
    asked for, or was refused, MUST be None.
    """

    id: str
    url: str | None = None
    media_type: str | None = None
    path: str | None = None
    description: str | None = None
    """What somebody wrote it shows, for those who cannot see it."""
    caption: str | None = None
    """The line that the page shows with it."""


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
    files_told: bool = True
    """False where the platform kept back which files are the item's: those that its text shows are named by their addresses, and the others stand as they stood."""
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


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Exchange:
    """One HTTP request and its answer, byte for byte after the recorded replacement of secrets.

    `body` is the entity body as it was on the wire. `truncated` is None, or
    why the body is shorter than it should be ("length", "time",
    "disconnect"), in the words of WARC 1.1. `status` 0 means that no answer
    came, and `failure` says why. `message` is None for a whole answer; in a
    stream that stays open it is the number of the message, and the body is
    that message alone.
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
    message: int | None = None

    def header(self, name: str) -> str | None:
        """The first response header of that name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.response_headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one step of observing yielded, with the place to resume from.

    Each exchange of a pass MUST be handed over once: what is handed over
    twice would be kept as asked twice.
    """

    exchanges: Sequence[Exchange]
    resume_from: Cursor
    observations: Sequence[Observation] = ()
    sightings: Sequence[Sighting] = ()
    listings: Sequence[Listing] = ()
    gaps: Sequence[Gap] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a connector is told of the page it observes, and how much of it this pass is about.

    A pass MAY leave out what was published before `published_from` or after
    `published_until` (both inclusive; None leaves that side open); its
    listings MUST then be narrowed in the same way. What bears no time belongs
    to every pass. A connector that cannot narrow reads everything.
    """

    address: str
    options: Mapping[str, str] = field(default_factory=dict)
    published_from: datetime | None = None
    published_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check of a page's connection looked at: a permission, a scope, a version's end.

    `remedy` tells an officer what to do, in order; it is empty where all is well.
    """

    what: str
    fine: bool
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that a person enters to connect a page; `name` is the secret's name."""

    name: str
    title: str
    help: str = ""
    required: bool = True
    shown: bool = False
    """Whether it may be seen while it is typed: a user name, never a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """The page is connected by what its manager enters: an application password, a token."""

    fields: Sequence[Field]
    steps: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2:
    """The page is connected by signing in at the platform (RFC 6749 with PKCE, RFC 7636).

    `{origin}` in an address stands for the origin of the page's own address,
    for platforms that are many servers. `register_at` is where such a server
    registers a client without asking a person (Mastodon); elsewhere the
    operator registers one and gives its id and secret in a file. The secret
    that the connector is given holds `access_token` and, where the platform
    gives one, `refresh_token`.

    For platforms that speak it in words of their own: `asked_as` is what they
    call the fields of the address to which a person is sent, `sent_as` those
    of what is sent for a token; `scopes_joined_by` stands between scopes,
    `refresh_at` is where a token is renewed if not at `token_at`, and
    `sends_json` says that questions for tokens are JSON.
    """

    authorise_at: str
    token_at: str
    scopes: Sequence[str] = ()
    register_at: str | None = None
    revoke_at: str | None = None
    pkce: bool = True
    single_use_refresh: bool = False
    """Whether a refresh token is worthless once it was used, so that the answer is all there is."""
    extra: Mapping[str, str] = field(default_factory=dict)
    asked_as: Mapping[str, str] = field(default_factory=dict)
    sent_as: Mapping[str, str] = field(default_factory=dict)
    scopes_joined_by: str = " "
    refresh_at: str | None = None
    sends_json: bool = False
    steps: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth1:
    """The page is connected by signing in at the platform in the manner of RFC 5849.

    The secret that the connector is given holds `consumer_key`,
    `consumer_secret`, `token` and `token_secret`.
    """

    request_at: str
    authorise_at: str
    token_at: str
    extra: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[str] = ()


SignIn = ByHand | OAuth2 | OAuth1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a connector can see, what it cannot, and what it needs.

    `captures` maps a stream ("posts", "comments", "edits", "deletions",
    "hidden", "messages") to how it is seen. `parser` is raised whenever the
    same bytes would yield other observations. `narrows` says that a pass can
    be kept to what was published in a span of time at a cost that follows the
    span; `sign_in` how a page is connected, None where nothing is needed;
    `tells_history` that earlier states of an item are observed too, each with
    its own time or address: one that is held already is then no edit, but for
    introductions, which are observed as they stand;
    `streams_openly` that `listen` needs no credentials.
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
    narrows: bool = False
    sign_in: SignIn | None = None
    tells_history: bool = False
    streams_openly: bool = False


class Client(Protocol):
    """The only way to the network: polite, and recording every exchange.

    `get` returns the recorded exchange whatever its status below 500, except
    that 401 and 403 raise `AccessRevoked`, 429 and 5xx and a lost connection
    raise `TryAgainLater`, an address that may not be asked raises
    `AddressRefused`, and a body over the limit raises `UnexpectedResponse`.
    Each error carries its exchange. With `accept` given, those statuses are
    returned instead of raised. `apart` is how far questions to this address,
    whatever their parameters, must lie from one another, where the platform
    asks for more than the client keeps at every host.
    """

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
        apart: timedelta = timedelta(0),
    ) -> Exchange: ...

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Exchange:
        """Send a form or JSON, as `get` otherwise: to sign in and to ask, never to change the page.

        It is not sent again after an answer began or may have begun, and no
        redirect is followed. The body is kept with its secrets replaced.
        """
        ...

    def listen(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Exchange]:
        """Open a stream and yield each of its messages as an exchange, until the stream or the caller ends it.

        `http` and `https`: server-sent events, one event a message, with the
        bytes as they were on the wire up to and including the empty line that
        ends it; comment lines (heartbeats) are no messages. `ws` and `wss`: a
        WebSocket, one whole message each. `exchange.message` counts from 0.
        Errors as with `get`; a stream that falls silent for too long or breaks
        raises `TryAgainLater`.
        """
        ...

    def learned(self, exchange: Exchange) -> Mapping[str, str]:
        """The secrets that were replaced in the answer of `exchange`, by name, for whoever signs in with them.

        A field of JSON or of a form stands under its own name
        ("access_token"), one that occurs again under "access_token:2"; a
        cookie that the answer sets under "cookie:" and its name. They are kept
        in memory alone, for as long as `exchange` itself is, and never
        written. Cookies are not sent by themselves: who needs a session gives
        the header. Only `get` and `post` learn; the messages of a stream do not.
        """
        ...

    def keep_secret(self, name: str, value: str) -> None:
        """From now on `value` is replaced wherever it stands: a session's token that was learned on the way."""
        ...

    def now(self) -> datetime: ...


class Connector(Protocol):
    """One platform. Made with the evidence client and, where the page is connected, its secret.

    A value of `secret` may be renewed while a run lasts (an access token that
    expires within the hour): read it anew for each question, keep no copy.
    """

    manifest: ClassVar[Manifest]

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None: ...

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Yield what the page shows, in batches; `since` None begins a pass from nothing.

        Resuming from any yielded `resume_from` MUST miss nothing; it MAY
        repeat. An object at which the platform fails is a gap, and asked for
        again by every later pass (`connectors.failing`). The last cursor of a finished pass begins the next one; a pass
        that is resumed is resumed with the same page, its times included.
        Errors are raised with the exchanges that show them; whatever was
        yielded before stays good.
        """
        ...

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask by id how known items stand: present, hidden, gone or unknown.

        A connector that cannot ask yields nothing.
        """
        ...


class Checks(Protocol):
    """What a connector MAY offer besides: to say what a page's connection lacks."""

    def check(self, page: Page) -> Iterator[Finding]:
        """Ask as little as is needed, and say of each permission, scope, approval and version how it stands.

        What the platform refuses is a finding with its remedy, in words that
        an officer can act on. Only that it cannot be reached is raised.
        """
        ...


class Families(Protocol):
    """What a connector MAY offer besides: to observe one post again with what answers it.

    Capture asks so for a post that is busy, and for families that no pass has
    seen for long.
    """

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Yield the item `root` and everything that answers it, at any depth.

        It ends with a listing narrowed by `in_reply_to`, one for each item
        that has answers, where all of them were shown. Cursors mean nothing here.
        """
        ...


class Remembers(Protocol):
    """What a connector MUST offer besides where it knows a page by more than its address.

    A page may be called otherwise by now. A pass knows it by its cursor; looks
    and families that follow from no pass are told the last one's first.
    """

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor `since` is; nothing is asked."""
        ...


class Signs(Protocol):
    """What a connector MUST offer besides where a page's files are shown to nobody but those who sign in."""

    def signed(self, page: Page, address: str) -> Mapping[str, str]:
        """The headers with which capture asks for a file at `address`; none where anybody gets it.

        Credentials MUST go to their own origin alone, and over TLS.
        """
        ...


class Streams(Protocol):
    """What a connector MAY offer besides: to be told by the platform as things happen.

    What comes is kept as any other batch. A stream promises nothing about
    what it did not tell; passes reconcile.
    """

    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Yield a batch for each thing that happened, without end, from `since` on where the platform can.

        It MUST NOT yield listings. It ends by an error, or when the caller
        closes it. `since` is a cursor that `listen` yielded, of no other use.
        """
        ...
