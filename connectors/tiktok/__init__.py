"""Accounts on TikTok: what the agency publishes there and, by the door for businesses, every comment with every answer, hidden ones among them."""

from connectors.tiktok.client import TikTok

__all__ = ["TikTok"]
