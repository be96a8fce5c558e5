"""Asks Reddit's interface what a subreddit or an account shows, and as a moderator also what only moderators see.

Four things about Reddit decide how it is asked:

Every list ends after about a thousand things. What is older is shown by its
name, and in its own tree, and nowhere else.

A tree of comments is shown in part, with marks where something is left out.
All of it is asked for.

What was removed or deleted still stands where it stood, without its words:
that is Reddit's own word for how it stands, and told apart in `parse`.

An edit bears its time, and no earlier words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.errors import NoSuchPage
from connectors.reddit import address, checking, family, options, standing
from connectors.reddit.address import Address
from connectors.reddit.asking import Asking
from connectors.reddit.found import HOW
from connectors.reddit.manifest import MANIFEST
from connectors.reddit.place import Place
from connectors.reddit.session import Session
from connectors.reddit.walking import Pass

_NOTHING = Place().cursor()


class Reddit:
    """A subreddit or an account.

    `secret` holds `access_token` where somebody has signed in; `client_id` and
    `client_secret` of the application where it asks alone.
    """

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._session = http, Session(http, secret)

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the page once: introduction and rules, what moderators see, submissions with all their comments, the log."""
        asking, named = self._arrive(page)
        with asking:
            yield from Pass(asking, named, page, Place.read(since)).run()

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each item by its full name, a hundred at once."""
        if not native_ids:
            return
        asking, named = self._arrive(page)
        with asking:
            for sightings in standing.of(asking, named, native_ids):
                yield asking.batch(_NOTHING, sightings=sightings)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: application or account, page, what moderators are shown."""
        asking, named = self._arrive(page)
        with asking:
            yield from checking.findings(asking, named)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one submission again with all its comments, and list what answers each of them."""
        if not root.startswith("t3_"):
            return
        asking, named = self._arrive(page)
        with asking:
            yield from asking.one_family(root, family.of(asking, named, page, root), _NOTHING)

    def _arrive(self, page: Page) -> tuple[Asking, Address]:
        named = address.read(page.address)
        if named is None:
            raise NoSuchPage(f"“{page.address}” names no subreddit and no account on Reddit. {HOW}")
        return Asking(self._http, self._session, options.base(page), options.site(page)), named
