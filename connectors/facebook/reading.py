"""Reads what passes, families and looks have in common: the introduction, lists, threads, descriptions of pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from connectors.contract import Gap, Observation
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.facebook import parse, shapes
from connectors.graph import Asking, Edge, NotGiven, Token, advanced
from connectors.pieces import Seen

T = TypeVar("T")

OURS = "Facebook"
"""Whose lists they are."""

_COMMENTS_AT_ONCE = 100
_PICTURES_AT_ONCE = 50
_DESCRIPTION = "the description of a picture"
_MERGED = re.compile(r"was migrated to page ID (\d{1,20})")


class Walk:
    """Reads posts and what answers them, and remembers what it was refused. Shared by passes and families."""

    def __init__(self, asking: Asking, ours: str) -> None:
        self.asking, self.ours = asking, ours
        self.gaps: list[Gap] = []

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
        params = {**(more or {}), **at}
        return self.asking.gathered(path, shape, fields, params, limit, OURS)

    def pictures(self, posts: Sequence[Seen[shapes.Post]]) -> dict[str, Seen[shapes.Picture] | None]:
        """What is written for those who cannot see the pictures of these posts; None where a permission is lacking."""
        found: dict[str, Seen[shapes.Picture] | None] = {}
        wanted = parse.pictures_of(posts)
        for begin in range(0, len(wanted), _PICTURES_AT_ONCE):
            found |= self._described(wanted[begin : begin + _PICTURES_AT_ONCE])
        return found

    def _described(self, names: list[str]) -> dict[str, Seen[shapes.Picture] | None]:
        """Facebook refuses all where it does not give one, or fails at it, so that one is found by halves."""
        found: dict[str, Seen[shapes.Picture] | None] = {}
        try:
            with self.asking.about(_DESCRIPTION, names[0]) as asked:
                told, unread = self.asking.objects(names, shapes.Picture, shapes.PICTURE_FIELDS)
                odd = [one for one in unread if one.id in names]
                self.gaps += self.asking.gaps_of(_DESCRIPTION, odd)
                found = {**told, **{one.id: None for one in odd if one.id is not None}}
            if asked.gap is None:
                return found
            if len(names) == 1:
                self.gaps.append(asked.gap)
                return dict.fromkeys(names)
        except NotGiven as refused:
            if refused.forbidden:
                self.gaps.append(Gap(what="descriptions of pictures", why=refused.why))
                return dict.fromkeys(names)
            if len(names) == 1:
                return {}
        half = len(names) // 2
        return self._described(names[:half]) | self._described(names[half:])

    def thread(
        self, root: str, at: Mapping[str, str]
    ) -> Iterator[tuple[list[Observation], Edge[shapes.Comment]]]:
        """The comments of a post, answer by answer, with the answer. Those that cannot be read are gaps."""
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
            self.gaps += self.asking.gaps_of("comments", found.unread)
            yield seen, found
            if found.following is None:
                return
            at = advanced(found.following, met, f"the comments of {root}", OURS)

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
        if (other := _MERGED.search(refused.fault.message)) is not None:
            raise NoSuchPage(
                f"Facebook has merged the page “{name}” into another one ({refused.fault.numbers}). What was captured "
                f"stays as it stands. Add https://www.facebook.com/{other[1]} as a page of its own."
            ) from refused
        raise NoSuchPage(
            f"Facebook shows no page “{name}” to whoever connected it ({refused.fault.numbers}): it was removed or "
            "renamed, or that person no longer has a role on it. Look at it in a browser, and connect it again."
        ) from refused
    asking.becomes_the_page(exchange)
    return parse.page(seen)


def reads_visitors(token: Token | None) -> bool:
    """Whether the token is shown what others write. Without that Facebook leaves it out of lists and says nothing."""
    return (
        token is not None
        and token.is_valid
        and {"pages_read_engagement", "pages_read_user_content"} <= {*token.scopes}
    )
