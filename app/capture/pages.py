"""The registry of pages: what the agency keeps on which platform, who answers for it, and how it is reached."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, insert, select, update

from app.capture import approvals, deeds, policy, runs
from app.capture import credentials as credentials_of
from app.capture.credentials import Terms
from app.capture.runs import GapFound, Report
from app.db import Tx, from_instant, to_instant
from app.db.database import lock_ledger
from app.records.errors import Invalid, NotFound, Refused
from app.records.ids import new_ids
from app.records.nouns import Page
from app.store.ledger import Deed
from app.store.sealing import new_secret
from app.store.store import Store
from app.store.tables import pages
from app.store.tables import runs as run_rows

_ASK = 500
"""So many keys are asked for at once."""

ACTIVE, PAUSED, DISCONNECTED, REMOVED = "active", "paused", "disconnected", "removed"
NOT_CAPTURED = (PAUSED, REMOVED)
"""What a page's status is while nothing is captured of it because a person said so."""
PAUSE = "pause"
"""The kind of run that begins or ends a pause: it captures nothing, and its gap is the pause."""
_LONGEST = 2_000

Guard = Callable[[Tx, Page, str], None]
"""Asked before a page is paused or removed, with the act; raises `Refused` where something forbids it."""


class NoSuchPage(NotFound):
    """No page of that id or name is in the registry."""

    code = "no-such-page"


class PageExists(Refused):
    """The page is in the registry already."""

    code = "page-exists"


class BadPage(Invalid):
    """The page cannot be added as it was described."""

    code = "bad-page"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the registry says of a page beside its address; None leaves a field as it is.

    An empty text takes a field back; `review_on` and `policy` are texts for
    that reason: a day, and the name of a profile, `none` or nothing.
    """

    purpose: str | None = None
    scope: str | None = None
    audiences: Sequence[str] | None = None
    custodian: str | None = None
    official_site: str | None = None
    review_on: str | None = None
    policy: str | None = None

    def values(self) -> dict[str, str | None]:
        """The columns to set, checked, or `BadPage`."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        given = {name: value for name, value in told.items() if value is not None}
        for name, value in given.items():
            if name == "audiences":
                given[name] = json.dumps(_audiences(value), ensure_ascii=False)
            elif len(value.strip()) > _LONGEST:
                raise BadPage(f"the {name.replace('_', ' ')} has more than {_LONGEST} characters")
            else:
                given[name] = value.strip()
        if given.get("official_site"):
            _is_address(given["official_site"])
        if "review_on" in given:
            on = deeds.day(given["review_on"], "the day of the review")
            given["review_on"] = on.isoformat() if on else None
        if given.get("policy") not in (None, "", policy.NONE):
            policy.named(given["policy"])
        return given


def _audiences(told: Sequence[str]) -> list[str]:
    """Each audience once, in the order in which they were named."""
    found = list(dict.fromkeys(one.strip() for one in told if one.strip()))
    if len(found) > 50 or any(len(one) > 200 for one in found):
        raise BadPage("a page has at most 50 audiences, each of at most 200 characters")
    return found


def _is_address(text: str) -> None:
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        sound = False
    if not sound:
        raise BadPage(f"{text!r} is no address of a site", next="Write it with https://.")


def add(
    store: Store,
    tx: Tx,
    *,
    connector: str,
    platform: str,
    address: str,
    name: str,
    by: UUID | None,
    why: str,
    custodian: str = "",
    options: Mapping[str, str] | None = None,
    about: About | None = None,
) -> Page:
    """Put a page into the registry, unapproved; it is captured all the same."""
    wanted = (connector, platform, address, name, custodian, options or {})
    return add_each(store, tx, [wanted], by=by, why=why, about=about)[0]


