"""The logs of a production: what left and under which numbers, what was taken out, what was kept back, what was never had. Pure.

Each is a table (CSV) that a person reads and that `disclose verify` reads too.
A log says on what ground something is missing, never what it was: a place in a
text is told by its version alone, because from the numbers of its characters
one could tell how long it was.

A commitment stands beside everything that was taken out or kept back, with its
place in the ledger: a court that is shown the record later can see that it is
this one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from app.disclosure.formats.shape import Kind, Malformed, Remark, Table
from app.disclosure.package.recipe import Ground, Numbered, Recipe
from app.disclosure.released import Made, Released, ReleasedAttachment, Withheld

PRODUCTION = ("LINE", "BEGDOC", "ENDDOC", "COUNT", "FILE", "FIELD", "WHAT")
REDACTION = (
    "BEGDOC", "ENDDOC", "ITEM_UUID", "FIELD_OR_REGION", "CODE", "CITATION", "EXPLANATION", "REDACTED_BY",
    "APPROVED_BY", "DATE", "COMMITMENT", "LOG_INDEX",
)  # fmt: skip
WITHHELD = (
    "BEGDOC", "ENDDOC", "ITEM_UUID", "ITEM_TYPE", "DATE", "AUTHOR_CATEGORY", "RECIPIENT_CATEGORY", "CODE", "CITATION",
    "EXPLANATION", "DECIDED_BY", "APPROVED_BY", "DECIDED_ON", "COMMITMENT", "LOG_INDEX",
)  # fmt: skip
PRIVILEGE = (*WITHHELD, "PRIVILEGE_BASIS", "ATTORNEY")
GAPS = ("PAGE_ID", "PAGE", "PLATFORM", "FROM", "UNTIL", "WHAT", "WHY", "FOUND", "RUN")

Row = Sequence[str]
Commitment = Callable[[int], str]
"""From a place in the ledger to the commitment that stands there, in lower-case hex."""
_CHARACTERS = re.compile(r", characters \d+ to \d+")
_VERSION = re.compile(r"\bversion (\d+)")
_NATIVE = ("audio/", "video/")
_LOST = {
    Kind.LINE_END: "line ends of another kind read back as line feeds",
    Kind.SIGN: "signs that the form keeps for itself are shown by their numbers",
    Kind.UNFIT: "characters that the form cannot hold or should not show are shown by their numbers",
    Kind.CUT: "the value is cut, and goes on in text/",
    Kind.DOUBLED: "a þ stands twice, and is read as one: nothing is lost",
}


# -- production-log.csv --------------------------------------------------------------------------------------

LINES: Mapping[str, str] = {
    "range": "numbers that this production bears, from BEGDOC to ENDDOC; COUNT documents",
    "gap": "numbers within its range that no document of it bears",
    "native": "an attachment that leaves as a file; a slip-sheet stands in its place where it is no picture",
    "withheld": "a document whose one page is a slip-sheet",
    "again": "a document that stood under this number before",
    "form": "a form that was asked for or is usual, and is not there",
    "value": "a value that a file cannot hold as it is; whole in text/ and in the statement",
}
"""The kinds of lines in the production log."""


class Range(NamedTuple):
    """Documents that follow one another without a gap, by the numbers of their pages."""

    first: int
    last: int
    documents: int


def ranges(documents: Iterable[tuple[int, int]]) -> list[Range]:
    """First and last pages of documents, in any order, as ranges in the order of their numbers.

    Raises `ValueError` where a number is borne twice.
    """
    told: list[Range] = []
    for first, last in sorted(documents):
        if last < first or (told and first <= told[-1].last):
            raise ValueError(f"number {first} is borne twice, or by nothing")
        if told and first == told[-1].last + 1:
            told[-1] = Range(told[-1].first, last, told[-1].documents + 1)
        else:
            told.append(Range(first, last, 1))
    return told


def of_ranges(recipe: Recipe, told: Sequence[Range]) -> Iterator[Row]:
    """The lines of the production log that tell which numbers are there, and which between them are not."""
    for number, one in enumerate(told):
        if number:
            before = told[number - 1]
            missing = one.first - before.last - 1
            yield _production(
                "gap", recipe.bates(before.last + 1), recipe.bates(one.first - 1), missing, what=_why(recipe)
            )
        yield _production(
            "range", recipe.bates(one.first), recipe.bates(one.last), one.documents,
            what=f"{one.last - one.first + 1} pages in volume {recipe.volume}",
        )  # fmt: skip


def of_document(document: Numbered) -> Iterator[Row]:
    """The lines of the production log that one document has, if any."""
    if document.withheld is not None:
        yield _production(
            "withheld",
            document.begins,
            document.ends,
            document.pages,
            what="slip-sheet; see withheld-log.csv",
        )
    if document.replaced is not None:
        what = f"stood in {document.replaced} before; this is revision {document.revision}"
        yield _production("again", document.begins, document.ends, document.pages, what=what)
    for one in document.names.attached:
        yield _production(
            "native", document.begins, document.ends, 1, file=one.name, what=_leaves(one.attachment)
        )


def of_remark(remark: Remark) -> Row:
    """What a file could not hold of a value, as a line of the production log."""
    return _production(
        "value", remark.begins, "", remark.count, file=remark.form, field=remark.field, what=_LOST[remark.kind]
    )  # fmt: skip


def of_form(name: str, why: str) -> Row:
    """A form that is not there, as a line of the production log."""
    return _production("form", "", "", 0, file=name, what=why)


def _production(
    line: str, begins: str, ends: str, count: int, *, file: str = "", field: str = "", what: str
) -> Row:
    return (line, begins, ends, str(count), file, field, what)


def _why(recipe: Recipe) -> str:
    return (
        "borne by documents of an earlier production that are not replaced here"
        if recipe.replaces
        else "not borne by any document of this production"
    )


def _leaves(attachment: ReleasedAttachment) -> str:
    kind = attachment.media_type or "type unknown"
    if kind.startswith(_NATIVE):
        return f"{kind}, {attachment.leaves}; produced in native format"
    return f"{kind}, {attachment.leaves}"


# -- redaction-log.csv ---------------------------------------------------------------------------------------


def of_redactions(document: Numbered, commitment: Commitment) -> Iterator[Row]:
    """A line for everything that was taken out of a record that leaves."""
    record = document.released
    if record is None:
        return
    for made in record.redactions:
        entries, proven = _proven(record, made.where, commitment)
        yield (
            document.begins,
            document.ends,
            str(record.id),
            where(made.where),
            made.code,
            made.citation,
            made.explanation,
            made.by,
            made.approved_by or "",
            _moment(made.on),
            proven,
            ";".join(str(entry) for entry in entries),
        )


def where(told: str) -> str:
    """Where something was taken out, without the numbers of its characters, which tell its length."""
    return _CHARACTERS.sub("", told)


def _proven(record: Released, told: str, commitment: Commitment) -> tuple[list[int], str]:
    """The entries of the versions that a redaction speaks of, and what binds: their commitments, or an attachment's own."""
    for one, entries in _attachments(record):
        if one.id is not None and one.commitment is not None and f"attachment {one.id}" in told:
            return entries, one.commitment
    found = _VERSION.search(told)
    every = [one.entry for one in record.versions]
    named = [one.entry for one in record.versions if found is not None and one.number == int(found[1])]
    return named or every, ";".join(commitment(entry) for entry in named or every)


