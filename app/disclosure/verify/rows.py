"""Whether a row of the load files says of its document what its native form, the fields in the ledger and the production say.

The tables of a production are held against one another; that would not show a
maker who wrote the same untruth into each of them. What a row says of who
wrote when, where and in answer to whom is therefore held against what it was
made from. Where two tables differ, nobody knows which of them to hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.disclosure.formats.fields import listed, path, snippet
from app.disclosure.formats.profiles import Profile, called
from app.disclosure.package.recipe import Form, Recipe
from app.disclosure.verify.documents import Document, alike
from app.disclosure.verify.findings import Finding
from app.disclosure.verify.proving import Proven

_COMMITTED = {
    "DOCTYPE": "kind",
    "VISIBILITY": "state",
    "LANGUAGE": "language",
}
_OWN = {
    "AUTHOR": "author_name",
    "AUTHOR_HANDLE": "author_handle",
    "AUTHOR_ID": "author_id",
    "PERMALINK": "url",
    "NATIVE_ID": "native_id",
}
"""Fields that show whose a record is: of one that leaves in part they are there only as the ledger has them."""
_FORMS = {
    "TEXTPATH": Form.TEXT,
    "PDFPATH": Form.PDF,
    "NATIVEPATH": Form.NATIVE,
    "HTMLPATH": Form.HTML,
    "RSMFPATH": Form.RSMF,
    "PROOFPATH": Form.PROOFS,
}
"""Paths that a row has just where the production has the form."""
_MISSING = "a path"
UNSAID = (
    "AUTHOR", "AUTHOR_HANDLE", "AUTHOR_ID", "PERMALINK", "NATIVE_ID", "TITLE", "TEXT_SNIPPET", "ATTACHPATHS", "DATESENT", "TIMESENT",
    "DATE_OBSERVED", "DATE_EDITED", "DATE_FIRSTSEEN", "DATE_LASTSEEN", "LANGUAGE", "HASHTAGS", "MENTIONS", "URLS", "LIKE_COUNT", "SHARE_COUNT",
    "REPLY_COUNT", "COUNTS", "VISIBILITY", "VERSION_NO", "VERSION_COUNT", "ATTACHCOUNT", "ORIGIN", "RETENTION_SERIES", "FILENAME", "FILESIZE", "MD5HASH",
)  # fmt: skip
"""What no row of a withheld document says."""


@dataclass(slots=True)
class Rows:
    """Looks at one row after another; remembers the family that it is in."""

    recipe: Recipe
    _profile: Profile = field(init=False)
    _thread: str = ""
    _family: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._profile = called(self.recipe.profile)

    def look(
        self, document: Document, native: tuple[Mapping[str, Any], bytes] | None, proven: Sequence[Proven]
    ) -> Iterator[Finding]:
        """What the row says otherwise; of a row over which two tables differ, nothing."""
        told = self._of_production(document) | self._of_family(document)
        if not document.agreed:
            return
        if native is not None:
            told |= _of_native(*native)
        if proven and not document.withheld:
            told |= _of_ledger(proven[-1], in_part=document.redacted)
        for name, value in told.items():
            written = self._profile.written(name, value)
            if name in document.values and not alike(name, document[name], written):
                yield Finding("row-differs", f"{name} is not what it was made from", f"{document.begins}")
                return
        if document.redacted and proven and (name := _unproven(document, proven)):
            what = f"{name} is there, and no version has it that the ledger committed to"
            yield Finding("row-differs", what, document.begins)

    def _of_production(self, document: Document) -> dict[str, str]:
        """What every row says of the production, and of what was kept back of the document."""
        recipe = self.recipe
        told = {
            "PRODUCTION": recipe.number,
            "VOLUME": recipe.volume,
            "AGENCY": recipe.agency,
            "TIMEZONE": "UTC",
            "LOG_SIZE": str(recipe.checkpoint or ""),
            "PARENTID": "",
            "ATTACHIDS": "",
        }
        try:
            earlier = recipe.replaces.get(UUID(document["ITEM_UUID"]))
        except ValueError:
            earlier = None
        told["REPLACES"] = earlier.production if earlier is not None else ""
        if document["BEGATTACH"] or document["ENDATTACH"] or document["ATTACHRANGE"]:
            told["BEGATTACH"], told["ENDATTACH"] = document.begins, document["ENDDOC"]
            told["ATTACHRANGE"] = f"{document.begins} - {document['ENDDOC']}"
        held_back = document.withheld or document.redacted
        for name, form in _FORMS.items():
            there = form in recipe.forms and not (name == "NATIVEPATH" and held_back)
            if there != bool(document[name]):
                told[name] = _MISSING if there else ""
        told["WITHHELD"] = "Y" if document.withheld else "N"
        told["REDACTED"] = "Y" if document.redacted else "N"
        told["PROPERTIES"] = (
            "Document Withheld" if document.withheld else "Redacted" if document.redacted else ""
        )
        if not document.withheld:
            told["VERSION_COUNT"] = str(len(document["LOG_INDEX"].split(";")))
        if document["NATIVEPATH"]:
            told["FILENAME"] = document["NATIVEPATH"].rpartition("\\")[2]
        if not held_back:
            told["REDACTION_CODES"] = ""
        return told

    def _of_family(self, document: Document) -> dict[str, str]:
        """Which document the row answers, and with which its family begins: a family stands together, what is answered first.

        Not so where documents keep the numbers that they had before: what is answered may have moved behind its answers.
        """
        if self.recipe.replaces or not {"IN_REPLY_TO", "ITEM_UUID"} <= document.values.keys():
            return {}
        parent = self._family.get(document["IN_REPLY_TO"]) if document["IN_REPLY_TO"] else None
        if parent is None:
            self._thread, self._family = document.begins, {}
        self._family[document["ITEM_UUID"]] = document.begins
        told = {"GROUPID": self._thread, "REPLYTODOC": parent or ""}
        if Form.HTML in self.recipe.forms:
            told["HTMLPATH"] = path(f"html/{self._thread.lower()}.html")
        return told


def _of_native(told: Mapping[str, Any], body: bytes) -> dict[str, str]:
    """What a row says of a record that leaves whole."""
    author, page = told.get("author") or {}, told.get("page") or {}
    published = _at(told.get("published_at"))
    newest: Mapping[str, Any] = told["history"][-1]
    said = {
        "DOCTYPE": told.get("kind"),
        "PLATFORM": page.get("platform"),
        "ACCOUNT": page.get("name"),
        "ACCOUNTURL": page.get("address"),
        "AUTHOR": author.get("name"),
        "AUTHOR_HANDLE": author.get("handle"),
        "AUTHOR_ID": author.get("id"),
        "PERMALINK": told.get("url"),
        "NATIVE_ID": told.get("native_id"),
        "THREAD_ID": told.get("root"),
        "IN_REPLY_TO": told.get("in_reply_to"),
        "LANGUAGE": told.get("language"),
        "VISIBILITY": told.get("state"),
        "ORIGIN": told.get("origin"),
        "RETENTION_SERIES": told.get("series"),
        "VERSION_NO": told.get("version"),
        "VERSION_COUNT": len(told["history"]),
    }
    known = {name: "" if value is None else str(value) for name, value in said.items()}
    known |= {
        "DATESENT": published.date().isoformat() if published else "",
        "TIMESENT": f"{published:%H:%M:%S}" if published else "",
        "DATE_OBSERVED": _moment(newest.get("observed_at")),
        "DATE_FIRSTSEEN": _moment(told.get("first_seen")),
        "DATE_LASTSEEN": _moment(told.get("last_seen")),
        "TITLE": " ".join(title.split())
        if isinstance(title := (told.get("extra") or {}).get("title"), str)
        else "",
        "TEXT_SNIPPET": snippet([str(told.get("text") or "")]),
        "COUNTS": listed(f"{name}={count}" for name, count in sorted((told.get("counts") or {}).items())),
        "MD5HASH": hashlib.md5(body, usedforsecurity=False).hexdigest(),
        "MIMETYPE": "application/json",
        "FILEEXT": "json",
    }
    return known


def _of_ledger(newest: Proven, *, in_part: bool) -> dict[str, str]:
    """What a row says that the ledger committed to, as far as the fields are shown."""
    known = {
        name: str(newest.fields[said] or "")
        for name, said in (_COMMITTED | _OWN).items()
        if said in newest.fields
    }
    if "text" in newest.fields:
        known["TEXT_SNIPPET"] = snippet([str(newest.fields["text"] or "")])
    published = _at(newest.fields.get("published_at")) if in_part else None
    if published is not None:  # of one that leaves whole, a later version may have stated another day
        known |= {"DATESENT": published.date().isoformat(), "TIMESENT": f"{published:%H:%M:%S}"}
    return known


def _unproven(document: Document, proven: Sequence[Proven]) -> str:
    """A field of a document that leaves in part which none of its versions has in the ledger; empty where there is none."""
    for name, said in _OWN.items():
        shown = document[name]
        if shown and not any(alike(name, shown, str(one.fields.get(said) or "")) for one in proven):
            return name
    return ""


def _at(said: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None


def _moment(said: object) -> str:
    at = _at(said)
    return "" if at is None else f"{at.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
