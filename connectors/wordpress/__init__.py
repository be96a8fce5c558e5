"""WordPress: blogs and news pages with comments, read through the site's own REST interface."""

from connectors.wordpress.client import WordPress

__all__ = ["WordPress"]
