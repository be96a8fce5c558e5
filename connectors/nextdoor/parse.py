"""What Nextdoor's answers say: JSON bytes in, observations with spans out. Asks nobody.

A post is known by its id. What answers it is known by the post and its own id,
`POST/COMMENT`, so that both stay together. The agency is `agency:` and its
number, its areas are `areas`.

Neither interface tells when something was edited: an edit is seen by reading
again. A number of comments is a counter, whatever was shown of them.

What a comment is follows from the comment and its post alone: a reply where the
agency itself wrote it, else a comment. The agency wrote what bears the same
number as whoever wrote the post; where there are no numbers, what is signed
with the agency's name *and* called an agency's, since anybody may choose a name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Attachment, Author, Gap, Kind, Observation
from connectors.failing import AGAIN
from connectors.graph import moment as written
from connectors.nextdoor.reading import Below, Rows, Seen, Whole
from connectors.nextdoor.shapes import Agency, Area, Post, Profile

AREAS = "areas"

_LATEST = 253402300799
"""The last second that a time can name."""

_WORDS_OF_A_CHOICE = ("text", "title", "label", "name")
_TIMES_OF_AN_EVENT = ("start_time", "end_time", "start_date", "end_date")


@dataclass(frozen=True, slots=True)
class Known:
    """The agency whose page this is, as Nextdoor calls it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What answers a post: what was shown of it, and how many there are as Nextdoor counts them.

    `odd` says that something of it could not be read; `gaps` are files of it that Nextdoor does not address.
    """

    observed: Sequence[Observation]
    counted: int | None
    odd: bool = False
    gaps: Sequence[Gap] = ()

    @property
    def whole(self) -> bool:
        """Whether everything was shown that Nextdoor counts."""
        return self.counted == len(self.observed) and not self.odd

    @property
    def number(self) -> int | None:
        """How many there are, as far as anything tells it."""
        if self.counted is not None or self.odd:
            return self.counted
        return len(self.observed) or None


def moment(told: object) -> datetime | None:
    """A time in seconds of the epoch, or as a text; None where there is none, or none that can be."""
    seconds = _number(told)
    if seconds is not None:
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LATEST else None
    try:
        return written(told) if isinstance(told, str) else None
    except OverflowError:
        return None


# -- the agency ----------------------------------------------------------------------------------------------


def known(read: Profile) -> Known:
    """The agency that an account, or a profile, speaks for."""
    return Known(_said(read.agency_id) or str(read.id), _said(read.agency_name))


def account(seen: Seen[Profile]) -> Observation:
    """The agency as its account is told of itself. Who signed in is a person, whose name is no part of it."""
    read, agency = seen.what, known(seen.what)
    town = ", ".join(told for told in (_said(read.agency_city), _said(read.agency_state)) if told)
    photo = _said(read.agency_photo)
    return Observation(
        native_id=f"agency:{agency.id}",
        kind=Kind.PROFILE,
        author=Author(id=agency.id, name=agency.name or None),
        text="\n\n".join(told for told in (agency.name, town, _said(read.agency_external_url)) if told),
        url=_bare(read.agency_url_at_nextdoor),
        attachments=(Attachment(id=f"photo:{_digest(photo)}", url=photo),) if photo else (),
        extra=_told(
            account=str(read.id),
            account_created=_said(read.account_creation_date),
            status=_said(read.status),
            verified=_said(read.verified),
        ),
        evidence=(seen.span,),
    )


def areas(seen: Sequence[Seen[Area]]) -> Observation:
    """The areas that the agency may address, as one record: who can have been shown a post follows from them."""
    names = sorted((one.what.name, str(one.what.group_id), _said(one.what.type)) for one in seen)
    return Observation(
        native_id=AREAS,
        kind=Kind.PROFILE,
        text="\n".join(f"{name} ({kind})" if kind else name for name, _, kind in names),
        extra={"areas": [_told(name=name, group=group, type=kind) for name, group, kind in names]},
        evidence=tuple(dict.fromkeys(one.span for one in seen)),
    )


def agency(seen: Seen[Agency]) -> Observation:
    """The agency as the list of its state introduces it."""
    read = seen.what
    town = ", ".join(told for told in (_said(read.city), _said(read.state)) if told)
    words = (read.name, town, _said(read.phone_number), _said(read.display_email))
    return Observation(
        native_id=f"agency:{read.id}",
        kind=Kind.PROFILE,
        author=Author(id=str(read.id), name=read.name or None),
        text="\n\n".join(told for told in words if told),
        url=_bare(read.public_url),
        counts=_counted(posts=_number(read.post_count)),
        extra=_told(category=_said(read.category), country=_said(read.country)),
        evidence=(seen.span,),
    )


# -- posts ---------------------------------------------------------------------------------------------------


def post(seen: Seen[Post], of: Known, answers: Answers) -> Observation:
    """A post, with how many answers Nextdoor counts. An event and a poll are told with it."""
    read = seen.what
    event, asked = _object(read.event), _object(read.poll)
    return Observation(
        native_id=str(read.id),
        kind=Kind.POST,
        author=_author(read, of),
        text="\n\n".join(_words(read)),
        url=_bare(read.public_post_url) or _bare(read.url),
        published_at=moment(read.creation_date_epoch_seconds),
        attachments=tuple(_files(read)),
        files_told=not any(_lacking(read.media)),
        counts={
            **_counted(
                likes=_likes(read),
                downvotes=_number(read.downvote_count),
                comments=answers.number,
            ),
            **_reactions(read.reaction_types),
        },
        extra=_told(
            category=_said(read.category),
            alert=_is_alert(read) or None,
            audience=_said(read.scope),
            groups=[_said(one) for one in read.group_ids] if isinstance(read.group_ids, list) else None,
            post_to_areas=_object(_object(_object(read.author).get("agency_info"))).get("post_to_areas"),
            place=_place(read),
            link=_said(read.smartlink_url),
            event=_told(
                **{name: _said(event.get(name)) for name in _TIMES_OF_AN_EVENT},
                link=_said(event.get("virtual_event_link")),
            ),
            votes=_votes(asked),
            comments="closed" if read.comment_closed is True else None,
        ),
        evidence=(seen.span,),
    )


def posts_counted(rows: Rows[Whole]) -> int:
    """How many posts an answer says that there are; none where it does not say."""
    return _number(rows.beside.get("posts_length")) or 0


def without_files(seen: Seen[Post]) -> Gap | None:
    """Files of a post of which Nextdoor gives no address."""
    at = moment(seen.what.creation_date_epoch_seconds)
    return _without_files("a post", str(seen.what.id), seen.what.media, at)


def kept_back(seen: Seen[Post]) -> list[Gap]:
    """What of a post cannot be had: files without an address, and words of an event or a poll in another shape."""
    gaps = [gap for gap in (without_files(seen),) if gap is not None]
    if not _tells_words(seen.what):
        at = moment(seen.what.creation_date_epoch_seconds)
        gaps.append(
            Gap(
                what="the words of an event or a poll",
                why=f"Nextdoor tells some of them in another shape than is known: what the post says stands without them. {AGAIN}",
                native_id=str(seen.what.id),
                since=at,
                until=at,
            )
        )
    return gaps


def _tells_words(read: Post) -> bool:
    """Whether all that a post says beside its own text can be read."""
    event, asked = ({} if told is None else told for told in (read.event, read.poll))
    if not isinstance(event, dict) or not isinstance(asked, dict):
        return False
    choices = asked.get("options")
    if not isinstance(choices, list | None):
        return False
    lines = [told.get(name) for told, name in ((event, "title"), (event, "description"), (asked, "question"))]
    return all(one is None or _is_said(one) for one in lines) and all(
        _is_said(one) or any(_is_said(_object(one).get(key)) for key in _WORDS_OF_A_CHOICE)
        for one in choices or ()
    )


def _without_files(whose: str, native_id: str, media: object, at: datetime | None) -> Gap | None:
    lacking = _lacking(media)
    if not any(lacking):
        return None
    return Gap(
        what=f"{sum(lacking)} of {len(lacking)} files of {whose}",
        why="Nextdoor gives no address for it. Keep the file that was published",
        native_id=native_id,
        since=at,
        until=at,
    )


def _lacking(media: object) -> list[bool]:
    """Of each file of an item, whether Nextdoor gives no address for it; what is no list of them gives none."""
    if isinstance(media, list):
        return [_address(one) is None for one in media]
    return [True] if media else []


# -- what answers them ---------------------------------------------------------------------------------------


def answers(seen: Whole, of: Known) -> Answers:
    """What answers a post, as far as it stands inside it, each item once."""
    told: dict[str, Observation] = {}
    lacking: dict[str, Gap | None] = {}
    for one in seen.below or []:
        read = _comment(one, seen.post.what, of)
        name, media = read.native_id, one.seen.what.media
        lacking.setdefault(name, _without_files("a comment", name, media, read.published_at))
        told.setdefault(name, read)
    counted = _number(seen.post.what.comment_count)
    gaps = [gap for gap in lacking.values() if gap is not None]
    return Answers(list(told.values()), counted, bool(seen.unread), gaps)


def below(post: Seen[Post]) -> Callable[[str], str]:
    """What answers a post is called by the post and its own id."""
    return lambda name: f"{post.what.id}/{name}"


def _comment(below: Below, above: Post, of: Known) -> Observation:
    read, root = below.seen.what, str(above.id)
    parent = _said(read.parent_comment_id)
    inside = parent if parent not in {"", "0", str(read.id)} else below.inside
    author = _object(read.author)
    name = _said(read.author_name) or _said(author.get("name"))
    number = _said(read.author_id) or _said(author.get("id"))
    kind = _said(read.author_type) or _said(author.get("type"))
    ours = _is_ours(number, name, kind, above, of)
    return Observation(
        native_id=f"{root}/{read.id}",
        kind=Kind.REPLY if ours else Kind.COMMENT,
        author=Author(id=number or None, name=name or None) if number or name else None,
        text=(read.body or "").strip(),
        in_reply_to=f"{root}/{inside}" if inside else root,
        published_at=moment(read.creation_date_epoch_seconds) or moment(read.creation_date),
        attachments=tuple(_unique(_listed_files(read.media))),
        files_told=not any(_lacking(read.media)),
        counts=_counted(likes=_number(read.like_count), downvotes=_number(read.downvote_count)),
        extra=_told(author_type=kind, neighborhood=_said(author.get("neighborhood_name"))),
        evidence=(below.seen.span,),
    )


def _is_ours(number: str, name: str, kind: str, above: Post, of: Known) -> bool:
    writer = _said(above.author_id) or _said(_object(above.author).get("id"))
    if number and writer:
        return number == writer
    return bool(name) and name == of.name and "agency" in kind.lower()


# -- pieces --------------------------------------------------------------------------------------------------


def _author(read: Post, of: Known) -> Author:
    """Who published a post. The feed tells it; the posts of an account are its agency's, by the number of a person."""
    told = _object(read.author)
    number = _said(read.author_id) or _said(told.get("id"))
    return Author(id=number or of.id, name=_said(told.get("name")) or of.name or None)


