"""Asks YouTube's Data API what a channel shows, and as the channel itself also what only its people see.

Four things about YouTube decide how it is asked:

Every question costs units of a day's quota, and no answer says how many are
left. Comments are therefore listed over the whole channel, a hundred threads a
unit, and units are counted here.

A thread holds a few of its answers, and nothing says which. All of them are
read by their own list.

What is not shown is left out without a word: a video that was removed and a
private one look alike to a key, and so do a comment that was removed and one
that is held. Only the channel itself is told more, and only then is anything
called gone.

A comment says when it was last changed; a video does not. Etags move with
likes and views, and say nothing of either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.youtube import channel, checking, family
from connectors.youtube.address import VIDEO, Address
from connectors.youtube.asking import Asking
from connectors.youtube.manifest import MANIFEST
from connectors.youtube.place import Place
from connectors.youtube.quota import Purse
from connectors.youtube.standing import Standings
from connectors.youtube.walking import Pass

_NOTHING = Place().cursor()


class YouTube:
    """A channel. `secret`: `access_token` where it is connected by signing in, `api_key` where with a key alone."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret, self._purse = http, secret, Purse()
        self._known = ""
        """The channel's number as the last pass knew it: looks that follow from it bear a change of its handle, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the channel once: introduction and settings, held comments, published ones with all answers, videos."""
        place = Place.read(since)
        self._purse.remember(place.spent)
        self._known = place.channel
        asking, named = self._arrive(page)
        with asking:
            yield from Pass(asking, named, page, place).run()

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor this is."""
        self._known = Place.read(since).channel

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each item by its id; what has none of its own (the settings) is left out."""
        if not native_ids:
            return
        asking, named = self._arrive(page)
        with asking:
            standings = Standings(asking, channel.find(asking, named, self._known))
            for sightings in standings.of(native_ids):
                yield asking.batch(_NOTHING, sightings=sightings)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: key or permission, channel, whose it is, what is shown."""
        asking, named = self._arrive(page)
        with asking:
            yield from checking.findings(asking, named)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one video again with all its comments, and list what answers each of them."""
        if not VIDEO.fullmatch(root):
            return
        asking, named = self._arrive(page)
        with asking:
            told = family.of(asking, channel.find(asking, named, self._known), page, root)
            yield from asking.one_family(root, told, _NOTHING)

    def _arrive(self, page: Page) -> tuple[Asking, Address]:
        return channel.arrive(self._http, self._secret, page, self._purse)
