"""What is written in one walk over all documents: load files, tables, logs, conversations and pages to read.

Everything here is made of numbered documents and of what was written for
them. A family (a post and what answers it, as far as it is produced) is held
in memory while its conversation is written; nothing else is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO
from zoneinfo import ZoneInfo

from app.disclosure.formats import dat, fields, logs, opt, premis, profiles, rsmf, table, xlsx
from app.disclosure.formats.fields import Digests
from app.disclosure.formats.logs import Privilege
from app.disclosure.formats.shape import Remark
from app.disclosure.package.completing import GapTold
from app.disclosure.package.recipe import Form, Numbered, Recipe
from app.disclosure.released import Made, Released, ReleasedAttachment, Withheld
from app.disclosure.rendition import pages as rendition


@dataclass(slots=True)
class Tally:
    """What was counted on the way: what a production holds, of which pages, from when to when."""

    documents: int = 0
    pages: int = 0
    released: int = 0
    redacted: int = 0
    withheld: int = 0
    versions: int = 0
    attachments: int = 0
    compared: int = 0
    received: int = 0
    kept_back: int = 0
    first: str = ""
    last: str = ""
    of_pages: dict[str, list[int]] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None

    def add(self, told: Numbered, *, evident: bool) -> None:
        """Count a document; `evident` says whether its very bytes leave, and so were compared."""
        self.documents += 1
        self.pages += told.pages
        self.first = min(self.first or told.begins, told.begins)
        self.last = max(self.last, told.ends)
        released, withheld = self.of_pages.setdefault(str(told.item.page.id), [0, 0])
        match told.item:
            case Withheld() as slip:
                self.withheld += 1
                withheld += 1
                self.kept_back += len(slip.entries)
                self._at(datetime.fromisoformat(slip.day).replace(tzinfo=UTC))
            case Released() as record:
                self.released += 1
                released += 1
                self.redacted += bool(record.redacted or record.withheld_from)
                self.versions += len(record.versions)
                self.attachments += len(told.names.attached)
                self.compared += len(record.versions) if evident else 0
                self.received += record.origin == "received"
                self._at(record.published_at or record.first_seen)
        self.of_pages[str(told.item.page.id)] = [released, withheld]

    def _at(self, at: datetime) -> None:
        self.since = min(self.since or at, at)
        self.until = max(self.until or at, at)

    def as_dict(self) -> dict[str, object]:
        """For the journal."""
        told: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        told["since"] = self.since.isoformat() if self.since is not None else None
        told["until"] = (self.until + timedelta(seconds=1)).isoformat() if self.until is not None else None
        return told


class Tables:
    """Everything that is written while the documents go by; `close` ends it."""

    def __init__(
        self,
        recipe: Recipe,
        payload: Path,
        scratch: Path,
        commitment: Callable[[int], str],
        privilege: Callable[[str, Made | None], Privilege | None] | None = None,
    ) -> None:
        self.recipe, self.payload, self.scratch = recipe, payload, scratch
        self._files = ExitStack()
        self._commitment = commitment
        self._privilege = privilege or (lambda code, made: privileged(recipe, code, made))
        self._zone = ZoneInfo(recipe.timezone)
        self._ranges: list[logs.Range] = []
        self._later: list[tuple[Numbered, Mapping[str, Digests]]] = []
        """Documents of a replacement: those that need more pages than they had bear higher numbers than what follows."""
        self._threads: IO[bytes] | None = None
        if Form.HTML in recipe.forms:
            self._threads = TemporaryFile(dir=scratch)  # noqa: SIM115 - closed with the others
            self._files.push(self._threads)
        self.profile = profiles.called(recipe.profile)
        self._custody = premis.Writer(self._open("logs/custody.premis.xml"))
        self._custody.object(
            str(recipe.production),
            names=[("production", recipe.number)],
            about=[("title", recipe.title), ("request", recipe.request)],
        )
        self._events = TemporaryFile(dir=scratch)  # noqa: SIM115 - closed with the others
        self._files.push(self._events)
        self._family: list[Numbered] = []
        self._of_family: dict[str, Digests] = {}
        self._rows: list[Callable[[Sequence[str]], None]] = []
        self._opt: opt.Writer | None = None
        self._logs = {
            name: table.Writer(self._open(f"logs/{name}"), logs.COLUMNS[name])
            for name in ("production-log.csv", "redaction-log.csv", "withheld-log.csv", "privilege-log.csv")
        }
        stem = f"data/{recipe.volume.lower()}"
        names = self.profile.names
        forms = recipe.forms
        if Form.LOADFILE in forms:
            self._rows.append(dat.Writer(self._open(f"{stem}.dat"), names, remark=self._remark).write)
            if Form.PDF in forms:
                self._opt = opt.Writer(self._open(f"{stem}.opt"))
        if Form.CSV in forms:
            self._rows.append(table.Writer(self._open(f"{stem}.csv"), names, remark=self._remark).write)
        if Form.XLSX in forms:
            book = xlsx.Writer(
                self._open(f"{stem}.xlsx", back=True), names, title=f"{recipe.number} {recipe.title}",
                agency=recipe.agency, made_at=recipe.made_at, numbers=self.profile.numbers, remark=self._remark,
            )  # fmt: skip
            self._files.callback(book.close)
            self._rows.append(book.write)
        if self._rows:
            head, *lines = self.profile.dictionary()
            told = table.Writer(self._open("data/fields.csv"), head)
            for line in lines:
                told.write(line)

    def add(self, told: Numbered, files: Mapping[str, Digests]) -> None:
        """The next document, in order."""
        if told.thread == told.begins:
            self._end_family()
        self._family.append(told)
        self._of_family.update(files)
        self._log(told)
        self._happened(told)
        if self.recipe.replaces:
            self._later.append((told, files))
        else:
            self._row(told, files)

    def end(self) -> None:
        """Everything was added: write what is told of all of it."""
        self._end_family()
        self._list()
        self._end_custody()
        for one, files in sorted(self._later, key=lambda it: it[0].first):
            self._row(one, files)
        told = self._logs["production-log.csv"]
        for line in logs.of_ranges(self.recipe, self._merged()):
            told.write(line)
        for form in Form:
            if form not in self.recipe.forms:
                told.write(logs.of_form(form, "not asked for"))

    def close(self) -> None:
        """Close every file, whole or not."""
        self._files.close()

    def _row(self, told: Numbered, files: Mapping[str, Digests]) -> None:
        if self._rows:
            row = self.profile.row(fields.values(told, self.recipe, files))
            for write in self._rows:
                write(row)
        if self._opt is not None:
            self._opt.write(told.volume, self._pages(told))

    def _happened(self, told: Numbered) -> None:
        """A document in the custody, and what happened to it; events come after all objects there."""
        item = told.item
        self._custody.object(
            str(item.id),
            names=[("number", told.begins)],
            about=[("kind", item.kind), ("page", item.page.name), ("platform", item.page.platform)],
        )
        for event in premis.of_document(told):
            line = [*event[:1], event.at.isoformat(), *event[2:]]
            self._events.write(json.dumps(line).encode() + b"\n")

    def _end_custody(self) -> None:
        self._events.seek(0)
        for line in self._events:
            code, at, *more = json.loads(line)
            self._custody.event(premis.Event(code, datetime.fromisoformat(at), *more))
        recipe = self.recipe
        made, whole = recipe.made_at, [str(recipe.production)]
        for code, words in (
            ("ipc", f"Production {recipe.number} made, as of {recipe.as_of} ledger entries"),
            ("dis", f"Produced for request {recipe.request}"),
        ):
            self._custody.event(premis.Event(code, made, words, whole, people=[("", "implementer")]))
        self._custody.close(recipe)

    def _log(self, told: Numbered) -> None:
        exemptions = self.recipe.exemptions
        rows = {
            "production-log.csv": logs.of_document(told),
            "redaction-log.csv": logs.of_redactions(told, self._commitment),
            "withheld-log.csv": logs.of_withheld(told, self._commitment, exemptions, self._day),
            "privilege-log.csv": logs.of_privileges(
                told, self._commitment, exemptions, self._day, self._privilege
            ),
        }
        for name, lines in rows.items():
            for line in lines:
                self._logs[name].write(line)
        last = self._ranges[-1] if self._ranges else None
        if last is not None and told.first == last.last + 1:
            self._ranges[-1] = logs.Range(last.first, told.last, last.documents + 1)
        else:
            self._ranges.append(logs.Range(told.first, told.last, 1))

    def _merged(self) -> list[logs.Range]:
        """The ranges in the order of their numbers; raises `ValueError` where a number is borne twice."""
        told: list[logs.Range] = []
        for one in sorted(self._ranges):
            if told and one.first <= told[-1].last:
                raise ValueError(f"number {one.first} is borne twice")
            if told and one.first == told[-1].last + 1:
                told[-1] = logs.Range(told[-1].first, one.last, told[-1].documents + one.documents)
            else:
                told.append(one)
        return told

    def _day(self, at: datetime) -> str:
        return at.astimezone(self._zone).date().isoformat()

    def _pages(self, told: Numbered) -> list[opt.Page]:
        """The pages of a document with the picture of each; without pictures, the first with the document's PDF."""
        names = told.names.images or (told.names.pdf or "",)
        return [
            opt.Page(self.recipe.bates(told.first + place), fields.path(name))
            for place, name in enumerate(names)
        ]

    def _end_family(self) -> None:
        family, files = self._family, self._of_family
        self._family, self._of_family = [], {}
        if family and Form.RSMF in self.recipe.forms:
            rsmf.write(family, self.recipe, self._into, files=files, scratch=self.scratch)
        if family and family[0].names.html is not None:
            self._read(family, family[0].names.html)

    def _read(self, family: Sequence[Numbered], name: str) -> None:
        """The page on which a family can be read, and its line in the list of them."""
        with self._into(name) as out:
            for part in rendition.thread(family, self.recipe, _address):
                out.write(part)
        told = rendition.listed(family, name.rpartition("/")[2], len(family))
        assert self._threads is not None, "it was opened because there are pages to read"
        self._threads.write(json.dumps(told).encode() + b"\n")

    def _list(self) -> None:
        """The list of all families, from the lines that were written of each."""
        if self._threads is None:
            return
        self._threads.seek(0)
        threads = (rendition.Thread(*json.loads(line)) for line in self._threads)
        for name, content in rendition.index(threads, self.recipe):
            with self._into(f"html/{name}") as out:
                out.write(content)

    def _remark(self, told: Remark) -> None:
        self._logs["production-log.csv"].write(logs.of_remark(told))

    def _open(self, name: str, *, back: bool = False) -> BinaryIO:
        file = self.payload / name
        file.parent.mkdir(parents=True, exist_ok=True)
        out = file.open("w+b" if back else "wb")
        self._files.push(out)
        return out

    @contextmanager
    def _into(self, name: str) -> Iterator[BinaryIO]:
        file = self.payload / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w+b") as out:
            yield out


