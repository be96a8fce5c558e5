"""What a pass has read, and what the next one needs to know: what a Nixle cursor holds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec

from connectors import cursors
from connectors.contract import Cursor

REMEMBERED = timedelta(days=90)


class Known(msgspec.Struct, kw_only=True):
    """One alert that was seen.

    `at` is the time of publication that was said first, and stays. `speaks`
    is the route whose words stand; `marks` are marks of the words that each
    route showed last. `fed_at` is the feed's own time of it, while the feed
    shows it; `uid` where its mail lies.
    """

    at: datetime | None = None
    speaks: str
    marks: dict[str, str] = {}
    fed_at: datetime | None = None
    uid: int | None = None


class Place(msgspec.Struct, kw_only=True):
    """Where the routes stand.

    `walk` is the part of the page's list at which reading broke off, 0 between
    passes; `read_to` is the highest number in the list when it was last walked
    to its end, `walked_to` the highest that was met since; `owed` are alerts at
    whose own pages Nixle failed. `window` is what the feed showed when it was last read to the end.
    `others` says that alerts may be held that the feed never shows.
    """

    version: int = 1
    page: str = ""
    alerts: dict[str, Known] = {}
    shorts: dict[str, str] = {}
    window: list[str] = []
    fed_at: datetime | None = None
    others: bool = False
    walk: int = 0
    read_to: int = 0
    walked_to: int = 0
    owed: list[str] = []
    folder: str = ""
    validity: int = 0
    uid: int = 0

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    def forget(self, now: datetime) -> None:
        """Let go of what no pass will compare again: what is old and left the feed."""
        kept = set(self.window)
        self.alerts = {
            name: one
            for name, one in self.alerts.items()
            if name in kept or (one.at is not None and one.at > now - REMEMBERED)
        }
        self.shorts = {code: name for code, name in self.shorts.items() if name in self.alerts}

    def opened(self, folder: str, validity: int) -> None:
        """Note which messages the UIDs count; those of another count say nothing (RFC 3501, section 2.3.1.1)."""
        if (folder, validity) == (self.folder, self.validity):
            return
        self.folder, self.validity, self.uid = folder, validity, 0
        for one in self.alerts.values():
            one.uid = None

    def young(self, now: datetime, days: int, besides: Collection[str]) -> list[str]:
        """The alerts of the last days that are not among `besides`."""
        since = now - timedelta(days=days)
        return [
            name
            for name, one in self.alerts.items()
            if name not in besides and one.at is not None and one.at > since
        ]

    @staticmethod
    def read(cursor: Cursor | None, page: str) -> Place:
        """The place that `cursor` names on `page`; one that cannot be read begins from nothing, which misses nothing."""
        place, fresh = cursors.read(cursor, Place), Place(page=page)
        return place if place and (place.version, place.page) == (fresh.version, page) else fresh
