"""Asks Instagram's interface what an account shows, and as its owner also what only its people see.

Four things about Instagram decide how it is asked:

There are two doors. By the first, somebody signs in to Facebook who manages the
page there that the account belongs to; by the second, the account signs in
itself. The first is used unless a page's option says otherwise: its token can
be one of a system user, which never ends, and it alone shows what others have
tagged the account in.

Lists of posts hold their first comments, and these their first replies. The
rest is read list by list, newest first. There are two levels and no more.

Nothing tells of an edit or a removal, so a pass reads everything within its
span again. What is missing from a list is asked for by its number; the answer
proves a removal of the account's own posts, and of nothing else.

A story is shown for a day. One that is no longer listed is absent: it has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.instagram import asking as options
from connectors.instagram import checking, families, told
from connectors.instagram.manifest import MANIFEST
from connectors.instagram.place import Place
from connectors.instagram.reading import Walk, introduction
from connectors.instagram.standing import Standing
from connectors.instagram.walking import Pass
from connectors.webhooks import Manner

_NOTHING = Place().cursor()


class Instagram:
    """An account. `secret`: `access_token`, and `app_secret` where the application wants its secret proven."""

    manifest: ClassVar[Manifest] = MANIFEST
    hooks: ClassVar[Manner] = Manner(wanted=told.wanted)

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret = http, secret
        self._known = Place()
        """Where the last pass began: looks that follow from it bear a change of the account's name, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the account once: introduction, stories, messages, what it is tagged in, posts with their comments."""
        asking, wanted = options.arrive(self._http, self._secret, page)
        self._known = Place.read(since)
        with asking:
            yield from Pass(asking, wanted, page, self._known).run()

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor this is."""
        self._known = Place.read(since)

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for items by their numbers, and only for how they stand."""
        if not native_ids:
            return
        asking, wanted = options.arrive(self._http, self._secret, page)
        with asking:
            account = introduction(asking, wanted, self._known.page, self._known.owner)
            for sightings in Standing(asking, account.number, wanted.door).of(native_ids):
                yield asking.batch(_NOTHING, sightings=sightings)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: account, version, token, each permission, what is shown of comments."""
        asking, wanted = options.arrive(self._http, self._secret, page)
        with asking:
            yield from checking.findings(asking, wanted, messages=options.reads_messages(page))

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one post again with all its comments, and list what answers each of them."""
        asking, wanted = options.arrive(self._http, self._secret, page)
        with asking:
            account = introduction(asking, wanted, self._known.page, self._known.owner)
            told = families.observed(Walk(asking, account), wanted.door, root, _NOTHING)
            yield from asking.one_family(root, told, _NOTHING)
