"""Asks LinkedIn's Community Management API what an organisation's page shows, with the permission of its administrator.

Five things about LinkedIn decide how it is asked:

One post has several names. Lists of posts say `share` or `ugcPost`, comments and
notifications `activity`, with other numbers. What LinkedIn counts of a post names
both, so that is where the names are learned.

A list of comments without any is answered 404, as is one of a post that is gone.
What LinkedIn counts of a post is therefore read first, fifty posts at once.

Lists are counted off by places, and shift while they are read.

Nothing of a day's limits is told beforehand, so that as little as possible is
asked: of posts without comments, nothing.

A version of the interface lives for about a year, and is refused from one day
to the next. A check says so weeks before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.linkedin import checking, family, options, organisation, told
from connectors.linkedin.manifest import MANIFEST
from connectors.linkedin.place import Place
from connectors.linkedin.standing import Standings
from connectors.linkedin.urns import POST
from connectors.linkedin.walking import Pass
from connectors.webhooks import Manner

_NOTHING = Place().cursor()


class LinkedIn:
    """An organisation's page. `secret`: `access_token`, of an administrator of the page."""

    manifest: ClassVar[Manifest] = MANIFEST
    hooks: ClassVar[Manner] = told.MANNER

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret = http, secret
        self._known = ""
        """The organisation's number as the last pass knew it: looks that follow from it bear a change of its name, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the page once: introduction, posts with all their comments, what LinkedIn has to tell by itself."""
        asking, named = organisation.arrive(self._http, self._secret, page)
        place = Place.read(since)
        self._known = place.page
        with asking:
            yield from Pass(asking, named, page, place).run()

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor this is."""
        self._known = Place.read(since).page

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each item by its id; where a comment is not found, for all comments of its post."""
        if not native_ids:
            return
        asking, named = organisation.arrive(self._http, self._secret, page)
        with asking:
            ours = organisation.find(asking, named, self._known).ours
            standings = Standings(asking, ours, names=options.names(page))
            for sighting, met in standings.of(native_ids):
                yield asking.batch(_NOTHING, met, sightings=[sighting])

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: version, page, role, posts, comments, notifications."""
        asking, named = organisation.arrive(self._http, self._secret, page)
        with asking:
            yield from checking.findings(asking, named, notified=options.notices(page))

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one post again with everything that answers it, and list what answers each of these."""
        if not POST.fullmatch(root):
            return
        asking, named = organisation.arrive(self._http, self._secret, page)
        with asking:
            ours = organisation.find(asking, named, self._known).ours
            told = family.of(asking, ours, root, names=options.names(page))
            yield from asking.one_family(root, told, _NOTHING)