def _words(read: Post) -> Iterator[str]:
    """What a post says: title and text, what happens where it is an event, what is asked where it is a poll.

    Nextdoor makes a title of the first words where nobody gave one: those are not said twice.
    """
    body, title = (read.body or "").strip(), _said(read.title).strip()
    made_of = title.rstrip("….").strip()
    if title and read.user_entered_subject is not False and not (made_of and body.startswith(made_of)):
        yield title
    if body:
        yield body
    event = _object(read.event)
    for told in (_said(event.get("title")), _said(event.get("description"))):
        if told.strip() and told.strip() not in {title, body}:
            yield told.strip()
    asked = _object(read.poll)
    if question := _said(asked.get("question")).strip():
        yield question
    if choices := [name for name, _ in _choices(asked)]:
        yield "\n".join(f"- {name}" for name in choices)


def _choices(asked: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    options = asked.get("options")
    found = []
    for one in options if isinstance(options, list) else []:
        told = _object(one)
        name = _said(one) or next((said for key in _WORDS_OF_A_CHOICE if (said := _said(told.get(key)))), "")
        votes = (_number(told.get(key)) for key in ("vote_count", "votes"))
        if name:
            found.append((name, next((one for one in votes if one is not None), None)))
    return found


def _votes(asked: Mapping[str, Any]) -> dict[str, int]:
    return {name: votes for name, votes in _choices(asked) if votes is not None}


def _is_alert(read: Post) -> bool:
    """Whether a post is one of those that Nextdoor sends out at once. Only its category tells."""
    category = _said(read.category).lower()
    return "alert" in category or "urgent" in category


def _place(read: Post) -> dict[str, object]:
    if read.has_geo_tag is False or not all(
        isinstance(one, (int, float)) and not isinstance(one, bool) for one in (read.latitude, read.longitude)
    ):
        return {}
    return {"latitude": read.latitude, "longitude": read.longitude}


def _likes(read: Post) -> int | None:
    told = _number(read.like_count)
    if told is not None or not isinstance(read.reactions, list):
        return told
    # Those below a comment stand in the same list, with the comment's id.
    return sum(not _said(_object(one).get("comment_id")).strip("0") for one in read.reactions)


def _reactions(told: object) -> dict[str, int]:
    found = {f"reaction:{name}": _number(one) for name, one in _object(told).items()}
    return {name: count for name, count in found.items() if count is not None}


def _files(read: Post) -> list[Attachment]:
    """Pictures and films in their order, the still of a film, and the cover of an event. Their addresses run out."""
    found = _listed_files(read.media)
    for kind, told in (
        ("still", _said(read.video_preview_url)),
        ("cover", _said(_object(read.event).get("cover_photo"))),
    ):
        if told:
            found.append(Attachment(id=f"{kind}:{_digest(told)}", url=told))
    return _unique(found)


def _listed_files(told: object) -> list[Attachment]:
    listed = told if isinstance(told, list) else []
    return [
        Attachment(
            id=f"media:{_digest(address)}",
            url=address,
            description=_said(_object(one).get("alt_text")),
        )
        for one in listed
        if (address := _address(one)) is not None
    ]


def _unique(files: Sequence[Attachment]) -> list[Attachment]:
    return list({one.id: one for one in files}.values())


def _address(told: object) -> str | None:
    """The address of a file: the text itself, or what an object calls `url`."""
    found = told if isinstance(told, str) else _object(told).get("url")
    return found if isinstance(found, str) and found else None


def _digest(address: str) -> str:
    """What stays of an address when it is signed anew."""
    try:
        path = urlsplit(address).path
    except ValueError:
        path = address.partition("?")[0]
    return hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:24]


def _bare(told: object) -> str | None:
    """An address without what follows its path: that says how somebody came there, and changes by itself."""
    said = _said(told)
    return said.partition("#")[0].partition("?")[0] or None


def _object(told: object) -> Mapping[str, Any]:
    return told if isinstance(told, dict) else {}


def _said(told: object) -> str:
    """A text, or a number as one; nothing where neither stands there."""
    return str(told) if _is_said(told) else ""


def _is_said(told: object) -> bool:
    return isinstance(told, str | int) and not isinstance(told, bool)


def _number(told: object) -> int | None:
    """A counter, written as a number or as a text."""
    if isinstance(told, bool):
        return None
    if isinstance(told, int):
        return told if 0 <= told < 10**18 else None
    if isinstance(told, float):
        return int(told) if told.is_integer() and 0 <= told < 10**15 else None
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) <= 18:
        return int(told)
    return None


def _counted(**counts: int | None) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}


def _told(**told: object) -> dict[str, object]:
    return {name: one for name, one in told.items() if one not in (None, "", [], {})}
