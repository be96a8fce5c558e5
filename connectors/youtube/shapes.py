"""What is read of YouTube's answers. Unknown keys are ignored, ids and words are required."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1)]


class _Shape(msgspec.Struct, rename="camel"):
    """Named as YouTube names it: `textDisplay` for `text_display`."""


class Writer(_Shape):
    """The channel of whoever wrote a comment."""

    value: str = ""


class CommentSnippet(_Shape):
    """What a comment says; what `textFormat` asks for decides how `text_display` is written."""

    text_display: str
    text_original: str | None = None
    author_display_name: str | None = None
    author_channel_url: str | None = None
    author_channel_id: Writer | None = None
    video_id: str | None = None
    parent_id: str | None = None
    like_count: int | None = None
    moderation_status: str | None = None
    published_at: str | None = None
    updated_at: str | None = None


class Comment(_Shape):
    """A comment of either depth: YouTube knows comments and replies, and no replies to replies."""

    id: Id
    snippet: CommentSnippet


class First(_Shape):
    """The comment that begins a thread. It bears the id of its thread."""

    snippet: CommentSnippet
    id: Any = ""


class ThreadSnippet(_Shape):
    """A comment with what is counted below it."""

    top_level_comment: First
    video_id: str | None = None
    total_reply_count: int | None = None
    is_public: bool | None = None


class Thread(_Shape):
    """A thread; the replies that stand inside it are read from their own bytes."""

    snippet: ThreadSnippet
    id: Any = ""

    def __post_init__(self) -> None:
        first = self.snippet.top_level_comment
        told = [one for one in (first.id, self.id) if one and isinstance(one, str)]
        if not told:
            raise ValueError("neither the thread nor its comment has an id")
        self.id = first.id = told[0]


class Named(_Shape):
    """Something of which only the id counts."""

    id: Id


class UploadDetails(_Shape):
    """Which video a row of the list of uploads is about. A video that is not public bears no time there."""

    video_id: Id
    video_published_at: Any = None


class Upload(_Shape):
    """A row of the list of uploads. It has an id of its own, by which nothing is known."""

    content_details: UploadDetails


class VideoSnippet(_Shape):
    """What the agency wrote about a video."""

    title: str
    description: str
    channel_id: Id
    published_at: str | None = None
    channel_title: str | None = None
    thumbnails: Any = None
    tags: list[str] | None = None
    category_id: str | None = None
    live_broadcast_content: str | None = None
    default_language: str | None = None
    default_audio_language: str | None = None


class VideoStatus(_Shape):
    """To whom a video is shown, and what became of its upload. Without the first nobody knows whether it is hidden."""

    privacy_status: Id
    upload_status: str | None = None
    failure_reason: str | None = None
    rejection_reason: str | None = None
    publish_at: str | None = None
    license: str | None = None
    made_for_kids: bool | None = None
    contains_synthetic_media: bool | None = None


class VideoDetails(_Shape):
    """How long a video is, and whether it has captions (as the text "true")."""

    duration: str | None = None
    caption: str | None = None


class Video(_Shape):
    """A video."""

    id: Id
    snippet: VideoSnippet
    status: VideoStatus
    content_details: VideoDetails | None = None
    statistics: Any = None
    live_streaming_details: Any = None
    file_details: Any = None
    localizations: dict[str, Any] | None = None


class Standing(_Shape):
    """How a video stands."""

    id: Id
    status: VideoStatus


class ChannelSnippet(_Shape):
    """How a channel introduces itself."""

    title: str
    description: str = ""
    custom_url: str | None = None
    published_at: str | None = None
    country: str | None = None
    default_language: str | None = None
    thumbnails: Any = None


class RelatedPlaylists(_Shape):
    """The lists that YouTube keeps of a channel."""

    uploads: str | None = None


class ChannelDetails(_Shape):
    """Where what a channel publishes is listed."""

    related_playlists: RelatedPlaylists | None = None


class Channel(_Shape):
    """A channel."""

    id: Id
    snippet: ChannelSnippet
    content_details: ChannelDetails | None = None
    statistics: Any = None
    status: Any = None
    branding_settings: Any = None
    localizations: Any = None


class TrackSnippet(_Shape):
    """What a track of captions is; a machine's own has the kind `asr`."""

    last_updated: str
    track_kind: str
    language: str = ""
    name: str = ""
    is_draft: bool = False


class Track(_Shape):
    """A track of captions."""

    id: Id
    snippet: TrackSnippet
