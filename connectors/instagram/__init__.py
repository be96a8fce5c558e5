"""Accounts on Instagram: posts and stories with what answers them, hidden comments among it, and messages."""

from connectors.instagram.client import Instagram

__all__ = ["Instagram"]
