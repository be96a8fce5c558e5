"""One pass over what the public is shown of an agency: the agency in the list of its state, then its feed.

The feed shows what is new, and no page tells how far back it reaches. So it
promises nothing of what it does not show: a post that is missing may have
grown old, and nothing is concluded from that.

Its answers are counted off. One that shows nothing new is its end, also where
Nextdoor should not know pages and give the same answer again.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Batch, Gap, Listing, Observation, Page
from connectors.errors import NoSuchPage, UnexpectedResponse
from connectors.nextdoor import agency, parse, reading, routes
from connectors.nextdoor.asking import Asking
from connectors.nextdoor.own import ANSWERS, shown, under
from connectors.nextdoor.parse import Known
from connectors.nextdoor.place import Place
from connectors.nextdoor.reading import Rows, Whole
from connectors.nextdoor.refusals import NotGiven

_MOST_ANSWERS = 500
"""More answers of one agency's feed are taken for a feed without an end."""


def read(asking: Asking, page: Page, place: Place) -> Iterator[Batch]:
    """The agency, then its feed. A pass that is broken off begins anew."""
    began = asking.now()
    found = agency.public(asking, page)
    yield asking.batch(place.cursor(), [found.introduced])
    met: set[str] = set()
    for number in range(1, _MOST_ANSWERS + 1):
        rows = answer(asking, found.known, number)
        if rows is None:
            yield asking.batch(place.cursor())
            return
        observed: list[Observation] = []
        listings: list[Listing] = []
        new = shown(rows) - met
        gaps: list[Gap] = asking.gaps_of("a post", rows.unread) if new else []
        of_answers = Listing(kinds=ANSWERS, began_at=began, exchange=asking.last)
        for seen in rows.items:
            below = parse.answers(seen, found.known)
            told = parse.post(seen.post, found.known, below)
            observed += [told, *below.observed]
            if told.native_id in new:
                gaps += parse.kept_back(seen.post)
                gaps += [*below.gaps, *asking.gaps_of("a comment", seen.unread, parse.below(seen.post))]
            listings += under(of_answers, told.native_id, below) if below.whole else ()
        met |= new
        yield asking.batch(place.cursor(), observed, listings=listings, gaps=gaps)
        if not new:
            return
    raise UnexpectedResponse(
        f"Nextdoor shows new posts in each of {_MOST_ANSWERS} answers: the feed has no end."
    )


def answer(asking: Asking, of: Known, number: int) -> Rows[Whole] | None:
    """One answer of the feed; None where Nextdoor knows no such answer, and the feed has ended."""
    params = {"page": str(number)} if number > 1 else {}
    try:
        return asking.get(f"{routes.DIGEST}/{of.id}", reading.posts, params)
    except NotGiven as refused:
        if number > 1 and not refused.forbidden:
            return None
        if refused.forbidden:
            raise agency.feed_forbidden(refused) from refused
        if refused.said.status == 404:
            raise NoSuchPage(
                f"Nextdoor's public feed knows no agency {of.id} ({refused.said.short}). Correct the option `agency`."
            ) from refused
        raise
