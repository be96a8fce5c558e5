"""What recipients call the fields, and how they write dates: data, and how a document's fields become their row. Pure.

Names as the recipients' own instructions have them, read in the editions named
in docs/load-files.md; whoever produces sends a sample first, as all of them ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.disclosure.formats.fields import BY_NAME, FIELDS, Kind
from app.records.errors import Invalid


class UnknownProfile(Invalid):
    """No recipient is known by this name."""

    code = "unknown-profile"


class Dates(StrEnum):
    """How a recipient reads dates."""

    ISO = "2026-03-05"
    US = "03/05/2026"


@dataclass(frozen=True, slots=True)
class Profile:
    """A recipient: `columns` are theirs, each with the name of our field that stands in it."""

    name: str
    title: str
    columns: Sequence[tuple[str, str]]
    dates: Dates = Dates.ISO

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns are called, in their order."""
        return tuple(name for name, _ in self.columns)

    @property
    def numbers(self) -> frozenset[str]:
        """The columns that hold whole numbers."""
        return frozenset(name for name, field in self.columns if BY_NAME[field].kind is Kind.NUMBER)

    def row(self, values: Mapping[str, str]) -> list[str]:
        """A document's fields as this recipient's row."""
        return [self.written(field, values[field]) for _, field in self.columns]

    def written(self, field: str, value: str) -> str:
        """A field's value as this recipient reads it."""
        return value if self.dates is Dates.ISO else _us(value, BY_NAME[field].kind)

    def dictionary(self) -> list[Sequence[str]]:
        """`fields.csv`: what each column means, its names first."""
        told = [
            (name, field, BY_NAME[field].kind, BY_NAME[field].meaning, BY_NAME[field].blank)
            for name, field in self.columns
        ]
        return [("COLUMN", "FIELD", "KIND", "MEANING", "BLANK"), *told]


def called(name: str) -> Profile:
    """The profile of this name; raises `UnknownProfile`."""
    try:
        return PROFILES[name]
    except KeyError:
        raise UnknownProfile(
            f"no recipient is known as {name!r}", next=f"Known are {', '.join(PROFILES)}."
        ) from None


def _us(value: str, kind: Kind) -> str:
    if not value or kind not in {Kind.DAY, Kind.MOMENT} or value[4:5] != "-" or value[7:8] != "-":
        return value
    day = f"{value[5:7]}/{value[8:10]}/{value[:4]}"
    return day if kind is Kind.DAY else f"{day} {value[11:].removesuffix('Z')}"


