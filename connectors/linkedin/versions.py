"""Versions of the interface: one a month, named for it, and each is kept for about a year.

LinkedIn announces the day on its pages only. That it comes about a year after
the month of the version's name is what can be known beforehand: 202508 was to
end on 17 August 2026.
"""

from __future__ import annotations

from datetime import date, timedelta

OURS = "202607"
"""The version that this connector was written for."""

WARNED = timedelta(days=90)
"""So long before its end a check says that a version ends."""


def ends(version: str) -> date:
    """From when on LinkedIn may refuse a version: the first day of the same month of the next year."""
    return date(int(version[:4]) + 1, int(version[4:]), 1)


def ending(version: str, today: date) -> bool:
    """Whether a version ends so soon that somebody has to act."""
    return today >= ends(version) - WARNED
