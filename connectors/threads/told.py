"""What is worth looking at after Threads told of something by itself (webhooks of an account).

Deliveries have a shape of their own: flat, one happening each, without the
`entry` that Meta's other platforms have. They are signed in the same way.

The words that a delivery carries are not kept: what it names is observed at
once instead, so that an answer which is removed within the hour was captured
all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import Kind
from connectors.threads import parse
from connectors.webhooks import Change, Entry, Unreadable, Wanted, by_page, decoded, moment, readable

_BEFORE = timedelta(hours=1)
"""How far before it was told a thing may have happened."""


def read(body: bytes) -> list[Entry]:
    """What a delivery tells, as entries like those of Meta's other platforms; `Unreadable` where it is none."""
    told = decoded(body)
    values = told.get("values") if isinstance(told, dict) else None
    listed = values if isinstance(values, list) else [values]
    changes = [
        Change(field=one["field"], value=one["value"])
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("field"), str) and isinstance(one.get("value"), dict)
    ]
    if not changes:
        raise Unreadable("it has no values")
    at = moment(told.get("time"))
    entries = [Entry(page=_account(told, change), at=at, changes=(change,)) for change in changes]
    odd: list[None] = [None] * (len(listed) - len(changes))
    return readable([*entries, *odd], "it has no values")


def wanted(entries: Sequence[Entry], now: datetime) -> list[Wanted]:
    """One for each account, in the order in which the entries name them."""
    return [_of_account(page, told, now) for page, told in by_page(entries).items()]


def _of_account(page: str, entries: Sequence[Entry], now: datetime) -> Wanted:
    families: dict[str, None] = {}
    looks: dict[tuple[Kind, str], None] = {}
    since: list[datetime] = []
    for entry in entries:
        for change in entry.changes:
            name, root = _text(change.value, "id"), _text(change.value.get("root_post"), "id")
            if change.field == "delete" and name:
                looks[Kind.POST, name] = None
            elif change.field == "replies" and root:
                families[root] = None
            elif change.field == "publish" and name:
                families[name] = None
            elif change.field == "mentions" and name:
                families[f"{parse.MENTION}:{name}"] = None
            else:
                since.append((entry.at or now).astimezone(UTC) - _BEFORE)
    return Wanted(
        page=page, families=tuple(families), looks=tuple(looks), since=min(since) if since else None
    )


def _account(told: Mapping[str, Any], change: Change) -> str:
    """Whose page it was: said in another place for each thing that can happen."""
    found = _text(change.value.get("root_post"), "owner_id") if change.field == "replies" else None
    if change.field == "delete":
        found = _text(change.value.get("owner"), "owner_id")
    return found or _text(told, "target_id") or ""


def _text(told: Any, name: str) -> str | None:
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None
