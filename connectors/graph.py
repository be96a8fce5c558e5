"""What Meta's platforms share: how the Graph interface is asked, paged, metered and refused.

Four things about it decide how it is asked:

Tokens leave it in its answers. The links of `paging` carry the token with
which they were asked for, so links are never followed: what leads on is read
out of them (`after`, `until`), and the token travels in a header alone. What
stands in a body all the same is replaced before anything is kept.

Limits are told in percent, in headers that appear once enough was asked, and
"too often" comes with status 400 and a code. Asking stops before the limit is
reached, since a page's limit is shared by everyone who works with it.

An error's number, not its status, says what happened. Code 100 with subcode 33
is what was removed, what is private and what was never there alike; whoever
concludes a removal from it asks first whether the page itself is still read.

A list ends where no next link stands, not where an answer is short or empty.

One odd item in a list costs what it tells, and nothing beside it (`Edge.unread`).
A count that is none, the name of a writer whose number is told, and a number in
figures instead of a text take nothing from the item that has them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Generic, NoReturn, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from connectors import pieces, spans, times
from connectors.contract import (
    Client,
    Exchange,
    Gap,
    Observation,
    Span,
)
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.failing import AGAIN
from connectors.http import decoded
from connectors.pieces import Malformed, Seen, Sorted, Unread, value
from connectors.visits import Visit

T = TypeVar("T")

GRAPH = "https://graph.facebook.com"
VERSION = "v26.0"
ENDS: Mapping[str, date] = {
    "v19.0": date(2026, 5, 21),
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
}
"""When Meta ends a version, where it has said so. A version that has ended is answered as the oldest one that lives."""

_ANSWERS = (400, 401, 403, 404)
"""What we weigh ourselves: Graph's refusals, whose status says little."""

_BRAKE = 95
"""At so many percent of any limit nothing more is asked: the page's people and their tools need the rest."""

_WITHOUT_A_TIME = timedelta(hours=1)
"""How long a limit is waited for that does not say when it ends: all of them roll over hours."""

_LONGEST_WAIT = timedelta(days=1)
"""No limit lasts longer: who says so has miscounted."""

OF_ANOTHER_SHAPE = "200, in another shape than promised"
"""What is said of how an item stands that was told, and cannot be read."""

_MOST_TOLD = 1_000_000

_OF_FILES = frozenset(("id", "name", "mime_type", "size", "image_data", "video_data", "file_url"))
_OF_PARTS = ("media_type", "media_url", "thumbnail_url")

_MOST_BARREN = 100
"""After so many answers of a list without anything new it is taken to have no end. Answers may be empty, one after the other."""

_AT_A_TIME = 8
"""So many lists are read at a time at most: one, and within it those that it leads to."""

_DEAD = frozenset({190, 102})
_THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_FORBIDDEN = frozenset({3, 10, *range(200, 300)})
_PASSING = frozenset({1, 2})
_BLOCKED = 368
_SPEAKS_FOR_ALL = _THROTTLED | _DEAD | {_BLOCKED}
"""With these a failing answer is about whoever asks, and not about what was asked for."""

_NO_SUCH_PATH = 2500
_LEADS_ON = frozenset({"after", "until", "since", "offset", "page", "__paging_token", "__after_id"})

_SCOPE = re.compile(r"\b((?:ads|pages|instagram|threads|business|read|publish)_[a-z_]+)\b")
_NO_FIELD = re.compile(r"nonexisting field \((\w+)\)")
_USAGE_HEADERS = ("X-App-Usage", "X-Page-Usage", "X-Business-Use-Case-Usage")
_PERCENTS = ("call_count", "total_time", "total_cputime")

_WHY_DEAD: Mapping[int, str] = {
    458: "the application was removed from the account of whoever connected the page",
    459: "Meta asks whoever connected the page to sign in and confirm who they are",
    460: "the password of whoever connected the page was changed",
    463: "the token has run out",
    464: "the account of whoever connected the page is not confirmed",
    467: "the token was ended",
    492: "whoever connected the page no longer has a role on it",
}


