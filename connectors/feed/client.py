"""Asks for a feed, for its older parts and for the comments on its posts.

A feed is a window on the newest items, and four things follow from that.

What is no longer in it has not been removed: without the option `complete` no
listing is yielded. Between two passes more may have been published than the
window shows: the last window's items are remembered, older parts are read
until the two join, and where they do not, the time in between is a gap. An
answer "304 Not Modified" shows that nothing changed and shows no item, so it
makes nobody absent. And comments have feeds of their own, which change while
the feed of posts does not: they are asked at every pass.

A document with a fault is kept as evidence and read as far as it goes; its
validators are not remembered, so that it is asked for in full until it is
whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from connectors.contract import (
    Batch,
    Client,
    Cursor,
    Exchange,
    Finding,
    Kind,
    Manifest,
    Page,
    Sighting,
    State,
)
from connectors.feed import closely
from connectors.feed.asking import ask
from connectors.feed.options import SAID
from connectors.feed.parse import http_address
from connectors.feed.place import Place
from connectors.feed.walking import Pass

_TAKEN_AS_THEY_ARE = (401, 403, 404, 410, 500, 501)
"""Answers of a link that say what they say; throttling and outages end the looking instead."""


class Feed:
    """A page published as RSS, Atom or JSON Feed; its address is the feed's, or a web page's that names it."""

    manifest: ClassVar[Manifest] = Manifest(
        name="feed",
        title="RSS, Atom and JSON feeds",
        platform="feed",
        route="feed",
        captures={
            "profile": "the feed's title, description and picture",
            "posts": "what the feed shows, and its older parts where it links them (RFC 5005) or pages them",
            "comments": "where posts name a feed of their comments (wfw:commentRss, RFC 4685)",
            "edits": "by comparing what the feed shows; Atom and JSON Feed also say when an item was edited",
            "deletions": "where the feed itself says so (RFC 6721); with the option `complete`, what is missing; "
            "with the option `check_links`, links that answer 404 or 410",
        },
        blind_spots=(
            "What left the feed's window: its edits are not seen, and its removal is not known.",
            "What was published and removed again, or edited twice, between two passes.",
            (
                "Comments on posts that name no feed of comments, and new ones on posts older than the option "
                "`comment_feeds` reaches."
            ),
            "The removal of a comment: feeds of comments are windows too.",
            "When an item in RSS was edited: the format does not say.",
            (
                "An item without an id whose title or date is changed, where its link names no item either; one whose id "
                "and title or date are changed together: each is kept as another item."
            ),
            "Drafts, held items and messages: a feed shows what is public.",
            "Pictures inside the text: their addresses are kept with the HTML, their bytes are not.",
        ),
        needs=("Nothing: feeds are public.",),
        options=SAID,
        narrows=False,
    )

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:  # noqa: ARG002 -- feeds are public
        self._http = http

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the feed, its newest document first, then the feeds of comments; each document is one batch."""
        return Pass(self._http, page, Place.read(since, page.address)).run()

    def check(self, page: Page) -> Iterator[Finding]:
        """Say whether a feed answers, whether it is whole, and what it shows of comments."""
        yield from closely.findings(self._http, page)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one post again with the comments that its own feed shows; a window lists nothing."""
        yield from closely.family(self._http, page, root, Place.read(None, page.address).cursor())

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """With the option `check_links`, ask for each item whose id is itself its address on the web.

        A comment's link leads to its post's page, whose presence says nothing
        of the comment; such links are not asked.
        """
        if page.options.get("check_links") != "yes":
            return
        for kind, native_id in native_ids:
            link = http_address(native_id.removeprefix(f"{kind.value}:"), "")
            if link is None or urlsplit(link).fragment:
                continue
            answer = ask(self._http, link, accept=_TAKEN_AS_THEY_ARE)
            state, reason = _standing(link, answer)
            sighting = Sighting(native_id=native_id, state=state, exchange=0, reason=reason)
            yield Batch(
                exchanges=[answer],
                resume_from=Place.read(None, page.address).cursor(),
                sightings=[sighting],
            )


def _standing(link: str, answer: Exchange) -> tuple[State, str]:
    """What the answer of an item's own address says of the item, and in which words."""
    status = answer.status
    said = f"{status} {answer.reason}".rstrip()
    if status in {404, 410} and _spelt(answer.url) != _spelt(link):
        return State.UNKNOWN, f"{said}, of {answer.url}, to which the link leads"
    if status in {404, 410}:
        return State.GONE, said
    if status != 200:
        return State.UNKNOWN, said
    moved = answer.url != link and urlsplit(answer.url).path in {"", "/"}
    return (State.UNKNOWN, f"{said}, moved to the front page") if moved else (State.PRESENT, said)


def _spelt(address: str) -> str:
    """An address without what servers add or take off: its scheme, www, and a stroke at its end."""
    return address.partition("://")[2].partition("#")[0].removeprefix("www.").rstrip("/")
