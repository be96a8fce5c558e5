"""What Facebook's answers say: JSON bytes in, observations with spans out. Asks nobody.

Posts, comments and messages are known by Graph's own ids, which hold what they
belong to (`{page}_{post}`, `{post}_{comment}`, `m_…`). What is counted apart
carries what it is: `event:12`, `album:3`, `video:4`. The page itself is known
by its number; what only its people see is `settings` and `blocked`.

What an item is follows from the item alone, so that it is the same wherever it
was met: a reply where the page itself comments, else a comment.

Facebook tells no time of an edit: `updated_time` of a post moves with every
comment, and comments bear none. It is kept beside the words, and makes nothing
an edit.

Unknown keys are ignored, and what a permission may leave out (above all, who
wrote a comment) may be missing. Ids are required: an answer of another shape
raises rather than archive an emptied post.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from connectors import graph, spans
from connectors.contract import Attachment, Author, Kind, Observation, Span, State
from connectors.facebook.shapes import (
    FEELINGS,
    THING_NAMES,
    Comment,
    Message,
    Page,
    Picture,
    Post,
    Setting,
    Standing,
    Thing,
    Who,
    Writer,
)
from connectors.graph import Edge, moment, path_of
from connectors.pieces import Seen

SITE = "https://www.facebook.com/"

_EMPTY: list[Mapping[str, Any]] = []
_OF_ATTACHMENTS = frozenset(
    ("type", "media_type", "media", "target", "title", "description", "url", "unshimmed_url")
)

# -- observations --------------------------------------------------------------------------------------------


def naming(edge: str) -> Callable[[str], str]:
    """By what an item of a list is known in the archive, of the number that it bears."""
    kind = THING_NAMES.get(edge)
    return (lambda number: f"{kind}:{number}") if kind else str


def page(seen: Seen[Page]) -> Observation:
    """The page's own introduction."""
    read = seen.what
    listed = read.emails if isinstance(read.emails, list) else []
    emails = [one for one in listed if isinstance(one, str)]
    words = [
        read.name,
        *dict.fromkeys(
            told.strip()
            for told in (
                read.about,
                read.bio,
                read.description,
                read.general_info,
                read.mission,
                read.company_overview,
                read.impressum,
            )
            if told
        ),
        "\n".join(
            told for told in (read.single_line_address, read.phone, *emails, *_lines(read.website)) if told
        ),
    ]
    extra = {
        "username": read.username,
        "category": read.category,
        "hours": read.hours,
        "verification_status": read.verification_status,
    }
    return Observation(
        native_id=read.id,
        kind=Kind.PROFILE,
        state=State.HIDDEN if read.is_published is False else State.PRESENT,
        author=Author(id=read.id, name=read.name or None, handle=read.username),
        text="\n\n".join(told.strip() for told in words if told and told.strip()),
        url=read.link,
        attachments=tuple(_own_pictures(read)),
        counts=_counted(
            fans=read.fan_count, followers=read.followers_count, talking_about=read.talking_about_count
        ),
        extra={name: told for name, told in extra.items() if told},
        evidence=(seen.span,),
    )


def settings(seen: Sequence[Seen[Setting]], evidence: Sequence[Span]) -> Observation:
    """The page's switches as one record: who may post and write, the profanity filter, blocked words."""
    lines = sorted(f"{one.what.setting}: {_spelled(one.what.value)}" for one in seen)
    return Observation(
        native_id="settings",
        kind=Kind.PROFILE,
        text="\n".join(lines),
        extra={"settings": {one.what.setting: one.what.value for one in seen}},
        private=True,
        evidence=tuple(evidence),
    )


def blocked(seen: Sequence[Seen[Who]], evidence: Sequence[Span]) -> Observation:
    """Whom the page keeps away, as one record."""
    listed = sorted((one.what for one in seen), key=lambda one: one.id)
    return Observation(
        native_id="blocked",
        kind=Kind.PROFILE,
        text="\n".join(f"{one.name} ({one.id})" if one.name else one.id for one in listed),
        counts={"blocked": len(listed)},
        extra={"blocked": [{"id": one.id, "name": one.name} for one in listed]},
        private=True,
        evidence=tuple(evidence),
    )