def add_each(
    store: Store,
    tx: Tx,
    wanted: Sequence[tuple[str, str, str, str, str, Mapping[str, str]]],
    *,
    by: UUID | None,
    why: str,
    about: About | None = None,
) -> list[Page]:
    """Put several pages into the registry: connector, platform, address, name, custodian, options of each.

    `about` is what is said of every one of them.
    """
    now, more = store.clock.now(), (about or About()).values()
    rows, written, ids = [], [], new_ids(len(wanted))
    for identity, (connector, platform, address, name, custodian, options) in zip(ids, wanted, strict=True):
        if not name.strip() or not platform.strip():
            raise BadPage("a page has a platform and a name")
        if tx.execute(select(pages.c.key).where(pages.c.platform == platform, pages.c.name == name)).first():
            raise PageExists(
                f"{name} on {platform} is in the registry already", next="See `muniment page list`."
            )
        rows.append(
            {
                "id": identity,
                "connector": connector,
                "platform": platform,
                "address": address,
                "name": name,
                "custodian": custodian,
                "options": json.dumps(dict(options)),
                "status": ACTIVE,
                "approved": False,
                "added_at": to_instant(now),
                **more,
            }
        )
        told = {
            "name": name,
            "platform": platform,
            "address": address,
            "custodian": custodian,
            "connector": connector,
            "options": dict(options),
            **more,
        }
        written.append(
            Deed("page", by, why, {"page": identity.hex(), "act": "added"}, told, UUID(bytes=identity))
        )
    store.keyring.keep({identity: new_secret() for identity in ids})
    for row in rows:
        tx.execute(insert(pages).values(**row))
    store.ledger.act_each(tx, written)
    found = {page.id.bytes: page for page in listed(tx)} if len(ids) > 1 else {ids[0]: get(tx, ids[0].hex())}
    return [found[identity] for identity in ids]


def get(tx: Tx, which: str) -> Page:
    """The page of that id, or of that name where only one bears it; raises `NoSuchPage`."""
    asked = select(pages)
    try:
        found = tx.execute(asked.where(pages.c.id == UUID(which).bytes)).all()
    except ValueError:
        found = tx.execute(asked.where((pages.c.name == which) | (pages.c.address == which))).all()
    if len(found) != 1:
        raise NoSuchPage(
            f"{len(found)} pages are called {which}" if found else f"no page {which} is in the registry",
            next="See `muniment page list`, and name the page by its id.",
        )
    return page_of(found[0])


def listed(tx: Tx) -> list[Page]:
    """Every page, in the order in which they were added."""
    return [page_of(row) for row in tx.execute(select(pages).order_by(pages.c.key))]


def by_key(tx: Tx, keys: Iterable[int]) -> dict[int, Page]:
    """The pages of these keys."""
    wanted = sorted(set(keys))
    found: dict[int, Page] = {}
    for start in range(0, len(wanted), _ASK):
        part = wanted[start : start + _ASK]
        found |= {row.key: page_of(row) for row in tx.execute(select(pages).where(pages.c.key.in_(part)))}
    return found


class Called(NamedTuple):
    """By what a page is chosen from a list."""

    id: UUID
    name: str
    platform: str


def called(tx: Tx, names: Sequence[str] | None = None, *, most: int | None = None) -> list[Called]:
    """What every page is called, in the order in which they were added; only those of these names, which are few; or the first `most`."""
    asked = select(pages.c.id, pages.c.name, pages.c.platform).order_by(pages.c.key)
    if names is not None:
        asked = asked.where(pages.c.name.in_(names))
    if most is not None:
        asked = asked.limit(most)
    return [Called(UUID(bytes=bytes(row.id)), row.name, row.platform) for row in tx.execute(asked)]


def platforms(tx: Tx) -> list[str]:
    """The platforms of all pages, in order of their names."""
    return sorted(tx.execute(select(pages.c.platform).distinct()).scalars())


def change(
    store: Store, tx: Tx, page: Page, act: str, *, by: UUID | None, why: str, **values: object
) -> Page:
    """Change what the registry says of a page."""
    if values:
        tx.execute(update(pages).where(pages.c.key == page.key).values(**values))
    store.ledger.act(
        tx,
        "page",
        by=by,
        why=why,
        facts={"page": page.id.hex, "act": act},
        detail={"name": page.name, **({"set": dict(values)} if values else {})},
        subject=page.id,
    )
    return get(tx, page.id.hex)


def describe(store: Store, tx: Tx, page: Page, about: About, *, by: UUID, why: str) -> Page:
    """Change what the registry says of a page; the entry tells what each field said before."""
    wanted = about.values()
    lock_ledger(tx)  # before the page is read, so that two who change it do not overwrite each other unseen
    row = tx.execute(select(pages).where(pages.c.key == page.key)).one()
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not changed:
        raise BadPage(f"nothing of {page.name} would change", next="Name a field with what it is to say.")
    tx.execute(update(pages).where(pages.c.key == page.key).values(**changed))
    before = {name: getattr(row, name) for name in changed}
    detail = {"name": page.name, "changed": changed, "before": before}
    return _noted(store, tx, page, "changed", detail, by=by, why=why)


# -- approval ----------------------------------------------------------------------------------------------


