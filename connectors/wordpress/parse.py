"""What WordPress's answers say: JSON bytes in, observations with spans out. Asks nobody.

Numbers of posts and pages come from one table, those of comments from
another, so native ids carry what they number: `post:12`, `page:3`,
`comment:45`; the site itself is `site`. Times are read from the `*_gmt`
fields, which are UTC without saying so.

Unknown keys are ignored, and what a plugin may leave out may be missing. What
an observation cannot do without (id, status, the words) is required: an answer
of another shape raises `Malformed` rather than archive an emptied post.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import unescape
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from connectors import pieces, spans, times
from connectors.contract import Attachment, Author, Kind, Observation, Span, State
from connectors.text import attributes, plain, tokens

T = TypeVar("T")

Malformed = pieces.Malformed
Seen = pieces.Seen


class Words(msgspec.Struct):
    """A title or a content: as rendered and, for those who may edit, as written."""

    rendered: str
    raw: str | None = None
    protected: bool = False


class Site(msgspec.Struct):
    """What the index of the interface says of the site."""

    namespaces: list[str]
    name: str = ""
    description: str = ""
    url: str = ""
    home: str = ""
    timezone_string: str = ""


class Post(msgspec.Struct):
    """A post or a page."""

    id: int
    status: str
    type: str
    content: Words
    date_gmt: str | None = None
    modified_gmt: str | None = None
    title: Words | None = None
    link: str | None = None
    slug: str = ""
    author: int | None = None
    parent: int | None = None
    featured_media: int | None = None
    comment_status: str | None = None
    sticky: bool | None = None
    categories: Any = None
    tags: Any = None
    links: Any = msgspec.field(name="_links", default=None)


class Comment(msgspec.Struct):
    """A comment, or a pingback or trackback, which WordPress keeps among them."""

    id: int
    post: int
    status: str
    content: Words
    parent: int | None = None
    author: int | None = None
    author_name: str = ""
    author_url: str = ""
    date_gmt: str | None = None
    link: str | None = None
    type: str = "comment"
    links: Any = msgspec.field(name="_links", default=None)


class User(msgspec.Struct):
    """Who writes on the site, as far as it names them."""

    id: int
    name: str = ""
    slug: str = ""


class Media(msgspec.Struct):
    """A file in the site's library."""

    id: int
    source_url: str
    post: int | None = None
    mime_type: str | None = None
    alt_text: str = ""
    caption: Words | None = None
    media_details: Any = None


class Revision(msgspec.Struct):
    """A text that a post had from `date_gmt` on."""

    id: int
    content: Words
    date_gmt: str | None = None
    author: int | None = None
    slug: str = ""
    title: Words | None = None


class Me(msgspec.Struct):
    """The account whose application password we were given."""

    id: int
    slug: str = ""
    capabilities: Any = None

    def may(self, *capabilities: str) -> bool:
        """Whether the site grants the account all of these."""
        return isinstance(self.capabilities, dict) and all(self.capabilities.get(one) for one in capabilities)


class Standing(msgspec.Struct):
    """The few fields that tell how one item stands."""

    id: int
    status: str


class Refusal(msgspec.Struct):
    """WordPress's own word for why it did not answer."""

    code: str
    message: str = ""