class NotGiven(Exception):
    """Graph itself refused one question, not the connection: a permission, a field, an id that it does not know."""

    def __init__(self, fault: Fault, status: int) -> None:
        super().__init__(fault.numbers)
        self.fault = fault
        self.status = status

    @property
    def not_found(self) -> bool:
        """Whether it says that there is no such thing, or none that we may see: it says both alike."""
        return (self.fault.code, self.fault.error_subcode) == (100, 33)

    @property
    def forbidden(self) -> bool:
        """Whether a permission is lacking."""
        return not self.not_found and (
            self.fault.code in _FORBIDDEN or "permission" in self.fault.message.lower()
        )

    @property
    def scopes(self) -> list[str]:
        """The permissions that the refusal names."""
        return list(dict.fromkeys(_SCOPE.findall(self.fault.message)))

    @property
    def no_field(self) -> str | None:
        """The field or edge that this version of the interface does not have."""
        found = _NO_FIELD.search(self.fault.message)
        return found[1] if found else None

    @property
    def cursor_forgotten(self) -> bool:
        """Whether it can be the cursor that is refused: Meta keeps them for a time only, and may drop them before."""
        return self.fault.code == 100 and not (self.not_found or self.forbidden or self.not_offered)

    @property
    def not_offered(self) -> bool:
        """Whether this version of the interface does not have what was asked for, whoever asks."""
        return self.no_field is not None or self.fault.code == _NO_SUCH_PATH

    @property
    def why(self) -> str:
        """For an officer: what is lacking, and Graph's numbers for it."""
        if self.forbidden:
            lacks = " or ".join(self.scopes) or "a permission"
            return f"Meta asks for {lacks} ({self.fault.numbers}): connect the page again and permit it"
        return f"Meta answers {self.fault.numbers}"


class TooMuch(Exception):
    """Graph could not gather so much at once, and asks for less."""


class Fault(msgspec.Struct):
    """Graph's own word for why it did not answer."""

    message: str = ""
    type: str = ""
    code: int = 0
    error_subcode: int = 0
    fbtrace_id: str | None = None

    @property
    def numbers(self) -> str:
        """Code and subcode, as Meta's documents list them."""
        return f"code {self.code}" + (f" subcode {self.error_subcode}" if self.error_subcode else "")


class _Refusal(msgspec.Struct):
    error: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is used up: the highest percentage told, and how long until there is more."""

    percent: float = 0
    regained_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    """One answer of a list: its items, what leads to the next answer, and how many the platform counts.

    `unread` are those of its items that are of another shape. Whoever reads on
    takes them for gaps, and promises no listing in which they may lie.
    """

    items: list[Seen[T]]
    following: Mapping[str, str] | None
    total: int | None
    after: str | None = None
    """The cursor behind the last item, whether or not a link leads on from there."""
    unread: list[Unread] = field(default_factory=list)

    @property
    def gave(self) -> int:
        """How many items stood in the answer, whether or not they can be read."""
        return len(self.items) + len(self.unread)


class _Cursors(msgspec.Struct):
    before: str | None = None
    after: str | None = None


class _Paging(msgspec.Struct):
    cursors: _Cursors | None = None
    next: str | None = None


class _Summary(msgspec.Struct):
    total_count: int | None = None


class _Tail(msgspec.Struct):
    paging: _Paging | None = None
    summary: _Summary | None = None


class Token(msgspec.Struct):
    """What Meta says of a token. Times are seconds since 1970; 0 stands for never."""

    is_valid: bool = False
    type: str = ""
    application: str | None = None
    expires_at: int | None = None
    data_access_expires_at: int | None = None
    scopes: list[Any] = []

    def __post_init__(self) -> None:
        self.scopes = [one for one in self.scopes if isinstance(one, str)]


class _Debugged(msgspec.Struct):
    """The envelope in which it says so."""

    data: Token


# -- pure ----------------------------------------------------------------------------------------------------


def proof(token: str, app_secret: str) -> str:
    """What shows that whoever bears the token also knows the application's secret (`appsecret_proof`)."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def moment(written: str | int | None) -> datetime | None:
    """A time as Graph writes it (`2021-08-10T18:45:03+0000`, or seconds since 1970), in UTC; None where it is none."""
    return times.epoch(written) if isinstance(written, int) else times.iso(written)


def fault(body: bytes) -> Fault | None:
    """Graph's own refusal, or None where somebody else answered (a firewall, a proxy)."""
    try:
        start, end = spans.document(body)
        told = value(body[start:end], _Refusal).error
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if type(told.get("code")) is not int:
        return None
    # What stands beside it as null, or otherwise than as promised, takes nothing from the number.
    kinds = {"message": str, "type": str, "code": int, "error_subcode": int, "fbtrace_id": str}
    return Fault(**{name: told[name] for name, kind in kinds.items() if type(told.get(name)) is kind})