def approve(store: Store, tx: Tx, page: Page, *, by: UUID, why: str, until: date | None = None) -> Page:
    """Write down that the page is approved, by whom, on what authority and until which day.

    Whoever has no authority under the agency's policy is refused. A page that
    is approved already is approved anew.
    """
    lock_ledger(tx)
    _in_registry(page)
    on, last = approvals.authority(store, tx, page, by), deeds.until(store, until)
    tx.execute(update(pages).where(pages.c.key == page.key).values(approved=True, approved_until=last))
    detail = {"name": page.name, "authority": str(on.basis), "until": last}
    approvals.note(
        tx, page, _act(store, tx, page, "approved", detail, by=by, why=why), approvals.APPROVED, on, last
    )
    return get(tx, page.id.hex)


def withdraw(store: Store, tx: Tx, page: Page, *, by: UUID, why: str) -> Page:
    """Take the approval of a page back; it is captured all the same."""
    lock_ledger(tx)
    if not get(tx, page.id.hex).approved:
        raise Refused(f"{page.name} is not approved")
    on = approvals.authority(store, tx, page, by)
    tx.execute(update(pages).where(pages.c.key == page.key).values(approved=False, approved_until=None))
    detail = {"name": page.name, "authority": str(on.basis)}
    entry = _act(store, tx, page, "approval-withdrawn", detail, by=by, why=why)
    approvals.note(tx, page, entry, approvals.WITHDRAWN, on, None)
    return get(tx, page.id.hex)


# -- pausing and removing ----------------------------------------------------------------------------------


def pause(store: Store, tx: Tx, page: Page, *, by: UUID, why: str, guards: Sequence[Guard] = ()) -> Page:
    """Stop capturing a page until it is resumed; the pause is a gap, open until then."""
    now = _stoppable(tx, page, "pause", guards)
    if now.status == PAUSED:
        raise Refused(f"{page.name} is paused already")
    paused = change(store, tx, page, "paused", by=by, why=why, status=PAUSED)
    _open_gap(
        store, tx, page, "everything that the page shows while it is paused", by=by, why=f"paused: {why}"
    )
    return paused


def remove(store: Store, tx: Tx, page: Page, *, by: UUID, why: str, guards: Sequence[Guard] = ()) -> Page:
    """Capture a page no longer; it stays in the registry with its records, and `resume` takes it up again."""
    now = _stoppable(tx, page, "remove", guards)
    removed = change(store, tx, page, "removed", by=by, why=why, status=REMOVED)
    if now.status != PAUSED:  # the gap of a pause stays open
        what = "everything that the page shows since it was removed from capture"
        _open_gap(store, tx, page, what, by=by, why=f"removed: {why}")
    return removed


def resume(store: Store, tx: Tx, page: Page, *, by: UUID, why: str) -> Page:
    """Capture a page again, and close the gap of its pause."""
    lock_ledger(tx)
    if get(tx, page.id.hex).status == ACTIVE:
        raise Refused(f"{page.name} is not paused")
    resumed = change(store, tx, page, "resumed", by=by, why=why, status=ACTIVE)
    _close_gap(store, tx, page, by=by, why=f"the page is captured again: {why}")
    return resumed


def _stoppable(tx: Tx, page: Page, act: str, guards: Sequence[Guard]) -> Page:
    """The page as it stands, if nothing forbids to stop capturing it; nothing is written before that is known."""
    lock_ledger(tx)
    now = get(tx, page.id.hex)
    _in_registry(now)
    for guard in guards:
        guard(tx, now, act)
    return now


def _in_registry(page: Page) -> None:
    if page.status == REMOVED:
        raise Refused(
            f"{page.name} was removed from capture", next="`muniment page resume` takes it up again."
        )


def _open_gap(store: Store, tx: Tx, page: Page, what: str, *, by: UUID, why: str) -> None:
    _gap(store, tx, page, GapFound(what, why, since=store.clock.now()), by=by, why=why)


def _close_gap(store: Store, tx: Tx, page: Page, *, by: UUID, why: str) -> None:
    """Say until when the gap lasted, in an entry of its own: what was written down before never changes."""
    newest = select(func.max(run_rows.c.key)).where(run_rows.c.page == page.key, run_rows.c.kind == PAUSE)
    run = tx.execute(newest).scalar()
    for gap in runs.gaps_of(store, tx, run=run) if run is not None else ():
        if gap.until is None:
            _gap(store, tx, page, replace(gap, until=store.clock.now()), by=by, why=why)


