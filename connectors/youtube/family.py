"""One video again, with every comment that stands under it and every answer to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, Sighting, State
from connectors.pieces import Seen
from connectors.youtube import options, parse
from connectors.youtube.asking import Asking
from connectors.youtube.channel import Found
from connectors.youtube.place import HELD, SPAM, Place
from connectors.youtube.refusals import NotGiven
from connectors.youtube.shapes import Video
from connectors.youtube.standing import Standings
from connectors.youtube.threads import Answers, below, unread
from connectors.youtube.walking import BOTH, SHOWN, advanced, videos

_NOTHING = Place().cursor()


def of(asking: Asking, found: Found, page: Page, root: str) -> Iterator[Batch]:
    """The video `root` with what answers it; where it is not shown, how it stands."""
    began = asking.now()
    told = videos(asking, [root], owner=found.owner)
    gaps = [*found.gaps, *asking.gaps_of("a video", told.unread)]
    if not told.items and not told.unread:
        yield asking.batch(_NOTHING, sightings=Standings(asking, found).video(root), gaps=gaps)
        return
    if not told.items:
        yield asking.batch(_NOTHING, gaps=gaps)
    else:
        yield _root(asking, found, page, told.items[0], gaps)
    try:
        yield from _Below(asking, found.id, root, began, owner=found.owner, whole=bool(told.items)).read()
    except NotGiven as refused:
        raise refused.later() from refused


def _root(asking: Asking, found: Found, page: Page, seen: Seen[Video], gaps: Sequence[Gap]) -> Batch:
    """The video itself; how it stands where its captions are read as well.

    They cost fifty units to list, and belong to it: a pass reads them with its words.
    """
    has = seen.what.content_details.caption if seen.what.content_details else None
    if options.captions(page) == options.NO or has == "false" or not (found.owner or found.gaps):
        return asking.batch(_NOTHING, [parse.video(seen)], gaps=gaps)
    stands = Sighting(
        native_id=seen.what.id, state=parse.state_of(seen.what.status), exchange=asking.last, reason="200"
    )
    return asking.batch(_NOTHING, sightings=[stands], gaps=gaps)


class _Below:
    """What stands under one video; without `whole`, nothing is promised of it."""

    def __init__(
        self, asking: Asking, ours: str, root: str, began: datetime, *, owner: bool, whole: bool
    ) -> None:
        self._asking, self._ours, self._root, self._began = asking, ours, root, began
        self._owner, self._whole = owner, whole
        self._all = True
        """Whether every thread that is published could be read."""
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
            self._passes_over(unread(self._asking, found, self._root), status)
            observed: list[Observation] = []
            listings: list[Listing] = []
            for one in found.items:
                first = parse.thread(one, self._ours, status, self._root)
                observed.append(first)
                if status:
                    inside = below(self._asking, found.body, one, self._root, self._ours)
                    observed += inside.seen
                    self._gaps += inside.gaps
                if status and first.state is State.PRESENT:
                    continue  # It stands among what is published as well.
                if one.what.snippet.total_reply_count != 0:
                    self._answered[one.what.id] = None
                else:
                    listings += self._listing(f"{self._root}/{one.what.id}", SHOWN)
            if found.following is None and not status and self._all:
                listings += self._listing(self._root, self._states)
            yield self._batch(observed, listings)
            if found.following is None:
                return
            token = advanced(found.following, met, f"the comments of {self._root}")

    def _passes_over(self, gaps: Sequence[Gap], status: str) -> None:
        """Take note of what could not be read in a list of threads."""
        self._gaps += gaps
        if gaps and status:
            self._states = SHOWN
        elif gaps:
            self._all = False

    def _answers(self) -> Iterator[Batch]:
        for thread in self._answered:
            whole = True
            try:
                for shown in Answers(self._asking, self._root, thread, self._ours).read(""):
                    self._gaps += shown.gaps
                    whole = whole and not shown.gaps
                    ends = whole and shown.following is None
                    yield self._batch(
                        shown.seen, self._listing(f"{self._root}/{thread}", SHOWN) if ends else []
                    )
            except NotGiven as refused:
                if refused.token_forgotten:
                    raise
                if not refused.not_found:
                    name = f"{self._root}/{thread}"
                    self._gaps.append(Gap(what="answers", why=refused.why, native_id=name))
                yield self._batch()

    def _listing(self, name: str, states: Sequence[State]) -> list[Listing]:
        listed = Listing(
            kinds=[Kind.COMMENT, Kind.REPLY],
            began_at=self._began,
            exchange=self._asking.last,
            in_reply_to=name,
            states=states,
        )
        return [listed] if self._whole else []

    def _batch(self, observed: Sequence[Observation] = (), listings: Sequence[Listing] = ()) -> Batch:
        gaps, self._gaps = self._gaps, []
        return self._asking.batch(_NOTHING, observed, listings=listings, gaps=gaps)
