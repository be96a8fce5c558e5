"""Mastodon and servers that speak its interface: an agency's account, what it publishes and what is said to it."""

from connectors.mastodon.client import Mastodon

__all__ = ["Mastodon"]
