"""What is read of LinkedIn's answers. Unknown keys are ignored, ids are required, times are milliseconds since 1970."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

_Name = Annotated[str, msgspec.Meta(min_length=1)]
_Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,25}$")]


class _Shape(msgspec.Struct, rename="camel"):
    """Named as LinkedIn names it: `lastModifiedAt` for `last_modified_at`."""


class Lifecycle(_Shape):
    """Whether a post was edited after it was published."""

    is_edited_by_author: bool = False


class Post(_Shape):
    """A post of the page. One that is no more than a text has an empty `content`."""

    id: _Name
    author: str = ""
    commentary: str = ""
    visibility: str = ""
    lifecycle_state: str = ""
    lifecycle_state_info: Lifecycle | None = None
    created_at: int | None = None
    published_at: int | None = None
    last_modified_at: int | None = None
    content: Any = None
    distribution: Any = None
    reshare_context: Any = None
    ad_context: Any = None
    content_landing_page: str | None = None
    content_call_to_action_label: str | None = None
    is_reshare_disabled_by_author: bool | None = None


class CommentSummary(_Shape):
    """How many comments LinkedIn counts below a post, in all and directly."""

    count: int = 0
    top_level_count: int = 0


class Metadata(_Shape):
    """What LinkedIn counts of a post. `entity` is the activity on which its comments hang."""

    entity: str = ""
    comments_state: str = ""
    comment_summary: CommentSummary | None = None
    reaction_summaries: Any = None


class Stamp(_Shape):
    """When something was done to a comment."""

    time: int | None = None


class Message(_Shape):
    """What a comment says, and where in it somebody is mentioned."""

    text: str = ""
    attributes: Any = None


class Summary(_Shape):
    """How many answers a comment has, where LinkedIn says so."""

    total_first_level_comments: int | None = None


class Likes(_Shape):
    """How many like a comment."""

    total_likes: int | None = None


class Comment(_Shape):
    """A comment of either depth. `agent` is who of the agency's people wrote it in the page's name."""

    id: _Name | int
    object: str = ""
    comment_urn: str | None = None
    urn: str | None = msgspec.field(default=None, name="$URN")
    actor: str = ""
    agent: str | None = None
    parent_comment: str | None = None
    message: Message | None = None
    created: Stamp | None = None
    last_modified: Stamp | None = None
    content: Any = None
    comments_summary: Summary | None = None
    likes_summary: Likes | None = None


class File(_Shape):
    """A picture, video or document: an address that expires, once it can be fetched."""

    id: str = ""
    status: str = ""
    download_url: str | None = None


class Person(_Shape):
    """Who commented, as far as LinkedIn tells."""

    localized_first_name: str = ""
    localized_last_name: str = ""
    vanity_name: str | None = None


class Organisation(_Shape):
    """An organisation's page. Other than its name, not everybody is told everything."""

    id: int | _Number
    localized_name: str = ""
    vanity_name: str | None = None
    localized_description: str | None = None
    localized_website: str | None = None
    tagline: Any = None
    logo_v2: Any = None
    cover_photo_v2: Any = None
    locations: Any = None
    organization_type: str | None = None
    organization_status: str | None = None
    localized_specialties: Any = None
    industries: Any = None
    staff_count_range: str | None = None
    founded_on: Any = None
    default_locale: Any = None


class Role(_Shape):
    """What whoever connected the page may do on an organisation."""

    role: str = ""
    state: str = ""
    organization: str = ""
    organization_target: str = ""

    @property
    def of(self) -> str:
        """The organisation: LinkedIn's reference has it under two names."""
        return self.organization or self.organization_target


class Source(_Shape):
    """Of a post that a notice is about: what the list of posts calls it."""

    entity: str | None = None


class Notice(_Shape):
    """Something that happened on the page: a comment, an edit of one, a removal."""

    action: str
    notification_id: int | str | None = None
    source_post: str | None = None
    generated_activity: str | None = None
    last_modified_at: int | None = None
    decorated_source_post: Source | None = None
