"""A Facebook page's own download, in JSON: a ZIP, several ZIPs of one download, or a folder.

Facebook changes the names of its files and folders, so that what a file is, is
told by what stands in it. What is not understood is listed, file by file and
branch by branch, and never taken for nothing. The HTML form is refused: its
times and names bear no marks that a program could rely on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from app.capture.formats import facebook_items, halves
from app.capture.formats.divided import (
    LISTS,
    Elements,
    Spans,
    decoded,
    inside,
    otherwise_written,
    unfolded,
    uris,
    written,
)
from app.capture.formats.download import Download, composed
from app.capture.formats.facebook_items import Told, texts_in, thread_of
from app.capture.formats.mended import Mended
from app.capture.formats.seconds import Seconds
from app.capture.formats.source import Left, Line, Mark
from app.capture.lines import BadFile, Stretch
from connectors.spans import NotJson, document, member

_LARGEST = 256 << 20
_WHOLE = 32 << 20
_PART = 4 << 20
_LISTS = {
    "comments_v2": "comments",
    "comments": "comments",
    "group_comments_v2": "comments",
    "reactions_v2": "comments",
    "reactions": "comments",
    "other_photos_v2": "media",
    "page_photos_v2": "media",
    "photos_v2": "media",
    "videos_v2": "media",
    "videos": "media",
    "wall_posts_sent_to_you": "visitors",
    "visitor_posts": "visitors",
    "visitor_posts_v2": "visitors",
    "page_posts_v2": "posts",
    "profile_posts_v2": "posts",
    "posts_v2": "posts",
    "posts": "posts",
}
"""The names under which lists of items stand, and what the items are."""
_FOLDERS = {"posts": "posts", "comments": "comments", "comments_and_reactions": "comments"}
"""Folders in whose files a list may stand without a name."""
_PROFILES = ("profile_v2", "page_v2", "profile", "page", "page_info", "page_information")
"""What a page says of itself; the shorter names mean so only in a folder or file of information."""
_VISITORS = re.compile("(other_people|visitor)", re.IGNORECASE)
_NAME_FIRST = ("full_name", "page_name", "name", "value")


@dataclass(slots=True)
class _File:
    """One JSON file that is understood: what it holds, and where its items stand (None: it is one item)."""

    path: str
    what: str
    items: tuple[str, ...] | None
    thread: str = ""
    title: str = ""
    left: list[Left] = field(default_factory=list)


class FacebookDownload:
    """Everything that a page's download shows."""

    format = "facebook-download"
    reader = "facebook-download/3"
    shared = True
    form = ""
    key = ""

    def __init__(self, files: Sequence[Path]) -> None:
        self.download = Download(files)
        try:
            self.handed = self.download.handed
            self.owner: str | None = None
            self.files: list[_File] = []
            self.unreadable: dict[str, str] = {}
            self.others: list[Left] = []
            self.wanted: set[str] = set()
            self.seconds = Seconds()
            self._survey()
        except BaseException:
            self.download.close()
            raise
        self.total = sum(self.download.members[file.path].size for file in self.files)
        self._done = 0
        self._put_right = self._doubtful = self._odd = 0
        self._ends: dict[str, list[str]] = {}
        for path in self.download.members:
            self._ends.setdefault(PurePosixPath(path).name, []).append(path)

    # -- what an import asks -------------------------------------------------------------------------------

    def stretches(self, after: Mark) -> Iterator[Stretch]:
        """Every item of every file that is understood, file by file."""
        number = 0
        for file in self.files:
            for stretch in self._stretches(file):
                if number >= after.stretches:
                    yield stretch
                number += 1
            self._done += self.download.members[file.path].size
        for path, why in self.unreadable.items():
            for stretch in self._damaged(path, why):
                if number >= after.stretches:
                    yield stretch
                number += 1

    def read(self, stretch: Stretch) -> Sequence[Line]:
        """The observations of one item."""
        if not isinstance(stretch.found, _Item):
            return ()
        item = stretch.found
        told = item.told
        before = (told.mended.texts, told.mended.doubtful, told.odd_times)
        try:
            content = stretch.content[: item.length]
            return halves.counted(facebook_items.lines(content, told), content)
        finally:
            self._put_right += told.mended.texts - before[0]
            self._doubtful += told.mended.doubtful - before[1]
            self._odd += told.odd_times - before[2]

    def page(self) -> tuple[str, str] | None:
        """The page whose download this is, by the name that it bears there, or `BadFile` where it bears none."""
        if self.owner is None:
            raise BadFile(
                f"{self.handed.name} does not say whose page it is", next="Name the page with --page."
            )
        return "facebook", self.owner

    def done(self) -> int:
        """Bytes of the JSON that were read."""
        return self._done

    def attachment(self, path: str) -> AbstractContextManager[BinaryIO] | None:
        """A file of the download, by the path that an item gives, below whatever folder the download stands in."""
        found = self._found(path)
        return self.download.attachment(found) if found else None

    def left(self) -> Sequence[Left]:
        """Every file, and every branch with words, that was not taken, and why."""
        taken = {found for path in self.wanted if (found := self._found(path))}
        told = [*self.download.refused, *self.others]
        told += [one for file in self.files for one in file.left]
        known = (
            {file.path for file in self.files}
            | taken
            | {one.name for one in self.others}
            | self.unreadable.keys()
        )
        for path, one in sorted(self.download.members.items()):
            if path not in known:
                kind = self.download.packing(path)
                told.append(Left(path, one.size, inside(kind) if kind else _unknown(path)))
        return told

    def remarks(self) -> Sequence[str]:
        """What was put right, what was made up, and what may be missing."""
        told = [
            (
                "The download bears no ids of most items: they are made from the second of publication, and from the "
                "content too where two share a second. A post that was edited later stays one record only in the first case."
            ),
        ]
        if several := self.seconds.several():
            told.append(f"{several} items share their second with another")
        if self._put_right:
            told.append(
                f"{self._put_right} texts were written with their encoding broken, and are read as they were meant; the bytes are kept as they were"
            )
        if self._doubtful:
            told.append(
                f"{self._doubtful} texts could not be put right, and are shown as the download writes them"
            )
        if self._odd:
            told.append(
                f"{self._odd} times cannot be: they are kept in `extra`, and no date was made of them"
            )
        if self.download.beside:
            told.append(
                f"Beside it lie what may be further parts of this download, which were not given: {', '.join(self.download.beside)}"
            )
        told.append(
            "Visitors' comments on the page's posts are as a rule not in a download; capturing the page shows them."
        )
        return told

    def close(self) -> None:
        """Give the files back."""
        self.download.close()

    # -- what is in it -------------------------------------------------------------------------------------

    def _survey(self) -> None:
        """Find out what each file is, before anything is kept: whose page, which times are shared, which files are named."""
        pages = []
        for path in sorted(self.download.members, key=_natural):
            size = self.download.members[path].size
            if not path.lower().endswith(".json"):
                if path.lower().endswith((".html", ".htm")):
                    pages.append(path)
                continue
            if size > _LARGEST:
                self.others.append(Left(path, size, f"larger than {_LARGEST >> 20} MiB"))
                continue
            self._recognise(path)
        self.seconds.settled()
        if not self.files:
            raise self.download.refusal(
                f"{self.handed.name} is a download in HTML"
                if pages
                else f"{self.handed.name} holds nothing of a Facebook download that is known",
                faults=self.unreadable | {one.name: one.why for one in self.others},
                advice="Ask Facebook for the download again, in the format JSON, for all time.",
            )

    def _recognise(self, path: str) -> None:
        """Take a file that holds items; of every other say what it is."""
        try:
            body = self.download.read(path, _LARGEST)
            if why := otherwise_written(body):
                self.unreadable[path] = why
                return
            found = unfolded(body)
        except (BadFile, NotJson) as error:
            self.unreadable[path] = str(error)
            return
        file = self._recognised(path, found)
        if file is None:
            words = sum(1 for _ in texts_in(found))
            why = f"no item that is known; it holds {words} texts"
            self.others.append(Left(path, self.download.members[path].size, why))
            return
        self.files.append(file)
        one = file.items is None and file.what != "album"
        self._learn(file, decoded(body) if one else found)

    def _recognised(self, path: str, found: object) -> _File | None:
        mended = Mended()
        parts = PurePosixPath(path).parts
        if isinstance(found, LISTS):
            folder = next((_FOLDERS[part] for part in reversed(parts[:-1]) if part in _FOLDERS), None)
            if folder is None or not _items(found):
                return None
            return _File(
                path, "visitors" if folder == "posts" and _VISITORS.search(parts[-1]) else folder, ()
            )
        if not isinstance(found, dict):
            return None
        if isinstance(found.get("messages"), LISTS) and isinstance(found.get("participants"), LISTS):
            title = found.get("title")
            file = _File(
                path,
                "message",
                ("messages",),
                mended.text(thread_of(found, path)),
                mended.text(title) if isinstance(title, str) else "",
            )
            return self._with_branches(file, found, {"messages", "title", "thread_path"})
        if isinstance(found.get("photos"), LISTS) and ("name" in found or "cover_photo" in found):
            return _File(path, "album", None)
        named = _PROFILES if "information" in path else _PROFILES[:2]
        if any(isinstance(found.get(name), dict) for name in named):
            return _File(path, "profile", None, PurePosixPath(path).stem)
        if "label_values" in found:
            folder = next((_FOLDERS[part] for part in reversed(parts[:-1]) if part in _FOLDERS), None)
            return None if folder is None else _File(path, folder, None)
        for name, what in _LISTS.items():
            value = found.get(name)
            for steps, listed in (
                ((name,), value),
                (
                    (name, "activity_log_data"),
                    value.get("activity_log_data") if isinstance(value, dict) else None,
                ),
            ):
                if isinstance(listed, LISTS) and _items(listed):
                    return self._with_branches(_File(path, what, steps), found, {name})
        return None

    def _with_branches(self, file: _File, found: Mapping[str, object], taken: set[str]) -> _File:
        """Note the branches of a file that hold words and are not taken."""
        for name, value in found.items():
            if name not in taken and (words := sum(1 for _ in texts_in(value))):
                file.left.append(
                    Left(
                        f"{file.path} · {name}",
                        written(value),
                        f"{words} texts that no field is known for; the bytes are kept with the items",
                    )
                )
        return file

    def _learn(self, file: _File, found: object) -> None:
        """Learn from a file what reading its items needs: shared seconds, files that are named, the page's own name."""
        for uri in uris(found):
            self.wanted.add(Mended().text(uri))
        if file.what == "profile" and self.owner is None and isinstance(found, dict):
            self.owner = _page_name(Mended().value(found))
        for item in _at(found, file.items):
            if isinstance(item, dict):
                made = facebook_items.plain_id(item, file.what, file.thread)
                if made is not None:
                    self.seconds.add(made)

    # -- item by item --------------------------------------------------------------------------------------

    def _stretches(self, file: _File) -> Iterator[Stretch]:
        """The items of a file with everything between them, so that the stretches join to the file."""
        try:
            body = self.download.read(file.path, _LARGEST)
        except BadFile as error:  # it changed since it was looked through
            yield from self._damaged(file.path, str(error))
            return
        told = Told(file.what, Mended(), self.owner, file.thread, file.title, self.seconds)
        try:
            whole = document(body)
            spans: Iterable[tuple[int, int]] = [whole]
            if file.items is not None:
                found = member(body, whole, *file.items) if file.items else whole
                spans = Spans(body, *found) if found else []
        except NotJson as error:
            yield from _pieces(body, str(error), file.path)
            return
        places = iter(spans)
        item = next(places, None)
        first = item[0] if item else len(body)
        if first:
            yield Stretch(0, body[:first], None, file.path)
        number, last = 0, len(body)
        while item is not None:
            number, last, following = number + 1, item[1], next(places, None)
            length = item[1] - item[0]
            until = following[0] if following else item[1]
            why = f"longer than {_WHOLE >> 20} MiB" if length > _WHOLE else None
            yield Stretch(number, body[item[0] : until], why, file.path, _Item(told, length))
            item = following
        if last < len(body):
            yield Stretch(number, body[last:], None, file.path)

    def _damaged(self, path: str, why: str) -> Iterator[Stretch]:
        """A file that is no JSON: its bytes are kept as far as they can be read, and it is reported once."""
        yield from _pieces(self.download.readable(path, _LARGEST), why, path)

    def _found(self, path: str) -> str | None:
        path = composed(path)
        if path in self.download.members:
            return path
        ends = [one for one in self._ends.get(PurePosixPath(path).name, ()) if one.endswith("/" + path)]
        return ends[0] if len(ends) == 1 else None


