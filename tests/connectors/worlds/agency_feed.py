"""One agency's blog as it stood on any night of its history, served as a feed on loopback.

The history is a real one: every creation, edit, deletion and restoration of
the posts of a public agency over years. It lies beside the checkout and is
read from there; nothing of it is part of the project.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

from connectors.contract import Page
from tests.connectors.worlds.feed_world import FeedWorld, Post

AGENCIES = ("18f.gsa.gov", "digital.gov")


@dataclass(frozen=True)
class Change:
    """One change of one post: what it was afterwards."""

    at: datetime
    change: str
    title: str
    content: str

    @property
    def shown(self) -> bool:
        return self.change != "delete"


@dataclass(frozen=True)
class Night:
    """What happened to the blog since the night before: ids of posts."""

    at: datetime
    new: frozenset[str]
    edited: frozenset[str]
    removed: frozenset[str]
    restored: frozenset[str]


class AgencyFeed(FeedWorld):
    """The blog of `agency`. Use it as a context, and say at which moment it is to stand.

    Its feed lists every post, so the page's option `complete` is set.
    """

    def __init__(self, shared: Path, agency: str = AGENCIES[0], form: str = "atom") -> None:
        super().__init__(form)
        self.title, self.subtitle = agency, "As it was"
        self.window = 10**6
        self.names_comments = False
        self.history = history(shared, agency)

    @property
    def page(self) -> Page:
        return Page(address=self.feed, options={"complete": "yes"})

    def stand_at(self, moment: datetime) -> None:
        """From now on the feed shows the blog as it was at `moment`."""
        self.posts = {}
        for number, changes in self.history.items():
            so_far = [change for change in changes if change.at <= moment]
            if so_far and so_far[-1].shown:
                last = so_far[-1]
                self.posts[number] = Post(
                    number, last.title, last.content, so_far[0].at, last.at, author="", slug=number
                )

    def nights(self, count: int) -> list[Night]:
        """`count` nights of the history, with what happened from each to the next.

        Every restoration is among them with the deletion before it, then as
        many deletions and edits as there is room for, spread over the years.
        """
        changes = [change for changes in self.history.values() for change in changes]
        pairs = [
            (_night(deletion.at), _night(return_.at))
            for changes in self.history.values()
            for deletion, return_ in pairwise(changes)
            if return_.change == "restore"
        ]
        nights = {night for pair in pairs if pair[0] < pair[1] for night in pair}
        removals = {_night(change.at) for change in changes if change.change == "delete"} - nights
        nights |= set(_spread(sorted(removals), (count - len(nights)) // 2))
        others = {_night(change.at) for change in changes} - nights
        nights |= set(_spread(sorted(others), count - len(nights)))
        dawn = datetime.min.replace(tzinfo=UTC)
        return [self._between(before, night) for before, night in pairwise([dawn, *sorted(nights)])]

    def _between(self, before: datetime, night: datetime) -> Night:
        was, now = self._standing(before), self._standing(night)
        ever = {number for number, changes in self.history.items() if changes[0].at <= before}
        returned = {number for number in now.keys() - was.keys() if number in ever}
        return Night(
            at=night,
            new=frozenset(now.keys() - was.keys() - returned),
            edited=frozenset(number for number in now.keys() & was.keys() if now[number] != was[number]),
            removed=frozenset(was.keys() - now.keys()),
            restored=frozenset(returned),
        )

    def _standing(self, moment: datetime) -> dict[str, tuple[str, str]]:
        """Title and content of each post shown at `moment`, as far as a feed can tell them apart."""
        found = {}
        for number, changes in self.history.items():
            so_far = [change for change in changes if change.at <= moment]
            if so_far and so_far[-1].shown:
                found[number] = (" ".join(so_far[-1].title.split()), so_far[-1].content.strip())
        return found


def history(shared: Path, agency: str) -> Mapping[str, list[Change]]:
    """Every change of every post of `agency`, oldest first, by the post's id."""
    return _histories(shared / "corpus" / "post-versions.jsonl.gz")[agency]


@cache
def _histories(path: Path) -> dict[str, dict[str, list[Change]]]:
    found: dict[str, dict[str, list[Change]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            title = one["title"] or ""
            text = one["text"] or ""
            content = text.removeprefix(title).removeprefix("\n\n") if title else text
            at = datetime.fromisoformat(one["at"])
            found[one["page"]][one["post_id"]].append(Change(at, one["change"], title, content))
    for posts in found.values():
        for changes in posts.values():
            changes.sort(key=lambda change: change.at)
    return found


def _spread(nights: Sequence[datetime], count: int) -> list[datetime]:
    """At most `count` of `nights`, evenly, the last one among them."""
    if count >= len(nights):
        return list(nights)
    return [nights[len(nights) * (index + 1) // count - 1] for index in range(count)]


def _night(moment: datetime) -> datetime:
    """The night that follows `moment`."""
    return datetime.combine(moment.date() + timedelta(days=1), time(2), tzinfo=moment.tzinfo)
