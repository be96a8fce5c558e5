"""One video again, with every comment that stands under it and every answer to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, Sighting, State
from connectors.youtube import options, parse
from connectors.youtube.asking import Asking
from connectors.youtube.channel import Found
from connectors.youtube.place import HELD, SPAM, Place
from connectors.youtube.refusals import NotGiven
from connectors.youtube.standing import Standings
from connectors.youtube.threads import Answers, below
from connectors.youtube.walking import BOTH, SHOWN, advanced, videos

_NOTHING = Place().cursor()


def of(asking: Asking, found: Found, page: Page, root: str) -> Iterator[Batch]:
    """The video `root` with what answers it; where it is not shown, how it stands."""
    began = asking.now()
    told = videos(asking, [root], owner=found.owner)
    if not told.items:
        yield asking.batch(_NOTHING, sightings=Standings(asking, found).video(root))
        return
    seen = told.items[0]
    details = seen.what.content_details
    if options.captions(page) != options.NO and found.owner and details and details.caption == "true":
        # Its captions cost fifty units to list, and belong to it: a pass reads them with its words.
        stands = Sighting(
            native_id=root, state=parse.state_of(seen.what.status), exchange=asking.last, reason="200"
        )
        yield asking.batch(_NOTHING, sightings=[stands])
    else:
        yield asking.batch(_NOTHING, [parse.video(seen)])
    try:
        yield from _Below(asking, found.id, root, began, owner=found.owner).read()
    except NotGiven as refused:
        raise refused.later() from refused


class _Below:
    """What stands under one video."""

    def __init__(self, asking: Asking, ours: str, root: str, began: datetime, *, owner: bool) -> None:
        self._asking, self._ours, self._root, self._began = asking, ours, root, began
        self._owner = owner
        self._gaps: list[Gap] = []
        self._states: Sequence[State] = BOTH if owner else SHOWN
        self._answered: dict[str, None] = {}
        """Threads with answers, in the order in which they were met."""

    def read(self) -> Iterator[Batch]:
        """What is held back first, so that what is approved meanwhile is met in the list of what is published."""
        for status in (HELD, SPAM) if self._owner else ():
            try:
                yield from self._threads(status)
            except NotGiven as refused:
                if refused.token_forgotten:
                    raise
                if refused.comments_disabled:
                    continue
                self._gaps.append(
                    Gap(what="comments that are held back", why=refused.why, native_id=self._root)
                )
                self._states = SHOWN
                yield self._batch()
        try:
            yield from self._threads("")
        except NotGiven as refused:
            if refused.token_forgotten:
                raise
            if not (refused.comments_disabled or refused.not_found):
                self._gaps.append(Gap(what="comments", why=refused.why, native_id=self._root))
            yield self._batch()
            return
        yield from self._answers()

    def _threads(self, status: str) -> Iterator[Batch]:
        token, met = "", set[str]()
        while True:
            found = self._asking.threads({"videoId": self._root}, token, status=status)
            observed: list[Observation] = []
            listings: list[Listing] = []
            for one in found.items:
                first = parse.thread(one, self._ours, status)
                observed.append(first)
                if status:
                    inside = below(found.body, one, self._root, self._ours)
                    observed += inside.seen
                    self._gaps += inside.gaps
                if status and first.state is State.PRESENT:
                    continue  # It stands among what is published as well.
                if one.what.snippet.total_reply_count > 0:
                    self._answered[one.what.id] = None
                else:
                    listings.append(self._listing(f"{self._root}/{one.what.id}", SHOWN))
            if found.following is None and not status:
                listings.append(self._listing(self._root, self._states))
            yield self._batch(observed, listings)
            if found.following is None:
                return
            token = advanced(found.following, met, f"the comments of {self._root}")

    def _answers(self) -> Iterator[Batch]:
        for thread in self._answered:
            try:
                for seen, following in Answers(self._asking, self._root, thread, self._ours).read(""):
                    listed = [] if following else [self._listing(f"{self._root}/{thread}", SHOWN)]
                    yield self._batch(seen, listed)
            except NotGiven as refused:
                if refused.token_forgotten:
                    raise
                if not refused.not_found:
                    name = f"{self._root}/{thread}"
                    self._gaps.append(Gap(what="answers", why=refused.why, native_id=name))
                yield self._batch()

    def _listing(self, name: str, states: Sequence[State]) -> Listing:
        return Listing(
            kinds=[Kind.COMMENT, Kind.REPLY],
            began_at=self._began,
            exchange=self._asking.last,
            in_reply_to=name,
            states=states,
        )

    def _batch(self, observed: Sequence[Observation] = (), listings: Sequence[Listing] = ()) -> Batch:
        gaps, self._gaps = self._gaps, []
        return self._asking.batch(_NOTHING, observed, listings=listings, gaps=gaps)
