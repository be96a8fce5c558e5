"""What is read of Reddit's answers. Unknown keys are ignored; names, of which an id alone is one, and words are required."""

from __future__ import annotations

from typing import Any

import msgspec


class _Children(msgspec.Struct):
    children: msgspec.Raw = msgspec.Raw(b"[]")


class Replies(msgspec.Struct):
    """What stands below a comment, left in its own bytes."""

    data: _Children


class _Said(msgspec.Struct, kw_only=True):
    """What comments and submissions have in common. What only moderators are told is missing or null for others."""

    name: str = ""
    id: str | int | None = None
    author: str | None = None
    author_fullname: str | None = None
    author_flair_text: str | None = None
    subreddit: str | None = None
    subreddit_id: str | None = None
    permalink: str | None = None
    created_utc: float | None = None
    edited: Any = False
    score: int | None = None
    distinguished: str | None = None
    stickied: bool | None = None
    locked: bool | None = None
    media_metadata: Any = None
    can_mod_post: bool | None = None
    banned_by: Any = None
    banned_at_utc: float | None = None
    ban_note: Any = None
    removed: bool | None = None
    spam: bool | None = None
    mod_note: Any = None
    mod_reason_title: Any = None
    mod_reason_by: Any = None
    mod_reports: Any = None
    user_reports: Any = None
    num_reports: int | None = None


class Comment(_Said, kw_only=True):
    """A comment. `replies` is an empty text where none stand below it, or in a flat list."""

    parent_id: str
    body: str
    body_html: str | None = None
    link_id: str = ""
    replies: Replies | str | None = None
    collapsed_reason_code: Any = None
    link_title: str | None = None
    link_permalink: str | None = None


class Submission(_Said, kw_only=True):
    """A submission."""

    title: str
    selftext: str = ""
    selftext_html: str | None = None
    removed_by_category: str | None = None
    is_self: bool | None = None
    url: str | None = None
    num_comments: int | None = None
    num_crossposts: int | None = None
    link_flair_text: str | None = None
    over_18: bool | None = None
    spoiler: bool | None = None
    archived: bool | None = None
    gallery_data: Any = None
    media: Any = None
    poll_data: Any = None
    crosspost_parent: str | None = None
    crosspost_parent_list: Any = None


class MoreOf(msgspec.Struct):
    """Comments that are not shown here: their ids, or none of them where a thread goes on below `parent_id`."""

    parent_id: str
    children: list[Any] = []

    @property
    def ids(self) -> list[str]:
        """The ids; one that is written as a number is the same."""
        return [str(one) for one in self.children if is_id(one)]

    @property
    def whole(self) -> bool:
        """Whether each of its children is an id."""
        return all(is_id(one) for one in self.children)


class ActionOf(msgspec.Struct, kw_only=True):
    """What a moderator did, as the moderation log has it."""

    id: str | int
    action: str
    mod: str | None = None
    mod_id36: str | None = None
    created_utc: float | None = None
    details: str | None = None
    description: str | None = None
    target_fullname: str | None = None
    target_author: str | None = None
    target_title: str | None = None
    target_body: str | None = None
    target_permalink: str | None = None


class ForumOf(msgspec.Struct, kw_only=True):
    """A subreddit's introduction; it says too whether whoever asks moderates it."""

    name: str
    display_name: str
    title: str = ""
    public_description: str | None = None
    description: str | None = None
    submit_text: str | None = None
    subscribers: int | None = None
    created_utc: float | None = None
    subreddit_type: str | None = None
    lang: str | None = None
    over18: bool | None = None
    quarantine: bool | None = None
    icon_img: str | None = None
    community_icon: str | None = None
    banner_img: str | None = None
    banner_background_image: str | None = None
    user_is_moderator: bool | None = None


class AccountOf(msgspec.Struct, kw_only=True):
    """An account's introduction. Of a suspended one Reddit tells its name and that it is."""

    name: str
    id: str | None = None
    is_suspended: bool | None = None
    created_utc: float | None = None
    link_karma: int | None = None
    comment_karma: int | None = None
    verified: bool | None = None
    icon_img: str | None = None
    subreddit: Any = None


class WikiOf(msgspec.Struct, kw_only=True):
    """A page of a subreddit's wiki."""

    content_md: str
    revision_date: float | None = None
    revision_by: Any = None


class T1(msgspec.Struct, tag_field="kind", tag="t1"):
    """A comment, as it stands in a list."""

    data: Comment

    def __post_init__(self) -> None:
        self.data.name = _full_name("t1", self.data.name, self.data.id)
        if not self.data.parent_id.startswith(("t1_", "t3_")):
            raise ValueError("it names neither a comment nor a submission that it answers")


class T3(msgspec.Struct, tag_field="kind", tag="t3"):
    """A submission, as it stands in a list."""

    data: Submission

    def __post_init__(self) -> None:
        self.data.name = _full_name("t3", self.data.name, self.data.id)


class More(msgspec.Struct, tag_field="kind", tag="more"):
    """Comments that are not shown, as they stand in a list."""

    data: MoreOf


class Action(msgspec.Struct, tag_field="kind", tag="modaction"):
    """An entry of the moderation log."""

    data: ActionOf

    def __post_init__(self) -> None:
        if not is_id(self.data.id):
            raise ValueError("it has no id")


class T5(msgspec.Struct, tag_field="kind", tag="t5"):
    """A subreddit."""

    data: ForumOf


class T2(msgspec.Struct, tag_field="kind", tag="t2"):
    """An account."""

    data: AccountOf


class Wiki(msgspec.Struct, tag_field="kind", tag="wikipage"):
    """A page of the wiki."""

    data: WikiOf


Thing = T1 | T3 | More | Action | T5


class Rule(msgspec.Struct):
    """One of a subreddit's rules."""

    short_name: str = ""
    description: str = ""
    kind: str | None = None


class Rules(msgspec.Struct):
    """A subreddit's rules."""

    rules: list[Rule]


class Person(msgspec.Struct):
    """Somebody in a list of people: who moderates, who may not write."""

    name: str
    id: str | None = None
    date: float | None = None
    note: str | None = None
    mod_permissions: Any = None


def is_id(told: object) -> bool:
    """Whether it is an id: a text, or the same as a number."""
    return (isinstance(told, str) and bool(told)) or (isinstance(told, int) and not isinstance(told, bool))


def _full_name(kind: str, name: str, number: object) -> str:
    """The full name of something of that kind, which its id tells as well."""
    if not name and is_id(number):
        return f"{kind}_{number}"
    if not name.startswith(f"{kind}_") or name == f"{kind}_":
        raise ValueError(f"it has no full name of its kind ({kind}_…)")
    return name