def post(
    seen: Seen[Post],
    pictures: Mapping[str, Seen[Picture] | None],
    comments: int | None,
    *,
    tagged: bool = False,
) -> Observation:
    """A post. `pictures` are those whose description was asked for, `comments` how many Facebook counts."""
    read = seen.what
    said = [told for told in (read.message, "" if read.message else read.story or "") if told.strip()]
    attached, whole = _attached(read.attachments)
    extra = {
        "story": read.story,
        "status_type": read.status_type,
        "updated_time": read.updated_time,
        "backdated_time": read.backdated_time,
        "shares_post": read.parent_id,
        "privacy": _named(read.privacy, "value"),
        "place": _named(read.place, "name"),
        "written_by": _named(read.admin_creator, "name"),
        "properties": read.properties,
        "names": _tags(read.message_tags),
        "links": [link for one in attached if (link := _linked(one))],
        "expired": read.is_expired or None,
        "tagged": tagged or None,
    }
    files = list(_files(attached, pictures))
    known = dict.fromkeys(_target(one) for one in attached)
    told = (pictures.get(name) for name in known if name is not None)
    described = [one.span for one in told if one is not None]
    return Observation(
        native_id=read.id,
        kind=Kind.POST,
        state=State.HIDDEN if read.is_hidden or read.is_published is False else State.PRESENT,
        author=_author(read.writer),
        text="\n\n".join(said),
        url=read.permalink_url or SITE + read.id,
        published_at=moment(read.created_time),
        attachments=tuple(files),
        files_told=whole,
        counts=_counted(
            comments=comments,
            shares=_count(read.shares, "count"),
            reactions=_total(read.reactions),
            **{f"reactions_{name}": _total(getattr(read, name)) for name in FEELINGS},
        ),
        extra={name: told for name, told in extra.items() if told},
        evidence=(seen.span, *described),
    )


def comment(seen: Seen[Comment], root: str, ours: str) -> Observation:
    """A comment below the post `root`, on the page whose number is `ours`."""
    read = seen.what
    extra: dict[str, object] = {}
    if read.is_private:
        extra["private"] = True
    if read.live_broadcast_timestamp is not None:
        extra["live_broadcast_timestamp"] = read.live_broadcast_timestamp
    if read.message_tags:
        extra["names"] = _tags(read.message_tags)
    if read.admin_creator:
        extra["written_by"] = _named(read.admin_creator, "name")
    attached, whole = _EMPTY, read.attachment is None
    if isinstance(read.attachment, dict):
        attached, whole = _each([read.attachment])
        if links := [link for one in attached if (link := _linked(one))]:
            extra["links"] = links
    counts: dict[str, int] = {}
    if read.like_count is not None:
        counts["likes"] = read.like_count
    if read.comment_count is not None:
        counts["comments"] = read.comment_count
    writer = read.writer
    return Observation(
        native_id=read.id,
        kind=Kind.REPLY if writer is not None and writer.id == ours else Kind.COMMENT,
        state=State.HIDDEN if read.is_hidden else State.PRESENT,
        author=_author(writer),
        text=read.message,
        url=read.permalink_url,
        in_reply_to=read.parent.id if read.parent is not None else root,
        published_at=moment(read.created_time),
        attachments=tuple(_files(attached, {})) if attached else (),
        files_told=whole,
        counts=counts,
        extra=extra,
        evidence=(seen.span,),
    )


def thing(seen: Seen[Thing], edge: str, ours: str) -> Observation | None:
    """An event, album or video of the page `ours`, or somebody's recommendation; None where it bears no id."""
    read, name = seen.what, THING_NAMES[edge]
    identity = read.id or (read.open_graph_story.id if read.open_graph_story else "")
    if not identity:
        return None
    files = []
    if read.source or read.picture:
        files.append(Attachment(id=f"media:{identity}", url=read.source or read.picture))
    if (cover := _text(read.cover, "source")) is not None:
        number = _text(read.cover, "id") or _file_name(cover)
        files.append(Attachment(id=f"media:{number}", url=cover))
    extra = {
        "type": name,
        "starts": read.start_time,
        "ends": read.end_time,
        "time_zone": read.timezone,
        "place": _named(read.place, "name"),
        "cancelled": read.is_canceled or None,
        "online": read.is_online or None,
        "tickets": read.ticket_uri,
        "updated_time": read.updated_time,
        "status": read.status,
        "album_type": read.type,
        "seconds": read.length,
        "recommends": read.recommendation_type,
        "rating": read.rating,
    }
    title = (read.title or read.name or "").strip()
    when = " – ".join(told for told in (read.start_time, read.end_time) if told)
    where = _named(read.place, "name") or ""
    url = read.permalink_url or read.link
    words = (title, when, where, (read.description or read.review_text or "").strip())
    return Observation(
        native_id=f"{name}:{identity}",
        kind=Kind.POST,
        author=_author(read.reviewer) if edge == "ratings" else Author(id=ours),
        text="\n\n".join(told for told in words if told),
        url=_joined(url) if url else SITE + identity,
        published_at=moment(read.created_time) or moment(read.creation_time),
        attachments=tuple(files),
        counts=_counted(attending=read.attending_count, interested=read.interested_count, items=read.count),
        extra={key: told for key, told in extra.items() if told},
        evidence=(seen.span,),
    )