def usage(exchange: Exchange) -> Usage:
    """How much of the limits an answer says is used up. No header means that there is nothing to say yet."""
    percents, minutes = [0.0], [0.0]
    for name in _USAGE_HEADERS:
        for told in _told(exchange.header(name)):
            percents += [_number(told.get(one)) for one in _PERCENTS]
            minutes.append(_number(told.get("estimated_time_to_regain_access")))
    longest = max(minutes)
    return Usage(max(percents), min(timedelta(minutes=longest), _LONGEST_WAIT) if longest else None)


def _said(exchange: Exchange) -> Fault | None:
    """Graph's own refusal in an answer; None where there is none that can be read."""
    with suppress(UnexpectedResponse):
        return fault(decoded(exchange))
    return None


def _refuses(body: bytes) -> bool:
    """Whether an answer with a good status is a refusal all the same, or tells a part and refuses the rest."""
    return b'"error"' in body and fault(body) is not None


def _told(header: str | None) -> Iterator[Mapping[str, Any]]:
    """The counters in a header: one of them, or lists of them under the ids of what they count for."""
    try:
        told = json.loads(header or "null")
    except (ValueError, RecursionError):
        return
    if not isinstance(told, dict):
        return
    yield told
    for inner in told.values():
        if isinstance(inner, list):
            yield from (one for one in inner if isinstance(one, dict))


def _number(told: object) -> float:
    """A number as a header tells it; one that is beyond all that limits can say is the highest that is reckoned with."""
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return 0.0
    return float(max(0, min(told, _MOST_TOLD)))


def path_of(address: str) -> str:
    """The path in the address of a file, which stays when it is signed anew; what cannot be divided is its own path."""
    try:
        return urlsplit(address).path
    except ValueError:
        return address


def one(body: bytes, exchange: int, shape: type[T]) -> Seen[T]:
    """Read a whole body as one object."""
    try:
        return pieces.one(body, exchange, shape, "Graph")
    except Malformed:
        with suppress(msgspec.MsgspecError, ValueError, RecursionError):
            start, end = spans.document(body)
            return Seen(_lightened(body[start:end], shape), Span(exchange, start, end))
        raise


def many(body: bytes, exchange: int, shape: type[T]) -> Edge[T]:
    """Read a body as one answer of a list."""
    try:
        return edge(body, spans.document(body), exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "Graph")) from error


def edge(body: bytes, at: tuple[int, int], exchange: int, shape: type[T]) -> Edge[T]:
    """Read the list that stands at `at`, alone or nested in what it belongs to. Every item has its own bytes."""
    members = spans.object_members(body, at)
    if "data" not in members:
        raise Malformed("the answer is not of Graph's shape: a list without its data")
    told = _sorted_out(body, members["data"], exchange, shape)
    tail = value(_without_items(body, members), _Tail)
    cursors = tail.paging.cursors if tail.paging else None
    return Edge(
        told.items,
        following(tail.paging),
        tail.summary.total_count if tail.summary else None,
        cursors.after if cursors else None,
        told.unread,
    )


