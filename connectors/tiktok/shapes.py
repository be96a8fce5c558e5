"""What is read of TikTok's answers. Unknown keys are ignored, ids are required, and numbers come as texts or as numbers.

What no words, no writer and no state depend on may be of any type. Whatever
else is of another one makes the item one that cannot be read.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{1,64}\Z")] | Annotated[int, msgspec.Meta(ge=0)]
"""What an item is known by. It becomes a part of what is asked."""

Above = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{0,64}\Z")] | Annotated[int, msgspec.Meta(ge=0)]
"""What an item answers; empty or 0 where it answers nothing but the video."""


class Granted(msgspec.Struct):
    """Whose a token is, and what it permits."""

    creator_id: str | int
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

    item_id: Id
    create_time: Any = None
    caption: str | None = None
    share_url: str | None = None
    thumbnail_url: Any = None
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

    id: Id
    create_time: Any = None
    title: str | None = None
    video_description: str | None = None
    share_url: str | None = None
    cover_image_url: Any = None
    duration: Any = None
    is_aigc: Any = None
    view_count: Any = None
    like_count: Any = None
    comment_count: Any = None
    share_count: Any = None


class Comment(msgspec.Struct):
    """A comment, or an answer to one: TikTok knows no answers to answers."""

    comment_id: Id
    text: str | None = None
    create_time: Any = None
    parent_comment_id: Above | None = None
    status: str | None = None
    owner: bool | float | str | None = None
    username: Any = None
    display_name: Any = None
    unique_identifier: str | int | None = None
    user_id: str | int | None = None
    image_url: Any = None
    likes: Any = None
    replies: Any = None
    liked: Any = None
    pinned: Any = None

    def __post_init__(self) -> None:
        """Refuse what is neither told by whom it is nor that nobody is told."""
        if not (self.named or self.unique_identifier or self.user_id):
            raise ValueError("it is told by no id who wrote it, and by a name of another type")

    @property
    def named(self) -> bool:
        """Whether the names of who wrote it are told, or that there are none."""
        return all(one is None or isinstance(one, str) for one in (self.username, self.display_name))


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
