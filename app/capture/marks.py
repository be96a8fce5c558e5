"""Marks: by which a record's newest version is told from what is shown of it now, without opening it.

What counts is what its author did, or what was done with it: text, html,
author, attachments, state, what it answers, when it was edited, its address.
An attachment counts by its id, so that an address that merely expires is no
edit, and by the words that belong to it: its description and its caption. Of
what else a platform says (`extra`), only words of the author's own count, and
only those that stand nowhere else: `OWN_WORDS` names them. All other things
there change by themselves, or by somebody else's hand.

A word of an attachment that the platform did not tell this time (None) stands
as it stood; that there is none (an empty text) is told, and differs from one
that there was. So do an author who was not told, and an address, while all
else is as it was; an author of whom only the id is told is called what the
same id was called last: a site that stops telling names renames nobody. One
that keeps back which files are an item's (`files_told`) takes none away. What
was kept back when an item was first seen, and is told later, is no edit either.

The mark of a record without such words is what it was before they counted.
Marks of that older rule live on in every archive; where one is met, the
version itself says what it stated.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from typing import TypeAlias, cast
from urllib.parse import urlsplit

import msgspec

from app.store.canonical import Json
from app.store.sealing import derive
from connectors.contract import Attachment, Author, Observation

_encoder = msgspec.json.Encoder()

OWN_WORDS: Mapping[str, tuple[str, ...]] = {
    "bluesky": ("tags",),
    "digg": ("title",),
    "feed": ("summary",),
    "linkedin": ("website", "specialties"),
    "myspace": ("title",),
    "nextdoor": ("event",),
    "pinterest": ("note",),
    "threads": ("topic",),
    "webpage": ("title",),
    "youtube": ("tags", "localizations"),
}
"""By platform, the parts of `extra` in which an author's own words stand that are not in the text as well.

A web page's title stands in its words where no heading says the same, and here
where one does: another of its headings may become the title. On Flickr others may add tags, and Flickr does. Titles, warnings before a text, what a poll asks and what may be voted for are
in the text of whatever platform has them. The card of a link is the linked
site's, and follows it. Scores, ranks, what is pinned, what moderators noted,
labels of other people, addresses that are signed, and times at which something
was last touched are nobody's words.
"""

_AUTHOR, _FILES, _EDITED, _ADDRESS = 2, 3, 6, 7
"""Where in what is told the author, the files, the time of editing and the address stand."""
_WORDS = ("description", "caption")
_IN_THE_HTML = frozenset({"webpage", "myspace", "digg"})
"""Where descriptions of pictures are part of the html: what varies at every look is left out of that, and of nothing else."""
Words: TypeAlias = tuple[str | None, str | None]
"""An attachment's description and caption; None where the platform did not tell."""


@dataclass(frozen=True, slots=True)
class Said:
    """What counts of a record, as it is shown or as a version states it."""

    told: tuple[object, ...]
    files: tuple[Words, ...] = ()
    own: tuple[object, ...] = ()

    def mark(self, secret: bytes) -> bytes:
        """What stands for all of it; tells nothing without the secret."""
        return _digest(secret, (*self.told, self._words()) if self.has_words else self.told)

    def older_mark(self, secret: bytes) -> bytes:
        """The same by the older rule: what stands for everything but words beside the text."""
        return _digest(secret, self.told)

    def _words(self) -> object:
        return self.plainly, self.own

    @property
    def plainly(self) -> list[list[str]]:
        """The words of each file; none and those that were not told look the same."""
        return [[name or "" for name in words] for words in self.files]

    @property
    def edited_at(self) -> datetime | None:
        """When it was edited, as the platform says."""
        told = self.told[_EDITED]
        return datetime.fromisoformat(told) if isinstance(told, str) else None

    @property
    def has_words(self) -> bool:
        """Whether there are words beside the text."""
        return bool(self.own) or any(any(words) for words in self.files)

    @property
    def leaves_open(self) -> bool:
        """Whether some words of attachments were not told."""
        return any(None in words for words in self.files)

    @property
    def denies(self) -> bool:
        """Whether it is told of some attachment that there are no words."""
        return any("" in words for words in self.files)

    def is_as(self, stated: Said) -> bool:
        """Whether a version that states this is what is shown; what was not told now is as it was."""
        return (
            _encoder.encode(self.told) == _encoder.encode(stated.told)
            and self.own == stated.own
            and all(
                now is None or now == (before or "")
                for words, known in zip(self.files, stated.files, strict=True)
                for now, before in zip(words, known, strict=True)
            )
        )


def seen(platform: str, found: Observation) -> Said:
    """What counts of what is shown."""
    author = found.author
    told = (
        found.text,
        found.html,
        (author.id, author.name, author.handle)
        if author and (author.id or author.name or author.handle)
        else None,
        [attachment.id for attachment in found.attachments],
        str(found.state),
        found.in_reply_to,
        found.edited_at.isoformat() if found.edited_at else None,
        found.url,
    )
    own = OWN_WORDS.get(platform)
    return Said(
        told,
        ()
        if platform in _IN_THE_HTML
        else tuple((one.description, one.caption) for one in found.attachments),
        _own(own, found.extra) if own and found.extra else (),
    )


def stated(fields: Mapping[str, object]) -> Said:
    """What counts of what a version states."""
    author = (fields.get("author_id"), fields.get("author_name"), fields.get("author_handle"))
    attached = _attached(fields)
    edited = fields.get("edited_at")
    told = (
        fields.get("text") or "",
        fields.get("html"),
        author if any(author) else None,
        [item.get("id", "") for item in attached],
        fields["state"],
        fields.get("in_reply_to"),
        datetime.fromisoformat(edited).isoformat() if isinstance(edited, str) else None,
        fields.get("url"),
    )
    platform = str(fields.get("platform"))
    own = OWN_WORDS.get(platform)
    files = (
        ()
        if platform in _IN_THE_HTML
        else tuple((text(item.get("description")), text(item.get("caption"))) for item in attached)
    )
    return Said(told, files, _own(own, fields.get("extra")) if own else ())


