"""Asks TikTok's interfaces what an account shows, and by the door for businesses also what only its people see.

Four things about TikTok decide how it is asked:

There are two interfaces, each with a portal, an application and a permission
of its own. One shows comments, the other does not.

An answer of status 200 may be a refusal: what happened stands in its body.

Nothing tells of an edit, and nothing of a removal: what is not shown is left
out without a word. So a pass reads everything within its span again, what is
missing is asked for by its id, and nothing is ever called gone.

No interface hands out a video's file: its cover is fetched, and the film is a
blind spot that the manifest declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.tiktok import checking, doors, family
from connectors.tiktok.doors import Door
from connectors.tiktok.manifest import MANIFEST
from connectors.tiktok.pace import Pace
from connectors.tiktok.place import Place
from connectors.tiktok.standing import Standings
from connectors.tiktok.walking import Pass

_NOTHING = Place().cursor()


class TikTok:
    """An account. `secret`: `access_token`; `client_id`, so that TikTok can be asked what the token permits."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret, self._pace = http, secret, Pace()
        self._known = Place()
        """Where the last pass began: looks that follow from it bear a change of the account's name, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the account once: its introduction, its videos and, by the door that shows them, all comments."""
        door, self._known = self._arrive(page), Place.read(since)
        with door.asking:
            yield from Pass(door, page, self._known).run()

    def remember(self, since: Cursor) -> None:
        """Know the account again as the pass knew it whose cursor this is."""
        self._known = Place.read(since)

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each item by its id; the Display API cannot be asked for comments."""
        if not native_ids:
            return
        door = self._arrive(page)
        with door.asking:
            door.introduced(self._account(door))
            for sightings, gaps in Standings(door).of(native_ids):
                yield door.asking.batch(_NOTHING, sightings=sightings, gaps=gaps)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: token, account, each permission, each list."""
        door = self._arrive(page)
        with door.asking:
            yield from checking.findings(door)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one video again with all its comments, and list what answers each of them."""
        if not (root.isascii() and root.isdecimal()):
            return
        door = self._arrive(page)
        with door.asking:
            yield from door.asking.one_family(root, family.of(door, root, self._account(door)), _NOTHING)

    def _account(self, door: Door) -> str:
        """The account's id by this door; by the other it has another one."""
        return self._known.account if self._known.way == door.way else ""

    def _arrive(self, page: Page) -> Door:
        return doors.arrive(self._http, self._secret, page, self._pace)
