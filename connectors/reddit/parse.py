"""What Reddit's answers say: things with their bytes in, observations and sightings out. Asks nobody.

A submission, a comment and a subreddit are known by their full names (`t3_…`,
`t1_…`, `t5_…`), which never change. An entry of the moderation log is
`log:ModAction_…`; rules, AutoModerator's instructions, moderators and banned
people are a record each.

What was taken away stands in lists all the same, without its words:

- author and words `[deleted]`, or `removed_by_category` `deleted`: its author
  has deleted it, and Reddit shows it to nobody: gone;
- words `[removed]`: a moderator, AutoModerator or Reddit's filter has removed
  it. Those who moderate the subreddit are shown its words, with `banned_by`;
  they are observed, and hidden. To everybody else only that is told: hidden;
- words `[ Removed by Reddit …`, or a category of Reddit's own staff: nobody is
  shown it: gone;
- words `[unavailable]`: whoever wrote them has blocked whoever has signed in.
  That tells nothing of how it stands.

An author `[deleted]` whose words still stand has left Reddit; the words are
present, and nobody's.

What a comment is follows from the comment alone: a reply where the agency
speaks (an account that is named so, or Reddit's own mark of a moderator who
speaks as one), else a comment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import NoneType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from connectors.contract import Attachment, Author, Gap, Kind, Observation, Sighting, Span, State
from connectors.failing import AGAIN
from connectors.pieces import Seen
from connectors.reddit.shapes import (
    T1,
    T2,
    T3,
    T5,
    Action,
    Comment,
    More,
    Person,
    Rules,
    Submission,
    Thing,
    Wiki,
)

SITE = "https://www.reddit.com"

DELETED, REMOVED, UNAVAILABLE = "[deleted]", "[removed]", "[unavailable]"
_BY_REDDIT = re.compile(r"\[ removed by reddit(?: [^\[].*)? \]", re.IGNORECASE | re.DOTALL)
"""Reddit's own mark, with or without its reason. What people write may begin like it, and is theirs."""
_NOBODY = frozenset({DELETED, REMOVED})
_STAFF = frozenset(
    {"anti_evil_ops", "community_ops", "content_takedown", "copyright_takedown", "legal_operations"}
)
"""Categories of a removal by Reddit's own people, after which nobody is shown the words."""

_LATEST = 253_402_300_800
_ANIMATED = "AnimatedImage"


@dataclass(frozen=True, slots=True)
class Told:
    """How something stands, and Reddit's own word for it."""

    state: State
    reason: str


def moment(seconds: float | None) -> datetime | None:
    """A time as Reddit writes it, in seconds; None where there is none."""
    if seconds is None or not 0 < seconds < _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)


# -- what stands where words were ------------------------------------------------------------------------------


def taken(read: Comment | Submission) -> Told | None:
    """How something stands whose words are not shown; None where they are."""
    return _taken_comment(read) if isinstance(read, Comment) else _taken_submission(read)


def standing(read: Comment | Submission) -> Told:
    """How something stands, whether its words are shown or not."""
    without = taken(read)
    if without is not None:
        return without
    by = _removed(read)
    return Told(State.HIDDEN, f"200 {by}") if by else Told(State.PRESENT, "200")


def _taken_comment(read: Comment) -> Told | None:
    if read.author == UNAVAILABLE or (read.author in _NOBODY and read.body == UNAVAILABLE):
        return Told(State.UNKNOWN, "200 body [unavailable]")
    if _BY_REDDIT.fullmatch(read.body.strip()):
        return Told(State.GONE, "200 body [ Removed by Reddit ]")
    if read.author not in _NOBODY or read.author_fullname:
        return None
    if read.body == DELETED:
        return Told(State.GONE, "200 author [deleted], body [deleted]")
    return Told(State.HIDDEN, "200 body [removed]") if read.body == REMOVED else None


