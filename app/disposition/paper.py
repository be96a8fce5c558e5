"""The certificate on paper: PDF/A-3b, with the same certificate as JSON attached to it, so that a program can check it.

Set in DejaVu Sans, which is embedded; what it has no sign for is shown as the
sign for that. The library writes the output intent, the XMP metadata and the
relation of the attachment as the standard has them, and refuses what it forbids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from app.disposition.refusals import FontMissing

FONT = "DejaVuSans.ttf"
BOLD = "DejaVuSans-Bold.ttf"
_FOLDERS = (
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu"),
    Path("/usr/share/fonts/dejavu-sans-fonts"),
    Path("/usr/share/fonts/TTF"),
    Path("/usr/local/share/fonts"),
    Path("/Library/Fonts"),
)
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_NAME = "certificate.json"
_LISTED = 50


class Paper(FPDF):
    """A document whose pages bear its title and their number."""

    def __init__(self, title: str, made_at: datetime) -> None:
        super().__init__(format="Letter", unit="mm", enforce_compliance="PDF/A-3B")
        self.running = title
        folder = _fonts()
        self.add_font("dejavu", fname=folder / FONT)
        self.add_font("dejavu", style="B", fname=folder / BOLD)
        self.set_title(title)
        self.set_lang("en-US")
        self.set_creator("Muniment")
        self.set_creation_date(made_at)
        self.set_margins(20, 18, 20)
        self.set_auto_page_break(auto=True, margin=20)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font("dejavu", size=7)
        self.cell(0, 5, self.plain(f"{self.running}, page {self.page_no()} of {{nb}}"), align="C")

    def plain(self, text: str) -> str:
        """`text` in signs that the font has."""
        font = self.fonts["dejavu"]
        assert isinstance(font, TTFFont), "its font is added from a file"
        known = font.cmap
        return "".join(sign if sign == "\n" or ord(sign) in known else _UNKNOWN for sign in text)

    def heading(self, text: str, size: float = 11) -> None:
        self.ln(2)
        self.set_font("dejavu", "B", size)
        self.multi_cell(0, size * 0.55, self.plain(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.ln(1)

    def paragraph(self, text: str) -> None:
        self.set_font("dejavu", size=9)
        self.multi_cell(0, 4.6, self.plain(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.ln(1)

    def fact(self, name: str, value: object) -> None:
        """A name and its value beside it; without a value, nothing."""
        if value in (None, "", []):
            return
        top = self.get_y()
        if top > self.h - 32:
            self.add_page()
            top = self.get_y()
        self.set_font("dejavu", "B", 9)
        self.multi_cell(48, 4.6, self.plain(name), new_x=XPos.RIGHT, new_y=YPos.TOP, align="L")
        below, page = self.get_y(), self.page
        self.set_font("dejavu", size=9)
        self.set_xy(self.l_margin + 50, top)
        self.multi_cell(0, 4.6, self.plain(str(value)), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        if self.page == page:
            self.set_y(max(self.get_y(), below))


def pdf(certificate: dict[str, Any], made_at: datetime) -> bytes:
    """The certificate as PDF/A-3b, with itself as JSON attached."""
    title = f"Certificate of {'transfer and ' if certificate['transfer'] else ''}destruction"
    paper = Paper(title, made_at)
    paper.set_author(certificate["agency"]["name"])
    paper.set_subject(f"Batch {certificate['batch']}, series {certificate['series']}")
    paper.heading(certificate["agency"]["name"], 10)
    paper.heading(title, 16)
    paper.paragraph(_standing(certificate))
    for heading, facts in _sections(certificate):
        paper.heading(heading)
        for name, value in facts:
            paper.fact(name, value)
    for heading, listed in (
        ("What this proves", certificate["proven"]),
        (
            "What this does not prove",
            [*certificate["not_proven"], *filter(None, [certificate["timestamps"]])],
        ),
    ):
        paper.heading(heading)
        for sentence in listed:
            paper.paragraph(f"\N{EN DASH} {sentence}")
    paper.heading("Records")
    ids = certificate["records"]
    paper.paragraph(
        f"{len(ids):,} records, by their random ids; all of them are in the attached {_NAME}, with the proof of"
        " every entry of the ledger that is named here."
    )
    paper.paragraph(
        "\n".join(ids[:_LISTED]) + (f"\nand {len(ids) - _LISTED:,} more" if len(ids) > _LISTED else "")
    )
    content = json.dumps(certificate, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    paper.embed_file(
        bytes=content,
        basename=_NAME,
        mime_type="application/json",
        associated_file_relationship="DATA",
        desc="The same certificate for programs, with the proof of every entry",
        modification_date=made_at,
    )
    return bytes(paper.output() or b"")


def _standing(certificate: dict[str, Any]) -> str:
    if certificate["state"] == "final":
        return (
            f"FINAL. The last copy of the keys that could open these records expired on"
            f" {certificate['final']['expired']}; nothing that the archive has made or kept opens them any more."
        )
    until = certificate["survives"]["key_backups_until"]
    if until is None:
        return "EXECUTED. No copy of the keys that could open these records is known; the nightly work makes this final."
    return (
        f"EXECUTED, and not final yet: copies of the keys in backups could still open what older backups hold of"
        f" these records, the last of them until {until}. A final certificate can be had from that day on."
    )


def _sections(told: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, object]]]]:
    dates, quantity = told["dates"], told["quantity"]
    span = f"{dates['from']} to {dates['to']}" if dates["from"] else ""
    undated = f"{dates['undated']:,} without a date" if dates["undated"] else ""
    yield (
        "What was disposed of",
        [
            ("Batch", told["batch"]),
            ("Series", f"{told['series']} {told['title']}".strip()),
            ("Citation", told["citation"]),
            ("Schedule", f"{told['schedule']}, edition {told['edition']}" if told["schedule"] else ""),
            ("Adopted by", f"{told['instrument']}, {told['adopted_on']}" if told["adopted_on"] else told["instrument"]),
            ("Authority", told["authority"]),
            ("Jurisdiction", told["jurisdiction"]),
            ("Rule", "\n".join(told["grounds"])),
            ("Published (months)", ", ".join(filter(None, [span, undated]))),
            ("Quantity", f"{quantity['records']:,} records, {quantity['bytes']:,} bytes as they were held"),
            ("Stayed on the last look", f"{quantity['stayed_on_recheck']:,} records of the list"),
            ("Pages", "\n".join(f"{one['name']} ({one['platform']}): {one['records']:,} {one['kind']}" for one in told["pages"])),
            ("Format", told["format"]),
            ("Method", told["method"]),
        ],
    )  # fmt: skip
    yield (
        "By whom",
        [
            ("Proposed", _who(told["proposed"])),
            *(("Approved", _who(one)) for one in told["approvals"]),
            ("Carried out", "\n".join(dict.fromkeys(f"{one['by']}, {one['on']}" for one in told["executed"]))),
        ],
    )  # fmt: skip
    waited = told["waiting_period"]
    moved = told["transfer"]
    yield (
        "In the ledger",
        [
            ("Authorised", f"entry {told['authorised']['entry']:,}, {told['authorised']['at']}"),
            ("Attested from outside", told["authorised"]["attested_from_outside_at"]),
            ("Waiting period", f"{waited['days']} days, open from {waited['open_on']}"),
            ("Packed", f"entry {moved['entry']:,}; bag {moved['bag_sha256']}" if moved else ""),
            ("Received", f"entry {moved['receipt_entry']:,}; receipt {moved['receipt_sha256']}" if moved and moved["receipt_entry"] else ""),
            ("Holds looked at", _numbers(told["holds_looked_at"])),
            ("Executed", _numbers([one["entry"] for one in told["executed"]])),
            ("Verified", _numbers([one["entry"] for one in told["verified"]])),
            ("Final", f"entry {told['final']['entry']:,}" if told["final"] else ""),
            ("Verifier key", told["verifier_key"]),
        ],
    )  # fmt: skip
    left = told["survives"]
    yield (
        "What lawfully survives",
        [
            ("Keys in backups", f"until {left['key_backups_until']}" if left["key_backups_until"] else "none that opens these records"),
            ("Taken out one by one", f"{left['exports']:,} times"),
            ("Taken out with all", f"{left['whole_archive_exports']:,} times"),
            ("Tombstones", left["tombstones"]),
        ],
    )  # fmt: skip


def _who(one: dict[str, Any]) -> str:
    instrument = f"; instrument: {one['instrument']}" if one.get("instrument") else ""
    name = f"{one['name']} <{one['email']}>" if one["name"] else one["email"]
    return f"{name}, {one['role']}, {one['at']} (entry {one['entry']:,}): {one['why']}{instrument}"


def _numbers(entries: list[int]) -> str:
    shown = ", ".join(f"{entry:,}" for entry in entries[:20])
    if len(entries) == 1:
        return f"entry {shown}"
    return f"entries {shown}" + (f" and {len(entries) - 20} more" if len(entries) > 20 else "")


def _fonts() -> Path:
    for folder in _FOLDERS:
        if (folder / FONT).is_file() and (folder / BOLD).is_file():
            return folder
    raise FontMissing(
        "the font DejaVu Sans is not on this machine",
        next="Install it (Debian: fonts-dejavu-core); `--json` gives the certificate without it.",
    )
