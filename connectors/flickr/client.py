"""Asks Flickr's interface what a photostream or a group shows, and as its owner also what the public is not shown.

Four things about Flickr decide how it is asked:

A list of photos tells everything of five hundred of them at once, their words
and the addresses of their files. A photo is asked for by itself only where its
family is wanted.

Comments are listed photo by photo, each list whole. How many there are is told
with the photo, so that the many photos that nobody comments on cost nothing.

A photo bears the time when it was last touched, by an edit or by a comment. A
pass over a span of time goes by that; the owner has a list of it.

A refusal comes with status 200, and "not found" means removed or private. Only
for the owner is it the one and not the other, and only then is anything called
gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.flickr import checking, family, people
from connectors.flickr.address import Address
from connectors.flickr.asking import Asking
from connectors.flickr.manifest import MANIFEST
from connectors.flickr.pace import Pace
from connectors.flickr.place import Place
from connectors.flickr.standing import Standings, root_of
from connectors.flickr.walking import Pass

_NOTHING = Place().cursor()


class Flickr:
    """A photostream or a group. `secret`: what OAuth 1.0a signs with where it is connected, or `api_key` alone."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret, self._pace = http, secret, Pace()
        self._known = ""
        """The page's NSID as the last pass knew it: looks that follow from it bear a change of its name, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the page once: introduction, photos with what was said below them, albums."""
        place = Place.read(since)
        self._pace.remember(place.asked)
        self._known = place.id
        asking, named = self._arrive(page)
        with asking:
            yield from Pass(asking, named, page, place).run()

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor this is."""
        self._known = Place.read(since).id

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each photo and album by its id; the introduction, which has no such question, is left out."""
        if not any(root_of(name) for _, name in native_ids):
            return
        asking, named = self._arrive(page)
        with asking:
            for sightings, gaps in Standings(asking, people.find(asking, named, self._known)).of(native_ids):
                yield asking.batch(_NOTHING, sightings=sightings, gaps=gaps)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: key or permission, page, whose it is, its photos."""
        asking, named = self._arrive(page)
        with asking:
            yield from checking.findings(asking, named)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one photo or album again with all its comments."""
        if root_of(root) != root:
            return
        asking, named = self._arrive(page)
        with asking:
            told = family.of(asking, people.find(asking, named, self._known), root)
            yield from asking.one_family(root, told, _NOTHING)

    def _arrive(self, page: Page) -> tuple[Asking, Address]:
        return people.arrive(self._http, self._secret, page, self._pace)