def _sorted_out(body: bytes, at: tuple[int, int], exchange: int, shape: type[T]) -> Sorted[T]:
    """The items of the array at `at`, as `pieces.sorted_out` tells them, with those that can be read once they are `_lightened`."""
    fault: Exception | None = None
    try:
        told = pieces.sorted_out(body, at, exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        places = [Span(exchange, *one) for one in spans.array_items(body, *at)]
        unread = [Unread(pieces.called(body[one.start : one.end]), one, str(error)) for one in places]
        told, fault = Sorted([], unread), error
    if not told.unread:
        return told
    items, unread = list(told.items), []
    for one in told.unread:
        try:
            items.append(Seen(_lightened(body[one.span.start : one.span.end], shape), one.span))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            unread.append(one)
    if fault is not None and not items:
        raise fault
    return Sorted(sorted(items, key=lambda one: one.span.start), unread)


def _lightened(piece: bytes, shape: type[T]) -> T:
    """Decode one value without what takes nothing from it by its absence; numbers that are told in figures are texts."""
    told = pieces.without_nulls(json.loads(pieces.mended(piece)))
    if isinstance(told, dict):
        for name in [name for name in told if name == "count" or name.endswith("_count")]:
            if type(told[name]) is not int:
                del told[name]
        for one in (told, *(inner for inner in told.values() if isinstance(inner, dict))):
            if type(one.get("id")) is int:
                one["id"] = str(one["id"])
            if one is not told and isinstance(one.get("id"), str):
                for name in ("name", "username"):
                    if not isinstance(one.get(name, ""), str):
                        del one[name]
    return msgspec.convert(told, shape)


def _without_items(body: bytes, members: Mapping[str, tuple[int, int]]) -> bytes:
    """What stands beside the items of a list, as an object of its own."""
    told = [
        b'"' + name.encode() + b'":' + body[members[name][0] : members[name][1]]
        for name in ("paging", "summary")
        if name in members
    ]
    return b"{" + b",".join(told) + b"}"


def objects(body: bytes, exchange: int, shape: type[T]) -> tuple[dict[str, Seen[T]], list[Unread]]:
    """Read an answer about several ids (`?ids=`): each object with its own bytes, by its id, and those of another shape."""
    try:
        members = spans.object_members(body, spans.document(body))
    except (ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "Graph")) from error
    told: dict[str, Seen[T]] = {}
    unread: list[Unread] = []
    for name, (start, end) in members.items():
        piece, span = body[start:end], Span(exchange, start, end)
        try:
            told[name] = Seen(value(piece, shape), span)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            try:
                told[name] = Seen(_lightened(piece, shape), span)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                unread.append(Unread(name, span, str(error)))
    return told, unread


def listed(told: Any) -> tuple[list[Mapping[str, Any]], bool]:
    """The objects of a list that stands inside another object, and whether nothing else stands there."""
    within = told.get("data") if isinstance(told, dict) else told
    if within is None:
        return [], True
    if not isinstance(told, dict) or not isinstance(within, list):
        return [], False
    found: list[Mapping[str, Any]] = [one for one in within if isinstance(one, dict)]
    return found, len(found) == len(within)


def is_text(told: Any, *names: str) -> bool:
    """Whether these members of an object are texts, as far as they are told; null says no more than what is not there."""
    return all(told.get(name) is None or isinstance(told[name], str) for name in names)


def number(told: Any, name: str = "id") -> str | None:
    """The number that an object is called by, in figures or as a text; None where none can be read."""
    found = told.get(name) if isinstance(told, dict) else None
    return (str(found) or None) if type(found) in {int, str} else None


def is_file(one: Mapping[str, Any]) -> bool:
    """Whether it can be read which file of a message stands there, if any."""
    within = [one.get(name) or {} for name in ("image_data", "video_data")]
    return (
        bool(_OF_FILES & one.keys())
        and all(isinstance(inner, dict) and is_text(inner, "url") for inner in within)
        and is_text(one, "file_url")
        and (one.get("id") is None or number(one) is not None)
    )


def parts(told: Any) -> tuple[list[Mapping[str, Any]], bool]:
    """The pictures and videos of an album that can be read, and whether all can."""
    stand, whole = listed(told)
    found = [one for one in stand if number(one) and is_text(one, *_OF_PARTS)]
    return found, whole and len(found) == len(stand)


def files_kept_back(observed: Sequence[Observation]) -> list[Gap]:
    """A gap for each item that has a file which cannot be read."""
    why = f"one of its files is told in another shape than promised. {AGAIN}"
    return [
        Gap(what="the files of an item", why=why, native_id=one.native_id)
        for one in observed
        if not one.files_told
    ]


def is_object(body: bytes) -> bool:
    """Whether something is told, or null, and no page that somebody else answers with."""
    try:
        told = json.loads(pieces.mended(body))
    except (ValueError, RecursionError):
        return False
    return told is None or isinstance(told, dict)


def following(paging: _Paging | None) -> Mapping[str, str] | None:
    """What to ask with for the next answer; None where no next link stands.

    The link itself is not followed: it may name another host, and it carries
    the token. Lists in order of time have no cursors, but times in their links.
    """
    if paging is None or not paging.next:
        return None
    if paging.cursors is not None and paging.cursors.after:
        return {"after": paging.cursors.after}
    query = parse_qsl(urlsplit(paging.next).query)
    found = {name: told for name, told in query if name in _LEADS_ON}
    if not found:
        raise Malformed("a next link stands there that leads nowhere")
    return found


