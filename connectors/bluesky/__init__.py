"""Bluesky and other networks of the AT Protocol: an account's signed repository, and what others answer to it."""

from connectors.bluesky.client import Bluesky

__all__ = ["Bluesky"]
