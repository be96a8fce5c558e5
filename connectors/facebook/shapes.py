"""The objects of Facebook's interface that we read, and the fields that are asked of each: Graph tells no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

FEELINGS = ("like", "love", "care", "haha", "wow", "sad", "angry")

COMMENT_FIELDS = (
    "id",
    "message",
    "message_tags",
    "created_time",
    "from{id,name}",
    "parent{id}",
    "attachment",
    "comment_count",
    "like_count",
    "is_hidden",
    "is_private",
    "permalink_url",
    "admin_creator",
    "live_broadcast_timestamp",
)
COMMENTS_ASKED = {
    "filter": "stream",
    "order": "chronological",
    "live_filter": "no_filter",
    "summary": "true",
}
"""All comments that we may see, at any depth, also those that a live broadcast would leave out."""

_COMMENTS_WITHIN = (
    "comments.filter(stream).order(chronological).live_filter(no_filter).summary(true).limit(%d)"
    "{" + ",".join(COMMENT_FIELDS) + "}"
)
_ATTACHED = "type,media_type,media,target,title,description,url,unshimmed_url"

_POST_FIELDS = (
    "id",
    "message",
    "message_tags",
    "story",
    "created_time",
    "updated_time",
    "backdated_time",
    "from{id,name}",
    "admin_creator",
    "permalink_url",
    "status_type",
    f"attachments{{{_ATTACHED},subattachments.limit(100){{{_ATTACHED}}}}}",
    "parent_id",
    "is_hidden",
    "is_expired",
    "is_published",
    "privacy",
    "place",
    "properties",
    "shares",
    "via",
    "reactions.limit(0).summary(total_count)",
    *(f"reactions.type({name.upper()}).limit(0).summary(total_count).as({name})" for name in FEELINGS),
)

PAGE_FIELDS = (
    "id",
    "name",
    "username",
    "about",
    "bio",
    "description",
    "general_info",
    "mission",
    "company_overview",
    "impressum",
    "category",
    "category_list",
    "emails",
    "phone",
    "website",
    "single_line_address",
    "location",
    "hours",
    "link",
    "cover",
    "picture.type(large)",
    "fan_count",
    "followers_count",
    "talking_about_count",
    "verification_status",
    "is_published",
)

MESSAGE_FIELDS = (
    "id",
    "created_time",
    "from",
    "to",
    "message",
    "attachments{id,name,mime_type,size,image_data,video_data,file_url}",
    "sticker",
    "shares{id,link,name,description}",
    "tags",
)
CONVERSATION_FIELDS = ("id", "link", "updated_time", "message_count", "participants")

THING_FIELDS: Mapping[str, tuple[str, ...]] = {
    "events": (
        "id",
        "name",
        "description",
        "created_time",
        "updated_time",
        "start_time",
        "end_time",
        "timezone",
        "place",
        "cover",
        "is_canceled",
        "is_online",
        "ticket_uri",
        "attending_count",
        "interested_count",
    ),
    "albums": ("id", "name", "description", "created_time", "updated_time", "link", "count", "type", "place"),
    "videos": (
        "id",
        "title",
        "description",
        "created_time",
        "updated_time",
        "permalink_url",
        "source",
        "picture",
        "length",
    ),
    "video_reels": (
        "id",
        "title",
        "description",
        "created_time",
        "updated_time",
        "permalink_url",
        "source",
        "picture",
        "length",
    ),
    "live_videos": ("id", "title", "description", "creation_time", "status", "permalink_url"),
    "ratings": (
        "created_time",
        "has_rating",
        "has_review",
        "rating",
        "recommendation_type",
        "review_text",
        "reviewer{id,name}",
        "open_graph_story{id}",
    ),
}
THING_NAMES: Mapping[str, str] = {
    "events": "event",
    "albums": "album",
    "videos": "video",
    "video_reels": "reel",
    "live_videos": "live",
    "ratings": "rating",
}
EDGES_OF_THINGS = {name: edge for edge, name in THING_NAMES.items()}
PICTURE_FIELDS = ("id", "alt_text_custom")


def post_fields(comments: int | None) -> tuple[str, ...]:
    """What to ask of a post; with it the first `comments` of its comments, or None of them."""
    return _POST_FIELDS if comments is None else (*_POST_FIELDS, _COMMENTS_WITHIN % comments)


class Who(msgspec.Struct):
    """Somebody, or an object, by its id."""

    id: str
    name: str | None = None


class Writer(msgspec.Struct):
    """Whoever wrote something, as far as Facebook tells: any of it may be left out."""

    id: str = ""
    name: str | None = None


class Standing(msgspec.Struct):
    """The few fields that tell how one item stands."""

    id: str
    is_hidden: bool | None = None
    is_published: bool | None = None


class Page(msgspec.Struct):
    """The page as it introduces itself."""

    id: str
    name: str = ""
    username: str | None = None
    about: str | None = None
    bio: str | None = None
    description: str | None = None
    general_info: str | None = None
    mission: str | None = None
    company_overview: str | None = None
    impressum: str | None = None
    category: Any = None
    emails: Any = None
    phone: str | None = None
    website: str | None = None
    single_line_address: str | None = None
    hours: Any = None
    link: str | None = None
    cover: Any = None
    picture: Any = None
    fan_count: int | None = None
    followers_count: int | None = None
    talking_about_count: int | None = None
    verification_status: Any = None
    is_published: bool | None = None


class Setting(msgspec.Struct):
    """One switch of a page, as its people have set it."""

    setting: str
    value: Any = None


class Post(msgspec.Struct):
    """A post on the page, or one that names it. Its comments are read where they stand."""

    id: str
    message: str = ""
    message_tags: Any = None
    story: str | None = None
    created_time: str | int | None = None
    updated_time: str | int | None = None
    backdated_time: Any = None
    writer: Writer | None = msgspec.field(name="from", default=None)
    admin_creator: Any = None
    permalink_url: str | None = None
    status_type: Any = None
    attachments: Any = None
    parent_id: str | None = None
    is_hidden: bool | None = None
    is_expired: Any = None
    is_published: bool | None = None
    privacy: Any = None
    place: Any = None
    properties: Any = None
    shares: Any = None
    via: Any = None
    reactions: Any = None
    like: Any = None
    love: Any = None
    care: Any = None
    haha: Any = None
    wow: Any = None
    sad: Any = None
    angry: Any = None


class Comment(msgspec.Struct):
    """A comment at any depth; `parent` is the comment that it answers, where it answers one."""

    id: str
    message: str = ""
    message_tags: Any = None
    created_time: str | int | None = None
    writer: Writer | None = msgspec.field(name="from", default=None)
    parent: Who | None = None
    attachment: Any = None
    comment_count: int | None = None
    like_count: int | None = None
    is_hidden: bool | None = None
    is_private: bool | None = None
    permalink_url: str | None = None
    admin_creator: Any = None
    live_broadcast_timestamp: Any = None


class Picture(msgspec.Struct):
    """What somebody wrote for those who cannot see a picture."""

    id: str
    alt_text_custom: str | None = None


class Thing(msgspec.Struct):
    """An event, album or video."""

    id: str
    name: str | None = None
    title: str | None = None
    description: str | None = None
    created_time: str | int | None = None
    creation_time: str | int | None = None
    updated_time: str | int | None = None
    start_time: str | None = None
    end_time: str | None = None
    timezone: Any = None
    place: Any = None
    cover: Any = None
    is_canceled: Any = None
    is_online: Any = None
    ticket_uri: Any = None
    attending_count: int | None = None
    interested_count: int | None = None
    link: str | None = None
    permalink_url: str | None = None
    count: int | None = None
    type: Any = None
    source: str | None = None
    picture: str | None = None
    length: Any = None
    status: Any = None
    rating: Any = None
    recommendation_type: Any = None
    review_text: str | None = None
    reviewer: Writer | None = None
    open_graph_story: Who | None = None


class Rating(Thing, kw_only=True):
    """A recommendation. It has no id but that of the story that tells it."""

    id: str = ""
    created_time: str | int


class Conversation(msgspec.Struct):
    """Who writes with the page, and when something was written last."""

    id: str
    updated_time: str | int | None = None
    message_count: int | None = None
    participants: Any = None
    link: str | None = None


class Message(msgspec.Struct):
    """One private message. Of older ones Facebook may tell no more than their id and time."""

    id: str
    created_time: str | int | None = None
    writer: Writer | None = msgspec.field(name="from", default=None)
    to: Any = None
    message: str | None = None
    attachments: Any = None
    sticker: str | None = None
    shares: Any = None
    tags: Any = None
