"""Public profiles on Snapchat, by their public page: stories while they are shown, saved stories and spotlights."""

from connectors.snapchat.client import Snapchat

__all__ = ["Snapchat"]
