"""What is read of TikTok's answers. Unknown keys are ignored, ids are required, and numbers come as texts or as numbers."""

from __future__ import annotations

from typing import Any

import msgspec


class Granted(msgspec.Struct):
    """Whose a token is, and what it permits."""

    creator_id: str
    scope: Any = None


class Business(msgspec.Struct):
    """How an account introduces itself to the door for businesses."""

    username: str | None = None
    display_name: str | None = None
    profile_image: str | None = None
    bio_description: str | None = None
    is_verified: Any = None
    is_business_account: Any = None
    followers_count: Any = None
    following_count: Any = None
    total_likes: Any = None
    videos_count: Any = None


class Person(msgspec.Struct):
    """How an account introduces itself to the Display API."""

    open_id: str
    username: str | None = None
    display_name: str | None = None
    avatar_url: str | None = None
    bio_description: str | None = None
    is_verified: Any = None
    follower_count: Any = None
    following_count: Any = None
    likes_count: Any = None
    video_count: Any = None


class Item(msgspec.Struct):
    """A video, or what else was posted, as the door for businesses tells it."""

    item_id: str | int
    create_time: Any = None
    caption: str | None = None
    share_url: str | None = None
    thumbnail_url: str | None = None
    media_type: Any = None
    is_ad: Any = None
    video_duration: Any = None
    video_views: Any = None
    likes: Any = None
    comments: Any = None
    shares: Any = None
    favorites: Any = None


class Film(msgspec.Struct):
    """The same, as the Display API tells it."""

    id: str | int
    create_time: Any = None
    title: str | None = None
    video_description: str | None = None
    share_url: str | None = None
    cover_image_url: str | None = None
    duration: Any = None
    is_aigc: Any = None
    view_count: Any = None
    like_count: Any = None
    comment_count: Any = None
    share_count: Any = None


class Comment(msgspec.Struct):
    """A comment, or an answer to one: TikTok knows no answers to answers."""

    comment_id: str | int
    text: str | None = None
    create_time: Any = None
    parent_comment_id: str | int | None = None
    status: str | None = None
    owner: Any = None
    username: str | None = None
    display_name: str | None = None
    unique_identifier: str | None = None
    user_id: str | int | None = None
    image_url: str | None = None
    likes: Any = None
    replies: Any = None
    liked: Any = None
    pinned: Any = None


BUSINESS_FIELDS = {
    "user.info.basic": ("display_name", "profile_image"),
    "user.info.username": ("username",),
    "user.info.profile": ("bio_description", "is_verified"),
    "user.info.stats": ("followers_count", "following_count", "total_likes", "videos_count"),
    "user.account.type": ("is_business_account",),
}
"""Which permission opens which of the account's fields. One field too many, and TikTok tells none of them."""

ITEM_FIELDS = (
    "item_id",
    "create_time",
    "caption",
    "share_url",
    "thumbnail_url",
    "media_type",
    "is_ad",
    "video_duration",
    "video_views",
    "likes",
    "comments",
    "shares",
    "favorites",
)
PERSON_FIELDS = {
    "user.info.basic": ("open_id", "avatar_url", "display_name"),
    "user.info.profile": ("username", "bio_description", "is_verified"),
    "user.info.stats": ("follower_count", "following_count", "likes_count", "video_count"),
}
FILM_FIELDS = (
    "id",
    "create_time",
    "title",
    "video_description",
    "share_url",
    "cover_image_url",
    "duration",
    "is_aigc",
    "view_count",
    "like_count",
    "comment_count",
    "share_count",
)
