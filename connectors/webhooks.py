"""What a platform tells by itself at a door of the archive: whether it is genuine, and what is worth looking at now.

Pure: bytes and times come in, outcomes go out. The body of a delivery is the
evidence of nobody's words: what it says is not captured from here, it only says
where to look, and what is seen there is captured as always. So a forged one
could at worst make us look, and one that is lost is made up for by the next pass.

Meta's manner is here, which others have taken over: a handshake with a
challenge (`hub.mode`, `hub.verify_token`, `hub.challenge`), then deliveries
that are signed in `X-Hub-Signature-256` with the application's secret. Several
changes come in one delivery, and one that was not acknowledged comes again,
byte for byte, for about a day and a half. A connector whose platform does it
otherwise brings its own `Manner`, as a whole or in parts.

A signature proves who sent a delivery, not when: whoever has seen one could
send it again. Deliveries are therefore remembered for as long as one may be
old, by the signature itself (a keyed digest, which tells nobody what stood in
them), and older ones are refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol

import msgspec

from connectors import pieces
from connectors.contract import Kind

LONGEST = 1024 * 1024
"""No delivery is longer; whoever opens the door reads no further."""

WINDOW = timedelta(hours=48)
"""How old a delivery may be, and for how long its signature is remembered: longer than it is sent again."""

_AHEAD = timedelta(hours=1)
"""By how much the platform's clock may be ahead of ours."""

_SIGNED = re.compile(r"sha256=([0-9a-fA-F]{64})")
_CHALLENGE = re.compile(r"[\w.-]{1,200}")
_MILLISECONDS = 100_000_000_000
"""Times beyond this are milliseconds since 1970: messages are told so, everything else in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that happened: `field` is what it is about in the platform's word, `value` what is told of it."""

    field: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened on one page, which is named by the platform's own id."""

    page: str
    at: datetime | None
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is worth looking at now on one page.

    `families` are posts to observe again with everything that answers them,
    `looks` items to ask for by id. Where `since` is set, a pass over what was
    published since then will see the rest: a new message, an event, or what
    this version of the connector does not know.
    """

    page: str
    families: Sequence[str] = ()
    looks: Sequence[tuple[Kind, str]] = ()
    since: datetime | None = None

    @property
    def anything(self) -> bool:
        """Whether there is anything to do: a like changes a count alone, which the next pass sees."""
        return bool(self.families or self.looks or self.since)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A genuine delivery that was not seen before. `mark` is to be remembered for `WINDOW`."""

    mark: bytes
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A genuine delivery that was accepted before: it is acknowledged, and nothing is done."""

    mark: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """No delivery of the platform's, or none of now. `why` is for the operator; whoever sent it is told nothing."""

    why: str


Judged = Accepted | Repeated | Refused


class Unreadable(ValueError):
    """A delivery of another shape than the platform's."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the door answers when the platform asks whether it is ours."""

    body: str
    media_type: str = "text/plain"


# --- Meta's manner ------------------------------------------------------------------------------------------


def challenge(query: Mapping[str, str], token: str) -> str | None:
    """What to answer when the platform asks whether the door is ours; None where it is to be refused.

    `token` is the word that we entered at the platform for this door. An empty
    one opens nothing.
    """
    given, asked = query.get("hub.verify_token", ""), query.get("hub.challenge", "")
    ours = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    if not ours or query.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(asked):
        return None
    return asked


def greeting(query: Mapping[str, str], token: str, _secret: str) -> Greeting | None:
    """The answer to `challenge`, as the platform wants it: its own word, and nothing else."""
    answer = challenge(query, token)
    return None if answer is None else Greeting(answer)


def marked(body: bytes, signature: str, secret: str) -> bytes | None:
    """The mark of a delivery that bears the signature of whoever has `secret`; None for any other."""
    signed = _SIGNED.fullmatch(signature)
    if signed is None:
        return None
    mark = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return mark if hmac.compare_digest(mark, bytes.fromhex(signed[1])) else None


