"""Flickr: a person's photostream and albums, or a group's pool, with what visitors say below them."""

from connectors.flickr.client import Flickr

__all__ = ["Flickr"]
