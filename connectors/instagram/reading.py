"""Reads what passes, families and looks have in common: who the account is, and what answers a post."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.contract import Gap, Observation
from connectors.errors import AccessRevoked, NoSuchPage, UnexpectedResponse
from connectors.graph import Asking, Edge, NotGiven, advanced
from connectors.instagram import parse, shapes
from connectors.instagram.asking import Door, Wanted
from connectors.instagram.place import COMMENTS, COUNTED, REPLIES
from connectors.instagram.shapes import PROFILE_FIELDS, Account, Comment, Media, Owned
from connectors.pieces import Malformed, Seen, Unread

_LISTED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Introduced:
    """The account: its introduction, its name, and the page on Facebook that it belongs to."""

    observed: Observation
    username: str
    owner: str = ""

    @property
    def number(self) -> str:
        return self.observed.native_id


@dataclass(slots=True)
class Answered:
    """What one answer showed below posts: items, what is complete, what is still to be read, how many are counted."""

    seen: list[Observation] = field(default_factory=list)
    complete: list[str] = field(default_factory=list)
    """Items of which everything that answers them was shown."""
    waiting: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


class Walk:
    """Reads posts and what answers them, and remembers what it was refused. Shared by passes and families."""

    def __init__(self, asking: Asking, account: Introduced) -> None:
        self.asking, self.account = asking, account
        self.gaps: list[Gap] = []

    def posts(self, path: str, at: Mapping[str, str], limit: int, within: int) -> tuple[Edge[Media], bytes]:
        """One answer of the account's own posts, each with its first comments."""
        # Where Instagram cannot gather so much at once, fewer posts are asked for with fewer comments each.
        return self.asking.gathered(
            path, Media, lambda most: shapes.media_fields(min(within, max(1, most))), at, limit
        )

    def post(self, seen: Seen[Media]) -> Observation:
        """A post of the account's own, as observed."""
        return parse.post(seen, self.account.number, described=not self.asking.lacks("alt_text"))

    def below(self, seen: Seen[Media], body: bytes) -> Answered:
        """What stands inside the bytes of a post; what is not told whole there waits."""
        read, found = seen.what, Answered()
        try:
            comments = parse.comments_within(body, seen)
            if comments is None and read.comments_count == 0:
                found.complete.append(read.id)
                return found
            if comments is None or (read.comments_count and not comments.gave):
                edge = COMMENTS if comments is None and not read.comments_count else COUNTED
                found.waiting.append((edge, read.id, {}))
                return found
            self._take(comments, body, read.id, found)
            if comments.unread:
                # Where one of them cannot be read here, it may be where they are asked for by themselves.
                found.waiting.append((COMMENTS, read.id, {}))
            elif comments.following is not None:
                found.waiting.append((COMMENTS, read.id, dict(comments.following)))
            else:
                found.complete.append(read.id)
        except (Malformed, ValueError):
            # They are asked for by themselves; where they cannot be read there either, they alone are a gap.
            return Answered(waiting=[(COMMENTS, read.id, {})])
        return found

    def comments(self, post: str, at: Mapping[str, str]) -> tuple[Answered, Edge[Comment]]:
        """One answer of the comments of a post, each with its first replies."""
        edge, body = self.asking.gathered(
            f"{post}/{COMMENTS}",
            Comment,
            lambda most: shapes.comment_fields(min(most, shapes.REPLIES_AT_ONCE)),
            at,
            shapes.REPLIES_AT_ONCE,
        )
        found = Answered()
        self.gaps += self.asking.gaps_of("comments", edge.unread)
        self._take(edge, body, post, found)
        return found, edge

    def replies(self, comment: str, at: Mapping[str, str]) -> tuple[Answered, Edge[Comment]]:
        """One answer of the replies to a comment."""
        edge, _ = self.asking.gathered(
            f"{comment}/{REPLIES}", Comment, lambda _: shapes.reply_fields(), at, shapes.REPLIES_AT_ONCE
        )
        self.gaps += self.asking.gaps_of("replies", edge.unread)
        return Answered([self._read(one, comment) for one in edge.items]), edge

    def fields_dropped(self) -> Iterator[Gap]:
        """What this version of the interface does not have."""
        for path, name in self.asking.dropped():
            why = "this version of Instagram's interface does not have it: upgrade Muniment"
            yield Gap(what=f"the field {name} of {path}", why=why)

    def _take(self, comments: Edge[Comment], body: bytes, post: str, found: Answered) -> None:
        for one in comments.items:
            found.seen.append(self._read(one, post))
            try:
                replies = parse.replies_within(body, one)
            except (Malformed, ValueError):
                found.waiting.append((REPLIES, one.what.id, {}))
                continue
            if replies is None:
                # Instagram leaves the list out where there is nothing in it.
                found.complete.append(one.what.id)
                continue
            found.seen += [self._read(two, one.what.id) for two in replies.items]
            if replies.unread:
                found.waiting.append((REPLIES, one.what.id, {}))
            elif replies.following is not None:
                found.waiting.append((REPLIES, one.what.id, dict(replies.following)))
            else:
                found.complete.append(one.what.id)

    def _read(self, one: Seen[Comment], answers: str) -> Observation:
        return parse.comment(one, answers, self.account.number, self.account.username)