# -- withheld-log.csv and privilege-log.csv ------------------------------------------------------------------


class Privilege(NamedTuple):
    """That a ground is a privilege: which, and whose attorney claims it."""

    basis: str
    attorney: str


def of_withheld(
    document: Numbered,
    commitment: Commitment,
    exemptions: Mapping[str, Ground],
    zone_day: Callable[[datetime], str],
) -> Iterator[Row]:
    """A line for each ground on which a record, or an attachment of one that leaves, is kept back.

    `zone_day` gives the civil date of a moment in the agency's time zone.
    """
    for _, row in _kept_back(document, commitment, exemptions, zone_day):
        yield row


def of_privileges(
    document: Numbered,
    commitment: Commitment,
    exemptions: Mapping[str, Ground],
    zone_day: Callable[[datetime], str],
    privilege: Callable[[str, Made | None], Privilege | None],
) -> Iterator[Row]:
    """Those of the same lines whose ground is a privilege, and where something was taken out on such a ground.

    `privilege` says of a code, and of who decided on it where that is known,
    whether it is one.
    """
    for (code, made), row in _kept_back(document, commitment, exemptions, zone_day):
        claimed = privilege(code, made)
        if claimed is not None:
            yield (*row, *claimed)
    record = document.released
    if record is None:
        return
    listed = {f"attachment {one.id}" for one in record.withheld_from}
    for made in record.redactions:
        claimed = privilege(made.code, made) if made.where not in listed else None
        if claimed is not None:
            entries, proven = _proven(record, made.where, commitment)
            yield (
                *_row(
                    document, record, f"{record.kind}, {where(made.where)}", _day(record, zone_day), "", made.code,
                    made.citation, made.explanation, made, proven, entries,
                ),
                *claimed,
            )  # fmt: skip


def _kept_back(
    document: Numbered,
    commitment: Commitment,
    exemptions: Mapping[str, Ground],
    zone_day: Callable[[datetime], str],
) -> Iterator[tuple[tuple[str, Made | None], Row]]:
    match document.item:
        case Withheld() as kept:
            proven = ";".join(commitment(entry) for entry in kept.entries)
            for made in kept.grounds:
                yield (
                    (made.code, made),
                    _row(
                        document, kept, kept.kind, kept.day, kept.author, made.code, made.citation, made.explanation,
                        made, proven, kept.entries,
                    ),
                )  # fmt: skip
        case Released() as record:
            decided = {made.where: made for made in record.redactions}
            for one, entries in _attachments(record):
                if one.removed is None:
                    continue
                code = one.removed.code
                ground = exemptions.get(code)
                made_of = decided.get(f"attachment {one.id}")
                what = f"attachment of a {record.kind}, {one.media_type or 'type unknown'}"
                yield (
                    (code, made_of),
                    _row(
                        document, record, what, _day(record, zone_day), "", code,
                        ground.citation if ground is not None else "",
                        one.explanation or (ground.explanation if ground is not None else ""),
                        made_of, one.commitment or "", entries,
                    ),
                )  # fmt: skip