def _taken_submission(read: Submission) -> Told | None:
    category, nobody = read.removed_by_category, read.author in _NOBODY and not read.author_fullname
    if read.author == UNAVAILABLE:
        return Told(State.UNKNOWN, "200 author [unavailable]")
    if category == "deleted" or (nobody and read.selftext == DELETED):
        said = f"removed_by_category {category}" if category else "author [deleted], selftext [deleted]"
        return Told(State.GONE, f"200 {said}")
    if any(_BY_REDDIT.fullmatch(one.strip()) for one in (read.selftext, read.title)):
        return Told(State.GONE, f"200 [ Removed by Reddit ], removed_by_category {category}")
    if nobody and category in _STAFF:
        return Told(State.GONE, f"200 removed_by_category {category}")
    if nobody and (category is not None or read.selftext == REMOVED):
        return Told(
            State.HIDDEN, f"200 removed_by_category {category}" if category else "200 selftext [removed]"
        )
    if category is not None and read.selftext == REMOVED:
        return Told(State.HIDDEN, f"200 removed_by_category {category}")
    return None


def _removed(read: Comment | Submission) -> str:
    """By what something is known to be removed whose words are shown to us; empty where it is not."""
    if isinstance(read, Submission) and read.removed_by_category:
        return f"removed_by_category {read.removed_by_category}"
    if read.spam:
        return "spam"
    if read.removed:
        return "removed"
    return "banned_by" if read.banned_by else ""


# -- submissions and comments ----------------------------------------------------------------------------------


def told(seen: Seen[Thing], speakers: Collection[str]) -> Observation | Sighting | None:
    """What a thing of a list tells; nothing of what is no record of its own."""
    what = seen.what
    if isinstance(what, (T1, T3)):
        without = taken(what.data)
        if without is not None:
            return Sighting(
                native_id=what.data.name,
                state=without.state,
                exchange=seen.span.exchange,
                reason=without.reason,
            )
        return comment(what.data, seen.span, speakers) if isinstance(what, T1) else post(what.data, seen.span)
    return action(what, seen.span) if isinstance(what, Action) else None


def post(read: Submission, span: Span) -> Observation:
    """A submission: its title and its words, what it links to, and its files."""
    original = _original(read)
    return Observation(
        native_id=read.name,
        kind=Kind.POST,
        state=standing(read).state,
        author=_author(read),
        text="\n\n".join(part for part in (read.title.strip(), read.selftext.strip()) if part),
        html=read.selftext_html or None,
        url=_address(read.permalink),
        published_at=moment(read.created_utc),
        edited_at=_edited(read.edited),
        attachments=tuple(_files(read, original)),
        files_told=_tells_files(_own(read)) and _tells_original(read, original),
        counts=_counted(
            score=read.score,
            comments=read.num_comments,
            crossposts=read.num_crossposts,
            reports=read.num_reports,
            votes=read.poll_data.get("total_vote_count") if isinstance(read.poll_data, dict) else None,
        ),
        extra=_told(
            title=read.title,
            link=None if read.is_self else read.url,
            flair=read.link_flair_text,
            over_18=read.over_18,
            spoiler=read.spoiler,
            archived=read.archived,
            poll=_options(read.poll_data),
            crosspost_of=read.crosspost_parent,
            crossposted=_quoted(original),
            removed_by_category=read.removed_by_category,
            **_moderated(read),
        ),
        evidence=(span,),
    )


def comment(read: Comment, span: Span, speakers: Collection[str]) -> Observation:
    """A comment, as it stands in whatever list."""
    ours = (read.author or "").lower() in speakers or read.distinguished == "moderator"
    return Observation(
        native_id=read.name,
        kind=Kind.REPLY if ours else Kind.COMMENT,
        state=standing(read).state,
        author=_author(read),
        text=read.body,
        html=read.body_html or None,
        url=_address(read.permalink),
        in_reply_to=read.parent_id,
        published_at=moment(read.created_utc),
        edited_at=_edited(read.edited),
        attachments=tuple(_media(read.media_metadata, ())),
        files_told=_tells_files({"media_metadata": read.media_metadata}),
        counts=_counted(score=read.score, reports=read.num_reports),
        extra=_told(
            submission=read.link_id,
            submission_title=read.link_title,
            submission_url=read.link_permalink,
            collapsed=read.collapsed_reason_code,
            **_moderated(read),
        ),
        evidence=(span,),
    )


