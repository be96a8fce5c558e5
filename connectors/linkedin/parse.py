"""What LinkedIn's answers say: JSON bytes in, observations with spans out. Asks nobody.

A post is known by the URN that the list of posts gives it (`urn:li:share:…` or
`urn:li:ugcPost:…`), a comment by its post and its own number,
`urn:li:share:1/2`: the same however it was met, since the comment's own URN names
the post under another name. The organisation is known by its URN.

What an item is follows from the item alone: a reply where the page itself
comments, else a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.contract import Attachment, Author, Kind, Observation, Span, State
from connectors.failing import AGAIN
from connectors.linkedin import little
from connectors.linkedin.reading import moment
from connectors.linkedin.shapes import Comment, Metadata, Organisation, Post
from connectors.linkedin.urns import coded, comment, organisation, under
from connectors.pieces import Seen

SITE = "https://www.linkedin.com"

KEPT_BACK = f"LinkedIn tells of a file of it in another shape than is known. {AGAIN}"
"""Why a file of a post or a comment is a gap."""
UNREAD = f"LinkedIn tells some of them in another shape than is known: what the post says stands without them. {AGAIN}"
"""Why words of a post are a gap."""

PUBLISHED = "PUBLISHED"
CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Ours:
    """The page as its own items name it."""

    number: str
    name: str = ""
    vanity: str | None = None

    @property
    def urn(self) -> str:
        return organisation(self.number)

    @property
    def author(self) -> Author:
        return Author(id=self.urn, name=self.name or None, handle=self.vanity)


# -- the page ------------------------------------------------------------------------------------------------


def ours(read: Organisation) -> Ours:
    """Who the page is."""
    return Ours(str(read.id), read.localized_name, read.vanity_name)


def profile(
    seen: Seen[Organisation], files: Sequence[Attachment], evidence: Sequence[Span] = ()
) -> Observation:
    """The page's introduction; `files` are its logo and its cover."""
    read = seen.what
    page = ours(read)
    tagline = _localised(read.tagline)
    words = (read.localized_name, tagline, (read.localized_description or "").strip())
    return Observation(
        native_id=page.urn,
        kind=Kind.PROFILE,
        author=page.author,
        text="\n\n".join(told for told in words if told),
        url=f"{SITE}/company/{page.vanity or page.number}/",
        attachments=tuple(files),
        extra=_told(
            website=read.localized_website,
            type=read.organization_type,
            status=read.organization_status,
            specialties=read.localized_specialties,
            industries=read.industries,
            staff=read.staff_count_range,
            founded=read.founded_on,
            locations=read.locations,
        ),
        evidence=(seen.span, *evidence),
    )


def pictures(read: Organisation) -> Iterator[Attachment]:
    """Logo and cover. LinkedIn names the same file as an asset here, and as an image where it is fetched."""
    for name, told in (("logo", read.logo_v2), ("cover", read.cover_photo_v2)):
        sizes = told if isinstance(told, dict) else {}
        asset = sizes.get("original") or sizes.get("cropped")
        if isinstance(asset, str) and asset.startswith("urn:li:"):
            yield Attachment(id=f"{name}:{_as_image(asset)}")


# -- posts ---------------------------------------------------------------------------------------------------


def post(
    seen: Seen[Post],
    page: Ours,
    counted: Seen[Metadata] | None,
    files: Sequence[Attachment],
    evidence: Sequence[Span] = (),
) -> Observation:
    """A post: `counted` is what LinkedIn counts of it, `files` what belongs to it, `evidence` where those were read."""
    read = seen.what
    said = little.read(read.commentary)
    edited = read.lifecycle_state_info is not None and read.lifecycle_state_info.is_edited_by_author
    content = read.content if isinstance(read.content, dict) else {}
    distribution = read.distribution if isinstance(read.distribution, dict) else {}
    shown = distribution.get("feedDistribution")
    reshared = read.reshare_context if isinstance(read.reshare_context, dict) else {}
    return Observation(
        native_id=read.id,
        kind=Kind.POST,
        state=state_of(read),
        author=page.author if read.author in {"", page.urn} else Author(id=read.author),
        text="\n\n".join(part for part in (said.plain.strip(), *_words(content)) if part),
        url=f"{SITE}/feed/update/{read.id}/",
        published_at=moment(read.published_at if read.published_at is not None else read.created_at),
        edited_at=moment(read.last_modified_at) if edited else None,
        attachments=tuple(files),
        files_told=_names_its_files(read.content),
        counts={**_counts(counted.what if counted else None), **_votes(content)},
        extra=_told(
            commentary=read.commentary if read.commentary != said.plain else None,
            mentions=[{"name": name, "urn": urn} for name, urn in said.mentions],
            hashtags=list(said.hashtags),
            edited=edited or None,
            visibility=read.visibility,
            lifecycle=read.lifecycle_state if read.lifecycle_state != PUBLISHED else None,
            distribution=shown if shown != "MAIN_FEED" else None,
            reshared={name: one for name, one in reshared.items() if isinstance(one, str)},
            reshares="turned off" if read.is_reshare_disabled_by_author else None,
            comments="turned off" if counted and counted.what.comments_state == CLOSED else None,
            article=_article(content),
            poll=_poll(content),
            landing_page=read.content_landing_page,
            call_to_action=read.content_call_to_action_label,
            content=sorted(name for name in content if name not in _KNOWN),
        ),
        evidence=(seen.span, *((counted.span,) if counted else ()), *evidence),
    )