def _attachments(record: Released) -> list[tuple[ReleasedAttachment, list[int]]]:
    """The attachments of a record, each once, with the entries of the versions that have it."""
    found: dict[object, tuple[ReleasedAttachment, list[int]]] = {}
    for version in record.versions:
        for one in version.attachments:
            found.setdefault(one.id or id(one), (one, []))[1].append(version.entry)
    return list(found.values())


def _row(
    document: Numbered,
    item: Released | Withheld,
    what: str,
    day: str,
    author: str,
    code: str,
    citation: str,
    explanation: str,
    made: Made | None,
    proven: str,
    entries: Sequence[int],
) -> Row:
    return (
        document.begins,
        document.ends,
        str(item.id),
        what,
        day,
        author,
        recipient(item.kind, author),
        code,
        citation,
        explanation,
        made.by if made is not None else "",
        made.approved_by or "" if made is not None else "",
        _moment(made.on) if made is not None else "",
        proven,
        ";".join(str(entry) for entry in entries),
    )


def recipient(kind: str, author: str) -> str:
    """To whom something of a kind was said: a message to the other side, everything else to everybody."""
    if kind != "message":
        return "public"
    return {"agency": "visitor", "visitor": "agency"}.get(author, "unknown")


def _day(record: Released, zone_day: Callable[[datetime], str]) -> str:
    return zone_day(record.published_at or record.first_seen)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


# -- gaps.csv ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something of a page concerned that the archive knows it did not get."""

    page_id: str
    page: str
    platform: str
    begins: datetime | None
    ends: datetime | None
    what: str
    why: str
    found: datetime | None
    run: str = ""


def of_gap(gap: Gap) -> Row:
    """A gap as a line of gaps.csv; what has no beginning or end is blank there, and so reaches as far as can be."""
    return (
        gap.page_id,
        gap.page,
        gap.platform,
        _moment(gap.begins) if gap.begins is not None else "",
        _moment(gap.ends) if gap.ends is not None else "",
        gap.what,
        gap.why,
        _moment(gap.found) if gap.found is not None else "",
        gap.run,
    )


# -- reading -------------------------------------------------------------------------------------------------

COLUMNS: Mapping[str, Sequence[str]] = {
    "production-log.csv": PRODUCTION,
    "redaction-log.csv": REDACTION,
    "withheld-log.csv": WITHHELD,
    "privilege-log.csv": PRIVILEGE,
    "gaps.csv": GAPS,
}
"""Every log by its name, with its columns in their order."""
_REQUIRED = {
    "production-log.csv": ("LINE", "COUNT", "WHAT"),
    "redaction-log.csv": ("BEGDOC", "ENDDOC", "ITEM_UUID", "FIELD_OR_REGION", "CODE", "CITATION", "DATE", "LOG_INDEX"),
    "withheld-log.csv": ("BEGDOC", "ENDDOC", "ITEM_UUID", "ITEM_TYPE", "DATE", "CODE", "LOG_INDEX"),
    "privilege-log.csv": ("BEGDOC", "ENDDOC", "ITEM_UUID", "ITEM_TYPE", "DATE", "CODE", "LOG_INDEX", "PRIVILEGE_BASIS", "ATTORNEY"),
    "gaps.csv": ("PAGE_ID", "PLATFORM", "WHAT"),
}  # fmt: skip
_SHAPES = {
    "COUNT": re.compile(r"0|[1-9]\d*", re.ASCII),
    "ITEM_UUID": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "LOG_INDEX": re.compile(r"(0|[1-9]\d*)(;(0|[1-9]\d*))*", re.ASCII),
    "COMMITMENT": re.compile(r"([0-9a-f]{64}(;[0-9a-f]{64})*)?"),
    "LINE": re.compile("|".join(LINES)),
}
_MOMENTS = {
    "redaction-log.csv": ("DATE",),
    "withheld-log.csv": ("DECIDED_ON",),
    "gaps.csv": ("FROM", "UNTIL", "FOUND"),
}
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?", re.ASCII)


def checked(name: str, table: Table) -> Iterator[dict[str, str]]:
    """The lines of a log by their columns; raises `Malformed` for a line that says too little, or in another form."""
    if tuple(table.columns) != tuple(COLUMNS[name]):
        raise Malformed(name, "line 1", "the columns are not those of this log")
    for row in table.rows:
        line = dict(zip(table.columns, row.values, strict=True))
        for column in _REQUIRED[name]:
            if not line[column]:
                raise Malformed(name, row.where, f"{column} is blank")
        for column, shape in _SHAPES.items():
            if column in line and not shape.fullmatch(line[column]):
                raise Malformed(name, row.where, f"{column} is {line[column][:80]!r}")
        for column in _MOMENTS.get(name, ()):
            if not _MOMENT.fullmatch(line[column]):
                raise Malformed(name, row.where, f"{column} is {line[column][:80]!r}, and no time in UTC")
        yield line
