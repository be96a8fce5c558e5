"""X: an account's posts with their conversations, who names it, edits, messages, within a budget in money."""

from connectors.x.client import X

__all__ = ["X"]
