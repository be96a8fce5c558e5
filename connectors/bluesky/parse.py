"""What records and views say: bytes in, observations with spans out. Asks nobody.

A record is the same whether it came in a repository (DAG-CBOR) or in an answer
of the app view (JSON); both give the same observation, so that reading one
after the other is no edit. Its native id is its address, `at://did/…/rkey`.

An item that answers a post is a comment, one that answers an answer a reply;
both name their parent. A post of somebody else's that quotes the page's own is
a comment on what it quotes. What mentions the page elsewhere is a message that
anybody may read.

Unknown names are ignored. What an observation cannot do without (the address,
the words, a time) is required: an answer of another shape raises `Malformed`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape
from typing import Any, Generic, TypeVar

import msgspec

from connectors import pieces, spans
from connectors.bluesky import address
from connectors.bluesky.address import POST, Uri
from connectors.bluesky.cbor import Cid
from connectors.contract import Attachment, Author, Kind, Observation, Span, State

PROFILE, REPOST = "app.bsky.actor.profile", "app.bsky.feed.repost"
THREADGATE, POSTGATE = "app.bsky.feed.threadgate", "app.bsky.feed.postgate"
BLOCK, LIST_BLOCK = "app.bsky.graph.block", "app.bsky.graph.listblock"
LIST, LIST_ITEM = "app.bsky.graph.list", "app.bsky.graph.listitem"

RECORDS = frozenset({POST, PROFILE, REPOST, THREADGATE, POSTGATE})
"""Collections of which each record is one of the page's."""

TOLD_OF = frozenset({"reply", "mention", "quote"})
"""The reasons of notifications that tell of what somebody said."""

INVALID_HANDLE = "handle.invalid"
"""What the app view puts in place of a handle that it could not verify."""


class Malformed(ValueError):
    """The body is not what the protocol promises."""


class Refusal(msgspec.Struct):
    """The protocol's own word for why there is no answer."""

    error: str
    message: str = ""


class Writer(msgspec.Struct):
    """Whoever the app view names as an author."""

    did: str
    handle: str = ""
    display_name: str = msgspec.field(name="displayName", default="")
    labels: Any = None

    @property
    def author(self) -> Author:
        handle = self.handle if self.handle and self.handle != INVALID_HANDLE else None
        return Author(id=self.did, name=self.display_name or None, handle=handle)


class View(msgspec.Struct):
    """A post as the app view shows it."""

    uri: str
    cid: str
    author: Writer
    record: dict[str, Any]
    embed: Any = None
    reply_count: int | None = msgspec.field(name="replyCount", default=None)
    repost_count: int | None = msgspec.field(name="repostCount", default=None)
    like_count: int | None = msgspec.field(name="likeCount", default=None)
    quote_count: int | None = msgspec.field(name="quoteCount", default=None)
    bookmark_count: int | None = msgspec.field(name="bookmarkCount", default=None)
    indexed_at: str | None = msgspec.field(name="indexedAt", default=None)
    labels: Any = None
    threadgate: Any = None

    @property
    def counts(self) -> dict[str, int]:
        told = {
            "replies": self.reply_count,
            "reposts": self.repost_count,
            "likes": self.like_count,
            "quotes": self.quote_count,
            "bookmarks": self.bookmark_count,
        }
        return {name: number for name, number in told.items() if number is not None}


class _Node(msgspec.Struct):
    """A place in a thread: a post with its answers, or why there is none."""

    post: msgspec.Raw = msgspec.Raw()
    replies: list[_Node | None] | None = None
    uri: Any = None
    not_found: bool = msgspec.field(name="notFound", default=False)
    blocked: bool = False


class _Loose(msgspec.Struct):
    """The same place where something in it, or below it, has another shape."""

    post: msgspec.Raw = msgspec.Raw()
    replies: msgspec.Raw = msgspec.Raw(b"null")
    uri: Any = None
    not_found: Any = msgspec.field(name="notFound", default=False)
    blocked: Any = False


class _Thread(msgspec.Struct):
    thread: _Node


class _LooseThread(msgspec.Struct):
    thread: msgspec.Raw


class _Posts(msgspec.Struct):
    posts: list[msgspec.Raw]
    cursor: str | None = None


class Noticed(msgspec.Struct):
    """What a notification tells of."""

    uri: str
    cid: str
    author: Writer
    reason: str
    record: dict[str, Any]
    indexed_at: str | None = msgspec.field(name="indexedAt", default=None)
    labels: Any = None


