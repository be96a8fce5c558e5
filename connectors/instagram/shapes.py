"""The objects of Instagram's interface that we read, and the fields that are asked of each: Graph tells no others."""

from __future__ import annotations

from typing import Any

import msgspec

_FILE_FIELDS = "id,media_type,media_url,thumbnail_url"

PROFILE_FIELDS = (
    "id",
    "username",
    "name",
    "biography",
    "website",
    "profile_picture_url",
    "followers_count",
    "follows_count",
    "media_count",
)
MEDIA_FIELDS = (
    "id",
    "caption",
    "alt_text",
    "media_type",
    "media_product_type",
    "media_url",
    "thumbnail_url",
    "permalink",
    "shortcode",
    "timestamp",
    "username",
    "owner{id}",
    "like_count",
    "comments_count",
    "is_comment_enabled",
    f"children{{{_FILE_FIELDS},alt_text}}",
)
STORY_FIELDS = (
    "id",
    "caption",
    "media_type",
    "media_product_type",
    "media_url",
    "thumbnail_url",
    "permalink",
    "timestamp",
    "username",
    "like_count",
)
OTHERS_FIELDS = (
    "id",
    "caption",
    "media_type",
    "media_product_type",
    "media_url",
    "permalink",
    "timestamp",
    "username",
    "like_count",
    "comments_count",
    f"children{{{_FILE_FIELDS}}}",
)
"""Of what other accounts have published: less is told of it."""

_ANSWER_FIELDS = (
    "id",
    "text",
    "timestamp",
    "username",
    "from{id,username}",
    "user{id}",
    "hidden",
    "like_count",
    "parent_id",
)
MENTION_FIELDS = ("id", "text", "timestamp", "username", "like_count", "media{id}")
CONVERSATION_FIELDS = ("id", "updated_time")
MESSAGE_FIELDS = ("id", "created_time", "from", "to", "message", "attachments", "shares", "story")

REPLIES_AT_ONCE = 50
"""So many replies, or comments, are told in one answer at most."""


def comment_fields(replies: int) -> tuple[str, ...]:
    """What to ask of a comment; with it the first `replies` of its replies."""
    return (*_ANSWER_FIELDS, f"replies.limit({replies}){{{','.join(_ANSWER_FIELDS)}}}")


def reply_fields() -> tuple[str, ...]:
    """What to ask of a reply: nothing answers it but what stands beside it."""
    return _ANSWER_FIELDS


def media_fields(comments: int | None) -> tuple[str, ...]:
    """What to ask of a post; with it the first `comments` of its comments, or None of them."""
    if comments is None:
        return MEDIA_FIELDS
    return (*MEDIA_FIELDS, f"comments.limit({comments}){{{','.join(comment_fields(comments))}}}")


class Who(msgspec.Struct):
    """Somebody, or an object, by its id."""

    id: str
    username: str | None = None


class Writer(msgspec.Struct):
    """Whoever wrote something, as far as Instagram tells: any of it may be left out."""

    id: str = ""
    username: str | None = None


class Owned(msgspec.Struct):
    """A page on Facebook, with the account that belongs to it."""

    id: str
    instagram_business_account: Who | None = None


class Account(msgspec.Struct):
    """The account as it introduces itself; `user_id` is its number where it signed in by itself."""

    id: str
    user_id: str | int | None = None
    username: str = ""
    name: str | None = None
    biography: str | None = None
    website: str | None = None
    profile_picture_url: str | None = None
    followers_count: int | None = None
    follows_count: int | None = None
    media_count: int | None = None

    @property
    def number(self) -> str:
        """The number under which the account's lists are asked for."""
        return str(self.user_id) if self.user_id else self.id


class Media(msgspec.Struct):
    """A picture, video, album, reel or story. Its comments are read where they stand."""

    id: str
    caption: str | None = None
    alt_text: str | None = None
    media_type: str | None = None
    media_product_type: str | None = None
    media_url: str | None = None
    thumbnail_url: str | None = None
    permalink: str | None = None
    timestamp: str | int | None = None
    username: str | None = None
    owner: Writer | None = None
    like_count: int | None = None
    comments_count: int | None = None
    is_comment_enabled: bool | None = None
    children: Any = None


class Comment(msgspec.Struct):
    """A comment, or a reply to one; `user` is told of the account's own alone."""

    id: str
    text: str | None = None
    timestamp: str | int | None = None
    username: str | None = None
    writer: Writer | None = msgspec.field(name="from", default=None)
    user: Writer | None = None
    hidden: bool | None = None
    like_count: int | None = None
    parent_id: str | None = None
    media: Who | None = None


class Standing(msgspec.Struct):
    """The few fields that tell how one item stands."""

    id: str
    hidden: bool | None = None


class Mentioned(msgspec.Struct):
    """Where the account was named by somebody else."""

    id: str
    mentioned_media: Media | None = None
    mentioned_comment: Comment | None = None


class Conversation(msgspec.Struct):
    """Who writes with the account, and when something was written last."""

    id: str
    updated_time: str | int | None = None


class Message(msgspec.Struct):
    """One private message. Of older ones Instagram may tell no more than their id and time."""

    id: str
    created_time: str | int | None = None
    writer: Writer | None = msgspec.field(name="from", default=None)
    to: Any = None
    message: str | None = None
    attachments: Any = None
    shares: Any = None
    story: Any = None