def _address(told: Numbered, one: ReleasedAttachment) -> str | None:
    """Where an attachment lies, from the page that shows it."""
    wanted = one.id or id(one)
    for attached in told.names.attached:
        if (attached.attachment.id or id(attached.attachment)) == wanted:
            return f"../{attached.name}"
    return None


def privileged(recipe: Recipe, code: str, made: Made | None) -> Privilege | None:
    """Whether a ground is a privilege by its own words, and who claims it: whoever approved it, else who decided."""
    ground = recipe.exemptions.get(code)
    words = " ".join(ground).casefold() if ground is not None else ""
    if ground is None or not any(one in words for one in ("privilege", "work product", "attorney-client")):
        return None
    return Privilege(ground.title, (made.approved_by or made.by) if made is not None else "")


def gaps(payload: Path, missing: Sequence[GapTold], named: Mapping[str, tuple[str, str]]) -> None:
    """Write `gaps.csv`; `named` has the name and platform of each page by its id."""
    file = payload / "logs" / "gaps.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        told = table.Writer(out, logs.COLUMNS["gaps.csv"])
        for one in missing:
            name, platform = named[str(one.page)]
            told.write(
                logs.of_gap(
                    logs.Gap(
                        page_id=str(one.page), page=name, platform=platform, begins=one.since, ends=one.until,
                        what=one.what, why=one.why, found=one.at, run=str(one.run),
                    )
                )
            )  # fmt: skip
