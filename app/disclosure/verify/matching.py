"""Whether the files of one document say the same: its pages, its text, its native form and its proof.

Each was made from the same released words; a document whose forms differ was
not made by one pass, or was changed before it was sealed. Of what is withheld
or redacted, nothing may lie here that would show more than the slip or the
marks do.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from app.disclosure.formats import ends
from app.disclosure.package.recipe import Recipe
from app.disclosure.verify import proving
from app.disclosure.verify.documents import Document, images
from app.disclosure.verify.findings import Finding, Report, Wrong
from app.disclosure.verify.lying import Outside
from app.disclosure.verify.proving import Proven, Shared
from app.disclosure.verify.rows import UNSAID, Rows
from app.index.extracting import Extractor
from app.papers import words

MARK = re.compile(r"\[REDACTED [^\]\n]{1,120}\]")
WITHHELD = "WITHHELD IN FULL: "
_LARGEST = 64 << 20
_ONCE = ("native_id", "kind", "url", "language")
_AUTHOR = {"author_id": "id", "author_name": "name", "author_handle": "handle"}
_EVERY = ("text", "html", "state", "edited_at")
_BLANKS = re.compile(r"\s+")


class Matcher:
    """Looks at one document after another; ends with its process for PDFs."""

    def __init__(
        self, of: Outside, recipe: Recipe, under: Shared | None, report: Report, extractor: Extractor | None = None
    ) -> None:  # fmt: skip
        self._of, self._under, self._report = of, under, report
        self._rows = Rows(recipe)
        self._lent = extractor
        self._extractor = extractor or Extractor()
        self.said: dict[str, bytes] = {}
        """By the number of each document that leaves whole, in small letters, a digest of its words as they stand."""
        self.leaves: dict[int, bytes] = {}
        """The hash of every entry that was proven, by its index."""
        self.commitments: dict[str, dict[str, str]] = {}
        """Of documents of which something was taken out or kept back: by their number, what stands at each entry."""

    def close(self) -> None:
        if self._lent is None:
            self._extractor.close()

    def look(self, document: Document) -> Iterator[Finding]:
        """Everything that is wrong with the document's own files."""
        yield from self._held_back(document)
        proven = yield from self._proof(document)
        told = yield from self._native(document)
        native = told[0] if told is not None else None
        yield from self._rows.look(document, told, proven)
        if native is not None:
            yield from self._as_proven(document, native, proven)
            yield from self._attached(document, native)
            self.said[document.begins.lower()] = digest_of(str(native.get("text") or ""))
        yield from self._text(document, native, proven)
        yield from self._pdf(document)

    # -- what may not lie here -----------------------------------------------------------------------------

    def _held_back(self, document: Document) -> Iterator[Finding]:
        """A withheld document has its slip and its entry; a redacted one no native form and no web capture."""
        if document.withheld or document.redacted:
            for name in (
                "NATIVEPATH",
                "WACZPATH",
                "SHA256",
                "DEDUPHASH",
                "MD5HASH",
                "FILESIZE",
                "FILENAME",
            ):
                if document[name]:
                    yield Finding(
                        "withheld-shown",
                        f"{name} is there, though something of the document is kept back",
                        document.begins,
                    )
        if document.withheld:
            for name in UNSAID:
                if document[name]:
                    yield Finding(
                        "withheld-shown", f"{name} is there, though the document is withheld", document.begins
                    )

    # -- the proof -----------------------------------------------------------------------------------------

    def _proof(self, document: Document) -> Generator[Finding, None, Sequence[Proven]]:
        """Check the proofs of a document; it returns what they prove, nothing where they fail or are not there."""
        folder = document.file("PROOFPATH")
        if folder is None or self._under is None:
            return []
        path = self._of.data / folder
        try:
            proven = proving.document(
                self._of, path, self._under, withheld=document.withheld, redacted=document.redacted
            )
        except Wrong as wrong:
            yield wrong.finding
            return []
        self._report.count("proofs", len(proven))
        self.leaves.update((one.entry, one.leaf) for one in proven)
        if document.withheld or document.redacted:
            self.commitments[document.begins] = {str(one.entry): one.commitment for one in proven}
        entries = [str(one.entry) for one in proven]
        if entries != document["LOG_INDEX"].split(";") or proven[0].record != document["ITEM_UUID"].replace(
            "-", ""
        ):
            yield Finding(
                "commitment-differs",
                "the proofs are not of the record and the entries that the load file names",
                f"bag/data/{folder}",
            )
            return []
        return proven

    # -- the native form -----------------------------------------------------------------------------------

    def _native(self, document: Document) -> Generator[Finding, None, tuple[Mapping[str, Any], bytes] | None]:
        """Read the native form; it returns what it says with its bytes, or None."""
        name = document.file("NATIVEPATH")
        if name is None or not (self._of.data / name).is_file():
            return None
        where = f"bag/data/{name}"
        body = self._read(name)
        try:
            told: dict[str, Any] = json.loads(body)
            whole = isinstance(told["history"], list) and bool(told["history"])
        except (ValueError, KeyError, TypeError, RecursionError):
            whole, told = False, {}
        if not whole:
            yield Finding("native-form", "it is not a record as one is written", where)
            return None
        self._report.count("natives")
        said = {"SHA256": hashlib.sha256(body).hexdigest(), "FILESIZE": str(len(body))}
        for field, value in said.items():
            if field in document.values and document[field] != value:
                yield Finding(
                    "native-differs", f"it is not the file whose {field} stands in the load file", where
                )
                return None
        if str(told.get("id")) != document["ITEM_UUID"] or _entries(told) != document["LOG_INDEX"]:
            yield Finding(
                "native-differs",
                "it is another record than the load file says, or other versions of it",
                where,
            )
            return None
        if MARK.search(body.decode("utf-8", "replace")):
            self._report.count("marks in natives")
        return told, body

    def _as_proven(
        self, document: Document, native: Mapping[str, Any], proven: Sequence[Proven]
    ) -> Iterator[Finding]:
        """Whether the native form says what the fields say that the ledger committed to."""
        where = f"bag/data/{document.file('NATIVEPATH')}"
        versions = {str(one.get("version")): one for one in native["history"]}
        for one in proven:
            version = versions.get(str(one.version))
            if version is None:
                yield Finding("native-differs", f"version {one.version} is proven, and is not in it", where)
                continue
            for field in _EVERY:
                if field in one.fields and not _alike(version.get(field), one.fields[field]):
                    yield Finding(
                        "native-differs", f"{field} of version {one.version} is not what was committed", where
                    )
        for one in proven[-1:]:
            author = native.get("author") or {}
            told = {field: native.get(field) for field in _ONCE} | {
                field: author.get(part) for field, part in _AUTHOR.items()
            }
            for field, value in told.items():
                if field in one.fields and not _alike(value, one.fields[field]):
                    yield Finding("native-differs", f"{field} is not what was committed", where)

    def _attached(self, document: Document, native: Mapping[str, Any]) -> Iterator[Finding]:
        """Whether the attachments that leave are those that the native form speaks of, by their sizes."""
        if "ATTACHPATHS" not in document.values:
            return
        known: dict[str, int | None] = {}
        for version in native["history"]:
            for place, one in enumerate(version.get("attachments") or ()):
                if one.get("state") == "kept":
                    known.setdefault(str(one.get("id") or (version.get("version"), place)), one.get("bytes"))
        files = document.attached()
        sizes = [(self._of.data / name).stat().st_size for name in files if (self._of.data / name).is_file()]
        self._report.count("attachments", len(files))
        stated = [one for one in known.values() if one is not None]
        if len(files) != len(known) or (len(stated) == len(known) and sorted(sizes) != sorted(stated)):
            what = "its attachments are not those that lie here, by number or size"
            yield Finding("attachment-differs", what, f"bag/data/{document.file('NATIVEPATH')}")

    # -- the text ------------------------------------------------------------------------------------------

    def _text(
        self, document: Document, native: Mapping[str, Any] | None, proven: Sequence[Proven]
    ) -> Iterator[Finding]:
        """Whether the text is that of the document, with the words of every version in their order."""
        name = document.file("TEXTPATH")
        if name is None or not (self._of.data / name).is_file():
            return
        where = f"bag/data/{name}"
        try:
            text = self._read(name).decode("utf-8")
        except UnicodeDecodeError:
            yield Finding("text-form", "it is not UTF-8", where)
            return
        self._report.count("texts")
        numbers = document.begins if document.pages == 1 else f"{document.begins} to {document['ENDDOC']}"
        if not text.startswith(f"{numbers}\n") or not text.endswith("\n"):
            yield Finding("text-form", "it does not begin with the document's numbers", where)
            return
        if document.withheld:
            if f"\n{WITHHELD}" not in text:
                yield Finding(
                    "withheld-shown",
                    "the document is withheld, and its text is not that of a slip-sheet",
                    where,
                )
            return
        if (
            document.redacted
            and document["REDACTION_CODES"]
            and not any(code in text for code in document["REDACTION_CODES"].split(";"))
        ):
            yield Finding("text-differs", "it does not say on what ground something was taken out", where)
        place = 0
        for told in _words(native, proven):
            found = text.find(f"\n{words.valid(told)}\n", place) if told else place
            if found < 0:
                yield Finding(
                    "text-differs",
                    "it does not hold the words that the native form and the proof have",
                    where,
                )
                return
            place = found

    # -- the pages -----------------------------------------------------------------------------------------

    def _pdf(self, document: Document) -> Iterator[Finding]:
        """Whether the PDF has as many pages as numbers, and each bears its own."""
        names = [document.file("PDFPATH"), *(page.path for page in images(document))]
        numbers = [[_number(document.begins, page) for page in range(document.pages)]]
        numbers += [[page.number] for page in images(document)]
        for name, wanted in zip(names, numbers, strict=True):
            if name is None or not (self._of.data / name).is_file():
                continue
            where = f"bag/data/{name}"
            size = (self._of.data / name).stat().st_size
            content = (self._of.data / name).read_bytes()
            told = self._extractor.read([content], size, "application/pdf", "")
            if told.lacks not in (None, "scanned"):
                yield Finding("pdf-form", f"it cannot be read: {told.lacks}", where)
                continue
            if more := ends.of_pdf(content):
                yield Finding("pdf-form", more, where)
                continue
            self._report.count("PDF pages", len(told.pages))
            if len(told.pages) != len(wanted):
                yield Finding(
                    "pdf-pages", f"it has {len(told.pages)} pages, and {len(wanted)} numbers", where
                )
                continue
            for start, end, number in zip(told.pages, [*told.pages[1:], None], wanted, strict=True):
                if number not in _BLANKS.sub("", told.text[start:end]):
                    yield Finding("pdf-stamp", f"a page does not bear its number {number}", where)
                    break

    def _read(self, name: str) -> bytes:
        path = self._of.data / name
        if path.stat().st_size > _LARGEST:
            raise Wrong(
                "native-form" if name.startswith("natives/") else "text-form",
                "it is larger than any of its kind",
                f"bag/data/{name}",
            )
        return path.read_bytes()


def digest_of(text: str) -> bytes:
    """What stands for a text in whatever form shows it: without the ends of its lines, what hides or steers by its number."""
    told = " ".join(words.harmless(text).split())
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _number(begins: str, page: int) -> str:
    """The number of a later page of the document that begins with `begins`."""
    digits = re.search(r"[0-9]+$", begins)
    if digits is None:
        return begins
    return f"{begins[: digits.start()]}{int(digits[0]) + page:0{len(digits[0])}d}"


def _entries(native: Mapping[str, Any]) -> str:
    return ";".join(str(one.get("entry")) for one in native["history"])


def _words(native: Mapping[str, Any] | None, proven: Sequence[Proven]) -> list[str]:
    """The words of each version, oldest first: as the native form has them, else as the proof shows them."""
    if native is not None:
        return [str(one.get("text") or "") for one in native["history"]]
    return [str(one.fields["text"]) for one in proven if "text" in one.fields]


def _alike(told: object, committed: object) -> bool:
    return told == committed or (told in (None, "") and committed in (None, ""))