def _moderated(read: Comment | Submission) -> dict[str, object]:
    """What moderators have done with something, and what they alone are told of it."""
    return {
        "subreddit": read.subreddit,
        "author_flair": read.author_flair_text,
        "distinguished": read.distinguished,
        "stickied": read.stickied or None,
        "locked": read.locked or None,
        "removed": read.removed or None,
        "spam": read.spam or None,
        # Reddit's own filter has no name: it stands there as `true`.
        "banned_by": "Reddit's filter" if read.banned_by is True else read.banned_by,
        "banned_at": read.banned_at_utc,
        "ban_note": read.ban_note,
        "removal_reason": read.mod_reason_title,
        "removal_reason_by": read.mod_reason_by,
        "moderators_note": read.mod_note,
        "moderators_reports": read.mod_reports,
        "reports": read.user_reports,
    }


def _author(read: Comment | Submission) -> Author | None:
    if not read.author:
        return None
    if read.author in _NOBODY:
        return Author()
    return Author(id=read.author_fullname, name=read.author, handle=f"u/{read.author}")


def _edited(told: Any) -> datetime | None:
    """Reddit writes `false`, a time, or for what was edited long ago `true`."""
    return moment(told) if isinstance(told, (int, float)) and not isinstance(told, bool) else None


def _address(permalink: str | None) -> str | None:
    return f"{SITE}{permalink}" if permalink and permalink.startswith("/") else permalink


def _original(read: Submission) -> dict[str, Any] | None:
    """What a crosspost shows of another submission; it stands inside, and belongs to it."""
    listed = read.crosspost_parent_list
    first = listed[0] if isinstance(listed, list) and listed else None
    return first if isinstance(first, dict) else None


def _quoted(original: dict[str, Any] | None) -> dict[str, object] | None:
    if original is None:
        return None
    names = ("name", "subreddit", "author", "title", "selftext", "permalink", "url")
    return {name: original[name] for name in names if original.get(name)}


def _options(poll: Any) -> list[str] | None:
    options = poll.get("options") if isinstance(poll, dict) else None
    if not isinstance(options, list):
        return None
    return [str(one["text"]) for one in options if isinstance(one, dict) and one.get("text")]


# -- files -----------------------------------------------------------------------------------------------------


def _files(read: Submission, original: dict[str, Any] | None) -> Iterator[Attachment]:
    """Gallery, pictures and film of a submission, and those of what it crossposts."""
    met: set[str] = set()
    for shown in (_own(read), original or {}):
        gallery = _gallery(shown.get("gallery_data"))
        files = (
            *_media(shown.get("media_metadata"), gallery),
            *_film(shown.get("media")),
            *_picture(shown.get("url")),
        )
        for file in files:
            if file.id not in met:
                met.add(file.id)
                yield file


def _own(read: Submission) -> dict[str, Any]:
    """What a submission says of its own files."""
    return {
        "gallery_data": read.gallery_data,
        "media_metadata": read.media_metadata,
        "media": read.media,
        "url": read.url,
    }


def _tells_files(shown: Mapping[str, Any]) -> bool:
    """Whether all that is said of files can be read: one that cannot be is not one that was taken out."""
    gallery, metadata, media = (shown.get(name) for name in ("gallery_data", "media_metadata", "media"))
    if not all(told is None or isinstance(told, dict) for told in (gallery, metadata, media)):
        return False
    items = (gallery or {}).get("items")
    film = (media or {}).get("reddit_video")
    return (
        (items is None or isinstance(items, list))
        and all(isinstance(one, dict) and isinstance(one.get("media_id"), str) for one in items or ())
        and all(
            isinstance(one, dict) and isinstance(one.get("s"), (dict, NoneType))
            for one in (metadata or {}).values()
        )
        and isinstance(film, (dict, NoneType))
        and isinstance((film or {}).get("fallback_url"), (str, NoneType))
        and isinstance(shown.get("url"), (str, NoneType))
    )


def _tells_original(read: Submission, original: dict[str, Any] | None) -> bool:
    """Whether what a crosspost shows of the other submission can be read, as far as it shows anything."""
    if original is None:
        return read.crosspost_parent_list in (None, [])
    return _tells_files(original)


