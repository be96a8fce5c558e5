"""Agencies on Nextdoor: their own posts as their account is shown them, or what the public feed of agencies shows."""

from connectors.nextdoor.client import Nextdoor

__all__ = ["Nextdoor"]
