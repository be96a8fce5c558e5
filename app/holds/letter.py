"""The preservation letter: a PDF for a platform or a custodian, made from the matter and the hold as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from app.capture import pages
from app.db import Tx
from app.holds import acts, placing
from app.holds.matters import Matter
from app.holds.placing import Hold
from app.records.errors import Invalid, Refused
from app.records.nouns import Officer, Page
from app.store.store import Store

_BODY, _HEAD = 10.5, 13
_LINE = 0.5
"""Millimetres between lines, for each point of the letters."""


class _Sheet(FPDF):
    """A letter in one of the fonts that every reader of PDF brings; signs that it lacks are shown as `?`."""

    def __init__(self, title: str, agency: str, made_at: datetime) -> None:
        super().__init__(format="A4", unit="mm")
        self.set_title(title)
        self.set_author(agency)
        self.set_lang("en-US")
        self.set_creation_date(made_at)
        self.set_margins(25, 25, 25)
        self.set_auto_page_break(auto=True, margin=25)
        self.add_page()

    def put(self, text: str, *, size: float = _BODY, bold: bool = False) -> None:
        """A paragraph."""
        self.set_font("Helvetica", "B" if bold else "", size)
        plain = text.encode("latin-1", "replace").decode("latin-1")
        self.multi_cell(0, size * _LINE, plain, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.ln(size * _LINE * 0.6)


def preservation(
    store: Store, tx: Tx, hold: Hold, to: str, address: Sequence[str], *, by: Officer, why: str
) -> bytes:
    """The letter as PDF; that it was written is an act on the matter.

    It names pages and days. The words of the scope stay here: they are
    counsel's own, and whoever must keep something is told what, not why.
    """
    if not to.strip():
        raise Invalid("the letter is addressed to nobody", next="Give --to.")
    now = placing.must_be_active(placing.get(store, tx, str(hold.id), by=by))
    matter = placing.may_work_on(store, tx, now, by)
    if matter is None:
        raise Refused("the hold of a records request has no letter")
    acts.note(
        store, tx, "letter:written", matter=now.matter, hold=now.id, by=by.id, why=why,
        detail={"to": to.strip(), "address": list(address)}, subject=now.id,
    )  # fmt: skip
    concerned = [page for page in pages.listed(tx) if _is_meant(page, now, matter)]
    return _pdf(store, matter, now, to.strip(), address, concerned, by)


def _is_meant(page: Page, hold: Hold, matter: Matter) -> bool:
    named = {*hold.scope.pages, *map(str, matter.pages)}
    return not named or str(page.id) in named


def _pdf(
    store: Store,
    matter: Matter,
    hold: Hold,
    to: str,
    address: Sequence[str],
    concerned: Sequence[Page],
    by: Officer,
) -> bytes:
    today = store.clock.now().astimezone(store.agency.zone())
    days = " ".join(
        part
        for part in (
            f"from {hold.scope.since}" if hold.scope.since else "",
            f"to {hold.scope.until}" if hold.scope.until else "",
        )
        if part
    )
    agency, title = store.agency.name, "Request to preserve records"
    sheet = _Sheet(title, agency, store.clock.now())
    sheet.put(agency, size=_HEAD, bold=True)
    sheet.put("\n".join((to, *address)))
    sheet.put(f"{today.day} {today:%B %Y}")
    sheet.put(title, size=_HEAD, bold=True)
    sheet.put(f"Reference: {matter.id}")
    sheet.put(
        f"{agency} asks you to preserve, until it tells you in writing that this is over, everything that concerns "
        f"the pages below{', ' + days if days else ''}: what was posted and commented, private messages, what was "
        "edited, hidden or removed with the times at which it was, moderation logs, block lists and word filters, "
        "and the records of who signed in and when."
    )
    for page in concerned:
        sheet.put(f"-  {page.name} ({page.platform}), {page.address}")
    sheet.put(
        "Please suspend whatever removes any of it by itself. This letter asks you to keep, not to hand over. "
        "Please confirm in writing that you received it and what you keep."
    )
    sheet.ln(14)
    sheet.put(f"{by.name or by.email}\n{by.email}")
    return bytes(sheet.output())
