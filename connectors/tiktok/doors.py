"""The two interfaces of an account behind one face: who it is, what it posted and, by one of them, what answers that."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, TypeVar

from connectors.contract import Client, Gap, Observation, Page, State
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.pieces import Seen, Unread
from connectors.tiktok import address, options, parse, reading, shapes
from connectors.tiktok.asking import Asking, as_list
from connectors.tiktok.options import Way
from connectors.tiktok.pace import Pace
from connectors.tiktok.refusals import NotGiven
from connectors.tiktok.shapes import Business, Comment, Film, Granted, Item, Person

T = TypeVar("T")

VIDEOS_AT_ONCE = 20
COMMENTS_AT_ONCE = 30
COMMENTS = "comment.list"
VIDEOS = "video.list"

_HOW = "Give its address as it stands in a browser, such as https://www.tiktok.com/@townpolice, or its name."


@dataclass(frozen=True, slots=True)
class Account:
    """The account as we reach it: its introduction, its id for the application, and what of it was not permitted."""

    observed: Observation
    identity: str
    named: bool
    """Whether TikTok told its name: else nothing shows that it is the page's."""
    lacks: tuple[str, ...] = ()
    """Permissions without which the introduction was read."""

    def gap(self) -> Gap | None:
        """What of the introduction was not told, for an officer."""
        if not self.lacks:
            return None
        return Gap(
            what="parts of the introduction",
            why=f"TikTok permits them with {', '.join(self.lacks)}: see that the application has it, and connect the page "
            "again with it",
        )


@dataclass(frozen=True, slots=True)
class Posted:
    """One answer of a list of videos, as observed, what leads on, and those that cannot be read.

    `odd` are the ids of these, empty where one has none, and `gaps` say so of
    each.
    """

    observed: list[Observation]
    following: str | None = None
    odd: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    @property
    def times(self) -> list[datetime | None]:
        return [one.published_at for one in self.observed]


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of a list of comments.

    `shown` are the ids of all that the list itself holds, in its order, empty
    where one cannot be read, and `names` those of the comments that can be;
    `answered` those that have answers, `covered` those of them that are
    hidden, and `short` those of which fewer answers stood inside than TikTok
    counts. `odd` says whether a comment of the list cannot be read, `within`
    which comments hold an answer that cannot be, and `gaps` say so of each.
    """

    observed: list[Observation]
    shown: list[str]
    names: list[str]
    answered: list[str]
    covered: list[str]
    short: list[str]
    times: list[datetime | None]
    following: str | None
    odd: bool = False
    within: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class Door(ABC):
    """One of the interfaces. `asking` gathers what is asked."""

    way: ClassVar[Way]

    def __init__(self, asking: Asking, page: Page, called: str) -> None:
        self.asking, self.called = asking, called
        self._business = options.business(page)

    def introduced(self, known: str = "") -> Account:
        """Ask for the account that signed in. `known` is its id as it was, since a name may change."""
        account = self._introduction()
        handle = account.observed.author.handle if account.observed.author else None
        if account.named and handle and handle.lower() != self.called and account.identity != known:
            raise NoSuchPage(
                f"The token is that of “{handle}”, and not of “{self.called}”. Sign in as the account that is meant, or "
                "correct the page's address."
            )
        return account

    @property
    def comments(self) -> Accounts | None:
        """The door itself where it shows comments, and they are permitted."""
        return None

    def _posted(self, found: reading.Answer[T], read: Callable[[Seen[T], str], Observation]) -> Posted:
        """What an answer of a list of videos says."""
        return Posted(
            parse.once(read(one, self.called) for one in found.items),
            found.following,
            [reading.known_as(one.id) or "" for one in found.unread],
            self.asking.gaps_of("a video", found.unread, reading.known_as),
        )

    @abstractmethod
    def _introduction(self) -> Account: ...

    @abstractmethod
    def videos(self, before: str) -> Posted:
        """One answer of the account's videos, newest first, from before that moment on (milliseconds since 1970)."""

    @abstractmethod
    def named(self, names: Sequence[str]) -> Posted:
        """Those of these videos that are shown, at most twenty."""


@dataclass(frozen=True, slots=True)
class _Narrowing:
    """Fields of an introduction: as many as are permitted. One too many, and TikTok tells none of them."""

    by_scope: Mapping[str, Sequence[str]]
    granted: Sequence[str] | None = None
    """What the token permits; None where TikTok does not say."""
    first: Sequence[str] = ()
    """Permissions in the order in which they are given up."""

    def tries(self) -> Iterator[tuple[list[str], list[str]]]:
        """What to ask for, and which permissions that does without; the last one asks for the least."""
        left = [one for one in self.by_scope if self.granted is None or one in self.granted]
        left = left or list(self.by_scope)[:1]
        for given_up in ("", *self.first):
            if given_up and given_up not in left:
                continue
            left = [one for one in left if one != given_up]
            if left:
                fields = [name for one in left for name in self.by_scope[one]]
                yield fields, [one for one in self.by_scope if one not in left]


