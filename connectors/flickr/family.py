"""One photo or album again, with everything that was said below it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Batch, Gap, Kind, Listing, Observation, State
from connectors.flickr import showing
from connectors.flickr.asking import Asking
from connectors.flickr.people import Found
from connectors.flickr.place import Place
from connectors.flickr.refusals import NotGiven
from connectors.flickr.standing import Standings
from connectors.flickr.walking import BOTH, SHOWN

_NOTHING = Place().cursor()


def of(asking: Asking, found: Found, root: str) -> Iterator[Batch]:
    """The item `root` with what answers it; where it is not shown, how it stands."""
    began = asking.now()
    lacking: Gap | None = None
    try:
        if root.startswith(showing.ALBUM):
            seen = showing.album(asking, root, found.id)
        else:
            seen, lacking = showing.alone(asking, root)
    except NotGiven:
        standings = Standings(asking, found)
        told = standings.root(root)
        yield asking.batch(_NOTHING, sightings=[standings.sighting(root, told)])
        return
    yield asking.batch(_NOTHING, [seen], gaps=[lacking] if lacking is not None else [])
    below: tuple[list[Observation], list[Gap]] | None = None
    try:
        with asking.about("comments", root) as asked:
            below = showing.comments(asking, root, found.id, hidden=seen.state is State.HIDDEN)
    except NotGiven as refused:
        yield asking.batch(_NOTHING, gaps=[Gap(what="comments", why=refused.why, native_id=root)])
        return
    if asked.gap is not None:
        yield asking.batch(_NOTHING, gaps=[asked.gap])
        return
    if below is None and seen.counts.get("comments") != 0:
        yield asking.batch(_NOTHING, gaps=[showing.unlisted(root)])
        return
    said_below, unread = below or ([], [])
    if unread:
        yield asking.batch(_NOTHING, said_below, gaps=unread)
        return
    listing = Listing(
        kinds=[Kind.COMMENT, Kind.REPLY],
        began_at=began,
        exchange=asking.last,
        in_reply_to=root,
        states=BOTH if found.owner else SHOWN,
    )
    yield asking.batch(_NOTHING, said_below, listings=[listing])
