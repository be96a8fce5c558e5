"""What the officer who added the page said of its feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.contract import Kind, Page

SAID: Mapping[str, str] = {
    "complete": "yes: the feed lists everything that is published, so what is missing from it is absent "
    "(default: no, except where the feed itself says so, RFC 5005 section 2)",
    "comments": "no: leave comments out; site: read the feed of comments that the web page names, and an "
    "address: read that one, instead of those that posts name (default: those that posts name)",
    "comment_feeds": "for how many of the newest posts comments are looked for again (default 100)",
    "paged": "yes: WordPress; ask for older parts by ?paged=N (default: no)",
    "pages": "all: read every older part at every pass (default: new, until the last pass is reached)",
    "max_pages": "how many parts of one feed to read in one pass at most (default 1000)",
    "check_links": "yes: ask for the link of an item that is missing (default: no)",
    "kind": "comments: the feed at this address is itself one of comments (default: posts)",
}


@dataclass(frozen=True, slots=True)
class Options:
    """A page's options, read. What cannot be understood means its default."""

    complete: bool
    comments: str
    watched: int
    paged: bool
    all_pages: bool
    most_documents: int
    kind: Kind

    @classmethod
    def of(cls, page: Page) -> Options:
        """The options of `page`."""
        given = page.options
        return cls(
            complete=given.get("complete") == "yes",
            comments=given.get("comments", ""),
            watched=_number(given.get("comment_feeds", ""), 100),
            paged=given.get("paged") == "yes",
            all_pages=given.get("pages") == "all",
            most_documents=max(1, _number(given.get("max_pages", ""), 1000)),
            kind=Kind.COMMENT if given.get("kind") == "comments" else Kind.POST,
        )

    @property
    def all_documents(self) -> bool:
        """Whether a pass reads all documents of the feed, not only the new ones."""
        return self.complete or self.all_pages

    @property
    def of_posts(self) -> bool:
        """Whether comments are read from the feeds that posts name."""
        return self.comments not in {"no", "site"} and "://" not in self.comments and self.kind is Kind.POST


def _number(written: str, default: int) -> int:
    return int(written) if written.isdecimal() and len(written) < 10 else default