def decoded(body: bytes) -> Any:
    """The JSON of a delivery; half an emoji in somebody's words, and a number that none can hold, take nothing else from it."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        with suppress(ValueError, RecursionError):
            return msgspec.json.decode(pieces.mended(body))
        raise Unreadable(f"it is no JSON: {fault}") from None


def read(body: bytes) -> list[Entry]:
    """What a delivery tells, page by page; of an odd entry among others see `readable`."""
    told = decoded(body)
    entries = told.get("entry") if isinstance(told, dict) else None
    if not isinstance(entries, list) or not entries:
        raise Unreadable("it has no entries")
    return readable([_entry(one) for one in entries], "an entry does not say of which page it tells")


# --- any manner ---------------------------------------------------------------------------------------------

Reads = Callable[[bytes], Sequence[Entry]]
"""What a delivery tells; MUST raise `Unreadable` for one of another shape."""

Marks = Callable[[bytes, str, str], bytes | None]
"""The mark of a body with its signature under a secret: a keyed digest of these very bytes; None: it is not the platform's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """In which manner a platform tells: what is asked of its deliveries, and what they say is worth looking at.

    `wanted` gives one for each page that the entries name, in their order; it
    is handed the present time. Whatever else is left out is Meta's. `greets`
    is handed the query, our word and the application's secret. All of it MUST
    be pure, and MUST compare secrets in constant time.
    """

    wanted: Callable[[Sequence[Entry], datetime], Sequence[Wanted]]
    read: Reads = read
    signature: str = "X-Hub-Signature-256"
    """The header that bears it."""
    marks: Marks = marked
    greets: Callable[[Mapping[str, str], str, str], Greeting | None] = greeting
    by_word: bool = True
    """Whether the platform shows a word that we chose before it is greeted."""


class Hooked(Protocol):
    """What a connector MAY offer besides: to be told by its platform, at a door of the archive.

    Of Meta's platforms, one of another shape brings its own `read`:
    `hooks = Manner(wanted=told.wanted, read=told.read)`. One that signs or
    greets otherwise brings `signature` with `marks`, or `greets` with
    `by_word`. An entry's `page` MUST be the native id of the page's own
    introduction, or stand in its address.
    """

    hooks: ClassVar[Manner]


UNKNOWN = (Change(field="", value={}),)
"""That something happened of which nobody can tell what it was: a pass sees it."""


def readable(told: Sequence[Entry | None], why: str) -> list[Entry]:
    """The entries of a delivery that could be read; `Unreadable` where there is none.

    One that names no page (None) keeps none of the others from being heard: it
    leads to a pass over each page that they name.
    """
    entries = [one for one in told if one is not None]
    if not entries:
        raise Unreadable(why)
    if len(entries) < len(told):
        entries += [Entry(page=page, at=None, changes=UNKNOWN) for page in by_page(entries)]
    return entries


def judge(
    body: bytes,
    signature: str | None,
    *,
    secret: str,
    now: datetime,
    known: Collection[bytes],
    window: timedelta = WINDOW,
    read: Reads = read,
    marks: Marks = marked,
) -> Judged:
    """Weigh one delivery: the raw `body`, its signature, and the marks of those that were accepted lately.

    1. It is signed with the application's `secret`, over these very bytes.
    2. It was not accepted before.
    3. It has the platform's shape, and is neither older than `window` nor of the future. What it tells
       late beside younger things is heard as if it had happened at the beginning of `window`.
    """
    # 1.
    if len(body) > LONGEST:
        return Refused("it is longer than any delivery")
    if not secret or not signature:
        return Refused("it bears no signature that we could check")
    mark = marks(body, signature, secret)
    if mark is None:
        return Refused("its signature is not the platform's")
    # 2.
    if mark in known:
        return Repeated(mark)
    # 3.
    try:
        entries = read(body)
    except Unreadable as fault:
        return Refused(str(fault))
    times = [entry.at for entry in entries if entry.at is not None]
    if not times:
        return Refused(
            "it does not say when anything happened, so that nobody could tell whether it is sent anew"
        )
    if max(times) < now - window:
        return Refused("it is older than a delivery may be")
    if max(times) > now + _AHEAD:
        return Refused("it tells of the future: one of the two clocks is wrong")
    return Accepted(mark, [_not_before(now - window, one) for one in entries])


def by_page(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """What happened on each page, in the order in which the entries name them."""
    pages: dict[str, list[Entry]] = {}
    for entry in entries:
        pages.setdefault(entry.page, []).append(entry)
    return pages


def moment(told: object) -> datetime | None:
    """A time in seconds or milliseconds since 1970; None where it is none."""
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(told / 1000 if told > _MILLISECONDS else told, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _not_before(begins: datetime, entry: Entry) -> Entry:
    return entry if entry.at is None or entry.at >= begins else replace(entry, at=begins)


def _entry(told: object) -> Entry | None:
    """What one entry tells; None where it names no page."""
    page = told.get("id") if isinstance(told, dict) else None
    if not isinstance(told, dict) or isinstance(page, bool) or not isinstance(page, (str, int)):
        return None
    changes = [_change(one) for one in _listed(told.get("changes"))]
    for name in ("messaging", "standby"):
        changes += [
            Change(field="messages", value=one) if isinstance(one, dict) else UNKNOWN[0]
            for one in _listed(told.get(name))
        ]
    # An application may be told the names of what changed alone, as `changed_fields`.
    return Entry(page=str(page), at=moment(told.get("time")), changes=tuple(changes) or UNKNOWN)


def _change(told: object) -> Change:
    if not isinstance(told, dict) or not isinstance(told.get("field"), str):
        return UNKNOWN[0]
    return Change(field=told["field"], value=told["value"] if isinstance(told.get("value"), dict) else {})


def _listed(told: object) -> list[object]:
    return told if isinstance(told, list) else []
