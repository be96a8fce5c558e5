"""Accounts on Pinterest: boards, their sections, and pins with their pictures and videos, secret ones among them."""

from connectors.pinterest.client import Pinterest

__all__ = ["Pinterest"]
