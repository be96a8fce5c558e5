"""What X's answers say: JSON bytes in, observations with spans out. Asks nobody.

A post is known by the id with which it began: every edit gives it another one,
and `edit_history_tweet_ids` names them all, the first one first. What answers a
later one answers the same record. Accounts are `user:12`, messages `dm:34`; what
only the account's owner sees is `blocked` and `muted`.

What a post is follows from the post alone, so that it is the same wherever it
was met: a reply where the account itself answers, a comment where somebody else
does, else a post; who quotes or names the account has posted.

An edit makes a version by its time and its address. The words before it are
`extra.edits`, oldest first, with their own bytes as evidence, and no
observations of their own: the archive compares with the newest version that it
holds, and old words observed again would look like a post edited back and forth.

Writers, files, polls and quoted posts stand beside the items, and their bytes
are named by every item that needs them. Unknown keys are ignored. Ids, words
and writers are required: an item without them is `unread` rather than archived
emptied, and those beside it are read. An answer of another shape raises
`Malformed`. What stands beside the items and cannot be read costs none of them,
but those whose words it tells: the choices of a poll, what is reposted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any, Generic, TypeGuard, TypeVar
from urllib.parse import urlsplit

import msgspec

from connectors import pieces, spans, times
from connectors.contract import Attachment, Author, Kind, Observation, Span, State
from connectors.pieces import Malformed, Seen, Sorted, Unread
from connectors.x.shapes import Attached, Event, Location, Media, Meta, Named, Poll, Post, Problem, User

T = TypeVar("T")

SITE = "https://x.com/"

_EPOCH = 1288834974657
"""The millisecond from which X's ids count."""

_WRITTEN = "MessageCreate"
"""What X calls that somebody wrote something in a conversation."""

_EVERYWHERE = frozenset({"XX", "XY"})
"""In place of a country: withheld in all of them, by an order or for a copyright."""

_NAMES = frozenset(
    {"id", "author_id", "conversation_id", "dm_conversation_id", "edit_history_tweet_ids", "in_reply_to_user_id",
     "media_key", "media_keys", "pinned_tweet_id", "place_id", "poll_ids", "sender_id"}
)  # fmt: skip
"""Members that hold ids."""

UNSAID = "an error of another shape than X's"
"""What stands for an error that nobody can read."""