class Accounts(Door):
    """The TikTok API for Business."""

    way = Way.ACCOUNTS

    def __init__(self, asking: Asking, page: Page, called: str) -> None:
        super().__init__(asking, page, called)
        self.granted: Sequence[str] | None = None
        """What the token permits; None where TikTok was not asked, or did not say."""

    @property
    def comments(self) -> Accounts | None:
        return self if self.granted is None or COMMENTS in self.granted else None

    def _introduction(self) -> Account:
        if self.asking.application:
            try:
                self._told_of_itself()
            except NotGiven:
                if not self._business:
                    raise
        if not self._business:
            raise AccessRevoked(
                "TikTok is asked for an account by the id that it has for the application. Enter the application's id "
                "(client_id) with the token, or the option `business_id`: the open_id that came with the token."
            )
        tries = _Narrowing(
            shapes.BUSINESS_FIELDS,
            self.granted,
            ("user.account.type", "user.info.stats", "user.info.profile", "user.info.username"),
        ).tries()
        refused: NotGiven | None = None
        for fields, lacks in tries:
            try:
                exchange = self.asking.get(
                    "business/get",
                    {"business_id": self._business, "fields": as_list(fields)},
                    self._headers(),
                )
            except NotGiven as error:
                if not error.forbidden:
                    raise _not_shown(error, self.called) from error
                refused = error
                continue
            seen = self.asking.read(exchange, lambda body, last: reading.one(body, last, Business))
            observed = parse.business(seen, self.called)
            return Account(observed, self._business, bool(seen.what.username), _telling(lacks))
        assert refused is not None, "at least the least was asked for"
        raise _not_shown(refused, self.called) from refused

    def _told_of_itself(self) -> None:
        """Ask whose the token is, and what it permits."""
        told = {"app_id": self.asking.application, "access_token": self.asking.token}
        exchange = self.asking.post("tt_user/token_info/get", {}, told, {})
        seen = self.asking.read(exchange, lambda body, last: reading.one(body, last, Granted))
        self._business = str(seen.what.creator_id)
        told_of = reading.words(seen.what.scope)
        # Permissions in other words than these would be none that can be looked for.
        self.granted = told_of if {*shapes.BUSINESS_FIELDS, VIDEOS, COMMENTS} & {*told_of} else None

    def videos(self, before: str) -> Posted:
        return self._listed({"cursor": before} if before else {}, paged=True)

    def named(self, names: Sequence[str]) -> Posted:
        filters = json.dumps({"video_ids": list(names)}, separators=(",", ":"))
        return self._listed({"filters": filters}, paged=False)

    def _listed(self, more: Mapping[str, str], *, paged: bool) -> Posted:
        asked = {
            "business_id": self._business,
            "fields": as_list(shapes.ITEM_FIELDS),
            "max_count": str(VIDEOS_AT_ONCE),
            **more,
        }
        exchange = self.asking.get("business/video/list", asked, self._headers())
        found = self.asking.read(
            exchange,
            lambda body, last: reading.many(body, last, Item, "videos", paged=paged, called="item_id"),
        )
        return self._posted(found, parse.item)

    def below(self, video: str, thread: str, at: int) -> Said:
        """One answer of the comments of a video or, with `thread`, of what answers one of them; newest first."""
        asked = {
            "sort_field": "create_time",
            "sort_order": "desc",
            **({"comment_id": thread} if thread else {}),
            **({"cursor": str(at)} if at else {}),
        }
        path = "business/comment/reply/list" if thread else "business/comment/list"
        return self._said(path, video, thread, asked, paged=True)

    def picked(self, video: str, names: Sequence[str], *, inside: bool = False) -> Said:
        """Those of these comments that are shown, at most thirty; with `inside`, each with up to three answers."""
        asked = {"comment_ids": as_list(names), **({"include_replies": "true"} if inside else {})}
        return self._said("business/comment/list", video, "", asked, paged=False)

    def _said(self, path: str, video: str, thread: str, more: Mapping[str, str], *, paged: bool) -> Said:
        asked = {
            "business_id": self._business,
            "video_id": video,
            "status": "ALL",
            "max_count": str(COMMENTS_AT_ONCE),
            **more,
        }
        exchange = self.asking.get(path, asked, self._headers())
        return self.asking.read(
            exchange, lambda body, last: self._heard(body, last, video, thread, paged=paged)
        )

    def _heard(self, body: bytes, last: int, video: str, thread: str, *, paged: bool) -> Said:
        """What an answer of a list of comments says; answers that stand inside a comment are items of their own."""
        found = reading.many(body, last, Comment, "comments", paged=paged, called="comment_id")
        what = "an answer" if thread else "a comment"
        said = Said([], found.names(), [], [], [], [], [], found.following, bool(found.unread))
        said.gaps.extend(self._odd(what, found.unread, video))
        for one in found.items:
            seen = parse.comment(one, video, thread)
            name = reading.name_of(one.what.comment_id)
            inside = reading.within(body, one.span, Comment, "reply_list", called="comment_id")
            said.observed.append(seen)
            said.observed.extend(parse.comment(two, video, name) for two in inside.items)
            said.names.append(name)
            said.times.append(seen.published_at)
            if inside.unread:
                said.within.append(name)
                said.gaps.extend(self._odd("an answer", inside.unread, video))
            if not thread and (parse.answered(one.what) or inside.unread):
                (said.answered if seen.state is State.PRESENT else said.covered).append(name)
            if (parse.number(one.what.replies) or 0) > len(inside.items):
                said.short.append(name)
        return replace(said, observed=parse.once(said.observed))

    def _odd(self, what: str, unread: Sequence[Unread], video: str) -> list[Gap]:
        """A gap for each comment below a video that cannot be read."""

        def known_as(told: str) -> str | None:
            name = reading.known_as(told)
            return f"{video}/{name}" if name is not None else None

        return self.asking.gaps_of(what, unread, known_as)

    def _headers(self) -> Mapping[str, str]:
        return {"Access-Token": self.asking.token}


