"""An X page's own archive: a ZIP, several ZIPs of one archive, or a folder.

Its files are JavaScript that sets one name to a list: `window.YTD.tweets.part0
= [ … ]`. That name says what the list holds. The archive brings a list of its
own files; what that names and is not there is reported too. Answers by others
are not in it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from app.capture.formats import x_items
from app.capture.formats.divided import Divided, Elements, Item, decoded, listed
from app.capture.formats.facebook_items import texts_in
from app.capture.formats.source import Left, Line, Unreadable
from app.capture.formats.x_items import Json, Told
from app.capture.lines import BadFile
from connectors.contract import Attachment
from connectors.spans import NotJson, array_items, member

_SET = re.compile(rb"(?:\xef\xbb\xbf)?\s*window\.(?:YTD\.)?(\w+)(?:\.part\d+)?\s*=\s*")
_MANIFEST = "__THAR_CONFIG"
_LISTS = {
    "tweets": "posts",
    "tweet": "posts",
    "community_tweet": "posts",
    "deleted_tweets": "deleted",
    "deleted_tweet": "deleted",
    "note_tweet": "notes",
    "deleted_note_tweet": "notes gone",
    "direct_messages": "messages",
    "direct_message": "messages",
    "direct_messages_group": "messages",
    "direct_message_group": "messages",
    "profile": "profile",
    "block": "blocked",
    "mute": "muted",
}
"""The names to which lists of items are set, and what the items are."""
_WHOLE = ("blocked", "muted")
"""Lists that are one record."""
_HEADERS = re.compile(r"_headers\Z")


class XArchive(Divided):
    """Everything that a page's archive shows."""

    format = "x-archive"
    reader = "x-archive/2"

    def __init__(self, files: Sequence[Path]) -> None:
        self.told = Told()
        self.lists: dict[str, str] = {}
        self.counted: dict[str, int] = {}
        self.reposts = 0
        self.notes = 0
        self.promised: dict[str, int] = {}
        """How many items each file has, as the archive's own list says."""
        self.partial = False
        super().__init__(files)

    def page(self) -> tuple[str, str] | None:
        """The page whose archive this is, or `BadFile` where it does not say."""
        if not self.told.account.handle:
            raise BadFile(
                f"{self.handed.name} does not say whose page it is", next="Name the page with --page."
            )
        return "x", self.told.account.handle

    def remarks(self) -> Sequence[str]:
        """What was put together, and what may be missing."""
        told = []
        if self.told.chains:
            told.append(
                f"{len(self.told.chains)} posts were edited: each is one record as it reads after its last edit, "
                "with the words before that as far as the archive has them"
            )
        if self.notes:
            told.append(
                f"{self.notes} long posts are there twice, as X has them: as a post, with all of its words where it is certain which note is its, and as a note"
            )
        if self.reposts:
            told.append(
                f"{self.reposts} posts are reposts: X cuts the words of others in them, and tells no more"
            )
        for path, number in self.promised.items():
            found = self.counted.get(path)
            if found is not None and found != number:
                told.append(f"{path} should have {number} items by the archive's own list, and has {found}")
        if self.partial:
            told.append("X calls this archive a partial one")
        if self.told.odd_times:
            told.append(
                f"{self.told.odd_times} times cannot be: they are kept in `extra`, and no date was made of them"
            )
        told += self.beside()
        told.append(
            "Posts by others, answers to the page's posts among them, are not in an archive; capturing the page shows them."
        )
        return told

    # -- what is in it -------------------------------------------------------------------------------------

    def survey(self) -> None:
        """Find out what each file is: whose page, which posts were edited, which files are named."""
        self._media()
        for path in self.paths(".js"):
            self._recognise(path)
        if not self.lists:
            html = any(path.lower().endswith((".html", ".htm")) for path in self.download.members)
            raise self.refusal(
                f"{self.handed.name} holds nothing of an X archive that is known",
                advice="Give the ZIP as X handed it out, with its folder `data`."
                if html
                else "Ask X for the page's archive again.",
            )
        # A second reading, now that every edited post is known; one file at a time is held.
        for path, what in self.lists.items():
            self._look_again(path, what)
        for path, what in self.lists.items():
            if what in {"notes", "notes gone"}:
                self._complete(path)
        self._missing()

    def _media(self) -> None:
        """The files of the folders of media, by their names."""
        for path in self.download.members:
            parts = PurePosixPath(path)
            if parts.parent.name.endswith("_media"):
                self.told.files.setdefault(parts.name, path)

    def _recognise(self, path: str) -> None:
        """Take a file whose list holds items that are received; of everything else say what it is."""
        body = self.body(path)
        if body is None:
            return
        begins = _SET.match(body)
        if begins is None:
            self.leave(path, "a program, which is not read")
            return
        name = begins[1].decode()
        small = name in (_MANIFEST, "account")
        try:
            start, end = _value(body)
            found = decoded(body[start:end]) if small else listed(body, start, end)
        except NotJson as error:
            self.unreadable[path] = str(error)
            return
        what = _LISTS.get(name)
        if name == _MANIFEST:
            self._manifest(found)
            self.leave(path, "the archive's list of its files: read for that, and for whose it is")
        elif name == "account":
            self._account(found)
            self.leave(
                path, "read for whose archive it is; it holds an e-mail address and a telephone number"
            )
        elif what is None:
            words = sum(1 for one in _each(found) for _ in texts_in(one))
            why = (
                "it lists messages without their words" if _HEADERS.search(name) else "no item that is known"
            )
            self.leave(path, f"{why}; it holds {words} texts")
        elif isinstance(found, (list, Elements)) and not len(found):
            self.leave(path, "an empty list")
        elif not isinstance(found, (list, Elements)) or not any(isinstance(one, dict) for one in found):
            self.unreadable[path] = "not a list of items"
        else:
            self.lists[path] = what
            self.understood.append(path)
            self._learn(path, what, found)

    def _manifest(self, found: object) -> None:
        if not isinstance(found, dict):
            return
        told, archive, kinds = (found.get(name) for name in ("userInfo", "archiveInfo", "dataTypes"))
        if isinstance(told, dict):
            self._is(told.get("accountId"), told.get("userName"), told.get("displayName"))
        self.partial = isinstance(archive, dict) and archive.get("isPartialArchive") is True
        for kind in kinds.values() if isinstance(kinds, dict) else []:
            files = kind.get("files") if isinstance(kind, dict) else None
            for file in files if isinstance(files, list) else []:
                name, count = (
                    (file.get("fileName"), str(file.get("count", "")))
                    if isinstance(file, dict)
                    else (None, "")
                )
                if isinstance(name, str) and name:
                    self.promised[name] = int(count[:12]) if count.isdecimal() else -1

    def _account(self, found: object) -> None:
        for one in found if isinstance(found, list) else []:
            told = one.get("account") if isinstance(one, dict) else None
            if isinstance(told, dict):
                self._is(told.get("accountId"), told.get("username"), told.get("accountDisplayName"))
                self.told.account.began_at = x_items.moment(told.get("createdAt"))

    def _is(self, identity: object, handle: object, name: object) -> None:
        account = self.told.account
        account.id = identity if isinstance(identity, str) and identity else account.id
        account.handle = handle if isinstance(handle, str) and handle else account.handle
        account.name = name if isinstance(name, str) and name else account.name

    def _learn(self, path: str, what: str, found: Sequence[object] | Elements) -> None:
        """Count the items, and note the posts that were edited."""
        self.counted[path] = len(found)
        self.notes += len(found) if what in {"notes", "notes gone"} else 0
        if what not in {"posts", "deleted"}:
            return
        for tweet, _, ids in _posts(found):
            self.reposts += x_items.words(tweet).startswith("RT @")
            if len(ids) > 1:
                self.told.chains.setdefault(ids[0], [])

    def _look_again(self, path: str, what: str) -> None:
        """Bring the versions of edited posts together, and note which files the items name."""
        body = self.body(path)
        found = listed(body, *_value(body)) if body is not None else []
        assert isinstance(found, (list, Elements)), "it was a list when it was read before"
        told = self.told
        if what in {"posts", "deleted"}:
            for tweet, own, ids in _posts(found):
                versions = told.chains.get(ids[0])
                if versions is not None and own not in {x_items.id_of(one) for one in versions}:
                    versions.append(tweet)
                    versions.sort(key=lambda one: x_items.order(x_items.id_of(one)))
                published = x_items.moment(tweet.get("created_at")) if self.notes else None
                if published is not None:
                    near = told.notes.setdefault(int(published.timestamp()), [])
                    near.append((ids[0], own, x_items.beginning(tweet)))
                self._want(x_items.files_of(tweet, told))
        elif what == "messages":
            for read in (one for item in found for one in _messages(item)):
                self._want(x_items.enclosed(read, told))
        elif what == "profile":
            for item in (one for one in found if isinstance(one, dict)):
                self._want(x_items.pictures(x_items.inner(item, "profile"), told))

    def _complete(self, path: str) -> None:
        """Put the words of long posts to the posts that show their beginning."""
        body = self.body(path)
        for item in _each(listed(body, *_value(body)) if body is not None else []):
            if isinstance(item, dict):
                x_items.complete(x_items.inner(item, "noteTweet"), self.told)

    def _want(self, files: Sequence[Attachment]) -> None:
        self.wanted.update(one.path for one in files if one.path)

    def _missing(self) -> None:
        """What the archive's own list names and does not lie here; an archive without that list names nothing."""
        for path in self.promised:
            if self.found(path) is None:
                self.others.append(Left(path, 0, "the archive's own list names it, and it is not here"))
        self.promised = {
            found: number
            for path, number in self.promised.items()
            if number >= 0 and (found := self.found(path))
        }

    # -- item by item --------------------------------------------------------------------------------------

    def items(self, path: str, body: bytes) -> Sequence[Item]:
        """The items of a file: posts, or the messages of each conversation, or the whole list."""
        what = self.lists[path]
        start, end = _value(body)
        if what in _WHOLE:
            return [Item(start, end, self._read(what))]
        spans = array_items(body, start, end)
        if what != "messages":
            read = self._read(what)
            return [Item(*span, read) for span in spans]
        found = []
        for span in spans:
            inside = member(body, span, "dmConversation", "messages")
            called = member(body, span, "dmConversation", "conversationId")
            if inside is None or body[inside[0] : inside[0] + 1] != b"[":
                found.append(Item(*span, self._read(what), "a conversation of a shape that is not known"))
                continue
            name = str(json.loads(body[slice(*called)])) if called else ""
            found += [Item(*one, self._read(what, name)) for one in array_items(body, *inside)]
        return found

    def _read(self, what: str, conversation: str = "") -> Callable[[bytes], Sequence[Line]]:
        return partial(x_items.lines, what=what, told=self.told, conversation=conversation)


def _value(body: bytes) -> tuple[int, int]:
    """Where the list stands: after the first equals sign, without a semicolon that ends it."""
    begins = _SET.match(body)
    if begins is None:
        raise NotJson("it does not set a name to a list")
    end = len(body)
    while end > begins.end() and body[end - 1] in b" \t\r\n;":
        end -= 1
    return begins.end(), end


def _each(found: object) -> Iterable[object]:
    """The elements of a list, one by one; anything else is one by itself."""
    return found if isinstance(found, (list, Elements)) else [found]


def _posts(listed: Iterable[object]) -> Iterator[tuple[Json, str, list[str]]]:
    """Each post with its own id and the ids of its versions; one without an id is told of where it is read."""
    for one in listed:
        if isinstance(one, dict):
            tweet = x_items.inner(one, "tweet")
            with contextlib.suppress(Unreadable):
                yield tweet, x_items.id_of(tweet), x_items.ids_of(tweet)


def _messages(item: object) -> list[Json]:
    """What was written or happened in a conversation."""
    conversation = item.get("dmConversation") if isinstance(item, dict) else None
    listed = conversation.get("messages") if isinstance(conversation, dict) else None
    return [
        value
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
        for value in one.values()
        if isinstance(value, dict)
    ]
