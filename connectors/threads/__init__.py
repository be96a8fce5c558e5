"""Accounts on Threads: posts with every answer to them at any depth, hidden ones among them, and what names the account."""

from connectors.threads.client import Threads

__all__ = ["Threads"]