class Display(Door):
    """The Display API."""

    way = Way.DISPLAY

    def _introduction(self) -> Account:
        tries = _Narrowing(shapes.PERSON_FIELDS, None, ("user.info.stats", "user.info.profile")).tries()
        refused: NotGiven | None = None
        for fields, lacks in tries:
            try:
                exchange = self.asking.get(
                    "user/info", {"fields": ",".join(fields)}, self._headers(), "user/info"
                )
            except NotGiven as error:
                if not error.forbidden:
                    raise _not_shown(error, self.called) from error
                refused = error
                continue
            seen = self.asking.read(exchange, lambda body, last: reading.one(body, last, Person, "user"))
            observed = parse.person(seen, self.called)
            return Account(observed, seen.what.open_id, bool(seen.what.username), _telling(lacks))
        assert refused is not None, "at least the least was asked for"
        raise _not_shown(refused, self.called) from refused

    def videos(self, before: str) -> Posted:
        told = {"max_count": VIDEOS_AT_ONCE, **({"cursor": int(before)} if before.isdecimal() else {})}
        return self._told("video/list", told, paged=True)

    def named(self, names: Sequence[str]) -> Posted:
        return self._told("video/query", {"filters": {"video_ids": list(names)}}, paged=False)

    def _told(self, path: str, told: object, *, paged: bool) -> Posted:
        fields = {"fields": ",".join(shapes.FILM_FIELDS)}
        exchange = self.asking.post(path, fields, told, self._headers(), path)
        found = self.asking.read(
            exchange, lambda body, last: reading.many(body, last, Film, "videos", paged=paged)
        )
        return self._posted(found, parse.film)

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.asking.token}"}


def arrive(http: Client, secret: Mapping[str, str] | None, page: Page, pace: Pace) -> Door:
    """The door by which the page is read."""
    called = address.read(page.address)
    if called is None:
        raise NoSuchPage(f"“{page.address}” names no account on TikTok. {_HOW}")
    asking = Asking(http, secret, options.base(page), pace, options.rate(page))
    return (Accounts if options.way(page) is Way.ACCOUNTS else Display)(asking, page, called)


def _telling(lacks: Sequence[str]) -> tuple[str, ...]:
    """Permissions that an introduction lacks and a reader would miss: counts are no words."""
    return tuple(one for one in lacks if one in {"user.info.profile", "user.info.username"})


def _not_shown(refused: NotGiven, called: str) -> AccessRevoked | NoSuchPage:
    if refused.not_found:
        return NoSuchPage(
            f"TikTok shows no account “{called}” to whoever connected it ({refused.says}). Look at it in a browser, and "
            "connect it again."
        )
    return AccessRevoked(f"The account is not shown. {refused.why}.")
