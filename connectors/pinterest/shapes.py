"""What is read of Pinterest's answers. Unknown keys are ignored, ids are required."""

from __future__ import annotations

from typing import Any

import msgspec


class Account(msgspec.Struct):
    """The account that signed in, as it introduces itself. Older answers bear no id."""

    username: str
    id: str | None = None
    account_type: str | None = None
    business_name: str | None = None
    about: str | None = None
    website_url: str | None = None
    profile_image: str | None = None
    pin_count: int | None = None
    board_count: int | None = None
    follower_count: int | None = None
    following_count: int | None = None
    monthly_views: int | None = None


class Board(msgspec.Struct):
    """A board. Its pictures are those of its pins, and change with them."""

    id: str
    name: str
    description: str | None = None
    privacy: str | None = None
    owner: Any = None
    created_at: str | None = None
    pin_count: int | None = None
    follower_count: int | None = None
    collaborator_count: int | None = None
    is_ads_only: bool | None = None


class Section(msgspec.Struct):
    """A part of a board."""

    id: str
    name: str


class Pin(msgspec.Struct):
    """A pin, of whatever creative type."""

    id: str
    created_at: str | None = None
    title: str | None = None
    description: str | None = None
    alt_text: str | None = None
    link: str | None = None
    note: str | None = None
    board_id: str | None = None
    board_section_id: str | None = None
    board_owner: Any = None
    parent_pin_id: str | None = None
    creative_type: str | None = None
    media: Any = None
    is_owner: bool | None = None
    has_been_promoted: bool | None = None
    pin_metrics: Any = None
