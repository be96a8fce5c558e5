"""LinkedIn's names of things, and how Rest.li wants them written into an address (protocol 2.0.0).

A URN is percent-encoded whole, its colons, commas and parentheses with it. The
commas and parentheses that Rest.li itself writes (`List(…)`, `(start:…,end:…)`)
stay as they are: encoded, they would be part of a value.

One post has several names. `share` or `ugcPost` is what the list of posts and
the archive call it; `activity` is what comments and notifications hang on.
Their numbers differ, so only an answer that has both says that they are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

POST = re.compile(r"urn:li:(?:share|ugcPost):\d{1,25}")
PERSON = re.compile(r"urn:li:person:([\w-]{1,80})")

_NUMBER = re.compile(r"\d{1,25}")
_THREAD = re.compile(r"urn:li:(?:share|ugcPost|activity):\d{1,25}")
_COMMENT = re.compile(r"urn:li:comment:\((?:urn:li:)?((?:share|ugcPost|activity):\d{1,25}),(\d{1,25})\)")


def coded(urn: str) -> str:
    """A URN, or any other value, as it stands in an address."""
    return quote(urn, safe="")


def listed(values: Iterable[str]) -> str:
    """Values that are coded already, as Rest.li's list."""
    return f"List({','.join(values)})"


def organisation(number: str) -> str:
    """The URN of an organisation."""
    return f"urn:li:organization:{number}"


def is_thread(urn: object) -> bool:
    """Whether this names a post, under any of its names."""
    return isinstance(urn, str) and _THREAD.fullmatch(urn) is not None


@dataclass(frozen=True, slots=True)
class CommentName:
    """A comment's own number, and the post on which it hangs, under whatever name."""

    thread: str
    number: str

    @property
    def urn(self) -> str:
        """The composite URN, in the long form of lists: notifications shorten it."""
        return f"urn:li:comment:({self.thread},{self.number})"


def comment(urn: object) -> CommentName | None:
    """What a comment's URN names, in the long form (`(urn:li:activity:1,2)`) or the short one (`(activity:1,2)`)."""
    found = _COMMENT.fullmatch(urn) if isinstance(urn, str) else None
    return None if found is None else CommentName(f"urn:li:{found[1]}", found[2])


def under(post: str, number: str) -> str:
    """The native id of a comment: the post as the archive calls it, and the comment's number."""
    return f"{post}/{number}"


def posted(name: str) -> str | None:
    """The native id of a post of this name; None where no post has such a name."""
    return name if POST.fullmatch(name) else None


def parted(native_id: str) -> tuple[str, str] | None:
    """Post and number of a comment by its native id; None where it is none."""
    post, divided, number = native_id.partition("/")
    if not divided or not POST.fullmatch(post) or not _NUMBER.fullmatch(number):
        return None
    return post, number