def introduction(asking: Asking, wanted: Wanted, page: str = "", owner: str = "") -> Introduced:
    """Ask for the account's own introduction; by the door of Facebook also for the token of its page there.

    `page` and `owner` are the account's number and its page's as they were.
    What Instagram does not show any more may be removed, renamed, or kept
    from us: that alone makes nothing gone.
    """
    try:
        if wanted.door is Door.INSTAGRAM:
            return _by_itself(asking, wanted, page)
        belongs, number = _owner(asking, wanted, owner)
        seen, _ = asking.one(number, Account, PROFILE_FIELDS)
    except NotGiven as refused:
        if refused.forbidden:
            raise AccessRevoked(f"The account is not shown: {refused.why}.") from refused
        if refused.not_offered:
            raise NoSuchPage(
                f"Instagram's interface does not know what was asked for as version {asking.version} "
                f"({refused.fault.numbers}): correct the option `version`, or the option `door`."
            ) from refused
        raise NoSuchPage(
            f"Instagram shows no account “{wanted.name}” to whoever connected it ({refused.fault.numbers}): it was "
            "removed or renamed, is no professional account any more, or that person no longer has a role on it. Look "
            "at it in a browser, and connect it again."
        ) from refused
    _is_meant(seen.what, wanted, page)
    return Introduced(parse.account(seen), seen.what.username, belongs)


def _by_itself(asking: Asking, wanted: Wanted, known: str) -> Introduced:
    """The account that signed in."""
    seen, _ = asking.one("me", Account, ("user_id", *PROFILE_FIELDS))
    # Less is told of an account by this door, whatever the version: that is no gap.
    list(asking.dropped())
    _is_meant(seen.what, wanted, known)
    return Introduced(parse.account(seen), seen.what.username)


def _is_meant(read: Account, wanted: Wanted, known: str) -> None:
    """Whether this is the account of the page's address; a name may change, a number does not."""
    if wanted.name not in {read.username.lower(), read.number} and (not known or read.number != known):
        raise NoSuchPage(
            f"The token is that of “{read.username}”, and not of “{wanted.name}”. Sign in as the account that is meant, "
            "or correct the page's address."
        )


def _owner(asking: Asking, wanted: Wanted, known: str) -> tuple[str, str]:
    """The numbers of the page on Facebook and of its account; from here on, the page's own token is used."""
    name = wanted.facebook_page or known or _found(asking, wanted.name)
    fields = ("id", "access_token", "instagram_business_account{id,username}")
    seen, exchange = asking.one(name, Owned, fields)
    belongs = seen.what.instagram_business_account
    if belongs is None:
        raise NoSuchPage(
            f"No account on Instagram belongs to the page “{name}” on Facebook, or whoever connected it may not see it. "
            "In Business settings, join the account and the page, and permit instagram_basic."
        )
    asking.becomes_the_page(exchange)
    return seen.what.id, belongs.id


def _found(asking: Asking, account: str) -> str:
    """The page on Facebook that the account belongs to, among those that the token speaks for."""
    at: Mapping[str, str] = {}
    met: set[str] = set()
    unread: list[Unread] = []
    while True:
        try:
            edge, _ = asking.gathered(
                "me/accounts",
                Owned,
                lambda _: ("id", "instagram_business_account{id,username}"),
                at,
                _LISTED_AT_ONCE,
            )
        except NotGiven as refused:
            if refused.no_field == "accounts":
                return "me"  # the token is a page's own, which has no pages
            raise
        for one in edge.items:
            belongs = one.what.instagram_business_account
            if belongs is not None and account in {belongs.id, (belongs.username or "").lower()}:
                return one.what.id
        unread += edge.unread
        if edge.following is None and unread:
            raise UnexpectedResponse(
                f"The account “{account}” belongs to none of the pages on Facebook of which the token tells what can be "
                f"read. {len(unread)} of them cannot ({unread[0].why}): name its page with the option `facebook_page`."
            )
        if edge.following is None:
            raise NoSuchPage(
                f"The account “{account}” belongs to none of the pages on Facebook that the token speaks for. Join them "
                "in Business settings, assign the page to whoever the token is of, permit instagram_basic, and connect "
                "it again."
            )
        at = advanced(edge.following, met, "the pages of the token")


def counted_and_not_shown(post: str) -> Gap:
    return Gap(
        what="comments",
        why="Instagram counts comments and lists none: all are of people whom the account restricted, or on what is "
        "shown to adults alone, or the application may not read them. Look at the post in a browser",
        native_id=post,
    )


def listed(asking: Asking, path: str) -> tuple[set[str], bool]:
    """The numbers of everything in a list, and whether all of it can be read; asked for to see how one of them stands."""
    found: set[str] = set()
    whole = True
    at: Mapping[str, str] = {}
    met: set[str] = set()
    while True:
        edge, _ = asking.gathered(path, shapes.Who, lambda _: ("id",), at, _LISTED_AT_ONCE)
        found |= {one.what.id for one in edge.items}
        whole = whole and not edge.unread
        if edge.following is None:
            return found, whole
        at = advanced(edge.following, met, path)