def _gap(store: Store, tx: Tx, page: Page, gap: GapFound, *, by: UUID, why: str) -> None:
    run = runs.begin(store, tx, page, PAUSE)
    runs.note_gaps(store, tx, run, page, [gap], by=by)
    report = Report(page=page.id, run=run.id, status="partial", gaps=[gap])
    runs.end(store, tx, run, report, [], by=by, why=why)


def newest_of(gaps: Sequence[GapFound]) -> list[GapFound]:
    """Gaps without those that a later entry closed: a pause is told once, with its end where it has one."""
    closed = {(gap.what, gap.why, gap.since) for gap in gaps if gap.until is not None}
    return [gap for gap in gaps if gap.until is not None or (gap.what, gap.why, gap.since) not in closed]


# -- credentials -------------------------------------------------------------------------------------------


def connect(
    store: Store,
    tx: Tx,
    page: Page,
    secret: Mapping[str, str],
    *,
    by: UUID | None,
    why: str,
    terms: Terms | None = None,
) -> Page:
    """Seal the credentials of a page; they are never shown again.

    `by` is the officer who gives them; None where the page's manager did over
    a link, whom `terms` then name.
    """
    terms = terms or Terms()
    lock_ledger(tx)  # before any row, as everybody does, so that two of them never wait for each other
    credentials_of.keep(store, tx, page, credentials_of.checked(secret), terms, officer=by)
    if page.status not in NOT_CAPTURED:
        tx.execute(update(pages).where(pages.c.key == page.key).values(status=ACTIVE))
    detail = {
        "name": page.name,
        "how": terms.how,
        "scopes": list(terms.scopes),
        **({"manager": terms.manager} if terms.manager else {}),
        **({"until": terms.stated_until.isoformat()} if terms.stated_until else {}),
    }
    return _noted(store, tx, page, "connected", detail, by=by, why=why)


def forget(store: Store, tx: Tx, page: Page, *, by: UUID, why: str) -> Page:
    """Destroy the credentials of a page; from then on only what the public sees is captured."""
    if not page.connected:
        raise Refused(f"{page.name} is not connected")
    lock_ledger(tx)
    credentials_of.forget(tx, page)
    return _noted(store, tx, page, "forgotten", {"name": page.name}, by=by, why=why)


def state_end(store: Store, tx: Tx, page: Page, until: datetime, *, by: UUID, why: str) -> Page:
    """Write down when the credentials of a page end, where an officer knows it and the platform does not say."""
    if not page.connected:
        raise Refused(f"{page.name} is not connected")
    lock_ledger(tx)
    credentials_of.set_end(tx, page, until)
    detail = {"name": page.name, "until": until.isoformat()}
    return _noted(store, tx, page, "end-stated", detail, by=by, why=why)


def disconnect(store: Store, tx: Tx, page: Page, *, by: UUID | None, why: str) -> Page:
    """Write down that the platform no longer accepts the page's credentials, unless that is known already."""
    now = get(tx, page.id.hex)
    if now.status != ACTIVE:
        return now
    return change(store, tx, page, "disconnected", by=by, why=why, status=DISCONNECTED)


def credentials(store: Store, tx: Tx, page: Page) -> dict[str, str] | None:
    """What the connector signs in with, or None."""
    held = credentials_of.held(store, tx, page)
    return None if held is None else dict(held.secret)


def _noted(
    store: Store, tx: Tx, page: Page, act: str, detail: Mapping[str, object], *, by: UUID | None, why: str
) -> Page:
    _act(store, tx, page, act, detail, by=by, why=why)
    return get(tx, page.id.hex)


def _act(
    store: Store, tx: Tx, page: Page, act: str, detail: Mapping[str, object], *, by: UUID | None, why: str
) -> int:
    return store.ledger.act(
        tx, "page", by=by, why=why, facts={"page": page.id.hex, "act": act}, detail=detail, subject=page.id
    )


def page_of(row: Any) -> Page:
    return Page(
        key=row.key,
        id=UUID(bytes=bytes(row.id)),
        connector=row.connector,
        platform=row.platform,
        address=row.address,
        name=row.name,
        custodian=row.custodian,
        options=json.loads(row.options),
        status=row.status,
        approved=bool(row.approved),
        added_at=from_instant(row.added_at),
        connected=row.sealed_secret is not None,
        purpose=row.purpose,
        scope=row.scope,
        audiences=tuple(json.loads(row.audiences)),
        official_site=row.official_site,
        review_on=deeds.of_row(row.review_on),
        policy=row.policy,
        approved_until=deeds.of_row(row.approved_until),
    )
