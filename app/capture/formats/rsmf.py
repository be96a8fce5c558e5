"""Short-message files (RSMF 1.0 and 2.0): `.rsmf` files one by one, in a ZIP or in a folder.

Each is an e-mail whose one attachment, `rsmf.zip`, holds a description
(`rsmf_manifest.json`) and the files that its events name. The e-mail's body
repeats the words of all events in one piece for search engines; no bytes of it
are one event's alone. What is kept is the description, unpacked, in which each
event has its own bytes; the file itself is not kept, and its SHA-256 is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from app.capture.formats import mime, rsmf_items
from app.capture.formats.divided import LARGEST, Divided, Item, decoded
from app.capture.formats.download import Download, Member
from app.capture.formats.loose import Inside, Loose
from app.capture.formats.mapping import MappingFile
from app.capture.formats.rsmf_items import NAMES, Manifest, Noticed
from app.capture.formats.said import Said
from app.capture.formats.source import Handed, Left
from app.capture.lines import BadFile
from connectors.spans import NotJson, array_items, document, member

MANIFEST = "rsmf_manifest.json"


class Unfolded(Loose):
    """A download in which each short-message file stands as a folder of what it holds."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.headers: dict[str, Mapping[str, str]] = {}
        """The header fields of each short-message file, in small letters."""
        self.damaged: dict[str, str] = {}
        self.beside_zip: list[Left] = []
        self._nested: dict[str, tuple[str, str]] = {}
        """Where each file lies that lies in a short-message file: in which, and under which name."""
        self._last: tuple[str, Inside] | None = None
        super().__init__(files)
        try:
            for path in sorted(self.members):
                if PurePosixPath(path).suffix.lower() == ".rsmf":
                    self._unfold(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the files back."""
        if self._last is not None:
            self._last[1].close()
            self._last = None
        super().close()

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """A file as a stream, wherever it lies."""
        if path not in self._nested:
            with super().open(path) as opened:
                yield opened
            return
        outer, inner = self._nested[path]
        with self._inside(outer).open(inner) as opened:
            yield opened

    def _unfold(self, path: str) -> None:
        """Put what a short-message file holds beside it; one that is none is said to be."""
        try:
            inside = self._inside(path)
        except BadFile as error:
            self.damaged[path] = str(error)
            self.headers.pop(path, None)
            return
        for name, one in inside.members.items():
            if (other := self.members.get(f"{path}/{name}")) is not None:
                why = "a short-message file holds a file of this path, and that is taken"
                self.refused.append(Left(other.path, other.size, why))
            self.members[f"{path}/{name}"] = Member(f"{path}/{name}", one.size, 0)
            self._nested[f"{path}/{name}"] = path, name
        self.refused += [Left(f"{path}/{one.name}", one.size, one.why) for one in inside.refused]
        if MANIFEST not in inside.members:
            self.damaged[path] = f"its rsmf.zip holds no {MANIFEST}"

    def _inside(self, path: str) -> Inside:
        """The ZIP of a short-message file; the last one is held, as its files are asked for together."""
        if self._last is not None:
            if self._last[0] == path:
                return self._last[1]
            self._last[1].close()
            self._last = None
        first = path not in self.headers
        mail = self.read(path, LARGEST)
        root = mime.parse(mail)
        self.headers[path] = {name.casefold(): mime.words_of(value) for name, value in root.headers}
        if "x-rsmf-version" not in self.headers[path]:
            raise BadFile(f"{path} does not say that it is a short-message file (X-RSMF-Version)")
        found = [part for part in root.leaves() if part.name.lower() == "rsmf.zip"]
        if not found:
            raise BadFile(f"{path} brings no rsmf.zip")
        if first:
            self.beside_zip += [
                Left(
                    f"{path}: {part.name}",
                    part.end - part.start,
                    "beside rsmf.zip, where the format has nothing",
                )
                for part in root.leaves()
                if part is not found[0] and (part.name or part.attached)
            ]
        content, whole = mime.body_of(mail, found[0])
        if not whole:
            raise BadFile(f"rsmf.zip in {path} is cut or damaged")
        inside = Inside(content, Handed(path, "", len(content)))
        self._last = path, inside
        return inside


class Rsmf(Divided):
    """Every event of short-message files."""

    format = "rsmf"
    reader = "rsmf/1"
    form = "the description (rsmf_manifest.json) of each short-message file, unpacked"
    download: Unfolded

    def __init__(self, files: Sequence[Path], mapping: MappingFile | None = None) -> None:
        self.said = Said(mapping, NAMES) if mapping is not None else None
        self.noticed = Noticed()
        self.events: dict[str, int] = {}
        self.told: list[str] = []
        super().__init__(files)
        self.key = mapping.digest if mapping else ""

    def gathered(self, files: Sequence[Path]) -> Download:
        """What was handed in, each short-message file as what it holds."""
        return Unfolded(files)

    def page(self) -> tuple[str, str] | None:
        """A short-message file does not say whose page it tells of; a mapping may, or the officer."""
        if self.said is not None and self.said.names_page():
            return None
        raise BadFile(
            f"{self.handed.name} does not say whose page it tells of",
            next="Name the page with --page, or in a mapping.",
        )

    def remarks(self) -> Sequence[str]:
        """What does not hold together, and what each event was taken for."""
        told = list(self.told)
        noticed = self.noticed
        for counted, what in (
            (noticed.zoneless, "times name no zone: they are kept in `extra`, and no date was made of them"),
            (noticed.odd, "times cannot be read: they are kept in `extra`, and no date was made of them"),
            (noticed.strangers, "events are by a participant whom the file does not have"),
            (
                noticed.orphans,
                "events answer an event, or stand in a conversation, that the file does not have",
            ),
        ):
            if counted.times:
                told.append(f"{counted.times} {what} ({', '.join(counted.places)})")
        told += self.beside()
        told.append(
            "The words that such a file repeats for search engines, in its e-mail, are not kept a second time."
        )
        if self.said is None or "kind" not in self.said.fields:
            told.append(
                "Each event is kept as a private message, because nothing in such a file says that it was public; a mapping can say otherwise."
            )
        return told

    def left(self) -> Sequence[Left]:
        """Every file that was not taken; a short-message file stands for what it holds."""
        return [one for one in super().left() if one.name not in self.download.headers]

    def survey(self) -> None:
        """Read every description once: whether it is one, how many events it has, and which files they name."""
        download = self.download
        if not download.headers and not download.damaged:
            raise self.refusal(
                f"{self.handed.name} holds no short-message file",
                advice="Give .rsmf files, or a ZIP of them.",
            )
        self.unreadable.update(download.damaged)
        self.others += download.beside_zip
        for file in download.headers:
            path = f"{file}/{MANIFEST}"
            if path not in download.members:
                continue
            if download.members[path].size > LARGEST:
                self.leave(path, f"larger than {LARGEST >> 20} MiB")
                continue
            body = self.body(path)
            if body is None:
                continue
            try:
                events, told = self._described(path, body)
            except NotJson as error:
                self.unreadable[path] = str(error)
                continue
            self.understood.append(path)
            self.wanted.update(rsmf_items.wanted(events, told))
            stated = told.headers.get("x-rsmf-eventcount", "").strip()
            if stated.isdecimal() and int(stated[:12]) != len(events):
                self.told.append(f"{file} says that it has {stated} events, and has {len(events)}")
            for one in [*told.participants.values(), *told.conversations.values()]:
                for name in ("avatar", "icon"):
                    if isinstance(picture := one.get(name), str) and f"{file}/{picture}" in download.members:
                        self.others.append(
                            Left(
                                f"{file}/{picture}",
                                download.members[f"{file}/{picture}"].size,
                                "the picture of a person or platform, which is no event's",
                            )
                        )

    def _described(self, path: str, body: bytes) -> tuple[list[object], Manifest]:
        file = path.removesuffix("/" + MANIFEST)
        files = frozenset(one[len(file) + 1 :] for one in self.download.members if one.startswith(file + "/"))
        found = decoded(body.removeprefix(b"\xef\xbb\xbf"))
        told = rsmf_items.manifest(found, file, self.download.headers[file], files)
        assert isinstance(found, dict)
        return found["events"], told

    def items(self, path: str, body: bytes) -> Sequence[Item]:
        """The events of one description."""
        _, told = self._described(path, body)
        where = member(body, document(body), "events")
        if where is None:
            raise NotJson("it lists no events")
        spans = array_items(body, *where)
        if len(spans) != len(told.ids):
            raise NotJson("its events cannot be told apart")
        return [
            Item(
                *span,
                partial(rsmf_items.read, number=number, told=told, noticed=self.noticed, said=self.said),
            )
            for number, span in enumerate(spans)
        ]