class _Notices(msgspec.Struct):
    notifications: list[msgspec.Raw]
    cursor: str | None = None


_view = msgspec.json.Decoder(View)
_thread = msgspec.json.Decoder(_Thread)
_posts = msgspec.json.Decoder(_Posts)
_notices = msgspec.json.Decoder(_Notices)
_refusal = msgspec.json.Decoder(Refusal)
_object = msgspec.json.Decoder(dict[str, Any])
_UNREAD = (msgspec.MsgspecError, ValueError, RecursionError)
"""What is raised for one item that has another shape than it promises."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One post that an answer shows, with the bytes that it was read from."""

    view: View
    span: Span


T = TypeVar("T")


@dataclass(slots=True)
class Listed(Generic[T]):
    """The items of a listing, and the cursor of what follows.

    `unread` are the addresses of those that have another shape than they
    promise, None where not even the address can be read.
    """

    items: list[T] = field(default_factory=list)
    unread: list[str | None] = field(default_factory=list)
    cursor: str | None = None


@dataclass(slots=True)
class Branch:
    """A post in a thread with what answers it.

    `blocked` and `missing` are the addresses of answers that are not shown
    because somebody blocked somebody, and because there is no such post;
    `unread` those of answers that nobody can read, None where not even the
    address can be, and `loose` what answers these. `cut` says that the answer
    stopped here although there may be more below.
    """

    seen: Seen
    answers: list[Branch] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unread: list[str | None] = field(default_factory=list)
    loose: list[Branch] = field(default_factory=list)
    cut: bool = False

    def all(self) -> Iterator[Branch]:
        """This branch and every one below it."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            yield one
            waiting += reversed([*one.answers, *one.loose])


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose page it is that records are read for: its DID, its author, and its own server for its files."""

    did: str
    author: Author | None = None
    pds: str | None = None


# -- answers ---------------------------------------------------------------------------------------------------


def refusal(body: bytes) -> Refusal | None:
    """The protocol's own refusal; None where somebody else answered (a proxy, a firewall)."""
    try:
        return _refusal.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def answer(body: bytes) -> dict[str, Any]:
    """A body that is one JSON object."""
    try:
        return _object.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(f"a JSON object was expected: {fault}") from None


def posts(body: bytes, exchange: int) -> Listed[Seen]:
    """The posts of a listing (`getPosts`, `getQuotes`)."""
    try:
        said = _posts.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(f"a listing of posts was expected: {fault}") from None
    told: Listed[Seen] = Listed(cursor=said.cursor)
    for raw, span in _placed(body, said.posts, exchange):
        try:
            told.items.append(Seen(_viewed(raw), span))
        except _UNREAD:
            told.unread.append(called(raw))
    return told


def notices(body: bytes, exchange: int) -> Listed[tuple[Noticed, Span]]:
    """The notifications of a listing."""
    try:
        said = _notices.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(f"a listing of notifications was expected: {fault}") from None
    told: Listed[tuple[Noticed, Span]] = Listed(cursor=said.cursor)
    for raw, span in _placed(body, said.notifications, exchange):
        try:
            told.items.append((pieces.value(bytes(raw), Noticed), span))
        except _UNREAD:
            told.unread.append(called(raw))
    return told


def called(raw: bytes | msgspec.Raw) -> str | None:
    """The address of an item that has another shape than it promises; None where not even that can be read."""
    try:
        told = pieces.value(bytes(raw), Any)
    except _UNREAD:
        return None
    where = told.get("uri") if isinstance(told, dict) else None
    return where if isinstance(where, str) and address.uri(where) is not None else None


def thread(body: bytes, exchange: int) -> Branch | str | None:
    """The thread of an answer of `getPostThread`; where it names no answers at all, it was cut off.

    The address alone where its post is blocked, None where it is not found.
    """
    try:
        try:
            top = _thread.decode(body).thread
        except msgspec.ValidationError as fault:
            # One place that has another shape costs no other.
            found = _loosely(msgspec.json.decode(body, type=_LooseThread).thread)
            if found is None:
                raise fault from None
            top = found
        if top.not_found:
            return None
        if top.blocked:
            return str(top.uri)
        return _grown(body, top, exchange)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(f"a thread was expected: {fault}") from None