_OURS = tuple((field.name, field.name) for field in FIELDS)
_PROVEN = (
    ("ITEM_UUID", "ITEM_UUID"),
    ("LOG_INDEX", "LOG_INDEX"),
    ("LOG_SIZE", "LOG_SIZE"),
    ("PROOFPATH", "PROOFPATH"),
)
"""No recipient asks for these, and none minds: what leads from a document to its proof is in every load file."""

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("relativity", "Relativity, and whoever names no other", _OURS),
        Profile(
            "everlaw",
            "Everlaw",
            (
                ("Begin Bates", "BEGDOC"), ("End Bates", "ENDDOC"), ("Begin Family", "BEGATTACH"), ("End Family", "ENDATTACH"),
                *((name, field) for name, field in _OURS if field not in {"BEGDOC", "ENDDOC", "BEGATTACH", "ENDATTACH"}),
            ),
        ),
        Profile(
            "doj-antitrust",
            "U.S. Department of Justice, Antitrust Division",
            (
                ("BEGDOC#", "BEGDOC"), ("ENDDOC#", "ENDDOC"), ("DOCID", "BEGDOC"), ("COMPANY", "AGENCY"), ("VOLUMENAME", "VOLUME"),
                ("CUSTODIAN", "CUSTODIAN"), ("ALLCUSTODIANS", "ALLCUSTODIANS"), ("PGCOUNT", "PGCOUNT"), ("PARENTID", "PARENTID"),
                ("ATTCHIDS", "ATTACHIDS"), ("FAMLYRNG", "ATTACHRANGE"), ("PRPRTIES", "PROPERTIES"), ("DOCTYPE", "DOCTYPE"),
                ("FROM", "AUTHOR"), ("SUBJECT", "TITLE"), ("DOCDATE", "DATESENT"), ("TIMESENT", "TIMESENT"), ("TIMEZONE", "TIMEZONE"),
                ("DATESVD", "DATE_EDITED"), ("DATERCVD", "DATE_FIRSTSEEN"), ("PLATFORM", "PLATFORM"), ("ACCOUNT", "ACCOUNT"),
                ("THREADID", "THREAD_ID"), ("URL", "PERMALINK"), ("FILENAME", "FILENAME"), ("FILESIZE", "FILESIZE"),
                ("FILETYPE", "FILEEXT"), ("HASHVALUE", "MD5HASH"), ("SHA256", "SHA256"), ("REDACTED", "REDACTED"), ("REDACTIONCODES", "REDACTION_CODES"),
                ("FOLDER", "PDFPATH"), ("TEXTLINK", "TEXTPATH"), ("NATIVELINK", "NATIVEPATH"), *_PROVEN,
            ),
            Dates.US,
        ),
        Profile(
            "ftc",
            "U.S. Federal Trade Commission",
            (
                ("BEGBATES", "BEGDOC"), ("ENDBATES", "ENDDOC"), ("BEGATTACH", "BEGATTACH"), ("ENDATTACH", "ENDATTACH"), ("PGCOUNT", "PGCOUNT"),
                ("CUSTODIAN", "CUSTODIAN"), ("AUTHOR", "AUTHOR"), ("TITLE", "TITLE"), ("CREATEDATE", "DATESENT"), ("CREATETIME", "TIMESENT"),
                ("TIMEZONE", "TIMEZONE"), ("MODDATE", "DATE_EDITED"), ("LASTACCDATE", "DATE_LASTSEEN"), ("DOCTYPE", "DOCTYPE"), ("PLATFORM", "PLATFORM"), ("ACCOUNT", "ACCOUNT"),
                ("URL", "PERMALINK"), ("THREADID", "THREAD_ID"), ("FILENAME", "FILENAME"), ("FILEEXT", "FILEEXT"), ("SIZE", "FILESIZE"), ("MD5HASH", "MD5HASH"), ("SHA256", "SHA256"),
                ("REDACTED", "REDACTED"), ("REDACTIONCODES", "REDACTION_CODES"), ("WITHHELD", "WITHHELD"), ("PDFLINK", "PDFPATH"), ("TEXTLINK", "TEXTPATH"), ("NATIVELINK", "NATIVEPATH"), *_PROVEN,
            ),
            Dates.US,
        ),
        Profile(
            "sec",
            "U.S. Securities and Exchange Commission",
            (
                ("FIRSTBATES", "BEGDOC"), ("LASTBATES", "ENDDOC"), ("ATTACHRANGE", "ATTACHRANGE"), ("BEGATTACH", "BEGATTACH"), ("ENDATTACH", "ENDATTACH"),
                ("PARENT_BATES", "PARENTID"), ("CHILD_BATES", "ATTACHIDS"), ("CUSTODIAN", "CUSTODIAN"), ("FROM", "AUTHOR"), ("SUBJECT", "TITLE"),
                ("DATE_SENT", "DATESENT"), ("TIME_SENT", "TIMESENT"), ("TIME_ZONE", "TIMEZONE"), ("DATE_MOD", "DATE_EDITED"), ("DOCTYPE", "DOCTYPE"), ("PLATFORM", "PLATFORM"),
                ("ACCOUNT", "ACCOUNT"), ("URL", "PERMALINK"), ("THREAD_ID", "THREAD_ID"), ("LINK", "NATIVEPATH"), ("MIME_TYPE", "MIMETYPE"), ("FILE_NAME", "FILENAME"), ("FILE_EXTEN", "FILEEXT"),
                ("FILE_SIZE", "FILESIZE"), ("PGCOUNT", "PGCOUNT"), ("MD5HASH", "MD5HASH"), ("SHA256", "SHA256"), ("REDACTED", "REDACTED"), ("REDACTION_CODES", "REDACTION_CODES"), ("WITHHELD", "WITHHELD"),
                ("OCRPATH", "TEXTPATH"), ("PDFPATH", "PDFPATH"), *_PROVEN,
            ),
            Dates.US,
        ),
    )
}  # fmt: skip
