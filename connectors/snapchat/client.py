"""Reads a public profile on Snapchat as its public page shows it.

Three things about Snapchat decide how it is asked:

Its interface for public profiles is open to companies that Snap has admitted
one by one, and tells visitors' words to none of them. The public page shows the
same stories and spotlights to everybody. It is rendered by Snapchat's servers
from data that stands in it, and that data is what is read.

A snap of the story is shown for 24 hours. What no pass has seen by then is
lost, so the page is to be read several times a day; and what is not shown after
that has run out, and was removed by nobody.

The page has no second page, and holds the newest spotlights alone. So nothing
is concluded from what it does not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.errors import NoSuchPage
from connectors.snapchat import address, checking, options
from connectors.snapchat.asking import Asking
from connectors.snapchat.manifest import MANIFEST
from connectors.snapchat.place import Place
from connectors.snapchat.standing import standing
from connectors.snapchat.walking import Pass

_NOTHING = Place().cursor()


class Snapchat:
    """A public profile. It needs no secret."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        del secret
        self._http = http

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the profile once: introduction, story, saved stories, spotlights; and what became of those that left the page."""
        with self._arrive(page) as asking:
            yield from Pass(asking, Place.read(since)).run()

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Look for each item on the profile's page, and for a spotlight on its own."""
        if not native_ids:
            return
        with self._arrive(page) as asking:
            for sightings, gaps in standing(asking, native_ids):
                yield asking.batch(_NOTHING, sightings=sightings, gaps=gaps)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say whether the profile is public, and what its page shows now."""
        with self._arrive(page) as asking:
            yield from checking.findings(asking)

    def _arrive(self, page: Page) -> Asking:
        name = address.read(page.address)
        if name is None:
            raise NoSuchPage(
                f"“{page.address}” names no profile on Snapchat. Give its address as it stands in a browser, such as "
                "https://www.snapchat.com/@townpolice, or its name."
            )
        return Asking(self._http, options.site(page), name)
