"""Asks Pinterest's interface what an account shows, and as the account itself also its secret boards.

Four things about Pinterest decide how it is asked:

Nothing is told of an edit, and lists are in no order that is promised. So a
pass reads everything again, and what is missing is asked for by its number.

A board may be shared with others, whose pins stand on it and in no list of the
agency's own. So every board is read besides the list of pins.

What was removed and what a permission does not open are both answered with 404.
Nothing is called gone unless secret boards are open to us.

Comments are counted, and none is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.pinterest import checking
from connectors.pinterest.manifest import MANIFEST
from connectors.pinterest.place import Place
from connectors.pinterest.reading import arrive, introduction
from connectors.pinterest.standing import Standing
from connectors.pinterest.walking import Pass

_NOTHING = Place().cursor()


class Pinterest:
    """An account. `secret`: `access_token`, of whoever signed in as the account."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret = http, secret
        self._known = ""
        """What the account is known by as the last pass knew it: looks that follow from it bear a change of its name, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the account once: introduction, boards with their sections and pins, all pins of its own."""
        asking, name = arrive(self._http, self._secret, page)
        place = Place.read(since)
        self._known = place.account
        with asking:
            yield from Pass(asking, name, page, place).run()

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor this is."""
        self._known = Place.read(since).account

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each pin and board by its number."""
        if not native_ids:
            return
        asking, name = arrive(self._http, self._secret, page)
        with asking:
            ours = introduction(asking, name, self._known).what
            for sightings, gaps in Standing(asking, ours).of(native_ids):
                yield asking.batch(_NOTHING, sightings=sightings, gaps=gaps)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: account, and each permission."""
        asking, name = arrive(self._http, self._secret, page)
        with asking:
            yield from checking.findings(asking, name)
