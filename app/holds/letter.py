"""The preservation letter: a PDF for a platform or a custodian, made from the matter and the hold as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.capture import pages
from app.db import Tx
from app.db.database import lock_ledger
from app.holds import acts, placing
from app.holds.matters import Matter
from app.holds.placing import Hold
from app.papers.blocks import Block, Listed, Paragraph
from app.records.errors import Invalid, Refused
from app.records.nouns import Officer, Page
from app.store.store import Store

TITLE = "Request to preserve records"
_KEEP = (
    "what was posted and commented, private messages, what was edited, hidden or removed with the times at which it"
    " was, moderation logs, block lists and word filters, and the records of who signed in and when."
)
_ASKED = (
    "Please suspend whatever removes any of it by itself. This letter asks you to keep, not to hand over. Please"
    " confirm in writing that you received it and what you keep."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A letter before it is set: to whom, about which hold, which pages and which days."""

    hold: Hold
    matter: Matter
    to: str
    address: Sequence[str]
    pages: Sequence[Page]
    by: Officer
    at: datetime


def preservation(
    store: Store, which: UUID | str, to: str, address: Sequence[str], *, by: Officer, why: str
) -> bytes:
    """The letter as PDF; that it was written is an act on the matter.

    It names pages and days. The words of the scope stay here: they are
    counsel's own, and whoever must keep something is told what, not why. It is
    set before the act is written, so that nobody waits for the typesetter; a
    hold that was released meanwhile has no letter.
    """
    if not to.strip():
        raise Invalid("the letter is addressed to nobody", next="Give --to.")
    with store.database.read() as tx:
        draft = _draft(store, tx, str(which), to.strip(), address, by)
    content = _pdf(store, draft)
    with store.database.begin() as tx:
        lock_ledger(tx)
        now, matter = _may_be_written(store, tx, str(which), by)
        acts.note(
            store, tx, "letter:written", matter=matter.key, hold=now.id, by=by.id, why=why,
            detail={"to": draft.to, "address": list(address)}, subject=now.id,
        )  # fmt: skip
    return content


def _may_be_written(store: Store, tx: Tx, which: str, by: Officer) -> tuple[Hold, Matter]:
    now = placing.must_be_active(placing.get(store, tx, which, by=by))
    matter = placing.may_work_on(store, tx, now, by)
    if matter is None:
        raise Refused("the hold of a records request has no letter")
    return now, matter


def _draft(store: Store, tx: Tx, which: str, to: str, address: Sequence[str], by: Officer) -> Draft:
    hold, matter = _may_be_written(store, tx, which, by)
    return Draft(
        hold=hold,
        matter=matter,
        to=to,
        address=address,
        pages=[page for page in pages.listed(tx) if _is_meant(page, hold, matter)],
        by=by,
        at=store.clock.now(),
    )


def _is_meant(page: Page, hold: Hold, matter: Matter) -> bool:
    named = {*hold.scope.pages, *map(str, matter.pages)}
    return not named or str(page.id) in named


def _pdf(store: Store, draft: Draft) -> bytes:
    from app.papers import paper  # noqa: PLC0415 - only here, so that nothing else waits for the typesetter

    agency = store.agency.name
    today = draft.at.astimezone(store.agency.zone())
    head: tuple[Block, ...] = (
        Paragraph(agency),
        Paragraph("\n".join((draft.to, *draft.address))),
        Paragraph(f"{today.day} {today:%B %Y}"),
    )
    return paper.document(
        TITLE, _said(agency, draft), agency=agency, made_at=draft.at, above=head,
        subject=f"Reference {draft.matter.id}",
    )  # fmt: skip


def _said(agency: str, draft: Draft) -> list[Block]:
    scope = draft.hold.scope
    bounds = (f"from {scope.since}" if scope.since else "", f"to {scope.until}" if scope.until else "")
    days = " ".join(filter(None, bounds))
    listed = Listed([f"{page.name} ({page.platform}), {page.address}" for page in draft.pages])
    return [
        Paragraph(f"Reference: {draft.matter.id}"),
        Paragraph(
            f"{agency} asks you to preserve, until it tells you in writing that this is over, everything that"
            f" concerns the pages below{', ' + days if days else ''}: {_KEEP}"
        ),
        *([listed] if draft.pages else []),
        Paragraph(_ASKED),
        Paragraph(f"{draft.by.name or draft.by.email}\n{draft.by.email}"),
    ]
