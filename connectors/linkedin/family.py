"""One post again, with every comment that stands under it and every answer to one."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Batch, Kind, Listing
from connectors.linkedin import comments, posts
from connectors.linkedin.asking import Asking
from connectors.linkedin.parse import Ours
from connectors.linkedin.place import Place
from connectors.linkedin.refusals import NotGiven
from connectors.linkedin.shapes import Post
from connectors.linkedin.standing import Standings
from connectors.linkedin.urns import coded

_NOTHING = Place().cursor()


def of(asking: Asking, ours: Ours, root: str, *, names: bool) -> Iterator[Batch]:
    """The post `root` with what answers it; where it is not shown, how it stands."""
    began = asking.now()
    try:
        seen = asking.one(f"posts/{coded(root)}", Post)
    except NotGiven as refused:
        yield asking.batch(_NOTHING, sightings=[Standings(asking, ours, names=names).refused(root, refused)])
        return
    told = posts.read(asking, ours, [seen])

    def listed(name: str) -> Listing:
        kinds = [Kind.COMMENT, Kind.REPLY]
        return Listing(kinds=kinds, began_at=began, exchange=asking.last, in_reply_to=name)

    unanswered = [listed(name) for name in told.unanswered]
    yield asking.batch(_NOTHING, told.observed, listings=unanswered, gaps=told.gaps)
    waiting = told.below
    while waiting:
        place = waiting.pop()
        below = comments.read(asking, ours, place, names=names)
        if below.further is not None:
            waiting.append(below.further)
        waiting += reversed(below.below)
        whole = [listed(place.name)] if below.further is None and below.whole else []
        yield asking.batch(_NOTHING, below.observed, listings=whole, gaps=below.gaps)