_NO_LANGUAGE = frozenset({"und", "art", "zxx"})
_SIZE = re.compile(r"_(?:normal|bigger|mini|400x400|200x200|x96)(?=\.\w+(?:\?|$))")
_MORE_NAMES: Mapping[str, str] = {
    "reply_count": "replies",
    "retweet_count": "reposts",
    "quote_count": "quotes",
    "like_count": "likes",
    "bookmark_count": "bookmarks",
    "impression_count": "views",
    "followers_count": "followers",
    "following_count": "following",
    "tweet_count": "posts",
    "listed_count": "listed",
    "media_count": "media",
}


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One answer: its items, what stands beside them, what could not be told, what leads on."""

    items: list[Seen[T]]
    users: Mapping[str, Seen[User]]
    posts: Mapping[str, Seen[Post]]
    media: Mapping[str, Seen[Media]]
    polls: Mapping[str, Seen[Poll]]
    places: Mapping[str, Seen[Location]]
    errors: Sequence[Problem]
    meta: Meta
    lacking: int = 0
    """How many more items it counts than it shows."""
    counts: bool = True
    """Whether it says how much it shows and what leads on, as every list does."""
    unread: Sequence[Unread] = ()
    """Items that it shows and that cannot be read."""
    beside: Mapping[str, Sequence[Unread]] = field(default_factory=dict)
    """What stands beside its items and cannot be read, by what it should be ("media")."""
    named: Sequence[Named] = ()
    """Posts among the unread of which it can be read which ones they are."""

    @property
    def following(self) -> str | None:
        return self.meta.next_token or None

    @property
    def in_place_of_items(self) -> Problem | None:
        """What it says where it shows nothing; that it says so in words that nobody can read beside a count of nothing is no refusal."""
        said = None if self.items or self.unread else self.amiss
        return None if said is not None and said.title == UNSAID and self.counts else said

    def hides(self, what: str, identity: str) -> Unread | None:
        """What cannot be read and may be what is known by this id; None where none is."""
        return next((one for one in self.beside.get(what, ()) if one.id in {identity, None}), None)

    @property
    def amiss(self) -> Problem | None:
        """What makes it uncertain that everything of the list was shown; None where all was."""
        return next((one for one in self.errors if not one.of_a_reference), None)


# -- reading bodies ------------------------------------------------------------------------------------------


def answer(body: bytes, exchange: int, shape: type[T]) -> Answer[T]:
    """Read an answer about one object or about several."""
    try:
        members = _members(body, spans.document(body))
        includes = _members(body, members.get("includes"))
        told: Sorted[T] = Sorted([])
        if (where := members.get("data")) is not None:
            opening = body[where[0] : where[0] + 1]
            told = (
                _sorted(body, exchange, where, shape)
                if opening == b"["
                else Sorted([Seen(_value(body[slice(*where)], shape), Span(exchange, *where))])
            )
        said = _sorted(body, exchange, members.get("errors"), Problem, "resource_id", beside=True)
        errors = [one.what for one in said.items]
        errors += [Problem(title=UNSAID, resource_id=one.id) for one in said.unread]
        users = _sorted(body, exchange, includes.get("users"), User, beside=True)
        posts = _sorted(body, exchange, includes.get("tweets"), Post, beside=True)
        media = _sorted(body, exchange, includes.get("media"), Media, "media_key", beside=True)
        polls = _sorted(body, exchange, includes.get("polls"), Poll, beside=True)
        places = _sorted(body, exchange, includes.get("places"), Location, beside=True)
        lists: Mapping[str, Sorted[Any]] = {
            "users": users, "tweets": posts, "media": media, "polls": polls, "places": places
        }  # fmt: skip
        meta = pieces.value(body[slice(*members["meta"])], Meta) if "meta" in members else Meta()
        if not members.keys() & {"data", "errors", "meta"}:
            raise Malformed("the answer is not of X's shape: neither data nor errors stand in it")
        return Answer(
            told.items,
            {one.what.id: one for one in users.items},
            {one.what.id: one for one in posts.items},
            {one.what.media_key: one for one in media.items},
            {one.what.id: one for one in polls.items},
            {one.what.id: one for one in places.items},
            errors,
            meta,
            max(0, (meta.result_count or 0) - len(told.items) - len(told.unread)),
            "meta" in members,
            told.unread,
            {what: found.unread for what, found in lists.items() if found.unread},
            list(_named(body, told.unread)) if shape is Post else [],
        )
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(pieces.why(body, error, "X")) from error


def problem(body: bytes) -> Problem | None:
    """X's own refusal, or None where somebody else answered (a firewall, a proxy)."""
    try:
        told = pieces.value(body, dict[str, Any])
        inner = told.get("errors")
        first = inner[0] if isinstance(inner, list) and inner and isinstance(inner[0], dict) else {}
        if not told.keys() & {"title", "type", "errors", "detail"}:
            return None
        return msgspec.convert({**first, **{name: told[name] for name in told if name != "errors"}}, Problem)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _members(body: bytes, where: tuple[int, int] | None) -> Mapping[str, tuple[int, int]]:
    """What stands in an object, and where; what is null is not there."""
    told = {} if where is None else spans.object_members(body, where)
    return {name: place for name, place in told.items() if body[slice(*place)] != b"null"}


def _sorted(
    body: bytes,
    exchange: int,
    where: tuple[int, int] | None,
    shape: type[T],
    name: str = "id",
    *,
    beside: bool = False,
) -> Sorted[T]:
    """The items of a list, and what of them cannot be read; its own error where none of several can, unless they stand `beside` the items."""
    if where is None:
        return Sorted([])
    fault: Exception | None = None
    try:
        told = pieces.sorted_out(body, where, exchange, shape, name=name)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        fault = error
        told = Sorted([], [Unread(None, Span(exchange, *one), "") for one in spans.array_items(body, *where)])
    if not told.unread:
        return told
    items, unread = [*told.items], list[Unread]()
    for one in told.unread:
        piece = body[one.span.start : one.span.end]
        try:
            items.append(Seen(_value(piece, shape), one.span))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            unread.append(Unread(pieces.called(piece, name), one.span, str(error)))
    if fault is not None and not items and not beside:
        raise fault
    return Sorted(sorted(items, key=lambda seen: seen.span.start), unread)


def _named(body: bytes, unread: Sequence[Unread]) -> Iterator[Named]:
    """As much of posts that cannot be read as says which ones they are."""
    for one in unread:
        if one.id is None:
            continue
        told = json.loads(pieces.mended(body[one.span.start : one.span.end]))
        for parts in (set(told), set(told) - {"edit_history_tweet_ids"}, {"id"}):
            with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                yield _value(json.dumps({part: told[part] for part in told if part in parts}).encode(), Named)
                break