def one(body: bytes, shape: type[T]) -> T:
    """Read a whole body as one object."""
    try:
        start, end = spans.document(body)
        return pieces.value(body[start:end], shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(_why(body, error)) from error


def many(body: bytes, exchange: int, shape: type[T]) -> list[Seen[T]]:
    """Read a body as a listing; each item with its own bytes in `exchange`."""
    try:
        return pieces.items(body, spans.document(body), exchange, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(_why(body, error)) from error


def refusal(body: bytes) -> Refusal | None:
    """WordPress's own refusal, or None where somebody else answered (a firewall, a proxy)."""
    try:
        return one(body, Refusal)
    except Malformed:
        return None


def is_sign_in(body: bytes) -> bool:
    """Whether an HTML page asks its reader for a password."""
    return re.search(rb"""wp-login\.php|type\s*=\s*["']?password""", body, re.IGNORECASE) is not None


def speaks_of_wordpress(body: bytes) -> bool:
    """Whether a page that is no JSON has WordPress's index in it, behind a plugin's warning."""
    return re.search(rb'"namespaces"\s*:.*"wp\\?/v2"', body, re.DOTALL) is not None


def rest_root(headers: Sequence[tuple[str, str]], asked: str) -> str | None:
    """The address of the interface, where a `Link` header of the answer to `asked` names it."""
    for name, value in headers:
        if name.lower() != "link":
            continue
        for link in re.finditer(r"<([^>]*)>([^<]*)", value):
            if re.search(r"""rel\s*=\s*["']?https://api\.w\.org/""", link.group(2)):
                try:
                    return str(urljoin(asked, link.group(1)))
                except ValueError:
                    continue
    return None


def moment(naive: str | None) -> datetime | None:
    """A `*_gmt` field as a moment in UTC; None where WordPress has none (`0000-00-00T00:00:00`)."""
    if not naive or naive.startswith("0000"):
        return None
    return times.iso(naive)


def post_state(status: str) -> State:
    """Published is present, with or without a password; everything else only the site's own people read."""
    return State.PRESENT if status == "publish" else State.HIDDEN


def comment_state(status: str) -> State:
    """Approved is present; held, spam and trash only the site's own people read."""
    return State.PRESENT if status in {"approved", "approve", "1"} else State.HIDDEN


def site(read: Site, address: str, evidence: Sequence[Span]) -> Observation:
    """The site's own introduction: its name and, below it, its tagline."""
    name, tagline = unescape(read.name).strip(), unescape(read.description).strip()
    home = read.home or read.url or address
    return Observation(
        native_id="site",
        kind=Kind.PROFILE,
        author=Author(name=name or None),
        text="\n\n".join(part for part in (name, tagline) if part),
        url=home,
        extra={"name": name, "description": tagline, "home": home, "time_zone": read.timezone_string},
        evidence=tuple(evidence),
    )


def post(
    seen: Seen[Post],
    users: Mapping[int, Seen[User]],
    library: Mapping[int, Seen[Media]],
    revisions: Sequence[Seen[Revision]] | None = None,
    kind: str = "",
    *,
    files_told: bool = True,
) -> Observation:
    """A post or page with its author, its files and, where they were asked for, its earlier texts.

    `kind` is what it was asked for as, "post" or "page"; else what it calls
    itself. Not `files_told` is one whose site shuts its library.
    """
    read = seen.what
    title = plain(read.title.rendered) if read.title else ""
    published, modified = moment(read.date_gmt), moment(read.modified_gmt)
    author = users.get(read.author or 0)
    files = list(_files(read, library))
    evidence = [seen.span]
    if author:
        evidence.append(author.span)
    evidence += [library[number].span for number, _ in files if number is not None]
    evidence += [revision.span for revision in revisions or ()]
    extra: dict[str, object] = {
        "title": title,
        "status": read.status,
        "slug": read.slug,
        "protected": read.content.protected,
        "sticky": bool(read.sticky),
        "comments": read.comment_status,
        "categories": _numbers(read.categories),
        "tags": _numbers(read.tags),
    }
    if read.content.raw is not None:
        extra["raw"] = read.content.raw
    if revisions is not None:
        extra["revisions"] = _earlier(revisions, published)
    return Observation(
        native_id=f"{kind or read.type}:{read.id}",
        kind=Kind.POST,
        state=post_state(read.status),
        author=_writer(read.author, author.what if author else None),
        text="\n\n".join(part for part in (title, plain(read.content.rendered)) if part),
        html=read.content.rendered,
        url=read.link,
        published_at=published,
        edited_at=modified if modified and (published is None or modified > published) else None,
        attachments=tuple(file for _, file in files),
        files_told=files_told,
        extra=extra,
        evidence=tuple(evidence),
    )


def comment(seen: Seen[Comment]) -> Observation:
    """A comment, which answers another comment or else its post.

    Where the site shows its moderators the writer's e-mail address, network
    address and browser, these stay in the evidence: they are no part of what
    was said, and nothing here repeats them.
    """
    read = seen.what
    name = unescape(read.author_name).strip()
    extra: dict[str, object] = {
        "status": read.status,
        "type": read.type,
        "author_url": read.author_url or None,
        "post": f"{_commented_type(read)}:{read.post}",
    }
    if read.content.raw is not None:
        extra["raw"] = read.content.raw
    return Observation(
        native_id=f"comment:{read.id}",
        kind=Kind.COMMENT,
        state=comment_state(read.status),
        author=Author(id=str(read.author) if read.author else None, name=name or None),
        text=plain(read.content.rendered),
        html=read.content.rendered,
        url=read.link,
        in_reply_to=f"comment:{read.parent}" if read.parent else f"{_commented_type(read)}:{read.post}",
        published_at=moment(read.date_gmt),
        extra=extra,
        evidence=(seen.span,),
    )


def has_revisions(read: Post) -> bool:
    """Whether the post says that earlier texts of it are kept. One that says nothing is taken to have none."""
    links = read.links if isinstance(read.links, dict) else {}
    history = links.get("version-history")
    if not isinstance(history, list) or not history or not isinstance(history[0], dict):
        return False
    return history[0].get("count") != 0


def media_named_in(read: Post) -> set[int]:
    """The numbers of the library's files that a post names: its title picture and those in its text."""
    numbers = {int(found) for found in re.findall(r"\bwp-image-(\d{1,18})\b", read.content.rendered)}
    return numbers | ({read.featured_media} if read.featured_media else set())


def _files(read: Post, library: Mapping[int, Seen[Media]]) -> Iterator[tuple[int | None, Attachment]]:
    """The files of a post: its title picture, then those in its text, then what else was uploaded to it."""
    by_address = {address: number for number, seen in library.items() for address in _addresses(seen.what)}
    given: set[int | str] = set()
    shown = [(read.featured_media, None)] if read.featured_media in library else []
    for number, address in [*shown, *_shown_in(read.content.rendered, read.link)]:
        known = number if number in library else by_address.get(address or "")
        key = known if known is not None else address
        if key is None or key in given:
            continue
        given.add(key)
        if known is not None:
            yield known, _file(library[known].what)
        elif address is not None:
            yield None, Attachment(id=address, url=address)
    for number in sorted(library):
        if number not in given and library[number].what.post == read.id:
            yield number, _file(library[number].what)


def _shown_in(html: str, base: str | None) -> Iterator[tuple[int | None, str | None]]:
    """Pictures, sounds and films in a text, and links to what was uploaded: number where given, address."""
    for name, tag in tokens(html):
        if name not in {"img", "video", "audio", "source", "a"}:
            continue
        found = attributes(tag)
        classes = found.get("class", "")
        if re.search(r"\b(?:emoji|wp-smiley)\b", classes):
            continue
        address = found.get("href" if name == "a" else "src", "").strip()
        try:
            address = urljoin(base or "", address.split("#")[0])
            scheme = urlsplit(address).scheme
        except ValueError:  # no browser reads it either
            continue
        if scheme not in {"http", "https"}:
            continue
        if name == "a" and "/wp-content/uploads/" not in address:
            continue
        numbered = re.search(r"\bwp-image-(\d{1,18})\b", classes) if name == "img" else None
        yield (int(numbered.group(1)) if numbered else None), address


def _addresses(media: Media) -> Iterator[str]:
    """Every address under which the library gives out one file: as it came, and in its smaller sizes."""
    yield media.source_url
    details = media.media_details if isinstance(media.media_details, dict) else {}
    sizes = details.get("sizes")
    for size in sizes.values() if isinstance(sizes, dict) else ():
        if isinstance(size, dict) and isinstance(size.get("source_url"), str):
            yield size["source_url"]


def _file(media: Media) -> Attachment:
    return Attachment(
        id=f"media:{media.id}",
        url=media.source_url,
        media_type=media.mime_type,
        description=plain(media.alt_text),
        caption=plain(media.caption.rendered) if media.caption else "",
    )


def _earlier(revisions: Sequence[Seen[Revision]], published: datetime | None) -> list[dict[str, object]]:
    """The texts a post has had since it was published, oldest first.

    What was saved before that was a draft, and an autosave is one still.
    """
    kept: list[dict[str, object]] = []
    for seen in revisions:
        read, since = seen.what, moment(seen.what.date_gmt)
        if "-autosave-" in read.slug or (published and since and since < published):
            continue
        title = plain(read.title.rendered) if read.title else ""
        kept.append(
            {
                "id": f"revision:{read.id}",
                "since": since.isoformat() if since else None,
                "author": str(read.author) if read.author else None,
                "title": title,
                "text": plain(read.content.rendered),
                "html": read.content.rendered,
            }
        )
    return sorted(
        kept, key=lambda entry: (str(entry["since"] or ""), int(str(entry["id"]).partition(":")[2]))
    )


def _writer(number: int | None, user: User | None) -> Author | None:
    if not number:
        return None
    if user is None:
        return Author(id=str(number))
    return Author(id=str(number), name=unescape(user.name).strip() or None, handle=user.slug or None)


def _commented_type(read: Comment) -> str:
    """What kind of thing was commented on: a post unless the answer says page, or another type."""
    up = read.links.get("up") if isinstance(read.links, dict) else None
    if isinstance(up, list) and up and isinstance(up[0], dict):
        named = up[0].get("post_type")
        if isinstance(named, str) and named:
            return named
    return "post"


def _numbers(value: object) -> list[int]:
    return [number for number in value if isinstance(number, int)] if isinstance(value, list) else []


def _why(body: bytes, error: Exception) -> str:
    return pieces.why(body, error, "WordPress", instead="a plugin's warning")
