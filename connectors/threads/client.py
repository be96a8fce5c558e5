"""Asks the interface of Threads what an account shows, and as its owner also what only its people see.

Four things about Threads decide how it is asked:

Everything is one kind of thing: what answers a post is a post itself. All
depths of a conversation come in one list, each item with what it answers.

Lists have cursors and mostly no links to the next answer, so they are asked on
until nothing stands in an answer, or no cursor with it.

Nothing tells of an edit, and removals of the account's own posts are told by
webhooks alone. So a pass reads everything within its span again, and what is
missing is asked for by its number.

Answers that the account has hidden are told to it, marked; those that wait for
its approval stand in a list of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.threads import asking as options
from connectors.threads import checking, families, told
from connectors.threads.manifest import MANIFEST
from connectors.threads.place import Place
from connectors.threads.reading import Walk, introduction
from connectors.threads.standing import Standing
from connectors.threads.walking import Pass
from connectors.webhooks import Manner

_NOTHING = Place().cursor()


class Threads:
    """An account. `secret`: `access_token`, and `app_secret` where the application wants its secret proven."""

    manifest: ClassVar[Manifest] = MANIFEST
    hooks: ClassVar[Manner] = Manner(wanted=told.wanted, read=told.read)

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret = http, secret
        self._known = ""
        """The account's number as the last pass knew it: looks that follow from it bear a change of its name, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the account once: introduction, ghost posts, mentions, its own answers, posts with what answers them."""
        asking, name = options.arrive(self._http, self._secret, page)
        place = Place.read(since)
        self._known = place.page
        with asking:
            yield from Pass(asking, name, page, place).run()

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor this is."""
        self._known = Place.read(since).page

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each item by its number, and only for how it stands."""
        if not native_ids:
            return
        asking, name = options.arrive(self._http, self._secret, page)
        with asking:
            account = introduction(asking, name, self._known)
            for sightings in Standing(asking, account.number).of(native_ids):
                yield asking.batch(_NOTHING, sightings=sightings)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: account, token, each permission, each list."""
        asking, name = options.arrive(self._http, self._secret, page)
        with asking:
            yield from checking.findings(asking, name, options.left_out(page))

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one post again with everything that answers it, and list what answers each of these."""
        asking, name = options.arrive(self._http, self._secret, page)
        with asking:
            walk = Walk(asking, introduction(asking, name, self._known))
            told = families.observed(walk, root, _NOTHING, approves=options.approves(page))
            yield from asking.one_family(root, told, _NOTHING)
