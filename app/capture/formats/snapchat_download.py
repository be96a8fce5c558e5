"""A Snapchat page's own download ("My Data") in JSON: a ZIP, several ZIPs of one download, or a folder.

Chats stand by friend, or in older downloads by whether they were sent or
received. Only what one of both sides had kept is in a download; of snaps, it
tells no more than when there was one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from app.capture.formats import snapchat_items
from app.capture.formats.branches import Branch, branches, elements, known_in, members
from app.capture.formats.divided import LISTS, Divided, Elements, Item, Run, in_order, laid_out
from app.capture.formats.download import Download
from app.capture.formats.facebook_items import texts_in
from app.capture.formats.loose import Loose
from app.capture.formats.snapchat_items import Told, text
from app.capture.formats.source import Left, Line
from app.capture.lines import BadFile

_CHATS = {
    "received saved chat history": "received",
    "sent saved chat history": "sent",
    "received unsaved chat history": "received",
    "sent unsaved chat history": "sent",
}
_LISTS = {
    "account": {"basic information": "profile"},
    "memories_history": {"saved media": "memories"},
    "shared_story": {"shared story": "shared"},
}
"""By the name of a file, the names of its branches and what they hold."""
_NAMED = re.compile(r"\d{4}-\d\d-\d\d_(?:media~)?(.+?)(?:-main|-overlay)?\Z")
_MEDIA = frozenset({"memories", "chat_media", "shared_story", "snap_media"})


class SnapchatDownload(Divided):
    """Everything that a page's download shows."""

    format = "snapchat-download"
    reader = "snapchat-download/1"

    def __init__(self, files: Sequence[Path]) -> None:
        self.told = Told()
        super().__init__(files)

    def gathered(self, files: Sequence[Path]) -> Download:
        """The download, or files of it."""
        return Loose(files)

    def page(self) -> tuple[str, str] | None:
        """The page whose download this is, or `BadFile` where it does not say."""
        if not self.told.username:
            raise BadFile(
                f"{self.handed.name} does not say whose page it is", next="Name the page with --page."
            )
        return "snapchat", self.told.username

    def remarks(self) -> Sequence[str]:
        """What may be missing."""
        told = []
        if self.told.odd_times:
            told.append(
                f"{self.told.odd_times} times cannot be: they are kept in `extra`, and no date was made of them"
            )
        told += self.beside()
        told.append(
            "Snapchat hands out what was kept in a chat and no more; stories and snaps that were over are not in a download."
        )
        return told

    def survey(self) -> None:
        """Find out which files hold items, whose page it is, and which files the items mean."""
        for path in self.download.members:
            file = PurePosixPath(path)
            if (
                file.parent.name in _MEDIA
                and (named := _NAMED.fullmatch(file.stem))
                and not file.stem.endswith("-overlay")
            ):
                self.told.files.setdefault(named[1], []).append(path)
        for path in self.paths(".json"):
            self._recognise(path)
        if not self.understood and not self.unreadable:
            html = any(path.lower().endswith((".html", ".htm")) for path in self.download.members)
            raise self.refusal(
                f"{self.handed.name} holds nothing of a Snapchat download that is known",
                advice="Ask Snapchat for My Data with *Export JSON files*."
                if html
                else "Ask Snapchat for My Data again.",
            )

    def _recognise(self, path: str) -> None:
        body = self.body(path)
        if body is None:
            return
        for one in known_in(self, path, body, partial(_known, path)):
            self._learn(path, laid_out(body, *one.span), one)

    def _learn(self, path: str, value: object, branch: Branch) -> None:
        if branch.what is None or not isinstance(value, dict if branch.what == "profile" else LISTS):
            if words := sum(1 for _ in texts_in(value)):
                why = f"{words} texts that no field is known for; the bytes are kept with the items"
                self.others.append(Left(f"{path} · {branch}", branch.span[1] - branch.span[0], why))
            return
        match branch.what, value:
            case "profile", dict():
                self.told.username = text(value, "Username") or self.told.username
                self.told.name = text(value, "Name") or self.told.name
            case _, list() | Elements():
                for item in value:
                    if isinstance(item, dict):
                        ids = [one.strip() for one in text(item, "Media IDs").split("|")]
                        link = text(item, "Download Link") or text(item, "Media Download Url")
                        for one in (*ids, snapchat_items.media_id(link) or ""):
                            paths = self.told.files.get(one, [])
                            self.wanted.update(paths if len(paths) == 1 else ())
            case _:
                return

    # -- item by item --------------------------------------------------------------------------------------

    def items(self, path: str, body: bytes) -> Iterable[Item]:
        """The items of every list that is known, in the order of their bytes."""
        held = branches(body, partial(_known, path))
        return in_order([run for one in held if one.what for run in self._runs(body, one)])

    def _runs(self, body: bytes, branch: Branch) -> Iterator[Run]:
        what, under = branch.what or "", branch.names[-1] if branch.what == "messages" else ""
        if what != "profile":
            yield Run(elements(body, branch.span), self._read(what, under))
        elif members(body, branch.span):
            yield Run([branch.span], self._read(what))

    def _read(self, what: str, under: str = "") -> Callable[[bytes], Sequence[Line]]:
        return partial(snapchat_items.lines, what=what, told=self.told, under=under)


def _known(path: str, names: tuple[str, ...]) -> str | None:
    """What a branch of a file holds; the chats of newer downloads are called after whom they are with."""
    if len(names) > 1:
        return None
    file, name = PurePosixPath(path).stem.casefold(), names[0].strip().casefold()
    if file == "chat_history":
        return _CHATS.get(name, "messages")
    return _LISTS.get(file, {}).get(name)