def _value(piece: bytes, shape: type[T]) -> T:
    """One value. An id that is told as a number is read as the text that it is everywhere else."""
    try:
        return pieces.value(piece, shape)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = pieces.without_nulls(json.loads(pieces.mended(piece)))
        return msgspec.convert(_with_texts(told, ids=False), shape)


def _with_texts(told: Any, *, ids: bool) -> Any:
    """The same value; each number that is an id is the text of its digits."""
    match told:
        case dict():
            return {name: _with_texts(one, ids=name in _NAMES) for name, one in told.items()}
        case list():
            return [_with_texts(one, ids=ids) for one in told]
        case int() if ids and not isinstance(told, bool):
            return str(told)
        case _:
            return told


# -- times ---------------------------------------------------------------------------------------------------


def moment(written: str | None) -> datetime | None:
    """A time as X writes it; None where there is none or it cannot be read."""
    return times.iso(written)


def born(identity: str) -> datetime | None:
    """When an id was given, to the second, as `created_at` tells it; None for ids from before they held the time."""
    if not identity.isdecimal() or not 11 <= len(identity) <= 20:
        return None
    return datetime.fromtimestamp(((int(identity) >> 22) + _EPOCH) // 1000, UTC)


def published(read: Post) -> datetime | None:
    """When a post was published, whatever became of its words afterwards."""
    made = moment(read.created_at)
    return made if read.first == read.id else born(read.first) or made


# -- observations --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the posts of one answer on the page of the account `ours`.

    `began` holds, for each later id of an edited post that was met, the id
    with which it began; what is met is added to it.
    """

    answer: Answer[Post]
    ours: str
    began: MutableMapping[str, str] = field(default_factory=dict)
    protected: Collection[str] = ()
    """Accounts of which other answers said that they are protected."""

    def learn(self) -> None:
        """Note which ids are later ones."""
        shown = (seen.what for seen in (*self.answer.items, *self.answer.posts.values()))
        for read in (*shown, *self.answer.named):
            first, *later = read.ids
            if later:
                self.began.update(dict.fromkeys(later, first))

    def newest(self) -> list[Seen[Post]]:
        """The items of the answer as they read after their last edit, each post once."""
        found: dict[str, Seen[Post]] = {}
        for seen in self.answer.items:
            before = found.get(seen.what.first)
            if seen.what.id == seen.what.last and (
                before is None or order(before.what.id) < order(seen.what.id)
            ):
                found[seen.what.first] = seen
        return list(found.values())

    def outdated(self) -> list[str]:
        """The newest ids of posts of which the answer shows an earlier version alone: who names a version is given that."""
        current = {seen.what.first for seen in self.newest()}
        older = (seen.what for seen in self.answer.items)
        return list(dict.fromkeys(read.last for read in older if read.first not in current))

    def observed(self) -> list[Observation]:
        """Everything that the answer is about and that can be read, as it reads now."""
        self.learn()
        return [self.post(seen) for seen in self.newest() if self._wordless(seen.what) is None]

    def unread(self) -> list[Unread]:
        """Everything that the answer is about and that cannot be read.

        That is also a post of whose words a part stands beside it and cannot
        be read: without them it would look as if somebody had edited it.
        """
        lacking = ((seen, self._wordless(seen.what)) for seen in self.newest())
        return [
            *self.answer.unread,
            *(Unread(seen.what.first, seen.span, one) for seen, one in lacking if one is not None),
        ]

    def _wordless(self, read: Post) -> str | None:
        """Which part of a post's words stands beside it and cannot be read; None where none does."""
        reposted, shown = read.refers("retweeted"), self.answer
        if reposted is not None and reposted not in shown.posts and (one := shown.hides("tweets", reposted)):
            return f"what it reposts: {one.why}"
        polls = read.attachments.poll_ids if read.attachments else []
        hidden = (shown.hides("polls", poll) for poll in polls if poll not in shown.polls)
        return next((f"its poll: {one.why}" for one in hidden if one is not None), None)

    def earlier(self, read: Post) -> list[Seen[Post]]:
        """The versions before this one that the answer shows, oldest first."""
        before = [one for one in read.ids if order(one) < order(read.id)]
        items = {one.what.id: one for one in self.answer.items} if before else {}
        found = (self.answer.posts.get(one) or items.get(one) for one in before)
        return [one for one in found if one is not None]

    def count(self, read: Post, name: str) -> int | None:
        """What X counts of a post, over all of its versions; None where it does not tell of one of them."""
        versions = [read, *(one.what for one in self.earlier(read))]
        counts = [_number(one.public_metrics, name) for one in versions]
        known = [count for count in counts if count is not None]
        whole = len(known) == len(counts) == len(read.ids)
        return sum(known) if whole else None

    def post(self, seen: Seen[Post]) -> Observation:
        """A post, with the bytes of everything that it shows."""
        read = seen.what
        reposted = self._beside(read.refers("retweeted"))
        quoted = self._beside(read.refers("quoted"))
        shown = reposted.what if reposted is not None else read
        edits = self.earlier(read)
        files, all_told = _files(read.attachments, self.answer)
        polls = [self.answer.polls[one] for one in (read.attachments.poll_ids if read.attachments else ())
                 if one in self.answer.polls]  # fmt: skip
        place = self.answer.places.get(_text(read.geo, "place_id") or "")
        writer = self.answer.users.get(read.author_id)
        evidence = [seen.span]
        counts = _counts(read.public_metrics)
        extra: dict[str, object] = {}
        if read.conversation_id is not None:
            extra["conversation"] = self.began.get(read.conversation_id, read.conversation_id)
        if read.possibly_sensitive is True:
            extra["sensitive"] = True
        if isinstance(read.reply_settings, str) and read.reply_settings not in {"", "everyone"}:
            extra["who_may_answer"] = read.reply_settings
        if links := _links(shown):
            extra["links"] = links
        if read.withheld:
            extra["withheld"] = read.withheld
        if len(read.ids) > 1:
            extra["ids"] = read.ids
            extra["edits"] = [
                {"id": one.what.id, "since": one.what.created_at, "text": words(one.what)} for one in edits
            ]
            evidence += [one.span for one in edits]
        for name, how, other in (("reposts", "retweeted", reposted), ("quotes", "quoted", quoted)):
            if (identity := read.refers(how)) is not None:
                extra[name] = self._named(identity, other)
                evidence += self._bytes_of(other)
        text = words(shown)
        for poll in polls:
            text += "".join(f"\n- {choice.label}" for choice in poll.what.options)
            extra["poll"] = {
                "id": poll.what.id,
                "ends": poll.what.end_datetime,
                "options": [choice.label for choice in poll.what.options],
            }
            counts |= {
                f"votes_{one.position}": one.votes
                for one in poll.what.options
                if _is_number(one.position) and _is_number(one.votes)
            }
        if place is not None:
            extra["place"] = place.what.full_name
            evidence.append(place.span)
        evidence += [*(one.span for one in files), *(one.span for one in polls)]
        if writer is not None:
            evidence.append(writer.span)
        answers = read.refers("replied_to")
        edited = read.id != read.first
        return Observation(
            native_id=read.first,
            kind=_kind(read, self.ours),
            state=self._state(read, writer),
            author=_author(read.author_id, writer),
            text=text,
            url=f"{SITE}i/status/{read.id}",
            in_reply_to=self.began.get(answers, answers) if answers else None,
            published_at=published(read),
            edited_at=moment(read.created_at) if edited else None,
            language=_language(shown.lang),
            attachments=tuple(_file(one.what) for one in files),
            files_told=all_told,
            counts=counts,
            extra=extra,
            evidence=tuple(dict.fromkeys(evidence)),
        )

    def _state(self, read: Post, writer: Seen[User] | None) -> State:
        told = writer.what.protected if writer is not None else None
        protected = read.author_id in self.protected if told is None else told
        return State.HIDDEN if protected or withheld_everywhere(read) else State.PRESENT

    def _beside(self, identity: str | None) -> Seen[Post] | None:
        return self.answer.posts.get(identity) if identity is not None else None

    def _bytes_of(self, other: Seen[Post] | None) -> list[Span]:
        if other is None:
            return []
        writer = self.answer.users.get(other.what.author_id)
        return [other.span, *([writer.span] if writer else [])]

    def _named(self, identity: str, other: Seen[Post] | None) -> dict[str, object]:
        """Whose words are shown inside a post."""
        found: dict[str, object] = {
            "id": self.began.get(identity, identity),
            "url": f"{SITE}i/status/{identity}",
        }
        if other is not None:
            writer = self.answer.users.get(other.what.author_id)
            found |= {
                "author": {"id": other.what.author_id} | _called(writer),
                "published_at": other.what.created_at,
                "text": words(other.what),
            }
        return found


def words(read: Post) -> str:
    """The words as a reader sees them: the long ones where there are more than 280 characters, without HTML's escapes."""
    return unescape(read.note_tweet.text if read.note_tweet is not None else read.text)


def untold(read: User) -> str | None:
    """What X does not tell of an introduction that is part of its words; None where it tells all."""
    if read.name is None:
        return "its name"
    leads = _inside(read.entities, "url")
    return "where its link leads" if _inside(leads, "urls") and read.url not in _addresses(leads) else None


def profile(seen: Seen[User]) -> Observation:
    """The account's introduction: its name, its words, where it is, its two pictures."""
    read = seen.what
    links = {**_addresses(_inside(read.entities, "url")), **_addresses(_inside(read.entities, "description"))}
    site = links.get(read.url or "", read.url)
    name = (read.name or "").strip()
    parts = (name or read.username, unescape(read.description), read.location, site)
    extra = {
        "pinned": read.pinned_tweet_id,
        "protected": read.protected or None,
        "verified": read.verified_type if read.verified_type not in {None, "none"} else None,
        "links": links,
        "withheld": read.withheld,
    }
    return Observation(
        native_id=f"user:{read.id}",
        kind=Kind.PROFILE,
        author=Author(id=read.id, name=name or None, handle=read.username),
        text="\n\n".join(part.strip() for part in parts if part and part.strip()),
        url=f"{SITE}i/user/{read.id}",
        published_at=moment(read.created_at),
        attachments=tuple(
            Attachment(id=f"{name}:{_file_name(address)}", url=_SIZE.sub("", address))
            for name, address in (("picture", read.profile_image_url), ("banner", read.profile_banner_url))
            if address
        ),
        counts=_counts(read.public_metrics),
        extra={name: told for name, told in extra.items() if told},
        evidence=(seen.span,),
    )


def people(native_id: str, seen: Sequence[Seen[User]], evidence: Sequence[Span]) -> Observation:
    """A list of accounts (blocked, muted) as one record, in the order of their numbers."""
    listed = sorted((one.what for one in seen), key=lambda one: order(one.id))
    return Observation(
        native_id=native_id,
        kind=Kind.PROFILE,
        text="\n".join(f"@{one.username} ({one.id})" for one in listed),
        counts={"accounts": len(listed)},
        extra={
            "accounts": [{"id": one.id, "handle": one.username, "name": one.name or ""} for one in listed]
        },
        private=True,
        evidence=tuple(evidence),
    )


def messages(answer: Answer[Event]) -> tuple[list[Observation], list[Unread]]:
    """The messages of an answer, and those that cannot be read: of which X shows neither words nor files, too."""
    whole, wordless = list[Seen[Event]](), list[Unread]()
    for seen in answer.items:
        read = seen.what
        untold = read.text is None or (read.text is msgspec.UNSET and read.attachments is None)
        if read.event_type == _WRITTEN and untold:
            wordless.append(Unread(read.id, seen.span, "a message without words"))
        else:
            whole.append(seen)
    return [message(seen, answer) for seen in whole], [*answer.unread, *wordless]


def message(seen: Seen[Event], beside: Answer[Event]) -> Observation:
    """A private message; also that somebody joined or left a conversation."""
    read = seen.what
    writer = beside.users.get(read.sender_id or "")
    files, all_told = _files(read.attachments, beside)
    extra: dict[str, object] = {"conversation": read.dm_conversation_id}
    if read.event_type != _WRITTEN:
        who = read.participant_ids if isinstance(read.participant_ids, list) else []
        extra |= {"event": read.event_type, "participants": [str(one) for one in who if one is not None]}
    shown = read.referenced_tweets if isinstance(read.referenced_tweets, list) else []
    if posts := [one for one in (_text(told, "id") for told in shown) if one is not None]:
        extra["posts"] = posts
    if links := _addresses(read.entities):
        extra["links"] = [{"url": url, "leads_to": told} for url, told in links.items()]
    spans_ = [seen.span, *(one.span for one in files), *([writer.span] if writer else [])]
    return Observation(
        native_id=f"dm:{read.id}",
        kind=Kind.MESSAGE,
        author=_author(read.sender_id, writer),
        text=unescape(read.text) if isinstance(read.text, str) else "",
        published_at=moment(read.created_at) or born(read.id),
        attachments=tuple(_file(one.what) for one in files),
        files_told=all_told,
        extra={name: told for name, told in extra.items() if told},
        private=True,
        evidence=tuple(dict.fromkeys(spans_)),
    )


def withheld_everywhere(read: Post) -> bool:
    """Whether X shows a post nowhere, though it still has it."""
    told = read.withheld.get("country_codes") if isinstance(read.withheld, dict) else None
    return isinstance(told, list) and bool(_EVERYWHERE & {str(one).upper() for one in told})


def order(identity: str) -> tuple[int, str]:
    """Ids in their order: numbers by their size, texts of one length by their letters."""
    return len(identity), identity


# -- pieces --------------------------------------------------------------------------------------------------


def _kind(read: Post, ours: str) -> Kind:
    if read.refers("replied_to") is None:
        return Kind.POST
    return Kind.REPLY if read.author_id == ours else Kind.COMMENT


def _author(identity: str | None, writer: Seen[User] | None) -> Author:
    """Who wrote something: by the id alone where X does not tell both names, since half of them would look like other ones."""
    if writer is None or writer.what.name is None:
        return Author(id=identity)
    return Author(id=identity, name=writer.what.name or None, handle=writer.what.username)


def _files(attached: Attached | None, answer: Answer[Any]) -> tuple[list[Seen[Media]], bool]:
    """The files of an item, and whether all of them could be read, and not only some."""
    if attached is None:
        return [], True
    untold = (key for key in attached.keys if key not in answer.media)
    whole = len(attached.keys) == len(attached.media_keys) and not any(
        answer.hides("media", key) for key in untold
    )
    return [answer.media[key] for key in attached.keys if key in answer.media], whole


def _called(writer: Seen[User] | None) -> dict[str, object]:
    return {"handle": writer.what.username, "name": writer.what.name or ""} if writer is not None else {}


def _counts(told: Any) -> dict[str, int]:
    """Counters under names that say what is counted; a counter that X adds keeps its own name."""
    if not isinstance(told, dict):
        return {}
    return {
        _MORE_NAMES.get(name, name.removesuffix("_count")): count
        for name, count in told.items()
        if _is_number(count)
    }


def _number(told: Any, name: str) -> int | None:
    found = told.get(name) if isinstance(told, dict) else None
    return found if _is_number(found) else None


def _is_number(told: Any) -> TypeGuard[int]:
    return isinstance(told, int) and not isinstance(told, bool)


def _file(read: Media) -> Attachment:
    """A file. A film is kept in its best variant; a picture of it stands in where no variant is told."""
    best = max(_variants(read.variants), default=None)
    kind = best[2] if best is not None else None
    return Attachment(
        id=f"media:{read.media_key}",
        url=read.url or (best[1] if best is not None else None) or read.preview_image_url,
        media_type=kind if read.url is None else None,
        description=read.alt_text or "",
    )


def _variants(told: Any) -> Iterator[tuple[int, str, str]]:
    """The films among the variants: their rate, their address, their kind. A playlist is no film."""
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict) and isinstance(one.get("url"), str):
            kind, rate = one.get("content_type"), one.get("bit_rate")
            if isinstance(kind, str) and "mpegurl" not in kind.lower():
                yield (rate if isinstance(rate, int) else 0), one["url"], kind