def _loosely(raw: bytes | msgspec.Raw) -> _Node | None:
    """A place in a thread with all below it that can be read; None where it is of another shape itself.

    Where its answers are no list, one that cannot be read stands for them.
    """
    try:
        told = msgspec.json.decode(raw, type=_Loose)
    except msgspec.ValidationError:
        return None
    replies: list[_Node | None] | None = None
    if bytes(told.replies) != b"null":
        try:
            below = msgspec.json.decode(told.replies, type=list[msgspec.Raw])
        except msgspec.ValidationError:
            replies = [None]
        else:
            replies = [_loosely(one) for one in below]
    return _Node(told.post, replies, told.uri, told.not_found is True, told.blocked is True)


def _viewed(raw: bytes | msgspec.Raw) -> View:
    """One post; halves of characters and nulls, which say nothing, do not cost its words."""
    try:
        return _view.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return pieces.value(bytes(raw), View)


def _grown(body: bytes, top: _Node, exchange: int) -> Branch:
    """Branches out of nodes, in the order in which they stand in the body, so that each is found behind the last."""
    root: Branch | None = None
    waiting: list[tuple[_Node | None, Branch | None, bool]] = [(top, None, False)]
    at = 0
    while waiting:
        node, above, loose = waiting.pop()
        if above is not None and (node is None or node.blocked or node.not_found):
            where = node.uri if node is not None else None
            if node is None or not isinstance(where, str):
                above.unread.append(None)
            else:
                (above.blocked if node.blocked else above.missing).append(where)
            continue
        assert node is not None, "the top of a thread is a node"
        raw = bytes(node.post)
        start = body.find(raw, at)
        if start < 0:  # the names of a node stood in another order than they mostly do
            start = body.find(raw)
        at = start + len(raw)
        try:
            view = _viewed(raw)
        except _UNREAD:
            if above is None:
                raise
            above.unread.append(called(raw))
            waiting += [(below, above, True) for below in reversed(node.replies or ())]
            continue
        branch = Branch(Seen(view, Span(exchange, start, at)), cut=node.replies is None)
        if above is None:
            root = branch
        elif loose:
            above.loose.append(branch)
        else:
            above.answers.append(branch)
        waiting += [(below, branch, False) for below in reversed(node.replies or ())]
    assert root is not None, "the top of a thread is a post"
    return root


def _placed(body: bytes, items: Sequence[msgspec.Raw], exchange: int) -> Iterator[tuple[msgspec.Raw, Span]]:
    at = 0
    for item in items:
        raw = bytes(item)
        start = body.find(raw, at)
        at = start + len(raw)
        yield item, Span(exchange, start, at)


# -- records ---------------------------------------------------------------------------------------------------


def shown(
    seen: Seen,
    whose: Whose,
    hidden: Collection[str] = (),
    record: Mapping[str, Any] | None = None,
    **extra: object,
) -> Observation | None:
    """A post as the app view shows it; None where it is no record that we know.

    `record` is the page's own, out of its repository: what the app view holds
    of it may be older. `hidden` are the addresses that the page has hidden.
    """
    view = seen.view
    place = address.uri(view.uri)
    if place is None:
        raise Malformed(f"a post has the address {view.uri!r}")
    own = place.did == whose.did
    author = whose.author if own and whose.author is not None else view.author.author
    told: dict[str, object] = {"cid": view.cid, "indexed_at": view.indexed_at}
    told |= {"labels": _labels(view.labels), "author_labels": _labels(view.author.labels), **extra}
    return post(
        place,
        view.record if record is None else record,
        author,
        (seen.span,),
        whose,
        view=None if own else view.embed,
        state=State.HIDDEN if view.uri in hidden else State.PRESENT,
        counts=view.counts,
        extra=told,
    )


