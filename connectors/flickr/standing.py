"""How single items stand, by the platform's own answer.

Flickr answers for a photo that was deleted and for one that is private with the
same words: code 1, not found. So a key alone never proves a removal. The owner
is shown what is private, and for them

- a photo is *gone* where `flickr.photos.getPerms` answers with code 1;
- an album is *gone* where `flickr.photosets.getInfo` answers with code 1;
- a comment is *gone* where what it stood under is gone.

For a single comment Flickr has no question. One that its list lacks is missing
from a list, and nothing more is known; so nothing is asked but how its photo
stands, and nobody else's words are fetched.

A photo that left a group's pool may be on Flickr still: that proves nothing of
it. A throttle, a missing permission and an outage prove nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from connectors import spans
from connectors.contract import Gap, Kind, Sighting, State
from connectors.errors import UnexpectedResponse
from connectors.flickr import parse, showing
from connectors.flickr.asking import Asking
from connectors.flickr.people import Found
from connectors.flickr.reading import said, says_which
from connectors.flickr.refusals import NotGiven
from connectors.pieces import value


@dataclass(frozen=True, slots=True)
class Told:
    """How something stands, and by which answer."""

    state: State
    reason: str


class Standings:
    """Asks how items stand; each photo and album is asked once in a visit."""

    def __init__(self, asking: Asking, found: Found) -> None:
        self._asking, self._found = asking, found

    def of(self, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[tuple[list[Sighting], list[Gap]]]:
        """The items in groups, each told by the answer that was asked for it, and at which of them Flickr fails."""
        by_root: dict[str, list[str]] = {}
        for _, name in native_ids:
            root = root_of(name)
            if root is not None:
                by_root.setdefault(root, []).append(name)
        for root, names in by_root.items():
            told: list[Sighting] = []
            with self._asking.about("how a photo or album stands", root, unread=False) as asked:
                stands = self.root(root)
                told = [self._sighted(name, root, stands) for name in names]
            yield told, [] if asked.gap is None else [asked.gap]

    def root(self, name: str) -> Told:
        """How one photo or album stands."""
        try:
            return self._album(name) if name.startswith(showing.ALBUM) else self._photo(name)
        except NotGiven as refused:
            if refused.not_found and self._found.owner:
                return Told(State.GONE, refused.says)
            why = "removed, or private; only its owner is told which" if refused.not_found else "not told"
            return Told(State.UNKNOWN, f"{refused.says}: {why}")

    def sighting(self, name: str, told: Told) -> Sighting:
        """What was told of an item by the answer that was asked last."""
        return Sighting(native_id=name, state=told.state, exchange=self._asking.last, reason=told.reason)

    def _sighted(self, name: str, root: str, told: Told) -> Sighting:
        if name == root:
            return self.sighting(name, told)
        if told.state is State.GONE:
            return self.sighting(name, Told(State.GONE, f"what it stood under: {told.reason}"))
        why = f"what it stands under: {told.reason}; Flickr answers for no single comment"
        return self.sighting(name, Told(State.UNKNOWN, why))

    def _photo(self, name: str) -> Told:
        if self._found.owner:
            perms = self._asking.one("flickr.photos.getPerms", {"photo_id": name}, "perms").what
            public = said(perms.get("ispublic"))
            if not says_which(perms.get("ispublic")):
                return Told(State.UNKNOWN, "200 ok, and not whether it is public")
            return Told(parse.state_of(perms), f"200 ok, ispublic {public}")
        if self._found.group:
            return self._in_pool(name)
        self._asking.sizes(name)
        return Told(State.PRESENT, "200 ok")

    def _in_pool(self, name: str) -> Told:
        body = self._asking.ask("flickr.photos.getAllContexts", {"photo_id": name})
        try:
            pools = [_pool(piece) for _, _, piece in spans.items(body, "pool")]
        except ValueError as fault:
            raise UnexpectedResponse(f"flickr.photos.getAllContexts: {fault}.") from fault
        if self._found.id in pools:
            return Told(State.PRESENT, "200 ok")
        if "" in pools:
            return Told(State.UNKNOWN, "200 ok, with a pool that is of another shape")
        return Told(State.UNKNOWN, "200 ok, no longer in the group's pool")

    def _album(self, name: str) -> Told:
        asked = {"photoset_id": name.removeprefix(showing.ALBUM)}
        self._asking.one("flickr.photosets.getInfo", asked, "photoset")
        return Told(State.PRESENT, "200 ok")


def _pool(piece: bytes) -> str:
    """The id of a group that has a photo in its pool; empty where it cannot be read."""
    try:
        return said(value(piece, dict[str, object]).get("id"))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""


def root_of(name: str) -> str | None:
    """The photo or album that an item is, or stands under; None for what is neither (the introduction)."""
    steps = name.split("/")
    if steps[0] == "album" and len(steps) > 1:
        return f"{showing.ALBUM}{steps[1]}"
    return steps[0] if steps[0].isdecimal() else None
