"""Everbridge Nixle: an agency's alerts by its feed, by mail, and by its page where the agency was permitted to."""

from connectors.nixle.client import Nixle

__all__ = ["Nixle"]