def advanced(
    following: Mapping[str, str], met: set[str], what: str, whose: str = "Meta"
) -> Mapping[str, str]:
    """What to ask with next, which is added to `met`; an error where the list has led there before.

    `whose` list it is, for whoever reads the error.
    """
    key = repr(sorted(following.items()))
    if key in met:
        raise UnexpectedResponse(f"{whose} leads on to where it has led before: {what} have no end.")
    met.add(key)
    return following


# -- asking --------------------------------------------------------------------------------------------------


class _Told:
    """What a list has shown so far: one that leads on for ever, and shows nothing new, has no end."""

    def __init__(self) -> None:
        self._begun: Mapping[str, str] = {}
        self._shown: set[int] = set()
        self._barren = 0

    def learn(self, path: str, params: Mapping[str, str], found: Edge[Any]) -> None:
        """Note one more answer."""
        asked = {name: told for name, told in params.items() if name != "limit"}
        if not self._shown and not self._barren:
            self._begun = asked
        elif asked == self._begun:
            self._shown, self._barren = set(), 0
        names = {hash(getattr(one.what, "id", one.span)) for one in found.items}
        names |= {hash(one.id or one.span) for one in found.unread}
        self._barren = 0 if names - self._shown else self._barren + 1
        self._shown |= names
        if self._barren >= _MOST_BARREN:
            raise UnexpectedResponse(
                f"Meta leads on and on, and shows nothing new for {self._barren} answers: {path} has no end."
            )


