"""Guards: a page that a hold concerns goes on being captured, and what is shown again under a hold is kept again.

The refusal to pause or remove a page says that something under way needs it,
and not what: a records request, a hold or a silent one. So it is the same for
everybody and tells nothing of a silent matter. Whoever works on the matter sees
which holds concern the page, and may consent; the pause is then a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import insert, select

from app.capture.keep import PageRef
from app.db import Tx
from app.db.database import lock_ledger
from app.holds import acts, covering, placing
from app.holds.covering import Active
from app.holds.placing import Hold
from app.holds.scopes import Judge, Left, Met, may_have_met
from app.index.documents import Document
from app.index.judging import Read
from app.records.errors import Refused
from app.records.nouns import Officer, Page
from app.store.store import Store
from app.store.tables import hold_consents, hold_records, records
from connectors.contract import Observation


class PageIsNeeded(Refused):
    """Something that is under way needs the page to be captured."""

    code = "page-is-needed"


class ConsentGiven(Refused):
    """Consent for this page was given already."""

    code = "consent-given"


def page_guard(store: Store) -> Callable[[Tx, Page, str], None]:
    """Asked before a page is paused or removed, under the ledger's lock."""

    def guard(tx: Tx, page: Page, act: str) -> None:
        if any(not _consented(tx, hold, page) for hold in concerning(store, tx, page)):
            raise PageIsNeeded(
                f"capture of {page.name} cannot end now ({act}): something under way needs it. That may be a "
                "records request, a review or a hold; it is not said which",
                next="Ask the agency's attorney. Until then the page is captured.",
            )

    return guard


def concerning(store: Store, tx: Tx, page: Page) -> list[Active]:
    """The active holds that could cover what the page will show, or cover what it showed."""
    return [hold for hold in covering.active(store, tx) if _concerns(tx, hold, page)]


def _concerns(tx: Tx, hold: Active, page: Page) -> bool:
    if hold.tree is not None:
        left = Left(page=str(page.id), page_name=page.name, platform=page.platform, kind="")
        return may_have_met(hold.tree, left) is not Met.NO
    asked = (
        select(hold_records.c.record)
        .join(records, records.c.key == hold_records.c.record)
        .where(hold_records.c.hold == hold.key, records.c.page == page.key)
        .limit(1)
    )
    return tx.execute(asked).first() is not None


def _consented(tx: Tx, hold: Active, page: Page) -> bool:
    asked = select(hold_consents.c.entry).where(
        hold_consents.c.hold == hold.key, hold_consents.c.page == page.key
    )
    return tx.execute(asked).first() is not None


def consent(store: Store, tx: Tx, hold: Hold, page: Page, *, by: Officer, why: str) -> Hold:
    """Let the page be paused or removed although this hold concerns it; an attorney of the matter answers for it."""
    lock_ledger(tx)
    now = placing.must_be_active(placing.get(store, tx, str(hold.id), by=by))
    placing.may_work_on(store, tx, now, by)
    given = select(hold_consents.c.entry).where(
        hold_consents.c.hold == now.key, hold_consents.c.page == page.key
    )
    if tx.execute(given).first() is not None:
        raise ConsentGiven(f"for {page.name} consent was given already")
    entry = acts.note(
        store, tx, "hold:consent", matter=now.matter, hold=now.id, by=by.id, why=why,
        detail={"page": str(page.id)}, subject=now.id,
    )  # fmt: skip
    tx.execute(insert(hold_consents).values(hold=now.key, page=page.key, entry=entry))
    return now


def kept_again(store: Store) -> Callable[[PageRef, Observation], bool]:
    """Capture's question: whether an active hold covers what was disposed of and is shown again."""

    def held(page: PageRef, observation: Observation) -> bool:
        with store.database.read() as tx:
            asked = [one.tree for one in covering.active(store, tx) if one.tree is not None]
        if not asked:
            return False
        read = Read(_document(store, page, observation))
        return any(Judge(tree, store.agency.zone()).of([read]) for tree in asked)

    return held


def _document(store: Store, page: PageRef, seen: Observation) -> Document:
    """What is shown as a scope reads it; what its attachments hold is not known yet."""
    author = seen.author
    names = (author.id, author.name, author.handle) if author is not None else ()
    return Document(
        record=1,
        version=1,
        entry=0,
        page=str(UUID(bytes=page.id)),
        page_name=page.name,
        platform=page.platform,
        kind=str(seen.kind),
        author=tuple(name for name in names if name),
        state=str(seen.state),
        published_at=seen.published_at,
        captured_at=store.clock.now(),
        text=seen.text,
        language=seen.language,
        media=bool(seen.attachments),
        private=seen.private,
        lacks=("not_kept",) if seen.attachments else (),
    )
