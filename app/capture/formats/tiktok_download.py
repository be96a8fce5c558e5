"""A TikTok page's own download in JSON ("Download your data"): the ZIP, a folder, or its one file by itself.

Everything stands in one file (`user_data.json`, `user_data_tiktok.json`), in
lists that TikTok has moved about from year to year: a list is known by its own
name and the name above it. What visitors wrote is not in a download.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from app.capture.formats import tiktok_items
from app.capture.formats.branches import Branch, branches, elements, known_in, members
from app.capture.formats.divided import LISTS, Divided, Elements, Item, Run, in_order, laid_out
from app.capture.formats.download import Download
from app.capture.formats.facebook_items import texts_in
from app.capture.formats.loose import Loose
from app.capture.formats.source import Left, Line
from app.capture.formats.tiktok_items import Told
from app.capture.lines import BadFile

_LISTS = {
    ("posts", "videolist"): "posts",
    ("posts", "postlist"): "posts",
    ("videos", "videolist"): "posts",
    ("recentlydeletedposts", "postlist"): "deleted",
    ("recentlydeletedposts", "deletedpostlist"): "deleted",
    ("comments", "commentslist"): "comments",
    ("directmessages", "chathistory"): "messages",
    ("chathistory", "chathistory"): "messages",
    ("golivehistory", "golivelist"): "lives",
    ("watchlivehistory", "watchlivemap"): "live words",
    ("profileinfo", "profilemap"): "profile",
    ("profileinformation", "profilemap"): "profile",
    ("blocklist", "blocklist"): "blocked",
    ("block", "blocklist"): "blocked",
}
"""The last two names that lead to a list, in small letters and without spaces, and what it holds."""
_SHAPES: dict[str, type | tuple[type, ...]] = {"messages": dict, "live words": dict, "profile": dict}
"""What is no list."""
_CHAT = "Chat History with "


class TiktokDownload(Divided):
    """Everything that a page's download shows."""

    format = "tiktok-download"
    reader = "tiktok-download/3"

    def __init__(self, files: Sequence[Path]) -> None:
        self.told = Told()
        super().__init__(files)

    def gathered(self, files: Sequence[Path]) -> Download:
        """The download, or its one file."""
        return Loose(files)

    def page(self) -> tuple[str, str] | None:
        """The page whose download this is, or `BadFile` where it does not say."""
        if not self.told.handle:
            raise BadFile(
                f"{self.handed.name} does not say whose page it is", next="Name the page with --page."
            )
        return "tiktok", self.told.handle

    def remarks(self) -> Sequence[str]:
        """What may be missing."""
        told = ["Times are read as UTC, as TikTok writes them."]
        if self.told.odd_times:
            told.append(
                f"{self.told.odd_times} times cannot be: they are kept in `extra`, and no date was made of them"
            )
        told += self.beside()
        told.append(
            "The videos themselves and what visitors wrote are not in this file; the agency's originals and capturing the page show them."
        )
        return told

    def survey(self) -> None:
        """Find out which files hold lists that are known, whose page it is, and which branches are left."""
        for path in self.paths(".json"):
            self._recognise(path)
        self.told.seconds.settled()
        if not self.understood and not self.unreadable:
            plain = any(path.lower().endswith((".txt", ".html", ".htm")) for path in self.download.members)
            raise self.refusal(
                f"{self.handed.name} holds nothing of a TikTok download that is known",
                advice="Ask TikTok for the download in JSON, not as text or pages."
                if plain
                else "Ask TikTok for the download again.",
            )

    def _recognise(self, path: str) -> None:
        body = self.body(path)
        if body is None:
            return
        for one in known_in(self, path, body, _known):
            self._learn(path, body, one)

    def _learn(self, path: str, body: bytes, branch: Branch) -> None:
        value = laid_out(body, *branch.span)
        if branch.what is None or not isinstance(value, _SHAPES.get(branch.what, LISTS)):
            if words := sum(1 for _ in texts_in(value)):
                why = f"{words} texts that no field is known for; the bytes are kept with the items"
                self.others.append(Left(f"{path} · {branch}", branch.span[1] - branch.span[0], why))
            return
        match branch.what, value:
            case "profile", dict():
                self.told.handle = tiktok_items.text(value, "userName") or self.told.handle
            case ("posts" | "deleted" | "comments") as what, list() | Elements():
                for item in value:
                    if isinstance(item, dict) and (mark := tiktok_items.mark(what, item)):
                        self.told.seconds.add(mark)
            case _:
                return

    # -- item by item --------------------------------------------------------------------------------------

    def items(self, path: str, body: bytes) -> Iterable[Item]:
        """The items of every list that is known, in the order of their bytes."""
        del path
        return in_order([run for one in branches(body, _known) if one.what for run in self._runs(body, one)])

    def _runs(self, body: bytes, branch: Branch) -> Iterator[Run]:
        what, span = branch.what or "", branch.span
        match what:
            case "profile" | "blocked":
                if body[span[0] : span[0] + 1] in {b"{", b"["} and span[1] - span[0] > 2:
                    yield Run([span], self._read(what))
            case "messages":
                for name, inside in members(body, span).items():
                    under = name.removeprefix(_CHAT).rstrip(":")
                    for listed in (inside, *members(body, inside).values()):
                        yield Run(elements(body, listed), self._read(what, under))
            case "live words":
                for name, inside in members(body, span).items():
                    held = members(body, inside)
                    for key in ("Comments", "Questions"):
                        if key in held:
                            yield Run(elements(body, held[key]), self._read(what, name))
            case _:
                yield Run(elements(body, span), self._read(what))

    def _read(self, what: str, under: str = "") -> Callable[[bytes], Sequence[Line]]:
        return partial(tiktok_items.lines, what=what, told=self.told, under=under)


def _known(names: tuple[str, ...]) -> str | None:
    """What a branch holds, by the last two names that lead to it."""
    last = tuple(name.replace(" ", "").casefold() for name in names[-2:])
    return _LISTS.get((last[0], last[1])) if len(last) == 2 else None
