"""The certificate on paper: tagged PDF/A-3a, with the same certificate as JSON attached to it, so that a program can check it.

Names, reasons and instruments stand in the script in which they were written;
a sign that no font of the machine has is shown by its number. What they say is
set as text, and never steers the page. No day follows a name without a word
between them: after Arabic or Hebrew its parts would be read from the right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.papers import paper, words
from app.papers.blocks import Block, Code, Facts, Heading, Listed, Paragraph
from app.papers.press import Attachment

_NAME = "certificate.json"
_LISTED = 50


def pdf(certificate: dict[str, Any], made_at: datetime) -> bytes:
    """The certificate as PDF/A-3a and PDF/UA-1, with itself as JSON attached; the same at every time."""
    content = json.dumps(certificate, ensure_ascii=False, indent=1).encode("utf-8", "replace").decode()
    agency = certificate["agency"]["name"]
    return paper.document(
        f"Certificate of {'transfer and ' if certificate['transfer'] else ''}destruction",
        list(_said(certificate)),
        agency=agency,
        made_at=made_at,
        subject=f"Batch {certificate['batch']}, series {certificate['series']}",
        above=[Paragraph(agency)],
        attached=[
            Attachment(
                _NAME,
                "application/json",
                content,
                "The same certificate for programs, with the proof of every entry",
            )
        ],
    )


def _said(told: dict[str, Any]) -> Iterator[Block]:
    yield Paragraph(_standing(told))
    for heading, facts in _sections(told):
        yield Heading(heading)
        yield Facts([(name, _lines(value)) for name, value in facts if value not in (None, "", [])])
    yield Heading("What this proves")
    yield Listed(told["proven"])
    yield Heading("What this does not prove")
    yield Listed([*told["not_proven"], *filter(None, [told["timestamps"]])])
    yield Heading("Records")
    ids = told["records"]
    yield Paragraph(
        f"{len(ids):,} records, by their random ids; all of them are in the attached {_NAME}, with the proof of"
        " every entry of the ledger that is named here."
    )
    more = f"\nand {len(ids) - _LISTED:,} more" if len(ids) > _LISTED else ""
    yield Code("\n".join(ids[:_LISTED]) + more)


def _lines(value: object) -> list[str]:
    """Values on lines of their own; none of them begins another, whatever somebody wrote into it."""
    return [words.line(str(one)) for one in (value if isinstance(value, list) else [value])]


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
            ("Adopted by", f"{told['instrument']}, on {told['adopted_on']}" if told["adopted_on"] else told["instrument"]),
            ("Authority", told["authority"]),
            ("Jurisdiction", told["jurisdiction"]),
            ("Rule", told["grounds"]),
            ("Published (months)", ", ".join(filter(None, [span, undated]))),
            ("Quantity", f"{quantity['records']:,} records, {quantity['bytes']:,} bytes of their own as they were held, what several records shared not counted"),
            ("Stayed on the last look", f"{quantity['stayed_on_recheck']:,} records of the list"),
            ("Pages", [f"{one['name']} ({one['platform']}): {one['records']:,} {one['kind']}" for one in told["pages"]]),
            ("Format", told["format"]),
            ("Method", told["method"]),
        ],
    )  # fmt: skip
    yield (
        "By whom",
        [
            ("Proposed", _who(told["proposed"])),
            *(("Approved", _who(one)) for one in told["approvals"]),
            ("Carried out", list(dict.fromkeys(f"{one['by']}, on {one['on']}" for one in told["executed"]))),
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
            ("Issued productions", [_production(one) for one in left["productions"]]),
            ("With the archives", f"the bag of {moved['records']:,} records, {moved['bag_sha256']}" if moved else ""),
            ("Taken out one by one", f"{left['exports']:,} times"),
            ("Taken out with all", f"{left['whole_archive_exports']:,} times"),
            ("Tombstones", left["tombstones"]),
        ],
    )  # fmt: skip


def _production(one: dict[str, Any]) -> str:
    back = f"; asked back, entry {one['asked_back']:,}" if one["asked_back"] is not None else ""
    number = f"{one['records']:,} record{'s' * (one['records'] != 1)}"
    return f"{one['number']}, issued {one['at']} (entry {one['entry']:,}): {number} of this batch{back}"


def _who(one: dict[str, Any]) -> str:
    instrument = f"; instrument: {one['instrument']}" if one.get("instrument") else ""
    name = f"{one['name']} <{one['email']}>" if one["name"] else one["email"]
    return f"{name}, {one['role']}, {one['at']} (entry {one['entry']:,}): {one['why']}{instrument}"


def _numbers(entries: list[int]) -> str:
    shown = ", ".join(f"{entry:,}" for entry in entries[:20])
    if len(entries) == 1:
        return f"entry {shown}"
    return f"entries {shown}" + (f" and {len(entries) - 20} more" if len(entries) > 20 else "")
