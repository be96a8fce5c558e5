"""An Instagram page's own download, in JSON: a ZIP, several ZIPs of one download, or a folder.

Instagram moves and renames its files, so that what a file is, is told by the
names of its lists first, and by its own name only where a list bears none.
What is not understood is listed. The HTML form is refused: its times and names
bear no marks that a program could rely on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

from app.capture.formats import facebook_items, instagram_items
from app.capture.formats.divided import LISTS, Divided, Item, Spans, decoded, unfolded, uris, written
from app.capture.formats.facebook_items import texts_in, thread_of
from app.capture.formats.instagram_items import (
    ARCHIVED,
    COMMENTS,
    OTHERS,
    PICTURES,
    POSTS,
    PROFILE,
    STORIES,
    TRASHED,
    Shown,
)
from app.capture.formats.mended import Mended
from app.capture.formats.seconds import Seconds
from app.capture.formats.source import Left, Line
from app.capture.lines import BadFile
from connectors.spans import NotJson, document, member

_LISTS = {
    "ig_stories": STORIES,
    "ig_reels_media": POSTS,
    "ig_igtv_media": POSTS,
    "ig_archived_post_media": ARCHIVED,
    "ig_recently_deleted_media": TRASHED,
    "ig_other_media": OTHERS,
    "ig_profile_picture": PICTURES,
    "comments_media_comments": COMMENTS,
    "comments_reels_comments": COMMENTS,
    "comments_story_comments": COMMENTS,
    "profile_user": PROFILE,
}
"""The names under which lists of items stand, and what the items are."""
_NAMES = (
    (re.compile(r"posts(_\d+)?"), POSTS),
    (re.compile(r"reels(_\d+)?"), POSTS),
    (re.compile(r"igtv_videos(_\d+)?"), POSTS),
    (re.compile(r"stories(_\d+)?"), STORIES),
    (re.compile(r"archived_posts(_\d+)?"), ARCHIVED),
    (re.compile(r"recently_deleted_content(_\d+)?"), TRASHED),
    (re.compile(r"other_content(_\d+)?"), OTHERS),
    (re.compile(r"profile_photos(_\d+)?"), PICTURES),
    (re.compile(r"(post|reels|story)_comments(_\d+)?"), COMMENTS),
)
"""What a list without a name is, by the name of its file."""
_ONE = ("",)
"""Where the items of a file stand that is one item itself."""
_FACEBOOK = re.compile(r"facebook_activity|activity_across_facebook")
_INSTAGRAM = re.compile(r"instagram", re.IGNORECASE)


@dataclass(slots=True)
class _File:
    """One JSON file that is understood: what it holds, where its items stand, and of messages the thread."""

    shown: Shown | None
    items: tuple[str, ...]
    thread: str = ""
    title: str = ""


@dataclass(slots=True)
class _Noticed:
    put_right: int = 0
    doubtful: int = 0
    odd: int = 0
    seconds: Seconds = field(default_factory=Seconds)


class InstagramDownload(Divided):
    """Everything that a page's download shows."""

    format = "instagram-download"
    reader = "instagram-download/3"

    def __init__(self, files: Sequence[Path]) -> None:
        self.owner: str | None = None
        self.files: dict[str, _File] = {}
        self.noticed = _Noticed()
        super().__init__(files)

    def page(self) -> tuple[str, str] | None:
        """The page whose download this is, by the name that it bears there, or `BadFile` where it bears none."""
        if self.owner is None:
            raise BadFile(
                f"{self.handed.name} does not say whose page it is, in a language that is known",
                next="Name the page with --page.",
            )
        return "instagram", self.owner

    def remarks(self) -> Sequence[str]:
        """What was put right, what was made up, and what may be missing."""
        noticed = self.noticed
        told = [
            (
                "The download bears no ids: they are made from the second of publication, and where two share "
                "a second from their files or words too."
            ),
        ]
        if several := noticed.seconds.several():
            told.append(f"{several} items share their second with another")
        if noticed.put_right:
            told.append(
                f"{noticed.put_right} texts were written with their encoding broken, and are read as they were meant; "
                "the bytes are kept as they were"
            )
        if noticed.doubtful:
            told.append(
                f"{noticed.doubtful} texts could not be put right, and are shown as the download writes them"
            )
        if noticed.odd:
            told.append(
                f"{noticed.odd} times cannot be: they are kept in `extra`, and no date was made of them"
            )
        told += self.beside()
        told.append(
            "Comments by others, likes and counts are not in a download, nor is whether a story is still shown; "
            "capturing the page shows them."
        )
        return told

    def why_not(self, path: str) -> str:
        """Why a file was not taken of which nothing else is known."""
        told = super().why_not(path)
        return f"{told}; ask for the download in JSON" if told.startswith("HTML") else told

    # -- what is in it -------------------------------------------------------------------------------------

    def survey(self) -> None:
        """Find out what each file is: whose page, which times are shared, which files are named."""
        for path in self.paths(".json"):
            self._recognise(path)
        self.noticed.seconds.settled()
        self._is_instagram()

    def _recognise(self, path: str) -> None:
        """Take a file that holds items; of every other say what it is."""
        body = self.body(path)
        if body is None:
            return
        try:
            found = unfolded(body)
        except NotJson as error:
            self.unreadable[path] = str(error)
            return
        file = self._recognised(path, found)
        if file is None:
            self.leave(path, f"no item that is known; it holds {sum(1 for _ in texts_in(found))} texts")
            return
        self.files[path] = file
        self.understood.append(path)
        self._learn(file, decoded(body) if file.items == _ONE else found)

    def _is_instagram(self) -> None:
        """Refuse what is no download of Instagram's in JSON; messages alone look the same at Facebook."""
        members = self.download.members
        own = any(file.shown is not None for file in self.files.values())
        named = _INSTAGRAM.search(self.handed.name) or any(_INSTAGRAM.search(path) for path in members)
        if any(_FACEBOOK.search(path) for path in members) and not own:
            raise BadFile(
                f"{self.handed.name} is a download of Facebook's", next="Import it as facebook-download."
            )
        if not self.files or not (own or named):
            html = any(path.lower().endswith((".html", ".htm")) for path in members)
            raise self.refusal(
                f"{self.handed.name} is a download in HTML"
                if html
                else f"{self.handed.name} holds nothing of an Instagram download that is known",
                advice="Ask Instagram for the download again, in the format JSON, for all time.",
            )

    def _recognised(self, path: str, found: object) -> _File | None:
        stem = PurePosixPath(path).stem
        if isinstance(found, LISTS):
            shown = next((shown for name, shown in _NAMES if name.fullmatch(stem)), None)
            return _File(shown, ()) if shown and _items(found, shown) else None
        if not isinstance(found, dict):
            return None
        if isinstance(found.get("messages"), LISTS) and isinstance(found.get("participants"), LISTS):
            mended = Mended()
            title = found.get("title")
            file = _File(
                None,
                ("messages",),
                mended.text(thread_of(found, path)),
                mended.text(title) if isinstance(title, str) else "",
            )
            return self._with_branches(path, file, found, {"messages", "title", "thread_path"})
        for name, shown in _LISTS.items():
            listed = found.get(name)
            if isinstance(listed, LISTS) and _items(listed, shown):
                return self._with_branches(path, _File(shown, (name,)), found, {name})
        if "label_values" in found or "media" in found:
            shown = next((shown for name, shown in _NAMES if name.fullmatch(stem)), None)
            return _File(shown, _ONE) if shown and _items([found], shown) else None
        return None

    def _with_branches(self, path: str, file: _File, found: Mapping[str, object], taken: set[str]) -> _File:
        """Note the branches of a file that hold words and are not taken."""
        for name, value in found.items():
            if name not in taken and (words := sum(1 for _ in texts_in(value))):
                why = f"{words} texts that no field is known for; the bytes are kept with the items"
                self.others.append(Left(f"{path} · {name}", written(value), why))
        return file

    def _learn(self, file: _File, found: object) -> None:
        """Learn from a file what reading its items needs: shared seconds, files that are named, the page's name."""
        mended = Mended()
        self.wanted.update(mended.text(uri) for uri in uris(found))
        listed = [found] if file.items == _ONE else found
        for step in file.items if file.items != _ONE else ():
            listed = listed.get(step) if isinstance(listed, dict) else None
        for item in listed if isinstance(listed, LISTS) else []:
            if not isinstance(item, dict):
                continue
            if file.shown is None:
                made = facebook_items.plain_id(item, "message", file.thread)
            else:
                made = instagram_items.plain_id(item, file.shown)
            if made is not None:
                self.noticed.seconds.add(made)
            if file.shown is PROFILE and self.owner is None:
                self.owner = instagram_items.username(item, mended)

    # -- item by item --------------------------------------------------------------------------------------

    def items(self, path: str, body: bytes) -> Iterable[Item]:
        """The items of a file, each read with what the file says besides."""
        file = self.files[path]
        whole = document(body)
        spans: Iterable[tuple[int, int]] = [whole]
        if file.items != _ONE:
            found = member(body, whole, *file.items) if file.items else whole
            spans = Spans(body, *found) if found else []
        read = self._message(file) if file.shown is None else self._shown(path, file.shown)
        return (Item(start, end, read) for start, end in spans)

    def _shown(self, path: str, shown: Shown) -> Callable[[bytes], Sequence[Line]]:
        mended = Mended()
        told = instagram_items.Told(shown, mended, self.owner, PurePosixPath(path).stem, self.noticed.seconds)
        return self._counted(mended, told, lambda content: instagram_items.lines(content, told))

    def _message(self, file: _File) -> Callable[[bytes], Sequence[Line]]:
        """Messages stand as they do in a Facebook download."""
        mended = Mended()
        told = facebook_items.Told(
            "message", mended, self.owner, file.thread, file.title, self.noticed.seconds
        )
        return self._counted(mended, told, lambda content: facebook_items.lines(content, told))

    def _counted(
        self,
        mended: Mended,
        told: instagram_items.Told | facebook_items.Told,
        read: Callable[[bytes], Sequence[Line]],
    ) -> Callable[[bytes], Sequence[Line]]:
        """Reads, and counts what was put right on the way."""

        def counting(content: bytes) -> Sequence[Line]:
            before = (mended.texts, mended.doubtful, told.odd_times)
            try:
                return read(content)
            finally:
                self.noticed.put_right += mended.texts - before[0]
                self.noticed.doubtful += mended.doubtful - before[1]
                self.noticed.odd += told.odd_times - before[2]

        return counting


def _items(listed: Iterable[object], shown: Shown) -> bool:
    """Whether a list holds items of the kind that its name promises, as far as its first ones tell."""
    some = [one for one in islice(listed, 20) if isinstance(one, dict)]
    marks = {"label_values", "fbid", "string_map_data", "string_list_data"}
    if shown is not COMMENTS and shown is not PROFILE:
        marks |= {"media", "uri", "creation_timestamp"}
    return bool(some) and all(not marks.isdisjoint(one) for one in some)