@dataclass(frozen=True, slots=True)
class _Item:
    """What reading an item needs, and how many of the stretch's bytes are its own."""

    told: Told
    length: int


def _pieces(body: bytes, why: str, path: str) -> Iterator[Stretch]:
    for start in range(0, max(len(body), 1), _PART):
        yield Stretch(0, body[start : start + _PART], "" if start else why, path)


def _items(listed: Iterable[object]) -> bool:
    """Whether a list holds items with a time or an id, as far as its first ones tell."""
    some = [one for one in islice(listed, 20) if isinstance(one, dict)]
    marks = {"timestamp", "creation_timestamp", "data", "label_values", "fbid", "uri"}
    return bool(some) and all(not marks.isdisjoint(one) for one in some)


def _at(found: object, steps: tuple[str, ...] | None) -> list[object] | Elements:
    if steps is None:
        return [found]
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, LISTS) else []


def _page_name(found: object) -> str | None:
    """The name of the page in what it says of itself."""
    if not isinstance(found, dict):
        return None
    for profile in (found.get(name) for name in _PROFILES):
        name = profile.get("name", profile.get("page_name")) if isinstance(profile, dict) else None
        if isinstance(name, dict):
            name = next((name[one] for one in _NAME_FIRST if isinstance(name.get(one), str)), None)
        if isinstance(name, str) and name.strip():
            return name.strip()
    return None


def _unknown(path: str) -> str:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in {".html", ".htm"}:
        return "HTML, which is not read; ask for the download in JSON"
    if suffix in {
        ".jpg",
        ".jpeg",
        ".png",
        ".gif",
        ".webp",
        ".heic",
        ".mp4",
        ".mov",
        ".mp3",
        ".m4a",
        ".aac",
        ".wav",
        ".pdf",
    }:
        return "no item that was taken names it"
    return "a kind of file that is not read"


def _natural(path: str) -> list[tuple[int, int, str]]:
    """Sorts numbered files by their numbers: 2 before 10."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d+)", path)]