def _links(read: Post) -> list[dict[str, object]]:
    """What the shortened addresses in the words lead to, with the card that is shown."""
    entities = read.note_tweet.entities if read.note_tweet and read.note_tweet.entities else read.entities
    listed = entities.get("urls") if isinstance(entities, dict) else None
    return [
        {"url": one["url"]}
        | {
            name: one[name]
            for name in ("expanded_url", "unwound_url", "title", "description")
            if one.get(name)
        }
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("url"), str)
    ]


def _addresses(entities: Any) -> dict[str, str]:
    listed = entities.get("urls") if isinstance(entities, dict) else None
    return {
        one["url"]: one["expanded_url"]
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
        and isinstance(one.get("url"), str)
        and isinstance(one.get("expanded_url"), str)
    }


def _inside(told: Any, name: str) -> Any:
    return told.get(name) if isinstance(told, dict) else None


def _text(told: Any, name: str) -> str | None:
    found = _inside(told, name)
    return found if isinstance(found, str) and found else None


def _language(told: Any) -> str | None:
    """The language, where it is one: X also says that there are no words, or only tags or links."""
    if not isinstance(told, str) or told in {"", *_NO_LANGUAGE} or told.startswith("q"):
        return None
    return told


def _file_name(address: str) -> str:
    return _SIZE.sub("", urlsplit(address).path).strip("/").replace("/", "-")