def state_of(read: Post) -> State:
    """How a post stands: one that is not published yet is read by the page's own people alone."""
    return State.PRESENT if read.lifecycle_state in {"", PUBLISHED} else State.HIDDEN


def files(read: Post) -> Iterator[Attachment]:
    """What belongs to a post, in its order, without the addresses: those expire, and are asked for by the URN."""
    content = read.content if isinstance(read.content, dict) else {}
    media, article = _object(content, "media"), _object(content, "article")
    yield from _file(media.get("id"), media.get("altText"), media.get("title"))
    for one in _objects(_object(content, "multiImage"), "images"):
        yield from _file(one.get("id"), one.get("altText"), one.get("title"))
    yield from _file(article.get("thumbnail"), article.get("thumbnailAltText"), None)
    for card in _objects(_object(content, "carousel"), "cards"):
        inside = _object(card, "media")
        yield from _file(inside.get("id"), inside.get("altText"), inside.get("title"))


def _names_its_files(content: Any) -> bool:
    """Whether each file bears a name that a post says that it has."""
    if not isinstance(content, dict):
        return content is None
    media, article = content.get("media"), content.get("article")
    images, cards = _listed(content, "multiImage", "images"), _listed(content, "carousel", "cards")
    if images is None or cards is None or not all(isinstance(card, dict) for card in cards):
        return False
    beside = [one for one in (media, *(card.get("media") for card in cards)) if one not in (None, {})]
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in (*beside, *images)):
        return False
    if not isinstance(article, dict):
        return article is None
    return isinstance(article.get("thumbnail"), str | None)


def _listed(content: Mapping[str, Any], name: str, members: str) -> list[Any] | None:
    """What an object of a post lists; None where it or its list is of another type."""
    told = content.get(name)
    found = told.get(members) if isinstance(told, dict) else told
    return [] if found is None else found if isinstance(found, list) else None


_KNOWN = frozenset({"media", "multiImage", "article", "carousel", "poll"})
"""Kinds of content that are read; of others a post says that it has them."""


def _file(urn: Any, description: Any, caption: Any) -> Iterator[Attachment]:
    if isinstance(urn, str) and urn.startswith("urn:li:"):
        yield Attachment(
            id=_as_image(urn), description=_text(description) or "", caption=_text(caption) or ""
        )


def _as_image(urn: str) -> str:
    """The name under which a file is fetched: older posts name the asset that it is kept as."""
    return urn.replace("urn:li:digitalmediaAsset:", "urn:li:image:", 1)


def _words(content: Mapping[str, Any]) -> Iterator[str]:
    """What else a reader sees in words: an article's title and description, a poll's question and options."""
    article, poll = _object(content, "article"), _object(content, "poll")
    for name in ("title", "description"):
        yield _line(article.get(name)) or ""
    yield "\n".join(told for told in (_line(poll.get("question")), *_choices(poll)) if told)


def words_told(read: Post) -> bool:
    """Whether all that a post says beside its own text can be read."""
    content = read.content if isinstance(read.content, dict) else {}
    article, poll = ({} if content.get(name) is None else content[name] for name in ("article", "poll"))
    if not isinstance(poll, dict) or not isinstance(poll.get("options", []), list | None):
        return False
    lines = [poll.get("question", ""), *(_choice(one) for one in poll.get("options") or ())]
    if isinstance(article, dict):
        lines += [article.get(name) or "" for name in ("title", "description")]
    return all(_line(one) is not None for one in lines)


def _choice(told: Any) -> Any:
    return told.get("text") if isinstance(told, dict) else None


def _choices(poll: Mapping[str, Any]) -> list[str]:
    """The words of each choice of a poll, in its place; empty where they cannot be read."""
    listed = poll.get("options")
    return [_line(_choice(one)) or "" for one in listed] if isinstance(listed, list) else []


def _line(told: Any) -> str | None:
    """A text, or a number in its figures; None where neither stands there."""
    if isinstance(told, int) and not isinstance(told, bool):
        return str(told)
    return told.strip() if isinstance(told, str) else None


