"""One video again, with every comment that stands under it and every answer to one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from connectors.contract import Batch, Listing
from connectors.tiktok.below import Below
from connectors.tiktok.doors import Door
from connectors.tiktok.place import Place, Waits
from connectors.tiktok.reach import Reach
from connectors.tiktok.standing import left_out
from connectors.tiktok.walking import BOTH, SAID, not_permitted

_NOTHING = Place().cursor()


def of(door: Door, root: str, known: str) -> Iterator[Batch]:
    """The video `root` with what answers it; where it is not shown, how it stands, and where it cannot be read, its gap."""
    asking, began = door.asking, door.asking.now()
    door.introduced(known)
    found = door.named([root])
    shown = [one for one in found.observed if one.native_id == root]
    if found.gaps and not shown:
        yield asking.batch(_NOTHING, gaps=[replace(one, native_id=root) for one in found.gaps])
        return
    if not shown:
        yield asking.batch(_NOTHING, sightings=[left_out(asking, root)])
        return
    yield asking.batch(_NOTHING, shown, gaps=not_permitted(door) if door.comments is None else ())
    if door.comments is None:
        return
    below, waiting = Below(door.comments, Reach(None, None, timedelta(0))), [Waits(root)]
    while waiting:
        observed, left = below.step(waiting.pop())
        waiting += left
        listings = [
            Listing(kinds=SAID, began_at=began, exchange=asking.last, in_reply_to=name, states=BOTH)
            for name in below.listed
        ]
        yield asking.batch(_NOTHING, observed, listings=listings, gaps=below.gaps)
        below.gaps, below.listed = [], []
