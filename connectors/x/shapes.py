"""What X is asked for, and the shapes of what it answers: unknown keys are ignored, ids are required.

What an item only shows besides is of any type: where X tells it otherwise than it
should, the item is read without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1)]

POST_FIELDS = (
    "id",
    "text",
    "attachments",
    "author_id",
    "conversation_id",
    "created_at",
    "edit_controls",
    "edit_history_tweet_ids",
    "entities",
    "geo",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "possibly_sensitive",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
    "withheld",
)
USER_FIELDS = (
    "id",
    "name",
    "username",
    "created_at",
    "description",
    "entities",
    "location",
    "pinned_tweet_id",
    "profile_banner_url",
    "profile_image_url",
    "protected",
    "public_metrics",
    "url",
    "verified",
    "verified_type",
    "withheld",
)
MEDIA_FIELDS = ("media_key", "type", "url", "preview_image_url", "variants", "alt_text", "duration_ms")

_FILES: Mapping[str, str] = {"media.fields": ",".join(MEDIA_FIELDS)}
_WRITERS: Mapping[str, str] = {"user.fields": "id,name,username,protected"}

POSTS_ASKED: Mapping[str, str] = {
    "tweet.fields": ",".join(POST_FIELDS),
    "expansions": "author_id,attachments.media_keys,attachments.poll_ids,geo.place_id,edit_history_tweet_ids,"
    "referenced_tweets.id,referenced_tweets.id.author_id",
    "poll.fields": "id,options,voting_status,end_datetime,duration_minutes",
    "place.fields": "id,full_name,country_code",
    **_FILES,
    **_WRITERS,
}
"""With a post come its writer, its files, its poll, its earlier versions, and what it quotes, reposts or answers."""

PROFILE_ASKED: Mapping[str, str] = {"user.fields": ",".join(USER_FIELDS)}
NAMES_ASKED: Mapping[str, str] = {"user.fields": "id,name,username"}
MESSAGES_ASKED: Mapping[str, str] = {
    "dm_event.fields": "id,event_type,text,created_at,dm_conversation_id,sender_id,participant_ids,attachments,"
    "referenced_tweets,entities",
    "expansions": "sender_id,attachments.media_keys",
    **_FILES,
    **_WRITERS,
}


class Reference(msgspec.Struct):
    """That a post answers, quotes or reposts another."""

    type: str
    id: Id


class Attached(msgspec.Struct):
    """The files and polls of a post, by their keys. A key that is none leaves open which files there are."""

    media_keys: list[Any] = []
    poll_ids: list[Id] = []

    @property
    def keys(self) -> list[str]:
        """The keys of the files."""
        return [key for key in self.media_keys if isinstance(key, str)]


class Note(msgspec.Struct):
    """The whole words of a post that is longer than 280 characters."""

    text: str
    entities: Any = None


class Named(msgspec.Struct):
    """Which post something is, and to which others it refers."""

    id: Id
    in_reply_to_user_id: str | None = None
    edit_history_tweet_ids: list[Id] = []
    referenced_tweets: list[Reference] = []

    @property
    def ids(self) -> list[str]:
        """The ids of all its versions, the first one first. Each id is greater than those before it."""
        known = self.edit_history_tweet_ids
        if self.id not in known:
            return [self.id]
        return sorted(known, key=lambda one: (len(one), one)) if len(known) > 1 else known

    @property
    def first(self) -> str:
        """The id with which the post began: an edit gives it another, and the first one names the record."""
        return self.ids[0]

    @property
    def last(self) -> str:
        """The id that it bears after its last edit."""
        return self.ids[-1]

    def refers(self, how: str) -> str | None:
        """The id of what it answers ("replied_to"), quotes ("quoted") or reposts ("retweeted")."""
        return next((one.id for one in self.referenced_tweets if one.type == how), None)


class Post(Named, kw_only=True):
    """A post, a reply, a quotation or a repost: X has one shape for all of them."""

    text: str
    author_id: Id
    created_at: str | None = None
    conversation_id: str | None = None
    edit_controls: Any = None
    attachments: Attached | None = None
    public_metrics: Any = None
    note_tweet: Note | None = None
    lang: Any = None
    entities: Any = None
    geo: Any = None
    possibly_sensitive: Any = None
    reply_settings: Any = None
    withheld: Any = None


class User(msgspec.Struct):
    """An account; `name` is None where X does not tell it."""

    id: Id
    username: str
    name: str | None = None
    description: str = ""
    created_at: str | None = None
    entities: Any = None
    location: str | None = None
    pinned_tweet_id: str | None = None
    profile_banner_url: str | None = None
    profile_image_url: str | None = None
    protected: bool | None = None
    public_metrics: Any = None
    url: str | None = None
    verified: bool | None = None
    verified_type: str | None = None
    withheld: Any = None


class Media(msgspec.Struct):
    """A picture or a film; a film has no address but those of its variants."""

    media_key: Id
    type: str | None = None
    url: str | None = None
    preview_image_url: str | None = None
    variants: Any = None
    alt_text: str | None = None


class Choice(msgspec.Struct):
    """One choice of a poll."""

    label: str
    position: Any = None
    votes: Any = None


class Poll(msgspec.Struct):
    """A question with choices."""

    id: Id
    options: list[Choice]
    voting_status: Any = None
    end_datetime: Any = None


class Location(msgspec.Struct):
    """Where a post says that it was written."""

    id: Id
    full_name: str | None = None
    country_code: Any = None


class Event(msgspec.Struct):
    """Something in a private conversation: a message, or that somebody joined or left."""

    id: Id
    event_type: str
    text: str | msgspec.UnsetType | None = msgspec.UNSET
    created_at: str | None = None
    dm_conversation_id: str | None = None
    sender_id: str | None = None
    participant_ids: Any = None
    attachments: Attached | None = None
    referenced_tweets: Any = None
    entities: Any = None


class Shown(msgspec.Struct):
    """That X shows something under an id, whatever it says of it."""

    id: Any = None


class Meta(msgspec.Struct):
    """How many items an answer holds, and what leads on."""

    result_count: int | None = None
    next_token: str | None = None


class Problem(msgspec.Struct):
    """X's own word for what it did not answer: RFC 7807's shape, alone or among the `errors` of an answer."""

    title: str = ""
    detail: str = ""
    type: str = ""
    message: str = ""
    reason: str = ""
    parameter: str = ""
    parameters: Any = None
    section: str = ""
    value: Any = None
    resource_id: Any = None
    resource_type: str = ""
    code: int | None = None
    period: str = ""
    product_name: str = ""

    @property
    def name(self) -> str:
        """Its kind: the last step of its address ("resource-not-found"); the host of those addresses has changed."""
        return self.type.rstrip("/").rpartition("/")[2] if self.type != "about:blank" else ""

    @property
    def about(self) -> str:
        """The id that it speaks of."""
        return str(self.resource_id or self.value or "")

    @property
    def says(self) -> str:
        """For a person: its kind and its title."""
        return (
            " ".join(part for part in (self.name, self.title or self.message) if part) or "without a reason"
        )

    @property
    def not_found(self) -> bool:
        """Whether it says that there is no such thing. A suspended account bears the same type under another title."""
        return self.name == "resource-not-found" and self.title.lower().startswith("not found")

    @property
    def of_a_reference(self) -> bool:
        """Whether it speaks of something that belongs to an item of the answer, and not of the list itself."""
        return self.section == "includes" or self.parameter.partition(".")[0] in _REFERENCES


_REFERENCES = frozenset(
    {"referenced_tweets", "attachments", "author_id", "geo", "edit_history_tweet_ids", "pinned_tweet_id",
     "in_reply_to_user_id", "entities", "sender_id", "participant_ids"}
)  # fmt: skip
"""Parameters whose errors are about what an expansion should have brought: a quoted post that was deleted."""


class Usage(msgspec.Struct):
    """What X counts of the posts that an application's project has read since its billing month began."""

    project_usage: Any = None
    project_cap: Any = None
    cap_reset_day: int | None = None
