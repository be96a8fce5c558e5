"""How far a pass has come: what a Flickr cursor holds. No key, no token and nobody's words are in it."""

from __future__ import annotations

from typing import ClassVar

from connectors import cursors
from connectors.flickr.pace import Asked

PHOTOS, ALBUMS = "photos", "albums"
STAGES = (PHOTOS, ALBUMS)


class Place(cursors.Staged, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The list that is read, and where in it.

    `id` is the NSID of the page, `owner` whether the pass was begun as its
    owner, who is shown more. `at` is the number of the list's next answer,
    `total` how many items Flickr counted last: fewer than before means that
    the list has shifted, and it is read `again`; `stated` is how many it counts
    in the lists that were read to their end. `waiting` are photos and
    albums whose comments are still to be read, each with whether it is hidden.
    `posts` and `threads` say whether everything was shown: of photos and
    albums, of comments. `asked` counts questions.
    """

    stages: ClassVar[tuple[str, ...]] = STAGES

    id: str = ""
    owner: bool | None = None
    stage: str = PHOTOS
    at: int = 1
    ended: bool = False
    total: int | None = None
    stated: int = 0
    shifted: bool = False
    again: int = 0
    waiting: tuple[tuple[str, bool], ...] = ()
    posts: bool = True
    threads: bool = True
    asked: Asked = Asked()

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(id=self.id, asked=self.asked)

    def leads_on(self) -> bool:
        return super().leads_on() and self.at > 0