def message(seen: Seen[Message], conversation: str) -> Observation | None:
    """A private message; None where Facebook tells no more of it than that it is there."""
    read = seen.what
    if read.message is None and read.writer is None:
        return None
    listed, whole = graph.listed(read.attachments)
    told = [one for one in listed if graph.is_file(one)]
    files = [
        Attachment(
            id=f"file:{one.get('id') or _file_name(address)}",
            url=address,
            media_type=_text(one, "mime_type"),
            description=_text(one, "name"),
        )
        for one in told
        if (address := _where(one))
    ]
    if read.sticker:
        files.append(Attachment(id=f"sticker:{_file_name(read.sticker)}", url=read.sticker))
    links = [
        {name: one.get(name) for name in ("link", "name", "description") if one.get(name)}
        for one in _data(read.shares)
    ]
    extra = {
        "conversation": conversation,
        "to": [{"id": one.get("id"), "name": one.get("name")} for one in _data(read.to)],
        "links": [link for link in links if link],
    }
    return Observation(
        native_id=read.id,
        kind=Kind.MESSAGE,
        author=_author(read.writer),
        text=read.message or "",
        published_at=moment(read.created_time),
        attachments=tuple(files),
        files_told=whole and len(told) == len(listed),
        extra={name: one for name, one in extra.items() if one},
        private=True,
        evidence=(seen.span,),
    )


def comments_within(body: bytes, seen: Seen[Post]) -> Edge[Comment] | None:
    """The comments that stand inside a post's own bytes; None where none were told."""
    where = spans.member(body, (seen.span.start, seen.span.end), "comments")
    return (
        None
        if where is None or body[slice(*where)] == b"null"
        else graph.edge(body, where, seen.span.exchange, Comment)
    )


def pictures_of(posts: Sequence[Seen[Post]]) -> list[str]:
    """The ids of the pictures that these posts show."""
    shown = (
        _target(one) for seen in posts for one in _attached(seen.what.attachments)[0] if _is_picture(one)
    )
    return list(dict.fromkeys(name for name in shown if name is not None))


def state_of(read: Standing) -> State:
    """How an item stands that was asked for by its id."""
    return State.HIDDEN if read.is_hidden or read.is_published is False else State.PRESENT


def times(seen: Sequence[Seen[Any]]) -> list[datetime]:
    """When these were published, as far as they say."""
    return [at for one in seen if (at := moment(getattr(one.what, "created_time", None))) is not None]


# -- pieces --------------------------------------------------------------------------------------------------


def _author(read: Writer | None) -> Author | None:
    return None if read is None or not (read.id or read.name) else Author(id=read.id or None, name=read.name)


def _data(told: Any) -> list[Mapping[str, Any]]:
    """The objects of a list that stands inside another object."""
    return graph.listed(told)[0]


def _each(listed: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], bool]:
    """Those of these that can be read, of an album each of its pictures; and whether all can."""
    found: list[Mapping[str, Any]] = []
    whole = True
    for one in listed:
        below, told = graph.listed(one.get("subattachments"))
        inner, read = _each(below) if below else ([one], _is_attachment(one))
        found += inner if below or (read and told) else []
        whole = whole and told and read
    return found, whole


def _attached(told: Any) -> tuple[list[Mapping[str, Any]], bool]:
    """What hangs on a post: of an album, each of its pictures; and whether all of it can be read."""
    listed, whole = graph.listed(told)
    found, read = _each(listed)
    return found, whole and read


def _is_attachment(one: Mapping[str, Any]) -> bool:
    """Whether it can be read which file hangs there, if any."""
    media, target = one.get("media") or {}, one.get("target") or {}
    image = media.get("image") or {} if isinstance(media, dict) else None
    return (
        bool(_OF_ATTACHMENTS & one.keys())
        and isinstance(image, dict)
        and isinstance(target, dict)
        and graph.is_text(one, "type", "media_type", "url", "unshimmed_url")
        and graph.is_text(media, "source")
        and graph.is_text(image, "src")
        and (target.get("id") is None or graph.number(target) is not None)
    )


