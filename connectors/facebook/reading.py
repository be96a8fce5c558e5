"""Reads what passes, families and looks have in common: the introduction, lists, threads, descriptions of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from connectors import graph
from connectors.contract import Gap, Kind, Listing, Observation, State
from connectors.errors import AccessRevoked, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.facebook import parse, shapes
from connectors.graph import Asking, Edge, NotGiven, TooMuch
from connectors.http import decoded
from connectors.pieces import Malformed, Seen

T = TypeVar("T")

BOTH = (State.PRESENT, State.HIDDEN)

_COMMENTS_AT_ONCE = 100
_PICTURES_AT_ONCE = 50


class Walk:
    """Reads posts and what answers them, and remembers what it was refused. Shared by passes and families."""

    def __init__(self, asking: Asking, ours: str) -> None:
        self.asking, self.ours = asking, ours
        self.gaps: list[Gap] = []
        self._at_once: dict[str, int] = {}

    def edge(
        self,
        path: str,
        shape: type[T],
        fields: Callable[[int], Sequence[str]],
        at: Mapping[str, str],
        limit: int,
        more: Mapping[str, str] | None = None,
    ) -> tuple[Edge[T], bytes]:
        """One answer of a list. Where Facebook could not gather so much at once it is asked for less."""
        key = path.rpartition("/")[2]
        limit = min(limit, self._at_once.get(key, limit))
        while True:
            params = {**(more or {}), **at, "limit": str(limit)}
            try:
                return self.asking.edge(path, shape, fields(limit), params)
            except TooMuch:
                if limit == 1:
                    raise TryAgainLater(
                        f"Facebook cannot gather even one item of {path} at a time. Later it may."
                    ) from None
                limit = self._at_once[key] = max(1, limit // 2)

    def pictures(self, posts: Sequence[Seen[shapes.Post]]) -> dict[str, Seen[shapes.Picture]]:
        """What is written for those who cannot see the pictures of these posts."""
        found: dict[str, Seen[shapes.Picture]] = {}
        wanted = parse.pictures_of(posts)
        for begin in range(0, len(wanted), _PICTURES_AT_ONCE):
            found |= self._described(wanted[begin : begin + _PICTURES_AT_ONCE])
        return found

    def _described(self, names: list[str]) -> dict[str, Seen[shapes.Picture]]:
        """Facebook refuses all where it does not give one, so the refused one is found by halves."""
        try:
            return self.asking.objects(names, shapes.Picture, shapes.PICTURE_FIELDS)
        except NotGiven as refused:
            if refused.forbidden:
                self.gaps.append(Gap(what="descriptions of pictures", why=refused.why))
                return {}
            if len(names) == 1:
                return {}
        half = len(names) // 2
        return self._described(names[:half]) | self._described(names[half:])

    def thread(
        self, root: str, at: Mapping[str, str]
    ) -> Iterator[tuple[list[Observation], Mapping[str, str] | None, int | None]]:
        """The comments of a post, answer by answer: them, what leads on, and how many Facebook counts."""
        met: set[str] = set()
        while True:
            found, _ = self.edge(
                f"{root}/comments",
                shapes.Comment,
                lambda _: shapes.COMMENT_FIELDS,
                at,
                _COMMENTS_AT_ONCE,
                shapes.COMMENTS_ASKED,
            )
            seen = [parse.comment(one, root, self.ours) for one in found.items]
            yield seen, found.following, found.total
            if found.following is None:
                return
            at = advanced(found.following, met, f"the comments of {root}")

    def fields_dropped(self) -> Iterator[Gap]:
        """What this version of the interface does not have."""
        for path, name in self.asking.dropped():
            why = "this version of Facebook's interface does not have it: upgrade Muniment"
            yield Gap(what=f"the field {name} of {path}", why=why)


def introduction(asking: Asking, name: str, known: str = "") -> Observation:
    """Ask for the page's own introduction; with it comes the page's token, where a person's was given.

    `known` is the page's number as it was. What Facebook does not show any
    more may be removed, unpublished, or kept from us: that alone makes nothing gone.
    """
    try:
        seen, exchange = asking.one(known or name, shapes.Page, (*shapes.PAGE_FIELDS, "access_token"))
    except NotGiven as refused:
        if refused.forbidden:
            raise AccessRevoked(f"The page is not shown: {refused.why}.") from refused
        raise NoSuchPage(
            f"Facebook shows no page “{name}” to whoever connected it ({refused.fault.numbers}): it was removed or "
            "renamed, or that person no longer has a role on it. Look at it in a browser, and connect it again."
        ) from refused
    asking.becomes_the_page(exchange)
    return parse.page(seen)


def token_told(asking: Asking) -> shapes.Token | None:
    """What Facebook says of the token that the page was connected with; None where it does not say."""
    try:
        exchange = asking.get("debug_token", {"input_token": asking.given})
    except NotGiven:
        return None
    try:
        return graph.one(decoded(exchange), asking.last, shapes.Debugged).what.data
    except Malformed as fault:
        raise UnexpectedResponse(f"{exchange.url}: {fault}.") from fault


def under(names: Sequence[str], began: datetime, exchange: int) -> list[Listing]:
    """For each of these items, that everything was shown that answers it."""
    return [
        Listing(
            kinds=[Kind.COMMENT, Kind.REPLY], began_at=began, exchange=exchange, in_reply_to=name, states=BOTH
        )
        for name in names
    ]


def advanced(following: Mapping[str, str], met: set[str], what: str) -> Mapping[str, str]:
    """What to ask with next; an error where the list has led there before."""
    key = repr(sorted(following.items()))
    if key in met:
        raise UnexpectedResponse(f"Facebook leads on to where it has led before: {what} have no end.")
    met.add(key)
    return following
