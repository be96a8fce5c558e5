"""YouTube channels: what the agency publishes there, what visitors answer, and what is held back for its people to review."""

from connectors.youtube.client import YouTube

__all__ = ["YouTube"]