def post(
    place: Uri,
    record: Mapping[str, Any],
    author: Author,
    evidence: Sequence[Span],
    whose: Whose,
    *,
    view: object = None,
    state: State = State.PRESENT,
    counts: Mapping[str, int] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Observation | None:
    """A post, comment, reply, quotation or mention; None where the record is of another kind."""
    words = record.get("text")
    if not isinstance(words, str):
        return None
    embed = record.get("embed")
    quoted = _quoted(embed)
    kind, parent, root = _standing(place, record, quoted, whose.did)
    cards = _cards(embed)
    known = dict(extra or ())
    labels = record.get("labels")
    known |= {
        "root": root,
        "quotes": quoted,
        "self_labels": _values(labels) if isinstance(labels, dict) else None,
        "tags": [one for one in _list(record.get("tags")) if isinstance(one, str)],
    }
    return Observation(
        native_id=str(place),
        kind=kind,
        state=state,
        author=author,
        text="\n\n".join([words, *cards]) if cards else words,
        html=_html(words, record.get("facets"), quoted),
        url=place.web,
        in_reply_to=parent,
        published_at=moment(record.get("createdAt")),
        language=next((one for one in _list(record.get("langs")) if isinstance(one, str)), None),
        attachments=_attachments(place.did, embed, view, whose) if embed is not None else (),
        counts=counts or {},
        extra={name: value for name, value in known.items() if value},
        evidence=tuple(evidence),
    )


def of_repository(
    place: Uri, record: Mapping[str, Any], cid: str, whose: Whose, evidence: Sequence[Span]
) -> Observation | None:
    """A record of the page's own repository; None where it is of a collection that makes no record here."""
    author = whose.author or Author(id=whose.did)
    about = {"cid": cid}
    match place.collection:
        case "app.bsky.feed.post":
            return post(place, record, author, evidence, whose, extra=about)
        case "app.bsky.actor.profile":
            return _profile(place, record, author, whose, evidence, about)
        case "app.bsky.feed.repost":
            return _repost(place, record, author, evidence, about)
        case "app.bsky.feed.threadgate":
            text = _threadgate(record)
        case "app.bsky.feed.postgate":
            text = _postgate(record)
        case _:
            return None
    gated = record.get("post")
    return Observation(
        native_id=str(place),
        kind=Kind.PROFILE,
        author=author,
        text=text,
        in_reply_to=gated if isinstance(gated, str) else None,
        published_at=moment(record.get("createdAt")),
        extra=about,
        evidence=tuple(evidence),
    )


def hidden_by(record: Mapping[str, Any]) -> list[str]:
    """The addresses of the answers that a threadgate hides."""
    return [one for one in _list(record.get("hiddenReplies")) if isinstance(one, str)]


def hidden_in(view: View) -> list[str]:
    """The addresses of the answers that are hidden below a post, as the app view tells."""
    gate = view.threadgate
    record = gate.get("record") if isinstance(gate, dict) else None
    return hidden_by(record) if isinstance(record, dict) else []


def gate_of(post: str) -> str:
    """Where the threadgate of a post stands, if it has one."""
    return post.replace(f"/{POST}/", f"/{THREADGATE}/")


def gate(
    seen: Seen, body: bytes, whose: Whose, records: Mapping[str, Mapping[str, Any]]
) -> Observation | None:
    """The threadgate of a post of the page's own, which the app view shows inside it; None where it has none."""
    told, place = seen.view.threadgate, address.uri(gate_of(seen.view.uri))
    if not isinstance(told, dict) or place is None or place.did != whose.did or told.get("uri") != str(place):
        return None
    record, link = records.get(str(place), told.get("record")), told.get("cid")
    inside = spans.member(body, (seen.span.start, seen.span.end), "threadgate")
    if not isinstance(record, dict) or inside is None:
        return None
    named = whose if whose.author is not None else replace(whose, author=seen.view.author.author)
    return of_repository(place, record, str(link), named, (Span(seen.span.exchange, *inside),))


def listed(
    collection: str, items: Sequence[tuple[str, Span]], whose: Whose, name: str | None = None
) -> Observation:
    """A collection that is one record with all that it lists: the accounts that the page blocks."""
    return Observation(
        native_id=name or f"at://{whose.did}/{collection}",
        kind=Kind.PROFILE,
        author=whose.author,
        text="\n".join(sorted(text for text, _ in items)),
        extra={"collection": collection},
        evidence=tuple(span for _, span in items),
    )


def noticed(what: Noticed, span: Span, whose: Whose, hidden: Collection[str] = ()) -> Observation | None:
    """What a notification tells of: an answer, a quotation or a mention; None for likes and followers."""
    if what.reason not in TOLD_OF:
        return None
    view = View(what.uri, what.cid, what.author, what.record, indexed_at=what.indexed_at, labels=what.labels)
    return shown(Seen(view, span), whose, hidden)


def moment(written: object) -> datetime | None:
    """A time as records bear it; None where it is none, or names no zone."""
    if not isinstance(written, str):
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    try:
        return None if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None


def _standing(
    place: Uri, record: Mapping[str, Any], quoted: str | None, page: str
) -> tuple[Kind, str | None, str | None]:
    """What a post is on this page, what it answers, and the root of its thread: told by the record alone."""
    reply = record.get("reply")
    if isinstance(reply, dict):
        parent, root = _strong(reply.get("parent")), _strong(reply.get("root"))
        if parent is not None:
            return (Kind.COMMENT if parent == root else Kind.REPLY), parent, root
    if place.did == page:
        return Kind.POST, None, None
    if quoted is not None and quoted.startswith(f"at://{page}/"):
        return Kind.COMMENT, quoted, None
    return Kind.MESSAGE, None, None


def _strong(value: object) -> str | None:
    found = value.get("uri") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _quoted(embed: object) -> str | None:
    """The address of what a post quotes, where it is a post."""
    if not isinstance(embed, dict):
        return None
    inner = embed.get("record")
    found = _strong(inner)
    if found is None and isinstance(inner, dict):
        found = _strong(inner.get("record"))
    return found if found is not None and f"/{POST}/" in found else None


def _cards(embed: object) -> list[str]:
    """The words of a card that leads elsewhere: its title, what it says, and its address."""
    media = _media(embed)
    external = media.get("external") if isinstance(media, dict) else None
    if not isinstance(external, dict):
        return []
    said = [external.get(name) for name in ("title", "description", "uri")]
    return ["\n".join(one for one in said if isinstance(one, str) and one)]


def _media(embed: object) -> object:
    """The embed itself, or the media of one that also quotes."""
    return embed["media"] if isinstance(embed, dict) and "media" in embed else embed


def _attachments(did: str, embed: object, view: object, whose: Whose) -> tuple[Attachment, ...]:
    """The files of a post, each under its own digest. `view` is the same embed as the app view shows it."""
    media, seen = _media(embed), _media(view)
    if not isinstance(media, dict):
        return ()
    addresses = _addresses(seen)
    found: list[Attachment] = []
    for number, image in enumerate(_list(media.get("images"))):
        if isinstance(image, dict):
            where = addresses[number] if number < len(addresses) else None
            found += _blob(did, image.get("image"), where, image.get("alt"), whose)
    found += _blob(did, media.get("video"), None, media.get("alt"), whose)
    for caption in _list(media.get("captions")):
        if isinstance(caption, dict):
            found += _blob(did, caption.get("file"), None, f"captions ({caption.get('lang')})", whose)
    external = media.get("external")
    if isinstance(external, dict):
        card = seen.get("external") if isinstance(seen, dict) else None
        thumb = card.get("thumb") if isinstance(card, dict) else None
        found += _blob(did, external.get("thumb"), thumb, None, whose)
    return tuple({one.id: one for one in found}.values())


def _addresses(seen: object) -> list[str | None]:
    """Where the app view shows the pictures of an embed, in their order."""
    images = _list(seen.get("images")) if isinstance(seen, dict) else []
    found = [one.get("fullsize") or one.get("thumb") if isinstance(one, dict) else None for one in images]
    return [one if isinstance(one, str) else None for one in found]


def _blob(did: str, blob: object, where: object, description: object, whose: Whose) -> list[Attachment]:
    link = _link(blob)
    if link is None or not isinstance(blob, dict):
        return []
    if did == whose.did and whose.pds is not None:
        where = blob_address(whose.pds, did, link)
    kind = blob.get("mimeType")
    return [
        Attachment(
            id=link,
            url=where if isinstance(where, str) else None,
            media_type=kind if isinstance(kind, str) else None,
            description=description if isinstance(description, str) else None,
        )
    ]


def blob_address(pds: str, did: str, link: str) -> str:
    """Where the server of an account hands out one of its files, as it was uploaded."""
    return f"{pds}/xrpc/com.atproto.sync.getBlob?did={did}&cid={link}"


def _link(blob: object) -> str | None:
    """The digest of a file: as a link, or as the oldest records write it."""
    if not isinstance(blob, dict):
        return None
    ref = blob.get("ref")
    if isinstance(ref, Cid):
        return ref.text
    found = ref.get("$link") if isinstance(ref, dict) else blob.get("cid")
    return found if isinstance(found, str) and found.isalnum() else None


def _html(text: str, facets: object, quoted: str | None) -> str | None:
    """The words with what their parts lead to, so that another target is another version; None where nothing does.

    Facets count in bytes of UTF-8. Those that overlap or lie outside are left out.
    """
    if not facets and quoted is None:
        return None
    said, at, out = text.encode(), 0, []
    for start, end, where in sorted(_facets(facets), key=lambda one: one[:2]):
        if at <= start < end <= len(said):
            out += [
                _escaped(said[at:start]),
                f'<a href="{escape(where)}">',
                _escaped(said[start:end]),
                "</a>",
            ]
            at = end
    out.append(_escaped(said[at:]))
    if quoted is not None:
        out.append(f'<blockquote cite="{escape(quoted)}"></blockquote>')
    return "".join(out)


def _facets(facets: object) -> Iterator[tuple[int, int, str]]:
    for facet in _list(facets):
        if not isinstance(facet, dict) or not isinstance(facet.get("index"), dict):
            continue
        start, end = facet["index"].get("byteStart"), facet["index"].get("byteEnd")
        if not isinstance(start, int) or not isinstance(end, int):
            continue
        for feature in _list(facet.get("features")):
            if not isinstance(feature, dict):
                continue
            where = feature.get("uri") or feature.get("did")
            if isinstance(where, str):
                yield start, end, where if "uri" in feature else f"https://bsky.app/profile/{where}"
                break


def _escaped(said: bytes) -> str:
    return escape(said.decode("utf-8", "replace")).replace("\n", "<br>")


def _profile(
    place: Uri,
    record: Mapping[str, Any],
    author: Author,
    whose: Whose,
    evidence: Sequence[Span],
    about: Mapping[str, object],
) -> Observation:
    """The page's introduction."""
    said = [record.get(name) for name in ("displayName", "pronouns", "description", "website")]
    pictures = [
        *_blob(place.did, record.get("avatar"), None, "avatar", whose),
        *_blob(place.did, record.get("banner"), None, "banner", whose),
    ]
    labels = record.get("labels")
    extra = {
        **about,
        "pinned": _strong(record.get("pinnedPost")),
        "self_labels": _values(labels) if isinstance(labels, dict) else None,
    }
    return Observation(
        native_id=str(place),
        kind=Kind.PROFILE,
        author=author,
        text="\n\n".join(one for one in said if isinstance(one, str) and one),
        url=f"https://bsky.app/profile/{place.did}",
        published_at=moment(record.get("createdAt")),
        attachments=tuple({one.id: one for one in pictures}.values()),
        extra={name: value for name, value in extra.items() if value},
        evidence=tuple(evidence),
    )


def _repost(
    place: Uri,
    record: Mapping[str, Any],
    author: Author,
    evidence: Sequence[Span],
    about: Mapping[str, object],
) -> Observation:
    """That the page passed on what somebody else said: its address, not its words."""
    subject = _strong(record.get("subject"))
    shared = address.uri(subject)
    return Observation(
        native_id=str(place),
        kind=Kind.POST,
        author=author,
        text="",
        html=None if subject is None else f'<blockquote cite="{escape(subject)}"></blockquote>',
        url=None if shared is None else shared.web,
        published_at=moment(record.get("createdAt")),
        extra={**about, "reposts": subject or ""},
        evidence=tuple(evidence),
    )


def _threadgate(record: Mapping[str, Any]) -> str:
    """Who may answer a post, and which answers the page has hidden, in words."""
    allowed = record.get("allow")
    rules = [_rule(one) for one in _list(allowed)]
    said = [
        "Anybody may answer."
        if not isinstance(allowed, list)
        else f"May answer: {', '.join(rules)}."
        if rules
        else "Nobody may answer."
    ]
    hidden = hidden_by(record)
    if hidden:
        said += ["Hidden answers:", *sorted(hidden)]
    return "\n".join(said)


def _postgate(record: Mapping[str, Any]) -> str:
    """Who may quote a post, and from which quotations the page has taken it away, in words."""
    rules = [_rule(one) for one in _list(record.get("embeddingRules"))]
    said = ["Nobody may quote." if "disableRule" in rules else "Anybody may quote."]
    detached = [one for one in _list(record.get("detachedEmbeddingUris")) if isinstance(one, str)]
    if detached:
        said += ["Taken out of these quotations:", *sorted(detached)]
    return "\n".join(said)


def _rule(rule: object) -> str:
    named = str(rule.get("$type", "")).rpartition("#")[2] if isinstance(rule, dict) else ""
    where = rule.get("list") if isinstance(rule, dict) else None
    return f"{named} {where}" if isinstance(where, str) else named or "unknown rule"


def _labels(labels: object) -> list[str]:
    """What a moderation service says of an item: the label, and whose it is."""
    return [
        f"{'not ' if one.get('neg') else ''}{one.get('val')} ({one.get('src')})"
        for one in _list(labels)
        if isinstance(one, dict)
    ]


def _values(labels: Mapping[str, Any]) -> list[str]:
    return [str(one.get("val")) for one in _list(labels.get("values")) if isinstance(one, dict)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
