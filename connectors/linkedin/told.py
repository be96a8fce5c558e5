"""What is worth looking at after LinkedIn told of something by itself (webhooks of an organisation).

LinkedIn's manner differs from Meta's. The door is tried with a `challengeCode`,
again every two hours, and answers it with the code's HMAC. Deliveries are signed
in `X-LI-Signature`: the HMAC, with the application's client secret, of the body
with `hmacsha256=` before it. Up to ten notices come in one, and one that was not
acknowledged comes again every five minutes for eight hours.

Pure, as `connectors.webhooks` is: a delivery only says where to look, and none of
its words are kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.contract import Kind
from connectors.linkedin.notices import REMARKED, REMOVED, post_of
from connectors.linkedin.reading import moment
from connectors.linkedin.shapes import Notice, Source
from connectors.linkedin.urns import comment, is_thread, under
from connectors.webhooks import (
    UNKNOWN,
    Change,
    Entry,
    Greeting,
    Manner,
    Unreadable,
    Wanted,
    by_page,
    decoded,
    readable,
)

EVENTS = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"

_PREFIX = b"hmacsha256="
_SIGNED = re.compile(r"(?:hmacsha256=)?([0-9a-fA-F]{64})")
_CODE = re.compile(r"[\w-]{8,100}")
_BEFORE = timedelta(hours=1)
"""How far before it was told a thing may have happened."""

_COUNTS_ALONE = frozenset({"LIKE", "SHARE"})
"""What changes a count, which the next pass sees; who shared a post is not shown to us."""


def greets(query: Mapping[str, str], _word: str, secret: str) -> Greeting | None:
    """What to answer, as JSON, when LinkedIn asks whether the door is ours; None where it is to be refused.

    `secret` is the application's client secret. An empty one opens nothing.
    """
    code = query.get("challengeCode", "")
    if not secret or not _CODE.fullmatch(code):
        return None
    response = hmac.new(secret.encode(), code.encode(), hashlib.sha256).hexdigest()
    answer = msgspec.json.encode({"challengeCode": code, "challengeResponse": response})
    return Greeting(answer.decode(), "application/json")


def marks(body: bytes, signature: str, secret: str) -> bytes | None:
    """The mark of a delivery that bears the signature of whoever has `secret`; None for any other.

    The header is written with the prefix that is signed, or without it.
    """
    signed = _SIGNED.fullmatch(signature)
    if signed is None:
        return None
    mark = hmac.new(secret.encode(), _PREFIX + body, hashlib.sha256).digest()
    return mark if hmac.compare_digest(mark, bytes.fromhex(signed[1])) else None


def read(body: bytes) -> list[Entry]:
    """What a delivery tells, one entry for each notice; `Unreadable` where it is none."""
    told = decoded(body)
    notices = told.get("notifications") if isinstance(told, dict) else None
    if not isinstance(notices, list) or not notices or told.get("type") != EVENTS:
        raise Unreadable("it has no notifications of an organisation")
    why = "a notification does not say of which organisation it tells"
    return readable([_entry(one) for one in notices], why)


def wanted(entries: Sequence[Entry], now: datetime) -> list[Wanted]:
    """One for each organisation, in the order in which the entries name them."""
    return [_of_page(page, told, now) for page, told in by_page(entries).items()]


def _of_page(page: str, entries: Sequence[Entry], now: datetime) -> Wanted:
    families: dict[str, None] = {}
    looks: dict[tuple[Kind, str], None] = {}
    since: list[datetime] = []
    for entry in entries:
        for change in entry.changes:
            if change.field in _COUNTS_ALONE:
                continue
            about = comment(change.value.get("generatedActivity"))
            post = _post(change.value)
            if change.field == REMOVED and post is not None and about is not None:
                looks[Kind.COMMENT, under(post, about.number)] = None
            elif change.field in REMARKED and post is not None:
                families[post] = None
            else:
                # Of a post that the delivery names in its own way alone, the notices of a pass tell which one it is.
                since.append((entry.at or now).astimezone(UTC) - _BEFORE)
    return Wanted(
        page=page, families=tuple(families), looks=tuple(looks), since=min(since) if since else None
    )


def _post(told: Mapping[str, Any]) -> str | None:
    """The post as the archive calls it, where the delivery says so."""
    source, beside = told.get("sourcePost"), told.get("decoratedSourcePost")
    entity = beside.get("entity") if isinstance(beside, dict) else None
    notice = Notice("", decorated_source_post=Source(entity if isinstance(entity, str) else None))
    return post_of(source, notice, {}) if isinstance(source, str) and is_thread(source) else None


def _entry(told: object) -> Entry | None:
    """What one notice tells; None where it names no organisation."""
    if not isinstance(told, dict) or not isinstance(told.get("organizationalEntity"), str):
        return None
    at = told.get("lastModifiedAt")
    action = told.get("action")
    return Entry(
        page=told["organizationalEntity"],
        at=moment(at) if isinstance(at, int) and not isinstance(at, bool) else None,
        changes=(Change(field=action, value=told),) if isinstance(action, str) else UNKNOWN,
    )


MANNER = Manner(
    wanted=wanted, read=read, signature="X-LI-Signature", marks=marks, greets=greets, by_word=False
)
"""In which manner LinkedIn tells by itself."""
