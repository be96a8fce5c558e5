"""RSS, Atom and JSON Feed, with the feeds of comments that they name."""

from connectors.feed.client import Feed

__all__ = ["Feed"]
