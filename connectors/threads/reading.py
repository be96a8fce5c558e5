"""Reads what passes, families and looks have in common: who the account is, its lists, and what answers a post.

Lists of Threads have cursors and, mostly, no links to the next answer: a list
ends where no cursor stands, or with an answer in which nothing stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connectors.contract import Gap, Observation
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.graph import Asking, Edge, NotGiven, Token, advanced
from connectors.threads import parse, shapes
from connectors.threads.place import LATELY, PENDING
from connectors.threads.shapes import PROFILE_FIELDS, Account, Media

T = TypeVar("T")

LISTED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Introduced:
    """The account: its introduction, and its name."""

    observed: Observation
    username: str

    @property
    def number(self) -> str:
        return self.observed.native_id


class Walk:
    """Reads lists, and remembers what it was refused. Shared by passes and families."""

    def __init__(self, asking: Asking, account: Introduced) -> None:
        self.asking, self.account = asking, account
        self.gaps: list[Gap] = []

    def listed(
        self, path: str, fields: Sequence[str], at: Mapping[str, str], limit: int = LISTED_AT_ONCE
    ) -> Edge[Media]:
        """One answer of a list."""
        edge, _ = self.asking.gathered(path, Media, lambda _: fields, at, limit)
        return edge

    def below(self, kind: str, post: str, at: Mapping[str, str]) -> Edge[Media]:
        """One answer of what answers a post: in the order in which it was written, but newest first where only that counts.

        What cannot be read of it is a gap.
        """
        edge = "conversation" if kind != PENDING else PENDING
        fields = shapes.REPLY_FIELDS if kind != PENDING else shapes.PENDING_FIELDS
        asked = {"reverse": "true" if kind == LATELY else "false", **at}
        found = self.listed(f"{post}/{edge}", fields, asked)
        self.gaps += self.asking.gaps_of("answers", found.unread)
        return found

    def answers(self, edge: Edge[Media], post: str) -> list[Observation]:
        """What answers the post, as observed."""
        ours = self.account
        return [parse.media(one, ours.number, ours.username, below=post) for one in edge.items]

    def posts(
        self, edge: Edge[Media], *, mentions: bool = False, described: bool = False
    ) -> list[Observation]:
        """What stands in a list of the account's own, or of what names it, as observed."""
        ours = self.account
        return [
            parse.media(one, ours.number, ours.username, mention=mentions, described=described)
            for one in edge.items
        ]

    def describes(self, fields: Sequence[str]) -> bool:
        """Whether who is asked for these tells what is written for those who cannot see a picture."""
        return "alt_text" in fields and not self.asking.lacks("alt_text")

    def fields_dropped(self) -> Iterator[Gap]:
        """What this version of the interface does not have."""
        for path, name in self.asking.dropped():
            why = "the interface of Threads does not have it any more: upgrade Muniment"
            yield Gap(what=f"the field {name} of {path}", why=why)


def following(edge: Edge[T]) -> Mapping[str, str] | None:
    """What to ask with for the next answer; None where there is none."""
    if edge.following is not None:
        return edge.following
    return {"after": edge.after} if edge.after and edge.gave else None


def introduction(asking: Asking, name: str, known: str = "") -> Introduced:
    """Ask for the account that signed in; `known` is its number as it was, since a name may change."""
    try:
        seen, _ = asking.one("me", Account, PROFILE_FIELDS)
    except NotGiven as refused:
        if refused.forbidden:
            raise AccessRevoked(f"The account is not shown: {refused.why}.") from refused
        raise NoSuchPage(
            f"Threads shows no account “{name}” to whoever connected it ({refused.fault.numbers}). Look at it in a "
            "browser, and connect it again."
        ) from refused
    read = seen.what
    if name not in {read.username.lower(), read.id} and (not known or read.id != known):
        raise NoSuchPage(
            f"The token is that of “{read.username}”, and not of “{name}”. Sign in as the account that is meant, or "
            "correct the page's address."
        )
    return Introduced(parse.account(seen), read.username)


def reads_answers(token: Token | None) -> bool:
    """Whether the token may be shown what others write, as far as Threads says; where it does not say, it may."""
    return token is None or {"threads_basic", "threads_read_replies"} <= {*token.scopes}


def numbers(asking: Asking, path: str) -> tuple[set[str], bool]:
    """The numbers of everything in a list, and whether all of it can be read; asked for to see how one of them stands."""
    found: set[str] = set()
    whole = True
    at: Mapping[str, str] = {}
    met: set[str] = set()
    while True:
        edge, _ = asking.gathered(path, shapes.Who, lambda _: ("id",), at, LISTED_AT_ONCE)
        found |= {one.what.id for one in edge.items}
        whole = whole and not edge.unread
        leads = following(edge)
        if leads is None:
            return found, whole
        at = advanced(leads, met, path)


def answered_and_not_shown(post: str) -> Gap:
    """What Threads says that there is, and shows nothing of."""
    return Gap(
        what="answers",
        why="Threads says that the post was answered and shows none of it: all are of people who left or became private, "
        "or the application may not read them. Look at the post in a browser",
        native_id=post,
    )
