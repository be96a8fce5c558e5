"""What stands beside the documents: pages to read, conversations, web captures, logs, drafts of certificates."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Generator, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from app.disclosure.formats import ends, logs, premis, rsmf_rules, table
from app.disclosure.formats.fields import MULTI
from app.disclosure.formats.shape import Malformed
from app.disclosure.verify.documents import Document
from app.disclosure.verify.findings import Finding, Report
from app.disclosure.verify.lying import Outside
from app.disclosure.verify.matching import Matcher, digest_of
from app.disclosure.verify.unpacking import streams
from app.records.folders import below
from app.records.zips import DAMAGED

_SIGNED = re.compile(rb"/ByteRange\b|/Type\s*/Sig\b|/FT\s*/Sig\b|/SigFlags\b")
_OF_ATTACHMENT = re.compile(r"(?:^|, )attachment ")
"""A line on an attachment: what binds it is a commitment of its own, which no entry of the ledger shows."""
_HANDLER = re.compile(r"on[a-z]+")
_CHUNK = 1 << 20
# A ZIP that is damaged, or that lacks what a web capture holds or holds something else in its place.
_UNREADABLE: tuple[type[Exception], ...] = (*DAMAGED, KeyError, TypeError)
_ADDRESSES = {"src", "href", "srcset", "action", "data", "poster", "formaction", "background", "xlink:href"}
_RUNNING = {"script", "iframe", "object", "embed", "applet", "form", "base", "frame", "portal"}


class Beside:
    """Collects what the documents say of logs and conversations while they pass, and looks at these at the end."""

    def __init__(self, of: Outside, report: Report, matched: Matcher) -> None:
        self._of, self._report = of, report
        self._commitments, self._said = matched.commitments, matched.said
        self._held_back: set[str] = set()
        self._listed = False
        self._withheld: set[str] = set()
        self._redacted: set[str] = set()
        self._conversed: Counter[str] = Counter()
        self._knows_conversations = False
        self._paged: Counter[str] = Counter()
        self._knows_pages = False
        self._grounds: dict[str, set[str]] = {}
        """By the number of a document, on what grounds something of it is kept back, as its row says."""
        self._spoken_of: dict[str, set[str]] = {}
        """The same, as the logs say."""

    def take(self, document: Document) -> None:
        """A document that passes."""
        self._listed = True
        self._knows_conversations = "RSMFPATH" in document.values
        if document.withheld or document.redacted:
            self._held_back.add(document["ITEM_UUID"])
        if document.withheld:
            self._withheld.add(document.begins)
        elif document.redacted:
            self._redacted.add(document.begins)
        self._knows_pages = "HTMLPATH" in document.values
        if (document.withheld or document.redacted) and "REDACTION_CODES" in document.values:
            self._grounds[document.begins] = {one for one in document["REDACTION_CODES"].split(MULTI) if one}
        if name := document.file("HTMLPATH"):
            self._paged[name] += 1
        if name := document.file("RSMFPATH"):
            self._conversed[name] += 1

    def look(self) -> Iterator[Finding]:
        """Everything that is wrong with them."""
        yield from self._html()
        yield from self._rsmf()
        yield from self._wacz()
        yield from self._logs()
        yield from self._certificates()

    def _files(self, folder: str, ending: str) -> Iterator[tuple[Path, str]]:
        for path in below(self._of.data / folder):
            if path.name.endswith(ending):
                yield path, path.relative_to(self._of.folder).as_posix()

    # -- pages to read -------------------------------------------------------------------------------------

    def _html(self) -> Iterator[Finding]:
        """They run nothing, ask nobody for anything, and lead to nothing that is not there."""
        for path, where in self._files("html", ".html"):
            reader = _Page()
            try:
                reader.feed(path.read_text(encoding="utf-8"))
                reader.close()
            except UnicodeDecodeError:
                yield Finding("html-form", "it is not UTF-8", where)
                continue
            self._report.count("pages to read")
            if reader.wrong:
                yield Finding("html-form", reader.wrong, where)
                continue
            if wrong := self._misread(reader, path.relative_to(self._of.data).as_posix()):
                yield Finding("html-form", wrong, where)
                continue
            for link in sorted(reader.beside):
                target = (path.parent / unquote(link)).resolve()
                if not target.is_relative_to(self._of.data.resolve()) or not target.exists():
                    yield Finding("html-form", f"it leads to {link!r}, which is not there", where)
                    break

    def _misread(self, page: _Page, name: str) -> str:
        """What a page shows otherwise than the native forms; empty where nothing is."""
        if self._knows_pages and len(page.told) != self._paged[name]:
            return f"it shows {len(page.told)} documents, and {self._paged[name]} name it"
        for begins, shown in page.told.items():
            said = self._said.get(begins)
            if said is not None and digest_of(shown) != said:
                return f"{begins.upper()} has other words in it than its native form"
        return ""

    # -- conversations -------------------------------------------------------------------------------------

    def _rsmf(self) -> Iterator[Finding]:
        """They are as the format has them, with an event for each document that names them."""
        for path, where in self._files("rsmf", ".rsmf"):
            with path.open("rb") as file, tempfile.TemporaryDirectory(prefix="muniment-") as scratch:
                read = rsmf_rules.check(file, scratch=Path(scratch))
            self._report.count("conversations")
            for problem in read.problems[:1]:
                yield Finding("rsmf-form", f"{problem.code}, {problem.where}: {problem.what}", where)
            if read.problems or read.manifest is None:
                continue
            name = path.relative_to(self._of.data).as_posix()
            begins = [_custom(event, "BEGDOC") for event in read.manifest.events]
            known = self._conversed[name] if self._knows_conversations else len(begins)
            if len(begins) != known or len(set(begins)) != len(begins):
                yield Finding(
                    "rsmf-form",
                    f"it has {len(begins)} events, and {known} documents name it",
                    where,
                )
                continue
            for event in read.manifest.events:
                held_back = _custom(event, "BEGDOC") in self._withheld
                if held_back and (
                    event.type != "disclaimer" or event.participant or event.attachments or event.edits
                ):
                    yield Finding(
                        "withheld-shown",
                        "it shows more of a withheld document than that it is withheld",
                        where,
                    )
                    break
            for event in read.manifest.events:
                said = self._said.get(_custom(event, "BEGDOC").lower())
                if said is not None and digest_of(event.body or "") != said:
                    what = f"{_custom(event, 'BEGDOC')} has other words in it than its native form"
                    yield Finding("rsmf-form", what, where)
                    break
            if not self._same_text(read):
                yield Finding("rsmf-form", "its text and its description do not say the same", where)

    def _same_text(self, read: rsmf_rules.Read) -> bool:
        """The text of the mail, which gets searched, says what the description says."""
        assert read.manifest is not None
        place = 0
        text = _line_feeds(read.text)
        for event in read.manifest.events:
            found = text.find(_line_feeds(event.body or ""), place)
            if found < 0:
                return False
            place = found
        return True

    # -- web captures --------------------------------------------------------------------------------------

    def _wacz(self) -> Iterator[Finding]:
        """Every file in it is listed under its digest, and the list under its own."""
        for path, where in self._files("wacz", ".wacz"):
            self._report.count("web captures")
            shown: set[str] = set()
            try:
                with zipfile.ZipFile(path) as packed:
                    wrong = _wacz(packed) or ends.of_zip(packed)
                    shown = _items(packed) & self._held_back if not wrong else set()
            except _UNREADABLE as error:
                wrong = f"it cannot be read: {error}"
            if wrong:
                yield Finding("wacz-form", wrong, where)
            elif shown:
                what = f"it shows record {min(shown)}, of which something is kept back"
                yield Finding("withheld-shown", what, where)

    # -- logs ----------------------------------------------------------------------------------------------

    def _logs(self) -> Iterator[Finding]:
        """They can be read, and speak of just those documents of which something was taken out or kept back."""
        spoken: dict[str, set[str]] = {}
        for path, where in self._files("logs", ".csv"):
            self._report.count("logs")
            if path.name not in logs.COLUMNS:
                yield Finding("file-unknown", "a production has no such log", where)
                continue
            try:
                with path.open("rb") as file:
                    lines = logs.checked(path.name, table.read(file, where.removeprefix("bag/data/")))
                    spoken[path.name] = yield from self._lines(lines, where)
            except Malformed as error:
                yield Finding("log-form", f"{error.where}: {error.what}", where)
        yield from self._custody()
        if self._listed and {"withheld-log.csv", "redaction-log.csv"} <= spoken.keys():
            kept_back, taken_out = spoken["withheld-log.csv"], spoken["redaction-log.csv"]
            held_back = self._withheld | self._redacted
            for begins in sorted(self._withheld - kept_back)[:1]:
                yield Finding(
                    "log-differs",
                    f"it does not speak of {begins}, which is withheld",
                    "bag/data/logs/withheld-log.csv",
                )
            for begins in sorted(self._redacted - kept_back - taken_out)[:1]:
                yield Finding(
                    "log-differs",
                    f"it does not speak of {begins}, of which something was taken out",
                    "bag/data/logs/redaction-log.csv",
                )
            for begins, grounds in sorted(self._grounds.items()):
                if begins in kept_back | taken_out and grounds != self._spoken_of.get(begins, set()):
                    what = f"it names other grounds for {begins} than the load file"
                    log = "withheld" if begins in self._withheld else "redaction"
                    yield Finding("log-differs", what, f"bag/data/logs/{log}-log.csv")
                    break
            for log in sorted(spoken.keys() - {"production-log.csv"}):
                for begins in sorted(spoken[log] - held_back)[:1]:
                    what = f"it speaks of {begins}, of which nothing was taken out"
                    yield Finding("log-differs", what, f"bag/data/logs/{log}")

    def _custody(self) -> Iterator[Finding]:
        """Custody is told in PREMIS 3."""
        for path, where in self._files("logs", ".xml"):
            self._report.count("logs")
            try:
                with path.open("rb") as file:
                    premis.check(file, where.removeprefix("bag/data/"))
            except Malformed as error:
                yield Finding("log-form", f"{error.where}: {error.what}", where)

    def _lines(self, lines: Iterator[dict[str, str]], where: str) -> Generator[Finding, None, set[str]]:
        """Of which documents a log speaks; each commitment in it is the one that stands in the ledger there."""
        spoken: set[str] = set()
        wrong = False
        for line in lines:
            begins = line.get("BEGDOC", "")
            spoken |= {begins} if begins else set()
            if begins and line.get("CODE"):
                self._spoken_of.setdefault(begins, set()).add(line["CODE"].replace(MULTI, "%3B"))
            known = self._commitments.get(begins)
            whole = not _OF_ATTACHMENT.search(line.get("ITEM_TYPE", line.get("FIELD_OR_REGION", "")))
            if known is None or not line.get("COMMITMENT") or not whole or wrong:
                continue
            said = dict(zip(line["LOG_INDEX"].split(";"), line["COMMITMENT"].split(";"), strict=False))
            if any(known.get(entry) != commitment for entry, commitment in said.items()):
                wrong = True
                yield Finding(
                    "log-differs",
                    f"what it says that the ledger holds of {begins} is not what its proof has",
                    where,
                )
        return spoken

    # -- certificates --------------------------------------------------------------------------------------

    def _certificates(self) -> Iterator[Finding]:
        """They are drafts: no signature is in them."""
        for path, where in self._files("cert", ".pdf"):
            self._report.count("drafts")
            document = path.read_bytes()
            if any(_SIGNED.search(part) for part in (document, *streams(document))):
                yield Finding("certificate-signed", "a signature is in it, and it should be a draft", where)
            elif more := ends.of_pdf(document):
                yield Finding("pdf-form", more, where)


def _custom(event: rsmf_rules.Event, name: str) -> str:
    return next((one.value for one in event.custom if one.name == name), "")


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _wacz(packed: zipfile.ZipFile) -> str:
    """What is wrong with a web capture; empty where nothing is."""
    names = packed.namelist()
    body = packed.read("datapackage.json")
    said = json.loads(packed.read("datapackage-digest.json"))
    if said.get("hash") != f"sha256:{hashlib.sha256(body).hexdigest()}":
        return "its list of files is not the one whose digest it has"
    listed = {str(one["path"]): one for one in json.loads(body)["resources"]}
    if sorted(names) != sorted([*listed, "datapackage.json", "datapackage-digest.json"]):
        return "its files are not those that it lists"
    for name, one in listed.items():
        told, size = hashlib.sha256(), 0
        with packed.open(name) as member:
            while chunk := member.read(_CHUNK):
                told.update(chunk)
                size += len(chunk)
        if (one["hash"], one["bytes"]) != (f"sha256:{told.hexdigest()}", size):
            return f"{name} is not what its list says"
    return ""


def _items(packed: zipfile.ZipFile) -> set[str]:
    """The records that a web capture lists among its pages."""
    found: set[str] = set()
    for name in packed.namelist():
        if name.startswith("pages/"):
            with packed.open(name) as lines:
                found |= {str(json.loads(line).get("id", "")) for line in lines if line.strip()}
    return found


class _Page(HTMLParser):
    """Reads a page for what it runs and where it leads."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong = ""
        self.beside: set[str] = set()
        self.told: dict[str, str] = {}
        """The words of each document as they stand, by its number in small letters."""
        self._guarded = False
        self._within = ""
        self._reads = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "article":
            self._within = told.get("id", "").removeprefix("d-")
            if self._within in self.told:
                self._say(f"{self._within.upper()} stands in it twice")
            self.told[self._within] = ""
        elif tag == "h3":
            self._within = ""  # what stood earlier, and what is known of it, comes after
        elif self._within and tag == "div" and told.get("class") == "words":
            self._reads = True
        if tag in _RUNNING:
            self._say(f"it has a <{tag}>")
        if tag == "meta" and told.get("http-equiv", "").lower() == "content-security-policy":
            self._guarded = "default-src 'none'" in told.get("content", "")
        elif tag == "meta" and told.get("http-equiv", "").lower() == "refresh":
            self._say("it leads on by itself")
        for name, value in told.items():
            if _HANDLER.fullmatch(name):
                self._say(f"something in it runs at {name}")
            elif name in _ADDRESSES:
                self._address(tag, name, value.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._reads = False

    def handle_data(self, data: str) -> None:
        if self._reads and self._within:
            self.told[self._within] += data

    def _address(self, tag: str, name: str, value: str) -> None:
        scheme = value.partition(":")[0].lower() if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value) else ""
        if value.startswith("//") or (
            scheme and not (tag == "a" and name == "href" and scheme in {"http", "https"})
        ):
            if not (scheme == "data" and tag == "img"):
                self._say(f"<{tag}> asks for something that is not here")
        elif not scheme and not value.startswith("#"):
            self.beside.add(value.partition("#")[0])

    def close(self) -> None:
        super().close()
        if not self._guarded:
            self._say("it has no policy that keeps it from asking for anything")

    def _say(self, what: str) -> None:
        self.wrong = self.wrong or what
