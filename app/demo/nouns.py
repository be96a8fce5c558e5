"""What a page shows: posts, comments, pictures, entries of a feed, each as it stands at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.demo.telling import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture in a blog's library."""

    number: int
    file: str
    description: str
    at: datetime
    by: Person
    on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A wording that an edit left behind, numbered among the posts as WordPress does."""

    number: int
    at: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post or page of a blog as it stands."""

    number: int
    type: str
    slug: str
    title: str
    text: str
    at: datetime
    modified: datetime
    by: Person
    status: str
    tags: Sequence[str]
    picture: Media | None
    revisions: Sequence[Revision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as it stands. `parent` is 0 where it answers the post itself."""

    number: int
    post: int
    parent: int
    name: str
    by: Person | None
    email: str
    address: str
    browser: str
    at: datetime
    text: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blog:
    """A WordPress site as it stands."""

    key: str
    name: str
    tagline: str
    at: datetime
    people: Sequence[Person]
    posts: Sequence[Post]
    comments: Sequence[Comment]
    media: Sequence[Media]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a feed as it stands."""

    slug: str
    title: str
    text: str
    at: datetime
    updated: datetime
    by: Person
    tags: Sequence[str]
    picture: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An entry that a feed says it no longer publishes."""

    slug: str
    at: datetime
    by: Person
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as it stands, newest entry first; `updated` is when it last changed."""

    key: str
    name: str
    tagline: str
    updated: datetime
    entries: Sequence[Entry]
    withdrawn: Sequence[Withdrawn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """What every page shows at one moment."""

    night: int
    at: datetime
    blogs: Mapping[str, Blog]
    feeds: Mapping[str, Feed]
