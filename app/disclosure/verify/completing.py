"""Whether nothing was left out between the records: runs, gaps and manifests of the pages concerned, against the ledger and the documents.

Every line is an entry of the ledger with its path to the shared root. A page's
manifests are a chain: each counts the captures since the one before it, and
has the root over them. The list of captures must fill every link, and every
version that the production proves must stand in that list.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from app.disclosure.formats import table
from app.disclosure.formats.shape import Malformed
from app.disclosure.verify.findings import Finding, Note, Report
from app.disclosure.verify.lying import Outside
from app.disclosure.verify.proving import Shared
from app.store import merkle
from app.store.canonical import canonical

_KINDS = {
    "runs.jsonl": "run",
    "gaps.jsonl": "gap",
    "manifests.jsonl": "manifest",
    "entries.jsonl": "disposal",
}
_PAGE = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(json|captures\.txt)")
_CAPTURE = re.compile(r"(0|[1-9][0-9]{0,14}) ([0-9a-f]{64})\n")
_LONGEST = 1 << 20


@dataclass(slots=True)
class Completeness:
    """The look at `proof/completeness/`, and at `proof/disposal/` where it was asked for."""

    of: Outside
    under: Shared | None
    report: Report
    leaves: dict[int, bytes]
    """The leaf hash of every capture that the production proves, by its index."""
    pages: Mapping[str, Mapping[str, int]]
    """What the production says of its pages: how many records of each are released and withheld."""
    _manifests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _gaps: dict[str, int] = field(default_factory=dict)
    _unread: bool = False
    """Whether a list of captures could not be read to its end."""

    def look(self) -> Iterator[Finding | Note]:
        """Everything that is wrong with them."""
        folder = self.of.data / "proof" / "completeness"
        for path in sorted((self.of.data / "proof" / "disposal").glob("*/entries.jsonl")):
            yield from self._lines(path)
        if not folder.is_dir():
            yield Note("no-completeness", "it does not tell what the archive did not get")
            return
        for name in ("runs.jsonl", "gaps.jsonl", "manifests.jsonl"):
            if (folder / name).is_file():
                yield from self._lines(folder / name)
            else:
                yield Finding(
                    "file-missing", "what tells of completeness holds this", self._where(folder / name)
                )
        for page in sorted(self.pages):
            yield from self._page(folder, page)
        for path in sorted(folder.iterdir()):
            told = _PAGE.fullmatch(path.name)
            if path.name not in _KINDS and (told is None or told[1] not in self.pages):
                yield Finding(
                    "proof-unknown", "what tells of completeness does not hold this", self._where(path)
                )
        if self.leaves and not self._unread:
            first = min(self.leaves)
            what = f"{len(self.leaves)} proven captures are in no page's list, the first at entry {first}"
            yield Finding("completeness-differs", what, self._where(folder))

    def _where(self, path: Path) -> str:
        return path.relative_to(self.of.folder).as_posix()

    def _listed(self, page: str, since: str = "") -> int:
        """How many gaps of a page `logs/gaps.csv` lists; with `since`, those that were found later."""
        file = self.of.data / "logs" / "gaps.csv"
        if not file.is_file():
            return 0
        try:
            with file.open("rb") as content:
                listed = table.read(content, file.name)
                page_id, found = listed.columns.index("PAGE_ID"), listed.columns.index("FOUND")
                return sum(one.values[page_id] == page and one.values[found] > since for one in listed.rows)
        except Malformed:
            return 0  # found already, as a log that cannot be read

    # -- entries -------------------------------------------------------------------------------------------

    def _lines(self, path: Path) -> Iterator[Finding]:
        """Each line is an entry of the kind that belongs there, and stands in the ledger."""
        kind, last = _KINDS[path.name], ("", -1)
        with path.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_LONGEST), b""), start=1):
                where = f"{self._where(path)}, line {number}"
                try:
                    told: dict[str, Any] = json.loads(line)
                    index, body = told["index"], str(told["entry"]).encode()
                    entry = msgspec.json.decode(body, type=dict[str, Any])
                    if not line.endswith(b"\n") or canonical(entry) != body or entry["type"] != kind:
                        raise ValueError
                    path_up = [base64.b64decode(one, validate=True) for one in told.get("proof", [])]
                    if not isinstance(index, int) or (str(told.get("page", "")), index) <= last:
                        raise ValueError
                except (ValueError, KeyError, TypeError, msgspec.MsgspecError):
                    yield Finding(
                        "completeness-form", "it is not an entry of the ledger as one is written there", where
                    )
                    return
                last = (str(told.get("page", "")), index)
                self.report.count("entries")
                if self.under is not None and not self._included(body, index, path_up):
                    yield Finding(
                        "inclusion-differs", "the path does not lead from this entry to the root", where
                    )
                    return
                if kind == "gap":
                    page = str(told.get("page"))
                    self._gaps[page] = self._gaps.get(page, 0) + 1
                if kind == "manifest":
                    self._manifests.setdefault(str(told.get("page")), []).append(entry | {"index": index})

    def _included(self, body: bytes, index: int, path: list[bytes]) -> bool:
        assert self.under is not None
        said = self.under.said
        return merkle.check_inclusion(merkle.leaf_hash(body), index, said.size, path, said.root)

    # -- a page --------------------------------------------------------------------------------------------

    def _page(self, folder: Path, page: str) -> Iterator[Finding]:
        account, captures = folder / f"{page}.json", folder / f"{page}.captures.txt"
        for path in (account, captures):
            if not path.is_file():
                yield Finding("file-missing", "what tells of completeness holds this", self._where(path))
                return
        try:
            said = json.loads(account.read_bytes())
            if said["in_this_production"] != dict(self.pages[page]):
                what = "it counts other records in this production than the production itself"
                yield Finding("completeness-differs", what, self._where(account))
            elif said["gaps"] != self._listed(page):
                what = f"it counts {said['gaps']} gaps, and logs/gaps.csv lists {self._listed(page)}"
                yield Finding("completeness-differs", what, self._where(account))
            elif (there := self._gaps.get(page, 0)) < (wanted := self._listed(page, str(said["from"]))):
                what = f"{there} gaps of page {page} stand there, and logs/gaps.csv lists {wanted}"
                yield Finding("completeness-differs", what, self._where(folder / "gaps.jsonl"))
        except (ValueError, KeyError, TypeError):
            yield Finding("completeness-form", "it does not tell of a page as one does", self._where(account))
        yield from self._chain(captures, page)

    def _chain(self, path: Path, page: str) -> Iterator[Finding]:
        """The captures fill every manifest of the page, one after the other."""
        where = self._where(path)
        links = iter(self._manifests.get(page, []))
        link, before = next(links, None), None
        grown, last = merkle.Growing(), -1
        with path.open(encoding="ascii", errors="replace", newline="\n") as lines:
            for line in lines:
                read = _CAPTURE.fullmatch(line)
                if read is None or int(read[1]) <= last:
                    self._unread = True
                    yield Finding(
                        "completeness-form",
                        "a line is not an index and a hash, in the order of indexes",
                        where,
                    )
                    return
                last, leaf = int(read[1]), bytes.fromhex(read[2])
                if self.under is not None and last >= self.under.said.size:
                    what = f"entry {last} is none that the checkpoint speaks of"
                    yield Finding("completeness-differs", what, where)
                    return
                self.report.count("captures")
                while link is not None and last > link["through"]:
                    if wrong := _unfilled(link, before, grown, page):
                        yield Finding("completeness-differs", wrong, where)
                        return
                    grown, before, link = merkle.Growing(), link, next(links, None)
                grown.add(leaf)
                if self.leaves.get(last) == leaf:
                    del self.leaves[last]
        while link is not None:
            if wrong := _unfilled(link, before, grown, page):
                yield Finding("completeness-differs", wrong, where)
                return
            grown, before, link = merkle.Growing(), link, next(links, None)


def _unfilled(
    link: Mapping[str, Any], before: Mapping[str, Any] | None, grown: merkle.Growing, page: str
) -> str:
    """What is wrong with a link of the chain; empty where the captures fill it."""
    if link.get("page") != page.replace("-", "") or link.get("prev") != (before["index"] if before else None):
        return f"the manifest at entry {link['index']} does not follow the one before it"
    if (link.get("n"), link.get("root")) != (grown.count, grown.root().hex()):
        return f"the manifest at entry {link['index']} closes {link.get('n')} captures, and these are {grown.count} others"
    return ""
