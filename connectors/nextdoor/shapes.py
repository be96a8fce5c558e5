"""What is read of Nextdoor's answers. Unknown keys are ignored, ids are required, and so are the words of a post or comment.

What only some answers have, or programs of others know in several forms, is
taken as it comes, and weighed where it is used.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1)] | int


class Profile(msgspec.Struct):
    """An account, or one of the profiles of an account that has several."""

    id: Id
    agency_id: Any = None
    agency_name: Any = None
    agency_url_at_nextdoor: Any = None
    agency_external_url: Any = None
    agency_photo: Any = None
    agency_city: Any = None
    agency_state: Any = None
    is_agency_profile: Any = None
    account_creation_date: Any = None
    status: Any = None
    verified: Any = None


class Area(msgspec.Struct):
    """An area that an agency may address."""

    name: str
    group_id: Id
    geometry_id: Any = None
    type: Any = None


class Agency(msgspec.Struct):
    """An agency in the list of those of a state."""

    id: Id
    name: str
    category: Any = None
    city: Any = None
    state: Any = None
    country: Any = None
    display_email: Any = None
    phone_number: Any = None
    post_count: Any = None
    public_url: Any = None


class Post(msgspec.Struct):
    """A post, as an account is told its own, or as the public feed shows it.

    What answers it is read from its own bytes.
    """

    id: Id
    body: str | None
    title: Any = None
    user_entered_subject: Any = None
    author: Any = None
    author_id: Any = None
    creation_date_epoch_seconds: Any = None
    url: Any = None
    public_post_url: Any = None
    media: Any = None
    video_preview_url: Any = None
    category: Any = None
    scope: Any = None
    group_ids: Any = None
    latitude: Any = None
    longitude: Any = None
    has_geo_tag: Any = None
    smartlink_url: Any = None
    event: Any = None
    poll: Any = None
    reactions: Any = None
    reaction_types: Any = None
    like_count: Any = None
    downvote_count: Any = None
    comment_count: Any = None
    comment_closed: Any = None


class Comment(msgspec.Struct):
    """What answers a post, or another comment."""

    id: Id
    body: str | None
    creation_date_epoch_seconds: Any = None
    creation_date: Any = None
    parent_comment_id: Any = None
    author: Any = None
    author_id: Any = None
    author_name: Any = None
    author_type: Any = None
    media: Any = None
    like_count: Any = None
    downvote_count: Any = None
