"""Wikipedia and other MediaWikis: wiki pages with every revision, their talk pages, and their logs."""

from connectors.mediawiki.client import MediaWiki

__all__ = ["MediaWiki"]