def _article(content: Mapping[str, Any]) -> dict[str, str]:
    article = _object(content, "article")
    found = ((name, _text(article.get(name))) for name in ("source", "title", "description"))
    return {name: told for name, told in found if told}


def _poll(content: Mapping[str, Any]) -> dict[str, object]:
    """A poll without its numbers, which are counts."""
    poll = _object(content, "poll")
    if not poll:
        return {}
    settings = _object(poll, "settings")
    return _told(
        question=_line(poll.get("question")) or None,
        options=_choices(poll),
        duration=_text(settings.get("duration")),
        choice=_text(settings.get("voteSelectionType")),
    )


def _votes(content: Mapping[str, Any]) -> dict[str, int]:
    poll = _object(content, "poll")
    listed = poll.get("options")
    voted = {
        f"votes {place}": one.get("voteCount")
        for place, one in enumerate(listed if isinstance(listed, list) else (), start=1)
        if isinstance(one, dict)
    }
    return _numbers({"voters": poll.get("uniqueVotersCount"), **voted})


def _counts(read: Metadata | None) -> dict[str, int]:
    """What LinkedIn counts of a post: comments, and reactions by their kind."""
    if read is None:
        return {}
    told = read.reaction_summaries if isinstance(read.reaction_summaries, dict) else {}
    reactions = _numbers(
        {
            f"reactions {name.lower()}": one.get("count")
            for name, one in sorted(told.items())
            if isinstance(one, dict)
        }
    )
    counts = {"reactions": sum(reactions.values()), **reactions}
    return counts if read.comment_summary is None else {"comments": read.comment_summary.count, **counts}


# -- comments ------------------------------------------------------------------------------------------------


def number(read: Comment) -> str:
    """The comment's own number."""
    return str(read.id)


def urn(read: Comment) -> str:
    """The comment's composite URN; where it does not stand there, what it would be."""
    return read.comment_urn or read.urn or f"urn:li:comment:({read.object},{read.id})"


def remark(
    seen: Seen[Comment], post: str, above: str, page: Ours, evidence: Sequence[Span] = ()
) -> Observation:
    """A comment under `post` that answers `above`, which it may say otherwise itself."""
    read = seen.what
    created = moment(read.created.time) if read.created else None
    changed = moment(read.last_modified.time) if read.last_modified else None
    parent = comment(read.parent_comment)
    message = read.message
    pictures = tuple(_inside(read.content))
    return Observation(
        native_id=under(post, number(read)),
        kind=Kind.REPLY if read.actor == page.urn else Kind.COMMENT,
        author=page.author if read.actor == page.urn else Author(id=read.actor) if read.actor else None,
        text=message.text if message else "",
        url=f"{SITE}/feed/update/{post}/?commentUrn={coded(urn(read))}",
        in_reply_to=under(post, parent.number) if parent else above,
        published_at=created,
        edited_at=changed if changed != created else None,
        attachments=pictures,
        files_told=read.content is None
        or (isinstance(read.content, list) and len(pictures) == len(read.content)),
        counts=_numbers(
            {
                "likes": read.likes_summary.total_likes if read.likes_summary else None,
                "replies": read.comments_summary.total_first_level_comments
                if read.comments_summary
                else None,
            }
        ),
        extra=_told(
            agent=read.agent,
            attributes=message.attributes if message and isinstance(message.attributes, list) else None,
        ),
        evidence=(seen.span, *evidence),
    )


def _inside(content: Any) -> Iterator[Attachment]:
    """Pictures in a comment. Their addresses stand beside their names, and expire as well."""
    for one in content if isinstance(content, list) else []:
        entity = _object(one, "entity") if isinstance(one, dict) else {}
        name = next(
            (told for told in entity.values() if isinstance(told, str) and told.startswith("urn:")), None
        )
        if name is not None:
            yield Attachment(id=_as_image(name), url=_text(one.get("url")))


# -- pieces --------------------------------------------------------------------------------------------------


def _localised(told: Any) -> str | None:
    """A text that stands there in several languages: the one that is preferred, or else the first."""
    if isinstance(told, str):
        return told.strip() or None
    words = _object(told, "localized") if isinstance(told, dict) else {}
    return next((_text(one) for one in words.values() if _text(one)), None)


def _object(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _objects(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = told.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(told: Any) -> str | None:
    return told.strip() or None if isinstance(told, str) else None


def _numbers(told: Mapping[str, Any]) -> dict[str, int]:
    """Those of the counters that are numbers."""
    return {name: one for name, one in told.items() if isinstance(one, int) and not isinstance(one, bool)}


def _told(**told: object) -> dict[str, object]:
    return {name: one for name, one in told.items() if one not in (None, "", [], {}, False)}
