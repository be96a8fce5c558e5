"""Read a page's story from its text file in `story/`.

The story of a page is written to be read: what the agency published, what
the public answered, and what was changed or removed later, each with its
time. A file consists of

- a head: `name`, `tagline`, and a `person` line for everyone who publishes
  there (`person: handle | name | role`);
- items, each begun by `== slug`, then its fields (`title`, `at`, `by`, and
  where there are any `type`, `tags`, `image: file | description`), an empty
  line, and its text in paragraphs;
- comments, begun by `+ 40m Name: text`: one plus sign answers the item, two
  answer the comment above that has one, and so on. The time is counted from
  what is answered. `@okafor` as a name is the person of that handle;
  `[hold]` or `[spam]` after a name says that the comment was never shown;
- changes, begun by `~ 2026-10-06 11:20`, to the item or comment above them,
  or in the head to the tagline: `change: "old" -> "new"`, `trash`,
  `restore`, `approve`, `delete` or `withdraw: reason`;
- remarks, begun by `%`.

Times are the town's own. A line that says none of this is an error that
names the file and the line: a story with a slip in it would teach a wrong
lesson.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Chicago")
"""The town's clock."""

STORIES = Path(__file__).parent / "story"

_COMMENT = re.compile(r"(\++) (\S+) ([^:\[]+?)(?: \[(hold|spam)\])?: (.*)")
_CHANGE = re.compile(r"~ (\d{4}-\d\d-\d\d \d\d:\d\d) (\w+)(?:: (.*))?")
_WORDING = re.compile(r'"(.*)" -> "(.*)"')
_FIELD = re.compile(r"(\w+): (.*)")
_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")


class StoryUnreadable(ValueError):
    """A line of a story says nothing that this module knows; the message names the file and the line."""


class Verb(StrEnum):
    """What happened to an item or a comment after it was published."""

    CHANGE = "change"
    TRASH = "trash"
    RESTORE = "restore"
    APPROVE = "approve"
    DELETE = "delete"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done to an item, a comment or a page's introduction, and when."""

    at: datetime
    verb: Verb
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who publishes on a page by office."""

    number: int
    handle: str
    name: str
    role: str


@dataclass(slots=True, kw_only=True)
class ToldComment:
    """A comment as the story tells it. `answers` is None where it answers the item itself."""

    place: int
    name: str
    at: datetime
    text: str
    begins: str
    answers: ToldComment | None
    changes: list[Change] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ToldItem:
    """A post, page, notice or paper as the story tells it."""

    slug: str
    fields: dict[str, str] = field(default_factory=dict)
    text: str = ""
    changes: list[Change] = field(default_factory=list)
    comments: list[ToldComment] = field(default_factory=list)

    @property
    def at(self) -> datetime:
        return _moment(self.fields["at"])

    @property
    def title(self) -> str:
        return self.fields["title"]

    @property
    def by(self) -> str:
        return self.fields["by"]

    @property
    def tags(self) -> Sequence[str]:
        return [tag.strip() for tag in self.fields.get("tags", "").split(",") if tag.strip()]

    @property
    def image(self) -> tuple[str, str] | None:
        """File name and description of the item's picture."""
        if "image" not in self.fields:
            return None
        name, _, description = self.fields["image"].partition(" | ")
        return name, description


@dataclass(slots=True, kw_only=True)
class Tale:
    """The whole story of one page, all nights of it."""

    key: str
    name: str = ""
    tagline: str = ""
    changes: list[Change] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    items: list[ToldItem] = field(default_factory=list)


def worded(text: str, changes: Sequence[Change], at: datetime) -> str:
    """The text as it stood at that time."""
    for change in changes:
        if change.verb is Verb.CHANGE and change.at <= at:
            text = text.replace(change.old, change.new)
    return text


