"""One submission again, with everything that answers it at any depth."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Batch, Listing, Page
from connectors.reddit import standing
from connectors.reddit.address import Address
from connectors.reddit.asking import Asking
from connectors.reddit.place import Place
from connectors.reddit.refusals import NotGiven
from connectors.reddit.trees import Tree
from connectors.reddit.walking import ANSWERS, BOTH, SHOWN, speakers

_NOTHING = Place().cursor()


def of(asking: Asking, named: Address, page: Page, root: str) -> Iterator[Batch]:
    """The submission `root` with its tree; where it is not shown, how it stands."""
    began = asking.now()
    tree = Tree(asking, root, speakers(page, named))
    try:
        for step in tree.read():
            listings: list[Listing] = []
            if step.last and tree.whole:
                listings = [
                    Listing(
                        kinds=ANSWERS,
                        began_at=began,
                        exchange=asking.last,
                        in_reply_to=name,
                        states=BOTH if tree.moderated else SHOWN,
                    )
                    for name in tree.met
                ]
            yield asking.batch(
                _NOTHING, step.observations, sightings=step.sightings, listings=listings, gaps=step.gaps
            )
    except NotGiven:
        yield asking.batch(_NOTHING, sightings=standing.by_name(asking, [root]))