def tells_less(found: Observation) -> bool:
    """Whether its platform left out who published an item, or what they are called, or its address."""
    author = found.author
    return author is None or found.url is None or bool(author.id and not author.name and not author.handle)


def as_stood(platform: str, found: Observation, before: Mapping[str, object]) -> Observation:
    """An item with what was not told of its author and its address this time, as the version `before` states them.

    Name and handle are those of the same id. An author of whom nothing was
    told, and an address, stand only while all else is as it was: who wrote
    another edition of a page nobody knows who was not told.
    """
    author = found.author
    stood = Author(*(text(before.get(f"author_{name}")) for name in ("id", "name", "handle")))
    if author is not None and author.id and author.id == stood.id and not author.name and not author.handle:
        found = replace(found, author=stood)
    url = text(before.get("url")) if found.url is None else found.url
    whole = replace(found, author=found.author or stood, url=url)
    return whole if seen(platform, whole).is_as(stated(before)) else found


def keeps_back(found: Observation, before: Mapping[str, object] | None) -> bool:
    """Whether a version leaves open which files are the item's: its platform kept them back, and they are not known from `before`."""
    if found.files_told:
        return False
    if before is None or before.get("files_told") is False:
        return True
    return not {one.id for one in found.attachments} <= {one.get("id", "") for one in _attached(before)}


def carried_on(fields: dict[str, Json], found: Observation, before: Mapping[str, object]) -> bool:
    """Put words of attachments that were not told into `fields`, as the version `before` stated them; tell whether any were."""
    known = {item.get("id", ""): item for item in _attached(before)}
    any_were = False
    for item, one in zip(_attached(fields), found.attachments, strict=True):
        for name in _WORDS:
            stood = text(known.get(one.id, {}).get(name))
            if getattr(one, name) is None and stood:
                item[name], any_were = stood, True
    return any_were


def completes(said: Said, before: Mapping[str, object]) -> bool:
    """Whether what is shown is what the version `before` states, with what its platform kept back then.

    That is which files are the item's, an author of whom nothing was told, or
    only the id, and the address. It is worth a version, and nobody edited anything. A file
    that was known by more than its address and is no longer shown was taken out.
    """
    was = stated(before)
    may = set()
    author, now = was.told[_AUTHOR], said.told[_AUTHOR]
    if author is None:
        may |= {_AUTHOR}
    elif isinstance(author, tuple) and author[0] and author[1:] == (None, None):
        may |= {_AUTHOR} if isinstance(now, tuple) and now[0] == author[0] else set()
    if was.told[_ADDRESS] is None:
        may |= {_ADDRESS}
    if before.get("files_told") is False:
        shown = cast("list[str]", said.told[_FILES])
        known = {one.get("id", "") for one in _attached(before) if one.get("id") != one.get("url")}
        may |= {_FILES} if known.issubset(shown) and len(shown) >= len(was.files) else set()
    return (
        bool(may)
        and said.own == was.own
        and (_FILES in may or said.plainly == was.plainly)
        and all(
            place in may or _encoder.encode(now) == _encoder.encode(then)
            for place, (now, then) in enumerate(zip(said.told, was.told, strict=True))
        )
    )


def still_with(found: Observation, before: Mapping[str, object]) -> tuple[Attachment, ...]:
    """The files of an item whose platform keeps back which they are: as the version `before` stated them, and those that its text shows anew.

    What was known by no more than its address stands where that is still
    shown. An address that the text showed before is that of a file which was
    told then.
    """
    shown = {one.id for one in found.attachments}
    stood = [
        one for one in _attached(before) if one.get("id", "") in shown or one.get("id") != one.get("url")
    ]
    known = {one.get("id", "") for one in stood}
    words = unescape(text(before.get("html")) or "")
    return (
        *(
            Attachment(
                id=text(one.get("id")) or "",
                url=text(one.get("url")),
                media_type=text(one.get("media_type")),
                description=text(one.get("description")),
                caption=text(one.get("caption")),
            )
            for one in stood
        ),
        *(
            one
            for one in found.attachments
            if one.id not in known and (urlsplit(one.url or "").path or one.id) not in words
        ),
    )


def _attached(fields: Mapping[str, object]) -> list[dict[str, Json]]:
    attached = fields.get("attachments")
    return cast("list[dict[str, Json]]", attached) if isinstance(attached, list) else []


def text(told: object) -> str | None:
    """What a version states of a name that may not be there."""
    return told if isinstance(told, str) else None


def _own(names: tuple[str, ...], extra: object) -> tuple[object, ...]:
    """An author's own words in what else the platform said; a statement may hold that as JSON text."""
    if isinstance(extra, str):
        extra = json.loads(extra)
    if not isinstance(extra, Mapping):
        return ()
    return tuple((name, said) for name in names if (said := _said(extra.get(name))) is not None)


def _said(value: object) -> object:
    """The words in a value and nothing else of it: texts, lists of them in whatever order, and texts by name."""
    match value:
        case str():
            return value or None
        case list() | tuple():
            return tuple(sorted(str(one) for one in value if isinstance(one, str) and one)) or None
        case Mapping():
            inner = ((str(name), _said(one)) for name, one in value.items())
            return tuple(sorted((name, said) for name, said in inner if said is not None)) or None
        case _:
            return None


def _digest(secret: bytes, told: object) -> bytes:
    return hmac.digest(derive(secret, b"mark"), _encoder.encode(told), "sha256")[:16]