def happened(changes: Sequence[Change], verb: Verb, at: datetime) -> bool:
    """Whether something was done by that time."""
    return any(change.verb is verb and change.at <= at for change in changes)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, each on one line."""
    return [" ".join(part.split("\n")) for part in text.split("\n\n") if part.strip()]


@cache
def tale(key: str) -> Tale:
    """Read the story of one page."""
    path = STORIES / f"{key}.txt"
    return read(key, path.read_text(encoding="utf-8"))


def read(key: str, text: str) -> Tale:
    """Understand a story; refuse what does not fit."""
    told = _Reading(Tale(key=key))
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("%"):
            continue
        try:
            told.take(line)
        except (ValueError, KeyError, IndexError) as slip:
            message = f"{key}.txt, line {number}: {slip} in {line!r}"
            raise StoryUnreadable(message) from slip
    _check(told.tale)
    return told.tale


def everything_said(one: Tale) -> Iterator[str]:
    """Every text of the story, in all its wordings: for tests that look for what must not be there."""
    yield from (one.name, one.tagline)
    yield from (change.new for change in one.changes)
    for item in one.items:
        yield from (item.title, item.text, *item.fields.values())
        yield from (change.new for change in item.changes)
        for comment in item.comments:
            yield from (comment.name, comment.text)
            yield from (change.new for change in comment.changes)


class _Reading:
    """Where we are in a story: in the head, in an item's fields, in a text."""

    def __init__(self, one: Tale) -> None:
        self.tale = one
        self._item: ToldItem | None = None
        self._in_fields = True
        self._above: list[ToldComment] = []
        self._changes: list[Change] = one.changes
        self._places = count()

    def take(self, line: str) -> None:
        if line.startswith("== "):
            self._begin_item(line[3:].strip())
        elif line.startswith("~ "):
            self._changes.append(_change(line))
        elif line.startswith("+"):
            self._begin_comment(line)
        elif self._item is None:
            self._take_head(line)
        elif self._in_fields:
            self._take_field(self._item, line)
        else:
            self._take_text(self._item, line)

    def _begin_item(self, slug: str) -> None:
        self._item = ToldItem(slug=slug)
        self.tale.items.append(self._item)
        self._in_fields, self._above, self._changes = True, [], self._item.changes

    def _begin_comment(self, line: str) -> None:
        signs, span, name, begins, text = _parts(_COMMENT, line)
        item = self._item
        if item is None:
            raise ValueError("a comment before any item")
        depth = len(signs)
        if depth > len(self._above) + 1:
            raise ValueError("a comment that answers nothing")
        answers = self._above[depth - 2] if depth > 1 else None
        since = answers.at if answers else item.at
        comment = ToldComment(
            place=next(self._places),
            name=name,
            at=since + _span(span),
            text=text,
            begins=begins or "approved",
            answers=answers,
        )
        item.comments.append(comment)
        self._above = [*self._above[: depth - 1], comment]
        self._changes = comment.changes

    def _take_head(self, line: str) -> None:
        if not line:
            return
        key, value = _parts(_FIELD, line)
        if key == "person":
            handle, name, role = (part.strip() for part in value.split("|"))
            people = self.tale.people
            people[handle] = Person(len(people) + 1, handle, name, role)
        elif key in ("name", "tagline"):
            setattr(self.tale, key, value)
        else:
            raise ValueError("an unknown field of the head")

    def _take_field(self, item: ToldItem, line: str) -> None:
        if not line:
            self._in_fields = False
            return
        key, value = _parts(_FIELD, line)
        item.fields[key] = value

    def _take_text(self, item: ToldItem, line: str) -> None:
        if item.changes or item.comments:
            if line:
                raise ValueError("text after a change or a comment")
            return
        item.text = f"{item.text}\n{line}".strip("\n") if line else f"{item.text}\n"


def _change(line: str) -> Change:
    at, verb, rest = _parts(_CHANGE, line)
    if verb == Verb.CHANGE:
        old, new = _parts(_WORDING, rest)
        return Change(_moment(at), Verb.CHANGE, old, new)
    return Change(_moment(at), Verb(verb), new=rest or "")


def _parts(form: re.Pattern[str], line: str) -> Sequence[str]:
    found = form.fullmatch(line)
    if found is None:
        raise ValueError("not understood")
    return found.groups()


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE).astimezone(UTC)


def _span(text: str) -> timedelta:
    days, hours, minutes = (int(part or 0) for part in _parts(_SPAN, text))
    if not (days or hours or minutes):
        raise ValueError("a time that is none")
    return timedelta(days=days, hours=hours, minutes=minutes)


def _check(one: Tale) -> None:
    """Refuse a story whose changes speak of words, people or times that are not in it."""
    _check_changes(one.key, one.tagline, one.changes)
    for item in one.items:
        item.text = item.text.strip()
        where = f"{one.key}.txt, {item.slug}"
        if item.by not in one.people:
            raise StoryUnreadable(f"{where}: {item.by} is nobody on this page")
        _check_changes(where, f"{item.title}\n{item.text}", item.changes)
        for comment in item.comments:
            _check_changes(f"{where}, {comment.name}", comment.text, comment.changes)
            if comment.name.startswith("@") and comment.name[1:] not in one.people:
                raise StoryUnreadable(f"{where}: {comment.name} is nobody on this page")


def _check_changes(where: str, text: str, changes: Sequence[Change]) -> None:
    for change in changes:
        if change.verb is not Verb.CHANGE:
            continue
        if change.old not in text:
            raise StoryUnreadable(f"{where}: changes {change.old!r}, which is not there")
        text = text.replace(change.old, change.new)
