"""Letters, certificates, slip-sheets and whatever else an agency puts on paper, as tagged PDF/A."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from app.papers.blocks import (
    Block,
    Code,
    Facts,
    Heading,
    Listed,
    NewPage,
    Paragraph,
    Picture,
    Signature,
    Table,
    Words,
)
from app.papers.press import Attachment, Press, Sheets, Stamp

__all__ = [
    "Attachment", "Block", "Code", "Facts", "Heading", "Listed", "NewPage", "Paragraph", "Picture", "Press",
    "Signature", "Stamp", "Table", "Words", "document",
]  # fmt: skip


def document(
    title: str,
    blocks: Sequence[Block],
    *,
    agency: str,
    made_at: datetime,
    subject: str = "",
    running: str = "",
    language: str = "en",
    above: Sequence[Block] = (),
    stamp: Stamp | None = None,
    attached: Sequence[Attachment] = (),
    press: Press | None = None,
) -> bytes:
    """A document as tagged PDF/A-2a and PDF/UA-1 (PDF/A-3a with files in it); the title stands above its blocks.

    What stands `above` the title is a letter's head. The same arguments give
    the same bytes on a machine with the same fonts. Whoever makes many hands
    in a `press`, which is started only once.
    """
    sheets = Sheets(
        title=title, author=agency, made_at=made_at, blocks=(*above, Heading(title, 1), *blocks), subject=subject,
        running=running or f"{agency} · {title}", language=language, stamp=stamp, attached=attached,
    )  # fmt: skip
    if press is not None:
        return press.pdf(sheets).content
    with closing(Press()) as own:
        return own.pdf(sheets).content