def without_files(seen: Observation) -> Gap:
    """That files of an item are told in another shape."""
    why = f"Reddit tells a file of it in another shape; what was known of its files stands. {AGAIN}"
    return Gap(what="files", why=why, native_id=seen.native_id)


def _gallery(told: Any) -> Sequence[dict[str, Any]]:
    items = told.get("items") if isinstance(told, dict) else None
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _media(metadata: Any, gallery: Sequence[dict[str, Any]]) -> Iterator[Attachment]:
    """The files that Reddit holds for an item: those of the gallery in its order, then those inside the words.

    An address is signed anew each time; the name of the file stays.
    """
    files = metadata if isinstance(metadata, dict) else {}
    captions = {name: one for one in gallery if isinstance(name := one.get("media_id"), str)}
    names = [name for name in captions if name in files]
    for name in [*names, *(one for one in sorted(files) if one not in captions)]:
        told = files[name]
        source = told.get("s") if isinstance(told, dict) else None
        if not isinstance(source, dict):
            continue
        url = source.get("gif") if told.get("e") == _ANIMATED else source.get("u")
        kind, film = told.get("m"), source.get("mp4")
        yield Attachment(
            id=f"media:{name}",
            url=url if isinstance(url, str) else film if isinstance(film, str) else None,
            media_type=kind.replace("image/jpg", "image/jpeg") if isinstance(kind, str) else None,
            caption=_caption(captions.get(name)),
        )


def _caption(of: Mapping[str, Any] | None) -> str | None:
    """The line below a picture of a gallery: empty where there is none, None where it is not told."""
    told = None if of is None else of.get("caption", "") or ""
    return told if isinstance(told, str) else None


def _film(media: Any) -> Iterator[Attachment]:
    """A film that Reddit holds. Its sound is a file that no answer names."""
    told = media.get("reddit_video") if isinstance(media, dict) else None
    url = told.get("fallback_url") if isinstance(told, dict) else None
    if isinstance(url, str) and url:
        name = _path(url).strip("/").partition("/")[0]
        yield Attachment(id=f"film:{name}", url=url, media_type="video/mp4")


def _picture(url: Any) -> Iterator[Attachment]:
    """A picture that Reddit holds, where the submission is that picture."""
    parts = _divided(url) if isinstance(url, str) and url.startswith("http") else None
    if parts is not None and parts.hostname == "i.redd.it":
        yield Attachment(id=f"picture:{parts.path.strip('/')}", url=str(url))


# -- the page itself -------------------------------------------------------------------------------------------


def subreddit(seen: Seen[T5]) -> Observation:
    """A subreddit's introduction: title, description, sidebar, and what it says to those who write there."""
    read = seen.what.data
    words = (read.title, read.public_description, read.description, read.submit_text)
    return Observation(
        native_id=read.name,
        kind=Kind.PROFILE,
        state=State.HIDDEN if read.subreddit_type in {"private", "employees_only"} else State.PRESENT,
        author=Author(id=read.name, name=read.title or read.display_name, handle=f"r/{read.display_name}"),
        text="\n\n".join(part.strip() for part in words if part and part.strip()),
        url=f"{SITE}/r/{read.display_name}",
        published_at=None,
        language=read.lang or None,
        attachments=tuple(
            _pictures(
                icon=read.community_icon or read.icon_img,
                banner=read.banner_background_image or read.banner_img,
            )
        ),
        counts=_counted(subscribers=read.subscribers),
        extra=_told(
            type=read.subreddit_type,
            quarantine=read.quarantine or None,
            over_18=read.over18 or None,
            created=read.created_utc,
        ),
        evidence=(seen.span,),
    )


def account(seen: Seen[T2]) -> Observation:
    """An account's introduction."""
    read = seen.what.data
    own = read.subreddit if isinstance(read.subreddit, dict) else {}
    words = [own.get("title"), own.get("public_description")]
    return Observation(
        native_id=f"t2_{read.id}",
        kind=Kind.PROFILE,
        author=Author(id=f"t2_{read.id}", name=read.name, handle=f"u/{read.name}"),
        text="\n\n".join(part.strip() for part in words if isinstance(part, str) and part.strip())
        or read.name,
        url=f"{SITE}/user/{read.name}",
        attachments=tuple(_pictures(icon=read.icon_img, banner=own.get("banner_img"))),
        counts=_counted(
            link_karma=read.link_karma, comment_karma=read.comment_karma, subscribers=own.get("subscribers")
        ),
        extra=_told(verified=read.verified, created=read.created_utc),
        evidence=(seen.span,),
    )