class Asking(Visit):
    """One visit to the Graph interface with one page's token.

    `secret` holds `access_token`, and where the application wants it proven
    `app_secret`. It is read anew for each question. `base` and `version` are
    where and as which version it is asked.
    """

    unread_is_apart = True

    def __init__(
        self, http: Client, secret: Mapping[str, str] | None, base: str = GRAPH, version: str = VERSION
    ) -> None:
        super().__init__()
        self._http = http
        self._secret = secret or {}
        self._base, self._version = base.rstrip("/"), version
        self._of_the_page: tuple[str, str] | None = None
        self._used = Usage()
        self._proven: set[str] = set()
        self._dropped: dict[str, set[str]] = {}
        self._lacking: set[str] = set()
        self._at_once: dict[str, int] = {}
        self._lists: dict[str, _Told] = {}
        self.answered_as: str | None = None
        """The version that answers, where it is another than the one that is asked for."""

    def now(self) -> datetime:
        return self._http.now()

    @property
    def version(self) -> str:
        """As which version the interface is asked."""
        return self._version

    @property
    def given(self) -> str:
        """The token that the page was connected with."""
        return self._secret.get("access_token", "")

    @property
    def proves(self) -> bool:
        """Whether the application's secret is at hand."""
        return bool(self._secret.get("app_secret"))

    @property
    def token(self) -> str:
        """The page's own token where the one that was given is a person's; else the given one."""
        given = self.given
        if not given:
            raise AccessRevoked("The page is not connected: Meta shows nothing without a token.")
        return self._of_the_page[1] if self._of_the_page and self._of_the_page[0] == given else given

    def becomes_the_page(self, exchange: Exchange) -> None:
        """Go on with the page's own token, if the answer of `exchange` told it (`fields=access_token`)."""
        told = self._http.learned(exchange).get("access_token")
        if told:
            self._http.keep_secret("access_token", told)
            self._of_the_page = (self.given, told)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Exchange:
        """Ask for an object or an edge such as "12345/feed", and weigh the answer."""
        return self._at_most(lambda: self._asked(path, params or {}))

    def _asked(self, path: str, params: Mapping[str, str]) -> Exchange:
        self._brake()
        token = self.token
        asked = dict(params)
        if self.proves:
            asked["appsecret_proof"] = self._proof(token)
        try:
            exchange = self._http.get(
                f"{self._base}/{self._version}/{path}",
                params=asked,
                headers={"Authorization": f"Bearer {token}"},
                accept=_ANSWERS,
            )
        except TryAgainLater as later:
            self._weigh(later)
            raise
        self._exchanges.append(exchange)
        self._used = usage(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {exchange.url} was cut short ({exchange.truncated}).")
        if exchange.status != 200 or _refuses(decoded(exchange)):
            self._refused(exchange)
        answers = exchange.header("facebook-api-version")
        if answers and answers != self._version:
            self.answered_as = answers
        return exchange

    def _proof(self, token: str) -> str:
        """The proof for this token; a new one is made known as a secret before it is sent."""
        proven = proof(token, self._secret["app_secret"])
        if proven not in self._proven:
            self._http.keep_secret("appsecret_proof", proven)
            self._proven.add(proven)
        return proven

    def one(self, path: str, shape: type[T], fields: Sequence[str]) -> tuple[Seen[T], Exchange]:
        """Ask for one object; fields that this version does not have are left out, and `dropped` tells them."""
        exchange = self._at_most(lambda: self._with_fields(path, fields, {}))
        return self._read(exchange, lambda body: one(body, self.last, shape)), exchange

    def edge(
        self, path: str, shape: type[T], fields: Sequence[str], params: Mapping[str, str]
    ) -> tuple[Edge[T], bytes]:
        """Ask for one answer of a list; with it comes the body, for what is nested in its items.

        `TooMuch` where Meta asks for less at once: whoever asks knows how.
        """
        exchange = self._with_fields(path, fields, params)
        found = self._read(exchange, lambda body: many(body, self.last, shape))
        told = self._lists.pop(path, None) or _Told()
        told.learn(path, params, found)
        self._lists[path] = told
        if len(self._lists) > _AT_A_TIME:
            del self._lists[next(iter(self._lists))]
        return found, decoded(exchange)

    def stands(self, path: str, shape: type[T], fields: Sequence[str]) -> Seen[T] | None:
        """Ask for one object, only for how it stands; None where it is told in another shape than promised."""
        exchange = self._at_most(lambda: self._with_fields(path, fields, {}))
        try:
            return self._read(exchange, lambda body: one(body, self.last, shape))
        except UnexpectedResponse:
            if is_object(decoded(exchange)):
                return None
            raise

    def objects(
        self, ids: Sequence[str], shape: type[T], fields: Sequence[str]
    ) -> tuple[dict[str, Seen[T]], list[Unread]]:
        """Ask for several objects at once, at most fifty: those that can be read, and those that cannot."""
        exchange = self._at_most(lambda: self._with_fields("", fields, {"ids": ",".join(ids)}))
        return self._read(exchange, lambda body: objects(body, self.last, shape))

    def gathered(
        self,
        path: str,
        shape: type[T],
        fields: Callable[[int], Sequence[str]],
        params: Mapping[str, str],
        limit: int,
        whose: str = "Meta",
    ) -> tuple[Edge[T], bytes]:
        """Ask for one answer of a list, of `limit` items; for fewer where Meta cannot gather so many at once.

        `fields` are asked of each item, by how many of them there are. What was
        found to be enough for lists of this name is remembered for the visit.
        `whose` list it is, for whoever reads the error.
        """
        name = path.rpartition("/")[2]
        limit = min(limit, self._at_once.get(name, limit))
        while True:
            try:
                return self.edge(path, shape, fields(limit), {**params, "limit": str(limit)})
            except TooMuch:
                if limit == 1:
                    raise TryAgainLater(
                        f"{whose} cannot gather even one item of {path} at a time. Later it may.",
                        self._exchanges[-1:],
                    ) from None
                limit = self._at_once[name] = max(1, limit // 2)

    def token_told(self) -> Token | None:
        """What Meta says of the token that the page was connected with; None where it does not say."""
        try:
            exchange = self.get("debug_token", {"input_token": self.given})
        except NotGiven:
            return None
        return self._read(exchange, lambda body: one(body, self.last, _Debugged)).what.data

    def dropped(self) -> Iterator[tuple[str, str]]:
        """Fields that were asked for and that this version does not have, each once, with where they were asked for."""
        for path, fields in self._dropped.items():
            yield from ((path, name) for name in sorted(fields))
        self._dropped = {path: set() for path in self._dropped}

    def lacks(self, field: str) -> bool:
        """Whether this version was found not to have a field: that an item says nothing there then tells nothing."""
        return field in self._lacking

    def _at_most(self, ask: Callable[[], Exchange]) -> Exchange:
        """Ask for what cannot be asked for in parts."""
        try:
            return ask()
        except TooMuch:
            raise TryAgainLater(
                "Meta cannot gather what was asked for. Later it may.", self._exchanges[-1:]
            ) from None

    def _with_fields(self, path: str, fields: Sequence[str], params: Mapping[str, str]) -> Exchange:
        left = list(fields)
        while True:
            try:
                return self._asked(path, {**params, "fields": ",".join(left)})
            except NotGiven as refused:
                lacking = refused.no_field
                kept = left if lacking is None else [*_but(left, lacking)]
                if lacking is None or not kept or kept == left:
                    raise
                left = kept
                self._lacking.add(lacking)
                self._dropped.setdefault(path, set()).add(lacking)

    def _brake(self) -> None:
        if self._used.percent >= _BRAKE:
            raise TryAgainLater(
                f"{self._used.percent:.0f} percent of what Meta allows this page is used up, by this archive and "
                "by everything else that works with the page. Capture goes on when there is more.",
                after=self._used.regained_in or _WITHOUT_A_TIME,
            )

    def _weigh(self, later: TryAgainLater) -> None:
        """What a failing answer says: that it was too much, or when to come again."""
        if not later.exchanges:
            return
        last = later.exchanges[-1]
        said = _said(last)
        if said is not None and said.code == 1 and "reduce" in said.message.lower():
            self._exchanges += self._others(later.exchanges)
            raise TooMuch from None
        told = usage(last)
        if said is not None and said.code in _SPEAKS_FOR_ALL and later.after is None:
            later.after = told.regained_in or _WITHOUT_A_TIME
        if later.after is None and (told.percent >= _BRAKE or told.regained_in):
            later.after = told.regained_in or _WITHOUT_A_TIME

    def _refused(self, exchange: Exchange) -> NoReturn:
        said = fault(decoded(exchange))
        if said is None:
            raise UnexpectedResponse(
                f"{exchange.url} answered {exchange.status} with a page that is not Meta's own: something stands "
                "between the archive and Meta. Ask whoever runs the network to let it through."
            )
        if said.code == 1 and "reduce" in said.message.lower():
            raise TooMuch
        error = refusal(said, exchange)
        if isinstance(error, TryAgainLater):
            error.exchanges = (exchange,)
        raise error

    def fails_alone(self, error: TryAgainLater) -> bool:
        """Graph's own number says that it failed, whatever the status: "for a moment" may be for ever, of one object."""
        if super().fails_alone(error):
            return True
        if error.after is not None or not error.exchanges or error.exchanges[-1].truncated:
            return False
        said = _said(error.exchanges[-1])
        return said is not None and said.code in _PASSING


def _but(fields: Sequence[str], lacking: str) -> Iterator[str]:
    """Fields without one of them, wherever it stands: also among those that are asked of what an item holds."""
    name = re.escape(lacking)
    for one in fields:
        if re.split(r"[.{(]", one)[0] != lacking:
            yield re.sub(rf"(?<={{){name},|,{name}(?=[,}}])", "", one)


def refusal(said: Fault, exchange: Exchange) -> Exception:
    """What a refusal means for whoever asked, in words that an officer can act on."""
    code, told = said.code, usage(exchange)
    if code in _THROTTLED:
        return TryAgainLater(
            f"Meta says that this page, or this application, was asked too often ({said.numbers}).",
            after=told.regained_in or (_WITHOUT_A_TIME if told.percent >= _BRAKE else None),
        )
    if code in _PASSING:
        return TryAgainLater(f"Meta could not answer for a moment ({said.numbers}).")
    if code in _DEAD:
        why = _WHY_DEAD.get(said.error_subcode, "the token is no longer valid")
        return AccessRevoked(
            f"Meta no longer accepts the page's token: {why} ({said.numbers}). Connect the page again."
        )
    if code == _BLOCKED:
        return AccessRevoked(
            f"Meta has blocked the application or whoever connected the page for now ({said.numbers}). Sign in "
            "there, see under Support Inbox what it asks for, and connect the page again."
        )
    if "appsecret_proof" in said.message:
        return AccessRevoked(
            f"The application wants its secret to be proven, and it is missing or wrong ({said.numbers}). Connect "
            "the page again, with the application's secret (App settings > Basic)."
        )
    if code == 2635 or "deprecated version" in said.message.lower():
        return UnexpectedResponse(
            f"Meta has ended the version of its interface that is asked for ({said.numbers}). Upgrade Muniment, or "
            "set the option `version` to one that lives."
        )
    return NotGiven(said, exchange.status)
