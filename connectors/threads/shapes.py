"""The objects of the Threads interface that we read, and the fields that are asked of each: it tells no others."""

from __future__ import annotations

from typing import Any

import msgspec

PROFILE_FIELDS = (
    "id",
    "username",
    "name",
    "threads_profile_picture_url",
    "threads_biography",
    "is_verified",
)
_MEDIA_FIELDS = (
    "id",
    "media_product_type",
    "media_type",
    "media_url",
    "permalink",
    "username",
    "text",
    "timestamp",
    "shortcode",
    "thumbnail_url",
    "children{id,media_type,media_url,thumbnail_url,alt_text}",
    "is_quote_post",
    "quoted_post",
    "reposted_post",
    "gif_url",
    "topic_tag",
)
POST_FIELDS = (
    *_MEDIA_FIELDS,
    "owner",
    "alt_text",
    "link_attachment_url",
    "poll_attachment",
    "is_spoiler_media",
    "text_attachment",
    "ghost_post_status",
    "ghost_post_expiration_timestamp",
    "has_replies",
    "is_reply",
    "reply_audience",
)
REPLY_FIELDS = (
    *_MEDIA_FIELDS,
    "has_replies",
    "root_post",
    "replied_to",
    "is_reply",
    "is_reply_owned_by_me",
    "hide_status",
    "reply_audience",
)
PENDING_FIELDS = (*REPLY_FIELDS, "reply_approval_status")
MENTION_FIELDS = (
    *_MEDIA_FIELDS,
    "alt_text",
    "poll_attachment",
    "has_replies",
    "root_post",
    "replied_to",
    "is_reply",
)


class Who(msgspec.Struct):
    """Somebody, or an object, by its id."""

    id: str


class Owner(msgspec.Struct):
    """Whose a post is. That it stands there says that it is the account's own, whatever of it is told."""

    id: str = ""


class Account(msgspec.Struct):
    """The account as it introduces itself."""

    id: str
    username: str = ""
    name: str | None = None
    threads_profile_picture_url: str | None = None
    threads_biography: str | None = None
    is_verified: bool | None = None


class Media(msgspec.Struct):
    """A post, or what answers one: both are the same kind of thing on Threads."""

    id: str
    media_type: str | None = None
    media_url: str | None = None
    permalink: str | None = None
    owner: Owner | None = None
    username: str | None = None
    text: str | None = None
    timestamp: str | int | None = None
    thumbnail_url: str | None = None
    children: Any = None
    is_quote_post: bool | None = None
    quoted_post: Any = None
    reposted_post: Any = None
    gif_url: str | None = None
    topic_tag: Any = None
    alt_text: str | None = None
    link_attachment_url: str | None = None
    poll_attachment: Any = None
    is_spoiler_media: bool | None = None
    text_attachment: Any = None
    ghost_post_status: str | None = None
    ghost_post_expiration_timestamp: str | None = None
    has_replies: bool | None = None
    root_post: Who | None = None
    replied_to: Who | None = None
    is_reply: bool | None = None
    is_reply_owned_by_me: bool | None = None
    hide_status: str | None = None
    reply_audience: Any = None
    reply_approval_status: str | None = None