def rules(seen: Seen[Rules]) -> Observation:
    """A subreddit's rules, in their order, as one record."""
    lines = [f"{one.short_name}: {one.description}".strip().rstrip(":") for one in seen.what.rules]
    return Observation(
        native_id="rules",
        kind=Kind.PROFILE,
        text="\n".join(lines),
        extra={"applies_to": [one.kind for one in seen.what.rules]},
        evidence=(seen.span,),
    )


def automoderator(seen: Seen[Wiki]) -> Observation:
    """What AutoModerator is told to filter and remove: the subreddit's word filter."""
    read = seen.what.data
    by = read.revision_by.get("data") if isinstance(read.revision_by, dict) else None
    return Observation(
        native_id="automoderator",
        kind=Kind.PROFILE,
        text=read.content_md,
        edited_at=moment(read.revision_date),
        extra=_told(revised_by=by.get("name") if isinstance(by, dict) else None),
        private=True,
        evidence=(seen.span,),
    )


def people(native_id: str, listed: Sequence[Person], evidence: Sequence[Span]) -> Observation:
    """People of the subreddit as one record: who moderates it, who may not write there, and since when."""
    ordered = sorted(listed, key=lambda one: one.name.lower())
    return Observation(
        native_id=native_id,
        kind=Kind.PROFILE,
        text="\n".join(f"u/{one.name}{f': {one.note}' if one.note else ''}" for one in ordered),
        counts={"people": len(ordered)},
        extra={
            "people": [
                _told(id=one.id, name=one.name, since=one.date, permissions=one.mod_permissions)
                for one in ordered
            ]
        },
        private=True,
        evidence=tuple(evidence),
    )


def action(what: Action, span: Span) -> Observation:
    """An entry of the moderation log: who did what to what, and the words that it was done to."""
    read = what.data
    target = " ".join(
        part
        for part in (read.target_fullname, f"by u/{read.target_author}" if read.target_author else "")
        if part
    )
    words = (
        f"{read.action}{f': {target}' if target else ''}",
        read.details,
        read.description,
        read.target_title,
        read.target_body,
    )
    return Observation(
        native_id=f"log:{read.id}",
        kind=Kind.PROFILE,
        author=Author(
            id=f"t2_{read.mod_id36}" if read.mod_id36 else None, name=read.mod, handle=f"u/{read.mod}"
        )
        if read.mod
        else None,
        text="\n\n".join(part for part in words if part),
        url=_address(read.target_permalink),
        published_at=moment(read.created_utc),
        extra=_told(
            action=read.action,
            details=read.details,
            target=read.target_fullname,
            target_author=read.target_author,
        ),
        private=True,
        evidence=(span,),
    )


# -- pieces ----------------------------------------------------------------------------------------------------


def mores(things: Sequence[Seen[Thing]]) -> list[More]:
    """What a tree leaves out."""
    return [one.what for one in things if isinstance(one.what, More)]


def _pictures(**addresses: Any) -> Iterator[Attachment]:
    """Pictures whose addresses are signed anew each time; the path names the file."""
    for what, address in addresses.items():
        if isinstance(address, str) and address:
            yield Attachment(id=f"{what}:{_path(address).rpartition('/')[2]}", url=address)


def _divided(address: str) -> SplitResult | None:
    """An address in its parts; None for what is none: anybody may submit a link to `http://[`."""
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _path(address: str) -> str:
    """The path in the address of a file, which stays when it is signed anew; what cannot be divided is its own path."""
    parts = _divided(address)
    return address if parts is None else parts.path


def _counted(**counts: Any) -> dict[str, int]:
    return {
        name: count
        for name, count in counts.items()
        if isinstance(count, int) and not isinstance(count, bool)
    }


def _told(**told: object) -> dict[str, object]:
    return {name: one for name, one in told.items() if one not in (None, "", [], {}, False)}