def _is_picture(one: Mapping[str, Any]) -> bool:
    return one.get("media_type") == "photo" or one.get("type") == "photo"


def _target(one: Mapping[str, Any]) -> str | None:
    return graph.number(one.get("target"))


def _files(
    attached: Sequence[Mapping[str, Any]], pictures: Mapping[str, Seen[Picture] | None]
) -> Iterator[Attachment]:
    """The pictures and videos that hang on an item. Their addresses run out within days; their ids stay."""
    met: set[str] = set()
    for one in attached:
        media = one.get("media")
        if not isinstance(media, dict):
            continue
        image = media.get("image")
        address = media.get("source") or (image.get("src") if isinstance(image, dict) else None)
        if not isinstance(address, str) or not address:
            continue
        name, link = _target(one), _linked(one)
        if link is not None:
            identity = "link:" + hashlib.sha256(str(link["url"]).encode()).hexdigest()[:24]
        else:
            identity = f"media:{name or _file_name(address)}"
        if identity not in met:
            met.add(identity)
            yield Attachment(
                id=identity, url=address, description=_described(one, link is not None, pictures)
            )


def _described(
    one: Mapping[str, Any], is_link: bool, pictures: Mapping[str, Seen[Picture] | None]
) -> str | None:
    """What is written for those who cannot see a picture, or else below it; None where Facebook was not to say."""
    name = _target(one)
    if is_link:
        return ""
    told = one.get("description")
    below = told if isinstance(told, str) else ""
    if name is None or name not in pictures:
        return below or (None if _is_picture(one) else "")
    asked = pictures[name]
    return None if asked is None else asked.what.alt_text_custom or below


def _linked(one: Mapping[str, Any]) -> dict[str, object] | None:
    """The card of a link, with the words that it shows; None for what is no link."""
    if one.get("type") != "share" and one.get("media_type") != "link":
        return None
    target = one.get("target")
    url = (
        one.get("unshimmed_url")
        or (target.get("url") if isinstance(target, dict) else None)
        or one.get("url")
    )
    if not isinstance(url, str) or not url:
        return None
    return {"url": url} | {name: one[name] for name in ("title", "description") if one.get(name)}


def _where(one: Mapping[str, Any]) -> str | None:
    """The address of a file in a message."""
    for name in ("image_data", "video_data"):
        inner = one.get(name)
        if isinstance(inner, dict) and isinstance(inner.get("url"), str):
            return str(inner["url"])
    return one["file_url"] if isinstance(one.get("file_url"), str) else None


def _own_pictures(read: Page) -> Iterator[Attachment]:
    picture = read.picture.get("data") if isinstance(read.picture, dict) else None
    shown = _text(picture, "url")
    if shown is not None and isinstance(picture, dict) and not picture.get("is_silhouette"):
        yield Attachment(id=f"picture:{_file_name(shown)}", url=shown)
    if (cover := _text(read.cover, "source")) is not None:
        yield Attachment(id=f"cover:{_text(read.cover, 'id') or _file_name(cover)}", url=cover)


def _joined(address: str) -> str:
    """An address that Facebook may tell without its host."""
    try:
        return urljoin(SITE, address)
    except ValueError:
        return address


def _file_name(address: str) -> str:
    """The name of a file in its address: what stays when an address is signed anew."""
    return path_of(address).rpartition("/")[2] or hashlib.sha256(address.encode()).hexdigest()[:24]


def _text(told: Any, name: str) -> str | None:
    """A text inside an object that may be missing."""
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None


def _named(told: Any, name: str) -> str | None:
    return _text(told, name)


def _tags(told: Any) -> list[dict[str, object]]:
    """Whom a text names, with where in it."""
    listed = told if isinstance(told, list) else []
    return [
        {name: one[name] for name in ("id", "name", "type", "offset", "length") if name in one}
        for one in listed
        if isinstance(one, dict)
    ]


def _count(told: Any, name: str) -> int | None:
    found = told.get(name) if isinstance(told, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _total(told: Any) -> int | None:
    return _count(told.get("summary"), "total_count") if isinstance(told, dict) else None


def _counted(**counts: int | None) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}


def _lines(told: str | None) -> list[str]:
    return told.split() if told else []


def _spelled(told: Any) -> str:
    if isinstance(told, list):
        return ", ".join(str(one) for one in told)
    return str(told).lower() if isinstance(told, bool) else str(told)
