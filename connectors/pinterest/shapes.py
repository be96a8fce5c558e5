"""What is read of Pinterest's answers. Unknown keys are ignored, ids are required."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")] | Annotated[int, msgspec.Meta(ge=0)]
"""What an item is known by: a number, which is written as a text. It becomes a part of addresses."""


_WORDS = ("title", "description", "link")
"""What is written to each picture of a pin that has several."""


class Account(msgspec.Struct):
    """The account that signed in, as it introduces itself. Older answers bear no id."""

    username: str
    number: Id | None = msgspec.field(default=None, name="id")
    account_type: str | None = None
    business_name: str | None = None
    about: str | None = None
    website_url: str | None = None
    profile_image: str | None = None
    pin_count: Any = None
    board_count: Any = None
    follower_count: Any = None
    following_count: Any = None
    monthly_views: Any = None

    @property
    def id(self) -> str | None:
        return _written(self.number)


class Owner(msgspec.Struct):
    """Whose a board is."""

    username: str | None = None


class Board(msgspec.Struct):
    """A board. Its pictures are those of its pins, and change with them."""

    number: Id = msgspec.field(name="id")
    name: str = msgspec.field()
    description: str | None = None
    privacy: str | None = None
    owner: Owner | None = None
    created_at: str | None = None
    pin_count: Any = None
    follower_count: Any = None
    collaborator_count: Any = None
    is_ads_only: Any = None

    @property
    def id(self) -> str:
        return str(self.number)


class Section(msgspec.Struct):
    """A part of a board."""

    number: Id = msgspec.field(name="id")
    name: str = msgspec.field()

    @property
    def id(self) -> str:
        return str(self.number)


class Pin(msgspec.Struct):
    """A pin, of whatever creative type."""

    number: Id = msgspec.field(name="id")
    created_at: str | None = None
    title: str | None = None
    description: str | None = None
    alt_text: Any = None
    link: str | None = None
    note: str | None = None
    board_number: Id | None = msgspec.field(default=None, name="board_id")
    section_number: Id | None = msgspec.field(default=None, name="board_section_id")
    board_owner: Any = None
    parent_number: Id | None = msgspec.field(default=None, name="parent_pin_id")
    creative_type: str | None = None
    media: Any = None
    is_owner: bool | None = None
    has_been_promoted: Any = None
    pin_metrics: Any = None

    def __post_init__(self) -> None:
        """Refuse words of which it cannot be told what they are: without them the pin would be another one."""
        listed = self.media.get("items") if isinstance(self.media, dict) else None
        if listed is not None and not isinstance(listed, list):
            raise ValueError("its pictures are no list, and their words are not told")
        parts = listed or []
        words = [one.get(name) for one in parts if isinstance(one, dict) for name in _WORDS]
        odd = [one for one in words if one is not None and not isinstance(one, str)]
        if odd or (any(words) and any(not isinstance(one, dict) for one in parts)):
            raise ValueError("the words of one of its pictures are of another type")

    @property
    def id(self) -> str:
        return str(self.number)

    @property
    def board_id(self) -> str | None:
        return _written(self.board_number)

    @property
    def board_section_id(self) -> str | None:
        return _written(self.section_number)

    @property
    def parent_pin_id(self) -> str | None:
        return _written(self.parent_number)


def _written(number: str | int | None) -> str | None:
    return None if number is None else str(number)
